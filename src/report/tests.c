/* A call as a list of tests, for TAP and JUnit: one for each header of a message that was judged,
 * and one for whatever else is wrong. */
#include "report/internal.h"

/* ---- headers --------------------------------------------------------------------------------- */

static enum report_outcome outcome_of(const struct check_header *h, const struct check_finding *f)
{
    if (h->verdict == CHECK_OK)
        return REPORT_OK;
    if (h->verdict == CHECK_UNKNOWN)
        return REPORT_SKIPPED;
    if (f && f->known)
        return REPORT_KNOWN;
    return !f || f->severity == CHECK_ERROR ? REPORT_FAILED : REPORT_OK;
}

/* What need not be there and is not, or is lost and nothing promises it, is no test: it is told by
 * a remark. */
static bool is_test(const struct check_header *h, const struct check_finding *f)
{
    return h->expected || h->verdict == CHECK_OK || (f && f->severity == CHECK_ERROR);
}

/* "BYE"; of several such messages in a call, branches of a fork or a second try, "BYE (2)". */
static struct slice message_name(struct arena *a, const struct check_call *c, size_t at)
{
    const struct check_request *r = &c->requests[at];
    size_t nth = 1;
    for (size_t i = 0; i < at; i++)
        nth += report_is_shown(&c->requests[i]) && c->requests[i].status == r->status &&
               slice_equal(c->requests[i].method, r->method);
    struct slice name = report_message_name(a, r);
    return nth == 1 ? name : ARENA_JOIN(a, name, arena_printf(a, " (%zu)", nth));
}

static void add_header(struct report_tests *out, struct arena *a, const struct check_call *c,
                       const struct check_request *r, struct slice message,
                       const struct check_header *h)
{
    const struct check_finding *f = h->verdict == CHECK_OK ? NULL : report_finding_of(a, c, r, h);
    struct report_test t = {.outcome = outcome_of(h, f),
                            .of = message,
                            .name = h->name,
                            .request = r,
                            .header = h,
                            .finding = f};
    if (h->by_rule || !is_test(h, f))
        return;
    if (t.outcome != REPORT_OK)
        t.why = f ? f->message : report_verdict_text(a, h);
    *vec_add(out) = t;
}

/* ---- rules of the user ----------------------------------------------------------------------- */

/* What a rule found in a message: it may be of several headers. */
struct rule_finds {
    const struct check_finding *first; /* NULL: none */
    bool known;                        /* all of them */
    struct slice words;
};

static struct rule_finds rule_finds(struct arena *a, const struct check_call *c,
                                    const struct check_request *r, const struct expect_rule *rule)
{
    struct rule_finds found = {.known = true};
    struct text t = {0};
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct check_finding *f = &c->findings[i];
        if (f->rule != rule || !report_is_about(a, f, r))
            continue;
        text_add(&t, found.first ? SLICE("; ") : SLICE(""));
        text_add(&t, f->message);
        found.known &= f->known;
        found.first = found.first ? found.first : f;
    }
    found.words = text_keep(&t, a);
    return found;
}

static void add_rule(struct report_tests *out, struct arena *a, const struct check_call *c,
                     const struct check_request *r, struct slice message,
                     const struct check_rule_result *result)
{
    struct rule_finds found = rule_finds(a, c, r, result->rule);
    bool fails = result->verdict == CHECK_FAIL && result->rule->severity == EXPECT_ERROR;
    struct report_test t = {.of = message,
                            .name = ARENA_JOIN(a, SLICE("rule "), result->rule->id),
                            .why = result->verdict == CHECK_PASS ? SLICE_NONE : found.words,
                            .type = "rule-violated",
                            .request = r,
                            .finding = found.first};
    t.outcome = fails ? found.first && found.known ? REPORT_KNOWN : REPORT_FAILED
                : result->verdict == CHECK_INCONCLUSIVE ? REPORT_SKIPPED
                                                        : REPORT_OK;
    *vec_add(out) = t;
}

/* ---- other findings -------------------------------------------------------------------------- */

static struct slice finding_name(struct arena *a, const struct check_finding *f)
{
    struct slice header = f->header.n ? ARENA_JOIN(a, f->header, SLICE(" ")) : SLICE_NONE;
    struct slice node = f->node.n ? ARENA_JOIN(a, SLICE(" by "), f->node) : SLICE_NONE;
    return ARENA_JOIN(a, header, slice_of(f->id), node);
}

static void add_finding(struct report_tests *out, struct arena *a, const struct check_finding *f)
{
    struct slice of = f->method.n ? f->method : SLICE("call"), name = finding_name(a, f);
    size_t nth = 1;
    for (size_t i = 0; i < out->n; i++)
        nth += out->items[i].finding && !out->items[i].header &&
               slice_equal(of, out->items[i].of) &&
               slice_equal(finding_name(a, out->items[i].finding), name);
    if (nth > 1)
        name = ARENA_JOIN(a, name, arena_printf(a, " (%zu)", nth));
    *vec_add(out) = (struct report_test){.outcome = f->known ? REPORT_KNOWN : REPORT_FAILED,
                                         .of = of,
                                         .name = name,
                                         .why = f->message,
                                         .finding = f};
}

/* ---- a call ---------------------------------------------------------------------------------- */

static bool any(const struct report_tests *list, enum report_outcome outcome)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].outcome == outcome)
            return true;
    return false;
}

/* Why nothing in the call was judged: the first message's reason, where there is one. */
static void add_skipped(struct report_tests *out, const struct check_call *c)
{
    *vec_add(out) = (struct report_test){.outcome = REPORT_SKIPPED,
                                         .of = SLICE("call"),
                                         .name = SLICE("judged to its end"),
                                         .why = report_inconclusive_why(c)};
}

void report_call_tests(struct report_tests *out, struct arena *a, const struct check_call *c)
{
    for (size_t i = 0; i < c->request_count; i++) {
        const struct check_request *r = &c->requests[i];
        struct slice message = report_is_shown(r) ? message_name(a, c, i) : SLICE_NONE;
        for (size_t k = 0; message.n && k < r->header_count; k++)
            add_header(out, a, c, r, message, &r->headers[k]);
        for (size_t k = 0; message.n && k < r->rule_count; k++)
            add_rule(out, a, c, r, message, &r->rules[k]);
    }
    for (size_t i = 0; i < c->finding_count; i++)
        if (c->findings[i].severity == CHECK_ERROR && !c->findings[i].rule &&
            !report_is_told(a, c, &c->findings[i]))
            add_finding(out, a, &c->findings[i]);
    if (c->verdict == CHECK_INCONCLUSIVE && !any(out, REPORT_SKIPPED))
        add_skipped(out, c);
    if (out->n == 0)
        *vec_add(out) = (struct report_test){
            .outcome = REPORT_OK, .of = SLICE("call"), .name = SLICE("nothing to judge")};
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Errors that the baseline knows, and has fewer of: each was known with its call. */
static void add_more_often(struct report_tests *out, struct arena *a, const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    for (size_t i = 0; i < changes.n; i++) {
        const struct check_difference *d = changes.items[i].of;
        if (d->change == CHECK_NEW && d->then && d->severity == CHECK_ERROR)
            *vec_add(out) = (struct report_test){
                .outcome = REPORT_FAILED,
                .of = SLICE("run"),
                .name = ARENA_JOIN(a, SLICE("no more of "), d->id, SLICE(" on "), d->method,
                                   SLICE(" by "), d->node, SLICE(", trunk "), d->trunk,
                                   SLICE(", rule "), d->rule),
                .why = changes.items[i].words,
                .type = "more-than-in-baseline"};
    }
    vec_free(&changes);
}

static struct slice run_finding_name(struct arena *a, const struct check_run_finding *f)
{
    struct slice header = f->header.n ? ARENA_JOIN(a, f->header, SLICE(" ")) : SLICE_NONE;
    return f->rule ? ARENA_JOIN(a, SLICE("rule "), f->rule->id, SLICE(" applied"))
                   : ARENA_JOIN(a, header, slice_of(f->id));
}

static void add_run_findings(struct report_tests *out, struct arena *a,
                             const struct check_summary *s)
{
    for (size_t i = 0; i < s->findings.n; i++) {
        const struct check_run_finding *f = &s->findings.items[i];
        struct slice name = run_finding_name(a, f);
        size_t nth = 1;
        for (size_t k = 0; k < i; k++)
            nth += slice_equal(run_finding_name(a, &s->findings.items[k]), name);
        if (nth > 1)
            name = ARENA_JOIN(a, name, arena_printf(a, " (%zu)", nth));
        *vec_add(out) = (struct report_test){.outcome = f->severity != CHECK_ERROR ? REPORT_SKIPPED
                                                        : f->known                 ? REPORT_KNOWN
                                                                                   : REPORT_FAILED,
                                             .of = SLICE("run"),
                                             .name = name,
                                             .why = f->message,
                                             .type = f->id};
    }
}

/* A test that tested nothing must not pass, unless that is allowed: one for each trunk that a call
 * came over, or one for all where no trunk promises anything. */
void report_run_tests(struct report_tests *out, struct arena *a, const struct report_run *run)
{
    const struct check_summary *s = run->summary;
    enum report_outcome open = run->allow_untested ? REPORT_SKIPPED : REPORT_UNTESTED;
    for (size_t i = 0; i < s->promise_count;) {
        const struct expect_trunk *t = s->promises[i].trunk;
        struct slice of = t ? ARENA_JOIN(a, SLICE(" of "), report_trunk_name(a, t)) : SLICE_NONE;
        struct slice why = report_untested(a, s, &i);
        *vec_add(out) = (struct report_test){
            .outcome = why.n ? open : REPORT_OK,
            .of = SLICE("run"),
            .name = ARENA_JOIN(a, SLICE("each promised header"), of, SLICE(" was judged")),
            .why = why,
            .type = "never-judged"};
    }
    bool judged = s->judged && run->verdict != CHECK_INCONCLUSIVE;
    if (out->n == 0)
        *vec_add(out) = (struct report_test){.outcome = judged ? REPORT_OK : open,
                                             .of = SLICE("run"),
                                             .name = SLICE("something was judged"),
                                             .why = judged ? SLICE_NONE
                                                           : SLICE("no call was judged to its end"),
                                             .type = "never-judged"};
    add_more_often(out, a, run);
    add_run_findings(out, a, s);
}

/* The verdict over all calls: a test that tested nothing must not pass. */
#include "check/pack.h"

#include <stdlib.h>
#include <string.h>

void check_summary_init(struct check_summary *s, const struct check_options *o)
{
    *s = (struct check_summary){0};
    if (check_has_rules(o))
        s->rules = base_alloc(o->rules->n * sizeof *s->rules);
}

void check_summary_free(struct check_summary *s)
{
    free(s->promises);
    free(s->rules);
    check_seen_free(s);
    pack_reject_free(s);
    vec_free(&s->findings);
    arena_free(&s->arena);
    *s = (struct check_summary){0};
}

static struct check_promise *promise_of(struct check_summary *s, const struct expect_trunk *trunk,
                                        struct slice header)
{
    for (size_t i = 0; i < s->promise_count; i++)
        if (s->promises[i].trunk == trunk && sip_name_equal(s->promises[i].header, header))
            return &s->promises[i];
    return NULL;
}

static void add_promise(struct check_summary *s, const struct expect_trunk *trunk,
                        struct slice header)
{
    if (promise_of(s, trunk, header))
        return;
    s->promises = base_realloc(s->promises, (s->promise_count + 1) * sizeof *s->promises);
    s->promises[s->promise_count++] =
        (struct check_promise){trunk, arena_copy(&s->arena, header), false};
}

/* What a trunk that a call came over promises to send, on whichever message. */
static void add_promises(struct check_summary *s, const struct check_options *o,
                         const struct expect_trunk *trunk)
{
    static const enum expect_message messages[] = {EXPECT_INVITE, EXPECT_INVITE_200, EXPECT_BYE,
                                                   EXPECT_REFER};
    struct arena a = {0};
    for (size_t i = 0; i < s->promise_count; i++)
        if (s->promises[i].trunk == trunk)
            return;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        const struct expect_owed *owed;
        size_t n = expect_owed(&a, trunk, messages[i], true, o->values, &owed);
        for (size_t k = 0; k < n; k++)
            if (owed[k].force == EXPECT_MUST)
                add_promise(s, trunk, owed[k].header);
    }
    arena_free(&a);
}

static bool was_judged(const struct check_request *r, const struct check_header *h)
{
    return r->applies && h->expected && !h->by_rule && h->verdict != CHECK_UNKNOWN;
}

static void note_judged(struct check_summary *s, const struct check_call *call)
{
    for (size_t i = 0; i < call->request_count; i++) {
        const struct check_request *r = &call->requests[i];
        for (size_t k = 0; k < r->header_count; k++) {
            const struct check_header *h = &r->headers[k];
            struct check_promise *p = promise_of(s, call->trunk, h->name);
            if (p && h->must && was_judged(r, h))
                p->judged = true;
            s->judged |= was_judged(r, h);
        }
        for (size_t k = 0; k < r->rule_count; k++)
            s->judged |= r->rules[k].verdict != CHECK_INCONCLUSIVE;
    }
}

void check_summary_count(struct check_summary *s, const struct check_options *o,
                         const struct check_call *call)
{
    s->calls++;
    s->passed += call->verdict == CHECK_PASS;
    s->failed += call->verdict == CHECK_FAIL;
    s->inconclusive += call->verdict == CHECK_INCONCLUSIVE;
    if (call->trunk)
        add_promises(s, o, call->trunk);
    note_judged(s, call);
    if (o->packs && !(o->trunks && o->trunks->n))
        s->judged = true; /* by their rules */
}

/* A rule that applied and was never judged tested nothing; one that failed did. */
static bool rules_judged(const struct check_summary *s, const struct check_options *o, bool *any)
{
    bool all = true;
    for (size_t i = 0; check_has_rules(o) && i < o->rules->n; i++) {
        const struct check_rule_count *c = &s->rules[i];
        bool judged = c->applied > c->open;
        *any |= judged;
        all &= judged || c->applied == 0 || o->rules->items[i].severity != EXPECT_ERROR;
    }
    return all;
}

enum check_verdict check_summary_verdict(const struct check_summary *s,
                                         const struct check_options *o)
{
    bool ruled = false, rules = rules_judged(s, o, &ruled);
    /* without a promise by name it is the calls that count: one at least was judged to its
     * end; with a baseline a failure that it knows has been, too */
    bool judged =
        rules &&
        (ruled || (s->judged && (s->promise_count || s->passed || (o->baseline && s->failed))));
    if (o->baseline ? check_baseline_failed(o->baseline, s->calls) : s->run_failed || s->failed)
        return CHECK_FAIL;
    for (size_t i = 0; i < s->promise_count; i++)
        judged &= s->promises[i].judged;
    return judged || o->allow_untested ? CHECK_PASS : CHECK_INCONCLUSIVE;
}

/* check for a person: a block for each call, in it a table for each message, what is wrong in
 * words, and the count. */
#include "report/internal.h"

/* ---- the head of a call ---------------------------------------------------------------------- */

/* Adds a part of a line; where it does not fit any more it starts a line of its own, indented. */
static void add_part(struct text *out, const struct report_style *style, size_t *column,
                     struct slice part)
{
    size_t wide = text_width(part);
    if (*column && *column + 3 + wide > report_width(style)) {
        text_add(out, SLICE("\n  "));
        *column = 2;
    } else if (*column) {
        text_add(out, SLICE("   "));
        *column += 3;
    }
    text_add_terminal(out, part);
    *column += wide;
}

static struct slice or_unknown(struct slice s)
{
    return s.n ? s : SLICE("?");
}

static struct slice trunk_text(struct arena *a, const struct check_call *c)
{
    if (!c->trunk)
        return SLICE_NONE;
    if (c->trunk->name.n)
        return ARENA_JOIN(a, SLICE("trunk \""), c->trunk->name, SLICE("\""));
    return ARENA_JOIN(a, SLICE("trunk "), or_unknown(c->trunk->id));
}

static void add_call_head(struct text *out, const struct report_style *style, struct arena *a,
                          const struct check_call *c)
{
    size_t column = 5;
    struct slice trunk = trunk_text(a, c);
    report_colour_on(out, style, REPORT_BOLD);
    text_add(out, SLICE("Call "));
    text_add_terminal(out, c->call_id_count ? c->call_ids[0] : SLICE("without Call-ID"));
    column += c->call_id_count ? text_width(c->call_ids[0]) : 15;
    report_colour_off(out, style, REPORT_BOLD);
    add_part(out, style, &column,
             ARENA_JOIN(a, or_unknown(c->caller), SLICE(" -> "), or_unknown(c->callee)));
    if (trunk.n)
        add_part(out, style, &column, trunk);
    text_add_char(out, '\n');
    for (size_t i = 1; i < c->call_id_count; i++) {
        text_add(out, SLICE("  and "));
        text_add_terminal(out, c->call_ids[i]);
        text_add_char(out, '\n');
    }
    if (c->joined.n)
        report_add_line(out, style, 2, ARENA_JOIN(a, SLICE("joined: "), c->joined));
    if (style->verbose && c->trunk_why.n)
        report_add_line(out, style, 2, c->trunk_why);
}

/* ---- a message ------------------------------------------------------------------------------- */

struct slice report_request_title(struct arena *a, const struct check_request *r)
{
    struct text t = {0};
    text_add(&t, report_request_name(a, r));
    struct slice sender = r->sent_by_node.n ? r->sent_by_node : r->sent_by_address;
    if (sender.n) {
        text_add(&t, SLICE(" sent by "));
        text_add(&t, sender);
    }
    if (r->answer_status)
        text_printf(&t, ", answered %u", r->answer_status);
    else if (!r->status && !slice_is(r->method, "ACK"))
        text_add(&t, SLICE(", no answer seen"));
    return text_keep(&t, a);
}

static bool any_harm(const struct check_request *r)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (r->headers[i].verdict != CHECK_OK)
            return true;
    return false;
}

bool report_is_shown(const struct check_request *r)
{
    return r->applies || any_harm(r);
}

/* A message that no mapping speaks of is a line; its headers are shown on request or where one came
 * to harm. */
static void add_request(struct text *out, const struct report_style *style, struct arena *a,
                        const struct check_call *c, const struct check_request *r)
{
    struct slice title = report_request_title(a, r);
    bool table = r->header_count && (style->verbose || report_is_shown(r));
    if (r->why.n && (!r->applies || style->verbose))
        title = ARENA_JOIN(a, title, SLICE(": "), r->why);
    report_add_line(out, style, 0, title);
    if (table)
        report_add_header_table(out, style, r);
    if (!table && !r->applies)
        return;
    struct report_sentences list = {0};
    report_request_sentences(&list, a, c, r);
    report_add_sentences(out, style, &list);
    vec_free(&list);
}

/* ---- causes --------------------------------------------------------------------------------- */

/* "why   likely: what speaks for it. What to do. See: sipxray explain room-deleted" */
static void add_cause(struct text *out, const struct report_style *style, struct arena *a,
                      const struct check_cause *c)
{
    report_add_labelled(out, style, REPORT_BOLD, "why",
                        ARENA_JOIN(a, slice_of(check_confidence_name(c->confidence)), SLICE(": "),
                                   c->message, SLICE(". "), c->remedy,
                                   SLICE(" See: sipxray explain "), slice_of(c->id)));
}

/* Causes that are merely possible are named only, behind others. */
static void add_possible(struct text *out, const struct report_style *style, struct arena *a,
                         const struct check_call *c, size_t from)
{
    struct slice names = SLICE_NONE;
    for (size_t i = from; i < c->cause_count; i++)
        if (c->causes[i].confidence == CHECK_POSSIBLE)
            names = ARENA_JOIN(a, names, names.n ? SLICE(", ") : SLICE("possible as well: "),
                               slice_of(c->causes[i].id));
    if (names.n)
        report_add_labelled(out, style, REPORT_BOLD, "why",
                            ARENA_JOIN(a, names, SLICE(" (sipxray explain ID)")));
}

static void add_causes(struct text *out, const struct report_style *style, struct arena *a,
                       const struct check_call *c)
{
    bool quiet = c->verdict == CHECK_PASS && !style->verbose;
    for (size_t i = 0; i < c->cause_count; i++) {
        bool possible = c->causes[i].confidence == CHECK_POSSIBLE;
        if (!(possible && (i > 0 || quiet)) || style->verbose)
            add_cause(out, style, a, &c->causes[i]);
    }
    if (!style->verbose && !quiet)
        add_possible(out, style, a, c, 1);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool any_open_rule(const struct check_call *c)
{
    for (size_t i = 0; i < c->request_count; i++)
        for (size_t k = 0; k < c->requests[i].rule_count; k++)
            if (c->requests[i].rules[k].verdict == CHECK_INCONCLUSIVE)
                return true;
    return false;
}

static bool any_unknown(const struct check_call *c)
{
    for (size_t i = 0; i < c->request_count; i++)
        for (size_t k = 0; k < c->requests[i].header_count; k++)
            if (c->requests[i].headers[k].verdict == CHECK_UNKNOWN)
                return true;
    return false;
}

struct slice report_inconclusive_why(const struct check_call *c)
{
    return any_open_rule(c) ? SLICE("not judged: a rule on it could not be")
           : any_unknown(c) ? SLICE("not judged: the captures do not show enough of it")
           : !c->trunk && c->trunk_why.n
               ? SLICE("not judged: no trunk was picked for it")
               : SLICE("not judged: no message was seen that must carry a promised header");
}

static void add_others(struct text *out, const struct report_style *style, struct arena *a,
                       const struct check_call *c)
{
    struct report_sentences list = {0};
    report_other_sentences(&list, a, c);
    report_add_sentences(out, style, &list);
    vec_free(&list);
}

/* The rules hold on it and name no header that is there: such messages are counted. */
static bool is_quiet(const struct report_style *style, const struct check_request *r)
{
    for (size_t i = 0; i < r->rule_count; i++)
        if (r->rules[i].verdict != CHECK_PASS)
            return false;
    return r->rule_count && r->header_count == 0 && !style->verbose;
}

static void add_quiet(struct text *out, const struct report_style *style, struct arena *a,
                      size_t quiet, bool more)
{
    if (quiet)
        report_add_labelled(out, style, REPORT_GREEN, "PASS",
                            arena_printf(a, "the rules hold on %zu %smessage%s", quiet,
                                         more ? "more " : "", quiet == 1 ? "" : "s"));
}

void report_check_text(struct text *out, const struct report_style *style,
                       const struct check_call *call)
{
    struct arena a = {0};
    add_call_head(out, style, &a, call);
    size_t shown = 0, quiet = 0;
    for (size_t i = 0; i < call->request_count; i++) {
        if (is_quiet(style, &call->requests[i])) {
            quiet++;
            continue;
        }
        text_add(out, shown++ ? SLICE("\n") : SLICE(""));
        add_request(out, style, &a, call, &call->requests[i]);
    }
    add_quiet(out, style, &a, quiet, shown > 0);
    add_others(out, style, &a, call);
    if (call->verdict == CHECK_INCONCLUSIVE)
        report_add_labelled(out, style, REPORT_YELLOW, "OPEN", report_inconclusive_why(call));
    add_causes(out, style, &a, call);
    text_add_char(out, '\n');
    arena_free(&a);
}

static void add_count(struct text *out, const struct report_style *style,
                      const struct check_summary *s)
{
    text_printf(out, "%llu call%s: ", (unsigned long long)s->calls, s->calls == 1 ? "" : "s");
    report_colour_on(out, style, s->passed && !s->failed ? REPORT_GREEN : REPORT_PLAIN);
    text_printf(out, "%llu passed", (unsigned long long)s->passed);
    report_colour_off(out, style, s->passed && !s->failed ? REPORT_GREEN : REPORT_PLAIN);
    text_add(out, SLICE(", "));
    report_colour_on(out, style, s->failed ? REPORT_RED : REPORT_PLAIN);
    text_printf(out, "%llu failed", (unsigned long long)s->failed);
    report_colour_off(out, style, s->failed ? REPORT_RED : REPORT_PLAIN);
    if (s->inconclusive)
        text_printf(out, ", %llu not judged", (unsigned long long)s->inconclusive);
    text_add_char(out, '\n');
}

static bool same_trunk(const struct check_promise *a, const struct check_promise *b)
{
    return a->trunk == b->trunk;
}

/* The promises of one trunk stand together; one line for those of them that were never judged. */
struct slice report_untested(struct arena *a, const struct check_summary *s, size_t *from)
{
    struct text t = {0};
    const struct expect_trunk *trunk = s->promises[*from].trunk;
    size_t to = *from;
    while (to < s->promise_count && same_trunk(&s->promises[to], &s->promises[*from])) {
        const struct check_promise *p = &s->promises[to++];
        if (p->judged)
            continue;
        text_add(&t, t.n ? SLICE(", ") : SLICE("never judged: "));
        text_add(&t, p->header.n ? p->header : SLICE("any header"));
    }
    *from = to;
    if (t.n && trunk) {
        struct slice name = trunk->name.n ? trunk->name : trunk->id.n ? trunk->id : trunk->file;
        text_add(&t, ARENA_JOIN(a, SLICE(" of trunk \""), name, SLICE("\"")));
    }
    return text_keep(&t, a);
}

#define HIDDEN_SHOWN 4u /* connections that are named of each point */

struct slice report_hidden(struct arena *a, const struct trace_point *p)
{
    const struct packet_hidden *list = NULL;
    size_t n = p->decoder ? packet_undecrypted(p->decoder, &list) : 0, shown = 0;
    struct text t = {0};
    for (size_t i = 0; i < n; i++) {
        if (!list[i].records || shown++ >= HIDDEN_SHOWN)
            continue;
        text_printf(&t, "%s%s -> %s", t.n ? ", " : "", endpoint_format(&list[i].src).s,
                    endpoint_format(&list[i].dst).s);
    }
    if (shown > HIDDEN_SHOWN)
        text_printf(&t, " and %zu more", shown - HIDDEN_SHOWN);
    struct slice words = SLICE_NONE;
    if (shown)
        words =
            ARENA_JOIN(a, SLICE("TLS that was not decrypted at "), slice_of(p->name), SLICE(": "),
                       text_slice(&t), SLICE("; a key log would open it (--keylog)"));
    text_free(&t);
    return words;
}

static void add_changes(struct text *out, const struct report_style *style, struct arena *a,
                        const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    for (size_t i = 0; i < changes.n; i++) {
        const struct check_difference *d = changes.items[i].of;
        bool bad = d->change == CHECK_NEW && d->severity == CHECK_ERROR;
        report_add_labelled(out, style, bad ? REPORT_RED : REPORT_PLAIN,
                            check_change_name(d->change), changes.items[i].words);
    }
    if (run->baseline)
        report_add_line(out, style, 0, report_comparison_text(a, run));
    vec_free(&changes);
}

void report_check_text_end(struct text *out, const struct report_style *style,
                           const struct report_run *run)
{
    struct arena a = {0};
    struct report_sentences list = {0};
    report_run_sentences(&list, &a, run);
    report_add_sentences(out, style, &list);
    vec_free(&list);
    add_changes(out, style, &a, run);
    add_count(out, style, run->summary);
    if (run->verdict == CHECK_INCONCLUSIVE)
        report_add_line(out, style, 0,
                        SLICE("Not everything that is promised was judged: the exit status is 3 "
                              "(--allow-untested makes it 0)."));
    arena_free(&a);
}

/* The list of calls: what is in its cells, and what check says of a call where that is looked at.
 */
#include "view/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void view_calls_init(struct view_calls *v, struct trace *t, const struct check_options *o)
{
    *v = (struct view_calls){.trace = t, .options = o, .sort = VIEW_CELL_NUMBER};
}

void view_calls_free(struct view_calls *v)
{
    text_free(&v->filter);
    text_free(&v->expression_text);
    view_filter_free(v->expression);
    free(v->fresh.shown);
    arena_free(&v->scratch);
    free(v->shown);
    free(v->verdicts);
}

/* ---- cells ----------------------------------------------------------------------------------- */

const char *view_cell_name(enum view_cell c)
{
    static const char *const names[VIEW_CELL_COUNT] = {
        [VIEW_CELL_NUMBER] = "#",          [VIEW_CELL_VERDICT] = "Verdict",
        [VIEW_CELL_START] = "Start",       [VIEW_CELL_CALLER] = "From",
        [VIEW_CELL_CALLEE] = "To",         [VIEW_CELL_STATE] = "State",
        [VIEW_CELL_MESSAGES] = "Msgs",     [VIEW_CELL_DURATION] = "Length",
        [VIEW_CELL_POINTS] = "Points",     [VIEW_CELL_CALL_ID] = "Call-ID",
        [VIEW_CELL_CALL_IDS] = "Call-IDs", [VIEW_CELL_DAY] = "Day",
        [VIEW_CELL_ANSWER] = "Answer",     [VIEW_CELL_END] = "End",
        [VIEW_CELL_LAST] = "Last",         [VIEW_CELL_TALK] = "Talk",
        [VIEW_CELL_STATUS] = "Status",     [VIEW_CELL_METHOD] = "Method",
        [VIEW_CELL_SRC] = "Source",        [VIEW_CELL_DST] = "Target",
    };
    return names[c];
}

int64_t view_duration_ms(const struct call_summary *c)
{
    int64_t end = c->end_ns ? c->end_ns : c->last_ns;
    return end > c->start_ns ? (end - c->start_ns) / 1000000 : 0;
}

/* From the answer to the end, or -1. */
int64_t view_talk_ms(const struct call_summary *c)
{
    return c->answer_ns && c->end_ns >= c->answer_ns ? (c->end_ns - c->answer_ns) / 1000000 : -1;
}

static void add_duration(struct text *out, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 0)
        return;
    if (s < 60)
        text_printf(out, "%lld.%03lld", (long long)s, (long long)(ms % 1000));
    else if (s < 3600)
        text_printf(out, "%lld:%02lld", (long long)(s / 60), (long long)(s % 60));
    else
        text_printf(out, "%lld:%02lld:%02lld", (long long)(s / 3600), (long long)(s / 60 % 60),
                    (long long)(s % 60));
}

static void add_state(struct text *out, const struct call_summary *c)
{
    text_add(out,
             c->outcome == CALL_NOT_A_CALL ? c->method : slice_of(call_outcome_name(c->outcome)));
    if (c->status >= 300)
        text_printf(out, " %u", c->status);
}

static void add_verdict(struct text *out, const struct view_verdict *w)
{
    if (w->messages == 0 || !w->judged)
        return;
    if (w->verdict == CHECK_FAIL)
        text_printf(out, "FAIL %u", w->errors);
    else
        text_add(out, w->verdict == CHECK_PASS ? SLICE("pass") : SLICE("?"));
}

static void add_points(struct view_calls *v, struct text *out, const struct call_summary *c)
{
    const struct trace_point *points;
    trace_points(v->trace, &points);
    for (size_t i = 0; i < c->point_count; i++) {
        text_add(out, i ? SLICE(" ") : SLICE(""));
        text_add(out, slice_of(points[c->points[i]].name));
    }
}

/* The value that the first message with the header has; secrets never show in lists. */
static void add_header(const struct view_calls *v, struct text *out, size_t want,
                       const struct call_summary *c)
{
    const struct call_value *value = want < v->header_count ? c->values[want] : NULL;
    if (!value)
        return;
    bool secret = sip_is_secret(v->headers[want]) || sip_is_credentials(v->headers[want]);
    text_add(out, secret ? SLICE("***") : value->value);
}

int64_t view_time_of(enum view_cell cell, const struct call_summary *c)
{
    switch (cell) {
    case VIEW_CELL_ANSWER:
        return c->answer_ns;
    case VIEW_CELL_END:
        return c->end_ns;
    case VIEW_CELL_LAST:
        return c->last_ns;
    default:
        return c->start_ns;
    }
}

static void add_call_ids(struct text *out, const struct call_summary *c)
{
    for (size_t i = 0; i < c->call_id_count; i++) {
        text_add(out, i ? SLICE(" ") : SLICE(""));
        text_add(out, c->call_ids[i]);
    }
}

static void add_endpoint(const struct view_calls *v, struct text *out, const struct endpoint *e)
{
    if (v->add_endpoint)
        v->add_endpoint(v->endpoint_context, out, e);
    else
        text_printf(out, "%s", endpoint_format(e).s);
}

void view_calls_add_cell(struct view_calls *v, struct text *out, enum view_cell cell, uint32_t call,
                         const struct call_summary *c)
{
    if (cell >= VIEW_CELL_COUNT) {
        add_header(v, out, cell - VIEW_CELL_COUNT, c);
        return;
    }
    switch (cell) {
    case VIEW_CELL_NUMBER:
        text_printf(out, "%u", c->number);
        break;
    case VIEW_CELL_VERDICT:
        add_verdict(out, view_calls_verdict(v, call, false));
        break;
    case VIEW_CELL_DAY:
        view_add_day(out, v->local_time, c->start_ns);
        break;
    case VIEW_CELL_START:
    case VIEW_CELL_ANSWER:
    case VIEW_CELL_END:
    case VIEW_CELL_LAST:
        if (view_time_of(cell, c))
            view_add_clock(out, v->local_time, view_time_of(cell, c));
        break;
    case VIEW_CELL_STATE:
        add_state(out, c);
        break;
    case VIEW_CELL_STATUS:
        if (c->status)
            text_printf(out, "%u", c->status);
        break;
    case VIEW_CELL_MESSAGES:
        text_printf(out, "%u", c->messages);
        break;
    case VIEW_CELL_DURATION:
        add_duration(out, view_duration_ms(c));
        break;
    case VIEW_CELL_TALK:
        add_duration(out, view_talk_ms(c));
        break;
    case VIEW_CELL_POINTS:
        add_points(v, out, c);
        break;
    case VIEW_CELL_SRC:
    case VIEW_CELL_DST:
        add_endpoint(v, out, cell == VIEW_CELL_SRC ? &c->src : &c->dst);
        break;
    case VIEW_CELL_CALL_IDS:
        add_call_ids(out, c);
        break;
    default:
        text_add(out, cell == VIEW_CELL_CALLER   ? c->caller
                      : cell == VIEW_CELL_CALLEE ? c->callee
                      : cell == VIEW_CELL_METHOD ? c->method
                      : c->call_id_count         ? c->call_ids[0]
                                                 : SLICE_NONE);
    }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static void note_finding(struct view_verdict *out, struct slice id)
{
    const struct check_kind *kinds, *kind = check_kind_of(id);
    size_t n = check_kinds(&kinds);
    assert(n <= VIEW_FINDINGS_MAX);
    if (kind)
        out->findings[(kind - kinds) / 64] |= (uint64_t)1 << ((kind - kinds) % 64);
}

static void judge(struct view_calls *v, uint32_t call, struct view_verdict *out)
{
    struct arena a = {0};
    struct check_call result;
    struct check_summary summary; /* of this call alone */
    const struct hop_call *hops = trace_call_open(v->trace, call, &a, check_wants, v->options);
    *out = (struct view_verdict){.messages = trace_call_messages(v->trace, call)};
    check_summary_init(&summary, v->options);
    out->judged = check_call(&a, v->options, &summary, hops, &result);
    out->verdict = out->judged ? result.verdict : CHECK_PASS;
    for (size_t i = 0; out->judged && i < result.finding_count; i++) {
        out->errors += result.findings[i].severity == CHECK_ERROR;
        note_finding(out, slice_of(result.findings[i].id));
    }
    check_summary_free(&summary);
    arena_free(&a);
}

/* A long call that goes on is judged anew when it has grown by an eighth, and at its end. */
static bool is_due(uint32_t then, uint32_t now, bool loading)
{
    return loading && then > VIEW_CALL_LONG ? now > then + then / 8 : now != then;
}

const struct view_verdict *view_calls_verdict(struct view_calls *v, uint32_t call, bool now)
{
    while (v->verdict_count <= call) {
        if (v->verdict_count == v->verdict_cap)
            v->verdicts = vec_grow(v->verdicts, &v->verdict_cap, sizeof *v->verdicts);
        v->verdicts[v->verdict_count++] = (struct view_verdict){0};
    }
    struct view_verdict *w = &v->verdicts[call];
    if (now && is_due(w->messages, trace_call_messages(v->trace, call), v->loading))
        judge(v, call, w);
    return w;
}

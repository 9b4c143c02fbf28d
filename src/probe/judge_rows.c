/* What became of each header of a call: asked where its message arrived. */
#include "probe/judge_internal.h"

#include <string.h>

struct slice probe_step_name(struct arena *a, const struct probe_call_plan *plan, uint32_t step)
{
    const struct probe_step *s = &plan->steps[step];
    size_t invites = 0;
    for (uint32_t i = 0; i <= step && slice_is(s->method, "INVITE"); i++)
        invites += slice_is(plan->steps[i].method, "INVITE") && !plan->steps[i].status;
    struct slice method = invites > 1 ? SLICE("re-INVITE") : s->method;
    return s->status ? ARENA_JOIN(a, arena_printf(a, "%u to ", s->status), method) : method;
}

/* ---- headers ----------------------------------------------------------------------------------*/

/* A message of the script, and as it arrived. */
struct pair {
    const struct probe_item *item;
    const struct probe_step *step;
    const struct probe_outcome *outcome;
    struct sip_message sent, received;
    struct sip_scanner *scanner; /* of `received`: that of the judge is `sent`'s */
    bool arrived;
};

static bool names(const struct slice *list, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal_nocase(list[i], name))
            return true;
    return false;
}

static struct expect_list keep(struct arena *a, const struct expect_list *list)
{
    struct expect_list copy = {ARENA_ARRAY(a, struct slice, list->n), list->n};
    for (size_t i = 0; i < list->n; i++)
        copy.items[i] = arena_copy(a, list->items[i]);
    return copy;
}

static size_t lines_of(const struct sip_message *m, struct slice name)
{
    uint32_t at;
    size_t n = 0;
    for (uint32_t from = 0; sip_header_next(m, from, name, &at); from = at + 1)
        n++;
    return n;
}

/* What is the same and looks different: no harm, and worth knowing. */
static struct slice remark(struct arena *a, const struct pair *p, struct slice name)
{
    uint32_t at;
    const struct sip_header *was = sip_header_next(&p->sent, 0, name, &at),
                            *is = sip_header_next(&p->received, 0, name, &at);
    size_t lines = lines_of(&p->sent, name), now = lines_of(&p->received, name);
    if (!was || !is)
        return SLICE_NONE;
    if (!slice_equal(was->name, is->name))
        return arena_printf(a, "its name is written %.*s", SLICE_ARG(is->name));
    if (lines != now)
        return arena_printf(a, "%zu line%s instead of %zu", now, now == 1 ? "" : "s", lines);
    if (was->folded && !is->folded)
        return SLICE("in one line");
    return SLICE_NONE;
}

/* How a value differs, where that takes few words. */
static struct slice difference(struct arena *a, const struct report_probe_row *row)
{
    size_t was = 0, is = 0;
    for (size_t i = 0; i < row->sent.n; i++)
        was += row->sent.items[i].n;
    for (size_t i = 0; i < row->received.n; i++)
        is += row->received.items[i].n;
    if (row->sent.n != row->received.n)
        return arena_printf(a, "%zu value%s instead of %zu", row->received.n,
                            row->received.n == 1 ? "" : "s", row->sent.n);
    return was == is ? SLICE_NONE : arena_printf(a, "%zu bytes instead of %zu", is, was);
}

static void compare(struct probe_judge *j, const struct pair *p, struct report_probe_row *row)
{
    bool cut;
    struct expect_list received = check_values_of(&j->scratch, &p->received, row->header, &cut);
    bool optional = names(p->item->optional, p->item->optional_count, row->header);
    row->received = keep(&j->arena, &received);
    if (received.n == 0) {
        row->fate = optional ? REPORT_UNTRIED : REPORT_STRIPPED;
        row->verdict = row->loose ? CHECK_MISSING : CHECK_STRIPPED;
        row->how = optional ? SLICE("it is not there, and may be unset at its sender") : SLICE_NONE;
        return;
    }
    row->verdict = row->loose ? CHECK_OK : check_values_compare(&row->sent, &row->received);
    row->fate = row->verdict == CHECK_OK ? REPORT_ARRIVED : REPORT_ALTERED;
    row->how = row->verdict != CHECK_OK ? difference(&j->arena, row)
               : row->loose             ? SLICE_NONE
                                        : remark(&j->arena, p, row->header);
}

/* Who may have done it, as the message says: its Vias and Record-Routes but those of its sender. */
static void add_candidates(struct probe_judge *j, const struct pair *p,
                           struct report_probe_row *row)
{
    const struct sip_via *vias;
    const struct sip_address *routes;
    size_t vn = sip_vias(&j->scratch, &p->received, &vias, NULL), n = 0;
    size_t rn = sip_addresses(&j->scratch, &p->received, SIP_HEADER_RECORD_ROUTE, &routes);
    struct slice *list = ARENA_ARRAY(&j->arena, struct slice, vn + rn);
    bool request = p->received.kind == SIP_REQUEST;
    for (size_t i = 0; request && i + 1 < vn; i++)
        if (!names(list, n, vias[i].host))
            list[n++] = arena_copy(&j->arena, vias[i].host);
    for (size_t i = 0; i < rn; i++)
        if (!names(list, n, routes[i].host))
            list[n++] = arena_copy(&j->arena, routes[i].host);
    row->guilty = (struct check_guilty){.any = n > 0, .candidates = list, .candidate_count = n};
}

/* ---- messages that never arrived ------------------------------------------------------------- */

/* The request that a response of the script answers. */
static const struct probe_outcome *request_of(const struct probe_call_result *r, uint32_t step)
{
    const struct probe_step *s = &r->plan->steps[step];
    for (uint32_t i = step; i-- > 0;)
        if (!r->plan->steps[i].status && slice_equal(r->plan->steps[i].method, s->method))
            return &r->outcomes[i];
    return NULL;
}

/* What ended the call before this step. */
static struct slice why_not_reached(struct arena *a, const struct probe_call_result *r,
                                    uint32_t step)
{
    for (uint32_t i = 0; i < step; i++) {
        const struct probe_outcome *o = &r->outcomes[i];
        const struct probe_step *s = &r->plan->steps[i];
        if (o->fate == PROBE_DONE && (s->status || o->status < 300))
            continue;
        if (o->fate == PROBE_STOPPED)
            return SLICE("not tried: the run was stopped");
        if (o->fate == PROBE_DONE)
            return arena_printf(a, "not tried: %.*s was answered %u",
                                SLICE_ARG(probe_step_name(a, r->plan, i)), o->status);
        if (o->fate != PROBE_NOT_REACHED && o->fate != PROBE_UNOPENED)
            return ARENA_JOIN(a, SLICE("not tried: "), probe_step_name(a, r->plan, i),
                              SLICE(" did not get through"));
    }
    return SLICE("not tried: the call ended before");
}

static void judge_response(struct probe_judge *j, const struct probe_call_result *r,
                           const struct pair *p, struct report_probe_row *row)
{
    const struct probe_outcome *request = request_of(r, p->item->step);
    bool sent = p->outcome->fate == PROBE_NOT_REACHED && p->outcome->sent != PROBE_NONE;
    if (p->outcome->fate != PROBE_DONE && !sent) {
        row->how = why_not_reached(&j->arena, r, p->item->step);
        return;
    }
    row->fate = REPORT_LOST;
    if (request && request->fate == PROBE_DONE)
        row->how = arena_printf(&j->arena, "the other end got %u instead", request->status);
    else
        row->how = SLICE("sent, and never seen at the other end");
}

static void judge_request(struct probe_judge *j, const struct probe_call_result *r,
                          const struct probe_log *log, const struct pair *p,
                          struct report_probe_row *row)
{
    const struct probe_outcome *o = p->outcome;
    struct text t = {0};
    switch (o->fate) {
    case PROBE_DONE:
        row->fate = o->status >= 300 ? REPORT_REJECTED : REPORT_LOST;
        row->status = o->status;
        row->how = o->status >= 300
                       ? arena_copy(&j->arena, o->detail)
                       : arena_printf(&j->arena, "answered %u on the way, and it went no further",
                                      o->status);
        break;
    case PROBE_NOT_REACHED:
    case PROBE_UNOPENED:
        row->how = why_not_reached(&j->arena, r, p->item->step);
        break;
    case PROBE_STOPPED:
        row->how = SLICE("not tried: the run was stopped");
        break;
    default:
        /* who rings has got it: a phone, not the path, is what does not answer */
        row->fate = j->mine[p->step->from] && !(row->unwatched && o->status > 100) ? REPORT_LOST
                                                                                   : REPORT_UNTRIED;
        probe_outcome_text(&t, log, r, p->item->step);
        row->how = text_keep(&t, &j->arena);
    }
}

/* ---- the rows of a message ------------------------------------------------------------------- */

/* Columns in the order of the messages, each downstream first. */
static unsigned column_of(struct probe_judge *j, const struct pair *p)
{
    enum probe_end from = p->step->from;
    enum probe_end to = probe_other_end(from);
    unsigned column = (unsigned)p->item->message * 2 + (from == PROBE_CALLEE);
    j->columns[column] =
        (struct report_probe_column){.message = slice_of(probe_message_name(p->item->message)),
                                     .from = slice_of(probe_end_name(j->script, from)),
                                     .to = slice_of(probe_end_name(j->script, to)),
                                     .by_caller = from == PROBE_CALLER};
    return column;
}

static struct probe_judge_key key_of_step(const struct probe_call_result *r, uint32_t step)
{
    const struct probe_step *s = &r->plan->steps[step];
    return (struct probe_judge_key){
        .call = r->call, .step = step, .status = s->status, .method = s->method};
}

static void add_row(struct probe_judge *j, const struct probe_call_result *r,
                    const struct probe_log *log, const struct pair *p, struct slice name)
{
    bool cut;
    struct expect_list sent = check_values_of(&j->scratch, &p->sent, name, &cut);
    unsigned column = column_of(j, p);
    struct report_probe_row row = {
        .group = p->item->group,
        .call = r->plan->name,
        .message = j->columns[column].message,
        .column = column,
        .from = j->columns[column].from,
        .to = j->columns[column].to,
        .header = arena_copy(&j->arena, name),
        .fate = REPORT_UNTRIED,
        .sent = keep(&j->arena, &sent),
        .loose = names(p->item->loose, p->item->loose_count, name),
        .unwatched = !j->mine[probe_other_end(p->step->from)],
    };
    if (p->arrived)
        compare(j, p, &row);
    else if (p->step->status)
        judge_response(j, r, p, &row);
    else
        judge_request(j, r, log, p, &row);
    if (p->arrived && (row.fate == REPORT_STRIPPED || row.fate == REPORT_ALTERED))
        add_candidates(j, p, &row);
    *vec_add(&j->rows) = row;
    *vec_add(&j->keys) = key_of_step(r, p->item->step);
}

/* Each name once, in order of appearance. */
static void add_rows(struct probe_judge *j, const struct probe_call_result *r,
                     const struct probe_log *log, const struct pair *p)
{
    for (uint32_t i = 0; i < p->sent.header_count; i++) {
        struct slice name = p->sent.headers[i].name;
        bool again = false;
        for (uint32_t k = 0; k < i; k++)
            again |= sip_name_equal(p->sent.headers[k].name, name);
        if (again)
            continue;
        if (j->rows.n >= PROBE_ROWS_MAX)
            j->rows_left_out++;
        else
            add_row(j, r, log, p, name);
    }
}

static bool scan_sent(struct probe_judge *j, struct pair *p)
{
    const struct probe_lines *l = &p->item->lines;
    struct slice all = arena_join_list(&j->scratch, l->items, l->n, SLICE("\r\n"));
    struct slice bytes =
        ARENA_JOIN(&j->scratch, SLICE("SIP/2.0 200 OK\r\n"), all, SLICE("\r\n\r\n"));
    return sip_scan_datagram(j->scanner, bytes, 0, &p->sent);
}

static bool scan_received(const struct probe_log *log, struct pair *p)
{
    uint32_t entry = p->outcome->received;
    return entry < log->entries.n &&
           sip_scan_datagram(p->scanner, log->entries.items[entry].bytes, 0, &p->received);
}

/* What goes to an end that is not ours is judged there, unless it never gets that far. */
static bool is_judged(const struct probe_judge *j, const struct pair *p)
{
    if (j->mine[probe_other_end(p->step->from)])
        return true;
    return !p->step->status && !(p->outcome->fate == PROBE_DONE && p->outcome->status < 300) &&
           p->outcome->fate != PROBE_NOT_REACHED && p->outcome->fate != PROBE_STOPPED;
}

static void judge_item(struct probe_judge *j, const struct probe_call_result *r,
                       const struct probe_log *log, struct pair *p)
{
    p->step = &r->plan->steps[p->item->step];
    p->outcome = &r->outcomes[p->item->step];
    if (!is_judged(j, p) || !scan_sent(j, p))
        return;
    p->arrived = scan_received(log, p);
    add_rows(j, r, log, p);
    arena_reset(&j->scratch);
}

/* A step that went wrong, in words. */
static void add_steps(struct probe_judge *j, const struct probe_call_result *r,
                      const struct probe_log *log)
{
    for (uint32_t i = 0; i < r->plan->step_count; i++) {
        const struct probe_step *s = &r->plan->steps[i];
        const struct probe_outcome *o = &r->outcomes[i];
        struct text t = {0};
        bool fine = o->fate == PROBE_DONE && (s->status || o->status < 300);
        bool tried = o->fate != PROBE_NOT_REACHED && o->fate != PROBE_UNOPENED &&
                     (o->fate != PROBE_STOPPED || o->began_ns);
        if (fine || !tried)
            continue;
        probe_outcome_text(&t, log, r, i);
        *vec_add(&j->steps) = (struct report_probe_step){
            .call = r->plan->name,
            .from = slice_of(probe_end_name(j->script, s->from)),
            .message = probe_step_name(&j->arena, r->plan, i),
            .fate = probe_fate_name(o->fate),
            .status = o->status,
            .words = text_keep(&t, &j->arena),
            .judged = s->tag != 0,
        };
        *vec_add(&j->places) = (struct probe_judge_place){.key = key_of_step(r, i)};
        if (o->arrived) /* it is not to be found */
            j->places.items[j->places.n - 1].key.step = PROBE_NONE;
    }
}

/* Did the call come about, as far as our ends can tell? */
static bool is_reached(const struct probe_call_result *r)
{
    const struct probe_outcome *o = &r->outcomes[0];
    return o->arrived || (o->fate == PROBE_DONE && o->status < 300);
}

void probe_judge_rows(struct probe_judge *j, const struct probe_call_result *r,
                      const struct probe_log *log)
{
    const struct probe_script *script = j->script;
    uint32_t call = (uint32_t)(r->plan - script->plan.calls);
    struct sip_scanner *scanner = sip_scanner_new();
    j->reached += is_reached(r);
    j->stopped += !is_reached(r) && r->outcomes[0].fate == PROBE_STOPPED;
    for (size_t i = 0; i < script->items.n; i++) {
        struct pair p = {.item = &script->items.items[i], .scanner = scanner};
        if (p.item->call == call)
            judge_item(j, r, log, &p);
    }
    add_steps(j, r, log);
    sip_scanner_free(scanner);
}

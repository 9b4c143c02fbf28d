/* The judge: the ends as capture points, and who in the middle did it. */
#include "probe/judge_internal.h"

#include <stdlib.h>

const char *probe_end_name(const struct probe_script *script, enum probe_end end)
{
    if (script->has_trunk)
        return end == script->livekit ? "livekit" : "carrier";
    return end == PROBE_CALLER ? "caller" : "callee";
}

struct probe_judge *probe_judge_new(const struct probe_script *script, const bool mine[2])
{
    struct probe_judge *j = base_alloc(sizeof *j);
    j->script = script;
    j->mine[PROBE_CALLER] = mine[PROBE_CALLER];
    j->mine[PROBE_CALLEE] = mine[PROBE_CALLEE];
    j->scanner = sip_scanner_new();
    return j;
}

void probe_judge_free(struct probe_judge *j)
{
    if (!j)
        return;
    for (int i = 0; i < PROBE_ENDS; i++)
        vec_free(&j->frames[i]);
    vec_free(&j->rows);
    vec_free(&j->keys);
    vec_free(&j->steps);
    vec_free(&j->places);
    vec_free(&j->passes);
    vec_free(&j->notes);
    sip_scanner_free(j->scanner);
    arena_free(&j->arena);
    arena_free(&j->scratch);
    free(j);
}

/* ---- the ends as points ---------------------------------------------------------------------- */

bool probe_judge_attach(struct probe_judge *j, struct trace *t, struct err *err)
{
    for (int i = 0; i < PROBE_ENDS; i++)
        if (j->mine[i]) {
            const char *name = probe_end_name(j->script, (enum probe_end)i);
            j->sources[i] = trace_add_given(t, name, "this probe", err);
            if (!j->sources[i])
                return false;
        }
    return true;
}

void probe_judge_entry(struct probe_judge *j, const struct probe_entry *e)
{
    bool sent = e->kind == PROBE_SENT;
    j->began_ns = j->began_ns ? j->began_ns : e->time_ns;
    j->ended_ns = e->time_ns;
    if (!sent && e->kind != PROBE_RECEIVED)
        return;
    j->sent += sent;
    j->received += !sent;
    if (!j->sources[e->end])
        return;
    const struct source_given given = {
        .bytes = e->bytes,
        .time_ns = e->time_ns,
        .direction = sent ? SOURCE_OUT : SOURCE_IN,
        .message = {.ip_protocol = e->transport == PROBE_UDP ? 17 : 6,
                    .tls = e->transport == PROBE_TLS,
                    .src = e->src,
                    .dst = e->dst},
    };
    source_given_add(j->sources[e->end], &given);
    *vec_add(&j->frames[e->end]) = (struct probe_judge_key){.call = e->call, .step = e->step};
}

void probe_judge_end(struct probe_judge *j)
{
    uint64_t all = j->script->plan.call_count;
    if (j->mine[PROBE_CALLER] && j->calls < all)
        j->not_made = all - j->calls;
    for (int i = 0; i < PROBE_ENDS; i++)
        if (j->sources[i])
            source_given_end(j->sources[i]);
}

void probe_judge_call(struct probe_judge *j, const struct probe_call_result *result,
                      const struct probe_log *log)
{
    j->calls++;
    if (result->plan)
        probe_judge_rows(j, result, log);
}

bool probe_judge_reached(const struct probe_judge *j)
{
    return j->reached > 0;
}

/* ---- who did it ------------------------------------------------------------------------------ */

/* Which step a message is of, by the frame that one of our ends saw. */
static bool key_of(const struct probe_judge *j, const struct check_request *r,
                   struct probe_judge_key *key)
{
    for (size_t i = 0; i < r->sighting_count; i++)
        for (int end = 0; end < PROBE_ENDS; end++) {
            const struct check_sighting *s = &r->sightings[i];
            if (!j->sources[end] ||
                !slice_is(s->point, probe_end_name(j->script, (enum probe_end)end)) ||
                s->frame_count == 0 || s->frames[0] > j->frames[end].n)
                continue;
            *key = j->frames[end].items[s->frames[0] - 1];
            if (key->step != PROBE_NONE)
                return true;
        }
    return false;
}

static struct check_guilty guilty_copy(struct arena *a, const struct check_guilty *g)
{
    struct check_guilty copy = *g;
    struct slice *candidates = ARENA_ARRAY(a, struct slice, g->candidate_count);
    copy.node = arena_copy(a, g->node);
    copy.in = arena_copy(a, g->in);
    copy.out = arena_copy(a, g->out);
    copy.after = arena_copy(a, g->after);
    copy.before = arena_copy(a, g->before);
    for (size_t i = 0; i < g->candidate_count; i++)
        candidates[i] = arena_copy(a, g->candidates[i]);
    copy.candidates = candidates;
    return copy;
}

static bool is_ours(const struct probe_judge *j, struct slice point)
{
    for (int end = 0; end < PROBE_ENDS; end++)
        if (j->sources[end] && slice_is(point, probe_end_name(j->script, (enum probe_end)end)))
            return true;
    return false;
}

static bool is_same(struct probe_judge_key a, struct probe_judge_key b)
{
    return a.call == b.call && a.step == b.step && a.status == b.status &&
           slice_equal(a.method, b.method);
}

/* A message that never arrived: the last place where it was seen, if that is not its sender's.  Of
 * two that saw the same transmission the order is not always known: ours is the first. */
static void note_last(struct probe_judge *j, struct slice *seen_last, const struct check_request *r)
{
    for (size_t i = 0; i < r->sighting_count; i++)
        if (!is_ours(j, r->sightings[i].point))
            *seen_last = arena_copy(&j->arena, r->sightings[i].at);
}

static void note_step(struct probe_judge *j, struct probe_judge_key key,
                      const struct check_request *r)
{
    for (size_t i = 0; i < j->places.n; i++)
        if (is_same(j->places.items[i].key, key))
            note_last(j, &j->places.items[i].seen_last, r);
}

static bool is_sent_by_us(const struct probe_judge *j, const struct report_probe_row *row)
{
    return j->mine[j->columns[row->column].by_caller ? PROBE_CALLER : PROBE_CALLEE];
}

/* A back-to-back user agent sends a message of its own, without what it should have taken over from
 * ours; or what it got had lost it before. */
static struct check_guilty guilty_behind(struct arena *a, const struct report_probe_row *row,
                                         const struct check_guilty *sender)
{
    struct slice *candidate = ARENA_ARRAY(a, struct slice, 1);
    candidate[0] = arena_copy(a, sender->node);
    return (struct check_guilty){.any = true,
                                 .after = row->from,
                                 .before = row->to,
                                 .candidates = candidate,
                                 .candidate_count = 1};
}

/* What the trace says of this header counts where it saw the same harm as the ends did. */
static void note_harm(struct probe_judge *j, struct report_probe_row *row,
                      const struct check_header *h)
{
    bool same = row->fate == REPORT_ALTERED ||
                (row->fate == REPORT_STRIPPED &&
                 (h->verdict == CHECK_STRIPPED || h->verdict == CHECK_MISSING ||
                  h->verdict == CHECK_NEVER_SENT));
    if (!same || !h->guilty.any)
        return;
    if (h->verdict == CHECK_NEVER_SENT && is_sent_by_us(j, row)) {
        row->guilty = guilty_behind(&j->arena, row, &h->guilty);
        return;
    }
    if (row->fate == REPORT_STRIPPED)
        row->verdict = h->verdict;
    row->guilty = guilty_copy(&j->arena, &h->guilty);
}

/* The one node that lies between this sighting and the one before, both at a point on the way. */
static struct slice passed(const struct probe_judge *j, const struct hop_call *call,
                           const struct hop_journey *journey, const struct check_request *r,
                           size_t i)
{
    bool one = journey->steps[i].link == HOP_NODE && !is_ours(j, r->sightings[i].point) &&
               slice_equal(r->sightings[i].point, r->sightings[i - 1].point);
    return one ? hop_node_name(call->nodes, journey->steps[i].node) : SLICE_NONE;
}

static bool is_known_pass(const struct probe_judge *j, struct slice point, struct slice node)
{
    for (size_t i = 0; i < j->passes.n; i++)
        if (slice_equal(j->passes.items[i].point, point) &&
            slice_equal(j->passes.items[i].node, node))
            return true;
    return false;
}

/* Between our ends only: what is before or behind them is another's call. */
static void note_passes(struct probe_judge *j, const struct hop_call *call,
                        const struct hop_journey *journey, const struct check_request *r)
{
    size_t from = 0, to = r->sighting_count;
    while (from < to && !is_ours(j, r->sightings[from].point))
        from++;
    while (to > from && !is_ours(j, r->sightings[to - 1].point))
        to--;
    for (size_t i = from + 1; i < to; i++) {
        struct slice point = r->sightings[i].point, node = passed(j, call, journey, r, i);
        if (node.n && !is_known_pass(j, point, node))
            *vec_add(&j->passes) = (struct probe_judge_pass){arena_copy(&j->arena, point),
                                                             arena_copy(&j->arena, node)};
    }
}

static void note_journey(struct probe_judge *j, const struct hop_call *call,
                         const struct hop_journey *journey, size_t row)
{
    struct check_request r = {.journey = NULL};
    struct probe_judge_key key = j->keys.items[row];
    size_t n = 0;
    while (row + n < j->rows.n && is_same(j->keys.items[row + n], key))
        n++;
    struct slice *names = ARENA_ARRAY(&j->scratch, struct slice, n);
    for (size_t i = 0; i < n; i++)
        names[i] = j->rows.items[row + i].header;
    check_follow(&j->scratch, call, journey, names, n, &r);
    for (size_t i = 0; i < n; i++) {
        struct report_probe_row *found = &j->rows.items[row + i];
        if (found->fate == REPORT_REJECTED || found->fate == REPORT_LOST)
            note_last(j, &found->seen_last, &r);
        else if (found->fate != REPORT_ARRIVED)
            note_harm(j, found, &r.headers[i]);
    }
}

/* The rows of a step stand behind each other, in the order of calls and steps. */
static size_t rows_of(const struct probe_judge *j, struct probe_judge_key key)
{
    size_t low = 0, high = j->rows.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct probe_judge_key at = j->keys.items[middle];
        if (at.call < key.call || (at.call == key.call && at.step < key.step))
            low = middle + 1;
        else
            high = middle;
    }
    return low < j->rows.n && is_same(j->keys.items[low], key) ? low : j->rows.n;
}

void probe_judge_journeys(void *judge, const struct hop_call *call)
{
    struct probe_judge *j = judge;
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *journey = &call->journeys[i];
        struct check_request r = {.journey = NULL};
        struct probe_judge_key key;
        size_t row;
        if (journey->step_count == 0)
            continue;
        check_follow(&j->scratch, call, journey, NULL, 0, &r);
        /* what answers a request is a message of its step, too */
        if (key_of(j, &r, &key)) {
            key.status = journey->status;
            key.method = journey->method_name;
            row = rows_of(j, key);
            if (row < j->rows.n)
                note_journey(j, call, journey, row);
            note_step(j, key, &r);
            note_passes(j, call, journey, &r);
        }
        arena_reset(&j->scratch);
    }
}

/* ---- the report ------------------------------------------------------------------------------ */

static void add_note(struct probe_judge *j, uint64_t n, const char *what)
{
    if (n)
        *vec_add(&j->notes) = arena_printf(&j->arena, "%s: %llu", what, (unsigned long long)n);
}

static void add_notes(struct probe_judge *j, const struct probe_counts *c)
{
    add_note(j, j->not_made, "calls that were not made any more");
    add_note(j, c->noise, "datagrams, or pieces of streams, that are no SIP");
    add_note(j, c->malformed, "SIP messages without what a transaction needs, passed over");
    add_note(j, c->stray_responses, "responses to no request of the probe's");
    add_note(j, c->stray_requests, "requests within no dialog of the probe's, answered 481");
    add_note(j, c->strangers, "INVITEs of others during a call, answered 486");
    add_note(j, c->too_long, "messages beyond the limit of length: their connections were closed");
    add_note(j, c->refused_connections, "connections refused beyond the limit");
    add_note(j, c->refused_requests, "requests dropped beyond the limit");
    add_note(j, c->slow_connections, "connections closed with part of a message");
    add_note(j, c->log_left_out, "messages beyond the limit of the log, left out of the judgement");
    add_note(j, c->forks, "further answers to one INVITE, each ended at once");
    add_note(j, c->unacknowledged, "answers to INVITE that got no ACK");
    add_note(j, c->unended, "dialogs whose BYE was never answered");
    add_note(j, j->rows_left_out, "headers beyond the limit, not judged");
}

static enum check_verdict verdict_of(const struct probe_judge *j)
{
    bool untried = j->rows.n == 0 || j->not_made > 0;
    for (size_t i = 0; i < j->rows.n; i++) {
        enum report_fate fate = j->rows.items[i].fate;
        if (fate != REPORT_ARRIVED && fate != REPORT_UNTRIED)
            return CHECK_FAIL;
        untried |= fate == REPORT_UNTRIED;
    }
    return untried ? CHECK_INCONCLUSIVE : CHECK_PASS;
}

/* Where others talk at the same point it is not known to be on a node.  Yet if all calls of ours
 * went there through one node, and that one nowhere else, its name is meant for that. */
static struct slice name_of(const struct probe_judge *j, struct slice node)
{
    const struct probe_judge_pass *found = NULL;
    size_t nodes = 0, points = 0;
    for (size_t i = 0; i < j->passes.n; i++)
        if (slice_equal(j->passes.items[i].node, node)) {
            found = &j->passes.items[i];
            points++;
        }
    for (size_t i = 0; i < j->passes.n && found; i++)
        nodes += slice_equal(j->passes.items[i].point, found->point);
    return nodes == 1 && points == 1 ? found->point : node;
}

/* A node without a name is called by its address, in brackets perhaps, with its port perhaps. */
static bool is_unnamed(const struct check_guilty *g)
{
    return g->node.n && g->in.n &&
           (slice_starts(g->node, g->in) || slice_starts(slice_from(g->node, 1), g->in));
}

static void close_rows(struct probe_judge *j)
{
    for (size_t i = 0; i < j->rows.n; i++) {
        struct check_guilty *g = &j->rows.items[i].guilty;
        if (is_unnamed(g))
            g->node = name_of(j, g->node);
    }
}

static void close_steps(struct probe_judge *j)
{
    for (size_t i = 0; i < j->steps.n; i++) {
        struct slice last = j->places.items[i].seen_last, *words = &j->steps.items[i].words;
        if (last.n)
            *words = ARENA_JOIN(&j->arena, *words, SLICE("; last seen at "), last);
    }
}

/* Without columns that nothing stands in. */
static void close_columns(struct probe_judge *j, struct report_probe *out)
{
    struct report_probe_column *used =
        ARENA_ARRAY(&j->arena, struct report_probe_column, 2 * PROBE_MESSAGES);
    unsigned place[2 * PROBE_MESSAGES];
    for (unsigned i = 0; i < 2 * PROBE_MESSAGES; i++) {
        place[i] = (unsigned)out->column_count;
        if (j->columns[i].message.n)
            used[out->column_count++] = j->columns[i];
    }
    for (size_t i = 0; i < j->rows.n; i++)
        j->rows.items[i].column = place[j->rows.items[i].column];
    out->columns = used;
}

void probe_judge_report(struct probe_judge *j, const struct probe_counts *counts,
                        struct report_probe *out)
{
    out->column_count = 0;
    close_rows(j);
    close_steps(j);
    close_columns(j, out);
    add_notes(j, counts);
    out->title = j->script->has_trunk && j->script->items.n ? j->script->items.items[0].group
                                                            : SLICE("suite");
    out->by_header = j->script->has_trunk;
    out->path_failed = j->calls > j->stopped && j->reached == 0;
    out->verdict = verdict_of(j);
    out->rows = j->rows.items;
    out->row_count = j->rows.n;
    out->steps = j->steps.items;
    out->step_count = j->steps.n;
    out->calls = j->calls;
    out->sent = j->sent;
    out->received = j->received;
    out->notes = j->notes.items;
    out->note_count = j->notes.n;
    out->began_ns = j->began_ns;
    out->ended_ns = j->ended_ns;
}

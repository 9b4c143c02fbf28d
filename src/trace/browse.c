/* Browsing: legs are kept in the call table, and a call is built of them each time it is opened. */
#include "trace/internal.h"

#include <string.h>

/* ---- loading --------------------------------------------------------------------------------- */

bool trace_browse(struct trace *t, struct err *err)
{
    t->browse.on = true;
    return trace_begin(t, CALL_KEEP, err) && trace_feed_begin(t, err);
}

static void end_load(struct trace *t)
{
    if (t->browse.over)
        return;
    t->browse.over = true;
    trace_feed_end(t);
    trace_learn_hosts(t);
    trace_points_end(t);
    call_table_over(t->calls);
    hop_nodes_settle(t->nodes);
}

static void drop_entry(struct trace *t, struct trace_entry *e)
{
    for (uint32_t i = 0; i < e->leg_count; i++) {
        hop_joiner_forget(t->joiner, e->legs[i]);
        trace_choose_forget(t, e->legs[i]);
        t->browse.entries.items[t->browse.of_leg.items[e->legs[i]]].leg = CALL_NONE;
        t->browse.of_leg.items[e->legs[i]] = CALL_NONE;
        call_leg_drop(t->calls, e->legs[i]);
    }
    e->leg = CALL_NONE;
    e->leg_count = 0;
    t->browse.evicted++;
}

static struct trace_entry *chief_of(const struct trace *t, uint32_t leg)
{
    struct trace_entry *all = t->browse.entries.items;
    return &all[all[t->browse.of_leg.items[leg]].into];
}

static void keep_to_memory(struct trace *t)
{
    uint64_t most = t->options.memory;
    while (most && call_table_bytes(t->calls) > most) {
        uint32_t leg = call_table_idlest(t->calls);
        if (leg == CALL_NONE)
            return;
        drop_entry(t, chief_of(t, leg));
    }
}

enum trace_step trace_browse_step(struct trace *t, uint32_t frames, struct err *err)
{
    if (t->browse.over)
        return TRACE_OVER;
    enum trace_step step = t->browse.stopped ? TRACE_OVER : trace_feed_some(t, frames, err);
    trace_learn_hosts(t);
    if (step == TRACE_OVER)
        end_load(t);
    keep_to_memory(t);
    return step;
}

void trace_browse_stop(struct trace *t)
{
    t->browse.stopped = !t->browse.over;
}

static uint64_t lost_of(const struct trace_point *p)
{
    const struct packet_stats *s = p->packet;
    return p->source->kernel_dropped + s->stream_holes + s->fragments_expired +
           s->fragments_evicted + s->sctp_incomplete;
}

void trace_load(const struct trace *t, struct trace_load *out)
{
    const struct call_stats *calls = call_table_stats(t->calls);
    *out = (struct trace_load){.messages = calls->messages,
                               .retransmissions = calls->retransmissions,
                               .unreadable = t->unreadable,
                               .evicted = t->browse.evicted,
                               .stopped = t->browse.stopped};
    for (size_t i = 0; i < t->points.n; i++) {
        const struct trace_point *p = &t->points.items[i];
        if (p->by_hep)
            continue;
        out->bytes_read += p->source->bytes_read;
        out->bytes_total += p->source->bytes_total;
        out->frames += p->packet->frames;
        out->undecrypted += p->packet->tls_undecrypted;
        out->lost += lost_of(p);
    }
}

/* ---- entries --------------------------------------------------------------------------------- */

static void stand_alone(struct trace *t, uint32_t id, uint32_t leg)
{
    uint32_t *legs = ARENA_NEW(&t->browse.arena, uint32_t);
    *legs = leg;
    t->browse.entries.items[id] = (struct trace_entry){leg, id, legs, 1, SLICE_NONE, 0};
}

static void entry_new(struct trace *t, uint32_t leg)
{
    struct trace_browse *b = &t->browse;
    uint32_t id = (uint32_t)vec_next(&b->entries);
    stand_alone(t, id, leg);
    while (b->of_leg.n <= leg)
        *vec_add(&b->of_leg) = CALL_NONE;
    b->of_leg.items[leg] = id;
}

void trace_browse_saw(struct trace *t, uint32_t leg)
{
    if (leg >= t->browse.of_leg.n || t->browse.of_leg.items[leg] == CALL_NONE)
        entry_new(t, leg);
}

/* What was joined before need not hold now that more is known. */
static void take_apart(struct trace *t, const struct trace_entry *chief)
{
    const uint32_t *legs = chief->legs;
    for (uint32_t i = 0, n = chief->leg_count; i < n; i++)
        stand_alone(t, t->browse.of_leg.items[legs[i]], legs[i]);
}

/* The legs that were found to belong together go under the entry that appeared first. */
static void put_together(struct trace *t, const uint32_t *legs, size_t n, struct slice how)
{
    struct trace_browse *b = &t->browse;
    uint32_t chief = UINT32_MAX;
    for (size_t i = 0; i < n; i++)
        take_apart(t, chief_of(t, legs[i]));
    for (size_t i = 0; i < n; i++)
        if (b->of_leg.items[legs[i]] < chief)
            chief = b->of_leg.items[legs[i]];
    uint32_t *copy = ARENA_ARRAY(&b->arena, uint32_t, n);
    memcpy(copy, legs, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        b->entries.items[b->of_leg.items[legs[i]]].into = chief;
    struct trace_entry *e = &b->entries.items[chief];
    e->legs = copy;
    e->leg_count = (uint32_t)n;
    e->how = arena_copy(&b->arena, how);
}

static bool is_new(const struct trace *t, const uint32_t *legs, size_t n)
{
    const struct trace_entry *e = chief_of(t, legs[0]);
    return e->leg_count != n || memcmp(e->legs, legs, n * sizeof *legs) != 0;
}

void trace_browse_join(struct trace *t, uint32_t leg)
{
    const uint32_t *legs;
    struct slice how;
    if (hop_nodes_unsettled(t->nodes))
        hop_nodes_settle(t->nodes);
    size_t n = hop_joiner_legs(t->joiner, t->calls, t->nodes, leg, &t->scratch, &legs, &how);
    if (n < 2 || !is_new(t, legs, n))
        return;
    put_together(t, legs, n, how);
    trace_learn_joints(t, legs, n);
}

uint32_t trace_call_count(const struct trace *t)
{
    return (uint32_t)t->browse.entries.n;
}

bool trace_call_is(const struct trace *t, uint32_t call)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    return e->leg != CALL_NONE && e->into == call;
}

uint32_t trace_call_now(const struct trace *t, uint32_t call)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    return e->leg == CALL_NONE ? UINT32_MAX : e->into;
}

uint32_t trace_call_messages(const struct trace *t, uint32_t call)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->leg_count; i++)
        n += call_leg_of(t->calls, e->legs[i])->messages;
    return n;
}

void trace_call_summary(const struct trace *t, uint32_t call, struct arena *a,
                        struct call_summary *out)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    call_legs_summary(t->calls, e->legs, e->leg_count, a, out);
}

void trace_want(struct trace *t, const struct call_want *want)
{
    call_table_want(t->calls, want, 1);
}

bool trace_call_ask(struct trace *t, uint32_t call)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    bool any = false;
    for (uint32_t i = 0; i < e->leg_count; i++) {
        if (call_leg_is_asked(t->calls, e->legs[i]))
            continue;
        call_leg_ask(t->calls, e->legs[i], trace_read_bytes, t);
        any = true;
    }
    return any;
}

/* A call that goes on was not learned of yet: once more where it grew, a long one by a sixteenth.
 */
static void learn_open(struct trace *t, uint32_t call)
{
    struct trace_entry *e = &t->browse.entries.items[call];
    uint32_t messages = trace_call_messages(t, call);
    if (messages <= e->learned + e->learned / 16 && messages > 0 && e->learned > 0)
        return;
    for (uint32_t i = 0; i < e->leg_count; i++)
        if (!call_leg_is_over(t->calls, e->legs[i]))
            hop_learn_legs(t->nodes, t->calls, &e->legs[i], 1, &t->scratch, trace_read_bytes, t);
    e->learned = messages;
    arena_reset(&t->scratch);
}

static const struct hop_call *open_call(struct trace *t, uint32_t call, struct arena *a,
                                        const struct hop_source *source)
{
    learn_open(t, call);
    if (hop_nodes_unsettled(t->nodes))
        hop_nodes_settle(t->nodes);
    const struct trace_entry *e = &t->browse.entries.items[call];
    return trace_build(t, a, e->legs, e->leg_count, e->how, source);
}

const struct hop_call *trace_call_open(struct trace *t, uint32_t call, struct arena *a,
                                       hop_wanted *wanted, const void *wanted_context)
{
    const struct hop_source source = {trace_read_bytes, t, wanted, wanted_context, NULL};
    return open_call(t, call, a, &source);
}

const struct hop_call *trace_call_part(struct trace *t, uint32_t call, struct arena *a,
                                       const struct hop_span *span)
{
    const struct hop_source source = {trace_read_bytes, t, NULL, NULL, span};
    return open_call(t, call, a, &source);
}

void trace_browse_free(struct trace_browse *b)
{
    vec_free(&b->entries);
    vec_free(&b->of_leg);
    arena_free(&b->arena);
}

/* What happens when a leg is over, and when a call is handed out. */
#include "trace/internal.h"

#include <string.h>

/* The bytes of a sighting: kept in memory, or still in the file where they were. */
bool trace_read_bytes(void *context, const struct call_sighting *s, struct arena *a,
                      struct slice *bytes)
{
    struct trace *t = context;
    if (s->kept) {
        *bytes = (struct slice){(const char *)(uintptr_t)s->where, s->length};
        return true;
    }
    char *p = arena_alloc(a, s->length);
    struct err err;
    if (s->where == SOURCE_NO_OFFSET ||
        !source_read_at(t->point_inputs.items[s->point]->source, s->where, p, s->length, &err)) {
        if (s->where != SOURCE_NO_OFFSET)
            t->read_error = err;
        t->unreadable += s->where != SOURCE_NO_OFFSET; /* else it was counted as not kept */
        return false;
    }
    *bytes = (struct slice){p, s->length};
    return true;
}

/* Learning comes before judging: what one call tells of the nodes serves the others. */
void trace_leg_over(void *context, uint32_t leg)
{
    struct trace *t = context;
    if (!trace_follows(t))
        return;
    hop_learn_legs(t->nodes, t->calls, &leg, 1, &t->scratch, trace_read_bytes, t);
    if (t->browse.on)
        trace_browse_join(t, leg);
    arena_reset(&t->scratch);
}

/* A partner that still speaks: the call is handed out with it, when it is over. */
static bool all_over(const struct trace *t, const uint32_t *legs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!t->ending && !call_leg_is_over(t->calls, legs[i]))
            return false;
    return true;
}

/* Live, nobody waits long for a partner that may speak for hours. */
static bool is_overdue(const struct trace *t, uint32_t leg)
{
    return t->options.live && call_leg_of(t->calls, leg)->overdue;
}

/* Joined legs tell that what received the one and sent the other is one node. */
void trace_learn_joints(struct trace *t, const uint32_t *legs, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        struct endpoint in, out;
        /* topology hiding: one message under two Call-IDs */
        if (call_leg_of(t->calls, legs[i])->from_tag ==
            call_leg_of(t->calls, legs[i + 1])->from_tag)
            hop_learn_legs(t->nodes, t->calls, &legs[i], 2, &t->scratch, trace_read_bytes, t);
        if (hop_joiner_joint(t->joiner, t->nodes, legs[i], legs[i + 1], &in, &out))
            hop_nodes_join(t->nodes, &in, &out, false);
    }
}

static void take_orphans(struct trace *t, const struct hop_call *call)
{
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++) {
            const struct hop_sighting *s = call->journeys[i].steps[k].sighting;
            if (s->index->leg == CALL_NONE)
                call_orphan_take(t->calls, s->id);
        }
}

/* What the points could not read, as far as that is known by now. */
static size_t list_hidden(struct trace *t, struct arena *a, const struct hop_hidden **list)
{
    VEC(struct hop_hidden) all = {0};
    for (size_t i = 0; i < t->inputs.n; i++) {
        const struct trace_input *in = t->inputs.items[i];
        const struct packet_hidden *hidden = in->hidden.items;
        for (size_t k = 0; k < in->hidden.n; k++)
            if (hidden[k].records)
                *vec_add(&all) =
                    (struct hop_hidden){in->point,       hidden[k].src,      hidden[k].dst,
                                        hidden[k].frame, hidden[k].first_ns, hidden[k].last_ns};
    }
    struct hop_hidden *copy = ARENA_ARRAY(a, struct hop_hidden, all.n);
    for (size_t i = 0; i < all.n; i++)
        copy[i] = all.items[i];
    size_t n = all.n;
    *list = copy;
    vec_free(&all);
    return n;
}

struct hop_call *trace_build(struct trace *t, struct arena *a, const uint32_t *legs, size_t n,
                             struct slice how, const struct hop_source *source)
{
    struct hop_call *call = hop_call_build(a, t->calls, t->nodes, legs, n, source);
    call->joined = how;
    call->hidden_count = list_hidden(t, a, &call->hidden);
    return call;
}

static struct hop_call *build(struct trace *t, const uint32_t *legs, size_t n, struct slice how,
                              const struct hop_source *source)
{
    struct hop_call *call = trace_build(t, &t->scratch, legs, n, how, source);
    t->left_out += call->sightings_left_out;
    take_orphans(t, call);
    return call;
}

static void judge(struct trace *t, const uint32_t *legs, size_t n, struct slice how)
{
    const struct hop_source source = {trace_read_bytes, t, check_wants, t->options.check, NULL};
    const struct hop_call *call = build(t, legs, n, how, &source);
    struct check_call result = {0};
    if (t->options.live)
        trace_live_judge(t, legs, n, call);
    else if (check_call(&t->scratch, t->options.check, t->options.summary, call, &result))
        t->sinks.check(t->sinks.context, &result);
}

static void show_flow(struct trace *t, const uint32_t *legs, size_t n, struct slice how)
{
    const struct hop_source source = {trace_read_bytes, t, NULL, NULL, NULL};
    struct call_summary summary;
    call_legs_summary(t->calls, legs, n, &t->scratch, &summary);
    if (t->sinks.choose && !t->sinks.choose(t->sinks.context, &summary))
        return;
    t->sinks.flow(t->sinks.context, build(t, legs, n, how, &source));
}

static void hand_out(struct trace *t, uint32_t leg, const uint32_t *legs, size_t n,
                     struct slice how)
{
    if (t->sinks.check)
        judge(t, legs, n, how);
    if (t->sinks.flow)
        show_flow(t, legs, n, how);
    if (t->sinks.call && !call_leg_of(t->calls, leg)->told) {
        struct call_summary summary;
        call_legs_summary(t->calls, legs, n, &t->scratch, &summary);
        t->sinks.call(t->sinks.context, &summary);
    }
}

bool trace_leg_retire(void *context, uint32_t leg)
{
    struct trace *t = context;
    const uint32_t *legs = &leg;
    struct slice how = SLICE_NONE;
    size_t n = 1;
    if (hop_nodes_unsettled(t->nodes))
        hop_nodes_settle(t->nodes);
    if (trace_follows(t) || t->sinks.call)
        n = hop_joiner_legs(t->joiner, t->calls, t->nodes, leg, &t->scratch, &legs, &how);
    if (!all_over(t, legs, n) && !is_overdue(t, leg)) {
        arena_reset(&t->scratch);
        return false;
    }
    if (trace_follows(t)) {
        trace_learn_joints(t, legs, n);
        if (hop_nodes_unsettled(t->nodes))
            hop_nodes_settle(t->nodes);
    }
    if (!t->options.filter || trace_choose_call(t, legs, n))
        hand_out(t, leg, legs, n, how);
    for (size_t i = 0; i < n; i++) {
        if (!t->options.live) {
            hop_joiner_forget(t->joiner, legs[i]);
            trace_choose_forget(t, legs[i]);
        }
        if (legs[i] != leg)
            call_leg_take(t->calls, legs[i]);
    }
    arena_reset(&t->scratch);
    return true;
}

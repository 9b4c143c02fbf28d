/* What `sipxray calls` says of a finished call. */
#include "call/internal.h"

const char *call_outcome_name(enum call_outcome o)
{
    static const char *const names[] = {"pending", "answered", "ended", "cancelled", "failed", "-"};
    return names[o];
}

static enum call_outcome outcome_of(const struct call_leg *l)
{
    if (!l->dialog)
        return CALL_NOT_A_CALL;
    if (l->bye)
        return CALL_ENDED;
    if (l->accepted)
        return CALL_ANSWERED;
    if (l->refused)
        return l->cancelled && l->status == 487 ? CALL_CANCELLED : CALL_FAILED;
    return l->cancelled ? CALL_CANCELLED : CALL_PENDING;
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a && (!b || a < b) ? a : b;
}

/* Points beyond the mask's bits are looked up one by one: up to which, then which. */
static size_t points_limit(const struct call_table *t, const struct call_leg *l, size_t limit)
{
    for (uint32_t id = l->first; id != CALL_NONE; id = call_sighting_of(t, id)->next)
        if (call_sighting_of(t, id)->point >= limit)
            limit = call_sighting_of(t, id)->point + 1u;
    return limit;
}

static void points_by_sighting(const struct call_table *t, const struct call_leg *l, uint8_t *seen)
{
    for (uint32_t id = l->first; id != CALL_NONE; id = call_sighting_of(t, id)->next)
        seen[call_sighting_of(t, id)->point] = 1;
}

static void points_list(const struct call_table *t, const uint32_t *legs, size_t n, struct arena *a,
                        struct call_summary *out)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++)
        mask |= call_leg_of(t, legs[i])->points;
    size_t limit = 63;
    for (size_t i = 0; mask >> 63 && i < n; i++)
        limit = points_limit(t, call_leg_of(t, legs[i]), limit);
    uint8_t *seen = arena_alloc(a, limit);
    for (size_t i = 0; i < 63; i++)
        seen[i] = mask >> i & 1;
    for (size_t i = 0; mask >> 63 && i < n; i++)
        points_by_sighting(t, call_leg_of(t, legs[i]), seen);
    uint32_t *points = ARENA_ARRAY(a, uint32_t, limit);
    for (size_t i = 0; i < limit; i++)
        if (seen[i])
            points[out->point_count++] = (uint32_t)i;
    out->points = points;
}

void call_legs_summary(const struct call_table *t, const uint32_t *legs, size_t n, struct arena *a,
                       struct call_summary *out)
{
    const struct call_leg *head = call_leg_of(t, legs[0]);
    struct slice *ids = ARENA_ARRAY(a, struct slice, n);
    *out = (struct call_summary){.call_ids = ids,
                                 .call_id_count = n,
                                 .caller = head->caller,
                                 .callee = head->callee,
                                 .start_ns = head->start_ns,
                                 .outcome = outcome_of(head),
                                 .status = head->status,
                                 .method = slice_of(sip_method_name(head->method))};
    const struct call_flow *flow = call_flow_of(t, call_sighting_of(t, head->first)->flow);
    out->src = flow->src;
    out->dst = flow->dst;
    for (size_t i = 0; i < n; i++) {
        const struct call_leg *l = call_leg_of(t, legs[i]);
        ids[i] = l->call_id;
        out->number = i == 0 || l->number < out->number ? l->number : out->number;
        out->messages += l->messages;
        out->sightings += l->count;
        out->start_ns = earliest(l->start_ns, out->start_ns);
        out->answer_ns = earliest(l->answer_ns, out->answer_ns);
        out->end_ns = earliest(l->end_ns, out->end_ns);
        if (l->last_ns > out->last_ns)
            out->last_ns = l->last_ns;
    }
    points_list(t, legs, n, a, out);
    if (t->wants.n)
        call_values_summary(t, legs, n, a, out);
}

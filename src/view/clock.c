/* How far the clocks of the points differ.  A message is later further on: each pair of sightings
 * of one message bounds the difference of two clocks, and messages both ways bound it from both
 * sides. Where no difference fits all, there is none for certain; else the middle of what fits is
 * taken. */
#include "view/internal.h"

#include <stdlib.h>

/* Two points that saw the same messages: by how much at least and at most `b` is ahead of `a`. */
struct pair {
    uint32_t a, b;
    int64_t least, most;
};

VEC_TYPE(pairs, struct pair);

struct clocks {
    uint16_t *points; /* in order of appearance */
    size_t n;
    struct pairs pairs;
};

static uint32_t index_of(struct clocks *c, uint16_t point)
{
    uint32_t i = 0;
    while (i < c->n && c->points[i] != point)
        i++;
    if (i == c->n)
        c->points[c->n++] = point;
    return i;
}

static struct pair *pair_of(struct clocks *c, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < c->pairs.n; i++)
        if (c->pairs.items[i].a == a && c->pairs.items[i].b == b)
            return &c->pairs.items[i];
    struct pair *p = vec_add(&c->pairs);
    *p = (struct pair){a, b, INT64_MIN, INT64_MAX};
    return p;
}

static void learn(struct clocks *c, const struct hop_sighting *x, const struct hop_sighting *y)
{
    uint32_t a = index_of(c, x->index->point), b = index_of(c, y->index->point);
    int64_t later;
    if (a == b || __builtin_sub_overflow(y->index->time_ns, x->index->time_ns, &later) ||
        later == INT64_MIN)
        return;
    struct pair *p = pair_of(c, a < b ? a : b, a < b ? b : a);
    if (a < b && later < p->most)
        p->most = later;
    if (a > b && -later > p->least)
        p->least = -later;
}

/* By how much b is ahead; 0 wherever that fits. */
static int64_t ahead(const struct pair *p)
{
    if (p->least <= 0 && p->most >= 0)
        return 0;
    if (p->least == INT64_MIN)
        return p->most;
    if (p->most == INT64_MAX)
        return p->least;
    return p->least + (p->most - p->least) / 2;
}

/* From the first point on, from neighbour to neighbour; true: another one was reached. */
static bool spread(const struct clocks *c, struct view_clock *clocks, bool *known)
{
    for (size_t i = 0; i < c->pairs.n; i++) {
        const struct pair *p = &c->pairs.items[i];
        if (known[p->a] == known[p->b])
            continue;
        uint32_t from = known[p->a] ? p->a : p->b, to = known[p->a] ? p->b : p->a;
        int64_t more = known[p->a] ? ahead(p) : -ahead(p);
        if (__builtin_add_overflow(clocks[from].ahead_ns, more, &clocks[to].ahead_ns))
            clocks[to].ahead_ns = 0;
        known[p->a] = known[p->b] = true;
        return true;
    }
    return false;
}

static size_t count_steps(const struct hop_call *call)
{
    size_t n = 0;
    for (size_t i = 0; i < call->journey_count; i++)
        n += call->journeys[i].step_count;
    return n;
}

size_t view_clocks(struct arena *a, const struct hop_call *call, const struct view_clock **out,
                   const uint16_t **points)
{
    size_t steps = count_steps(call);
    struct clocks c = {.points = ARENA_ARRAY(a, uint16_t, steps < UINT16_MAX ? steps : UINT16_MAX)};
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        for (size_t k = 0; k < j->step_count; k++)
            (void)index_of(&c, j->steps[k].sighting->index->point);
        for (size_t k = 1; k < j->step_count; k++)
            learn(&c, j->steps[k - 1].sighting, j->steps[k].sighting);
    }
    struct view_clock *clocks = ARENA_ARRAY(a, struct view_clock, c.n);
    bool *known = ARENA_ARRAY(a, bool, c.n);
    for (size_t i = 0; i < c.n; i++) {
        clocks[i].point = slice_of(hop_point_name(call->nodes, c.points[i]));
        known[i] = i == 0;
    }
    while (spread(&c, clocks, known))
        ;
    *out = clocks;
    *points = c.points;
    size_t n = c.n;
    vec_free(&c.pairs);
    return n;
}

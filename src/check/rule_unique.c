/* Values that must not stand on two calls: remembered over the run, as many as fit. */
#include "check/rule.h"

#include <stdlib.h>

/* A value of a rule, and where it stood first. */
struct check_seen {
    size_t rule;
    uint64_t call; /* number of the call judged */
    struct slice value;
    struct check_run_evidence where;
};

struct check_seen_values {
    struct hash_key key;
    struct map map;
    VEC(struct check_seen) items;
};

static struct check_seen_values *values_of(struct check_summary *s)
{
    if (!s->seen) {
        s->seen = base_alloc(sizeof *s->seen);
        s->seen->key = hash_key_random();
    }
    return s->seen;
}

void check_seen_free(struct check_summary *s)
{
    if (!s->seen)
        return;
    map_free(&s->seen->map);
    vec_free(&s->seen->items);
    free(s->seen);
    s->seen = NULL;
}

static const struct check_seen *find(const struct check_seen_values *v, uint64_t hash, size_t rule,
                                     struct slice value)
{
    uint32_t at = map_first(&v->map, hash), id;
    while ((id = map_next(&v->map, hash, &at)) != MAP_NONE)
        if (v->items.items[id].rule == rule && slice_equal(v->items.items[id].value, value))
            return &v->items.items[id];
    return NULL;
}

/* A leg that spoke again after it had been handed out makes a second call of the same Call-ID. */
static bool is_this_call(const struct rule_at *at, const struct check_seen *seen)
{
    const struct hop_call *call = at->w->call;
    if (seen->call == at->w->summary->judging)
        return true;
    for (size_t i = 0; i < call->leg_count; i++)
        if (slice_equal(call_leg_of(call->table, call->legs[i])->call_id, seen->where.call_id))
            return true;
    return false;
}

bool rule_seen_elsewhere(struct rule_at *at, size_t step, struct slice value,
                         struct check_run_evidence *where)
{
    struct check_summary *s = at->w->summary;
    struct check_seen_values *v = values_of(s);
    const struct hop_sighting *sighting = at->journey->steps[step].sighting;
    uint64_t hash = hash_mix(hash_slice(&v->key, value), at->index);
    const struct check_seen *seen = find(v, hash, at->index, value);
    if (seen) {
        *where = seen->where;
        return !is_this_call(at, seen);
    }
    if (v->items.n == CHECK_UNIQUE_MAX) {
        s->unique_left_out++;
        return false;
    }
    const char *point = hop_point_name(at->w->call->nodes, sighting->index->point);
    map_add(&v->map, hash, (uint32_t)v->items.n);
    *vec_add(&v->items) = (struct check_seen){
        .rule = at->index,
        .call = s->judging,
        .value = arena_copy(&s->arena, value),
        .where = {arena_copy(&s->arena, sighting->leg->call_id),
                  arena_copy(&s->arena, slice_of(point)), sighting->index->frame}};
    return false;
}

/* Legs of one call under differing Call-IDs.  Topology hiding keeps tags and CSeq; a back-to-back
 * user agent keeps nothing for certain, so its legs are joined by a score: a value that nobody
 * guesses on both INVITEs, the node that received the one and began the other, numbers, time.  Only
 * a best match that is best for both sides counts. */
#include "hop/join.h"

#include <stdlib.h>

struct hop_joiner *hop_joiner_new(const struct hash_key *key)
{
    struct hop_joiner *j = base_alloc(sizeof *j);
    j->key = *key;
    return j;
}

void hop_joiner_free(struct hop_joiner *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->legs.n; i++)
        join_facts_free(j->legs.items[i]);
    vec_free(&j->legs);
    vec_free(&j->marks);
    vec_free(&j->rings);
    map_free(&j->ring_index);
    map_free(&j->index);
    free(j);
}

uint64_t hop_joiner_left_out(const struct hop_joiner *j)
{
    return j->candidates_left_out;
}

/* ---- partners ------------------------------------------------------------------------------- */

static void add_candidate(struct hop_joiner *j, uint32_t leg)
{
    if (j->marks.items[leg] == j->search)
        return;
    j->marks.items[leg] = j->search;
    if (j->candidates.n == HOP_CANDIDATES_MAX)
        j->candidates_left_out++;
    else
        j->candidates.legs[j->candidates.n++] = leg;
}

static void collect(struct hop_joiner *j, uint64_t key)
{
    uint32_t id;
    for (uint32_t at = map_first(&j->index, key); (id = map_next(&j->index, key, &at)) != MAP_NONE;)
        add_candidate(j, id);
}

/* Those that share a value or tags, those with both numbers at that time, those that came in where
 * it begins. */
static void collect_all(struct hop_joiner *j, uint32_t leg)
{
    const struct join_facts *f = j->legs.items[leg];
    j->candidates.n = 0;
    j->search++;
    j->marks.items[leg] = j->search;
    for (size_t i = 0; i < f->lasting; i++)
        if (i >= f->value_count || join_carriers(j, f->keys.items[i], JOIN_MANY) < JOIN_MANY)
            collect(j, f->keys.items[i]);
    for (int64_t d = -JOIN_SECONDS; f->parties && d <= JOIN_SECONDS; d++)
        collect(j, join_second_key(f->parties, f->start_ns, d));
    for (size_t i = 0; i < f->near_count; i++)
        if (join_facts_met(j, &f->near[i]))
            add_candidate(j, f->near[i].leg);
}

struct partner {
    uint32_t leg; /* CALL_NONE: none */
    struct join_score score;
    int points;
    bool tie;
};

static void prefer(struct partner *best, uint32_t leg, const struct join_score *s)
{
    int points = join_points_of(s);
    if (points > best->points)
        *best = (struct partner){leg, *s, points, false};
    else
        best->tie |= points && points == best->points;
}

/* Unless another fits as well, or nothing fits well enough. */
static void confirm(struct partner *best)
{
    if (best->points && !(best->score.reasons & BY_TAGS) && !best->tie)
        best->score.reasons |= BY_BEING_ONLY;
    best->points = join_points_of(&best->score);
    if (best->tie || best->points < JOIN_SCORE)
        best->leg = CALL_NONE;
}

/* The legs that best precede and best follow this one. */
static void find_partners(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg,
                          struct partner *before, struct partner *after)
{
    const struct join_candidates *c = &j->candidates;
    *before = *after = (struct partner){.leg = CALL_NONE};
    collect_all(j, leg);
    for (size_t i = 0; i < c->n; i++) {
        struct join_score out = join_score_of(j, n, leg, c->legs[i]);
        struct join_score in = join_score_of(j, n, c->legs[i], leg);
        bool tags = out.reasons & BY_TAGS; /* topology hiding: no order is told, nor needed */
        int order = join_order(j, leg, c->legs[i], &out, &in);
        if (tags || order > 0)
            prefer(after, c->legs[i], &out);
        if (tags || order < 0)
            prefer(before, c->legs[i], &in);
    }
    confirm(before);
    confirm(after);
}

/* Best for both sides. */
static struct partner mutual_partner(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg,
                                     bool after)
{
    struct partner mine[2], theirs[2];
    find_partners(j, n, leg, &mine[0], &mine[1]);
    struct partner p = mine[after];
    if (p.leg == CALL_NONE)
        return p;
    find_partners(j, n, p.leg, &theirs[0], &theirs[1]);
    if (theirs[!after].leg != leg)
        p.leg = CALL_NONE;
    return p;
}

/* ---- chains --------------------------------------------------------------------------------- */

#define JOIN_LEGS_MAX 8u /* legs of one call */

static bool in_chain(const uint32_t *chain, size_t n, uint32_t leg)
{
    for (size_t i = 0; i < n; i++)
        if (chain[i] == leg)
            return true;
    return false;
}

/* Most calls: one search settles it. */
static bool stands_alone(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg)
{
    struct partner before, after;
    find_partners(j, n, leg, &before, &after);
    return before.leg == CALL_NONE && after.leg == CALL_NONE;
}

static uint32_t first_of_chain(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg)
{
    uint32_t chain[JOIN_LEGS_MAX] = {leg};
    for (size_t k = 1; k < JOIN_LEGS_MAX; k++) {
        struct partner p = mutual_partner(j, n, chain[k - 1], false);
        if (p.leg == CALL_NONE || in_chain(chain, k, p.leg))
            return chain[k - 1];
        chain[k] = p.leg;
    }
    return chain[JOIN_LEGS_MAX - 1];
}

/* Tags tell nothing of the order, so that first_of_chain goes round in a pair joined by them: the
 * leg that started earlier lies first. */
static uint32_t earlier_leg(const struct call_table *t, uint32_t x, uint32_t y)
{
    return call_leg_of(t, y)->start_ns < call_leg_of(t, x)->start_ns ? y : x;
}

size_t hop_joiner_legs(struct hop_joiner *j, const struct call_table *t, const struct hop_nodes *n,
                       uint32_t leg, struct arena *a, const uint32_t **legs, struct slice *how)
{
    uint32_t *chain = ARENA_ARRAY(a, uint32_t, JOIN_LEGS_MAX);
    struct text text = {0};
    size_t count = 1;
    chain[0] = leg;
    *legs = chain;
    *how = SLICE_NONE;
    if (leg >= j->legs.n || !j->legs.items[leg])
        return 1;
    if (stands_alone(j, n, leg))
        return 1;
    chain[0] = first_of_chain(j, n, leg);
    if (j->legs.items[chain[0]]->from_tag == j->legs.items[leg]->from_tag)
        chain[0] = earlier_leg(t, leg, chain[0]);
    while (count < JOIN_LEGS_MAX) {
        struct partner p = mutual_partner(j, n, chain[count - 1], true);
        if (p.leg == CALL_NONE || in_chain(chain, count, p.leg))
            break;
        if (count > 1)
            text_printf(&text, "; ");
        join_score_print(&text, &p.score);
        chain[count++] = p.leg;
    }
    if (count > 1)
        *how = text_keep(&text, a);
    return count;
}

bool hop_joiner_joint(struct hop_joiner *j, const struct hop_nodes *n, uint32_t up, uint32_t down,
                      struct endpoint *in, struct endpoint *out)
{
    struct join_score s = join_score_of(j, n, up, down);
    if (!(s.reasons & BY_PLACE))
        return false;
    *in = s.in->dst;
    *out = s.out->src;
    return true;
}

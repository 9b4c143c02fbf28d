/* Which node each point was taken on.  Evidence in order: what the frames or the capture say of the
 * host's own addresses; which node takes part in all that the point saw and is nowhere known to do
 * more; which is left. */
#include "hop/internal.h"

#include <string.h>

/* So many times, nodes that became one settle the points anew at once. */
#define HOP_SETTLE_EAGER 256u

/* Candidates for a point: nodes that take part in every message it saw; two at most, since a
 * message has two ends. */
struct candidates {
    uint32_t node[2];
    size_t n;
    bool any; /* the point saw something */
};

/* What one walk over all that was seen tells of a point. */
struct settling {
    struct candidates candidates;
    uint32_t pairs;             /* of addresses that it saw */
    uint32_t peer[2], peers[2]; /* whom the candidate spoke with, and how many such (2: at least) */
    uint32_t own;               /* the first address that the host calls its own */
    bool several;               /* elements on the host */
};

/* ---- own addresses -------------------------------------------------------------------------- */

static bool is_own(const struct hop_own *own)
{
    return own->claimed || (own->mine && !own->not_mine);
}

/* All addresses that a host calls its own are one node, unless several elements share an address
 * there. */
static void note_own(struct hop_nodes *n, const struct hop_own *own, struct settling *s)
{
    const struct hop_address *address = &n->addresses.items[own->address];
    if (!is_own(own) || address_is_loopback(&address->ip))
        return;
    if (address->port && s->own != HOP_NODE_NONE)
        s->several |= hop_root(n, s->own) != hop_root(n, own->address);
    else if (s->own != HOP_NODE_NONE)
        hop_unite(n, s->own, own->address);
    else
        s->own = own->address;
}

static void settle_by_own(struct hop_nodes *n, struct settling *all)
{
    for (size_t i = 0; i < n->own.n; i++)
        note_own(n, &n->own.items[i], &all[n->own.items[i].point]);
    for (size_t i = 0; i < n->points.n; i++)
        if (!all[i].several)
            n->points.items[i].node = all[i].own;
}

static void settle_by_name(struct hop_nodes *n, struct hop_point *point)
{
    for (size_t i = 0; i < n->names.n; i++)
        if (slice_is(n->names.items[i].name, point->name))
            point->node = n->names.items[i].address;
}

/* ---- taking part in all --------------------------------------------------------------------- */

static bool contains_nocase(const char *text, const char *part)
{
    struct slice s = slice_of(text), p = slice_of(part);
    for (size_t i = 0; i + p.n <= s.n; i++)
        if (slice_equal_nocase((struct slice){s.p + i, p.n}, p))
            return true;
    return false;
}

/* A capture of a single link could come from either end of it.  What the user called the point may
 * tell: a proxy's capture was not taken on an element that forwards nothing, and LiveKit's was
 * taken on LiveKit. */
static void heed_point_name(const struct hop_nodes *n, struct candidates *c, const char *name)
{
    static const char *const proxies[] = {"kam", "opensips", "proxy", "sbc"};
    bool forwards[2] = {hop_node_forwards(n, c->node[0]), hop_node_forwards(n, c->node[1])};
    bool livekit[2] = {hop_node_is_livekit(n, c->node[0]), hop_node_is_livekit(n, c->node[1])};
    int keep = -1;
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        if (contains_nocase(name, proxies[i]) && forwards[0] != forwards[1])
            keep = forwards[0] ? 0 : 1;
    if (contains_nocase(name, "livekit") && livekit[0] != livekit[1])
        keep = livekit[0] ? 0 : 1;
    if (keep >= 0)
        *c = (struct candidates){{c->node[keep], HOP_NODE_NONE}, 1, true};
}

static void narrow(struct candidates *c, uint32_t src, uint32_t dst)
{
    if (!c->any) {
        *c = (struct candidates){{src, dst}, src == dst ? 1 : 2, true};
        return;
    }
    for (size_t k = 0; k < c->n;)
        if (c->node[k] != src && c->node[k] != dst)
            c->node[k] = c->node[--c->n];
        else
            k++;
}

static void find_candidates(const struct hop_nodes *n, struct settling *all)
{
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        narrow(&all[s->point].candidates, hop_root(n, s->src), hop_root(n, s->dst));
        all[s->point].pairs++;
    }
    for (size_t i = 0; i < n->points.n; i++)
        if (all[i].candidates.n == 2)
            heed_point_name(n, &all[i].candidates, n->points.items[i].name);
}

/* How many different nodes the points saw their candidates speak with. */
static void count_peers(const struct hop_nodes *n, struct settling *all)
{
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        struct settling *at = &all[s->point];
        uint32_t src = hop_root(n, s->src), dst = hop_root(n, s->dst);
        for (size_t k = 0; k < at->candidates.n; k++) {
            uint32_t peer = src == at->candidates.node[k] ? dst : src;
            if (at->peers[k] == 0 || (at->peers[k] == 1 && at->peer[k] != peer))
                at->peers[k]++;
            at->peer[k] = peer;
        }
    }
}

/* How many pairs of addresses each node has a part in, as all points together saw it. */
static uint32_t *count_pairs(const struct hop_nodes *n, struct arena *a)
{
    uint32_t *pairs = ARENA_ARRAY(a, uint32_t, n->addresses.n + 1);
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        uint32_t src = hop_root(n, s->src), dst = hop_root(n, s->dst);
        pairs[src] += s->first;
        pairs[dst] += s->first && dst != src;
    }
    return pairs;
}

/* ---- choices -------------------------------------------------------------------------------- */

/* What is counted for each node while the points are settled. */
struct counts {
    uint32_t *pairs; /* that the node has a part in */
    uint32_t *taken; /* points on the node */
};

typedef bool is_out(const struct hop_nodes *n, const struct settling *s, size_t k,
                    const struct counts *counts);

/* Is the node known to do what the point did not see?  Then the point was not taken there.  (It has
 * a part in all that the point saw.) */
static bool does_more(const struct hop_nodes *n, const struct settling *s, size_t k,
                      const struct counts *counts)
{
    uint32_t node = s->candidates.node[k];
    return (hop_node_forwards(n, node) && s->peers[k] < 2) || counts->pairs[node] > s->pairs;
}

static bool is_taken(const struct hop_nodes *n, const struct settling *s, size_t k,
                     const struct counts *counts)
{
    (void)n;
    return counts->taken[s->candidates.node[k]] > 0;
}

/* The one candidate that is not out. */
static uint32_t choose(const struct hop_nodes *n, const struct settling *s, is_out *out,
                       const struct counts *counts)
{
    uint32_t left = HOP_NODE_NONE;
    size_t count = 0;
    for (size_t k = 0; k < s->candidates.n; k++)
        if (!out(n, s, k, counts)) {
            left = s->candidates.node[k];
            count++;
        }
    return count == 1 ? left : HOP_NODE_NONE;
}

/* One pass; true when a point found its node. */
static bool settle_pass(struct hop_nodes *n, const struct settling *all, is_out *out,
                        const struct counts *counts)
{
    bool found = false;
    for (size_t i = 0; i < n->points.n; i++) {
        uint32_t *node = &n->points.items[i].node;
        if (*node != HOP_NODE_NONE || all[i].candidates.n == 0)
            continue;
        *node = choose(n, &all[i], out, counts);
        if (*node == HOP_NODE_NONE)
            continue;
        counts->taken[hop_root(n, *node)]++;
        found = true;
    }
    return found;
}

/* First nodes that nowhere do more than their point saw; then those that no other point was taken
 * on: a capture of a part of what the node does. */
static void settle_by_part(struct hop_nodes *n, const struct settling *all, struct arena *a)
{
    struct counts counts = {count_pairs(n, a), ARENA_ARRAY(a, uint32_t, n->addresses.n + 1)};
    for (size_t i = 0; i < n->points.n; i++)
        if (n->points.items[i].node != HOP_NODE_NONE)
            counts.taken[hop_root(n, n->points.items[i].node)]++;
    settle_pass(n, all, does_more, &counts);
    while (settle_pass(n, all, is_taken, &counts))
        continue;
}

/* ---- all points ----------------------------------------------------------------------------- */

static void settle_livekit(struct hop_nodes *n)
{
    for (size_t i = 0; n->livekit_point && i < n->points.n; i++) {
        const struct hop_point *p = &n->points.items[i];
        if (p->node == HOP_NODE_NONE || strcmp(p->name, n->livekit_point) != 0)
            continue;
        n->addresses.items[hop_root(n, p->node)].livekit = true;
        n->know_livekit = true;
    }
}

void hop_nodes_settle(struct hop_nodes *n)
{
    struct arena a = {0};
    struct settling *all = ARENA_ARRAY(&a, struct settling, n->points.n);
    for (size_t i = 0; i < n->points.n; i++)
        all[i].own = HOP_NODE_NONE;
    settle_by_own(n, all);
    for (size_t i = 0; i < n->points.n; i++)
        settle_by_name(n, &n->points.items[i]);
    find_candidates(n, all);
    count_peers(n, all);
    settle_by_part(n, all, &a);
    settle_livekit(n);
    arena_free(&a);
    n->settled_at = n->changes;
    n->settled += n->united && n->settled < HOP_SETTLE_EAGER;
    n->united = false;
}

/* Settling walks all that was seen.  It is asked for again when two nodes turned out to be one, and
 * where that went on for long only when what was learned has grown by an eighth. */
bool hop_nodes_unsettled(const struct hop_nodes *n)
{
    return n->settled_at == UINT64_MAX || (n->united && n->settled < HOP_SETTLE_EAGER) ||
           n->changes > n->settled_at + n->settled_at / 8;
}

uint32_t hop_node_of_point(const struct hop_nodes *n, uint16_t point)
{
    return hop_root(n, n->points.items[point].node);
}

bool hop_node_has_point(const struct hop_nodes *n, uint32_t node)
{
    for (size_t i = 0; node != HOP_NODE_NONE && i < n->points.n; i++)
        if (hop_node_of_point(n, (uint16_t)i) == node)
            return true;
    return false;
}

bool hop_point_on(const struct hop_nodes *n, uint32_t node)
{
    if (node == HOP_NODE_NONE)
        return false;
    for (size_t i = 0; i < n->points.n; i++)
        if (hop_node_of_point(n, (uint16_t)i) == node)
            return true;
    return false;
}

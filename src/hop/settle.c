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

/* ---- own addresses -------------------------------------------------------------------------- */

static bool is_own(const struct hop_own *own)
{
    return own->claimed || (own->mine && !own->not_mine);
}

/* All addresses that a host calls its own are one node, unless several elements share an address
 * there. */
static void settle_by_own(struct hop_nodes *n, uint16_t point)
{
    uint32_t first = HOP_NODE_NONE;
    bool several = false;
    for (size_t i = 0; i < n->own.n; i++) {
        const struct hop_own *own = &n->own.items[i];
        const struct hop_address *address = &n->addresses.items[own->address];
        if (own->point != point || !is_own(own) || address_is_loopback(&address->ip))
            continue;
        if (address->port && first != HOP_NODE_NONE)
            several |= hop_root(n, first) != hop_root(n, own->address);
        else if (first != HOP_NODE_NONE)
            hop_unite(n, first, own->address);
        else
            first = own->address;
    }
    if (first != HOP_NODE_NONE && !several)
        n->point_node[point] = first;
}

static void settle_by_name(struct hop_nodes *n, uint16_t point)
{
    for (size_t i = 0; i < n->names.n; i++)
        if (slice_is(n->names.items[i].name, n->point_names[point]))
            n->point_node[point] = n->names.items[i].address;
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

static struct candidates candidates_of(const struct hop_nodes *n, uint16_t point)
{
    struct candidates c = {{HOP_NODE_NONE, HOP_NODE_NONE}, 0, false};
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        if (s->point != point)
            continue;
        uint32_t src = hop_root(n, s->src), dst = hop_root(n, s->dst);
        if (!c.any) {
            c = (struct candidates){{src, dst}, src == dst ? 1 : 2, true};
            continue;
        }
        for (size_t k = 0; k < c.n;)
            if (c.node[k] != src && c.node[k] != dst)
                c.node[k] = c.node[--c.n];
            else
                k++;
    }
    if (c.n == 2)
        heed_point_name(n, &c, n->point_names[point]);
    return c;
}

/* How many different nodes the point saw this one speak with (2 means: at least two). */
static unsigned peers_at(const struct hop_nodes *n, uint32_t node, uint16_t point)
{
    uint32_t first = HOP_NODE_NONE;
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        if (s->point != point)
            continue;
        uint32_t src = hop_root(n, s->src), dst = hop_root(n, s->dst);
        uint32_t peer = src == node ? dst : src;
        if (first == HOP_NODE_NONE)
            first = peer;
        else if (peer != first)
            return 2;
    }
    return first != HOP_NODE_NONE;
}

/* Is the node known to do what the point did not see?  Then the point was not taken there. */
static bool does_more(const struct hop_nodes *n, uint32_t node, uint16_t point)
{
    if (hop_node_forwards(n, node) && peers_at(n, node, point) < 2)
        return true;
    for (size_t i = 0; i < n->seen.n; i++) {
        const struct hop_seen *s = &n->seen.items[i];
        if ((hop_root(n, s->src) == node || hop_root(n, s->dst) == node) &&
            !hop_was_seen(n, s->src, s->dst, point))
            return true;
    }
    return false;
}

static bool taken(const struct hop_nodes *n, uint32_t node, uint16_t but)
{
    for (size_t i = 0; i < n->point_count; i++)
        if (i != but && n->point_node[i] != HOP_NODE_NONE && hop_root(n, n->point_node[i]) == node)
            return true;
    return false;
}

/* One pass; true when a point found its node. */
static bool settle_pass(struct hop_nodes *n, const struct candidates *all,
                        uint32_t (*choose)(const struct hop_nodes *, const struct candidates *,
                                           uint16_t))
{
    bool found = false;
    for (size_t i = 0; i < n->point_count; i++) {
        if (n->point_node[i] != HOP_NODE_NONE || all[i].n == 0)
            continue;
        n->point_node[i] = choose(n, &all[i], (uint16_t)i);
        found |= n->point_node[i] != HOP_NODE_NONE;
    }
    return found;
}

/* The one candidate that nowhere does more than the point saw. */
static uint32_t choose_complete(const struct hop_nodes *n, const struct candidates *c,
                                uint16_t point)
{
    struct candidates left = {{HOP_NODE_NONE, HOP_NODE_NONE}, 0, true};
    for (size_t k = 0; k < c->n; k++)
        if (!does_more(n, c->node[k], point))
            left.node[left.n++] = c->node[k];
    return left.n == 1 ? left.node[0] : HOP_NODE_NONE;
}

/* The one candidate that no other point was taken on: a capture of a part of what it does. */
static uint32_t choose_untaken(const struct hop_nodes *n, const struct candidates *c,
                               uint16_t point)
{
    struct candidates left = {{HOP_NODE_NONE, HOP_NODE_NONE}, 0, true};
    for (size_t k = 0; k < c->n; k++)
        if (!taken(n, c->node[k], point))
            left.node[left.n++] = c->node[k];
    return left.n == 1 ? left.node[0] : HOP_NODE_NONE;
}

/* ---- all points ----------------------------------------------------------------------------- */

static void settle_livekit(struct hop_nodes *n)
{
    for (size_t i = 0; n->livekit_point && i < n->point_count; i++)
        if (n->point_names[i] == n->livekit_point && n->point_node[i] != HOP_NODE_NONE) {
            n->addresses.items[hop_root(n, n->point_node[i])].livekit = true;
            n->know_livekit = true;
        }
}

void hop_nodes_settle(struct hop_nodes *n)
{
    struct arena a = {0};
    struct candidates *all = ARENA_ARRAY(&a, struct candidates, n->point_count);
    memset(n->point_node, 0xff, (n->point_count + 1) * sizeof *n->point_node);
    for (size_t i = 0; i < n->point_count; i++) {
        settle_by_own(n, (uint16_t)i);
        settle_by_name(n, (uint16_t)i);
    }
    for (size_t i = 0; i < n->point_count; i++)
        all[i] = candidates_of(n, (uint16_t)i);
    settle_pass(n, all, choose_complete);
    while (settle_pass(n, all, choose_untaken))
        ;
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
    return hop_root(n, n->point_node[point]);
}

bool hop_point_on(const struct hop_nodes *n, uint32_t node)
{
    return node != HOP_NODE_NONE && taken(n, node, UINT16_MAX);
}

/* Nodes: which addresses belong to one SIP element.  Union-find over the addresses that packets
 * carry. */
#include "hop/internal.h"

#include <stdlib.h>
#include <string.h>

struct hop_nodes *hop_nodes_new(const struct hash_key *key)
{
    struct hop_nodes *n = base_alloc(sizeof *n);
    n->key = *key;
    n->settled_at = UINT64_MAX;
    return n;
}

/* A point that comes to those which were settled wants its node as soon as two that became one. */
void hop_nodes_add_point(struct hop_nodes *n, const char *name)
{
    *vec_add(&n->points) = (struct hop_point){name, HOP_NODE_NONE};
    n->changes++;
    n->united = true;
}

void hop_nodes_free(struct hop_nodes *n)
{
    if (!n)
        return;
    vec_free(&n->addresses);
    vec_free(&n->shared);
    vec_free(&n->seen);
    vec_free(&n->own);
    vec_free(&n->aliases);
    vec_free(&n->names);
    map_free(&n->address_index);
    map_free(&n->seen_index);
    map_free(&n->pair_index);
    map_free(&n->own_index);
    map_free(&n->alias_index);
    map_free(&n->patterns);
    vec_free(&n->points);
    arena_free(&n->arena);
    free(n);
}

/* ---- addresses ------------------------------------------------------------------------------ */

bool hop_is_shared(const struct hop_nodes *n, const struct address *ip)
{
    for (size_t i = 0; i < n->shared.n; i++)
        if (address_equal(&n->shared.items[i], ip))
            return true;
    return false;
}

static uint64_t address_hash(const struct hop_nodes *n, const struct address *ip, uint16_t port)
{
    return hash_mix(hash_bytes(&n->key, ip->bytes, sizeof ip->bytes),
                    (uint64_t)ip->family << 16 | port);
}

static struct slice address_slice(struct hop_nodes *n, const struct endpoint *e, uint16_t port)
{
    for (size_t i = 0; e->ip.family == 0 && i < n->points.n; i++) {
        struct address host = address_unnamed((uint16_t)i);
        if (address_equal(&host, &e->ip))
            return slice_of(n->points.items[i].name);
    }
    struct address_text text = port ? endpoint_format(e) : address_format(&e->ip);
    return arena_copy(&n->arena, slice_of(text.s));
}

uint32_t hop_address_of(struct hop_nodes *n, const struct endpoint *e, bool make)
{
    if (address_is_none(&e->ip))
        return HOP_NODE_NONE;
    uint16_t port = hop_is_shared(n, &e->ip) ? e->port : 0;
    uint64_t hash = address_hash(n, &e->ip, port);
    uint32_t id;
    for (uint32_t at = map_first(&n->address_index, hash);
         (id = map_next(&n->address_index, hash, &at)) != MAP_NONE;)
        if (n->addresses.items[id].port == port &&
            address_equal(&n->addresses.items[id].ip, &e->ip))
            return id;
    if (!make)
        return HOP_NODE_NONE;
    if (n->addresses.n >= HOP_ADDRESSES_MAX) {
        n->overflow++;
        return HOP_NODE_NONE;
    }
    id = (uint32_t)vec_next(&n->addresses);
    n->addresses.items[id] = (struct hop_address){
        .ip = e->ip, .port = port, .parent = id, .text = address_slice(n, e, port)};
    map_add(&n->address_index, hash, id);
    n->changes++;
    return id;
}

uint32_t hop_root(const struct hop_nodes *n, uint32_t address)
{
    while (address != HOP_NODE_NONE && n->addresses.items[address].parent != address)
        address = n->addresses.items[address].parent;
    return address;
}

void hop_unite(struct hop_nodes *n, uint32_t a, uint32_t b)
{
    if (a == HOP_NODE_NONE || b == HOP_NODE_NONE)
        return;
    uint32_t was_a = a, was_b = b;
    a = hop_root(n, a);
    b = hop_root(n, b);
    if (was_a != a)
        n->addresses.items[was_a].parent = a; /* keeps the trees flat */
    if (was_b != b)
        n->addresses.items[was_b].parent = b;
    if (a == b)
        return;
    if (a > b) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    struct hop_address *to = &n->addresses.items[a], *from = &n->addresses.items[b];
    from->parent = a;
    to->keeps_vias |= from->keeps_vias;
    to->forwards |= from->forwards;
    to->livekit |= from->livekit;
    if (!to->name)
        to->name = from->name;
    n->changes++;
    n->united = true;
}

/* ---- what is learned ------------------------------------------------------------------------ */

/* Two elements on one address (a proxy and LiveKit on one host): told apart by port from now on. */
static void share_address(struct hop_nodes *n, const struct address *ip)
{
    if (ip->family == 0 || hop_is_shared(n, ip) || n->shared.n >= HOP_ADDRESSES_MAX)
        return;
    *vec_add(&n->shared) = *ip;
    n->changes++;
}

static uint64_t pair_hash(uint32_t src, uint32_t dst)
{
    return hash_mix((uint64_t)src << 32 | dst, 0) * 0x9e3779b97f4a7c15u;
}

static bool pair_was_seen(const struct hop_nodes *n, uint32_t src, uint32_t dst)
{
    uint64_t hash = pair_hash(src, dst);
    uint32_t id;
    for (uint32_t at = map_first(&n->pair_index, hash);
         (id = map_next(&n->pair_index, hash, &at)) != MAP_NONE;)
        if (n->seen.items[id].src == src && n->seen.items[id].dst == dst)
            return true;
    return false;
}

static void note_seen(struct hop_nodes *n, uint32_t src, uint32_t dst, uint16_t point)
{
    if (hop_was_seen(n, src, dst, point))
        return;
    if (n->seen.n >= HOP_SEEN_MAX) {
        n->overflow++;
        return;
    }
    uint32_t id = (uint32_t)vec_next(&n->seen);
    n->seen.items[id] = (struct hop_seen){src, dst, point, !pair_was_seen(n, src, dst)};
    if (n->seen.items[id].first)
        map_add(&n->pair_index, pair_hash(src, dst), id);
    map_add(&n->seen_index, hash_mix((uint64_t)src << 32 | dst, point) * 0x9e3779b97f4a7c15u, id);
    n->changes++;
}

bool hop_was_seen(const struct hop_nodes *n, uint32_t src, uint32_t dst, uint16_t point)
{
    uint64_t hash = hash_mix((uint64_t)src << 32 | dst, point) * 0x9e3779b97f4a7c15u;
    uint32_t id;
    for (uint32_t at = map_first(&n->seen_index, hash);
         (id = map_next(&n->seen_index, hash, &at)) != MAP_NONE;) {
        const struct hop_seen *s = &n->seen.items[id];
        if (s->src == src && s->dst == dst && s->point == point)
            return true;
    }
    return false;
}

static struct hop_own *own_of(struct hop_nodes *n, uint16_t point, uint32_t address)
{
    uint64_t hash = hash_mix(address, point) * 0x9e3779b97f4a7c15u;
    uint32_t id;
    for (uint32_t at = map_first(&n->own_index, hash);
         (id = map_next(&n->own_index, hash, &at)) != MAP_NONE;)
        if (n->own.items[id].address == address && n->own.items[id].point == point)
            return &n->own.items[id];
    id = (uint32_t)vec_next(&n->own);
    n->own.items[id] = (struct hop_own){.address = address, .point = point};
    map_add(&n->own_index, hash, id);
    return &n->own.items[id];
}

void hop_nodes_host_address(struct hop_nodes *n, uint16_t point, const struct address *a)
{
    struct endpoint e = {*a, 0};
    uint32_t id = hop_address_of(n, &e, true);
    if (id == HOP_NODE_NONE || address_is_loopback(a) || own_of(n, point, id)->claimed)
        return;
    own_of(n, point, id)->claimed = true;
    n->changes++;
}

static void note_own(struct hop_nodes *n, uint16_t point, uint32_t address, bool mine)
{
    if (address == HOP_NODE_NONE)
        return;
    struct hop_own *own = own_of(n, point, address);
    uint32_t *count = mine ? &own->mine : &own->not_mine;
    n->changes += *count == 0;
    *count += *count < UINT32_MAX;
}

void hop_nodes_saw(struct hop_nodes *n, uint16_t point, const struct endpoint *src,
                   const struct endpoint *dst, enum source_direction direction)
{
    if (address_equal(&src->ip, &dst->ip) && src->port != dst->port)
        share_address(n, &src->ip);
    uint32_t s = hop_address_of(n, src, true), d = hop_address_of(n, dst, true);
    if (s != HOP_NODE_NONE)
        n->addresses.items[s].in_packets = true;
    if (d != HOP_NODE_NONE)
        n->addresses.items[d].in_packets = true;
    if (s != HOP_NODE_NONE && d != HOP_NODE_NONE)
        note_seen(n, s, d, point);
    bool in = direction == SOURCE_IN, out = direction == SOURCE_OUT;
    if (in || out || direction == SOURCE_IN_WITHIN)
        note_own(n, point, s, out);
    if (in || out || direction == SOURCE_OUT_WITHIN)
        note_own(n, point, d, in);
}

void hop_nodes_join(struct hop_nodes *n, const struct endpoint *in, const struct endpoint *out,
                    bool vias)
{
    uint32_t a = hop_address_of(n, in, true), b = hop_address_of(n, out, true);
    hop_unite(n, a, b);
    if (vias && a != HOP_NODE_NONE)
        n->addresses.items[hop_root(n, a)].keeps_vias = true;
}

/* Two points' hosts behind one address (a load balancer) stay two nodes. */
static bool is_other_host(const struct hop_nodes *n, uint32_t node, const struct address *unnamed)
{
    for (size_t i = 0; i < n->points.n; i++) {
        struct endpoint e = {address_unnamed((uint16_t)i), 0};
        if (!address_equal(&e.ip, unnamed) && hop_node_at(n, &e) == node)
            return true;
    }
    return false;
}

void hop_nodes_same_end(struct hop_nodes *n, const struct endpoint *a, const struct endpoint *b)
{
    const struct endpoint *unnamed = a->ip.family ? b : a, *known = a->ip.family ? a : b;
    if (unnamed->ip.family || !known->ip.family || address_is_none(&unnamed->ip))
        return;
    uint32_t node = hop_node_at(n, known);
    if (node != HOP_NODE_NONE && !is_other_host(n, node, &unnamed->ip))
        hop_nodes_join(n, unnamed, known, false);
}

void hop_nodes_alias(struct hop_nodes *n, const struct address *advertised,
                     const struct endpoint *src)
{
    uint32_t address = hop_address_of(n, src, true), id;
    uint64_t hash = address_hash(n, advertised, 1);
    if (address == HOP_NODE_NONE)
        return;
    for (uint32_t at = map_first(&n->alias_index, hash);
         (id = map_next(&n->alias_index, hash, &at)) != MAP_NONE;) {
        struct hop_alias *alias = &n->aliases.items[id];
        if (!address_equal(&alias->advertised, advertised))
            continue;
        alias->ambiguous |= hop_root(n, alias->address) != hop_root(n, address);
        return;
    }
    if (n->aliases.n >= HOP_ADDRESSES_MAX) {
        n->overflow++;
        return;
    }
    id = (uint32_t)vec_next(&n->aliases);
    n->aliases.items[id] = (struct hop_alias){*advertised, address, false};
    map_add(&n->alias_index, hash, id);
}

void hop_nodes_listens(struct hop_nodes *n, const struct endpoint *at, const struct endpoint *src)
{
    if (!hop_is_shared(n, &src->ip) || at->port == src->port)
        return;
    uint32_t own = hop_address_of(n, at, true), passing = hop_address_of(n, src, true);
    if (own == HOP_NODE_NONE || passing == HOP_NODE_NONE)
        return;
    hop_unite(n, own, passing);
    n->addresses.items[passing].passing = true;
    struct hop_address *root = &n->addresses.items[hop_root(n, own)];
    if (root->passing)
        root->text = n->addresses.items[own].text;
}

void hop_nodes_forwards(struct hop_nodes *n, const struct endpoint *at)
{
    uint32_t id = hop_root(n, hop_address_of(n, at, true));
    if (id == HOP_NODE_NONE || n->addresses.items[id].forwards)
        return;
    n->addresses.items[id].forwards = true;
    n->changes++;
}

void hop_nodes_livekit(struct hop_nodes *n, const struct endpoint *at)
{
    uint32_t id = hop_root(n, hop_address_of(n, at, true));
    if (id == HOP_NODE_NONE || n->addresses.items[id].livekit)
        return;
    n->addresses.items[id].livekit = true;
    n->know_livekit = true;
    n->changes++;
}

/* ---- what the user says --------------------------------------------------------------------- */

bool hop_nodes_name(struct hop_nodes *n, const char *spec, struct err *err)
{
    struct slice rest = slice_of(spec), name = slice_first(rest, slice_find(rest, '='));
    if (name.n == 0 || name.n == rest.n)
        return err_set(err, "--node %s: expected NAME=ADDRESS[,ADDRESS...]", spec);
    rest = slice_from(rest, name.n + 1);
    uint32_t first = HOP_NODE_NONE;
    do {
        struct slice one = slice_first(rest, slice_find(rest, ','));
        struct endpoint e = {.port = 0};
        if (!address_parse(one, &e.ip))
            return err_set(err, "--node %s: '%.*s' is no IP address", spec, SLICE_ARG(one));
        uint32_t id = hop_address_of(n, &e, true);
        if (first == HOP_NODE_NONE)
            first = id;
        hop_unite(n, first, id);
        rest = slice_from(rest, one.n + 1);
    } while (rest.n);
    *vec_add(&n->names) = (struct hop_name){arena_copy(&n->arena, name), first};
    n->addresses.items[hop_root(n, first)].name = (uint32_t)n->names.n;
    return true;
}

const char *hop_nodes_awaited(const struct hop_nodes *n)
{
    for (size_t i = 0; n->livekit_point && i < n->points.n; i++)
        if (strcmp(n->points.items[i].name, n->livekit_point) == 0)
            return NULL;
    return n->livekit_point;
}

bool hop_nodes_name_livekit(struct hop_nodes *n, const char *name, bool later, struct err *err)
{
    struct endpoint e = {.port = 0};
    if (address_parse(slice_of(name), &e.ip)) {
        hop_nodes_livekit(n, &e);
        return true;
    }
    for (size_t i = 0; i < n->names.n; i++)
        if (slice_is(n->names.items[i].name, name)) {
            n->addresses.items[hop_root(n, n->names.items[i].address)].livekit = true;
            n->know_livekit = true;
            return true;
        }
    uint32_t capture_id;
    bool known = slice_to_u32(slice_of(name), &capture_id) || later;
    for (size_t i = 0; i < n->points.n; i++)
        known |= strcmp(n->points.items[i].name, name) == 0;
    if (known)
        n->livekit_point = arena_copy(&n->arena, slice_of(name)).p;
    return known ||
           err_set(err, "--livekit %s: neither an IP address nor the name of a point or --node",
                   name);
}

/* ---- questions ------------------------------------------------------------------------------ */

uint32_t hop_node_at(const struct hop_nodes *n, const struct endpoint *e)
{
    return hop_root(n, hop_address_of((struct hop_nodes *)(uintptr_t)n, e, false));
}

uint32_t hop_node_of_host(const struct hop_nodes *n, const struct endpoint *e)
{
    const struct address *a = &e->ip;
    uint32_t id = hop_node_at(n, e);
    if (id != HOP_NODE_NONE && n->addresses.items[id].in_packets)
        return id;
    uint64_t hash = address_hash(n, a, 1);
    uint32_t k;
    for (uint32_t at = map_first(&n->alias_index, hash);
         (k = map_next(&n->alias_index, hash, &at)) != MAP_NONE;)
        if (address_equal(&n->aliases.items[k].advertised, a) && !n->aliases.items[k].ambiguous)
            return hop_root(n, n->aliases.items[k].address);
    return id;
}

bool hop_node_keeps_vias(const struct hop_nodes *n, uint32_t node)
{
    return node != HOP_NODE_NONE && n->addresses.items[node].keeps_vias;
}

bool hop_node_forwards(const struct hop_nodes *n, uint32_t node)
{
    return node != HOP_NODE_NONE && n->addresses.items[node].forwards;
}

bool hop_node_is_livekit(const struct hop_nodes *n, uint32_t node)
{
    return node != HOP_NODE_NONE && n->addresses.items[node].livekit;
}

bool hop_nodes_know_livekit(const struct hop_nodes *n)
{
    return n->know_livekit;
}

struct slice hop_node_name(const struct hop_nodes *n, uint32_t node)
{
    if (node == HOP_NODE_NONE)
        return SLICE_NONE;
    if (n->addresses.items[node].name)
        return n->names.items[n->addresses.items[node].name - 1].name;
    for (size_t i = 0; i < n->points.n; i++)
        if (hop_node_of_point(n, (uint16_t)i) == node)
            return slice_of(n->points.items[i].name);
    return n->addresses.items[node].text;
}

static bool alias_stands(const struct hop_nodes *n, const struct hop_alias *alias)
{
    struct endpoint e = {alias->advertised, 0};
    uint32_t id = hop_address_of((struct hop_nodes *)(uintptr_t)n, &e, false);
    return !alias->ambiguous && (id == HOP_NODE_NONE || !n->addresses.items[id].in_packets);
}

/* Hands each node's address to its place in the list: once to count them, once to keep them. */
static void each_address(const struct hop_nodes *n, struct arena *a, struct hop_node *of, bool keep)
{
    for (uint32_t i = 0; i < n->addresses.n; i++) {
        struct hop_node *node = &of[hop_root(n, i)];
        if (n->addresses.items[i].ip.family == 0 || n->addresses.items[i].passing)
            continue;
        if (keep)
            node->addresses[node->address_count] = n->addresses.items[i].text;
        node->address_count++;
    }
    for (size_t i = 0; i < n->aliases.n; i++) {
        const struct hop_alias *alias = &n->aliases.items[i];
        struct hop_node *node = &of[hop_root(n, alias->address)];
        if (!alias_stands(n, alias))
            continue;
        if (keep)
            node->addresses[node->address_count] =
                arena_copy(a, slice_of(address_format(&alias->advertised).s));
        node->address_count++;
    }
}

size_t hop_node_list(const struct hop_nodes *n, struct arena *a, const struct hop_node **nodes)
{
    struct hop_node *list = ARENA_ARRAY(a, struct hop_node, n->addresses.n);
    size_t count = 0;
    each_address(n, a, list, false);
    for (uint32_t i = 0; i < n->addresses.n; i++) {
        list[i].id = i;
        list[i].addresses = ARENA_ARRAY(a, struct slice, list[i].address_count);
        list[i].address_count = 0;
    }
    each_address(n, a, list, true);
    for (uint32_t i = 0; i < n->addresses.n; i++)
        if (n->addresses.items[i].parent == i)
            list[count++] = list[i];
    *nodes = list;
    return count;
}

uint64_t hop_nodes_overflow(const struct hop_nodes *n)
{
    return n->overflow;
}

const char *hop_point_name(const struct hop_nodes *n, uint16_t point)
{
    return n->points.items[point].name;
}

/* One message on its SIP hops: sightings of one transmission together, transmissions linked into a
 * tree.  The Via stack decides (RFC 3261 16.6 step 8: each proxy puts its Via on top; 16.7 step 3:
 * takes it off a response). */
#include "hop/internal.h"

#include <stdlib.h>

/* ---- transmissions -------------------------------------------------------------------------- */

static bool same_wire(const struct hop_sighting *a, const struct hop_sighting *b)
{
    if (a->via_count != b->via_count)
        return false;
    if (a->via_count)
        return hop_via_equal(&a->vias[0], &b->vias[0]);
    return endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

static struct hop_wire *wire_of(struct hop_wires *w, const struct hop_sighting *s)
{
    for (size_t i = 0; i < w->n; i++)
        if (same_wire(w->items[i].head, s))
            return &w->items[i];
    struct hop_wire *wire = &w->items[w->n++];
    *wire = (struct hop_wire){.head = s,
                              .src_node = s->src_node,
                              .dst_node = s->dst_node,
                              .time_ns = s->index->time_ns,
                              .parent = HOP_NODE_NONE};
    return wire;
}

static int side_rank(const struct hop_sighting *s)
{
    return s->side == SOURCE_OUT ? 0 : s->side == SOURCE_IN ? 2 : 1;
}

static int by_path(const void *a, const void *b)
{
    const struct hop_sighting *x = *(struct hop_sighting *const *)a,
                              *y = *(struct hop_sighting *const *)b;
    if (side_rank(x) != side_rank(y))
        return side_rank(x) - side_rank(y);
    if (x->index->time_ns != y->index->time_ns)
        return x->index->time_ns < y->index->time_ns ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void wire_add(struct hop_wire *wire, struct hop_sighting *s)
{
    wire->seen[wire->n++] = s;
    if (!wire->head->message->headers_complete && s->message->headers_complete)
        wire->head = s;
    if (wire->src_node == HOP_NODE_NONE)
        wire->src_node = s->src_node;
    if (wire->dst_node == HOP_NODE_NONE)
        wire->dst_node = s->dst_node;
    if (s->index->time_ns < wire->time_ns)
        wire->time_ns = s->index->time_ns;
}

/* ---- links by the Via stack ----------------------------------------------------------------- */

static bool is_response(const struct hop_wire *w)
{
    return w->head->message->kind == SIP_RESPONSE;
}

/* How many Vias lie between two transmissions of which `up` is further upstream; 0: not on one
 * path.  A response whose status is no number counts as a request's sighting, and would be both. */
static size_t via_distance(const struct hop_wire *up, const struct hop_wire *down)
{
    if (is_response(up) != is_response(down))
        return 0;
    const struct hop_sighting *more = is_response(up) ? up->head : down->head;
    const struct hop_sighting *less = is_response(up) ? down->head : up->head;
    return hop_vias_end_with(more, less) ? more->via_count - less->via_count : 0;
}

bool hop_host_endpoint(struct slice host, uint16_t port, struct endpoint *e)
{
    e->port = port ? port : 5060;
    return address_parse(host, &e->ip);
}

struct slice hop_host_name(struct arena *a, const struct hop_nodes *n, struct slice host,
                           uint16_t port)
{
    struct endpoint e;
    return hop_host_endpoint(host, port, &e)
               ? hop_node_or_address(a, n, hop_node_of_host(n, &e), &e)
               : host;
}

/* No packet carries the address that the Via has, or several claim it. */
static bool tells_nobody(const struct hop_nodes *n, const struct sip_via *via)
{
    struct endpoint e;
    return hop_host_endpoint(via->host, via->port, &e) && hop_node_of_host(n, &e) == HOP_NODE_NONE;
}

/* The nodes whose Vias lie between, in path order: a request's stack grows on its way, a response's
 * shrinks.  The first of them received `up` and the last sent `down`; where a point was taken
 * there, or the element is the only one, that tells more than a Via that tells nobody. */
static void name_between(struct arena *a, const struct hop_nodes *n, const struct hop_wire *up,
                         struct hop_wire *down, size_t distance)
{
    bool response = is_response(up);
    const struct sip_via *vias = response ? up->head->vias : down->head->vias;
    const struct sip_via *first = &vias[response ? 0 : distance - 1];
    const struct sip_via *last = &vias[response ? distance - 1 : 0];
    struct slice *names = ARENA_ARRAY(a, struct slice, distance);
    for (size_t i = 0; i < distance; i++) {
        const struct sip_via *via = response ? first + i : first - i;
        names[i] = hop_host_name(a, n, via->host, via->port);
    }
    if (tells_nobody(n, last) && hop_point_on(n, down->src_node))
        names[distance - 1] = hop_node_name(n, down->src_node);
    if (tells_nobody(n, first) && (distance == 1 || hop_point_on(n, up->dst_node)))
        names[0] = hop_node_or_address(a, n, up->dst_node, &up->head->dst);
    down->between = names;
    down->between_count = distance;
}

bool hop_wires_share_point(const struct hop_wire *a, const struct hop_wire *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (a->seen[i]->index->point == b->seen[k]->index->point)
                return true;
    return false;
}

static void link_by_vias(struct arena *a, const struct hop_nodes *n, struct hop_wires *w, size_t at)
{
    struct hop_wire *down = &w->items[at];
    size_t best = 0;
    for (size_t i = 0; i < w->n; i++) {
        size_t distance = i == at ? 0 : via_distance(&w->items[i], down);
        if (distance && (!best || distance < best)) {
            best = distance;
            down->parent = (uint32_t)i;
        }
    }
    if (!best)
        return;
    struct hop_wire *up = &w->items[down->parent];
    up->has_child = true;
    down->link = best == 1 && hop_wires_share_point(up, down) ? HOP_NODE : HOP_GAP;
    name_between(a, n, up, down, best);
}

struct hop_wires hop_wires_make(struct arena *a, const struct hop_nodes *n,
                                struct hop_sighting **seen, size_t count)
{
    struct hop_wires w = {ARENA_ARRAY(a, struct hop_wire, count), 0};
    struct hop_wire **of = ARENA_ARRAY(a, struct hop_wire *, count);
    for (size_t i = 0; i < count; i++) {
        of[i] = wire_of(&w, seen[i]);
        of[i]->n++;
    }
    for (size_t i = 0; i < w.n; i++) {
        w.items[i].seen = ARENA_ARRAY(a, struct hop_sighting *, w.items[i].n);
        w.items[i].n = 0;
    }
    for (size_t i = 0; i < count; i++)
        wire_add(of[i], seen[i]);
    for (size_t i = 0; i < w.n; i++)
        qsort(w.items[i].seen, w.items[i].n, sizeof *w.items[i].seen, by_path);
    for (size_t i = 0; i < w.n; i++)
        link_by_vias(a, n, &w, i);
    for (uint32_t i = 0; i < w.n; i++) {
        w.items[i].root = i;
        while (w.items[w.items[i].root].parent != HOP_NODE_NONE)
            w.items[i].root = w.items[w.items[i].root].parent;
    }
    return w;
}

/* ---- links where Vias are hidden ------------------------------------------------------------ */

/* A root is attached, and all below it with it. */
static void wire_attach(struct hop_wires *w, uint32_t up, uint32_t down, enum hop_link link)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->items[i].root == down)
            w->items[i].root = w->items[up].root;
    w->items[down].parent = up;
    w->items[down].link = link;
    w->items[up].has_child = true;
}

struct slice hop_node_or_address(struct arena *a, const struct hop_nodes *n, uint32_t node,
                                 const struct endpoint *e)
{
    struct address_text text =
        hop_is_shared(n, &e->ip) ? endpoint_format(e) : address_format(&e->ip);
    return node == HOP_NODE_NONE ? arena_copy(a, slice_of(text.s)) : hop_node_name(n, node);
}

/* A node that rewrites Vias (topology hiding) received the one and sent the other.  Not for a node
 * that is known to keep Vias: what starts there was made there. */
static bool link_by_node(struct arena *a, const struct hop_nodes *n, struct hop_wires *w,
                         uint32_t root)
{
    struct hop_wire *down = &w->items[root];
    uint32_t best = HOP_NODE_NONE;
    if (down->src_node == HOP_NODE_NONE || hop_node_keeps_vias(n, down->src_node))
        return false;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct hop_wire *up = &w->items[i];
        if (up->has_child || up->dst_node != down->src_node || up->root == root)
            continue;
        if (best == HOP_NODE_NONE || up->time_ns > w->items[best].time_ns)
            best = i;
    }
    if (best == HOP_NODE_NONE)
        return false;
    bool shared = hop_wires_share_point(&w->items[best], down);
    struct slice *name = ARENA_NEW(a, struct slice);
    *name = hop_node_or_address(a, n, down->src_node, &down->head->src);
    wire_attach(w, best, root, shared ? HOP_NODE : HOP_GAP);
    down->between = name;
    down->between_count = 1;
    return true;
}

/* How far a request may still go; each proxy takes one off (RFC 3261 16.6 step 3).  -1: it does not
 * say. */
static long max_forwards(const struct hop_wire *w)
{
    const struct sip_header *h = sip_header_first(w->head->message, SIP_HEADER_MAX_FORWARDS);
    uint32_t hops;
    return !is_response(w) && h && slice_to_u32(slice_trim(h->value), &hops) ? (long)hops : -1;
}

int hop_wires_forwards(const struct hop_wire *x, const struct hop_wire *y)
{
    long fx = max_forwards(x), fy = max_forwards(y);
    return fx < 0 || fy < 0 ? 0 : (fx > fy) - (fx < fy);
}

/* Which of two unlinked stretches lies first: LiveKit's own transmission, then the one that may go
 * further, then the one with fewer (a response: more) Vias, then the earlier. */
static bool lies_first(const struct hop_nodes *n, const struct hop_wire *x,
                       const struct hop_wire *y)
{
    bool lx = hop_node_is_livekit(n, x->src_node), ly = hop_node_is_livekit(n, y->src_node);
    if (lx != ly)
        return lx;
    int forwards = hop_wires_forwards(x, y);
    if (forwards)
        return forwards > 0;
    size_t vx = x->head->via_count, vy = y->head->via_count;
    if (vx != vy)
        return is_response(x) ? vx > vy : vx < vy;
    return x->time_ns < y->time_ns;
}

/* Branches of one fork: the same request, sent on several times by one node. */
static bool are_siblings(const struct hop_wire *x, const struct hop_wire *y)
{
    const struct hop_sighting *a = x->head, *b = y->head;
    if (is_response(x) || a->via_count != b->via_count || a->via_count < 2)
        return false;
    for (size_t i = 1; i < a->via_count; i++)
        if (!hop_via_equal(&a->vias[i], &b->vias[i]))
            return false;
    return true;
}

static bool passes_on(const struct hop_wire *x, const struct hop_wire *y)
{
    return x->dst_node != HOP_NODE_NONE && x->dst_node == y->dst_node;
}

static bool has_via(const struct hop_sighting *s, const struct sip_via *via)
{
    for (size_t i = 0; i < s->via_count; i++)
        if (hop_via_equal(&s->vias[i], via))
            return true;
    return false;
}

static void add_between(struct hop_wire *down, struct slice *names, struct slice name)
{
    for (size_t i = 0; i < down->between_count; i++)
        if (slice_equal(names[i], name))
            return;
    if (name.n) /* an end that a log does not name */
        names[down->between_count++] = name;
}

/* Who received the one, whose Vias stand on the other only, who sent that. */
static void name_gap(struct arena *a, const struct hop_nodes *n, const struct hop_wire *up,
                     struct hop_wire *down)
{
    bool response = is_response(up);
    const struct hop_sighting *more = response ? up->head : down->head;
    const struct hop_sighting *less = response ? down->head : up->head;
    struct slice *names = ARENA_ARRAY(a, struct slice, more->via_count + 2);
    down->between = names;
    down->between_count = 0;
    add_between(down, names, hop_node_or_address(a, n, up->dst_node, &up->head->dst));
    for (size_t i = 0; i < more->via_count; i++) {
        const struct sip_via *via = &more->vias[response ? i : more->via_count - 1 - i];
        if (!has_via(less, via))
            add_between(down, names, hop_host_name(a, n, via->host, via->port));
    }
    add_between(down, names, hop_node_or_address(a, n, down->src_node, &down->head->src));
}

static uint32_t last_of(const struct hop_wires *w, uint32_t root)
{
    uint32_t last = root;
    for (uint32_t i = 0; i < w->n; i++)
        if (!w->items[i].has_child && w->items[i].root == root)
            last = i;
    return last;
}

/* The same message (Call-ID or tags, CSeq), yet nothing ties the stretches: more lies between than
 * was captured. */
static void link_gap(struct arena *a, const struct hop_nodes *n, struct hop_wires *w, uint32_t x,
                     uint32_t y)
{
    struct hop_wire *wx = &w->items[x], *wy = &w->items[y];
    if (are_siblings(wx, wy) || passes_on(wx, wy))
        return;
    /* what begins at a node that was watched, and that keeps Vias, was made there */
    if (!lies_first(n, wx, wy)) {
        uint32_t swap = x;
        x = y;
        y = swap;
    }
    if (hop_node_keeps_vias(n, w->items[y].src_node))
        return;
    uint32_t up = last_of(w, x);
    wire_attach(w, up, y, HOP_GAP);
    name_gap(a, n, &w->items[up], &w->items[y]);
}

void hop_wires_link(struct arena *a, const struct hop_nodes *n, struct hop_wires *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->items[i].parent == HOP_NODE_NONE)
            (void)link_by_node(a, n, w, i);
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t k = i + 1; k < w->n; k++)
            if (w->items[i].parent == HOP_NODE_NONE && w->items[k].parent == HOP_NODE_NONE)
                link_gap(a, n, w, i, k);
}

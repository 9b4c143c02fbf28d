/* The table of TCP connections: an index by endpoints, and queues by what each has to lose, the
 * longest idle first. */
#include "packet/tcp.h"

#include <stdlib.h>

/* The same for both directions. */
static uint64_t hash_of(const struct packet_tcp *t, const struct endpoint *a,
                        const struct endpoint *b)
{
    uint8_t key[36];
    size_t n = a->ip.family == 4 ? 4 : 16;
    int order = memcmp(a->ip.bytes, b->ip.bytes, n);
    if (order > 0 || (order == 0 && a->port > b->port)) {
        const struct endpoint *swapped = a;
        a = b;
        b = swapped;
    }
    memcpy(key, a->ip.bytes, n);
    memcpy(key + n, b->ip.bytes, n);
    memcpy(key + 2 * n, &a->port, 2);
    memcpy(key + 2 * n + 2, &b->port, 2);
    return hash_bytes(&t->key, key, 2 * n + 4);
}

struct tcp_search tcp_table_search(const struct packet_tcp *t, const struct endpoint *src,
                                   const struct endpoint *dst)
{
    struct tcp_search s = {.src = src, .dst = dst, .hash = hash_of(t, src, dst)};
    s.at = map_first(&t->index, s.hash);
    return s;
}

struct tcp_connection *tcp_table_next(struct packet_tcp *t, struct tcp_search *s)
{
    uint32_t id;
    while ((id = map_next(&t->index, s->hash, &s->at)) != MAP_NONE) {
        struct tcp_connection *c = &t->connections.items[id];
        for (s->way = 0; s->way < 2; s->way++)
            if (endpoint_equal(&c->ends[s->way], s->src) &&
                endpoint_equal(&c->ends[!s->way], s->dst))
                return c;
    }
    return NULL;
}

/* ---- queues ---------------------------------------------------------------------------------- */

static void unlink_connection(struct packet_tcp *t, struct tcp_connection *c)
{
    if (c->older != TCP_NONE)
        t->connections.items[c->older].newer = c->newer;
    else
        t->queues[c->queue].oldest = c->newer;
    if (c->newer != TCP_NONE)
        t->connections.items[c->newer].older = c->older;
    else
        t->queues[c->queue].newest = c->older;
}

static void link_newest(struct packet_tcp *t, struct tcp_connection *c, enum tcp_queue queue)
{
    uint32_t id = (uint32_t)(c - t->connections.items);
    c->queue = (uint8_t)queue;
    c->older = t->queues[queue].newest;
    c->newer = TCP_NONE;
    if (c->older != TCP_NONE)
        t->connections.items[c->older].newer = id;
    else
        t->queues[queue].oldest = id;
    t->queues[queue].newest = id;
}

static bool is_waiting(const struct tcp_way *w)
{
    return w->pending || (w->start == TCP_SET && w->has_fin && !w->ended);
}

static enum tcp_queue queue_of(const struct tcp_connection *c)
{
    if (c->closed)
        return TCP_CLOSED;
    if (is_waiting(&c->ways[0]) || is_waiting(&c->ways[1]))
        return TCP_WAITING;
    if (!c->stream)
        return TCP_FRESH;
    return c->stream->half[0].n || c->stream->half[1].n ? TCP_HOLDING : TCP_IDLE;
}

void tcp_table_touch(struct packet_tcp *t, struct tcp_connection *c)
{
    enum tcp_queue queue = queue_of(c);
    if (queue == c->queue && c->newer == TCP_NONE)
        return;
    unlink_connection(t, c);
    link_newest(t, c, queue);
}

struct tcp_connection *tcp_table_oldest(struct packet_tcp *t, enum tcp_queue queue)
{
    uint32_t id = t->queues[queue].oldest;
    return id == TCP_NONE ? NULL : &t->connections.items[id];
}

/* ---- records --------------------------------------------------------------------------------- */

struct tcp_connection *tcp_table_add(struct packet_tcp *t, const struct endpoint *src,
                                     const struct endpoint *dst, uint64_t hash)
{
    uint32_t id = t->free;
    if (id == TCP_NONE)
        id = (uint32_t)vec_next(&t->connections);
    else
        t->free = t->connections.items[id].newer;
    struct tcp_connection *c = &t->connections.items[id];
    *c = (struct tcp_connection){.ends = {*src, *dst}, .hash = hash};
    link_newest(t, c, TCP_FRESH);
    map_add(&t->index, hash, id);
    t->n++;
    return c;
}

void tcp_table_remove(struct packet_tcp *t, struct tcp_connection *c)
{
    uint32_t id = (uint32_t)(c - t->connections.items);
    unlink_connection(t, c);
    map_remove(&t->index, c->hash, id);
    c->newer = t->free;
    t->free = id;
    t->n--;
}

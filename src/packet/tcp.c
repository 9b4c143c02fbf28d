/* TCP (RFC 9293): what one segment means for its connection: where it begins, starts anew and ends,
 * and when to give one up. */
#include "packet/tcp.h"

#include <endian.h>
#include <stdlib.h>

#define SECOND 1000000000ll
/* How far before the first data that were seen a late SYN or late data are believed to belong. */
#define NEAR 65536

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct tcp_header {
    uint16_t src, dst;
    uint32_t seq, ack;
    uint8_t offset, flags;
    uint16_t window, checksum, urgent;
};

/* A segment in numbers of this host. */
struct segment {
    struct tcp_data data;
    uint32_t seq, ack;
    uint8_t flags;
};

struct packet_tcp *packet_tcp_new(const struct hash_key *key)
{
    struct packet_tcp *t = base_alloc(sizeof *t);
    t->key = *key;
    t->free = TCP_NONE;
    for (unsigned i = 0; i < TCP_QUEUES; i++)
        t->queues[i].oldest = t->queues[i].newest = TCP_NONE;
    return t;
}

/* ---- ending ---------------------------------------------------------------------------------- */

/* Ends both directions, with all that is known of them. */
static void close_connection(struct packet_decoder *d, struct tcp_connection *c)
{
    for (unsigned way = 0; way < 2; way++)
        tcp_way_finish(d, c, way);
    if (c->stream)
        packet_stream_close(c->stream);
    free(c->stream);
    c->stream = NULL;
}

static void close_if_ended(struct packet_decoder *d, struct tcp_connection *c)
{
    if (c->ways[0].ended && c->ways[1].ended) {
        close_connection(d, c);
        c->closed = true;
    }
}

static void end_connection(struct packet_decoder *d, struct tcp_connection *c)
{
    close_connection(d, c);
    tcp_table_remove(d->tcp, c);
}

/* Another connection between the same endpoints begins.  Where one direction of the old one stood
 * is a hint to where the new one does: it may have been the same all along. */
static void restart(struct packet_decoder *d, struct tcp_connection *c)
{
    close_connection(d, c);
    for (unsigned way = 0; way < 2; way++) {
        struct tcp_way *w = &c->ways[way];
        *w = (struct tcp_way){.next = w->next,
                              .start = w->start == TCP_UNKNOWN ? TCP_UNKNOWN : TCP_HINTED};
    }
    c->counted = c->closed = false;
}

static void end_old(struct packet_decoder *d, int64_t now)
{
    struct tcp_connection *c;
    while ((c = tcp_table_oldest(d->tcp, TCP_WAITING)) != NULL &&
           now - c->time_ns > PACKET_HOLE_SECONDS * SECOND) {
        tcp_way_resolve(d, c, 0);
        tcp_way_resolve(d, c, 1);
        close_if_ended(d, c);
        tcp_table_touch(d->tcp, c);
    }
    while ((c = tcp_table_oldest(d->tcp, TCP_CLOSED)) != NULL &&
           now - c->time_ns > PACKET_CLOSED_SECONDS * SECOND)
        end_connection(d, c);
}

/* The longest idle of those that have least to lose; not `current`, which is the newest. */
static bool evict(struct packet_decoder *d, const struct tcp_connection *current,
                  const enum tcp_queue *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct tcp_connection *c = tcp_table_oldest(d->tcp, order[i]);
        if (!c || c == current)
            continue;
        if (c->queue != TCP_CLOSED)
            d->stats.streams_evicted++;
        end_connection(d, c);
        return true;
    }
    return false;
}

static void make_room(struct packet_decoder *d, const struct tcp_connection *current)
{
    static const enum tcp_queue by_use[] = {TCP_CLOSED, TCP_FRESH, TCP_IDLE, TCP_HOLDING,
                                            TCP_WAITING};
    static const enum tcp_queue by_size[] = {TCP_WAITING, TCP_HOLDING, TCP_IDLE};
    while (d->tcp->n > PACKET_STREAMS && evict(d, current, by_use, 5))
        ;
    while (d->stream_bytes > PACKET_STREAMS_BYTES && evict(d, current, by_size, 3))
        ;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static bool is_near(uint32_t from, uint32_t to)
{
    int32_t distance = tcp_distance(from, to);
    return distance >= 0 && distance <= NEAR;
}

/* A SYN of the connection that is known, and not of one that follows it: sent again, or captured
 * late, or the answer of the other side. */
static bool syn_belongs(const struct tcp_connection *c, unsigned way, const struct segment *s)
{
    const struct tcp_way *w = &c->ways[way], *other = &c->ways[!way];
    bool answers = s->flags & ACK && (!other->syn || is_near(other->isn + 1, s->ack));
    if (c->closed && (w->given || other->given || w->ended))
        return false;
    if (w->syn)
        return w->isn == s->seq || (answers && other->syn && !w->given);
    switch ((enum tcp_start)w->start) {
    case TCP_SET:
        return is_near(s->seq + 1, w->first);
    case TCP_FLOATING:
        return is_near(s->seq + 1, w->next);
    default:
        return s->flags & ACK ? answers : !other->given;
    }
}

static void note_syn(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                     const struct segment *s)
{
    struct tcp_way *w = &c->ways[way], *other = &c->ways[!way];
    w->syn = true;
    w->isn = s->seq;
    if (s->flags & ACK && (other->start == TCP_UNKNOWN || other->start == TCP_HINTED))
        tcp_way_begin(d, c, !way, s->ack);
    if (w->start == TCP_SET && w->given)
        w->hole_from = s->seq + 1;
    else
        tcp_way_begin(d, c, way, s->seq + 1);
}

/* Data far away from all that is expected: another connection, whose SYN was not captured.  So are
 * data behind the end of a closed one. */
static bool is_another(const struct tcp_connection *c, unsigned way, const struct segment *s)
{
    const struct tcp_way *w = &c->ways[way];
    int32_t distance = tcp_distance(w->next, s->data.seq);
    if (s->data.n == 0 || w->start < TCP_FLOATING)
        return false;
    return distance > TCP_WINDOW || distance < -TCP_WINDOW ||
           (c->closed && w->ended && distance > 0);
}

/* ---- a segment ------------------------------------------------------------------------------- */

/* What the other side has acknowledged says where this direction stands. */
static void note_ack(struct tcp_way *w, uint32_t ack)
{
    int32_t ahead = tcp_distance(w->next, ack);
    if (w->start == TCP_UNKNOWN || (w->start == TCP_HINTED && ahead > 0)) {
        w->start = TCP_HINTED;
        w->next = ack;
    }
    if (w->start == TCP_SET && (ahead > TCP_WINDOW || ahead < -TCP_WINDOW))
        return;
    if (!w->has_ack || tcp_distance(w->acked, ack) > 0) {
        w->has_ack = true;
        w->acked = ack;
    }
}

/* A segment without data stands where the next data will, a keep-alive one before that. */
static void note_empty(struct tcp_way *w, uint32_t seq)
{
    if (w->start == TCP_UNKNOWN || (w->start == TCP_HINTED && tcp_distance(w->next, seq) > 0)) {
        w->start = TCP_HINTED;
        w->next = seq;
    }
}

static void note_fin(struct tcp_way *w, uint32_t fin)
{
    if (w->has_fin || (w->start >= TCP_FLOATING && tcp_distance(w->next, fin) < 0))
        return;
    if (w->start < TCP_FLOATING) {
        w->start = TCP_SET;
        w->first = w->next = fin;
    }
    w->has_fin = true;
    w->fin = fin;
}

static bool resets(const struct tcp_way *w, const struct segment *s)
{
    int32_t distance = tcp_distance(w->next, s->seq);
    return s->flags & RST &&
           (w->start < TCP_FLOATING || (distance <= TCP_WINDOW && distance >= -TCP_WINDOW));
}

static void count_stream(struct packet_decoder *d, struct tcp_connection *c,
                         const struct segment *s)
{
    if (c->counted || !(s->flags & SYN || s->data.n))
        return;
    c->counted = true;
    d->stats.streams++;
}

static void read_segment(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                         const struct segment *s)
{
    struct tcp_way *w = &c->ways[way], *other = &c->ways[!way];
    if (s->flags & SYN ? !syn_belongs(c, way, s) : is_another(c, way, s))
        restart(d, c);
    count_stream(d, c, s);
    if (c->closed && !w->ended && tcp_distance(w->next, s->data.seq + s->data.n) > 0)
        c->closed = s->data.n == 0; /* whoever reset it was not heard */
    if (s->flags & SYN)
        note_syn(d, c, way, s);
    if (s->flags & ACK)
        note_ack(other, s->ack);
    tcp_way_settle(d, c, !way);
    if (s->data.n)
        tcp_way_read(d, c, way, &s->data);
    else if (!(s->flags & (SYN | FIN | RST)))
        note_empty(w, s->seq);
    if (s->flags & FIN && !w->ended)
        note_fin(w, s->data.seq + s->data.n);
    tcp_way_settle(d, c, way);
    if (resets(w, s)) {
        close_connection(d, c);
        c->closed = true;
    }
    close_if_ended(d, c);
}

/* The numbers of the segment fit those of a connection in another network.  That one's place is
 * free where it is over. */
static bool fits(const struct tcp_connection *c, unsigned way, const struct segment *s)
{
    const struct tcp_way *w = &c->ways[way], *other = &c->ways[!way];
    int32_t distance = 0;
    if (s->flags & SYN)
        return c->closed || syn_belongs(c, way, s);
    if (w->start != TCP_UNKNOWN)
        distance = tcp_distance(w->next, s->seq);
    else if (s->flags & ACK && other->start != TCP_UNKNOWN)
        distance = tcp_distance(other->next, s->ack);
    return distance <= TCP_WINDOW && distance >= -TCP_WINDOW;
}

/* The one in this network, or one in another that the segment fits, or any where there are too many
 * of them. */
static struct tcp_connection *find(struct packet_context *x, const struct segment *s,
                                   struct tcp_search *search, unsigned *way)
{
    struct tcp_connection *c, *found = NULL;
    for (unsigned n = 1; (c = tcp_table_next(x->d->tcp, search)) != NULL; n++) {
        if (c->network != x->network && (found || (n < TCP_NETWORKS && !fits(c, search->way, s))))
            continue;
        found = c;
        *way = search->way;
        if (c->network == x->network)
            break;
    }
    if (found && s->flags & SYN && !syn_belongs(found, *way, s))
        found->network = x->network;
    return found;
}

/* Of a connection that is not known, a reset or the end says nothing worth keeping. */
static struct tcp_connection *connection_of(struct packet_context *x, const struct segment *s,
                                            unsigned *way)
{
    struct packet_tcp *t = x->d->tcp;
    struct tcp_search search = tcp_table_search(t, &x->out.src, &x->out.dst);
    struct tcp_connection *c = find(x, s, &search, way);
    if (c || (!s->data.n && s->flags & (FIN | RST)))
        return c;
    c = tcp_table_add(t, &x->out.src, &x->out.dst, search.hash);
    c->network = x->network;
    *way = 0;
    return c;
}

static void push_segment(struct packet_context *x, const struct segment *s)
{
    unsigned way;
    struct packet_decoder *d = x->d;
    end_old(d, x->out.time_ns);
    struct tcp_connection *c = connection_of(x, s, &way);
    if (!c)
        return;
    c->time_ns = x->out.time_ns;
    read_segment(d, c, way, s);
    tcp_table_touch(d->tcp, c);
    make_room(d, c);
}

/* ---- the header ------------------------------------------------------------------------------ */

/* Options hold nothing that is needed.  Where the snap length cut them, the data are known to be
 * missing, and how many. */
static bool skip_options(struct packet_context *x, struct packet_view *v, size_t n)
{
    if (packet_skip(v, n))
        return true;
    packet_lost(x, v);
    if (v->missing < n - v->bytes.n)
        return false;
    v->missing -= n - v->bytes.n;
    v->bytes = slice_from(v->bytes, v->bytes.n);
    return true;
}

static void tell_segment(const struct packet_context *x, const struct segment *s)
{
    const struct packet_segment told = {x->out.src, x->out.dst, s->data.n, s->flags & SYN};
    x->d->segment(x->d->sinks.context, &told);
}

/* Urgent data are data like others (RFC 6093).  What was in an IP fragment that was lost, nobody
 * knows how much, may be sent again, as may all behind it. */
void packet_read_tcp(struct packet_context *x, struct packet_view v)
{
    struct tcp_header h;
    struct packet_parts *parts = &x->d->tcp->parts;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    size_t head = (h.offset >> 4) * 4u;
    if (head < sizeof h) {
        packet_malformed(x);
        return;
    }
    if (!skip_options(x, &v, head - sizeof h))
        return;
    x->d->stats.segments++;
    x->out.src.port = be16toh(h.src);
    x->out.dst.port = be16toh(h.dst);
    x->out.bytes = v.bytes;
    if (x->out.offset != SOURCE_NO_OFFSET)
        x->out.offset += (uint64_t)(v.bytes.p - x->origin);
    packet_share_frames(x);
    vec_clear(parts);
    packet_parts_add(parts, &x->out);
    struct segment s = {.seq = be32toh(h.seq), .ack = be32toh(h.ack), .flags = h.flags};
    if (s.flags & RST) /* what comes with it is of no account (RFC 9293 3.10.7) */
        s.flags &= (uint8_t) ~(SYN | FIN);
    s.data = (struct tcp_data){.seq = s.seq + (s.flags & SYN ? 1 : 0),
                               .n = (uint32_t)(v.bytes.n + v.missing),
                               .bytes = v.bytes,
                               .parts = parts->items,
                               .part_count = parts->n};
    if (x->out.gap && v.missing) {
        s.flags &= (uint8_t)~FIN;
        s.data.n = (uint32_t)v.bytes.n;
    }
    if (s.flags & RST)
        s.data.n = 0;
    if (x->d->segment)
        tell_segment(x, &s);
    push_segment(x, &s);
}

/* ---- the end of the capture ------------------------------------------------------------------ */

/* In the order in which they began, so that the output does not depend on the hash. */
void packet_tcp_flush(struct packet_decoder *d)
{
    for (size_t i = 0; i < d->tcp->connections.n; i++)
        close_connection(d, &d->tcp->connections.items[i]);
}

void packet_tcp_free(struct packet_decoder *d)
{
    struct packet_tcp *t = d->tcp;
    packet_tcp_flush(d);
    map_free(&t->index);
    vec_free(&t->connections);
    vec_free(&t->parts);
    vec_free(&t->clipped);
    free(t);
}

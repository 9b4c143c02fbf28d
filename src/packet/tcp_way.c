/* One direction of a TCP connection: its bytes in order, once each.
 *
 * Of two copies of a byte the first that was captured is taken: what a receiver has given to its
 * reader it does not take back, and of what is still waiting most keep the first copy too.  Where
 * the second one differs, that is counted.
 *
 * A direction whose beginning is not in the capture starts with the first segment that looks like
 * the beginning of something.  Before that, segments wait as behind a hole, since those before them
 * may have been captured late. */
#include "packet/tcp.h"

#include <stdlib.h>

#define SECOND 1000000000ll
#define EARLY  65536u /* bytes before the first that were seen, which may still come */

/* ---- giving bytes to the stream -------------------------------------------------------------- */

static struct packet_stream *stream_of(struct packet_decoder *d, struct tcp_connection *c)
{
    if (c->stream)
        return c->stream;
    c->stream = base_alloc(sizeof *c->stream);
    packet_stream_init(c->stream, d, PACKET_TCP, &c->ends[0], &c->ends[1]);
    for (unsigned way = 0; way < 2; way++)
        c->stream->half[way].joined = c->ways[way].joined || c->ways[way].given;
    return c->stream;
}

/* Bytes [from, to) of the data.  Their parts are good until the next call. */
static struct tcp_data clip(struct packet_decoder *d, const struct tcp_data *data, uint32_t from,
                            uint32_t to)
{
    struct packet_parts *parts = &d->tcp->clipped;
    struct tcp_data out = {.seq = data->seq + from, .n = to - from};
    out.bytes = slice_first(slice_from(data->bytes, from), out.n);
    vec_clear(parts);
    for (size_t i = 0; i < data->part_count; i++) {
        struct packet_part part = data->parts[i];
        if (!packet_part_clip(&part, from, to))
            continue;
        part.begin -= from;
        part.end -= from;
        *vec_add(parts) = part;
    }
    out.parts = parts->items;
    out.part_count = parts->n;
    return out;
}

static void give(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                 const struct tcp_data *data)
{
    struct packet_stream *stream = stream_of(d, c);
    c->ways[way].given = true;
    c->ways[way].next += data->n;
    packet_stream_push(stream, way, data->bytes, data->parts, data->part_count);
    if (data->bytes.n < data->n) {
        d->stats.stream_cut++;
        packet_stream_hole(stream, way, PACKET_CUT, data->n - data->bytes.n);
    }
}

static void end_if_complete(struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    if (w->start != TCP_SET || !w->has_fin || w->ended || w->next != w->fin)
        return;
    w->ended = true;
    if (c->stream)
        packet_stream_end(c->stream, way);
}

/* Gives what is no longer waiting for anything. */
static void drain(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    const struct tcp_piece *piece;
    while ((piece = tcp_pending_first(w->pending)) != NULL && piece->seq == w->next) {
        const struct tcp_segment *s = piece->of;
        struct tcp_data all = {.seq = piece->seq - piece->at,
                               .n = piece->at + piece->n,
                               .bytes = {s->bytes, piece->at + piece->have},
                               .parts = s->parts,
                               .part_count = s->part_count};
        struct tcp_data data = clip(d, &all, piece->at, piece->at + piece->n);
        give(d, c, way, &data);
        tcp_pending_drop(d, &w->pending);
    }
    if (!w->pending)
        w->patience = 0;
}

/* ---- beginnings ------------------------------------------------------------------------------ */

void tcp_way_begin(struct packet_decoder *d, struct tcp_connection *c, unsigned way, uint32_t seq)
{
    struct tcp_way *w = &c->ways[way];
    w->start = TCP_SET;
    w->next = w->first = w->hole_from = w->hole_to = seq;
    drain(d, c, way);
}

/* Begins with the first segment that is there. */
static void join(struct packet_decoder *d, struct tcp_connection *c, unsigned way, uint32_t seq)
{
    struct tcp_way *w = &c->ways[way];
    w->joined = true;
    if (c->stream)
        c->stream->half[way].joined = true;
    tcp_way_begin(d, c, way, seq);
    w->hole_from = seq - EARLY;
}

static bool piece_begins(const struct tcp_piece *piece)
{
    return packet_stream_begins((struct slice){piece->of->bytes + piece->at, piece->have});
}

/* Begins with the first of what waits.  One byte that goes before a beginning is a keep-alive. */
static void join_pending(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_pending **p = &c->ways[way].pending;
    const struct tcp_piece *first = tcp_pending_first(*p);
    if ((*p)->n > 1 && first->n == 1 && first[1].seq == first->seq + 1 && piece_begins(&first[1]))
        tcp_pending_drop(d, p);
    join(d, c, way, tcp_pending_first(*p)->seq);
}

/* ---- holes ----------------------------------------------------------------------------------- */

/* Goes on behind the first hole. */
static void skip_hole(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    const struct tcp_piece *piece = tcp_pending_first(w->pending);
    uint32_t end = piece ? piece->seq : w->fin;
    if (w->pending)
        w->pending->since_ns = c->time_ns;
    if (w->start == TCP_FLOATING) {
        join_pending(d, c, way);
        return;
    }
    d->stats.stream_holes++;
    packet_stream_hole(stream_of(d, c), way, PACKET_GAP, end - w->next);
    w->hole_from = w->next;
    w->hole_to = w->next = end;
    drain(d, c, way);
}

static bool is_waiting(const struct tcp_way *w)
{
    return w->pending || (w->start == TCP_SET && w->has_fin && !w->ended);
}

/* The other side has acknowledged what is behind the hole. */
static bool is_acknowledged(const struct tcp_way *w)
{
    const struct tcp_piece *piece = tcp_pending_first(w->pending);
    return w->has_ack && tcp_distance(piece ? piece->seq : w->fin, w->acked) >= 0;
}

void tcp_way_settle(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    end_if_complete(c, way);
    if (!is_waiting(w))
        return;
    bool over = is_acknowledged(w) && ++w->patience > PACKET_HOLE_SEGMENTS;
    if (w->pending && c->time_ns - w->pending->since_ns > PACKET_HOLE_SECONDS * SECOND)
        skip_hole(d, c, way);
    while (over && is_waiting(w) && is_acknowledged(w)) {
        skip_hole(d, c, way);
        end_if_complete(c, way);
    }
    end_if_complete(c, way);
}

void tcp_way_resolve(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    end_if_complete(c, way);
    while (is_waiting(w)) {
        skip_hole(d, c, way);
        end_if_complete(c, way);
    }
}

void tcp_way_finish(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    tcp_way_resolve(d, c, way);
    if (!c->stream || w->ended || w->start != TCP_SET || !w->has_ack)
        return;
    int32_t missing = tcp_distance(w->next, w->acked);
    if (missing <= 1) /* 1: the FIN itself */
        return;
    d->stats.stream_holes++;
    packet_stream_hole(c->stream, way, PACKET_GAP, (uint32_t)missing);
}

/* ---- data ------------------------------------------------------------------------------------ */

static void add_pending(struct packet_decoder *d, struct tcp_connection *c, struct tcp_way *w,
                        const struct tcp_data *data)
{
    if (!tcp_pending_add(d, &w->pending, w->next, data, c->time_ns))
        d->stats.stream_overlapping++;
}

static void keep_limits(struct packet_decoder *d, struct tcp_connection *c, unsigned way)
{
    struct tcp_way *w = &c->ways[way];
    while (w->pending &&
           (w->pending->n > PACKET_PENDING || w->pending->bytes > PACKET_PENDING_BYTES)) {
        d->stats.stream_overflows++;
        skip_hole(d, c, way);
    }
}

static void wait_for_turn(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                          const struct tcp_data *data)
{
    add_pending(d, c, &c->ways[way], data);
    drain(d, c, way);
    keep_limits(d, c, way);
}

/* Before it is known where the direction begins. */
static void read_floating(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                          const struct tcp_data *data)
{
    struct tcp_way *w = &c->ways[way];
    if (tcp_distance(w->next, data->seq) < 0)
        w->next = data->seq;
    add_pending(d, c, w, data);
    if (piece_begins(tcp_pending_first(w->pending)))
        join_pending(d, c, way);
    keep_limits(d, c, way);
}

/* Whether the direction may begin with this, for all that is known.  If not, it waits. */
static void find_start(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                       const struct tcp_data *data)
{
    struct tcp_way *w = &c->ways[way];
    if ((w->start == TCP_HINTED && w->next == data->seq) || data->bytes.n == 0 ||
        packet_stream_begins(data->bytes)) {
        join(d, c, way, data->seq);
    } else {
        w->start = TCP_FLOATING;
        w->next = data->seq;
    }
}

/* Bytes before `next`: sent again, or captured after their place was given up. */
static void read_late(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                      const struct tcp_data *data)
{
    struct tcp_way *w = &c->ways[way];
    int32_t from = tcp_distance(data->seq, w->hole_from), to = tcp_distance(data->seq, w->hole_to);
    from = from > 0 ? from : 0;
    to = to < (int32_t)data->n ? to : (int32_t)data->n;
    if (from >= to)
        return;
    struct tcp_data late = clip(d, data, (uint32_t)from, (uint32_t)to);
    bool adjoins = late.seq + late.n == w->next;
    if (late.bytes.n < late.n || !c->stream ||
        !packet_stream_late(c->stream, way, late.bytes, late.parts, late.part_count, adjoins))
        d->stats.stream_late += late.n;
    /* The larger part of the hole is still one. */
    if (tcp_distance(w->hole_from, late.seq) >= tcp_distance(late.seq + late.n, w->hole_to))
        w->hole_to = late.seq;
    else
        w->hole_from = late.seq + late.n;
}

/* A keep-alive segment repeats the byte before the next one, or makes one up (RFC 9293 3.8.4). */
static bool is_keep_alive(const struct tcp_way *w, const struct tcp_data *data)
{
    return data->n == 1 && w->start != TCP_UNKNOWN && w->start != TCP_FLOATING &&
           data->seq + 1 == w->next;
}

void tcp_way_read(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                  const struct tcp_data *data)
{
    struct tcp_way *w = &c->ways[way];
    struct tcp_data clipped;
    if (is_keep_alive(w, data))
        return;
    if (w->start < TCP_FLOATING)
        find_start(d, c, way, data);
    if (w->start == TCP_FLOATING) {
        read_floating(d, c, way, data);
        return;
    }
    read_late(d, c, way, data);
    int32_t from = tcp_distance(data->seq, w->next), end = (int32_t)data->n;
    from = from > 0 ? from : 0;
    if (w->has_fin && tcp_distance(data->seq, w->fin) < end) {
        end = tcp_distance(data->seq, w->fin);
        d->stats.stream_late += data->n - (uint32_t)(end > 0 ? end : 0);
    }
    if (from >= end)
        return;
    if (from > 0 || end < (int32_t)data->n) {
        clipped = clip(d, data, (uint32_t)from, (uint32_t)end);
        data = &clipped;
    }
    if (!w->pending && data->seq == w->next)
        give(d, c, way, data);
    else
        wait_for_turn(d, c, way, data);
}

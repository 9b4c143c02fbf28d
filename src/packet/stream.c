/* Streams: holds what is not taken, keeps account of the frames it came in, and lets the protocol
 * take it. */
#include "packet/stream.h"

#include <assert.h>
#include <stdlib.h>

/* Bytes after the place where a stream was joined among which the beginning of what it carries is
 * looked for: the longest HEP message. */
#define STREAM_JOINED_MAX 65536u

/* ---- parts ----------------------------------------------------------------------------------- */

void packet_parts_add(struct packet_parts *parts, const struct packet_payload *p)
{
    for (size_t i = 0; i < p->frame_count; i++)
        *vec_add(parts) = (struct packet_part){.end = p->bytes.n,
                                               .offset = p->offset,
                                               .time_ns = p->time_ns,
                                               .frame = p->frames[i],
                                               .ip_id = p->ip_id,
                                               .interface = p->interface,
                                               .direction = p->direction};
}

bool packet_part_clip(struct packet_part *part, size_t from, size_t to)
{
    if (part->end <= from || part->begin >= to)
        return false;
    if (part->begin < from) {
        if (part->offset != SOURCE_NO_OFFSET)
            part->offset += from - part->begin;
        part->begin = from;
    }
    part->end = part->end < to ? part->end : to;
    return true;
}

/* The i-th part of the bytes that a push is about, as far as it lies within [from, to). */
static bool part_at(const struct packet_half *h, size_t i, size_t from, size_t to,
                    struct packet_part *out)
{
    if (i < h->parts.n) {
        *out = h->parts.items[i];
    } else {
        *out = h->fresh.parts[i - h->parts.n];
        out->begin += h->fresh.at;
        out->end += h->fresh.at;
    }
    return packet_part_clip(out, from, to);
}

static size_t part_count(const struct packet_half *h)
{
    return h->parts.n + h->fresh.n;
}

void packet_window_parts(const struct packet_window *w, size_t at, size_t n, size_t extent,
                         struct packet_parts *parts)
{
    const struct packet_half *h = w->half;
    size_t from = h->taken + at;
    struct packet_part part;
    for (size_t i = h->parts_taken; i < part_count(h); i++) {
        if (!part_at(h, i, from, from + n, &part))
            continue;
        part.begin = extent ? 0 : part.begin - from;
        part.end = extent ? extent : part.end - from;
        part.offset = SOURCE_NO_OFFSET;
        *vec_add(parts) = part;
    }
}

void packet_frames_add(struct packet_decoder *d, uint32_t frame)
{
    size_t at = d->frames.n;
    while (at > 0 && d->frames.items[at - 1] > frame)
        at--;
    if (at > 0 && d->frames.items[at - 1] == frame)
        return;
    (void)vec_add(&d->frames);
    memmove(d->frames.items + at + 1, d->frames.items + at,
            (d->frames.n - 1 - at) * sizeof *d->frames.items);
    d->frames.items[at] = frame;
}

/* What the parts of a payload tell: the frame that completes it is the last of the capture among
 * its own. */
struct gathered {
    size_t count;
    struct packet_part last;
};

static void gather(struct packet_decoder *d, struct gathered *g, const struct packet_part *part)
{
    if (g->count++ == 0) {
        vec_clear(&d->frames);
        g->last = *part;
    }
    if (part->frame >= g->last.frame)
        g->last = *part;
    packet_frames_add(d, part->frame);
}

static struct packet_payload gathered_payload(struct packet_decoder *d, const struct gathered *g)
{
    return (struct packet_payload){
        .time_ns = g->last.time_ns,
        .offset = g->count == 1 ? g->last.offset : SOURCE_NO_OFFSET,
        .frames = d->frames.items,
        .frame_count = g->count ? d->frames.n : 0,
        .direction = g->last.direction,
        .ip_id = g->last.ip_id,
        .interface = g->last.interface,
    };
}

void packet_window_payload(const struct packet_window *w, size_t at, size_t n,
                           struct packet_payload *out)
{
    const struct packet_half *h = w->half;
    size_t from = h->taken + at;
    struct packet_part part;
    struct gathered g = {0};
    for (size_t i = h->parts_taken; i < part_count(h); i++)
        if (part_at(h, i, from, from + n, &part))
            gather(h->d, &g, &part);
    *out = gathered_payload(h->d, &g);
    out->transport = w->transport;
    out->src = w->src;
    out->dst = w->dst;
    out->bytes = slice_first(slice_from(w->bytes, at), n);
}

void packet_parts_payload(struct packet_decoder *d, const struct packet_parts *parts,
                          struct packet_payload *out)
{
    struct gathered g = {0};
    for (size_t i = 0; i < parts->n; i++)
        gather(d, &g, &parts->items[i]);
    *out = gathered_payload(d, &g);
}

/* Parts end in the order they stand in, so that each is passed over once. */
static void pass_parts(struct packet_half *h)
{
    struct packet_part part;
    while (h->parts_taken < part_count(h) && !part_at(h, h->parts_taken, h->taken, SIZE_MAX, &part))
        h->parts_taken++;
}

static void keep_part(struct packet_half *h, struct packet_part part)
{
    size_t cap = h->parts.cap;
    part.begin -= h->taken;
    part.end -= h->taken;
    *vec_add(&h->parts) = part;
    h->d->stream_bytes += (h->parts.cap - cap) * sizeof part;
}

/* Keeps the parts of what was not taken, which counts from 0 then. */
static void keep_parts(struct packet_half *h)
{
    struct packet_part part;
    size_t old = h->parts.n;
    if (h->taken) {
        h->parts.n = 0;
        for (size_t i = h->parts_taken; i < old; i++) {
            part = h->parts.items[i];
            if (packet_part_clip(&part, h->taken, SIZE_MAX))
                keep_part(h, part);
        }
    }
    for (size_t i = 0; i < h->fresh.n; i++) {
        part = h->fresh.parts[i];
        part.begin += h->fresh.at;
        part.end += h->fresh.at;
        if (packet_part_clip(&part, h->taken, SIZE_MAX))
            keep_part(h, part);
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void half_hold(struct packet_half *h, struct slice bytes)
{
    size_t cap = h->cap;
    if (h->n + bytes.n > h->cap) {
        while (h->cap < h->n + bytes.n)
            h->cap = h->cap ? h->cap * 2 : 1024;
        h->held = base_realloc(h->held, h->cap);
    }
    if (bytes.n)
        memcpy(h->held + h->n, bytes.p, bytes.n);
    h->n += bytes.n;
    h->d->stream_bytes += h->cap - cap;
}

static void half_drop(struct packet_half *h)
{
    if (h->cap) {
        h->d->stream_bytes -= h->cap + h->parts.cap * sizeof *h->parts.items;
        free(h->held);
        h->held = NULL;
        h->cap = 0;
        vec_free(&h->parts);
    }
    h->n = h->want = 0;
}

/* Lets the protocol take what it wants; returns what is left. */
static struct slice offer(struct packet_stream *s, unsigned way, struct slice bytes,
                          enum packet_after after, uint64_t missing)
{
    struct packet_half *h = &s->half[way];
    struct packet_window w = {.transport = s->transport,
                              .src = s->ends[way],
                              .dst = s->ends[!way],
                              .bytes = bytes,
                              .after = after,
                              .missing = missing,
                              .joined = h->joined,
                              .memo = h->memo,
                              .want = &h->want,
                              .half = h};
    h->want = 0;
    while (w.bytes.n > 0 || after != PACKET_MORE) {
        bool more;
        if (!s->protocol && w.bytes.n > 0)
            s->protocol = packet_protocol_of(s, &w, &more);
        if (!s->protocol)
            break;
        size_t n = s->protocol->take(s, way, &w);
        assert(n <= w.bytes.n);
        if (n == 0)
            break;
        h->want = 0;
        h->taken += n;
        pass_parts(h);
        w.bytes = slice_from(w.bytes, n);
    }
    return w.bytes;
}

/* Keeps what is left for the next push. */
static void keep(struct packet_half *h, struct slice rest, bool was_held)
{
    if (rest.n == 0) {
        half_drop(h);
        return;
    }
    keep_parts(h);
    if (!was_held) {
        half_hold(h, rest);
    } else if (h->taken) {
        memmove(h->held, rest.p, rest.n);
        h->n = rest.n;
    }
}

static bool is_full(const struct packet_half *h, struct slice rest)
{
    return rest.n >= PACKET_STREAM_BYTES || part_count(h) - h->parts_taken > PACKET_STREAM_PARTS;
}

/* What was taken for plain can turn out to be another protocol: WebSocket, where the connection
 * served other HTTP before (RFC 9110 7.8), and HEP, of which the capture had no beginning yet. */
static void reconsider(struct packet_stream *s, unsigned way, struct slice fresh)
{
    struct packet_half *h = &s->half[way];
    const struct packet_protocol *other = NULL;
    if (!s->half[0].n && !s->half[1].n && packet_websocket_begins(fresh))
        other = &packet_protocol_websocket;
    if (h->joined && h->looked_at < STREAM_JOINED_MAX) {
        h->looked_at += fresh.n < STREAM_JOINED_MAX ? (uint32_t)fresh.n : STREAM_JOINED_MAX;
        other = packet_hep_within(fresh) ? &packet_protocol_hep : other;
    }
    if (!other)
        return;
    s->protocol = other;
    memset(s->half[0].memo, 0, sizeof s->half[0].memo);
    memset(s->half[1].memo, 0, sizeof s->half[1].memo);
}

/* What came is taken from where it stands if nothing is held, so that a message in one segment is
 * never copied. */
static void feed(struct packet_stream *s, unsigned way, struct slice bytes, enum packet_after after,
                 uint64_t missing)
{
    struct packet_half *h = &s->half[way];
    bool was_held = h->n > 0;
    if (s->protocol == &packet_protocol_plain && bytes.n)
        reconsider(s, way, bytes);
    if (was_held) {
        half_hold(h, bytes);
        bytes = (struct slice){h->held, h->n};
    }
    struct slice rest = bytes;
    h->taken = h->parts_taken = 0;
    if (after != PACKET_MORE || bytes.n >= h->want)
        rest = offer(s, way, bytes, after, missing);
    if (after == PACKET_MORE && rest.n && is_full(h, rest)) {
        s->d->stats.stream_full++;
        after = PACKET_FULL;
        rest = offer(s, way, rest, after, 0);
    }
    if (after == PACKET_MORE) {
        keep(h, rest, was_held);
    } else {
        s->d->stats.stream_lost += rest.n;
        half_drop(h);
    }
    h->fresh = (struct packet_fresh){0};
}

/* ---- what a stream's maker calls ------------------------------------------------------------- */

void packet_stream_init(struct packet_stream *s, struct packet_decoder *d,
                        enum packet_transport transport, const struct endpoint *src,
                        const struct endpoint *dst)
{
    *s = (struct packet_stream){.d = d, .transport = transport, .ends = {*src, *dst}};
    s->half[0].d = s->half[1].d = d;
}

void packet_stream_joined(struct packet_stream *s)
{
    s->half[0].joined = s->half[1].joined = true;
}

void packet_stream_push(struct packet_stream *s, unsigned way, struct slice bytes,
                        const struct packet_part *parts, size_t count)
{
    struct packet_half *h = &s->half[way];
    if (h->ended || bytes.n == 0)
        return;
    h->fresh = (struct packet_fresh){parts, count, h->n};
    feed(s, way, bytes, PACKET_MORE, 0);
}

void packet_stream_hole(struct packet_stream *s, unsigned way, enum packet_after why,
                        uint64_t missing)
{
    struct packet_half *h = &s->half[way];
    if (h->ended)
        return;
    if (!s->protocol && h->n == 0)
        h->joined = true;
    feed(s, way, SLICE_NONE, why, missing);
}

void packet_stream_end(struct packet_stream *s, unsigned way)
{
    if (s->half[way].ended)
        return;
    s->half[way].ended = true;
    feed(s, way, SLICE_NONE, PACKET_END, 0);
}

void packet_stream_close(struct packet_stream *s)
{
    packet_stream_end(s, 0);
    packet_stream_end(s, 1);
    if (s->protocol && s->protocol->free)
        s->protocol->free(s);
    s->protocol = NULL;
    s->state = NULL;
}

/* ---- bytes out of their place ---------------------------------------------------------------- */

/* As far as the bytes go. */
static bool begins_with(struct slice bytes, struct slice word)
{
    return slice_equal(slice_first(bytes, word.n), slice_first(word, bytes.n));
}

/* The line is not over yet, or ends with a version. */
static bool ends_with_version(struct slice bytes)
{
    size_t n = slice_find(bytes, '\n'), word;
    if (n == bytes.n)
        return true;
    struct slice line = slice_trim(slice_first(bytes, n));
    for (word = line.n; word > 0 && line.p[word - 1] != ' '; word--)
        ;
    line = slice_from(line, word);
    return slice_starts(line, SLICE("SIP/")) || slice_starts(line, SLICE("HTTP/"));
}

/* The line of a response, or of a request by a method that is known: what begins otherwise waits
 * for what is before it.  In the middle of a message there are "SIP/2.0/TCP 10.0.0.1", "IN IP4
 * 10.0.0.1", and the rest of what was cut within its method. */
static bool begins_start_line(struct slice bytes)
{
    static const char *const words[] = {
        "SIP/2.0 ",  "HTTP/1.1 ", "INVITE ",    "ACK ",    "BYE ",     "CANCEL ",
        "REGISTER ", "OPTIONS ",  "PRACK ",     "NOTIFY ", "PUBLISH ", "INFO ",
        "REFER ",    "MESSAGE ",  "SUBSCRIBE ", "UPDATE ", "GET ",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins_with(bytes, slice_of(words[i])))
            return i < 2 || ends_with_version(bytes);
    return false;
}

bool packet_stream_begins(struct slice bytes)
{
    uint8_t first = bytes.n ? (uint8_t)bytes.p[0] : 0;
    if (first >= 20 && first <= 24) /* a record of TLS */
        return bytes.n < 2 || bytes.p[1] == 3;
    if (first == '\r' || first == '\n')
        return slice_trim(bytes).n == 0;
    if (first == 0x81 || first == 0x82 || first == 0x89 || first == 0x8a) /* a frame of WebSocket */
        return true;
    return (bytes.n && begins_start_line(bytes)) || slice_starts(bytes, SLICE("HEP3"));
}

bool packet_stream_late(struct packet_stream *s, unsigned way, struct slice bytes,
                        const struct packet_part *parts, size_t count, bool adjoins)
{
    struct packet_half *h = &s->half[way];
    if (h->ended || h->n || (s->protocol && s->protocol != &packet_protocol_plain) ||
        !packet_stream_begins(bytes))
        return false;
    packet_stream_push(s, way, bytes, parts, count);
    if (h->n && !adjoins)
        packet_stream_hole(s, way, PACKET_GAP, 0);
    return true;
}

/* ---- what a stream carries ------------------------------------------------------------------- */

static size_t take_plain(struct packet_stream *s, unsigned way, const struct packet_window *w)
{
    (void)way;
    return s->d->sinks.stream(s->d->sinks.context, w);
}

const struct packet_protocol packet_protocol_plain = {"plain", take_plain, NULL};

const struct packet_protocol *packet_protocol_of(const struct packet_stream *s,
                                                 const struct packet_window *w, bool *more)
{
    static const struct {
        const struct packet_protocol *protocol;
        /* 1: it is, 0: it is not, -1: too few bytes to tell */
        int (*probe)(const struct packet_stream *s, const struct packet_window *w);
    } known[] = {
        {&packet_protocol_tls, packet_tls_probe},
        {&packet_protocol_hep, packet_hep_probe}, /* whose lengths may look like WebSocket */
        {&packet_protocol_websocket, packet_websocket_probe},
        {&packet_protocol_plain, NULL},
    };
    *more = false;
    for (size_t i = 0; known[i].probe; i++) {
        int is = known[i].probe(s, w);
        if (is > 0)
            return known[i].protocol;
        *more |= is < 0;
    }
    *more &= w->after == PACKET_MORE;
    return *more ? NULL : &packet_protocol_plain;
}

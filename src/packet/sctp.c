/* SCTP (RFC 9260): user messages out of DATA chunks and I-DATA chunks (RFC 8260), put together
 * where they are fragmented.
 *
 * One direction of an association is known by its ports and its verification tag, which the
 * receiver chose at random: the addresses may be others in each packet (multihoming).  Each chunk
 * has a number (TSN); one that was seen before is a copy.  The fragments of a message in DATA
 * chunks have numbers in a row; those in I-DATA chunks say which message they belong to and count
 * from 0, so that messages may be interleaved. */
#include "packet/sctp.h"

#include <endian.h>
#include <stdlib.h>

#define NONE UINT32_MAX
#define FAR  65536 /* numbers so far behind belong to another association */

enum { DATA = 0, I_DATA = 64 };

struct sctp_header {
    uint16_t src, dst;
    uint32_t tag, checksum;
};

struct chunk_header {
    uint8_t type, flags;
    uint16_t length;
};

struct data_header {
    uint32_t tsn;
    uint16_t stream, ssn;
    uint32_t ppid;
};

struct i_data_header {
    uint32_t tsn;
    uint16_t stream, reserved;
    uint32_t message, number; /* number: of the fragment; in the first one, the PPID */
};

struct packet_sctp *packet_sctp_new(const struct hash_key *key)
{
    struct packet_sctp *t = base_alloc(sizeof *t);
    t->key = *key;
    t->free_way = t->oldest = t->newest = NONE;
    return t;
}

/* ---- what was seen --------------------------------------------------------------------------- */

static void forget(struct sctp_way *w, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < SCTP_WINDOW; i++)
        w->seen[(from + i) % SCTP_WINDOW / 64] &= ~((uint64_t)1 << (from + i) % 64);
}

/* Notes the number; false where it was seen before, or is too old to tell. */
static bool is_new(struct sctp_way *w, uint32_t tsn)
{
    int32_t ahead = (int32_t)(tsn - w->base);
    if (ahead < 0 && ahead > -FAR)
        return false;
    if (ahead < 0 || ahead > FAR) {
        memset(w->seen, 0, sizeof w->seen);
        w->base = tsn - SCTP_WINDOW / 2; /* those before it may have been captured late */
    } else if ((uint32_t)ahead >= SCTP_WINDOW) {
        uint32_t step = (uint32_t)ahead - SCTP_WINDOW + 1;
        forget(w, w->base, step);
        w->base += step;
    }
    uint64_t bit = (uint64_t)1 << tsn % 64, *word = &w->seen[tsn % SCTP_WINDOW / 64];
    bool fresh = !(*word & bit);
    *word |= bit;
    return fresh;
}

/* ---- directions ------------------------------------------------------------------------------ */

static uint64_t hash_of(const struct packet_sctp *t, const struct packet_payload *p, uint32_t tag)
{
    struct {
        uint32_t tag;
        uint16_t src, dst;
    } key = {tag, p->src.port, p->dst.port};
    return hash_bytes(&t->key, &key, sizeof key);
}

/* Where both sides use the same port and tag, the addresses tell which direction it is. */
static bool is_reverse(const struct sctp_way *w, const struct packet_payload *p)
{
    return !address_equal(&w->src.ip, &p->src.ip) &&
           (address_equal(&w->src.ip, &p->dst.ip) || address_equal(&w->dst.ip, &p->src.ip));
}

static struct sctp_way *find(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                             uint64_t hash)
{
    uint32_t at = map_first(&t->index, hash), id;
    while ((id = map_next(&t->index, hash, &at)) != MAP_NONE) {
        struct sctp_way *w = &t->ways.items[id];
        if (w->tag == tag && w->src.port == p->src.port && w->dst.port == p->dst.port &&
            !is_reverse(w, p))
            return w;
    }
    return NULL;
}

static void unlink_way(struct packet_sctp *t, struct sctp_way *w)
{
    if (w->older != NONE)
        t->ways.items[w->older].newer = w->newer;
    else
        t->oldest = w->newer;
    if (w->newer != NONE)
        t->ways.items[w->newer].older = w->older;
    else
        t->newest = w->older;
}

static void link_newest(struct packet_sctp *t, struct sctp_way *w)
{
    uint32_t id = (uint32_t)(w - t->ways.items);
    w->older = t->newest;
    w->newer = NONE;
    if (t->newest != NONE)
        t->ways.items[t->newest].newer = id;
    else
        t->oldest = id;
    t->newest = id;
}

static void end_way(struct packet_decoder *d, struct sctp_way *w)
{
    struct packet_sctp *t = d->sctp;
    uint32_t id = (uint32_t)(w - t->ways.items);
    while (w->fragments.n)
        sctp_fragment_give_up(d, w, 0);
    unlink_way(t, w);
    map_remove(&t->index, w->hash, id);
    w->newer = t->free_way;
    t->free_way = id;
    t->n--;
}

static struct sctp_way *add(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                            uint32_t tsn, uint64_t hash)
{
    uint32_t id = t->free_way;
    if (id == NONE)
        id = (uint32_t)vec_next(&t->ways);
    else
        t->free_way = t->ways.items[id].newer;
    struct sctp_way *w = &t->ways.items[id];
    *w = (struct sctp_way){
        .hash = hash, .tag = tag, .src = p->src, .dst = p->dst, .base = tsn - SCTP_WINDOW / 2};
    map_add(&t->index, hash, id);
    link_newest(t, w);
    t->n++;
    return w;
}

static struct sctp_way *way_of(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                               uint32_t tsn)
{
    uint64_t hash = hash_of(t, p, tag);
    struct sctp_way *w = find(t, p, tag, hash);
    if (!w)
        return add(t, p, tag, tsn, hash);
    unlink_way(t, w);
    link_newest(t, w);
    return w;
}

/* The direction at work is the newest and stays. */
static void make_room(struct packet_decoder *d)
{
    struct packet_sctp *t = d->sctp;
    while (t->oldest != t->newest && (t->n > PACKET_SCTP_WAYS || t->bytes > PACKET_SCTP_BYTES)) {
        d->stats.sctp_evicted++;
        end_way(d, &t->ways.items[t->oldest]);
    }
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* User data, with the number of its chunk. */
static void push(struct packet_context *x, uint32_t tag, uint32_t tsn, struct sctp_place place,
                 uint8_t flags, struct packet_view v)
{
    struct packet_context one = *x;
    struct sctp_way *w = way_of(x->d->sctp, &x->out, tag, tsn);
    if (!is_new(w, tsn))
        return;
    if ((flags & (SCTP_BEGIN | SCTP_END)) == (SCTP_BEGIN | SCTP_END)) {
        packet_emit(&one, PACKET_SCTP, v);
        return;
    }
    one.out.transport = PACKET_SCTP;
    one.out.bytes = v.bytes;
    one.out.missing = v.missing;
    sctp_fragment_add(x->d, w, &one.out, place, flags);
    make_room(x->d);
}

static void read_data(struct packet_context *x, uint32_t tag, uint8_t flags, struct packet_view v)
{
    struct data_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    struct sctp_place place = {(uint64_t)be16toh(h.stream) << 32, be32toh(h.tsn)};
    place.message |= flags & SCTP_UNORDERED ? (uint64_t)1 << 48 : be16toh(h.ssn);
    push(x, tag, place.number, place, flags, v);
}

static void read_i_data(struct packet_context *x, uint32_t tag, uint8_t flags, struct packet_view v)
{
    struct i_data_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    struct sctp_place place = {(uint64_t)1 << 63 | (uint64_t)be16toh(h.stream) << 32 |
                                   be32toh(h.message),
                               flags & SCTP_BEGIN ? 0 : be32toh(h.number)};
    if (flags & SCTP_UNORDERED)
        place.message |= (uint64_t)1 << 48;
    push(x, tag, be32toh(h.tsn), place, flags, v);
}

/* The view of one chunk's value, and *v behind it with its padding. */
static struct packet_view take_chunk(struct packet_view *v, size_t n)
{
    struct packet_view chunk = {slice_first(v->bytes, n), 0};
    size_t padded = (n + 3) & ~(size_t)3;
    chunk.missing = n - chunk.bytes.n;
    if (padded > v->bytes.n) { /* the last one's padding may be missing */
        size_t beyond = padded - v->bytes.n;
        v->missing -= beyond < v->missing ? beyond : v->missing;
        padded = v->bytes.n;
    }
    v->bytes = slice_from(v->bytes, padded);
    return chunk;
}

/* The user data of a chunk, which may not be empty (RFC 9260 6.2). */
static void read_chunk(struct packet_context *x, uint32_t tag, const struct chunk_header *h,
                       struct packet_view chunk)
{
    size_t head = h->type == DATA     ? sizeof(struct data_header)
                  : h->type == I_DATA ? sizeof(struct i_data_header)
                                      : 0;
    if (head == 0)
        return;
    if (chunk.bytes.n + chunk.missing <= head)
        packet_malformed(x);
    else if (h->type == DATA)
        read_data(x, tag, h->flags, chunk);
    else
        read_i_data(x, tag, h->flags, chunk);
}

void packet_read_sctp(struct packet_context *x, struct packet_view v)
{
    struct sctp_header h;
    struct chunk_header chunk;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    x->d->stats.sctp_packets++;
    packet_share_frames(x);
    x->out.src.port = be16toh(h.src);
    x->out.dst.port = be16toh(h.dst);
    while (v.bytes.n) {
        if (!packet_take(&v, &chunk, sizeof chunk)) {
            packet_lost(x, &v);
            return;
        }
        size_t length = be16toh(chunk.length);
        if (length < sizeof chunk || length - sizeof chunk > v.bytes.n + v.missing) {
            packet_malformed(x);
            return;
        }
        read_chunk(x, h.tag, &chunk, take_chunk(&v, length - sizeof chunk));
    }
}

/* From one chunk to the next the lengths lead to the end; nothing else says that it is SCTP. */
static bool is_sctp(struct packet_view v)
{
    struct chunk_header chunk;
    if (!packet_skip(&v, sizeof(struct sctp_header)) || v.bytes.n < sizeof chunk)
        return false;
    while (packet_take(&v, &chunk, sizeof chunk)) {
        size_t length = be16toh(chunk.length);
        if (length < sizeof chunk || length - sizeof chunk > v.bytes.n + v.missing)
            return false;
        (void)take_chunk(&v, length - sizeof chunk);
    }
    return v.bytes.n == 0 || v.missing;
}

bool packet_read_sctp_in_udp(struct packet_context *x, struct packet_view v)
{
    if (!is_sctp(v))
        return false;
    packet_read_sctp(x, v);
    return true;
}

/* ---- the end of the capture ------------------------------------------------------------------ */

void packet_sctp_flush(struct packet_decoder *d)
{
    while (d->sctp->oldest != NONE)
        end_way(d, &d->sctp->ways.items[d->sctp->oldest]);
}

void packet_sctp_free(struct packet_decoder *d)
{
    struct packet_sctp *t = d->sctp;
    packet_sctp_flush(d);
    map_free(&t->index);
    vec_free(&t->ways);
    vec_free(&t->message);
    free(t);
}

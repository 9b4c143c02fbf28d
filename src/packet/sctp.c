/* SCTP (RFC 9260): user messages out of DATA chunks and I-DATA chunks (RFC 8260), put together
 * where they are fragmented.
 *
 * One direction of an association is known by its ports and its verification tag, which the
 * receiver chose at random: the addresses may be others in each packet (multihoming).  Each chunk
 * has a number (TSN); one that was seen before is a copy.  The fragments of a message in DATA
 * chunks have numbers in a row; those in I-DATA chunks say which message they belong to and count
 * from 0, so that messages may be interleaved. */
#include "packet/stream.h"

#include <endian.h>
#include <stdlib.h>

#define NONE   UINT32_MAX
#define WINDOW 1024u /* numbers of which it is known whether they were seen */
#define FAR    65536 /* numbers so far behind belong to another association */

enum { DATA = 0, I_DATA = 64 };
enum { END = 1, BEGIN = 2, UNORDERED = 4 };

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

/* Fragments of a message have the same `message` and follow each other in `number`. */
struct place {
    uint64_t message;
    uint32_t number;
};

struct fragment {
    struct place place;
    uint8_t flags;
    uint32_t n, have; /* bytes sent, and captured */
    size_t size;      /* of all this */
    struct packet_payload out;
    uint32_t *frames;
    char *bytes;
};

/* One direction of an association. */
struct way {
    uint64_t hash;
    uint32_t older, newer; /* in the queue, or `newer` in the list of free ones */
    uint32_t tag;
    struct endpoint src, dst; /* of the first packet */
    uint32_t base;            /* the first number of the window */
    uint64_t seen[WINDOW / 64];
    VEC(struct fragment *) fragments; /* by place */
    size_t bytes;
};

struct packet_sctp {
    struct hash_key key;
    struct map index;
    VEC(struct way) ways;
    uint32_t free_way, oldest, newest;
    uint32_t n;        /* in the queue */
    size_t bytes;      /* held by them */
    VEC(char) message; /* the one that was just put together */
};

struct packet_sctp *packet_sctp_new(const struct hash_key *key)
{
    struct packet_sctp *t = base_alloc(sizeof *t);
    t->key = *key;
    t->free_way = t->oldest = t->newest = NONE;
    return t;
}

/* ---- what was seen --------------------------------------------------------------------------- */

static void forget(struct way *w, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < WINDOW; i++)
        w->seen[(from + i) % WINDOW / 64] &= ~((uint64_t)1 << (from + i) % 64);
}

/* Notes the number; false where it was seen before, or is too old to tell. */
static bool is_new(struct way *w, uint32_t tsn)
{
    int32_t ahead = (int32_t)(tsn - w->base);
    if (ahead < 0 && ahead > -FAR)
        return false;
    if (ahead < 0 || ahead > FAR) {
        memset(w->seen, 0, sizeof w->seen);
        w->base = tsn - WINDOW / 2; /* those before it may have been captured late */
    } else if ((uint32_t)ahead >= WINDOW) {
        uint32_t step = (uint32_t)ahead - WINDOW + 1;
        forget(w, w->base, step);
        w->base += step;
    }
    uint64_t bit = (uint64_t)1 << tsn % 64, *word = &w->seen[tsn % WINDOW / 64];
    bool fresh = !(*word & bit);
    *word |= bit;
    return fresh;
}

/* ---- fragments ------------------------------------------------------------------------------- */

static int compare(struct place a, struct place b)
{
    if (a.message != b.message)
        return a.message < b.message ? -1 : 1;
    int32_t distance = (int32_t)(a.number - b.number);
    return distance < 0 ? -1 : distance > 0;
}

static size_t index_of(const struct way *w, struct place place)
{
    size_t low = 0, high = w->fragments.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(w->fragments.items[middle]->place, place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct fragment *fragment_of(const struct packet_payload *p, struct place place,
                                    uint8_t flags)
{
    size_t frames = p->frame_count * sizeof *p->frames;
    size_t size = sizeof(struct fragment) + frames + p->bytes.n;
    struct fragment *f = base_realloc(NULL, size);
    *f = (struct fragment){.place = place,
                           .flags = flags,
                           .n = (uint32_t)(p->bytes.n + p->missing),
                           .have = (uint32_t)p->bytes.n,
                           .size = size,
                           .out = *p,
                           .frames = (uint32_t *)(f + 1)};
    f->bytes = (char *)f->frames + frames;
    memcpy(f->frames, p->frames, frames);
    if (p->bytes.n)
        memcpy(f->bytes, p->bytes.p, p->bytes.n);
    return f;
}

static void insert(struct packet_sctp *t, struct way *w, size_t at, struct fragment *f)
{
    (void)vec_add(&w->fragments);
    struct fragment **items = w->fragments.items;
    memmove(items + at + 1, items + at, (w->fragments.n - 1 - at) * sizeof(struct fragment *));
    items[at] = f;
    w->bytes += f->size;
    t->bytes += f->size;
}

static void drop(struct packet_sctp *t, struct way *w, size_t at, size_t n)
{
    struct fragment **items = w->fragments.items;
    for (size_t i = at; i < at + n; i++) {
        w->bytes -= items[i]->size;
        t->bytes -= items[i]->size;
        free(items[i]);
    }
    memmove(items + at, items + at + n, (w->fragments.n - at - n) * sizeof(struct fragment *));
    w->fragments.n -= n;
    if (w->fragments.n == 0)
        vec_free(&w->fragments);
}

static bool adjoins(const struct fragment *a, const struct fragment *b)
{
    return a->place.message == b->place.message && a->place.number + 1 == b->place.number &&
           !(a->flags & END) && !(b->flags & BEGIN);
}

/* The fragments in a row of which the one at `at` is one: where they begin, and how many. */
static size_t run_of(const struct way *w, size_t at, size_t *n)
{
    struct fragment *const *items = w->fragments.items;
    size_t end = at + 1;
    while (at > 0 && adjoins(items[at - 1], items[at]))
        at--;
    while (end < w->fragments.n && adjoins(items[end - 1], items[end]))
        end++;
    *n = end - at;
    return at;
}

static void append(struct packet_sctp *t, const struct fragment *f)
{
    while (t->message.cap < t->message.n + f->have)
        t->message.items = vec_grow(t->message.items, &t->message.cap, 1);
    memcpy(t->message.items + t->message.n, f->bytes, f->have);
    t->message.n += f->have;
}

/* Hands on the message that n fragments make, up to the first byte that was not captured. */
static void hand_on(struct packet_decoder *d, const struct way *w, size_t at, size_t n)
{
    const struct fragment *last = w->fragments.items[at], *f = NULL;
    size_t missing = 0;
    vec_clear(&d->sctp->message);
    vec_clear(&d->frames);
    for (size_t i = at; i < at + n; i++) {
        f = w->fragments.items[i];
        if (f->have && missing == 0)
            append(d->sctp, f);
        missing += missing ? f->n : f->n - f->have;
        for (size_t k = 0; k < f->out.frame_count; k++)
            packet_frames_add(d, f->frames[k]);
        if (f->frames[f->out.frame_count - 1] >= last->frames[last->out.frame_count - 1])
            last = f;
    }
    struct packet_payload p = last->out;
    p.bytes = (struct slice){d->sctp->message.items, d->sctp->message.n};
    p.missing = missing + !(f->flags & END); /* how many then, nobody knows */
    p.offset = SOURCE_NO_OFFSET;
    p.frames = d->frames.items;
    p.frame_count = d->frames.n;
    packet_hand_on(d, &p);
}

/* Gives up the fragments in a row that begin at `at`.  A message without its beginning is none. */
static void give_up(struct packet_decoder *d, struct way *w, size_t at)
{
    size_t n;
    at = run_of(w, at, &n);
    if (w->fragments.items[at]->flags & BEGIN) {
        d->stats.sctp_incomplete++;
        hand_on(d, w, at, n);
    } else {
        d->stats.sctp_lost += n;
    }
    drop(d->sctp, w, at, n);
}

static void add_fragment(struct packet_decoder *d, struct way *w, const struct packet_payload *p,
                         struct place place, uint8_t flags)
{
    size_t at = index_of(w, place), n;
    if (at < w->fragments.n && compare(w->fragments.items[at]->place, place) == 0)
        return;
    insert(d->sctp, w, at, fragment_of(p, place, flags));
    at = run_of(w, at, &n);
    if (w->fragments.items[at]->flags & BEGIN && w->fragments.items[at + n - 1]->flags & END) {
        hand_on(d, w, at, n);
        drop(d->sctp, w, at, n);
    }
    while (w->fragments.n > PACKET_PENDING || w->bytes > PACKET_PENDING_BYTES)
        give_up(d, w, 0);
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
static bool is_reverse(const struct way *w, const struct packet_payload *p)
{
    return !address_equal(&w->src.ip, &p->src.ip) &&
           (address_equal(&w->src.ip, &p->dst.ip) || address_equal(&w->dst.ip, &p->src.ip));
}

static struct way *find(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                        uint64_t hash)
{
    uint32_t at = map_first(&t->index, hash), id;
    while ((id = map_next(&t->index, hash, &at)) != MAP_NONE) {
        struct way *w = &t->ways.items[id];
        if (w->tag == tag && w->src.port == p->src.port && w->dst.port == p->dst.port &&
            !is_reverse(w, p))
            return w;
    }
    return NULL;
}

static void unlink_way(struct packet_sctp *t, struct way *w)
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

static void link_newest(struct packet_sctp *t, struct way *w)
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

static void end_way(struct packet_decoder *d, struct way *w)
{
    struct packet_sctp *t = d->sctp;
    uint32_t id = (uint32_t)(w - t->ways.items);
    while (w->fragments.n)
        give_up(d, w, 0);
    unlink_way(t, w);
    map_remove(&t->index, w->hash, id);
    w->newer = t->free_way;
    t->free_way = id;
    t->n--;
}

static struct way *add(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                       uint32_t tsn, uint64_t hash)
{
    uint32_t id = t->free_way;
    if (id == NONE)
        id = (uint32_t)vec_next(&t->ways);
    else
        t->free_way = t->ways.items[id].newer;
    struct way *w = &t->ways.items[id];
    *w = (struct way){
        .hash = hash, .tag = tag, .src = p->src, .dst = p->dst, .base = tsn - WINDOW / 2};
    map_add(&t->index, hash, id);
    link_newest(t, w);
    t->n++;
    return w;
}

static struct way *way_of(struct packet_sctp *t, const struct packet_payload *p, uint32_t tag,
                          uint32_t tsn)
{
    uint64_t hash = hash_of(t, p, tag);
    struct way *w = find(t, p, tag, hash);
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
static void push(struct packet_context *x, uint32_t tag, uint32_t tsn, struct place place,
                 uint8_t flags, struct packet_view v)
{
    struct packet_context one = *x;
    struct way *w = way_of(x->d->sctp, &x->out, tag, tsn);
    if (!is_new(w, tsn))
        return;
    if ((flags & (BEGIN | END)) == (BEGIN | END)) {
        packet_emit(&one, PACKET_SCTP, v);
        return;
    }
    one.out.transport = PACKET_SCTP;
    one.out.bytes = v.bytes;
    one.out.missing = v.missing;
    add_fragment(x->d, w, &one.out, place, flags);
    make_room(x->d);
}

static void read_data(struct packet_context *x, uint32_t tag, uint8_t flags, struct packet_view v)
{
    struct data_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    struct place place = {(uint64_t)be16toh(h.stream) << 32, be32toh(h.tsn)};
    place.message |= flags & UNORDERED ? (uint64_t)1 << 48 : be16toh(h.ssn);
    push(x, tag, place.number, place, flags, v);
}

static void read_i_data(struct packet_context *x, uint32_t tag, uint8_t flags, struct packet_view v)
{
    struct i_data_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    struct place place = {(uint64_t)1 << 63 | (uint64_t)be16toh(h.stream) << 32 |
                              be32toh(h.message),
                          flags & BEGIN ? 0 : be32toh(h.number)};
    if (flags & UNORDERED)
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

/* Also what UDP carries to and from port 9899 (RFC 6951). */
void packet_read_sctp(struct packet_context *x, struct packet_view v)
{
    struct sctp_header h;
    struct chunk_header chunk;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    x->d->stats.sctp_packets++;
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

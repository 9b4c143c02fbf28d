/* Puts fragmented datagrams together (RFC 791, RFC 8200), whatever comes in whatever order.
 *
 * A set holds one datagram in blocks of 64 units of 8 bytes, which is what fragments are counted
 * in.  Two bits a unit say whether it was on the wire and whether it was captured, so each fragment
 * costs time in proportion to its bytes, however many came before.  All sets stand in one queue by
 * age. */
#include "packet/internal.h"

#include <stdlib.h>

#define UNIT           8u
#define BLOCK_UNITS    64u
#define BLOCK_BYTES    (UNIT * BLOCK_UNITS)
#define DATAGRAM_BYTES 65535u
#define BLOCKS         ((DATAGRAM_BYTES + BLOCK_BYTES) / BLOCK_BYTES)
#define NONE           UINT32_MAX
#define SECOND         1000000000u

/* A capture that shows each frame twice shows the second copy within this time. */
#define REPEAT_NS SECOND

struct block {
    union {
        struct block *next; /* in the list of free blocks */
        uint64_t seen;      /* units that were on the wire */
    };
    uint64_t have; /* units whose bytes are here */
    char bytes[BLOCK_BYTES];
};

struct key {
    uint8_t src[16], dst[16];
    uint32_t id;
    uint8_t protocol, family;
    uint8_t zero[2];
};

enum state {
    WAITING,
    SPOILT,   /* contradicted itself: what still comes of it is ignored (RFC 5722) */
    COMPLETE, /* handed on; the second copies of some fragments are still to come */
};

struct set {
    struct key key;
    uint64_t hash;
    uint32_t older, newer; /* in the queue, or `newer` in the list of free sets */
    enum state state;
    int64_t time_ns;           /* of the first fragment that came, or of completion */
    struct packet_payload out; /* addresses, and what the latest fragment says */
    uint8_t protocol;          /* of the fragment at 0 */
    uint32_t total;            /* bytes; NONE until the last fragment is there */
    uint32_t reach;            /* bytes up to the furthest end seen */
    uint32_t units;            /* seen so far */
    uint32_t again;            /* seen more than once; COMPLETE: still to come again */
    uint32_t tail_at, tail_n;  /* bytes of a unit that the snap length cut */
    VEC(uint32_t) frames;
    struct block *blocks[BLOCKS];
};

struct packet_fragments {
    struct hash_key key;
    struct map index;
    VEC(struct set) sets;
    uint32_t free_set, oldest, newest;
    uint32_t held; /* sets in the queue */
    size_t bytes;  /* of them */
    struct block *free_blocks;
    char datagram[BLOCKS * BLOCK_BYTES]; /* the one that was just put together */
};

struct packet_fragments *packet_fragments_new(const struct hash_key *key)
{
    struct packet_fragments *t = base_alloc(sizeof *t);
    t->key = *key;
    t->free_set = t->oldest = t->newest = NONE;
    return t;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static struct block *block_of(struct packet_fragments *t, struct set *set, uint32_t at)
{
    uint32_t index = at / BLOCK_BYTES;
    struct block *b = set->blocks[index];
    if (b)
        return b;
    b = t->free_blocks;
    if (b)
        t->free_blocks = b->next;
    else
        b = base_realloc(NULL, sizeof *b);
    b->seen = b->have = 0;
    t->bytes += sizeof *b;
    set->blocks[index] = b;
    return b;
}

static void release_blocks(struct packet_fragments *t, struct set *set)
{
    uint32_t count = (set->reach + BLOCK_BYTES - 1) / BLOCK_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        struct block *b = set->blocks[i];
        if (!b)
            continue;
        b->next = t->free_blocks;
        t->free_blocks = b;
        t->bytes -= sizeof *b;
        set->blocks[i] = NULL;
    }
    t->bytes -= set->frames.cap * sizeof *set->frames.items;
    vec_free(&set->frames);
}

/* ---- the queue of sets ----------------------------------------------------------------------- */

static struct set *set_new(struct packet_fragments *t, const struct key *key, uint64_t hash)
{
    uint32_t id = t->free_set;
    if (id == NONE) {
        id = (uint32_t)t->sets.n;
        (void)vec_add(&t->sets);
    } else {
        t->free_set = t->sets.items[id].newer;
    }
    struct set *set = &t->sets.items[id];
    *set =
        (struct set){.key = *key, .hash = hash, .older = t->newest, .newer = NONE, .total = NONE};
    if (t->newest != NONE)
        t->sets.items[t->newest].newer = id;
    else
        t->oldest = id;
    t->newest = id;
    map_add(&t->index, hash, id);
    t->held++;
    t->bytes += sizeof *set;
    return set;
}

static void set_remove(struct packet_fragments *t, struct set *set)
{
    uint32_t id = (uint32_t)(set - t->sets.items);
    release_blocks(t, set);
    map_remove(&t->index, set->hash, id);
    if (set->older != NONE)
        t->sets.items[set->older].newer = set->newer;
    else
        t->oldest = set->newer;
    if (set->newer != NONE)
        t->sets.items[set->newer].older = set->older;
    else
        t->newest = set->older;
    set->newer = t->free_set;
    t->free_set = id;
    t->held--;
    t->bytes -= sizeof *set;
}

static struct set *set_find(struct packet_fragments *t, const struct key *key, uint64_t hash)
{
    uint32_t at = map_first(&t->index, hash), id;
    while ((id = map_next(&t->index, hash, &at)) != MAP_NONE)
        if (memcmp(&t->sets.items[id].key, key, sizeof *key) == 0)
            return &t->sets.items[id];
    return NULL;
}

/* Clocks may go backwards; that ends nothing. */
static bool is_older(const struct set *set, int64_t now, uint64_t limit_ns)
{
    return now > set->time_ns && (uint64_t)now - (uint64_t)set->time_ns > limit_ns;
}

/* ---- handing on ------------------------------------------------------------------------------ */

/* Copies the captured bytes from the start up to the first hole; returns how many. */
static uint32_t flatten(struct packet_fragments *t, const struct set *set)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < BLOCKS && set->blocks[i]; i++) {
        const struct block *b = set->blocks[i];
        uint32_t units = ~b->have ? (uint32_t)__builtin_ctzll(~b->have) : BLOCK_UNITS;
        memcpy(t->datagram + n, b->bytes, BLOCK_BYTES);
        n += units * UNIT;
        if (units < BLOCK_UNITS)
            break;
    }
    if (set->tail_n && set->tail_at == n)
        n += set->tail_n;
    return n < set->reach ? n : set->reach;
}

/* Sends what is there of a set through the transports.  The set's own record is not touched by
 * that. */
static void hand_on(struct packet_decoder *d, const struct set *set)
{
    struct packet_fragments *t = d->fragments;
    struct packet_context x = {.d = d, .out = set->out, .origin = t->datagram, .reassembled = true};
    uint32_t n = flatten(t, set);
    uint32_t total = set->total == NONE ? DATAGRAM_BYTES : set->total;
    x.out.offset = SOURCE_NO_OFFSET;
    x.out.frames = set->frames.items;
    x.out.frame_count = set->frames.n;
    if (n)
        packet_read_protocol(&x, set->protocol, (struct packet_view){{t->datagram, n}, total - n});
}

/* Ends a set by age or limit. */
static void end_set(struct packet_decoder *d, struct set *set, uint64_t *counter)
{
    if (set->state == WAITING) {
        ++*counter;
        hand_on(d, set);
    }
    set_remove(d->fragments, set);
}

static void end_old(struct packet_decoder *d, int64_t now)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != NONE) {
        struct set *set = &t->sets.items[t->oldest];
        if (!is_older(set, now, (uint64_t)PACKET_FRAGMENT_SECONDS * SECOND))
            break;
        end_set(d, set, &d->stats.fragments_expired);
    }
}

/* The newest set is the one at work and stays. */
static void make_room(struct packet_decoder *d)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != t->newest &&
           (t->held > PACKET_FRAGMENT_SETS || t->bytes > PACKET_FRAGMENT_BYTES))
        end_set(d, &t->sets.items[t->oldest], &d->stats.fragments_evicted);
}

/* ---- adding a fragment ----------------------------------------------------------------------- */

static void spoil(struct packet_fragments *t, struct set *set, uint64_t *counter)
{
    ++*counter;
    set->state = SPOILT;
    release_blocks(t, set);
}

static uint32_t units_of(size_t bytes)
{
    return (uint32_t)((bytes + UNIT - 1) / UNIT);
}

/* Bits first to end - 1. */
static uint64_t units_between(uint32_t first, uint32_t end)
{
    uint64_t below_end = end >= BLOCK_UNITS ? ~(uint64_t)0 : ((uint64_t)1 << end) - 1;
    return below_end & ~(((uint64_t)1 << first) - 1);
}

/* The captured bytes of the fragment that stand at byte `at` of the datagram, at most n. */
static struct slice bytes_at(const struct packet_fragment *f, uint32_t at, size_t n)
{
    return slice_first(slice_from(f->v.bytes, at - f->at), n);
}

/* The next run of units in *mask, which it is taken from: where it begins in the block, and its
 * bytes in the fragment. */
static struct slice next_run(uint64_t *mask, uint32_t start, const struct packet_fragment *f,
                             uint32_t *at)
{
    uint32_t first = (uint32_t)__builtin_ctzll(*mask);
    uint64_t gaps = ~(*mask >> first);
    uint32_t run = gaps ? (uint32_t)__builtin_ctzll(gaps) : BLOCK_UNITS;
    *mask &= ~units_between(first, first + run);
    *at = first * UNIT;
    return bytes_at(f, start + *at, (size_t)run * UNIT);
}

static bool units_equal(const struct block *b, uint32_t start, uint64_t mask,
                        const struct packet_fragment *f)
{
    uint32_t at;
    while (mask) {
        struct slice from = next_run(&mask, start, f, &at);
        if (memcmp(b->bytes + at, from.p, from.n) != 0)
            return false;
    }
    return true;
}

static void units_copy(struct block *b, uint32_t start, uint64_t mask,
                       const struct packet_fragment *f)
{
    uint32_t at;
    while (mask) {
        struct slice from = next_run(&mask, start, f, &at);
        memcpy(b->bytes + at, from.p, from.n);
    }
}

/* What a fragment adds to the block that holds bytes from `start` on; false: it contradicts it. */
static bool add_to_block(struct packet_fragments *t, struct set *set,
                         const struct packet_fragment *f, uint32_t start, bool *fresh)
{
    struct block *b = block_of(t, set, start);
    uint32_t captured_end = f->at + (uint32_t)f->v.bytes.n, end = captured_end;
    uint32_t first = f->at > start ? (f->at - start) / UNIT : 0;
    if (f->v.missing) {
        end += (uint32_t)f->v.missing;
        captured_end -= (uint32_t)f->v.bytes.n % UNIT;
    }
    uint64_t sent = units_between(first, units_of(end - start));
    uint64_t here = captured_end > start ? units_between(first, units_of(captured_end - start)) : 0;
    if (!units_equal(b, start, here & b->have, f))
        return false;
    units_copy(b, start, here & ~b->have, f);
    *fresh |= (sent & ~b->seen) || (here & ~b->have);
    set->units += (uint32_t)__builtin_popcountll(sent & ~b->seen);
    set->again += (uint32_t)__builtin_popcountll(sent & b->seen);
    b->seen |= sent;
    b->have |= here;
    return true;
}

static bool unit_is_here(struct packet_fragments *t, struct set *set, uint32_t at)
{
    return block_of(t, set, at)->have >> (at % BLOCK_BYTES / UNIT) & 1;
}

/* Keeps the odd bytes before the first cut: a header may end in them. */
static void add_tail(struct packet_fragments *t, struct set *set, const struct packet_fragment *f)
{
    uint32_t n = (uint32_t)f->v.bytes.n % UNIT;
    uint32_t at = f->at + (uint32_t)f->v.bytes.n - n;
    if (!f->v.missing || !n || unit_is_here(t, set, at))
        return;
    if (set->tail_n && !unit_is_here(t, set, set->tail_at) &&
        (set->tail_at < at || (set->tail_at == at && set->tail_n >= n)))
        return;
    memcpy(block_of(t, set, at)->bytes + at % BLOCK_BYTES, bytes_at(f, at, n).p, n);
    set->tail_at = at;
    set->tail_n = n;
}

/* Where the datagram ends: all fragments must agree on that. */
static bool agree_on_end(struct set *set, const struct packet_fragment *f, uint32_t end)
{
    if (f->more ? set->total != NONE && end > set->total
                : set->reach > end || (set->total != NONE && set->total != end))
        return false;
    if (!f->more)
        set->total = end;
    if (end > set->reach)
        set->reach = end;
    return true;
}

static void note_frame(struct packet_fragments *t, struct set *set, const struct packet_context *x)
{
    t->bytes -= set->frames.cap * sizeof *set->frames.items;
    *vec_add(&set->frames) = x->out.frames[0];
    t->bytes += set->frames.cap * sizeof *set->frames.items;
    set->out = x->out;
}

static void add(struct packet_context *x, struct set *set, const struct packet_fragment *f)
{
    struct packet_fragments *t = x->d->fragments;
    uint32_t end = f->at + (uint32_t)(f->v.bytes.n + f->v.missing);
    bool fresh = false;
    if (!agree_on_end(set, f, end)) {
        spoil(t, set, &x->d->stats.malformed);
        return;
    }
    if (f->at == 0)
        set->protocol = f->protocol;
    for (uint32_t at = f->at / BLOCK_BYTES * BLOCK_BYTES; at < end; at += BLOCK_BYTES) {
        if (!add_to_block(t, set, f, at, &fresh)) {
            spoil(t, set, &x->d->stats.fragments_overlapping);
            return;
        }
    }
    add_tail(t, set, f);
    if (fresh)
        note_frame(t, set, x);
}

static void complete(struct packet_context *x, struct set *set)
{
    struct packet_fragments *t = x->d->fragments;
    x->d->stats.reassembled++;
    hand_on(x->d, set);
    /* If some came twice, so will the rest; if none did, a second round is a datagram of its own.
     */
    if (set->again == 0 || set->again >= set->units) {
        set_remove(t, set);
        return;
    }
    release_blocks(t, set);
    set->again = set->units - set->again;
    set->state = COMPLETE;
    set->time_ns = x->out.time_ns;
}

static void push_again(struct packet_fragments *t, struct set *set, uint32_t units)
{
    if (units >= set->again)
        set_remove(t, set);
    else
        set->again -= units;
}

/* The set that a fragment belongs to; one that is too old is ended first. */
static struct set *set_at_work(struct packet_context *x, const struct packet_fragment *f)
{
    struct packet_fragments *t = x->d->fragments;
    struct key key = {
        .id = x->out.ip_id, .protocol = f->key_protocol, .family = x->out.src.ip.family};
    memcpy(key.src, x->out.src.ip.bytes, sizeof key.src);
    memcpy(key.dst, x->out.dst.ip.bytes, sizeof key.dst);
    uint64_t hash = hash_bytes(&t->key, &key, sizeof key);
    end_old(x->d, x->out.time_ns);
    struct set *set = set_find(t, &key, hash);
    uint64_t limit_ns =
        set && set->state == COMPLETE ? REPEAT_NS : (uint64_t)PACKET_FRAGMENT_SECONDS * SECOND;
    if (set && is_older(set, x->out.time_ns, limit_ns)) {
        end_set(x->d, set, &x->d->stats.fragments_expired);
        set = NULL;
    }
    if (!set) {
        set = set_new(t, &key, hash);
        set->time_ns = x->out.time_ns;
    }
    return set;
}

void packet_fragments_push(struct packet_context *x, const struct packet_fragment *f)
{
    struct packet_fragments *t = x->d->fragments;
    size_t n = f->v.bytes.n + f->v.missing;
    x->d->stats.fragments++;
    if (x->reassembled || n == 0 || (f->more && n % UNIT) || f->at + n > DATAGRAM_BYTES) {
        packet_malformed(x);
        return;
    }
    struct set *set = set_at_work(x, f);
    if (set->state == COMPLETE)
        push_again(t, set, units_of(n));
    else if (set->state == WAITING)
        add(x, set, f);
    if (set->state == WAITING && set->total != NONE && set->units == units_of(set->total))
        complete(x, set);
    make_room(x->d);
}

void packet_fragments_flush(struct packet_decoder *d)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != NONE)
        end_set(d, &t->sets.items[t->oldest], &d->stats.fragments_expired);
}

void packet_fragments_free(struct packet_fragments *t)
{
    while (t->oldest != NONE)
        set_remove(t, &t->sets.items[t->oldest]);
    while (t->free_blocks) {
        struct block *next = t->free_blocks->next;
        free(t->free_blocks);
        t->free_blocks = next;
    }
    map_free(&t->index);
    vec_free(&t->sets);
    free(t);
}

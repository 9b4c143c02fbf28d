/* One datagram in the making: its bytes as far as they came, and what says that fragments agree. */
#include "packet/fragment.h"

#include <stdlib.h>

/* ---- blocks ---------------------------------------------------------------------------------- */

static struct fragment_block *block_of(struct packet_fragments *t, struct fragment_set *set,
                                       uint32_t at)
{
    uint32_t index = at / BLOCK_BYTES;
    struct fragment_block *b = set->blocks[index];
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

void packet_set_release(struct packet_fragments *t, struct fragment_set *set)
{
    uint32_t count = (set->reach + BLOCK_BYTES - 1) / BLOCK_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        struct fragment_block *b = set->blocks[i];
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

/* ---- what a fragment adds -----------------------------------------------------------------------
 */

static void spoil(struct packet_fragments *t, struct fragment_set *set, uint64_t *counter)
{
    ++*counter;
    set->state = SPOILT;
    packet_set_release(t, set);
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

static bool units_equal(const struct fragment_block *b, uint32_t start, uint64_t mask,
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

static void units_copy(struct fragment_block *b, uint32_t start, uint64_t mask,
                       const struct packet_fragment *f)
{
    uint32_t at;
    while (mask) {
        struct slice from = next_run(&mask, start, f, &at);
        memcpy(b->bytes + at, from.p, from.n);
    }
}

/* What a fragment adds to the block that holds bytes from `start` on; false: it contradicts it. */
static bool add_to_block(struct packet_fragments *t, struct fragment_set *set,
                         const struct packet_fragment *f, uint32_t start, bool *fresh)
{
    struct fragment_block *b = block_of(t, set, start);
    uint32_t captured_end = f->at + (uint32_t)f->v.bytes.n, end = captured_end;
    uint32_t first = f->at > start ? (f->at - start) / UNIT : 0;
    if (f->v.missing) {
        end += (uint32_t)f->v.missing;
        captured_end -= (uint32_t)f->v.bytes.n % UNIT;
    }
    uint64_t sent = units_between(first, packet_set_units(end - start));
    uint64_t here =
        captured_end > start ? units_between(first, packet_set_units(captured_end - start)) : 0;
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

static bool unit_is_here(struct packet_fragments *t, struct fragment_set *set, uint32_t at)
{
    return block_of(t, set, at)->have >> (at % BLOCK_BYTES / UNIT) & 1;
}

/* Keeps the odd bytes before the first cut: a header may end in them. */
static void add_tail(struct packet_fragments *t, struct fragment_set *set,
                     const struct packet_fragment *f)
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
static bool agree_on_end(struct fragment_set *set, const struct packet_fragment *f, uint32_t end)
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

static void note_frame(struct packet_fragments *t, struct fragment_set *set,
                       const struct packet_context *x)
{
    struct fragment_frames *f = &set->frames;
    t->bytes -= f->cap * sizeof *f->items;
    set->disordered |= f->n && x->out.frames[0] <= f->items[f->n - 1];
    for (size_t i = 0; i < x->out.frame_count; i++)
        *vec_add(f) = x->out.frames[i];
    t->bytes += f->cap * sizeof *f->items;
    set->out = x->out;
    if (x->depth > set->depth)
        set->depth = x->depth;
}

void packet_set_add(struct packet_context *x, struct fragment_set *set,
                    const struct packet_fragment *f)
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
    set->gap |= f->v.missing && x->out.gap;
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

/* ---- what is there of it ----------------------------------------------------------------------
 */

uint32_t packet_set_copy(const struct fragment_set *set, char *into)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < BLOCKS && set->blocks[i]; i++) {
        const struct fragment_block *b = set->blocks[i];
        uint32_t units = ~b->have ? (uint32_t)__builtin_ctzll(~b->have) : BLOCK_UNITS;
        memcpy(into + n, b->bytes, BLOCK_BYTES);
        n += units * UNIT;
        if (units < BLOCK_UNITS)
            break;
    }
    if (set->tail_n && set->tail_at == n)
        n += set->tail_n;
    return n < set->reach ? n : set->reach;
}

bool packet_set_is_cut(const struct fragment_set *set, uint32_t n)
{
    const struct fragment_block *b = n < DATAGRAM_BYTES ? set->blocks[n / BLOCK_BYTES] : NULL;
    return b && !set->gap && b->seen >> (n % BLOCK_BYTES / UNIT) & 1;
}

static int compare_frames(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void order_frames(struct fragment_frames *f)
{
    size_t n = 0;
    qsort(f->items, f->n, sizeof *f->items, compare_frames);
    for (size_t i = 0; i < f->n; i++)
        if (n == 0 || f->items[i] != f->items[n - 1])
            f->items[n++] = f->items[i];
    f->n = n;
}

struct fragment_frames packet_set_take_frames(struct packet_fragments *t, struct fragment_set *set)
{
    struct fragment_frames f = set->frames;
    t->bytes -= f.cap * sizeof *f.items;
    set->frames = (struct fragment_frames){0};
    if (set->disordered)
        order_frames(&f);
    return f;
}

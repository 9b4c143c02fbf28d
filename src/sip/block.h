/* Control bytes and colons of 64 bytes at a time, as bit masks: what the scanner steps over header
 * lines with.  No loop over the bytes of a line, and few branches that a processor guesses wrong.
 */
#ifndef SIP_BLOCK_H
#define SIP_BLOCK_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SIP_BLOCK 64

struct sip_block {
    uint64_t control; /* bit i: byte i is below 0x20, or DEL */
    uint64_t colon;
};

/* For any processor: eight bytes a step.  Exact for each byte, since no sum carries into the next.
 */
static inline struct sip_block sip_block_words(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, low = ones * 0x7f, gather = 0x0102040810204080u;
    struct sip_block b = {0, 0};
    for (unsigned i = 0; i < SIP_BLOCK; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        w = le64toh(w);
        uint64_t del = w ^ low, colon = w ^ ones * ':';
        uint64_t printable =
            ((w & low) + ones * 0x60) | w; /* top bit of a byte clear: below 0x20 */
        uint64_t no_del = ((del & low) + low) | del, no_colon = ((colon & low) + low) | colon;
        b.control |= ((~(printable & no_del) >> 7 & ones) * gather >> 56) << i;
        b.colon |= ((~no_colon >> 7 & ones) * gather >> 56) << i;
    }
    return b;
}

#ifdef __SSE2__
static inline struct sip_block sip_block_of(const char *p)
{
    struct sip_block b = {0, 0};
#pragma GCC unroll 4
    for (unsigned i = 0; i < SIP_BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        __m128i colon = _mm_cmpeq_epi8(v, _mm_set1_epi8(':'));
        b.control |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(below, del)) << i;
        b.colon |= (uint64_t)(uint32_t)_mm_movemask_epi8(colon) << i;
    }
    return b;
}
#else
static inline struct sip_block sip_block_of(const char *p)
{
    return sip_block_words(p);
}
#endif

/* The block that is looked at, at a place that only goes forward. */
struct sip_marks {
    const char *begin, *end; /* of the bytes */
    const char *base;        /* of the block */
    struct sip_block block;  /* nothing is marked at and after the end */
};

/* The block of the last `left` bytes, fewer than SIP_BLOCK: of the bytes before them too where
 * there are enough, which are shifted out then, or of a copy. */
static inline struct sip_block sip_marks_tail(const struct sip_marks *m, size_t left)
{
    struct sip_block b = {0, 0};
    if (left == 0)
        return b;
    if (m->end - m->begin >= SIP_BLOCK) {
        b = sip_block_of(m->end - SIP_BLOCK);
    } else {
        char pad[SIP_BLOCK] = {0};
        memcpy(pad + SIP_BLOCK - left, m->end - left, left);
        b = sip_block_of(pad);
    }
    b.control >>= SIP_BLOCK - left;
    b.colon >>= SIP_BLOCK - left;
    return b;
}

static inline void sip_marks_load(struct sip_marks *m, const char *p)
{
    m->base = p;
    m->block = m->end - p >= SIP_BLOCK ? sip_block_of(p) : sip_marks_tail(m, (size_t)(m->end - p));
}

/* The first control byte after the block, which is the one that is looked at then, or the end. */
static inline const char *sip_marks_after(struct sip_marks *m)
{
    while (m->end - m->base > SIP_BLOCK) {
        sip_marks_load(m, m->base + SIP_BLOCK);
        if (m->block.control)
            return m->base + __builtin_ctzll(m->block.control);
    }
    return m->end;
}

/* The line at p, which is not before the block: how many bytes are before its first colon, and the
 * first control byte.  False where that comes before the colon, or where the colon is not near. */
static inline bool sip_marks_line(struct sip_marks *m, const char *p, size_t *colon,
                                  const char **control)
{
    for (;;) {
        if (p - m->base >= SIP_BLOCK)
            sip_marks_load(m, p);
        uint64_t colons = m->block.colon >> (p - m->base);
        uint64_t controls = m->block.control >> (p - m->base);
        if (colons && (controls & (colons ^ (colons - 1))) == 0) {
            *colon = (size_t)__builtin_ctzll(colons);
            *control = controls ? p + __builtin_ctzll(controls) : sip_marks_after(m);
            return true;
        }
        if (colons || controls || p == m->base)
            return false;
        sip_marks_load(m, p);
    }
}

#endif

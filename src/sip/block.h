/* Control bytes and colons of 64 bytes at a time, as bit masks: what the scanner steps over header
 * lines with.  No loop over the bytes of a line, and few branches that a processor guesses wrong.
 */
#ifndef SIP_BLOCK_H
#define SIP_BLOCK_H

#include <endian.h>
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
    const char *base, *end; /* end of the bytes, not of the block */
    struct sip_block block;
};

static inline void sip_marks_load(struct sip_marks *m, const char *p)
{
    m->base = p;
    if (m->end - p >= SIP_BLOCK) {
        m->block = sip_block_of(p);
        return;
    }
    char pad[SIP_BLOCK] = {0};
    memcpy(pad, p, (size_t)(m->end - p));
    m->block = sip_block_of(pad);
    m->block.control &= ((uint64_t)1 << (m->end - p)) - 1;
}

/* Makes the block hold p, which is not before its base. */
static inline void sip_marks_seek(struct sip_marks *m, const char *p)
{
    if (p - m->base >= SIP_BLOCK)
        sip_marks_load(m, p);
}

/* The first control byte at or after p, or the end. */
static inline const char *sip_marks_control(struct sip_marks *m, const char *p)
{
    for (;;) {
        sip_marks_seek(m, p);
        uint64_t bits = m->block.control & UINT64_MAX << (p - m->base);
        if (bits)
            return m->base + __builtin_ctzll(bits);
        if (m->end - m->base <= SIP_BLOCK)
            return m->end;
        p = m->base + SIP_BLOCK;
    }
}

/* The first colon of the line at p; NULL where a control byte or the end comes first, or it is not
 * near. */
static inline const char *sip_marks_colon(struct sip_marks *m, const char *p)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        sip_marks_seek(m, p);
        uint64_t from = UINT64_MAX << (p - m->base);
        uint64_t colon = m->block.colon & from, control = m->block.control & from;
        if (colon && (control & (colon ^ (colon - 1))) == 0)
            return m->base + __builtin_ctzll(colon);
        if (colon || control)
            return NULL;
        sip_marks_load(m, p);
    }
    return NULL;
}

#endif

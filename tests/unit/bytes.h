/* Builds captures and packets byte by byte, in either byte order, for tests. */
#ifndef TESTS_UNIT_BYTES_H
#define TESTS_UNIT_BYTES_H

#include "base/base.h"

#include <string.h>

struct bytes {
    bool little; /* order of the numbers that are put from now on */
    uint8_t *items;
    size_t n, cap;
};

static inline void put(struct bytes *b, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *vec_add(b) = ((const uint8_t *)bytes)[i];
}

static inline void put_slice(struct bytes *b, struct slice s)
{
    put(b, s.p, s.n);
}

static inline void put_number(struct bytes *b, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *vec_add(b) = (uint8_t)(value >> 8 * (b->little ? i : n - 1 - i));
}

static inline void put8(struct bytes *b, uint8_t value)
{
    put_number(b, value, 1);
}

static inline void put16(struct bytes *b, uint16_t value)
{
    put_number(b, value, 2);
}

static inline void put32(struct bytes *b, uint32_t value)
{
    put_number(b, value, 4);
}

static inline void put64(struct bytes *b, uint64_t value)
{
    put_number(b, value, 8);
}

static inline void put_times(struct bytes *b, uint8_t value, size_t n)
{
    while (n--)
        put8(b, value);
}

static inline struct slice bytes_slice(const struct bytes *b)
{
    return (struct slice){(const char *)b->items, b->n};
}

#endif

/* Builds HEP messages for tests. */
#ifndef TESTS_UNIT_HEP_H
#define TESTS_UNIT_HEP_H

#include "bytes.h"

static inline void put_chunk(struct bytes *b, uint16_t vendor, uint16_t type, struct slice value)
{
    put16(b, vendor);
    put16(b, type);
    put16(b, (uint16_t)(6 + value.n));
    put_slice(b, value);
}

/* A number in network order. */
static inline void put_chunk_number(struct bytes *b, uint16_t type, uint32_t value, size_t n)
{
    put16(b, 0);
    put16(b, type);
    put16(b, (uint16_t)(6 + n));
    put_number(b, value, n);
}

/* Begins a message of version 3; what follows is chunks, and hep3_end sets its length. */
static inline size_t hep3_begin(struct bytes *b)
{
    size_t at = b->n;
    put_slice(b, SLICE("HEP3"));
    put16(b, 0);
    return at;
}

static inline void hep3_end(struct bytes *b, size_t at)
{
    b->items[at + 4] = (uint8_t)((b->n - at) >> 8);
    b->items[at + 5] = (uint8_t)(b->n - at);
}

struct hep_said {
    uint8_t protocol;
    const char *src, *dst; /* four bytes each */
    uint16_t src_port, dst_port;
    uint32_t seconds, microseconds, agent; /* agent 0: none */
    uint8_t type;                          /* 0: no such chunk */
};

static inline void put_hep3_head(struct bytes *b, const struct hep_said *h)
{
    put_chunk_number(b, 1, 2, 1);
    put_chunk_number(b, 2, h->protocol, 1);
    put_chunk(b, 0, 3, (struct slice){h->src, 4});
    put_chunk(b, 0, 4, (struct slice){h->dst, 4});
    put_chunk_number(b, 7, h->src_port, 2);
    put_chunk_number(b, 8, h->dst_port, 2);
    put_chunk_number(b, 9, h->seconds, 4);
    put_chunk_number(b, 10, h->microseconds, 4);
    if (h->type)
        put_chunk_number(b, 11, h->type, 1);
    if (h->agent)
        put_chunk_number(b, 12, h->agent, 4);
}

static inline void put_hep3(struct bytes *b, const struct hep_said *h, struct slice payload)
{
    size_t at = hep3_begin(b);
    put_hep3_head(b, h);
    put_chunk(b, 0, 15, payload);
    hep3_end(b, at);
}

#endif

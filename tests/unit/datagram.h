/* Builds UDP packets, pushes them into a decoder from guarded memory, and keeps what comes out. */
#ifndef TESTS_UNIT_DATAGRAM_H
#define TESTS_UNIT_DATAGRAM_H

#include "bytes.h"
#include "guard.h"
#include "packet/packet.h"
#include "unit.h"

#define IPV4_SRC SLICE("\x0a\0\0\1")
#define IPV4_DST SLICE("\x0a\0\0\2")
#define IPV6_SRC SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")
#define IPV6_DST SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2")

static inline void put_udp(struct bytes *b, struct slice payload, uint16_t length)
{
    put16(b, 5060);
    put16(b, 5080);
    put16(b, length);
    put16(b, 0xbad);
    put_slice(b, payload);
}

static inline void put_ipv4(struct bytes *b, uint16_t total, uint16_t id, uint16_t fragment,
                            uint8_t protocol)
{
    put16(b, 0x4500);
    put16(b, total);
    put16(b, id);
    put16(b, fragment);
    put8(b, 64);
    put8(b, protocol);
    put16(b, 0xbad);
    put_slice(b, IPV4_SRC);
    put_slice(b, IPV4_DST);
}

static inline void put_ipv6(struct bytes *b, uint16_t payload, uint8_t next)
{
    put32(b, 0x60000000);
    put16(b, payload);
    put8(b, next);
    put8(b, 64);
    put_slice(b, IPV6_SRC);
    put_slice(b, IPV6_DST);
}

/* The last payload that came out, copied, and how many there were. */
struct caught {
    unsigned count;
    struct packet_payload last;
    struct endpoint src, dst;
    char bytes[70000];
    uint32_t frames[9000];
};

static inline void catch_payload(void *context, const struct packet_payload *payload)
{
    struct caught *c = context;
    c->count++;
    c->last = *payload;
    assert_true(payload->bytes.n <= sizeof c->bytes);
    if (payload->bytes.n)
        memcpy(c->bytes, payload->bytes.p, payload->bytes.n);
    assert_true(payload->frame_count >= 1 && payload->frame_count <= COUNT(c->frames));
    memcpy(c->frames, payload->frames, payload->frame_count * sizeof *c->frames);
    for (size_t i = 1; i < payload->frame_count; i++)
        assert_true(c->frames[i - 1] < c->frames[i]);
}

static inline size_t drop_stream(void *context, const struct packet_window *window)
{
    (void)context;
    return window->bytes.n;
}

struct bench {
    struct packet_decoder *decoder;
    struct caught *caught;
    uint32_t number; /* of the last frame */
    int64_t time_ns; /* of the next */
};

static inline struct bench bench_new(void)
{
    const struct hash_key key = hash_key_of(1, 2);
    struct bench bench = {.caught = calloc(1, sizeof(struct caught)), .time_ns = 1000};
    const struct packet_sinks sinks = {catch_payload, drop_stream, bench.caught};
    bench.decoder = packet_decoder_new(&key, &sinks, NULL);
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    packet_decoder_free(bench->decoder);
    free(bench->caught);
}

/* `captured` bytes of the packet, which was `length` bytes on the wire. */
static inline void bench_push(struct bench *bench, int link_type, struct slice packet,
                              size_t captured, size_t length)
{
    struct guard g = guard_copy(packet.p, captured);
    struct source_frame frame = {
        .bytes = {g.p, g.n},
        .length = (uint32_t)length,
        .number = ++bench->number,
        .interface = 3,
        .link_type = link_type,
        .time_ns = bench->time_ns,
        .offset = 1000,
    };
    packet_push(bench->decoder, &frame);
    guard_free(&g);
}

/* Each frame is counted once, whatever is wrong with it. */
static inline uint64_t outcomes(const struct packet_stats *s)
{
    return s->datagrams + s->segments + s->sctp_packets + s->not_ip + s->other_transport +
           s->malformed + s->too_deep + s->cut + s->unknown_link + s->hep_other;
}

struct counted {
    const char *counter; /* the one that goes up, or "none" */
    int link_type;
    struct slice packet;
};

/* A packet from which no payload is handed on, and that one counter speaks of. */
static inline void assert_counted(const struct counted *c, size_t number)
{
    struct bench bench = bench_new();
    const struct packet_stats *s = packet_stats(bench.decoder);
    bench_push(&bench, c->link_type, c->packet, c->packet.n, c->packet.n);
    const char *counter = s->not_ip            ? "not_ip"
                          : s->unknown_link    ? "unknown_link"
                          : s->other_transport ? "other"
                          : s->malformed       ? "malformed"
                                               : "none";
    if (strcmp(counter, c->counter) != 0)
        fail_msg("case %zu: %s, not %s", number, counter, c->counter);
    assert_int_equal(outcomes(s), 1);
    assert_int_equal(s->frames, 1);
    assert_int_equal(bench.caught->count, 0);
    bench_free(&bench);
}

/* ---- fragments ------------------------------------------------------------------------------- */

struct piece {
    uint32_t at, n;
    bool more;
    size_t lost; /* bytes at its end that the snap length cut */
};

/* One fragment of `datagram`, which begins with its UDP header. */
static inline void push_piece(struct bench *bench, bool ipv6, uint16_t id, struct slice datagram,
                              struct piece piece)
{
    struct bytes b = {0};
    if (ipv6) {
        put_ipv6(&b, (uint16_t)(8 + piece.n), 44);
        put16(&b, 0x1100);
        put16(&b, (uint16_t)(piece.at | piece.more));
        put32(&b, id);
    } else {
        put_ipv4(&b, (uint16_t)(20 + piece.n), id,
                 (uint16_t)(piece.at / 8 | (piece.more ? 0x2000 : 0)), 17);
    }
    put_slice(&b, slice_first(slice_from(datagram, piece.at), piece.n));
    bench_push(bench, 101, bytes_slice(&b), b.n - piece.lost, b.n);
    vec_free(&b);
}

/* A UDP datagram of n bytes in all, each telling its place. */
static inline struct bytes datagram_of(size_t n)
{
    struct bytes b = {0};
    put_udp(&b, SLICE(""), (uint16_t)n);
    while (b.n < n)
        put8(&b, (uint8_t)(b.n * 31 + (b.n >> 8)));
    return b;
}

#endif

/* Builds TCP segments, pushes them into a decoder, and writes down what the stream sink is given.
 * A message of these tests is a line: it ends with a line feed. */
#ifndef TESTS_UNIT_SEGMENTS_H
#define TESTS_UNIT_SEGMENTS_H

#include "bytes.h"
#include "guard.h"
#include "packet/packet.h"
#include "unit.h"

#include <stdio.h>

enum { A, B }; /* A: 10.0.0.1:40000, B: 10.0.0.2:5060 */

struct talk {
    struct packet_decoder *decoder;
    struct bytes log[2];  /* of each direction: lines and what befell them */
    struct bytes data[2]; /* bytes alone */
    bool counts;          /* what is read is only counted */
    size_t read;
    bool frames;   /* the frames of each line are written as well */
    uint16_t port; /* of A */
    uint16_t vlan; /* 0: no link layer */
    uint32_t isn[2];
    uint32_t number; /* of the last frame */
    int64_t time_ns; /* of the next */
};

static inline void put_text(struct bytes *b, const char *text)
{
    put_slice(b, slice_of(text));
}

static inline void put_decimal(struct bytes *b, uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    put_text(b, text);
}

static inline void put_frames(struct bytes *b, const struct packet_window *w, size_t n)
{
    struct packet_payload p;
    packet_window_payload(w, 0, n, &p);
    put_text(b, "[");
    for (size_t i = 0; i < p.frame_count; i++) {
        put_text(b, i ? "," : "");
        put_decimal(b, p.frames[i]);
    }
    put_text(b, "]");
    assert_true(p.frame_count > 0 && p.bytes.n == n);
    assert_int_equal(p.time_ns, 1000 + 1000 * (int64_t)p.frames[p.frame_count - 1]);
    if (p.frame_count == 1)
        assert_in_range(p.offset - 1000 * p.frames[0], 40, 60);
}

static inline size_t write_stream(void *context, const struct packet_window *w)
{
    static const char *const afters[] = {"", "gap", "cut", "full", "end"};
    struct talk *talk = context;
    unsigned way = w->src.port == 5060;
    if (talk->counts) {
        talk->read += w->bytes.n;
        return w->bytes.n;
    }
    struct bytes *log = &talk->log[way];
    size_t n = slice_find(w->bytes, '\n');
    assert_int_equal(w->transport, PACKET_TCP);
    assert_int_equal(way == A ? w->src.port : w->dst.port, talk->port);
    if (w->joined && !w->memo[0])
        put_text(log, "~");
    w->memo[0] = 1;
    if (n < w->bytes.n)
        n++;
    else if (w->after == PACKET_MORE)
        return 0;
    put_slice(&talk->data[way], slice_first(w->bytes, n));
    put_slice(log, slice_first(w->bytes, n));
    if (talk->frames && n)
        put_frames(log, w, n);
    /* Asked again with nothing left, it has said already what follows half a line. */
    bool half_line = n && w->bytes.p[n - 1] != '\n';
    if ((n == 0 && !w->memo[1]) || half_line) {
        put_text(log, "<");
        put_text(log, afters[w->after]);
        if (w->missing) {
            put_text(log, " ");
            put_decimal(log, w->missing);
        }
        put_text(log, ">");
    }
    w->memo[1] = half_line;
    return n;
}

static inline void no_datagram(void *context, const struct packet_payload *payload)
{
    (void)context;
    (void)payload;
    fail_msg("a datagram of TCP");
}

static inline struct talk *talk_new(uint32_t isn_a, uint32_t isn_b)
{
    const struct hash_key key = hash_key_of(1, 2);
    struct talk *talk = calloc(1, sizeof *talk);
    const struct packet_sinks sinks = {no_datagram, write_stream, talk};
    talk->decoder = packet_decoder_new(&key, &sinks, NULL);
    talk->port = 40000;
    talk->isn[A] = isn_a;
    talk->isn[B] = isn_b;
    talk->time_ns = 2000;
    return talk;
}

static inline void talk_free(struct talk *talk)
{
    packet_decoder_free(talk->decoder);
    vec_free(&talk->log[A]);
    vec_free(&talk->log[B]);
    vec_free(&talk->data[A]);
    vec_free(&talk->data[B]);
    free(talk);
}

struct segment {
    unsigned way;
    uint32_t seq;      /* from the ISN on: the first byte is 1 */
    uint32_t ack;      /* likewise */
    const char *flags; /* of "SAFRP", A: `ack` counts */
    struct slice data;
    uint32_t cut; /* bytes at its end that were not captured */
};

static inline uint8_t flags_of(const char *flags)
{
    uint8_t bits = 0;
    for (; *flags; flags++)
        bits |= *flags == 'F' ? 1 : *flags == 'S' ? 2 : *flags == 'R' ? 4 : *flags == 'P' ? 8 : 16;
    return bits;
}

static inline void put_tcp(struct bytes *b, const struct talk *talk, const struct segment *s)
{
    bool acks = strchr(s->flags, 'A');
    put16(b, s->way == A ? talk->port : 5060);
    put16(b, s->way == A ? 5060 : talk->port);
    put32(b, talk->isn[s->way] + s->seq);
    put32(b, acks ? talk->isn[!s->way] + s->ack : 0);
    put8(b, 0x50);
    put8(b, flags_of(s->flags));
    put32(b, 0xffff0bad);
    put16(b, 0);
    put_slice(b, s->data);
}

static inline void talk_ip(struct talk *talk, const struct segment *s, struct bytes *b)
{
    put16(b, 0x4500);
    put16(b, (uint16_t)(40 + s->data.n));
    put32(b, 0);
    put32(b, 0x40060bad);
    put32(b, s->way == A ? 0x0a000001 : 0x0a000002);
    put32(b, s->way == A ? 0x0a000002 : 0x0a000001);
    put_tcp(b, talk, s);
}

/* Pushes `captured` bytes of a packet that was b->n long, and frees it. */
static inline void talk_packet(struct talk *talk, struct bytes *b, size_t captured)
{
    struct guard g = guard_copy(b->items, captured);
    talk->number++;
    struct source_frame frame = {
        .bytes = {g.p, g.n},
        .length = (uint32_t)b->n,
        .number = talk->number,
        .link_type = talk->vlan ? 1 : 101,
        .time_ns = talk->time_ns,
        .offset = (uint64_t)talk->number * 1000,
    };
    talk->time_ns += 1000;
    packet_push(talk->decoder, &frame);
    guard_free(&g);
    vec_free(b);
}

static inline void talk_push(struct talk *talk, struct segment s)
{
    struct bytes b = {0};
    if (!s.flags)
        s.flags = "";
    if (talk->vlan) {
        put_times(&b, 2, 12);
        put32(&b, 0x81000000u | talk->vlan);
        put16(&b, 0x0800);
    }
    talk_ip(talk, &s, &b);
    talk_packet(talk, &b, b.n - s.cut);
}

static inline void talk_data(struct talk *talk, unsigned way, uint32_t seq, const char *text)
{
    talk_push(talk, (struct segment){way, seq, 0, "P", slice_of(text), 0});
}

static inline void talk_flags(struct talk *talk, unsigned way, uint32_t seq, uint32_t ack,
                              const char *flags)
{
    talk_push(talk, (struct segment){way, seq, ack, flags, SLICE_NONE, 0});
}

static inline void talk_open(struct talk *talk)
{
    talk_flags(talk, A, 0, 0, "S");
    talk_flags(talk, B, 0, 1, "SA");
    talk_flags(talk, A, 1, 1, "A");
}

static inline const char *talk_log(struct talk *talk, unsigned way)
{
    put8(&talk->log[way], 0);
    talk->log[way].n--;
    return (const char *)talk->log[way].items;
}

#define assert_log(talk, way, text) assert_string_equal(talk_log((talk), (way)), (text))

static inline const struct packet_stats *talk_stats(const struct talk *talk)
{
    return packet_stats(talk->decoder);
}

#endif

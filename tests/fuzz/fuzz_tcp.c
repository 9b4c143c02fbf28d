/* Segments of a few TCP connections.  Each byte of a stream is its own sequence number, so that
 * what comes out of a stream must count up, whatever was lost, repeated or in disorder. */
#include "packet/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void no_datagram(void *context, const struct packet_payload *payload)
{
    (void)context;
    (void)payload;
    abort();
}

/* Takes what the first byte asks for, or all where nothing more comes. */
static size_t take(void *context, const struct packet_window *w)
{
    const uint32_t *last = context;
    struct packet_payload p;
    for (size_t i = 1; i < w->bytes.n; i++)
        assert((uint8_t)w->bytes.p[i] == (uint8_t)(w->bytes.p[i - 1] + 1));
    if (w->bytes.n == 0)
        return 0;
    packet_window_payload(w, 0, w->bytes.n, &p);
    assert(p.frame_count > 0 && p.bytes.n == w->bytes.n);
    for (size_t i = 0; i < p.frame_count; i++) {
        assert(p.frames[i] <= *last);
        assert(i == 0 || p.frames[i] > p.frames[i - 1]);
    }
    size_t n = (uint8_t)w->bytes.p[0] % 16;
    if (n == 15)
        *w->want = 100;
    return n < w->bytes.n ? n : n % 2 ? w->bytes.n : 0;
}

static void put32(uint8_t *at, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(n >> (24 - 8 * i));
}

/* A raw IPv4 packet in memory of its own size. */
static void push(struct packet_decoder *d, struct source_frame *frame, const uint8_t ports[4],
                 uint32_t seq, uint32_t ack, uint8_t flags, size_t length, size_t captured)
{
    size_t n = 40 + length;
    uint8_t *packet = calloc(1, n);
    packet[0] = 0x45;
    packet[2] = (uint8_t)(n >> 8);
    packet[3] = (uint8_t)n;
    packet[9] = 6;
    memcpy(packet + 20, ports, 4);
    put32(packet + 24, seq);
    put32(packet + 28, ack);
    packet[32] = 0x50;
    packet[33] = flags;
    for (size_t i = 0; i < length; i++)
        packet[40 + i] = (uint8_t)(seq + (flags >> 1 & 1) + i);
    char *copy = malloc(40 + captured);
    memcpy(copy, packet, 40 + captured);
    frame->bytes = (struct slice){copy, 40 + captured};
    frame->length = (uint32_t)n;
    frame->number++;
    packet_push(d, frame);
    free(copy);
    free(packet);
}

/* One segment: which connection and direction, flags, where it stands, how long it is. */
static void step(struct packet_decoder *d, struct source_frame *frame, struct cursor *c,
                 uint32_t next[4][2])
{
    uint8_t what = cursor_u8(c), flags = cursor_u8(c);
    unsigned who = what & 3, way = what >> 2 & 1;
    uint8_t client[4] = {0, (uint8_t)(40 + who), 1, 1}, server[4] = {1, 1, 0, (uint8_t)(40 + who)};
    int32_t shift = (int8_t)cursor_u8(c), acks = (int8_t)cursor_u8(c);
    size_t length = cursor_u8(c), cut = what & 8 ? cursor_u8(c) : 0;
    if (what & 16)
        next[who][way] += cursor_be32(c);
    if (what & 32)
        frame->time_ns += (int64_t)cursor_u8(c) * 1000000000;
    if (what & 64)
        length *= 200;
    cut = cut < length ? cut : length;
    uint32_t seq = next[who][way] + (uint32_t)shift;
    push(d, frame, way ? server : client, seq, next[who][!way] + (uint32_t)acks, flags, length,
         length - cut);
    if (what & 128)
        next[who][way] = seq + (uint32_t)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct cursor c = cursor_of((struct slice){(const char *)data, n});
    const struct hash_key key = hash_key_of(1, 2);
    struct source_frame frame = {.link_type = 101, .time_ns = 1000000000000};
    uint32_t next[4][2] = {{1, UINT32_MAX}, {0x7fffffff, 0}, {UINT32_MAX - 99, 7}, {0, 0}};
    const struct packet_sinks sinks = {no_datagram, take, &frame.number};
    struct packet_decoder *d = packet_decoder_new(&key, &sinks, NULL);
    while (cursor_left(&c))
        step(d, &frame, &c, next);
    if (n % 2)
        packet_flush(d);
    assert(packet_stats(d)->segments == frame.number);
    packet_decoder_free(d);
    return 0;
}

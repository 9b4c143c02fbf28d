/* packet/sctp.c: user messages out of DATA and I-DATA chunks. */
#include "datagram.h"

#include <stdio.h>

/* All that came out: "text@frames", and behind a + what is cut off, a ~ what was lost. */
struct lane {
    struct bench bench;
    struct bytes log;
};

static void write_message(void *context, const struct packet_payload *p)
{
    struct lane *lane = context;
    char text[64];
    assert_int_equal(p->transport, PACKET_SCTP);
    put_slice(&lane->log, p->bytes);
    for (size_t i = 0; i < p->frame_count; i++) {
        snprintf(text, sizeof text, "%c%u", i ? ',' : '@', p->frames[i]);
        put_slice(&lane->log, slice_of(text));
        assert_true(i == 0 || p->frames[i] > p->frames[i - 1]);
    }
    if (p->missing) {
        snprintf(text, sizeof text, "%c%zu", p->gap ? '~' : '+', p->missing);
        put_slice(&lane->log, slice_of(text));
    }
    put8(&lane->log, ' ');
}

static void lane_begin(struct lane *lane)
{
    const struct hash_key key = hash_key_of(1, 2);
    const struct packet_sinks sinks = {write_message, drop_stream, lane};
    *lane = (struct lane){.bench = {.time_ns = 1000}};
    lane->bench.decoder = packet_decoder_new(&key, &sinks, NULL);
}

static void lane_end(struct lane *lane)
{
    packet_decoder_free(lane->bench.decoder);
    vec_free(&lane->log);
}

/* ---- building -------------------------------------------------------------------------------- */

static void put_chunk(struct bytes *b, uint8_t type, uint8_t flags, const struct bytes *value)
{
    put8(b, type);
    put8(b, flags);
    put16(b, (uint16_t)(4 + value->n));
    put(b, value->items, value->n);
    put_times(b, 0, -value->n & 3);
}

/* "D BE 7 text": a DATA chunk with its flags and TSN, of stream 1; "d" of stream 2; "I BE 7.5.0
 * text": an I-DATA chunk with TSN, message and fragment number; "X": another chunk. */
static const char *put_text_chunk(struct bytes *b, const char *p)
{
    struct bytes value = {0};
    char kind = *p, flags[8] = "";
    unsigned tsn = 0, message = 0, number = 0, bits = 0;
    int n = 0;
    if (kind == 'I')
        assert_true(sscanf(p, "I %7s %u.%u.%u %n", flags, &tsn, &message, &number, &n) == 4);
    else
        assert_true(sscanf(p + 1, " %7s %u %n", flags, &tsn, &n) == 2 && ++n);
    p += n;
    for (const char *f = flags; *f; f++)
        bits |= *f == 'E' ? 1 : *f == 'B' ? 2 : *f == 'U' ? 4 : 8;
    put32(&value, tsn);
    put16(&value, kind == 'd' ? 2 : 1);
    put16(&value, kind == 'I' ? 0 : 9);
    if (kind == 'I')
        put32(&value, message);
    put32(&value, kind == 'I' ? number : 0);
    for (; *p && *p != ';' && *p != '+'; p++)
        put8(&value, (uint8_t)*p);
    put_chunk(b, kind == 'X' ? 3 : kind == 'I' ? 64 : 0, (uint8_t)bits, &value);
    vec_free(&value);
    return p;
}

struct road {
    uint32_t src, dst;
    uint16_t src_port, dst_port;
    uint32_t tag;
    uint16_t udp; /* the port that UDP carries it from; 0: none */
};

/* One packet for each part of the text that ends with a semicolon; chunks are parted by +. */
static void push_packets(struct lane *lane, const struct road *road, const char *p, size_t cut)
{
    while (*p) {
        struct bytes b = {0};
        put16(&b, 0x4500);
        put16(&b, 0);
        put32(&b, 0);
        put32(&b, road->udp ? 0x40110bad : 0x40840bad);
        put32(&b, road->src);
        put32(&b, road->dst);
        if (road->udp) {
            put32(&b, (uint32_t)road->udp << 16 | 9899);
            put32(&b, 0);
        }
        put16(&b, road->src_port);
        put16(&b, road->dst_port);
        put32(&b, road->tag);
        put32(&b, 0xbad);
        for (; *p && *p != ';'; p += *p == '+')
            p = put_text_chunk(&b, p);
        b.items[2] = (uint8_t)(b.n >> 8);
        b.items[3] = (uint8_t)b.n;
        bench_push(&lane->bench, 101, bytes_slice(&b), b.n - cut, b.n);
        vec_free(&b);
        p += *p == ';';
    }
}

static const struct road roads[] = {
    {0x0a000001, 0x0a000002, 5060, 5080, 77, 0},
    {0x0a000002, 0x0a000001, 5080, 5060, 78, 0},
};

static void check(struct lane *lane, const char *what, const char *expected)
{
    put8(&lane->log, 0);
    if (strcmp((const char *)lane->log.items, expected) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", what, (const char *)lane->log.items, expected);
    lane->log.n--;
}

static void test_messages(void **state)
{
    static const struct {
        const char *what, *packets;
        size_t cut;
        const char *messages, *flushed; /* before packet_flush, and what it adds */
    } cases[] = {
        {"one", "D BE 1 one", 0, "one@1 ", ""},
        {"bundled", "D BE 1 one+D BE 2 three+D BE 3 four", 0, "one@1 three@1 four@1 ", ""},
        {"other chunks", "X BE 0 abc+D BE 1 one+X BE 0 abc", 0, "one@1 ", ""},
        {"unordered", "D UBE 1 one;D UBE 2 two", 0, "one@1 two@2 ", ""},
        {"sent again", "D BE 1 one;D BE 1 one;D BE 2 two+D BE 1 one", 0, "one@1 two@3 ", ""},
        {"out of order", "D BE 2 two;D BE 1 one;D BE 2 two", 0, "two@1 one@2 ", ""},
        {"fragments", "D B 1 one;D  I 2 two;D E 3 four", 0, "onetwofour@1,2,3 ", ""},
        {"fragments in one packet", "D B 1 one+D E 2 two+D BE 3 x", 0, "onetwo@1 x@1 ", ""},
        {"fragments reversed", "D E 3 four;D I 2 two;D B 1 one", 0, "onetwofour@1,2,3 ", ""},
        {"fragments sent again", "D B 1 one;D B 1 one;D E 2 two;D E 2 two", 0, "onetwo@1,3 ", ""},
        {"two messages", "D B 1 a;D B 3 c;D E 4 d;D E 2 b", 0, "cd@2,3 ab@1,4 ", ""},
        {"the number wraps", "D B 4294967295 a;D I 0 b;D E 1 c;D BE 2 d", 0, "abc@1,2,3 d@4 ", ""},
        {"two streams", "D B 1 a;d B 2 b;D E 3 c", 0, "", "a@1~1 b@2~1 "},
        {"I-DATA", "I BE 1.1.0 one;I BE 2.2.0 two", 0, "one@1 two@2 ", ""},
        {"I-DATA, interleaved", "I B 1.1.0 a;I B 2.2.0 x;I I 3.1.1 b;I E 4.2.1 y;I E 5.1.2 c", 0,
         "xy@2,4 abc@1,3,5 ", ""},
        {"I-DATA, reversed", "I E 3.1.2 c;I I 2.1.1 b;I B 1.1.99 a", 0, "abc@1,2,3 ", ""},
        {"I-DATA, unordered", "I UB 1.1.0 a;I B 2.1.0 x;I UE 3.1.1 b;I E 4.1.1 y", 0,
         "ab@1,3 xy@2,4 ", ""},
        {"no end", "D B 1 one;D I 2 two;D BE 9 x", 0, "x@3 ", "onetwo@1,2~1 "},
        {"no middle", "D B 1 one;D E 3 two", 0, "", "one@1~1 "},
        {"no beginning", "D I 2 one;D E 3 two", 0, "", ""},
        {"cut", "D BE 1 onetwo", 5, "one@1+3 ", ""},
        {"cut, fragments", "D B 1 one!;D E 2 two!", 2, "on@1,2+6 ", ""},
        {"cut, no end", "D B 1 one!;D I 2 two!", 2, "", "on@1,2+7 "},
        {"far away", "D BE 1 one;D BE 2000000 two;D BE 2000000 two;D BE 1 one", 0,
         "one@1 two@2 one@4 ", ""},
        {"a window on", "D BE 1 one;D BE 3000 two;D BE 1 one;D BE 2999 x;D BE 2999 x", 0,
         "one@1 two@2 x@4 ", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char all[200];
        struct lane lane;
        lane_begin(&lane);
        push_packets(&lane, &roads[0], cases[i].packets, cases[i].cut);
        check(&lane, cases[i].what, cases[i].messages);
        packet_flush(lane.bench.decoder);
        snprintf(all, sizeof all, "%s%s", cases[i].messages, cases[i].flushed);
        check(&lane, cases[i].what, all);
        lane_end(&lane);
    }
}

/* An association goes on over other addresses; its directions, and other associations, have their
 * own numbers. */
static void test_roads(void **state)
{
    static const struct {
        struct road road;
        const char *messages;
    } others[] = {
        {{0x0a000001, 0x0a000002, 5060, 5080, 77, 0}, "a@1 "},
        {{0x0b000001, 0x0b000002, 5060, 5080, 77, 0}, "a@1 "}, /* by another path */
        {{0x0a000001, 0x0a000002, 5060, 5080, 77, 9899}, "a@1 "},
        {{0x0a000001, 0x0a000002, 5060, 5080, 77, 1234}, "a@1 "},
        {{0x0a000001, 0x0a000002, 5060, 5080, 78, 9899}, "a@1 a@2 "},
        {{0x0a000001, 0x0a000002, 5060, 5080, 78, 0}, "a@1 a@2 "},
        {{0x0a000001, 0x0a000002, 5061, 5080, 77, 0}, "a@1 a@2 "},
        {{0x0a000002, 0x0a000001, 5080, 5060, 77, 0}, "a@1 a@2 "},
        {{0x0a000002, 0x0a000001, 5060, 5080, 77, 0}, "a@1 a@2 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct lane lane;
        lane_begin(&lane);
        push_packets(&lane, &roads[0], "D BE 1 a", 0);
        push_packets(&lane, &others[i].road, "D BE 1 a", 0);
        check(&lane, "road", others[i].messages);
        lane_end(&lane);
    }
}

static void test_same_host(void **state)
{
    static const struct road road = {0x7f000001, 0x7f000001, 5060, 5080, 1, 0};
    struct lane lane;
    (void)state;
    lane_begin(&lane);
    push_packets(&lane, &road, "D B 1 a;D B 1 a;D E 2 b;D E 2 b", 0);
    check(&lane, "same host", "ab@1,3 ");
    lane_end(&lane);
}

static void test_malformed(void **state)
{
    static const struct slice chunks[] = {
        SLICE("\0\3"),
        SLICE("\0\3\0\3"),
        SLICE("\0\3\0\x10\0\0\0\1\0\0\0\0\0\0\0\0"),
        SLICE("\0\3\1\x10\0\0\0\1\0\0\0\0\0\0\0\0"),
        SLICE("\x40\3\0\x14\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(chunks); i++) {
        struct lane lane;
        struct bytes b = {0};
        lane_begin(&lane);
        put_ipv4(&b, (uint16_t)(32 + chunks[i].n), 0, 0, 132);
        put64(&b, 0);
        put32(&b, 0);
        put_slice(&b, chunks[i]);
        bench_push(&lane.bench, 101, bytes_slice(&b), b.n, b.n);
        assert_int_equal(packet_stats(lane.bench.decoder)->malformed, 1);
        assert_int_equal(packet_stats(lane.bench.decoder)->sctp_packets, 1);
        check(&lane, "malformed", "");
        vec_free(&b);
        lane_end(&lane);
    }
}

static void test_limits(void **state)
{
    struct lane lane;
    struct road road = roads[0];
    char text[64];
    (void)state;
    lane_begin(&lane);
    for (unsigned i = 0; i < PACKET_SCTP_WAYS + 10; i++) {
        road.tag = i;
        push_packets(&lane, &road, "D B 1 a", 0);
    }
    assert_int_equal(packet_stats(lane.bench.decoder)->sctp_evicted, 10);
    assert_int_equal(packet_stats(lane.bench.decoder)->sctp_incomplete, 10);
    lane_end(&lane);
    lane_begin(&lane);
    for (unsigned i = 0; i < PACKET_PENDING + 10; i++) {
        snprintf(text, sizeof text, "D B %u a", 2 * i);
        push_packets(&lane, &roads[0], text, 0);
    }
    assert_int_equal(packet_stats(lane.bench.decoder)->sctp_incomplete, 10);
    packet_flush(lane.bench.decoder);
    assert_int_equal(packet_stats(lane.bench.decoder)->sctp_incomplete, PACKET_PENDING + 10);
    lane_end(&lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),  cmocka_unit_test(test_roads),
        cmocka_unit_test(test_same_host), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

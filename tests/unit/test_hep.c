/* packet/: HEP of all versions in datagrams and streams, and what becomes of it when it is cut,
 * contradicts itself or carries something else. */
#include "datagram.h"
#include "hep.h"
#include "packet/stream.h"

#include <zlib.h>

#define BYE SLICE("BYE sip:a@b SIP/2.0\r\nCall-ID: c\r\n\r\n")

static const struct hep_said said = {.protocol = 17,
                                     .src = "\x0a\1\1\1",
                                     .dst = "\x0a\2\2\2",
                                     .src_port = 5062,
                                     .dst_port = 5063,
                                     .seconds = 1700000000,
                                     .microseconds = 123456,
                                     .agent = 2001,
                                     .type = 1};

/* One UDP datagram over raw IPv4, of which `lost` bytes at the end were not captured. */
static void push_udp(struct bench *bench, struct slice payload, size_t lost)
{
    struct bytes b = {0};
    put_ipv4(&b, (uint16_t)(28 + payload.n), 7, 0, 17);
    put_udp(&b, payload, (uint16_t)(8 + payload.n));
    bench_push(bench, 101, bytes_slice(&b), b.n - lost, b.n);
    vec_free(&b);
}

static void push_bytes(struct bench *bench, struct bytes *b, size_t lost)
{
    push_udp(bench, bytes_slice(b), lost);
    vec_free(b);
}

static void assert_ends(const struct packet_payload *p, const char *src, const char *dst)
{
    assert_string_equal(endpoint_format(&p->src).s, src);
    assert_string_equal(endpoint_format(&p->dst).s, dst);
}

static void assert_bye(const struct caught *c)
{
    assert_int_equal(c->last.bytes.n, BYE.n);
    assert_memory_equal(c->bytes, BYE.p, BYE.n);
}

/* ---- version 3 ------------------------------------------------------------------------------- */

static void test_version3(void **state)
{
    struct bench bench = bench_new();
    struct bytes b = {0};
    struct caught *c = bench.caught;
    (void)state;
    put_hep3(&b, &said, BYE);
    size_t n = b.n;
    push_bytes(&bench, &b, 0);
    assert_int_equal(c->count, 1);
    assert_bye(c);
    assert_ends(&c->last, "10.1.1.1:5062", "10.2.2.2:5063");
    assert_int_equal(c->last.transport, PACKET_UDP);
    assert_int_equal(c->last.time_ns, 1700000000123456000);
    assert_true(c->last.has_agent);
    assert_int_equal(c->last.agent, 2001);
    assert_int_equal(c->last.missing, 0);
    assert_int_equal(c->last.offset, 1000 + 28 + n - BYE.n); /* its bytes can be read again */
    assert_int_equal(c->frames[0], 1);
    assert_int_equal(c->last.direction, SOURCE_UNKNOWN);
    assert_int_equal(packet_stats(bench.decoder)->datagrams, 1);
    bench_free(&bench);
}

static void test_ipv6(void **state)
{
    struct bench bench = bench_new();
    struct bytes b = {0};
    size_t at = hep3_begin(&b);
    (void)state;
    put_chunk_number(&b, 1, 10, 1);
    put_chunk_number(&b, 2, 6, 1);
    put_chunk(&b, 0, 5, IPV6_SRC);
    put_chunk(&b, 0, 6, IPV6_DST);
    put_chunk(&b, 0, 15, BYE);
    put_chunk_number(&b, 7, 5060, 2); /* chunks come in any order */
    put_chunk_number(&b, 8, 5061, 2);
    hep3_end(&b, at);
    push_bytes(&bench, &b, 0);
    assert_int_equal(bench.caught->count, 1);
    assert_bye(bench.caught);
    assert_ends(&bench.caught->last, "[fd00::1]:5060", "[fd00::2]:5061");
    assert_int_equal(bench.caught->last.transport, PACKET_TCP);
    assert_int_equal(bench.caught->last.time_ns, 1000); /* the frame's */
    assert_false(bench.caught->last.has_agent);
    bench_free(&bench);
}

static void test_transports(void **state)
{
    static const struct {
        uint8_t protocol;
        enum packet_transport transport;
    } cases[] = {{17, PACKET_UDP}, {6, PACKET_TCP}, {132, PACKET_SCTP},
                 {22, PACKET_TLS}, {50, PACKET_WS}, {99, PACKET_UDP}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        struct hep_said h = said;
        h.protocol = cases[i].protocol;
        put_hep3(&b, &h, BYE);
        push_bytes(&bench, &b, 0);
        assert_int_equal(bench.caught->last.transport, cases[i].transport);
        bench_free(&bench);
    }
}

/* Chunks of other vendors, of other kinds and unknown ones are passed over. */
static void test_other_chunks(void **state)
{
    struct bench bench = bench_new();
    struct bytes b = {0};
    size_t at = hep3_begin(&b);
    (void)state;
    put_chunk(&b, 7, 15, SLICE("not the payload"));
    put_chunk(&b, 0, 14, SLICE("secret"));
    put_hep3_head(&b, &said);
    put_chunk(&b, 0, 17, SLICE("correlation"));
    put_chunk(&b, 0, 18, SLICE("\0\5"));
    put_chunk(&b, 0, 4711, SLICE("?"));
    put_chunk(&b, 0, 15, BYE);
    put_chunk(&b, 0, 19, SLICE("node"));
    hep3_end(&b, at);
    push_bytes(&bench, &b, 0);
    assert_int_equal(bench.caught->count, 1);
    assert_bye(bench.caught);
    assert_int_equal(bench.caught->last.agent, 2001);
    assert_int_equal(packet_stats(bench.decoder)->malformed, 0);
    bench_free(&bench);
}

/* What is no SIP is counted and not handed on; without a type, it may be. */
static void test_types(void **state)
{
    static const uint8_t types[] = {5, 0x20, 100, 0, 1};
    struct bench bench = bench_new();
    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct bytes b = {0};
        struct hep_said h = said;
        h.type = types[i];
        put_hep3(&b, &h, BYE);
        push_bytes(&bench, &b, 0);
    }
    assert_int_equal(bench.caught->count, 2);
    assert_int_equal(packet_stats(bench.decoder)->hep_other, 3);
    assert_int_equal(outcomes(packet_stats(bench.decoder)), COUNT(types));
    bench_free(&bench);
}

/* Each byte by which the snap length cuts: the message is cut, or nothing is left of it. */
static void test_cut(void **state)
{
    struct bytes b = {0};
    (void)state;
    put_hep3(&b, &said, BYE);
    for (size_t lost = 1; lost < b.n; lost++) {
        struct bench bench = bench_new();
        push_udp(&bench, bytes_slice(&b), lost);
        if (lost < BYE.n) {
            assert_int_equal(bench.caught->count, 1);
            assert_int_equal(bench.caught->last.bytes.n, BYE.n - lost);
            assert_int_equal(bench.caught->last.missing, lost);
            assert_ends(&bench.caught->last, "10.1.1.1:5062", "10.2.2.2:5063");
        } else if (b.n - lost >= PACKET_HEP_HEAD) {
            assert_int_equal(bench.caught->count, 0);
            assert_int_equal(packet_stats(bench.decoder)->cut, 1);
        }
        assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
        assert_int_equal(packet_stats(bench.decoder)->malformed, 0);
        bench_free(&bench);
    }
    vec_free(&b);
}

struct bad {
    const char *name;
    struct slice chunks; /* after the head, before the payload */
    bool whole;          /* the payload is reached all the same */
};

static const struct bad bads[] = {
    {"a chunk of no length", SLICE("\0\0\0\x11\0\0"), false},
    {"a chunk shorter than its head", SLICE("\0\0\0\x11\0\5x"), false},
    {"a chunk longer than all", SLICE("\0\0\0\x11\xff\xff"), false},
    {"a port of three bytes", SLICE("\0\0\0\7\0\x09\1\2\3"), true},
    {"an address of none", SLICE("\0\0\0\3\0\6"), true},
    {"an IPv6 address of four", SLICE("\0\0\0\5\0\x0a\1\2\3\4"), true},
};

static void test_bad_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bads); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        size_t at = hep3_begin(&b);
        put_hep3_head(&b, &said);
        put_slice(&b, bads[i].chunks);
        put_chunk(&b, 0, 15, BYE);
        hep3_end(&b, at);
        push_bytes(&bench, &b, 0);
        if (bench.caught->count != bads[i].whole || packet_stats(bench.decoder)->malformed != 1)
            fail_msg("%s: %u payloads", bads[i].name, bench.caught->count);
        if (bads[i].whole) {
            assert_bye(bench.caught);
            assert_ends(&bench.caught->last, "10.1.1.1:5062", "10.2.2.2:5063");
        }
        bench_free(&bench);
    }
}

/* Lengths that contradict the datagram, and bytes after the message. */
static void test_lengths(void **state)
{
    static const struct {
        int more; /* the length says so many bytes more than the message has */
        size_t lost;
        unsigned count;
        size_t n, missing;
        uint64_t malformed;
    } cases[] = {
        {100, 0, 1, 34, 0, 1},
        {-4, 0, 1, 30, 4, 1},
        {-4, 8, 1, 26, 8, 1},
    };
    (void)state;
    assert_int_equal(BYE.n, 34 + 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        put_hep3(&b, &said, BYE);
        size_t n = b.n + (size_t)cases[i].more;
        b.items[4] = (uint8_t)(n >> 8);
        b.items[5] = (uint8_t)n;
        push_bytes(&bench, &b, cases[i].lost);
        assert_int_equal(bench.caught->count, cases[i].count);
        assert_int_equal(bench.caught->last.bytes.n, cases[i].n + 1);
        assert_int_equal(bench.caught->last.missing, cases[i].missing);
        assert_int_equal(packet_stats(bench.decoder)->malformed, cases[i].malformed);
        bench_free(&bench);
    }
}

/* ---- compressed ------------------------------------------------------------------------------ */

static struct bytes deflated(struct slice plain, int bits)
{
    struct bytes out = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    put_times(&out, 0, deflateBound(&z, plain.n) + 32);
    z.next_in = (Bytef *)(uintptr_t)plain.p;
    z.avail_in = (uInt)plain.n;
    z.next_out = out.items;
    z.avail_out = (uInt)out.n;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

static void push_compressed(struct bench *bench, struct slice compressed)
{
    struct bytes b = {0};
    size_t at = hep3_begin(&b);
    put_hep3_head(&b, &said);
    put_chunk(&b, 0, 16, compressed);
    hep3_end(&b, at);
    push_bytes(bench, &b, 0);
}

static void test_compressed(void **state)
{
    static const int formats[] = {15, 15 + 16}; /* zlib, gzip */
    struct bench bench = bench_new();
    (void)state;
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct bytes b = deflated(BYE, formats[i]);
        push_compressed(&bench, bytes_slice(&b));
        assert_int_equal(bench.caught->count, i + 1);
        assert_bye(bench.caught);
        assert_int_equal(bench.caught->last.missing, 0);
        assert_true(bench.caught->last.offset == SOURCE_NO_OFFSET);
        vec_free(&b);
    }
    push_compressed(&bench, SLICE("\x78\x9cgarbage"));
    push_compressed(&bench, SLICE("x"));
    assert_int_equal(bench.caught->count, 2);
    assert_int_equal(packet_stats(bench.decoder)->not_inflated, 2);
    bench_free(&bench);
}

static size_t inflated;

static void count_inflated(void *context, const struct packet_payload *p)
{
    (void)context;
    inflated = p->bytes.n;
    assert_true(p->missing > 0);
}

/* A kilobyte that would become megabytes becomes no more than the limit. */
static void test_bomb(void **state)
{
    const struct hash_key key = hash_key_of(1, 2);
    const struct packet_sinks sinks = {count_inflated, drop_stream, NULL};
    struct bench bench = {.decoder = packet_decoder_new(&key, &sinks, NULL)};
    struct bytes zeros = {0};
    (void)state;
    put_times(&zeros, 'A', 8u << 20);
    struct bytes b = deflated(bytes_slice(&zeros), 15);
    push_compressed(&bench, bytes_slice(&b));
    assert_int_equal(inflated, 256 * 1024);
    vec_free(&b);
    vec_free(&zeros);
    bench_free(&bench);
}

/* HEP that carries HEP, to a depth that ends. */
static void test_nested(void **state)
{
    struct bench bench = bench_new();
    struct bytes inner = {0};
    (void)state;
    put_slice(&inner, BYE);
    for (int depth = 1; depth < 20; depth++) {
        struct bytes b = {0};
        struct hep_said h = said;
        h.agent = (uint32_t)depth;
        put_hep3(&b, &h, bytes_slice(&inner));
        push_udp(&bench, bytes_slice(&b), 0);
        assert_int_equal(bench.caught->count, depth < 16 ? depth : 16);
        assert_int_equal(bench.caught->last.agent, 1);
        vec_free(&inner);
        inner = b;
    }
    assert_int_equal(packet_stats(bench.decoder)->malformed, 3);
    vec_free(&inner);
    bench_free(&bench);
}

/* ---- versions 1 and 2 ------------------------------------------------------------------------ */

struct old {
    const char *name;
    struct slice head;
    int64_t time_ns;
    uint32_t agent;
    bool has_agent;
    const char *src, *dst;
};

#define HEAD4(version, length) version length "\x02\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2"
#define TIME_LITTLE            "\x00\xf1\x53\x65\x40\xe2\x01\x00" /* 1700000000, 123456 */
#define TIME_BIG               "\x65\x53\xf1\x00\x00\x01\xe2\x40"
#define OLD_TIME               1700000000123456000

static const struct old olds[] = {
    {"1", SLICE(HEAD4("\1", "\x10")), 0, 0, false, "10.1.1.1:5062", "10.2.2.2:5063"},
    {"1 over IPv6",
     SLICE("\1\x28\x0a\x11\x13\xc6\x13\xc7"
           "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"),
     0, 0, false, "[fd00::1]:5062", "[fd00::2]:5063"},
    {"2", SLICE(HEAD4("\2", "\x10") TIME_LITTLE "\xd1\7\xab\xcd"), OLD_TIME, 2001, true,
     "10.1.1.1:5062", "10.2.2.2:5063"},
    {"2, big-endian", SLICE(HEAD4("\2", "\x10") TIME_BIG "\7\xd1\0\0"), OLD_TIME, 2001, true,
     "10.1.1.1:5062", "10.2.2.2:5063"},
    {"2, the id of 32 bits", SLICE(HEAD4("\2", "\x10") TIME_BIG "\0\0\7\xd1"), OLD_TIME, 2001, true,
     "10.1.1.1:5062", "10.2.2.2:5063"},
    {"2, the time in the length", SLICE(HEAD4("\2", "\x1c") TIME_LITTLE "\xd1\7\0\0"), OLD_TIME,
     2001, true, "10.1.1.1:5062", "10.2.2.2:5063"},
    {"2, without padding", SLICE(HEAD4("\2", "\x10") TIME_LITTLE "\xd1\7"), OLD_TIME, 2001, true,
     "10.1.1.1:5062", "10.2.2.2:5063"},
    {"2, no time", SLICE(HEAD4("\2", "\x10") "\0\0\0\0\0\0\0\0\xd1\7\0\0"), 0, 2001, true,
     "10.1.1.1:5062", "10.2.2.2:5063"},
};

static void test_old_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(olds); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        struct caught *c = bench.caught;
        bench.time_ns = 1700000005000000000;
        put_slice(&b, olds[i].head);
        put_slice(&b, BYE);
        push_bytes(&bench, &b, 0);
        if (c->count != 1 || c->last.bytes.n != BYE.n)
            fail_msg("version %s: %u payloads", olds[i].name, c->count);
        assert_bye(c);
        assert_ends(&c->last, olds[i].src, olds[i].dst);
        assert_int_equal(c->last.time_ns, olds[i].time_ns ? olds[i].time_ns : bench.time_ns);
        assert_int_equal(c->last.has_agent, olds[i].has_agent);
        assert_int_equal(c->last.agent, olds[i].agent);
        assert_int_equal(c->last.offset, 1000 + 28 + olds[i].head.n);
        bench_free(&bench);
    }
}

/* What has the form in part only stays the datagram that it is. */
static void test_not_hep(void **state)
{
    static const struct slice others[] = {
        SLICE("HEP3"),
        SLICE("HEP3\0"),
        SLICE("HEP2\0\x10\0\0\0\1\0\7"),
        SLICE("\1\x10\2\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2\0\0\0\0\0"),
        SLICE("\1\x11\2\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2"
              "BYE sip:a@b SIP/2.0\r\n\r\n"),
        SLICE("\1\x10\3\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2"
              "BYE sip:a@b SIP/2.0\r\n\r\n"),
        SLICE("\1\x10\2\1\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2"
              "BYE sip:a@b SIP/2.0\r\n\r\n"),
        SLICE("\3\x10\2\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2"
              "BYE sip:a@b SIP/2.0\r\n\r\n"),
        SLICE("\2\x10\2\x11\x13\xc6\x13\xc7\x0a\1\1\1\x0a\2\2\2\0"),
        SLICE("HELP sip:a@b SIP/2.0\r\n\r\n"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct bench bench = bench_new();
        push_udp(&bench, others[i], 0);
        assert_int_equal(bench.caught->count, 1);
        assert_int_equal(bench.caught->last.bytes.n, others[i].n);
        assert_false(bench.caught->last.has_agent);
        bench_free(&bench);
    }
}

/* ---- streams --------------------------------------------------------------------------------- */

static const struct endpoint agent = {{4, {10, 9, 9, 1}}, 40000};
static const struct endpoint server = {{4, {10, 9, 9, 2}}, 9060};

struct flow {
    struct bench bench;
    struct packet_stream stream;
};

static struct flow *flow_new(void)
{
    struct flow *f = calloc(1, sizeof *f);
    f->bench = bench_new();
    packet_stream_init(&f->stream, f->bench.decoder, PACKET_TCP, &agent, &server);
    return f;
}

static void flow_push(struct flow *f, struct slice bytes)
{
    struct guard g = guard_copy(bytes.p, bytes.n);
    struct packet_part part = {.end = bytes.n,
                               .offset = 5000,
                               .time_ns = f->bench.time_ns += 1000,
                               .frame = ++f->bench.number};
    packet_stream_push(&f->stream, 0, (struct slice){g.p, g.n}, &part, 1);
    guard_free(&g);
}

static void flow_free(struct flow *f)
{
    packet_stream_close(&f->stream);
    bench_free(&f->bench);
    free(f);
}

static struct bytes three_messages(void)
{
    struct bytes b = {0};
    for (uint32_t i = 1; i <= 3; i++) {
        struct hep_said h = said;
        h.agent = i;
        put_hep3(&b, &h, BYE);
    }
    return b;
}

/* Wherever the stream is split in two, and byte by byte. */
static void test_stream_splits(void **state)
{
    struct bytes b = three_messages();
    (void)state;
    for (size_t at = 0; at <= b.n; at++) {
        struct flow *f = flow_new();
        if (at)
            flow_push(f, slice_first(bytes_slice(&b), at));
        if (at < b.n)
            flow_push(f, slice_from(bytes_slice(&b), at));
        assert_int_equal(f->bench.caught->count, 3);
        assert_bye(f->bench.caught);
        assert_int_equal(f->bench.caught->last.agent, 3);
        assert_int_equal(f->bench.caught->last.frame_count, at > b.n / 3 * 2 && at < b.n ? 2 : 1);
        flow_free(f);
    }
    struct flow *f = flow_new();
    for (size_t i = 0; i < b.n; i++)
        flow_push(f, (struct slice){(char *)b.items + i, 1});
    assert_int_equal(f->bench.caught->count, 3);
    assert_int_equal(f->bench.caught->last.frame_count, b.n / 3);
    assert_int_equal(f->bench.caught->frames[0], b.n / 3 * 2 + 1);
    assert_int_equal(packet_stats(f->bench.decoder)->stream_lost, 0);
    flow_free(f);
    vec_free(&b);
}

static void test_stream_offset(void **state)
{
    struct bytes b = three_messages();
    struct flow *f = flow_new();
    (void)state;
    flow_push(f, bytes_slice(&b));
    assert_int_equal(f->bench.caught->last.offset, 5000 + b.n - BYE.n);
    assert_int_equal(f->bench.caught->last.transport, PACKET_UDP);
    flow_free(f);
    vec_free(&b);
}

/* A hole, wherever it begins and ends: no message comes out that was not sent, the one that it
 * begins in is cut, and those after it are found again. */
static void test_stream_holes(void **state)
{
    struct bytes b = three_messages();
    size_t one = b.n / 3;
    (void)state;
    for (int known = 0; known < 2; known++)
        for (size_t from = 6; from < one; from++)
            for (size_t to = from + 1; to < 2 * one; to += 7) {
                struct flow *f = flow_new();
                flow_push(f, slice_first(bytes_slice(&b), from));
                packet_stream_hole(&f->stream, 0, PACKET_GAP, known ? to - from : 0);
                flow_push(f, slice_from(bytes_slice(&b), to));
                bool cut = from > one - BYE.n, second = to <= one;
                assert_int_equal(f->bench.caught->count, 1u + cut + second);
                assert_bye(f->bench.caught);
                assert_int_equal(f->bench.caught->last.agent, 3);
                assert_int_equal(f->bench.caught->last.missing, 0);
                flow_free(f);
            }
    vec_free(&b);
}

/* Joined in the middle of a message: the next one is found. */
static void test_stream_joined(void **state)
{
    struct bytes b = three_messages();
    (void)state;
    for (size_t from = 1; from < b.n / 3; from++) {
        struct flow *f = flow_new();
        packet_stream_joined(&f->stream);
        flow_push(f, slice_from(bytes_slice(&b), from));
        assert_int_equal(f->bench.caught->count, 2);
        assert_int_equal(packet_stats(f->bench.decoder)->stream_lost, b.n / 3 - from);
        flow_free(f);
    }
    vec_free(&b);
}

/* The same, where the first segment ends with the message: it is nothing else for that. */
static void test_stream_joined_later(void **state)
{
    struct bytes b = three_messages();
    size_t one = b.n / 3;
    (void)state;
    for (size_t from = 1; from < one; from++) {
        struct flow *f = flow_new();
        packet_stream_joined(&f->stream);
        flow_push(f, slice_first(slice_from(bytes_slice(&b), from), one - from));
        assert_int_equal(f->bench.caught->count, 0);
        flow_push(f, slice_first(slice_from(bytes_slice(&b), one), one + 9));
        flow_push(f, slice_from(bytes_slice(&b), 2 * one + 9));
        assert_int_equal(f->bench.caught->count, 2);
        assert_int_equal(f->bench.caught->last.agent, 3);
        flow_free(f);
    }
    vec_free(&b);
}

/* The length of a payload may look like the head of a WebSocket frame: 0x0120 as one of text, 32
 * bytes long. */
static void test_stream_is_no_websocket(void **state)
{
    (void)state;
    for (size_t length = 0x100; length < 0x300; length++) {
        struct bytes sip = {0}, b = {0};
        struct flow *f = flow_new();
        put_slice(&sip, SLICE("BYE sip:a@b SIP/2.0\r\nX: "));
        put_times(&sip, 'x', length - 6 - 4 - sip.n);
        put_slice(&sip, SLICE("\r\n\r\n"));
        put_hep3(&b, &said, bytes_slice(&sip));
        packet_stream_joined(&f->stream);
        flow_push(f, bytes_slice(&b));
        assert_ptr_equal(f->stream.protocol, &packet_protocol_hep);
        assert_int_equal(f->bench.caught->count, 1);
        assert_int_equal(f->bench.caught->last.agent, said.agent);
        flow_free(f);
        vec_free(&sip);
        vec_free(&b);
    }
}

/* What looks like it, in a stream that is something else. */
static void test_stream_not_hep(void **state)
{
    static const struct slice others[] = {
        SLICE("HEP3 is a protocol"),
        SLICE("HEP3\0\x0b\0\0\0\1\0\6\2"),
        SLICE("HEP3\1\0\0\0\0\1\0\5"),
        SLICE("\0\0\0\x0f\0\x20: no SIP"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct flow *f = flow_new();
        packet_stream_joined(&f->stream);
        flow_push(f, SLICE("something else "));
        flow_push(f, others[i]);
        assert_ptr_equal(f->stream.protocol, &packet_protocol_plain);
        flow_free(f);
    }
}

/* A length below that of the head, and rubbish between messages. */
static void test_stream_rubbish(void **state)
{
    struct bytes b = {0};
    struct flow *f = flow_new();
    (void)state;
    put_hep3(&b, &said, BYE);
    put_slice(&b, SLICE("HEP3\0\5rubbish HEHEP"));
    put_hep3(&b, &said, BYE);
    flow_push(f, bytes_slice(&b));
    assert_int_equal(f->bench.caught->count, 2);
    assert_int_equal(packet_stats(f->bench.decoder)->malformed, 1);
    assert_int_equal(packet_stats(f->bench.decoder)->stream_lost, 19);
    flow_free(f);
    vec_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version3),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_transports),
        cmocka_unit_test(test_other_chunks),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_not_hep),
        cmocka_unit_test(test_stream_splits),
        cmocka_unit_test(test_stream_offset),
        cmocka_unit_test(test_stream_holes),
        cmocka_unit_test(test_stream_joined),
        cmocka_unit_test(test_stream_joined_later),
        cmocka_unit_test(test_stream_is_no_websocket),
        cmocka_unit_test(test_stream_not_hep),
        cmocka_unit_test(test_stream_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

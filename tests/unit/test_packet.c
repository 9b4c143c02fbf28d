/* packet/: every link layer, VLAN stack and IP header in front of a UDP datagram, whole and cut. */
#include "datagram.h"

#define HELLO SLICE("BYE sip:a@b SIP/2.0\r\n\r\n")

/* ---- headers in front of a datagram ---------------------------------------------------------- */

#define MACS "\1\1\1\1\1\1\2\2\2\2\2\2"

struct link_case {
    int link_type;
    enum source_direction direction;
    struct slice head; /* up to IP */
};

static const struct link_case links_ipv4[] = {
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x08\0")},
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x81\0\0\x05\x08\0")},
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x88\xa8\0\5\x81\0\0\6\x08\0")},
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x91\0\0\1\x92\0\0\2\x88\xa8\0\3\x81\0\0\4\x08\0")},
    {113, SOURCE_IN, SLICE("\0\0\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")},
    {113, SOURCE_OUT, SLICE("\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")},
    {113, SOURCE_UNKNOWN, SLICE("\0\3\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")},
    {113, SOURCE_UNKNOWN, SLICE("\1\4\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")},
    {113, SOURCE_OUT, SLICE("\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x81\0\0\7\x08\0")},
    {276, SOURCE_IN, SLICE("\x08\0\0\0\0\0\0\2\0\1\0\6\2\2\2\2\2\2\0\0")},
    {276, SOURCE_OUT, SLICE("\x08\0\0\0\0\0\0\2\0\1\4\6\2\2\2\2\2\2\0\0")},
    {276, SOURCE_UNKNOWN, SLICE("\x08\0\0\0\0\0\0\2\0\1\1\6\2\2\2\2\2\2\0\0")},
    {276, SOURCE_IN, SLICE("\x81\0\0\0\0\0\0\2\0\1\0\6\2\2\2\2\2\2\0\0\0\5\x88\xa8\0\5\x08\0")},
    {0, SOURCE_UNKNOWN, SLICE("\2\0\0\0")},
    {0, SOURCE_UNKNOWN, SLICE("\0\0\0\2")},
    {108, SOURCE_UNKNOWN, SLICE("\0\0\0\2")},
    {101, SOURCE_UNKNOWN, SLICE("")},
    {12, SOURCE_UNKNOWN, SLICE("")},
    {14, SOURCE_UNKNOWN, SLICE("")},
    {228, SOURCE_UNKNOWN, SLICE("")},
};

static const struct link_case links_ipv6[] = {
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x86\xdd")},
    {1, SOURCE_UNKNOWN, SLICE(MACS "\x81\0\0\5\x86\xdd")},
    {113, SOURCE_OUT, SLICE("\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x86\xdd")},
    {276, SOURCE_IN, SLICE("\x86\xdd\0\0\0\0\0\2\0\1\0\6\2\2\2\2\2\2\0\0")},
    {0, SOURCE_UNKNOWN, SLICE("\x0a\0\0\0")},
    {0, SOURCE_UNKNOWN, SLICE("\0\0\0\x18")},
    {0, SOURCE_UNKNOWN, SLICE("\x1c\0\0\0")},
    {108, SOURCE_UNKNOWN, SLICE("\0\0\0\x1e")},
    {101, SOURCE_UNKNOWN, SLICE("")},
    {229, SOURCE_UNKNOWN, SLICE("")},
};

struct network_case {
    uint32_t ip_id;
    struct slice head; /* from IP up to UDP; its length field is filled in, unless it is 0xffff */
};

#define IPV4_ADDRESSES "\x0a\0\0\1\x0a\0\0\2"
#define IPV6_ADDRESSES                                                                             \
    "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                           \
    "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"

static const struct network_case networks_ipv4[] = {
    {0x1234, SLICE("\x45\0\0\0\x12\x34\0\0\x40\x11\0\0" IPV4_ADDRESSES)},
    {0, SLICE("\x45\0\0\0\0\0\x40\0\x40\x11\0\0" IPV4_ADDRESSES)},
    {1, SLICE("\x48\0\0\0\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES "\1\1\1\1\1\1\1\1\1\1\1\0")},
    {1, SLICE("\x4f\0\0\0\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES
              "0123456789012345678901234567890123456789")},
    {1, SLICE("\x45\0\xff\xff\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES)}, /* no length */
    {2, SLICE("\x45\0\0\0\0\2\0\0\x40\x33\0\0" IPV4_ADDRESSES
              "\x11\4\0\0\0\0\0\1\0\0\0\1\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c")},
};

static const struct network_case networks_ipv6[] = {
    {0, SLICE("\x60\0\0\0\0\0\x11\x40" IPV6_ADDRESSES)},
    {0, SLICE("\x60\0\0\0\xff\xff\x11\x40" IPV6_ADDRESSES)}, /* no length */
    {0, SLICE("\x60\0\0\0\0\0\0\x40" IPV6_ADDRESSES "\x11\0\1\4\0\0\0\0")},
    {0, SLICE("\x60\0\0\0\0\0\0\x40" IPV6_ADDRESSES "\x2b\0\1\4\0\0\0\0"
              "\x3c\2\0\0\0\0\0\0fd00:deadbeef:00"
              "\x11\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0")},
    {0x8000abcd, SLICE("\x60\0\0\0\0\0\x2c\x40" IPV6_ADDRESSES "\x11\0\0\0\x80\0\xab\xcd")},
    {7, SLICE("\x60\0\0\0\0\0\x2c\x40" IPV6_ADDRESSES "\x3c\xff\0\6\0\0\0\7\x11\0\1\4\0\0\0\0")},
    {0, SLICE("\x60\0\0\0\0\0\x33\x40" IPV6_ADDRESSES
              "\x11\4\0\0\0\0\0\1\0\0\0\1\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c")},
    {0, SLICE("\x60\0\0\0\0\0\x87\x40" IPV6_ADDRESSES
              "\x8b\0\0\0\0\0\0\0\x8c\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0")},
};

static void put_network(struct bytes *b, const struct network_case *network)
{
    size_t start = b->n;
    bool ipv4 = network->head.p[0] >> 4 == 4;
    size_t at = start + (ipv4 ? 2 : 4);
    put_slice(b, network->head);
    put_udp(b, HELLO, (uint16_t)(8 + HELLO.n));
    uint16_t length = b->items[at] == 0xff ? 0 : (uint16_t)(b->n - start - (ipv4 ? 0 : 40));
    b->items[at] = (uint8_t)(length >> 8);
    b->items[at + 1] = (uint8_t)length;
}

static void check_hello(const struct bench *bench, const struct link_case *link,
                        const struct network_case *network, size_t start, size_t n)
{
    const struct packet_payload *p = &bench->caught->last;
    bool ipv4 = network->head.p[0] >> 4 == 4;
    assert_int_equal(bench->caught->count, 1);
    assert_int_equal(p->transport, PACKET_UDP);
    assert_string_equal(endpoint_format(&p->src).s, ipv4 ? "10.0.0.1:5060" : "[fd00::1]:5060");
    assert_string_equal(endpoint_format(&p->dst).s, ipv4 ? "10.0.0.2:5080" : "[fd00::2]:5080");
    assert_int_equal(p->bytes.n, n);
    assert_memory_equal(bench->caught->bytes, HELLO.p, n);
    assert_int_equal(p->missing, HELLO.n - n);
    assert_int_equal(p->time_ns, 1000);
    assert_int_equal(p->offset, 1000 + start);
    assert_int_equal(p->frame_count, 1);
    assert_int_equal(bench->caught->frames[0], 1);
    assert_int_equal(p->direction, link->direction);
    assert_int_equal(p->ip_id, network->ip_id);
    assert_int_equal(p->interface, 3);
    assert_int_equal(packet_stats(bench->decoder)->datagrams, 1);
}

/* The packet with its last bytes not captured, and with its last bytes never there. */
static void check_prefixes(const struct link_case *link, const struct network_case *network)
{
    struct bytes b = {0};
    put_slice(&b, link->head);
    put_network(&b, network);
    size_t start = b.n - HELLO.n;
    for (size_t n = 0; n <= b.n; n++) {
        struct bench bench = bench_new();
        bench_push(&bench, link->link_type, bytes_slice(&b), n, b.n);
        if (n >= start) {
            check_hello(&bench, link, network, start, n - start);
        } else {
            assert_int_equal(bench.caught->count, 0);
            assert_int_equal(packet_stats(bench.decoder)->cut, 1);
        }
        assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
        bench_free(&bench);
        bench = bench_new();
        bench_push(&bench, link->link_type, bytes_slice(&b), n, n);
        if (n < start)
            assert_true(packet_stats(bench.decoder)->malformed > 0);
        bench_free(&bench);
    }
    vec_free(&b);
}

static void test_headers(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT(links_ipv4); l++)
        check_prefixes(&links_ipv4[l], &networks_ipv4[0]);
    for (size_t l = 0; l < COUNT(links_ipv6); l++)
        check_prefixes(&links_ipv6[l], &networks_ipv6[0]);
    for (size_t n = 0; n < COUNT(networks_ipv4); n++)
        check_prefixes(&links_ipv4[0], &networks_ipv4[n]);
    for (size_t n = 0; n < COUNT(networks_ipv6); n++)
        check_prefixes(&links_ipv6[0], &networks_ipv6[n]);
}

/* ---- lengths --------------------------------------------------------------------------------- */

/* A datagram "0123456789": what the length fields and the frame say, and what comes out of it. */
static void test_lengths(void **state)
{
    static const struct {
        const char *what;
        uint16_t total, udp; /* right: 38, 18 */
        size_t behind;       /* bytes after the datagram */
        size_t captured;     /* of 38 + behind */
        size_t length;
        size_t payload, missing;
        uint64_t malformed;
    } cases[] = {
        {"plain", 38, 18, 0, 38, 38, 10, 0, 0},
        {"padding", 38, 18, 8, 46, 46, 10, 0, 0},
        {"padding, cut", 38, 18, 8, 40, 46, 10, 0, 0},
        {"padding, cut in the payload", 38, 18, 8, 34, 46, 6, 4, 0},
        {"cut", 38, 18, 0, 30, 38, 2, 8, 0},
        {"cut before the payload", 38, 18, 0, 28, 38, 0, 10, 0},
        {"UDP is shorter", 38, 13, 0, 38, 38, 5, 0, 0},
        {"UDP is shorter, cut behind it", 38, 13, 0, 35, 38, 5, 0, 0},
        {"UDP is shorter, cut in it", 38, 13, 0, 31, 38, 3, 2, 0},
        {"UDP is longer", 38, 20, 0, 38, 38, 10, 0, 1},
        {"UDP is longer, padding", 38, 20, 8, 46, 46, 10, 0, 1},
        {"UDP is longer, cut", 38, 20, 0, 34, 38, 6, 4, 1},
        {"UDP is 65535", 38, 65535, 0, 38, 38, 10, 0, 1},
        {"UDP without length", 38, 0, 8, 46, 46, 10, 0, 0},
        {"UDP of 8", 38, 8, 0, 38, 38, 0, 0, 0},
        {"IP without length", 0, 18, 8, 46, 46, 10, 0, 0},
        {"IP without length, cut", 0, 18, 0, 34, 38, 6, 4, 0},
        {"IP is longer", 60, 18, 0, 38, 38, 10, 0, 1},
        {"IP and UDP are longer", 60, 40, 0, 38, 38, 10, 22, 1},
        {"IP is shorter", 33, 18, 0, 38, 38, 5, 0, 1},
        {"IP is 28", 28, 18, 0, 38, 38, 0, 0, 1},
        {"frame length less than captured", 38, 18, 0, 38, 5, 10, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        put_ipv4(&b, cases[i].total, 0, 0, 17);
        put_udp(&b, SLICE("0123456789"), cases[i].udp);
        put_times(&b, 'x', cases[i].behind);
        bench_push(&bench, 101, bytes_slice(&b), cases[i].captured, cases[i].length);
        const struct packet_payload *p = &bench.caught->last;
        if (bench.caught->count != 1 || p->bytes.n != cases[i].payload ||
            p->missing != cases[i].missing ||
            packet_stats(bench.decoder)->malformed != cases[i].malformed)
            fail_msg("%s: %u of %zu + %zu, malformed %d", cases[i].what, bench.caught->count,
                     p->bytes.n, p->missing, (int)packet_stats(bench.decoder)->malformed);
        assert_memory_equal(bench.caught->bytes, "0123456789", cases[i].payload);
        vec_free(&b);
        bench_free(&bench);
    }
}

/* ---- what is no datagram --------------------------------------------------------------------- */

static void test_counters(void **state)
{
    static const struct counted cases[] = {
        {"not_ip", 1, SLICE(MACS "\x08\6\0\1\x08\0\6\4\0\1")},
        {"not_ip", 1, SLICE(MACS "\0\x26\x42\x42\3")}, /* 802.3: spanning tree */
        {"not_ip", 1, SLICE(MACS "\x81\0\0\1\x08\6")},
        {"not_ip", 113, SLICE("\0\0\0\1\0\6\2\2\2\2\2\2\0\0\x08\6")},
        {"not_ip", 0, SLICE("\7\0\0\0")},
        {"not_ip", 101, SLICE("\x20hello")},
        {"unknown_link", 105, SLICE("\x08\1")},
        {"unknown_link", 60000, SLICE("")},
        {"unknown_link", -1, SLICE("")},
        {"other", 101, SLICE("\x45\0\0\x1c\0\1\0\0\x40\1\0\0" IPV4_ADDRESSES "\3\3\0\0\0\0\0\0")},
        {"other", 101, SLICE("\x45\0\0\x14\0\1\0\0\x40\x2e\0\0" IPV4_ADDRESSES)},
        {"other", 101, SLICE("\x45\0\0\x14\0\1\x20\0\x40\x2e\0\0" IPV4_ADDRESSES)}, /* fragment */
        {"other", 101, SLICE("\x45\0\0\x14\0\1\0\0\x40\x67\0\0" IPV4_ADDRESSES)},
        {"other", 101, SLICE("\x45\0\0\x1c\0\1\0\0\x40\0\0\0" IPV4_ADDRESSES "\x11\0\0\0\0\0\0\0")},
        {"other", 101,
         SLICE("\x45\0\0\x1c\0\1\0\0\x40\x2c\0\0" IPV4_ADDRESSES "\x11\0\0\0\0\0\0\0")},
        {"other", 101, SLICE("\x60\0\0\0\0\4\x3a\x40" IPV6_ADDRESSES "\1\1\0\0")},
        {"other", 101, SLICE("\x60\0\0\0\0\0\x3b\x40" IPV6_ADDRESSES)},
        {"malformed", 1, SLICE(MACS "\x08\0\x65\0\0\x14\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES)},
        {"malformed", 1,
         SLICE(MACS "\x86\xdd\x45\0\0\x14\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES
                    "1234567890123456789012345")},
        {"malformed", 101, SLICE("\x44\0\0\x14\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES)},
        {"malformed", 101, SLICE("\x45\0\0\x13\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES)},
        {"malformed", 101, SLICE("\x46\0\0\x14\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES "\1\1\1\1")},
        {"malformed", 101, SLICE("\x45\0\0\x1b\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES "1234567")},
        {"malformed", 101,
         SLICE("\x45\0\0\x1c\0\1\0\0\x40\x11\0\0" IPV4_ADDRESSES "\0\1\0\1\0\7\0\0")},
        {"malformed", 101, SLICE("\x60\0\0\0\0\x08\0\x40" IPV6_ADDRESSES "\x11\1\1\4\0\0\0\0")},
        {"malformed", 101, SLICE("\x60\0\0\0\0\x08\x33\x40" IPV6_ADDRESSES "\x11\4\1\4\0\0\0\0")},
        {"malformed", 101, SLICE("\x60\0\0\0\0\7\x2c\x40" IPV6_ADDRESSES "\x11\0\0\0\0\0\0")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_counted(&cases[i], i);
}

/* Headers in headers end at a limit. */
static void test_depth(void **state)
{
    (void)state;
    for (size_t tags = 0; tags < 40; tags++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        put_slice(&b, SLICE(MACS));
        for (size_t i = 0; i < tags; i++)
            put32(&b, 0x81000001);
        put16(&b, 0x0800);
        put_network(&b, &networks_ipv4[0]);
        bench_push(&bench, 1, bytes_slice(&b), b.n, b.n);
        /* the type after the last tag and the protocol count as well */
        bool fits = tags + 2 <= PACKET_DEPTH;
        assert_int_equal(bench.caught->count, fits);
        assert_int_equal(packet_stats(bench.decoder)->too_deep, !fits);
        vec_free(&b);
        bench_free(&bench);
    }
}

static void test_names(void **state)
{
    static const char *const names[] = {"udp", "tcp", "tls", "ws", "wss", "sctp"};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(packet_transport_name((enum packet_transport)i), names[i]);
    assert_true(packet_link_readable(1));
    assert_true(packet_link_readable(276));
    assert_false(packet_link_readable(105));
    assert_false(packet_link_readable(-1));
    packet_decoder_free(NULL);
}

static void test_unknown_link(void **state)
{
    struct bench bench = bench_new();
    (void)state;
    bench_push(&bench, 147, SLICE("x"), 1, 1);
    bench_push(&bench, 148, SLICE("x"), 1, 1);
    assert_int_equal(packet_stats(bench.decoder)->unknown_link, 2);
    assert_int_equal(packet_stats(bench.decoder)->unknown_link_type, 147);
    bench_free(&bench);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),  cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_counters), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_names),    cmocka_unit_test(test_unknown_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* packet/: what only looks like a tunnel, what in tunnels is no datagram, and how deep they go. */
#include "tunnels.h"

/* The port of a tunnel, and a payload that is not that: it is handed on as it is. */
static void test_ports(void **state)
{
#define INSIDE MACS "\x08\0\x45\0\0\x14"
    static const struct {
        uint16_t port;
        struct slice payload;
    } cases[] = {
        {4789, SLICE("BYE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {8472, SLICE("INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {4790, SLICE("LINK sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {6081, SLICE("SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n")},
        {2152, SLICE("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {37008, SLICE("ACK sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {1701, SLICE("BYE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {2152, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")}, /* RTP */
        {6081, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")},
        {4789, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")},
        {4789, SLICE("")},
        {4789, SLICE("\x08\0\0\0\0\0\x2a")},
        {4789, SLICE("\x0c\0\0\0\0\0\x2a\0" INSIDE)}, /* bits that are reserved */
        {4789, SLICE("\0\0\0\0\0\0\x2a\0" INSIDE)},   /* no id */
        {4789, SLICE("\x08\1\0\0\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\1\0\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\0\1\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\0\0\0\0\x2a\1" INSIDE)},
        {8472, SLICE("\x48\0\0\0\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x1c\0\0\3\0\0\x2a\0" INSIDE)}, /* version 1 */
        {4790, SLICE("\x0c\1\0\3\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\1\3\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\0\3\0\0\x2a\1" INSIDE)},
        {4790, SLICE("\x0c\0\0\0\0\0\x2a\0" INSIDE)}, /* protocols that do not exist */
        {4790, SLICE("\x0c\0\0\4\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\0\x80\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\x40\0\x65\x58\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\1\x65\x58\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\0\x65\x58\0\0\x2a\1" INSIDE)},
        {6081, SLICE("\0\0\x65\x59\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\0\x08\0\0\0\x2a\0\x60")}, /* IPv6 as IPv4 */
        {6081, SLICE("\0\0\x86\xdd\0\0\x2a\0\x45")},
        {6081, SLICE("\0\0\x08\0\0\0\x2a\0")},
        {6081, SLICE("\x3f\0\x65\x58\0\0\x2a\0" INSIDE)}, /* options beyond the end */
        {2152, SLICE("\x30\xff\0\x15\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")}, /* length */
        {2152, SLICE("\x10\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x20\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x38\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x50\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\1\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")}, /* echo request */
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x44\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x45\0\0\x15xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x60\0\0\0xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x32\xff\0\3\0\0\0\1\0\0\0")},
        {2152, SLICE("\x34\xff\0\4\0\0\0\1\0\0\0\x85")},
        {2152, SLICE("\x34\xff\0\x08\0\0\0\1\0\0\0\x85\0\0\0\0")}, /* an extension of no length */
        {37008, SLICE("\2\0\0\1\1" INSIDE)},
        {37008, SLICE("\1\4\0\1\1" INSIDE)}, /* keep-alive */
        {37008, SLICE("\1\0\0\x12\1" INSIDE)},
        {37008, SLICE("\1\0\0\1\x0a\xff" INSIDE)},
        {37008, SLICE("\1\0\0\1\0\0\0")},
        {1701, SLICE("\0\3\0\1\0\2\xff\3\0\x21\x45")},
        {1701, SLICE("\x80\2\0\1\0\2\xff\3\0\x21\x45")}, /* control */
        {1701, SLICE("\x20\2\0\1\0\2\xff\3\0\x21\x45")},
        {1701, SLICE("\0\2\0\1\0\2\xff\3\xc0\x21\1")}, /* LCP */
        {1701, SLICE("\x40\2\0\7\0\1\0\2\0\x21\x45")},
        {1701, SLICE("\x40\2\0\xff\0\1\0\2\0\x21\x45")},
        {1701, SLICE("\2\2\0\1\0\2\0\x10\0\x21\x45")}, /* an offset beyond the end */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        const struct packet_payload *p = &bench.caught->last;
        put_over(&b, cases[i].port, cases[i].payload, SLICE(""));
        bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
        if (bench.caught->count != 1 || outcomes(packet_stats(bench.decoder)) != 1)
            fail_msg("case %zu: %u payloads", i, bench.caught->count);
        assert_string_equal(endpoint_format(&p->src).s, "192.168.0.1:40000");
        assert_int_equal(p->dst.port, cases[i].port);
        assert_int_equal(p->bytes.n, cases[i].payload.n);
        assert_memory_equal(bench.caught->bytes, cases[i].payload.p, p->bytes.n);
        assert_int_equal(p->offset, 1028);
        vec_free(&b);
        bench_free(&bench);
    }
}

static void test_counters(void **state)
{
#define OUTER(protocol)                                                                            \
    "\x45\0\0\0\0\1\0\0\x40" protocol "\0\0\x0a\0\0\1\x0a\0\0\2" /* no length: as it is */
    static const struct counted cases[] = {
        {"not_ip", 1, SLICE(MACS "\x88\x63\x11\x09\0\0\0\4\1\1\0\0")},       /* discovery */
        {"not_ip", 1, SLICE(MACS "\x88\x64\x11\xa7\0\1\0\0")},               /* the end of it */
        {"not_ip", 1, SLICE(MACS "\x88\x64\x11\0\0\1\0\4\xc0\x21\x09\1")},   /* LCP */
        {"malformed", 1, SLICE(MACS "\x88\x64\x12\0\0\1\0\3\0\x21\x45")},    /* version 2 */
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40\x10\0\0\7xxxxxxxxxx")}, /* channel */
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40\x45\0\0\x99xxxxxxxxxxxxxxxxxxxxx")},
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40" MACS "\x08\6\0\1")},
        {"malformed", 1, SLICE(MACS "\x88\x47\0\0\1\x40")},
        {"malformed", 1, SLICE(MACS "\x88\x47\0\0\0\x40\0\0\0\x40\0\0")}, /* no bottom */
        {"not_ip", 1, SLICE(MACS "\0\4\x42\x42\3\0")},
        {"not_ip", 1, SLICE(MACS "\0\x09\xaa\xaa\3\0\0\x0c\x20\0\1")}, /* Cisco's discovery */
        {"not_ip", 1, SLICE(MACS "\0\x08\xaa\xaa\3\0\0\0\x08\6")},
        {"malformed", 1, SLICE(MACS "\0\7\xaa\xaa\3\0\0\0\x08\0")}, /* cut by its length */
        {"not_ip", 9, SLICE("\xff\3\xc0\x21\1\1\0\4")},
        {"not_ip", 9, SLICE("\xc1")},
        {"malformed", 9, SLICE("\xff\3")},
        {"not_ip", 50, SLICE("\x8f\0\x80\x35\0\0\0\2")},
        {"not_ip", 107, SLICE("\xfc\xf1\3\x09\0\x75")}, /* Q.933 */
        {"not_ip", 107, SLICE("\x18\x41\x88\x63\0")},
        {"malformed", 107, SLICE("\x18\x40\x40\x40")},
        {"malformed", 239, SLICE("\2\1\0\1")},
        {"malformed", 239, SLICE("\2\0\0\1\3\0\1\0")},
        {"malformed", 239, SLICE("\2\0\0\1\x08\0\1\0\x08\0\3\0")}, /* no payload */
        {"not_ip", 239, SLICE("\3\0\0\1\x06\0\x09\0\0\1")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\0\0\0\0")}, /* keep-alive */
        {"not_ip", 101, SLICE(OUTER("\x2f") "\0\0\x88\x8e\0\0")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\0\2\x08\0\x45")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\0\1\x88\x0b\0\0\0\0")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\x20\x81\x88\x0b\0\0\0\1\0\0\0\1")}, /* ack */
        {"malformed", 101, SLICE(OUTER("\x2f") "\x40\0\x08\0\0\0\0\0\x08\0\0\4\x0a\0\0\1")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x20\0\0\0\0\0\0\0")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x10\0\0\0\0\0\0\0\0\0\0\0")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\0\0\0\0\0\0\0\0\0\4\0")},
        /* what an ICMP error quotes was not sent again */
        {"other", 101,
         SLICE(OUTER("\1") "\3\3\0\0\0\0\0\0" OUTER("\x11") "\x13\xc4\x13\xc4\0\0\0\0BYE sip")},
        {"other", 101,
         SLICE(OUTER("\4") OUTER("\1") "\x0b\0\0\0\0\0\0\0" OUTER("\x11") "\x13\xc4\x13\xc4\0\0")},
        {"other", 101,
         SLICE("\x60\0\0\0\0\0\x3a\x40"
               "0123456789012345"
               "0123456789012345"
               "\1\4\0\0\0\0\0\0")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_counted(&cases[i], i);
}

/* Headers in headers end at a limit, whatever they are. */
static void test_depth(void **state)
{
    static const struct {
        layer *layer;
        size_t most; /* of these that fit */
    } cases[] = {{ip4, PACKET_DEPTH - 1}, {gre, PACKET_DEPTH / 2 - 1}, {gpe_ip, PACKET_DEPTH - 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        put_hello(&b, false);
        for (size_t n = 0; n < 40; n++) {
            struct bench bench = bench_new();
            bool fits = n <= cases[i].most;
            bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
            assert_int_equal(bench.caught->count, fits);
            assert_int_equal(packet_stats(bench.decoder)->too_deep, !fits);
            assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
            bench_free(&bench);
            b = wrap((layer *[LAYERS]){cases[i].layer}, b);
        }
        vec_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

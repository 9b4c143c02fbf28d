/* packet/: SIP that Wireshark exported as upper PDUs. */
#include "tunnels.h"

static void field(struct bytes *b, uint16_t tag, struct slice value)
{
    put16(b, tag);
    put16(b, (uint16_t)value.n);
    put_slice(b, value);
}

static void ends(struct bytes *b, uint8_t port_type)
{
    field(b, 20, IPV4_SRC);
    field(b, 21, IPV4_DST);
    put32(b, 24u << 16 | 4);
    put32(b, port_type);
    field(b, 25, SLICE("\0\0\x13\xc4"));
    field(b, 26, SLICE("\0\0\x9c\x40"));
}

static void test_exported(void **state)
{
    static const struct {
        struct slice dissector;
        uint8_t port_type;
        enum packet_transport transport;
        unsigned count;
    } cases[] = {
        {SLICE("sip\0"), 3, PACKET_UDP, 1},    {SLICE("sip\0"), 2, PACKET_TCP, 1},
        {SLICE("sip"), 1, PACKET_SCTP, 1},     {SLICE("sip.tcp\0"), 2, PACKET_TCP, 1},
        {SLICE("rtp\0"), 3, PACKET_UDP, 0},    {SLICE("sipfrag\0"), 3, PACKET_UDP, 0},
        {SLICE("\0\0\0\0"), 3, PACKET_UDP, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        field(&b, 12, cases[i].dissector);
        ends(&b, cases[i].port_type);
        put32(&b, 0);
        size_t start = b.n;
        put_slice(&b, HELLO);
        for (size_t n = 0; n <= b.n; n++) {
            struct bench bench = bench_new();
            const struct packet_payload *p = &bench.caught->last;
            bench_push(&bench, 252, bytes_slice(&b), n, b.n);
            assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
            assert_int_equal(packet_stats(bench.decoder)->cut, n < start);
            assert_int_equal(bench.caught->count, n < start ? 0 : cases[i].count);
            if (bench.caught->count) {
                assert_int_equal(p->transport, cases[i].transport);
                assert_string_equal(endpoint_format(&p->src).s, "10.0.0.1:5060");
                assert_string_equal(endpoint_format(&p->dst).s, "10.0.0.2:40000");
                assert_int_equal(p->offset, 1000 + start);
                assert_int_equal(p->bytes.n, n - start);
                assert_int_equal(p->missing, b.n - n);
            }
            bench_free(&bench);
        }
        vec_free(&b);
    }
}

/* Addresses of two families, of a wrong length, or none: there are none then. */
static void test_exported_addresses(void **state)
{
    static const struct {
        uint16_t src_tag, dst_tag;
        struct slice src, dst;
        const char *expect;
    } cases[] = {
        {22, 23, SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
         SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"), "fd00::1"},
        {20, 23, SLICE("\x0a\0\0\1"), SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"), ""},
        {20, 21, SLICE("\x0a\0\0"), SLICE("\x0a\0\0\2"), ""},
        {30, 30, SLICE("\0\0\0\1"), SLICE("\0\0\0\1"), ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        field(&b, 12, SLICE("sip\0"));
        field(&b, cases[i].src_tag, cases[i].src);
        field(&b, cases[i].dst_tag, cases[i].dst);
        put32(&b, 0);
        bench_push(&bench, 252, bytes_slice(&b), b.n, b.n);
        assert_int_equal(bench.caught->count, 1);
        assert_string_equal(address_format(&bench.caught->last.src.ip).s, cases[i].expect);
        vec_free(&b);
        bench_free(&bench);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exported),
        cmocka_unit_test(test_exported_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* packet/: IP fragments in tunnels, of tunnels, and of both. */
#include "tunnels.h"

/* A fragment of `datagram` with its IP header. */
static struct bytes fragment(struct slice datagram, uint16_t id, size_t at, size_t n)
{
    struct bytes b = {0};
    struct slice part = slice_first(slice_from(datagram, at), n);
    bool more = at + part.n < datagram.n;
    put_ipv4(&b, (uint16_t)(20 + part.n), id, (uint16_t)(at / 8 | (more ? 0x2000 : 0)), 17);
    put_slice(&b, part);
    return b;
}

static void push_wrapped(struct bench *bench, struct bytes b, layer *around)
{
    b = wrap((layer *[LAYERS]){around, eth}, b);
    bench_push(bench, 101, bytes_slice(&b), b.n, b.n);
    vec_free(&b);
}

OVER(vxlan_other, 4789, "\x08\0\0\0\0\0\x2b\0")

/* Two networks have the same addresses and ids; the VNI tells them apart. */
static void test_fragments_within(void **state)
{
    struct bytes a = datagram_of(200), c = datagram_of(300);
    struct bench bench = bench_new();
    (void)state;
    push_wrapped(&bench, fragment(bytes_slice(&a), 5, 96, 104), vxlan);
    push_wrapped(&bench, fragment(bytes_slice(&c), 5, 0, 96), vxlan_other);
    assert_int_equal(bench.caught->count, 0);
    push_wrapped(&bench, fragment(bytes_slice(&a), 5, 0, 96), vxlan);
    assert_int_equal(bench.caught->count, 1);
    assert_int_equal(bench.caught->last.bytes.n, 192);
    assert_memory_equal(bench.caught->bytes, a.items + 8, 192);
    assert_int_equal(bench.caught->frames[0], 1);
    assert_int_equal(bench.caught->frames[1], 3);
    push_wrapped(&bench, fragment(bytes_slice(&c), 5, 96, 204), vxlan_other);
    assert_int_equal(bench.caught->count, 2);
    assert_memory_equal(bench.caught->bytes, c.items + 8, 292);
    assert_int_equal(packet_stats(bench.decoder)->malformed, 0);
    bench_free(&bench);
    vec_free(&a);
    vec_free(&c);
}

/* Fragments in a tunnel whose own packets are fragmented: order says how the outer ones come. */
static void push_double(struct bench *bench, struct slice datagram, const unsigned order[4])
{
    struct bytes outer[2], pieces[4];
    for (unsigned i = 0; i < 2; i++) {
        struct bytes b =
            wrap((layer *[LAYERS]){vxlan, eth}, fragment(datagram, 6, i ? 400 : 0, i ? 1000 : 400));
        outer[i] = (struct bytes){0};
        put(&outer[i], b.items + 20, b.n - 20); /* from UDP on */
        vec_free(&b);
        for (unsigned j = 0; j < 2; j++)
            pieces[i * 2 + j] =
                fragment(bytes_slice(&outer[i]), (uint16_t)(50 + i), j ? 240 : 0, j ? 1000 : 240);
        vec_free(&outer[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        bench_push(bench, 101, bytes_slice(&pieces[order[i]]), pieces[order[i]].n,
                   pieces[order[i]].n);
    for (unsigned i = 0; i < 4; i++)
        vec_free(&pieces[i]);
}

static void test_fragments_twice(void **state)
{
    static const unsigned orders[][4] = {
        {0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {2, 0, 3, 1}, {1, 3, 2, 0}, {0, 3, 1, 2},
    };
    struct bytes d = datagram_of(900);
    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct bench bench = bench_new();
        push_double(&bench, bytes_slice(&d), orders[i]);
        assert_int_equal(bench.caught->count, 1);
        assert_int_equal(bench.caught->last.bytes.n, 892);
        assert_memory_equal(bench.caught->bytes, d.items + 8, 892);
        assert_int_equal(bench.caught->last.frame_count, 4);
        for (uint32_t f = 0; f < 4; f++)
            assert_int_equal(bench.caught->frames[f], f + 1);
        assert_int_equal(packet_stats(bench.decoder)->reassembled, 3);
        assert_int_equal(packet_stats(bench.decoder)->fragments, 6);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 0);
        bench_free(&bench);
    }
    vec_free(&d);
}

/* What is there of outer and inner datagrams that were never whole still comes out, once. */
static void test_fragments_lost(void **state)
{
    struct bytes d = datagram_of(900);
    struct bytes inner = wrap((layer *[LAYERS]){vxlan, eth}, fragment(bytes_slice(&d), 6, 0, 400));
    struct slice outer = {(const char *)inner.items + 20, inner.n - 20};
    struct bytes piece = fragment(outer, 50, 0, 240);
    (void)state;
    for (unsigned old = 0; old < 2; old++) {
        struct bench bench = bench_new();
        bench_push(&bench, 101, bytes_slice(&piece), piece.n, piece.n);
        if (old) { /* by age, as another set begins */
            bench.time_ns += (int64_t)(PACKET_FRAGMENT_SECONDS + 1) * 1000000000;
            push_piece(&bench, true, 1, bytes_slice(&d), (struct piece){8, 8, true, 0});
            assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 2);
        }
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 2 + old);
        assert_int_equal(bench.caught->count, 1);
        size_t there = 240 - 8 - 8 - 14 - 20 - 8;
        assert_int_equal(bench.caught->last.bytes.n, there);
        assert_memory_equal(bench.caught->bytes, d.items + 8, there);
        assert_int_equal(bench.caught->last.missing, 892 - there);
        assert_true(bench.caught->last.gap);
        bench_free(&bench);
    }
    vec_free(&piece);
    vec_free(&inner);
    vec_free(&d);
}

/* Clocks that went back leave a set that is old when another is handed on: it is not ended while
 * the bytes of that one are still needed, be it another's or the one that they belong to. */
static void test_fragments_clock(void **state)
{
    struct bytes d = datagram_of(900), other = datagram_of(600);
    struct bytes inner = wrap((layer *[LAYERS]){vxlan, eth}, fragment(bytes_slice(&d), 6, 0, 400));
    struct slice outer = {(const char *)inner.items + 20, inner.n - 20};
    struct bytes first = fragment(outer, 50, 0, 240), last = fragment(outer, 50, 240, 1000);
    (void)state;
    for (unsigned own = 0; own < 2; own++) {
        struct bench bench = bench_new();
        bench.time_ns = 100000000000;
        bench_push(&bench, 101, bytes_slice(&first), first.n, first.n);
        bench.time_ns = 0;
        if (own)
            push_wrapped(&bench, fragment(bytes_slice(&d), 6, 400, 1000), vxlan);
        else
            push_piece(&bench, true, 1, bytes_slice(&other), (struct piece){0, 592, true, 0});
        bench.time_ns = 100000000000;
        bench_push(&bench, 101, bytes_slice(&last), last.n, last.n);
        if (!own)
            push_wrapped(&bench, fragment(bytes_slice(&d), 6, 400, 1000), vxlan);
        assert_int_equal(bench.caught->count, own ? 1 : 2);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, !own);
        assert_int_equal(bench.caught->last.bytes.n, 892);
        assert_memory_equal(bench.caught->bytes, d.items + 8, 892);
        bench_free(&bench);
    }
    vec_free(&first);
    vec_free(&last);
    vec_free(&inner);
    vec_free(&other);
    vec_free(&d);
}

/* A datagram whose fragments carry fragments, and so on: that ends, too. */
static void test_fragments_deep(void **state)
{
    struct bench bench = bench_new();
    struct bytes b = {0};
    (void)state;
    put_hello(&b, false);
    for (unsigned i = 0; i < 100; i++) { /* of two fragments each, the second never comes */
        struct bytes outer = {0};
        size_t n = b.n / 8 * 8;
        put_ipv4(&outer, (uint16_t)(20 + n), (uint16_t)i, 0x2000, 4);
        put(&outer, b.items, n);
        vec_free(&b);
        b = outer;
    }
    bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
    packet_flush(bench.decoder);
    assert_int_equal(bench.caught->count, 0);
    assert_int_equal(packet_stats(bench.decoder)->too_deep, 1);
    assert_int_equal(packet_stats(bench.decoder)->fragments, PACKET_DEPTH + 1);
    vec_free(&b);
    bench_free(&bench);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fragments_within), cmocka_unit_test(test_fragments_twice),
        cmocka_unit_test(test_fragments_lost),   cmocka_unit_test(test_fragments_clock),
        cmocka_unit_test(test_fragments_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

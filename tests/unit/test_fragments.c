/* packet/: IP fragments in every order, repeated, overlapping, cut, contradictory, old, and too
 * many. */
#include "datagram.h"

#define SECOND 1000000000

static void check_whole(const struct bench *bench, unsigned count, const struct bytes *datagram,
                        size_t frames)
{
    const struct packet_payload *p = &bench->caught->last;
    assert_int_equal(bench->caught->count, count);
    assert_int_equal(p->bytes.n, datagram->n - 8);
    assert_memory_equal(bench->caught->bytes, datagram->items + 8, datagram->n - 8);
    assert_int_equal(p->missing, 0);
    assert_int_equal(p->frame_count, frames);
    assert_int_equal(p->offset, SOURCE_NO_OFFSET);
    assert_int_equal(p->src.port, 5060);
    assert_int_equal(p->dst.port, 5080);
    assert_int_equal(packet_stats(bench->decoder)->reassembled, count);
    assert_int_equal(packet_stats(bench->decoder)->malformed, 0);
    assert_int_equal(packet_stats(bench->decoder)->fragments_overlapping, 0);
}

static void swap(unsigned *a, unsigned *b)
{
    unsigned c = *a;
    *a = *b;
    *b = c;
}

/* The next permutation in lexicographic order; false after the last. */
static bool permute(unsigned *order, size_t n)
{
    size_t i = n - 1, j = n - 1;
    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return false;
    while (order[j] < order[i - 1])
        j--;
    swap(&order[i - 1], &order[j]);
    for (j = n - 1; i < j; i++, j--)
        swap(&order[i], &order[j]);
    return true;
}

static void test_orders(void **state)
{
    static const struct piece pieces[] = {
        {0, 16, true, 0},   {16, 520, true, 0}, {536, 8, true, 0},
        {544, 96, true, 0}, {640, 3, false, 0},
    };
    struct bytes d = datagram_of(643);
    unsigned order[] = {0, 1, 2, 3, 4};
    (void)state;
    do {
        for (unsigned kind = 0; kind < 4; kind++) {
            struct bench bench = bench_new();
            unsigned copies = 1 + kind / 2;
            for (size_t i = 0; i < COUNT(pieces); i++)
                for (unsigned copy = 0; copy < copies; copy++, bench.time_ns += 5)
                    push_piece(&bench, kind % 2, 77, bytes_slice(&d), pieces[order[i]]);
            packet_flush(bench.decoder);
            check_whole(&bench, 1, &d, COUNT(pieces));
            assert_int_equal(bench.caught->last.ip_id, 77);
            assert_int_equal(bench.caught->last.time_ns, copies == 1 ? 1020 : 1040);
            assert_int_equal(bench.caught->frames[4], copies == 1 ? 5 : 9);
            assert_int_equal(packet_stats(bench.decoder)->fragments, 5 * copies);
            assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 0);
            bench_free(&bench);
        }
    } while (permute(order, COUNT(order)));
    vec_free(&d);
}

/* The datagram seen twice as a whole is two datagrams, as it is without fragments. */
static void test_rounds(void **state)
{
    struct bytes d = datagram_of(100);
    struct bench bench = bench_new();
    (void)state;
    for (unsigned round = 1; round <= 3; round++) {
        push_piece(&bench, false, 5, bytes_slice(&d), (struct piece){0, 64, true, 0});
        push_piece(&bench, false, 5, bytes_slice(&d), (struct piece){64, 36, false, 0});
        check_whole(&bench, round, &d, 2);
    }
    bench_free(&bench);
    vec_free(&d);
}

/* Where some fragments came twice before the end, the second copies of the rest are waited for, a
 * short time: after that the id is free for another datagram. */
static void test_second_copies(void **state)
{
    static const struct piece pieces[] = {{0, 16, true, 0}, {16, 32, true, 0}, {48, 52, false, 0}};
    static const struct {
        unsigned order[8]; /* of pieces, from 1 */
        int64_t pause;     /* before the last of them */
        unsigned count;
        uint64_t expired;
    } cases[] = {
        {{1, 1, 2, 3, 2, 3}, 0, 1, 0},      {{1, 2, 2, 3, 3, 1}, 0, 1, 0},
        {{3, 3, 1, 1, 2, 2}, 0, 1, 0},      {{1, 1, 2, 3, 3}, 0, 1, 0},
        {{1, 1, 2, 3, 3, 2}, SECOND, 1, 0}, {{1, 1, 2, 3, 3, 2}, SECOND + 1, 1, 1},
        {{1, 1, 2, 2, 3, 3, 1}, 0, 1, 1},
    };
    struct bytes d = datagram_of(100);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        push_piece(&bench, true, 1, bytes_slice(&d), (struct piece){8, 8, true, 0});
        for (const unsigned *o = cases[i].order; *o; o++) {
            bench.time_ns += o[1] ? 0 : cases[i].pause;
            push_piece(&bench, false, 1, bytes_slice(&d), pieces[*o - 1]);
        }
        assert_int_equal(packet_stats(bench.decoder)->reassembled, cases[i].count);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, cases[i].expired + 1);
        bench_free(&bench);
    }
    vec_free(&d);
}

static uint32_t pseudo_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Any pieces that cover the datagram, overlapping at will with equal bytes. */
static void test_random(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        bool ipv6 = i % 2;
        struct bench bench = bench_new();
        struct bytes d = datagram_of(i < 4 ? 65535 - 28 : 9 + pseudo_random(&seed) % 5000);
        unsigned pushed = 0;
        while (bench.caught->count == 0) {
            uint32_t at = pseudo_random(&seed) % (uint32_t)d.n / 8 * 8;
            uint32_t n = 8 + pseudo_random(&seed) % 1500 / 8 * 8;
            bool last = at + n >= d.n;
            if (at == 0 && last)
                continue;
            n = last ? (uint32_t)d.n - at : n;
            push_piece(&bench, ipv6, 9, bytes_slice(&d), (struct piece){at, n, !last, 0});
            assert_true(++pushed < 10000);
        }
        check_whole(&bench, 1, &d, bench.caught->last.frame_count);
        assert_true(bench.caught->last.frame_count <= pushed);
        bench_free(&bench);
        vec_free(&d);
    }
}

/* ---- contradictions -------------------------------------------------------------------------- */

static void test_overlaps(void **state)
{
    static const struct {
        const char *what;
        struct piece pieces[4]; /* .lost: this byte of the piece is altered (from 1) */
        unsigned count;
        uint64_t overlapping, malformed;
    } cases[] = {
        {"none", {{0, 40, true, 0}, {40, 24, false, 0}}, 1, 0, 0},
        {"equal copy", {{0, 40, true, 0}, {0, 40, true, 0}, {40, 24, false, 0}}, 1, 0, 0},
        {"equal part", {{0, 40, true, 0}, {16, 32, true, 0}, {40, 24, false, 0}}, 1, 0, 0},
        {"equal last", {{40, 24, false, 0}, {48, 16, false, 0}, {0, 40, true, 0}}, 1, 0, 0},
        {"first byte differs", {{0, 40, true, 0}, {0, 40, true, 1}, {40, 24, false, 0}}, 0, 1, 0},
        {"last byte differs", {{0, 40, true, 0}, {0, 40, true, 40}, {40, 24, false, 0}}, 0, 1, 0},
        {"part differs", {{8, 32, true, 0}, {0, 16, true, 16}, {0, 16, true, 0}}, 0, 1, 0},
        {"within", {{0, 40, true, 0}, {16, 8, true, 3}, {40, 24, false, 0}}, 0, 1, 0},
        {"around", {{16, 8, true, 0}, {0, 40, true, 20}, {40, 24, false, 0}}, 0, 1, 0},
        {"last differs", {{40, 24, false, 0}, {40, 24, false, 24}, {0, 40, true, 0}}, 0, 1, 0},
        {"two ends", {{40, 24, false, 0}, {40, 16, false, 0}, {0, 40, true, 0}}, 0, 0, 1},
        {"two ends, later", {{40, 16, false, 0}, {40, 24, false, 0}, {0, 40, true, 0}}, 0, 0, 1},
        {"behind the end", {{40, 8, false, 0}, {48, 16, true, 0}, {0, 40, true, 0}}, 0, 0, 1},
        {"end before", {{48, 16, true, 0}, {40, 8, false, 0}, {0, 40, true, 0}}, 0, 0, 1},
    };
    struct bytes d = datagram_of(64);
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct bench bench = bench_new();
        const struct packet_stats *s = packet_stats(bench.decoder);
        for (const struct piece *p = cases[i / 2].pieces; p->n; p++) {
            if (p->lost)
                d.items[p->at + p->lost - 1] ^= 1;
            push_piece(&bench, i % 2, 1, bytes_slice(&d), (struct piece){p->at, p->n, p->more, 0});
            if (p->lost)
                d.items[p->at + p->lost - 1] ^= 1;
        }
        packet_flush(bench.decoder);
        if (bench.caught->count != cases[i / 2].count ||
            s->fragments_overlapping != cases[i / 2].overlapping ||
            s->malformed != cases[i / 2].malformed || s->fragments_expired)
            fail_msg("%s: %u, overlapping %d, malformed %d, expired %d", cases[i / 2].what,
                     bench.caught->count, (int)s->fragments_overlapping, (int)s->malformed,
                     (int)s->fragments_expired);
        bench_free(&bench);
    }
    vec_free(&d);
}

static void test_malformed(void **state)
{
    static const struct piece pieces[] = {
        {0, 0, true, 0},      {8, 0, false, 0},      {0, 9, true, 0},
        {8, 15, true, 0},     {65528, 8, false, 0},  {65528, 8, true, 0},
        {65520, 16, true, 0}, {65000, 536, true, 0}, {64000, 1536, false, 0},
    };
    struct bytes d = {0};
    (void)state;
    put_times(&d, 0, 66000);
    for (size_t i = 0; i < COUNT(pieces) * 2; i++) {
        struct bench bench = bench_new();
        push_piece(&bench, i % 2, 1, bytes_slice(&d), pieces[i / 2]);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->malformed, 1);
        assert_int_equal(packet_stats(bench.decoder)->fragments, 1);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 0);
        bench_free(&bench);
    }
    vec_free(&d);
}

/* Sets are told apart by addresses, id and, in IPv4, protocol. */
static void test_keys(void **state)
{
    static const struct {
        uint16_t id;
        bool ipv6;
    } sets[] = {{1, false}, {2, false}, {1, true}, {2, true}};
    struct bytes d = datagram_of(100);
    struct bench bench = bench_new();
    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++)
        push_piece(&bench, sets[i].ipv6, sets[i].id, bytes_slice(&d),
                   (struct piece){0, 64, true, 0});
    for (size_t i = 0; i < COUNT(sets); i++) {
        assert_int_equal(bench.caught->count, i);
        push_piece(&bench, sets[i].ipv6, sets[i].id, bytes_slice(&d),
                   (struct piece){64, 36, false, 0});
        assert_int_equal(bench.caught->last.ip_id, sets[i].id);
        assert_int_equal(bench.caught->last.src.ip.family, sets[i].ipv6 ? 6 : 4);
        assert_int_equal(bench.caught->frames[0], i + 1);
        assert_int_equal(bench.caught->frames[1], i + 5);
    }
    bench_free(&bench);
    vec_free(&d);
}

/* An IPv6 datagram may have more headers in its fragments, but not fragments again. */
static void test_headers_within(void **state)
{
    static const struct {
        struct slice head;
        uint8_t next;
        unsigned count;
        uint64_t malformed;
    } cases[] = {
        {SLICE("\x11\0\1\4\0\0\0\0"), 60, 1, 0},
        {SLICE("\x11\0\0\0\0\0\0\1"), 44, 1, 0}, /* the only fragment of its kind */
        {SLICE("\x11\0\0\1\0\0\0\1"), 44, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes d = {0};
        put_slice(&d, cases[i].head);
        put_udp(&d, SLICE("0123456789abcdef"), 24);
        for (unsigned part = 0; part < 2; part++) {
            struct bytes b = {0};
            put_ipv6(&b, 8 + 16, 44);
            put8(&b, cases[i].next);
            put8(&b, 0);
            put16(&b, part ? 16 : 1);
            put32(&b, 1);
            put_slice(&b, slice_first(slice_from(bytes_slice(&d), part * 16), 16));
            bench_push(&bench, 229, bytes_slice(&b), b.n, b.n);
            vec_free(&b);
        }
        assert_int_equal(bench.caught->count, cases[i].count);
        if (cases[i].count)
            assert_memory_equal(bench.caught->bytes, "0123456789abcdef", 16);
        assert_int_equal(packet_stats(bench.decoder)->malformed, cases[i].malformed);
        vec_free(&d);
        bench_free(&bench);
    }
}

/* ---- cut and incomplete ---------------------------------------------------------------------- */

/* The snap length cuts the first fragment anywhere: what stands before the cut is handed on. */
static void test_cut(void **state)
{
    struct bytes d = datagram_of(100);
    (void)state;
    for (unsigned i = 0; i < 4 * 65; i++) {
        struct bench bench = bench_new();
        bool ipv6 = i % 2, backwards = i / 2 % 2;
        size_t kept = i / 4;
        struct piece pieces[] = {{0, 64, true, 64 - kept}, {64, 36, false, 0}};
        push_piece(&bench, ipv6, 1, bytes_slice(&d), pieces[backwards]);
        push_piece(&bench, ipv6, 1, bytes_slice(&d), pieces[!backwards]);
        assert_int_equal(packet_stats(bench.decoder)->reassembled, 1);
        assert_int_equal(bench.caught->count, kept >= 8);
        if (kept >= 8) {
            size_t n = kept == 64 ? 92 : kept - 8;
            assert_int_equal(bench.caught->last.bytes.n, n);
            assert_int_equal(bench.caught->last.missing, 92 - n);
            assert_true(n == 92 || !bench.caught->last.gap);
            assert_memory_equal(bench.caught->bytes, d.items + 8, n);
        } else {
            assert_int_equal(packet_stats(bench.decoder)->cut, kept > 0);
        }
        bench_free(&bench);
    }
    vec_free(&d);
}

/* Of two copies the longer counts, and the second fragment's cut hides only what follows it. */
static void test_cut_copies(void **state)
{
    static const struct {
        struct piece pieces[4];
        size_t payload;
    } cases[] = {
        {{{0, 64, true, 30}, {0, 64, true, 0}, {64, 36, false, 0}}, 92},
        {{{0, 64, true, 0}, {0, 64, true, 30}, {64, 36, false, 0}}, 92},
        {{{0, 64, true, 30}, {0, 64, true, 21}, {64, 36, false, 0}}, 35},
        {{{0, 64, true, 21}, {0, 64, true, 30}, {64, 36, false, 0}}, 35},
        {{{64, 36, false, 9}, {0, 64, true, 0}}, 83},
        {{{64, 36, false, 36}, {0, 64, true, 0}}, 56},
    };
    struct bytes d = datagram_of(100);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        for (const struct piece *p = cases[i].pieces; p->n; p++)
            push_piece(&bench, false, 1, bytes_slice(&d), *p);
        assert_int_equal(bench.caught->count, 1);
        assert_int_equal(bench.caught->last.bytes.n, cases[i].payload);
        assert_memory_equal(bench.caught->bytes, d.items + 8, bench.caught->last.bytes.n);
        assert_int_equal(bench.caught->last.missing, 92 - bench.caught->last.bytes.n);
        assert_true(bench.caught->last.bytes.n == 92 || !bench.caught->last.gap);
        bench_free(&bench);
    }
    vec_free(&d);
}

/* What never completes: handed on with the rest missing where its beginning is there, and counted.
 */
static void test_incomplete(void **state)
{
    static const struct {
        const char *what;
        struct piece piece;
        unsigned count;
        size_t payload, missing;
        bool gap;
    } cases[] = {
        {"first", {0, 64, true, 0}, 1, 56, 36, true},
        {"first, cut", {0, 64, true, 9}, 1, 47, 45, false},
        {"first, cut at a unit", {0, 64, true, 8}, 1, 48, 44, false},
        {"first, no header", {0, 64, true, 60}, 0, 0, 0, false},
        {"middle", {32, 32, true, 0}, 0, 0, 0, false},
        {"last", {64, 36, false, 0}, 0, 0, 0, false},
    };
    struct bytes d = datagram_of(100);
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct bench bench = bench_new();
        push_piece(&bench, i % 2, 1, bytes_slice(&d), cases[i / 2].piece);
        bench.time_ns += 5;
        assert_int_equal(bench.caught->count, 0);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 1);
        assert_int_equal(bench.caught->count, cases[i / 2].count);
        if (bench.caught->count) {
            assert_int_equal(bench.caught->last.bytes.n, cases[i / 2].payload);
            assert_int_equal(bench.caught->last.missing, cases[i / 2].missing);
            assert_int_equal(bench.caught->last.gap, cases[i / 2].gap);
            assert_int_equal(bench.caught->last.time_ns, 1000);
            assert_int_equal(bench.caught->last.frame_count, 1);
        }
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 1);
        bench_free(&bench);
    }
    vec_free(&d);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void test_expiry(void **state)
{
    static const struct {
        int64_t start, step;
        bool whole;
        uint64_t expired; /* before the flush */
    } cases[] = {
        {1000, 0, true, 0},
        {1000, (int64_t)PACKET_FRAGMENT_SECONDS * SECOND, true, 0},
        {1000, (int64_t)PACKET_FRAGMENT_SECONDS * SECOND + 1, false, 1},
        {INT64_MAX / 2, -5 * (int64_t)SECOND, true, 0},
        {INT64_MAX / 2, -500 * (int64_t)SECOND, true, 0},
        {0, INT64_MAX, false, 1},
        {INT64_MAX, -INT64_MAX, true, 0},
        {INT64_MIN, INT64_MAX, false, 1},
    };
    struct bytes d = datagram_of(100);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        bench.time_ns = cases[i].start;
        push_piece(&bench, false, 1, bytes_slice(&d), (struct piece){0, 64, true, 0});
        bench.time_ns += cases[i].step;
        push_piece(&bench, false, 1, bytes_slice(&d), (struct piece){64, 36, false, 0});
        assert_int_equal(packet_stats(bench.decoder)->reassembled, cases[i].whole);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, cases[i].expired);
        assert_int_equal(bench.caught->count,
                         1); /* if not whole, the first with the rest missing */
        assert_int_equal(bench.caught->last.missing, cases[i].whole ? 0 : 36);
        assert_int_equal(bench.caught->last.time_ns,
                         cases[i].whole ? bench.time_ns : cases[i].start);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, cases[i].expired * 2);
        bench_free(&bench);
    }
    vec_free(&d);
}

static void test_too_many_sets(void **state)
{
    const unsigned more = 100;
    struct bytes d = datagram_of(100);
    struct bench bench = bench_new();
    (void)state;
    for (unsigned i = 0; i < PACKET_FRAGMENT_SETS + more; i++)
        push_piece(&bench, false, (uint16_t)i, bytes_slice(&d), (struct piece){8, 8, true, 0});
    assert_int_equal(packet_stats(bench.decoder)->fragments_evicted, more);
    assert_int_equal(bench.caught->count, 0);
    /* the oldest went: those that are left can be completed */
    for (unsigned i = more; i < PACKET_FRAGMENT_SETS + more; i++) {
        push_piece(&bench, false, (uint16_t)i, bytes_slice(&d), (struct piece){0, 8, true, 0});
        push_piece(&bench, false, (uint16_t)i, bytes_slice(&d), (struct piece){16, 84, false, 0});
        assert_int_equal(packet_stats(bench.decoder)->reassembled, i - more + 1);
    }
    assert_int_equal(packet_stats(bench.decoder)->fragments_evicted, more);
    packet_flush(bench.decoder);
    assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 0);
    bench_free(&bench);
    vec_free(&d);
}

static void test_too_many_bytes(void **state)
{
    const unsigned sets = 400, piece = 60000;
    struct bytes d = datagram_of(65000);
    struct bench bench = bench_new();
    (void)state;
    for (unsigned i = 0; i < sets; i++)
        push_piece(&bench, true, (uint16_t)i, bytes_slice(&d), (struct piece){8, piece, true, 0});
    uint64_t evicted = packet_stats(bench.decoder)->fragments_evicted;
    assert_true((sets - evicted) * piece <= PACKET_FRAGMENT_BYTES);
    assert_true((sets - evicted + 1) * (piece * 22 / 20) > PACKET_FRAGMENT_BYTES);
    packet_flush(bench.decoder);
    assert_int_equal(packet_stats(bench.decoder)->fragments_expired, sets - evicted);
    bench_free(&bench);
    vec_free(&d);
}

/* The smallest fragments of the largest datagram, last first, each twice and apart. */
static void test_tiny(void **state)
{
    struct bytes d = datagram_of(65500);
    struct bench bench = bench_new();
    (void)state;
    for (uint32_t at = 65496; at > 0; at -= 8) {
        push_piece(&bench, false, 1, bytes_slice(&d),
                   (struct piece){at, at == 65496 ? 4 : 8, at != 65496, 0});
        push_piece(&bench, false, 1, bytes_slice(&d), (struct piece){65496, 4, false, 0});
    }
    push_piece(&bench, false, 1, bytes_slice(&d), (struct piece){0, 8, true, 0});
    check_whole(&bench, 1, &d, 8188);
    bench_free(&bench);
    vec_free(&d);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_second_copies), cmocka_unit_test(test_random),
        cmocka_unit_test(test_overlaps),      cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_headers_within),
        cmocka_unit_test(test_cut),           cmocka_unit_test(test_cut_copies),
        cmocka_unit_test(test_incomplete),    cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_too_many_sets), cmocka_unit_test(test_too_many_bytes),
        cmocka_unit_test(test_tiny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

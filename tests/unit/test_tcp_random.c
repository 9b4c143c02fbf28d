/* packet/tcp*: whatever the segmentation, order, overlaps and copies of a stream, its bytes come
 * out once, in order, with each hole where it is; and the limits hold against any amount. */
#include "segments.h"

static uint32_t pseudo_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

struct plan {
    uint32_t from, to; /* of the stream, from 1 */
};

VEC_TYPE(plans, struct plan);

/* Segments that cover the stream, but for `holes` of them; then others that overlap them without
 * reaching into a hole. */
static void make_plans(struct plans *plans, uint8_t *there, uint32_t n, uint32_t longest,
                       uint32_t holes, uint32_t *seed)
{
    for (uint32_t at = 1, size; at <= n; at += size) {
        size = 1 + pseudo_random(seed, longest);
        size = size < n + 1 - at ? size : n + 1 - at;
        if (at > 1 && holes && pseudo_random(seed, 8) == 0) {
            holes--;
            continue;
        }
        *vec_add(plans) = (struct plan){at, at + size};
        memset(there + at, 1, size);
    }
    for (size_t i = plans->n; i > 0; i--) {
        struct plan p = plans->items[pseudo_random(seed, (uint32_t)plans->n)];
        while (p.from > 1 && there[p.from - 1] && pseudo_random(seed, 4))
            p.from--;
        while (p.to <= n && there[p.to] && pseudo_random(seed, 4))
            p.to++;
        *vec_add(plans) = p;
    }
}

/* Each stays within `distance` of its place. */
static void shuffle(struct plans *plans, uint32_t distance, uint32_t *seed)
{
    for (size_t i = 0; i + 1 < plans->n; i++) {
        size_t left = plans->n - i;
        size_t k = i + pseudo_random(seed, left < distance ? (uint32_t)left : distance);
        struct plan p = plans->items[i];
        plans->items[i] = plans->items[k];
        plans->items[k] = p;
    }
}

static void expect(struct bytes *log, const struct bytes *text, const uint8_t *there, uint32_t n)
{
    uint32_t missing = 0;
    for (uint32_t at = 1; at <= n; at++) {
        if (there[at] && missing) {
            put_text(log, "<gap ");
            put_decimal(log, missing);
            put_text(log, ">");
        }
        missing = there[at] ? 0 : missing + 1;
        if (there[at])
            put8(log, text->items[at - 1]);
    }
}

static void run_random(uint32_t *seed)
{
    uint32_t n = 1 + pseudo_random(seed, 3000);
    uint32_t longest = 1 + pseudo_random(seed, 1 + pseudo_random(seed, 1400));
    struct talk *talk = talk_new(*seed * 77, *seed * 99);
    struct bytes text = {0}, log = {0};
    struct plans plans = {0};
    uint8_t *there = calloc(1, n + 2);
    for (uint32_t i = 0; i < n; i++)
        put8(&text, (uint8_t)(pseudo_random(seed, 20) ? 'a' + pseudo_random(seed, 26) : '\n'));
    longest = n / longest > 300 ? n / 300 + 1 : longest;
    make_plans(&plans, there, n, longest, pseudo_random(seed, 3), seed);
    shuffle(&plans, 1 + pseudo_random(seed, 60), seed);
    if (pseudo_random(seed, 2))
        talk->isn[A] = UINT32_MAX - pseudo_random(seed, n);
    talk_open(talk);
    for (size_t i = 0; i < plans.n; i++) {
        struct plan p = plans.items[i];
        struct slice data = {(const char *)text.items + p.from - 1, p.to - p.from};
        talk_push(talk, (struct segment){A, p.from, 0, "P", data, 0});
    }
    packet_flush(talk->decoder);
    expect(&log, &text, there, n);
    /* Only what follows the last byte may be left. */
    if (strncmp(talk_log(talk, A), (const char *)log.items, log.n) != 0)
        fail_msg("%u bytes by %u: %s", n, longest, talk_log(talk, A));
    assert_string_equal(talk_log(talk, A) + log.n, "<end>");
    assert_int_equal(talk_stats(talk)->stream_overlapping, 0);
    assert_int_equal(talk_stats(talk)->stream_overflows, 0);
    vec_free(&text);
    vec_free(&log);
    vec_free(&plans);
    free(there);
    talk_free(talk);
}

static void test_random(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (unsigned i = 0; i < 400; i++)
        run_random(&seed);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Each connection from another port and address of A, by one byte after the other. */
static void push_from(struct talk *talk, uint32_t who, const struct segment *s)
{
    struct bytes b = {0};
    talk->port = (uint16_t)who;
    talk_ip(talk, s, &b);
    b.items[s->way == A ? 13 : 17] = (uint8_t)(who >> 16);
    talk_packet(talk, &b, b.n);
}

static void test_many_half_open(void **state)
{
    struct talk *talk = talk_new(1, 1);
    (void)state;
    talk_open(talk);
    talk_data(talk, A, 1, "one\n");
    for (uint32_t i = 0; i < PACKET_STREAMS + 1000; i++)
        push_from(talk, 100000 + i, &(struct segment){.flags = "S"});
    talk->port = 40000;
    talk_data(talk, A, 5, "two\n");
    assert_log(talk, A, "one\ntwo\n");
    assert_int_equal(talk_stats(talk)->streams, PACKET_STREAMS + 1001);
    assert_int_equal(talk_stats(talk)->streams_evicted, 1001);
    talk_free(talk);
}

static void test_many_holding(void **state)
{
    static char much[60000];
    struct talk *talk = talk_new(1, 1);
    (void)state;
    talk->counts = true;
    memset(much, 'x', sizeof much);
    for (uint32_t i = 0; i < 2000; i++) {
        struct segment s = {.seq = 9, .flags = "P", .data = {much, sizeof much}};
        push_from(talk, 100000 + i, &(struct segment){.flags = "S"});
        push_from(talk, 100000 + i, &s);
    }
    uint64_t evicted = talk_stats(talk)->streams_evicted;
    assert_int_equal(talk->read, evicted * sizeof much);
    assert_in_range(evicted, 2000 - PACKET_STREAMS_BYTES / sizeof much,
                    2001 - PACKET_STREAMS_BYTES / (sizeof much + 1024));
    talk_free(talk);
}

/* What waits behind a hole is limited in number and in bytes. */
static void test_pending(void **state)
{
    static char much[60000];
    static const struct {
        uint32_t size, step;
        bool backwards;
        uint32_t count;
    } cases[] = {
        {1, 2, false, 3000}, {1, 2, true, 3000}, {60000, 60000, false, 60}, {1, 1, true, 3000}};
    (void)state;
    memset(much, 'x', sizeof much);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct talk *talk = talk_new(1, 1);
        talk->counts = true;
        uint32_t step = cases[i].step, count = cases[i].count;
        talk_open(talk);
        for (uint32_t k = 0; k < count; k++) {
            uint32_t at = 10 + step * (cases[i].backwards ? count - k : k);
            talk_push(talk, (struct segment){A, at, 0, "P", {much, cases[i].size}, 0});
        }
        assert_true(talk_stats(talk)->stream_overflows > 0);
        packet_flush(talk->decoder);
        assert_int_equal(talk->read + talk_stats(talk)->stream_late, (size_t)count * cases[i].size);
        talk_free(talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_many_half_open),
        cmocka_unit_test(test_many_holding),
        cmocka_unit_test(test_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

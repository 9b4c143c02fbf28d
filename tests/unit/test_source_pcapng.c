/* source/: pcapng's blocks, sections, interfaces, options and time resolutions; filters over link
 * types. */
#include "capture.h"
#include "source/internal.h"

#define NONE SLICE("")

static struct source *open_good(const struct bytes *b)
{
    struct err err = {""};
    struct source *s = open_bytes(bytes_slice(b), &err);
    assert_string_equal(err.text, "");
    return s;
}

static void test_times(void **state)
{
    static const struct {
        int resolution; /* -1: no such option */
        int64_t offset;
        uint64_t units;
        int64_t time_ns;
    } cases[] = {
        {-1, 0, 1700000000123456, 1700000000123456000},
        {6, 0, 1, 1000},
        {9, 0, 1700000000123456789, 1700000000123456789},
        {0, 0, 1700000000, 1700000000000000000},
        {3, 0, 1700000000123, 1700000000123000000},
        {12, 0, 1700000000123456789, 1700000000123456},
        {19, 0, UINT64_MAX, 1844674407},
        {28, 0, UINT64_MAX, 1},
        {29, 0, UINT64_MAX, 0},
        {127, 0, UINT64_MAX, 0},
        {0x80 | 10, 0, 1700000000ull << 10 | 512, 1700000000500000000},
        {0x80 | 32, 0, 1700000000ull << 32 | 1u << 30, 1700000000250000000},
        {0x80 | 0, 0, 5, 5000000000},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {6, 1700000000, 123456, 1700000000123456000},
        {6, -3600, 3601000000, 1000000000},
        {6, -3600, 0, 0},
        {6, INT64_MIN, UINT64_MAX, 0},
        {6, INT64_MAX, UINT64_MAX, INT64_MAX},
        {0, 0, UINT64_MAX, INT64_MAX},
        {9, 0, UINT64_MAX, INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct bytes b = {.little = i % 2}, options = {.little = i % 2};
        struct bytes offset = {.little = i % 2};
        struct source_frame f;
        uint8_t resolution = (uint8_t)cases[i / 2].resolution;
        put64(&offset, (uint64_t)cases[i / 2].offset);
        option(&options, 14, bytes_slice(&offset));
        if (cases[i / 2].resolution >= 0)
            option(&options, 9, (struct slice){(char *)&resolution, 1});
        section_block(&b);
        interface_block(&b, 1, 0, bytes_slice(&options));
        enhanced_block(&b, 0, cases[i / 2].units, PING, NONE);
        struct source *s = open_good(&b);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_int_equal(f.time_ns, cases[i / 2].time_ns);
        source_close(s);
        vec_free(&b);
        vec_free(&options);
        vec_free(&offset);
    }
}

static void test_directions(void **state)
{
    static const struct {
        uint32_t flags;
        enum source_direction direction;
    } cases[] = {
        {0, SOURCE_UNKNOWN},          {1, SOURCE_IN}, {2, SOURCE_OUT}, {3, SOURCE_UNKNOWN},
        {0xffff0000, SOURCE_UNKNOWN}, {5, SOURCE_IN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct bytes b = {.little = i % 2}, flags = {.little = i % 2}, options = {.little = i % 2};
        struct source_frame f;
        put32(&flags, cases[i / 2].flags);
        option(&options, 1, SLICE("comment"));
        option(&options, 2, bytes_slice(&flags));
        option(&options, 0, NONE);
        section_block(&b);
        interface_block(&b, 1, 0, NONE);
        enhanced_block(&b, 0, 1, PING, bytes_slice(&options));
        struct source *s = open_good(&b);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, PING);
        assert_int_equal(f.direction, cases[i / 2].direction);
        source_close(s);
        vec_free(&b);
        vec_free(&flags);
        vec_free(&options);
    }
}

/* Two sections in different byte orders, three interfaces, the kinds of packet block, others
 * between. */
static struct bytes rich_pcapng(void)
{
    struct bytes b = {.little = true}, body = {.little = true};
    section_block(&b);
    interface_block(&b, 276, 0, NONE);
    interface_block(&b, 101, 6, NONE);
    enhanced_block(&b, 1, 1000000, PING, NONE);
    put32(&body, 1);
    put_times(&body, 0xff, 21);
    block_end(&b, 10, &body); /* decryption secrets */
    body = (struct bytes){.little = true};
    block_end(&b, 0x7777, &body);
    block_end(&b, 4, &body); /* name resolution */
    b.little = false;
    body = (struct bytes){.little = false};
    section_block(&b);
    interface_block(&b, 113, 6, NONE);
    put32(&body, 1400);
    packet_bytes(&body, slice_first(PING, 6), NONE);
    block_end(&b, 3, &body); /* simple: cut at the interface's 6 bytes */
    body = (struct bytes){.little = false};
    put16(&body, 0);
    put16(&body, 99);
    put64(&body, 2000000);
    put32(&body, 4);
    put32(&body, 40);
    packet_bytes(&body, PONG, NONE);
    block_end(&b, 2, &body); /* obsolete */
    return b;
}

static const struct rich {
    struct slice bytes;
    uint32_t length, interface;
    int link_type;
    int64_t time_ns;
} rich[] = {
    {PING, 11, 1, 101, 1000000000},
    {{"ping\0p", 6}, 1400, 2, 113, 0},
    {PONG, 40, 2, 113, 2000000000},
};

static void check_rich(struct source *s, size_t count)
{
    struct source_frame f;
    struct err err;
    for (size_t i = 0; i < count; i++) {
        char again[16];
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, rich[i].bytes);
        assert_int_equal(f.number, i + 1);
        assert_int_equal(f.length, rich[i].length);
        assert_int_equal(f.interface, rich[i].interface);
        assert_int_equal(f.link_type, rich[i].link_type);
        assert_int_equal(f.time_ns, rich[i].time_ns);
        assert_true(source_read_at(s, f.offset, again, f.bytes.n, &err));
        assert_memory_equal(again, f.bytes.p, f.bytes.n);
    }
    assert_int_equal(next_frame(s, &f), SOURCE_END);
}

static void test_blocks(void **state)
{
    struct bytes b = rich_pcapng();
    (void)state;
    struct source *s = open_good(&b);
    check_rich(s, COUNT(rich));
    assert_false(source_stats(s)->truncated);
    assert_int_equal(source_stats(s)->skipped_blocks, 1);
    assert_int_equal(source_stats(s)->frames, 3);
    source_close(s);
    vec_free(&b);
}

/* Ends of blocks, at which a prefix is a whole file. */
static bool is_boundary(size_t at)
{
    static const size_t blocks[] = {28, 20, 20, 44, 40, 12, 12, 28, 20, 24, 36};
    size_t sum = 0;
    for (size_t i = 0; i < COUNT(blocks) && sum < at; i++)
        sum += blocks[i];
    return sum == at;
}

static void test_prefixes(void **state)
{
    struct bytes b = rich_pcapng();
    (void)state;
    assert_true(is_boundary(b.n));
    for (size_t n = 0; n <= b.n; n++) {
        struct err err = {""};
        struct source *s = open_bytes(slice_first(bytes_slice(&b), n), &err);
        if (n < 28) {
            assert_null(s);
            assert_string_not_equal(err.text, "");
            continue;
        }
        check_rich(s, (n >= 112) + (n >= 248) + (n >= 284));
        assert_int_equal(source_stats(s)->truncated, !is_boundary(n));
        if (n == 100)
            assert_string_equal(source_stats(s)->truncated_at, "block 4 at byte 68");
        source_close(s);
    }
    vec_free(&b);
}

/* Each number in the file that is a length or an index, made absurd. */
static void test_hostile(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        enum source_result result;
        const char *text;
    } cases[] = {
        {28 + 4, 0, SOURCE_ERROR,
         "block 2 at byte 28 (after frame 0) is corrupt: its length is "
         "less than 12"},
        {28 + 4, 12, SOURCE_ERROR,
         "block 2 at byte 28 (after frame 0) is corrupt: its two lengths "
         "differ"},
        {28 + 4, 24, SOURCE_ERROR,
         "block 2 at byte 28 (after frame 0) is corrupt: its two lengths "
         "differ"},
        {28 + 4, UINT32_MAX, SOURCE_ERROR,
         "block 2 at byte 28 (after frame 0) is corrupt: its "
         "length is absurd"},
        {28 + 4, 0x1000000, SOURCE_END, "block 2 at byte 28"},
        {48 + 8, 1, SOURCE_ERROR,
         "block 3 at byte 48 (after frame 0) is corrupt: a packet of an "
         "interface that was not described"},
        {48 + 8, UINT32_MAX, SOURCE_ERROR,
         "block 3 at byte 48 (after frame 0) is corrupt: a "
         "packet of an interface that was not described"},
        {48 + 20, 13, SOURCE_ERROR,
         "block 3 at byte 48 (after frame 0) is corrupt: a packet that "
         "is longer than its block"},
        {48 + 20, UINT32_MAX, SOURCE_ERROR,
         "block 3 at byte 48 (after frame 0) is corrupt: a "
         "packet that is longer than its block"},
        {48 + 0, 0x0a0d0d0a, SOURCE_ERROR,
         "block 3 at byte 48 (after frame 0) is corrupt: a "
         "section header without byte-order magic"},
        {92 + 4, UINT32_MAX - 3, SOURCE_END, "block 4 at byte 92"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {.little = true}, body = {.little = true};
        struct source_frame f;
        struct err err = {""};
        section_block(&b);
        interface_block(&b, 1, 0, NONE);
        enhanced_block(&b, 0, 1, PING, NONE);
        put64(&body, 0);
        block_end(&b, 0x7777, &body);
        memcpy(b.items + cases[i].at, &cases[i].value, 4);
        struct source *s = open_good(&b);
        enum source_result result;
        while ((result = source_next(s, &f, &err)) == SOURCE_FRAME)
            continue;
        assert_int_equal(result, cases[i].result);
        assert_string_equal(result == SOURCE_END ? source_stats(s)->truncated_at
                                                 : without_path(&err),
                            cases[i].text);
        source_close(s);
        vec_free(&b);
    }
}

/* Blocks too short for what they are, and a version to come. */
static void test_short_blocks(void **state)
{
    static const struct {
        uint32_t type;
        struct slice body;
        const char *text;
    } cases[] = {
        {1, SLICE("\1\0\0\0"), "an interface description that is too short"},
        {2, SLICE("0123456789abcde"), "a packet block that is too short"},
        {2,
         SLICE("\x09\0\0\0"
               "0123456789abcdef"),
         "a packet of an interface that was not described"},
        {3, SLICE(""), "a packet block that is too short"},
        {3, SLICE("\1\0\0\0x"), "a packet of an interface that was not described"},
        {6, SLICE("0123456789abcdef"), "a packet block that is too short"},
        {0x0a0d0d0a, SLICE("\x4d\x3c\x2b\x1a\1\0\1\0"), "a pcapng version that is not supported"},
        {0x0a0d0d0a, SLICE("\x4d\x3c\x2b\x1a"), "a section header that is too short"},
        {0x0a0d0d0a, SLICE("\x4d\x3c\x2b\x1a\2\0\0\0"), "a pcapng version that is not supported"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {.little = true}, body = {.little = true};
        struct source_frame f;
        struct err err = {""};
        section_block(&b);
        put_slice(&body, cases[i].body);
        block_end(&b, cases[i].type, &body);
        struct source *s = open_good(&b);
        assert_int_equal(source_next(s, &f, &err), SOURCE_ERROR);
        if (!strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s", i, err.text);
        source_close(s);
        vec_free(&b);
    }
}

/* Option lists that break off or lie are read as far as they go. */
static void test_bad_options(void **state)
{
    static const struct {
        struct slice options;
        int64_t time_ns;
    } cases[] = {
        {SLICE("\x09\0\1\0\0\0\0\0"), 5000000000},
        {SLICE("\x09\0\1\0"), 5000},
        {SLICE("\x09\0\xff\xff\0\0\0\0"), 5000},
        {SLICE("\0\0\0\0\x09\0\1\0\0\0\0\0"), 5000},
        {SLICE("\x09\0\0\0"), 5000},
        {SLICE("\x0e\0\4\0\1\0\0\0"), 5000},
        {SLICE("\x09\0\1"), 5000},
        {SLICE("\4\0\2\0\1\2\0\0\5\0\3\0\1\2\3\0"), 5000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {.little = true};
        struct source_frame f;
        section_block(&b);
        interface_block(&b, 1, 0, cases[i].options);
        enhanced_block(&b, 0, 5, PING, cases[i].options);
        struct source *s = open_good(&b);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_int_equal(f.time_ns, cases[i].time_ns);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        source_close(s);
        vec_free(&b);
    }
}

static void test_hosts(void **state)
{
    struct bytes b = {.little = true}, options = {.little = true};
    const struct source_host_address *list;
    struct source_frame f;
    (void)state;
    option(&options, 4, SLICE("\x0a\0\1\1\xff\xff\xff\0"));
    option(&options, 4, SLICE("\x0a\0\1\2\xff\xff\xff\0"));
    option(&options, 4, SLICE("\x0a\0\1\1\xff\xff\xff\0"));
    option(&options, 5, SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x40"));
    section_block(&b);
    interface_block(&b, 1, 0, bytes_slice(&options));
    interface_block(&b, 1, 0, bytes_slice(&options));
    struct source *s = open_good(&b);
    assert_int_equal(source_host_addresses(s, &list), 0);
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    assert_int_equal(source_host_addresses(s, &list), 3);
    assert_string_equal(address_format(&list[0].ip).s, "10.0.1.1");
    assert_string_equal(address_format(&list[1].ip).s, "10.0.1.2");
    assert_string_equal(address_format(&list[2].ip).s, "fd00::1");
    source_close(s);
    vec_free(&b);
    vec_free(&options);
}

static void test_too_many(void **state)
{
    struct bytes b = {.little = true};
    struct source_frame f;
    struct err err;
    (void)state;
    section_block(&b);
    for (size_t i = 0; i <= SOURCE_INTERFACES; i++)
        interface_block(&b, 1, 0, NONE);
    struct source *s = open_good(&b);
    assert_int_equal(source_next(s, &f, &err), SOURCE_ERROR);
    assert_non_null(strstr(err.text, "too many interfaces"));
    source_close(s);
    vec_free(&b);
}

/* ---- filters --------------------------------------------------------------------------------- */

/* A UDP datagram to port 5060 or 5061, with a link layer of `head` in front. */
static struct slice packet_to(struct bytes *b, struct slice head, uint16_t port)
{
    b->n = 0;
    put_slice(b, head);
    put_slice(b, SLICE("\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"));
    put16(b, 5060 + 1000);
    put16(b, port);
    put32(b, 8 << 16);
    return bytes_slice(b);
}

#define ETHERNET SLICE("\1\1\1\1\1\1\2\2\2\2\2\2\x08\0")
#define SLL2     SLICE("\x08\0\0\0\0\0\0\1\3\4\0\6\2\2\2\2\2\2\0\0")

static struct bytes mixed_pcapng(void)
{
    struct bytes b = {.little = true}, packet = {0};
    section_block(&b);
    interface_block(&b, 1, 0, NONE);
    interface_block(&b, 276, 0, NONE);
    interface_block(&b, 101, 0, NONE);
    for (uint16_t port = 5060; port <= 5061; port++) {
        enhanced_block(&b, 0, 1, packet_to(&packet, ETHERNET, port), NONE);
        enhanced_block(&b, 1, 1, packet_to(&packet, SLL2, port), NONE);
        enhanced_block(&b, 2, 1, packet_to(&packet, NONE, port), NONE);
    }
    vec_free(&packet);
    return b;
}

static void test_filters(void **state)
{
    static const struct {
        const char *expression;
        uint32_t numbers[7]; /* of the frames that pass */
        const char *text;
    } cases[] = {
        {"", {1, 2, 3, 4, 5, 6}, NULL},
        {"udp dst port 5060", {1, 2, 3}, NULL},
        {"udp dst port 5061", {4, 5, 6}, NULL},
        {"tcp", {0}, NULL},
        {"src host 10.0.0.1 and len > 40", {1, 2, 4, 5}, NULL},
        {"ether host 01:01:01:01:01:01", {1}, "frame 2: "},
        {"udp port", {0}, "capture filter 'udp port': can't parse filter expression: syntax error"},
        {"port 5060 and and",
         {0},
         "capture filter 'port 5060 and and': can't parse filter expression: syntax error"},
    };
    struct bytes b = mixed_pcapng();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source *s = open_good(&b);
        struct source_frame f;
        struct err err = {""};
        uint64_t passed = 0;
        if (source_filter(s, cases[i].expression, &err)) {
            while (source_next(s, &f, &err) == SOURCE_FRAME)
                assert_int_equal(f.number, cases[i].numbers[passed++]);
            assert_int_equal(cases[i].numbers[passed], 0);
            assert_int_equal(source_stats(s)->frames, passed);
            if (!cases[i].text)
                assert_int_equal(source_stats(s)->filtered, 6 - passed);
        }
        if (cases[i].text && !strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s", i, err.text);
        if (!cases[i].text)
            assert_string_equal(err.text, "");
        source_close(s);
    }
    vec_free(&b);
}

/* Where a pcap file names its link type, a filter that does not suit it is refused at once. */
static void test_filter_of_pcap(void **state)
{
    struct bytes b = {.little = true};
    struct err err = {""};
    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 101);
    struct source *s = open_good(&b);
    assert_false(source_filter(s, "ether host 1:1:1:1:1:1", &err));
    assert_non_null(strstr(err.text, "(link type RAW)"));
    assert_true(source_filter(s, "udp", &err));
    assert_true(source_filter(s, "port 5060", &err));
    source_close(s);
    vec_free(&b);
}

static void secrets_block(struct bytes *b, uint32_t type, uint32_t length, struct slice text)
{
    struct bytes body = {.little = b->little};
    put32(&body, type);
    put32(&body, length);
    packet_bytes(&body, text, NONE);
    block_end(b, 10, &body);
}

/* TLS key logs in the capture, found as it is read; one that is broken is counted. */
static void test_secrets(void **state)
{
    (void)state;
    for (int little = 0; little < 2; little++) {
        struct bytes b = {.little = little};
        const struct slice *list;
        struct source_frame f;
        struct err err;
        section_block(&b);
        interface_block(&b, 1, 0, NONE);
        secrets_block(&b, 0x544c534b, 5, SLICE("first"));
        enhanced_block(&b, 0, 1, PING, NONE);
        secrets_block(&b, 0x57474b4c, 5, SLICE("other"));
        secrets_block(&b, 0x544c534b, 500, SLICE("broken"));
        secrets_block(&b, 0x544c534b, 6, SLICE("second"));
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_non_null(s);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_int_equal(source_secrets(s, &list), 1);
        assert_slice_equal(list[0], SLICE("first"));
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        assert_int_equal(source_secrets(s, &list), 2);
        assert_slice_equal(list[1], SLICE("second"));
        assert_int_equal(source_stats(s)->secrets_lost, 1);
        assert_int_equal(source_stats(s)->skipped_blocks, 0);
        source_close(s);
        vec_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),          cmocka_unit_test(test_directions),
        cmocka_unit_test(test_blocks),         cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_hostile),        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_short_blocks),   cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_too_many),       cmocka_unit_test(test_filters),
        cmocka_unit_test(test_filter_of_pcap), cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* source/: pcap files of every kind, cut and hostile ones, and what is no capture. */
#include "capture.h"
#include "source/internal.h"

#include <fcntl.h>

static void test_pcap_kinds(void **state)
{
    static const struct {
        uint32_t magic;
        uint32_t seconds, fraction;
        int64_t time_ns;
        uint32_t network;
        int link_type;
    } cases[] = {
        {0xa1b2c3d4, 1700000000, 123456, 1700000000123456000, 1, 1},
        {0xa1b23c4d, 1700000000, 123456789, 1700000000123456789, 276, 276},
        {0xa1b2c3d4, 0, 0, 0, 0, 0},
        {0xa1b2c3d4, 0x80000000, 999999, 2147483648999999000, 113, 113},
        {0xa1b2c3d4, UINT32_MAX, 0, 4294967295000000000, 101, 101},
        {0xa1b2c3d4, UINT32_MAX, UINT32_MAX, 4294967295000000000 + 4294967295000, 228, 228},
        {0xa1b23c4d, UINT32_MAX, UINT32_MAX, 4294967295000000000 + 4294967295, 229, 229},
        {0xa1b2c3d4, 1, 0, 1000000000, 0x24000001, 1}, /* with a frame check sequence */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct bytes b = {.little = i % 2};
        struct source_frame f;
        struct err err;
        pcap_header(&b, cases[i / 2].magic, cases[i / 2].network);
        pcap_record(&b, cases[i / 2].seconds, cases[i / 2].fraction, PING, 1234);
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_non_null(s);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, PING);
        assert_int_equal(f.length, 1234);
        assert_int_equal(f.number, 1);
        assert_int_equal(f.interface, 0);
        assert_int_equal(f.link_type, cases[i / 2].link_type);
        assert_int_equal(f.time_ns, cases[i / 2].time_ns);
        assert_int_equal(f.offset, 24 + 16);
        assert_int_equal(f.direction, SOURCE_UNKNOWN);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        assert_false(source_stats(s)->truncated);
        source_close(s);
        vec_free(&b);
    }
}

static void test_pcap_modified(void **state)
{
    static const struct {
        uint8_t packet_type;
        enum source_direction direction;
    } cases[] = {{0, SOURCE_IN}, {4, SOURCE_OUT}, {3, SOURCE_UNKNOWN}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {.little = i % 2};
        struct source_frame f;
        struct err err;
        pcap_header(&b, 0xa1b2cd34, 1);
        put32(&b, 7);
        put32(&b, 8);
        put32(&b, (uint32_t)PING.n);
        put32(&b, (uint32_t)PING.n);
        put32(&b, 2);
        put16(&b, 0x800);
        put8(&b, cases[i].packet_type);
        put8(&b, 0);
        put_slice(&b, PING);
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_non_null(s);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, PING);
        assert_int_equal(f.time_ns, 7000008000);
        assert_int_equal(f.offset, 24 + 24);
        assert_int_equal(f.direction, cases[i].direction);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        source_close(s);
        vec_free(&b);
    }
}

/* Before version 2.4 the two lengths stood in either order. */
static void test_pcap_old(void **state)
{
    struct bytes b = small_pcap(true);
    struct source_frame f;
    struct err err;
    (void)state;
    b.items[6] = 3;
    b.items[24 + 8] = 100;
    b.items[24 + 12] = 10;
    struct source *s = open_bytes(bytes_slice(&b), &err);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_slice_equal(f.bytes, PING);
    assert_int_equal(f.length, 100);
    source_close(s);
    vec_free(&b);
}

/* What can be read of a cut file: all records that are whole, and where it broke off. */
static void check_prefix(struct slice prefix, size_t whole, bool truncated, const char *at)
{
    static const struct slice packets[] = {PING, PONG};
    struct source_frame f;
    struct err err = {""};
    struct source *s = open_bytes(prefix, &err);
    assert_non_null(s);
    for (size_t i = 0; i < whole; i++) {
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, packets[i]);
    }
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    assert_int_equal(source_stats(s)->truncated, truncated);
    if (truncated)
        assert_string_equal(source_stats(s)->truncated_at, at);
    assert_int_equal(source_stats(s)->frames, whole);
    assert_int_equal(source_stats(s)->bytes_read, prefix.n);
    assert_int_equal(source_stats(s)->bytes_total, prefix.n);
    source_close(s);
}

static void test_pcap_prefixes(void **state)
{
    struct bytes b = small_pcap(false);
    struct err err;
    (void)state;
    assert_int_equal(b.n, 70);
    for (size_t n = 0; n < 24; n++)
        assert_null(open_bytes(slice_first(bytes_slice(&b), n), &err));
    assert_string_equal(without_path(&err), "the pcap file header is cut: 23 of 24 bytes");
    for (size_t n = 24; n <= b.n; n++) {
        size_t whole = n < 50 ? 0 : n < 70 ? 1 : 2;
        bool truncated = n != 24 && n != 50 && n != 70;
        check_prefix(slice_first(bytes_slice(&b), n), whole, truncated,
                     whole ? "record 2 at byte 50" : "record 1 at byte 24");
    }
    vec_free(&b);
}

static void test_pcap_hostile(void **state)
{
    static const struct {
        uint32_t captured;
        enum source_result result;
        const char *text;
    } cases[] = {
        {SOURCE_RECORD_MAX, SOURCE_END, "record 1 at byte 24"},
        {SOURCE_RECORD_MAX + 1, SOURCE_ERROR,
         "record 1 at byte 24 is corrupt: 134217729 bytes captured in one frame"},
        {UINT32_MAX, SOURCE_ERROR,
         "record 1 at byte 24 is corrupt: 4294967295 bytes captured in one frame"},
        {UINT32_MAX - 15, SOURCE_ERROR,
         "record 1 at byte 24 is corrupt: 4294967280 bytes captured in one frame"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        struct source_frame f;
        struct err err = {""};
        pcap_header(&b, 0xa1b2c3d4, 1);
        put64(&b, 0);
        put32(&b, cases[i].captured);
        put_times(&b, 0, 40);
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_int_equal(source_next(s, &f, &err), cases[i].result);
        assert_string_equal(cases[i].result == SOURCE_END ? source_stats(s)->truncated_at
                                                          : without_path(&err),
                            cases[i].text);
        assert_int_equal(source_next(s, &f, &err), SOURCE_END);
        source_close(s);
        vec_free(&b);
    }
}

/* Records across the buffer's end, and one larger than the buffer. */
static void test_large(void **state)
{
    struct bytes b = {.little = true};
    struct source_frame f;
    struct err err;
    char *large = calloc(1, 3 * SOURCE_BUFFER);
    (void)state;
    pcap_header(&b, 0xa1b2c3d4, 1);
    for (uint32_t i = 0; i < 700; i++) {
        large[0] = (char)i;
        pcap_record(&b, i, 0, (struct slice){large, i == 650 ? 3 * SOURCE_BUFFER : i * 5}, 0);
    }
    struct source *s = open_bytes(bytes_slice(&b), &err);
    for (uint32_t i = 0; i < 700; i++) {
        char first;
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_int_equal(f.bytes.n, i == 650 ? 3 * SOURCE_BUFFER : i * 5);
        assert_int_equal(f.time_ns, (int64_t)i * 1000000000);
        if (f.bytes.n == 0)
            continue;
        assert_int_equal(f.bytes.p[0], (char)i);
        assert_true(source_read_at(s, f.offset, &first, 1, &err));
        assert_int_equal(first, (char)i);
    }
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    source_close(s);
    vec_free(&b);
    free(large);
}

/* ---- what cannot be opened ------------------------------------------------------------------- */

static void test_no_capture(void **state)
{
    static const struct {
        struct slice content;
        const char *text;
    } cases[] = {
        {SLICE(""), "0 bytes: empty file"},
        {SLICE("\xd4"), "not a pcap or pcapng capture: only 1 bytes"},
        {SLICE("INVITE sip:a@b SIP/2.0\r\n"), "not a pcap or pcapng capture: it looks like text"},
        {SLICE("{\"trunk\":1}"), "not a pcap or pcapng capture: it looks like JSON"},
        {SLICE("PK\3\4abcd"),
         "not a pcap or pcapng capture: it looks like a zip archive (unpack it first)"},
        {SLICE("GMBU\0\2\0\0"), "not a pcap or pcapng capture: it looks like a Network Monitor 2 "
                                "capture (convert it: editcap -F pcapng IN OUT)"},
        {SLICE("snoop\0\0\0\0\0\0\2"), "not a pcap or pcapng capture: it looks like a snoop "
                                       "capture (convert it: editcap -F pcapng IN OUT)"},
        {SLICE("\1\2\3\4\5\6\7\x10\2\4\0\x58\0\0\0\x40"),
         "not a pcap or pcapng capture: it looks like an ERF capture (convert it: editcap -F "
         "pcapng IN OUT)"},
        {SLICE("\xff\xfe\xfd\xfc\xfb"),
         "not a pcap or pcapng capture: it starts with bytes ff fe fd fc"},
        {SLICE("\xd4\xc3\xb2\xa1\x02"), "the pcap file header is cut: 5 of 24 bytes"},
        {SLICE("\xd4\xc3\xb2\xa1\3\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"),
         "pcap version 3.4 is not supported"},
        {SLICE("\x0a\x0d\x0d\x0a"), "the pcapng section header is cut: 4 bytes"},
        {SLICE("\x0a\x0d\x0d\x0a\x1c\0\0\0\4\3\2\1"), "not a pcapng capture: no byte-order magic"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        assert_null(open_bytes(cases[i].content, &err));
        assert_string_equal(without_path(&err), cases[i].text);
    }
}

static void test_no_file(void **state)
{
    struct err err = {""};
    (void)state;
    assert_null(source_open("x", "/nonexistent/a.pcap", &err));
    assert_string_equal(err.text, "/nonexistent/a.pcap: No such file or directory");
    assert_null(source_open("x", "/proc/self", &err));
    assert_string_equal(err.text, "/proc/self: is a directory, not a capture");
    assert_null(source_open("x", "/dev/null", &err));
    assert_string_equal(err.text, "/dev/null: 0 bytes: empty file");
}

static void test_read_error(void **state)
{
    struct err err = {""};
    (void)state;
    assert_null(source_open_fd("x", "x.pcap", open("/", O_RDONLY | O_CLOEXEC), &err));
    assert_string_equal(err.text, "x.pcap: Is a directory");
}

static void test_names(void **state)
{
    struct bytes b = small_pcap(true);
    char path[64], fallback[24];
    struct err err;
    (void)state;
    int fd = temporary(bytes_slice(&b), path);
    struct source *s = source_open("kam1", path, &err);
    assert_string_equal(source_name(s), "kam1");
    assert_string_equal(source_path(s), path);
    assert_false(source_read_at(s, 60, fallback, 20, &err));
    assert_non_null(strstr(err.text, "byte 70 cannot be read again: the file has become shorter"));
    source_close(s);
    source_close(NULL);
    close(fd);
    assert_string_equal(source_link_name(1, fallback), "EN10MB");
    assert_string_equal(source_link_name(276, fallback), "LINUX_SLL2");
    assert_string_equal(source_link_name(101, fallback), "RAW");
    assert_string_equal(source_link_name(60000, fallback), "LINKTYPE_60000");
    vec_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_kinds),   cmocka_unit_test(test_pcap_modified),
        cmocka_unit_test(test_pcap_old),     cmocka_unit_test(test_pcap_prefixes),
        cmocka_unit_test(test_pcap_hostile), cmocka_unit_test(test_large),
        cmocka_unit_test(test_no_capture),   cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_read_error),   cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* source/: captures that come through gzip or a pipe. */
#include "capture.h"
#include "source/internal.h"

#include <poll.h>
#include <sys/wait.h>
#include <zlib.h>

static void put_gzip(struct bytes *out, struct slice in)
{
    z_stream z = {0};
    uint8_t *buffer = malloc(in.n + 4096);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = buffer;
    z.avail_out = (uInt)in.n + 4096;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    put(out, buffer, z.total_out);
    deflateEnd(&z);
    free(buffer);
}

/* The capture in members that are cut at `at`, with something behind them. */
static void check_gzip(struct slice capture, size_t at, struct slice behind)
{
    struct bytes b = {0};
    struct source_frame f;
    struct err err;
    put_gzip(&b, slice_first(capture, at));
    put_gzip(&b, SLICE(""));
    put_gzip(&b, slice_from(capture, at));
    put_slice(&b, behind);
    struct source *s = open_bytes(bytes_slice(&b), &err);
    assert_non_null(s);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_slice_equal(f.bytes, PING);
    assert_int_equal(f.offset, SOURCE_NO_OFFSET);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_slice_equal(f.bytes, PONG);
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    assert_false(source_stats(s)->truncated);
    assert_int_equal(source_stats(s)->bytes_read, b.n);
    assert_false(source_read_at(s, 0, &f, 1, &err));
    source_close(s);
    vec_free(&b);
}

static void test_gzip(void **state)
{
    struct bytes b = small_pcap(true);
    (void)state;
    for (size_t at = 0; at <= b.n; at++)
        check_gzip(bytes_slice(&b), at, SLICE(""));
    check_gzip(bytes_slice(&b), 7, SLICE("\0\0\0\0\0\0"));
    check_gzip(bytes_slice(&b), 7, SLICE("\x1f"));
    check_gzip(bytes_slice(&b), 7, SLICE("garbage"));
    vec_free(&b);
}

/* More compressed bytes than are read at once, cut near the end. */
static void test_gzip_large(void **state)
{
    struct bytes plain = {.little = true}, b = {0}, packet = {0};
    struct source_frame f;
    struct err err;
    uint32_t random = 1;
    (void)state;
    while (packet.n < 2 * SOURCE_BUFFER)
        put8(&packet, (uint8_t)((random = random * 1664525 + 1013904223) >> 24));
    pcap_header(&plain, 0xa1b2c3d4, 1);
    pcap_record(&plain, 1, 0, bytes_slice(&packet), 0);
    pcap_record(&plain, 2, 0, bytes_slice(&packet), 0);
    put_gzip(&b, bytes_slice(&plain));
    assert_true(b.n > 3 * SOURCE_BUFFER);
    struct source *s = open_bytes(slice_first(bytes_slice(&b), b.n - 100), &err);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_slice_equal(f.bytes, bytes_slice(&packet));
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    assert_string_equal(source_stats(s)->truncated_at,
                        "record 2 at byte 524328 of the uncompressed data");
    source_close(s);
    vec_free(&plain);
    vec_free(&packet);
    vec_free(&b);
}

static void test_gzip_prefixes(void **state)
{
    struct bytes plain = small_pcap(true), b = {0};
    uint64_t most = 0;
    (void)state;
    put_gzip(&b, bytes_slice(&plain));
    for (size_t n = 0; n < b.n; n++) {
        struct source_frame f;
        struct err err = {""};
        struct source *s = open_bytes(slice_first(bytes_slice(&b), n), &err);
        if (!s) {
            assert_string_not_equal(err.text, "");
            continue;
        }
        while (next_frame(s, &f) == SOURCE_FRAME)
            continue;
        assert_true(source_stats(s)->truncated);
        assert_true(source_stats(s)->frames >= most);
        most = source_stats(s)->frames;
        source_close(s);
    }
    assert_int_equal(most, 2); /* all but the checksum is there */
    vec_free(&plain);
    vec_free(&b);
}

static void test_gzip_corrupt(void **state)
{
    struct bytes plain = small_pcap(true), b = {0};
    struct source_frame f;
    struct err err = {""};
    enum source_result result;
    (void)state;
    put_gzip(&b, bytes_slice(&plain));
    b.items[b.n - 5] ^= 1; /* of the checksum */
    struct source *s = open_bytes(bytes_slice(&b), &err);
    if (s) {
        while ((result = source_next(s, &f, &err)) == SOURCE_FRAME)
            continue;
        assert_int_equal(result, SOURCE_ERROR);
        source_close(s);
    }
    assert_non_null(strstr(err.text, "corrupt gzip data before byte"));
    assert_non_null(strstr(err.text, "incorrect data check"));
    vec_free(&plain);
    vec_free(&b);
}

static void write_slowly(int fd, struct slice content)
{
    for (size_t i = 0; i < content.n; i++)
        if (write(fd, content.p + i, 1) != 1)
            _exit(1);
    _exit(0);
}

/* The next frame of a live source, which is waited for. */
static enum source_result wait_frame(struct source *s, struct source_frame *f)
{
    enum source_result result;
    while ((result = next_frame(s, f)) == SOURCE_WAIT) {
        struct pollfd p = {.fd = source_fd(s), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 5000), 1);
    }
    return result;
}

static void check_pipe(struct slice content)
{
    int ends[2];
    struct source_frame f;
    struct err err;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        write_slowly(ends[1], content);
    close(ends[1]);
    struct source *s = source_open_fd("p", "-", ends[0], &err);
    assert_non_null(s);
    assert_true(source_stats(s)->live);
    assert_int_equal(wait_frame(s, &f), SOURCE_FRAME);
    assert_slice_equal(f.bytes, PING);
    assert_int_equal(f.offset, SOURCE_NO_OFFSET);
    assert_int_equal(wait_frame(s, &f), SOURCE_FRAME);
    assert_int_equal(wait_frame(s, &f), SOURCE_END);
    assert_int_equal(source_fd(s), -1);
    assert_int_equal(source_stats(s)->bytes_total, 0);
    assert_int_equal(source_stats(s)->bytes_read, content.n);
    source_close(s);
    waitpid(child, NULL, 0);
}

static void test_pipe(void **state)
{
    struct bytes plain = small_pcap(true), b = {0};
    (void)state;
    put_gzip(&b, bytes_slice(&plain));
    check_pipe(bytes_slice(&plain));
    check_pipe(bytes_slice(&b));
    vec_free(&plain);
    vec_free(&b);
}

static void test_no_capture_in_gzip(void **state)
{
    static const struct {
        struct slice content;
        const char *text;
    } cases[] = {
        {SLICE(""), "gzip of 0 bytes: empty"},
        {SLICE("hello, world"), "not a pcap or pcapng capture: it looks like gzip of text"},
        {SLICE("\x1f\x8b\x08\0"), "not a pcap or pcapng capture: it looks like gzip of gzip within "
                                  "gzip (unpack it first)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        struct err err = {""};
        put_gzip(&b, cases[i].content);
        assert_null(open_bytes(bytes_slice(&b), &err));
        assert_string_equal(without_path(&err), cases[i].text);
        vec_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip),          cmocka_unit_test(test_gzip_large),
        cmocka_unit_test(test_gzip_prefixes), cmocka_unit_test(test_gzip_corrupt),
        cmocka_unit_test(test_pipe),          cmocka_unit_test(test_no_capture_in_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* source/: captures that come bit by bit, commands, and capture filters that let fragments through.
 */
#include "capture.h"
#include "datagram.h"
#include "source/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

/* ---- bit by bit ------------------------------------------------------------------------------ */

static void write_frame(struct text *out, const struct source_frame *f)
{
    text_printf(out, "%u %u %d %lld %u %d:", f->number, f->interface, f->link_type,
                (long long)f->time_ns, f->length, (int)f->direction);
    for (size_t i = 0; i < f->bytes.n; i++)
        text_printf(out, "%02x", (uint8_t)f->bytes.p[i]);
    text_add_char(out, '\n');
}

/* Writes down all that can be read now; the result is what comes then. */
static enum source_result write_down(struct source *s, struct text *out)
{
    struct source_frame f;
    struct err err = {""};
    enum source_result result;
    while ((result = source_next(s, &f, &err)) == SOURCE_FRAME)
        write_frame(out, &f);
    if (result == SOURCE_ERROR)
        text_printf(out, "%s\n", err.text);
    if (result != SOURCE_WAIT)
        text_printf(out, "%s, blocks %llu, hosts %zu\n", source_stats(s)->truncated_at,
                    (unsigned long long)source_stats(s)->skipped_blocks, s->hosts.n);
    return result;
}

/* All of it there from the beginning; false: it is refused. */
static bool read_file(struct slice content, struct text *out)
{
    char path[64];
    struct err err;
    int fd = temporary(content, path);
    lseek(fd, 0, SEEK_SET);
    struct source *s = source_open_fd("p", "p", fd, &err);
    if (!s)
        return false;
    assert_int_not_equal(write_down(s, out), SOURCE_WAIT);
    source_close(s);
    return true;
}

/* In pieces of `step` bytes after the first `first`, all being read that is there before the next
 * comes; what is not whole must not be seen, nor lost. */
static enum source_result read_pieces(struct slice content, size_t first, size_t step,
                                      struct text *out)
{
    int ends[2];
    struct err err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct source *s = source_open_fd("p", "p", ends[0], &err);
    assert_non_null(s);
    enum source_result result = write_down(s, out);
    assert_int_equal(result, SOURCE_WAIT);
    while (content.n && result == SOURCE_WAIT) {
        struct slice piece = slice_first(content, first ? first : step);
        assert_int_equal(send(ends[1], piece.p, piece.n, MSG_NOSIGNAL), piece.n);
        content = slice_from(content, piece.n);
        first = 0;
        result = write_down(s, out);
    }
    close(ends[1]);
    if (result == SOURCE_WAIT)
        result = write_down(s, out);
    assert_int_equal(source_fd(s), -1);
    source_close(s);
    return result;
}

static void check_pieces(const char *name, struct slice content)
{
    struct text whole = {0}, pieces = {0};
    bool good = read_file(content, &whole);
    for (size_t first = 0; first < content.n; first++) {
        text_clear(&pieces);
        enum source_result result = read_pieces(content, first, first ? content.n : 1, &pieces);
        if (!good)
            assert_int_equal(result, SOURCE_ERROR);
        else if (strcmp(whole.p, pieces.p) != 0)
            fail_msg("%s, first %zu bytes: %s\ninstead of %s", name, first, pieces.p, whole.p);
    }
    text_free(&whole);
    text_free(&pieces);
}

static struct bytes content_of(const char *folder, const char *name)
{
    struct bytes b = {0};
    uint8_t buffer[4096];
    char path[512];
    ssize_t n;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        put(&b, buffer, (size_t)n);
    close(fd);
    return b;
}

/* Every kind of capture that the fuzz corpus has. */
static void test_pieces(void **state)
{
    static const char folder[] = "tests/fuzz/corpus/source";
    unsigned count = 0;
    (void)state;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        struct bytes b = content_of(folder, e->d_name);
        check_pieces(e->d_name, slice_first(bytes_slice(&b), 1500));
        vec_free(&b);
        count++;
    }
    closedir(d);
    assert_true(count >= 10);
}

/* A block that is passed over and longer than what is held, its length odd. */
static void test_long_block(void **state)
{
    struct bytes b = {.little = true}, body = {.little = true};
    struct text whole = {0}, pieces = {0};
    (void)state;
    put_times(&body, 7, SOURCE_BUFFER + 1001);
    section_block(&b);
    interface_block(&b, 1, 0, SLICE(""));
    block_end(&b, 0xbad, &body);
    enhanced_block(&b, 0, 1, PING, SLICE(""));
    assert_true(read_file(bytes_slice(&b), &whole));
    read_pieces(bytes_slice(&b), 0, 9973, &pieces);
    assert_string_equal(whole.p, pieces.p);
    assert_non_null(strstr(whole.p, "blocks 1"));
    text_free(&whole);
    text_free(&pieces);
    vec_free(&b);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* What is there when a pipe is told to end is still yielded; a record that never came whole is no
 * fault of the capture. */
static void test_stop(void **state)
{
    struct bytes b = small_pcap(true);
    struct text out = {0};
    int ends[2];
    struct err err;
    enum source_result result;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct source *s = source_open_fd("p", "-", ends[0], &err);
    assert_int_equal(write(ends[1], b.items, b.n - 1), b.n - 1);
    source_stop(s);
    int64_t before = source_clock_ms();
    while ((result = write_down(s, &out)) == SOURCE_WAIT)
        poll(NULL, 0, 10);
    assert_int_equal(result, SOURCE_END);
    assert_int_equal(source_stats(s)->frames, 1);
    assert_false(source_stats(s)->truncated);
    assert_in_range(source_clock_ms() - before, 100, 2000);
    close(ends[1]);
    source_close(s);
    text_free(&out);
    vec_free(&b);
}

/* ---- commands -------------------------------------------------------------------------------- */

static enum source_result run_command(struct source *s, struct text *out)
{
    enum source_result result;
    while ((result = write_down(s, out)) == SOURCE_WAIT) {
        struct pollfd p = {.fd = source_fd(s), .events = POLLIN};
        poll(&p, 1, 50);
    }
    return result;
}

static void test_command_ends(void **state)
{
    static const struct {
        const char *command;
        unsigned frames;
        const char *remark; /* or, where there are no frames, the error */
    } cases[] = {
        {"cat $CAPTURE", 2, NULL},
        {"gzip -c $CAPTURE", 2, NULL},
        {"head -c 50 $CAPTURE; sleep 0.1; tail -c +51 $CAPTURE", 2, NULL},
        {"(sleep 0.2; cat $CAPTURE) &", 2, NULL},
        {"cat $CAPTURE; echo 1 >&2; echo >&2; echo 2 >&2; exit 3", 2,
         "the command ended with status 3: 1; 2"},
        {"cat $CAPTURE; kill -KILL $$", 2, "the command was ended by signal 9 (Killed)"},
        {"cat $CAPTURE; yes | head -c 200000 >&2", 2, NULL},
        {"cat $CAPTURE; exec >&-; sleep 100", 2, NULL},
        {"exit 1", 0, "cmd:exit 1: no capture: the command ended with status 1"},
        {"nO-sUcH 2>/dev/null", 0,
         "cmd:nO-sUcH 2>/dev/null: no capture: the command ended with status 127"},
        {":", 0, "cmd::: no capture: the command ended with status 0"},
        {"echo what; exit 1", 0,
         "cmd:echo what; exit 1: no capture: the command ended with status 1"},
        {"echo what; sleep 100", 0,
         "cmd:echo what; sleep 100: not a pcap or pcapng capture: it looks like text"},
    };
    struct bytes b = small_pcap(true);
    char path[64], mine[96];
    (void)state;
    int fd = temporary(bytes_slice(&b), path);
    snprintf(mine, sizeof mine, "/proc/%d/fd/%d", (int)getpid(), fd);
    setenv("CAPTURE", mine, 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char spec[256];
        struct text out = {0};
        struct err err = {""};
        snprintf(spec, sizeof spec, "cmd:%s", cases[i].command);
        struct source *s = source_open("p", spec, &err);
        assert_non_null(s);
        enum source_result result = run_command(s, &out);
        assert_int_equal(result, cases[i].frames ? SOURCE_END : SOURCE_ERROR);
        assert_int_equal(source_stats(s)->frames, cases[i].frames);
        if (!cases[i].frames)
            assert_non_null(strstr(out.p, cases[i].remark));
        else if (cases[i].remark)
            assert_string_equal(source_stats(s)->remark, cases[i].remark);
        source_close(s);
        text_free(&out);
    }
    close(fd);
    vec_free(&b);
}

/* ---- filters --------------------------------------------------------------------------------- */

static void test_widened(void **state)
{
    static const struct {
        const char *expression;
        bool widened;
    } cases[] = {
        {"port 5060", true},
        {"udp portrange 5060-5080 and host 10.0.0.1", true},
        {"dst port sip", true},
        {"udp[8:4] = 0x494e5649", true},
        {"tcp [13] & 2 != 0", true},
        {"(port 5060)", true},
        {"udp", false},
        {"host 10.0.0.1", false},
        {"ip[6:2] & 0x1fff != 0", false},
        {"", false},
        {"ether proto 0x88cc", false},
    };
    struct bytes b = small_pcap(true);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_true(source_filter(s, cases[i].expression, &err));
        if ((source_widened(s) != NULL) != cases[i].widened)
            fail_msg("%s: %s", cases[i].expression, source_widened(s));
        source_close(s);
    }
    vec_free(&b);
}

/* Of both kinds of IP, the first fragment is held against the expression, the later ones pass. */
static void test_fragments_pass(void **state)
{
    static const struct {
        const char *expression;
        unsigned passed;
    } cases[] = {{"port 5060", 4}, {"port 9", 3}, {"not port 9", 4}, {"host 9.9.9.9", 0}};
    struct bytes b = {.little = true}, packets[4] = {{0}};
    (void)state;
    put_ipv4(&packets[0], 20 + 8 + 8, 7, 0x2000, 17);
    put_udp(&packets[0], SLICE("12345678"), 100);
    put_ipv4(&packets[1], 20 + 8, 7, 2, 17);
    put_slice(&packets[1], SLICE("12345678"));
    for (size_t i = 2; i < 4; i++) {
        put_ipv6(&packets[i], 8 + 8, 44);
        put_slice(&packets[i], i == 2 ? SLICE("\x11\0\0\1\0\0\0\7") : SLICE("\x11\0\0\x8\0\0\0\7"));
        put_slice(&packets[i], SLICE("12345678"));
    }
    pcap_header(&b, 0xa1b2c3d4, 101);
    for (size_t i = 0; i < COUNT(packets); i++)
        pcap_record(&b, 1, 0, bytes_slice(&packets[i]), (uint32_t)packets[i].n);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        struct text out = {0};
        struct source *s = open_bytes(bytes_slice(&b), &err);
        assert_true(source_filter(s, cases[i].expression, &err));
        write_down(s, &out);
        assert_int_equal(source_stats(s)->frames, cases[i].passed);
        source_close(s);
        text_free(&out);
    }
    for (size_t i = 0; i < COUNT(packets); i++)
        vec_free(&packets[i]);
    vec_free(&b);
}

static void test_refused(void **state)
{
    static const struct {
        const char *spec, *error;
    } cases[] = {
        {"iface:", "iface:: an interface is missing: iface:NAME"},
        {"cmd:", "cmd:: a command is missing: cmd:COMMAND"},
        {"cmd:  ", "cmd:  : a command is missing: cmd:COMMAND"},
        {"iface:no-such", "iface:no-such: no such interface; there are: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        assert_null(source_open("p", cases[i].spec, &err));
        assert_non_null(strstr(err.text, cases[i].error));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),  cmocka_unit_test(test_long_block),
        cmocka_unit_test(test_stop),    cmocka_unit_test(test_command_ends),

        cmocka_unit_test(test_widened), cmocka_unit_test(test_fragments_pass),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* source/capture_out: what is written is read again as it was, by our own reader and by others; a
 * file that takes no more ends with a whole record. */
#include "capture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define SECOND 1000000000ll

static int file_of(char path[64])
{
    return temporary(SLICE(""), path);
}

/* One packet of a capture. */
struct packet {
    size_t interface;
    int64_t time_ns;
    size_t n;
    uint32_t length;
    enum source_direction direction;
};

static const struct packet packets[] = {
    {0, 1700000000 * SECOND + 123456789, 60, 60, SOURCE_IN},
    {1, 1700000000 * SECOND + 123456790, 61, 1500, SOURCE_OUT},
    {0, 1700000001 * SECOND, 0, 9, SOURCE_UNKNOWN},
    {1, 1, 63, 63, SOURCE_IN},
    {0, 0, 3000, 3000, SOURCE_UNKNOWN},
    {0, 4102444800 * SECOND + 999999999, 1, 1, SOURCE_OUT},
};

static char content[4096];

static void add_packet(struct capture_out *o, const struct packet *p, uint32_t interface)
{
    const struct slice comments[] = {SLICE("BYE: kam1 strips X-Queue"), SLICE("bad\xff\n\x1b[2J")};
    struct err err;
    struct capture_out_packet out = {interface, p->time_ns,   {content + p->interface, p->n},
                                     p->length, p->direction, comments,
                                     p->n % 3};
    assert_true(capture_out_packet(o, &out, &err));
}

static uint32_t add_interface(struct capture_out *o, const char *name, int link_type)
{
    const struct address addresses[] = {address_of(4, (const uint8_t *)"\x0a\x00\x01\x01"),
                                        address_of(6, (const uint8_t *)"0123456789abcdef")};
    struct capture_out_interface i = {slice_of(name), SLICE("iface:eth0"), link_type, addresses, 2};
    struct err err;
    uint32_t id;
    assert_true(capture_out_interface(o, &i, &id, &err));
    return id;
}

static void assert_frames(const char *path, enum capture_format format, const int *links)
{
    struct err err = {""};
    struct source *s = source_open("p", path, &err);
    struct source_frame f;
    assert_non_null(s);
    for (size_t i = 0; i < COUNT(packets); i++) {
        const struct packet *p = &packets[i];
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_slice_equal(f.bytes, ((struct slice){content + p->interface, p->n}));
        assert_int_equal(f.time_ns, p->time_ns);
        assert_int_equal(f.length, p->length);
        assert_int_equal(f.link_type, links[p->interface]);
        if (format == CAPTURE_PCAPNG) {
            assert_int_equal(f.interface, p->interface);
            assert_int_equal(f.direction, p->direction);
        }
    }
    assert_int_equal(next_frame(s, &f), SOURCE_END);
    assert_false(source_stats(s)->truncated);
    source_close(s);
}

static void test_round_trip(void **state)
{
    static const int other[] = {1, 276}, same[] = {113, 113};
    (void)state;
    for (enum capture_format format = CAPTURE_PCAPNG; format <= CAPTURE_PCAP; format++) {
        const int *links = format == CAPTURE_PCAPNG ? other : same;
        char path[64];
        struct err err;
        uint64_t left = 1;
        int fd = file_of(path);
        struct capture_out *o = capture_out_new(format, dup(fd), path);
        uint32_t ids[2];
        for (size_t i = 0; i < 2; i++)
            ids[i] = add_interface(o, i ? "kam2" : "kam1", links[i]);
        for (size_t i = 0; i < COUNT(packets); i++)
            add_packet(o, &packets[i], ids[packets[i].interface]);
        capture_out_counts(o, 0, 17, 4, SECOND);
        assert_int_equal(capture_out_packets(o), COUNT(packets));
        uint64_t bytes = capture_out_bytes(o);
        assert_true(capture_out_close(o, true, &left, &err));
        assert_int_equal(left, 0);
        assert_int_equal(lseek(fd, 0, SEEK_END), bytes);
        assert_frames(path, format, links);
        close(fd);
    }
}

/* What the capture says beside its packets. */
static void test_secrets_and_hosts(void **state)
{
    char path[64];
    struct err err;
    struct source_frame f;
    const struct slice *secrets;
    const struct source_host_address *hosts;
    int fd = file_of(path);
    struct capture_out *o = capture_out_new(CAPTURE_PCAPNG, dup(fd), path);
    (void)state;
    add_interface(o, "kam1", 1);
    capture_out_secrets(o, SLICE("CLIENT_RANDOM 00 11\n"));
    capture_out_secrets(o, SLICE(""));
    add_packet(o, &packets[0], 0);
    assert_true(capture_out_close(o, false, NULL, &err));
    struct source *s = source_open("p", path, &err);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_int_equal(source_secrets(s, &secrets), 1);
    assert_slice_equal(secrets[0], SLICE("CLIENT_RANDOM 00 11\n"));
    assert_int_equal(source_host_addresses(s, &hosts), 2);
    assert_string_equal(address_format(&hosts[0].ip).s, "10.0.1.1");
    assert_string_equal(address_format(&hosts[1].ip).s, "3031:3233:3435:3637:3839:6162:6364:6566");
    source_close(s);
    close(fd);
}

/* Comments and secrets are put in afterwards; the packets stay what they were. */
static void test_annotate(void **state)
{
    static const int links[] = {1, 276};
    static const struct capture_note notes[] = {
        {0, SLICE("first")}, {0, SLICE("again")}, {2, SLICE("bad\xff\n")}, {5, SLICE("last")}};
    char path[64], noted[64];
    struct err err;
    struct source_frame f;
    const struct slice *secrets;
    int from = file_of(path), to = file_of(noted);
    struct capture_out *o = capture_out_new(CAPTURE_PCAPNG, dup(from), path);
    (void)state;
    add_interface(o, "kam1", 1);
    add_interface(o, "kam2", 276);
    for (size_t i = 0; i < COUNT(packets); i++)
        add_packet(o, &packets[i], (uint32_t)packets[i].interface);
    capture_out_secrets(o, SLICE("late"));
    assert_true(capture_out_close(o, true, NULL, &err));
    uint64_t before = (uint64_t)lseek(from, 0, SEEK_CUR);
    lseek(from, 0, SEEK_SET);
    assert_true(capture_annotate(from, to, noted, notes, COUNT(notes), SLICE("early"), &err));
    assert_frames(noted, CAPTURE_PCAPNG, links);
    assert_true((uint64_t)lseek(to, 0, SEEK_END) > before + 4 * 12);
    struct source *s = source_open("p", noted, &err);
    assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
    assert_int_equal(source_secrets(s, &secrets), 1);
    assert_slice_equal(secrets[0], SLICE("early"));
    source_close(s);
    close(from);
    close(to);
}

static void test_one_link_type(void **state)
{
    char path[64];
    struct err err;
    uint32_t id;
    int fd = file_of(path);
    struct capture_out *o = capture_out_new(CAPTURE_PCAP, fd, "out.pcap");
    struct capture_out_interface other = {.name = SLICE("b"), .link_type = 113};
    (void)state;
    add_interface(o, "a", 1);
    assert_false(capture_out_interface(o, &other, &id, &err));
    assert_string_equal(err.text, "out.pcap: pcap holds packets of one link type, here are EN10MB "
                                  "and LINUX_SLL: pcapng holds both");
    assert_true(capture_out_close(o, false, NULL, &err));
}

static void test_empty(void **state)
{
    (void)state;
    for (enum capture_format format = CAPTURE_PCAPNG; format <= CAPTURE_PCAP; format++) {
        char path[64];
        struct err err;
        struct source_frame f;
        int fd = file_of(path);
        assert_true(capture_out_close(capture_out_new(format, dup(fd), path), false, NULL, &err));
        struct source *s = source_open("p", path, &err);
        assert_non_null(s);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        source_close(s);
        close(fd);
    }
}

/* ---- files that take no more ------------------------------------------------------------------
 */

static uint64_t count_frames(const char *path)
{
    struct err err;
    struct source_frame f;
    struct source *s = source_open("p", path, &err);
    uint64_t n = 0;
    assert_non_null(s);
    while (next_frame(s, &f) == SOURCE_FRAME)
        n++;
    assert_false(source_stats(s)->truncated);
    source_close(s);
    return n;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static uint64_t add_until_refused(struct capture_out *o, struct err *err)
{
    const struct capture_out_packet p = {.bytes = {content, 1000}, .length = 1000};
    uint64_t n = 0;
    while (n < 10000 && capture_out_packet(o, &p, err))
        n++;
    return n;
}

/* Whatever the place at which the disk is full: whole records only, and none is lost that was taken
 * once there is room again. */
static void test_disk_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        enum capture_format format = i % 2;
        char path[64] = "/tmp/sipxray-capture-XXXXXX";
        struct err err = {""};
        uint64_t left;
        int fd = mkstemp(path);
        struct capture_out *o = capture_out_new(format, dup(fd), "out");
        add_interface(o, "a", 1);
        limit_files(100000 + i * 61);
        uint64_t taken = add_until_refused(o, &err);
        assert_in_range(taken, 1000, 2000);
        assert_string_equal(err.text, "out: File too large");
        assert_non_null(capture_out_error(o));
        uint64_t there = count_frames(path);
        assert_in_range(there, 90, 105);
        if (i < 20) {
            limit_files(RLIM_INFINITY);
            assert_true(capture_out_flush(o, &err));
            assert_null(capture_out_error(o));
            assert_true(capture_out_close(o, false, &left, &err));
            assert_int_equal(count_frames(path), taken);
        } else {
            assert_false(capture_out_close(o, false, &left, &err));
            assert_int_equal(count_frames(path), there);
            assert_int_equal(left, taken - there);
        }
        limit_files(RLIM_INFINITY);
        unlink(path);
        close(fd);
    }
}

static void test_closed_pipe(void **state)
{
    int ends[2];
    struct err err = {""};
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    struct capture_out *o = capture_out_new(CAPTURE_PCAPNG, ends[1], "standard output");
    add_interface(o, "a", 1);
    close(ends[0]);
    assert_true(add_until_refused(o, &err) < 2000);
    assert_string_equal(err.text, "standard output: Broken pipe");
    assert_false(capture_out_close(o, false, NULL, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_secrets_and_hosts),
        cmocka_unit_test(test_one_link_type), cmocka_unit_test(test_annotate),
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_closed_pipe),
    };
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7 + i / 256);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* packet/stream.c: what is held of a stream, what its reader is asked, and the frames of what it
 * takes. */
#include "packet/stream.h"

#include "bytes.h"
#include "unit.h"

#include <stdio.h>

/* A reader that does as it is told, and writes down what it was offered. */
struct reader {
    size_t takes[8]; /* of each offer */
    size_t wants[8];
    unsigned offers;
    char log[400];
    size_t from, n; /* the payload that it makes of each window, where n */
};

static size_t read_window(void *context, const struct packet_window *w)
{
    static const char *const afters[] = {"", "!gap", "!cut", "!full", "!end"};
    struct reader *r = context;
    struct packet_payload p;
    size_t at = strlen(r->log);
    at += (size_t)snprintf(r->log + at, sizeof r->log - at, "%s%.*s%s", w->joined ? "~" : "",
                           w->bytes.n > 40 ? 3 : (int)w->bytes.n, w->bytes.n ? w->bytes.p : "",
                           afters[w->after]);
    if (r->n && w->bytes.n >= r->from + r->n) {
        packet_window_payload(w, r->from, r->n, &p);
        assert_int_equal(p.bytes.n, r->n);
        for (size_t i = 0; i < p.frame_count; i++)
            at += (size_t)snprintf(r->log + at, sizeof r->log - at, "%c%u", i ? ',' : '@',
                                   p.frames[i]);
        at += (size_t)snprintf(r->log + at, sizeof r->log - at, "t%d", (int)p.time_ns);
        if (p.offset != SOURCE_NO_OFFSET)
            at += (size_t)snprintf(r->log + at, sizeof r->log - at, "o%d", (int)p.offset);
    }
    snprintf(r->log + at, sizeof r->log - at, " ");
    assert_true(r->offers < COUNT(r->takes));
    *w->want = r->wants[r->offers];
    return r->takes[r->offers++];
}

static void no_datagram(void *context, const struct packet_payload *payload)
{
    (void)context;
    (void)payload;
    fail_msg("a datagram");
}

struct rig {
    struct reader reader;
    struct packet_decoder *decoder;
    struct packet_stream stream;
};

static void rig_begin(struct rig *rig)
{
    const struct hash_key key = hash_key_of(1, 2);
    const struct packet_sinks sinks = {no_datagram, read_window, &rig->reader};
    static const struct endpoint ends[2] = {{{4, {10}}, 1}, {{4, {11}}, 2}};
    *rig = (struct rig){0};
    rig->decoder = packet_decoder_new(&key, &sinks, NULL);
    packet_stream_init(&rig->stream, rig->decoder, PACKET_TCP, &ends[0], &ends[1]);
}

static void rig_end(struct rig *rig)
{
    packet_stream_close(&rig->stream);
    assert_int_equal(rig->decoder->stream_bytes, 0);
    packet_decoder_free(rig->decoder);
}

/* Bytes of one frame, at an offset of a hundred times its number. */
static void push(struct rig *rig, uint32_t frame, const char *text)
{
    struct slice bytes = slice_of(text);
    struct packet_part part = {0, bytes.n, frame * 100, frame * 10, frame, 0, 0, SOURCE_IN};
    packet_stream_push(&rig->stream, 0, bytes, &part, 1);
}

static void check(const struct rig *rig, const char *log)
{
    assert_string_equal(rig->reader.log, log);
}

static void test_held(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig.reader = (struct reader){.takes = {0, 3, 0, 2}};
    push(&rig, 1, "ab");
    assert_int_equal(rig.stream.half[0].n, 2);
    push(&rig, 2, "cde");
    assert_int_equal(rig.stream.half[0].n, 2);
    push(&rig, 3, "f");
    check(&rig, "ab abcde de def f ");
    rig.reader.takes[5] = 1;
    packet_stream_end(&rig.stream, 0);
    check(&rig, "ab abcde de def f f!end !end ");
    assert_int_equal(rig.decoder->stats.stream_lost, 0);
    rig_end(&rig);
}

static void test_want(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    rig.reader = (struct reader){.takes = {0, 4}, .wants = {4}};
    push(&rig, 1, "a");
    push(&rig, 2, "b");
    push(&rig, 3, "c");
    check(&rig, "a ");
    push(&rig, 4, "de");
    check(&rig, "a abcde e ");
    rig_end(&rig);
    rig_begin(&rig);
    rig.reader = (struct reader){.wants = {9}};
    push(&rig, 1, "ab");
    packet_stream_hole(&rig.stream, 0, PACKET_GAP, 5);
    check(&rig, "ab ab!gap ");
    assert_int_equal(rig.decoder->stats.stream_lost, 2);
    push(&rig, 2, "c");
    check(&rig, "ab ab!gap c ");
    rig_end(&rig);
}

static void test_payload(void **state)
{
    static const struct {
        size_t first_takes; /* of "abcdef", of frame 5; then "ghi" of frame 3 and "jkl" of 9 */
        size_t from, n;
        const char *log;
    } cases[] = {
        {0, 0, 2, "abcdef@5t50o500 abcdefghi@5t50o500 abcdefghijkl@5t50o500 "},
        {0, 5, 1, "abcdef@5t50o505 abcdefghi@5t50o505 abcdefghijkl@5t50o505 "},
        {0, 5, 2, "abcdef abcdefghi@3,5t50 abcdefghijkl@3,5t50 "},
        {0, 6, 3, "abcdef abcdefghi@3t30o300 abcdefghijkl@3t30o300 "},
        {0, 4, 7, "abcdef abcdefghi abcdefghijkl@3,5,9t90 "},
        {4, 0, 2, "abcdef@5t50o500 ef@5t50o504 efghi@5t50o504 efghijkl@5t50o504 "},
        {4, 1, 2, "abcdef@5t50o501 ef efghi@3,5t50 efghijkl@3,5t50 "},
        {4, 7, 1, "abcdef ef efghi efghijkl@9t90o902 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rig rig;
        rig_begin(&rig);
        rig.reader = (struct reader){
            .takes = {cases[i].first_takes}, .from = cases[i].from, .n = cases[i].n};
        push(&rig, 5, "abcdef");
        push(&rig, 3, "ghi");
        push(&rig, 9, "jkl");
        check(&rig, cases[i].log);
        rig.reader.n = 0;
        rig_end(&rig);
    }
}

/* A byte that needs several frames, as in a TLS record, names them all. */
static void test_shared_parts(void **state)
{
    struct rig rig;
    static const struct packet_part parts[] = {
        {0, 4, SOURCE_NO_OFFSET, 70, 7, 0, 0, SOURCE_IN},
        {0, 4, SOURCE_NO_OFFSET, 60, 6, 0, 0, SOURCE_IN},
    };
    (void)state;
    rig_begin(&rig);
    rig.reader = (struct reader){.takes = {1, 0, 3}, .from = 1, .n = 1};
    push(&rig, 1, "ab");
    packet_stream_push(&rig.stream, 0, SLICE("cdef"), parts, 2);
    check(&rig, "ab@1t10o101 b bcdef@6,7t70 ef@6,7t70 ");
    rig.reader.n = 0;
    rig_end(&rig);
}

static void test_beginnings(void **state)
{
    struct rig rig;
    (void)state;
    rig_begin(&rig);
    packet_stream_hole(&rig.stream, 0, PACKET_GAP, 7);
    check(&rig, "");
    push(&rig, 1, "a");
    check(&rig, "~a ");
    packet_stream_push(&rig.stream, 1, SLICE("b"), &(struct packet_part){.end = 1, .frame = 2}, 1);
    check(&rig, "~a b ");
    rig_end(&rig);
    rig_begin(&rig);
    packet_stream_joined(&rig.stream);
    push(&rig, 1, "a");
    packet_stream_close(&rig.stream);
    check(&rig, "~a ~a!end ~!end ");
    push(&rig, 2, "b");
    check(&rig, "~a ~a!end ~!end ");
    rig_end(&rig);
}

static void test_begins(void **state)
{
    static const struct {
        struct slice bytes;
        bool begins;
    } cases[] = {
        {SLICE("INVITE sip:a SIP/2.0\r\n"), true},
        {SLICE("SIP/2.0 200 OK"), true},
        {SLICE("INVITE sip:a SIP/2.0"), true},
        {SLICE("INVITE sip:a"), true},
        {SLICE("INVITE sip:a\r\n"), false},
        {SLICE("INVITE sip:a\n"), false},
        {SLICE("NVITE sip:a SIP/2.0\r\n"), false},
        {SLICE("NVITE"), false},
        {SLICE("INVITE "), true},
        {SLICE("I"), true},
        {SLICE("INVITE"), true},
        {SLICE("INVITE\r\n"), false},
        {SLICE("GET / HTTP/1.1\r\n"), true},
        {SLICE("HTTP/1.1 101 S"), true},
        {SLICE("HTTP/1"), true},
        {SLICE("SIP"), true},
        {SLICE("SIP/2.0"), true},
        {SLICE("SIP/2.0 "), true},
        {SLICE("SIP/2.0/TCP 10.0.0.1;branch=x\r\n"), false},
        {SLICE("SIP/2.0/"), false},
        {SLICE("IP/2.0/TCP 10.0.0.1"), false},
        {SLICE("TCP 10.0.0.1"), false},
        {SLICE("TCP kam1.example;branch=x\r\n"), false},
        {SLICE("TCP\r\n"), false},
        {SLICE("IN IP4 10.0.0.1\r\n"), false},
        {SLICE("\r\n\r\n"), true},
        {SLICE("\r\nVia: x"), false},
        {SLICE("\x16\3\1\2\0"), true},
        {SLICE("\x16"), true},
        {SLICE("\x16\x16"), false},
        {SLICE("HEP3\1\2"), true},
        {SLICE("\x81\x05hello"), true},
        {SLICE("Via: x"), false},
        {SLICE("X-A: b"), false},
        {SLICE("v=0\r\n"), false},
        {SLICE(""), false},
        {SLICE(": x"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (packet_stream_begins(cases[i].bytes) != cases[i].begins)
            fail_msg("case %zu", i);
}

static void test_late(void **state)
{
    struct rig rig;
    static const struct packet_part part = {0, 4, 1, 1, 1, 0, 0, SOURCE_IN};
    (void)state;
    rig_begin(&rig);
    rig.reader = (struct reader){.takes = {3, 4, 3}};
    push(&rig, 5, "abc");
    assert_true(packet_stream_late(&rig.stream, 0, SLICE("BYE "), &part, 1, false));
    assert_false(packet_stream_late(&rig.stream, 0, SLICE("bye "), &part, 1, false));
    assert_true(packet_stream_late(&rig.stream, 0, SLICE("BYE "), &part, 1, false));
    check(&rig, "abc BYE  BYE     !gap ");
    assert_true(packet_stream_late(&rig.stream, 0, SLICE("ACK "), &part, 1, true));
    assert_false(packet_stream_late(&rig.stream, 0, SLICE("BYE "), &part, 1, true));
    check(&rig, "abc BYE  BYE     !gap ACK  ");
    rig_end(&rig);
}

/* More than may be held is offered once more, and dropped. */
static void test_full(void **state)
{
    struct rig rig;
    static char much[PACKET_STREAM_BYTES];
    static const struct packet_part part = {.end = sizeof much - 1, .frame = 1};
    (void)state;
    memset(much, 'x', sizeof much);
    rig_begin(&rig);
    packet_stream_push(&rig.stream, 0, (struct slice){much, sizeof much - 1}, &part, 1);
    check(&rig, "xxx ");
    push(&rig, 2, "y");
    check(&rig, "xxx xxx xxx!full ");
    assert_int_equal(rig.decoder->stats.stream_full, 1);
    assert_int_equal(rig.decoder->stats.stream_lost, sizeof much);
    push(&rig, 3, "z");
    check(&rig, "xxx xxx xxx!full z ");
    rig_end(&rig);
    rig_begin(&rig);
    rig.reader.wants[0] = SIZE_MAX;
    for (uint32_t i = 0; i <= PACKET_STREAM_PARTS; i++)
        push(&rig, i + 1, "x");
    check(&rig, "x xxx!full ");
    assert_int_equal(rig.decoder->stats.stream_lost, PACKET_STREAM_PARTS + 1);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held),       cmocka_unit_test(test_want),
        cmocka_unit_test(test_payload),    cmocka_unit_test(test_shared_parts),
        cmocka_unit_test(test_beginnings), cmocka_unit_test(test_begins),
        cmocka_unit_test(test_late),       cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sip/framing where bytes of a stream are missing, or more come than are held. */
#include "streamed.h"

#include <stdio.h>

#define HEAD(id, method)                                                                           \
    "Via: SIP/2.0/TCP a;branch=z9hG4bK" id "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"        \
    "Call-ID: " id "\r\nCSeq: 1 " method "\r\n"
#define OPEN(id, method)  method " sip:b@c SIP/2.0\r\n" HEAD(id, method)
#define BARE(id)          OPEN(id, "BYE") "Content-Length: 0\r\n\r\n"
#define BODY(id, type, n) OPEN(id, "INFO") "Content-Type: " type "\r\nContent-Length: " n "\r\n\r\n"
#define TEXT(id, n)       BODY(id, "text/plain", n)

#define GAP(n)                                                                                     \
    {                                                                                              \
        SLICE(""), SIP_AFTER_GAP, n                                                                \
    }
#define CUT(n)                                                                                     \
    {                                                                                              \
        SLICE(""), SIP_AFTER_CUT, n                                                                \
    }
#define IS(s)                                                                                      \
    {                                                                                              \
        SLICE(s), SIP_AFTER_MORE, 0                                                                \
    }

struct step {
    struct slice bytes;
    enum sip_after after;
    uint64_t missing;
};

static const struct {
    const char *name;
    struct step steps[6];
    const char *said;
    uint32_t stray;
    bool joined;
} cases[] = {
    {"between messages",
     {IS(BARE("1")), GAP(50), IS(BARE("2"))},
     "BYE 1 whole 0\nBYE 2 whole 0\n",
     0,
     false},
    {"before the first", {GAP(50), IS(BARE("2"))}, "BYE 2 whole 0\n", 0, false},
    {"in a body",
     {IS(TEXT("1", "10") "hel"), GAP(4), IS("rld" BARE("2") BARE("3"))},
     "INFO 1 gap 3\nBYE 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"in a body, twice",
     {IS(TEXT("1", "10") "h"), GAP(2), IS("l"), GAP(3), IS("rld" BARE("2"))},
     "INFO 1 gap 1\nBYE 2 whole 0\n",
     0,
     false},
    {"in a body, more than it",
     {IS(TEXT("1", "10") "hel"), GAP(40), IS("Q: 2\r\n\r\n" BARE("2"))},
     "INFO 1 gap 3\nBYE 2 whole 0\n",
     0,
     false},
    {"in a body, its end",
     {IS(TEXT("1", "10") "hel"), GAP(7), IS(BARE("2"))},
     "INFO 1 gap 3\nBYE 2 whole 0\n",
     0,
     false},
    {"in a body, unknown size",
     {IS(TEXT("1", "10") "hel"), GAP(0), IS("rld" BARE("2"))},
     "INFO 1 gap 3\nBYE 2 whole 0\n",
     0,
     false},
    {"in a body that has SIP",
     {IS(BODY("1", "message/sipfrag", "58") "SIP"), GAP(4),
      IS("0 200 OK\r\n"
         "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;br\r\n\r\n" BARE("2"))},
     "INFO 1 gap 3\nBYE 2 whole 0\n",
     0,
     false},
    {"after a length that lies",
     {IS(TEXT("1", "900") "hello\r\n"), GAP(9), IS(BARE("2") BARE("3"))},
     "INFO 1 gap 7\nBYE 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"after a lie that shows",
     {IS(TEXT("1", "900") "hello\r\n" BARE("2")), GAP(9), IS(BARE("3"))},
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"in the headers",
     {IS(OPEN("1", "BYE") "X-Que"), GAP(20), IS("l: 0\r\n\r\n" BARE("2"))},
     "BYE 1 gap in headers 0\nBYE 2 whole 0\n",
     0,
     false},
    {"in the start line",
     {IS(BARE("1") "BYE sip:b@"), GAP(20), IS("To: a\r\n\r\n" BARE("2"))},
     "BYE 1 whole 0\nBYE 2 whole 0\n",
     0,
     false},
    {"by the snap length",
     {IS(OPEN("1", "BYE")), CUT(20), IS(BARE("2")), CUT(3), IS(BARE("3"))},
     "BYE 1 cut in headers 0\nBYE 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"by the snap length, a body",
     {IS(TEXT("1", "10") "hel"), CUT(7), IS(BARE("2"))},
     "INFO 1 cut 3\nBYE 2 whole 0\n",
     0,
     false},
    {"no length",
     {IS(OPEN("1", "INFO") "c: text/plain\r\n\r\nhel"), GAP(3), IS("lo\r\n" BARE("2"))},
     "INFO 1 gap 3, no Content-Length on a stream\nBYE 2 whole 0\n",
     0,
     false},
    {"a lie whose end is cut",
     {IS(TEXT("1", "24") "hello\r\n" OPEN("2", "BYE") "X: "), GAP(0)},
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 gap in headers 0\n",
     0,
     false},
    {"joined, then a hole",
     {IS("v=0\r\n"), GAP(9), IS("t=0\r\n" BARE("1") BARE("2"))},
     "BYE 1 midstream 0\nBYE 2 whole 0\n",
     0,
     true},
    {"joined in a body",
     {IS("0-9BYE sip:b@c SIP/2.0\r\n" HEAD("1", "BYE") "l: 0\r\n\r\n")},
     "BYE 1 midstream 0\n",
     0,
     true},
    {"joined in a method",
     {IS("NVITE sip:b@c SIP/2.0\r\n" HEAD("1", "INVITE") "l: 0\r\n\r\n" BARE("2"))},
     "BYE 2 midstream 0\n",
     0,
     true},
    {"joined at the end of a method",
     {IS(OPEN("1", "VITE") "l: 0\r\n\r\n" BARE("2"))},
     "BYE 2 midstream 0\n",
     0,
     true},
    {"in a method",
     {IS(BARE("1")), GAP(1), IS("YE sip:b@c SIP/2.0\r\n" HEAD("2", "BYE") "\r\n" BARE("3"))},
     "BYE 1 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"before a method that nobody knows",
     {IS(BARE("1")), GAP(9), IS(OPEN("2", "PING") "l: 0\r\n\r\n"), GAP(9), IS(BARE("3"))},
     "BYE 1 whole 0\nPING 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    {"before a method that another ends with",
     {IS("x\r\n"), GAP(9), IS(OPEN("1", "ACK") "l: 0\r\n\r\n")},
     "ACK 1 whole 0\n",
     3,
     false},
    {"in a body, of which the next message is a part",
     {IS(TEXT("1", "12") "hel"), GAP(2), IS("lo\r\n" BARE("2") BARE("3"))},
     "INFO 1 gap 3\nBYE 2 whole 0\nBYE 3 whole 0\n",
     0,
     false},
    /* no holes, but no line's beginning either */
    {"in a line", {IS("x\r\nVia: a\xff\xff" BARE("1"))}, "BYE 1 whole 0\n", 11, false},
    {"after a word",
     {IS("x\0"
         "42-" BARE("1"))},
     "BYE 1 whole 0\n",
     5,
     false},
    {"after many",
     {IS("Via: a b c\xfeINFO x"
         "y z\xfe" BARE("1"))},
     "BYE 1 whole 0\n",
     21,
     false},
    {"a response in a line",
     {IS("a b c\xfeSIP/2.0 200 OK\r\n" HEAD("1", "BYE") "l: 0\r\n\r\n")},
     "200 1 whole 0\n",
     6,
     false},
    {"in text of SIP",
     {IS(BARE("1")), IS("[a] lineBYE sip:b@c SIP/2.0\r\n" HEAD("2", "BYE") "l: 0\r\n\r\n")},
     "BYE 1 whole 0\nBYE 2 whole 0\n",
     8,
     false},
    {"a version within a URI",
     {IS(BARE("1")), IS("\nBYE sip:b@cSIP/2.0 SIP/2.0\r\n" HEAD("2", "BYE") "l: 0\r\n\r\n")},
     "BYE 1 whole 0\nBYE 2 whole 0\n",
     0,
     false},
    {"a version within a URI, searched",
     {IS(BARE("1")), IS("[\nBYE sip:b@cSIP/2.0 SIP/2.0\r\n" HEAD("2", "BYE") "l: 0\r\n\r\n")},
     "BYE 1 whole 0\nBYE 2 whole 0\n",
     2,
     false},
};

static void run_steps(struct stream *st, const struct step *steps, size_t n, size_t size)
{
    for (size_t i = 0; i < n && (steps[i].bytes.n || steps[i].after != SIP_AFTER_MORE); i++) {
        if (steps[i].after != SIP_AFTER_MORE)
            stream_hole(st, steps[i].after, steps[i].missing);
        for (struct slice rest = steps[i].bytes; rest.n; rest = slice_from(rest, size))
            stream_push(st, slice_first(rest, size));
    }
    stream_hole(st, SIP_AFTER_END, 0);
}

static void test_holes(void **state)
{
    static const size_t sizes[] = {100000, 1, 2, 3, 7, 50};
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(sizes); i++) {
        size_t c = i / COUNT(sizes), size = sizes[i % COUNT(sizes)];
        struct stream st = stream_new(cases[c].joined);
        run_steps(&st, cases[c].steps, COUNT(cases[c].steps), size);
        if (strcmp(st.said.p, cases[c].said) != 0)
            fail_msg("%s, %zu at a time:\n%sinstead of\n%s", cases[c].name, size, st.said.p,
                     cases[c].said);
        if (st.framing.stray != cases[c].stray)
            fail_msg("%s, %zu at a time: stray %u", cases[c].name, size, st.framing.stray);
        stream_free(&st);
    }
}

/* The same bytes over and over, in pieces of 10,000 bytes or so. */
static void push_lot(struct stream *st, struct slice bytes, size_t n)
{
    struct bytes lot = {0};
    while (n--) {
        put_slice(&lot, bytes);
        if (lot.n >= 10000 || n == 0) {
            stream_push(st, bytes_slice(&lot));
            lot.n = 0;
        }
    }
    vec_free(&lot);
}

/* More body than is held: what there is, cut, and the next message right after the body. */
static void test_full(void **state)
{
    struct stream st = stream_new(false);
    (void)state;
    stream_push(&st, SLICE(TEXT("1", "3000000")));
    push_lot(&st, SLICE("some text\n"), 300000);
    stream_push(&st, SLICE(BARE("2")));
    stream_hole(&st, SIP_AFTER_END, 0);
    assert_string_equal(st.said.p, "INFO 1 cut 1050000\nBYE 2 whole 0\n");
    assert_int_equal(st.framing.stray, 0);
    stream_free(&st);
}

/* Headers without an end. */
static void test_full_headers(void **state)
{
    struct stream st = stream_new(false);
    (void)state;
    stream_push(&st, SLICE(OPEN("1", "BYE")));
    push_lot(&st, SLICE("X-More: of the same, and then of it again, for fifty bytes\r\n"), 20000);
    stream_push(&st, SLICE("\r\n" BARE("2")));
    stream_hole(&st, SIP_AFTER_END, 0);
    assert_string_equal(st.said.p, "BYE 1 cut in headers 0\nBYE 2 whole 0\n");
    stream_free(&st);
}

static void push_times(struct stream *st, struct slice bytes, size_t n)
{
    while (n--)
        stream_push(st, bytes);
}

/* What can't be SIP is not held. */
static void test_held(void **state)
{
    static const struct {
        struct slice bytes;
        size_t most;
    } kinds[] = {
        {SLICE("\x17\x03\x03\x04\0\x9b\xfe\x81\n\xc3x"), 1},
        {SLICE("some words and no line end "), 16384},
        {SLICE("abcdefghijklmnop"), 16384},
        {SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0},
        {SLICE("a line, and another line\r\n"), 26},
        {SLICE("SIP/2.0 SIP/2.0 SIP/2.0 "), 16384},
        {SLICE("\r\n\r\n"), 4},
        {SLICE("\0\0\0\0"), 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct stream st = stream_new(false);
        push_times(&st, kinds[i].bytes, 3000);
        if (st.most_held > kinds[i].most + kinds[i].bytes.n)
            fail_msg("case %zu: %zu bytes held", i, st.most_held);
        assert_string_equal(st.said.p, "");
        assert_int_equal(st.framing.found, 0);
        stream_push(&st, SLICE("\r\n" BARE("2")));
        assert_string_equal(st.said.p, i == 3 ? "" : "BYE 2 whole 0\n");
        stream_free(&st);
    }
}

/* A body is not asked about before it is there. */
static void test_wanted(void **state)
{
    struct stream st = stream_new(false);
    (void)state;
    stream_push(&st, SLICE(TEXT("1", "50000")));
    uint64_t asked = st.asked;
    push_times(&st, SLICE("x"), 49999);
    assert_int_equal(st.asked, asked);
    assert_string_equal(st.said.p, "");
    stream_push(&st, SLICE("x"));
    assert_string_equal(st.said.p, "INFO 1 whole 50000\n");
    stream_free(&st);
}

/* Line by line, each after the other: nothing waits for what comes after it. */
static void test_at_once(void **state)
{
    struct stream st = stream_new(false);
    (void)state;
    stream_push(&st, SLICE(TEXT("1", "5") "hello"));
    assert_string_equal(st.said.p, "INFO 1 whole 5\n");
    stream_push(&st, SLICE(BARE("2")));
    assert_string_equal(st.said.p, "INFO 1 whole 5\nBYE 2 whole 0\n");
    stream_push(&st, SLICE(OPEN("3", "BYE") "\r\n"));
    assert_string_equal(st.said.p, "INFO 1 whole 5\nBYE 2 whole 0\n"
                                   "BYE 3 whole 0, no Content-Length on a stream\n");
    stream_free(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holes),        cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_headers), cmocka_unit_test(test_held),
        cmocka_unit_test(test_wanted),       cmocka_unit_test(test_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

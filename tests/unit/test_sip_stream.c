/* sip/framing: where the messages of a stream begin and end, whatever pieces it comes in. */
#include "streamed.h"

#define HEAD(id, method)                                                                           \
    "Via: SIP/2.0/TCP a;branch=z9hG4bK" id "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"        \
    "Call-ID: " id "\r\nCSeq: 1 " method "\r\n"
#define OPEN(id, method)  method " sip:b@c SIP/2.0\r\n" HEAD(id, method)
#define BARE(id)          OPEN(id, "BYE") "Content-Length: 0\r\n\r\n"
#define OK(id)            "SIP/2.0 200 OK\r\n" HEAD(id, "BYE") "Content-Length: 0\r\n\r\n"
#define BODY(id, type, n) OPEN(id, "INFO") "Content-Type: " type "\r\nContent-Length: " n "\r\n\r\n"
#define TEXT(id, n)       BODY(id, "text/plain", n)
#define PING              "\r\n\r\n"
#define PROXY_2           "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\1\x0a\0\0\2\x13\xc4\x13\xc4"

struct stream_case {
    const char *name;
    struct slice bytes;
    const char *said;
    uint32_t stray;
    bool joined;
};

static const struct stream_case cases[] = {
    /* Content-Length */
    {"nothing", SLICE(""), "", 0, false},
    {"one", SLICE(BARE("1")), "BYE 1 whole 0\n", 0, false},
    {"several", SLICE(BARE("1") OK("2") BARE("3")), "BYE 1 whole 0\n200 2 whole 0\nBYE 3 whole 0\n",
     0, false},
    {"body", SLICE(TEXT("1", "5") "hello" BARE("2")), "INFO 1 whole 5\nBYE 2 whole 0\n", 0, false},
    {"body of bytes", SLICE(TEXT("1", "6") "\0\r\n\r\n\xff" BARE("2")),
     "INFO 1 whole 6\nBYE 2 whole 0\n", 0, false},
    {"body like a method", SLICE(TEXT("1", "3") "BYE" BARE("2")), "INFO 1 whole 3\nBYE 2 whole 0\n",
     0, false},
    {"compact", SLICE(OPEN("1", "INFO") "c: text/plain\r\nl: 5\r\n\r\nhello" BARE("2")),
     "INFO 1 whole 5\nBYE 2 whole 0\n", 0, false},
    {"line feeds",
     SLICE("BYE sip:b@c SIP/2.0\nVia: SIP/2.0/TCP a\nFrom: a\nTo: b\nCall-ID: 1\n"
           "CSeq: 1 BYE\nContent-Length: 2\n\nhi" BARE("2")),
     "BYE 1 whole 2\nBYE 2 whole 0\n", 0, false},
    {"folded",
     SLICE(OPEN("1", "INFO") "Content-Length:\r\n 5\r\nX: a\r\n b\r\n\r\nhello" BARE("2")),
     "INFO 1 whole 5\nBYE 2 whole 0\n", 0, false},
    {"equal lengths", SLICE(OPEN("1", "INFO") "l: 2\r\nContent-Length: 2\r\n\r\nhi" BARE("2")),
     "INFO 1 whole 2\nBYE 2 whole 0\n", 0, false},
    {"SIP in a body, length right",
     SLICE(
         BODY("1", "text/plain", "65") "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\nCall-ID: 0123456789"
                                       "ABCDEF\r\n\r\n" BARE("2")),
     "INFO 1 whole 65\nBYE 2 whole 0\n", 0, false},
    {"SIP in a body, nothing after",
     SLICE(
         BODY("1", "text/plain", "65") "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\nCall-ID: 0123456789"
                                       "ABCDEF\r\n\r\n"),
     "INFO 1 whole 65\n", 0, false},
    {"sipfrag",
     SLICE(BODY("1", "message/sipfrag", "36") "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a"
                                              "\xff\xff" BARE("2")),
     "INFO 1 whole 36\nBYE 2 whole 0\n", 0, false},
    /* keep-alives */
    {"pings", SLICE(PING BARE("1") "\r\n" OK("2") PING "\r\n\n" BARE("3") PING),
     "BYE 1 whole 0\n200 2 whole 0\nBYE 3 whole 0\n", 0, false},
    {"zeros", SLICE("\0\0" BARE("1") "\0\0\0\0" BARE("2")), "BYE 1 whole 0\nBYE 2 whole 0\n", 6,
     false},
    /* what is no message */
    {"garbage", SLICE("junk\r\n" BARE("1") "more of it\r\nand more\r\n" BARE("2") "end"),
     "BYE 1 whole 0, bytes after the body\nBYE 2 whole 0\n", 6 + 22, false},
    {"binary", SLICE("\x01\x02\xfe" BARE("1") "\x80\xff\r" OK("2")),
     "BYE 1 whole 0, bytes after the body\n200 2 whole 0\n", 6, false},
    {"PROXY 1", SLICE("PROXY TCP4 10.0.0.1 10.0.0.2 5060 5060\r\n" BARE("1")), "BYE 1 whole 0\n", 0,
     false},
    {"PROXY 2", SLICE(PROXY_2 BARE("1")), "BYE 1 whole 0\n", 0, false},
    {"HTTP", SLICE("HTTP/1.1 200 OK\r\n\r\n<pre>\n" BARE("1")), "", 0, false},
    {"HTTP request", SLICE("POST / HTTP/1.1\r\n\r\n" BARE("1")), "", 0, false},
    {"HTTP under a status line", SLICE("SIP/2.0 200 ok\r\nHTTP/1.1 200 ok\r\nServer: x\r\n\r\n"),
     "", 0, false},
    {"a page",
     SLICE("<html>\n<b>INVITE sip:b@c SIP/2.0\r\nVia: x\r\n\tBYE sip:b@c SIP/2.0\r\n"
           "Via: x\r\nsee INVITE sip:b@c SIP/2.0\r\nVia: x\r\nBYE sip:b@c SIP/2.0 x\r\n"
           "Via: x\r\nBYE sip:b@c SIP/2.0\r\n<p>INVITE sip:\r\n"),
     "", 0, false},
    {"no start line", SLICE("INVITE sip:b@c\r\nVia: SIP/2.0/TCP x\r\n\r\n"), "", 0, false},
    /* no length to go by */
    {"no length, no type", SLICE(OPEN("1", "BYE") "\r\n" BARE("2")),
     "BYE 1 whole 0, no Content-Length on a stream\nBYE 2 whole 0\n", 0, false},
    {"no length, a type",
     SLICE(OPEN("1", "INFO") "Content-Type: text/plain\r\n\r\nhello\r\n" OK("2")),
     "INFO 1 whole 7, no Content-Length on a stream\n200 2 whole 0\n", 0, false},
    {"no length, the last", SLICE(OPEN("1", "INFO") "c: text/plain\r\n\r\nhello"),
     "INFO 1 whole 5, no Content-Length on a stream\n", 0, false},
    {"negative length", SLICE(OPEN("1", "INFO") "c: text/plain\r\nl: -5\r\n\r\nhello\n" BARE("2")),
     "INFO 1 whole 6, Content-Length is no number\nBYE 2 whole 0\n", 0, false},
    {"length in words", SLICE(OPEN("1", "BYE") "l: none\r\n\r\n" BARE("2")),
     "BYE 1 whole 0, Content-Length is no number\nBYE 2 whole 0\n", 0, false},
    {"huge length", SLICE(OPEN("1", "BYE") "l: 99999999999999999999\r\n\r\n" BARE("2")),
     "BYE 1 whole 0, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"lengths that differ",
     SLICE(OPEN("1", "INFO") "c: text/plain\r\nl: 1\r\nl: 2\r\n\r\nhello\n" BARE("2")),
     "INFO 1 whole 6, several Content-Length values that differ\nBYE 2 whole 0\n", 0, false},
    /* lengths that lie */
    {"too short", SLICE(TEXT("1", "2") "hello\r\nworld\r\n" BARE("2")),
     "INFO 1 whole 2, bytes after the body\nBYE 2 whole 0\n", 12, false},
    {"too long", SLICE(TEXT("1", "50") "hello\r\n" BARE("2") BARE("3")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\nBYE 3 whole 0\n", 0,
     false},
    {"too long by a bit", SLICE(TEXT("1", "12") "hello\r\n" BARE("2")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"too long by one", SLICE(TEXT("1", "8") "hello\r\n" OK("2")),
     "INFO 1 whole 7, Content-Length is larger than the body\n200 2 whole 0\n", 0, false},
    {"too long, into a method", SLICE(TEXT("1", "8") "hello\r\n" BARE("2")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"too long, into a URI", SLICE(TEXT("1", "17") "hello\r\n" BARE("2")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"too long, no body", SLICE(OPEN("1", "BYE") "l: 20\r\n\r\n" BARE("2")),
     "BYE 1 whole 0, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"too long, up to a line's end", SLICE(OPEN("1", "BYE") "l: 19\r\n\r\n" BARE("2")),
     "BYE 1 whole 0, Content-Length is larger than the body\nBYE 2 whole 0\n", 0, false},
    {"too long for the stream", SLICE(TEXT("1", "5000") "hello\r\n" BARE("2") BARE("3")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\nBYE 3 whole 0\n", 0,
     false},
    {"too long to be believed", SLICE(TEXT("1", "70000") "hello\r\n" BARE("2") BARE("3")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\nBYE 3 whole 0\n", 0,
     false},
    {"too long twice", SLICE(TEXT("1", "400") "hello\r\n" TEXT("2", "400") "hello\r\n" BARE("3")),
     "INFO 1 whole 7, Content-Length is larger than the body\n"
     "INFO 2 whole 7, Content-Length is larger than the body\nBYE 3 whole 0\n",
     0, false},
    {"too short, no line end",
     SLICE(BODY("1", "application/json", "3") "{\"a\":1}" BARE("2") OK("3")),
     "INFO 1 whole 3, bytes after the body\nBYE 2 whole 0\n200 3 whole 0\n", 4, false},
    {"too long, no line end",
     SLICE(BODY("1", "application/json", "50") "{\"a\":1}" BARE("2") BARE("3")),
     "INFO 1 whole 7, Content-Length is larger than the body\nBYE 2 whole 0\nBYE 3 whole 0\n", 0,
     false},
    {"no length, no line end", SLICE(OPEN("1", "INFO") "c: text/plain\r\n\r\nhello" BARE("2")),
     "INFO 1 whole 5, no Content-Length on a stream\nBYE 2 whole 0\n", 0, false},
    /* the stream ends */
    {"ends in a body", SLICE(TEXT("1", "50") "hello"), "INFO 1 gap 5\n", 0, false},
    {"ends in the headers", SLICE(OPEN("1", "BYE") "X-Q: tr"), "BYE 1 gap in headers 0\n", 0,
     false},
    {"ends after the start line", SLICE(BARE("2") "BYE sip:b@c SIP/2.0\r\n"),
     "BYE 2 whole 0\nBYE  gap in headers 0\n", 0, false},
    {"ends in the start line", SLICE(BARE("2") "BYE sip:b@c SIP/2."), "BYE 2 whole 0\n", 0, false},
    /* joined */
    {"joined at a message", SLICE(BARE("1") BARE("2")), "BYE 1 whole 0\nBYE 2 whole 0\n", 0, true},
    {"joined at a ping", SLICE(PING BARE("1")), "BYE 1 whole 0\n", 0, true},
    {"joined in a header", SLICE("a: SIP/2.0/TCP a\r\nX: y\r\n\r\n" BARE("1") BARE("2")),
     "BYE 1 midstream 0\nBYE 2 whole 0\n", 0, true},
    {"joined in a body", SLICE("v=0\r\n" OK("1") "x\r\n" OK("2")),
     "200 1 midstream 0, bytes after the body\n200 2 whole 0\n", 3, true},
    {"joined, then cut short", SLICE("v=0\r\n" TEXT("1", "9") "x"), "INFO 1 gap 1\n", 0, true},
};

/* The pieces: the first `cut` bytes, then pieces of `size` (0: the rest in one). */
static void run_pieces(struct stream *st, struct slice bytes, size_t cut, size_t size)
{
    stream_push(st, slice_first(bytes, cut));
    for (bytes = slice_from(bytes, cut); bytes.n; bytes = slice_from(bytes, size))
        stream_push(st, slice_first(bytes, size ? size : bytes.n)), size = size ? size : bytes.n;
    stream_hole(st, SIP_AFTER_END, 0);
}

static void assert_said(const struct stream *st, const char *name, const char *said)
{
    if (strcmp(st->said.p, said) != 0)
        fail_msg("%s:\n%sinstead of\n%s", name, st->said.p, said);
}

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stream st = stream_new(cases[i].joined);
        run_pieces(&st, cases[i].bytes, 0, 0);
        assert_said(&st, cases[i].name, cases[i].said);
        assert_int_equal(st.taken, cases[i].bytes.n);
        if (st.framing.found && st.framing.stray != cases[i].stray)
            fail_msg("%s: stray %u", cases[i].name, st.framing.stray);
        stream_free(&st);
    }
}

/* All that depends on the pieces is whether bytes after a body were there to be seen. */
static void assert_same_in_pieces(const struct stream_case *c, size_t cut, size_t size)
{
    struct stream whole = stream_new(c->joined), parts = stream_new(c->joined);
    whole.no_trailing = parts.no_trailing = true;
    run_pieces(&whole, c->bytes, 0, 0);
    run_pieces(&parts, c->bytes, cut, size);
    if (strcmp(whole.said.p, parts.said.p) != 0)
        fail_msg("%s, first %zu bytes, then %zu:\n%sinstead of\n%s", c->name, cut, size,
                 parts.said.p, whole.said.p);
    assert_int_equal(parts.taken, c->bytes.n);
    if (whole.framing.stray != parts.framing.stray)
        fail_msg("%s, first %zu bytes, then %zu: stray %u instead of %u", c->name, cut, size,
                 parts.framing.stray, whole.framing.stray);
    stream_free(&whole);
    stream_free(&parts);
}

static void test_bytewise(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t size = 1; size < 4; size++)
            assert_same_in_pieces(&cases[i], 0, size);
}

static void test_each_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t cut = 1; cut < cases[i].bytes.n; cut++)
            assert_same_in_pieces(&cases[i], cut, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_bytewise),
        cmocka_unit_test(test_each_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

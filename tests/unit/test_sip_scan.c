/* sip/scan: what is a message, its headers with their offsets, its body, and what is noted as
 * malformed. */
#include "scanned.h"

static void test_no_sip(void **state)
{
    static const struct slice cases[] = {
        SLICE(""),
        SLICE("\r\n"),
        SLICE("\r\n\r\n"),
        SLICE("\0"),
        SLICE("\x80\x60\x12\x34\0\0\0\1\0\0\0\2payload"),                   /* RTP */
        SLICE("\x80\xc8\0\6\0\0\0\1"),                                      /* RTCP */
        SLICE("\0\1\0\0\x21\x12\xa4\x42XXXXXXXXXXXX"),                      /* STUN */
        SLICE("\1\1\0\0\x21\x12\xa4\x42XXXXXXXXXXXX"),                      /* STUN answer */
        SLICE("\x16\3\1\0\5hello"),                                         /* TLS */
        SLICE("\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"), /* DNS */
        SLICE("AB\1\0\0\1\0\0\0\0\0\0\3sip\0\0\1\0\1"),                     /* DNS, letters first */
        SLICE("\x01\x02\x03 BYE sip:b@c SIP/2.0\r\nCall-ID: x\r\n\r\n"),    /* inside binary */
        SLICE("x\0BYE sip:b@c SIP/2.0\r\nCall-ID: x\r\n\r\n"),
        SLICE("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"),
        SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        SLICE("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"), /* SSDP */
        SLICE("M-SEARCH * HTTP/1.1\r\n\r\n"),
        SLICE("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
        SLICE("OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
        SLICE("BYE sip:b@c\r\nCall-ID: x\r\n\r\n"), /* no version */
        SLICE("BYE sip:b@c SIP/2.0 x\r\n\r\n"),
        SLICE("BYE sip:b@c SIP/2.\r\n\r\n"),
        SLICE("BYE sip:b@c SIP/.0\r\n\r\n"),
        SLICE("BYE sip:b@c SIP/20\r\n\r\n"),
        SLICE("BYE sip:b@c SIP2.0\r\n\r\n"),
        SLICE("BYE"),
        SLICE("BYE "),
        SLICE(" BYE sip:b@c SIP/2.0\r\n\r\n"),
        SLICE("B<E sip:b@c SIP/2.0\r\n\r\n"),
        SLICE("SIP/2.0\r\n\r\n"),
        SLICE("SIP/2.0 \r\n\r\n"),
        SLICE("SIP/2.0 abc OK\r\n\r\n"),
        SLICE("SIP/2.0 200OK\r\n\r\n"),
        SLICE("SIP/2.0 20"), /* more digits may have followed */
        SLICE("SIP/2.0200 OK\r\n\r\n"),
        SLICE("SIPS/2.0 200 OK\r\n\r\n"),
        SLICE("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded l;
        load(&l, cases[i]);
        if (l.is)
            fail_msg("case %zu is taken for SIP", i);
        unload(&l);
    }
}

static void test_request_line(void **state)
{
    static const struct {
        const char *line, *method, *uri, *version;
        enum sip_method id;
        bool odd, other_version;
    } cases[] = {
        {"BYE sip:b@c SIP/2.0", "BYE", "sip:b@c", "SIP/2.0", SIP_BYE, false, false},
        {"INVITE tel:+1 sip/2.0", "INVITE", "tel:+1", "sip/2.0", SIP_INVITE, false, false},
        {"SUBSCRIBE x SIP/2.0", "SUBSCRIBE", "x", "SIP/2.0", SIP_SUBSCRIBE, false, false},
        {"Bye sip:b@c SIP/2.0", "Bye", "sip:b@c", "SIP/2.0", SIP_METHOD_OTHER, false, false},
        {"!a*_+`.%~'-9 u SIP/2.0", "!a*_+`.%~'-9", "u", "SIP/2.0", SIP_METHOD_OTHER, false, false},
        {"BYE sip:b@c SIP/7.0", "BYE", "sip:b@c", "SIP/7.0", SIP_BYE, false, true},
        {"BYE sip:b@c SIP/2.00", "BYE", "sip:b@c", "SIP/2.00", SIP_BYE, false, true},
        {"BYE  sip:b@c  SIP/2.0", "BYE", "sip:b@c", "SIP/2.0", SIP_BYE, true, false},
        {"BYE\tsip:b@c\tSIP/2.0", "BYE", "sip:b@c", "SIP/2.0", SIP_BYE, true, false},
        {"BYE sip:b@c SIP/2.0  ", "BYE", "sip:b@c", "SIP/2.0", SIP_BYE, true, false},
        {"BYE sip:b@c; lr SIP/2.0", "BYE", "sip:b@c; lr", "SIP/2.0", SIP_BYE, true, false},
        {"BYE <sip:b@c> SIP/2.0", "BYE", "<sip:b@c>", "SIP/2.0", SIP_BYE, false, false},
        {"BYE SIP/2.0", "BYE", "", "SIP/2.0", SIP_BYE, true, false},
        {"BYE  SIP/2.0", "BYE", "", "SIP/2.0", SIP_BYE, true, false},
        {"BYE HTTP/1.1 SIP/2.0", "BYE", "HTTP/1.1", "SIP/2.0", SIP_BYE, false, false},
    };
    static const char *const ends[] = {"\r\n", "\n", ""};
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(ends); i++) {
        char text[128];
        snprintf(text, sizeof text, "%s%s", cases[i / COUNT(ends)].line, ends[i % COUNT(ends)]);
        struct loaded l;
        load(&l, slice_of(text));
        assert_true(l.is);
        assert_int_equal(l.m.kind, SIP_REQUEST);
        assert_slice(l.m.method, cases[i / COUNT(ends)].method);
        assert_slice(l.m.uri, cases[i / COUNT(ends)].uri);
        assert_slice(l.m.version, cases[i / COUNT(ends)].version);
        assert_int_equal(l.m.method_id, cases[i / COUNT(ends)].id);
        assert_int_equal(l.m.status, 0);
        assert_slice(l.m.reason, "");
        bool odd = false, version = false;
        for (uint32_t k = 0; k < l.m.problem_count; k++) {
            odd |= l.m.problems[k].id == SIP_PROBLEM_START_LINE;
            version |= l.m.problems[k].id == SIP_PROBLEM_VERSION;
        }
        assert_int_equal(odd, cases[i / COUNT(ends)].odd);
        assert_int_equal(version, cases[i / COUNT(ends)].other_version);
        unload(&l);
    }
}

static void test_status_line(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *reason;
        bool odd;
    } cases[] = {
        {"SIP/2.0 200 OK\r\n", 200, "OK", false},
        {"sip/2.0 180 Ringing\n", 180, "Ringing", false},
        {"SIP/2.0 100 \r\n", 100, "", false}, /* RFC 4475 3.1.1.13 */
        {"SIP/2.0 100\r\n", 100, "", false},
        {"SIP/2.0 200", 200, "", false},
        {"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\r\n", 200, "= 2**3 * 5**2 \xd0\xbd", false},
        {"SIP/2.0 486 Busy Here\r\n", 486, "Busy Here", false},
        {"SIP/2.0  404  Not Found\r\n", 404, "Not Found", true},
        {"SIP/2.0 4294967301 better not\r\n", 0, "better not", true},
        {"SIP/2.0 20 OK\r\n", 0, "OK", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded l;
        load(&l, slice_of(cases[i].line));
        assert_true(l.is);
        assert_int_equal(l.m.kind, SIP_RESPONSE);
        assert_int_equal(l.m.status, cases[i].status);
        assert_slice(l.m.reason, cases[i].reason);
        assert_slice(l.m.uri, "");
        assert_slice(l.m.method, "");
        bool odd = l.m.problem_count && l.m.problems[0].id == SIP_PROBLEM_START_LINE;
        assert_int_equal(odd, cases[i].odd);
        unload(&l);
    }
}

static void test_control_in_start_line(void **state)
{
    struct loaded l;
    (void)state;
    load(&l, SLICE("BYE sip:b\0c SIP/2.0\r\n" HEAD "\r\n"));
    assert_true(l.is);
    assert_bytes(l.m.uri, SLICE("sip:b\0c"));
    assert_noted(&l.m, P(NUL));
    assert_int_equal(l.m.problems[0].at, 9);
    unload(&l);
}

struct wanted {
    const char *name;
    struct slice value;
    const char *line; /* what stands at its offset */
    enum sip_header_id id;
    bool folded;
};

static void test_headers(void **state)
{
    static const struct {
        struct slice lines; /* after HEAD, which has five headers */
        struct wanted headers[4];
        uint32_t noted;
    } cases[] = {
        {SLICE("X-A: 1\r\n"), {{"X-A", SLICE("1"), "X-A:", 0, false}}, 0},
        {SLICE("X-A:1\r\n"), {{"X-A", SLICE("1"), "X-A:", 0, false}}, 0},
        {SLICE("X-A:   1 2  \r\n"), {{"X-A", SLICE("1 2"), "X-A:", 0, false}}, 0},
        {SLICE("X-A:\t1\t2\t\r\n"), {{"X-A", SLICE("1\t2"), "X-A:", 0, false}}, 0},
        {SLICE("X-A:\r\n"), {{"X-A", SLICE(""), "X-A:", 0, false}}, 0},
        {SLICE("X-A:    \r\n"), {{"X-A", SLICE(""), "X-A:", 0, false}}, 0},
        {SLICE("X-A : 1\r\nX-B\t \t:2\r\n"),
         {{"X-A", SLICE("1"), "X-A :", 0, false}, {"X-B", SLICE("2"), "X-B\t", 0, false}},
         0},
        {SLICE("X-A: 1\nX-B: 2\r\nX-C: 3\n"),
         {{"X-A", SLICE("1"), "X-A:", 0, false},
          {"X-B", SLICE("2"), "X-B:", 0, false},
          {"X-C", SLICE("3"), "X-C:", 0, false}},
         0},
        {SLICE("X-A: 1\r\nx-a: 1\r\nX-A: 2\r\n"),
         {{"X-A", SLICE("1"), "X-A:", 0, false},
          {"x-a", SLICE("1"), "x-a:", 0, false},
          {"X-A", SLICE("2"), "X-A: 2", 0, false}},
         0},
        /* folds */
        {SLICE("X-A: 1\r\n 2\r\n\t3\r\nX-B: 4\r\n"),
         {{"X-A", SLICE("1\r\n 2\r\n\t3"), "X-A:", 0, true}, {"X-B", SLICE("4"), "X-B:", 0, false}},
         0},
        {SLICE("X-A:\r\n 1\r\n"), {{"X-A", SLICE("1"), "X-A:", 0, false}}, 0},
        {SLICE("X-A: \r\n \r\n\t 1\r\n  \r\n"), {{"X-A", SLICE("1"), "X-A:", 0, false}}, 0},
        {SLICE("X-A: 1\n 2\n"), {{"X-A", SLICE("1\n 2"), "X-A:", 0, true}}, 0},
        {SLICE("X-A: 1\r\n \r\n 2\r\n"), {{"X-A", SLICE("1\r\n \r\n 2"), "X-A:", 0, true}}, 0},
        {SLICE("Contact:\r\n <sip:a>\r\nX: y\r\n"),
         {{"Contact", SLICE("<sip:a>"), "Contact:", SIP_HEADER_CONTACT, false},
          {"X", SLICE("y"), "X: y", SIP_HEADER_SESSION_EXPIRES, false}},
         0},
        /* names */
        {SLICE("m: 1\r\nM:2\r\nk : 3\r\nz: 4\r\n"),
         {{"m", SLICE("1"), "m:", SIP_HEADER_CONTACT, false},
          {"M", SLICE("2"), "M:", SIP_HEADER_CONTACT, false},
          {"k", SLICE("3"), "k :", SIP_HEADER_SUPPORTED, false},
          {"z", SLICE("4"), "z:", 0, false}},
         0},
        {SLICE("USER-AGENT: 1\r\nproxy-authorization: 2\r\nReQuest-DisPosition: 3\r\n"),
         {{"USER-AGENT", SLICE("1"), "USER", SIP_HEADER_USER_AGENT, false},
          {"proxy-authorization", SLICE("2"), "proxy", SIP_HEADER_PROXY_AUTHORIZATION, false},
          {"ReQuest-DisPosition", SLICE("3"), "ReQ", SIP_HEADER_REQUEST_DISPOSITION, false}},
         0},
        {SLICE("Vi: 1\r\nVias: 2\r\nV-a: 3\r\nUser\x0d"
               "Agent: 4\r\n"),
         {{"Vi", SLICE("1"), "Vi:", 0, false},
          {"Vias", SLICE("2"), "Vias:", 0, false},
          {"V-a", SLICE("3"), "V-a:", 0, false},
          {"User\rAgent", SLICE("4"), "User\r", 0, false}},
         P(BAD_NAME)},
        {SLICE("!#: 1\r\n"), {{"!#", SLICE("1"), "!#:", 0, false}}, P(BAD_NAME)},
        {SLICE("!%*_+`.~'-9aZ: 1\r\n"), {{"!%*_+`.~'-9aZ", SLICE("1"), "!%*", 0, false}}, 0},
        {SLICE("X_Five9: 1\r\n"), {{"X_Five9", SLICE("1"), "X_F", 0, false}}, 0},
        {SLICE("X-A-Name-That-Is-Longer-Than-Any-In-The-Table-And-Than-One-Block-Of-Sixty-Four: "
               "1\r\n"),
         {{"X-A-Name-That-Is-Longer-Than-Any-In-The-Table-And-Than-One-Block-Of-Sixty-Four",
           SLICE("1"), "X-A-Name", 0, false}},
         0},
        {SLICE("X A: 1\r\n"), {{"X A", SLICE("1"), "X A", 0, false}}, P(BAD_NAME)},
        {SLICE("X(A) : 1\r\n"), {{"X(A)", SLICE("1"), "X(A)", 0, false}}, P(BAD_NAME)},
        {SLICE("X\xc3\xa9: 1\r\n"), {{"X\xc3\xa9", SLICE("1"), "X", 0, false}}, P(BAD_NAME)},
        {SLICE(": 1\r\nX: 2\r\n"),
         {{"", SLICE("1"), ": 1", 0, false},
          {"X", SLICE("2"), "X:", SIP_HEADER_SESSION_EXPIRES, false}},
         P(EMPTY_NAME)},
        {SLICE("no colon here\r\n a fold: of it\r\nX-B: 2\r\n"),
         {{"X-B", SLICE("2"), "X-B:", 0, false}},
         P(NO_COLON)},
        {SLICE("X-A\r\n : 1\r\nX-B: 2\r\n"), {{"X-B", SLICE("2"), "X-B:", 0, false}}, P(NO_COLON)},
        /* bytes that are no text */
        {SLICE("X-A: a\0b\r\nX-B: 2\r\n"),
         {{"X-A", SLICE("a\0b"), "X-A:", 0, false}, {"X-B", SLICE("2"), "X-B:", 0, false}},
         P(NUL)},
        {SLICE("X-A: \0\r\n"), {{"X-A", SLICE("\0"), "X-A:", 0, false}}, P(NUL)},
        {SLICE("X-A: a\x7f"
               "b\1\r\n"),
         {{"X-A",
           SLICE("a\x7f"
                 "b\1"),
           "X-A:", 0, false}},
         P(CONTROL)},
        {SLICE("X-A: a\rb\r\n"), {{"X-A", SLICE("a\rb"), "X-A:", 0, false}}, P(CONTROL)},
        {SLICE("X-A: a\r\r\nX-B: 1\r\n"),
         {{"X-A", SLICE("a"), "X-A:", 0, false}, {"X-B", SLICE("1"), "X-B:", 0, false}},
         P(CONTROL)},
        {SLICE("X-A: \xff\xfe\xc3\xa9\r\n"),
         {{"X-A", SLICE("\xff\xfe\xc3\xa9"), "X-A:", 0, false}},
         0},
        {SLICE("X-A: a:b;c=\"d:e\"\r\n"), {{"X-A", SLICE("a:b;c=\"d:e\""), "X-A:", 0, false}}, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        text_add(&t, SLICE("\r\n" BYE HEAD));
        text_add(&t, cases[i].lines);
        text_add(&t, SLICE("Max-Forwards: 70\r\n\r\nbody"));
        struct loaded l;
        load(&l, text_slice(&t));
        assert_true(l.is);
        uint32_t n = 5;
        for (const struct wanted *w = cases[i].headers; w < cases[i].headers + 4 && w->name;
             w++, n++) {
            const struct sip_header *h = &l.m.headers[n];
            assert_true(n < l.m.header_count);
            assert_slice(h->name, w->name);
            assert_bytes(h->value, w->value);
            assert_memory_equal(l.m.bytes.p + h->at, w->line, strlen(w->line));
            assert_int_equal(h->id, w->id);
            assert_int_equal(h->folded, w->folded);
            assert_false(h->cut);
        }
        assert_int_equal(l.m.header_count, n + 1);
        assert_slice(l.m.headers[n].name, "Max-Forwards");
        assert_slice(l.m.body, "body");
        assert_slice(l.m.call_id, "id@a");
        assert_noted(&l.m, cases[i].noted);
        unload(&l);
        text_free(&t);
    }
}

static void test_whole_messages(void **state)
{
    static const struct {
        struct slice bytes;
        const char *body;
        uint32_t noted;
    } cases[] = {
        {SLICE(BYE HEAD "\r\n"), "", 0},
        {SLICE(BYE HEAD "\r\nrest"), "rest", 0},
        {SLICE(BYE HEAD "Content-Length: 4\r\n\r\nrest"), "rest", 0},
        {SLICE(BYE HEAD "l:2\r\n\r\nrest"), "re", P(TRAILING)},
        {SLICE(BYE HEAD "Content-Length: 0\r\n\r\nrest"), "", P(TRAILING)},
        {SLICE(BYE HEAD "Content-Length: 5\r\n\r\nrest"), "rest", P(LENGTH_LONG)},
        {SLICE(BYE HEAD "Content-Length: 99999999999999999999\r\n\r\nrest"), "rest",
         P(LENGTH_LONG)},
        {SLICE(BYE HEAD "Content-Length: -4\r\n\r\nrest"), "rest", P(BAD_LENGTH)},
        {SLICE(BYE HEAD "Content-Length: 4 4\r\n\r\nrest"), "rest", P(BAD_LENGTH)},
        {SLICE(BYE HEAD "Content-Length:\r\n\r\nrest"), "rest", P(BAD_LENGTH)},
        {SLICE(BYE HEAD "Content-Length: 2\r\nl: 3\r\n\r\nrest"), "re",
         P(LENGTHS_DIFFER) | P(TRAILING)},
        {SLICE(BYE HEAD "Content-Length: 4\r\nl: 04\r\n\r\nrest"), "rest", 0},
        {SLICE(BYE HEAD), "", P(NO_END)},
        {SLICE(BYE HEAD "X: y"), "", P(NO_END)},
        {SLICE(BYE HEAD "X: y\r"), "", P(NO_END)},
        {SLICE(BYE HEAD "\r"), "", P(NO_END)},
        {SLICE(BYE " X: y\r\n" HEAD "\r\n"), "", P(FOLD_FIRST)},
        {SLICE(BYE HEAD "Call-ID: other\r\n\r\n"), "", P(SECOND_CALL_ID)},
        {SLICE(BYE HEAD "\r\nCall-ID: other\r\nContent-Length: 0\r\n\r\n"),
         "Call-ID: other\r\nContent-Length: 0\r\n\r\n", 0},
        {SLICE("INVITE sip:b@c SIP/2.0\r\n" HEAD "\r\n"), "", P(CSEQ_METHOD)},
        {SLICE("BYE sip:b@c SIP/2.0\n"
               "v:x\nf:a\nt:b\ni:id@a\nCSeq:2 BYE\n\n"),
         "", 0},
        {SLICE("SIP/2.0 200 OK\r\n" HEAD "l: 0\r\n\r\n"), "", 0},
        {SLICE("SIP/9.9 200 OK\r\n" HEAD "\r\n"), "", P(VERSION)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded l;
        load(&l, cases[i].bytes);
        assert_true(l.is);
        assert_noted(&l.m, cases[i].noted);
        assert_slice(l.m.body, cases[i].body);
        assert_slice(l.m.call_id, "id@a");
        assert_true(l.m.has_call_id && l.m.has_cseq && l.m.headers_complete);
        assert_int_equal(l.m.cseq, 2);
        assert_int_equal(l.m.state, SIP_WHOLE);
        assert_int_equal(l.m.consumed, l.m.bytes.n);
        assert_ptr_equal(l.m.body.p + l.m.body.n, l.m.bytes.p + l.m.bytes.n);
        unload(&l);
    }
}

static void test_meaning(void **state)
{
    static const struct {
        const char *lines;
        const char *call_id; /* NULL: none */
        bool has_cseq;
        uint32_t cseq;
        const char *method;
        uint32_t noted;
    } cases[] = {
        {"Call-ID: x\r\nCSeq: 7 BYE\r\n", "x", true, 7, "BYE", 0},
        {"Call-ID:\r\n x\r\nCSeq: 009\r\n  BYE\r\n", "x", true, 9, "BYE", 0},
        {"Call-ID: x \r\n \r\nCSeq: 4294967295\tNEW\r\n", "x", true, UINT32_MAX, "NEW", 0},
        {"i: !!:Lgpp...*@a,b\r\nCSeq: 0 BYE\r\n", "!!:Lgpp...*@a,b", true, 0, "BYE", 0},
        {"CALL-ID: x\r\nCSEQ: 1 BYE\r\ni: y\r\nCSeq: 2 ACK\r\n", "x", true, 1, "BYE",
         P(SECOND_CALL_ID)},
        {"Call-ID:\r\nCSeq: 1 BYE\r\n", NULL, true, 1, "BYE", P(EMPTY_CALL_ID)},
        {"CSeq: 1 BYE\r\n", NULL, true, 1, "BYE", P(NO_CALL_ID)},
        {"Call-ID: x\r\n", "x", false, 0, "", P(NO_CSEQ)},
        {"Call-ID: x\r\nCSeq: 4294967296 BYE\r\n", "x", false, 0, "BYE", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: 99999999999999999999999 BYE\r\n", "x", false, 0, "BYE", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: BYE\r\n", "x", false, 0, "", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: 1BYE\r\n", "x", false, 0, "", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: 1\r\n", "x", false, 0, "", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: -1 BYE\r\n", "x", false, 0, "", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq: 1 BYE x\r\n", "x", false, 0, "", P(BAD_CSEQ)},
        {"Call-ID: x\r\nCSeq:\r\n", "x", false, 0, "", P(BAD_CSEQ)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        text_printf(&t, "SIP/2.0 200 OK\r\nv: a\r\nf: b\r\nt: c\r\n%s\r\n", cases[i].lines);
        struct loaded l;
        load(&l, text_slice(&t));
        assert_noted(&l.m, cases[i].noted);
        assert_int_equal(l.m.has_call_id, cases[i].call_id != NULL);
        assert_slice(l.m.call_id, cases[i].call_id ? cases[i].call_id : "");
        assert_int_equal(l.m.has_cseq, cases[i].has_cseq);
        assert_int_equal(l.m.cseq, cases[i].cseq);
        assert_slice(l.m.method, cases[i].method);
        assert_int_equal(l.m.method_id, sip_method_of(slice_of(cases[i].method)));
        unload(&l);
        text_free(&t);
    }
    struct loaded none;
    load(&none, SLICE("BYE sip:b@c SIP/2.0\r\n\r\n"));
    assert_noted(&none.m, P(NO_CALL_ID) | P(NO_CSEQ) | P(NO_VIA) | P(NO_FROM) | P(NO_TO));
    unload(&none);
}

/* A brief scanner stops behind the last header that it needs; of an INVITE it also reads what joins
 * it to others.  What is written in an odd way, it reads as any scanner does. */
static void test_brief(void **state)
{
    static const char head[] =
        " sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@a>;"
        "tag=f\r\nTo: <sip:b@c>\r\nCall-ID: id\r\nCSeq: 7 ";
    static const struct {
        const char *method, *more;
        uint32_t headers;
    } cases[] = {
        {"BYE", "", 5},
        {"INVITE", "", 6},
        {"INVITE", "Session-ID: 1\r\nSession-Expires: 90\r\nxs: 2\r\n", 8},
        {"INVITE", "X-B : 1\r\n", 8},
        {"INVITE", "X-B: 1\r\n  2\r\n", 8},
    };
    struct sip_scanner *scanner = sip_scanner_new();
    (void)state;
    sip_scanner_be_brief(scanner);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        struct sip_message m;
        text_printf(&t, "%s%s%s\r\nX-A: 1\r\n%sContent-Length: 2\r\n\r\nab", cases[i].method, head,
                    cases[i].method, cases[i].more);
        assert_true(sip_scan_datagram(scanner, text_slice(&t), 0, &m));
        assert_int_equal(m.header_count, cases[i].headers);
        assert_true(slice_is(m.call_id, "id") && m.cseq == 7);
        assert_true(slice_is(m.method, cases[i].method));
        assert_int_equal(m.bytes.n, t.n);
        text_free(&t);
    }
    sip_scanner_free(scanner);
}

/* In any case, in compact form, and with white space before the colon. */
static void test_brief_names(void **state)
{
    static const char *const heads[] = {
        "v: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@a>;tag=x\r\nt: <sip:b@c>\r\ni: id\r\ncseq: "
        "7 ",
        "VIA: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFROM: <sip:a@a>;tag=x\r\nTO: <sip:b@c>\r\n"
        "call-id:id\r\nCSEQ:7 ",
        "Via : SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom\t: <sip:a@a>;tag=x\r\nTo: <sip:b@c>\r\n"
        "Call-ID  :  id \r\nCSeq: 7 ",
    };
    struct sip_scanner *scanner = sip_scanner_new();
    (void)state;
    sip_scanner_be_brief(scanner);
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct text t = {0};
        struct sip_message m;
        struct slice tag;
        text_printf(&t,
                    "BYE sip:b@c SIP/2.0\r\nContact: <sip:c@c>\r\nTimestamp: 1\r\n%sBYE\r\n\r\n",
                    heads[i]);
        assert_true(sip_scan_datagram(scanner, text_slice(&t), 0, &m));
        assert_true(slice_is(m.call_id, "id") && m.has_cseq && m.cseq == 7);
        assert_true(sip_param(sip_header_first(&m, SIP_HEADER_FROM)->value, SLICE("tag"), &tag));
        assert_true(slice_is(tag, "x"));
        assert_true(
            slice_starts(sip_header_first(&m, SIP_HEADER_VIA)->value, SLICE("SIP/2.0/UDP a")));
        text_free(&t);
    }
    sip_scanner_free(scanner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brief),       cmocka_unit_test(test_brief_names),
        cmocka_unit_test(test_no_sip),      cmocka_unit_test(test_request_line),
        cmocka_unit_test(test_status_line), cmocka_unit_test(test_control_in_start_line),
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_whole_messages),
        cmocka_unit_test(test_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

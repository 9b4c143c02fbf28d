/* view/filter: what expressions mean, of messages and of calls, and the place of each mistake. */
#include "view/view.h"

#include "unit.h"

#include <stdio.h>

/* ---- messages -------------------------------------------------------------------------------- */

#define END     "Via: SIP/2.0/UDP 10.0.1.10:5060;branch=z9hG4bK.one\r\n"
#define FROM_LK "From: <sip:+15105550100@livekit.example>;tag=SCL_abc\r\n"
#define TO_FAR  "To: \"Al (home)\" <sip:+14155550100@Five9.example:5060>;tag=far\r\n"

/* 0: BYE with X- headers; 1: its 200; 2: INVITE with SDP over TLS and IPv6; 3: its 486; 4: a BYE
 * cut in a header; 5: a method of nobody, folded and compact. */
static const struct {
    const char *text;
    const char *src, *dst;
    uint16_t src_port, dst_port;
    enum packet_transport transport;
    const char *point;
    size_t missing;
} sent[] = {
    {"BYE sip:+14155550100@10.0.3.20:5060 SIP/2.0\r\n" END FROM_LK TO_FAR
     "Call-ID: one@a\r\nCSeq: 2 BYE\r\nUser-Agent: LiveKit\r\nX-Five9-Queue: Sales EMEA\r\n"
     "X-Empty:\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 0\r\n\r\n",
     "10.0.1.10", "10.0.1.1", 5060, 5060, PACKET_UDP, "livekit", 0},
    {"SIP/2.0 200 OK\r\n" END FROM_LK TO_FAR
     "Call-ID: one@a\r\nCSeq: 2 BYE\r\nServer: kamailio\r\nContent-Length: 0\r\n\r\n",
     "10.0.1.1", "10.0.1.10", 5060, 5060, PACKET_UDP, "livekit", 0},
    {"INVITE sip:+14155550100@[fd00::5]:5061 SIP/2.0\r\n"
     "Via: SIP/2.0/TLS [fd00::9]:5061;branch=z9hG4bK2, SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
     "From: sip:alice@a.example;tag=x\r\nTo: <sip:bob@b.example>\r\nCall-ID: two\r\n"
     "CSeq: 1 INVITE\r\nContact: <sip:alice@10.9.9.9>, <sip:al@10.9.9.8>\r\n"
     "Content-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0\r\no=-\n",
     "fd00::9", "fd00::5", 40000, 5061, PACKET_TLS, "kam1", 0},
    {"SIP/2.0 486 Busy Here\r\n" END FROM_LK TO_FAR "Call-ID: one@a\r\nCSeq: 1 INVITE\r\n"
     "Warning: 399 x \"quoted \\\\ text\"\r\nContent-Length: 0\r\n\r\n",
     "192.168.0.1", "10.0.1.10", 5060, 5070, PACKET_TCP, "kam1", 0},
    {"BYE sip:a@b SIP/2.0\r\n" END FROM_LK TO_FAR "Call-ID: one@a\r\nCSeq: 3 BYE\r\nX-Five9-Que",
     "10.0.1.10", "10.0.1.1", 5060, 5060, PACKET_UDP, "livekit", 400},
    {"FROB sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP c;branch=z9hG4bKf\r\nf: <sip:a@b>;tag=1\r\nt: "
     "<sip:c@d>\r\n"
     "i: three\r\nCSeq: 7 FROB\r\nX-Folded: one\r\n two\r\nl: 0\r\n\r\n",
     "10.0.1.10", "10.0.1.1", 5060, 5060, PACKET_UDP, "livekit", 0},
};
#define SENT COUNT(sent)

struct scene {
    struct sip_scanner *scanners[SENT];
    struct sip_message messages[SENT];
    struct trace_seen seen[SENT];
    uint32_t frames[SENT];
};

static struct endpoint end_of(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    assert_true(address_parse(slice_of(ip), &e.ip));
    return e;
}

static int set_up(void **state)
{
    struct scene *s = base_alloc(sizeof *s);
    sip_typed_init();
    for (size_t i = 0; i < SENT; i++) {
        struct slice bytes = slice_of(sent[i].text);
        struct sip_message *m = &s->messages[i];
        s->scanners[i] = sip_scanner_new();
        s->frames[i] = (uint32_t)i + 1;
        assert_true(sip_scan_datagram(s->scanners[i], bytes, sent[i].missing, m));
        s->seen[i] = (struct trace_seen){.point = sent[i].point,
                                         .transport = sent[i].transport,
                                         .src = end_of(sent[i].src, sent[i].src_port),
                                         .dst = end_of(sent[i].dst, sent[i].dst_port),
                                         .frames = &s->frames[i],
                                         .frame_count = 1,
                                         .length = bytes.n,
                                         .missing = sent[i].missing,
                                         .method = m->method_id,
                                         .status = m->status,
                                         .state = m->state,
                                         .retransmission = i == 3,
                                         .sip = m};
    }
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < SENT; i++)
        sip_scanner_free(s->scanners[i]);
    free(s);
    return 0;
}

static struct view_filter *compile(const char *expression, enum view_filter_scope scope)
{
    struct view_filter_fault fault;
    struct view_filter *f = view_filter_new(slice_of(expression), scope, &fault);
    if (!f)
        fail_msg("%s: %zu: %s", expression, fault.at, fault.text);
    return f;
}

/* What is said of each message: y, n, or ? where what was not captured decides. */
static void test_messages(void **state)
{
    static const struct {
        const char *expression, *answers;
    } cases[] = {
        {"method == BYE and header[\"X-Five9-Queue\"] exists", "ynnn?n"},
        {"method == bye && header[x-five9-queue]", "ynnn?n"},
        {"method == BYE and header[\"X-Five9-Queue\"] missing", "nnnn?n"},
        {"not header[\"X-Five9-Queue\"] exists", "nyyy?y"},
        {"method != BYE", "nnynny"},
        {"not method == BYE", "nyyyny"},
        {"method in {BYE, INVITE}", "ynynyn"},
        {"method not in {BYE INVITE}", "nnnnny"},
        {"method =~ \"^[bf]\"", "ynnnyy"},
        {"method == FROB", "nnnnny"},
        {"cseq.method == BYE", "yynnyn"},
        {"cseq > 2", "nnnnyy"},
        {"request", "ynynyy"},
        {"not response", "ynynyy"},
        {"request == false", "nynynn"},
        {"request != false", "ynynyy"},
        {"status == 200", "nynnnn"},
        {"status == 4xx", "nnnynn"},
        {"status in {2xx, 400..499}", "nynynn"},
        {"status >= 300", "nnnynn"},
        {"status != 200", "nnnynn"},
        {"not status == 200", "ynyyyy"},
        {"status", "nynynn"},
        {"reason contains busy", "nnnynn"},
        {"uri startswith sip:+1415", "ynynnn"},
        {"uri.user == +14155550100", "ynynnn"},
        {"uri.host == FD00::5", "nnynnn"},
        {"from.user == +15105550100", "yynyyn"},
        {"from.user == alice", "nnynnn"},
        {"from.tag startswith SCL_", "yynyyn"},
        {"to.host == five9.EXAMPLE", "yynyyn"},
        {"to.name =~ \"^Al \\(home\\)$\"", "yynyyn"},
        {"to.tag missing", "nnynny"},
        {"contact.user == al", "nnyn?n"},
        {"contact.host in {10.9.9.9}", "nnyn?n"},
        {"call_id endswith @a", "yynyyn"},
        {"branch == z9hG4bK2", "nnynnn"},
        {"branch == z9hG4bK1", "nnnnnn"},
        {"user_agent == LiveKit", "ynnn?n"},
        {"user_agent exists", "yynn?n"},
        {"header[\"X-Empty\"] == \"\"", "ynnn?n"},
        {"header[\"X-Empty\"] exists and len(header[\"X-Empty\"]) == 0", "ynnn?n"},
        {"len(header[\"X-Five9-Queue\"]) >= 10", "ynnn?n"},
        {"count(header[\"X-Two\"]) == 2", "ynnn?n"},
        {"count(header[\"X-*\"]) > 3", "ynnn?n"},
        {"count(header[\"X-*\"]) == 0", "nyyy?n"},
        {"header[\"X-Two\"] == b", "ynnn?n"},
        {"header[\"X-Two\"] != b", "nnnn?n"},
        {"header[\"X-Two\"] != c", "ynnn?n"},
        {"header[\"X-Fi?e9-*\"] contains emea", "ynnn?n"},
        {"header[\"X-Five9-Queue\"] == \"sales emea\"", "nnnn?n"},
        {"header[\"X-Folded\"] == \"one two\"", "nnnn?y"},
        {"header[From] exists and header[\"Via\"] exists", "yyyyyy"},
        {"header[\"V?a\"] exists", "yyyyyy"},
        {"header[Warning] contains \"\\\\ text\"", "nnny?n"},
        {"header[Warning] =~ '\"quoted \\\\\\\\'", "nnny?n"},
        {"body contains \"v=0\"", "nnyn?n"},
        {"sdp", "nnyn?n"},
        {"sdp =~ \"(?m)^o=-$\"", "nnyn?n"},
        {"src == 10.0.1.10", "ynnnyy"},
        {"src == 10.0.0.0/8", "yynnyy"},
        {"src == 10.0.1.10:5060 and dst == 10.0.1.1:5060", "ynnnyy"},
        {"src == fd00::/16", "nnynnn"},
        {"src == [fd00::9]:40000", "nnynnn"},
        {"src == [fd00::9]:40001", "nnnnnn"},
        {"src != 10.0.0.0/8", "nnyynn"},
        {"addr == 10.0.1.10", "yynyyy"},
        {"addr in {192.168.0.0/16, fd00::5}", "nnyynn"},
        {"port == 5070", "nnnynn"},
        {"src.port > 5060", "nnynnn"},
        {"dst.port in {5061..5070}", "nnyynn"},
        {"transport == TLS", "nnynnn"},
        {"transport in {tcp, udp}", "yynyyy"},
        {"point == kam1", "nnyynn"},
        {"point == KAM1", "nnnnnn"},
        {"frame in {2..3}", "nyynnn"},
        {"state == whole", "yyyyny"},
        {"state == cut", "nnnnyn"},
        {"retransmission", "nnnynn"},
        {"not retransmission and response", "nynnnn"},
        {"size > 600", "nnnnyn"},
        {"+1510", "yynyyn"},
        {"Emea", "ynnn?n"},
        {"\"SALES emea\"", "ynnn?n"},
        {"'one@a' or \"two\"", "yyyyyy"},
        {"text =~ \"^INVITE\"", "nnyn?n"},
        {"(method == BYE or method == INVITE) and not (transport == tls)", "ynnnyn"},
        {"method == INVITE or method == BYE and transport == tls", "nnynnn"},
        {"not not method == INVITE", "nnynnn"},
        {"! method == INVITE || status == 200", "yynyyy"},
        {"METHOD EQ bye AND NOT status EXISTS", "ynnnyn"},
        {"method == \"bye\"", "ynnnyn"},
        {"from == \"sip:alice@a.example;tag=x\"", "nnynnn"},
        {"malformed contains header", "nnnnnn"},
    };
    struct scene *s = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view_filter *f = compile(cases[i].expression, VIEW_FILTER_MESSAGES);
        char answers[SENT + 1] = "";
        for (size_t k = 0; k < SENT; k++)
            answers[k] = "ny?"[view_filter_message(f, &s->seen[k])];
        if (strcmp(answers, cases[i].answers) != 0) {
            print_error("%s: %s, and not %s\n", cases[i].expression, answers, cases[i].answers);
            wrong++;
        }
        view_filter_free(f);
    }
    assert_int_equal(wrong, 0);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const struct slice call_ids[] = {{"one@a", 5}, {"two", 3}};

static const struct call_summary ended = {
    .call_ids = call_ids,
    .call_id_count = 2,
    .caller = {"+1415", 5},
    .start_ns = 1000000000,
    .answer_ns = 3500000000,
    .end_ns = 13000000000,
    .last_ns = 13100000000,
    .outcome = CALL_ENDED,
    .status = 200,
    .method = {"INVITE", 6},
    .messages = 9,
    .sightings = 7,
};

/* Of a call of the messages 0 to 3, with the verdict fail; and of one of the messages 4 and 3. */
static void test_calls(void **state)
{
    static const struct {
        const char *expression, *answers;
    } cases[] = {
        {"method == BYE and header[\"X-Five9-Queue\"] exists", "y?"},
        {"method == BYE and status == 200", "nn"}, /* one message holds both or none does */
        {"method == BYE and response", "nn"},
        {"any(method == BYE) and any(status == 486)", "yy"},
        {"any(status == 200) and none(method == REGISTER)", "yn"},
        {"none(header[\"X-Five9-Queue\"] exists)", "n?"},
        {"none(method == BYE)", "nn"},
        {"not any(method == INVITE)", "ny"},
        {"all(from.tag startswith SCL_)", "ny"},
        {"all(request or status > 100)", "yy"},
        {"all(header[\"X-Two\"] missing)", "n?"},
        {"call.state == ended", "yy"},
        {"call.state in {failed, cancelled}", "nn"},
        {"call.state == ended and method == INVITE", "yn"},
        {"call.state == failed or method == INVITE", "yn"},
        {"call.state == failed and method == INVITE", "nn"},
        {"method == INVITE and (call.state == failed or status == 200)", "nn"},
        {"method == INVITE and (call.state == ended or status == 200)", "yn"},
        {"not (call.state == ended and method == INVITE)", "yy"},
        {"not (call.state == failed or method == INVITE)", "yy"},
        {"not (call.state == ended or method == INVITE)", "nn"},
        {"(call.state == ended or method == FROB) and (call.status == 486 or status == 486)", "yy"},
        {"(call.state == failed or status == 200) and (call.status == 200 or status == 486)", "yn"},
        {"header[\"X-Two\"] missing and call.state == failed", "nn"},
        {"header[\"X-Two\"] exists and call.state == ended", "y?"},
        {"any(method == INVITE) or method == BYE and call.state == failed", "yn"},
        {"any(method == INVITE) and method == BYE", "yn"},
        {"call.status == 2xx", "yy"},
        {"call.caller startswith +1", "yy"},
        {"call.callee missing", "yy"},
        {"call.callee != x", "nn"},
        {"call.method == invite", "yy"},
        {"call.id == two", "yy"},
        {"call.legs > 1", "yy"},
        {"call.duration == 12s", "yy"},
        {"call.duration in {11s..12500ms}", "yy"},
        {"call.talk < 9.6", "yy"},
        {"call.talk < 0.1m", "nn"},
        {"call.setup >= 2500ms", "yy"},
        {"call.messages > 8 and call.retransmissions == 2", "yy"},
        {"call.verdict == fail", "yn"},
        {"call.verdict missing", "ny"},
        {"call.errors > 1 and +1510", "yn"},
        {"call.finding == header-stripped", "yn"},
        {"call.finding == HEADER-STRIPPED and call.finding != header-altered", "yn"},
        {"call.finding startswith header-", "yn"},
        {"count(call.finding) == 1", "yn"},
    };
    struct view_filter_verdict verdict = {true, CHECK_FAIL, 2, {0}};
    const struct check_kind *kinds;
    check_kinds(&kinds);
    size_t bit = (size_t)(check_kind_of(SLICE("header-stripped")) - kinds);
    verdict.findings[bit / 64] = (uint64_t)1 << bit % 64;
    struct scene *s = *state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view_filter *f = compile(cases[i].expression, VIEW_FILTER_JUDGED);
        struct trace_marks all = {0}, part = {0};
        for (size_t k = 0; k < 4; k++)
            view_filter_look(f, &s->seen[k], &all);
        view_filter_look(f, &s->seen[4], &part);
        view_filter_look(f, &s->seen[3], &part);
        char answers[] = {"ny?"[view_filter_call(f, &ended, &all, &verdict)],
                          "ny?"[view_filter_call(f, &ended, &part, NULL)], '\0'};
        if (strcmp(answers, cases[i].answers) != 0) {
            print_error("%s: %s, and not %s\n", cases[i].expression, answers, cases[i].answers);
            wrong++;
        }
        view_filter_free(f);
    }
    assert_int_equal(wrong, 0);
}

/* The marks of two legs, put together, are those of one with the messages of both. */
static void test_legs(void **state)
{
    struct scene *s = *state;
    struct view_filter *f = compile(
        "(call.state == failed or status == 200) and any(method == INVITE)", VIEW_FILTER_CALLS);
    struct trace_marks a = {0}, b = {0};
    view_filter_look(f, &s->seen[1], &a);
    assert_int_equal(view_filter_call(f, &ended, &a, NULL), VIEW_FILTER_NO);
    view_filter_look(f, &s->seen[2], &b);
    assert_int_equal(view_filter_call(f, &ended, &b, NULL), VIEW_FILTER_NO);
    struct trace_marks both = {a.yes | b.yes, a.maybe | b.maybe, a.some | b.some,
                               a.unsure | b.unsure};
    assert_int_equal(view_filter_call(f, &ended, &both, NULL), VIEW_FILTER_YES);
    assert_int_equal(view_filter_stats(f)->asked, 3);
    assert_int_equal(view_filter_stats(f)->matched, 1);
    view_filter_free(f);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static void test_mistakes(void **state)
{
    static const struct {
        enum view_filter_scope scope;
        const char *expression;
        size_t at, n;
        const char *text;
    } cases[] = {
#define OF_CALLS    VIEW_FILTER_CALLS
#define OF_MESSAGES VIEW_FILTER_MESSAGES
        {OF_CALLS, "", 0, 0, "the expression is empty"},
        {OF_CALLS, "  \t ", 4, 0, "the expression is empty"},
        {OF_CALLS, "metod == BYE", 0, 5, "no such field; did you mean method?"},
        {OF_CALLS, "frobnicate == 1", 0, 10, "no such field; a header is written header[\"NAME\"]"},
        {OF_CALLS, "X-A exists", 0, 3, "a header is written header[\"X-A\"]"},
        {OF_CALLS, "sip.Method == BYE", 0, 10, "no such field; did you mean method?"},
        {OF_CALLS, "verdict", 0, 7,
         "no such field; did you mean call.verdict? As a text it needs quotes"},
        {OF_CALLS, "BYE", 0, 3, "did you mean method == BYE? As a text it needs quotes"},
        {OF_CALLS, "4xx", 0, 3, "did you mean status == 4xx? As a text it needs quotes"},
        {OF_CALLS, "metho", 0, 5, "no such field; did you mean method? As a text it needs quotes"},
        {OF_CALLS, "method = BYE", 7, 1, "did you mean ==?"},
        {OF_CALLS, "method == BYE & sdp", 14, 1,
         "and or or is missing before this; a text of several words needs quotes"},
        {OF_CALLS, "one & two", 4, 1, "did you mean &&?"},
        {OF_CALLS, "method == INVTE", 10, 5,
         "no such method; did you mean INVITE? (by =~ any other can be asked for)"},
        {OF_CALLS, "method == ", 10, 0, "a value was expected here"},
        {OF_CALLS, "user_agent =~ /sip/", 14, 5,
         "a regular expression stands in quotes, without slashes"},
        {OF_CALLS, "method == and", 10, 3,
         "a value was expected here; as a value this word needs quotes"},
        {OF_CALLS, "from == to", 8, 2,
         "this is a field, and fields are not held against each other; as a text it needs quotes"},
        {OF_CALLS, "(method == BYE", 0, 1, "this parenthesis is not closed"},
        {OF_CALLS, "method == BYE)", 13, 1, "no parenthesis was opened that this one closes"},
        {OF_CALLS, "(method == BYE sdp)", 15, 3, "and, or or ) was expected here"},
        {OF_CALLS, "()", 1, 1, "a test was expected here"},
        {OF_CALLS, "sdp and", 7, 0, "a test is missing at the end"},
        {OF_CALLS, "exists", 0, 6, "a field is missing before exists"},
        {OF_CALLS, "method exist", 7, 5, "did you mean exists?"},
        {OF_CALLS, "method not BYE", 7, 3, "not stands before a test, or before in"},
        {OF_CALLS, "\"a\" == b", 0, 3, "this is a text, and a field was expected before =="},
        {OF_CALLS, "\"abc", 0, 1, "the quote is not closed"},
        {OF_CALLS, "\"\"", 0, 2, "the text is empty"},
        {OF_CALLS, "sdp \x01", 4, 1, "a control character"},
        {OF_CALLS, "header", 6, 0, "which header? It is written header[\"NAME\"]"},
        {OF_CALLS, "header[", 7, 0, "the name of a header was expected here"},
        {OF_CALLS, "header[\"X-A:\"]", 7, 6, "a header's name ends before its colon"},
        {OF_CALLS, "header[\"X A\"]", 7, 5, "a header's name has no such character"},
        {OF_CALLS, "header[X-A", 10, 0, "the bracket is not closed"},
        {OF_CALLS, "from[1]", 4, 1, "only header has a name in brackets"},
        {OF_CALLS, "status > abc", 9, 3,
         "a status was expected, which is like 404, 4xx or 400..499"},
        {OF_CALLS, "status in {1..}", 11, 3, "a range is written 1..10"},
        {OF_CALLS, "status in {9..1}", 11, 4, "the range ends before it begins"},
        {OF_CALLS, "status in 1", 10, 1, "behind in stand values in braces: in {1, 2}"},
        {OF_CALLS, "status in {}", 10, 1, "no value in these braces"},
        {OF_CALLS, "status in {1", 10, 1, "this brace is not closed"},
        {OF_CALLS, "status contains 4", 7, 8,
         "status is a number: ==, !=, <, <=, >, >= and in go with it"},
        {OF_CALLS, "from > a", 5, 1,
         "from is a text: ==, !=, contains, startswith, endswith, =~, !~ and in go with it"},
        {OF_CALLS, "src =~ 10", 4, 2,
         "src is an address: ==, != and in go with it, as in src == 10.0.0.0/8"},
        {OF_CALLS, "src == kam1", 7, 4,
         "an address was expected, which is like 10.0.0.1 or 10.0.0.0/8; a point is asked for by "
         "point == NAME"},
        {OF_CALLS, "src == 10.0.0.0/33", 7, 11,
         "an address was expected, which is like 10.0.0.1, 10.0.0.0/8, 10.0.0.1:5060, fd00::1 or "
         "[fd00::1]:5060"},
        {OF_CALLS, "src == 10.0.0.1:99999", 7, 14,
         "an address was expected, which is like 10.0.0.1, 10.0.0.0/8, 10.0.0.1:5060, fd00::1 or "
         "[fd00::1]:5060"},
        {OF_CALLS, "transport == udpp", 13, 4, "transport is udp, tcp, tls, ws, wss or sctp"},
        {OF_CALLS, "request == maybe", 11, 5, "true or false was expected"},
        {OF_CALLS, "call.duration > 5x", 16, 2,
         "a time was expected, which is like 10s, 500ms, 2m or 1h"},
        {OF_CALLS, "call.duration > 1.2.3", 16, 5,
         "a time was expected, which is like 10s, 500ms, 2m or 1h"},
        {OF_CALLS, "from =~ \"(a\"", 11, 1, "no regular expression: missing closing parenthesis"},
        {OF_CALLS, "count(sdp)", 10, 0, "a comparison is missing, as in count(...) > 1"},
        {OF_CALLS, "count(sdp) contains 1", 11, 8,
         "count() of sdp is a number: ==, !=, <, <=, >, >= and in go with it"},
        {OF_CALLS, "len(src) > 1", 3, 1, "src is no text, and has no length"},
        {OF_CALLS, "any(any(sdp))", 4, 3, "any() within another one"},
        {OF_CALLS, "any(call.state == ended)", 4, 10,
         "call.state is of the call: it stands outside of any(), all() and none()"},
        {OF_CALLS, "call.verdict == fail", 0, 12,
         "call.verdict is what check finds, which only the screens know beforehand"},
        {VIEW_FILTER_JUDGED, "call.finding == header-striped", 16, 14,
         "no such finding; did you mean header-stripped?"},
        {VIEW_FILTER_JUDGED, "call.finding == frobnicate", 16, 10,
         "no such finding; sipxray explain lists them"},
        {OF_CALLS, "retransmission", 0, 14,
         "retransmission is of messages that are listed one by one; of calls there is "
         "call.retransmissions > 0"},
        {OF_MESSAGES, "call.state == ended", 0, 10,
         "call.state is of a call, and here each message is looked at by itself"},
        {OF_MESSAGES, "any(sdp)", 0, 3,
         "any() asks all messages of a call, and here each message is looked at by itself"},
    };
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct view_filter_fault fault;
        struct slice expression = slice_of(cases[i].expression);
        if (view_filter_new(expression, cases[i].scope, &fault))
            fail_msg("%s is taken", cases[i].expression);
        if (fault.at != cases[i].at || fault.n != cases[i].n ||
            strcmp(fault.text, cases[i].text) != 0) {
            print_error("%s: %zu+%zu %s\n", cases[i].expression, fault.at, fault.n, fault.text);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void fill(struct text *t, const char *what, size_t n)
{
    text_clear(t);
    for (size_t i = 0; i < n; i++)
        text_add(t, slice_of(what));
}

static void refuse(const struct text *t, const char *why)
{
    struct view_filter_fault fault;
    assert_null(view_filter_new(text_slice(t), VIEW_FILTER_CALLS, &fault));
    assert_string_equal(fault.text, why);
}

static void test_limits(void **state)
{
    struct text t = {0};
    (void)state;
    fill(&t, "(", 65);
    refuse(&t, "more than 64 parentheses and nots within each other");
    fill(&t, "not ", 65);
    text_add(&t, SLICE("sdp"));
    refuse(&t, "more than 64 parentheses and nots within each other");
    fill(&t, "not ", 64);
    text_add(&t, SLICE("sdp"));
    view_filter_free(compile(t.p, VIEW_FILTER_CALLS));
    fill(&t, "sdp or ", 512);
    text_add(&t, SLICE("sdp"));
    refuse(&t, "more than 512 tests");
    fill(&t, "any(sdp) or ", 32);
    text_add(&t, SLICE("any(sdp)"));
    refuse(&t, "more than 32 times any(), all() and none()");
    fill(&t, "sdp", 1);
    for (int i = 0; i < 7; i++) {
        struct text more = {0};
        text_printf(&more, "(call.legs > %d and (%s or body)) ", i, t.p);
        text_free(&t);
        t = more;
    }
    refuse(&t, "more than 6 tests of the call between tests of messages; put them side by side");
    text_clear(&t);
    text_add(&t, SLICE("status in {"));
    for (int i = 0; i < 257; i++)
        text_printf(&t, "%d ", i);
    refuse(&t, "more than 256 values in braces");
    fill(&t, "x", 8193);
    refuse(&t, "the expression is longer than 8192 bytes");
    text_free(&t);
}

/* A catastrophic expression costs its limits so often, and is asked no more. */
static void test_catastrophe(void **state)
{
    struct scene *s = *state;
    struct sip_message m = s->messages[0];
    struct sip_header h = {.name = SLICE("X-A"),
                           .value = SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")};
    struct trace_seen seen = s->seen[0];
    struct view_filter *f = compile("header[X-A] =~ \"^(a+)+$\"", VIEW_FILTER_MESSAGES);
    m.headers = &h;
    m.header_count = 1;
    seen.sip = &m;
    for (unsigned i = 0; i < VIEW_FILTER_LIMITED_MAX + 100; i++)
        assert_int_equal(view_filter_message(f, &seen), VIEW_FILTER_UNSURE);
    assert_int_equal(view_filter_stats(f)->limited, VIEW_FILTER_LIMITED_MAX);
    view_filter_free(f);
}

/* ---- what is shown --------------------------------------------------------------------------- */

static void test_shown(void **state)
{
    static const char bad[] = "method == \"\xc3\xa4\"\tand\x1b metod";
    struct view_filter_fault fault;
    struct text t = {0};
    (void)state;
    assert_null(view_filter_new(slice_of(bad), VIEW_FILTER_CALLS, &fault));
    assert_string_equal(fault.text, "a control character");
    view_filter_fault_text(&t, slice_of(bad), &fault);
    assert_string_equal(t.p, "  method == \"\xc3\xa4\" and^[ metod\n                   ^^\n");
    assert_int_equal(view_filter_fault_column(slice_of(bad), &fault), 18);
    text_clear(&t);
    view_filter_quote(&t, SLICE("a\"b\\c"));
    assert_string_equal(t.p, "\"a\\\"b\\\\c\"");
    text_free(&t);
}

/* ---- the manual ------------------------------------------------------------------------------ */

/* "header[\(dqX-A\(dq]" as mdoc has it, as it is typed. */
static void unescape(struct text *out, struct slice line)
{
    text_clear(out);
    for (size_t i = 0; i < line.n; i++)
        if (slice_starts(slice_from(line, i), SLICE("\\(dq"))) {
            text_add_char(out, '"');
            i += 3;
        } else {
            text_add_char(out, line.p[i]);
        }
}

/* Each expression in it is one. */
static void test_manual(void **state)
{
    char line[1024];
    size_t n = 0;
    struct text words = {0};
    FILE *f = fopen("man/sipxray-filter.5", "r");
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        struct slice rest = slice_trim(slice_of(line));
        if (!slice_starts(rest, SLICE(".Dl ")) || slice_starts(rest, SLICE(".Dl sipxray")))
            continue;
        unescape(&words, slice_from(rest, 4));
        view_filter_free(compile(words.p, VIEW_FILTER_JUDGED));
        n++;
    }
    fclose(f);
    text_free(&words);
    assert_true(n >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_calls),
        cmocka_unit_test(test_legs),     cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_catastrophe),
        cmocka_unit_test(test_shown),    cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

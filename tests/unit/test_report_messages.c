/* report/messages and calls: lines for a person, objects and rows for programs. */
#include "report/report.h"

#include "unit.h"

#define BYE                                                                                        \
    "BYE sip:bob@10.0.1.1 SIP/2.0\r\n"                                                             \
    "Via: SIP/2.0/UDP 10.0.1.10;branch=z9hG4bK.1\r\n"                                              \
    "v: SIP/2.0/UDP 10.0.1.11;branch=z9hG4bK.2\r\n"                                                \
    "X-Folded:  a\r\n\t b  \r\n"                                                                   \
    "Authorization: Digest username=\"u\", response=\"secret\"\r\n"                                \
    "X-API-Key: topsecret\r\n"                                                                     \
    "Call-ID: a84b4c76e66710@carrier.example\r\n"                                                  \
    "CSeq: 2 BYE\r\n"                                                                              \
    "From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n"                                             \
    "Content-Length: 2\r\n\r\nhi"

#define OK                                                                                         \
    "SIP/2.0 200 \033[31mOK\r\nVia: SIP/2.0/UDP 10.0.1.10\r\nFrom: <sip:a@b>;tag=1\r\n"            \
    "To: <sip:b@b>;tag=2\r\nContent-Length: 0\r\n\r\n"

static const uint32_t frames[] = {24, 25};

/* What a test wants to see printed: a message of these bytes, at 2026-11-21T19:40:01.123456Z. */
struct shot {
    struct sip_scanner *scanner;
    struct sip_message sip;
    struct packet_payload payload;
    struct trace_message message;
};

static void take(struct shot *s, struct slice bytes)
{
    *s = (struct shot){.scanner = sip_scanner_new()};
    assert_true(sip_scan_datagram(s->scanner, bytes, 0, &s->sip));
    s->payload = (struct packet_payload){.transport = PACKET_UDP,
                                         .time_ns = INT64_C(1795290001123456000),
                                         .frames = frames,
                                         .frame_count = 2};
    assert_true(address_parse(SLICE("10.0.1.10"), &s->payload.src.ip));
    assert_true(address_parse(SLICE("fd00::1"), &s->payload.dst.ip));
    s->payload.src.port = s->payload.dst.port = 5060;
    s->message = (struct trace_message){.payload = &s->payload, .sip = &s->sip};
}

static struct json *ndjson(struct shot *s, bool show_secrets)
{
    struct report_messages r = {.style = {.show_secrets = show_secrets}};
    struct text t = {0};
    struct err err = {""};
    report_message_ndjson(&t, &r, "kam1", &s->message);
    assert_int_equal(t.p[t.n - 1], '\n');
    assert_null(memchr(t.p, '\n', t.n - 1));
    assert_null(memchr(t.p, '\033', t.n));
    struct json *root = json_parse("message", text_slice(&t), &err);
    if (!root)
        fail_msg("%s: %s", err.text, t.p);
    text_free(&t);
    report_messages_free(&r);
    return root;
}

static void is_string(const struct json *object, const char *key, const char *value)
{
    const struct json *v = json_get(object, key);
    if (!v || json_type(v) != JSON_STRING || !slice_is(json_string(v), value))
        fail_msg("%s is not %s", key, value);
}

static void is_null(const struct json *object, const char *key)
{
    assert_non_null(json_get(object, key));
    assert_int_equal(json_type(json_get(object, key)), JSON_NULL);
}

static void has_members(const struct json *object, const char *expected)
{
    struct text t = {0};
    for (const struct json *m = json_child(object); m; m = json_next(m))
        text_printf(&t, "%s%s", t.n ? " " : "", json_key(m));
    assert_string_equal(t.p, expected);
    text_free(&t);
}

static void has_header(const struct json *root, size_t index, const char *name, const char *value)
{
    const struct json *h = json_child(json_get(root, "headers"));
    while (index--)
        h = json_next(h);
    is_string(h, "name", name);
    is_string(h, "value", value);
}

static void test_request(void **state)
{
    struct shot s;
    (void)state;
    take(&s, SLICE(BYE));
    struct json *root = ndjson(&s, false);
    has_members(root, "point frames time transport src dst kind method uri status reason call_id "
                      "cseq state retransmission headers body_length malformed");
    is_string(root, "point", "kam1");
    is_string(root, "time", "2026-11-21T19:40:01.123456Z");
    is_string(root, "transport", "udp");
    is_string(root, "src", "10.0.1.10:5060");
    is_string(root, "dst", "[fd00::1]:5060");
    is_string(root, "kind", "request");
    is_string(root, "method", "BYE");
    is_string(root, "uri", "sip:bob@10.0.1.1");
    is_null(root, "status");
    is_null(root, "reason");
    is_string(root, "call_id", "a84b4c76e66710@carrier.example");
    is_string(root, "state", "whole");
    assert_int_equal(json_number(json_get(root, "cseq")), 2);
    assert_int_equal(json_number(json_get(root, "body_length")), 2);
    assert_int_equal(json_number(json_next(json_child(json_get(root, "frames")))), 25);
    assert_false(json_bool(json_get(root, "retransmission")));
    assert_null(json_child(json_get(root, "malformed")));
    has_header(root, 0, "Via", "SIP/2.0/UDP 10.0.1.10;branch=z9hG4bK.1");
    has_header(root, 1, "v", "SIP/2.0/UDP 10.0.1.11;branch=z9hG4bK.2");
    has_header(root, 2, "X-Folded", "a b");
    has_header(root, 3, "Authorization", "Digest ***");
    has_header(root, 4, "X-API-Key", "***");
    json_free(root);
    root = ndjson(&s, true);
    has_header(root, 3, "Authorization", "Digest username=\"u\", response=\"secret\"");
    has_header(root, 4, "X-API-Key", "topsecret");
    json_free(root);
    sip_scanner_free(s.scanner);
}

static void test_response(void **state)
{
    struct shot s;
    (void)state;
    take(&s, SLICE(OK));
    s.message.retransmission = s.message.duplicate = true;
    s.payload.time_ns += 789;
    struct json *root = ndjson(&s, false);
    is_string(root, "time", "2026-11-21T19:40:01.123456789Z");
    is_string(root, "kind", "response");
    is_string(root, "reason", "\033[31mOK");
    is_null(root, "method");
    is_null(root, "uri");
    is_null(root, "call_id");
    is_null(root, "cseq");
    assert_int_equal(json_number(json_get(root, "status")), 200);
    assert_true(json_bool(json_get(root, "retransmission")));
    assert_true(json_bool(json_get(root, "duplicate")));
    const struct json *problem = json_child(json_get(root, "malformed"));
    assert_non_null(problem);
    assert_true(slice_find(json_string(problem), ' ') < json_string(problem).n);
    json_free(root);
    sip_scanner_free(s.scanner);
}

static void prints(const char *bytes, size_t width, bool verbose, const char *expected)
{
    struct shot s;
    struct text t = {0};
    struct report_messages r = {.style = {.width = width, .verbose = verbose}, .point_width = 4};
    take(&s, slice_of(bytes));
    assert_true(address_parse(SLICE("10.0.1.1"), &s.payload.dst.ip));
    report_message_text(&t, &r, "kam1", &s.message);
    assert_string_equal(t.p, expected);
    text_free(&t);
    report_messages_free(&r);
    sip_scanner_free(s.scanner);
}

static void test_text(void **state)
{
    (void)state;
    prints(BYE, 80, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060  BYE  a84b4c76e66710...\n");
    prints(BYE, 120, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060  BYE sip:bob@10.0.1.1  "
           "a84b4c76e66710@carrier.example\n");
    prints(BYE, 60, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060\n"
           "    BYE sip:bob@10.0.1.1  a84b4c76e66710@carrier.example\n");
    prints(OK, 120, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060  200  ^[[31mOK  malformed\n");
    /* The marks count: at 80 columns nothing goes beyond. */
    prints("SIP/2.0 407 No\r\nCSeq: 1 SUBSCRIBE\r\n\r\n", 80, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060\n"
           "    407 SUBSCRIBE No  malformed\n");
    prints("SIP/2.0 407 No\r\nCSeq: 1 SUBSCRIBE\r\n\r\n", 82, false,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060  407 SUBSCRIBE  malformed\n");
}

static void test_verbose(void **state)
{
    (void)state;
    prints(BYE, 120, true,
           "2026-11-21 (UTC)\n"
           "kam1    25 19:40:01.123  10.0.1.10:5060 -> 10.0.1.1:5060  BYE sip:bob@10.0.1.1  "
           "a84b4c76e66710@carrier.example\n"
           "    Via: SIP/2.0/UDP 10.0.1.10;branch=z9hG4bK.1\n"
           "    v: SIP/2.0/UDP 10.0.1.11;branch=z9hG4bK.2\n"
           "    X-Folded: a b\n"
           "    Authorization: Digest ***\n"
           "    X-API-Key: ***\n"
           "    Call-ID: a84b4c76e66710@carrier.example\n"
           "    CSeq: 2 BYE\n"
           "    From: <sip:a@b>;tag=1\n"
           "    To: <sip:b@b>;tag=2\n"
           "    Content-Length: 2\n");
}

/* ---- calls ----------------------------------------------------------------------------------- */

static const struct slice call_ids[] = {SLICE("a,b@c"), SLICE("d")};
static const uint32_t point_ids[] = {0, 1};
static const struct trace_point points[] = {{.name = "kam1"}, {.name = "five9"}};

static struct call_summary a_call(void)
{
    struct call_summary c = {.call_ids = call_ids,
                             .call_id_count = 2,
                             .caller = SLICE("+14155550100"),
                             .callee = SLICE("=cmd|x"),
                             .start_ns = INT64_C(1795290001123456000),
                             .outcome = CALL_FAILED,
                             .status = 486,
                             .method = SLICE("INVITE"),
                             .messages = 22,
                             .points = point_ids,
                             .point_count = 2};
    c.last_ns = c.start_ns + INT64_C(62500000000);
    assert_true(address_parse(SLICE("10.0.1.10"), &c.src.ip));
    assert_true(address_parse(SLICE("fd00::1"), &c.dst.ip));
    c.src.port = c.dst.port = 5060;
    return c;
}

static void test_calls_text(void **state)
{
    struct report_calls r = {.style = {.width = 80}, .points = points};
    struct call_summary c = a_call();
    struct text t = {0};
    (void)state;
    report_call_text(&t, &r, &c);
    report_call_text(&t, &r, &c);
    report_calls_text_end(&t, &r);
    assert_string_equal(
        t.p, "START    TIME    OUTCOME       CALLER        CALLEE        MSGS PTS CALL-ID\n"
             "2026-11-21 (UTC)\n"
             "19:40:01 0:01:02 failed 486    +14155550100  =cmd|x          22   2 (2) a,b@c\n"
             "19:40:01 0:01:02 failed 486    +14155550100  =cmd|x          22   2 (2) a,b@c\n");
    text_clear(&t);
    r.count = 0;
    report_calls_text_end(&t, &r);
    assert_string_equal(t.p, "no calls\n");
    text_free(&t);
}

static void test_calls_csv(void **state)
{
    struct report_calls r = {.points = points};
    struct call_summary c = a_call();
    struct text t = {0};
    (void)state;
    report_call_csv(&t, &r, &c);
    report_calls_csv_end(&t, &r);
    assert_string_equal(
        t.p,
        "start,duration_ms,outcome,status,method,caller,callee,src,dst,messages,points,call_ids\r\n"
        "2026-11-21T19:40:01.123456Z,62500,failed,486,INVITE,+14155550100,'=cmd|x,10.0.1.10:5060,["
        "fd00::1]:5060,22,kam1 five9,\"a,b@c d\"\r\n");
    text_free(&t);
}

static void test_calls_ndjson(void **state)
{
    struct report_calls r = {.points = points};
    struct call_summary c = a_call();
    struct text t = {0};
    (void)state;
    c.outcome = CALL_NOT_A_CALL;
    c.status = 0;
    report_call_ndjson(&t, &r, &c);
    assert_string_equal(
        t.p, "{\"call_ids\":[\"a,b@c\",\"d\"],\"start\":\"2026-11-21T19:40:01.123456Z\",\"answer\":"
             "null,\"end\":null,\"last\":\"2026-11-21T19:41:03.623456Z\",\"duration_ms\":62500,"
             "\"outcome\":\"none\",\"status\":null,\"method\":\"INVITE\",\"caller\":\"+"
             "14155550100\",\"callee\":\"=cmd|x\",\"src\":\"10.0.1.10:5060\",\"dst\":\"[fd00::1]:"
             "5060\",\"messages\":22,\"points\":[\"kam1\",\"five9\"]}\n");
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),      cmocka_unit_test(test_response),
        cmocka_unit_test(test_text),         cmocka_unit_test(test_verbose),
        cmocka_unit_test(test_calls_text),   cmocka_unit_test(test_calls_csv),
        cmocka_unit_test(test_calls_ndjson),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

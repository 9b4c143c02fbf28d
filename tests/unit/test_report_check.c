/* report/check: the text at several widths and the JSON, of calls made by hand. */
#include "report_data.h"
#include "shown.h"

static const struct report_style plain = {.width = 80};

static void text_is(const struct data *d, const struct report_style *style, const char *expected)
{
    struct text t = {0};
    report_check_text(&t, style, &d->call);
    assert_string_equal(t.p, expected);
    text_free(&t);
}

static void test_text_80(void **state)
{
    struct data d;
    (void)state;
    data_stripped_call(&d);
    text_is(&d, &plain,
            "Call a84b4c76e66710@carrier.example   +14155550100 -> +15105550100\n"
            "  trunk \"My Five9 trunk\"\n"
            "BYE sent by livekit, answered 200\n"
            "                            livekit kam1    kam1    kam2    kam2    five9\n"
            "                            out     in      out     in      out     in\n"
            "  X-Five9-Queue    stripped Billing Billing -       -       -       -\n"
            "  X-Five9-Language ok       en-US   en-US   en-US   en-US   en-US   en-US\n"
            "  X-Five9-Summary  ok       Call... Call... Call... Call... Call... Call...\n"
            "FAIL  kam1 (10.0.1.1 in, 10.0.2.1 out) strips 1 of 3 headers from BYE:\n"
            "      X-Five9-Queue\n"
            "\n");
    data_free(&d);
}

static void test_text_120(void **state)
{
    struct data d;
    struct report_style style = {.width = 120};
    (void)state;
    data_stripped_call(&d);
    d.requests[0].header_count = 2;
    text_is(&d, &style,
            "Call a84b4c76e66710@carrier.example   +14155550100 -> +15105550100   trunk \"My Five9 "
            "trunk\"\n"
            "BYE sent by livekit, answered 200\n"
            "                    livekit  kam1     kam1   kam2   kam2   five9\n"
            "                    out      in       out    in     out    in\n"
            "  X-Five9-Queue     Billing  Billing  -      -      -      -      stripped by kam1\n"
            "  X-Five9-Language  en-US    en-US    en-US  en-US  en-US  en-US  ok\n"
            "FAIL  kam1 (10.0.1.1 in, 10.0.2.1 out) strips 1 of 2 headers from BYE: X-Five9-Queue\n"
            "\n");
    data_free(&d);
}

static void test_text_pass(void **state)
{
    struct data d;
    (void)state;
    data_call(&d);
    data_sighting(&d, "livekit", "out");
    data_sighting(&d, "kam1", "in");
    data_header(&d, SLICE("X-A"), SLICE("1"), 2);
    d.requests[0].answer_status = 0;
    d.call.trunk = NULL;
    d.call.call_id_count = 0;
    d.call.caller = SLICE_NONE;
    text_is(&d, &plain,
            "Call without Call-ID   ? -> +15105550100\n"
            "BYE sent by livekit, no answer seen\n"
            "       livekit  kam1\n"
            "       out      in\n"
            "  X-A  1        1     ok\n"
            "PASS  1 of 1 header of BYE unharmed at kam1:in\n"
            "\n");
    data_free(&d);
}

/* Who is guilty, in words. */
static void test_guilty_words(void **state)
{
    static const struct slice two[] = {SLICE("10.0.1.1"), SLICE("10.0.2.2")};
    static const struct {
        enum check_header_verdict verdict;
        struct check_guilty guilty;
        const char *words;
    } cases[] = {
        {CHECK_STRIPPED,
         {.any = true,
          .after = SLICE("livekit:out"),
          .before = SLICE("five9:in"),
          .candidates = two,
          .candidate_count = 2},
         "FAIL  1 of 1 header of BYE is lost between livekit:out and five9:in; candidates "
         "10.0.1.1, 10.0.2.2; a capture on one of them would settle it: X-A\n"},
        {CHECK_ALTERED,
         {.any = true,
          .after = SLICE("a:out"),
          .before = SLICE("b:in"),
          .candidates = two,
          .candidate_count = 1},
         "FAIL  1 of 1 header of BYE is altered between a:out and b:in; candidate 10.0.1.1; a "
         "capture on it would settle it: X-A\n"},
        {CHECK_STRIPPED,
         {.any = true, .after = SLICE("a:out"), .before = SLICE("b:in")},
         "FAIL  1 of 1 header of BYE is lost between a:out and b:in, where no other node is known: "
         "X-A\n"},
        {CHECK_MISSING,
         {.any = true, .before = SLICE("five9:in"), .candidates = two, .candidate_count = 2},
         "FAIL  1 of 1 header of BYE is lost before five9:in; candidates 10.0.1.1, 10.0.2.2; a "
         "capture on one of them would settle it: X-A\n"},
        {CHECK_NEVER_SENT,
         {.any = true, .sender = true, .node = SLICE("livekit"), .out = SLICE("10.0.1.10")},
         "FAIL  livekit (10.0.1.10) sends BYE without 1 of 1 header: X-A\n"},
        {CHECK_ALTERED,
         {.any = true, .sender = true, .node = SLICE("10.0.1.10"), .out = SLICE("10.0.1.10")},
         "FAIL  10.0.1.10 sends BYE with 1 of 1 header altered: X-A\n"},
        {CHECK_DUPLICATED,
         {.any = true, .node = SLICE("kam1"), .in = SLICE("10.0.1.1"), .out = SLICE("10.0.1.1")},
         "FAIL  kam1 (10.0.1.1) duplicates 1 of 1 header of BYE: X-A\n"},
        {CHECK_STRIPPED,
         {.any = true, .node = SLICE("pbx")},
         "FAIL  pbx strips 1 of 1 header from BYE: X-A\n"},
        {CHECK_UNKNOWN, {.any = false}, "WARN  BYE: the captures cannot tell what became of X-A\n"},
    };
    struct report_style style = {.width = 200};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data d;
        struct text t = {0};
        data_call(&d);
        data_sighting(&d, "a", "out");
        data_sighting(&d, "b", "in");
        struct check_header *h = data_header(&d, SLICE("X-A"), SLICE("1"), 1);
        h->verdict = cases[i].verdict;
        h->guilty = cases[i].guilty;
        report_check_text(&t, &style, &d.call);
        if (!strstr(t.p, cases[i].words))
            fail_msg("case %zu: %s", i, t.p);
        text_free(&t);
        data_free(&d);
    }
}

/* What would settle it where not all of the header was seen, or both candidates were captured. */
static void test_mended_by(void **state)
{
    static const struct slice candidates[] = {SLICE("kam1"), SLICE("kam2"), SLICE("10.0.2.9")};
    static const struct {
        enum check_state at_kam2;
        enum sip_state state;
        size_t candidates;
        const char *words;
    } cases[] = {
        {CHECK_STATE_CUT, SIP_CUT, 1,
         "; captures with a longer snap length would settle it: X-A\n"},
        {CHECK_STATE_CUT, SIP_GAP, 1, "; captures that miss no packet would settle it: X-A\n"},
        {CHECK_STATE_CUT, SIP_MIDSTREAM, 2,
         "; captures that miss no packet would settle it: X-A\n"},
        {CHECK_STATE_MISSING, SIP_WHOLE, 1, "; a capture on it would settle it: X-A\n"},
        {CHECK_STATE_MISSING, SIP_WHOLE, 2,
         "; captures in which what passes between them can be read would settle it: X-A\n"},
        {CHECK_STATE_MISSING, SIP_WHOLE, 3, "; a capture on one of them would settle it: X-A\n"},
    };
    struct report_style style = {.width = 200};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data d;
        struct text t = {0};
        data_call(&d);
        data_sighting(&d, "kam1", "in");
        data_sighting(&d, "kam2", "out");
        data_sighting(&d, "five9", "in");
        struct check_header *h = data_header(&d, SLICE("X-A"), SLICE("1"), 1);
        d.sightings[1].state = cases[i].state;
        d.states[0][1] = cases[i].at_kam2;
        h->verdict = CHECK_STRIPPED;
        h->guilty = (struct check_guilty){.any = true,
                                          .after = SLICE("kam1:in"),
                                          .before = SLICE("kam2:out"),
                                          .candidates = candidates,
                                          .candidate_count = cases[i].candidates};
        report_check_text(&t, &style, &d.call);
        if (!strstr(t.p, cases[i].words))
            fail_msg("case %zu: %s", i, t.p);
        text_free(&t);
        data_free(&d);
    }
}

/* Ten sightings, a name of forty characters and a long value: no line is wider than the terminal.
 */
static void test_widths(void **state)
{
    static const char *const points[] = {"livekit", "kam1", "kam1", "kam2", "kam2",
                                         "sbc",     "sbc",  "edge", "edge", "five9"};
    (void)state;
    for (size_t width = 40; width < 240; width += 7) {
        struct data d;
        struct text t = {0};
        struct report_style style = {.width = width};
        data_call(&d);
        for (size_t i = 0; i < COUNT(points); i++)
            data_sighting(&d, points[i], i % 2 ? "in" : "out");
        struct check_header *h =
            data_header(&d, SLICE("X-Five9-Queue-A-Name-Of-Forty-Characters"),
                        SLICE("a long value with many words in it, and some more of them"), 3);
        h->verdict = CHECK_ALTERED;
        h->guilty = (struct check_guilty){.any = true, .node = SLICE("kam1")};
        d.states[0][4] = CHECK_STATE_ALTERED;
        data_header(&d, SLICE("X-B"), SLICE("short"), 10);
        report_check_text(&t, &style, &d.call);
        /* a name is never broken */
        size_t most = width < 48 ? 48 : width;
        if (shown_width(t.p) > most)
            fail_msg("at %zu columns: %s", width, t.p);
        assert_non_null(strstr(t.p, "X-B"));
        text_free(&t);
        data_free(&d);
    }
}

static const struct slice hostile[] = {
    SLICE("\033[31mred\033[0m"),
    SLICE("a\0b"),
    SLICE("\xff\xfe"),
    SLICE("\xe2\x80\xae"
          "evil"),
    SLICE("\xc2\x9b"
          "31m"),
    SLICE("\r\nX-Forged: 1"),
    SLICE("\x7f\b\b\b"),
    SLICE("\"}],\"verdict\":\"pass\""),
};

static void test_hostile_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        for (size_t width = 40; width <= 200; width += 40) {
            struct data d;
            struct text t = {0};
            struct report_style style = {.width = width, .verbose = width > 100};
            data_hostile(&d, hostile[i]);
            d.call.verdict = CHECK_INCONCLUSIVE;
            d.sightings[0].side = SLICE_NONE;
            report_check_text(&t, &style, &d.call);
            shown_harmless(text_slice(&t));
            text_free(&t);
            data_free(&d);
        }
}

static void test_colours(void **state)
{
    struct data d;
    struct text t = {0};
    struct report_style style = {.width = 80, .colour = true};
    (void)state;
    data_stripped_call(&d);
    report_check_text(&t, &style, &d.call);
    assert_non_null(strstr(t.p, "\033[31mFAIL\033[0m"));
    assert_non_null(strstr(t.p, "\033[31mstripped\033[0m"));
    assert_non_null(strstr(t.p, "\033[32mok      \033[0m"));
    text_free(&t);
    data_free(&d);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static struct json *report_of(struct data *d, size_t calls, const struct report_style *style)
{
    static const struct check_summary summary = {.calls = 1, .failed = 1};
    static const struct source_stats source = {.frames = 28};
    static const struct packet_stats packet = {.tls_undecrypted_records = 37};
    struct trace_point point = {.name = "kam1",
                                .path = "kam1.pcap",
                                .link_types = {276, 1},
                                .link_type_count = 2,
                                .messages = 22,
                                .source = &source,
                                .packet = &packet};
    static const struct slice addresses[] = {SLICE("10.0.1.1"), SLICE("10.0.2.1")};
    static const struct trace_node node = {SLICE("kam1"), addresses, 2};
    struct report_run run = {.version = "1",
                             .verdict = CHECK_FAIL,
                             .summary = &summary,
                             .points = &point,
                             .point_count = 1,
                             .nodes = &node,
                             .node_count = 1};
    struct text t = {0};
    struct err err = {""};
    report_check_json_head(&t, &run);
    for (size_t i = 0; i < calls; i++)
        report_check_json_call(&t, style, i == 0, false, &d->call);
    report_check_json_tail(&t, &run, calls > 0);
    shown_harmless(text_slice(&t));
    struct json *root = json_parse("report", text_slice(&t), &err);
    if (!root)
        fail_msg("%s: %s", err.text, t.p);
    text_free(&t);
    return root;
}

/* A path such as "calls.0.requests.0.method". */
static const struct json *at(const struct json *v, const char *path)
{
    struct slice rest = slice_of(path);
    while (v && rest.n) {
        char key[32];
        uint32_t index;
        struct slice step = slice_first(rest, slice_find(rest, '.'));
        rest = slice_from(rest, step.n + 1);
        if (json_type(v) == JSON_ARRAY && slice_to_u32(step, &index)) {
            for (v = json_child(v); v && index; index--)
                v = json_next(v);
            continue;
        }
        snprintf(key, sizeof key, "%.*s", SLICE_ARG(step));
        v = json_get(v, key);
    }
    if (!v)
        fail_msg("no %s", path);
    return v;
}

/* NULL: the value is null */
static void string_at_is(const struct json *root, const char *path, const char *value)
{
    const struct json *v = at(root, path);
    if (!value) {
        assert_int_equal(json_type(v), JSON_NULL);
        return;
    }
    assert_int_equal(json_type(v), JSON_STRING);
    if (!slice_is(json_string(v), value))
        fail_msg("%s is %.*s", path, SLICE_ARG(json_string(v)));
}

static void keys_are(const struct json *object, const char *keys)
{
    struct text t = {0};
    for (const struct json *m = json_child(object); m; m = json_next(m))
        text_printf(&t, "%s%s", t.n ? " " : "", json_key(m));
    assert_string_equal(t.p, keys);
    text_free(&t);
}

/* The members and their order are the contract. */
static void test_json_members(void **state)
{
    struct data d;
    (void)state;
    data_stripped_call(&d);
    struct json *root = report_of(&d, 2, &plain);
    keys_are(root, "schema version verdict summary points nodes calls findings");
    keys_are(at(root, "summary"), "calls passed failed inconclusive");
    keys_are(at(root, "points.0"), "name source link_type packets messages truncated undecrypted");
    assert_int_equal(json_number(at(root, "points.0.undecrypted")), 37);
    keys_are(at(root, "nodes.0"), "name addresses");
    keys_are(at(root, "calls.1"),
             "call_ids start direction caller callee trunk verdict requests findings causes");
    keys_are(at(root, "calls.0.requests.0"),
             "method cseq sent_by applies why sightings answer headers");
    keys_are(at(root, "calls.0.requests.0.sightings.0"),
             "at point node side src dst transport call_id cseq frames transmissions");
    keys_are(at(root, "calls.0.requests.0.headers.0"),
             "name expected verdict states values guilty");
    keys_are(at(root, "calls.0.requests.0.headers.0.guilty"), "node in out");
    keys_are(at(root, "calls.0.findings.0"), "id severity method header node message evidence");
    keys_are(at(root, "calls.0.findings.0.evidence.0"), "point frame");
    json_free(root);
    data_free(&d);
}

static void test_json_values(void **state)
{
    struct data d;
    (void)state;
    data_stripped_call(&d);
    struct json *root = report_of(&d, 1, &plain);
    string_at_is(root, "schema", "sipxray-check/1");
    string_at_is(root, "verdict", "fail");
    string_at_is(root, "points.0.link_type", "LINUX_SLL2,EN10MB");
    string_at_is(root, "nodes.0.addresses.1", "10.0.2.1");
    string_at_is(root, "calls.0.call_ids.0", "a84b4c76e66710@carrier.example");
    string_at_is(root, "calls.0.trunk.name", "My Five9 trunk");
    string_at_is(root, "calls.0.requests.0.sent_by.address", "10.0.1.10");
    string_at_is(root, "calls.0.requests.0.sightings.1.at", "kam1:in");
    string_at_is(root, "calls.0.requests.0.sightings.0.dst", "[fd00::1]:5060");
    string_at_is(root, "calls.0.requests.0.headers.0.states.5", "missing");
    string_at_is(root, "calls.0.requests.0.headers.0.values.1.0", "Billing");
    string_at_is(root, "calls.0.requests.0.headers.0.guilty.out", "10.0.2.1");
    string_at_is(root, "calls.0.findings.0.id", "header-stripped");
    assert_int_equal(json_number(at(root, "calls.0.requests.0.answer.status")), 200);
    assert_int_equal(json_number(at(root, "calls.0.requests.0.sightings.0.frames.1")), 15);
    assert_null(json_child(at(root, "calls.0.requests.0.headers.0.values.2")));
    assert_int_equal(json_type(at(root, "calls.0.requests.0.headers.1.guilty")), JSON_NULL);
    json_free(root);
    data_free(&d);
}

/* What is there at times only, and the forms of `guilty` without a node. */
static void test_json_forms(void **state)
{
    struct data d;
    static const struct slice candidates[] = {SLICE("10.0.1.1")};
    (void)state;
    data_stripped_call(&d);
    d.call.trunk = NULL;
    d.call.joined = SLICE("score 9");
    d.requests[0].status = 200;
    d.requests[0].answer_status = 0;
    d.headers[0].guilty = (struct check_guilty){
        .any = true, .after = SLICE("livekit:out"), .candidates = candidates, .candidate_count = 1};
    d.headers[1].has_value = true;
    d.headers[1].value = SLICE("en-US");
    struct json *root = report_of(&d, 1, &plain);
    keys_are(
        at(root, "calls.0"),
        "call_ids joined start direction caller callee trunk verdict requests findings causes");
    keys_are(at(root, "calls.0.requests.0.headers.0.guilty"), "node after before candidates");
    keys_are(at(root, "calls.0.requests.0.headers.1"),
             "name expected value verdict states values guilty");
    assert_int_equal(json_type(at(root, "calls.0.trunk")), JSON_NULL);
    assert_int_equal(json_type(at(root, "calls.0.requests.0.answer")), JSON_NULL);
    assert_int_equal(json_type(at(root, "calls.0.requests.0.headers.0.guilty.node")), JSON_NULL);
    assert_int_equal(json_number(at(root, "calls.0.requests.0.status")), 200);
    string_at_is(root, "calls.0.requests.0.headers.0.guilty.before", NULL);
    string_at_is(root, "calls.0.requests.0.headers.0.guilty.candidates.0", "10.0.1.1");
    json_free(root);
    root = report_of(&d, 0, &plain);
    assert_null(json_child(at(root, "calls")));
    json_free(root);
    data_free(&d);
}

static void test_json_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct data d;
        if (memchr(hostile[i].p, 0, hostile[i].n))
            continue; /* written as \u0000, which our own reader refuses */
        data_hostile(&d, hostile[i]);
        d.call.verdict = CHECK_INCONCLUSIVE;
        d.sightings[0].side = SLICE_NONE;
        struct json *root = report_of(&d, 1, &plain);
        string_at_is(root, "verdict", "fail");
        string_at_is(root, "calls.0.verdict", "inconclusive");
        json_free(root);
        data_free(&d);
    }
}

static void test_masked(void **state)
{
    static const struct {
        struct slice name, value;
        const char *masked;
    } cases[] = {
        {SLICE("Authorization"), SLICE("Digest username=\"a\", response=\"1\""), "Digest ***"},
        {SLICE("proxy-authorization"), SLICE("Bearer abc"), "Bearer ***"},
        {SLICE("Authorization"), SLICE("abc"), "***"},
        {SLICE("Authorization"), SLICE("a\"b c"), "***"},
        {SLICE("X-API-Key"), SLICE("k"), "***"},
        {SLICE("X-My-Auth-Token"), SLICE("k"), "***"},
        {SLICE("X-API-Key"), SLICE(""), ""},
        {SLICE("X-Five9-Queue"), SLICE("Digest x"), "Digest x"},
        {SLICE("WWW-Authenticate"), SLICE("Digest realm=\"x\""), "Digest realm=\"x\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int show = 0; show < 2; show++) {
            struct data d;
            struct report_style style = {.width = 80, .show_secrets = show};
            data_call(&d);
            data_sighting(&d, "a", "out");
            data_header(&d, cases[i].name, cases[i].value, 1);
            struct json *root = report_of(&d, 1, &style);
            struct slice value = json_string(at(root, "calls.0.requests.0.headers.0.values.0.0"));
            if (show)
                assert_true(slice_equal(value, cases[i].value));
            else
                assert_true(slice_is(value, cases[i].masked));
            json_free(root);
            data_free(&d);
        }
}

/* ---- the end --------------------------------------------------------------------------------- */

static void test_end(void **state)
{
    static const struct expect_trunk trunk = {.name = SLICE("T")};
    static struct check_promise promises[] = {
        {&trunk, SLICE("X-A"), false}, {&trunk, SLICE("X-B"), true}, {&trunk, SLICE("X-C"), false}};
    static const struct {
        struct check_summary summary;
        enum check_verdict verdict;
        const char *text;
    } cases[] = {
        {{.calls = 1, .failed = 1}, CHECK_FAIL, "1 call: 0 passed, 1 failed\n"},
        {{.calls = 3, .passed = 2, .inconclusive = 1},
         CHECK_PASS,
         "3 calls: 2 passed, 0 failed, 1 not judged\n"},
        {{.promises = promises, .promise_count = 3},
         CHECK_INCONCLUSIVE,
         "OPEN  never judged: X-A, X-C of trunk \"T\"\n"
         "0 calls: 0 passed, 0 failed\n"
         "Not everything that is promised was judged: the exit status is 3\n"
         "  (--allow-untested makes it 0).\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        struct report_run run = {.verdict = cases[i].verdict, .summary = &cases[i].summary};
        report_check_text_end(&t, &plain, &run);
        assert_string_equal(t.p, cases[i].text);
        text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_80),      cmocka_unit_test(test_text_120),
        cmocka_unit_test(test_text_pass),    cmocka_unit_test(test_guilty_words),
        cmocka_unit_test(test_mended_by),    cmocka_unit_test(test_widths),
        cmocka_unit_test(test_hostile_text), cmocka_unit_test(test_colours),
        cmocka_unit_test(test_json_members), cmocka_unit_test(test_json_values),
        cmocka_unit_test(test_json_forms),   cmocka_unit_test(test_json_hostile),
        cmocka_unit_test(test_masked),       cmocka_unit_test(test_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

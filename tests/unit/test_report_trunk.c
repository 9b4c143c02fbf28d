/* report/trunk: the promises as text and JSON, the match, and that nothing foreign or secret gets
 * through. */
#include "report/report.h"

#include "unit.h"

#define TRUNK                                                                                      \
    "{\"items\":[{\"sip_trunk_id\":\"ST_a\",\"name\":\"Five9\",\"numbers\":[\"+15105550100\"],"    \
    "\"auth_password\":\"hunter2\",\"headers\":{\"X-Api-Key\":\"s3cret\"},"                        \
    "\"headers_to_attributes\":{\"X-In\":\"in\"},\"attributes_to_headers\":{\"q\":\"X-Queue\"}}]}"

static const struct report_style plain = {.width = 80};

static struct expect_trunks parse(const char *json)
{
    struct expect_trunks t = {0};
    struct err err = {""};
    assert_true(expect_trunks_parse(&t, "trunk.json", slice_of(json), &err));
    return t;
}

static void test_text(void **state)
{
    static const char expected[] =
        "Inbound trunk ST_a \"Five9\", from trunk.json\n"
        "  numbers (To user): +15105550100\n"
        "  allowed numbers (From user): any\n"
        "  allowed addresses (source): any\n"
        "\n"
        "  INVITE that LiveKit receives\n"
        "    X-In       may   into attribute in\n"
        "  200 to INVITE, sent by LiveKit\n"
        "    X-Api-Key  must  fixed = ***\n"
        "    X-Queue    may   from attribute q = Billing\n"
        "  REFER sent by LiveKit\n"
        "    X-Queue    must  from attribute q = Billing\n"
        "  BYE sent by LiveKit\n"
        "    X-Queue    must  from attribute q = Billing\n"
        "\n"
        "  must: if it is absent as it leaves LiveKit, something is wrong. may: there\n"
        "  only if the attribute is set by then, or if the far end sends it.\n"
        "  Never mapped, so nothing is owed there: ACK, CANCEL, 100, 180, error\n"
        "  responses, the 200 to BYE, the 200 to a re-INVITE, and a BYE that LiveKit\n"
        "  receives, that is, when the far end hangs up.\n";
    struct expect_trunks t = parse(TRUNK);
    struct expect_values v = {0};
    struct err err = {""};
    struct text out = {0};
    (void)state;
    assert_true(expect_values_parse(&v, "v.json", SLICE("{\"q\":\"Billing\"}"), &err));
    report_trunk_text(&out, &plain, &t.items[0], &v);
    assert_string_equal(out.p, expected);
    text_free(&out);
    expect_values_free(&v);
    expect_trunks_free(&t);
}

static void test_outbound_text(void **state)
{
    static const char *const lines[] = {
        "Outbound trunk ST_o, from trunk.json\n",
        "  address: sip.example.com\n",
        ("  INVITE sent by LiveKit\n    X-A  must  fixed = 1, unless the call's own request sets "
         "it\n"),
        "  200 to INVITE that LiveKit receives: nothing\n",
        "  BYE sent by LiveKit: nothing\n",
        "  note     headers: is sent on the INVITE only",
    };
    struct expect_trunks t = parse(
        "{\"sip_trunk_id\":\"ST_o\",\"address\":\"sip.example.com\",\"headers\":{\"X-A\":\"1\"}}");
    struct text out = {0};
    (void)state;
    report_trunk_text(&out, &plain, &t.items[0], NULL);
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_non_null(strstr(out.p, lines[i]));
    text_free(&out);
    expect_trunks_free(&t);
}

/* No line is wider than the terminal, and no control byte of a trunk reaches it. */
static void test_hostile(void **state)
{
    static const size_t widths[] = {40, 80, 132};
    struct expect_trunks t = parse(
        "{\"sip_trunk_id\":\"ST_\\u001b[2J\",\"name\":\"\\u202eevil\\n\",\"numbers\":[\"+1\\r\"],"
        "\"allowed_addresses\":[\"\\u0007\"],"
        "\"attributes_to_headers\":{\"a\\u001b\":\"X-\\u0085\",\"b\":\"X-A\"}}");
    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        struct report_style style = {.width = widths[i]};
        struct text out = {0};
        report_trunk_text(&out, &style, &t.items[0], NULL);
        for (struct slice rest = text_slice(&out); rest.n;) {
            struct slice line = slice_first(rest, slice_find(rest, '\n'));
            rest = slice_from(rest, line.n + 1);
            assert_true(text_width(line) <= widths[i] || i == 0);
            for (size_t k = 0; k < line.n; k++)
                assert_true((unsigned char)line.p[k] >= 0x20 && line.p[k] != 0x7f);
        }
        text_free(&out);
    }
    expect_trunks_free(&t);
}

static void test_json(void **state)
{
    struct expect_trunks t = parse(TRUNK);
    struct arena a = {0};
    struct err err = {""};
    struct text out = {0};
    struct expect_invite invite = {.to_user = SLICE("15105550100")};
    (void)state;
    struct expect_match m = expect_match_trunk(&a, &t, EXPECT_INBOUND, &invite);
    report_trunk_json(&out, &plain, &t, NULL, &m);
    assert_null(strstr(out.p, "s3cret"));
    assert_null(strstr(out.p, "hunter2"));
    struct json *root = json_parse("out", text_slice(&out), &err);
    assert_non_null(root);
    assert_true(slice_is(json_string(json_get(root, "schema")), "sipxray-trunk/1"));
    const struct json *trunk = json_child(json_get(root, "trunks"));
    assert_true(slice_is(json_string(json_get(trunk, "id")), "ST_a"));
    assert_true(slice_is(json_string(json_get(trunk, "direction")), "inbound"));
    const struct json *promise = json_child(json_get(trunk, "promises"));
    assert_true(slice_is(json_string(json_get(promise, "message")), "INVITE"));
    assert_true(slice_is(json_string(json_get(promise, "sent_by")), "peer"));
    assert_true(slice_is(json_string(json_get(promise, "header")), "X-In"));
    assert_true(slice_is(json_string(json_get(promise, "attribute")), "in"));
    assert_true(slice_is(json_string(json_get(promise, "force")), "may"));
    promise = json_next(promise);
    assert_true(slice_is(json_string(json_get(promise, "field")), "headers"));
    assert_int_equal(json_type(json_get(promise, "attribute")), JSON_NULL);
    assert_true(slice_is(json_string(json_get(promise, "value")), "***"));
    assert_null(json_child(json_get(trunk, "lint")));
    const struct json *match = json_get(root, "match");
    assert_true(slice_is(json_string(json_get(match, "result")), "matched"));
    assert_true(slice_is(json_string(json_get(match, "trunk")), "ST_a"));
    assert_true(slice_starts(json_string(json_child(json_get(match, "reasons"))),
                             SLICE("ST_a \"Five9\" matches: ")));
    json_free(root);
    text_free(&out);
    arena_free(&a);
    expect_trunks_free(&t);
}

static void test_match_text(void **state)
{
    static const struct {
        const char *to;
        const char *expected;
    } cases[] = {
        {"+15105550100",
         "LiveKit would pick the trunk ST_a \"Five9\".\n  ST_a \"Five9\" matches: "},
        {"+1999", "No inbound trunk matches: LiveKit answers 503 or 404, by version.\n  ST_a "
                  "\"Five9\" does not"},
    };
    struct expect_trunks t = parse(TRUNK);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct text out = {0};
        struct expect_invite invite = {.to_user = slice_of(cases[i].to)};
        struct expect_match m = expect_match_trunk(&a, &t, EXPECT_INBOUND, &invite);
        report_trunk_match_text(&out, &plain, EXPECT_INBOUND, &m);
        assert_true(slice_starts(text_slice(&out), slice_of(cases[i].expected)));
        text_free(&out);
        arena_free(&a);
    }
    expect_trunks_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_outbound_text),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_match_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

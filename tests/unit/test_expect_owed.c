/* expect/owed: the table of fields and messages, values, merging. */
#include "expect/expect.h"

#include "unit.h"

#define MAPS                                                                                       \
    "\"headers\":{\"X-Fixed\":\"f\"},\"headers_to_attributes\":{\"X-In\":\"in\"},"                 \
    "\"attributes_to_headers\":{\"b\":\"X-B\",\"a\":\"x-a\"}"

static const char inbound[] = "{\"sip_trunk_id\":\"ST_i\"," MAPS "}";
static const char outbound[] = "{\"sip_trunk_id\":\"ST_o\",\"address\":\"h\"," MAPS "}";

/* What is owed, as text: "HEADER force [attribute] [=value] field-initials;" each. */
static char *owed_text(const char *trunk, enum expect_message message, bool by_livekit,
                       const char *values)
{
    struct expect_trunks t = {0};
    struct expect_values v = {0};
    struct arena a = {0};
    struct err err = {""};
    struct text out = {0};
    const struct expect_owed *owed;
    assert_true(expect_trunks_parse(&t, "t", slice_of(trunk), &err));
    assert_true(!values || expect_values_parse(&v, "v", slice_of(values), &err));
    size_t n = expect_owed(&a, &t.items[0], message, by_livekit, values ? &v : NULL, &owed);
    text_add(&out, SLICE(""));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(owed[i].by_livekit, by_livekit);
        text_printf(&out, "%s%.*s %s %s", i ? "; " : "", SLICE_ARG(owed[i].header),
                    expect_force_name(owed[i].force), owed[i].field);
        if (owed[i].attribute.n)
            text_printf(&out, " %.*s", SLICE_ARG(owed[i].attribute));
        if (owed[i].has_value)
            text_printf(&out, "=%.*s", SLICE_ARG(owed[i].value));
    }
    arena_free(&a);
    expect_values_free(&v);
    expect_trunks_free(&t);
    return out.p;
}

struct owed_case {
    const char *trunk;
    enum expect_message message;
    bool by_livekit;
    const char *values;
    const char *expected;
};

static const struct owed_case cases[] = {
    {inbound, EXPECT_INVITE, false, NULL, "X-In may headers_to_attributes in"},
    {inbound, EXPECT_INVITE, true, NULL, ""},
    {inbound, EXPECT_INVITE_200, true, NULL,
     "x-a may attributes_to_headers a; X-B may attributes_to_headers b; X-Fixed must headers=f"},
    {inbound, EXPECT_INVITE_200, false, NULL, ""},
    {inbound, EXPECT_BYE, true, NULL,
     "x-a must attributes_to_headers a; X-B must attributes_to_headers b"},
    {inbound, EXPECT_BYE, false, NULL, ""},
    {inbound, EXPECT_REFER, true, NULL,
     "x-a must attributes_to_headers a; X-B must attributes_to_headers b"},
    {inbound, EXPECT_REFER, false, NULL, ""},
    {outbound, EXPECT_INVITE, true, NULL, "X-Fixed must headers"},
    {outbound, EXPECT_INVITE, false, NULL, ""},
    {outbound, EXPECT_INVITE_200, true, NULL, ""},
    {outbound, EXPECT_INVITE_200, false, NULL, "X-In may headers_to_attributes in"},
    {outbound, EXPECT_BYE, true, NULL,
     "x-a must attributes_to_headers a; X-B must attributes_to_headers b"},
    {outbound, EXPECT_BYE, false, NULL, ""},
    {outbound, EXPECT_REFER, true, NULL,
     "x-a must attributes_to_headers a; X-B must attributes_to_headers b"},
    /* values */
    {inbound, EXPECT_BYE, true, "{\"a\":\"1\",\"other\":\"x\"}",
     "x-a must attributes_to_headers a=1; X-B must attributes_to_headers b"},
    {inbound, EXPECT_BYE, true, "{\"a\":null,\"b\":\"2\"}", "X-B must attributes_to_headers b=2"},
    {inbound, EXPECT_BYE, true, "{\"a\":\"\",\"b\":null}", ""},
    {inbound, EXPECT_INVITE, false, "{\"in\":\"v\"}", "X-In may headers_to_attributes in=v"},
    {inbound, EXPECT_INVITE, false, "{\"in\":null}", ""},
    {"{\"headers_to_attributes\":{\"X-In\":\"s\"},\"attributes_to_headers\":{\"s\":\"X-Out\"}}",
     EXPECT_INVITE, false, "{\"s\":\"late\"}", "X-In may headers_to_attributes s"},
    /* one header from several sources */
    {"{\"attributes_to_headers\":{\"a\":\"X-A\",\"b\":\"x-a\"}}", EXPECT_BYE, true, NULL,
     "X-A must attributes_to_headers a, b"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\",\"b\":\"x-a\"}}", EXPECT_BYE, true,
     "{\"a\":\"1\",\"b\":\"2\"}", "X-A must attributes_to_headers a, b"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\",\"b\":\"X-A\"}}", EXPECT_BYE, true,
     "{\"a\":\"1\",\"b\":\"1\"}", "X-A must attributes_to_headers a, b=1"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\",\"b\":\"X-A\"}}", EXPECT_BYE, true,
     "{\"a\":\"1\",\"b\":null}", "X-A must attributes_to_headers a=1"},
    {"{\"attributes_to_headers\":{\"a\":\"s\",\"b\":\"Subject\"}}", EXPECT_BYE, true, NULL,
     "s must attributes_to_headers a, b"},
    {"{\"headers\":{\"X-A\":\"f\"},\"attributes_to_headers\":{\"a\":\"x-a\"}}", EXPECT_INVITE_200,
     true, "{\"a\":\"1\"}", "X-A must headers a"},
    {"{\"attributes_to_headers\":{\"a\":\"\"}}", EXPECT_BYE, true, NULL, ""},
    {"{\"numbers\":[]}", EXPECT_BYE, true, NULL, ""},
};

static void test_owed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct owed_case *c = &cases[i];
        char *text = owed_text(c->trunk, c->message, c->by_livekit, c->values);
        assert_string_equal(text, c->expected);
        free(text);
    }
}

/* An override by the call's own request is legal: the outbound fixed value is shown, not owed. */
static void test_outbound_value(void **state)
{
    struct expect_trunks t = {0};
    struct arena a = {0};
    struct err err = {""};
    const struct expect_owed *owed;
    (void)state;
    assert_true(expect_trunks_parse(&t, "t", slice_of(outbound), &err));
    assert_int_equal(expect_owed(&a, &t.items[0], EXPECT_INVITE, true, NULL, &owed), 1);
    assert_false(owed[0].has_value);
    assert_true(slice_is(owed[0].value, "f"));
    arena_free(&a);
    expect_trunks_free(&t);
}

static void test_speaks_of(void **state)
{
    static const struct {
        const char *trunk;
        bool invite, invite_200, bye, refer;
    } speaks[] = {
        {"{\"headers\":{\"X\":\"1\"}}", false, true, false, false},
        {"{\"headers_to_attributes\":{\"X\":\"1\"}}", true, false, false, false},
        {"{\"attributes_to_headers\":{\"a\":\"X\"}}", false, true, true, true},
        {"{\"address\":\"h\",\"headers\":{\"X\":\"1\"}}", true, false, false, false},
        {"{\"address\":\"h\",\"headers_to_attributes\":{\"X\":\"1\"}}", false, true, false, false},
        {"{\"address\":\"h\",\"attributes_to_headers\":{\"a\":\"X\"}}", false, false, true, true},
        {"{\"numbers\":[]}", false, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(speaks); i++) {
        struct expect_trunks t = {0};
        struct err err = {""};
        assert_true(expect_trunks_parse(&t, "t", slice_of(speaks[i].trunk), &err));
        assert_int_equal(expect_speaks_of(&t.items[0], EXPECT_INVITE), speaks[i].invite);
        assert_int_equal(expect_speaks_of(&t.items[0], EXPECT_INVITE_200), speaks[i].invite_200);
        assert_int_equal(expect_speaks_of(&t.items[0], EXPECT_BYE), speaks[i].bye);
        assert_int_equal(expect_speaks_of(&t.items[0], EXPECT_REFER), speaks[i].refer);
        expect_trunks_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owed),
        cmocka_unit_test(test_outbound_value),
        cmocka_unit_test(test_speaks_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

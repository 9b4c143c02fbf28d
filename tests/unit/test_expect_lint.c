/* expect/lint: each mistake is found, at its place, and a sound trunk has none. */
#include "expect/expect.h"

#include "unit.h"

struct lint_case {
    const char *trunk;
    const char *expected; /* "severity path: start of the message"; NULL: no lint at all */
};

#define A2H(x) "{\"attributes_to_headers\":{" x "}}"
#define FIX(x) "{\"attributes_to_headers\":{\"a\":\"X-A\"},\"headers\":{" x "}}"

static const struct lint_case cases[] = {
    {A2H("\"a\":\"X-Five9-Queue\",\"b\":\"X-Five9-Language\",\"c\":\"P-Custom\",\"d\":\"Plain\""),
     NULL},
    {FIX("\"X-Fixed\":\"a\\tb\""), NULL},
    {A2H("\"a\":\"X-Line1\",\"b\":\"X-Line2\""), NULL},
    {A2H("\"a\":\"X-A\",\"b\":\"X-B\""), NULL},
    {"{\"headers_to_attributes\":{\"X-Id\":\"id\",\"From\":\"f\"},\"attributes_to_headers\":{"
     "\"id\":\"X-Id\"}}",
     NULL},
    {"{\"address\":\"h\",\"headers\":{\"X-A\":\"1\"},\"attributes_to_headers\":{\"a\":\"X-A\"}}",
     NULL},
    /* names */
    {A2H("\"a\":\"\""), "error attributes_to_headers.a: the header name is empty"},
    {A2H("\"a\":\"X Foo\""), "error attributes_to_headers.a: \"X Foo\" is no header name"},
    {A2H("\"five9.q\":\"X-Foo:\""),
     "error attributes_to_headers[\"five9.q\"]: \"X-Foo:\" is no header name"},
    {FIX("\"X-\xc3\xa9\":\"1\""),
     "error headers[\"X-\xc3\xa9\"]: \"X-\xc3\xa9\" is no header name"},
    {FIX("\"Call-ID\":\"1\""), "error headers.Call-ID: LiveKit sets Call-ID itself"},
    {FIX("\"via\":\"1\""), "error headers.via: LiveKit sets via itself"},
    {FIX("\"i\":\"1\""), "error headers.i: LiveKit sets i itself"},
    {FIX("\"Max-Forwards\":\"1\""), "error headers.Max-Forwards: LiveKit sets"},
    {A2H("\"a\":\"Call-ID\""), "error attributes_to_headers.a: every message has its own Call-ID"},
    /* values */
    {FIX("\"X-F\":\"a\\r\\nb\""), "error headers.X-F: the value has control characters"},
    {FIX("\"X-F\":\"\""), "note headers.X-F: the value is empty"},
    /* one header twice */
    {A2H("\"a\":\"X-Q\",\"b\":\"x-q\""),
     "error attributes_to_headers.b: x-q is set by attributes_to_headers.a too"},
    {FIX("\"x-a\":\"1\""), "warning attributes_to_headers.a: X-A is set by headers.x-a too"},
    /* near misses */
    {A2H("\"a\":\"X-Five9-Queue\",\"b\":\"X_Five9-Queue\""),
     "warning attributes_to_headers.b: X_Five9-Queue is another header than X-Five9-Queue"},
    {A2H("\"a\":\"X_Five9-Queue\",\"b\":\"X-Five9-Queue\""),
     "warning attributes_to_headers.a: X_Five9-Queue is another header than X-Five9-Queue"},
    {A2H("\"a\":\"X-Five9Queue\",\"b\":\"X-Five9-Queue\""),
     "warning attributes_to_headers.b: X-Five9-Queue is another header than X-Five9Queue"},
    {A2H("\"a\":\"X_Five9\""), "warning attributes_to_headers.a: X_Five9 begins with X_"},
    {A2H("\"a\":\"X-Five9-Queue\",\"b\":\"X-Five9-Qeue\""),
     "note attributes_to_headers.b: X-Five9-Qeue is nearly the same as X-Five9-Queue"},
    {A2H("\"a\":\"UserAgent\""),
     "warning attributes_to_headers.a: UserAgent is not the standard header User-Agent"},
    /* swapped, or in the wrong map */
    {A2H("\"X-Five9-Queue\":\"queue\""),
     "error attributes_to_headers.X-Five9-Queue: key and value look swapped"},
    {"{\"headers_to_attributes\":{\"queue\":\"X-Five9-Queue\"},\"attributes_to_headers\":{\"a\":"
     "\"X-A\"}}",
     "error headers_to_attributes.queue: key and value look swapped"},
    {"{\"headers_to_attributes\":{\"X-Five9-Queue\":\"queue\"}}",
     "warning headers_to_attributes: only reads headers, from the INVITE that LiveKit receives"},
    {"{\"address\":\"h\",\"headers_to_attributes\":{\"X-Five9-Queue\":\"queue\"}}",
     "warning headers_to_attributes: only reads headers, from the 200 to INVITE"},
    {"{\"headers\":{\"X-A\":\"1\"}}", "note headers: is sent on the 200 to INVITE only"},
    {"{\"address\":\"h\",\"headers\":{\"X-A\":\"1\"}}", "note headers: is sent on the INVITE only"},
    {"{\"numbers\":[\"+1\"]}", "note attributes_to_headers: this trunk maps nothing"},
    {A2H("\"sip.h.X-Queue\":\"X-Queue\""),
     "warning attributes_to_headers[\"sip.h.X-Queue\"]: include_headers makes"},
    /* matching */
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"allowed_addresses\":[\"10.0.0.1\",\"10.0.0.2 "
     "\"]}",
     "warning allowed_addresses[1]: LiveKit drops \"10.0.0.2 \""},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"allowed_addresses\":[\"[::1]\"]}",
     "warning allowed_addresses[0]: an IPv6 address in brackets"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"allowed_addresses\":[\"carrier.example\"]}",
     "note allowed_addresses[0]: \"carrier.example\" is compared"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"numbers\":[\"+1510\",\"1 510\"]}",
     "error numbers[1]: the same number as numbers[0]"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"numbers\":[\"+1510*\"]}",
     "warning numbers[0]: numbers are compared"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"transport\":1}",
     "error address: an outbound trunk needs"},
    {"{\"attributes_to_headers\":{\"a\":\"X-A\"},\"address\":\"sip:h\"}",
     "error address: LiveKit takes a host name"},
};

static void check_lint(const struct lint_case *c)
{
    struct expect_trunks t = {0};
    struct arena a = {0};
    struct err err = {""};
    const struct expect_lint *lint;
    assert_true(expect_trunks_parse(&t, "t", slice_of(c->trunk), &err));
    size_t n = expect_lint(&a, &t.items[0], &lint);
    struct text line = {0};
    for (size_t i = 0; i < n && i < 1; i++)
        text_printf(&line, "%s %.*s: %.*s", expect_lint_name(lint[i].severity),
                    SLICE_ARG(lint[i].path), SLICE_ARG(lint[i].message));
    if (n != (c->expected != NULL) ||
        (n && !slice_starts(text_slice(&line), slice_of(c->expected))))
        fail_msg("%s: %zu lines, first: %s", c->trunk, n, n ? line.p : "");
    text_free(&line);
    arena_free(&a);
    expect_trunks_free(&t);
}

static void test_lint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_lint(&cases[i]);
}

/* What depends on a length, and what gives more than one line. */
static void test_lengths(void **state)
{
    static const struct {
        size_t name, value, errors;
    } lengths[] = {{255, 1024, 0}, {256, 1024, 1}, {255, 1025, 1}, {256, 1025, 2}};
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct text json = {0};
        struct expect_trunks t = {0};
        struct arena a = {0};
        struct err err = {""};
        const struct expect_lint *lint;
        text_printf(&json,
                    "{\"attributes_to_headers\":{\"a\":\"X-A\"},\"headers\":{\"%0*d\":\"%0*d\"}}",
                    (int)lengths[i].name, 7, (int)lengths[i].value, 8);
        assert_true(expect_trunks_parse(&t, "t", text_slice(&json), &err));
        assert_int_equal(expect_lint(&a, &t.items[0], &lint), lengths[i].errors);
        text_free(&json);
        arena_free(&a);
        expect_trunks_free(&t);
    }
}

static void test_all_dropped(void **state)
{
    struct expect_trunks t = {0};
    struct arena a = {0};
    struct err err = {""};
    const struct expect_lint *lint;
    (void)state;
    assert_true(expect_trunks_parse(&t, "t",
                                    SLICE("{\"attributes_to_headers\":{\"a\":\"X-A\"},"
                                          "\"allowed_addresses\":[\"*\",\"sip://x\"]}"),
                                    &err));
    assert_int_equal(expect_lint(&a, &t.items[0], &lint), 3);
    assert_int_equal(lint[2].severity, EXPECT_LINT_ERROR);
    assert_true(slice_is(lint[2].path, "allowed_addresses"));
    arena_free(&a);
    expect_trunks_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lint),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_all_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

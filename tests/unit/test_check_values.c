/* Unit tests of check/: what became of a header's values, and which values a message carries. */
#include "check/internal.h"
#include "unit.h"

#define VALUES 4

static struct expect_list list_of(const char *const *texts, struct slice *items)
{
    struct expect_list list = {items, 0};
    while (list.n < VALUES && texts[list.n]) {
        items[list.n] = slice_of(texts[list.n]);
        list.n++;
    }
    return list;
}

static const struct {
    const char *was[VALUES], *is[VALUES];
    enum check_header_verdict verdict;
} pairs[] = {
    {{"True"}, {"True"}, CHECK_OK},
    {{""}, {""}, CHECK_OK},
    {{"True"}, {NULL}, CHECK_STRIPPED},
    {{"a", "b"}, {NULL}, CHECK_STRIPPED},
    {{"True"}, {"true"}, CHECK_ALTERED},
    {{"True"}, {"False"}, CHECK_ALTERED},
    {{"a"}, {"ab"}, CHECK_ALTERED},
    /* lines joined by commas, and parted (RFC 3261 7.3.1) */
    {{"a", "b"}, {"a,b"}, CHECK_OK},
    {{"a", "b"}, {"a , b"}, CHECK_OK},
    {{"a, b"}, {"a", "b"}, CHECK_OK},
    {{"a, b", "c"}, {"a", "b,c"}, CHECK_OK},
    {{"\"x, y\""}, {"\"x", "y\""}, CHECK_ALTERED},
    {{"a", "b"}, {"b", "a"}, CHECK_ALTERED},
    {{"a", "b"}, {"a"}, CHECK_ALTERED},
    {{"a", "b"}, {"a", "c"}, CHECK_ALTERED},
    /* the end is gone */
    {{"Caller asked for a refund"}, {"Caller asked"}, CHECK_TRUNCATED},
    {{"abc"}, {"a"}, CHECK_TRUNCATED},
    {{"abc"}, {"bc"}, CHECK_ALTERED},
    {{"a", "bcd"}, {"a", "b"}, CHECK_ALTERED},
    {{"Z\303\274rich"}, {"Z\303"}, CHECK_TRUNCATED},
    /* percent-encoded, with any case of the digits */
    {{"a b"}, {"a%20b"}, CHECK_ENCODED},
    {{"a b"}, {"a+b"}, CHECK_ENCODED},
    {{"Z\303\274rich"}, {"Z%c3%bcrich"}, CHECK_ENCODED},
    {{"Z\303\274rich"}, {"Z%C3%BCrich"}, CHECK_ENCODED},
    {{"50%"}, {"50%25"}, CHECK_ENCODED},
    {{"a+b"}, {"a%2Bb"}, CHECK_ENCODED},
    {{"a b"}, {"a%2"}, CHECK_ALTERED},
    {{"a b"}, {"a%zzb"}, CHECK_ALTERED},
    {{"a b"}, {"a%21b"}, CHECK_ALTERED},
    {{"a%20b"}, {"a b"}, CHECK_ALTERED},
    {{"a%2Fb"}, {"a%2fb"}, CHECK_ALTERED},
    /* UTF-8 read as Latin-1 and written again */
    {{"Z\303\274rich"}, {"Z\303\203\302\274rich"}, CHECK_ALTERED},
    {{"True"}, {""}, CHECK_EMPTIED},
    {{"True"}, {" \t"}, CHECK_EMPTIED},
    {{"a", "b"}, {"", ""}, CHECK_EMPTIED},
    {{"a", "b"}, {"a", ""}, CHECK_ALTERED},
    {{""}, {"a"}, CHECK_ALTERED},
    {{"a"}, {"a", "a"}, CHECK_DUPLICATED},
    {{"a", "b"}, {"a", "b", "a", "b"}, CHECK_DUPLICATED},
    {{"a", "b"}, {"a", "b", "b"}, CHECK_DUPLICATED},
    {{"a"}, {"a", "b"}, CHECK_ALTERED},
    {{"a"}, {"a, a"}, CHECK_DUPLICATED},
    {{"a", "b"}, {"a", "a", "a"}, CHECK_ALTERED},
};

static void compare(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct slice a[VALUES], b[VALUES];
        struct expect_list was = list_of(pairs[i].was, a), is = list_of(pairs[i].is, b);
        enum check_header_verdict verdict = check_values_compare(&was, &is);
        if (verdict == pairs[i].verdict)
            continue;
        print_error("%zu: '%s' to '%s': %s instead of %s\n", i, pairs[i].was[0],
                    pairs[i].is[0] ? pairs[i].is[0] : "-", check_header_verdict_name(verdict),
                    check_header_verdict_name(pairs[i].verdict));
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* A copy that ends before `captured` is one of `length` bytes on the wire. */
#define FRONT "BYE sip:a SIP/2.0\r\nCall-ID: c\r\n"

static const struct {
    const char *name, *headers;
    size_t missing;
    const char *values[VALUES];
    bool cut;
} messages[] = {
    {"X-A", "X-A: 1\r\n\r\n", 0, {"1"}, false},
    {"X-A", "x-a : 1\r\n\r\n", 0, {"1"}, false},
    {"X-A", "X-AB: 1\r\n\r\n", 0, {NULL}, false},
    {"X-A", "X-A: 1\r\nX-B: 2\r\nX-a: 3\r\n\r\n", 0, {"1", "3"}, false},
    {"X-A", "X-A: one\r\n two\r\n\r\n", 0, {"one two"}, false},
    {"X-A", "X-A:\r\n one\r\n\t two\r\n\r\n", 0, {"one two"}, false},
    {"X-A", "X-A:\r\n\r\n", 0, {""}, false},
    {"Subject", "s: short\r\n\r\n", 0, {"short"}, false},
    {"s", "Subject: long\r\n\r\n", 0, {"long"}, false},
    {"X-A", "X-A: 1\r\nX-B: tw", 5, {"1"}, false},
    {"X-B", "X-A: 1\r\nX-B: tw", 5, {"tw"}, true},
    {"X-B", "X-A: 1\r\nX-B: two\r\n", 5, {"two"}, true},
    {"X-B", "X-A: 1\r\nX-B: two\r\n\r\nbo", 5, {"two"}, false},
    {"X-C", "X-A: 1\r\nX-B: two\r\n", 5, {NULL}, false},
};

static void values_of(void **state)
{
    struct sip_scanner *scanner = sip_scanner_new();
    struct arena a = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(messages); i++) {
        struct slice expected[VALUES];
        struct expect_list right = list_of(messages[i].values, expected);
        struct slice bytes = arena_printf(&a, FRONT "%s", messages[i].headers);
        struct sip_message m;
        bool cut;
        assert_true(sip_scan_datagram(scanner, bytes, messages[i].missing, &m));
        struct expect_list values = check_values_of(&a, &m, slice_of(messages[i].name), &cut);
        if (values.n != right.n || cut != messages[i].cut)
            fail_msg("%zu: %zu values, cut %d", i, values.n, cut);
        for (size_t k = 0; k < right.n; k++)
            if (!slice_equal(values.items[k], right.items[k]))
                fail_msg("%zu: '%.*s'", i, SLICE_ARG(values.items[k]));
    }
    arena_free(&a);
    sip_scanner_free(scanner);
}

/* The kinds of finding stand in one table with their names. */
static void kinds(void **state)
{
    const struct check_kind *list;
    size_t n = check_kinds(&list);
    (void)state;
    assert_int_equal(n, FINDING_COUNT);
    assert_string_equal(list[FINDING_HEADER_STRIPPED].id, "header-stripped");
    assert_int_equal(list[FINDING_HEADER_STRIPPED].severity, CHECK_ERROR);
    assert_string_equal(list[FINDING_NOT_OWED].id, "nothing-owed");
    assert_int_equal(list[FINDING_NOT_OWED].severity, CHECK_NOTE);
    assert_ptr_equal(check_kind_of(SLICE("nothing-owed")), &list[FINDING_NOT_OWED]);
    assert_null(check_kind_of(SLICE("room-deleted")));
    assert_string_equal(check_header_verdict_name(CHECK_NEVER_SENT), "never-sent");
    assert_string_equal(check_header_verdict_name(CHECK_UNKNOWN), "unknown");
    assert_string_equal(check_state_name(CHECK_STATE_CUT), "cut");
    assert_string_equal(check_verdict_name(CHECK_INCONCLUSIVE), "inconclusive");
    assert_string_equal(check_severity_name(CHECK_NOTE), "note");
}

/* A capital or a full stop too much would stand in the middle of a line. */
static void assert_title(const char *id, const char *title)
{
    assert_true(strlen(id) && strlen(title));
    if (title[strlen(title) - 1] == '.' || strlen(id) > 27)
        fail_msg("%s: %s", id, title);
}

static void assert_sentences(const char *id, const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || !strchr(".?", text[n - 1]) || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ4", text[0]))
        fail_msg("%s: %s", id, text);
}

/* Each has its texts, and what a cause explains is there. */
static void texts(void **state)
{
    const struct check_kind *list;
    const struct check_cause_kind *causes;
    size_t n = check_kinds(&list), cause_count = check_cause_kinds(&causes);
    (void)state;
    assert_int_equal(cause_count, CAUSE_COUNT);
    for (size_t i = 0; i < n; i++) {
        assert_title(list[i].id, list[i].title);
        assert_sentences(list[i].id, list[i].means);
        assert_sentences(list[i].id, list[i].prove);
        assert_sentences(list[i].id, list[i].mend);
        assert_ptr_equal(check_kind_of(slice_of(list[i].id)), &list[i]); /* no name twice */
        assert_null(check_cause_kind_of(slice_of(list[i].id)));
    }
    for (size_t i = 0; i < cause_count; i++) {
        assert_title(causes[i].id, causes[i].title);
        assert_sentences(causes[i].id, causes[i].means);
        assert_sentences(causes[i].id, causes[i].prove);
        assert_sentences(causes[i].id, causes[i].remedy);
        assert_ptr_equal(check_cause_kind_of(slice_of(causes[i].id)), &causes[i]);
        for (struct slice rest = slice_of(causes[i].findings); rest.n;) {
            struct slice word = slice_first(rest, slice_find(rest, ' '));
            rest = slice_from(rest, word.n + 1);
            if (!check_kind_of(word))
                fail_msg("%s explains %.*s", causes[i].id, SLICE_ARG(word));
            assert_true(check_cause_explains(&causes[i], word));
        }
        assert_false(check_cause_explains(&causes[i], SLICE("header-")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(compare), cmocka_unit_test(values_of),
                                       cmocka_unit_test(kinds), cmocka_unit_test(texts)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

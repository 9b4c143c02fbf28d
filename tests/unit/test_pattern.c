/* base/pattern: matches on slices, faults with their place, and limits that are told from "no". */
#include "base/pattern.h"

#include "guard.h"
#include "unit.h"

static void test_matches(void **state)
{
    static const struct {
        const char *expression;
        struct slice subject;
        bool ignore_case;
        enum pattern_result result;
    } cases[] = {
        {"^(Billing|Sales)$", SLICE("Sales"), false, PATTERN_MATCHES},
        {"^(Billing|Sales)$", SLICE("Sales2"), false, PATTERN_MISSES},
        {"sales", SLICE("Sales"), false, PATTERN_MISSES},
        {"sales", SLICE("My Sales"), true, PATTERN_MATCHES},
        {"", SLICE(""), false, PATTERN_MATCHES},
        {"^$", SLICE_NONE, false, PATTERN_MATCHES},
        {"^.$", SLICE("\xc3\xa9"), false, PATTERN_MATCHES},
        {"^\\d{4}$", SLICE("1234\n"), false, PATTERN_MATCHES},
        {"^\\d{4}\\z", SLICE("1234\n"), false, PATTERN_MISSES},
        {"a.c",
         SLICE("a\xff"
               "c"),
         false, PATTERN_MISSES},
        {"c",
         SLICE("a\xff"
               "c"),
         false, PATTERN_MATCHES},
        {"a\\x00b", SLICE("a\0b"), false, PATTERN_MATCHES},
        {"(?<=x)y(?!z)", SLICE("xyz xy"), false, PATTERN_MATCHES},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern_fault fault;
        struct guard g = guard_copy(cases[i].subject.p, cases[i].subject.n);
        struct pattern *p =
            pattern_new(slice_of(cases[i].expression), cases[i].ignore_case, &fault);
        assert_non_null(p);
        if (pattern_match(p, (struct slice){g.p, g.n}) != cases[i].result)
            fail_msg("case %zu: %s", i, cases[i].expression);
        pattern_free(p);
        guard_free(&g);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *expression, *text;
        size_t at;
    } cases[] = {
        {"^(a|b", "missing closing parenthesis", 5},
        {"ab)", "unmatched closing parenthesis", 2},
        {"a[b", "missing terminating ] for character class", 3},
        {"x\\", "\\ at end of pattern", 2},
        {"\\C", "using \\C is disabled by the application", 2},
        {"(?z)", "unrecognized character after (? or (?-", 2},
        {"\xff", "UTF-8 error: illegal byte (0xfe or 0xff)", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern_fault fault;
        assert_null(pattern_new(slice_of(cases[i].expression), false, &fault));
        assert_string_equal(fault.text, cases[i].text);
        assert_int_equal(fault.at, cases[i].at);
    }
    struct pattern_fault fault;
    char *text = calloc(1, PATTERN_LENGTH_MAX + 2);
    memset(text, 'a', PATTERN_LENGTH_MAX + 1);
    assert_null(pattern_new(slice_of(text), false, &fault));
    assert_string_equal(fault.text, "longer than 8192 bytes");
    free(text);
    pattern_free(NULL);
}

/* Backtracking without end is cut off, and is no "no". */
static void test_limits(void **state)
{
    static const char *const hostile[] = {"^(a+)+$", "^(a|a)*$", "^(a|aa)+$",
                                          "(.*)*(.*)*(.*)*[xy]$"};
    struct pattern_fault fault;
    (void)state;
    char *many = malloc(60000);
    memset(many, 'a', 60000);
    many[59999] = '!';
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct pattern *p = pattern_new(slice_of(hostile[i]), false, &fault);
        assert_non_null(p);
        assert_int_equal(pattern_match(p, slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")),
                         PATTERN_LIMIT);
        assert_int_equal(pattern_match(p, (struct slice){many, 60000}), PATTERN_LIMIT);
        pattern_free(p);
    }
    free(many);
    struct pattern *p = pattern_new(slice_of("a"), false, &fault);
    char *long_one = calloc(1, PATTERN_SUBJECT_MAX + 1);
    assert_int_equal(pattern_match(p, (struct slice){long_one, PATTERN_SUBJECT_MAX + 1}),
                     PATTERN_LIMIT);
    assert_int_equal(pattern_match(p, (struct slice){long_one, PATTERN_SUBJECT_MAX}),
                     PATTERN_MISSES);
    free(long_one);
    pattern_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

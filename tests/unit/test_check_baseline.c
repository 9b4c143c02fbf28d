/* check/baseline.c: what is no report is an error with its place; which findings are the same; what
 * is new, gone and as before. */
#include "check/internal.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The baseline that has this text, or NULL and the error behind the file's name. */
static struct check_baseline *read_text(const char *text, char *path, struct err *err)
{
    strcpy(path, "/tmp/sipxray-baseline.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    struct check_baseline *b = check_baseline_read(path, err);
    unlink(path);
    return b;
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"[]", ":1:1: no object; "},
        {"{}", ":1:1: schema is missing; "},
        {"{\"schema\":1}", ":1:11: schema is a number, not a string; "},
        {"{\"schema\":\"sipxray-trunk/1\"}", ":1:11: a schema other than sipxray-check/1; "},
        {"{\"schema\":\"sipxray-check/1\"}", ":1:1: calls are missing, or no array; "},
        {"{\"schema\":\"sipxray-check/1\",\n \"calls\":{}}",
         ":2:10: calls are missing, or no array; "},
        {"{\"schema\":\"sipxray-check/1\",\n \"calls\":[7]}", ":2:11: a call that is no object; "},
        {"{\"schema\":\"sipxray-check/1\",\"calls\":[\n{}]}",
         ":2:1: findings are missing, or no array; "},
        {"{\"schema\":\"sipxray-check/1\",\"calls\":[{\"findings\":[\n1]}]}",
         ":2:1: a finding that is no object; "},
        {"{\"schema\":\"sipxray-check/1\",\"calls\":[{\"findings\":[\n{\"severity\":\"error\"}]}]}",
         ":2:1: id is missing; "},
        {"{\"schema\":\"sipxray-check/1\",\"calls\":[{\"findings\":[\n{\"id\":\"a\","
         "\"severity\":\"dire\"}]}]}",
         ":2:22: a severity that is none; "},
        {"{\"schema\":\"sipxray-check/1\",\"calls\":[{\"findings\":[\n{\"id\":\"a\","
         "\"severity\":\"note\",\"node\":[]}]}]}",
         ":2:36: node is an array, not a string; "},
        {"{\"schema\"", ":1:10: not valid JSON"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[64];
        struct err err = {""};
        assert_null(read_text(cases[i].text, path, &err));
        if (strncmp(err.text, path, strlen(path)) != 0 ||
            strncmp(err.text + strlen(path), cases[i].error, strlen(cases[i].error)) != 0)
            fail_msg("case %zu: %s", i, err.text);
    }
}

/* Two calls: X-A stripped from BYE by kam1 in both, X-B not set in one. */
static const char *const report =
    "{\"schema\":\"sipxray-check/1\",\"verdict\":\"fail\",\"calls\":["
    "{\"trunk\":{\"id\":\"ST_1\",\"name\":\"T\"},\"findings\":["
    "{\"id\":\"header-stripped\",\"severity\":\"error\",\"method\":\"BYE\",\"header\":\"X-A\","
    "\"node\":\"kam1\",\"message\":\"m\",\"evidence\":[{\"point\":\"kam1\",\"frame\":7}]},"
    "{\"id\":\"of-a-later-version\",\"severity\":\"note\",\"method\":null,\"header\":null,"
    "\"node\":null}]},"
    "{\"trunk\":{\"id\":\"ST_1\",\"name\":\"T\"},\"findings\":["
    "{\"id\":\"header-stripped\",\"severity\":\"error\",\"method\":\"BYE\",\"header\":\"X-A\","
    "\"node\":\"kam1\"}]}]}";

static struct check_finding stripped(const char *method, const char *header, const char *node,
                                     enum check_severity severity)
{
    return (struct check_finding){.id = "header-stripped",
                                  .severity = severity,
                                  .method = slice_of(method),
                                  .header = slice_of(header),
                                  .node = slice_of(node)};
}

static void test_identity(void **state)
{
    static const struct expect_trunk same = {.id = SLICE("ST_2"), .name = SLICE("T")},
                                     other = {.id = SLICE("ST_1"), .name = SLICE("U")};
    static const struct {
        const struct expect_trunk *trunk;
        const char *method, *header, *node;
        enum check_severity severity;
        bool known;
    } cases[] = {
        {&same, "BYE", "X-A", "kam1", CHECK_ERROR, true},
        {&same, "BYE", "x-a", "kam1", CHECK_ERROR, true},
        {&same, "BYE", "X-A", "kam2", CHECK_ERROR, false},
        {&same, "REFER", "X-A", "kam1", CHECK_ERROR, false},
        {&same, "BYE", "X-B", "kam1", CHECK_ERROR, false},
        {&same, "BYE", "X-A", "kam1", CHECK_NOTE, false},
        {&other, "BYE", "X-A", "kam1", CHECK_ERROR, false},
        {NULL, "BYE", "X-A", "kam1", CHECK_ERROR, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[64];
        struct err err;
        struct check_baseline *b = read_text(report, path, &err);
        assert_non_null(b);
        struct check_finding f =
            stripped(cases[i].method, cases[i].header, cases[i].node, cases[i].severity);
        if (check_baseline_note(b, cases[i].trunk, &f) != cases[i].known)
            fail_msg("case %zu", i);
        assert_int_equal(check_baseline_failed(b, 3),
                         !cases[i].known && cases[i].severity == CHECK_ERROR);
        check_baseline_free(b);
    }
}

/* Of as many calls each counts; a longer capture has more of the same. */
static void test_counts(void **state)
{
    static const struct expect_trunk trunk = {.name = SLICE("T")};
    static const struct {
        size_t found;
        uint64_t calls;
        enum check_change change;
    } cases[] = {
        {0, 2, CHECK_GONE}, {1, 2, CHECK_SAME}, {2, 2, CHECK_SAME},
        {3, 2, CHECK_NEW},  {3, 3, CHECK_SAME}, {0, 9, CHECK_GONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[64];
        struct err err;
        const struct check_difference *list;
        struct check_baseline *b = read_text(report, path, &err);
        struct check_finding f = stripped("BYE", "X-A", "kam1", CHECK_ERROR);
        assert_non_null(b);
        for (size_t k = 0; k < cases[i].found; k++)
            assert_true(check_baseline_note(b, &trunk, &f));
        assert_int_equal(check_baseline_compare(b, cases[i].calls, &list), 2);
        assert_int_equal(list[0].change, cases[i].change);
        assert_int_equal(list[0].then, 2);
        assert_int_equal(list[0].now, cases[i].found);
        assert_int_equal(list[1].change, CHECK_GONE);
        assert_true(slice_is(list[1].id, "of-a-later-version"));
        assert_int_equal(check_baseline_failed(b, cases[i].calls), cases[i].change == CHECK_NEW);
        check_baseline_free(b);
    }
}

/* A rule of the user is part of what a finding is, and the run's own findings count. */
static void test_rules(void **state)
{
    static const char *const text =
        "{\"schema\":\"sipxray-check/1\",\"calls\":[{\"trunk\":null,\"findings\":["
        "{\"id\":\"rule-violated\",\"severity\":\"error\",\"method\":\"BYE\","
        "\"header\":\"X-A\",\"rule\":{\"id\":\"one\"}}]}],\"findings\":["
        "{\"id\":\"rule-never-applied\",\"severity\":\"error\",\"header\":\"X-B\","
        "\"rule\":{\"id\":\"two\"}}]}";
    static const struct expect_rule one = {.id = SLICE("one")}, two = {.id = SLICE("two")};
    struct check_finding f = {.id = "rule-violated",
                              .severity = CHECK_ERROR,
                              .method = SLICE("BYE"),
                              .header = SLICE("X-A"),
                              .rule = &one};
    struct check_run_finding run = {
        .id = "rule-never-applied", .severity = CHECK_ERROR, .header = SLICE("X-B"), .rule = &two};
    char path[64];
    struct err err;
    struct check_baseline *b = read_text(text, path, &err);
    (void)state;
    assert_non_null(b);
    assert_true(check_baseline_note(b, NULL, &f));
    assert_true(check_baseline_note_run(b, &run));
    assert_false(check_baseline_failed(b, 1));
    f.rule = &two;
    assert_false(check_baseline_note(b, NULL, &f));
    run.rule = &one;
    assert_false(check_baseline_note_run(b, &run));
    assert_true(check_baseline_failed(b, 1));
    check_baseline_free(b);
}

/* What was never judged stays so, and a failure that is known counts as judged. */
static void test_verdict(void **state)
{
    char path[64];
    struct err err;
    struct check_promise promise = {.header = SLICE("X-A")};
    struct check_summary s = {.calls = 2, .failed = 2, .judged = true};
    struct check_options o = {.baseline = read_text(report, path, &err)};
    (void)state;
    assert_non_null(o.baseline);
    assert_int_equal(check_summary_verdict(&s, &o), CHECK_PASS);
    s.promises = &promise;
    s.promise_count = 1;
    assert_int_equal(check_summary_verdict(&s, &o), CHECK_INCONCLUSIVE);
    promise.judged = true;
    assert_int_equal(check_summary_verdict(&s, &o), CHECK_PASS);
    struct check_finding f = stripped("BYE", "X-A", "kam9", CHECK_ERROR);
    assert_false(check_baseline_note(o.baseline, NULL, &f));
    assert_int_equal(check_summary_verdict(&s, &o), CHECK_FAIL);
    check_baseline_free(o.baseline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_identity),
        cmocka_unit_test(test_counts),  cmocka_unit_test(test_rules),
        cmocka_unit_test(test_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

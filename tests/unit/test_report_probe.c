/* The reports of the probe: values that try to break out of each format, and what stands in the
 * table. */
#include "report/report.h"

#include "unit.h"

#define EVIL "\x1b[2J\r\n\"'<script>]]>&amp;|\x80\xe2\x80\xae# TODO"

static struct slice evil_items[] = {{EVIL, sizeof EVIL - 1}};
static const struct expect_list evil_list = {evil_items, 1};

static struct report_probe_row row_of(const char *group, unsigned column, enum report_fate fate)
{
    return (struct report_probe_row){.group = slice_of(group),
                                     .call = SLICE("call"),
                                     .message = column ? SLICE("BYE") : SLICE("INVITE"),
                                     .column = column,
                                     .from = SLICE("caller"),
                                     .to = SLICE("callee"),
                                     .header = SLICE("X-A"),
                                     .fate = fate,
                                     .status = 403};
}

static struct report_probe probe_of(const struct report_probe_row *rows, size_t n)
{
    static const struct report_probe_column columns[] = {
        {{"INVITE", 6}, {"caller", 6}, {"callee", 6}, true},
        {{"BYE", 3}, {"caller", 6}, {"callee", 6}, true},
    };
    return (struct report_probe){.version = "0",
                                 .command = "run",
                                 .title = SLICE("suite"),
                                 .verdict = CHECK_FAIL,
                                 .rows = rows,
                                 .row_count = n,
                                 .columns = columns,
                                 .column_count = 2};
}

static void nothing_breaks_out(void **state)
{
    static const char *const formats[] = {"text", "json", "junit", "tap", "markdown"};
    struct report_probe_row row = row_of(EVIL, 1, REPORT_ALTERED);
    struct slice evil = slice_of(EVIL);
    struct report_probe_step step = {evil, evil, evil, "done", 403, evil, false};
    row.call = row.header = row.how = row.seen_last = evil;
    row.sent = row.received = evil_list;
    row.verdict = CHECK_ALTERED;
    row.guilty = (struct check_guilty){.any = true, .node = evil, .in = evil, .out = SLICE("x")};
    struct report_probe p = probe_of(&row, 1);
    (void)state;
    p.via = p.to = p.transport = evil;
    p.steps = &step;
    p.step_count = p.note_count = 1;
    p.notes = &evil;
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct report_style style = {.width = 80, .verbose = true};
        struct text t = {0};
        report_probe(&t, &style, formats[i], &p);
        assert_true(t.n > 100);
        for (size_t k = 0; k < t.n; k++)
            if ((unsigned char)t.p[k] < 32)
                assert_int_equal(t.p[k], '\n');
        assert_null(strstr(t.p, "\xe2\x80\xae")); /* right-to-left override */
        if (i == 2 || i == 4)
            assert_null(strstr(t.p, "<script"));
        text_free(&t);
    }
}

static void the_table_tells(void **state)
{
    struct report_probe_row rows[] = {
        row_of("a", 0, REPORT_ARRIVED),  row_of("a", 1, REPORT_STRIPPED),
        row_of("b", 0, REPORT_REJECTED), row_of("b", 1, REPORT_UNTRIED),
        row_of("c", 0, REPORT_ARRIVED),  row_of("c", 0, REPORT_STRIPPED),
        row_of("c", 1, REPORT_LOST),
    };
    struct report_probe p = probe_of(rows, COUNT(rows));
    struct report_style style = {.width = 80};
    struct text t = {0};
    (void)state;
    rows[1].verdict = rows[5].verdict = CHECK_STRIPPED;
    rows[1].guilty = (struct check_guilty){.any = true, .node = SLICE("kam1")};
    rows[3].how = SLICE("not tried");
    rows[6].how = SLICE("no answer");
    p.calls = 3;
    report_probe(&t, &style, "text", &p);
    assert_string_equal(t.p,
                        "Probe of the suite; -> caller to callee\n"
                        "\n"
                        "  INVITE BYE\n"
                        "  ->     ->\n"
                        "a ok     gone\n"
                        "b 403    ?\n"
                        "c 1/2    lost\n"
                        "\n"
                        "FAIL  BYE from caller to callee: a: stripped by kam1\n"
                        "FAIL  INVITE from caller to callee: b: answered 403 and not forwarded\n"
                        "OPEN  BYE from caller to callee: b: unknown: not tried\n"
                        "FAIL  INVITE from caller to callee: c: stripped\n"
                        "FAIL  BYE from caller to callee: c: not forwarded: no answer\n"
                        "FAIL  3 calls, 7 headers judged: 2 arrived, 2 stripped, 1 rejected, 1\n"
                        "      not-forwarded, 1 unknown\n");
    text_free(&t);
}

/* Nothing arrived: the counts begin with a colon all the same, and the refusal says whose it is. */
static void a_refusal_tells(void **state)
{
    struct report_probe_row rows[] = {row_of("a", 0, REPORT_REJECTED),
                                      row_of("a", 1, REPORT_UNTRIED),
                                      row_of("b", 0, REPORT_REJECTED)};
    struct report_probe p = probe_of(rows, COUNT(rows));
    struct report_style style = {.width = 80};
    struct text t = {0};
    (void)state;
    rows[0].how = SLICE("its Server is kam");
    rows[2].unwatched = true;
    rows[0].seen_last = SLICE("kam1:in");
    rows[1].how = SLICE("not tried");
    p.calls = 1;
    report_probe(&t, &style, "text", &p);
    assert_string_equal(
        t.p, "Probe of the suite; -> caller to callee\n"
             "\n"
             "  INVITE BYE\n"
             "  ->     ->\n"
             "a 403    ?\n"
             "b 403\n"
             "\n"
             "FAIL  INVITE from caller to callee: a: answered 403 and not forwarded, last seen\n"
             "      at kam1:in; its Server is kam\n"
             "OPEN  BYE from caller to callee: a: unknown: not tried\n"
             "FAIL  INVITE from caller to callee: b: answered 403\n"
             "FAIL  1 call, 3 headers judged: 2 rejected, 1 unknown\n");
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_breaks_out),
        cmocka_unit_test(the_table_tells),
        cmocka_unit_test(a_refusal_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

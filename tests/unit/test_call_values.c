/* Unit tests of the headers that are asked for of each call (call/values.c), and of counting calls
 * by them (report/groups.c). */
#include "path.h"
#include "report/report.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};
static const char *const all[] = {"livekit", "kam1", "five9"};

static struct path through_kam1(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                               {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                               {.name = "five9", .left = "10.0.2.10"}}};
    lab->now_ms = 1000000000;
    for (size_t i = 0; i < COUNT(all); i++)
        lab_point(lab, all[i], LAB_SLL2);
    return p;
}

static const char headers[] = "X-A: bye\r\nX-List: 1\r\nX-List: 2,\r\n 3\r\nX-Empty:\r\n";

/* kam1 takes X-A off the BYE; the INVITE has another value, the 200 to BYE one of its own. */
static void plain(struct lab *lab)
{
    struct path p = through_kam1(lab);
    struct told bye = {.method = "BYE", .cseq = 2, .headers = headers};
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: bye\r\n", ""};
    path_call(&p, &call, "X-A: invite\r\nX-Early: first\r\n");
    path_send(&p, &call, bye);
    bye.headers = "X-A: later\r\n";
    path_send(&p, &call, bye);
    bye.status = 200;
    bye.headers = "X-A: answer\r\n";
    path_send(&p, &call, bye);
}

/* Two Call-IDs; the one further from LiveKit has the header earlier. */
static void masked(struct lab *lab)
{
    struct path p = through_kam1(lab);
    p.nodes[1].vias = PATH_MASKS;
    p.changes[0] = (struct path_change){"kam1", "INVITE", "X-A: invite", "X-A: changed"};
    path_call(&p, &call, "X-A: invite\r\n");
}

/* The end of the value is cut off at the first point, not at the second. */
static void cut_off(struct lab *lab)
{
    struct path p = through_kam1(lab);
    lab->points[0].snaplen = 340;
    lab->points[2].snaplen = 340;
    path_send(&p, &call,
              (struct told){.method = "INVITE",
                            .cseq = 1,
                            .headers = "X-A: a-rather-long-value-that-goes-on-and-on-and-on-and-on-"
                                       "and-on-and-on-and-on\r\n"});
}

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    struct call_want want;
    const char *expected; /* NULL: not seen */
} cases[] = {
    {"of any message the first", plain, {.header = SLICE("x-a")}, "invite"},
    {"of the BYE before it was stripped",
     plain,
     {.header = SLICE("X-A"), .method = SLICE("BYE"), .requests_only = true},
     "bye"},
    {"of the answer to BYE",
     plain,
     {.header = SLICE("X-A"), .method = SLICE("BYE"), .status_from = 200, .status_to = 200},
     "answer"},
    {"of any answer",
     plain,
     {.header = SLICE("X-A"), .status_from = 200, .status_to = 299},
     "answer"},
    {"of an answer that has none",
     plain,
     {.header = SLICE("X-A"), .method = SLICE("INVITE"), .status_from = 200, .status_to = 200},
     NULL},
    {"several lines and a fold", plain, {.header = SLICE("X-List")}, "1, 2, 3"},
    {"empty", plain, {.header = SLICE("X-Empty")}, ""},
    {"no such header", plain, {.header = SLICE("X-None")}, NULL},
    {"of a method that is not there",
     plain,
     {.header = SLICE("X-A"), .method = SLICE("REFER"), .requests_only = true},
     NULL},
    {"compact form", plain, {.header = SLICE("i")}, "c1"},
    {"the earlier leg", masked, {.header = SLICE("X-A")}, "invite"},
    {"whole at another point",
     cut_off,
     {.header = SLICE("X-A")},
     "a-rather-long-value-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on"},
};

static void write_value(void *context, const struct call_summary *c)
{
    const struct call_value *v = c->values[0];
    if (v)
        lab_add(context, "", v->value);
    text_add(context, v ? v->cut ? SLICE(" cut\n") : SLICE("\n") : SLICE("-\n"));
}

static void read_values(struct lab *lab, const struct call_want *want, struct text *out)
{
    const struct trace_options options = {.wants = want, .want_count = 1};
    const struct trace_sinks sinks = {.call = write_value, .context = out};
    struct trace *t = trace_new(&options);
    struct err err;
    int fds[LAB_POINTS];
    lab_open(lab, t, fds);
    if (!trace_run(t, &sinks, &err))
        fail_msg("%s", err.text);
    trace_free(t);
    for (size_t i = 0; i < lab->point_count; i++)
        close(fds[i]);
}

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {0};
        struct text is = {0}, expected = {0};
        cases[i].build(&lab);
        print_message("%s\n", cases[i].name);
        read_values(&lab, &cases[i].want, &is);
        text_printf(&expected, "%s\n", cases[i].expected ? cases[i].expected : "-");
        assert_string_equal(is.p, expected.p);
        text_free(&is);
        text_free(&expected);
        lab_free(&lab);
    }
}

/* Where no point has it whole, what there is says that it goes on. */
static void test_cut(void **state)
{
    struct lab lab = {0};
    struct text is = {0};
    const struct call_want want = {.header = SLICE("X-A")};
    (void)state;
    cut_off(&lab);
    lab.point_count = 1;
    read_values(&lab, &want, &is);
    assert_non_null(strstr(is.p, "a-rather-long-value"));
    assert_non_null(strstr(is.p, " cut\n"));
    text_free(&is);
    lab.point_count = 3;
    lab_free(&lab);
}

static void test_longest(void **state)
{
    struct lab lab = {0};
    struct text is = {0}, value = {0};
    const struct call_want want = {.header = SLICE("X-A")};
    (void)state;
    struct path p = through_kam1(&lab);
    text_add(&value, SLICE("X-A: "));
    text_add_fill(&value, 'a', CALL_VALUE_MAX + 100);
    text_add(&value, SLICE("\r\n"));
    path_send(&p, &call, (struct told){.method = "INVITE", .cseq = 1, .headers = value.p});
    read_values(&lab, &want, &is);
    assert_int_equal(is.n, CALL_VALUE_MAX + 1);
    text_free(&is);
    text_free(&value);
    lab_free(&lab);
}

/* ---- counting -----------------------------------------------------------------------------------
 */

static void count(struct report_groups *g, const char *value, enum call_outcome outcome,
                  unsigned talk_ms)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%s", value ? value : "");
    const struct call_value v = {.text = copy, .value = slice_of(copy)};
    const struct call_value *values[] = {value ? &v : NULL};
    const struct call_summary c = {.outcome = outcome,
                                   .start_ns = 1000000000,
                                   .answer_ns = talk_ms ? 2000000000 : 0,
                                   .end_ns = talk_ms ? 2000000000 + talk_ms * INT64_C(1000000) : 0,
                                   .values = values};
    report_groups_count(g, NULL, &c);
}

static void test_groups(void **state)
{
    const struct report_style style = {.width = 80};
    const struct report_column column = {
        .id = REPORT_COLUMN_HEADER, .title = SLICE("BYE:X-Queue"), .header = SLICE("X-Queue")};
    struct report_groups *g = report_groups_new(&style, &column);
    struct text t = {0}, csv = {0}, json = {0};
    (void)state;
    count(g, "Sales", CALL_ENDED, 2000);
    count(g, "Billing", CALL_ENDED, 1000);
    count(g, "Sales", CALL_ANSWERED, 60000);
    count(g, NULL, CALL_FAILED, 0);
    count(g, NULL, CALL_CANCELLED, 0);
    count(g, NULL, CALL_PENDING, 0);
    count(g, "", CALL_FAILED, 0);
    count(g, "=1+1\x1b", CALL_NOT_A_CALL, 0);
    count(g, "=1+1\x1b", CALL_FAILED, 0);
    report_groups_text(&t, g);
    assert_string_equal(t.p, "BYE:X-Queue        CALLS ANSWERED  FAILED       TALK      MEAN\n"
                             "Sales                  2        2       0    0:01:02   31.000s\n"
                             "\"\"                     1        0       1          -         -\n"
                             "=1+1^[                 1        0       1          -         -\n"
                             "Billing                1        1       0     1.000s    1.000s\n"
                             "(no BYE:X-Queue)       3        0       1          -         -\n"
                             "not counted: 1 request outside of calls\n");
    report_groups_csv(&csv, g);
    assert_string_equal(
        csv.p,
        "BYE:X-Queue,present,calls,answered,failed,cancelled,pending,talk_ms,mean_talk_ms\r\n"
        "Sales,true,2,2,0,0,0,62000,31000\r\n"
        ",true,1,0,1,0,0,0,\r\n"
        "\"'=1+1^[\",true,1,0,1,0,0,0,\r\n"
        "Billing,true,1,1,0,0,0,1000,1000\r\n"
        ",false,3,0,1,1,1,0,\r\n");
    report_groups_ndjson(&json, g);
    assert_non_null(strstr(json.p, "\"value\":null,\"others\":false,\"calls\":3"));
    assert_non_null(strstr(json.p, "\"value\":\"\",\"others\":false,\"calls\":1"));
    text_free(&t);
    text_free(&csv);
    text_free(&json);
    report_groups_free(g);
}

/* Beyond the limit all values are one group, and the text says so. */
static void test_groups_limit(void **state)
{
    const struct report_style style = {.width = 80};
    const struct report_column column = {
        .id = REPORT_COLUMN_HEADER, .title = SLICE("X-Id"), .header = SLICE("X-Id")};
    struct report_groups *g = report_groups_new(&style, &column);
    struct text t = {0};
    (void)state;
    for (unsigned i = 0; i < REPORT_GROUPS_MAX + 7; i++) {
        char value[16];
        snprintf(value, sizeof value, "%u", i);
        count(g, value, CALL_ENDED, 1000);
    }
    count(g, "5", CALL_ENDED, 1000);
    report_groups_text(&t, g);
    assert_non_null(strstr(t.p, "\n(other values)       7        7       0"));
    assert_non_null(strstr(t.p, "\n5                    2        2       0"));
    assert_non_null(strstr(t.p, "values beyond 100000 are counted as one\n"));
    text_free(&t);
    report_groups_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_cut),
        cmocka_unit_test(test_longest),      cmocka_unit_test(test_groups),
        cmocka_unit_test(test_groups_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* report/: TAP, JUnit, Markdown, workflow commands and events, of calls made by hand; and whatever
 * comes from the wire through each of them. */
#include "report_data.h"
#include "shown.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const names[] = {"tap", "junit", "markdown", "html", "github", "ndjson"};

static struct report_run run_of(const struct check_summary *s, enum check_verdict v)
{
    return (struct report_run){.version = "1", .verdict = v, .summary = s};
}

/* The report of `calls` times the same call, as cmd/ puts it together. */
static struct text report_of(const char *format, const struct data *d, size_t calls,
                             const struct report_run *run)
{
    struct text out = {0}, kept = {0};
    struct report_check r = {.format = report_format(format), .style.width = 80};
    bool whole = report_format_is_whole(r.format);
    if (!whole)
        report_check_begin(&out, &r, NULL);
    for (size_t i = 0; i < calls; i++)
        report_check_call(whole ? &kept : &out, &r, &d->call);
    if (whole)
        report_check_begin(&out, &r, run);
    text_add(&out, text_slice(&kept));
    report_check_end(&out, &r, run);
    report_check_free(&r);
    text_free(&kept);
    return out;
}

static void has(const struct text *t, const char *part)
{
    if (!strstr(t->p, part))
        fail_msg("no %s in:\n%s", part, t->p);
}

static void has_not(const struct text *t, const char *part)
{
    if (strstr(t->p, part))
        fail_msg("%s in:\n%s", part, t->p);
}

static size_t count(const struct text *t, const char *part)
{
    size_t n = 0;
    for (const char *p = t->p; (p = strstr(p, part)); p += strlen(part))
        n++;
    return n;
}

/* ---- what each says -------------------------------------------------------------------------- */

static void test_stripped(void **state)
{
    static const struct {
        const char *format, *parts[4];
    } cases[] = {
        {"tap",
         {"TAP version 14", "    not ok 1 - BYE: X-Five9-Queue\n",
          "    ok 2 - BYE: X-Five9-Language\n",
          "\nnot ok 1 - +14155550100 -> +15105550100, call a84b4c76e66710@carrier.example\n"}},
        {"junit",
         {" tests=\"4\" failures=\"1\" errors=\"0\"",
          "<testcase classname=\"call 1: +14155550100 -&gt; +15105550100: BYE\" "
          "name=\"X-Five9-Queue\" time=\"0\">\n      <failure message=\"kam1 strips X-Five9-Queue "
          "from BYE\" type=\"header-stripped\">",
          "name=\"X-Five9-Language\" time=\"0\"/>", "kam1:in: Billing\nkam1:out: -\n"}},
        {"markdown",
         {"## sipxray: fail", "| <code>X-Five9-Queue</code> | **stripped by kam1** |",
          "- **FAIL** kam1 &#40;10.0.1.1 in, 10.0.2.1 out&#41; strips 1 of 3 headers from BYE",
          "(seen at kam1 frame 25)"}},
        {"html",
         {"<h1>sipxray check: <span class=\"bad\">fail</span></h1>",
          "<td><a href=\"#c1\">1</a></td><td class=\"bad\">fail</td>",
          "<section class=\"call fail\" id=\"c1\">", "<td class=\"bad\">stripped by kam1</td>"}},
        {"github",
         {"::error title=SIP headers of BYE in +14155550100 -> +15105550100%2C call a84b4c76e66710@"
          "carrier.example::kam1 (10.0.1.1 in, 10.0.2.1 out) strips 1 of 3 headers from BYE: "
          "X-Five9-Queue; seen at kam1 frame 25\n",
          "sipxray: fail: 1 call: 0 passed, 1 failed\n", "", ""}},
        {"ndjson",
         {"{\"event\":\"start\",\"schema\":\"sipxray-events/1\"}\n",
          "\n{\"event\":\"call\",\"call\":1,\"call_ids\":[\"a84b4c76e66710@carrier.example\"],",
          "\n{\"event\":\"finding\",\"call\":1,\"id\":\"header-stripped\",\"severity\":\"error\",",
          "\n{\"event\":\"end\",\"version\":\"1\",\"verdict\":\"fail\","}},
    };
    static const struct check_summary summary = {.calls = 1, .failed = 1, .judged = true};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data d;
        data_stripped_call(&d);
        struct text t = report_of(cases[i].format, &d, 1, &run);
        for (size_t k = 0; k < COUNT(cases[i].parts); k++)
            has(&t, cases[i].parts[k]);
        text_free(&t);
        data_free(&d);
    }
}

/* A cause with its remedy stands in each of them. */
static void test_causes(void **state)
{
    static const struct check_evidence evidence[] = {{SLICE("kam1"), 25}};
    static const struct check_cause cause = {.id = "proxy-script",
                                             .confidence = CHECK_LIKELY,
                                             .message = SLICE("kam1 takes them off"),
                                             .remedy = SLICE("look for remove_hf"),
                                             .evidence = evidence,
                                             .evidence_count = 1};
    static const struct check_summary summary = {.calls = 1, .failed = 1, .judged = true};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct data d;
        data_stripped_call(&d);
        d.call.causes = &cause;
        d.call.cause_count = 1;
        struct text t = report_of(names[i], &d, 1, &run);
        has(&t, "proxy-script");
        has(&t, "likely");
        has(&t, "kam1 takes them off");
        has(&t, "look for remove");
        text_free(&t);
        data_free(&d);
    }
}

/* What was never judged fails the run, unless that is allowed; an open call is skipped. */
static void test_untested(void **state)
{
    struct check_promise promise = {.header = SLICE("X-Never")};
    struct check_summary summary = {
        .calls = 1, .inconclusive = 1, .promises = &promise, .promise_count = 1};
    struct report_run run = run_of(&summary, CHECK_INCONCLUSIVE);
    struct data d;
    (void)state;
    data_stripped_call(&d);
    d.call.finding_count = 0;
    d.call.verdict = CHECK_INCONCLUSIVE;
    d.headers[0].verdict = CHECK_UNKNOWN;
    struct text t = report_of("tap", &d, 1, &run);
    has(&t, "    ok 1 - BYE: X-Five9-Queue # SKIP unknown");
    has(&t, "call a84b4c76e66710@carrier.example # SKIP not judged: the captures do not show");
    has(&t, "\nnot ok 2 - run: each promised header was judged\n");
    has(&t, "\n1..2\n");
    text_free(&t);
    t = report_of("junit", &d, 1, &run);
    has(&t, "<error message=\"never judged: X-Never\" type=\"never-judged\">");
    has(&t, " tests=\"4\" failures=\"0\" errors=\"1\"");
    has(&t, "skipped=\"1\"");
    text_free(&t);
    run.verdict = CHECK_PASS;
    run.allow_untested = true;
    t = report_of("tap", &d, 1, &run);
    has(&t, "\nok 2 - run: each promised header was judged # SKIP never judged: X-Never\n");
    text_free(&t);
    t = report_of("junit", &d, 1, &run);
    has(&t, "<skipped message=\"never judged: X-Never\">");
    text_free(&t);
    data_free(&d);
}

/* Times are in UTC unless the other is asked for. */
static void test_local_time(void **state)
{
    static const struct {
        const char *zone;
        bool local;
        const char *time;
    } cases[] = {
        {"IST-5:30", false, "2026-11-21T19:40:01.123456Z"},
        {"IST-5:30", true, "2026-11-22T01:10:01.123456+05:30"},
        {"NST3:30", true, "2026-11-21T16:10:01.123456-03:30"},
        {"UTC0", true, "2026-11-21T19:40:01.123456+00:00"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data d;
        struct text t = {0};
        struct report_check r = {.format = report_format("tap"),
                                 .style.local_time = cases[i].local};
        setenv("TZ", cases[i].zone, 1);
        tzset();
        data_stripped_call(&d);
        d.call.start_ns = INT64_C(1795290001123456000);
        report_check_call(&t, &r, &d.call);
        has(&t, cases[i].time);
        text_clear(&t);
        r.format = report_format("ndjson");
        report_check_call(&t, &r, &d.call);
        has(&t, cases[i].time);
        report_check_free(&r);
        text_free(&t);
        data_free(&d);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void test_annotations(void **state)
{
    static const struct {
        size_t calls, annotations;
        const char *last;
    } cases[] = {
        {9, 9, "X-Five9-Queue; seen at kam1 frame 25\nsipxray: "},
        {10, 10, "::error title=sipxray%3A 1 more::"},
        {300, 10, "::error title=sipxray%3A 291 more::"},
    };
    static const struct check_summary summary = {.calls = 300, .failed = 300, .judged = true};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct data d;
        data_stripped_call(&d);
        struct text t = report_of("github", &d, cases[i].calls, &run);
        assert_int_equal(count(&t, "::error "), cases[i].annotations);
        has(&t, cases[i].last);
        text_free(&t);
        data_free(&d);
    }
}

/* Values that grow tenfold when they are escaped, and promises of many trunks: a comment takes it.
 */
static void test_comment_size(void **state)
{
    static struct check_promise promises[500];
    static struct expect_trunk trunks[COUNT(promises)];
    struct check_summary summary = {.calls = 200,
                                    .failed = 200,
                                    .judged = true,
                                    .promises = promises,
                                    .promise_count = COUNT(promises)};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t i = 0; i < COUNT(promises); i++) {
        trunks[i].name = SLICE("A trunk with *stars* and a long, long name");
        promises[i] = (struct check_promise){.trunk = &trunks[i], .header = SLICE("X-Never")};
    }
    for (size_t calls = 1; calls < 300; calls += 40) {
        struct data d;
        data_stripped_call(&d);
        data_header(&d, SLICE("X-Wide"), SLICE("@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"), 6);
        struct text t = report_of("markdown", &d, calls, &run);
        assert_true(t.n <= 65536);
        assert_int_equal(strstr(t.p, "more calls** that did not pass are left out") != NULL,
                         count(&t, "### Call") < calls);
        text_free(&t);
        d.call.verdict = CHECK_PASS;
        t = report_of("markdown", &d, calls * 40, &run);
        assert_true(t.n <= 65536);
        text_free(&t);
        data_free(&d);
    }
}

/* ---- whatever comes from the wire ------------------------------------------------------------ */

static const struct slice hostile[] = {
    SLICE("\"'<script>alert(1)</script>]]>&amp;"),
    SLICE("a\0b\x01\x1b[31m\x7f"),
    SLICE("\xff\xfe\xed\xa0\x80\xef\xbf\xbf"),
    SLICE("\xe2\x80\xae"
          "evil\xe2\x80\x8b"),
    SLICE("a|b\\|c`d`*e*_f_[g](http://h)![i](j)<img src=k>"),
    SLICE("@admin #1 !2 ~3 http://evil www.evil x@evil.com"),
    SLICE("\r\n::error::forged\r\n##[error]forged\r\n# x\r\nnot ok 9\r\nBail out!\r\n...\r\n"),
    SLICE("# TODO later \\# SKIP %0A::x,y:z"),
};

/* Nothing of it begins a line, and no line begins as the format's own do more often. */
static void test_hostile(void **state)
{
    static const struct check_summary summary = {.calls = 1, .failed = 1, .judged = true};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++)
        for (size_t f = 0; f < COUNT(names); f++) {
            struct data d;
            data_hostile(&d, hostile[i]);
            struct text t = report_of(names[f], &d, 1, &run);
            shown_harmless(text_slice(&t));
            if (strcmp(names[f], "junit") == 0)
                has_not(&t, "\xef\xbf\xbf"); /* no character of XML 1.0 */
            has_not(&t, "\nBail");
            has_not(&t, "\n::error::");
            has_not(&t, "\n##[");
            if (strcmp(names[f], "junit") == 0 || strcmp(names[f], "markdown") == 0 ||
                strcmp(names[f], "html") == 0) {
                has_not(&t, "<script");
                has_not(&t, "<img");
            }
            if (strcmp(names[f], "tap") == 0) {
                has_not(&t, " # TODO");
                has_not(&t, "\nnot ok 9");
            }
            text_free(&t);
            data_free(&d);
        }
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void test_masked(void **state)
{
    static const struct check_summary summary = {.calls = 1, .failed = 1, .judged = true};
    struct report_run run = run_of(&summary, CHECK_FAIL);
    (void)state;
    for (size_t f = 0; f < COUNT(names); f++) {
        struct data d;
        data_stripped_call(&d);
        struct check_header *h = data_header(&d, SLICE("X-API-Key"), SLICE("sesame"), 2);
        h->verdict = CHECK_STRIPPED;
        struct text t = report_of(names[f], &d, 1, &run);
        has_not(&t, "sesame");
        has(&t, strcmp(names[f], "markdown") == 0 ? "&#42;&#42;&#42;"
                : strcmp(names[f], "github") == 0 ? "X-Five9-Queue"
                                                  : "***");
        text_free(&t);
        data_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stripped),     cmocka_unit_test(test_causes),
        cmocka_unit_test(test_untested),     cmocka_unit_test(test_annotations),
        cmocka_unit_test(test_comment_size), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_masked),       cmocka_unit_test(test_local_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

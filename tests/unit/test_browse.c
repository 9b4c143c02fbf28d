/* Browsing: what is judged when a call is opened is what check judges at its end; the list of
 * calls; what goes where memory is short; two messages compared. */
#include "report/report.h"
#include "unit.h"
#include "view/view.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* ---- a run over one of captures/ ------------------------------------------------------------- */

struct bench {
    struct arena strings;
    struct expect_trunks trunks;
    struct expect_values values;
    struct check_options owed;
    struct check_summary summary;
    struct trace *trace;
    bool other;        /* the command has options that this test does not know */
    VEC(char *) calls; /* what was judged, as JSON */
};

static const char *next_word(struct bench *b, struct slice *rest)
{
    *rest = slice_trim(*rest);
    struct slice word = slice_first(*rest, slice_find(*rest, ' '));
    *rest = slice_from(*rest, word.n);
    return arena_copy(&b->strings, word).p;
}

static void bench_open(struct bench *b, const char *command, uint64_t memory)
{
    struct err err;
    struct slice rest = slice_trim(slice_of(command));
    const char *sources[32];
    size_t n = 0;
    *b = (struct bench){.owed.trunks = &b->trunks};
    while (rest.n) {
        const char *word = next_word(b, &rest);
        if (strcmp(word, "--trunk") == 0) {
            assert_true(expect_trunks_read(&b->trunks, next_word(b, &rest), &err));
        } else if (strcmp(word, "--values") == 0) {
            assert_true(expect_values_read(&b->values, next_word(b, &rest), &err));
            b->owed.values = &b->values;
        } else if (word[0] == '-') {
            b->other = true;
        } else {
            sources[n++] = word;
        }
    }
    check_summary_init(&b->summary, &b->owed);
    b->trace = trace_new(&(struct trace_options){
        .check = &b->owed, .summary = &b->summary, .memory = memory, .threads = 1});
    for (size_t i = 0; i < n && !b->other; i++)
        assert_true(trace_add(b->trace, sources[i], &err));
}

static void bench_close(struct bench *b)
{
    trace_free(b->trace);
    check_summary_free(&b->summary);
    expect_values_free(&b->values);
    expect_trunks_free(&b->trunks);
    arena_free(&b->strings);
    for (size_t i = 0; i < b->calls.n; i++)
        free(b->calls.items[i]);
    vec_free(&b->calls);
}

static void note_call(void *context, const struct check_call *call)
{
    struct bench *b = context;
    struct report_check report = {.format = report_format("json")};
    struct text out = {0};
    report_check_call(&out, &report, call);
    report_check_free(&report);
    *vec_add(&b->calls) = out.p;
}

static void browse(struct bench *b)
{
    struct err err;
    assert_true(trace_browse(b->trace, &err));
    enum trace_step step = TRACE_MORE;
    while (step == TRACE_MORE)
        step = trace_browse_step(b->trace, 7, &err);
    assert_int_equal(step, TRACE_OVER);
    assert_int_equal(trace_browse_step(b->trace, 7, &err), TRACE_OVER);
}

static void judge_all(struct bench *b)
{
    for (uint32_t i = 0; i < trace_call_count(b->trace); i++) {
        struct arena a = {0};
        struct check_call result;
        if (trace_call_is(b->trace, i) &&
            check_call(&a, &b->owed, &b->summary, trace_call_open(b->trace, i, &a, NULL, NULL),
                       &result))
            note_call(b, &result);
        arena_free(&a);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void compare(const char *name, struct bench *run, struct bench *seen)
{
    if (run->calls.n != seen->calls.n)
        fail_msg("%s: check judges %zu calls, browsing %zu", name, run->calls.n, seen->calls.n);
    if (run->calls.n == 0)
        return;
    qsort(run->calls.items, run->calls.n, sizeof(char *), by_text);
    qsort(seen->calls.items, seen->calls.n, sizeof(char *), by_text);
    for (size_t i = 0; i < run->calls.n; i++)
        if (strcmp(run->calls.items[i], seen->calls.items[i]) != 0)
            fail_msg("%s: %s\nbut: %s", name, run->calls.items[i], seen->calls.items[i]);
}

static void enter(const char *folder, char *command, size_t size)
{
    assert_int_equal(chdir(folder), 0);
    FILE *f = fopen("command", "r");
    assert_non_null(f);
    assert_non_null(fgets(command, (int)size, f));
    fclose(f);
}

/* Works on each recording, in its folder; the sum of what that gives. */
static unsigned each_recording(unsigned (*work)(const char *name, const char *command))
{
    char command[4096];
    struct dirent *e;
    DIR *captures = opendir("captures");
    unsigned sum = 0;
    assert_non_null(captures);
    assert_int_equal(chdir("captures"), 0);
    while ((e = readdir(captures))) {
        if (e->d_name[0] == '.' || e->d_type != DT_DIR)
            continue;
        enter(e->d_name, command, sizeof command);
        sum += work(e->d_name, command);
        assert_int_equal(chdir(".."), 0);
    }
    closedir(captures);
    assert_int_equal(chdir(".."), 0);
    return sum;
}

static unsigned compare_recording(const char *name, const char *command)
{
    struct bench run, seen;
    struct err err;
    const struct trace_sinks sinks = {.check = note_call, .context = &run};
    bench_open(&run, command, 0);
    bench_open(&seen, command, 0);
    bool compared = !run.other;
    if (compared) {
        assert_true(trace_run(run.trace, &sinks, &err));
        browse(&seen);
        judge_all(&seen);
        compare(name, &run, &seen);
    }
    bench_close(&run);
    bench_close(&seen);
    return compared;
}

/* Every recording: the calls, and each with its verdict, its headers and its findings. */
static void test_as_check(void **state)
{
    (void)state;
    assert_true(each_recording(compare_recording) > 40);
}

/* ---- the list of calls ----------------------------------------------------------------------- */

static void twenty_calls(struct bench *b, uint64_t memory)
{
    char command[4096];
    enter("captures/two-trunks-twenty-calls", command, sizeof command);
    bench_open(b, command, memory);
    browse(b);
    assert_int_equal(chdir("../.."), 0);
}

static void expect_cell(struct view_calls *v, size_t row, enum view_cell cell, const char *text)
{
    struct arena a = {0};
    struct call_summary c;
    struct text out = {0};
    trace_call_summary(v->trace, v->shown[row], &a, &c);
    view_calls_add_cell(v, &out, cell, v->shown[row], &c);
    assert_string_equal(out.p, text);
    text_free(&out);
    arena_free(&a);
}

static void test_list(void **state)
{
    struct bench b;
    struct view_calls v;
    (void)state;
    twenty_calls(&b, 0);
    view_calls_init(&v, b.trace, &b.owed);
    view_calls_update(&v, true);
    assert_int_equal(v.shown_count, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(view_calls_verdict(&v, v.shown[i], true)->verdict,
                         i % 2 ? CHECK_FAIL : CHECK_PASS);
    expect_cell(&v, 1, VIEW_CELL_VERDICT, "FAIL 1");
    expect_cell(&v, 1, VIEW_CELL_POINTS, "livekit kam1 kam2 five9");
    view_calls_sort(&v, VIEW_CELL_VERDICT, false);
    expect_cell(&v, 0, VIEW_CELL_NUMBER, "2");
    expect_cell(&v, 10, VIEW_CELL_NUMBER, "1");
    view_calls_sort(&v, VIEW_CELL_VERDICT, true);
    expect_cell(&v, 0, VIEW_CELL_NUMBER, "19");
    view_calls_sort(&v, VIEW_CELL_MESSAGES, false);
    expect_cell(&v, 0, VIEW_CELL_MESSAGES, "37");
    view_calls_sort(&v, VIEW_CELL_NUMBER, false);
    view_calls_filter(&v, SLICE("fail"));
    assert_int_equal(v.shown_count, 10);
    view_calls_filter(&v, SLICE("105@10.0.3.20"));
    assert_int_equal(v.shown_count, 1);
    view_calls_filter(&v, SLICE("nowhere"));
    assert_int_equal(v.shown_count, 0);
    view_calls_filter(&v, SLICE_NONE);
    assert_int_equal(v.shown_count, 20);
    view_calls_free(&v);
    bench_close(&b);
}

/* Where memory is short the longest idle calls go, are counted, and are no calls any more. */
static void test_memory(void **state)
{
    struct bench b;
    struct trace_load l;
    uint32_t left = 0;
    (void)state;
    twenty_calls(&b, 60 << 10);
    trace_load(b.trace, &l);
    for (uint32_t i = 0; i < trace_call_count(b.trace); i++)
        left += trace_call_is(b.trace, i);
    assert_true(l.evicted > 10);
    assert_true(left > 3 && left < 20);
    assert_int_equal(l.messages, 896);
    bench_close(&b);
}

static void test_stop(void **state)
{
    struct bench b;
    struct err err;
    struct trace_load l;
    (void)state;
    bench_open(&b, "captures/noise/kam1.pcap", 0);
    assert_true(trace_browse(b.trace, &err));
    assert_int_equal(trace_browse_step(b.trace, 5, &err), TRACE_MORE);
    trace_browse_stop(b.trace);
    assert_int_equal(trace_browse_step(b.trace, 5, &err), TRACE_OVER);
    trace_load(b.trace, &l);
    assert_true(l.stopped);
    assert_int_equal(l.frames, 5);
    bench_close(&b);
}

/* ---- headers that are asked for later -------------------------------------------------------- */

static const struct call_want wants[] = {
    {.header = SLICE("via")},
    {.header = SLICE("X-Five9-Queue"), .method = SLICE("BYE"), .requests_only = true},
    {.header = SLICE("contact"), .status_from = 200, .status_to = 299},
    {.header = SLICE("cseq"), .method = SLICE("INVITE"), .status_from = 100, .status_to = 699},
    {.header = SLICE("user-agent")},
};

static void want_all(struct bench *b)
{
    for (size_t i = 0; i < COUNT(wants); i++)
        trace_want(b->trace, &wants[i]);
}

/* Wanted after so many frames, or at the end. */
static void browse_wanting(struct bench *b, unsigned frames)
{
    struct err err;
    unsigned n = 0;
    enum trace_step step = TRACE_MORE;
    for (; step == TRACE_MORE; n++) {
        if (n == frames)
            want_all(b);
        step = trace_browse_step(b->trace, 1, &err);
    }
    if (n <= frames)
        want_all(b);
    assert_int_equal(step, TRACE_OVER);
}

static unsigned expect_same_values(const char *name, struct bench *early, struct bench *late)
{
    struct arena a = {0};
    unsigned seen = 0;
    assert_int_equal(trace_call_count(early->trace), trace_call_count(late->trace));
    for (uint32_t i = 0; i < trace_call_count(early->trace); i++) {
        struct call_summary x, y;
        if (!trace_call_is(early->trace, i))
            continue;
        assert_false(trace_call_ask(early->trace, i));
        trace_call_ask(late->trace, i);
        assert_false(trace_call_ask(late->trace, i));
        trace_call_summary(early->trace, i, &a, &x);
        trace_call_summary(late->trace, i, &a, &y);
        for (size_t k = 0; k < COUNT(wants); k++) {
            if (!x.values[k] != !y.values[k] ||
                (x.values[k] && !slice_equal(x.values[k]->value, y.values[k]->value)))
                fail_msg("%s: call %u, header %zu", name, i, k);
            seen += x.values[k] != NULL;
        }
    }
    arena_free(&a);
    return seen;
}

static unsigned ask_recording(const char *name, const char *command)
{
    static const unsigned moments[] = {1, 9, 40, 100000};
    unsigned seen = 0;
    for (size_t i = 0; i < COUNT(moments); i++) {
        struct bench early, late;
        struct err err;
        bench_open(&early, command, 0);
        bench_open(&late, command, 0);
        if (!early.other) {
            assert_true(trace_browse(early.trace, &err));
            assert_true(trace_browse(late.trace, &err));
            browse_wanting(&early, 0);
            browse_wanting(&late, moments[i]);
            seen += expect_same_values(name, &early, &late);
        }
        bench_close(&early);
        bench_close(&late);
    }
    return seen;
}

/* Every recording: a header that is wanted in the middle or at the end has the value that it has
 * where it was wanted from the beginning. */
static void test_wanted_later(void **state)
{
    (void)state;
    assert_true(each_recording(ask_recording) > 1000);
}

/* ---- two messages ---------------------------------------------------------------------------- */

#define START "BYE sip:a@b SIP/2.0\r\n"

static void test_diff(void **state)
{
    static const struct {
        const char *left, *right, *lines; /* a letter for each line of the difference, its name */
    } cases[] = {
        {START "A: 1\r\nB: 2\r\n\r\n", START "A: 1\r\nB: 2\r\n\r\n", "= =A =B "},
        {START "A: 1\r\nB: 2\r\n\r\n", START "A: 1\r\n\r\n", "= =A -B "},
        {START "A: 1\r\n\r\n", START "N: 0\r\nA: 1\r\n\r\n", "= +N =A "},
        {START "A: one\r\n\r\n", START "A: ore\r\n\r\n", "= ~A "},
        /* removed and appended again: it moved, and nothing else did */
        {START "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", START "B: 2\r\nC: 3\r\nA: 1\r\n\r\n", "= =B =C ^A "},
        /* a Via on top is new; those below are the old ones */
        {START "Via: x\r\nVia: y\r\n\r\n", START "Via: z\r\nVia: x\r\nVia: y\r\n\r\n",
         "= +Via =Via =Via "},
        /* names without case and compact, folds undone */
        {START "f: 1\r\n\r\n", START "From: 1\r\n\r\n", "= =From "},
        {START "A: 1\r\n 2\r\n\r\n", START "A: 1 2\r\n\r\n", "= fA "},
        {START "c: application/sdp\r\nContent-Length: 10\r\n\r\nv=0\r\nm=a\r\n",
         START "c: application/sdp\r\nContent-Length: 10\r\n\r\nv=0\r\nm=b\r\n",
         "= =c =Content-Length =v ~m "},
        {START "\r\n", "SIP/2.0 200 OK\r\n\r\n", "~ "},
    };
    static const char letters[] = {
        [VIEW_DIFF_SAME] = '=',    [VIEW_DIFF_GONE] = '-',  [VIEW_DIFF_NEW] = '+',
        [VIEW_DIFF_CHANGED] = '~', [VIEW_DIFF_MOVED] = '^', [VIEW_DIFF_FOLDED] = 'f'};
    struct sip_scanner *left = sip_scanner_new(), *right = sip_scanner_new();
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct sip_message x, y;
        struct view_diff d;
        struct text out = {0};
        assert_true(sip_scan_datagram(left, slice_of(cases[i].left), 0, &x));
        assert_true(sip_scan_datagram(right, slice_of(cases[i].right), 0, &y));
        view_diff_build(&a, &x, &y, &d);
        for (size_t k = 0; k < d.n; k++) {
            text_add_char(&out, letters[d.lines[k].kind]);
            text_add(&out, d.lines[k].name);
            text_add_char(&out, ' ');
        }
        assert_string_equal(out.p, cases[i].lines);
        text_free(&out);
        arena_free(&a);
    }
    sip_scanner_free(left);
    sip_scanner_free(right);
}

/* What differs begins and ends with a character. */
static void test_inner(void **state)
{
    static const struct {
        const char *left, *right;
        size_t before, after;
    } cases[] = {
        {"abc", "abd", 2, 0},
        {"xabc", "yabc", 0, 3},
        {"", "a", 0, 0},
        {"\xe5\xad\x97", "\xe5\xae\x97", 0, 0},
        {"a\xe5\xad\x97z", "a\xe5\xae\x97z", 1, 1},
        {"\x80\x81", "\x80\x82", 0, 0},
        {"\xff\x41", "\xff\x42", 1, 0},
        {"\xc3\xa4", "\xc5\xa4", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t before, after;
        view_inner(slice_of(cases[i].left), slice_of(cases[i].right), &before, &after);
        if (before != cases[i].before || after != cases[i].after)
            fail_msg("case %zu: %zu %zu", i, before, after);
    }
}

static void test_diff_inner(void **state)
{
    struct sip_scanner *left = sip_scanner_new(), *right = sip_scanner_new();
    struct arena a = {0};
    struct sip_message x, y;
    struct view_diff d;
    (void)state;
    assert_true(sip_scan_datagram(left, SLICE(START "A: abcabc\r\n\r\n"), 0, &x));
    assert_true(sip_scan_datagram(right, SLICE(START "A: abc\r\n\r\n"), 0, &y));
    view_diff_build(&a, &x, &y, &d);
    assert_int_equal(d.n, 2);
    assert_int_equal(d.lines[1].same_before, 3);
    assert_int_equal(d.lines[1].same_after, 0);
    arena_free(&a);
    sip_scanner_free(left);
    sip_scanner_free(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_check),     cmocka_unit_test(test_list),
        cmocka_unit_test(test_memory),       cmocka_unit_test(test_stop),
        cmocka_unit_test(test_wanted_later), cmocka_unit_test(test_diff),
        cmocka_unit_test(test_diff_inner),   cmocka_unit_test(test_inner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

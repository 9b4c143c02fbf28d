/* view/filter over whole captures: the calls that the screens show are those that a run hands out,
 * whether the filter was there before the calls or came later. */
#include "unit.h"
#include "view/view.h"

#include <stdio.h>

#define FOLDER "captures/two-trunks-twenty-calls/"

struct found {
    struct view_filter *filter;
    struct text ids; /* of calls that were handed out, sorted */
    VEC(char *) all;
};

static void note(struct found *f, struct slice id)
{
    char *copy = base_alloc(id.n + 1);
    memcpy(copy, id.p, id.n);
    *vec_add(&f->all) = copy;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void finish(struct found *f)
{
    if (f->all.n)
        qsort(f->all.items, f->all.n, sizeof *f->all.items, compare);
    text_add(&f->ids, SLICE(""));
    for (size_t i = 0; i < f->all.n; i++) {
        text_printf(&f->ids, "%s\n", f->all.items[i]);
        free(f->all.items[i]);
    }
    vec_free(&f->all);
}

static void hand_out(void *context, const struct call_summary *c)
{
    note(context, c->call_ids[0]);
}

static void add_sources(struct trace *t)
{
    static const char *const sources[] = {FOLDER "livekit.pcap", FOLDER "kam1.pcapng.gz",
                                          FOLDER "kam2.pcap.gz", FOLDER "five9.pcap"};
    struct err err;
    for (size_t i = 0; i < COUNT(sources); i++)
        assert_true(trace_add(t, sources[i], &err));
}

static struct text run(const char *expression, unsigned threads)
{
    struct err err;
    struct view_filter_fault fault;
    struct found f = {.filter = view_filter_new(slice_of(expression), VIEW_FILTER_CALLS, &fault)};
    const struct trace_sinks sinks = {.call = hand_out, .context = &f};
    struct trace *t = trace_new(
        &(struct trace_options){.filter = view_filter_calls(f.filter), .threads = threads});
    assert_non_null(f.filter);
    add_sources(t);
    view_filter_begin(f.filter, t);
    assert_true(trace_run(t, &sinks, &err));
    assert_int_equal(view_filter_stats(f.filter)->asked, 20);
    trace_free(t);
    view_filter_free(f.filter);
    finish(&f);
    return f.ids;
}

/* early: the filter is there before the first frame; `budget`: what is done at a time. */
static struct text browse(const char *expression, bool early, uint32_t budget)
{
    struct err err;
    struct found f = {0};
    struct view_filter_fault fault;
    struct view_calls list;
    struct check_options owed = {0};
    struct expect_trunks none = {0};
    owed.trunks = &none;
    struct trace *t = trace_new(&(struct trace_options){.check = &owed});
    add_sources(t);
    assert_true(trace_browse(t, &err));
    view_calls_init(&list, t, &owed);
    if (early)
        assert_true(view_calls_express(&list, slice_of(expression), &fault));
    while (trace_browse_step(t, 50, &err) == TRACE_MORE) {
        view_calls_update(&list, true);
        (void)view_calls_work(&list, budget);
    }
    if (!early)
        assert_true(view_calls_express(&list, slice_of(expression), &fault));
    view_calls_update(&list, true);
    size_t steps = 0;
    while (view_calls_work(&list, budget))
        assert_true(++steps < 100000);
    assert_int_equal(view_calls_progress(&list), 100);
    assert_int_equal(view_calls_total(&list), 20);
    for (size_t i = 0; i < list.shown_count; i++) {
        struct call_summary c;
        struct arena a = {0};
        trace_call_summary(t, list.shown[i], &a, &c);
        note(&f, c.call_ids[0]);
        arena_free(&a);
    }
    view_calls_free(&list);
    trace_free(t);
    finish(&f);
    return f.ids;
}

static size_t lines(const struct text *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += t->p[i] == '\n';
    return n;
}

static void assert_same(const char *expression, const struct text *a, struct text b)
{
    if (strcmp(a->p, b.p) != 0)
        fail_msg("%s:\n%s-- and not --\n%s", expression, b.p, a->p);
    text_free(&b);
}

static void test_same(void **state)
{
    static const struct {
        const char *expression;
        size_t calls;
    } cases[] = {
        {"method == BYE", 20},
        {"status == 4xx", 0},
        {"method == BYE and header[\"X-Five9-Queue\"] exists", 10},
        {"any(point == five9) and none(header[\"X-Acme-*\"])", 10},
        {"call.caller endswith 0103", 4},
        {"point == kam1 and call.caller endswith 0103 and cseq.method == BYE", 4},
        {"method == BYE and src == 10.0.1.10 and header[\"X-Five9-Queue\"] missing", 10},
        {"+15105550177", 10},
        {"any(point == livekit and header[\"X-Acme-Ticket\"]) and "
         "none(point == five9 and header[\"X-Acme-Ticket\"])",
         10},
        {"call.points == kam2 and call.legs == 1", 20},
        {"call.talk >= 2s or not any(method == BYE and point == five9)", 4},
        {"all(call_id contains b4ecc)", 20},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *e = cases[i].expression;
        struct text one = run(e, 1);
        if (lines(&one) != cases[i].calls)
            fail_msg("%s: %zu calls", e, lines(&one));
        assert_same(e, &one, run(e, 2));
        assert_same(e, &one, browse(e, false, UINT32_MAX));
        assert_same(e, &one, browse(e, false, 9));
        assert_same(e, &one, browse(e, true, 9));
        assert_same(e, &one, browse(e, true, UINT32_MAX));
        text_free(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

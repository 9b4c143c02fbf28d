/* Which calls are in the list, and in which order. */
#include "view/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- which are shown ------------------------------------------------------------------------- */

static bool contains_nocase(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (slice_equal_nocase((struct slice){text.p + i, part.n}, part))
            return true;
    return false;
}

static bool has_text(struct view_calls *v, uint32_t call)
{
    struct call_summary c;
    struct text words = {0};
    if (v->filter.n == 0)
        return true;
    trace_call_summary(v->trace, call, &v->scratch, &c);
    for (size_t cell = VIEW_CELL_NUMBER + 1; cell < VIEW_CELL_COUNT + v->header_count; cell++) {
        view_calls_add_cell(v, &words, (enum view_cell)cell, call, &c);
        text_add_char(&words, '\n');
    }
    for (size_t i = 1; i < c.call_id_count; i++) {
        text_add(&words, c.call_ids[i]);
        text_add_char(&words, '\n');
    }
    bool shown = contains_nocase(text_slice(&words), text_slice(&v->filter));
    text_free(&words);
    arena_reset(&v->scratch);
    return shown;
}

enum shown { HIDDEN, SHOWN, UNSURE, LATER };

#define JUDGED_COSTS 64u /* as many messages */

static enum shown ask_expression(struct view_calls *v, uint32_t call, uint32_t *budget)
{
    struct trace_marks marks = {0, 0, 0, 0};
    struct view_filter_verdict verdict = {.judged = false};
    struct call_summary c;
    if (view_filter_asks_messages(v->expression) &&
        !trace_call_look(v->trace, call, view_filter_calls(v->expression), budget, &marks))
        return LATER;
    if (view_filter_asks_verdict(v->expression)) {
        const struct view_verdict *w = view_calls_verdict(v, call, true);
        verdict.judged = w->judged;
        verdict.verdict = w->verdict;
        verdict.errors = w->errors;
        memcpy(verdict.findings, w->findings, sizeof verdict.findings);
        *budget -= *budget < JUDGED_COSTS ? *budget : JUDGED_COSTS;
    }
    *budget -= *budget > 0;
    trace_call_summary(v->trace, call, &v->scratch, &c);
    enum view_filter_answer a = view_filter_call(v->expression, &c, &marks, &verdict);
    arena_reset(&v->scratch);
    return a == VIEW_FILTER_YES ? SHOWN : a == VIEW_FILTER_NO ? HIDDEN : UNSURE;
}

static enum shown is_shown(struct view_calls *v, uint32_t call, uint32_t *budget)
{
    if (!trace_call_is(v->trace, call) || call < v->from || !has_text(v, call))
        return HIDDEN;
    return v->expression ? ask_expression(v, call, budget) : SHOWN;
}

/* ---- the order ------------------------------------------------------------------------------- */

struct key {
    int64_t number;
    struct slice text;
    uint32_t call;
};

static struct key key_of(struct view_calls *v, uint32_t call)
{
    struct call_summary c;
    struct text words = {0};
    struct key k = {.call = call};
    const struct view_verdict *w = view_calls_verdict(v, call, false);
    trace_call_summary(v->trace, call, &v->scratch, &c);
    switch (v->sort) {
    case VIEW_CELL_NUMBER:
        break;
    case VIEW_CELL_START:
    case VIEW_CELL_DAY:
    case VIEW_CELL_ANSWER:
    case VIEW_CELL_END:
    case VIEW_CELL_LAST:
        k.number = view_time_of(v->sort, &c);
        break;
    case VIEW_CELL_TALK:
        k.number = view_talk_ms(&c);
        break;
    case VIEW_CELL_STATUS:
        k.number = c.status;
        break;
    case VIEW_CELL_MESSAGES:
        k.number = c.messages;
        break;
    case VIEW_CELL_DURATION:
        k.number = view_duration_ms(&c);
        break;
    case VIEW_CELL_VERDICT: /* what fails first */
        k.number = !w->judged ? 3 : w->verdict == CHECK_FAIL ? 0 : w->verdict == CHECK_PASS ? 2 : 1;
        break;
    default:
        view_calls_add_cell(v, &words, v->sort, call, &c);
        k.text = arena_copy(&v->scratch, text_slice(&words));
    }
    text_free(&words);
    return k;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct key *x = a, *y = b;
    const struct view_calls *v = context;
    int order = x->number < y->number   ? -1
                : x->number > y->number ? 1
                                        : slice_compare(x->text, y->text);
    if (order == 0)
        order = x->call < y->call ? -1 : x->call > y->call;
    return v->backwards ? -order : order;
}

static void sort(struct view_calls *v)
{
    struct key *keys = base_alloc((v->shown_count + 1) * sizeof *keys);
    for (size_t i = 0; i < v->shown_count; i++)
        keys[i] = key_of(v, v->shown[i]);
    qsort_r(keys, v->shown_count, sizeof *keys, compare, v);
    for (size_t i = 0; i < v->shown_count; i++)
        v->shown[i] = keys[i].call;
    arena_reset(&v->scratch);
    free(keys);
}

static bool in_order(const struct view_calls *v)
{
    return v->sort == VIEW_CELL_NUMBER && !v->backwards;
}

/* ---- the list -------------------------------------------------------------------------------- */

static void drop_gone(struct view_calls *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->shown_count; i++)
        if (trace_call_is(v->trace, v->shown[i]))
            v->shown[n++] = v->shown[i];
    v->shown_count = n;
}

/* What is said of the list is said of the one that is made anew, and the other way round. */
static void exchange(struct view_calls *v)
{
    struct view_fresh was = v->fresh, *f = &v->fresh;
    f->shown = v->shown;
    f->shown_count = v->shown_count;
    f->shown_cap = v->shown_cap;
    f->known = v->known;
    f->unsure = v->unsure;
    v->shown = was.shown;
    v->shown_count = was.shown_count;
    v->shown_cap = was.shown_cap;
    v->known = was.known;
    v->unsure = was.unsure;
}

static void fresh_begin(struct view_calls *v)
{
    v->fresh.again = v->fresh.on;
    if (v->fresh.on)
        return;
    v->fresh.on = true;
    v->fresh.shown_count = 0;
    v->fresh.known = v->fresh.unsure = 0;
}

static void fresh_end(struct view_calls *v)
{
    exchange(v);
    v->fresh.on = false;
    drop_gone(v);
    if (!in_order(v))
        sort(v);
    if (v->fresh.again)
        fresh_begin(v);
}

static void show(struct view_calls *v, uint32_t call)
{
    if (v->shown_count == v->shown_cap)
        v->shown = vec_grow(v->shown, &v->shown_cap, sizeof *v->shown);
    v->shown[v->shown_count++] = call;
}

static bool fill(struct view_calls *v, uint32_t n, uint32_t *budget)
{
    for (; v->known < n; v->known++) {
        enum shown s = *budget ? is_shown(v, v->known, budget) : LATER;
        if (s == LATER)
            return false;
        if (s == SHOWN)
            show(v, v->known);
        v->unsure += s == UNSURE;
    }
    return true;
}

static bool fill_fresh(struct view_calls *v, uint32_t n, uint32_t *budget)
{
    exchange(v);
    bool whole = fill(v, n, budget);
    exchange(v);
    return whole;
}

bool view_calls_work(struct view_calls *v, uint32_t budget)
{
    uint32_t n = trace_call_count(v->trace);
    bool had = v->known < n;
    if (!v->expression)
        return false;
    if (!fill(v, n, &budget))
        return true;
    if (had && !in_order(v) && !v->fresh.on)
        sort(v);
    if (!v->fresh.on)
        return false;
    if (fill_fresh(v, n, &budget))
        fresh_end(v);
    return v->fresh.on;
}

unsigned view_calls_progress(const struct view_calls *v)
{
    uint32_t n = trace_call_count(v->trace);
    return !v->expression || n == 0 ? 100 : (unsigned)((uint64_t)v->known * 100 / n);
}

uint32_t view_calls_total(const struct view_calls *v)
{
    uint32_t total = 0;
    for (uint32_t i = 0, n = trace_call_count(v->trace); i < n; i++)
        total += trace_call_is(v->trace, i);
    return total;
}

void view_calls_update(struct view_calls *v, bool anew)
{
    uint32_t budget = UINT32_MAX;
    drop_gone(v);
    if (v->expression) {
        if (anew)
            fresh_begin(v);
        return;
    }
    anew &= v->filter.n || !in_order(v);
    if (anew)
        v->known = 0;
    if (anew)
        v->shown_count = 0;
    (void)fill(v, trace_call_count(v->trace), &budget);
    if (anew && !in_order(v))
        sort(v);
}

/* The list as it is says nothing any more. */
static void begin_anew(struct view_calls *v)
{
    v->known = v->unsure = 0;
    v->shown_count = 0;
    v->fresh.on = v->fresh.again = false;
    if (!v->expression)
        view_calls_update(v, true);
}

void view_calls_filter(struct view_calls *v, struct slice text)
{
    text_clear(&v->filter);
    text_add(&v->filter, text);
    begin_anew(v);
}

bool view_calls_express(struct view_calls *v, struct slice expression,
                        struct view_filter_fault *fault)
{
    struct view_filter *f = NULL;
    expression = slice_trim(expression);
    if (expression.n && !(f = view_filter_new(expression, VIEW_FILTER_JUDGED, fault)))
        return false;
    view_filter_free(v->expression);
    v->expression = f;
    if (f)
        view_filter_begin(f, v->trace);
    text_clear(&v->expression_text);
    text_add(&v->expression_text, expression);
    trace_look_anew(v->trace);
    begin_anew(v);
    return true;
}

void view_calls_sort(struct view_calls *v, enum view_cell by, bool backwards)
{
    v->sort = by;
    v->backwards = backwards;
    if (v->expression)
        sort(v); /* what is shown is what matches */
    else
        begin_anew(v);
}

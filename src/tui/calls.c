/* The list of calls. */
#include "tui/internal.h"

#include <stdlib.h>
#include <string.h>

struct calls {
    struct tui_screen screen;
    struct view_calls list;
    struct tui_scroll scroll;
    uint32_t at; /* the call under the cursor, which may move in the list */
    bool follow;
    VEC(uint32_t) marked;
    enum { ASKED_TEXT, ASKED_PATH, ASKED_EXPRESSION } typing;
    uint32_t asked;  /* calls up to this one were, for headers of columns */
    size_t wanted;   /* when there were so many */
    bool asks;       /* that is not done yet */
    uint32_t judged; /* calls up to this one were, in the background */
    uint64_t failed;
    uint64_t messages; /* when the list was made anew */
};

/* ---- rows ------------------------------------------------------------------------------------ */

static size_t mark_of(const struct calls *s, uint32_t call)
{
    size_t i = 0;
    while (i < s->marked.n && s->marked.items[i] != call)
        i++;
    return i;
}

static unsigned look_of(enum view_cell cell, const struct view_verdict *w,
                        const struct call_summary *c)
{
    if (cell == VIEW_CELL_VERDICT)
        return w->verdict == CHECK_FAIL   ? GRID_BAD
               : w->verdict == CHECK_PASS ? GRID_GOOD
                                          : GRID_WARN;
    if (cell == VIEW_CELL_STATE && c->outcome == CALL_FAILED)
        return GRID_BAD;
    if (cell == VIEW_CELL_NUMBER || cell == VIEW_CELL_CALL_ID || cell == VIEW_CELL_POINTS)
        return GRID_DIM;
    return GRID_PLAIN;
}

static bool is_clock(enum view_cell c)
{
    return c == VIEW_CELL_START || c == VIEW_CELL_ANSWER || c == VIEW_CELL_END ||
           c == VIEW_CELL_LAST;
}

static void draw_call(struct calls *s, const struct tui_columns *all, struct grid *g, size_t row,
                      uint32_t call)
{
    struct call_summary c;
    struct text words = {0};
    const struct view_verdict *w = view_calls_verdict(&s->list, call, true);
    trace_call_ask(s->list.trace, call);
    trace_call_summary(s->list.trace, call, &s->list.scratch, &c);
    if (mark_of(s, call) < s->marked.n)
        grid_put(g, row, 0, 1, GRID_CUSTOM, SLICE("*"));
    size_t x = 1;
    for (size_t i = 0; i < all->n; i++) {
        const struct tui_column *k = &all->items[i];
        if (k->shown == 0)
            continue;
        text_clear(&words);
        view_calls_add_cell(&s->list, &words, k->cell, call, &c);
        if (is_clock(k->cell) && k->shown < words.n && k->shown >= 8)
            words.n = 8; /* without milliseconds */
        size_t pad = tui_column_is_right(k) && words.n < k->shown ? k->shown - words.n : 0;
        grid_fit(g, row, x + pad, x + k->shown, look_of(k->cell, w, &c), text_slice(&words));
        x += k->shown + 1;
    }
    text_free(&words);
    arena_reset(&s->list.scratch);
}

/* The cursor stays on its call. */
static void find_at(struct calls *s)
{
    const struct view_calls *v = &s->list;
    if (s->follow) {
        s->scroll.at = v->shown_count ? v->shown_count - 1 : 0;
        return;
    }
    if (s->scroll.at < v->shown_count && v->shown[s->scroll.at] == s->at)
        return;
    for (size_t i = 0; i < v->shown_count; i++)
        if (v->shown[i] == s->at) {
            s->scroll.at = i;
            return;
        }
}

static void note_at(struct calls *s)
{
    if (s->scroll.at < s->list.shown_count)
        s->at = s->list.shown[s->scroll.at];
}

/* A list that is filtered or sorted is made anew when a tenth more was read, and at the end. */
static void update(struct tui *t, struct calls *s)
{
    struct trace_load l;
    trace_load(t->trace, &l);
    s->list.local_time = tui_set(t, SET_ZONE);
    s->list.headers = t->chosen.headers;
    s->list.header_count = t->chosen.want_count;
    bool over = t->step == TRACE_OVER, more = l.messages != s->messages;
    bool anew =
        more && (over || t->step == TRACE_WAIT || l.messages > s->messages + s->messages / 10);
    if (anew)
        s->messages = l.messages;
    s->list.loading = t->step == TRACE_MORE || t->step == TRACE_WAIT;
    view_calls_update(&s->list, anew);
    find_at(s);
}

static void calls_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                       struct tui_area area)
{
    struct calls *s = (struct calls *)screen;
    update(t, s);
    tui_columns_fit(t, g->columns);
    tui_columns_head(t, g, area.top, s->list.sort, s->list.backwards);
    size_t first = area.top + 1;
    tui_scroll_fit(&s->scroll, s->list.shown_count, area.bottom - first);
    note_at(s);
    for (size_t i = 0; first + i < area.bottom && s->scroll.top + i < s->list.shown_count; i++) {
        draw_call(s, &t->chosen, g, first + i, s->list.shown[s->scroll.top + i]);
        if (s->scroll.top + i == s->scroll.at)
            grid_select(g, first + i, 0, g->columns);
    }
    if (s->list.shown_count == 0 && (t->step == TRACE_OVER || s->list.from))
        grid_fit(g, first, 1, g->columns, GRID_DIM,
                 view_calls_progress(&s->list) < 100 ? SLICE("looking for calls that match")
                 : s->list.expression                ? SLICE("no call matches; F5 shows all")
                 : s->list.filter.n ? SLICE("no call in which this text stands; F5 shows all")
                 : s->list.from     ? SLICE("no call since the others were hidden; F5 shows all")
                                    : SLICE("no call in the captures"));
}

/* "3 of 20: what is asked", which is worth more room than the names of points. */
static void add_filters(const struct view_calls *v, struct text *out)
{
    unsigned done = view_calls_progress(v);
    text_printf(out, " of %u", view_calls_total(v));
    if (done < 100)
        text_printf(out, " (looked through %u %%)", done);
    if (v->unsure)
        text_printf(out, ", %u unknown", v->unsure);
    if (v->filter.n) {
        text_add(out, SLICE("  with: "));
        text_add(out, text_slice(&v->filter));
    }
    if (v->expression) {
        text_add(out, SLICE("  filter: "));
        text_add(out, text_slice(&v->expression_text));
    }
}

static void calls_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct calls *s = (struct calls *)screen;
    const struct trace_point *points;
    size_t n = trace_points(t->trace, &points);
    text_printf(out, "Calls %zu", s->list.shown_count);
    if (s->list.expression || s->list.filter.n) {
        add_filters(&s->list, out);
        return;
    }
    if (s->failed)
        text_printf(out, ", %llu fail", (unsigned long long)s->failed);
    if (s->list.from)
        text_printf(out, "  (before them %u hidden)", s->list.from);
    if (s->asks)
        text_add(out, SLICE("  reading headers"));
    text_add(out, SLICE("  of"));
    for (size_t i = 0; i < n; i++)
        text_printf(out, " %s", points[i].name);
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static bool open_call(struct tui *t, struct calls *s)
{
    return s->scroll.at < s->list.shown_count && tui_call_open(t, s->list.shown[s->scroll.at]);
}

static void open_matrix(struct tui *t)
{
    if (t->call.hops->journey_count)
        tui_matrix_push_call(t);
    else
        tui_say(t, "no message of this call can be read");
}

static void open_raw(struct tui *t)
{
    const struct view_ladder *l = t->call.ladder;
    if (l->row_count)
        tui_message_push(t, view_row_first(&l->rows[0])->id, SLICE_NONE);
}

static void open_screen(struct tui *t, struct calls *s, enum tui_action a)
{
    if (!open_call(t, s))
        return;
    if (a == DO_OPEN)
        tui_ladder_push(t);
    else if (a == DO_MATRIX)
        open_matrix(t);
    else if (a == DO_RAW)
        open_raw(t);
    else
        tui_findings_push(t);
}

static void mark(struct calls *s)
{
    if (s->scroll.at >= s->list.shown_count)
        return;
    uint32_t call = s->list.shown[s->scroll.at];
    size_t i = mark_of(s, call);
    if (i == s->marked.n)
        *vec_add(&s->marked) = call;
    else
        s->marked.items[i] = s->marked.items[--s->marked.n];
    tui_scroll_do(&s->scroll, DO_DOWN);
    note_at(s);
}

/* By the column beside the one that it is sorted by. */
static enum view_cell next_column(const struct calls *s, const struct tui_columns *all,
                                  bool forwards)
{
    size_t n = all->n, i = 0;
    while (i < n && all->items[i].cell != s->list.sort)
        i++;
    if (n == 0)
        return s->list.sort;
    if (forwards)
        return all->items[i + 1 < n ? i + 1 : 0].cell;
    return all->items[i ? i - 1 : n - 1].cell;
}

static void sort_by(struct tui *t, struct calls *s, enum view_cell by, bool backwards)
{
    s->list.headers = t->chosen.headers;
    s->list.header_count = t->chosen.want_count;
    view_calls_sort(&s->list, by, backwards);
    tui_sort_note(t, by, backwards);
    find_at(s);
}

void tui_calls_sort(struct tui *t, enum view_cell by)
{
    struct calls *s = (struct calls *)t->screens[0];
    sort_by(t, s, by, s->list.sort == by && !s->list.backwards);
}

void tui_sort_heed(struct tui *t)
{
    struct calls *s = (struct calls *)t->screens[0];
    struct err err;
    enum view_cell by;
    bool backwards;
    if (!tui_sort_read(&t->chosen, text_slice(&t->settings->texts[SET_SORT]), &by, &backwards,
                       &err)) {
        tui_settings_remark(t->settings, "sort: %s", err.text);
        return;
    }
    s->list.headers = t->chosen.headers;
    s->list.header_count = t->chosen.want_count;
    view_calls_sort(&s->list, by, backwards);
}

static void sort(struct tui *t, struct calls *s, enum tui_action a)
{
    enum view_cell by = s->list.sort;
    bool backwards = s->list.backwards;
    if (a == DO_SORT_TURN)
        backwards = !backwards;
    else
        by = next_column(s, &t->chosen, a == DO_SORT_NEXT);
    sort_by(t, s, by, backwards);
}

/* Nothing is lost: what is hidden is shown again when that is asked for. */
static void hide(struct tui *t, struct calls *s, bool hides)
{
    struct view_filter_fault none;
    s->list.from = hides ? trace_call_count(t->trace) : 0;
    if (!hides) {
        (void)view_calls_express(&s->list, SLICE_NONE, &none);
        tui_form_clear(&t->form);
    }
    view_calls_filter(&s->list, SLICE_NONE);
    find_at(s);
    if (hides)
        tui_say(t, "the calls so far are hidden; F5 shows all again");
}

bool tui_calls_express(struct tui *t, struct slice expression, struct view_filter_fault *fault)
{
    struct calls *s = (struct calls *)t->screens[0];
    if (!view_calls_express(&s->list, expression, fault))
        return false;
    tui_history_add(&t->filters, expression);
    return true;
}

static void calls_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct calls *s = (struct calls *)screen;
    if (tui_scroll_do(&s->scroll, a)) {
        s->follow = false;
        note_at(s);
        return;
    }
    switch (a) {
    case DO_MARK:
        mark(s);
        break;
    case DO_SEARCH:
        s->typing = ASKED_TEXT;
        tui_ask(t, "Calls with:");
        break;
    case DO_SAVE:
        s->typing = ASKED_PATH;
        tui_ask_path(t, "Save to (" TUI_SAVE_AS "):");
        break;
    case DO_FILTER:
        tui_filter_push(t);
        break;
    case DO_EXPRESS:
        s->typing = ASKED_EXPRESSION;
        tui_ask_expression(t, "Calls where:", text_slice(&s->list.expression_text));
        break;
    case DO_CLEAR:
    case DO_HIDE:
        hide(t, s,
             a == DO_HIDE || (s->list.from == 0 && s->list.filter.n == 0 && !s->list.expression));
        break;
    case DO_COLUMNS:
        tui_columns_push(t, s->scroll.at < s->list.shown_count ? s->list.shown[s->scroll.at]
                                                               : UINT32_MAX);
        break;
    case DO_SORT_NEXT:
    case DO_SORT_PREVIOUS:
    case DO_SORT_TURN:
        sort(t, s, a);
        break;
    case DO_FOLLOW:
        s->follow = !s->follow;
        tui_set_to(t, SET_AUTOSCROLL, s->follow);
        tui_say(t, s->follow ? "the cursor follows the end" : "the cursor stays");
        break;
    case DO_STATISTICS:
        tui_statistics_push(t);
        break;
    default:
        open_screen(t, s, a);
    }
}

static void calls_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    struct calls *s = (struct calls *)screen;
    struct view_filter_fault fault;
    if (s->typing == ASKED_EXPRESSION && !tui_calls_express(t, line, &fault))
        tui_ask_again(t, &fault);
    else if (s->typing == ASKED_EXPRESSION)
        tui_form_express(&t->form, line);
    else if (s->typing == ASKED_TEXT)
        view_calls_filter(&s->list, line);
    else if (s->marked.n)
        tui_save_calls(t, line, s->marked.items, s->marked.n);
    else
        tui_save_calls(t, line, s->list.shown, s->list.shown_count);
}

static void calls_free(struct tui_screen *screen)
{
    struct calls *s = (struct calls *)screen;
    view_calls_free(&s->list);
    vec_free(&s->marked);
}

static bool calls_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct calls *s = (struct calls *)screen;
    const struct tui_column *title = row == 0 ? tui_column_at(t, t->clicked) : NULL;
    if (title)
        tui_calls_sort(t, title->cell);
    if (row < 1 || !tui_scroll_to(&s->scroll, row - 1))
        return false;
    s->follow = false;
    note_at(s);
    return true;
}

static const struct tui_kind calls_kind = {
    .map = MAP_CALLS,
    .scrolls = true,
    .draw = calls_draw,
    .act = calls_act,
    .title = calls_title,
    .click = calls_click,
    .typed = calls_typed,
    .free = calls_free,
};

static void add_endpoint(const void *context, struct text *out, const struct endpoint *e)
{
    tui_add_endpoint(context, out, e);
}

void tui_calls_push(struct tui *t)
{
    struct calls *s = tui_push(t, &calls_kind, sizeof *s);
    view_calls_init(&s->list, t->trace, t->options.check);
    s->list.add_endpoint = add_endpoint;
    s->list.endpoint_context = t;
    s->list.local_time = tui_set(t, SET_ZONE);
    s->follow = tui_set(t, SET_AUTOSCROLL);
    s->wanted = t->chosen.want_count;
    tui_sort_heed(t);
}

/* ---- in the background ----------------------------------------------------------------------- */

static void judge(struct tui *t, struct calls *s, uint32_t call)
{
    if (!trace_call_is(t->trace, call))
        return;
    const struct view_verdict *w = view_calls_verdict(&s->list, call, true);
    s->failed += w->judged && w->verdict == CHECK_FAIL;
}

/* When the last call was asked for the headers of a new column, what depends on them is made anew.
 */
bool tui_calls_ask(struct tui *t)
{
    struct calls *s = (struct calls *)t->screens[0];
    if (s->wanted != t->chosen.want_count) {
        s->wanted = t->chosen.want_count;
        s->asked = 0;
        s->asks = true;
    }
    if (s->asks && s->asked < trace_call_count(t->trace)) {
        if (trace_call_is(t->trace, s->asked))
            trace_call_ask(t->trace, s->asked);
        s->asked++;
        return true;
    }
    if (s->asks)
        view_calls_update(&s->list, true);
    s->asks = false;
    return false;
}

#define LOOK_AT 2048u /* messages, before keys are asked for again */

bool tui_calls_filter(struct tui *t)
{
    struct calls *s = (struct calls *)t->screens[0];
    return view_calls_work(&s->list, LOOK_AT);
}

bool tui_calls_judge(struct tui *t)
{
    struct calls *s = (struct calls *)t->screens[0];
    if (s->judged >= trace_call_count(t->trace))
        return false;
    judge(t, s, s->judged++);
    return true;
}

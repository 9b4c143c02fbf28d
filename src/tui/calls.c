/* The list of calls. */
#include "tui/internal.h"

#include <stdlib.h>
#include <string.h>

struct column {
    struct slice title;
    size_t least, most, rank;
    size_t width; /* 0: there is no room for it */
    enum view_cell cell;
    bool right;
};

struct calls {
    struct tui_screen screen;
    VEC(struct column) columns;
    struct view_calls list;
    struct tui_scroll scroll;
    uint32_t at; /* the call under the cursor, which may move in the list */
    bool follow;
    VEC(uint32_t) marked;
    bool asked_path; /* what is typed is a path, not a filter */
    uint32_t judged; /* calls up to this one were, in the background */
    uint64_t failed;
    uint64_t messages; /* when the list was made anew */
};

/* ---- columns --------------------------------------------------------------------------------- */

/* In order of appearance; those of a high rank go first where there is no room. */
static const struct column usual[] = {
    {.cell = VIEW_CELL_NUMBER, .least = 4, .most = 7, .rank = 5, .right = true},
    {.cell = VIEW_CELL_VERDICT, .least = 8, .most = 9, .rank = 2, .right = false},
    {.cell = VIEW_CELL_START, .least = 8, .most = 12, .rank = 4, .right = false},
    {.cell = VIEW_CELL_CALLER, .least = 12, .most = 20, .rank = 0, .right = false},
    {.cell = VIEW_CELL_CALLEE, .least = 12, .most = 20, .rank = 1, .right = false},
    {.cell = VIEW_CELL_STATE, .least = 9, .most = 14, .rank = 3, .right = false},
    {.cell = VIEW_CELL_MESSAGES, .least = 4, .most = 8, .rank = 6, .right = true},
    {.cell = VIEW_CELL_DURATION, .least = 7, .most = 9, .rank = 8, .right = true},
    {.cell = VIEW_CELL_POINTS, .least = 10, .most = 40, .rank = 9, .right = false},
    {.cell = VIEW_CELL_CALL_ID, .least = 9, .most = 60, .rank = 7, .right = false},
};
#define USUAL (sizeof usual / sizeof *usual)

static struct column column_of(enum view_cell cell, struct slice title, size_t rank)
{
    struct column c = {.cell = cell, .least = 8, .most = 24};
    for (size_t i = 0; i < USUAL; i++)
        if (usual[i].cell == cell)
            c = usual[i];
    c.rank = rank;
    c.title = title;
    return c;
}

/* Those that were asked for, in that order, behind number and verdict. */
static void choose_columns(struct calls *s, const struct tui_options *o)
{
    if (o->column_count == 0)
        for (size_t i = 0; i < USUAL; i++) {
            struct slice name = slice_of(view_cell_name(usual[i].cell));
            *vec_add(&s->columns) = column_of(usual[i].cell, name, usual[i].rank);
        }
    else {
        *vec_add(&s->columns) = column_of(VIEW_CELL_NUMBER, SLICE("#"), 1);
        *vec_add(&s->columns) = column_of(VIEW_CELL_VERDICT, SLICE("Verdict"), 0);
    }
    for (size_t i = 0; i < o->column_count; i++)
        *vec_add(&s->columns) = column_of(o->columns[i].cell, o->columns[i].title, 2 + i);
}

static void fit_number(struct calls *s)
{
    size_t digits = 4;
    for (uint32_t n = trace_call_count(s->list.trace); n > 9999; n /= 10)
        digits++;
    s->columns.items[0].least = digits;
    s->columns.items[0].most = digits;
}

/* By rank: to their least, then what is left to their most. */
static void fit_columns(struct calls *s, size_t width)
{
    struct column *c = s->columns.items;
    size_t left = width - 1, n = s->columns.n;
    fit_number(s);
    for (size_t i = 0; i < n; i++)
        c[i].width = 0;
    for (size_t rank = 0; rank < n; rank++)
        for (size_t i = 0; i < n; i++)
            if (c[i].rank == rank && left > c[i].least) {
                c[i].width = c[i].least;
                left -= c[i].least + 1;
            }
    for (size_t rank = 0; rank < n; rank++)
        for (size_t i = 0; i < n; i++) {
            size_t more = c[i].rank == rank && c[i].width ? c[i].most - c[i].width : 0;
            more = more < left ? more : left;
            c[i].width += more;
            left -= more;
        }
}

static void draw_head(const struct calls *s, struct grid *g, size_t row)
{
    size_t x = 1;
    grid_fill(g, row, 0, g->columns, GRID_HEAD);
    for (size_t i = 0; i < s->columns.n; i++) {
        const struct column *c = &s->columns.items[i];
        struct text name = {0};
        if (c->width == 0)
            continue;
        if (c->cell == s->list.sort)
            text_add(&name, s->list.backwards ? SLICE("v") : SLICE("^"));
        text_add(&name, slice_first(c->title, c->width - name.n));
        size_t at = c->right && c->width > name.n ? x + c->width - name.n : x;
        grid_fit(g, row, at, x + c->width, GRID_HEAD, text_slice(&name));
        x += c->width + 1;
        text_free(&name);
    }
}

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

static void draw_call(struct calls *s, struct grid *g, size_t row, uint32_t call)
{
    struct call_summary c;
    struct text words = {0};
    const struct view_verdict *w = view_calls_verdict(&s->list, call, true);
    trace_call_summary(s->list.trace, call, &s->list.scratch, &c);
    if (mark_of(s, call) < s->marked.n)
        grid_put(g, row, 0, 1, GRID_CUSTOM, SLICE("*"));
    size_t x = 1;
    for (size_t i = 0; i < s->columns.n; i++) {
        const struct column *k = &s->columns.items[i];
        if (k->width == 0)
            continue;
        text_clear(&words);
        view_calls_add_cell(&s->list, &words, k->cell, call, &c);
        if (k->cell == VIEW_CELL_START && k->width < words.n)
            words.n = 8; /* without milliseconds */
        size_t pad = k->right && words.n < k->width ? k->width - words.n : 0;
        grid_fit(g, row, x + pad, x + k->width, look_of(k->cell, w, &c), text_slice(&words));
        x += k->width + 1;
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
    fit_columns(s, g->columns);
    draw_head(s, g, area.top);
    size_t first = area.top + 1;
    tui_scroll_fit(&s->scroll, s->list.shown_count, area.bottom - first);
    note_at(s);
    for (size_t i = 0; first + i < area.bottom && s->scroll.top + i < s->list.shown_count; i++) {
        draw_call(s, g, first + i, s->list.shown[s->scroll.top + i]);
        if (s->scroll.top + i == s->scroll.at)
            grid_select(g, first + i, 0, g->columns);
    }
    if (s->list.shown_count == 0 && t->step == TRACE_OVER)
        grid_put(g, first, 1, g->columns, GRID_DIM,
                 s->list.filter.n ? SLICE("no call in which this text stands; F5 shows all")
                                  : SLICE("no call in the captures"));
}

static void calls_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct calls *s = (struct calls *)screen;
    const struct trace_point *points;
    size_t n = trace_points(t->trace, &points);
    text_printf(out, "Calls %zu", s->list.shown_count);
    if (s->failed && s->list.filter.n == 0)
        text_printf(out, ", %llu fail", (unsigned long long)s->failed);
    if (s->list.filter.n) {
        text_add(out, SLICE("  with: "));
        text_add(out, text_slice(&s->list.filter));
    }
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
    size_t journey = 0, step = 0;
    if (!t->call.hops->journey_count) {
        tui_say(t, "no message of this call can be read");
        return;
    }
    if (!tui_call_worst(t, &journey, &step))
        journey = step = 0;
    tui_matrix_push(t, journey, step);
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
static enum view_cell next_column(const struct calls *s, bool forwards)
{
    size_t n = s->columns.n, i = 0;
    while (i < n && s->columns.items[i].cell != s->list.sort)
        i++;
    if (forwards)
        return s->columns.items[i + 1 < n ? i + 1 : 0].cell;
    return s->columns.items[i ? i - 1 : n - 1].cell;
}

static void sort(struct calls *s, enum tui_action a)
{
    enum view_cell by = s->list.sort;
    bool backwards = s->list.backwards;
    if (a == DO_SORT_TURN)
        backwards = !backwards;
    else
        by = next_column(s, a == DO_SORT_NEXT);
    view_calls_sort(&s->list, by, backwards);
    find_at(s);
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
    case DO_SAVE:
        s->asked_path = a == DO_SAVE;
        if (s->asked_path)
            tui_ask_path(t, "Save to (" TUI_SAVE_AS "):");
        else
            tui_ask(t, "Calls with:");
        break;
    case DO_CLEAR:
        view_calls_filter(&s->list, SLICE_NONE);
        break;
    case DO_SORT_NEXT:
    case DO_SORT_PREVIOUS:
    case DO_SORT_TURN:
        sort(s, a);
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
    if (!s->asked_path)
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
    vec_free(&s->columns);
}

static void calls_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct calls *s = (struct calls *)screen;
    (void)t;
    if (row < 1 || row - 1 >= s->scroll.page || s->scroll.top + row - 1 >= s->scroll.n)
        return;
    s->scroll.at = s->scroll.top + row - 1;
    s->follow = false;
    note_at(s);
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

void tui_calls_push(struct tui *t)
{
    struct calls *s = tui_push(t, &calls_kind, sizeof *s);
    view_calls_init(&s->list, t->trace, t->options.check);
    s->list.headers = t->options.headers;
    s->list.header_count = t->options.header_count;
    s->list.local_time = tui_set(t, SET_ZONE);
    s->follow = tui_set(t, SET_AUTOSCROLL);
    choose_columns(s, &t->options);
}

/* ---- judged in the background ---------------------------------------------------------------- */

bool tui_calls_judge(struct tui *t)
{
    struct calls *s = (struct calls *)t->screens[0];
    if (s->judged >= trace_call_count(t->trace))
        return false;
    uint32_t call = s->judged++;
    if (trace_call_is(t->trace, call)) {
        const struct view_verdict *w = view_calls_verdict(&s->list, call, true);
        s->failed += w->judged && w->verdict == CHECK_FAIL;
    }
    return true;
}

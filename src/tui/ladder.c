/* The ladder of the open call: elements across, messages down, and one message below. */
#include "tui/internal.h"

#include <string.h>

#define TIME_WIDTH  13u
#define GAP_LEAST   15u /* columns between two lifelines */
#define GAP_MOST    30u
#define PREVIEW_MIN 3u

struct ladder {
    struct tui_screen screen;
    struct tui_scroll scroll;
    uint32_t at;     /* the sighting that the cursor is on */
    bool placed;     /* the cursor was put on what matters */
    uint32_t marked; /* a sighting to compare with; UINT32_MAX: none */
    size_t first;    /* column of the ladder at the left */
    bool panned;     /* by the user, not by the cursor */
};

/* How the ladder lies in the grid. */
struct frame {
    struct tui *t;
    struct grid *g;
    const struct view_ladder *l;
    size_t left, gap, first, last; /* of the columns that are seen */
};

static size_t x_of(const struct frame *f, size_t column)
{
    return f->left + 1 + (column - f->first) * f->gap;
}

static bool is_seen(const struct frame *f, size_t column)
{
    return column >= f->first && column <= f->last;
}

/* ---- the columns ----------------------------------------------------------------------------- */

static struct frame frame_of(struct tui *t, struct grid *g, const struct view_ladder *l,
                             struct ladder *s)
{
    struct frame f = {.t = t, .g = g, .l = l, .left = g->columns < 60 ? 9 : TIME_WIDTH};
    size_t n = l->column_count ? l->column_count : 1, room = g->columns - f.left - 4;
    f.gap = n > 1 ? room / (n - 1) : room;
    f.gap = f.gap < GAP_LEAST ? GAP_LEAST : f.gap > GAP_MOST ? GAP_MOST : f.gap;
    size_t shown = room / f.gap + 1;
    if (s->first + shown > n)
        s->first = n > shown ? n - shown : 0;
    f.first = s->first;
    f.last = f.first + shown - 1 < n - 1 ? f.first + shown - 1 : n - 1;
    return f;
}

/* The cursor's arrow is brought into sight. */
static void show_arrow(struct ladder *s, struct grid *g, const struct view_ladder *l)
{
    if (s->panned || s->scroll.at >= l->row_count)
        return;
    const struct view_row *row = &l->rows[s->scroll.at];
    size_t low = row->from < row->to ? row->from : row->to;
    size_t high = row->from < row->to ? row->to : row->from;
    struct frame f = frame_of(NULL, g, l, s);
    if (low < f.first)
        s->first = low;
    else if (high > f.last)
        s->first = high - (f.last - f.first);
}

static void draw_names(const struct frame *f, size_t row)
{
    grid_fill(f->g, row, 0, f->g->columns, GRID_HEAD);
    for (size_t i = f->first; i <= f->last && f->l->column_count; i++) {
        struct slice name = tui_column_name(f->t, &f->l->columns[i]);
        size_t x = x_of(f, i), width = text_width(name);
        width = width > f->gap - 2 ? f->gap - 2 : width;
        size_t begin = x > f->left + width / 2 ? x - width / 2 : f->left;
        if (begin + width > f->g->columns)
            begin = f->g->columns - width;
        grid_fit(f->g, row, begin, begin + width, GRID_HEAD, name);
    }
    if (f->first > 0)
        grid_put(f->g, row, 0, 4, GRID_WARN, SLICE("<"));
    if (f->last + 1 < f->l->column_count)
        grid_put(f->g, row, f->g->columns - 1, f->g->columns, GRID_WARN, SLICE(">"));
}

static void draw_lifelines(const struct frame *f, size_t row)
{
    for (size_t i = f->first; i <= f->last && f->l->column_count; i++)
        grid_put(f->g, row, x_of(f, i), f->g->columns, GRID_DIM,
                 f->l->columns[i].captured ? tui_utf8(f->t, "\xe2\x94\x82", "|")
                                           : tui_utf8(f->t, "\xe2\x94\x8a", ":"));
}

/* ---- an arrow -------------------------------------------------------------------------------- */

static void draw_line(const struct frame *f, size_t row, size_t from, size_t to, unsigned look)
{
    size_t low = from < to ? from : to, high = from < to ? to : from;
    size_t begin = is_seen(f, low) ? x_of(f, low) + 1 : f->left;
    size_t end = is_seen(f, high) ? x_of(f, high) : f->g->columns;
    struct slice wire = tui_utf8(f->t, "\xe2\x94\x80", "-");
    for (size_t x = begin; x < end; x++)
        grid_put(f->g, row, x, end, look, wire);
    if (is_seen(f, to) && end > begin)
        grid_put(f->g, row, to > from ? end - 1 : begin, f->g->columns, look,
                 to > from ? SLICE(">") : SLICE("<"));
}

static size_t harm_of(const struct tui_call *c, const struct view_row *row)
{
    size_t n = 0;
    for (size_t i = 0; i < row->step_count; i++)
        n += tui_call_harmed_at(c, row->journey, row->step + i);
    return n;
}

/* "INVITE SDP x3 -2 X-", what matters most last to go. */
static void add_label(struct text *out, struct arena *a, const struct view_row *row, size_t room)
{
    struct slice marks = view_row_marks(a, row);
    struct text notes = {0};
    if (row->transmissions > 1)
        text_printf(&notes, " x%u", row->transmissions);
    if (row->cut)
        text_add(&notes, SLICE(" cut"));
    if (marks.n) {
        text_add_char(&notes, ' ');
        text_add(&notes, marks);
    }
    size_t left = room > notes.n ? room - notes.n : 0;
    bool sdp = row->sdp && row->label.n + 4 <= left;
    text_add_fitted(out, row->label, left < 6 ? (room < 6 ? room : 6) : left);
    if (sdp)
        text_add(out, SLICE(" SDP"));
    text_add(out, text_slice(&notes));
    text_free(&notes);
}

static void draw_arrow(const struct frame *f, struct tui_call *c, const struct view_row *row,
                       size_t y)
{
    size_t from = row->from, to = row->to, harm = harm_of(c, row);
    size_t low = from < to ? from : to, high = from < to ? to : from;
    if (high < f->first || low > f->last)
        return;
    size_t begin = (is_seen(f, low) ? x_of(f, low) : f->left) + 1;
    size_t end = from == to ? f->g->columns : is_seen(f, high) ? x_of(f, high) : f->g->columns;
    unsigned look = tui_row_look(f->t, row, harm);
    struct text label = {0};
    if (harm)
        text_add(&label, tui_utf8(f->t, "\xe2\x9c\x97 ", "! "));
    tui_add_tint(f->t, &label, row);
    size_t room = end - begin > 4 ? end - begin - 4 : end - begin;
    size_t before = text_width(text_slice(&label));
    add_label(&label, &c->arena, row, room > before ? room - before : room);
    if (from != to)
        draw_line(f, y, from, to, look == GRID_START ? GRID_PLAIN : look);
    size_t width = text_width(text_slice(&label));
    size_t x = from == to || width >= end - begin ? begin : begin + (end - begin - width) / 2;
    grid_fit(f->g, y, x, end, look, text_slice(&label));
    if (row->ends_here && is_seen(f, to))
        grid_put(f->g, y, x_of(f, to), f->g->columns, GRID_BAD, SLICE("x"));
    text_free(&label);
}

/* ---- times ----------------------------------------------------------------------------------- */

static void add_since(struct text *out, int64_t ns)
{
    int64_t ms = (ns < 0 ? -ns : ns) / 1000000;
    text_printf(out, "%c%lld.%03lld", ns < 0 ? '-' : '+', (long long)(ms / 1000),
                (long long)(ms % 1000));
}

static void draw_time(const struct frame *f, size_t i, size_t y)
{
    const struct view_row *rows = f->l->rows;
    struct text words = {0};
    uint32_t times = tui_set(f->t, SET_TIMES);
    if (times == TIMES_DAY)
        view_add_clock(&words, tui_set(f->t, SET_ZONE), rows[i].time_ns);
    else
        add_since(&words, rows[i].time_ns - rows[times == TIMES_STEP && i ? i - 1 : 0].time_ns);
    struct slice shown = text_slice(&words);
    if (f->left < TIME_WIDTH && times == TIMES_DAY)
        shown = slice_first(shown, 8);
    grid_fit(f->g, y, 0, f->left - 1, GRID_DIM, shown);
    text_free(&words);
}

/* ---- the screen ------------------------------------------------------------------------------ */

static bool row_of(const struct view_ladder *l, uint32_t sighting, size_t *row)
{
    for (size_t i = 0; i < l->row_count; i++)
        if (view_row_first(&l->rows[i])->id == sighting) {
            *row = i;
            return true;
        }
    return false;
}

static void note_at(struct ladder *s, const struct view_ladder *l)
{
    if (s->scroll.at < l->row_count)
        s->at = view_row_first(&l->rows[s->scroll.at])->id;
}

/* The cursor begins on what came to harm. */
static void place(struct tui *t, struct ladder *s)
{
    size_t journey, step;
    s->placed = true;
    s->at = UINT32_MAX;
    s->scroll.at = 0;
    if (!tui_call_worst(t, &journey, &step))
        return;
    const struct tui_call *c = tui_call_now(t);
    for (size_t i = 0; i < c->ladder->row_count; i++)
        if (harm_of(c, &c->ladder->rows[i]) > 0) {
            s->scroll.at = i;
            return;
        }
}

/* It stays on its message when more is read, and when another part of the call is shown. */
static void find_at(struct tui *t, struct ladder *s)
{
    if (!s->placed)
        place(t, s);
    const struct tui_call *c = tui_call_now(t);
    size_t at = s->scroll.at, row;
    if (s->at == UINT32_MAX ||
        (at < c->ladder->row_count && view_row_first(&c->ladder->rows[at])->id == s->at))
        return;
    if (!row_of(c->ladder, s->at, &row)) {
        if (!tui_call_around(t, s->at) || !row_of(tui_call_now(t)->ladder, s->at, &row))
            return;
    }
    s->scroll.top += row;
    s->scroll.top -= s->scroll.top > at ? at : s->scroll.top;
    s->scroll.at = row;
}

/* ---- calls of many messages, of which a part is there -----------------------------------------
 */

#define EDGE 64u /* rows, and a page, that are there beyond the cursor */

static bool near_edge(const struct tui_call *c, const struct ladder *s)
{
    size_t edge = EDGE + s->scroll.page, n = c->ladder->row_count;
    return (s->scroll.at < edge && c->hops->span_from > 0) ||
           (s->scroll.at + edge >= n && c->hops->span_to < c->hops->message_count);
}

/* The part moves on with the cursor. */
static void follow_cursor(struct tui *t, struct ladder *s, enum tui_action a)
{
    const struct tui_call *c = tui_call_now(t);
    if (!c->part)
        return;
    if (a == DO_TOP || a == DO_BOTTOM) {
        (void)tui_call_end(t, a == DO_BOTTOM);
        c = tui_call_now(t);
        s->scroll.at = a == DO_TOP || !c->ladder->row_count ? 0 : c->ladder->row_count - 1;
        note_at(s, c->ladder);
    } else if (near_edge(c, s) && tui_call_around(t, s->at)) {
        find_at(t, s);
    }
}

static size_t preview_rows(const struct tui *t, struct tui_area area)
{
    size_t room = area.bottom - area.top, rows = tui_set(t, SET_PREVIEW_ROWS);
    if (!tui_set(t, SET_PREVIEW) || room < 12)
        return 0;
    rows = rows ? rows : room * 2 / 5;
    return rows > room - 6 ? room - 6 : rows;
}

static void draw_preview(struct tui *t, struct grid *g, size_t top, size_t bottom,
                         const struct view_row *row)
{
    const struct hop_sighting *s = view_row_first(row);
    struct slice title = tui_sighting_title(&t->call, s);
    grid_fill(g, top, 0, g->columns, GRID_HEAD);
    grid_fit(g, top, 0, g->columns, GRID_HEAD, title);
    tui_draw_message(t, g, (struct tui_area){top + 1, bottom}, s->message);
}

static void ladder_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                        struct tui_area area)
{
    struct ladder *s = (struct ladder *)screen;
    find_at(t, s);
    struct tui_call *c = tui_call_now(t);
    const struct view_ladder *l = c->ladder;
    size_t below = preview_rows(t, area), first = area.top + 1, bottom = area.bottom - below;
    tui_scroll_fit(&s->scroll, l->row_count, bottom - first);
    note_at(s, l);
    show_arrow(s, g, l);
    struct frame f = frame_of(t, g, l, s);
    draw_names(&f, area.top);
    for (size_t y = first; y < bottom; y++) {
        size_t i = s->scroll.top + y - first;
        draw_lifelines(&f, y);
        if (i >= l->row_count)
            continue;
        draw_time(&f, i, y);
        draw_arrow(&f, c, &l->rows[i], y);
        if (view_row_first(&l->rows[i])->id == s->marked)
            grid_put(g, y, f.left - 1, g->columns, GRID_CUSTOM, SLICE("*"));
        if (i == s->scroll.at)
            grid_select(g, y, 0, g->columns);
    }
    if (below && s->scroll.at < l->row_count)
        draw_preview(t, g, bottom, area.bottom, &l->rows[s->scroll.at]);
}

static void ladder_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    const struct tui_call *c = tui_call_now(t);
    (void)screen;
    text_add(out, SLICE("Call "));
    text_add(out, c->ladder->caller.n ? c->ladder->caller : SLICE("?"));
    text_add(out, SLICE(" -> "));
    text_add(out, c->ladder->callee.n ? c->ladder->callee : SLICE("?"));
    if (c->checked)
        text_printf(out, "  %s", check_verdict_name(c->check.verdict));
    text_add(out, SLICE("  "));
    text_add(out, c->ladder->call_ids[0]);
}

/* What of the message came to harm, or changes. */
static void ladder_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct ladder *s = (struct ladder *)screen;
    struct tui_call *c = tui_call_now(t);
    static const char *const signs[] = {
        [VIEW_NEVER_SENT] = "!", [VIEW_GONE] = "-", [VIEW_ADDED] = "+", [VIEW_ALTERED] = "~"};
    if (s->scroll.at >= c->ladder->row_count)
        return;
    const struct view_row *row = &c->ladder->rows[s->scroll.at];
    if (c->part)
        text_printf(out, "message %u of %zu  ", row->journey->number + 1, c->hops->message_count);
    else
        text_printf(out, "%zu/%zu  ", s->scroll.at + 1, c->ladder->row_count);
    text_add(out, row->label);
    for (size_t i = 0; i < row->change_count; i++) {
        if (row->changes[i].class != VIEW_CUSTOM && row->changes[i].class != VIEW_OTHER)
            continue;
        text_printf(out, " %s", signs[row->changes[i].kind]);
        text_add(out, row->changes[i].name);
    }
    if (c->hops->sightings_left_out)
        text_printf(out, "  (left out: %llu messages)",
                    (unsigned long long)c->hops->sightings_left_out);
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void mark(struct tui *t, struct ladder *s)
{
    if (s->marked == UINT32_MAX) {
        s->marked = s->at;
        tui_say(t, "marked; Space on another message compares the two");
        return;
    }
    uint32_t left = s->marked;
    s->marked = UINT32_MAX;
    if (left != s->at)
        tui_diff_push(t, left, s->at);
}

static void resize_preview(struct tui *t, enum tui_action a)
{
    uint32_t rows = tui_set(t, SET_PREVIEW_ROWS);
    rows = rows ? rows : (uint32_t)(t->rows > 5 ? (t->rows - 3) * 2 / 5 : 1);
    rows = a == DO_RESET ? 0 : a == DO_LARGER ? rows + 1 : rows > PREVIEW_MIN ? rows - 1 : rows;
    tui_set_to(t, SET_PREVIEW_ROWS, rows);
}

static void open_screen(struct tui *t, struct ladder *s, const struct view_row *row,
                        enum tui_action a)
{
    if (a == DO_OPEN)
        tui_message_push(t, s->at, SLICE_NONE);
    else if (a == DO_MATRIX)
        tui_matrix_push(t, row->journey_index, row->step);
    else if (a == DO_DIFF)
        tui_diff_before(t, s->at);
    else if (a == DO_MARK)
        mark(t, s);
}

static void act_on_view(struct tui *t, struct ladder *s, enum tui_action a)
{
    if (a == DO_PREVIEW)
        tui_set_to(t, SET_PREVIEW, !tui_set(t, SET_PREVIEW));
    else if (a == DO_LARGER || a == DO_SMALLER || a == DO_RESET)
        resize_preview(t, a);
    else if (a == DO_TIMES)
        tui_set_to(t, SET_TIMES, (tui_set(t, SET_TIMES) + 1) % TIMES_COUNT);
    else if (a == DO_TINT)
        tui_next_tint(t);
    else if (a == DO_FINDINGS)
        tui_findings_push(t);
    else if (a == DO_SAVE)
        tui_ask_path(t, "Save the call to (" TUI_SAVE_AS "):");
    if (a != DO_LEFT && a != DO_RIGHT)
        return;
    s->panned = true;
    s->first = a == DO_RIGHT ? s->first + 1 : s->first ? s->first - 1 : 0;
}

static void ladder_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct ladder *s = (struct ladder *)screen;
    struct tui_call *c = tui_call_now(t);
    if (tui_scroll_do(&s->scroll, a)) {
        s->panned = false;
        note_at(s, c->ladder);
        follow_cursor(t, s, a);
        return;
    }
    act_on_view(t, s, a);
    if (s->scroll.at < c->ladder->row_count)
        open_screen(t, s, &c->ladder->rows[s->scroll.at], a);
}

static void ladder_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    (void)screen;
    tui_save_call(t, line);
}

static void ladder_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct ladder *s = (struct ladder *)screen;
    (void)t;
    if (row < 1 || row - 1 >= s->scroll.page || s->scroll.top + row - 1 >= s->scroll.n)
        return;
    s->scroll.at = s->scroll.top + row - 1;
    s->panned = false;
    note_at(s, tui_call_now(t)->ladder);
}

static const struct tui_kind ladder_kind = {
    .map = MAP_LADDER,
    .scrolls = true,
    .in_call = true,
    .draw = ladder_draw,
    .act = ladder_act,
    .title = ladder_title,
    .click = ladder_click,
    .typed = ladder_typed,
    .status = ladder_status,
};

void tui_ladder_push(struct tui *t)
{
    struct ladder *s = tui_push(t, &ladder_kind, sizeof *s);
    s->marked = UINT32_MAX;
}

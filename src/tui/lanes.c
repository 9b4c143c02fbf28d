/* How a ladder lies in the grid: lifelines, arrows, times. */
#include "tui/internal.h"

#define TIME_WIDTH  13u
#define GAP_LEAST   15u /* columns between two lifelines */
#define GAP_MOST    30u
#define LABEL_LEAST 7u  /* columns for a label; less would say nothing */
#define GAP_TWO     46u /* where there are two only: what SDP says fits in */

static size_t x_of(const struct tui_lanes *f, size_t column)
{
    return f->left + 1 + (column - f->first) * f->gap;
}

static bool is_seen(const struct tui_lanes *f, size_t column)
{
    return column >= f->first && column <= f->last;
}

/* ---- the columns ----------------------------------------------------------------------------- */

struct tui_lanes tui_lanes_of(struct tui *t, struct grid *g, const struct view_ladder *l,
                              size_t *first)
{
    struct tui_lanes f = {.t = t, .g = g, .l = l, .left = g->columns < 60 ? 9 : TIME_WIDTH};
    f.since_ns = t->call.part || l->row_count == 0 ? l->start_ns : l->rows[0].time_ns;
    size_t n = l->column_count ? l->column_count : 1, room = g->columns - f.left - 4;
    f.gap = n > 1 ? room / (n - 1) : room;
    size_t most = n > 2 ? GAP_MOST : GAP_TWO;
    f.gap = f.gap < GAP_LEAST ? GAP_LEAST : f.gap > most ? most : f.gap;
    size_t shown = room / f.gap + 1;
    if (*first + shown > n)
        *first = n > shown ? n - shown : 0;
    f.first = *first;
    f.last = f.first + shown - 1 < n - 1 ? f.first + shown - 1 : n - 1;
    return f;
}

void tui_lanes_show(struct tui_lanes *f, size_t *first, const struct view_row *row)
{
    size_t low = row->from < row->to ? row->from : row->to;
    size_t high = row->from < row->to ? row->to : row->from;
    if (low < f->first)
        *first = low;
    else if (high > f->last)
        *first = high - (f->last - f->first);
    *f = tui_lanes_of(f->t, f->g, f->l, first);
}

/* "+2": so many elements are hidden here. */
static void draw_folded(const struct tui_lanes *f, size_t column, size_t row)
{
    struct text words = {0};
    if (f->l->columns[column].folded == 0)
        return;
    text_printf(&words, "+%u", f->l->columns[column].folded);
    size_t x = x_of(f, column) + f->gap / 2;
    if (x + words.n <= f->g->columns)
        grid_put(f->g, row, x, f->g->columns, GRID_WARN, text_slice(&words));
    text_free(&words);
}

void tui_lanes_head(const struct tui_lanes *f, size_t row)
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
        draw_folded(f, i, row);
    }
    if (f->first > 0)
        grid_put(f->g, row, 0, 4, GRID_WARN, SLICE("<"));
    if (f->last + 1 < f->l->column_count)
        grid_put(f->g, row, f->g->columns - 1, f->g->columns, GRID_WARN, SLICE(">"));
}

void tui_lanes_lines(const struct tui_lanes *f, size_t row)
{
    for (size_t i = f->first; i <= f->last && f->l->column_count; i++)
        grid_put(f->g, row, x_of(f, i), f->g->columns, GRID_DIM,
                 f->l->columns[i].captured ? tui_utf8(f->t, "\xe2\x94\x82", "|")
                                           : tui_utf8(f->t, "\xe2\x94\x8a", ":"));
}

/* ---- an arrow -------------------------------------------------------------------------------- */

/* An end at an element that is not shown has no head, and a line over some is broken. */
static void draw_line(const struct tui_lanes *f, size_t y, const struct view_row *row,
                      unsigned look)
{
    size_t from = row->from, to = row->to;
    size_t low = from < to ? from : to, high = from < to ? to : from;
    size_t begin = is_seen(f, low) ? x_of(f, low) + 1 : f->left;
    size_t end = is_seen(f, high) ? x_of(f, high) : f->g->columns;
    bool whole = !row->folded && !row->open_begin && !row->open_end;
    struct slice wire =
        whole ? tui_utf8(f->t, "\xe2\x94\x80", "-") : tui_utf8(f->t, "\xe2\x95\x8c", "=");
    if (row->open_begin)
        *(from < to ? &begin : &end) += from < to ? f->gap / 4 : -(f->gap / 4);
    for (size_t x = begin; x < end; x++)
        grid_put(f->g, y, x, end, look, wire);
    if (is_seen(f, to) && end > begin)
        grid_put(f->g, y, to > from ? end - 1 : begin, f->g->columns, look,
                 row->open_end ? tui_utf8(f->t, "\xc2\xb7", ".")
                 : to > from   ? SLICE(">")
                               : SLICE("<"));
}

size_t tui_row_harm(const struct tui_call *c, const struct view_row *row)
{
    size_t n = 0;
    for (size_t i = 0; i < row->step_count; i++)
        n += tui_call_harmed_at(c, row->journey, row->step + i);
    return n;
}

/* " 10.0.0.1:4000 PCMU" where there is room for it, else " SDP". */
static void add_sdp(const struct tui *t, struct text *out, const struct view_row *row, size_t room)
{
    struct text words = {0};
    tui_add_sdp(t, &words, view_row_first(row)->message, 1);
    bool fits = words.n && text_width(text_slice(&words)) < room;
    text_add(out, fits ? SLICE(" ") : SLICE(" SDP"));
    if (fits)
        text_add(out, text_slice(&words));
    text_free(&words);
}

/* "INVITE SDP x3 -2 X-", what matters most last to go. */
static void add_label(const struct tui *t, struct text *out, struct arena *a,
                      const struct view_row *row, size_t room)
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
    text_add_fitted(out, row->label, left < 6 ? (room < 6 ? room : 6) : left);
    if (row->sdp && row->label.n + 4 <= left)
        add_sdp(t, out, row, left - row->label.n);
    text_add(out, text_slice(&notes));
    text_free(&notes);
}

void tui_lanes_arrow(const struct tui_lanes *f, struct tui_call *c, const struct view_row *row,
                     size_t y)
{
    size_t from = row->from, to = row->to, harm = tui_row_harm(c, row);
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
    add_label(f->t, &label, &c->arena, row, room > before ? room - before : room);
    if (from != to)
        draw_line(f, y, row, look == GRID_START ? GRID_PLAIN : look);
    size_t width = text_width(text_slice(&label));
    size_t x = from == to || width >= end - begin ? begin : begin + (end - begin - width) / 2;
    if (end - begin >= LABEL_LEAST)
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

/* Since the same message was seen a hop before. */
static bool since_hop(const struct view_row *rows, size_t i, int64_t *ns)
{
    for (size_t k = i; k-- > 0;)
        if (rows[k].journey == rows[i].journey &&
            rows[k].step + rows[k].step_count == rows[i].step) {
            *ns = rows[i].time_ns - rows[k].time_ns;
            return true;
        }
    return false;
}

static void add_time(const struct tui_lanes *f, struct text *out, size_t i)
{
    const struct view_row *rows = f->l->rows;
    uint32_t times = tui_set(f->t, SET_TIMES);
    int64_t ns = rows[i].time_ns - f->since_ns;
    if (times == TIMES_DAY)
        view_add_clock(out, tui_set(f->t, SET_ZONE), rows[i].time_ns);
    else if (times == TIMES_STEP)
        add_since(out, i ? rows[i].time_ns - rows[i - 1].time_ns : 0);
    else if (times == TIMES_SINCE || since_hop(rows, i, &ns))
        add_since(out, ns);
}

void tui_lanes_time(const struct tui_lanes *f, size_t i, size_t y)
{
    struct text words = {0};
    add_time(f, &words, i);
    struct slice shown = text_slice(&words);
    if (f->left < TIME_WIDTH && tui_set(f->t, SET_TIMES) == TIMES_DAY)
        shown = slice_first(shown, 8);
    grid_fit(f->g, y, 0, f->left - 1, GRID_DIM, shown);
    text_free(&words);
}

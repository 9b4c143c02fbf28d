/* The ladder of a call as text: a line for each message on each stretch of its way.  What is wider
 * than the terminal is folded: the columns that do not fit follow below, with the last one again.
 */
#include "report/internal.h"

#include <stdlib.h>

#define GAP_LEAST  15u /* columns from one lifeline to the next: an arrow with its label */
#define GAP_MOST   36u
#define TIME_WIDTH 13u /* "19:40:01.123 " */
#define LEG_WIDTH  2u  /* "A " */
#define LEGS_NAMED 26u

/* What a cell of a line is drawn with. */
enum glyph { GLYPH_LIFE, GLYPH_UNSEEN, GLYPH_WIRE, GLYPH_GAP, GLYPH_COUNT };
static const char *const drawn[GLYPH_COUNT] = {"\xe2\x94\x82", "\xe2\x94\x8a", "\xe2\x94\x80",
                                               "\xe2\x95\x8c"};
static const char *const drawn_ascii[GLYPH_COUNT] = {"|", ":", "-", "."};

struct cell {
    struct slice text; /* empty: the second half of a wide character */
    enum report_colour colour;
};

/* The part of the ladder that fits the terminal. */
struct panel {
    struct text *out;
    const struct report_style *style;
    struct arena *arena; /* of a line */
    const struct view_ladder *ladder;
    uint32_t first, last; /* columns */
    size_t gutter, gap, width;
    struct cell *cells;
};

static struct slice glyph(const struct panel *p, enum glyph g)
{
    return slice_of(p->style->ascii ? drawn_ascii[g] : drawn[g]);
}

/* ---- cells ------------------------------------------------------------------------------------
 */

static void put(const struct panel *p, size_t x, struct slice text, enum report_colour colour)
{
    if (x < p->width)
        p->cells[x] = (struct cell){text, colour};
}

/* Text that is as a terminal may get it, character by character.  Returns where it ends. */
static size_t put_text(const struct panel *p, size_t x, struct slice text,
                       enum report_colour colour)
{
    while (text.n) {
        uint32_t code;
        size_t n = utf8_decode(text, &code);
        struct slice c = slice_first(text, n ? n : 1);
        size_t width = text_width(c);
        if (width == 0 && x > 0 && x <= p->width &&
            p->cells[x - 1].text.p + p->cells[x - 1].text.n == c.p)
            p->cells[x - 1].text.n += c.n;
        if (width)
            put(p, x, c, colour);
        if (width == 2)
            put(p, x + 1, SLICE_NONE, colour);
        x += width;
        text = slice_from(text, c.n);
    }
    return x;
}

static void clear(const struct panel *p)
{
    for (size_t x = 0; x < p->width; x++)
        p->cells[x] = (struct cell){SLICE(" "), REPORT_PLAIN};
}

static void end_line(const struct panel *p)
{
    size_t end = p->width;
    while (end > 0 && p->cells[end - 1].text.n == 1 && p->cells[end - 1].text.p[0] == ' ')
        end--;
    for (size_t x = 0; x < end; x++) {
        const struct cell *c = &p->cells[x];
        if (x == 0 || p->cells[x - 1].colour != c->colour)
            report_colour_on(p->out, p->style, c->colour);
        text_add(p->out, c->text);
        if (x + 1 == end || p->cells[x + 1].colour != c->colour)
            report_colour_off(p->out, p->style, c->colour);
    }
    text_add_char(p->out, '\n');
}

static size_t column_x(const struct panel *p, uint32_t column)
{
    return p->gutter + (column - p->first) * p->gap;
}

static void put_lifelines(const struct panel *p)
{
    for (uint32_t i = p->first; i <= p->last; i++)
        put(p, column_x(p, i), glyph(p, p->ladder->columns[i].captured ? GLYPH_LIFE : GLYPH_UNSEEN),
            REPORT_DIM);
}

/* ---- the names ----------------------------------------------------------------------------------
 */

static void add_names(const struct panel *p)
{
    clear(p);
    for (uint32_t i = p->first; i <= p->last; i++) {
        struct text t = {0};
        report_add_fitted(&t, p->style, p->ladder->columns[i].name, p->gap - 2);
        struct slice name = arena_copy(p->arena, text_slice(&t));
        size_t x = column_x(p, i), wide = text_width(name), before = wide / 2;
        if (x + wide - before > p->width)
            before = wide - (p->width - x);
        put_text(p, x > before ? x - before : 0, name, REPORT_BOLD);
        text_free(&t);
    }
    end_line(p);
}

/* ---- a row --------------------------------------------------------------------------------------
 */

/* The cells between two columns, as far as the panel shows them. */
struct span {
    size_t from, to; /* the first cell, and the one after the last */
};

static size_t clamped(const struct panel *p, uint32_t column)
{
    return column < p->first  ? p->gutter - 1
           : column > p->last ? column_x(p, p->last) + 2
                              : column_x(p, column);
}

static struct span span_of(const struct panel *p, uint32_t a, uint32_t b)
{
    uint32_t left = a < b ? a : b, right = a < b ? b : a;
    struct span s = {clamped(p, left) + 1, clamped(p, right)};
    return s;
}

static enum report_colour colour_of(const struct view_row *row)
{
    uint16_t status = row->journey->status;
    return !status         ? REPORT_BOLD
           : status < 200  ? REPORT_PLAIN
           : status < 300  ? REPORT_GREEN
           : status >= 400 ? REPORT_RED
                           : REPORT_PLAIN;
}

/* In the middle of the room, or at its beginning where it just fits. */
static void put_caption(const struct panel *p, const struct view_row *row, struct span s)
{
    struct report_caption c = report_caption_of(p->arena, row, s.to - s.from);
    struct text t = {0};
    report_add_safe(&t, p->style, c.label);
    struct slice label = arena_copy(p->arena, text_slice(&t));
    size_t wide = text_width(label) + c.notes.n + (c.marks.n ? c.marks.n + 1 : 0);
    size_t x = s.from + (s.to - s.from > wide ? (s.to - s.from - wide) / 2 : 0);
    x = put_text(p, x, label, colour_of(row));
    x = put_text(p, x, c.notes, REPORT_PLAIN);
    if (c.marks.n)
        put_text(p, x + 1, c.marks, REPORT_YELLOW);
    if (c.marks.n)
        put(p, x, SLICE(" "), REPORT_PLAIN);
    text_free(&t);
}

static void put_line(const struct panel *p, struct span s, enum glyph g, enum report_colour colour)
{
    for (size_t x = s.from; x < s.to; x++)
        put(p, x, glyph(p, g), colour);
}

static bool shown(const struct panel *p, uint32_t column)
{
    return column >= p->first && column <= p->last;
}

static bool overlaps(const struct panel *p, uint32_t a, uint32_t b)
{
    uint32_t left = a < b ? a : b, right = a < b ? b : a;
    return left < p->last && right > p->first;
}

/* Sent by an element to itself: beside its lifeline, where there is room. */
static void put_loop(const struct panel *p, const struct view_row *row)
{
    size_t x = column_x(p, row->from), room = p->gap - 4;
    bool right = row->from < p->last || p->first == p->last;
    struct span s = {right ? x + 3 : x - 3 - room, right ? x + 3 + room : x - 3};
    struct span line = {right ? x + 2 : x - 3, right ? x + 3 : x - 2};
    put_line(p, line, GLYPH_WIRE, REPORT_PLAIN);
    put(p, right ? x + 1 : x - 1, right ? SLICE("<") : SLICE(">"), REPORT_PLAIN);
    put(p, right ? x + 2 : x - 2, glyph(p, GLYPH_WIRE), REPORT_PLAIN);
    put_caption(p, row, s);
}

static void put_arrow(const struct panel *p, const struct view_row *row)
{
    struct span s = span_of(p, row->from, row->to);
    bool right = row->to > row->from;
    put_line(p, s, GLYPH_WIRE, REPORT_PLAIN);
    struct span room = {s.from + 1, s.to - 1};
    put_caption(p, row, room);
    if (shown(p, row->to))
        put(p, right ? s.to - 1 : s.from, right ? SLICE(">") : SLICE("<"), REPORT_PLAIN);
    if (row->ends_here && shown(p, row->to))
        put(p, column_x(p, row->to), SLICE("x"), REPORT_RED);
}

static bool is_in(const struct panel *p, const struct view_row *row)
{
    if (row->from == row->to && row->lead == VIEW_NONE)
        return shown(p, row->from) &&
               (row->from < p->last || p->last + 1 == p->ladder->column_count);
    return overlaps(p, row->from, row->to) ||
           (row->lead != VIEW_NONE && overlaps(p, row->lead, row->from));
}

static void put_time(const struct panel *p, const struct view_row *row)
{
    struct text t = {0};
    report_add_clock(&t, p->style->local_time, row->time_ns, true);
    struct slice time = arena_copy(p->arena, text_slice(&t));
    put_text(p, 0, time, REPORT_PLAIN);
    if (p->ladder->call->leg_count > 1 && row->leg != VIEW_NONE)
        put(p, TIME_WIDTH, report_leg_name(p->arena, row->leg), REPORT_DIM);
    text_free(&t);
}

static void add_row(const struct panel *p, const struct view_row *row)
{
    clear(p);
    put_lifelines(p);
    put_time(p, row);
    if (row->lead != VIEW_NONE && overlaps(p, row->lead, row->from))
        put_line(p, span_of(p, row->lead, row->from), GLYPH_GAP, REPORT_DIM);
    if (row->from == row->to && shown(p, row->from))
        put_loop(p, row);
    else if (row->from != row->to && overlaps(p, row->from, row->to))
        put_arrow(p, row);
    end_line(p);
}

/* ---- folding ------------------------------------------------------------------------------------
 */

static size_t gutter_of(const struct view_ladder *l)
{
    return TIME_WIDTH + (l->call->leg_count > 1 ? LEG_WIDTH : 0);
}

/* How many gaps between lifelines a panel has, such that all have about the same. */
static size_t gaps_in(const struct view_ladder *l, size_t width)
{
    size_t gaps = l->column_count > 1 ? l->column_count - 1 : 1;
    size_t room = width > gutter_of(l) + 4 ? width - gutter_of(l) - 4 : 0;
    size_t most = room / GAP_LEAST ? room / GAP_LEAST : 1;
    size_t panels = (gaps + most - 1) / most;
    return (gaps + panels - 1) / panels;
}

static void add_panel(struct panel *p)
{
    const struct view_ladder *l = p->ladder;
    if (p->first > 0 || p->last + 1 < l->column_count)
        text_printf(p->out, "Elements %u to %u of %zu\n", p->first + 1, p->last + 1,
                    l->column_count);
    p->cells = base_alloc(p->width * sizeof *p->cells);
    add_names(p);
    for (size_t i = 0; i < l->row_count; i++) {
        if (is_in(p, &l->rows[i]))
            add_row(p, &l->rows[i]);
        arena_reset(p->arena);
    }
    free(p->cells);
}

void report_add_ladder(struct text *out, const struct report_style *style,
                       const struct view_ladder *l)
{
    size_t width = report_width(style), gaps = gaps_in(l, width);
    size_t gap = (width - gutter_of(l) - 4) / gaps;
    struct arena line = {0};
    struct panel p = {.out = out,
                      .arena = &line,
                      .style = style,
                      .ladder = l,
                      .gutter = gutter_of(l),
                      .gap = gap > GAP_MOST ? GAP_MOST : gap,
                      .width = width};
    do {
        size_t last = p.first + gaps;
        p.last = (uint32_t)(last < l->column_count ? last : l->column_count - 1);
        if (p.first)
            text_add_char(out, '\n');
        add_panel(&p);
        p.first = p.last;
    } while (p.last + 1 < l->column_count);
    arena_free(&line);
}

struct slice report_leg_name(struct arena *a, uint32_t leg)
{
    return leg < LEGS_NAMED ? arena_printf(a, "%c", (char)('A' + leg)) : SLICE("*");
}

/* The table of a message: a row for each header, a column for each sighting.  What does not fit the
 * terminal is cut; what can't be cut any more is told line by line instead. */
#include "report/internal.h"

#include <stdlib.h>

#define INDENT      2
#define VALUE_LEAST 7  /* columns that a value keeps when it is cut */
#define NAME_MOST   48 /* longer header names are cut */

/* How the table of a message is laid out. */
struct layout {
    enum { LAYOUT_WIDE, LAYOUT_NARROW, LAYOUT_LINES } kind;
    size_t gap;           /* columns between two cells */
    size_t name, verdict; /* columns */
    size_t *values;       /* columns of each sighting */
    size_t n;
};

/* ---- what stands in a cell ------------------------------------------------------------------- */

struct slice report_cell(struct arena *a, const struct report_style *style,
                         const struct check_header *h, size_t i)
{
    struct text t = {0};
    if (h->values[i].n == 0)
        return h->states[i] == CHECK_STATE_CUT ? SLICE("?") : SLICE("-");
    for (size_t k = 0; k < h->values[i].n; k++) {
        struct slice value = report_masked(a, style, h->name, h->values[i].items[k]);
        text_add(&t, k ? SLICE(" | ") : SLICE(""));
        text_add(&t, value.n ? value : SLICE("\"\""));
    }
    if (h->states[i] == CHECK_STATE_CUT)
        text_add(&t, SLICE("?"));
    return text_keep(&t, a);
}

static enum report_colour cell_colour(const struct check_header *h, size_t i)
{
    static const enum report_colour colours[] = {
        [CHECK_STATE_PRESENT] = REPORT_PLAIN,
        [CHECK_STATE_MISSING] = REPORT_RED,
        [CHECK_STATE_ALTERED] = REPORT_RED,
        [CHECK_STATE_CUT] = REPORT_YELLOW,
    };
    return h->expected || h->states[i] != CHECK_STATE_MISSING ? colours[h->states[i]]
                                                              : REPORT_PLAIN;
}

static enum report_colour verdict_colour(const struct check_header *h)
{
    return h->verdict == CHECK_OK        ? REPORT_GREEN
           : !h->expected                ? REPORT_PLAIN
           : h->verdict == CHECK_UNKNOWN ? REPORT_YELLOW
                                         : REPORT_RED;
}

/* "stripped by kam1", "stripped after livekit:out"; in a narrow table the word alone */
static struct slice verdict_text(struct arena *a, const struct check_header *h, bool narrow)
{
    const char *word = check_header_verdict_name(h->verdict);
    const struct check_guilty *g = &h->guilty;
    if (narrow || !g->any || h->verdict == CHECK_NEVER_SENT || h->verdict == CHECK_MISSING)
        return slice_of(word);
    if (g->node.n)
        return ARENA_JOIN(a, slice_of(word), SLICE(" by "), g->node);
    return g->after.n ? ARENA_JOIN(a, slice_of(word), SLICE(" after "), g->after) : slice_of(word);
}

struct slice report_verdict_text(struct arena *a, const struct check_header *h)
{
    return verdict_text(a, h, false);
}

/* ---- measuring ------------------------------------------------------------------------------- */

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The first line of a column's head is the point, the second its side. */
static struct slice head_name(const struct check_sighting *s)
{
    return slice_first(s->at, s->side.n ? s->at.n - s->side.n - 1 : s->at.n);
}

/* The width of the table when no value takes more than `limit` columns. */
static size_t total(const struct layout *l, size_t limit)
{
    size_t width = INDENT + l->name + l->gap + l->verdict;
    for (size_t i = 0; i < l->n; i++)
        width += l->gap + (l->values[i] < limit ? l->values[i] : limit);
    return width;
}

static void measure(struct layout *l, struct arena *a, const struct report_style *style,
                    const struct check_request *r, bool narrow)
{
    l->name = l->verdict = 0;
    for (size_t i = 0; i < l->n; i++)
        l->values[i] = most(text_width(head_name(&r->sightings[i])), r->sightings[i].side.n);
    for (size_t k = 0; k < r->header_count; k++) {
        const struct check_header *h = &r->headers[k];
        l->name = most(l->name, text_width(h->name));
        l->verdict = most(l->verdict, text_width(verdict_text(a, h, narrow)));
        for (size_t i = 0; i < l->n; i++)
            l->values[i] = most(l->values[i], text_width(report_cell(a, style, h, i)));
    }
    l->name = l->name > NAME_MOST ? NAME_MOST : l->name;
}

/* Cuts the widest columns alike until the table fits.  False: it does not. */
static bool shrink(struct layout *l, size_t width)
{
    size_t limit = width;
    while (limit > VALUE_LEAST && total(l, limit) > width)
        limit--;
    for (size_t i = 0; i < l->n; i++)
        l->values[i] = l->values[i] < limit ? l->values[i] : limit;
    return total(l, limit) <= width;
}

/* The wide form says who did it in the row; it is given up where values would have to be cut for
 * that. */
static struct layout layout_of(struct arena *a, const struct report_style *style,
                               const struct check_request *r)
{
    size_t width = report_width(style);
    struct layout l = {.n = r->sighting_count, .values = ARENA_ARRAY(a, size_t, r->sighting_count)};
    measure(&l, a, style, r, false);
    l.kind = LAYOUT_WIDE;
    l.gap = 2;
    if (total(&l, SIZE_MAX) <= width)
        return l;
    measure(&l, a, style, r, true);
    l.gap = 1;
    l.kind = shrink(&l, width) ? LAYOUT_NARROW : LAYOUT_LINES;
    return l;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void add_head_line(struct text *out, const struct layout *l, const struct check_request *r,
                          bool side)
{
    size_t from = out->n;
    report_add_spaces(out, INDENT + l->name);
    report_add_spaces(out, l->kind == LAYOUT_NARROW ? l->gap + l->verdict : 0);
    for (size_t i = 0; i < l->n; i++) {
        report_add_spaces(out, l->gap);
        report_add_cell(out, side ? r->sightings[i].side : head_name(&r->sightings[i]),
                        l->values[i]);
    }
    report_trim_line(out, from);
    text_add_char(out, '\n');
}

static void add_coloured_cell(struct text *out, const struct report_style *style,
                              enum report_colour colour, struct slice text, size_t width)
{
    report_colour_on(out, style, colour);
    report_add_cell(out, text, width);
    report_colour_off(out, style, colour);
}

static void add_row(struct text *out, const struct report_style *style, struct arena *a,
                    const struct layout *l, const struct check_header *h)
{
    bool narrow = l->kind == LAYOUT_NARROW;
    struct slice verdict = verdict_text(a, h, narrow);
    report_add_spaces(out, INDENT);
    report_add_cell(out, h->name, l->name);
    if (narrow) {
        report_add_spaces(out, l->gap);
        add_coloured_cell(out, style, verdict_colour(h), verdict, l->verdict);
    }
    for (size_t i = 0; i < l->n; i++) {
        struct slice text = report_cell(a, style, h, i);
        size_t width = l->values[i];
        if (narrow && i + 1 == l->n && text_width(text) < width)
            width = text_width(text); /* no spaces at the end of a line */
        report_add_spaces(out, l->gap);
        add_coloured_cell(out, style, cell_colour(h, i), text, width);
    }
    if (!narrow) {
        report_add_spaces(out, l->gap);
        report_add_coloured(out, style, verdict_colour(h), verdict);
    }
    text_add_char(out, '\n');
}

/* ---- line by line ---------------------------------------------------------------------------- */

/* "livekit:out", "livekit:out, kam1:in", "livekit:out to kam2:in (4 sightings)" */
static struct slice stretch(struct arena *a, const struct check_request *r, size_t from, size_t to)
{
    const struct check_sighting *s = r->sightings;
    if (to - from == 1)
        return s[from].at;
    if (to - from == 2)
        return ARENA_JOIN(a, s[from].at, SLICE(", "), s[to - 1].at);
    return ARENA_JOIN(a, s[from].at, SLICE(" to "), s[to - 1].at,
                      arena_printf(a, " (%zu sightings)", to - from));
}

/* Where the stretch of equal values that begins at `from` ends. */
static size_t stretch_end(struct arena *a, const struct report_style *style,
                          const struct check_request *r, const struct check_header *h, size_t from)
{
    struct slice value = report_cell(a, style, h, from);
    size_t to = from + 1;
    while (to < r->sighting_count && h->states[to] == h->states[from] &&
           slice_equal(value, report_cell(a, style, h, to)))
        to++;
    return to;
}

/* Where along the path which value stood, a line for each stretch of equal ones. */
static void add_stretches(struct text *out, const struct report_style *style, struct arena *a,
                          const struct check_request *r, const struct check_header *h)
{
    for (size_t from = 0, to; from < r->sighting_count; from = to) {
        to = stretch_end(a, style, r, h, from);
        struct slice line =
            ARENA_JOIN(a, stretch(a, r, from, to), SLICE(": "), report_cell(a, style, h, from));
        report_add_spaces(out, INDENT + 4);
        report_colour_on(out, style, cell_colour(h, from));
        report_add_wrapped(out, INDENT + 4, INDENT + 6, report_width(style), line);
        report_colour_off(out, style, cell_colour(h, from));
        text_add_char(out, '\n');
    }
}

/* A value that is the same all along stands behind the verdict. */
static void add_lines(struct text *out, const struct report_style *style, struct arena *a,
                      const struct check_request *r, const struct check_header *h)
{
    struct slice verdict = verdict_text(a, h, false);
    size_t column = INDENT + text_width(h->name) + 1 + text_width(verdict);
    bool constant = r->sighting_count && stretch_end(a, style, r, h, 0) == r->sighting_count;
    report_add_spaces(out, INDENT);
    text_add_terminal(out, h->name);
    if (column > report_width(style)) {
        text_add_char(out, '\n');
        report_add_spaces(out, INDENT + 3);
        column = INDENT + 4 + text_width(verdict);
    }
    text_add_char(out, ' ');
    report_add_coloured(out, style, verdict_colour(h), verdict);
    if (constant) {
        text_add(out, SLICE(": "));
        report_add_wrapped(out, column + 2, INDENT + 4, report_width(style),
                           report_cell(a, style, h, 0));
    }
    text_add_char(out, '\n');
    if (!constant)
        add_stretches(out, style, a, r, h);
}

/* Did a value of this header lose something to the width of its column? */
static bool was_cut(const struct report_style *style, struct arena *a, const struct layout *l,
                    const struct check_header *h)
{
    for (size_t i = 0; i < l->n; i++)
        if (text_width(report_cell(a, style, h, i)) > l->values[i])
            return true;
    return text_width(h->name) > l->name;
}

/* Where a value became another one, both have to be seen whole. */
static bool wants_lines(const struct report_style *style, const struct layout *l,
                        const struct check_header *h)
{
    bool altered = false;
    for (size_t i = 0; i < l->n; i++)
        altered |= h->states[i] == CHECK_STATE_ALTERED;
    return altered || style->verbose;
}

/* The rows: without headers that were not there at all and need not be, for whose want a note is
 * enough. */
static struct check_request shown(struct arena *a, const struct report_style *style,
                                  const struct check_request *r)
{
    struct check_request out = *r;
    struct check_header *headers = ARENA_ARRAY(a, struct check_header, r->header_count);
    out.header_count = 0;
    for (size_t i = 0; i < r->header_count; i++)
        if (style->verbose || !report_is_not_set(&r->headers[i]))
            headers[out.header_count++] = r->headers[i];
    out.headers = headers;
    return out;
}

void report_add_header_table(struct text *out, const struct report_style *style,
                             const struct check_request *all)
{
    struct arena a = {0};
    const struct check_request r = shown(&a, style, all);
    struct layout l = layout_of(&a, style, &r);
    bool table = l.kind != LAYOUT_LINES && r.header_count;
    if (table) {
        add_head_line(out, &l, &r, false);
        add_head_line(out, &l, &r, true);
    }
    for (size_t i = 0; table && i < r.header_count; i++)
        add_row(out, style, &a, &l, &r.headers[i]);
    for (size_t i = 0; i < r.header_count; i++) {
        const struct check_header *h = &r.headers[i];
        if (!table || (wants_lines(style, &l, h) && was_cut(style, &a, &l, h)))
            add_lines(out, style, &a, &r, h);
    }
    arena_free(&a);
}

/* A text to read: help, explanations, statistics. */
#include "tui/internal.h"

struct page {
    struct tui_screen screen;
    const char *title;
    struct text text, search;
    struct tui_scroll scroll;
    size_t found, found_row; /* offset and row; SIZE_MAX: none */
    bool to_found;           /* it is to be brought into sight */
};

/* A head stands at the left, what is indented is not one. */
static uint8_t look_of(struct slice line)
{
    return line.n && line.p[0] != ' ' && line.n < 30 ? GRID_NAME : GRID_PLAIN;
}

static size_t put_line(struct page *s, struct grid *g, struct tui_area area, size_t row, size_t at,
                       struct slice line)
{
    struct slice marked = SLICE_NONE;
    if (s->found >= at && s->found + s->search.n <= at + line.n && s->found != SIZE_MAX) {
        marked = (struct slice){line.p + s->found - at, s->search.n};
        s->found_row = row;
    }
    return tui_put_words(g, area, s->scroll.top, row, line, look_of(line), marked);
}

/* Returns its rows. */
static size_t put_lines(struct page *s, struct grid *g, struct tui_area area)
{
    size_t row = 0, at = 0;
    for (struct slice rest = text_slice(&s->text); rest.n;) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        row += put_line(s, g, area, row, at, line);
        at += line.n + 1;
        rest = slice_from(rest, line.n + 1);
    }
    return row;
}

static void text_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                      struct tui_area area)
{
    struct page *s = (struct page *)screen;
    struct grid none = {.rows = 0, .columns = g->columns, .ascii = g->ascii}; /* to count rows */
    (void)t;
    s->scroll.page = area.bottom - area.top;
    s->scroll.n = put_lines(s, &none, area);
    if (s->to_found)
        s->scroll.top = s->found_row;
    s->to_found = false;
    size_t last = s->scroll.n > s->scroll.page ? s->scroll.n - s->scroll.page : 0;
    if (s->scroll.top > last)
        s->scroll.top = last;
    (void)put_lines(s, g, area);
}

static void text_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)t;
    text_add(out, slice_of(((struct page *)screen)->title));
}

static void text_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    const struct page *s = (const struct page *)screen;
    (void)t;
    text_printf(out, "line %zu of %zu", s->scroll.top + 1, s->scroll.n);
}

static void search(struct tui *t, struct page *s, bool backwards)
{
    struct slice all = text_slice(&s->text), word = text_slice(&s->search);
    size_t at = s->found == SIZE_MAX ? all.n : s->found;
    for (size_t i = 0; word.n && i <= all.n; i++) {
        at = backwards ? (at ? at - 1 : all.n) : at >= all.n ? 0 : at + 1;
        if (at + word.n > all.n || !slice_equal_nocase((struct slice){all.p + at, word.n}, word))
            continue;
        s->found = at;
        s->to_found = true;
        return;
    }
    tui_say(t, "not found");
}

static void text_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct page *s = (struct page *)screen;
    if (tui_scroll_text(&s->scroll, a))
        return;
    if (a == DO_SEARCH)
        tui_ask(t, "Search:");
    else if (a == DO_NEXT || a == DO_PREVIOUS)
        search(t, s, a == DO_PREVIOUS);
}

static void text_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    struct page *s = (struct page *)screen;
    text_clear(&s->search);
    text_add(&s->search, line);
    search(t, s, false);
}

static void text_screen_free(struct tui_screen *screen)
{
    text_free(&((struct page *)screen)->text);
    text_free(&((struct page *)screen)->search);
}

static const struct tui_kind text_kind = {
    .map = MAP_TEXT,
    .scrolls = true,
    .draw = text_draw,
    .act = text_act,
    .title = text_title,
    .typed = text_typed,
    .status = text_status,
    .free = text_screen_free,
};

void tui_text_push(struct tui *t, const char *title, struct text *text)
{
    struct page *s = tui_push(t, &text_kind, sizeof *s);
    s->title = title;
    s->text = *text;
    s->found = SIZE_MAX;
    *text = (struct text){0};
}

void tui_explain(struct tui *t, struct slice id)
{
    const struct report_style style = {.width = t->columns};
    struct text words = {0};
    if (!check_kind_of(id) && !check_cause_kind_of(id)) {
        tui_say(t, "there is no explanation of this");
        return;
    }
    report_explain_text(&words, &style, id);
    tui_text_push(t, "Explanation", &words);
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void add_number(struct text *out, const char *what, uint64_t n)
{
    text_printf(out, "  %-20s %llu\n", what, (unsigned long long)n);
}

static void add_point(struct text *out, const struct trace_point *p)
{
    text_printf(out, "\n%s\n  %-20s ", p->name, "source");
    text_add(out, slice_of(p->path));
    text_add_char(out, '\n');
    add_number(out, "packets", p->by_hep ? p->packets : p->packet->frames);
    add_number(out, "messages", p->messages);
    if (!p->by_hep && p->packet->tls_streams) {
        add_number(out, "TLS connections", p->packet->tls_streams);
        add_number(out, "undecrypted", p->packet->tls_undecrypted);
    }
    if (p->source->truncated)
        text_printf(out, "  %-20s %s\n", "truncated at", p->source->truncated_at);
}

void tui_statistics_push(struct tui *t)
{
    struct text words = {0};
    struct trace_load l;
    const struct trace_point *points;
    const struct trace_notice *notices;
    trace_load(t->trace, &l);
    text_add(&words, SLICE("All points\n"));
    add_number(&words, "packets", l.frames);
    add_number(&words, "messages", l.messages);
    add_number(&words, "retransmissions", l.retransmissions);
    add_number(&words, "calls dropped", l.evicted);
    size_t n = trace_points(t->trace, &points);
    for (size_t i = 0; i < n; i++)
        add_point(&words, &points[i]);
    tui_news_add(t, &words);
    n = trace_notices(t->trace, &notices);
    if (n)
        text_add(&words, SLICE("\nLost and left out\n"));
    for (size_t i = 0; i < n; i++) {
        text_add(&words, SLICE("  "));
        text_add(&words, notices[i].text);
        text_add_char(&words, '\n');
    }
    tui_text_push(t, "Statistics", &words);
}

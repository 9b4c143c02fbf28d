/* The columns of the list of calls: which, in which order, how wide. */
#include "tui/internal.h"

#include <string.h>

#define CALL_MOST   2000u /* messages of a call whose headers are offered */
#define OFFERS_MOST 200u

struct choice {
    struct slice spec;
    const char *what;
    bool chosen;
    size_t width;
};

struct chooser {
    struct tui_screen screen;
    struct tui_scroll scroll;
    VEC(struct choice) rows;
    struct arena arena;
};

/* ---- what there is --------------------------------------------------------------------------- */

static struct choice *find(struct chooser *s, struct slice spec)
{
    for (size_t i = 0; i < s->rows.n; i++)
        if (slice_equal(s->rows.items[i].spec, spec))
            return &s->rows.items[i];
    return NULL;
}

static const char *what_of(struct slice spec)
{
    const char *name, *what;
    for (size_t i = 0; (name = tui_column_builtin(i, &what)); i++)
        if (slice_is(spec, name))
            return what;
    return "header";
}

static void add(struct chooser *s, struct slice spec, bool chosen, size_t width)
{
    if (find(s, spec))
        return;
    spec = arena_copy(&s->arena, spec);
    *vec_add(&s->rows) = (struct choice){spec, what_of(spec), chosen, width};
}

/* "BYE:X-Queue", "200:X-Queue" */
static void offer(struct chooser *s, const struct sip_message *m, struct slice name)
{
    struct text spec = {0};
    if (m->kind == SIP_RESPONSE)
        text_printf(&spec, "%u:", m->status);
    else {
        text_add(&spec, m->method);
        text_add_char(&spec, ':');
    }
    text_add(&spec, name);
    struct report_column column;
    struct call_want want;
    struct err err;
    if (report_column_read(text_slice(&spec), &column, &want, &err) && s->rows.n < OFFERS_MOST)
        add(s, text_slice(&spec), false, 0);
    text_free(&spec);
}

/* Headers of the call under the cursor, which are those that a person has in mind. */
static void offer_headers(struct tui *t, struct chooser *s, uint32_t call)
{
    if (call == UINT32_MAX || trace_call_messages(t->trace, call) > CALL_MOST ||
        !tui_call_open(t, call))
        return;
    const struct hop_call *hops = t->call.hops;
    for (size_t i = 0; i < hops->journey_count; i++) {
        if (hops->journeys[i].step_count == 0)
            continue;
        const struct sip_message *m = hops->journeys[i].steps[0].sighting->message;
        for (uint32_t k = 0; k < m->header_count; k++)
            if (view_class_of(&t->view, m->headers[k].name) == VIEW_CUSTOM)
                offer(s, m, m->headers[k].name);
    }
    tui_call_close(t);
}

static void gather(struct tui *t, struct chooser *s, uint32_t call)
{
    const char *name, *what;
    for (size_t i = 0; i < t->chosen.n; i++)
        add(s, t->chosen.items[i].spec, true, t->chosen.items[i].width);
    for (size_t i = 0; (name = tui_column_builtin(i, &what)); i++)
        add(s, slice_of(name), false, 0);
    for (size_t i = 0; i < t->chosen.want_count; i++)
        add(s, t->chosen.wanted[i], false, 0);
    offer_headers(t, s, call);
}

/* The chosen rows are the columns from now on. */
static void apply(struct tui *t, struct chooser *s)
{
    struct tui_columns *c = &t->chosen;
    struct err err;
    c->n = 0;
    for (size_t i = 0; i < s->rows.n; i++) {
        struct choice *row = &s->rows.items[i];
        if (!row->chosen)
            continue;
        if (c->n == TUI_COLUMNS_MAX || !tui_column_read(c, row->spec, &c->items[c->n], &err)) {
            row->chosen = false;
            tui_say(t, c->n == TUI_COLUMNS_MAX ? "there are columns enough" : "%s", err.text);
            continue;
        }
        c->items[c->n++].width = row->width;
    }
    tui_columns_note(t);
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* Its width on the list now; 0: it is not there. */
static size_t shown_of(const struct tui *t, struct slice spec)
{
    for (size_t i = 0; i < t->chosen.n; i++)
        if (slice_equal(t->chosen.items[i].spec, spec))
            return t->chosen.items[i].shown;
    return 0;
}

static void draw_choice(struct tui *t, struct grid *g, size_t row, const struct choice *c)
{
    struct text width = {0};
    size_t name = g->columns < 60 ? 22 : 34;
    grid_put(g, row, 1, g->columns, c->chosen ? GRID_GOOD : GRID_DIM,
             c->chosen ? SLICE("[x]") : SLICE("[ ]"));
    grid_fit(g, row, 5, 5 + name, c->chosen ? GRID_HEAD : GRID_PLAIN, c->spec);
    if (c->chosen && shown_of(t, c->spec) == 0)
        text_add(&width, SLICE("no room"));
    else if (c->width)
        text_printf(&width, "%zu", c->width);
    else
        text_add(&width, SLICE("fits"));
    if (c->chosen)
        grid_put(g, row, 6 + name, g->columns, GRID_PLAIN, text_slice(&width));
    grid_fit(g, row, 14 + name, g->columns, GRID_DIM, slice_of(c->what));
    text_free(&width);
}

static void columns_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                         struct tui_area area)
{
    struct chooser *s = (struct chooser *)screen;
    size_t first = area.top + 1, name = g->columns < 60 ? 22 : 34;
    tui_columns_fit(t, g->columns);
    grid_fill(g, area.top, 0, g->columns, GRID_HEAD);
    grid_put(g, area.top, 5, g->columns, GRID_HEAD, SLICE("Column"));
    grid_put(g, area.top, 6 + name, g->columns, GRID_HEAD, SLICE("Width"));
    tui_scroll_fit(&s->scroll, s->rows.n, area.bottom - first);
    for (size_t y = first; y < area.bottom && s->scroll.top + y - first < s->rows.n; y++) {
        size_t i = s->scroll.top + y - first;
        draw_choice(t, g, y, &s->rows.items[i]);
        if (i == s->scroll.at)
            grid_select(g, y, 0, g->columns);
    }
}

static void columns_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)screen;
    text_printf(out, "Columns %zu", t->chosen.n);
}

static void columns_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)screen;
    text_add(out, t->settings->changed[SET_COLUMNS]
                      ? SLICE("changed and not saved")
                      : SLICE("a change holds at once, and s saves it"));
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void move(struct chooser *s, bool down)
{
    size_t at = s->scroll.at, to = down ? at + 1 : at - 1;
    if ((!down && at == 0) || to >= s->rows.n)
        return;
    struct choice other = s->rows.items[to];
    s->rows.items[to] = s->rows.items[at];
    s->rows.items[at] = other;
    s->scroll.at = to;
}

/* Behind number and verdict: a header that is chosen is to be seen. */
static size_t put_first(struct chooser *s, size_t at)
{
    struct choice c = s->rows.items[at];
    size_t to = 0;
    while (to < at && (slice_is(s->rows.items[to].spec, "number") ||
                       slice_is(s->rows.items[to].spec, "verdict")))
        to++;
    memmove(&s->rows.items[to + 1], &s->rows.items[to], (at - to) * sizeof c);
    s->rows.items[to] = c;
    return to;
}

/* From what it has on the list now. */
static void widen(struct tui *t, struct choice *c, bool wider)
{
    size_t now = c->width ? c->width : shown_of(t, c->spec);
    now = now ? now : 8;
    c->width = wider ? now + 1 : now > 1 ? now - 1 : 1;
    if (c->width > TUI_WIDTH_MAX)
        c->width = TUI_WIDTH_MAX;
}

static void sort_by(struct tui *t, struct choice *c)
{
    struct tui_column column;
    struct err err;
    c->chosen = true;
    if (tui_column_read(&t->chosen, c->spec, &column, &err))
        tui_calls_sort(t, column.cell);
    else
        tui_say(t, "%s", err.text);
}

static void columns_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct chooser *s = (struct chooser *)screen;
    struct choice *c = &s->rows.items[s->scroll.at];
    if (tui_scroll_do(&s->scroll, a))
        return;
    switch (a) {
    case DO_MARK:
        c->chosen = !c->chosen;
        if (c->chosen && slice_find(c->spec, ':') < c->spec.n)
            put_first(s, s->scroll.at);
        break;
    case DO_MOVE_UP:
    case DO_MOVE_DOWN:
        move(s, a == DO_MOVE_DOWN);
        break;
    case DO_LEFT:
    case DO_RIGHT:
        widen(t, c, a == DO_RIGHT);
        break;
    case DO_RESET:
        c->width = 0;
        break;
    case DO_SORT_TURN:
        sort_by(t, c);
        break;
    case DO_ADD:
        tui_ask(t, "Header (X-Queue, BYE:X-Queue, 200:Contact):");
        return;
    case DO_SAVE:
        tui_settings_keep(t);
        return;
    default:
        return;
    }
    apply(t, s);
}

static void columns_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    struct chooser *s = (struct chooser *)screen;
    struct tui_column column;
    struct err err;
    if (slice_trim(line).n == 0)
        return;
    if (!tui_column_read(&t->chosen, line, &column, &err)) {
        tui_ask_other(t, err.text);
        return;
    }
    add(s, column.spec, true, column.width);
    struct choice *c = find(s, column.spec);
    c->chosen = true;
    c->width = column.width;
    s->scroll.at = put_first(s, (size_t)(c - s->rows.items));
    apply(t, s);
}

static bool columns_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct chooser *s = (struct chooser *)screen;
    (void)t;
    return row >= 1 && tui_scroll_to(&s->scroll, row - 1);
}

static void columns_free(struct tui_screen *screen)
{
    struct chooser *s = (struct chooser *)screen;
    vec_free(&s->rows);
    arena_free(&s->arena);
}

static const struct tui_kind columns_kind = {
    .map = MAP_COLUMNS,
    .scrolls = true,
    .draw = columns_draw,
    .act = columns_act,
    .title = columns_title,
    .typed = columns_typed,
    .status = columns_status,
    .click = columns_click,
    .free = columns_free,
};

void tui_columns_push(struct tui *t, uint32_t call)
{
    struct chooser *s = tui_push(t, &columns_kind, sizeof *s);
    gather(t, s, call);
}

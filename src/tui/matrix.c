/* The headers of one message, hop by hop: headers down, sightings across. */
#include "tui/internal.h"

#define NAME_MOST  26u
#define CELL_LEAST 9u
#define CELL_MOST  24u

struct matrix {
    struct tui_screen screen;
    uint32_t journey; /* its last sighting: branches of a fork share the first */
    size_t step;      /* the column that the cursor is in */
    size_t left;      /* the first column that is seen */
    struct tui_scroll scroll;
    bool all;
    bool placed;        /* the cursor was put on what matters */
    struct arena arena; /* of the table as it was built last */
};

/* A header of the message: where it stands, and what check says of it. */
struct row {
    const struct check_header *header; /* for states and values */
    const struct check_header *judged; /* NULL: not judged */
    bool changed;
};

struct table {
    const struct tui_call *call;
    const struct hop_journey *journey;
    const struct check_request *request; /* NULL: check says nothing of it */
    struct row *rows;
    size_t n, steps, index;
    uint64_t left_out;
};

/* ---- the model ------------------------------------------------------------------------------- */

static void add_row(struct table *m, const struct check_header *h, bool changed)
{
    for (size_t i = 0; i < m->n; i++)
        if (sip_name_equal(m->rows[i].header->name, h->name))
            return;
    m->rows[m->n++] = (struct row){h, tui_request_header(m->request, h->name), changed};
}

/* What is owed stands first, whether it is there or not. */
static void add_rows(struct tui *t, struct arena *a, struct table *m, bool all)
{
    struct view_matrix *matrix = ARENA_NEW(a, struct view_matrix);
    view_matrix_build(a, m->call->hops, m->journey, &t->view, all ? VIEW_ROWS_ALL : VIEW_ROWS_KEY,
                      matrix);
    size_t owed = m->request ? m->request->header_count : 0;
    m->rows = ARENA_ARRAY(a, struct row, owed + matrix->request.header_count + 1);
    m->left_out = matrix->left_out;
    for (int bad = 1; bad >= 0; bad--)
        for (size_t i = 0; i < owed; i++)
            if (tui_header_is_bad(&m->request->headers[i]) == (bool)bad)
                add_row(m, &m->request->headers[i], false);
    for (size_t i = 0; i < matrix->request.header_count; i++)
        add_row(m, &matrix->request.headers[i], matrix->changed[i]);
}

static bool build(struct tui *t, struct matrix *s, struct table *m)
{
    size_t step;
    arena_reset(&s->arena);
    *m = (struct table){.call = tui_call_now(t)};
    if (!m->call || !tui_call_find(m->call, s->journey, &m->index, &step))
        return false;
    m->journey = &m->call->hops->journeys[m->index];
    m->request = tui_call_request(m->call, m->journey);
    m->steps = m->journey->step_count;
    add_rows(t, &s->arena, m, s->all);
    return true;
}

/* The cursor begins on the last hop that has what the next one lacks. */
static void place(struct matrix *s, const struct table *m)
{
    size_t good, bad;
    if (s->placed)
        return;
    s->placed = true;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->rows[i].judged || !tui_header_is_bad(m->rows[i].judged))
            continue;
        tui_header_harm(m->rows[i].judged, m->steps, &good, &bad);
        s->scroll.at = i;
        s->step = good < m->steps ? good : bad < m->steps ? bad : 0;
        return;
    }
}

/* ---- drawing --------------------------------------------------------------------------------- */

struct frame {
    struct tui *t;
    struct grid *g;
    const struct table *m;
    size_t name, cell, left, right; /* columns of the table from left to before right */
};

/* The hops beside the cursor's are seen as well: what it has the next one may lack. */
static size_t left_of(const struct matrix *s, size_t steps, size_t shown)
{
    size_t before = shown > 2 && s->step > 0, after = shown > 1 && s->step + 1 < steps;
    size_t first = s->step - before, last = s->step + after;
    if (first < s->left)
        return first;
    return last >= s->left + shown ? last - shown + 1 : s->left;
}

static struct frame frame_of(struct tui *t, struct grid *g, const struct table *m, struct matrix *s)
{
    struct frame f = {.t = t, .g = g, .m = m, .name = 8};
    for (size_t i = 0; i < m->n; i++) {
        size_t width = grid_width(g, m->rows[i].header->name);
        f.name = width > f.name ? width : f.name;
    }
    size_t most = g->columns < 60 ? 14 : NAME_MOST, room;
    f.name = f.name > most ? most : f.name;
    room = g->columns - f.name - 3;
    f.cell = m->steps ? room / m->steps : room;
    f.cell = f.cell < CELL_LEAST ? CELL_LEAST : f.cell > CELL_MOST ? CELL_MOST : f.cell;
    size_t shown = room / f.cell ? room / f.cell : 1;
    f.left = s->left = left_of(s, m->steps, shown);
    f.right = f.left + shown < m->steps ? f.left + shown : m->steps;
    return f;
}

static size_t x_of(const struct frame *f, size_t step)
{
    return f->name + 3 + (step - f->left) * f->cell;
}

/* "kam1:in" over two lines, for columns are narrow. */
static void draw_head(const struct frame *f, size_t y, size_t step)
{
    const struct hop_sighting *s = f->m->journey->steps[step].sighting;
    struct slice at = hop_sighting_at(&f->t->call.arena, f->m->call->hops->nodes, s);
    struct slice point = slice_of(hop_point_name(f->m->call->hops->nodes, s->index->point));
    size_t x = x_of(f, step), end = x + f->cell - 1;
    grid_fit(f->g, y, x, end, GRID_HEAD, point);
    if (at.n > point.n)
        grid_fit(f->g, y + 1, x, end, GRID_HEAD, slice_from(at, point.n + 1));
}

static void draw_heads(const struct frame *f, size_t y)
{
    grid_fill(f->g, y, 0, f->g->columns, GRID_HEAD);
    grid_fill(f->g, y + 1, 0, f->g->columns, GRID_HEAD);
    for (size_t i = f->left; i < f->right; i++)
        draw_head(f, y, i);
    if (f->left > 0)
        grid_put(f->g, y, f->name + 1, f->g->columns, GRID_WARN, SLICE("<"));
    if (f->right < f->m->steps)
        grid_put(f->g, y, f->g->columns - 1, f->g->columns, GRID_WARN, SLICE(">"));
}

#define CELL_LONG 14u /* room for "... " and something of a value */

/* A value that is too long for its cell is shown from where it differs. */
static void add_altered(struct text *out, const struct frame *f, const struct check_header *h,
                        size_t step)
{
    struct text was = {0}, is = {0};
    size_t before, after, room = f->cell - 3;
    tui_add_values(f->t, &is, h, step);
    struct slice shown = text_slice(&is);
    if (tui_add_value_before(f->t, &was, h, step) && f->cell >= CELL_LONG) {
        view_inner(text_slice(&was), shown, &before, &after);
        if (grid_width(f->g, shown) > room &&
            grid_width(f->g, slice_first(shown, before)) + 5 > room) {
            text_add(out, SLICE("..."));
            shown = slice_from(shown, before);
        }
    }
    text_add(out, shown);
    text_free(&was);
    text_free(&is);
}

/* A mark says what the colour says: gone, altered, not captured. */
static void draw_cell(const struct frame *f, const struct row *r, size_t step, size_t y)
{
    const struct check_header *h = r->header;
    size_t good, bad, x = x_of(f, step), end = x + f->cell - 1;
    bool is_bad = r->judged && tui_header_is_bad(r->judged);
    struct text words = {0};
    unsigned look = GRID_PLAIN;
    tui_header_harm(is_bad ? r->judged : h, f->m->steps, &good, &bad);
    bool harmed = is_bad && step >= bad && bad < f->m->steps;
    if (h->states[step] == CHECK_STATE_MISSING) {
        look = harmed ? GRID_BAD : GRID_DIM;
        text_add(&words, harmed ? tui_utf8(f->t, "\xe2\x9c\x97 ", "! ") : SLICE(""));
        text_add(&words, !harmed ? SLICE("-") : good < f->m->steps ? SLICE("gone") : SLICE("none"));
    } else if (h->states[step] == CHECK_STATE_CUT && h->values[step].n == 0) {
        look = GRID_WARN;
        text_add(&words, SLICE("? cut"));
    } else {
        bool altered = h->states[step] == CHECK_STATE_ALTERED;
        look = altered && is_bad ? GRID_BAD : altered ? GRID_WARN : GRID_PLAIN;
        text_add(&words, altered ? tui_utf8(f->t, "\xe2\x89\xa0 ", "~ ") : SLICE(""));
        if (altered)
            add_altered(&words, f, h, step);
        else
            tui_add_values(f->t, &words, h, step);
    }
    grid_fit(f->g, y, x, end, look, text_slice(&words));
    text_free(&words);
}

static void draw_row(const struct frame *f, const struct row *r, size_t y)
{
    bool bad = r->judged && tui_header_is_bad(r->judged);
    bool good = r->judged && r->judged->expected && r->judged->verdict == CHECK_OK;
    unsigned look =
        view_class_of(&f->t->view, r->header->name) == VIEW_CUSTOM ? GRID_CUSTOM : GRID_NAME;
    if (bad)
        grid_put(f->g, y, 0, 1, GRID_BAD, tui_utf8(f->t, "\xe2\x9c\x97", "!"));
    else if (good)
        grid_put(f->g, y, 0, 1, GRID_GOOD, tui_utf8(f->t, "\xe2\x9c\x93", "+"));
    else if (r->judged && r->judged->expected)
        grid_put(f->g, y, 0, 1, GRID_WARN, SLICE("?"));
    else if (r->changed)
        grid_put(f->g, y, 0, 1, GRID_DIM, SLICE("~"));
    grid_fit(f->g, y, 2, f->name + 2, look, r->header->name);
    for (size_t i = f->left; i < f->right; i++)
        draw_cell(f, r, i, y);
}

static void matrix_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                        struct tui_area area)
{
    struct matrix *s = (struct matrix *)screen;
    struct table m;
    if (!build(t, s, &m)) {
        grid_put(g, area.top, 0, g->columns, GRID_WARN, SLICE("this message is not kept any more"));
        return;
    }
    place(s, &m);
    s->step = s->step < m.steps ? s->step : m.steps - 1;
    size_t below = area.bottom - area.top > 12 ? 4 : 1, first = area.top + 2;
    struct frame f = frame_of(t, g, &m, s);
    draw_heads(&f, area.top);
    tui_scroll_fit(&s->scroll, m.n, area.bottom - first - below);
    for (size_t i = 0; i < s->scroll.page && s->scroll.top + i < m.n; i++) {
        draw_row(&f, &m.rows[s->scroll.top + i], first + i);
        if (s->scroll.top + i != s->scroll.at)
            continue;
        grid_select(g, first + i, 0, f.name + 2);
        grid_select(g, first + i, x_of(&f, s->step), x_of(&f, s->step) + f.cell - 1);
    }
    if (m.n == 0)
        grid_put(g, first, 0, g->columns, GRID_DIM,
                 SLICE("no header of this message matters; a shows all of them"));
    if (s->scroll.at < m.n)
        tui_draw_value(t, g, (struct tui_area){area.bottom - below, area.bottom},
                       m.rows[s->scroll.at].header, s->step);
}

static void matrix_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct table m;
    if (!build(t, (struct matrix *)screen, &m))
        return;
    text_add(out, m.journey->method_name);
    if (m.journey->status)
        text_printf(out, " %u", m.journey->status);
    if (m.request && m.request->sent_by_node.n) {
        text_add(out, SLICE(" sent by "));
        text_add(out, m.request->sent_by_node);
    }
    if (m.request && m.request->answer_status)
        text_printf(out, ", answered %u", m.request->answer_status);
    text_printf(out, "  message %zu of %zu", m.call->part ? m.journey->number + 1u : m.index + 1,
                m.call->part ? m.call->hops->message_count : m.call->hops->journey_count);
    if (m.left_out)
        text_printf(out, "  (%llu headers left out)", (unsigned long long)m.left_out);
}

static void add_guilty(struct text *out, const struct check_guilty *g)
{
    if (!g->any)
        return;
    text_add(out, g->node.n ? SLICE(" by ") : g->before.n ? SLICE(" before ") : SLICE(""));
    text_add(out, g->node.n ? g->node : g->before);
    if (!g->node.n && g->after.n) {
        text_add(out, SLICE(", after "));
        text_add(out, g->after);
    }
}

static void matrix_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct matrix *s = (struct matrix *)screen;
    struct table m;
    if (!build(t, s, &m) || s->scroll.at >= m.n)
        return;
    const struct row *r = &m.rows[s->scroll.at];
    text_add(out, r->header->name);
    if (r->judged && (r->judged->expected || r->judged->verdict == CHECK_OK)) {
        text_printf(out, ": %s", check_header_verdict_name(r->judged->verdict));
        add_guilty(out, &r->judged->guilty);
    } else {
        text_add(out, r->changed ? SLICE(": changes on the way") : SLICE(": as it was"));
    }
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void explain(struct tui *t, const struct matrix *s, const struct table *m)
{
    const struct check_header *h = m->rows[s->scroll.at].judged;
    struct text id = {0};
    if (!h || !tui_header_is_bad(h)) {
        tui_say(t, "there is nothing wrong with this header");
        return;
    }
    text_printf(&id, "header-%s", check_header_verdict_name(h->verdict));
    tui_explain(t, text_slice(&id));
    text_free(&id);
}

/* Has it headers that matter? */
static bool is_worth(struct tui *t, const struct matrix *s, const struct hop_journey *j)
{
    struct table rows;
    if (j->step_count == 0 || j->aside)
        return false;
    struct matrix other = {.journey = j->steps[j->step_count - 1].sighting->id, .all = s->all};
    bool worth = build(t, &other, &rows) && rows.n > 0;
    arena_free(&other.arena);
    return worth;
}

/* Another message of the call, one with headers that matter; false: there is none. */
static bool go(struct tui *t, struct matrix *s, int by)
{
    size_t i, step;
    (void)tui_call_around(t, s->journey);
    const struct hop_call *hops = t->call.hops;
    size_t n = hops->journey_count;
    if (!tui_call_find(&t->call, s->journey, &i, &step))
        return false;
    for (size_t k = 1; k < n; k++) {
        i = (i + (by < 0 ? n - 1 : 1)) % n;
        const struct hop_journey *j = &hops->journeys[i];
        if (!is_worth(t, s, j))
            continue;
        s->journey = j->steps[j->step_count - 1].sighting->id;
        s->placed = false;
        s->scroll.at = s->step = 0;
        return true;
    }
    return false;
}

static void on_cell(struct tui *t, struct matrix *s, const struct table *m, enum tui_action a)
{
    uint32_t sighting = m->journey->steps[s->step < m->steps ? s->step : 0].sighting->id;
    if (a == DO_OPEN)
        tui_message_push(t, sighting,
                         s->scroll.at < m->n ? m->rows[s->scroll.at].header->name : SLICE_NONE);
    else if (a == DO_DIFF)
        tui_diff_hop(t, sighting,
                     s->scroll.at < m->n ? m->rows[s->scroll.at].header->name : SLICE_NONE);
    else if (a == DO_EXPLAIN && s->scroll.at < m->n)
        explain(t, s, m);
}

static void matrix_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct matrix *s = (struct matrix *)screen;
    struct table m;
    if (!build(t, s, &m) || tui_scroll_do(&s->scroll, a))
        return;
    if (a == DO_LEFT)
        s->step -= s->step > 0;
    else if (a == DO_RIGHT)
        s->step += s->step + 1 < m.steps;
    else if (a == DO_ALL_HEADERS)
        tui_set_to(t, SET_ALL_HEADERS, s->all = !s->all);
    else if (a != DO_NEXT && a != DO_PREVIOUS)
        on_cell(t, s, &m, a);
    else if (!go(t, s, a == DO_NEXT ? 1 : -1))
        tui_say(t, "no other message has headers that matter");
}

static bool matrix_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct matrix *s = (struct matrix *)screen;
    (void)t;
    return row >= 2 && tui_scroll_to(&s->scroll, row - 2);
}

static void matrix_free(struct tui_screen *screen)
{
    arena_free(&((struct matrix *)screen)->arena);
}

static const struct tui_kind matrix_kind = {
    .map = MAP_MATRIX,
    .scrolls = true,
    .in_call = true,
    .draw = matrix_draw,
    .act = matrix_act,
    .title = matrix_title,
    .click = matrix_click,
    .status = matrix_status,
    .free = matrix_free,
};

static struct matrix *push(struct tui *t, size_t journey, size_t step)
{
    const struct hop_journey *j = &t->call.hops->journeys[journey];
    struct matrix *s = tui_push(t, &matrix_kind, sizeof *s);
    s->journey = j->steps[j->step_count - 1].sighting->id;
    s->step = step;
    s->all = tui_set(t, SET_ALL_HEADERS);
    return s;
}

void tui_matrix_push(struct tui *t, size_t journey, size_t step)
{
    (void)push(t, journey, step);
}

void tui_matrix_push_call(struct tui *t)
{
    size_t journey = 0, step = 0;
    bool harmed = tui_call_worst(t, &journey, &step);
    if (!harmed)
        journey = step = 0;
    struct matrix *s = push(t, journey, step);
    if (!harmed && !is_worth(t, s, &t->call.hops->journeys[journey]))
        (void)go(t, s, 1);
}

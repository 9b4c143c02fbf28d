/* The ladder of the open call: elements across, messages down, and one message below. */
#include "tui/internal.h"

#include <string.h>

#define PREVIEW_MIN 3u

struct ladder {
    struct tui_screen screen;
    struct tui_scroll scroll;
    uint32_t at;     /* the sighting that the cursor is on */
    bool placed;     /* the cursor was put on what matters */
    uint32_t marked; /* a sighting to compare with; UINT32_MAX: none */
    size_t first;    /* column of the ladder at the left */
    bool panned;     /* by the user, not by the cursor */
    VEC(struct view_column) hidden;
    struct arena arena; /* of what was folded, */
    const struct view_ladder *folded;
    uint64_t folded_of; /* of the call as it was built then; 0: to be folded anew */
    struct tui_find find;
    bool asked_path; /* what is typed is a path, not what is searched for */
};

/* ---- hops that are hidden -------------------------------------------------------------------- */

static bool is_column(const struct view_column *a, const struct view_column *b)
{
    return a->node == b->node &&
           (a->node != HOP_NODE_NONE || address_equal(&a->address, &b->address));
}

/* Where it stands among those that are hidden; hidden.n: it is shown. */
static size_t hidden_at(const struct ladder *s, const struct view_column *c)
{
    size_t i = 0;
    while (i < s->hidden.n && !is_column(&s->hidden.items[i], c))
        i++;
    return i;
}

static void hide(struct ladder *s, const struct view_column *c)
{
    if (hidden_at(s, c) == s->hidden.n)
        *vec_add(&s->hidden) = *c;
}

static bool *hidden_of(struct ladder *s, const struct view_ladder *l)
{
    bool *hidden = ARENA_ARRAY(&s->arena, bool, l->column_count);
    size_t shown = 0;
    for (size_t i = 0; i < l->column_count; i++) {
        hidden[i] = hidden_at(s, &l->columns[i]) < s->hidden.n;
        shown += !hidden[i];
    }
    if (shown == 0 && l->column_count)
        hidden[0] = false;
    return hidden;
}

/* The ladder as it is shown. */
static const struct view_ladder *ladder_of(struct tui *t, struct ladder *s)
{
    const struct tui_call *c = tui_call_now(t);
    if (s->hidden.n == 0)
        return c->ladder;
    if (s->folded_of != c->built) {
        arena_reset(&s->arena);
        s->folded = view_ladder_fold(&s->arena, c->ladder, hidden_of(s, c->ladder));
        s->folded_of = c->built;
    }
    return s->folded;
}

static void fold(struct tui *t, struct ladder *s)
{
    const struct view_ladder *l = tui_call_now(t)->ladder;
    bool any = s->hidden.n > 0;
    s->folded_of = 0;
    s->hidden.n = 0;
    for (size_t i = 1; !any && i + 1 < l->column_count; i++)
        hide(s, &l->columns[i]);
    if (!any && s->hidden.n == 0)
        tui_say(t, "there is no hop between the two ends");
}

static void turn_column(struct tui *t, struct ladder *s, size_t column)
{
    const struct view_ladder *l = tui_call_now(t)->ladder;
    if (column >= l->column_count) {
        tui_say(t, "there are %zu hops", l->column_count);
        return;
    }
    size_t i = hidden_at(s, &l->columns[column]);
    s->folded_of = 0;
    if (i == s->hidden.n)
        hide(s, &l->columns[column]);
    else
        s->hidden.items[i] = s->hidden.items[--s->hidden.n];
    struct text name = {0};
    text_add_terminal(&name, tui_column_name(t, &l->columns[column]));
    tui_say(t, "%s is %s", name.p,
            hidden_at(s, &l->columns[column]) < s->hidden.n ? "hidden" : "shown");
    text_free(&name);
}

/* ---- the screen ------------------------------------------------------------------------------ */

static bool has_step(const struct view_row *row, uint32_t sighting)
{
    for (size_t i = 0; i < row->step_count; i++)
        if (row->journey->steps[row->step + i].sighting->id == sighting)
            return true;
    return false;
}

/* The row of the sighting, or the one that it was folded into. */
static bool row_of(const struct view_ladder *l, uint32_t sighting, size_t *row)
{
    for (size_t i = 0; i < l->row_count; i++)
        if (has_step(&l->rows[i], sighting)) {
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
    const struct view_ladder *l = ladder_of(t, s);
    for (size_t i = 0; i < l->row_count; i++)
        if (tui_row_harm(&t->call, &l->rows[i]) > 0) {
            s->scroll.at = i;
            return;
        }
}

/* It stays on its message when more is read, and when another part of the call is shown. */
static void find_at(struct tui *t, struct ladder *s)
{
    if (!s->placed)
        place(t, s);
    const struct view_ladder *l = ladder_of(t, s);
    size_t at = s->scroll.at, row;
    if (s->at == UINT32_MAX || (at < l->row_count && has_step(&l->rows[at], s->at)))
        return;
    if (!row_of(l, s->at, &row)) {
        if (!tui_call_around(t, s->at) || !row_of(ladder_of(t, s), s->at, &row))
            return;
    }
    s->scroll.top += row;
    s->scroll.top -= s->scroll.top > at ? at : s->scroll.top;
    s->scroll.at = row;
}

/* ---- calls of many messages, of which a part is there -----------------------------------------
 */

#define EDGE 64u /* rows, and a page, that are there beyond the cursor */

static bool near_edge(const struct tui_call *c, const struct ladder *s, size_t n)
{
    size_t edge = EDGE + s->scroll.page;
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
        const struct view_ladder *l = ladder_of(t, s);
        s->scroll.at = a == DO_TOP || !l->row_count ? 0 : l->row_count - 1;
        note_at(s, l);
    } else if (near_edge(c, s, ladder_of(t, s)->row_count) && tui_call_around(t, s->at)) {
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
    struct text words = {0};
    text_add(&words, title);
    text_add(&words, SLICE("  "));
    tui_add_sdp(t, &words, s->message, 4);
    grid_fit(g, top, 0, g->columns, GRID_HEAD, text_slice(&words));
    text_free(&words);
    tui_draw_message(t, g, (struct tui_area){top + 1, bottom}, s->message);
}

static void ladder_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                        struct tui_area area)
{
    struct ladder *s = (struct ladder *)screen;
    find_at(t, s);
    const struct view_ladder *l = ladder_of(t, s);
    struct tui_call *c = &t->call;
    size_t below = preview_rows(t, area), first = area.top + 1, bottom = area.bottom - below;
    tui_scroll_fit(&s->scroll, l->row_count, bottom - first);
    note_at(s, l);
    struct tui_lanes f = tui_lanes_of(t, g, l, &s->first);
    if (!s->panned && s->scroll.at < l->row_count)
        tui_lanes_show(&f, &s->first, &l->rows[s->scroll.at]);
    tui_lanes_head(&f, area.top);
    for (size_t y = first; y < bottom; y++) {
        size_t i = s->scroll.top + y - first;
        tui_lanes_lines(&f, y);
        if (i >= l->row_count)
            continue;
        tui_lanes_time(&f, i, y);
        tui_lanes_arrow(&f, c, &l->rows[i], y);
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
    const struct tui_call *c = tui_call_now(t), *whole = c->part ? c->whole : c;
    (void)screen;
    text_add(out, SLICE("Call "));
    text_add(out, c->ladder->caller.n ? c->ladder->caller : SLICE("?"));
    text_add(out, SLICE(" -> "));
    text_add(out, c->ladder->callee.n ? c->ladder->callee : SLICE("?"));
    if (whole && whole->checked)
        text_printf(out, "  %s", check_verdict_name(whole->check.verdict));
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
    const struct view_ladder *l = ladder_of(t, s);
    if (s->scroll.at >= l->row_count)
        return;
    const struct view_row *row = &l->rows[s->scroll.at];
    if (c->part)
        text_printf(out, "message %u of %zu  ", row->journey->number + 1, c->hops->message_count);
    else
        text_printf(out, "%zu/%zu  ", s->scroll.at + 1, l->row_count);
    text_add(out, row->label);
    for (size_t i = 0; i < row->change_count; i++) {
        if (row->changes[i].class != VIEW_CUSTOM && row->changes[i].class != VIEW_OTHER)
            continue;
        text_printf(out, " %s", signs[row->changes[i].kind]);
        text_add(out, row->changes[i].name);
    }
    if (l->rows_hidden)
        text_printf(out, "  (hidden: %llu)", (unsigned long long)l->rows_hidden);
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
        tui_diff_hop(t, s->at, SLICE_NONE);
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
    else if (a == DO_MEDIA)
        tui_media_push(t);
    else if (a == DO_FOLD)
        fold(t, s);
    else if (a == DO_COLUMN)
        turn_column(t, s, t->key - '1');
    else if (a == DO_SAVE)
        tui_ask_path(t, "Save the call to (" TUI_SAVE_AS "):");
    if (a != DO_LEFT && a != DO_RIGHT)
        return;
    s->panned = true;
    s->first = a == DO_RIGHT ? s->first + 1 : s->first ? s->first - 1 : 0;
}

#define FIND_PARTS 64u /* that are looked through for one key */

/* To the next row that is searched for; in parts of a long call too. */
static void find_next(struct tui *t, struct ladder *s, bool on)
{
    const struct view_ladder *l = ladder_of(t, s);
    uint32_t was = s->at;
    if (!s->find.filter) {
        tui_say(t, "nothing was searched for; / asks");
        return;
    }
    for (size_t parts = 0; parts < FIND_PARTS; parts++) {
        for (size_t i = s->scroll.at; on ? i + 1 < l->row_count : i > 0;) {
            i = on ? i + 1 : i - 1;
            if (!tui_find_row(t, &s->find, &l->rows[i]))
                continue;
            s->scroll.at = i;
            s->panned = false;
            note_at(s, l);
            follow_cursor(t, s, DO_DOWN);
            return;
        }
        if (!l->row_count)
            break;
        s->scroll.at = on ? l->row_count - 1 : 0;
        note_at(s, l);
        if (!tui_call_around(t, s->at)) { /* the end of the call: the cursor stays where it was */
            s->at = was;
            find_at(t, s);
            tui_say(t, on ? "no message further down matches" : "no message further up matches");
            return;
        }
        find_at(t, s);
        l = ladder_of(t, s);
    }
    tui_say(t, "not among the next messages; the same key goes on");
}

static void search(struct tui *t, struct ladder *s, enum tui_action a)
{
    s->asked_path = false;
    if (a == DO_SEARCH)
        tui_ask_expression(t, "Message with, or where:", SLICE_NONE);
    else
        find_next(t, s, a == DO_NEXT);
}

static void ladder_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct ladder *s = (struct ladder *)screen;
    const struct view_ladder *l = ladder_of(t, s);
    if (tui_scroll_do(&s->scroll, a)) {
        s->panned = false;
        note_at(s, l);
        follow_cursor(t, s, a);
        return;
    }
    if (a == DO_SEARCH || a == DO_NEXT || a == DO_PREVIOUS) {
        search(t, s, a);
        return;
    }
    s->asked_path = a == DO_SAVE;
    if (s->scroll.at < l->row_count)
        open_screen(t, s, &l->rows[s->scroll.at], a);
    act_on_view(t, s, a);
}

static void ladder_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    struct ladder *s = (struct ladder *)screen;
    struct view_filter_fault fault;
    if (s->asked_path) {
        tui_save_call(t, line);
    } else if (!tui_find_set(&s->find, line, &fault)) {
        tui_ask_again(t, &fault);
    } else {
        tui_history_add(&t->filters, line);
        find_next(t, s, true);
    }
}

static bool ladder_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct ladder *s = (struct ladder *)screen;
    (void)t;
    if (row < 1 || !tui_scroll_to(&s->scroll, row - 1))
        return false;
    s->panned = false;
    note_at(s, ladder_of(t, s));
    return true;
}

static void ladder_free(struct tui_screen *screen)
{
    struct ladder *s = (struct ladder *)screen;
    vec_free(&s->hidden);
    tui_find_free(&s->find);
    arena_free(&s->arena);
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
    .free = ladder_free,
};

void tui_ladder_push(struct tui *t)
{
    struct ladder *s = tui_push(t, &ladder_kind, sizeof *s);
    s->marked = UINT32_MAX;
}

/* The filter form: fields as sngrep has them, and what they make, an expression of the filter
 * language. What is asked of how the call begins is asked of its first request at any hop; all else
 * has to hold of one message. */
#include "tui/internal.h"

#include <stdio.h>
#include <string.h>

#define LABEL   16u /* columns */
#define METHODS ((size_t)SIP_METHOD_COUNT - 1)

/* What the cursor can be on: the fields, but the methods before the expression. */
#define FIRST_METHOD ((size_t)FORM_EXPRESSION)
#define EXPRESSION   (FIRST_METHOD + METHODS)
#define ITEMS        (EXPRESSION + 1)

struct form {
    struct tui_screen screen;
    size_t at, top;
    size_t rows[ITEMS]; /* where each was drawn, from the first row of the form */
    size_t back;        /* in the history of expressions */
    bool wrong;
    size_t wrong_at; /* which field is */
    struct view_filter_fault fault;
};

static const struct {
    const char *label, *hint;
} texts[FORM_FIELDS] = {
    [FORM_FROM] = {"From", "a part of From as the call begins"},
    [FORM_TO] = {"To", "a part of To as the call begins"},
    [FORM_SOURCE] = {"Source", "where it begins to come from: 10.0.0.1, 10.0.0.0/8, 10.0.0.1:5060"},
    [FORM_DESTINATION] = {"Destination", "where it begins to go to: an address, as for the source"},
    [FORM_TEXT] = {"Text", "anywhere in one of its messages"},
    [FORM_WITH] = {"With header", "X-Queue: it is there; X-Queue=Sales: with this in its value"},
    [FORM_WITHOUT] = {"Without header",
                      "X-Queue: it is missing; X-Queue=Sales: not with this in it"},
    [FORM_EXPRESSION] = {"Expression", "such as method == BYE and header[\"X-Queue\"] missing"},
};

/* ---- the expression -------------------------------------------------------------------------- */

static struct slice field_of(const struct tui_form *f, size_t id)
{
    return slice_trim(text_slice(&f->fields[id].line));
}

static void join(struct text *out, const char *between)
{
    if (out->n)
        text_add(out, slice_of(between));
}

/* Quotes where they are needed only, so that the expression is one that a person would write. */
static void add_value(struct text *out, struct slice value)
{
    bool bare = value.n > 0;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i], low = ascii_lower(c);
        bare &=
            (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || strchr("+-_.@:/", c) != NULL;
    }
    if (bare)
        text_add(out, value);
    else
        view_filter_quote(out, value);
}

/* header["NAME"] exists, or with a value behind a sign of equality. */
static void add_header(struct text *out, struct slice field, bool with)
{
    size_t at = slice_find(field, '=');
    struct slice name = slice_trim(slice_first(field, at));
    bool any = at == field.n;
    text_add(out, !with && !any ? SLICE("not header[") : SLICE("header["));
    view_filter_quote(out, name);
    text_add(out, any ? with ? SLICE("] exists") : SLICE("] missing") : SLICE("] contains "));
    if (!any)
        view_filter_quote(out, slice_trim(slice_from(field, at + 1)));
}

static void add_methods(struct text *out, uint32_t methods)
{
    size_t n = (size_t)__builtin_popcount(methods);
    text_add(out, n > 1 ? SLICE("method in {") : SLICE("method == "));
    for (enum sip_method m = SIP_METHOD_OTHER + 1; m < SIP_METHOD_COUNT; m++)
        if (methods >> m & 1) {
            text_add(out, slice_of(sip_method_name(m)));
            methods &= ~(1u << m);
            text_add(out, methods ? SLICE(", ") : SLICE(""));
        }
    text_add(out, n > 1 ? SLICE("}") : SLICE(""));
}

/* What one field asks for; nothing: it is empty. */
static void add_field(struct text *out, const struct tui_form *f, size_t id)
{
    static const char *const asks[] = {"from contains ", "to contains ", "src == ", "dst == "};
    struct slice field = field_of(f, id);
    if (field.n == 0)
        return;
    if (id <= FORM_DESTINATION) {
        text_add(out, slice_of(asks[id]));
        add_value(out, field);
    } else if (id == FORM_TEXT) {
        view_filter_quote(out, field);
    } else if (id == FORM_EXPRESSION) {
        text_add(out, field);
    } else {
        add_header(out, field, id == FORM_WITH);
    }
}

static void add_beginning(struct text *out, const struct tui_form *f)
{
    struct text all = {0};
    for (size_t id = FORM_FROM; id <= FORM_DESTINATION; id++) {
        join(&all, field_of(f, id).n ? " and " : "");
        add_field(&all, f, id);
    }
    if (all.n)
        text_printf(out, "any(request and to.tag missing and %s)", all.p);
    text_free(&all);
}

/* Those who gave an expression alone get it as it is. */
static void add_expression(struct text *out, const struct tui_form *f)
{
    add_beginning(out, f);
    if (f->methods) {
        join(out, " and ");
        add_methods(out, f->methods);
    }
    for (size_t id = FORM_TEXT; id < FORM_EXPRESSION; id++) {
        join(out, field_of(f, id).n ? " and " : "");
        add_field(out, f, id);
    }
    struct slice own = field_of(f, FORM_EXPRESSION);
    if (own.n == 0)
        return;
    bool alone = out->n == 0;
    text_add(out, alone ? SLICE("") : SLICE(" and ("));
    text_add(out, own);
    text_add(out, alone ? SLICE("") : SLICE(")"));
}

void tui_form_clear(struct tui_form *f)
{
    for (size_t i = 0; i < FORM_FIELDS; i++)
        tui_edit_set(&f->fields[i], SLICE_NONE);
    f->methods = 0;
}

void tui_form_free(struct tui_form *f)
{
    for (size_t i = 0; i < FORM_FIELDS; i++)
        tui_edit_free(&f->fields[i]);
}

void tui_form_express(struct tui_form *f, struct slice expression)
{
    tui_form_clear(f);
    tui_edit_set(&f->fields[FORM_EXPRESSION], expression);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static bool is_method(size_t item)
{
    return item >= FIRST_METHOD && item < EXPRESSION;
}

static size_t id_of(size_t item)
{
    return item == EXPRESSION ? FORM_EXPRESSION : item;
}

static enum sip_method method_of(size_t item)
{
    return (enum sip_method)(SIP_METHOD_OTHER + 1 + item - FIRST_METHOD);
}

/* Where the form's row is on the screen; SIZE_MAX: it is not. */
static size_t seen_at(const struct form *s, struct tui_area area, size_t row)
{
    return row >= s->top && area.top + row - s->top < area.bottom ? area.top + row - s->top
                                                                  : SIZE_MAX;
}

static size_t draw_field(struct tui *t, struct form *s, struct grid *g, struct tui_area area,
                         size_t item, size_t row)
{
    size_t id = id_of(item), y = seen_at(s, area, row), end = g->columns - 1, pan = 0;
    const struct tui_edit *e = &t->form.fields[id];
    bool wrong = s->wrong && s->wrong_at == item;
    s->rows[item] = row;
    if (y != SIZE_MAX) {
        grid_fit(g, y, 0, LABEL - 1, GRID_NAME, slice_of(texts[id].label));
        grid_put(g, y, LABEL - 1, end, GRID_DIM, SLICE("["));
        pan = tui_edit_draw(e, g, y, LABEL, end, GRID_PLAIN, s->at == item);
        grid_put(g, y, end, g->columns, GRID_DIM, SLICE("]"));
        if (s->at == item)
            grid_select(g, y, 0, LABEL - 1);
    }
    if (!wrong)
        return row + 1;
    if (y != SIZE_MAX && y + tui_fault_rows(g, &s->fault) < area.bottom)
        tui_fault_draw(g, y + 1, LABEL, end, pan, text_slice(&e->line), &s->fault);
    return row + 1 + tui_fault_rows(g, &s->fault);
}

static size_t draw_methods(struct tui *t, struct form *s, struct grid *g, struct tui_area area,
                           size_t row)
{
    size_t x = LABEL - 1, y = seen_at(s, area, row);
    if (y != SIZE_MAX)
        grid_put(g, y, 0, g->columns, GRID_NAME, SLICE("Methods"));
    for (size_t item = FIRST_METHOD; item < EXPRESSION; item++) {
        struct slice name = slice_of(sip_method_name(method_of(item)));
        bool ticked = t->form.methods >> method_of(item) & 1;
        if (x + 4 + name.n > g->columns) {
            row++;
            x = LABEL - 1;
        }
        y = seen_at(s, area, row);
        s->rows[item] = row;
        if (y != SIZE_MAX) {
            grid_put(g, y, x, g->columns, ticked ? GRID_GOOD : GRID_DIM,
                     ticked ? SLICE("[*]") : SLICE("[ ]"));
            grid_put(g, y, x + 3, g->columns, ticked ? GRID_GOOD : GRID_PLAIN, name);
            if (s->at == item)
                grid_select(g, y, x, x + 3 + name.n);
        }
        x += name.n + 5;
    }
    return row + 1;
}

static size_t draw_items(struct tui *t, struct form *s, struct grid *g, struct tui_area area)
{
    size_t row = 0;
    for (size_t item = 0; item < FIRST_METHOD; item++)
        row = draw_field(t, s, g, area, item, row);
    row = draw_methods(t, s, g, area, row);
    return draw_field(t, s, g, area, EXPRESSION, row);
}

/* What the fields make, where there is room for it. */
static void draw_result(struct tui *t, struct grid *g, size_t y, struct tui_area area)
{
    struct text words = {0};
    add_expression(&words, &t->form);
    const struct tui_piece pieces[] = {{SLICE("= "), GRID_DIM}, {text_slice(&words), GRID_DIM}};
    if (words.n && y < area.bottom)
        tui_put_line(g, (struct tui_area){y, area.bottom}, 0, 0, pieces, 2, true, 0);
    text_free(&words);
}

static void form_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                      struct tui_area area)
{
    struct form *s = (struct form *)screen;
    size_t page = area.bottom - area.top;
    struct grid none = {.rows = 0, .columns = g->columns}; /* to know where each row is */
    size_t rows = draw_items(t, s, &none, area);
    size_t last = s->rows[s->at];
    if (s->wrong && s->wrong_at == s->at)
        last += tui_fault_rows(g, &s->fault);
    if (last >= s->top + page)
        s->top = last + 1 - page;
    if (s->rows[s->at] < s->top || rows <= page)
        s->top = rows <= page ? 0 : s->rows[s->at];
    rows = draw_items(t, s, g, area);
    draw_result(t, g, area.top + rows - s->top + 1, area);
}

static void form_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)t;
    (void)screen;
    text_add(out, SLICE("Filter: calls in which all of this is so"));
}

static void form_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    const struct form *s = (const struct form *)screen;
    (void)t;
    text_add(out, is_method(s->at) ? SLICE("Space: the message is one of these; none: any message")
                                   : slice_of(texts[id_of(s->at)].hint));
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void refuse(struct form *s, size_t item, const struct view_filter_fault *fault)
{
    s->wrong = true;
    s->wrong_at = s->at = item;
    s->fault = *fault;
}

/* Each field is held to be right alone, so that what is wrong is told where it is. */
static bool check_fields(struct tui *t, struct form *s)
{
    for (size_t item = 0; item < ITEMS; item++) {
        struct text words = {0};
        struct view_filter_fault fault;
        size_t id = id_of(item);
        if (is_method(item))
            continue;
        add_field(&words, &t->form, id);
        struct view_filter *f =
            words.n ? view_filter_new(text_slice(&words), VIEW_FILTER_JUDGED, &fault) : NULL;
        bool ok = f || words.n == 0;
        view_filter_free(f);
        text_free(&words);
        if (ok)
            continue;
        if (id != FORM_EXPRESSION) {
            fault.at = 0;
            fault.n = t->form.fields[id].line.n;
        } else {
            struct slice line = text_slice(&t->form.fields[id].line);
            fault.at += (size_t)(slice_trim(line).p - line.p);
            t->form.fields[id].at = fault.at;
        }
        refuse(s, item, &fault);
        return false;
    }
    return true;
}

static void apply(struct tui *t, struct form *s)
{
    struct text words = {0};
    struct view_filter_fault fault;
    s->wrong = false;
    if (!check_fields(t, s))
        return;
    add_expression(&words, &t->form);
    bool ok = tui_calls_express(t, text_slice(&words), &fault);
    text_free(&words);
    if (ok) {
        tui_pop(t);
        return;
    }
    fault.at = fault.n = 0; /* of the whole */
    refuse(s, EXPRESSION, &fault);
}

/* Down goes from the methods to what is below them, right to the next of them. */
static void move(struct form *s, bool on, bool one)
{
    if (is_method(s->at) && !one)
        s->at = on ? EXPRESSION : FIRST_METHOD - 1;
    else
        s->at = (s->at + (on ? 1 : ITEMS - 1)) % ITEMS;
}

static void form_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct form *s = (struct form *)screen;
    switch (a) {
    case DO_OPEN:
        apply(t, s);
        break;
    case DO_NEXT:
    case DO_DOWN:
        move(s, true, a == DO_NEXT);
        break;
    case DO_PREVIOUS:
    case DO_UP:
        move(s, false, a == DO_PREVIOUS);
        break;
    case DO_CLEAR:
        tui_form_clear(&t->form);
        s->wrong = false;
        break;
    default:
        break;
    }
}

static bool method_key(struct tui *t, struct form *s, uint32_t key)
{
    if (key == TUI_KEY_LEFT || key == TUI_KEY_RIGHT)
        move(s, key == TUI_KEY_RIGHT, true);
    else if (key == ' ')
        t->form.methods ^= 1u << method_of(s->at);
    else
        return key > ' ' && key < TUI_KEY_UP; /* what is typed has no other meaning here */
    return true;
}

static bool form_key(struct tui *t, struct tui_screen *screen, uint32_t key)
{
    struct form *s = (struct form *)screen;
    if (is_method(s->at))
        return method_key(t, s, key);
    struct tui_edit *e = &t->form.fields[id_of(s->at)];
    bool arrow = key == TUI_KEY_UP || key == TUI_KEY_DOWN;
    if (s->at == EXPRESSION && !arrow && tui_history_key(&t->filters, &s->back, e, key))
        return true;
    if (!tui_edit_key(e, key))
        return false;
    s->wrong = false;
    return true;
}

static bool form_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct form *s = (struct form *)screen;
    (void)t;
    for (size_t item = 0; item < ITEMS; item++)
        if (s->rows[item] == s->top + row && !is_method(item))
            s->at = item;
    return false; /* Enter applies the whole form */
}

static const struct tui_kind form_kind = {
    .map = MAP_FILTER,
    .draw = form_draw,
    .act = form_act,
    .title = form_title,
    .status = form_status,
    .key = form_key,
    .click = form_click,
};

void tui_filter_push(struct tui *t)
{
    struct form *s = tui_push(t, &form_kind, sizeof *s);
    s->back = t->filters.n;
}

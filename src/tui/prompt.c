/* The line above the keys that asks for something, with what was typed before and with what is
 * wrong.
 */
#include "tui/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tui_ask(struct tui *t, const char *question)
{
    t->prompt.on = true;
    t->prompt.leaves = false;
    t->prompt.wrong = false;
    t->prompt.history = NULL;
    t->prompt.question = question;
    tui_edit_set(&t->prompt.edit, SLICE_NONE);
}

void tui_ask_with(struct tui *t, const char *question, struct slice line)
{
    tui_ask(t, question);
    tui_edit_set(&t->prompt.edit, line);
}

void tui_ask_path(struct tui *t, const char *question)
{
    struct slice folder = text_slice(&t->settings->texts[SET_SAVE_FOLDER]);
    const char *home = getenv("HOME");
    struct text path = {0};
    if (slice_starts(folder, SLICE("~/")) && home) {
        text_add(&path, slice_of(home));
        folder = slice_from(folder, 1);
    }
    text_add(&path, folder);
    if (folder.n && folder.p[folder.n - 1] != '/')
        text_add_char(&path, '/');
    tui_ask_with(t, question, text_slice(&path));
    text_free(&path);
}

void tui_ask_expression(struct tui *t, const char *question, struct slice line)
{
    tui_ask_with(t, question, line);
    t->prompt.history = &t->filters;
    t->prompt.back = t->filters.n;
}

void tui_ask_again(struct tui *t, const struct view_filter_fault *fault)
{
    t->prompt.on = true;
    t->prompt.wrong = true;
    t->prompt.fault = *fault;
    t->prompt.edit.at = fault->at < t->prompt.edit.line.n ? fault->at : t->prompt.edit.line.n;
}

void tui_ask_other(struct tui *t, const char *why)
{
    struct view_filter_fault fault = {.at = 0, .n = t->prompt.edit.line.n};
    snprintf(fault.text, sizeof fault.text, "%s", why);
    tui_ask_again(t, &fault);
    t->prompt.edit.at = t->prompt.edit.line.n;
}

/* ---- what was typed before ------------------------------------------------------------------- */

static void forget(struct tui_history *h, size_t i)
{
    free(h->items[i]);
    h->n--;
    memmove(&h->items[i], &h->items[i + 1], (h->n - i) * sizeof *h->items);
}

/* At the end, and nowhere else. */
void tui_history_add(struct tui_history *h, struct slice line)
{
    if (line.n == 0)
        return;
    for (size_t i = 0; i < h->n; i++)
        if (slice_is(line, h->items[i])) {
            forget(h, i);
            break;
        }
    if (h->n == TUI_HISTORY_MAX)
        forget(h, 0);
    char *copy = base_alloc(line.n + 1);
    memcpy(copy, line.p, line.n);
    *vec_add(h) = copy;
}

void tui_history_free(struct tui_history *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->items[i]);
    vec_free(h);
}

bool tui_history_key(const struct tui_history *h, size_t *back, struct tui_edit *e, uint32_t key)
{
    bool older = key == TUI_KEY_UP || key == ('p' & 0x1f);
    bool newer = key == TUI_KEY_DOWN || key == ('n' & 0x1f);
    if (!older && !newer)
        return false;
    if (older && *back > 0)
        --*back;
    else if (newer && *back < h->n)
        ++*back;
    else
        return true;
    tui_edit_set(e, *back < h->n ? slice_of(h->items[*back]) : SLICE_NONE);
    return true;
}

/* ---- drawn ----------------------------------------------------------------------------------- */

/* Carets under the mistake, as far as it is seen, and what is wrong, over so many rows. */
size_t tui_fault_rows(const struct grid *g, const struct view_filter_fault *fault)
{
    struct slice rest = slice_of(fault->text);
    size_t rows = 1;
    while (rest.n && rows <= TUI_FAULT_ROWS) {
        (void)tui_take_row(g, &rest, g->columns);
        rows++;
    }
    return rows;
}

void tui_fault_draw(struct grid *g, size_t row, size_t column, size_t end, size_t pan,
                    struct slice line, const struct view_filter_fault *fault)
{
    size_t at = grid_width(g, slice_first(line, fault->at));
    size_t n = grid_width(g, slice_first(slice_from(line, fault->at), fault->n));
    struct slice rest = slice_of(fault->text);
    size_t rows = tui_fault_rows(g, fault);
    for (size_t i = 0; i < rows; i++)
        grid_fill(g, row + i, 0, g->columns, GRID_PLAIN);
    for (size_t i = 0; i < (n ? n : 1); i++)
        if (at + i >= pan && column + at + i - pan < end)
            grid_put(g, row, column + at + i - pan, end, GRID_BAD, SLICE("^"));
    for (size_t i = 1; i < rows; i++)
        grid_fit(g, row + i, 0, g->columns, GRID_BAD, tui_take_row(g, &rest, g->columns));
}

#define ROOM_LEAST 18u /* columns for what is typed */

/* What it says in brackets gives way to what is typed. */
static size_t put_question(struct grid *g, size_t row, struct slice question)
{
    size_t bracket = slice_find(question, '(');
    if (question.n + ROOM_LEAST > g->columns && bracket < question.n) {
        struct slice rest = slice_from(question, slice_find(question, ')') + 1);
        size_t x =
            grid_put(g, row, 0, g->columns, GRID_HEAD, slice_trim(slice_first(question, bracket)));
        return grid_put(g, row, x, g->columns, GRID_HEAD, rest);
    }
    return grid_fit(g, row, 0, g->columns * 3 / 4, GRID_HEAD, question);
}

void tui_prompt_draw(struct tui *t, struct grid *g, size_t row)
{
    struct tui_prompt *p = &t->prompt;
    size_t below = p->wrong ? tui_fault_rows(g, &p->fault) : 0;
    row = row > below ? row - below : 0;
    grid_fill(g, row, 0, g->columns, GRID_PLAIN);
    size_t column = put_question(g, row, slice_of(p->question)) + 1;
    size_t pan = tui_edit_draw(&p->edit, g, row, column, g->columns, GRID_PLAIN, true);
    if (p->wrong)
        tui_fault_draw(g, row + 1, column, g->columns, pan, text_slice(&p->edit.line), &p->fault);
}

/* ---- keys ------------------------------------------------------------------------------------ */

void tui_prompt_key(struct tui *t, uint32_t key)
{
    struct tui_prompt *p = &t->prompt;
    const struct tui_screen *top = t->screens[t->depth - 1];
    if (key == TUI_KEY_ESC) {
        p->on = false;
    } else if (key == TUI_KEY_ENTER) {
        p->on = false;
        if (p->leaves)
            t->over = true;
        else
            top->kind->typed(t, t->screens[t->depth - 1], text_slice(&p->edit.line));
    } else if (!p->history || !tui_history_key(p->history, &p->back, &p->edit, key)) {
        p->wrong &= !tui_edit_key(&p->edit, key);
    }
}

/* The line above the keys that asks for something, with what was typed before and with what is
 * wrong.
 */
#include "tui/internal.h"

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

/* As many words as go into a row; one that is longer is cut. */
static struct slice take_row(struct slice *rest, size_t columns)
{
    size_t n = 0;
    *rest = slice_trim(*rest);
    for (size_t at = 0; at <= rest->n; at++)
        if (at == rest->n || rest->p[at] == ' ') {
            if (n && text_width(slice_first(*rest, at)) > columns)
                break;
            n = at;
        }
    struct slice row = slice_first(*rest, n);
    *rest = slice_from(*rest, n);
    return row;
}

/* Carets under the mistake, as far as it is seen, and what is wrong, over so many rows. */
size_t tui_fault_rows(const struct grid *g, const struct view_filter_fault *fault)
{
    struct slice rest = slice_of(fault->text);
    size_t rows = 1;
    while (rest.n && rows <= TUI_FAULT_ROWS) {
        (void)take_row(&rest, g->columns);
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
        grid_fit(g, row + i, 0, g->columns, GRID_BAD, take_row(&rest, g->columns));
}

void tui_prompt_draw(struct tui *t, struct grid *g, size_t row)
{
    struct tui_prompt *p = &t->prompt;
    size_t below = p->wrong ? tui_fault_rows(g, &p->fault) : 0;
    row = row > below ? row - below : 0;
    grid_fill(g, row, 0, g->columns, GRID_PLAIN);
    size_t column = grid_put(g, row, 0, g->columns, GRID_HEAD, slice_of(p->question)) + 1;
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

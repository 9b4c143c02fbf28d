/* A line that is typed: what keys do in it, and how it is drawn where it is longer than its place.
 */
#include "tui/internal.h"

#include <string.h>

#define CTRL(c) ((uint32_t)(c)&0x1f)

void tui_edit_set(struct tui_edit *e, struct slice line)
{
    text_clear(&e->line);
    text_add(&e->line, line);
    e->at = line.n;
}

void tui_edit_free(struct tui_edit *e)
{
    text_free(&e->line);
}

static bool continues(const struct tui_edit *e, size_t at)
{
    return at < e->line.n && ((unsigned char)e->line.p[at] & 0xc0) == 0x80;
}

static size_t before(const struct tui_edit *e, size_t at)
{
    at -= at > 0;
    while (at > 0 && continues(e, at))
        at--;
    return at;
}

static size_t behind(const struct tui_edit *e, size_t at)
{
    at += at < e->line.n;
    while (continues(e, at))
        at++;
    return at;
}

static void cut(struct tui_edit *e, size_t from, size_t to)
{
    struct text rest = {0};
    text_add(&rest, slice_from(text_slice(&e->line), to));
    e->line.n = from;
    text_add(&e->line, text_slice(&rest));
    text_free(&rest);
    e->at = from;
}

static void insert(struct tui_edit *e, struct slice bytes)
{
    struct text rest = {0};
    if (e->line.n + bytes.n > TUI_LINE_MAX)
        return;
    text_add(&rest, slice_from(text_slice(&e->line), e->at));
    e->line.n = e->at;
    text_add(&e->line, bytes);
    text_add(&e->line, text_slice(&rest));
    text_free(&rest);
    e->at += bytes.n;
}

static void insert_code(struct tui_edit *e, uint32_t code)
{
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    char bytes[4];
    for (unsigned i = 0; i <= more; i++)
        bytes[i] = (char)((i ? 0x80u : leads[more]) |
                          (code >> (6 * (more - i)) & (more && i ? 0x3fu : 0x7fu)));
    insert(e, (struct slice){bytes, more + 1});
}

/* The beginning of the word before the cursor. */
static size_t word_before(const struct tui_edit *e)
{
    size_t at = e->at;
    while (at > 0 && e->line.p[at - 1] == ' ')
        at--;
    while (at > 0 && e->line.p[at - 1] != ' ')
        at--;
    return at;
}

bool tui_edit_key(struct tui_edit *e, uint32_t key)
{
    if (key == TUI_KEY_LEFT || key == CTRL('b'))
        e->at = before(e, e->at);
    else if (key == TUI_KEY_RIGHT || key == CTRL('f'))
        e->at = behind(e, e->at);
    else if (key == TUI_KEY_HOME || key == CTRL('a'))
        e->at = 0;
    else if (key == TUI_KEY_END || key == CTRL('e'))
        e->at = e->line.n;
    else if (key == TUI_KEY_BACKSPACE || key == CTRL('h'))
        cut(e, before(e, e->at), e->at);
    else if (key == TUI_KEY_DELETE || key == CTRL('d'))
        cut(e, e->at, behind(e, e->at));
    else if (key == CTRL('u'))
        cut(e, 0, e->at);
    else if (key == CTRL('k'))
        cut(e, e->at, e->line.n);
    else if (key == CTRL('w'))
        cut(e, word_before(e), e->at);
    else if (key >= ' ' && key < TUI_KEY_UP)
        insert_code(e, key);
    else
        return false;
    return true;
}

size_t tui_edit_draw(const struct tui_edit *e, struct grid *g, size_t row, size_t column,
                     size_t end, unsigned look, bool cursor)
{
    struct slice line = text_slice(&e->line);
    size_t room = end > column + 1 ? end - column - 1 : 1; /* the cursor may stand behind it */
    size_t at = grid_width(g, slice_first(line, e->at));
    size_t pan = cursor && at > room ? at - room : 0;
    grid_fill(g, row, column, end, look);
    grid_put_from(g, row, column, end, look, line, pan);
    if (cursor) {
        g->cursor = true;
        g->cursor_row = row;
        g->cursor_column = column + at - pan < g->columns ? column + at - pan : g->columns - 1;
    }
    return pan;
}

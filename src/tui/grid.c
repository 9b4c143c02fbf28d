/* The grid that screens are drawn into. */
#include "tui/internal.h"

#include <stdlib.h>
#include <string.h>

void grid_size(struct grid *g, size_t rows, size_t columns)
{
    size_t n = rows * columns;
    if (g->rows != rows || g->columns != columns)
        g->cells = base_realloc(g->cells, (n ? n : 1) * sizeof *g->cells);
    memset(g->cells, 0, n * sizeof *g->cells);
    g->rows = rows;
    g->columns = columns;
    g->cursor = false;
}

void grid_free(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){0};
}

struct grid_cell *grid_at(const struct grid *g, size_t row, size_t column)
{
    return &g->cells[row * g->columns + column];
}

/* A wide character that is written over in part is gone as a whole. */
static void clear_cell(struct grid *g, size_t row, size_t column)
{
    struct grid_cell *c = grid_at(g, row, column);
    if (c->second && column > 0)
        grid_at(g, row, column - 1)->text[0] = '\0';
    if (column + 1 < g->columns && grid_at(g, row, column + 1)->second)
        grid_at(g, row, column + 1)->second = false;
    *c = (struct grid_cell){0};
}

static void set_cell(struct grid *g, size_t row, size_t column, unsigned look, struct slice s,
                     size_t width)
{
    for (size_t i = 0; i < width; i++)
        clear_cell(g, row, column + i);
    struct grid_cell *c = grid_at(g, row, column);
    memcpy(c->text, s.p, s.n);
    for (size_t i = 0; i < width; i++) {
        grid_at(g, row, column + i)->look = (uint8_t)look;
        grid_at(g, row, column + i)->second = i > 0;
    }
}

/* What has no width of its own goes with the character before it. */
static void combine(struct grid *g, size_t row, size_t column, struct slice s)
{
    struct grid_cell *c = grid_at(g, row, column);
    if (c->second && column > 0)
        c = grid_at(g, row, column - 1);
    size_t n = strlen(c->text);
    if (n && n + s.n <= GRID_CELL_BYTES)
        memcpy(c->text + n, s.p, s.n);
}

/* Text that is safe already, one character after the other. */
static size_t put_safe(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                       struct slice text, size_t skip)
{
    size_t begin = column;
    while (text.n) {
        uint32_t code;
        size_t n = utf8_decode(text, &code);
        struct slice c = slice_first(text, n ? n : 1);
        size_t width = text_width(c);
        text = slice_from(text, c.n);
        if (width == 0) {
            if (column > begin)
                combine(g, row, column - 1, c);
            continue;
        }
        if (skip) {
            skip -= width < skip ? width : skip;
            continue;
        }
        if (column + width > end)
            break;
        set_cell(g, row, column, look, c, width);
        column += width;
    }
    return column;
}

/* Beyond ASCII nothing is left where the terminal has no more. */
static void make_ascii(struct text *t)
{
    struct text ascii = {0};
    for (size_t i = 0; i < t->n; i++)
        if ((unsigned char)t->p[i] < 0x80)
            text_add_char(&ascii, t->p[i]);
        else
            text_printf(&ascii, "\\x%02x", (unsigned char)t->p[i]);
    text_free(t);
    *t = ascii;
}

static struct text safe_text(const struct grid *g, struct slice bytes)
{
    struct text safe = {0};
    text_add_terminal(&safe, bytes);
    if (g->ascii)
        make_ascii(&safe);
    return safe;
}

size_t grid_put_from(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                     struct slice bytes, size_t skip)
{
    if (end > g->columns)
        end = g->columns;
    if (row >= g->rows || column >= end)
        return column;
    /* no more of it can be seen */
    bytes = slice_first(bytes, (end - column + skip + 1) * GRID_CELL_BYTES);
    struct text safe = safe_text(g, bytes);
    column = put_safe(g, row, column, end, look, text_slice(&safe), skip);
    text_free(&safe);
    return column;
}

size_t grid_put(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                struct slice bytes)
{
    return grid_put_from(g, row, column, end, look, bytes, 0);
}

size_t grid_fit(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                struct slice bytes)
{
    if (end > g->columns)
        end = g->columns;
    if (row >= g->rows || column >= end)
        return column;
    struct text safe = safe_text(g, slice_first(bytes, (end - column + 1) * GRID_CELL_BYTES));
    struct text fitted = {0};
    text_add_fitted(&fitted, text_slice(&safe), end - column);
    column = put_safe(g, row, column, end, look, text_slice(&fitted), 0);
    text_free(&fitted);
    text_free(&safe);
    return column;
}

size_t grid_width(const struct grid *g, struct slice bytes)
{
    if (!g->ascii)
        return text_width(bytes);
    struct text safe = safe_text(g, bytes);
    size_t width = safe.n;
    text_free(&safe);
    return width;
}

void grid_fill(struct grid *g, size_t row, size_t column, size_t end, unsigned look)
{
    if (row >= g->rows)
        return;
    for (; column < end && column < g->columns; column++) {
        clear_cell(g, row, column);
        grid_at(g, row, column)->look = (uint8_t)look;
    }
}

void grid_select(struct grid *g, size_t row, size_t column, size_t end)
{
    if (row >= g->rows)
        return;
    for (; column < end && column < g->columns; column++)
        grid_at(g, row, column)->look |= GRID_SELECTED;
}

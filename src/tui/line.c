/* Lines made of pieces, wrapped or panned. */
#include "tui/internal.h"

static size_t width_of(const struct grid *g, const struct tui_piece *pieces, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        width += grid_width(g, pieces[i].text);
    return width;
}

static void put_pieces(struct grid *g, size_t row, const struct tui_piece *pieces, size_t n,
                       size_t skip)
{
    size_t x = 0;
    for (size_t i = 0; i < n && x < g->columns; i++) {
        size_t width = grid_width(g, pieces[i].text);
        if (skip >= width) {
            skip -= width;
            continue;
        }
        x = grid_put_from(g, row, x, g->columns, pieces[i].look, pieces[i].text, skip);
        skip = 0;
    }
}

size_t tui_put_line(struct grid *g, struct tui_area area, size_t top, size_t row,
                    const struct tui_piece *pieces, size_t n, bool wrap, size_t pan)
{
    size_t width = width_of(g, pieces, n);
    size_t rows = wrap && width ? (width + g->columns - 1) / g->columns : 1;
    for (size_t k = 0; k < rows; k++)
        if (row + k >= top && area.top + row + k - top < area.bottom)
            put_pieces(g, area.top + row + k - top, pieces, n, wrap ? k * g->columns : pan);
    return rows;
}

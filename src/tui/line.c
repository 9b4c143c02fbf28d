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

/* Of these bytes as many as go into the columns, and one character at least. */
static size_t cut_at(const struct grid *g, struct slice s, size_t columns)
{
    uint32_t code;
    size_t at = 0, x = 0;
    while (at < s.n) {
        size_t n = utf8_decode(slice_from(s, at), &code);
        struct slice c = slice_first(slice_from(s, at), n ? n : 1);
        x += grid_width(g, c);
        if (at && x > columns)
            break;
        at += c.n;
    }
    return at;
}

struct slice tui_take_row(const struct grid *g, struct slice *rest, size_t columns)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] == ' ')
        n++;
    for (size_t at = n, end = 0; at <= rest->n; at++)
        if (at == rest->n || rest->p[at] == ' ') {
            if (grid_width(g, slice_first(*rest, at)) > columns) {
                n = end ? end : cut_at(g, *rest, columns);
                break;
            }
            n = end = at;
        }
    struct slice row = slice_first(*rest, n);
    while (n < rest->n && rest->p[n] == ' ')
        n++;
    *rest = slice_from(*rest, n);
    return row;
}

/* Further rows stand below what the first one says: behind its indentation, or where the second of
 * two columns begins. */
static size_t hang_of(const struct grid *g, struct slice line)
{
    size_t lead = 0, at;
    while (lead < line.n && line.p[lead] == ' ')
        lead++;
    for (at = lead; at + 1 < line.n && !(line.p[at] == ' ' && line.p[at + 1] == ' ');)
        at++;
    if (at + 1 >= line.n)
        return lead < g->columns / 2 ? lead : 0;
    while (at < line.n && line.p[at] == ' ')
        at++;
    at = grid_width(g, slice_first(line, at));
    return at <= g->columns / 2 ? at : lead + 2 < g->columns / 2 ? lead + 2 : 0;
}

size_t tui_put_words(struct grid *g, struct tui_area area, size_t top, size_t row,
                     struct slice line, unsigned look, struct slice marked)
{
    struct slice rest = line;
    size_t rows = 0, indent = 0, hang = hang_of(g, line);
    do {
        struct slice words = tui_take_row(g, &rest, g->columns - indent);
        bool seen = row + rows >= top && area.top + row + rows - top < area.bottom;
        size_t y = area.top + row + rows - top;
        if (seen)
            grid_put(g, y, indent, g->columns, look, words);
        const char *from = marked.p > words.p ? marked.p : words.p;
        const char *to =
            marked.p + marked.n < words.p + words.n ? marked.p + marked.n : words.p + words.n;
        if (seen && marked.n && from < to) {
            struct slice before = {words.p, (size_t)(from - words.p)};
            grid_put(g, y, indent + grid_width(g, before), g->columns, GRID_MARK,
                     (struct slice){from, (size_t)(to - from)});
        }
        indent = hang;
        rows++;
    } while (rest.n);
    return rows;
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

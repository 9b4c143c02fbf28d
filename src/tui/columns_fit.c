/* How wide the columns of the list of calls are, and the line of their titles. */
#include "tui/internal.h"

/* Widths, and what goes first where there is no room: a high rank, where the usual columns are
 * shown; else what stands to the right. */
static const struct fit {
    enum view_cell cell;
    size_t least, most, rank;
} fits[] = {
    {VIEW_CELL_NUMBER, 4, 7, 5},   {VIEW_CELL_VERDICT, 8, 9, 2},  {VIEW_CELL_START, 8, 12, 4},
    {VIEW_CELL_CALLER, 12, 20, 0}, {VIEW_CELL_CALLEE, 12, 20, 1}, {VIEW_CELL_STATE, 9, 14, 3},
    {VIEW_CELL_MESSAGES, 4, 8, 6}, {VIEW_CELL_DURATION, 7, 9, 8}, {VIEW_CELL_POINTS, 10, 40, 9},
    {VIEW_CELL_CALL_ID, 9, 60, 7}, {VIEW_CELL_DAY, 10, 10, 0},    {VIEW_CELL_ANSWER, 8, 12, 0},
    {VIEW_CELL_END, 8, 12, 0},     {VIEW_CELL_LAST, 8, 12, 0},    {VIEW_CELL_TALK, 7, 9, 0},
    {VIEW_CELL_STATUS, 6, 6, 0},   {VIEW_CELL_SRC, 14, 24, 0},    {VIEW_CELL_DST, 14, 24, 0},
};

static struct fit fit_of(const struct tui *t, size_t i)
{
    const struct tui_columns *all = &t->chosen;
    const struct tui_column *c = &all->items[i];
    size_t title = text_width(tui_column_title(c)) + 1;
    struct fit f = {c->cell, title < 8 ? 8 : title > 14 ? 14 : title, 24, 0};
    for (size_t k = 0; k < sizeof fits / sizeof *fits; k++)
        if (fits[k].cell == c->cell)
            f = fits[k];
    if (!all->usual)
        f.rank = i;
    if (c->cell == VIEW_CELL_NUMBER && !c->width) {
        for (uint32_t n = trace_call_count(t->trace); n > 9999; n /= 10)
            f.least++;
        f.most = f.least;
    }
    if (c->width)
        f.least = f.most = c->width;
    return f;
}

/* By rank: to their least, then what is left to their most.  What is too wide for the screen by
 * itself is cut. */
void tui_columns_fit(struct tui *t, size_t width)
{
    struct fit f[TUI_COLUMNS_MAX];
    struct tui_column *c = t->chosen.items;
    size_t left = width - 1, n = t->chosen.n;
    for (size_t i = 0; i < n; i++) {
        f[i] = fit_of(t, i);
        f[i].least = f[i].least < left ? f[i].least : left - 1;
        c[i].shown = 0;
    }
    for (size_t rank = 0; rank < n; rank++)
        for (size_t i = 0; i < n; i++)
            if (f[i].rank == rank && left > f[i].least) {
                c[i].shown = f[i].least;
                left -= f[i].least + 1;
            }
    for (size_t rank = 0; rank < n; rank++)
        for (size_t i = 0; i < n; i++) {
            bool grows = f[i].rank == rank && c[i].shown && f[i].most > c[i].shown;
            size_t more = grows ? f[i].most - c[i].shown : 0;
            more = more < left ? more : left;
            c[i].shown += more;
            left -= more;
        }
}

void tui_columns_head(const struct tui *t, struct grid *g, size_t row, enum view_cell sort,
                      bool backwards)
{
    size_t x = 1;
    grid_fill(g, row, 0, g->columns, GRID_HEAD);
    for (size_t i = 0; i < t->chosen.n; i++) {
        const struct tui_column *c = &t->chosen.items[i];
        struct text name = {0};
        if (c->shown == 0)
            continue;
        if (c->cell == sort)
            text_add(&name, backwards ? SLICE("v") : SLICE("^"));
        text_add(&name, slice_first(tui_column_title(c), c->shown - name.n));
        bool right = tui_column_is_right(c);
        size_t at = right && c->shown > name.n ? x + c->shown - name.n : x;
        grid_fit(g, row, at, x + c->shown, GRID_HEAD, text_slice(&name));
        x += c->shown + 1;
        text_free(&name);
    }
}

const struct tui_column *tui_column_at(const struct tui *t, size_t x)
{
    size_t from = 1;
    for (size_t i = 0; i < t->chosen.n; i++) {
        const struct tui_column *c = &t->chosen.items[i];
        if (c->shown && x >= from && x < from + c->shown)
            return c;
        from += c->shown ? c->shown + 1 : 0;
    }
    return NULL;
}

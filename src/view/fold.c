/* A ladder without some of its elements: what a message did there becomes one arrow over them. */
#include "view/internal.h"

#include <stdlib.h>
#include <string.h>

struct fold {
    struct arena *arena;
    const struct view_ladder *l;
    const bool *hidden; /* of each column */
    uint32_t *places;   /* of those that are shown */
    bool *taken;        /* of each row: it is part of an arrow */
};

/* The same message on the next stretch of its way, or row_count. */
static size_t next_row(const struct fold *f, size_t at)
{
    const struct view_row *row = &f->l->rows[at];
    size_t n = f->l->row_count, i = at + 1;
    while (i < n && !(f->l->rows[i].journey == row->journey &&
                      f->l->rows[i].step == row->step + row->step_count && !f->taken[i]))
        i++;
    return i;
}

static void add_changes(struct fold *f, struct view_row *row, const struct view_row *next)
{
    size_t n = row->change_count + next->change_count;
    struct view_change *all = ARENA_ARRAY(f->arena, struct view_change, n);
    if (row->change_count)
        memcpy(all, row->changes, row->change_count * sizeof *all);
    if (next->change_count)
        memcpy(all + row->change_count, next->changes, next->change_count * sizeof *all);
    view_changes_sort(all, n);
    row->changes = all;
    row->change_count = n;
}

static void take(struct fold *f, struct view_row *row, size_t at)
{
    const struct view_row *next = &f->l->rows[at];
    f->taken[at] = true;
    add_changes(f, row, next);
    row->step_count += next->step_count;
    row->to = next->to;
    row->folded++;
    row->cut |= next->cut;
    row->ends_here = next->ends_here;
    if (next->transmissions > row->transmissions)
        row->transmissions = next->transmissions;
}

/* The first column that is shown from `at` on, to the left or to the right; `at`: there is none. */
static uint32_t shown_beyond(const struct fold *f, uint32_t at, bool right)
{
    for (uint32_t i = at; right ? ++i < f->l->column_count : i-- > 0;)
        if (!f->hidden[i])
            return i;
    return at;
}

/* One end of it is at an element that is not shown: the arrow begins or ends before the next one
 * that is. */
static bool place(const struct fold *f, struct view_row *row, bool right)
{
    row->open_begin = f->hidden[row->from];
    row->open_end = f->hidden[row->to];
    if (row->open_begin && row->open_end)
        return false;
    if (row->open_begin)
        row->from = shown_beyond(f, row->to, !right);
    if (row->open_end)
        row->to = shown_beyond(f, row->from, right);
    row->from = f->places[row->from];
    row->to = f->places[row->to];
    row->lead = row->lead == VIEW_NONE || f->hidden[row->lead] ? VIEW_NONE : f->places[row->lead];
    return true;
}

static void fold_rows(struct fold *f, struct view_ladder *out)
{
    struct view_row *rows = ARENA_ARRAY(f->arena, struct view_row, f->l->row_count);
    size_t n = 0;
    for (size_t i = 0; i < f->l->row_count; i++) {
        struct view_row row = f->l->rows[i];
        size_t at = i;
        bool right = row.to > row.from;
        if (f->taken[i])
            continue;
        while (f->hidden[row.to] && (at = next_row(f, at)) < f->l->row_count)
            take(f, &row, at);
        if (place(f, &row, right))
            rows[n++] = row;
        else
            out->rows_hidden += row.folded + 1;
    }
    out->rows = rows;
    out->row_count = n;
}

static void fold_columns(struct fold *f, struct view_ladder *out)
{
    struct view_column *columns = ARENA_ARRAY(f->arena, struct view_column, f->l->column_count);
    size_t n = 0;
    f->places = ARENA_ARRAY(f->arena, uint32_t, f->l->column_count);
    for (size_t i = 0; i < f->l->column_count; i++) {
        if (f->hidden[i]) {
            if (n)
                columns[n - 1].folded++;
            continue;
        }
        f->places[i] = (uint32_t)n;
        columns[n++] = f->l->columns[i];
    }
    out->columns = columns;
    out->column_count = n;
}

struct view_ladder *view_ladder_fold(struct arena *a, const struct view_ladder *l,
                                     const bool *hidden)
{
    struct view_ladder *out = ARENA_NEW(a, struct view_ladder);
    struct fold f = {.arena = a, .l = l, .hidden = hidden};
    *out = *l;
    f.taken = ARENA_ARRAY(a, bool, l->row_count);
    fold_columns(&f, out);
    fold_rows(&f, out);
    return out;
}

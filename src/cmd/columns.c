/* --columns and --group-by. */
#include "cmd/internal.h"

static bool read_column(struct cmd_columns *c, struct slice text, struct err *err)
{
    struct report_column *column = &c->items[c->n];
    if (c->n == CMD_COLUMNS_MAX)
        return err_set(err, "--columns: more than %u columns", CMD_COLUMNS_MAX);
    if (!report_column_read(text, column, &c->wants[c->want_count], err))
        return false;
    if (column->id == REPORT_COLUMN_HEADER)
        column->want = (uint32_t)c->want_count++;
    c->n++;
    return true;
}

bool cmd_columns_read(struct cmd_columns *c, const char *list, struct err *err)
{
    struct slice rest = slice_of(list);
    while (rest.n) {
        size_t comma = slice_find(rest, ',');
        struct slice text = slice_trim(slice_first(rest, comma));
        rest = slice_from(rest, comma + 1);
        if (text.n && !read_column(c, text, err))
            return false;
    }
    return c->n > 0 || err_set(err, "--columns: no column; for example caller,BYE:X-Queue");
}

bool cmd_column_read(struct cmd_columns *c, const char *text, struct err *err)
{
    struct slice name = slice_trim(slice_of(text));
    if (name.n == 0)
        return err_set(err, "--group-by: a header or another column");
    return read_column(c, name, err);
}

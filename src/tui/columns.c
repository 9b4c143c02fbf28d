/* Which columns the list of calls has: names, widths, and the headers that are wanted for them. */
#include "tui/internal.h"

#include <string.h>

/* What a call is; as `sipxray calls` names it, where that has it too. */
static const struct builtin {
    const char *name;
    enum view_cell cell;
    const char *what;
} builtins[] = {
    {"number", VIEW_CELL_NUMBER, "in the order of appearance"},
    {"verdict", VIEW_CELL_VERDICT, "what check says"},
    {"day", VIEW_CELL_DAY, "of its first message"},
    {"start", VIEW_CELL_START, "of its first message"},
    {"caller", VIEW_CELL_CALLER, "user of From"},
    {"callee", VIEW_CELL_CALLEE, "user of To"},
    {"outcome", VIEW_CELL_STATE, "how it stands or ended, or its method"},
    {"messages", VIEW_CELL_MESSAGES, "with retransmissions"},
    {"duration", VIEW_CELL_DURATION, "from its first message to its end"},
    {"points", VIEW_CELL_POINTS, "where it was seen"},
    {"call_id", VIEW_CELL_CALL_ID, "of its first leg"},
    {"answer", VIEW_CELL_ANSWER, "when the INVITE was answered"},
    {"end", VIEW_CELL_END, "when it ended"},
    {"last", VIEW_CELL_LAST, "of its last message"},
    {"talk", VIEW_CELL_TALK, "from the answer to the end"},
    {"status", VIEW_CELL_STATUS, "final answer to the INVITE"},
    {"method", VIEW_CELL_METHOD, "of its first request"},
    {"src", VIEW_CELL_SRC, "source of its first message"},
    {"dst", VIEW_CELL_DST, "target of its first message"},
    {"call_ids", VIEW_CELL_CALL_IDS, "of all its legs"},
};
#define BUILTINS (sizeof builtins / sizeof *builtins)
#define USUAL    "number,verdict,start,caller,callee,outcome,messages,duration,points,call_id"

const char *tui_column_builtin(size_t i, const char **what)
{
    if (i >= BUILTINS)
        return NULL;
    *what = builtins[i].what;
    return builtins[i].name;
}

/* "caller=20": a width behind the name. */
static struct slice split_width(struct slice text, size_t *width)
{
    uint32_t n;
    *width = 0;
    for (size_t i = text.n; i > 0; i--)
        if (text.p[i - 1] == '=' && slice_to_u32(slice_from(text, i), &n) && n > 0 &&
            n <= TUI_WIDTH_MAX) {
            *width = n;
            return slice_trim(slice_first(text, i - 1));
        }
    return text;
}

/* ---- headers --------------------------------------------------------------------------------- */

/* The place among what the trace wants; it stays wanted when its column goes. */
static bool want(struct tui_columns *c, struct slice spec, const struct call_want *w, size_t *out,
                 struct err *err)
{
    size_t i = 0;
    while (i < c->want_count && !slice_equal(c->wanted[i], spec))
        i++;
    *out = i;
    if (i < c->want_count)
        return true;
    if (i == TUI_WANTS_MAX)
        return err_set(err, "more than %u headers were columns in this run", TUI_WANTS_MAX);
    c->wanted[i] = spec;
    c->headers[i] = w->header;
    c->want_count++;
    if (c->trace)
        trace_want(c->trace, w);
    return true;
}

static bool read_name(struct tui_columns *c, struct slice spec, struct tui_column *out,
                      struct err *err)
{
    struct report_column column;
    struct call_want w;
    size_t at;
    for (size_t i = 0; i < BUILTINS; i++)
        if (slice_is(spec, builtins[i].name)) {
            out->cell = builtins[i].cell;
            return true;
        }
    if (!report_column_read(spec, &column, &w, err) || !want(c, spec, &w, &at, err))
        return false;
    out->cell = (enum view_cell)(VIEW_CELL_COUNT + at);
    return true;
}

bool tui_column_read(struct tui_columns *c, struct slice text, struct tui_column *out,
                     struct err *err)
{
    *out = (struct tui_column){0};
    out->spec = arena_copy(&c->arena, split_width(slice_trim(text), &out->width));
    return read_name(c, out->spec, out, err);
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool has(const struct tui_columns *c, enum view_cell cell)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].cell == cell)
            return true;
    return false;
}

bool tui_columns_put(struct tui_columns *c, struct slice list, struct err *err)
{
    bool ok = true;
    c->n = 0;
    c->usual = slice_trim(list).n == 0;
    if (c->usual)
        list = SLICE(USUAL);
    while (list.n) {
        struct slice text = slice_first(list, slice_find(list, ','));
        struct tui_column column;
        struct err why;
        list = slice_from(list, text.n + 1);
        if (slice_trim(text).n == 0)
            continue;
        if (c->n == TUI_COLUMNS_MAX)
            return err_set(err, "more than %u columns", TUI_COLUMNS_MAX);
        if (!tui_column_read(c, text, &column, &why))
            ok = ok ? err_set(err, "%s", why.text) : false;
        else if (!has(c, column.cell))
            c->items[c->n++] = column;
    }
    return ok;
}

bool tui_columns_check(struct slice list, struct err *err)
{
    struct tui_columns c = {0};
    bool ok = tui_columns_put(&c, list, err);
    arena_free(&c.arena);
    return ok;
}

void tui_columns_add_text(struct text *out, const struct tui_columns *c)
{
    for (size_t i = 0; i < c->n; i++) {
        text_add(out, i ? SLICE(",") : SLICE(""));
        text_add(out, c->items[i].spec);
        if (c->items[i].width)
            text_printf(out, "=%zu", c->items[i].width);
    }
}

struct slice tui_column_title(const struct tui_column *c)
{
    if (c->cell < VIEW_CELL_COUNT)
        return slice_of(view_cell_name(c->cell));
    return slice_from(c->spec, slice_starts(c->spec, SLICE(":"))); /* of any message */
}

bool tui_column_is_right(const struct tui_column *c)
{
    return c->cell == VIEW_CELL_NUMBER || c->cell == VIEW_CELL_MESSAGES ||
           c->cell == VIEW_CELL_DURATION || c->cell == VIEW_CELL_TALK ||
           c->cell == VIEW_CELL_STATUS;
}

/* ---- settings -------------------------------------------------------------------------------- */

/* A column that is not known is told, and the others are there. */
void tui_columns_heed(struct tui *t)
{
    struct err err;
    if (tui_columns_put(&t->chosen, text_slice(&t->settings->texts[SET_COLUMNS]), &err))
        return;
    tui_settings_remark(t->settings, "columns: %s", err.text);
    if (t->chosen.n == 0)
        tui_columns_put(&t->chosen, SLICE_NONE, &err);
}

void tui_columns_note(struct tui *t)
{
    struct text *text = &t->settings->texts[SET_COLUMNS];
    text_clear(text);
    tui_columns_add_text(text, &t->chosen);
    t->chosen.usual = false;
    t->settings->changed[SET_COLUMNS] = true;
    t->settings->changes++;
}

/* "-start": by it, backwards. */
bool tui_sort_read(struct tui_columns *c, struct slice text, enum view_cell *by, bool *backwards,
                   struct err *err)
{
    struct tui_column column;
    text = slice_trim(text);
    *backwards = text.n && text.p[0] == '-';
    text = slice_from(text, *backwards);
    *by = VIEW_CELL_NUMBER;
    if (text.n == 0)
        return true;
    if (!tui_column_read(c, text, &column, err))
        return false;
    *by = column.cell;
    return true;
}

void tui_sort_note(struct tui *t, enum view_cell by, bool backwards)
{
    struct text *text = &t->settings->texts[SET_SORT];
    text_clear(text);
    text_add(text, backwards ? SLICE("-") : SLICE(""));
    for (size_t i = 0; i < BUILTINS; i++)
        if (builtins[i].cell == by)
            text_add(text, slice_of(builtins[i].name));
    if (by >= VIEW_CELL_COUNT)
        text_add(text, t->chosen.wanted[by - VIEW_CELL_COUNT]);
    t->settings->changed[SET_SORT] = true;
    t->settings->changes++;
}

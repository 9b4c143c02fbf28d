/* sngrep's files: lines of `set`, `alias`, `bind` and `unbind`.  What has a meaning here is taken,
 * what has none is told once. */
#include "tui/internal.h"

#include <string.h>

#define FIELDS_MAX 20u /* columns of its list */

/* A word of its own, and what that is here. */
struct word {
    const char *name, *here;
};

/* NULL: nothing. */
static const char *meaning_of(const struct word *words, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal_nocase(name, slice_of(words[i].name)))
            return words[i].here;
    return NULL;
}

/* ---- actions --------------------------------------------------------------------------------- */

/* What its actions are here, on each screen that has them. */
static const struct word actions[] = {
    {"up", "lists.up"},
    {"down", "lists.down"},
    {"left", "left"},
    {"right", "right"},
    {"npage", "lists.page-down"},
    {"ppage", "lists.page-up"},
    {"hnpage", "lists.page-down"},
    {"hppage", "lists.page-up"},
    {"begin", "lists.top"},
    {"end", "lists.bottom"},
    {"clear", "calls.clear"},
    {"clearcalls", "calls.hide"},
    {"clearcallssoft", "calls.hide"},
    {"colormode", "ladder.tint"},
    {"togglealias", "aliases"},
    {"pause", "any.pause"},
    {"prevscreen", "any.back"},
    {"help", "any.help"},
    {"raw", "calls.raw ladder.open"},
    {"flow", "calls.open"},
    {"flowex", "calls.open"},
    {"filters", "calls.search"},
    {"columns", "calls.columns"},
    {"settings", "any.settings"},
    {"stats", "calls.statistics"},
    {"columnup", "columns.move-up"},
    {"columndown", "columns.move-down"},
    {"search", "search"},
    {"save", "save"},
    {"select", "mark"},
    {"rawpreview", "ladder.preview"},
    {"morerawpreview", "ladder.larger"},
    {"lessrawpreview", "ladder.smaller"},
    {"resetrawpreview", "ladder.reset"},
    {"autoscroll", "calls.follow"},
    {"sortprev", "calls.sort-previous"},
    {"sortnext", "calls.sort-next"},
    {"sortswap", "calls.sort-turn"},
    {"toggletime", "ladder.times"},
    {"togglesyntax", "any.syntax"},
    {"sdpinfo", "ladder.media"},
    {"togglemedia", "ladder.media"},
    {"compress", "ladder.fold"},
};

static const char *actions_of(struct slice name)
{
    return meaning_of(actions, sizeof actions / sizeof *actions, name);
}

/* ---- columns --------------------------------------------------------------------------------- */

static const struct word fields[] = {
    {"index", "number"},       {"sipfrom", "caller"},
    {"sipfromuser", "caller"}, {"sipto", "callee"},
    {"siptouser", "callee"},   {"src", "src"},
    {"srchost", "src"},        {"dst", "dst"},
    {"dsthost", "dst"},        {"callid", "call_id"},
    {"xcallid", ":X-Call-ID"}, {"date", "day"},
    {"time", "start"},         {"starting", "start"},
    {"method", "method"},      {"msgcnt", "messages"},
    {"state", "outcome"},      {"convdur", "talk"},
    {"totaldur", "duration"},  {"reason", ":Reason"},
    {"warning", ":Warning"},
};

static const char *column_of(struct slice field)
{
    return meaning_of(fields, sizeof fields / sizeof *fields, field);
}

/* Its usual columns, which lines of the file change one by one. */
struct list {
    const char *columns[FIELDS_MAX];
    uint32_t widths[FIELDS_MAX];
    bool any;
};

static struct list usual_list(void)
{
    return (struct list){
        .columns = {"number", "method", "caller", "callee", "messages", "src", "dst", "outcome"}};
}

/* ---- a file ---------------------------------------------------------------------------------- */

struct reader {
    struct tui_settings *settings;
    struct list list;
    struct text sort; /* field, and whether it is turned */
    bool turned;
    struct text without; /* names that have no meaning here */
    uint64_t without_count;
};

static void pass_over(struct reader *r, const char *what, struct slice name)
{
    if (r->without_count++ < 8) {
        text_printf(&r->without, "%s%s ", r->without.n ? ", " : "", what);
        text_add(&r->without, name);
    }
}

/* "cl.column3" and "cl.column3.width" */
static bool take_column(struct reader *r, struct slice name, struct slice value, struct err *err)
{
    uint32_t at;
    struct slice rest = slice_from(name, strlen("cl.column"));
    size_t dot = slice_find(rest, '.');
    if (!slice_to_u32(slice_first(rest, dot), &at) || at >= FIELDS_MAX)
        return err_set(err, "there is no column %.*s", SLICE_ARG(name));
    if (dot < rest.n) {
        uint32_t width;
        if (!slice_to_u32(value, &width) || width == 0 || width > TUI_WIDTH_MAX)
            return err_set(err, "%.*s: a width is a number from 1 to %u", SLICE_ARG(name),
                           TUI_WIDTH_MAX);
        r->list.widths[at] = width;
        return r->list.any = true;
    }
    if (!column_of(value)) {
        pass_over(r, "column", value);
        return true;
    }
    r->list.columns[at] = column_of(value);
    return r->list.any = true;
}

static bool put(struct reader *r, enum tui_set id, struct slice value, struct err *err)
{
    return tui_setting_put(r->settings, id, value, err);
}

static bool is_on(struct slice value)
{
    return slice_equal_nocase(value, SLICE("on")) || slice_equal_nocase(value, SLICE("yes")) ||
           slice_is(value, "1");
}

/* Settings that are the same here under another name, or nearly so. */
static const struct {
    const char *name;
    enum tui_set id;
    const char *from, *to; /* a value that is called otherwise here; NULL: none is */
} same[] = {
    {"syntax", SET_SYNTAX, NULL, NULL},
    {"exitprompt", SET_CONFIRM, NULL, NULL},
    {"savepath", SET_SAVE_FOLDER, NULL, NULL},
    {"sngrep.savepath", SET_SAVE_FOLDER, NULL, NULL},
    {"displayalias", SET_ALIASES, NULL, NULL},
    {"sngrep.displayalias", SET_ALIASES, NULL, NULL},
    {"cl.autoscroll", SET_AUTOSCROLL, NULL, NULL},
    {"cf.forceraw", SET_PREVIEW, NULL, NULL},
    {"colormode", SET_TINT, "request", "kind"},
    {"colormode", SET_TINT, "callid", "call-id"},
    {"colormode", SET_TINT, "cseq", "cseq"},
    {"color.callid", SET_TINT, "on", "call-id"},
    {"color.cseq", SET_TINT, "on", "cseq"},
    {"color.request", SET_TINT, "on", "kind"},
    {"color", SET_THEME, "off", "plain"},
    {"background", SET_THEME, "dark", "dark"},
    {"background", SET_THEME, "light", "light"},
};

/* A value that means what holds here anyhow: "background default". */
static bool take_same(struct reader *r, struct slice name, struct slice value, bool *found,
                      struct err *err)
{
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        if (!slice_equal_nocase(name, slice_of(same[i].name)))
            continue;
        *found = true;
        if (!same[i].from)
            return put(r, same[i].id, value, err);
        if (slice_equal_nocase(value, slice_of(same[i].from)))
            return put(r, same[i].id, slice_of(same[i].to), err);
    }
    return true;
}

static bool take_set(struct reader *r, struct slice rest, struct err *err)
{
    struct slice name = tui_next_word(&rest);
    bool found = false;
    if (slice_starts_nocase(name, SLICE("cl.column")))
        return take_column(r, name, rest, err);
    if (slice_equal_nocase(name, SLICE("cl.sortfield"))) {
        text_clear(&r->sort);
        text_add(&r->sort, rest);
        return true;
    }
    if (slice_equal_nocase(name, SLICE("cl.sortorder"))) {
        r->turned = slice_equal_nocase(rest, SLICE("desc"));
        return true;
    }
    if (slice_equal_nocase(name, SLICE("cl.noexitprompt")))
        return put(r, SET_CONFIRM, is_on(rest) ? SLICE("off") : SLICE("on"), err);
    bool ok = take_same(r, name, rest, &found, err);
    if (!found)
        pass_over(r, "set", name);
    return ok;
}

static bool take_bind(struct reader *r, struct slice rest, bool binds, struct err *err)
{
    struct slice name = tui_next_word(&rest), key = tui_next_word(&rest);
    const char *list = actions_of(name);
    if (!list) {
        pass_over(r, binds ? "bind" : "unbind", name);
        return true;
    }
    for (struct slice all = slice_of(list); all.n;) {
        struct slice action = tui_next_word(&all);
        if (!(binds ? tui_keys_bind(r->settings, action, key, err)
                    : tui_keys_unbind(r->settings, action, key, err)))
            return false;
    }
    return true;
}

/* "10.0.0.1:5060 name": names are those of addresses here, whatever the port. */
static bool take_alias(struct reader *r, struct slice rest, struct err *err)
{
    struct slice word = tui_next_word(&rest);
    struct address address;
    size_t colon = slice_find(word, ':');
    if (!address_parse(word, &address) && address_parse(slice_first(word, colon), &address))
        word = slice_first(word, colon);
    struct text line = {0};
    text_add(&line, word);
    text_add_char(&line, ' ');
    text_add(&line, rest);
    bool ok = tui_take_alias(r->settings, text_slice(&line), err);
    text_free(&line);
    return ok;
}

static bool take_line(void *context, struct slice line, struct err *err)
{
    struct reader *r = context;
    struct slice word = tui_next_word(&line);
    if (slice_equal_nocase(word, SLICE("set")))
        return take_set(r, line, err);
    if (slice_equal_nocase(word, SLICE("alias")))
        return take_alias(r, line, err);
    if (slice_equal_nocase(word, SLICE("bind")) || slice_equal_nocase(word, SLICE("unbind")))
        return take_bind(r, line, slice_equal_nocase(word, SLICE("bind")), err);
    pass_over(r, "", word);
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* The verdict, which sngrep has not, stands behind the number. */
static void put_list(struct reader *r)
{
    struct text text = {0};
    struct err err;
    bool verdict = false;
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        if (!r->list.columns[i])
            continue;
        if (!verdict && strcmp(r->list.columns[i], "number") != 0) {
            text_add(&text, text.n ? SLICE(",verdict") : SLICE("verdict"));
            verdict = true;
        }
        text_printf(&text, "%s%s", text.n ? "," : "", r->list.columns[i]);
        if (r->list.widths[i])
            text_printf(&text, "=%u", r->list.widths[i]);
    }
    tui_setting_put(r->settings, SET_COLUMNS, text_slice(&text), &err);
    text_free(&text);
}

static void put_sort(struct reader *r)
{
    const char *column = r->sort.n ? column_of(text_slice(&r->sort)) : "number";
    struct text text = {0};
    struct err err;
    if (!column)
        return;
    text_printf(&text, "%s%s", r->turned ? "-" : "", column);
    tui_setting_put(r->settings, SET_SORT, text_slice(&text), &err);
    text_free(&text);
}

bool tui_settings_read_sngrep(struct tui_settings *s, const char *path, struct err *err)
{
    struct reader r = {.settings = s, .list = usual_list()};
    bool ok = tui_each_line(s, path, take_line, &r, err);
    if (r.list.any)
        put_list(&r);
    if (r.sort.n || r.turned)
        put_sort(&r);
    if (r.without_count)
        tui_settings_remark(s, "%s: without a meaning here, and passed over (%llu): %s%s", path,
                            (unsigned long long)r.without_count, r.without.p,
                            r.without_count > 8 ? ", ..." : "");
    text_free(&r.sort);
    text_free(&r.without);
    return ok;
}

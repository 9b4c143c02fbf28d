/* What keys are called and do: keys.def as a table. */
#include "tui/internal.h"

#include <stdlib.h>
#include <string.h>

static const struct key {
    enum tui_map map;
    enum tui_action action;
    const char *keys, *bar, *does, *name; /* of the action: "SORT_NEXT" */
} keys[] = {
#define KEY(map, action, keys, bar, does) {MAP_##map, DO_##action, keys, bar, does, #action},
#include "tui/keys.def"
#undef KEY
};

/* In titles of the help, and as bind has them. */
static const char *const map_names[MAP_COUNT] = {
    "calls", "ladder", "headers",  "message", "findings",        "diff",
    "text",  "filter", "settings", "columns", "lists and texts", ""};
static const char *const map_words[MAP_COUNT] = {"calls",    "ladder",  "headers", "message",
                                                 "findings", "diff",    "text",    "filter",
                                                 "settings", "columns", "lists",   "any"};

#define KEY_COUNT (sizeof keys / sizeof *keys)

/* ---- names ----------------------------------------------------------------------------------- */

static uint32_t named_key(struct slice name)
{
    static const struct {
        const char *name;
        uint32_t key;
    } names[] = {
        {"Enter", TUI_KEY_ENTER},
        {"Esc", TUI_KEY_ESC},
        {"Space", ' '},
        {"Tab", '\t'},
        {"Up", TUI_KEY_UP},
        {"Down", TUI_KEY_DOWN},
        {"Left", TUI_KEY_LEFT},
        {"Right", TUI_KEY_RIGHT},
        {"PgUp", TUI_KEY_PAGE_UP},
        {"PgDn", TUI_KEY_PAGE_DOWN},
        {"Home", TUI_KEY_HOME},
        {"End", TUI_KEY_END},
        {"Delete", TUI_KEY_DELETE},
        {"S-Tab", TUI_KEY_BACK_TAB},
        {"Backspace", TUI_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_nocase(name, slice_of(names[i].name)))
            return names[i].key;
    return TUI_KEY_NONE;
}

uint32_t tui_key_of(struct slice name)
{
    uint32_t code = named_key(name), number;
    if (code)
        return code;
    if (name.n == 2 && name.p[0] == '^')
        return (uint32_t)name.p[1] & 0x1f;
    if (name.n == 3 && slice_starts_nocase(name, SLICE("C-")))
        return (uint32_t)name.p[2] & 0x1f;
    if (name.n > 1 && ascii_lower((unsigned char)name.p[0]) == 'f' &&
        slice_to_u32(slice_from(name, 1), &number) && number >= 1 && number <= 12)
        return TUI_KEY_F1 + number - 1;
    return name.n && utf8_decode(name, &code) == name.n ? code : TUI_KEY_NONE;
}

/* ---- what they do ---------------------------------------------------------------------------- */

static struct slice next_name(struct slice *rest)
{
    struct slice name = slice_first(*rest, slice_find(*rest, ' '));
    *rest = slice_from(*rest, name.n + 1);
    return name;
}

static bool names_key(struct slice list, uint32_t key)
{
    while (list.n)
        if (tui_key_of(next_name(&list)) == key)
            return true;
    return false;
}

enum tui_action tui_action_of(const struct tui_keys *k, enum tui_map map, uint32_t key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == map && names_key(text_slice(&k->rows[i]), key))
            return keys[i].action;
    return DO_NOTHING;
}

enum tui_action tui_action_on(const struct tui_keys *k, const struct tui_kind *kind, uint32_t key)
{
    enum tui_action a = tui_action_of(k, kind->map, key);
    if (a == DO_NOTHING && kind->scrolls)
        a = tui_action_of(k, MAP_SCROLL, key);
    return a == DO_NOTHING ? tui_action_of(k, MAP_ALL, key) : a;
}

size_t tui_bindings(const struct tui_binding **list)
{
    static const struct tui_binding bindings[] = {
#define KEY(map, action, keys, bar, does) {map_name_##map, keys, does, map_word_##map, #action},
#define map_name_CALLS                    "calls"
#define map_name_LADDER                   "ladder"
#define map_name_MATRIX                   "headers"
#define map_name_MESSAGE                  "message"
#define map_name_FINDINGS                 "findings"
#define map_name_DIFF                     "diff"
#define map_name_TEXT                     "text"
#define map_name_FILTER                   "filter"
#define map_name_SETTINGS                 "settings"
#define map_name_COLUMNS                  "columns"
#define map_name_SCROLL                   "lists and texts"
#define map_name_ALL                      ""
#define map_word_CALLS                    map_name_CALLS
#define map_word_LADDER                   map_name_LADDER
#define map_word_MATRIX                   map_name_MATRIX
#define map_word_MESSAGE                  map_name_MESSAGE
#define map_word_FINDINGS                 map_name_FINDINGS
#define map_word_DIFF                     map_name_DIFF
#define map_word_TEXT                     map_name_TEXT
#define map_word_FILTER                   map_name_FILTER
#define map_word_SETTINGS                 map_name_SETTINGS
#define map_word_COLUMNS                  map_name_COLUMNS
#define map_word_SCROLL                   "lists"
#define map_word_ALL                      "any"
#include "tui/keys.def"
#undef KEY
    };
    *list = bindings;
    return KEY_COUNT;
}

/* ---- bound by the user ----------------------------------------------------------------------- */

void tui_keys_init(struct tui_keys *k)
{
    k->rows = base_alloc(KEY_COUNT * sizeof *k->rows);
    for (size_t i = 0; i < KEY_COUNT; i++)
        text_add(&k->rows[i], slice_of(keys[i].keys));
}

void tui_keys_free(struct tui_keys *k)
{
    for (size_t i = 0; k->rows && i < KEY_COUNT; i++)
        text_free(&k->rows[i]);
    free(k->rows);
    k->rows = NULL;
}

/* "SORT_NEXT" is sort-next in the file. */
static bool is_action(struct slice word, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n && word.n == n; i++)
        if (ascii_lower((unsigned char)word.p[i]) !=
            (name[i] == '_' ? '-' : ascii_lower((unsigned char)name[i])))
            return false;
    return word.n == n;
}

/* Of one screen, or of all that have the action. */
static bool is_meant(const struct key *k, struct slice action)
{
    size_t dot = slice_find(action, '.');
    if (dot == action.n)
        return is_action(action, k->name);
    return slice_equal_nocase(slice_first(action, dot), slice_of(map_words[k->map])) &&
           is_action(slice_from(action, dot + 1), k->name);
}

static bool find_action(struct slice action, struct err *err)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (is_meant(&keys[i], action))
            return true;
    return err_set(err, "there is no action '%.*s'; sipxray-config(5) lists them",
                   SLICE_ARG(action));
}

static bool find_key(struct slice key, uint32_t *out, struct err *err)
{
    *out = tui_key_of(key);
    return *out || err_set(err, "there is no key '%.*s'", SLICE_ARG(key));
}

static void take_from(struct text *row, uint32_t key)
{
    struct text left = {0};
    for (struct slice rest = text_slice(row); rest.n;) {
        struct slice name = next_name(&rest);
        if (tui_key_of(name) == key)
            continue;
        text_add(&left, left.n ? SLICE(" ") : SLICE(""));
        text_add(&left, name);
    }
    text_free(row);
    *row = left;
}

static void put_first(struct text *row, struct slice name)
{
    struct text fresh = {0};
    text_add(&fresh, name);
    text_add(&fresh, row->n ? SLICE(" ") : SLICE(""));
    text_add(&fresh, text_slice(row));
    text_free(row);
    *row = fresh;
}

/* The key does nothing else on that screen from now on. */
static void bind_row(struct tui_settings *s, size_t row, struct slice name, uint32_t key)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].map != keys[row].map || !names_key(text_slice(&s->keys.rows[i]), key))
            continue;
        take_from(&s->keys.rows[i], key);
        if (i != row)
            tui_settings_note(s, "%.*s on the screen %s was: %s", SLICE_ARG(name),
                              map_words[keys[i].map], keys[i].does);
    }
    put_first(&s->keys.rows[row], name);
}

/* What a screen has a key for goes before what it does everywhere. */
static void tell_hidden(struct tui_settings *s, enum tui_map map, struct slice name, uint32_t key)
{
    for (size_t i = 0; i < KEY_COUNT && (map == MAP_ALL || map == MAP_SCROLL); i++)
        if (keys[i].map < map && names_key(text_slice(&s->keys.rows[i]), key))
            tui_settings_note(s, "on the screen %s %.*s goes on being: %s", map_words[keys[i].map],
                              SLICE_ARG(name), keys[i].does);
}

bool tui_keys_bind(struct tui_settings *s, struct slice action, struct slice key, struct err *err)
{
    uint32_t code;
    if (!find_action(action, err) || !find_key(key, &code, err))
        return false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!is_meant(&keys[i], action))
            continue;
        bind_row(s, i, key, code);
        tell_hidden(s, keys[i].map, key, code);
    }
    return true;
}

/* A way out is left. */
bool tui_keys_unbind(struct tui_settings *s, struct slice action, struct slice key, struct err *err)
{
    uint32_t code;
    if (!find_action(action, err) || !find_key(key, &code, err))
        return false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct text *row = &s->keys.rows[i];
        struct slice rest = text_slice(row);
        if (!is_meant(&keys[i], action))
            continue;
        if (keys[i].action == DO_BACK && tui_key_of(next_name(&rest)) == code && rest.n == 0)
            return err_set(err, "%.*s is the last key that leads back: bind another one first",
                           SLICE_ARG(key));
        take_from(row, code);
    }
    return true;
}

/* ---- shown ----------------------------------------------------------------------------------- */

static size_t bar_item(const struct tui_keys *k, struct grid *g, size_t row, size_t column,
                       size_t end, size_t i)
{
    struct slice rest = text_slice(&k->rows[i]), key = next_name(&rest);
    struct slice bar = slice_of(keys[i].bar);
    if (!bar.n || !key.n || column + grid_width(g, key) + bar.n + 1 > end)
        return column;
    column = grid_put(g, row, column, end, GRID_KEY, key);
    column = grid_put(g, row, column + 1, end, GRID_PLAIN, bar);
    return column + 2;
}

static size_t bar_items(const struct tui_keys *k, struct grid *g, size_t row, size_t column,
                        size_t end, enum tui_map map)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == map)
            column = bar_item(k, g, row, column, end, i);
    return column;
}

static struct slice help_key(const struct tui_keys *k)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == MAP_ALL && keys[i].action == DO_HELP) {
            struct slice rest = text_slice(&k->rows[i]);
            return next_name(&rest);
        }
    return SLICE_NONE;
}

#define BAR_NARROW 60u /* columns */

/* What leads out stands first.  On a narrow terminal what the screen is for does, and there is room
 * left for the key that tells all others, if need be without its word. */
void tui_draw_bar(const struct tui_keys *k, struct grid *g, size_t row, enum tui_map map)
{
    struct slice help = help_key(k);
    if (g->columns >= BAR_NARROW) {
        size_t column = bar_items(k, g, row, 0, g->columns, MAP_ALL);
        (void)bar_items(k, g, row, column, g->columns, map);
        return;
    }
    size_t column = bar_items(k, g, row, 0, g->columns - grid_width(g, help) - 2, map);
    if (bar_items(k, g, row, column, g->columns, MAP_ALL) == column)
        (void)grid_put(g, row, column, g->columns, GRID_KEY, help);
}

static void help_of(struct text *out, const struct tui_keys *k, enum tui_map map, const char *head)
{
    bool any = false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct slice names = text_slice(&k->rows[i]);
        if (keys[i].map != map || names.n == 0)
            continue;
        text_printf(out, "%s%s%s", any ? "" : "\n", any ? "" : head, any ? "" : "\n");
        any = true;
        text_add(out, SLICE("  "));
        text_add(out, names);
        text_add_fill(out, ' ', names.n < 14 ? 14 - names.n : 1);
        text_printf(out, "%s\n", keys[i].does);
    }
}

void tui_help_text(struct text *out, const struct tui_keys *k, enum tui_map map)
{
    text_add(out, SLICE("Keys of this screen; several for the same are parted by a space.\n"));
    help_of(out, k, map, map_names[map]);
    help_of(out, k, MAP_SCROLL, "lists and texts");
    help_of(out, k, MAP_ALL, "everywhere");
    text_add(out, SLICE("\nOther screens\n"));
    for (enum tui_map m = 0; m < MAP_SCROLL; m++)
        if (m != map && m != MAP_TEXT)
            help_of(out, k, m, map_names[m]);
}

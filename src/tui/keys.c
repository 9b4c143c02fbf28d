/* What keys are called and do: keys.def as a table. */
#include "tui/internal.h"

static const struct key {
    enum tui_map map;
    enum tui_action action;
    const char *keys, *bar, *does;
} keys[] = {
#define KEY(map, action, keys, bar, does) {MAP_##map, DO_##action, keys, bar, does},
#include "tui/keys.def"
#undef KEY
};

static const char *const map_names[MAP_COUNT] = {
    "calls", "ladder", "headers", "message", "findings", "diff", "text", "lists and texts", ""};

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
        {"Backspace", TUI_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i].name))
            return names[i].key;
    return TUI_KEY_NONE;
}

uint32_t tui_key_of(struct slice name)
{
    uint32_t code = named_key(name), number;
    if (code)
        return code;
    if (name.n == 3 && slice_starts(name, SLICE("C-")))
        return (uint32_t)name.p[2] & 0x1f;
    if (name.n > 1 && name.p[0] == 'F' && slice_to_u32(slice_from(name, 1), &number) &&
        number >= 1 && number <= 12)
        return TUI_KEY_F1 + number - 1;
    return name.n && utf8_decode(name, &code) == name.n ? code : TUI_KEY_NONE;
}

/* ---- what they do ---------------------------------------------------------------------------- */

static bool names_key(const char *list, uint32_t key)
{
    struct slice rest = slice_of(list);
    while (rest.n) {
        struct slice name = slice_first(rest, slice_find(rest, ' '));
        if (tui_key_of(name) == key)
            return true;
        rest = slice_from(rest, name.n + 1);
    }
    return false;
}

enum tui_action tui_action_of(enum tui_map map, uint32_t key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == map && names_key(keys[i].keys, key))
            return keys[i].action;
    return DO_NOTHING;
}

size_t tui_bindings(const struct tui_binding **list)
{
    static const struct tui_binding bindings[] = {
#define KEY(map, action, keys, bar, does) {map_name_##map, keys, does},
#define map_name_CALLS                    "calls"
#define map_name_LADDER                   "ladder"
#define map_name_MATRIX                   "headers"
#define map_name_MESSAGE                  "message"
#define map_name_FINDINGS                 "findings"
#define map_name_DIFF                     "diff"
#define map_name_TEXT                     "text"
#define map_name_SCROLL                   "lists and texts"
#define map_name_ALL                      ""
#include "tui/keys.def"
#undef KEY
    };
    *list = bindings;
    return KEY_COUNT;
}

/* ---- shown ----------------------------------------------------------------------------------- */

static struct slice first_word(const char *list)
{
    struct slice s = slice_of(list);
    return slice_first(s, slice_find(s, ' '));
}

static size_t bar_item(struct grid *g, size_t row, size_t column, const struct key *k)
{
    struct slice key = first_word(k->keys), bar = slice_of(k->bar);
    if (!bar.n || column + key.n + bar.n + 1 > g->columns)
        return column;
    column = grid_put(g, row, column, g->columns, GRID_KEY, key);
    column = grid_put(g, row, column + 1, g->columns, GRID_PLAIN, bar);
    return column + 2;
}

/* What leads out stands first, so that it is there on the narrowest terminal. */
void tui_draw_bar(struct grid *g, size_t row, enum tui_map map)
{
    size_t column = 0;
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == MAP_ALL)
            column = bar_item(g, row, column, &keys[i]);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].map == map)
            column = bar_item(g, row, column, &keys[i]);
}

static void help_of(struct text *out, enum tui_map map, const char *head)
{
    bool any = false;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].map != map)
            continue;
        text_printf(out, "%s%s%s", any ? "" : "\n", any ? "" : head, any ? "" : "\n");
        any = true;
        size_t n = slice_of(keys[i].keys).n;
        text_printf(out, "  %s%*s", keys[i].keys, n < 14 ? (int)(14 - n) : 1, "");
        text_printf(out, "%s\n", keys[i].does);
    }
}

void tui_help_text(struct text *out, enum tui_map map)
{
    text_add(out, SLICE("Keys of this screen; several for the same are parted by a space.\n"));
    help_of(out, map, map_names[map]);
    help_of(out, MAP_SCROLL, "lists and texts");
    help_of(out, MAP_ALL, "everywhere");
    text_add(out, SLICE("\nOther screens\n"));
    for (enum tui_map m = 0; m < MAP_SCROLL; m++)
        if (m != map && m != MAP_TEXT)
            help_of(out, m, map_names[m]);
}

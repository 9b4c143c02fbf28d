/* What looks are drawn with: a colour for dark and for light backgrounds by what the terminal has,
 * and marks, which say the same without any. */
#include "tui/internal.h"

#include <string.h>

/* Colours of 8, 16 and 256; -1: as text is. */
struct inks {
    int16_t few, bright, many;
};

struct look {
    const char *name;
    uint8_t marks;
    struct inks dark, light;
};

#define AS_TEXT                                                                                    \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

static const struct look theme[GRID_LOOKS] = {
    [GRID_PLAIN] = {"plain", 0, AS_TEXT, AS_TEXT},
    [GRID_DIM] = {"dim", TUI_DIM, AS_TEXT, AS_TEXT},
    [GRID_TITLE] = {"title", TUI_REVERSE, AS_TEXT, AS_TEXT},
    [GRID_HEAD] = {"head", TUI_BOLD, AS_TEXT, AS_TEXT},
    [GRID_KEY] = {"key", TUI_BOLD | TUI_UNDERLINE, AS_TEXT, AS_TEXT},
    [GRID_GOOD] = {"good", 0, {GREEN, GREEN, 114}, {GREEN, GREEN, 28}},
    [GRID_BAD] = {"bad", TUI_BOLD, {RED, RED + 8, 203}, {RED, RED, 160}},
    [GRID_WARN] = {"warn", 0, {YELLOW, YELLOW + 8, 221}, {MAGENTA, MAGENTA, 130}},
    [GRID_START] = {"start", TUI_BOLD, {CYAN, CYAN + 8, 80}, {BLUE, BLUE, 25}},
    [GRID_NAME] = {"name", 0, {CYAN, CYAN, 80}, {BLUE, BLUE, 25}},
    [GRID_CUSTOM] = {"custom", TUI_BOLD, {MAGENTA, MAGENTA + 8, 176}, {MAGENTA, MAGENTA, 127}},
    [GRID_MARK] = {"mark", TUI_REVERSE | TUI_BOLD, {YELLOW, YELLOW, 221}, {MAGENTA, MAGENTA, 130}},
    [GRID_TINT] = {"tint1", 0, {CYAN, CYAN, 80}, {BLUE, BLUE, 25}},
    [GRID_TINT + 1] = {"tint2", 0, {YELLOW, YELLOW, 221}, {RED, RED, 130}},
    [GRID_TINT + 2] = {"tint3", 0, {MAGENTA, MAGENTA, 176}, {MAGENTA, MAGENTA, 127}},
    [GRID_TINT + 3] = {"tint4", 0, {GREEN, GREEN, 114}, {GREEN, GREEN, 28}},
    [GRID_TINT + 4] = {"tint5", 0, {RED, RED, 209}, {CYAN, CYAN, 30}},
    [GRID_TINT + 5] = {"tint6", 0, {BLUE, BLUE + 8, 111}, {BLACK, BLACK + 8, 240}},
};

const char *tui_look_name(size_t look)
{
    return look < GRID_LOOKS ? theme[look].name : NULL;
}

static int16_t ink_of(const struct inks *i, unsigned colours)
{
    return colours < 8 ? -1 : colours < 16 ? i->few : colours < 256 ? i->bright : i->many;
}

static unsigned colours_of(const struct tui_settings *s, unsigned colours)
{
    static const unsigned most[] = {UINT16_MAX, 8, 16, 256};
    unsigned n = s->values[SET_THEME] == THEME_PLAIN ? 0 : most[s->values[SET_COLORS]];
    return n < colours ? n : colours;
}

struct tui_paint tui_paint_of(const struct tui_settings *s, unsigned look, unsigned colours,
                              bool light)
{
    const struct look *l = &theme[look];
    colours = colours_of(s, colours);
    if (s->values[SET_THEME] == THEME_DARK || s->values[SET_THEME] == THEME_LIGHT)
        light = s->values[SET_THEME] == THEME_LIGHT;
    if (s->painted[look] && s->paints[look].ink < (int)colours)
        return s->paints[look];
    return (struct tui_paint){ink_of(light ? &l->light : &l->dark, colours), l->marks};
}

/* ---- colours of one's own -------------------------------------------------------------------- */

static bool read_ink(struct slice word, int16_t *out)
{
    static const char *const names[] = {"black", "red",     "green", "yellow",
                                        "blue",  "magenta", "cyan",  "white"};
    uint32_t n;
    bool bright = slice_starts_nocase(word, SLICE("bright-"));
    if (slice_to_u32(word, &n) && n < 256) {
        *out = (int16_t)n;
        return true;
    }
    if (slice_equal_nocase(word, SLICE("default"))) {
        *out = -1;
        return true;
    }
    word = slice_from(word, bright ? 7 : 0);
    for (int16_t i = 0; i < 8; i++)
        if (slice_equal_nocase(word, slice_of(names[i]))) {
            *out = (int16_t)(i + (bright ? 8 : 0));
            return true;
        }
    return false;
}

static uint8_t mark_by_name(struct slice word)
{
    static const char *const names[] = {"bold", "dim", "underline", "reverse"};
    for (unsigned i = 0; i < 4; i++)
        if (slice_equal_nocase(word, slice_of(names[i])))
            return (uint8_t)(1u << i);
    return 0;
}

bool tui_paint_put(struct tui_settings *s, struct slice look, struct slice words, struct err *err)
{
    struct tui_paint p = {.ink = -1};
    size_t at = 0;
    while (at < GRID_LOOKS && !slice_equal_nocase(look, slice_of(theme[at].name)))
        at++;
    if (at == GRID_LOOKS)
        return err_set(err, "color LOOK COLOR: there is no look '%.*s'", SLICE_ARG(look));
    if (words.n == 0)
        return err_set(err, "color %s COLOR: the colour is missing", theme[at].name);
    while (words.n) {
        struct slice word = tui_next_word(&words);
        uint8_t mark = mark_by_name(word);
        p.marks |= mark;
        if (!mark && !read_ink(word, &p.ink))
            return err_set(err,
                           "color %s: '%.*s' is none of black, red, green, yellow, blue, magenta, "
                           "cyan, white, these with bright- before them, default, 0 to 255, bold, "
                           "dim, underline, reverse",
                           theme[at].name, SLICE_ARG(word));
    }
    s->paints[at] = p;
    s->painted[at] = true;
    s->changes++;
    return true;
}

/* What a person has set: values of settings.def, names of addresses, keys, colours.  Read from
 * files, changed on the screens, and written back.  Included by tui.h. */
#ifndef TUI_SETTINGS_H
#define TUI_SETTINGS_H

#include "base/base.h"

enum tui_set {
#define SETTING(id, kind, name, usual, values, what) SET_##id,
#include "tui/settings.def"
#undef SETTING
    SET_COUNT
};

enum tui_set_kind { SET_SWITCH, SET_CHOICE, SET_NUMBER, SET_TEXT };

/* The values of choices, in the order of settings.def. */
enum tui_theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_PLAIN };
enum tui_mouse { MOUSE_AUTO, MOUSE_ON, MOUSE_OFF };
enum tui_times { TIMES_DAY, TIMES_SINCE, TIMES_STEP, TIMES_HOP, TIMES_COUNT };
enum tui_tint { TINT_KIND, TINT_CALL_ID, TINT_CSEQ, TINT_COUNT };

struct tui_setting {
    const char *name, *usual, *values, *what;
    enum tui_set_kind kind;
};

/* A colour: -1 that of text, 0 to 255 as terminals count them. */
struct tui_paint {
    int16_t ink;
    uint8_t marks; /* TUI_BOLD ... */
};
enum { TUI_BOLD = 1, TUI_DIM = 2, TUI_UNDERLINE = 4, TUI_REVERSE = 8 };
#define TUI_LOOKS_MAX 32u

struct tui_alias {
    struct address address;
    struct slice name;
};

#define TUI_ALIASES_MAX 4096u
#define TUI_REMARKS_MAX 50u /* more are counted */

/* Which keys do what: a list of names, parted by spaces, for each row of keys.def. */
struct tui_keys {
    struct text *rows;
};

struct tui_settings {
    uint32_t values[SET_COUNT];   /* of a choice its place, of a switch 0 or 1 */
    struct text texts[SET_COUNT]; /* of SET_TEXT */
    bool changed[SET_COUNT];      /* on the screens; to be written by tui_settings_save */
    uint32_t changes;             /* grows with each change of a value or colour */
    struct tui_paint paints[TUI_LOOKS_MAX];
    bool painted[TUI_LOOKS_MAX]; /* by the user; else the theme's */
    VEC(struct tui_alias) aliases;
    struct tui_keys keys;
    struct text remarks;               /* lines that say what was wrong in the files */
    uint64_t remark_count, note_count; /* notes: of them, those that are told on request only */
    const char *file;                  /* that is being read; NULL: none */
    unsigned line;
    struct text path; /* of the file to save to; empty: nowhere */
    struct arena arena;
};

void tui_settings_init(struct tui_settings *s); /* with the usual values */
void tui_settings_free(struct tui_settings *s);
/* A line that cannot be taken becomes a remark with file and line; the rest is taken.  False: the
 * file is there and cannot be read.  One that is not there is none, and holds nothing. */
bool tui_settings_read(struct tui_settings *s, const char *path, struct err *err);
/* The same for a file of sngrep's; what has no meaning here is told in one remark. */
bool tui_settings_read_sngrep(struct tui_settings *s, const char *path, struct err *err);
/* Writes what was changed into the file at s->path, whole or not at all, and leaves the other lines
 * of it as they are. */
bool tui_settings_save(struct tui_settings *s, struct err *err);

const struct tui_setting *tui_setting_of(enum tui_set id);
/* Takes a value as it stands in the file. */
bool tui_setting_put(struct tui_settings *s, enum tui_set id, struct slice value, struct err *err);
void tui_setting_set(struct tui_settings *s, enum tui_set id,
                     uint32_t value); /* marked as changed */
void tui_setting_add(struct text *out, const struct tui_settings *s, enum tui_set id);
/* With the place in the file that is being read before it.  A note says what is so on purpose. */
void tui_settings_note(struct tui_settings *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tui_settings_remark(struct tui_settings *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name of an address; empty: none, or they are not to be shown. */
struct slice tui_alias_of(const struct tui_settings *s, const struct address *a);

/* "calls.save", "save" for all screens that have it, "any.quit". */
bool tui_keys_bind(struct tui_settings *s, struct slice action, struct slice key, struct err *err);
bool tui_keys_unbind(struct tui_settings *s, struct slice action, struct slice key,
                     struct err *err);

/* theme.c: what a look is drawn with, by so many colours of the terminal (0: none). */
struct tui_paint tui_paint_of(const struct tui_settings *s, unsigned look, unsigned colours,
                              bool light);
bool tui_paint_put(struct tui_settings *s, struct slice look, struct slice words, struct err *err);
const char *tui_look_name(size_t look); /* NULL: no further one */

#endif

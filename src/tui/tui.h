/* tui: the screens.  What they draw goes into a grid of cells, which knows of meanings and not of
 * colours; terminal.c alone puts it on a terminal.  Keys come in as numbers, and keys.def says what
 * they do where. */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "base/base.h"
#include "check/check.h"
#include "trace/trace.h"
#include "tui/settings.h"
#include "view/view.h"

#include <signal.h>

/* ---- the grid -------------------------------------------------------------------------------- */

/* What a cell is, which a theme gives a colour. */
enum grid_look {
    GRID_PLAIN,
    GRID_DIM,
    GRID_TITLE,
    GRID_HEAD, /* of columns */
    GRID_KEY,
    GRID_GOOD,
    GRID_BAD,
    GRID_WARN,
    GRID_START, /* start line of a message */
    GRID_NAME,  /* of a header */
    GRID_CUSTOM,
    GRID_MARK, /* the bytes that were asked for */
    GRID_TINT, /* and on: to tell Call-IDs or CSeqs apart */
    GRID_LOOKS = GRID_TINT + 6
};
#define GRID_SELECTED 0x80u /* added to a look: the cursor is on it */

#define GRID_CELL_BYTES 15u /* a character and what combines with it; more is left out */

struct grid_cell {
    char text[GRID_CELL_BYTES + 1]; /* UTF-8; empty: a blank, or the second half of a wide one */
    uint8_t look;
    bool second; /* half of a wide character */
};

struct grid {
    size_t rows, columns;
    bool ascii; /* other characters are shown as \xNN */
    struct grid_cell *cells;
    bool cursor; /* shown, at: */
    size_t cursor_row, cursor_column;
};

void grid_size(struct grid *g, size_t rows, size_t columns); /* and clears it */
void grid_free(struct grid *g);
struct grid_cell *grid_at(const struct grid *g, size_t row, size_t column);
/* Foreign bytes made safe, from `column` to before `end`, the first `skip` columns of them left out
 * on the left.  Returns the column after it. */
size_t grid_put(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                struct slice bytes);
size_t grid_put_from(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                     struct slice bytes, size_t skip);
/* The same, cut with "..." where it does not fit. */
size_t grid_fit(struct grid *g, size_t row, size_t column, size_t end, unsigned look,
                struct slice bytes);
void grid_fill(struct grid *g, size_t row, size_t column, size_t end, unsigned look);
/* The cells as they are get this look, or are selected. */
void grid_select(struct grid *g, size_t row, size_t column, size_t end);

/* ---- keys ------------------------------------------------------------------------------------ */

/* A key is the character that it types, or one of these. */
enum tui_key {
    TUI_KEY_NONE = 0,
    TUI_KEY_ENTER = 13,
    TUI_KEY_ESC = 27,
    TUI_KEY_BACKSPACE = 127,
    TUI_KEY_UP = 0x110000,
    TUI_KEY_DOWN,
    TUI_KEY_LEFT,
    TUI_KEY_RIGHT,
    TUI_KEY_PAGE_UP,
    TUI_KEY_PAGE_DOWN,
    TUI_KEY_HOME,
    TUI_KEY_END,
    TUI_KEY_DELETE,
    TUI_KEY_BACK_TAB,
    TUI_KEY_F1, /* and on to F12 */
    TUI_KEY_F12 = TUI_KEY_F1 + 11,
};

uint32_t tui_key_of(struct slice name); /* "Enter", "F1", "C-f", "x"; TUI_KEY_NONE: no such key */

/* A row of keys.def, as help and the manual have it. */
struct tui_binding {
    const char *where; /* "calls"; "" everywhere */
    const char *keys;  /* parted by spaces */
    const char *does;
    const char *screen, *action; /* as bind has them: "calls", "SORT_NEXT"; "any" everywhere */
};
size_t tui_bindings(const struct tui_binding **list);

/* ---- the program ----------------------------------------------------------------------------- */

struct tui_options {
    const struct check_options *check;
    struct tui_settings *settings; /* may be changed; NULL: the usual ones, kept nowhere */
    bool ascii;                    /* the terminal has no more */
    const char *filter;            /* an expression to begin with, which is right; NULL: none */
    bool show_secrets;
    bool colour;
    const char *version;
};

struct tui;

/* Names of columns one after the other, and what they say; NULL: no further one. */
const char *tui_column_builtin(size_t i, const char **what);
/* Is this list, as SET_COLUMNS has it, one of columns? */
bool tui_columns_check(struct slice list, struct err *err);
/* Over a trace whose browsing has begun, and of which nothing was read; both are borrowed. */
struct tui *tui_new(struct trace *trace, const struct tui_options *options);
void tui_free(struct tui *t);
void tui_draw(struct tui *t, struct grid *g);
void tui_key(struct tui *t, uint32_t key);
/* A click on a cell; twice: as Enter. */
void tui_click(struct tui *t, size_t row, size_t column, bool twice);
bool tui_is_over(const struct tui *t); /* the user left */
/* Loads and judges on for about so long; what can be done at once is done. */
enum tui_state {
    TUI_BUSY,  /* there is more to do */
    TUI_LIVE,  /* live sources may have more later */
    TUI_READY, /* only keys change anything */
};
enum tui_state tui_work(struct tui *t, unsigned milliseconds);
const struct tui_settings *tui_settings_now(const struct tui *t);
struct slice tui_clipboard(const struct tui *t); /* to be copied out; empty: nothing */
void tui_clipboard_done(struct tui *t);
/* Says that the terminal `term` (NULL: none is named) is not known, and was taken for `as`. */
void tui_warn(struct tui *t, const char *term, const char *as);
int64_t tui_now_ms(void); /* of a clock that nobody sets */

/* terminal.c: runs it on the terminal until the user leaves or *stop is not 0. */
bool tui_run(struct tui *t, const struct tui_options *options, const volatile sig_atomic_t *stop,
             struct err *err);

#endif

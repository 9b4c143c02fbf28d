/* The terminal, by ncurses: the only file that knows of it. */
#include "tui/tui.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#undef columns /* which term.h makes of plain words */
#undef lines

#define WORK_MS   30   /* of loading between two looks at the keys */
#define REDRAW_MS 100  /* while loading */
#define LIVE_MS   100  /* until a live source is asked again */
#define QUIET_MS  1000 /* a signal that came just before the wait is seen after so long */
#define COPY_MOST 65536u

struct terminal {
    SCREEN *screen;
    FILE *keys;
    bool colour, light;
    bool heeded; /* the settings were, when they had been changed so often: */
    uint32_t changes;
    attr_t attributes[GRID_LOOKS];
    short pairs[GRID_LOOKS];
};

/* ---- looks ----------------------------------------------------------------------------------- */

/* What rxvt and others say of their background: "15;0". */
static bool is_light(void)
{
    const char *said = getenv("COLORFGBG"), *last = said ? strrchr(said, ';') : NULL;
    return last && (strcmp(last + 1, "7") == 0 || strcmp(last + 1, "15") == 0);
}

static attr_t attributes_of(uint8_t marks)
{
    return (marks & TUI_BOLD ? A_BOLD : 0) | (marks & TUI_DIM ? A_DIM : 0) |
           (marks & TUI_UNDERLINE ? A_UNDERLINE : 0) | (marks & TUI_REVERSE ? A_REVERSE : 0);
}

/* Each look has a mark beside its colour, for terminals without any. */
static void choose_looks(struct terminal *t, const struct tui_settings *s)
{
    unsigned colours = t->colour && COLORS > 0 ? (unsigned)COLORS : 0;
    for (unsigned i = 0; i < GRID_LOOKS; i++) {
        struct tui_paint paint = tui_paint_of(s, i, colours, t->light);
        short pair = (short)(i + 1);
        t->attributes[i] = attributes_of(paint.marks);
        t->pairs[i] = 0;
        if (t->colour && paint.ink >= 0 && init_pair(pair, paint.ink, -1) == OK)
            t->pairs[i] = pair;
    }
}

/* GNU screen that reports the mouse keeps an Esc until the next key comes. */
static bool takes_mouse(const struct tui_settings *s)
{
    const char *in_screen = getenv("STY");
    return s->values[SET_MOUSE] == MOUSE_ON ||
           (s->values[SET_MOUSE] == MOUSE_AUTO && !(in_screen && *in_screen));
}

/* The settings, at the start and whenever one was changed. */
static void heed_settings(struct terminal *t, const struct tui *tui)
{
    const struct tui_settings *s = tui_settings_now(tui);
    const mmask_t mouse =
        BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED;
    if (t->heeded && t->changes == s->changes)
        return;
    choose_looks(t, s);
    mousemask(takes_mouse(s) ? mouse : 0, NULL);
    set_escdelay((int)s->values[SET_ESC]);
    if (t->heeded)
        (void)clearok(stdscr, TRUE);
    t->changes = s->changes;
    t->heeded = true;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void put_cell(const struct terminal *t, const struct grid *g, int row, int column)
{
    const struct grid_cell *c = grid_at(g, (size_t)row, (size_t)column);
    wchar_t wide[CCHARW_MAX + 1] = L" ";
    const char *from = c->text;
    mbstate_t state = {0};
    cchar_t cell;
    if (c->second)
        return;
    if (c->text[0]) {
        size_t n = mbsrtowcs(wide, &from, CCHARW_MAX, &state);
        wide[n == (size_t)-1 ? 0 : n] = L'\0';
        if (n == (size_t)-1 || n == 0 || wcwidth(wide[0]) < 0)
            wcscpy(wide, L"?");
    }
    unsigned look = c->look & ~GRID_SELECTED;
    attr_t attributes = t->attributes[look];
    if (c->look & GRID_SELECTED)
        attributes = (attributes | A_REVERSE | A_BOLD) & ~(attr_t)A_DIM;
    if (setcchar(&cell, wide, attributes, t->pairs[look], NULL) == OK)
        (void)mvadd_wch(row, column, &cell);
}

static void show(const struct terminal *t, struct tui *tui, struct grid *g)
{
    int rows, columns;
    getmaxyx(stdscr, rows, columns);
    g->rows = rows > 0 ? (size_t)rows : 1;
    g->columns = columns > 0 ? (size_t)columns : 1;
    size_t r = g->rows, c = g->columns;
    g->rows = 0; /* the size may be another than that of the cells */
    grid_size(g, r, c);
    tui_draw(tui, g);
    erase();
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            put_cell(t, g, row, column);
    (void)curs_set(g->cursor ? 1 : 0);
    (void)move(g->cursor ? (int)g->cursor_row : rows - 1, g->cursor ? (int)g->cursor_column : 0);
    refresh();
}

/* ---- keys ------------------------------------------------------------------------------------ */

static uint32_t key_of(wint_t code)
{
    static const struct {
        wint_t code;
        uint32_t key;
    } keys[] = {
        {KEY_UP, TUI_KEY_UP},         {KEY_DOWN, TUI_KEY_DOWN},
        {KEY_LEFT, TUI_KEY_LEFT},     {KEY_RIGHT, TUI_KEY_RIGHT},
        {KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN},
        {KEY_HOME, TUI_KEY_HOME},     {KEY_END, TUI_KEY_END},
        {KEY_DC, TUI_KEY_DELETE},     {KEY_BACKSPACE, TUI_KEY_BACKSPACE},
        {KEY_ENTER, TUI_KEY_ENTER},   {KEY_A1, TUI_KEY_HOME},
        {KEY_A3, TUI_KEY_PAGE_UP},    {KEY_C1, TUI_KEY_END},
        {KEY_C3, TUI_KEY_PAGE_DOWN},  {KEY_BTAB, TUI_KEY_BACK_TAB},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].code == code)
            return keys[i].key;
    return code >= KEY_F(1) && code <= KEY_F(12) ? TUI_KEY_F1 + (code - KEY_F(1)) : TUI_KEY_NONE;
}

static void take_mouse(struct tui *tui)
{
    MEVENT e;
    if (getmouse(&e) != OK)
        return;
    if (e.bstate & BUTTON4_PRESSED)
        tui_key(tui, TUI_KEY_UP);
    else if (e.bstate & BUTTON5_PRESSED)
        tui_key(tui, TUI_KEY_DOWN);
    else if (e.bstate & (BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON1_PRESSED))
        tui_click(tui, (size_t)e.y, (size_t)e.x, e.bstate & BUTTON1_DOUBLE_CLICKED);
}

static void take_key(struct tui *tui, int kind, wint_t code)
{
    if (kind == KEY_CODE_YES && code == KEY_MOUSE)
        take_mouse(tui);
    else if (kind == KEY_CODE_YES)
        tui_key(tui, key_of(code));
    else
        tui_key(tui, code == '\n' ? TUI_KEY_ENTER : (uint32_t)code);
}

/* All keys that are there.  Whether there was any, a new size included. */
static bool take_keys(struct tui *tui)
{
    wint_t code;
    bool any = false;
    for (int kind; !tui_is_over(tui) && (kind = get_wch(&code)) != ERR; any = true) {
        if (kind != KEY_CODE_YES && code == ('l' & 0x1f))
            (void)clearok(stdscr, TRUE);
        if (kind != KEY_CODE_YES || code != KEY_RESIZE)
            take_key(tui, kind, code);
    }
    return any;
}

/* False: the terminal is gone. */
static bool wait_for_key(const struct terminal *t, int milliseconds)
{
    struct pollfd fd = {fileno(t->keys), POLLIN, 0};
    int n = poll(&fd, 1, milliseconds);
    return n <= 0 || (fd.revents & POLLIN) || !(fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* ---- copying out ----------------------------------------------------------------------------- */

static void add_base64(struct text *out, struct slice s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            text_add_char(out, i + k > s.n ? '=' : digits[word >> (18 - 6 * k) & 63]);
    }
}

/* OSC 52, which most terminals take and tmux hands on where it is told to. */
static void copy_out(struct tui *tui)
{
    struct slice s = slice_first(tui_clipboard(tui), COPY_MOST);
    struct text out = {0};
    if (s.n == 0)
        return;
    text_add(&out, SLICE("\033]52;c;"));
    add_base64(&out, s);
    text_add_char(&out, '\a');
    for (size_t at = 0; at < out.n;) {
        ssize_t n = write(STDOUT_FILENO, out.p + at, out.n - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    text_free(&out);
    tui_clipboard_done(tui);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void loop(struct terminal *t, struct tui *tui, const volatile sig_atomic_t *stop)
{
    struct grid g = {0};
    int64_t shown = 0;
    bool changed = true;
    while (!tui_is_over(tui) && !*stop) {
        enum tui_state state = tui_work(tui, WORK_MS);
        int64_t now = tui_now_ms();
        if (changed || state != TUI_BUSY || now - shown >= REDRAW_MS) {
            heed_settings(t, tui);
            show(t, tui, &g);
            copy_out(tui);
            shown = now;
        }
        int wait = state == TUI_BUSY ? 0 : state == TUI_LIVE ? LIVE_MS : QUIET_MS;
        if (!wait_for_key(t, wait))
            break;
        changed = take_keys(tui);
    }
    grid_free(&g);
}

/* newterm leaves memory behind where it fails. */
static bool is_known(const char *term)
{
    int found;
    if (setupterm(term, STDOUT_FILENO, &found) != OK)
        return false;
    del_curterm(cur_term);
    return true;
}

/* A terminal that is not known here is most probably like one that is. */
static SCREEN *open_screen(struct tui *tui, FILE *keys)
{
    const char *term = getenv("TERM");
    const char *const others[] = {"xterm", "vt100", "ansi"};
    bool known = term && *term && strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0;
    SCREEN *screen = known && is_known(term) ? newterm(term, stdout, keys) : NULL;
    for (size_t i = known ? 0 : 1; !screen && i < sizeof others / sizeof *others; i++) {
        screen = is_known(others[i]) ? newterm(others[i], stdout, keys) : NULL;
        if (screen)
            tui_warn(tui, term && *term ? term : NULL, others[i]);
    }
    return screen;
}

bool tui_run(struct tui *tui, const struct tui_options *options, const volatile sig_atomic_t *stop,
             struct err *err)
{
    struct terminal t = {.keys = stdin};
    if (!isatty(STDIN_FILENO) && !(t.keys = fopen("/dev/tty", "re")))
        return err_set(err, "no terminal to read keys from: /dev/tty: %s", strerror(errno));
    t.screen = open_screen(tui, t.keys);
    if (!t.screen) {
        if (t.keys != stdin)
            fclose(t.keys);
        return err_set(err, "the terminal %s is not known, nor is any like it", getenv("TERM"));
    }
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    t.light = is_light();
    t.colour = options->colour && has_colors() && start_color() == OK && use_default_colors() == OK;
    loop(&t, tui, stop);
    move(LINES - 1, 0); /* where no other screen comes back, the shell goes on here */
    clrtoeol();
    refresh();
    endwin();
    delscreen(t.screen);
    if (t.keys != stdin)
        fclose(t.keys);
    return true;
}

/* Drives the screens without a terminal: reads a case, works its keys, prints the grid.
 *
 *     in FOLDER                  under captures/
 *     with [--trunk FILE] [--values FILE] [--keylog FILE] [--tls-key FILE] [--ascii] [--memory KB]
 *          [--config FILE] [--sngreprc FILE] SOURCE...
 *     size ROWS COLUMNS
 *     keys KEY...                as keys.def names them; "text" is typed
 *     ahead KEY...               the same, without a look at the screen in between
 *     size ROWS COLUMNS          once more: the terminal is another size from now on
 *
 * With "svg" it prints a picture.  Below the text stand the looks: a letter for each cell, capitals
 * where the cursor is. */
#include "tui/tui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCES_MAX 64u

struct run {
    struct expect_trunks trunks;
    struct expect_values values;
    struct check_options owed;
    struct trace *trace;
    struct tui *tui;
    struct grid grid;
    struct arena strings;
    size_t rows, columns;
    bool ascii;
    struct tui_settings settings;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

static struct slice next_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    struct slice word = slice_first(*rest, slice_find(*rest, ' '));
    if (rest->n && rest->p[0] == '"')
        word = slice_first(*rest, slice_find(slice_from(*rest, 1), '"') + 2);
    *rest = slice_from(*rest, word.n);
    return word;
}

static const char *string_of(struct run *r, struct slice s)
{
    return arena_copy(&r->strings, s).p;
}

/* ---- the case -------------------------------------------------------------------------------- */

static void read_settings(struct run *r, struct slice word, const char *path)
{
    struct err err;
    bool ok = slice_is(word, "--config") ? tui_settings_read(&r->settings, path, &err)
                                         : tui_settings_read_sngrep(&r->settings, path, &err);
    if (!ok)
        fail("settings", err.text);
}

static void read_owed(struct run *r, struct slice word, const char *path)
{
    struct err err;
    bool ok = slice_is(word, "--trunk") ? expect_trunks_read(&r->trunks, path, &err)
                                        : expect_values_read(&r->values, path, &err);
    if (!ok)
        fail("owed", err.text);
    if (slice_is(word, "--values"))
        r->owed.values = &r->values;
}

static void open_trace(struct run *r, struct slice words)
{
    struct err err;
    struct trace_options options = {.check = &r->owed, .media = true};
    const char *sources[SOURCES_MAX], *keylog = NULL, *tls_key = NULL;
    size_t n = 0;
    r->owed.trunks = &r->trunks;
    while (slice_trim(words).n) {
        struct slice word = next_word(&words);
        if (slice_is(word, "--ascii"))
            r->ascii = true;
        else if (slice_is(word, "--memory"))
            options.memory = strtoull(string_of(r, next_word(&words)), NULL, 10) << 10;
        else if (slice_is(word, "--config") || slice_is(word, "--sngreprc"))
            read_settings(r, word, string_of(r, next_word(&words)));
        else if (slice_is(word, "--keylog"))
            keylog = string_of(r, next_word(&words));
        else if (slice_is(word, "--tls-key"))
            tls_key = string_of(r, next_word(&words));
        else if (slice_starts(word, SLICE("--")))
            read_owed(r, word, string_of(r, next_word(&words)));
        else if (n < SOURCES_MAX)
            sources[n++] = string_of(r, word);
        else
            fail("with", "too many sources");
    }
    r->trace = trace_new(&options);
    if ((keylog && !trace_add_keylog(r->trace, keylog, &err)) ||
        (tls_key && !trace_add_tls_key(r->trace, tls_key, &err)))
        fail("keys", err.text);
    for (size_t i = 0; i < n; i++)
        if (!trace_add(r->trace, sources[i], &err))
            fail("source", err.text);
    if (!trace_browse(r->trace, &err))
        fail("browse", err.text);
    const struct tui_options screens = {
        .check = &r->owed, .ascii = r->ascii, .version = "-", .settings = &r->settings};
    r->tui = tui_new(r->trace, &screens);
}

static void draw(struct run *r)
{
    grid_size(&r->grid, r->rows, r->columns);
    while (tui_work(r->tui, 1000) == TUI_BUSY)
        continue;
    tui_draw(r->tui, &r->grid);
}

static void press(struct run *r, struct slice word, bool look)
{
    uint32_t key = tui_key_of(word);
    if (word.n > 1 && word.p[0] == '"') {
        for (size_t i = 1; i < word.n && word.p[i] != '"'; i++)
            tui_key(r->tui, (unsigned char)word.p[i]);
    } else if (key != TUI_KEY_NONE) {
        tui_key(r->tui, key);
    } else {
        fail("no such key", string_of(r, word));
    }
    if (look)
        draw(r);
}

static void obey(struct run *r, struct slice line)
{
    struct slice word = next_word(&line);
    if (slice_is(word, "in")) {
        if (chdir(string_of(r, next_word(&line))) != 0)
            fail("in", "no such folder");
    } else if (slice_is(word, "with")) {
        open_trace(r, line);
    } else if (slice_is(word, "size")) {
        r->rows = (size_t)atoi(string_of(r, next_word(&line)));
        r->columns = (size_t)atoi(string_of(r, next_word(&line)));
        draw(r);
    } else if (slice_is(word, "keys") || slice_is(word, "ahead")) {
        bool look = slice_is(word, "keys");
        while (slice_trim(line).n)
            press(r, next_word(&line), look);
        draw(r);
    } else if (word.n && word.p[0] != '#') {
        fail("what is this", string_of(r, word));
    }
}

/* ---- a picture ------------------------------------------------------------------------------- */

#define CELL_WIDTH  8u
#define CELL_HEIGHT 17u

#define PAPER    "#1c1c1c"
#define TEXT     "#d4d4d4"
#define SELECTED "#3a4a6a"
#define COLOURS  256u

/* What a cell is drawn with, in the colours of the dark theme. */
struct brush {
    char ink[8];
    const char *paper; /* NULL: the picture's */
    uint8_t marks;
};

/* As terminals count their colours beyond the first 16. */
static void print_ink(char out[8], int ink)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    int n = ink - 16, grey = 8 + 10 * (ink - 232);
    int red = ink < 232 ? steps[n / 36] : grey, green = ink < 232 ? steps[n / 6 % 6] : grey;
    snprintf(out, 8, "#%02x%02x%02x", (unsigned)red, (unsigned)green,
             (unsigned)(ink < 232 ? steps[n % 6] : grey));
}

static struct brush brush_of(const struct tui_settings *s, unsigned look)
{
    struct tui_paint paint = tui_paint_of(s, look & ~GRID_SELECTED, COLOURS, false);
    struct brush b = {.ink = TEXT, .marks = paint.marks};
    if (paint.ink >= 16)
        print_ink(b.ink, paint.ink);
    if (look & GRID_SELECTED)
        b.paper = SELECTED;
    else if (paint.marks & TUI_REVERSE)
        b.paper = paint.ink >= 16 ? "#ffd75f" : TEXT;
    if (b.paper && !(look & GRID_SELECTED))
        strcpy(b.ink, PAPER);
    else if (paint.marks & TUI_DIM)
        strcpy(b.ink, "#8a8a8a");
    return b;
}

/* A word each, for spaces are folded in XML. */
static void print_word(const struct grid *g, const struct brush *b, size_t row, size_t x,
                       size_t end)
{
    struct text words = {0}, safe = {0};
    for (size_t i = x; i < end; i++)
        text_add(&words, slice_of(grid_at(g, row, i)->text));
    text_add_xml(&safe, text_slice(&words));
    printf("<text x=\"%zu\" y=\"%zu\" textLength=\"%zu\" fill=\"%s\"%s%s>%s</text>\n",
           x * CELL_WIDTH, row * CELL_HEIGHT + 13, (end - x) * CELL_WIDTH, b->ink,
           b->marks & TUI_BOLD ? " font-weight=\"bold\"" : "",
           b->marks & TUI_UNDERLINE ? " text-decoration=\"underline\"" : "", safe.p);
    text_free(&words);
    text_free(&safe);
}

static bool is_blank(const struct grid_cell *c)
{
    return !c->second && (c->text[0] == '\0' || c->text[0] == ' ');
}

/* Cells of one look, from x to before end. */
static void print_run(const struct grid *g, const struct tui_settings *s, size_t row, size_t x,
                      size_t end)
{
    struct brush b = brush_of(s, grid_at(g, row, x)->look);
    if (b.paper)
        printf("<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%u\" fill=\"%s\"/>\n",
               x * CELL_WIDTH, row * CELL_HEIGHT, (end - x) * CELL_WIDTH, CELL_HEIGHT, b.paper);
    for (size_t i = x, k; i < end; i = k) {
        for (k = i; k < end && !is_blank(grid_at(g, row, k));)
            k++;
        if (k > i)
            print_word(g, &b, row, i, k);
        else
            k++;
    }
}

static void print_svg(const struct grid *g, const struct tui_settings *s)
{
    size_t width = g->columns * CELL_WIDTH, height = g->rows * CELL_HEIGHT;
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-8 -8 %zu %zu\" width=\"%zu\" "
           "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\" "
           "xml:space=\"preserve\">\n",
           width + 16, height + 16, width + 16);
    printf("<rect x=\"-8\" y=\"-8\" width=\"%zu\" height=\"%zu\" rx=\"6\" fill=\"" PAPER "\"/>\n",
           width + 16, height + 16);
    for (size_t row = 0; row < g->rows; row++)
        for (size_t x = 0, end; x < g->columns; x = end) {
            for (end = x + 1;
                 end < g->columns && grid_at(g, row, end)->look == grid_at(g, row, x)->look;)
                end++;
            print_run(g, s, row, x, end);
        }
    puts("</svg>");
}

/* ---- the grid -------------------------------------------------------------------------------- */

static void print_line(struct text *line)
{
    while (line->n && line->p[line->n - 1] == ' ')
        line->n--;
    text_add_char(line, '\n');
    fwrite(line->p, 1, line->n, stdout);
    text_clear(line);
}

static void print_grid(const struct grid *g)
{
    static const char looks[GRID_LOOKS + 1] = " dthkgbwsnxmijopqu";
    struct text line = {0};
    for (size_t row = 0; row < g->rows; row++) {
        for (size_t x = 0; x < g->columns; x++) {
            const struct grid_cell *c = grid_at(g, row, x);
            if (!c->second)
                text_add(&line, c->text[0] ? slice_of(c->text) : SLICE(" "));
        }
        print_line(&line);
    }
    printf("%.*s\n", (int)g->columns,
           "----------------------------------------------------------------------------------");
    for (size_t row = 0; row < g->rows; row++) {
        for (size_t x = 0; x < g->columns; x++) {
            unsigned look = grid_at(g, row, x)->look;
            char letter = looks[look & ~GRID_SELECTED];
            if (look & GRID_SELECTED)
                letter = letter == ' ' ? '_' : (char)(letter - 'a' + 'A');
            text_add_char(&line, letter);
        }
        print_line(&line);
    }
    text_free(&line);
}

int main(int argc, char **argv)
{
    struct run r = {.rows = 24, .columns = 80};
    char line[4096];
    bool svg = argc == 3 && strcmp(argv[2], "svg") == 0;
    FILE *f = argc == 2 || svg ? fopen(argv[1], "r") : NULL;
    if (!f)
        fail("usage", "screen KEYS-FILE [svg]");
    if (chdir("captures") != 0)
        fail("captures", "no such folder");
    tui_settings_init(&r.settings);
    while (fgets(line, sizeof line, f))
        obey(&r, slice_trim(slice_of(line)));
    fclose(f);
    if (tui_is_over(r.tui))
        puts("the user left");
    else if (svg)
        print_svg(&r.grid, &r.settings);
    else
        print_grid(&r.grid);
    tui_free(r.tui);
    tui_settings_free(&r.settings);
    trace_free(r.trace);
    expect_trunks_free(&r.trunks);
    expect_values_free(&r.values);
    grid_free(&r.grid);
    arena_free(&r.strings);
    return 0;
}

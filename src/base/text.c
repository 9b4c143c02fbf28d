/* Growing strings, UTF-8, and what makes foreign bytes safe for a terminal, JSON and CSV. */
#include "base/text.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the buffer ----------------------------------------------------------------------------- */

static void text_grow(struct text *t, size_t n)
{
    if (n >= SIZE_MAX / 2 - t->n)
        base_oom();
    size_t wanted = t->n + n + 1, cap = t->cap ? t->cap * 2 : 64;
    t->cap = cap < wanted ? wanted : cap;
    t->p = base_realloc(t->p, t->cap);
}

/* Makes room for n more bytes and the final NUL. */
static inline void text_reserve(struct text *t, size_t n)
{
    if (t->cap - t->n <= n)
        text_grow(t, n);
}

void text_add(struct text *t, struct slice bytes)
{
    text_reserve(t, bytes.n);
    if (bytes.n)
        memcpy(t->p + t->n, bytes.p, bytes.n);
    t->n += bytes.n;
    t->p[t->n] = '\0';
}

void text_add_char(struct text *t, char c)
{
    text_reserve(t, 1);
    t->p[t->n++] = c;
    t->p[t->n] = '\0';
}

void text_add_fill(struct text *t, char c, size_t n)
{
    text_reserve(t, n);
    memset(t->p + t->n, c, n);
    t->n += n;
    t->p[t->n] = '\0';
}

void text_add_number(struct text *t, uint64_t value, size_t digits)
{
    char all[20];
    size_t n = 0;
    do
        all[sizeof all - ++n] = (char)('0' + value % 10);
    while (value /= 10);
    if (n < digits)
        text_add_fill(t, '0', digits - n);
    text_add(t, (struct slice){all + sizeof all - n, n});
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0) {
        text_reserve(t, (size_t)n);
        vsnprintf(t->p + t->n, (size_t)n + 1, format, again);
        t->n += (size_t)n;
    }
    va_end(again);
}

struct slice text_slice(const struct text *t)
{
    return (struct slice){t->p, t->n};
}

void text_clear(struct text *t)
{
    t->n = 0;
    if (t->p)
        t->p[0] = '\0';
}

struct slice text_keep(struct text *t, struct arena *a)
{
    struct slice kept = arena_copy(a, text_slice(t));
    text_free(t);
    return kept;
}

void text_free(struct text *t)
{
    free(t->p);
    *t = (struct text){0};
}

/* ---- UTF-8 and what a character is on a screen ----------------------------------------------- */

struct range {
    uint32_t first, last;
};

static const struct range hidden_ranges[] = {
#define HIDDEN(first, last) {first, last},
#include "base/width.def"
};

static const struct range zero_ranges[] = {
#define ZERO(first, last) {first, last},
#include "base/width.def"
};

static const struct range wide_ranges[] = {
#define WIDE(first, last) {first, last},
#include "base/width.def"
};

static int compare_range(const void *key, const void *item)
{
    uint32_t code = *(const uint32_t *)key;
    const struct range *r = item;
    return code < r->first ? -1 : code > r->last;
}

#define IN_RANGES(code, table)                                                                     \
    (bsearch(&(code), (table), sizeof(table) / sizeof *(table), sizeof *(table), compare_range) != \
     NULL)

/* The Unicode standard's table 3-7 (well-formed byte sequences): the shortest form only, no
 * surrogates, nothing above U+10FFFF. */
size_t utf8_decode(struct slice s, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s.n == 0)
        return 0;
    unsigned char lead = (unsigned char)s.p[0];
    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n > s.n)
        return 0;
    uint32_t c = lead & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        if ((byte & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (byte & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return n;
}

/* One unit of the text as a terminal gets it: a character that is shown as it is, `^X`, or its
 * bytes as \xNN. */
enum unit_form { UNIT_PLAIN, UNIT_CARET, UNIT_HEX };

struct unit {
    size_t n; /* bytes of the input, at least 1 */
    size_t width;
    enum unit_form form;
    uint32_t code; /* unless the bytes are no UTF-8 */
    bool bad;      /* no UTF-8 */
};

/* C0 and DEL are told apart from C1 and the hidden ones, whose bytes are shown. */
static bool is_hidden(uint32_t code)
{
    return (code >= 0x80 && code < 0xa0) || (code >= 0xad && IN_RANGES(code, hidden_ranges));
}

static size_t code_width(uint32_t code)
{
    if (code < 0x300)
        return 1;
    return IN_RANGES(code, zero_ranges) ? 0 : IN_RANGES(code, wide_ranges) ? 2 : 1;
}

/* s is not empty */
static struct unit unit_of(struct slice s)
{
    struct unit u = {.form = UNIT_PLAIN};
    u.n = utf8_decode(s, &u.code);
    if (u.n == 0) {
        u.n = 1;
        u.bad = true;
        u.form = UNIT_HEX;
    } else if (u.code < 0x20 || u.code == 0x7f) {
        u.form = UNIT_CARET;
    } else if (is_hidden(u.code)) {
        u.form = UNIT_HEX;
    }
    u.width = u.form == UNIT_HEX ? 4 * u.n : u.form == UNIT_CARET ? 2 : code_width(u.code);
    return u;
}

static inline uint64_t any_byte(uint64_t w, char c)
{
    const uint64_t ones = 0x0101010101010101u;
    w ^= ones * (unsigned char)c;
    return (w - ones) & ~w & ones * 0x80;
}

/* Most text is printable ASCII: how much of it stands in front; in a JSON string, which holds as it
 * is neither quote nor backslash.  Eight bytes a step. */
static inline size_t run_of(struct slice s, bool json)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones * 0x80;
    size_t n = 0;
    for (uint64_t w; n + 8 <= s.n; n += 8) {
        memcpy(&w, s.p + n, 8);
        uint64_t low = w & ~tops; /* no sum here carries from one byte into the next */
        uint64_t odd = (w | (low + ones) | ~(low + ones * 0x60)) & tops;
        if (odd || (json && (any_byte(w, '"') | any_byte(w, '\\'))))
            break;
    }
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f &&
           !(json && (s.p[n] == '"' || s.p[n] == '\\')))
        n++;
    return n;
}

static size_t plain_run(struct slice s)
{
    return run_of(s, false);
}

size_t text_width(struct slice s)
{
    size_t width = plain_run(s);
    s = slice_from(s, width);
    while (s.n) {
        struct unit u = unit_of(s);
        width += u.width;
        s = slice_from(s, u.n);
    }
    return width;
}

/* ---- terminal ------------------------------------------------------------------------------- */

static void add_unit(struct text *t, struct slice s, const struct unit *u)
{
    if (u->form == UNIT_PLAIN) {
        text_add(t, slice_first(s, u->n));
    } else if (u->form == UNIT_CARET) {
        text_add_char(t, '^');
        text_add_char(t, (char)(u->code ^ 0x40));
    } else {
        for (size_t i = 0; i < u->n; i++)
            text_printf(t, "\\x%02x", (unsigned char)s.p[i]);
    }
}

void text_add_terminal(struct text *t, struct slice bytes)
{
    size_t plain = plain_run(bytes);
    text_add(t, slice_first(bytes, plain));
    bytes = slice_from(bytes, plain);
    while (bytes.n) {
        struct unit u = unit_of(bytes);
        add_unit(t, bytes, &u);
        bytes = slice_from(bytes, u.n);
    }
}

/* A unit that does not fit ends the text: what is shown is always a prefix of it. */
void text_add_fitted(struct text *t, struct slice bytes, size_t columns)
{
    if (bytes.n <= columns && plain_run(bytes) == bytes.n) {
        text_add(t, bytes);
        return;
    }
    if (text_width(bytes) <= columns) {
        text_add_terminal(t, bytes);
        return;
    }
    size_t dots = columns < 3 ? columns : 3;
    size_t left = columns - dots;
    while (bytes.n) {
        struct unit u = unit_of(bytes);
        if (u.width > left)
            break;
        left -= u.width;
        add_unit(t, bytes, &u);
        bytes = slice_from(bytes, u.n);
    }
    text_add(t, slice_first(SLICE("..."), dots));
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void add_json_escape(struct text *t, uint32_t code)
{
    static const char letters[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (code < sizeof letters && letters[code])
        text_printf(t, "\\%c", letters[code]);
    else if (code < 0x10000)
        text_printf(t, "\\u%04x", (unsigned)code);
    else
        text_printf(t, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                    (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
}

/* What a terminal would not get as it is goes out as \uNNNN: nothing is lost, and JSON that is
 * looked at on a screen does no harm there. */
void text_add_json(struct text *t, struct slice bytes)
{
    text_add_char(t, '"');
    while (bytes.n) {
        size_t plain = run_of(bytes, true);
        text_add(t, slice_first(bytes, plain));
        bytes = slice_from(bytes, plain);
        if (bytes.n == 0)
            break;
        struct unit u = unit_of(bytes);
        if (u.bad)
            text_add(t, SLICE("\xef\xbf\xbd"));
        else if (u.form != UNIT_PLAIN)
            add_json_escape(t, u.code);
        else if (u.code == '"' || u.code == '\\')
            text_printf(t, "\\%c", (char)u.code);
        else
            text_add(t, slice_first(bytes, u.n));
        bytes = slice_from(bytes, u.n);
    }
    text_add_char(t, '"');
}

/* ---- CSV ------------------------------------------------------------------------------------ */

/* +15105550100, -3.5, +1 (510) 555-0100: what may follow a leading + or - without being a formula
 * that calls anything. */
static bool is_number_or_phone(struct slice s)
{
    bool digit = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9')
            digit = true;
        else if (!strchr(" -().", s.p[i]) || s.p[i] == '\0')
            return false;
    }
    return digit;
}

static bool is_formula(struct slice s)
{
    if (s.n == 0)
        return false;
    if (s.p[0] == '+' || s.p[0] == '-')
        return !is_number_or_phone(slice_from(s, 1));
    return s.p[0] == '=' || s.p[0] == '@' || s.p[0] == '\t' || s.p[0] == '\r';
}

static bool csv_needs_quotes(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ',' || s.p[i] == '"' || (unsigned char)s.p[i] < 0x20)
            return true;
    return s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
}

/* What a quoted field may hold; the rest of what moves a terminal goes out as it would there: lists
 * are looked at on screens, too. */
static bool is_white_control(const struct unit *u)
{
    return !u->bad && (u->code == '\t' || u->code == '\n' || u->code == '\r');
}

void text_add_csv(struct text *t, struct slice bytes)
{
    bool quotes = csv_needs_quotes(bytes);
    if (quotes)
        text_add_char(t, '"');
    if (is_formula(bytes))
        text_add_char(t, '\'');
    while (bytes.n) {
        struct unit u = unit_of(bytes);
        if (u.code == '"')
            text_add_char(t, '"');
        if (is_white_control(&u))
            text_add_char(t, bytes.p[0]);
        else
            add_unit(t, bytes, &u);
        bytes = slice_from(bytes, u.n);
    }
    if (quotes)
        text_add_char(t, '"');
    else
        text_add(t, SLICE("")); /* an empty field leaves the text terminated too */
}

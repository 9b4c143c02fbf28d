/* Times, cells, colours and line breaks of all reports. */
#include "report/internal.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

void report_json_endpoint(struct json_writer *w, const char *key, const struct endpoint *e)
{
    json_add_key(w, key);
    if (e->ip.family)
        json_add_cstring(w, endpoint_format(e).s);
    else
        json_add_null(w);
}

/* ---- times ----------------------------------------------------------------------------------- */

/* Splits into seconds and the nanoseconds after them; captures can hold times before 1970. */
static struct tm split_time(bool local, int64_t ns, int64_t *fraction)
{
    struct tm tm;
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    *fraction = ns % NS_PER_SECOND;
    if (*fraction < 0) {
        *fraction += NS_PER_SECOND;
        seconds--;
    }
    if (local)
        localtime_r(&seconds, &tm);
    else
        gmtime_r(&seconds, &tm);
    return tm;
}

/* "Z", or the offset from UTC as RFC 3339 has it */
static struct report_time zone_of(bool local, const struct tm *tm)
{
    struct report_time t = {"Z"};
    long minutes = tm->tm_gmtoff / 60, all = minutes < 0 ? -minutes : minutes;
    if (local)
        snprintf(t.s, sizeof t.s, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', all / 60, all % 60);
    return t;
}

struct report_time report_time_iso(bool local, int64_t ns)
{
    struct report_time t;
    int64_t fraction;
    struct tm tm = split_time(local, ns, &fraction);
    size_t n = strftime(t.s, sizeof t.s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (fraction % 1000)
        snprintf(t.s + n, sizeof t.s - n, ".%09d%s", (int)fraction, zone_of(local, &tm).s);
    else
        snprintf(t.s + n, sizeof t.s - n, ".%06d%s", (int)(fraction / 1000), zone_of(local, &tm).s);
    return t;
}

struct report_time report_time_day(bool local, int64_t ns)
{
    struct report_time t;
    int64_t fraction;
    struct tm tm = split_time(local, ns, &fraction);
    strftime(t.s, sizeof t.s, "%Y-%m-%d", &tm);
    return t;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The same moment on a clock that shows UTC. */
static int64_t shifted(bool local, int64_t ns)
{
    int64_t fraction;
    return local ? ns + split_time(true, ns, &fraction).tm_gmtoff * NS_PER_SECOND : ns;
}

void report_add_clock(struct text *out, bool local, int64_t ns, bool milliseconds)
{
    ns = shifted(local, ns);
    int64_t seconds = floor_divide(ns, NS_PER_SECOND);
    uint64_t of_day = (uint64_t)(seconds - floor_divide(seconds, 86400) * 86400);
    text_add_number(out, of_day / 3600, 2);
    text_add_char(out, ':');
    text_add_number(out, of_day / 60 % 60, 2);
    text_add_char(out, ':');
    text_add_number(out, of_day % 60, 2);
    if (!milliseconds)
        return;
    text_add_char(out, '.');
    text_add_number(out, (uint64_t)(ns - seconds * NS_PER_SECOND) / 1000000, 3);
}

void report_add_day(struct text *out, bool local, int64_t *day, int64_t ns)
{
    int64_t now = floor_divide(shifted(local, ns), 86400 * NS_PER_SECOND) + 1;
    if (*day == now)
        return;
    *day = now;
    text_printf(out, "%s (%s)\n", report_time_day(local, ns).s, report_zone_name(local));
}

const char *report_zone_name(bool local)
{
    return local ? "local time" : "UTC";
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* ECMA-48, select graphic rendition */
static const char *const colour_codes[] = {
    [REPORT_PLAIN] = "",    [REPORT_RED] = "31", [REPORT_GREEN] = "32",
    [REPORT_YELLOW] = "33", [REPORT_DIM] = "2",  [REPORT_BOLD] = "1",
};

void report_colour_on(struct text *out, const struct report_style *style, enum report_colour c)
{
    if (style->colour && c != REPORT_PLAIN)
        text_printf(out, "\033[%sm", colour_codes[c]);
}

void report_colour_off(struct text *out, const struct report_style *style, enum report_colour c)
{
    if (style->colour && c != REPORT_PLAIN)
        text_add(out, SLICE("\033[0m"));
}

void report_add_coloured(struct text *out, const struct report_style *style, enum report_colour c,
                         struct slice text)
{
    report_colour_on(out, style, c);
    text_add_terminal(out, text);
    report_colour_off(out, style, c);
}

void report_add_spaces(struct text *out, size_t n)
{
    text_add_fill(out, ' ', n);
}

void report_add_markdown_rule(struct text *out, size_t columns)
{
    text_add_char(out, '|');
    for (size_t i = 0; i < columns; i++)
        text_add(out, SLICE("---|"));
    text_add_char(out, '\n');
}

void report_add_right(struct text *out, uint64_t value, size_t width)
{
    size_t digits = 1;
    for (uint64_t v = value; v >= 10; v /= 10)
        digits++;
    report_add_spaces(out, digits < width ? width - digits : 0);
    text_add_number(out, value, 1);
}

void report_pad(struct text *out, size_t from, size_t width)
{
    size_t used = text_width((struct slice){out->p + from, out->n - from});
    if (used < width)
        report_add_spaces(out, width - used);
}

void report_add_cell(struct text *out, struct slice text, size_t width)
{
    size_t from = out->n;
    text_add_fitted(out, text, width);
    report_pad(out, from, width);
}

void report_trim_line(struct text *out, size_t from)
{
    while (out->n > from && out->p[out->n - 1] == ' ')
        out->p[--out->n] = '\0';
}

size_t report_width(const struct report_style *style)
{
    return style->width < REPORT_WIDTH_MIN ? REPORT_WIDTH_MIN : style->width;
}

/* ---- line breaks ----------------------------------------------------------------------------- */

size_t report_add_wrapped(struct text *out, size_t column, size_t indent, size_t width,
                          struct slice text)
{
    bool first = true;
    while (text.n) {
        size_t n = slice_find(text, ' ');
        struct slice word = slice_first(text, n);
        text = slice_from(text, n + 1);
        if (word.n == 0)
            continue;
        size_t wide = text_width(word);
        if (column > indent && column + !first + wide > width) {
            text_add_char(out, '\n');
            report_add_spaces(out, indent);
            column = indent;
        } else if (!first) {
            text_add_char(out, ' ');
            column++;
        }
        text_add_terminal(out, word);
        column += wide;
        first = false;
    }
    return column;
}

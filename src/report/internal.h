/* What the reports share: times, cells, colours and masking. */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include "report/report.h"

/* ---- times, in UTC --------------------------------------------------------------------------- */

struct report_time {
    char s[48];
};

/* "2026-11-21T19:40:01.123456Z"; nine digits where there is a part finer than a microsecond */
struct report_time report_time_iso(int64_t ns);
struct report_time report_time_day(int64_t ns); /* "2026-11-21" */
/* "19:40:01.123", or without the milliseconds */
void report_add_clock(struct text *out, int64_t ns, bool milliseconds);
/* Adds a line with the date where it is not the one of the line before. */
void report_add_day(struct text *out, int64_t *day, int64_t ns);

/* ---- cells ----------------------------------------------------------------------------------- */

enum report_colour {
    REPORT_PLAIN,
    REPORT_RED,
    REPORT_GREEN,
    REPORT_YELLOW,
    REPORT_DIM,
    REPORT_BOLD
};

void report_colour_on(struct text *out, const struct report_style *style, enum report_colour c);
void report_colour_off(struct text *out, const struct report_style *style, enum report_colour c);
void report_add_coloured(struct text *out, const struct report_style *style, enum report_colour c,
                         struct slice text);
void report_add_spaces(struct text *out, size_t n);
/* The text fitted into exactly `width` columns: cut with "..." or padded on the right. */
/* Fills up with spaces what was added since `from`. */
void report_pad(struct text *out, size_t from, size_t width);
void report_add_cell(struct text *out, struct slice text, size_t width);
/* Texts one behind the other; unlike printf it keeps NUL bytes. */
struct slice report_join(struct arena *a, const struct slice *parts, size_t n);
#define REPORT_JOIN(arena, ...)                                                                    \
    report_join((arena), (const struct slice[]){__VA_ARGS__},                                      \
                sizeof(const struct slice[]){__VA_ARGS__} / sizeof(struct slice))
/* "10.0.1.1:5060", null where a log does not tell */
void report_json_endpoint(struct json_writer *w, const char *key, const struct endpoint *e);
/* Without spaces at the end of what was added since `from`. */
void report_trim_line(struct text *out, size_t from);
size_t report_width(const struct report_style *style);

/* ---- the parts of check as text -------------------------------------------------------------- */

/* A line of words, broken at the terminal's width; further lines are indented by two more. */
void report_add_line(struct text *out, const struct report_style *style, size_t indent,
                     struct slice words);
/* "FAIL  words", broken likewise; labels have four letters. */
void report_add_labelled(struct text *out, const struct report_style *style,
                         enum report_colour colour, const char *label, struct slice words);
struct slice report_request_name(struct arena *a,
                                 const struct check_request *r); /* "BYE", "200 to INVITE" */
void report_add_header_table(struct text *out, const struct report_style *style,
                             const struct check_request *r);
/* Absent from its start on and not owed: it may be set there, and need not. */
bool report_is_not_set(const struct check_header *h);
/* FAIL, WARN and note for the headers of a message, PASS where all that is owed is there. */
void report_add_judgements(struct text *out, const struct report_style *style, struct arena *a,
                           const struct check_call *c, const struct check_request *r);
/* The findings that are about no header of a message, or that no header's verdict tells. */
void report_add_other_findings(struct text *out, const struct report_style *style, struct arena *a,
                               const struct check_call *c);

/* ---- the parts of flow --------------------------------------------------------------------------
 */

/* What stands on an arrow, in so many columns: "INVITE", " SDP x3", "-2 X-". */
struct report_caption {
    struct slice label, notes, marks;
};
struct report_caption report_caption_of(struct arena *a, const struct view_row *row, size_t room);
void report_add_ladder(struct text *out, const struct report_style *style,
                       const struct view_ladder *l);
struct slice report_leg_name(struct arena *a, uint32_t leg); /* "A" ... "Z", then "*" */
/* As text_add_terminal and text_add_fitted, in ASCII where the style asks for it. */
void report_add_safe(struct text *out, const struct report_style *style, struct slice text);
void report_add_fitted(struct text *out, const struct report_style *style, struct slice text,
                       size_t columns);

/* ---- secrets --------------------------------------------------------------------------------- */

/* The value, or what may be shown of it: "Digest ***" of credentials, "***" of keys. */
struct slice report_masked(struct arena *a, const struct report_style *style, struct slice name,
                           struct slice value);

#endif

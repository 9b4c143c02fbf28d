/* Text that goes out: growing buffers and the escaping of each kind of output, each in one place.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"

/* A growing, always NUL-terminated string (once something was added). */
struct text {
    char *p;
    size_t n, cap;
};

void text_add(struct text *t, struct slice bytes);
void text_add_char(struct text *t, char c);
void text_add_fill(struct text *t, char c, size_t n); /* n times the same */
/* In decimal, with leading zeros up to so many digits. */
void text_add_number(struct text *t, uint64_t value, size_t digits);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct slice text_slice(const struct text *t);
void text_clear(struct text *t);
void text_free(struct text *t);
struct slice text_keep(struct text *t, struct arena *a); /* copied to the arena, and freed */

/* For a terminal: control bytes (C0, DEL, C1) become ^X or \xNN, bad UTF-8 becomes \xNN, and so do
 * characters that reorder or hide text (bidirectional controls, zero width). */
void text_add_terminal(struct text *t, struct slice bytes);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD each. */
void text_add_json(struct text *t, struct slice bytes);
/* A CSV field (RFC 4180), quoted where needed; a leading = + - @ TAB or CR (which spreadsheets run
 * as a formula) gets a quote in front, but for + or - before a number or telephone number.  Other
 * control bytes, what hides or reorders text, and what is no UTF-8 stand as on a terminal. */
void text_add_csv(struct text *t, struct slice bytes);

/* The escaping of the formats below first makes the bytes what text_add_terminal shows, so that no
 * output of them has a control byte, bad UTF-8, or what hides or reorders text; line ends too are
 * shown (^J).  Then what has a meaning in the format loses it. */

/* XML and HTML, in text and in a quoted attribute; U+FFFE and U+FFFF, which XML 1.0 forbids, become
 * \xNN. */
void text_add_xml(struct text *t, struct slice bytes);
/* Markdown as GitHub and GitLab render it, in a paragraph, list item or table cell: no byte of it
 * begins a construct, raw HTML, a link, an autolink, a mention or a reference. */
void text_add_markdown(struct text *t, struct slice bytes);
/* A workflow command of GitHub Actions: its message, and the value of one of its properties. */
void text_add_workflow(struct text *t, struct slice bytes);
void text_add_workflow_property(struct text *t, struct slice bytes);
/* A line in the log of a workflow, which no runner takes for a command. */
void text_add_workflow_log(struct text *t, struct slice bytes);
/* The value of a label in Prometheus' text format. */
void text_add_prometheus(struct text *t, struct slice bytes);
/* A description in TAP 14, where # begins a directive. */
void text_add_tap(struct text *t, struct slice bytes);
/* A double-quoted scalar of YAML with its quotes. */
void text_add_yaml(struct text *t, struct slice bytes);

/* Length of the valid UTF-8 sequence at the start of s (1 to 4), or 0; *code is its code point. */
size_t utf8_decode(struct slice s, uint32_t *code);
/* Columns that text_add_terminal's output of s takes on a terminal. */
size_t text_width(struct slice s);
/* The text cut to at most `columns`, ending in "..." where something was left out. */
void text_add_fitted(struct text *t, struct slice bytes, size_t columns);

#endif

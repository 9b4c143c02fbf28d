/* Private to tui/: lines, words, messages and values on the grid. */
#ifndef TUI_DRAW_H
#define TUI_DRAW_H

#include "tui/tui.h"

/* Where a screen may draw: from the row after the title to before the status line. */
struct tui_area {
    size_t top, bottom;
};

size_t grid_width(const struct grid *g, struct slice bytes);

struct tui_piece {
    struct slice text;
    uint8_t look;
};
/* A line of pieces as the row `row` of a text of which `top` is seen first.  Returns the rows that
 * it takes: several where it is wrapped; else its first `pan` columns are left out. */
size_t tui_put_line(struct grid *g, struct tui_area area, size_t top, size_t row,
                    const struct tui_piece *pieces, size_t n, bool wrap, size_t pan);

/* Words for a row of so many columns; a longer one is cut. */
struct slice tui_take_row(const struct grid *g, struct slice *rest, size_t columns);
/* A line of our own as tui_put_line has it, wrapped between words.  marked: a part of it, or empty.
 */
size_t tui_put_words(struct grid *g, struct tui_area area, size_t top, size_t row,
                     struct slice line, unsigned look, struct slice marked);

/* The values of a header at a step, without secrets. */
void tui_add_values(const struct tui *t, struct text *out, const struct check_header *h,
                    size_t step);
/* As they were before somebody altered them; false: none were seen. */
bool tui_add_value_before(const struct tui *t, struct text *out, const struct check_header *h,
                          size_t step);
/* As a whole, which a cell need not hold, and what they were. */
void tui_draw_value(const struct tui *t, struct grid *g, struct tui_area area,
                    const struct check_header *h, size_t step);

/* A message, and where it is looked at. */
struct tui_page {
    const struct sip_message *message;
    struct slice header;         /* its bytes are marked; empty: none */
    size_t found_from, found_to; /* bytes that are marked as well */
    size_t top, pan;
    bool wrap, hex;
    bool asked_path;  /* what is typed is a path, not a text to search for */
    size_t found_row; /* out: where the first mark is; SIZE_MAX: there is none */
};
/* Returns its rows. */
size_t tui_draw_page(const struct tui *t, struct grid *g, struct tui_area area, struct tui_page *p);
void tui_draw_message(const struct tui *t, struct grid *g, struct tui_area area,
                      const struct sip_message *m);
/* Its bytes, without secrets. */
void tui_add_message(const struct tui *t, struct text *out, const struct sip_message *m);

#endif

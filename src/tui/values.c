/* What a header says at a hop, and what of it differs from the hop before. */
#include "tui/internal.h"

void tui_add_values(const struct tui *t, struct text *out, const struct check_header *h,
                    size_t step)
{
    const struct expect_list *values = &h->values[step];
    bool secret =
        !t->options.show_secrets && (sip_is_secret(h->name) || sip_is_credentials(h->name));
    for (size_t i = 0; i < values->n; i++) {
        text_add(out, i ? SLICE(" | ") : SLICE(""));
        text_add(out, secret ? SLICE("***") : values->items[i]);
    }
    if (values->n && text_slice(out).n == 0)
        text_add(out, SLICE("\"\""));
}

bool tui_add_value_before(const struct tui *t, struct text *out, const struct check_header *h,
                          size_t step)
{
    while (step-- > 0)
        if (h->states[step] == CHECK_STATE_PRESENT && h->values[step].n) {
            tui_add_values(t, out, h, step);
            return true;
        }
    return false;
}

#define BEFORE_MOST 24u /* bytes that are equal are shown before what differs, where it is far */

/* "~>X-A: value" over so many rows, with what differs marked. */
static void put_side(struct grid *g, struct tui_area area, const char *sign, struct slice value,
                     size_t before, size_t after)
{
    size_t width = g->columns * (area.bottom - area.top), skip = 0;
    if (before > width / 2 && value.n > width)
        skip = before - BEFORE_MOST;
    while (skip < before && ((unsigned char)value.p[skip] & 0xc0) == 0x80)
        skip++;
    struct slice middle = {value.p + before, value.n - before - after};
    const struct tui_piece pieces[] = {
        {slice_of(sign), GRID_HEAD},
        {skip ? SLICE("...") : SLICE(""), GRID_DIM},
        {slice_from(slice_first(value, before), skip), GRID_PLAIN},
        {middle, GRID_MARK},
        {slice_from(value, value.n - after), GRID_PLAIN},
    };
    (void)tui_put_line(g, area, 0, 0, pieces, sizeof pieces / sizeof *pieces, true, 0);
}

static void put_difference(struct grid *g, struct tui_area area, struct slice was, struct slice is)
{
    size_t before, after, half = (area.bottom - area.top) / 2;
    view_inner(was, is, &before, &after);
    if (half)
        put_side(g, (struct tui_area){area.top, area.top + half}, "~<", was, before, after);
    put_side(g, (struct tui_area){area.top + half, area.bottom}, "~>", is, before, after);
}

/* "X-A: value", "no X-A here" */
static void put_value(struct grid *g, struct tui_area area, struct slice name, struct slice value,
                      bool none, bool cut)
{
    const struct tui_piece pieces[] = {
        {cut    ? SLICE("cut off: ")
         : none ? SLICE("no ")
                : SLICE(""),
         GRID_DIM},
        {name, GRID_NAME},
        {none || cut ? SLICE("") : SLICE(": "), GRID_NAME},
        {none ? SLICE(" here") : value, GRID_PLAIN},
    };
    (void)tui_put_line(g, area, 0, 0, pieces, sizeof pieces / sizeof *pieces, true, 0);
}

void tui_draw_value(const struct tui *t, struct grid *g, struct tui_area area,
                    const struct check_header *h, size_t step)
{
    bool empty = h->values[step].n == 0, cut = empty && h->states[step] == CHECK_STATE_CUT;
    struct text was = {0}, is = {0};
    if (area.top >= area.bottom)
        return;
    tui_add_values(t, &is, h, step);
    if (h->states[step] == CHECK_STATE_ALTERED && tui_add_value_before(t, &was, h, step))
        put_difference(g, area, text_slice(&was), text_slice(&is));
    else
        put_value(g, area, h->name, text_slice(&is), empty && !cut, cut);
    text_free(&was);
    text_free(&is);
}

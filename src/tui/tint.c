/* What a ladder's rows are told apart by, and addresses by their names. */
#include "tui/internal.h"

#define TINTS (GRID_LOOKS - GRID_TINT)

static uint32_t number_of(const struct tui *t, const struct view_row *row)
{
    if (tui_set(t, SET_TINT) == TINT_CSEQ)
        return view_row_first(row)->index->cseq;
    return row->leg == VIEW_NONE ? 0 : row->leg;
}

static unsigned look_by_kind(const struct view_row *row)
{
    uint16_t status = row->journey->status;
    return status >= 300 ? GRID_WARN : status ? GRID_GOOD : GRID_START;
}

unsigned tui_row_look(const struct tui *t, const struct view_row *row, size_t harm)
{
    if (harm)
        return GRID_BAD;
    if (tui_set(t, SET_TINT) == TINT_KIND)
        return look_by_kind(row);
    return GRID_TINT + number_of(t, row) % TINTS;
}

/* "A " for the first Call-ID, "2 " for a CSeq. */
void tui_add_tint(const struct tui *t, struct text *label, const struct view_row *row)
{
    uint32_t n = number_of(t, row);
    if (tui_set(t, SET_TINT) == TINT_CSEQ)
        text_printf(label, "%u ", n);
    else if (tui_set(t, SET_TINT) == TINT_CALL_ID && row->leg != VIEW_NONE && n < 26)
        text_printf(label, "%c ", (char)('A' + n));
}

void tui_next_tint(struct tui *t)
{
    static const char *const words[] = {"messages are coloured by their kind",
                                        "each Call-ID has a colour and a letter",
                                        "each CSeq has a colour, and its number is shown"};
    uint32_t next = (tui_set(t, SET_TINT) + 1) % TINT_COUNT;
    tui_set_to(t, SET_TINT, next);
    tui_say(t, "%s", words[next]);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* What --node or a point names keeps its name. */
struct slice tui_column_name(const struct tui *t, const struct view_column *c)
{
    struct slice name = tui_alias_of(t->settings, &c->address);
    struct address_text plain = address_format(&c->address);
    return name.n && slice_is(c->name, plain.s) ? name : c->name;
}

void tui_add_endpoint(const struct tui *t, struct text *out, const struct endpoint *e)
{
    struct slice name = tui_alias_of(t->settings, &e->ip);
    if (!name.n) {
        text_printf(out, "%s", endpoint_format(e).s);
        return;
    }
    text_add(out, name);
    text_printf(out, ":%u", e->port);
}

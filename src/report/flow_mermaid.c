/* The ladder of a call as a Mermaid sequence diagram, for Markdown that renders it. */
#include "report/internal.h"

/* What may stand in a line of text as it is.  All else goes out as an entity (#35;): a number sign,
 * semicolon or line end would end the text, a percent sign and brace can begin a directive, and
 * mark-up would be taken for such. */
static bool is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' ||
           c == '.' || c == '-' || c == '+' || c == '/' || c == '@' || c == ',' || c == '_' ||
           c == '(' || c == ')' || c == '=' || c >= 0x80;
}

static void add_words(struct text *out, struct slice words)
{
    struct text t = {0};
    text_add_terminal(&t, words);
    for (size_t i = 0; i < t.n; i++)
        if (is_plain((unsigned char)t.p[i]))
            text_add_char(out, t.p[i]);
        else
            text_printf(out, "#%u;", (unsigned char)t.p[i]);
    text_free(&t);
}

/* A text that is empty or white would not be one. */
static struct slice shown(struct slice words)
{
    return slice_trim(words).n ? words : SLICE("?");
}

static void add_participants(struct text *out, const struct view_ladder *l)
{
    for (size_t i = 0; i < l->column_count; i++) {
        text_printf(out, "    participant c%zu as ", i + 1);
        add_words(out, shown(l->columns[i].name));
        text_add_char(out, '\n');
    }
}

static void add_title(struct text *out, const struct view_ladder *l)
{
    text_add(out, SLICE("    title Call "));
    add_words(out, l->call_ids[0]);
    if (l->caller.n || l->callee.n) {
        text_add(out, SLICE(" from "));
        add_words(out, shown(l->caller));
        text_add(out, SLICE(" to "));
        add_words(out, shown(l->callee));
    }
    text_add_char(out, '\n');
}

/* The headers that changed before the arrow or on it, over the element or the two ends of it. */
static void add_note(struct text *out, struct arena *a, const struct view_row *row, bool on_wire)
{
    struct slice changes = report_change_words(a, row, on_wire, false);
    if (changes.n == 0)
        return;
    text_printf(out, "    Note over c%u",
                (on_wire || row->lead == VIEW_NONE ? row->from : row->lead) + 1);
    if (on_wire)
        text_printf(out, ",c%u", row->to + 1);
    else if (row->lead != VIEW_NONE)
        text_printf(out, ",c%u", row->from + 1);
    text_add(out, SLICE(": "));
    add_words(out, changes);
    text_add_char(out, '\n');
}

static void add_row(struct text *out, struct arena *a, const struct view_row *row)
{
    const char *arrow = row->ends_here ? "-x" : row->journey->status ? "-->>" : "->>";
    if (row->lead != VIEW_NONE)
        text_printf(out, "    c%u--)c%u: (not captured)\n", row->lead + 1, row->from + 1);
    add_note(out, a, row, false);
    text_printf(out, "    c%u%sc%u: ", row->from + 1, arrow, row->to + 1);
    add_words(out, shown(row->label));
    if (row->sdp)
        text_add(out, SLICE(" SDP"));
    if (row->transmissions > 1)
        text_printf(out, " x%u", row->transmissions);
    struct slice marks = view_row_marks(a, row);
    text_add(out, marks.n ? SLICE(" ") : SLICE(""));
    add_words(out, marks);
    text_add_char(out, '\n');
    add_note(out, a, row, true);
}

void report_flow_mermaid(struct text *out, const struct view_ladder *l)
{
    struct arena a = {0};
    text_add(out, SLICE("sequenceDiagram\n"));
    add_title(out, l);
    add_participants(out, l);
    for (size_t i = 0; i < l->row_count; i++) {
        add_row(out, &a, &l->rows[i]);
        arena_reset(&a);
    }
    arena_free(&a);
}

/* What a row says of the headers that changed, and where they did. */
#include "view/internal.h"

static size_t count(const struct view_row *row, enum view_change_kind kind,
                    enum view_header_class class)
{
    size_t n = 0;
    for (size_t i = 0; i < row->change_count; i++)
        n += row->changes[i].kind == kind && row->changes[i].class == class;
    return n;
}

/* Headers that are followed by their names count with the X- ones, as what a user cares about. */
static bool all_x(const struct view_row *row, enum view_change_kind kind)
{
    for (size_t i = 0; i < row->change_count; i++)
        if (row->changes[i].kind == kind && row->changes[i].class == VIEW_CUSTOM &&
            !slice_starts_nocase(row->changes[i].name, SLICE("X-")))
            return false;
    return true;
}

struct slice view_row_marks(struct arena *a, const struct view_row *row)
{
    static const char signs[] = {
        [VIEW_NEVER_SENT] = '!', [VIEW_GONE] = '-', [VIEW_ADDED] = '+', [VIEW_ALTERED] = '~'};
    struct text t = {0};
    text_add(&t, SLICE(""));
    for (enum view_change_kind kind = VIEW_NEVER_SENT; kind <= VIEW_ALTERED; kind++) {
        size_t custom = count(row, kind, VIEW_CUSTOM), other = count(row, kind, VIEW_OTHER);
        bool x = all_x(row, kind);
        if (custom && x)
            text_printf(&t, "%s%c%zu X-", t.n ? " " : "", signs[kind], custom);
        if (other || (custom && !x))
            text_printf(&t, "%s%c%zu", t.n ? " " : "", signs[kind], other + (x ? 0 : custom));
    }
    return text_keep(&t, a);
}

static struct slice joined(struct arena *a, struct slice one, const char *word, struct slice two)
{
    struct text t = {0};
    text_add(&t, one);
    text_add(&t, slice_of(word));
    text_add(&t, two);
    return text_keep(&t, a);
}

struct slice view_row_place(struct arena *a, const struct view_ladder *l,
                            const struct view_row *row, bool on_wire)
{
    const struct hop_nodes *n = l->call->nodes;
    if (on_wire)
        return joined(a, hop_sighting_at(a, n, view_row_first(row)), " to ",
                      hop_sighting_at(a, n, view_row_last(row)));
    if (row->lead == VIEW_NONE)
        return l->columns[row->from].name;
    return joined(a, l->columns[row->lead].name, " to ", l->columns[row->from].name);
}

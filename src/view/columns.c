/* The elements of a call, and the order in which they lie on its path. */
#include "view/internal.h"

#include <string.h>

uint32_t view_column_of(struct view_columns *c, const struct hop_nodes *n, struct arena *a,
                        uint32_t node, const struct endpoint *e)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct view_column *known = &c->items[i];
        if (node != HOP_NODE_NONE
                ? known->node == node
                : known->node == HOP_NODE_NONE && address_equal(&known->address, &e->ip))
            return i;
    }
    if (c->n == VIEW_COLUMNS_MAX)
        return VIEW_COLUMNS_MAX - 1;
    struct slice name = SLICE_NONE;
    if (node != HOP_NODE_NONE)
        name = hop_node_name(n, node);
    if (name.n == 0)
        name = arena_copy(a, slice_of(address_format(&e->ip).s));
    if (name.n == 0)
        name = SLICE("?");
    *vec_add(c) = (struct view_column){.name = name, .node = node, .address = e->ip};
    return (uint32_t)(c->n - 1);
}

/* A list of columns that is put in order. */
struct order {
    uint32_t *items;
    size_t n;
    bool *placed; /* of each column */
};

static size_t place_of(const struct order *o, uint32_t column)
{
    size_t i = 0;
    while (i < o->n && o->items[i] != column)
        i++;
    return i;
}

static void insert(struct order *o, size_t at, uint32_t column)
{
    memmove(o->items + at + 1, o->items + at, (o->n - at) * sizeof *o->items);
    o->items[at] = column;
    o->placed[column] = true;
    o->n++;
}

/* What is new of a way goes before the next of its columns that has a place; the rest to the end.
 */
static void merge(struct order *o, const struct view_way *way)
{
    for (size_t i = 0; i < way->n; i++) {
        size_t k = i;
        if (o->placed[way->columns[i]])
            continue;
        while (k < way->n && !o->placed[way->columns[k]])
            k++;
        insert(o, k < way->n ? place_of(o, way->columns[k]) : o->n, way->columns[i]);
    }
}

const uint32_t *view_columns_order(struct arena *a, const struct view_columns *c,
                                   const struct view_way *ways, size_t way_count)
{
    struct order o = {ARENA_ARRAY(a, uint32_t, c->n + 1), 0, ARENA_ARRAY(a, bool, c->n)};
    uint32_t *places = ARENA_ARRAY(a, uint32_t, c->n);
    for (size_t i = 0; i < way_count; i++)
        merge(&o, &ways[i]);
    for (uint32_t i = 0; i < c->n; i++)
        if (!o.placed[i])
            insert(&o, o.n, i);
    for (uint32_t i = 0; i < o.n; i++)
        places[o.items[i]] = i;
    return places;
}

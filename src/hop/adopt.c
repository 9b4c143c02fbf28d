/* Sightings that the snap length cut before their Call-ID, CSeq or tags, found by their Vias: they
 * show on which way a message went, and what of it was captured there. */
#include "hop/internal.h"

#include <string.h>

struct adoption {
    struct arena *arena;
    const struct call_table *table;
    const struct hop_nodes *nodes;
    struct hop_loader *loader;
    struct hop_sighting **seen;
    size_t n, cap;
    size_t loaded; /* whether they belong to the message or not */
};

static bool is_related(const struct hop_sighting *x, const struct hop_sighting *y)
{
    if (x->via_count == y->via_count)
        return x->via_count && hop_via_equal(&x->vias[0], &y->vias[0]);
    return hop_vias_end_with(x, y) || hop_vias_end_with(y, x);
}

static bool is_same_kind(const struct hop_sighting *x, const struct hop_sighting *y)
{
    return x->message->kind == y->message->kind && x->message->status == y->message->status &&
           (x->message->kind == SIP_RESPONSE ||
            slice_equal(x->message->method, y->message->method));
}

/* True: it belongs to the message. */
static bool adopt(struct adoption *a, uint32_t id)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->seen[i]->id == id)
            return false;
    if (a->n == a->cap || a->loaded++ >= HOP_ADOPT_MAX)
        return false;
    struct hop_sighting *s = hop_load(a->arena, a->table, a->nodes, id, a->loader);
    for (size_t i = 0; s && i < a->n; i++) {
        if (!is_same_kind(s, a->seen[i]) || !is_related(s, a->seen[i]))
            continue;
        s->leg = a->seen[i]->leg;
        s->cseq = a->seen[i]->cseq;
        a->seen[a->n++] = s;
        return true;
    }
    return false;
}

static void consider(void *context, uint32_t id)
{
    (void)adopt(context, id);
}

static void consider_loose(struct adoption *a, struct hop_loose *loose)
{
    for (size_t i = 0; i < loose->n; i++)
        if (!loose->taken[i])
            loose->taken[i] = adopt(a, loose->ids[i]);
}

size_t hop_adopt(struct arena *arena, const struct call_table *t, const struct hop_nodes *n,
                 struct hop_loader *loader, struct hop_loose *loose, struct hop_sighting ***seen,
                 size_t count)
{
    struct adoption a = {arena, t, n, loader, NULL, count, HOP_GROUP_MAX, 0};
    if (count == 0 || count >= HOP_GROUP_MAX ||
        (loose->n == 0 && call_table_stats(t)->no_call_id == 0))
        return count;
    a.seen = ARENA_ARRAY(arena, struct hop_sighting *, HOP_GROUP_MAX);
    memcpy(a.seen, *seen, count * sizeof *a.seen);
    /* those that are adopted may know further ones: the list grows while it is walked */
    for (size_t i = 0; i < a.n; i++) {
        if (a.seen[i]->via_count)
            call_orphans(t, a.seen[i]->vias[0].branch, consider, &a);
        consider_loose(&a, loose);
    }
    *seen = a.seen;
    return a.n;
}

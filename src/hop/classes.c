/* Classes: the sightings of a call that are one message on its way, told by method, CSeq, status
 * and tags.  The Call-ID does not count where there are tags: topology hiding changes it and keeps
 * them. */
#include "hop/internal.h"

#include <stdlib.h>

struct class_key {
    uint32_t method, status, cseq, from_tag, to_tag, leg;
    uint32_t id;
    int64_t time_ns;
};

static int class_compare(const struct class_key *a, const struct class_key *b)
{
    const uint32_t x[] = {a->method, a->status, a->cseq, a->from_tag, a->to_tag, a->leg};
    const uint32_t y[] = {b->method, b->status, b->cseq, b->from_tag, b->to_tag, b->leg};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static int class_order(const void *a, const void *b)
{
    const struct class_key *x = a, *y = b;
    int order = class_compare(x, y);
    if (order)
        return order;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t count_sightings(const struct call_table *t, const uint32_t *legs, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += call_leg_of(t, legs[i])->count;
    return count;
}

static struct class_key key_of(const struct call_table *t, uint32_t id)
{
    const struct call_sighting *s = call_sighting_of(t, id);
    return (struct class_key){.method = s->method,
                              .status = s->status,
                              .cseq = s->cseq,
                              .from_tag = s->from_tag,
                              .to_tag = s->status ? s->to_tag : 0,
                              .leg = s->from_tag ? 0 : s->leg + 1,
                              .id = id,
                              .time_ns = s->time_ns};
}

static size_t cut_classes(struct arena *a, const struct class_key *keys, size_t n,
                          struct hop_class *classes)
{
    uint32_t *ids = ARENA_ARRAY(a, uint32_t, n);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        ids[i] = keys[i].id;
        if (i == 0 || class_compare(&keys[i - 1], &keys[i]) != 0)
            classes[count++] = (struct hop_class){.ids = ids + i,
                                                  .time_ns = keys[i].time_ns,
                                                  .method = keys[i].method,
                                                  .cseq = keys[i].cseq,
                                                  .from_tag = keys[i].from_tag};
        classes[count - 1].n++;
    }
    return count;
}

size_t hop_classes(struct arena *a, const struct call_table *t, const uint32_t *legs,
                   size_t leg_count, struct hop_class **out)
{
    size_t n = count_sightings(t, legs, leg_count), k = 0;
    struct class_key *keys = ARENA_ARRAY(a, struct class_key, n);
    for (size_t i = 0; i < leg_count; i++)
        for (uint32_t id = call_leg_of(t, legs[i])->first; id != CALL_NONE;
             id = call_sighting_of(t, id)->next)
            keys[k++] = key_of(t, id);
    qsort(keys, k, sizeof *keys, class_order);
    *out = ARENA_ARRAY(a, struct hop_class, k);
    return cut_classes(a, keys, k, *out);
}

size_t hop_class_load(struct arena *a, const struct call_table *t, const struct hop_nodes *n,
                      const struct hop_class *class, size_t limit, struct hop_loader *loader,
                      struct hop_sighting ***out)
{
    size_t wanted = class->n < limit ? class->n : limit, count = 0;
    *out = ARENA_ARRAY(a, struct hop_sighting *, wanted);
    for (size_t i = 0; i < wanted; i++) {
        struct hop_sighting *s = hop_load(a, t, n, class->ids[i], loader);
        if (s)
            (*out)[count++] = s;
    }
    return count;
}

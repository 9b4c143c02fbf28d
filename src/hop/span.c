/* Which messages of a long call are followed: those that are asked for, with what belongs to their
 * transactions, for a request without its answer says what is not so. */
#include "hop/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- orders ---------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct hop_class *x = *(struct hop_class *const *)a, *y = *(struct hop_class *const *)b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int compare_transaction(const struct hop_class *x, const struct hop_class *y)
{
    if (x->cseq != y->cseq)
        return x->cseq < y->cseq ? -1 : 1;
    if (x->from_tag != y->from_tag)
        return x->from_tag < y->from_tag ? -1 : 1;
    return x->method < y->method ? -1 : x->method > y->method;
}

static int by_transaction(const void *a, const void *b)
{
    const struct hop_class *x = *(struct hop_class *const *)a, *y = *(struct hop_class *const *)b;
    int order = compare_transaction(x, y);
    return order ? order : by_time(a, b);
}

/* ---- choosing -------------------------------------------------------------------------------- */

struct choice {
    struct hop_class **order;        /* in order of time, n of them */
    struct hop_class **transactions; /* those of one are neighbours */
    size_t n, left;                  /* left: how many more may be followed */
    bool aside;                      /* what is chosen now was not asked for */
};

static void sort_transactions(struct choice *c, struct arena *a)
{
    c->transactions = ARENA_ARRAY(a, struct hop_class *, c->n);
    memcpy(c->transactions, c->order, c->n * sizeof(struct hop_class *));
    qsort(c->transactions, c->n, sizeof *c->transactions, by_transaction);
    for (size_t i = 0; i < c->n; i++) {
        struct hop_class *k = c->transactions[i], *before = i ? c->transactions[i - 1] : NULL;
        bool same = before && compare_transaction(before, k) == 0;
        k->transaction = same ? before->transaction : (uint32_t)i;
    }
}

static void follow(struct choice *c, struct hop_class *k)
{
    if (k->followed || c->left == 0)
        return;
    k->followed = true;
    k->aside = c->aside;
    c->left--;
}

static size_t end_of(const struct choice *c, size_t first)
{
    size_t end = first;
    while (end < c->n && c->transactions[end]->transaction == first)
        end++;
    return end;
}

static void follow_transaction(struct choice *c, const struct hop_class *of)
{
    size_t end = end_of(c, of->transaction);
    for (size_t i = of->transaction; i < end; i++)
        follow(c, c->transactions[i]);
}

/* The beginning of the call and its end, which say most of it.  Returns where the end begins. */
static size_t choose_ends(struct choice *c)
{
    size_t first = 0, last = c->n;
    c->left = HOP_CLASSES_MAX - HOP_CLASSES_END;
    while (c->left > 0)
        follow_transaction(c, c->order[first++]);
    c->left = HOP_CLASSES_END;
    while (c->left > 0)
        follow_transaction(c, c->order[--last]);
    return last;
}

static void choose_around(struct choice *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        c->order[i]->followed = true;
    c->left = to - from;
    c->aside = true;
    for (size_t i = from; i < to; i++)
        follow_transaction(c, c->order[i]);
    for (size_t i = 0; i < c->n; i++)
        if (c->order[i]->method == SIP_INVITE) {
            c->left += HOP_CLASSES_FIRST; /* whose call it is */
            follow_transaction(c, c->order[i]);
            return;
        }
}

/* ---- the span -------------------------------------------------------------------------------- */

static size_t number_of(const struct choice *c, uint32_t sighting)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->order[i]->n; k++)
            if (c->order[i]->ids[k] == sighting)
                return i;
    return 0;
}

static size_t begin_of(const struct choice *c, const struct hop_span *span)
{
    size_t from = span->from;
    if (span->around != CALL_NONE) {
        from = number_of(c, span->around);
        from = from > span->most / 2 ? from - span->most / 2 : 0;
    }
    return from + span->most > c->n ? c->n - span->most : from;
}

size_t hop_span_choose(struct arena *a, const struct hop_span *span, struct hop_class **wanted,
                       size_t n, struct hop_call *call)
{
    struct choice c = {.order = wanted, .n = n};
    size_t most = span ? span->most : HOP_CLASSES_MAX, skipped_before = 0;
    qsort(c.order, n, sizeof *c.order, by_time);
    for (size_t i = 0; i < n; i++)
        c.order[i]->number = (uint32_t)i;
    call->message_count = n;
    call->span_to = n;
    if (n <= most) {
        for (size_t i = 0; i < n; i++)
            c.order[i]->followed = true;
        return 0;
    }
    sort_transactions(&c, a);
    if (span) {
        call->span_from = begin_of(&c, span);
        call->span_to = call->span_from + most;
        choose_around(&c, call->span_from, call->span_to);
        return call->span_from;
    }
    skipped_before = choose_ends(&c);
    for (size_t i = 0; i < n; i++)
        if (!c.order[i]->followed)
            call->sightings_left_out += c.order[i]->n;
    return skipped_before;
}

/* ---- what was skipped ------------------------------------------------------------------------ */

static uint64_t kind_hash(const struct hop_kind *k)
{
    return hash_mix(hash_mix(k->leg, k->method), (uint64_t)k->status << 32 | k->from_tag);
}

static struct hop_kind *kind_find(const struct hop_skipped *s, const struct hop_kind *k)
{
    uint64_t hash = kind_hash(k);
    uint32_t id;
    for (uint32_t at = map_first(&s->index, hash);
         (id = map_next(&s->index, hash, &at)) != MAP_NONE;) {
        struct hop_kind *x = &s->kinds.items[id];
        if (x->leg == k->leg && x->method == k->method && x->status == k->status &&
            x->from_tag == k->from_tag)
            return x;
    }
    return NULL;
}

static struct hop_kind kind_of(const struct call_table *t, const struct hop_class *c)
{
    const struct call_sighting *s = call_sighting_of(t, c->ids[0]);
    return (struct hop_kind){
        .leg = s->leg, .method = s->method, .status = s->status, .from_tag = s->from_tag};
}

void hop_skipped_count(struct hop_skipped *s, const struct call_table *t,
                       struct hop_class *const *order, size_t before)
{
    s->before = (uint32_t)before;
    for (size_t i = 0; i < before; i++) {
        struct hop_kind k = kind_of(t, order[i]), *known;
        if (order[i]->followed)
            continue;
        known = kind_find(s, &k);
        if (!known) {
            map_add(&s->index, kind_hash(&k), (uint32_t)s->kinds.n);
            known = vec_add(&s->kinds);
            *known = k;
        }
        known->n++;
    }
}

uint32_t hop_skipped_of(const struct hop_skipped *s, const struct hop_path *p)
{
    struct hop_kind k = {.leg = p->leg,
                         .method = p->journey.method,
                         .status = p->journey.status,
                         .from_tag = p->from_tag};
    const struct hop_kind *known = p->journey.number < s->before ? NULL : kind_find(s, &k);
    return known ? known->n : 0;
}

void hop_skipped_free(struct hop_skipped *s)
{
    map_free(&s->index);
    vec_free(&s->kinds);
}

/* The journeys of a call: each message of each leg put in path order, legs stitched together. */
#include "hop/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- from wires to paths -------------------------------------------------------------------- */

static size_t steps_above(const struct hop_wires *w, uint32_t leaf)
{
    size_t n = 0;
    for (uint32_t at = leaf; at != HOP_NODE_NONE; at = w->items[at].parent)
        n += w->items[at].n;
    return n;
}

static void fill_wire(const struct hop_wire *wire, struct hop_step *steps)
{
    for (size_t i = 0; i < wire->n; i++)
        steps[i] =
            (struct hop_step){.sighting = wire->seen[i], .link = HOP_WIRE, .node = HOP_NODE_NONE};
    steps[0].link = wire->parent == HOP_NODE_NONE ? HOP_FIRST : wire->link;
    steps[0].node = wire->link == HOP_NODE ? wire->src_node : HOP_NODE_NONE;
    steps[0].between = wire->between;
    steps[0].between_count = wire->between_count;
}

static struct hop_path path_to(struct arena *a, const struct hop_wires *w, uint32_t leaf)
{
    size_t n = steps_above(w, leaf), end = n;
    struct hop_step *steps = ARENA_ARRAY(a, struct hop_step, n);
    uint32_t root = leaf;
    for (uint32_t at = leaf; at != HOP_NODE_NONE; at = w->items[at].parent) {
        end -= w->items[at].n;
        fill_wire(&w->items[at], steps + end);
        root = at;
    }
    const struct hop_wire *first = &w->items[root], *last = &w->items[leaf];
    return (struct hop_path){.journey = {.steps = steps, .step_count = n},
                             .steps = steps,
                             .time_ns = first->time_ns,
                             .first_src = first->src_node,
                             .last_dst = last->dst_node,
                             .first = steps[0].sighting,
                             .last = steps[n - 1].sighting};
}

/* An orphan tells neither its CSeq nor its tags. */
static const struct hop_sighting *first_known(const struct hop_path *p)
{
    for (size_t i = 0; i < p->journey.step_count; i++)
        if (p->steps[i].sighting->index->leg != CALL_NONE)
            return p->steps[i].sighting;
    return p->first;
}

static void describe(struct hop_path *p)
{
    const struct hop_sighting *s = first_known(p);
    const struct call_leg *leg = s->leg;
    struct hop_journey *j = &p->journey;
    j->method = (enum sip_method)s->index->method;
    j->method_name = s->message->method;
    j->status = s->index->status;
    j->cseq = s->index->cseq;
    p->leg = p->last_leg = s->index->leg;
    p->from_tag = s->index->from_tag;
    j->orientation_known = leg->invited;
    j->downstream = leg->invited && leg->from_tag == p->from_tag;
}

static void add_class(struct arena *a, struct hop_call *call, const struct hop_class *c,
                      struct hop_loader *loader, struct hop_loose *loose, struct hop_paths *paths)
{
    struct hop_sighting **seen;
    size_t count = hop_class_load(a, call->table, call->nodes, c, HOP_GROUP_MAX, loader, &seen);
    count = hop_adopt(a, call->table, call->nodes, loader, loose, &seen, count);
    call->sightings_left_out += c->n > HOP_GROUP_MAX ? c->n - HOP_GROUP_MAX : 0;
    struct hop_wires w = hop_wires_make(a, call->nodes, seen, count);
    hop_wires_link(a, call->nodes, &w);
    for (uint32_t i = 0; i < w.n; i++) {
        if (w.items[i].has_child)
            continue;
        if (paths->n == HOP_PATHS_MAX) {
            call->sightings_left_out += w.items[i].n;
            continue;
        }
        struct hop_path p = path_to(a, &w, i);
        describe(&p);
        p.journey.number = c->number;
        p.journey.aside = c->aside;
        p.tail = (uint32_t)paths->n;
        *vec_add(paths) = p;
    }
}

/* ---- the call as a whole -------------------------------------------------------------------- */

static enum hop_direction direction_of(const struct hop_paths *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        const struct hop_journey *j = &paths->items[i].journey;
        if (j->method != SIP_INVITE || !j->livekit_known || !j->orientation_known)
            continue;
        bool downstream = j->status ? !j->downstream : j->downstream;
        return j->livekit_sent == downstream ? HOP_OUTBOUND : HOP_INBOUND;
    }
    return HOP_UNKNOWN;
}

/* Where only some messages wear LiveKit's marks, the call's direction tells for the others. */
static void spread_livekit(const struct hop_call *call, struct hop_paths *paths)
{
    for (size_t i = 0; call->direction != HOP_UNKNOWN && i < paths->n; i++) {
        struct hop_journey *j = &paths->items[i].journey;
        if (j->livekit_known || !j->orientation_known || j->made_by_proxy)
            continue;
        bool travels_down = j->status ? !j->downstream : j->downstream;
        j->livekit_known = true;
        j->livekit_sent = travels_down == (call->direction == HOP_OUTBOUND);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct hop_path *x = *(struct hop_path *const *)a, *y = *(struct hop_path *const *)b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->journey.status != y->journey.status)
        return x->journey.status < y->journey.status ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void list_journeys(struct arena *a, struct hop_call *call, struct hop_paths *paths)
{
    const struct hop_path **order = ARENA_ARRAY(a, const struct hop_path *, paths->n);
    size_t n = 0;
    for (size_t i = 0; i < paths->n; i++)
        if (!paths->items[i].merged)
            order[n++] = &paths->items[i];
    qsort(order, n, sizeof *order, by_time);
    struct hop_journey *journeys = ARENA_ARRAY(a, struct hop_journey, n);
    for (size_t i = 0; i < n; i++)
        journeys[i] = order[i]->journey;
    call->journeys = journeys;
    call->journey_count = n;
}

static bool is_wanted(const struct call_table *t, const struct hop_source *source,
                      const struct hop_class *c)
{
    const struct call_sighting *s = call_sighting_of(t, c->ids[0]);
    return !source->wanted ||
           source->wanted(source->wanted_context, (enum sip_method)s->method, s->status);
}

static void choose(struct arena *a, struct hop_call *call, const struct hop_source *source,
                   struct hop_class *classes, size_t count, struct hop_skipped *skipped)
{
    struct hop_class **wanted = ARENA_ARRAY(a, struct hop_class *, count);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (is_wanted(call->table, source, &classes[i]))
            wanted[n++] = &classes[i];
    size_t before = hop_span_choose(a, source->span, wanted, n, call);
    if (call->leg_count > 1)
        hop_skipped_count(skipped, call->table, wanted, before);
}

static bool is_loose(const struct call_table *t, const struct hop_class *c)
{
    const struct call_sighting *s = call_sighting_of(t, c->ids[0]);
    return s->headers_cut && (!s->from_tag || !s->cseq || (s->status && !s->to_tag));
}

static struct hop_loose loose_of(struct arena *a, const struct call_table *t,
                                 const struct hop_class *classes, size_t count)
{
    struct hop_loose loose = {NULL, NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_loose(t, &classes[i]) ? classes[i].n : 0;
    if (n == 0)
        return loose;
    n = n < HOP_LOOSE_MAX ? n : HOP_LOOSE_MAX;
    loose.ids = ARENA_ARRAY(a, uint32_t, n);
    loose.taken = ARENA_ARRAY(a, bool, n);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; is_loose(t, &classes[i]) && k < classes[i].n && loose.n < n; k++)
            loose.ids[loose.n++] = classes[i].ids[k];
    return loose;
}

static bool is_taken(const struct hop_loose *loose, uint32_t id)
{
    for (size_t i = 0; i < loose->n; i++)
        if (loose->ids[i] == id)
            return loose->taken[i];
    return false;
}

/* What of a loose class no other took. */
static struct hop_class left_of(struct arena *a, const struct hop_class *c,
                                const struct hop_loose *loose)
{
    uint32_t *ids = ARENA_ARRAY(a, uint32_t, c->n);
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (!is_taken(loose, c->ids[i]))
            ids[n++] = c->ids[i];
    struct hop_class left = *c;
    left.ids = ids;
    left.n = n;
    return left;
}

/* First the classes that are certain, which take of the loose sightings what is theirs; then what
 * is left of those. */
static void add_classes(struct arena *a, struct hop_call *call, const struct hop_source *source,
                        struct hop_loader *loader, struct hop_skipped *skipped,
                        struct hop_paths *paths)
{
    const struct call_table *t = call->table;
    struct hop_class *classes;
    size_t count = hop_classes(a, t, call->legs, call->leg_count, &classes);
    choose(a, call, source, classes, count, skipped);
    struct hop_loose loose = loose_of(a, t, classes, count), none = {NULL, NULL, 0};
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            if (!classes[i].followed || is_loose(t, &classes[i]) != (pass == 1))
                continue;
            struct hop_class c = pass ? left_of(a, &classes[i], &loose) : classes[i];
            if (a->total >= HOP_CALL_BYTES || paths->n == HOP_PATHS_MAX)
                call->sightings_left_out += c.n;
            else if (c.n)
                add_class(a, call, &c, loader, pass ? &none : &loose, paths);
        }
}

struct hop_call *hop_call_build(struct arena *a, const struct call_table *t,
                                const struct hop_nodes *n, const uint32_t *legs, size_t leg_count,
                                const struct hop_source *source)
{
    struct hop_call *call = ARENA_NEW(a, struct hop_call);
    struct hop_loader loader = {sip_scanner_new(), source->reader, source->context};
    struct hop_paths paths = {0};
    struct hop_skipped skipped = {0};
    *call = (struct hop_call){.table = t, .nodes = n, .legs = legs, .leg_count = leg_count};
    for (size_t i = 0; i < leg_count; i++)
        call->is_call |= call_leg_of(t, legs[i])->dialog;
    add_classes(a, call, source, &loader, &skipped, &paths);
    for (size_t i = 0; i < paths.n; i++)
        hop_path_sender(a, n, &paths.items[i]);
    hop_paths_answers(n, &paths);
    hop_paths_stitch(a, call, &skipped, &paths);
    call->direction = direction_of(&paths);
    spread_livekit(call, &paths);
    list_journeys(a, call, &paths);
    vec_free(&paths);
    hop_skipped_free(&skipped);
    sip_scanner_free(loader.scanner);
    return call;
}

struct slice hop_sighting_at(struct arena *a, const struct hop_nodes *n,
                             const struct hop_sighting *s)
{
    const char *name = hop_point_name(n, s->index->point);
    if (s->side == SOURCE_UNKNOWN)
        return slice_of(name);
    return arena_printf(a, "%s:%s", name, s->side == SOURCE_OUT ? "out" : "in");
}

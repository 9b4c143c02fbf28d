/* What the messages of a leg tell of nodes: who forwards to whom, under which addresses, and who is
 * LiveKit. */
#include "hop/internal.h"

/* How many sightings of one message are looked at, and how many calls that went the same way: the
 * first tell as much as all. */
#define HOP_LEARN_MAX   64u
#define HOP_LEARN_TIMES 4u

static void learn_addresses(struct hop_nodes *n, const struct call_table *t,
                            const struct hop_class *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct call_sighting *s = call_sighting_of(t, c->ids[i]);
        const struct call_flow *f = call_flow_of(t, s->flow);
        hop_nodes_saw(n, s->point, &f->src, &f->dst, (enum source_direction)s->direction);
    }
}

static void learn_livekit(struct hop_nodes *n, const struct hop_sighting *s)
{
    const struct sip_message *m = s->message;
    if (m->kind == SIP_RESPONSE) {
        /* 100 is hop by hop (RFC 3261 16.7): it comes from LiveKit itself */
        if (m->status == 100 && slice_is(m->reason, "Processing"))
            hop_nodes_livekit(n, &s->src);
    } else if (s->via_count == 1 && hop_branch_is_livekit(s->vias[0].branch) &&
               hop_tag_is_livekit(hop_header_tag(s, SIP_HEADER_FROM))) {
        hop_nodes_livekit(n, &s->src);
    }
}

/* The topmost Via of a request is its sender's own. */
static void learn_sent_by(struct hop_nodes *n, const struct hop_sighting *s)
{
    struct endpoint sent_by;
    if (!s->via_count || !hop_host_endpoint(s->vias[0].host, s->vias[0].port, &sent_by))
        return;
    if (!address_equal(&sent_by.ip, &s->src.ip))
        hop_nodes_alias(n, &sent_by.ip, &s->src);
    else if (s->transport != PACKET_UDP)
        hop_nodes_listens(n, &sent_by, &s->src);
}

static void learn_message(struct hop_nodes *n, const struct hop_sighting *s)
{
    learn_livekit(n, s);
    if (s->via_count > 1)
        hop_nodes_forwards(n, s->message->kind == SIP_REQUEST ? &s->src : &s->dst);
    if (s->message->status == 100 && hop_names_itself_proxy(s))
        hop_nodes_forwards(n, &s->src);
    if (s->message->kind == SIP_REQUEST)
        learn_sent_by(n, s);
}

/* At one point, two stretches of one request that no Via joins: the point's host hides Vias.  The
 * stretch that may go further lies first; else, since the point has one clock, the one that it saw
 * first. */
static void learn_hidden(struct hop_nodes *n, const struct hop_wires *w)
{
    const struct hop_wire *root[2] = {NULL, NULL};
    uint32_t at[2] = {0, 0};
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->items[i].parent != HOP_NODE_NONE)
            continue;
        if (root[1])
            return;
        at[root[0] ? 1 : 0] = i;
        root[root[0] ? 1 : 0] = &w->items[i];
    }
    if (!root[1] || !hop_wires_share_point(root[0], root[1]))
        return;
    int forwards = hop_wires_forwards(root[0], root[1]);
    int first = forwards ? forwards < 0 : root[0]->time_ns > root[1]->time_ns;
    const struct hop_wire *up = root[first], *down = root[1 - first];
    for (uint32_t i = 0; i < w->n; i++)
        if (!w->items[i].has_child && w->items[i].root == at[first] &&
            hop_wires_share_point(&w->items[i], down))
            up = &w->items[i];
    /* both sent by one element: branches of a fork, or a second try */
    if (hop_node_at(n, &root[0]->head->src) == hop_node_at(n, &root[1]->head->src))
        return;
    if (hop_node_keeps_vias(n, hop_node_at(n, &down->head->src)) ||
        (up != root[first] && up->has_child))
        return;
    hop_nodes_join(n, &up->head->dst, &down->head->src, false);
    hop_nodes_forwards(n, &down->head->src);
}

/* Wires as seen at one point only. */
static void learn_hidden_at(struct hop_nodes *n, struct arena *a, struct hop_sighting **seen,
                            size_t count, uint16_t point)
{
    struct hop_sighting **here = ARENA_ARRAY(a, struct hop_sighting *, count);
    size_t k = 0;
    for (size_t i = 0; i < count; i++)
        if (seen[i]->index->point == point)
            here[k++] = seen[i];
    if (k < 2)
        return;
    struct hop_wires w = hop_wires_make(a, n, here, k);
    learn_hidden(n, &w);
}

/* One transmission seen at two points: its ends are the same, though a log need not name its own.
 */
static void learn_ends(struct hop_nodes *n, const struct hop_wire *w)
{
    for (size_t i = 0; i < w->n; i++) {
        hop_nodes_same_end(n, &w->head->src, &w->seen[i]->src);
        hop_nodes_same_end(n, &w->head->dst, &w->seen[i]->dst);
    }
}

static void learn_path(struct hop_nodes *n, struct arena *a, struct hop_sighting **seen,
                       size_t count)
{
    struct hop_wires w = hop_wires_make(a, n, seen, count);
    for (size_t i = 0; i < w.n; i++)
        learn_ends(n, &w.items[i]);
    for (size_t i = 0; i < w.n; i++) {
        const struct hop_wire *down = &w.items[i];
        if (down->parent == HOP_NODE_NONE || down->between_count != 1)
            continue;
        const struct hop_wire *up = &w.items[down->parent];
        hop_nodes_join(n, &up->head->dst, &down->head->src, true);
    }
    /* what each element makes anew on its hop begins there and hides nothing (RFC
     * 3261 9.1, 17.1.1.3) */
    if (seen[0]->message->kind != SIP_REQUEST || seen[0]->message->method_id == SIP_ACK ||
        seen[0]->message->method_id == SIP_CANCEL)
        return;
    for (size_t i = 0; i < count; i++) {
        bool before = false;
        for (size_t k = 0; k < i; k++)
            before |= seen[k]->index->point == seen[i]->index->point;
        if (!before)
            learn_hidden_at(n, a, seen, count, seen[i]->index->point);
    }
}

/* Calls over one path tell the same: what went which way, as which points saw it, is looked at
 * HOP_LEARN_TIMES. True: this has been. */
static bool known_pattern(struct hop_nodes *n, const struct call_table *t,
                          const struct hop_class *c)
{
    const struct call_sighting *first = call_sighting_of(t, c->ids[0]);
    uint64_t key = hash_mix(first->method, first->status);
    uint32_t times = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct call_sighting *s = call_sighting_of(t, c->ids[i]);
        const struct call_flow *f = call_flow_of(t, s->flow);
        uint64_t way = hash_mix(hop_address_of(n, &f->src, true), hop_address_of(n, &f->dst, true));
        key += hash_mix(way, (uint64_t)s->point << 8 | s->state) * 0x9e3779b97f4a7c15u;
    }
    key *= 0xd6e8feb86659fd93u;
    for (uint32_t at = map_first(&n->patterns, key); map_next(&n->patterns, key, &at) != MAP_NONE;)
        times++;
    if (times < HOP_LEARN_TIMES && n->patterns.n < HOP_SEEN_MAX)
        map_add(&n->patterns, key, times);
    return times >= HOP_LEARN_TIMES;
}

void hop_learn_legs(struct hop_nodes *n, const struct call_table *t, const uint32_t *legs,
                    size_t leg_count, struct arena *scratch, hop_reader *reader, void *context)
{
    struct hop_loader loader = {sip_scanner_new(), reader, context};
    struct arena a = {0};
    struct hop_class *classes;
    size_t count = hop_classes(scratch, t, legs, leg_count, &classes);
    for (size_t i = 0; i < count; i++) {
        struct hop_sighting **seen;
        learn_addresses(n, t, &classes[i]);
        if (known_pattern(n, t, &classes[i]))
            continue;
        size_t loaded = hop_class_load(&a, t, n, &classes[i], HOP_LEARN_MAX, &loader, &seen);
        for (size_t k = 0; k < loaded; k++)
            learn_message(n, seen[k]);
        if (loaded > 1)
            learn_path(n, &a, seen, loaded);
        arena_reset(&a);
    }
    arena_free(&a);
    sip_scanner_free(loader.scanner);
}

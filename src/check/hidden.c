/* TLS that was captured and not decrypted, where a message may have passed unseen: between two
 * sightings of it, before the first, or after the last. */
#include "check/internal.h"

#define HIDDEN_NS ((int64_t)60 * 1000000000) /* clocks of points differ, and connections idle */

/* A connection as a journey meets it: at one of its nodes, with the other end. */
struct meeting {
    const struct hop_hidden *hidden;
    uint32_t node;
    struct slice other;
};

static bool is_same_time(const struct hop_hidden *h, const struct hop_journey *j)
{
    int64_t first = j->steps[0].sighting->index->time_ns;
    int64_t last = j->steps[j->step_count - 1].sighting->index->time_ns;
    return h->first_ns - HIDDEN_NS <= last && h->last_ns + HIDDEN_NS >= first;
}

static bool is_on(const struct hop_journey *j, uint32_t node)
{
    for (size_t i = 0; i < j->step_count; i++)
        if (j->steps[i].sighting->src_node == node || j->steps[i].sighting->dst_node == node)
            return true;
    return false;
}

/* Does it go from the node to another SIP element?  HTTPS and the like go elsewhere: the other end
 * is a node of these calls, or SIP's ports say so.  `off`: that node is not on the journey. */
static bool meets(const struct check_work *w, const struct hop_journey *j,
                  const struct hop_hidden *h, uint32_t node, bool off, struct meeting *out)
{
    const struct hop_nodes *n = w->call->nodes;
    uint32_t src = hop_node_of_host(n, &h->src), dst = hop_node_of_host(n, &h->dst);
    bool at_src = src == node || (src == HOP_NODE_NONE && dst != node);
    uint32_t other = at_src ? dst : src;
    bool here = src == node || dst == node || hop_node_of_point(n, h->point) == node;
    if (!here || other == node || !is_same_time(h, j))
        return false;
    if (other == HOP_NODE_NONE && !hop_is_sip_port(h->src.port) && !hop_is_sip_port(h->dst.port))
        return false;
    if (off && other != HOP_NODE_NONE && is_on(j, other))
        return false;
    struct slice address =
        arena_printf(w->arena, "%s", endpoint_format(at_src ? &h->dst : &h->src).s);
    *out = (struct meeting){h, node, other == HOP_NODE_NONE ? address : hop_node_name(n, other)};
    return true;
}

/* By the point's name, so that the order in which the captures are given does not matter. */
static bool is_before(const struct check_work *w, const struct hop_hidden *a,
                      const struct hop_hidden *b)
{
    int order = slice_compare(slice_of(hop_point_name(w->call->nodes, a->point)),
                              slice_of(hop_point_name(w->call->nodes, b->point)));
    return order ? order < 0 : a->frame < b->frame;
}

static bool find_meeting(const struct check_work *w, const struct hop_journey *j, uint32_t node,
                         bool off, struct meeting *out)
{
    struct meeting m;
    bool any = false;
    for (size_t i = 0; node != HOP_NODE_NONE && i < w->call->hidden_count; i++) {
        if (!meets(w, j, &w->call->hidden[i], node, off, &m))
            continue;
        if (!any || is_before(w, m.hidden, out->hidden))
            *out = m;
        any = true;
    }
    return any;
}

static struct slice between(struct check_work *w, struct slice a, struct slice b)
{
    return arena_printf(w->arena, "between %.*s and %.*s ", SLICE_ARG(a), SLICE_ARG(b));
}

static bool is_told(const struct check_work *w, struct slice words)
{
    for (size_t i = 0; i < w->findings.n; i++)
        if (slice_starts(w->findings.items[i].message, words))
            return true;
    return false;
}

/* Once for each two nodes: it holds for every message of the call that takes this way. */
static void tell(struct check_work *w, const struct meeting *m)
{
    const struct hop_hidden *h = m->hidden;
    struct slice point = slice_of(hop_point_name(w->call->nodes, h->point));
    struct slice node = hop_node_name(w->call->nodes, m->node);
    struct slice words = between(w, node, m->other);
    const struct check_evidence evidence = {point, h->frame};
    if (is_told(w, words) || is_told(w, between(w, m->other, node)))
        return;
    words = arena_printf(w->arena,
                         "%.*sgoes TLS that was not decrypted (%s -> %s at %.*s): what passed "
                         "there was not seen; give --keylog",
                         SLICE_ARG(words), endpoint_format(&h->src).s, endpoint_format(&h->dst).s,
                         SLICE_ARG(point));
    check_find_at(w, FINDING_HOP_ENCRYPTED, node, words, &evidence);
}

static void look_between(struct check_work *w, const struct hop_journey *j)
{
    struct meeting m;
    for (size_t i = 1; i < j->step_count; i++)
        if (j->steps[i].link == HOP_GAP &&
            (find_meeting(w, j, j->steps[i - 1].sighting->dst_node, false, &m) ||
             find_meeting(w, j, j->steps[i].sighting->src_node, false, &m)))
            tell(w, &m);
}

/* LiveKit is an end of the call: nothing lies behind it. */
bool check_find_hidden(struct check_work *w, const struct hop_journey *j)
{
    const struct hop_nodes *n = w->call->nodes;
    uint32_t first = j->steps[0].sighting->src_node;
    uint32_t last = j->steps[j->step_count - 1].sighting->dst_node;
    struct meeting m;
    if (w->call->hidden_count == 0)
        return false;
    look_between(w, j);
    if (!j->from_sender && !hop_node_is_livekit(n, first) && find_meeting(w, j, first, true, &m))
        tell(w, &m);
    if (hop_node_is_livekit(n, last) || !find_meeting(w, j, last, true, &m))
        return false;
    tell(w, &m);
    return true;
}

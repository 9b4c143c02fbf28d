/* What became of a request: its final answer, or a node that took it and neither answered nor sent
 * it on. */
#include "hop/internal.h"

static bool answers(const struct hop_path *response, const struct hop_path *request)
{
    return response->journey.status >= 200 && response->from_tag == request->from_tag &&
           response->journey.cseq == request->journey.cseq &&
           response->journey.method == request->journey.method &&
           slice_equal(response->journey.method_name, request->journey.method_name);
}

/* Nearer the sender: the fewer Vias a response still has. */
static bool nearer(const struct hop_path *x, const struct hop_path *y)
{
    return !y || x->last->via_count < y->last->via_count;
}

static bool spoke(const struct hop_paths *paths, const struct hop_path *request, uint32_t node)
{
    for (size_t i = 0; i < paths->n; i++) {
        const struct hop_path *p = &paths->items[i];
        if (!answers(p, request))
            continue;
        for (size_t k = 0; k < p->journey.step_count; k++)
            if (p->steps[k].sighting->src_node == node)
                return true;
    }
    return false;
}

/* Only where the node's own capture shows the message coming in, and only a node that is known to
 * forward and to keep Vias: what one that hides them sent on may be there under a name that nothing
 * ties to this one. */
static void find_swallowed(const struct hop_nodes *n, const struct hop_paths *paths,
                           struct hop_path *p)
{
    uint32_t node = p->last_dst;
    bool watched = false;
    for (size_t i = 0; i < p->journey.step_count; i++)
        watched |=
            p->steps[i].sighting->side == SOURCE_IN && p->steps[i].sighting->dst_node == node;
    if (!watched || !hop_node_keeps_vias(n, node) || p->journey.method == SIP_ACK ||
        spoke(paths, p, node))
        return;
    p->journey.swallowed = true;
    p->journey.swallowed_by = node;
}

void hop_paths_answers(const struct hop_nodes *n, struct hop_paths *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        struct hop_path *request = &paths->items[i], *best = NULL;
        if (request->journey.status || request->merged)
            continue;
        for (size_t k = 0; k < paths->n; k++)
            if (answers(&paths->items[k], request) && nearer(&paths->items[k], best))
                best = &paths->items[k];
        if (best)
            request->journey.answer_sighting = best->last;
        find_swallowed(n, paths, request);
    }
}

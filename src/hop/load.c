/* A sighting's message, read from its source again and scanned. */
#include "hop/internal.h"

#include <string.h>

static const struct sip_message *copy_message(struct arena *a, const struct sip_message *m)
{
    struct sip_message *copy = ARENA_NEW(a, struct sip_message);
    struct sip_header *headers = ARENA_ARRAY(a, struct sip_header, m->header_count);
    if (m->header_count)
        memcpy(headers, m->headers, m->header_count * sizeof *headers);
    *copy = *m;
    copy->headers = headers;
    return copy;
}

/* Where the frame was seen, told by the point's node; the frame's own direction where that is on
 * neither end or on both. */
static enum source_direction side_of(const struct hop_nodes *n, const struct hop_sighting *s)
{
    uint32_t node = hop_node_of_point(n, s->index->point);
    if (node == HOP_NODE_NONE || (node != s->src_node && node != s->dst_node))
        return SOURCE_UNKNOWN;
    if (s->src_node == s->dst_node)
        return (enum source_direction)s->index->direction;
    return node == s->src_node ? SOURCE_OUT : SOURCE_IN;
}

struct hop_sighting *hop_load(struct arena *a, const struct call_table *t,
                              const struct hop_nodes *n, uint32_t id, struct hop_loader *loader)
{
    const struct call_sighting *index = call_sighting_of(t, id);
    const struct call_flow *flow = call_flow_of(t, index->flow);
    struct sip_message m;
    struct slice bytes;
    if (!loader->reader(loader->context, index, a, &bytes) ||
        !sip_scan_again(loader->scanner, bytes, index->state, index->missing, &m))
        return NULL;
    struct hop_sighting *s = ARENA_NEW(a, struct hop_sighting);
    *s = (struct hop_sighting){.id = id,
                               .index = index,
                               .cseq = index->cseq,
                               .src = flow->src,
                               .dst = flow->dst,
                               .transport = flow->transport,
                               .message = copy_message(a, &m)};
    if (index->leg != CALL_NONE)
        s->leg = call_leg_of(t, index->leg);
    s->via_count = sip_vias(a, s->message, &s->vias, NULL);
    s->src_node = hop_node_at(n, &flow->src);
    s->dst_node = hop_node_at(n, &flow->dst);
    s->side = side_of(n, s);
    return s;
}

struct slice hop_header_tag(const struct hop_sighting *s, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(s->message, id);
    struct slice tag = SLICE_NONE;
    if (h)
        (void)sip_param(h->value, SLICE("tag"), &tag);
    return tag;
}

bool hop_tag_is_livekit(struct slice tag)
{
    return tag.n > 4 && slice_starts(tag, SLICE("SCL_"));
}

bool hop_branch_is_livekit(struct slice branch)
{
    if (branch.n != 8 + 16 || !slice_starts(branch, SLICE("z9hG4bK.")))
        return false;
    for (size_t i = 8; i < branch.n; i++) {
        unsigned char c = ascii_lower((unsigned char)branch.p[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z'))
            return false;
    }
    return true;
}

bool hop_via_equal(const struct sip_via *a, const struct sip_via *b)
{
    return slice_equal(a->branch, b->branch) && slice_equal_nocase(a->host, b->host) &&
           a->port == b->port;
}

bool hop_vias_end_with(const struct hop_sighting *longer, const struct hop_sighting *shorter)
{
    if (shorter->via_count == 0 || longer->via_count <= shorter->via_count)
        return false;
    size_t skip = longer->via_count - shorter->via_count;
    for (size_t i = 0; i < shorter->via_count; i++)
        if (!hop_via_equal(&longer->vias[skip + i], &shorter->vias[i]))
            return false;
    return true;
}

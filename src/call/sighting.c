/* Sightings: one record for each message at a point, found again by a keyed hash of what makes it
 * the same. */
#include "call/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- flows ---------------------------------------------------------------------------------- */

static uint64_t flow_hash(const struct call_table *t, const struct packet_payload *p)
{
    uint8_t bytes[2 * 19 + 1];
    size_t n = 0;
    const struct endpoint *ends[2] = {&p->src, &p->dst};
    for (int i = 0; i < 2; i++) {
        size_t length = ends[i]->ip.family == 4 ? 4 : 16;
        memcpy(bytes + n, ends[i]->ip.bytes, length);
        memcpy(bytes + n + length, &ends[i]->port, 2);
        n += length + 2;
    }
    bytes[n++] = (uint8_t)p->transport;
    return hash_bytes(&t->key, bytes, n);
}

static bool flow_is(const struct call_flow *f, const struct packet_payload *p)
{
    return f->uses && f->transport == p->transport && endpoint_equal(&f->src, &p->src) &&
           endpoint_equal(&f->dst, &p->dst);
}

/* Few flows carry most messages: a small table by their last bytes saves the hash. */
static uint32_t *flow_recent(struct call_table *t, const struct packet_payload *p)
{
    size_t at = p->src.ip.bytes[3] + 3u * p->dst.ip.bytes[3] + 5u * p->src.port + 7u * p->dst.port;
    return &t->recent_flows[at % CALL_RECENT_FLOWS];
}

static uint32_t flow_find(struct call_table *t, const struct packet_payload *p)
{
    uint64_t hash = flow_hash(t, p);
    uint32_t id;
    for (uint32_t at = map_first(&t->flow_index, hash);
         (id = map_next(&t->flow_index, hash, &at)) != MAP_NONE;) {
        struct call_flow *f = &t->flows.items[id];
        if (flow_is(f, p)) {
            f->uses++;
            return id;
        }
    }
    id = t->free_flow;
    if (id != CALL_NONE)
        t->free_flow = t->flows.items[id].next_free;
    else
        id = (uint32_t)vec_next(&t->flows);
    t->flows.items[id] = (struct call_flow){p->src, p->dst, (uint8_t)p->transport, 1, CALL_NONE};
    map_add(&t->flow_index, hash, id);
    return id;
}

uint32_t call_flow_use(struct call_table *t, const struct packet_payload *p)
{
    uint32_t *recent = flow_recent(t, p);
    if (*recent < t->flows.n && flow_is(&t->flows.items[*recent], p)) {
        t->flows.items[*recent].uses++;
        return *recent;
    }
    return *recent = flow_find(t, p);
}

void call_flow_release(struct call_table *t, uint32_t flow)
{
    struct call_flow *f = &t->flows.items[flow];
    if (--f->uses)
        return;
    struct packet_payload key = {.transport = f->transport, .src = f->src, .dst = f->dst};
    map_remove(&t->flow_index, flow_hash(t, &key), flow);
    f->next_free = t->free_flow;
    t->free_flow = flow;
}

/* ---- frames --------------------------------------------------------------------------------- */

uint32_t call_frame_new(struct call_table *t, uint32_t number, enum call_frame_kind kind,
                        uint32_t next)
{
    uint32_t id = t->free_frame;
    if (id != CALL_NONE) {
        t->free_frame = t->frames.items[id].next;
        t->frames_free--;
    } else {
        id = (uint32_t)vec_next(&t->frames);
    }
    t->frames.items[id] = (struct call_frame){number, next, (uint8_t)kind};
    return id;
}

static void frames_free(struct call_table *t, uint32_t first)
{
    while (first != CALL_NONE) {
        uint32_t next = t->frames.items[first].next;
        t->frames.items[first].next = t->free_frame;
        t->free_frame = first;
        t->frames_free++;
        first = next;
    }
}

/* ---- identity ------------------------------------------------------------------------------- */

static uint32_t hash32(const struct call_table *t, struct slice s)
{
    return s.n ? (uint32_t)(hash_slice(&t->key, s) >> 32) | 1u : 0;
}

static uint32_t tag_hash(const struct call_table *t, const struct sip_message *m,
                         enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(m, id);
    struct slice tag;
    return h && !h->cut && sip_param(h->value, SLICE("tag"), &tag) ? hash32(t, tag) : 0;
}

/* A list of calls needs the tag that began a leg and those that answered it (forks); following each
 * message needs all of them. */
static void read_tags(const struct call_table *t, const struct sip_message *m,
                      struct call_sighting *s)
{
    bool invite = m->method_id == SIP_INVITE;
    if (t->follow || (invite && m->kind == SIP_REQUEST))
        s->from_tag = tag_hash(t, m, SIP_HEADER_FROM);
    if (t->follow || (invite && m->kind == SIP_RESPONSE))
        s->to_tag = tag_hash(t, m, SIP_HEADER_TO);
}

/* The topmost Via's branch, which names the transaction on this hop (RFC 3261 17.1.3). */
static struct slice top_branch(const struct sip_message *m)
{
    const struct sip_header *via = sip_header_first(m, SIP_HEADER_VIA);
    struct slice rest, top, branch = SLICE_NONE;
    if (!via)
        return branch;
    top = rest = via->value;
    if (slice_find(rest, ',') == rest.n || sip_list_next(&rest, &top))
        (void)sip_param(top, SLICE("branch"), &branch);
    return branch;
}

/* What makes a message at a point the same one when it comes again.  A provisional response may be
 * repeated with other content under the same key, and a message without a branch has no transaction
 * to go by: there the bytes count as well. */
static uint64_t sighting_hash(const struct call_table *t, const struct call_sighting *s,
                              const struct sip_message *m)
{
    struct slice branch = top_branch(m);
    uint64_t h = hash_mix(s->leg, (uint64_t)s->point << 32 | s->flow);
    h = hash_mix(h, (uint64_t)s->cseq << 32 | (uint64_t)s->status << 16 | s->method);
    h = hash_mix(h, (uint64_t)s->from_tag << 32 | s->to_tag);
    h = hash_mix(h, hash_slice(&t->key, branch));
    if (m->method_id == SIP_METHOD_OTHER)
        h = hash_mix(h, hash_slice(&t->key, m->method));
    if ((m->status && m->status < 200) || branch.n == 0)
        h = hash_mix(h, hash_content(&t->key, m->bytes));
    return h;
}

static bool sighting_same(const struct call_sighting *a, const struct call_sighting *b)
{
    return a->leg == b->leg && a->point == b->point && a->flow == b->flow && a->cseq == b->cseq &&
           a->status == b->status && a->method == b->method && a->from_tag == b->from_tag &&
           a->to_tag == b->to_tag;
}

/* ---- filing --------------------------------------------------------------------------------- */

/* A stream hands out each of its bytes once, however often they were captured: what comes again on
 * it was sent again. */
static bool is_twin(const struct call_sighting *s, const struct packet_payload *p)
{
    if (p->transport != PACKET_UDP && p->transport != PACKET_SCTP)
        return false;
    int64_t last = s->time_ns + (int64_t)s->last_ms * 1000000;
    int64_t apart = p->time_ns > last ? p->time_ns - last : last - p->time_ns;
    return s->ip_id == (uint16_t)p->ip_id && apart <= (int64_t)CALL_TWIN_MS * 1000000;
}

static uint32_t add_frames(struct call_table *t, uint32_t list, const struct packet_payload *p,
                           enum call_frame_kind kind, bool also_last)
{
    for (size_t i = 0; i + (also_last ? 0 : 1) < p->frame_count; i++)
        list =
            call_frame_new(t, p->frames[i], i + 1 < p->frame_count ? CALL_FRAME_PART : kind, list);
    return list;
}

/* Keeps the bytes of a message, up to the limit. */
static void keep_bytes(struct call_table *t, struct call_sighting *s, struct slice bytes)
{
    if (t->kept_bytes + bytes.n > CALL_KEPT_BYTES) {
        t->stats.kept_lost++;
        return;
    }
    char *copy = base_alloc(bytes.n);
    memcpy(copy, bytes.p, bytes.n);
    t->kept_bytes += bytes.n;
    if (s->leg == CALL_NONE) {
        *vec_add(&t->orphan_bytes) = copy;
    } else {
        *vec_add(&t->legs.items[s->leg].kept) = copy;
        t->legs.items[s->leg].kept_bytes += bytes.n;
    }
    s->where = (uint64_t)(uintptr_t)copy;
    s->kept = true;
}

static void keep_where(struct call_table *t, struct call_sighting *s,
                       const struct packet_payload *p, const struct sip_message *m)
{
    s->length = (uint32_t)m->bytes.n;
    s->missing = p->missing < UINT32_MAX ? (uint32_t)p->missing : UINT32_MAX;
    s->where = SOURCE_NO_OFFSET;
    s->kept = false;
    if (p->offset != SOURCE_NO_OFFSET)
        s->where = p->offset + (uint64_t)(m->bytes.p - p->bytes.p);
    else if (t->follow)
        keep_bytes(t, s, m->bytes);
}

static bool is_part(enum sip_state state)
{
    return state == SIP_CUT || state == SIP_GAP;
}

/* The same message again.  The fuller copy is the one that is kept. */
static void sighting_again(struct call_table *t, struct call_sighting *s,
                           const struct packet_payload *p, const struct sip_message *m, bool twin)
{
    s->more = add_frames(t, s->more, p, twin ? CALL_FRAME_TWIN : CALL_FRAME_AGAIN, true);
    if (s->direction != p->direction)
        s->direction = SOURCE_UNKNOWN;
    if (is_part(s->state) && (!is_part(m->state) || m->bytes.n > s->length)) {
        keep_where(t, s, p, m);
        s->state = (uint8_t)m->state;
        s->headers_cut = !m->headers_complete;
    }
    if (twin)
        return;
    s->transmissions++;
    s->ip_id = (uint16_t)p->ip_id;
    int64_t ms = (p->time_ns - s->time_ns) / 1000000;
    s->last_ms = ms > 0 && ms < UINT32_MAX ? (uint32_t)ms : 0;
}

static uint32_t sighting_new(struct call_table *t)
{
    uint32_t id = t->free_sighting;
    if (id == CALL_NONE)
        return (uint32_t)vec_next(&t->sightings);
    t->free_sighting = t->sightings.items[id].next;
    t->sightings_free--;
    return id;
}

static void leg_append(struct call_table *t, uint32_t leg, uint32_t id)
{
    if (leg == CALL_NONE)
        return;
    struct call_leg *l = &t->legs.items[leg];
    if (l->last == CALL_NONE)
        l->first = id;
    else
        t->sightings.items[l->last].next = id;
    l->last = id;
    l->count++;
    uint16_t point = t->sightings.items[id].point;
    l->points |= (uint64_t)1 << (point < 63 ? point : 63);
}

void call_sighting_file(struct call_table *t, uint32_t leg, uint16_t point,
                        const struct packet_payload *p, const struct sip_message *m,
                        struct call_filing *filing)
{
    struct call_sighting s = {.time_ns = p->time_ns,
                              .more = CALL_NONE,
                              .next = CALL_NONE,
                              .leg = leg,
                              .cseq = m->cseq,
                              .transmissions = 1,
                              .point = point,
                              .status = m->status,
                              .method = (uint8_t)m->method_id,
                              .state = (uint8_t)m->state,
                              .headers_cut = !m->headers_complete,
                              .direction = (uint8_t)p->direction,
                              .ip_id = (uint16_t)p->ip_id};
    read_tags(t, m, &s);
    s.flow = call_flow_use(t, p);
    uint64_t hash = sighting_hash(t, &s, m);
    uint32_t id;
    for (uint32_t at = map_first(&t->sighting_index, hash);
         (id = map_next(&t->sighting_index, hash, &at)) != MAP_NONE;) {
        if (!sighting_same(&t->sightings.items[id], &s))
            continue;
        call_flow_release(t, s.flow);
        filing->sighting = id;
        filing->duplicate = is_twin(&t->sightings.items[id], p);
        filing->retransmission = !filing->duplicate;
        sighting_again(t, &t->sightings.items[id], p, m, filing->duplicate);
        return;
    }
    s.tag = (uint32_t)(hash >> 32);
    s.frame = p->frame_count ? p->frames[p->frame_count - 1] : 0;
    s.more = add_frames(t, CALL_NONE, p, CALL_FRAME_PART, false);
    keep_where(t, &s, p, m);
    id = sighting_new(t);
    t->sightings.items[id] = s;
    map_add(&t->sighting_index, hash, id);
    leg_append(t, leg, id);
    filing->sighting = id;
}

void call_sightings_free(struct call_table *t, uint32_t first)
{
    while (first != CALL_NONE) {
        struct call_sighting *s = &t->sightings.items[first];
        uint32_t next = s->next;
        map_remove(&t->sighting_index, call_hash_of_tag(s->tag), first);
        call_flow_release(t, s->flow);
        frames_free(t, s->more);
        s->next = t->free_sighting;
        t->free_sighting = first;
        t->sightings_free++;
        first = next;
    }
}

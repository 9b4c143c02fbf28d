/* Which frames carry SIP.  A TCP connection is known by a message in it, or by a port that SIP has
 * by custom; until then its frames are held. */
#include "trace/select.h"
#include "hop/hop.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* A frame that is held; n == 0 once it is handed on. */
struct held {
    struct source_frame frame; /* its bytes are a copy */
    uint32_t point;
    uint32_t flow; /* NONE: of no connection that is known */
    uint64_t next; /* of the same connection: its place; 0: the last */
    struct endpoint src, dst;
    char *copy; /* NULL: it was handed on */
};

enum flow_state { FLOW_OPEN, FLOW_SIP, FLOW_OTHER };

struct flow {
    struct endpoint ends[2];
    uint64_t hash;
    uint32_t newer, older; /* by when it was seen last; free: newer is the next free */
    uint64_t first, last;  /* held frames; 0: none */
    size_t bytes;          /* of data until it was known what it is */
    enum flow_state state;
};

struct trace_select {
    struct hash_key key;
    trace_frame_sink *sink;
    void *context;
    struct select_stats stats;
    struct map index;
    VEC(struct flow) flows;
    uint32_t newest, oldest, free_flow;
    VEC(struct held) held; /* a ring: place p is at p % TRACE_SELECT_FRAMES */
    uint64_t from, to;     /* places that are held: [from, to), from 1 on */
    size_t bytes;
    /* the frame that is being pushed */
    const struct source_frame *frame;
    const struct packet_stats *packets;
    uint64_t pieces; /* fragments and SCTP packets before it */
    uint32_t point;
    uint32_t flow; /* NONE: no segment of TCP */
    bool wanted, media;
    struct endpoint src, dst;
};

struct trace_select *select_new(const struct hash_key *key, trace_frame_sink *sink, void *context)
{
    struct trace_select *s = base_alloc(sizeof *s);
    s->key = *key;
    s->sink = sink;
    s->context = context;
    s->newest = s->oldest = s->free_flow = NONE;
    s->from = s->to = 1;
    return s;
}

static struct held *held_at(struct trace_select *s, uint64_t place)
{
    return &s->held.items[place % TRACE_SELECT_FRAMES];
}

/* ---- handing on ------------------------------------------------------------------------------ */

static void hand_on(struct trace_select *s, const struct trace_frame *frame)
{
    s->stats.selected++;
    s->sink(s->context, frame);
}

static void let_go(struct trace_select *s, struct held *h)
{
    if (!h->copy)
        return;
    s->bytes -= h->frame.bytes.n;
    free(h->copy);
    h->copy = NULL;
}

static void hand_on_held(struct trace_select *s, struct held *h, bool media)
{
    const struct trace_frame frame = {h->point, &h->frame, media, h->src, h->dst};
    if (!h->copy)
        return;
    hand_on(s, &frame);
    let_go(s, h);
}

/* ---- connections ----------------------------------------------------------------------------- */

static uint64_t hash_end(const struct trace_select *s, const struct endpoint *e)
{
    uint8_t key[20] = {0};
    memcpy(key, e->ip.bytes, 16);
    memcpy(key + 16, &e->port, 2);
    return hash_bytes(&s->key, key, sizeof key);
}

/* The same both ways. */
static uint64_t hash_ends(const struct trace_select *s, const struct endpoint *a,
                          const struct endpoint *b)
{
    return hash_mix(hash_end(s, a) + hash_end(s, b), 1);
}

static bool has_ends(const struct flow *f, const struct endpoint *a, const struct endpoint *b)
{
    return (endpoint_equal(&f->ends[0], a) && endpoint_equal(&f->ends[1], b)) ||
           (endpoint_equal(&f->ends[0], b) && endpoint_equal(&f->ends[1], a));
}

static uint32_t find_flow(const struct trace_select *s, uint64_t hash, const struct endpoint *a,
                          const struct endpoint *b)
{
    uint32_t id;
    if (s->flows.n == 0)
        return NONE;
    for (uint32_t at = map_first(&s->index, hash);
         (id = map_next(&s->index, hash, &at)) != MAP_NONE;)
        if (has_ends(&s->flows.items[id], a, b))
            return id;
    return NONE;
}

static void unlink_flow(struct trace_select *s, uint32_t id)
{
    const struct flow *f = &s->flows.items[id];
    *(f->newer == NONE ? &s->newest : &s->flows.items[f->newer].older) = f->older;
    *(f->older == NONE ? &s->oldest : &s->flows.items[f->older].newer) = f->newer;
}

static void link_flow(struct trace_select *s, uint32_t id)
{
    struct flow *f = &s->flows.items[id];
    f->newer = NONE;
    f->older = s->newest;
    *(s->newest == NONE ? &s->oldest : &s->flows.items[s->newest].newer) = id;
    s->newest = id;
}

/* Its held frames are handed on, or are of no use. */
static void settle_held(struct trace_select *s, struct flow *f, bool is_sip)
{
    for (uint64_t at = f->first; at; at = held_at(s, at)->next) {
        struct held *h = held_at(s, at);
        h->flow = NONE;
        if (is_sip)
            hand_on_held(s, h, false);
        else
            let_go(s, h);
    }
    f->first = f->last = 0;
}

static void evict_flow(struct trace_select *s)
{
    uint32_t id = s->oldest;
    struct flow *f = &s->flows.items[id];
    for (uint64_t at = f->first; at; at = held_at(s, at)->next)
        s->stats.given_up += held_at(s, at)->copy != NULL;
    settle_held(s, f, false);
    map_remove(&s->index, f->hash, id);
    unlink_flow(s, id);
    f->newer = s->free_flow;
    s->free_flow = id;
}

static uint32_t flow_new(struct trace_select *s, uint64_t hash, const struct endpoint *a,
                         const struct endpoint *b)
{
    if (s->free_flow == NONE && s->flows.n >= TRACE_SELECT_FLOWS)
        evict_flow(s);
    uint32_t id = s->free_flow;
    if (id == NONE)
        id = (uint32_t)vec_next(&s->flows);
    else
        s->free_flow = s->flows.items[id].newer;
    bool by_port = hop_is_sip_port(a->port) || hop_is_sip_port(b->port);
    s->flows.items[id] =
        (struct flow){.ends = {*a, *b}, .hash = hash, .state = by_port ? FLOW_SIP : FLOW_OPEN};
    map_add(&s->index, hash, id);
    link_flow(s, id);
    return id;
}

void select_segment(struct trace_select *s, const struct packet_segment *segment)
{
    uint64_t hash = hash_ends(s, &segment->src, &segment->dst);
    uint32_t id = find_flow(s, hash, &segment->src, &segment->dst);
    if (id == NONE) {
        id = flow_new(s, hash, &segment->src, &segment->dst);
    } else if (id != s->newest) {
        unlink_flow(s, id);
        link_flow(s, id);
    }
    struct flow *f = &s->flows.items[id];
    if (segment->opens && f->state == FLOW_OTHER) { /* another connection of the same ends */
        f->state = FLOW_OPEN;
        f->bytes = 0;
    }
    f->bytes += segment->bytes;
    s->flow = id;
    s->src = segment->src;
    s->dst = segment->dst;
}

static void found_sip(struct trace_select *s, uint32_t id)
{
    struct flow *f = &s->flows.items[id];
    if (f->state == FLOW_SIP)
        return;
    settle_held(s, f, true);
    f->state = FLOW_SIP;
}

/* ---- what the decoder tells ------------------------------------------------------------------ */

/* The place of a frame by its number, or of the first one after it. */
static uint64_t find_held(struct trace_select *s, uint32_t number)
{
    uint64_t from = s->from, to = s->to;
    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        if (held_at(s, middle)->frame.number < number)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void want_frames(struct trace_select *s, const struct packet_payload *p, bool media)
{
    for (size_t i = 0; i < p->frame_count; i++) {
        if (s->frame && p->frames[i] == s->frame->number) {
            s->wanted = true;
            s->media = media;
            continue;
        }
        uint64_t place = find_held(s, p->frames[i]);
        if (place < s->to && held_at(s, place)->frame.number == p->frames[i])
            hand_on_held(s, held_at(s, place), media);
    }
}

void select_sip(struct trace_select *s, const struct packet_payload *payload)
{
    bool stream = payload->transport != PACKET_UDP && payload->transport != PACKET_SCTP;
    uint32_t id = NONE;
    if (s->flow == NONE || !payload->has_agent) {
        s->src = payload->src;
        s->dst = payload->dst;
    }
    if (payload->has_agent)
        id = s->flow; /* its addresses are those of the message that HEP carries */
    else if (stream)
        id = find_flow(s, hash_ends(s, &payload->src, &payload->dst), &payload->src, &payload->dst);
    if (id != NONE)
        found_sip(s, id);
    want_frames(s, payload, false);
}

void select_media(struct trace_select *s, const struct packet_payload *payload)
{
    s->src = payload->src;
    s->dst = payload->dst;
    want_frames(s, payload, true);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static uint64_t pieces_of(const struct packet_stats *p)
{
    return p->fragments + p->sctp_packets;
}

void select_begin(struct trace_select *s, uint32_t point, const struct source_frame *frame,
                  const struct packet_stats *stats)
{
    s->frame = frame;
    s->packets = stats;
    s->pieces = pieces_of(stats);
    s->point = point;
    s->flow = NONE;
    s->wanted = s->media = false;
    s->src = s->dst = (struct endpoint){0};
}

/* The oldest is let go of. */
static void forget(struct trace_select *s, bool at_limit)
{
    struct held *h = held_at(s, s->from++);
    if (h->flow != NONE) {
        struct flow *f = &s->flows.items[h->flow];
        f->first = h->next;
        f->last = h->next ? f->last : 0;
    }
    s->stats.given_up += at_limit && h->copy;
    let_go(s, h);
}

static void make_room(struct trace_select *s)
{
    while (s->to - s->from >= TRACE_SELECT_FRAMES || s->bytes > TRACE_SELECT_BYTES)
        forget(s, true);
    while (s->from < s->to && s->frame->time_ns - held_at(s, s->from)->frame.time_ns >
                                  TRACE_SELECT_SECONDS * (int64_t)1000000000)
        forget(s, false);
}

static void hold(struct trace_select *s)
{
    make_room(s);
    while (s->held.n < TRACE_SELECT_FRAMES && s->held.n <= s->to % TRACE_SELECT_FRAMES)
        (void)vec_add(&s->held);
    uint64_t place = s->to++;
    struct held *h = held_at(s, place);
    *h = (struct held){.frame = *s->frame,
                       .point = s->point,
                       .flow = s->flow,
                       .src = s->src,
                       .dst = s->dst,
                       .copy = base_alloc(s->frame->bytes.n)};
    if (s->frame->bytes.n)
        memcpy(h->copy, s->frame->bytes.p, s->frame->bytes.n);
    h->frame.bytes.p = h->copy;
    s->bytes += h->frame.bytes.n;
    if (s->flow == NONE)
        return;
    struct flow *f = &s->flows.items[s->flow];
    if (f->last)
        held_at(s, f->last)->next = place;
    else
        f->first = place;
    f->last = place;
}

static void end_segment(struct trace_select *s)
{
    struct flow *f = &s->flows.items[s->flow];
    if (f->state == FLOW_OPEN && f->bytes > TRACE_SELECT_FLOW_BYTES) {
        settle_held(s, f, false);
        f->state = FLOW_OTHER;
    }
    if (f->state == FLOW_OPEN)
        hold(s);
    else if (f->state == FLOW_SIP)
        s->wanted = true;
}

void select_end(struct trace_select *s)
{
    if (!s->wanted && s->flow != NONE)
        end_segment(s);
    else if (!s->wanted && pieces_of(s->packets) != s->pieces)
        hold(s);
    if (s->wanted) {
        const struct trace_frame frame = {s->point, s->frame, s->media, s->src, s->dst};
        hand_on(s, &frame);
    }
    s->frame = NULL;
}

void select_flush(struct trace_select *s)
{
    while (s->from < s->to)
        forget(s, false);
}

const struct select_stats *select_stats(const struct trace_select *s)
{
    return &s->stats;
}

void select_free(struct trace_select *s)
{
    if (!s)
        return;
    select_flush(s);
    vec_free(&s->held);
    vec_free(&s->flows);
    map_free(&s->index);
    free(s);
}

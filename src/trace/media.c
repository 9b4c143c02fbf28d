/* The table of media: addresses from SDP, and what RTP was seen at them. */
#include "trace/media.h"
#include "trace/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RTP_HEAD     12u
#define RTP_DROPOUT  3000u /* RFC 3550 A.1: a greater step forth is a new beginning, */
#define RTP_MISORDER 100u  /* and so is a greater one back */
#define RTCP_FROM    192u
#define RTCP_TO      223u

struct media_table {
    struct hash_key key;
    VEC(struct media_place) places;
    VEC(struct media_stream) streams;
    struct map index;
    uint32_t newest, oldest;
    uint32_t free_place, free_stream;
    uint32_t used; /* streams */
    struct media_stats stats;
};

struct media_table *media_table_new(const struct hash_key *key)
{
    struct media_table *t = base_alloc(sizeof *t);
    t->key = *key;
    t->newest = t->oldest = t->free_place = t->free_stream = MEDIA_NONE;
    return t;
}

void media_table_free(struct media_table *t)
{
    if (!t)
        return;
    vec_free(&t->places);
    vec_free(&t->streams);
    map_free(&t->index);
    free(t);
}

/* ---- places ---------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct media_table *t, const struct endpoint *at)
{
    uint8_t key[20] = {0};
    size_t n = at->ip.family == 4 ? 4 : 16;
    memcpy(key, &at->port, 2);
    memcpy(key + 4, at->ip.bytes, n);
    return hash_bytes(&t->key, key, 4 + n);
}

static uint32_t find(const struct media_table *t, const struct endpoint *at, uint64_t hash)
{
    uint32_t id;
    if (t->places.n == 0)
        return MEDIA_NONE;
    for (uint32_t slot = map_first(&t->index, hash);
         (id = map_next(&t->index, hash, &slot)) != MAP_NONE;)
        if (endpoint_equal(&t->places.items[id].at, at))
            return id;
    return MEDIA_NONE;
}

static void unlink_place(struct media_table *t, uint32_t id)
{
    assert(t->places.items);
    const struct media_place *p = &t->places.items[id];
    *(p->newer == MEDIA_NONE ? &t->newest : &t->places.items[p->newer].older) = p->older;
    *(p->older == MEDIA_NONE ? &t->oldest : &t->places.items[p->older].newer) = p->newer;
}

static void link_newest(struct media_table *t, uint32_t id)
{
    assert(t->places.items);
    struct media_place *p = &t->places.items[id];
    p->newer = MEDIA_NONE;
    p->older = t->newest;
    *(t->newest == MEDIA_NONE ? &t->oldest : &t->places.items[t->newest].newer) = id;
    t->newest = id;
}

static void free_streams(struct media_table *t, struct media_place *p)
{
    while (p->streams != MEDIA_NONE) {
        uint32_t id = p->streams;
        p->streams = t->streams.items[id].next;
        t->streams.items[id].next = t->free_stream;
        t->free_stream = id;
        t->used--;
    }
}

static void evict_oldest(struct media_table *t)
{
    uint32_t id = t->oldest;
    if (id == MEDIA_NONE)
        return;
    assert(t->places.items);
    struct media_place *p = &t->places.items[id];
    map_remove(&t->index, hash_of(t, &p->at), id);
    unlink_place(t, id);
    free_streams(t, p);
    p->newer = t->free_place;
    t->free_place = id;
    t->stats.places--;
    t->stats.places_evicted++;
}

static uint32_t place_new(struct media_table *t, const struct endpoint *at, uint64_t hash)
{
    uint32_t id = t->free_place;
    if (id == MEDIA_NONE) {
        id = (uint32_t)vec_next(&t->places);
    } else {
        assert(t->places.items);
        t->free_place = t->places.items[id].newer;
    }
    assert(t->places.items);
    t->places.items[id] = (struct media_place){.at = *at, .streams = MEDIA_NONE};
    map_add(&t->index, hash, id);
    link_newest(t, id);
    t->stats.places++;
    return id;
}

static struct media_place *name_place(struct media_table *t, const struct endpoint *at)
{
    if (at->ip.family == 0 || at->port == 0)
        return NULL;
    uint64_t hash = hash_of(t, at);
    uint32_t id = find(t, at, hash);
    if (id == MEDIA_NONE) {
        if (t->stats.places >= TRACE_MEDIA_PLACES)
            evict_oldest(t);
        id = place_new(t, at, hash);
    } else if (id != t->newest) {
        unlink_place(t, id);
        link_newest(t, id);
    }
    return &t->places.items[id];
}

static void note_rates(struct media_place *p, const struct sip_media *m)
{
    p->rate_count = 0;
    for (size_t i = 0; i < m->codec_count && p->rate_count < MEDIA_RATES; i++)
        if (m->codecs[i].rate)
            p->rates[p->rate_count++] =
                (struct media_rate){m->codecs[i].payload_type, m->codecs[i].rate};
}

void media_table_note(struct media_table *t, struct arena *scratch, const struct sip_message *m)
{
    const struct sip_media *media = NULL;
    struct slice sdp = sip_sdp_of(m);
    size_t n = sdp.n ? sip_sdp_media(scratch, sdp, &media, NULL) : 0;
    for (size_t i = 0; i < n; i++) {
        struct media_place *p = media[i].rtp.port ? name_place(t, &media[i].rtp) : NULL;
        if (p)
            note_rates(p, &media[i]);
        if (p && !endpoint_equal(&media[i].rtp, &media[i].rtcp))
            name_place(t, &media[i].rtcp);
    }
}

/* ---- streams --------------------------------------------------------------------------------- */

struct rtp {
    uint8_t payload_type;
    uint16_t seq;
    uint32_t time, ssrc;
};

static bool read_rtp(struct slice bytes, struct rtp *r)
{
    struct cursor c = cursor_of(bytes);
    uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
    *r = (struct rtp){second & 0x7f, cursor_be16(&c), cursor_be32(&c), cursor_be32(&c)};
    return !c.failed && first >> 6 == 2 && (second < RTCP_FROM || second > RTCP_TO);
}

/* The stream, which then is the first of its place. */
static struct media_stream *find_stream(struct media_table *t, struct media_place *place,
                                        uint16_t point, const struct packet_payload *p,
                                        uint32_t ssrc)
{
    for (uint32_t *at = &place->streams; *at != MEDIA_NONE; at = &t->streams.items[*at].next) {
        uint32_t id = *at;
        struct media_stream *s = &t->streams.items[id];
        if (s->ssrc != ssrc || s->point != point || !endpoint_equal(&s->src, &p->src) ||
            !endpoint_equal(&s->dst, &p->dst))
            continue;
        *at = s->next;
        s->next = place->streams;
        place->streams = id;
        return s;
    }
    return NULL;
}

static struct media_stream *stream_new(struct media_table *t, struct media_place *place)
{
    uint32_t id = t->free_stream;
    if (t->used >= TRACE_MEDIA_STREAMS || place->stream_count >= TRACE_MEDIA_STREAMS_AT) {
        t->stats.streams_left_out++;
        return NULL;
    }
    if (id == MEDIA_NONE)
        id = (uint32_t)vec_next(&t->streams);
    else
        t->free_stream = t->streams.items[id].next;
    struct media_stream *s = &t->streams.items[id];
    *s = (struct media_stream){.next = place->streams};
    place->streams = id;
    place->stream_count++;
    t->used++;
    t->stats.streams++;
    return s;
}

static uint32_t rate_of(const struct media_place *place, uint8_t payload_type)
{
    for (size_t i = 0; i < place->rate_count; i++)
        if (place->rates[i].payload_type == payload_type)
            return place->rates[i].rate;
    return 0;
}

uint64_t media_stream_lost(const struct media_stream *s)
{
    uint64_t expected = (uint64_t)(s->max_seq - s->base_seq) + 1;
    return s->lost + (expected > s->received ? expected - s->received : 0);
}

/* RFC 3550 A.1, without its probation: SDP has named the place. */
static void count_seq(struct media_stream *s, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - (uint16_t)s->max_seq);
    uint16_t behind = (uint16_t)((uint16_t)s->max_seq - seq);
    if (ahead < RTP_DROPOUT) {
        s->max_seq += ahead;
    } else if (behind > RTP_MISORDER) {
        s->lost = media_stream_lost(s);
        s->base_seq = s->max_seq = seq;
        s->received = 0;
    }
    s->received++;
}

/* RFC 3550 6.4.1 and A.8 */
static void count_jitter(struct media_stream *s, const struct rtp *r, int64_t time_ns)
{
    if (!s->rate || r->payload_type != s->payload_type)
        return;
    uint32_t arrival = (uint32_t)((unsigned __int128)(uint64_t)time_ns * s->rate / 1000000000u);
    uint32_t transit = arrival - r->time;
    int32_t d = (int32_t)(transit - s->transit);
    if (s->timed)
        s->jitter += ((d < 0 ? -(double)d : (double)d) - s->jitter) / 16;
    s->transit = transit;
    s->timed = true;
}

static void count(struct media_table *t, struct media_place *place, uint16_t point,
                  const struct packet_payload *p, const struct rtp *r)
{
    struct media_stream *s = find_stream(t, place, point, p, r->ssrc);
    if (!s) {
        s = stream_new(t, place);
        if (!s)
            return;
        s->src = p->src;
        s->dst = p->dst;
        s->ssrc = r->ssrc;
        s->point = point;
        s->payload_type = r->payload_type;
        s->rate = rate_of(place, r->payload_type);
        s->first_ns = p->time_ns;
        s->base_seq = s->max_seq = r->seq;
    }
    s->packets++;
    s->bytes += p->bytes.n + p->missing;
    s->last_ns = p->time_ns;
    count_seq(s, r->seq);
    count_jitter(s, r, p->time_ns);
}

/* Who receives told where; a sender is known by where it receives, where the other end is behind a
 * translator of addresses. */
bool media_table_saw(struct media_table *t, uint16_t point, const struct packet_payload *p)
{
    struct rtp r;
    if (p->transport != PACKET_UDP)
        return false;
    uint32_t id = find(t, &p->dst, hash_of(t, &p->dst));
    if (id == MEDIA_NONE)
        id = find(t, &p->src, hash_of(t, &p->src));
    if (id == MEDIA_NONE)
        return false;
    if (read_rtp(p->bytes, &r))
        count(t, &t->places.items[id], point, p, &r);
    return true;
}

void media_table_at(const struct media_table *t, const struct endpoint *at,
                    void (*visit)(void *context, const struct media_stream *s), void *context)
{
    uint32_t id = at->ip.family && at->port ? find(t, at, hash_of(t, at)) : MEDIA_NONE;
    if (id == MEDIA_NONE)
        return;
    for (uint32_t s = t->places.items[id].streams; s != MEDIA_NONE; s = t->streams.items[s].next)
        visit(context, &t->streams.items[s]);
}

const struct media_stats *media_table_stats(const struct media_table *t)
{
    return &t->stats;
}

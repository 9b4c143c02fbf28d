/* The media of a call: what its messages say in SDP, and the streams that were seen there while it
 * lasted. */
#include "trace/internal.h"

#include <stdlib.h>
#include <string.h>

#define SKEW_NS (5 * (int64_t)1000000000) /* clocks of hosts differ; media go on after the BYE */

struct gathering {
    struct arena *a;
    struct trace_call_media *out;
    VEC(struct trace_media) media;
    VEC(struct trace_stream) streams;
    VEC(const struct sip_codec *) codecs; /* of each media, */
    VEC(size_t) codec_counts;             /* so many */
    size_t at;                            /* the media whose streams are gathered */
    int64_t from_ns, to_ns;
};

/* ---- from SDP -------------------------------------------------------------------------------- */

static bool is_known(const struct gathering *g, const struct sip_media *m)
{
    for (size_t i = g->media.n; i-- > 0;) {
        const struct trace_media *known = &g->media.items[i];
        if (endpoint_equal(&known->rtp, &m->rtp) && slice_equal(known->kind, m->kind))
            return known->direction == m->direction && known->hold == m->hold;
    }
    return false;
}

/* Timestamps that jump about by design give more than any clock does. */
static uint32_t jitter_us(const struct media_stream *s)
{
    double us = s->rate ? s->jitter * 1e6 / s->rate : 0;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void add_media(struct gathering *g, const struct hop_sighting *s, const struct sip_media *m)
{
    if (is_known(g, m))
        return;
    if (g->media.n == TRACE_CALL_MEDIA_MAX) {
        g->out->left_out++;
        return;
    }
    *vec_add(&g->media) =
        (struct trace_media){.sighting = s->id,
                             .time_ns = s->index->time_ns,
                             .said_by = s->src,
                             .rtp = m->rtp,
                             .rtcp = m->rtcp,
                             .kind = m->kind,
                             .protocol = m->protocol,
                             .codec = m->codec_count ? m->codecs[0].name : SLICE_NONE,
                             .direction = m->direction,
                             .hold = m->hold};
    *vec_add(&g->codecs) = m->codecs;
    *vec_add(&g->codec_counts) = m->codec_count;
}

static void look_at(struct gathering *g, const struct hop_sighting *s)
{
    const struct sip_media *media;
    size_t left_out = 0;
    struct slice sdp = s->message ? sip_sdp_of(s->message) : SLICE_NONE;
    size_t n = sdp.n ? sip_sdp_media(g->a, sdp, &media, &left_out) : 0;
    g->out->left_out += left_out;
    for (size_t i = 0; i < n; i++)
        add_media(g, s, &media[i]);
}

/* ---- what was seen --------------------------------------------------------------------------- */

static struct slice codec_named(const struct gathering *g, size_t media, uint8_t payload_type)
{
    for (size_t i = 0; i < g->codec_counts.items[media]; i++)
        if (g->codecs.items[media][i].payload_type == payload_type)
            return g->codecs.items[media][i].name;
    return SLICE_NONE;
}

static struct slice codec_of(const struct gathering *g, uint8_t payload_type)
{
    struct slice name = codec_named(g, g->at, payload_type);
    for (size_t i = 0; i < g->media.n && !name.n; i++)
        name = codec_named(g, i, payload_type);
    return name;
}

static bool is_listed(const struct gathering *g, const struct media_stream *s)
{
    for (size_t i = 0; i < g->streams.n; i++) {
        const struct trace_stream *known = &g->streams.items[i];
        if (known->ssrc == s->ssrc && known->point == s->point &&
            endpoint_equal(&known->src, &s->src) && endpoint_equal(&known->dst, &s->dst))
            return true;
    }
    return false;
}

static void add_stream(void *context, const struct media_stream *s)
{
    struct gathering *g = context;
    if (s->last_ns < g->from_ns || s->first_ns > g->to_ns || is_listed(g, s))
        return;
    if (g->streams.n == TRACE_CALL_STREAMS_MAX) {
        g->out->left_out++;
        return;
    }
    *vec_add(&g->streams) = (struct trace_stream){
        .point = s->point,
        .src = s->src,
        .dst = s->dst,
        .ssrc = s->ssrc,
        .payload_type = s->payload_type,
        .kind = g->media.items[g->at].kind,
        .codec = codec_of(g, s->payload_type),
        .packets = s->packets,
        .bytes = s->bytes,
        .lost = media_stream_lost(s),
        .has_jitter = s->timed,
        .jitter_us = jitter_us(s),
        .first_ns = s->first_ns,
        .last_ns = s->last_ns,
    };
}

static int by_time(const void *a, const void *b)
{
    const struct trace_stream *x = a, *y = b;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    if (x->point != y->point)
        return x->point < y->point ? -1 : 1;
    return x->ssrc < y->ssrc ? -1 : x->ssrc > y->ssrc;
}

/* An address serves one call after the other. */
void trace_call_time(const struct hop_call *call, int64_t *from_ns, int64_t *to_ns)
{
    *from_ns = INT64_MAX;
    *to_ns = INT64_MIN;
    for (size_t i = 0; i < call->leg_count; i++) {
        const struct call_leg *leg = call_leg_of(call->table, call->legs[i]);
        int64_t end = leg->end_ns || leg->refused ? leg->last_ns + SKEW_NS : INT64_MAX;
        if (leg->start_ns - SKEW_NS < *from_ns)
            *from_ns = leg->start_ns - SKEW_NS;
        if (end > *to_ns)
            *to_ns = end;
    }
}

#define COPY(arena, vec, type)                                                                     \
    ((vec).n ? memcpy(ARENA_ARRAY((arena), type, (vec).n), (vec).items, (vec).n * sizeof(type))    \
             : NULL)

void trace_call_media(struct trace *t, const struct hop_call *call, struct arena *a,
                      struct trace_call_media *out)
{
    struct gathering g = {.a = a, .out = out};
    *out = (struct trace_call_media){0};
    trace_call_time(call, &g.from_ns, &g.to_ns);
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++)
            look_at(&g, call->journeys[i].steps[k].sighting);
    for (g.at = 0; t->media && g.at < g.media.n; g.at++)
        media_table_at(t->media, &g.media.items[g.at].rtp, add_stream, &g);
    if (g.streams.n)
        qsort(g.streams.items, g.streams.n, sizeof *g.streams.items, by_time);
    out->media = COPY(a, g.media, struct trace_media);
    out->media_count = g.media.n;
    out->streams = COPY(a, g.streams, struct trace_stream);
    out->stream_count = g.streams.n;
    vec_free(&g.media);
    vec_free(&g.streams);
    vec_free(&g.codecs);
    vec_free(&g.codec_counts);
}

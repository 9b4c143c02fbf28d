/* What the messages of a call say of its media, and the RTP that was seen of them. */
#include "tui/internal.h"

static void add_codecs(struct text *out, const struct sip_media *m, size_t most)
{
    for (size_t i = 0; i < m->codec_count && i < most; i++) {
        struct slice name = m->codecs[i].name;
        text_add(out, i ? SLICE(",") : SLICE(" "));
        if (name.n)
            text_add(out, slice_first(name, slice_find(name, '/')));
        else
            text_printf(out, "%u", m->codecs[i].payload_type);
    }
}

static void add_place(const struct tui *t, struct text *out, const struct sip_media *m)
{
    if (m->rtp.port == 0) {
        text_add(out, SLICE("refused"));
    } else if (m->rtp.ip.family) {
        tui_add_endpoint(t, out, &m->rtp);
    } else {
        text_add(out, m->host);
        text_printf(out, ":%u", m->rtp.port);
    }
}

void tui_add_sdp(const struct tui *t, struct text *out, const struct sip_message *m, size_t codecs)
{
    struct arena a = {0};
    const struct sip_media *media;
    struct slice sdp = sip_sdp_of(m);
    size_t n = sdp.n ? sip_sdp_media(&a, sdp, &media, NULL) : 0;
    if (n) {
        add_place(t, out, &media[0]);
        add_codecs(out, &media[0], codecs);
        text_add(out, media[0].hold ? SLICE(" hold") : SLICE(""));
    }
    if (n > 1)
        text_printf(out, " +%zu", n - 1);
    arena_free(&a);
}

/* ---- the screen ------------------------------------------------------------------------------ */

static void add_said(const struct tui *t, struct text *out, const struct trace_media *m)
{
    text_add(out, SLICE("  "));
    text_add(out, m->kind);
    text_add_char(out, ' ');
    if (m->rtp.port)
        tui_add_endpoint(t, out, &m->rtp);
    else
        text_add(out, SLICE("refused"));
    text_add_char(out, ' ');
    text_add(out, m->codec.n ? m->codec : m->protocol);
    text_printf(out, " %s%s\n    said by ", sip_media_direction_name(m->direction),
                m->hold ? " (hold)" : "");
    tui_add_endpoint(t, out, &m->said_by);
    text_add(out, SLICE(" at "));
    view_add_clock(out, tui_set(t, SET_ZONE), m->time_ns);
    text_add_char(out, '\n');
}

static void add_jitter(struct text *out, const struct trace_stream *s)
{
    if (s->has_jitter)
        text_printf(out, ", jitter %u.%u ms", s->jitter_us / 1000, s->jitter_us / 100 % 10);
}

static void add_stream(const struct tui *t, struct text *out, const struct trace_stream *s)
{
    const struct trace_point *points;
    uint64_t sent = s->packets + s->lost;
    trace_points(t->trace, &points);
    text_add(out, SLICE("  "));
    tui_add_endpoint(t, out, &s->src);
    text_add(out, SLICE(" -> "));
    tui_add_endpoint(t, out, &s->dst);
    text_printf(out, "\n    at %s, ", points[s->point].name);
    text_add(out, s->codec.n ? s->codec : s->kind);
    text_printf(out, " (%u)\n    %llu packets, %llu lost (%.1f %%)", s->payload_type,
                (unsigned long long)s->packets, (unsigned long long)s->lost,
                sent ? 100.0 * (double)s->lost / (double)sent : 0.0);
    add_jitter(out, s);
    text_printf(out, ", %.1f s, SSRC %08x\n", (double)(s->last_ns - s->first_ns) / 1e9, s->ssrc);
}

void tui_media_push(struct tui *t)
{
    struct arena a = {0};
    struct text words = {0};
    struct trace_call_media m;
    const struct tui_call *c = tui_call_now(t);
    trace_call_media(t->trace, c->hops, &a, &m);
    text_add(&words, SLICE("Session descriptions\n"));
    for (size_t i = 0; i < m.media_count; i++)
        add_said(t, &words, &m.media[i]);
    text_add(&words, m.media_count ? SLICE("") : SLICE("  none of these messages has one\n"));
    text_add(&words, SLICE("\nRTP\n"));
    for (size_t i = 0; i < m.stream_count; i++)
        add_stream(t, &words, &m.streams[i]);
    text_add(&words, m.stream_count ? SLICE("") : SLICE("  no point saw any of this call\n"));
    if (m.left_out)
        text_printf(&words, "\n  %llu more are left out\n", (unsigned long long)m.left_out);
    if (c->part)
        text_add(&words, SLICE("\n  (of the messages around the cursor)\n"));
    tui_text_push(t, "Media", &words);
    arena_free(&a);
}

/* The decoder: takes frames, sends them through the readers, counts what becomes of them. */
#include "packet/internal.h"

#include <stdlib.h>

const char *packet_transport_name(enum packet_transport t)
{
    static const char *const names[] = {
        [PACKET_UDP] = "udp", [PACKET_TCP] = "tcp", [PACKET_TLS] = "tls",
        [PACKET_WS] = "ws",   [PACKET_WSS] = "wss", [PACKET_SCTP] = "sctp",
    };
    return names[t];
}

bool packet_link_readable(int link_type)
{
    return packet_link_find(link_type) != NULL;
}

struct packet_decoder *packet_decoder_new(const struct hash_key *key,
                                          const struct packet_sinks *sinks,
                                          struct packet_keys *keys)
{
    struct packet_decoder *d = base_alloc(sizeof *d);
    d->sinks = *sinks;
    d->key = *key;
    d->keys = keys;
    d->fragments = packet_fragments_new(key);
    d->tcp = packet_tcp_new(key);
    d->sctp = packet_sctp_new(key);
    d->tls = packet_tls_new();
    return d;
}

void packet_tell_hidden(struct packet_decoder *d, packet_hidden_sink *sink)
{
    d->hidden = sink;
}

void packet_tell_segments(struct packet_decoder *d, packet_segment_sink *sink)
{
    d->segment = sink;
}

void packet_tell_secrets(struct packet_decoder *d, packet_secret_sink *sink)
{
    d->secret = sink;
}

static enum packet_transport transport_of(const struct source_message *m)
{
    if (m->websocket)
        return m->tls ? PACKET_WSS : PACKET_WS;
    if (m->tls)
        return PACKET_TLS;
    return m->ip_protocol == 6 ? PACKET_TCP : m->ip_protocol == 132 ? PACKET_SCTP : PACKET_UDP;
}

/* The source has taken off what was around the message. */
static void push_message(struct packet_context *x, const struct source_message *m,
                         struct packet_view v)
{
    x->out.src = m->src;
    x->out.dst = m->dst;
    x->out.ip_id = *x->out.frames; /* each is a transmission of its own */
    packet_emit(x, transport_of(m), v);
}

void packet_push(struct packet_decoder *d, const struct source_frame *frame)
{
    struct packet_context x = {
        .d = d,
        .out = {.time_ns = frame->time_ns,
                .offset = frame->offset,
                .frames = &frame->number,
                .frame_count = 1,
                .direction = frame->direction,
                .interface = frame->interface},
        .origin = frame->bytes.p,
    };
    struct packet_view v = {frame->bytes, 0};
    d->stats.frames++;
    packet_tls_poll(d);
    if (frame->length > frame->bytes.n)
        v.missing = frame->length - frame->bytes.n;
    if (frame->message) {
        push_message(&x, frame->message, v);
        return;
    }
    packet_reader *read = packet_link_find(frame->link_type);
    if (read) {
        read(&x, v);
    } else {
        if (d->stats.unknown_link++ == 0)
            d->stats.unknown_link_type = frame->link_type;
    }
}

void packet_flush(struct packet_decoder *d)
{
    packet_fragments_flush(d);
    packet_tcp_flush(d);
    packet_sctp_flush(d);
    packet_tls_flush(d);
}

void packet_lost(struct packet_context *x, const struct packet_view *v)
{
    if (v->missing)
        x->d->stats.cut++;
    else
        x->d->stats.malformed++;
}

void packet_malformed(struct packet_context *x)
{
    x->d->stats.malformed++;
}

void packet_limit(struct packet_context *x, struct packet_view *v, size_t n)
{
    if (n <= v->bytes.n) {
        v->bytes.n = n;
        v->missing = 0;
        return;
    }
    /* Longer than the frame was: what it speaks of was not captured, whoever lost it. */
    if (n > v->bytes.n + v->missing)
        packet_malformed(x);
    v->missing = n - v->bytes.n;
}

void packet_share_frames(struct packet_context *x)
{
    size_t n = x->out.frame_count;
    if (n <= PACKET_SHARED_FRAMES)
        return;
    x->d->stats.fragments_not_listed += n - PACKET_SHARED_FRAMES;
    x->out.frames += n - PACKET_SHARED_FRAMES;
    x->out.frame_count = PACKET_SHARED_FRAMES;
}

void packet_hand_on(struct packet_decoder *d, const struct packet_payload *p)
{
    unsigned char first = p->bytes.n ? (unsigned char)p->bytes.p[0] : 0;
    if ((first == 1 || first == 2 || first == PACKET_HEP_MAGIC[0]) && packet_hep_read(d, p))
        return;
    d->stats.datagrams++;
    d->sinks.datagram(d->sinks.context, p);
}

void packet_emit(struct packet_context *x, enum packet_transport transport, struct packet_view v)
{
    x->out.transport = transport;
    x->out.bytes = v.bytes;
    x->out.missing = v.missing;
    if (x->out.offset != SOURCE_NO_OFFSET)
        x->out.offset += (uint64_t)(v.bytes.p - x->origin);
    packet_hand_on(x->d, &x->out);
}

const struct packet_stats *packet_stats(const struct packet_decoder *d)
{
    return &d->stats;
}

static void ignore_datagram(void *context, const struct packet_payload *payload)
{
    (void)context;
    (void)payload;
}

static size_t ignore_stream(void *context, const struct packet_window *window)
{
    (void)context;
    return window->bytes.n;
}

/* Streams that were not flushed end with nobody listening. */
void packet_decoder_free(struct packet_decoder *d)
{
    if (!d)
        return;
    d->sinks = (struct packet_sinks){ignore_datagram, ignore_stream, NULL};
    d->hidden = NULL;
    d->segment = NULL;
    d->secret = NULL;
    packet_fragments_free(d->fragments);
    packet_tcp_free(d);
    packet_sctp_free(d);
    packet_tls_free(d);
    vec_free(&d->frames);
    free(d);
}

/* Files each SIP message and hands it on. */
#include "trace/internal.h"

#include <assert.h>
#include <string.h>

static bool joins(const struct trace *t)
{
    return trace_follows(t) || t->sinks.call;
}

/* The point that a message belongs to, with the message counted. */
static uint16_t file_point(struct trace *t, struct trace_input *in, const struct packet_payload *p)
{
    uint16_t point = trace_point_of(t, in, p);
    t->points.items[point].messages++;
    t->points.items[point].packets += p->has_agent;
    return point;
}

static void tell_message(struct trace *t, const struct call_filing *filing,
                         const struct trace_message *message)
{
    if (t->options.filter && filing->leg != CALL_NONE)
        trace_choose_saw(t, filing->leg, message);
    if (t->sinks.message)
        t->sinks.message(t->sinks.context, message);
}

void trace_file(void *input, const struct packet_payload *payload, const struct sip_message *m)
{
    struct trace_input *in = input;
    struct trace *t = in->trace;
    uint16_t point = file_point(t, in, payload);
    if (in->select)
        select_sip(in->select, payload);
    struct call_filing filing = call_table_add(t->calls, point, payload, m);
    if (filing.leg == CALL_NONE && filing.sighting != CALL_NONE)
        hop_nodes_saw(t->nodes, point, &payload->src, &payload->dst, payload->direction);
    if (filing.leg != CALL_NONE && !filing.retransmission && !filing.duplicate && joins(t))
        hop_joiner_note(t->joiner, t->calls, filing.sighting, m);
    if (t->media && !filing.retransmission && !filing.duplicate) {
        media_table_note(t->media, &t->scratch, m);
        arena_reset(&t->scratch);
    }
    if (t->browse.on && filing.leg != CALL_NONE)
        trace_browse_saw(t, filing.leg);
    if (t->options.filter || t->sinks.message)
        tell_message(
            t, &filing,
            &(struct trace_message){point, payload, m, filing.retransmission, filing.duplicate});
}

static void file_message(struct trace_input *in, const struct packet_payload *payload,
                         const struct sip_message *m)
{
    if (in->trace->relay)
        trace_relay_put(in->trace->relay, in, payload, m);
    else
        trace_file(in, payload, m);
}

/* TLS on a port of SIP runs between two SIP elements, perhaps at a side of them where no message
 * was seen. */
void trace_file_hidden(void *input, const struct packet_hidden *hidden)
{
    struct trace_input *in = input;
    bool known = hidden->id < in->hidden.n;
    while (in->hidden.n <= hidden->id)
        *vec_add(&in->hidden) = (struct packet_hidden){0};
    in->hidden.items[hidden->id] = *hidden;
    if (!known && (hop_is_sip_port(hidden->src.port) || hop_is_sip_port(hidden->dst.port)))
        hop_nodes_saw(in->trace->nodes, in->point, &hidden->src, &hidden->dst, hidden->direction);
}

void trace_hidden(void *context, const struct packet_hidden *hidden)
{
    struct trace_input *in = context;
    if (in->trace->relay)
        trace_relay_put_hidden(in->trace->relay, in, hidden);
    else
        trace_file_hidden(in, hidden);
}

/* A datagram that is no SIP. */
static void saw_other(struct trace_input *in, const struct packet_payload *payload)
{
    if (in->trace->media && media_table_saw(in->trace->media, in->point, payload) && in->select)
        select_media(in->select, payload);
}

void trace_payload(void *context, const struct packet_payload *payload)
{
    struct trace_input *in = context;
    struct trace_relay *relay = in->trace->relay;
    struct slice bytes = payload->bytes;
    struct sip_message own, *m = &own;
    if (!sip_may_begin(bytes)) {
        saw_other(in, payload);
        return;
    }
    if (relay)
        m = trace_relay_room(relay, &bytes);
    if (!sip_scan_datagram(in->trace->scanner, bytes, payload->missing, m)) {
        saw_other(in, payload);
        return;
    }
    if (m->state == SIP_CUT && payload->gap)
        m->state = SIP_GAP;
    if (relay)
        trace_relay_put_room(relay, in, payload);
    else
        trace_file(in, payload, m);
}

void trace_segment(void *context, const struct packet_segment *segment)
{
    const struct trace_input *in = context;
    select_segment(in->select, segment);
}

/* The message that ends the first `taken` bytes of the window. */
static void file_from_stream(struct trace_input *in, const struct packet_window *window,
                             size_t taken, const struct sip_message *m)
{
    struct packet_payload payload;
    packet_window_payload(window, taken - m->bytes.n, m->bytes.n, &payload);
    if (m->state == SIP_CUT || m->state == SIP_GAP)
        payload.missing = SIZE_MAX; /* how many can't be told */
    file_message(in, &payload, m);
}

size_t trace_stream(void *context, const struct packet_window *window)
{
    static const enum sip_after after[] = {
        [PACKET_MORE] = SIP_AFTER_MORE, [PACKET_GAP] = SIP_AFTER_GAP, [PACKET_CUT] = SIP_AFTER_CUT,
        [PACKET_FULL] = SIP_AFTER_FULL, [PACKET_END] = SIP_AFTER_END,
    };
    struct trace_input *in = context;
    struct sip_front front = {window->bytes, after[window->after], window->missing, window->joined};
    struct sip_framing framing;
    struct sip_message m;
    size_t take;
    _Static_assert(sizeof framing == PACKET_MEMO_WORDS * sizeof *window->memo, "it fits");
    memcpy(&framing, window->memo, sizeof framing);
    enum sip_framed framed = sip_scan_stream(in->trace->scanner, &framing, &front, &m, &take);
    if (framed == SIP_FRAMED_MESSAGE)
        file_from_stream(in, window, take, &m);
    if (framing.found) {
        in->trace->points.items[in->point].stray += framing.stray;
        framing.stray = 0;
    }
    memcpy(window->memo, &framing, sizeof framing);
    if (framed != SIP_FRAMED_MORE)
        return take;
    *window->want = take;
    return 0;
}

/* One stream under test: bytes go in at either end as segments, each a frame of its own, and what
 * comes out as datagrams is kept as text, one line each. */
#ifndef TESTS_UNIT_STREAM_H
#define TESTS_UNIT_STREAM_H

#include "bytes.h"
#include "guard.h"
#include "packet/stream.h"
#include "unit.h"

struct flow {
    struct packet_decoder *decoder;
    struct packet_stream stream;
    struct packet_payload last; /* its bytes and frames are gone */
    struct text log; /* "ws 1-3 +5 BYE sip:..\n": transport, frames, missing (~5: lost), bytes */
    uint32_t number;
    unsigned count;
    size_t most; /* bytes of a payload that are written down; 0: all */
};

static inline void flow_log(struct flow *f, const struct packet_payload *p)
{
    struct slice bytes = f->most ? slice_first(p->bytes, f->most) : p->bytes;
    text_printf(&f->log, "%s ", packet_transport_name(p->transport));
    for (size_t i = 0; i < p->frame_count; i++) {
        size_t k = i;
        while (k + 1 < p->frame_count && p->frames[k + 1] == p->frames[k] + 1)
            k++;
        text_printf(&f->log, k > i ? "%s%u-%u" : "%s%u", i ? "," : "", p->frames[i], p->frames[k]);
        i = k;
    }
    if (p->missing)
        text_printf(&f->log, " %c%zu", p->gap ? '~' : '+', p->missing);
    text_printf(&f->log, " %.*s\n", SLICE_ARG(bytes));
}

static inline void flow_caught(void *context, const struct packet_payload *p)
{
    struct flow *f = context;
    volatile char sum = 0;
    for (size_t i = 0; i < p->bytes.n; i++)
        sum = (char)(sum + p->bytes.p[i]);
    f->last = *p;
    f->count++;
    flow_log(f, p);
}

static inline size_t flow_plain(void *context, const struct packet_window *w)
{
    struct flow *f = context;
    if (w->bytes.n)
        text_printf(&f->log, "plain %.*s\n", SLICE_ARG(w->bytes));
    return w->bytes.n;
}

static inline struct flow *flow_new(enum packet_transport transport)
{
    static const struct endpoint client = {{4, {10, 9, 9, 1}}, 40000};
    static const struct endpoint server = {{4, {10, 9, 9, 2}}, 5066};
    const struct hash_key key = hash_key_of(1, 2);
    struct flow *f = calloc(1, sizeof *f);
    const struct packet_sinks sinks = {flow_caught, flow_plain, f};
    f->decoder = packet_decoder_new(&key, &sinks, NULL);
    packet_stream_init(&f->stream, f->decoder, transport, &client, &server);
    text_add(&f->log, SLICE(""));
    return f;
}

static inline void flow_push(struct flow *f, unsigned way, struct slice bytes)
{
    struct guard g = guard_copy(bytes.p, bytes.n);
    f->number++;
    struct packet_part part = {.end = bytes.n,
                               .offset = 1000u * f->number,
                               .time_ns = f->number * 1000,
                               .frame = f->number};
    packet_stream_push(&f->stream, way, (struct slice){g.p, g.n}, &part, 1);
    guard_free(&g);
}

static inline void flow_free(struct flow *f)
{
    packet_stream_close(&f->stream);
    packet_decoder_free(f->decoder);
    text_free(&f->log);
    free(f);
}

#define assert_log(f, expected) assert_string_equal((f)->log.p, expected)

#endif

/* Pushes what a talk sent over the wire through the streams of a decoder, and keeps what comes out
 * as plaintext. */
#ifndef TESTS_UNIT_HEAR_H
#define TESTS_UNIT_HEAR_H

#include "packet/stream.h"
#include "talk.h"

struct heard {
    struct text text[2];
    bool ended[2], joined[2];
    unsigned holes[2];
    uint32_t last_frame; /* of a payload */
    size_t frame_count;
    bool out_of_order;
};

struct ear {
    struct packet_keys *keys;
    struct packet_decoder *decoder;
    struct packet_stream stream;
    struct heard heard;
    uint32_t frame;
    bool plain; /* what went to the sink was not decrypted */
};

static inline size_t hear_bytes(void *context, const struct packet_window *w)
{
    struct ear *e = context;
    unsigned way = w->src.port == 41822 ? 0 : 1;
    struct packet_payload p;
    e->plain |= w->transport != PACKET_TLS;
    text_add(&e->heard.text[way], w->bytes);
    e->heard.ended[way] |= w->after == PACKET_END;
    e->heard.holes[way] += w->after == PACKET_GAP;
    e->heard.joined[way] |= w->joined;
    if (w->bytes.n) {
        packet_window_payload(w, 0, w->bytes.n, &p);
        assert_true(p.frame_count > 0);
        assert_int_equal(p.time_ns, (int64_t)p.frames[p.frame_count - 1] * 1000);
        e->heard.out_of_order |= p.frames[0] < e->heard.last_frame && p.frame_count == 1;
        e->heard.last_frame = p.frames[p.frame_count - 1];
        e->heard.frame_count = p.frame_count;
    }
    return w->bytes.n;
}

static inline void hear_datagram(void *context, const struct packet_payload *p)
{
    (void)context, (void)p;
    fail_msg("no datagram is in there");
}

static inline void ear_connect(struct ear *e)
{
    const struct endpoint client = {address_of(4, (const uint8_t *)"\x0a\0\1\1"), 41822},
                          server = {address_of(4, (const uint8_t *)"\x0a\0\2\2"), 5061};
    packet_stream_init(&e->stream, e->decoder, PACKET_TCP, &client, &server);
}

static inline struct ear *ear_new(bool with_keys)
{
    const struct hash_key key = hash_key_of(1, 2);
    struct ear *e = calloc(1, sizeof *e);
    const struct packet_sinks sinks = {hear_datagram, hear_bytes, e};
    e->keys = with_keys ? packet_keys_new() : NULL;
    e->decoder = packet_decoder_new(&key, &sinks, e->keys);
    ear_connect(e);
    return e;
}

static inline void ear_push(struct ear *e, unsigned way, struct slice bytes)
{
    e->frame++;
    const struct packet_part part = {.end = bytes.n,
                                     .offset = SOURCE_NO_OFFSET,
                                     .frame = e->frame,
                                     .time_ns = (int64_t)e->frame * 1000};
    packet_stream_push(&e->stream, way, bytes, &part, 1);
}

/* In segments of so many bytes; 0: as they were sent. */
static inline void ear_hear(struct ear *e, const struct talk *t, size_t segment)
{
    for (size_t i = 0; i < t->flights.n; i++) {
        const struct flight *f = &t->flights.items[i];
        struct slice rest = slice_first(slice_from(bytes_slice(&t->wire), f->begin), f->n);
        while (rest.n) {
            struct slice some = slice_first(rest, segment ? segment : rest.n);
            ear_push(e, f->way, some);
            rest = slice_from(rest, some.n);
        }
    }
}

static inline void ear_close(struct ear *e)
{
    packet_stream_close(&e->stream);
}

static inline void ear_forget(struct ear *e)
{
    text_free(&e->heard.text[0]);
    text_free(&e->heard.text[1]);
    e->heard = (struct heard){0};
}

static inline void ear_free(struct ear *e)
{
    packet_decoder_free(e->decoder);
    packet_keys_free(e->keys);
    ear_forget(e);
    free(e);
}

static inline void assert_heard(const char *name, const struct ear *e, const struct talk *t)
{
    for (unsigned way = 0; way < 2; way++) {
        struct slice said = text_slice(&t->said[way]), heard = text_slice(&e->heard.text[way]);
        if (!slice_equal(said, heard))
            fail_msg("%s, way %u: %zu bytes were said, %zu heard", name, way, said.n, heard.n);
    }
    assert_false(e->plain);
    assert_int_equal(packet_stats(e->decoder)->tls_undecrypted, 0);
    assert_int_equal(packet_stats(e->decoder)->tls_undecrypted_records, 0);
}

static inline void assert_nothing_heard(const struct ear *e)
{
    assert_int_equal(e->heard.text[0].n + e->heard.text[1].n, 0);
}

#endif

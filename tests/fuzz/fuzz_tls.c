/* A TLS connection with its key log: a byte of flags (1: joined in the middle, 2: the keys come at
 * the end), two bytes for the length of the key log, the key log, and runs of bytes.  Each run has
 * a byte for its kind (1: from the server, 2: a hole before it, 4: of unknown length, 8: the end)
 * and two for its length. */
#include "packet/stream.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void datagram(void *context, const struct packet_payload *payload)
{
    (void)context;
    assert(payload->frame_count > 0);
}

/* Takes what the stream's bytes ask for: some, none, all. */
static size_t take(void *context, const struct packet_window *w)
{
    const uint32_t *frame = context;
    size_t n = w->bytes.n ? (uint8_t)w->bytes.p[0] : 0;
    struct packet_payload payload;
    packet_window_payload(w, 0, w->bytes.n, &payload);
    for (size_t i = 0; i < payload.frame_count; i++)
        assert(payload.frames[i] <= *frame);
    return n < w->bytes.n ? n : w->bytes.n;
}

/* A copy of its own size, so that a read past it is seen. */
static void push(struct packet_stream *s, unsigned way, struct slice bytes, uint32_t frame)
{
    const struct packet_part part = {
        .end = bytes.n, .offset = SOURCE_NO_OFFSET, .frame = frame, .time_ns = frame};
    char *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    packet_stream_push(s, way, (struct slice){copy, bytes.n}, &part, 1);
    free(copy);
}

static void run(struct packet_stream *s, struct cursor *c, uint32_t *frame)
{
    uint8_t kind = cursor_u8(c);
    struct slice bytes = cursor_take(c, cursor_be16(c));
    if (kind & 2)
        packet_stream_hole(s, kind & 1, PACKET_GAP, kind & 4 ? 0 : kind >> 4);
    ++*frame;
    push(s, kind & 1, bytes, *frame);
    if (kind & 8)
        packet_stream_end(s, kind & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct endpoint src = {{4, {10, 0, 0, 1}}, 40000},
                                 dst = {{4, {10, 0, 0, 2}}, 5061};
    struct cursor c = cursor_of((struct slice){(const char *)data, n});
    const struct hash_key key = hash_key_of(1, 2);
    uint32_t frame = 0;
    const struct packet_sinks sinks = {datagram, take, &frame};
    struct packet_keys *keys = packet_keys_new();
    struct packet_decoder *d = packet_decoder_new(&key, &sinks, keys);
    struct packet_stream stream;
    uint8_t flags = cursor_u8(&c);
    struct slice log = cursor_take(&c, cursor_be16(&c));
    packet_stream_init(&stream, d, PACKET_TCP, &src, &dst);
    if (flags & 1)
        packet_stream_joined(&stream);
    if (!(flags & 2))
        packet_keys_add(keys, log);
    while (cursor_left(&c))
        run(&stream, &c, &frame);
    packet_stream_close(&stream);
    packet_keys_add(keys, log);
    packet_flush(d);
    const struct packet_stats *s = packet_stats(d);
    const struct packet_hidden *hidden;
    assert(s->tls_streams <= 1 && s->tls_undecrypted <= s->tls_streams);
    assert((s->tls_undecrypted > 0) == (s->tls_undecrypted_records > 0));
    assert(packet_undecrypted(d, &hidden) <= 1);
    packet_decoder_free(d);
    packet_keys_free(keys);
    return 0;
}

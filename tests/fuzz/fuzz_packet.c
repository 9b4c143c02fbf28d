/* Frames, one after the other.  Each begins with a byte for the link type, one for the time that
 * has passed, and two for its length, of which the upper bits say how many bytes were not captured.
 */
#include "packet/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void sink(void *context, const struct packet_payload *payload)
{
    uint32_t *last = context;
    volatile char sum = 0;
    for (size_t i = 0; i < payload->bytes.n; i++)
        sum = (char)(sum + payload->bytes.p[i]);
    assert(payload->bytes.n <= PACKET_STREAM_BYTES);
    assert(payload->frame_count > 0 && payload->frame_count <= *last);
    for (size_t i = 0; i < payload->frame_count; i++) {
        assert(payload->frames[i] <= *last);
        assert(i == 0 || payload->frames[i] > payload->frames[i - 1]);
    }
    assert(payload->src.ip.family == payload->dst.ip.family);
    assert(payload->offset != SOURCE_NO_OFFSET || payload->frame_count > 0);
}

/* Takes what the stream's bytes ask for: some, none, all. */
static size_t take(void *context, const struct packet_window *w)
{
    const uint32_t *number = context;
    size_t n = w->bytes.n ? (uint8_t)w->bytes.p[0] : 0;
    struct packet_payload payload;
    packet_window_payload(w, 0, w->bytes.n, &payload);
    assert(payload.bytes.n == w->bytes.n);
    for (size_t i = 0; i < payload.frame_count; i++)
        assert(payload.frames[i] <= *number);
    return n < w->bytes.n ? n : w->bytes.n;
}

/* A copy of its own size, so that a read past the frame is seen. */
static void push(struct packet_decoder *d, struct source_frame *frame, struct slice bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    frame->bytes = (struct slice){copy, bytes.n};
    packet_push(d, frame);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int links[] = {1,   113, 276, 101, 0,   108, 12,  14,  228, 229,
                                147, 9,   50,  51,  104, 107, 166, 204, 239, 252};
    struct cursor c = cursor_of((struct slice){(const char *)data, n});
    const struct hash_key key = hash_key_of(1, 2);
    struct source_frame frame = {.time_ns = 1000000000000};
    const struct packet_sinks sinks = {sink, take, &frame.number};
    struct packet_decoder *d = packet_decoder_new(&key, &sinks, NULL);
    while (cursor_left(&c)) {
        frame.link_type = links[cursor_u8(&c) % (sizeof links / sizeof *links)];
        frame.time_ns += (int8_t)cursor_u8(&c) * 1000000000ll;
        uint16_t length = cursor_be16(&c);
        struct slice bytes = slice_first(cursor_rest(&c), length & 0xfff);
        cursor_skip(&c, bytes.n);
        frame.number++;
        frame.length = (uint32_t)bytes.n + (length >> 12) * 100;
        frame.offset = frame.number % 2 ? (uint64_t)frame.number * 100 : SOURCE_NO_OFFSET;
        push(d, &frame, bytes);
    }
    packet_flush(d);
    const struct packet_stats *s = packet_stats(d);
    assert(s->frames == frame.number && s->reassembled <= s->fragments);
    packet_decoder_free(d);
    return 0;
}

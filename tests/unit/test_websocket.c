/* packet/: WebSocket over TCP and TLS: the upgrade, frames of all forms, compression, and what
 * becomes of messages where bytes are missing. */
#include "stream.h"

#include "packet/inflate.h"

#include <zlib.h>

#define CLIENT 0u
#define SERVER 1u

#define REQUEST                                                                                    \
    SLICE("GET /sip HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"                    \
          "upgrade: foo, WebSocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
#define ANSWER                                                                                     \
    SLICE("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
#define BYE "BYE sip:a@b SIP/2.0\r\n\r\n"
#define OK_ "SIP/2.0 200 OK\r\n\r\n"
#define ACK "ACK sip:a@b SIP/2.0\r\n\r\n"

/* ---- frames ---------------------------------------------------------------------------------- */

enum { FIN = 0x80, RSV1 = 0x40, MASKED = 0x100 };

/* first: FIN, RSV1 and opcode, and MASKED; the length takes `size` bits, or as many as it needs. */
static void put_frame_as(struct bytes *b, unsigned first, struct slice payload, unsigned size)
{
    static const uint8_t mask[] = {0x81, 0x7e, 0x20, 0x0a};
    uint8_t masked = first & MASKED ? 0x80 : 0;
    put8(b, (uint8_t)first);
    if (size == 7) {
        put8(b, (uint8_t)(masked | payload.n));
    } else if (size == 16) {
        put8(b, masked | 126);
        put16(b, (uint16_t)payload.n);
    } else {
        put8(b, masked | 127);
        put64(b, payload.n);
    }
    if (masked)
        put(b, mask, 4);
    for (size_t i = 0; i < payload.n; i++)
        put8(b, (uint8_t)(payload.p[i] ^ (masked ? mask[i % 4] : 0)));
}

static void put_frame(struct bytes *b, unsigned first, struct slice payload)
{
    put_frame_as(b, first, payload, payload.n < 126 ? 7 : payload.n < 65536 ? 16 : 64);
}

static struct flow *upgraded(enum packet_transport transport)
{
    struct flow *f = flow_new(transport);
    flow_push(f, CLIENT, REQUEST);
    flow_push(f, SERVER, ANSWER);
    return f;
}

static void push_frame(struct flow *f, unsigned way, unsigned first, struct slice payload)
{
    struct bytes b = {0};
    put_frame(&b, first, payload);
    flow_push(f, way, bytes_slice(&b));
    vec_free(&b);
}

static void test_whole(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    (void)state;
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(BYE));
    assert_true(f->last.offset == SOURCE_NO_OFFSET);
    assert_string_equal(endpoint_format(&f->last.src).s, "10.9.9.1:40000");
    push_frame(f, SERVER, FIN | 2, SLICE(OK_));
    assert_int_equal(f->last.offset, 4000 + 2); /* not masked: it can be read again */
    assert_int_equal(f->last.time_ns, 4000);
    assert_string_equal(endpoint_format(&f->last.src).s, "10.9.9.2:5066");
    assert_log(f, "ws 3 " BYE "\nws 4 " OK_ "\n");
    assert_int_equal(packet_stats(f->decoder)->stream_lost, 0);
    flow_free(f);
}

static void test_over_tls(void **state)
{
    struct flow *f = upgraded(PACKET_TLS);
    (void)state;
    push_frame(f, SERVER, FIN | 1, SLICE(OK_));
    assert_log(f, "wss 3 " OK_ "\n");
    flow_free(f);
}

/* Lengths of 7, 16 and 64 bits, longer than they need be, too. */
static void test_lengths(void **state)
{
    static const unsigned sizes[] = {7, 16, 64};
    struct bytes body = {0};
    (void)state;
    put_slice(&body, SLICE(BYE));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct flow *f = upgraded(PACKET_TCP);
        struct bytes b = {0};
        put_frame_as(&b, FIN | 1 | MASKED, bytes_slice(&body), sizes[i]);
        put_frame_as(&b, FIN | 1, bytes_slice(&body), sizes[i]);
        flow_push(f, CLIENT, bytes_slice(&b));
        assert_int_equal(f->count, 2);
        assert_int_equal(f->last.bytes.n, body.n);
        vec_free(&b);
        flow_free(f);
        put_times(&body, 'x', i ? 70000 : 300); /* 7 bits, then 16, then 64 */
    }
    vec_free(&body);
}

/* The stream of one direction, with everything that a frame can be. */
static struct bytes busy_stream(void)
{
    struct bytes b = {0};
    put_slice(&b, REQUEST);
    put_frame(&b, FIN | 1 | MASKED, SLICE(BYE));
    put_frame(&b, FIN | 1 | MASKED, SLICE("")); /* empty */
    put_frame(&b, FIN | 9 | MASKED, SLICE("ping"));
    put_frame(&b, 1 | MASKED, SLICE("SIP/2.0 2"));
    put_frame(&b, FIN | 10 | MASKED, SLICE("pong"));
    put_frame(&b, 0 | MASKED, SLICE("00 O"));
    put_frame(&b, 0, SLICE(""));
    put_frame(&b, FIN | 9, SLICE(""));
    put_frame(&b, FIN | 0 | MASKED, SLICE("K\r\n\r\n"));
    put_frame(&b, FIN | 1 | MASKED, SLICE("\r\n\r\n"));
    put_frame_as(&b, FIN | 2 | MASKED, SLICE(ACK), 64);
    put_frame(&b, FIN | 8 | MASKED, SLICE("\3\xe8"));
    return b;
}

static void strip_frames(struct text *log)
{
    struct slice rest = text_slice(log);
    struct text out = {0};
    while (rest.n) {
        struct slice line = slice_first(rest, slice_find(rest, '\n') + 1);
        rest = slice_from(rest, line.n);
        size_t at = slice_starts(line, SLICE("ws ")) ? 3 + slice_find(slice_from(line, 3), ' ') : 0;
        text_add(&out, slice_from(line, at));
    }
    text_free(log);
    *log = out;
}

#define BUSY " " BYE "\n " OK_ "\n \r\n\r\n\n " ACK "\n"

static void test_splits(void **state)
{
    struct bytes b = busy_stream();
    (void)state;
    for (size_t at = 0; at <= b.n; at++) {
        struct flow *f = flow_new(PACKET_TCP);
        if (at)
            flow_push(f, CLIENT, slice_first(bytes_slice(&b), at));
        if (at < b.n)
            flow_push(f, CLIENT, slice_from(bytes_slice(&b), at));
        assert_int_equal(packet_stats(f->decoder)->stream_lost, 0);
        strip_frames(&f->log);
        assert_log(f, BUSY);
        flow_free(f);
    }
    for (size_t size = 1; size < 40; size++) {
        struct flow *f = flow_new(PACKET_TCP);
        for (size_t at = 0; at < b.n; at += size)
            flow_push(f, CLIENT, slice_first(slice_from(bytes_slice(&b), at), size));
        strip_frames(&f->log);
        assert_log(f, BUSY);
        flow_free(f);
    }
    vec_free(&b);
}

/* A message's frames of the capture are those of its own bytes, not of a ping between them. */
static void test_frames(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    (void)state;
    push_frame(f, CLIENT, 1 | MASKED, SLICE("BYE "));
    push_frame(f, CLIENT, FIN | 9 | MASKED, SLICE("ping"));
    push_frame(f, CLIENT, 0 | MASKED, SLICE("sip:a@b "));
    push_frame(f, SERVER, FIN | 10, SLICE("ping"));
    push_frame(f, CLIENT, FIN | MASKED, SLICE("SIP/2.0\r\n\r\n"));
    assert_log(f, "ws 3,5,7 " BYE "\n");
    assert_int_equal(f->last.time_ns, 7000);
    assert_true(f->last.offset == SOURCE_NO_OFFSET);
    flow_free(f);
}

static void test_several_in_a_segment(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct bytes b = {0};
    (void)state;
    put_frame(&b, FIN | 1, SLICE(BYE));
    put_frame(&b, FIN | 1, SLICE(OK_));
    put_frame(&b, FIN | 1, SLICE(ACK));
    flow_push(f, SERVER, slice_first(bytes_slice(&b), b.n - 5));
    flow_push(f, SERVER, slice_from(bytes_slice(&b), b.n - 5));
    assert_log(f, "ws 3 " BYE "\nws 3 " OK_ "\nws 3-4 " ACK "\n");
    vec_free(&b);
    flow_free(f);
}

/* ---- the upgrade ----------------------------------------------------------------------------- */

/* Other HTTP is nobody's, and a refusal is followed by another try. */
static void test_other_http(void **state)
{
    struct flow *f = flow_new(PACKET_TCP);
    (void)state;
    flow_push(f, CLIENT, SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_ptr_equal(f->stream.protocol, &packet_protocol_plain);
    flow_free(f);
    f = flow_new(PACKET_TCP);
    flow_push(f, SERVER, SLICE("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n"));
    assert_ptr_equal(f->stream.protocol, &packet_protocol_plain);
    flow_free(f);
    f = flow_new(PACKET_TCP);
    flow_push(f, CLIENT, REQUEST);
    flow_push(f, SERVER,
              SLICE("HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\n\x81\x02hi, HTTP?"));
    flow_push(f, CLIENT, REQUEST);
    flow_push(f, SERVER, ANSWER);
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(BYE));
    push_frame(f, SERVER, FIN | 1, SLICE(OK_));
    assert_log(f, "ws 5 " BYE "\nws 6 " OK_ "\n");
    flow_free(f);
}

/* A connection that served other HTTP first: the upgrade is seen at its request, or at its answer
 * where the request stands in two segments. */
static void test_later_upgrade(void **state)
{
    (void)state;
    for (int split = 0; split < 2; split++) {
        struct flow *f = flow_new(PACKET_TCP);
        flow_push(f, CLIENT, SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        flow_push(f, SERVER, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
        text_clear(&f->log);
        flow_push(f, CLIENT, slice_first(REQUEST, split ? 20 : REQUEST.n));
        if (split)
            flow_push(f, CLIENT, slice_from(REQUEST, 20));
        text_clear(&f->log);
        flow_push(f, SERVER, ANSWER);
        push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(BYE));
        push_frame(f, SERVER, FIN | 1, SLICE(OK_));
        assert_log(f, split ? "ws 6 " BYE "\nws 7 " OK_ "\n" : "ws 5 " BYE "\nws 6 " OK_ "\n");
        flow_free(f);
    }
}

/* A head that does not end is given up. */
static void test_long_head(void **state)
{
    struct flow *f = flow_new(PACKET_TCP);
    struct bytes b = {0};
    (void)state;
    put_slice(&b, SLICE("GET / HTTP/1.1\r\nUpgrade: websocket\r\n"));
    put_times(&b, 'x', 17000);
    flow_push(f, CLIENT, slice_first(bytes_slice(&b), 16000));
    assert_null(f->stream.protocol);
    flow_push(f, CLIENT, slice_from(bytes_slice(&b), 16000));
    assert_ptr_equal(f->stream.protocol, &packet_protocol_plain);
    vec_free(&b);
    flow_free(f);
}

/* Joined later: at a frame, in the middle of one, at one that is no message. */
static void test_joined(void **state)
{
    struct bytes b = {0};
    (void)state;
    put_frame(&b, FIN | 1 | MASKED, SLICE(BYE));
    size_t one = b.n;
    put_frame(&b, FIN | 1 | MASKED, SLICE(ACK));
    for (size_t from = 0; from <= one; from++) {
        struct flow *f = flow_new(PACKET_TCP);
        packet_stream_joined(&f->stream);
        flow_push(f, CLIENT, slice_from(bytes_slice(&b), from));
        assert_log(f, from ? "ws 1 " ACK "\n" : "ws 1 " BYE "\nws 1 " ACK "\n");
        flow_free(f);
    }
    struct flow *f = flow_new(PACKET_TCP);
    packet_stream_joined(&f->stream);
    push_frame(f, CLIENT, FIN | 9 | MASKED, SLICE("ping"));
    for (size_t i = 0; i < one; i++)
        flow_push(f, CLIENT, (struct slice){(char *)b.items + i, 1});
    assert_log(f, "ws 2-30 " BYE "\n");
    flow_free(f);
    f = flow_new(PACKET_TCP);
    packet_stream_joined(&f->stream);
    for (size_t i = 0; i < one; i++)
        flow_push(f, CLIENT, (struct slice){(char *)b.items + i, 1});
    assert_log(f, "ws 1-29 " BYE "\n");
    flow_free(f);
    vec_free(&b);
}

/* SIP over plain TCP is not taken for anything else, joined or not. */
static void test_plain(void **state)
{
    (void)state;
    for (int joined = 0; joined < 2; joined++) {
        struct flow *f = flow_new(PACKET_TCP);
        if (joined)
            packet_stream_joined(&f->stream);
        flow_push(f, CLIENT, SLICE(BYE));
        assert_log(f, "plain " BYE "\n");
        flow_free(f);
    }
}

/* ---- holes ----------------------------------------------------------------------------------- */

/* A hole anywhere, of known size or not: nothing comes out that was not sent; a message it begins
 * in has a gap; the last one is found again. */
static void test_holes(void **state)
{
    struct bytes b = {0};
    (void)state;
    put_frame(&b, FIN | 1 | MASKED, SLICE(BYE));
    size_t one = b.n;
    put_frame(&b, FIN | 1 | MASKED, SLICE(ACK));
    size_t two = b.n;
    put_frame(&b, FIN | 1 | MASKED, SLICE(OK_));
    for (int known = 0; known < 2; known++)
        for (size_t from = 0; from < one; from++)
            for (size_t to = from + 1; to <= two; to++) {
                struct flow *f = upgraded(PACKET_TCP);
                char expected[200];
                int n = 0;
                if (from)
                    flow_push(f, CLIENT, slice_first(bytes_slice(&b), from));
                packet_stream_hole(&f->stream, CLIENT, PACKET_GAP, known ? to - from : 0);
                flow_push(f, CLIENT, slice_from(bytes_slice(&b), to));
                if (from > 6)
                    n = snprintf(expected, sizeof expected, "ws 3 ~%zu %.*s\n", one - from,
                                 (int)from - 6, BYE);
                if (to <= one)
                    n += snprintf(expected + n, sizeof expected - (size_t)n, "ws %u " ACK "\n",
                                  f->number);
                snprintf(expected + n, sizeof expected - (size_t)n, "ws %u " OK_ "\n", f->number);
                assert_log(f, expected);
                flow_free(f);
            }
    vec_free(&b);
}

/* Behind a hole the head of a frame comes in two pieces, of any lengths: in 0x010b one may see the
 * head of another frame, of eleven bytes. */
static void test_torn_head_after_a_hole(void **state)
{
    (void)state;
    for (size_t length = 257; length < 300; length++) {
        struct bytes text = {0}, b = {0};
        put_slice(&text, SLICE("SUBSCRIBE sip:a@b SIP/2.0\r\nX: "));
        put_times(&text, 'x', length - 4 - text.n);
        put_slice(&text, SLICE("\r\n\r\n"));
        put_frame(&b, FIN | 1, bytes_slice(&text));
        for (size_t split = 1; split < 60; split++) {
            struct flow *f = upgraded(PACKET_TCP);
            packet_stream_hole(&f->stream, SERVER, PACKET_GAP, 1000);
            flow_push(f, SERVER, slice_first(bytes_slice(&b), split));
            flow_push(f, SERVER, slice_from(bytes_slice(&b), split));
            if (f->count != 1 || !f->log.n || packet_stats(f->decoder)->malformed)
                fail_msg("%zu bytes, split after %zu: %.*s", length, split, (int)f->log.n,
                         f->log.n ? f->log.p : "");
            flow_free(f);
        }
        vec_free(&text);
        vec_free(&b);
    }
}

/* In a message of fragments: what was there of it, and its later fragments do not count. */
static void test_hole_in_fragments(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct bytes b = {0};
    (void)state;
    push_frame(f, CLIENT, 1 | MASKED, SLICE("BYE sip:"));
    put_frame(&b, 0 | MASKED, SLICE("a@b SIP/2.0\r\n"));
    flow_push(f, CLIENT, slice_first(bytes_slice(&b), 10));
    packet_stream_hole(&f->stream, CLIENT, PACKET_CUT, b.n - 12);
    flow_push(f, CLIENT, slice_from(bytes_slice(&b), b.n - 2));
    push_frame(f, CLIENT, FIN | MASKED, SLICE("\r\n"));
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(ACK));
    assert_log(f, "ws 3-4 +9 BYE sip:a@b \nws 7 " ACK "\n");
    vec_free(&b);
    flow_free(f);
}

/* The stream ends within a message, whole frames or not. */
static void test_end(void **state)
{
    struct bytes b = {0};
    (void)state;
    put_frame(&b, 1 | MASKED, SLICE("BYE sip:a@b"));
    put_frame(&b, 0 | MASKED, SLICE(" SIP/2.0\r\n"));
    for (size_t n = 7; n <= b.n; n++) {
        struct flow *f = upgraded(PACKET_TCP);
        flow_push(f, CLIENT, slice_first(bytes_slice(&b), n));
        assert_int_equal(f->count, 0);
        packet_stream_end(&f->stream, CLIENT);
        assert_int_equal(f->count, 1);
        assert_true(f->last.missing > 0 && f->last.gap);
        flow_free(f);
    }
    vec_free(&b);
}

/* ---- against the rules ----------------------------------------------------------------------- */

/* Each is counted, nothing is made of it, and the next message is found. */
static void test_bad_frames(void **state)
{
    static const struct slice bads[] = {
        SLICE("\x83\x02hi"), /* opcodes that mean nothing */
        SLICE("\x8b\x02hi"),
        SLICE("\xa1\x02hi"), /* reserved bits */
        SLICE("\x91\x02hi"),
        SLICE("\xc9\x02hi"),       /* a compressed ping */
        SLICE("\xc0\x02hi"),       /* a compressed continuation */
        SLICE("\x09\x02hi"),       /* a fragment of a ping */
        SLICE("\x89\x7e\1\0hihi"), /* a long ping */
        SLICE("\x81\x7f\xff\0\0\0\0\0\0\0"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bads); i++) {
        struct flow *f = upgraded(PACKET_TCP);
        flow_push(f, SERVER, bads[i]);
        push_frame(f, SERVER, FIN | 1, SLICE(OK_));
        assert_log(f, "ws 4 " OK_ "\n");
        assert_int_equal(packet_stats(f->decoder)->malformed, 1);
        assert_int_equal(packet_stats(f->decoder)->stream_lost, bads[i].n);
        flow_free(f);
    }
}

/* A continuation of nothing; a message that begins before the last one ended. */
static void test_bad_order(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    (void)state;
    push_frame(f, SERVER, FIN, SLICE("nothing"));
    push_frame(f, SERVER, 1, SLICE("BYE sip:a@b"));
    push_frame(f, SERVER, FIN | 1, SLICE(OK_));
    push_frame(f, SERVER, FIN, SLICE(" SIP/2.0"));
    assert_log(f, "ws 4 ~1 BYE sip:a@b\nws 5 " OK_ "\n");
    flow_free(f);
}

/* More than is held of a stream: the beginning, and the rest is passed over by its length. */
static void test_huge(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct bytes body = {0}, b = {0};
    (void)state;
    f->most = 4;
    put_slice(&body, SLICE(BYE));
    put_times(&body, 'x', PACKET_STREAM_BYTES + 200000);
    put_frame(&b, FIN | 1 | MASKED, bytes_slice(&body));
    for (size_t at = 0; at < b.n; at += 60000)
        flow_push(f, CLIENT, slice_first(slice_from(bytes_slice(&b), at), 60000));
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(ACK));
    assert_int_equal(f->count, 2);
    assert_log(f, "ws 3-20 +168613 BYE \nws 24 ACK \n");
    vec_free(&b);
    vec_free(&body);
    flow_free(f);
}

/* The same in fragments, of which each would be small enough. */
static void test_huge_fragments(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct bytes body = {0};
    (void)state;
    f->most = 4;
    put_slice(&body, SLICE(BYE));
    put_times(&body, 'x', 100000 - body.n);
    for (int i = 0; i < 12; i++)
        push_frame(f, CLIENT, (i ? 0 : 1) | MASKED, bytes_slice(&body));
    push_frame(f, CLIENT, FIN | MASKED, SLICE("end"));
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(ACK));
    assert_int_equal(f->count, 2);
    assert_log(f, "ws 3-15 +151427 BYE \nws 16 ACK \n");
    assert_true(f->decoder->stream_bytes < 10000);
    vec_free(&body);
    flow_free(f);
}

/* ---- compression ----------------------------------------------------------------------------- */

struct deflater {
    z_stream z;
    bool forgets; /* no context takeover */
};

/* As RFC 7692 7.2.1: flushed, without the four bytes at the end. */
static struct bytes deflated(struct deflater *d, struct slice plain)
{
    struct bytes out = {0};
    if (!d->z.state)
        assert_int_equal(deflateInit2(&d->z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    put_times(&out, 0, plain.n + 1000);
    d->z.next_in = (Bytef *)(uintptr_t)plain.p;
    d->z.avail_in = (uInt)plain.n;
    d->z.next_out = out.items;
    d->z.avail_out = (uInt)out.n;
    assert_int_equal(deflate(&d->z, d->forgets ? Z_FULL_FLUSH : Z_SYNC_FLUSH), Z_OK);
    out.n = out.n - d->z.avail_out - 4;
    return out;
}

static void push_deflated(struct flow *f, struct deflater *d, struct slice plain, size_t fragment)
{
    struct bytes b = deflated(d, plain);
    unsigned first = RSV1 | 1;
    for (size_t at = 0; at == 0 || at < b.n; at += fragment, first = 0)
        push_frame(f, CLIENT, first | MASKED | (at + fragment >= b.n ? FIN : 0),
                   slice_first(slice_from(bytes_slice(&b), at), fragment));
    vec_free(&b);
}

static void test_deflate(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct deflater d = {0};
    (void)state;
    push_deflated(f, &d, SLICE(BYE), 1000);
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(OK_)); /* not compressed, which is allowed */
    push_deflated(f, &d, SLICE(BYE), 3);
    push_deflated(f, &d, SLICE(ACK), 1000);
    assert_int_equal(packet_stats(f->decoder)->not_inflated, 0);
    strip_frames(&f->log);
    assert_log(f, " " BYE "\n " OK_ "\n " BYE "\n " ACK "\n");
    deflateEnd(&d.z);
    flow_free(f);
}

/* What builds on a lost message cannot be read, and is never made up; what does not can. */
static void test_deflate_after_a_hole(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct deflater d = {0};
    (void)state;
    struct bytes lost = deflated(&d, SLICE(BYE));
    packet_stream_hole(&f->stream, CLIENT, PACKET_GAP, lost.n + 6);
    push_deflated(f, &d, SLICE(BYE), 1000);
    push_deflated(f, &d, SLICE(BYE), 1000);
    assert_log(f, "");
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(OK_)); /* found again */
    push_deflated(f, &d, SLICE(BYE), 1000);
    assert_int_equal(packet_stats(f->decoder)->not_inflated, 1);
    d.forgets = true;
    struct bytes flush = deflated(&d, SLICE(""));
    push_deflated(f, &d, SLICE(ACK), 1000);
    assert_true(packet_stats(f->decoder)->stream_lost > 0);
    strip_frames(&f->log);
    assert_log(f, " " OK_ "\n " ACK "\n");
    vec_free(&lost);
    vec_free(&flush);
    deflateEnd(&d.z);
    flow_free(f);
}

/* Of compressed messages nothing is seen but their heads: one that ends where a segment does. */
static void test_found_by_its_length(void **state)
{
    static const struct {
        size_t more; /* bytes behind it */
        unsigned reserved;
        bool found;
    } cases[] = {{0, 0, true}, {7, 0, false}, {0, 0x20, false}};
    struct bytes text = {0};
    uint32_t random = 1;
    (void)state;
    put_slice(&text, SLICE("BYE sip:a@b SIP/2.0\r\nX: "));
    for (int i = 0; i < 400; i++)
        put8(&text, (uint8_t)('a' + ((random = random * 1103515245 + 12345) >> 16) % 26));
    put_slice(&text, SLICE("\r\n\r\n"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct flow *f = upgraded(PACKET_TCP);
        struct deflater d = {.forgets = true};
        struct bytes message = deflated(&d, bytes_slice(&text)), b = {0};
        assert_in_range(message.n, 126, 400);
        packet_stream_hole(&f->stream, CLIENT, PACKET_GAP, 1000);
        put_times(&b, 0x55, 40); /* of what the hole ended in */
        put_frame(&b, FIN | RSV1 | 1 | MASKED | cases[i].reserved, bytes_slice(&message));
        put_frame(&b, FIN | 9 | MASKED, SLICE(""));
        put_times(&b, 0x55, cases[i].more);
        flow_push(f, CLIENT, bytes_slice(&b));
        assert_int_equal(f->count, cases[i].found);
        deflateEnd(&d.z);
        vec_free(&message);
        vec_free(&b);
        flow_free(f);
    }
    vec_free(&text);
}

static void test_deflate_bomb(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    struct deflater d = {0};
    struct bytes body = {0};
    (void)state;
    f->most = 4;
    put_slice(&body, SLICE(BYE));
    put_times(&body, 'x', 8u << 20);
    push_deflated(f, &d, bytes_slice(&body), 60000);
    assert_log(f, "ws 3 +1 BYE \n");
    assert_int_equal(f->last.bytes.n, PACKET_INFLATED_BYTES);
    vec_free(&body);
    deflateEnd(&d.z);
    flow_free(f);
}

/* Bytes that are not compressed at all, and none. */
static void test_deflate_garbage(void **state)
{
    struct flow *f = upgraded(PACKET_TCP);
    (void)state;
    push_frame(f, CLIENT, FIN | RSV1 | 1 | MASKED, SLICE("\xff\xff\xff\xff"));
    push_frame(f, CLIENT, FIN | RSV1 | 1 | MASKED, SLICE(""));
    push_frame(f, CLIENT, FIN | 1 | MASKED, SLICE(ACK));
    assert_int_equal(packet_stats(f->decoder)->not_inflated, 1);
    assert_log(f, "ws 5 " ACK "\n");
    assert_true(f->decoder->stream_bytes > PACKET_INFLATER_BYTES);
    packet_stream_close(&f->stream);
    assert_int_equal(f->decoder->stream_bytes, 0); /* all that was held is given back */
    flow_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_over_tls),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_several_in_a_segment),
        cmocka_unit_test(test_other_http),
        cmocka_unit_test(test_later_upgrade),
        cmocka_unit_test(test_long_head),
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_torn_head_after_a_hole),
        cmocka_unit_test(test_hole_in_fragments),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_bad_order),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_huge_fragments),
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_deflate_after_a_hole),
        cmocka_unit_test(test_found_by_its_length),
        cmocka_unit_test(test_deflate_bomb),
        cmocka_unit_test(test_deflate_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Writes captures of raw IP packets with UDP through source/capture_out, for tests of what runs
 * over whole captures. */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include "bytes.h"
#include "trace/trace.h"
#include "unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define WIRE_RAW 101

#define MS 1000000ll

/* Two phones, and where their media are. */
#define A  "10.0.0.1:5060"
#define B  "10.0.0.2:5060"
#define AM "10.0.0.1:4000"
#define BM "10.0.0.2:6000"

struct wire {
    char path[64];
    int fd;
    struct capture_out *out;
    int64_t now_ns;
    uint32_t frames;
};

static inline struct wire wire_new(void)
{
    struct wire w = {.now_ns = 1700000000000000000};
    struct capture_out_interface i = {.name = SLICE("wire"), .link_type = WIRE_RAW};
    struct err err;
    uint32_t id;
    w.fd = memfd_create("wire", MFD_CLOEXEC);
    snprintf(w.path, sizeof w.path, "/proc/self/fd/%d", w.fd);
    w.out = capture_out_new(CAPTURE_PCAPNG, dup(w.fd), w.path);
    assert_true(capture_out_interface(w.out, &i, &id, &err));
    return w;
}

/* "10.0.0.1:5060" */
static inline struct endpoint wire_end(const char *text)
{
    struct slice s = slice_of(text);
    size_t colon = slice_find(s, ':');
    struct endpoint e = {0};
    uint32_t port;
    assert_true(address_parse(slice_first(s, colon), &e.ip));
    assert_true(slice_to_u32(slice_from(s, colon + 1), &port));
    e.port = (uint16_t)port;
    return e;
}

static inline void wire_frame(struct wire *w, struct slice bytes)
{
    struct err err;
    struct capture_out_packet p = {
        .time_ns = w->now_ns, .bytes = bytes, .length = (uint32_t)bytes.n};
    w->frames++;
    assert_true(capture_out_packet(w->out, &p, &err));
}

static inline void wire_ip(struct bytes *b, uint8_t protocol, const char *src, const char *dst,
                           uint16_t fragment, size_t n)
{
    struct endpoint from = wire_end(src), to = wire_end(dst);
    put16(b, 0x4500);
    put16(b, (uint16_t)(20 + n));
    put16(b, 7);
    put16(b, fragment);
    put8(b, 64);
    put8(b, protocol);
    put16(b, 0);
    put(b, from.ip.bytes, 4);
    put(b, to.ip.bytes, 4);
}

static inline void wire_udp(struct wire *w, const char *src, const char *dst, struct slice payload)
{
    struct bytes b = {0};
    wire_ip(&b, 17, src, dst, 0, 8 + payload.n);
    put16(&b, wire_end(src).port);
    put16(&b, wire_end(dst).port);
    put16(&b, (uint16_t)(8 + payload.n));
    put16(&b, 0);
    put_slice(&b, payload);
    wire_frame(w, bytes_slice(&b));
    vec_free(&b);
}

/* Of a message in so many fragments of 512 bytes, the last ones first if `backwards`. */
static inline void wire_fragments(struct wire *w, const char *src, const char *dst,
                                  struct slice payload)
{
    struct bytes whole = {0};
    put16(&whole, wire_end(src).port);
    put16(&whole, wire_end(dst).port);
    put16(&whole, (uint16_t)(8 + payload.n));
    put16(&whole, 0);
    put_slice(&whole, payload);
    for (size_t at = 0; at < whole.n; at += 512) {
        struct bytes b = {0};
        size_t n = whole.n - at < 512 ? whole.n - at : 512;
        wire_ip(&b, 17, src, dst, (uint16_t)(at / 8 | (at + n < whole.n ? 0x2000 : 0)), n);
        put(&b, whole.items + at, n);
        wire_frame(w, bytes_slice(&b));
        vec_free(&b);
    }
    vec_free(&whole);
}

enum { WIRE_FIN = 1, WIRE_SYN = 2, WIRE_ACK = 16 };

static inline void wire_tcp(struct wire *w, const char *src, const char *dst, uint32_t seq,
                            uint32_t ack, uint8_t flags, struct slice payload)
{
    struct bytes b = {0};
    wire_ip(&b, 6, src, dst, 0, 20 + payload.n);
    put16(&b, wire_end(src).port);
    put16(&b, wire_end(dst).port);
    put32(&b, seq);
    put32(&b, ack);
    put8(&b, 0x50);
    put8(&b, flags);
    put16(&b, 0xffff);
    put32(&b, 0);
    put_slice(&b, payload);
    wire_frame(w, bytes_slice(&b));
    vec_free(&b);
}

/* A message of the call `id` with a body of SDP, or none. */
static inline void wire_sip(struct text *t, const char *start, const char *id, const char *cseq,
                            const char *sdp)
{
    text_clear(t);
    text_printf(t,
                "%s\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%s%s\r\nFrom: <sip:1@a>;tag=%sa\r\n"
                "To: <sip:2@b>%s%s\r\nCall-ID: %s\r\nCSeq: %s\r\nMax-Forwards: 70\r\n",
                start, id, cseq, id, start[0] == 'I' ? "" : ";tag=b", "", id, cseq);
    if (sdp)
        text_printf(t, "Content-Type: application/sdp\r\n");
    text_printf(t, "Content-Length: %zu\r\n\r\n%s", sdp ? strlen(sdp) : 0, sdp ? sdp : "");
}

static inline void wire_rtp(struct wire *w, const char *src, const char *dst, uint8_t payload_type,
                            uint16_t seq, uint32_t time, uint32_t ssrc)
{
    struct bytes b = {0};
    put8(&b, 0x80);
    put8(&b, payload_type);
    put16(&b, seq);
    put32(&b, time);
    put32(&b, ssrc);
    put_times(&b, 0xd5, 160);
    wire_udp(w, src, dst, bytes_slice(&b));
    vec_free(&b);
}

static inline void wire_close(struct wire *w)
{
    struct err err;
    assert_true(capture_out_close(w->out, false, NULL, &err));
}

/* A message, and ten milliseconds. */
static inline void wire_say(struct wire *w, const char *from, const char *to, const char *start,
                            const char *id, const char *cseq, const char *sdp)
{
    struct text t = {0};
    wire_sip(&t, start, id, cseq, sdp);
    wire_udp(w, from, to, text_slice(&t));
    text_free(&t);
    w->now_ns += 10 * MS;
}

#endif

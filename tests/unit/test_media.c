/* trace/media: RTP is counted at the addresses that SDP names, and found again for a call. */
#include "trace/media.h"
#include "wire.h"

#define OFFER                                                                                      \
    "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0 101\r\n"                                   \
    "a=rtpmap:101 telephone-event/8000\r\n"
#define ANSWER                                                                                     \
    "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 6000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n"
#define HOLD "v=0\r\nc=IN IP4 10.0.0.1\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n"

/* What is known of each call's media, a line each. */
static void describe(struct wire *w, bool watch, struct text *out)
{
    struct err err;
    struct trace *t = trace_new(&(struct trace_options){.media = watch, .threads = 1});
    wire_close(w);
    text_add(out, SLICE(""));
    assert_true(trace_add(t, w->path, &err));
    assert_true(trace_browse(t, &err));
    while (trace_browse_step(t, 1000, &err) == TRACE_MORE)
        ;
    for (uint32_t i = 0; i < trace_call_count(t); i++) {
        struct arena a = {0};
        struct trace_call_media m;
        trace_call_media(t, trace_call_open(t, i, &a, NULL, NULL), &a, &m);
        for (size_t k = 0; k < m.media_count; k++)
            text_printf(out, "%.*s %s %.*s%s\n", SLICE_ARG(m.media[k].kind),
                        endpoint_format(&m.media[k].rtp).s, SLICE_ARG(m.media[k].codec),
                        m.media[k].hold ? " hold" : "");
        for (size_t k = 0; k < m.stream_count; k++) {
            const struct trace_stream *s = &m.streams[k];
            text_printf(out, "%s > %s %x %.*s: %llu packets, %llu lost, ",
                        endpoint_format(&s->src).s, endpoint_format(&s->dst).s, s->ssrc,
                        SLICE_ARG(s->codec), (unsigned long long)s->packets,
                        (unsigned long long)s->lost);
            text_printf(out, s->has_jitter ? "%u us\n" : "?\n", s->jitter_us);
        }
        if (m.left_out)
            text_printf(out, "left out: %llu\n", (unsigned long long)m.left_out);
        arena_free(&a);
    }
    trace_free(t);
    close(w->fd);
}

static void invite(struct wire *w, const char *id)
{
    wire_say(w, A, B, "INVITE sip:2@b SIP/2.0", id, "1 INVITE", OFFER);
    wire_say(w, B, A, "SIP/2.0 200 OK", id, "1 INVITE", ANSWER);
    wire_say(w, A, B, "ACK sip:2@b SIP/2.0", id, "1 ACK", NULL);
}

static void bye(struct wire *w, const char *id)
{
    wire_say(w, A, B, "BYE sip:2@b SIP/2.0", id, "2 BYE", NULL);
    wire_say(w, B, A, "SIP/2.0 200 OK", id, "2 BYE", NULL);
}

static void assert_described(struct wire *w, bool watch, const char *wanted)
{
    struct text out = {0};
    describe(w, watch, &out);
    assert_string_equal(out.p, wanted);
    text_free(&out);
}

#define SAID "audio 10.0.0.1:4000 PCMU/8000\naudio 10.0.0.2:6000 PCMU/8000\n"

static void test_call(void **state)
{
    (void)state;
    for (unsigned watch = 0; watch < 2; watch++) {
        struct wire w = wire_new();
        invite(&w, "x");
        for (uint16_t i = 0; i < 100; i++) {
            w.now_ns += 20 * MS;
            if (i % 10 != 3) /* ten are lost, one comes twice, and numbers wrap */
                wire_rtp(&w, AM, BM, 0, (uint16_t)(65500 + i), i * 160u, 0xa);
            if (i == 50)
                wire_rtp(&w, AM, BM, 0, (uint16_t)(65500 + i), i * 160u, 0xa);
            if (i % 2)
                wire_rtp(&w, BM, AM, 0, i / 2, i * 160u + (i % 4 == 1 ? 80 : 0), 0xb);
        }
        wire_rtp(&w, "10.0.0.9:1", "10.0.0.9:2", 0, 1, 1, 0xc); /* nobody's */
        bye(&w, "x");
        assert_described(&w, watch,
                         watch ? SAID "10.0.0.1:4000 > 10.0.0.2:6000 a PCMU/8000: 91 packets, 9 "
                                      "lost, 0 us\n"
                                      "10.0.0.2:6000 > 10.0.0.1:4000 b PCMU/8000: 50 packets, 0 "
                                      "lost, 9576 us\n"
                               : SAID);
    }
}

/* A step of the numbers too great to be a loss is a new beginning. */
static void test_restart(void **state)
{
    struct wire w = wire_new();
    (void)state;
    invite(&w, "x");
    wire_rtp(&w, AM, BM, 0, 10, 0, 1);
    wire_rtp(&w, AM, BM, 0, 12, 0, 1);
    wire_rtp(&w, AM, BM, 0, 11, 0, 1);
    wire_rtp(&w, AM, BM, 0, 15, 0, 1);
    wire_rtp(&w, AM, BM, 0, 20000, 0, 1);
    wire_rtp(&w, AM, BM, 0, 20002, 0, 1);
    wire_rtp(&w, AM, BM, 99, 1, 0, 2); /* nothing is known of this codec */
    assert_described(&w, true,
                     SAID "10.0.0.1:4000 > 10.0.0.2:6000 1 PCMU/8000: 6 packets, 3 lost, 0 us\n"
                          "10.0.0.1:4000 > 10.0.0.2:6000 2 : 1 packets, 0 lost, ?\n");
}

/* One call after the other at the same addresses; the second is put on hold. */
static void test_calls_apart(void **state)
{
    struct wire w = wire_new();
    (void)state;
    invite(&w, "x");
    wire_rtp(&w, AM, BM, 0, 10, 0, 1);
    bye(&w, "x");
    w.now_ns += 60000 * MS;
    invite(&w, "y");
    wire_rtp(&w, AM, BM, 0, 10, 0, 2);
    wire_say(&w, A, B, "INVITE sip:2@b SIP/2.0", "y", "2 INVITE", HOLD);
    assert_described(&w, true,
                     SAID
                     "10.0.0.1:4000 > 10.0.0.2:6000 1 PCMU/8000: 1 packets, 0 lost, 0 us\n" SAID
                     "audio 10.0.0.1:4000 PCMU/8000 hold\n"
                     "10.0.0.1:4000 > 10.0.0.2:6000 2 PCMU/8000: 1 packets, 0 lost, 0 us\n");
}

/* Behind a translator of addresses nobody receives where SDP says; RTCP and what is no RTP does not
 * count. */
static void test_senders(void **state)
{
    struct wire w = wire_new();
    (void)state;
    invite(&w, "x");
    wire_rtp(&w, BM, "192.0.2.7:777", 0, 10, 0, 1);
    wire_rtp(&w, AM, BM, 200, 10, 0, 1);
    wire_udp(&w, AM, BM, SLICE("\x80"));
    wire_udp(&w, AM, BM, SLICE("\x80\0\0\0\0\0\0\0\0\0\0"));
    wire_udp(&w, AM, BM, SLICE("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_described(&w, true,
                     SAID "10.0.0.2:6000 > 192.0.2.7:777 1 PCMU/8000: 1 packets, 0 lost, 0 us\n");
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static void name(struct media_table *t, uint32_t host, uint16_t port)
{
    struct text sip = {0}, sdp = {0};
    struct sip_scanner *s = sip_scanner_new();
    struct sip_message m;
    struct arena a = {0};
    text_printf(&sdp, "c=IN IP4 10.1.%u.%u\r\nm=audio %u RTP/AVP 0\r\na=rtcp-mux\r\n", host >> 8,
                host & 255, port);
    wire_sip(&sip, "INVITE sip:2@b SIP/2.0", "x", "1 INVITE", sdp.p);
    assert_true(sip_scan_datagram(s, text_slice(&sip), 0, &m));
    media_table_note(t, &a, &m);
    sip_scanner_free(s);
    text_free(&sip);
    text_free(&sdp);
    arena_free(&a);
}

static bool saw(struct media_table *t, uint32_t host, uint16_t port, uint32_t ssrc)
{
    struct bytes b = {0};
    struct packet_payload p = {.transport = PACKET_UDP};
    const uint8_t ip[] = {10, 1, (uint8_t)(host >> 8), (uint8_t)host};
    p.src = wire_end("10.9.9.9:9");
    p.dst = (struct endpoint){address_of(4, ip), port};
    put32(&b, 0x80000001);
    put32(&b, 0);
    put32(&b, ssrc);
    p.bytes = bytes_slice(&b);
    bool found = media_table_saw(t, 0, &p);
    vec_free(&b);
    return found;
}

static void count_stream(void *context, const struct media_stream *s)
{
    *(unsigned *)context += s->packets > 0;
}

static void test_limits(void **state)
{
    struct hash_key key = hash_key_of(1, 2);
    struct media_table *t = media_table_new(&key);
    const struct media_stats *stats = media_table_stats(t);
    const struct endpoint first = wire_end("10.1.0.1:1000");
    unsigned n = 0;
    (void)state;
    assert_false(saw(t, 1, 1000, 0));
    name(t, 1, 1000);
    for (uint32_t i = 0; i < TRACE_MEDIA_STREAMS_AT + 10; i++)
        assert_true(saw(t, 1, 1000, i));
    assert_int_equal(stats->streams_left_out, 10);
    media_table_at(t, &first, count_stream, &n);
    assert_int_equal(n, TRACE_MEDIA_STREAMS_AT);
    /* all of them are named once; those that are named again stay */
    for (uint32_t i = 0; i < TRACE_MEDIA_PLACES; i++) {
        if (i % 1000 == 0)
            name(t, 1, 1000);
        name(t, 2 + i % 60000, (uint16_t)(2000 + i / 60000));
    }
    assert_int_equal(stats->places, TRACE_MEDIA_PLACES);
    assert_int_equal(stats->places_evicted, 1);
    assert_true(saw(t, 1, 1000, 5));
    assert_false(saw(t, 2, 2000, 5));
    assert_true(saw(t, 3, 2000, 5));
    media_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_calls_apart), cmocka_unit_test(test_senders),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

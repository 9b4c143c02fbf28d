/* sip/sdp: media of session descriptions, alone in a body and as a part of one. */
#include "scanned.h"

#include <stdio.h>

/* "audio 10.0.0.1:4000 rtcp 10.0.0.1:4001 sendrecv 0=PCMU/8000 96=opus/48000/2;" */
static void describe(struct arena *a, struct slice sdp, struct text *out)
{
    const struct sip_media *media;
    size_t left_out, n = sip_sdp_media(a, sdp, &media, &left_out);
    text_add(out, SLICE(""));
    for (size_t i = 0; i < n; i++) {
        const struct sip_media *m = &media[i];
        text_printf(out, "%.*s %s rtcp %s %s%s", SLICE_ARG(m->kind), endpoint_format(&m->rtp).s,
                    endpoint_format(&m->rtcp).s, sip_media_direction_name(m->direction),
                    m->hold ? " hold" : "");
        for (size_t k = 0; k < m->codec_count; k++)
            text_printf(out, " %u=%.*s:%u", m->codecs[k].payload_type, SLICE_ARG(m->codecs[k].name),
                        m->codecs[k].rate);
        text_add(out, SLICE(";"));
    }
    if (left_out)
        text_printf(out, " %zu left out", left_out);
}

#define V "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\n"

static void test_media(void **state)
{
    static const struct {
        struct slice sdp;
        const char *is;
    } cases[] = {
        {SLICE(""), ""},
        {SLICE(V "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n"
                 "a=rtpmap:101 telephone-event/8000\r\n"),
         "audio 10.0.0.1:4000 rtcp 10.0.0.1:4001 sendrecv 0=PCMU/8000:8000 8=PCMA/8000:8000 "
         "101=telephone-event/8000:8000;"},
        /* a media's own address and direction, line ends without CR, no last line end */
        {SLICE("c=IN IP4 10.0.0.1\na=sendonly\nm=audio 4000/2 RTP/SAVP 96\nc=IN IP6 fd00::1\n"
               "a=rtpmap:96 opus/48000/2\na=rtcp:5000\nm=video 6000 RTP/AVPF 97\na=recvonly\n"
               "a=rtcp-mux"),
         "audio [fd00::1]:4000 rtcp [fd00::1]:5000 sendonly hold 96=opus/48000/2:48000;"
         "video 10.0.0.1:6000 rtcp 10.0.0.1:6000 recvonly 97=:0;"},
        {SLICE("c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 9\n"),
         "audio 0.0.0.0:4000 rtcp 0.0.0.0:4001 sendrecv hold 9=G722/8000:8000;"},
        {SLICE("c=IN IP4 224.2.1.1/127/3\nm=audio 4000 RTP/AVP 3\na=rtcp:9 IN IP4 10.0.0.2\n"
               "a=inactive\n"),
         "audio 224.2.1.1:4000 rtcp 10.0.0.2:9 inactive hold 3=GSM/8000:8000;"},
        /* refused; no RTP; a name for an address */
        {SLICE("c=IN IP4 media.example\nm=audio 0 RTP/AVP 0\nm=image 5000 udptl t38\n"
               "m=application 1 DTLS/SCTP 5000\nm=audio 65535 RTP/AVP 0\n"),
         "audio  rtcp  sendrecv 0=PCMU/8000:8000;image  rtcp  sendrecv;"
         "application  rtcp  sendrecv;audio  rtcp  sendrecv 0=PCMU/8000:8000;"},
        /* broken lines */
        {SLICE("m=\nm=audio\nm=audio 99999 RTP/AVP 0 x 300 -1 8\na=rtpmap:\na=rtpmap:0\nc=\nc=IN\n"
               "x\n=\n\n\r\nmm=audio 1 RTP/AVP 0\na\na=\n"),
         "  rtcp  sendrecv;audio  rtcp  sendrecv;"
         "audio  rtcp  sendrecv 0=:0 8=PCMA/8000:8000;"},
        {SLICE("m=audio 4000 RTP/AVP 0\na=rtpmap:0 X/99999999999\n"),
         "audio  rtcp  sendrecv 0=X/99999999999:0;"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct text out = {0};
        struct guard g = guard_copy(cases[i].sdp.p, cases[i].sdp.n);
        describe(&a, (struct slice){g.p, g.n}, &out);
        assert_string_equal(out.p, cases[i].is);
        guard_free(&g);
        text_free(&out);
        arena_free(&a);
    }
}

static void test_limits(void **state)
{
    struct arena a = {0};
    struct text sdp = {0}, out = {0};
    const struct sip_media *media;
    size_t left_out;
    (void)state;
    text_add(&sdp, SLICE("c=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP"));
    for (unsigned i = 0; i < 100; i++)
        text_printf(&sdp, " %u", i);
    for (unsigned i = 0; i < 40; i++)
        text_printf(&sdp, "\nm=audio %u RTP/AVP 0\nc=IN IP4 10.0.0.%u", 5000 + i, i);
    assert_int_equal(sip_sdp_media(&a, text_slice(&sdp), &media, &left_out), SIP_SDP_MEDIA_MAX);
    assert_int_equal(left_out, 9);
    assert_int_equal(media[0].codec_count, SIP_SDP_CODECS_MAX);
    /* lines of what was left out do not count for what was not */
    assert_string_equal(endpoint_format(&media[31].rtp).s, "10.0.0.30:5030");
    text_free(&sdp);
    text_free(&out);
    arena_free(&a);
}

static void test_bodies(void **state)
{
    static const struct {
        struct slice type, body;
        const char *sdp;
    } cases[] = {
        {SLICE("application/sdp"), SLICE("v=0\r\n"), "v=0\r\n"},
        {SLICE("Application/SDP ;charset=x"), SLICE("v=0\r\n"), "v=0\r\n"},
        {SLICE("application/sdpx"), SLICE("v=0\r\n"), ""},
        {SLICE("text/plain"), SLICE("v=0\r\n"), ""},
        {SLICE("application/sdp"), SLICE(""), ""},
        {SLICE("multipart/mixed;boundary=b1"),
         SLICE("--b1\r\nContent-Type: application/isup\r\n\r\nxx\r\n--b1\r\n"
               "Content-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n"
               "v=0\r\ns=-\r\n--b1--\r\n"),
         "v=0\r\ns=-\r\n"},
        {SLICE("multipart/mixed; boundary=\"b 1\""), SLICE("--b 1\nc: application/sdp\n\nv=0\ns=-"),
         "v=0\ns=-"},
        {SLICE("multipart/mixed;boundary=b1"), SLICE("--b1\r\nContent-Type: text/plain\r\n\r\nv=0"),
         ""},
        {SLICE("multipart/mixed;boundary=b1"), SLICE("--b1\r\nContent-Type: application/sdp"), ""},
        {SLICE("multipart/mixed;boundary=b1"),
         SLICE("--b1\r\nContent-Type: application/sdp\r\n\r\n--b1--"), ""},
        {SLICE("multipart/mixed"), SLICE("--b1\r\nContent-Type: application/sdp\r\n\r\nv=0"), ""},
        {SLICE("multipart/mixed;boundary=\"\""),
         SLICE("--\r\nContent-Type: application/sdp\r\n\r\nv=0"), ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        struct loaded l;
        text_printf(&t, BYE HEAD "Content-Type: %.*s\r\nContent-Length: %zu\r\n\r\n",
                    SLICE_ARG(cases[i].type), cases[i].body.n);
        text_add(&t, cases[i].body);
        load(&l, text_slice(&t));
        assert_true(l.is);
        assert_slice(sip_sdp_of(&l.m), cases[i].sdp);
        unload(&l);
        text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

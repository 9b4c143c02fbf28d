/* trace/feed: messages of streams on their way to the message sink and to their calls. */
#include "lab.h"

#define HEAD(id, cseq, method)                                                                     \
    "Via: SIP/2.0/TCP a;branch=z9hG4bK" id cseq "\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2" \
    "\r\nCall-ID: " id "\r\nCSeq: " cseq " " method "\r\n"
#define BYE(id, cseq)        "BYE sip:b@c SIP/2.0\r\n" HEAD(id, cseq, "BYE") "l: 0\r\n\r\n"
#define INFO(id, body)       "INFO sip:b@c SIP/2.0\r\n" HEAD(id, "1", "INFO") "c: text/plain\r\n" body
#define INVITE(id)           "INVITE sip:b@c SIP/2.0\r\n" HEAD(id, "1", "INVITE") "l: 0\r\n\r\n"
#define OK(id, cseq, method) "SIP/2.0 200 OK\r\n" HEAD(id, cseq, method) "l: 0\r\n\r\n"

/* One direction of a connection between 10.0.0.1 and 10.0.0.2, the way back where `back` is set. */
struct segment {
    struct slice bytes;
    uint32_t skip; /* bytes before it that the capture does not have */
    bool back;
};

static void see(struct lab *lab, struct lab_point *p, const struct segment *s)
{
    struct lab_packet packet = {.src = s->back ? "10.0.0.2" : "10.0.0.1",
                                .dst = s->back ? "10.0.0.1" : "10.0.0.2",
                                .transport = LAB_TCP_OWN,
                                .by_src = !s->back,
                                .payload = {NULL, s->skip}};
    lab_send(lab, &packet);
    packet.payload = s->bytes;
    packet.seq = lab_send(lab, &packet);
    lab_see(lab, p, &packet, !s->back);
    lab->ip_id++;
    lab->now_ms++;
}

static void say_message(void *context, const struct trace_message *message)
{
    struct text *t = context;
    const struct packet_payload *p = message->payload;
    text_printf(t, "%s %.*s %u %.*s %s", packet_transport_name(p->transport),
                SLICE_ARG(message->sip->call_id), message->sip->status,
                SLICE_ARG(message->sip->method), sip_state_name(message->sip->state));
    for (size_t i = 0; i < p->frame_count; i++)
        text_printf(t, "%s%u", i ? "," : " ", p->frames[i]);
    text_printf(t, " %zu%s%s\n", message->sip->body.n, message->retransmission ? " again" : "",
                message->duplicate ? " duplicate" : "");
}

static void run_messages(struct lab *lab, struct text *said)
{
    struct check_options o = {.values = NULL};
    struct check_summary summary;
    struct trace_sinks sinks = {.message = say_message, .context = said};
    check_summary_init(&summary, &o);
    lab_forget(lab);
    lab_trace(lab, &o, &summary, &sinks);
    check_summary_free(&summary);
}

static const struct {
    const char *name;
    struct segment segments[8];
    const char *said, *notices;
} cases[] = {
    {"several in one",
     {{SLICE(BYE("1", "1") BYE("2", "1") "\r\n\r\n"), 0, false},
      {SLICE(OK("1", "1", "BYE")), 0, true}},
     "tcp 1 0 BYE whole 1 0\ntcp 2 0 BYE whole 1 0\ntcp 1 200 BYE whole 2 0\n",
     ""},
    {"one in several",
     {{SLICE("INFO sip:b@c SI"), 0, false},
      {SLICE("\r\n"), 0, true},
      {SLICE("P/2.0\r\n" HEAD("1", "1", "INFO") "c: text/plain\r\n"), 0, false},
      {SLICE("l: 5\r\n\r\nhel"), 0, false},
      {SLICE("lo" BYE("2", "1")), 0, false}},
     "tcp 1 0 INFO whole 1,3,4,5 5\ntcp 2 0 BYE whole 5 0\n",
     ""},
    {"the same twice in one",
     {{SLICE(OK("1", "1", "INVITE") OK("1", "1", "INVITE")), 0, true},
      {SLICE(OK("1", "1", "INVITE")), 0, true}},
     "tcp 1 200 INVITE whole 1 0\ntcp 1 200 INVITE whole 1 0 again\n"
     "tcp 1 200 INVITE whole 2 0 again\n",
     ""},
    {"a gap",
     {{SLICE(INFO("1", "l: 9\r\n\r\nhel")), 0, false}, {SLICE("ld" BYE("2", "1")), 4, false}},
     "tcp 1 0 INFO gap 1 3\ntcp 2 0 BYE whole 2 0\n",
     "p: runs of TCP bytes that are not in the capture: 1\n"},
    {"joined",
     {{SLICE("To: b\r\n\r\n" BYE("1", "1")), 0, false}, {SLICE(BYE("2", "1")), 0, false}},
     "tcp 1 0 BYE midstream 1 0\ntcp 2 0 BYE whole 2 0\n",
     ""},
    {"no length",
     {{SLICE(INFO("1", "\r\nhello\r\n")), 0, false}, {SLICE(BYE("2", "1")), 0, false}},
     "tcp 1 0 INFO whole 1 7\ntcp 2 0 BYE whole 2 0\n",
     ""},
    {"nobody's bytes",
     {{SLICE(INFO("1", "l: 2\r\n\r\nhello\r\n")), 0, false}, {SLICE(BYE("2", "1")), 0, false}},
     "tcp 1 0 INFO whole 1 2\ntcp 2 0 BYE whole 2 0\n",
     "p: bytes of streams between SIP messages that belong to none: 5\n"},
    {"no SIP", {{SLICE("SSH-2.0-x\r\n\0\0\0\xff\xff\n..."), 0, false}}, "", ""},
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.now_ms = 1000000000};
        struct lab_point *p = lab_point(&lab, "p", LAB_RAW);
        struct text said = {0};
        text_add(&said, SLICE(""));
        for (size_t k = 0; k < COUNT(cases[i].segments) && cases[i].segments[k].bytes.n; k++)
            see(&lab, p, &cases[i].segments[k]);
        run_messages(&lab, &said);
        if (strcmp(said.p, cases[i].said) != 0)
            fail_msg("%s:\n%sinstead of\n%s", cases[i].name, said.p, cases[i].said);
        if (strcmp(lab.notices.p, cases[i].notices) != 0)
            fail_msg("%s:\n%sinstead of\n%s", cases[i].name, lab.notices.p, cases[i].notices);
        text_free(&said);
        lab_free(&lab);
    }
}

/* For a list of calls too, Content-Length is read; the call is one, ended. */
static void test_calls(void **state)
{
    static const struct segment talk[] = {
        {SLICE(INVITE("1")), 0, false},
        {SLICE(OK("1", "1", "INVITE")), 0, true},
        {SLICE(INFO("1", "l: 5\r\n\r\nhello") BYE("1", "2")), 0, false},
        {SLICE(OK("1", "1", "INFO") OK("1", "2", "BYE")), 0, true},
    };
    struct lab lab = {.now_ms = 1000000000};
    struct lab_point *p = lab_point(&lab, "p", LAB_RAW);
    struct check_options o = {.values = NULL};
    struct check_summary summary;
    struct trace_sinks sinks = {.call = lab_listed, .context = &lab};
    (void)state;
    for (size_t k = 0; k < COUNT(talk); k++)
        see(&lab, p, &talk[k]);
    lab_forget(&lab);
    check_summary_init(&summary, &o);
    lab_trace(&lab, &o, &summary, &sinks);
    check_summary_free(&summary);
    assert_string_equal(lab.calls.p, "1 ended 6 6\n");
    lab_free(&lab);
}

/* What was not captured of a message is unknown, not missing; what a joined stream shows whole is
 * known. */
static void test_unknown(void **state)
{
    static const char *const after = "X-B: 2\r\nl: 0\r\n\r\n";
    static const struct {
        struct segment segments[2];
        const char *x_b;
    } bye[] = {
        {{{SLICE("BYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nQ: 1\r\n"), 0, false},
          {SLICE("X-B: 2\r\nl: 0\r\n\r\n"), 0, false}},
         "ok PP"},
        {{{SLICE("BYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nQ: 1\r\n"), 0, false},
          {SLICE("\r\nl: 0\r\n\r\n"), 6, false}},
         "unknown PC"},
        {{{SLICE("x\r\nBYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nQ: 1\r\n"), 0,
           false},
          {SLICE("l: 0\r\n\r\n"), 0, false}},
         "stripped PM after p before q"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bye); i++) {
        struct lab lab = {.now_ms = 1000000000};
        struct lab_point *p = lab_point(&lab, "p", LAB_RAW), *q = lab_point(&lab, "q", LAB_RAW);
        char said[256];
        struct segment first = {
            SLICE("BYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nQ: 1\r\n"), 0, false};
        see(&lab, p, &first);
        see(&lab, p, &(struct segment){slice_of(after), 0, false});
        lab.way_count = 0;
        for (size_t k = 0; k < COUNT(bye[i].segments); k++)
            see(&lab, q, &bye[i].segments[k]);
        lab_run(&lab);
        snprintf(said, sizeof said, "  X-B %s\n", bye[i].x_b);
        if (!strstr(lab.report.p, said) || !strstr(lab.report.p, "  X-A ok PP\n"))
            fail_msg("case %zu: %s", i, lab.report.p);
        lab_free(&lab);
    }
}

/* A message of which two segments are there, then a hole: its bytes are kept in memory.  It comes
 * again whole: those are read from the file. */
static void test_fuller(void **state)
{
    static const struct segment talk[] = {
        {SLICE("BYE sip:b@c SIP/2.0\r\n"), 0, false},
        {SLICE(HEAD("1", "2", "BYE") "X-A: 1\r\nX-"), 0, false},
        {SLICE("\r\n\r\n"), 30, false},
        {SLICE("BYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nX-B: 2\r\n\r\n"), 0,
         false},
    };
    struct lab lab = {.now_ms = 1000000000};
    struct lab_point *p = lab_point(&lab, "p", LAB_RAW);
    (void)state;
    for (size_t i = 0; i < COUNT(talk); i++)
        see(&lab, p, &talk[i]);
    lab_run(&lab);
    assert_string_equal(lab.report.p, "1 unknown pass\nBYE #2 10.0.0.1: p = 0\n  X-A ok P\n"
                                      "  X-B ok P\n");
    assert_int_equal(lab.transmissions, 2);
    lab_free(&lab);
}

/* The first IP fragment of a datagram, and no other. */
static void see_first_fragment(struct lab *lab, struct lab_point *p,
                               const struct lab_packet *packet, uint16_t n)
{
    struct bytes frame = {0};
    lab_file_header(p);
    lab_frame(&frame, p, packet, true, lab->ip_id);
    frame.items[2] = (uint8_t)((20 + n) >> 8);
    frame.items[3] = (uint8_t)(20 + n);
    frame.items[6] = 0x20;
    frame.n = 20u + n;
    lab_record(p, lab->now_ms, bytes_slice(&frame));
    vec_free(&frame);
}

/* What a lost fragment had is as unknown as what the snap length cut off, and is told apart. */
static void test_datagrams(void **state)
{
    const struct lab_packet bye = {
        .src = "10.0.0.1",
        .dst = "10.0.0.2",
        .payload = SLICE("BYE sip:b@c SIP/2.0\r\n" HEAD("1", "2", "BYE") "X-A: 1\r\nQ: 1\r\n"
                                                                         "X-B: 2\r\nl: 0\r\n\r\n")};
    const uint16_t n = (bye.payload.n - 1) / 8 * 8; /* with the UDP header: to within X-B */
    (void)state;
    for (unsigned cut = 0; cut < 2; cut++) {
        struct lab lab = {.now_ms = 1000000000};
        struct lab_point *p = lab_point(&lab, "p", LAB_RAW), *q = lab_point(&lab, "q", LAB_RAW);
        struct text said = {0};
        char expected[200];
        lab_see(&lab, p, &bye, true);
        lab.now_ms++;
        q->snaplen = cut ? 20u + n : 0;
        if (cut)
            lab_see(&lab, q, &bye, true);
        else
            see_first_fragment(&lab, q, &bye, n);
        run_messages(&lab, &said);
        snprintf(expected, sizeof expected, "udp 1 0 BYE whole 1 0\nudp 1 0 BYE %s 1 0\n",
                 cut ? "cut" : "gap");
        assert_string_equal(said.p, expected);
        lab_run(&lab);
        assert_string_equal(lab.report.p, "1 unknown inconclusive\nBYE #2 10.0.0.1: p q = 0\n"
                                          "  X-A ok PP\n  X-B unknown PC\n");
        text_free(&said);
        lab_free(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),  cmocka_unit_test(test_calls),
        cmocka_unit_test(test_unknown),   cmocka_unit_test(test_fuller),
        cmocka_unit_test(test_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

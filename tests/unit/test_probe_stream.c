/* probe: what a caller makes of peers over TCP, and of those that should speak TLS. */
#include "probe_peer.h"

static void in_pieces(struct peer *p)
{
    int fd = p->fd;
    static int pair[2];
    if (peer_got(p, "ACK"))
        return;
    /* what peer_agrees sends goes through a pipe, to be sent on in pieces */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    p->fd = pair[0];
    peer_agrees(p);
    p->fd = fd;
    char piece[7];
    ssize_t n;
    while ((n = recv(pair[1], piece, sizeof piece, MSG_DONTWAIT)) > 0) {
        peer_send(p, piece, (size_t)n);
        usleep(500);
    }
    close(pair[0]);
    close(pair[1]);
}

static void with_noise(struct peer *p)
{
    peer_send(p, "\r\n\r\nnonsense\r\n\r\n", 16);
    peer_agrees(p);
}

/* A message that begins so, and what follows never ends. */
static void send_on_and_on(struct peer *p, const char *begin)
{
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    peer_send(p, begin, strlen(begin));
    for (int i = 0; i < PEER_SENDS; i++)
        peer_send(p, bytes, sizeof bytes);
}

static void has_no_end(struct peer *p)
{
    send_on_and_on(p, "SIP/2.0 200 OK\r\nX: ");
}

static void has_no_end_of_body(struct peer *p)
{
    send_on_and_on(p, "SIP/2.0 200 OK\r\nContent-Length: 4000000000\r\n\r\n");
}

static void is_slow(struct peer *p)
{
    static const char line[] = "SIP/2.0 200 OK\r\nX-A: B\r\n";
    for (int i = 0; i < 100; i++) {
        peer_send(p, &line[i % 24], 1);
        usleep(50000);
    }
}

static void closes(struct peer *p)
{
    close(p->fd);
    _exit(0);
}

static const struct {
    const char *name;
    peer_does *does; /* NULL: nobody is there */
    bool tls;
    enum probe_fate fate;
    bool completed;
    const char *text;
} cases[] = {
    {"all is well", peer_agrees, false, PROBE_DONE, true, "200 OK"},
    {"in pieces", in_pieces, false, PROBE_DONE, true, "200 OK"},
    {"noise", with_noise, false, PROBE_DONE, true, "200 OK"},
    {"no end", has_no_end, false, PROBE_NO_ANSWER, false,
     "connection closed: a message on it has no end; sent once"},
    {"no end of body", has_no_end_of_body, false, PROBE_NO_ANSWER, false, "sent once"},
    {"slow", is_slow, false, PROBE_NO_ANSWER, false, "no answer within "},
    {"closes", closes, false, PROBE_NO_ANSWER, false, "the other side closed the connection"},
    {"nobody", NULL, false, PROBE_REFUSED, false,
     "there is no connection: Connection refused; it was to go to 127.0.0.1:45070 over TCP"},
    {"no TLS", peer_agrees, true, PROBE_TLS_FAILED, false,
     "there is no TLS connection: Connection timed out; it was to go to 127.0.0.1:45070 over TLS"},
};

static void test_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct plan p;
        struct probe_run run;
        struct err err;
        struct text t = {0};
        struct probe_options o = peer_options(true);
        pid_t child = cases[i].does ? peer_begin(cases[i].does, true) : 0;
        o.transport = cases[i].tls ? PROBE_TLS : PROBE_TCP;
        if (cases[i].fate == PROBE_NO_ANSWER || cases[i].tls)
            o.step_ms = PEER_TIMEOUT_MS;
        plan_make(&p, "c INVITE$e 200 INVITE$c BYE");
        if (!probe_run(&run, &p.plan, &o, &err))
            fail_msg("%s: %s", cases[i].name, err.text);
        if (child)
            peer_end(child);
        const struct probe_call_result *r = &run.results.items[0];
        probe_outcome_text(&t, &run.log, r, 0);
        if (r->outcomes[0].fate != cases[i].fate || r->completed != cases[i].completed ||
            !holds(text_slice(&t), cases[i].text)) {
            log_print(&run.log);
            fail_msg("%s: %s, completed %d: %s", cases[i].name,
                     probe_fate_name(r->outcomes[0].fate), r->completed, t.p);
        }
        if (cases[i].does == has_no_end)
            assert_int_equal(run.log.counts.too_long, 1);
        if (cases[i].does == with_noise)
            assert_true(run.log.counts.noise >= 8);
        text_free(&t);
        probe_run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

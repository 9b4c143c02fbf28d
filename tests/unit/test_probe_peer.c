/* probe: what a caller makes of peers over UDP, good ones and bad. */
#include "probe_peer.h"

#include <time.h>

/* ---- peers ----------------------------------------------------------------------------------- */

static void is_silent(struct peer *p)
{
    (void)p;
}

static void is_busy(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "486 Busy Here", "peer1", "");
}

static void names_a_proxy(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "305 Use Proxy", "peer1", "Contact: <sip:other@192.0.2.7>\r\n");
}

static void names_a_phone(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "302 Moved", "peer1", "Contact: <tel:+15105550107>, <sip:>\r\n");
}

/* To a better one of three, which agrees. */
static void points_elsewhere(struct peer *p)
{
    if (strstr(p->text, "INVITE sip:+15105550100@") == p->text)
        peer_reply(p, "302 Moved", "peer1",
                   "Contact: <sip:low@192.0.2.7>;q=0.3, \"Best, of all\" "
                   "<sip:best@127.0.0.1:45070;x=1?Subject=a>;q=0.9\r\n"
                   "Contact: <sip:next@192.0.2.7>;q=0.85\r\n");
    else
        peer_agrees(p);
}

static void points_to_itself(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "301 Moved", "peer1", "Contact: <sip:+15105550100@127.0.0.1:45070>\r\n");
}

static void points_in_circles(struct peer *p)
{
    if (strstr(p->text, "INVITE sip:one@") == p->text)
        peer_reply(p, "302 Moved", "peer1", "Contact: sip:two@127.0.0.1:45070;q=0.1\r\n");
    else if (!peer_got(p, "ACK"))
        peer_reply(p, "302 Moved", "peer1", "Contact: sip:one@127.0.0.1:45070\r\n");
}

static void rings(struct peer *p)
{
    peer_rings(p, PEER_SENDS, "487 Request Terminated", "");
}

/* Answers although it was cancelled: both crossed. */
static void answers_late(struct peer *p)
{
    if (peer_got(p, "BYE"))
        peer_reply(p, "200 OK", "peer1", "");
    else
        peer_rings(p, 1, "200 OK", PEER_CONTACT);
}

static void forks(struct peer *p)
{
    if (peer_got(p, "INVITE")) {
        peer_reply(p, "200 OK", "peer1", PEER_CONTACT);
        peer_reply(p, "200 OK", "peer2", PEER_CONTACT);
        peer_reply(p, "200 OK", "peer2", PEER_CONTACT);
    } else {
        peer_agrees(p);
    }
}

static void answers_twice(struct peer *p)
{
    peer_agrees(p);
    if (peer_got(p, "INVITE"))
        peer_reply(p, "200 OK", "peer1", PEER_CONTACT);
}

static void has_strict_router(struct peer *p)
{
    if (peer_got(p, "INVITE"))
        peer_reply(p, "200 OK", "peer1",
                   PEER_CONTACT "Record-Route: <sip:192.0.2.9;lr>\r\n"
                                "Record-Route: <sip:127.0.0.1:45070;x=1>\r\n");
    else
        peer_agrees(p);
}

static void has_loose_router(struct peer *p)
{
    if (peer_got(p, "INVITE"))
        peer_reply(p, "200 OK", "peer1",
                   "Contact: <sip:far@192.0.2.1;a=b>;expires=5\r\n"
                   "Record-Route: <sip:192.0.2.9;lr>, \"x, y\" <sip:127.0.0.1:45070;lr=on>\r\n");
    else
        peer_agrees(p);
}

static void lives_nowhere(struct peer *p)
{
    peer_reply(p, "200 OK", "peer1", "Contact: <sip:far@[::1]>\r\n");
}

static void other_branch(struct peer *p)
{
    char *branch = strstr(p->text, "branch=z9hG4bK");
    if (branch)
        branch[16] ^= 1;
    peer_agrees(p);
}

static void other_cseq(struct peer *p)
{
    char *cseq = strstr(p->text, "CSeq: ");
    if (cseq)
        cseq[6] = '7';
    peer_agrees(p);
}

static void sends_garbage(struct peer *p)
{
    static char bytes[60000];
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < 20; i++)
        peer_send(p, bytes, i % 10 ? 12 : sizeof bytes);
    peer_send(p, "SIP/2.0 200 OK\r\n\r\n", 18);
    peer_send(p, "SIP/2.0 200 OK\r\nVia: x\r\nCSeq: y\r\n\r\n", 36);
    memcpy(bytes, "SIP/2.0 200 OK\r\nX: ", 19);
    peer_send(p, bytes, sizeof bytes);
    peer_agrees(p);
}

static void asks_for_credentials(struct peer *p)
{
    if (peer_got(p, "ACK"))
        return;
    if (strstr(p->text, "\r\nProxy-Authorization: Digest username=\"alice\", realm=\"a\\\"b\","))
        peer_agrees(p);
    else
        peer_reply(p, "407 Needed", "peer1",
                   "Proxy-Authenticate: Basic realm=\"x\"\r\n"
                   "Proxy-Authenticate: Digest realm=\"a\\\"b\", nonce=\"n\", algorithm=SHA-256, "
                   "qop=\"auth,auth-int\", opaque=\"\"\r\n");
}

static void never_content(struct peer *p)
{
    if (!peer_got(p, "ACK"))
        peer_reply(p, "401 No", "peer1", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
}

/* A proxy that wants credentials, and behind it a far end that does, whose nonce was stale. */
static void asks_twice(struct peer *p)
{
    static const char *const proxy =
        "\r\nProxy-Authorization: Digest username=\"alice\", realm=\"p\"";
    static const char *const far = "\r\nAuthorization: Digest username=\"alice\", realm=\"f\"";
    bool is_proxys = strstr(p->text, proxy), is_fars = strstr(p->text, far);
    if (peer_got(p, "ACK"))
        return;
    if (is_proxys && is_fars && strstr(p->text, "nonce=\"n2\""))
        peer_agrees(p);
    else if (is_proxys)
        peer_reply(p, "401 No", "peer1",
                   is_fars ? "WWW-Authenticate: Digest realm=\"f\", nonce=\"n2\", stale=true\r\n"
                           : "WWW-Authenticate: Digest realm=\"f\", nonce=\"n1\"\r\n");
    else
        peer_reply(p, "407 No", "peer1",
                   "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", qop=\"auth\"\r\n");
}

/* Sends requests with tags and Call-IDs that are not those of the call, then as it should. */
static void sends_strange_requests(struct peer *p)
{
    static const char *const requests[] = {
        "BYE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa1\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>;tag=y\r\nCall-ID: none\r\nCSeq: 1 BYE\r\n\r\n",
        "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa2\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa3\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 INVITE\r\n\r\n",
        "ACK sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa4\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>;tag=z\r\nCall-ID: i\r\nCSeq: 1 ACK\r\n\r\n",
        "CANCEL sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa5\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 CANCEL\r\n\r\n",
        "FROBNICATE sip:x@127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:45070;branch=z9hG4bKa6\r\n"
        "From: <sip:a@b>;tag=x\r\nTo: <sip:c@d>\r\nCall-ID: i\r\nCSeq: 1 FROBNICATE\r\n\r\n",
    };
    if (p->requests == 1)
        for (size_t i = 0; i < COUNT(requests); i++)
            peer_send(p, requests[i], strlen(requests[i]));
    if (!peer_got(p, "SIP/2.0"))
        peer_agrees(p);
}

/* ---- what is expected -------------------------------------------------------------------------
 */

#define CALL "c INVITE$e 200 INVITE$c BYE"

struct expected {
    const char *name;
    peer_does *does; /* NULL: nobody is there */
    enum probe_fate fate;
    uint16_t status;
    bool completed, ended;
    const char *text; /* in what is said of the INVITE */
    const char *sent; /* a message that the caller sends begins so ... */
    const char *with; /* ... and holds this */
    size_t times;     /* messages that begin so, retransmissions left out */
};

static const struct expected cases[] = {
    {"all is well", peer_agrees, PROBE_DONE, 200, true, true, "200 OK", "BYE",
     "BYE sip:peer@127.0.0.1:45070 SIP/2.0\r\n", 1},
    {"silence", is_silent, PROBE_NO_ANSWER, 0, false, true, " times to 127.0.0.1:45070 over UDP",
     "CANCEL", "", 0},
    {"nobody", NULL, PROBE_ICMP, 0, false, true,
     "an ICMP error from 127.0.0.1: Connection refused; sent once to", "INVITE", "", 1},
    {"busy", is_busy, PROBE_DONE, 486, false, true, "486 Busy Here", "ACK",
     "ACK sip:+15105550100@127.0.0.1:45070 SIP/2.0\r\n", 1},
    {"use proxy", names_a_proxy, PROBE_DONE, 305, false, true,
     "305 Use Proxy: it points to <sip:other@192.0.2.7>", "ACK", ";tag=peer1\r\n", 1},
    {"phone", names_a_phone, PROBE_DONE, 302, false, true,
     "302 Moved: it points to <tel:+15105550107>, <sip:>", "INVITE", "", 1},
    {"elsewhere", points_elsewhere, PROBE_DONE, 200, true, true,
     "200 OK: 302 sent it on to sip:best@127.0.0.1:45070;x=1", "INVITE",
     "INVITE sip:best@127.0.0.1:45070;x=1 SIP/2.0\r\n", 2},
    {"elsewhere, its ACK", points_elsewhere, PROBE_DONE, 200, true, true, "200 OK", "ACK",
     "ACK sip:+15105550100@127.0.0.1:45070 SIP/2.0\r\n", 2},
    {"itself", points_to_itself, PROBE_DONE, 301, false, true, "301 Moved: it points to itself",
     "INVITE", "", 1},
    {"circles", points_in_circles, PROBE_DONE, 302, false, true,
     "302 Moved: it points to sip:two@127.0.0.1:45070, after 5 redirects", "INVITE", "", 6},
    {"ringing", rings, PROBE_NO_ANSWER, 180, false, true, "the last word was 180 Ringing", "CANCEL",
     "\r\nCSeq: 1 CANCEL\r\n", 1},
    {"too late", answers_late, PROBE_NO_ANSWER, 180, false, true, "no answer", "BYE",
     "\r\nCSeq: 2 BYE\r\n", 1},
    {"fork", forks, PROBE_DONE, 200, true, true, "200 OK", "BYE", ";tag=peer2\r\n", 2},
    {"twice", answers_twice, PROBE_DONE, 200, true, true, "200 OK", "ACK", ";tag=peer1\r\n", 1},
    {"strict", has_strict_router, PROBE_DONE, 200, true, true, "200 OK",
     "BYE sip:127.0.0.1:45070;x=1 SIP/2.0\r\n",
     "\r\nRoute: <sip:192.0.2.9;lr>\r\nRoute: <sip:peer@127.0.0.1:45070>\r\nFrom:", 1},
    {"loose", has_loose_router, PROBE_DONE, 200, true, true, "200 OK",
     "BYE sip:far@192.0.2.1;a=b SIP/2.0\r\n",
     "\r\nRoute: \"x, y\" <sip:127.0.0.1:45070;lr=on>\r\nRoute: <sip:192.0.2.9;lr>\r\nFrom:", 1},
    {"nowhere", lives_nowhere, PROBE_DONE, 200, false, false, "200 OK", "BYE", "", 0},
    {"branch", other_branch, PROBE_NO_ANSWER, 0, false, true, "no answer", "ACK", "", 0},
    {"cseq", other_cseq, PROBE_NO_ANSWER, 0, false, true, "no answer", "ACK", "", 0},
    {"garbage", sends_garbage, PROBE_DONE, 200, true, true, "200 OK", "BYE", "", 1},
    {"credentials", asks_for_credentials, PROBE_DONE, 200, true, true, "200 OK", "INVITE", "", 2},
    {"refused", never_content, PROBE_DONE, 401, false, true, "401 No: the credentials were refused",
     "INVITE", "", 2},
    {"both want credentials", asks_twice, PROBE_DONE, 200, true, true, "200 OK", "BYE", "", 4},
    {"strange", sends_strange_requests, PROBE_DONE, 200, true, true, "200 OK", "SIP/2.0 4", "", 3},
};

static size_t count_sent(const struct probe_log *log, const char *start, const char *with,
                         bool *found)
{
    size_t n = 0, again = 0;
    const struct probe_entry *e;
    *found = !*with;
    while ((e = log_find(log, PROBE_SENT, PROBE_CALLER, start, n)) != NULL) {
        *found |= holds(e->bytes, with);
        again += e->retransmission;
        n++;
    }
    return n - again;
}

static void judge(const struct expected *c, const struct probe_run *run)
{
    struct text t = {0};
    bool found;
    const struct probe_call_result *r = &run->results.items[0];
    probe_outcome_text(&t, &run->log, r, 0);
    size_t times = count_sent(&run->log, c->sent, c->with, &found);
    if (r->outcomes[0].fate != c->fate || r->outcomes[0].status != c->status ||
        r->completed != c->completed || r->ended != c->ended || !holds(text_slice(&t), c->text) ||
        !found || times != c->times) {
        log_print(&run->log);
        fail_msg("%s: %s (%u), completed %d, ended %d, \"%s\" %zu times%s: %s", c->name,
                 probe_fate_name(r->outcomes[0].fate), r->outcomes[0].status, r->completed,
                 r->ended, c->sent, times, found ? "" : ", not as it should be", t.p);
    }
    text_free(&t);
}

static void run_case(const struct expected *c, struct probe_run *run)
{
    struct plan p;
    struct err err;
    struct probe_options o = peer_options(false);
    pid_t child = c->does ? peer_begin(c->does, false) : 0;
    plan_make(&p, CALL);
    if (c->fate == PROBE_NO_ANSWER)
        o.step_ms = PEER_TIMEOUT_MS;
    o.credentials.user = SLICE("alice");
    o.credentials.password = SLICE("secret");
    if (!probe_run(run, &p.plan, &o, &err))
        fail_msg("%s: %s", c->name, err.text);
    if (child)
        peer_end(child);
    judge(c, run);
}

static void test_peers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct probe_run run;
        run_case(&cases[i], &run);
        probe_run_free(&run);
    }
}

static const struct expected *case_of(const char *name)
{
    size_t i = 0;
    while (strcmp(cases[i].name, name) != 0)
        i++;
    return &cases[i];
}

/* What is told of peers that send what they should not. */
static void test_counts(void **state)
{
    struct probe_run run;
    (void)state;
    run_case(case_of("garbage"), &run);
    assert_true(run.log.counts.noise >= 20);
    assert_true(run.log.counts.malformed >= 2);
    probe_run_free(&run);
    run_case(case_of("branch"), &run);
    assert_true(run.log.counts.stray_responses >= 2);
    probe_run_free(&run);
    run_case(case_of("fork"), &run);
    assert_int_equal(run.log.counts.forks, 1);
    probe_run_free(&run);
    run_case(case_of("strange"), &run);
    assert_int_equal(run.log.counts.strangers, 1);
    assert_int_equal(run.log.counts.stray_requests, 4);
    probe_run_free(&run);
    run_case(case_of("nowhere"), &run);
    assert_int_equal(run.log.counts.unended, 1);
    assert_int_equal(run.results.items[0].outcomes[2].fate, PROBE_UNRESOLVED);
    probe_run_free(&run);
}

/* An ACK that is sent again is the same bytes. */
static void test_ack_again(void **state)
{
    struct probe_run run;
    (void)state;
    run_case(case_of("twice"), &run);
    const struct probe_entry *a = log_find(&run.log, PROBE_SENT, PROBE_CALLER, "ACK", 0);
    const struct probe_entry *b = log_find(&run.log, PROBE_SENT, PROBE_CALLER, "ACK", 1);
    assert_true(slice_equal(a->bytes, b->bytes));
    assert_false(a->retransmission);
    assert_true(b->retransmission);
    probe_run_free(&run);
}

/* Whoever waits does not look at the clock all the time. */
static void test_waits(void **state)
{
    struct probe_run run;
    (void)state;
    clock_t before = clock();
    run_case(case_of("silence"), &run);
    assert_true(clock() - before < CLOCKS_PER_SEC / 2);
    probe_run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_ack_again),
        cmocka_unit_test(test_waits),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* probe: the callee alone, for callers good and bad; runs that are stopped. */
#include "probe_peer.h"

#define ANSWER_AT "127.0.0.1:45071"

/* ---- the callee, in a process of its own ------------------------------------------------------
 */

static pid_t answer_begin(uint32_t calls, const char *steps)
{
    pid_t child = fork();
    if (child)
        return child;
    struct plan p;
    struct probe_run run;
    struct err err;
    struct probe_options o = plan_options();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    plan_make(&p, steps);
    o.play[PROBE_CALLER] = false;
    o.to = SLICE("");
    o.listen[PROBE_CALLEE] = ANSWER_AT;
    o.calls = calls;
    bool ok = probe_run(&run, &p.plan, &o, &err);
    ok = ok && run.calls_ended == calls && run.log.entries.n == 0;
    probe_run_free(&run);
    _exit(ok ? 0 : 1);
}

static int answer_end(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- a caller that sends what it likes --------------------------------------------------------
 */

struct wire {
    int fd;
    struct sockaddr_in to;
    char got[TEXT_ROOM];
};

static void wire_open(struct wire *w)
{
    struct timeval limit = {2, 0};
    w->fd = socket(AF_INET, SOCK_DGRAM, 0);
    w->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(45071)};
    w->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    /* the callee may not be there yet: it is when OPTIONS is answered */
    assert_int_equal(connect(w->fd, (struct sockaddr *)&w->to, sizeof w->to), 0);
}

struct request {
    const char *method, *branch, *call_id, *to_tag, *lines;
    unsigned cseq;
};

static void wire_send(struct wire *w, const struct request *r)
{
    char text[4096];
    int n = snprintf(text, sizeof text,
                     "%s sip:b@127.0.0.1 SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%s;rport\r\n"
                     "From: <sip:a@127.0.0.1>;tag=t%s\r\nTo: <sip:b@127.0.0.1>%s%s\r\n"
                     "Call-ID: %s\r\nCSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
                     r->method, r->branch, r->call_id, r->to_tag ? ";tag=" : "",
                     r->to_tag ? r->to_tag : "", r->call_id, r->cseq ? r->cseq : 1, r->method,
                     r->lines ? r->lines : "");
    (void)!send(w->fd, text, (size_t)n, 0);
}

/* The status of the next response that is final, or has this one; 0: none comes. */
static unsigned wire_status(struct wire *w)
{
    for (;;) {
        ssize_t n = recv(w->fd, w->got, sizeof w->got - 1, 0);
        if (n < 0)
            return 0;
        w->got[n] = '\0';
        unsigned status =
            strncmp(w->got, "SIP/2.0 ", 8) == 0 ? (unsigned)strtoul(w->got + 8, NULL, 10) : 0;
        if (status >= 200)
            return status;
    }
}

static void wire_wait_for_callee(struct wire *w)
{
    struct request options = {"OPTIONS", "o", "o", NULL, NULL, 1};
    for (int i = 0; i < 100; i++) {
        char branch[16];
        snprintf(branch, sizeof branch, "o%d", i);
        options.branch = branch;
        wire_send(w, &options);
        if (wire_status(w) == 200)
            return;
        usleep(20000);
    }
    fail_msg("nobody answers");
}

/* The To-tag in what was got last. */
static void got_tag(const struct wire *w, char tag[64])
{
    const char *to = strstr(w->got, "\r\nTo: ");
    assert_non_null(to);
    to = strstr(to, ";tag=");
    assert_non_null(to);
    sscanf(to, ";tag=%63[^\r;]", tag);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

#define STEPS "c INVITE$e 180 INVITE$e 200 INVITE\tX-Answer: 1$c BYE$e 200 BYE\tX-Bye: 1"

/* Two processes of ours call each other. */
static void test_both(void **state)
{
    static const enum probe_transport transports[] = {PROBE_UDP, PROBE_TCP, PROBE_TLS};
    (void)state;
    for (size_t i = 0; i < COUNT(transports); i++) {
        struct wire w;
        struct plan p;
        struct probe_run run;
        struct err err;
        struct probe_options o = plan_options();
        pid_t child = answer_begin(2, STEPS);
        wire_open(&w);
        wire_wait_for_callee(&w);
        plan_make(&p, STEPS);
        struct probe_call_plan calls[2] = {p.call, p.call};
        p.plan.calls = calls;
        p.plan.call_count = 2;
        o.play[PROBE_CALLEE] = false;
        o.transport = transports[i];
        o.tls.no_verify = true;
        o.to = SLICE("sip:b@" ANSWER_AT);
        assert_true(probe_run(&run, &p.plan, &o, &err));
        if (run.results.n != 2 || !run.results.items[1].completed ||
            !run.results.items[0].completed || !run.results.items[0].outcomes[4].arrived) {
            log_print(&run.log);
            outcomes_print(&run);
            fail_msg("case %zu", i);
        }
        const struct probe_outcome *answer = &run.results.items[0].outcomes[4];
        assert_true(answer->arrived);
        assert_true(holds(run.log.entries.items[answer->received].bytes, "\r\nX-Bye: 1\r\n"));
        probe_run_free(&run);
        assert_int_equal(answer_end(child), 0);
        close(w.fd);
    }
}

static void test_bad_callers(void **state)
{
    static const struct {
        struct request request;
        unsigned status;
    } cases[] = {
        {{"INVITE", "a1", "a", NULL, "Require: 100rel\r\n", 1}, 420},
        {{"REGISTER", "a2", "b", NULL, NULL, 1}, 405},
        {{"BYE", "a3", "c", "nobody", NULL, 1}, 481},
        {{"CANCEL", "a4", "c", NULL, NULL, 1}, 481},
        {{"NEW", "a5", "d", NULL, NULL, 1}, 501},
        {{"INVITE", "b1", "e", NULL, NULL, 5}, 200},
        {{"INVITE", "b2", "e", NULL, NULL, 5}, 482},  /* by another way */
        {{"INFO", "b3", "e", "wrong", NULL, 6}, 481}, /* of no dialog */
        {{"INFO", "b4", "e", "right", NULL, 4}, 500}, /* of the past */
        {{"INFO", "b5", "e", "right", NULL, 7}, 200},
        {{"CANCEL", "b1", "e", NULL, NULL, 5}, 200}, /* too late */
        {{"BYE", "b6", "e", "right", NULL, 8}, 200},
        {{"BYE", "b6", "e", "right", NULL, 8}, 200}, /* again */
    };
    struct wire w;
    char tag[64] = "";
    (void)state;
    pid_t child = answer_begin(1, STEPS);
    wire_open(&w);
    wire_wait_for_callee(&w);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request r = cases[i].request;
        if (r.to_tag && strcmp(r.to_tag, "right") == 0)
            r.to_tag = tag;
        wire_send(&w, &r);
        unsigned status = wire_status(&w);
        if (status != cases[i].status)
            fail_msg("%s %s: %u", r.method, r.branch, status);
        if (strcmp(r.branch, "b1") == 0 && strcmp(r.method, "INVITE") == 0) {
            got_tag(&w, tag);
            assert_non_null(strstr(w.got, "\r\nX-Answer: 1\r\n"));
            struct request ack = {"ACK", "b7", "e", tag, NULL, 5};
            wire_send(&w, &ack);
        }
    }
    assert_int_equal(answer_end(child), 0);
    close(w.fd);
}

/* More calls at once than it holds. */
static void test_many_calls(void **state)
{
    struct wire w;
    unsigned busy = 0, answered = 0;
    (void)state;
    pid_t child = answer_begin(0, STEPS);
    wire_open(&w);
    wire_wait_for_callee(&w);
    for (int i = 0; i < 20; i++) {
        char id[16];
        struct request r = {"INVITE", id, id, NULL, NULL, 1};
        snprintf(id, sizeof id, "m%d", i);
        wire_send(&w, &r);
        unsigned status = wire_status(&w);
        busy += status == 486;
        answered += status == 200;
    }
    assert_true(answered >= PROBE_ANSWERED_MAX);
    assert_true(busy >= 1);
    peer_end(child);
    close(w.fd);
}

/* ---- runs that are stopped --------------------------------------------------------------------
 */

static volatile sig_atomic_t stop;
static const char *stop_at;

static void stop_on(void *context, const struct probe_entry *entry)
{
    (void)context;
    if (entry->kind == PROBE_RECEIVED && slice_starts(entry->bytes, slice_of(stop_at)))
        stop = 1;
}

static void rings_until_cancelled(struct peer *p)
{
    peer_rings(p, 1, "487 Request Terminated", "");
}

/* What is open is ended: a call by BYE, one that rings by CANCEL. */
static void test_stop(void **state)
{
    static const struct {
        peer_does *does;
        const char *at;     /* the message after which it is stopped; NULL: by time */
        const char *method; /* that ends it */
        const char *then;
    } cases[] = {
        {peer_agrees, "SIP/2.0 200", "BYE", "BYE"},
        {rings_until_cancelled, "SIP/2.0 180", "CANCEL", "ACK"},
        {rings_until_cancelled, NULL, "CANCEL", "ACK"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct plan p;
        struct probe_run run;
        struct err err;
        struct probe_options o = peer_options(false);
        pid_t child = peer_begin(cases[i].does, false);
        plan_make(&p, "c INVITE$e 180 INVITE$e 200 INVITE$e BYE");
        stop = 0;
        o.stop = &stop;
        o.run_ms = cases[i].at ? 0 : 300;
        o.step_ms = 5000;
        stop_at = cases[i].at ? cases[i].at : "none";
        o.watch.entry = stop_on;
        assert_true(probe_run(&run, &p.plan, &o, &err));
        peer_end(child);
        const struct probe_call_result *r = &run.results.items[0];
        if (!log_find(&run.log, PROBE_SENT, PROBE_CALLER, cases[i].method, 0) ||
            !log_find(&run.log, PROBE_SENT, PROBE_CALLER, cases[i].then, 0) || !r->ended ||
            r->completed || r->outcomes[3].fate != PROBE_STOPPED ||
            run.stopped != (cases[i].at != NULL) || run.out_of_time != (cases[i].at == NULL)) {
            log_print(&run.log);
            fail_msg("case %zu: %s", i, probe_fate_name(r->outcomes[3].fate));
        }
        probe_run_free(&run);
    }
}

/* What cannot begin says why, and sends nothing. */
static void test_no_beginning(void **state)
{
    static const struct {
        const char *to, *via, *listen, *local, *cert, *text;
    } cases[] = {
        {"sip:b@127.0.0.1", NULL, NULL, NULL, NULL, "the callee needs an address"},
        {"tel:+1", NULL, ANSWER_AT, NULL, NULL, "tel:+1 is no SIP URI"},
        {"sip:b@127.0.0.1", "127.0.0.1:port", ANSWER_AT, NULL, NULL, "is no HOST or HOST:PORT"},
        {"sip:b@127.0.0.1", NULL, "192.0.2.1:5060", NULL, NULL,
         "cannot listen at 192.0.2.1:5060 over UDP: "},
        {"sip:b@127.0.0.1", NULL, "127.0.0.1:70000", NULL, NULL, "is no ADDR:PORT"},
        {"sip:b@127.0.0.1", NULL, ANSWER_AT, "[::1]:0", NULL, "there is no IPv6 address"},
        {"sip:b@127.0.0.1", NULL, ANSWER_AT, NULL, "/nonexistent.pem", "/nonexistent.pem: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct plan p;
        struct probe_run run;
        struct err err = {""};
        struct probe_options o = plan_options();
        plan_make(&p, STEPS);
        o.to = slice_of(cases[i].to);
        o.via = cases[i].via;
        o.listen[PROBE_CALLEE] = cases[i].listen;
        o.listen[PROBE_CALLER] = cases[i].local;
        o.tls.cert = cases[i].cert;
        assert_false(probe_run(&run, &p.plan, &o, &err));
        if (!strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(run.log.entries.n, 0);
        probe_run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both),         cmocka_unit_test(test_bad_callers),
        cmocka_unit_test(test_many_calls),   cmocka_unit_test(test_stop),
        cmocka_unit_test(test_no_beginning),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* probe: calls between a caller and a callee without anything between them. */
#include "probe_call.h"

static const char *const usual = "c INVITE\tX-Odd : a  b|x-FOLDED: one\r\n\ttwo$"
                                 "e 180 INVITE$"
                                 "e 200 INVITE\tX-Answer: yes$"
                                 "c ACK\tX-Ack: 1$"
                                 "c INFO\tX-Info: 1$"
                                 "e BYE\tX-Bye: \xc3\xa4%20\"|X-Bye: again$"
                                 "c 200 BYE\tX-Gone: 1";

static void check_usual(const struct probe_run *run)
{
    const struct probe_log *log = &run->log;
    assert_int_equal(run->results.n, 1);
    const struct probe_call_result *r = &run->results.items[0];
    for (size_t i = 0; i < r->plan->step_count; i++)
        if (r->outcomes[i].fate != PROBE_DONE || !r->outcomes[i].arrived ||
            r->outcomes[i].sent == PROBE_NONE || r->outcomes[i].received == PROBE_NONE) {
            struct text t = {0};
            probe_outcome_text(&t, log, r, i);
            log_print(log);
            fail_msg("step %zu: %s: %s", i, probe_fate_name(r->outcomes[i].fate), t.p);
        }
    assert_true(r->completed);
    assert_true(r->ended);
    assert_int_equal(r->outcomes[0].status, 200);
    const struct probe_entry *e = log_find(log, PROBE_RECEIVED, PROBE_CALLEE, "INVITE", 0);
    assert_true(holds(e->bytes, "\r\nX-Odd : a  b\r\nx-FOLDED: one\r\n\ttwo\r\n"));
    assert_true(holds(e->bytes, "\r\nUser-Agent: sipxray/test\r\n"));
    e = log_find(log, PROBE_RECEIVED, PROBE_CALLER, "BYE", 0);
    assert_true(holds(e->bytes, "\r\nX-Bye: \xc3\xa4%20\"\r\nX-Bye: again\r\n"));
    assert_int_equal(e->step, 5);
    e = log_find(log, PROBE_RECEIVED, PROBE_CALLEE, "SIP/2.0 200", 0);
    assert_true(holds(e->bytes, "\r\nX-Gone: 1\r\n"));
    assert_int_equal(e->step, 6);
    e = log_find(log, PROBE_RECEIVED, PROBE_CALLEE, "ACK", 0);
    assert_true(holds(e->bytes, "\r\nX-Ack: 1\r\n"));
    e = log_find(log, PROBE_RECEIVED, PROBE_CALLER, "SIP/2.0 200", 1);
    assert_int_equal(e->step, 4); /* to INFO, which no step answers */
}

/* The same call, over nothing, UDP, TCP and TLS, IPv4 and IPv6. */
static void test_usual(void **state)
{
    static const struct {
        const char *name, *to, *caller, *callee;
        enum probe_transport transport;
        bool dry;
    } cases[] = {
        {"dry", "sip:b@127.0.0.1:45060", ANY_PORT, "127.0.0.1:45060", PROBE_UDP, true},
        {"udp", "sip:b@127.0.0.1:45060", ANY_PORT, "127.0.0.1:45060", PROBE_UDP, false},
        {"tcp", "sip:b@127.0.0.1:45060", ANY_PORT, "127.0.0.1:45060", PROBE_TCP, false},
        {"tls", "sip:b@127.0.0.1:45060", ANY_PORT, "127.0.0.1:45060", PROBE_TLS, false},
        {"udp6", "sip:b@[::1]:45060", "[::1]:0", "[::1]:45060", PROBE_UDP, false},
        {"tcp6", "sip:b@[::1]:45060", "[::1]:0", "[::1]:45060", PROBE_TCP, false},
        {"any address", "sip:b@127.0.0.1:45060", NULL, "0.0.0.0:45060", PROBE_UDP, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct plan p;
        struct probe_run run;
        struct err err;
        struct probe_options o = plan_options();
        plan_make(&p, usual);
        o.to = slice_of(cases[i].to);
        o.listen[0] = cases[i].caller;
        o.listen[1] = cases[i].callee;
        o.transport = cases[i].transport;
        o.dry = cases[i].dry;
        o.tls.no_verify = true;
        if (!probe_run(&run, &p.plan, &o, &err))
            fail_msg("%s: %s", cases[i].name, err.text);
        check_usual(&run);
        probe_run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

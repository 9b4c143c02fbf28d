/* Unit tests of trace/: hostile amounts.  Each limit holds, and what is beyond it is told. */
#include "lab.h"

#include <stdio.h>

struct lot {
    const char *method, *branch, *tag, *call_id; /* printf formats of a number */
    unsigned cut;                                /* of each message but the first; 0: none */
    unsigned headers;                            /* X- headers, each of another name */
};

static void add_message(struct text *t, const struct lot *lot, unsigned i)
{
    text_clear(t);
    text_printf(t, "%s sip:+15105550100@h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK",
                lot->method);
    text_printf(t, lot->branch, i);
    text_printf(t, "\r\nFrom: <sip:+14155550100@a>;tag=");
    text_printf(t, lot->tag, i);
    text_printf(t, "\r\nTo: <sip:+15105550100@b>\r\nCall-ID: ");
    text_printf(t, lot->call_id, i);
    text_printf(t, "\r\nCSeq: 1 %s\r\n", lot->method);
    for (unsigned k = 0; k < lot->headers; k++)
        text_printf(t, "X-%u: v\r\n", k);
    text_printf(t, "\r\n");
}

/* One point sees `count` of them in one second, each from a port of its own. */
static void see(struct lab *lab, const struct lot *lot, unsigned count)
{
    struct lab_point *p = lab_point(lab, "p", LAB_RAW);
    struct text t = {0};
    char src[32];
    lab->now_ms = 1000000000;
    for (unsigned i = 0; i < count; i++) {
        add_message(&t, lot, i);
        snprintf(src, sizeof src, "10.0.0.1:%u", 6000 + i);
        p->snaplen = i ? lot->cut : 0;
        lab_see(lab, p,
                &(struct lab_packet){.src = src, .dst = "10.0.0.2", .payload = text_slice(&t)},
                true);
    }
    text_free(&t);
    lab_run(lab);
}

static void test_notices(void **state)
{
    static const struct {
        struct lot lot;
        unsigned count;
        const char *notice;
    } cases[] = {
        {{"INVITE", "%u", "same", "c%u", 0, 0},
         300,
         "candidates for joined legs not looked at: 88\n"},
        {{"BYE", "%u", "t%u", "c%u", 0, 300},
         1,
         "headers left out, for one message has more than are followed: 44\n"},
        {{"BYE", "same", "t", "c", 28 + 90, 0},
         150,
         "messages cut before their Call-ID beyond the limit of those kept: 21\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {0};
        see(&lab, &cases[i].lot, cases[i].count);
        if (!strstr(lab.notices.p, cases[i].notice))
            fail_msg("case %zu: %s", i, lab.notices.p);
        lab_free(&lab);
    }
}

/* What was left out has no verdict. */
static void test_left_out_is_unknown(void **state)
{
    static const struct lot lot = {"BYE", "%u", "t%u", "c%u", 0, 257};
    struct lab lab = {0};
    (void)state;
    see(&lab, &lot, 1);
    assert_non_null(strstr(lab.report.p, "c0 unknown inconclusive\n"));
    lab_free(&lab);
}

/* An orphan belongs to one message, however many have its Via. */
static void test_orphans_once(void **state)
{
    static const struct lot whole = {"BYE", "same", "t%u", "c%u", 0, 1};
    static const struct lot cut = {"BYE", "same", "t%u", "c%u", 28 + 90, 1};
    struct lab lab = {0};
    struct text t = {0};
    (void)state;
    struct lab_point *p = lab_point(&lab, "q", LAB_RAW);
    lab.now_ms = 1000000000;
    add_message(&t, &cut, 0);
    p->snaplen = cut.cut;
    lab_see(&lab, p,
            &(struct lab_packet){.src = "10.0.0.1", .dst = "10.0.0.3", .payload = text_slice(&t)},
            true);
    see(&lab, &whole, 3);
    size_t n = 0;
    for (const char *at = lab.report.p; (at = strstr(at, " q")) != NULL; at++)
        n++;
    if (n != 1)
        fail_msg("%s", lab.report.p);
    text_free(&t);
    lab_free(&lab);
}

/* The list of nodes takes memory by the address, not by the square of their number. */
static void test_many_nodes(void **state)
{
    const struct hash_key key = hash_key_of(1, 2);
    struct hop_nodes *n = hop_nodes_new(&key);
    struct arena a = {0};
    const struct hop_node *list;
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        struct endpoint src = lab_endpoint("11.0.0.0"), dst = lab_endpoint("10.0.0.1");
        src.ip.bytes[2] = (uint8_t)(i >> 8);
        src.ip.bytes[3] = (uint8_t)i;
        hop_nodes_saw(n, 0, &src, &dst, SOURCE_UNKNOWN);
    }
    assert_int_equal(hop_node_list(n, &a, &list), 20001);
    for (size_t i = 0; i < 20001; i++)
        assert_int_equal(list[i].address_count, 1);
    assert_true(a.total < 4u << 20);
    arena_free(&a);
    hop_nodes_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notices),
        cmocka_unit_test(test_left_out_is_unknown),
        cmocka_unit_test(test_orphans_once),
        cmocka_unit_test(test_many_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

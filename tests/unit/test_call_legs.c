/* Unit tests of call/: when legs end, in which order they are handed out, and what is said of them.
 */
#include "desk.h"

/* ---- legs and their ends -------------------------------------------------------------------- */

#define BEGIN(id) ASK("INVITE", id) END
#define OK(id)    TELL("200 OK", "INVITE", id, "t") END
#define HANG(id)  ASK("BYE", id) END
#define PING(id)  ASK("OPTIONS", id) END

static const struct {
    const char *name;
    uint32_t waiting;
    struct sent sent[8];
    const char *log, *rest; /* while it is read; at its end */
} lives[] = {
    {"a call lingers",
     8,
     {{BEGIN("a"), 0, 0, 1, 1}, {HANG("a"), SECOND, 0, 1, 2}, {PING("b"), 41 * SECOND, 0, 1, 3}},
     "",
     "over a\nover b\nretire a\nretire b\n"},
    {"a call is over",
     8,
     {{BEGIN("a"), 0, 0, 1, 1}, {HANG("a"), SECOND, 0, 1, 2}, {PING("b"), 42 * SECOND, 0, 1, 3}},
     "over a\n",
     "over b\nretire a\nretire b\n"},
    {"a call goes on",
     8,
     {{BEGIN("a"), 0, 0, 1, 1}, {OK("a"), SECOND, 0, 1, 2}, {PING("b"), 7200 * SECOND, 0, 1, 3}},
     "",
     "over a\nover b\nretire a\nretire b\n"},
    {"a refused call is over",
     8,
     {{BEGIN("a"), 0, 0, 1, 1},
      {TELL("403 No", "INVITE", "a", "t") END, 9, 0, 1, 2},
      {PING("b"), 42 * SECOND, 0, 1, 3}},
     "over a\n",
     "over b\nretire a\nretire b\n"},
    {"a challenged one is not",
     8,
     {{BEGIN("a"), 0, 0, 1, 1},
      {TELL("407 No", "INVITE", "a", "t") END, 9, 0, 1, 2},
      {BEGIN("a"), 20, 0, 2, 3},
      {PING("b"), 42 * SECOND, 0, 1, 3}},
     "",
     "over a\nover b\nretire a\nretire b\n"},
    {"six hours of silence",
     8,
     {{BEGIN("a"), 0, 0, 1, 1}, {PING("b"), 21601 * SECOND, 0, 1, 3}},
     "over a\n",
     "over b\nretire a\nretire b\n"},
    {"handed out by their start",
     8,
     {{BEGIN("a"), 0, 0, 1, 1},
      {BEGIN("b"), SECOND, 0, 1, 2},
      {HANG("b"), 2 * SECOND, 0, 1, 3},
      {PING("c"), 60 * SECOND, 0, 1, 4},
      {HANG("a"), 61 * SECOND, 0, 1, 5},
      {PING("d"), 120 * SECOND, 0, 1, 6}},
     "over b\nover a\n",
     "over c\nover d\nretire a\nretire b\nretire c\nretire d\n"},
    {"a point that is behind begins the leg earlier",
     8,
     {{BEGIN("a"), 500, 0, 1, 1}, {BEGIN("b"), 300, 0, 1, 2}, {BEGIN("a"), 100, 1, 1, 3}},
     "",
     "over b\nover a\nretire a\nretire b\n"},
    {"a message revives it",
     8,
     {{BEGIN("a"), 0, 0, 1, 1},
      {HANG("a"), SECOND, 0, 1, 2},
      {PING("b"), 50 * SECOND, 0, 1, 3},
      {TELL("200 OK", "BYE", "a", "t") END, 51 * SECOND, 0, 1, 4},
      {PING("c"), 95 * SECOND, 0, 1, 5}},
     "over a\nover a\n",
     "over b\nover c\nretire a\nretire b\nretire c\n"},
    {"more wait than may",
     1,
     {{BEGIN("a"), 0, 0, 1, 1},
      {BEGIN("b"), 1, 0, 1, 2},
      {HANG("b"), 2, 0, 1, 3},
      {HANG("a"), 3, 0, 1, 4},
      {PING("c"), 60 * SECOND, 0, 1, 5}},
     "over b\nover a\nretire a\n",
     "over c\nretire b\nretire c\n"},
    {"a Call-ID used again",
     0,
     {{BEGIN("a"), 0, 0, 1, 1},
      {HANG("a"), 1, 0, 1, 2},
      {PING("b"), 60 * SECOND, 0, 1, 3},
      {BEGIN("a"), 61 * SECOND, 0, 1, 4}},
     "over a\nretire a\n",
     "over b\nover a\nretire b\nretire a\n"},
};

static void legs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lives); i++) {
        struct desk d;
        desk_open(&d, lives[i].waiting);
        for (size_t k = 0; k < COUNT(lives[i].sent) && lives[i].sent[k].text; k++)
            (void)hand_in(&d, &lives[i].sent[k]);
        if (strcmp(d.log.p, lives[i].log) != 0)
            fail_msg("%s:\n%sinstead of\n%s", lives[i].name, d.log.p, lives[i].log);
        text_clear(&d.log);
        call_table_end(d.table);
        if (strcmp(d.log.p, lives[i].rest) != 0)
            fail_msg("%s, at the end:\n%sinstead of\n%s", lives[i].name, d.log.p, lives[i].rest);
        desk_close(&d);
    }
}

static void late(void **state)
{
    struct desk d;
    (void)state;
    desk_open(&d, 0);
    (void)hand_in(&d, &(struct sent){BEGIN("a"), 0, 0, 1, 1});
    (void)hand_in(&d, &(struct sent){HANG("a"), 1, 0, 1, 2});
    (void)hand_in(&d, &(struct sent){PING("b"), 60 * SECOND, 0, 1, 3});
    assert_int_equal(call_table_stats(d.table)->late, 0);
    (void)hand_in(&d, &(struct sent){TELL("200 OK", "BYE", "a", "t") END, 61 * SECOND, 1, 1, 4});
    assert_int_equal(call_table_stats(d.table)->late, 1);
    assert_int_equal(call_table_stats(d.table)->legs, 3);
    desk_close(&d);
}

/* A leg that waits for its partner is taken along with it, or stands alone in the end. */
static void parked(void **state)
{
    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        struct desk d;
        desk_open(&d, 8);
        d.refuse = SLICE("a");
        d.take = taken ? SLICE("b") : SLICE_NONE;
        (void)hand_in(&d, &(struct sent){BEGIN("a"), 0, 0, 1, 1});
        (void)hand_in(&d, &(struct sent){BEGIN("b"), 1, 0, 1, 2});
        call_table_end(d.table);
        assert_string_equal(d.log.p, taken ? "over a\nover b\npark a\nretire b\n"
                                           : "over a\nover b\npark a\nretire b\nretire a\n");
        assert_int_equal(call_table_stats(d.table)->legs_ended, 2);
        desk_close(&d);
    }
}

static void no_call_id(void **state)
{
    struct desk d;
    (void)state;
    desk_open(&d, 8);
    struct call_filing f =
        hand_in(&d, &(struct sent){"BYE sip:b SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n", 0, 0, 1, 1});
    assert_int_equal(f.leg, CALL_NONE);
    f = hand_in(
        &d, &(struct sent){"BYE sip:b SIP/2.0\r\nCall-ID: \r\nCSeq: 1 BYE\r\n\r\n", 0, 0, 1, 1});
    assert_int_equal(f.leg, CALL_NONE);
    assert_int_equal(call_table_stats(d.table)->no_call_id, 2);
    assert_int_equal(call_table_stats(d.table)->legs, 0);
    call_table_end(d.table);
    desk_close(&d);
}

/* ---- summaries ------------------------------------------------------------------------------ */

static const struct {
    const char *texts[4];
    enum call_outcome outcome;
    uint16_t status;
    const char *method;
} outcomes[] = {
    {{BEGIN("a")}, CALL_PENDING, 0, "INVITE"},
    {{BEGIN("a"), OK("a")}, CALL_ANSWERED, 200, "INVITE"},
    {{BEGIN("a"), OK("a"), HANG("a")}, CALL_ENDED, 200, "INVITE"},
    {{BEGIN("a"), TELL("486 Busy", "INVITE", "a", "t") END}, CALL_FAILED, 486, "INVITE"},
    {{BEGIN("a"), ASK("CANCEL", "a") END, TELL("487 T", "INVITE", "a", "t") END},
     CALL_CANCELLED,
     487,
     "INVITE"},
    {{BEGIN("a"), ASK("CANCEL", "a") END, OK("a")}, CALL_ANSWERED, 200, "INVITE"},
    {{BEGIN("a"), TELL("603 No", "INVITE", "a", "u") END, OK("a")}, CALL_ANSWERED, 200, "INVITE"},
    {{BEGIN("a"), OK("a"), TELL("603 No", "INVITE", "a", "u") END}, CALL_ANSWERED, 200, "INVITE"},
    {{PING("a"), TELL("200 OK", "OPTIONS", "a", "t") END}, CALL_NOT_A_CALL, 0, "OPTIONS"},
    {{HANG("a")}, CALL_ENDED, 0, "BYE"},
};

static void summaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        struct desk d;
        struct arena a = {0};
        struct call_summary s;
        uint32_t n = 0, leg = 0;
        desk_open(&d, 8);
        for (; n < 4 && outcomes[i].texts[n]; n++)
            leg = hand_in(&d, &(struct sent){outcomes[i].texts[n], n, (uint16_t)(n % 2 * 3), 1, n})
                      .leg;
        call_legs_summary(d.table, &leg, 1, &a, &s);
        if (s.outcome != outcomes[i].outcome || s.status != outcomes[i].status)
            fail_msg("%zu: %s %u", i, call_outcome_name(s.outcome), s.status);
        assert_true(slice_is(s.method, outcomes[i].method));
        assert_true(slice_is(s.caller, "alice"));
        assert_true(slice_is(s.callee, "bob"));
        assert_int_equal(s.messages, n);
        assert_int_equal(s.point_count, n > 1 ? 2 : 1);
        assert_int_equal(s.points[s.point_count - 1], n > 1 ? 3 : 0);
        arena_free(&a);
        desk_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(legs), cmocka_unit_test(late),
                                       cmocka_unit_test(parked), cmocka_unit_test(no_call_id),
                                       cmocka_unit_test(summaries)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

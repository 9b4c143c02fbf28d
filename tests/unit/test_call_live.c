/* call/live: when a leg is handed out in a live run, again where more of it comes, and what goes
 * first where there is no room. */
#include "desk.h"

#define BYE    ASK("BYE", "c") END
#define OK_BYE TELL("200 OK", "BYE", "c", "t") END
#define INVITE ASK("INVITE", "c") END
#define OK_INV TELL("200 OK", "INVITE", "c", "t") END
#define BUSY   TELL("486 Busy Here", "INVITE", "c", "t") END

#define MOST 6
#define AT(text, ms, point)                                                                        \
    {                                                                                              \
        text, ms, point, 0, 0                                                                      \
    }

/* What is handed in, then the clock moves on to `until`. */
static const struct {
    const char *name;
    struct sent sent[MOST];
    int64_t until;
    const char *log;
} cases[] = {
    {"an answered end, not yet", {AT(INVITE, 0, 0), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)}, 310, ""},
    {"an answered end",
     {AT(INVITE, 0, 0), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)},
     330,
     "over c\nretire c\n"},
    {"an end without an answer", {AT(BYE, 10, 0)}, 39000, ""},
    {"an end without an answer, later", {AT(BYE, 10, 0)}, 40100, "over c\nretire c\n"},
    {"the end at one of two points",
     {AT(INVITE, 0, 0), AT(INVITE, 1, 1), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)},
     2400,
     ""},
    {"the end at one of two points, later",
     {AT(INVITE, 0, 0), AT(INVITE, 1, 1), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)},
     2600,
     "over c\nretire c\n"},
    {"answered at one of two points", {AT(BYE, 0, 0), AT(BYE, 1, 1), AT(OK_BYE, 20, 0)}, 2400, ""},
    {"answered at one of two points, later",
     {AT(BYE, 0, 0), AT(BYE, 1, 1), AT(OK_BYE, 20, 0)},
     2600,
     "over c\nretire c\n"},
    {"answered on the way only, and sent again",
     {AT(BYE, 0, 0), AT(BYE, 1, 1), AT(OK_BYE, 20, 1), AT(BYE, 500, 0), AT(BYE, 1500, 0)},
     3900,
     ""},
    {"answered at both",
     {AT(BYE, 0, 0), AT(BYE, 1, 1), AT(OK_BYE, 19, 1), AT(OK_BYE, 20, 0)},
     400,
     "over c\nretire c\n"},
    {"refused, and may be tried again", {AT(INVITE, 0, 0), AT(BUSY, 20, 0)}, 2400, ""},
    {"refused", {AT(INVITE, 0, 0), AT(BUSY, 20, 0)}, 2600, "over c\nretire c\n"},
    {"nobody answers", {AT(INVITE, 0, 0)}, 299000, ""},
    {"nobody answers, later", {AT(INVITE, 0, 0)}, 301000, "over c\nretire c\n"},
    {"talking", {AT(INVITE, 0, 0), AT(OK_INV, 20, 0)}, 301000, ""},
    {"forgotten",
     {AT(INVITE, 0, 0), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)},
     41000,
     "over c\nretire c\nlet go c\n"},
};

static void clock_to(struct desk *d, int64_t ms)
{
    call_table_clock(d->table, (1000000 + ms) * 1000000);
}

static void send_at(struct desk *d, const struct sent *s)
{
    clock_to(d, s->ms);
    (void)hand_in(d, s);
}

static void open_live(struct desk *d, uint64_t bytes)
{
    desk_open(d, 0);
    call_table_live(d->table, bytes);
}

static void test_settling(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct desk d;
        open_live(&d, 0);
        for (size_t k = 0; k < MOST && cases[i].sent[k].text; k++)
            send_at(&d, &cases[i].sent[k]);
        for (int64_t ms = 0; ms <= cases[i].until; ms += 50)
            clock_to(&d, ms);
        clock_to(&d, cases[i].until);
        if (strcmp(d.log.p, cases[i].log) != 0)
            fail_msg("%s: %s", cases[i].name, d.log.p);
        desk_close(&d);
    }
}

/* A retransmission is no news; another message is, and the leg is handed out once more. */
static void test_late(void **state)
{
    static const struct sent first[] = {AT(INVITE, 0, 0), AT(BYE, 10, 0), AT(OK_BYE, 20, 0)};
    static const struct sent again = AT(BYE, 2000, 0), other = AT(BYE, 3000, 1),
                             answer = AT(OK_BYE, 3001, 1);
    struct desk d;
    (void)state;
    open_live(&d, 0);
    for (size_t i = 0; i < 3; i++)
        send_at(&d, &first[i]);
    clock_to(&d, 400);
    send_at(&d, &again);
    clock_to(&d, 2900);
    assert_string_equal(d.log.p, "over c\nretire c\n");
    send_at(&d, &other);
    send_at(&d, &answer);
    clock_to(&d, 3400);
    assert_string_equal(d.log.p, "over c\nretire c\nover c\nretire c\n");
    call_table_end(d.table);
    assert_string_equal(d.log.p, "over c\nretire c\nover c\nretire c\nlet go c\n");
    desk_close(&d);
}

/* Calls that were handed out go first, then those that nobody answered; a call that talks stays. */
static void test_squeezed(void **state)
{
    static const struct sent talk[] = {AT(INVITE, 0, 0), AT(OK_INV, 20, 0)};
    struct desk d;
    (void)state;
    open_live(&d, 20000);
    send_at(&d, &talk[0]);
    send_at(&d, &talk[1]);
    for (unsigned i = 0; i < 100; i++) {
        struct text t = {0};
        text_printf(&t,
                    "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u" REST
                    "To: <sip:bob@b>\r\nCall-ID: flood%u\r\nCSeq: 1 INVITE\r\n\r\n",
                    i, i);
        send_at(&d, &(struct sent){t.p, 100 + i, 0, 0, 0});
        text_free(&t);
    }
    clock_to(&d, 1000);
    const struct call_stats *s = call_table_stats(d.table);
    assert_in_range(s->legs_squeezed, 50, 99);
    assert_true(call_table_bytes(d.table) <= 20000);
    assert_null(strstr(d.log.p, "let go c\n"));
    assert_int_equal(call_table_open(d.table), 101 - s->legs_squeezed);
    call_table_end(d.table); /* what has just begun is not judged; what talks is */
    assert_int_equal(s->legs_unfinished, 100 - s->legs_squeezed);
    assert_non_null(strstr(d.log.p, "retire c\n"));
    assert_null(strstr(d.log.p, "retire flood"));
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settling), cmocka_unit_test(test_late),
                                       cmocka_unit_test(test_squeezed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

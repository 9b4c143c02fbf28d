/* Unit tests of hop/: which legs of different Call-IDs are one call over a back-to-back user agent,
 * and which are not. */
#include "path.h"

#include <stdio.h>

/* A call comes in on one leg, and the agent calls LiveKit on another. */
struct bridge {
    struct path in, out;
    struct dialog a, b;
    char ids[2][16], tags[4][24];
    const char *in_headers, *out_headers;
};

static const char *const all[] = {"five9", "kam1", "sbc", "livekit"};
static const char *const ends[] = {"five9", "livekit"};

static void points(struct lab *lab, const char *const *names, size_t n, enum lab_link link)
{
    lab->now_ms = 1000000000;
    for (size_t i = 0; i < n; i++)
        lab_point(lab, names[i], link);
}

/* The k-th call; the numbers as either leg has them. */
static void bridge(struct bridge *b, struct lab *lab, unsigned k, const char *const numbers[4])
{
    static const char *const tags[4] = {"five9-%u", "sbc-as-%u", "sbc-ac-%u", "SCL_livekit%05u"};
    *b = (struct bridge){.in = {.lab = lab,
                                .n = 3,
                                .nodes = {{.name = "five9", .left = "10.0.3.10"},
                                          {.name = "kam1", .left = "10.0.3.1", .right = "10.0.2.1"},
                                          {.name = "sbc", .left = "10.0.2.5"}}},
                         .out = {.lab = lab,
                                 .n = 2,
                                 .nodes = {{.name = "sbc", .left = "10.0.1.5"},
                                           {.name = "livekit", .left = "10.0.1.10"}}}};
    for (size_t i = 0; i < 4; i++)
        snprintf(b->tags[i], sizeof b->tags[i], tags[i], k);
    snprintf(b->ids[0], sizeof b->ids[0], "a%u", k);
    snprintf(b->ids[1], sizeof b->ids[1], "b%u", k);
    b->a = (struct dialog){b->ids[0], b->tags[0], b->tags[1], numbers[0], numbers[1]};
    b->b = (struct dialog){b->ids[1], b->tags[2], b->tags[3], numbers[2], numbers[3]};
}

static struct told invite(const char *headers, unsigned status)
{
    return (struct told){.method = "INVITE", .cseq = 1, .headers = headers, .status = status};
}

static void begin(const struct bridge *b)
{
    path_send(&b->in, &b->a, invite(b->in_headers, 0));
    path_send(&b->out, &b->b, invite(b->out_headers, 0));
}

static void answer(const struct bridge *b)
{
    path_send(&b->out, &b->b, invite(NULL, 200));
    path_send(&b->in, &b->a, invite(NULL, 200));
}

/* LiveKit hangs up; the agent loses X-B. */
static void end(const struct bridge *b)
{
    path_ask(
        &b->out, &b->b,
        (struct told){.method = "BYE", .cseq = 2, .up = true, .headers = "X-A: 1\r\nX-B: 2\r\n"});
    path_ask(&b->in, &b->a,
             (struct told){.method = "BYE", .cseq = 7, .up = true, .headers = "X-A: 1\r\n"});
}

static void whole(const struct bridge *b)
{
    begin(b);
    answer(b);
    end(b);
}

static const char *const equal[4] = {"+14155550100", "+15105550100", "+14155550100",
                                     "+15105550100"};
static const char *const formats[4] = {"+14155550100", "+15105550100", "004155550100",
                                       "5105550100"};
static const char *const rewritten[4] = {"+14155550100", "+15105550100", "trunk-user", "1001"};
static const char *const one_kept[4] = {"+14155550100", "+15105550100", "anonymous",
                                        "+15105550100"};

/* ---- one call ------------------------------------------------------------------------------- */

#define TOGETHER(how)                                                                              \
    "a1+b1 inbound fail\n"                                                                         \
    "BYE #2 livekit: livekit:out sbc:in sbc:out kam1:in kam1:out five9:in = 200\n"                 \
    "  X-A ok PPPPPP\n  X-B stripped PPMMMM sbc 10.0.1.5>10.0.2.5\n",                              \
        how

static const struct {
    const char *name;
    const char *const *numbers;
    const char *in_headers, *out_headers;
    bool ends_only;
    enum lab_link link;
    const char *report, *joined;
} cases[] = {
    {"a value on both", rewritten, "Session-ID: 8f3a99c2d1\r\n", "Session-ID: 8f3a99c2d1\r\n",
     false, LAB_ETHERNET,
     TOGETHER("score 110: same header value on both INVITEs 60, one node received and sent 30, "
              "near in time 10, "
              "no other fits as well 10")},
    {"numbers in other formats", formats, NULL, NULL, false, LAB_ETHERNET,
     TOGETHER("score 80: one node received and sent 30, same callee 15, same caller 15, near in "
              "time 10, "
              "no other fits as well 10")},
    {"place and time only", rewritten, NULL, NULL, false, LAB_SLL2,
     TOGETHER(
         "score 50: one node received and sent 30, near in time 10, no other fits as well 10")},
    {"the ends only, both numbers", equal, NULL, NULL, true, LAB_ETHERNET,
     "a1+b1 inbound fail\nBYE #2 livekit: livekit:out five9:in = 200\n  X-A ok PP\n"
     "  X-B stripped PM after livekit:out before five9:in among 10.0.1.5,10.0.2.5,10.0.3.1\n",
     "score 50: same callee 15, same caller 15, near in time 10, no other fits as well 10"},
    {"the ends only, one number", one_kept, NULL, NULL, true, LAB_ETHERNET,
     "a1 unknown pass\nBYE #7 10.0.2.5: five9:in = 200\n  X-A ok P\n"
     "b1 inbound pass\nBYE #2 livekit: livekit:out = 200\n  X-A ok P\n  X-B ok P\n",
     ""},
    {"the ends only, an empty value", one_kept, "X-Id:\r\n", "X-Id:\r\n", true, LAB_ETHERNET,
     "a1 unknown pass\nINVITE #1 five9: five9:out = 200\n  X-Id ok P\n"
     "BYE #7 10.0.2.5: five9:in = 200\n  X-A ok P\n"
     "b1 inbound pass\nINVITE #1 10.0.1.5: livekit:in = 200\n  X-Id ok P\n"
     "BYE #2 livekit: livekit:out = 200\n  X-A ok P\n  X-B ok P\n",
     ""},
};

static void single(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {0};
        struct bridge b;
        if (cases[i].ends_only)
            points(&lab, ends, COUNT(ends), LAB_ETHERNET);
        else
            points(&lab, all, COUNT(all), cases[i].link);
        bridge(&b, &lab, 1, cases[i].numbers);
        b.in_headers = cases[i].in_headers;
        b.out_headers = cases[i].out_headers;
        whole(&b);
        lab.follow[0] = cases[i].in_headers && strstr(cases[i].in_headers, "X-") ? NULL : "X-*";
        for (int order = 0; order < 2; order++) {
            lab.backwards = order;
            lab_run(&lab);
            if (strcmp(lab.report.p, cases[i].report) == 0 &&
                strcmp(lab.joined.p, cases[i].joined) == 0)
                continue;
            print_error("%s:\n%s%s\ninstead of\n%s%s\n", cases[i].name, lab.report.p, lab.joined.p,
                        cases[i].report, cases[i].joined);
            wrong++;
        }
        lab_free(&lab);
    }
    assert_int_equal(wrong, 0);
}

/* ---- many calls at once --------------------------------------------------------------------- */

#define CALLS 20

/* Twenty calls of the same two numbers; the agent calls LiveKit in another order. */
static void interleave(struct lab *lab, const char *const numbers[4], bool values, int apart_ms)
{
    static struct bridge b[CALLS];
    static char headers[CALLS][64];
    points(lab, all, COUNT(all), LAB_ETHERNET);
    for (unsigned i = 0; i < CALLS; i++) {
        bridge(&b[i], lab, i, numbers);
        snprintf(headers[i], sizeof headers[i], "X-Call: %s\r\n", values ? "" : "cluster-number-1");
        if (values)
            snprintf(headers[i], sizeof headers[i], "X-Call: id-%08u\r\n", 7700 + i * 13);
        b[i].in_headers = b[i].out_headers = headers[i];
        path_send(&b[i].in, &b[i].a, invite(headers[i], 0));
        lab->now_ms += apart_ms;
    }
    for (unsigned i = 0; i < CALLS; i++) {
        unsigned k = (i * 7 + 3) % CALLS;
        path_send(&b[k].out, &b[k].b, invite(headers[k], 0));
    }
    for (unsigned i = 0; i < CALLS; i++)
        answer(&b[i]);
    for (unsigned i = 0; i < CALLS; i++)
        end(&b[(i * 3 + 1) % CALLS]);
    lab_run(lab);
}

/* How many calls have two legs; none has legs of different calls. */
static unsigned pairs(const struct lab *lab, unsigned *calls)
{
    unsigned joined = 0;
    *calls = 0;
    for (const char *line = lab->calls.p; *line; line = strchr(line, '\n') + 1) {
        unsigned a, b;
        ++*calls;
        if (!memchr(line, '+', strcspn(line, " ")))
            continue;
        joined++;
        if (sscanf(line, "a%u+b%u ", &a, &b) != 2 || a != b)
            fail_msg("wrong pair: %.40s", line);
    }
    return joined;
}

static void told_by_value(void **state)
{
    struct lab lab = {0};
    unsigned calls;
    (void)state;
    interleave(&lab, equal, true, 0);
    assert_int_equal(pairs(&lab, &calls), CALLS);
    assert_int_equal(calls, CALLS);
    assert_int_equal(lab.verdict, CHECK_FAIL);
    lab_free(&lab);
}

/* A value that all of them have tells nothing, nor do equal numbers: no pair is guessed. */
static void told_by_nothing(void **state)
{
    struct lab lab = {0};
    unsigned calls;
    (void)state;
    interleave(&lab, equal, false, 0);
    assert_int_equal(pairs(&lab, &calls), 0);
    assert_int_equal(calls, 2 * CALLS);
    lab_free(&lab);
}

/* ---- calls that are not one ----------------------------------------------------------------- */

/* Two calls at the same time over one proxy: to two callees, or by one caller to one callee (two
 * lines). */
static void beside_each_other(void **state)
{
    static const char *const callees[2] = {"+15105550177", "+15105550100"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lab lab = {0};
        struct path p = {.lab = &lab,
                         .n = 3,
                         .nodes = {{.name = "five9", .left = "10.0.3.10"},
                                   {.name = "kam1", .left = "10.0.3.1", .right = "10.0.1.1"},
                                   {.name = "livekit", .left = "10.0.1.10"}}};
        struct dialog x = {"x", "t1", "SCL_xxxxxxxxxxxx", equal[0], equal[1]};
        struct dialog y = {"y", "t2", "SCL_yyyyyyyyyyyy", equal[0], callees[i]};
        points(&lab, all, COUNT(all), LAB_ETHERNET);
        path_send(&p, &x, invite(NULL, 0));
        path_send(&p, &y, invite(NULL, 0));
        path_send(&p, &x, invite(NULL, 200));
        path_send(&p, &y, invite(NULL, 200));
        lab_run(&lab);
        assert_string_equal(lab.calls.p, "x answered 8 8\ny answered 8 8\n");
        lab_free(&lab);
    }
}

/* Minutes apart, the same numbers are another call. */
static void one_after_the_other(void **state)
{
    struct lab lab = {0};
    struct bridge b;
    (void)state;
    points(&lab, ends, COUNT(ends), LAB_ETHERNET);
    bridge(&b, &lab, 1, equal);
    path_send(&b.in, &b.a, invite(NULL, 0));
    path_send(&b.in, &b.a, invite(NULL, 200));
    lab.now_ms += 60000;
    path_send(&b.out, &b.b, invite(NULL, 0));
    path_send(&b.out, &b.b, invite(NULL, 200));
    lab_run(&lab);
    assert_string_equal(lab.calls.p, "a1 answered 2 2\nb1 answered 2 2\n");
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(single), cmocka_unit_test(told_by_value),
                                       cmocka_unit_test(told_by_nothing),
                                       cmocka_unit_test(beside_each_other),
                                       cmocka_unit_test(one_after_the_other)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

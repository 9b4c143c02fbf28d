/* trace/: messages that came by HEP belong to points of their own, which are as good as captures of
 * their hosts. */
#include "path.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};

static struct path outbound(struct lab *lab)
{
    lab->now_ms = 1700000000000;
    lab->follow[0] = "X-*";
    return (struct path){.lab = lab,
                         .n = 4,
                         .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                                   {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                                   {.name = "kam2", .left = "10.0.2.2", .right = "10.0.3.2"},
                                   {.name = "five9", .left = "10.0.3.10"}},
                         .collector = "feed"};
}

static void talk(const struct path *p)
{
    path_call(p, &call, NULL);
    path_ask(p, &call, (struct told){.method = "BYE", .cseq = 2, .headers = "X-A: 1\r\n"});
}

/* What the points of a run are called, how many messages they have, and how many there are by HEP.
 */
struct seen {
    struct text text;
    struct trace *trace;
};

static void see_message(void *context, const struct trace_message *m)
{
    struct seen *seen = context;
    const struct trace_point *points;
    assert_true(m->point < trace_points(seen->trace, &points));
    if (m->payload->has_agent)
        assert_true(points[m->point].by_hep || points[m->point].agents);
}

static struct text points_of(struct lab *lab)
{
    struct trace_options options = {0};
    struct seen seen = {.trace = trace_new(&options)};
    const struct trace_sinks sinks = {.message = see_message, .context = &seen};
    const struct trace_point *points;
    int fds[LAB_POINTS];
    struct err err;
    lab_open(lab, seen.trace, fds);
    assert_true(trace_run(seen.trace, &sinks, &err));
    size_t n = trace_points(seen.trace, &points);
    for (size_t i = 0; i < n; i++)
        text_printf(&seen.text, "%s%s%s %u", i ? ", " : "",
                    trace_point_is_idle(&points[i]) ? "idle " : "", points[i].name,
                    (unsigned)points[i].messages);
    trace_free(seen.trace);
    for (size_t i = 0; i < lab->point_count; i++)
        close(fds[i]);
    return seen.text;
}

static void assert_points(struct lab *lab, const char *expected)
{
    struct text t = points_of(lab);
    assert_string_equal(t.p, expected);
    text_free(&t);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    struct lab lab = {0};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "feed", LAB_ETHERNET);
    p.agents[0] = (struct path_agent){"kam1", 2001};
    p.agents[1] = (struct path_agent){"kam2", 2002};
    talk(&p);
    assert_points(&lab, "idle feed 0, 2001 12, 2002 12");
    lab_free(&lab);
}

/* What came without HEP stays the source's; a name that is taken gets the source's before it; the
 * same id in two sources is two points. */
static void test_clashes(void **state)
{
    struct lab lab = {0};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "2001", LAB_ETHERNET);
    lab_point(&lab, "kam1", LAB_ETHERNET);
    lab_point(&lab, "other", LAB_ETHERNET);
    p.collector = "kam1";
    p.agents[0] = (struct path_agent){"kam1", 2001};
    talk(&p);
    p.collector = "other";
    p.agents[0] = (struct path_agent){"kam2", 2001};
    p.nodes[1].name = "hop1";
    talk(&p);
    assert_points(&lab, "2001 0, kam1 12, idle other 0, kam1:2001 12, other:2001 12");
    lab_free(&lab);
}

/* Agents beyond the limit are their source's, and said to be. */
static void test_limit(void **state)
{
    struct lab lab = {0};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "feed", LAB_ETHERNET);
    for (uint32_t i = 0; i < TRACE_HEP_POINTS_MAX + 3; i++) {
        p.agents[0] = (struct path_agent){"kam1", 5000 + i};
        path_send(&p, &call, (struct told){.method = "OPTIONS", .cseq = i + 1, .past = 2});
    }
    lab_run(&lab);
    assert_string_equal(lab.notices.p, "messages by HEP from capture ids beyond the limit, which "
                                       "stand under their source: 3\n");
    lab_free(&lab);
}

/* ---- check ----------------------------------------------------------------------------------- */

/* A proxy that strips, seen by nothing but its own HEP. */
static void test_stripped(void **state)
{
    struct lab lab = {0};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "feed", LAB_ETHERNET);
    p.agents[0] = (struct path_agent){"kam1", 2001};
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
    assert_report(&lab, "c1 outbound fail\n"
                        "BYE #2 10.0.1.10: 2001:in 2001:out = 200\n"
                        "  X-A stripped PM 2001 10.0.1.1>10.0.2.1\n");
    lab_free(&lab);
}

/* HEP of one proxy beside the capture of another host. */
static void test_beside_captures(void **state)
{
    struct lab lab = {0};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "livekit", LAB_ETHERNET);
    lab_point(&lab, "feed", LAB_ETHERNET);
    lab_point(&lab, "five9", LAB_SLL2);
    p.agents[0] = (struct path_agent){"kam1", 2001};
    p.agents[1] = (struct path_agent){"kam2", 2002};
    p.changes[0] = (struct path_change){"kam2", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
    assert_report(&lab, "c1 outbound fail\n"
                        "BYE #2 livekit: livekit:out 2001:in 2001:out 2002:in 2002:out five9:in = "
                        "200\n"
                        "  X-A stripped PPPPMM 2002 10.0.2.2>10.0.3.2\n");
    lab_free(&lab);
}

/* --node and --livekit know the names of points by HEP. */
static void test_told(void **state)
{
    struct lab lab = {.livekit = "2001", .nodes = {"2002=10.0.1.1,10.0.9.9"}};
    struct path p = outbound(&lab);
    (void)state;
    lab_point(&lab, "feed", LAB_ETHERNET);
    p.agents[0] = (struct path_agent){"livekit", 2001};
    p.agents[1] = (struct path_agent){"kam1", 2002};
    talk(&p);
    lab_run(&lab);
    assert_string_equal(lab.addresses.p, "2002 10.0.1.1 10.0.9.9 10.0.2.1\n"
                                         "2001 10.0.1.10\n"
                                         "10.0.2.2\n");
    assert_string_equal(lab.notices.p, "");
    lab.livekit = "2003";
    lab_run(&lab);
    assert_string_equal(lab.notices.p,
                        "--livekit 2003: no point has this name, and no message came "
                        "by HEP from this capture id\n");
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),           cmocka_unit_test(test_clashes),
        cmocka_unit_test(test_limit),           cmocka_unit_test(test_stripped),
        cmocka_unit_test(test_beside_captures), cmocka_unit_test(test_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

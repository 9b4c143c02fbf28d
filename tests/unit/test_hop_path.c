/* Unit tests of hop/ on whole calls: the order of sightings, and who is found guilty. */
#include "path.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};

/* LiveKit calls out over two proxies; a point on each. */
static struct path outbound(struct lab *lab, enum lab_link link)
{
    struct path p = {.lab = lab, .n = 4, .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                     {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                     {.name = "kam2", .left = "10.0.2.2", .right = "10.0.3.2"},
                     {.name = "five9", .left = "10.0.3.10"}}};
    lab->now_ms = 1000000;
    for (size_t i = 0; i < p.n; i++)
        lab_point(lab, p.nodes[i].name, link);
    return p;
}

static void bye(const struct path *p)
{
    path_ask(p, &call, (struct told){.method = "BYE", .cseq = 2, .headers = "X-A: 1\r\nX-B: 2\r\n"});
}

static void plain(void **state)
{
    (void)state;
    struct lab lab = {0};
    struct path p = outbound(&lab, LAB_ETHERNET);
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\n", ""};
    path_call(&p, &call, NULL);
    bye(&p);
    assert_report(&lab, "c1 outbound fail\n"
        "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
        "  X-A stripped PPMMMM kam1 10.0.1.1>10.0.2.1\n"
        "  X-B ok PPPPPP\n");
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

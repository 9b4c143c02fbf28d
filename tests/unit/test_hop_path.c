/* Unit tests of hop/ on whole calls: the order of sightings on the path, and what lies between
 * them. */
#include "path.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};
static const struct told bye = {.method = "BYE", .cseq = 2, .headers = "X-A: 1\r\nX-B: 2\r\n"};

static struct path stripping(struct lab *lab, const char *const points[4], const char *node)
{
    struct path p = path_outbound(lab, LAB_ETHERNET, points);
    p.changes[0] = (struct path_change){node, "BYE", "X-A: 1\r\n", ""};
    return p;
}

static void talk(const struct path *p)
{
    path_call(p, &call, NULL);
    path_ask(p, &call, bye);
}

static void plain(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam1");
    talk(&p);
}

static void second_strips(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2");
    talk(&p);
}

/* The further on, the earlier by its clock. */
static void clocks_hours_apart(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2");
    for (size_t i = 0; i < 4; i++)
        lab->points[i].skew_ms = -(int64_t)i * 3 * 3600 * 1000;
    talk(&p);
}

static void clocks_seconds_apart(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam1");
    lab->points[1].skew_ms = 2500;
    lab->points[3].skew_ms = -2500;
    talk(&p);
}

static void masked(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2");
    p.nodes[2].vias = PATH_MASKS;
    talk(&p);
}

static void hidden(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam1");
    p.nodes[1].vias = PATH_HIDES;
    talk(&p);
}

/* The same with clocks that turn the order round. */
static void hidden_and_skewed(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam1");
    p.nodes[1].vias = PATH_HIDES;
    for (size_t i = 0; i < 4; i++)
        lab->points[i].skew_ms = -(int64_t)i * 2500;
    talk(&p);
}

static void masked_and_skewed(struct lab *lab)
{
    for (size_t i = 0; i < 4; i++)
        lab_point(lab, path_all[i], LAB_ETHERNET)->skew_ms = (int64_t)i * 3600 * 1000;
    struct path p = stripping(lab, (const char *const[4]){NULL}, "kam2");
    p.nodes[2].vias = PATH_MASKS;
    talk(&p);
}

/* kam1 hides Vias and was not captured; only Max-Forwards tells the order, for the far end's clock
 * is ahead. */
static void hidden_and_missing(struct lab *lab)
{
    static const char *const points[4] = {"livekit", "kam2", "five9"};
    struct path p = path_outbound(lab, LAB_SLL2, points);
    p.nodes[0].name = "caller";
    p.nodes[3].name = "livekit";
    p.nodes[1].vias = PATH_HIDES;
    p.changes[0] = (struct path_change){"kam1", "BYE", "Max-Forwards: 70", "Max-Forwards: 69"};
    p.changes[1] = (struct path_change){"kam2", "BYE", "Max-Forwards: 69", "Max-Forwards: 68"};
    struct told m = bye;
    m.headers = "Max-Forwards: 70\r\nX-A: 1\r\n";
    lab->points[0].name = "caller";
    lab->points[0].skew_ms = 3600 * 1000;
    lab->points[2].name = "livekit";
    path_call(&p, &(struct dialog){"c1", "far", "SCL_aaaaaaaaaaaa", NULL, NULL}, NULL);
    path_ask(&p, &(struct dialog){"c1", "far", "SCL_aaaaaaaaaaaa", NULL, NULL}, m);
}

/* LiveKit's INVITE within the dialog comes first by the clocks: it does not turn the call round. */
static void asked_again_early(struct lab *lab)
{
    static const struct dialog in = {"c1", "far", "SCL_aaaaaaaaaaaa", NULL, NULL};
    struct path p = path_outbound(lab, LAB_ETHERNET, path_all);
    struct path_node first = p.nodes[0];
    p.nodes[0] = p.nodes[3];
    p.nodes[3] = first;
    for (size_t i = 0; i < 4; i++)
        lab->points[i].skew_ms = (int64_t)i * 3600 * 1000;
    path_call(&p, &in, "X-A: 1\r\n");
    path_ask(&p, &in, (struct told){.method = "INVITE", .cseq = 7, .up = true, .within = true});
}

/* All on one address, told apart by port: so are those that no point was taken on. */
static void one_host(struct lab *lab)
{
    struct path p = stripping(lab, (const char *const[4]){"livekit", "five9"}, "kam1");
    p.nodes[0].left = "127.0.0.1:5060";
    p.nodes[1].left = p.nodes[1].right = "127.0.0.1:5070";
    p.nodes[2].left = p.nodes[2].right = "127.0.0.1:5080";
    p.nodes[3].left = "127.0.0.1:5090";
    talk(&p);
}

static void middle_missing(struct lab *lab)
{
    static const char *const points[4] = {"livekit", "kam1", "five9"};
    struct path p = stripping(lab, points, "kam2");
    talk(&p);
}

static void ends_only(struct lab *lab)
{
    static const char *const points[4] = {"livekit", "five9"};
    struct path p = stripping(lab, points, "kam1");
    talk(&p);
}

static void ends_of_hidden(struct lab *lab)
{
    static const char *const points[4] = {"livekit", "five9"};
    struct path p = stripping(lab, points, "kam1");
    p.nodes[1].vias = PATH_HIDES;
    talk(&p);
}

/* Nobody reads what goes between the proxies: the address of kam1 that stands in its Via is in no
 * packet. */
static void middle_unread(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.changes[0] = (struct path_change){"kam2", "BYE", "X-A: 1\r\n", ""};
    p.unread = 1;
    talk(&p);
}

/* The same for a response. */
static void middle_unread_back(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    struct told refer = {.method = "REFER", .cseq = 2};
    p.changes[0] = (struct path_change){"kam1", "REFER 202", "X-A: 1\r\n", ""};
    p.unread = 1;
    path_call(&p, &call, NULL);
    path_send(&p, &call, refer);
    refer.status = 202;
    refer.headers = "X-A: 1\r\n";
    path_send(&p, &call, refer);
}

static void first_only(struct lab *lab)
{
    static const char *const points[4] = {"livekit"};
    struct path p = stripping(lab, points, "kam1");
    talk(&p);
}

static void third_only(struct lab *lab)
{
    static const char *const points[4] = {"kam2"};
    struct path p = stripping(lab, points, "kam1");
    talk(&p);
}

/* A tap on the link that kam1 sends on: seen at three points. */
static void tapped(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2");
    lab_point(lab, "tap", LAB_ETHERNET);
    p.tap = "tap";
    p.tapped = 1;
    talk(&p);
}

/* A response goes back: its Vias shrink. */
static void response(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    struct told refer = {.method = "REFER", .cseq = 2};
    p.changes[0] = (struct path_change){"kam1", "REFER 202", "X-A: 1\r\n", ""};
    path_call(&p, &call, NULL);
    path_send(&p, &call, refer);
    refer.status = 202;
    refer.headers = "X-A: 1\r\n";
    path_send(&p, &call, refer);
}

/* kam1 makes a BYE to either side; each wears the tag of the other side. */
static void proxy_ends(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    path_call(&p, &call, NULL);
    path_ask(&p, &call,
             (struct told){.method = "BYE",
                           .cseq = 2,
                           .first = 1,
                           .headers = "User-Agent: kamailio (5.6)\r\nX-A: 1\r\n"});
    path_ask(&p, &call,
             (struct told){.method = "BYE",
                           .cseq = 1,
                           .up = true,
                           .past = 2,
                           .headers = "User-Agent: kamailio (5.6)\r\nX-A: 1\r\n"});
}

/* A NAT between kam1 and kam2 changes the source that kam2 sees; the Via says what it was. */
static void nat(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2");
    path_call(&p, &call, NULL);
    lab->nat_from = "10.0.2.1";
    lab->nat_to = "198.51.100.7";
    lab->nat_point = "kam2";
    path_ask(&p, &call, bye);
}

/* The request passes kam1 a second time: it goes to kam2 and comes back before it leaves for five9.
 */
static void spiral(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.nodes[4] = p.nodes[3];
    p.nodes[3] = (struct path_node){.name = "kam1", .left = "10.0.2.1", .right = "10.0.3.1"};
    p.nodes[2] = (struct path_node){.name = "kam2", .left = "10.0.2.2"};
    p.n = 5;
    p.changes[0] = (struct path_change){"kam2", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
}

/* Two proxies send it to and fro until one has enough. */
static void loop(struct lab *lab)
{
    static const char *const points[4] = {"livekit", "kam1", "kam2"};
    struct path p = path_outbound(lab, LAB_ETHERNET, points);
    for (size_t i = 3; i < 6; i++)
        p.nodes[i] = p.nodes[i - 2];
    for (size_t i = 1; i < 6; i++)
        p.nodes[i].right = p.nodes[i].left = i % 2 ? "10.0.1.1" : "10.0.2.2";
    p.n = 6;
    path_send(&p, &call, bye);
}

static void branches(struct lab *lab)
{
    struct path p = stripping(lab, path_all, "kam2"), other;
    lab_point(lab, "acme", LAB_ETHERNET);
    other = p;
    other.nodes[2] = (struct path_node){.name = "acme", .left = "10.0.2.5"};
    other.n = 3;
    struct told invite = {.method = "INVITE", .cseq = 1, .headers = "X-A: 1\r\n"};
    p.changes[0].message = "INVITE";
    path_send(&p, &call, invite);
    other.forked = 1;
    path_send(&other, &call, invite);
}

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    const char *expected;
} cases[] = {
    {"plain", plain,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPMMMM kam1 10.0.1.1>10.0.2.1\n  X-B ok PPPPPP\n"},
    {"second strips", second_strips,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPP\n"},
    {"hours apart", clocks_hours_apart,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPP\n"},
    {"seconds apart", clocks_seconds_apart,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPMMMM kam1 10.0.1.1>10.0.2.1\n  X-B ok PPPPPP\n"},
    {"masked", masked,
     "!!:c1+c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPP\n"},
    {"hidden", hidden,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPMMMM kam1 10.0.1.1>10.0.2.1\n  X-B ok PPPPPP\n"},
    {"hidden and skewed", hidden_and_skewed,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPMMMM kam1 10.0.1.1>10.0.2.1\n  X-B ok PPPPPP\n"},
    {"middle missing", middle_missing,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-A stripped PPPM after kam1:out before five9:in among 10.0.2.2\n  X-B ok PPPP\n"},
    {"ends only", ends_only,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out five9:in = 200\n"
     "  X-A stripped PM after livekit:out before five9:in among 10.0.2.1,10.0.3.2\n  X-B ok PP\n"},
    {"middle unread", middle_unread,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam2:out five9:in = 200\n"
     "  X-A stripped PPMM after kam1:in before kam2:out among kam1,kam2\n  X-B ok PPPP\n"},
    {"middle unread, back", middle_unread_back,
     "c1 outbound fail\n"
     "REFER 202 #2 five9: five9:out kam2:in kam1:out livekit:in\n"
     "  X-A stripped PPMM after kam2:in before kam1:out among kam2,kam1\n"},
    {"ends of hidden", ends_of_hidden,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out five9:in = 200\n"
     "  X-A stripped PM after livekit:out before five9:in among 10.0.1.1,10.0.2.1,10.0.3.2\n"
     "  X-B ok PP\n"},
    {"masked and skewed", masked_and_skewed,
     "!!:c1+c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPP\n"},
    {"hidden and missing", hidden_and_missing,
     "c1 inbound pass\n"
     "BYE #2 caller: caller:out kam2:in kam2:out livekit:in = 200\n  X-A ok PPPP\n"},
    {"asked again, early", asked_again_early,
     "c1 inbound pass\n"
     "INVITE #1 five9: five9:out kam1:in kam1:out kam2:in kam2:out livekit:in = 200\n"
     "  X-A ok PPPPPP\n"},
    {"one host", one_host,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out five9:in = 200\n"
     "  X-A stripped PM after livekit:out before five9:in among 127.0.0.1:5070,127.0.0.1:5080\n"
     "  X-B ok PP\n"},
    {"first only", first_only,
     "c1 outbound pass\n"
     "BYE #2 livekit: livekit:out = 200\n  X-A ok P\n  X-B ok P\n"},
    {"third only", third_only,
     "c1 outbound pass\n"
     "BYE #2 10.0.1.10: kam2:in kam2:out = 200\n  X-B ok PP\n"},
    {"tapped", tapped,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out tap kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPPP\n"},
    {"response", response,
     "c1 outbound fail\n"
     "REFER 202 #2 five9: five9:out kam2:in kam2:out kam1:in kam1:out livekit:in\n"
     "  X-A stripped PPPPMM kam1 10.0.2.1>10.0.1.1\n"},
    {"proxy ends the call", proxy_ends,
     "c1 outbound pass\n"
     "BYE #2 kam1: kam1:out kam2:in kam2:out five9:in = 200\n  X-A ok PPPP\n"
     "BYE #1 kam1: kam1:out livekit:in = 200\n  X-A ok PP\n"},
    {"NAT", nat,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 200\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n  X-B ok PPPPPP\n"},
    {"spiral", spiral,
     "c1 outbound fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out kam1:in kam1:out five9:in = "
     "200\n"
     "  X-A stripped PPPPMMMM kam2 10.0.2.2>10.0.2.2\n  X-B ok PPPPPPPP\n"},
    {"loop", loop,
     "c1 unknown fail\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out kam1:in kam1:out kam2:in "
     "kam2:out "
     "kam1:in = 0\n"
     "  X-A ok PPPPPPPPPP\n  X-B ok PPPPPPPPPP\n"},
    {"fork", branches,
     "c1 outbound fail\n"
     "INVITE #1 livekit: livekit:out kam1:in kam1:out kam2:in kam2:out five9:in = 0\n"
     "  X-A stripped PPPPMM kam2 10.0.2.2>10.0.3.2\n"
     "INVITE #1 livekit: livekit:out kam1:in kam1:out acme:in = 0\n"
     "  X-A ok PPPP\n"},
};

/* In either order of the points; the names of the cases that differ are printed with what they say.
 */
static void paths_over(enum lab_transport transport)
{
    int wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.transport = transport};
        cases[i].build(&lab);
        for (int order = 0; order < 2; order++) {
            lab.backwards = order;
            lab_run(&lab);
            if (strcmp(lab.report.p, cases[i].expected) == 0)
                continue;
            print_error("%s:\n%sinstead of\n%s", cases[i].name, lab.report.p, cases[i].expected);
            wrong++;
        }
        lab_free(&lab);
    }
    assert_int_equal(wrong, 0);
}

static void over_udp(void **state)
{
    (void)state;
    paths_over(LAB_UDP);
}

static void over_tcp(void **state)
{
    (void)state;
    paths_over(LAB_TCP_OWN);
}

/* BYE comes on the connection that the other side opened. */
static void over_one_connection(void **state)
{
    (void)state;
    paths_over(LAB_TCP_ONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(over_udp), cmocka_unit_test(over_tcp),
                                       cmocka_unit_test(over_one_connection)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

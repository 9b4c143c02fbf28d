/* Unit tests of hop/: which addresses are one node, and which node each point was taken on. */
#include "path.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};
static const struct dialog from_far = {"c1", "far", "SCL_aaaaaaaaaaaa", NULL, NULL};

static struct path outbound(struct lab *lab)
{
    lab->now_ms = 1000000000;
    return (struct path){.lab = lab,
                         .n = 4,
                         .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                                   {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                                   {.name = "kam2", .left = "10.0.2.2", .right = "10.0.3.2"},
                                   {.name = "five9", .left = "10.0.3.10"}}};
}

static void talk(const struct path *p)
{
    path_call(p, &call, NULL);
    path_ask(p, &call, (struct told){.method = "BYE", .cseq = 2, .headers = "X-A: 1\r\n"});
}

static void at(struct lab *lab, const char *name, enum lab_link link)
{
    struct path p = outbound(lab);
    lab_point(lab, name, link);
    talk(&p);
}

static void by_vias(struct lab *lab)
{
    at(lab, "kam1", LAB_ETHERNET);
}

static void one_end(struct lab *lab)
{
    at(lab, "five9", LAB_ETHERNET);
}

/* The node's capture has another name in this run. */
static void named(struct lab *lab, const char *node, const char *name, enum lab_link link,
                  const char *claims)
{
    struct path p = outbound(lab);
    for (size_t i = 0; i < p.n; i++)
        if (strcmp(p.nodes[i].name, node) == 0)
            p.nodes[i].name = name;
    lab_point(lab, name, link)->claims = claims;
    talk(&p);
}

static void far_end_without_a_name(struct lab *lab)
{
    named(lab, "five9", "dump", LAB_ETHERNET, NULL);
}

static void far_end_with_directions(struct lab *lab)
{
    named(lab, "five9", "dump", LAB_SLL2, NULL);
}

static void far_end_that_claims(struct lab *lab)
{
    named(lab, "five9", "dump", LAB_ETHERNET, "10.0.3.10");
}

/* LiveKit's own capture, called as any other: its marks do not say where the capture was taken. */
static void livekit_without_a_name(struct lab *lab)
{
    named(lab, "livekit", "livekit-pod", LAB_ETHERNET, NULL);
}

static void node_option(struct lab *lab)
{
    lab->nodes[0] = "edge=10.0.2.2,10.0.3.2";
    by_vias(lab);
}

static void node_option_for_point(struct lab *lab)
{
    lab->nodes[0] = "dump=10.0.3.10";
    far_end_without_a_name(lab);
}

/* A tap between the proxies: no node's own. */
static void tap(struct lab *lab)
{
    struct path p = outbound(lab);
    lab_point(lab, "kam1", LAB_ETHERNET);
    lab_point(lab, "kam2", LAB_ETHERNET);
    lab_point(lab, "tap", LAB_ETHERNET);
    p.tap = "tap";
    p.tapped = 1;
    talk(&p);
}

/* LiveKit and the proxy on one host and address. */
static void one_address(struct lab *lab)
{
    struct path p = outbound(lab);
    p.nodes[0].left = "10.0.1.1:5070";
    p.nodes[1] = (struct path_node){.name = "kam1", .left = "10.0.1.1"};
    p.nodes[2].left = "10.0.1.2";
    lab_point(lab, "kam1", LAB_RAW);
    lab_point(lab, "kam2", LAB_RAW);
    talk(&p);
}

static void advertised(struct lab *lab)
{
    struct path p = outbound(lab);
    p.nodes[1].advertises = "203.0.113.9";
    lab_point(lab, "livekit", LAB_ETHERNET);
    lab_point(lab, "kam1", LAB_ETHERNET);
    lab_point(lab, "five9", LAB_ETHERNET);
    p.changes[0] = (struct path_change){"kam2", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
}

/* Two proxies behind NATs call themselves 192.168.1.1: whose Via that is can't be told. */
static void private_sent_by(struct lab *lab)
{
    struct path p = outbound(lab);
    p.nodes[1].advertises = p.nodes[2].advertises = "192.168.1.1";
    lab_point(lab, "livekit", LAB_ETHERNET);
    lab_point(lab, "kam1", LAB_ETHERNET);
    lab_point(lab, "five9", LAB_ETHERNET);
    p.changes[0] = (struct path_change){"kam2", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
}

static void ipv6(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "livekit", .left = "fd00:1::10"},
                               {.name = "kam1", .left = "fd00:1::1", .right = "fd00:2::1"},
                               {.name = "five9", .left = "fd00:2::10"}}};
    lab->now_ms = 1000000000;
    lab_point(lab, "livekit", LAB_ETHERNET);
    lab_point(lab, "kam1", LAB_ETHERNET)->claims = "fd00:1::1";
    lab_point(lab, "five9", LAB_ETHERNET);
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\n", ""};
    talk(&p);
}

/* Each node's switch port shows it twice. */
static void twice(struct lab *lab)
{
    struct path p = outbound(lab);
    lab_point(lab, "livekit", LAB_ETHERNET);
    lab_point(lab, "kam1", LAB_ETHERNET)->copies = 2;
    talk(&p);
}

/* --livekit: nothing on the wire tells who it is. */
static void unmarked(struct lab *lab)
{
    static const struct dialog plain = {"c1", "a", "b", NULL, NULL};
    struct path p = outbound(lab);
    p.nodes[0].name = "agent";
    lab_point(lab, "agent", LAB_ETHERNET);
    lab_point(lab, "kam1", LAB_ETHERNET);
    path_call(&p, &plain, NULL);
    path_ask(&p, &plain, (struct told){.method = "BYE", .cseq = 2, .headers = "X-A: 1\r\n"});
}

static void unmarked_named(struct lab *lab)
{
    lab->livekit = "agent";
    unmarked(lab);
}

static void unmarked_by_address(struct lab *lab)
{
    lab->livekit = "10.0.1.10";
    unmarked(lab);
}

/* LiveKit is called, and seen from the proxy only. */
static void called(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "five9", .left = "10.0.2.10"},
                               {.name = "kam1", .left = "10.0.2.1", .right = "10.0.1.1"},
                               {.name = "livekit", .left = "10.0.1.10"}}};
    lab->now_ms = 1000000000;
    lab_point(lab, "kam1", LAB_ETHERNET);
    path_call(&p, &from_far, NULL);
    path_ask(&p, &from_far,
             (struct told){.method = "BYE", .cseq = 1, .up = true, .headers = "X-A: 1\r\n"});
}

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    const char *report, *addresses;
} cases[] = {
    {"by Vias", by_vias,
     "c1 outbound pass\nBYE #2 10.0.1.10: kam1:in kam1:out = 200\n  X-A ok PP\n",
     "10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2\n"},
    {"one end", one_end, "c1 outbound pass\nBYE #2 10.0.1.10: five9:in = 200\n  X-A ok P\n",
     "10.0.3.2\nfive9 10.0.3.10\n"},
    {"the far end without a name", far_end_without_a_name,
     "c1 outbound pass\nBYE #2 10.0.1.10: dump:in = 200\n  X-A ok P\n",
     "10.0.3.2\ndump 10.0.3.10\n"},
    {"the far end with directions", far_end_with_directions,
     "c1 outbound pass\nBYE #2 10.0.1.10: dump:in = 200\n  X-A ok P\n",
     "10.0.3.2\ndump 10.0.3.10\n"},
    {"the far end claims its address", far_end_that_claims,
     "c1 outbound pass\nBYE #2 10.0.1.10: dump:in = 200\n  X-A ok P\n",
     "dump 10.0.3.10\n10.0.3.2\n"},
    {"LiveKit's own", livekit_without_a_name,
     "c1 outbound pass\nBYE #2 livekit-pod: livekit-pod:out = 200\n  X-A ok P\n",
     "livekit-pod 10.0.1.10\n10.0.1.1\n"},
    {"--node", node_option,
     "c1 outbound pass\nBYE #2 10.0.1.10: kam1:in kam1:out = 200\n  X-A ok PP\n",
     "edge 10.0.2.2 10.0.3.2\n10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n"},
    {"--node for a point", node_option_for_point,
     "c1 outbound pass\nBYE #2 10.0.1.10: dump:in = 200\n  X-A ok P\n",
     "dump 10.0.3.10\n10.0.3.2\n"},
    {"a tap", tap,
     "c1 outbound pass\nBYE #2 10.0.1.10: kam1:in kam1:out tap kam2:in kam2:out = 200\n"
     "  X-A ok PPPPP\n",
     "10.0.1.10\nkam1 10.0.1.1 10.0.2.1\nkam2 10.0.2.2 10.0.3.2\n10.0.3.10\n"},
    {"two on one address", one_address,
     "c1 outbound pass\nBYE #2 10.0.1.1:5070: kam1:in kam1:out kam2:in kam2:out = 200\n  X-A ok "
     "PPPP\n",
     NULL},
    {"advertised", advertised,
     "c1 outbound fail\nBYE #2 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-A stripped PPPM after kam1:out before five9:in among 10.0.2.2\n",
     "livekit 10.0.1.10\nkam1 10.0.1.1 10.0.2.1 203.0.113.9\n10.0.2.2 10.0.3.2\nfive9 10.0.3.10\n"},
    {"a private sent-by of two", private_sent_by,
     "c1 outbound fail\nBYE #2 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-A stripped PPPM after kam1:out before five9:in among 10.0.2.2\n",
     "livekit 10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2 10.0.3.2\nfive9 10.0.3.10\n"},
    {"IPv6", ipv6,
     "c1 outbound fail\nBYE #2 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-A stripped PPMM kam1 fd00:1::1>fd00:2::1\n",
     "kam1 fd00:1::1 fd00:2::1\nlivekit fd00:1::10\nfive9 fd00:2::10\n"},
    {"frames twice", twice,
     "c1 outbound pass\nBYE #2 livekit: livekit:out kam1:in kam1:out = 200\n  X-A ok PPP\n",
     "livekit 10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2\n"},
    {"no marks", unmarked,
     "c1 unknown pass\nBYE #2 agent: agent:out kam1:in kam1:out = 200\n  X-A ok PPP\n",
     "agent 10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2\n"},
    {"--livekit with a point", unmarked_named,
     "c1 outbound pass\nBYE #2 agent: agent:out kam1:in kam1:out = 200\n  X-A ok PPP\n",
     "agent 10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2\n"},
    {"--livekit with an address", unmarked_by_address,
     "c1 outbound pass\nBYE #2 agent: agent:out kam1:in kam1:out = 200\n  X-A ok PPP\n",
     "agent 10.0.1.10\nkam1 10.0.1.1 10.0.2.1\n10.0.2.2\n"},
    {"called", called, "c1 inbound pass\nBYE #1 10.0.1.10: kam1:in kam1:out = 200\n  X-A ok PP\n",
     "10.0.2.10\nkam1 10.0.2.1 10.0.1.1\n10.0.1.10\n"},
};

static int differs(const char *name, const struct text *is, const char *right)
{
    if (!right || strcmp(is->p, right) == 0)
        return 0;
    print_error("%s:\n%sinstead of\n%s", name, is->p, right);
    return 1;
}

static void points_over(enum lab_transport transport)
{
    int wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.transport = transport};
        cases[i].build(&lab);
        lab_run(&lab);
        wrong += differs(cases[i].name, &lab.report, cases[i].report);
        wrong += differs(cases[i].name, &lab.addresses, cases[i].addresses);
        lab_free(&lab);
    }
    assert_int_equal(wrong, 0);
}

static void over_udp(void **state)
{
    (void)state;
    points_over(LAB_UDP);
}

static void over_tcp(void **state)
{
    (void)state;
    points_over(LAB_TCP_OWN);
}

static void over_one_connection(void **state)
{
    (void)state;
    points_over(LAB_TCP_ONE);
}

static struct endpoint end_of(const char *address)
{
    struct endpoint e = {.port = 5060};
    assert_true(address_parse(slice_of(address), &e.ip));
    return e;
}

/* Logs that do not tell their host's address: it is known by another point's sighting, unless two
 * hosts stand behind it; an end that nobody knows is no node. */
static void unnamed(void **state)
{
    static const char *const names[] = {"pbx1", "pbx2", "tap"};
    const struct hash_key key = hash_key_of(1, 2);
    struct endpoint pbx1 = {address_unnamed(0), 0}, pbx2 = {address_unnamed(1), 0},
                    none = {.port = 0};
    struct endpoint far = end_of("10.0.0.1"), one = end_of("10.0.0.2"), shared = end_of("10.0.0.3");
    struct hop_nodes *n = hop_nodes_new(&key);
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        hop_nodes_add_point(n, names[i]);
    hop_nodes_saw(n, 0, &far, &pbx1, SOURCE_IN);
    hop_nodes_saw(n, 1, &none, &pbx2, SOURCE_IN);
    hop_nodes_saw(n, 2, &far, &one, SOURCE_UNKNOWN);
    hop_nodes_saw(n, 2, &far, &shared, SOURCE_UNKNOWN);
    hop_nodes_same_end(n, &one, &pbx1);
    hop_nodes_same_end(n, &shared, &pbx1);
    hop_nodes_same_end(n, &pbx2, &shared);
    hop_nodes_same_end(n, &none, &one);
    hop_nodes_same_end(n, &far, &one);
    hop_nodes_settle(n);
    assert_int_equal(hop_node_at(n, &one), hop_node_at(n, &pbx1));
    assert_int_equal(hop_node_at(n, &one), hop_node_of_point(n, 0));
    assert_int_equal(hop_node_at(n, &pbx2), hop_node_of_point(n, 1));
    assert_int_not_equal(hop_node_at(n, &shared), hop_node_at(n, &pbx2));
    assert_int_not_equal(hop_node_at(n, &far), hop_node_at(n, &one));
    assert_int_equal(hop_node_at(n, &none), HOP_NODE_NONE);
    assert_true(slice_is(hop_node_name(n, hop_node_at(n, &one)), "pbx1"));
    assert_true(slice_is(hop_node_name(n, hop_node_at(n, &pbx2)), "pbx2"));
    hop_nodes_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(over_udp), cmocka_unit_test(over_tcp),
                                       cmocka_unit_test(over_one_connection),
                                       cmocka_unit_test(unnamed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

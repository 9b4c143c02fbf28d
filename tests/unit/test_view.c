/* Unit tests of view/ on whole calls: the columns of a ladder in path order, its rows in order of
 * time, what stands on them; and the matrix. */
#include "drawn.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};
static const struct told invite = {.method = "INVITE", .cseq = 1};
static const struct told bye = {
    .method = "BYE", .cseq = 2, .headers = "X-A: 1\r\nX-B: 2\r\nSubject: s\r\n"};

/* ---- what becomes of headers --------------------------------------------------------------------
 */

static void plain(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    path_send(&p, &call, invite);
    path_ask(&p, &call, bye);
}

static void gone_added_altered(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\n", "X-New: 1\r\n"};
    p.changes[1] = (struct path_change){"kam2", "BYE", "X-B: 2", "X-B: 3"};
    p.changes[2] = (struct path_change){"kam2", "BYE", "Subject: s\r\n", ""};
    path_send(&p, &call, bye);
}

/* The link itself takes a header off. */
static void on_the_wire(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    struct told m = bye;
    m.past = 2;
    path_send(&p, &call, invite);
    m.headers = "X-A: 1\r\n";
    struct text t = path_message(&p, &call, &m, 0);
    struct lab_packet packet = {.src = "10.0.1.10", .dst = "10.0.1.1", .payload = text_slice(&t)};
    lab_see(lab, lab_point_of(lab, "livekit"), &packet, true);
    path_replace(&t, "X-A: 1\r\n", "");
    packet.payload = text_slice(&t);
    lab->now_ms++;
    lab_see(lab, lab_point_of(lab, "kam1"), &packet, false);
    text_free(&t);
}

/* Proxies may join header lines by a comma, and fold. */
static void joined_and_folded(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    struct told m = bye;
    m.headers = "X-A: 1\r\nX-A: 2\r\nX-B: one two\r\n";
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\nX-A: 2", "x-a: 1,2"};
    p.changes[1] = (struct path_change){"kam1", "BYE", "X-B: one two", "X-B: one\r\n two"};
    path_send(&p, &call, m);
}

static void cut_off(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    path_send(&p, &call, invite);
    lab->points[1].snaplen = 330;
    lab->points[2].snaplen = 400;
    path_send(&p, &call, bye);
}

/* ---- ways --------------------------------------------------------------------------------------
 */

static void retransmitted(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.n = 2;
    path_send(&p, &call, invite);
    for (int i = 0; i < 3; i++) {
        path_send(&p, &call, bye);
        lab->now_ms += 500;
    }
}

static void swallowed(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    struct told m = bye;
    path_call(&p, &call, NULL);
    m.past = 2;
    path_send(&p, &call, m);
}

static void masked(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.nodes[2].vias = PATH_MASKS;
    path_send(&p, &call, invite);
    path_send(&p, &call, bye);
}

static void ends_only(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, (const char *const[4]){"livekit", "five9"});
    p.changes[0] = (struct path_change){"kam1", "BYE", "X-A: 1\r\n", ""};
    path_send(&p, &call, invite);
    path_send(&p, &call, bye);
}

static void third_only(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, (const char *const[4]){"kam2"});
    path_send(&p, &call, invite);
    path_ask(&p, &call, bye);
}

/* kam2 forks to acme: both branches share what lies before. */
static void branches(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all), other;
    lab_point(lab, "acme", LAB_SLL2);
    other = p;
    other.nodes[3] = (struct path_node){.name = "acme", .left = "10.0.3.20"};
    other.forked = 2;
    path_send(&p, &call, invite);
    path_send(&other, &call, invite);
}

/* The BYE goes round the proxies, whose columns stay between the two ends. */
static void bypass(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all), direct = p;
    path_send(&p, &call, invite);
    direct.nodes[1] = p.nodes[3];
    direct.n = 2;
    path_send(&direct, &call, bye);
}

static void no_invite(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    path_send(&p, &call, bye);
    struct told back = bye;
    back.up = true;
    back.cseq = 7;
    path_send(&p, &call, back);
}

static void to_itself(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    lab->nodes[0] = "kam=10.0.1.1,10.0.2.1,10.0.2.2,10.0.3.2";
    path_send(&p, &call, bye);
}

static void clocks(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    lab->points[1].skew_ms = 60000;
    lab->points[3].skew_ms = -7200000;
    path_send(&p, &call, invite);
    path_ask(&p, &call, bye);
}

/* One way only: what must be is corrected, no more. */
static void clocks_one_way(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, path_all);
    p.n = 2;
    lab->points[1].skew_ms = -5000;
    path_send(&p, &call, invite);
}

static void tapped(struct lab *lab)
{
    struct path p = path_outbound(lab, LAB_SLL2, (const char *const[4]){"livekit", "kam1"});
    lab_point(lab, "tap", LAB_ETHERNET);
    p.tap = "tap";
    p.tapped = 1;
    path_send(&p, &call, invite);
}

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    const char *expected;
} cases[] = {
    {"plain", plain,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "0>1 BYE\n"
     "1>2 BYE\n"
     "2>3 BYE\n"
     "3>2 200 Some Reason\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason\n"},
    {"gone, added, altered", gone_added_altered,
     "livekit kam1 kam2 five9 ?\n"
     "0>1 BYE\n"
     "1>2 BYE [-1 X- +1 X-] X-A at kam1 X-New at kam1\n"
     "2>3 BYE [-1 ~1 X-] X-B at kam2\n"},
    {"on the wire", on_the_wire,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "0>1 BYE end [-1 X-] X-A at livekit:out to kam1:in\n"},
    {"joined and folded", joined_and_folded,
     "livekit kam1 kam2 five9 ?\n"
     "0>1 BYE\n"
     "1>2 BYE\n"
     "2>3 BYE\n"},
    {"cut off", cut_off,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "0>1 BYE\n"
     "1>2 BYE cut\n"
     "2>3 BYE cut\n"},
    {"retransmitted", retransmitted,
     "livekit kam1\n"
     "0>1 INVITE\n"
     "0>1 BYE x3\n"},
    {"swallowed", swallowed,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "3>2 180 Some Reason\n"
     "2>1 180 Some Reason\n"
     "1>0 180 Some Reason\n"
     "3>2 200 Some Reason\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason\n"
     "0>1 ACK\n"
     "1>2 ACK\n"
     "2>3 ACK\n"
     "0>1 BYE end\n"},
    {"masked", masked,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE leg 0\n"
     "1>2 INVITE leg 0\n"
     "2>3 INVITE leg 1\n"
     "0>1 BYE leg 0\n"
     "1>2 BYE leg 0\n"
     "2>3 BYE leg 1\n"},
    {"ends only", ends_only,
     "livekit (10.0.1.1) (10.0.3.2) five9\n"
     "0>1 INVITE\n"
     "1.2>3 INVITE\n"
     "0>1 BYE\n"
     "1.2>3 BYE [-1 X-] X-A at 10.0.1.1 to 10.0.3.2\n"},
    {"third only", third_only,
     "(10.0.1.10) (10.0.2.1) kam2 (10.0.3.10)\n"
     "0.1>2 INVITE\n"
     "2>3 INVITE\n"
     "0.1>2 BYE\n"
     "2>3 BYE\n"
     "3>2 200 Some Reason\n"
     "2>1 200 Some Reason\n"},
    {"branches", branches,
     "livekit kam1 kam2 five9 acme\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "2>4 INVITE\n"},
    {"bypass", bypass,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "0>3 BYE\n"},
    {"no INVITE", no_invite,
     "livekit kam1 kam2 five9 ?\n"
     "0>1 BYE\n"
     "1>2 BYE\n"
     "2>3 BYE\n"
     "3>2 BYE\n"
     "2>1 BYE\n"
     "1>0 BYE\n"},
    {"to itself", to_itself,
     "livekit kam five9 ?\n"
     "0>1 BYE\n"
     "1>1 BYE\n"
     "1>2 BYE\n"},
    {"clocks", clocks,
     "livekit kam1 kam2 five9\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "2>3 INVITE\n"
     "0>1 BYE\n"
     "1>2 BYE\n"
     "2>3 BYE\n"
     "3>2 200 Some Reason\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason\n"
     "kam2 +7200 s\n"
     "kam1 +7260 s\n"
     "livekit +7200 s\n"},
    {"clocks, one way", clocks_one_way,
     "livekit kam1\n"
     "0>1 INVITE\n"
     "kam1 -4 s\n"},
    {"tapped", tapped,
     "livekit kam1 tap\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"},
};

static void test_ladders(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {0};
        struct drawn d = {0};
        cases[i].build(&lab);
        drawn_run(&d, &lab);
        print_message("%s\n", cases[i].name);
        assert_string_equal(d.model.p, cases[i].expected);
        drawn_free(&d);
        lab_free(&lab);
    }
}

/* ---- folded -----------------------------------------------------------------------------------
 */

static const struct folded {
    const char *name;
    void (*build)(struct lab *);
    unsigned hidden;
    const char *expected;
} folded[] = {
    {"between the ends", plain, 1 << 1 | 1 << 2,
     "livekit five9\n"
     "0>1 INVITE over 2\n"
     "0>1 BYE over 2\n"
     "1>0 200 Some Reason over 2\n"},
    {"one", plain, 1 << 1,
     "livekit kam2 five9\n"
     "0>1 INVITE over 1\n"
     "1>2 INVITE\n"
     "0>1 BYE over 1\n"
     "1>2 BYE\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason over 1\n"},
    {"the first", plain, 1,
     "kam1 kam2 five9\n"
     "0>0 INVITE from within\n"
     "0>1 INVITE\n"
     "1>2 INVITE\n"
     "0>0 BYE from within\n"
     "0>1 BYE\n"
     "1>2 BYE\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason\n"
     "0>0 200 Some Reason within\n"},
    {"all but one", plain, 7,
     "five9\n"
     "0>0 INVITE over 2 from within\n"
     "0>0 BYE over 2 from within\n"
     "0>0 200 Some Reason over 2 within\n"},
    {"what was changed there", gone_added_altered, 1 << 1 | 1 << 2,
     "livekit five9 ?\n"
     "0>1 BYE over 2 [-1 X- -1 +1 X- ~1 X-]\n"},
    {"swallowed within", swallowed, 1 << 1,
     "livekit kam2 five9\n"
     "0>1 INVITE over 1\n"
     "1>2 INVITE\n"
     "2>1 180 Some Reason\n"
     "1>0 180 Some Reason over 1\n"
     "2>1 200 Some Reason\n"
     "1>0 200 Some Reason over 1\n"
     "0>1 ACK over 1\n"
     "1>2 ACK\n"
     "0>1 BYE within end\n"},
    {"branches", branches, 1 << 1 | 1 << 2,
     "livekit five9 acme\n"
     "0>1 INVITE over 2\n"
     "1>2 INVITE from within\n"},
    {"to itself", to_itself, 1 << 1,
     "livekit five9 ?\n"
     "0>1 BYE over 2\n"},
};

/* What a message did at hidden elements is one arrow over them; nothing of it is lost. */
static void test_folded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(folded); i++) {
        struct lab lab = {0};
        struct drawn d = {.hidden = folded[i].hidden};
        folded[i].build(&lab);
        drawn_run(&d, &lab);
        print_message("%s\n", folded[i].name);
        assert_string_equal(d.model.p, folded[i].expected);
        drawn_free(&d);
        lab_free(&lab);
    }
}

/* Whichever point is read first: the ladder is the same. */
static void test_backwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {0};
        struct drawn d = {0}, b = {0};
        cases[i].build(&lab);
        drawn_run(&d, &lab);
        lab.backwards = true;
        drawn_run(&b, &lab);
        print_message("%s\n", cases[i].name);
        assert_string_equal(d.model.p, b.model.p);
        drawn_free(&d);
        drawn_free(&b);
        lab_free(&lab);
    }
}

/* ---- the matrix ---------------------------------------------------------------------------------
 */

struct matrices {
    enum view_matrix_rows rows;
    struct slice follow, names[2];
    size_t name_count;
    struct text text;
};

/* "X-A! PPMMMM" for a header that changes */
static void write_matrices(void *context, const struct hop_call *hops)
{
    static const char states[] = "PMAC";
    struct matrices *all_of = context;
    const struct view_options options = {.follow = &all_of->follow,
                                         .follow_count = all_of->follow.n > 0,
                                         .names = all_of->names,
                                         .name_count = all_of->name_count};
    struct arena a = {0};
    for (size_t i = 0; i < hops->journey_count; i++) {
        struct view_matrix m;
        view_matrix_build(&a, hops, &hops->journeys[i], &options, all_of->rows, &m);
        lab_add(&all_of->text, "", m.request.method);
        for (size_t k = 0; k < m.request.header_count; k++) {
            lab_add(&all_of->text, " ", m.request.headers[k].name);
            text_printf(&all_of->text, "%s=", m.changed[k] ? "!" : "");
            for (size_t n = 0; n < m.request.sighting_count; n++)
                text_add_char(&all_of->text, states[m.request.headers[k].states[n]]);
        }
        text_add_char(&all_of->text, '\n');
    }
    arena_free(&a);
}

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    struct matrices matrices;
    const char *expected;
} matrix_cases[] = {
    {"key",
     gone_added_altered,
     {.rows = VIEW_ROWS_KEY},
     "BYE X-A!=PPMMMM X-B!=PPPPAA X-New!=MMPPPP Subject!=PPPPMM\n"},
    {"key, followed",
     gone_added_altered,
     {.rows = VIEW_ROWS_KEY, .follow = SLICE("subj*")},
     "BYE X-A!=PPMMMM X-B!=PPPPAA Subject!=PPPPMM X-New!=MMPPPP\n"},
    {"all",
     gone_added_altered,
     {.rows = VIEW_ROWS_ALL},
     "BYE Via!=PPAAAA Call-ID=PPPPPP CSeq=PPPPPP From=PPPPPP To=PPPPPP X-A!=PPMMMM X-B!=PPPPAA "
     "Subject!=PPPPMM Content-Length=PPPPPP X-New!=MMPPPP\n"},
    {"named",
     gone_added_altered,
     {.rows = VIEW_ROWS_NAMED, .names = {SLICE("x-b"), SLICE("X-None")}, .name_count = 2},
     "BYE x-b!=PPPPAA X-None=MMMMMM\n"},
    {"cut", cut_off, {.rows = VIEW_ROWS_KEY}, "INVITE\nBYE X-A=PPCPCP X-B=PPCPCP\n"},
};

static void test_matrices(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(matrix_cases); i++) {
        struct lab lab = {0};
        struct matrices m = matrix_cases[i].matrices;
        const struct trace_sinks sinks = {.flow = write_matrices, .context = &m};
        matrix_cases[i].build(&lab);
        lab_trace(&lab, NULL, NULL, &sinks);
        print_message("%s\n", matrix_cases[i].name);
        assert_string_equal(m.text.p, matrix_cases[i].expected);
        text_free(&m.text);
        lab_free(&lab);
    }
}

static void take_left_out(void *context, const struct hop_call *hops)
{
    uint64_t *left_out = context;
    struct arena a = {0};
    struct view_matrix m;
    assert_int_equal(hops->journey_count, 1);
    view_matrix_build(&a, hops, &hops->journeys[0], &(struct view_options){0}, VIEW_ROWS_ALL, &m);
    assert_int_equal(m.request.header_count, VIEW_MATRIX_MAX);
    *left_out = m.left_out;
    arena_free(&a);
}

/* A header that is left out at each of six sightings is one. */
static void test_left_out(void **state)
{
    struct lab lab = {0};
    struct text headers = {0};
    struct told m = bye;
    uint64_t left_out = 0;
    const struct trace_sinks sinks = {.flow = take_left_out, .context = &left_out};
    (void)state;
    for (int i = 0; i < 300; i++)
        text_printf(&headers, "X-%03d: %d\r\n", i, i);
    m.headers = headers.p;
    struct path p = path_outbound(&lab, LAB_SLL2, path_all);
    path_send(&p, &call, m);
    lab_trace(&lab, NULL, NULL, &sinks);
    /* with Via, Call-ID, CSeq, From, To before them, Content-Length behind */
    assert_int_equal(left_out, 300 + 6 - VIEW_MATRIX_MAX);
    text_free(&headers);
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladders),   cmocka_unit_test(test_folded),
        cmocka_unit_test(test_backwards), cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

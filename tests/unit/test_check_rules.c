/* The user's rules on whole calls: which messages they are about, what they find and where. */
#include "path.h"

static const struct dialog in = {"c1", "far", "SCL_aaaaaaaaaaaa", "+14155550100", "+15105550100"};
static const struct dialog next = {"c2", "far", "SCL_bbbbbbbbbbbb", "+14155550199", "+15105550100"};

/* five9 calls livekit over kam1; each is a point. */
static struct path path_of(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "five9", .left = "10.0.2.10"},
                               {.name = "kam1", .left = "10.0.2.1", .right = "10.0.1.1"},
                               {.name = "livekit", .left = "10.0.1.10"}}};
    lab->now_ms = 1000000000;
    if (!lab->point_count)
        for (size_t i = 0; i < p.n; i++)
            lab_point(lab, p.nodes[i].name, LAB_SLL2);
    return p;
}

#define INVITE                                                                                     \
    "X-Tenant: acme\r\nX-Token: t1\r\nX-Meta: account=12345;region=west\r\n"                       \
    "P-Asserted-Identity: \"A, B\" <sip:+14155550100@a>, <tel:+14155550111>\r\n"
#define BYE "X-Queue: Sales\r\nX-Twin: Sales\r\nX-Internal-Id: 7\r\nX-API-Key: s3cret\r\n"

/* LiveKit hangs up; kam1 may change its BYE. */
static void call(struct lab *lab, struct path_change change)
{
    struct path p = path_of(lab);
    p.changes[0] = change;
    path_call(&p, &in, INVITE);
    path_ask(&p, &in, (struct told){.method = "BYE", .cseq = 1, .up = true, .headers = BYE});
}

#define R(id) "- id: " id "\n  "

/* One rule on one call: what it finds, and the verdict of the run. */
static void test_rules(void **state)
{
    static const struct path_change none = {NULL, NULL, NULL, NULL};
    static const struct path_change strips = {"kam1", "BYE", "X-Queue: Sales\r\n", ""};
    static const struct path_change alters = {"kam1", "BYE", "X-Queue: Sales", "X-Queue: sales"};
    static const struct path_change adds = {"kam1", "BYE", "X-Twin: Sales\r\n",
                                            "X-Twin: Sales\r\nX-Twin: Two\r\nX-New: 1\r\n"};
    static const struct {
        const char *rules;
        const struct path_change *change;
        enum check_verdict verdict;
        const char *found;
    } cases[] = {
        {R("a") "message: BYE\n  header: X-Queue\n", &none, CHECK_PASS, ""},
        {R("a") "message: BYE\n  header: X-Queue\n", &strips, CHECK_FAIL,
         "error rule-violated BYE X-Queue @kam1: rule a (rules:1): X-Queue of BYE is absent at "
         "kam1:out and five9:in; stripped by kam1\n"},
        {R("a") "message: BYE\n  header: X-Queue\n  severity: warning\n", &strips, CHECK_PASS,
         "warning rule-violated BYE X-Queue @kam1: rule a (rules:1): X-Queue of BYE is absent at "
         "kam1:out and five9:in; stripped by kam1\n"},
        {R("a") "message: BYE\n  header: X-Nowhere\n  at: first-hop\n", &none, CHECK_FAIL,
         "error rule-violated BYE X-Nowhere @livekit: rule a (rules:1): X-Nowhere of BYE is absent "
         "at livekit:out; livekit did not send it\n"},
        /* places */
        {R("a") "message: BYE\n  at: livekit\n  header: X-Queue\n", &strips, CHECK_PASS, ""},
        {R("a") "message: BYE\n  at: [livekit, 'kam1:in']\n  header: X-Queue\n", &strips,
         CHECK_PASS, ""},
        {R("a") "message: BYE\n  at: 'kam1:out'\n  header: X-Queue\n", &strips, CHECK_FAIL,
         "error rule-violated BYE X-Queue @kam1: rule a (rules:1): X-Queue of BYE is absent at "
         "kam1:out; stripped by kam1\n"},
        {R("a") "at: last-hop\n  header: X-Internal-*\n  absent: true\n", &none, CHECK_FAIL,
         "error rule-violated BYE X-Internal-Id @: rule a (rules:1): X-Internal-Id of BYE is there "
         "at five9:in\n"},
        {R("a") "at: nowhere\n  header: X-Queue\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Queue: rule a (rules:1): never applied: no message was seen "
         "at "
         "nowhere\n"},
        /* which messages */
        {R("a") "message: BYE\n  sender: far\n  header: X-Queue\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Queue: rule a (rules:1): never applied: no BYE was sent by "
         "far\n"},
        {R("a") "message: BYE\n  sender: [callee, kam1]\n  header: X-Queue\n", &none, CHECK_PASS,
         ""},
        {R("a") "message: BYE\n  sender: livekit\n  direction: inbound\n  header: X-Queue\n", &none,
         CHECK_PASS, ""},
        {R("a") "message: BYE\n  direction: outbound\n  header: X-Queue\n", &none,
         CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Queue: rule a (rules:1): never applied: no call with BYE "
         "was "
         "outbound\n"},
        {R("a") "message: INFO\n  header: X-Queue\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Queue: rule a (rules:1): never applied: no INFO was seen\n"},
        {R("a") "message: re-INVITE\n  header: X-Queue\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Queue: rule a (rules:1): never applied: no re-INVITE was "
         "seen\n"},
        {R("a") "message: INVITE 2xx\n  header: X-Queue\n  at: livekit\n", &none, CHECK_FAIL,
         "error rule-violated INVITE 200 X-Queue @livekit: rule a (rules:1): X-Queue of 200 to "
         "INVITE is absent at livekit:out; livekit did not send it\n"},
        {R("a") "message: '*'\n  header: X-Queue\n  optional: true\n  equals: Sales\n", &none,
         CHECK_PASS, ""},
        {R("a") "header: X-Absent\n  optional: true\n  equals: Sales\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-Absent: rule a (rules:1): never applied: X-Absent was never "
         "there\n"},
        /* values */
        {R("a") "message: BYE\n  header: X-Queue\n  one-of: [Sales, Billing]\n", &alters,
         CHECK_FAIL,
         "error rule-violated BYE X-Queue @: rule a (rules:1): X-Queue of BYE is \"sales\", not "
         "\"Sales\" or \"Billing\" at kam1:out and five9:in\n"},
        {R("a") "message: BYE\n  header: X-Queue\n  equals: SALES\n  ignore-case: true\n", &alters,
         CHECK_PASS, ""},
        {R("a") "message: BYE\n  header: X-Queue\n  unchanged: true\n", &alters, CHECK_FAIL,
         "error rule-violated BYE X-Queue @kam1: rule a (rules:1): X-Queue of BYE is \"sales\" "
         "and no longer \"Sales\" at kam1:out; altered by kam1\n"},
        {R("a") "message: BYE\n  header: X-*\n  unchanged: true\n", &strips, CHECK_FAIL,
         "error rule-violated BYE X-Queue @kam1: rule a (rules:1): X-Queue of BYE is gone at "
         "kam1:out and five9:in; stripped by kam1\n"},
        {R("a") "message: BYE\n  header: X-New\n  unchanged: true\n", &adds, CHECK_PASS, ""},
        {R("a") "message: BYE\n  header: X-Twin\n  count: 1\n", &adds, CHECK_FAIL,
         "error rule-violated BYE X-Twin @: rule a (rules:1): X-Twin of BYE stands there 2 times, "
         "at most 1 are allowed at kam1:out and five9:in\n"},
        {R("a") "message: BYE\n  header: X-Twin\n  same-as: X-Queue\n  at: livekit\n", &none,
         CHECK_PASS, ""},
        {R("a") "message: BYE\n  header: X-Twin\n  same-as: X-Queue\n  at: five9\n", &alters,
         CHECK_FAIL,
         "error rule-violated BYE X-Twin @: rule a (rules:1): X-Twin of BYE is \"Sales\", not "
         "X-Queue, \"sales\" at five9:in\n"},
        {R("a") "message: INVITE\n  header: X-Meta\n  part: account\n  matches: '^\\d{5}$'\n",
         &none, CHECK_PASS, ""},
        {R("a") "message: INVITE\n  header: X-Meta\n  part: region\n  equals: east\n  at: five9\n",
         &none, CHECK_FAIL,
         "error rule-violated INVITE X-Meta @: rule a (rules:1): X-Meta of INVITE has region "
         "\"west\", not \"east\" at five9:out\n"},
        {R("a") "message: INVITE\n  header: X-Meta\n  part: city\n  at: five9\n", &none, CHECK_FAIL,
         "error rule-violated INVITE X-Meta @: rule a (rules:1): X-Meta of INVITE has no part city "
         "at five9:out\n"},
        {R("a") "message: INVITE\n  header: X-Meta\n  part: city\n  not-equals: x\n", &none,
         CHECK_PASS, ""},
        {R("a") "message: INVITE\n  header: X-Token\n  user-of: From\n  at: five9\n", &none,
         CHECK_FAIL,
         "error rule-violated INVITE X-Token @: rule a (rules:1): X-Token of INVITE is \"t1\", not "
         "the user of From, \"+14155550100\" at five9:out\n"},
        {R("a") "message: INVITE\n  header: P-Asserted-Identity\n  matches: 55501\n", &none,
         CHECK_PASS, ""},
        /* what is secret is not told */
        {R("a") "message: BYE\n  header: X-API-Key\n  equals: other\n  at: livekit\n", &none,
         CHECK_FAIL,
         "error rule-violated BYE X-API-Key @: rule a (rules:1): X-API-Key of BYE is \"***\", not "
         "what the rule asks for at livekit:out\n"},
        {R("a") "message: BYE\n  header: X-Queue\n  matches: ^(\\w+)+!$\n", &none, CHECK_FAIL,
         "error rule-violated BYE X-Queue @: rule a (rules:1): X-Queue of BYE is \"Sales\", no "
         "match for ^(\\w+)+!$ at livekit:out, kam1:in, kam1:out and five9:in\n"},
        /* conditions */
        {R("a") "message: BYE\n  header: X-No\n  when: {caller: '+1510*'}\n", &none,
         CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-No: rule a (rules:1): never applied: its condition never "
         "held "
         "for a BYE\n"},
        {R("a") "message: BYE\n  header: X-Queue\n"
                "  when: {caller: ['+1510*', '+1415*'], callee: '+15105550100'}\n",
         &none, CHECK_PASS, ""},
        {R("a") "message: BYE\n  header: X-No\n  at: last-hop\n"
                "  when: {header: {message: INVITE, header: X-Tenant, equals: acme}}\n",
         &none, CHECK_FAIL,
         "error rule-violated BYE X-No @livekit: rule a (rules:1): X-No of BYE is absent at "
         "five9:in; livekit did not send it\n"},
        {R("a") "message: BYE\n  header: X-No\n"
                "  when: {header: {message: INVITE, header: X-Tenant, equals: other}}\n",
         &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-No: rule a (rules:1): never applied: its condition never "
         "held "
         "for a BYE\n"},
        {R("a") "message: BYE\n  header: X-No\n"
                "  when: {header: {message: INFO, header: X-Tenant}}\n",
         &none, CHECK_INCONCLUSIVE,
         "warning rule-not-judged BYE X-No @: rule a (rules:1): BYE was not judged: the captures "
         "do "
         "not tell whether its condition holds\n"},
        {R("a") "message: BYE\n  header: X-No\n  when: {header: {header: X-Queue, absent: true}}\n",
         &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-No: rule a (rules:1): never applied: its condition never "
         "held "
         "for a BYE\n"},
        {R("a") "message: BYE\n  header: X-No\n  when: {trunk: ST_x}\n", &none, CHECK_INCONCLUSIVE,
         "warning rule-never-applied X-No: rule a (rules:1): never applied: its condition never "
         "held "
         "for a BYE\n"},
        /* one that holds is enough, and one that never applied is told */
        {R("a") "message: BYE\n  header: X-Queue\n" R("b") "message: INFO\n  header: X-Queue\n",
         &none, CHECK_PASS,
         "warning rule-never-applied X-Queue: rule b (rules:4): never applied: no INFO was seen\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.rules = cases[i].rules};
        call(&lab, *cases[i].change);
        lab_run(&lab);
        if (strcmp(lab.ruled.p, cases[i].found) != 0)
            fail_msg("%s\n%s\n%s", cases[i].rules, lab.ruled.p, cases[i].found);
        if (lab.verdict != cases[i].verdict)
            fail_msg("%s: %s", cases[i].rules, check_verdict_name(lab.verdict));
        lab_free(&lab);
    }
}

/* --strict: a rule that never applied fails the run. */
static void test_strict(void **state)
{
    struct lab lab = {.rules =
                          R("a") "message: BYE\n  header: X-Queue\n" R("b") "message: INFO\n"
                                                                            "  header: X-Queue\n",
                      .strict = true};
    (void)state;
    call(&lab, (struct path_change){NULL, NULL, NULL, NULL});
    lab_run(&lab);
    assert_string_equal(lab.ruled.p,
                        "error rule-never-applied X-Queue: rule b (rules:4): never applied: "
                        "no INFO was seen\n");
    assert_int_equal(lab.verdict, CHECK_FAIL);
    lab_free(&lab);
}

/* What was not captured is no violation, and no pass. */
static void test_cut(void **state)
{
    static const struct {
        const char *rules;
        enum check_verdict verdict;
        const char *found;
    } cases[] = {
        {R("a") "message: BYE\n  at: five9\n  header: X-Queue\n", CHECK_INCONCLUSIVE,
         "warning rule-not-judged BYE X-Queue @: rule a (rules:1): X-Queue of BYE may stand where "
         "the capture was cut at five9:in\n"},
        {R("a") "message: BYE\n  at: five9\n  header: X-Queue\n  absent: true\n",
         CHECK_INCONCLUSIVE,
         "warning rule-not-judged BYE X-Queue @: rule a (rules:1): X-Queue of BYE may stand where "
         "the capture was cut at five9:in\n"},
        {R("a") "message: BYE\n  header: X-Queue\n", CHECK_INCONCLUSIVE,
         "warning rule-not-judged BYE X-Queue @: rule a (rules:1): X-Queue of BYE may stand where "
         "the capture was cut at five9:in\n"},
        {R("a") "message: BYE\n  header: X-Queue\n  equals: x\n", CHECK_FAIL,
         "error rule-violated BYE X-Queue @: rule a (rules:1): X-Queue of BYE is \"Sales\", not "
         "\"x\" at livekit:out, kam1:in and kam1:out\n"},
        {R("a") "message: BYE\n  at: livekit\n  header: X-Queue\n", CHECK_PASS, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.rules = cases[i].rules};
        lab_point(&lab, "five9", LAB_SLL2)->snaplen = 20 + 20 + 8 + 240;
        lab_point(&lab, "kam1", LAB_SLL2);
        lab_point(&lab, "livekit", LAB_SLL2);
        call(&lab, (struct path_change){NULL, NULL, NULL, NULL});
        lab_run(&lab);
        if (strcmp(lab.ruled.p, cases[i].found) != 0)
            fail_msg("%s\n%s\n%s", cases[i].rules, lab.ruled.p, cases[i].found);
        assert_int_equal(lab.verdict, cases[i].verdict);
        lab_free(&lab);
    }
}

/* A value on a second call is stale; on another message or hop of its own call it is not. */
static void test_unique(void **state)
{
    static const char rules[] = R("a") "message: [INVITE, INVITE 200]\n  header: X-Token\n"
                                       "  optional: true\n  unique: true\n";
    struct lab lab = {.rules = rules};
    struct path p = path_of(&lab);
    (void)state;
    path_call(&p, &in, INVITE);
    path_ask(&p, &in, (struct told){.method = "BYE", .cseq = 1, .up = true});
    lab_run(&lab);
    assert_string_equal(lab.ruled.p, "");
    assert_int_equal(lab.verdict, CHECK_PASS);
    lab.now_ms += 60000;
    path_call(&p, &next, INVITE);
    path_ask(&p, &next, (struct told){.method = "BYE", .cseq = 1, .up = true});
    lab_run(&lab);
    assert_string_equal(
        lab.ruled.p,
        "error rule-violated INVITE X-Token @: rule a (rules:1): X-Token of INVITE is \"t1\", "
        "which "
        "stood on call c1 already (five9, frame 1) at five9:out, kam1:in, kam1:out and "
        "livekit:in\n");
    assert_int_equal(lab.verdict, CHECK_FAIL);
    lab_free(&lab);
}

/* Beside a trunk: what it promises is judged as without rules. */
static void test_with_trunk(void **state)
{
    struct lab lab = {
        .trunks = "{\"sip_trunk_id\":\"ST_a\",\"numbers\":[\"+15105550100\"],"
                  "\"attributes_to_headers\":{\"queue\":\"X-Queue\",\"twin\":\"X-Twin\"}}",
        .rules = R("a") "message: BYE\n  header: X-Twin\n  absent: true\n  severity: note\n"
                        "  when: {trunk: ST_a}\n"};
    (void)state;
    call(&lab, (struct path_change){"kam1", "BYE", "X-Queue: Sales\r\n", ""});
    lab_run(&lab);
    assert_string_equal(lab.ruled.p,
                        "note rule-violated BYE X-Twin @: rule a (rules:1): X-Twin of BYE is there "
                        "at livekit:out, kam1:in, kam1:out and five9:in\n");
    assert_non_null(strstr(lab.report.p, "X-Queue stripped"));
    assert_non_null(strstr(lab.report.p, "X-Twin ok"));
    assert_int_equal(lab.verdict, CHECK_FAIL);
    lab_free(&lab);
}

/* Without a trunk: X- headers are judged only where that is asked for. */
static void test_follow(void **state)
{
    struct lab lab = {.rules = R("a") "message: BYE\n  header: X-Twin\n"};
    (void)state;
    call(&lab, (struct path_change){"kam1", "BYE", "X-Queue: Sales\r\n", ""});
    lab_run(&lab);
    assert_int_equal(lab.verdict, CHECK_PASS);
    assert_null(strstr(lab.report.p, "X-Queue"));
    lab.follow[0] = "X-Q*";
    lab_run(&lab);
    assert_int_equal(lab.verdict, CHECK_FAIL);
    assert_non_null(strstr(lab.report.p, "X-Queue stripped"));
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_strict),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_unique),
        cmocka_unit_test(test_with_trunk), cmocka_unit_test(test_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

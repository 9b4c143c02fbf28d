/* expect/match: numbers, addresses, specific before default, ambiguity; the outbound inference. */
#include "expect/expect.h"

#include "unit.h"

static void test_numbers(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"+15105550100", "+15105550100", true},
        {"15105550100", "+15105550100", true},
        {"+1 (510) 555-0100", "15105550100", true},
        {"(510) 555-0100", "+5105550100", true},
        {"+15105550100", "+15105550101", false},
        {"+15105550100", "+1510555010", false},
        {"0015105550100", "+15105550100", false},
        {"alice", "alice", true},
        {"alice", "Alice", false},
        {"+alice", "alice", false},
        {"1510.555.0100", "15105550100", false}, /* a dot is no filler */
        {"1510.555.0100", "1510.555.0100", true},
        {"++15", "+15", false},
        {"", "", true},
        {"", "+", false},
        {"+", "", false},
        {" ", "+", true}, /* what LiveKit makes of it */
        {"1+5", "15", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(expect_number_equal(slice_of(cases[i].a), slice_of(cases[i].b)),
                         cases[i].equal);
        assert_int_equal(expect_number_equal(slice_of(cases[i].b), slice_of(cases[i].a)),
                         cases[i].equal);
    }
}

struct match_case {
    const char *trunks;                         /* JSON */
    const char *from, *from_host, *to, *source; /* outbound: source is the URI's host */
    enum expect_match_result result;
    const char *id;     /* of the trunk */
    const char *reason; /* must occur in one */
};

static bool has_reason(const struct expect_match *m, const char *wanted)
{
    for (size_t i = 0; i < m->reason_count; i++)
        if (strstr(m->reasons[i].p, wanted))
            return true;
    return false;
}

static void check_match(const struct match_case *c, enum expect_direction direction)
{
    struct expect_trunks t = {0};
    struct arena a = {0};
    struct err err = {""};
    struct expect_invite invite = {.from_user = slice_of(c->from),
                                   .from_host = slice_of(c->from_host),
                                   .to_user = slice_of(c->to)};
    if (direction == EXPECT_OUTBOUND)
        invite.uri_host = slice_of(c->source);
    if (c->source)
        address_parse(slice_of(c->source),
                      direction == EXPECT_INBOUND ? &invite.source : &invite.destination);
    assert_true(expect_trunks_parse(&t, "t.json", slice_of(c->trunks), &err));
    struct expect_match m = expect_match_trunk(&a, &t, direction, &invite);
    assert_string_equal(expect_match_name(m.result), expect_match_name(c->result));
    assert_int_equal(m.trunk != NULL, c->result == EXPECT_MATCHED);
    if (m.trunk)
        assert_true(slice_is(m.trunk->id, c->id));
    if (c->reason && !has_reason(&m, c->reason))
        fail_msg("no reason has \"%s\", the first is \"%s\"", c->reason, m.reasons[0].p);
    arena_free(&a);
    expect_trunks_free(&t);
}

#define A_DEFAULT "{\"sip_trunk_id\":\"ST_d\"}"
#define B_DEFAULT "{\"sip_trunk_id\":\"ST_e\",\"name\":\"other\"}"
#define A_TO      "{\"sip_trunk_id\":\"ST_t\",\"numbers\":[\"+15105550100\"]}"
#define B_TO      "{\"sip_trunk_id\":\"ST_u\",\"numbers\":[\"+1\",\"1 510 555-0100\"]}"
#define A_TWICE   "{\"sip_trunk_id\":\"ST_w\",\"numbers\":[\"+15105550100\",\"15105550100\"]}"
#define A_FROM    "{\"sip_trunk_id\":\"ST_f\",\"allowed_numbers\":[\"+1415\"]}"
#define A_ADDR(x) "{\"sip_trunk_id\":\"ST_s\",\"allowed_addresses\":[" x "]}"

static const struct match_case inbound_cases[] = {
    {"[" A_DEFAULT "]", "+1415", "h", "+1510", "10.0.0.1", EXPECT_MATCHED, "ST_d",
     "matches as a default"},
    {"[" A_TO "]", "+1415", "h", "+15105550100", "10.0.0.1", EXPECT_MATCHED, "ST_t",
     "has the To user"},
    {"[" A_TO "]", "+1415", "h", "+15105550101", "10.0.0.1", EXPECT_NO_MATCH, NULL,
     "lacks the To user +15105550101"},
    {"[" A_TO "," A_DEFAULT "]", "", "", "15105550100", NULL, EXPECT_MATCHED, "ST_t",
     "source passes"},
    {"[" A_DEFAULT "," A_TO "]", "", "", "+1999", NULL, EXPECT_MATCHED, "ST_d", "does not match"},
    {"[" A_TO "," B_TO "]", "", "", "+15105550100", NULL, EXPECT_AMBIGUOUS, NULL, "ST_u matches"},
    {"[" A_TWICE "]", "", "", "+15105550100", NULL, EXPECT_AMBIGUOUS, NULL, "more than once"},
    {"[" A_DEFAULT "," B_DEFAULT "]", "", "", "+1", NULL, EXPECT_AMBIGUOUS, NULL,
     "ST_e \"other\" matches"},
    {"[" A_DEFAULT "," B_DEFAULT "," A_TO "]", "", "", "+15105550100", NULL, EXPECT_MATCHED, "ST_t",
     NULL},
    {"[" A_TO "]", "", "", "", NULL, EXPECT_MATCHED, "ST_t", "the To user is not known"},
    {"[" A_FROM "]", "1415", "h", "+1", "10.0.0.1", EXPECT_MATCHED, "ST_f",
     "has the From user 1415"},
    {"[" A_FROM "]", "+1416", "h", "+1", "10.0.0.1", EXPECT_NO_MATCH, NULL,
     "lacks the From user +1416"},
    {"[" A_FROM "]", "", "h", "+1", "10.0.0.1", EXPECT_MATCHED, "ST_f",
     "the From user is not known"},
    {"[" A_ADDR("\"10.0.0.1\"") "]", "", "h", "", "10.0.0.1", EXPECT_MATCHED, "ST_s",
     "has 10.0.0.1"},
    {"[" A_ADDR("\"10.0.0.1\"") "]", "", "h", "", "10.0.0.2", EXPECT_NO_MATCH, NULL,
     "source 10.0.0.2"},
    {"[" A_ADDR("\"10.0.0.0/8\"") "]", "", "h", "", "10.9.9.9", EXPECT_MATCHED, "ST_s",
     "has 10.0.0.0/8"},
    {"[" A_ADDR("\"fd00::/8\"") "]", "", "h", "", "fd00::1", EXPECT_MATCHED, "ST_s", NULL},
    {"[" A_ADDR("\"[fd00::1]\"") "]", "", "h", "", "fd00::1", EXPECT_NO_MATCH, NULL, NULL},
    {"[" A_ADDR("\"carrier.example\"") "]", "", "carrier.example", "", "10.0.0.1", EXPECT_MATCHED,
     "ST_s", NULL},
    {"[" A_ADDR("\"carrier.example\"") "]", "", "Carrier.example", "", "10.0.0.1", EXPECT_NO_MATCH,
     NULL, NULL},
    {"[" A_ADDR("\"sip://x\",\"*.example\",\"10.0.0.1, 10.0.0.2\"") "]", "", "h", "", "10.0.0.9",
     EXPECT_MATCHED, "ST_s", "drops every entry"},
    {"[" A_ADDR("\"*\",\"10.0.0.1\"") "]", "", "h", "", "10.0.0.9", EXPECT_NO_MATCH, NULL, NULL},
    {"[" A_ADDR("\"10.0.0.1\"") "]", "", "h", "", NULL, EXPECT_MATCHED, "ST_s",
     "the source address is not known"},
    {"[{\"address\":\"x\"}]", "", "", "", NULL, EXPECT_NO_TRUNKS, NULL, NULL},
};

static void test_inbound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(inbound_cases); i++)
        check_match(&inbound_cases[i], EXPECT_INBOUND);
}

#define OUT(id, address, numbers)                                                                  \
    "{\"sip_trunk_id\":\"" id "\",\"address\":\"" address "\",\"numbers\":[" numbers "]}"

static const struct match_case outbound_cases[] = {
    {"[" OUT("ST_1", "sip.a.example", "\"+1\"") "]", "+1", "", "", "sip.a.example", EXPECT_MATCHED,
     "ST_1", "fits"},
    {"[" OUT("ST_1", "sip.a.example:5080", "") "]", "+1", "", "", "SIP.A.example", EXPECT_MATCHED,
     "ST_1", NULL},
    {"[" OUT("ST_1", "[fd00::1]:5060", "") "]", "+1", "", "", "fd00::1", EXPECT_MATCHED, "ST_1",
     NULL},
    {"[" OUT("ST_1", "10.0.0.1", "\"+1\"") "]", "+2", "", "", "10.0.0.2", EXPECT_NO_MATCH, NULL,
     "is not where"},
    {"[" OUT("ST_1", "10.0.0.1", "\"+1\"") "]", "+2", "", "", "10.0.0.1", EXPECT_MATCHED, "ST_1",
     "is possible"},
    {"[" OUT("ST_1", "10.0.0.1", "\"+1\"") "]", "", "", "", "", EXPECT_MATCHED, "ST_1",
     "was not compared"},
    {"[" OUT("ST_1", "a.example", "\"+1\"") "," OUT("ST_2", "b.example", "\"+1\"") "]", "+1", "",
     "", "b.example", EXPECT_MATCHED, "ST_2", "is where the call goes"},
    {"[" OUT("ST_1", "a.example", "\"+1\"") "," OUT("ST_2", "a.example", "\"+2\"") "]", "+2", "",
     "", "a.example", EXPECT_MATCHED, "ST_2", NULL},
    {"[" OUT("ST_1", "a.example", "\"+1\"") "," OUT("ST_2", "a.example", "\"+1\"") "]", "+1", "",
     "", "a.example", EXPECT_AMBIGUOUS, NULL, NULL},
    {"[" A_DEFAULT "]", "+1", "", "", "a.example", EXPECT_NO_TRUNKS, NULL, NULL},
};

static void test_outbound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(outbound_cases); i++)
        check_match(&outbound_cases[i], EXPECT_OUTBOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_inbound),
        cmocka_unit_test(test_outbound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

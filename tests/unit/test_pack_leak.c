/* Unit tests of the pack `leak`: kam1 has a public and a private address, the carrier a public one
 * and no capture, so that it is outside without being named. */
#include "packs.h"

#define VIA_BYE                                                                                    \
    "warning leak-via BYE Via @kam1: Via of BYE tells 203.0.113.20 of private 10.0.1.10\n"
#define TO " @: "

/* LiveKit's BYE goes out over kam1; what it has is seen first as it leaves kam1. */
static const struct pack_case cases[] = {
    {.name = "nothing but the Via", .found = VIA_BYE},
    {.name = "products and internals on the BYE",
     .bye = "User-Agent: LiveKit\r\nOrganization: Example\r\nX-Internal-Id: 7\r\n"
            "x-private-note: b\r\nX-Internals: 1\r\nX-Queue: sales\r\n",
     .found = VIA_BYE
     "warning leak-product BYE User-Agent @kam1: User-Agent of BYE tells the product to "
     "203.0.113.20: \"LiveKit\"\n"
     "warning leak-organization BYE Organization @kam1: Organization of BYE goes to 203.0.113.20: "
     "\"Example\"\n"
     "error leak-internal BYE X-Internal-Id @kam1: X-Internal-Id of BYE goes to 203.0.113.20: "
     "\"7\"\n"
     "error leak-internal BYE x-private-note @kam1: x-private-note of BYE goes to 203.0.113.20: "
     "\"b\"\n"},
    {.name = "the carrier's own on the INVITE",
     .invite = "User-Agent: Carrier\r\nX-Internal-Id: 7\r\nOrganization: Carrier\r\n"
               "Contact: <sip:10.9.9.9>\r\nP-Asserted-Identity: <tel:+14155550100>\r\n"
               "Privacy: id\r\n",
     .found = VIA_BYE},
    {.name = "private addresses on the BYE",
     .bye =
         "Contact: <sip:a@10.0.1.10:5060>\r\nRecord-Route: <sip:[fd00::1];lr>,<sip:203.0.113.1>\r\n"
         "X-Node: pod at 100.64.3.4, 192.168.0.7.\r\nX-Loop: 127.0.0.1\r\n",
     .found = VIA_BYE
     "warning leak-contact BYE Contact @kam1: Contact of BYE tells 203.0.113.20 of private "
     "10.0.1.10\n"
     "warning leak-via BYE Record-Route @kam1: Record-Route of BYE tells 203.0.113.20 of private "
     "fd00::1\n"
     "warning leak-value BYE X-Node @kam1: X-Node of BYE tells 203.0.113.20 of private "
     "100.64.3.4, 192.168.0.7\n"
     "warning leak-value BYE X-Loop @kam1: X-Loop of BYE tells 203.0.113.20 of private "
     "127.0.0.1\n"},
    {.name = "no private addresses",
     .bye = "Contact: <sip:a@203.0.113.1>\r\nX-A: v1.10.0.0.1\r\nX-B: 10.0.0.1.example.com\r\n"
            "X-C: 172.32.0.1 100.128.0.1 11.0.0.1\r\nX-D: 10.0.0\r\nX-E: 0.0.0.0\r\n"
            "X-F: 12:30:45\r\nRoute: <sip:10.0.0.9>\r\n",
     .found = VIA_BYE},
    {.name = "an address that the carrier named first",
     .invite = "Contact: <sip:a@10.9.9.9>\r\n",
     .bye = "X-Peer: 10.9.9.9\r\nX-Other: 10.9.9.8\r\n",
     .found = VIA_BYE "warning leak-value BYE X-Other @kam1: X-Other of BYE tells 203.0.113.20 of "
                      "private 10.9.9.8\n"},
    {.name = "an identity that was to be hidden",
     .bye = "P-Asserted-Identity: <tel:+14155550100>\r\nPrivacy: header;id\r\n",
     .found = VIA_BYE
     "error leak-identity BYE P-Asserted-Identity @kam1: P-Asserted-Identity of BYE goes, although "
     "Privacy has id, to 203.0.113.20: \"<tel:+14155550100>\"\n"},
    {.name = "an identity that need not be",
     .bye = "P-Asserted-Identity: <tel:+14155550100>\r\nPrivacy: header\r\n"
            "Remote-Party-ID: <sip:1@a>;privacy=off\r\n",
     .found = VIA_BYE},
    {.name = "a hidden party",
     .bye = "Remote-Party-ID: <sip:1@a>;privacy=full\r\n",
     .found = VIA_BYE
     "error leak-identity BYE Remote-Party-ID @kam1: Remote-Party-ID of BYE goes, although its "
     "privacy is not off, to 203.0.113.20: \"<sip:1@a>;privacy=full\"\n"},
    {.name = "secrets on any link",
     .bye = "X-API-Key: s3cr3t\r\nX-Use: Bearer abc\r\nAuthorization: Basic Zm9v\r\n",
     .change = {"kam1", "BYE", "X-API-Key: s3cr3t\r\n", ""},
     .found = "error leak-secret BYE X-API-Key @livekit: X-API-Key of BYE goes from 10.0.1.10 to "
              "10.0.1.1 over udp: anybody on the way can read the secret\n"
              "error leak-secret BYE X-Use @livekit: X-Use of BYE goes from 10.0.1.10 to 10.0.1.1 "
              "over udp: anybody on the way can read the secret\n"
              "error leak-secret BYE Authorization @livekit: Authorization of BYE goes from "
              "10.0.1.10 to 10.0.1.1 over udp: anybody on the way can read the secret\n" VIA_BYE},
    {.name = "no secrets",
     .bye = "Authorization: Digest username=\"a\", response=\"00\"\r\nX-API-Key:\r\n"
            "X-Keyboard: a\r\nX-A: bearers\r\n",
     .found = VIA_BYE},
};

static void test_leaks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.packs = {"leak"}};
        packs_judge(&lab, &cases[i]);
        lab_free(&lab);
    }
}

/* What --outside names is outside, and nothing else. */
static void test_outside(void **state)
{
    (void)state;
    static const struct {
        const char *outside;
        bool found;
    } sides[] = {{"203.0.113.0/24", true}, {"203.0.113.20", true}, {"203.0.113.21", false},
                 {"peer", true},           {"nobody", false},      {"198.51.100.0/24", false}};
    for (size_t i = 0; i < COUNT(sides); i++) {
        struct lab lab = {
            .packs = {"leak"}, .outside = {sides[i].outside}, .nodes = {"peer=203.0.113.20"}};
        struct path p = packs_path(&lab);
        path_call(&p, &packs_dialog, NULL);
        path_ask(&p, &packs_dialog, (struct told){.method = "BYE", .cseq = 1, .up = true});
        lab_run(&lab);
        assert_int_equal(strstr(lab.ruled.p, "leak-via") != NULL, sides[i].found);
        assert_int_equal(strstr(lab.ruled.p, "warning leak-unseen : no message went to a node "
                                             "outside (") == NULL,
                         sides[i].found);
        lab_free(&lab);
    }
}

static void test_sdp(void **state)
{
    (void)state;
    static const struct {
        const char *body, *found;
    } bodies[] = {
        {"o=- 1 1 IN IP4 10.0.1.10\r\nc=IN IP4 10.0.1.11\r\na=candidate:1 1 UDP 1 fd00::5 9 typ "
         "host\r\n",
         "warning leak-sdp INVITE 200  @kam1: SDP of 200 to INVITE tells 203.0.113.20 of private "
         "10.0.1.10, 10.0.1.11, fd00::5\n"},
        {"o=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 203.0.113.1\r\ns=10.0.1.1\r\n", ""},
        {"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 0.0.0.0\r\n", ""},
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct lab lab = {.packs = {"leak"}};
        struct path p = packs_path(&lab);
        struct text to = {0};
        text_printf(&to, "Content-Length: %zu\r\n\r\n%s", strlen(bodies[i].body), bodies[i].body);
        p.changes[0] =
            (struct path_change){"kam1", "INVITE 200", "Content-Length: 0\r\n\r\n", to.p};
        path_call(&p, &packs_dialog, NULL);
        lab_run(&lab);
        assert_string_equal(lab.ruled.p, bodies[i].found);
        text_free(&to);
        lab_free(&lab);
    }
}

/* Two trunks, each with its tenant; the call is for the first. */
#define TRUNKS                                                                                     \
    "[{\"sip_trunk_id\":\"ST_one\",\"name\":\"One\",\"numbers\":[\"+15105550100\"],"               \
    "\"headers\":{\"X-Tenant\":\"acme\"}},"                                                        \
    "{\"sip_trunk_id\":\"ST_two\",\"name\":\"Two\",\"numbers\":[\"+15105550177\",\"+"              \
    "14155550100\"],"                                                                              \
    "\"headers\":{\"X-Tenant\":\"bravo\",\"X-Site\":\"west\"}}]"
#define OTHER(header, what, value)                                                                 \
    "error leak-tenant BYE " header " @livekit: " header " of BYE has " what                       \
    " of trunk Two, and the call came over trunk One: \"" value "\"\n"

static const struct pack_case tenants[] = {
    {.name = "its own",
     .bye = "X-Tenant: acme\r\nX-Site: west\r\nX-To: +15105550100\r\n",
     .found = VIA_BYE},
    {.name = "another's",
     .bye = "X-Tenant: bravo\r\nX-Trunk: ST_two\r\nX-To: 15105550177\r\nX-From: +14155550100\r\n",
     .found = OTHER("X-Tenant", "the fixed value", "bravo") OTHER("X-Trunk", "the id", "ST_two")
         OTHER("X-To", "a number", "15105550177") VIA_BYE},
};

static void test_tenants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tenants); i++) {
        struct lab lab = {.packs = {"leak"}, .trunks = TRUNKS};
        packs_judge(&lab, &tenants[i]);
        lab_free(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_leaks), cmocka_unit_test(test_outside),
                                       cmocka_unit_test(test_sdp), cmocka_unit_test(test_tenants)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

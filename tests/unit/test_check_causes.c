/* Unit tests of the causes: each kind by its picture on the wire, seen at all points and at each
 * choice of them.  A certain cause that is not the right one is the worst that can happen:
 * `certain` names all that may be said so of a scene, wherever it was captured. */
#include "path.h"

static const struct dialog in = {"c1", "far", "SCL_aaaaaaaaaaaa", "+14155550100", "+15105550100"};
static const struct dialog out = {"c2", "SCL_bbbbbbbbbbbb", "far", "+15105550100", "+14155550100"};

#define STORED "{\"sip_trunk_id\":\"ST_a\",\"numbers\":[\"+15105550100\"],"
#define WANTED "{\"numbers\":[\"+15105550100\"],"
#define CALLING                                                                                    \
    "{\"sip_trunk_id\":\"ST_o\",\"address\":\"example.com\",\"numbers\":[\"+15105550100\"],"
#define MAP "\"attributes_to_headers\":{\"queue\":\"X-Five9-Queue\",\"lang\":\"X-Lang\"}}"
#define CANARY                                                                                     \
    "\"attributes_to_headers\":{\"sip.callID\":\"X-Call\",\"queue\":\"X-Five9-Queue\",\"lang\":"   \
    "\"X-Lang\"}}"
#define FIXED "\"headers\":{\"X-Tenant\":\"acme\"},"
#define READ  "\"headers_to_attributes\":{\"X-Five9-Queue\":\"queue\"}"

#define ALL      "X-Call: SCL_aaaaaaaaaaaa\r\nX-Five9-Queue: Q1\r\nX-Lang: en\r\n"
#define BOTH     "X-Five9-Queue: Q1\r\nX-Lang: en\r\n"
#define TENANT   "X-Tenant: acme\r\n"
#define ROUTES   "Record-Route: <sip:10.0.1.1;lr>\r\nRecord-Route: <sip:10.0.2.1;lr>\r\n"
#define CONTACT  "Contact: <sip:someone@10.0.3.10>\r\n"
#define KAMAILIO "User-Agent: kamailio (5.6.3)\r\n"

static const char *const names[] = {"five9", "kam2", "kam1", "livekit"};

/* carrier - kam2 - kam1 - LiveKit */
static struct path inbound(struct lab *lab)
{
    return (struct path){.lab = lab,
                         .n = 4,
                         .nodes = {{.name = "five9", .left = "10.0.3.10"},
                                   {.name = "kam2", .left = "10.0.3.1", .right = "10.0.2.2"},
                                   {.name = "kam1", .left = "10.0.2.1", .right = "10.0.1.1"},
                                   {.name = "livekit", .left = "10.0.1.10"}}};
}

static struct path outbound(struct lab *lab)
{
    return (struct path){.lab = lab,
                         .n = 4,
                         .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                                   {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                                   {.name = "kam2", .left = "10.0.2.2", .right = "10.0.3.1"},
                                   {.name = "five9", .left = "10.0.3.10"}}};
}

/* ---- the parts of a call --------------------------------------------------------------------- */

enum mark { UNSEEN, UNTAGGED, TAGGED };

static void answered(const struct path *p, const struct dialog *d, enum mark mark, const char *ok)
{
    struct told m = {.method = "INVITE", .cseq = 1, .headers = CONTACT};
    path_send(p, d, m);
    struct told trying = {.method = "INVITE",
                          .cseq = 1,
                          .status = 100,
                          .reason = "Processing",
                          .tagged = mark == TAGGED};
    if (mark != UNSEEN)
        path_wire(p, d, &trying, p->n - 2);
    m.headers = NULL;
    m.status = 180;
    path_send(p, d, m);
    m.status = 200;
    m.headers = ok;
    path_send(p, d, m);
    path_send(p, d, (struct told){.method = "ACK", .cseq = 1, .again = "ack"});
}

static struct told bye_of(const char *headers)
{
    return (struct told){.method = "BYE", .cseq = 1, .up = true, .headers = headers};
}

static void ends(const struct path *p, enum mark mark, const char *ok, const char *headers)
{
    answered(p, &in, mark, ok);
    path_ask(p, &in, bye_of(headers));
}

static const struct told far_bye = {.method = "BYE", .cseq = 2};

static void refused(const struct path *p, struct told m)
{
    path_send(p, &in, m);
    m.status = 481;
    m.headers = NULL;
    path_send(p, &in, m);
}

/* ---- LiveKit did not send it ----------------------------------------------------------------- */

static void old_release(struct path *p)
{
    ends(p, UNTAGGED, ALL, NULL);
}

static void room_deleted(struct path *p)
{
    ends(p, TAGGED, ALL, NULL);
}

static void release_or_room(struct path *p)
{
    ends(p, UNSEEN, ALL, NULL);
}

static void old_release_by_ack(struct path *p)
{
    ends(p, UNSEEN, ALL, NULL);
    path_send(p, &in, (struct told){.method = "ACK", .cseq = 1, .up = true, .again = "bye"});
}

static void of_another_trunk(struct path *p)
{
    ends(p, TAGGED, NULL, "X-Acme: 1\r\n");
}

static void with_a_stranger(struct path *p)
{
    ends(p, TAGGED, NULL,
         "X-Call: SCL_aaaaaaaaaaaa\r\nX-Five9-Queue: Q1\r\nNote: call me\r\nX-Lang: en\r\n");
}

static void nothing_set(struct path *p)
{
    ends(p, TAGGED, NULL, NULL);
}

static void nothing_set_untagged(struct path *p)
{
    ends(p, UNTAGGED, NULL, NULL);
}

static void fixed_only(struct path *p)
{
    ends(p, TAGGED, TENANT, NULL);
}

static void all_and_fixed(struct path *p)
{
    ends(p, TAGGED, TENANT, ALL);
}

static void by_refer(struct path *p)
{
    answered(p, &in, UNSEEN, NULL);
    path_ask(p, &in, (struct told){.method = "REFER", .cseq = 1, .up = true, .headers = ALL});
    struct told m = bye_of(NULL);
    m.cseq = 2;
    path_ask(p, &in, m);
}

static void unset(struct path *p)
{
    ends(p, TAGGED, NULL, "X-Call: SCL_aaaaaaaaaaaa\r\nX-Lang: en\r\n");
}

static void unset_again(struct path *p)
{
    ends(p, TAGGED, ALL, "X-Call: SCL_aaaaaaaaaaaa\r\nX-Lang: en\r\n");
}

static void misspelt(struct path *p)
{
    ends(p, TAGGED, NULL, "X-Call: SCL_aaaaaaaaaaaa\r\nX_Five9-Queue: Q1\r\nX-LANG: en\r\n");
}

static void other_case(struct path *p)
{
    ends(p, TAGGED, NULL, "x-call: SCL_aaaaaaaaaaaa\r\nX-FIVE9-QUEUE: Q1\r\nx-lang: en\r\n");
}

static void line_end(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told m = bye_of("X-Call: SCL_aaaaaaaaaaaa\r\nX-Five9-Queue: Q1\r\nand more\r\n"
                           "X-Lang: en\r\n");
    m.first = 2;
    path_send(p, &in, m);
}

static void line_end_by_values(struct path *p)
{
    ends(p, TAGGED, NULL,
         "X-Call: SCL_aaaaaaaaaaaa\r\nX-Five9-Queue: Q1\r\nX-More: yes\r\nX-Lang: en\r\n");
}

static void other_value(struct path *p)
{
    ends(p, TAGGED, NULL, "X-Call: SCL_aaaaaaaaaaaa\r\nX-Five9-Queue: Q7\r\nX-Lang: en\r\n");
}

/* ---- on the way ------------------------------------------------------------------------------ */

static void proxy_strips(struct path *p)
{
    p->changes[0] = (struct path_change){"kam1", "BYE", "X-Five9-Queue: Q1\r\n", ""};
    ends(p, TAGGED, NULL, ALL);
}

static void proxy_strips_all(struct path *p)
{
    p->changes[0] = (struct path_change){"kam2", "BYE", ALL, ""};
    ends(p, TAGGED, NULL, ALL);
}

static void proxy_renames(struct path *p)
{
    p->changes[0] = (struct path_change){"kam1", "BYE", "X-Five9-Queue:", "X-Five9_Queue:"};
    ends(p, TAGGED, NULL, ALL);
}

static void proxy_alters(struct path *p)
{
    p->changes[0] = (struct path_change){"kam1", "BYE", "X-Five9-Queue: Q1", "X-Five9-Queue: Q9"};
    ends(p, TAGGED, NULL, ALL);
}

static void proxy_doubles(struct path *p)
{
    p->changes[0] = (struct path_change){"kam1", "BYE", "Call-ID: c1\r\n",
                                         "Call-ID: c1\r\nCall-ID: c1\r\n" ALL};
    ends(p, TAGGED, NULL, ALL);
}

static void proxy_drops(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told m = bye_of(ALL);
    m.first = 2;
    path_send(p, &in, m);
}

static void all_arrive(struct path *p)
{
    ends(p, TAGGED, NULL, ALL);
}

/* The link's two ends differ: what kam2 sends on is what kam1 sent, but for one header. */
static void link_strips(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told m = bye_of(ALL);
    struct path near = *p, far = *p, further = *p;
    near.nodes[1].name = "nobody";
    far.nodes[2].name = "nobody";
    far.changes[0] = (struct path_change){"nobody", "BYE", "X-Lang: en\r\n", ""};
    further.changes[0] = (struct path_change){"kam2", "BYE", "X-Lang: en\r\n", ""};
    path_wire(p, &in, &m, 0);
    path_wire(&near, &in, &m, 1);
    path_wire(&far, &in, &m, 1);
    path_wire(&further, &in, &m, 2);
    m.status = 200;
    m.headers = NULL;
    path_send(p, &in, m);
}

/* kam1 takes the INVITE and no later request: kam2 and LiveKit speak to each other. */
static void round_kam1(struct path *p)
{
    struct path direct = *p;
    answered(p, &in, TAGGED, NULL);
    direct.n = 3;
    direct.nodes[2] = p->nodes[3];
    path_ask(&direct, &in, bye_of(ALL));
}

static void round_kam1_recorded(struct path *p)
{
    p->changes[0] = (struct path_change){"kam1", "INVITE", CONTACT, ROUTES CONTACT};
    round_kam1(p);
}

/* kam1 is LiveKit's only neighbour; its BYE goes to a Contact that was never seen. */
static void to_the_contact(struct path *p)
{
    struct path direct = *p;
    answered(p, &in, TAGGED, NULL);
    direct.n = 2;
    direct.nodes[0] = (struct path_node){.name = "agent", .left = "10.0.9.9"};
    direct.nodes[1] = p->nodes[3];
    path_ask(&direct, &in, bye_of(ALL));
}

/* ---- who ended it ---------------------------------------------------------------------------- */

static void far_end(struct path *p)
{
    answered(p, &in, TAGGED, ALL);
    path_ask(p, &in, far_bye);
}

static void far_end_behind_topos(struct path *p)
{
    p->nodes[1].vias = PATH_HIDES;
    far_end(p);
}

static void transferred(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told refer = {.method = "REFER", .cseq = 1, .up = true, .headers = ALL};
    path_send(p, &in, refer);
    refer.status = 202;
    refer.headers = NULL;
    path_send(p, &in, refer);
    path_ask(p, &in, far_bye);
}

static void proxy_ends(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told up = bye_of(KAMAILIO), down = {.method = "BYE", .cseq = 2, .headers = KAMAILIO};
    up.past = 3; /* from kam1 to the carrier */
    down.first = 2;
    path_ask(p, &in, up);
    path_ask(p, &in, down);
}

static void refused_and_late(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    refused(p, far_bye);
    p->lab->now_ms += 15000;
    refused(p, bye_of(ALL));
}

static void refused_and_soon(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    refused(p, far_bye);
    refused(p, bye_of(ALL));
}

static void timed_out_by_proxy(struct path *p)
{
    struct told m = far_bye;
    answered(p, &in, TAGGED, NULL);
    path_send(p, &in, m);
    m.status = 408;
    m.past = 3;
    path_send(p, &in, m);
}

static void crossing(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    struct told bye = bye_of(ALL);
    path_send(p, &in, bye);
    refused(p, far_bye);
    bye.status = 200;
    bye.headers = NULL;
    path_send(p, &in, bye);
}

static void at_another(struct path *p)
{
    struct path other = *p;
    answered(p, &in, TAGGED, NULL);
    other.nodes[3] = (struct path_node){.name = "pod", .left = "10.0.1.77"};
    refused(&other, far_bye);
}

/* A Service in front: the INVITE goes to it, the answer comes from it, the BYE of LiveKit not. */
static void behind_a_service(struct path *p)
{
    struct path pod = *p;
    answered(p, &in, TAGGED, NULL);
    refused(p, far_bye);
    pod.nodes[3].left = "10.0.1.77";
    refused(&pod, bye_of(ALL));
}

static void no_bye(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
}

static void no_bye_and_forgotten(struct path *p)
{
    answered(p, &in, TAGGED, NULL);
    refused(p, far_bye);
}

/* ---- which trunk ----------------------------------------------------------------------------- */

static void refused_by_livekit(struct path *p, unsigned status, const char *reason)
{
    struct told m = {.method = "INVITE", .cseq = 1};
    path_send(p, &in, m);
    m.status = status;
    m.reason = reason;
    path_send(p, &in, m);
}

static void says_no_trunk(struct path *p)
{
    refused_by_livekit(p, 404, "No trunk found");
}

static void says_later(struct path *p)
{
    refused_by_livekit(p, 503, "Try again later");
}

/* ---- outbound -------------------------------------------------------------------------------- */

static void calls_out(struct path *p)
{
    *p = outbound(p->lab);
    struct told m = {.method = "INVITE", .cseq = 1, .headers = TENANT};
    path_ask(p, &out, m);
    path_send(p, &out, (struct told){.method = "ACK", .cseq = 1, .again = "ack"});
    path_ask(p, &out, (struct told){.method = "BYE", .cseq = 2});
}

static void calls_out_bare(struct path *p)
{
    *p = outbound(p->lab);
    path_ask(p, &out, (struct told){.method = "INVITE", .cseq = 1});
    path_send(p, &out, (struct told){.method = "ACK", .cseq = 1, .again = "ack"});
    path_ask(p, &out, (struct told){.method = "BYE", .cseq = 2, .headers = ALL});
}

/* ---- the table ------------------------------------------------------------------------------- */

#define LONG_50  "12345678901234567890123456789012345678901234567890"
#define LONG_250 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50
#define LONG     "{\"queue\":\"" LONG_250 LONG_250 LONG_250 LONG_250 LONG_250 "\",\"lang\":\"en\"}"
#define SHORT    "{\"queue\":\"Q1\",\"lang\":\"en\"}"

static const struct scene {
    const char *name;
    void (*play)(struct path *p);
    const char *trunk, *values, *trunk_id;
    const char *causes;  /* captured at all points: "confidence id\n", the likeliest first */
    const char *certain; /* what may be certain with any choice of points */
} scenes[] = {
    {"old release", old_release, STORED CANARY, NULL, NULL,
     "likely livekit-before-v1.3.0\npossible room-deleted\n", ""},
    {"room deleted", room_deleted, STORED CANARY, NULL, NULL, "likely room-deleted\n", ""},
    {"release or room", release_or_room, STORED CANARY, NULL, NULL,
     "possible room-deleted\npossible livekit-before-v1.3.0\n", ""},
    {"old release by its ACK", old_release_by_ack, STORED CANARY, NULL, NULL,
     "possible livekit-before-v1.3.0\npossible room-deleted\n", ""},
    {"a REFER had them", by_refer, STORED CANARY, NULL, NULL,
     "possible room-deleted\npossible livekit-before-v1.3.0\n", ""},
    {"headers of another trunk", of_another_trunk,
     "[" STORED CANARY ",{\"sip_trunk_id\":\"ST_d\",\"numbers\":[\"+1999\"],"
     "\"attributes_to_headers\":{\"ticket\":\"X-Acme\"}}]",
     NULL, NULL, "likely wrong-trunk\n", ""},
    {"a header that no map has", with_a_stranger, STORED CANARY, NULL, NULL,
     "possible newline-in-value\n", ""},
    {"canary silent", nothing_set, STORED CANARY, NULL, NULL,
     "likely pin-rule\npossible wrong-trunk\npossible map-wiped\npossible room-deleted\n", ""},
    {"canary silent, trunk as wanted", nothing_set, WANTED CANARY, NULL, NULL,
     "likely map-wiped\npossible wrong-trunk\npossible pin-rule\npossible room-deleted\n", ""},
    {"canary silent, fixed headers there", fixed_only, STORED FIXED CANARY, NULL, NULL,
     "likely map-wiped\npossible room-deleted\n", ""},
    {"no canary", nothing_set, STORED MAP, NULL, NULL,
     "possible room-deleted\npossible attribute-unset\npossible pin-rule\npossible wrong-trunk\n"
     "possible map-wiped\n",
     ""},
    {"no canary, untagged", nothing_set_untagged, STORED MAP, NULL, NULL,
     "likely livekit-before-v1.3.0\npossible room-deleted\npossible attribute-unset\n"
     "possible pin-rule\npossible wrong-trunk\npossible map-wiped\n",
     ""},
    {"attribute unset", unset, STORED CANARY, NULL, NULL, "likely attribute-unset\n", ""},
    {"attribute unset again", unset_again, STORED CANARY, NULL, NULL, "certain attribute-unset\n",
     "attribute-unset"},
    {"misspelt", misspelt, STORED CANARY, NULL, NULL, "likely near-miss-name\n", ""},
    {"in another case", other_case, STORED CANARY, NULL, NULL, "", ""},
    {"line end in a value", line_end, STORED CANARY, NULL, NULL,
     "certain newline-in-value\npossible proxy-drops-message\n", "newline-in-value"},
    {"line end by values", line_end_by_values, STORED CANARY,
     "{\"queue\":\"Q1\\r\\nX-More: yes\",\"lang\":\"en\"}", NULL, "certain newline-in-value\n",
     "newline-in-value"},
    {"another value", other_value, STORED CANARY, SHORT, NULL, "likely attribute-differs\n", ""},
    {"proxy strips one", proxy_strips, STORED CANARY, NULL, NULL, "certain proxy-strips-header\n",
     "proxy-strips-header"},
    {"proxy strips all", proxy_strips_all, STORED CANARY, NULL, NULL,
     "certain proxy-strips-header\n", "proxy-strips-header"},
    {"proxy strips, no trunk", proxy_strips, NULL, NULL, NULL, "certain proxy-strips-header\n",
     "proxy-strips-header"},
    {"proxy renames", proxy_renames, STORED CANARY, NULL, NULL, "certain near-miss-name\n",
     "near-miss-name"},
    {"proxy alters", proxy_alters, STORED CANARY, NULL, NULL, "certain proxy-alters-value\n",
     "proxy-alters-value"},
    {"proxy doubles", proxy_doubles, STORED CANARY, NULL, NULL, "certain headers-doubled\n",
     "headers-doubled"},
    {"proxy drops", proxy_drops, STORED CANARY, NULL, NULL, "likely proxy-drops-message\n", ""},
    {"link strips", link_strips, STORED CANARY, NULL, NULL, "certain link-strips-header\n",
     "link-strips-header"},
    {"all arrive", all_arrive, STORED CANARY, NULL, NULL, "", ""},
    {"round kam1", round_kam1, STORED CANARY, NULL, NULL, "certain bye-bypassed-proxy\n",
     "bye-bypassed-proxy"},
    {"round kam1, which recorded itself", round_kam1_recorded, STORED CANARY, NULL, NULL, "", ""},
    {"to the Contact", to_the_contact, STORED CANARY, NULL, NULL,
     "certain bye-bypassed-proxy\npossible carrier-strips-header\n", "bye-bypassed-proxy"},
    {"far end", far_end, STORED CANARY, SHORT, NULL, "certain far-end-hung-up\n",
     "far-end-hung-up"},
    {"far end, values that do not fit", far_end, STORED CANARY, LONG, NULL,
     "likely far-end-hung-up\npossible bye-too-large\n", "far-end-hung-up"},
    {"far end behind topos", far_end_behind_topos, STORED CANARY, NULL, NULL,
     "certain far-end-hung-up\n", "far-end-hung-up"},
    {"transferred", transferred, STORED CANARY, NULL, NULL,
     "likely call-transferred\npossible far-end-hung-up\n", ""},
    {"proxy ends", proxy_ends, STORED CANARY, NULL, NULL, "certain proxy-made-bye\n",
     "proxy-made-bye"},
    {"refused, and late", refused_and_late, STORED CANARY, NULL, NULL, "likely wrong-instance\n",
     ""},
    {"refused, and soon", refused_and_soon, STORED CANARY, NULL, NULL, "likely wrong-instance\n",
     ""},
    {"timed out", timed_out_by_proxy, STORED CANARY, SHORT, NULL,
     "possible wrong-instance\npossible far-end-hung-up\n", ""},
    {"crossing", crossing, STORED CANARY, NULL, NULL, "possible wrong-instance\n", ""},
    {"at another", at_another, STORED CANARY, NULL, NULL,
     "certain wrong-instance\npossible bye-too-large\npossible far-end-hung-up\n",
     "wrong-instance"},
    {"behind a Service", behind_a_service, STORED CANARY, NULL, NULL, "likely wrong-instance\n",
     ""},
    {"no BYE, values that do not fit", no_bye, STORED CANARY, LONG, NULL, "likely bye-too-large\n",
     ""},
    {"no BYE, values that fit", no_bye, STORED CANARY, SHORT, NULL, "", ""},
    {"no BYE, values unknown", no_bye, STORED CANARY, NULL, NULL, "possible bye-too-large\n", ""},
    {"no BYE, and forgotten", no_bye_and_forgotten, STORED CANARY, LONG, NULL,
     "likely bye-too-large\npossible wrong-instance\npossible far-end-hung-up\n", ""},
    {"says that there is no trunk", says_no_trunk,
     "{\"sip_trunk_id\":\"ST_b\",\"numbers\":[\"+1999\"]," CANARY, NULL, NULL,
     "certain no-matching-trunk\n", "no-matching-trunk"},
    {"503 without a trunk", says_later,
     "{\"sip_trunk_id\":\"ST_b\",\"numbers\":[\"+1999\"]," CANARY, NULL, NULL,
     "likely no-matching-trunk\n", ""},
    {"503 with a trunk", says_later, STORED CANARY, NULL, NULL, "possible no-matching-trunk\n", ""},
    {"taken by a trunk that was not given", all_arrive,
     "{\"sip_trunk_id\":\"ST_b\",\"numbers\":[\"+1999\"]," CANARY, NULL, NULL,
     "likely wrong-trunk\n", ""},
    {"not the trunk that was named", nothing_set,
     "[{\"sip_trunk_id\":\"ST_b\",\"numbers\":[\"+1999\"]," CANARY "]", NULL, "ST_b",
     "likely wrong-trunk\npossible map-wiped\npossible pin-rule\npossible room-deleted\n", ""},
    {"another trunk has the map", nothing_set,
     "[{\"sip_trunk_id\":\"ST_b\",\"numbers\":[]},{\"sip_trunk_id\":\"ST_c\",\"numbers\":[\"+"
     "1999\"]"
     "," CANARY "]",
     NULL, NULL, "likely wrong-trunk\n", ""},
    {"in headers", fixed_only, STORED "\"headers\":{\"X-Tenant\":\"acme\"}}", NULL, NULL,
     "possible wrong-map\n", ""},
    {"fixed header missing", all_arrive, STORED FIXED CANARY, NULL, NULL, "likely map-wiped\n", ""},
    {"one in headers", all_and_fixed, STORED FIXED CANARY, NULL, NULL, "possible wrong-map\n", ""},
    {"one in headers_to_attributes", all_arrive,
     STORED "\"headers_to_attributes\":{\"X-Site\":\"site\"}," CANARY, NULL, NULL,
     "possible wrong-map\n", ""},
    {"in headers_to_attributes", nothing_set, STORED READ "}", NULL, NULL, "likely wrong-map\n",
     ""},
    {"maps nothing", nothing_set, "{\"sip_trunk_id\":\"ST_a\",\"numbers\":[\"+15105550100\"]}",
     NULL, NULL, "possible map-wiped\n", ""},
    {"outbound", calls_out, CALLING FIXED CANARY, NULL, NULL,
     "possible room-deleted\npossible livekit-before-v1.3.0\npossible map-wiped\n", ""},
    {"outbound without fixed headers", calls_out_bare, CALLING FIXED CANARY, NULL, NULL,
     "likely map-wiped\n", ""},
};

/* How the same call is seen otherwise. */
static const struct view {
    const char *name;
    enum path_vias kam1, kam2;
    enum lab_transport transport;
    enum lab_link link;
    const char *only[4]; /* the one address of a host whose traffic is captured */
    int64_t skew_ms[4];
} views[] = {
    {"plain", PATH_KEEPS, PATH_KEEPS, LAB_UDP, LAB_SLL2, {0}, {0}},
    {"kam1 hides", PATH_HIDES, PATH_KEEPS, LAB_UDP, LAB_SLL2, {0}, {0}},
    {"kam2 hides", PATH_KEEPS, PATH_HIDES, LAB_UDP, LAB_RAW, {0}, {0}},
    {"kam1 masks", PATH_MASKS, PATH_KEEPS, LAB_UDP, LAB_SLL2, {0}, {0}},
    {"TCP", PATH_KEEPS, PATH_KEEPS, LAB_TCP_OWN, LAB_SLL2, {0}, {0}},
    {"inner sides",
     PATH_KEEPS,
     PATH_KEEPS,
     LAB_UDP,
     LAB_SLL2,
     {NULL, "10.0.2.2", "10.0.1.1", NULL},
     {0}},
    {"outer sides",
     PATH_KEEPS,
     PATH_KEEPS,
     LAB_UDP,
     LAB_SLL2,
     {NULL, "10.0.3.1", "10.0.2.1", NULL},
     {0}},
    {"outer sides, hidden",
     PATH_HIDES,
     PATH_HIDES,
     LAB_UDP,
     LAB_SLL2,
     {NULL, "10.0.3.1", "10.0.2.1", NULL},
     {0}},
    {"inner sides, hidden",
     PATH_HIDES,
     PATH_HIDES,
     LAB_UDP,
     LAB_RAW,
     {NULL, "10.0.2.2", "10.0.1.1", NULL},
     {0}},
    {"clocks", PATH_KEEPS, PATH_KEEPS, LAB_UDP, LAB_SLL2, {0}, {0, 30000, -20000, 7000}},
};

static void run(struct lab *lab, const struct scene *s, unsigned points, const struct view *v)
{
    lab->now_ms = 1000000000;
    lab->transport = v->transport;
    lab->trunks = s->trunk;
    lab->values = s->values;
    lab->trunk_id = s->trunk_id;
    for (size_t i = 0; i < COUNT(names); i++)
        if (points >> i & 1) {
            struct lab_point *point = lab_point(lab, names[i], v->link);
            point->only = v->only[i];
            point->skew_ms = v->skew_ms[i];
        }
    struct path p = inbound(lab);
    p.nodes[1].vias = v->kam2;
    p.nodes[2].vias = v->kam1;
    s->play(&p);
    lab_run(lab);
}

/* Captured everywhere, the causes are these, in this order. */
static void all_points(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        struct lab lab = {0};
        run(&lab, &scenes[i], 0xf, &views[0]);
        if (strcmp(lab.causes.p, scenes[i].causes) != 0) {
            print_error("%s:\n%sin place of\n%s\nof\n%s%s\n", scenes[i].name, lab.causes.p,
                        scenes[i].causes, lab.report.p, lab.messages.p);
            failed++;
        }
        lab_free(&lab);
    }
    assert_int_equal(failed, 0);
}

static bool may_be_certain(const struct scene *s, const char *id, size_t n)
{
    return strlen(s->certain) == n && strncmp(s->certain, id, n) == 0;
}

/* How many certain causes there are, and the wrong ones printed and counted. */
static unsigned certain_of(const struct scene *s, unsigned points, const struct view *v,
                           unsigned *wrong)
{
    struct lab lab = {0};
    unsigned certain = 0;
    run(&lab, s, points, v);
    for (const char *line = lab.causes.p; *line; line = strchr(line, '\n') + 1) {
        const char *id = line + strlen("certain ");
        if (strncmp(line, "certain ", strlen("certain ")) != 0)
            continue;
        certain++;
        if (may_be_certain(s, id, strcspn(id, "\n")))
            continue;
        ++*wrong;
        print_error("%s, %s, points %x:\n%sof\n%s%s\n", s->name, v->name, points, lab.causes.p,
                    lab.report.p, lab.messages.p);
    }
    lab_free(&lab);
    return certain;
}

/* Captured anywhere, nothing is certain but what is so. */
static void any_points(void **state)
{
    (void)state;
    unsigned wrong = 0, certain = 0;
    for (size_t i = 0; i < COUNT(scenes); i++)
        for (unsigned points = 1; points < 0xf; points++)
            certain += certain_of(&scenes[i], points, &views[0], &wrong);
    assert_int_equal(wrong, 0);
    assert_true(certain > 20);
}

/* Nor is it with other proxies, transports, clocks and captures. */
static void any_view(void **state)
{
    (void)state;
    unsigned wrong = 0, certain = 0;
    for (size_t i = 0; i < COUNT(scenes); i++)
        for (size_t k = 1; k < COUNT(views); k++)
            for (unsigned points = 1 + (i + k) % 7; points <= 0xf; points += 7)
                certain += certain_of(&scenes[i], points, &views[k], &wrong);
    assert_int_equal(wrong, 0);
    assert_true(certain > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_points), cmocka_unit_test(any_points),
                                       cmocka_unit_test(any_view)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of check/ on whole calls: what is owed, what became of it, the verdict and the exit
 * status. */
#include "path.h"

static const struct dialog in = {"c1", "far", "SCL_aaaaaaaaaaaa", "+14155550100", "+15105550100"};
static const struct dialog out = {"c2", "SCL_bbbbbbbbbbbb", "far", "+15105550100", "+14155550100"};

#define TRUNK "{\"sip_trunk_id\":\"ST_a\",\"numbers\":[\"+15105550100\"],"
#define OUTBOUND                                                                                   \
    "{\"sip_trunk_id\":\"ST_o\",\"address\":\"example.com\",\"numbers\":[\"+15105550100\"],"
#define MAPS "\"attributes_to_headers\":{\"queue\":\"X-Queue\",\"lang\":\"X-Lang\"}}"
#define BOTH "X-Queue: Q1\r\nX-Lang: en\r\n"

static const struct told bye = {.method = "BYE", .cseq = 1, .up = true, .headers = BOTH};

/* The carrier calls LiveKit over one proxy. */
static struct path inbound(struct lab *lab)
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

static struct path outbound(struct lab *lab)
{
    struct path p = inbound(lab);
    p.nodes[0] = (struct path_node){.name = "livekit", .left = "10.0.1.10"};
    p.nodes[1] = (struct path_node){.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"};
    p.nodes[2] = (struct path_node){.name = "five9", .left = "10.0.2.10"};
    return p;
}

static void hangs_up(struct lab *lab, const char *headers, struct path_change change)
{
    struct path p = inbound(lab);
    struct told m = bye;
    m.headers = headers;
    p.changes[0] = change;
    path_call(&p, &in, NULL);
    path_ask(&p, &in, m);
}

static void all_arrive(struct lab *lab)
{
    hangs_up(lab, BOTH, (struct path_change){NULL, NULL, NULL, NULL});
}

static void one_unsent(struct lab *lab)
{
    hangs_up(lab, "X-Lang: en\r\n", (struct path_change){NULL, NULL, NULL, NULL});
}

static void stripped(struct lab *lab)
{
    hangs_up(lab, BOTH, (struct path_change){"kam1", "BYE", "X-Queue: Q1\r\n", ""});
}

static void truncated(struct lab *lab)
{
    hangs_up(lab, BOTH, (struct path_change){"kam1", "BYE", "X-Queue: Q1", "X-Queue: Q"});
}

static void unsent_at_proxy(struct lab *lab)
{
    lab_point(lab, "kam1", LAB_SLL2);
    one_unsent(lab);
}

static void missing_at_far_end(struct lab *lab)
{
    lab_point(lab, "five9", LAB_SLL2);
    stripped(lab);
}

/* The BYE with two Vias is too long for kam1's capture. */
static void cut_at_proxy(struct lab *lab)
{
    lab_point(lab, "five9", LAB_RAW);
    lab_point(lab, "kam1", LAB_RAW)->snaplen = 20 + 8 + 330;
    lab_point(lab, "livekit", LAB_RAW);
}

static void cut_in_the_middle(struct lab *lab)
{
    cut_at_proxy(lab);
    all_arrive(lab);
}

static void cut_and_gone(struct lab *lab)
{
    cut_at_proxy(lab);
    stripped(lab);
}

/* LiveKit's BYE is cut before its mapped headers, of which it sends one. */
static void cut_at_the_start(struct lab *lab)
{
    struct path p = inbound(lab);
    struct told m = bye;
    m.headers = "X-Lang: en\r\n";
    path_call(&p, &in, NULL);
    lab_point_of(lab, "livekit")->snaplen = 20 + 20 + 8 + 240;
    path_ask(&p, &in, m);
}

#define SUBJECT                                                                                    \
    "Subject: so long that what follows is beyond what the two captures keep of each packet, "     \
    "be it with one Via or with two\r\n"

/* The proxy's as well: the headers are first seen to be missing behind it. */
static void cut_up_to_the_end(struct lab *lab)
{
    struct path p = inbound(lab);
    struct told m = bye;
    m.headers = SUBJECT "X-Lang: en\r\n";
    path_call(&p, &in, NULL);
    lab_point_of(lab, "livekit")->snaplen = lab_point_of(lab, "kam1")->snaplen = 20 + 20 + 8 + 350;
    path_ask(&p, &in, m);
}

/* Cut inside the From tag, behind Via and Call-ID: only the Vias tell which message this is. */
static void cut_in_the_tag(struct lab *lab)
{
    struct path p = inbound(lab);
    struct told m = bye;
    m.headers = "X-Lang: en\r\n";
    path_call(&p, &in, NULL);
    lab_point_of(lab, "kam1")->snaplen = 20 + 20 + 8 + 240;
    path_ask(&p, &in, m);
}

static void cut_at_the_end(struct lab *lab)
{
    lab_point(lab, "five9", LAB_RAW)->snaplen = 20 + 8 + 330;
    lab_point(lab, "livekit", LAB_RAW);
    stripped(lab);
}

static void far_end_hangs_up(struct lab *lab)
{
    struct path p = inbound(lab);
    path_call(&p, &in, NULL);
    path_ask(&p, &in, (struct told){.method = "BYE", .cseq = 2});
}

static void proxy_hangs_up(struct lab *lab)
{
    struct path p = inbound(lab);
    path_call(&p, &in, NULL);
    path_ask(&p, &in,
             (struct told){.method = "BYE",
                           .cseq = 1,
                           .up = true,
                           .past = 2,
                           .headers = "User-Agent: kamailio (5.6)\r\n"});
}

static void no_bye(struct lab *lab)
{
    struct path p = inbound(lab);
    path_call(&p, &in, NULL);
}

static void answered(struct lab *lab, unsigned status, bool again)
{
    struct path p = inbound(lab);
    struct told m = bye;
    path_call(&p, &in, NULL);
    path_send(&p, &in, m);
    m.status = status;
    m.headers = NULL;
    if (status)
        path_send(&p, &in, m);
    m = bye;
    m.cseq = 2;
    if (again)
        path_ask(&p, &in, m);
}

static void challenged(struct lab *lab)
{
    answered(lab, 407, true);
}

static void refused(struct lab *lab)
{
    answered(lab, 481, false);
}

static void timed_out(struct lab *lab)
{
    answered(lab, 0, false);
}

static void swallowed(struct lab *lab)
{
    struct path p = inbound(lab);
    struct told m = bye;
    path_call(&p, &in, NULL);
    m.first = 1;
    path_send(&p, &in, m);
}

/* kam1 has TLS with the far end, which nobody can read: the BYE may have gone that way. */
static void swallowed_or_hidden(struct lab *lab)
{
    swallowed(lab);
    lab_see_tls(lab, lab_point_of(lab, "kam1"), "10.0.2.1:41000", "10.0.3.20:5061", true);
}

/* That of its host with others is no reason to doubt. */
static void swallowed_beside_https(struct lab *lab)
{
    swallowed(lab);
    lab_see_tls(lab, lab_point_of(lab, "kam1"), "10.0.2.1:41000", "203.0.113.9:443", true);
    lab_see_tls(lab, lab_point_of(lab, "kam1"), "10.0.9.1:41000", "10.0.9.2:443", true);
}

/* 200 to INVITE and REFER: the mapped headers may stand on the one and must on the other. */
static void other_messages(struct lab *lab)
{
    struct path p = inbound(lab);
    struct told invite = {.method = "INVITE", .cseq = 1}, answer = invite;
    struct told refer = {.method = "REFER", .cseq = 1, .up = true, .headers = "X-Queue: Q1\r\n"};
    answer.status = 200;
    answer.headers = "X-Lang: en\r\nX-Fixed: 7\r\n";
    p.changes[0] = (struct path_change){"kam1", "INVITE 200", "X-Lang: en\r\n", ""};
    path_send(&p, &in, invite);
    path_send(&p, &in, answer);
    path_ask(&p, &in, refer);
}

static void fixed_stripped(struct lab *lab)
{
    struct path p = outbound(lab);
    p.changes[0] = (struct path_change){"kam1", "INVITE", "X-Fixed: 7\r\n", ""};
    path_call(&p, &out, "X-Fixed: 7\r\n");
}

/* CANCEL and the ACK to a refusal are made anew by each element; the ACK to a 200 is not. */
static void hop_by_hop(struct lab *lab)
{
    struct path p = outbound(lab);
    struct told m = {.method = "INVITE", .cseq = 1, .status = 0},
                ack = {.method = "ACK", .cseq = 1};
    p.changes[0] = (struct path_change){"kam1", "CANCEL", "X-A: 1\r\n", ""};
    p.changes[1] = (struct path_change){"kam1", "ACK", "X-A: 1\r\n", ""};
    path_send(&p, &out, m);
    path_ask(&p, &out, (struct told){.method = "CANCEL", .cseq = 1, .headers = "X-A: 1\r\n"});
    m.status = 487;
    path_send(&p, &out, m);
    ack.headers = "X-A: 1\r\n";
    path_send(&p, &out, ack);
}

static void ack_stripped(struct lab *lab)
{
    struct path p = outbound(lab);
    p.changes[0] = (struct path_change){"kam1", "ACK", "X-A: 1\r\n", ""};
    path_call(&p, &out, NULL);
    path_send(&p, &out,
              (struct told){.method = "ACK", .cseq = 1, .again = "2", .headers = "X-A: 1\r\n"});
}

static void options_only(struct lab *lab)
{
    struct path p = outbound(lab);
    struct dialog ping = {"ping", "tag", "other", NULL, NULL};
    path_ask(
        &p, &ping,
        (struct told){.method = "OPTIONS", .cseq = 1, .no_to_tag = true, .headers = "X-A: 1\r\n"});
}

/* The capture begins after the INVITE of a call that LiveKit made. */
static void late_outbound(struct lab *lab)
{
    struct path p = outbound(lab);
    struct told m = bye;
    m.up = false;
    path_ask(&p, &out, m);
}

/* The same of one that a proxy ended: its BYE has LiveKit's tag. */
static void late_and_ended(struct lab *lab)
{
    struct path p = outbound(lab);
    struct told m = bye;
    m.up = false;
    m.headers = "User-Agent: kamailio\r\n";
    path_ask(&p, &out, (struct told){.method = "INFO", .cseq = 2, .up = true});
    m.first = 1;
    path_ask(&p, &out, m);
}

/* By the clocks, LiveKit's INVITE within the dialog lies before the one that began it. */
static void asked_again_early(struct lab *lab)
{
    lab_point(lab, "five9", LAB_SLL2)->skew_ms = 3600 * 1000;
    lab_point(lab, "kam1", LAB_SLL2);
    lab_point(lab, "livekit", LAB_SLL2)->skew_ms = -3600 * 1000;
    struct path p = inbound(lab);
    path_call(&p, &in, NULL);
    path_ask(&p, &in, (struct told){.method = "INVITE", .cseq = 7, .up = true, .within = true});
    path_ask(&p, &in, (struct told){.method = "BYE", .cseq = 8, .up = true, .headers = BOTH});
}

#define INVITE_200 "INVITE 200 #1 livekit: livekit:out kam1:in kam1:out five9:in\n"
#define UNSET                                                                                      \
    "  X-Lang unexpected never-sent MMMM livekit\n"                                                \
    "  X-Queue unexpected never-sent MMMM livekit\n"
#define UNSET_SAID "header-not-set INVITE 200 X-Lang\nheader-not-set INVITE 200 X-Queue\n"
#define BYE_1      "BYE #1 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"

static const struct {
    const char *name;
    void (*build)(struct lab *lab);
    const char *trunks, *values, *follow;
    const char *report, *findings;
    enum check_verdict verdict;
    bool allow_untested;
} cases[] = {
    {"all arrive", all_arrive, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET BYE_1 "  X-Lang ok PPPP\n  X-Queue ok PPPP\n",
     UNSET_SAID, CHECK_PASS, false},
    {"one unsent", one_unsent, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PPPP\n  X-Queue never-sent MMMM livekit\n",
     UNSET_SAID "header-never-sent BYE X-Queue\n", CHECK_FAIL, false},
    {"stripped", stripped, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PPPP\n  X-Queue stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     UNSET_SAID "header-stripped BYE X-Queue\n", CHECK_FAIL, false},
    {"stripped, allowing untested", stripped, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PPPP\n  X-Queue stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     UNSET_SAID "header-stripped BYE X-Queue\n", CHECK_FAIL, true},
    {"truncated", truncated, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PPPP\n  X-Queue truncated PPAA kam1 10.0.1.1>10.0.2.1\n",
     UNSET_SAID "header-truncated BYE X-Queue\n", CHECK_FAIL, false},
    {"unsent, as the proxy sees it", unsent_at_proxy, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\nINVITE 200 #1 10.0.1.10: kam1:in kam1:out\n"
     "  X-Lang unexpected never-sent MM 10.0.1.10\n"
     "  X-Queue unexpected never-sent MM 10.0.1.10\n"
     "BYE #1 10.0.1.10: kam1:in kam1:out = 200\n"
     "  X-Lang ok PP\n  X-Queue never-sent MM 10.0.1.10\n",
     UNSET_SAID "header-never-sent BYE X-Queue\n", CHECK_FAIL, false},
    {"missing at the far end", missing_at_far_end, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\nINVITE 200 #1 : five9:in\n"
     "  X-Lang unexpected missing M before five9:in among 10.0.2.1\n"
     "  X-Queue unexpected missing M before five9:in among 10.0.2.1\n"
     "BYE #1 10.0.1.10: five9:in = 200\n"
     "  X-Lang ok P\n  X-Queue missing M before five9:in among 10.0.1.10,10.0.2.1\n",
     UNSET_SAID "header-missing BYE X-Queue\n", CHECK_FAIL, false},
    {"cut in the middle", cut_in_the_middle, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET BYE_1 "  X-Lang ok PPCP\n  X-Queue ok PPCP\n",
     UNSET_SAID, CHECK_PASS, false},
    {"cut and then gone", cut_and_gone, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1 "  X-Lang ok PPCP\n"
     "  X-Queue stripped PPCM after kam1:in before five9:in among kam1\n",
     UNSET_SAID "header-stripped BYE X-Queue\n", CHECK_FAIL, false},
    {"cut at the start", cut_at_the_start, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok CPPP\n  X-Queue never-sent CMMM livekit\n",
     UNSET_SAID "header-never-sent BYE X-Queue\n", CHECK_FAIL, false},
    {"cut up to the end", cut_up_to_the_end, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok CCCP\n  X-Queue missing CCCM before five9:in among livekit,kam1\n",
     UNSET_SAID "header-missing BYE X-Queue\n", CHECK_FAIL, false},
    {"cut in the tag", cut_in_the_tag, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PCCP\n  X-Queue never-sent MCCM livekit\n",
     UNSET_SAID "header-never-sent BYE X-Queue\n", CHECK_FAIL, false},
    {"cut at the end", cut_at_the_end, TRUNK MAPS, NULL, NULL,
     "c1 inbound inconclusive ST_a\nINVITE 200 #1 livekit: livekit:out five9:in\n"
     "  X-Lang unexpected never-sent MM livekit\n  X-Queue unexpected never-sent MM livekit\n"
     "BYE #1 livekit: livekit:out five9:in = 200\n  X-Lang unknown PC\n  X-Queue unknown PC\n",
     UNSET_SAID "header-unknown BYE X-Lang\nheader-unknown BYE X-Queue\n", CHECK_INCONCLUSIVE,
     false},
    {"the far end hangs up", far_end_hangs_up, TRUNK MAPS, NULL, NULL,
     "c1 inbound inconclusive ST_a\n" INVITE_200 UNSET
     "BYE #2 not owed, five9: five9:out kam1:in kam1:out livekit:in = 200\n",
     UNSET_SAID "nothing-owed BYE \n", CHECK_INCONCLUSIVE, false},
    {"the far end hangs up, allowing that", far_end_hangs_up, TRUNK MAPS, NULL, NULL,
     "c1 inbound inconclusive ST_a\n" INVITE_200 UNSET
     "BYE #2 not owed, five9: five9:out kam1:in kam1:out livekit:in = 200\n",
     UNSET_SAID "nothing-owed BYE \n", CHECK_PASS, true},
    {"the proxy hangs up", proxy_hangs_up, TRUNK MAPS, NULL, NULL,
     "c1 inbound inconclusive ST_a\n" INVITE_200 UNSET
     "BYE #1 not owed, kam1: kam1:out five9:in = 200\n",
     UNSET_SAID "nothing-owed BYE \n", CHECK_INCONCLUSIVE, false},
    {"no BYE", no_bye, TRUNK MAPS, NULL, NULL, "c1 inbound inconclusive ST_a\n" INVITE_200 UNSET,
     UNSET_SAID, CHECK_INCONCLUSIVE, false},
    {"challenged and repeated", challenged, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in kam1:out five9:in = 407\n  X-Lang ok PPPP\n  X-Queue ok "
     "PPPP\n"
     "BYE #2 livekit: livekit:out kam1:in kam1:out five9:in = 200\n  X-Lang ok PPPP\n  X-Queue ok "
     "PPPP\n",
     UNSET_SAID, CHECK_PASS, false},
    {"refused", refused, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in kam1:out five9:in = 481\n  X-Lang ok PPPP\n  X-Queue ok "
     "PPPP\n",
     UNSET_SAID "rejected BYE \n", CHECK_PASS, false},
    {"timed out", timed_out, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in kam1:out five9:in = 0\n  X-Lang ok PPPP\n  X-Queue ok "
     "PPPP\n",
     UNSET_SAID "not-answered BYE \n", CHECK_PASS, false},
    {"swallowed", swallowed, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in = 0\n  X-Lang ok PP\n  X-Queue ok PP\n",
     UNSET_SAID "not-forwarded BYE \n", CHECK_FAIL, false},
    {"swallowed, or gone on in TLS", swallowed_or_hidden, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in = 0\n  X-Lang ok PP\n  X-Queue ok PP\n",
     UNSET_SAID "hop-encrypted  \nnot-answered BYE \n", CHECK_PASS, false},
    {"swallowed, with HTTPS beside it", swallowed_beside_https, TRUNK MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET
     "BYE #1 livekit: livekit:out kam1:in = 0\n  X-Lang ok PP\n  X-Queue ok PP\n",
     UNSET_SAID "not-forwarded BYE \n", CHECK_FAIL, false},
    {"200 and REFER", other_messages, TRUNK "\"headers\":{\"X-Fixed\":\"7\"}," MAPS, NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200
     "  X-Fixed ok PPPP\n  X-Lang stripped PPMM kam1 10.0.1.1>10.0.2.1\n"
     "  X-Queue unexpected never-sent MMMM livekit\n"
     "REFER #1 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-Lang never-sent MMMM livekit\n  X-Queue ok PPPP\n",
     "header-stripped INVITE 200 X-Lang\nheader-not-set INVITE 200 X-Queue\n"
     "header-never-sent REFER X-Lang\n",
     CHECK_FAIL, false},
    {"another fixed value", other_messages, TRUNK "\"headers\":{\"X-Fixed\":\"8\"}}", NULL, NULL,
     "c1 inbound fail ST_a\n" INVITE_200 "  X-Fixed altered AAAA livekit\n",
     "header-altered INVITE 200 X-Fixed\n", CHECK_FAIL, false},
    {"an outbound trunk's INVITE", fixed_stripped,
     "{\"sip_trunk_id\":\"ST_o\",\"address\":\"example.com\",\"numbers\":[\"+15105550100\"],"
     "\"headers\":{\"X-Fixed\":\"7\"}}",
     NULL, NULL,
     "c2 outbound fail ST_o\nINVITE #1 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-Fixed stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     "header-stripped INVITE X-Fixed\n", CHECK_FAIL, false},
    {"values", all_arrive, TRUNK MAPS, "{\"queue\":\"Q2\",\"lang\":\"en\"}", NULL,
     "c1 inbound fail ST_a\n" INVITE_200 UNSET BYE_1
     "  X-Lang ok PPPP\n  X-Queue altered AAAA livekit\n",
     UNSET_SAID "header-altered BYE X-Queue\n", CHECK_FAIL, false},
    {"an attribute known to be unset", one_unsent, TRUNK MAPS, "{\"queue\":null}", NULL,
     "c1 inbound pass ST_a\n" INVITE_200 "  X-Lang unexpected never-sent MMMM livekit\n" BYE_1
     "  X-Lang ok PPPP\n",
     "header-not-set INVITE 200 X-Lang\n", CHECK_PASS, false},
    {"followed beside a trunk", stripped, TRUNK "\"attributes_to_headers\":{\"lang\":\"X-Lang\"}}",
     NULL, "X-*",
     "c1 inbound pass ST_a\n" INVITE_200 "  X-Lang unexpected never-sent MMMM livekit\n" BYE_1
     "  X-Lang ok PPPP\n  X-Queue unexpected stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     "header-not-set INVITE 200 X-Lang\nheader-stripped BYE X-Queue\n", CHECK_PASS, false},
    {"no trunk", stripped, NULL, NULL, NULL,
     "c1 inbound fail\n" BYE_1 "  X-Lang ok PPPP\n  X-Queue stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     "header-stripped BYE X-Queue\n", CHECK_FAIL, false},
    {"no trunk, one header followed", stripped, NULL, NULL, "x-l*",
     "c1 inbound pass\n" BYE_1 "  X-Lang ok PPPP\n", "", CHECK_PASS, false},
    {"no trunk, nothing to follow", no_bye, NULL, NULL, NULL, "c1 inbound inconclusive\n", "",
     CHECK_INCONCLUSIVE, false},
    {"hop by hop", hop_by_hop, NULL, NULL, NULL, "c2 outbound inconclusive\n", "",
     CHECK_INCONCLUSIVE, false},
    {"ACK to 200", ack_stripped, NULL, NULL, NULL,
     "c2 outbound fail\nACK #1 livekit: livekit:out kam1:in kam1:out five9:in = 0\n"
     "  X-A stripped PPMM kam1 10.0.1.1>10.0.2.1\n",
     "header-stripped ACK X-A\n", CHECK_FAIL, false},
    {"OPTIONS without a trunk", options_only, NULL, NULL, NULL,
     "ping unknown pass\nOPTIONS #1 livekit: livekit:out kam1:in kam1:out five9:in = 200\n  X-A ok "
     "PPPP\n",
     "", CHECK_PASS, false},
    {"OPTIONS beside a trunk", options_only, TRUNK MAPS, NULL, NULL, "", "", CHECK_INCONCLUSIVE,
     false},
    {"no trunk matches", all_arrive, "{\"sip_trunk_id\":\"ST_x\",\"numbers\":[\"+1999\"]," MAPS,
     NULL, NULL, "c1 inbound inconclusive\n", "no-trunk-matches  \n", CHECK_INCONCLUSIVE, false},
    {"two trunks match", all_arrive,
     "[" TRUNK MAPS ",{\"sip_trunk_id\":\"ST_b\",\"numbers\":[\"+15105550100\"]}]", NULL, NULL,
     "c1 inbound inconclusive\n", "trunk-ambiguous  \n", CHECK_INCONCLUSIVE, false},
    {"an outbound call without its INVITE", late_outbound, OUTBOUND MAPS, NULL, NULL,
     "c2 unknown pass ST_o\n" BYE_1 "  X-Lang ok PPPP\n  X-Queue ok PPPP\n", "", CHECK_PASS, false},
    {"ended by the proxy, without the INVITE", late_and_ended, OUTBOUND MAPS, NULL, NULL,
     "c2 unknown inconclusive ST_o\nBYE #1 not owed, kam1: kam1:out five9:in = 200\n",
     "nothing-owed BYE \n", CHECK_INCONCLUSIVE, false},
    {"asked again, early by the clocks", asked_again_early, TRUNK MAPS, NULL, NULL,
     "c1 inbound pass ST_a\n" INVITE_200 UNSET
     "BYE #8 livekit: livekit:out kam1:in kam1:out five9:in = 200\n"
     "  X-Lang ok PPPP\n  X-Queue ok PPPP\n",
     UNSET_SAID, CHECK_PASS, false},
    {"an outbound trunk for an inbound call", all_arrive,
     "{\"sip_trunk_id\":\"ST_o\",\"address\":\"example.com\",\"numbers\":[\"+15105550100\"]," MAPS,
     NULL, NULL, "c1 inbound inconclusive\n", "no-trunk-matches  \n", CHECK_INCONCLUSIVE, false},
};

static int differs(const char *name, const char *what, const struct text *is, const char *right)
{
    if (strcmp(is->p, right) == 0)
        return 0;
    print_error("%s: %s:\n%sinstead of\n%s", name, what, is->p, right);
    return 1;
}

static void calls(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.trunks = cases[i].trunks,
                          .values = cases[i].values,
                          .follow = {cases[i].follow},
                          .allow_untested = cases[i].allow_untested};
        cases[i].build(&lab);
        lab_run(&lab);
        wrong += differs(cases[i].name, "report", &lab.report, cases[i].report);
        wrong += differs(cases[i].name, "findings", &lab.findings, cases[i].findings);
        if (lab.verdict != cases[i].verdict) {
            print_error("%s: verdict %s\n", cases[i].name, check_verdict_name(lab.verdict));
            wrong++;
        }
        lab_free(&lab);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of the pack `caller-id`; From is +14155550100 on each INVITE. */
#include "packs.h"

#define ASSERTED(uri) "P-Asserted-Identity: <" uri ">\r\n"
#define ME            "+14155550100"
#define SHOWN         "note caller-id-shown INVITE  @"
#define SEES          SHOWN ": a callee that trusts this INVITE sees "
#define AT            "@203.0.113.20: "

static const struct pack_case cases[] = {
    {.name = "From alone", .found = ""},
    {.name = "as it should be",
     .invite = "P-Asserted-Identity: \"Ann\" <sip:" ME "@a;user=phone>, <tel:+1-415-555-0100>\r\n"
               "Privacy: none\r\n"
               "Remote-Party-ID: <sip:4155550100@a>;party=calling;privacy=off;screen=yes\r\n"
               "Remote-Party-ID: <sip:+15105550100@a>;party=called\r\n",
     .found = SEES "+1-415-555-0100 \"Ann\" (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "a name and no number",
     .invite = ASSERTED("sip:alice@a") ASSERTED("tel:" ME),
     .found = SEES ME " (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "by its sip URI",
     .invite = "P-Asserted-Identity: \"Ann\" <sip:" ME ";ext=7@a>\r\n",
     .found = SEES ME " \"Ann\" (by P-Asserted-Identity)\n"},
    {.name = "tel and sip differ",
     .invite = ASSERTED("sip:" ME "@a") ASSERTED("tel:+14155550199"),
     .found = "warning caller-id-asserted-differs INVITE P-Asserted-Identity " AT
              "the tel URI of P-Asserted-Identity of INVITE says +14155550199, the sip URI says " ME
              ": elements choose either\n"
              "note caller-id-from-differs INVITE From " AT
              "P-Asserted-Identity of INVITE says +14155550199, From says " ME
              ": a receiver that trusts no asserted identity shows From\n" SEES
              "+14155550199 (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "three of them",
     .invite = ASSERTED("sip:" ME "@a") ASSERTED("sips:" ME "@b") ASSERTED("tel:" ME),
     .found = "warning caller-id-asserted-count INVITE P-Asserted-Identity " AT
              "P-Asserted-Identity of INVITE has 2 sip, 1 tel and 0 other URIs: RFC 3325 allows "
              "one sip or sips and one tel\n" SEES ME " (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "Remote-Party-ID differs",
     .invite = ASSERTED("tel:" ME) "Remote-Party-ID: <sip:+14155550199@a>;screen=no\r\n",
     .found = "warning caller-id-party-differs INVITE Remote-Party-ID " AT
              "P-Asserted-Identity of INVITE says " ME ", Remote-Party-ID says +14155550199: it "
              "depends on the receiver which counts\n"
              "note caller-id-unverified INVITE Remote-Party-ID " AT
              "Remote-Party-ID of INVITE says screen=no: nobody verified +14155550199\n" SEES ME
              " (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "From differs, nationally",
     .invite = ASSERTED("tel:+14155550199"),
     .found = "note caller-id-from-differs INVITE From " AT
              "P-Asserted-Identity of INVITE says +14155550199, From says " ME
              ": a receiver that trusts no asserted identity shows From\n" SEES
              "+14155550199 (by P-Asserted-Identity, its tel URI)\n"},
    {.name = "the called party is none of the caller's",
     .invite = "Remote-Party-ID: <sip:+15105550100@a>;party=called;privacy=full\r\n",
     .found = SEES ME " (by From)\n"},
    {.name = "hidden, and From tells",
     .invite = ASSERTED("tel:" ME) "Privacy: id;critical\r\n",
     .found = "warning caller-id-not-hidden INVITE From @: the caller asks to be hidden, and From "
              "of INVITE shows " ME " all the same\n" SEES "no number (Privacy)\n"},
    {.name = "hidden, and a proxy hides From",
     .invite = ASSERTED("tel:" ME) "Privacy: id\r\n",
     .change = {"kam1", "INVITE", "sip:" ME "@example.com", "sip:anonymous@anonymous.invalid"},
     .found = SEES "no number (Privacy)\n"},
    {.name = "Privacy and Remote-Party-ID disagree",
     .invite = "Privacy: none\r\nRemote-Party-ID: <sip:" ME "@a>;privacy=uri\r\n",
     .found = "warning caller-id-privacy-differs INVITE Privacy " AT
              "Privacy of INVITE asks to hide nothing, and Remote-Party-ID says privacy=uri\n" SEES
              "no number (Remote-Party-ID, privacy=uri)\n"},
    {.name = "malformed",
     .invite = "P-Asserted-Identity: <sip:>\r\nPrivacy: none;id\r\n"
               "Remote-Party-ID: <sip:" ME "@a>;screen=maybe\r\n"
               "Diversion: <sip:+15105550111@a>;counter=many\r\n",
     .found = "warning caller-id-malformed INVITE P-Asserted-Identity " AT
              "P-Asserted-Identity of INVITE: \"<sip:>\" is no address\n"
              "warning caller-id-malformed INVITE Remote-Party-ID " AT
              "Remote-Party-ID of INVITE: \"<sip:" ME "@a>;screen=maybe\" has a screen that is "
              "neither yes nor no\n"
              "warning caller-id-malformed INVITE Diversion " AT
              "Diversion of INVITE: \"<sip:+15105550111@a>;counter=many\" has a counter that is "
              "no count\n"
              "warning caller-id-malformed INVITE Privacy " AT
              "Privacy of INVITE: \"none;id\" joins none with another value (RFC 3323 4.2)\n"
              "warning caller-id-not-hidden INVITE From @: the caller asks to be hidden, and From "
              "of INVITE shows " ME " all the same\n" SEES
              "no number (Privacy); diverted last by +15105550111\n"},
    {.name = "diverted",
     .invite = "Diversion: \"Desk\" <sip:+15105550112@a>;reason=no-answer;counter=1;limit=5,"
               "<tel:+15105550111>;reason=unconditional\r\n"
               "History-Info: <sip:+15105550111@a>;index=1,"
               "<sip:+15105550112@a;cause=302>;index=1.1;mp=1\r\n"
               "History-Info: <sip:+15105550100@a;cause=408>;index=1.1.1;mp=1.1\r\n",
     .found = SEES ME " (by From); diverted last by +15105550112 for no-answer\n"},
    {.name = "diverted in a loop, too often",
     .invite = "Diversion: <sip:+15105550112@a>;counter=4,<sip:+15105550111@a>;limit=5\r\n"
               "Diversion: <sip:5105550112@b>\r\n",
     .found = "warning caller-id-loop INVITE Diversion " AT
              "Diversion of INVITE names 5105550112 twice: the call is diverted in a loop\n"
              "warning caller-id-limit INVITE Diversion " AT
              "INVITE was diverted 6 times, and its Diversion says limit=5\n" SEES ME
              " (by From); diverted last by +15105550112\n"},
    {.name = "as often as may be",
     .invite = "Diversion: <sip:+15105550112@a>;counter=4,<sip:+15105550111@a>;limit=5\r\n",
     .found = SEES ME " (by From); diverted last by +15105550112\n"},
    {.name = "a gap in the history, and another last one",
     .invite = "Diversion: <sip:+15105550113@a>\r\n"
               "History-Info: <sip:+15105550111@a>;index=1\r\n"
               "History-Info: <sip:+15105550112@a?Reason=SIP%3Bcause%3D486>;index=1.2\r\n",
     .found = "warning caller-id-history INVITE History-Info " AT
              "History-Info of INVITE: index 1.2 follows none before it: entries were lost or put "
              "in another order\n"
              "warning caller-id-diversion-differs INVITE Diversion " AT
              "History-Info of INVITE says +15105550111, Diversion says +15105550113 about who "
              "diverted the call last\n" SEES ME " (by From); diverted last by +15105550113\n"},
    {.name = "a loop in the history",
     .invite = "History-Info: <sip:+15105550111@a>;index=1,<sip:+15105550112@a;cause=302>;index=2,"
               "<sip:+15105550111@a;cause=302>;index=3,<sip:+15105550115@a;cause=302>;index=4\r\n",
     .found = "warning caller-id-loop INVITE History-Info " AT
              "History-Info of INVITE names +15105550111 twice as left for another: the call is "
              "diverted in a loop\n" SEES ME " (by From)\n"},
    {.name = "on the BYE nobody is called",
     .bye = ASSERTED("sip:a@b") ASSERTED("sip:c@d") ASSERTED("sip:e@f"),
     .found = ""},
};

static void test_caller_id(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.packs = {"caller-id"}};
        packs_judge(&lab, &cases[i]);
        lab_free(&lab);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool agree;
    } numbers[] = {
        {"+14155550100", "+14155550100", true},
        {"+1-415-555-0100", "(415) 555.0100", true},
        {"+14155550100", "5550100", true},
        {"+14155550100", "555010", false},
        {"+14155550100", "+15105550100", false},
        {"911", "911", true},
        {"1911", "911", false},
        {"", "", false},
    };
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_int_equal(sip_number_agrees(slice_of(numbers[i].a), slice_of(numbers[i].b)),
                         numbers[i].agree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_caller_id),
                                       cmocka_unit_test(test_numbers)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of the pack `hygiene`, with names and values that are nearly as bad and are let pass.
 */
#include "packs.h"

#define X10(s) s s s s s s s s s s
#define TEN    "0123456789"
#define WORDS  "a word a w" /* ten bytes, no hash */
#define I      " hygiene-"

#define NAMES(n) "X-A" n ": 1\r\nX-B" n ": 1\r\nX-C" n ": 1\r\nX-D" n ": 1\r\nX-E" n ": 1\r\n"

static const struct pack_case cases[] = {
    {.name = "clean",
     .invite = "X-A: 1\r\nSubject: a (b) ${\r\n",
     .bye = "X-A: 2\r\n",
     .found = ""},
    {.name = "a name with a space",
     .invite = "X Foo: 1\r\n",
     .found = "error hygiene-name INVITE X Foo @203.0.113.20: \"X Foo\" on INVITE is no header "
              "name: RFC 3261 "
              "wants a token, letters, digits and -.!%*_+`'~\n"},
    {.name = "odd, and a token", .invite = "x.y+z~: 1\r\n", .found = ""},
    {.name = "empty, on two messages",
     .invite = "X-A: \r\n",
     .bye = "x-a:\r\n",
     .found = "warning hygiene-empty INVITE X-A @203.0.113.20: X-A of INVITE has no value; also on "
              "BYE\n"},
    {.name = "empty, as standard headers may be",
     .invite = "Supported:\r\nAccept:\r\n",
     .found = ""},
    {.name = "emptied by a proxy",
     .bye = "X-A: 1\r\n",
     .change = {"kam1", "BYE", "X-A: 1", "X-A: "},
     .found = "warning hygiene-empty BYE X-A @kam1: X-A of BYE has no value; kam1 made it so\n"},
    {.name = "variables",
     .bye = "X-A: ${EXTEN}\r\nX-B: a%{caller}b\r\nX-C: {{queue}}\r\nX-D: $(hdr(X-Q){s.len})\r\n"
            "X-E: $hdr(X-Q)\r\nX-F: $fU\r\nX-G: $var(x)\r\nX-H: #{q}\r\n",
     .found = "error hygiene-variable BYE X-A @livekit: X-A of BYE carries \"${EXTEN}\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-B @livekit: X-B of BYE carries \"%{caller}\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-C @livekit: X-C of BYE carries \"{{queue}}\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-D @livekit: X-D of BYE carries \"$(hdr(X-Q)\" as it "
              "was written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-E @livekit: X-E of BYE carries \"$hdr(X-Q)\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-F @livekit: X-F of BYE carries \"$fU\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-G @livekit: X-G of BYE carries \"$var(x)\" as it was "
              "written: nothing put the value in its place\n"
              "error hygiene-variable BYE X-H @livekit: X-H of BYE carries \"#{q}\" as it was "
              "written: nothing put the value in its place\n"},
    {.name = "no variables",
     .bye = "X-A: US$(100)\r\nX-B: {\"a\":{\"b\":{}}}\r\nX-C: $5 (five)\r\nX-D: 100% {x}\r\n"
            "X-E: $fUx\r\nX-F: $5(a)\r\nX-G: {{\r\nX-H: ${\r\nX-I: {{}}\r\nX-J: #1 {a}\r\n",
     .found = ""},
    {.name = "encoded",
     .bye = "X-A: a%20b%C3%A4\r\n",
     .found = "warning hygiene-encoded BYE X-A @livekit: X-A of BYE is percent-encoded: "
              "\"a%20b%C3%A4\" stands for \"a b\xc3\xa4\"\n"},
    {.name = "not encoded",
     .bye = "X-A: 50%20 off\r\nX-B: 100%\r\nX-C: https://a/?b=%20\r\nX-D: sip:a%40b@c\r\n"
            "X-E: a%2\r\nX-F: <sip:a%40b@c>\r\nX-G: %zz%20\r\n",
     .found = ""},
    {.name = "a control byte",
     .bye = "X-A: a\x01"
            "b\r\nX-B: a\rb\r\n",
     .found =
         "error hygiene-control BYE X-A @livekit: X-A of BYE has the control byte 0x01 in its "
         "value\n"
         "error hygiene-control BYE X-B @livekit: X-B of BYE has the control byte 0x0d (CR) in "
         "its value\n"},
    {.name = "no control byte",
     .bye = "X-A: a\tb\r\nX-B: a\r\n b\r\nX-C: \xc2\x85\r\n",
     .found = ""},
    {.name = "a line break",
     .bye = "X-A: first\r\nsecond\r\n",
     .found = "error hygiene-line-break BYE X-A @livekit: a line without a colon stands after X-A "
              "of BYE: its value had a line break, and the next element may drop the message\n"},
    {.name = "257 characters",
     .bye = "X-A: " X10("01234567890123456789/+-. ") "1234567\r\n",
     .found = "warning hygiene-long BYE X-A @livekit: X-A of BYE has 257 characters; more than 256 "
              "do not pass everywhere\n"},
    {.name = "254 characters, 508 bytes",
     .bye = "X-A: " X10("\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4 "
                        "\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4 "
                        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4") "1234\r\n",
     .found = ""},
    {.name = "64 bytes, perhaps cut",
     .bye = "X-A: " WORDS WORDS WORDS WORDS WORDS WORDS "1234\r\n",
     .found = "note hygiene-truncated BYE X-A @livekit: X-A of BYE has exactly 64 bytes, a usual "
              "limit: it may have been cut there\n"},
    {.name = "64 bytes, amid a quotation",
     .bye = "X-A: a=\"" TEN TEN TEN TEN TEN TEN "1\r\n",
     .found = "warning hygiene-truncated BYE X-A @livekit: X-A of BYE has exactly 64 bytes, and it "
              "ends amid what was begun: it was probably cut there\n"},
    {.name = "64 bytes, longer in the INVITE",
     .invite = "X-A: " WORDS WORDS WORDS WORDS WORDS WORDS "123456\r\n",
     .bye = "X-A: " WORDS WORDS WORDS WORDS WORDS WORDS "1234\r\n",
     .found = "warning hygiene-truncated BYE X-A @livekit: X-A of BYE has exactly 64 bytes: "
              "elsewhere in the call its value goes on after that\n"},
    {.name = "a hash, and 63 and 65 bytes",
     .bye = "X-A: " TEN TEN TEN TEN TEN TEN "abcd\r\n"
            "X-B: " WORDS WORDS WORDS WORDS WORDS WORDS "123\r\n"
            "X-C: " WORDS WORDS WORDS WORDS WORDS WORDS "12345\r\n",
     .found = ""},
    {.name = "11 custom headers",
     .bye = NAMES("1") NAMES("2") "X-F: 1\r\n",
     .found = "note hygiene-many BYE  @livekit: BYE carries 11 custom headers, more than 10\n"},
    {.name = "10 custom headers", .bye = NAMES("1") NAMES("2"), .found = ""},
    {.name = "21 custom headers",
     .bye = NAMES("1") NAMES("2") NAMES("3") NAMES("4") "X-F: 1\r\n",
     .found = "warning hygiene-too-many BYE  @livekit: BYE carries 21 custom headers, more than "
              "20\n"},
    {.name = "doubled",
     .bye =
         "User-Agent: a\r\nUser-Agent: b\r\nX-A: 1\r\nX-A: 2\r\nSupported: a\r\nSupported: b\r\n",
     .found = "error hygiene-duplicate BYE User-Agent @livekit: User-Agent stands 2 times on BYE, "
              "where RFC 3261 allows one\n"},
    {.name = "doubled, one in its compact form",
     .invite = "s: a\r\nSubject: a\r\n",
     .found = "error hygiene-duplicate INVITE s @203.0.113.20: s stands 2 times on INVITE, where "
              "RFC 3261 "
              "allows one\n"},
    {.name = "misspelt",
     .invite = "P-Asserted-Id: <sip:1@a>\r\nConent-Type: a/b\r\nUserAgent: a\r\nX_Foo: 1\r\n"
               "Remote-Prty-ID: <sip:1@a>\r\n",
     .found =
         "warning hygiene-near-miss INVITE P-Asserted-Id @203.0.113.20: P-Asserted-Id on INVITE is "
         "not the "
         "standard header P-Asserted-Identity, which it was probably meant to be: it is "
         "passed by as unknown\n"
         "warning hygiene-near-miss INVITE Conent-Type @203.0.113.20: Conent-Type on INVITE is not "
         "the "
         "standard header Content-Type, which it was probably meant to be: it is passed by "
         "as unknown\n"
         "warning hygiene-near-miss INVITE UserAgent @203.0.113.20: UserAgent on INVITE is not the "
         "standard header User-Agent, which it was probably meant to be: it is passed by as "
         "unknown\n"
         "warning hygiene-near-miss INVITE X_Foo @203.0.113.20: X_Foo on INVITE begins with X_, "
         "not X-: "
         "what looks for X-* passes it by\n"
         "warning hygiene-near-miss INVITE Remote-Prty-ID @203.0.113.20: Remote-Prty-ID on INVITE "
         "is not "
         "the standard header Remote-Party-ID, which it was probably meant to be: it is "
         "passed by as unknown\n"},
    {.name = "names of their own",
     .invite = "Cell-Info: 1\r\nContact-ID: 1\r\nX-User-Agen: 1\r\nP-Charge-Info: 1\r\n"
               "P-Charge: 1\r\nCall-Type: 1\r\nDiversion: <sip:1@a>\r\nCisco-Guid: 1\r\n"
               "Agent: 1\r\nk: a\r\n",
     .found = ""},
};

static void test_hygiene(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab lab = {.packs = {"hygiene"}};
        packs_judge(&lab, &cases[i]);
        lab_free(&lab);
    }
}

/* 1300 bytes of a message on UDP, on TCP. */
static void test_size(void **state)
{
    (void)state;
    static const struct {
        enum lab_transport transport;
        const char *pad, *found;
    } sizes[] = {
        {LAB_UDP, "", ""},
        {LAB_UDP, "X",
         "warning hygiene-udp-size BYE  @kam1: BYE has 1301 bytes on UDP, more than 1300; kam1 "
         "made it so\n"},
        {LAB_TCP_ONE, "X", ""},
    };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct lab lab = {.packs = {"hygiene"}, .transport = sizes[i].transport};
        struct text headers = {0};
        struct path p = packs_path(&lab);
        struct told m = {.method = "BYE", .cseq = 1, .up = true, .headers = ""};
        for (size_t k = 0; k < 20; k++)
            text_printf(&headers, "Warning: 399 a \"0123456789 0123456789 01\"\r\n");
        m.headers = headers.p;
        struct text bare = path_message(&p, &packs_dialog, &m, 1);
        text_printf(&headers, "Warning: 399 a \"%s", sizes[i].pad);
        while (bare.n + 16 + 3 < 1300) {
            text_add_char(&headers, 'a');
            bare.n++;
        }
        text_printf(&headers, "\"\r\n");
        m.headers = headers.p;
        path_call(&p, &packs_dialog, NULL);
        path_ask(&p, &packs_dialog, m);
        lab_run(&lab);
        assert_string_equal(lab.ruled.p, sizes[i].found);
        text_free(&bare);
        text_free(&headers);
        lab_free(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hygiene), cmocka_unit_test(test_size)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

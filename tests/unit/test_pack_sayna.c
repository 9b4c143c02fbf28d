/* Unit tests of the pack `sayna`: its configuration, in YAML and in variables, and calls that fit
 * it or do not. */
#include "packs.h"

/* ---- the configuration ---------------------------------------------------------------------- */

static const struct {
    const char *yaml;
    const char *mistakes; /* a line each; "error: ..." where it is refused */
} configurations[] = {
    {"sip:\n  room_prefix: sip-\n  allowed_addresses: [10.0.0.1, \" 10.1.0.0/16 \"]\n", ""},
    {"sip: {room_prefix: \"a_b-9\", allowed_addresses: [\"1.2.3.4\"], hook_secret: "
     "0123456789abcdef0x,\n"
     "  hooks: [{host: a.b, url: \"https://x\"}, {host: c, url: \"https://y\"}]}\n",
     ""},
    {"sip:\n  allowed_addresses: [10.0.0.1]\n",
     "0 c:2:3: room_prefix is empty: Sayna does not start\n"},
    {"sip:\n  room_prefix: \"a/b\"\n  allowed_addresses: [10.0.0.1]\n",
     "0 c:2:16: room_prefix \"a/b\" has other than letters, digits, - and _: Sayna does not "
     "start\n"},
    {"sip:\n  room_prefix: a\n", "1 c: allowed_addresses is empty: Sayna does not start\n"},
    {"sip:\n  room_prefix: a\n  allowed_addresses: [\"::1\", example.com, 10.0.0.256, "
     "10.0.0.0/33]\n",
     "1 c:3:23: allowed_addresses: \"::1\" is no IPv4 address or CIDR range\n"
     "1 c:3:30: allowed_addresses: \"example.com\" is no IPv4 address or CIDR range\n"
     "1 c:3:43: allowed_addresses: \"10.0.0.256\" is no IPv4 address or CIDR range\n"
     "1 c:3:55: allowed_addresses: \"10.0.0.0/33\" is no IPv4 address or CIDR range\n"},
    {"sip:\n  room_prefix: a\n  allowed_addresses: [10.0.0.1]\n  hook_secret: 0123456789abcdef-\n"
     "  hooks:\n  - {host: A.example, url: \"https://a\"}\n  - {host: \" a.Example\", url: "
     "\"https://b\"}\n",
     "2 c:7:5: host \"a.example\" has a hook already, at c:6:5: Sayna does not start\n"},
    {"sip:\n  room_prefix: a\n  allowed_addresses: [10.0.0.1]\n"
     "  hooks:\n  - {host: a, url: \"http://a\", secret: 0123456789abcdef-}\n"
     "  - {host: b, url: \"https://b\"}\n  - {host: c, url: \"https://c\", secret: \" 15 bytes and "
     "4 \"}\n",
     "3 c:5:5: the hook of \"a\" is no https:// URL: \"http://a\"\n"
     "4 c:6:5: the hook of \"b\" has no secret, and there is no hook_secret: Sayna since it signs "
     "webhooks does not start\n"
     "4 c:7:5: the hook's secret has 14 bytes: Sayna wants 16 at least and does not start\n"},
    {"server:\n  port: 1\n", "error: c: it has no sip block, which is what a Sayna configuration "
                             "says of SIP\n"},
    {"sip: true\n", "error: c: it has no sip block, which is what a Sayna configuration says of "
                    "SIP\n"},
    {"sip:\n  room_prefix: [a]\n",
     "error: c:2:16: room_prefix: expected a string, found an array\n"},
    {"sip:\n  room_prefix: a\n  hooks:\n  - {host: a}\n",
     "error: c:4:5: url: expected a string, found an object\n"},
    {"sip:\n  room_prefix: a\n  allowed_addresses: 10.0.0.1\n",
     "error: c:3:22: allowed_addresses: expected a list, found a string\n"},
    {"sip:\n  room_prefix: a\n  allowed_addresses: [{a: b}]\n",
     "error: c:3:23: allowed_addresses: expected a string, found an object\n"},
    {"sip:\n  room_prefix: a\n  hooks: [5]\n",
     "error: c:3:11: hooks: expected a mapping with host and url, found a number\n"},
};

static void add_mistakes(struct text *out, bool good, const struct expect_sayna *s,
                         const struct err *err)
{
    text_add(out, SLICE(""));
    if (!good)
        text_printf(out, "error: %s\n", err->text);
    for (size_t i = 0; good && i < s->mistake_count; i++)
        text_printf(out, "%d %.*s\n", (int)s->mistakes[i].rule, SLICE_ARG(s->mistakes[i].message));
}

static void test_configuration(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(configurations); i++) {
        struct expect_sayna s = {0};
        struct err err;
        struct text found = {0};
        bool good = expect_sayna_parse(&s, "c", slice_of(configurations[i].yaml), &err);
        add_mistakes(&found, good, &s, &err);
        assert_string_equal(found.p, configurations[i].mistakes);
        text_free(&found);
        expect_sayna_free(&s);
    }
}

/* The hooks are JSON; the secret is told nowhere. */
static void test_variables(void **state)
{
    static const struct {
        const char *prefix, *allowed, *hooks, *secret, *mistakes;
    } cases[] = {
        {"sip-", " 10.0.0.1 ,,10.1.0.0/16", "[{\"host\":\"A\",\"url\":\"https://a\"}]",
         "0123456789abcdef", ""},
        {NULL, "10.0.0.1", NULL, NULL,
         "0 SIP_ROOM_PREFIX: room_prefix is empty: Sayna does not start\n"},
        {"sip-", NULL, NULL, NULL,
         "1 SIP_ALLOWED_ADDRESSES: allowed_addresses is empty: Sayna does not start\n"},
        {"sip-", "10.0.0.1,x", "[{\"host\":\"A\",\"url\":\"https://a\"}]", "short",
         "1 SIP_ALLOWED_ADDRESSES: allowed_addresses: \"x\" is no IPv4 address or CIDR range\n"
         "4 SIP_HOOK_SECRET: it has 5 bytes: Sayna wants 16 at least and does not start\n"},
        {"sip-", "10.0.0.1", "{}", NULL,
         "error: SIP_HOOKS_JSON:1:1: SIP_HOOKS_JSON: expected a list, found an object\n"},
        {NULL, NULL, NULL, NULL,
         "error: --pack sayna needs --sayna FILE, or the variables SIP_ROOM_PREFIX, "
         "SIP_ALLOWED_ADDRESSES and SIP_HOOKS_JSON of Sayna\n"},
    };
    static const char *const names[] = {"SIP_ROOM_PREFIX", "SIP_ALLOWED_ADDRESSES",
                                        "SIP_HOOKS_JSON", "SIP_HOOK_SECRET"};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const values[] = {cases[i].prefix, cases[i].allowed, cases[i].hooks,
                                      cases[i].secret};
        struct expect_sayna s = {0};
        struct err err;
        struct text found = {0};
        for (size_t k = 0; k < COUNT(names); k++)
            (void)(values[k] ? setenv(names[k], values[k], 1) : unsetenv(names[k]));
        bool good = expect_sayna_variables(&s, getenv, &err);
        add_mistakes(&found, good, &s, &err);
        assert_string_equal(found.p, cases[i].mistakes);
        text_free(&found);
        expect_sayna_free(&s);
    }
}

/* ---- the calls ------------------------------------------------------------------------------ */

#define CONFIGURATION(allowed)                                                                     \
    "sip:\n  room_prefix: sip-\n  hook_secret: 0123456789abcdef-\n  allowed_addresses: [" allowed  \
    "]\n  hooks:\n  - {host: Example.com, url: \"https://e\"}\n"                                   \
    "  - {host: a.example, url: \"https://a\"}\n"
#define HOOKED(header, host, url, line)                                                            \
    "note sayna-hook INVITE " header " @: " header " of INVITE names " host ": the hook " url      \
    " hears of the call (c:" line ":5)\n"

static const struct {
    const char *name, *yaml;
    struct pack_case call;
} fits[] = {
    {"allowed, by To",
     CONFIGURATION("10.0.1.1"),
     {.found = HOOKED("To", "example.com", "https://e", "6")}},
    {"by X-To-IP",
     CONFIGURATION("10.0.0.0/16"),
     {.invite = "X-To-IP: A.example:5060\r\n",
      .found = HOOKED("X-To-IP", "A.example", "https://a", "7")}},
    {"by a URI in X-To-IP",
     CONFIGURATION("10.0.0.0/16"),
     {.invite = "X-To-IP: <sip:b@a.example:5060;x=y>\r\n",
      .found = HOOKED("X-To-IP", "a.example", "https://a", "7")}},
    {"not allowed, nobody hears",
     CONFIGURATION("203.0.113.20"),
     {.invite = "X-To-IP: b.example\r\n",
      .found = "error sayna-source INVITE  @: INVITE comes to LiveKit from 10.0.1.1, which is not "
               "in allowed_addresses of Sayna's configuration: the trunk that Sayna makes refuses "
               "it\n"
               "warning sayna-no-hook INVITE X-To-IP @: X-To-IP of INVITE names b.example, for "
               "which Sayna has no hook: nobody hears of the call\n"}},
};

static void test_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fits); i++) {
        struct expect_sayna s = {0};
        struct err err;
        struct lab lab = {.packs = {"sayna"}, .sayna = &s, .livekit = "livekit"};
        if (!expect_sayna_parse(&s, "c", slice_of(fits[i].yaml), &err))
            fail_msg("%s", err.text);
        packs_judge(&lab, &fits[i].call);
        lab_free(&lab);
        expect_sayna_free(&s);
    }
}

/* Where the captures end before LiveKit nothing is claimed. */
static void test_unseen(void **state)
{
    struct expect_sayna s = {0};
    struct err err;
    struct lab lab = {.packs = {"sayna"}, .sayna = &s, .livekit = "10.0.9.9"};
    (void)state;
    assert_true(expect_sayna_parse(&s, "c", SLICE(CONFIGURATION("10.0.9.1")), &err));
    struct path p = packs_path(&lab);
    p.nodes[2].name = "peer";
    path_call(&p, &packs_dialog, NULL);
    lab_run(&lab);
    assert_string_equal(lab.ruled.p,
                        "note sayna-unseen INVITE  @kam1: INVITE was not seen as LiveKit gets it: "
                        "whether its source is allowed, and which hook hears of it, the captures "
                        "cannot tell\n");
    lab_free(&lab);
    expect_sayna_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_configuration),
                                       cmocka_unit_test(test_variables),
                                       cmocka_unit_test(test_calls), cmocka_unit_test(test_unseen)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

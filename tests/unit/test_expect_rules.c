/* expect/rules: what is read from files and lines, and the place of each mistake. */
#include "expect/expect.h"

#include "unit.h"

#include <stdio.h>

/* ---- mistakes -------------------------------------------------------------------------------- */

static void join(struct text *t, const struct expect_mistakes *m)
{
    for (size_t i = 0; i < m->n; i++) {
        text_add(t, m->items[i]);
        text_add_char(t, '\n');
    }
    if (m->more)
        text_printf(t, "and %zu more\n", m->more);
}

#define RULE "- id: a\n  header: X-A\n"

static void test_mistakes(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "r: empty, YAML was expected\n"},
        {"a: }", "r:1:4: not valid YAML: did not find expected node content, while parsing a block "
                 "node that begins at line 1, column 4\n"},
        {"x\n", "r:1:1: no rules here: a list is expected, under \"rules\"\n"},
        {"rule:\n" RULE, "r:1:1: unknown key \"rule\"; did you mean \"rules\"?\n"
                         "r:1:1: no rules here: a list is expected, under \"rules\"\n"},
        {"rules: []\n", "r:1:8: the list of rules is empty\n"},
        {"rules:\n  id: a\n", "r:2:3: expected an array of rules, found an object\n"},
        {"version: 2\nrules:\n" RULE, "r:1:10: version has to be 1: this program reads no other\n"},
        {"- a\n", "r:1:3: expected a rule, which is an object, found a string\n"},
        {"- {}\n", "r:1:3: a rule needs an id\nr:1:3: a rule needs a header\n"},
        {RULE RULE, "r:3:3: rule a: the id stands twice, first at r:1:3\n"},
        {"- id: a b\n  header: X\n",
         "r:1:7: id: 1 to 64 letters, digits, dashes, dots and underscores are allowed\n"},
        {RULE "  heder: X-B\n", "r:3:3: rule a: unknown key \"heder\"; did you mean \"header\"?\n"},
        {RULE "  frobnicate: 1\n", "r:3:3: rule a: unknown key \"frobnicate\"\n"},
        {RULE "  id: b\n", "r:3:3: the key \"id\" stands twice in one object, first at line 1, "
                           "column 3\n"},
        {"- id: a\n  header: 'X-A:'\n",
         "r:2:11: rule a: header: a header name ends before its colon: \"X-A:\"\n"},
        {"- id: a\n  header: X A\n",
         "r:2:11: rule a: header: a header name has no such character: \"X A\"\n"},
        {"- id: a\n  header: ''\n", "r:2:11: rule a: header: no header name: \"\"\n"},
        {"- id: a\n  header: [X]\n", "r:2:11: rule a: header: expected a string, found an array\n"},
        {RULE "  severity: eror\n", "r:3:13: rule a: severity: expected error, warning or note, "
                                    "found \"eror\"; did you mean \"error\"?\n"},
        {RULE "  message: bye\n",
         "r:3:12: rule a: message: unknown method \"bye\"; did you mean \"BYE\"?\n"},
        {RULE "  message: [BYE, INVTE]\n",
         "r:3:18: rule a: message: unknown method \"INVTE\"; did you mean \"INVITE\"?\n"},
        {RULE "  message: INVITE 2xy\n",
         "r:3:12: rule a: message: no status, which is like 200 or 2xx: \"2xy\"\n"},
        {RULE "  message: INVITE 700\n",
         "r:3:12: rule a: message: no status, which is like 200 or 2xx: \"700\"\n"},
        {RULE "  message: []\n", "r:3:12: rule a: message: the list is empty\n"},
        {RULE "  message: {method: BYE}\n",
         "r:3:12: rule a: message: expected a string, found an object\n"},
        {RULE "  direction: in\n",
         "r:3:14: rule a: direction: expected inbound or outbound, found \"in\"\n"},
        {RULE "  sender: ~\n", "r:3:11: rule a: sender: expected a string, found null\n"},
        {RULE "  at: last_hop\n",
         "r:3:7: rule a: at: unknown place \"last_hop\"; did you mean \"last-hop\"?\n"},
        {RULE "  present: yes\n",
         "r:3:12: rule a: present: expected true or false, found a string\n"},
        {RULE "  present: true\n  absent: true\n",
         "r:4:3: rule a: absent contradicts what was said before of the header's presence\n"},
        {RULE "  optional: true\n  present: true\n",
         "r:4:3: rule a: present contradicts what was said before of the header's presence\n"},
        {RULE "  absent: true\n  equals: x\n",
         "r:4:3: rule a: equals contradicts that the header is to be absent\n"},
        {RULE "  count: -1\n", "r:3:10: rule a: count: -1 is no whole number from 0 to 1000000\n"},
        {RULE "  count: {min: 2, max: 1}\n", "r:3:10: rule a: count: min is greater than max\n"},
        {RULE "  count: {mim: 2}\n",
         "r:3:11: rule a: unknown key \"mim\"; did you mean \"min\"?\n"},
        {RULE "  count: 0\n", "r:3:3: rule a: count: say \"absent: true\" instead\n"},
        {RULE "  length: long\n",
         "r:3:11: rule a: length: expected a number, or min and max, found a string\n"},
        {RULE "  equals: [a, b]\n",
         "r:3:11: rule a: equals: expected a string; \"one-of\" takes several\n"},
        {RULE "  one-of: a\n",
         "r:3:11: rule a: one-of: expected an array of strings, found a string\n"},
        {RULE "  one-of: []\n", "r:3:11: rule a: one-of: the list is empty\n"},
        {RULE "  one-of: [a, [b]]\n",
         "r:3:15: rule a: one-of: expected a string, found an array\n"},
        {RULE "  equals: a\n  one-of: [a]\n",
         "r:4:3: rule a: equals and one-of stand together: put the value into one-of\n"},
        {RULE "  matches: '^(a|b'\n", "r:3:12: rule a: matches: no regular expression: missing "
                                      "closing parenthesis (after 5 bytes of it)\n"},
        {RULE "  equals: c\n  matches: '^[ab]$'\n",
         "r:3:3: rule a: equals: \"c\" contradicts what else is asked for: it is no match for "
         "^[ab]$\n"},
        {RULE "  one-of: [a, abc]\n  length: {max: 2}\n",
         "r:3:3: rule a: one-of: \"abc\" contradicts what else is asked for: it is of 3 "
         "characters, at most 2 are allowed\n"},
        {RULE "  equals: a\n  not-equals: [b, a]\n",
         "r:3:3: rule a: equals: \"a\" contradicts what else is asked for: it is a value that the "
         "rule refuses\n"},
        {RULE "  part: {separator: ';'}\n", "r:3:9: rule a: part: its name is missing\n"},
        {RULE "  part: {name: x, separator: '; '}\n",
         "r:3:30: rule a: separator: expected one character, other than a quote\n"},
        {RULE "  part: {name: x, assign: ';'}\n",
         "r:3:9: rule a: part: separator and assign are the same character\n"},
        {RULE "  same-as: x-a\n", "r:3:3: rule a: same-as: the header is compared with itself\n"},
        {RULE "  same-as: X-*\n",
         "r:3:12: rule a: same-as: a header by its full name is expected\n"},
        {RULE "  user-of: Form\n",
         "r:3:12: rule a: user-of: \"Form\" has no user; did you mean \"From\"?\n"},
        {RULE "  unchanged: true\n  at: first-hop\n",
         "r:3:3: rule a: unchanged: nothing lies upstream of the first hop\n"},
        {RULE "  unique: true\n  equals: 5\n",
         "r:3:3: rule a: unique: calls cannot differ in a value that is given\n"},
        {RULE "  when: caller\n", "r:3:9: rule a: when: expected an object of conditions, found a "
                                  "string\n"},
        {RULE "  when:\n    calee: x\n",
         "r:4:5: rule a: unknown key \"calee\"; did you mean \"callee\"?\n"},
        {RULE "  when:\n    header:\n    - {equals: x}\n",
         "r:5:7: rule a: a condition has to name its header\n"},
        {RULE "  when: {header: {header: X, at: kam1}}\n", "r:3:30: rule a: unknown key \"at\"\n"},
        /* all of a file are told, in their order */
        {RULE "  sverity: note\n  message: bye\n- id: b\n  heder: X\n",
         "r:3:3: rule a: unknown key \"sverity\"; did you mean \"severity\"?\n"
         "r:4:12: rule a: message: unknown method \"bye\"; did you mean \"BYE\"?\n"
         "r:6:3: rule b: unknown key \"heder\"; did you mean \"header\"?\n"
         "r:5:3: rule b: a rule needs a header\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_rules rules = {0};
        struct expect_mistakes m = {0};
        struct text t = {0};
        assert_false(expect_rules_parse(&rules, "r", slice_of(cases[i].in), &m));
        join(&t, &m);
        assert_string_equal(t.p, cases[i].out);
        assert_int_equal(rules.n, 0);
        text_free(&t);
        expect_mistakes_free(&m);
        expect_rules_free(&rules);
    }
}

static void test_many_mistakes(void **state)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    struct text t = {0};
    (void)state;
    for (int i = 0; i < 25; i++)
        text_printf(&t, "- {id: r%d, header: X, bad: 1}\n", i);
    assert_false(expect_rules_parse(&rules, "r", text_slice(&t), &m));
    assert_int_equal(m.n, EXPECT_MISTAKES_MAX);
    assert_int_equal(m.more, 5);
    expect_mistakes_free(&m);
    expect_rules_free(&rules);
    text_free(&t);
}

static void test_line_mistakes(void **state)
{
    static const struct {
        bool forbid;
        const char *in, *out;
    } cases[] = {
        {false, "", "--require '': the rule is empty\n"},
        {false, "BYE", ""},
        {false, "bye X-A",
         "--require 'bye X-A': unknown method \"bye\"; did you "
         "mean \"BYE\"?\n"},
        {false, "BYE INVITE X-A", "a second message: \"INVITE\"\n"},
        {false, "BYE@a X-A@b", "a second place: \"b\"\n"},
        {false, "X-A@", "no place, which is a point, a node or like last-hop: \"\"\n"},
        {false, "X-A@lasthop", "unknown place \"lasthop\"; did you mean \"last-hop\"?\n"},
        {false, "BYE X-A=~(",
         "matches: no regular expression: missing closing parenthesis (after "
         "1 bytes of it)\n"},
        {false, "X-A[]=1", "the part between the brackets is missing: \"X-A\"\n"},
        {false, "severity=eror X-A", "severity has to be error, warning or note: \"eror\"\n"},
        {false, "INVITE/2x X-A", "no status, which is like 200 or 2xx: \"2x\"\n"},
        {false, "=a", "no header name: \"\"\n"},
        {true, "X-A[b]", "the value is missing that the part must not have; =~.* is any: \"b\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_rules rules = {0};
        struct expect_mistakes m = {0};
        struct text t = {0};
        bool ok = expect_rules_line(&rules, cases[i].forbid, cases[i].in, &m);
        join(&t, &m);
        assert_int_equal(ok, !*cases[i].out);
        if (!ok && !strstr(t.p, cases[i].out))
            fail_msg("%s: %s", cases[i].in, t.p);
        text_free(&t);
        expect_mistakes_free(&m);
        expect_rules_free(&rules);
    }
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void add_list(struct text *t, const char *name, const struct expect_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        text_printf(t, "%s%s", i ? "|" : "", i ? "" : name);
        text_add(t, list->items[i]);
    }
}

static void add_range(struct text *t, const char *name, const struct expect_range *r)
{
    if (r->given)
        text_printf(t, "%s%u..%d", name, r->min, r->max == EXPECT_NO_MAX ? -1 : (int)r->max);
}

static void add_test(struct text *t, const struct expect_test *test)
{
    static const char *const presences[] = {"?", "present", "absent", "optional"};
    text_add(t, test->header);
    text_printf(t, "%s %s", test->many ? "(many)" : "", presences[test->presence]);
    if (test->part.n) {
        text_printf(t, " part=%c%c", test->separator, test->assign);
        text_add(t, test->part);
    }
    add_list(t, " =", &test->equals);
    add_list(t, " !", &test->unequal);
    if (test->matches.pattern)
        text_printf(t, " ~%s", test->matches.text.p);
    if (test->unlike.pattern)
        text_printf(t, " !~%s", test->unlike.text.p);
    add_range(t, " n=", &test->count);
    add_range(t, " len=", &test->length);
    text_add(t, test->ignore_case ? SLICE(" nocase") : SLICE(""));
}

static void add_rule(struct text *t, const struct expect_rule *r)
{
    static const char *const ways[] = {"", " inbound", " outbound"};
    struct arena a = {0};
    text_printf(t, "%s %s", r->id.p, expect_severity_name(r->severity));
    for (size_t i = 0; i < r->kind_count; i++)
        text_printf(t, "%s%s", i ? "," : " ", expect_kind_text(&a, &r->kinds[i]).p);
    text_printf(t, "%s", ways[r->way]);
    add_list(t, " by ", &r->senders);
    for (size_t i = 0; i < r->place_count; i++)
        text_printf(t, "%s%s", i ? "," : " @", expect_place_text(&a, &r->places[i]).p);
    text_add(t, SLICE(" "));
    add_test(t, &r->test);
    add_list(t, " same=", &r->same_as);
    add_list(t, " user=", &r->user_of);
    text_printf(t, "%s%s", r->unchanged ? " unchanged" : "", r->unique ? " unique" : "");
    add_list(t, " caller=", &r->callers);
    add_list(t, " callee=", &r->callees);
    add_list(t, " trunk=", &r->trunks);
    for (size_t i = 0; i < r->condition_count; i++) {
        text_add(t, SLICE(" when("));
        if (r->conditions[i].has_kind)
            text_printf(t, "%s ", expect_kind_text(&a, &r->conditions[i].kind).p);
        add_test(t, &r->conditions[i].test);
        text_add(t, SLICE(")"));
    }
    arena_free(&a);
}

static void check_rule(const struct expect_rules *rules, const struct expect_mistakes *m,
                       const char *expected)
{
    struct text t = {0};
    join(&t, m);
    assert_string_equal(t.p ? t.p : "", "");
    assert_int_equal(rules->n, 1);
    add_rule(&t, &rules->items[0]);
    assert_string_equal(t.p, expected);
    text_free(&t);
}

static void test_read(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {RULE, "a error X-A present"},
        {RULE "  severity: note\n  message: BYE\n  at: last-hop\n  absent: true\n",
         "a note BYE @last-hop X-A absent"},
        {RULE "  present: false\n", "a error X-A absent"},
        {RULE "  absent: false\n", "a error X-A present"},
        {RULE "  message: [INVITE, re-INVITE, 'INVITE 2xx', 404, '* 3xx', '*', FOO]\n",
         "a error INVITE,re-INVITE,INVITE 2xx,404,3xx,any request,FOO X-A present"},
        {RULE "  at: [every-hop, kam1, 'kam1:in', '10.0.0.1:out', 'fd00::1']\n",
         "a error @every-hop,kam1,kam1:in,10.0.0.1:out,fd00::1 X-A present"},
        {RULE "  sender: livekit\n  direction: outbound\n",
         "a error outbound by livekit X-A present"},
        {RULE "  equals: 0012\n", "a error X-A present =0012"},
        {RULE "  equals: true\n", "a error X-A present =true"},
        {RULE "  equals: +15105550100\n", "a error X-A present =+15105550100"},
        {RULE "  one-of: [Sales, Billing]\n  ignore-case: true\n",
         "a error X-A present =Sales|Billing nocase"},
        {RULE "  not-equals: a\n  optional: true\n", "a error X-A optional !a"},
        {RULE "  matches: ^a\n  not-matches: b$\n", "a error X-A present ~^a !~b$"},
        {RULE "  count: 1\n  length: {max: 256}\n", "a error X-A present n=1..1 len=0..256"},
        {RULE "  count: {max: 2}\n", "a error X-A optional n=0..2"},
        {RULE "  count: {min: 2}\n", "a error X-A present n=2..-1"},
        {RULE "  part: account\n  matches: '^\\d+$'\n",
         "a error X-A present part=;=account ~^\\d+$"},
        {RULE "  part: {name: a, separator: ',', assign: ':'}\n", "a error X-A present part=,:a"},
        {RULE "  same-as: X-B\n", "a error X-A present same=X-B"},
        {RULE "  user-of: [To, P-Asserted-Identity]\n",
         "a error X-A present user=To|P-Asserted-Identity"},
        {RULE "  unchanged: true\n", "a error X-A optional unchanged"},
        {RULE "  unchanged: true\n  present: true\n", "a error X-A present unchanged"},
        {RULE "  unique: true\n", "a error X-A present unique"},
        {"- {id: a, header: 'X-Int*', absent: true}\n", "a error X-Int*(many) absent"},
        {RULE "  when: {caller: '+1510*', callee: [1, 2], trunk: ST_x}\n",
         "a error X-A present caller=+1510* callee=1|2 trunk=ST_x"},
        {RULE "  when:\n    header:\n    - {message: INVITE, header: X-T, equals: acme}\n"
              "    - {header: X-D, absent: true}\n",
         "a error X-A present when(INVITE X-T present =acme) when(X-D absent)"},
        {"version: 1\nrules:\n" RULE, "a error X-A present"},
        {"{\"rules\": [{\"id\": \"a\", \"header\": \"X-A\", \"count\": {\"min\": 1}}]}",
         "a error X-A present n=1..-1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_rules rules = {0};
        struct expect_mistakes m = {0};
        expect_rules_parse(&rules, "r", slice_of(cases[i].in), &m);
        check_rule(&rules, &m, cases[i].out);
        expect_mistakes_free(&m);
        expect_rules_free(&rules);
    }
}

static void test_lines(void **state)
{
    static const struct {
        bool forbid;
        const char *in, *out;
    } cases[] = {
        {false, "X-A", "require-1 error X-A present"},
        {false, "BYE X-Five9-Queue", "require-1 error BYE X-Five9-Queue present"},
        {false, " BYE:X-A ", "require-1 error BYE X-A present"},
        {false, "BYE@five9:X-Q=~^(Billing|Sales)$",
         "require-1 error BYE @five9 X-Q present ~^(Billing|Sales)$"},
        {false, "BYE@kam1:in:X-Q", "require-1 error BYE @kam1:in X-Q present"},
        {false, "BYE X-Q@kam1:out=a=b c", "require-1 error BYE @kam1:out X-Q present =a=b c"},
        {false, "BYE@fd00::1 X-Q", "require-1 error BYE @fd00::1 X-Q present"},
        {false, "INVITE/2xx,BYE from=livekit direction=inbound severity=warning X-Q=",
         "require-1 warning INVITE 2xx,BYE inbound by livekit X-Q present ="},
        {false, "X-M[account]=12345", "require-1 error X-M present part=;=account =12345"},
        {false, "from=a b", "require-1 error by a b present"},
        {false, "From=a", "require-1 error From present =a"},
        {true, "X-Internal-*@last-hop", "forbid-1 error @last-hop X-Internal-*(many) absent"},
        {true, "X-A=b", "forbid-1 error X-A optional !b"},
        {true, "X-A=~a b$", "forbid-1 error X-A optional !~a b$"},
        {true, "X-M[debug]=~.*", "forbid-1 error X-M optional part=;=debug !~.*"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_rules rules = {0};
        struct expect_mistakes m = {0};
        expect_rules_line(&rules, cases[i].forbid, cases[i].in, &m);
        check_rule(&rules, &m, cases[i].out);
        assert_true(slice_equal(rules.items[0].about, slice_trim(slice_of(cases[i].in))));
        expect_mistakes_free(&m);
        expect_rules_free(&rules);
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The value against the rule: each of its parts, "holds", "open" or why not. */
static void test_values(void **state)
{
    static const struct {
        const char *rule, *value, *out;
    } cases[] = {
        {"equals: a", "a", "holds;"},
        {"equals: a", "A", "not \"a\";"},
        {"equals: a\n  ignore-case: true", "A", "holds;"},
        {"one-of: [a, b, c]", "d", "not \"a\", \"b\" or \"c\";"},
        {"one-of: [1,2,3,4,5,6,7,8,9,10]", "d",
         "not \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\" or 2 others;"},
        {"not-equals: a", "a", "a value that the rule refuses;"},
        {"matches: ^a", "ba", "no match for ^a;"},
        {"matches: ^B\n  ignore-case: true", "ba", "holds;"},
        {"not-matches: a", "ba", "a match for a;"},
        {"matches: ^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
         "open: too costly to be matched against ^(a+)+$;"},
        /* what fails counts more than what is open */
        {"matches: ^(a+)+$\n  length: 3", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
         "of 45 characters, at most 3 are allowed;"},
        {"length: {min: 2}", "\xc3\xa9", "of 1 character, at least 2 are allowed;"},
        {"length: 1", "\xc3\xa9", "holds;"},
        {"length: 2", "\xff\xfe", "holds;"},
        {"part: account\n  equals: 12345", "account=12345;region=west", "holds;"},
        {"part: region\n  equals: west", "account=12345; region = west ", "holds;"},
        {"part: region\n  equals: west", "account=12345;regio=west", ""},
        {"part: Region\n  equals: west", "region=west", ""},
        {"part: a\n  equals: x", "a=x;b;a=y;a", "holds;not \"x\";not \"x\";"},
        {"part: b\n  equals: x", "a=\"1;b=2\";b=x", "holds;"},
        {"part: a\n  equals: '1;b=\"2'", "a=\"1;b=\\\"2\";b=x", "holds;"},
        {"part: {name: b, separator: ',', assign: ':'}\n  equals: x=1", "a:1,b:x=1", "holds;"},
        {"part: a", "a=", "holds;"},
        {"part: a", "", ""},
        {"part: a\n  equals: x", "\"a=x", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_rules rules = {0};
        struct expect_mistakes m = {0};
        struct arena a = {0};
        struct text in = {0}, out = {0};
        text_printf(&in, RULE "  %s\n", cases[i].rule);
        assert_true(expect_rules_parse(&rules, "r", text_slice(&in), &m));
        const struct expect_test *t = &rules.items[0].test;
        struct expect_list parts = expect_test_parts(&a, t, slice_of(cases[i].value));
        text_add(&out, SLICE(""));
        for (size_t k = 0; k < parts.n; k++) {
            struct slice why = SLICE("holds");
            if (expect_test_value(&a, t, parts.items[k], false, &why) == EXPECT_OPEN)
                text_add(&out, SLICE("open: "));
            text_add(&out, why);
            text_add_char(&out, ';');
        }
        if (strcmp(out.p ? out.p : "", cases[i].out) != 0)
            fail_msg("%s on %s: %s", cases[i].rule, cases[i].value, out.p);
        text_free(&in);
        text_free(&out);
        arena_free(&a);
        expect_mistakes_free(&m);
        expect_rules_free(&rules);
    }
}

/* A secret's words have no value in them. */
static void test_secret(void **state)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    struct arena a = {0};
    struct slice why = SLICE_NONE;
    (void)state;
    assert_true(expect_rules_parse(&rules, "r", SLICE(RULE "  equals: s3cret\n"), &m));
    assert_int_equal(expect_test_value(&a, &rules.items[0].test, SLICE("x"), true, &why),
                     EXPECT_FAILS);
    assert_true(slice_is(why, "not what the rule asks for"));
    assert_true(expect_rules_line(&rules, false, "BYE X-API-Key=s3cret", &m));
    assert_true(slice_is(rules.items[1].about, "BYE X-API-Key=***"));
    expect_mistakes_free(&m);
    arena_free(&a);
    expect_rules_free(&rules);
}

/* The manual's examples are rules without a mistake. */
static void test_manual(void **state)
{
    struct text block = {0};
    char line[512];
    bool inside = false;
    size_t read = 0;
    FILE *f = fopen("man/sipxray-rules.5", "r");
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, ".Bd -literal", 12) == 0) {
            text_clear(&block);
            inside = true;
        } else if (strncmp(line, ".Ed", 3) == 0 && inside) {
            struct expect_rules rules = {0};
            struct expect_mistakes m = {0};
            inside = false;
            if (block.n && block.p[0] != 'R' &&
                !expect_rules_parse(&rules, "manual", text_slice(&block), &m))
                fail_msg("%s", m.items[0].p);
            read += rules.n;
            expect_rules_free(&rules);
            expect_mistakes_free(&m);
        } else if (inside) {
            text_add(&block, slice_of(line));
        }
    }
    fclose(f);
    text_free(&block);
    assert_int_equal(read, 7);
}

/* Rules of several files and lines stand together; ids are one space. */
static void test_several(void **state)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    (void)state;
    assert_true(expect_rules_parse(&rules, "one", SLICE(RULE), &m));
    assert_true(expect_rules_line(&rules, false, "X-A", &m));
    assert_true(expect_rules_line(&rules, false, "X-B", &m));
    assert_true(expect_rules_line(&rules, true, "X-C", &m));
    assert_int_equal(rules.n, 4);
    assert_true(slice_is(rules.items[2].id, "require-2"));
    assert_true(slice_is(rules.items[3].id, "forbid-1"));
    assert_false(expect_rules_parse(&rules, "two", SLICE("- {id: b, header: X}\n" RULE), &m));
    assert_int_equal(rules.n, 4);
    assert_int_equal(m.n, 1);
    assert_true(slice_is(m.items[0], "two:2:3: rule a: the id stands twice, first at one:1:3"));
    assert_false(expect_rules_read(&rules, "/nonexistent.yaml", &m));
    assert_true(slice_is(m.items[1], "/nonexistent.yaml: cannot open: No such file or directory"));
    expect_mistakes_free(&m);
    expect_rules_free(&rules);
}

/* A megabyte of rules is read in a moment; too many are refused. */
static void test_large(void **state)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    struct text t = {0};
    (void)state;
    for (unsigned i = 0; i < EXPECT_RULES_MAX; i++)
        text_printf(&t,
                    "- id: rule-%u\n  header: X-Header-%u\n  message: BYE\n  at: last-hop\n"
                    "  one-of: [Sales, Billing, Support]\n",
                    i, i);
    assert_true(t.n > 1u << 20);
    assert_true(expect_rules_parse(&rules, "r", text_slice(&t), &m));
    assert_int_equal(rules.n, EXPECT_RULES_MAX);
    assert_false(expect_rules_parse(&rules, "r", SLICE(RULE RULE), &m));
    assert_int_equal(m.n, 1);
    assert_true(slice_is(m.items[0], "r:1:3: rule a: more than 10000 rules"));
    text_free(&t);
    expect_mistakes_free(&m);
    expect_rules_free(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),      cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_line_mistakes), cmocka_unit_test(test_read),
        cmocka_unit_test(test_lines),         cmocka_unit_test(test_values),
        cmocka_unit_test(test_secret),        cmocka_unit_test(test_several),
        cmocka_unit_test(test_large),         cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

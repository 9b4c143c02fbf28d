/* sip/names and sip/value: names, tokens, folds, parameters, lists. */
#include "scanned.h"

static void test_header_names(void **state)
{
    (void)state;
    for (unsigned id = SIP_HEADER_OTHER + 1; id < SIP_HEADER_COUNT; id++)
        assert_int_equal(sip_header_of(slice_of(sip_header_name(id))), id);
    static const struct {
        const char *name;
        enum sip_header_id id;
    } cases[] = {
        {"via", SIP_HEADER_VIA},       {"V", SIP_HEADER_VIA},
        {"i", SIP_HEADER_CALL_ID},     {"CALL-ID", SIP_HEADER_CALL_ID},
        {"cseq", SIP_HEADER_CSEQ},     {"X", SIP_HEADER_SESSION_EXPIRES},
        {"", SIP_HEADER_OTHER},        {"z", SIP_HEADER_OTHER},
        {"call_id", SIP_HEADER_OTHER}, {"X-Five9-Queue", SIP_HEADER_OTHER},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(sip_header_of(slice_of(cases[i].name)), cases[i].id);
    assert_null(sip_header_name(SIP_HEADER_OTHER));
}

/* The scanner's table and sip_header_of must agree. */
static void test_scanner_names(void **state)
{
    (void)state;
    for (unsigned id = SIP_HEADER_OTHER + 1; id < SIP_HEADER_COUNT; id++) {
        struct text t = {0};
        struct loaded l;
        text_printf(&t, BYE "%s: 1\r\n%s : 2\r\n\r\n", sip_header_name(id), sip_header_name(id));
        load(&l, text_slice(&t));
        assert_int_equal(l.m.headers[0].id, id);
        assert_int_equal(l.m.headers[1].id, id);
        assert_int_equal(l.m.first[id], 0);
        assert_ptr_equal(sip_header_first(&l.m, id), &l.m.headers[0]);
        unload(&l);
        text_free(&t);
    }
    for (int c = 1; c < 256; c++) {
        char line[] = BYE "?: 1\r\n\r\n";
        struct loaded l;
        line[sizeof BYE - 1] = (char)c;
        load(&l, slice_of(line));
        if (l.m.header_count)
            assert_int_equal(l.m.headers[0].id, sip_header_of(l.m.headers[0].name));
        unload(&l);
    }
}

static void test_methods(void **state)
{
    (void)state;
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++)
        assert_int_equal(sip_method_of(slice_of(sip_method_name(id))), id);
    assert_int_equal(sip_method_of(SLICE("invite")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_of(SLICE("INVITES")), SIP_METHOD_OTHER);
    assert_int_equal(sip_method_of(SLICE("")), SIP_METHOD_OTHER);
    assert_null(sip_method_name(SIP_METHOD_OTHER));
}

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(sip_state_name(SIP_WHOLE), "whole");
    assert_string_equal(sip_state_name(SIP_CUT), "cut");
    assert_string_equal(sip_state_name(SIP_GAP), "gap");
    assert_string_equal(sip_state_name(SIP_MIDSTREAM), "midstream");
    for (unsigned id = 0; id < SIP_PROBLEM_COUNT; id++)
        assert_true(strlen(sip_problem_text(id)) > 3);
}

static void test_name_equal(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"X-Five9-Queue", "x-five9-queue", true},
        {"X-Five9-Queue", "X_Five9-Queue", false},
        {"i", "Call-ID", true},
        {"CALL-ID", "I", true},
        {"i", "I", true},
        {"i", "f", false},
        {"z", "Z", true},
        {"z", "y", false},
        {"Via", "Vi", false},
        {"", "", true},
        {"", "v", false},
        {"Call-ID", "CallID", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(sip_name_equal(slice_of(cases[i].a), slice_of(cases[i].b)),
                         cases[i].equal);
}

static void test_token(void **state)
{
    (void)state;
    const char *tokens = "-.!%*_+`'~";
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool wanted = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c && strchr(tokens, c));
        assert_int_equal(sip_is_token((struct slice){&byte, 1}), wanted);
    }
    assert_false(sip_is_token(SLICE("")));
    assert_true(sip_is_token(SLICE("X-Five9")));
    assert_false(sip_is_token(SLICE("X Five9")));
}

static void test_header_next(void **state)
{
    struct loaded l;
    uint32_t at = 99;
    (void)state;
    load(&l, SLICE(BYE "v: 1\r\nX-A: 2\r\nVia: 3\r\nx-a: 4\r\n\r\n"));
    assert_slice(sip_header_next(&l.m, 0, SLICE("X-A"), &at)->value, "2");
    assert_int_equal(at, 1);
    assert_slice(sip_header_next(&l.m, at + 1, SLICE("X-A"), &at)->value, "4");
    assert_int_equal(at, 3);
    assert_null(sip_header_next(&l.m, at + 1, SLICE("X-A"), &at));
    assert_slice(sip_header_next(&l.m, 0, SLICE("VIA"), NULL)->value, "1");
    assert_slice(sip_header_next(&l.m, 1, SLICE("V"), NULL)->value, "3");
    assert_null(sip_header_first(&l.m, SIP_HEADER_FROM));
    unload(&l);
}

static void test_unfold(void **state)
{
    static const struct {
        struct slice lines, value;
    } cases[] = {
        {SLICE("X-A: 1\r\n"), SLICE("1")},
        {SLICE("X-A: 1  2\t3\r\n"), SLICE("1  2\t3")},
        {SLICE("X-A: 1\r\n 2\r\n"), SLICE("1 2")},
        {SLICE("X-A: 1 \t\r\n\t  2\r\n"), SLICE("1 2")},
        {SLICE("X-A:\r\n 1\r\n"), SLICE("1")},
        {SLICE("X-A: 1\r\n \r\n\t\r\n 2\r\n 3\r\n \r\n"), SLICE("1 2 3")},
        {SLICE("X-A: 1\n 2\r\n 3\n"), SLICE("1 2 3")},
        {SLICE("X-A: a\0b\r\n c\0\r\n"), SLICE("a\0b c\0")},
        {SLICE("X-A:\r\n \r\n"), SLICE("")},
        {SLICE("X-A: \"a\r\n b\"\r\n"), SLICE("\"a b\"")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        struct arena a = {0};
        struct loaded l;
        text_add(&t, SLICE(BYE));
        text_add(&t, cases[i].lines);
        text_add(&t, SLICE("\r\n"));
        load(&l, text_slice(&t));
        struct slice value = sip_unfold(&a, &l.m.headers[0]);
        assert_bytes(value, cases[i].value);
        if (!l.m.headers[0].folded)
            assert_ptr_equal(value.p, l.m.headers[0].value.p);
        arena_free(&a);
        unload(&l);
        text_free(&t);
    }
}

static void test_param(void **state)
{
    static const struct {
        const char *value, *name, *out; /* NULL: not there */
    } cases[] = {
        {"<sip:a@b>;tag=x", "tag", "x"},
        {"<sip:a@b>;tag=x", "TAG", "x"},
        {"<sip:a@b>;TAG=x;y", "tag", "x"},
        {"sip:a@b;tag=x", "tag", "x"},
        {"sip:a@b ; tag = x ;q", "tag", "x"},
        {"<sip:a@b;tag=no>", "tag", NULL},
        {"<sip:a@b;tag=no>;tag=yes", "tag", "yes"},
        {"\"x;tag=no\" <sip:a@b>;tag=yes", "tag", "yes"},
        {"\"x\\\";tag=no\" <sip:a@b>;tag=yes", "tag", "yes"},
        {"\"<\" <sip:a@b>;tag=yes", "tag", "yes"},
        {"Bell, Alexander <sip:a@b>;tag=43", "tag", "43"},
        {"<sip:a@b>;x=\";tag=no\";tag=yes", "tag", "yes"},
        {"\"open <sip:a@b>;tag=yes", "tag", "yes"},
        {"<sip:a@b;tag=yes", "tag", "yes"},
        {"<sip:a@b>;lr", "lr", ""},
        {"<sip:a@b>;lr;tag=x", "lr", ""},
        {"<sip:a@b>;tag=", "tag", ""},
        {"<sip:a@b>;tags=x", "tag", NULL},
        {"<sip:a@b>;tag", "tags", NULL},
        {"<sip:a@b>", "tag", NULL},
        {"", "tag", NULL},
        {";", "tag", NULL},
        {";;;tag=x", "tag", "x"},
        {"<sip:a>;tag=x, <sip:b>;tag=y", "tag", "x"},
        {"<sip:a>;q=1,<sip:b>", "q", "1"},
        {"SIP;cause=200;text=\"Call; \\\"done\\\"\"", "text", "Call; \\\"done\\\""},
        {"SIP ;cause=200 ;text=\"\"", "text", ""},
        {"SIP;text=\"open", "text", "\"open"},
        {"a;x=1=2", "x", "1=2"},
        {"18000 (a;tag=no);tag=yes", "tag", "yes"},
        {"(a (b);tag=no);tag=yes", "tag", "yes"},
        {"(open;tag=yes", "tag", "yes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct guard g = guard_copy(cases[i].value, strlen(cases[i].value));
        struct slice out = SLICE("unset");
        bool found = sip_param((struct slice){g.p, g.n}, slice_of(cases[i].name), &out);
        if (found != (cases[i].out != NULL))
            fail_msg("case %zu: %s", i, cases[i].value);
        assert_slice(out, found ? cases[i].out : "unset");
        guard_free(&g);
    }
}

static void test_list(void **state)
{
    static const struct {
        const char *list, *elements[4];
    } cases[] = {
        {"a", {"a"}},
        {"", {0}},
        {" , ,", {0}},
        {"a,b", {"a", "b"}},
        {" a , b ", {"a", "b"}},
        {"a,,b,", {"a", "b"}},
        {"a,\r\n b", {"a", "b"}},
        {"\"x, y\" <sip:a>, <sip:b,c>", {"\"x, y\" <sip:a>", "<sip:b,c>"}},
        {"<sip:a;x=\"y>,b", {"<sip:a;x=\"y>", "b"}},
        {"a (b, c), d", {"a (b, c)", "d"}},
        {"\"open, b", {"\"open", "b"}},
        {"<open, b", {"<open", "b"}},
        {"(open, b", {"(open", "b"}},
        {"\"a\\\", b\", c", {"\"a\\\", b\"", "c"}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct guard g = guard_copy(cases[i].list, strlen(cases[i].list));
        struct slice rest = {g.p, g.n}, element;
        for (size_t k = 0; k < 4 && cases[i].elements[k]; k++) {
            assert_true(sip_list_next(&rest, &element));
            assert_slice(element, cases[i].elements[k]);
        }
        assert_false(sip_list_next(&rest, &element));
        assert_false(sip_list_next(&rest, &element));
        guard_free(&g);
    }
}

/* What is opened again and again and never closed costs no more than one look at the rest each. */
static void test_hostile_values(void **state)
{
    static const char *const units[] = {"\"\\",   "<,",   "(,", "<", "(", "(\\",
                                        "\"\\\"", "<\"(", ";",  ",", "\\"};
    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        struct text t = {0};
        while (t.n < 65536)
            text_add(&t, slice_of(units[i]));
        struct slice rest = text_slice(&t), out;
        sip_param(rest, SLICE("tag"), &out);
        while (sip_list_next(&rest, &out))
            assert_true(out.n > 0);
        text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_names),   cmocka_unit_test(test_scanner_names),
        cmocka_unit_test(test_methods),        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_name_equal),     cmocka_unit_test(test_token),
        cmocka_unit_test(test_header_next),    cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_param),          cmocka_unit_test(test_list),
        cmocka_unit_test(test_hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

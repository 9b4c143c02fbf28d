/* base/text: buffers, UTF-8, width, and the escaping of each kind of output. */
#include "base/text.h"

#include "unit.h"

#include <stdio.h>

struct pair {
    struct slice in;
    const char *out;
};

static void check_pairs(const struct pair *pairs, size_t n,
                        void (*add)(struct text *, struct slice))
{
    for (size_t i = 0; i < n; i++) {
        struct text t = {0};
        add(&t, pairs[i].in);
        assert_string_equal(t.p, pairs[i].out);
        assert_int_equal(t.n, strlen(pairs[i].out));
        text_free(&t);
    }
}

static void test_buffer(void **state)
{
    (void)state;
    struct text t = {0};
    text_add(&t, SLICE(""));
    assert_string_equal(t.p, "");
    for (int i = 0; i < 1000; i++)
        text_add_char(&t, 'x');
    assert_int_equal(t.n, 1000);
    assert_int_equal(strlen(t.p), 1000);
    text_clear(&t);
    assert_string_equal(t.p, "");
    text_printf(&t, "%s-%d", "a", 7);
    text_printf(&t, "%0200d", 1);
    assert_int_equal(t.n, 203);
    assert_true(slice_starts(text_slice(&t), SLICE("a-7000")));
    text_free(&t);
    assert_null(t.p);
}

static void test_utf8(void **state)
{
    static const struct {
        struct slice in;
        size_t n;
        uint32_t code;
    } cases[] = {
        {SLICE(""), 0, 0},
        {SLICE("a"), 1, 'a'},
        {SLICE("\0"), 1, 0},
        {SLICE("\x7f"), 1, 0x7f},
        {SLICE("\xc2\x80"), 2, 0x80},
        {SLICE("\xdf\xbfz"), 2, 0x7ff},
        {SLICE("\xe0\xa0\x80"), 3, 0x800},
        {SLICE("\xef\xbf\xbf"), 3, 0xffff},
        {SLICE("\xf0\x90\x80\x80"), 4, 0x10000},
        {SLICE("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
        {SLICE("\x80"), 0, 0},     /* continuation alone */
        {SLICE("\xc0\x80"), 0, 0}, /* overlong */
        {SLICE("\xc1\xbf"), 0, 0},
        {SLICE("\xe0\x9f\xbf"), 0, 0},
        {SLICE("\xf0\x8f\xbf\xbf"), 0, 0},
        {SLICE("\xed\xa0\x80"), 0, 0}, /* surrogates */
        {SLICE("\xed\xbf\xbf"), 0, 0},
        {SLICE("\xf4\x90\x80\x80"), 0, 0}, /* above U+10FFFF */
        {SLICE("\xf5\x80\x80\x80"), 0, 0},
        {SLICE("\xff"), 0, 0},
        {SLICE("\xc2"), 0, 0}, /* cut */
        {SLICE("\xe2\x82"), 0, 0},
        {SLICE("\xf0\x9f\x98"), 0, 0},
        {SLICE("\xc2"
               "a"),
         0, 0}, /* lead without continuation */
        {SLICE("\xe2\x82"
               "a"),
         0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t code = 0;
        assert_int_equal(utf8_decode(cases[i].in, &code), cases[i].n);
        assert_int_equal(code, cases[i].code);
    }
}

/* Each code point encodes to what utf8_decode reads back. */
static void test_utf8_all(void **state)
{
    (void)state;
    for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
        unsigned char b[4] = {0};
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        uint32_t rest = c, code = 0;
        for (size_t i = n; i-- > 1; rest >>= 6)
            b[i] = (unsigned char)(0x80 | (rest & 0x3f));
        b[0] = (unsigned char)((0xf00 >> n & 0xff) | rest);
        struct slice s = {(const char *)b, n};
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(utf8_decode(s, &code), surrogate ? 0 : n);
        if (!surrogate)
            assert_int_equal(code, c);
    }
}

static void test_terminal(void **state)
{
    static const struct pair cases[] = {
        {SLICE(""), ""},
        {SLICE("True"), "True"},
        {SLICE("caf\xc3\xa9 \xe6\x97\xa5"), "caf\xc3\xa9 \xe6\x97\xa5"},
        {SLICE("\x1b[31mred"), "^[[31mred"},
        {SLICE("a\0b"), "a^@b"},
        {SLICE("\t\r\n\x7f"), "^I^M^J^?"},
        {SLICE("\xc2\x9b"
               "31m"),
         "\\xc2\\x9b31m"}, /* C1: CSI */
        {SLICE("\x9b"
               "31m"),
         "\\x9b31m"}, /* the same byte, no UTF-8 */
        {SLICE("\xff\xc3"), "\\xff\\xc3"},
        {SLICE("a\xe2\x80\xae"
               "b"),
         "a\\xe2\\x80\\xaeb"}, /* right-to-left override */
        {SLICE("a\xe2\x80\x8b"
               "b"),
         "a\\xe2\\x80\\x8bb"}, /* zero width space */
        {SLICE("\xef\xbb\xbf"), "\\xef\\xbb\\xbf"},
        {SLICE("\xc2\xad"), "\\xc2\\xad"},                   /* soft hyphen */
        {SLICE("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"}, /* tag letter */
        {SLICE("e\xcc\x81"), "e\xcc\x81"},                   /* combining acute */
    };
    (void)state;
    check_pairs(cases, COUNT(cases), text_add_terminal);
}

/* Whatever goes in, what comes out is valid UTF-8 without a control character. */
static void test_terminal_any_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char bytes[4] = {(char)a, (char)b, (char)(a ^ b), (char)(a + b)};
            struct slice in = {bytes, sizeof bytes};
            struct text t = {0};
            uint32_t code = 0;
            text_add_terminal(&t, in);
            for (struct slice s = text_slice(&t); s.n;) {
                size_t n = utf8_decode(s, &code);
                assert_true(n > 0 && code >= 0x20 && (code < 0x7f || code >= 0xa0));
                s = slice_from(s, n);
            }
            assert_int_equal(text_width(text_slice(&t)), text_width(in));
            text_free(&t);
        }
}

static void test_json(void **state)
{
    static const struct pair cases[] = {
        {SLICE(""), "\"\""},
        {SLICE("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {SLICE("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
        {SLICE("\0\x1b\x7f"), "\"\\u0000\\u001b\\u007f\""},
        {SLICE("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {SLICE("\xc2\x9b"), "\"\\u009b\""},
        {SLICE("\xe2\x80\xae"), "\"\\u202e\""},
        {SLICE("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\""},
        {SLICE("a\xff\xc3"
               "b"),
         "\"a\xef\xbf\xbd\xef\xbf\xbd"
         "b\""},
    };
    (void)state;
    check_pairs(cases, COUNT(cases), text_add_json);
}

/* Out of what makes bytes harmless for a terminal come those of each markup. */
static void test_markup(void **state)
{
    static const struct pair xml[] = {
        {SLICE(""), ""},
        {SLICE("<script>a && \"b\" 'c'</script>]]>"),
         "&lt;script&gt;a &amp;&amp; &quot;b&quot; &#39;c&#39;&lt;/script&gt;]]&gt;"},
        {SLICE("\0\x1b\r\n\t\x7f\xff"), "^@^[^M^J^I^?\\xff"},
        {SLICE("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd"),
         "\\xef\\xbf\\xbe\\xef\\xbf\\xbf\xef\xbf\xbd"},
        {SLICE("\xed\xa0\x80\xe2\x80\xae"), "\\xed\\xa0\\x80\\xe2\\x80\\xae"},
    };
    static const struct pair markdown[] = {
        {SLICE(""), ""},
        {SLICE("plain text, 1.5; a-b+c/d"), "plain text, 1.5; a-b+c/d"},
        {SLICE("a|b\\|c"), "a&#124;b&#92;&#124;c"},
        {SLICE("`*_[x](y)"), "&#96;&#42;&#95;&#91;x&#93;&#40;y&#41;"},
        {SLICE("<img>&lt;"), "&lt;img&gt;&amp;lt;"},
        {SLICE("@root #1"), "&#64;<!-- -->root &#35;<!-- -->1"},
        {SLICE("http://x"), "http&#58;<!-- -->//x"},
        {SLICE("a WWW.x"), "a WWW<!-- -->&#46;x"},
        {SLICE("\r\n# x"), "&#94;M&#94;J&#35;<!-- --> x"},
    };
    static const struct pair workflow[] = {
        {SLICE("100%: a, b\n::error::x"), "100%25: a, b^J::error::x"},
        {SLICE("%0A"), "%250A"},
    };
    static const struct pair property[] = {{SLICE("a:b,c%\r"), "a%3Ab%2Cc%25^M"}};
    static const struct pair log[] = {
        {SLICE("##[add-path]a [b] ::c"), "##\\x5badd-path]a [b] ::c"}};
    static const struct pair tap[] = {{SLICE("a # TODO \\ b\n1"), "a \\# TODO \\\\ b^J1"}};
    static const struct pair yaml[] = {{SLICE(""), "\"\""},
                                       {SLICE("a\"b\\: #\n"), "\"a\\\"b\\\\: #^J\""}};
    (void)state;
    check_pairs(xml, COUNT(xml), text_add_xml);
    check_pairs(markdown, COUNT(markdown), text_add_markdown);
    check_pairs(workflow, COUNT(workflow), text_add_workflow);
    check_pairs(property, COUNT(property), text_add_workflow_property);
    check_pairs(log, COUNT(log), text_add_workflow_log);
    check_pairs(tap, COUNT(tap), text_add_tap);
    check_pairs(yaml, COUNT(yaml), text_add_yaml);
}

static void test_csv(void **state)
{
    static const struct pair cases[] = {
        {SLICE(""), ""},
        {SLICE("plain"), "plain"},
        {SLICE("a,b"), "\"a,b\""},
        {SLICE("say \"hi\""), "\"say \"\"hi\"\"\""},
        {SLICE("two\r\nlines"), "\"two\r\nlines\""},
        {SLICE(" outer "), "\" outer \""},
        {SLICE("=1+1"), "'=1+1"},
        {SLICE("=5"), "'=5"},
        {SLICE("=cmd|' /C calc'!A0,x"), "\"'=cmd|' /C calc'!A0,x\""},
        {SLICE("@SUM(A1)"), "'@SUM(A1)"},
        {SLICE("+15105550100"), "+15105550100"},
        {SLICE("+1 (510) 555-0100"), "+1 (510) 555-0100"},
        {SLICE("-3.5"), "-3.5"},
        {SLICE("-"), "'-"},
        {SLICE("+1+cmd()"), "'+1+cmd()"},
        {SLICE("-2\0"), "\"'-2^@\""},
        {SLICE("\x1b]0;x\a"), "\"^[]0;x^G\""},
        {SLICE("\x9b\xc2\x9b\x7f\xe2\x80\xae"), "\\x9b\\xc2\\x9b^?\\xe2\\x80\\xae"},
        {SLICE("\t=1"), "\"'\t=1\""},
        {SLICE("\r=1"), "\"'\r=1\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        text_add_csv(&t, cases[i].in);
        assert_string_equal(t.p, cases[i].out);
        text_free(&t);
    }
}

static void test_width(void **state)
{
    static const struct {
        struct slice in;
        size_t width;
    } cases[] = {
        {SLICE(""), 0},
        {SLICE("abc"), 3},
        {SLICE("caf\xc3\xa9"), 4},
        {SLICE("e\xcc\x81"), 1},                /* combining */
        {SLICE("\xe6\x97\xa5\xe6\x9c\xac"), 4}, /* CJK */
        {SLICE("\xf0\x9f\x98\x80"), 2},         /* emoji */
        {SLICE("\xef\xbc\xa1"), 2},             /* full-width A */
        {SLICE("\xea\xb0\x80"), 2},             /* Hangul syllable */
        {SLICE("\xe1\x84\x80\xe1\x85\xa1"), 2}, /* the same from jamo */
        {SLICE("\xe0\xb8\x81\xe0\xb8\xb1"), 1}, /* Thai with a vowel above */
        {SLICE("\n"), 2},
        {SLICE("\xff"), 4},
        {SLICE("\xe2\x80\x8b"), 12},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(text_width(cases[i].in), cases[i].width);
}

static void test_fitted(void **state)
{
    static const struct {
        struct slice in;
        size_t columns;
        const char *out;
    } cases[] = {
        {SLICE("abcdef"), 6, "abcdef"},
        {SLICE("abcdef"), 5, "ab..."},
        {SLICE("abcdef"), 3, "..."},
        {SLICE("abcdef"), 2, ".."},
        {SLICE("abcdef"), 0, ""},
        {SLICE(""), 0, ""},
        {SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 6, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 5, "\xe6\x97\xa5..."},
        {SLICE("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 4,
         "..."}, /* half a character does not fit */
        {SLICE("e\xcc\x81"
               "bcdef"),
         4, "e\xcc\x81..."}, /* keeps its accent */
        {SLICE("ab\ncdef"), 5, "ab..."},
        {SLICE("ab\ncdef"), 7, "ab^J..."},
        {SLICE("a\xff\xff"), 8, "a\\xff..."},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        text_add_fitted(&t, cases[i].in, cases[i].columns);
        text_add(&t, SLICE(""));
        assert_string_equal(t.p, cases[i].out);
        assert_true(text_width(text_slice(&t)) <= cases[i].columns);
        text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_all),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_terminal_any_bytes),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

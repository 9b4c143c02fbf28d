/* base/yaml: the same tree as from JSON, the place of each mistake, and the limits. */
#include "base/yaml.h"

#include "guard.h"
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

static void test_errors(void **state)
{
    static const struct {
        struct slice in;
        const char *text;
    } cases[] = {
        {SLICE(""), "t: empty, YAML was expected"},
        {SLICE("# only a comment\n"), "t: empty, YAML was expected"},
        {SLICE("a: 1\n b: 2\n"), "t:2:3: not valid YAML: mapping values are not allowed in this "
                                 "context"},
        {SLICE("a: [1, 2\n"), "t:2:1: not valid YAML: did not find expected ',' or ']', while "
                              "parsing a flow sequence that begins at line 1, column 4"},
        {SLICE("a:\n\t- b\n"), "t:2:1: not valid YAML: found character that cannot start any "
                               "token, while scanning for the next token that begins at line 2, "
                               "column 1"},
        {SLICE("a: 'b\n"), "t:2:1: not valid YAML: found unexpected end of stream, while scanning "
                           "a quoted scalar that begins at line 1, column 4"},
        {SLICE("\xc3\xa9: 1\nb: \xff\n"), "t:2:4: not valid YAML: invalid leading UTF-8 octet"},
        {SLICE("a: 1\nb: x\0y\n"), "t:2:5: not valid YAML: control characters are not allowed"},
        {SLICE("a: \"x\\0y\"\n"), "t:1:4: a string with a NUL is refused"},
        {SLICE("a: 1\nb: 2\na: 3\n"),
         "t:3:1: the key \"a\" stands twice in one object, first at line 1, column 1"},
        {SLICE("- {\xc3\xa9: {b: 1, 'b': 1}}\n"),
         "t:1:14: the key \"b\" stands twice in one object, first at line 1, column 8"},
        {SLICE("? [a]\n: b\n"), "t:1:3: a key must be a string"},
        {SLICE("a: &x 1\n*x : b\n"), "t:2:1: a key must be a string"},
        {SLICE("a: !!binary aGk=\n"), "t:1:4: a tag of this kind is refused"},
        {SLICE("a: !ruby/object:X\n  b: c\n"), "t:1:4: a tag of this kind is refused"},
        {SLICE("a: *b\nb: &b 1\n"), "t:1:4: an alias without an anchor before it"},
        {SLICE("a: &a [1, *a]\n"), "t:1:11: an alias without an anchor before it"},
        {SLICE("&a k: [*a, *k]\n"), "t:1:12: an alias without an anchor before it"},
        {SLICE("a: 1\n---\nb: 2\n"), "t:2:1: a second document: one is read"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        struct guard g = guard_copy(cases[i].in.p, cases[i].in.n);
        assert_null(yaml_parse("t", (struct slice){g.p, g.n}, &err));
        assert_string_equal(err.text, cases[i].text);
        guard_free(&g);
    }
}

/* A plain scalar by the core schema; with quotes or in a block it is a string. */
static void test_scalars(void **state)
{
    static const struct {
        const char *in;
        enum json_type type;
        const char *text;
        double number;
    } cases[] = {
        {"abc", JSON_STRING, "abc", 0},
        {"yes", JSON_STRING, "yes", 0},
        {"~", JSON_NULL, "~", 0},
        {"", JSON_NULL, "", 0},
        {"null", JSON_NULL, "null", 0},
        {"'null'", JSON_STRING, "null", 0},
        {"true", JSON_BOOL, "true", 1},
        {"False", JSON_BOOL, "False", 0},
        {"\"true\"", JSON_STRING, "true", 0},
        {"0012", JSON_NUMBER, "0012", 12},
        {"+15105550100", JSON_NUMBER, "+15105550100", 15105550100},
        {"-2.5e3", JSON_NUMBER, "-2.5e3", -2500},
        {".5", JSON_NUMBER, ".5", 0.5},
        {"5.", JSON_NUMBER, "5.", 5},
        {".", JSON_STRING, ".", 0},
        {"1e", JSON_STRING, "1e", 0},
        {"1.2.3", JSON_STRING, "1.2.3", 0},
        {"0x1F", JSON_NUMBER, "0x1F", 31},
        {"0o17", JSON_NUMBER, "0o17", 15},
        {"0x", JSON_STRING, "0x", 0},
        {"0o8", JSON_STRING, "0o8", 0},
        {"!!str 12", JSON_STRING, "12", 0},
        {"! '12'", JSON_STRING, "12", 0},
        {"!!int '12'", JSON_NUMBER, "12", 12},
        {"2xx", JSON_STRING, "2xx", 0},
        {"|\n  a\n  b\n", JSON_STRING, "a\nb\n", 0},
        {">-\n  1\n", JSON_STRING, "1", 0},
        {"\"\\u00e9\\/\"", JSON_STRING, "\xc3\xa9/", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        struct text t = {0};
        text_printf(&t, "k: %s", cases[i].in);
        struct json *root = yaml_parse("t", text_slice(&t), &err);
        assert_string_equal(err.text, "");
        const struct json *v = json_get(root, "k");
        assert_int_equal(json_type(v), cases[i].type);
        assert_true(slice_is(json_scalar(v), cases[i].text));
        assert_true(slice_is(json_string(v), json_type(v) == JSON_STRING ? cases[i].text : ""));
        assert_true(json_type(v) == JSON_BOOL ? json_bool(v) == (cases[i].number > 0)
                                              : json_number(v) == cases[i].number);
        json_free(root);
        text_free(&t);
    }
}

static void add_tree(struct text *t, const struct json *v)
{
    struct json_place at = json_place(v), key = json_key_place(v);
    if (key.line)
        text_printf(t, "%s@%u:%u=", json_key(v), key.line, key.column);
    text_add(t, json_scalar(v));
    text_printf(t, "@%u:%u", at.line, at.column);
    if (json_type(v) != JSON_ARRAY && json_type(v) != JSON_OBJECT)
        return;
    text_add_char(t, json_type(v) == JSON_ARRAY ? '[' : '{');
    for (const struct json *c = json_child(v); c; c = json_next(c)) {
        add_tree(t, c);
        text_add_char(t, ' ');
    }
    text_add_char(t, json_type(v) == JSON_ARRAY ? ']' : '}');
}

/* Trees with the place of each key and value. */
static void test_places(void **state)
{
    static const struct {
        const char *in, *tree;
    } cases[] = {
        {"rules:\n- id: x\n  n: 1\n- []\n",
         "rules@1:1=@2:1[@2:3{id@2:3=x@2:7 n@3:3=1@3:6 } @4:3[] ]"},
        {"\xef\xbb\xbf# c\n---\n\xc3\xa9: {\"a\":1, b: \xc3\xa9, c}\n...\n",
         "\xc3\xa9@3:1=@3:4{a@3:5=1@3:9 b@3:12=\xc3\xa9@3:15 c@3:18=@3:19 }"},
        {"{\"a\": [1,\n\t2], \"b\": {}}", "a@1:2=@1:7[1@1:8 2@2:2 ] b@2:6=@2:11{}"},
        /* what an alias stands for has the place where it is written */
        {"a: &x {b: 1}\nc: *x\nd: &x 2\ne: [*x, *x]\n",
         "a@1:1=@1:4{b@1:8=1@1:11 } c@2:1=@1:4{b@1:8=1@1:11 } d@3:1=2@3:4 "
         "e@4:1=@4:4[2@3:4 2@3:4 ]"},
        {"&x k: [*x]\n", "k@1:1=@1:7[k@1:1 ]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        struct text t = {0};
        struct json *root = yaml_parse("t", slice_of(cases[i].in), &err);
        assert_string_equal(err.text, "");
        assert_null(json_key(root));
        for (const struct json *c = json_child(root); c; c = json_next(c)) {
            add_tree(&t, c);
            text_add(&t, json_next(c) ? SLICE(" ") : SLICE(""));
        }
        assert_string_equal(t.p, cases[i].tree);
        json_free(root);
        text_free(&t);
    }
}

static void repeat(struct text *t, const char *what, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_add(t, slice_of(what));
}

static void test_limits(void **state)
{
    (void)state;
    struct err err = {""};
    struct text t = {0};
    repeat(&t, "[", YAML_DEPTH_MAX);
    repeat(&t, "]", YAML_DEPTH_MAX);
    struct json *root = yaml_parse("t", text_slice(&t), &err);
    assert_string_equal(err.text, "");
    assert_non_null(root);
    json_free(root);

    text_clear(&t);
    repeat(&t, "[", 100000);
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_string_equal(err.text, "t:1:65: nested deeper than 64 levels");

    text_clear(&t);
    repeat(&t, "- ", 100000);
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_string_equal(err.text, "t:1:129: nested deeper than 64 levels");

    /* an alias brings its depth with it */
    text_clear(&t);
    repeat(&t, "[", 40);
    text_add(&t, SLICE("&a "));
    repeat(&t, "[", 20);
    repeat(&t, "]", 20);
    text_add(&t, SLICE(", [[[[[*a]]]]]"));
    repeat(&t, "]", 40);
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_string_equal(err.text, "t:1:91: nested deeper than 64 levels");

    text_clear(&t);
    repeat(&t, "- \n", YAML_VALUES_MAX);
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_string_equal(
        err.text, "t:262144:2: more than 262144 values (an alias counts as what it stands for)");

    text_clear(&t);
    repeat(&t, "- &a\n", YAML_ANCHORS_MAX + 1);
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_string_equal(err.text, "t:1025:3: more than 1024 anchors");
    text_free(&t);
}

/* "Billion laughs": nine lists of nine aliases each. */
static void test_alias_bomb(void **state)
{
    struct err err = {""};
    struct text t = {0};
    (void)state;
    text_add(&t, SLICE("a0: &a0 [lol]\n"));
    for (unsigned i = 1; i < 10; i++) {
        text_printf(&t, "a%u: &a%u [", i, i);
        for (unsigned k = 0; k < 9; k++)
            text_printf(&t, "%s*a%u", k ? ", " : "", i - 1);
        text_add(&t, SLICE("]\n"));
    }
    assert_null(yaml_parse("t", text_slice(&t), &err));
    assert_true(slice_starts(slice_of(err.text), SLICE("t:7:")));
    assert_non_null(strstr(err.text, "more than 262144 values"));
    text_free(&t);
}

/* Which of the two languages a file is in. */
static void test_files(void **state)
{
    static const struct {
        const char *suffix, *in, *error; /* NULL: it is read */
    } cases[] = {
        {".json", "{\"a\":1}", NULL},
        {".json", "a: 1\n", ":1:1: not valid JSON: unexpected 'a'"},
        {".yaml", "a: 1\n", NULL},
        {".yaml", "{a: 1}\n", NULL},
        {".yml", "{\"a\": 1}\n", NULL},
        {"", "a: 1\n", NULL},
        {"", "\n {a: 1}\n", ":2:3: not valid JSON: unexpected 'a'"},
        {"", "# c\n{a: 1}\n", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[64];
        struct err err = {""};
        snprintf(path, sizeof path, "/tmp/test_yaml_XXXXXX%s", cases[i].suffix);
        int fd = mkstemps(path, (int)strlen(cases[i].suffix));
        assert_true(fd >= 0);
        assert_int_equal(write(fd, cases[i].in, strlen(cases[i].in)), strlen(cases[i].in));
        close(fd);
        struct json *root = yaml_read_file(path, &err);
        unlink(path);
        if (cases[i].error) {
            assert_null(root);
            assert_string_equal(err.text + strlen(path), cases[i].error);
        } else {
            assert_non_null(root);
            assert_true(json_number(json_get(root, "a")) == 1);
        }
        json_free(root);
    }
    struct err err = {""};
    assert_null(yaml_read_file("/nonexistent/x.yaml", &err));
    assert_string_equal(err.text, "/nonexistent/x.yaml: cannot open: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_places),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_alias_bomb), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* base/json: errors with their place, the tree, the writer. */
#include "base/json.h"

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

static void test_errors(void **state)
{
    static const struct {
        struct slice in;
        const char *text;
    } cases[] = {
        {SLICE(""), "t.json: empty, JSON was expected"},
        {SLICE(" \n\t"), "t.json: empty, JSON was expected"},
        {SLICE("\xef\xbb\xbf"), "t.json: empty, JSON was expected"},
        {SLICE("{"), "t.json:1:2: not valid JSON: it ends too early"},
        {SLICE("{\"a\": [1, 2"), "t.json:1:12: not valid JSON: it ends too early"},
        {SLICE("{\"a\":\n"), "t.json:2:1: not valid JSON: it ends too early"},
        {SLICE("{\"a\": 1} x"), "t.json:1:10: not valid JSON: unexpected 'x'"},
        {SLICE("{}{}"), "t.json:1:3: not valid JSON: unexpected '{'"},
        {SLICE("{\n  \"a\": tru\n}"), "t.json:2:8: not valid JSON: unexpected 't'"},
        {SLICE("{\"a\":1,}"), "t.json:1:8: not valid JSON: unexpected '}'"},
        {SLICE("{\"a\":1,\n }"), "t.json:2:2: not valid JSON: unexpected '}'"},
        {SLICE("{a: 1}"), "t.json:1:2: not valid JSON: unexpected 'a'"},
        {SLICE("{'a': 1}"), "t.json:1:2: not valid JSON: unexpected '''"},
        {SLICE("{\"a\" 1}"), "t.json:1:6: not valid JSON: unexpected '1'"},
        {SLICE("{\"a\"1}"), "t.json:1:5: not valid JSON: unexpected '1'"},
        {SLICE("{\"a\": 1 \"b\": 2}"), "t.json:1:9: not valid JSON: unexpected '\"'"},
        {SLICE("[1,,2]"), "t.json:1:4: not valid JSON: unexpected ','"},
        {SLICE("[1,]"), "t.json:1:4: not valid JSON: unexpected ']'"},
        {SLICE("[\n\"abc]\n"), "t.json:2:1: not valid JSON: a string without an end"},
        {SLICE("[\"\\x\"]"), "t.json:1:3: not valid JSON: unexpected '\\'"},
        {SLICE("// c\n{}"), "t.json:1:1: not valid JSON: unexpected '/'"},
        {SLICE("\xd4\xc3\xb2\xa1"), "t.json:1:1: not valid JSON: unexpected byte 0xd4"},
        {SLICE("{\"a\0\": 1}"), "t.json:1:4: not valid JSON: a NUL byte (is this a text file?)"},
        {SLICE("{\"a\\\0\": 1}"), "t.json:1:5: not valid JSON: a NUL byte (is this a text file?)"},
        {SLICE("{}\0"), "t.json:1:3: not valid JSON: a NUL byte (is this a text file?)"},
        {SLICE("\n[\"a\\u0000b\"]"), "t.json:2:4: a string with \\u0000 is refused"},
        {SLICE("{\"a\":1,\"b\":2,\n\"a\":3}"),
         "t.json:2:1: the key \"a\" stands twice in one object, first at line 1, column 2"},
        {SLICE("[{\"x\":{\"b\":1, \"b\":1}}]"),
         "t.json:1:15: the key \"b\" stands twice in one object, first at line 1, column 8"},
        {SLICE("{\"b\":1,\"a\":2,\"a\":3,\"b\":4}"),
         "t.json:1:14: the key \"a\" stands twice in one object, first at line 1, column 8"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {""};
        assert_null(json_parse("t.json", cases[i].in, &err));
        assert_string_equal(err.text, cases[i].text);
    }
}

static void test_tree(void **state)
{
    static const char in[] = "\xef\xbb\xbf {\"s\":\"a\\\\u0000\\u00e9\", \"n\":-2.5, \"b\":true,"
                             "\"z\":null, \"S\":[1,{\"k\":\"v\"}], \"o\":{}}\r\n";
    struct err err = {""};
    (void)state;
    struct json *root = json_parse("t.json", slice_of(in), &err);
    assert_non_null(root);
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_true(slice_is(json_string(json_get(root, "s")), "a\\u0000\xc3\xa9"));
    assert_true(json_number(json_get(root, "n")) == -2.5);
    assert_true(json_bool(json_get(root, "b")));
    assert_int_equal(json_type(json_get(root, "z")), JSON_NULL);
    assert_null(json_get(root, "N"));
    const struct json *list = json_get(root, "S");
    assert_string_equal(json_key(list), "S");
    assert_int_equal(json_type(json_child(list)), JSON_NUMBER);
    assert_true(slice_is(json_string(json_get(json_next(json_child(list)), "k")), "v"));
    assert_null(json_next(json_next(json_child(list))));
    assert_null(json_child(json_get(root, "o")));
    assert_null(json_get(list, "k"));
    assert_int_equal(json_string(list).n, 0);
    json_free(root);
}

/* Each value and each key knows where it begins; columns count characters, not bytes. */
static void test_places(void **state)
{
    static const char in[] = "{ \"\xc3\xa9,:\\\"\" : \"\xc3\xa9\\\"]\" , \"n\":\t-2.50e1,\n"
                             "  \"l\": [true,{ },\n\n [ ] , null],\"e\":{\"k\":007}}";
    static const struct {
        unsigned depth, key_line, key_column, line, column;
        const char *text;
    } cases[] = {
        {0, 0, 0, 1, 1, ""},      {1, 1, 3, 1, 13, "\xc3\xa9\"]"}, {1, 1, 22, 1, 27, "-2.50e1"},
        {1, 2, 3, 2, 8, ""},      {2, 0, 0, 2, 9, "true"},         {2, 0, 0, 2, 14, ""},
        {2, 0, 0, 4, 2, ""},      {2, 0, 0, 4, 8, "null"},         {1, 4, 14, 4, 18, ""},
        {2, 4, 19, 4, 23, "007"},
    };
    const struct json *way[3];
    struct err err = {""};
    (void)state;
    struct json *root = json_parse("t.json", slice_of(in), &err);
    assert_non_null(root);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned d = cases[i].depth;
        bool deeper = i && d > cases[i - 1].depth;
        way[d] = !d ? root : deeper ? json_child(way[d - 1]) : json_next(way[d]);
        assert_non_null(way[d]);
        struct json_place at = json_place(way[d]), key = json_key_place(way[d]);
        assert_int_equal(at.line, cases[i].line);
        assert_int_equal(at.column, cases[i].column);
        assert_int_equal(key.line, cases[i].key_line);
        assert_int_equal(key.column, cases[i].key_column);
        assert_true(slice_is(json_scalar(way[d]), cases[i].text));
    }
    json_free(root);
}

static void test_type_names(void **state)
{
    (void)state;
    assert_string_equal(json_type_name(JSON_NULL), "null");
    assert_string_equal(json_type_name(JSON_BOOL), "true or false");
    assert_string_equal(json_type_name(JSON_NUMBER), "a number");
    assert_string_equal(json_type_name(JSON_STRING), "a string");
    assert_string_equal(json_type_name(JSON_ARRAY), "an array");
    assert_string_equal(json_type_name(JSON_OBJECT), "an object");
}

/* Nesting deeper than cJSON's limit is refused, not followed. */
static void test_deep(void **state)
{
    struct text t = {0};
    struct err err = {""};
    (void)state;
    for (int i = 0; i < 100000; i++)
        text_add_char(&t, '[');
    assert_null(json_parse("deep", text_slice(&t), &err));
    assert_true(slice_starts(slice_of(err.text), SLICE("deep:1:")));
    text_free(&t);
}

static void test_file(void **state)
{
    char path[] = "/tmp/test_json_XXXXXX";
    struct err err = {""};
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[7]\n", 4), 4);
    close(fd);
    struct json *root = json_read_file(path, &err);
    assert_non_null(root);
    assert_true(json_number(json_child(root)) == 7);
    json_free(root);
    unlink(path);
    assert_null(json_read_file("/nonexistent/x.json", &err));
    assert_string_equal(err.text, "/nonexistent/x.json: cannot open: No such file or directory");
    assert_null(json_read_file("/tmp", &err));
    assert_string_equal(err.text, "/tmp: cannot read: Is a directory");
}

static void write_sample(struct json_writer *w)
{
    json_begin_object(w);
    json_add_key(w, "list");
    json_begin_array(w);
    json_add_uint(w, UINT64_MAX);
    json_add_bool(w, true);
    json_begin_object(w);
    json_end_object(w);
    json_add_cstring(w, NULL);
    json_add_cstring(w, "s");
    json_end_array(w);
    json_add_key(w, "empty");
    json_begin_array(w);
    json_end_array(w);
    json_add_key(w, "k\"");
    json_add_string(w, SLICE("a\nb"));
    json_add_key(w, "no");
    json_add_bool(w, false);
    json_end_object(w);
}

static void test_writer(void **state)
{
    static const char *const expected[] = {
        "{\"list\":[18446744073709551615,true,{},null,\"s\"],\"empty\":[],\"k\\\"\":\"a\\nb\","
        "\"no\":false}",
        "{\n  \"list\": [\n    18446744073709551615,\n    true,\n    {},\n    null,\n    \"s\"\n  "
        "],\n"
        "  \"empty\": [],\n  \"k\\\"\": \"a\\nb\",\n  \"no\": false\n}",
    };
    (void)state;
    for (int pretty = 0; pretty < 2; pretty++) {
        struct text t = {0};
        struct err err = {""};
        struct json_writer w = {.out = &t, .pretty = pretty};
        write_sample(&w);
        assert_string_equal(t.p, expected[pretty]);
        struct json *back = json_parse("back", text_slice(&t), &err);
        assert_non_null(back);
        json_free(back);
        text_free(&t);
    }
}

/* Roots after each other, as ndjson has them: no comma, no line end that the caller did not write.
 */
static void test_writer_roots(void **state)
{
    struct text t = {0};
    struct json_writer w = {.out = &t};
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        json_begin_array(&w);
        json_add_uint(&w, i);
        json_end_array(&w);
        text_add_char(&t, '\n');
    }
    assert_string_equal(t.p, "[0]\n[1]\n");
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors), cmocka_unit_test(test_tree),
        cmocka_unit_test(test_places), cmocka_unit_test(test_type_names),
        cmocka_unit_test(test_deep),   cmocka_unit_test(test_file),
        cmocka_unit_test(test_writer), cmocka_unit_test(test_writer_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

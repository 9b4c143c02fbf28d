/* expect/trunk and expect/values: shapes, spellings, direction, errors with their place. */
#include "expect/expect.h"

#include "unit.h"

static void test_shapes(void **state)
{
    static const struct {
        const char *json;
        size_t n;
        const char *ids[2];
    } cases[] = {
        {"{\"items\":[{\"sip_trunk_id\":\"ST_a\"},{\"sipTrunkId\":\"ST_b\"}]}",
         2,
         {"ST_a", "ST_b"}},
        {"{\"items\":[null,{\"sip_trunk_id\":\"ST_a\"}]}", 1, {"ST_a"}},
        {"[{\"sip_trunk_id\":\"ST_a\"},{\"sip_trunk_id\":\"ST_b\"}]", 2, {"ST_a", "ST_b"}},
        {"{\"trunk\":{\"name\":\"n\",\"numbers\":[\"+1\"]}}", 1, {""}},
        {"{\"sip_trunk_id\":\"ST_a\",\"krisp_enabled\":true}", 1, {"ST_a"}},
        {"{\"sip_trunk_id\":\"ST_a\",\"replace\":{\"numbers\":[]}}", 1, {"ST_a"}},
        {"{\"sipTrunkId\":\"ST_a\",\"replace\":{\"sip_trunk_id\":\"ST_b\"}}", 1, {"ST_b"}},
        {"{\"sip_trunk_id\":\"ST_a\",\"new_field\":{\"x\":[1]},\"metadata\":7}", 1, {"ST_a"}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_trunks t = {0};
        struct err err = {""};
        assert_true(expect_trunks_parse(&t, "t.json", slice_of(cases[i].json), &err));
        assert_int_equal(t.n, cases[i].n);
        for (size_t k = 0; k < t.n; k++) {
            assert_true(slice_is(t.items[k].id, cases[i].ids[k]));
            assert_true(slice_is(t.items[k].file, "t.json"));
        }
        expect_trunks_free(&t);
    }
}

/* The same trunk in both spellings and mixed; enums as names and numbers; null is absent. */
static void test_fields(void **state)
{
    static const char *const spellings[] = {
        "{\"sip_trunk_id\":\"ST_a\",\"name\":\"n\",\"numbers\":[\"+1\",\"+2\"],\"allowed_"
        "addresses\":[\"10.0.0.0/8\"],"
        "\"allowed_numbers\":[\"+3\"],\"headers\":{\"X-A\":\"1\"},\"headers_to_attributes\":{\"X-"
        "B\":\"b\"},"
        "\"attributes_to_headers\":{\"c\":\"X-C\",\"d\":\"X-D\"},\"include_headers\":1,\"auth_"
        "password\":\"hunter2\"}",
        "{\"sipTrunkId\":\"ST_a\",\"name\":\"n\",\"numbers\":[\"+1\",\"+2\"],\"allowedAddresses\":["
        "\"10.0.0.0/8\"],"
        "\"allowedNumbers\":[\"+3\"],\"headers\":{\"X-A\":\"1\"},\"headersToAttributes\":{\"X-B\":"
        "\"b\"},"
        "\"attributesToHeaders\":{\"c\":\"X-C\",\"d\":\"X-D\"},\"includeHeaders\":\"SIP_X_"
        "HEADERS\"}",
        "{\"sipTrunkId\":\"ST_a\",\"sip_trunk_id\":null,\"name\":\"n\",\"numbers\":[\"+1\",\"+2\"],"
        "\"allowed_addresses\":[\"10.0.0.0/"
        "8\"],\"allowedNumbers\":[\"+3\"],\"headers\":{\"X-A\":\"1\"},"
        "\"headersToAttributes\":{\"X-B\":\"b\"},\"attributes_to_headers\":{\"c\":\"X-C\",\"d\":"
        "\"X-D\"},"
        "\"include_headers\":1,\"address\":null,\"created_at\":\"1730000000000000000\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct expect_trunks t = {0};
        struct err err = {""};
        assert_true(expect_trunks_parse(&t, "t.json", slice_of(spellings[i]), &err));
        const struct expect_trunk *a = expect_trunk_by_id(&t, SLICE("ST_a"));
        assert_non_null(a);
        assert_int_equal(a->direction, EXPECT_INBOUND);
        assert_true(slice_is(a->name, "n"));
        assert_int_equal(a->numbers.n, 2);
        assert_true(slice_is(a->numbers.items[1], "+2"));
        assert_true(slice_is(a->allowed_addresses.items[0], "10.0.0.0/8"));
        assert_true(slice_is(a->allowed_numbers.items[0], "+3"));
        assert_true(slice_is(a->headers.pairs[0].key, "X-A"));
        assert_true(slice_is(a->headers.pairs[0].value, "1"));
        assert_true(slice_is(a->headers_to_attributes.pairs[0].key, "X-B"));
        assert_int_equal(a->attributes_to_headers.n, 2);
        assert_true(slice_is(a->attributes_to_headers.pairs[1].key, "d"));
        assert_true(slice_is(a->attributes_to_headers.pairs[1].value, "X-D"));
        assert_int_equal(a->include_headers, EXPECT_INCLUDE_X);
        assert_null(expect_trunk_by_id(&t, SLICE("ST_b")));
        expect_trunks_free(&t);
    }
}

static void test_direction(void **state)
{
    static const struct {
        const char *json;
        enum expect_direction direction;
    } cases[] = {
        {"{\"sip_trunk_id\":\"ST_a\"}", EXPECT_INBOUND},
        {"{\"address\":\"sip.example.com\"}", EXPECT_OUTBOUND},
        {"{\"address\":\"sip.example.com\",\"krisp_enabled\":true}", EXPECT_OUTBOUND},
        {"{\"hostname\":\"sip.example.com\"}", EXPECT_OUTBOUND},
        {"{\"address\":\"\",\"allowedNumbers\":[]}", EXPECT_INBOUND},
        {"{\"transport\":2,\"numbers\":[\"+1\"]}", EXPECT_OUTBOUND},
        {"{\"destinationCountry\":\"us\"}", EXPECT_OUTBOUND},
        {"{\"transport\":\"SIP_TRANSPORT_UDP\",\"ringing_timeout\":\"5s\"}", EXPECT_INBOUND},
        {"{\"address\":null,\"numbers\":[]}", EXPECT_INBOUND},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct expect_trunks t = {0};
        struct err err = {""};
        assert_true(expect_trunks_parse(&t, "t.json", slice_of(cases[i].json), &err));
        assert_int_equal(t.items[0].direction, cases[i].direction);
        expect_trunks_free(&t);
    }
}

static void test_errors(void **state)
{
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"{", "t.json:1:2: not valid JSON: it ends too early"},
        {"7", "t.json: expected a trunk or a list of trunks, found a number"},
        {"{}", "t.json: no SIP trunk: none of the fields of one is there"},
        {"{\"name\":\"a room\"}", "t.json: no SIP trunk: none of the fields of one is there"},
        {"[]", "t.json: the list has no trunk in it"},
        {"{\"items\":[]}", "t.json: items: the list has no trunk in it"},
        {"{\"items\":{}}", "t.json: items: expected an array of trunks, found an object"},
        {"{\"items\":[7]}", "t.json: items[0]: expected a trunk (an object), found a number"},
        {"{\"trunk\":[]}", "t.json: trunk: expected a trunk (an object), found an array"},
        {"{\"items\":[{\"numbers\":\"+1\"}]}",
         "t.json: items[0].numbers: expected an array of strings, found a string"},
        {"[{\"numbers\":[\"+1\",15105550100]}]",
         "t.json: [0].numbers[1]: expected a string, found a number"},
        {"{\"items\":[{\"attributes_to_headers\":{\"foo\":7}}]}",
         "t.json: items[0].attributes_to_headers.foo: expected a string, found a number"},
        {"{\"attributesToHeaders\":{\"five9.queue\":null}}",
         "t.json: attributesToHeaders[\"five9.queue\"]: expected a string, found null"},
        {"{\"headers\":[]}", "t.json: headers: expected an object of strings, found an array"},
        {"{\"sip_trunk_id\":7}", "t.json: sip_trunk_id: expected a string, found a number"},
        {"{\"includeHeaders\":true}",
         "t.json: includeHeaders: expected a string or a number, found true or false"},
        {"{\"trunk\":{\"allowedNumbers\":[],\"allowed_numbers\":[]}}",
         "t.json: trunk: \"allowedNumbers\" and \"allowed_numbers\" are the same field"},
        {"[{\"sip_trunk_id\":\"ST_a\"},{\"sip_trunk_id\":\"ST_a\"}]",
         "t.json: trunk ST_a was read before, from t.json"},
        {"[{\"sip_trunk_id\":\"ST_known\"}]",
         "t.json: trunk ST_known was read before, from first.json"},
    };
    struct expect_trunks t = {0};
    struct err err = {""};
    (void)state;
    assert_true(
        expect_trunks_parse(&t, "first.json", SLICE("{\"sip_trunk_id\":\"ST_known\"}"), &err));
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(expect_trunks_parse(&t, "t.json", slice_of(cases[i].json), &err));
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(t.n, 1); /* nothing is added on error */
    }
    assert_false(expect_trunks_read(&t, "/nonexistent", &err));
    expect_trunks_free(&t);
}

static void test_values(void **state)
{
    static const struct {
        const char *json, *text;
    } bad[] = {
        {"[]", "v.json: expected an object of attributes and their values, found an array"},
        {"{\"a\":true}",
         "v.json: a: expected a string (or null for an unset attribute), found true or false"},
    };
    struct expect_values v = {0};
    struct err err = {""};
    (void)state;
    assert_true(
        expect_values_parse(&v, "v.json", SLICE("{\"a\":\"1\",\"b\":null,\"c\":\"\"}"), &err));
    assert_int_equal(v.map.n, 3);
    assert_true(slice_is(v.map.pairs[0].key, "a") && slice_is(v.map.pairs[0].value, "1"));
    assert_false(v.unset[0]);
    assert_true(v.unset[1]);
    assert_true(v.unset[2]);
    expect_values_free(&v);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(expect_values_parse(&v, "v.json", slice_of(bad[i].json), &err));
        assert_string_equal(err.text, bad[i].text);
    }
    expect_values_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),    cmocka_unit_test(test_fields),
        cmocka_unit_test(test_direction), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

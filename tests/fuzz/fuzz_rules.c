/* Fuzzes the way of the user's rules: YAML and JSON, fields, lines, and what they say of a value.
 */
#include "expect/expect.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Mistakes where there are no rules, each with its file; rules where there are none. */
static void check_read(bool ok, const struct expect_rules *rules, const struct expect_mistakes *m,
                       struct slice name)
{
    assert(ok == (m->n == 0));
    assert(ok || rules->n == 0);
    for (size_t i = 0; i < m->n; i++)
        assert(slice_starts(m->items[i], name));
}

static void ask(const struct expect_rules *rules, struct slice value)
{
    struct arena a = {0};
    for (size_t i = 0; i < rules->n && i < 8; i++) {
        const struct expect_rule *rule = &rules->items[i];
        struct expect_list parts = expect_test_parts(&a, &rule->test, value);
        assert(rule->id.n && rule->test.header.n && rule->test.presence != EXPECT_UNSAID);
        for (size_t k = 0; k < parts.n && k < 4; k++) {
            struct slice why = SLICE_NONE;
            enum expect_answer answer =
                expect_test_value(&a, &rule->test, parts.items[k], k & 1, &why);
            assert((answer == EXPECT_HOLDS) == (why.n == 0));
        }
        for (size_t k = 0; k < rule->kind_count; k++)
            assert(expect_kind_text(&a, &rule->kinds[k]).n);
        for (size_t k = 0; k < rule->place_count; k++)
            assert(expect_place_text(&a, &rule->places[k]).n);
    }
    arena_free(&a);
}

static void read_file(struct slice text)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    check_read(expect_rules_parse(&rules, "rules", text, &m), &rules, &m, SLICE("rules"));
    ask(&rules, slice_first(text, 200));
    expect_mistakes_free(&m);
    expect_rules_free(&rules);
}

static void read_line(struct slice text, bool forbid)
{
    struct expect_rules rules = {0};
    struct expect_mistakes m = {0};
    struct arena a = {0};
    check_read(expect_rules_line(&rules, forbid, arena_copy(&a, text).p, &m), &rules, &m,
               forbid ? SLICE("--forbid '") : SLICE("--require '"));
    ask(&rules, text);
    arena_free(&a);
    expect_mistakes_free(&m);
    expect_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct err err;
    read_file(text);
    read_line(slice_first(text, slice_find(text, '\n')), false);
    read_line(slice_first(text, slice_find(text, '\n')), true);
    json_free(json_parse("json", text, &err));
    return 0;
}

/* Assertions that cannot hold together, and what is meant where nothing is said. */
#include "expect/rule_internal.h"

/* Of the key that is to blame; of the object, or of nothing, where it has none. */
static struct json_place place_of(const struct json *object, const char *key)
{
    const struct json *m = object ? json_get(object, key) : NULL;
    return m ? json_key_place(m) : object ? json_place(object) : (struct json_place){0, 0};
}

static bool compile(struct rule_reader *r, const struct json *object, const char *key,
                    struct expect_test *t, struct expect_regex *regex)
{
    struct pattern_fault fault;
    const struct json *m = object ? json_get(object, key) : NULL;
    if (!regex->text.p || rule_regex(r->rules, regex->text, t->ignore_case, regex, &fault))
        return true;
    return rule_mistake(r, m ? json_place(m) : (struct json_place){0, 0},
                        "%s: no regular expression: %s (after %zu bytes of it)", key, fault.text,
                        fault.at);
}

void rule_compile(struct rule_reader *r, const struct json *object, struct expect_test *t)
{
    compile(r, object, "matches", t, &t->matches);
    compile(r, object, "not-matches", t, &t->unlike);
}

/* A value that is asked for has to pass what else is said of it. */
static bool check_equals(struct rule_reader *r, const struct json *object, struct expect_test *t)
{
    struct expect_test rest = *t;
    struct arena a = {0};
    struct slice why = SLICE_NONE;
    bool ok = true;
    const char *key = object && json_get(object, "one-of") ? "one-of" : "equals";
    rest.equals.n = 0;
    for (size_t i = 0; ok && i < t->equals.n; i++)
        if (expect_test_value(&a, &rest, t->equals.items[i], false, &why) == EXPECT_FAILS)
            ok = rule_mistake(r, place_of(object, key),
                              "%s: \"%.*s\" contradicts what else is asked for: it is %.*s", key,
                              SLICE_ARG(t->equals.items[i]), SLICE_ARG(why));
    arena_free(&a);
    return ok;
}

static bool check_absent(struct rule_reader *r, const struct json *object,
                         const struct expect_test *t)
{
    static const char *const keys[] = {"count",   "equals",  "one-of",      "not-equals",
                                       "matches", "length",  "not-matches", "part",
                                       "same-as", "user-of", "unchanged",   "unique"};
    if (t->presence != EXPECT_ABSENT)
        return true;
    for (size_t i = 0; object && i < sizeof keys / sizeof *keys; i++)
        if (json_get(object, keys[i]))
            return rule_mistake(r, place_of(object, keys[i]),
                                "%s contradicts that the header is to be absent", keys[i]);
    return true;
}

static bool check_count(struct rule_reader *r, const struct json *object,
                        const struct expect_test *t)
{
    if (!t->count.given)
        return true;
    if (t->count.max == 0)
        return rule_mistake(r, place_of(object, "count"), "count: say \"absent: true\" instead");
    if (t->count.min > 0 && t->presence == EXPECT_OPTIONAL && t->count.max == EXPECT_NO_MAX &&
        t->count.min == 1)
        return rule_mistake(r, place_of(object, "count"),
                            "count: at least 1 says nothing of an optional header");
    return true;
}

bool rule_check_test(struct rule_reader *r, const struct json *object, struct expect_test *t)
{
    size_t before = r->found;
    if (object && json_get(object, "equals") && json_get(object, "one-of"))
        return rule_mistake(r, place_of(object, "one-of"),
                            "equals and one-of stand together: put the value into one-of");
    rule_compile(r, object, t);
    check_absent(r, object, t);
    check_count(r, object, t);
    if (r->found == before)
        check_equals(r, object, t);
    if (t->presence == EXPECT_UNSAID && t->count.given && t->count.min == 0)
        t->presence = EXPECT_OPTIONAL;
    if (t->presence == EXPECT_UNSAID)
        t->presence = EXPECT_PRESENT;
    return r->found == before;
}

static bool names_itself(const struct expect_rule *rule)
{
    for (size_t i = 0; i < rule->same_as.n; i++)
        if (expect_test_names(&rule->test, rule->same_as.items[i]))
            return true;
    return false;
}

static bool only_first_hop(const struct expect_rule *rule)
{
    return rule->place_count == 1 && rule->places[0].where == EXPECT_FIRST_HOP;
}

bool rule_check_sense(struct rule_reader *r, const struct json *object, struct expect_rule *rule)
{
    size_t before = r->found;
    struct expect_test *t = &rule->test;
    /* what nobody sent cannot change on the way */
    if (rule->unchanged && t->presence == EXPECT_UNSAID && !expect_test_has_values(t) &&
        !t->matches.text.p && !t->unlike.text.p && !t->count.given && !rule->same_as.n &&
        !rule->user_of.n)
        t->presence = EXPECT_OPTIONAL;
    rule_check_test(r, object, t);
    if (names_itself(rule))
        rule_mistake(r, place_of(object, "same-as"), "same-as: the header is compared with itself");
    if (rule->unchanged && only_first_hop(rule))
        rule_mistake(r, place_of(object, "unchanged"),
                     "unchanged: nothing lies upstream of the first hop");
    if (rule->unique && t->equals.n)
        rule_mistake(r, place_of(object, "unique"),
                     "unique: calls cannot differ in a value that is given");
    return r->found == before;
}

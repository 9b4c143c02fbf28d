/* One rule from its object: a table of keys, each with what reads it. */
#include "expect/rule_internal.h"

#include <string.h>

/* ---- a test of a header ---------------------------------------------------------------------- */

static bool say_presence(struct rule_reader *r, const struct json *v, struct expect_test *t,
                         enum expect_presence yes, enum expect_presence no)
{
    bool flag = false;
    if (!rule_bool(r, json_key(v), v, &flag))
        return false;
    enum expect_presence said = flag ? yes : no;
    if (t->presence != EXPECT_UNSAID && said != EXPECT_UNSAID && said != t->presence)
        return rule_mistake(r, json_key_place(v),
                            "%s contradicts what was said before of the header's presence",
                            json_key(v));
    t->presence = said == EXPECT_UNSAID ? t->presence : said;
    return true;
}

static bool take_header(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    struct slice text, fault;
    if (!rule_text(r, "header", v, &text))
        return false;
    return rule_header(&r->rules->arena, text, t, &fault) ||
           rule_mistake(r, json_place(v), "header: %.*s", SLICE_ARG(fault));
}

static bool take_present(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return say_presence(r, v, t, EXPECT_PRESENT, EXPECT_ABSENT);
}

static bool take_absent(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return say_presence(r, v, t, EXPECT_ABSENT, EXPECT_PRESENT);
}

static bool take_optional(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return say_presence(r, v, t, EXPECT_OPTIONAL, EXPECT_UNSAID);
}

static bool take_count(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_range(r, "count", v, &t->count);
}

static bool take_equals(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    if (json_type(v) == JSON_ARRAY)
        return rule_mistake(r, json_place(v),
                            "equals: expected a string; \"one-of\" takes several");
    return rule_texts(r, "equals", v, &t->equals);
}

static bool take_one_of(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    if (json_type(v) != JSON_ARRAY)
        return rule_mistake_type(r, "one-of", "an array of strings", v);
    return rule_texts(r, "one-of", v, &t->equals);
}

static bool take_not_equals(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_texts(r, "not-equals", v, &t->unequal);
}

static bool take_matches(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_text(r, "matches", v, &t->matches.text);
}

static bool take_not_matches(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_text(r, "not-matches", v, &t->unlike.text);
}

static bool take_length(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_range(r, "length", v, &t->length);
}

static bool take_ignore_case(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    return rule_bool(r, "ignore-case", v, &t->ignore_case);
}

static bool read_character(struct rule_reader *r, const struct json *v, char *out)
{
    struct slice text;
    if (!rule_text(r, json_key(v), v, &text))
        return false;
    if (text.n != 1 || text.p[0] == '"' || (text.p[0] & 0x80))
        return rule_mistake(r, json_place(v), "%s: expected one character, other than a quote",
                            json_key(v));
    *out = text.p[0];
    return true;
}

static const char *part_key(size_t i)
{
    static const char *const keys[] = {"name", "separator", "assign", NULL};
    return keys[i];
}

static bool take_part_member(struct rule_reader *r, const struct json *m, struct expect_test *t)
{
    if (strcmp(json_key(m), "name") == 0)
        return rule_text(r, "name", m, &t->part);
    if (strcmp(json_key(m), "separator") == 0)
        return read_character(r, m, &t->separator);
    if (strcmp(json_key(m), "assign") == 0)
        return read_character(r, m, &t->assign);
    return rule_mistake_key(r, m, part_key);
}

/* account, or {name: account, separator: ",", assign: ":"} */
static bool take_part(struct rule_reader *r, const struct json *v, struct expect_test *t)
{
    bool ok = true;
    if (json_type(v) != JSON_OBJECT)
        ok = rule_text(r, "part", v, &t->part);
    else
        for (const struct json *m = json_child(v); m; m = json_next(m))
            if (!take_part_member(r, m, t))
                ok = false;
    if (ok && t->part.n == 0)
        ok = rule_mistake(r, json_place(v), "part: its name is missing");
    if (ok && t->separator == t->assign)
        ok = rule_mistake(r, json_place(v), "part: separator and assign are the same character");
    return ok;
}

struct test_field {
    const char *key;
    bool (*take)(struct rule_reader *r, const struct json *v, struct expect_test *t);
};

static const struct test_field test_fields[] = {
    {"header", take_header},           {"present", take_present},       {"absent", take_absent},
    {"optional", take_optional},       {"count", take_count},           {"equals", take_equals},
    {"one-of", take_one_of},           {"not-equals", take_not_equals}, {"matches", take_matches},
    {"not-matches", take_not_matches}, {"length", take_length},         {"part", take_part},
    {"ignore-case", take_ignore_case},
};

#define TEST_FIELDS (sizeof test_fields / sizeof *test_fields)

/* False: the key is none of a test's; *ok stays. */
static bool take_test_field(struct rule_reader *r, const struct json *m, struct expect_test *t)
{
    for (size_t i = 0; i < TEST_FIELDS; i++)
        if (strcmp(json_key(m), test_fields[i].key) == 0) {
            test_fields[i].take(r, m, t);
            return true;
        }
    return false;
}

/* ---- messages and places --------------------------------------------------------------------- */

static bool take_kind(struct rule_reader *r, const struct json *v, struct expect_kind *out)
{
    struct slice text, fault;
    if (!rule_text(r, "message", v, &text))
        return false;
    return rule_kind(&r->rules->arena, text, out, &fault) ||
           rule_mistake(r, json_place(v), "message: %.*s", SLICE_ARG(fault));
}

static bool take_message(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    size_t n;
    bool ok = rule_some(r, "message", v, &n);
    rule->kinds = ARENA_ARRAY(&r->rules->arena, struct expect_kind, n);
    for (const struct json *c = ok ? rule_first(v) : NULL; c; c = rule_next(v, c))
        if (!take_kind(r, c, &rule->kinds[rule->kind_count++]))
            ok = false;
    return ok;
}

static bool take_place(struct rule_reader *r, const struct json *v, struct expect_place *out)
{
    struct slice text, fault;
    if (!rule_text(r, "at", v, &text))
        return false;
    return rule_place(&r->rules->arena, text, out, &fault) ||
           rule_mistake(r, json_place(v), "at: %.*s", SLICE_ARG(fault));
}

static bool take_at(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    size_t n;
    bool ok = rule_some(r, "at", v, &n);
    rule->places = ARENA_ARRAY(&r->rules->arena, struct expect_place, n);
    for (const struct json *c = ok ? rule_first(v) : NULL; c; c = rule_next(v, c))
        if (!take_place(r, c, &rule->places[rule->place_count++]))
            ok = false;
    return ok;
}

/* ---- when ------------------------------------------------------------------------------------ */

static const char *condition_key(size_t i)
{
    return i == 0 ? "message" : i <= TEST_FIELDS ? test_fields[i - 1].key : NULL;
}

static bool take_condition(struct rule_reader *r, const struct json *v,
                           struct expect_condition *out)
{
    size_t before = r->found;
    *out = (struct expect_condition){.test = {.separator = ';', .assign = '='}};
    if (json_type(v) != JSON_OBJECT)
        return rule_mistake_type(r, "when: header", "an object with a header and what it has to be",
                                 v);
    for (const struct json *m = json_child(v); m; m = json_next(m)) {
        if (strcmp(json_key(m), "message") == 0)
            out->has_kind = take_kind(r, m, &out->kind);
        else if (!take_test_field(r, m, &out->test))
            rule_mistake_key(r, m, condition_key);
    }
    if (!json_get(v, "header"))
        rule_mistake(r, json_place(v), "a condition has to name its header");
    if (r->found == before)
        rule_check_test(r, v, &out->test);
    return r->found == before;
}

static bool take_conditions(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    size_t n;
    bool ok = rule_some(r, "header", v, &n);
    rule->conditions = ARENA_ARRAY(&r->rules->arena, struct expect_condition, n);
    for (const struct json *c = ok ? rule_first(v) : NULL; c; c = rule_next(v, c))
        if (!take_condition(r, c, &rule->conditions[rule->condition_count++]))
            ok = false;
    return ok;
}

static const char *when_key(size_t i)
{
    static const char *const keys[] = {"caller", "callee", "trunk", "header", NULL};
    return keys[i];
}

static bool take_when(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    struct expect_list *const lists[] = {&rule->callers, &rule->callees, &rule->trunks};
    bool ok = true;
    if (json_type(v) != JSON_OBJECT)
        return rule_mistake_type(r, "when", "an object of conditions", v);
    for (const struct json *m = json_child(v); m; m = json_next(m)) {
        size_t i = 0;
        while (when_key(i) && strcmp(json_key(m), when_key(i)) != 0)
            i++;
        if (!when_key(i))
            ok = rule_mistake_key(r, m, when_key);
        else if (i < 3 ? !rule_texts(r, when_key(i), m, lists[i]) : !take_conditions(r, m, rule))
            ok = false;
    }
    return ok;
}

/* ---- the other keys of a rule ---------------------------------------------------------------- */

static bool take_id(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    if (!rule_text(r, "id", v, &rule->id))
        return false;
    return rule_id_ok(rule->id) ||
           rule_mistake(r, json_place(v),
                        "id: 1 to 64 letters, digits, dashes, dots and underscores are allowed");
}

static bool take_about(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    return rule_text(r, "about", v, &rule->about);
}

static const char *severity_at(size_t i)
{
    return i <= EXPECT_NOTE ? expect_severity_name((enum expect_severity)i) : NULL;
}

static bool take_severity(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    struct slice text;
    if (!rule_text(r, "severity", v, &text))
        return false;
    return rule_severity(text, &rule->severity) ||
           rule_mistake(
               r, json_place(v), "severity: expected error, warning or note, found \"%.*s\"%.*s",
               SLICE_ARG(text), SLICE_ARG(rule_near(&r->mistakes->arena, text, severity_at)));
}

static bool take_direction(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    struct slice text = SLICE_NONE;
    if (!rule_text(r, "direction", v, &text))
        return false;
    return rule_way(text, &rule->way) ||
           rule_mistake(r, json_place(v), "direction: expected inbound or outbound, found \"%.*s\"",
                        SLICE_ARG(text));
}

static bool take_sender(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    return rule_texts(r, "sender", v, &rule->senders);
}

/* Names of headers, not patterns. */
static bool read_headers(struct rule_reader *r, const char *key, const struct json *v,
                         struct expect_list *out)
{
    bool ok = rule_texts(r, key, v, out);
    for (size_t i = 0; ok && i < out->n; i++) {
        struct expect_test t = {0};
        struct slice fault = SLICE_NONE;
        if (!rule_header(&r->rules->arena, out->items[i], &t, &fault))
            ok = rule_mistake(r, json_place(v), "%s: %.*s", key, SLICE_ARG(fault));
        else if (t.many)
            ok = rule_mistake(r, json_place(v), "%s: a header by its full name is expected", key);
    }
    return ok;
}

static bool take_same_as(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    return read_headers(r, "same-as", v, &rule->same_as);
}

static const char *user_header(size_t i)
{
    static const char *const names[] = {
        "From",        "To",      "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID",
        "Referred-By", "Contact", "Diversion",           "P-Called-Party-ID",    NULL};
    return names[i];
}

static bool take_user_of(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    bool ok = read_headers(r, "user-of", v, &rule->user_of);
    for (size_t i = 0; ok && i < rule->user_of.n; i++) {
        struct slice name = rule->user_of.items[i];
        size_t k = 0;
        while (user_header(k) && !sip_name_equal(name, slice_of(user_header(k))))
            k++;
        if (!user_header(k))
            ok =
                rule_mistake(r, json_place(v), "user-of: \"%.*s\" has no user%.*s", SLICE_ARG(name),
                             SLICE_ARG(rule_near(&r->mistakes->arena, name, user_header)));
    }
    return ok;
}

static bool take_unchanged(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    return rule_bool(r, "unchanged", v, &rule->unchanged);
}

static bool take_unique(struct rule_reader *r, const struct json *v, struct expect_rule *rule)
{
    return rule_bool(r, "unique", v, &rule->unique);
}

static const struct rule_field {
    const char *key;
    bool (*take)(struct rule_reader *r, const struct json *v, struct expect_rule *rule);
} rule_fields[] = {
    {"id", take_id},           {"about", take_about},         {"severity", take_severity},
    {"message", take_message}, {"direction", take_direction}, {"sender", take_sender},
    {"at", take_at},           {"same-as", take_same_as},     {"user-of", take_user_of},
    {"unique", take_unique},   {"unchanged", take_unchanged}, {"when", take_when},
};

#define RULE_FIELDS (sizeof rule_fields / sizeof *rule_fields)

static const char *rule_key(size_t i)
{
    return i < RULE_FIELDS                 ? rule_fields[i].key
           : i < RULE_FIELDS + TEST_FIELDS ? test_fields[i - RULE_FIELDS].key
                                           : NULL;
}

static void take_member(struct rule_reader *r, const struct json *m, struct expect_rule *rule)
{
    for (size_t i = 0; i < RULE_FIELDS; i++)
        if (strcmp(json_key(m), rule_fields[i].key) == 0) {
            rule_fields[i].take(r, m, rule);
            return;
        }
    if (!take_test_field(r, m, &rule->test))
        rule_mistake_key(r, m, rule_key);
}

bool rule_read(struct rule_reader *r, const struct json *object, struct expect_rule *out)
{
    size_t before = r->found;
    const struct json *id = json_get(object, "id");
    *out = (struct expect_rule){.file = arena_copy(&r->rules->arena, slice_of(r->name)),
                                .place = json_place(object),
                                .test = {.separator = ';', .assign = '='}};
    if (json_type(object) != JSON_OBJECT)
        return rule_mistake(r, json_place(object), "expected a rule, which is an object, found %s",
                            json_type_name(json_type(object)));
    if (id && rule_id_ok(json_scalar(id)))
        r->id = json_scalar(id);
    for (const struct json *m = json_child(object); m; m = json_next(m))
        take_member(r, m, out);
    if (!id)
        rule_mistake(r, json_place(object), "a rule needs an id");
    if (!json_get(object, "header"))
        rule_mistake(r, json_place(object), "a rule needs a header");
    if (r->found == before)
        rule_check_sense(r, object, out);
    else
        rule_compile(r, object, &out->test);
    return r->found == before;
}

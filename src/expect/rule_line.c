/* --require and --forbid: a rule in a line.
 *
 *     RULE    = *( WORD SP ) HEADER [ "[" PART "]" ] [ "@" PLACE ] [ "=" VALUE / "=~" REGEX ]
 *             / MESSAGE "@" PLACE ":" HEADER ...
 *     WORD    = MESSAGE [ "@" PLACE ] / "from=" SENDER / "severity=" SEVERITY / "direction=" WAY
 *     MESSAGE = METHOD [ "/" STATUS ] *( "," METHOD [ "/" STATUS ] )
 */
#include "expect/rule_internal.h"

#include <stdio.h>
#include <string.h>

struct line {
    struct rule_reader *reader;
    struct expect_rule *rule;
    bool has_message;
};

static bool fault_of(struct line *l, const char *what, struct slice text)
{
    return rule_mistake(l->reader, (struct json_place){0, 0}, "%s: \"%.*s\"", what,
                        SLICE_ARG(text));
}

static struct slice cut(struct slice *rest, size_t at, size_t skip)
{
    struct slice head = slice_first(*rest, at);
    *rest = slice_from(*rest, at + skip);
    return head;
}

static bool add_place(struct line *l, struct slice text)
{
    struct slice fault;
    struct expect_rule *rule = l->rule;
    if (rule->place_count)
        return fault_of(l, "a second place", text);
    rule->places = ARENA_NEW(&l->reader->rules->arena, struct expect_place);
    rule->place_count = 1;
    return rule_place(&l->reader->rules->arena, text, rule->places, &fault) ||
           rule_mistake(l->reader, (struct json_place){0, 0}, "%.*s", SLICE_ARG(fault));
}

static bool add_messages(struct line *l, struct slice text)
{
    struct expect_rule *rule = l->rule;
    struct slice fault, rest = text;
    if (l->has_message)
        return fault_of(l, "a second message", text);
    l->has_message = true;
    rule->kinds = ARENA_ARRAY(&l->reader->rules->arena, struct expect_kind, text.n + 1);
    for (bool more = true; more;) {
        size_t comma = slice_find(rest, ',');
        more = comma < rest.n;
        if (!rule_kind(&l->reader->rules->arena, cut(&rest, comma, 1),
                       &rule->kinds[rule->kind_count++], &fault))
            return rule_mistake(l->reader, (struct json_place){0, 0}, "%.*s", SLICE_ARG(fault));
    }
    return true;
}

static bool take_value(struct slice word, const char *key, struct slice *value)
{
    struct slice prefix = slice_of(key);
    *value = slice_from(word, prefix.n);
    return slice_starts(word, prefix) && value->n;
}

/* A word in front of the header. */
static bool add_word(struct line *l, struct slice word)
{
    struct expect_rule *rule = l->rule;
    struct slice value;
    if (take_value(word, "from=", &value)) {
        rule->senders.items = ARENA_NEW(&l->reader->rules->arena, struct slice);
        rule->senders.items[0] = arena_copy(&l->reader->rules->arena, value);
        rule->senders.n = 1;
        return true;
    }
    if (take_value(word, "severity=", &value))
        return rule_severity(value, &rule->severity) ||
               fault_of(l, "severity has to be error, warning or note", value);
    if (take_value(word, "direction=", &value))
        return rule_way(value, &rule->way) ||
               fault_of(l, "direction has to be inbound or outbound", value);
    size_t at = slice_find(word, '@');
    struct slice message = cut(&word, at, 1);
    return add_messages(l, message) && (word.n == 0 || add_place(l, word));
}

/* Where the value begins: the first = that is not of a word in front. */
static size_t find_test(struct slice text)
{
    static const char *const words[] = {"from=", "severity=", "direction="};
    for (size_t from = 0;;) {
        size_t at = from + slice_find(slice_from(text, from), '=');
        size_t start = at < text.n ? at : 0;
        bool word = false;
        while (start && text.p[start - 1] != ' ')
            start--;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            word |= slice_starts(slice_from(text, start), slice_of(words[i])) &&
                    at == start + strlen(words[i]) - 1;
        struct slice after = slice_from(text, at);
        if (at >= text.n || !word || slice_find(after, ' ') == after.n)
            return at;
        from = at + 1;
    }
}

/* X-Metadata[account]@five9 */
static bool add_header(struct line *l, struct slice text)
{
    struct expect_test *t = &l->rule->test;
    struct slice fault;
    size_t at = slice_find(text, '@');
    bool place = at < text.n;
    struct slice name = cut(&text, at, 1);
    if (place && !add_place(l, text))
        return false;
    if (name.n && name.p[name.n - 1] == ']') {
        size_t open = slice_find(name, '[');
        t->part = arena_copy(&l->reader->rules->arena,
                             slice_from(slice_first(name, name.n - 1), open + 1));
        name = slice_first(name, open);
        if (t->part.n == 0)
            return fault_of(l, "the part between the brackets is missing", name);
    }
    return rule_header(&l->reader->rules->arena, name, t, &fault) ||
           rule_mistake(l->reader, (struct json_place){0, 0}, "%.*s", SLICE_ARG(fault));
}

static void add_test(struct line *l, bool forbid, struct slice test)
{
    struct expect_test *t = &l->rule->test;
    struct arena *a = &l->reader->rules->arena;
    struct expect_list *list = forbid ? &t->unequal : &t->equals;
    t->presence = !forbid ? EXPECT_PRESENT : test.n || t->part.n ? EXPECT_OPTIONAL : EXPECT_ABSENT;
    if (slice_starts(test, SLICE("=~"))) {
        (forbid ? &t->unlike : &t->matches)->text = arena_copy(a, slice_from(test, 2));
    } else if (test.n) {
        list->items = ARENA_NEW(a, struct slice);
        list->items[list->n++] = arena_copy(a, slice_from(test, 1));
    }
}

/* What stands before the value: words, then the header; or MESSAGE@PLACE:HEADER. */
static bool add_scope(struct line *l, struct slice scope)
{
    scope = slice_trim(scope);
    for (size_t space; (space = slice_find(scope, ' ')) < scope.n;) {
        if (!add_word(l, cut(&scope, space, 1)))
            return false;
        scope = slice_trim(scope);
    }
    size_t colon = scope.n;
    while (colon && scope.p[colon - 1] != ':')
        colon--;
    size_t at = slice_find(scope, '@');
    if (colon && (at >= scope.n || at < colon) && !slice_is(slice_from(scope, colon), "in") &&
        !slice_is(slice_from(scope, colon), "out")) {
        if (!add_word(l, slice_first(scope, colon - 1)))
            return false;
        scope = slice_from(scope, colon);
    }
    return add_header(l, scope);
}

static struct slice line_id(struct expect_rules *rules, bool forbid)
{
    const char *what = forbid ? "forbid" : "require";
    struct slice file = arena_printf(&rules->arena, "--%s", what);
    size_t n = 1;
    for (size_t i = 0; i < rules->n; i++)
        n += slice_equal(rules->items[i].file, file);
    return arena_printf(&rules->arena, "%s-%zu", what, n);
}

static bool is_taken(const struct expect_rules *rules, struct slice id)
{
    for (size_t i = 0; i < rules->n; i++)
        if (slice_equal(rules->items[i].id, id))
            return true;
    return false;
}

bool expect_rules_line(struct expect_rules *rules, bool forbid, const char *text,
                       struct expect_mistakes *m)
{
    struct slice name = arena_printf(&m->arena, "--%s '%s'", forbid ? "forbid" : "require", text);
    struct rule_reader r = {.name = name.p, .rules = rules, .mistakes = m};
    struct expect_rule rule = {.test = {.separator = ';', .assign = '='}};
    struct line l = {&r, &rule, false};
    struct slice whole = slice_trim(slice_of(text));
    size_t test = find_test(whole);
    if (whole.n == 0)
        return rule_mistake(&r, (struct json_place){0, 0}, "the rule is empty");
    rule.id = line_id(rules, forbid);
    while (is_taken(rules, rule.id)) /* a file has that id */
        rule.id = arena_printf(&rules->arena, "%.*s-line", SLICE_ARG(rule.id));
    rule.about = arena_copy(&rules->arena, whole);
    rule.file = arena_printf(&rules->arena, "--%s", forbid ? "forbid" : "require");
    if (!add_scope(&l, slice_first(whole, test)))
        return false;
    if (forbid && rule.test.part.n && test == whole.n)
        return fault_of(&l, "the value is missing that the part must not have; =~.* is any",
                        rule.test.part);
    add_test(&l, forbid, slice_from(whole, test));
    if (!rule_check_sense(&r, NULL, &rule))
        return false;
    if (test < whole.n && (sip_is_secret(rule.test.header) || sip_is_credentials(rule.test.header)))
        rule.about = arena_printf(&rules->arena, "%.*s=***", SLICE_ARG(slice_first(whole, test)));
    *vec_add(rules) = rule;
    return true;
}

/* Reads rules from files and from the command line, and keeps them. */
#include "expect/rule_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- mistakes -------------------------------------------------------------------------------- */

static struct slice format_place(struct arena *a, const char *name, struct json_place at)
{
    return at.line ? arena_printf(a, "%s:%u:%u: ", name, at.line, at.column)
                   : arena_printf(a, "%s: ", name);
}

bool rule_mistake(struct rule_reader *r, struct json_place at, const char *format, ...)
{
    struct expect_mistakes *m = r->mistakes;
    char words[512];
    va_list args;
    r->found++;
    if (m->n == EXPECT_MISTAKES_MAX) {
        m->more++;
        return false;
    }
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    struct slice place = format_place(&m->arena, r->name, at);
    m->items[m->n++] = r->id.n ? arena_printf(&m->arena, "%.*srule %.*s: %s", SLICE_ARG(place),
                                              SLICE_ARG(r->id), words)
                               : arena_printf(&m->arena, "%.*s%s", SLICE_ARG(place), words);
    return false;
}

static bool mistake_of_file(struct expect_mistakes *m, const struct err *err)
{
    if (m->n < EXPECT_MISTAKES_MAX)
        m->items[m->n++] = arena_copy(&m->arena, slice_of(err->text));
    else
        m->more++;
    return false;
}

void expect_mistakes_free(struct expect_mistakes *m)
{
    arena_free(&m->arena);
    *m = (struct expect_mistakes){0};
}

/* ---- the rules of a file --------------------------------------------------------------------- */

static struct expect_rule *rule_by_id(struct expect_rules *rules, struct slice id)
{
    for (size_t i = 0; i < rules->n; i++)
        if (slice_equal(rules->items[i].id, id))
            return &rules->items[i];
    return NULL;
}

static bool add_rule(struct rule_reader *r, const struct expect_rule *rule)
{
    const struct expect_rule *twin = rule_by_id(r->rules, rule->id);
    if (r->rules->n == EXPECT_RULES_MAX)
        return rule_mistake(r, rule->place, "more than %u rules", EXPECT_RULES_MAX);
    if (twin)
        return rule_mistake(r, rule->place, "the id stands twice, first at %.*s:%u:%u",
                            SLICE_ARG(twin->file), twin->place.line, twin->place.column);
    *vec_add(r->rules) = *rule;
    return true;
}

static const char *top_key(size_t i)
{
    static const char *const keys[] = {"rules", "version", NULL};
    return keys[i];
}

static const struct json *find_list(struct rule_reader *r, const struct json *root)
{
    const struct json *list = json_type(root) == JSON_ARRAY ? root : json_get(root, "rules");
    struct arena *a = &r->mistakes->arena;
    for (const struct json *m = json_type(root) == JSON_OBJECT ? json_child(root) : NULL; m;
         m = json_next(m)) {
        struct slice key = slice_of(json_key(m));
        if (!slice_is(key, "rules") && !slice_is(key, "version"))
            rule_mistake(r, json_key_place(m), "unknown key \"%.*s\"%.*s", SLICE_ARG(key),
                         SLICE_ARG(rule_near(a, key, top_key)));
    }
    const struct json *version = json_get(root, "version");
    if (version && !(json_type(version) == JSON_NUMBER && json_number(version) == 1))
        rule_mistake(r, json_place(version), "version has to be 1: this program reads no other");
    if (!list)
        rule_mistake(r, json_place(root), "no rules here: a list is expected, under \"rules\"");
    else if (json_type(list) != JSON_ARRAY)
        rule_mistake(r, json_place(list), "expected an array of rules, found %s",
                     json_type_name(json_type(list)));
    else if (!json_child(list))
        rule_mistake(r, json_place(list), "the list of rules is empty");
    return list && json_type(list) == JSON_ARRAY ? list : NULL;
}

/* Beyond the limit nothing is read. */
static void take_rules(struct rule_reader *r, const struct json *list)
{
    bool full = false;
    for (const struct json *v = json_child(list); v && !full; v = json_next(v)) {
        struct expect_rule rule = {0};
        full = r->rules->n == EXPECT_RULES_MAX;
        if (rule_read(r, v, &rule))
            add_rule(r, &rule);
        r->id = SLICE_NONE;
    }
}

/* Takes what was read, or leaves things as they were. */
static bool take_file(struct expect_rules *rules, const char *name, struct json *root,
                      const struct err *err, struct expect_mistakes *m)
{
    struct rule_reader r = {.name = name, .rules = rules, .mistakes = m};
    size_t before = rules->n;
    if (!root)
        return mistake_of_file(m, err);
    const struct json *list = find_list(&r, root);
    if (list)
        take_rules(&r, list);
    json_free(root);
    if (r.found)
        rules->n = before;
    return r.found == 0;
}

bool expect_rules_read(struct expect_rules *rules, const char *path, struct expect_mistakes *m)
{
    struct err err;
    const char *name = slice_is(slice_of(path), "-") ? "standard input" : path;
    return take_file(rules, name, yaml_read_file(path, &err), &err, m);
}

bool expect_rules_parse(struct expect_rules *rules, const char *name, struct slice yaml,
                        struct expect_mistakes *m)
{
    struct err err;
    return take_file(rules, name, yaml_parse(name, yaml, &err), &err, m);
}

bool rule_regex(struct expect_rules *rules, struct slice text, bool ignore_case,
                struct expect_regex *out, struct pattern_fault *fault)
{
    out->text = arena_copy(&rules->arena, text);
    out->pattern = pattern_new(text, ignore_case, fault);
    if (out->pattern)
        *vec_add(&rules->patterns) = out->pattern;
    return out->pattern != NULL;
}

void expect_rules_free(struct expect_rules *rules)
{
    for (size_t i = 0; i < rules->patterns.n; i++)
        pattern_free(rules->patterns.items[i]);
    vec_free(&rules->patterns);
    vec_free(rules);
    arena_free(&rules->arena);
}

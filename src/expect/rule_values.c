/* The kinds of value that the keys of a rule have. */
#include "expect/rule_internal.h"

#include <string.h>

bool rule_mistake_type(struct rule_reader *r, const char *key, const char *expected,
                       const struct json *v)
{
    return rule_mistake(r, json_place(v), "%s: expected %s, found %s", key, expected,
                        json_type_name(json_type(v)));
}

/* A string; a number or true as it is written, since a header's value is text. */
bool rule_text(struct rule_reader *r, const char *key, const struct json *v, struct slice *out)
{
    enum json_type type = json_type(v);
    if (type != JSON_STRING && type != JSON_NUMBER && type != JSON_BOOL)
        return rule_mistake_type(r, key, "a string", v);
    *out = arena_copy(&r->rules->arena, json_scalar(v));
    return true;
}

static size_t count_of(const struct json *v)
{
    size_t n = 0;
    for (const struct json *c = json_child(v); c; c = json_next(c))
        n++;
    return n;
}

/* The elements of an array, or the one value. */
const struct json *rule_first(const struct json *v)
{
    return json_type(v) == JSON_ARRAY ? json_child(v) : v;
}

const struct json *rule_next(const struct json *v, const struct json *element)
{
    return json_type(v) == JSON_ARRAY ? json_next(element) : NULL;
}

bool rule_some(struct rule_reader *r, const char *key, const struct json *v, size_t *n)
{
    *n = json_type(v) == JSON_ARRAY ? count_of(v) : 1;
    return *n || rule_mistake(r, json_place(v), "%s: the list is empty", key);
}

bool rule_texts(struct rule_reader *r, const char *key, const struct json *v,
                struct expect_list *out)
{
    size_t n;
    bool ok = rule_some(r, key, v, &n);
    *out = (struct expect_list){ARENA_ARRAY(&r->rules->arena, struct slice, n), 0};
    for (const struct json *c = ok ? rule_first(v) : NULL; c; c = rule_next(v, c))
        if (rule_text(r, key, c, &out->items[out->n]))
            out->n++;
        else
            ok = false;
    return ok;
}

bool rule_bool(struct rule_reader *r, const char *key, const struct json *v, bool *out)
{
    if (json_type(v) != JSON_BOOL)
        return rule_mistake_type(r, key, "true or false", v);
    *out = json_bool(v);
    return true;
}

static bool read_number(struct rule_reader *r, const char *key, const struct json *v, uint32_t *out)
{
    uint32_t n;
    if (json_type(v) != JSON_NUMBER)
        return rule_mistake_type(r, key, "a number", v);
    if (!slice_to_u32(json_scalar(v), &n) || n > 1000000)
        return rule_mistake(r, json_place(v), "%s: %.*s is no whole number from 0 to 1000000", key,
                            SLICE_ARG(json_scalar(v)));
    *out = n;
    return true;
}

static const char *range_key(size_t i)
{
    static const char *const keys[] = {"min", "max", NULL};
    return keys[i];
}

bool rule_mistake_key(struct rule_reader *r, const struct json *member,
                      const char *(*next)(size_t index))
{
    struct slice key = slice_of(json_key(member));
    return rule_mistake(r, json_key_place(member), "unknown key \"%.*s\"%.*s", SLICE_ARG(key),
                        SLICE_ARG(rule_near(&r->mistakes->arena, key, next)));
}

/* 2, or {min: 1, max: 2} */
bool rule_range(struct rule_reader *r, const char *key, const struct json *v,
                struct expect_range *out)
{
    bool ok = true;
    *out = (struct expect_range){0, EXPECT_NO_MAX, true};
    if (json_type(v) != JSON_OBJECT) {
        if (json_type(v) != JSON_NUMBER)
            return rule_mistake_type(r, key, "a number, or min and max", v);
        ok = read_number(r, key, v, &out->min);
        out->max = out->min;
        return ok;
    }
    for (const struct json *m = json_child(v); m; m = json_next(m)) {
        bool min = strcmp(json_key(m), "min") == 0, max = strcmp(json_key(m), "max") == 0;
        if (!min && !max)
            ok = rule_mistake_key(r, m, range_key);
        else if (!read_number(r, key, m, min ? &out->min : &out->max))
            ok = false;
    }
    if (ok && out->min > out->max)
        ok = rule_mistake(r, json_place(v), "%s: min is greater than max", key);
    return ok;
}

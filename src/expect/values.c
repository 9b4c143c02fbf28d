/* The attribute values of --values. */
#include "expect/internal.h"

static bool fail_value(const char *name, const struct json *v, struct err *err)
{
    return err_set(err, "%s: %s: expected a string (or null for an unset attribute), found %s",
                   name, json_key(v), json_type_name(json_type(v)));
}

static bool take_values(struct expect_values *v, const char *name, const struct json *root,
                        struct err *err)
{
    size_t count = 0;
    if (json_type(root) != JSON_OBJECT)
        return err_set(err, "%s: expected an object of attributes and their values, found %s", name,
                       json_type_name(json_type(root)));
    for (const struct json *m = json_child(root); m; m = json_next(m), count++)
        if (json_type(m) != JSON_STRING && json_type(m) != JSON_NULL)
            return fail_value(name, m, err);
    v->map.pairs = ARENA_ARRAY(&v->arena, struct expect_pair, count);
    v->unset = ARENA_ARRAY(&v->arena, bool, count);
    v->map.n = 0;
    for (const struct json *m = json_child(root); m; m = json_next(m), v->map.n++) {
        struct expect_pair *pair = &v->map.pairs[v->map.n];
        pair->key = arena_copy(&v->arena, slice_of(json_key(m)));
        pair->value = arena_copy(&v->arena, json_string(m));
        v->unset[v->map.n] = pair->value.n == 0;
    }
    return true;
}

bool expect_values_parse(struct expect_values *v, const char *name, struct slice json,
                         struct err *err)
{
    struct json *root = json_parse(name, json, err);
    bool ok = root && take_values(v, name, root, err);
    if (root)
        json_free(root);
    return ok;
}

bool expect_values_read(struct expect_values *v, const char *path, struct err *err)
{
    struct json *root = json_read_file(path, err);
    bool ok = root && take_values(v, path, root, err);
    if (root)
        json_free(root);
    return ok;
}

void expect_values_free(struct expect_values *v)
{
    arena_free(&v->arena);
    *v = (struct expect_values){0};
}

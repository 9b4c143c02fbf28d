/* An earlier report to compare with: which findings are new, gone, or as before.  A finding is
 * known again by what it is about, not by the call it was found in: by its id, severity, message,
 * header, node, trunk and rule.  Call-IDs, times and frame numbers differ from run to run. */
#include "check/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_baseline {
    struct arena arena;
    const char *path;
    uint64_t calls; /* in the earlier report */
    struct hash_key key;
    struct map map; /* of what identifies a difference to its index */
    VEC(struct check_difference) list;
};

/* ---- what is the same ------------------------------------------------------------------------ */

/* Header names are equal in letters of any case: all of a finding but those is hashed. */
static uint64_t hash_of(const struct hash_key *key, const struct check_difference *d)
{
    uint64_t h = hash_mix((uint64_t)d->severity, hash_slice(key, d->id));
    h = hash_mix(h, hash_slice(key, d->method));
    h = hash_mix(h, hash_mix(d->header.n, hash_slice(key, d->node)));
    return hash_mix(h, hash_mix(hash_slice(key, d->trunk), hash_slice(key, d->rule)));
}

static bool is_same(const struct check_difference *a, const struct check_difference *b)
{
    return a->severity == b->severity && slice_equal(a->id, b->id) &&
           slice_equal(a->method, b->method) && slice_equal_nocase(a->header, b->header) &&
           slice_equal(a->node, b->node) && slice_equal(a->trunk, b->trunk) &&
           slice_equal(a->rule, b->rule);
}

/* The one that is the same as d, added where there is none yet. */
static struct check_difference *find(struct check_baseline *b, const struct check_difference *d)
{
    uint64_t hash = hash_of(&b->key, d);
    uint32_t id;
    for (uint32_t at = map_first(&b->map, hash); (id = map_next(&b->map, hash, &at)) != MAP_NONE;)
        if (is_same(&b->list.items[id], d))
            return &b->list.items[id];
    struct check_difference *new = vec_add(&b->list);
    *new = (struct check_difference){.id = arena_copy(&b->arena, d->id),
                                     .severity = d->severity,
                                     .method = arena_copy(&b->arena, d->method),
                                     .header = arena_copy(&b->arena, d->header),
                                     .node = arena_copy(&b->arena, d->node),
                                     .trunk = arena_copy(&b->arena, d->trunk),
                                     .rule = arena_copy(&b->arena, d->rule)};
    map_add(&b->map, hash, (uint32_t)(b->list.n - 1));
    return new;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool fail_at(const struct check_baseline *b, const struct json *v, struct err *err,
                    const char *what)
{
    struct json_place p = json_place(v);
    return err_set(err, "%s:%u:%u: %s; a report of sipxray check --format json was expected",
                   b->path, p.line, p.column, what);
}

/* A string, or null for none; `must`: it has to be there. */
static bool read_string(const struct check_baseline *b, const struct json *object, const char *name,
                        bool must, struct slice *out, struct err *err)
{
    const struct json *v = json_get(object, name);
    char what[96];
    *out = SLICE_NONE;
    if (v && json_type(v) == JSON_STRING) {
        *out = json_string(v);
        return true;
    }
    if (!must && (!v || json_type(v) == JSON_NULL))
        return true;
    snprintf(what, sizeof what, "%s is %s%s", name, v ? json_type_name(json_type(v)) : "missing",
             v ? ", not a string" : "");
    return fail_at(b, v ? v : object, err, what);
}

static bool severity_of(struct slice name, enum check_severity *out)
{
    for (enum check_severity s = CHECK_ERROR; s <= CHECK_NOTE; s++)
        if (slice_is(name, check_severity_name(s))) {
            *out = s;
            return true;
        }
    return false;
}

static bool read_finding(struct check_baseline *b, const struct json *v, struct slice trunk,
                         struct err *err)
{
    struct check_difference d = {.trunk = trunk};
    struct slice severity;
    if (json_type(v) != JSON_OBJECT)
        return fail_at(b, v, err, "a finding that is no object");
    if (!read_string(b, v, "id", true, &d.id, err) ||
        !read_string(b, v, "severity", true, &severity, err) ||
        !read_string(b, v, "method", false, &d.method, err) ||
        !read_string(b, v, "header", false, &d.header, err) ||
        !read_string(b, v, "node", false, &d.node, err))
        return false;
    const struct json *rule = json_get(v, "rule");
    if (rule && json_type(rule) == JSON_OBJECT && !read_string(b, rule, "id", true, &d.rule, err))
        return false;
    if (!severity_of(severity, &d.severity))
        return fail_at(b, json_get(v, "severity"), err, "a severity that is none");
    find(b, &d)->then++;
    return true;
}

static bool read_findings(struct check_baseline *b, const struct json *owner, struct slice trunk,
                          struct err *err)
{
    const struct json *list = json_get(owner, "findings");
    if (!list || json_type(list) != JSON_ARRAY)
        return fail_at(b, list ? list : owner, err, "findings are missing, or no array");
    for (const struct json *v = json_child(list); v; v = json_next(v))
        if (!read_finding(b, v, trunk, err))
            return false;
    return true;
}

static bool read_call(struct check_baseline *b, const struct json *v, struct err *err)
{
    struct slice id = SLICE_NONE, name = SLICE_NONE;
    if (json_type(v) != JSON_OBJECT)
        return fail_at(b, v, err, "a call that is no object");
    const struct json *trunk = json_get(v, "trunk");
    if (trunk && json_type(trunk) == JSON_OBJECT &&
        (!read_string(b, trunk, "id", false, &id, err) ||
         !read_string(b, trunk, "name", false, &name, err)))
        return false;
    b->calls++;
    return read_findings(b, v, name.n ? name : id, err);
}

static bool read_report(struct check_baseline *b, const struct json *root, struct err *err)
{
    struct slice schema;
    if (json_type(root) != JSON_OBJECT)
        return fail_at(b, root, err, "no object");
    if (!read_string(b, root, "schema", true, &schema, err))
        return false;
    if (!slice_is(schema, "sipxray-check/1"))
        return fail_at(b, json_get(root, "schema"), err, "a schema other than sipxray-check/1");
    const struct json *calls = json_get(root, "calls");
    if (!calls || json_type(calls) != JSON_ARRAY)
        return fail_at(b, calls ? calls : root, err, "calls are missing, or no array");
    for (const struct json *v = json_child(calls); v; v = json_next(v))
        if (!read_call(b, v, err))
            return false;
    return !json_get(root, "findings") || read_findings(b, root, SLICE_NONE, err);
}

struct check_baseline *check_baseline_read(const char *path, struct err *err)
{
    struct json *root = json_read_file(path, err);
    if (!root)
        return NULL;
    struct check_baseline *b = base_alloc(sizeof *b);
    b->path = strcmp(path, "-") == 0 ? "standard input" : path;
    b->key = hash_key_random();
    bool ok = read_report(b, root, err);
    json_free(root);
    if (ok)
        return b;
    check_baseline_free(b);
    return NULL;
}

void check_baseline_free(struct check_baseline *b)
{
    if (!b)
        return;
    map_free(&b->map);
    vec_free(&b->list);
    arena_free(&b->arena);
    free(b);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool note(struct check_baseline *b, const struct check_difference *d)
{
    struct check_difference *found = find(b, d);
    found->now++;
    return found->then > 0;
}

bool check_baseline_note(struct check_baseline *b, const struct expect_trunk *trunk,
                         const struct check_finding *f)
{
    struct check_difference d = {.id = slice_of(f->id),
                                 .severity = f->severity,
                                 .method = f->method,
                                 .header = f->header,
                                 .node = f->node};
    if (trunk)
        d.trunk = trunk->name.n ? trunk->name : trunk->id;
    if (f->rule)
        d.rule = f->rule->id;
    return note(b, &d);
}

bool check_baseline_note_run(struct check_baseline *b, const struct check_run_finding *f)
{
    struct check_difference d = {
        .id = slice_of(f->id), .severity = f->severity, .header = f->header};
    if (f->rule)
        d.rule = f->rule->id;
    return note(b, &d);
}

/* Runs with as many calls are compared one to one; a longer capture has more of each finding, and
 * nothing is new in that. */
static enum check_change change_of(const struct check_difference *d, bool as_many)
{
    if (d->then == 0 || (as_many && d->now > d->then))
        return CHECK_NEW;
    return d->now == 0 ? CHECK_GONE : CHECK_SAME;
}

size_t check_baseline_compare(struct check_baseline *b, uint64_t calls,
                              const struct check_difference **out)
{
    for (size_t i = 0; i < b->list.n; i++)
        b->list.items[i].change = change_of(&b->list.items[i], calls == b->calls);
    *out = b->list.items;
    return b->list.n;
}

bool check_baseline_failed(const struct check_baseline *b, uint64_t calls)
{
    for (size_t i = 0; i < b->list.n; i++) {
        const struct check_difference *d = &b->list.items[i];
        if (d->severity == CHECK_ERROR && change_of(d, calls == b->calls) == CHECK_NEW)
            return true;
    }
    return false;
}

const char *check_baseline_path(const struct check_baseline *b)
{
    return b->path;
}

uint64_t check_baseline_calls(const struct check_baseline *b)
{
    return b->calls;
}

const char *check_change_name(enum check_change c)
{
    static const char *const names[] = {"new", "gone", "same"};
    return names[c];
}

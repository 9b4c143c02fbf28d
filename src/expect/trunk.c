/* Reads LiveKit SIP trunks from JSON in every shape that its API and its command line tool give. */
#include "expect/internal.h"

#include <string.h>

/* ---- keys, paths, types --------------------------------------------------------------------- */

static bool is_word(struct slice key)
{
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = ascii_lower((unsigned char)key.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return key.n > 0;
}

struct slice expect_path_add(struct arena *a, struct slice path, struct slice key)
{
    if (!is_word(key))
        return arena_printf(a, "%.*s[\"%.*s\"]", SLICE_ARG(path), SLICE_ARG(key));
    return arena_printf(a, "%.*s%s%.*s", SLICE_ARG(path), path.n ? "." : "", SLICE_ARG(key));
}

static struct slice path_index(struct arena *a, struct slice path, size_t i)
{
    return arena_printf(a, "%.*s[%zu]", SLICE_ARG(path), i);
}

/* protojson takes both "sip_trunk_id" and "sipTrunkId" for a field. */
static bool key_is(const char *key, const char *snake)
{
    for (; *snake; snake++, key++) {
        if (*snake == '_' && *key != '_')
            snake++;
        else if (*snake == *key)
            continue;
        if (*key != (*snake & ~0x20))
            return false;
    }
    return *key == '\0';
}

/* One read of a file: where errors go and how they name the place. */
struct reader {
    const char *name;
    struct arena *arena;
    struct err *err;
};

static bool fail_type(struct reader *r, struct slice path, const char *expected,
                      const struct json *v)
{
    return err_set(r->err, "%s: %.*s%sexpected %s, found %s", r->name, SLICE_ARG(path),
                   path.n ? ": " : "", expected, json_type_name(json_type(v)));
}

/* A field by its snake_case name in either spelling; null is absent.  Both spellings at once: an
 * error. */
static bool find_field(struct reader *r, const struct json *object, struct slice path,
                       const char *snake, const struct json **out)
{
    *out = NULL;
    for (const struct json *m = json_child(object); m; m = json_next(m)) {
        if (!key_is(json_key(m), snake) || json_type(m) == JSON_NULL)
            continue;
        if (*out)
            return err_set(r->err, "%s: %.*s%s\"%s\" and \"%s\" are the same field", r->name,
                           SLICE_ARG(path), path.n ? ": " : "", json_key(*out), json_key(m));
        *out = m;
    }
    return true;
}

/* ---- the kinds of field --------------------------------------------------------------------- */

static bool read_string(struct reader *r, const struct json *v, struct slice path, void *out)
{
    if (json_type(v) != JSON_STRING)
        return fail_type(r, path, "a string", v);
    *(struct slice *)out = arena_copy(r->arena, json_string(v));
    return true;
}

static size_t child_count(const struct json *v)
{
    size_t n = 0;
    for (const struct json *c = json_child(v); c; c = json_next(c))
        n++;
    return n;
}

static bool read_list(struct reader *r, const struct json *v, struct slice path, void *out)
{
    struct expect_list *list = out;
    if (json_type(v) != JSON_ARRAY)
        return fail_type(r, path, "an array of strings", v);
    list->items = ARENA_ARRAY(r->arena, struct slice, child_count(v));
    for (const struct json *c = json_child(v); c; c = json_next(c), list->n++) {
        if (json_type(c) != JSON_STRING)
            return fail_type(r, path_index(r->arena, path, list->n), "a string", c);
        list->items[list->n] = arena_copy(r->arena, json_string(c));
    }
    return true;
}

static bool read_map(struct reader *r, const struct json *v, struct slice path, void *out)
{
    struct expect_map *map = out;
    if (json_type(v) != JSON_OBJECT)
        return fail_type(r, path, "an object of strings", v);
    map->pairs = ARENA_ARRAY(r->arena, struct expect_pair, child_count(v));
    for (const struct json *c = json_child(v); c; c = json_next(c), map->n++) {
        struct slice key = slice_of(json_key(c));
        if (json_type(c) != JSON_STRING)
            return fail_type(r, expect_path_add(r->arena, path, key), "a string", c);
        map->pairs[map->n].key = arena_copy(r->arena, key);
        map->pairs[map->n].value = arena_copy(r->arena, json_string(c));
    }
    return true;
}

/* A name or a number; one that is not known is of a newer version and maps nothing that we know of.
 */
static bool read_include(struct reader *r, const struct json *v, struct slice path, void *out)
{
    static const char *const names[] = {
        [EXPECT_INCLUDE_NONE] = "SIP_NO_HEADERS",
        [EXPECT_INCLUDE_X] = "SIP_X_HEADERS",
        [EXPECT_INCLUDE_ALL] = "SIP_ALL_HEADERS",
    };
    enum expect_include *include = out;
    if (json_type(v) != JSON_STRING && json_type(v) != JSON_NUMBER)
        return fail_type(r, path, "a string or a number", v);
    for (int i = 0; i <= EXPECT_INCLUDE_ALL; i++)
        if (slice_is(json_string(v), names[i]) ||
            (json_type(v) == JSON_NUMBER && json_number(v) == i))
            *include = (enum expect_include)i;
    return true;
}

/* The fields that are used.  What is not here is passed over, auth_password for one. */
static const struct field {
    const char *name;
    size_t offset;
    bool (*read)(struct reader *r, const struct json *v, struct slice path, void *out);
} fields[] = {
#define FIELD(name, member, read)                                                                  \
    {                                                                                              \
        name, offsetof(struct expect_trunk, member), read                                          \
    }
    FIELD("sip_trunk_id", id, read_string),
    FIELD("name", name, read_string),
    FIELD("numbers", numbers, read_list),
    FIELD("allowed_addresses", allowed_addresses, read_list),
    FIELD("allowed_numbers", allowed_numbers, read_list),
    FIELD("hostname", address, read_string), /* SIPOutboundConfig: the inline trunk of a call */
    FIELD("address", address, read_string),
    FIELD("headers", headers, read_map),
    FIELD("headers_to_attributes", headers_to_attributes, read_map),
    FIELD("attributes_to_headers", attributes_to_headers, read_map),
    FIELD("include_headers", include_headers, read_include),
#undef FIELD
};

/* ---- one trunk ------------------------------------------------------------------------------ */

static bool has_any(const struct json *object, const char *const *names)
{
    for (; *names; names++)
        for (const struct json *m = json_child(object); m; m = json_next(m))
            if (key_is(json_key(m), *names) && json_type(m) != JSON_NULL)
                return true;
    return false;
}

static const char *const inbound_only[] = {
    "allowed_addresses", "allowed_numbers", "auth_realm", "ringing_timeout",
    "max_call_duration", "krisp_enabled",   NULL};
static const char *const outbound_only[] = {"address",   "hostname",  "destination_country",
                                            "transport", "from_host", NULL};
static const char *const either[] = {"sip_trunk_id",
                                     "numbers",
                                     "auth_username",
                                     "auth_password",
                                     "headers",
                                     "headers_to_attributes",
                                     "attributes_to_headers",
                                     "include_headers",
                                     "media_encryption",
                                     NULL};

static enum expect_direction direction_of(const struct json *object, const struct expect_trunk *t)
{
    if (t->address.n)
        return EXPECT_OUTBOUND;
    return !has_any(object, inbound_only) && has_any(object, outbound_only) ? EXPECT_OUTBOUND
                                                                            : EXPECT_INBOUND;
}

/* A name alone does not make a trunk: rooms and dispatch rules have one too. */
static bool is_trunk(const struct json *object)
{
    return has_any(object, inbound_only) || has_any(object, outbound_only) ||
           has_any(object, either);
}

static bool read_trunk(struct reader *r, const struct json *object, struct slice path,
                       struct expect_trunk *out)
{
    struct expect_trunk t = {.file = arena_copy(r->arena, slice_of(r->name))};
    if (json_type(object) != JSON_OBJECT)
        return fail_type(r, path, "a trunk (an object)", object);
    if (!is_trunk(object))
        return err_set(r->err, "%s: %.*s%sno SIP trunk: none of the fields of one is there",
                       r->name, SLICE_ARG(path), path.n ? ": " : "");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct json *v;
        if (!find_field(r, object, path, fields[i].name, &v))
            return false;
        if (v && !fields[i].read(r, v, expect_path_add(r->arena, path, slice_of(json_key(v))),
                                 (char *)&t + fields[i].offset))
            return false;
    }
    t.direction = direction_of(object, &t);
    *out = t;
    return true;
}

/* ---- the shapes of a file ------------------------------------------------------------------- */

struct found {
    VEC(struct expect_trunk) trunks;
};

static bool add_trunk(struct reader *r, const struct json *object, struct slice path,
                      struct found *found)
{
    struct expect_trunk t;
    if (!read_trunk(r, object, path, &t))
        return false;
    *vec_add(&found->trunks) = t;
    return true;
}

/* A null stands for an id that was asked for and is not there
 * (ListSIPInboundTrunkRequest.trunk_ids). */
static bool add_list(struct reader *r, const struct json *list, struct slice path,
                     struct found *found)
{
    size_t i = 0;
    if (json_type(list) != JSON_ARRAY)
        return fail_type(r, path, "an array of trunks", list);
    for (const struct json *c = json_child(list); c; c = json_next(c), i++)
        if (json_type(c) != JSON_NULL && !add_trunk(r, c, path_index(r->arena, path, i), found))
            return false;
    if (found->trunks.n == 0)
        return err_set(r->err, "%s: %.*s%sthe list has no trunk in it", r->name, SLICE_ARG(path),
                       path.n ? ": " : "");
    return true;
}

/* UpdateSIPInboundTrunkRequest: the id stands beside the trunk. */
static bool add_replacement(struct reader *r, const struct json *root, const struct json *trunk,
                            struct found *found)
{
    const struct json *id;
    if (!add_trunk(r, trunk, SLICE("replace"), found) ||
        !find_field(r, root, SLICE_NONE, "sip_trunk_id", &id))
        return false;
    return !id || found->trunks.items[0].id.n ||
           read_string(r, id, slice_of(json_key(id)), &found->trunks.items[0].id);
}

static bool read_root(struct reader *r, const struct json *root, struct found *found)
{
    if (json_type(root) == JSON_ARRAY)
        return add_list(r, root, SLICE_NONE, found);
    if (json_type(root) != JSON_OBJECT)
        return fail_type(r, SLICE_NONE, "a trunk or a list of trunks", root);
    const struct json *items = json_get(root, "items"), *trunk = json_get(root, "trunk");
    const struct json *replace = json_get(root, "replace");
    if (items)
        return add_list(r, items, SLICE("items"), found);
    if (trunk)
        return add_trunk(r, trunk, SLICE("trunk"), found);
    if (replace)
        return add_replacement(r, root, replace, found);
    return add_trunk(r, root, SLICE_NONE, found);
}

/* The same trunk twice would make every call of it ambiguous. */
static bool check_ids(struct reader *r, const struct expect_trunks *t, const struct found *found)
{
    for (size_t i = 0; i < found->trunks.n; i++) {
        struct slice id = found->trunks.items[i].id;
        const struct expect_trunk *known = id.n ? expect_trunk_by_id(t, id) : NULL;
        for (size_t k = 0; k < i && id.n && !known; k++)
            if (slice_equal(found->trunks.items[k].id, id))
                known = &found->trunks.items[k];
        if (known)
            return err_set(r->err, "%s: trunk %.*s was read before, from %.*s", r->name,
                           SLICE_ARG(id), SLICE_ARG(known->file));
    }
    return true;
}

static bool add_root(struct expect_trunks *t, const char *name, const struct json *root,
                     struct err *err)
{
    struct reader r = {name, &t->arena, err};
    struct found found = {0};
    bool ok = read_root(&r, root, &found) && check_ids(&r, t, &found);
    for (size_t i = 0; ok && i < found.trunks.n; i++) {
        if (t->n == t->cap)
            t->items = vec_grow(t->items, &t->cap, sizeof *t->items);
        t->items[t->n++] = found.trunks.items[i];
    }
    vec_free(&found.trunks);
    return ok;
}

bool expect_trunks_parse(struct expect_trunks *t, const char *name, struct slice json,
                         struct err *err)
{
    struct json *root = json_parse(name, json, err);
    bool ok = root && add_root(t, name, root, err);
    if (root)
        json_free(root);
    return ok;
}

bool expect_trunks_read(struct expect_trunks *t, const char *path, struct err *err)
{
    struct json *root = json_read_file(path, err);
    bool ok = root && add_root(t, path, root, err);
    if (root)
        json_free(root);
    return ok;
}

void expect_trunks_free(struct expect_trunks *t)
{
    arena_free(&t->arena);
    free(t->items);
    *t = (struct expect_trunks){0};
}

const struct expect_trunk *expect_trunk_by_id(const struct expect_trunks *t, struct slice id)
{
    for (size_t i = 0; i < t->n; i++)
        if (slice_equal(t->items[i].id, id))
            return &t->items[i];
    return NULL;
}

struct slice expect_trunk_label(struct arena *a, const struct expect_trunk *t)
{
    struct slice id = t->id.n ? t->id : SLICE("trunk without id");
    return t->name.n ? arena_printf(a, "%.*s \"%.*s\"", SLICE_ARG(id), SLICE_ARG(t->name)) : id;
}

const char *expect_direction_name(enum expect_direction direction)
{
    return direction == EXPECT_INBOUND ? "inbound" : "outbound";
}

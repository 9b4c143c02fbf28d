/* The `sip` block of a Sayna configuration, from YAML or from the SIP_* variables, and the rules
 * that Sayna holds it against as it starts. */
#include "expect/internal.h"

#define SECRET_MIN 16u /* bytes; Sayna's own limit */

VEC_TYPE(mistakes, struct expect_sayna_mistake);
VEC_TYPE(nets, struct expect_net);
VEC_TYPE(hooks, struct expect_hook);

/* A configuration while it is read. */
struct reading {
    struct expect_sayna *s;
    const char *name; /* of the file or variable */
    struct err *err;
    struct mistakes mistakes;
    struct nets nets;
    struct hooks hooks;
    bool has_secret; /* hook_secret */
    bool failed;     /* err is set */
};

static void mistake(struct reading *r, enum expect_sayna_rule rule, struct slice message)
{
    *vec_add(&r->mistakes) = (struct expect_sayna_mistake){rule, message};
}

static struct slice place_of(const struct reading *r, const struct json *v)
{
    return arena_printf(&r->s->arena, "%s:%u:%u", r->name, json_place(v).line,
                        json_place(v).column);
}

static void fail_type(struct reading *r, const struct json *v, const char *what, const char *wanted)
{
    if (!r->failed)
        (void)err_set(r->err, "%s:%u:%u: %s: expected %s, found %s", r->name, json_place(v).line,
                      json_place(v).column, what, wanted, json_type_name(json_type(v)));
    r->failed = true;
}

/* ---- the rules ------------------------------------------------------------------------------ */

/* Sayna takes letters of all alphabets. */
static bool is_prefix_byte(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_' || (unsigned char)c >= 0x80;
}

static void take_prefix(struct reading *r, struct slice place, struct slice prefix)
{
    struct arena *a = &r->s->arena;
    bool good = true;
    for (size_t i = 0; i < prefix.n; i++)
        good &= is_prefix_byte(prefix.p[i]);
    if (prefix.n == 0)
        mistake(
            r, EXPECT_SAYNA_PREFIX,
            arena_printf(a, "%.*s: room_prefix is empty: Sayna does not start", SLICE_ARG(place)));
    else if (!good)
        mistake(r, EXPECT_SAYNA_PREFIX,
                arena_printf(a,
                             "%.*s: room_prefix \"%.*s\" has other than letters, digits, - and _: "
                             "Sayna does not start",
                             SLICE_ARG(place), SLICE_ARG(prefix)));
}

static void take_address(struct reading *r, struct slice place, struct slice text)
{
    struct expect_net net = {.text = arena_copy(&r->s->arena, slice_trim(text))};
    if (!address_parse_cidr(net.text, &net.net, &net.bits) || net.net.family != 4) {
        net.net.family = 0;
        mistake(r, EXPECT_SAYNA_ADDRESS,
                arena_printf(&r->s->arena,
                             "%.*s: allowed_addresses: \"%.*s\" is no IPv4 address or CIDR range",
                             SLICE_ARG(place), SLICE_ARG(net.text)));
    }
    *vec_add(&r->nets) = net;
}

static struct slice lower(struct arena *a, struct slice text)
{
    struct slice copy = arena_copy(a, slice_trim(text));
    for (size_t i = 0; i < copy.n; i++)
        ((char *)(uintptr_t)copy.p)[i] = (char)ascii_lower((unsigned char)copy.p[i]);
    return copy;
}

static void look_at_host(struct reading *r, const struct expect_hook *hook)
{
    for (size_t i = 0; i < r->hooks.n; i++)
        if (slice_equal(r->hooks.items[i].host, hook->host))
            mistake(r, EXPECT_SAYNA_HOST,
                    arena_printf(&r->s->arena,
                                 "%.*s: host \"%.*s\" has a hook already, at %.*s: Sayna does not "
                                 "start",
                                 SLICE_ARG(hook->place), SLICE_ARG(hook->host),
                                 SLICE_ARG(r->hooks.items[i].place)));
}

/* The secret itself is looked at and forgotten. */
static void look_at_secret(struct reading *r, struct slice place, const char *whose,
                           struct slice secret)
{
    secret = slice_trim(secret);
    if (secret.n < SECRET_MIN)
        mistake(r, EXPECT_SAYNA_SECRET,
                arena_printf(&r->s->arena,
                             "%.*s: %s has %zu bytes: Sayna wants %u at least and does not start",
                             SLICE_ARG(place), whose, secret.n, SECRET_MIN));
}

static void take_hook(struct reading *r, struct slice place, struct slice host, struct slice url)
{
    struct arena *a = &r->s->arena;
    struct expect_hook hook = {lower(a, host), arena_copy(a, url), place};
    look_at_host(r, &hook);
    if (!slice_starts(url, SLICE("https://")))
        mistake(r, EXPECT_SAYNA_URL,
                arena_printf(a, "%.*s: the hook of \"%.*s\" is no https:// URL: \"%.*s\"",
                             SLICE_ARG(place), SLICE_ARG(hook.host), SLICE_ARG(hook.url)));
    *vec_add(&r->hooks) = hook;
}

/* ---- values --------------------------------------------------------------------------------- */

static bool take_string(struct reading *r, const struct json *object, const char *key,
                        bool required, struct slice *out)
{
    const struct json *v = json_get(object, key);
    *out = SLICE_NONE;
    if (v && json_type(v) == JSON_STRING) {
        *out = json_string(v);
        return true;
    }
    if (v && json_type(v) != JSON_NULL)
        fail_type(r, v, key, "a string");
    else if (required)
        fail_type(r, v ? v : object, key, "a string");
    return false;
}

static void take_hook_object(struct reading *r, const struct json *v)
{
    struct slice host, url, secret;
    if (json_type(v) != JSON_OBJECT) {
        fail_type(r, v, "hooks", "a mapping with host and url");
        return;
    }
    bool good = take_string(r, v, "host", true, &host);
    good &= take_string(r, v, "url", true, &url);
    bool own = take_string(r, v, "secret", false, &secret);
    if (!good)
        return;
    take_hook(r, place_of(r, v), host, url);
    if (own)
        look_at_secret(r, place_of(r, v), "the hook's secret", secret);
    else if (!r->has_secret)
        mistake(r, EXPECT_SAYNA_SECRET,
                arena_printf(&r->s->arena,
                             "%.*s: the hook of \"%.*s\" has no secret, and there is no "
                             "hook_secret: Sayna since it signs webhooks does not start",
                             SLICE_ARG(place_of(r, v)), SLICE_ARG(host)));
}

static void take_list(struct reading *r, const struct json *list, const char *what,
                      void (*take)(struct reading *r, const struct json *v))
{
    if (!list || json_type(list) == JSON_NULL)
        return;
    if (json_type(list) != JSON_ARRAY)
        fail_type(r, list, what, "a list");
    else
        for (const struct json *v = json_child(list); v; v = json_next(v))
            take(r, v);
}

static void take_address_value(struct reading *r, const struct json *v)
{
    if (json_type(v) == JSON_STRING)
        take_address(r, place_of(r, v), json_string(v));
    else
        fail_type(r, v, "allowed_addresses", "a string");
}

static void take_block(struct reading *r, const struct json *sip)
{
    struct slice prefix, secret;
    const struct json *v = json_get(sip, "room_prefix");
    (void)take_string(r, sip, "room_prefix", false, &prefix);
    take_prefix(r, place_of(r, v ? v : sip), prefix);
    r->has_secret = take_string(r, sip, "hook_secret", false, &secret);
    if (r->has_secret && json_get(sip, "hooks"))
        look_at_secret(r, place_of(r, json_get(sip, "hook_secret")), "hook_secret", secret);
    take_list(r, json_get(sip, "allowed_addresses"), "allowed_addresses", take_address_value);
    take_list(r, json_get(sip, "hooks"), "hooks", take_hook_object);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool finish(struct reading *r)
{
    struct expect_sayna *s = r->s;
    if (r->nets.n == 0 && !r->failed)
        mistake(r, EXPECT_SAYNA_ADDRESS,
                arena_printf(&s->arena, "%s: allowed_addresses is empty: Sayna does not start",
                             r->name));
    s->allowed_count = r->nets.n;
    s->allowed = ARENA_ARRAY(&s->arena, struct expect_net, r->nets.n);
    s->hook_count = r->hooks.n;
    s->hooks = ARENA_ARRAY(&s->arena, struct expect_hook, r->hooks.n);
    s->mistake_count = r->mistakes.n;
    s->mistakes = ARENA_ARRAY(&s->arena, struct expect_sayna_mistake, r->mistakes.n);
    for (size_t i = 0; i < r->nets.n; i++)
        s->allowed[i] = r->nets.items[i];
    for (size_t i = 0; i < r->hooks.n; i++)
        s->hooks[i] = r->hooks.items[i];
    for (size_t i = 0; i < r->mistakes.n; i++)
        s->mistakes[i] = r->mistakes.items[i];
    vec_free(&r->nets);
    vec_free(&r->hooks);
    vec_free(&r->mistakes);
    return !r->failed;
}

static bool take_root(struct expect_sayna *s, const char *name, struct json *root, struct err *err)
{
    struct reading r = {.s = s, .name = name, .err = err};
    const struct json *sip;
    if (!root)
        return false;
    sip = json_type(root) == JSON_OBJECT ? json_get(root, "sip") : NULL;
    if (!sip || json_type(sip) != JSON_OBJECT) {
        (void)err_set(err,
                      "%s: it has no sip block, which is what a Sayna configuration says of "
                      "SIP",
                      name);
        json_free(root);
        return false;
    }
    take_block(&r, sip);
    json_free(root);
    return finish(&r);
}

bool expect_sayna_read(struct expect_sayna *s, const char *path, struct err *err)
{
    return take_root(s, path, yaml_read_file(path, err), err);
}

bool expect_sayna_parse(struct expect_sayna *s, const char *name, struct slice yaml,
                        struct err *err)
{
    return take_root(s, name, yaml_parse(name, yaml, err), err);
}

/* ---- variables ------------------------------------------------------------------------------ */

/* Separated by commas; empty ones are passed over. */
static void take_addresses(struct reading *r, struct slice list)
{
    while (list.n) {
        struct slice one = slice_first(list, slice_find(list, ','));
        list = slice_from(list, one.n + 1);
        if (slice_trim(one).n)
            take_address(r, SLICE("SIP_ALLOWED_ADDRESSES"), one);
    }
}

static void take_hooks_json(struct reading *r, struct slice text)
{
    struct json *root = json_parse("SIP_HOOKS_JSON", text, r->err);
    r->name = "SIP_HOOKS_JSON";
    r->failed |= !root;
    if (root)
        take_list(r, root, "SIP_HOOKS_JSON", take_hook_object);
    if (root)
        json_free(root);
}

bool expect_sayna_variables(struct expect_sayna *s, char *(*get)(const char *name), struct err *err)
{
    struct reading r = {.s = s, .name = "SIP_ALLOWED_ADDRESSES", .err = err};
    const char *prefix = get("SIP_ROOM_PREFIX"), *allowed = get("SIP_ALLOWED_ADDRESSES");
    const char *hooks = get("SIP_HOOKS_JSON"), *secret = get("SIP_HOOK_SECRET");
    if (!prefix && !allowed && !hooks && !secret)
        return err_set(err, "--pack sayna needs --sayna FILE, or the variables SIP_ROOM_PREFIX, "
                            "SIP_ALLOWED_ADDRESSES and SIP_HOOKS_JSON of Sayna");
    take_prefix(&r, SLICE("SIP_ROOM_PREFIX"), slice_of(prefix));
    take_addresses(&r, slice_of(allowed));
    r.has_secret = secret != NULL;
    if (secret && hooks)
        look_at_secret(&r, SLICE("SIP_HOOK_SECRET"), "it", slice_of(secret));
    if (hooks)
        take_hooks_json(&r, slice_of(hooks));
    r.name = "SIP_ALLOWED_ADDRESSES";
    return finish(&r);
}

/* ---- questions ------------------------------------------------------------------------------ */

bool expect_sayna_allows(const struct expect_sayna *s, const struct address *source)
{
    for (size_t i = 0; i < s->allowed_count; i++)
        if (s->allowed[i].net.family &&
            address_in_cidr(source, &s->allowed[i].net, s->allowed[i].bits))
            return true;
    return false;
}

const struct expect_hook *expect_sayna_hook(const struct expect_sayna *s, struct slice host)
{
    for (size_t i = 0; i < s->hook_count; i++)
        if (slice_equal_nocase(s->hooks[i].host, host))
            return &s->hooks[i];
    return NULL;
}

void expect_sayna_free(struct expect_sayna *s)
{
    arena_free(&s->arena);
    *s = (struct expect_sayna){0};
}

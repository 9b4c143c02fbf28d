/* What a trunk promises on which message: one table, from livekit/sip's use of its four header
 * fields. */
#include "expect/internal.h"

#include <stdlib.h>

enum source { FIXED, TO_HEADERS, TO_ATTRIBUTES };

/* Field and message, by direction of the trunk (livekit/sip: inbound.go, outbound.go).  What has no
 * line here carries nothing mapped: 100, 180, ACK, CANCEL, error responses, a 200 to BYE, a BYE
 * that LiveKit receives. */
static const struct rule {
    enum expect_direction direction;
    enum expect_message message;
    bool by_livekit;
    enum source source;
    enum expect_force force;
} rules[] = {
    {EXPECT_INBOUND, EXPECT_INVITE, false, TO_ATTRIBUTES, EXPECT_MAY},
    {EXPECT_INBOUND, EXPECT_INVITE_200, true, FIXED, EXPECT_MUST},
    {EXPECT_INBOUND, EXPECT_INVITE_200, true, TO_HEADERS, EXPECT_MAY}, /* what is set by then */
    {EXPECT_INBOUND, EXPECT_BYE, true, TO_HEADERS, EXPECT_MUST},
    {EXPECT_INBOUND, EXPECT_REFER, true, TO_HEADERS, EXPECT_MUST},
    {EXPECT_OUTBOUND, EXPECT_INVITE, true, FIXED, EXPECT_MUST},
    {EXPECT_OUTBOUND, EXPECT_INVITE_200, false, TO_ATTRIBUTES, EXPECT_MAY},
    {EXPECT_OUTBOUND, EXPECT_BYE, true, TO_HEADERS, EXPECT_MUST},
    {EXPECT_OUTBOUND, EXPECT_REFER, true, TO_HEADERS, EXPECT_MUST},
};

#define RULE_COUNT (sizeof rules / sizeof *rules)

static const struct expect_map *map_of(const struct expect_trunk *t, enum source source)
{
    return source == FIXED        ? &t->headers
           : source == TO_HEADERS ? &t->attributes_to_headers
                                  : &t->headers_to_attributes;
}

static const char *field_name(enum source source)
{
    static const char *const names[] = {
        [FIXED] = "headers",
        [TO_HEADERS] = "attributes_to_headers",
        [TO_ATTRIBUTES] = "headers_to_attributes",
    };
    return names[source];
}

static bool rule_applies(const struct rule *rule, const struct expect_trunk *t,
                         enum expect_message message)
{
    return rule->direction == t->direction && rule->message == message &&
           map_of(t, rule->source)->n > 0;
}

bool expect_speaks_of(const struct expect_trunk *trunk, enum expect_message message)
{
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rule_applies(&rules[i], trunk, message))
            return true;
    return false;
}

/* The index of an attribute in the values, or map.n. */
static size_t find_value(const struct expect_values *values, struct slice attribute)
{
    size_t i = 0;
    while (i < values->map.n && !slice_equal(values->map.pairs[i].key, attribute))
        i++;
    return i;
}

static bool is_written_from(const struct expect_trunk *t, struct slice attribute)
{
    for (size_t i = 0; i < t->attributes_to_headers.n; i++)
        if (slice_equal(t->attributes_to_headers.pairs[i].key, attribute))
            return true;
    return false;
}

/* Puts in what --values knows; false: the attribute is known to be unset, nothing is owed. */
static bool apply_value(struct expect_owed *owed, const struct rule *rule,
                        const struct expect_trunk *t, const struct expect_values *values)
{
    size_t i = values ? find_value(values, owed->attribute) : 0;
    if (!values || i == values->map.n)
        return true;
    if (values->unset[i])
        return false;
    /* what was read into an attribute may have been overwritten by what is to be written from it */
    if (rule->source == TO_ATTRIBUTES && is_written_from(t, owed->attribute))
        return true;
    owed->value = values->map.pairs[i].value;
    owed->has_value = true;
    return true;
}

/* One pair of a map as something owed; false: it owes nothing. */
static bool owed_of(const struct rule *rule, const struct expect_trunk *t,
                    const struct expect_pair *pair, const struct expect_values *values,
                    struct expect_owed *out)
{
    *out = (struct expect_owed){
        .by_livekit = rule->by_livekit, .force = rule->force, .field = field_name(rule->source)};
    out->header = rule->source == TO_HEADERS ? pair->value : pair->key;
    if (out->header.n == 0)
        return false;
    if (rule->source == FIXED) {
        out->value = pair->value;
        out->has_value = t->direction == EXPECT_INBOUND;
        return true;
    }
    out->attribute = rule->source == TO_HEADERS ? pair->key : pair->value;
    return apply_value(out, rule, t, values);
}

/* A compact form stands where its long form does, so that both meet in the sorted list. */
static struct slice long_name(struct slice header)
{
    enum sip_header_id id = sip_header_of(header);
    return id == SIP_HEADER_OTHER ? header : slice_of(sip_header_name(id));
}

static int compare_name(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int order = ascii_lower((unsigned char)a.p[i]) - ascii_lower((unsigned char)b.p[i]);
        if (order)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int compare_owed(const void *a, const void *b)
{
    const struct expect_owed *x = a, *y = b;
    int order = compare_name(long_name(x->header), long_name(y->header));
    if (order == 0)
        order = (int)x->force - (int)y->force; /* MUST first: it wins the merge */
    if (order == 0)
        order = slice_compare(x->attribute, y->attribute);
    return order ? order : slice_compare(x->header, y->header);
}

static void merge_owed(struct arena *a, struct expect_owed *into, const struct expect_owed *other)
{
    if (!into->has_value || !other->has_value || !slice_equal(into->value, other->value)) {
        into->has_value = false;
        into->value = SLICE_NONE;
    }
    if (into->attribute.n && other->attribute.n)
        into->attribute =
            arena_printf(a, "%.*s, %.*s", SLICE_ARG(into->attribute), SLICE_ARG(other->attribute));
    else if (other->attribute.n)
        into->attribute = other->attribute;
}

/* Sorts, and leaves each header once. */
static size_t sort_and_merge(struct arena *a, struct expect_owed *owed, size_t n)
{
    size_t kept = 0;
    qsort(owed, n, sizeof *owed, compare_owed);
    for (size_t i = 0; i < n; i++) {
        if (kept && sip_name_equal(owed[kept - 1].header, owed[i].header))
            merge_owed(a, &owed[kept - 1], &owed[i]);
        else
            owed[kept++] = owed[i];
    }
    return kept;
}

size_t expect_owed(struct arena *a, const struct expect_trunk *trunk, enum expect_message message,
                   bool by_livekit, const struct expect_values *values,
                   const struct expect_owed **out)
{
    size_t room =
        trunk->headers.n + trunk->attributes_to_headers.n + trunk->headers_to_attributes.n;
    struct expect_owed *owed = ARENA_ARRAY(a, struct expect_owed, room);
    size_t n = 0;
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const struct expect_map *map = map_of(trunk, rules[i].source);
        if (!rule_applies(&rules[i], trunk, message) || rules[i].by_livekit != by_livekit)
            continue;
        for (size_t k = 0; k < map->n; k++)
            n += owed_of(&rules[i], trunk, &map->pairs[k], values, &owed[n]);
    }
    *out = owed;
    return sort_and_merge(a, owed, n);
}

const char *expect_message_name(enum expect_message message)
{
    static const char *const names[] = {
        [EXPECT_INVITE] = "INVITE",
        [EXPECT_INVITE_200] = "200 to INVITE",
        [EXPECT_BYE] = "BYE",
        [EXPECT_REFER] = "REFER",
    };
    return names[message];
}

const char *expect_force_name(enum expect_force force)
{
    return force == EXPECT_MUST ? "must" : "may";
}

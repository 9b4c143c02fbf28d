/* Mistakes in a trunk: what LiveKit refuses, and what it takes but does not do what was meant. */
#include "expect/internal.h"

#include <stdlib.h>

#define NAME_MAX_BYTES  255u  /* livekit/protocol, ValidateHeaderName */
#define VALUE_MAX_BYTES 1024u /* ValidateHeaderValue */
#define NEAR_NAMES_MAX  256u  /* names that are compared with each other: a trunk has a dozen */

struct lints {
    struct arena *a;
    enum expect_direction direction;
    VEC(struct expect_lint) found;
};

static void add_lint(struct lints *l, enum expect_lint_severity severity, struct slice path,
                     struct slice message)
{
    *vec_add(&l->found) = (struct expect_lint){severity, path, message};
}

/* ---- the names of headers ------------------------------------------------------------------- */

/* Which of its three places a name stands in. */
enum place { IN_HEADERS, IN_TO_ATTRIBUTES, IN_TO_HEADERS };

struct named {
    struct slice name, path;
    enum place place;
};

struct names {
    struct named *items;
    size_t n;
};

static void collect(struct lints *l, struct names *names, const struct expect_map *map,
                    enum place place)
{
    static const char *const fields[] = {
        [IN_HEADERS] = "headers",
        [IN_TO_ATTRIBUTES] = "headers_to_attributes",
        [IN_TO_HEADERS] = "attributes_to_headers",
    };
    for (size_t i = 0; i < map->n; i++) {
        struct slice path = expect_path_add(l->a, slice_of(fields[place]), map->pairs[i].key);
        struct slice name = place == IN_TO_HEADERS ? map->pairs[i].value : map->pairs[i].key;
        names->items[names->n++] = (struct named){name, path, place};
    }
}

static struct names collect_names(struct lints *l, const struct expect_trunk *t)
{
    struct names names = {0};
    size_t room = t->headers.n + t->headers_to_attributes.n + t->attributes_to_headers.n;
    names.items = ARENA_ARRAY(l->a, struct named, room);
    collect(l, &names, &t->headers, IN_HEADERS);
    collect(l, &names, &t->headers_to_attributes, IN_TO_ATTRIBUTES);
    collect(l, &names, &t->attributes_to_headers, IN_TO_HEADERS);
    return names;
}

/* What LiveKit sets itself: FrobiddenSipHeaderNames of livekit/protocol, all versions together.
 * Compact forms are found by sip_name_equal. */
static bool is_forbidden(struct slice name)
{
    static const char *const forbidden[] = {
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Allow",
        "Allow-Events",
        "Call-ID",
        "Contact",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "CSeq",
        "Event",
        "Expires",
        "From",
        "Max-Forwards",
        "Record-Route",
        "Refer-To",
        "Referred-By",
        "Reply-To",
        "Route",
        "Supported",
        "To",
        "Via",
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (sip_name_equal(name, slice_of(forbidden[i])))
            return true;
    return false;
}

static void lint_name(struct lints *l, const struct named *named)
{
    struct slice name = named->name;
    if (name.n == 0)
        add_lint(l, EXPECT_LINT_ERROR, named->path,
                 SLICE("the header name is empty: LiveKit refuses it"));
    else if (name.n > NAME_MAX_BYTES)
        add_lint(l, EXPECT_LINT_ERROR, named->path,
                 arena_printf(l->a, "a header name of %zu characters: LiveKit takes at most %u",
                              name.n, NAME_MAX_BYTES));
    else if (!sip_is_token(name))
        add_lint(
            l, EXPECT_LINT_ERROR, named->path,
            arena_printf(
                l->a,
                "\"%.*s\" is no header name: only letters, digits and -.!%%*_+`'~ may stand in "
                "one (RFC 3261 25.1)",
                SLICE_ARG(name)));
    else if (named->place == IN_HEADERS && is_forbidden(name))
        add_lint(
            l, EXPECT_LINT_ERROR, named->path,
            arena_printf(l->a, "LiveKit sets %.*s itself and refuses it here", SLICE_ARG(name)));
    else if (named->place == IN_TO_HEADERS && is_forbidden(name))
        add_lint(l, EXPECT_LINT_ERROR, named->path,
                 arena_printf(l->a, "every message has its own %.*s: a second one breaks it",
                              SLICE_ARG(name)));
}

/* ---- near misses ---------------------------------------------------------------------------- */

static bool is_dash(char c)
{
    return c == '-' || c == '_';
}

/* The same but for case, dashes and underscores? */
static bool same_folded(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a.n && is_dash(a.p[i]))
            i++;
        while (k < b.n && is_dash(b.p[k]))
            k++;
        if (i >= a.n || k >= b.n)
            return i >= a.n && k >= b.n;
        if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[k]))
            return false;
    }
}

/* Edit distance at most k? */
static bool within(struct slice a, struct slice b, unsigned k)
{
    while (a.n && b.n && ascii_lower((unsigned char)*a.p) == ascii_lower((unsigned char)*b.p)) {
        a = slice_from(a, 1);
        b = slice_from(b, 1);
    }
    if (a.n == 0 || b.n == 0)
        return a.n + b.n <= k;
    return k && (within(slice_from(a, 1), b, k - 1) || within(a, slice_from(b, 1), k - 1) ||
                 within(slice_from(a, 1), slice_from(b, 1), k - 1));
}

/* X-Line1 and X-Line2 are two headers, X-Quee and X-Queue are not; short names prove nothing. */
static bool looks_misspelt(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n, last_a = (unsigned char)a.p[a.n - 1],
           last_b = (unsigned char)b.p[b.n - 1];
    bool numbered =
        last_a != last_b && ((last_a >= '0' && last_a <= '9') || (last_b >= '0' && last_b <= '9'));
    return n >= 7 && !numbered && within(a, b, n >= 11 ? 2 : 1);
}

bool expect_names_near(struct slice a, struct slice b)
{
    if (a.n == 0 || b.n == 0 || a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES ||
        sip_name_equal(a, b))
        return false;
    return same_folded(a, b) || looks_misspelt(a, b);
}

static bool has_underscore(struct slice name)
{
    return slice_find(name, '_') < name.n;
}

/* Of two names that are nearly the same, the one with an underscore is the odd one, else the later.
 */
static bool is_odd_one(const struct names *names, size_t i, size_t k)
{
    bool mine = has_underscore(names->items[i].name), other = has_underscore(names->items[k].name);
    return mine == other ? i > k : mine;
}

static bool lint_near_name(struct lints *l, const struct names *names, size_t i, size_t count,
                           bool (*near)(struct slice, struct slice),
                           enum expect_lint_severity severity, const char *what)
{
    const struct named *n = &names->items[i];
    for (size_t k = 0; k < count; k++) {
        struct slice other = names->items[k].name;
        if (k == i || other.n == 0 || other.n > NAME_MAX_BYTES || sip_name_equal(n->name, other) ||
            !is_odd_one(names, i, k) || !near(n->name, other))
            continue;
        add_lint(l, severity, n->path,
                 arena_printf(l->a, "%.*s %s %.*s (at %.*s)", SLICE_ARG(n->name), what,
                              SLICE_ARG(other), SLICE_ARG(names->items[k].path)));
        return true;
    }
    return false;
}

static bool lint_near_standard(struct lints *l, const struct named *n)
{
    for (unsigned id = SIP_HEADER_OTHER + 1; id < SIP_HEADER_COUNT; id++) {
        struct slice standard = slice_of(sip_header_name(id));
        if (sip_name_equal(n->name, standard) || !same_folded(n->name, standard))
            continue;
        add_lint(l, EXPECT_LINT_WARNING, n->path,
                 arena_printf(l->a, "%.*s is not the standard header %.*s", SLICE_ARG(n->name),
                              SLICE_ARG(standard)));
        return true;
    }
    return false;
}

static void lint_near(struct lints *l, const struct names *names, size_t i, size_t count)
{
    const struct named *n = &names->items[i];
    if (n->name.n == 0 || n->name.n > NAME_MAX_BYTES)
        return;
    if (lint_near_standard(l, n) || lint_near_name(l, names, i, count, same_folded,
                                                   EXPECT_LINT_WARNING, "is another header than"))
        return;
    if (slice_starts_nocase(n->name, SLICE("X_")))
        add_lint(l, EXPECT_LINT_WARNING, n->path,
                 arena_printf(l->a,
                              "%.*s begins with X_, not X-: scripts and filters for X-* pass it by",
                              SLICE_ARG(n->name)));
    else
        lint_near_name(l, names, i, count, looks_misspelt, EXPECT_LINT_NOTE,
                       "is nearly the same as");
}

/* ---- values and maps ------------------------------------------------------------------------ */

static bool has_control(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static void lint_values(struct lints *l, const struct expect_map *headers)
{
    for (size_t i = 0; i < headers->n; i++) {
        struct slice value = headers->pairs[i].value;
        struct slice path = expect_path_add(l->a, SLICE("headers"), headers->pairs[i].key);
        if (value.n > VALUE_MAX_BYTES)
            add_lint(l, EXPECT_LINT_ERROR, path,
                     arena_printf(l->a, "a value of %zu bytes: LiveKit takes at most %u", value.n,
                                  VALUE_MAX_BYTES));
        if (has_control(value))
            add_lint(l, EXPECT_LINT_ERROR, path,
                     SLICE("the value has control characters: LiveKit takes none but TAB"));
        if (value.n == 0)
            add_lint(l, EXPECT_LINT_NOTE, path,
                     SLICE("the value is empty: some versions of LiveKit refuse that"));
    }
}

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    for (size_t i = 0; i < x->name.n && i < y->name.n; i++) {
        int order =
            ascii_lower((unsigned char)x->name.p[i]) - ascii_lower((unsigned char)y->name.p[i]);
        if (order)
            return order;
    }
    if (x->name.n != y->name.n)
        return x->name.n < y->name.n ? -1 : 1;
    return x->place != y->place ? (int)x->place - (int)y->place : slice_compare(x->path, y->path);
}

/* Two that are sent under one name.  On an outbound trunk `headers` and attributes_to_headers never
 * meet on one message. */
static void lint_twice(struct lints *l, const struct named *one, const struct named *other)
{
    bool same_map = one->place == other->place;
    if (one->name.n == 0 || !sip_name_equal(one->name, other->name) ||
        (!same_map && l->direction == EXPECT_OUTBOUND))
        return;
    add_lint(l, same_map ? EXPECT_LINT_ERROR : EXPECT_LINT_WARNING, other->path,
             arena_printf(l->a, "%.*s is set by %.*s too: which of the two wins is not determined",
                          SLICE_ARG(other->name), SLICE_ARG(one->path)));
}

/* What is only read (headers_to_attributes) may well be sent too. */
static void lint_duplicates(struct lints *l, const struct names *names)
{
    struct named *sorted = ARENA_ARRAY(l->a, struct named, names->n);
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++)
        if (names->items[i].place != IN_TO_ATTRIBUTES)
            sorted[n++] = names->items[i];
    qsort(sorted, n, sizeof *sorted, compare_named);
    for (size_t i = 1; i < n; i++)
        lint_twice(l, &sorted[i - 1], &sorted[i]);
}

static bool looks_like_header(struct slice s)
{
    return slice_starts_nocase(s, SLICE("X-")) || slice_starts_nocase(s, SLICE("P-")) ||
           (s.n > 1 && sip_header_of(s) != SIP_HEADER_OTHER);
}

static void lint_swapped(struct lints *l, const struct expect_map *map, bool header_is_key,
                         const char *field, const char *rule)
{
    for (size_t i = 0; i < map->n; i++) {
        struct slice header = header_is_key ? map->pairs[i].key : map->pairs[i].value;
        struct slice attribute = header_is_key ? map->pairs[i].value : map->pairs[i].key;
        if (looks_like_header(attribute) && !looks_like_header(header))
            add_lint(l, EXPECT_LINT_ERROR,
                     expect_path_add(l->a, slice_of(field), map->pairs[i].key),
                     arena_printf(l->a, "key and value look swapped: %s", rule));
    }
}

/* include_headers makes attributes sip.h.NAME, in lower case (livekit_sip.proto). */
static void lint_included(struct lints *l, const struct expect_trunk *t)
{
    for (size_t i = 0; i < t->attributes_to_headers.n; i++) {
        struct slice key = t->attributes_to_headers.pairs[i].key;
        bool upper = false;
        for (size_t k = 0; k < key.n; k++)
            upper |= key.p[k] >= 'A' && key.p[k] <= 'Z';
        if (slice_starts(key, SLICE("sip.h.")) && upper)
            add_lint(l, EXPECT_LINT_WARNING,
                     expect_path_add(l->a, SLICE("attributes_to_headers"), key),
                     SLICE("include_headers makes sip.h.* attributes in lower case: this one is "
                           "never set by it"));
    }
}

/* ---- what a trunk as a whole lacks ---------------------------------------------------------- */

static void lint_maps(struct lints *l, const struct expect_trunk *t)
{
    bool inbound = t->direction == EXPECT_INBOUND;
    if (t->attributes_to_headers.n)
        return;
    if (t->headers_to_attributes.n)
        add_lint(
            l, EXPECT_LINT_WARNING, SLICE("headers_to_attributes"),
            arena_printf(
                l->a,
                "only reads headers, from the %s that LiveKit receives: nothing is sent on BYE or "
                "REFER, which is what attributes_to_headers is for",
                inbound ? "INVITE" : "200 to INVITE"));
    if (t->headers.n)
        add_lint(
            l, EXPECT_LINT_NOTE, SLICE("headers"),
            arena_printf(l->a,
                         "is sent on the %s only: nothing is sent on BYE or REFER, which is what "
                         "attributes_to_headers is for",
                         inbound ? "200 to INVITE" : "INVITE"));
    if (!t->headers_to_attributes.n && !t->headers.n)
        add_lint(l, EXPECT_LINT_NOTE, SLICE("attributes_to_headers"),
                 SLICE("this trunk maps nothing: it promises no header on any message"));
}

/* ---- how the trunk is matched --------------------------------------------------------------- */

static void lint_source(struct lints *l, struct slice path, struct slice entry)
{
    struct address net;
    unsigned bits;
    if (expect_address_dropped(entry))
        add_lint(l, EXPECT_LINT_WARNING, path,
                 arena_printf(
                     l->a,
                     "LiveKit drops \"%.*s\": it takes an IP address, a CIDR block or a host name",
                     SLICE_ARG(entry)));
    else if (entry.n && entry.p[0] == '[')
        add_lint(l, EXPECT_LINT_WARNING, path,
                 SLICE("an IPv6 address in brackets matches no source: leave the brackets out"));
    else if (!address_parse_cidr(entry, &net, &bits))
        add_lint(l, EXPECT_LINT_NOTE, path,
                 arena_printf(
                     l->a,
                     "\"%.*s\" is compared with the From header's host as text, it is not resolved",
                     SLICE_ARG(entry)));
}

static void lint_sources(struct lints *l, const struct expect_trunk *t)
{
    size_t dropped = 0;
    for (size_t i = 0; i < t->allowed_addresses.n; i++) {
        struct slice entry = t->allowed_addresses.items[i];
        lint_source(l, arena_printf(l->a, "allowed_addresses[%zu]", i), entry);
        dropped += expect_address_dropped(entry);
    }
    if (dropped && dropped == t->allowed_addresses.n)
        add_lint(l, EXPECT_LINT_ERROR, SLICE("allowed_addresses"),
                 SLICE("no entry is left that LiveKit uses: calls from anywhere pass"));
}

static void lint_numbers(struct lints *l, const struct expect_list *numbers)
{
    for (size_t i = 0; i < numbers->n && i < NEAR_NAMES_MAX; i++)
        for (size_t k = 0; k < i; k++)
            if (expect_number_equal(numbers->items[i], numbers->items[k])) {
                add_lint(l, EXPECT_LINT_ERROR, arena_printf(l->a, "numbers[%zu]", i),
                         arena_printf(
                             l->a,
                             "the same number as numbers[%zu]: LiveKit finds the trunk twice and "
                             "refuses its calls",
                             k));
                break;
            }
}

static void lint_patterns(struct lints *l, const struct expect_list *list, const char *field)
{
    for (size_t i = 0; i < list->n; i++) {
        struct slice s = list->items[i];
        if (slice_find(s, '*') < s.n || slice_find(s, '^') < s.n || slice_find(s, '?') < s.n)
            add_lint(l, EXPECT_LINT_WARNING, arena_printf(l->a, "%s[%zu]", field, i),
                     SLICE("numbers are compared as they are: LiveKit knows no patterns here"));
    }
}

static void lint_address(struct lints *l, const struct expect_trunk *t)
{
    struct slice s = t->address;
    if (s.n == 0)
        add_lint(l, EXPECT_LINT_ERROR, SLICE("address"),
                 SLICE("an outbound trunk needs an address"));
    else if (slice_find(s, '@') < s.n || slice_find(s, ';') < s.n ||
             slice_starts(s, SLICE("sip:")) || slice_starts(s, SLICE("sips:")))
        add_lint(
            l, EXPECT_LINT_ERROR, SLICE("address"),
            SLICE("LiveKit takes a host name or an IP address here (and a port), not a SIP URI"));
}

size_t expect_lint(struct arena *a, const struct expect_trunk *trunk,
                   const struct expect_lint **out)
{
    struct lints l = {.a = a, .direction = trunk->direction};
    struct names names = collect_names(&l, trunk);
    size_t near = names.n < NEAR_NAMES_MAX ? names.n : NEAR_NAMES_MAX;
    for (size_t i = 0; i < names.n; i++)
        lint_name(&l, &names.items[i]);
    for (size_t i = 0; i < near; i++)
        lint_near(&l, &names, i, near);
    lint_duplicates(&l, &names);
    lint_values(&l, &trunk->headers);
    lint_swapped(&l, &trunk->attributes_to_headers, false, "attributes_to_headers",
                 "attributes_to_headers is attribute -> header");
    lint_swapped(&l, &trunk->headers_to_attributes, true, "headers_to_attributes",
                 "headers_to_attributes is header -> attribute");
    lint_included(&l, trunk);
    lint_maps(&l, trunk);
    lint_sources(&l, trunk);
    lint_patterns(&l, &trunk->allowed_numbers, "allowed_numbers");
    lint_patterns(&l, &trunk->numbers, "numbers");
    if (trunk->direction == EXPECT_INBOUND)
        lint_numbers(&l, &trunk->numbers);
    else
        lint_address(&l, trunk);
    struct expect_lint *found = ARENA_ARRAY(a, struct expect_lint, l.found.n);
    for (size_t i = 0; i < l.found.n; i++)
        found[i] = l.found.items[i];
    size_t n = l.found.n;
    vec_free(&l.found);
    *out = found;
    return n;
}

const char *expect_lint_name(enum expect_lint_severity severity)
{
    static const char *const names[] = {
        [EXPECT_LINT_ERROR] = "error",
        [EXPECT_LINT_WARNING] = "warning",
        [EXPECT_LINT_NOTE] = "note",
    };
    return names[severity];
}

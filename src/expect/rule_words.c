/* The parts of a rule that are written as words: messages, places, header names. */
#include "expect/rule_internal.h"

#include <stdio.h>

static bool fail(struct arena *a, struct slice *fault, const char *what, struct slice text)
{
    *fault = arena_printf(a, "%s: \"%.*s\"", what, SLICE_ARG(text));
    return false;
}

struct slice rule_near(struct arena *a, struct slice word, const char *(*next)(size_t index))
{
    struct slice copy = arena_copy(a, word);
    const char *near = nearest_word(copy.p, next);
    return near ? arena_printf(a, "; did you mean \"%s\"?", near) : SLICE_NONE;
}

/* ---- messages -------------------------------------------------------------------------------- */

static const char *method_at(size_t i)
{
    return i + 1 < SIP_METHOD_COUNT ? sip_method_name((enum sip_method)(i + 1)) : NULL;
}

static struct slice upper(struct arena *a, struct slice s)
{
    struct slice copy = arena_copy(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] & ~0x20);
    return copy;
}

/* A method that is not known may be an extension; one that is nearly known is a slip (RFC 3261
 * 7.1: methods are case-sensitive). */
static bool read_method(struct arena *a, struct slice text, struct slice *out, struct slice *fault)
{
    struct slice big = upper(a, text);
    *out = text;
    if (slice_is(text, "*")) {
        *out = SLICE_NONE;
        return true;
    }
    if (!sip_is_token(text))
        return fail(a, fault, "no method", text);
    if (sip_method_of(text) != SIP_METHOD_OTHER)
        return true;
    const char *near = nearest_word(big.p, method_at);
    if (near || !slice_equal(big, text)) {
        *fault = arena_printf(a, "unknown method \"%.*s\"; did you mean \"%s\"?", SLICE_ARG(text),
                              near && sip_method_of(big) == SIP_METHOD_OTHER ? near : big.p);
        return false;
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool looks_like_status(struct slice s)
{
    return s.n == 3 && is_digit(s.p[0]) &&
           ((is_digit(s.p[1]) && is_digit(s.p[2])) ||
            slice_equal_nocase(slice_from(s, 1), SLICE("xx")));
}

static bool read_status(struct arena *a, struct slice text, struct expect_kind *out,
                        struct slice *fault)
{
    uint32_t n;
    if (!looks_like_status(text) || text.p[0] < '1' || text.p[0] > '6')
        return fail(a, fault, "no status, which is like 200 or 2xx", text);
    if (slice_to_u32(text, &n)) {
        out->status_min = out->status_max = (uint16_t)n;
        return true;
    }
    out->status_min = (uint16_t)((text.p[0] - '0') * 100);
    out->status_max = (uint16_t)(out->status_min + 99);
    return true;
}

/* METHOD, METHOD STATUS, STATUS; METHOD may be * or re-INVITE, and a slash may part the two. */
bool rule_kind(struct arena *a, struct slice text, struct expect_kind *out, struct slice *fault)
{
    *out = (struct expect_kind){0};
    text = slice_trim(text);
    size_t gap = 0;
    while (gap < text.n && text.p[gap] != ' ' && text.p[gap] != '/')
        gap++;
    struct slice first = slice_first(text, gap), second = slice_trim(slice_from(text, gap + 1));
    if (first.n == 0)
        return fail(a, fault, "no message, which is like BYE or \"INVITE 2xx\"", text);
    if (looks_like_status(first) && second.n == 0)
        return read_status(a, first, out, fault);
    if (slice_equal_nocase(first, SLICE("re-INVITE"))) {
        out->again = true;
        first = SLICE("INVITE");
    }
    if (!read_method(a, first, &out->method, fault))
        return false;
    out->method = arena_copy(a, out->method);
    out->initial = !out->again && slice_is(out->method, "INVITE");
    return second.n == 0 || read_status(a, second, out, fault);
}

struct slice expect_kind_text(struct arena *a, const struct expect_kind *k)
{
    const char *re = k->again ? "re-" : "";
    if (!k->status_min)
        return k->method.n ? arena_printf(a, "%s%.*s", re, SLICE_ARG(k->method))
                           : SLICE("any request");
    struct slice status = k->status_min == k->status_max
                              ? arena_printf(a, "%u", k->status_min)
                              : arena_printf(a, "%uxx", k->status_min / 100);
    return k->method.n ? arena_printf(a, "%s%.*s %.*s", re, SLICE_ARG(k->method), SLICE_ARG(status))
                       : status;
}

/* ---- places ---------------------------------------------------------------------------------- */

static bool take_side(struct slice *name, const char *suffix)
{
    struct slice s = slice_of(suffix);
    if (name->n <= s.n || !slice_equal(slice_from(*name, name->n - s.n), s))
        return false;
    *name = slice_first(*name, name->n - s.n);
    return true;
}

static const char *hop_at(size_t i)
{
    static const char *const hops[] = {"every-hop", "first-hop", "last-hop", NULL};
    return hops[i];
}

bool rule_place(struct arena *a, struct slice text, struct expect_place *out, struct slice *fault)
{
    text = slice_trim(text);
    *out = (struct expect_place){.where = EXPECT_AT};
    if (text.n == 0)
        return fail(a, fault, "no place, which is a point, a node or like last-hop", text);
    for (size_t i = 0; hop_at(i); i++)
        if (slice_is(text, hop_at(i))) {
            out->where = (enum expect_where)i;
            return true;
        }
    struct slice near = rule_near(a, text, hop_at);
    if (near.n && slice_glob_nocase(text, SLICE("*hop*"))) {
        *fault = arena_printf(a, "unknown place \"%.*s\"%.*s", SLICE_ARG(text), SLICE_ARG(near));
        return false;
    }
    out->side = take_side(&text, ":in")    ? EXPECT_SIDE_IN
                : take_side(&text, ":out") ? EXPECT_SIDE_OUT
                                           : EXPECT_EITHER_SIDE;
    out->name = arena_copy(a, text);
    return true;
}

struct slice expect_place_text(struct arena *a, const struct expect_place *p)
{
    static const char *const sides[] = {"", ":in", ":out"};
    if (p->where != EXPECT_AT)
        return slice_of(hop_at((size_t)p->where));
    return arena_printf(a, "%.*s%s", SLICE_ARG(p->name), sides[p->side]);
}

/* ---- headers --------------------------------------------------------------------------------- */

bool rule_header(struct arena *a, struct slice text, struct expect_test *out, struct slice *fault)
{
    text = slice_trim(text);
    out->header = arena_copy(a, text);
    out->many = false;
    if (text.n == 0)
        return fail(a, fault, "no header name", text);
    for (size_t i = 0; i < text.n; i++) {
        struct slice one = {text.p + i, 1};
        out->many |= text.p[i] == '*' || text.p[i] == '?';
        if (text.p[i] != '?' && !sip_is_token(one))
            return fail(a, fault,
                        text.p[i] == ':' ? "a header name ends before its colon"
                                         : "a header name has no such character",
                        text);
    }
    return true;
}

/* ---- single words ---------------------------------------------------------------------------- */

bool rule_severity(struct slice text, enum expect_severity *out)
{
    for (int i = 0; i <= EXPECT_NOTE; i++)
        if (slice_is(text, expect_severity_name((enum expect_severity)i))) {
            *out = (enum expect_severity)i;
            return true;
        }
    return false;
}

const char *expect_severity_name(enum expect_severity severity)
{
    static const char *const names[] = {"error", "warning", "note"};
    return names[severity];
}

bool rule_way(struct slice text, enum expect_way *out)
{
    *out = slice_is(text, "inbound")    ? EXPECT_WAY_INBOUND
           : slice_is(text, "outbound") ? EXPECT_WAY_OUTBOUND
                                        : EXPECT_ANY_WAY;
    return *out != EXPECT_ANY_WAY;
}

/* It stands in reports, file names and shell words. */
bool rule_id_ok(struct slice id)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = ascii_lower((unsigned char)id.p[i]);
        if (!(c >= 'a' && c <= 'z') && !is_digit((char)c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return id.n > 0 && id.n <= 64;
}

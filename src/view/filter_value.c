/* Values as they are written: numbers with units and ranges, addresses with prefixes, words. */
#include "view/filter_internal.h"

#include <stdio.h>
#include <string.h>

#define TEN_YEARS_NS ((int64_t)10 * 366 * 86400 * 1000000000)

static bool fail(struct view_filter_fault *fault, const char *what)
{
    snprintf(fault->text, sizeof fault->text, "%s", what);
    return false;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static bool read_class(struct slice text, struct filter_value *out)
{
    if (text.n != 3 || text.p[0] < '1' || text.p[0] > '6' ||
        !slice_equal_nocase(slice_from(text, 1), SLICE("xx")))
        return false;
    out->from = (text.p[0] - '0') * 100;
    out->to = out->from + 99;
    return true;
}

/* "10", "2.5s", "300ms"; nanoseconds.  What is without a unit is in seconds. */
static bool read_span(struct slice text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"", 1000000000},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"s", 1000000000},
                 {"m", (int64_t)60 * 1000000000},
                 {"min", (int64_t)60 * 1000000000},
                 {"h", (int64_t)3600 * 1000000000}};
    double value = 0, place = 0;
    size_t i = 0, digits = 0;
    for (; i < text.n && ((text.p[i] >= '0' && text.p[i] <= '9') || text.p[i] == '.'); i++) {
        if (text.p[i] == '.') {
            if (place != 0)
                return false;
            place = 0.1;
            continue;
        }
        digits++;
        value = place != 0 ? value + place * (text.p[i] - '0') : value * 10 + (text.p[i] - '0');
        place /= 10;
    }
    for (size_t u = 0; digits && digits < 18 && u < sizeof units / sizeof *units; u++)
        if (slice_equal_nocase(slice_from(text, i), slice_of(units[u].name))) {
            value *= (double)units[u].ns;
            *out = (int64_t)(value + 0.5);
            return value <= (double)TEN_YEARS_NS;
        }
    return false;
}

static bool read_one(const struct filter_test *t, struct slice text, int64_t *out)
{
    uint32_t number = 0;
    if (filter_test_type(t) == FILTER_SPAN)
        return read_span(text, out);
    bool ok = slice_to_u32(text, &number);
    *out = number;
    return ok;
}

/* "200", "4xx", "400..499", "1s..2s" */
static bool read_number(const struct filter_test *t, struct slice text, struct filter_value *out,
                        struct view_filter_fault *fault)
{
    bool status = t->field == FILTER_FIELD_STATUS || t->field == FILTER_FIELD_CALL_STATUS;
    size_t dots = 0;
    if (status && t->measure == FILTER_ITSELF && t->op == FILTER_EQUALS && read_class(text, out))
        return true;
    while (dots + 1 < text.n && !(text.p[dots] == '.' && text.p[dots + 1] == '.'))
        dots++;
    bool range = t->op == FILTER_EQUALS && dots + 1 < text.n;
    struct slice first = range ? slice_first(text, dots) : text;
    if (!read_one(t, first, &out->from))
        return fail(fault, filter_test_type(t) == FILTER_SPAN
                               ? "a time was expected, which is like 10s, 500ms, 2m or 1h"
                           : status ? "a status was expected, which is like 404, 4xx or 400..499"
                                    : "a number was expected");
    out->to = out->from;
    if (range && !read_one(t, slice_from(text, dots + 2), &out->to))
        return fail(fault, "a range is written 1..10");
    return out->to >= out->from || fail(fault, "the range ends before it begins");
}

/* ---- addresses ------------------------------------------------------------------------------- */

static bool read_port(struct slice text, uint16_t *out)
{
    uint32_t port;
    if (!slice_to_u32(text, &port) || port == 0 || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* "10.0.0.1", "10.0.0.0/8", "10.0.0.1:5060", "fd00::1", "[fd00::1]:5060" */
static bool read_address(struct slice text, struct filter_value *out,
                         struct view_filter_fault *fault)
{
    size_t colon = text.n;
    if (address_parse_cidr(text, &out->address, &out->bits))
        return true;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon > 1 && (text.p[0] == '[' || slice_find(text, ':') == colon - 1) &&
        address_parse_cidr(slice_first(text, colon - 1), &out->address, &out->bits) &&
        read_port(slice_from(text, colon), &out->port))
        return true;
    bool name = slice_find(text, '.') == text.n && slice_find(text, ':') == text.n;
    return fail(fault,
                name ? "an address was expected, which is like 10.0.0.1 or 10.0.0.0/8; a point is "
                       "asked for by point == NAME"
                     : "an address was expected, which is like 10.0.0.1, 10.0.0.0/8, "
                       "10.0.0.1:5060, fd00::1 or [fd00::1]:5060");
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool is_listed(const char *words, struct slice text)
{
    for (struct slice rest = slice_of(words); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, word.n + 1);
        if (slice_equal_nocase(word, text))
            return true;
    }
    return false;
}

static const char *method_next(size_t i)
{
    return i + 1 < SIP_METHOD_COUNT ? sip_method_name((enum sip_method)(i + 1)) : NULL;
}

/* A method that is not known may be an extension; one that is nearly known is a slip. */
static bool check_method(struct slice text, struct view_filter_fault *fault)
{
    char big[32] = "";
    for (size_t i = 0; text.n < sizeof big && i < text.n; i++)
        big[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] & ~0x20) : text.p[i];
    if (sip_method_of(slice_of(big)) != SIP_METHOD_OTHER)
        return true;
    const char *near = nearest_word(big, method_next);
    if (near)
        snprintf(fault->text, sizeof fault->text,
                 "no such method; did you mean %s? (by =~ any "
                 "other can be asked for)",
                 near);
    return !near;
}

static const char *finding_next(size_t i)
{
    const struct check_kind *kinds;
    return i < check_kinds(&kinds) ? kinds[i].id : NULL;
}

static bool check_finding(struct slice text, struct view_filter_fault *fault)
{
    char copy[64] = "";
    for (size_t i = 0; finding_next(i); i++)
        if (slice_equal_nocase(text, slice_of(finding_next(i))))
            return true;
    if (text.n && text.n < sizeof copy)
        memcpy(copy, text.p, text.n);
    const char *near = nearest_word(copy, finding_next);
    snprintf(fault->text, sizeof fault->text, "no such finding%s%s%s",
             near ? "; did you mean " : "", near ? near : "",
             near ? "?" : "; sipxray explain lists them");
    return false;
}

static bool check_word(const struct filter_test *t, struct slice text, bool quoted,
                       struct view_filter_fault *fault)
{
    const char *words = filter_field_of(t->field)->words;
    bool method = t->field == FILTER_FIELD_METHOD || t->field == FILTER_FIELD_CSEQ_METHOD ||
                  t->field == FILTER_FIELD_CALL_METHOD;
    if (method && !quoted)
        return check_method(text, fault);
    if (t->field == FILTER_FIELD_CALL_FINDING)
        return check_finding(text, fault);
    if (!words || is_listed(words, text))
        return true;
    struct text list = {0};
    for (struct slice rest = slice_of(words); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, word.n + 1);
        text_printf(&list, "%s%.*s", list.n ? rest.n ? ", " : " or " : "", SLICE_ARG(word));
    }
    snprintf(fault->text, sizeof fault->text, "%s is %s", filter_field_of(t->field)->name, list.p);
    text_free(&list);
    return false;
}

static bool check_flag(struct slice text, struct filter_value *out, struct view_filter_fault *fault)
{
    out->from = slice_equal_nocase(text, SLICE("true"));
    return out->from || slice_equal_nocase(text, SLICE("false")) ||
           fail(fault, "true or false was expected");
}

bool filter_value_read(const struct filter_test *t, struct slice text, bool quoted,
                       struct filter_value *out, struct view_filter_fault *fault)
{
    switch (filter_test_type(t)) {
    case FILTER_NUMBER:
    case FILTER_SPAN:
        return read_number(t, text, out, fault);
    case FILTER_ADDRESS:
        return read_address(text, out, fault);
    case FILTER_FLAG:
        return check_flag(text, out, fault);
    case FILTER_WORD:
        return check_word(t, text, quoted, fault);
    default:
        return true;
    }
}

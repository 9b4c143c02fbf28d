/* Who calls, by the headers that say so: P-Asserted-Identity (RFC 3325), Remote-Party-ID (a draft
 * that never became one, and is spoken widely), Diversion (RFC 5806), History-Info (RFC 7044),
 * Privacy (RFC 3323). */
#include "sip/internal.h"

#define VALUES_MAX 64u /* of one header name that are looked at */

/* ---- numbers -------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3966: visual separators */
static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

/* The user up to its parameters, where it is a telephone number. */
static struct slice number_of(struct slice user)
{
    struct slice s = slice_first(user, slice_find(user, ';'));
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]) && !is_separator(s.p[i]) && !(i == 0 && s.p[i] == '+'))
            return SLICE("");
        digits += is_digit(s.p[i]);
    }
    return digits >= 3 ? s : SLICE("");
}

/* The last digit before *at, which goes there; 0: none is left. */
static char digit_before(struct slice s, size_t *at)
{
    while (*at > 0)
        if (is_digit(s.p[--*at]))
            return s.p[*at];
    return 0;
}

bool sip_number_agrees(struct slice a, struct slice b)
{
    size_t i = a.n, k = b.n, same = 0;
    for (;;) {
        char x = digit_before(a, &i), y = digit_before(b, &k);
        if (!x && !y)
            return same > 0;
        if (!x || !y)
            return same >= 7; /* a subscriber's number without its codes */
        if (x != y)
            return false;
        same++;
    }
}

bool sip_is_anonymous(const struct sip_address *address)
{
    static const char *const users[] = {"anonymous", "restricted", "unavailable", "unknown",
                                        "private",   "withheld",   "blocked"};
    if (slice_equal_nocase(address->host, SLICE("anonymous.invalid")))
        return true;
    for (size_t i = 0; i < sizeof users / sizeof *users; i++)
        if (slice_equal_nocase(address->user, slice_of(users[i])))
            return true;
    return false;
}

/* ---- values --------------------------------------------------------------------------------- */

static struct slice param(struct slice value, const char *name)
{
    struct slice out;
    return sip_param(value, slice_of(name), &out) ? slice_trim(out) : SLICE("");
}

/* What stands in the <> of a name-addr. */
static struct slice uri_of(struct slice value)
{
    size_t open = slice_find(value, '<');
    struct slice inside = slice_from(value, open + 1);
    return open < value.n ? slice_first(inside, slice_find(inside, '>')) : value;
}

/* The digits behind `marker`, which is compared without case; empty: it is not there. */
static struct slice digits_after(struct slice text, struct slice marker)
{
    for (size_t i = 0; i + marker.n < text.n; i++) {
        struct slice rest = slice_from(text, i);
        size_t n = 0;
        if (!slice_starts_nocase(rest, marker))
            continue;
        rest = slice_from(rest, marker.n);
        while (n < rest.n && is_digit(rest.p[n]))
            n++;
        return slice_first(rest, n);
    }
    return SLICE("");
}

/* RFC 4458 has it as a parameter of the URI, RFC 4244 in an escaped Reason header behind it. */
static struct slice cause_of(struct slice value)
{
    struct slice uri = uri_of(value), cause = digits_after(uri, SLICE(";cause="));
    return cause.n ? cause : digits_after(uri, SLICE("cause%3D"));
}

static void read_identity(struct arena *a, struct slice value, struct sip_identity *out)
{
    *out = (struct sip_identity){.text = value,
                                 .party = param(value, "party"),
                                 .screen = param(value, "screen"),
                                 .privacy = param(value, "privacy"),
                                 .reason = param(value, "reason"),
                                 .counter = param(value, "counter"),
                                 .limit = param(value, "limit"),
                                 .index = param(value, "index"),
                                 .cause = cause_of(value)};
    out->readable =
        sip_address_parse(a, value, &out->address) && (out->address.user.n || out->address.host.n);
    if (out->readable)
        out->number = number_of(out->address.user);
}

size_t sip_identities(struct arena *a, const struct sip_message *m, struct slice name,
                      const struct sip_identity **out)
{
    struct sip_identity *list = ARENA_ARRAY(a, struct sip_identity, VALUES_MAX);
    const struct sip_header *h;
    size_t n = 0;
    for (uint32_t at = 0; (h = sip_header_next(m, at, name, &at)); at++) {
        struct slice rest = sip_unfold(a, h), value;
        while (n < VALUES_MAX && sip_list_next(&rest, &value))
            read_identity(a, value, &list[n++]);
    }
    *out = list;
    return n;
}

bool sip_identity_from(struct arena *a, const struct sip_message *m, struct sip_identity *out)
{
    const struct sip_header *h = sip_header_first(m, SIP_HEADER_FROM);
    if (!h)
        return false;
    read_identity(a, sip_unfold(a, h), out);
    return out->readable;
}

/* ---- Privacy -------------------------------------------------------------------------------- */

static unsigned privacy_value(struct slice word)
{
    static const struct {
        const char *name;
        unsigned value;
    } values[] = {
        {"none", SIP_PRIVACY_NONE},         {"id", SIP_PRIVACY_ID},
        {"user", SIP_PRIVACY_USER},         {"header", SIP_PRIVACY_HEADER},
        {"session", SIP_PRIVACY_SESSION},   {"history", SIP_PRIVACY_HISTORY},
        {"critical", SIP_PRIVACY_CRITICAL},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (slice_equal_nocase(word, slice_of(values[i].name)))
            return values[i].value;
    return word.n ? SIP_PRIVACY_OTHER : 0;
}

/* priv-value *(";" priv-value); commas are seen as well. */
unsigned sip_privacy(struct arena *a, const struct sip_message *m)
{
    const struct sip_header *h;
    unsigned all = 0;
    for (uint32_t at = 0; (h = sip_header_next(m, at, SLICE("Privacy"), &at)); at++)
        for (struct slice rest = sip_unfold(a, h); rest.n;) {
            size_t n = 0;
            while (n < rest.n && rest.p[n] != ';' && rest.p[n] != ',')
                n++;
            all |= privacy_value(slice_trim(slice_first(rest, n)));
            rest = slice_from(rest, n + 1);
        }
    return all;
}

/* Header names as such: which have a meaning of their own, which may stand once only, which carry
 * secrets, and which are nearly another. */
#include "sip/sip.h"

enum field_count { ONE, MANY };

static const struct field {
    struct slice name;
    enum field_count count;
} fields[] = {
#define FIELD(name, count) {{name, sizeof(name) - 1}, count},
#include "sip/registry.def"
#undef FIELD
};

#define FIELDS (sizeof fields / sizeof *fields)

static const struct field *field_of(struct slice name)
{
    if (name.n == 1) {
        const char *known = sip_header_name(sip_header_of(name));
        name = known ? slice_of(known) : name;
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].name.n == name.n && slice_equal_nocase(fields[i].name, name))
            return &fields[i];
    return NULL;
}

bool sip_is_standard(struct slice name)
{
    return field_of(name) != NULL;
}

bool sip_is_single(struct slice name)
{
    const struct field *f = field_of(name);
    return f && f->count == ONE;
}

/* Names whose value is a secret as a whole; patterns, letters of any case. */
static const char *const secret_names[] = {
    "*api-key", "*apikey",       "*auth-token", "*access-token", "*-secret",   "*-password",
    "*-passwd", "*-credential*", "cookie",      "set-cookie",    "*-auth-key", "*-private-key"};

bool sip_is_secret(struct slice name)
{
    for (size_t i = 0; i < sizeof secret_names / sizeof *secret_names; i++)
        if (slice_glob_nocase(name, slice_of(secret_names[i])))
            return true;
    return false;
}

bool sip_is_credentials(struct slice name)
{
    return slice_equal_nocase(name, SLICE("Authorization")) ||
           slice_equal_nocase(name, SLICE("Proxy-Authorization"));
}

/* ---- near misses ---------------------------------------------------------------------------- */

#define NAME_MAX_BYTES 64u /* a longer name is near no other */

static bool is_joint(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ' || c == '\t';
}

/* The same but for case, and for what joins the words? */
static bool same_folded(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a.n && is_joint(a.p[i]))
            i++;
        while (k < b.n && is_joint(b.p[k]))
            k++;
        if (i >= a.n || k >= b.n)
            return i >= a.n && k >= b.n;
        if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[k]))
            return false;
    }
}

static bool same_letter(char a, char b)
{
    return ascii_lower((unsigned char)a) == ascii_lower((unsigned char)b);
}

/* Edit distance at most k, two letters in the wrong order counted as one edit? */
static bool within(struct slice a, struct slice b, unsigned k)
{
    while (a.n && b.n && same_letter(*a.p, *b.p)) {
        a = slice_from(a, 1);
        b = slice_from(b, 1);
    }
    if (a.n == 0 || b.n == 0)
        return a.n + b.n <= k;
    if (k == 0)
        return false;
    if (a.n > 1 && b.n > 1 && same_letter(a.p[0], b.p[1]) && same_letter(a.p[1], b.p[0]) &&
        within(slice_from(a, 2), slice_from(b, 2), k - 1))
        return true;
    return within(slice_from(a, 1), b, k - 1) || within(a, slice_from(b, 1), k - 1) ||
           within(slice_from(a, 1), slice_from(b, 1), k - 1);
}

static bool same_letters(struct slice a, struct slice b)
{
    unsigned sum = 0;
    for (size_t i = 0; i < a.n; i++)
        sum += ascii_lower((unsigned char)a.p[i]);
    for (size_t i = 0; i < b.n; i++)
        sum -= ascii_lower((unsigned char)b.p[i]);
    return sum == 0;
}

/* A slip of the hand.  Short names are near too many others, and one of middle length with another
 * letter in it may well be a name of its own, as Cell-Info is beside Call-Info. */
static bool is_misspelt(struct slice name, struct slice standard)
{
    if (name.n < 5 || standard.n < 5)
        return false;
    if (name.n < 10 && name.n == standard.n && !same_letters(name, standard))
        return false;
    return within(name, standard, name.n >= 14 ? 2 : 1);
}

/* P-Asserted-Id: it ends within a word. */
static bool is_shortened(struct slice name, struct slice standard)
{
    size_t dash = name.n;
    while (dash > 0 && name.p[dash - 1] != '-')
        dash--;
    return name.n >= 8 && dash > 0 && name.n - dash >= 2 && standard.n > name.n &&
           standard.p[name.n] != '-' && slice_starts_nocase(standard, name);
}

struct slice sip_standard_near(struct slice name)
{
    static bool (*const near[])(struct slice, struct slice) = {same_folded, is_misspelt,
                                                               is_shortened};
    if (name.n < 2 || name.n > NAME_MAX_BYTES || sip_is_standard(name) ||
        slice_starts_nocase(name, SLICE("X-")))
        return SLICE_NONE;
    for (size_t k = 0; k < sizeof near / sizeof *near; k++)
        for (size_t i = 0; i < FIELDS; i++)
            if (near[k](name, fields[i].name))
                return fields[i].name;
    return SLICE_NONE;
}

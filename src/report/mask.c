/* Secrets: which headers carry some, and what of them may be shown. */
#include "report/internal.h"

/* Names whose value is a secret as a whole; patterns, letters of any case. */
static const char *const key_names[] = {"*api-key", "*apikey",    "*auth-token", "*access-token",
                                        "*-secret", "*-password", "*-passwd",    "*-credential*",
                                        "cookie",   "set-cookie", "*-auth-key",  "*-private-key"};

static bool is_key(struct slice name)
{
    for (size_t i = 0; i < sizeof key_names / sizeof *key_names; i++)
        if (slice_glob_nocase(name, slice_of(key_names[i])))
            return true;
    return false;
}

static bool is_credentials(struct slice name)
{
    return slice_equal_nocase(name, SLICE("Authorization")) ||
           slice_equal_nocase(name, SLICE("Proxy-Authorization"));
}

/* An empty value stays so: that a proxy empties a header is worth knowing, and no secret. */
struct slice report_masked(struct arena *a, const struct report_style *style, struct slice name,
                           struct slice value)
{
    if (style->show_secrets || value.n == 0)
        return value;
    if (is_key(name))
        return SLICE("***");
    if (!is_credentials(name))
        return value;
    /* RFC 3261 25.1: credentials = scheme LWS parameters */
    struct slice scheme = slice_first(value, slice_find(value, ' '));
    if (scheme.n == value.n || !sip_is_token(scheme))
        return SLICE("***");
    return arena_printf(a, "%.*s ***", SLICE_ARG(scheme));
}

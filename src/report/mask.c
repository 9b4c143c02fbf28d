/* Secrets: which headers carry some, and what of them may be shown. */
#include "report/internal.h"

/* An empty value stays so: that a proxy empties a header is worth knowing, and no secret. */
struct slice report_masked(struct arena *a, const struct report_style *style, struct slice name,
                           struct slice value)
{
    if (style->show_secrets || value.n == 0)
        return value;
    if (sip_is_secret(name))
        return SLICE("***");
    if (!sip_is_credentials(name))
        return value;
    /* RFC 3261 25.1: credentials = scheme LWS parameters */
    struct slice scheme = slice_first(value, slice_find(value, ' '));
    if (scheme.n == value.n || !sip_is_token(scheme))
        return SLICE("***");
    return arena_printf(a, "%.*s ***", SLICE_ARG(scheme));
}

/* The kinds of finding as a table, for help and the manual. */
#include "check/check.h"

static const struct check_kind kinds[] = {
#define FINDING(name, id, severity, title) {id, CHECK_##severity, title},
#include "check/findings.def"
#undef FINDING
};

size_t check_kinds(const struct check_kind **out)
{
    *out = kinds;
    return sizeof kinds / sizeof *kinds;
}

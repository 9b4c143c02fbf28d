/* The kinds of finding and cause as tables, for help, explain and the manual. */
#include "check/check.h"

static const struct check_kind kinds[] = {
#define FINDING(id, name, severity, title, means, prove, mend)                                     \
    {name, CHECK_##severity, title, means, prove, mend},
#include "check/findings.def"
};

static const struct check_cause_kind causes[] = {
#define CAUSE(id, name, findings, title, means, prove, remedy)                                     \
    {name, findings, title, means, prove, remedy},
#include "check/findings.def"
};

size_t check_kinds(const struct check_kind **out)
{
    *out = kinds;
    return sizeof kinds / sizeof *kinds;
}

size_t check_cause_kinds(const struct check_cause_kind **out)
{
    *out = causes;
    return sizeof causes / sizeof *causes;
}

const struct check_kind *check_kind_of(struct slice id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is(id, kinds[i].id))
            return &kinds[i];
    return NULL;
}

const struct check_cause_kind *check_cause_kind_of(struct slice id)
{
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (slice_is(id, causes[i].id))
            return &causes[i];
    return NULL;
}

bool check_cause_explains(const struct check_cause_kind *cause, struct slice finding)
{
    for (struct slice rest = slice_of(cause->findings); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, word.n + 1);
        if (slice_equal(word, finding))
            return true;
    }
    return false;
}

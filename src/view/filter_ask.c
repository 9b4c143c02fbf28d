/* A test, and what it says: yes, no, or that what was not captured decides. */
#include "view/filter_internal.h"

#include <string.h>

/* ---- one value ------------------------------------------------------------------------------- */

static enum view_filter_answer answer(bool yes)
{
    return yes ? VIEW_FILTER_YES : VIEW_FILTER_NO;
}

/* In any case; ASCII letters only. */
static bool contains(struct slice text, struct slice part)
{
    if (part.n == 0)
        return true;
    unsigned char first = ascii_lower((unsigned char)part.p[0]);
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (ascii_lower((unsigned char)text.p[i]) == first &&
            slice_equal_nocase((struct slice){text.p + i, part.n}, part))
            return true;
    return false;
}

static bool is_equal(const struct filter_test *t, struct slice a, struct slice b)
{
    return filter_test_type(t) == FILTER_WORD ? slice_equal_nocase(a, b) : slice_equal(a, b);
}

/* What is cut may still become the value. */
static enum view_filter_answer equals_text(const struct filter_test *t,
                                           const struct filter_datum *d)
{
    for (size_t i = 0; i < t->value_count; i++) {
        struct slice value = t->values[i].text;
        if (!d->cut && is_equal(t, d->text, value))
            return VIEW_FILTER_YES;
        if (d->cut && d->text.n <= value.n && is_equal(t, d->text, slice_first(value, d->text.n)))
            return VIEW_FILTER_UNSURE;
    }
    return VIEW_FILTER_NO;
}

static bool equals_address(const struct filter_test *t, const struct endpoint *e)
{
    for (size_t i = 0; i < t->value_count; i++) {
        const struct filter_value *v = &t->values[i];
        if (address_in_cidr(&e->ip, &v->address, v->bits) && (!v->port || v->port == e->port))
            return true;
    }
    return false;
}

static bool equals_number(const struct filter_test *t, int64_t n)
{
    for (size_t i = 0; i < t->value_count; i++)
        if (n >= t->values[i].from && n <= t->values[i].to)
            return true;
    return false;
}

static enum view_filter_answer matches(struct view_filter *f, struct filter_test *t,
                                       const struct filter_datum *d)
{
    if (d->cut || t->limited >= VIEW_FILTER_LIMITED_MAX)
        return VIEW_FILTER_UNSURE;
    enum pattern_result result = pattern_match(t->pattern, d->text);
    t->limited += result == PATTERN_LIMIT;
    f->stats.limited += result == PATTERN_LIMIT;
    return result == PATTERN_LIMIT ? VIEW_FILTER_UNSURE : answer(result == PATTERN_MATCHES);
}

static enum view_filter_answer starts(const struct filter_datum *d, struct slice value)
{
    if (d->cut && d->text.n < value.n && slice_starts_nocase(value, d->text))
        return VIEW_FILTER_UNSURE;
    return answer(slice_starts_nocase(d->text, value));
}

static enum view_filter_answer ends(const struct filter_datum *d, struct slice value)
{
    if (d->cut)
        return VIEW_FILTER_UNSURE;
    return answer(d->text.n >= value.n &&
                  slice_equal_nocase(slice_from(d->text, d->text.n - value.n), value));
}

static enum view_filter_answer compare(const struct filter_test *t, int64_t n)
{
    int64_t value = t->values[0].from;
    switch (t->op) {
    case FILTER_BELOW:
        return answer(n < value);
    case FILTER_AT_MOST:
        return answer(n <= value);
    case FILTER_ABOVE:
        return answer(n > value);
    case FILTER_AT_LEAST:
        return answer(n >= value);
    default:
        return answer(equals_number(t, n));
    }
}

static enum view_filter_answer ask_text(struct view_filter *f, struct filter_test *t,
                                        const struct filter_datum *d)
{
    struct slice value = t->values[0].text;
    switch (t->op) {
    case FILTER_CONTAINS:
        if (contains(d->text, value))
            return VIEW_FILTER_YES;
        return d->cut ? VIEW_FILTER_UNSURE : VIEW_FILTER_NO;
    case FILTER_STARTS:
        return starts(d, value);
    case FILTER_ENDS:
        return ends(d, value);
    case FILTER_MATCHES:
        return matches(f, t, d);
    default:
        return equals_text(t, d);
    }
}

static enum view_filter_answer ask_one(struct view_filter *f, struct filter_test *t,
                                       const struct filter_datum *d)
{
    if (t->op == FILTER_EXISTS)
        return VIEW_FILTER_YES;
    if (t->measure == FILTER_HOW_LONG)
        return d->cut ? VIEW_FILTER_UNSURE : compare(t, (int64_t)d->text.n);
    switch (filter_test_type(t)) {
    case FILTER_NUMBER:
    case FILTER_SPAN:
        return compare(t, d->number);
    case FILTER_ADDRESS:
        return answer(equals_address(t, d->endpoint));
    case FILTER_FLAG:
        return VIEW_FILTER_YES;
    default:
        return ask_text(f, t, d);
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* One of the values is so.  `more`: others may be there that were not captured. */
static enum view_filter_answer ask_any(struct view_filter *f, struct filter_test *t, bool more)
{
    bool unsure = more;
    for (size_t i = 0; i < f->data.n; i++) {
        enum view_filter_answer one = ask_one(f, t, &f->data.items[i]);
        if (one == VIEW_FILTER_YES)
            return VIEW_FILTER_YES;
        unsure |= one == VIEW_FILTER_UNSURE;
    }
    return unsure ? VIEW_FILTER_UNSURE : VIEW_FILTER_NO;
}

static enum view_filter_answer opposite(enum view_filter_answer a)
{
    return a == VIEW_FILTER_UNSURE ? a : answer(a == VIEW_FILTER_NO);
}

/* x == false is not x, and x != false is x. */
static enum view_filter_answer ask_flag(const struct filter_test *t, bool set)
{
    bool wanted = t->op == FILTER_EXISTS || equals_number(t, 1);
    return answer((set == wanted) != t->negated);
}

enum view_filter_answer filter_ask(struct view_filter *f, struct filter_subject *s,
                                   struct filter_test *t)
{
    bool more = filter_fetch(f, s, t);
    if (t->measure == FILTER_HOW_MANY) {
        enum view_filter_answer a = more ? VIEW_FILTER_UNSURE : compare(t, (int64_t)f->data.n);
        return t->negated ? opposite(a) : a;
    }
    if (filter_field_of(t->field)->type == FILTER_FLAG)
        return ask_flag(t, f->data.n > 0);
    enum view_filter_answer any = ask_any(f, t, more);
    if (!t->negated)
        return any;
    if (t->op != FILTER_EXISTS && f->data.n == 0 && !more)
        return VIEW_FILTER_NO; /* nothing is there that could differ */
    return opposite(any);
}

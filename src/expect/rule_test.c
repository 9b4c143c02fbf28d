/* What a test says of a value. */
#include "expect/internal.h"

/* ---- parts of a structured value ------------------------------------------------------------- */

/* The end of what begins at `from`: the next `stop` that is not in quotes. */
static size_t find_outside(struct slice s, size_t from, char stop)
{
    bool quoted = false;
    size_t i = from;
    for (; i < s.n && (quoted || s.p[i] != stop); i++) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
    }
    return i < s.n ? i : s.n;
}

/* A quoted string without its quotes, and what a backslash guards (RFC 3261 25.1). */
static struct slice unquote(struct arena *a, struct slice s)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
        return s;
    char *p = arena_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 1; i + 1 < s.n; i++) {
        if (s.p[i] == '\\' && i + 2 < s.n)
            i++;
        p[n++] = s.p[i];
    }
    return (struct slice){p, n};
}

struct expect_list expect_test_parts(struct arena *a, const struct expect_test *t,
                                     struct slice value)
{
    struct expect_list list = {ARENA_ARRAY(a, struct slice, 1), 0};
    if (t->part.n == 0) {
        list.items[list.n++] = value;
        return list;
    }
    size_t most = 1;
    for (size_t i = 0; i < value.n; i++)
        most += value.p[i] == t->separator;
    list.items = ARENA_ARRAY(a, struct slice, most);
    for (size_t from = 0; from <= value.n;) {
        size_t end = find_outside(value, from, t->separator);
        struct slice part = slice_first(slice_from(value, from), end - from);
        size_t assign = slice_find(part, t->assign);
        if (slice_equal(slice_trim(slice_first(part, assign)), t->part))
            list.items[list.n++] = unquote(a, slice_trim(slice_from(part, assign + 1)));
        from = end + 1;
    }
    return list;
}

/* ---- one value ------------------------------------------------------------------------------- */

bool expect_test_equal(const struct expect_test *t, struct slice x, struct slice y)
{
    return t->ignore_case ? slice_equal_nocase(x, y) : slice_equal(x, y);
}

static bool is_among(const struct expect_test *t, const struct expect_list *list,
                     struct slice value)
{
    for (size_t i = 0; i < list->n; i++)
        if (expect_test_equal(t, list->items[i], value))
            return true;
    return false;
}

#define LISTED 8u /* values of a list that are named */

static struct slice list_words(struct arena *a, const char *head, const struct expect_list *list)
{
    struct text t = {0};
    text_printf(&t, "%s", head);
    for (size_t i = 0; i < list->n && i < LISTED; i++) {
        text_add(&t, i == 0             ? SLICE(" \"")
                     : i + 1 == list->n ? SLICE("\" or \"")
                                        : SLICE("\", \""));
        text_add(&t, list->items[i]);
    }
    text_add(&t, SLICE("\""));
    if (list->n > LISTED)
        text_printf(&t, " or %zu others", list->n - LISTED);
    return text_keep(&t, a);
}

/* Characters; what is no UTF-8 counts byte by byte. */
static size_t characters(struct slice s)
{
    size_t n = 0;
    uint32_t code;
    for (; s.n; n++) {
        size_t width = utf8_decode(s, &code);
        s = slice_from(s, width ? width : 1);
    }
    return n;
}

static enum expect_answer test_equal(struct arena *a, const struct expect_test *t,
                                     struct slice value, bool secret, struct slice *why)
{
    if (t->equals.n && !is_among(t, &t->equals, value)) {
        *why = secret ? SLICE("not what the rule asks for") : list_words(a, "not", &t->equals);
        return EXPECT_FAILS;
    }
    if (is_among(t, &t->unequal, value)) {
        *why = SLICE("a value that the rule refuses");
        return EXPECT_FAILS;
    }
    return EXPECT_HOLDS;
}

static enum expect_answer test_regex(struct arena *a, const struct expect_regex *r, bool wanted,
                                     struct slice value, struct slice *why)
{
    enum pattern_result result = r->pattern ? pattern_match(r->pattern, value) : PATTERN_MISSES;
    if (!r->pattern || result == (wanted ? PATTERN_MATCHES : PATTERN_MISSES))
        return EXPECT_HOLDS;
    const char *verb = result == PATTERN_LIMIT ? "too costly to be matched against"
                       : wanted                ? "no match for"
                                               : "a match for";
    *why = arena_printf(a, "%s %.*s", verb, SLICE_ARG(r->text));
    return result == PATTERN_LIMIT ? EXPECT_OPEN : EXPECT_FAILS;
}

static enum expect_answer test_length(struct arena *a, const struct expect_range *length,
                                      struct slice value, struct slice *why)
{
    size_t n = length->given ? characters(value) : 0;
    if (!length->given || (n >= length->min && n <= length->max))
        return EXPECT_HOLDS;
    bool few = n < length->min;
    *why = arena_printf(a, "of %zu character%s, at %s %u are allowed", n, n == 1 ? "" : "s",
                        few ? "least" : "most", few ? length->min : length->max);
    return EXPECT_FAILS;
}

/* The first that fails; else one that is open. */
enum expect_answer expect_test_value(struct arena *a, const struct expect_test *t,
                                     struct slice value, bool secret, struct slice *why)
{
    struct slice words[4] = {SLICE_NONE};
    const enum expect_answer answers[4] = {
        test_equal(a, t, value, secret, &words[0]),
        test_length(a, &t->length, value, &words[1]),
        test_regex(a, &t->matches, true, value, &words[2]),
        test_regex(a, &t->unlike, false, value, &words[3]),
    };
    enum expect_answer answer = EXPECT_HOLDS;
    for (size_t i = 0; i < 4 && answer != EXPECT_FAILS; i++)
        if (answers[i] != EXPECT_HOLDS) {
            answer = answers[i];
            *why = words[i];
        }
    return answer;
}

bool expect_test_names(const struct expect_test *t, struct slice header)
{
    return t->many ? slice_glob_nocase(header, t->header) : sip_name_equal(header, t->header);
}

bool expect_test_has_values(const struct expect_test *t)
{
    return t->equals.n || t->unequal.n || t->matches.pattern || t->unlike.pattern ||
           t->length.given || t->part.n;
}

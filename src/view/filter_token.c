/* The words and signs of the filter language. */
#include "view/filter_internal.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A bare word goes on to what has a meaning of its own. */
static bool is_word(char c, bool value)
{
    if (value && (c == '[' || c == ']'))
        return true;
    return (unsigned char)c > ' ' && c != 0x7f && !strchr("\"'()[]{},=!<>&|~", c);
}

static const struct sign {
    const char *text;
    enum filter_token_kind kind;
} signs[] = {
    {"&&", FILTER_AND},       {"||", FILTER_OR},         {"==", FILTER_SIGN},
    {"!=", FILTER_SIGN},      {"=~", FILTER_SIGN},       {"!~", FILTER_SIGN},
    {"<=", FILTER_SIGN},      {">=", FILTER_SIGN},       {"<", FILTER_SIGN},
    {">", FILTER_SIGN},       {"!", FILTER_NOT},         {"(", FILTER_OPEN},
    {")", FILTER_CLOSE},      {"{", FILTER_OPEN_SET},    {"}", FILTER_CLOSE_SET},
    {"[", FILTER_OPEN_INDEX}, {"]", FILTER_CLOSE_INDEX}, {",", FILTER_COMMA},
    {"=", FILTER_SIGN},       {"&", FILTER_SIGN},        {"|", FILTER_SIGN},
    {"~", FILTER_SIGN},
};

static struct filter_token bad(struct view_filter_fault *fault, size_t at, size_t n,
                               const char *why)
{
    size_t length = strlen(why);
    memcpy(fault->text, why, length + 1);
    fault->at = at;
    fault->n = n;
    return (struct filter_token){.kind = FILTER_BAD, .at = at, .n = n};
}

/* A backslash takes the meaning of the quote, or of another one; before anything else it stands for
 * itself, so that regular expressions need no second one. */
static struct filter_token take_string(struct arena *a, struct slice text, size_t *at,
                                       struct view_filter_fault *fault)
{
    size_t from = *at, n = 0;
    char quote = text.p[from];
    char *copy = arena_alloc(a, text.n - from + 1);
    for (size_t i = from + 1; i < text.n; i++) {
        char c = text.p[i];
        if (c == quote) {
            *at = i + 1;
            return (struct filter_token){FILTER_STRING, {copy, n}, from, i + 1 - from};
        }
        if (c == '\\' && i + 1 < text.n && (text.p[i + 1] == quote || text.p[i + 1] == '\\'))
            c = text.p[++i];
        copy[n++] = c;
    }
    return bad(fault, from, 1, "the quote is not closed");
}

static struct filter_token take_word(struct slice text, size_t *at, bool value)
{
    size_t from = *at, end = from;
    while (end < text.n && is_word(text.p[end], value))
        end++;
    struct slice word = {text.p + from, end - from};
    enum filter_token_kind kind = FILTER_NAME;
    if (slice_equal_nocase(word, SLICE("and")))
        kind = FILTER_AND;
    else if (slice_equal_nocase(word, SLICE("or")))
        kind = FILTER_OR;
    else if (slice_equal_nocase(word, SLICE("not")))
        kind = FILTER_NOT;
    *at = end;
    return (struct filter_token){kind, word, from, end - from};
}

struct filter_token filter_next(struct arena *a, struct slice text, size_t *at, bool value,
                                struct view_filter_fault *fault)
{
    while (*at < text.n && is_space(text.p[*at]))
        ++*at;
    struct slice rest = slice_from(text, *at);
    if (rest.n == 0)
        return (struct filter_token){FILTER_END, SLICE_NONE, text.n, 0};
    if (rest.p[0] == '"' || rest.p[0] == '\'')
        return take_string(a, text, at, fault);
    if (is_word(rest.p[0], value))
        return take_word(text, at, value);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        struct slice sign = slice_of(signs[i].text);
        if (slice_starts(rest, sign)) {
            size_t from = *at;
            *at += sign.n;
            return (struct filter_token){signs[i].kind, slice_first(rest, sign.n), from, sign.n};
        }
    }
    return bad(fault, *at, 1, "a control character");
}

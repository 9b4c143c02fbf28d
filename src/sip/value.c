/* Header values: folds, parameters, comma-separated lists (RFC 3261 7.3.1 and 25.1). */
#include "sip/internal.h"

/* No quoted string, <> or comment is longer: a list of many opened ones must not be searched to its
 * end for each. */
#define SPAN_MAX 4096

/* Steps over a value at its top level.  What is opened and never closed (RFC 4475 3.1.2.6) counts
 * as an ordinary byte; once a closing byte was not found, no more of its kind are looked for. */
struct walk {
    const char *p, *end;
    const char *begin;
    bool no_quote, no_angle, no_comment;
};

static const char *quote_end(const char *p, const char *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : NULL;
}

/* Comments nest and have escapes. */
static const char *comment_end(const char *p, const char *end)
{
    for (unsigned depth = 1; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p + 1;
    }
    return NULL;
}

static const char *angle_end(const char *p, const char *end)
{
    const char *close = p < end ? memchr(p, '>', (size_t)(end - p)) : NULL;
    return close ? close + 1 : NULL;
}

/* Goes past one byte, or past a whole quoted string, <> or comment. */
static void walk_step(struct walk *w)
{
    const char *inside = w->p + 1, *after = NULL;
    const char *limit = w->end - inside > SPAN_MAX ? inside + SPAN_MAX : w->end;
    if (*w->p == '"' && !w->no_quote)
        w->no_quote = !(after = quote_end(inside, limit));
    else if (*w->p == '<' && !w->no_angle)
        w->no_angle = !(after = angle_end(inside, limit));
    else if (*w->p == '(' && !w->no_comment)
        w->no_comment = !(after = comment_end(inside, limit));
    w->p = after ? after : inside;
}

#ifdef __SSE2__
/* Bit i: byte i can mean something. */
static inline unsigned marks_of(const char *p, bool word)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i angle = _mm_cmpeq_epi8(v, _mm_set1_epi8('<'));
    __m128i round = _mm_cmpeq_epi8(v, _mm_set1_epi8('('));
    __m128i semicolon = _mm_cmpeq_epi8(v, _mm_set1_epi8(';'));
    __m128i comma = _mm_cmpeq_epi8(v, _mm_set1_epi8(','));
    __m128i any = _mm_or_si128(_mm_or_si128(_mm_or_si128(quote, angle), round),
                               _mm_or_si128(semicolon, comma));
    if (word)
        any = _mm_or_si128(any, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(' ')), v));
    return (unsigned)_mm_movemask_epi8(any);
}
#endif

/* The first byte at or after p that can mean something within the bytes from `begin` to `end`, or
 * end: one of `"<(;,`, and where words end also white space (all up to and with SP).  Sixteen bytes
 * a step, for most values are passed over three times a message; the last step takes bytes before p
 * as well, where there are any. */
static inline const char *next_mark(const char *begin, const char *p, const char *end, bool word)
{
#ifdef __SSE2__
    unsigned hits = 0;
    for (; end - p >= 16; p += 16)
        if ((hits = marks_of(p, word)))
            return p + __builtin_ctz(hits);
    if (p < end && end - begin >= 16) {
        hits = marks_of(end - 16, word) >> (16 - (end - p));
        return hits ? p + __builtin_ctz(hits) : end;
    }
#endif
    static const bool means[256] = {
        ['"'] = true, ['<'] = true, ['('] = true, [';'] = true, [','] = true};
    while (p < end && !means[(unsigned char)*p] && !(word && (unsigned char)*p <= ' '))
        p++;
    return p;
}

/* Goes to the next `a` or `b` (each a comma or a semicolon) at the top level, or to the end. */
static inline void walk_to(struct walk *w, char a, char b)
{
    for (;;) {
        w->p = next_mark(w->begin, w->p, w->end, false);
        if (w->p == w->end || *w->p == a || *w->p == b)
            return;
        walk_step(w);
    }
}

static struct slice between(const char *p, const char *end)
{
    return slice_trim((struct slice){p, (size_t)(end - p)});
}

/* The value of a parameter: what is in the quotes (escapes kept) or the word. */
static struct slice param_value(struct slice raw)
{
    if (raw.n && raw.p[0] == '"') {
        const char *end = quote_end(raw.p + 1, raw.p + raw.n);
        return end ? (struct slice){raw.p + 1, (size_t)(end - raw.p - 2)} : raw;
    }
    const char *p = raw.p, *end = p + raw.n;
    while (p < end && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
        p++;
    return (struct slice){raw.p, (size_t)(p - raw.p)};
}

/* `name=word` in lower case without white space, as nearly all are written; p is behind the
 * semicolon. */
static inline bool plain_param(const char *begin, const char *p, const char *end, struct slice name,
                               struct slice *out)
{
    if ((size_t)(end - p) <= name.n || p[name.n] != '=' || memcmp(p, name.p, name.n) != 0)
        return false;
    const char *value = p + name.n + 1, *at = next_mark(begin, value, end, true);
    *out = (struct slice){value, (size_t)(at - value)};
    return at == end || *at == ';';
}

bool sip_param(struct slice value, struct slice wanted, struct slice *out)
{
    struct walk w = {.p = value.p, .end = value.p + value.n, .begin = value.p};
    /* `<...>;`: what nearly all From and To begin with */
    const char *close = value.n && *value.p == '<' ? memchr(value.p, '>', value.n) : NULL;
    if (close && w.end - close > 1 && close[1] == ';')
        w.p = close + 1;
    else
        walk_to(&w, ';', ';');
    while (w.p < w.end) {
        const char *p = ++w.p;
        if (plain_param(w.begin, p, w.end, wanted, out))
            return true;
        walk_to(&w, ';', ',');
        struct slice param = {p, (size_t)(w.p - p)};
        size_t equals = slice_find(param, '=');
        if (slice_equal_nocase(slice_trim(slice_first(param, equals)), wanted)) {
            *out = param_value(slice_trim(slice_from(param, equals + 1)));
            return true;
        }
        walk_to(&w, ';', ';');
    }
    return false;
}

/* Bytes of a user part that need no thought: no escapes, no password, no parameters. */
static bool is_plain_user(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' ||
           c == '-' || c == '_' || c == '.';
}

bool sip_plain_user(struct slice value, struct slice *user)
{
    size_t angle = slice_find(value, '<');
    struct slice before = slice_first(value, angle), uri = slice_from(value, angle + 1);
    if (angle == value.n || slice_find(before, '"') < before.n ||
        !slice_starts_nocase(uri, SLICE("sip:")))
        return false;
    const char *p = uri.p + 4, *end = uri.p + uri.n, *at = p;
    while (at < end && is_plain_user(*at))
        at++;
    *user = (struct slice){p, (size_t)(at - p)};
    return user->n && at < end && *at == '@' && memchr(at, '>', (size_t)(end - at));
}

bool sip_list_next(struct slice *rest, struct slice *element)
{
    struct walk w = {.p = rest->p, .end = rest->p + rest->n, .begin = rest->p};
    while (w.p < w.end) {
        const char *p = w.p;
        walk_to(&w, ',', ',');
        *element = between(p, w.p);
        if (w.p < w.end)
            w.p++;
        if (element->n) {
            *rest = (struct slice){w.p, (size_t)(w.end - w.p)};
            return true;
        }
    }
    *rest = (struct slice){w.end, 0};
    return false;
}

struct slice sip_unfold(struct arena *a, const struct sip_header *h)
{
    const char *p = h->value.p, *end = p + h->value.n;
    if (!h->folded)
        return h->value;
    char *out = arena_alloc(a, h->value.n + 1);
    size_t n = 0;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        struct slice line = {p, (size_t)((lf ? lf : end) - p)};
        /* the value begins and ends with text, so each line but the first goes after one space */
        line = slice_trim(line);
        if (n && line.n)
            out[n++] = ' ';
        memcpy(out + n, line.p, line.n);
        n += line.n;
        p = lf ? lf + 1 : end;
    }
    return (struct slice){out, n};
}

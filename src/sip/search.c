/* Start lines within a stream: found at memory speed in what is mostly no SIP, and told from text
 * that merely looks like one. */
#include "sip/internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SIP_VERSION        "SIP/2.0"
#define SIP_VERSION_SIZE   7
#define SIP_FIRST_NAME_MAX 256 /* bytes of the name of the header after a start line */

/* ---- the version ----------------------------------------------------------------------------- */

static bool is_version_at(const char *p)
{
    return memcmp(p, SIP_VERSION, SIP_VERSION_SIZE) == 0;
}

#ifdef __SSE2__
/* The next "SIP/2.0", or NULL. */
static const char *find_version(const char *p, const char *end)
{
    for (; end - p >= 16 + SIP_VERSION_SIZE; p += 16) {
        __m128i first = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i slash = _mm_loadu_si128((const __m128i *)(const void *)(p + 3));
        __m128i both = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('S')),
                                     _mm_cmpeq_epi8(slash, _mm_set1_epi8('/')));
        for (unsigned hits = (unsigned)_mm_movemask_epi8(both); hits; hits &= hits - 1)
            if (is_version_at(p + __builtin_ctz(hits)))
                return p + __builtin_ctz(hits);
    }
    for (; end - p >= SIP_VERSION_SIZE; p++)
        if (is_version_at(p))
            return p;
    return NULL;
}
#else
static const char *find_version(const char *p, const char *end)
{
    return memmem(p, (size_t)(end - p), SIP_VERSION, SIP_VERSION_SIZE);
}
#endif

/* ---- one start line -------------------------------------------------------------------------- */

/* The line after a start line: a header's name and its colon. */
static enum sip_answer header_follows(const char *p, const char *end, bool ended)
{
    const char *name_end = sip_skip(p, end, SIP_CHAR_TOKEN);
    const char *colon = sip_skip(name_end, end, SIP_CHAR_WSP);
    if (colon - p > SIP_FIRST_NAME_MAX || (name_end == p && p < end))
        return SIP_NO;
    if (colon == end)
        return ended ? SIP_YES : SIP_MAYBE;
    return *colon == ':' ? SIP_YES : SIP_NO;
}

bool sip_can_start(struct slice bytes)
{
    const char *end = bytes.p + bytes.n, *after = sip_skip(bytes.p, end, SIP_CHAR_TOKEN);
    struct slice word = {bytes.p, (size_t)(after - bytes.p)};
    if (word.n == 0 || after == end)
        return word.n > 0;
    return *after == '/' ? slice_equal_nocase(word, SLICE("SIP")) || slice_is(word, "HTTP")
                         : sip_char_is(*after, SIP_CHAR_WSP);
}

enum sip_answer sip_start_here(struct slice bytes, bool ended, bool first)
{
    const char *p = bytes.p, *end = p + bytes.n, *next;
    struct sip_message m;
    if (bytes.n == 0 || !sip_char_is(*p, SIP_CHAR_TOKEN))
        return SIP_NO;
    const char *lf = memchr(p, '\n', bytes.n < SIP_START_MAX ? bytes.n : SIP_START_MAX);
    if (!lf)
        return !ended && bytes.n < SIP_START_MAX && sip_can_start(bytes) ? SIP_MAYBE : SIP_NO;
    m.problem_count = m.problems_more = 0;
    if (!sip_start_line(slice_first(bytes, (size_t)(lf + 1 - p)), &m, &next))
        return SIP_NO;
    return first ? header_follows(next, end, ended) : SIP_YES;
}

static bool is_sure(const struct sip_message *m)
{
    if (m->problem_count)
        return false;
    return m->kind == SIP_RESPONSE ? m->status >= 100 && m->status < 700
                                   : memchr(m->uri.p, ':', m->uri.n) != NULL;
}

/* Judges a line that has the version where a start line has it. */
static enum sip_answer judge(const char *p, const char *end, bool ended)
{
    struct sip_message m;
    const char *at = sip_next_control(p, end), *next;
    while (at < end && *at == '\t')
        at = sip_next_control(at + 1, end);
    size_t n = (size_t)(at - p);
    if (at == end || (*at == '\r' && at + 1 == end))
        return ended || n > SIP_START_MAX ? SIP_NO : SIP_MAYBE;
    at += *at == '\r';
    if (*at != '\n' || n > SIP_START_MAX)
        return SIP_NO;
    m.problem_count = m.problems_more = 0;
    if (!sip_start_line((struct slice){p, (size_t)(at + 1 - p)}, &m, &next) || !is_sure(&m))
        return SIP_NO;
    return header_follows(next, end, ended);
}

/* The line begins with a known method, or is one of a response. */
static bool is_known(struct slice bytes)
{
    size_t n = (size_t)(sip_skip(bytes.p, bytes.p + bytes.n, SIP_CHAR_TOKEN) - bytes.p);
    if (n < bytes.n && bytes.p[n] == '/')
        return true;
    return sip_method_of(slice_first(bytes, n)) != SIP_METHOD_OTHER;
}

enum sip_answer sip_start_sure(struct slice bytes, bool ended)
{
    enum sip_answer answer = sip_start_here(bytes, ended, true);
    if (answer != SIP_YES)
        return answer;
    return is_known(bytes) ? judge(bytes.p, bytes.p + bytes.n, ended) : SIP_NO;
}

/* ---- search ---------------------------------------------------------------------------------- */

/* A known method that these bytes end with: where it begins, or NULL. */
static const char *known_method(const char *p, const char *end)
{
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++) {
        struct slice name = slice_of(sip_method_name(id));
        if ((size_t)(end - p) >= name.n && memcmp(end - name.n, name.p, name.n) == 0)
            return end - name.n;
    }
    return NULL;
}

/* Where the token that ends at `end` begins, if it is short enough for a method. */
static const char *token_before(const char *front, const char *end)
{
    const char *p = end;
    while (p > front && end - p < SIP_METHOD_MAX && sip_char_is(p[-1], SIP_CHAR_TOKEN))
        p--;
    return p;
}

/* The beginning of the start line that has its version at `hit`, read backwards: "METHOD URI ", or
 * a status line's own.  The method may stand right after the end of a body.  NULL: that is none. */
static const char *begin_of(const struct slice *bytes, const char *hit)
{
    const char *front = bytes->p, *end = front + bytes->n, *p = hit;
    const char *after = hit + SIP_VERSION_SIZE;
    if (after < end && *after == ' ')
        return hit;
    if ((after < end && *after != '\r' && *after != '\n') || p == front || *--p != ' ')
        return NULL;
    const char *uri_end = p;
    while (p > front && (unsigned char)p[-1] > 0x20 && p[-1] != 0x7f)
        p--;
    if (p == uri_end || p == front || *--p != ' ')
        return NULL;
    const char *method_end = p, *word = token_before(front, method_end);
    const char *known = known_method(word, method_end);
    return known ? known : word < method_end ? word : NULL;
}

static enum sip_before before(const struct sip_search *s, const char *p)
{
    return p == s->bytes.p ? s->before : sip_after(p[-1]);
}

/* The bytes of a stream that is SIP can be cut anywhere. */
static bool is_place(const struct sip_search *s, const char *p)
{
    return before(s, p) != SIP_AFTER_TEXT || s->is_sip;
}

static bool is_line(const struct sip_search *s, const char *p)
{
    return before(s, p) == SIP_AFTER_LINE || before(s, p) == SIP_AFTER_HOLE;
}

/* The token ends with a known method, or is one at a line's beginning, and stands where a start
 * line may begin. */
static bool is_method(const struct sip_search *s, const char *word, const char *end)
{
    if (known_method(word, end))
        return is_place(s, word);
    return word < end && !s->known && is_line(s, word);
}

/* The end of a known method whose beginning is not there. */
static bool is_rest(const struct sip_search *s, const char *word, const char *end)
{
    size_t n = (size_t)(end - word);
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++) {
        struct slice name = slice_of(sip_method_name(id));
        if (name.n > n && !known_method(word, end) && memcmp(name.p + name.n - n, word, n) == 0)
            return before(s, word) == SIP_AFTER_HOLE;
    }
    return false;
}

static enum sip_answer judge_hit(const struct sip_search *s, const char *p)
{
    const char *front = s->bytes.p, *end = front + s->bytes.n;
    if (p[3] == '/' && is_version_at(p))
        return is_place(s, p) ? judge(p, end, s->ended) : SIP_NO;
    const char *method_end = sip_skip(p, end, SIP_CHAR_TOKEN);
    const char *word = token_before(front, method_end);
    if (!is_method(s, word, method_end) || is_rest(s, word, method_end))
        return SIP_NO;
    return judge(p, end, s->ended);
}

/* Where the line that the limit is in ends. */
static const char *search_end(const struct sip_search *s)
{
    const char *end = s->bytes.p + s->bytes.n;
    if (s->limit >= s->bytes.n)
        return end;
    size_t left = s->bytes.n - s->limit;
    const char *lf =
        memchr(s->bytes.p + s->limit, '\n', left < SIP_START_MAX ? left : SIP_START_MAX);
    return lf ? lf : end;
}

enum sip_answer sip_search(struct sip_search *s)
{
    const char *front = s->bytes.p, *end = search_end(s), *hit;
    const char *p = front + (s->from < SIP_VERSION_SIZE ? 0 : s->from - SIP_VERSION_SIZE);
    for (; p < end && (hit = find_version(p, end)); p = hit + SIP_VERSION_SIZE) {
        const char *begin = begin_of(&s->bytes, hit);
        if (!begin || begin >= front + s->limit)
            continue;
        enum sip_answer answer = judge_hit(s, begin);
        s->at = (size_t)(begin - front);
        if (answer != SIP_NO)
            return answer;
    }
    return SIP_NO;
}

/* ---- unfinished lines ------------------------------------------------------------------------ */

/* Known methods begin with these bytes. */
static bool begins_known(struct slice word)
{
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++)
        if (slice_starts(slice_of(sip_method_name(id)), word))
            return true;
    return false;
}

bool sip_can_start_known(struct slice bytes)
{
    const char *end = bytes.p + bytes.n, *after = sip_skip(bytes.p, end, SIP_CHAR_TOKEN);
    struct slice word = {bytes.p, (size_t)(after - bytes.p)};
    if (after == end)
        return slice_starts(SLICE(SIP_VERSION), word) || begins_known(word);
    return *after == '/' ? slice_is(word, "SIP") : sip_method_of(word) != SIP_METHOD_OTHER;
}

static struct slice between(const char *p, const char *end)
{
    return (struct slice){p, (size_t)(end - p)};
}

/* The last space, or NULL. */
static const char *last_space(const char *p, const char *end)
{
    return memrchr(p, ' ', (size_t)(end - p));
}

/* The token at the end may go on to be a method, or to end with one. */
static bool may_be_method(const struct sip_search *s, const char *word, const char *end)
{
    if (word == end || !is_place(s, word))
        return false;
    if (!s->is_sip || (!s->known && is_line(s, word)))
        return true;
    for (const char *p = word; p < end; p++)
        if (begins_known(between(p, end)))
            return true;
    return false;
}

/* Where at the end a version begins, or a part of one; `end`: nowhere. */
static const char *version_at_end(const struct sip_search *s, const char *end)
{
    size_t n = s->bytes.n < SIP_VERSION_SIZE ? s->bytes.n : SIP_VERSION_SIZE;
    for (; n > 0; n--)
        if (memcmp(end - n, SIP_VERSION, n) == 0 && is_place(s, end - n))
            break;
    return end - n;
}

/* What may yet become "METHOD URI SIP/2.0", or "SIP/2.0 200", is three words at most. */
size_t sip_unfinished(const struct sip_search *s)
{
    const char *front = s->bytes.p, *end = front + s->bytes.n, *word;
    if (end == front || end[-1] == '\n')
        return s->bytes.n;
    const char *text_end = end[-1] == '\r' ? end - 1 : end;
    const char *from = s->bytes.n > SIP_START_MAX ? end - SIP_START_MAX : front;
    const char *second = last_space(from, end), *first = second ? last_space(from, second) : NULL;
    if (first && first + 1 < second && sip_next_control(first + 1, second) == second &&
        slice_starts(SLICE(SIP_VERSION), between(second + 1, text_end))) {
        word = token_before(front, first);
        if (is_method(s, word, first))
            return (size_t)(word - front);
    }
    if (second && sip_next_control(second + 1, end) == end) {
        word = token_before(front, second);
        if (is_method(s, word, second))
            return (size_t)(word - front);
    }
    const char *version = version_at_end(s, end);
    word = token_before(front, end);
    return (size_t)((may_be_method(s, word, end) && word < version ? word : version) - front);
}

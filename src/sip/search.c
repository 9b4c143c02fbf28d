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

/* May these bytes, which are no whole line, begin a start line?  HTTP's too, so that it is told. */
static bool can_start(const char *p, const char *end)
{
    struct slice word = {p, (size_t)(sip_skip(p, end, SIP_CHAR_TOKEN) - p)};
    const char *after = p + word.n;
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
        return !ended && bytes.n < SIP_START_MAX && can_start(p, end) ? SIP_MAYBE : SIP_NO;
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
    const char *method_end = p;
    while (p > front && sip_char_is(p[-1], SIP_CHAR_TOKEN))
        p--;
    const char *known = known_method(p, method_end);
    return known ? known : p < method_end ? p : NULL;
}

static enum sip_before before(const struct sip_search *s, const char *p)
{
    return p == s->bytes.p ? s->before : sip_after(p[-1]);
}

/* A line's beginning, or after bytes that are no text; the bytes of a stream that is SIP can be cut
 * anywhere. */
static enum sip_answer judge_hit(const struct sip_search *s, const char *p)
{
    const char *end = s->bytes.p + s->bytes.n, *word = p;
    bool line = before(s, p) == SIP_AFTER_LINE, is_status = p[3] == '/' && is_version_at(p);
    if (!line && !is_status && known_method(p, sip_skip(p, end, SIP_CHAR_TOKEN)) != p)
        return SIP_NO;
    while (!is_status && word > s->bytes.p && sip_char_is(word[-1], SIP_CHAR_TOKEN))
        word--;
    if (!line && before(s, word) == SIP_AFTER_TEXT && !s->is_sip)
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

/* A method, or the beginning of one, or the version. */
static bool can_start_known(const char *p, const char *end)
{
    struct slice word = {p, (size_t)(sip_skip(p, end, SIP_CHAR_TOKEN) - p)};
    if (word.p + word.n < end)
        return sip_method_of(word) != SIP_METHOD_OTHER || slice_is(word, "SIP");
    if (slice_starts(SLICE(SIP_VERSION), word))
        return true;
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++)
        if (slice_starts(slice_of(sip_method_name(id)), word))
            return true;
    return false;
}

static bool line_is(const char *p, const char *end, enum sip_line line)
{
    return line == SIP_LINE_ANY || (can_start(p, end) && line == SIP_LINE_METHOD) ||
           (can_start(p, end) && can_start_known(p, end));
}

size_t sip_unfinished(struct slice bytes, size_t from, size_t max, enum sip_line line)
{
    const char *end = bytes.p + bytes.n, *p = end;
    while (p > bytes.p + from && ((unsigned char)p[-1] >= 0x20 || p[-1] == '\t')) {
        p--;
        if ((size_t)(end - p) > max)
            return bytes.n;
    }
    if (from && p == bytes.p + from)
        p = bytes.p;
    if ((size_t)(end - p) > max)
        return bytes.n;
    for (;; p++) {
        while (p < end && (unsigned char)*p >= 0x7f)
            p++;
        if (p == end || line_is(p, end, line))
            return (size_t)(p - bytes.p);
        while (p < end && (unsigned char)*p < 0x7f)
            p++;
        if (p == end)
            return bytes.n;
    }
}

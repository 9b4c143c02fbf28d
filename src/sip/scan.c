/* The scanner: from the bytes of a datagram to a start line, header lines and a body, without
 * copying. This is the hot path of the whole program: nothing is allocated for a message but a
 * longer header array now and then. */
#include "sip/internal.h"

#include <stdlib.h>

struct scan {
    const char *p, *end; /* what is still to be read */
    struct sip_scanner *s;
    struct sip_message *m;
    uint32_t n; /* headers so far */
    bool cut;   /* bytes are missing after `end` */
};

/* Where a header line ends, its folds included. */
struct extent {
    const char *end; /* the byte after its last */
    bool folds;      /* it goes over several lines */
    bool ended;      /* by a line end, not by the end of the bytes */
};

struct sip_scanner *sip_scanner_new(void)
{
    struct sip_scanner *s = base_alloc(sizeof *s);
    sip_names_init(&s->names);
    return s;
}

void sip_scanner_free(struct sip_scanner *s)
{
    if (s)
        free(s->headers);
    free(s);
}

void sip_note(struct sip_message *m, enum sip_problem_id id, size_t at)
{
    if (m->problem_count < SIP_PROBLEMS_MAX)
        m->problems[m->problem_count++] = (struct sip_problem){id, (uint32_t)at};
    else
        m->problems_more++;
}

static size_t offset(const struct scan *c, const char *p)
{
    return (size_t)(p - c->m->bytes.p);
}

/* Notes a control byte that is no part of a line end; of each kind the first of a line. */
static void note_control(struct scan *c, const char *p, unsigned *noted)
{
    if (*p == '\t' || (*p == '\r' && p + 1 == c->end))
        return;
    unsigned kind = *p ? 1 : 2;
    if (!(*noted & kind))
        sip_note(c->m, *p ? SIP_PROBLEM_CONTROL : SIP_PROBLEM_NUL, offset(c, p));
    *noted |= kind;
}

/* The extent of the header line that p stands in.  A line end that white space follows is a fold
 * (RFC 3261 7.3.1); a CR alone ends nothing. */
static inline struct extent extent_of(struct scan *c, const char *p)
{
    struct extent e = {c->end, false, false};
    unsigned noted = 0;
    while ((p = sip_next_control(p, c->end)) < c->end) {
        if (*p == '\r' && p + 1 < c->end && p[1] == '\n')
            p++;
        if (*p != '\n') {
            note_control(c, p++, &noted);
            continue;
        }
        p++;
        if (p == c->end || !sip_char_is(*p, SIP_CHAR_WSP))
            return (struct extent){p, e.folds, true};
        e.folds = true;
    }
    return e;
}

static bool is_outer(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline struct slice trimmed(const char *p, const char *end)
{
    while (p < end && is_outer(*p))
        p++;
    while (end > p && is_outer(end[-1]))
        end--;
    return (struct slice){p, (size_t)(end - p)};
}

static struct sip_header *header_add(struct scan *c)
{
    if (c->n == c->s->cap) {
        c->s->cap = c->s->cap ? c->s->cap * 2 : 32;
        c->s->headers = base_realloc(c->s->headers, c->s->cap * sizeof *c->s->headers);
    }
    return &c->s->headers[c->n++];
}

/* The line at c->p has a colon at `colon` and a name up to `name_end`. */
static inline void scan_header(struct scan *c, const char *name_end, const char *colon, bool token)
{
    struct sip_message *m = c->m;
    struct extent e = extent_of(c, colon + 1);
    struct sip_header *h = header_add(c);
    h->name = (struct slice){c->p, (size_t)(name_end - c->p)};
    h->value = trimmed(colon + 1, e.end);
    h->at = (uint32_t)offset(c, c->p);
    h->id = token ? (uint8_t)sip_names_find(&c->s->names, h->name) : SIP_HEADER_OTHER;
    h->folded = e.folds && memchr(h->value.p, '\n', h->value.n);
    h->cut = !e.ended && c->cut;
    c->p = e.end;
    if (h->id == SIP_HEADER_OTHER)
        return;
    if (m->first[h->id] < 0)
        m->first[h->id] = (int32_t)(c->n - 1);
    else if (h->id == SIP_HEADER_CALL_ID || h->id == SIP_HEADER_CONTENT_LENGTH)
        m->headers = c->s->headers, sip_read_repeated(m, h);
}

/* The line at c->p does not begin with a token and a colon: it is a header with a bad name, or
 * none. */
static void scan_odd_line(struct scan *c)
{
    const char *lf = memchr(c->p, '\n', (size_t)(c->end - c->p));
    const char *line_end = lf ? lf : c->end;
    const char *colon = memchr(c->p, ':', (size_t)(line_end - c->p));
    if (!colon && (lf || !c->cut))
        sip_note(c->m, SIP_PROBLEM_NO_COLON, offset(c, c->p));
    if (!colon) {
        c->p = extent_of(c, c->p).end;
        return;
    }
    sip_note(c->m, colon == c->p ? SIP_PROBLEM_EMPTY_NAME : SIP_PROBLEM_BAD_NAME, offset(c, c->p));
    struct slice name = trimmed(c->p, colon);
    if (memchr(name.p, '\0', name.n))
        sip_note(c->m, SIP_PROBLEM_NUL, offset(c, c->p));
    scan_header(c, name.p + name.n, colon, false);
}

static inline void scan_line(struct scan *c)
{
    const char *name_end = sip_skip(c->p, c->end, SIP_CHAR_TOKEN);
    const char *colon = sip_skip(name_end, c->end, SIP_CHAR_WSP);
    if (name_end > c->p && colon < c->end && *colon == ':')
        scan_header(c, name_end, colon, true);
    else
        scan_odd_line(c);
}

/* Is there an empty line at c->p?  Then goes past it. */
static inline bool scan_end(struct scan *c)
{
    const char *p = c->p;
    if (*p == '\r' && p + 1 < c->end)
        p++;
    if (*p != '\n')
        return false;
    c->p = p + 1;
    return true;
}

/* Reads the header lines up to and with the empty line; false where there is none. */
static bool scan_headers(struct scan *c)
{
    if (c->p < c->end && sip_char_is(*c->p, SIP_CHAR_WSP)) {
        sip_note(c->m, SIP_PROBLEM_FOLD_FIRST, offset(c, c->p));
        c->p = extent_of(c, c->p).end;
    }
    while (c->p < c->end) {
        if (scan_end(c))
            return true;
        if (*c->p == '\r' && c->p + 1 == c->end)
            c->p++; /* half of a line end, the last byte there is */
        else
            scan_line(c);
    }
    return false;
}

static void message_init(struct sip_message *m)
{
    m->problem_count = m->problems_more = 0;
    m->header_count = 0;
    m->cseq = 0;
    m->has_cseq = m->has_call_id = false;
    memset(m->first, -1, sizeof m->first);
}

bool sip_scan_datagram(struct sip_scanner *s, struct slice bytes, size_t missing,
                       struct sip_message *m)
{
    struct scan c = {.s = s, .m = m, .cut = missing > 0};
    message_init(m);
    if (!bytes.n || !sip_start_line(bytes, m, &c.p))
        return false;
    c.end = bytes.p + bytes.n;
    bool ended = scan_headers(&c);
    m->headers = s->headers;
    m->header_count = c.n;
    m->headers_complete = ended || !c.cut;
    m->state = c.cut ? SIP_CUT : SIP_WHOLE;
    if (m->headers_complete && !ended)
        sip_note(m, SIP_PROBLEM_NO_END, offset(&c, c.end));
    sip_read_meaning(m);
    sip_read_body(m, (struct slice){c.p, (size_t)(c.end - c.p)}, missing);
    m->bytes.n = offset(&c, m->body.p + m->body.n);
    m->consumed = (size_t)(m->body.p + m->body.n - bytes.p);
    return true;
}

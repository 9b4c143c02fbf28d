/* The scanner: from the bytes of a datagram to a start line, header lines and a body, without
 * copying. This is the hot path of the whole program: nothing is allocated for a message but a
 * longer header array now and then. */
#include "sip/block.h"
#include "sip/internal.h"

#include <stdlib.h>

struct scan {
    const char *p, *end; /* what is still to be read */
    struct sip_scanner *s;
    struct sip_message *m;
    uint32_t n; /* headers so far */
    bool cut;   /* bytes are missing after `end` */
    bool brief; /* sip_scanner_be_brief */
};

/* Where a header line ends, its folds included. */
struct extent {
    const char *end; /* the byte after its last */
    bool folds;      /* it goes over several lines */
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

static inline struct slice between(const char *p, const char *end)
{
    return (struct slice){p, (size_t)(end - p)};
}

static inline size_t offset(const struct scan *c, const char *p)
{
    return (size_t)(p - c->m->bytes.p);
}

/* Notes a control byte that is no part of a line end; of each kind the first of a line. */
static void note_control(struct scan *c, const char *p, unsigned *noted)
{
    unsigned kind = *p ? 1 : 2;
    if (*p == '\t' || (*p == '\r' && p + 1 == c->end))
        return;
    if (!(*noted & kind))
        sip_note(c->m, *p ? SIP_PROBLEM_CONTROL : SIP_PROBLEM_NUL, offset(c, p));
    *noted |= kind;
}

/* The extent of the header line that p stands in.  A line end that white space follows is a fold
 * (RFC 3261 7.3.1); a CR alone ends nothing. */
static struct extent extent_of(struct scan *c, const char *p)
{
    struct extent e = {c->end, false};
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
            return (struct extent){p, e.folds};
        e.folds = true;
    }
    return e;
}

static inline bool is_outer(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline struct slice trimmed(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ' && is_outer(*p))
        p++;
    while (end > p && (unsigned char)end[-1] <= ' ' && is_outer(end[-1]))
        end--;
    return between(p, end);
}

static void headers_grow(struct sip_scanner *s)
{
    s->cap = s->cap ? s->cap * 2 : 32;
    s->headers = base_realloc(s->headers, s->cap * sizeof *s->headers);
}

/* A place for the next header: it counts once it was filled and given to header_add. */
static inline struct sip_header *header_place(struct scan *c)
{
    if (c->n == c->s->cap)
        headers_grow(c->s);
    return &c->s->headers[c->n];
}

static inline void header_add(struct scan *c, const struct sip_header *h)
{
    uint64_t bit = (uint64_t)1 << h->id;
    if (!(c->m->seen & bit)) {
        c->m->seen |= bit;
        c->m->first[h->id] = (int32_t)c->n;
    } else if (h->id == SIP_HEADER_CALL_ID || h->id == SIP_HEADER_CONTENT_LENGTH) {
        sip_read_repeated(c->m, &c->s->headers[c->m->first[h->id]], h);
    }
    c->n++;
}

/* Adds the header of the line at p, whatever its value holds, and returns the byte after it. */
static const char *add_line(struct scan *c, const char *p, const char *name_end, const char *colon,
                            enum sip_header_id id)
{
    struct extent e = extent_of(c, colon + 1);
    struct sip_header *h = header_place(c);
    h->name = between(p, name_end);
    h->value = trimmed(colon + 1, e.end);
    h->at = (uint32_t)offset(c, p);
    h->id = (uint8_t)id;
    h->folded = e.folds && memchr(h->value.p, '\n', h->value.n);
    h->cut = c->cut && e.end == c->end;
    header_add(c, h);
    return e.end;
}

/* A line that does not begin with a token and a colon: a header with a bad name, or none. */
static const char *scan_odd_line(struct scan *c, const char *p)
{
    const char *lf = memchr(p, '\n', (size_t)(c->end - p));
    const char *line_end = lf ? lf : c->end;
    const char *colon = memchr(p, ':', (size_t)(line_end - p));
    if (!colon) {
        if (lf || !c->cut)
            sip_note(c->m, SIP_PROBLEM_NO_COLON, offset(c, p));
        return extent_of(c, p).end;
    }
    sip_note(c->m, colon == p ? SIP_PROBLEM_EMPTY_NAME : SIP_PROBLEM_BAD_NAME, offset(c, p));
    const char *name_end = colon;
    while (name_end > p && sip_char_is(name_end[-1], SIP_CHAR_WSP))
        name_end--;
    return add_line(c, p, name_end, colon, SIP_HEADER_OTHER);
}

/* Any line. */
static const char *scan_line(struct scan *c, const char *p)
{
    const char *name_end = sip_skip(p, c->end, SIP_CHAR_TOKEN);
    const char *colon = sip_skip(name_end, c->end, SIP_CHAR_WSP);
    size_t n = (size_t)(name_end - p);
    if (name_end == p || colon == c->end || *colon != ':')
        return scan_odd_line(c, p);
    enum sip_header_id id = SIP_HEADER_OTHER;
    char pad[SIP_NAME_MAX];
    if (n <= SIP_NAME_MAX)
        id = sip_names_find(&c->s->names, sip_name_of(sip_readable(p, c->end, pad), n));
    return add_line(c, p, name_end, colon, id);
}

/* A line as nearly all are: a short token right before the colon, and no control byte but the line
 * end, after which no fold comes.  NULL: it is none. */
static inline const char *scan_plain_line(struct scan *c, struct sip_marks *marks, const char *p)
{
    size_t n;
    const char *end;
    if (!sip_marks_line(marks, p, &n, &end) || n - 1 >= SIP_NAME_MAX)
        return NULL;
    char pad[SIP_NAME_MAX];
    struct sip_name name = sip_name_of(sip_readable(p, c->end, pad), n);
    enum sip_header_id id = sip_names_find(&c->s->names, name);
    if (id == SIP_HEADER_OTHER && !sip_name_plain(name))
        return NULL;
    const char *colon = p + n, *next = end + 2;
    if (c->end - end < 3 || end[0] != '\r' || end[1] != '\n' || sip_char_is(*next, SIP_CHAR_WSP))
        return NULL;
    /* only SP can stand around the value, and the line end and the colon stop the search for it */
    const char *value = colon + 1, *stop = end;
    while (*value == ' ')
        value++;
    while (stop[-1] == ' ')
        stop--;
    struct sip_header *h = header_place(c);
    h->name = between(p, colon);
    h->value = between(value, stop < value ? value : stop);
    h->at = (uint32_t)offset(c, p);
    h->id = (uint8_t)id;
    h->folded = h->cut = false;
    header_add(c, h);
    return next;
}

/* The byte after the empty line at p; p itself where there is none. */
static inline const char *empty_line_end(const struct scan *c, const char *p)
{
    const char *lf = *p == '\r' && p + 1 < c->end ? p + 1 : p;
    return *lf == '\n' ? lf + 1 : p;
}

void sip_scanner_be_brief(struct sip_scanner *s)
{
    s->brief = true;
}

static void headers_forget(struct sip_message *m)
{
    m->seen = SIP_SEEN(OTHER);
    memset(m->first, -1, sizeof m->first);
}

/* Do these eight bytes begin with a name and its colon? */
#define NAME_WORD(w, name) name_begins(w, name "\0\0\0\0\0\0", sizeof(name) - 1)

static inline bool name_begins(uint64_t w, const char *name, size_t n)
{
    return (w ^ sip_word(name)) << (64 - 8 * n) == 0;
}

/* The length of the name, and *id, of a line that begins with these bytes if it is one that a brief
 * scanner wants.  0: it is none, and where *id is SIP_HEADER_OTHER it can be none. */
static inline size_t wanted_name(uint64_t w, enum sip_header_id *id)
{
    switch (w & 0xff) {
    case 'v':
        *id = SIP_HEADER_VIA;
        return NAME_WORD(w, "via:") ? 3 : NAME_WORD(w, "v:") ? 1 : 0;
    case 'f':
        *id = SIP_HEADER_FROM;
        return NAME_WORD(w, "from:") ? 4 : NAME_WORD(w, "f:") ? 1 : 0;
    case 't':
        *id = SIP_HEADER_TO;
        return NAME_WORD(w, "to:") ? 2 : NAME_WORD(w, "t:") ? 1 : 0;
    case 'i':
        *id = SIP_HEADER_CALL_ID;
        return NAME_WORD(w, "i:") ? 1 : 0;
    case 'c':
        *id = NAME_WORD(w, "cseq:") ? SIP_HEADER_CSEQ : SIP_HEADER_CALL_ID;
        return NAME_WORD(w, "cseq:") ? 4 : NAME_WORD(w, "call-id:") ? 7 : 0;
    default:
        *id = SIP_HEADER_OTHER;
        return 0;
    }
}

/* White space may stand before a colon: then the line can be a wanted one all the same. */
static bool is_odd_name(const char *p, const char *end)
{
    const char *name_end = sip_skip(p, end, SIP_CHAR_TOKEN);
    return name_end == end || *name_end != ':';
}

/* What an INVITE is joined to others by: X- headers and Session-ID. */
static inline bool is_joining(uint64_t w)
{
    return (w & 0xffff) == ('x' | '-' << 8) || w == sip_word("session-");
}

static void add_wanted(struct scan *c, const char *p, size_t n, const char *lf,
                       enum sip_header_id id)
{
    const char *value = p + n + 1;
    struct sip_header *h = header_place(c);
    bool plain =
        lf - value > 3 && *value == ' ' && value[1] > ' ' && lf[-1] == '\r' && lf[-2] > ' ';
    h->name = between(p, p + n);
    h->value = plain ? between(value + 1, lf - 1) : trimmed(value, lf);
    h->at = (uint32_t)offset(c, p);
    h->id = (uint8_t)id;
    h->folded = h->cut = false;
    header_add(c, h);
}

/* A header that joins INVITEs, of which headers.def has those without X-; false: its name is odd.
 */
static bool add_joining(struct scan *c, const char *p, const char *lf)
{
    size_t n = (size_t)(sip_skip(p, lf, SIP_CHAR_TOKEN) - p);
    struct slice name = {p, n};
    if (p[n] == ':')
        add_wanted(c, p, n, lf, p[1] == '-' ? SIP_HEADER_OTHER : sip_header_of(name));
    return p[n] == ':';
}

/* Looks for the wanted headers only, in an INVITE to the end of the headers.  False: not all were
 * found, or there is something odd on the way, which takes scan_headers to read. */
static bool scan_wanted(struct scan *c)
{
    const uint64_t all =
        SIP_SEEN(VIA) | SIP_SEEN(FROM) | SIP_SEEN(TO) | SIP_SEEN(CALL_ID) | SIP_SEEN(CSEQ);
    const bool invite = c->m->kind == SIP_REQUEST && slice_is(c->m->method, "INVITE");
    const char *p = c->p, *lf;
    for (; c->end - p > 8; p = lf + 1) {
        enum sip_header_id id;
        lf = memchr(p, '\n', (size_t)(c->end - p));
        if (!lf || lf + 1 == c->end || sip_char_is(lf[1], SIP_CHAR_WSP) || lf - p < 2)
            break;
        uint64_t w = sip_word_lower(sip_word(p));
        size_t n = wanted_name(w, &id);
        if (n)
            add_wanted(c, p, n, lf, id);
        else if (id != SIP_HEADER_OTHER ? is_odd_name(p, lf)
                                        : invite && is_joining(w) && !add_joining(c, p, lf))
            return false;
        if ((c->m->seen & all) == all && !invite)
            return true;
    }
    return invite && (c->m->seen & all) == all && c->end - p >= 2 && p[0] == '\r' && p[1] == '\n';
}

/* Reads what a brief scanner wants, after which the rest of the datagram counts as read. */
static bool scan_briefly(struct scan *c)
{
    uint32_t problems = c->m->problem_count;
    if (!c->brief)
        return false;
    if (scan_wanted(c)) {
        c->p = c->end;
        return true;
    }
    c->n = 0; /* from the beginning, then */
    c->m->problem_count = problems;
    headers_forget(c->m);
    return false;
}

/* Reads the header lines up to and with the empty line; false where there is none. */
static bool scan_headers(struct scan *c)
{
    const char *p = c->p, *next;
    if (p < c->end && sip_char_is(*p, SIP_CHAR_WSP)) {
        sip_note(c->m, SIP_PROBLEM_FOLD_FIRST, offset(c, p));
        p = extent_of(c, p).end;
    }
    struct sip_marks marks = {.begin = c->m->bytes.p, .end = c->end};
    sip_marks_load(&marks, p);
    for (; p < c->end; p = next) {
        if ((next = scan_plain_line(c, &marks, p)))
            continue;
        c->p = empty_line_end(c, p);
        if (c->p > p)
            return true;
        if (*p == '\r' && p + 1 == c->end)
            break; /* half of a line end */
        next = scan_line(c, p);
    }
    c->p = c->end;
    return false;
}

static void message_init(struct sip_message *m)
{
    m->problem_count = m->problems_more = 0;
    m->header_count = 0;
    m->cseq = 0;
    m->has_cseq = m->has_call_id = false;
    headers_forget(m);
}

bool sip_may_begin(struct slice bytes)
{
    return bytes.n &&
           (sip_char_is(*bytes.p, SIP_CHAR_TOKEN) || *bytes.p == '\r' || *bytes.p == '\n');
}

/* Start line and headers; false where there is no start line.  c->p is what follows. */
static bool scan_head(struct scan *c, struct slice bytes)
{
    struct sip_message *m = c->m;
    if (!sip_may_begin(bytes))
        return false;
    message_init(m);
    if (!sip_start_line(bytes, m, &c->p))
        return false;
    c->end = bytes.p + bytes.n;
    bool ended = scan_briefly(c) || scan_headers(c);
    m->headers = c->s->headers;
    m->header_count = c->n;
    m->headers_complete = ended || !c->cut;
    if (m->headers_complete && !ended)
        sip_note(m, SIP_PROBLEM_NO_END, offset(c, c->end));
    sip_read_meaning(m);
    return true;
}

bool sip_scan_datagram(struct sip_scanner *s, struct slice bytes, size_t missing,
                       struct sip_message *m)
{
    struct scan c = {.s = s, .m = m, .cut = missing > 0, .brief = s->brief};
    if (!scan_head(&c, bytes))
        return false;
    m->state = c.cut ? SIP_CUT : SIP_WHOLE;
    sip_read_body(m, (struct slice){c.p, (size_t)(c.end - c.p)}, missing);
    m->bytes.n = offset(&c, m->body.p + m->body.n);
    m->consumed = (size_t)(m->body.p + m->body.n - bytes.p);
    return true;
}

bool sip_scan_again(struct sip_scanner *s, struct slice bytes, enum sip_state state, size_t missing,
                    struct sip_message *m)
{
    if (!sip_scan_datagram(s, bytes, state == SIP_GAP && !missing ? SIZE_MAX : missing, m))
        return false;
    m->state = state;
    return true;
}

bool sip_scan_head(struct sip_scanner *s, struct slice bytes, struct sip_message *m)
{
    struct scan c = {.s = s, .m = m, .cut = true};
    if (!scan_head(&c, bytes))
        return false;
    m->body = between(c.p, c.end);
    return true;
}

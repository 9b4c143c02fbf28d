/* The start line: what is SIP and what is not, by one rule for every caller. */
#include "sip/internal.h"

/* The start line without its end and trailing white space (which RFC 4475 3.1.2.10 has as an error;
 * the message is worth showing all the same). */
struct line {
    const char *p, *end;
    const char *next;    /* the byte after the line end */
    const char *control; /* the first control byte that is no TAB, or NULL */
    bool ended;          /* by a line end, not by the end of the bytes */
    bool odd;            /* not as the grammar has it, and readable */
};

static struct line line_of(const char *p, const char *end)
{
    struct line l = {.p = p, .next = end};
    const char *at = sip_next_control(p, end);
    while (at < end && *at != '\n') {
        if (*at != '\t' && !(*at == '\r' && (at + 1 == end || at[1] == '\n')) && !l.control)
            l.control = at;
        at = sip_next_control(at + 1, end);
    }
    l.ended = at < end;
    l.next = at + l.ended;
    l.end = at > p && at[-1] == '\r' ? at - 1 : at;
    while (l.end > p && sip_char_is(l.end[-1], SIP_CHAR_WSP)) {
        l.end--;
        l.odd = true;
    }
    return l;
}

/* "SIP" "/" 1*DIGIT "." 1*DIGIT in any case (RFC 3261 25.1, 7.1); its end, or NULL. */
static inline const char *version_end(const char *p, const char *end)
{
    if (end - p < 7 || ((unsigned char)p[0] | 0x20) != 's' || ((unsigned char)p[1] | 0x20) != 'i' ||
        ((unsigned char)p[2] | 0x20) != 'p' || p[3] != '/')
        return NULL;
    const char *major = sip_skip(p + 4, end, SIP_CHAR_DIGIT);
    if (major == p + 4 || major == end || *major != '.')
        return NULL;
    const char *minor = sip_skip(major + 1, end, SIP_CHAR_DIGIT);
    return minor == major + 1 ? NULL : minor;
}

static struct slice between(const char *p, const char *end)
{
    return (struct slice){p, (size_t)(end - p)};
}

/* SIP-Version SP 3DIGIT SP *Reason.  A code that is no three digits is noted and reads as 0; one
 * that is no number, or may have been cut short, is no status line. */
static bool status_line(struct line *l, struct sip_message *m)
{
    const char *version = version_end(l->p, l->end);
    if (!version || version == l->end || !sip_char_is(*version, SIP_CHAR_WSP))
        return false;
    const char *code = sip_skip(version, l->end, SIP_CHAR_WSP);
    const char *end = sip_skip(code, l->end, SIP_CHAR_DIGIT);
    bool good = end - code == 3;
    if (end == code || (end < l->end && !sip_char_is(*end, SIP_CHAR_WSP)) || (!good && !l->ended))
        return false;
    const char *reason = sip_skip(end, l->end, SIP_CHAR_WSP);
    l->odd = !good || code - version != 1 || *version != ' ' || (reason < l->end && *end != ' ');
    m->kind = SIP_RESPONSE;
    m->version = between(l->p, version);
    m->status = good ? (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0') : 0;
    m->reason = between(reason, l->end);
    return true;
}

/* Method SP Request-URI SP SIP-Version, where the method ends at `method`.  The URI is all that
 * stands between: one with white space in it is malformed, and still what was sent. */
static bool request_line(struct line *l, const char *method, struct sip_message *m)
{
    const char *version = l->end;
    while (version > method && !sip_char_is(version[-1], SIP_CHAR_WSP))
        version--;
    if (version_end(version, l->end) != l->end)
        return false;
    const char *uri = sip_skip(method, version, SIP_CHAR_WSP), *end = version;
    while (end > uri && sip_char_is(end[-1], SIP_CHAR_WSP))
        end--;
    m->kind = SIP_REQUEST;
    m->method = between(l->p, method);
    m->uri = between(uri, end);
    m->version = between(version, l->end);
    l->odd |= uri - method != 1 || version - end != 1 || *method != ' ' || *end != ' ' ||
              m->uri.n == 0 || memchr(uri, ' ', m->uri.n) || memchr(uri, '\t', m->uri.n);
    return true;
}

static bool is_version(struct slice v)
{
    return v.n == 7 && memcmp(v.p + 4, "2.0", 3) == 0;
}

static void note_start_line(const struct line *l, struct sip_message *m)
{
    if (l->odd)
        sip_note(m, SIP_PROBLEM_START_LINE, 0);
    if (!is_version(m->version))
        sip_note(m, SIP_PROBLEM_VERSION, (size_t)(m->version.p - l->p));
    if (l->control)
        sip_note(m, *l->control ? SIP_PROBLEM_CONTROL : SIP_PROBLEM_NUL,
                 (size_t)(l->control - l->p));
}

/* Any line that is one at all. */
static bool any_line(const char *p, const char *end, struct sip_message *m, const char **next)
{
    const char *word = sip_skip(p, end, SIP_CHAR_TOKEN);
    if (word == p || word == end || (*word != '/' && !sip_char_is(*word, SIP_CHAR_WSP)))
        return false;
    struct line l = line_of(p, end);
    if (*word == '/' ? !status_line(&l, m) : !request_line(&l, word, m))
        return false;
    note_start_line(&l, m);
    *next = l.next;
    return true;
}

/* A line as nearly all are written, to the letter of the grammar; NULL where it takes more to say
 * what it is.  Returns the byte after the line. */
static const char *plain_status(const char *p, const char *cr, struct sip_message *m)
{
    if (!sip_char_is(p[8], SIP_CHAR_DIGIT) || !sip_char_is(p[9], SIP_CHAR_DIGIT) ||
        !sip_char_is(p[10], SIP_CHAR_DIGIT) || p[11] != ' ' || p[12] == ' ' || cr[-1] == ' ')
        return NULL;
    m->kind = SIP_RESPONSE;
    m->version = between(p, p + 7);
    m->status = (uint16_t)((p[8] - '0') * 100 + (p[9] - '0') * 10 + p[10] - '0');
    m->reason = between(p + 12, cr);
    return cr + 2;
}

static const char *plain_request(const char *p, const char *cr, struct sip_message *m)
{
    const char *space = sip_skip(p, cr, SIP_CHAR_TOKEN), *uri = space + 1, *end = cr - 8;
    if (space == p || *space != ' ' || end <= uri || memcmp(end, " SIP/2.0", 8) != 0 ||
        memchr(uri, ' ', (size_t)(end - uri)))
        return NULL;
    m->kind = SIP_REQUEST;
    m->method = between(p, space);
    m->uri = between(uri, end);
    m->version = between(end + 1, cr);
    return cr + 2;
}

static const char *plain_line(const char *p, const char *end, struct sip_message *m)
{
    const char *cr = sip_next_control(p, end);
    if (cr - p < 13 || end - cr < 2 || cr[0] != '\r' || cr[1] != '\n')
        return NULL;
    return memcmp(p, "SIP/2.0 ", 8) == 0 ? plain_status(p, cr, m) : plain_request(p, cr, m);
}

bool sip_start_line(struct slice bytes, struct sip_message *m, const char **next)
{
    const char *p = bytes.p, *end = p + bytes.n;
    while (p < end && (*p == '\r' || *p == '\n'))
        p++;
    if (p == end || !sip_char_is(*p, SIP_CHAR_TOKEN))
        return false;
    m->bytes = between(p, end);
    m->method = m->uri = m->reason = (struct slice){p, 0};
    m->status = 0;
    *next = plain_line(p, end, m);
    return *next || any_line(p, end, m, next);
}

bool sip_looks_like(struct slice bytes)
{
    struct sip_message m;
    const char *next;
    m.problem_count = m.problems_more = 0;
    return bytes.n && sip_start_line(bytes, &m, &next);
}

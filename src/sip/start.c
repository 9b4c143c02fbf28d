/* The start line: what is SIP and what is not, by one rule for every caller. */
#include "sip/internal.h"

/* One line without its end; trailing white space dropped (RFC 4475 3.1.2.10 is refused by the RFC,
 * but the message is worth showing). */
struct line {
    const char *p, *end;
    bool odd; /* not as the grammar has it, and readable all the same */
};

static const char *line_end(const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    return lf ? lf : end;
}

static struct line line_of(const char *p, const char *end)
{
    struct line l = {p, line_end(p, end), false};
    if (l.end > p && l.end[-1] == '\r')
        l.end--;
    while (l.end > p && sip_char_is(l.end[-1], SIP_CHAR_WSP)) {
        l.end--;
        l.odd = true;
    }
    return l;
}

/* "SIP" "/" 1*DIGIT "." 1*DIGIT in any case (RFC 3261 25.1, 7.1); its end, or NULL. */
static const char *version_end(const char *p, const char *end)
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
static bool status_line(struct line *l, bool ended, struct sip_message *m)
{
    const char *version = version_end(l->p, l->end);
    if (!version || version == l->end || !sip_char_is(*version, SIP_CHAR_WSP))
        return false;
    const char *code = sip_skip(version, l->end, SIP_CHAR_WSP);
    const char *end = sip_skip(code, l->end, SIP_CHAR_DIGIT);
    bool good = end - code == 3;
    if (end == code || (end < l->end && !sip_char_is(*end, SIP_CHAR_WSP)) || (!good && !ended))
        return false;
    const char *reason = sip_skip(end, l->end, SIP_CHAR_WSP);
    l->odd = !good || code - version != 1 || *version != ' ' || (reason < l->end && *end != ' ');
    m->kind = SIP_RESPONSE;
    m->version = between(l->p, version);
    m->status = good ? (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0') : 0;
    m->reason = between(reason, l->end);
    return true;
}

/* Method SP Request-URI SP SIP-Version.  The URI is all that stands between: one with white space
 * in it is malformed, and still what was sent. */
static bool request_line(struct line *l, struct sip_message *m)
{
    const char *method = sip_skip(l->p, l->end, SIP_CHAR_TOKEN);
    if (method == l->p || method == l->end || !sip_char_is(*method, SIP_CHAR_WSP))
        return false;
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
              memchr(uri, ' ', m->uri.n) || memchr(uri, '\t', m->uri.n);
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
    const char *control = l->p;
    while ((control = sip_next_control(control, l->end)) < l->end && *control == '\t')
        control++;
    if (control < l->end)
        sip_note(m, *control ? SIP_PROBLEM_CONTROL : SIP_PROBLEM_NUL, (size_t)(control - l->p));
}

bool sip_start_line(struct slice bytes, struct sip_message *m, const char **next)
{
    const char *p = bytes.p, *end = p + bytes.n;
    while (p < end && (*p == '\r' || *p == '\n'))
        p++;
    const char *word = sip_skip(p, end, SIP_CHAR_TOKEN);
    if (word == p || word == end || (*word != '/' && !sip_char_is(*word, SIP_CHAR_WSP)))
        return false;
    struct line l = line_of(p, end);
    const char *lf = line_end(l.end, end);
    m->method = m->uri = m->reason = (struct slice){p, 0};
    m->status = 0;
    if (!status_line(&l, lf < end, m) && !request_line(&l, m))
        return false;
    m->bytes = between(p, end);
    note_start_line(&l, m);
    *next = lf < end ? lf + 1 : end;
    return true;
}

bool sip_looks_like(struct slice bytes)
{
    struct sip_message m;
    const char *next;
    m.problem_count = m.problems_more = 0;
    return bytes.n && sip_start_line(bytes, &m, &next);
}

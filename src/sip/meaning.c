/* What the scanner itself reads out of headers: Call-ID, CSeq, Content-Length, and what must be
 * there. */
#include "sip/internal.h"

/* A header whose value was captured to its end, or NULL. */
static inline const struct sip_header *known(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = m->first[id] < 0 ? NULL : &m->headers[m->first[id]];
    return h && !h->cut ? h : NULL;
}

/* Digits only; a number above 32 bits reads as UINT32_MAX. */
static bool read_length(struct slice value, uint32_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (!sip_char_is(value.p[i], SIP_CHAR_DIGIT))
            return false;
        n = n * 10 + (uint64_t)(value.p[i] - '0');
        n = n > UINT32_MAX ? UINT32_MAX : n;
    }
    *out = (uint32_t)n;
    return value.n > 0;
}

void sip_read_repeated(struct sip_message *m, const struct sip_header *first,
                       const struct sip_header *h)
{
    uint32_t a, b;
    if (h->id == SIP_HEADER_CALL_ID)
        sip_note(m, SIP_PROBLEM_SECOND_CALL_ID, h->at);
    else if (!h->cut && (!read_length(first->value, &a) || !read_length(h->value, &b) || a != b))
        sip_note(m, SIP_PROBLEM_LENGTHS_DIFFER, h->at);
}

static void read_call_id(struct sip_message *m)
{
    const struct sip_header *h = known(m, SIP_HEADER_CALL_ID);
    m->call_id = h ? h->value : (struct slice){m->bytes.p, 0};
    m->has_call_id = m->call_id.n > 0;
    if (h && !m->has_call_id)
        sip_note(m, SIP_PROBLEM_EMPTY_CALL_ID, h->at);
}

/* 1*DIGIT LWS Method (RFC 3261 20.16), with folds.  *method is left alone and false returned where
 * it is not so; false with a method where the number does not fit 32 bits. */
static bool read_cseq(struct slice value, uint32_t *number, struct slice *method)
{
    const char *p = value.p, *end = p + value.n;
    uint64_t n = 0;
    for (; p < end && sip_char_is(*p, SIP_CHAR_DIGIT); p++)
        n = n > UINT32_MAX ? n : n * 10 + (uint64_t)(*p - '0');
    const char *digits_end = p;
    while (p < end && (sip_char_is(*p, SIP_CHAR_WSP) || *p == '\r' || *p == '\n'))
        p++;
    if (digits_end == value.p || p == digits_end || p == end ||
        sip_skip(p, end, SIP_CHAR_TOKEN) != end)
        return false;
    *method = (struct slice){p, (size_t)(end - p)};
    *number = n > UINT32_MAX ? 0 : (uint32_t)n;
    return n <= UINT32_MAX;
}

static void read_cseq_header(struct sip_message *m)
{
    const struct sip_header *h = known(m, SIP_HEADER_CSEQ);
    struct slice method = {m->bytes.p, 0};
    if (h)
        m->has_cseq = read_cseq(h->value, &m->cseq, &method);
    if (h && !m->has_cseq)
        sip_note(m, SIP_PROBLEM_BAD_CSEQ, h->at);
    if (m->kind == SIP_RESPONSE)
        m->method = method;
    else if (method.n && !slice_equal(method, m->method))
        sip_note(m, SIP_PROBLEM_CSEQ_METHOD, h->at);
    m->method_id = sip_method_of(m->method);
}

/* RFC 3261 8.1.1: what every message must have.  Only where all headers were captured. */
static void note_absent(struct sip_message *m)
{
    static const struct {
        enum sip_header_id header;
        enum sip_problem_id problem;
    } needed[] = {
        {SIP_HEADER_VIA, SIP_PROBLEM_NO_VIA},   {SIP_HEADER_FROM, SIP_PROBLEM_NO_FROM},
        {SIP_HEADER_TO, SIP_PROBLEM_NO_TO},     {SIP_HEADER_CALL_ID, SIP_PROBLEM_NO_CALL_ID},
        {SIP_HEADER_CSEQ, SIP_PROBLEM_NO_CSEQ},
    };
    const uint64_t all =
        SIP_SEEN(VIA) | SIP_SEEN(FROM) | SIP_SEEN(TO) | SIP_SEEN(CALL_ID) | SIP_SEEN(CSEQ);
    if ((m->seen & all) == all)
        return;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (m->first[needed[i].header] < 0)
            sip_note(m, needed[i].problem, 0);
}

void sip_read_meaning(struct sip_message *m)
{
    read_call_id(m);
    read_cseq_header(m);
    if (m->headers_complete)
        note_absent(m);
}

void sip_read_body(struct sip_message *m, struct slice rest, size_t missing)
{
    const struct sip_header *h = known(m, SIP_HEADER_CONTENT_LENGTH);
    uint32_t length;
    m->body = rest;
    if (!h)
        return;
    if (!read_length(h->value, &length)) {
        sip_note(m, SIP_PROBLEM_BAD_LENGTH, h->at);
    } else if (length < rest.n) {
        m->body.n = length;
        sip_note(m, SIP_PROBLEM_TRAILING, (size_t)(rest.p + length - m->bytes.p));
    } else if (m->headers_complete && length - rest.n > missing) {
        sip_note(m, SIP_PROBLEM_LENGTH_LONG, h->at);
    }
}

/* Several values that differ are none (which sip_read_repeated noted). */
static bool lengths_agree(const struct sip_message *m, const struct sip_header *first)
{
    uint32_t a, b;
    for (const struct sip_header *h = first + 1; h < m->headers + m->header_count; h++)
        if (h->id == SIP_HEADER_CONTENT_LENGTH &&
            (!read_length(h->value, &b) || !read_length(first->value, &a) || a != b))
            return false;
    return true;
}

bool sip_read_length(struct sip_message *m, uint32_t *length)
{
    const struct sip_header *h = known(m, SIP_HEADER_CONTENT_LENGTH);
    if (!h) {
        if (m->headers_complete)
            sip_note(m, SIP_PROBLEM_NO_LENGTH, 0);
        return false;
    }
    if (!read_length(h->value, length)) {
        sip_note(m, SIP_PROBLEM_BAD_LENGTH, h->at);
        return false;
    }
    if (*length == UINT32_MAX) {
        sip_note(m, SIP_PROBLEM_LENGTH_LONG, h->at);
        return false;
    }
    return lengths_agree(m, h);
}

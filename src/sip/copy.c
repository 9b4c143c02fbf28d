/* Messages that outlive the bytes they were scanned in. */
#include "sip/internal.h"

static inline void move(struct slice *s, const char *from, const char *to)
{
    if (s->p)
        s->p = to + (s->p - from);
}

void sip_message_copy(const struct sip_message *m, const char *from, const char *to,
                      struct sip_header *headers, struct sip_message *out)
{
    memcpy(out, m, offsetof(struct sip_message, problems) + m->problem_count * sizeof *m->problems);
    out->headers = headers;
    move(&out->bytes, from, to);
    move(&out->method, from, to);
    move(&out->uri, from, to);
    move(&out->version, from, to);
    move(&out->reason, from, to);
    move(&out->call_id, from, to);
    move(&out->body, from, to);
    for (uint32_t i = 0; i < m->header_count; i++) {
        headers[i] = m->headers[i];
        move(&headers[i].name, from, to);
        move(&headers[i].value, from, to);
    }
}

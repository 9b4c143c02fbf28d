/* Messages that outlive the bytes they were scanned in. */
#include "sip/internal.h"

static void move(struct slice *s, const char *from, const char *to)
{
    if (s->p)
        s->p = to + (s->p - from);
}

void sip_message_copy(const struct sip_message *m, const char *from, const char *to,
                      struct sip_header *headers, struct sip_message *out)
{
    struct slice *const slices[] = {&out->bytes,  &out->method,  &out->uri, &out->version,
                                    &out->reason, &out->call_id, &out->body};
    *out = *m;
    out->headers = headers;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        move(slices[i], from, to);
    for (uint32_t i = 0; i < m->header_count; i++) {
        headers[i] = m->headers[i];
        move(&headers[i].name, from, to);
        move(&headers[i].value, from, to);
    }
}

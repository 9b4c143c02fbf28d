/* The list of messages: a line each for a person, an object each for a program. */
#include "report/json_members.h"

#define FRAME_COLUMNS 5
#define LEFT_LEAST                                                                                 \
    20 /* columns that the start line and the Call-ID need; else they get a line of their own */
#define START_LEAST   8  /* columns for the start line beside marks, however narrow the terminal */
#define URI_LEAST     48 /* with so many left, the Request-URI or the reason phrase is shown too */
#define CALL_ID_LEAST 24

void report_messages_free(struct report_messages *r)
{
    arena_free(&r->scratch);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void add_place(struct text *out, const struct report_messages *r, const char *point,
                      const struct packet_payload *p)
{
    report_add_cell(out, slice_of(point), r->point_width);
    text_printf(out, " %*u ", FRAME_COLUMNS, p->frame_count ? p->frames[p->frame_count - 1] : 0);
    report_add_clock(out, r->style.local_time, p->time_ns, true);
    text_add(out, SLICE("  "));
    text_printf(out, "%s -> %s", p->src.ip.family ? endpoint_format(&p->src).s : "?",
                p->dst.ip.family ? endpoint_format(&p->dst).s : "?");
    if (p->transport != PACKET_UDP)
        text_printf(out, " %s", packet_transport_name(p->transport));
}

/* "BYE", "200 BYE"; with `full` also the Request-URI or the reason phrase */
static struct slice start_line(struct arena *a, const struct sip_message *m, bool full)
{
    struct text t = {0};
    if (m->kind == SIP_RESPONSE)
        text_printf(&t, "%u ", m->status);
    text_add(&t, m->method);
    if (full) {
        text_add_char(&t, ' ');
        text_add(&t, m->kind == SIP_REQUEST ? m->uri : m->reason);
    }
    struct slice line = arena_copy(a, slice_trim(text_slice(&t)));
    text_free(&t);
    return line;
}

/* What is out of the ordinary about a message, in a few words; empty for most. */
static struct slice marks(struct arena *a, const struct trace_message *m)
{
    struct text t = {0};
    text_add(&t, SLICE(""));
    if (m->duplicate)
        text_add(&t, SLICE(" duplicate"));
    else if (m->retransmission)
        text_add(&t, SLICE(" again"));
    if (m->sip->state != SIP_WHOLE)
        text_printf(&t, " %s", sip_state_name(m->sip->state));
    if (m->sip->problem_count)
        text_add(&t, SLICE(" malformed"));
    struct slice words = arena_copy(a, slice_trim(text_slice(&t)));
    text_free(&t);
    return words;
}

static size_t marks_width(struct slice words)
{
    return words.n ? words.n + 2 : 0;
}

static void add_marks(struct text *out, const struct report_messages *r, struct slice words)
{
    if (words.n == 0)
        return;
    text_add(out, SLICE("  "));
    report_add_coloured(out, &r->style, REPORT_YELLOW, words);
}

/* The start line, the Call-ID and the marks share what is left of the line. */
static void add_summary(struct text *out, struct report_messages *r, size_t left,
                        const struct trace_message *m, struct slice words)
{
    size_t taken = marks_width(words);
    left = left > taken + START_LEAST ? left - taken : START_LEAST;
    bool full = left >= URI_LEAST;
    struct slice line = start_line(&r->scratch, m->sip, full);
    size_t most = full ? left - CALL_ID_LEAST - 2 : left;
    text_add_fitted(out, line, most);
    size_t wide = text_width(line) < most ? text_width(line) : most;
    if (m->sip->has_call_id && left > wide + 2 + 5) {
        text_add(out, SLICE("  "));
        text_add_fitted(out, m->sip->call_id, left - wide - 2);
    }
    add_marks(out, r, words);
}

static void add_headers(struct text *out, struct report_messages *r, const struct sip_message *m)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        struct slice value = sip_unfold(&r->scratch, h);
        text_add(out, SLICE("    "));
        text_add_terminal(out, h->name);
        text_add(out, SLICE(": "));
        text_add_terminal(out, report_masked(&r->scratch, &r->style, h->name, value));
        text_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < m->problem_count; i++)
        text_printf(out, "    ! %s at byte %u\n", sip_problem_text(m->problems[i].id),
                    m->problems[i].at);
}

/* The columns without which start line and marks do not stand on the line of the place. */
static size_t summary_least(struct arena *a, const struct sip_message *m, struct slice words)
{
    size_t least = text_width(start_line(a, m, false)) + marks_width(words);
    return words.n && least > LEFT_LEAST ? least : LEFT_LEAST;
}

void report_message_text(struct text *out, struct report_messages *r, const char *point,
                         const struct trace_message *m)
{
    size_t width = report_width(&r->style);
    struct slice words = marks(&r->scratch, m);
    report_add_day(out, r->style.local_time, &r->day, m->payload->time_ns);
    size_t from = out->n;
    add_place(out, r, point, m->payload);
    size_t used = text_width((struct slice){out->p + from, out->n - from}) + 2;
    if (used + summary_least(&r->scratch, m->sip, words) > width) {
        text_add(out, SLICE("\n    "));
        used = 4;
    } else {
        text_add(out, SLICE("  "));
    }
    add_summary(out, r, width > used ? width - used : 0, m, words);
    text_add_char(out, '\n');
    if (r->style.verbose)
        add_headers(out, r, m->sip);
    arena_reset(&r->scratch);
}

/* ---- NDJSON ---------------------------------------------------------------------------------- */

static void write_place(struct json_writer *w, const struct report_style *style, const char *point,
                        const struct packet_payload *p)
{
    json_add_key(w, "point");
    json_add_cstring(w, point);
    json_add_key(w, "frames");
    json_begin_array(w);
    for (size_t i = 0; i < p->frame_count; i++)
        json_add_uint(w, p->frames[i]);
    json_end_array(w);
    json_add_key(w, "time");
    json_add_cstring(w, report_time_iso(style->local_time, p->time_ns).s);
    json_add_key(w, "transport");
    json_add_cstring(w, packet_transport_name(p->transport));
    report_json_endpoint(w, "src", &p->src);
    report_json_endpoint(w, "dst", &p->dst);
}

static void write_start(struct json_writer *w, const struct sip_message *m)
{
    bool request = m->kind == SIP_REQUEST;
    json_add_key(w, "kind");
    json_add_cstring(w, request ? "request" : "response");
    write_known(w, "method", m->method);
    write_string_or_null(w, "uri", request, m->uri);
    write_uint_or_null(w, "status", !request, m->status);
    write_string_or_null(w, "reason", !request, m->reason);
    write_string_or_null(w, "call_id", m->has_call_id, m->call_id);
    write_uint_or_null(w, "cseq", m->has_cseq, m->cseq);
    json_add_key(w, "state");
    json_add_cstring(w, sip_state_name(m->state));
}

static void write_headers(struct json_writer *w, struct report_messages *r,
                          const struct sip_message *m)
{
    json_add_key(w, "headers");
    json_begin_array(w);
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        struct slice value = sip_unfold(&r->scratch, h);
        json_begin_object(w);
        json_add_key(w, "name");
        json_add_string(w, h->name);
        json_add_key(w, "value");
        json_add_string(w, report_masked(&r->scratch, &r->style, h->name, value));
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_problems(struct json_writer *w, struct arena *a, const struct sip_message *m)
{
    json_add_key(w, "malformed");
    json_begin_array(w);
    for (uint32_t i = 0; i < m->problem_count; i++)
        json_add_string(w, arena_printf(a, "%s at byte %u", sip_problem_text(m->problems[i].id),
                                        m->problems[i].at));
    if (m->problems_more)
        json_add_string(w, arena_printf(a, "and %u more", m->problems_more));
    json_end_array(w);
}

void report_message_ndjson(struct text *out, struct report_messages *r, const char *point,
                           const struct trace_message *m)
{
    struct json_writer w = {.out = out};
    json_begin_object(&w);
    write_place(&w, &r->style, point, m->payload);
    write_start(&w, m->sip);
    json_add_key(&w, "retransmission");
    json_add_bool(&w, m->retransmission);
    if (m->duplicate) {
        json_add_key(&w, "duplicate");
        json_add_bool(&w, true);
    }
    write_headers(&w, r, m->sip);
    json_add_key(&w, "body_length");
    json_add_uint(&w, m->sip->body.n);
    write_problems(&w, &r->scratch, m->sip);
    json_end_object(&w);
    text_add_char(out, '\n');
    arena_reset(&r->scratch);
}

/* Makes messages.  The header lines of a step go in as they are. */
#include "probe/internal.h"

#include <string.h>

#define CRLF SLICE("\r\n")

static void add_line(struct text *t, const char *name, struct slice value)
{
    text_add(t, slice_of(name));
    text_add(t, SLICE(": "));
    text_add(t, value);
    text_add(t, CRLF);
}

static void add_lines(struct text *t, const struct probe_step *step, bool first)
{
    if (!step || step->lines_first != first)
        return;
    for (size_t i = 0; i < step->line_count; i++) {
        text_add(t, step->lines[i]);
        text_add(t, CRLF);
    }
}

static void add_body(struct text *t, const struct probe_step *step, struct slice body,
                     struct slice type)
{
    if (step && step->body.p) {
        body = step->body;
        type = step->content_type;
    }
    if (body.n)
        add_line(t, "Content-Type", type.n ? type : SLICE("application/sdp"));
    text_printf(t, "Content-Length: %zu\r\n\r\n", body.n);
    text_add(t, body);
}

/* ---- requests -----------------------------------------------------------------------------------
 */

static void add_start(struct text *t, const struct draft *d)
{
    text_add(t, d->method);
    text_add_char(t, ' ');
    text_add(t, d->uri);
    text_add(t, SLICE(" SIP/2.0\r\n"));
    add_line(t, "Via", d->via);
}

/* Max-Forwards to CSeq: what every request has. */
static void add_middle(struct text *t, const struct draft *d, struct slice to)
{
    text_add(t, SLICE("Max-Forwards: 70\r\n"));
    for (size_t i = 0; i < d->route_count; i++)
        add_line(t, "Route", d->routes[i]);
    add_line(t, "From", d->from);
    add_line(t, "To", to);
    add_line(t, "Call-ID", d->call_id);
    text_printf(t, "CSeq: %u ", d->cseq);
    text_add(t, d->method);
    text_add(t, CRLF);
}

static void add_contact(struct text *t, struct slice contact)
{
    if (!contact.n)
        return;
    text_add(t, SLICE("Contact: <"));
    text_add(t, contact);
    text_add(t, SLICE(">\r\n"));
}

#define ALLOWED SLICE("INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY, MESSAGE, UPDATE")

struct slice compose_request(struct arena *a, const struct draft *d)
{
    struct text t = {0};
    add_start(&t, d);
    add_lines(&t, d->step, true);
    add_middle(&t, d, d->to);
    add_contact(&t, d->contact);
    if (slice_is(d->method, "INVITE"))
        add_line(&t, "Allow", ALLOWED);
    if (d->agent.n)
        add_line(&t, "User-Agent", d->agent);
    if (d->authorization.n) {
        text_add(&t, d->authorization);
        text_add(&t, CRLF);
    }
    add_lines(&t, d->step, false);
    add_body(&t, d->step, d->body, d->content_type);
    return text_keep(&t, a);
}

struct slice compose_hop(struct arena *a, const struct draft *request, struct slice method,
                         struct slice to)
{
    struct text t = {0};
    struct draft d = *request;
    d.method = method;
    add_start(&t, &d);
    add_middle(&t, &d, to.n ? to : d.to);
    if (d.agent.n)
        add_line(&t, "User-Agent", d.agent);
    text_add(&t, SLICE("Content-Length: 0\r\n\r\n"));
    return text_keep(&t, a);
}

struct slice compose_via(struct engine *e, enum probe_end end, const struct path *path,
                         struct arena *a, struct slice *branch)
{
    const struct probe_party *party = &e->plan->parties[end];
    *branch =
        ARENA_JOIN(a, SLICE("z9hG4bK"), party->branch_prefix, chance_letters(&e->chance, a, 16));
    return ARENA_JOIN(a, SLICE("SIP/2.0/"), slice_of(probe_transport_name(path->transport)),
                      SLICE(" "), slice_of(endpoint_format(&path->local).s), SLICE(";branch="),
                      *branch, SLICE(";rport"), party->via_params);
}

struct slice compose_contact(struct arena *a, struct slice user, const struct path *path)
{
    static const char *const transports[] = {"", ";transport=tcp", ";transport=tls"};
    return ARENA_JOIN(a, SLICE("sip:"), user, SLICE("@"), slice_of(endpoint_format(&path->local).s),
                      slice_of(transports[path->transport]));
}

/* No stream is offered to be sent: the probe has no media. */
struct slice compose_sdp(struct arena *a, const struct endpoint *at, struct slice token)
{
    struct address_text ip = address_format(&at->ip);
    const char *family = at->ip.family == 6 ? "IP6" : "IP4";
    return arena_printf(a,
                        "v=0\r\no=%.*s 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
                        "m=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 "
                        "PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=inactive\r\n",
                        SLICE_ARG(token), family, ip.s, family, ip.s);
}

/* ---- responses ----------------------------------------------------------------------------------
 */

struct slice reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } known[] = {
        {100, "Trying"},
        {180, "Ringing"},
        {181, "Call Is Being Forwarded"},
        {182, "Queued"},
        {183, "Session Progress"},
        {200, "OK"},
        {202, "Accepted"},
        {302, "Moved Temporarily"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {420, "Bad Extension"},
        {480, "Temporarily Unavailable"},
        {481, "Call/Transaction Does Not Exist"},
        {482, "Loop Detected"},
        {486, "Busy Here"},
        {487, "Request Terminated"},
        {488, "Not Acceptable Here"},
        {491, "Request Pending"},
        {500, "Server Internal Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {600, "Busy Everywhere"},
        {603, "Decline"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            return slice_of(known[i].reason);
    return status < 200 ? SLICE("Progress") : status < 300 ? SLICE("OK") : SLICE("Failed");
}

/* Where `;rport` without a value ends in a Via; 0: it has none. */
static size_t find_rport(struct slice via)
{
    for (size_t i = 0; i + 6 <= via.n; i++) {
        struct slice rest = slice_from(via, i);
        if (!slice_starts_nocase(rest, SLICE(";rport")))
            continue;
        char after = rest.n > 6 ? rest.p[6] : ';';
        if (after == ';' || after == ' ' || after == ',')
            return i + 6;
    }
    return 0;
}

/* The topmost Via with where its message came from (RFC 3261 18.2.1, RFC 3581 4). */
static void add_top_via(struct text *t, struct slice value, const struct endpoint *remote)
{
    struct slice rest = value, top, ignored;
    if (!sip_list_next(&rest, &top))
        top = value;
    size_t at = find_rport(top);
    struct address_text ip = address_format(&remote->ip);
    text_add(t, SLICE("Via: "));
    text_add(t, at ? slice_first(top, at) : top);
    if (at) {
        text_printf(t, "=%u", remote->port);
        text_add(t, slice_from(top, at));
    }
    if (!sip_param(top, SLICE("received"), &ignored))
        text_printf(t, ";received=%s", ip.s);
    if (slice_trim(rest).n) {
        text_add(t, SLICE(", "));
        text_add(t, slice_trim(rest));
    }
    text_add(t, CRLF);
}

static void copy_headers(struct text *t, const struct sip_message *m, enum sip_header_id id)
{
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].id == id)
            add_line(t, sip_header_name(id), m->headers[i].value);
}

static void copy_to(struct text *t, const struct sip_message *m, struct slice tag)
{
    const struct sip_header *to = sip_header_first(m, SIP_HEADER_TO);
    struct slice ignored;
    if (!to)
        return;
    text_add(t, SLICE("To: "));
    text_add(t, to->value);
    if (tag.n && !sip_param(to->value, SLICE("tag"), &ignored)) {
        text_add(t, SLICE(";tag="));
        text_add(t, tag);
    }
    text_add(t, CRLF);
}

static void copy_vias(struct text *t, const struct sip_message *m, const struct endpoint *remote)
{
    bool first = true;
    for (uint32_t i = 0; i < m->header_count; i++) {
        if (m->headers[i].id != SIP_HEADER_VIA)
            continue;
        if (first)
            add_top_via(t, m->headers[i].value, remote);
        else
            add_line(t, "Via", m->headers[i].value);
        first = false;
    }
}

struct slice compose_response(struct arena *a, const struct sip_message *request,
                              const struct path *path, const struct reply *r)
{
    struct text t = {0};
    text_printf(&t, "SIP/2.0 %u ", r->status);
    text_add(&t, r->reason.n ? r->reason : reason_of(r->status));
    text_add(&t, CRLF);
    copy_vias(&t, request, &path->remote);
    copy_headers(&t, request, SIP_HEADER_RECORD_ROUTE);
    add_lines(&t, r->step, true);
    copy_headers(&t, request, SIP_HEADER_FROM);
    copy_to(&t, request, r->to_tag);
    copy_headers(&t, request, SIP_HEADER_CALL_ID);
    copy_headers(&t, request, SIP_HEADER_CSEQ);
    add_contact(&t, r->contact);
    if (r->agent.n)
        add_line(&t, "Server", r->agent);
    text_add(&t, r->extra);
    add_lines(&t, r->step, false);
    add_body(&t, r->step, r->body, SLICE(""));
    return text_keep(&t, a);
}

/* What a message or a call has for a field: no value, one, or several. */
#include "view/filter_internal.h"

#include <string.h>

static void add_text(struct view_filter *f, struct slice text, bool cut)
{
    *vec_add(&f->data) = (struct filter_datum){.text = text, .cut = cut};
}

static void add_number(struct view_filter *f, int64_t number)
{
    *vec_add(&f->data) = (struct filter_datum){.number = number};
}

static void add_endpoint(struct view_filter *f, const struct endpoint *e)
{
    if (e->ip.family) /* a log need not say it */
        *vec_add(&f->data) = (struct filter_datum){.number = e->port, .endpoint = e};
}

/* ---- the message ----------------------------------------------------------------------------- */

/* The message, read where it was not; NULL: it can't be. */
static const struct sip_message *sip_of(struct filter_subject *s)
{
    if (!s->sip && !s->unreadable) {
        s->sip = s->message->sip ? s->message->sip : s->message->read(s->message->reader);
        s->unreadable = !s->sip;
    }
    return s->sip;
}

static bool is_named(const struct filter_test *t, const struct sip_header *h)
{
    if (!t->many)
        return sip_name_equal(h->name, t->header);
    const char *full = h->id == SIP_HEADER_OTHER ? NULL : sip_header_name(h->id);
    return slice_glob_nocase(full ? slice_of(full) : h->name, t->header);
}

static void add_header(struct view_filter *f, const struct sip_header *h)
{
    add_text(f, h->folded ? sip_unfold(&f->scratch, h) : h->value, h->cut);
}

static bool fetch_header(struct view_filter *f, const struct filter_test *t,
                         const struct sip_message *m)
{
    for (uint32_t i = 0; i < m->header_count; i++)
        if (is_named(t, &m->headers[i]))
            add_header(f, &m->headers[i]);
    bool again = t->many || !sip_is_single(t->header);
    return !m->headers_complete && (again || f->data.n == 0);
}

static void add_all(struct view_filter *f, const struct sip_message *m, enum sip_header_id id)
{
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].id == id)
            add_header(f, &m->headers[i]);
}

/* The part of an address that a field is named for. */
static void add_address_part(struct view_filter *f, enum filter_field_id part,
                             const struct sip_address *a, bool cut)
{
    struct slice text = part == FILTER_FIELD_FROM_USER   ? a->user
                        : part == FILTER_FIELD_FROM_HOST ? a->host
                                                         : a->display;
    if (text.n)
        add_text(f, text, cut);
}

/* From and To stand once; of a part it counts that the whole was there. */
static bool may_follow(const struct sip_message *m, enum sip_header_id id)
{
    bool there = sip_header_first(m, id) != NULL;
    return !m->headers_complete && (id == SIP_HEADER_CONTACT || !there);
}

static bool fetch_address(struct view_filter *f, enum filter_field_id part,
                          const struct sip_message *m, enum sip_header_id id)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        struct slice rest = h->value, element, found;
        struct sip_address address;
        if (h->id != id)
            continue;
        if (h->folded)
            rest = sip_unfold(&f->scratch, h);
        if (part == FILTER_FIELD_FROM_TAG) {
            if (sip_param(rest, SLICE("tag"), &found))
                add_text(f, found, h->cut);
        } else if (part == FILTER_FIELD_FROM_USER && sip_plain_user(rest, &found) &&
                   id != SIP_HEADER_CONTACT) {
            if (found.n)
                add_text(f, found, h->cut);
        } else {
            while (sip_list_next(&rest, &element))
                if (sip_address_parse(&f->scratch, element, &address))
                    add_address_part(f, part, &address, h->cut);
        }
    }
    return may_follow(m, id);
}

static bool fetch_uri(struct view_filter *f, enum filter_field_id id, const struct sip_message *m)
{
    struct sip_address address;
    if (m->kind != SIP_REQUEST)
        return false;
    if (id == FILTER_FIELD_URI)
        add_text(f, m->uri, false);
    else if (sip_uri_parse(&f->scratch, m->uri, &address) &&
             (id == FILTER_FIELD_URI_USER ? address.user : address.host).n)
        add_text(f, id == FILTER_FIELD_URI_USER ? address.user : address.host, false);
    return false;
}

static bool fetch_branch(struct view_filter *f, const struct sip_message *m)
{
    const struct sip_header *via = sip_header_first(m, SIP_HEADER_VIA);
    struct slice rest, first, branch;
    if (!via)
        return !m->headers_complete;
    rest = via->folded ? sip_unfold(&f->scratch, via) : via->value;
    if (sip_list_next(&rest, &first) && sip_param(first, SLICE("branch"), &branch))
        add_text(f, branch, via->cut);
    return via->cut;
}

static bool has_sdp(const struct sip_message *m)
{
    const struct sip_header *type = sip_header_first(m, SIP_HEADER_CONTENT_TYPE);
    return type && (slice_starts_nocase(type->value, SLICE("application/sdp")) ||
                    slice_starts_nocase(type->value, SLICE("multipart/")));
}

static bool fetch_body(struct view_filter *f, const struct sip_message *m, bool sdp)
{
    bool cut = m->state == SIP_CUT || m->state == SIP_GAP;
    if (sdp && !has_sdp(m))
        return !m->headers_complete;
    if (m->body.n)
        add_text(f, m->body, cut);
    return cut;
}

static void fetch_problems(struct view_filter *f, const struct sip_message *m)
{
    for (uint32_t i = 0; i < m->problem_count; i++)
        add_text(f, slice_of(sip_problem_text(m->problems[i].id)), false);
}

/* Fields of which From's stand for those of To and Contact. */
static bool fetch_person(struct view_filter *f, enum filter_field_id id,
                         const struct sip_message *m)
{
    static const struct {
        enum filter_field_id first;
        enum sip_header_id header;
    } people[] = {{FILTER_FIELD_FROM, SIP_HEADER_FROM}, {FILTER_FIELD_TO, SIP_HEADER_TO}};
    static const enum filter_field_id contact[] = {FILTER_FIELD_CONTACT, FILTER_FIELD_FROM_USER,
                                                   FILTER_FIELD_FROM_HOST};
    size_t who = id >= FILTER_FIELD_TO;
    enum sip_header_id header =
        id >= FILTER_FIELD_CONTACT ? SIP_HEADER_CONTACT : people[who].header;
    enum filter_field_id part = id >= FILTER_FIELD_CONTACT
                                    ? contact[id - FILTER_FIELD_CONTACT]
                                    : FILTER_FIELD_FROM + (id - people[who].first);
    if (part != FILTER_FIELD_FROM && part != FILTER_FIELD_CONTACT)
        return fetch_address(f, part, m, header);
    add_all(f, m, header);
    return may_follow(m, header);
}

static bool fetch_read(struct view_filter *f, const struct filter_test *t,
                       const struct sip_message *m)
{
    switch (t->field) {
    case FILTER_FIELD_REASON:
        if (m->kind == SIP_RESPONSE)
            add_text(f, m->reason, false);
        return false;
    case FILTER_FIELD_URI:
    case FILTER_FIELD_URI_USER:
    case FILTER_FIELD_URI_HOST:
        return fetch_uri(f, t->field, m);
    case FILTER_FIELD_CALL_ID:
        if (m->has_call_id)
            add_text(f, m->call_id, false);
        return !m->has_call_id && !m->headers_complete;
    case FILTER_FIELD_CSEQ:
        if (m->has_cseq)
            add_number(f, m->cseq);
        return !m->has_cseq && !m->headers_complete;
    case FILTER_FIELD_CSEQ_METHOD:
        if (m->method.n)
            add_text(f, m->method, false);
        return m->method.n == 0 && !m->headers_complete;
    case FILTER_FIELD_BRANCH:
        return fetch_branch(f, m);
    case FILTER_FIELD_USER_AGENT:
        add_all(f, m, SIP_HEADER_USER_AGENT);
        add_all(f, m, SIP_HEADER_SERVER);
        return !m->headers_complete;
    case FILTER_FIELD_HEADER:
        return fetch_header(f, t, m);
    case FILTER_FIELD_BODY:
    case FILTER_FIELD_SDP:
        return fetch_body(f, m, t->field == FILTER_FIELD_SDP);
    case FILTER_FIELD_WHOLE:
        add_text(f, m->bytes, m->state == SIP_CUT || m->state == SIP_GAP);
        return false;
    case FILTER_FIELD_MALFORMED:
        fetch_problems(f, m);
        return false;
    default:
        return fetch_person(f, t->field, m);
    }
}

/* What the index has: the message need not be read. */
static void fetch_method(struct view_filter *f, struct filter_subject *s)
{
    const char *name = sip_method_name(s->message->method);
    if (s->message->status)
        return;
    if (name)
        add_text(f, slice_of(name), false);
    else if (sip_of(s) && s->sip->kind == SIP_REQUEST)
        add_text(f, s->sip->method, false);
}

static bool fetch_size(struct view_filter *f, const struct trace_seen *m)
{
    if (m->missing == SIZE_MAX)
        return true;
    add_number(f, (int64_t)(m->length + m->missing));
    return false;
}

static bool fetch_message(struct view_filter *f, struct filter_subject *s,
                          const struct filter_test *t)
{
    const struct trace_seen *m = s->message;
    switch (t->field) {
    case FILTER_FIELD_METHOD:
        fetch_method(f, s);
        return false;
    case FILTER_FIELD_STATUS:
        if (m->status)
            add_number(f, m->status);
        return false;
    case FILTER_FIELD_REQUEST:
    case FILTER_FIELD_RESPONSE:
        if ((m->status != 0) == (t->field == FILTER_FIELD_RESPONSE))
            add_number(f, 1);
        return false;
    case FILTER_FIELD_SRC:
    case FILTER_FIELD_SRC_PORT:
        add_endpoint(f, &m->src);
        return false;
    case FILTER_FIELD_DST:
    case FILTER_FIELD_DST_PORT:
        add_endpoint(f, &m->dst);
        return false;
    case FILTER_FIELD_ADDR:
    case FILTER_FIELD_PORT:
        add_endpoint(f, &m->src);
        add_endpoint(f, &m->dst);
        return false;
    case FILTER_FIELD_TRANSPORT:
        add_text(f, slice_of(packet_transport_name(m->transport)), false);
        return false;
    case FILTER_FIELD_POINT:
        add_text(f, slice_of(m->point), false);
        return false;
    case FILTER_FIELD_FRAME:
        for (size_t i = 0; i < m->frame_count; i++)
            add_number(f, m->frames[i]);
        return false;
    case FILTER_FIELD_SIZE:
        return fetch_size(f, m);
    case FILTER_FIELD_STATE:
        add_text(f, slice_of(sip_state_name(m->state)), false);
        return false;
    case FILTER_FIELD_RETRANSMISSION:
    case FILTER_FIELD_DUPLICATE:
        if (t->field == FILTER_FIELD_DUPLICATE ? m->duplicate : m->retransmission)
            add_number(f, 1);
        return false;
    default:
        return !sip_of(s) || fetch_read(f, t, s->sip);
    }
}

/* ---- the call -------------------------------------------------------------------------------- */

static void add_span(struct view_filter *f, int64_t from_ns, int64_t to_ns)
{
    add_number(f, to_ns > from_ns ? to_ns - from_ns : 0);
}

static const char *point_name(const struct view_filter *f, uint32_t point)
{
    const struct trace_point *points;
    size_t n = trace_points(f->trace, &points);
    return point < n ? points[point].name : "";
}

static void fetch_words(struct view_filter *f, const struct filter_test *t,
                        const struct call_summary *c)
{
    switch (t->field) {
    case FILTER_FIELD_CALL_STATE:
        add_text(f,
                 c->outcome == CALL_NOT_A_CALL ? SLICE("none")
                                               : slice_of(call_outcome_name(c->outcome)),
                 false);
        break;
    case FILTER_FIELD_CALL_METHOD:
        add_text(f, c->method, false);
        break;
    case FILTER_FIELD_CALL_CALLER:
        if (c->caller.n)
            add_text(f, c->caller, false);
        break;
    case FILTER_FIELD_CALL_CALLEE:
        if (c->callee.n)
            add_text(f, c->callee, false);
        break;
    case FILTER_FIELD_CALL_CALL_ID:
        for (size_t i = 0; i < c->call_id_count; i++)
            add_text(f, c->call_ids[i], false);
        break;
    default:
        for (size_t i = 0; i < c->point_count; i++)
            add_text(f, slice_of(point_name(f, c->points[i])), false);
    }
}

static void fetch_verdict(struct view_filter *f, const struct filter_test *t,
                          const struct view_filter_verdict *v)
{
    const struct check_kind *kinds;
    size_t n = check_kinds(&kinds);
    if (v && v->judged && t->field == FILTER_FIELD_CALL_FINDING) {
        for (size_t i = 0; i < n; i++)
            if (v->findings[i / 64] >> (i % 64) & 1)
                add_text(f, slice_of(kinds[i].id), false);
    } else if (v && v->judged && t->field == FILTER_FIELD_CALL_ERRORS)
        add_number(f, v->errors);
    else if (v && v->judged)
        add_text(f, slice_of(check_verdict_name(v->verdict)), false);
}

static void fetch_call(struct view_filter *f, const struct filter_subject *s,
                       const struct filter_test *t)
{
    const struct call_summary *c = s->call;
    int64_t end = c->end_ns ? c->end_ns : c->last_ns;
    switch (t->field) {
    case FILTER_FIELD_CALL_STATUS:
        if (c->status)
            add_number(f, c->status);
        break;
    case FILTER_FIELD_CALL_LEGS:
        add_number(f, (int64_t)c->call_id_count);
        break;
    case FILTER_FIELD_CALL_SRC:
        add_endpoint(f, &c->src);
        break;
    case FILTER_FIELD_CALL_DST:
        add_endpoint(f, &c->dst);
        break;
    case FILTER_FIELD_CALL_DURATION:
        add_span(f, c->start_ns, end);
        break;
    case FILTER_FIELD_CALL_TALK:
        if (c->answer_ns)
            add_span(f, c->answer_ns, end);
        break;
    case FILTER_FIELD_CALL_SETUP:
        if (c->answer_ns)
            add_span(f, c->start_ns, c->answer_ns);
        break;
    case FILTER_FIELD_CALL_MESSAGES:
        add_number(f, c->messages);
        break;
    case FILTER_FIELD_CALL_AGAIN:
        add_number(f, c->messages - c->sightings);
        break;
    case FILTER_FIELD_CALL_VERDICT:
    case FILTER_FIELD_CALL_FINDING:
    case FILTER_FIELD_CALL_ERRORS:
        fetch_verdict(f, t, s->verdict);
        break;
    default:
        fetch_words(f, t, c);
    }
}

bool filter_fetch(struct view_filter *f, struct filter_subject *s, const struct filter_test *t)
{
    vec_clear(&f->data);
    if (s->message)
        return fetch_message(f, s, t);
    fetch_call(f, s, t);
    return false;
}

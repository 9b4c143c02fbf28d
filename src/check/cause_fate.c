/* What befell a message as a whole: broken by a value, dropped by a node, on its way round a proxy,
 * or there as it left all that was captured. */
#include "check/cause.h"

/* ---- CR or LF in a value --------------------------------------------------------------------- */

static bool breaks_lines(enum sip_problem_id id)
{
    return id == SIP_PROBLEM_NO_COLON || id == SIP_PROBLEM_BAD_NAME || id == SIP_PROBLEM_EMPTY_NAME;
}

static bool ends_headers(enum sip_problem_id id)
{
    return id == SIP_PROBLEM_NO_CSEQ || id == SIP_PROBLEM_NO_FROM || id == SIP_PROBLEM_NO_TO ||
           id == SIP_PROBLEM_NO_CALL_ID;
}

/* The last header line before a place in the message. */
static const struct sip_header *header_before(const struct sip_message *m, uint32_t at)
{
    const struct sip_header *last = NULL;
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].at < at && (!last || m->headers[i].at > last->at))
            last = &m->headers[i];
    return last;
}

static bool is_own(const struct cause_work *c, struct slice name)
{
    return c->w->trunk ? cause_is_mapped(c->w->trunk, name)
                       : slice_starts_nocase(name, SLICE("X-"));
}

/* The header whose value goes on in a line that is no header line, or in what was to be headers. A
 * line with a colon may also be a header with a bad name. */
static const struct sip_header *broken_header(const struct cause_work *c,
                                              const struct sip_message *m, bool *sure)
{
    for (uint32_t i = 0; i < m->problem_count; i++) {
        bool line = breaks_lines(m->problems[i].id), end = ends_headers(m->problems[i].id);
        const struct sip_header *h =
            line || end ? header_before(m, line ? m->problems[i].at : UINT32_MAX) : NULL;
        if (h && is_own(c, h->name)) {
            *sure = m->problems[i].id != SIP_PROBLEM_BAD_NAME;
            return h;
        }
    }
    return NULL;
}

static bool has_newline(struct slice s)
{
    return slice_find(s, '\r') < s.n || slice_find(s, '\n') < s.n;
}

/* --values gives a value of several lines, and the message has the first of them. */
static const struct sip_header *cut_value(const struct cause_work *c, const struct sip_message *m)
{
    const struct expect_values *v = c->w->options->values;
    for (size_t i = 0; v && i < v->map.n; i++) {
        struct slice value = v->map.pairs[i].value;
        if (!has_newline(value))
            continue;
        size_t end = slice_find(value, '\n') < slice_find(value, '\r') ? slice_find(value, '\n')
                                                                       : slice_find(value, '\r');
        for (uint32_t k = 0; k < m->header_count; k++)
            if (slice_equal(cause_attribute(c->w->trunk, m->headers[k].name),
                            v->map.pairs[i].key) &&
                slice_equal(m->headers[k].value, slice_trim(slice_first(value, end))))
                return &m->headers[k];
    }
    return NULL;
}

/* A header that no map has, behind one that the map has: LiveKit writes these in one run. */
static const struct sip_header *stranger(const struct cause_work *c, const struct sip_message *m)
{
    for (uint32_t i = 1; c->w->trunk && i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        if (h->id != SIP_HEADER_OTHER || cause_is_mapped(c->w->trunk, h->name) ||
            cause_is_fixed(c->w->trunk, h->name) ||
            !cause_is_mapped(c->w->trunk, m->headers[i - 1].name))
            continue;
        bool near = false;
        for (size_t k = 0; k < c->w->trunk->attributes_to_headers.n; k++)
            near |= expect_names_near(h->name, c->w->trunk->attributes_to_headers.pairs[k].value);
        if (!near)
            return h - 1;
    }
    return NULL;
}

static void add_newline(struct cause_work *c, const struct hop_journey *j,
                        const struct sip_header *h, enum check_confidence confidence,
                        const char *words)
{
    struct slice attribute = cause_attribute(c->w->trunk, h->name);
    struct cause *cause = cause_add(c, CAUSE_NEWLINE, confidence,
                                    arena_printf(c->arena, words, SLICE_ARG(h->name),
                                                 SLICE_ARG(check_journey_name(c->arena, j))));
    if (attribute.n)
        cause->remedy = arena_printf(
            c->arena,
            "Take line ends out of the attribute %.*s where the agent sets it; LiveKit writes "
            "values as they are.",
            SLICE_ARG(attribute));
    cause->explains = confidence != CHECK_POSSIBLE;
    cause_see_first(c, cause, j);
}

/* Certain where it was captured as LiveKit sent it: no other has written that line. */
static void of_newline(struct cause_work *c, const struct hop_journey *j)
{
    const struct sip_message *m = j->steps[0].sighting->message;
    const struct sip_header *h;
    bool sure = true;
    if (!m->headers_complete)
        return;
    h = broken_header(c, m, &sure);
    if (!h)
        h = cut_value(c, m);
    if (h)
        add_newline(c, j, h, j->from_sender && sure ? CHECK_CERTAIN : CHECK_LIKELY,
                    "the value of %.*s on %.*s goes on in a line of its own, which is no header");
    else if (!j->status && j->method != SIP_INVITE && j->from_sender && (h = stranger(c, m)))
        add_newline(c, j, h, CHECK_POSSIBLE,
                    "behind %.*s on %.*s stands a header that no map has: part of its value, or of "
                    "another trunk's map");
}

/* ---- dropped --------------------------------------------------------------------------------- */

static bool is_reported_dropped(const struct cause_work *c, const struct hop_journey *j)
{
    const struct check_kind *kinds;
    const struct hop_sighting *last = j->steps[j->step_count - 1].sighting;
    (void)check_kinds(&kinds);
    for (size_t i = 0; i < c->call->finding_count; i++) {
        const struct check_finding *f = &c->call->findings[i];
        if (slice_is(slice_of(f->id), kinds[FINDING_NOT_FORWARDED].id) && f->evidence_count &&
            f->evidence[0].frame == last->index->frame &&
            slice_is(f->evidence[0].point, hop_point_name(c->nodes, last->index->point)))
            return true;
    }
    return false;
}

static size_t count_call_ids(const struct sip_message *m)
{
    size_t n = 0;
    for (uint32_t i = 0; i < m->header_count; i++)
        n += m->headers[i].id == SIP_HEADER_CALL_ID;
    return n;
}

static void add_dropped_doubled(struct cause_work *c, const struct hop_journey *j)
{
    size_t last = j->step_count - 1, first = 0;
    while (first < last && count_call_ids(j->steps[first].sighting->message) < 2)
        first++;
    uint32_t node = j->steps[first].link == HOP_NODE ? j->steps[first].node : HOP_NODE_NONE;
    bool seen = first && cause_at_node(c, j->steps[first - 1].sighting, node, SOURCE_IN) &&
                cause_at_node(c, j->steps[first].sighting, node, SOURCE_OUT);
    struct slice who =
        node != HOP_NODE_NONE ? hop_node_name(c->nodes, node) : SLICE("a node before");
    struct cause *cause =
        cause_add(c, CAUSE_HEADERS_DOUBLED, seen ? CHECK_CERTAIN : CHECK_LIKELY,
                  arena_printf(c->arena,
                               "%.*s writes each header of %.*s twice, Call-ID included, "
                               "and the next node drops it",
                               SLICE_ARG(who), SLICE_ARG(check_journey_name(c->arena, j))));
    cause->place = who;
    cause_see(c, cause, j, first ? first - 1 : 0);
    cause_see(c, cause, j, first);
}

/* The node's own reasons are in its log; that nothing left it was seen on its host, if on all its
 * interfaces. */
static void of_dropped(struct cause_work *c, const struct hop_journey *j)
{
    size_t last = j->step_count - 1;
    if (!j->swallowed || !is_reported_dropped(c, j))
        return;
    if (count_call_ids(j->steps[last].sighting->message) > 1) {
        add_dropped_doubled(c, j);
        return;
    }
    bool broken = c->causes.n > 0 && c->causes.items[c->causes.n - 1].id == CAUSE_NEWLINE;
    struct slice node = hop_node_name(c->nodes, j->swallowed_by);
    struct cause *cause =
        cause_add(c, CAUSE_PROXY_DROPS, broken ? CHECK_POSSIBLE : CHECK_LIKELY,
                  arena_printf(c->arena, "%.*s takes %.*s, and neither sends it on nor answers it",
                               SLICE_ARG(node), SLICE_ARG(check_journey_name(c->arena, j))));
    cause_see(c, cause, j, last);
}

/* ---- round a proxy --------------------------------------------------------------------------- */

static bool is_at(const struct hop_journey *j, uint32_t node)
{
    for (size_t i = 0; i < j->step_count; i++)
        if (j->steps[i].sighting->src_node == node || j->steps[i].sighting->dst_node == node)
            return true;
    return false;
}

/* On an address of it that nothing else tells, its capture still sees the message. */
static bool is_seen_on(const struct cause_work *c, const struct hop_journey *j, uint32_t node)
{
    for (size_t i = 0; i < j->step_count; i++)
        if (hop_node_of_point(c->nodes, j->steps[i].sighting->index->point) == node)
            return true;
    return false;
}

/* Does the message, as the node sent it, say that it wants to be on the way of later requests? */
static bool records_route(const struct cause_work *c, const struct hop_sighting *s, uint32_t node)
{
    const struct sip_address *routes;
    size_t n = sip_addresses(c->arena, s->message, SIP_HEADER_RECORD_ROUTE, &routes);
    for (size_t i = 0; i < n; i++) {
        uint32_t named = hop_node_named(c->nodes, routes[i].host, routes[i].port);
        if (named == node || named == HOP_NODE_NONE)
            return true; /* one that nobody is known by may be the node's own */
    }
    return false;
}

/* A captured node sent the INVITE on at this step, and did not record itself. */
static bool is_unrecorded(const struct cause_work *c, size_t step)
{
    const struct hop_sighting *in = c->invite->steps[step - 1].sighting,
                              *out = c->invite->steps[step].sighting;
    return c->invite->steps[step].link == HOP_NODE &&
           cause_at_node(c, in, out->src_node, SOURCE_IN) &&
           cause_at_node(c, out, out->src_node, SOURCE_OUT) && in->leg == out->leg &&
           out->message->headers_complete && !records_route(c, out, out->src_node);
}

/* Seen to come from nodes on the one side of that step and to go to nodes on the other, or the
 * other way round, without the node between them. */
static bool passes_by(const struct cause_work *c, const struct hop_journey *bye, size_t step)
{
    uint32_t node = c->invite->steps[step].sighting->src_node;
    bool before = false, behind = false;
    for (size_t i = 0; i < c->invite->step_count; i++) {
        const struct hop_sighting *s = c->invite->steps[i].sighting;
        uint32_t at = i < step ? s->src_node : s->dst_node;
        if (at != HOP_NODE_NONE && at != node && is_at(bye, at))
            *(i < step ? &before : &behind) = true;
    }
    return before && behind && !is_at(bye, node);
}

/* LiveKit got the INVITE from the node, and sends its BYE elsewhere: to the INVITE's Contact. */
static bool leaves_past(const struct cause_work *c, const struct hop_journey *bye, size_t step)
{
    const struct hop_sighting *got = c->invite->steps[c->invite->step_count - 1].sighting,
                              *first = bye->steps[0].sighting;
    uint32_t node = c->invite->steps[step].sighting->src_node;
    return bye == c->bye && bye->from_sender && got->src_node == node &&
           hop_node_is_livekit(c->nodes, first->src_node) && got->dst_node == first->src_node &&
           !is_at(bye, node);
}

/* What LiveKit sends is seen on its own host: where no BYE is there, it sent none. */
static bool is_livekit_captured(const struct cause_work *c)
{
    return c->ok->from_sender && cause_by_livekit(c->ok) &&
           c->ok->steps[0].sighting->side == SOURCE_OUT;
}

static void add_bypass(struct cause_work *c, size_t step, const struct hop_journey *bye)
{
    const struct hop_sighting *out = c->invite->steps[step].sighting;
    struct slice node = hop_node_name(c->nodes, out->src_node);
    struct cause *cause = cause_add(
        c, CAUSE_BYPASS, bye ? CHECK_CERTAIN : CHECK_LIKELY,
        arena_printf(c->arena, "%.*s sends the INVITE on without a Record-Route of its own, and %s",
                     SLICE_ARG(node), bye ? "the BYE goes round it" : "no BYE is seen there"));
    cause->remedy =
        arena_printf(c->arena, "Call record_route() for the INVITE on %.*s.", SLICE_ARG(node));
    cause->explains = !bye || c->call->verdict != CHECK_FAIL;
    cause_see(c, cause, c->invite, step);
    if (bye)
        cause_see_first(c, cause, bye);
}

/* Certain where the BYE was seen elsewhere: that the node asked for no later request is in the
 * INVITE. */
static void of_bypass(struct cause_work *c)
{
    const struct hop_journey *bye = c->bye ? c->bye : c->far_bye;
    if (!c->invite || !c->ok || c->proxy_bye)
        return;
    for (size_t step = 1; step < c->invite->step_count; step++) {
        uint32_t node = c->invite->steps[step].sighting->src_node;
        bool round = bye && (passes_by(c, bye, step) || leaves_past(c, bye, step)) &&
                     !is_seen_on(c, bye, node);
        if ((bye ? !round : c->refer || is_livekit_captured(c)) || !is_unrecorded(c, step))
            continue;
        add_bypass(c, step, bye);
        return;
    }
}

/* ---- beyond what was captured ---------------------------------------------------------------- */

/* The last sighting is not its receiver's own. */
static bool goes_on(const struct cause_work *c, const struct hop_journey *j)
{
    const struct hop_sighting *s = j->steps[j->step_count - 1].sighting;
    return s->side != SOURCE_IN || s->dst_node == HOP_NODE_NONE ||
           hop_node_forwards(c->nodes, s->dst_node);
}

static bool all_arrived(const struct check_request *r)
{
    size_t expected = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        expected += r->headers[i].expected;
        if (r->headers[i].expected && r->headers[i].verdict != CHECK_OK)
            return false;
    }
    return expected > 0;
}

/* All is well as far as was captured; what is lost, if anything, is lost behind. */
static void of_carrier(struct cause_work *c)
{
    for (size_t i = c->call->request_count; c->call->verdict == CHECK_PASS && i-- > 0;) {
        const struct hop_journey *j = c->w->judged_journeys[i];
        const struct check_request *r = &c->call->requests[i];
        if (!cause_by_livekit(j) || j->status || !all_arrived(r) || !goes_on(c, j))
            continue;
        struct slice at = hop_sighting_at(c->arena, c->nodes, j->steps[j->step_count - 1].sighting);
        struct cause *cause = cause_add(
            c, CAUSE_CARRIER, CHECK_POSSIBLE,
            arena_printf(c->arena,
                         "all that is owed on %.*s is there at %.*s, the last sighting; if the "
                         "receiver has it not, it is lost further on",
                         SLICE_ARG(check_message_name(c->arena, r)), SLICE_ARG(at)));
        cause->explains = false;
        cause_see(c, cause, j, j->step_count - 1);
        return;
    }
}

void cause_of_fate(struct cause_work *c)
{
    const struct hop_call *call = c->w->call;
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (j->step_count == 0)
            continue;
        if (cause_by_livekit(j))
            of_newline(c, j);
        of_dropped(c, j);
    }
    of_bypass(c);
    of_carrier(c);
}

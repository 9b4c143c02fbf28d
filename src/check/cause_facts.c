/* What the causes of a call rest on: its messages by their parts, the marks of LiveKit's version.
 */
#include "check/cause.h"

/* ---- questions ------------------------------------------------------------------------------- */

bool cause_by_livekit(const struct hop_journey *j)
{
    return j->livekit_known && j->livekit_sent && !j->made_by_proxy;
}

bool cause_as_sent(const struct hop_journey *j)
{
    return j && j->from_sender && j->step_count && j->steps[0].sighting->message->headers_complete;
}

bool cause_has(const struct hop_sighting *s, struct slice name)
{
    uint32_t at = 0;
    return sip_header_next(s->message, 0, name, &at) != NULL;
}

bool cause_has_words(struct slice s, struct slice words)
{
    for (size_t i = 0; i + words.n <= s.n; i++)
        if (slice_equal_nocase(slice_first(slice_from(s, i), words.n), words))
            return true;
    return false;
}

bool cause_is_mapped(const struct expect_trunk *t, struct slice name)
{
    return cause_attribute(t, name).n > 0;
}

struct slice cause_attribute(const struct expect_trunk *t, struct slice header)
{
    for (size_t i = 0; t && i < t->attributes_to_headers.n; i++)
        if (sip_name_equal(t->attributes_to_headers.pairs[i].value, header))
            return t->attributes_to_headers.pairs[i].key;
    return SLICE_NONE;
}

bool cause_is_read(const struct expect_trunk *t, struct slice name)
{
    for (size_t i = 0; i < t->headers_to_attributes.n; i++)
        if (sip_name_equal(t->headers_to_attributes.pairs[i].key, name))
            return true;
    return false;
}

bool cause_is_fixed(const struct expect_trunk *t, struct slice name)
{
    for (size_t i = 0; i < t->headers.n; i++)
        if (sip_name_equal(t->headers.pairs[i].key, name))
            return true;
    return false;
}

/* What `headers` sets as well proves nothing of attributes_to_headers. */
size_t cause_mapped_on(const struct cause_work *c, const struct hop_journey *j)
{
    const struct expect_trunk *t = c->w->trunk;
    size_t n = 0;
    for (size_t i = 0; j && t && i < t->attributes_to_headers.n; i++) {
        struct slice name = t->attributes_to_headers.pairs[i].value;
        n += !cause_is_fixed(t, name) && cause_has(j->steps[0].sighting, name);
    }
    return n;
}

bool cause_at_node(const struct cause_work *c, const struct hop_sighting *s, uint32_t node,
                   enum source_direction side)
{
    return node != HOP_NODE_NONE && s->side == side &&
           hop_node_of_point(c->nodes, s->index->point) == node;
}

/* Clocks differ from host to host: only one point's own tells what was first. */
bool cause_apart(const struct hop_journey *from, const struct hop_journey *to, int64_t *ns)
{
    for (size_t i = 0; i < from->step_count; i++)
        for (size_t k = 0; k < to->step_count; k++) {
            const struct call_sighting *x = from->steps[i].sighting->index,
                                       *y = to->steps[k].sighting->index;
            if (x->point != y->point)
                continue;
            *ns = y->time_ns - x->time_ns;
            return true;
        }
    return false;
}

/* ---- gathering ------------------------------------------------------------------------------- */

static void note_first(const struct hop_journey **place, const struct hop_journey *j)
{
    if (!*place)
        *place = j;
}

static bool answers_invite(const struct cause_work *c, const struct hop_journey *j)
{
    return c->invite && j->downstream == c->invite->downstream;
}

static void gather(struct cause_work *c, const struct hop_journey *j)
{
    if (j->step_count == 0)
        return;
    if (j->method == SIP_INVITE && j->status >= 200 && j->status < 300 && answers_invite(c, j))
        note_first(&c->ok, j);
    if (j->status)
        return;
    if (j->method == SIP_REFER && cause_by_livekit(j))
        note_first(&c->refer, j);
    c->transferred |=
        j->method == SIP_REFER && !(j->livekit_known && !j->livekit_sent && !j->made_by_proxy);
    if (j->method != SIP_BYE)
        return;
    if (j->made_by_proxy)
        note_first(&c->proxy_bye, j);
    else if (cause_by_livekit(j))
        note_first(&c->bye, j);
    else if (j->livekit_known)
        note_first(&c->far_bye, j);
}

/* LiveKit's own 100: a proxy's goes to the caller as well, from another address. */
static void find_mark(struct cause_work *c, const struct call_leg *leg)
{
    const struct call_table *t = c->w->call->table;
    for (uint32_t id = leg->first; id != CALL_NONE; id = call_sighting_of(t, id)->next) {
        const struct call_sighting *s = call_sighting_of(t, id);
        if (s->status != 100 || s->method != SIP_INVITE || s->headers_cut)
            continue;
        if (!hop_node_is_livekit(c->nodes, hop_node_at(c->nodes, &call_flow_of(t, s->flow)->src)))
            continue;
        c->mark = s->to_tag ? CAUSE_MARK_TAGGED : CAUSE_MARK_UNTAGGED;
        c->mark_seen =
            (struct check_evidence){slice_of(hop_point_name(c->nodes, s->point)), s->frame};
        return;
    }
}

static bool acks_bye(const struct cause_work *c, const struct call_leg *leg)
{
    const struct call_table *t = c->w->call->table;
    for (uint32_t id = leg->first; id != CALL_NONE; id = call_sighting_of(t, id)->next) {
        const struct call_sighting *s = call_sighting_of(t, id);
        if (!s->status && s->method == SIP_ACK && s->cseq == c->bye->cseq &&
            hop_node_is_livekit(c->nodes, hop_node_at(c->nodes, &call_flow_of(t, s->flow)->src)))
            return true;
    }
    return false;
}

/* That it did not is known only where the 200 was seen to reach LiveKit's own host. */
static void find_ack(struct cause_work *c)
{
    const struct hop_sighting *answer = c->bye ? c->bye->answer_sighting : NULL;
    if (!answer || answer->message->status != 200 || !answer->leg ||
        c->bye->steps[0].sighting->leg != answer->leg)
        return;
    if (acks_bye(c, answer->leg))
        c->ack = CAUSE_ACK_SENT;
    else if (answer->side == SOURCE_IN && hop_node_is_livekit(c->nodes, answer->dst_node))
        c->ack = CAUSE_ACK_NOT_SENT;
}

static struct slice canary_of(const struct expect_trunk *t)
{
    for (size_t i = 0; t && i < t->attributes_to_headers.n; i++)
        if (slice_is(t->attributes_to_headers.pairs[i].key, "sip.callID"))
            return t->attributes_to_headers.pairs[i].value;
    return SLICE_NONE;
}

void cause_facts(struct cause_work *c)
{
    const struct hop_call *call = c->w->call;
    c->inbound = call->direction != HOP_OUTBOUND;
    c->canary = canary_of(c->w->trunk);
    /* clocks that differ put answers before what they answer */
    for (size_t i = 0; i < call->journey_count; i++)
        if (call->journeys[i].step_count && check_is_initial_invite(&call->journeys[i]))
            note_first(&c->invite, &call->journeys[i]);
    for (size_t i = 0; i < call->journey_count; i++)
        gather(c, &call->journeys[i]);
    for (size_t i = 0; i < call->leg_count && c->mark == CAUSE_MARK_NONE; i++)
        find_mark(c, call_leg_of(call->table, call->legs[i]));
    find_ack(c);
}

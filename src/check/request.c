/* Which messages are judged, and what is owed on each. */
#include "check/internal.h"

#include <stdlib.h>

/* ---- which message is this ------------------------------------------------------------------ */

static bool has_to_tag(const struct hop_journey *j)
{
    const struct sip_header *to = sip_header_first(j->steps[0].sighting->message, SIP_HEADER_TO);
    struct slice tag;
    return to && sip_param(to->value, SLICE("tag"), &tag);
}

bool check_is_initial_invite(const struct hop_journey *j)
{
    return !j->status && j->method == SIP_INVITE && !has_to_tag(j);
}

/* Did a request pass where the response begins?  Over a B2BUA each leg counts its own CSeq. */
static bool is_answered_by(const struct hop_journey *request, const struct hop_sighting *response)
{
    for (size_t i = 0; i < request->step_count; i++)
        if (request->steps[i].sighting->leg == response->leg &&
            request->steps[i].sighting->cseq == response->cseq)
            return true;
    return false;
}

/* A 200 to a re-INVITE carries nothing: only the INVITE that began the dialog counts. */
bool check_answers_initial(const struct check_work *w, const struct hop_journey *response)
{
    for (size_t i = 0; i < w->call->journey_count; i++) {
        const struct hop_journey *j = &w->call->journeys[i];
        if (!j->status && j->method == SIP_INVITE && j->downstream == response->downstream &&
            is_answered_by(j, response->steps[0].sighting))
            return !has_to_tag(j);
    }
    return true;
}

static bool message_of(const struct check_work *w, const struct hop_journey *j,
                       enum expect_message *out)
{
    if (j->status) {
        *out = EXPECT_INVITE_200;
        return j->method == SIP_INVITE && j->status >= 200 && j->status < 300 &&
               check_answers_initial(w, j);
    }
    switch (j->method) {
    case SIP_INVITE:
        *out = EXPECT_INVITE;
        return check_is_initial_invite(j);
    case SIP_BYE:
        *out = EXPECT_BYE;
        return true;
    case SIP_REFER:
        *out = EXPECT_REFER;
        return true;
    default:
        return false;
    }
}

/* Built anew by each element, so that nothing has to survive (RFC 3261 9.1, 16.7, 17.1.1.3). */
bool check_is_hop_by_hop(const struct check_work *w, const struct hop_journey *j)
{
    if (j->method == SIP_CANCEL || j->status == 100)
        return true;
    if (j->method != SIP_ACK || j->status)
        return false;
    for (size_t i = 0; i < w->call->journey_count; i++) {
        const struct hop_journey *r = &w->call->journeys[i];
        if (r->method == SIP_INVITE && r->cseq == j->cseq && r->status >= 300)
            return true;
    }
    return false;
}

/* With a trunk, what its maps act on and what tells of LiveKit and of answers; without one, all
 * that has to survive. */
bool check_wants(const void *options, enum sip_method method, uint16_t status)
{
    const struct check_options *o = options;
    if (o->everything)
        return true;
    if (status == 100 || method == SIP_CANCEL)
        return false;
    if (!o->trunks || o->trunks->n == 0)
        return true;
    return method == SIP_INVITE ||
           ((method == SIP_BYE || method == SIP_REFER) && (!status || status >= 200));
}

/* ---- the fields of the report --------------------------------------------------------------- */

static const uint32_t *frames_of(struct check_work *w, const struct call_sighting *s, size_t *n)
{
    const struct call_table *t = w->call->table;
    size_t count = 1;
    for (uint32_t id = s->more; id != CALL_NONE; id = call_frame_of(t, id)->next)
        count += call_frame_of(t, id)->kind != CALL_FRAME_TWIN;
    uint32_t *frames = ARENA_ARRAY(w->arena, uint32_t, count);
    *n = count;
    frames[0] = s->frame;
    for (uint32_t id = s->more, at = 1; id != CALL_NONE; id = call_frame_of(t, id)->next)
        if (call_frame_of(t, id)->kind != CALL_FRAME_TWIN)
            frames[at++] = call_frame_of(t, id)->number;
    return frames;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static struct check_sighting sighting_of(struct check_work *w, const struct hop_sighting *s)
{
    const struct hop_nodes *n = w->call->nodes;
    struct check_sighting out = {.at = hop_sighting_at(w->arena, n, s),
                                 .point = slice_of(hop_point_name(n, s->index->point)),
                                 .src = s->src,
                                 .dst = s->dst,
                                 .call_id = s->leg->call_id,
                                 .cseq = s->cseq,
                                 .transport =
                                     packet_transport_name((enum packet_transport)s->transport),
                                 .transmissions = s->index->transmissions,
                                 .time_ns = s->index->time_ns,
                                 .state = (enum sip_state)s->index->state};
    if (s->side != SOURCE_UNKNOWN) {
        out.side = s->side == SOURCE_OUT ? SLICE("out") : SLICE("in");
        out.node = hop_node_name(n, hop_node_of_point(n, s->index->point));
    }
    out.frames = frames_of(w, s->index, &out.frame_count);
    qsort((uint32_t *)(uintptr_t)out.frames, out.frame_count, sizeof *out.frames, by_number);
    return out;
}

void check_request_fill(struct check_work *w, const struct hop_journey *j, struct check_request *r)
{
    struct check_sighting *sightings = ARENA_ARRAY(w->arena, struct check_sighting, j->step_count);
    for (size_t i = 0; i < j->step_count; i++)
        sightings[i] = sighting_of(w, j->steps[i].sighting);
    *r = (struct check_request){.journey = j,
                                .method = j->method_name,
                                .cseq = j->cseq,
                                .status = j->status,
                                .sent_by_address = j->sender_address,
                                .sightings = sightings,
                                .sighting_count = j->step_count};
    if (j->sender != HOP_NODE_NONE)
        r->sent_by_node = hop_node_name(w->call->nodes, j->sender);
    else
        r->sent_by_node = j->sender_address;
    if (!j->status && j->answer_sighting) {
        r->answer_status = j->answer_sighting->index->status;
        r->answer_reason = j->answer_sighting->message->reason;
    }
}

/* ---- why ------------------------------------------------------------------------------------ */

static struct slice sender_words(struct check_work *w, const struct check_request *r)
{
    if (r->sent_by_node.n)
        return arena_printf(w->arena, "sent by %.*s", SLICE_ARG(r->sent_by_node));
    if (r->sent_by_address.n)
        return arena_printf(w->arena, "sent by %.*s", SLICE_ARG(r->sent_by_address));
    return slice_of("sent by the far end");
}

static void explain(struct check_work *w, const struct hop_journey *j, struct check_request *r,
                    const struct expect_owed *owed, size_t n)
{
    struct slice name = check_message_name(w->arena, r);
    r->applies = n > 0;
    if (n > 0)
        r->why = owed[0].by_livekit
                     ? arena_printf(w->arena, "sent by LiveKit: %s acts on it", owed[0].field)
                     : arena_printf(w->arena, "received by LiveKit: %s acts on it", owed[0].field);
    else if (j->made_by_proxy)
        r->why = arena_printf(
            w->arena, "%.*s, which made it itself with LiveKit's tag: no mapping acts on it",
            SLICE_ARG(sender_words(w, r)));
    else if (!j->livekit_known)
        r->why = slice_of("the captures do not tell whether LiveKit sent it");
    else if (j->livekit_sent)
        r->why = arena_printf(w->arena, "sent by LiveKit: the trunk maps nothing to %.*s",
                              SLICE_ARG(name));
    else
        r->why = arena_printf(w->arena, "%.*s, not by LiveKit: no mapping acts on it",
                              SLICE_ARG(sender_words(w, r)));
}

/* ---- headers -------------------------------------------------------------------------------- */

VEC_TYPE(headers, struct check_header);

static bool listed(const struct headers *list, struct slice name)
{
    for (size_t i = 0; i < list->n; i++)
        if (sip_name_equal(list->items[i].name, name))
            return true;
    return false;
}

static bool followed(const struct check_options *o, struct slice name)
{
    if (o->follow_count == 0)
        return (!o->trunks || o->trunks->n == 0) && slice_starts_nocase(name, SLICE("X-"));
    for (size_t i = 0; i < o->follow_count; i++)
        if (slice_glob_nocase(name, o->follow[i]))
            return true;
    return false;
}

static void add_owed(struct check_work *w, const struct hop_journey *j,
                     const struct expect_owed *owed, size_t n, struct headers *list)
{
    for (size_t i = 0; i < n; i++) {
        struct check_question q = {owed[i].header, &owed[i]};
        struct check_header h = check_header_judge(w, j, &q);
        if (h.expected && h.verdict != CHECK_UNKNOWN && (h.must || !w->promises))
            w->judged = true;
        w->unknown |= h.expected && h.verdict == CHECK_UNKNOWN;
        *vec_add(list) = h;
    }
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(((const struct check_header *)a)->name,
                         ((const struct check_header *)b)->name);
}

/* Headers that only asked-for patterns name: with a trunk their loss is information, without one it
 * is the check. */
static void add_followed(struct check_work *w, const struct hop_journey *j, struct headers *list)
{
    bool judges = !w->options->trunks || w->options->trunks->n == 0;
    size_t first = list->n;
    for (size_t i = 0; i < j->step_count; i++) {
        const struct sip_message *m = j->steps[i].sighting->message;
        for (uint32_t k = 0; k < m->header_count; k++) {
            if (!followed(w->options, m->headers[k].name) || listed(list, m->headers[k].name))
                continue;
            if (list->n - first == CHECK_FOLLOWED_MAX) {
                w->left_out++;
                w->unknown |= judges;
                continue;
            }
            struct check_question q = {m->headers[k].name, NULL};
            struct check_header h = check_header_judge(w, j, &q);
            h.expected &= judges;
            w->judged |= h.expected && h.verdict != CHECK_UNKNOWN;
            w->unknown |= h.expected && h.verdict == CHECK_UNKNOWN;
            *vec_add(list) = h;
        }
    }
    if (list->n > first)
        qsort(list->items + first, list->n - first, sizeof *list->items, by_name);
}

static void keep(struct check_work *w, struct check_request *r, struct headers *list)
{
    struct check_header *copy = ARENA_ARRAY(w->arena, struct check_header, list->n);
    for (size_t i = 0; i < list->n; i++)
        copy[i] = list->items[i];
    r->headers = copy;
    r->header_count = list->n;
    vec_free(list);
}

/* ---- the message as a whole ----------------------------------------------------------------- */

static void find_fate(struct check_work *w, const struct hop_journey *j,
                      const struct check_request *r)
{
    size_t last = j->step_count - 1;
    bool hidden = check_find_hidden(w, j);
    if (j->swallowed && !hidden) {
        struct slice node = hop_node_name(w->call->nodes, j->swallowed_by);
        check_find(w, FINDING_NOT_FORWARDED, r, SLICE_NONE, node,
                   arena_printf(w->arena, "%.*s was received by %.*s, not answered and not sent on",
                                SLICE_ARG(r->method), SLICE_ARG(node)),
                   j, j->step_count, last);
    } else if (!j->status && !r->answer_status && j->method != SIP_ACK) {
        check_find(
            w, FINDING_NOT_ANSWERED, r, SLICE_NONE, SLICE_NONE,
            arena_printf(w->arena, "no final answer to %.*s was captured", SLICE_ARG(r->method)), j,
            j->step_count, last);
    } else if (r->answer_status >= 300 && r->answer_status != 401 && r->answer_status != 407) {
        check_find(
            w, FINDING_REJECTED, r, SLICE_NONE, SLICE_NONE,
            arena_printf(w->arena, "%.*s was answered %u", SLICE_ARG(r->method), r->answer_status),
            j, j->step_count, last);
    }
}

static bool judge_without_trunk(struct check_work *w, const struct hop_journey *j,
                                struct check_request *r)
{
    struct headers list = {0};
    if (check_is_hop_by_hop(w, j))
        return false;
    add_followed(w, j, &list);
    if (list.n == 0)
        return false;
    check_request_fill(w, j, r);
    keep(w, r, &list);
    r->applies = true;
    r->why = slice_of("its headers must survive the path");
    return true;
}

static bool judge_with_trunk(struct check_work *w, const struct hop_journey *j,
                             struct check_request *r)
{
    struct headers list = {0};
    enum expect_message message;
    const struct expect_owed *owed = NULL;
    size_t n = 0;
    if (!w->trunk || !message_of(w, j, &message) || !expect_speaks_of(w->trunk, message))
        return false;
    check_request_fill(w, j, r);
    if (j->livekit_known && !j->made_by_proxy)
        n = expect_owed(w->arena, w->trunk, message, j->livekit_sent, w->options->values, &owed);
    explain(w, j, r, owed, n);
    add_owed(w, j, owed, n, &list);
    if (w->options->follow_count)
        add_followed(w, j, &list);
    keep(w, r, &list);
    return true;
}

/* With rules and without trunks the rules say what is judged, unless headers are to be followed. */
static bool judge_promises(struct check_work *w, const struct hop_journey *j,
                           struct check_request *r)
{
    const struct check_options *o = w->options;
    if (o->trunks && o->trunks->n)
        return (w->call->is_call || !check_has_rules(o)) && judge_with_trunk(w, j, r);
    return (!check_has_rules(o) || o->follow_count) && judge_without_trunk(w, j, r);
}

static void find_headers(struct check_work *w, const struct hop_journey *j,
                         const struct check_request *r)
{
    bool trunks = w->options->trunks && w->options->trunks->n;
    for (size_t i = 0; i < r->header_count; i++) {
        const struct check_header *h = &r->headers[i];
        bool owed = trunks && r->applies;
        if (h->expected || (owed && h->verdict != CHECK_OK))
            check_find_header(w, r, j, h);
    }
}

static struct slice rules_words(struct arena *a, const struct check_request *r)
{
    struct text t = {0};
    text_printf(&t, "judged by rule%s ", r->rule_count == 1 ? "" : "s");
    for (size_t i = 0; i < r->rule_count; i++) {
        text_add(&t, i ? SLICE(", ") : SLICE(""));
        text_add(&t, r->rules[i].rule->id);
    }
    return text_keep(&t, a);
}

static bool has_error_rule(const struct check_request *r)
{
    for (size_t i = 0; i < r->rule_count; i++)
        if (r->rules[i].rule->severity == EXPECT_ERROR)
            return true;
    return false;
}

bool check_request_judge(struct check_work *w, const struct hop_journey *j, struct check_request *r)
{
    if (j->step_count == 0)
        return false;
    bool promised = judge_promises(w, j, r);
    if (promised)
        find_headers(w, j, r);
    bool ruled = check_rules_judge(w, j, r, promised);
    if (!promised && !ruled)
        return false;
    if (promised && !r->applies)
        check_find(w, FINDING_NOT_OWED, r, SLICE_NONE, r->sent_by_node, r->why, j, j->step_count,
                   0);
    if (ruled && !r->applies)
        r->why = rules_words(w->arena, r);
    bool fate = r->applies || (ruled && has_error_rule(r));
    r->applies |= ruled;
    if (fate)
        find_fate(w, j, r);
    return true;
}

void check_follow(struct arena *a, const struct hop_call *call, const struct hop_journey *j,
                  const struct slice *names, size_t n, struct check_request *out)
{
    const struct check_options options = {0};
    struct check_work w = {.arena = a, .options = &options, .call = call};
    struct check_header *headers = ARENA_ARRAY(a, struct check_header, n);
    check_request_fill(&w, j, out);
    for (size_t i = 0; i < n; i++) {
        const struct check_question q = {names[i], NULL};
        headers[i] = check_header_judge(&w, j, &q);
    }
    out->headers = headers;
    out->header_count = n;
}

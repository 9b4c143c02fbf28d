/* A call judged as a whole: its trunk, its requests, its verdict. */
#include "check/internal.h"

#include <assert.h>

/* ---- parties and trunk ---------------------------------------------------------------------- */

static bool address_in(struct arena *a, const struct hop_sighting *s, enum sip_header_id id,
                       struct sip_address *out)
{
    const struct sip_header *h = sip_header_first(s->message, id);
    return h && sip_address_parse(a, sip_unfold(a, h), out);
}

static const struct hop_journey *initial_invite(const struct hop_call *call)
{
    for (size_t i = 0; i < call->journey_count; i++)
        if (check_is_initial_invite(&call->journeys[i]))
            return &call->journeys[i];
    return NULL;
}

/* The INVITE where it is nearest LiveKit: the last sighting of an inbound call, the first of an
 * outbound one. */
static void invite_facts(struct arena *a, const struct hop_call *call, const struct hop_journey *j,
                         struct expect_invite *out)
{
    bool inbound = call->direction != HOP_OUTBOUND;
    const struct hop_sighting *s = j->steps[inbound ? j->step_count - 1 : 0].sighting;
    struct sip_address from = {0}, to = {0}, uri = {0};
    if (address_in(a, s, SIP_HEADER_FROM, &from)) {
        out->from_user = from.user;
        out->from_host = from.host;
    }
    if (address_in(a, s, SIP_HEADER_TO, &to))
        out->to_user = to.user;
    if (sip_uri_parse(a, s->message->uri, &uri))
        out->uri_host = uri.host;
    if (inbound &&
        (hop_node_is_livekit(call->nodes, s->dst_node) || !hop_nodes_know_livekit(call->nodes)))
        out->source = s->src.ip;
    if (!inbound && j->from_sender)
        out->destination = s->dst.ip;
}

/* The INVITE was not captured: a later message names the two parties as well, in the order of its
 * sender. */
static void dialog_facts(struct arena *a, const struct hop_call *call, bool outbound,
                         struct expect_invite *out)
{
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        assert(j);
        struct sip_address from = {0}, to = {0};
        if (!j->livekit_known || j->step_count == 0)
            continue;
        if (!address_in(a, j->steps[0].sighting, SIP_HEADER_FROM, &from) ||
            !address_in(a, j->steps[0].sighting, SIP_HEADER_TO, &to))
            continue;
        bool from_livekit = j->made_by_proxy || j->livekit_sent == (j->status == 0);
        out->from_user = from_livekit == outbound ? from.user : to.user;
        out->to_user = from_livekit == outbound ? to.user : from.user;
        return;
    }
}

/* As an inbound or an outbound trunk: where the INVITE was not captured, that tells whose number is
 * whose. */
static struct expect_match match_as(struct check_work *w, const struct hop_journey *j,
                                    enum expect_direction direction)
{
    struct expect_invite invite = {0};
    if (j)
        invite_facts(w->arena, w->call, j, &invite);
    else
        dialog_facts(w->arena, w->call, direction == EXPECT_OUTBOUND, &invite);
    return expect_match_trunk(w->arena, w->options->trunks, direction, &invite);
}

static struct expect_match match_trunk(struct check_work *w, const struct hop_journey *j)
{
    if (w->call->direction == HOP_OUTBOUND)
        return match_as(w, j, EXPECT_OUTBOUND);
    struct expect_match in = match_as(w, j, EXPECT_INBOUND);
    if (w->call->direction == HOP_INBOUND || in.result == EXPECT_MATCHED)
        return in;
    struct expect_match out = match_as(w, j, EXPECT_OUTBOUND);
    return in.result == EXPECT_NO_TRUNKS || out.result == EXPECT_MATCHED ? out : in;
}

static void pick_trunk(struct check_work *w, struct check_call *out)
{
    const struct hop_journey *j = initial_invite(w->call);
    if (!w->options->trunks || w->options->trunks->n == 0)
        return;
    struct expect_match m = w->match = match_trunk(w, j);
    if (w->options->forced) {
        out->trunk = w->trunk = w->options->forced;
        out->trunk_why = slice_of("named by --trunk-id");
        return;
    }
    out->trunk = w->trunk = m.result == EXPECT_MATCHED ? m.trunk : NULL;
    out->trunk_why =
        m.result == EXPECT_NO_TRUNKS
            ? arena_printf(w->arena, "the call is %s, and no such trunk was given", out->direction)
            : arena_join_list(w->arena, m.reasons, m.reason_count, SLICE("; "));
    if (m.result == EXPECT_NO_MATCH || m.result == EXPECT_NO_TRUNKS)
        check_find(w, FINDING_NO_TRUNK, NULL, SLICE_NONE, SLICE_NONE,
                   arena_printf(w->arena, "no trunk given matches this call: %.*s",
                                SLICE_ARG(out->trunk_why)),
                   j, 0, SIZE_MAX);
    else if (m.result == EXPECT_AMBIGUOUS)
        check_find(w, FINDING_AMBIGUOUS_TRUNK, NULL, SLICE_NONE, SLICE_NONE,
                   arena_printf(w->arena,
                                "several trunks match, and LiveKit would refuse the call: %.*s",
                                SLICE_ARG(out->trunk_why)),
                   j, 0, SIZE_MAX);
}

/* ---- the report's fields -------------------------------------------------------------------- */

static void describe(struct check_work *w, struct check_call *out)
{
    static const char *const directions[] = {"unknown", "inbound", "outbound"};
    const struct hop_call *call = w->call;
    struct slice *ids = ARENA_ARRAY(w->arena, struct slice, call->leg_count);
    const struct call_leg *head = call_leg_of(call->table, call->legs[0]);
    *out = (struct check_call){.hops = call,
                               .call_ids = ids,
                               .call_id_count = call->leg_count,
                               .start_ns = head->start_ns,
                               .direction = directions[call->direction],
                               .caller = head->caller,
                               .callee = head->callee,
                               .joined = call->joined};
    for (size_t i = 0; i < call->leg_count; i++) {
        const struct call_leg *leg = call_leg_of(call->table, call->legs[i]);
        ids[i] = leg->call_id;
        if (leg->start_ns < out->start_ns)
            out->start_ns = leg->start_ns;
    }
}

static void judge_requests(struct check_work *w, struct check_call *out)
{
    struct check_request *requests =
        ARENA_ARRAY(w->arena, struct check_request, w->call->journey_count);
    w->judged_journeys = ARENA_ARRAY(w->arena, const struct hop_journey *, w->call->journey_count);
    for (size_t i = 0; i < w->call->journey_count; i++)
        if (check_request_judge(w, &w->call->journeys[i], &requests[out->request_count]))
            w->judged_journeys[out->request_count++] = &w->call->journeys[i];
    out->requests = requests;
}

/* The findings so far, and the verdict by them. */
static void conclude(struct check_work *w, struct check_call *out)
{
    struct check_finding *findings = ARENA_ARRAY(w->arena, struct check_finding, w->findings.n);
    for (size_t i = 0; i < w->findings.n; i++)
        findings[i] = w->findings.items[i];
    out->findings = findings;
    out->finding_count = w->findings.n;
    out->verdict = w->failed                  ? CHECK_FAIL
                   : w->judged && !w->unknown ? CHECK_PASS
                                              : CHECK_INCONCLUSIVE;
}

static void note_baseline(struct check_work *w)
{
    for (size_t i = 0; w->options->baseline && i < w->findings.n; i++)
        w->findings.items[i].known =
            check_baseline_note(w->options->baseline, w->trunk, &w->findings.items[i]);
}

/* Trunks and followed headers.  With trunks only calls are judged by them. */
static void judge_promises(struct check_work *w, struct check_call *out)
{
    if (w->call->is_call)
        pick_trunk(w, out);
    w->promises = w->trunk && (w->trunk->attributes_to_headers.n || w->trunk->headers.n);
    judge_requests(w, out);
}

bool check_call(struct arena *a, const struct check_options *o, struct check_summary *s,
                const struct hop_call *call, struct check_call *out)
{
    struct check_work w = {.arena = a, .options = o, .call = call, .summary = s};
    bool trunks = o->trunks && o->trunks->n, ruled = check_has_rules(o);
    if (trunks && !call->is_call && !o->packs && !ruled)
        return false;
    s->judging++;
    describe(&w, out);
    w.caller = out->caller;
    w.callee = out->callee;
    if (!trunks || call->is_call || ruled)
        judge_promises(&w, out);
    conclude(&w, out);
    check_find_causes(&w, out);
    bool held = out->verdict == CHECK_PASS;
    if (check_packs_run(&w) && !trunks)
        w.judged = true;
    note_baseline(&w);
    conclude(&w, out);
    if (held && w.failed)
        out->cause_count = 0; /* what a pack finds has a remedy of its own */
    vec_free(&w.findings);
    s->headers_left_out += w.left_out;
    if (!call->is_call && out->request_count == 0 && out->finding_count == 0)
        return false;
    check_summary_count(s, o, out);
    return true;
}

/* What a call makes of the messages that come to it. */
#include "probe/internal.h"

/* ---- responses
 * ---------------------------------------------------------------------------------------- */

static void note_answer(struct engine *e, struct transaction *t, uint16_t status)
{
    struct call *call = t->call;
    if (t->label.step == PROBE_NONE)
        return;
    uint32_t step = step_answering(call, t->label.step, status);
    if (step != PROBE_NONE && !call->outcomes[step].arrived) {
        call->outcomes[step].arrived = true;
        call->outcomes[step].received = e->heard;
    }
    if (status >= 200)
        call->outcomes[t->label.step].answer = e->heard;
}

/* Sends the request once more where that can be.  A proxy and the far end may both want credentials
 * (RFC 3261 22.3). */
static void answer_challenge(struct engine *e, struct transaction *t, const struct sip_message *m)
{
    struct slice why;
    if (m->status != 401 && m->status != 407)
        return;
    bool proxy = m->status == 407;
    bool again = t->challenged[proxy].n > 0 && t->challenges >= PROBE_CHALLENGES_MAX;
    struct slice line = digest_answer(&t->arena, &e->chance, &e->options->credentials, m, t->method,
                                      t->draft.uri, t->challenged[proxy].n > 0, &why);
    if (!line.n || again) {
        t->detail = line.n ? SLICE("the credentials were refused") : why;
        return;
    }
    t->challenged[proxy] = line;
    t->challenges++;
    if (t->label.step != PROBE_NONE)
        t->call->outcomes[t->label.step].challenges++;
    request_again(t, t->draft.uri, &t->path);
}

/* Of the Contacts of a redirect the URI that is wanted most, without the headers that it may carry;
 * empty: none is a SIP URI (RFC 3261 8.1.3.4). */
static struct slice redirect_target(struct arena *a, const struct sip_message *m)
{
    struct slice best = SLICE("");
    struct slice most = SLICE("");
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct slice rest = SLICE(""), element;
        if (m->headers[i].id == SIP_HEADER_CONTACT)
            rest = sip_unfold(a, &m->headers[i]);
        while (sip_list_next(&rest, &element)) {
            struct slice uri = uri_of(element), q = SLICE("1");
            struct hop hop;
            uri = slice_first(uri, slice_find(uri, '?'));
            (void)sip_param(element, SLICE("q"), &q);
            if (uri_hop(a, uri, &hop) && (!best.n || slice_compare(q, most) > 0)) {
                best = uri;
                most = q;
            }
        }
    }
    return best;
}

/* A request that went where its URI says goes to the new one's place; one that went by another
 * (--via, --route) goes there again. */
static bool redirect_path(struct engine *e, struct transaction *t, struct slice uri,
                          struct path *path, struct slice *why)
{
    struct hop old, new;
    struct path direct;
    *path = t->path;
    if (t->draft.route_count || !uri_hop(&t->arena, t->draft.uri, &old) ||
        !engine_path(e, t->end, &old, &direct, why) ||
        !endpoint_equal(&direct.remote, &t->path.remote))
        return true;
    return uri_hop(&t->arena, uri, &new) && engine_path(e, t->end, &new, path, why);
}

/* Why the redirect is not followed; empty: it is, and the request is on its way. */
static struct slice follow(struct engine *e, struct transaction *t, struct slice uri)
{
    struct slice why = SLICE("");
    struct path path;
    if (slice_equal(uri, t->draft.uri))
        return SLICE("itself");
    if (t->redirects == PROBE_REDIRECTS_MAX)
        return arena_printf(&t->arena, "%.*s, after %u redirects", SLICE_ARG(uri), t->redirects);
    if (!redirect_path(e, t, uri, &path, &why))
        return ARENA_JOIN(&t->arena, uri, SLICE(": "), why);
    t->redirects++;
    t->detail = arena_printf(&t->arena, "%u sent it on to %.*s", t->status, SLICE_ARG(uri));
    t->challenged[0] = t->challenged[1] = SLICE(""); /* they were for the other URI */
    request_again(t, uri, &path);
    return SLICE("");
}

/* The first INVITE goes on to where 300, 301 or 302 point (RFC 3261 8.1.3.4); else it is told where
 * a redirect points. */
static void redirected(struct engine *e, struct transaction *t, const struct sip_message *m)
{
    struct slice where = message_header(&t->arena, m, SIP_HEADER_CONTACT);
    if (t->invite && m->status <= 302 && !t->call->sides[t->end].dialog.confirmed) {
        struct slice uri = redirect_target(&t->arena, m);
        if (uri.n)
            where = follow(e, t, uri);
    }
    if (where.n)
        t->detail = ARENA_JOIN(&t->arena, SLICE("it points to "), where);
}

/* The step that sends the ACK to this INVITE; PROBE_NONE: it goes out by itself. */
static uint32_t ack_step(const struct call *call, const struct transaction *invite)
{
    if (invite->label.step == PROBE_NONE || call->phase != CALL_STEPS)
        return PROBE_NONE;
    for (uint32_t i = invite->label.step + 1; i < call->plan->step_count; i++) {
        const struct probe_step *s = &call->plan->steps[i];
        if (s->status || s->from != invite->end)
            continue;
        return slice_is(s->method, "ACK") ? i : PROBE_NONE;
    }
    return PROBE_NONE;
}

static void invite_accepted(struct engine *e, struct transaction *t, const struct sip_message *m,
                            bool first)
{
    struct call *call = t->call;
    struct dialog *d = call ? &call->sides[t->end].dialog : NULL;
    if (!call || t->abandoned) {
        request_end_extra(t, m);
        return;
    }
    if (d->confirmed && !slice_equal(message_tag(&e->scratch, m, SIP_HEADER_TO), d->remote_tag)) {
        request_end_extra(t, m);
        return;
    }
    if (!first) {
        if (d->ack.n)
            request_ack_again(e, call, t->end);
        return;
    }
    dialog_learn(&call->arena, d, m, !d->confirmed);
    d->confirmed = true;
    d->ack = SLICE("");
    if (ack_step(call, t) == PROBE_NONE)
        request_ack(t, PROBE_NONE);
}

/* Who refuses: a Server header is of the node that answers; those that only pass it on add none. */
static void note_refusal(struct transaction *t, const struct sip_message *m)
{
    enum { COLUMNS = 60 };
    struct slice server = message_header(&t->arena, m, SIP_HEADER_SERVER);
    struct text all = {0};
    if (!server.n)
        return;
    text_add(&all, t->detail);
    text_add(&all, t->detail.n ? SLICE("; its Server is ") : SLICE("its Server is "));
    text_add_fitted(&all, server, COLUMNS);
    t->detail = text_keep(&all, &t->arena);
}

void call_heard(struct engine *e, struct transaction *t, const struct sip_message *m, bool first)
{
    if (t->call)
        note_answer(e, t, m->status);
    if (t->invite && m->status >= 200 && m->status < 300)
        invite_accepted(e, t, m, first);
    else if (t->call && first && m->status >= 300 && !t->abandoned && t->call->phase != CALL_OVER) {
        if (m->status < 400) {
            redirected(e, t, m);
        } else {
            answer_challenge(e, t, m);
            note_refusal(t, m);
        }
    }
}

/* ---- requests
 * ------------------------------------------------------------------------------------------ */

/* The first step of the other end with this method that has not arrived yet.  What an end of ours
 * has not sent for a step is of none: the BYE that ends a call is not the one of the plan. */
static uint32_t arrival(const struct engine *e, const struct call *call, enum probe_end end,
                        struct slice method)
{
    for (uint32_t i = 0; i < call->plan->step_count; i++) {
        const struct probe_step *s = &call->plan->steps[i];
        if (s->from != end && !s->status && slice_equal(s->method, method) &&
            call->came_by[i] == PROBE_NONE && (!e->play[s->from] || call->sent_by[i] != PROBE_NONE))
            return i;
    }
    return PROBE_NONE;
}

/* Is it the request as sent before, which was challenged on its way and comes again? */
static uint32_t arrived_again(const struct engine *e, const struct call *call, enum probe_end end,
                              struct slice method)
{
    for (uint32_t i = 0; i < call->plan->step_count; i++) {
        const struct probe_step *s = &call->plan->steps[i];
        const struct transaction *t = transaction_by_id((struct engine *)e, call->sent_by[i]);
        if (s->from != end && !s->status && slice_equal(s->method, method) && t && t->challenges &&
            t->status < 200)
            return i;
    }
    return PROBE_NONE;
}

static void begin_dialog(struct engine *e, struct call *call, struct transaction *t,
                         const struct sip_message *m)
{
    struct side *side = &call->sides[t->end];
    struct dialog *d = &side->dialog;
    const struct probe_party *party = &e->plan->parties[t->end];
    struct slice tag =
        ARENA_JOIN(&call->arena, party->tag_prefix, chance_letters(&e->chance, &call->arena, 12));
    side->invite = t->id;
    dialog_learn(&call->arena, d, m, true);
    d->local_tag = tag;
    d->local = ARENA_JOIN(&call->arena, message_header(&call->arena, m, SIP_HEADER_TO),
                          SLICE(";tag="), tag);
    d->call_id = arena_copy(&call->arena, m->call_id);
    d->remote_cseq = m->cseq;
    d->remote_cseq_known = true;
    side->contact = compose_contact(
        &call->arena, party->contact_user.n ? party->contact_user : SLICE("sipxray"), &t->path);
}

static uint16_t usual_status(const struct call *call, const struct transaction *t)
{
    if (t->invite && call->phase != CALL_STEPS)
        return 480;
    return slice_is(t->method, "REFER") ? 202 : 200;
}

void call_request_came(struct engine *e, struct call *call, struct transaction *t,
                       const struct sip_message *m)
{
    struct side *side = &call->sides[t->end];
    call_turn(e, call, probe_other_end(t->end), t->method);
    uint32_t step = arrival(e, call, t->end, t->method);
    if (step == PROBE_NONE)
        step = arrived_again(e, call, t->end, t->method);
    t->label.step = step;
    receive_log(e, &(struct incoming){.end = t->end, .path = t->path, .m = m}, &t->label, false);
    if (side->invite == PROBE_NONE)
        begin_dialog(e, call, t, m);
    else if (t->invite)
        dialog_learn(&call->arena, &side->dialog, m, false);
    if (slice_is(t->method, "BYE"))
        side->dialog.over = true;
    if (step != PROBE_NONE) {
        call->came_by[step] = t->id;
        if (!call->outcomes[step].arrived) {
            call->outcomes[step].arrived = true;
            call->outcomes[step].received = e->heard;
        }
        if (call->phase == CALL_STEPS && step_answering(call, step, 0) != PROBE_NONE)
            return; /* a step answers it */
    }
    call_respond(e, call, t, usual_status(call, t), step);
}

void call_ack_came(struct engine *e, struct call *call, enum probe_end end)
{
    call->sides[end].dialog.ack_came = true;
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (!t->client && t->invite && t->call == call && t->end == end)
            t->again_ms = INT64_MAX;
    }
}

/* ---- our responses
 * --------------------------------------------------------------------------------------- */

void call_respond(struct engine *e, struct call *call, struct transaction *t, uint16_t status,
                  uint32_t step)
{
    struct sip_message m;
    struct side *side = &call->sides[t->end];
    const struct probe_step *s = step == PROBE_NONE ? NULL : &call->plan->steps[step];
    if (t->answered || !sip_scan_again(e->scanner, t->request, SIP_WHOLE, 0, &m))
        return;
    bool accepts = status >= 200 && status < 300;
    if (s && !s->status)
        s = NULL; /* the request's own step: the answer has none */
    struct reply r = {.status = status,
                      .reason = s ? s->reason : SLICE(""),
                      .to_tag = status > 100 ? side->dialog.local_tag : SLICE(""),
                      .contact =
                          t->invite && status > 100 && status < 300 ? side->contact : SLICE(""),
                      .agent = engine_agent(e, t->end),
                      .step = s};
    if (t->invite && accepts) {
        r.body = compose_sdp(&t->arena, &t->path.local, call->token);
        side->dialog.confirmed = true;
        side->dialog.ack_came = false;
    }
    transaction_respond(t, status, compose_response(&t->arena, &m, &t->path, &r), step);
}

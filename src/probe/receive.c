/* What comes from the wire: it is noted in the log, and goes to the transaction that it belongs to.
 */
#include "probe/internal.h"

#include <string.h>

/* ---- the log
 * -------------------------------------------------------------------------------------- */

static bool is_response(struct slice bytes)
{
    return slice_starts(bytes, SLICE("SIP/2.0 "));
}

static void note_sent(struct engine *e, const struct happened *what, uint32_t entry)
{
    struct call *call = call_by_number(e, what->label.call);
    if (!call || what->label.step == PROBE_NONE || what->label.again)
        return;
    const struct probe_step *s = &call->plan->steps[what->label.step];
    struct probe_outcome *o = &call->outcomes[what->label.step];
    if (s->from == what->end && (s->status != 0) == is_response(what->bytes)) {
        o->sent = entry;
        o->next_hop = what->path.remote;
        o->transport = what->path.transport;
    }
}

static void sent(struct engine *e, const struct happened *what)
{
    struct probe_entry entry = {.kind = PROBE_SENT,
                                .end = what->end,
                                .transport = what->path.transport,
                                .src = what->path.local,
                                .dst = what->path.remote,
                                .bytes = what->bytes,
                                .call = what->label.call,
                                .step = what->label.step,
                                .retransmission = what->label.again};
    note_sent(e, what, engine_log(e, &entry));
}

void receive_log(struct engine *e, const struct incoming *in, const struct label *label, bool stray)
{
    struct probe_entry entry = {.kind = PROBE_RECEIVED,
                                .end = in->end,
                                .transport = in->path.transport,
                                .src = in->path.remote,
                                .dst = in->path.local,
                                .bytes = in->m->bytes,
                                .call = label->call,
                                .step = label->step,
                                .retransmission = label->again,
                                .stray = stray};
    e->heard = engine_log(e, &entry);
}

static const struct label no_label = {PROBE_NONE, PROBE_NONE, PROBE_NONE, false};

static void noise(struct engine *e, const struct happened *what)
{
    struct probe_entry entry = {.kind = PROBE_NOISE,
                                .end = what->end,
                                .transport = what->path.transport,
                                .src = what->path.remote,
                                .dst = what->path.local,
                                .bytes = slice_first(what->bytes, PROBE_NOISE_KEPT),
                                .text = SLICE("no SIP message"),
                                .call = PROBE_NONE,
                                .step = PROBE_NONE};
    (void)engine_log(e, &entry);
}

/* ---- what went wrong
 * ------------------------------------------------------------------------------- */

static void failed(struct engine *e, const struct happened *what)
{
    struct transaction *t = transaction_by_id(e, what->label.transaction);
    struct call *call = call_by_number(e, what->label.call);
    struct slice text = what->detail.n ? what->detail
                        : what->error  ? slice_of(strerror(what->error))
                                       : SLICE("the connection was closed");
    engine_event(e, what->end, &what->path, what->label.call,
                 arena_printf(&e->scratch, "not sent to %s: %.*s",
                              endpoint_format(&what->path.remote).s, SLICE_ARG(text)));
    if (t)
        transaction_failed(t, what->fate, what->error, &what->peer, what->detail);
    if (!call || what->label.step == PROBE_NONE || (t && t->client))
        return;
    struct probe_outcome *o = &call->outcomes[what->label.step];
    o->fate = what->fate;
    o->error = what->error;
    o->next_hop = what->path.remote;
    o->transport = what->path.transport;
}

/* Does the ICMP error quote this transaction's request?  A quote may be too short to tell. */
static bool quotes(const struct happened *what, const struct transaction *t)
{
    struct slice q = what->bytes;
    if (!q.n || !memmem(q.p, q.n, "branch=", 7))
        return true;
    return memmem(q.p, q.n, t->branch.p, t->branch.n) != NULL;
}

static void icmp(struct engine *e, const struct happened *what)
{
    uint32_t call = PROBE_NONE;
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (!t->client || t->end != what->end || t->path.transport != PROBE_UDP || t->over ||
            !endpoint_equal(&t->path.remote, &what->path.remote) || !quotes(what, t))
            continue;
        call = t->label.call;
        transaction_failed(t, what->fate, what->error, &what->peer, SLICE(""));
    }
    const char *error = strerror(what->error);
    struct slice text =
        what->fate == PROBE_ICMP
            ? arena_printf(&e->scratch, "ICMP from %s: %s: %s", address_format(&what->peer.ip).s,
                           endpoint_format(&what->path.remote).s, error)
            : arena_printf(&e->scratch, "no route to %s: %s", endpoint_format(&what->path.remote).s,
                           error);
    engine_event(e, what->end, &what->path, call, text);
}

/* Of a connection: whoever waits for an answer over it may wait in vain, and surely where TLS
 * failed: the other side may do so after our first request, which comes with the end of the
 * handshake. */
static void told(struct engine *e, const struct happened *what)
{
    uint32_t call = PROBE_NONE;
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (!t->client || t->end != what->end || t->path.transport != what->path.transport ||
            t->status >= 200 || t->over || !endpoint_equal(&t->path.remote, &what->path.remote))
            continue;
        call = t->label.call;
        t->detail = arena_copy(&t->arena, what->detail);
        if (what->fate == PROBE_TLS_FAILED)
            transaction_failed(t, what->fate, 0, &what->path.remote, what->detail);
    }
    engine_event(e, what->end, &what->path, call, what->detail);
}

/* ---- responses
 * ------------------------------------------------------------------------------------- */

static void response(struct engine *e, const struct incoming *in)
{
    struct transaction *t = transaction_of_response(e, in->end, in->m, in->branch);
    if (!t || in->m->cseq != t->cseq) {
        e->run->log.counts.stray_responses++;
        receive_log(e, in, &no_label, true);
        return;
    }
    uint16_t status = in->m->status;
    bool first = status >= 200 ? t->status < 200 : !t->over;
    struct label label = t->label;
    if (t->call && label.step != PROBE_NONE) {
        uint32_t step = step_answering(t->call, label.step, status);
        label.step = step == PROBE_NONE ? label.step : step;
    }
    label.again = !first;
    receive_log(e, in, &label, false);
    if (t->invite && status >= 300 && !t->ack.n)
        t->ack = compose_hop(&t->arena, &t->draft, SLICE("ACK"),
                             message_header(&t->arena, in->m, SIP_HEADER_TO));
    if (t->machine)
        (void)machine_response_came(t->machine, status);
    if (t->status < 200)
        t->status = status;
    call_heard(e, t, in->m, first);
}

/* ---- requests
 * -------------------------------------------------------------------------------------- */

static void ack(struct engine *e, const struct incoming *in)
{
    struct transaction *t =
        transaction_of_request(e, in->end, SLICE("INVITE"), in->branch, in->sent_by);
    struct call *call = call_of_dialog(e, in);
    struct label label = no_label;
    if (t && (t->status >= 300 || !call)) {
        label.call = t->label.call;
        receive_log(e, in, &label, false);
        if (t->machine)
            machine_request_came(t->machine, true);
        return;
    }
    if (!call) {
        e->run->log.counts.stray_requests++;
        receive_log(e, in, &label, true);
        return;
    }
    label.call = call->number;
    label.again = call->sides[in->end].dialog.ack_came;
    for (uint32_t i = 0; i < call->plan->step_count; i++)
        if (slice_is(call->plan->steps[i].method, "ACK") && !call->plan->steps[i].status &&
            call->plan->steps[i].from != in->end)
            label.step = i;
    receive_log(e, in, &label, false);
    if (label.step != PROBE_NONE && !call->outcomes[label.step].arrived) {
        call->outcomes[label.step].arrived = true;
        call->outcomes[label.step].received = e->heard;
    }
    call_ack_came(e, call, in->end);
}

static void request_came_again(struct engine *e, const struct incoming *in, struct transaction *t)
{
    struct label label = t->label;
    label.again = true;
    receive_log(e, in, &label, false);
    if (t->machine)
        machine_request_came(t->machine, false);
    /* libosip2 knows nothing of RFC 6026: after a 2xx it takes no INVITE any more, and none is to
     * be answered but by the 2xx that goes out by itself */
}

static void request(struct engine *e, const struct incoming *in)
{
    if (slice_is(in->m->method, "ACK")) {
        ack(e, in);
        return;
    }
    struct transaction *t =
        transaction_of_request(e, in->end, in->m->method, in->branch, in->sent_by);
    if (t) {
        request_came_again(e, in, t);
        return;
    }
    answer_request(e, in);
}

/* ---- all of it
 * ------------------------------------------------------------------------------------- */

static bool asks_rport(struct arena *a, const struct sip_message *m)
{
    struct slice rest = message_header(a, m, SIP_HEADER_VIA), top, ignored;
    return sip_list_next(&rest, &top) && sip_param(top, SLICE("rport"), &ignored);
}

/* What every message must have to belong to a transaction (RFC 3261 8.1.1). */
static bool read_incoming(struct engine *e, const struct happened *what, struct incoming *in)
{
    const struct sip_via *vias;
    struct arena *a = &e->scratch;
    *in = (struct incoming){.end = what->end, .path = what->path, .m = what->sip};
    size_t n = sip_vias(a, what->sip, &vias, NULL);
    const struct sip_message *m = what->sip;
    if (!n || !m->has_call_id || !m->has_cseq || !m->headers_complete ||
        !sip_header_first(m, SIP_HEADER_FROM) || !sip_header_first(m, SIP_HEADER_TO) ||
        (m->kind == SIP_RESPONSE && m->status < 100))
        return false;
    in->branch = vias[0].branch;
    if (!slice_starts_nocase(in->branch, SLICE("z9hG4bK"))) /* RFC 3261 17.2.3, of RFC 2543 */
        in->branch =
            ARENA_JOIN(a, in->branch, SLICE("|"), m->call_id, arena_printf(a, "|%u", m->cseq));
    in->sent_by =
        arena_printf(a, "%.*s:%u", SLICE_ARG(vias[0].host), vias[0].port ? vias[0].port : 5060);
    in->via_port = vias[0].port ? vias[0].port : in->path.transport == PROBE_TLS ? 5061 : 5060;
    in->rport = asks_rport(a, m);
    in->to_tag = message_tag(a, m, SIP_HEADER_TO);
    in->from_tag = message_tag(a, m, SIP_HEADER_FROM);
    return true;
}

static void message(struct engine *e, const struct happened *what)
{
    struct incoming in;
    if (!read_incoming(e, what, &in)) {
        e->run->log.counts.malformed++;
        receive_log(e, &in, &no_label, true);
    } else if (what->sip->kind == SIP_RESPONSE) {
        response(e, &in);
    } else {
        request(e, &in);
    }
}

void receive(void *context, const struct happened *what)
{
    struct engine *e = context;
    switch (what->kind) {
    case NET_SENT:
        sent(e, what);
        return; /* perhaps in the midst of a message: scratch stays */
    case NET_FAILED:
        failed(e, what);
        return;
    case NET_ICMP:
        icmp(e, what);
        return;
    case NET_RECEIVED:
        message(e, what);
        break;
    case NET_NOISE:
        noise(e, what);
        break;
    case NET_TOLD:
        told(e, what);
        return;
    }
    arena_reset(&e->scratch);
}

/* Requests that come to an end for the first time: which call they are of, and what answers those
 * of none. */
#include "probe/internal.h"

#include <string.h>

/* ---- whose?
 * ---------------------------------------------------------------------------------------- */

static bool has_dialog(const struct call *call, const struct incoming *in)
{
    const struct dialog *d = &call->sides[in->end].dialog;
    return d->local_tag.n && slice_equal(d->local_tag, in->to_tag) &&
           slice_equal(d->call_id, in->m->call_id) && slice_equal(d->remote_tag, in->from_tag);
}

struct call *call_of_dialog(struct engine *e, const struct incoming *in)
{
    for (size_t i = 0; i < e->calls.n; i++)
        if (has_dialog(e->calls.items[i], in))
            return e->calls.items[i];
    return NULL;
}

static bool holds(struct slice text, struct slice part)
{
    return part.n && text.n >= part.n && memmem(text.p, text.n, part.p, part.n) != NULL;
}

static bool same_user(struct engine *e, struct slice a, struct slice b)
{
    struct sip_address x, y;
    return sip_uri_parse(&e->scratch, a, &x) && sip_uri_parse(&e->scratch, b, &y) && x.user.n &&
           (slice_equal(x.user, y.user) || sip_number_agrees(x.user, y.user));
}

/* The INVITE of our own caller as it comes out of the path.  Proxies keep Call-ID and tags, those
 * that hide the topology a tag or the session's name; of what a back-to-back user agent sends, the
 * number that is called is left. */
static bool is_of(struct engine *e, const struct call *call, const struct incoming *in)
{
    const struct side *callee = &call->sides[PROBE_CALLEE];
    if (callee->invite != PROBE_NONE || call->phase != CALL_STEPS)
        return false;
    return slice_equal(in->m->call_id, call->sides[PROBE_CALLER].dialog.call_id) ||
           holds(in->m->bytes, call->token) || same_user(e, in->m->uri, call->to);
}

static struct call *call_of_invite(struct engine *e, const struct incoming *in)
{
    for (size_t i = 0; i < e->calls.n; i++)
        if (is_of(e, e->calls.items[i], in))
            return e->calls.items[i];
    return NULL;
}

/* ---- server transactions
 * ---------------------------------------------------------------------------- */

/* Is there no room?  Those that were answered, and whose call is over, give way, oldest first: what
 * they are kept for is a request that comes again. */
static bool is_full(struct engine *e)
{
    struct transaction *oldest = NULL;
    size_t n = 0;
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        n += !t->client;
        if (!oldest && !t->client && !t->call && t->answered)
            oldest = t;
    }
    if (n < PROBE_SERVER_MAX)
        return false;
    if (oldest)
        transaction_drop(e, oldest);
    return !oldest;
}

static struct transaction *serve(struct engine *e, const struct incoming *in, struct call *call)
{
    struct transaction *t = transaction_new(e, false, in->end, in->m->method);
    t->path = in->path;
    t->path.host = SLICE("");
    if (!in->rport && !in->path.connection) /* RFC 3261 18.2.2, RFC 3581 */
        t->path.remote.port = in->via_port;
    t->branch = arena_copy(&t->arena, in->branch);
    t->sent_by = arena_copy(&t->arena, in->sent_by);
    t->via_port = in->via_port;
    t->request = arena_copy(&t->arena, in->m->bytes);
    t->cseq = in->m->cseq;
    t->call = call;
    t->label.call = call ? call->number : PROBE_NONE;
    transaction_start(t);
    return t;
}

/* An answer that has nothing to do with any step. */
static void answer(struct engine *e, const struct incoming *in, struct call *call, uint16_t status,
                   struct slice extra, bool stray)
{
    struct transaction *t = serve(e, in, call);
    struct reply r = {.status = status,
                      .extra = extra,
                      .agent = engine_agent(e, in->end),
                      .to_tag = chance_letters(&e->chance, &t->arena, 12)};
    receive_log(e, in, &t->label, stray);
    transaction_respond(t, status, compose_response(&t->arena, in->m, &in->path, &r), PROBE_NONE);
}

/* ---- outside of dialogs
 * ------------------------------------------------------------------------------ */

#define ALLOW_LINE                                                                                 \
    SLICE("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY, MESSAGE, UPDATE\r\n")

/* RFC 3261 9.2: by the branch of the INVITE.  The 200 is the CANCEL's, the 487 the INVITE's. */
static void cancel(struct engine *e, const struct incoming *in)
{
    struct transaction *invite =
        transaction_of_request(e, in->end, SLICE("INVITE"), in->branch, in->sent_by);
    if (!invite) {
        answer(e, in, NULL, 481, SLICE(""), true);
        e->run->log.counts.stray_requests++;
        return;
    }
    answer(e, in, invite->call, 200, SLICE(""), false);
    if (invite->answered)
        return;
    invite->cancelled = true;
    if (invite->call)
        call_respond(e, invite->call, invite, 487, PROBE_NONE);
}

/* Where only the callee is played each INVITE is a call, as long as there is room. */
static struct call *new_call(struct engine *e, const struct incoming *in)
{
    const struct probe_watch *w = &e->options->watch;
    const struct probe_call_plan *plan = NULL;
    if (e->play[PROBE_CALLER] || e->stopping || e->calls.n >= PROBE_ANSWERED_MAX ||
        (e->options->calls && e->calls_begun >= e->options->calls))
        return NULL;
    if (w->choose)
        plan = w->choose(w->context, in->m);
    if (!plan && e->plan->call_count)
        plan = &e->plan->calls[0];
    return plan ? call_begin(e, plan) : NULL;
}

/* A second branch of the same INVITE, by a proxy that forks to one end twice (RFC 3261 8.2.2.2). */
static bool is_merged(const struct engine *e, const struct incoming *in)
{
    for (size_t i = 0; i < e->calls.n; i++) {
        const struct dialog *d = &e->calls.items[i]->sides[in->end].dialog;
        if (in->end == PROBE_CALLEE && d->call_id.n && slice_equal(d->call_id, in->m->call_id) &&
            slice_equal(d->remote_tag, in->from_tag) && d->remote_cseq == in->m->cseq)
            return true;
    }
    return false;
}

static void invite(struct engine *e, const struct incoming *in)
{
    struct slice required = SLICE("Require");
    uint32_t at = 0;
    const struct sip_header *require = sip_header_next(in->m, 0, required, &at);
    if (is_merged(e, in)) {
        answer(e, in, NULL, 482, SLICE(""), true);
        return;
    }
    struct call *call = in->end == PROBE_CALLEE ? call_of_invite(e, in) : NULL;
    if (require) { /* no extension is spoken here (RFC 3261 8.2.2.3) */
        struct slice extra = ARENA_JOIN(&e->scratch, SLICE("Unsupported: "),
                                        sip_unfold(&e->scratch, require), SLICE("\r\n"));
        answer(e, in, call, 420, extra, !call);
        return;
    }
    if (!call && in->end == PROBE_CALLEE)
        call = new_call(e, in);
    if (!call) {
        e->run->log.counts.strangers++;
        answer(e, in, NULL, 486, SLICE(""), true);
        return;
    }
    call_request_came(e, call, serve(e, in, call), in->m);
}

static void outside(struct engine *e, const struct incoming *in)
{
    struct slice method = in->m->method;
    if (slice_is(method, "INVITE")) {
        invite(e, in);
    } else if (slice_is(method, "OPTIONS")) {
        answer(e, in, NULL, 200, ALLOW_LINE, false);
    } else {
        bool known = in->m->method_id != SIP_METHOD_OTHER;
        bool of_dialog = slice_is(method, "BYE") || slice_is(method, "NOTIFY");
        e->run->log.counts.stray_requests++;
        answer(e, in, NULL, of_dialog ? 481 : known ? 405 : 501, ALLOW_LINE, true);
    }
}

/* ---- within
 * ------------------------------------------------------------------------------------------- */

static void within(struct engine *e, const struct incoming *in, struct call *call)
{
    struct dialog *d = &call->sides[in->end].dialog;
    if (d->remote_cseq_known && in->m->cseq <= d->remote_cseq) { /* RFC 3261 12.2.2 */
        answer(e, in, call, 500, SLICE(""), true);
        return;
    }
    d->remote_cseq = in->m->cseq;
    d->remote_cseq_known = true;
    call_request_came(e, call, serve(e, in, call), in->m);
}

void answer_request(struct engine *e, const struct incoming *in)
{
    struct call *call = in->to_tag.n ? call_of_dialog(e, in) : NULL;
    if (is_full(e)) {
        struct label none = {PROBE_NONE, PROBE_NONE, PROBE_NONE, false};
        e->run->log.counts.refused_requests++;
        receive_log(e, in, &none, true);
    } else if (slice_is(in->m->method, "CANCEL")) {
        cancel(e, in);
    } else if (call) {
        within(e, in, call);
    } else if (in->to_tag.n) {
        e->run->log.counts.stray_requests++;
        answer(e, in, NULL, 481, SLICE(""), true);
    } else {
        outside(e, in);
    }
}

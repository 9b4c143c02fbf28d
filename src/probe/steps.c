/* The steps of a call, one after another: when each may begin, when it is over, what became of it.
 */
#include "probe/internal.h"

#include <errno.h>

#define ACK_WAIT_MS         2000 /* a callee goes on without the ACK then */
#define PROVISIONAL_WAIT_MS 1000 /* nobody sends it again: one that is lost is no failure */

static const struct probe_step *step_at(const struct call *call, uint32_t i)
{
    return &call->plan->steps[i];
}

static bool is_ack(const struct probe_step *s)
{
    return !s->status && slice_is(s->method, "ACK");
}

/* ---- which step answers which -------------------------------------------------------------------
 */

uint32_t step_answered(const struct call *call, uint32_t step)
{
    const struct probe_step *s = step_at(call, step);
    for (uint32_t i = step; i > 0; i--) {
        const struct probe_step *r = step_at(call, i - 1);
        if (!r->status && r->from != s->from && slice_equal(r->method, s->method))
            return i - 1;
    }
    return PROBE_NONE;
}

uint32_t step_answering(const struct call *call, uint32_t request, uint16_t status)
{
    const struct probe_step *r = step_at(call, request);
    for (uint32_t i = request + 1; i < call->plan->step_count; i++) {
        const struct probe_step *s = step_at(call, i);
        if (!slice_equal(s->method, r->method))
            continue;
        if (!s->status && s->from == r->from)
            break; /* the next request of this kind */
        if (s->status && s->from != r->from && (!status || s->status == status))
            return i;
    }
    return PROBE_NONE;
}

/* A final answer to the request that is no 2xx, and yet what the plan wants. */
static bool is_planned(const struct call *call, uint32_t request, uint16_t status)
{
    return status < 300 || step_answering(call, request, status) != PROBE_NONE;
}

/* ---- requests of ours that are out
 * --------------------------------------------------------------- */

static void end_outcome(struct probe_outcome *o, enum probe_fate fate)
{
    o->fate = fate;
    o->ended_ns = clock_wall_ns();
}

/* A call without an answered INVITE has nothing to go on with; one whose re-INVITE was refused goes
 * on as it was (RFC 3261 14.1), unless that says that the dialog is gone.  After a 408, or none at
 * all, a phone would hang up; what else the path does is worth the trial. */
static void fail_step(struct call *call, uint32_t step)
{
    const struct probe_step *s = step_at(call, step);
    const struct probe_outcome *o = &call->outcomes[step];
    bool stands = call->sides[s->from].dialog.confirmed && o->status != 481 &&
                  (o->fate == PROBE_DONE || o->fate == PROBE_NO_ANSWER);
    if (!s->go_on || (slice_is(s->method, "INVITE") && !stands))
        call->dead = true;
}

static void take_failure(struct probe_outcome *o, const struct transaction *t)
{
    end_outcome(o, t->fate);
    o->error = t->error;
    o->peer = t->peer;
    o->next_hop = t->path.remote;
    o->transport = t->path.transport;
}

static bool is_out(const struct call *call, uint32_t i)
{
    return call->sent_by[i] != PROBE_NONE && !call->outcomes[i].ended_ns;
}

/* What has become of the request of step i by now. */
static void settle(struct engine *e, struct call *call, uint32_t i)
{
    struct transaction *t = transaction_by_id(e, call->sent_by[i]);
    struct probe_outcome *o = &call->outcomes[i];
    if (!t)
        return;
    o->status = t->status;
    if (t->status >= 200)
        end_outcome(o, PROBE_DONE);
    else if (t->fate != PROBE_NOT_REACHED)
        take_failure(o, t);
    else if (t->timed_out)
        end_outcome(o, PROBE_NO_ANSWER);
    else
        return;
    if (t->detail.n)
        o->detail = arena_copy(&e->run->log.arena, t->detail);
    if (o->fate != PROBE_DONE || !is_planned(call, i, t->status))
        fail_step(call, i);
    if (t->status >= 300 && slice_is(t->method, "INVITE") && !call->sides[t->end].dialog.confirmed)
        call->refused = true;
    if (slice_is(t->method, "BYE"))
        call->sides[t->end].dialog.over = true;
}

static void settle_all(struct engine *e, struct call *call)
{
    for (uint32_t i = 0; i < call->plan->step_count; i++)
        if (is_out(call, i))
            settle(e, call, i);
}

/* It waits for its connection yet. */
static bool is_unsent(const struct probe_outcome *o, const struct transaction *t)
{
    return t->path.transport != PROBE_UDP && o->sent == PROBE_NONE;
}

/* No CANCEL before the first response (RFC 3261 9.1); a late 2xx gets its ACK all the same. */
static void give_up_reinvite(struct transaction *t)
{
    if (t->status >= 100)
        request_cancel(t);
    else
        transaction_quiet(t);
}

static void give_up_one(struct engine *e, struct call *call, uint32_t i)
{
    struct transaction *t = transaction_by_id(e, call->sent_by[i]);
    struct probe_outcome *o = &call->outcomes[i];
    end_outcome(o, PROBE_NO_ANSWER);
    if (t && is_unsent(o, t)) {
        o->fate = t->path.transport == PROBE_TLS ? PROBE_TLS_FAILED : PROBE_REFUSED;
        o->error = ETIMEDOUT;
        o->next_hop = t->path.remote;
        o->transport = t->path.transport;
    }
    if (t && t->detail.n)
        o->detail = arena_copy(&e->run->log.arena, t->detail);
    if (t && !slice_is(t->method, "INVITE"))
        t->abandoned = true;
    else if (t && call->sides[t->end].dialog.confirmed)
        give_up_reinvite(t);
    fail_step(call, i);
}

/* The limit of a step is over: what is out has no answer. */
static void give_up(struct engine *e, struct call *call)
{
    for (uint32_t i = 0; i < call->plan->step_count; i++)
        if (is_out(call, i))
            give_up_one(e, call, i);
}

/* ---- may it begin?
 * --------------------------------------------------------------------------------- */

enum verdict { WAIT, GO, PASS };

static bool anything_out(const struct call *call)
{
    for (uint32_t i = 0; i < call->plan->step_count; i++)
        if (is_out(call, i))
            return true;
    return false;
}

/* `late` is how long the step has been the next one. */
static enum verdict request_may_begin(const struct call *call, const struct probe_step *s,
                                      int64_t late)
{
    const struct dialog *d = &call->sides[s->from].dialog;
    if (s->from == PROBE_CALLER && call->sides[s->from].invite == PROBE_NONE)
        return slice_is(s->method, "INVITE") ? GO : PASS;
    if (d->over || call->refused)
        return PASS;
    if (is_ack(s))
        return d->confirmed ? GO : WAIT;
    if (!d->confirmed || anything_out(call))
        return WAIT;
    return s->from == PROBE_CALLER || d->ack_came || late >= ACK_WAIT_MS ? GO : WAIT;
}

static enum verdict response_may_begin(struct engine *e, struct call *call, uint32_t step)
{
    uint32_t request = step_answered(call, step);
    if (request == PROBE_NONE)
        return PASS;
    struct transaction *t = transaction_by_id(e, call->came_by[request]);
    if (t && !t->answered)
        return GO;
    bool ours = call->sent_by[request] != PROBE_NONE;
    return (ours && call->outcomes[request].ended_ns) || (t && !ours) ? PASS : WAIT;
}

/* ---- steps of an end that is not here
 * ---------------------------------------------------------------- */

static bool has_come(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    if (is_ack(s))
        return call->sides[probe_other_end(s->from)].dialog.ack_came;
    if (!s->status)
        return call->came_by[i] != PROBE_NONE;
    uint32_t request = step_answered(call, i);
    if (request == PROBE_NONE || call->outcomes[request].ended_ns)
        return true;
    struct transaction *t = transaction_by_id(e, call->sent_by[request]);
    return t && s->status < 200 && t->status >= 100 && call->outcomes[i].arrived;
}

/* ---- begin
 * --------------------------------------------------------------------------------------------- */

static void begin_request(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    struct probe_outcome *o = &call->outcomes[i];
    struct slice why = SLICE("");
    if (is_ack(s)) {
        struct transaction *invite = transaction_by_id(e, call->sides[s->from].latest_invite);
        if (invite)
            request_ack(invite, i);
        return;
    }
    if (!request_send(e, call, s->from, i, s->method, &why)) {
        end_outcome(o, PROBE_UNRESOLVED);
        o->detail = arena_copy(&e->run->log.arena, why);
        fail_step(call, i);
    }
}

static void begin_response(struct engine *e, struct call *call, uint32_t i)
{
    struct transaction *t = transaction_by_id(e, call->came_by[step_answered(call, i)]);
    call_respond(e, call, t, step_at(call, i)->status, i);
}

static void begin(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    call->begun = true;
    call->outcomes[i].began_ns = clock_wall_ns();
    if (!e->play[s->from])
        return;
    if (s->status)
        begin_response(e, call, i);
    else
        begin_request(e, call, i);
}

/* ---- is it over?
 * --------------------------------------------------------------------------------------- */

static bool request_is_over(const struct call *call, uint32_t i)
{
    if (call->outcomes[i].ended_ns)
        return true;
    if (is_ack(step_at(call, i)))
        return false;
    /* what answers it comes next */
    uint32_t next = i + 1;
    return next < call->plan->step_count && step_at(call, next)->status &&
           step_answered(call, next) == i;
}

static bool is_over(struct engine *e, struct call *call, uint32_t i, int64_t waited)
{
    const struct probe_step *s = step_at(call, i);
    struct probe_outcome *o = &call->outcomes[i];
    bool far_is_here = e->play[probe_other_end(s->from)];
    if (!e->play[s->from])
        return has_come(e, call, i);
    if (o->ended_ns || o->fate != PROBE_NOT_REACHED)
        return true;
    if (is_ack(s))
        return !far_is_here || o->arrived;
    if (!s->status)
        return request_is_over(call, i);
    if (!far_is_here || s->status == 100)
        return true;
    if (s->status < 200)
        return o->arrived || waited >= PROVISIONAL_WAIT_MS;
    uint32_t request = step_answered(call, i);
    return call->outcomes[request].ended_ns != 0 || o->arrived;
}

static void next_step(struct engine *e, struct call *call)
{
    call->at++;
    call->begun = false;
    call->ready_ms = INT64_MAX;
    call->since_ms = e->now_ms;
    call->deadline_ms = e->now_ms + e->step_limit_ms;
}

static void finish(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    struct probe_outcome *o = &call->outcomes[i];
    bool own_request = !s->status && !is_ack(s) && e->play[s->from];
    if (!own_request && !o->ended_ns)
        end_outcome(o, o->fate == PROBE_NOT_REACHED ? PROBE_DONE : o->fate);
    if (s->status)
        o->status = s->status;
    next_step(e, call);
}

/* It can never begin. */
static void pass_over(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    if (s->status || is_ack(s)) {
        end_outcome(&call->outcomes[i], PROBE_UNOPENED);
    } else {
        end_outcome(&call->outcomes[i], PROBE_NOT_REACHED);
        fail_step(call, i);
    }
    next_step(e, call);
}

/* ---- time
 * -----------------------------------------------------------------------------------------------
 */

static void expire(struct engine *e, struct call *call, uint32_t i)
{
    const struct probe_step *s = step_at(call, i);
    struct probe_outcome *o = &call->outcomes[i];
    give_up(e, call);
    if (!o->ended_ns) {
        bool sent = call->begun && e->play[s->from];
        end_outcome(o, sent ? PROBE_DONE : e->play[s->from] ? PROBE_UNOPENED : PROBE_NO_ANSWER);
        if (o->fate != PROBE_DONE && !s->status) /* of a response its request has failed */
            fail_step(call, i);
    }
    next_step(e, call);
}

static void set_ready(struct engine *e, struct call *call, const struct probe_step *s)
{
    if (call->ready_ms != INT64_MAX)
        return;
    uint32_t wait = e->net.dry ? 0 : s->wait_ms;
    call->ready_ms = e->now_ms + wait;
    call->deadline_ms += wait;
}

/* The next moment at which a wait of its own is over. */
static void set_soon(struct call *call)
{
    call->soon_ms = call->since_ms + (call->begun ? PROVISIONAL_WAIT_MS : ACK_WAIT_MS);
}

/* One step further: true. */
static bool advance(struct engine *e, struct call *call)
{
    uint32_t i = (uint32_t)call->at;
    const struct probe_step *s = step_at(call, i);
    int64_t waited = e->now_ms - call->since_ms;
    if (!call->begun) {
        enum verdict v = !e->play[s->from] ? GO
                         : s->status       ? response_may_begin(e, call, i)
                                           : request_may_begin(call, s, waited);
        if (v == PASS) {
            pass_over(e, call, i);
            return true;
        }
        if (v == GO)
            set_ready(e, call, s);
        if (v == GO && e->now_ms >= call->ready_ms) {
            begin(e, call, i);
            call->since_ms = e->now_ms;
            waited = 0;
        }
    }
    if (call->begun && is_over(e, call, i, waited)) {
        finish(e, call, i);
        return true;
    }
    if (e->now_ms < call->deadline_ms) {
        set_soon(call);
        return false;
    }
    expire(e, call, i);
    return true;
}

void steps_advance(struct engine *e, struct call *call)
{
    settle_all(e, call);
    while (!call->dead && call->at < call->plan->step_count && advance(e, call))
        settle_all(e, call);
    if (call->dead || (call->at >= call->plan->step_count && !anything_out(call)))
        call_stop(e, call, PROBE_NOT_REACHED);
    else if (call->at >= call->plan->step_count && e->now_ms >= call->deadline_ms)
        give_up(e, call);
}

/* The end of a call: no dialog that it began is left open, whatever happened. */
#include "probe/internal.h"

#define ENDING_MS     5000 /* for CANCEL and BYE to be answered */
#define UNANSWERED_MS 2000 /* an INVITE to which nothing came back: nothing is to be cancelled */

/* Does something of this end still go on? */
static bool end_invite(struct engine *e, struct call *call, enum probe_end end, int64_t passed)
{
    struct transaction *t = transaction_by_id(e, call->sides[end].latest_invite);
    if (end == PROBE_CALLEE && !t) {
        t = transaction_by_id(e, call->sides[end].invite);
        if (t && !t->client && !t->answered)
            call_respond(e, call, t, 480, PROBE_NONE);
        return false;
    }
    if (!t || !t->client || t->status >= 200 || t->fate != PROBE_NOT_REACHED || t->timed_out)
        return false;
    if (t->status >= 100 && !t->cancelled)
        request_cancel(t);
    if (t->status < 100)
        transaction_quiet(t);              /* RFC 3261 9.1: no CANCEL before the first response */
    if (call->sides[end].dialog.confirmed) /* a re-INVITE: BYE ends it, too */
        return false;
    return passed < (t->status >= 100 ? ENDING_MS : UNANSWERED_MS);
}

static bool end_dialog(struct engine *e, struct call *call, enum probe_end end, int64_t passed)
{
    struct side *side = &call->sides[end];
    struct dialog *d = &side->dialog;
    struct slice why = SLICE("");
    if (!d->confirmed || d->over)
        return false;
    struct transaction *t = transaction_by_id(e, side->bye);
    if (t && (t->status >= 200 || t->timed_out || t->fate != PROBE_NOT_REACHED)) {
        d->over = true;
        e->run->log.counts.unended += t->status < 200;
        return false;
    }
    if (passed >= ENDING_MS) {
        e->run->log.counts.unended++;
        if (t)
            t->abandoned = true;
        d->over = d->unended = true;
        return false;
    }
    if (!t && !request_send(e, call, end, PROBE_NONE, SLICE("BYE"), &why)) {
        engine_event(e, end, &e->first_hop, call->number, why);
        e->run->log.counts.unended++;
        d->over = d->unended = true;
        return false;
    }
    return true;
}

void call_ending(struct engine *e, struct call *call)
{
    if (!call->ended_since_ms)
        call->ended_since_ms = e->now_ms;
    int64_t passed = e->now_ms - call->ended_since_ms;
    bool busy = false;
    for (size_t i = 0; i < PROBE_ENDS && !busy; i++)
        if (e->play[i])
            busy = end_invite(e, call, (enum probe_end)i, passed) ||
                   end_dialog(e, call, (enum probe_end)i, passed);
    call->ending_ms = call->ended_since_ms + (passed < UNANSWERED_MS ? UNANSWERED_MS : ENDING_MS);
    if (!busy)
        call->phase = CALL_OVER;
}

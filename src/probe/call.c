/* A call from its first letter to its end. */
#include "probe/internal.h"

#include <string.h>

static struct probe_outcome *new_outcomes(size_t n)
{
    struct probe_outcome *list = base_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i].sent = list[i].received = list[i].answer = PROBE_NONE;
    return list;
}

static uint32_t *new_ids(struct arena *a, size_t n)
{
    uint32_t *list = ARENA_ARRAY(a, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = PROBE_NONE;
    return list;
}

/* The caller's half of the dialog, as far as it is known before anything is sent. */
static void name_caller(struct engine *e, struct call *call)
{
    struct arena *a = &call->arena;
    const struct probe_party *party = &e->plan->parties[PROBE_CALLER];
    struct dialog *d = &call->sides[PROBE_CALLER].dialog;
    d->call_id = ARENA_JOIN(a, call->token, chance_letters(&e->chance, a, 12));
    d->local_tag = ARENA_JOIN(a, party->tag_prefix, chance_letters(&e->chance, a, 12));
    d->local = ARENA_JOIN(a, SLICE("<"), call->from, SLICE(">;tag="), d->local_tag);
    d->remote = ARENA_JOIN(a, SLICE("<"), call->to, SLICE(">"));
    d->target = call->to;
}

struct call *call_begin(struct engine *e, const struct probe_call_plan *plan)
{
    struct call *call = base_alloc(sizeof *call);
    struct arena *a = &call->arena;
    call->plan = plan;
    call->number = e->calls_begun++;
    call->outcomes = new_outcomes(plan->step_count);
    call->sent_by = new_ids(a, plan->step_count);
    call->came_by = new_ids(a, plan->step_count);
    call->token = chance_letters(&e->chance, a, 16);
    call->to = arena_copy(a, plan->to.n ? plan->to : e->options->to);
    call->from = plan->from.n         ? arena_copy(a, plan->from)
                 : e->options->from.n ? arena_copy(a, e->options->from)
                                      : compose_contact(a, SLICE("sipxray"), &e->first_hop);
    for (size_t i = 0; i < PROBE_ENDS; i++)
        call->sides[i].invite = call->sides[i].latest_invite = call->sides[i].bye = PROBE_NONE;
    call->ready_ms = INT64_MAX;
    call->deadline_ms = e->now_ms + e->step_limit_ms;
    if (e->play[PROBE_CALLER])
        name_caller(e, call);
    *vec_add(&e->calls) = call;
    return call;
}

/* Does this plan begin as the call has gone until now, and go on with a request of this end? */
static bool goes_on_with(const struct call *call, const struct probe_call_plan *plan,
                         enum probe_end from, struct slice method)
{
    if (call->at >= plan->step_count || call->at >= call->plan->step_count)
        return false;
    for (size_t i = 0; i < call->at; i++) {
        const struct probe_step *x = &call->plan->steps[i], *y = &plan->steps[i];
        if (x->from != y->from || x->status != y->status || !slice_equal(x->method, y->method))
            return false;
    }
    const struct probe_step *next = &plan->steps[call->at];
    return next->from == from && !next->status && slice_equal(next->method, method);
}

/* What is known of the first steps stays as it is. */
static void take_plan(struct call *call, const struct probe_call_plan *plan)
{
    struct probe_outcome *outcomes = new_outcomes(plan->step_count);
    uint32_t *sent_by = new_ids(&call->arena, plan->step_count),
             *came_by = new_ids(&call->arena, plan->step_count);
    memcpy(outcomes, call->outcomes, call->at * sizeof *outcomes);
    memcpy(sent_by, call->sent_by, call->at * sizeof *sent_by);
    memcpy(came_by, call->came_by, call->at * sizeof *came_by);
    free(call->outcomes);
    call->outcomes = outcomes;
    call->sent_by = sent_by;
    call->came_by = came_by;
    call->plan = plan;
}

void call_turn(struct engine *e, struct call *call, enum probe_end from, struct slice method)
{
    size_t at = call->at;
    bool awaits = call->phase == CALL_STEPS && !e->play[from] && at < call->plan->step_count &&
                  call->plan->steps[at].from == from && !call->plan->steps[at].status;
    if (!awaits || goes_on_with(call, call->plan, from, method))
        return;
    for (size_t i = 0; i < e->plan->call_count; i++)
        if (goes_on_with(call, &e->plan->calls[i], from, method)) {
            take_plan(call, &e->plan->calls[i]);
            return;
        }
}

struct call *call_by_number(struct engine *e, uint32_t number)
{
    for (size_t i = 0; i < e->calls.n; i++)
        if (e->calls.items[i]->number == number)
            return e->calls.items[i];
    return NULL;
}

/* Its transactions may live on, and take what comes late. */
void call_free(struct engine *e, struct call *call)
{
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (t->call != call)
            continue;
        t->call = NULL;
        t->draft.step = NULL;
        e->run->log.counts.unacknowledged += t->again_ms != INT64_MAX;
        t->again_ms = INT64_MAX;
    }
    arena_free(&call->arena);
    free(call);
}

void call_stop(struct engine *e, struct call *call, enum probe_fate fate)
{
    for (size_t i = 0; i < call->plan->step_count; i++) {
        struct probe_outcome *o = &call->outcomes[i];
        struct transaction *t = transaction_by_id(e, call->sent_by[i]);
        if (o->fate == PROBE_NOT_REACHED && !o->ended_ns && (t || i >= call->at) &&
            fate != PROBE_NOT_REACHED) {
            o->fate = fate;
            o->ended_ns = o->began_ns ? clock_wall_ns() : 0;
        }
    }
    call->phase = CALL_ENDING;
    call->ending_ms = e->now_ms;
}

void call_advance(struct engine *e, struct call *call)
{
    if (call->phase == CALL_STEPS)
        steps_advance(e, call);
    if (call->phase == CALL_ENDING)
        call_ending(e, call);
}

/* The earlier of both, of which `at` does not count once it has passed. */
static int64_t sooner(const struct engine *e, int64_t due, int64_t at)
{
    return at > e->now_ms && at < due ? at : due;
}

int64_t call_due_ms(const struct engine *e, const struct call *call)
{
    if (call->phase == CALL_ENDING)
        return call->ending_ms;
    int64_t due = sooner(e, call->deadline_ms, call->soon_ms);
    return call->begun ? due : sooner(e, due, call->ready_ms);
}

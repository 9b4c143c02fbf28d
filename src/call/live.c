/* Live runs: a leg is handed out as soon as its end has settled, and kept a while for what comes
 * late.  What there is no room for goes in the order of what it is worth. */
#include "call/internal.h"

/* ---- which list ------------------------------------------------------------------------------ */

static uint64_t bit_of(uint16_t point)
{
    return (uint64_t)1 << (point < 63 ? point : 63);
}

static int16_t *open_of(struct call_leg *l, enum sip_method method)
{
    return method == SIP_INVITE ? &l->open_invites
           : method == SIP_BYE  ? &l->open_byes
                                : &l->open_others;
}

/* Each place that sees a request should see its final answer.  An ACK has none. */
static void count_open(struct call_leg *l, const struct sip_message *m)
{
    int16_t *open = open_of(l, m->method_id);
    if (m->kind == SIP_REQUEST && m->method_id != SIP_ACK && *open < INT16_MAX)
        ++*open;
    if (m->kind == SIP_RESPONSE && m->status >= 200) {
        *open -= *open > 0;
        l->bye_answered |= m->method_id == SIP_BYE;
    }
}

/* Is this what ends the leg, for the point that sees it? */
static bool is_end(const struct call_leg *l, const struct sip_message *m)
{
    if (m->kind == SIP_REQUEST)
        return m->method_id == SIP_BYE;
    return m->status >= 200 && (m->method_id == SIP_BYE || !l->dialog ||
                                (m->method_id == SIP_INVITE && m->status >= 300));
}

static enum call_list list_of(const struct call_leg *l)
{
    if (!call_leg_ended(l))
        return l->accepted ? CALL_TALKING : CALL_ACTIVE;
    if (l->bye ? l->open_byes : l->invited ? l->open_invites : l->open_others)
        return l->bye && l->bye_answered ? CALL_PARTLY : CALL_OVER_SOON;
    bool refused = !l->bye && l->invited;
    return refused || l->ended_at != l->points ? CALL_PARTLY : CALL_SETTLING;
}

void call_live_note(struct call_table *t, uint32_t leg, const struct call_filing *filing,
                    const struct sip_message *m)
{
    struct call_leg *l = &t->legs.items[leg];
    bool again = filing->retransmission || filing->duplicate;
    l->heard_ns = t->now_ns;
    if (!again)
        count_open(l, m);
    if (is_end(l, m))
        l->ended_at |= bit_of(t->sightings.items[filing->sighting].point);
    call_list_move(t, leg, again && l->list == CALL_TOLD ? CALL_TOLD : list_of(l));
}

uint32_t call_table_open(const struct call_table *t)
{
    return t->listed[CALL_ACTIVE] + t->listed[CALL_TALKING];
}

/* ---- handing out ----------------------------------------------------------------------------- */

static bool silent_for(const struct call_table *t, enum call_list list, int64_t ms)
{
    uint32_t id = t->oldest[list];
    return id != CALL_NONE && t->now_ns - t->legs.items[id].heard_ns > ms * 1000000;
}

/* What went with a leg but still speaks stays as it is. */
void call_live_told(struct call_table *t)
{
    for (size_t i = 0; i < t->taken.n; i++) {
        struct call_leg *l = &t->legs.items[t->taken.items[i]];
        if (l->list != CALL_WAITING && l->list != CALL_PARKED)
            continue;
        l->told = true;
        l->overdue = false;
        l->heard_ns = t->now_ns; /* it is kept from now on */
        call_list_move(t, t->taken.items[i], CALL_TOLD);
    }
}

static void let_go(struct call_table *t, uint32_t leg)
{
    t->events.let_go(t->events.context, leg);
    call_leg_free(t, leg);
}

static void hand_out(struct call_table *t)
{
    while (t->listed[CALL_WAITING] > 0)
        call_retire_first(t);
}

static void hurry(struct call_table *t, uint32_t leg)
{
    t->legs.items[leg].overdue = true;
    call_leg_over(t, leg);
}

/* The longest silent leg of those that are worth least; CALL_NONE: there is none. */
static uint32_t least(const struct call_table *t)
{
    static const enum call_list lists[] = {CALL_TOLD,    CALL_ACTIVE, CALL_OVER_SOON, CALL_PARKED,
                                           CALL_TALKING, CALL_PARTLY, CALL_SETTLING};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (t->oldest[lists[i]] != CALL_NONE)
            return t->oldest[lists[i]];
    return CALL_NONE;
}

static void squeeze(struct call_table *t)
{
    while ((t->bytes_max && call_table_bytes(t) > t->bytes_max) ||
           call_table_open(t) > CALL_ACTIVE_MAX) {
        uint32_t leg = least(t);
        if (leg == CALL_NONE)
            return;
        struct call_leg *l = &t->legs.items[leg];
        t->stats.legs_squeezed += !l->told;
        let_go(t, leg);
    }
}

static void end_silent(struct call_table *t)
{
    static const struct {
        int64_t ms;
        enum call_list list;
        bool idle;
    } waits[] = {{CALL_SETTLE_MS, CALL_SETTLING, false},
                 {CALL_PARTLY_MS, CALL_PARTLY, false},
                 {CALL_LINGER_SECONDS * 1000, CALL_OVER_SOON, false},
                 {CALL_RINGING_SECONDS * 1000, CALL_ACTIVE, true},
                 {CALL_IDLE_SECONDS * 1000, CALL_TALKING, true}};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        while (silent_for(t, waits[i].list, waits[i].ms)) {
            t->stats.legs_idle += waits[i].idle;
            call_leg_over(t, t->oldest[waits[i].list]);
        }
}

static void hand_out_due(struct call_table *t)
{
    end_silent(t);
    hand_out(t);
    while (silent_for(t, CALL_PARKED, CALL_PARKED_MS)) {
        hurry(t, t->oldest[CALL_PARKED]);
        hand_out(t);
    }
    while (silent_for(t, CALL_TOLD, CALL_LINGER_SECONDS * 1000))
        let_go(t, t->oldest[CALL_TOLD]);
    squeeze(t);
}

void call_table_live(struct call_table *t, uint64_t bytes_max)
{
    t->live = true;
    t->bytes_max = bytes_max;
}

void call_table_clock(struct call_table *t, int64_t now_ns)
{
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
    hand_out_due(t);
}

bool call_table_settles(const struct call_table *t)
{
    return t->listed[CALL_SETTLING] || t->listed[CALL_PARTLY] || t->listed[CALL_PARKED];
}

void call_live_forget_begun(struct call_table *t)
{
    uint32_t next;
    for (uint32_t id = t->newest[CALL_ACTIVE]; t->live && id != CALL_NONE; id = next) {
        next = t->legs.items[id].older;
        if (t->now_ns - t->legs.items[id].heard_ns > CALL_LINGER_SECONDS * 1000000000LL)
            return;
        t->stats.legs_unfinished++;
        let_go(t, id);
    }
}

void call_live_end(struct call_table *t)
{
    while (t->oldest[CALL_TOLD] != CALL_NONE)
        let_go(t, t->oldest[CALL_TOLD]);
}

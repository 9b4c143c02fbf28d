/* When legs end: lists by last activity, a lingering time, and a heap that hands legs out by their
 * start. */
#include "call/internal.h"

#include <assert.h>

/* ---- lists ---------------------------------------------------------------------------------- */

static void list_unlink(struct call_table *t, uint32_t id)
{
    struct call_leg *l = &t->legs.items[id];
    if (l->older != CALL_NONE)
        t->legs.items[l->older].newer = l->newer;
    else
        t->oldest[l->list] = l->newer;
    if (l->newer != CALL_NONE)
        t->legs.items[l->newer].older = l->older;
    else
        t->newest[l->list] = l->older;
    t->listed[l->list]--;
}

/* Moves a leg to the newest end of a list; CALL_FREE: to none. */
void call_list_move(struct call_table *t, uint32_t id, enum call_list list)
{
    struct call_leg *l = &t->legs.items[id];
    if (l->list != CALL_FREE)
        list_unlink(t, id);
    if (l->list == CALL_WAITING && list != CALL_WAITING)
        l->generation++;
    l->list = (uint8_t)list;
    if (list == CALL_FREE)
        return;
    l->newer = CALL_NONE;
    l->older = t->newest[list];
    if (l->older != CALL_NONE)
        t->legs.items[l->older].newer = id;
    else
        t->oldest[list] = id;
    t->newest[list] = id;
    t->listed[list]++;
}

/* ---- heap ----------------------------------------------------------------------------------- */

static bool earlier(const struct call_waiting *a, const struct call_waiting *b)
{
    return a->start_ns != b->start_ns ? a->start_ns < b->start_ns : a->leg < b->leg;
}

static void heap_push(struct call_table *t, struct call_waiting entry)
{
    size_t at = t->heap.n;
    *vec_add(&t->heap) = entry;
    while (at > 0 && earlier(&entry, &t->heap.items[(at - 1) / 2])) {
        t->heap.items[at] = t->heap.items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    t->heap.items[at] = entry;
}

static struct call_waiting heap_pop(struct call_table *t)
{
    struct call_waiting *h = t->heap.items, top = h[0], entry = h[--t->heap.n];
    size_t at = 0, n = t->heap.n;
    while (at * 2 + 1 < n) {
        size_t child = at * 2 + 1;
        if (child + 1 < n && earlier(&h[child + 1], &h[child]))
            child++;
        if (!earlier(&h[child], &entry))
            break;
        h[at] = h[child];
        at = child;
    }
    h[at] = entry;
    return top;
}

/* ---- ending --------------------------------------------------------------------------------- */

void call_leg_over(struct call_table *t, uint32_t id)
{
    call_list_move(t, id, CALL_WAITING);
    const struct call_leg *l = &t->legs.items[id];
    heap_push(t, (struct call_waiting){l->start_ns, id, l->generation});
    if (t->events.over)
        t->events.over(t->events.context, id);
}

void call_leg_take(struct call_table *t, uint32_t leg)
{
    *vec_add(&t->taken) = leg;
}

static void leg_retire(struct call_table *t, uint32_t id)
{
    vec_clear(&t->taken);
    if (!t->events.retire(t->events.context, id)) {
        call_list_move(t, id, CALL_PARKED);
        return;
    }
    call_leg_take(t, id);
    if (t->live) {
        call_live_told(t);
        return;
    }
    for (size_t i = 0; i < t->taken.n; i++)
        if (t->legs.items[t->taken.items[i]].list != CALL_FREE)
            call_leg_free(t, t->taken.items[i]);
}

/* Retires the waiting leg that started first; entries of legs that revived meanwhile are passed
 * over. */
void call_retire_first(struct call_table *t)
{
    struct call_waiting w = heap_pop(t);
    const struct call_leg *l = &t->legs.items[w.leg];
    if (l->list == CALL_WAITING && l->generation == w.generation)
        leg_retire(t, w.leg);
}

static bool silent_for(const struct call_table *t, uint32_t id, int64_t seconds)
{
    return id != CALL_NONE && t->now_ns - t->legs.items[id].last_ns > seconds * 1000000000;
}

void call_finish_due(struct call_table *t)
{
    if (t->live)
        return; /* by call_table_clock */
    while (silent_for(t, t->oldest[CALL_OVER_SOON], CALL_LINGER_SECONDS))
        call_leg_over(t, t->oldest[CALL_OVER_SOON]);
    while (silent_for(t, t->oldest[CALL_ACTIVE], CALL_IDLE_SECONDS)) {
        t->stats.legs_idle++;
        call_leg_over(t, t->oldest[CALL_ACTIVE]);
    }
    while (t->listed[CALL_ACTIVE] > CALL_ACTIVE_MAX) {
        t->stats.legs_evicted++;
        call_leg_over(t, t->oldest[CALL_ACTIVE]);
    }
    while (t->listed[CALL_WAITING] > t->waiting_max)
        call_retire_first(t);
}

void call_table_over(struct call_table *t)
{
    static const enum call_list lists[] = {CALL_OVER_SOON, CALL_SETTLING, CALL_PARTLY, CALL_ACTIVE,
                                           CALL_TALKING};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        while (t->oldest[lists[i]] != CALL_NONE)
            call_leg_over(t, t->oldest[lists[i]]);
}

void call_table_end(struct call_table *t)
{
    call_live_forget_begun(t);
    call_table_over(t);
    while (t->heap.n)
        call_retire_first(t);
    /* what is parked waits for a leg that is gone: it stands alone */
    while (t->oldest[CALL_PARKED] != CALL_NONE) {
        uint32_t id = t->oldest[CALL_PARKED];
        leg_retire(t, id);
        assert(t->legs.items[id].list != CALL_PARKED);
    }
    call_live_end(t);
}

bool call_leg_is_over(const struct call_table *t, uint32_t leg)
{
    uint8_t list = t->legs.items[leg].list;
    return list == CALL_WAITING || list == CALL_PARKED || list == CALL_TOLD;
}

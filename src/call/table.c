/* The table of legs and sightings: makes, feeds and frees it. */
#include "call/internal.h"

#include <stdlib.h>

struct call_table *call_table_new(const struct hash_key *key, bool follow, uint32_t waiting_max,
                                  const struct call_events *events)
{
    struct call_table *t = base_alloc(sizeof *t);
    t->key = *key;
    t->follow = follow;
    t->waiting_max = waiting_max;
    t->events = *events;
    t->now_ns = INT64_MIN;
    t->free_leg = t->free_sighting = t->free_flow = t->free_frame = t->first_orphan = CALL_NONE;
    for (int i = 0; i < CALL_LISTS; i++)
        t->oldest[i] = t->newest[i] = CALL_NONE;
    t->retired = base_alloc(CALL_RETIRED_SLOTS * sizeof *t->retired);
    return t;
}

void call_table_wait(struct call_table *t, uint32_t waiting_max)
{
    t->waiting_max = waiting_max;
}

struct call_filing call_table_add(struct call_table *t, uint16_t point,
                                  const struct packet_payload *p, const struct sip_message *m)
{
    struct call_filing filing = {CALL_NONE, CALL_NONE, false, false};
    t->stats.messages++;
    if (!t->live && p->time_ns > t->now_ns)
        t->now_ns = p->time_ns;
    if (m->call_id.n == 0) {
        t->stats.no_call_id++;
        call_orphan_file(t, point, p, m, &filing);
        return filing;
    }
    filing.leg = call_leg_file(t, p, m);
    call_sighting_file(t, filing.leg, point, p, m, &filing);
    call_leg_note(t, &filing, p, m);
    if (t->wants.n)
        call_values_note(t, filing.leg, p, m);
    t->stats.retransmissions += filing.retransmission;
    t->stats.duplicates += filing.duplicate;
    call_finish_due(t);
    return filing;
}

const struct call_leg *call_leg_of(const struct call_table *t, uint32_t id)
{
    return &t->legs.items[id];
}

const struct call_sighting *call_sighting_of(const struct call_table *t, uint32_t id)
{
    return &t->sightings.items[id];
}

const struct call_flow *call_flow_of(const struct call_table *t, uint32_t id)
{
    return &t->flows.items[id];
}

const struct call_frame *call_frame_of(const struct call_table *t, uint32_t id)
{
    return &t->frames.items[id];
}

const struct call_stats *call_table_stats(const struct call_table *t)
{
    return &t->stats;
}

void call_table_free(struct call_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->legs.n; i++)
        if (t->legs.items[i].text)
            call_leg_free(t, (uint32_t)i);
    vec_free(&t->wants);
    vec_free(&t->legs);
    vec_free(&t->sightings);
    vec_free(&t->flows);
    vec_free(&t->frames);
    vec_free(&t->heap);
    vec_free(&t->taken);
    map_free(&t->leg_index);
    map_free(&t->sighting_index);
    map_free(&t->flow_index);
    map_free(&t->orphan_index);
    for (size_t i = 0; i < t->orphan_bytes.n; i++)
        free(t->orphan_bytes.items[i]);
    vec_free(&t->orphan_bytes);
    arena_free(&t->scratch);
    free(t->retired);
    free(t);
}

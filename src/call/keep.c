/* A table whose legs are kept: what it holds, and what goes first when that is too much. */
#include "call/internal.h"

#define LEG_TEXT_BYTES 96u /* of Call-ID, caller and callee, with what malloc adds; about */

uint64_t call_table_bytes(const struct call_table *t)
{
    uint64_t sightings = t->sightings.n - t->sightings_free;
    uint64_t legs = t->stats.legs - t->stats.legs_ended;
    return sightings * (sizeof(struct call_sighting) + 2 * sizeof(struct map_slot)) +
           legs * (sizeof(struct call_leg) + LEG_TEXT_BYTES + 2 * sizeof(struct map_slot)) +
           (t->frames.n - t->frames_free) * sizeof(struct call_frame) + t->kept_bytes +
           t->value_bytes;
}

uint32_t call_table_idlest(const struct call_table *t)
{
    static const enum call_list lists[] = {CALL_ACTIVE, CALL_OVER_SOON, CALL_WAITING};
    uint32_t idlest = CALL_NONE;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint32_t id = t->oldest[lists[i]];
        if (id != CALL_NONE &&
            (idlest == CALL_NONE || t->legs.items[id].last_ns < t->legs.items[idlest].last_ns))
            idlest = id;
    }
    return idlest;
}

void call_leg_drop(struct call_table *t, uint32_t leg)
{
    call_leg_free(t, leg);
}

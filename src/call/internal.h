/* Private to call/: the table and its pools. */
#ifndef CALL_INTERNAL_H
#define CALL_INTERNAL_H

#include "call/call.h"

/* Two frames with the same message this close together are one transmission seen twice:
 * retransmissions are at least T1 = 500 ms apart (RFC 3261 17.1.1.1). */
#define CALL_TWIN_MS 100

/* Recently retired Call-IDs, to notice late messages; direct-mapped. */
#define CALL_RETIRED_SLOTS 65536u

#define CALL_RECENT_FLOWS 64u /* direct-mapped */

enum call_list {
    CALL_FREE,
    CALL_ACTIVE,
    CALL_OVER_SOON,
    CALL_WAITING,
    CALL_PARKED,
    /* live: */
    CALL_TALKING,  /* answered, and not ended */
    CALL_SETTLING, /* ended wherever it was seen */
    CALL_PARTLY,   /* ended, but not wherever it was seen */
    CALL_TOLD,     /* handed out */
    CALL_LISTS
};

/* An entry of the waiting heap; stale when the leg's generation has moved on. */
struct call_waiting {
    int64_t start_ns;
    uint32_t leg, generation;
};

struct call_table {
    struct hash_key key;
    bool follow;
    uint32_t waiting_max;
    struct call_events events;
    struct call_stats stats;
    struct arena scratch;
    int64_t now_ns; /* the latest time seen; live: what the owner says */
    bool live;
    uint64_t bytes_max; /* live; 0: no limit */

    VEC(struct call_leg) legs;
    VEC(struct call_sighting) sightings;
    VEC(struct call_flow) flows;
    VEC(struct call_frame) frames;
    uint32_t free_leg, free_sighting, free_flow, free_frame; /* heads of the free lists */
    uint32_t recent_flows[CALL_RECENT_FLOWS]; /* ids; any, where none was found yet */
    uint32_t sightings_free, frames_free;     /* in their free lists */
    struct map leg_index, sighting_index, flow_index;
    struct map orphan_index; /* branch -> sighting */
    uint32_t orphans;        /* how many, and the first of them */
    uint32_t first_orphan;
    VEC(char *) orphan_bytes;
    uint64_t kept_bytes; /* of orphans and all legs */
    VEC(struct call_want) wants;
    uint64_t value_bytes; /* kept of what is wanted */

    uint32_t oldest[CALL_LISTS], newest[CALL_LISTS]; /* by last activity */
    uint32_t listed[CALL_LISTS];
    VEC(struct call_waiting) heap; /* smallest start first */
    VEC(uint32_t) taken;
    uint32_t *retired; /* CALL_RETIRED_SLOTS tags */
};

/* The hash that an index tag stands for (the index looks at its upper half only). */
static inline uint64_t call_hash_of_tag(uint32_t tag)
{
    return (uint64_t)tag << 32;
}

uint32_t call_flow_use(struct call_table *t, const struct packet_payload *p);
void call_flow_release(struct call_table *t, uint32_t flow);
uint32_t call_frame_new(struct call_table *t, uint32_t number, enum call_frame_kind kind,
                        uint32_t next);
/* Finds or makes the sighting of a message; *filing says what it is. */
void call_sighting_file(struct call_table *t, uint32_t leg, uint16_t point,
                        const struct packet_payload *p, const struct sip_message *m,
                        struct call_filing *filing);
void call_sightings_free(struct call_table *t, uint32_t first);

/* Keeps a message without a Call-ID to be found by its Vias. */
void call_orphan_file(struct call_table *t, uint16_t point, const struct packet_payload *p,
                      const struct sip_message *m, struct call_filing *filing);

uint32_t call_leg_file(struct call_table *t, const struct packet_payload *p,
                       const struct sip_message *m);
/* Updates a leg's state by a message just filed. */
void call_leg_note(struct call_table *t, const struct call_filing *filing,
                   const struct packet_payload *p, const struct sip_message *m);
void call_leg_free(struct call_table *t, uint32_t leg);

/* values.c */
void call_values_note(struct call_table *t, uint32_t leg, const struct packet_payload *p,
                      const struct sip_message *m);
void call_values_free(struct call_table *t, struct call_leg *l);
void call_values_summary(const struct call_table *t, const uint32_t *legs, size_t n,
                         struct arena *a, struct call_summary *out);

void call_list_move(struct call_table *t, uint32_t leg, enum call_list list);
/* Its messages are over: it waits to be retired, by its start. */
void call_leg_over(struct call_table *t, uint32_t leg);
void call_retire_first(struct call_table *t);
bool call_leg_ended(const struct call_leg *l);
/* live.c */
void call_live_note(struct call_table *t, uint32_t leg, const struct call_filing *filing,
                    const struct sip_message *m);
/* After `retire`: those that were taken with it, and it. */
void call_live_told(struct call_table *t);
void call_live_end(struct call_table *t);
/* The run ends: what has just begun is not judged, for its answer may be on the way. */
void call_live_forget_begun(struct call_table *t);
/* Puts what is over into the heap and retires what the heap cannot hold. */
void call_finish_due(struct call_table *t);

#endif

/* Private to the joining of legs: what is remembered of a leg's INVITE, and how a joint is scored.
 */
#ifndef HOP_JOIN_H
#define HOP_JOIN_H

#include "hop/internal.h"

#define JOIN_INVITES_MAX 8u  /* sightings of a leg's INVITE that are remembered */
#define JOIN_VALUES_MAX  16u /* header values of an INVITE that may be a key */
#define JOIN_LONG_VALUE  16u /* a value of so many bytes joins legs whose clocks differ, too */
#define JOIN_SECONDS     4   /* a B2BUA begins its second leg within so much of the first */
#define JOIN_MANY        3u  /* legs that carry one value: it tells nothing */
#define JOIN_SCORE       50  /* what it takes */

#define JOIN_RING      16u    /* INVITEs that came in last at an address, as one point saw them */
#define JOIN_NEAR_MAX  4u     /* of these, as many are looked at for a leg that begins there */
#define JOIN_RINGS_MAX 65536u /* addresses for which these are kept */

/* A leg as it was met: its id may be another's later, its serial never. */
struct join_met {
    uint32_t leg;
    uint64_t serial;
    int64_t time_ns;
};

struct join_ring {
    uint64_t place;
    struct join_met met[JOIN_RING];
    uint32_t next;
};

struct join_invite {
    struct endpoint src, dst;
    int64_t time_ns;
    uint16_t point;
    uint8_t direction; /* enum source_direction */
    bool first_hop;    /* one Via: as its maker sent it */
};

struct join_facts {
    bool known;
    uint64_t serial;
    /* legs that came in where this one begins, and the other way round */
    struct join_met near[JOIN_NEAR_MAX];
    size_t near_count;
    uint32_t from_tag, to_tag, cseq;
    int64_t start_ns;
    uint64_t caller, callee; /* hashes of the last digits; 0: none */
    uint64_t parties;        /* of both; 0: one is not known */
    VEC(struct join_invite) invites;
    VEC(uint64_t) keys;                      /* JOIN_VALUES_MAX and two at most */
    uint32_t indexed;                        /* which of them are in the index */
    size_t value_count;                      /* the first keys are values, */
    uint32_t long_values;                    /* which of them have JOIN_LONG_VALUE bytes */
    size_t lasting;                          /* then the tag; what follows is of a second */
    bool begins_at_livekit, ends_at_livekit; /* by LiveKit's tag: it lies first, or last */
};

struct join_candidates {
    uint32_t legs[HOP_CANDIDATES_MAX];
    size_t n;
};

struct hop_joiner {
    struct hash_key key;
    VEC(struct join_facts *) legs; /* by leg id */
    struct map index;              /* key -> leg */
    VEC(struct join_ring) rings;
    struct map ring_index;
    uint64_t serials;
    VEC(uint32_t) marks; /* by leg id: the search that met it last */
    uint32_t search;
    struct join_candidates candidates;
    uint64_t candidates_left_out;
};

enum {
    BY_TAGS = 1,
    BY_VALUE = 2,
    BY_PLACE = 4,
    BY_CALLEE = 8,
    BY_CALLER = 16,
    BY_TIME = 32,
    BY_BEING_ONLY = 64
};

struct join_score {
    unsigned reasons;                   /* BY_... */
    const struct join_invite *in, *out; /* BY_PLACE: the joint's two sides */
};

uint64_t join_key_of(const struct hop_joiner *j, char kind, const void *bytes, size_t n);
/* Something in a second of capture time, `apart` seconds off: what is looked for among the legs of
 * that time only. */
uint64_t join_second_key(uint64_t what, int64_t time_ns, int64_t apart);
/* How many legs are in the index under a key, counted up to a limit. */
size_t join_carriers(const struct hop_joiner *j, uint64_t key, size_t limit);

void join_facts_free(struct join_facts *f);
/* NULL: the leg is gone. */
struct join_facts *join_facts_met(const struct hop_joiner *j, const struct join_met *met);

int join_points_of(const struct join_score *s);
void join_score_print(struct text *out, const struct join_score *s);
/* How well does leg y follow leg x on the path? */
struct join_score join_score_of(const struct hop_joiner *j, const struct hop_nodes *n, uint32_t x,
                                uint32_t y);
/* Which of two legs lies first: 1: x, -1: y, 0: neither can follow the other. */
int join_order(const struct hop_joiner *j, uint32_t x, uint32_t y, const struct join_score *xy,
               const struct join_score *yx);

#endif

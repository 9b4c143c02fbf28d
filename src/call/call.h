/* call: messages become sightings, sightings are filed under legs (Call-IDs), legs end.  A sighting
 * is an index record; the message's bytes stay in the source where that can be read again, else in
 * the leg's arena.  RFC 3261: transactions (17), dialogs (12). */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "base/base.h"
#include "packet/packet.h"
#include "sip/sip.h"

#define CALL_NONE UINT32_MAX

/* Times of the capture's clock. */
#define CALL_LINGER_SECONDS 40         /* after a leg's end: 64*T1 (RFC 3261 17.1.1.2) and some */
#define CALL_IDLE_SECONDS   (6 * 3600) /* a leg that neither ends nor speaks is over then */

/* Ended legs that wait for late messages: with one source there is one clock; those of several may
 * differ by more than the linger. */
#define CALL_WAITING_ONE  256u
#define CALL_WAITING_MANY 4096u

/* Messages cut before their Call-ID are kept to be found by their Vias: so many messages, Vias of
 * each, and messages by one Via. */
#define CALL_ORPHANS_MAX     65536u
#define CALL_ORPHAN_VIAS     32u
#define CALL_ORPHANS_SHARING 128u

/* Bytes kept of messages that can't be read again; messages beyond are counted, and not judged. */
#define CALL_KEPT_BYTES (1ull << 30)

/* Live, a leg that has ended is handed out after a short silence, if its end was answered wherever
 * it was seen and each point that saw the leg saw the end; after a longer one, if some saw no
 * answer or no end (they may have lost it), or the call was refused, since it may be tried again;
 * after the linger, if nobody saw an answer, for a proxy may wait 64*T1 to give one.  It is kept
 * for the linger after that.  A leg with others that still speak waits for them, but not for long.
 */
#define CALL_SETTLE_MS       300
#define CALL_PARTLY_MS       2500
#define CALL_PARKED_MS       5000
#define CALL_RINGING_SECONDS 300 /* a call that nobody answers is over: RFC 3261 16.6, Timer C */

/* Legs not ended, of about 500 bytes each in a list of calls and 1,000 in check; at the limit the
 * longest idle is ended. */
#define CALL_ACTIVE_MAX (1u << 20)

/* Who sent what to whom; shared by sightings. */
struct call_flow {
    struct endpoint src, dst;
    uint8_t transport; /* enum packet_transport */
    uint32_t uses;     /* 0: free */
    uint32_t next_free;
};

/* A further frame of a sighting: a fragment, a retransmission or a duplicate. */
enum call_frame_kind { CALL_FRAME_PART, CALL_FRAME_AGAIN, CALL_FRAME_TWIN };

struct call_frame {
    uint32_t number;
    uint32_t next; /* CALL_NONE: the last */
    uint8_t kind;
};

/* One message at one point: one record however often it was transmitted. */
struct call_sighting {
    int64_t time_ns;  /* of the first transmission */
    uint64_t where;   /* offset in the source, or a pointer to kept bytes (see `kept`) */
    uint32_t length;  /* captured bytes */
    uint32_t missing; /* bytes not captured after them; UINT32_MAX: nobody knows how many */
    uint32_t frame;   /* first transmission's (completing) frame */
    uint32_t more;    /* further frames, newest first */
    uint32_t next;    /* of the same leg, in order of arrival */
    uint32_t leg;     /* CALL_NONE: an orphan, cut before its Call-ID */
    uint32_t flow;
    uint32_t cseq;
    uint32_t tag;              /* upper half of its hash: to find it in the index again */
    uint32_t from_tag, to_tag; /* hashes; 0: none */
    uint32_t transmissions;
    uint32_t last_ms; /* last transmission, milliseconds after time_ns: tells a twin from a
                         retransmission */
    uint16_t point;
    uint16_t status;   /* 0: a request */
    uint16_t ip_id;    /* of the last transmission */
    uint8_t method;    /* enum sip_method */
    uint8_t state;     /* enum sip_state */
    bool headers_cut;  /* not all headers were captured */
    uint8_t direction; /* enum source_direction */
    bool kept;         /* where is a pointer */
    bool taken;        /* an orphan: its message was found */
};

/* A header that is asked for of the messages of each call. */
struct call_want {
    struct slice header;
    bool requests_only;
    struct slice method;             /* empty: any */
    uint16_t status_from, status_to; /* of a response; 0: any message */
};

#define CALL_VALUE_MAX    4096u        /* bytes kept of a value; the rest is cut off, and counted */
#define CALL_VALUES_BYTES (256u << 20) /* of all legs at a time; values beyond are counted */

struct call_value {
    char *text; /* owns value; NULL: not seen */
    struct slice value;
    int64_t time_ns; /* of the message that it is of */
    bool cut;        /* the value goes on in what was not captured */
};

enum call_outcome {
    CALL_PENDING,
    CALL_ANSWERED,
    CALL_ENDED,
    CALL_CANCELLED,
    CALL_FAILED,
    CALL_NOT_A_CALL
};

/* All messages of one Call-ID. */
struct call_leg {
    struct slice call_id;
    char *text;                  /* owns call_id, caller, callee */
    struct slice caller, callee; /* users of From and To of the first INVITE (or first request) */
    int64_t start_ns, last_ns;
    int64_t answer_ns, end_ns; /* 0: not yet */
    int64_t heard_ns;          /* live: of the last message, or of its being handed out */
    uint64_t ended_at;         /* live: points that saw its end, as in `points` */
    int16_t open_invites, open_byes, open_others; /* live: transactions seen without a final answer,
                                                     at each place */
    uint32_t first, last;                         /* sightings */
    uint32_t count;                               /* sightings */
    uint32_t messages;                            /* with retransmissions */
    uint32_t newer, older;                        /* neighbours in the list by last activity */
    uint32_t tag;                                 /* upper half of the Call-ID's hash */
    uint64_t points;     /* bit i: point i saw it; the last bit: that or a later one */
    uint32_t from_tag;   /* of the first INVITE: tells the directions apart */
    uint32_t generation; /* counts returns from the waiting heap */
    uint32_t number;     /* of the Call-ID in order of appearance, from 1 */
    uint16_t status;     /* final answer to the INVITE */
    uint8_t method;      /* of the first request seen */
    uint8_t list;        /* which list it is in (private) */
    bool invited, accepted, bye, cancelled, refused, other_final, dialog;
    bool bye_answered; /* live: at one place at least */
    bool told;         /* live: it was handed out, and is kept for what comes late */
    bool overdue;      /* live: it is to be handed out whatever it waits for */
    VEC(char *) kept;  /* bytes of messages that can't be read again */
    uint64_t kept_bytes;
    struct call_value *values; /* value_count of the headers asked for; NULL: none was seen */
    uint32_t value_count;
    uint32_t asked; /* headers that all its messages were asked for */
};

/* What `sipxray calls` prints of a finished call. */
struct call_summary {
    const struct slice *call_ids; /* several where legs were joined */
    size_t call_id_count;
    uint32_t number; /* of its first leg: how every list numbers calls, and what is no call */
    struct slice caller, callee;
    int64_t start_ns, answer_ns, end_ns, last_ns;
    enum call_outcome outcome;
    uint16_t status;     /* final answer to the INVITE; 0: none */
    struct slice method; /* of the first request: INVITE, REGISTER ... */
    uint32_t messages, sightings;
    struct endpoint src, dst; /* of its first message */
    const uint32_t *points;   /* indexes, ascending */
    size_t point_count;
    const struct call_value *const *values; /* of each header asked for; NULL: not seen */
};

struct call_stats {
    uint64_t messages;
    uint64_t retransmissions, duplicates;
    uint64_t no_call_id;   /* messages that belong to no call, or only by their Vias */
    uint64_t kept_lost;    /* messages whose bytes were not kept, for CALL_KEPT_BYTES were */
    uint64_t orphans_lost; /* beyond CALL_ORPHANS_MAX or CALL_ORPHANS_SHARING */
    uint64_t legs, legs_ended;
    uint64_t legs_idle;    /* ended for CALL_IDLE_SECONDS of silence */
    uint64_t legs_evicted; /* ended at CALL_ACTIVE_MAX */
    uint64_t
        legs_unfinished;    /* live: at the end of the run, neither answered nor silent for long */
    uint64_t legs_squeezed; /* live: given up at the limit of bytes, without being judged */
    uint64_t values_cut;    /* longer than CALL_VALUE_MAX */
    uint64_t values_lost;   /* not kept, for CALL_VALUES_BYTES were */
    uint64_t late; /* messages for a Call-ID whose leg had been handed out already (counted as a new
                      leg) */
};

struct call_table;

/* What the table tells its owner.  `over`: a leg has ended and lingered; it may still revive and be
 * over again. `retire`: the leg must be handed out now; true: the callee took it (and perhaps
 * others, by call_leg_take), false: it is parked, to be taken together with another leg later.
 * Before the last legs are retired at the end of the input, `over` was called for each.  Live, a
 * leg that was retired may be so again, where more of it came. */
struct call_events {
    void (*over)(void *context, uint32_t leg);
    bool (*retire)(void *context, uint32_t leg);
    void (*let_go)(void *context, uint32_t leg); /* live: one that was handed out is freed now */
    void *context;
};

struct call_filing {
    uint32_t leg,
        sighting; /* CALL_NONE: the message has no Call-ID; an orphan has a sighting all the same */
    bool retransmission, duplicate;
};

/* follow: the messages will be followed by their tags, and the bytes of those that can't be read
 * again from their source are kept.  waiting_max: ended legs held, CALL_WAITING_ONE or
 * CALL_WAITING_MANY. */
struct call_table *call_table_new(const struct hash_key *key, bool follow, uint32_t waiting_max,
                                  const struct call_events *events);
/* Further headers whose values are kept of each leg; their names are borrowed.  Legs that are there
 * already have to be asked for them. */
void call_table_want(struct call_table *t, const struct call_want *wants, size_t n);
/* Hands out the bytes of a sighting's message, in the arena or longer-lived; false: they are gone.
 */
typedef bool call_reader(void *context, const struct call_sighting *s, struct arena *a,
                         struct slice *bytes);
bool call_leg_is_asked(const struct call_table *t, uint32_t leg);
/* Reads its messages again, as far as they can have what is wanted since it began. */
void call_leg_ask(struct call_table *t, uint32_t leg, call_reader *reader, void *context);
/* Another number of ended legs to hold. */
void call_table_wait(struct call_table *t, uint32_t waiting_max);
/* Files a message seen at a point, then retires what is due. */
struct call_filing call_table_add(struct call_table *t, uint16_t point,
                                  const struct packet_payload *payload,
                                  const struct sip_message *m);
/* Ends and retires every leg, in order of their start. */
void call_table_end(struct call_table *t);
/* From now on legs are handed out as CALL_SETTLE_MS and so on have it, by a clock that the owner
 * sets before each message and whenever time has passed; it never goes back.  Beyond so many bytes
 * (0: no limit) legs are given up: those handed out first, then those never answered, the longest
 * silent first. */
void call_table_live(struct call_table *t, uint64_t bytes_max);
void call_table_clock(struct call_table *t, int64_t now_ns); /* hands out what is due */
bool call_table_settles(
    const struct call_table *t); /* some leg is to be handed out within seconds */
uint32_t call_table_open(const struct call_table *t); /* legs that have not ended */
/* Within `retire`: this leg goes with the one being retired; it is freed when `retire` returns
 * true. */
void call_leg_take(struct call_table *t, uint32_t leg);
bool call_leg_is_over(const struct call_table *t, uint32_t leg);

/* A table whose legs are kept to be looked at (waiting_max CALL_KEEP) retires none: who owns it
 * says that the input is over, which parts with no leg, and drops what there is no room for. */
#define CALL_KEEP UINT32_MAX
void call_table_over(struct call_table *t);
uint64_t call_table_bytes(const struct call_table *t);  /* held for legs and sightings, about */
uint32_t call_table_idlest(const struct call_table *t); /* the longest silent leg, or CALL_NONE */
void call_leg_drop(struct call_table *t, uint32_t leg);

/* Orphans with a Via of this branch: calls visit for each.  A message that the snap length cut
 * before its Call-ID is still known by the Vias above it. */
void call_orphans(const struct call_table *t, struct slice branch,
                  void (*visit)(void *context, uint32_t sighting), void *context);
/* It belongs to a message, which was handed out: no other is shown it. */
void call_orphan_take(struct call_table *t, uint32_t sighting);

const struct call_leg *call_leg_of(const struct call_table *t, uint32_t id);
const struct call_sighting *call_sighting_of(const struct call_table *t, uint32_t id);
const struct call_flow *call_flow_of(const struct call_table *t, uint32_t id);
const struct call_frame *call_frame_of(const struct call_table *t, uint32_t id);
/* The summary of legs that belong together; arrays are in the arena. */
void call_legs_summary(const struct call_table *t, const uint32_t *legs, size_t n, struct arena *a,
                       struct call_summary *out);
const char *call_outcome_name(enum call_outcome o);
const struct call_stats *call_table_stats(const struct call_table *t);
void call_table_free(struct call_table *t);

#endif

/* Private to check/: how causes are found.  The facts of a call are gathered once; each file looks
 * for the causes of one kind.  A cause is certain only where the capture excludes every other that
 * is known: what it rests on stands where it is claimed. */
#ifndef CHECK_CAUSE_H
#define CHECK_CAUSE_H

#include "check/internal.h"

/* What LiveKit's 100 tells of its version: since v1.3.0 it has a To-tag. */
enum cause_mark { CAUSE_MARK_NONE, CAUSE_MARK_UNTAGGED, CAUSE_MARK_TAGGED };

/* Before v1.8.0 LiveKit sends an ACK to the 200 that its BYE gets. */
enum cause_ack { CAUSE_ACK_UNKNOWN, CAUSE_ACK_SENT, CAUSE_ACK_NOT_SENT };

VEC_TYPE(cause_evidence, struct check_evidence);

struct cause {
    enum check_cause_id id;
    enum check_confidence confidence;
    struct slice place; /* where it acts; empty: nowhere in particular */
    bool explains;      /* an error, or that nothing could be judged; else it is worth knowing */
    struct slice message, remedy;
    struct cause_evidence evidence;
};

VEC_TYPE(causes, struct cause);

/* What is known of a call before any cause is looked for; NULL: not seen. */
struct cause_work {
    struct check_work *w;
    const struct check_call *call;
    struct arena *arena;
    const struct hop_nodes *nodes;
    const struct hop_journey *invite; /* that began the dialog */
    const struct hop_journey *ok;     /* the 2xx to it */
    const struct hop_journey *bye;    /* LiveKit's first */
    const struct hop_journey *refer;  /* LiveKit's first */
    const struct hop_journey *far_bye;
    const struct hop_journey *proxy_bye; /* that a proxy made with LiveKit's tag */
    bool inbound;
    bool transferred; /* there is a REFER that may be LiveKit's, though a proxy hides that */
    enum cause_mark mark;
    struct check_evidence mark_seen;
    enum cause_ack ack;
    struct slice canary; /* header of the attribute that is always set; empty: not mapped */
    struct causes causes;
};

/* cause_facts.c */
void cause_facts(struct cause_work *c);
bool cause_by_livekit(const struct hop_journey *j);
/* Captured as it left its sender, whole enough to tell which headers it has not. */
bool cause_as_sent(const struct hop_journey *j);
bool cause_has_words(struct slice s, struct slice words); /* in upper or lower case */
bool cause_has(const struct hop_sighting *s, struct slice name);
bool cause_is_mapped(const struct expect_trunk *t, struct slice name); /* attributes_to_headers */
bool cause_is_fixed(const struct expect_trunk *t, struct slice name);  /* headers */
bool cause_is_read(const struct expect_trunk *t, struct slice name);   /* headers_to_attributes */
struct slice cause_attribute(const struct expect_trunk *t, struct slice header);
/* How many headers of attributes_to_headers a message of LiveKit's has at its first sighting. */
size_t cause_mapped_on(const struct cause_work *c, const struct hop_journey *j);
/* It was seen at the node, on its way in or out. */
bool cause_at_node(const struct cause_work *c, const struct hop_sighting *s, uint32_t node,
                   enum source_direction side);
/* The earliest time of both at one point, in nanoseconds between them; false: no point saw both. */
bool cause_apart(const struct hop_journey *from, const struct hop_journey *to, int64_t *ns);

/* cause.c: adding */
struct cause *cause_add(struct cause_work *c, enum check_cause_id id,
                        enum check_confidence confidence, struct slice message);
void cause_see(struct cause_work *c, struct cause *cause, const struct hop_journey *j, size_t step);
void cause_see_frame(struct cause *cause, struct check_evidence seen);
void cause_see_first(struct cause_work *c, struct cause *cause, const struct hop_journey *j);
/* "X-A, X-B and 3 more" */
struct slice cause_names(struct arena *a, const struct slice *names, size_t n);

/* The kinds, each in its file */
void cause_of_senders(struct cause_work *c); /* cause_sender.c: LiveKit did not send it */
/* cause_map.c: no map acts; what LiveKit sends is another trunk's; which trunk, which map */
void cause_of_mapping(struct cause_work *c, bool canary_silent);
bool cause_of_other_trunk(struct cause_work *c);
void cause_of_trunk(struct cause_work *c);
void cause_of_path(struct cause_work *c); /* cause_path.c: it was lost on the way */
void cause_of_fate(struct cause_work *c); /* cause_fate.c: the message as a whole */
void cause_of_end(struct cause_work *c);  /* cause_end.c: who ended the call */

#endif

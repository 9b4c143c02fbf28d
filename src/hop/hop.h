/* hop: which way a message went.  Learns which addresses are one node and which node each point was
 * taken on, joins the legs of a call over differing Call-IDs, and puts the sightings of each
 * message in path order. */
#ifndef HOP_HOP_H
#define HOP_HOP_H

#include "base/base.h"
#include "call/call.h"
#include "packet/packet.h"
#include "sip/sip.h"

/* ---- messages, read again ------------------------------------------------------------------- */

/* Gives a sighting's captured bytes, in the arena.  False: they can't be read (the file changed).
 */
typedef bool hop_reader(void *context, const struct call_sighting *s, struct arena *a,
                        struct slice *bytes);

/* A sighting with its message scanned again.  All in the arena of the call. */
struct hop_sighting {
    uint32_t id; /* call_sighting */
    const struct call_sighting *index;
    const struct call_leg *leg; /* of an orphan: of the message that it belongs to */
    uint32_t cseq;              /* likewise */
    struct endpoint src, dst;
    uint8_t transport;
    const struct sip_message *message;
    const struct sip_via *vias; /* topmost first */
    size_t via_count;
    uint32_t src_node, dst_node; /* hop_nodes ids */
    enum source_direction
        side; /* OUT: seen on the sending node, IN: on the receiving, UNKNOWN: in between */
};

/* ---- nodes ---------------------------------------------------------------------------------- */

#define HOP_NODE_NONE     UINT32_MAX
#define HOP_ADDRESSES_MAX 65536u /* told apart; further ones are nobody's, and counted */

struct hop_nodes;

struct hop_nodes *hop_nodes_new(const struct hash_key *key);
void hop_nodes_free(struct hop_nodes *n);
/* Points are numbered from 0 in the order in which they are made known.  The name is borrowed. */
void hop_nodes_add_point(struct hop_nodes *n, const char *name);
/* --node NAME=ADDR[,ADDR...] */
bool hop_nodes_name(struct hop_nodes *n, const char *spec, struct err *err);
/* An address that a capture claims for the host it was taken on. */
void hop_nodes_host_address(struct hop_nodes *n, uint16_t point, const struct address *a);
/* A message went from src to dst, as seen at a point. */
void hop_nodes_saw(struct hop_nodes *n, uint16_t point, const struct endpoint *src,
                   const struct endpoint *dst, enum source_direction direction);
/* Both are the same end of one transmission: where the one is an unnamed address (address_unnamed),
 * it is of the node that has the other. */
void hop_nodes_same_end(struct hop_nodes *n, const struct endpoint *a, const struct endpoint *b);
/* Both are addresses of one node: what it received at `in` it sent on from `out`.  `vias`: by the
 * Via stack (the node adds its Via to those that came), the strongest evidence. */
void hop_nodes_join(struct hop_nodes *n, const struct endpoint *in, const struct endpoint *out,
                    bool vias);
/* A Via sent-by or Record-Route that names a node which sends from src. */
void hop_nodes_alias(struct hop_nodes *n, const struct address *advertised,
                     const struct endpoint *src);
/* On an address with several elements, where the port tells them apart: the one that opened a
 * connection from src is reached at another port, as its Via says. */
void hop_nodes_listens(struct hop_nodes *n, const struct endpoint *at, const struct endpoint *src);
/* The node forwards what it receives, so its capture has more than one link. */
void hop_nodes_forwards(struct hop_nodes *n, const struct endpoint *at);
/* LiveKit sends from here (wire marks), or was named by --livekit. */
void hop_nodes_livekit(struct hop_nodes *n, const struct endpoint *at);
/* A number may be the name of a point that comes later (a capture id of HEP); where others may come
 * as well (`later`), so may any name. */
bool hop_nodes_name_livekit(struct hop_nodes *n, const char *name_or_address, bool later,
                            struct err *err);
/* The name that none of the points has so far; NULL: one has it, or it was an address. */
const char *hop_nodes_awaited(const struct hop_nodes *n);

/* Works out which node each point is on; to be called before the questions below when something was
 * learned. */
void hop_nodes_settle(struct hop_nodes *n);
bool hop_nodes_unsettled(
    const struct hop_nodes *n); /* enough was learned since to ask for it again */
uint32_t hop_node_at(const struct hop_nodes *n,
                     const struct endpoint *e); /* HOP_NODE_NONE: never seen */
/* As a Via, Route or Contact names it, aliases too; its port counts where elements share the
 * address. */
uint32_t hop_node_of_host(const struct hop_nodes *n, const struct endpoint *e);
uint32_t hop_node_of_point(const struct hop_nodes *n, uint16_t point);
bool hop_node_has_point(const struct hop_nodes *n, uint32_t node); /* a point is on it */
bool hop_node_keeps_vias(const struct hop_nodes *n,
                         uint32_t node); /* was joined by the Via stack */
bool hop_node_forwards(const struct hop_nodes *n, uint32_t node);
bool hop_node_is_livekit(const struct hop_nodes *n, uint32_t node);
bool hop_nodes_know_livekit(const struct hop_nodes *n);
/* A point's name, --node's, else its first address. */
struct slice hop_node_name(const struct hop_nodes *n, uint32_t node);
/* A node as the report lists it: its addresses in order of appearance, then those that it
 * advertises only. */
struct hop_node {
    uint32_t id;
    struct slice *addresses;
    size_t address_count;
};
/* All nodes, in order of appearance. */
size_t hop_node_list(const struct hop_nodes *n, struct arena *a, const struct hop_node **nodes);
uint64_t hop_nodes_overflow(const struct hop_nodes *n); /* addresses beyond HOP_ADDRESSES_MAX */

bool hop_point_on(const struct hop_nodes *n, uint32_t node); /* some point was taken there */

/* ---- marks on messages ---------------------------------------------------------------------- */

struct slice hop_header_tag(const struct hop_sighting *s, enum sip_header_id id);
bool hop_tag_is_livekit(struct slice tag);
/* "z9hG4bK." and 16 alphanumerics, as LiveKit's SIP stack makes them. */
bool hop_branch_is_livekit(struct slice branch);
/* As kamailio and its relatives make them. */
bool hop_branch_is_proxy(struct slice branch);
bool hop_names_itself_proxy(const struct hop_sighting *s); /* by its User-Agent or Server */
/* The node that a Via, Route or Contact names; HOP_NODE_NONE: no address, or nobody's. */
uint32_t hop_node_named(const struct hop_nodes *n, struct slice host, uint16_t port);

/* ---- legs that belong together -------------------------------------------------------------- */

struct hop_joiner;

#define HOP_CANDIDATES_MAX 256u /* legs looked at as partners of one leg; more are counted */

struct hop_joiner *hop_joiner_new(const struct hash_key *key);
/* A message was filed as a new sighting: what an INVITE and its answers tell of their leg is
 * remembered. */
void hop_joiner_note(struct hop_joiner *j, const struct call_table *t, uint32_t sighting,
                     const struct sip_message *m);
void hop_joiner_forget(struct hop_joiner *j, uint32_t leg);
/* The legs of one call, this one included, caller's side first, and how they were joined (empty for
 * one). */
size_t hop_joiner_legs(struct hop_joiner *j, const struct call_table *t, const struct hop_nodes *n,
                       uint32_t leg, struct arena *a, const uint32_t **legs, struct slice *how);
/* Where one point saw the node between two joined legs: the address that received and the one that
 * sent. */
bool hop_joiner_joint(struct hop_joiner *j, const struct hop_nodes *n, uint32_t up, uint32_t down,
                      struct endpoint *in, struct endpoint *out);
uint64_t hop_joiner_left_out(const struct hop_joiner *j); /* candidates beyond HOP_CANDIDATES_MAX */
void hop_joiner_free(struct hop_joiner *j);

/* ---- journeys ------------------------------------------------------------------------------- */

/* How a sighting hangs together with the one before it on the path. */
enum hop_link {
    HOP_FIRST, /* nothing before it */
    HOP_WIRE,  /* the same transmission, seen again further on: only a link lies between */
    HOP_NODE,  /* exactly one node lies between: it received the one and sent the other */
    HOP_GAP,   /* more lies between than was captured */
};

struct hop_step {
    const struct hop_sighting *sighting;
    enum hop_link link;
    uint32_t node; /* HOP_NODE: which */
    const struct slice
        *between; /* HOP_GAP: display names of nodes known to lie between, in path order */
    size_t between_count;
};

/* A request or a response followed from its sender.  A forked request has one journey for each
 * branch. */
struct hop_journey {
    enum sip_method method;
    struct slice method_name;
    uint16_t status; /* 0: a request */
    uint32_t cseq;   /* at the first step */
    uint32_t number; /* of the message in order of time, those not followed too; from 0 */
    bool downstream; /* from the caller's side (the INVITE's direction) */
    bool orientation_known;
    bool aside; /* outside of the span asked for: for what it tells of others */
    const struct hop_step *steps;
    size_t step_count;
    uint32_t sender;             /* node; HOP_NODE_NONE: not known */
    struct slice sender_address; /* empty: not known */
    bool from_sender; /* the first sighting is as it left its sender: nothing can lie before */
    const struct slice
        *before; /* !from_sender: display names of nodes known to lie before the first step */
    size_t before_count;
    bool livekit_sent;  /* by its marks */
    bool livekit_known; /* false: the captures cannot tell who sent it */
    bool made_by_proxy; /* wears LiveKit's tag, but began at another node */
    const struct hop_sighting
        *answer_sighting; /* of a request: its final response nearest its sender, or NULL */
    bool swallowed;       /* the last node saw it, did not answer and did not send it on */
    uint32_t swallowed_by;
};

enum hop_direction { HOP_UNKNOWN, HOP_INBOUND, HOP_OUTBOUND };

/* 5060, 5061 and those after them that are taken by custom: what TLS carries there is SIP. */
static inline bool hop_is_sip_port(uint16_t port)
{
    return port >= 5060 && port < 5100;
}

/* A TLS connection that was not decrypted, as a point saw it. */
struct hop_hidden {
    uint16_t point;
    struct endpoint src, dst; /* client and server */
    uint32_t frame;           /* of its first record that was not read */
    int64_t first_ns, last_ns;
};

struct hop_call {
    const struct call_table *table;
    const struct hop_nodes *nodes;
    const uint32_t *legs;
    size_t leg_count;
    struct slice joined;
    enum hop_direction direction;       /* as LiveKit sees it */
    bool is_call;                       /* has a dialog: INVITE, BYE, REFER ... */
    const struct hop_journey *journeys; /* in order of time */
    size_t journey_count;
    uint64_t sightings_left_out; /* beyond HOP_GROUP_MAX and what follows it below */
    size_t message_count;        /* that could be followed; from span_from */
    size_t span_from, span_to;   /* to before span_to they are, as far as a span was asked for */
    const struct hop_hidden *hidden; /* set by the caller of hop_call_build */
    size_t hidden_count;
};

#define HOP_GROUP_MAX   512u         /* sightings of one message that are put in order */
#define HOP_CLASSES_MAX 2048u        /* messages of one call that are followed, */
#define HOP_PATHS_MAX   4096u        /* on so many ways, branches of forks counted one by one, */
#define HOP_CALL_BYTES  (256u << 20) /* in so much memory and what one message takes more */

/* Feeds hop_nodes with what the messages of legs tell; several: of one call, over which they are
 * followed. */
void hop_learn_legs(struct hop_nodes *n, const struct call_table *t, const uint32_t *legs,
                    size_t leg_count, struct arena *scratch, hop_reader *reader, void *context);
/* Which messages are worth following: the rest of a call is left aside. */
typedef bool hop_wanted(const void *context, enum sip_method method, uint16_t status);

/* A part of a call: so many messages in order of time. */
struct hop_span {
    uint32_t most;
    uint32_t from;   /* the first of them, counted from 0, */
    uint32_t around; /* or a sighting whose message is in the middle; CALL_NONE: from */
};

struct hop_source {
    hop_reader *reader;
    void *context;
    hop_wanted *wanted; /* NULL: all */
    const void *wanted_context;
    const struct hop_span *span; /* NULL: all, HOP_CLASSES_MAX at most, of the two ends */
};

/* Builds the journeys of a call; everything is in the arena.  Transactions that reach into a span
 * are followed as a whole, and the first INVITE: what lies outside is `aside`. */
struct hop_call *hop_call_build(struct arena *a, const struct call_table *t,
                                const struct hop_nodes *n, const uint32_t *legs, size_t leg_count,
                                const struct hop_source *source);
/* "kam1:in"; the point's name alone where the side is not known. */
struct slice hop_sighting_at(struct arena *a, const struct hop_nodes *n,
                             const struct hop_sighting *s);
const char *hop_point_name(const struct hop_nodes *n, uint16_t point);

#endif

/* Private to hop/. */
#ifndef HOP_INTERNAL_H
#define HOP_INTERNAL_H

#include "hop/hop.h"

/* ---- nodes.c, settle.c ---------------------------------------------------------------------- */

/* An address (or, where several elements share one address, an address and port) that packets
 * carry. */
struct hop_address {
    struct address ip;
    uint16_t port;   /* 0 unless its address is shared */
    uint32_t parent; /* union-find: the node is the root's index */
    bool keeps_vias; /* of the node, kept at the root */
    bool forwards;   /* likewise */
    bool livekit;    /* likewise */
    bool in_packets; /* some packet carries it */
    bool passing;    /* the port of a connection that its element opened, not one to reach it at */
    struct slice text; /* as it is shown */
    uint32_t name;     /* index into names + 1, at the root; 0: none */
};

/* A point saw a message from one address to another. */
struct hop_seen {
    uint32_t src, dst;
    uint16_t point;
    bool first; /* no point saw this pair before */
};

struct hop_point {
    const char *name;
    uint32_t node; /* an address index; HOP_NODE_NONE */
};

/* What the directions of frames say of an address at a point. */
struct hop_own {
    uint32_t address;
    uint16_t point;
    bool claimed; /* by the capture itself */
    uint32_t mine, not_mine;
};

struct hop_alias {
    struct address advertised;
    uint32_t address;
    bool ambiguous; /* several nodes claim it: a private address behind NAT */
};

struct hop_name {
    struct slice name;
    uint32_t address;
};

#define HOP_SEEN_MAX 262144u /* links of all points kept apart */

struct hop_nodes {
    struct hash_key key;
    struct arena arena;
    VEC(struct hop_point) points;
    VEC(struct hop_address) addresses;
    struct map address_index;
    VEC(struct address) shared; /* addresses with several elements on them, told apart by port */
    VEC(struct hop_seen) seen;
    struct map seen_index; /* by pair and point */
    struct map pair_index; /* by pair */
    VEC(struct hop_own) own;
    struct map own_index;
    VEC(struct hop_alias) aliases;
    struct map alias_index;
    struct map patterns; /* ways that messages went, as often as they were looked at */
    VEC(struct hop_name) names;
    const char *livekit_point; /* --livekit with a point's name; NULL: none */
    bool know_livekit;
    uint64_t overflow;
    uint64_t changes, settled_at;
    bool united;      /* two nodes became one since they were settled */
    unsigned settled; /* how often that was heeded at once */
};

/* Several elements are on it, told apart by port. */
bool hop_is_shared(const struct hop_nodes *n, const struct address *ip);
/* The address of an endpoint, made when `make` is set. */
uint32_t hop_address_of(struct hop_nodes *n, const struct endpoint *e, bool make);
uint32_t hop_root(const struct hop_nodes *n, uint32_t address);
void hop_unite(struct hop_nodes *n, uint32_t a, uint32_t b);
bool hop_was_seen(const struct hop_nodes *n, uint32_t src, uint32_t dst, uint16_t point);

/* ---- load.c --------------------------------------------------------------------------------- */

struct hop_loader {
    struct sip_scanner *scanner;
    hop_reader *reader;
    void *context;
};

/* Reads, scans and resolves a sighting again.  NULL: its bytes are no longer to be had. */
struct hop_sighting *hop_load(struct arena *a, const struct call_table *t,
                              const struct hop_nodes *n, uint32_t id, struct hop_loader *loader);

/* One message on its way: ids of its sightings, in order of time. */
struct hop_class {
    const uint32_t *ids;
    size_t n;
    int64_t time_ns; /* of the first */
    uint32_t method, cseq, from_tag;
    uint32_t number;      /* in order of time */
    uint32_t transaction; /* the same for those of one; span.c */
    bool followed, aside; /* aside: for what it tells of others, not asked for */
};

size_t hop_classes(struct arena *a, const struct call_table *t, const uint32_t *legs,
                   size_t leg_count, struct hop_class **out);
/* Loads at most `limit` sightings of a class. */
size_t hop_class_load(struct arena *a, const struct call_table *t, const struct hop_nodes *n,
                      const struct hop_class *class, size_t limit, struct hop_loader *loader,
                      struct hop_sighting ***out);

/* ---- span.c: which classes are followed ----------------------------------------------------- */

#define HOP_CLASSES_END   512u /* of HOP_CLASSES_MAX, messages at the end of a call that has more */
#define HOP_CLASSES_FIRST 64u  /* beside a span, of the call's first INVITE */

/* Puts what is wanted in order of time and chooses of it.  Returns how many, in that order, lie
 * before those that have skipped ones before them. */
size_t hop_span_choose(struct arena *a, const struct hop_span *span, struct hop_class **wanted,
                       size_t n, struct hop_call *call);

/* How many messages of a kind were skipped on a leg, for the k-th of a kind goes on as the k-th. */
struct hop_kind {
    uint32_t leg, method, status, from_tag, n;
};

struct hop_skipped {
    VEC(struct hop_kind) kinds;
    struct map index;
    uint32_t before; /* all of them lie before the message of this number */
};

struct hop_path;
void hop_skipped_count(struct hop_skipped *s, const struct call_table *t,
                       struct hop_class *const *order, size_t before);
uint32_t hop_skipped_of(const struct hop_skipped *s, const struct hop_path *p);
void hop_skipped_free(struct hop_skipped *s);

#define HOP_ADOPT_MAX 128u /* sightings of unknown belonging that are looked at for one message */
#define HOP_LOOSE_MAX 512u /* of these, as many of one call as lack CSeq or tags only */

/* Sightings of a call that are cut before their CSeq or tags, so that no class is theirs for
 * certain. */
struct hop_loose {
    uint32_t *ids;
    bool *taken; /* found to belong to a class */
    size_t n;
};

/* Adds the orphans (call.h) and the loose sightings that belong to the message by their Vias. */
size_t hop_adopt(struct arena *a, const struct call_table *t, const struct hop_nodes *n,
                 struct hop_loader *loader, struct hop_loose *loose, struct hop_sighting ***seen,
                 size_t count);
bool hop_via_equal(const struct sip_via *a, const struct sip_via *b);
/* Are the last vias of `longer` exactly those of `shorter`? */
bool hop_vias_end_with(const struct hop_sighting *longer, const struct hop_sighting *shorter);

/* ---- wire.c: one message on its SIP hops ---------------------------------------------------- */

/* A transmission between two neighbouring SIP elements, seen at one or more points. */
struct hop_wire {
    struct hop_sighting **seen; /* in path order */
    size_t n;
    const struct hop_sighting *head; /* any with all its headers, for its Vias */
    uint32_t src_node, dst_node;
    int64_t time_ns;
    uint32_t parent; /* index; HOP_NODE_NONE: root */
    uint32_t root;   /* index of the first above it, or its own */
    enum hop_link link;
    const struct slice *between;
    size_t between_count;
    bool has_child;
};

struct hop_wires {
    struct hop_wire *items;
    size_t n;
};

/* Sorts the sightings of one message (one class) into transmissions and links them by their Via
 * stacks. */
struct hop_wires hop_wires_make(struct arena *a, const struct hop_nodes *n,
                                struct hop_sighting **seen, size_t count);
/* Links what the Vias leave apart: by nodes, then by the order in which they must lie. */
void hop_wires_link(struct arena *a, const struct hop_nodes *n, struct hop_wires *w);
/* A point saw both: what was received and what was sent on. */
bool hop_wires_share_point(const struct hop_wire *a, const struct hop_wire *b);
/* A host (and port; 0: none given) as a Via, Route or Contact has it.  False: it is no address. */
bool hop_host_endpoint(struct slice host, uint16_t port, struct endpoint *e);
struct slice hop_host_name(struct arena *a, const struct hop_nodes *n, struct slice host,
                           uint16_t port);
/* Which may go further, so lies first: 1: x, -1: y, 0: they do not tell (Max-Forwards). */
int hop_wires_forwards(const struct hop_wire *x, const struct hop_wire *y);
struct slice hop_node_or_address(struct arena *a, const struct hop_nodes *n, uint32_t node,
                                 const struct endpoint *e);

/* ---- sender.c, stitch.c, answer.c ----------------------------------------------------------- */

/* A journey while it is being built. */
struct hop_path {
    struct hop_journey journey;
    struct hop_step *steps; /* journey.steps, writable */
    uint32_t leg, last_leg; /* of its first and last step */
    uint32_t tail;          /* index of the path that its last steps came from; at first its own */
    bool stays;             /* challenged on its leg: it does not go on to the next */
    uint32_t rank;          /* among its kind on its leg */
    uint32_t from_tag;      /* class */
    int64_t time_ns;
    uint32_t first_src, last_dst; /* nodes */
    const struct hop_sighting *first, *last;
    bool merged; /* became part of another */
};

VEC_TYPE(hop_paths, struct hop_path);

void hop_path_sender(struct arena *a, const struct hop_nodes *n, struct hop_path *p);
void hop_paths_responders(struct arena *a, const struct hop_nodes *n, struct hop_paths *paths);
void hop_paths_stitch(struct arena *a, const struct hop_call *call,
                      const struct hop_skipped *skipped, struct hop_paths *paths);
void hop_paths_answers(const struct hop_nodes *n, struct hop_paths *paths);

#endif

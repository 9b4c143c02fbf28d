/* Private to tcp*.c: TCP connections (RFC 9293) as a capture shows them.
 *
 * A connection is known by its two endpoints.  VLAN, tunnel and interface are no part of the key: a
 * capture on all interfaces of a host shows each segment several times, and a second copy is no
 * more than a retransmission; a mirror may tag one direction only, and an overlay that routes has a
 * network of its own for each.  But where two networks use the same addresses and ports, the
 * sequence numbers of a segment of the one fit nothing of the other, which makes it another
 * connection.  (SCTP has its verification tags for that.)
 *
 * Sequence numbers are compared by their difference, which is taken to be small: what lies further
 * away than TCP_WINDOW belongs to another connection between the same endpoints. */
#ifndef PACKET_TCP_H
#define PACKET_TCP_H

#include "packet/stream.h"

#define TCP_WINDOW (16 * 1024 * 1024)
#define TCP_NONE   UINT32_MAX
/* Connections between the same endpoints in so many networks are told apart. */
#define TCP_NETWORKS 8u

static inline int32_t tcp_distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* The data of one segment: n bytes were sent, of which the first `bytes` were captured. */
struct tcp_data {
    uint32_t seq, n;
    struct slice bytes;
    const struct packet_part *parts; /* over `bytes` */
    size_t part_count;
};

/* ---- tcp_pending.c: what came before its turn ------------------------------------------------ */

/* The copy of a segment, shared by the pieces that are waiting of it. */
struct tcp_segment {
    uint32_t pieces;
    uint32_t part_count;
    size_t size; /* of all this */
    char *bytes;
    struct packet_part parts[];
};

struct tcp_piece {
    uint32_t seq, n;
    uint32_t have; /* captured bytes of the n */
    uint32_t at;   /* in the segment */
    struct tcp_segment *of;
};

/* Pieces in the order of their sequence numbers, which never overlap. */
struct tcp_pending {
    struct tcp_piece *items; /* from items[first] on */
    size_t first, n, cap;
    size_t bytes;
    int64_t since_ns; /* when the first of them came */
};

static inline const struct tcp_piece *tcp_pending_first(const struct tcp_pending *p)
{
    return p && p->n ? &p->items[p->first] : NULL;
}

/* Adds what is not there yet: of two copies the first is kept.  `origin` is a sequence number near
 * which all of them lie.  Makes *p where it is NULL.  False: the copies differ. */
bool tcp_pending_add(struct packet_decoder *d, struct tcp_pending **p, uint32_t origin,
                     const struct tcp_data *data, int64_t now);
/* Removes the first piece; the last one frees *p. */
void tcp_pending_drop(struct packet_decoder *d, struct tcp_pending **p);

/* ---- tcp_table.c: connections ---------------------------------------------------------------- */

enum tcp_start {
    TCP_UNKNOWN,
    TCP_HINTED,   /* what was heard suggests that `next` comes next */
    TCP_FLOATING, /* all that came waits, for what came may not be the beginning; `next` is where
                     the first of it stands */
    TCP_SET,      /* `next` is the next byte to be read */
};

struct tcp_way {
    uint32_t next;
    uint32_t isn;                /* where `syn` */
    uint32_t first;              /* where TCP_SET: the first byte known of */
    uint32_t fin;                /* where `has_fin`: behind the last byte */
    uint32_t acked;              /* where `has_ack`: by the other side, at most */
    uint32_t hole_from, hole_to; /* the last hole that was given up */
    uint8_t start;               /* enum tcp_start */
    uint8_t patience;            /* segments since the hole was acknowledged */
    bool syn, has_fin, has_ack;
    bool joined; /* its beginning is not in the capture */
    bool given;  /* something of it was read */
    bool ended;
    struct tcp_pending *pending;
};

enum tcp_queue { TCP_CLOSED, TCP_FRESH, TCP_IDLE, TCP_HOLDING, TCP_WAITING, TCP_QUEUES };

struct tcp_connection {
    struct endpoint ends[2]; /* direction `way` goes from ends[way] to ends[!way] */
    uint64_t hash;
    int64_t time_ns;       /* of its last segment */
    uint32_t older, newer; /* in its queue, or `newer` in the list of free ones */
    uint32_t network;      /* of the packet that it began with */
    uint8_t queue;         /* enum tcp_queue */
    bool counted;          /* as a stream */
    bool closed;           /* by both FINs, or a reset */
    struct tcp_way ways[2];
    struct packet_stream *stream; /* NULL until there are bytes */
};

struct packet_tcp {
    struct hash_key key;
    struct map index;
    VEC(struct tcp_connection) connections;
    uint32_t free; /* first of the free ones */
    uint32_t n;    /* in the queues */
    struct {
        uint32_t oldest, newest;
    } queues[TCP_QUEUES];
    struct packet_parts parts;   /* of the segment at work */
    struct packet_parts clipped; /* of some of its bytes */
};

/* Goes through the connections between two endpoints. */
struct tcp_search {
    const struct endpoint *src, *dst;
    uint64_t hash;
    uint32_t at;
    unsigned way; /* the direction from src to dst of the connection that was found */
};

struct tcp_search tcp_table_search(const struct packet_tcp *t, const struct endpoint *src,
                                   const struct endpoint *dst);
struct tcp_connection *tcp_table_next(struct packet_tcp *t, struct tcp_search *s); /* NULL: none */
struct tcp_connection *tcp_table_add(struct packet_tcp *t, const struct endpoint *src,
                                     const struct endpoint *dst, uint64_t hash);
/* Puts it behind all others of its kind. */
void tcp_table_touch(struct packet_tcp *t, struct tcp_connection *c);
/* Frees the record; its stream and what is pending are freed already. */
void tcp_table_remove(struct packet_tcp *t, struct tcp_connection *c);
/* The longest idle of a queue, or NULL. */
struct tcp_connection *tcp_table_oldest(struct packet_tcp *t, enum tcp_queue queue);

/* ---- tcp_way.c: a direction ------------------------------------------------------------------ */

/* It is known to begin with this byte. */
void tcp_way_begin(struct packet_decoder *d, struct tcp_connection *c, unsigned way, uint32_t seq);
void tcp_way_read(struct packet_decoder *d, struct tcp_connection *c, unsigned way,
                  const struct tcp_data *data);
/* After each segment of the connection: ends what is complete, and gives up a hole that has waited
 * long enough. */
void tcp_way_settle(struct packet_decoder *d, struct tcp_connection *c, unsigned way);
/* Gives up all that is waited for. */
void tcp_way_resolve(struct packet_decoder *d, struct tcp_connection *c, unsigned way);
/* The same, and tells what the other side says is missing at the end. */
void tcp_way_finish(struct packet_decoder *d, struct tcp_connection *c, unsigned way);

#endif

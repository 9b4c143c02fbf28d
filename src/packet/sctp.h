/* Private to sctp*.c: SCTP associations, and the fragments that wait for the rest of their message.
 */
#ifndef PACKET_SCTP_H
#define PACKET_SCTP_H

#include "packet/stream.h"

#define SCTP_WINDOW 1024u /* numbers of which it is known whether they were seen */

enum { SCTP_END = 1, SCTP_BEGIN = 2, SCTP_UNORDERED = 4 };

/* Fragments of a message have the same `message` and follow each other in `number`. */
struct sctp_place {
    uint64_t message;
    uint32_t number;
};

struct sctp_fragment {
    struct sctp_place place;
    uint8_t flags;
    uint32_t n, have; /* bytes sent, and captured */
    size_t size;      /* of all this */
    struct packet_payload out;
    uint32_t *frames;
    char *bytes;
};

/* One direction of an association. */
struct sctp_way {
    uint64_t hash;
    uint32_t older, newer; /* in the queue, or `newer` in the list of free ones */
    uint32_t tag;
    struct endpoint src, dst; /* of the first packet */
    uint32_t base;            /* the first number of the window */
    uint64_t seen[SCTP_WINDOW / 64];
    VEC(struct sctp_fragment *) fragments; /* by place */
    size_t bytes;
};

struct packet_sctp {
    struct hash_key key;
    struct map index;
    VEC(struct sctp_way) ways;
    uint32_t free_way, oldest, newest;
    uint32_t n;        /* in the queue */
    size_t bytes;      /* held by them */
    VEC(char) message; /* the one that was just put together */
};

/* Adds a fragment, and hands its message on where it is the last that was wanted. */
void sctp_fragment_add(struct packet_decoder *d, struct sctp_way *w, const struct packet_payload *p,
                       struct sctp_place place, uint8_t flags);
/* Gives up the fragments in a row of which the one at `at` is one.  Without its beginning it is no
 * message. */
void sctp_fragment_give_up(struct packet_decoder *d, struct sctp_way *w, size_t at);

#endif

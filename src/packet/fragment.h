/* Private to fragment.c, the table of incomplete datagrams, and fragment_set.c, one of them. */
#ifndef PACKET_FRAGMENT_H
#define PACKET_FRAGMENT_H

#include "packet/internal.h"

#define UNIT           8u
#define BLOCK_UNITS    64u
#define BLOCK_BYTES    (UNIT * BLOCK_UNITS)
#define DATAGRAM_BYTES 65535u
#define BLOCKS         ((DATAGRAM_BYTES + BLOCK_BYTES) / BLOCK_BYTES)
#define NONE           UINT32_MAX

struct fragment_block {
    union {
        struct fragment_block *next; /* in the list of free blocks */
        uint64_t seen;               /* units that were on the wire */
    };
    uint64_t have; /* units whose bytes are here */
    char bytes[BLOCK_BYTES];
};

struct fragment_key {
    uint8_t src[16], dst[16];
    uint32_t id, network;
    uint8_t protocol, family;
    uint8_t zero[2];
};

VEC_TYPE(fragment_frames, uint32_t);

enum fragment_state {
    WAITING,
    SPOILT,   /* contradicted itself: what still comes of it is ignored (RFC 5722) */
    COMPLETE, /* handed on; the second copies of some fragments are still to come */
};

struct fragment_set {
    struct fragment_key key;
    uint64_t hash;
    uint32_t older, newer; /* in the queue, or `newer` in the list of free sets */
    enum fragment_state state;
    int64_t time_ns;           /* of the first fragment that came, or of completion */
    struct packet_payload out; /* addresses, and what the latest fragment says */
    uint8_t protocol;          /* of the fragment at 0 */
    uint32_t total;            /* bytes; NONE until the last fragment is there */
    uint32_t reach;            /* bytes up to the furthest end seen */
    uint32_t units;            /* seen so far */
    uint32_t again;            /* seen more than once; COMPLETE: still to come again */
    uint32_t tail_at, tail_n;  /* bytes of a unit that the snap length cut */
    unsigned depth;            /* of the headers in front of the deepest fragment */
    struct fragment_frames frames;
    bool disordered; /* frames do not ascend */
    bool gap;        /* a fragment misses bytes that its own carrier lost */
    struct fragment_block *blocks[BLOCKS];
};

struct packet_fragments {
    struct hash_key key;
    struct map index;
    VEC(struct fragment_set) sets;
    uint32_t free_set, oldest, newest;
    uint32_t held; /* sets in the queue */
    size_t bytes;  /* of them */
    struct fragment_block *free_blocks;
    unsigned handing;                    /* datagrams that are being handed on, one in another */
    char datagram[BLOCKS * BLOCK_BYTES]; /* the innermost of them */
};

/* fragment_set.c.  What a fragment adds; one that contradicts what is there spoils the set, and is
 * counted. */
void packet_set_add(struct packet_context *x, struct fragment_set *set,
                    const struct packet_fragment *f);
/* Copies the captured bytes from the start up to the first hole; returns how many. */
uint32_t packet_set_copy(const struct fragment_set *set, char *into);
/* The hole behind the first n bytes was on the wire: the snap length made it. */
bool packet_set_is_cut(const struct fragment_set *set, uint32_t n);
/* The frames it came in, ascending, each once: they are the caller's to free. */
struct fragment_frames packet_set_take_frames(struct packet_fragments *t, struct fragment_set *set);
/* Its bytes and frames are no longer needed. */
void packet_set_release(struct packet_fragments *t, struct fragment_set *set);

static inline uint32_t packet_set_units(size_t bytes)
{
    return (uint32_t)((bytes + UNIT - 1) / UNIT);
}

#endif

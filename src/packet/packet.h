/* packet: from frame to datagram.  Link layer, VLAN tags, IPv4 and IPv6, fragments, UDP.  TCP,
 * SCTP, TLS, WebSocket and tunnels have their place here.  One decoder serves one source (fragments
 * of two hosts are never mixed). */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "base/base.h"
#include "source/source.h"

enum packet_transport { PACKET_UDP, PACKET_TCP, PACKET_TLS, PACKET_WS, PACKET_WSS, PACKET_SCTP };

const char *packet_transport_name(enum packet_transport t); /* "udp" ... */

/* A datagram's payload.  Everything is borrowed until the decoder's next call. */
struct packet_payload {
    enum packet_transport transport;
    struct endpoint src, dst;
    struct slice bytes;
    size_t missing;  /* bytes of the datagram that follow `bytes` but were not captured */
    int64_t time_ns; /* of the frame that completed it */
    uint64_t offset; /* of bytes.p in the source; SOURCE_NO_OFFSET: reassembled or a stream */
    const uint32_t *frames; /* the frames it came in, ascending; the completing one among them */
    size_t frame_count;
    enum source_direction direction; /* of the completing frame, seen from the capturing host */
    uint32_t ip_id;                  /* IPv4 identification or IPv6 fragment id; 0: none */
    uint32_t interface;
};

/* Each way in which a frame can fail to be a datagram is counted; nothing is dropped unseen. */
struct packet_stats {
    uint64_t frames;
    uint64_t datagrams;             /* UDP payloads handed on */
    uint64_t not_ip;                /* ARP and other link protocols */
    uint64_t other_transport;       /* IP, but no transport that we read */
    uint64_t malformed;             /* a header that contradicts itself */
    uint64_t cut;                   /* snap length cut a header, so that no payload was reached */
    uint64_t fragments;             /* IP fragments seen */
    uint64_t reassembled;           /* datagrams put together from them */
    uint64_t fragments_expired;     /* incomplete sets ended by age (PACKET_FRAGMENT_SECONDS) or
                                       packet_flush */
    uint64_t fragments_evicted;     /* incomplete sets dropped at the limit (PACKET_FRAGMENT_SETS or
                                       _BYTES) */
    uint64_t fragments_overlapping; /* overlaps whose bytes differ: the set is dropped (RFC 5722) */
    uint64_t unknown_link;          /* frames of a link type that we do not read */
    int unknown_link_type;          /* the first such type */
};

#define PACKET_FRAGMENT_SETS    4096u                 /* incomplete datagrams held at a time */
#define PACKET_FRAGMENT_BYTES   (16u * 1024u * 1024u) /* bytes held for them */
#define PACKET_FRAGMENT_SECONDS 30  /* of capture time, after a set's first fragment */
#define PACKET_DEPTH            16u /* headers nested in one frame */

struct packet_decoder;

/* Called for each payload, before packet_push returns. */
typedef void packet_sink(void *context, const struct packet_payload *payload);

bool packet_link_readable(int link_type); /* true: frames of this LINKTYPE_ can be decoded */
struct packet_decoder *packet_decoder_new(const struct hash_key *key, packet_sink *sink,
                                          void *context);
void packet_push(struct packet_decoder *d, const struct source_frame *frame);
/* At the end of the capture: ends what is incomplete.  An incomplete datagram whose beginning is
 * there (a port filter keeps first fragments only) is handed on with the rest missing, then or when
 * it expires or is evicted: late, under the time of its last fragment. */
void packet_flush(struct packet_decoder *d);
const struct packet_stats *packet_stats(const struct packet_decoder *d);
void packet_decoder_free(struct packet_decoder *d);

#endif

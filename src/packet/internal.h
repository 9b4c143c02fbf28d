/* What the files of packet/ share: the way of one frame through its headers, and the tables of
 * readers. */
#ifndef PACKET_INTERNAL_H
#define PACKET_INTERNAL_H

#include "packet/packet.h"

#include <string.h>

/* What is left of a frame as its headers are read: `bytes` were captured, `missing` more were sent.
 */
struct packet_view {
    struct slice bytes;
    size_t missing;
};

/* One frame (or one reassembled datagram) on its way; each header fills in what it knows of `out`.
 */
struct packet_context {
    struct packet_decoder *d;
    struct packet_payload out; /* out.offset is that of `origin` until the payload is reached */
    const char *origin;        /* where the captured bytes begin */
    unsigned depth;            /* headers read so far that can nest */
    bool reassembled;          /* the bytes stand in the fragment table's buffer */
};

typedef void packet_reader(struct packet_context *x, struct packet_view v);

struct packet_fragments;
struct packet_tcp;

struct packet_decoder {
    struct packet_sinks sinks;
    struct packet_stats stats;
    struct hash_key key;
    struct packet_keys *keys; /* NULL: none */
    struct packet_fragments *fragments;
    struct packet_tcp *tcp;
    size_t stream_bytes;  /* held in all streams */
    VEC(uint32_t) frames; /* of the payload that packet_window_payload last made */
};

/* Moves a header of n bytes from the front of *v to `into`; false where fewer were captured. */
static inline bool packet_take(struct packet_view *v, void *into, size_t n)
{
    if (v->bytes.n < n)
        return false;
    memcpy(into, v->bytes.p, n);
    v->bytes.p += n;
    v->bytes.n -= n;
    return true;
}

static inline bool packet_skip(struct packet_view *v, size_t n)
{
    if (v->bytes.n < n)
        return false;
    v->bytes.p += n;
    v->bytes.n -= n;
    return true;
}

/* A header did not fit into v: the snap length cut it, or the packet is too short for it. */
void packet_lost(struct packet_context *x, const struct packet_view *v);
void packet_malformed(struct packet_context *x);
/* A length field says that n bytes follow: drops what is beyond (padding), notes what is missing.
 */
void packet_limit(struct packet_context *x, struct packet_view *v, size_t n);
/* Hands a payload on. */
void packet_emit(struct packet_context *x, enum packet_transport transport, struct packet_view v);

/* link.c: by LINKTYPE_, by Ethernet type */
packet_reader *packet_link_find(int link_type);
void packet_read_ethertype(struct packet_context *x, uint16_t type, struct packet_view v);

/* ip.c */
packet_reader packet_read_ipv4, packet_read_ipv6;

/* transport.c: by IP protocol number, which are IPv6's next-header numbers too */
void packet_read_protocol(struct packet_context *x, uint8_t protocol, struct packet_view v);
bool packet_protocol_readable(uint8_t protocol);
packet_reader packet_read_udp;

/* extension.c: IPv6 extension headers, and AH, which IPv4 has too */
packet_reader packet_read_options, packet_read_fragment_header, packet_read_authentication;

/* fragment.c */
struct packet_fragment {
    uint32_t at;          /* of its first byte in the datagram */
    bool more;            /* it is not the last one */
    uint8_t protocol;     /* of the datagram, where at == 0 */
    uint8_t key_protocol; /* what tells datagrams apart besides addresses and id: IPv4's protocol */
    struct packet_view v;
};

struct packet_fragments *packet_fragments_new(const struct hash_key *key);
void packet_fragments_push(struct packet_context *x, const struct packet_fragment *f);
void packet_fragments_flush(struct packet_decoder *d);
void packet_fragments_free(struct packet_fragments *t);

/* tcp.c */
packet_reader packet_read_tcp;
struct packet_tcp *packet_tcp_new(const struct hash_key *key);
void packet_tcp_flush(struct packet_decoder *d);
void packet_tcp_free(struct packet_decoder *d);

#endif

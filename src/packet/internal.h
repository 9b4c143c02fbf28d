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
    uint32_t network;          /* of VLAN tags and overlays so far: the same addresses elsewhere are
                                  others; 0: none */
    bool reassembled;          /* the last IP header's fragments were put together */
};

typedef void packet_reader(struct packet_context *x, struct packet_view v);

struct packet_fragments;
struct packet_tcp;
struct packet_sctp;
struct packet_tls;

struct packet_decoder {
    struct packet_sinks sinks;
    packet_hidden_sink *hidden;   /* NULL: none */
    packet_segment_sink *segment; /* likewise */
    packet_secret_sink *secret;   /* likewise */
    struct packet_stats stats;
    struct hash_key key;
    struct packet_keys *keys; /* NULL: none */
    struct packet_fragments *fragments;
    struct packet_tcp *tcp;
    struct packet_sctp *sctp;
    size_t stream_bytes; /* held in all streams, and for what they carry */
    struct packet_tls *tls;
    VEC(uint32_t) frames; /* of the payload that packet_window_payload last made */
    unsigned hep_depth;   /* HEP messages within each other */
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

/* A header that can stand in another of its kind begins; false, and counted: too many did. */
static inline bool packet_deeper(struct packet_context *x)
{
    if (x->depth++ < PACKET_DEPTH)
        return true;
    x->d->stats.too_deep++;
    return false;
}

/* What the host that captured a packet had to do with the one within. */
static inline enum source_direction packet_direction_within(enum source_direction outer)
{
    return outer == SOURCE_IN ? SOURCE_IN_WITHIN : outer == SOURCE_OUT ? SOURCE_OUT_WITHIN : outer;
}

/* What follows belongs to the network of this id within the one it is in.  Two headers of different
 * kinds with the same id in the same place are not told apart. */
static inline void packet_enter(struct packet_context *x, uint32_t id)
{
    x->network = x->network * 0x9e3779b1u + id;
}

/* A header did not fit into v: the snap length cut it, or the packet is too short for it. */
void packet_lost(struct packet_context *x, const struct packet_view *v);
void packet_malformed(struct packet_context *x);
/* A length field says that n bytes follow: drops what is beyond (padding), notes what is missing.
 */
void packet_limit(struct packet_context *x, struct packet_view *v, size_t n);
/* Leaves as many of the frames as many messages may share. */
void packet_share_frames(struct packet_context *x);
/* Hands a payload on. */
void packet_emit(struct packet_context *x, enum packet_transport transport, struct packet_view v);

/* Hands on a payload with bounds of its own; what it carries, if it is HEP. */
void packet_hand_on(struct packet_decoder *d, const struct packet_payload *p);

/* hep.c: false where the payload is no HEP */
#define PACKET_HEP_MAGIC "HEP3"
#define PACKET_HEP_HEAD  6u /* magic and length */
#define PACKET_HEP_CHUNK 6u /* of a chunk: vendor, type, length */
bool packet_hep_read(struct packet_decoder *d, const struct packet_payload *p);

/* guess.c: the start of a SIP message or a keep-alive, as far as the bytes go */
bool packet_begins_sip(struct slice bytes);

/* link.c: by LINKTYPE_, by Ethernet type */
packet_reader *packet_link_find(int link_type);
void packet_read_ethertype(struct packet_context *x, uint16_t type, struct packet_view v);
packet_reader packet_read_ethernet, packet_read_snap;
/* An Ethernet frame that something else carries: whoever captured that is not its sender. */
packet_reader packet_read_bridged;
/* These look ahead, so that what is carried where anything can stand is believed only where it
 * fits; true where the snap length cut what would tell. */
bool packet_starts_ethertype(uint16_t type, const struct packet_view *v);
bool packet_starts_ethernet(const struct packet_view *v);

/* ppp.c */
packet_reader packet_read_ppp, packet_read_ppp_hdlc, packet_read_ppp_with_direction,
    packet_read_pppd, packet_read_pppoe, packet_read_cisco_hdlc, packet_read_frame_relay;
bool packet_starts_ppp(const struct packet_view *v);

/* record.c: link types that are lists of fields */
packet_reader packet_read_nflog, packet_read_exported;

/* ip.c */
packet_reader packet_read_ipv4, packet_read_ipv6;
packet_reader packet_read_ip; /* whichever its first bits say */
bool packet_starts_ip(const struct packet_view *v);

/* tunnel.c: what stands between IP or a link and what it carries */
packet_reader packet_read_gre, packet_read_mpls, packet_read_etherip;

/* overlay.c: tunnels over UDP.  A reader of these returns false where the payload is something
 * else, which it then leaves alone. */
typedef bool packet_tunnel(struct packet_context *x, struct packet_view v);
packet_tunnel *packet_tunnel_find(uint16_t port); /* by destination port; NULL: none */

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

/* sctp.c */
packet_reader packet_read_sctp;
packet_tunnel packet_read_sctp_in_udp; /* RFC 6951 */
#define PACKET_SCTP_PORT 9899
struct packet_sctp *packet_sctp_new(const struct hash_key *key);
void packet_sctp_flush(struct packet_decoder *d);
void packet_sctp_free(struct packet_decoder *d);

/* tls_held.c: TLS connections that wait for their keys */
struct packet_tls *packet_tls_new(void);
void packet_tls_poll(struct packet_decoder *d); /* reads what is held where keys came */
void packet_tls_flush(struct packet_decoder *d);
void packet_tls_free(struct packet_decoder *d);

#endif

/* packet: from frame to datagram or stream.  Link layers, tunnels, IPv4 and IPv6, fragments, UDP,
 * TCP, SCTP, and what they carry others in: TLS, WebSocket, HEP.  One decoder serves one source
 * (fragments and streams of two hosts are never mixed). */
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
    bool gap;       /* what is missing was lost, and not cut off by the snap length */
    bool has_agent; /* it came by HEP, from the capture agent of this id: that is its point */
    uint32_t agent;
};

/* What follows those bytes of a stream that are there. */
enum packet_after {
    PACKET_MORE, /* more may come */
    PACKET_GAP,  /* bytes that the capture does not have */
    PACKET_CUT,  /* bytes that the snap length cut off */
    PACKET_FULL, /* more than is held of a stream: what is not taken now is lost */
    PACKET_END   /* the stream's end, or the capture's */
};

#define PACKET_MEMO_WORDS 8u

struct packet_half;

/* The bytes of one direction of a stream that were not taken yet, in order. */
struct packet_window {
    enum packet_transport transport;
    struct endpoint src, dst;
    struct slice bytes; /* borrowed until the sink returns */
    enum packet_after after;
    uint64_t missing; /* PACKET_GAP, PACKET_CUT: bytes in the hole; 0: not known */
    bool joined;      /* the beginning of the stream is not in the capture */
    uint32_t *memo;   /* PACKET_MEMO_WORDS that belong to who reads this direction; 0 at first */
    size_t *want;     /* who needs more says how many bytes in all (0: any more), so that it is not
                         asked again before they are there or something else than MORE follows */
    const struct packet_half *half; /* private */
};

/* Each way in which a frame can fail to be a datagram is counted; nothing is dropped unseen. */
struct packet_stats {
    uint64_t frames;
    uint64_t datagrams;             /* UDP payloads handed on */
    uint64_t not_ip;                /* ARP and other link protocols */
    uint64_t other_transport;       /* IP, but no transport that we read */
    uint64_t malformed;             /* a header that contradicts itself */
    uint64_t too_deep;              /* more headers within each other than PACKET_DEPTH */
    uint64_t cut;                   /* snap length cut a header, so that no payload was reached */
    uint64_t fragments;             /* IP fragments seen */
    uint64_t reassembled;           /* datagrams put together from them */
    uint64_t fragments_expired;     /* incomplete sets ended by age (PACKET_FRAGMENT_SECONDS) or
                                       packet_flush */
    uint64_t fragments_evicted;     /* incomplete sets dropped at the limit (PACKET_FRAGMENT_SETS or
                                       _BYTES) */
    uint64_t fragments_not_listed;  /* frames of TCP segments and SCTP packets in more fragments
                                       than PACKET_SHARED_FRAMES */
    uint64_t fragments_overlapping; /* overlaps whose bytes differ: the set is dropped (RFC 5722) */
    uint64_t segments;              /* TCP segments */
    uint64_t streams;               /* TCP connections seen: their SYN, or bytes of them */
    uint64_t streams_evicted;       /* of them, given up at a limit (PACKET_STREAMS,
                                       PACKET_STREAMS_BYTES) */
    uint64_t stream_holes;          /* runs of bytes that the capture does not have */
    uint64_t stream_overflows;      /* of them, taken for lost at a limit (PACKET_PENDING,
                                       PACKET_PENDING_BYTES) */
    uint64_t stream_cut;            /* segments of which the snap length cut off bytes */
    uint64_t stream_late;           /* bytes that came after their place was given up */
    uint64_t stream_overlapping;    /* segments whose bytes differ from an earlier copy */
    uint64_t stream_full;     /* times that more was held than PACKET_STREAM_BYTES or _PARTS */
    uint64_t stream_lost;     /* bytes that nobody took, before a hole or an end */
    uint64_t sctp_packets;    /* SCTP packets */
    uint64_t sctp_incomplete; /* messages that never got all their fragments */
    uint64_t sctp_lost;       /* fragments whose beginning never came */
    uint64_t sctp_evicted;    /* directions of associations given up at a limit
                                 (PACKET_SCTP_WAYS, _BYTES) */
    uint64_t tls_streams;     /* TLS connections seen */
    uint64_t tls_undecrypted; /* those of them with application data that was not read, */
    uint64_t tls_undecrypted_records; /* and the records of that */
    uint64_t tls_let_go;   /* records that were held until their keys come, dropped at the limit */
    uint64_t hep_other;    /* HEP messages that carry something else than SIP */
    uint64_t not_inflated; /* compressed messages whose bytes, or what they build on, are not
                              all there */
    uint64_t unknown_link; /* frames of a link type that we do not read */
    int unknown_link_type; /* the first such type */
};

#define PACKET_FRAGMENT_SETS    4096u                 /* incomplete datagrams held at a time */
#define PACKET_FRAGMENT_BYTES   (16u * 1024u * 1024u) /* bytes held for them */
#define PACKET_FRAGMENT_SECONDS 30  /* of capture time, after a set's first fragment */
#define PACKET_DEPTH            16u /* headers nested in one frame */
/* IP fragments of what may carry many messages, each of which lists them: the last so many. */
#define PACKET_SHARED_FRAMES 32u

/* Of one direction of a stream: */
#define PACKET_STREAM_BYTES  (1024u * 1024u) /* held until taken */
#define PACKET_STREAM_PARTS  65536u          /* pieces in which they came */
#define PACKET_PENDING       1024u           /* pieces that wait for what is before them */
#define PACKET_PENDING_BYTES (1024u * 1024u) /* of them */
/* Of all streams: */
#define PACKET_STREAMS       131072u               /* TCP connections known at a time */
#define PACKET_STREAMS_BYTES (64u * 1024u * 1024u) /* held in all of them */
/* A hole is told when the receiver has acknowledged what is missing and so many more segments of
 * the connection have come, or when nothing has filled it for so long. */
#define PACKET_HOLE_SEGMENTS 3u
#define PACKET_HOLE_SECONDS  10
/* A closed connection is remembered, so that late copies of its segments are known for what they
 * are. */
#define PACKET_CLOSED_SECONDS 60

#define PACKET_SCTP_WAYS  16384u                /* directions of SCTP associations */
#define PACKET_SCTP_BYTES (16u * 1024u * 1024u) /* fragments held for them */

#define PACKET_TLS_BYTES   (32u * 1024u * 1024u) /* records held until their keys come */
#define PACKET_HIDDEN_MAX  1024u                 /* connections in the list of packet_undecrypted */
#define PACKET_SECRETS_MAX (1u << 19)            /* TLS secrets kept; the oldest go first */
#define PACKET_RSA_KEYS    64u

/* A TLS connection with application data that was not read, for want of its keys. */
struct packet_hidden {
    uint32_t id;              /* its place in the list */
    struct endpoint src, dst; /* the client and the server, as far as that is known */
    enum source_direction
        direction;    /* of what goes from src to dst, seen from the capturing host */
    uint64_t records; /* 0: what was held was read later on */
    uint32_t frame;   /* of the first of them */
    int64_t first_ns, last_ns;
};

/* Where payloads go, before packet_push returns. */
struct packet_sinks {
    /* A message's carrier that has bounds of its own: a UDP datagram, an SCTP message, a WebSocket
     * message, what HEP carries. */
    void (*datagram)(void *context, const struct packet_payload *payload);
    /* Bytes of a stream; returns how many from the front are done with.  Called again with the rest
     * until it returns 0, which says that more is needed.  Unless MORE follows, what is left then
     * is dropped. */
    size_t (*stream)(void *context, const struct packet_window *window);
    void *context;
};

/* An entry of packet_undecrypted is new, or all of it was read after all, or it goes on: then not
 * for each record.  The context is that of the sinks. */
typedef void packet_hidden_sink(void *context, const struct packet_hidden *hidden);

struct packet_decoder;
struct packet_keys;

/* TLS keys, shared by the decoders of all sources: both ends of a connection are seen at several
 * points. */
struct packet_keys *packet_keys_new(void);
void packet_keys_free(struct packet_keys *k);
/* --keylog: a file of NSS key log lines, which may still grow: it is read again when a secret is
 * wanted that was not there. */
bool packet_keys_file(struct packet_keys *k, const char *path, struct err *err);
/* The same where the file may be made later on. */
bool packet_keys_await(struct packet_keys *k, const char *path, struct err *err);
/* The i-th of the files that never came, and why it could not be opened; NULL: there are no more.
 */
const char *packet_keys_absent(const struct packet_keys *k, size_t i, const char **why);
/* --tls-key: an RSA private key in PEM, for connections that RSA exchanged their key on. */
bool packet_keys_rsa(struct packet_keys *k, const char *path, struct err *err);
/* Lines of a key log from elsewhere (pcapng). */
void packet_keys_add(struct packet_keys *k, struct slice text);

struct packet_keys_stats {
    uint64_t secrets;   /* each counted once */
    uint64_t bad_lines; /* lines of key logs that are none */
    uint64_t evicted;   /* secrets forgotten at the limit (PACKET_SECRETS_MAX) */
};

const struct packet_keys_stats *packet_keys_stats(const struct packet_keys *k);

bool packet_link_readable(int link_type); /* true: frames of this LINKTYPE_ can be decoded */
struct packet_decoder *packet_decoder_new(const struct hash_key *key,
                                          const struct packet_sinks *sinks,
                                          struct packet_keys *keys); /* NULL: none */
void packet_push(struct packet_decoder *d, const struct source_frame *frame);
/* Within the stream sink: the n bytes from `at` of the window as a payload, with the frames that
 * they came in and the time of the one that completed them. */
void packet_window_payload(const struct packet_window *w, size_t at, size_t n,
                           struct packet_payload *out);
/* At the end of the capture: ends what is incomplete.  An incomplete datagram whose beginning is
 * there (a port filter keeps first fragments only) is handed on with the rest missing, then or when
 * it expires or is evicted: late, under the time of its last fragment. */
void packet_flush(struct packet_decoder *d);
const struct packet_stats *packet_stats(const struct packet_decoder *d);
/* The first PACKET_HIDDEN_MAX of tls_undecrypted; valid until the next push or flush. */
size_t packet_undecrypted(const struct packet_decoder *d, const struct packet_hidden **list);
void packet_tell_hidden(struct packet_decoder *d, packet_hidden_sink *sink); /* NULL: to nobody */
/* A TCP segment was found in the frame that is pushed; told before its bytes are handed on. */
struct packet_segment {
    struct endpoint src, dst;
    size_t bytes; /* of data */
    bool opens;   /* SYN */
};
typedef void packet_segment_sink(void *context, const struct packet_segment *segment);
void packet_tell_segments(struct packet_decoder *d, packet_segment_sink *sink);
/* A secret of a TLS connection is used for the first time, or again: a line of a key log (NSS)
 * which gives it to other programs, wherever it came from. */
struct packet_secret {
    struct endpoint client, server;
    struct slice line; /* with its end */
};
typedef void packet_secret_sink(void *context, const struct packet_secret *secret);
void packet_tell_secrets(struct packet_decoder *d, packet_secret_sink *sink);
void packet_decoder_free(struct packet_decoder *d);

#endif

/* source: where packets come from.  A source is opened from a specification, yields frames in the
 * order of the capture, and says what link type each frame has.  Formats: pcap (both byte orders,
 * micro- and nanoseconds, also "modified" pcap), pcapng (several sections and interfaces, each with
 * its own link type and time resolution), gzip of both, standard input; interfaces of this host
 * (iface:), the standard output of a command (cmd:), HEP that others send (hep:), pods of
 * Kubernetes (k8s:), traces that SIP servers print (log:).  Live sources never block: they say
 * SOURCE_WAIT. */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/base.h"

struct source;

#define SOURCE_NO_OFFSET UINT64_MAX

/* What the host that captured it had to do with a frame. */
enum source_direction {
    SOURCE_UNKNOWN,
    SOURCE_IN,         /* received it */
    SOURCE_OUT,        /* sent it */
    SOURCE_IN_WITHIN,  /* received it within another packet: it is not the sender */
    SOURCE_OUT_WITHIN, /* sent it within another packet: it is not the receiver */
};

/* A source of messages (log:) has no frames around them: the bytes of its frames are those of a
 * message, and this says who sent it to whom.  Borrowed like the bytes. */
struct source_message {
    uint8_t ip_protocol; /* 6, 17, 132 */
    bool tls, websocket;
    struct endpoint src, dst; /* family 0 where the format does not say */
};

/* One captured frame.  `bytes` is borrowed until the next source_next of the same source. */
struct source_frame {
    struct slice bytes; /* as captured; bytes.n may be less than `length` (snap length) */
    uint32_t length;    /* on the wire */
    uint32_t number;    /* from 1 within the source, as tshark counts */
    uint32_t interface; /* pcapng: index over the whole file, else 0 */
    int link_type;      /* LINKTYPE_ value */
    int64_t time_ns;    /* since 1970 UTC; 0 where the format has none (Simple Packet Block) */
    uint64_t offset; /* of bytes.p in the source; SOURCE_NO_OFFSET where it can't be read again */
    enum source_direction direction;      /* pcapng epb_flags; else SOURCE_UNKNOWN */
    const struct source_message *message; /* NULL: an ordinary frame */
};

enum source_result {
    SOURCE_FRAME, /* *frame is filled */
    SOURCE_END,
    SOURCE_WAIT,  /* a live source has nothing at the moment: poll source_fd */
    SOURCE_ERROR, /* err says what and where; the source is at its end */
};

/* What was read so far; valid at any time, complete after SOURCE_END. */
struct source_stats {
    uint64_t frames;          /* yielded, i.e. after --bpf */
    uint64_t filtered;        /* left out by --bpf */
    uint64_t bytes_read;      /* of the file as it lies on disk */
    uint64_t bytes_total;     /* 0: not known (a pipe) */
    bool truncated;           /* the last record is cut; what was before it was yielded */
    char truncated_at[96];    /* "record 17 at byte 4711": for the message to the user */
    bool live;                /* it may have to wait: an interface, a command, a pipe */
    bool awaited;             /* live, and nothing came yet: not even the capture's header */
    bool followed;            /* a file that is waited for to grow */
    bool counted;             /* an interface: the kernel counts what it drops */
    uint64_t kernel_dropped;  /* that it had no room for */
    uint64_t dropped_by_link; /* likewise: that the interface had no room for */
    uint64_t changes;         /* of its state: news told by source_news, or lost among too many */
    const char *remark;       /* how a live source ended where it did not end well; else NULL */
    uint64_t unread;          /* log: lines or records that fit no format */
    uint64_t hep_refused;     /* hep: messages without the key, or with a wrong one */
    uint64_t hep_rubbish;     /* hep: datagrams, and connections given up, that were no HEP */
    uint64_t hep_cut;         /* hep: connections that ended within a message */
    uint64_t hep_dropped;     /* hep: connections given up at SOURCE_HEP_CONNECTIONS, _STUCK_S */
    uint64_t skipped_blocks;  /* pcapng blocks of a kind that we do not know */
    uint64_t secrets_lost; /* pcapng: blocks of TLS secrets that are broken, or beyond the limit */
};

/* An address that the capture itself claims for the host it was taken on (pcapng if_IPv4addr,
 * if_IPv6addr), or that the interface has which is captured on. */
struct source_host_address {
    struct address ip;
};

#define SOURCE_RING_MB     64u /* of the kernel for an interface, unless options say otherwise */
#define SOURCE_RING_MB_MAX 2047u

#define SOURCE_HEP_CONNECTIONS 256u /* to one hep:tcp:, each with at most one message of 64 kB */
/* A connection may stand still within a message, or without having shown the key, for so long. */
#define SOURCE_HEP_STUCK_S 30u
#define SOURCE_HEP_KEY_MAX 1024u

#define SOURCE_PODS_MAX  1024u               /* of one k8s:, those that are gone among them */
#define SOURCE_K8S_IMAGE "nicolaka/netshoot" /* has sh, mkfifo, cat, sleep and tcpdump */

/* How live sources are opened; all zero: as ever. */
struct source_options {
    bool promiscuous; /* iface: also what is not for this host */
    uint32_t ring_mb; /* iface: what the kernel keeps until it is read; 0: SOURCE_RING_MB */
    uint32_t retry_s; /* cmd: run the command again when it has ended, after so many seconds, and
                         after twice as many each time, up to SOURCE_RETRY_S_MAX; 0: never */
    const char *bpf;  /* k8s: the capture filter, which is applied there; NULL: one for SIP */
    bool media;       /* k8s: where there is no bpf, take media as well */
    const char *k8s_image; /* k8s: of ephemeral containers; NULL: SOURCE_K8S_IMAGE */
    bool follow;           /* a file is waited for to grow, until source_stop; a log is not */
    char hep_key[SOURCE_HEP_KEY_MAX + 1]; /* hep: messages must have it; empty: any will do */
};

#define SOURCE_RETRY_S     1u
#define SOURCE_RETRY_S_MAX 60u
/* A run of a command that went well for so long makes the next pause a short one. */
#define SOURCE_RETRY_WELL_S 60u

/* `path` is a file name, "-" (standard input), "iface:NAME", or "cmd:COMMAND" with a command for
 * /bin/sh that writes a capture.  Errors: no such file, a directory, empty, not a capture (what it
 * looks like instead, where known), unsupported version; each names the file.  What is wrong with
 * the bytes of a pipe or command is told by source_next, since they are not waited for.  `name` is
 * the point's name and is copied. */
struct source *source_open(const char *name, const char *path, struct err *err);
struct source *source_open_with(const char *name, const char *path,
                                const struct source_options *options, struct err *err);
/* A capture filter in pcap-filter(7) language, applied per link type.  Call before the first frame.
 */
bool source_filter(struct source *s, const char *expression, struct err *err);
/* Is this an expression of pcap-filter(7), for Ethernet at least? */
bool source_filter_is(const char *expression);
/* The capture filter where it was widened, so that later IP fragments, which have no ports, pass an
 * expression that names ports; NULL: it is as given. */
const char *source_widened(const struct source *s);
enum source_result source_next(struct source *s, struct source_frame *frame, struct err *err);
/* Reads bytes of the source again (only where frames have an offset).  `into` must hold n bytes. */
bool source_read_at(struct source *s, uint64_t offset, void *into, size_t n, struct err *err);
/* A source of sources (k8s:) has no frames of its own; others come of it while it goes on, each of
 * which has its own name and has to be closed before it.  The next of them; NULL: there is none, or
 * it is an ordinary source. */
struct source *source_member(struct source *s);
bool source_has_members(const struct source *s); /* it is such a source */
/* The next of what a live source has to tell of itself while it goes on ("the interface is down"),
 * oldest first; NULL: nothing.  Valid until the next call. */
const char *source_news(struct source *s);
/* The descriptor that becomes readable when a live source has more; -1: not a live source, it never
 * waits, or a file that is followed.  Ask again after each SOURCE_WAIT. */
int source_fd(const struct source *s);
/* A live source is to end: a command is ended, what was captured until now is still yielded, then
 * comes SOURCE_END, within seconds.  Others go on to their end. */
void source_stop(struct source *s);
/* A source that is not live is read no further. */
void source_abandon(struct source *s);
/* A capture that this program recorded from several points: each is an interface (capture_out.h).
 * source_points gives their names, each once, as copies for the caller to free; false: it is no
 * such file, or is live, or cannot be read. */
#define SOURCE_POINTS_MAX 1024u /* a file with more interfaces is one point */
struct source_points {
    char **names;
    size_t n;
};
bool source_points(const char *path, struct source_points *out);
void source_points_free(struct source_points *p);
/* Yields frames of the interface of this name only. */
void source_only(struct source *s, const char *name);
/* Texts of TLS secrets (NSS key log) that the capture itself carries (pcapng decryption secrets
 * blocks), found so far. */
size_t source_secrets(const struct source *s, const struct slice **list);
const struct source_stats *source_stats(const struct source *s);
/* Brings the counters of a live source in its stats up to date, which is done else each time it has
 * nothing. */
void source_count(struct source *s);
const char *source_name(const struct source *s);
const char *source_path(const struct source *s);
/* Host addresses found so far. */
size_t source_host_addresses(const struct source *s, const struct source_host_address **list);
void source_close(struct source *s);

/* ---- messages from within the program --------------------------------------------------------
 * A source that is filled by who opened it, beside files and interfaces.  It is live until its end
 * is told; it has no capture filter. */

struct source_given {
    struct slice bytes;
    int64_t time_ns;
    enum source_direction direction; /* as the end of the path at which it is saw it */
    struct source_message message;
};

/* `label` stands where the path of others does. */
struct source *source_given_new(const char *name, const char *label);
/* Copied; in order of time. */
void source_given_add(struct source *s, const struct source_given *message);
void source_given_end(struct source *s);

/* "LINUX_SLL2", "EN10MB" ...: libpcap's name of a link type, or "LINKTYPE_<n>" in `fallback`. */
const char *source_link_name(int link_type, char fallback[24]);

#include "source/capture_out.h"
#include "source/hep_out.h"

#endif

/* Private to packet/: streams.  A stream is a connection in two directions, each a run of bytes in
 * order with holes where bytes are missing.  TCP makes streams out of segments, TLS out of the
 * records of another stream.  What a stream carries is found out from its first bytes: a table of
 * protocols, each of which takes bytes off the front and either hands payloads to the decoder's
 * sinks or makes a further stream.  What is nobody else's goes to the stream sink. */
#ifndef PACKET_STREAM_H
#define PACKET_STREAM_H

#include "packet/internal.h"

/* Where some bytes of a stream came from.  Parts stand in the order in which bytes came together;
 * where one byte needs several frames (a TLS record over three segments), several parts have the
 * same extent. */
struct packet_part {
    size_t begin, end; /* within the bytes it is given with */
    uint64_t offset;   /* in the source of the byte at `begin`; SOURCE_NO_OFFSET: none */
    int64_t time_ns;
    uint32_t frame, ip_id, interface;
    enum source_direction direction;
};

VEC_TYPE(packet_parts, struct packet_part);

/* Parts that a push is given: they say where its bytes begin among those that the push is about. */
struct packet_fresh {
    const struct packet_part *parts;
    size_t n;
    size_t at;
};

/* One direction.  What was not taken is held here, contiguous; a direction of which nothing is held
 * owns no memory. */
struct packet_half {
    struct packet_decoder *d;
    char *held;
    size_t n, cap;
    size_t want;               /* the reader is not asked before so many bytes are there */
    size_t taken;              /* of the bytes that a push is about, while it runs */
    struct packet_parts parts; /* of the held bytes */
    size_t parts_taken;        /* of them, wholly within `taken` */
    struct packet_fresh fresh; /* of the bytes that a push brings, while it runs */
    uint32_t memo[PACKET_MEMO_WORDS];
    uint32_t looked_at; /* bytes after where it was joined, for another protocol */
    bool joined;        /* its beginning is not in the capture */
    bool ended;
};

struct packet_stream;

/* A reader of what a stream carries.  `take` has the contract of the stream sink; `way` is the
 * index of the direction. */
struct packet_protocol {
    const char *name;
    size_t (*take)(struct packet_stream *s, unsigned way, const struct packet_window *w);
    void (*free)(struct packet_stream *s); /* frees s->state; may be NULL */
};

struct packet_stream {
    struct packet_decoder *d;
    enum packet_transport transport; /* PACKET_TCP, PACKET_TLS */
    struct endpoint ends[2];         /* direction `way` goes from ends[way] to ends[!way] */
    struct packet_half half[2];
    const struct packet_protocol *protocol; /* NULL: not known yet */
    void *state;                            /* the protocol's own */
};

void packet_stream_init(struct packet_stream *s, struct packet_decoder *d,
                        enum packet_transport transport, const struct endpoint *src,
                        const struct endpoint *dst);
/* The beginning of both directions is not in the capture. */
void packet_stream_joined(struct packet_stream *s);
/* The next bytes of a direction; borrowed during the call.  parts: at least one, over all bytes. */
void packet_stream_push(struct packet_stream *s, unsigned way, struct slice bytes,
                        const struct packet_part *parts, size_t part_count);
/* Bytes are missing next: PACKET_GAP or PACKET_CUT, `missing` of them (0: not known).  Before
 * anything was pushed: the beginning of the direction is not in the capture. */
void packet_stream_hole(struct packet_stream *s, unsigned way, enum packet_after why,
                        uint64_t missing);
/* Bytes that belong before what was pushed already: they are read on their own where that does no
 * harm.  `adjoins`: what is pushed next follows them.  False: they are not read. */
bool packet_stream_late(struct packet_stream *s, unsigned way, struct slice bytes,
                        const struct packet_part *parts, size_t part_count, bool adjoins);
/* They look like the first bytes of something that a stream carries, and not like the middle. */
bool packet_stream_begins(struct slice bytes);
void packet_stream_end(struct packet_stream *s, unsigned way);
/* Ends both directions first. */
void packet_stream_close(struct packet_stream *s);

/* Cuts off what of the part lies before `from` or at or after `to`; false where nothing is left. */
bool packet_part_clip(struct packet_part *part, size_t from, size_t to);
/* The parts of a frame's payload, one for each frame it came in; appended to *parts. */
void packet_parts_add(struct packet_parts *parts, const struct packet_payload *p);
/* The parts of the n bytes from `at` of a window: appended to *parts, each with the extent
 * [0, extent); 0: with their own. */
void packet_window_parts(const struct packet_window *w, size_t at, size_t n, size_t extent,
                         struct packet_parts *parts);

/* Adds a frame to d->frames, which are ascending. */
void packet_frames_add(struct packet_decoder *d, uint32_t frame);

/* What the first bytes of a stream are; NULL and *more: too few to tell.  Never NULL otherwise:
 * packet_protocol_plain hands the bytes to the stream sink. */
const struct packet_protocol *packet_protocol_of(const struct packet_stream *s,
                                                 const struct packet_window *w, bool *more);
extern const struct packet_protocol packet_protocol_plain;

/* tls.c */
extern const struct packet_protocol packet_protocol_tls;
int packet_tls_probe(const struct packet_stream *s, const struct packet_window *w);

/* What parts tell of the bytes that they are of: frames, time, place.  The rest of *out is zero. */
void packet_parts_payload(struct packet_decoder *d, const struct packet_parts *parts,
                          struct packet_payload *out);

/* websocket.c, hep_stream.c; probes as the table of stream.c has them */
int packet_hep_probe(const struct packet_stream *s, const struct packet_window *w);
/* They are the middle of a stream of HEP: a message begins among them, or its payload. */
bool packet_hep_within(struct slice bytes);
extern const struct packet_protocol packet_protocol_hep;
int packet_websocket_probe(const struct packet_stream *s, const struct packet_window *w);
bool packet_websocket_begins(struct slice bytes); /* the head of an upgrade, or of its answer */
extern const struct packet_protocol packet_protocol_websocket;

#endif

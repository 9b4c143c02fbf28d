/* Writes captures: pcapng (one interface for each point, comments, directions, TLS secrets) and
 * pcap, both with nanoseconds.  Part of the public header source/source.h.
 *
 * Records are put together in a buffer and go to the file whole.  Where the file takes no more (a
 * full disk) it is cut back to its last whole record, and what is left stays in the buffer to be
 * tried again: at no time is there a partial record behind which anything could be missed. */
#ifndef SOURCE_CAPTURE_OUT_H
#define SOURCE_CAPTURE_OUT_H

#include "base/base.h"
#include "source/source.h"

#include <signal.h>

struct capture_out;

enum capture_format { CAPTURE_PCAPNG, CAPTURE_PCAP };

#define CAPTURE_OUT_BUFFER  (64u * 1024u)   /* written when so much is there */
#define CAPTURE_OUT_HELD    (1024u * 1024u) /* held while the file takes none; more is refused */
#define CAPTURE_OUT_COMMENT 4096u           /* bytes of a comment; the rest is cut off */

/* What the section header says of who wrote it: interfaces are points (see source_point_of). */
#define CAPTURE_OUT_APPLICATION "sipxray"

struct capture_out_interface {
    struct slice name;  /* the point's */
    struct slice about; /* where it was captured; empty: nothing */
    int link_type;
    const struct address *addresses; /* of the host */
    size_t address_count;
};

struct capture_out_packet {
    uint32_t interface;
    int64_t time_ns;
    struct slice bytes;
    uint32_t length; /* on the wire */
    enum source_direction direction;
    const struct slice *comments; /* pcapng only */
    size_t comment_count;
};

/* `fd` now belongs to it and is written to from where it stands; the label is for messages and is
 * copied. */
struct capture_out *capture_out_new(enum capture_format format, int fd, const char *label);
/* Where `fd` does not block, a slow reader is waited for until some time after *stop is set. */
void capture_out_heed(struct capture_out *o, const volatile sig_atomic_t *stop);
/* False: pcap has one link type, and another was there before. */
bool capture_out_interface(struct capture_out *o, const struct capture_out_interface *i,
                           uint32_t *id, struct err *err);
/* False: it was not taken, for the file takes none and CAPTURE_OUT_HELD is reached.  Failures
 * before that are told by capture_out_error. */
bool capture_out_packet(struct capture_out *o, const struct capture_out_packet *p, struct err *err);
/* TLS secrets as lines of a key log, for the packets that follow.  pcap has no place for them. */
void capture_out_secrets(struct capture_out *o, struct slice lines);
/* Packets that came and that the kernel dropped, at the end of an interface (pcapng). */
void capture_out_counts(struct capture_out *o, uint32_t interface, uint64_t received,
                        uint64_t dropped, int64_t time_ns);
/* Now all of it is in the file; false: some is not. */
bool capture_out_flush(struct capture_out *o, struct err *err);
/* Why the file takes no more at the moment; NULL: it does. */
const char *capture_out_error(const struct capture_out *o);
uint64_t capture_out_bytes(const struct capture_out *o); /* of the file, with what is held */
uint64_t capture_out_packets(const struct capture_out *o);
/* Flushes, has it on disk if `sync`, and closes.  False: not all is in the file; *left then is the
 * number of packets that are not.  What is in it is whole records.  `left` may be NULL. */
bool capture_out_close(struct capture_out *o, bool sync, uint64_t *left, struct err *err);

/* ---- comments afterwards ----------------------------------------------------------------------
 */

/* A comment on a packet: it is the `packet`-th of the file, from 0 on. */
struct capture_note {
    uint64_t packet;
    struct slice text;
};

/* Copies a pcapng file that capture_out wrote, with the secrets in front of all packets and the
 * notes, which stand in order, on theirs.  Both descriptors stay open; it begins where they stand.
 * False: what `to` has is of no use. */
bool capture_annotate(int from, int to, const char *label, const struct capture_note *notes,
                      size_t note_count, struct slice secrets, struct err *err);

#endif

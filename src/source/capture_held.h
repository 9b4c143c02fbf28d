/* Private to source/: a capture that is written, and the records that are not in its file yet. */
#ifndef SOURCE_CAPTURE_HELD_H
#define SOURCE_CAPTURE_HELD_H

#include "source/capture_out.h"

#define CAPTURE_PCAP_HEAD   24u
#define CAPTURE_PCAP_RECORD 16u

/* Of pcapng. */
enum capture_block {
    BLOCK_INTERFACE = 0x00000001,
    BLOCK_STATISTICS = 0x00000005,
    BLOCK_PACKET = 0x00000006,
    BLOCK_SECRETS = 0x0000000a,
    BLOCK_SECTION = 0x0a0d0d0a,
};

struct capture_out {
    enum capture_format format;
    int fd;
    char *label;
    struct text held; /* whole records that are not in the file yet */
    uint64_t at;      /* where the file ends: behind a whole record */
    bool regular;     /* it can be cut back */
    bool broken;      /* a pipe that took a part of a record: nothing more can follow */
    uint32_t interfaces;
    uint64_t packets;
    int link_type;                     /* pcap; -1: not known yet */
    struct err error;                  /* text empty: the file takes what it is given */
    const volatile sig_atomic_t *stop; /* NULL: a slow reader is waited for without end */
    int64_t stop_by;                   /* source_clock_ms; 0: it is not set yet */
};

/* Writes what is held.  False: the file takes no more, and `error` says why; it ends behind a whole
 * record, or is `broken`. */
bool capture_held_write(struct capture_out *o);
/* Packets among what is held. */
uint64_t capture_held_packets(const struct capture_out *o);

#endif

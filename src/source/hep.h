/* Private to source/: what those that receive and that send HEP share.  HEP version 3 is a list of
 * chunks (HEP3 Network Protocol Specification); what the messages carry is read by packet/. */
#ifndef SOURCE_HEP_H
#define SOURCE_HEP_H

#include "base/base.h"

#include <sys/socket.h>

#define SOURCE_HEP_MAGIC      "HEP3"
#define SOURCE_HEP_HEAD       6u /* magic and length */
#define SOURCE_HEP_CHUNK_HEAD 6u /* vendor, type, length */
#define SOURCE_HEP_TYPE_SIP   1u

enum source_hep_chunk {
    SOURCE_HEP_FAMILY = 1,
    SOURCE_HEP_PROTOCOL,
    SOURCE_HEP_SRC4,
    SOURCE_HEP_DST4,
    SOURCE_HEP_SRC6,
    SOURCE_HEP_DST6,
    SOURCE_HEP_SRC_PORT,
    SOURCE_HEP_DST_PORT,
    SOURCE_HEP_SECONDS,
    SOURCE_HEP_MICROSECONDS,
    SOURCE_HEP_TYPE,
    SOURCE_HEP_AGENT,
    SOURCE_HEP_KEY = 14,
    SOURCE_HEP_PAYLOAD,
    SOURCE_HEP_CORRELATION = 17,
};

struct source_hep_address {
    char label[320]; /* "udp:10.0.0.1:9060", for messages */
    bool tcp;
    struct sockaddr_storage address;
    socklen_t size;
};

/* Reads "udp:HOST:PORT" or "tcp:HOST:PORT" and looks the name up; `listen`: it is an address of
 * this host, and may be left empty (all of them).  Errors begin with `what`. */
bool source_hep_address_read(struct source_hep_address *a, const char *what, const char *where,
                             bool listen, struct err *err);

#endif

/* Sends messages to a collector (Homer, heplify-server, sipxray itself) as HEP version 3, over UDP
 * or TCP.  Part of the public header source/source.h.
 *
 * Nothing waits for the collector: what it does not take is held up to a bound, then dropped and
 * counted, and a connection that is lost is made again after a pause. */
#ifndef SOURCE_HEP_OUT_H
#define SOURCE_HEP_OUT_H

#include "base/base.h"

struct source_message;
struct source_hep_out;

#define SOURCE_HEP_UDP_MAX  65507u               /* bytes of a datagram's payload over IPv4 */
#define SOURCE_HEP_TCP_MAX  65535u               /* HEP's length field has 16 bits */
#define SOURCE_HEP_HELD     (4u * 1024u * 1024u) /* bytes that wait for a collector over TCP */
#define SOURCE_HEP_PAUSE_MS 2000                 /* between two attempts to connect */

/* All of it is borrowed during the call. */
struct source_hep_message {
    const struct source_message *message; /* who sent it to whom, over what */
    int64_t time_ns;
    uint32_t agent;           /* the capture id: which point saw it */
    struct slice correlation; /* the Call-ID; empty: none */
    struct slice payload;     /* the SIP message */
};

struct source_hep_out_stats {
    uint64_t sent;
    uint64_t too_large; /* more than a datagram, or HEP's length field, can hold */
    uint64_t dropped;   /* the collector took them too slowly, or was not there */
    uint64_t refused;   /* the network refused a datagram, or said that nobody listens */
    uint64_t lost;      /* connections that ended; how much of what was sent arrived is unknown */
};

/* `where` is "udp:HOST:PORT" or "tcp:HOST:PORT", with an IPv6 address in brackets; the name is
 * looked up once.  `key` is the authentication key, which is copied; empty: none.  A collector over
 * TCP need not be there yet. */
struct source_hep_out *source_hep_out_open(const char *where, struct slice key, struct err *err);
/* False: it was not sent, and is counted. */
bool source_hep_out_send(struct source_hep_out *o, const struct source_hep_message *m);
/* Sends what is held, as far as the collector takes it; now and then, and where it is idle. */
void source_hep_out_flush(struct source_hep_out *o);
/* What fails at the moment, for a person; NULL: nothing. */
const char *source_hep_out_error(const struct source_hep_out *o);
const struct source_hep_out_stats *source_hep_out_stats(const struct source_hep_out *o);
/* Waits at most so long for the collector to take what is held; the rest is counted as dropped,
 * which *stats (may be NULL) tells. */
void source_hep_out_close(struct source_hep_out *o, unsigned wait_ms,
                          struct source_hep_out_stats *stats);

#endif

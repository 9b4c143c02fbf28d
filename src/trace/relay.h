/* Private to trace/: hands messages from the thread that reads to the thread that files them. */
#ifndef TRACE_RELAY_H
#define TRACE_RELAY_H

#include "packet/packet.h"
#include "sip/sip.h"

struct trace_relay;

/* `origin` is as given to trace_relay_put; the rest is borrowed during the call. */
typedef void trace_relay_sink(void *origin, const struct packet_payload *payload,
                              const struct sip_message *message);

typedef void trace_relay_hidden_sink(void *origin, const struct packet_hidden *hidden);

struct trace_relay *trace_relay_new(void);
void trace_relay_free(struct trace_relay *r);

/* By the thread that reads.  put copies all that it is given, and waits where too much waits
 * already to be taken.  Where a datagram is copied before it is scanned, nothing in the message has
 * to be moved: room copies *bytes to where they will stay, makes *bytes the copy, and gives the
 * message that is to be scanned from it; put_room puts that.  Without it nothing was put. */
struct sip_message *trace_relay_room(struct trace_relay *r, struct slice *bytes);
void trace_relay_put_room(struct trace_relay *r, void *origin,
                          const struct packet_payload *payload);
void trace_relay_put(struct trace_relay *r, void *origin, const struct packet_payload *payload,
                     const struct sip_message *message);
void trace_relay_put_hidden(struct trace_relay *r, void *origin,
                            const struct packet_hidden *hidden);
void trace_relay_flush(struct trace_relay *r); /* nothing is kept back that was put */
void trace_relay_end(struct trace_relay *r);

/* By the thread that files: waits for messages, and what is hidden, and hands each to its sink;
 * false: they are at their end. */
bool trace_relay_take(struct trace_relay *r, trace_relay_sink *sink,
                      trace_relay_hidden_sink *hidden);

#endif

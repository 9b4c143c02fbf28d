/* trace: owns every table, runs the stages in order, ends and frees what is finished.  Sources are read merged
 * by time; each SIP message is handed to the message sink, filed under its call, and each call that is over
 * goes to the call sink, after which it is freed. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "base/base.h"
#include "packet/packet.h"
#include "sip/sip.h"
#include "source/source.h"

struct trace;

/* A message as it was just scanned; all borrowed, valid during the call of the sink. */
struct trace_message {
    uint32_t point; /* index into trace_points */
    const struct packet_payload *payload;
    const struct sip_message *sip;
    bool retransmission; /* seen before at this point, on the same flow */
    bool duplicate;      /* the very same packet seen again (a tap that sees each frame twice) */
};

typedef void trace_message_sink(void *context, const struct trace_message *message);

struct trace_point {
    const char *name;
    const char *path;
    int link_types[8]; /* seen, in order of appearance */
    uint32_t link_type_count;
    uint64_t messages;
    const struct source_stats *source;
    const struct packet_stats *packet;
};

struct trace *trace_new(void);
/* [NAME=]SOURCE; a second point of the same name, an unreadable file, a bad filter are errors. */
bool trace_add(struct trace *t, const char *spec, const char *bpf, struct err *err);
/* Reads all sources to their end.  False on an error of the environment (err says which source). */
bool trace_run(struct trace *t, trace_message_sink *sink, void *context, struct err *err);
size_t trace_points(const struct trace *t, const struct trace_point **points);
/* Called now and then during trace_run with what was read of what there is (total 0: not known). */
typedef void trace_progress(void *context, uint64_t bytes_read, uint64_t bytes_total);
void trace_set_progress(struct trace *t, trace_progress *progress, void *context);
void trace_free(struct trace *t);

#endif

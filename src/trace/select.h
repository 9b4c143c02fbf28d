/* Private to trace/: picks those frames of a source that carry SIP: datagrams with their fragments,
 * TCP connections with all their segments (what is needed to read them, a TLS handshake too), and
 * media, where they are asked for.  What cannot be told yet is held for a while. */
#ifndef TRACE_SELECT_H
#define TRACE_SELECT_H

#include "packet/packet.h"
#include "trace/trace.h"

struct trace_select;

struct select_stats {
    uint64_t selected; /* frames, media among them */
    uint64_t given_up; /* frames let go of at a limit before it was known what they carry */
};

/* Frames go to the sink in the order in which it is known that they belong there. */
struct trace_select *select_new(const struct hash_key *key, trace_frame_sink *sink, void *context);
void select_free(struct trace_select *s);
/* Before and after the frame is pushed into the decoder; what the decoder tells meanwhile: */
void select_begin(struct trace_select *s, uint32_t point, const struct source_frame *frame,
                  const struct packet_stats *stats);
void select_end(struct trace_select *s);
void select_segment(struct trace_select *s, const struct packet_segment *segment);
void select_sip(struct trace_select *s, const struct packet_payload *payload);
void select_media(struct trace_select *s, const struct packet_payload *payload);
/* What is held now is of no further use. */
void select_flush(struct trace_select *s);
const struct select_stats *select_stats(const struct trace_select *s);

#endif

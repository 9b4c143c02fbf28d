/* Private to trace/: frames that cannot be read again, kept in a temporary file without a name; as
 * a ring, so that the oldest give way. */
#ifndef TRACE_SPOOL_H
#define TRACE_SPOOL_H

#include "trace/trace.h"

struct trace_spool;

struct trace_spool *spool_new(uint64_t limit, struct err *err);
void spool_free(struct trace_spool *s);
trace_frame_sink spool_add; /* the context is the spool */
/* Hands out all that are held and that `takes` takes, the oldest first. */
typedef bool spool_takes(void *context, const struct trace_frame *f);
void spool_each(struct trace_spool *s, spool_takes *takes, void *takes_context,
                trace_frame_sink *sink, void *context);
/* Hands out those that are wanted: a frame; all that is no media of a flow, in both directions; and
 * media from or to a place.  What was handed out so before is not, but `takes` is asked of wanted
 * frames; others than these may be among what it is asked of. */
void spool_want_frame(struct trace_spool *s, uint32_t point, uint32_t number);
void spool_want_flow(struct trace_spool *s, uint32_t point, const struct endpoint ends[2]);
void spool_want_place(struct trace_spool *s, const struct endpoint *at);
void spool_give(struct trace_spool *s, spool_takes *takes, void *takes_context,
                trace_frame_sink *sink, void *context);
const struct trace_spool_stats *spool_stats(const struct trace_spool *s);

#endif

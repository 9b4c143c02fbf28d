/* Private to trace/: frames that cannot be read again, kept in a temporary file without a name; as
 * a ring, so that the oldest give way. */
#ifndef TRACE_SPOOL_H
#define TRACE_SPOOL_H

#include "trace/trace.h"

struct trace_spool;

struct trace_spool *spool_new(uint64_t limit, struct err *err);
void spool_free(struct trace_spool *s);
trace_frame_sink spool_add; /* the context is the spool */
/* Hands out all that are held and that `takes` takes, the oldest first; `once`: but those that were
 * handed out so before. */
void spool_each(struct trace_spool *s, bool (*takes)(void *context, const struct trace_frame *f),
                trace_frame_sink *sink, void *takes_context, void *context, bool once);
const struct trace_spool_stats *spool_stats(const struct trace_spool *s);

#endif

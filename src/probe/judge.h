/* The judge of the probe: takes what both ends sent and received to a trace as capture points of
 * their names, asks for each header of the script where its message arrived, and has the trace name
 * the node in the middle that did the harm.  Included by probe/probe.h. */
#ifndef PROBE_JUDGE_H
#define PROBE_JUDGE_H

#include "report/report.h"
#include "trace/trace.h"

#define PROBE_ROWS_MAX 20000u /* headers of messages that are judged; more are counted */

struct probe_judge;

/* `mine`: which ends are played here: only those are points.  All is borrowed. */
struct probe_judge *probe_judge_new(const struct probe_script *script, const bool mine[2]);
/* Makes the ends points of the trace: `caller` and `callee`, or with a trunk `livekit` and `far`.
 */
bool probe_judge_attach(struct probe_judge *j, struct trace *t, struct err *err);
/* An entry was added to the log (probe_watch.entry). */
void probe_judge_entry(struct probe_judge *j, const struct probe_entry *e);
/* A call is over (probe_watch.ended). */
void probe_judge_call(struct probe_judge *j, const struct probe_call_result *result,
                      const struct probe_log *log);
/* Has any call come about until now? */
bool probe_judge_reached(const struct probe_judge *j);
/* The ends say no more: the trace can be run to its end. */
void probe_judge_end(struct probe_judge *j);
/* A call of the trace (its flow sink; the context is the judge). */
void probe_judge_journeys(void *judge, const struct hop_call *call);
/* What was found; valid until probe_judge_free. */
void probe_judge_report(struct probe_judge *j, const struct probe_counts *counts,
                        struct report_probe *out);
void probe_judge_free(struct probe_judge *j);

const char *probe_end_name(const struct probe_script *script, enum probe_end end);

#endif

/* What the reports of the probe share. */
#ifndef REPORT_PROBE_INTERNAL_H
#define REPORT_PROBE_INTERNAL_H

#include "report/internal.h"

/* "by kam1 (10.0.1.1 in, 10.0.2.1 out)", "on the way from caller:out to callee:in, over 10.0.0.1";
 * empty: nothing is known. */
struct slice report_guilty_text(struct arena *a, const struct check_guilty *g);
/* What became of it, as a clause: "stripped by kam1", "answered 413 instead of going on". */
struct slice report_probe_words(struct arena *a, const struct report_probe_row *row);
/* "BYE from caller to callee" */
struct slice report_probe_message(struct arena *a, const struct report_probe_row *row);
/* "404 headers: 400 arrived, 4 stripped" */
struct slice report_probe_summary(struct arena *a, const struct report_probe *p);

/* Rows that share message, fate and hand. */
struct report_probe_group {
    const struct report_probe_row *first;
    struct slice words; /* a sentence */
};
VEC_TYPE(report_probe_groups, struct report_probe_group);
/* What did not arrive as it was sent, and what is worth knowing of what did (verbose). */
void report_probe_groups(struct report_probe_groups *out, struct arena *a,
                         const struct report_probe *p, bool remarks);

void report_probe_text(struct text *out, const struct report_style *style,
                       const struct report_probe *p);
void report_probe_json(struct text *out, const struct report_style *style,
                       const struct report_probe *p);
void report_probe_junit(struct text *out, const struct report_style *style,
                        const struct report_probe *p);
void report_probe_tap(struct text *out, const struct report_style *style,
                      const struct report_probe *p);
void report_probe_markdown(struct text *out, const struct report_style *style,
                           const struct report_probe *p);

/* The table: what stands in the cell of all rows of one line in a column; empty: nothing. */
struct slice report_probe_cell(struct arena *a, const struct report_probe *p, struct slice line,
                               size_t column, enum report_fate *worst);
/* The lines of the table, in order: cases or headers. */
size_t report_probe_lines(struct arena *a, const struct report_probe *p, struct slice **out);

#endif

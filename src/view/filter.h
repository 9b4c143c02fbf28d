/* The filter language (sipxray-filter(5)): which messages, and which calls, are shown, judged or
 * recorded.  Included by view.h.
 *
 * A message is held against an expression as it is scanned.  A call matches where one of its
 * messages does, or where what the expression says of the call alone holds; what has to be known of
 * its messages is kept in struct trace_marks. */
#ifndef VIEW_FILTER_H
#define VIEW_FILTER_H

#include "trace/trace.h"

#define VIEW_FILTER_LENGTH_MAX 8192u /* bytes of an expression */
#define VIEW_FILTER_DEPTH_MAX  64u   /* of parentheses and not */
#define VIEW_FILTER_TESTS_MAX  512u
#define VIEW_FILTER_SET_MAX    256u /* values in braces */
#define VIEW_FILTER_MANY_MAX   32u  /* any(), all() and none() */
#define VIEW_FILTER_GROUPS_MAX 6u   /* tests of the call that are parted by tests of messages */
/* A regular expression that ran into the limits of base/pattern.h so often is asked no more: what
 * it is asked of is not known from then on. */
#define VIEW_FILTER_LIMITED_MAX 256u

/* What is known of what is filtered. */
enum view_filter_scope {
    VIEW_FILTER_MESSAGES, /* listed one by one: nothing of their calls is known */
    VIEW_FILTER_CALLS,
    VIEW_FILTER_JUDGED, /* calls with the verdict of check */
};

/* A mistake in an expression, and where it is. */
struct view_filter_fault {
    char text[300];
    size_t at, n; /* bytes of the expression; n may be 0 at its end */
};

struct view_filter;

/* NULL: *fault says why. */
struct view_filter *view_filter_new(struct slice expression, enum view_filter_scope scope,
                                    struct view_filter_fault *fault);
void view_filter_free(struct view_filter *f); /* NULL: nothing */
/* The column of the mistake, from 1. */
size_t view_filter_fault_column(struct slice expression, const struct view_filter_fault *fault);
/* The expression and below it carets under the mistake: two lines, made safe for a terminal. */
void view_filter_fault_text(struct text *out, struct slice expression,
                            const struct view_filter_fault *fault);

enum view_filter_answer {
    VIEW_FILTER_NO,
    VIEW_FILTER_YES,
    VIEW_FILTER_UNSURE, /* what was not captured decides, or a limit was hit */
};

enum view_filter_answer view_filter_message(struct view_filter *f, const struct trace_seen *m);

/* For a scope of calls: what a trace asks of it; NULL: of NULL.  Borrowed; the trace has to be
 * known before it runs, for the names of its points. */
const struct trace_filter *view_filter_calls(struct view_filter *f);
void view_filter_begin(struct view_filter *f, const struct trace *t);

/* The same, where a caller has hooks of its own: a message of a call is looked at. */
void view_filter_look(struct view_filter *f, const struct trace_seen *m, struct trace_marks *marks);

#define VIEW_FINDINGS_MAX 128u

/* The verdict on a call, for VIEW_FILTER_JUDGED. */
struct view_filter_verdict {
    bool judged;
    enum check_verdict verdict;
    uint32_t errors;
    uint64_t findings[VIEW_FINDINGS_MAX / 64]; /* a bit for each of check_kinds that it has */
};
enum view_filter_answer view_filter_call(struct view_filter *f, const struct call_summary *c,
                                         const struct trace_marks *marks,
                                         const struct view_filter_verdict *verdict);
bool view_filter_asks_messages(const struct view_filter *f);
bool view_filter_asks_verdict(const struct view_filter *f);

/* A point that the expression names and the trace has not, so that it may be a slip; empty: none.
 */
struct slice view_filter_stranger(const struct view_filter *f, const struct trace *t);

struct view_filter_stats {
    uint64_t asked, matched, unsure; /* messages of view_filter_message, or calls */
    uint64_t limited;                /* matches of regular expressions that hit a limit */
};
const struct view_filter_stats *view_filter_stats(const struct view_filter *f);

/* The fields, for the manual and for forms. */
struct view_filter_field {
    const char *name, *type, *scope, *words, *about;
};
size_t view_filter_fields(const struct view_filter_field **list);
/* A text as an expression has it: in quotes. */
void view_filter_quote(struct text *out, struct slice text);

#endif

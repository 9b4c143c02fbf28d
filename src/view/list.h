/* The list of calls while a trace is browsed: which are shown, in which order, with what in each
 * cell.  Included by view.h. */
#ifndef VIEW_LIST_H
#define VIEW_LIST_H

#include "check/check.h"
#include "trace/trace.h"
#include "view/filter.h"

enum view_cell {
    VIEW_CELL_NUMBER,
    VIEW_CELL_VERDICT,
    VIEW_CELL_START,
    VIEW_CELL_CALLER,
    VIEW_CELL_CALLEE,
    VIEW_CELL_STATE,
    VIEW_CELL_MESSAGES,
    VIEW_CELL_DURATION,
    VIEW_CELL_POINTS,
    VIEW_CELL_CALL_ID,
    VIEW_CELL_CALL_IDS,
    VIEW_CELL_DAY,
    VIEW_CELL_ANSWER,
    VIEW_CELL_END,
    VIEW_CELL_LAST,
    VIEW_CELL_TALK,
    VIEW_CELL_STATUS,
    VIEW_CELL_METHOD,
    VIEW_CELL_SRC,
    VIEW_CELL_DST,
    VIEW_CELL_COUNT /* and on: the values of trace_options.wants, in that order */
};

/* What check says of a call, as far as it was asked. */
struct view_verdict {
    uint32_t messages; /* that the call had then; 0: not judged yet */
    uint32_t errors;   /* findings of that severity */
    bool judged;       /* false: nothing in it is subject to a check */
    enum check_verdict verdict;
    uint64_t findings[VIEW_FINDINGS_MAX / 64]; /* a bit for each of check_kinds that it has */
};

struct view_calls {
    struct trace *trace;
    const struct check_options *options;
    const struct slice *headers; /* names of what trace wants; borrowed */
    size_t header_count;
    /* adds an address as it is to be shown; NULL: as it is */
    void (*add_endpoint)(const void *context, struct text *out, const struct endpoint *e);
    const void *endpoint_context;
    uint32_t *shown; /* numbers of calls, shown_count of them */
    size_t shown_count, shown_cap;
    uint32_t known;                 /* calls that were looked at */
    struct view_filter *expression; /* NULL: none */
    struct text expression_text;
    uint32_t unsure; /* calls of which it is not known whether they match */
    /* a list that is made anew and takes the place of `shown` when it is whole */
    struct view_fresh {
        uint32_t *shown;
        size_t shown_count, shown_cap;
        uint32_t known, unsure;
        bool on, again; /* once more after this */
    } fresh;
    enum view_cell sort;
    bool backwards;
    bool local_time;    /* else UTC */
    uint32_t from;      /* calls before this one are hidden */
    struct text filter; /* a text that one of the cells has to contain, in any case; empty: all */
    struct view_verdict *verdicts; /* of each call */
    size_t verdict_count, verdict_cap;
    bool loading; /* calls may still grow */
    struct arena scratch;
};

#define VIEW_CALL_LONG 1024u /* messages */

void view_calls_init(struct view_calls *v, struct trace *t, const struct check_options *o);
void view_calls_free(struct view_calls *v);
void view_calls_filter(struct view_calls *v, struct slice text);
/* Only calls that match the expression; an empty one: all.  False: *fault says what is wrong with
 * it, and nothing changes.  Which those are comes out step by step. */
bool view_calls_express(struct view_calls *v, struct slice expression,
                        struct view_filter_fault *fault);
/* Looks at some more calls, at about so many messages; false: there is nothing left to do. */
bool view_calls_work(struct view_calls *v, uint32_t budget);
/* How much of that is done, in percent; 100: all of it. */
unsigned view_calls_progress(const struct view_calls *v);
uint32_t view_calls_total(const struct view_calls *v); /* calls, shown or not */
void view_calls_sort(struct view_calls *v, enum view_cell by, bool backwards);
/* What appeared since goes to the end, what is no call any more goes; `anew`: filtered and sorted
 * again, for calls change as they go on. */
void view_calls_update(struct view_calls *v, bool anew);
const char *view_cell_name(enum view_cell c); /* of those before VIEW_CELL_COUNT */
/* The verdict as it is known; `judge`: judged now where that is not so. */
const struct view_verdict *view_calls_verdict(struct view_calls *v, uint32_t call, bool judge);
void view_calls_add_cell(struct view_calls *v, struct text *out, enum view_cell cell, uint32_t call,
                         const struct call_summary *c);

/* "12:00:00.123" and "2026-11-22", in UTC or by TZ. */
void view_add_clock(struct text *out, bool local, int64_t ns);
void view_add_day(struct text *out, bool local, int64_t ns);

#endif

/* What a probe found, for its reports: probe/ fills it, message by message and header by header.
 * Included by report/report.h. */
#ifndef REPORT_PROBE_H
#define REPORT_PROBE_H

#include "base/base.h"
#include "check/check.h"

enum report_fate {
    REPORT_ARRIVED,
    REPORT_STRIPPED, /* the message arrived, the header did not */
    REPORT_ALTERED,  /* it arrived with another value */
    REPORT_REJECTED, /* the message never arrived: it was answered with `status` instead */
    REPORT_LOST,     /* the message never arrived: nothing, or nothing that says so, came back */
    REPORT_UNTRIED,  /* it could not be tried, or nobody can tell: `how` says why */
};

/* One header on one message of one call. */
struct report_probe_row {
    struct slice group;    /* the case's id, or the trunk's name */
    struct slice call;     /* its name */
    struct slice message;  /* "BYE", "200 to INVITE" */
    unsigned column;       /* of the table: index into report_probe.columns */
    struct slice from, to; /* names of the ends */
    struct slice header;   /* as it was sent */
    enum report_fate fate;
    enum check_header_verdict verdict; /* STRIPPED, ALTERED: what became of it */
    uint16_t status;                   /* REJECTED */
    struct slice how;                  /* a remark for people: what differs, or why; may be empty */
    struct expect_list sent, received;
    bool loose;                 /* any value will do: `sent` is not known */
    bool unwatched;             /* where it goes is not ours: it may have arrived all the same */
    struct check_guilty guilty; /* any: false where nothing was harmed, or nobody can tell */
    struct slice seen_last;     /* "kam1:in": REJECTED and LOST, with capture points */
};

struct report_probe_column {
    struct slice message, from, to;
    bool by_caller;
};

/* A step of a call that was not a 2xx: the sentence that tells what became of it. */
struct report_probe_step {
    struct slice call, from, message; /* message as sent: "BYE", "200 to INVITE" */
    const char *fate;                 /* "done", "no-answer" ... */
    uint16_t status;                  /* that came back; 0: none */
    struct slice words;
    bool judged; /* there are rows of it, which tell more */
};

struct report_probe {
    const char *version, *command;   /* "run", "call", "answer" */
    struct slice title;              /* "suite", or the trunk */
    bool by_header;                  /* rows of the table are headers; else cases */
    bool path_failed;                /* no call came about at all */
    struct slice via, to, transport; /* empty: not known */
    enum check_verdict verdict;
    const struct report_probe_row *rows;
    size_t row_count;
    const struct report_probe_column *columns;
    size_t column_count;
    const struct report_probe_step *steps;
    size_t step_count;
    uint64_t calls, sent, received; /* of the probe; messages at its ends */
    const struct slice *notes;      /* whatever was limited or left out */
    size_t note_count;
    const struct trace_point *points;
    size_t point_count;
    int64_t began_ns, ended_ns;
};

const char *report_fate_name(enum report_fate fate); /* "arrived" ... */

struct report_style;

/* Adds the report in this format ("text", "json", "junit", "tap", "markdown"). */
void report_probe(struct text *out, const struct report_style *style, const char *format,
                  const struct report_probe *p);

#endif

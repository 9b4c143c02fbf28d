/* report: what is printed, as text, JSON, NDJSON or CSV.  Each function adds to a struct text;
 * where that goes is cmd/'s business.  All foreign bytes are escaped here, by the escaping of
 * base/text.h for the output at hand. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/base.h"
#include "call/call.h"
#include "check/check.h"
#include "expect/expect.h"
#include "report/probe.h"
#include "trace/trace.h"
#include "view/view.h"

/* How text for a person looks, and what any output may show. */
struct report_style {
    size_t width; /* columns of the terminal */
    bool colour;  /* never the only mark of anything */
    bool verbose;
    bool show_secrets; /* else credentials are masked */
    bool local_time;   /* else times are in UTC */
    bool ascii;        /* flow: nothing beyond ASCII is drawn */
};

#define REPORT_WIDTH_MIN 40u /* narrower terminals are taken for so wide */

/* Adds text word by word, breaking lines at `width`.  `column` is where the line stands now;
 * further lines are indented by `indent`.  Returns the column it ends at. */
size_t report_add_wrapped(struct text *out, size_t column, size_t indent, size_t width,
                          struct slice text);

/* ---- messages -------------------------------------------------------------------------------- */

/* What a list of messages keeps from line to line. */
struct report_messages {
    struct report_style style;
    size_t point_width; /* columns of the longest point name */
    int64_t day;        /* days since 1970 of the line before, plus one; 0: none yet */
    struct arena scratch;
};

void report_messages_free(struct report_messages *r);
void report_message_text(struct text *out, struct report_messages *r, const char *point,
                         const struct trace_message *m);
void report_message_ndjson(struct text *out, struct report_messages *r, const char *point,
                           const struct trace_message *m);

/* ---- calls ----------------------------------------------------------------------------------- */

/* What a column of the list says: of the call, or a header's value. */
enum report_column_id {
    REPORT_COLUMN_START,
    REPORT_COLUMN_ANSWER,
    REPORT_COLUMN_END,
    REPORT_COLUMN_LAST,
    REPORT_COLUMN_DURATION,
    REPORT_COLUMN_TALK,
    REPORT_COLUMN_OUTCOME,
    REPORT_COLUMN_STATUS,
    REPORT_COLUMN_METHOD,
    REPORT_COLUMN_CALLER,
    REPORT_COLUMN_CALLEE,
    REPORT_COLUMN_SRC,
    REPORT_COLUMN_DST,
    REPORT_COLUMN_MESSAGES,
    REPORT_COLUMN_POINTS,
    REPORT_COLUMN_CALL_ID,
    REPORT_COLUMN_CALL_IDS,
    REPORT_COLUMN_NUMBER,
    REPORT_COLUMN_HEADER
};

struct report_column {
    enum report_column_id id;
    struct slice title;  /* as it was asked for */
    struct slice header; /* REPORT_COLUMN_HEADER: its name, and its place in call_summary.values */
    uint32_t want;
};

/* "caller", or a header: "BYE:X-Queue", which is what is wanted then.  column->want is left 0. */
bool report_column_read(struct slice text, struct report_column *column, struct call_want *want,
                        struct err *err);
const char *report_column_name(size_t id); /* "start" ...; NULL from REPORT_COLUMN_HEADER on */

struct report_calls {
    struct report_style style;
    const struct trace_point *points;
    const struct report_column *columns; /* NULL: the usual ones */
    size_t column_count;
    int64_t day;    /* as in struct report_messages */
    uint64_t count; /* calls printed */
};

void report_call_text(struct text *out, struct report_calls *r, const struct call_summary *c);
void report_calls_text_end(struct text *out, const struct report_calls *r);
void report_call_csv(struct text *out, struct report_calls *r, const struct call_summary *c);
void report_calls_csv_end(struct text *out,
                          const struct report_calls *r); /* the header row, if there was no call */
void report_call_ndjson(struct text *out, struct report_calls *r, const struct call_summary *c);

/* Calls counted by the values of a column. */
#define REPORT_GROUPS_MAX 100000u /* values told apart; further ones are one group */

struct report_groups;

struct report_groups *report_groups_new(const struct report_style *style,
                                        const struct report_column *column);
void report_groups_count(struct report_groups *g, const struct trace_point *points,
                         const struct call_summary *c);
void report_groups_text(struct text *out, struct report_groups *g);
void report_groups_csv(struct text *out, struct report_groups *g);
void report_groups_ndjson(struct text *out, struct report_groups *g);
void report_groups_free(struct report_groups *g);

/* "12:00:00  answered  +1 -> +2  Call-ID", without an end of line */
void report_call_line(struct text *out, const struct report_style *style,
                      const struct call_summary *c);

/* ---- check ----------------------------------------------------------------------------------- */

struct report_format;

/* What is known of a run at its end. */
struct report_run {
    const char *version;
    enum check_verdict verdict;
    bool allow_untested;             /* the verdict does not mind promises that were never judged */
    struct check_baseline *baseline; /* NULL: none */
    const struct check_summary *summary;
    const struct expect_rules *rules; /* NULL: none */
    const struct trace_point *points;
    size_t point_count;
    const struct trace_node *nodes;
    size_t node_count;
};

/* One report of check while it is written: begin, each call, end. */
struct report_check {
    struct report_style style;
    const struct report_format *format;
    bool changes;   /* there is a baseline: what it knows is left out or set apart */
    uint64_t calls; /* written */
    int64_t day;    /* live: as in struct report_messages */
    uint64_t tests, failures, errors, skipped; /* in those formats that count them */
    int64_t duration_ns;                       /* of the calls, added up */
    uint64_t annotations[3];                   /* github: of each severity */
    uint64_t bytes;                            /* markdown: of the calls */
    uint64_t known;                            /* markdown: calls as in the baseline */
    uint64_t calls_left_out, passed_left_out;  /* markdown: beyond a comment's size */
    struct text aside;                         /* what a format keeps for its end */
};

/* What went by unseen in a live run since it was told last. */
struct report_loss {
    const char *point; /* NULL: none in particular */
    const char *what;  /* "packets dropped by the kernel" */
    uint64_t count, total;
    int64_t time_ns;
};

/* The format of this name, or NULL; "live" is a line for each call.  The other names are those of
 * the command's table. */
const struct report_format *report_format(const char *name);
/* What begin writes is known at the end of the run only, and stands before the calls all the same:
 * the caller keeps what the calls give.  Else `run` is NULL for begin. */
bool report_format_is_whole(const struct report_format *f);
/* Needs check_options.everything. */
bool report_format_wants_everything(const struct report_format *f);
void report_check_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_check_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_check_end(struct text *out, struct report_check *r, const struct report_run *run);
/* What is wrong with a call, in a line; empty: nothing. */
struct slice report_live_words(struct arena *a, const struct check_call *c);
struct slice report_start_of(struct arena *a, const struct check_call *c); /* RFC 3339, UTC */
/* Nothing in those formats that have no word for it. */
void report_check_lost(struct text *out, struct report_check *r, const struct report_loss *loss);
void report_check_free(struct report_check *r);

void report_check_text(struct text *out, const struct report_style *style,
                       const struct check_call *call);
void report_check_text_end(struct text *out, const struct report_style *style,
                           const struct report_run *run);

/* Schema sipxray-check/1 (man/sipxray-check-json.5).  The calls are written as they come, the head
 * is known at the end only. */
void report_check_json_call(struct text *out, const struct report_style *style, bool first,
                            bool changes, const struct check_call *call);
void report_check_json_head(struct text *out, const struct report_run *run);
void report_check_json_tail(struct text *out, const struct report_run *run, bool any_calls);

/* ---- findings and causes --------------------------------------------------------------------- */

void report_explain_list_text(struct text *out, const struct report_style *style);
/* `id` is the name of a finding or of a cause. */
void report_explain_text(struct text *out, const struct report_style *style, struct slice id);
/* Schema sipxray-explain/1; an empty id: all of them. */
void report_explain_json(struct text *out, struct slice id);

/* ---- flow -------------------------------------------------------------------------------------
 */

/* The ladder of a call, the headers that change on its way, and with `headers` the matrix of each
 * message that has any of note. */
void report_flow_text(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, bool headers);

/* A Mermaid sequence diagram of the same. */
void report_flow_mermaid(struct text *out, const struct view_ladder *l);

/* A page of calls, numbered from 1; the first begins it. */
void report_flow_html(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, uint64_t number);
void report_flow_html_end(struct text *out);

/* A ladder as SVG.  Each row is a group with the id PREFIXmN, N from 1, and `links` leads from it
 * to PREFIXrawN, which is the page's to fill. */
struct report_svg {
    const char *prefix; /* of all ids: a page may hold several ladders */
    bool local_time;
    bool embedded; /* in a page that has report_ladder_style; else the picture has it */
    bool links;
};

void report_ladder_svg(struct text *out, const struct view_ladder *l, const struct report_svg *o);
void report_ladder_style(struct text *out); /* the sheet, without <style> */

/* ---- trunks ---------------------------------------------------------------------------------- */

/* What the trunk promises on which message, what is never mapped, and the lint. `values` may be
 * NULL. */
void report_trunk_text(struct text *out, const struct report_style *style,
                       const struct expect_trunk *trunk, const struct expect_values *values);
/* Which trunk a call would get, and the reasons for each. */
void report_trunk_match_text(struct text *out, const struct report_style *style,
                             enum expect_direction direction, const struct expect_match *match);
/* Schema sipxray-trunk/1; `values` and `match` may be NULL. */
void report_trunk_json(struct text *out, const struct report_style *style,
                       const struct expect_trunks *trunks, const struct expect_values *values,
                       const struct expect_match *match);

#endif

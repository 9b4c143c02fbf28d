/* What the reports share: times, cells, colours and masking. */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include "report/report.h"

/* ---- times, in UTC or in local time
 * --------------------------------------------------------------------------- */

struct report_time {
    char s[48];
};

/* "2026-11-21T19:40:01.123456Z", in local time with +01:00 for the Z; nine digits where there is a
 * part finer than a microsecond */
struct report_time report_time_iso(bool local, int64_t ns);
struct report_time report_time_day(bool local, int64_t ns); /* "2026-11-21" */
/* "19:40:01.123", or without the milliseconds */
void report_add_clock(struct text *out, bool local, int64_t ns, bool milliseconds);
/* Adds a line with the date where it is not the one of the line before. */
void report_add_day(struct text *out, bool local, int64_t *day, int64_t ns);
const char *report_zone_name(bool local); /* "UTC" */

/* ---- cells ----------------------------------------------------------------------------------- */

enum report_colour {
    REPORT_PLAIN,
    REPORT_RED,
    REPORT_GREEN,
    REPORT_YELLOW,
    REPORT_DIM,
    REPORT_BOLD
};

void report_colour_on(struct text *out, const struct report_style *style, enum report_colour c);
void report_colour_off(struct text *out, const struct report_style *style, enum report_colour c);
void report_add_coloured(struct text *out, const struct report_style *style, enum report_colour c,
                         struct slice text);
void report_add_spaces(struct text *out, size_t n);
void report_add_markdown_rule(struct text *out, size_t columns); /* below the head of a table */
void report_add_right(struct text *out, uint64_t value, size_t width); /* right-aligned */
/* The text fitted into exactly `width` columns: cut with "..." or padded on the right. */
/* Fills up with spaces what was added since `from`. */
void report_pad(struct text *out, size_t from, size_t width);
void report_add_cell(struct text *out, struct slice text, size_t width);
/* "10.0.1.1:5060", null where a log does not tell */
void report_json_endpoint(struct json_writer *w, const char *key, const struct endpoint *e);
/* Without spaces at the end of what was added since `from`. */
void report_trim_line(struct text *out, size_t from);
size_t report_width(const struct report_style *style);

/* ---- the parts of check as text -------------------------------------------------------------- */

/* A line of words, broken at the terminal's width; further lines are indented by two more. */
void report_add_line(struct text *out, const struct report_style *style, size_t indent,
                     struct slice words);
/* "FAIL  words", broken likewise; labels have four letters. */
void report_add_labelled(struct text *out, const struct report_style *style,
                         enum report_colour colour, const char *label, struct slice words);
struct slice report_request_name(struct arena *a,
                                 const struct check_request *r); /* "BYE", "200 to INVITE" */
void report_add_header_table(struct text *out, const struct report_style *style,
                             const struct check_request *r);
/* Absent from its start on and not owed: it may be set there, and need not. */
bool report_is_not_set(const struct check_header *h);

/* ---- what is wrong, in words ----------------------------------------------------------------- */

/* What is said of one or several findings of a kind, or that a message is right. */
struct report_sentence {
    bool pass;
    bool open;  /* what was not judged */
    bool known; /* the baseline has it, too */
    enum check_severity severity;
    const struct check_request *request; /* NULL: of the call */
    const struct check_finding *finding; /* the first of them, or NULL */
    struct slice words;
};
VEC_TYPE(report_sentences, struct report_sentence);

/* Is it about this message?  A finding names it as "BYE" or "INVITE 200". */
bool report_is_about(struct arena *a, const struct check_finding *f, const struct check_request *r);
/* The headers of a message that came to harm, and that all that is owed is there. */
void report_request_sentences(struct report_sentences *out, struct arena *a,
                              const struct check_call *c, const struct check_request *r);
/* The findings that are about no header of a message, or that no header's verdict tells. */
void report_other_sentences(struct report_sentences *out, struct arena *a,
                            const struct check_call *c);
/* Both, of all messages that report_is_shown. */
void report_call_sentences(struct report_sentences *out, struct arena *a,
                           const struct check_call *c);
/* Of the run: promises that were never judged, what may hide a message, and its findings. */
void report_run_sentences(struct report_sentences *out, struct arena *a,
                          const struct report_run *run);
bool report_sentence_known(const struct report_sentence *s);
const char *report_sentence_label(const struct report_sentence *s); /* "FAIL", "WARN", "note" ... */
void report_add_sentences(struct text *out, const struct report_style *style,
                          const struct report_sentences *list);
/* The finding that a header's verdict led to, or NULL. */
const struct check_finding *report_finding_of(struct arena *a, const struct check_call *c,
                                              const struct check_request *r,
                                              const struct check_header *h);
/* Is it told with its message, or with a header of it? */
bool report_is_told(struct arena *a, const struct check_call *c, const struct check_finding *f);
/* A mapping speaks of it, or a header of it came to harm. */
bool report_is_shown(const struct check_request *r);
/* "BYE sent by livekit, answered 200" */
struct slice report_request_title(struct arena *a, const struct check_request *r);
/* Why a call is inconclusive. */
struct slice report_inconclusive_why(const struct check_call *c);

/* The values of a header at a sighting, masked; several stand apart by " | ", "-" is none, "?" was
 * not captured. */
struct slice report_cell(struct arena *a, const struct report_style *style,
                         const struct check_header *h, size_t sighting);
/* "stripped by kam1", "stripped after livekit:out" */
struct slice report_verdict_text(struct arena *a, const struct check_header *h);
/* Of the trunks' promises those of a trunk that were never judged: "never judged: X-A of trunk
 * "T""; empty: all were.  `*from` goes on to the next trunk. */
struct slice report_untested(struct arena *a, const struct check_summary *s, size_t *from);
/* TLS of a point that was not decrypted and may hide what was never seen; empty: none. */
struct slice report_hidden(struct arena *a, const struct trace_point *p);

/* ---- what changed ---------------------------------------------------------------------------- */

bool report_has_news(const struct check_call *c);    /* a finding that the baseline has not */
bool report_failed_anew(const struct check_call *c); /* an error among those */
/* "compared with base.json (calls: 20 then, 20 now), kinds of finding: 1 new, 0 gone, 3 the same"
 */
struct slice report_comparison_text(struct arena *a, const struct report_run *run);
/* What is new, then what is gone, headers of the same fate together; nothing without a baseline. */
struct report_change {
    const struct check_difference *of; /* the first of them */
    struct slice words;
};
VEC_TYPE(report_changes, struct report_change);
void report_changes(struct report_changes *out, struct arena *a, const struct report_run *run);

/* ---- calls as tests -------------------------------------------------------------------------- */

/* KNOWN: it failed, as it did in the baseline */
enum report_outcome { REPORT_OK, REPORT_FAILED, REPORT_KNOWN, REPORT_SKIPPED, REPORT_UNTESTED };

/* A header of a message, or something else that is wrong, as one test of a call. */
struct report_test {
    enum report_outcome outcome;
    struct slice of;                     /* "BYE", "INVITE 200", "call", "run" */
    struct slice name;                   /* "X-Five9-Queue", "not-forwarded by kam1" */
    struct slice why;                    /* empty: REPORT_OK */
    const char *type;                    /* what is wrong, where no finding is */
    const struct check_request *request; /* these may be NULL */
    const struct check_header *header;
    const struct check_finding *finding;
};
VEC_TYPE(report_tests, struct report_test);

/* At least one; one has failed if the call has; one was skipped if the call is inconclusive. */
void report_call_tests(struct report_tests *out, struct arena *a, const struct check_call *c);
/* Of the run: the promises that were never judged. */
void report_run_tests(struct report_tests *out, struct arena *a, const struct report_run *run);

/* ---- the parts of lists of calls
 * ----------------------------------------------------------------- */

uint64_t report_duration_ms(const struct call_summary *c);
/* From the answer to the end.  False: it was not answered, or nobody saw that. */
bool report_talk_ms(const struct call_summary *c, uint64_t *ms);
const char *report_outcome_name(const struct call_summary *c);
void report_add_duration(struct text *out, uint64_t ms); /* "12.345s", "1:02:03" */
struct slice report_joined(struct arena *a, const struct slice *items, size_t n);
struct slice report_point_names(struct arena *a, const struct report_calls *r,
                                const struct call_summary *c);
/* As a program reads it; `absent`: there is none. */
struct slice report_column_value(struct arena *a, const struct report_calls *r,
                                 const struct report_column *column, const struct call_summary *c,
                                 bool *absent);
void report_columns_text(struct text *out, struct report_calls *r, const struct call_summary *c);
void report_columns_csv_head(struct text *out, const struct report_calls *r);
void report_columns_csv(struct text *out, struct report_calls *r, const struct call_summary *c);
void report_columns_ndjson(struct text *out, struct report_calls *r, const struct call_summary *c);

/* ---- the parts of flow --------------------------------------------------------------------------
 */

/* What stands on an arrow, in so many columns: "INVITE", " SDP x3", "-2 X-". */
struct report_caption {
    struct slice label, notes, marks;
};
struct report_caption report_caption_of(struct arena *a, const struct view_row *row, size_t room);
void report_add_ladder(struct text *out, const struct report_style *style,
                       const struct view_ladder *l);
/* "-X-A ~X-B": what changed before the arrow or on it; all: also what proxies change by design */
struct slice report_change_words(struct arena *a, const struct view_row *row, bool on_wire,
                                 bool all);
struct slice report_leg_name(struct arena *a, uint32_t leg); /* "A" ... "Z", then "*" */
/* As text_add_terminal and text_add_fitted, in ASCII where the style asks for it. */
void report_add_safe(struct text *out, const struct report_style *style, struct slice text);
void report_add_fitted(struct text *out, const struct report_style *style, struct slice text,
                       size_t columns);

/* ---- what all formats tell of a call --------------------------------------------------------- */

struct report_facts {
    struct report_fact {
        const char *name; /* "caller" */
        struct slice value;
    } items[9];
    size_t n;
};

/* Those that are known: call, start, direction, caller, callee, trunk, joined, verdict. */
struct report_facts report_call_facts(struct arena *a, const struct report_style *style,
                                      const struct check_call *c);
struct slice report_trunk_name(struct arena *a, const struct expect_trunk *t); /* NULL: empty */
struct slice report_call_parties(struct arena *a, const struct check_call *c); /* "+1415 -> ?" */
struct slice report_call_title(struct arena *a, const struct check_call *c); /* with its Call-ID */
struct slice report_message_name(struct arena *a, const struct check_request *r); /* "INVITE 200" */
/* "likely cause: the far end hung up (far-end-hung-up)" and what to do */
struct slice report_cause_text(struct arena *a, const struct check_cause *cause);
/* "2 calls: 1 passed, 1 failed" */
struct slice report_summary_text(struct arena *a, const struct report_run *run);

/* ---- the formats of check -------------------------------------------------------------------- */

struct report_format {
    const char *name;
    bool whole;      /* begin tells how the run ended: it is called after the calls */
    bool everything; /* wants all messages of a call followed */
    void (*begin)(struct text *out, struct report_check *r,
                  const struct report_run *run); /* NULL: nothing before the calls */
    void (*call)(struct text *out, struct report_check *r, const struct check_call *call);
    void (*end)(struct text *out, struct report_check *r, const struct report_run *run);
    void (*lost)(struct text *out, struct report_check *r, const struct report_loss *loss);
};

/* The members of sipxray-check/1, for an object that is open in the writer: pretty,
 * or of one line. */
void report_json_call(struct json_writer *w, const struct report_style *style,
                      const struct check_call *call); /* without findings and causes */
void report_json_finding(struct json_writer *w, const struct check_finding *f,
                         bool changes); /* there is a baseline */
void report_json_cause(struct json_writer *w, const struct check_cause *cause);
void report_json_run(struct json_writer *w, const struct report_run *run); /* without calls */
void report_json_run_finding(struct json_writer *w, const struct check_run_finding *f,
                             bool changes);
void report_json_rules(struct json_writer *w, const struct report_run *run); /* their counts */

void report_page_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_page_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_page_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_tap_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_tap_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_tap_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_junit_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_junit_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_junit_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_github_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_github_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_markdown_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_markdown_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_markdown_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_live_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_live_end(struct text *out, struct report_check *r, const struct report_run *run);
void report_live_lost(struct text *out, struct report_check *r, const struct report_loss *loss);
void report_events_lost(struct text *out, struct report_check *r, const struct report_loss *loss);
void report_events_begin(struct text *out, struct report_check *r, const struct report_run *run);
void report_events_call(struct text *out, struct report_check *r, const struct check_call *call);
void report_events_end(struct text *out, struct report_check *r, const struct report_run *run);

/* What else is to be known of a ladder: clocks that differ, what was left out. */
size_t report_flow_remarks(struct arena *a, const struct view_ladder *l, const struct slice **out);

/* ---- the parts of pages
 * -------------------------------------------------------------------------- */

void report_html_begin(struct text *out, struct slice title); /* up to <main> */
void report_html_end(struct text *out);
/* The ladder with links to the messages, of which each is out of sight until it is chosen; `prefix`
 * begins all ids of the call. */
void report_html_ladder(struct text *out, const struct report_style *style,
                        const struct view_ladder *l, const char *prefix);
void report_html_messages(struct text *out, const struct report_style *style,
                          const struct view_ladder *l, const char *prefix);
/* A table: headers down, sightings across, each cell with its values and, where it is not as it
 * should be, a mark and a colour. */
void report_html_matrix(struct text *out, const struct report_style *style, struct arena *a,
                        const struct check_request *r);
/* A message as it was on the wire, in <pre>, credentials masked. */
void report_html_raw(struct text *out, const struct report_style *style, struct arena *a,
                     const struct sip_message *m);

/* ---- secrets --------------------------------------------------------------------------------- */

/* The value, or what may be shown of it: "Digest ***" of credentials, "***" of keys. */
struct slice report_masked(struct arena *a, const struct report_style *style, struct slice name,
                           struct slice value);

#endif

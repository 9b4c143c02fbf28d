/* check: judges journeys against what is owed and words the findings.  Input: a call with its
 * journeys (hop/) and the trunks (expect/).  Output: struct check_call, which the reports print;
 * all of it lies in one arena and is gone when the next call is judged. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "base/base.h"
#include "expect/expect.h"
#include "hop/hop.h"

enum check_verdict { CHECK_PASS, CHECK_FAIL, CHECK_INCONCLUSIVE };

/* What became of one header on one journey (DESIGN.md, Words). */
enum check_header_verdict {
    CHECK_OK,
    CHECK_NEVER_SENT,
    CHECK_STRIPPED,
    CHECK_ALTERED,
    CHECK_TRUNCATED,
    CHECK_ENCODED,
    CHECK_EMPTIED,
    CHECK_DUPLICATED,
    CHECK_MISSING, /* absent at the first sighting, which is not the sender's own */
    CHECK_UNKNOWN, /* the captures cannot tell */
};

enum check_state { CHECK_STATE_PRESENT, CHECK_STATE_MISSING, CHECK_STATE_ALTERED, CHECK_STATE_CUT };

enum check_severity { CHECK_ERROR, CHECK_WARNING, CHECK_NOTE };

/* Who did the first harm.  Either a node (node.n > 0), or a stretch of the path between two
 * sightings with the nodes in it as candidates. */
struct check_guilty {
    bool any;             /* false: nothing was harmed (JSON null) */
    struct slice node;    /* display name; empty: the captures cannot tell */
    bool sender;          /* it made the message */
    struct slice in, out; /* its addresses on the two sides; empty where not known: a sender has no
                             `in`, a log need not tell either */
    struct slice after,
        before; /* "livekit:out", "five9:in"; for node.n == 0; either may be empty */
    const struct slice *candidates;
    size_t candidate_count;
};

struct check_header {
    struct slice name; /* as configured; without a trunk as first seen */
    bool must;         /* owed whatever happens: its absence at the sender is an error */
    bool expected;     /* owed here: it should be there at the end of the path */
    enum check_header_verdict verdict;
    const enum check_state *states;   /* one for each sighting of the request */
    const struct expect_list *values; /* likewise; unfolded, in wire order */
    struct check_guilty guilty;
    bool by_rule;   /* listed for a rule of the user only: the rule is judged, not this */
    bool has_value; /* a value was promised (--values, fixed headers) */
    struct slice value;
};

struct check_sighting {
    struct slice at; /* "kam1:in"; the point's name alone where the side is not known */
    struct slice point;
    struct slice node; /* display name; empty: a tap between nodes */
    struct slice side; /* "in", "out" or empty */
    struct endpoint src, dst;
    const char *transport;
    struct slice call_id;
    uint32_t cseq;
    const uint32_t *frames; /* of each transmission, ascending */
    size_t frame_count;
    uint32_t transmissions; /* without duplicate frames */
    int64_t time_ns;
    enum sip_state state;
};

/* A rule of the user on a message: it holds, fails, or the captures cannot tell. */
struct check_rule_result {
    const struct expect_rule *rule;
    enum check_verdict verdict;
};

/* A request, or a response (status != 0), followed over its sightings in path order. */
struct check_request {
    const struct hop_journey *journey;
    struct slice method;
    uint32_t cseq;
    uint16_t status;              /* 0: a request */
    struct slice sent_by_node;    /* empty: not known */
    struct slice sent_by_address; /* empty: not known */
    bool applies;                 /* a mapping owes something here */
    struct slice why;             /* one sentence: why it applies, or why not */
    const struct check_sighting *sightings;
    size_t sighting_count;
    uint16_t
        answer_status; /* of a request: its final answer as seen nearest the sender; 0: none seen */
    struct slice answer_reason;
    const struct check_header *headers;
    size_t header_count;
    const struct check_rule_result *rules; /* those that apply */
    size_t rule_count;
};

struct check_evidence {
    struct slice point;
    uint32_t frame;
};

struct check_finding {
    const char *id; /* of findings.def: "header-stripped" ... */
    enum check_severity severity;
    struct slice method; /* "BYE", "INVITE 200"; empty: the call as a whole */
    struct slice header; /* empty: none in particular */
    struct slice node;   /* empty: none in particular */
    struct slice message;
    const struct check_evidence *evidence;
    size_t evidence_count;
    bool known;                     /* the baseline has it, too; false without one */
    const struct expect_rule *rule; /* of the user, that led to it; NULL: none */
};

/* How sure a cause is: the captures exclude all others, they speak for it, or nothing speaks
 * against it. */
enum check_confidence { CHECK_CERTAIN, CHECK_LIKELY, CHECK_POSSIBLE };

/* Why it came to the findings of a call. */
struct check_cause {
    const char *id; /* of findings.def: "room-deleted" ... */
    enum check_confidence confidence;
    struct slice message; /* what speaks for it in this call */
    struct slice remedy;  /* what to do, in the terms of the product concerned */
    const struct check_evidence *evidence;
    size_t evidence_count;
};

struct check_call {
    const struct hop_call *hops;  /* what was judged: journeys with their messages */
    const struct slice *call_ids; /* in path order from the caller's side */
    size_t call_id_count;
    int64_t start_ns;                 /* capture time of its first message */
    const char *direction;            /* "inbound", "outbound", "unknown" */
    struct slice caller, callee;      /* users of From and To; empty: not known */
    const struct expect_trunk *trunk; /* NULL: none */
    struct slice trunk_why;           /* why this trunk, or why none */
    enum check_verdict verdict;
    const struct check_request *requests;
    size_t request_count;
    const struct check_finding *findings;
    size_t finding_count;
    const struct check_cause *causes; /* the likeliest first */
    size_t cause_count;
    /* how legs of different Call-IDs were joined: score and reasons; empty: one leg */
    struct slice joined;
    uint64_t number; /* live: of the report, from 1; else 0 */
    bool corrects;   /* live: what was reported under this number before is not so: */
    enum check_verdict before;
};

/* Text tables: */
const char *check_verdict_name(enum check_verdict v);               /* "pass" ... */
const char *check_header_verdict_name(enum check_header_verdict v); /* "never-sent" ... */
const char *check_state_name(enum check_state s);
const char *check_severity_name(enum check_severity s);     /* "error", "warning", "note" */
const char *check_confidence_name(enum check_confidence c); /* "certain", "likely", "possible" */

/* The kinds of finding and of cause, in the order of findings.def.  A title has neither capital nor
 * full stop, the other texts are sentences. */
struct check_kind {
    const char *id; /* "header-stripped" */
    enum check_severity severity;
    const char *title, *means, *prove, *mend;
};
size_t check_kinds(const struct check_kind **out);

struct check_cause_kind {
    const char *id;       /* "room-deleted" */
    const char *findings; /* ids of those that it explains, parted by spaces */
    const char *title, *means, *prove, *remedy;
};
size_t check_cause_kinds(const struct check_cause_kind **out);
const struct check_kind *check_kind_of(struct slice id);             /* NULL: none of this name */
const struct check_cause_kind *check_cause_kind_of(struct slice id); /* likewise */
bool check_cause_explains(const struct check_cause_kind *cause, struct slice finding);

/* ---- values -----------------------------------------------------------------------------------
 */

/* The values of a header in wire order, unfolded; *cut: its end, or the message's, was not
 * captured. */
struct expect_list check_values_of(struct arena *a, const struct sip_message *m, struct slice name,
                                   bool *cut);
/* What became of values: CHECK_OK, or how they differ.  Equal as lists is equal. */
enum check_header_verdict check_values_compare(const struct expect_list *was,
                                               const struct expect_list *is);

/* ---- an earlier run to compare with ---------------------------------------------------------- */

struct check_baseline;

enum check_change { CHECK_NEW, CHECK_GONE, CHECK_SAME };

/* Findings that are the same in all but call, time and frame. */
struct check_difference {
    struct slice id;
    enum check_severity severity;
    struct slice method, header, node, trunk; /* the trunk's name, else its id; empty: none */
    struct slice rule;                        /* of the user: its id; empty: none */
    uint64_t then, now;                       /* how many there were and are */
    enum check_change change;
};

/* Reads a report of schema sipxray-check/1; the path is borrowed.  NULL: an error, with its place.
 */
struct check_baseline *check_baseline_read(const char *path, struct err *err);
void check_baseline_free(struct check_baseline *b); /* NULL is allowed */
/* What became of each finding after `calls` calls: those of the baseline in its order, then new
 * ones in order of appearance.  Valid until the next call is judged.
 * A finding is new where the baseline has none like it, and where it has fewer of as many calls. */
size_t check_baseline_compare(struct check_baseline *b, uint64_t calls,
                              const struct check_difference **out);
bool check_baseline_failed(const struct check_baseline *b, uint64_t calls); /* a new error */
const char *check_baseline_path(const struct check_baseline *b);
uint64_t check_baseline_calls(const struct check_baseline *b);
const char *check_change_name(enum check_change c); /* "new", "gone", "same" */

/* ---- judging -------------------------------------------------------------------------------- */

struct check_options {
    const struct expect_trunks *trunks; /* n == 0: judge that every followed header survives */
    const struct expect_trunk *forced;  /* --trunk-id; NULL: let the matcher pick */
    const struct expect_values *values; /* NULL: none */
    const struct expect_rules *rules;   /* NULL or n == 0: none; wants `everything` */
    bool strict;                        /* a rule that never applied is an error */
    const struct slice *follow; /* patterns of headers to follow beside the owed ones; none and no
                                           trunks: X-* */
    size_t follow_count;
    bool allow_untested;
    bool everything; /* follow each message, not only those that a trunk speaks of */
    struct check_baseline *baseline;     /* NULL: none; it counts the findings */
    const struct check_outside *outside; /* --outside */
    size_t outside_count;
    const struct expect_sayna *sayna; /* for the pack sayna; else NULL */
    uint32_t packs; /* bit i: the rules of check_pack_at(i) are applied; wants `everything` */
};

/* What is outside, for the pack `leak`: a node by its name, or addresses. */
struct check_outside {
    struct slice name;
    struct address net; /* family 0: none, the name counts */
    unsigned bits;
};
struct check_outside check_outside_of(struct slice spec); /* NODE, ADDR or CIDR */

/* A pack of rules, by --pack; the ids of its findings begin with its name. */
struct check_pack {
    const char *name, *about;
};
const struct check_pack *check_pack_at(size_t i); /* NULL: there is none */

#define CHECK_FOLLOWED_MAX 256u /* headers of one message that are followed by their names */

/* How near a rule came to a message, at most. */
enum check_rule_stage {
    CHECK_RULE_NO_MESSAGE,
    CHECK_RULE_NO_WAY,
    CHECK_RULE_NO_SENDER,
    CHECK_RULE_NO_CONDITION,
    CHECK_RULE_NO_PLACE,
    CHECK_RULE_NO_HEADER, /* it need not be there, and never was */
    CHECK_RULE_APPLIED,
};

/* What became of a rule over all calls: messages that it applied to. */
struct check_rule_count {
    enum check_rule_stage stage;
    uint64_t applied, violated, open;
};

#define CHECK_UNIQUE_MAX 65536u /* values that are remembered, to be found on another call */

struct check_run_evidence {
    struct slice call_id, point;
    uint32_t frame;
};

/* A finding about the run, not about one call.  Kept in the summary's arena. */
struct check_run_finding {
    const char *id; /* of findings.def */
    enum check_severity severity;
    struct slice header; /* empty: none in particular */
    struct slice message;
    const struct expect_rule *rule; /* NULL: none */
    const struct check_run_evidence *evidence;
    size_t evidence_count;
    bool known; /* as that of a check_finding; set by check_summary_end */
};

/* Counts over all calls; says in the end whether each promised header was judged (exit status 3).
 */
struct check_summary {
    uint64_t calls, passed, failed, inconclusive;
    uint64_t headers_left_out; /* beyond CHECK_FOLLOWED_MAX */
    struct arena arena;
    struct check_promise {
        const struct expect_trunk *trunk;
        struct slice header;
        bool judged;
    } * promises;
    size_t promise_count;
    bool judged;                    /* some header was */
    struct check_rule_count *rules; /* one for each of the options' rules */
    uint64_t judging;               /* number of the call that is judged, from 1 */
    struct check_seen_values *seen; /* private to rule_unique.c */
    bool leaks_judged;              /* by the pack leak */
    uint64_t partings;              /* messages that went outside, as it counts them */
    struct check_rejects *rejects;  /* private to pack_reject.c */
    uint64_t unique_left_out;       /* values beyond CHECK_UNIQUE_MAX */
    VEC(struct check_run_finding) findings;
    bool run_failed; /* one of them is an error */
};

void check_summary_init(struct check_summary *s, const struct check_options *o);
void check_summary_count(struct check_summary *s, const struct check_options *o,
                         const struct check_call *call);
void check_summary_free(struct check_summary *s);
/* At the end of the run: what is found of it as a whole.  To be called once, before the verdict. */
void check_summary_end(struct check_summary *s, const struct check_options *o);
/* Is a message of this kind worth following (a hop_wanted)?  The context is the struct
 * check_options. */
bool check_wants(const void *options, enum sip_method method, uint16_t status);
/* Judges one call and counts it.  False: nothing in it is subject to a check (not a call, no
 * followed header): it is not reported. */
bool check_call(struct arena *a, const struct check_options *o, struct check_summary *s,
                const struct hop_call *call, struct check_call *out);
/* What became of headers of these names on the way of one message, nothing being owed. */
void check_follow(struct arena *a, const struct hop_call *call, const struct hop_journey *j,
                  const struct slice *names, size_t n, struct check_request *out);
/* The verdict over all calls; CHECK_INCONCLUSIVE where a promise was never judged and that is not
 * allowed. */
enum check_verdict check_summary_verdict(const struct check_summary *s,
                                         const struct check_options *o);

#endif

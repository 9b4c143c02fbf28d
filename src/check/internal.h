/* Private to check/. */
#ifndef CHECK_INTERNAL_H
#define CHECK_INTERNAL_H

#include "check/check.h"

enum check_finding_id {
#define FINDING(id, ...) FINDING_##id,
#include "check/findings.def"
    FINDING_COUNT
};

enum check_cause_id {
#define CAUSE(id, ...) CAUSE_##id,
#include "check/findings.def"
    CAUSE_COUNT
};

VEC_TYPE(check_findings, struct check_finding);

static inline bool check_has_rules(const struct check_options *o)
{
    return o->rules && o->rules->n;
}

/* A call while it is judged. */
struct check_work {
    struct arena *arena;
    const struct check_options *options;
    const struct hop_call *call;
    struct check_summary *summary;
    struct slice caller, callee;
    const struct expect_trunk *trunk;
    struct expect_match match;                  /* what LiveKit's rules say, --trunk-id or not */
    const struct hop_journey **judged_journeys; /* one for each of check_call's requests */
    struct check_findings findings;
    uint64_t left_out; /* headers beyond CHECK_FOLLOWED_MAX */
    bool failed;       /* an error was found */
    bool promises; /* the trunk promises headers whatever happens; what may be there alone proves
                      nothing then */
    bool judged;   /* an owed header got a verdict other than unknown */
    bool unknown;  /* an owed header did not */
};

/* What is judged of one header on one journey. */
struct check_question {
    struct slice name;
    const struct expect_owed *owed; /* NULL: a followed header */
};

/* header.c: the walk along the path. */
struct check_header check_header_judge(const struct check_work *w, const struct hop_journey *j,
                                       const struct check_question *q);
/* The first sighting that shows the harm of a verdict, and the last before it; step_count: none. */
void check_header_harm(const struct check_header *h, size_t count, size_t *good, size_t *bad);

/* findings.c */
void check_find(struct check_work *w, enum check_finding_id id, const struct check_request *r,
                struct slice header, struct slice node, struct slice message,
                const struct hop_journey *j, size_t good, size_t bad);
void check_find_header(struct check_work *w, const struct check_request *r,
                       const struct hop_journey *j, const struct check_header *h);
/* Of the call as a whole. */
void check_find_at(struct check_work *w, enum check_finding_id id, struct slice node,
                   struct slice message, const struct check_evidence *evidence);
/* Of one sighting of a message, whether or not the report lists the message itself. */
void check_find_step(struct check_work *w, enum check_finding_id id, enum check_severity severity,
                     const struct hop_journey *j, size_t step, struct slice header,
                     struct slice node, struct slice message);
/* Of a rule of the user, with its severity. */
void check_find_rule(struct check_work *w, enum check_finding_id id, const struct expect_rule *rule,
                     const struct check_request *r, struct slice header, struct slice node,
                     struct slice message, const struct hop_journey *j, size_t good, size_t bad);
struct slice check_journey_name(struct arena *a, const struct hop_journey *j); /* "INVITE 200" */
struct slice check_message_name(struct arena *a,
                                const struct check_request *r); /* "BYE", "INVITE 200" */

/* cause.c: why it came to the findings; the call is judged but for its causes. */
void check_find_causes(struct check_work *w, struct check_call *out);

/* hidden.c: the places where the message may have passed unseen; true: behind its last sighting. */
bool check_find_hidden(struct check_work *w, const struct hop_journey *j);

/* packs.c: the rules of the packs that were asked for; false: there are none */
bool check_packs_run(struct check_work *w);

/* request.c: which journeys are reported, and what is owed on each. */
bool check_request_judge(struct check_work *w, const struct hop_journey *j,
                         struct check_request *out);
bool check_is_initial_invite(const struct hop_journey *j); /* the one that begins the dialog */
/* Does the response answer it? */
bool check_answers_initial(const struct check_work *w, const struct hop_journey *response);
bool check_is_hop_by_hop(const struct check_work *w, const struct hop_journey *j);
/* What the report says of a message, but for headers and why it is judged. */
void check_request_fill(struct check_work *w, const struct hop_journey *j, struct check_request *r);

/* rules.c: the user's rules.  False: none is about this message.  `listed`: *r is filled. */
bool check_rules_judge(struct check_work *w, const struct hop_journey *j, struct check_request *r,
                       bool listed);
void check_seen_free(struct check_summary *s); /* rule_unique.c */

/* run.c: of the run as a whole; message and header are copied. */
void check_find_run(struct check_summary *s, enum check_finding_id id, enum check_severity severity,
                    const struct expect_rule *rule, struct slice header, struct slice message,
                    const struct check_run_evidence *evidence, size_t evidence_count);

/* baseline.c: counts a finding; true: the baseline has such a one. */
bool check_baseline_note(struct check_baseline *b, const struct expect_trunk *trunk,
                         const struct check_finding *f);
bool check_baseline_note_run(struct check_baseline *b, const struct check_run_finding *f);

#endif

/* What the files that apply the user's rules share. */
#ifndef CHECK_RULE_H
#define CHECK_RULE_H

#include "check/internal.h"

/* Does it hold, or can that not be told? */
enum rule_truth { RULE_NO, RULE_YES, RULE_OPEN };

/* A rule on a message. */
struct rule_at {
    struct check_work *w;
    const struct hop_journey *journey;
    const struct expect_rule *rule;  /* of one that names several headers: for one of them */
    const struct expect_rule *whole; /* the rule as it was given */
    size_t index;                    /* of the rule */
    bool *steps;                     /* of the journey: those that the rule speaks of */
    bool secret;                     /* its header's values are not to be shown */
    struct slice reason;             /* RULE_OPEN: why it cannot be told */
};

/* One answer on one sighting. */
struct rule_answer {
    enum expect_answer answer;
    bool nothing;        /* the header is not there and need not be: nothing was asked */
    struct slice header; /* as on the wire, where there is one */
    struct slice words;  /* "is absent", "is \"x\", not \"a\" or \"b\"" */
};

/* rule_select.c: is the rule about this message?  Sets steps; notes in the summary how near it came
 * where it is not. */
enum rule_truth rule_selects(struct rule_at *at);

/* rule_test.c */
struct rule_answer rule_ask(struct rule_at *at, size_t step);
/* A condition's test of a message. */
enum rule_truth rule_test_message(struct arena *a, const struct expect_test *t,
                                  const struct sip_message *m);
bool rule_value_cut(const struct sip_message *m, const struct sip_header *h);

/* rule_unique.c: where the value stood on another call; false: nowhere, and it is remembered. */
bool rule_seen_elsewhere(struct rule_at *at, size_t step, struct slice value,
                         struct check_run_evidence *where);

/* "rule bye-queue (rules.yaml:3): " */
struct slice rule_reference(struct arena *a, const struct expect_rule *rule);
/* "BYE", "200 to INVITE" */
struct slice rule_message_name(struct arena *a, const struct hop_journey *j);

#endif

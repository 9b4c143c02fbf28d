/* Rules of the user (--rules, --require, --forbid; man/sipxray-rules.5): what a header of a message
 * must be, and where.  Read here, with the place of each mistake; check/ applies them.  Included by
 * expect/expect.h. */
#ifndef EXPECT_RULES_H
#define EXPECT_RULES_H

#include "base/base.h"

struct expect_list {
    struct slice *items;
    size_t n;
};

enum expect_severity { EXPECT_ERROR, EXPECT_WARNING, EXPECT_NOTE };

/* Which messages: "BYE", "INVITE 2xx", "re-INVITE", "200", "*". */
struct expect_kind {
    struct slice method;             /* empty: any */
    uint16_t status_min, status_max; /* both 0: a request */
    bool initial;                    /* of INVITE: it begins the dialog, or answers what does */
    bool again;                      /* re-INVITE: it does not */
};

enum expect_way { EXPECT_ANY_WAY, EXPECT_WAY_INBOUND, EXPECT_WAY_OUTBOUND };

/* Where on the path of a message. */
enum expect_where { EXPECT_EVERY_HOP, EXPECT_FIRST_HOP, EXPECT_LAST_HOP, EXPECT_AT };
enum expect_side { EXPECT_EITHER_SIDE, EXPECT_SIDE_IN, EXPECT_SIDE_OUT };

struct expect_place {
    enum expect_where where;
    struct slice name; /* EXPECT_AT: of a point or node */
    enum expect_side side;
};

enum expect_presence {
    EXPECT_UNSAID,
    EXPECT_PRESENT,
    EXPECT_ABSENT,
    EXPECT_OPTIONAL, /* what is said of its value holds where it is there */
};

#define EXPECT_NO_MAX UINT32_MAX

struct expect_range {
    uint32_t min, max;
    bool given;
};

/* A regular expression; one that is hit by a limit has no answer. */
struct expect_regex {
    struct slice text;
    struct pattern *pattern; /* NULL: none */
};

/* What is asked of a header and its values.  Each value has to pass. */
struct expect_test {
    struct slice header; /* a name, or a pattern with * and ? where `many` */
    bool many;
    enum expect_presence presence;
    struct expect_range count;  /* of its values */
    struct slice part;          /* the tests are of this part of the value; empty: all of it */
    char separator, assign;     /* account=12345;region=west */
    struct expect_list equals;  /* one of them; none: any */
    struct expect_list unequal; /* none of them */
    struct expect_regex matches, unlike;
    struct expect_range length; /* in characters */
    bool ignore_case;
};

/* Of a rule: the header of the message judged, or of another of the same call. */
struct expect_condition {
    bool has_kind;
    struct expect_kind kind;
    struct expect_test test;
};

struct expect_rule {
    struct slice id, about;
    enum expect_severity severity;
    struct slice file; /* or "--require" */
    struct json_place place;
    struct expect_kind *kinds; /* none: every request */
    size_t kind_count;
    enum expect_way way;        /* of the call, as LiveKit sees it */
    struct expect_list senders; /* livekit, far, caller, callee, or a node; none: anybody */
    struct expect_place *places;
    size_t place_count;
    struct expect_test test;
    struct expect_list same_as; /* other headers of the message; all have to be equal */
    struct expect_list user_of; /* From, To, P-Asserted-Identity: one has to have this user */
    bool unchanged;             /* the same as upstream */
    bool unique;                /* not on another call */
    struct expect_list callers, callees, trunks; /* conditions; none: any */
    struct expect_condition *conditions;
    size_t condition_count;
};

struct expect_rules {
    struct arena arena; /* owns all strings and arrays */
    struct expect_rule *items;
    size_t n, cap;
    VEC(struct pattern *) patterns;
};

#define EXPECT_RULES_MAX    10000u
#define EXPECT_MISTAKES_MAX 20u

/* Mistakes in rules, in the order of their file: "rules.yaml:3:5: ...". */
struct expect_mistakes {
    struct arena arena;
    struct slice items[EXPECT_MISTAKES_MAX];
    size_t n;
    size_t more; /* beyond these */
};

/* Adds the rules of a file, YAML or JSON.  False: there are mistakes, and no rule of it is added.
 */
bool expect_rules_read(struct expect_rules *r, const char *path, struct expect_mistakes *m);
bool expect_rules_parse(struct expect_rules *r, const char *name, struct slice yaml,
                        struct expect_mistakes *m);
/* Adds the rule of --require or --forbid: a header, with the message and the place before or after
 * it and a value behind it. */
bool expect_rules_line(struct expect_rules *r, bool forbid, const char *line,
                       struct expect_mistakes *m);
void expect_rules_free(struct expect_rules *r);
void expect_mistakes_free(struct expect_mistakes *m);

/* ---- asking ---------------------------------------------------------------------------------- */

enum expect_answer {
    EXPECT_HOLDS,
    EXPECT_FAILS,
    EXPECT_OPEN, /* a regular expression hit a limit */
};

/* What of a value the tests are of: itself, or each of its parts of the name asked for, without
 * quotes.  None: it has no such part. */
struct expect_list expect_test_parts(struct arena *a, const struct expect_test *t,
                                     struct slice value);
bool expect_test_equal(const struct expect_test *t, struct slice x, struct slice y);
/* One value, or part of one.  *why says what fails or is open, behind the words "is ..." or the
 * like: "is not Sales or Billing"; `secret`: without the values that the rule has. */
enum expect_answer expect_test_value(struct arena *a, const struct expect_test *t,
                                     struct slice value, bool secret, struct slice *why);
bool expect_test_names(const struct expect_test *t, struct slice header); /* is this one meant? */
/* Does the test say anything of values? */
bool expect_test_has_values(const struct expect_test *t);

const char *expect_severity_name(enum expect_severity severity);
/* "BYE", "INVITE 2xx", "re-INVITE", "any request" */
struct slice expect_kind_text(struct arena *a, const struct expect_kind *k);
struct slice expect_place_text(struct arena *a, const struct expect_place *p); /* "kam1:in" */

#endif

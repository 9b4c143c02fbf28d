/* The scripts of the probe: which calls are made and which headers each message of them carries,
 * so that the judge can ask for them at the other end.  Included by probe/probe.h. */
#ifndef PROBE_SUITE_H
#define PROBE_SUITE_H

#include "expect/expect.h"

/* ---- the cases of the suite ------------------------------------------------------------------ */

enum probe_shape {
    PROBE_SHAPE_PLAIN,
    PROBE_SHAPE_LENGTH,
    PROBE_SHAPE_FOLD,
    PROBE_SHAPE_FOLD_FIRST,
    PROBE_SHAPE_FOLD_TAB,
    PROBE_SHAPE_NAME,
    PROBE_SHAPE_COLON,
    PROBE_SHAPE_TWICE,
    PROBE_SHAPE_LIST,
    PROBE_SHAPE_EMPTY,
    PROBE_SHAPE_TEXT,
    PROBE_SHAPE_COUNT,
    PROBE_SHAPE_SIZE,
    PROBE_SHAPE_TOKENS,
    PROBE_SHAPE_NAME_LONG,
    PROBE_SHAPE_OWN,
};

struct probe_case {
    const char *id; /* "length-64" */
    enum probe_shape shape;
    unsigned n; /* of the shape: bytes, headers, or which variant */
    const char *about;
};

size_t probe_cases(const struct probe_case **out);

/* The messages that carry headers under test. */
enum probe_message {
    PROBE_INVITE,
    PROBE_INVITE_200,
    PROBE_REINVITE,
    PROBE_REINVITE_200,
    PROBE_INFO,
    PROBE_REFER,
    PROBE_BYE,
};
#define PROBE_MESSAGES 7

const char *probe_message_name(enum probe_message m); /* "INVITE", "200", "re-INVITE" ... */

struct probe_lines {
    const struct slice *items; /* raw header lines without the last CRLF */
    size_t n;
};

/* The header lines of a case on one message.  Values begin with "sipxray." and say where they
 * belong, so that each is told from those of other messages. */
struct probe_lines probe_case_lines(struct arena *a, const struct probe_case *c,
                                    enum probe_message message, bool by_caller);

/* ---- scripts --------------------------------------------------------------------------------- */

/* A message of a call whose headers are judged where it arrives. */
struct probe_item {
    uint32_t call, step; /* of the plan */
    struct slice group;  /* the case's id, or the trunk's name */
    enum probe_message message;
    struct probe_lines lines; /* that carry what is judged; further lines of the step are none */
    /* Of the names, those whose values somebody else sets, so that any will do; and of them those
     * that need not be there at all. */
    const struct slice *loose, *optional;
    size_t loose_count, optional_count;
};

struct probe_script {
    struct arena arena; /* owns all of it */
    VEC(struct probe_call_plan) calls;
    VEC(struct probe_item) items;
    struct probe_plan plan; /* of the calls; made by probe_script_end */
    bool has_trunk;
    enum probe_end livekit; /* has_trunk: the end that plays LiveKit */
};

#define PROBE_SUBJECT "sipxray probe" /* of each INVITE, with the call's name behind it */

/* Two calls for each case whose id fits one of the patterns (* and ?; none: all): one in which the
 * caller sends what comes after the INVITE, and one in which the callee does.  False: no case fits.
 */
bool probe_script_suite(struct probe_script *s, const struct slice *patterns, size_t n,
                        struct err *err);
/* What LiveKit and the far end would send by this trunk: a call that LiveKit ends by BYE, and one
 * that it transfers by REFER.  Attributes without a value in `values` (may be NULL) get one that
 * can be recognised; what is unset there is left out.  `mine`: which ends are played here: values
 * of others are known only from `values`. */
bool probe_script_trunk(struct probe_script *s, const struct expect_trunk *trunk,
                        const struct expect_values *values, const bool mine[2], struct err *err);
/* An end of the suite's that looks as LiveKit does on the wire. */
void probe_script_as_livekit(struct probe_script *s, enum probe_end end);
void probe_script_end(struct probe_script *s); /* the plan is complete */
void probe_script_free(struct probe_script *s);

/* The call of the plan that an INVITE begins, by its Subject; NULL: it does not say. */
const struct probe_call_plan *probe_script_find(const struct probe_script *s,
                                                const struct sip_message *invite);

#endif

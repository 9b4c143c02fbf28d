/* expect: what should be there.  Reads LiveKit SIP trunks in every JSON shape that users have,
 * picks the trunk of a call as LiveKit would, and says what a trunk promises on which message.
 * Knows nothing of captures. Sources: livekit/protocol (livekit_sip.proto), livekit/sip (the
 * matcher, the maps), livekit-cli. */
#ifndef EXPECT_EXPECT_H
#define EXPECT_EXPECT_H

#include "base/base.h"
#include "expect/rules.h"
#include "sip/sip.h"

enum expect_direction { EXPECT_INBOUND, EXPECT_OUTBOUND };
enum expect_include { EXPECT_INCLUDE_NONE, EXPECT_INCLUDE_X, EXPECT_INCLUDE_ALL };

/* One entry of a map, in the order of the file.  headers: key = header name, value = fixed value.
 * headers_to_attributes: key = header name, value = attribute.
 * attributes_to_headers: key = attribute, value = header name. */
struct expect_pair {
    struct slice key, value;
};

struct expect_map {
    struct expect_pair *pairs;
    size_t n;
};

struct expect_trunk {
    enum expect_direction direction;
    struct slice file; /* where it was read from */
    struct slice id, name;
    struct expect_list numbers, allowed_addresses, allowed_numbers;
    struct slice address; /* outbound: host[:port] that LiveKit calls */
    struct expect_map headers, headers_to_attributes, attributes_to_headers;
    enum expect_include include_headers;
};

struct expect_trunks {
    struct arena arena; /* owns all strings */
    struct expect_trunk *items;
    size_t n, cap;
};

/* Adds the trunks of a file: a list {"items":[...]}, a bare array, a create request
 * {"trunk":{...}}, a bare trunk object, an update request {"sip_trunk_id":..., "replace":{...}};
 * camelCase or snake_case; enums as names or integers.  Unknown fields are passed over, null is
 * absent.  Errors: not readable, not JSON (line and column), a wrong type (path to the field, such
 * as items[0].attributes_to_headers.foo), an id that was read before, nothing that is a trunk.
 * Nothing is added on error. A trunk with an address (or hostname) is outbound; else its other
 * fields tell, and none of them: inbound. Secrets (auth_password) are never kept. */
bool expect_trunks_read(struct expect_trunks *t, const char *path, struct err *err);
bool expect_trunks_parse(struct expect_trunks *t, const char *name, struct slice json,
                         struct err *err);
void expect_trunks_free(struct expect_trunks *t);

/* attribute -> value, from --values: a JSON object whose members are strings, or null for an
 * attribute that is known to be unset (then its header is not owed).  "" is unset too: LiveKit
 * deletes an attribute that is set to "". */
struct expect_values {
    struct arena arena;
    struct expect_map map;
    bool *unset; /* parallel to map.pairs */
};
bool expect_values_read(struct expect_values *v, const char *path, struct err *err);
bool expect_values_parse(struct expect_values *v, const char *name, struct slice json,
                         struct err *err);
void expect_values_free(struct expect_values *v);

/* ---- picking the trunk ----------------------------------------------------------------------- */

/* An INVITE as LiveKit received (inbound) or sent it (outbound).  Empty slices and family 0: not
 * known, and then no criterion. */
struct expect_invite {
    struct slice from_user, from_host;
    struct slice to_user;
    struct slice uri_host;      /* outbound: host of the Request-URI */
    struct address source;      /* inbound: packet's source as LiveKit saw it */
    struct address destination; /* outbound: packet's destination as it left LiveKit */
};

enum expect_match_result {
    EXPECT_MATCHED,
    EXPECT_NO_MATCH,  /* LiveKit answers 503 or 404 */
    EXPECT_AMBIGUOUS, /* LiveKit refuses: two specific trunks, or two defaults and no other */
    EXPECT_NO_TRUNKS, /* none of this direction was given */
};

struct expect_match {
    enum expect_match_result result;
    const struct expect_trunk *trunk; /* EXPECT_MATCHED, else NULL */
    /* one line for each trunk of the direction:
     * ST_abc "My trunk" matches: allowed_numbers is empty, any caller passes; ... */
    struct slice *reasons;
    size_t reason_count;
};

/* Inbound: the steps of LiveKit's matcher, in its order (livekit/protocol, sip/sip.go).  Outbound:
 * LiveKit is told the trunk by its caller, so the trunk is inferred: numbers against the From user,
 * address against the Request-URI's host or the destination; a trunk that something speaks against
 * and nothing speaks for does not match, and of those left the one with most for it does.  Results
 * are in the arena; the reasons quote the files' and the wire's bytes. */
struct expect_match expect_match_trunk(struct arena *a, const struct expect_trunks *t,
                                       enum expect_direction direction,
                                       const struct expect_invite *invite);
/* "matched", "no-match", "ambiguous", "no-trunks" */
const char *expect_match_name(enum expect_match_result result);
const struct expect_trunk *expect_trunk_by_id(const struct expect_trunks *t, struct slice id);
/* Equal as telephone numbers: the same text, or the same after LiveKit's normalising. */
bool expect_number_equal(struct slice a, struct slice b);

/* ---- what is owed ---------------------------------------------------------------------------- */

/* A message class that a mapping speaks of. */
enum expect_message { EXPECT_INVITE, EXPECT_INVITE_200, EXPECT_BYE, EXPECT_REFER };

enum expect_force {
    EXPECT_MUST, /* absent as it leaves LiveKit: never-sent, an error */
    EXPECT_MAY,  /* may be unset at its sender: absence there is a note, loss on the way an error */
};

struct expect_owed {
    struct slice header;
    struct slice attribute; /* empty for fixed headers */
    struct slice value;     /* what it must be, where has_value; else a suggestion, or empty */
    bool has_value;
    bool by_livekit; /* sent by LiveKit; else received by it (headers_to_attributes) */
    enum expect_force force;
    const char *field; /* "attributes_to_headers" ... */
};

const char *expect_direction_name(enum expect_direction direction); /* "inbound" */
/* "INVITE", "200 to INVITE", "BYE", "REFER" */
const char *expect_message_name(enum expect_message message);
const char *expect_force_name(enum expect_force force); /* "must", "may" */

/* What a trunk promises for a message of a call, sent by LiveKit (by_livekit) or by the far end. An
 * empty result means that no mapping acts on such a message.  `values` may be NULL.  Sorted by
 * header name, each header once (two attributes mapped to one header: no value is owed then, since
 * which wins is not determined; `attribute` names both).  `headers` of an outbound trunk have no
 * owed value, since the call's own request may override it.  What headers_to_attributes reads has
 * one only if attributes_to_headers does not write from the same attribute. */
size_t expect_owed(struct arena *a, const struct expect_trunk *trunk, enum expect_message message,
                   bool by_livekit, const struct expect_values *values,
                   const struct expect_owed **out);
/* Does any map of the trunk speak of this message class at all (in either direction)? */
bool expect_speaks_of(const struct expect_trunk *trunk, enum expect_message message);

/* Two names of headers that are nearly the same, and differ by more than case: X_Queue and X-Queue,
 * X-Five9-Quee and X-Five9-Queue. */
bool expect_names_near(struct slice a, struct slice b);

/* ---- lint ------------------------------------------------------------------------------------ */

enum expect_lint_severity { EXPECT_LINT_ERROR, EXPECT_LINT_WARNING, EXPECT_LINT_NOTE };

struct expect_lint {
    enum expect_lint_severity severity;
    struct slice path;    /* "attributes_to_headers.foo" */
    struct slice message; /* what is wrong and what to do */
};

const char *expect_lint_name(enum expect_lint_severity severity); /* "error", "warning", "note" */

/* Mistakes in a trunk: a header name that is no token or too long, a forbidden name, a fixed value
 * that LiveKit refuses, two attributes on one header, near-miss names (`X_Five9-Queue` beside
 * `X-Five9-Queue`; headers that look like a standard name), headers_to_attributes where
 * attributes_to_headers was meant, empty maps, allowed_addresses entries that LiveKit drops. */
size_t expect_lint(struct arena *a, const struct expect_trunk *trunk,
                   const struct expect_lint **out);

/* ---- Sayna ----------------------------------------------------------------------------------- */

/* The `sip` block of a Sayna configuration (SaynaAI/sayna, src/config and docs/sip_config.md):
 * which addresses may call, and which webhook hears of a call by the host that was called. */
struct expect_hook {
    struct slice host; /* trimmed, in lower case, as Sayna compares it */
    struct slice url;
    struct slice place; /* "sayna.yaml:7" */
};

struct expect_net {
    struct slice text;
    struct address net; /* family 0: it is no IPv4 address or CIDR range */
    unsigned bits;
};

/* What Sayna, or LiveKit after it, refuses. */
enum expect_sayna_rule {
    EXPECT_SAYNA_PREFIX,  /* room_prefix: there, of letters, digits, - and _ */
    EXPECT_SAYNA_ADDRESS, /* allowed_addresses: one at least, each IPv4 or CIDR */
    EXPECT_SAYNA_HOST,    /* hooks: each host once, without case */
    EXPECT_SAYNA_URL,     /* hooks: https only */
    EXPECT_SAYNA_SECRET,  /* hooks: a secret of 16 bytes or more, their own or hook_secret */
};

struct expect_sayna_mistake {
    enum expect_sayna_rule rule;
    struct slice message; /* with its place */
};

struct expect_sayna {
    struct arena arena;
    struct expect_net *allowed;
    size_t allowed_count;
    struct expect_hook *hooks;
    size_t hook_count;
    struct expect_sayna_mistake *mistakes;
    size_t mistake_count;
};

/* Reads a YAML (or JSON) file with a `sip` block.  Errors: not readable, not YAML, no such block,
 * a value of another type than Sayna takes (with line and column).  Secrets are never kept. */
bool expect_sayna_read(struct expect_sayna *s, const char *path, struct err *err);
bool expect_sayna_parse(struct expect_sayna *s, const char *name, struct slice yaml,
                        struct err *err);
/* From SIP_ROOM_PREFIX, SIP_ALLOWED_ADDRESSES, SIP_HOOKS_JSON and SIP_HOOK_SECRET; get gives a
 * variable's value, NULL: not set.  Error: none is set, or SIP_HOOKS_JSON is no such list. */
bool expect_sayna_variables(struct expect_sayna *s, char *(*get)(const char *name),
                            struct err *err);
bool expect_sayna_allows(const struct expect_sayna *s, const struct address *source);
/* The hook that hears of calls to this host (letters of any case); NULL: none. */
const struct expect_hook *expect_sayna_hook(const struct expect_sayna *s, struct slice host);
void expect_sayna_free(struct expect_sayna *s);

#endif

/* sip: from bytes to messages.  The scanner finds a message's start line and every header line with
 * name, raw value and offset, without copying (RFC 3261 section 7 and 25.1, read liberally as RFC
 * 4475 asks). It rejects no message for a bad header; what is malformed is noted with its offset.
 * Typed meaning (URIs, Via lists) is libosip2's, in typed.c, and only where it is asked for. */
#ifndef SIP_SIP_H
#define SIP_SIP_H

#include "base/base.h"

enum sip_kind { SIP_REQUEST, SIP_RESPONSE };
enum sip_state { SIP_WHOLE, SIP_CUT, SIP_GAP, SIP_MIDSTREAM };

/* Methods by number, so that an index record can hold one; SIP_METHOD_OTHER for extension methods.
 * RFC 3261: the method is case-sensitive. */
enum sip_method {
    SIP_METHOD_OTHER,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_REGISTER,
    SIP_OPTIONS,
    SIP_PRACK,
    SIP_SUBSCRIBE,
    SIP_NOTIFY,
    SIP_PUBLISH,
    SIP_INFO,
    SIP_REFER,
    SIP_MESSAGE,
    SIP_UPDATE,
    SIP_METHOD_COUNT
};

/* Headers that the program looks at by meaning; each other is SIP_HEADER_OTHER and known by its
 * name. From headers.def: HEADER(id, "Name", 'compact form or 0). */
enum sip_header_id {
    SIP_HEADER_OTHER,
#define HEADER(id, name, compact) SIP_HEADER_##id,
#include "sip/headers.def"
#undef HEADER
    SIP_HEADER_COUNT
};

struct sip_header {
    struct slice name;  /* as on the wire, without the white space before the colon */
    struct slice value; /* raw: folds inside, outer white space trimmed */
    uint32_t at;        /* offset of the line in the message's bytes */
    uint8_t id;         /* enum sip_header_id; compact forms have the id of the long form */
    bool folded;        /* value contains a fold (RFC 3261 7.3.1) */
    bool cut;           /* the captured bytes end in this line or right after it, where a fold could
                           follow: the value may go on */
};

/* What is malformed: problems.def has PROBLEM(id, "text"). */
enum sip_problem_id {
#define PROBLEM(id, text) SIP_PROBLEM_##id,
#include "sip/problems.def"
#undef PROBLEM
    SIP_PROBLEM_COUNT
};

struct sip_problem {
    enum sip_problem_id id;
    uint32_t at; /* offset in the message's bytes */
};

#define SIP_PROBLEMS_MAX 16u /* kept of one message; problems_more counts the rest */

/* A scanned message.  All slices point into the scanned bytes; headers belong to the scanner and
 * are valid until its next sip_scan. */
struct sip_message {
    struct slice bytes; /* start line to end of body */
    enum sip_kind kind;
    enum sip_state state;
    enum sip_method method_id; /* of a response: its CSeq method */
    struct slice method;       /* likewise; empty where a response has no readable CSeq */
    struct slice uri;          /* request */
    struct slice version;      /* "SIP/2.0" as on the wire */
    uint16_t status;           /* response: three digits, else 0; 0 for a request */
    struct slice reason;       /* response */
    const struct sip_header *headers;
    uint32_t header_count;
    /* the index into headers of the first header of each id, or -1 */
    int32_t first[SIP_HEADER_COUNT];
    uint64_t seen; /* bit i, for ids other than SIP_HEADER_OTHER: first[i] is not -1 */
    /* unfolded values can't be a slice: a folded Call-ID is the part after the fold */
    struct slice call_id;
    bool has_call_id;
    bool has_cseq; /* both number and method were readable */
    uint32_t cseq;
    bool headers_complete; /* the empty line after the headers was seen (or the datagram ended
                              whole) */
    struct slice body;     /* UDP: at most Content-Length bytes (RFC 3261 18.3) */
    size_t consumed;       /* bytes from the start of the input to the end of the body */
    uint32_t problem_count;
    uint32_t problems_more;
    struct sip_problem problems[SIP_PROBLEMS_MAX]; /* problem_count of them */
};

struct sip_scanner; /* owns the growing header array; one per thread of work */

struct sip_scanner *sip_scanner_new(void);
void sip_scanner_free(struct sip_scanner *s);
/* What files a datagram's message under its call, and joins calls, is enough: headers are read
 * until Via, From, To, Call-ID and CSeq are known, in an INVITE request also X- headers and
 * Session-ID; the others are passed over, and the rest of the datagram counts as read. */
void sip_scanner_be_brief(struct sip_scanner *s);

/* By its first byte alone: refuses RTP and STUN, which come in their thousands. */
bool sip_may_begin(struct slice bytes);
/* Is this the start of a SIP message?  Cheap enough for every datagram: RTP, STUN and keep-alives
 * are refused at their first bytes. */
bool sip_looks_like(struct slice bytes);

/* Scans one datagram.  `missing` bytes more were on the wire but not captured (then the state is
 * SIP_CUT).  False: no SIP message here, *m is undefined. */
bool sip_scan_datagram(struct sip_scanner *s, struct slice bytes, size_t missing,
                       struct sip_message *m);

/* Scans a message again, from its own bytes and with the state that it had. */
bool sip_scan_again(struct sip_scanner *s, struct slice bytes, enum sip_state state, size_t missing,
                    struct sip_message *m);

/* What follows the bytes of a stream that are there. */
enum sip_after {
    SIP_AFTER_MORE, /* more may come */
    SIP_AFTER_GAP,  /* bytes that are not in the capture */
    SIP_AFTER_CUT,  /* bytes that the snap length cut off */
    SIP_AFTER_FULL, /* more than is held: a message that is not whole now will not be */
    SIP_AFTER_END
};

/* Where the reader of one direction of a stream stands; all zero at its beginning. */
struct sip_framing {
    uint32_t stray; /* bytes between messages that belong to none, since somebody zeroed it */
    uint8_t found;  /* there was a message */
    uint8_t before; /* the rest is private to framing.c */
    uint16_t flags;
    uint32_t searched;  /* of the front */
    uint32_t head;      /* of the message at the front, when known: bytes before its body, */
    uint32_t length;    /* its Content-Length, */
    uint32_t candidate; /* and where in its body the next start line may stand, plus 1 */
    uint32_t skip;      /* bytes still to come of a body whose message was handed out */
    uint32_t unused;
};

/* The front of a stream. */
struct sip_front {
    struct slice bytes;
    enum sip_after after;
    uint64_t missing; /* bytes in the gap; 0: not known */
    bool joined;      /* the beginning of the stream is not there */
};

enum sip_framed {
    SIP_FRAMED_MORE,    /* not enough yet; *take is how many bytes are needed, 0: any more */
    SIP_FRAMED_SKIP,    /* *take bytes that belong to no message: keep-alives, remains */
    SIP_FRAMED_MESSAGE, /* *m, which ends the first *take bytes */
};

#define SIP_LENGTH_DOUBTFUL                                                                        \
    65536u /* a Content-Length above it is believed only until the next                            \
              start line */

/* Finds the next message of a stream (RFC 3261 18.3: by Content-Length), resynchronising at the
 * next start line where that does not hold.  Unless more may come, it is to be asked until it wants
 * more: by then it has taken all bytes, and what it is asked next comes after the hole.
 *
 * A message's state: SIP_GAP where a hole or the stream's end is in it, SIP_CUT where the snap
 * length made the hole or the message is longer than what is held, SIP_MIDSTREAM where it is whole,
 * the first one of a stream that was joined, and remains of another were skipped before it.
 *
 * Where the body ends:
 * - by a Content-Length that says too little: there; what follows up to the next start line is
 *   nobody's (SIP_PROBLEM_TRAILING where it can be seen);
 * - by one that says too much: at the next start line in what it claims, if after what it claims
 *   there is neither a start line nor a keep-alive, or if a hole or an end comes before that
 *   (SIP_PROBLEM_LENGTH_LONG).  Bodies that have start lines of their own (message/sip,
 *   message/sipfrag, multipart) are left alone;
 * - by one that is none: at once if there is no Content-Type, else at the next start line, hole or
 *   end. */
enum sip_framed sip_scan_stream(struct sip_scanner *s, struct sip_framing *f,
                                const struct sip_front *front, struct sip_message *m, size_t *take);

/* The message as it would have been scanned from a copy of its bytes: those at `from` stand at `to`
 * as well.  headers: room for header_count of them, where the copy's are to be. */
void sip_message_copy(const struct sip_message *m, const char *from, const char *to,
                      struct sip_header *headers, struct sip_message *out);

const char *sip_problem_text(enum sip_problem_id id);
const char *sip_state_name(enum sip_state state);    /* "whole" ... */
enum sip_method sip_method_of(struct slice name);    /* case-sensitive */
const char *sip_method_name(enum sip_method method); /* "INVITE"; SIP_METHOD_OTHER: NULL */
enum sip_header_id sip_header_of(struct slice name); /* case-insensitive, compact forms too */
const char *sip_header_name(enum sip_header_id id);  /* the long form; SIP_HEADER_OTHER: NULL */
/* The same header?  Case-insensitive; a compact form equals its long form (RFC 3261 7.3.3). */
bool sip_name_equal(struct slice a, struct slice b);
bool sip_is_token(struct slice s); /* RFC 3261 25.1 */

/* Has the name a meaning of its own: is it in IANA's registry of SIP header fields, or one that
 * several makers share (Diversion, Remote-Party-ID)?  Compact forms too.  What is not is custom. */
bool sip_is_standard(struct slice name);
bool sip_is_single(struct slice name);      /* may stand in a message once only (RFC 3261 7.3.1) */
bool sip_is_secret(struct slice name);      /* X-API-Key and the like: the value is a secret */
bool sip_is_credentials(struct slice name); /* Authorization, Proxy-Authorization */
/* The standard name that this one, which is neither standard nor X-, was probably meant to be:
 * Conent-Length, P-Asserted-Id, Call_ID.  Empty: none. */
struct slice sip_standard_near(struct slice name);
/* The next header at or after `from` whose name is `name` (in the sense of sip_name_equal), or
 * NULL. */
const struct sip_header *sip_header_next(const struct sip_message *m, uint32_t from,
                                         struct slice name, uint32_t *index);
/* The first header of an id, or NULL. */
const struct sip_header *sip_header_first(const struct sip_message *m, enum sip_header_id id);
/* The value with each fold (line end and white space around it) replaced by one space.  Returns the
 * value itself where there is no fold, else a copy in the arena. */
struct slice sip_unfold(struct arena *a, const struct sip_header *h);
/* A parameter of a header value, outside of <> and quotes: `;tag=x`, its name given in lower case.
 * False: not there.  A parameter without '=' gives an empty value.  For From and To of an addr-spec
 * without <> too. */
bool sip_param(struct slice value, struct slice name, struct slice *out);
/* The user of a `<sip:user@host>` as nearly all From and To are written.  False: it is written
 * otherwise, sip_address_parse knows better. */
bool sip_plain_user(struct slice value, struct slice *user);
/* Splits a comma-separated list at its top level (not in quotes, <> or comments).  Each call takes
 * one element off *rest, trimmed; empty ones are passed over; false at the end. */
bool sip_list_next(struct slice *rest, struct slice *element);

/* ---- typed values: by libosip2's parser ----------------------------------------------------- */

struct sip_via {
    struct slice protocol; /* "SIP/2.0/UDP" gives "UDP" */
    struct slice host;     /* sent-by, without brackets and port */
    uint16_t port;         /* 0: none given */
    struct slice branch;   /* empty: none */
    struct slice received; /* received=, empty: none */
    bool alias;            /* has a parameter `alias` (RFC 5923) */
};

struct sip_address {
    struct slice display;
    struct slice scheme; /* "sip", "sips", "tel" ... */
    struct slice user;   /* of a tel URI: the number */
    struct slice host;   /* without brackets; empty for tel */
    uint16_t port;
    struct slice tag;
};

/* Call once before the first use of the functions below, from main or a test's set-up: libosip2
 * logs to standard output unless told otherwise. */
void sip_typed_init(void);
/* The Via values of a message, topmost first, several on one line included.  The result is in the
 * arena. Values that libosip2 refuses are skipped and counted in *bad (may be NULL). */
size_t sip_vias(struct arena *a, const struct sip_message *m, const struct sip_via **out,
                size_t *bad);
/* name-addr or addr-spec: From, To, Contact, Route, Record-Route, P-Asserted-Identity ... */
bool sip_address_parse(struct arena *a, struct slice value, struct sip_address *out);
/* A bare URI, such as a Request-URI. */
bool sip_uri_parse(struct arena *a, struct slice uri, struct sip_address *out);
/* The address values of all headers of an id, in order (Record-Route, Route, Contact). */
size_t sip_addresses(struct arena *a, const struct sip_message *m, enum sip_header_id id,
                     const struct sip_address **out);

/* ---- who calls, and who was called before: identity.c ---------------------------------------- */

/* A value of P-Asserted-Identity, Remote-Party-ID, Diversion or History-Info.  Parameters that are
 * not there, or that the header does not have, are empty. */
struct sip_identity {
    struct slice text; /* as on the wire, unfolded */
    bool readable;     /* `address` was understood */
    struct sip_address address;
    struct slice number;                 /* of the user, without its parameters; empty: it is no
                                            telephone number */
    struct slice party, screen, privacy; /* Remote-Party-ID; the last two also of Diversion */
    struct slice reason;                 /* Diversion (RFC 5806) */
    struct slice counter, limit;         /* likewise */
    struct slice index, cause;           /* History-Info (RFC 7044, 4458); cause also from an
                                            escaped Reason (RFC 4244) */
};

/* The values of all headers of this name, in order; in the arena. */
size_t sip_identities(struct arena *a, const struct sip_message *m, struct slice name,
                      const struct sip_identity **out);
/* From, as one of them. */
bool sip_identity_from(struct arena *a, const struct sip_message *m, struct sip_identity *out);

enum sip_privacy_value {
    SIP_PRIVACY_NONE = 1, /* RFC 3323: nothing may be hidden; stands alone */
    SIP_PRIVACY_ID = 2,   /* RFC 3325 */
    SIP_PRIVACY_USER = 4,
    SIP_PRIVACY_HEADER = 8,
    SIP_PRIVACY_SESSION = 16,
    SIP_PRIVACY_HISTORY = 32, /* RFC 7044 */
    SIP_PRIVACY_CRITICAL = 64,
    SIP_PRIVACY_OTHER = 128, /* no such value */
};
unsigned sip_privacy(struct arena *a, const struct sip_message *m); /* 0: no Privacy header */

/* Could both be the same telephone number?  One may lack its country or area code. */
bool sip_number_agrees(struct slice a, struct slice b);
/* anonymous@anonymous.invalid, restricted, unknown and the like (RFC 3323 4.1.1.3) */
bool sip_is_anonymous(const struct sip_address *address);

#include "sip/sdp.h"

#endif

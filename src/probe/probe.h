/* probe: the active test.  One process plays the caller, the callee or both ends of calls through
 * the path under test, and keeps every message that an end sent or received.  A plan says what is
 * sent, the run does it, the log and the outcomes say what happened; what that means is the judge's
 * affair.
 *
 * The bytes on the wire are the probe's own: header lines of a plan go out as they are.  libosip2's
 * transaction machines give timers and states, and get stand-ins of the messages only. */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "base/base.h"
#include "sip/sip.h"

#include <signal.h>

/* ---- limits; each has a counter in struct probe_counts or ends a step -------------------------
 */

#define PROBE_MESSAGE_MAX     (256u * 1024u) /* bytes of one message; streams: of what is held */
#define PROBE_LOG_BYTES_MAX   ((size_t)64u << 20) /* of all messages in a log */
#define PROBE_LOG_ENTRIES_MAX 100000u
#define PROBE_CONNECTIONS_MAX 64u  /* TCP and TLS, both ends together */
#define PROBE_SERVER_MAX      256u /* server transactions that are open at once */
#define PROBE_ANSWERED_MAX    16u  /* calls that `probe answer` holds at once */
#define PROBE_CHALLENGES_MAX  3u   /* 401 and 407 that one request answers */
#define PROBE_REDIRECTS_MAX   5u   /* 300, 301 and 302 that one INVITE follows */
#define PROBE_IDLE_MS         100u /* between two looks at what goes on beside */
#define PROBE_EXTRA_MAX       16u  /* further dialogs of one INVITE (forks), each ended at once */

/* ---- the plan: what is to be sent -------------------------------------------------------------
 */

enum probe_end {
    PROBE_CALLER,
    PROBE_CALLEE,
};
#define PROBE_ENDS 2

static inline enum probe_end probe_other_end(enum probe_end end)
{
    return end == PROBE_CALLER ? PROBE_CALLEE : PROBE_CALLER;
}

/* One message that an end sends.  The steps of a call are done in order:
 *
 * - A request is sent as soon as the step before it is over: the first INVITE at once, one within
 *   the dialog when its sender has the dialog (the caller has sent ACK, the callee has received it,
 *   or waited for it).
 * - A response (status is not 0) answers the open request of that method at its end, as soon as
 *   that has arrived; a final one ends it.  Without a step for it a request gets its answer by
 *   itself: INVITE 200 with SDP, REFER 202, all others 200.
 * - ACK to a 2xx is a step of its own only for its headers; without one it is sent by itself.  ACK
 *   to other responses, CANCEL, 100 and what answers a CANCEL are never steps.
 * - A request is over when its final response has come back, a response when its final response has
 *   arrived, where the other end is ours, or at once.
 * - A step of an end that is not played here is awaited: a request until it arrives, a response
 *   until the request it answers is over.
 *
 * A step that fails ends the call, unless `go_on` is set; what the call has begun is ended (BYE or
 * CANCEL of the run's own, which have no step). */
struct probe_step {
    enum probe_end from;
    struct slice method;       /* "INVITE" ...; of a response: of the request that it answers */
    uint16_t status;           /* 0: a request; 100 to 699 */
    struct slice reason;       /* of a response; empty: the usual one */
    const struct slice *lines; /* raw header lines, as they go out; CRLF is put after each.  A fold
                                  stands inside a line as it is.  No line is looked at */
    size_t line_count;
    bool lines_first;          /* they stand before From, To and CSeq, as LiveKit has them; else
                                  before Content-Length */
    struct slice content_type; /* of body; empty: application/sdp */
    struct slice body; /* p NULL: SDP where an offer or answer is due, else none.  p not NULL
                          and n 0: no body */
    uint32_t wait_ms;  /* before it is sent */
    bool go_on;        /* a failure of this step does not end the call */
    uint32_t tag;      /* the planner's own: which case it is */
};

struct probe_call_plan {
    struct slice name; /* for people: "headers of 64 to 4096 bytes" */
    struct slice to;   /* Request-URI and To of this call; empty: that of the options */
    struct slice from; /* URI in From; empty: that of the options */
    const struct probe_step *steps;
    size_t step_count;
    uint32_t tag;
};

/* How an end names itself. */
struct probe_party {
    struct slice tag_prefix;    /* of its From- or To-tag: "SCL_"; random letters follow */
    struct slice branch_prefix; /* after z9hG4bK; may be empty */
    struct slice via_params;    /* after branch and rport: ";alias"; may be empty */
    struct slice contact_user;  /* empty: "sipxray" */
    struct slice agent;         /* User-Agent and Server; empty: that of the options.  SLICE("-"):
                                   neither */
};

struct probe_plan {
    const struct probe_call_plan *calls;
    size_t call_count;
    struct probe_party parties[PROBE_ENDS];
};

/* ---- the log: what was on the wire ------------------------------------------------------------
 */

enum probe_transport { PROBE_UDP, PROBE_TCP, PROBE_TLS };

enum probe_kind {
    PROBE_SENT,     /* handed to the kernel whole */
    PROBE_RECEIVED, /* a SIP message */
    PROBE_NOISE,    /* received, and no SIP: its first PROBE_NOISE_KEPT bytes */
    PROBE_EVENT,    /* no message: `text` tells (ICMP error, connection refused, TLS failed ...) */
};
#define PROBE_NOISE_KEPT 256u
#define PROBE_NONE       UINT32_MAX

struct probe_entry {
    enum probe_kind kind;
    enum probe_end end; /* at which end */
    int64_t time_ns;    /* since 1970 UTC, of this host's clock */
    enum probe_transport transport;
    struct endpoint src, dst;
    struct slice bytes;  /* SENT, RECEIVED: the message; NOISE: its beginning */
    struct slice text;   /* EVENT: for people; NOISE: what it looks like */
    uint32_t call;       /* index into the plan's calls (`probe answer`: number of the call,
                            from 0), or PROBE_NONE: it belongs to none */
    uint32_t step;       /* index into the steps of the call that this is a message of; a response
                            for which there is no step has that of its request; or PROBE_NONE */
    bool retransmission; /* the same bytes again, by a timer or because the peer asked */
    bool stray;          /* RECEIVED: fits no transaction or dialog of this end */
};

/* What was limited, left out or not understood; told wherever it is not 0. */
struct probe_counts {
    uint64_t noise;           /* datagrams, or bytes in streams between messages, that are no SIP */
    uint64_t malformed;       /* SIP messages without what a transaction needs: dropped */
    uint64_t stray_responses; /* to no request of ours: branch or CSeq does not fit */
    uint64_t stray_requests;  /* within no dialog of ours: answered 481 */
    uint64_t strangers;       /* INVITEs of others while a call was on: answered 486 */
    uint64_t too_long;        /* messages beyond PROBE_MESSAGE_MAX: the connection was closed */
    uint64_t refused_connections; /* beyond PROBE_CONNECTIONS_MAX */
    uint64_t refused_requests;    /* beyond PROBE_SERVER_MAX: dropped */
    uint64_t slow_connections;    /* closed with part of a message that did not go on */
    uint64_t log_left_out;        /* entries beyond the limits of the log */
    uint64_t forks;               /* further 2xx to an INVITE: acknowledged and ended */
    uint64_t unended;             /* dialogs whose BYE got no answer */
    uint64_t unacknowledged;      /* 2xx to INVITEs whose ACK never came */
};

struct probe_log {
    VEC(struct probe_entry) entries;
    struct arena arena; /* owns bytes and texts */
    size_t bytes;
    struct probe_counts counts;
};

void probe_log_free(struct probe_log *log);

/* ---- what became of each step -----------------------------------------------------------------
 */

enum probe_fate {
    PROBE_NOT_REACHED, /* the call ended before */
    PROBE_DONE,        /* a request: its final response came, `status` is that (2xx or not); a
                          response or ACK: sent, or, of an end elsewhere, arrived */
    PROBE_NO_ANSWER,   /* a request: sent, and no final response in time (`status`: the last
                          provisional one, 0: none); awaited: nothing came in time */
    PROBE_ICMP,        /* an ICMP error came back: `error` is its errno, `peer` who sent it */
    PROBE_NO_ROUTE,    /* the kernel refused to send: `error` */
    PROBE_REFUSED,     /* no connection: refused, reset or closed, `error` (0: closed) */
    PROBE_TLS_FAILED,  /* the handshake: `detail` says why */
    PROBE_UNRESOLVED,  /* the next hop is a name without an address */
    PROBE_UNOPENED,    /* a response or ACK: what it belongs to never arrived here */
    PROBE_STOPPED,     /* the user stopped the run, or its overall limit is over */
};

struct probe_outcome {
    enum probe_fate fate;
    uint16_t status;
    int error;
    struct endpoint next_hop; /* where it was sent; family 0: never sent */
    enum probe_transport transport;
    struct endpoint peer;       /* PROBE_ICMP: who says so */
    struct slice detail;        /* for people, may be empty; in the log's arena */
    bool arrived;               /* seen at the other end, where that is ours */
    uint32_t challenges;        /* 401 and 407 that were answered */
    uint32_t sent, received;    /* entries of the log: its last first transmission (that with
                                   credentials), and its first arrival at the other end; or
                                   PROBE_NONE */
    uint32_t answer;            /* a request: entry of the final response as it came back */
    int64_t began_ns, ended_ns; /* of this host's clock; 0: never */
};

struct probe_call_result {
    uint32_t call; /* as in the log */
    const struct probe_call_plan *plan;
    struct probe_outcome *outcomes; /* one for each step of the plan */
    bool completed;                 /* every step PROBE_DONE, each request with a 2xx */
    bool ended;                     /* no dialog that it began is left open */
};

/* ---- options ----------------------------------------------------------------------------------
 */

struct probe_tls_options {
    const char *ca;   /* PEM file; NULL: the system's */
    const char *cert; /* PEM file with the chain: shown to servers that ask, and to clients; NULL:
                         one is made for this run */
    const char *key;  /* PEM file; NULL: in `cert` */
    const char *name; /* that the proxy's certificate must have; NULL: the host of `via`, or of
                         the URI */
    bool no_verify;
    bool ask_client; /* clients of our listening end must show a certificate of `ca` */
};

/* Credentials for digest; never printed. */
struct probe_credentials {
    struct slice user, password; /* user empty: none */
    struct slice realm;          /* empty: any */
};

/* Reads "user:password", and a realm on a second line where there is one, from a file ("-":
 * standard input), or from the environment variable SIPXRAY_CREDENTIALS where path is NULL (not
 * set: none). A password may have colons. */
bool probe_credentials_read(struct probe_credentials *c, struct arena *a, const char *path,
                            struct err *err);

struct probe_watch {
    /* An entry was added to the log; borrowed. */
    void (*entry)(void *context, const struct probe_entry *entry);
    /* A call is over; its entries are in the log.  `probe answer`: the log is emptied afterwards,
     * when no other call is open, and the result is freed. */
    void (*ended)(void *context, const struct probe_call_result *result,
                  const struct probe_log *log);
    /* Asked before each further call of the plan: false ends the run.  NULL: all are made. */
    bool (*goes_on)(void *context);
    /* Called whenever the run is about to wait, which it then does for PROBE_IDLE_MS at most; NULL:
     * nobody has anything else to do. */
    void (*idle)(void *context);
    /* Which call of the plan answers this INVITE, for an end that only answers; NULL: the first. */
    const struct probe_call_plan *(*choose)(void *context, const struct sip_message *invite);
    void *context;
};

struct probe_options {
    bool play[PROBE_ENDS];          /* which ends are played here */
    enum probe_transport transport; /* of the first hop; what the far side asks for in URIs is
                                       followed afterwards */
    const char *via; /* "HOST[:PORT]": where the first request goes; NULL: where `to` says */
    const char *const *routes; /* URIs of Route lines in the first request */
    size_t route_count;
    struct slice to;                /* URI; may be empty where only the callee is played */
    struct slice from;              /* URI; empty: sip:sipxray@ADDRESS */
    const char *listen[PROBE_ENDS]; /* "ADDR:PORT" or "[ADDR]:PORT" that an end is at, for UDP, TCP
                                       and TLS alike; port 0 or NULL: any port (and address) that
                                       leads to the first hop.  The callee needs one */
    struct probe_tls_options tls;
    struct probe_credentials credentials;
    struct slice agent; /* "sipxray/0.1.0" */
    uint32_t step_ms;   /* limit of each step; 0: 10,000 */
    uint32_t run_ms;    /* limit of the whole run; 0: none */
    uint32_t pause_ms;  /* between two calls */
    uint32_t calls;     /* callee only: end after so many; 0: until stopped */
    bool dry;           /* no socket is opened: the ends talk to each other as over a wire */
    uint64_t seed;      /* of tags, branches and Call-IDs; 0: random.  For tests */
    const volatile sig_atomic_t *stop; /* not 0: end what is open, then return; NULL: never */
    struct probe_watch watch;
};

/* ---- the run ----------------------------------------------------------------------------------
 */

struct probe_run {
    struct probe_log log;
    VEC(struct probe_call_result)
    results;          /* of each call begun, in order; callee only: of those
                         still open, else empty */
    bool stopped;     /* by the user */
    bool out_of_time; /* by run_ms */
    uint64_t calls_ended;
};

/* Runs the plan to its end.  Plan, options and what they point to must live until it returns,
 * slices of the plan until probe_run_free.  False: it could not begin (an address that is not ours,
 * a port in use, a certificate that cannot be read, a URI that is none), and nothing was sent;
 * whatever happens later is an outcome. */
bool probe_run(struct probe_run *run, const struct probe_plan *plan,
               const struct probe_options *options, struct err *err);
void probe_run_free(struct probe_run *run);

/* "no answer within 10 s; sent 4 times to 10.0.0.1:5060 over UDP; the last word was 100 Trying":
 * what became of a step, as one sentence without its full stop, for people. */
void probe_outcome_text(struct text *out, const struct probe_log *log,
                        const struct probe_call_result *result, size_t step);
const char *probe_transport_name(enum probe_transport t); /* "UDP", "TCP", "TLS" */
const char *probe_fate_name(enum probe_fate fate);        /* "done", "no-answer" ... for programs */

#include "probe/suite.h" /* scripts, which make plans */

#include "probe/judge.h"

#endif

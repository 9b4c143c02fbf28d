/* Private to probe/: the engine that runs a plan, from sockets to steps. */
#ifndef PROBE_INTERNAL_H
#define PROBE_INTERNAL_H

#include "probe/probe.h"

#include <sys/socket.h>

/* ---- random.c: letters that nobody can guess --------------------------------------------------
 */

struct chance {
    struct hash_key key;
    uint64_t count;
};

struct chance chance_new(uint64_t seed); /* 0: random */
uint64_t chance_number(struct chance *c);
struct slice chance_letters(struct chance *c, struct arena *a, size_t n);

/* ---- log.c ------------------------------------------------------------------------------------
 */

/* Adds a copy of the entry; gives its index, or PROBE_NONE where the log is full. */
uint32_t log_add(struct probe_log *log, const struct probe_entry *entry);
void log_clear(struct probe_log *log); /* counts stay */

/* ---- clock ------------------------------------------------------------------------------------
 */

int64_t clock_ms(void);      /* monotonic */
int64_t clock_wall_ns(void); /* since 1970 UTC */

/* ---- uri.c: what of a URI decides where a message goes ----------------------------------------
 */

struct hop {
    enum probe_transport transport;
    struct slice host; /* without brackets */
    uint16_t port;     /* never 0 */
};

/* A parameter of a SIP URI ("transport", "lr", "maddr"), its name in lower case. */
bool uri_param(struct slice uri, struct slice name, struct slice *out);
/* The URI of a Route, Record-Route or Contact value. */
struct slice uri_of(struct slice value);
/* RFC 3263 section 4, but for NAPTR and SRV: false: no SIP URI. */
bool uri_hop(struct arena *a, struct slice uri, struct hop *out);
/* "HOST", "HOST:PORT", "[ADDR]:PORT"; the port is `port` where there is none. */
bool hop_read(struct slice text, uint16_t port, struct hop *out);
/* An address of the family (0: any), by the resolver within RESOLVE_MS. */
#define RESOLVE_MS 3000
bool hop_resolve(const struct hop *hop, uint8_t family, struct endpoint *out);

/* ---- tls.c: the only file that includes OpenSSL's libssl --------------------------------------
 */

struct tls; /* certificates and keys of a run */
struct tls_stream;

enum tls_result { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_CLOSED, TLS_FAILED };

struct tls *tls_new(const struct probe_tls_options *options, struct err *err);
void tls_free(struct tls *t);
/* A client's stream checks that the certificate is of `host`. */
struct tls_stream *tls_stream_new(struct tls *t, int fd, bool server, struct slice host);
void tls_stream_free(struct tls_stream *s);
enum tls_result tls_handshake(struct tls_stream *s);
enum tls_result tls_read(struct tls_stream *s, char *into, size_t room, size_t *n);
enum tls_result tls_write(struct tls_stream *s, struct slice bytes, size_t *n);
bool tls_holds(const struct tls_stream *s);       /* bytes that poll does not know of */
struct slice tls_why(const struct tls_stream *s); /* after TLS_FAILED; lives as long as s */

/* ---- net.c, stream.c: messages to and from the wire -------------------------------------------
 */

struct path {
    enum probe_transport transport;
    struct endpoint local, remote;
    uint32_t connection; /* 0: whichever leads to `remote` */
    struct slice host;   /* of the far end, for its certificate; may be empty */
};

/* What a message that was sent belongs to. */
struct label {
    uint32_t call, step, transaction; /* PROBE_NONE: to none */
    bool again;
};

enum happening {
    NET_SENT,
    NET_RECEIVED,
    NET_NOISE,
    NET_FAILED, /* a message could not be sent; label, fate, error, detail */
    NET_ICMP,   /* fate and error; peer told so of what went to path.remote */
    NET_TOLD,   /* a connection ended: fate, detail */
};

struct happened {
    enum happening kind;
    enum probe_end end;
    struct path path;
    struct slice bytes;
    const struct sip_message *sip;
    struct label label;
    enum probe_fate fate;
    int error;
    struct endpoint peer;
    struct slice detail;
};

typedef void net_sink(void *context, const struct happened *what);

struct connection;

struct net_end {
    bool open;
    int udp, listener;
    struct endpoint bound; /* its address may be unspecified, its port is not 0 */
};

/* A message on its way, where no socket is. */
struct dry_message {
    enum probe_end from;
    struct path path;
    struct text bytes;
};

struct net {
    struct net_end ends[PROBE_ENDS];
    VEC(struct connection *) connections;
    uint32_t last_connection;
    struct sip_scanner *scanner;
    struct tls *tls;
    const struct probe_tls_options *tls_options;
    struct probe_counts *counts;
    net_sink *sink;
    void *context;
    char *buffer; /* of one datagram */
    bool dry;
    VEC(struct dry_message) wire;
    int64_t slow_ms; /* part of a message is waited for so long */
};

void net_open(struct net *n, const struct probe_options *options, struct probe_counts *counts,
              net_sink *sink, void *context);
/* Opens an end's sockets at an address whose port may be 0. */
bool net_listen(struct net *n, enum probe_end end, const struct endpoint *at, struct err *err);
void net_close(struct net *n);
/* Where the end would send from, to get there: its own address where that is unspecified. */
struct endpoint net_local(const struct net *n, enum probe_end end, const struct endpoint *remote);
/* Hands bytes over, which are copied where they have to wait.  The sink hears what becomes of them,
 * perhaps at once. */
void net_send(struct net *n, enum probe_end end, const struct path *path, struct slice bytes,
              const struct label *label);
/* Waits until something happens or the time is over, and tells the sink.  `mask` is set meanwhile,
 * so that a signal ends the waiting; NULL: as it is. */
void net_wait(struct net *n, int64_t wait_ms, const sigset_t *mask);
/* The next time that a connection has to be looked at; INT64_MAX: none. */
int64_t net_due_ms(const struct net *n);
bool net_sending(const struct net *n); /* something waits to be sent */

socklen_t socket_address(const struct endpoint *e, struct sockaddr_storage *out);
struct endpoint socket_endpoint(const struct sockaddr *s); /* family 0: neither IPv4 nor IPv6 */

/* stream.c */
struct connection *stream_open(struct net *n, enum probe_end end, const struct path *path);
void stream_accept(struct net *n, enum probe_end end);
void stream_send(struct net *n, struct connection *c, struct slice bytes,
                 const struct label *label);
struct connection *stream_find(struct net *n, enum probe_end end, const struct path *path);
int stream_fd(const struct connection *c);
short stream_wants(const struct connection *c);
void stream_ready(struct net *n, struct connection *c, short events);
void stream_close_slow(struct net *n, int64_t now);
void stream_reap(struct net *n); /* frees those that are closed */
void stream_free_all(struct net *n);
bool stream_waits(const struct connection *c);
bool stream_has_unread(const struct connection *c);
int64_t stream_due_ms(const struct net *n, const struct connection *c);

/* ---- machine.c: the only file that knows libosip2's transaction machines -----------------------
 */

enum machine_kind { MACHINE_INVITE_CLIENT, MACHINE_CLIENT, MACHINE_INVITE_SERVER, MACHINE_SERVER };
enum machine_sends { MACHINE_REQUEST, MACHINE_ACK, MACHINE_RESPONSE };

struct machines;
struct machine; /* one transaction's */

struct machine_user {
    /* Send the bytes that the transaction has for this now. */
    void (*send)(void *owner, enum machine_sends what);
    void (*timed_out)(void *owner); /* timer B or F */
    void (*ended)(void *owner);     /* it is terminated */
};

struct machines *machines_new(const struct machine_user *user);
void machines_free(struct machines *m);
struct machine *machine_new(struct machines *m, enum machine_kind kind, bool reliable, void *owner);
void machine_free(struct machine *t);
void machine_start(struct machine *t); /* a client sends its request, a server has got its own */
/* true: the first of its kind; false: one more of a final response, or of no use in this state. */
bool machine_response_came(struct machine *t, unsigned status);
void machine_request_came(struct machine *t, bool is_ack); /* a retransmission, or the ACK */
void machine_respond(struct machine *t, unsigned status);
int64_t machines_due_ms(struct machines *m); /* from now; at most a minute */
void machines_run_timers(struct machines *m);

/* ---- the engine -------------------------------------------------------------------------------
 */

struct engine;
struct call;

/* What a request is made of. */
struct draft {
    struct slice method, uri;
    struct slice via; /* the whole value */
    const struct slice *routes;
    size_t route_count;
    struct slice from, to, call_id;
    uint32_t cseq;
    struct slice contact;            /* URI; empty: none */
    struct slice agent;              /* empty: none */
    struct slice authorization;      /* a line; empty: none */
    const struct probe_step *step;   /* NULL: no lines of its own */
    struct slice body, content_type; /* where there is no step, or it leaves that to us */
};

struct transaction {
    struct engine *engine;
    uint32_t id;
    bool client, invite, over, timed_out;
    enum probe_end end;
    struct arena arena;
    struct slice method, branch;
    struct slice sent_by; /* server: host:port of the topmost Via */
    uint16_t via_port;
    struct path path;
    struct machine *machine;
    struct draft draft;    /* client */
    struct slice request;  /* client: as sent; server: as received */
    struct slice response; /* server: sent last */
    struct slice ack;      /* client: to a response that is no 2xx */
    struct label label;    /* of the request (of a server's responses: response_step) */
    uint32_t response_step;
    unsigned requests_sent, responses_sent, acks_sent;
    uint16_t status;   /* client: received last; server: sent last */
    struct call *call; /* NULL: of none */
    uint32_t cseq;
    unsigned challenges, redirects;
    struct slice authorization; /* the lines that it carries; empty: none */
    struct slice challenged[2]; /* by 401, 407: that one of them */
    bool cancelled, answered, abandoned;
    struct slice extras[PROBE_EXTRA_MAX]; /* To-tags of further dialogs of an INVITE */
    size_t extra_count;
    /* server, INVITE: its 2xx until the ACK comes (RFC 3261 13.3.1.4), its 100 */
    int64_t answered_ms, again_ms, again_wait_ms, give_up_ms, trying_ms;
    enum probe_fate fate; /* client: PROBE_NOT_REACHED while nothing failed */
    int error;
    struct endpoint peer;
    struct slice detail;
    int64_t free_ms; /* when an ended one may go */
};

struct dialog {
    bool confirmed, over, unended;
    struct slice call_id, local_tag, remote_tag;
    struct slice local, remote; /* From and To of a request that this end sends, tags included */
    struct slice target;        /* remote target URI */
    struct slice *routes;       /* name-addr */
    size_t route_count;
    uint32_t local_cseq, remote_cseq, invite_cseq;
    bool remote_cseq_known, ack_came;
    struct slice ack; /* as sent, for each 2xx that comes again */
    struct path ack_path;
    struct label ack_label;
};

struct side {
    struct dialog dialog;
    struct slice contact;   /* URI */
    uint32_t invite;        /* transaction of the initial INVITE, PROBE_NONE: none yet */
    uint32_t latest_invite; /* client: of the INVITE or re-INVITE sent last */
    uint32_t bye;           /* client transaction of the run's own BYE */
};

enum call_phase { CALL_STEPS, CALL_ENDING, CALL_OVER };

struct call {
    uint32_t number; /* as in the log */
    const struct probe_call_plan *plan;
    struct probe_outcome *outcomes;
    struct arena arena;
    struct side sides[PROBE_ENDS];
    struct slice token; /* in Call-ID and tags: by it an INVITE is known as this call's */
    struct slice to, from;
    size_t at;
    bool begun;                    /* step `at` is */
    int64_t ready_ms, deadline_ms; /* when it may begin (INT64_MAX: not known), is given up */
    uint32_t *sent_by, *came_by;   /* for each step its client and server transaction */
    enum call_phase phase;
    int64_t since_ms;                  /* the step is the next one, or has begun */
    int64_t soon_ms;                   /* look at it again then */
    int64_t ended_since_ms, ending_ms; /* the ending began, is looked at again */
    bool dead;                         /* no step of it can be done any more */
    bool refused;                      /* its first INVITE was */
};

struct engine {
    const struct probe_plan *plan;
    const struct probe_options *options;
    struct probe_run *run;
    bool play[PROBE_ENDS];
    struct net net;
    struct machines *machines;
    struct chance chance;
    struct arena arena, scratch;
    struct sip_scanner *scanner; /* for messages that are read again */
    VEC(struct transaction *) transactions;
    uint32_t last_transaction;
    VEC(struct call *) calls; /* open ones */
    uint32_t calls_begun;
    struct path first_hop; /* remote.ip.family 0: there is none */
    struct slice first_host;
    uint32_t step_limit_ms;
    int64_t now_ms, run_end_ms, pause_until_ms;
    bool stopping;
    uint32_t heard; /* entry of the log of the message that is looked at */
};

/* run.c */
bool engine_open(struct engine *e, struct probe_run *run, const struct probe_plan *plan,
                 const struct probe_options *options, struct err *err);
void engine_close(struct engine *e); /* also after engine_open failed */
/* All that can be done at e->now_ms without waiting.  False: the run is over. */
bool engine_turn(struct engine *e);
struct slice engine_agent(const struct engine *e, enum probe_end end);
/* Its index, PROBE_NONE: the log is full; whoever watches is told. */
uint32_t engine_log(struct engine *e, const struct probe_entry *entry);
void engine_event(struct engine *e, enum probe_end end, const struct path *path, uint32_t call,
                  struct slice text);

/* ---- compose.c: our own bytes -----------------------------------------------------------------
 */

struct slice compose_request(struct arena *a, const struct draft *d);
/* Via for a new request of this end; *branch is what it got. */
struct slice compose_via(struct engine *e, enum probe_end end, const struct path *path,
                         struct arena *a, struct slice *branch);
/* ACK (to a response that is no 2xx) and CANCEL, which are made from the request (RFC
 * 3261 17.1.1.3, 9.1); `to` is the response's, empty: the request's. */
struct slice compose_hop(struct arena *a, const struct draft *request, struct slice method,
                         struct slice to);

struct reply {
    uint16_t status;
    struct slice reason;  /* empty: the usual */
    struct slice to_tag;  /* empty: none is added */
    struct slice contact; /* empty: none */
    struct slice agent;   /* empty: none */
    struct slice extra;   /* whole lines with their ends */
    const struct probe_step *step;
    struct slice body;
};
struct slice compose_response(struct arena *a, const struct sip_message *request,
                              const struct path *path, const struct reply *r);
struct slice compose_sdp(struct arena *a, const struct endpoint *at, struct slice token);
struct slice compose_contact(struct arena *a, struct slice user, const struct path *path);
struct slice reason_of(unsigned status);

/* ---- transaction.c ----------------------------------------------------------------------------
 */

struct transaction *transaction_by_id(struct engine *e, uint32_t id);
/* Makes it and hands its request to the machine: `request` is in its arena already. */
struct transaction *transaction_new(struct engine *e, bool client, enum probe_end end,
                                    struct slice method);
void transaction_start(struct transaction *t);
struct transaction *transaction_of_response(struct engine *e, enum probe_end end,
                                            const struct sip_message *m, struct slice branch);
struct transaction *transaction_of_request(struct engine *e, enum probe_end end,
                                           struct slice method, struct slice branch,
                                           struct slice sent_by);
/* Sends what the transaction's response is now. */
void transaction_respond(struct transaction *t, uint16_t status, struct slice bytes, uint32_t step);
void transaction_failed(struct transaction *t, enum probe_fate fate, int error,
                        const struct endpoint *peer, struct slice detail);
void transaction_quiet(struct transaction *t); /* it is not sent again */
void transaction_free(struct transaction *t);
void transaction_drop(struct engine *e, struct transaction *t); /* out of the list, too */
void transactions_tick(struct engine *e);
int64_t transactions_due_ms(const struct engine *e);
extern const struct machine_user transaction_user;

/* ---- dialog.c ---------------------------------------------------------------------------------
 */

/* The unfolded value of the first header of an id, its tag; empty: not there. */
struct slice message_header(struct arena *a, const struct sip_message *m, enum sip_header_id id);
struct slice message_tag(struct arena *a, const struct sip_message *m, enum sip_header_id id);
/* From a message that makes a dialog, or refreshes it (RFC 3261 12.1, 12.2): what is remote, and
 * with `routes` the route set.  A response makes the dialog of a caller, a request that of a
 * callee. */
void dialog_learn(struct arena *a, struct dialog *d, const struct sip_message *m, bool routes);
/* Request-URI, Route lines, From, To, Call-ID of a request within the dialog, and its next hop.
 * False: there is none, *why says so. */
bool dialog_request(struct engine *e, enum probe_end end, const struct dialog *d, struct arena *a,
                    struct draft *draft, struct path *path, struct slice *why);
/* The way to a hop from this end. */
bool engine_path(struct engine *e, enum probe_end end, const struct hop *hop, struct path *path,
                 struct slice *why);

/* ---- digest.c ---------------------------------------------------------------------------------
 */

/* The line that answers the challenges of a 401 or 407 (RFC 7616, RFC 3261 22); empty: none of them
 * can be answered, *why says so.  `again`: they were answered before, so that only a nonce that got
 * stale is a reason to try once more: a third try locks accounts. */
struct slice digest_answer(struct arena *a, struct chance *chance,
                           const struct probe_credentials *credentials,
                           const struct sip_message *challenge, struct slice method,
                           struct slice uri, bool again, struct slice *why);

/* ---- request.c: requests that go out ----------------------------------------------------------
 */

/* Sends the request of a step (PROBE_NONE: one of the run's own).  NULL: there is no way to its
 * next hop, *why says so. */
struct transaction *request_send(struct engine *e, struct call *call, enum probe_end end,
                                 uint32_t step, struct slice method, struct slice *why);
/* The same once more, with the answers to challenges, for this URI and on this way. */
void request_again(struct transaction *old, struct slice uri, const struct path *path);
void request_cancel(struct transaction *invite);
/* ACK to a 2xx to the INVITE of this transaction. */
void request_ack(struct transaction *invite, uint32_t step);
void request_ack_again(struct engine *e, struct call *call, enum probe_end end);
/* A 2xx that makes a dialog which nobody wants: of another branch of a fork, or too late.  ACK, and
 * BYE at once. */
void request_end_extra(struct transaction *invite, const struct sip_message *m);

/* ---- receive.c, answer.c: messages that come in -----------------------------------------------
 */

void receive(void *context, const struct happened *what);
/* What a request says of itself, as far as a transaction needs it. */
struct incoming {
    enum probe_end end;
    struct path path;
    const struct sip_message *m;
    struct slice branch, sent_by, to_tag, from_tag;
    uint16_t via_port; /* of the topmost Via */
    bool rport;        /* it asks for an answer to where the message came from */
};
/* A request that is no retransmission and no ACK. */
void answer_request(struct engine *e, const struct incoming *in);
/* Call and dialog of a request within a dialog; NULL: there is none. */
struct call *call_of_dialog(struct engine *e, const struct incoming *in);
/* Notes the message in the log, and its index in e->heard. */
void receive_log(struct engine *e, const struct incoming *in, const struct label *label,
                 bool stray);

/* ---- call.c, steps.c: the steps of a call -----------------------------------------------------
 */

struct call *call_begin(struct engine *e, const struct probe_call_plan *plan);
/* An end elsewhere has sent a request: where the call's plan awaits another, and one of the plans
 * that begin alike awaits this, the call is that one. */
void call_turn(struct engine *e, struct call *call, enum probe_end from, struct slice method);
struct call *call_by_number(struct engine *e, uint32_t number);
void call_free(struct engine *e, struct call *call);
void steps_advance(struct engine *e, struct call *call);
/* Does everything that can be done now. */
void call_advance(struct engine *e, struct call *call);
int64_t call_due_ms(const struct engine *e, const struct call *call);
/* Goes over to the ending: what is not done yet has this fate. */
void call_stop(struct engine *e, struct call *call, enum probe_fate fate);
void call_ending(struct engine *e, struct call *call); /* ending.c */
/* The request step that the request which `step` answers is of; PROBE_NONE: there is none. */
uint32_t step_answered(const struct call *call, uint32_t step);
/* The step in which the request of step `request` is answered with this status (0: with any);
 * PROBE_NONE: there is none. */
uint32_t step_answering(const struct call *call, uint32_t request, uint16_t status);

/* heard.c: what a call makes of messages */

void call_heard(struct engine *e, struct transaction *t, const struct sip_message *m, bool first);
void call_request_came(struct engine *e, struct call *call, struct transaction *t,
                       const struct sip_message *m);
void call_ack_came(struct engine *e, struct call *call, enum probe_end end);
void call_respond(struct engine *e, struct call *call, struct transaction *t, uint16_t status,
                  uint32_t step);

#endif

/* Transactions: which message belongs to which (RFC 3261 17.1.3, 17.2.3), and the bytes that
 * libosip2's machines have sent when it is time. */
#include "probe/internal.h"

#define T1_MS     500
#define T2_MS     4000
#define ABSORB_MS 32000 /* an ended transaction still takes what comes late for it */
#define TRYING_MS 200   /* RFC 3261 17.2.1 */

struct transaction *transaction_by_id(struct engine *e, uint32_t id)
{
    if (id == PROBE_NONE)
        return NULL;
    for (size_t i = 0; i < e->transactions.n; i++)
        if (e->transactions.items[i]->id == id)
            return e->transactions.items[i];
    return NULL;
}

struct transaction *transaction_new(struct engine *e, bool client, enum probe_end end,
                                    struct slice method)
{
    struct transaction *t = base_alloc(sizeof *t);
    t->engine = e;
    t->id = ++e->last_transaction;
    t->client = client;
    t->end = end;
    t->invite = slice_is(method, "INVITE");
    t->method = arena_copy(&t->arena, method);
    t->label = (struct label){PROBE_NONE, PROBE_NONE, t->id, false};
    t->response_step = PROBE_NONE;
    t->free_ms = t->again_ms = t->trying_ms = INT64_MAX;
    *vec_add(&e->transactions) = t;
    return t;
}

void transaction_start(struct transaction *t)
{
    bool reliable = t->path.transport != PROBE_UDP;
    enum machine_kind kind = t->client   ? t->invite ? MACHINE_INVITE_CLIENT : MACHINE_CLIENT
                             : t->invite ? MACHINE_INVITE_SERVER
                                         : MACHINE_SERVER;
    t->machine = machine_new(t->engine->machines, kind, reliable, t);
    machine_start(t->machine);
    if (!t->client && t->invite)
        t->trying_ms = t->engine->now_ms + TRYING_MS;
}

void transaction_free(struct transaction *t)
{
    machine_free(t->machine);
    arena_free(&t->arena);
    free(t);
}

void transaction_drop(struct engine *e, struct transaction *t)
{
    size_t i = 0;
    while (e->transactions.items[i] != t)
        i++;
    for (; i + 1 < e->transactions.n; i++)
        e->transactions.items[i] = e->transactions.items[i + 1];
    e->transactions.n--;
    transaction_free(t);
}

/* ---- whose is it? -------------------------------------------------------------------------------
 */

struct transaction *transaction_of_response(struct engine *e, enum probe_end end,
                                            const struct sip_message *m, struct slice branch)
{
    for (size_t i = e->transactions.n; i > 0; i--) {
        struct transaction *t = e->transactions.items[i - 1];
        if (t->client && t->end == end && slice_equal(t->branch, branch) &&
            slice_equal(t->method, m->method))
            return t;
    }
    return NULL;
}

struct transaction *transaction_of_request(struct engine *e, enum probe_end end,
                                           struct slice method, struct slice branch,
                                           struct slice sent_by)
{
    for (size_t i = e->transactions.n; i > 0; i--) {
        struct transaction *t = e->transactions.items[i - 1];
        if (!t->client && t->end == end && slice_equal(t->branch, branch) &&
            slice_equal_nocase(t->sent_by, sent_by) && slice_equal(t->method, method))
            return t;
    }
    return NULL;
}

/* ---- what the machines want sent ----------------------------------------------------------------
 */

/* A response goes back over the connection that the request came by, while that is there; else to
 * the port of the Via (RFC 3261 18.2.2). */
static const struct path *way_of(struct transaction *t)
{
    struct net *n = &t->engine->net;
    if (!t->client && t->path.connection && !n->dry && !stream_find(n, t->end, &t->path)) {
        t->path.connection = 0;
        t->path.remote.port = t->via_port;
    }
    return &t->path;
}

static void send_now(void *owner, enum machine_sends what)
{
    struct transaction *t = owner;
    struct label label = t->label;
    struct slice bytes = t->request;
    unsigned *count = &t->requests_sent;
    if (what == MACHINE_ACK) {
        bytes = t->ack;
        count = &t->acks_sent;
    } else if (what == MACHINE_RESPONSE) {
        bytes = t->response;
        count = &t->responses_sent;
        label.step = t->response_step;
    }
    label.again = *count > 0;
    ++*count;
    if (bytes.n)
        net_send(&t->engine->net, t->end, way_of(t), bytes, &label);
}

static void set_timed_out(void *owner)
{
    struct transaction *t = owner;
    t->timed_out = true;
}

/* A client's is kept for a while, so that what comes late is known as its own. */
static void set_over(void *owner)
{
    struct transaction *t = owner;
    t->over = true;
    t->free_ms = t->engine->now_ms + (t->path.transport == PROBE_UDP || t->invite ? ABSORB_MS : 0);
}

const struct machine_user transaction_user = {send_now, set_timed_out, set_over};

void transaction_failed(struct transaction *t, enum probe_fate fate, int error,
                        const struct endpoint *peer, struct slice detail)
{
    if (!t->client || t->status >= 200 || t->fate != PROBE_NOT_REACHED)
        return;
    t->fate = fate;
    t->error = error;
    t->peer = *peer;
    t->detail = arena_copy(&t->arena, detail);
}

/* ---- responses of ours --------------------------------------------------------------------------
 */

void transaction_respond(struct transaction *t, uint16_t status, struct slice bytes, uint32_t step)
{
    t->response = bytes;
    t->responses_sent = 0;
    t->status = status;
    t->response_step = step;
    t->answered = status >= 200;
    t->answered_ms = t->engine->now_ms;
    t->trying_ms = INT64_MAX;
    machine_respond(t->machine, status);
    if (t->invite && status >= 200 && status < 300) {
        /* the machine is done with a 2xx: it is repeated here until the ACK comes (13.3.1.4) */
        t->again_wait_ms = T1_MS;
        t->again_ms = t->engine->now_ms + T1_MS;
        t->give_up_ms = t->engine->now_ms + 64L * T1_MS;
    }
}

static void respond_again(struct transaction *t, int64_t now)
{
    if (now >= t->give_up_ms) {
        t->again_ms = INT64_MAX;
        t->engine->run->log.counts.unacknowledged++;
        return;
    }
    t->again_wait_ms = t->again_wait_ms * 2 > T2_MS ? T2_MS : t->again_wait_ms * 2;
    t->again_ms = now + t->again_wait_ms;
    send_now(t, MACHINE_RESPONSE);
}

static void send_trying(struct transaction *t)
{
    struct sip_message m;
    struct reply r = {.status = 100};
    t->trying_ms = INT64_MAX;
    if (t->status || !sip_scan_again(t->engine->scanner, t->request, SIP_WHOLE, 0, &m))
        return;
    struct slice bytes = compose_response(&t->arena, &m, &t->path, &r);
    transaction_respond(t, 100, bytes, t->label.step);
}

/* ---- time ---------------------------------------------------------------------------------------
 */

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What has failed, or is not waited for any more, is not sent again. */
void transaction_quiet(struct transaction *t)
{
    if (!t->machine)
        return;
    machine_free(t->machine);
    t->machine = NULL;
    set_over(t);
}

/* Its call may ask for it yet. */
static bool is_needed(const struct transaction *t)
{
    return t->call && (t->client || t->label.step != PROBE_NONE || !t->over);
}

static int64_t free_at(const struct transaction *t)
{
    return is_needed(t) ? INT64_MAX : t->free_ms;
}

int64_t transactions_due_ms(const struct engine *e)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < e->transactions.n; i++) {
        const struct transaction *t = e->transactions.items[i];
        due = earliest(due, earliest(free_at(t), earliest(t->again_ms, t->trying_ms)));
    }
    return due;
}

void transactions_tick(struct engine *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (t->client && (t->fate != PROBE_NOT_REACHED || t->abandoned))
            transaction_quiet(t);
    }
    machines_run_timers(e->machines);
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (e->now_ms >= t->again_ms)
            respond_again(t, e->now_ms);
        if (e->now_ms >= t->trying_ms)
            send_trying(t);
    }
    for (size_t i = 0; i < e->transactions.n; i++) {
        struct transaction *t = e->transactions.items[i];
        if (e->now_ms >= t->free_ms && !is_needed(t))
            transaction_free(t);
        else
            e->transactions.items[kept++] = t;
    }
    e->transactions.n = kept;
}

/* A run: its sockets, its calls one after another, its clock. */
#include "probe/internal.h"

#include <string.h>

#define STEP_LIMIT_MS 10000
#define LINGER_MS     1200 /* for what the far side sends again, when the last call is over */

struct slice engine_agent(const struct engine *e, enum probe_end end)
{
    struct slice agent = e->plan->parties[end].agent;
    if (slice_is(agent, "-"))
        return SLICE("");
    return agent.n ? agent : e->options->agent;
}

uint32_t engine_log(struct engine *e, const struct probe_entry *entry)
{
    uint32_t index = log_add(&e->run->log, entry);
    if (index != PROBE_NONE && e->options->watch.entry)
        e->options->watch.entry(e->options->watch.context, &e->run->log.entries.items[index]);
    return index;
}

void engine_event(struct engine *e, enum probe_end end, const struct path *path, uint32_t call,
                  struct slice text)
{
    struct probe_entry entry = {.kind = PROBE_EVENT,
                                .end = end,
                                .transport = path->transport,
                                .src = path->remote,
                                .dst = path->local,
                                .text = text,
                                .call = call,
                                .step = PROBE_NONE};
    (void)engine_log(e, &entry);
}

/* ---- where it begins
 * ------------------------------------------------------------------------------- */

/* By the proxy, else the first Route, else the URI that is called. */
static bool find_first_hop(const struct engine *e, struct arena *a, struct hop *hop,
                           struct err *err)
{
    const struct probe_options *o = e->options;
    struct slice uri = o->route_count ? slice_of(o->routes[0]) : o->to, given;
    if (o->via) {
        hop->transport = o->transport;
        return hop_read(slice_of(o->via), o->transport == PROBE_TLS ? 5061 : 5060, hop) ||
               err_set(err, "%s is no HOST or HOST:PORT", o->via);
    }
    if (!uri_hop(a, uri, hop))
        return err_set(err, "%.*s is no SIP URI", SLICE_ARG(uri));
    bool says =
        uri_param(uri, SLICE("transport"), &given) || slice_starts_nocase(uri, SLICE("sips:"));
    if (!says && o->transport != PROBE_UDP) {
        hop->transport = o->transport;
        if (hop->port == 5060 && o->transport == PROBE_TLS && slice_find(uri, '@') == uri.n)
            hop->port = 5061;
    }
    return true;
}

static bool read_listen(const struct probe_options *o, enum probe_end end, uint16_t port,
                        struct endpoint *at, struct err *err)
{
    struct hop hop = {0};
    if (!hop_read(slice_of(o->listen[end]), port, &hop))
        return err_set(err, "%s is no ADDR:PORT", o->listen[end]);
    return hop_resolve(&hop, 0, at) || err_set(err, "%s: there is no such address", o->listen[end]);
}

static bool listen_callee(struct engine *e, struct err *err)
{
    struct endpoint at;
    if (!e->options->listen[PROBE_CALLEE]) {
        if (!e->net.dry)
            return err_set(err, "the callee needs an address: --listen ADDR:PORT");
        at = (struct endpoint){{4, {192, 0, 2, 2}}, 5060};
        return net_listen(&e->net, PROBE_CALLEE, &at, err);
    }
    return read_listen(e->options, PROBE_CALLEE, 5060, &at, err) &&
           net_listen(&e->net, PROBE_CALLEE, &at, err);
}

/* The caller is where the way to the first hop begins, unless it is told where. */
static bool listen_caller(struct engine *e, struct err *err)
{
    const struct endpoint *far = &e->first_hop.remote;
    struct endpoint at = {.ip = far->ip};
    const char *given = e->options->listen[PROBE_CALLER];
    if (given && !read_listen(e->options, PROBE_CALLER, 0, &at, err))
        return false;
    if (at.ip.family != far->ip.family)
        return err_set(err, "%s and %s are not of one family of addresses", given,
                       endpoint_format(far).s);
    if (!given) {
        memset(at.ip.bytes, 0, sizeof at.ip.bytes);
        e->net.ends[PROBE_CALLER].bound = at;
        at = net_local(&e->net, PROBE_CALLER, far);
        at.port = 0;
    }
    return net_listen(&e->net, PROBE_CALLER, &at, err);
}

static bool resolve_first_hop(struct engine *e, struct err *err)
{
    struct hop hop = {0};
    uint8_t family = 0;
    struct endpoint given = {0};
    if (e->options->listen[PROBE_CALLER]) {
        if (!read_listen(e->options, PROBE_CALLER, 0, &given, err))
            return false;
        family = given.ip.family;
    }
    if (!find_first_hop(e, &e->arena, &hop, err))
        return false;
    e->first_host = arena_copy(&e->arena, hop.host);
    e->first_hop.transport = hop.transport;
    e->first_hop.host = e->options->tls.name ? slice_of(e->options->tls.name) : e->first_host;
    if (hop_resolve(&hop, family, &e->first_hop.remote))
        return true;
    if (e->net.dry) {
        e->first_hop.remote = (struct endpoint){{4, {192, 0, 2, 1}}, hop.port};
        return true;
    }
    return err_set(err, "%.*s: there is no%s address of this name", SLICE_ARG(hop.host),
                   family == 6   ? " IPv6"
                   : family == 4 ? " IPv4"
                                 : "");
}

static bool set_up(struct engine *e, struct err *err)
{
    const struct probe_options *o = e->options;
    if (o->tls.cert || o->tls.ca || o->tls.ask_client || o->transport == PROBE_TLS) {
        e->net.tls = tls_new(&o->tls, err);
        if (!e->net.tls)
            return false;
    }
    if (e->play[PROBE_CALLEE] && !listen_callee(e, err))
        return false;
    if (!e->play[PROBE_CALLER])
        return true;
    if (!resolve_first_hop(e, err) || !listen_caller(e, err))
        return false;
    e->first_hop.local = net_local(&e->net, PROBE_CALLER, &e->first_hop.remote);
    return true;
}

/* ---- calls
 * ------------------------------------------------------------------------------------------- */

static bool is_completed(const struct call *call)
{
    for (size_t i = 0; i < call->plan->step_count; i++) {
        const struct probe_outcome *o = &call->outcomes[i];
        bool request = !call->plan->steps[i].status && o->status;
        if (o->fate != PROBE_DONE || (request && o->status >= 300))
            return false;
    }
    return true;
}

static bool is_ended(const struct call *call)
{
    for (size_t i = 0; i < PROBE_ENDS; i++) {
        const struct dialog *d = &call->sides[i].dialog;
        if (d->unended || (d->confirmed && !d->over))
            return false;
    }
    return true;
}

static void hand_out(struct engine *e, struct call *call)
{
    struct probe_call_result result = {.call = call->number,
                                       .plan = call->plan,
                                       .outcomes = call->outcomes,
                                       .completed = is_completed(call),
                                       .ended = is_ended(call)};
    e->run->calls_ended++;
    if (e->options->watch.ended)
        e->options->watch.ended(e->options->watch.context, &result, &e->run->log);
    if (e->play[PROBE_CALLER])
        *vec_add(&e->run->results) = result;
    else
        free(result.outcomes);
    call_free(e, call);
}

static void end_calls(struct engine *e)
{
    size_t kept = 0, count = e->calls.n;
    for (size_t i = 0; i < count; i++) {
        struct call *call = e->calls.items[i];
        call_advance(e, call);
        if (call->phase != CALL_OVER) {
            e->calls.items[kept++] = call;
            continue;
        }
        hand_out(e, call);
        e->pause_until_ms = e->now_ms + (e->net.dry ? 0 : e->options->pause_ms);
    }
    e->calls.n = kept;
    if (kept == 0 && !e->play[PROBE_CALLER])
        log_clear(&e->run->log);
}

/* The far side may ask again for an answer that was lost. */
static int64_t linger_until(const struct engine *e)
{
    int64_t until = 0;
    bool alone = !e->play[PROBE_CALLER] || !e->play[PROBE_CALLEE];
    for (size_t i = 0; i < e->transactions.n && alone; i++) {
        const struct transaction *t = e->transactions.items[i];
        if (!t->client && t->answered && t->label.call != PROBE_NONE &&
            t->answered_ms + LINGER_MS > until)
            until = t->answered_ms + LINGER_MS;
    }
    return until;
}

static bool has_next(const struct engine *e)
{
    return e->play[PROBE_CALLER] && !e->stopping && e->calls_begun < e->plan->call_count;
}

/* Whoever watches may have seen enough. */
static bool goes_on(struct engine *e)
{
    const struct probe_watch *w = &e->options->watch;
    bool on = !e->calls_begun || !w->goes_on || w->goes_on(w->context);
    e->stopping |= !on;
    return on;
}

static void begin_next(struct engine *e)
{
    if (has_next(e) && !e->calls.n && e->now_ms >= e->pause_until_ms && goes_on(e))
        (void)call_begin(e, &e->plan->calls[e->calls_begun]);
}

static bool is_finished(const struct engine *e)
{
    const struct probe_options *o = e->options;
    if (e->calls.n || has_next(e))
        return false;
    if (!e->play[PROBE_CALLER] && !e->stopping && (!o->calls || e->run->calls_ended < o->calls))
        return false;
    if (e->net.dry)
        return !net_sending(&e->net);
    return e->now_ms >= linger_until(e);
}

/* ---- the loop
 * ------------------------------------------------------------------------------------------ */

static void heed_stop(struct engine *e)
{
    bool wish = e->options->stop && *e->options->stop;
    bool late = e->run_end_ms && e->now_ms >= e->run_end_ms;
    if (e->stopping || (!wish && !late))
        return;
    e->stopping = true;
    e->run->stopped = wish;
    e->run->out_of_time = !wish;
    for (size_t i = 0; i < e->calls.n; i++)
        if (e->calls.items[i]->phase == CALL_STEPS)
            call_stop(e, e->calls.items[i], PROBE_STOPPED);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wait_ms(struct engine *e)
{
    int64_t due = e->now_ms + machines_due_ms(e->machines);
    due = earlier(due, transactions_due_ms(e));
    due = earlier(due, net_due_ms(&e->net));
    for (size_t i = 0; i < e->calls.n; i++)
        due = earlier(due, call_due_ms(e, e->calls.items[i]));
    if (e->run_end_ms && !e->stopping)
        due = earlier(due, e->run_end_ms);
    if (has_next(e) && !e->calls.n)
        due = earlier(due, e->pause_until_ms);
    if (e->options->watch.idle)
        due = earlier(due, e->now_ms + PROBE_IDLE_MS);
    int64_t linger = linger_until(e);
    if (!e->calls.n && linger > e->now_ms)
        due = earlier(due, linger);
    return due > e->now_ms ? due - e->now_ms : 0;
}

static void idle(struct engine *e)
{
    if (e->options->watch.idle)
        e->options->watch.idle(e->options->watch.context);
}

bool engine_turn(struct engine *e)
{
    heed_stop(e);
    transactions_tick(e);
    begin_next(e);
    end_calls(e);
    return !is_finished(e);
}

static void loop(struct engine *e, const sigset_t *mask)
{
    e->now_ms = clock_ms();
    while (engine_turn(e)) {
        idle(e);
        e->now_ms = clock_ms();
        net_wait(&e->net, wait_ms(e), mask);
        e->now_ms = clock_ms();
    }
}

/* Signals come while it waits, and only then: none is missed between a look at the flag and the
 * waiting. */
static void run_unsignalled(struct engine *e)
{
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    if (!e->options->stop || sigprocmask(SIG_BLOCK, &ours, &before) != 0) {
        loop(e, NULL);
        return;
    }
    loop(e, &before);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

void engine_close(struct engine *e)
{
    while (e->calls.n) {
        struct call *call = e->calls.items[--e->calls.n];
        free(call->outcomes);
        call_free(e, call);
    }
    for (size_t i = 0; i < e->transactions.n; i++)
        transaction_free(e->transactions.items[i]);
    vec_free(&e->transactions);
    vec_free(&e->calls);
    net_close(&e->net);
    machines_free(e->machines);
    sip_scanner_free(e->scanner);
    arena_free(&e->arena);
    arena_free(&e->scratch);
}

bool engine_open(struct engine *e, struct probe_run *run, const struct probe_plan *plan,
                 const struct probe_options *options, struct err *err)
{
    *run = (struct probe_run){0};
    *e = (struct engine){.plan = plan,
                         .options = options,
                         .run = run,
                         .chance = chance_new(options->seed),
                         .scanner = sip_scanner_new(),
                         .machines = machines_new(&transaction_user),
                         .step_limit_ms = options->step_ms ? options->step_ms : STEP_LIMIT_MS,
                         .now_ms = clock_ms()};
    for (size_t i = 0; i < PROBE_ENDS; i++)
        e->play[i] = options->play[i] || options->dry;
    e->run_end_ms = options->run_ms ? e->now_ms + options->run_ms : 0;
    net_open(&e->net, options, &run->log.counts, receive, e);
    return set_up(e, err);
}

bool probe_run(struct probe_run *run, const struct probe_plan *plan,
               const struct probe_options *options, struct err *err)
{
    struct engine e;
    bool ok = engine_open(&e, run, plan, options, err);
    if (ok)
        run_unsignalled(&e);
    engine_close(&e);
    return ok;
}

void probe_run_free(struct probe_run *run)
{
    for (size_t i = 0; i < run->results.n; i++)
        free(run->results.items[i].outcomes);
    vec_free(&run->results);
    probe_log_free(&run->log);
}

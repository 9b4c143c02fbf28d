/* Outcomes in words. */
#include "probe/internal.h"

#include <string.h>

const char *probe_transport_name(enum probe_transport t)
{
    static const char *const names[] = {"UDP", "TCP", "TLS"};
    return names[t];
}

const char *probe_fate_name(enum probe_fate fate)
{
    static const char *const names[] = {
        [PROBE_NOT_REACHED] = "not-reached", [PROBE_DONE] = "done",
        [PROBE_NO_ANSWER] = "no-answer",     [PROBE_ICMP] = "icmp",
        [PROBE_NO_ROUTE] = "no-route",       [PROBE_REFUSED] = "refused",
        [PROBE_TLS_FAILED] = "tls-failed",   [PROBE_UNRESOLVED] = "unresolved",
        [PROBE_UNOPENED] = "unopened",       [PROBE_STOPPED] = "stopped",
    };
    return names[fate];
}

/* How often the request of the step was sent, and where to. */
static void add_sending(struct text *out, const struct probe_log *log,
                        const struct probe_call_result *result, size_t step)
{
    const struct probe_outcome *o = &result->outcomes[step];
    struct slice method = result->plan->steps[step].method;
    unsigned times = 0;
    for (size_t i = 0; i < log->entries.n; i++) {
        const struct probe_entry *e = &log->entries.items[i];
        times += e->kind == PROBE_SENT && e->call == result->call && e->step == step &&
                 slice_starts(e->bytes, method) && e->end == result->plan->steps[step].from;
    }
    if (!o->next_hop.ip.family)
        return;
    if (times == 0)
        text_add(out, SLICE("; it was to go"));
    else
        text_printf(out, times == 1 ? "; sent once" : "; sent %u times", times);
    text_printf(out, " to %s over %s", endpoint_format(&o->next_hop).s,
                probe_transport_name(o->transport));
}

/* Not finer than need be: what the host's load adds does not make two sentences of one. */
static void add_seconds(struct text *out, const struct probe_outcome *o)
{
    enum { WHOLE_FROM_MS = 3000, EARLY_MS = 50 }; /* two clocks: one may be a little behind */
    int64_t ms = (o->ended_ns - o->began_ns) / 1000000 + EARLY_MS;
    if (!o->began_ns || ms < 0)
        return;
    text_printf(out, " within %lld", (long long)(ms / 1000));
    if (ms < WHOLE_FROM_MS)
        text_printf(out, ".%lld", (long long)(ms % 1000 / 100));
    text_add(out, SLICE(" s"));
}

static void add_detail(struct text *out, struct slice detail)
{
    if (!detail.n)
        return;
    text_add(out, SLICE(": "));
    text_add_terminal(out, detail);
}

static void add_final(struct text *out, const struct probe_log *log, const struct probe_outcome *o)
{
    if (!o->status) {
        text_add(out, SLICE("done"));
        return;
    }
    text_printf(out, "%u", o->status);
    if (o->answer == PROBE_NONE || o->answer >= log->entries.n)
        return;
    struct slice line = log->entries.items[o->answer].bytes;
    line = slice_first(line, slice_find(line, '\r'));
    struct slice reason = slice_from(line, 12);
    if (reason.n) {
        text_add_char(out, ' ');
        text_add_fitted(out, reason, 60);
    }
}

static void add_error(struct text *out, const char *what, const struct probe_outcome *o)
{
    text_add(out, slice_of(what));
    if (o->error)
        text_printf(out, ": %s", strerror(o->error));
}

void probe_outcome_text(struct text *out, const struct probe_log *log,
                        const struct probe_call_result *result, size_t step)
{
    static const char *const failures[] = {
        [PROBE_NO_ROUTE] = "it could not be sent",
        [PROBE_REFUSED] = "there is no connection",
        [PROBE_TLS_FAILED] = "there is no TLS connection",
    };
    const struct probe_outcome *o = &result->outcomes[step];
    bool request = !result->plan->steps[step].status;
    switch (o->fate) {
    case PROBE_NOT_REACHED:
        text_add(out, SLICE("not reached"));
        break;
    case PROBE_DONE:
        add_final(out, log, o);
        break;
    case PROBE_NO_ANSWER:
        text_add(out, !o->next_hop.ip.family ? SLICE("nothing came") : SLICE("no answer"));
        add_seconds(out, o);
        break;
    case PROBE_ICMP:
        text_printf(out, "an ICMP error from %s", address_format(&o->peer.ip).s);
        add_error(out, "", o);
        break;
    case PROBE_NO_ROUTE:
    case PROBE_REFUSED:
    case PROBE_TLS_FAILED:
        add_error(out, failures[o->fate], o);
        break;
    case PROBE_UNRESOLVED:
        text_add(out, SLICE("the next hop has no address"));
        break;
    case PROBE_UNOPENED:
        text_add(out, request ? SLICE("there was nothing to acknowledge")
                              : SLICE("the request did not arrive"));
        break;
    case PROBE_STOPPED:
        text_add(out, SLICE("stopped"));
        break;
    }
    add_detail(out, o->detail);
    if (request && o->fate != PROBE_DONE)
        add_sending(out, log, result, step);
    if (request && o->fate == PROBE_NO_ANSWER && o->status)
        text_printf(out, "; the last word was %u %.*s", o->status, SLICE_ARG(reason_of(o->status)));
}

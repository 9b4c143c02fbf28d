/* Timers and states of transactions (RFC 3261 section 17), by libosip2's machines.  What they get
 * is a stand-in of each message, which says no more than its kind and status: they never see the
 * bytes of the wire, and the bytes that they would send are thrown away for ours. */
#include "probe/internal.h"

#include <osip2/osip.h>
#include <osipparser2/osip_message.h>
#include <stdio.h>
#include <string.h>

struct machines {
    osip_t *osip;
    const struct machine_user *user;
};

struct machine {
    struct machines *machines;
    osip_transaction_t *osip;
    enum machine_kind kind;
    bool reliable;
    void *owner;
    bool ended, first; /* first: the last response was new to it */
};

static struct machine *machine_of(osip_transaction_t *t)
{
    return osip_transaction_get_reserved1(t);
}

/* ---- what the machines say ---------------------------------------------------------------------
 */

static int on_send(osip_transaction_t *t, osip_message_t *m, char *host, int port, int socket)
{
    (void)host, (void)port, (void)socket;
    struct machine *machine = machine_of(t);
    enum machine_sends what = MSG_IS_RESPONSE(m) ? MACHINE_RESPONSE
                              : MSG_IS_ACK(m)    ? MACHINE_ACK
                                                 : MACHINE_REQUEST;
    machine->machines->user->send(machine->owner, what);
    return 0; /* a failure is the owner's affair */
}

static void on_timeout(int type, osip_transaction_t *t, osip_message_t *m)
{
    (void)type, (void)m;
    struct machine *machine = machine_of(t);
    machine->machines->user->timed_out(machine->owner);
}

static void on_response(int type, osip_transaction_t *t, osip_message_t *m)
{
    (void)type, (void)m;
    machine_of(t)->first = true;
}

static void on_end(int type, osip_transaction_t *t)
{
    (void)type;
    struct machine *machine = machine_of(t);
    machine->ended = true;
    machine->machines->user->ended(machine->owner);
}

struct machines *machines_new(const struct machine_user *user)
{
    static const int responses[] = {
        OSIP_ICT_STATUS_1XX_RECEIVED,  OSIP_ICT_STATUS_2XX_RECEIVED,  OSIP_ICT_STATUS_3XX_RECEIVED,
        OSIP_ICT_STATUS_4XX_RECEIVED,  OSIP_ICT_STATUS_5XX_RECEIVED,  OSIP_ICT_STATUS_6XX_RECEIVED,
        OSIP_NICT_STATUS_1XX_RECEIVED, OSIP_NICT_STATUS_2XX_RECEIVED, OSIP_NICT_STATUS_3XX_RECEIVED,
        OSIP_NICT_STATUS_4XX_RECEIVED, OSIP_NICT_STATUS_5XX_RECEIVED, OSIP_NICT_STATUS_6XX_RECEIVED,
    };
    struct machines *m = base_alloc(sizeof *m);
    m->user = user;
    if (osip_init(&m->osip) != 0)
        base_oom();
    osip_set_cb_send_message(m->osip, on_send);
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++)
        osip_set_message_callback(m->osip, responses[i], on_response);
    osip_set_message_callback(m->osip, OSIP_ICT_STATUS_TIMEOUT, on_timeout);
    osip_set_message_callback(m->osip, OSIP_NICT_STATUS_TIMEOUT, on_timeout);
    for (int i = 0; i < OSIP_KILL_CALLBACK_COUNT; i++)
        osip_set_kill_transaction_callback(m->osip, i, on_end);
    return m;
}

void machines_free(struct machines *m)
{
    if (m)
        osip_release(m->osip);
    free(m);
}

/* ---- stand-ins ---------------------------------------------------------------------------------
 */

static bool is_invite(const struct machine *t)
{
    return t->kind == MACHINE_INVITE_CLIENT || t->kind == MACHINE_INVITE_SERVER;
}

/* An event with a message of this start line; the rest is the same for all. */
static osip_event_t *stand_in(const struct machine *t, const char *start, const char *method)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "%s\r\nVia: SIP/2.0/%s probe.invalid:5060;branch=z9hG4bK1\r\n"
                     "From: <sip:a@probe.invalid>;tag=1\r\nTo: <sip:b@probe.invalid>;tag=2\r\n"
                     "Call-ID: 1\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                     start, t->reliable ? "TCP" : "UDP", method);
    osip_event_t *event = osip_parse(text, (size_t)n);
    if (!event)
        base_oom();
    return event;
}

static osip_event_t *request_event(const struct machine *t, const char *method)
{
    char start[64];
    (void)snprintf(start, sizeof start, "%s sip:b@probe.invalid SIP/2.0", method);
    return stand_in(t, start, method);
}

static osip_event_t *response_event(const struct machine *t, unsigned status)
{
    char start[64];
    (void)snprintf(start, sizeof start, "SIP/2.0 %u x", status);
    return stand_in(t, start, is_invite(t) ? "INVITE" : "OPTIONS");
}

/* What came in as an event becomes one of a message that goes out. */
static osip_event_t *outgoing(osip_event_t *event)
{
    osip_event_t *out = osip_new_outgoing_sipmessage(event->sip);
    if (!out)
        base_oom();
    osip_free(event);
    return out;
}

/* ---- transactions ------------------------------------------------------------------------------
 */

struct machine *machine_new(struct machines *m, enum machine_kind kind, bool reliable, void *owner)
{
    static const osip_fsm_type_t types[] = {
        [MACHINE_INVITE_CLIENT] = ICT,
        [MACHINE_CLIENT] = NICT,
        [MACHINE_INVITE_SERVER] = IST,
        [MACHINE_SERVER] = NIST,
    };
    struct machine *t = base_alloc(sizeof *t);
    *t = (struct machine){.machines = m, .kind = kind, .reliable = reliable, .owner = owner};
    osip_event_t *event = request_event(t, is_invite(t) ? "INVITE" : "OPTIONS");
    if (osip_transaction_init(&t->osip, types[kind], m->osip, event->sip) != 0)
        base_oom();
    osip_transaction_set_reserved1(t->osip, t);
    osip_event_free(event);
    return t;
}

void machine_free(struct machine *t)
{
    if (!t)
        return;
    osip_remove_transaction(t->machines->osip, t->osip);
    osip_transaction_free2(t->osip);
    free(t);
}

void machine_start(struct machine *t)
{
    osip_event_t *event = request_event(t, is_invite(t) ? "INVITE" : "OPTIONS");
    bool client = t->kind == MACHINE_INVITE_CLIENT || t->kind == MACHINE_CLIENT;
    osip_transaction_execute(t->osip, client ? outgoing(event) : event);
}

bool machine_response_came(struct machine *t, unsigned status)
{
    bool completed = t->osip->state == NICT_COMPLETED || t->osip->state == ICT_COMPLETED;
    t->first = false;
    if (!t->ended)
        osip_transaction_execute(t->osip, response_event(t, status));
    return t->first && !completed;
}

void machine_request_came(struct machine *t, bool is_ack)
{
    const char *method = is_ack ? "ACK" : is_invite(t) ? "INVITE" : "OPTIONS";
    if (!t->ended)
        osip_transaction_execute(t->osip, request_event(t, method));
}

void machine_respond(struct machine *t, unsigned status)
{
    if (!t->ended)
        osip_transaction_execute(t->osip, outgoing(response_event(t, status)));
}

/* ---- timers ------------------------------------------------------------------------------------
 */

#define TIMER_LEAST_MS 10

int64_t machines_due_ms(struct machines *m)
{
    struct timeval wait = {0};
    osip_timers_gettimeout(m->osip, &wait);
    if (wait.tv_sec >= 60)
        return 60000;
    /* it names timers as due that their state does not run any more: those are not spun on */
    int64_t ms = wait.tv_sec < 0 ? 0 : wait.tv_sec * INT64_C(1000) + wait.tv_usec / 1000 + 1;
    return ms < TIMER_LEAST_MS ? TIMER_LEAST_MS : ms;
}

void machines_run_timers(struct machines *m)
{
    osip_timers_ict_execute(m->osip);
    osip_timers_ist_execute(m->osip);
    osip_timers_nict_execute(m->osip);
    osip_timers_nist_execute(m->osip);
    osip_ict_execute(m->osip);
    osip_ist_execute(m->osip);
    osip_nict_execute(m->osip);
    osip_nist_execute(m->osip);
}

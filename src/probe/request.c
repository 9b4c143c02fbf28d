/* Requests that an end sends: of a step, again with credentials, CANCEL, ACK. */
#include "probe/internal.h"

#include <string.h>

static bool takes_contact(struct slice method)
{
    static const char *const methods[] = {"INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (slice_is(method, methods[i]))
            return true;
    return false;
}

static struct slice kept(struct arena *a, struct slice s)
{
    return s.n ? arena_copy(a, s) : SLICE("");
}

/* What the draft borrows of a call becomes the transaction's own: it may outlive the call. */
static void keep_draft(struct transaction *t)
{
    struct draft *d = &t->draft;
    struct slice *routes = ARENA_ARRAY(&t->arena, struct slice, d->route_count + 1);
    for (size_t i = 0; i < d->route_count; i++)
        routes[i] = kept(&t->arena, d->routes[i]);
    d->routes = routes;
    d->uri = kept(&t->arena, d->uri);
    d->from = kept(&t->arena, d->from);
    d->to = kept(&t->arena, d->to);
    d->call_id = kept(&t->arena, d->call_id);
    d->contact = kept(&t->arena, d->contact);
    t->path.host = kept(&t->arena, t->path.host);
    d->method = t->method;
}

/* The first request of a call has no dialog yet (RFC 3261 8.1.1). */
static bool draft_first(struct engine *e, struct call *call, struct draft *d, struct path *path,
                        struct slice *why)
{
    const struct probe_options *o = e->options;
    struct dialog *dialog = &call->sides[PROBE_CALLER].dialog;
    if (!e->first_hop.remote.ip.family) {
        *why = SLICE("there is no next hop");
        return false;
    }
    struct slice *routes = ARENA_ARRAY(&call->arena, struct slice, o->route_count + 1);
    for (size_t i = 0; i < o->route_count; i++)
        routes[i] = ARENA_JOIN(&call->arena, SLICE("<"), slice_of(o->routes[i]), SLICE(">"));
    d->routes = routes;
    d->route_count = o->route_count;
    d->uri = call->to;
    d->from = dialog->local;
    d->to = dialog->remote;
    d->call_id = dialog->call_id;
    *path = e->first_hop;
    return true;
}

static void finish_draft(struct engine *e, struct call *call, struct transaction *t, uint32_t step)
{
    struct draft *d = &t->draft;
    struct side *side = &call->sides[t->end];
    d->cseq = ++side->dialog.local_cseq;
    d->agent = engine_agent(e, t->end);
    d->step = step == PROBE_NONE ? NULL : &call->plan->steps[step];
    if (takes_contact(t->method))
        d->contact = side->contact = compose_contact(&call->arena,
                                                     e->plan->parties[t->end].contact_user.n
                                                         ? e->plan->parties[t->end].contact_user
                                                         : SLICE("sipxray"),
                                                     &t->path);
    if (t->invite)
        d->body = compose_sdp(&t->arena, &t->path.local, call->token);
    keep_draft(t);
}

/* Its bytes, under a new branch; then it is the machine's. */
static void launch(struct transaction *t)
{
    struct engine *e = t->engine;
    t->draft.via = compose_via(e, t->end, &t->path, &t->arena, &t->branch);
    t->request = compose_request(&t->arena, &t->draft);
    t->cseq = t->draft.cseq;
    if (t->call) {
        struct side *side = &t->call->sides[t->end];
        if (t->invite) {
            side->dialog.invite_cseq = t->cseq;
            side->latest_invite = t->id;
            if (!side->dialog.confirmed)
                side->invite = t->id;
        }
        if (t->label.step != PROBE_NONE)
            t->call->sent_by[t->label.step] = t->id;
        else if (slice_is(t->method, "BYE"))
            side->bye = t->id;
    }
    transaction_start(t);
}

struct transaction *request_send(struct engine *e, struct call *call, enum probe_end end,
                                 uint32_t step, struct slice method, struct slice *why)
{
    struct dialog *dialog = &call->sides[end].dialog;
    struct draft draft = {0};
    struct path path;
    bool first = !dialog->confirmed;
    bool way = first ? draft_first(e, call, &draft, &path, why)
                     : dialog_request(e, end, dialog, &call->arena, &draft, &path, why);
    if (!way)
        return NULL;
    struct transaction *t = transaction_new(e, true, end, method);
    t->call = call;
    t->label.call = call->number;
    t->label.step = step;
    t->draft = draft;
    t->path = path;
    finish_draft(e, call, t, step);
    launch(t);
    return t;
}

void request_again(struct transaction *old, struct slice uri, const struct path *path)
{
    struct engine *e = old->engine;
    struct transaction *t = transaction_new(e, true, old->end, old->method);
    t->call = old->call;
    t->label.call = old->label.call;
    t->label.step = old->label.step;
    t->draft = old->draft;
    t->draft.body = kept(&t->arena, old->draft.body);
    t->draft.uri = uri;
    t->path = *path;
    t->challenges = old->challenges;
    t->redirects = old->redirects;
    t->detail = kept(&t->arena, old->detail);
    t->draft.cseq = old->call ? ++old->call->sides[old->end].dialog.local_cseq : old->cseq + 1;
    keep_draft(t);
    t->challenged[0] = kept(&t->arena, old->challenged[0]);
    t->challenged[1] = kept(&t->arena, old->challenged[1]);
    bool both = t->challenged[0].n && t->challenged[1].n;
    t->authorization =
        ARENA_JOIN(&t->arena, t->challenged[0], both ? SLICE("\r\n") : SLICE(""), t->challenged[1]);
    t->draft.authorization = t->authorization;
    launch(t);
}

void request_cancel(struct transaction *invite)
{
    struct engine *e = invite->engine;
    struct transaction *t = transaction_new(e, true, invite->end, SLICE("CANCEL"));
    invite->cancelled = true;
    t->call = invite->call;
    t->label.call = invite->label.call;
    t->path = invite->path;
    t->draft = invite->draft;
    t->draft.step = NULL;
    t->draft.contact = t->draft.body = SLICE("");
    keep_draft(t);
    t->draft.via = kept(&t->arena, invite->draft.via);
    t->branch = kept(&t->arena, invite->branch); /* the same (RFC 3261 9.1) */
    t->draft.cseq = t->cseq = invite->cseq;
    t->request = compose_hop(&t->arena, &t->draft, SLICE("CANCEL"), SLICE(""));
    transaction_start(t);
}

/* ---- ACK to a 2xx: a request of its own, without a transaction (RFC 3261 13.2.2.4)
 * ---------------- */

static bool make_ack(struct engine *e, const struct transaction *invite, const struct dialog *d,
                     struct arena *a, const struct probe_step *step, struct slice *bytes,
                     struct path *path)
{
    struct draft draft = {0};
    struct slice why, branch;
    if (!dialog_request(e, invite->end, d, a, &draft, path, &why)) {
        engine_event(e, invite->end, &invite->path, invite->label.call, why);
        return false;
    }
    draft.method = SLICE("ACK");
    draft.cseq = invite->cseq;
    draft.agent = engine_agent(e, invite->end);
    draft.authorization = invite->authorization;
    draft.step = step;
    draft.via = compose_via(e, invite->end, path, a, &branch);
    *bytes = compose_request(a, &draft);
    return true;
}

void request_ack(struct transaction *invite, uint32_t step)
{
    struct engine *e = invite->engine;
    struct call *call = invite->call;
    struct dialog *d = &call->sides[invite->end].dialog;
    const struct probe_step *s = step == PROBE_NONE ? NULL : &call->plan->steps[step];
    if (!make_ack(e, invite, d, &call->arena, s, &d->ack, &d->ack_path))
        return;
    d->ack_label = (struct label){call->number, step, PROBE_NONE, false};
    net_send(&e->net, invite->end, &d->ack_path, d->ack, &d->ack_label);
}

void request_ack_again(struct engine *e, struct call *call, enum probe_end end)
{
    struct dialog *d = &call->sides[end].dialog;
    d->ack_label.again = true;
    net_send(&e->net, end, &d->ack_path, d->ack, &d->ack_label);
}

static bool is_known_extra(const struct transaction *invite, struct slice tag)
{
    for (size_t i = 0; i < invite->extra_count; i++)
        if (slice_equal(invite->extras[i], tag))
            return true;
    return false;
}

void request_end_extra(struct transaction *invite, const struct sip_message *m)
{
    struct engine *e = invite->engine;
    struct arena *a = &invite->arena;
    struct dialog d = {.confirmed = true,
                       .call_id = invite->draft.call_id,
                       .local = invite->draft.from,
                       .target = invite->draft.uri,
                       .local_cseq = invite->cseq};
    struct slice bytes;
    struct path path;
    dialog_learn(a, &d, m, true);
    bool known = is_known_extra(invite, d.remote_tag);
    if (!known && invite->extra_count == PROBE_EXTRA_MAX)
        return;
    struct label label = {invite->label.call, PROBE_NONE, PROBE_NONE, known};
    if (!make_ack(e, invite, &d, a, NULL, &bytes, &path))
        return;
    net_send(&e->net, invite->end, &path, bytes, &label);
    if (known)
        return;
    invite->extras[invite->extra_count++] = d.remote_tag;
    e->run->log.counts.forks++;
    struct transaction *t = transaction_new(e, true, invite->end, SLICE("BYE"));
    struct slice why;
    t->label.call = invite->label.call;
    (void)dialog_request(e, invite->end, &d, a, &t->draft, &t->path, &why);
    t->draft.cseq = d.local_cseq + 1;
    t->draft.agent = engine_agent(e, invite->end);
    keep_draft(t);
    launch(t);
}

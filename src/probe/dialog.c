/* Dialogs: who and where the other side is, and the way there (RFC 3261 12). */
#include "probe/internal.h"

#define ROUTES_MAX 64u /* of one dialog; more than any path has */

struct slice message_header(struct arena *a, const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(m, id);
    return h ? sip_unfold(a, h) : SLICE("");
}

struct slice message_tag(struct arena *a, const struct sip_message *m, enum sip_header_id id)
{
    struct slice tag = SLICE("");
    struct slice value = message_header(a, m, id);
    return sip_param(value, SLICE("tag"), &tag) ? arena_copy(a, tag) : SLICE("");
}

/* The values of all Record-Route headers, in order. */
static void learn_routes(struct arena *a, struct dialog *d, const struct sip_message *m)
{
    d->routes = ARENA_ARRAY(a, struct slice, ROUTES_MAX);
    d->route_count = 0;
    for (uint32_t i = 0; i < m->header_count; i++) {
        if (m->headers[i].id != SIP_HEADER_RECORD_ROUTE)
            continue;
        struct slice rest = sip_unfold(a, &m->headers[i]), element;
        while (d->route_count < ROUTES_MAX && sip_list_next(&rest, &element))
            d->routes[d->route_count++] = arena_copy(a, element);
    }
}

static void reverse_routes(struct dialog *d)
{
    for (size_t i = 0; i < d->route_count / 2; i++) {
        struct slice swap = d->routes[i];
        d->routes[i] = d->routes[d->route_count - 1 - i];
        d->routes[d->route_count - 1 - i] = swap;
    }
}

void dialog_learn(struct arena *a, struct dialog *d, const struct sip_message *m, bool routes)
{
    bool caller = m->kind == SIP_RESPONSE;
    enum sip_header_id remote = caller ? SIP_HEADER_TO : SIP_HEADER_FROM;
    const struct sip_header *contact = sip_header_first(m, SIP_HEADER_CONTACT);
    if (contact) {
        struct slice uri = uri_of(sip_unfold(a, contact));
        if (uri.n && uri.p[0] != '*')
            d->target = arena_copy(a, uri);
    }
    if (!routes)
        return;
    d->remote_tag = message_tag(a, m, remote);
    d->remote = arena_copy(a, message_header(a, m, remote));
    learn_routes(a, d, m);
    if (caller)
        reverse_routes(d);
}

/* RFC 3261 12.2.1.1: a strict router, which is known by its missing `lr`, gets its own URI as
 * Request-URI, and the target goes last. */
static void route_strictly(struct arena *a, const struct dialog *d, struct draft *draft)
{
    struct slice *routes = ARENA_ARRAY(a, struct slice, d->route_count);
    for (size_t i = 1; i < d->route_count; i++)
        routes[i - 1] = d->routes[i];
    routes[d->route_count - 1] = ARENA_JOIN(a, SLICE("<"), d->target, SLICE(">"));
    draft->uri = uri_of(d->routes[0]);
    draft->routes = routes;
}

bool dialog_request(struct engine *e, enum probe_end end, const struct dialog *d, struct arena *a,
                    struct draft *draft, struct path *path, struct slice *why)
{
    struct hop hop;
    struct slice next = d->target, ignored;
    draft->uri = d->target;
    draft->from = d->local;
    draft->to = d->remote;
    draft->call_id = d->call_id;
    draft->routes = d->routes;
    draft->route_count = d->route_count;
    if (d->route_count) {
        next = uri_of(d->routes[0]);
        if (!uri_param(next, SLICE("lr"), &ignored))
            route_strictly(a, d, draft);
    }
    if (!uri_hop(a, next, &hop)) {
        *why = ARENA_JOIN(a, SLICE("the next hop is no SIP URI: "), next);
        return false;
    }
    return engine_path(e, end, &hop, path, why);
}

bool engine_path(struct engine *e, enum probe_end end, const struct hop *hop, struct path *path,
                 struct slice *why)
{
    const char *name = e->options->tls.name;
    uint8_t family = e->net.ends[end].bound.ip.family;
    *path = (struct path){.transport = hop->transport};
    if (!hop_resolve(hop, family, &path->remote)) {
        if (!e->net.dry) {
            *why = ARENA_JOIN(&e->run->log.arena, SLICE("no IPv"),
                              family == 6 ? SLICE("6") : SLICE("4"), SLICE(" address for "),
                              hop->host);
            return false;
        }
        path->remote = (struct endpoint){{4, {192, 0, 2, 1}}, hop->port};
    }
    path->local = net_local(&e->net, end, &path->remote);
    path->host = name ? slice_of(name) : arena_copy(&e->arena, hop->host);
    if (!name && e->first_host.n && endpoint_equal(&path->remote, &e->first_hop.remote))
        path->host = e->first_host;
    return true;
}

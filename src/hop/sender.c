/* Who sent a message, and whether its first sighting shows it as it left its sender. */
#include "hop/internal.h"

#include <string.h>

/* kamailio and its relatives: "z9hG4bK", a few hex digits, '.', 32 hex digits, '.' and a number. */
bool hop_branch_is_proxy(struct slice branch)
{
    struct slice id = slice_from(branch, 7);
    size_t dot = slice_find(id, '.');
    return slice_starts(branch, SLICE("z9hG4bK")) && dot > 0 && dot <= 5 &&
           slice_find(slice_from(id, dot + 1), '.') == 32 && id.n > dot + 1 + 32 + 1;
}

bool hop_names_itself_proxy(const struct hop_sighting *s)
{
    static const char *const products[] = {"kamailio", "opensips", "openser", "ser ("};
    bool response = s->message->kind == SIP_RESPONSE;
    const struct sip_header *h =
        sip_header_first(s->message, response ? SIP_HEADER_SERVER : SIP_HEADER_USER_AGENT);
    for (size_t i = 0; h && i < sizeof products / sizeof *products; i++)
        if (slice_starts_nocase(h->value, slice_of(products[i])))
            return true;
    return false;
}

uint32_t hop_node_named(const struct hop_nodes *n, struct slice host, uint16_t port)
{
    struct endpoint e;
    return hop_host_endpoint(host, port, &e) ? hop_node_of_host(n, &e) : HOP_NODE_NONE;
}

static void set_sender(struct hop_path *p, struct arena *a, uint32_t node, const struct endpoint *e)
{
    p->journey.sender = node;
    p->journey.sender_address = arena_copy(a, slice_of(address_format(&e->ip).s));
}

static void set_before(struct hop_path *p, const struct slice *names, size_t n)
{
    p->journey.from_sender = false;
    p->journey.before = names;
    p->journey.before_count = n;
}

/* The nodes that the Via stack names, from the sender on. */
static void before_by_vias(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    const struct hop_sighting *s = p->first;
    struct slice *names = ARENA_ARRAY(a, struct slice, s->via_count);
    for (size_t i = 0; i < s->via_count; i++) {
        const struct sip_via *via = &s->vias[s->via_count - 1 - i];
        names[i] = hop_host_name(a, n, via->host, via->port);
    }
    set_before(p, names, s->via_count);
}

static void before_by_source(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    struct slice *name = ARENA_NEW(a, struct slice);
    *name = hop_node_or_address(a, n, p->first_src, &p->first->src);
    set_before(p, name, name->n > 0);
}

/* ---- requests ------------------------------------------------------------------------------- */

enum start { START_SENDER, START_RELAY, START_MADE };

/* A request with one Via comes from the element that its source address names (RFC 3261 18.2.1),
 * unless that one hides the Vias that it received, as its branch or LiveKit's tag on another
 * element's branch tell. */
static enum start start_of(const struct hop_nodes *n, const struct hop_path *p, bool livekit_tag)
{
    const struct hop_sighting *s = p->first;
    struct slice branch = s->via_count ? s->vias[0].branch : SLICE_NONE;
    if (hop_node_is_livekit(n, p->first_src) || hop_branch_is_livekit(branch))
        return START_SENDER;
    if (hop_names_itself_proxy(s))
        return livekit_tag ? START_MADE : START_SENDER;
    if (!hop_branch_is_proxy(branch) && !(livekit_tag && hop_nodes_know_livekit(n)))
        return START_SENDER;
    return livekit_tag && hop_point_on(n, p->first_src) ? START_MADE : START_RELAY;
}

/* Further Vias: the lowest is the sender's, or that of a proxy which hides those that it received.
 */
static void sender_below(struct arena *a, const struct hop_nodes *n, struct hop_path *p,
                         bool livekit_tag)
{
    const struct sip_via *lowest = &p->first->vias[p->first->via_count - 1];
    uint32_t node = hop_node_named(n, lowest->host, lowest->port);
    bool elsewhere =
        hop_names_itself_proxy(p->first) || (hop_nodes_know_livekit(n) && node != HOP_NODE_NONE);
    before_by_vias(a, n, p);
    p->journey.made_by_proxy = livekit_tag && elsewhere && !hop_node_is_livekit(n, node) &&
                               !hop_branch_is_livekit(lowest->branch);
    if (hop_branch_is_proxy(lowest->branch) && !p->journey.made_by_proxy)
        return;
    p->journey.sender = node;
    p->journey.sender_address = lowest->host;
}

static void request_sender(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    bool livekit_tag = hop_tag_is_livekit(hop_header_tag(p->first, SIP_HEADER_FROM));
    if (p->first->via_count > 1) {
        sender_below(a, n, p, livekit_tag);
        return;
    }
    enum start start = start_of(n, p, livekit_tag);
    if (start == START_RELAY) {
        before_by_source(a, n, p);
        return;
    }
    p->journey.from_sender = true;
    p->journey.made_by_proxy = start == START_MADE;
    set_sender(p, a, p->first_src, &p->first->src);
}

/* ---- responses ------------------------------------------------------------------------------ */

/* Where in the Record-Route a node stands: the topmost is nearest the response's sender (RFC
 * 3261 16.6 step 4). */
static size_t place_in_routes(const struct hop_nodes *n, const struct sip_address *routes,
                              size_t count, uint32_t node)
{
    for (size_t i = 0; i < count; i++)
        if (node != HOP_NODE_NONE && hop_node_named(n, routes[i].host, routes[i].port) == node)
            return i;
    return count;
}

static struct sip_address contact_of(struct arena *a, const struct hop_sighting *s)
{
    const struct sip_address *contacts;
    return sip_addresses(a, s->message, SIP_HEADER_CONTACT, &contacts)
               ? contacts[0]
               : (struct sip_address){.port = 0};
}

static bool is_contact_own(const struct hop_nodes *n, const struct sip_address *contact,
                           const struct endpoint *src)
{
    struct endpoint e;
    return hop_host_endpoint(contact->host, contact->port, &e) && address_equal(&e.ip, &src->ip) &&
           (e.port == src->port || !hop_is_shared(n, &src->ip));
}

static size_t add_name(struct slice *names, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(names[i], name))
            return n;
    names[n] = name;
    return n + 1;
}

/* Whom the response passed: its Contact's host, the proxies that recorded themselves, and its
 * source. */
static void before_by_routes(struct arena *a, const struct hop_nodes *n, struct hop_path *p,
                             const struct sip_address *contact, const struct sip_address *routes,
                             size_t passed)
{
    struct slice *names = ARENA_ARRAY(a, struct slice, passed + 2);
    size_t count =
        contact->host.n ? add_name(names, 0, hop_host_name(a, n, contact->host, contact->port)) : 0;
    for (size_t i = 0; i < passed; i++)
        count = add_name(names, count, hop_host_name(a, n, routes[i].host, routes[i].port));
    count = add_name(names, count, hop_node_or_address(a, n, p->first_src, &p->first->src));
    set_before(p, names, count);
}

/* A response starts where the request ended; that its source is the last element, and no proxy with
 * an uncaptured side, is told by marks, by a capture taken there, or by its Contact. */
static void response_sender(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    const struct hop_sighting *s = p->first;
    struct sip_address contact = contact_of(a, s);
    bool own = is_contact_own(n, &contact, &s->src);
    const struct sip_address *routes;
    size_t count = sip_addresses(a, s->message, SIP_HEADER_RECORD_ROUTE, &routes);
    size_t place = place_in_routes(n, routes, count, p->first_src);
    bool proxy = place < count || hop_node_forwards(n, p->first_src);
    bool ended = hop_point_on(n, p->first_src) && !(proxy && contact.host.n);
    if (hop_node_is_livekit(n, p->first_src) || ended || (own && !proxy)) {
        p->journey.from_sender = true;
        set_sender(p, a, p->first_src, &s->src);
        return;
    }
    before_by_routes(a, n, p, &contact, routes, place);
    if (contact.host.n && !own) {
        p->journey.sender = hop_node_named(n, contact.host, contact.port);
        p->journey.sender_address = contact.host;
    }
}

/* ---- by LiveKit or by the far end ----------------------------------------------------------- */

/* Its tag names LiveKit's side of the dialog: From of a request that it sends, To of a response
 * that it sends. */
static void whose(const struct hop_nodes *n, struct hop_path *p)
{
    struct hop_journey *j = &p->journey;
    bool response = j->status != 0;
    bool from = hop_tag_is_livekit(hop_header_tag(p->first, SIP_HEADER_FROM));
    bool to = hop_tag_is_livekit(hop_header_tag(p->first, SIP_HEADER_TO));
    bool starts = hop_node_is_livekit(n, j->sender), ends = hop_node_is_livekit(n, p->last_dst);
    if (j->made_by_proxy) {
        j->livekit_known = true;
    } else if (from != to) {
        j->livekit_known = true;
        j->livekit_sent = response ? to : from;
    } else if (starts != ends) {
        j->livekit_known = true;
        j->livekit_sent = starts;
    }
}

void hop_path_sender(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    p->journey.sender = HOP_NODE_NONE;
    if (p->journey.status)
        response_sender(a, n, p);
    else
        request_sender(a, n, p);
    whose(n, p);
    /* LiveKit's own request, first seen further on: its address is known from elsewhere */
    const struct sip_via *lowest =
        !p->journey.status && p->first->via_count ? &p->first->vias[p->first->via_count - 1] : NULL;
    if (p->journey.sender == HOP_NODE_NONE && lowest && hop_branch_is_livekit(lowest->branch))
        p->journey.sender = hop_node_named(n, lowest->host, lowest->port);
}

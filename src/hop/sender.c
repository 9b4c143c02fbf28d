/* Who sent a message, and whether its first sighting shows it as it left its sender. */
#include "hop/internal.h"

#include <string.h>

/* kamailio and its relatives: "z9hG4bK", four hex digits, '.', 32 hex digits, '.' and a number. */
static bool branch_is_proxy(struct slice branch)
{
    return branch.n >= 7 + 4 + 1 + 32 + 2 && slice_starts(branch, SLICE("z9hG4bK")) &&
           slice_find(slice_from(branch, 7), '.') <= 5 &&
           slice_find(slice_from(branch, 13), '.') == 32;
}

static bool names_itself_proxy(const struct hop_sighting *s)
{
    static const char *const products[] = {"kamailio", "opensips", "openser", "ser ("};
    const struct sip_header *h = sip_header_first(s->message, SIP_HEADER_USER_AGENT);
    for (size_t i = 0; h && i < sizeof products / sizeof *products; i++)
        if (slice_starts_nocase(h->value, slice_of(products[i])))
            return true;
    return false;
}

static uint32_t node_of_host(const struct hop_nodes *n, struct slice host)
{
    struct address address;
    return address_parse(host, &address) ? hop_node_of_address(n, &address) : HOP_NODE_NONE;
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
    for (size_t i = 0; i < s->via_count; i++)
        names[i] = hop_host_name(a, n, s->vias[s->via_count - 1 - i].host);
    set_before(p, names, s->via_count);
}

static void before_by_source(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    struct slice *name = ARENA_NEW(a, struct slice);
    *name = hop_node_or_address(a, n, p->first_src, &p->first->src);
    set_before(p, name, 1);
}

/* ---- requests ------------------------------------------------------------------------------------- */

enum start { START_SENDER, START_RELAY, START_MADE };

/* A request with one Via comes from the element that its source address names (RFC 3261 18.2.1), unless that one
 * hides the Vias that it received.  LiveKit's tag on another element's own branch tells that something is between. */
static enum start start_of(const struct hop_nodes *n, const struct hop_path *p, bool livekit_tag)
{
    const struct hop_sighting *s = p->first;
    if (!livekit_tag || hop_node_is_livekit(n, p->first_src) ||
        (s->via_count && hop_branch_is_livekit(s->vias[0].branch)))
        return START_SENDER;
    bool elsewhere = hop_nodes_know_livekit(n);
    bool proxy = (s->via_count && branch_is_proxy(s->vias[0].branch)) || names_itself_proxy(s);
    if (!elsewhere && !proxy)
        return START_SENDER;
    return hop_point_on(n, p->first_src) || names_itself_proxy(s) ? START_MADE : START_RELAY;
}

/* Further Vias: the lowest is the sender's. */
static void sender_below(struct arena *a, const struct hop_nodes *n, struct hop_path *p, bool livekit_tag)
{
    const struct sip_via *lowest = &p->first->vias[p->first->via_count - 1];
    p->journey.sender = node_of_host(n, lowest->host);
    p->journey.sender_address = lowest->host;
    p->journey.made_by_proxy = livekit_tag && hop_nodes_know_livekit(n) &&
                               p->journey.sender != HOP_NODE_NONE &&
                               !hop_node_is_livekit(n, p->journey.sender) &&
                               !hop_branch_is_livekit(lowest->branch);
    before_by_vias(a, n, p);
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

/* ---- responses ------------------------------------------------------------------------------------ */

static bool in_record_route(const struct hop_nodes *n, struct arena *a, const struct hop_sighting *s,
                            uint32_t node)
{
    const struct sip_address *routes;
    size_t count = sip_addresses(a, s->message, SIP_HEADER_RECORD_ROUTE, &routes);
    for (size_t i = 0; i < count; i++)
        if (node != HOP_NODE_NONE && node_of_host(n, routes[i].host) == node)
            return true;
    return false;
}

static struct slice contact_host(struct arena *a, const struct hop_sighting *s)
{
    const struct sip_address *contacts;
    return sip_addresses(a, s->message, SIP_HEADER_CONTACT, &contacts) ? contacts[0].host : SLICE_NONE;
}

/* A response starts where the request ended; that its source is the last element, and no proxy with an uncaptured
 * side, is told by marks, by a capture taken there, or by its Contact. */
static void response_sender(struct arena *a, const struct hop_nodes *n, struct hop_path *p)
{
    const struct hop_sighting *s = p->first;
    struct slice contact = contact_host(a, s);
    struct address address;
    bool own = address_parse(contact, &address) && address_equal(&address, &s->src.ip);
    bool proxy = in_record_route(n, a, s, p->first_src) || hop_node_forwards(n, p->first_src);
    if (hop_node_is_livekit(n, p->first_src) || hop_point_on(n, p->first_src) || (own && !proxy)) {
        p->journey.from_sender = true;
        set_sender(p, a, p->first_src, &s->src);
        return;
    }
    before_by_source(a, n, p);
    if (contact.n && !own) {
        p->journey.sender = node_of_host(n, contact);
        p->journey.sender_address = contact;
    }
}

/* ---- by LiveKit or by the far end ----------------------------------------------------------------- */

/* Its tag names LiveKit's side of the dialog: From of a request that it sends, To of a response that it sends. */
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
    /* LiveKit's own message, first seen further on: its address is known from elsewhere */
    if (p->journey.sender == HOP_NODE_NONE && p->first->via_count &&
        hop_branch_is_livekit(p->first->vias[p->first->via_count - 1].branch))
        p->journey.sender = node_of_host(n, p->first->vias[p->first->via_count - 1].host);
}

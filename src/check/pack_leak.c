/* The pack `leak`: what goes to a node outside, and secrets that anybody on a link can read.  What
 * the outside said itself is no secret to it. */
#include "check/pack.h"
#include "packet/packet.h"

VEC_TYPE(addresses, struct address);

struct leak {
    struct pack_run *p;
    struct arena *a;
    struct addresses known; /* private addresses that the outside named */
};

/* A message as it goes to a node outside. */
struct parting {
    struct leak *l;
    struct pack_place at;
    const struct hop_sighting *sighting;
    struct slice message, to; /* "INVITE", "carrier (203.0.113.20)" */
};

/* ---- who is outside ------------------------------------------------------------------------- */

struct check_outside check_outside_of(struct slice spec)
{
    struct check_outside out = {.name = spec};
    if (!address_parse_cidr(spec, &out.net, &out.bits))
        out.net.family = 0;
    return out;
}

/* What the user captures on is the user's. */
static bool is_users(const struct check_work *w, uint32_t node)
{
    const struct hop_nodes *n = w->call->nodes;
    return hop_node_has_point(n, node) || (node != HOP_NODE_NONE && hop_node_is_livekit(n, node));
}

/* A network may well have a node of the user's in it, too. */
static bool matches(const struct check_work *w, const struct check_outside *o,
                    const struct address *ip, uint32_t node)
{
    bool one = o->bits == (o->net.family == 4 ? 32 : 128);
    if (o->net.family)
        return address_in_cidr(ip, &o->net, o->bits) && (one || !is_users(w, node));
    return node != HOP_NODE_NONE && slice_equal(hop_node_name(w->call->nodes, node), o->name);
}

static bool is_foreign(const struct check_work *w, const struct address *ip, uint32_t node)
{
    return ip->family && !address_is_private(ip) && !is_users(w, node);
}

static bool is_outside(const struct check_work *w, const struct address *ip, uint32_t node)
{
    const struct check_options *o = w->options;
    for (size_t i = 0; i < o->outside_count; i++)
        if (matches(w, &o->outside[i], ip, node))
            return true;
    return o->outside_count == 0 && is_foreign(w, ip, node);
}

static bool to_outside(const struct check_work *w, const struct hop_sighting *s)
{
    return is_outside(w, &s->dst.ip, s->dst_node) && !is_outside(w, &s->src.ip, s->src_node);
}

static bool from_outside(const struct check_work *w, const struct hop_sighting *s)
{
    return is_outside(w, &s->src.ip, s->src_node) && !is_outside(w, &s->dst.ip, s->dst_node);
}

/* ---- what the outside knows ----------------------------------------------------------------- */

static bool is_known(const struct leak *l, const struct address *ip)
{
    for (size_t i = 0; i < l->known.n; i++)
        if (address_equal(&l->known.items[i], ip))
            return true;
    return false;
}

static void learn_text(struct leak *l, struct slice text)
{
    struct address ip;
    while (address_next(&text, &ip))
        if (address_is_private(&ip) && !is_known(l, &ip) && l->known.n < PACK_NOTES_MAX)
            *vec_add(&l->known) = ip;
}

static bool has_to_tag(const struct sip_message *m)
{
    const struct sip_header *to = sip_header_first(m, SIP_HEADER_TO);
    struct slice tag;
    return to && sip_param(to->value, SLICE("tag"), &tag);
}

/* Is this header its sender's own, and no echo of what was sent to it before (RFC 3261 8.2.6.2,
 * 12.2.1.1)? */
static bool is_own(const struct sip_message *m, const struct sip_header *h)
{
    bool response = m->kind == SIP_RESPONSE;
    switch ((enum sip_header_id)h->id) {
    case SIP_HEADER_VIA:
    case SIP_HEADER_RECORD_ROUTE:
        return !response;
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
    case SIP_HEADER_CALL_ID:
        return !response && !has_to_tag(m);
    case SIP_HEADER_ROUTE:
    case SIP_HEADER_CSEQ:
        return false;
    default:
        return true;
    }
}

static void learn_message(struct leak *l, const struct sip_message *m)
{
    for (uint32_t i = 0; i < m->header_count; i++)
        if (is_own(m, &m->headers[i]))
            learn_text(l, m->headers[i].value);
    learn_text(l, m->body);
}

static void learn(struct leak *l)
{
    const struct hop_call *call = l->p->w->call;
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++)
            if (from_outside(l->p->w, call->journeys[i].steps[k].sighting))
                learn_message(l, call->journeys[i].steps[k].sighting->message);
}

/* Did the message have this header with this value as it came from outside? */
static bool came_with(const struct parting *g, const struct sip_header *h)
{
    const struct hop_journey *j = g->at.journey;
    for (size_t i = 0; i < g->at.step; i++) {
        const struct sip_message *m = j->steps[i].sighting->message;
        const struct sip_header *was;
        for (uint32_t at = 0; from_outside(g->l->p->w, j->steps[i].sighting) &&
                              (was = sip_header_next(m, at, h->name, &at));
             at++)
            if (slice_equal(sip_unfold(g->l->a, was), sip_unfold(g->l->a, h)))
                return true;
    }
    return false;
}

/* ---- private addresses ---------------------------------------------------------------------- */

/* Not what the outside sees anyhow: whence the packet comes, itself, and what it said. */
static bool is_told(const struct parting *g, const struct address *ip, bool sdp)
{
    const struct check_work *w = g->l->p->w;
    struct endpoint e = {*ip, 0};
    bool nobody = ip->bytes[0] == 0 && !address_is_loopback(ip); /* on hold */
    return address_is_private(ip) && !nobody && !(sdp && address_is_loopback(ip)) &&
           !address_equal(ip, &g->sighting->src.ip) && !address_equal(ip, &g->sighting->dst.ip) &&
           !is_known(g->l, ip) && !is_outside(w, ip, hop_node_of_host(w->call->nodes, &e));
}

/* Those in a text, each once, as words; empty: none.  SDP of many makers names its origin by the
 * loopback address, which tells nothing. */
static struct slice told_in(const struct parting *g, struct slice text, bool sdp)
{
    struct addresses found = {0};
    struct text words = {0};
    struct address ip;
    while (address_next(&text, &ip)) {
        bool again = false;
        for (size_t i = 0; i < found.n; i++)
            again |= address_equal(&found.items[i], &ip);
        if (again || !is_told(g, &ip, sdp) || found.n == PACK_ALSO_MAX)
            continue;
        text_printf(&words, "%s%s", found.n ? ", " : "", address_format(&ip).s);
        *vec_add(&found) = ip;
    }
    struct slice list = text_keep(&words, g->l->a);
    vec_free(&found);
    return list;
}

static enum check_finding_id place_of(const struct sip_header *h)
{
    switch ((enum sip_header_id)h->id) {
    case SIP_HEADER_CONTACT:
        return FINDING_LEAK_CONTACT;
    case SIP_HEADER_VIA:
    case SIP_HEADER_RECORD_ROUTE:
        return FINDING_LEAK_VIA;
    case SIP_HEADER_CALL_ID:
        return FINDING_LEAK_CALL_ID;
    default:
        return FINDING_LEAK_VALUE;
    }
}

static void note_addresses(const struct parting *g, enum check_finding_id id, struct slice header,
                           struct slice list)
{
    if (list.n)
        pack_note(g->l->p, g->at, id, header,
                  ARENA_JOIN(g->l->a, header.n ? header : SLICE("SDP"), SLICE(" of "), g->message,
                             SLICE(" tells "), g->to, SLICE(" of private "), list));
}

/* c=, o= and the candidates of ICE (RFC 4566, 8839). */
static void look_at_sdp(const struct parting *g)
{
    static const char *const lines[] = {"c=", "o=", "a=candidate:", "a=rtcp:"};
    struct text told = {0};
    for (struct slice rest = g->sighting->message->body; rest.n;) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.n + 1);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            if (slice_starts(line, slice_of(lines[i]))) {
                text_add(&told, line);
                text_add_char(&told, ' ');
            }
    }
    note_addresses(g, FINDING_LEAK_SDP, SLICE_NONE, told_in(g, text_slice(&told), true));
    text_free(&told);
}

/* All values of a header at once: Vias stand on lines of their own. */
static struct slice all_values(const struct parting *g, const struct sip_header *h)
{
    const struct sip_message *m = g->sighting->message;
    const struct sip_header *next;
    struct text t = {0};
    for (uint32_t at = 0; (next = sip_header_next(m, at, h->name, &at)); at++) {
        text_add(&t, next->value);
        text_add_char(&t, ' ');
    }
    return text_keep(&t, g->l->a);
}

/* ---- headers -------------------------------------------------------------------------------- */

static bool is_product(const struct sip_header *h)
{
    return h->id == SIP_HEADER_USER_AGENT || h->id == SIP_HEADER_SERVER;
}

static bool is_internal(struct slice name)
{
    return slice_starts_nocase(name, SLICE("X-Internal-")) ||
           slice_starts_nocase(name, SLICE("X-Private-"));
}

static void note_header(const struct parting *g, enum check_finding_id id,
                        const struct sip_header *h, const char *what)
{
    pack_note(g->l->p, g->at, id, h->name,
              ARENA_JOIN(g->l->a, h->name, SLICE(" of "), g->message, slice_of(what), g->to,
                         SLICE(": "), pack_quote(g->l->a, h->name, sip_unfold(g->l->a, h))));
}

/* A response's Record-Route has what was added within. */
static bool may_tell(const struct sip_message *m, const struct sip_header *h)
{
    return is_own(m, h) || h->id == SIP_HEADER_RECORD_ROUTE;
}

static void look_at_header(const struct parting *g, const struct sip_header *h)
{
    bool brought = came_with(g, h);
    if (is_product(h) && h->value.n && !brought)
        note_header(g, FINDING_LEAK_PRODUCT, h, " tells the product to ");
    else if (slice_equal_nocase(h->name, SLICE("Organization")) && h->value.n && !brought)
        note_header(g, FINDING_LEAK_ORGANIZATION, h, " goes to ");
    else if (is_internal(h->name) && !brought)
        note_header(g, FINDING_LEAK_INTERNAL, h, " goes to ");
    if (!brought && !is_product(h) && !sip_is_credentials(h->name) &&
        sip_header_next(g->sighting->message, 0, h->name, NULL) == h &&
        may_tell(g->sighting->message, h))
        note_addresses(g, place_of(h), h->name, told_in(g, all_values(g, h), false));
}

/* RFC 3325 9.3: Privacy with `id` keeps the asserted identity within the trust domain. */
static void look_at_identity(const struct parting *g)
{
    const struct sip_message *m = g->sighting->message;
    const struct sip_identity *parties;
    const struct sip_header *h = sip_header_next(m, 0, SLICE("P-Asserted-Identity"), NULL);
    size_t n = sip_identities(g->l->a, m, SLICE("Remote-Party-ID"), &parties);
    if (h && (sip_privacy(g->l->a, m) & SIP_PRIVACY_ID))
        note_header(g, FINDING_LEAK_IDENTITY, h, " goes, although Privacy has id, to ");
    for (size_t i = 0; i < n; i++)
        if (parties[i].privacy.n && !slice_equal_nocase(parties[i].privacy, SLICE("off")))
            note_header(g, FINDING_LEAK_IDENTITY,
                        sip_header_next(m, 0, SLICE("Remote-Party-ID"), NULL),
                        " goes, although its privacy is not off, to ");
}

static void look_at_parting(struct leak *l, struct pack_place at)
{
    const struct hop_sighting *s = at.journey->steps[at.step].sighting;
    struct parting g = {l, at, s, pack_name_of(l->a, at.journey), SLICE_NONE};
    struct slice name = s->dst_node == HOP_NODE_NONE
                            ? SLICE_NONE
                            : hop_node_name(l->p->w->call->nodes, s->dst_node);
    struct slice ip = arena_printf(l->a, "%s", address_format(&s->dst.ip).s);
    g.to =
        !name.n || slice_equal(name, ip) ? ip : ARENA_JOIN(l->a, name, SLICE(" ("), ip, SLICE(")"));
    for (uint32_t i = 0; i < s->message->header_count; i++)
        look_at_header(&g, &s->message->headers[i]);
    look_at_sdp(&g);
    look_at_identity(&g);
}

/* ---- secrets, on any link ------------------------------------------------------------------- */

/* A key, or credentials that are no hash: who reads them can use them. */
static bool is_plain_secret(const struct sip_header *h, struct slice value)
{
    bool plain =
        slice_starts_nocase(value, SLICE("Bearer ")) || slice_starts_nocase(value, SLICE("Basic "));
    return value.n && (sip_is_secret(h->name) ||
                       (plain && (sip_is_credentials(h->name) || pack_is_custom(h->name))));
}

static void look_for_secrets(struct leak *l, struct pack_place at)
{
    const struct hop_sighting *s = at.journey->steps[at.step].sighting;
    const struct sip_message *m = s->message;
    const char *transport = packet_transport_name((enum packet_transport)s->transport);
    if (s->transport == PACKET_TLS || s->transport == PACKET_WSS || address_is_loopback(&s->dst.ip))
        return;
    for (uint32_t i = 0; i < m->header_count; i++)
        if (is_plain_secret(&m->headers[i], sip_unfold(l->a, &m->headers[i])))
            pack_note(l->p, at, FINDING_LEAK_SECRET, m->headers[i].name,
                      ARENA_JOIN(l->a, m->headers[i].name, SLICE(" of "),
                                 pack_name_of(l->a, at.journey),
                                 arena_printf(l->a, " goes from %s to %s over %s",
                                              address_format(&s->src.ip).s,
                                              address_format(&s->dst.ip).s, transport),
                                 SLICE(": anybody on the way can read the secret")));
}

/* ---- other tenants -------------------------------------------------------------------------- */

static bool has_number(const struct expect_trunk *t, struct slice value)
{
    for (size_t i = 0; i < t->numbers.n; i++)
        if (expect_number_equal(t->numbers.items[i], value))
            return true;
    return false;
}

/* The value of a fixed header; empty: the trunk has none of this name. */
static struct slice fixed_value(const struct expect_trunk *t, struct slice name)
{
    for (size_t i = 0; i < t->headers.n; i++)
        if (sip_name_equal(t->headers.pairs[i].key, name))
            return t->headers.pairs[i].value;
    return SLICE_NONE;
}

/* What of the value is another trunk's: its id, its fixed value of a header that both trunks have,
 * or a number of its own that is no party of the call. */
static const char *belongs_to(const struct check_work *w, const struct expect_trunk *other,
                              struct slice name, struct slice value)
{
    const struct call_leg *leg = call_leg_of(w->call->table, w->call->legs[0]);
    struct slice mine = fixed_value(w->trunk, name), fixed = fixed_value(other, name);
    if (other->id.n && slice_equal(value, other->id))
        return "the id";
    if (mine.n && fixed.n && !slice_equal(mine, fixed) && slice_equal(value, fixed))
        return "the fixed value";
    if (value.n >= 7 && has_number(other, value) && !has_number(w->trunk, value) &&
        !expect_number_equal(value, leg->caller) && !expect_number_equal(value, leg->callee))
        return "a number";
    return NULL;
}

static void look_for_tenants(struct leak *l, struct pack_place at)
{
    const struct check_work *w = l->p->w;
    const struct sip_message *m = pack_message(at);
    for (uint32_t i = 0; w->trunk && i < m->header_count; i++)
        for (size_t k = 0; pack_is_custom(m->headers[i].name) && k < w->options->trunks->n; k++) {
            const struct expect_trunk *other = &w->options->trunks->items[k];
            struct slice value = sip_unfold(l->a, &m->headers[i]);
            const char *what =
                other == w->trunk ? NULL : belongs_to(w, other, m->headers[i].name, value);
            if (what)
                pack_note(l->p, at, FINDING_LEAK_TENANT, m->headers[i].name,
                          ARENA_JOIN(l->a, m->headers[i].name, SLICE(" of "),
                                     pack_name_of(l->a, at.journey), SLICE(" has "), slice_of(what),
                                     SLICE(" of trunk "), other->name.n ? other->name : other->id,
                                     SLICE(", and the call came over trunk "),
                                     w->trunk->name.n ? w->trunk->name : w->trunk->id, SLICE(": "),
                                     pack_quote(l->a, m->headers[i].name, value)));
        }
}

/* ---- all of it ------------------------------------------------------------------------------ */

void pack_leak(struct pack_run *p)
{
    struct leak l = {.p = p, .a = p->w->arena};
    const struct hop_call *call = p->w->call;
    learn(&l);
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++) {
            struct pack_place at = {&call->journeys[i], k};
            if (to_outside(p->w, call->journeys[i].steps[k].sighting)) {
                p->w->summary->partings++;
                look_at_parting(&l, at);
            }
            look_for_secrets(&l, at);
            look_for_tenants(&l, at);
        }
    p->w->summary->leaks_judged = true;
    vec_free(&l.known);
}

/* A name that was misspelt, or a capture that ends before the border: nothing was tested. */
void pack_leak_end(struct check_summary *s, const struct check_options *o)
{
    struct arena a = {0};
    struct slice named = SLICE_NONE;
    if (!s->leaks_judged || s->partings)
        return;
    for (size_t i = 0; i < o->outside_count; i++)
        named = ARENA_JOIN(&a, named, i ? SLICE(", ") : SLICE(""), o->outside[i].name);
    check_find_run(s, FINDING_LEAK_UNSEEN, named.n ? CHECK_WARNING : CHECK_NOTE, NULL, SLICE_NONE,
                   ARENA_JOIN(&a, SLICE("no message went to a node outside ("),
                              named.n ? named : SLICE("a public address that is not captured on"),
                              SLICE("): of leaks, only secrets were looked for")),
                   NULL, 0);
    arena_free(&a);
}

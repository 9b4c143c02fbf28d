/* Who ended the call, where LiveKit's BYE was not seen, or came late: the far end, a transfer, a
 * proxy, another instance of LiveKit, a BYE too large to be sent. */
#include "check/cause.h"

#define UDP_MOST 1300u               /* bytes that LiveKit's SIP stack sends over UDP */
#define LATE_NS  INT64_C(2000000000) /* a BYE so much later is not one that crossed another */

/* ---- how large LiveKit's BYE would be -------------------------------------------------------- */

struct estimate {
    size_t bytes;
    size_t unknown; /* mapped headers whose value nothing tells */
    bool known;     /* enough of the dialog was seen */
};

static const struct sip_header *header_of(const struct hop_sighting *s, enum sip_header_id id)
{
    return sip_header_first(s->message, id);
}

static size_t value_size(const struct hop_sighting *s, enum sip_header_id id)
{
    const struct sip_header *h = s ? header_of(s, id) : NULL;
    return h ? h->value.n : 0;
}

static size_t routes_size(const struct hop_sighting *s)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->message->header_count; i++)
        if (s->message->headers[i].id == SIP_HEADER_RECORD_ROUTE)
            n += sizeof "Route: \r\n" - 1 + s->message->headers[i].value.n;
    return n;
}

/* A mapped header's value: as promised, else as LiveKit sent it earlier in the call. */
static bool mapped_value(const struct cause_work *c, const struct expect_pair *pair, size_t *size)
{
    const struct expect_values *v = c->w->options->values;
    const struct hop_journey *sent[] = {c->ok, c->refer};
    *size = 0;
    for (size_t i = 0; v && i < v->map.n; i++)
        if (slice_equal(v->map.pairs[i].key, pair->key)) {
            *size = v->unset[i] ? 0 : v->map.pairs[i].value.n;
            return true;
        }
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        uint32_t at;
        const struct sip_header *h =
            sent[i] ? sip_header_next(sent[i]->steps[0].sighting->message, 0, pair->value, &at)
                    : NULL;
        if (h) {
            *size = h->value.n;
            return true;
        }
    }
    if (slice_is(pair->key, "sip.callID"))
        *size = sizeof "SCL_............" - 1;
    return *size > 0;
}

/* From, To and Call-ID as in the INVITE and its 200, the route set that they made, and the mapped
 * headers; the rest is about as long in each release. */
static struct estimate estimate_bye(const struct cause_work *c)
{
    struct estimate e = {.bytes = sizeof "BYE  SIP/2.0\r\nVia: SIP/2.0/UDP 255.255.255.255:5060;"
                                         "branch=z9hG4bK.0123456789abcdef;alias\r\nCSeq: 2 BYE\r\n"
                                         "From: \r\nTo: \r\nCall-ID: \r\nMax-Forwards: 70\r\n"
                                         "Content-Length: 0\r\n\r\n" -
                                  1};
    for (size_t i = 0; i < c->w->trunk->attributes_to_headers.n; i++) {
        const struct expect_pair *pair = &c->w->trunk->attributes_to_headers.pairs[i];
        size_t size;
        if (!mapped_value(c, pair, &size))
            e.unknown++;
        else if (size)
            e.bytes += pair->value.n + sizeof ": \r\n" - 1 + size;
    }
    if (!c->invite || !c->ok)
        return e;
    size_t last = c->inbound ? c->invite->step_count - 1 : 0;
    const struct hop_sighting *invite = c->invite->steps[last].sighting;
    const struct hop_sighting *ok = c->ok->steps[c->inbound ? 0 : c->ok->step_count - 1].sighting;
    const struct hop_sighting *remote = c->inbound ? invite : ok;
    e.known = true;
    e.bytes += value_size(remote, SIP_HEADER_CONTACT) + routes_size(remote) +
               value_size(ok, SIP_HEADER_FROM) + value_size(ok, SIP_HEADER_TO) +
               value_size(ok, SIP_HEADER_CALL_ID);
    return e;
}

/* LiveKit's own UDP is seen: what it does not send there, it does not send. */
static bool is_livekit_watched(const struct cause_work *c)
{
    const struct hop_journey *j = c->inbound ? c->ok : c->invite;
    return j && j->from_sender && cause_by_livekit(j) && j->steps[0].sighting->side == SOURCE_OUT;
}

static bool is_over_udp(const struct cause_work *c)
{
    const struct hop_journey *j = c->inbound ? c->ok : c->invite;
    return j && j->steps[0].sighting->transport == PACKET_UDP;
}

static uint16_t far_answer(const struct cause_work *c)
{
    return c->far_bye && c->far_bye->answer_sighting ? c->far_bye->answer_sighting->message->status
                                                     : 0;
}

/* The far end's BYE found no dialog any more, or nobody (then a proxy says so). */
static bool is_far_refused(const struct cause_work *c)
{
    uint16_t status = far_answer(c);
    return c->far_bye && (status == 0 || (status >= 400 && status != 401 && status != 407));
}

static struct slice size_words(struct cause_work *c, const struct estimate *e)
{
    if (e->bytes > UDP_MOST)
        return arena_printf(c->arena,
                            "it would have about %zu bytes%s, and over UDP LiveKit sends "
                            "at most %u",
                            e->bytes, e->unknown ? " or more" : "", UDP_MOST);
    return arena_printf(c->arena,
                        "%zu mapped header%s of unknown length may make it longer than "
                        "the %u bytes that LiveKit sends over UDP",
                        e->unknown, e->unknown == 1 ? "" : "s", UDP_MOST);
}

/* Never certain: that no BYE left may have other reasons, and the limit can be raised. */
static void of_size(struct cause_work *c)
{
    struct estimate e = estimate_bye(c);
    bool large = e.bytes > UDP_MOST;
    if (!e.known || !is_over_udp(c) || c->refer || (!large && !e.unknown))
        return;
    if (c->far_bye && !is_far_refused(c) && !large)
        return; /* LiveKit had the call still, and hung up later or never */
    bool likely = large && is_livekit_watched(c) && (!c->far_bye || is_far_refused(c));
    struct cause *cause = cause_add(
        c, CAUSE_BYE_TOO_LARGE, likely ? CHECK_LIKELY : CHECK_POSSIBLE,
        arena_printf(c->arena, "no BYE of LiveKit's was seen; %.*s", SLICE_ARG(size_words(c, &e))));
    cause_see_first(c, cause, c->ok);
    cause_see_first(c, cause, c->far_bye);
}

/* ---- another end ----------------------------------------------------------------------------- */

/* A proxy that hides those before it, or that made the BYE itself, cannot be told from the far end
 * by its Via. */
static bool is_made_by_end(const struct cause_work *c, const struct hop_journey *j)
{
    const struct hop_sighting *s = j->steps[0].sighting;
    return s->via_count && !hop_branch_is_proxy(s->vias[s->via_count - 1].branch) &&
           !hop_names_itself_proxy(s) &&
           !(j->sender != HOP_NODE_NONE && hop_node_forwards(c->nodes, j->sender));
}

static bool is_answered_ok(const struct hop_journey *j)
{
    return j->answer_sighting && j->answer_sighting->message->status < 300;
}

/* The lowest Via is a proxy's: it may have made the BYE, and its User-Agent would say so. */
static void add_hidden_proxy(struct cause_work *c)
{
    bool named = hop_names_itself_proxy(c->far_bye->steps[0].sighting);
    struct cause *cause =
        cause_add(c, CAUSE_PROXY_BYE, named ? CHECK_LIKELY : CHECK_POSSIBLE,
                  arena_printf(c->arena, "the BYE's lowest Via is a proxy's%s",
                               named ? ", and so is its User-Agent" : ", which may have made it"));
    cause->explains = c->call->verdict != CHECK_FAIL;
    cause_see_first(c, cause, c->far_bye);
}

/* Certain where the far end's own Via is beneath all others and LiveKit, which still had the call,
 * said 200: then LiveKit had not hung up, and no proxy did. */
static void add_far_end(struct cause_work *c)
{
    bool end = is_made_by_end(c, c->far_bye), ok = is_answered_ok(c->far_bye);
    struct estimate e = estimate_bye(c);
    bool sure = end && ok && !c->transferred && (e.bytes <= UDP_MOST || !is_over_udp(c));
    struct cause *cause =
        cause_add(c, CAUSE_FAR_END,
                  sure        ? CHECK_CERTAIN
                  : end && ok ? CHECK_LIKELY
                              : CHECK_POSSIBLE,
                  arena_printf(c->arena,
                               "the BYE has LiveKit's tag in To: the far end sent it, and LiveKit "
                               "maps nothing to what it receives%s",
                               end ? "" : " (or a proxy that hides who did)"));
    cause_see_first(c, cause, c->far_bye);
    cause->explains = c->call->verdict != CHECK_FAIL;
    if (c->refer)
        cause->confidence = CHECK_POSSIBLE;
    if (!end)
        add_hidden_proxy(c);
}

static void add_transfer(struct cause_work *c)
{
    bool accepted = is_answered_ok(c->refer);
    size_t mapped = cause_mapped_on(c, c->refer);
    struct cause *cause = cause_add(
        c, CAUSE_TRANSFERRED, accepted ? CHECK_LIKELY : CHECK_POSSIBLE,
        arena_printf(c->arena,
                     "LiveKit transferred the call by REFER, which has %zu mapped "
                     "header%s%s; the BYE after it is the far end's",
                     mapped, mapped == 1 ? "" : "s", accepted ? " and was accepted" : ""));
    cause->explains = c->call->verdict != CHECK_FAIL;
    cause_see_first(c, cause, c->refer);
    cause_see_first(c, cause, c->far_bye);
}

/* Certain where it began at a host that was captured, and names its maker; what hides Vias would
 * look the same but for the User-Agent, which no proxy adds to what it passes on. */
static void add_proxy(struct cause_work *c)
{
    const struct hop_sighting *s = c->proxy_bye->steps[0].sighting;
    bool seen = c->proxy_bye->from_sender && s->side == SOURCE_OUT && hop_names_itself_proxy(s) &&
                s->via_count == 1;
    struct slice who = c->proxy_bye->sender != HOP_NODE_NONE
                           ? hop_node_name(c->nodes, c->proxy_bye->sender)
                           : SLICE("a proxy");
    struct cause *cause =
        cause_add(c, CAUSE_PROXY_BYE, seen ? CHECK_CERTAIN : CHECK_LIKELY,
                  arena_printf(c->arena,
                               "the BYE begins at %.*s, with LiveKit's tag and without LiveKit: no "
                               "map acts on it",
                               SLICE_ARG(who)));
    cause->explains = c->call->verdict != CHECK_FAIL;
    cause_see_first(c, cause, c->proxy_bye);
    cause_see_first(c, cause, c->far_bye);
}

/* ---- another instance ------------------------------------------------------------------------ */

/* At one point the refusal was seen before LiveKit's BYE: had the two crossed, LiveKit's would have
 * gone first. */
static bool came_after_answer(const struct cause_work *c)
{
    const struct call_sighting *answer = c->far_bye->answer_sighting->index;
    for (size_t i = 0; i < c->bye->step_count; i++) {
        const struct call_sighting *s = c->bye->steps[i].sighting->index;
        if (s->point == answer->point)
            return s->time_ns > answer->time_ns;
    }
    return false;
}

/* LiveKit's BYE came after the far end's, which nobody took: not two that crossed. */
static bool came_late(const struct cause_work *c)
{
    int64_t ns;
    if (!c->bye)
        return false;
    return (c->far_bye->answer_sighting && came_after_answer(c)) ||
           (cause_apart(c->far_bye, c->bye, &ns) && ns > LATE_NS);
}

/* It went to another address than those that LiveKit has in this call, before a Service or a NAT
 * too: that the INVITE went to, that the answer came from, that LiveKit's own BYE comes from. */
static bool went_elsewhere(const struct cause_work *c)
{
    const struct endpoint *to = &c->far_bye->steps[c->far_bye->step_count - 1].sighting->dst;
    uint32_t node = c->far_bye->steps[c->far_bye->step_count - 1].sighting->dst_node;
    if (!c->invite || !c->ok || !c->ok->from_sender || !c->inbound || node == HOP_NODE_NONE ||
        hop_node_forwards(c->nodes, node))
        return false;
    const struct hop_sighting *own[] = {
        c->invite->steps[c->invite->step_count - 1].sighting, c->ok->steps[0].sighting,
        c->bye && c->bye->from_sender ? c->bye->steps[0].sighting : c->ok->steps[0].sighting};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const struct endpoint *e = i == 0 ? &own[i]->dst : &own[i]->src;
        if (address_equal(&e->ip, &to->ip) ||
            (i == 0 ? own[i]->dst_node : own[i]->src_node) == node)
            return false;
    }
    return hop_node_is_livekit(c->nodes, own[1]->src_node);
}

/* Certain where another address took the BYE and said that it knows no such call. */
static void add_instance(struct cause_work *c)
{
    bool elsewhere = went_elsewhere(c), late = came_late(c);
    uint16_t status = far_answer(c);
    const struct hop_sighting *last = c->far_bye->steps[c->far_bye->step_count - 1].sighting;
    struct text t = {0};
    if (status)
        text_printf(&t, "the far end's BYE is answered %u", status);
    else
        text_printf(&t, "the far end's BYE is not answered");
    if (elsewhere)
        text_printf(&t, ", at another address than LiveKit has for this call: %.*s",
                    SLICE_ARG(hop_node_name(c->nodes, last->dst_node)));
    if (late)
        text_printf(&t, "; LiveKit's own BYE comes later, as on a media timeout");
    struct cause *cause = cause_add(c, CAUSE_WRONG_INSTANCE,
                                    elsewhere && status == 481 ? CHECK_CERTAIN
                                    : late || elsewhere        ? CHECK_LIKELY
                                                               : CHECK_POSSIBLE,
                                    text_keep(&t, c->arena));
    cause->explains = c->call->verdict != CHECK_FAIL;
    cause_see_first(c, cause, c->far_bye);
    cause_see(c, cause, c->far_bye, c->far_bye->step_count - 1);
    cause_see_first(c, cause, c->bye);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool is_promised(const struct cause_work *c)
{
    return c->w->trunk && c->w->trunk->attributes_to_headers.n;
}

static void of_far_bye(struct cause_work *c)
{
    if (is_far_refused(c) && !c->far_bye->swallowed)
        add_instance(c);
    if (c->bye)
        return;
    if (c->refer)
        add_transfer(c);
    add_far_end(c);
}

void cause_of_end(struct cause_work *c)
{
    if (!is_promised(c))
        return;
    if (c->proxy_bye && !c->bye) {
        add_proxy(c);
        return;
    }
    if (!c->bye)
        of_size(c);
    if (c->far_bye)
        of_far_bye(c);
}

/* The pack `sayna`: a Sayna configuration by its own rules, and whether it fits the calls: may the
 * source of each INVITE call, and which hook hears of it?  (SaynaAI/sayna: docs/sip_routing.md) */
#include "check/pack.h"

/* The INVITE as LiveKit receives it. */
struct arrival {
    struct pack_run *p;
    struct arena *a;
    struct pack_place at;
    const struct expect_sayna *sayna;
};

static void note(const struct arrival *v, enum check_finding_id id, struct slice header,
                 struct slice words)
{
    pack_note(v->p, v->at, id, header, words);
}

/* ---- the source ----------------------------------------------------------------------------- */

/* LiveKit compares the packet's source, behind a proxy the proxy's. */
static void look_at_source(const struct arrival *v)
{
    const struct hop_sighting *s = v->at.journey->steps[v->at.step].sighting;
    struct slice source = arena_printf(v->a, "%s", address_format(&s->src.ip).s);
    if (!expect_sayna_allows(v->sayna, &s->src.ip))
        note(v, FINDING_SAYNA_SOURCE, SLICE_NONE,
             ARENA_JOIN(v->a, SLICE("INVITE comes to LiveKit from "), source,
                        SLICE(", which is not in allowed_addresses of Sayna's configuration: the "
                              "trunk that Sayna makes refuses it")));
}

/* ---- the hook ------------------------------------------------------------------------------- */

static struct slice without_port(struct slice host)
{
    size_t n = slice_find(host, ':');
    return host.n && host.p[0] == '[' ? host : slice_first(host, n);
}

/* A URI as To has it, or a bare host with or without a port. */
static struct slice host_in(struct arena *a, struct slice value)
{
    struct sip_address address;
    bool uri = slice_find(value, '<') < value.n || slice_find(value, '@') < value.n ||
               slice_starts_nocase(value, SLICE("sip:")) ||
               slice_starts_nocase(value, SLICE("sips:"));
    if (uri)
        return sip_address_parse(a, value, &address) ? address.host : SLICE_NONE;
    return without_port(slice_trim(slice_first(value, slice_find(value, ';'))));
}

/* X-To-IP before To: a proxy in front of LiveKit tells with it what was called first. */
static struct slice called_host(const struct arrival *v, struct slice *header)
{
    const struct sip_message *m = pack_message(v->at);
    const struct sip_header *to = sip_header_first(m, SIP_HEADER_TO);
    const struct sip_header *own = sip_header_next(m, 0, SLICE("X-To-IP"), NULL);
    const struct sip_header *h = own ? own : to;
    *header = h ? h->name : SLICE_NONE;
    return h ? host_in(v->a, sip_unfold(v->a, h)) : SLICE_NONE;
}

static void look_at_hook(const struct arrival *v)
{
    struct slice header, host = called_host(v, &header);
    const struct expect_hook *hook = expect_sayna_hook(v->sayna, host);
    if (hook)
        note(v, FINDING_SAYNA_HOOK, header,
             ARENA_JOIN(v->a, header, SLICE(" of INVITE names "), host, SLICE(": the hook "),
                        hook->url, SLICE(" hears of the call ("), hook->place, SLICE(")")));
    else
        note(v, FINDING_SAYNA_NO_HOOK, header,
             ARENA_JOIN(v->a, header, SLICE(" of INVITE names "), host.n ? host : SLICE("no host"),
                        SLICE(", for which Sayna has no hook: nobody hears of the call")));
}

/* ---- the calls ------------------------------------------------------------------------------ */

static bool reaches_livekit(const struct pack_run *p, const struct hop_journey *j)
{
    return hop_node_is_livekit(p->w->call->nodes, j->steps[j->step_count - 1].sighting->dst_node);
}

/* What LiveKit sends itself comes to no trunk of Sayna's. */
void pack_sayna(struct pack_run *p)
{
    const struct hop_call *call = p->w->call;
    for (size_t i = 0; i < call->journey_count && call->direction != HOP_OUTBOUND; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (!check_is_initial_invite(j) || j->step_count == 0)
            continue;
        struct arrival v = {p, p->w->arena, {j, j->step_count - 1}, p->w->options->sayna};
        if (reaches_livekit(p, j)) {
            look_at_source(&v);
            look_at_hook(&v);
        } else {
            note(&v, FINDING_SAYNA_UNSEEN, SLICE_NONE,
                 SLICE("INVITE was not seen as LiveKit gets it: whether its source is allowed, and "
                       "which hook hears of it, the captures cannot tell"));
        }
    }
}

/* ---- the configuration ---------------------------------------------------------------------- */

void pack_sayna_end(struct check_summary *s, const struct expect_sayna *sayna)
{
    static const enum check_finding_id ids[] = {
        [EXPECT_SAYNA_PREFIX] = FINDING_SAYNA_ROOM_PREFIX,
        [EXPECT_SAYNA_ADDRESS] = FINDING_SAYNA_ADDRESS,
        [EXPECT_SAYNA_HOST] = FINDING_SAYNA_HOOK_HOST,
        [EXPECT_SAYNA_URL] = FINDING_SAYNA_HOOK_URL,
        [EXPECT_SAYNA_SECRET] = FINDING_SAYNA_HOOK_SECRET,
    };
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    for (size_t i = 0; sayna && i < sayna->mistake_count; i++) {
        enum check_finding_id id = ids[sayna->mistakes[i].rule];
        check_find_run(s, id, kinds[id].severity, NULL, SLICE_NONE, sayna->mistakes[i].message,
                       NULL, 0);
    }
}

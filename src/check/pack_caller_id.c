/* The pack `caller-id`: do the headers that name the caller, and who was called before, agree, and
 * what would the callee see? */
#include "check/pack.h"

#define ASSERTED_MAX 2u /* RFC 3325 9.1: one sip or sips URI, one tel URI */

static const struct slice asserted_name = {"P-Asserted-Identity", 19};
static const struct slice party_name = {"Remote-Party-ID", 15};
static const struct slice privacy_name = {"Privacy", 7};
static const struct slice diversion_name = {"Diversion", 9};
static const struct slice history_name = {"History-Info", 12};
static const struct slice from_name = {"From", 4};

/* What an INVITE says at one sighting. */
struct caller {
    struct pack_run *p;
    struct pack_place at;
    struct arena *a;
    struct sip_identity from;
    bool has_from;
    const struct sip_identity *asserted, *parties, *diversions, *history;
    size_t asserted_count, party_count, diversion_count, history_count;
    unsigned privacy;
    /* the values that count; NULL: there are none */
    const struct sip_identity *tel, *sip, *party;
};

static bool is_scheme(const struct sip_identity *i, const char *scheme)
{
    return i->readable && slice_equal_nocase(i->address.scheme, slice_of(scheme));
}

static bool is_sip(const struct sip_identity *i)
{
    return is_scheme(i, "sip") || is_scheme(i, "sips");
}

/* Remote-Party-ID speaks of both ends: of the caller where `party` says so or nothing. */
static bool is_calling(const struct sip_identity *i)
{
    return i->readable && (i->party.n == 0 || slice_equal_nocase(i->party, SLICE("calling")));
}

static struct caller caller_of(struct pack_run *p, struct pack_place at)
{
    const struct sip_message *m = pack_message(at);
    struct caller c = {.p = p, .at = at, .a = p->w->arena};
    c.has_from = sip_identity_from(c.a, m, &c.from);
    c.asserted_count = sip_identities(c.a, m, asserted_name, &c.asserted);
    c.party_count = sip_identities(c.a, m, party_name, &c.parties);
    c.diversion_count = sip_identities(c.a, m, diversion_name, &c.diversions);
    c.history_count = sip_identities(c.a, m, history_name, &c.history);
    c.privacy = sip_privacy(c.a, m);
    for (size_t i = c.asserted_count; i-- > 0;) {
        c.tel = is_scheme(&c.asserted[i], "tel") ? &c.asserted[i] : c.tel;
        c.sip = is_sip(&c.asserted[i]) ? &c.asserted[i] : c.sip;
    }
    for (size_t i = c.party_count; i-- > 0;)
        c.party = is_calling(&c.parties[i]) ? &c.parties[i] : c.party;
    return c;
}

/* ---- words ---------------------------------------------------------------------------------- */

static void note(const struct caller *c, enum check_finding_id id, struct slice header,
                 struct slice words)
{
    pack_note(c->p, c->at, id, header, words);
}

/* The number or user, else the host. */
static struct slice who(const struct sip_identity *i)
{
    return i->number.n ? i->number : i->address.user.n ? i->address.user : i->address.host;
}

static bool agree(const struct sip_identity *a, const struct sip_identity *b)
{
    return !a || !b || !a->number.n || !b->number.n || sip_number_agrees(a->number, b->number);
}

/* "FIRST says X, SECOND says Y" */
static struct slice differ(const struct caller *c, const char *first, const struct sip_identity *a,
                           const char *second, const struct sip_identity *b)
{
    return ARENA_JOIN(c->a, slice_of(first), SLICE(" of INVITE says "), who(a), SLICE(", "),
                      slice_of(second), SLICE(" says "), who(b));
}

/* ---- malformed ------------------------------------------------------------------------------ */

static void malformed(const struct caller *c, struct slice header, struct slice value,
                      const char *why)
{
    note(c, FINDING_CALLER_ID_MALFORMED, header,
         ARENA_JOIN(c->a, header, SLICE(" of INVITE: "), pack_quote(c->a, header, value),
                    slice_of(why)));
}

static void look_at_addresses(const struct caller *c, struct slice header,
                              const struct sip_identity *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!list[i].readable)
            malformed(c, header, list[i].text, " is no address");
}

static bool is_one_of(struct slice value, const char *const *words)
{
    for (; *words; words++)
        if (slice_equal_nocase(value, slice_of(*words)))
            return true;
    return false;
}

static void look_at_party_words(const struct caller *c, const struct sip_identity *i)
{
    static const char *const screens[] = {"yes", "no", "", NULL};
    static const char *const parties[] = {"calling", "called", "", NULL};
    static const char *const hidden[] = {"full",   "name",         "uri", "off",
                                         "ipaddr", "full-network", "",    NULL};
    if (!is_one_of(i->screen, screens))
        malformed(c, party_name, i->text, " has a screen that is neither yes nor no");
    else if (!is_one_of(i->party, parties))
        malformed(c, party_name, i->text, " has a party that is neither calling nor called");
    else if (!is_one_of(i->privacy, hidden))
        malformed(c, party_name, i->text, " has a privacy that is none of full, name, uri, off");
}

static void look_at_diversion_words(const struct caller *c, const struct sip_identity *i)
{
    uint32_t n;
    if (i->counter.n && (!slice_to_u32(i->counter, &n) || n == 0))
        malformed(c, diversion_name, i->text, " has a counter that is no count");
    else if (i->limit.n && !slice_to_u32(i->limit, &n))
        malformed(c, diversion_name, i->text, " has a limit that is no number");
}

static void look_at_privacy_words(const struct caller *c)
{
    const struct sip_header *h = sip_header_next(pack_message(c->at), 0, privacy_name, NULL);
    struct slice value = h ? sip_unfold(c->a, h) : SLICE_NONE;
    if (c->privacy & SIP_PRIVACY_OTHER)
        malformed(c, privacy_name, value,
                  " is none of none, id, user, header, session, history, critical");
    else if ((c->privacy & SIP_PRIVACY_NONE) && c->privacy != SIP_PRIVACY_NONE)
        malformed(c, privacy_name, value, " joins none with another value (RFC 3323 4.2)");
}

static void look_for_malformed(const struct caller *c)
{
    look_at_addresses(c, asserted_name, c->asserted, c->asserted_count);
    look_at_addresses(c, party_name, c->parties, c->party_count);
    look_at_addresses(c, diversion_name, c->diversions, c->diversion_count);
    look_at_addresses(c, history_name, c->history, c->history_count);
    for (size_t i = 0; i < c->party_count; i++)
        look_at_party_words(c, &c->parties[i]);
    for (size_t i = 0; i < c->diversion_count; i++)
        look_at_diversion_words(c, &c->diversions[i]);
    look_at_privacy_words(c);
}

/* ---- the caller ----------------------------------------------------------------------------- */

static void look_at_asserted(const struct caller *c)
{
    size_t sip = 0, tel = 0, other = 0;
    for (size_t i = 0; i < c->asserted_count; i++) {
        sip += is_sip(&c->asserted[i]);
        tel += is_scheme(&c->asserted[i], "tel");
        other += c->asserted[i].readable && !is_sip(&c->asserted[i]) &&
                 !is_scheme(&c->asserted[i], "tel");
    }
    if (sip > 1 || tel > 1 || other || c->asserted_count > ASSERTED_MAX)
        note(c, FINDING_CALLER_ID_ASSERTED_COUNT, asserted_name,
             arena_printf(c->a,
                          "P-Asserted-Identity of INVITE has %zu sip, %zu tel and %zu other URIs: "
                          "RFC 3325 allows one sip or sips and one tel",
                          sip, tel, other));
    if (!agree(c->tel, c->sip))
        note(c, FINDING_CALLER_ID_ASSERTED_DIFFERS, asserted_name,
             ARENA_JOIN(
                 c->a,
                 differ(c, "the tel URI of P-Asserted-Identity", c->tel, "the sip URI", c->sip),
                 SLICE(": elements choose either")));
}

/* The number that a callee is told, and by which header; tel is preferred (RFC 3325 9.1 leaves it
 * to the receiver, and gateways do so). */
static const struct sip_identity *told(const struct caller *c, const char **by)
{
    const struct sip_identity *asserted = c->tel ? c->tel : c->sip;
    *by = asserted   ? c->tel ? "P-Asserted-Identity, its tel URI" : "P-Asserted-Identity"
          : c->party ? "Remote-Party-ID"
                     : "From";
    return asserted ? asserted : c->party ? c->party : c->has_from ? &c->from : NULL;
}

static void look_at_agreement(const struct caller *c)
{
    const struct sip_identity *asserted = c->tel ? c->tel : c->sip;
    const char *by;
    const struct sip_identity *best = told(c, &by);
    if (!agree(asserted, c->party))
        note(c, FINDING_CALLER_ID_PARTY_DIFFERS, party_name,
             ARENA_JOIN(c->a,
                        differ(c, "P-Asserted-Identity", asserted, "Remote-Party-ID", c->party),
                        SLICE(": it depends on the receiver which counts")));
    if (best && c->has_from && best != &c->from && !agree(best, &c->from))
        note(c, FINDING_CALLER_ID_FROM_DIFFERS, from_name,
             ARENA_JOIN(c->a,
                        differ(c, asserted ? "P-Asserted-Identity" : "Remote-Party-ID", best,
                               "From", &c->from),
                        SLICE(": a receiver that trusts no asserted identity shows From")));
    if (c->party && slice_equal_nocase(c->party->screen, SLICE("no")))
        note(c, FINDING_CALLER_ID_UNVERIFIED, party_name,
             ARENA_JOIN(c->a, SLICE("Remote-Party-ID of INVITE says screen=no: nobody verified "),
                        who(c->party)));
}

/* ---- privacy -------------------------------------------------------------------------------- */

#define HIDES (SIP_PRIVACY_ID | SIP_PRIVACY_USER | SIP_PRIVACY_HEADER)

static bool party_hides(const struct caller *c)
{
    return c->party && c->party->privacy.n && !slice_equal_nocase(c->party->privacy, SLICE("off"));
}

static void look_at_privacy(const struct caller *c)
{
    bool off = c->party && slice_equal_nocase(c->party->privacy, SLICE("off"));
    if ((c->privacy == SIP_PRIVACY_NONE && party_hides(c)) || ((c->privacy & HIDES) && off))
        note(c, FINDING_CALLER_ID_PRIVACY_DIFFERS, privacy_name,
             ARENA_JOIN(c->a, SLICE("Privacy of INVITE asks "),
                        c->privacy & HIDES ? SLICE("to hide the caller") : SLICE("to hide nothing"),
                        SLICE(", and Remote-Party-ID says privacy="), c->party->privacy));
}

/* Where it is nearest the callee: a proxy on the way may have hidden From. */
static void look_at_hiding(const struct caller *c)
{
    bool hidden = (c->privacy & (SIP_PRIVACY_ID | SIP_PRIVACY_USER)) ||
                  (party_hides(c) && slice_equal_nocase(c->party->privacy, SLICE("full")));
    if (hidden && c->has_from && c->from.number.n && !sip_is_anonymous(&c->from.address))
        note(c, FINDING_CALLER_ID_NOT_HIDDEN, from_name,
             ARENA_JOIN(c->a, SLICE("the caller asks to be hidden, and From of INVITE shows "),
                        who(&c->from), SLICE(" all the same")));
}

/* ---- who was called before ------------------------------------------------------------------ */

static bool same_user(const struct sip_identity *a, const struct sip_identity *b)
{
    if (!a->readable || !b->readable || !a->address.user.n)
        return false;
    if (a->number.n && b->number.n)
        return sip_number_agrees(a->number, b->number);
    return slice_equal(a->address.user, b->address.user) &&
           slice_equal_nocase(a->address.host, b->address.host);
}

static bool is_loop(const struct sip_identity *list, size_t n, const struct sip_identity **again)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (same_user(&list[i], &list[k])) {
                *again = &list[i];
                return true;
            }
    return false;
}

/* Each value stands for one diversion, or for as many as its counter says (RFC 5806). */
static void look_at_diversions(const struct caller *c)
{
    const struct sip_identity *again;
    uint64_t count = 0;
    uint32_t limit = UINT32_MAX;
    for (size_t i = 0; i < c->diversion_count; i++) {
        uint32_t n = 1, max;
        (void)(c->diversions[i].counter.n && slice_to_u32(c->diversions[i].counter, &n));
        if (c->diversions[i].limit.n && slice_to_u32(c->diversions[i].limit, &max) && max < limit)
            limit = max;
        count += n ? n : 1;
    }
    if (is_loop(c->diversions, c->diversion_count, &again))
        note(c, FINDING_CALLER_ID_LOOP, diversion_name,
             ARENA_JOIN(c->a, SLICE("Diversion of INVITE names "), who(again),
                        SLICE(" twice: the call is diverted in a loop")));
    if (count > limit)
        note(c, FINDING_CALLER_ID_LIMIT, diversion_name,
             arena_printf(c->a, "INVITE was diverted %llu times, and its Diversion says limit=%u",
                          (unsigned long long)count, limit));
}

/* The targets that were left for another are those before one with a cause. */
static size_t left_targets(const struct caller *c, struct sip_identity *out)
{
    size_t n = 0;
    for (size_t i = 1; i < c->history_count; i++)
        if (c->history[i].cause.n)
            out[n++] = c->history[i - 1];
    return n;
}

/* "1.2.1": has it a parent and an elder brother in the list before it?  RFC 7044 10.3: an index
 * without them tells of entries that were lost. */
static bool is_known_index(const struct caller *c, size_t n, struct slice wanted)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(c->history[i].index, wanted))
            return true;
    return false;
}

static bool follows(const struct caller *c, size_t i)
{
    struct slice index = c->history[i].index;
    size_t dot = index.n;
    uint32_t last;
    while (dot > 0 && index.p[dot - 1] != '.')
        dot--;
    if (!slice_to_u32(slice_from(index, dot), &last) || is_known_index(c, i, index))
        return false;
    struct slice parent = slice_first(index, dot ? dot - 1 : 0);
    if (last <= 1)
        return dot == 0 || is_known_index(c, i, parent);
    struct slice elder = arena_printf(c->a, "%.*s%u", SLICE_ARG(slice_first(index, dot)), last - 1);
    return is_known_index(c, i, elder);
}

static void look_at_history(const struct caller *c)
{
    struct sip_identity *left = ARENA_ARRAY(c->a, struct sip_identity, c->history_count);
    size_t n = left_targets(c, left);
    const struct sip_identity *again;
    for (size_t i = 0; i < c->history_count; i++)
        if (!follows(c, i)) {
            note(c, FINDING_CALLER_ID_HISTORY, history_name,
                 ARENA_JOIN(c->a, SLICE("History-Info of INVITE: index "),
                            c->history[i].index.n ? c->history[i].index : SLICE("is absent"),
                            c->history[i].index.n ? SLICE(" follows none before it") : SLICE(""),
                            SLICE(": entries were lost or put in another order")));
            break;
        }
    if (is_loop(left, n, &again))
        note(c, FINDING_CALLER_ID_LOOP, history_name,
             ARENA_JOIN(c->a, SLICE("History-Info of INVITE names "), who(again),
                        SLICE(" twice as left for another: the call is diverted in a loop")));
    /* the first Diversion is the latest (RFC 5806), and so is the last of History-Info (RFC 7544)
     */
    if (n && c->diversion_count && !agree(&left[n - 1], &c->diversions[0]))
        note(c, FINDING_CALLER_ID_DIVERSION_DIFFERS, diversion_name,
             ARENA_JOIN(c->a,
                        differ(c, "History-Info", &left[n - 1], "Diversion", &c->diversions[0]),
                        SLICE(" about who diverted the call last")));
}

/* ---- what the callee sees ------------------------------------------------------------------- */

static bool says_anything(const struct caller *c)
{
    return c->asserted_count || c->party_count || c->privacy || c->diversion_count ||
           c->history_count;
}

static struct slice diverted_words(const struct caller *c)
{
    if (!c->diversion_count || !c->diversions[0].readable)
        return SLICE_NONE;
    return ARENA_JOIN(c->a, SLICE("; diverted last by "), who(&c->diversions[0]),
                      c->diversions[0].reason.n ? SLICE(" for ") : SLICE(""),
                      c->diversions[0].reason);
}

/* Of the same number, the asserted name before that of From. */
static struct slice name_shown(const struct caller *c, const struct sip_identity *best)
{
    const struct sip_identity *from = c->has_from ? &c->from : NULL;
    const struct sip_identity *all[] = {best, c->tel, c->sip, c->party, from};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && all[i]->address.display.n && agree(best, all[i]))
            return all[i]->address.display;
    return SLICE_NONE;
}

static struct slice shown_words(const struct caller *c)
{
    const char *by;
    const struct sip_identity *best = told(c, &by);
    if (c->privacy & HIDES)
        return SLICE("no number (Privacy)");
    if (party_hides(c) && !c->tel && !c->sip)
        return ARENA_JOIN(c->a, SLICE("no number (Remote-Party-ID, privacy="), c->party->privacy,
                          SLICE(")"));
    if (!best || sip_is_anonymous(&best->address))
        return SLICE("no number (anonymous)");
    struct slice name = name_shown(c, best);
    return ARENA_JOIN(c->a, who(best), name.n ? SLICE(" \"") : SLICE(""), name,
                      name.n ? SLICE("\"") : SLICE(""), SLICE(" (by "), slice_of(by), SLICE(")"));
}

static void look_at_what_is_seen(const struct caller *c)
{
    look_at_hiding(c);
    if (says_anything(c))
        note(c, FINDING_CALLER_ID_SHOWN, SLICE_NONE,
             ARENA_JOIN(c->a, SLICE("a callee that trusts this INVITE sees "), shown_words(c),
                        diverted_words(c)));
}

/* ---- all of it ------------------------------------------------------------------------------ */

void pack_caller_id(struct pack_run *p)
{
    for (size_t i = 0; i < p->w->call->journey_count; i++) {
        const struct hop_journey *j = &p->w->call->journeys[i];
        for (size_t k = 0; check_is_initial_invite(j) && k < j->step_count; k++) {
            struct caller c = caller_of(p, (struct pack_place){j, k});
            look_for_malformed(&c);
            look_at_asserted(&c);
            look_at_agreement(&c);
            look_at_privacy(&c);
            look_at_diversions(&c);
            look_at_history(&c);
            if (k + 1 == j->step_count)
                look_at_what_is_seen(&c);
        }
    }
}

/* Why LiveKit sent a message without a header, or with another value: its release, the room, the
 * attribute, the name.  What no map acts on is in cause_map.c. */
#include "check/cause.h"

/* A message that lacks what it owes where it is seen first. */
struct unsent {
    const struct check_request *r;
    const struct hop_journey *j;
    struct slice message; /* "BYE" */
    struct slice *names;
    size_t n;
    size_t present; /* headers of attributes_to_headers that are there */
    bool sure;      /* it was captured as it left LiveKit */
};

/* Of a message seen further on, nodes before may have taken the headers away as well. */
static enum check_confidence at_most(const struct unsent *u, enum check_confidence confidence)
{
    return u->sure ? confidence : CHECK_POSSIBLE;
}

/* ---- none of them: the release, or the room -------------------------------------------------- */

/* Another message of LiveKit's that carries mapped headers: the map acts, and on the BYE it did
 * not. */
static const struct hop_journey *witness_of(const struct cause_work *c)
{
    if (cause_mapped_on(c, c->ok))
        return c->ok;
    return cause_mapped_on(c, c->refer) ? c->refer : NULL;
}

static struct slice witness_words(struct cause_work *c, const struct unsent *u,
                                  const struct hop_journey *witness, const char *mark)
{
    const char *what = witness == c->refer ? "REFER" : "200 to INVITE";
    if (!c->w->trunk)
        return arena_printf(c->arena,
                            "LiveKit's BYE has no X- header, while its %s of this call "
                            "has %.*s%s",
                            what, SLICE_ARG(cause_names(c->arena, u->names, u->n)), mark);
    return arena_printf(c->arena,
                        "LiveKit's BYE has none of %zu mapped headers, while its %s of this call "
                        "has %zu%s",
                        u->n, what, cause_mapped_on(c, witness), mark);
}

static struct slice no_witness_words(struct cause_work *c, const struct unsent *u, const char *mark)
{
    return arena_printf(c->arena, "LiveKit's BYE has none of %zu mapped headers%s", u->n, mark);
}

static void add_bare(struct cause_work *c, const struct unsent *u, enum check_cause_id id,
                     enum check_confidence confidence, const struct hop_journey *witness,
                     const char *mark)
{
    struct slice words =
        witness ? witness_words(c, u, witness, mark) : no_witness_words(c, u, mark);
    struct cause *cause = cause_add(c, id, at_most(u, confidence), words);
    cause_see_first(c, cause, u->j);
    cause_see_first(c, cause, witness);
    if (c->mark != CAUSE_MARK_NONE)
        cause_see_frame(cause, c->mark_seen);
}

/* v1.3.0 or later by its 100, or v1.8.0 or later, for the 200 to its BYE got no ACK. */
static bool is_new_release(const struct cause_work *c)
{
    return c->mark == CAUSE_MARK_TAGGED ||
           (c->mark == CAUSE_MARK_NONE && c->ack == CAUSE_ACK_NOT_SENT);
}

static void add_release(struct cause_work *c, const struct unsent *u,
                        const struct hop_journey *witness)
{
    bool untagged = c->mark == CAUSE_MARK_UNTAGGED;
    if (c->mark == CAUSE_MARK_TAGGED)
        return;
    add_bare(c, u, CAUSE_LIVEKIT_VERSION, untagged ? CHECK_LIKELY : CHECK_POSSIBLE, witness,
             untagged ? "; its 100 has no To-tag, as in livekit/sip up to v1.2.0"
             : c->ack == CAUSE_ACK_SENT
                 ? "; an ACK follows the 200 to it, as before livekit/sip v1.8.0"
             : c->ack == CAUSE_ACK_NOT_SENT
                 ? "; no ACK follows the 200 to it, which speaks for livekit/sip v1.8.0 or later"
                 : "; nothing captured tells its version");
}

static void add_room(struct cause_work *c, const struct unsent *u,
                     const struct hop_journey *witness)
{
    bool tagged = c->mark == CAUSE_MARK_TAGGED;
    add_bare(c, u, CAUSE_ROOM_DELETED, tagged && witness ? CHECK_LIKELY : CHECK_POSSIBLE, witness,
             tagged              ? "; its 100 has a To-tag, as since livekit/sip v1.3.0"
             : is_new_release(c) ? "; no ACK follows the 200 to it, as since livekit/sip v1.8.0"
                                 : "; with the room, its attributes go in any release so far");
}

static void add_release_or_room(struct cause_work *c, const struct unsent *u,
                                const struct hop_journey *witness)
{
    if (is_new_release(c))
        add_room(c, u, witness);
    add_release(c, u, witness);
    if (!is_new_release(c))
        add_room(c, u, witness);
}

/* LiveKit sent other messages that would carry the canary, and they do not. */
static bool canary_silent(const struct cause_work *c)
{
    const struct hop_journey *others[] = {c->refer, c->inbound ? c->ok : NULL};
    for (size_t i = 0; c->canary.n && i < sizeof others / sizeof *others; i++) {
        const struct hop_journey *j = others[i];
        if (!j || !cause_as_sent(j) || !cause_by_livekit(j))
            continue;
        if (!cause_has(j->steps[0].sighting, c->canary))
            return true;
    }
    return false;
}

static struct slice attributes_of(struct cause_work *c, const struct unsent *u)
{
    struct slice *list = ARENA_ARRAY(c->arena, struct slice, u->n);
    for (size_t i = 0; i < u->n; i++)
        list[i] = cause_attribute(c->w->trunk, u->names[i]);
    return cause_names(c->arena, list, u->n);
}

static void add_all_unset(struct cause_work *c, const struct unsent *u)
{
    if (c->canary.n)
        return; /* that one is always set */
    struct cause *cause = cause_add(
        c, CAUSE_ATTRIBUTE_UNSET, CHECK_POSSIBLE,
        arena_printf(c->arena,
                     "perhaps none of the attributes was set: %.*s; no mapped header tells whether "
                     "the map acts (sip.callID, which is always set, would)",
                     SLICE_ARG(attributes_of(c, u))));
    cause_see_first(c, cause, u->j);
}

static void explain_bare_bye(struct cause_work *c, const struct unsent *u)
{
    const struct hop_journey *witness = witness_of(c);
    bool silent = !witness && canary_silent(c);
    if (silent)
        cause_of_mapping(c, true);
    add_release_or_room(c, u, witness);
    if (!witness)
        add_all_unset(c, u);
    if (!witness && !silent)
        cause_of_mapping(c, false);
}

/* ---- some of them: the attribute, or its name ------------------------------------------------ */

/* A header that LiveKit sends, that no map has, and that is nearly called so. */
static const struct sip_header *near_miss(const struct cause_work *c, const struct unsent *u,
                                          struct slice name)
{
    const struct sip_message *m = u->j->steps[0].sighting->message;
    for (uint32_t i = 0; i < m->header_count; i++)
        if (m->headers[i].id == SIP_HEADER_OTHER && expect_names_near(m->headers[i].name, name) &&
            !cause_is_mapped(c->w->trunk, m->headers[i].name))
            return &m->headers[i];
    return NULL;
}

static void add_near_miss(struct cause_work *c, const struct unsent *u, struct slice name,
                          const struct sip_header *near)
{
    struct cause *cause =
        cause_add(c, CAUSE_NEAR_MISS, at_most(u, CHECK_LIKELY),
                  arena_printf(c->arena, "%.*s has %.*s in place of %.*s", SLICE_ARG(u->message),
                               SLICE_ARG(near->name), SLICE_ARG(name)));
    if (c->w->trunk)
        cause->remedy = arena_printf(
            c->arena,
            "Write %.*s for the attribute %.*s in the trunk's attributes_to_headers, and store the "
            "trunk again; LiveKit sends names exactly as they stand there.",
            SLICE_ARG(name), SLICE_ARG(cause_attribute(c->w->trunk, name)));
    cause_see_first(c, cause, u->j);
}

static size_t take_near_misses(struct cause_work *c, struct unsent *u)
{
    size_t left = 0, found = 0;
    for (size_t i = 0; i < u->n; i++) {
        const struct sip_header *near = near_miss(c, u, u->names[i]);
        if (near)
            add_near_miss(c, u, u->names[i], near);
        else
            u->names[left++] = u->names[i];
        found += near != NULL;
    }
    u->n = left;
    return found;
}

/* LiveKit sent it before in this call: its map has the header under this name. */
static bool was_sent_before(const struct cause_work *c, const struct unsent *u)
{
    const struct hop_journey *earlier[] = {c->ok, c->refer};
    for (size_t i = 0; i < u->n; i++) {
        bool sent = false;
        for (size_t k = 0; k < sizeof earlier / sizeof *earlier; k++)
            sent |= earlier[k] && earlier[k] != u->j && cause_by_livekit(earlier[k]) &&
                    cause_has(earlier[k]->steps[0].sighting, u->names[i]);
        if (!sent)
            return false;
    }
    return true;
}

/* Certain where the message is LiveKit's own, others of the map are on it, and this one was on an
 * earlier one: trunk, map, name, release and room are excluded then. */
static void add_unset(struct cause_work *c, const struct unsent *u)
{
    bool before = was_sent_before(c, u);
    bool canary = c->canary.n && cause_has(u->j->steps[0].sighting, c->canary);
    struct text t = {0};
    text_add(&t, u->message);
    if (c->w->trunk)
        text_printf(&t, " has %s%zu mapped header%s, and", canary ? "the canary among " : "",
                    u->present, u->present == 1 ? "" : "s");
    text_printf(&t, " %s %.*s%s", c->w->trunk ? "not" : "lacks",
                SLICE_ARG(cause_names(c->arena, u->names, u->n)),
                before ? ", which LiveKit sent earlier in this call" : "");
    struct cause *cause = cause_add(
        c, CAUSE_ATTRIBUTE_UNSET, at_most(u, before && c->w->trunk ? CHECK_CERTAIN : CHECK_LIKELY),
        text_keep(&t, c->arena));
    if (c->w->trunk)
        cause->remedy = arena_printf(
            c->arena,
            "Set %.*s on the SIP participant, not on the agent's own, and before the call ends; "
            "an empty value unsets it.",
            SLICE_ARG(attributes_of(c, u)));
    cause_see_first(c, cause, u->j);
}

static bool is_newline_found(const struct cause_work *c)
{
    for (size_t i = 0; i < c->causes.n; i++)
        if (c->causes.items[i].id == CAUSE_NEWLINE &&
            c->causes.items[i].confidence != CHECK_POSSIBLE)
            return true;
    return false;
}

/* What a rule asks for and no map has.  Where the trunk was given that proves it; else it is one
 * reason of several. */
static void add_unmapped(struct cause_work *c, const struct unsent *u, const struct slice *names,
                         size_t n)
{
    const struct expect_trunk *t = c->w->trunk;
    bool elsewhere = false;
    for (size_t i = 0; t && i < n; i++)
        elsewhere |= cause_is_fixed(t, names[i]) || cause_is_read(t, names[i]);
    struct slice list = cause_names(c->arena, names, n);
    struct cause *cause = cause_add(
        c, elsewhere ? CAUSE_WRONG_MAP : CAUSE_NOT_MAPPED,
        at_most(u, t ? CHECK_LIKELY : CHECK_POSSIBLE),
        !t ? arena_printf(c->arena, "no trunk was given that would map %.*s", SLICE_ARG(list))
           : arena_printf(c->arena, "%.*s %s in attributes_to_headers, and so not on %.*s%s",
                          SLICE_ARG(list), n == 1 ? "is not" : "are not", SLICE_ARG(u->message),
                          elsewhere ? "; another map, which does not act there, has it" : ""));
    cause_see_first(c, cause, u->j);
}

static size_t take_unmapped(struct cause_work *c, struct unsent *u)
{
    struct slice *names = ARENA_ARRAY(c->arena, struct slice, u->n);
    size_t left = 0, found = 0;
    for (size_t i = 0; i < u->n; i++)
        if (cause_is_mapped(c->w->trunk, u->names[i]))
            u->names[left++] = u->names[i];
        else
            names[found++] = u->names[i];
    u->n = left;
    if (found)
        add_unmapped(c, u, names, found);
    return found;
}

/* A rule asks for a header on LiveKit's INVITE: `headers` alone acts there. */
static void add_not_on_invite(struct cause_work *c, const struct unsent *u)
{
    bool mapped = cause_is_mapped(c->w->trunk, u->names[0]);
    struct cause *cause =
        cause_add(c, mapped ? CAUSE_WRONG_MAP : CAUSE_NOT_MAPPED,
                  at_most(u, c->w->trunk ? CHECK_LIKELY : CHECK_POSSIBLE),
                  arena_printf(c->arena, "%.*s: of a trunk's maps only headers acts on INVITE",
                               SLICE_ARG(cause_names(c->arena, u->names, u->n))));
    cause->remedy = slice_of("Put the header into the trunk's headers, or into those of the "
                             "request that makes the call.");
    cause_see_first(c, cause, u->j);
}

/* Fixed headers are owed on the 200 to INVITE, or an outbound INVITE; others a rule asks for. */
static void explain_unsent_invite(struct cause_work *c, struct unsent *u)
{
    bool fixed = false;
    for (size_t i = 0; c->w->trunk && i < u->n; i++)
        fixed |= cause_is_fixed(c->w->trunk, u->names[i]);
    if (fixed)
        cause_of_mapping(c, true);
    else if (!u->r->status)
        add_not_on_invite(c, u);
    else if (take_unmapped(c, u) == 0 || u->n)
        add_unset(c, u);
}

static bool has_custom(const struct hop_sighting *s)
{
    for (uint32_t i = 0; i < s->message->header_count; i++)
        if (slice_starts_nocase(s->message->headers[i].name, SLICE("X-")))
            return true;
    return false;
}

/* Without a trunk, what LiveKit sent earlier in the call is mapped. */
static void explain_sent_before(struct cause_work *c, const struct unsent *u)
{
    if (u->j->method != SIP_BYE || has_custom(u->j->steps[0].sighting))
        add_unset(c, u);
    else
        add_release_or_room(
            c, u,
            c->refer && cause_has(c->refer->steps[0].sighting, u->names[0]) ? c->refer : c->ok);
}

static void explain_unsent(struct cause_work *c, struct unsent *u)
{
    if (u->j->method == SIP_INVITE) {
        explain_unsent_invite(c, u);
        return;
    }
    bool newline = is_newline_found(c); /* what follows it in the message was no header any more */
    size_t near = take_near_misses(c, u);
    if (!c->w->trunk && u->n && was_sent_before(c, u)) {
        explain_sent_before(c, u);
        return;
    }
    (void)take_unmapped(c, u);
    if (u->n == 0 || newline)
        return;
    if (u->present || near)
        add_unset(c, u);
    else if (cause_of_other_trunk(c))
        return;
    else if (u->j->method == SIP_BYE)
        explain_bare_bye(c, u);
    else
        cause_of_mapping(c, c->canary.n > 0);
}

/* ---- another value --------------------------------------------------------------------------- */

static void explain_value(struct cause_work *c, const struct check_request *r,
                          const struct hop_journey *j, const struct check_header *h)
{
    if (!h->has_value || is_newline_found(c))
        return;
    struct cause *cause =
        cause_add(c, CAUSE_ATTRIBUTE_DIFFERS, h->guilty.sender ? CHECK_LIKELY : CHECK_POSSIBLE,
                  arena_printf(c->arena, "%.*s has another value on %.*s than was promised",
                               SLICE_ARG(h->name), SLICE_ARG(check_message_name(c->arena, r))));
    cause_see_first(c, cause, j);
}

/* ---- each message ---------------------------------------------------------------------------- */

static bool is_changed_at_start(const struct check_header *h)
{
    return h->verdict != CHECK_OK && h->verdict != CHECK_NEVER_SENT &&
           h->verdict != CHECK_MISSING && h->verdict != CHECK_UNKNOWN && h->guilty.any &&
           h->states[0] == CHECK_STATE_ALTERED;
}

static void of_request(struct cause_work *c, const struct check_request *r,
                       const struct hop_journey *j)
{
    struct unsent u = {.r = r,
                       .j = j,
                       .message = check_message_name(c->arena, r),
                       .names = ARENA_ARRAY(c->arena, struct slice, r->header_count),
                       .present = cause_mapped_on(c, j),
                       .sure = true};
    for (size_t i = 0; i < r->header_count; i++) {
        const struct check_header *h = &r->headers[i];
        if (!h->expected)
            continue;
        if (h->verdict == CHECK_NEVER_SENT || h->verdict == CHECK_MISSING) {
            u.names[u.n++] = h->name;
            u.sure &= h->verdict == CHECK_NEVER_SENT;
        } else if (is_changed_at_start(h)) {
            explain_value(c, r, j, h);
        }
    }
    if (u.n && cause_by_livekit(j))
        explain_unsent(c, &u);
}

void cause_of_senders(struct cause_work *c)
{
    for (size_t i = 0; i < c->call->request_count; i++)
        of_request(c, &c->call->requests[i], c->w->judged_journeys[i]);
}

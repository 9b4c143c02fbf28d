/* Why no map acts: another trunk, a map that was wiped, a dispatch rule with a PIN; why no trunk
 * took the call; what stands in the wrong map. */
#include "check/cause.h"

static bool is_known(const struct cause_work *c, enum check_cause_id id)
{
    for (size_t i = 0; i < c->causes.n; i++)
        if (c->causes.items[i].id == id)
            return true;
    return false;
}

static struct slice label(struct arena *a, const struct expect_trunk *t)
{
    return t->name.n ? arena_printf(a, "\"%.*s\"", SLICE_ARG(t->name)) : t->id;
}

/* ---- no map acts ----------------------------------------------------------------------------- */

/* A fixed header of the trunk as LiveKit sends it: 1 there, -1 all absent, 0 nothing to be seen. */
static int fixed_headers(const struct cause_work *c)
{
    const struct expect_trunk *t = c->w->trunk;
    const struct hop_journey *j = c->inbound ? c->ok : c->invite;
    if (t->headers.n == 0 || !cause_as_sent(j) || !cause_by_livekit(j))
        return 0;
    for (size_t i = 0; i < t->headers.n; i++)
        if (cause_has(j->steps[0].sighting, t->headers.pairs[i].key))
            return 1;
    return -1;
}

static const char *map_words(const struct cause_work *c)
{
    return c->inbound ? "no map acts on what LiveKit sends in this call"
                      : "LiveKit sends nothing that this trunk maps in this call";
}

static void add_maps_cause(struct cause_work *c, enum check_cause_id id,
                           enum check_confidence confidence, struct slice words)
{
    struct cause *cause = cause_add(c, id, confidence, words);
    cause_see_first(c, cause, c->ok);
    cause_see_first(c, cause, c->refer);
    cause_see_first(c, cause, c->bye);
}

static void add_map_cause(struct cause_work *c, enum check_cause_id id,
                          enum check_confidence confidence, const char *more)
{
    add_maps_cause(c, id, confidence, arena_printf(c->arena, "%s%s", map_words(c), more));
}

static void add_wiped(struct cause_work *c, enum check_confidence confidence, bool fixed)
{
    add_map_cause(c, CAUSE_MAP_WIPED, confidence,
                  fixed ? ", but the trunk's fixed headers are there: the trunk is the right one, "
                          "and LiveKit's has not this map"
                        : "; the trunk that LiveKit has may have lost its maps in an update");
}

static void add_other_trunk(struct cause_work *c, enum check_confidence confidence)
{
    const struct expect_match *m = &c->w->match;
    bool spoken_against = c->w->options->forced &&
                          (m->result == EXPECT_NO_MATCH || m->trunk != c->w->options->forced);
    add_map_cause(c, CAUSE_WRONG_TRUNK, spoken_against ? CHECK_LIKELY : confidence,
                  spoken_against ? ", and by LiveKit's rules the call is not this trunk's"
                                 : "; LiveKit may have picked a trunk that was not given");
}

/* A trunk with an id was read from LiveKit and has the map there; one without is what somebody
 * meant to store.  None of that is on the wire: nothing here is certain. */
void cause_of_mapping(struct cause_work *c, bool canary_silent)
{
    if (is_known(c, CAUSE_MAP_WIPED) || is_known(c, CAUSE_WRONG_TRUNK))
        return;
    if (cause_mapped_on(c, c->ok) + cause_mapped_on(c, c->bye) + cause_mapped_on(c, c->refer)) {
        add_maps_cause(c, CAUSE_MAP_WIPED, CHECK_LIKELY,
                       SLICE("LiveKit sends headers of the trunk's attributes_to_headers, and none "
                             "of its headers: its own copy has not both maps"));
        return;
    }
    int fixed = fixed_headers(c);
    bool stored = c->w->trunk->id.n > 0, forced = c->w->options->forced != NULL;
    enum check_confidence sure = canary_silent ? CHECK_LIKELY : CHECK_POSSIBLE;
    if (fixed > 0) {
        add_wiped(c, sure, true);
        return;
    }
    if (c->inbound && stored && !forced)
        add_map_cause(c, CAUSE_PIN_RULE, sure,
                      ", though the trunk matches and has the map: a dispatch rule that asks for "
                      "a PIN does that");
    if (!stored)
        add_wiped(c, sure, false);
    add_other_trunk(c, c->inbound ? CHECK_POSSIBLE : sure);
    if (stored)
        add_wiped(c, CHECK_POSSIBLE, false);
    if (c->inbound && (!stored || forced))
        add_map_cause(c, CAUSE_PIN_RULE, CHECK_POSSIBLE,
                      "; a dispatch rule that asks for a PIN does that");
}

/* A header that LiveKit sends in this call, and that another of the trunks given maps. */
static struct slice header_of_other(const struct cause_work *c, const struct expect_trunk *other)
{
    const struct hop_journey *sent[] = {c->bye, c->refer, c->ok};
    for (size_t i = 0; i < other->attributes_to_headers.n; i++) {
        struct slice name = other->attributes_to_headers.pairs[i].value;
        if (cause_is_mapped(c->w->trunk, name) || cause_is_fixed(c->w->trunk, name))
            continue;
        for (size_t k = 0; k < sizeof sent / sizeof *sent; k++)
            if (sent[k] && cause_by_livekit(sent[k]) && cause_has(sent[k]->steps[0].sighting, name))
                return name;
    }
    return SLICE_NONE;
}

bool cause_of_other_trunk(struct cause_work *c)
{
    const struct expect_trunks *all = c->w->options->trunks;
    for (size_t i = 0; i < all->n; i++) {
        const struct expect_trunk *other = &all->items[i];
        struct slice name = other == c->w->trunk || other->direction != c->w->trunk->direction
                                ? SLICE_NONE
                                : header_of_other(c, other);
        if (!name.n)
            continue;
        struct cause *cause =
            cause_add(c, CAUSE_WRONG_TRUNK, CHECK_LIKELY,
                      arena_printf(c->arena,
                                   "LiveKit sends %.*s, which the trunk %.*s maps, and nothing "
                                   "that %.*s maps",
                                   SLICE_ARG(name), SLICE_ARG(label(c->arena, other)),
                                   SLICE_ARG(label(c->arena, c->w->trunk))));
        cause_see_first(c, cause, c->ok);
        cause_see_first(c, cause, c->refer);
        cause_see_first(c, cause, c->bye);
        return true;
    }
    return false;
}

/* ---- no trunk -------------------------------------------------------------------------------- */

/* LiveKit's own refusal of the INVITE; NULL: none was seen. */
static const struct hop_journey *refusal(const struct cause_work *c)
{
    const struct hop_call *call = c->w->call;
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (j->method == SIP_INVITE && j->status >= 400 && j->step_count && cause_by_livekit(j))
            return j;
    }
    return NULL;
}

/* LiveKit says so itself in some releases; a 503 has other reasons as well. */
static bool says_no_trunk(const struct hop_journey *j)
{
    struct slice reason = j->steps[0].sighting->message->reason;
    return cause_has_words(reason, SLICE("No trunk found")) ||
           cause_has_words(reason, SLICE("Does not match any SIP Trunk"));
}

static bool is_refused_for_trunk(const struct hop_journey *j)
{
    return j->status == 404 || j->status == 500 || j->status == 503;
}

static void add_refused(struct cause_work *c, const struct hop_journey *j, bool unmatched)
{
    bool says = says_no_trunk(j);
    if (!says && !is_refused_for_trunk(j))
        return;
    struct slice reason = j->steps[0].sighting->message->reason;
    struct cause *cause = cause_add(
        c, CAUSE_NO_MATCHING_TRUNK,
        says        ? CHECK_CERTAIN
        : unmatched ? CHECK_LIKELY
                    : CHECK_POSSIBLE,
        arena_printf(c->arena, "LiveKit refused the INVITE with %u %.*s%s", j->status,
                     SLICE_ARG(reason), unmatched ? "; by its rules no trunk given matches" : ""));
    cause_see_first(c, cause, j);
    cause_see(c, cause, c->invite, c->invite ? c->invite->step_count - 1 : 0);
}

static void add_accepted(struct cause_work *c)
{
    struct cause *cause = cause_add(
        c, CAUSE_WRONG_TRUNK, CHECK_LIKELY,
        arena_printf(c->arena,
                     "the call was accepted, and by LiveKit's rules no trunk given takes it: it "
                     "has one that was not given"));
    cause_see_first(c, cause, c->ok);
}

static void of_no_trunk(struct cause_work *c)
{
    const struct hop_journey *j = refusal(c);
    bool unmatched = c->w->match.result == EXPECT_NO_MATCH;
    if (c->ok)
        add_accepted(c);
    else if (j)
        add_refused(c, j, unmatched);
    else if (unmatched && c->invite && c->invite->answer_sighting) {
        const struct sip_message *m = c->invite->answer_sighting->message;
        if (m->status != 404 && m->status != 500 && m->status != 503)
            return;
        struct cause *cause = cause_add(
            c, CAUSE_NO_MATCHING_TRUNK, CHECK_LIKELY,
            arena_printf(c->arena,
                         "the INVITE was refused with %u, and by LiveKit's rules no trunk given "
                         "matches",
                         m->status));
        cause_see_first(c, cause, c->invite);
    }
}

/* ---- the wrong map, the wrong one of several trunks ------------------------------------------ */

/* Another trunk of this direction that maps something to BYE. */
static const struct expect_trunk *mapping_trunk(const struct cause_work *c)
{
    const struct expect_trunks *all = c->w->options->trunks;
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].direction == c->w->trunk->direction &&
            all->items[i].attributes_to_headers.n)
            return &all->items[i];
    return NULL;
}

static void add_unmapped(struct cause_work *c, const struct expect_trunk *other)
{
    const struct expect_trunk *t = c->w->trunk;
    struct cause *cause = cause_add(
        c, CAUSE_WRONG_TRUNK, CHECK_LIKELY,
        arena_printf(c->arena,
                     "LiveKit's rules pick the trunk %.*s, which maps no attribute to a header; "
                     "%.*s does, and is not the one",
                     SLICE_ARG(label(c->arena, t)), SLICE_ARG(label(c->arena, other))));
    cause->remedy = arena_printf(
        c->arena,
        "Put attributes_to_headers into %.*s as well, or make %.*s match; sipxray trunk --match "
        "NUMBER says why it does not.",
        SLICE_ARG(label(c->arena, t)), SLICE_ARG(label(c->arena, other)));
    cause->explains = c->call->verdict != CHECK_PASS;
    cause_see_first(c, cause, c->bye ? c->bye : c->refer);
}

static void add_wrong_map(struct cause_work *c)
{
    const struct expect_trunk *t = c->w->trunk;
    const struct expect_map *map = t->headers.n ? &t->headers : &t->headers_to_attributes;
    struct slice *names = ARENA_ARRAY(c->arena, struct slice, map->n);
    for (size_t i = 0; i < map->n; i++)
        names[i] = map->pairs[i].key;
    bool pass = c->call->verdict == CHECK_PASS;
    struct cause *cause = cause_add(
        c, CAUSE_WRONG_MAP, pass ? CHECK_POSSIBLE : CHECK_LIKELY,
        arena_printf(c->arena,
                     "attributes_to_headers is empty, so nothing is sent on BYE and REFER; %.*s "
                     "stand%s in %s, which %s",
                     SLICE_ARG(cause_names(c->arena, names, map->n)), map->n == 1 ? "s" : "",
                     t->headers.n ? "headers" : "headers_to_attributes",
                     !t->headers.n ? "only reads what the far end sends"
                     : c->inbound  ? "is sent on the 200 to INVITE only"
                                   : "is sent on INVITE only"));
    cause->explains = !pass;
    cause_see_first(c, cause, c->bye ? c->bye : c->refer);
}

/* LiveKit sent a BYE or REFER, and its trunk maps nothing to either. */
static void of_empty_map(struct cause_work *c)
{
    const struct expect_trunk *t = c->w->trunk, *other = mapping_trunk(c);
    if (!c->bye && !c->refer)
        return;
    if (other)
        add_unmapped(c, other);
    if (t->headers.n || t->headers_to_attributes.n) {
        if (!is_known(c, CAUSE_WRONG_MAP))
            add_wrong_map(c);
    } else if (!other) {
        struct cause *cause = cause_add(c, CAUSE_MAP_WIPED, CHECK_POSSIBLE,
                                        SLICE("the trunk that takes the call maps nothing at all; "
                                              "an update without its maps wipes them"));
        cause_see_first(c, cause, c->bye ? c->bye : c->refer);
    }
}

/* Names of a map that stand in attributes_to_headers as well act on BYE. */
static size_t only_there(const struct cause_work *c, const struct expect_map *map,
                         const struct hop_sighting *without, struct slice *names)
{
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++)
        if (!cause_is_mapped(c->w->trunk, map->pairs[i].key) &&
            !(without && cause_has(without, map->pairs[i].key)))
            names[n++] = map->pairs[i].key;
    return n;
}

/* Fixed headers of an inbound trunk, and headers that it reads and the far end does not send: meant
 * for BYE, perhaps. */
static void of_partial_map(struct cause_work *c)
{
    const struct expect_trunk *t = c->w->trunk;
    const struct hop_journey *invite = c->invite;
    if (!c->inbound || !cause_as_sent(c->bye) || c->call->verdict == CHECK_FAIL || !invite)
        return;
    const struct hop_sighting *got = invite->steps[invite->step_count - 1].sighting;
    struct slice *names =
        ARENA_ARRAY(c->arena, struct slice, t->headers.n + t->headers_to_attributes.n);
    size_t n = only_there(c, &t->headers, c->bye->steps[0].sighting, names);
    if (n == 0 && got->message->headers_complete)
        n = only_there(c, &t->headers_to_attributes, got, names);
    if (n == 0)
        return;
    struct cause *cause = cause_add(
        c, CAUSE_WRONG_MAP, CHECK_POSSIBLE,
        arena_printf(c->arena, "%.*s %s in attributes_to_headers, and so not on BYE",
                     SLICE_ARG(cause_names(c->arena, names, n)), n == 1 ? "is not" : "are not"));
    cause->explains = false;
    cause_see_first(c, cause, c->bye);
}

void cause_of_trunk(struct cause_work *c)
{
    const struct expect_trunks *trunks = c->w->options->trunks;
    if (!trunks || trunks->n == 0)
        return;
    if (!c->w->trunk)
        of_no_trunk(c);
    else if (c->w->trunk->attributes_to_headers.n == 0)
        of_empty_map(c);
    else if (!c->ok && refusal(c))
        add_refused(c, refusal(c), false);
    else
        of_partial_map(c);
}

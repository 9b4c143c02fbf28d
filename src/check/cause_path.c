/* What was lost or changed on the way: a proxy, a back-to-back user agent, a link. */
#include "check/cause.h"

enum loss_kind { LOSS_GONE, LOSS_CHANGED, LOSS_DOUBLED };

/* Headers of one message that came to the same harm at the same place. */
struct loss {
    enum loss_kind kind;
    const struct check_guilty *guilty;
    const struct hop_journey *j;
    size_t good, bad; /* the steps around it; good == step_count: nothing before */
    struct slice message;
    struct slice *names;
    size_t n;
};

/* ---- where ----------------------------------------------------------------------------------- */

static bool is_node(const struct loss *l)
{
    return l->guilty->node.n > 0;
}

static const struct hop_sighting *sighting_at(const struct loss *l, size_t step)
{
    return l->j->steps[step].sighting;
}

/* Seen as it came in and as it went out, on the very host: nothing else lay between. */
static bool is_seen_on_both_sides(const struct cause_work *c, const struct loss *l)
{
    if (!is_node(l) || l->good >= l->j->step_count || l->bad >= l->j->step_count)
        return false;
    uint32_t node = l->j->steps[l->bad].node;
    return cause_at_node(c, sighting_at(l, l->good), node, SOURCE_IN) &&
           cause_at_node(c, sighting_at(l, l->bad), node, SOURCE_OUT);
}

static bool is_link(const struct loss *l)
{
    return !is_node(l) && l->good < l->j->step_count && l->bad == l->good + 1 &&
           l->j->steps[l->bad].link == HOP_WIRE;
}

static bool is_link_seen(const struct loss *l)
{
    return sighting_at(l, l->good)->side == SOURCE_OUT && sighting_at(l, l->bad)->side == SOURCE_IN;
}

/* Topology hiding gives another Call-ID too, but leaves the tags. */
static bool changes_dialog(const struct loss *l)
{
    if (l->good >= l->j->step_count || l->bad >= l->j->step_count)
        return false;
    const struct call_sighting *x = sighting_at(l, l->good)->index,
                               *y = sighting_at(l, l->bad)->index;
    return x->leg != y->leg && x->from_tag && y->from_tag && x->from_tag != y->from_tag;
}

static struct slice place_words(struct cause_work *c, const struct loss *l)
{
    const struct check_guilty *g = l->guilty;
    if (g->node.n)
        return g->node;
    struct text t = {0};
    for (size_t i = 0; i < g->candidate_count; i++)
        text_printf(&t, "%s%.*s", i ? " or " : "", SLICE_ARG(g->candidates[i]));
    if (g->candidate_count)
        return text_keep(&t, c->arena);
    if (g->after.n)
        text_printf(&t, "something between %.*s and %.*s", SLICE_ARG(g->after),
                    SLICE_ARG(g->before));
    else
        text_printf(&t, "something before %.*s", SLICE_ARG(g->before));
    return text_keep(&t, c->arena);
}

/* ---- which function of a script it was ------------------------------------------------------- */

/* What happened to a message's headers between two sightings. */
struct tally {
    size_t lost_x, kept_x;         /* X-... */
    size_t lost_other, kept_other; /* others that keep_hf() takes away unless they are listed */
};

/* textopsx: these stay in any case. */
static bool is_left_by_keep(const struct sip_header *h)
{
    switch (h->id) {
    case SIP_HEADER_VIA:
    case SIP_HEADER_FROM:
    case SIP_HEADER_TO:
    case SIP_HEADER_CALL_ID:
    case SIP_HEADER_CSEQ:
    case SIP_HEADER_CONTENT_LENGTH:
    case SIP_HEADER_CONTENT_TYPE:
    case SIP_HEADER_MAX_FORWARDS:
    case SIP_HEADER_CONTACT:
    case SIP_HEADER_ROUTE:
    case SIP_HEADER_RECORD_ROUTE:
        return true;
    default:
        return false;
    }
}

/* Searched from where the last one was found, for most headers keep their order. */
static bool is_kept(const struct sip_message *m, struct slice name, uint32_t *at)
{
    return sip_header_next(m, *at, name, at) || (*at && sip_header_next(m, 0, name, at));
}

static void tally_add(struct tally *t, const struct hop_sighting *from,
                      const struct hop_sighting *to)
{
    uint32_t at = 0;
    if (!to->message->headers_complete)
        return;
    for (uint32_t i = 0; i < from->message->header_count; i++) {
        const struct sip_header *h = &from->message->headers[i];
        if (is_left_by_keep(h))
            continue;
        bool kept = is_kept(to->message, h->name, &at);
        if (slice_starts_nocase(h->name, SLICE("X-")))
            *(kept ? &t->kept_x : &t->lost_x) += 1;
        else
            *(kept ? &t->kept_other : &t->lost_other) += 1;
    }
}

/* The same node, and the other messages that it passed on. */
static struct tally tally_others(const struct cause_work *c, const struct loss *l)
{
    struct tally t = {0};
    uint32_t node = l->j->steps[l->bad].node;
    const struct hop_call *call = c->w->call;
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (j->method == l->j->method || j->status)
            continue;
        for (size_t k = 1; k < j->step_count; k++)
            if (j->steps[k].link == HOP_NODE && j->steps[k].node == node)
                tally_add(&t, j->steps[k - 1].sighting, j->steps[k].sighting);
    }
    return t;
}

static struct slice keep_words(struct cause_work *c, const char *why)
{
    return arena_printf(c->arena,
                        "%s: look for keep_hf() in its script, and list these headers there, or "
                        "for what else lets only known headers pass",
                        why);
}

/* Which function does that: one name is remove_hf(), all of a pattern remove_hf_re(), all that is
 * not listed keep_hf(). */
static struct slice function_words(struct cause_work *c, const struct loss *l)
{
    struct tally here = {0}, others = {0};
    tally_add(&here, sighting_at(l, l->good), sighting_at(l, l->bad));
    if (is_node(l))
        others = tally_others(c, l);
    if (here.lost_other || (others.lost_other && others.lost_x))
        return keep_words(c, "headers that are no X- headers go as well");
    if (here.kept_x + others.kept_x && here.lost_x > 1 && others.lost_x)
        return keep_words(c, "other messages lose X- headers there too, and some stay");
    if (here.kept_x == 0 && here.lost_x > 1)
        return arena_printf(c->arena,
                            "all X- headers go%s: look for remove_hf_re(\"^X-\") in its script%s",
                            here.kept_other ? ", and others stay" : "",
                            here.kept_other ? "" : ", or for keep_hf()");
    if (l->n == 1)
        return arena_printf(c->arena, "look for remove_hf(\"%.*s\") in its script%s",
                            SLICE_ARG(l->names[0]), here.kept_x ? "" : ", or for remove_hf_re()");
    return arena_printf(c->arena,
                        "%zu X- header%s stay%s: look for a remove_hf() for each that goes, or for "
                        "remove_hf_re() with a pattern of them, in its script",
                        here.kept_x, here.kept_x == 1 ? "" : "s", here.kept_x == 1 ? "s" : "");
}

/* ---- adding ---------------------------------------------------------------------------------- */

/* A second message that the same place harms adds to the cause of the first. */
static struct cause *add_at(struct cause_work *c, const struct loss *l, enum check_cause_id id,
                            enum check_confidence confidence, struct slice words)
{
    struct slice place = place_words(c, l);
    for (size_t i = 0; i < c->causes.n; i++) {
        struct cause *old = &c->causes.items[i];
        if (old->id != id || !slice_equal(old->place, place))
            continue;
        if (!cause_has_words(old->message, words)) /* a fork says it for each branch */
            old->message =
                arena_printf(c->arena, "%.*s; %.*s", SLICE_ARG(old->message), SLICE_ARG(words));
        cause_see(c, old, l->j, l->good);
        cause_see(c, old, l->j, l->bad);
        return NULL;
    }
    struct cause *cause = cause_add(c, id, confidence, words);
    cause->place = place;
    cause_see(c, cause, l->j, l->good);
    cause_see(c, cause, l->j, l->bad);
    return cause;
}

static struct slice words_of(struct cause_work *c, const struct loss *l, const char *verb)
{
    return arena_printf(c->arena, "%.*s %s %.*s%s%.*s", SLICE_ARG(place_words(c, l)), verb,
                        SLICE_ARG(cause_names(c->arena, l->names, l->n)),
                        l->kind == LOSS_GONE ? " off " : " on ", SLICE_ARG(l->message));
}

/* The link too may have done what only its two ends were seen of. */
static void add_link_maybe(struct cause_work *c, const struct loss *l)
{
    struct slice words = arena_printf(
        c->arena, "or a link to or from %.*s does: none of them was captured at both ends",
        SLICE_ARG(place_words(c, l)));
    (void)add_at(c, l, CAUSE_LINK, CHECK_POSSIBLE, words);
}

static void add_link(struct cause_work *c, const struct loss *l)
{
    struct slice words =
        arena_printf(c->arena, "%.*s %s on %.*s between %.*s and %.*s, the two ends of one link",
                     SLICE_ARG(cause_names(c->arena, l->names, l->n)),
                     l->kind == LOSS_GONE ? "is lost" : "changes", SLICE_ARG(l->message),
                     SLICE_ARG(l->guilty->after), SLICE_ARG(l->guilty->before));
    (void)add_at(c, l, CAUSE_LINK, is_link_seen(l) ? CHECK_CERTAIN : CHECK_LIKELY, words);
}

static void add_gone(struct cause_work *c, const struct loss *l, enum check_confidence confidence)
{
    if (changes_dialog(l)) {
        (void)add_at(c, l, CAUSE_B2BUA, confidence, words_of(c, l, "does not pass"));
        return;
    }
    struct cause *cause = add_at(c, l, CAUSE_PROXY_STRIPS, confidence, words_of(c, l, "takes"));
    if (cause && l->good < l->j->step_count)
        cause->remedy = arena_printf(c->arena, "On %.*s, %.*s.", SLICE_ARG(cause->place),
                                     SLICE_ARG(function_words(c, l)));
}

static void add_doubled(struct cause_work *c, const struct loss *l,
                        enum check_confidence confidence)
{
    size_t ids = 0;
    for (size_t i = 0; i < c->causes.n; i++)
        if (c->causes.items[i].id == CAUSE_HEADERS_DOUBLED &&
            slice_equal(c->causes.items[i].place, place_words(c, l)))
            return; /* the next node dropped the message for it */
    const struct sip_message *m = sighting_at(l, l->bad)->message;
    for (uint32_t i = 0; i < m->header_count; i++)
        ids += m->headers[i].id == SIP_HEADER_CALL_ID;
    bool all = ids > 1;
    (void)add_at(c, l, CAUSE_HEADERS_DOUBLED, all ? confidence : CHECK_LIKELY,
                 arena_printf(c->arena, "%.*s%s", SLICE_ARG(words_of(c, l, "doubles")),
                              all ? ", and the Call-ID with them" : ""));
}

/* ---- renamed --------------------------------------------------------------------------------- */

static const struct sip_header *renamed(const struct loss *l, struct slice name)
{
    uint32_t at = 0;
    const struct sip_header *was = sip_header_next(sighting_at(l, l->good)->message, 0, name, &at);
    const struct sip_message *m = sighting_at(l, l->bad)->message;
    for (uint32_t i = 0; was && i < m->header_count; i++)
        if (expect_names_near(m->headers[i].name, name) &&
            slice_equal(m->headers[i].value, was->value) &&
            !cause_has(sighting_at(l, l->good), m->headers[i].name))
            return &m->headers[i];
    return NULL;
}

/* The value goes on under a name that is nearly the same. */
static void take_renamed(struct cause_work *c, struct loss *l, enum check_confidence confidence)
{
    size_t left = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct sip_header *near = renamed(l, l->names[i]);
        if (!near) {
            l->names[left++] = l->names[i];
            continue;
        }
        struct cause *cause =
            add_at(c, l, CAUSE_NEAR_MISS, confidence,
                   arena_printf(c->arena, "%.*s sends the value of %.*s on under the name %.*s",
                                SLICE_ARG(place_words(c, l)), SLICE_ARG(l->names[i]),
                                SLICE_ARG(near->name)));
        if (cause)
            cause->remedy = arena_printf(
                c->arena, "On %.*s, write the header's name as %.*s where it is added.",
                SLICE_ARG(cause->place), SLICE_ARG(l->names[i]));
    }
    l->n = left;
}

/* ---- each message ---------------------------------------------------------------------------- */

static void explain(struct cause_work *c, struct loss *l)
{
    bool seen = is_seen_on_both_sides(c, l), start = l->good >= l->j->step_count;
    enum check_confidence confidence = seen ? CHECK_CERTAIN : start ? CHECK_POSSIBLE : CHECK_LIKELY;
    if (is_link(l)) {
        add_link(c, l);
        return;
    }
    if (l->kind == LOSS_GONE && !start)
        take_renamed(c, l, confidence);
    if (l->n == 0)
        return;
    if (l->kind == LOSS_DOUBLED)
        add_doubled(c, l, confidence);
    else if (l->kind == LOSS_CHANGED)
        (void)add_at(c, l, CAUSE_PROXY_ALTERS, confidence, words_of(c, l, "changes"));
    else
        add_gone(c, l, confidence);
    if (!seen && !start)
        add_link_maybe(c, l);
}

static bool loss_of(const struct check_header *h, enum loss_kind *kind)
{
    switch (h->verdict) {
    case CHECK_STRIPPED:
    case CHECK_MISSING:
        *kind = LOSS_GONE;
        return true;
    case CHECK_ALTERED:
    case CHECK_TRUNCATED:
    case CHECK_ENCODED:
    case CHECK_EMPTIED:
        *kind = LOSS_CHANGED;
        return true;
    case CHECK_DUPLICATED:
        *kind = LOSS_DOUBLED;
        return true;
    default:
        return false;
    }
}

/* Before the first sighting there is the sender, which has causes of its own, and whom it passed.
 */
static const struct check_guilty *without_sender(struct cause_work *c, const struct hop_journey *j,
                                                 const struct check_guilty *g)
{
    struct check_guilty *copy = ARENA_NEW(c->arena, struct check_guilty);
    struct slice *names = ARENA_ARRAY(c->arena, struct slice, g->candidate_count);
    struct slice sender =
        j->sender != HOP_NODE_NONE ? hop_node_name(c->nodes, j->sender) : j->sender_address;
    *copy = *g;
    copy->candidates = names;
    copy->candidate_count = 0;
    for (size_t i = 0; i < g->candidate_count; i++)
        if (!slice_equal(g->candidates[i], sender))
            names[copy->candidate_count++] = g->candidates[i];
    return copy;
}

static bool has_place(const struct check_guilty *g)
{
    return g->any && !g->sender && (g->after.n || g->node.n || g->candidate_count);
}

static bool joins(const struct loss *l, const struct loss *other)
{
    const struct check_guilty *x = l->guilty, *y = other->guilty;
    return l->kind == other->kind && slice_equal(x->node, y->node) &&
           slice_equal(x->after, y->after) && slice_equal(x->before, y->before);
}

static void of_request(struct cause_work *c, const struct check_request *r,
                       const struct hop_journey *j)
{
    struct loss *list = ARENA_ARRAY(c->arena, struct loss, r->header_count);
    size_t n = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        const struct check_header *h = &r->headers[i];
        struct loss loss = {.guilty = without_sender(c, j, &h->guilty),
                            .j = j,
                            .message = check_message_name(c->arena, r)};
        size_t at = 0;
        if (!h->expected || !loss_of(h, &loss.kind) || !has_place(loss.guilty))
            continue;
        check_header_harm(h, j->step_count, &loss.good, &loss.bad);
        while (at < n && !joins(&list[at], &loss))
            at++;
        if (at == n) {
            loss.names = ARENA_ARRAY(c->arena, struct slice, r->header_count);
            list[n++] = loss;
        }
        list[at].names[list[at].n++] = h->name;
    }
    for (size_t i = 0; i < n; i++)
        if (list[i].bad < j->step_count)
            explain(c, &list[i]);
}

void cause_of_path(struct cause_work *c)
{
    for (size_t i = 0; i < c->call->request_count; i++)
        of_request(c, &c->call->requests[i], c->w->judged_journeys[i]);
}

/* Which messages a rule is about, and which of their sightings. */
#include "check/rule.h"

/* ---- the message ----------------------------------------------------------------------------- */

/* What each element builds anew is meant only where it is named. */
static bool kind_fits(const struct check_work *w, const struct hop_journey *j,
                      const struct expect_kind *k)
{
    bool named = j->status ? k->status_min && k->status_min == k->status_max : k->method.n > 0;
    if (j->status ? j->status < k->status_min || j->status > k->status_max : k->status_min > 0)
        return false;
    if (k->method.n && !slice_equal(k->method, j->method_name))
        return false;
    if (check_is_hop_by_hop(w, j) && !named)
        return false;
    bool initial = j->status ? check_answers_initial(w, j) : check_is_initial_invite(j);
    return k->again ? !initial : !k->initial || initial;
}

static bool any_kind_fits(const struct rule_at *at)
{
    const struct expect_rule *rule = at->rule;
    if (rule->kind_count == 0)
        return !check_is_hop_by_hop(at->w, at->journey);
    for (size_t i = 0; i < rule->kind_count; i++)
        if (kind_fits(at->w, at->journey, &rule->kinds[i]))
            return true;
    return false;
}

static enum rule_truth truth(bool yes)
{
    return yes ? RULE_YES : RULE_NO;
}

/* One is enough; what cannot be told counts where none is. */
static enum rule_truth either(enum rule_truth a, enum rule_truth b)
{
    return a == RULE_YES || b == RULE_YES ? RULE_YES : a == RULE_OPEN ? a : b;
}

static enum rule_truth open_because(struct rule_at *at, const char *reason)
{
    at->reason = slice_of(reason);
    return RULE_OPEN;
}

static enum rule_truth way_fits(struct rule_at *at)
{
    enum hop_direction d = at->w->call->direction;
    if (at->rule->way == EXPECT_ANY_WAY)
        return RULE_YES;
    if (d == HOP_UNKNOWN)
        return open_because(at, "the captures do not tell whether the call is inbound or outbound");
    return truth((at->rule->way == EXPECT_WAY_INBOUND) == (d == HOP_INBOUND));
}

/* ---- the sender ------------------------------------------------------------------------------ */

static enum rule_truth sent_by_livekit(const struct hop_journey *j, bool far)
{
    if (!j->livekit_known)
        return RULE_OPEN;
    return truth(!j->made_by_proxy && j->livekit_sent != far);
}

/* A response goes the other way than its request, whose direction it bears. */
static enum rule_truth sent_by_side(const struct hop_journey *j, bool caller)
{
    if (j->made_by_proxy)
        return RULE_NO;
    return j->orientation_known ? truth((j->downstream == (j->status == 0)) == caller) : RULE_OPEN;
}

static enum rule_truth sent_by_node(const struct check_work *w, const struct hop_journey *j,
                                    struct slice name)
{
    bool known = j->sender != HOP_NODE_NONE;
    if ((known && slice_equal(hop_node_name(w->call->nodes, j->sender), name)) ||
        slice_equal(j->sender_address, name))
        return RULE_YES;
    return known ? RULE_NO : RULE_OPEN;
}

static enum rule_truth sender_is(const struct rule_at *at, struct slice name)
{
    const struct hop_journey *j = at->journey;
    if (slice_is(name, "livekit") || slice_is(name, "far"))
        return sent_by_livekit(j, slice_is(name, "far"));
    if (slice_is(name, "caller") || slice_is(name, "callee"))
        return sent_by_side(j, slice_is(name, "caller"));
    return sent_by_node(at->w, j, name);
}

static enum rule_truth sender_fits(struct rule_at *at)
{
    const struct expect_list *senders = &at->rule->senders;
    enum rule_truth fits = truth(senders->n == 0);
    for (size_t i = 0; i < senders->n; i++)
        fits = either(fits, sender_is(at, senders->items[i]));
    return fits == RULE_OPEN ? open_because(at, "the captures do not tell who sent it") : fits;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static enum rule_truth number_fits(const struct expect_list *patterns, struct slice number)
{
    enum rule_truth fits = truth(patterns->n == 0);
    for (size_t i = 0; i < patterns->n; i++)
        fits = either(fits,
                      number.n ? truth(slice_glob_nocase(number, patterns->items[i])) : RULE_OPEN);
    return fits;
}

static enum rule_truth trunk_fits(const struct rule_at *at)
{
    const struct expect_list *trunks = &at->rule->trunks;
    const struct expect_trunk *t = at->w->trunk;
    for (size_t i = 0; i < trunks->n; i++)
        if (t && (slice_equal(t->id, trunks->items[i]) || slice_equal(t->name, trunks->items[i])))
            return RULE_YES;
    return truth(trunks->n == 0);
}

/* Of this message as it was seen first, or of any of that kind in the call. */
static enum rule_truth condition_holds(const struct rule_at *at, const struct expect_condition *c)
{
    const struct hop_call *call = at->w->call;
    enum rule_truth holds = RULE_OPEN;
    bool any = false;
    if (!c->has_kind)
        return rule_test_message(at->w->arena, &c->test, at->journey->steps[0].sighting->message);
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (j->step_count == 0 || !kind_fits(at->w, j, &c->kind))
            continue;
        enum rule_truth one =
            rule_test_message(at->w->arena, &c->test, j->steps[0].sighting->message);
        holds = any ? either(holds, one) : one;
        any = true;
    }
    return holds;
}

static enum rule_truth both(enum rule_truth a, enum rule_truth b)
{
    return a == RULE_NO || b == RULE_NO ? RULE_NO : a == RULE_OPEN ? a : b;
}

static enum rule_truth conditions_hold(struct rule_at *at)
{
    const struct expect_rule *rule = at->rule;
    enum rule_truth all = both(number_fits(&rule->callers, at->w->caller),
                               number_fits(&rule->callees, at->w->callee));
    all = both(all, trunk_fits(at));
    for (size_t i = 0; all != RULE_NO && i < rule->condition_count; i++)
        all = both(all, condition_holds(at, &rule->conditions[i]));
    return all == RULE_OPEN
               ? open_because(at, "the captures do not tell whether its condition holds")
               : all;
}

/* ---- places ---------------------------------------------------------------------------------- */

static bool side_fits(enum expect_side asked, enum source_direction side)
{
    return asked == EXPECT_EITHER_SIDE ||
           (asked == EXPECT_SIDE_IN ? side == SOURCE_IN : side == SOURCE_OUT);
}

static size_t mark_point(struct rule_at *at, const struct expect_place *p)
{
    size_t n = 0;
    for (size_t i = 0; i < at->journey->step_count; i++) {
        const struct hop_sighting *s = at->journey->steps[i].sighting;
        if (!slice_is(p->name, hop_point_name(at->w->call->nodes, s->index->point)) ||
            !side_fits(p->side, s->side))
            continue;
        at->steps[i] = true;
        n++;
    }
    return n;
}

static bool is_named(const struct rule_at *at, uint32_t node, struct slice name)
{
    return node != HOP_NODE_NONE && slice_equal(hop_node_name(at->w->call->nodes, node), name);
}

/* What reached or left a node, as it was seen elsewhere. */
static size_t mark_node(struct rule_at *at, const struct expect_place *p)
{
    size_t n = 0;
    for (size_t i = 0; i < at->journey->step_count; i++) {
        const struct hop_sighting *s = at->journey->steps[i].sighting;
        bool in = p->side != EXPECT_SIDE_OUT && is_named(at, s->dst_node, p->name);
        bool out = p->side != EXPECT_SIDE_IN && is_named(at, s->src_node, p->name);
        if (!in && !out)
            continue;
        at->steps[i] = true;
        n++;
    }
    return n;
}

static size_t mark(struct rule_at *at, const struct expect_place *p)
{
    size_t last = at->journey->step_count - 1;
    if (p->where == EXPECT_AT) {
        size_t n = mark_point(at, p);
        return n ? n : mark_node(at, p);
    }
    for (size_t i = 0; i <= last; i++)
        at->steps[i] |= p->where == EXPECT_EVERY_HOP || (p->where == EXPECT_FIRST_HOP && i == 0) ||
                        (p->where == EXPECT_LAST_HOP && i == last);
    return 1;
}

/* The hop behind the last sighting may be one that was not decrypted. */
static enum rule_truth mark_places(struct rule_at *at)
{
    static const struct expect_place everywhere = {.where = EXPECT_EVERY_HOP};
    const struct expect_rule *rule = at->rule;
    size_t marked = rule->place_count ? 0 : mark(at, &everywhere);
    for (size_t i = 0; i < rule->place_count; i++) {
        if (rule->places[i].where == EXPECT_LAST_HOP && check_find_hidden(at->w, at->journey))
            return open_because(at, "its last hop was not decrypted");
        marked += mark(at, &rule->places[i]);
    }
    return truth(marked > 0);
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum rule_truth rule_selects(struct rule_at *at)
{
    static const struct {
        enum rule_truth (*fits)(struct rule_at *at);
        enum check_rule_stage stage; /* where it is not so */
    } filters[] = {
        {way_fits, CHECK_RULE_NO_WAY},
        {sender_fits, CHECK_RULE_NO_SENDER},
        {conditions_hold, CHECK_RULE_NO_CONDITION},
        {mark_places, CHECK_RULE_NO_PLACE},
    };
    struct check_rule_count *count = &at->w->summary->rules[at->index];
    enum rule_truth all = RULE_YES;
    if (!any_kind_fits(at))
        return RULE_NO;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        enum rule_truth one = filters[i].fits(at);
        if (one == RULE_NO) {
            if (count->stage < filters[i].stage)
                count->stage = filters[i].stage;
            return RULE_NO;
        }
        all = both(all, one);
    }
    return all;
}

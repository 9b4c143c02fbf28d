/* How much speaks for two legs being one call. */
#include "hop/join.h"

/* What speaks for a joint, and how much. */
static const struct reason {
    const char *text;
    int points;
} reasons[] = {{"same tags and CSeq", 100},
               {"same header value on both INVITEs", 60},
               {"one node received and sent", 30},
               {"same callee", 15},
               {"same caller", 15},
               {"near in time", 10},
               {"no other fits as well", 10}};

int join_points_of(const struct join_score *s)
{
    int points = 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        points += s->reasons >> i & 1 ? reasons[i].points : 0;
    return points;
}

void join_score_print(struct text *out, const struct join_score *s)
{
    const char *between = "";
    text_printf(out, "score %d: ", join_points_of(s));
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (s->reasons >> i & 1) {
            text_printf(out, "%s%s %d", between, reasons[i].text, reasons[i].points);
            between = ", ";
        }
}

size_t join_carriers(const struct hop_joiner *j, uint64_t key, size_t limit)
{
    size_t n = 0;
    for (uint32_t at = map_first(&j->index, key);
         n < limit && map_next(&j->index, key, &at) != MAP_NONE;)
        n++;
    return n;
}

static bool share_value(const struct hop_joiner *j, const struct join_facts *x,
                        const struct join_facts *y, bool near)
{
    for (size_t i = 0; i < x->value_count; i++)
        for (size_t k = 0; k < y->value_count; k++)
            if (x->keys.items[i] == y->keys.items[k] && (near || x->long_values >> i & 1) &&
                join_carriers(j, x->keys.items[i], JOIN_MANY) < JOIN_MANY)
                return true;
    return false;
}

static bool go_alike(const struct join_invite *x, const struct join_invite *y)
{
    if (address_is_none(&x->src.ip) && (x->point != y->point || x->direction != y->direction))
        return false; /* two logs that do not tell */
    return endpoint_equal(&x->src, &y->src) &&
           ((x->first_hop && y->first_hop) || endpoint_equal(&x->dst, &y->dst));
}

/* Both INVITEs were made at one address, or went the same way over one link: two calls beside each
 * other, not one after the other. */
static bool run_alike(const struct join_facts *x, const struct join_facts *y)
{
    for (size_t i = 0; i < x->invites.n; i++)
        for (size_t k = 0; k < y->invites.n; k++)
            if (go_alike(&x->invites.items[i], &y->invites.items[k]))
                return true;
    return false;
}

/* Did x's INVITE end where y's begins, as one point saw it, in this order? */
static bool one_place(const struct hop_nodes *n, const struct join_invite *in,
                      const struct join_invite *out)
{
    int64_t apart = out->time_ns - in->time_ns;
    if (!out->first_hop || in->point != out->point || apart < 0 ||
        apart > (int64_t)JOIN_SECONDS * 1000000000)
        return false;
    if ((!address_is_none(&in->dst.ip) && address_equal(&in->dst.ip, &out->src.ip)) ||
        (in->direction == SOURCE_IN && out->direction == SOURCE_OUT))
        return true;
    uint32_t a = hop_node_at(n, &in->dst), b = hop_node_at(n, &out->src);
    if (a == HOP_NODE_NONE || b == HOP_NODE_NONE)
        return false;
    return a == b || !(hop_node_forwards(n, a) || hop_node_forwards(n, b) ||
                       hop_node_at(n, &in->src) == b || hop_node_at(n, &out->dst) == a);
}

static bool placed(const struct hop_nodes *n, const struct join_facts *x,
                   const struct join_facts *y, struct join_score *s)
{
    for (size_t i = 0; i < x->invites.n; i++)
        for (size_t k = 0; k < y->invites.n; k++)
            if (one_place(n, &x->invites.items[i], &y->invites.items[k])) {
                s->in = &x->invites.items[i];
                s->out = &y->invites.items[k];
                return true;
            }
    return false;
}

static bool near_in_time(const struct join_facts *x, const struct join_facts *y)
{
    int64_t apart = x->invites.n && y->invites.n
                        ? y->invites.items[0].time_ns - x->invites.items[0].time_ns
                        : INT64_MAX;
    return apart > -(int64_t)JOIN_SECONDS * 1000000000 &&
           apart < (int64_t)JOIN_SECONDS * 1000000000;
}

/* Both tags are the dialog, whatever the clocks say; the caller's alone may be another's, dialled
 * again. */
static bool same_tags(const struct join_facts *x, const struct join_facts *y)
{
    if (!x->from_tag || x->from_tag != y->from_tag || x->cseq != y->cseq)
        return false;
    if (x->to_tag && y->to_tag)
        return x->to_tag == y->to_tag && !run_alike(x, y);
    return near_in_time(x, y);
}

struct join_score join_score_of(const struct hop_joiner *j, const struct hop_nodes *n, uint32_t x,
                                uint32_t y)
{
    const struct join_facts *fx = j->legs.items[x], *fy = j->legs.items[y];
    struct join_score s = {0};
    if (!fx || !fy || !fx->known || !fy->known)
        return s;
    if (fx->from_tag == fy->from_tag) {
        s.reasons = same_tags(fx, fy) ? BY_TAGS : 0;
        return s;
    }
    if (run_alike(fx, fy))
        return s;
    bool place = placed(n, fx, fy, &s), near = place || near_in_time(fx, fy);
    s.reasons = (place ? BY_PLACE : 0) | (near ? BY_TIME : 0) |
                (share_value(j, fx, fy, near) ? BY_VALUE : 0) |
                (fx->callee && fx->callee == fy->callee ? BY_CALLEE : 0) |
                (fx->caller && fx->caller == fy->caller ? BY_CALLER : 0);
    return s;
}

/* The order that has more to say for it; LiveKit stands at an end; time is the last resort. */
int join_order(const struct hop_joiner *j, uint32_t x, uint32_t y, const struct join_score *xy,
               const struct join_score *yx)
{
    const struct join_facts *fx = j->legs.items[x], *fy = j->legs.items[y];
    if (!xy->reasons && !yx->reasons)
        return 0;
    bool x_first = fx->begins_at_livekit || fy->ends_at_livekit;
    bool y_first = fy->begins_at_livekit || fx->ends_at_livekit;
    if (x_first != y_first)
        return x_first ? 1 : -1;
    int ahead = join_points_of(xy) - join_points_of(yx);
    if (ahead)
        return ahead > 0 ? 1 : -1;
    return fx->start_ns <= fy->start_ns ? 1 : -1;
}

/* A back-to-back user agent ends one dialog and begins another.  What it received on one leg and
 * sent on the next is one message to the user: the k-th of a kind in one direction continues as the
 * k-th on the next leg. */
#include "hop/internal.h"

static bool was_challenged(const struct hop_path *p)
{
    const struct hop_sighting *s = p->journey.answer_sighting;
    return s && (s->message->status == 401 || s->message->status == 407);
}

static bool same_kind(const struct hop_path *x, const struct hop_path *y)
{
    return x->journey.method == y->journey.method && x->journey.status == y->journey.status &&
           slice_equal(x->journey.method_name, y->journey.method_name) &&
           x->journey.downstream == y->journey.downstream;
}

static size_t count_kind(const struct hop_paths *paths, uint32_t leg, const struct hop_path *like)
{
    size_t n = 0;
    for (size_t i = 0; i < paths->n; i++)
        n += paths->items[i].leg == leg && same_kind(&paths->items[i], like);
    return n;
}

/* Challenged where it came in, and repeated: a leg with fewer of its kind has the repetition only.
 * Where each leg has as many, the challenge came from further on, and all of them went there. */
static bool stays_behind(const struct hop_call *call, const struct hop_paths *paths,
                         const struct hop_path *p)
{
    size_t mine = was_challenged(p) ? count_kind(paths, p->leg, p) : 0;
    for (size_t i = 0; mine && i < call->leg_count; i++) {
        size_t theirs = count_kind(paths, call->legs[i], p);
        if (theirs && theirs < mine)
            return true;
    }
    return false;
}

/* Which of the same kind on its leg is this, in order of time? */
static uint32_t rank_of(const struct hop_paths *paths, const struct hop_path *p)
{
    uint32_t rank = 0;
    for (size_t i = 0; i < paths->n; i++) {
        const struct hop_path *x = &paths->items[i];
        if (x != p && x->leg == p->leg && same_kind(x, p) && !x->stays &&
            (x->time_ns < p->time_ns || (x->time_ns == p->time_ns && x < p)))
            rank++;
    }
    return rank;
}

static struct hop_path *continuation(struct hop_paths *paths, const struct hop_path *p,
                                     uint32_t leg)
{
    uint32_t rank = paths->items[p->tail].rank;
    for (size_t i = 0; i < paths->n; i++) {
        struct hop_path *x = &paths->items[i];
        if (x->leg == leg && !x->merged && x->journey.orientation_known && same_kind(x, p) &&
            !x->stays && x->rank == rank)
            return x;
    }
    return NULL;
}

static bool share_point(const struct hop_path *x, const struct hop_path *y)
{
    for (size_t i = 0; i < x->journey.step_count; i++)
        if (x->steps[i].sighting->index->point == y->first->index->point &&
            x->steps[i].sighting->dst_node == x->last_dst)
            return true;
    return false;
}

static void add_name(struct hop_step *joint, struct slice *names, struct slice name)
{
    for (size_t i = 0; i < joint->between_count; i++)
        if (slice_equal(names[i], name))
            return;
    if (name.n) /* an end that a log does not name */
        names[joint->between_count++] = name;
}

/* Who ended the one leg, who is known to lie before the first sighting of the next, who sent that.
 */
static void name_joint(struct arena *a, const struct hop_nodes *n, const struct hop_path *up,
                       const struct hop_path *down, struct hop_step *joint)
{
    bool one = up->last_dst != HOP_NODE_NONE && up->last_dst == down->first_src;
    struct slice *names = ARENA_ARRAY(a, struct slice, down->journey.before_count + 2);
    joint->link = one && share_point(up, down) ? HOP_NODE : HOP_GAP;
    joint->node = one ? up->last_dst : HOP_NODE_NONE;
    joint->between = names;
    joint->between_count = 0;
    add_name(joint, names, hop_node_or_address(a, n, up->last_dst, &up->last->dst));
    for (size_t i = 0; i < down->journey.before_count; i++)
        add_name(joint, names, down->journey.before[i]);
    add_name(joint, names, hop_node_or_address(a, n, down->first_src, &down->first->src));
}

static void append(struct arena *a, const struct hop_nodes *n, struct hop_path *up,
                   struct hop_path *down)
{
    size_t total = up->journey.step_count + down->journey.step_count;
    struct hop_step *steps = ARENA_ARRAY(a, struct hop_step, total);
    for (size_t i = 0; i < total; i++)
        steps[i] =
            i < up->journey.step_count ? up->steps[i] : down->steps[i - up->journey.step_count];
    name_joint(a, n, up, down, &steps[up->journey.step_count]);
    up->journey.steps = up->steps = steps;
    up->journey.step_count = total;
    up->last = down->last;
    up->last_dst = down->last_dst;
    up->last_leg = down->leg;
    up->tail = down->tail;
    up->journey.swallowed = down->journey.swallowed;
    up->journey.swallowed_by = down->journey.swallowed_by;
    if (!up->journey.livekit_known) {
        up->journey.livekit_known = down->journey.livekit_known;
        up->journey.livekit_sent = down->journey.livekit_sent;
    }
    up->journey.aside &= down->journey.aside;
    down->merged = true;
}

/* Follows the journeys of one leg over to a neighbouring one. */
static void stitch_legs(struct arena *a, const struct hop_nodes *n, struct hop_paths *paths,
                        uint32_t from, uint32_t to, bool downstream)
{
    for (size_t i = 0; i < paths->n; i++) {
        struct hop_path *p = &paths->items[i];
        bool travels_down = p->journey.status ? !p->journey.downstream : p->journey.downstream;
        if (p->merged || p->last_leg != from || !p->journey.orientation_known ||
            travels_down != downstream || p->stays)
            continue;
        struct hop_path *next = continuation(paths, p, to);
        if (next)
            append(a, n, p, next);
    }
}

/* Legs that topology hiding made keep their tags: their messages are together already. */
static void stitch_pair(struct arena *a, const struct hop_call *call, struct hop_paths *paths,
                        size_t from, size_t to)
{
    const struct call_leg *x = call_leg_of(call->table, call->legs[from]);
    const struct call_leg *y = call_leg_of(call->table, call->legs[to]);
    if (x->from_tag != y->from_tag)
        stitch_legs(a, call->nodes, paths, call->legs[from], call->legs[to], from < to);
}

void hop_paths_stitch(struct arena *a, const struct hop_call *call,
                      const struct hop_skipped *skipped, struct hop_paths *paths)
{
    for (size_t i = 0; call->leg_count > 1 && i < paths->n; i++)
        paths->items[i].stays = stays_behind(call, paths, &paths->items[i]);
    for (size_t i = 0; call->leg_count > 1 && i < paths->n; i++)
        paths->items[i].rank =
            rank_of(paths, &paths->items[i]) + hop_skipped_of(skipped, &paths->items[i]);
    for (size_t i = 0; i + 1 < call->leg_count; i++)
        stitch_pair(a, call, paths, i, i + 1);
    for (size_t i = call->leg_count; i-- > 1;)
        stitch_pair(a, call, paths, i, i - 1);
}

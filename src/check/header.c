/* One header along one path: at each sighting present, missing, altered or not captured; the first
 * harm names the guilty. */
#include "check/internal.h"

static enum check_state state_of(const struct expect_list *reference,
                                 const struct expect_list *values, bool cut,
                                 const struct sip_message *m)
{
    if (cut)
        return CHECK_STATE_CUT;
    if (values->n == 0)
        return m->headers_complete ? CHECK_STATE_MISSING : CHECK_STATE_CUT;
    return !reference || check_values_compare(reference, values) == CHECK_OK ? CHECK_STATE_PRESENT
                                                                             : CHECK_STATE_ALTERED;
}

/* The values that count as right: those promised, else those of the first sighting that shows any
 * in full. */
static const struct expect_list *reference_of(const struct check_work *w,
                                              const struct check_question *q,
                                              const struct expect_list *values, const bool *cut,
                                              size_t n)
{
    if (q->owed && q->owed->has_value && q->owed->force == EXPECT_MUST) {
        struct expect_list *promised = ARENA_NEW(w->arena, struct expect_list);
        promised->items = ARENA_NEW(w->arena, struct slice);
        promised->items[0] = q->owed->value;
        promised->n = 1;
        return promised;
    }
    for (size_t i = 0; i < n; i++)
        if (values[i].n && !cut[i])
            return &values[i];
    return NULL;
}

static struct slice sender_name(const struct check_work *w, const struct hop_journey *j)
{
    if (j->sender != HOP_NODE_NONE)
        return hop_node_name(w->call->nodes, j->sender);
    return j->sender_address;
}

static struct check_guilty guilty_sender(const struct check_work *w, const struct hop_journey *j)
{
    struct check_guilty g = {
        .any = true, .sender = true, .node = sender_name(w, j), .out = j->sender_address};
    if (g.node.n == 0)
        g.before = hop_sighting_at(w->arena, w->call->nodes, j->steps[0].sighting);
    return g;
}

static size_t add_between(struct slice *names, size_t n, const struct hop_journey *j, size_t from,
                          size_t to)
{
    for (size_t i = from; i <= to; i++)
        for (size_t k = 0; k < j->steps[i].between_count; k++)
            names[n++] = j->steps[i].between[k];
    return n;
}

static size_t count_between(const struct hop_journey *j, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i <= to; i++)
        n += j->steps[i].between_count;
    return n;
}

/* Somewhere before a step, with nothing to be seen of the header at those before it. */
static struct check_guilty guilty_before(const struct check_work *w, const struct hop_journey *j,
                                         size_t step)
{
    struct check_guilty g = {
        .any = true, .before = hop_sighting_at(w->arena, w->call->nodes, j->steps[step].sighting)};
    struct slice *names =
        ARENA_ARRAY(w->arena, struct slice, j->before_count + 1 + count_between(j, 1, step));
    for (size_t i = 0; i < j->before_count; i++)
        names[g.candidate_count++] = j->before[i];
    if (j->from_sender)
        names[g.candidate_count++] = sender_name(w, j);
    g.candidate_count = add_between(names, g.candidate_count, j, 1, step);
    g.candidates = names;
    return g;
}

static struct slice node_at_step(const struct check_work *w, const struct hop_step *step)
{
    if (step->node != HOP_NODE_NONE)
        return hop_node_name(w->call->nodes, step->node);
    return step->between_count ? step->between[0] : SLICE_NONE;
}

static struct slice ip_text(struct arena *a, const struct endpoint *e)
{
    return arena_copy(a, slice_of(address_format(&e->ip).s));
}

/* What a point on a node's host saw come in, it saw go out: only the node lies between.  Where
 * nothing else was captured between the last good and the first bad sighting but what is cut, the
 * stretch is named instead. */
static struct check_guilty guilty_between(const struct check_work *w, const struct hop_journey *j,
                                          size_t good, size_t bad)
{
    const struct hop_sighting *from = j->steps[good].sighting, *to = j->steps[bad].sighting;
    struct check_guilty g = {.any = true};
    if (bad == good + 1 && j->steps[bad].link == HOP_NODE) {
        g.node = node_at_step(w, &j->steps[bad]);
        g.in = ip_text(w->arena, &from->dst);
        g.out = ip_text(w->arena, &to->src);
        return g;
    }
    g.after = hop_sighting_at(w->arena, w->call->nodes, from);
    g.before = hop_sighting_at(w->arena, w->call->nodes, to);
    struct slice *names = ARENA_ARRAY(w->arena, struct slice, count_between(j, good + 1, bad));
    g.candidate_count = add_between(names, 0, j, good + 1, bad);
    g.candidates = names;
    return g;
}

/* ---- the walk ------------------------------------------------------------------------------- */

/* Does the sighting show the message as it left its sender, no other node having touched it? */
static bool is_as_sent(const struct hop_journey *j, size_t step)
{
    for (size_t i = 1; i <= step; i++)
        if (j->steps[i].link != HOP_WIRE)
            return false;
    return j->from_sender;
}

/* Where the first sighting that was captured far enough stands wrong already. */
static struct check_guilty guilty_at_start(const struct check_work *w, const struct hop_journey *j,
                                           size_t step)
{
    return is_as_sent(j, step) ? guilty_sender(w, j) : guilty_before(w, j, step);
}

static void judge_absent_at_start(const struct check_work *w, const struct hop_journey *j,
                                  struct check_header *h, size_t known)
{
    h->verdict = is_as_sent(j, known) ? CHECK_NEVER_SENT : CHECK_MISSING;
    h->guilty = guilty_at_start(w, j, known);
}

/* From the first sighting that shows the header on. */
static void judge_survival(const struct check_work *w, const struct hop_journey *j,
                           struct check_header *h, const struct expect_list *reference, size_t seen)
{
    size_t good = seen, n = j->step_count;
    if (h->states[seen] == CHECK_STATE_ALTERED) {
        h->verdict = check_values_compare(reference, &h->values[seen]);
        h->guilty = guilty_at_start(w, j, seen);
        return;
    }
    for (size_t i = seen + 1; i < n; i++) {
        if (h->states[i] == CHECK_STATE_PRESENT)
            good = i;
        if (h->states[i] != CHECK_STATE_MISSING && h->states[i] != CHECK_STATE_ALTERED)
            continue;
        h->verdict = check_values_compare(reference, &h->values[i]);
        h->guilty = guilty_between(w, j, good, i);
        return;
    }
    h->verdict = h->states[n - 1] == CHECK_STATE_PRESENT ? CHECK_OK : CHECK_UNKNOWN;
}

static void judge(const struct check_work *w, const struct hop_journey *j,
                  const struct check_question *q, struct check_header *h,
                  const struct expect_list *reference)
{
    size_t n = j->step_count, seen = n, known = n;
    for (size_t i = n; i-- > 0;) {
        if (h->states[i] != CHECK_STATE_CUT)
            known = i;
        if (h->states[i] == CHECK_STATE_PRESENT || h->states[i] == CHECK_STATE_ALTERED)
            seen = i;
    }
    bool must = q->owed && q->owed->force == EXPECT_MUST;
    h->must = must;
    h->expected = must || (seen < n && seen == known);
    if (known == n)
        h->verdict = CHECK_UNKNOWN;
    else if (seen == n || (must && h->states[known] == CHECK_STATE_MISSING))
        judge_absent_at_start(w, j, h, known);
    else
        judge_survival(w, j, h, reference, seen);
}

struct check_header check_header_judge(const struct check_work *w, const struct hop_journey *j,
                                       const struct check_question *q)
{
    size_t n = j->step_count;
    struct expect_list *values = ARENA_ARRAY(w->arena, struct expect_list, n);
    enum check_state *states = ARENA_ARRAY(w->arena, enum check_state, n);
    bool *cut = ARENA_ARRAY(w->arena, bool, n);
    for (size_t i = 0; i < n; i++)
        values[i] = check_values_of(w->arena, j->steps[i].sighting->message, q->name, &cut[i]);
    const struct expect_list *reference = reference_of(w, q, values, cut, n);
    for (size_t i = 0; i < n; i++)
        states[i] = state_of(reference, &values[i], cut[i], j->steps[i].sighting->message);
    struct check_header h = {.name = q->name, .states = states, .values = values};
    if (q->owed && q->owed->has_value) {
        h.has_value = true;
        h.value = q->owed->value;
    }
    judge(w, j, q, &h, reference);
    return h;
}

/* The last sighting where the header stood right and the first where it did not; count: none. */
void check_header_harm(const struct check_header *h, size_t count, size_t *good, size_t *bad)
{
    *good = *bad = count;
    for (size_t i = 0; i < count && *bad == count; i++) {
        if (h->states[i] == CHECK_STATE_PRESENT)
            *good = i;
        else if (h->states[i] != CHECK_STATE_CUT && (*good != count || h->verdict != CHECK_OK))
            *bad = i;
    }
}

/* Why it came to the findings of a call: the causes of all kinds, the likeliest first. */
#include "check/cause.h"

#include <stdlib.h>

#define NAMES_SHOWN 3u /* headers that a message names; the report lists all */

/* ---- adding ---------------------------------------------------------------------------------- */

struct cause *cause_add(struct cause_work *c, enum check_cause_id id,
                        enum check_confidence confidence, struct slice message)
{
    const struct check_cause_kind *kinds;
    (void)check_cause_kinds(&kinds);
    struct cause *cause = vec_add(&c->causes);
    *cause = (struct cause){.id = id,
                            .confidence = confidence,
                            .explains = true,
                            .message = message,
                            .remedy = slice_of(kinds[id].remedy)};
    return cause;
}

void cause_see_frame(struct cause *cause, struct check_evidence seen)
{
    for (size_t i = 0; i < cause->evidence.n; i++)
        if (cause->evidence.items[i].frame == seen.frame &&
            slice_equal(cause->evidence.items[i].point, seen.point))
            return;
    *vec_add(&cause->evidence) = seen;
}

void cause_see(struct cause_work *c, struct cause *cause, const struct hop_journey *j, size_t step)
{
    if (!j || step >= j->step_count)
        return;
    const struct hop_sighting *s = j->steps[step].sighting;
    cause_see_frame(cause,
                    (struct check_evidence){slice_of(hop_point_name(c->nodes, s->index->point)),
                                            s->index->frame});
}

void cause_see_first(struct cause_work *c, struct cause *cause, const struct hop_journey *j)
{
    cause_see(c, cause, j, 0);
}

struct slice cause_names(struct arena *a, const struct slice *names, size_t n)
{
    struct text t = {0};
    size_t shown = n <= NAMES_SHOWN + 1 ? n : NAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        text_add(&t, i == 0 ? SLICE("") : i + 1 == n ? SLICE(" and ") : SLICE(", "));
        text_add(&t, names[i]);
    }
    if (shown < n)
        text_printf(&t, " and %zu more", n - shown);
    return text_keep(&t, a);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* What explains a failure stands before what is merely worth knowing, the surer first; else the
 * order is that in which they were found. */
static int by_weight(const void *a, const void *b)
{
    const struct cause *x = *(const struct cause *const *)a, *y = *(const struct cause *const *)b;
    if (x->explains != y->explains)
        return x->explains ? -1 : 1;
    if (x->confidence != y->confidence)
        return (int)x->confidence - (int)y->confidence;
    return x < y ? -1 : x > y;
}

static struct check_cause kept(struct arena *a, const struct cause *cause)
{
    const struct check_cause_kind *kinds;
    (void)check_cause_kinds(&kinds);
    struct check_evidence *evidence = ARENA_ARRAY(a, struct check_evidence, cause->evidence.n);
    for (size_t i = 0; i < cause->evidence.n; i++)
        evidence[i] = cause->evidence.items[i];
    return (struct check_cause){.id = kinds[cause->id].id,
                                .confidence = cause->confidence,
                                .message = cause->message,
                                .remedy = cause->remedy,
                                .evidence = evidence,
                                .evidence_count = cause->evidence.n};
}

static void keep(struct cause_work *c, struct check_call *out)
{
    size_t n = c->causes.n;
    const struct cause **order = ARENA_ARRAY(c->arena, const struct cause *, n);
    struct check_cause *list = ARENA_ARRAY(c->arena, struct check_cause, n);
    for (size_t i = 0; i < n; i++)
        order[i] = &c->causes.items[i];
    qsort(order, n, sizeof *order, by_weight);
    for (size_t i = 0; i < n; i++)
        list[i] = kept(c->arena, order[i]);
    out->causes = list;
    out->cause_count = n;
    for (size_t i = 0; i < n; i++)
        vec_free(&c->causes.items[i].evidence);
    vec_free(&c->causes);
}

void check_find_causes(struct check_work *w, struct check_call *out)
{
    struct cause_work c = {.w = w, .call = out, .arena = w->arena, .nodes = w->call->nodes};
    cause_facts(&c);
    cause_of_fate(&c);
    cause_of_senders(&c);
    cause_of_path(&c);
    cause_of_end(&c);
    cause_of_trunk(&c);
    keep(&c, out);
}

/* The pack `reject`: what sets refused messages apart from accepted ones, over the whole run.  Two
 * calls prove little; the findings say how many there were. */
#include "check/pack.h"

#define MESSAGES_MAX 2048u /* kept of a run, */
#define HEADERS_MAX  32u   /* custom headers of each, */
#define VALUE_BYTES  128u  /* and bytes of each value; what is beyond is counted */
#define GROUPS_MAX   64u   /* kinds of refusal that are compared */
#define APART_MAX    8u    /* headers that are told of one kind of refusal */

struct reject_header {
    struct slice name, value; /* the value's beginning */
    size_t length;
};

struct reject_message {
    struct slice method, by; /* by: who answered; empty: not known */
    uint16_t status;
    const struct reject_header *headers;
    size_t header_count;
    struct check_run_evidence where;
};

struct check_rejects {
    struct arena arena;
    VEC(struct reject_message) messages;
};

/* ---- during the run ------------------------------------------------------------------------- */

/* Answers that the protocol asks for (RFC 3261 22, 12.2.1.2, 15.1.2, 14.2; RFC 4028): the request
 * comes again, was called back, or came too late. */
static bool is_routine(uint16_t status)
{
    static const uint16_t routine[] = {401, 407, 422, 423, 481, 487, 491, 494};
    for (size_t i = 0; i < sizeof routine / sizeof *routine; i++)
        if (routine[i] == status)
            return true;
    return status < 200 || (status >= 300 && status < 400);
}

/* More often about who is called than about the message. */
static bool is_callee(uint16_t status)
{
    return status == 408 || status == 480 || status == 486 || status == 600 || status == 603;
}

static struct reject_header header_of(struct arena *a, const struct sip_header *h)
{
    struct slice value = sip_unfold(a, h);
    return (struct reject_header){arena_copy(a, h->name),
                                  arena_copy(a, slice_first(value, VALUE_BYTES)), value.n};
}

static void keep_headers(struct check_work *w, struct check_rejects *r, const struct sip_message *m,
                         struct reject_message *out)
{
    struct reject_header *list = ARENA_ARRAY(&r->arena, struct reject_header, HEADERS_MAX);
    for (uint32_t i = 0; i < m->header_count; i++) {
        if (!pack_is_custom(m->headers[i].name))
            continue;
        if (out->header_count < HEADERS_MAX)
            list[out->header_count++] = header_of(&r->arena, &m->headers[i]);
        else
            w->left_out++;
    }
    out->headers = list;
}

/* As it was seen nearest to who answered. */
static void keep_message(struct check_work *w, struct check_rejects *r, const struct hop_journey *j)
{
    const struct hop_nodes *n = w->call->nodes;
    const struct hop_sighting *s = j->steps[j->step_count - 1].sighting;
    if (r->messages.n == MESSAGES_MAX) {
        w->left_out++;
        return;
    }
    struct reject_message m = {
        .method = arena_copy(&r->arena, j->method_name),
        .status = j->answer_sighting->index->status,
        .where = {.call_id = arena_copy(&r->arena, s->leg->call_id),
                  .point = arena_copy(&r->arena, slice_of(hop_point_name(n, s->index->point))),
                  .frame = s->index->frame}};
    if (s->dst_node != HOP_NODE_NONE)
        m.by = arena_copy(&r->arena, hop_node_name(n, s->dst_node));
    keep_headers(w, r, s->message, &m);
    *vec_add(&r->messages) = m;
}

void pack_reject(struct pack_run *p)
{
    struct check_summary *s = p->w->summary;
    if (!s->rejects)
        s->rejects = base_alloc(sizeof *s->rejects);
    for (size_t i = 0; i < p->w->call->journey_count; i++) {
        const struct hop_journey *j = &p->w->call->journeys[i];
        if (!j->status && j->step_count && j->answer_sighting &&
            !is_routine(j->answer_sighting->index->status))
            keep_message(p->w, s->rejects, j);
    }
}

void pack_reject_free(struct check_summary *s)
{
    if (!s->rejects)
        return;
    vec_free(&s->rejects->messages);
    arena_free(&s->rejects->arena);
    free(s->rejects);
    s->rejects = NULL;
}

/* ---- at its end ----------------------------------------------------------------------------- */

/* The refusals of one method with one status, and what was accepted of that method. */
struct group {
    struct check_summary *s;
    struct arena *a;
    struct slice method;
    uint16_t status;
    const struct reject_message *refused, *accepted; /* the first of each; NULL: none */
    size_t refused_count, accepted_count;
    size_t told;
};

static bool is_accepted(const struct reject_message *m)
{
    return m->status < 300;
}

static bool is_refused(const struct group *g, const struct reject_message *m)
{
    return m->status == g->status && slice_equal(m->method, g->method);
}

static bool is_compared(const struct group *g, const struct reject_message *m)
{
    return is_accepted(m) && slice_equal(m->method, g->method);
}

static const struct reject_header *find(const struct reject_message *m, struct slice name)
{
    for (size_t i = 0; i < m->header_count; i++)
        if (sip_name_equal(m->headers[i].name, name))
            return &m->headers[i];
    return NULL;
}

static bool same_value(const struct reject_header *a, const struct reject_header *b)
{
    return a->length == b->length && slice_equal(a->value, b->value);
}

/* How often a header stands on either side, with which value and length. */
struct tally {
    size_t refused, accepted;           /* messages that have it */
    size_t refused_same, accepted_same; /* with the value of the header asked for */
    size_t refused_shortest, accepted_longest;
};

static int by_value(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Have two accepted messages the same value?  Then it is no id of a call. */
static bool repeats(const struct group *g, struct slice name)
{
    struct slice *values = ARENA_ARRAY(g->a, struct slice, g->accepted_count);
    size_t n = 0;
    bool again = false;
    for (size_t i = 0; i < g->s->rejects->messages.n; i++) {
        const struct reject_message *m = &g->s->rejects->messages.items[i];
        const struct reject_header *h = is_compared(g, m) ? find(m, name) : NULL;
        if (h)
            values[n++] = h->value;
    }
    qsort(values, n, sizeof *values, by_value);
    for (size_t i = 1; i < n; i++)
        again |= slice_equal(values[i], values[i - 1]);
    return again;
}

static struct tally tally_of(const struct group *g, const struct reject_header *asked)
{
    struct tally t = {.refused_shortest = SIZE_MAX};
    for (size_t i = 0; i < g->s->rejects->messages.n; i++) {
        const struct reject_message *m = &g->s->rejects->messages.items[i];
        const struct reject_header *h = find(m, asked->name);
        if (h && is_refused(g, m)) {
            t.refused++;
            t.refused_same += same_value(h, asked);
            t.refused_shortest = h->length < t.refused_shortest ? h->length : t.refused_shortest;
        } else if (h && is_compared(g, m)) {
            t.accepted++;
            t.accepted_same += same_value(h, asked);
            t.accepted_longest = h->length > t.accepted_longest ? h->length : t.accepted_longest;
        }
    }
    return t;
}

/* "INVITE was answered 403 by five9 3 times: " */
static struct slice head(const struct group *g)
{
    const struct reject_message *m = g->refused;
    return ARENA_JOIN(g->a, g->method, arena_printf(g->a, " was answered %u", g->status),
                      m->by.n ? SLICE(" by ") : SLICE(""), m->by,
                      g->refused_count == 1 ? SLICE(" once: ")
                                            : arena_printf(g->a, " %zu times: ", g->refused_count));
}

static void tell(struct group *g, enum check_finding_id id, struct slice header, struct slice words)
{
    const struct check_run_evidence none = {0};
    const struct check_run_evidence evidence[] = {g->refused->where,
                                                  g->accepted ? g->accepted->where : none};
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    g->told++;
    check_find_run(g->s, id, kinds[id].severity, NULL, header, ARENA_JOIN(g->a, head(g), words),
                   evidence, g->accepted ? 2 : 1);
}

static struct slice there(const struct group *g)
{
    return g->refused_count == 1 ? SLICE(" is on that message and on none of ")
                                 : SLICE(" is on each of those messages and on none of ");
}

static struct slice accepted_words(const struct group *g)
{
    return arena_printf(g->a, "%zu that %s accepted", g->accepted_count,
                        g->accepted_count == 1 ? "was" : "were");
}

/* Between the two lies a usual limit. */
static bool is_beyond_limit(const struct tally *t)
{
    static const size_t limits[] = {64, 128, 255, 256, 512, 1024};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (t->accepted_longest <= limits[i] && t->refused_shortest > limits[i])
            return true;
    return false;
}

static void tell_value(struct group *g, const struct reject_header *h)
{
    struct slice shown =
        h->length > h->value.n ? ARENA_JOIN(g->a, h->value, SLICE("...")) : h->value;
    tell(g, FINDING_REJECT_VALUE, h->name,
         ARENA_JOIN(g->a, h->name, SLICE(": "), pack_quote(g->a, h->name, shown), there(g),
                    accepted_words(g), SLICE(", which have other values")));
}

static void tell_length(struct group *g, const struct reject_header *h, const struct tally *t)
{
    tell(g, FINDING_REJECT_LENGTH, h->name,
         ARENA_JOIN(g->a, h->name,
                    arena_printf(g->a, " has %zu bytes or more there, and %zu at most on ",
                                 t->refused_shortest, t->accepted_longest),
                    accepted_words(g)));
}

/* A length that is below any limit tells no more than chance, unless it is twice the other. */
static void judge_header(struct group *g, const struct reject_header *h)
{
    struct tally t = tally_of(g, h);
    bool value = t.refused_same == g->refused_count && t.accepted_same == 0 &&
                 (g->refused_count > 1 || repeats(g, h->name));
    bool twice = t.accepted_longest && t.refused_shortest >= 2 * t.accepted_longest;
    if (t.refused < g->refused_count)
        return;
    if (t.accepted == 0)
        tell(g, FINDING_REJECT_NAME, h->name,
             ARENA_JOIN(g->a, h->name, there(g), accepted_words(g)));
    else if (is_beyond_limit(&t) || (twice && !value))
        tell_length(g, h, &t);
    else if (value)
        tell_value(g, h);
}

/* What all that were accepted have: it may be wanted. */
static void judge_missing(struct group *g, const struct reject_header *h)
{
    struct tally t = tally_of(g, h);
    if (t.refused == 0 && t.accepted >= g->accepted_count)
        tell(g, FINDING_REJECT_MISSING, h->name,
             ARENA_JOIN(g->a, h->name, SLICE(" is absent there, and on each of "),
                        accepted_words(g)));
}

static bool is_first(const struct reject_message *m, size_t i)
{
    return find(m, m->headers[i].name) == &m->headers[i];
}

static void judge_group(struct group *g)
{
    const struct reject_message *refused = g->refused, *accepted = g->accepted;
    for (size_t i = 0; accepted && i < refused->header_count && g->told < APART_MAX; i++)
        if (is_first(refused, i))
            judge_header(g, &refused->headers[i]);
    for (size_t i = 0; g->accepted_count > 1 && i < accepted->header_count && g->told < APART_MAX;
         i++)
        if (is_first(accepted, i))
            judge_missing(g, &accepted->headers[i]);
    if (g->told || is_callee(g->status) || !refused->header_count)
        return;
    if (!accepted)
        tell(g, FINDING_REJECT_UNTOLD, SLICE_NONE,
             ARENA_JOIN(g->a, SLICE("no "), g->method,
                        SLICE(" was accepted, so that nothing can be compared")));
    else
        tell(g, FINDING_REJECT_UNTOLD, SLICE_NONE,
             ARENA_JOIN(g->a, SLICE("no custom header sets it apart from "), accepted_words(g)));
}

static void count_group(struct group *g)
{
    for (size_t i = 0; i < g->s->rejects->messages.n; i++) {
        const struct reject_message *m = &g->s->rejects->messages.items[i];
        if (is_refused(g, m))
            g->refused_count++;
        if (is_compared(g, m)) {
            g->accepted_count++;
            g->accepted = g->accepted ? g->accepted : m;
        }
    }
}

static bool was_judged(const struct check_rejects *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (r->messages.items[k].status == r->messages.items[i].status &&
            slice_equal(r->messages.items[k].method, r->messages.items[i].method))
            return true;
    return false;
}

void pack_reject_end(struct check_summary *s)
{
    struct arena a = {0};
    size_t groups = 0;
    for (size_t i = 0; s->rejects && i < s->rejects->messages.n; i++) {
        const struct reject_message *m = &s->rejects->messages.items[i];
        struct group g = {.s = s, .a = &a, .method = m->method, .status = m->status, .refused = m};
        if (is_accepted(m) || was_judged(s->rejects, i))
            continue;
        if (groups++ >= GROUPS_MAX) {
            s->headers_left_out += m->header_count;
            continue;
        }
        count_group(&g);
        /* one busy callee says nothing of headers */
        if (!is_callee(g.status) || g.refused_count > 1)
            judge_group(&g);
        arena_reset(&a);
    }
    arena_free(&a);
}

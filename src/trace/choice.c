/* Which frames are to be had again: those of calls, by their numbers; of TLS connections, by their
 * ends; of media, by addresses and time. */
#include "trace/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct chosen_frame {
    uint32_t point, number;
    bool found;
};

struct chosen_place {
    struct endpoint at;
    int64_t from_ns, to_ns;
};

struct chosen_flow {
    struct endpoint ends[2];
    uint32_t point;
};

struct trace_choice {
    struct trace *trace;
    VEC(struct chosen_frame) frames;
    VEC(struct chosen_place) places;
    VEC(struct chosen_flow) flows;
    bool all, media, once;
    bool sorted;
};

struct trace_choice *trace_choice_new(struct trace *t)
{
    struct trace_choice *c = base_alloc(sizeof *c);
    c->trace = t;
    return c;
}

void trace_choice_free(struct trace_choice *c)
{
    if (!c)
        return;
    vec_free(&c->frames);
    vec_free(&c->places);
    vec_free(&c->flows);
    free(c);
}

/* ---- choosing -------------------------------------------------------------------------------- */

void trace_choice_once(struct trace_choice *c)
{
    c->once = true;
}

void trace_choice_all(struct trace_choice *c, bool media)
{
    c->all = true;
    c->media = media;
}

static void add_frame(struct trace_choice *c, uint32_t point, uint32_t number)
{
    *vec_add(&c->frames) = (struct chosen_frame){point, number, false};
    c->sorted = false;
}

static void add_flow(struct trace_choice *c, uint32_t point, const struct call_flow *f)
{
    struct chosen_flow flow = {{f->src, f->dst}, point};
    if (f->transport != PACKET_TLS && f->transport != PACKET_WSS)
        return;
    for (size_t i = 0; i < c->flows.n; i++) {
        const struct chosen_flow *known = &c->flows.items[i];
        if (known->point == point && endpoint_equal(&known->ends[0], &f->src) &&
            endpoint_equal(&known->ends[1], &f->dst))
            return;
    }
    *vec_add(&c->flows) = flow;
}

static void add_sighting(struct trace_choice *c, const struct call_table *calls,
                         const struct call_sighting *s)
{
    uint32_t point = c->trace->point_inputs.items[s->point]->point;
    add_frame(c, point, s->frame);
    for (uint32_t more = s->more; more != CALL_NONE; more = call_frame_of(calls, more)->next)
        add_frame(c, point, call_frame_of(calls, more)->number);
    add_flow(c, point, call_flow_of(calls, s->flow));
}

void trace_choice_message(struct trace_choice *c, const struct hop_sighting *s)
{
    add_sighting(c, c->trace->calls, s->index);
}

/* Messages cut before their Call-ID are of the call all the same. */
static void add_orphans(struct trace_choice *c, const struct hop_call *call)
{
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++) {
            const struct hop_sighting *s = call->journeys[i].steps[k].sighting;
            if (s->index->leg == CALL_NONE)
                add_sighting(c, call->table, s->index);
        }
}

static void add_place(struct trace_choice *c, const struct endpoint *at, int64_t from, int64_t to)
{
    if (at->ip.family && at->port)
        *vec_add(&c->places) = (struct chosen_place){*at, from, to};
    c->sorted = false;
}

static void add_media(struct trace_choice *c, const struct hop_call *call)
{
    struct arena a = {0};
    struct trace_call_media m;
    int64_t from, to;
    trace_call_time(call, &from, &to);
    trace_call_media(c->trace, call, &a, &m);
    for (size_t i = 0; i < m.media_count; i++) {
        add_place(c, &m.media[i].rtp, from, to);
        add_place(c, &m.media[i].rtcp, from, to);
    }
    arena_free(&a);
}

void trace_choice_call(struct trace_choice *c, const struct hop_call *call, bool media)
{
    for (size_t i = 0; i < call->leg_count; i++) {
        uint32_t at = call_leg_of(call->table, call->legs[i])->first;
        while (at != CALL_NONE) {
            const struct call_sighting *s = call_sighting_of(call->table, at);
            add_sighting(c, call->table, s);
            at = s->next;
        }
    }
    add_orphans(c, call);
    if (media)
        add_media(c, call);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct chosen_frame *x = a, *y = b;
    if (x->point != y->point)
        return x->point < y->point ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int compare_ends(const struct endpoint *a, const struct endpoint *b)
{
    int order = address_compare(&a->ip, &b->ip);
    return order ? order : (int)a->port - (int)b->port;
}

static int by_place(const void *a, const void *b)
{
    const struct chosen_place *x = a, *y = b;
    int order = compare_ends(&x->at, &y->at);
    if (order)
        return order;
    return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

/* A frame can hold several messages of a call. */
static void sort(struct trace_choice *c)
{
    size_t n = 0;
    if (c->sorted)
        return;
    c->sorted = true;
    if (c->places.n)
        qsort(c->places.items, c->places.n, sizeof *c->places.items, by_place);
    if (c->frames.n == 0)
        return;
    qsort(c->frames.items, c->frames.n, sizeof *c->frames.items, by_number);
    for (size_t i = 0; i < c->frames.n; i++)
        if (n == 0 || by_number(&c->frames.items[n - 1], &c->frames.items[i]) != 0)
            c->frames.items[n++] = c->frames.items[i];
    c->frames.n = n;
}

static bool is_place(const struct trace_choice *c, const struct endpoint *at, int64_t time_ns)
{
    size_t from = 0, to = c->places.n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_ends(&c->places.items[middle].at, at) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < c->places.n && endpoint_equal(&c->places.items[from].at, at); from++)
        if (c->places.items[from].from_ns <= time_ns && time_ns <= c->places.items[from].to_ns)
            return true;
    return false;
}

static bool is_flow(const struct trace_choice *c, const struct trace_frame *f)
{
    for (size_t i = 0; i < c->flows.n; i++) {
        const struct chosen_flow *flow = &c->flows.items[i];
        for (unsigned way = 0; way < 2; way++)
            if (flow->point == f->point && endpoint_equal(&flow->ends[way], &f->src) &&
                endpoint_equal(&flow->ends[!way], &f->dst))
                return true;
    }
    return false;
}

bool trace_choice_takes(struct trace_choice *c, const struct trace_frame *f)
{
    sort(c);
    const struct chosen_frame key = {f->point, f->frame->number, false};
    struct chosen_frame *found = c->frames.n ? bsearch(&key, c->frames.items, c->frames.n,
                                                       sizeof *c->frames.items, by_number)
                                             : NULL;
    if (found)
        found->found = true;
    if (found || (c->all && (!f->media || c->media)))
        return true;
    if (f->media)
        return is_place(c, &f->dst, f->frame->time_ns) || is_place(c, &f->src, f->frame->time_ns);
    return is_flow(c, f);
}

bool trace_choice_once_from(struct trace_choice *c, struct trace_spool *s)
{
    if (!c->once)
        return false;
    assert(!c->all);
    sort(c);
    for (size_t i = 0; i < c->frames.n; i++)
        spool_want_frame(s, c->frames.items[i].point, c->frames.items[i].number);
    for (size_t i = 0; i < c->flows.n; i++)
        spool_want_flow(s, c->flows.items[i].point, c->flows.items[i].ends);
    for (size_t i = 0; i < c->places.n; i++)
        if (i == 0 || !endpoint_equal(&c->places.items[i].at, &c->places.items[i - 1].at))
            spool_want_place(s, &c->places.items[i].at);
    return true;
}

uint64_t trace_choice_missing(const struct trace_choice *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->frames.n; i++)
        n += !c->frames.items[i].found;
    return n;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool is_remembered(const struct trace_secrets *s, uint64_t hash, struct slice line)
{
    uint32_t id;
    if (s->items.n == 0)
        return false;
    for (uint32_t at = map_first(&s->index, hash);
         (id = map_next(&s->index, hash, &at)) != MAP_NONE;)
        if (slice_equal(s->items.items[id].line, line))
            return true;
    return false;
}

static void forget_half(struct trace *t)
{
    struct trace_secrets *s = &t->secrets;
    size_t half = (s->items.n + 1) / 2;
    for (size_t i = 0; i < half; i++) {
        s->bytes -= s->items.items[i].line.n;
        free((char *)(uintptr_t)s->items.items[i].line.p);
    }
    if (half == 0)
        return;
    s->items.n -= half;
    s->forgotten += half;
    memmove(s->items.items, s->items.items + half, s->items.n * sizeof *s->items.items);
    map_free(&s->index);
    for (size_t i = 0; i < s->items.n; i++)
        map_add(&s->index, hash_slice(&t->key, s->items.items[i].line), (uint32_t)i);
}

void trace_secret(void *input, const struct packet_secret *secret)
{
    struct trace *t = ((struct trace_input *)input)->trace;
    struct trace_secrets *s = &t->secrets;
    uint64_t hash = hash_slice(&t->key, secret->line);
    if (is_remembered(s, hash, secret->line))
        return;
    if (s->items.n >= TRACE_SECRETS_MAX || s->bytes + secret->line.n > TRACE_SECRETS_BYTES)
        forget_half(t);
    struct packet_secret *copy = vec_add(&s->items);
    *copy = *secret;
    char *line = base_alloc(secret->line.n);
    memcpy(line, secret->line.p, secret->line.n);
    copy->line.p = line;
    s->bytes += secret->line.n;
    map_add(&s->index, hash, (uint32_t)(s->items.n - 1));
}

size_t trace_secrets_since(const struct trace *t, size_t from, struct text *out)
{
    const struct trace_secrets *s = &t->secrets;
    size_t gone = (size_t)s->forgotten;
    for (size_t i = from > gone ? from - gone : 0; i < s->items.n; i++)
        text_add(out, s->items.items[i].line);
    return gone + s->items.n;
}

void trace_secrets_free(struct trace_secrets *s)
{
    for (size_t i = 0; i < s->items.n; i++)
        free((char *)(uintptr_t)s->items.items[i].line.p);
    vec_free(&s->items);
    map_free(&s->index);
}

void trace_choice_secrets(const struct trace_choice *c, struct text *out)
{
    const struct trace_secrets *s = &c->trace->secrets;
    for (size_t i = 0; i < s->items.n; i++) {
        const struct packet_secret *secret = &s->items.items[i];
        bool wanted = c->all;
        for (size_t k = 0; k < c->flows.n && !wanted; k++)
            wanted = (endpoint_equal(&c->flows.items[k].ends[0], &secret->client) &&
                      endpoint_equal(&c->flows.items[k].ends[1], &secret->server)) ||
                     (endpoint_equal(&c->flows.items[k].ends[1], &secret->client) &&
                      endpoint_equal(&c->flows.items[k].ends[0], &secret->server));
        if (wanted)
            text_add(out, secret->line);
    }
}

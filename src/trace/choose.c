/* Which calls are handed out: a filter looks at each message as it is filed, and at each call when
 * it is over. */
#include "trace/internal.h"

void trace_seen_of(const struct trace *t, const struct trace_message *m, struct trace_seen *out)
{
    const struct packet_payload *p = m->payload;
    *out = (struct trace_seen){
        .point = t->points.items[m->point].name,
        .transport = p->transport,
        .src = p->src,
        .dst = p->dst,
        .time_ns = p->time_ns,
        .frames = p->frames,
        .frame_count = p->frame_count,
        .length = p->bytes.n,
        .missing = p->missing,
        .method = m->sip->method_id,
        .status = m->sip->status,
        .state = m->sip->state,
        .retransmission = m->retransmission,
        .duplicate = m->duplicate,
        .sip = m->sip,
    };
}

static struct trace_looked *looked_of(struct trace *t, uint32_t leg)
{
    while (t->looked.n <= leg)
        *vec_add(&t->looked) = (struct trace_looked){.any = false};
    return &t->looked.items[leg];
}

static void add_marks(struct trace_marks *all, const struct trace_marks *one)
{
    all->yes |= one->yes;
    all->maybe |= one->maybe;
    all->some |= one->some;
    all->unsure |= one->unsure;
}

/* Its number goes to another leg. */
void trace_choose_forget(struct trace *t, uint32_t leg)
{
    if (leg < t->looked.n)
        t->looked.items[leg] = (struct trace_looked){.any = false};
}

/* ---- a run ----------------------------------------------------------------------------------- */

void trace_choose_saw(struct trace *t, uint32_t leg, const struct trace_message *m)
{
    const struct trace_filter *f = t->options.filter;
    struct trace_seen seen;
    if (!f->message || m->retransmission || m->duplicate)
        return;
    trace_seen_of(t, m, &seen);
    f->message(f->context, &seen, &looked_of(t, leg)->marks);
}

bool trace_choose_call(struct trace *t, const uint32_t *legs, size_t n)
{
    const struct trace_filter *f = t->options.filter;
    struct trace_marks all = {0, 0, 0, 0};
    struct call_summary summary;
    for (size_t i = 0; f->message && i < n; i++)
        add_marks(&all, &looked_of(t, legs[i])->marks);
    call_legs_summary(t->calls, legs, n, &t->scratch, &summary);
    return f->call(f->context, &summary, &all);
}

/* ---- browsing -------------------------------------------------------------------------------- */

void trace_look_anew(struct trace *t)
{
    vec_clear(&t->looked);
}

/* A sighting whose message is read when it is asked for. */
struct reader {
    struct trace *trace;
    const struct call_sighting *index;
    struct sip_message message;
    bool read;
};

static const struct sip_message *read_message(void *context)
{
    struct reader *r = context;
    struct slice bytes;
    r->read = true;
    if (!trace_read_bytes(r->trace, r->index, &r->trace->scratch, &bytes) ||
        !sip_scan_again(r->trace->scanner, bytes, r->index->state, r->index->missing, &r->message))
        return NULL;
    return &r->message;
}

void trace_seen_indexed(const struct trace *t, const struct call_sighting *s,
                        struct trace_seen *out)
{
    const struct call_flow *flow = call_flow_of(t->calls, s->flow);
    *out = (struct trace_seen){
        .point = t->points.items[s->point].name,
        .transport = (enum packet_transport)flow->transport,
        .src = flow->src,
        .dst = flow->dst,
        .time_ns = s->time_ns,
        .frames = &s->frame,
        .frame_count = 1,
        .length = s->length,
        .missing = s->missing == UINT32_MAX ? SIZE_MAX : s->missing,
        .method = (enum sip_method)s->method,
        .status = s->status,
        .state = (enum sip_state)s->state,
    };
}

/* Returns whether it was read, which costs most. */
static bool look_at(struct trace *t, const struct trace_filter *f, uint32_t id,
                    struct trace_marks *marks)
{
    const struct call_sighting *s = call_sighting_of(t->calls, id);
    struct reader reader = {.trace = t, .index = s};
    struct trace_seen seen;
    trace_seen_indexed(t, s, &seen);
    seen.read = read_message;
    seen.reader = &reader;
    f->message(f->context, &seen, marks);
    if (reader.read)
        arena_reset(&t->scratch);
    return reader.read;
}

#define LOOK_READ 8u /* what a message that is read costs of the budget; one is what others do */

static bool look_at_leg(struct trace *t, const struct trace_filter *f, uint32_t leg,
                        uint32_t *budget)
{
    struct trace_looked *l = looked_of(t, leg);
    uint32_t id =
        l->any ? call_sighting_of(t->calls, l->sighting)->next : call_leg_of(t->calls, leg)->first;
    for (; id != CALL_NONE; id = call_sighting_of(t->calls, id)->next) {
        if (*budget == 0)
            return false;
        uint32_t cost = look_at(t, f, id, &l->marks) ? LOOK_READ : 1;
        *budget -= cost < *budget ? cost : *budget;
        l->any = true;
        l->sighting = id;
    }
    return true;
}

bool trace_call_look(struct trace *t, uint32_t call, const struct trace_filter *f, uint32_t *budget,
                     struct trace_marks *out)
{
    const struct trace_entry *e = &t->browse.entries.items[call];
    *out = (struct trace_marks){0, 0, 0, 0};
    for (uint32_t i = 0; i < e->leg_count; i++) {
        if (!look_at_leg(t, f, e->legs[i], budget))
            return false;
        add_marks(out, &looked_of(t, e->legs[i])->marks);
    }
    return true;
}

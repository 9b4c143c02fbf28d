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

static struct trace_marks *marks_of(struct trace *t, uint32_t leg)
{
    while (t->marks.n <= leg)
        *vec_add(&t->marks) = (struct trace_marks){0, 0, 0, 0};
    return &t->marks.items[leg];
}

void trace_choose_saw(struct trace *t, uint32_t leg, const struct trace_message *m)
{
    const struct trace_filter *f = t->options.filter;
    struct trace_seen seen;
    if (!f->message || m->retransmission || m->duplicate)
        return;
    trace_seen_of(t, m, &seen);
    f->message(f->context, &seen, marks_of(t, leg));
}

bool trace_choose_call(struct trace *t, const uint32_t *legs, size_t n)
{
    const struct trace_filter *f = t->options.filter;
    struct trace_marks all = {0, 0, 0, 0};
    struct call_summary summary;
    for (size_t i = 0; f->message && i < n; i++) {
        const struct trace_marks *one = marks_of(t, legs[i]);
        all.yes |= one->yes;
        all.maybe |= one->maybe;
        all.some |= one->some;
        all.unsure |= one->unsure;
    }
    call_legs_summary(t->calls, legs, n, &t->scratch, &summary);
    return f->call(f->context, &summary, &all);
}

/* Its number goes to another leg. */
void trace_choose_forget(struct trace *t, uint32_t leg)
{
    if (leg < t->marks.n)
        t->marks.items[leg] = (struct trace_marks){0, 0, 0, 0};
}

/* Values of headers that were asked for, kept of each leg until it is handed out. */
#include "call/internal.h"

#include <stdlib.h>
#include <string.h>

void call_table_want(struct call_table *t, const struct call_want *wants, size_t n)
{
    t->wants = wants;
    t->want_count = n;
}

static bool is_of(const struct call_want *w, const struct sip_message *m)
{
    if (w->requests_only && m->kind != SIP_REQUEST)
        return false;
    if (w->method.n && !slice_equal(w->method, m->method))
        return false;
    return w->status_from == 0 || (m->status >= w->status_from && m->status <= w->status_to);
}

/* Several lines of one header are a list (RFC 3261 7.3.1). */
static void add_values(struct text *t, struct arena *a, const struct sip_message *m,
                       struct slice header, bool *cut)
{
    uint32_t at;
    bool any = false;
    const struct sip_header *h;
    for (uint32_t from = 0; (h = sip_header_next(m, from, header, &at)); from = at + 1) {
        text_add(t, any ? SLICE(", ") : SLICE(""));
        text_add(t, sip_unfold(a, h));
        *cut |= h->cut;
        any = true;
    }
}

/* What is longer than a value may be is cut, and counted; so is what there is no room for. */
static void keep(struct call_table *t, struct call_value *v, struct slice text)
{
    size_t n = text.n < CALL_VALUE_MAX ? text.n : CALL_VALUE_MAX;
    if (t->value_bytes + n > CALL_VALUES_BYTES) {
        t->stats.values_lost++;
        return;
    }
    t->stats.values_cut += n < text.n;
    free(v->text);
    t->value_bytes += n - v->value.n;
    v->text = base_alloc(n + 1);
    memcpy(v->text, text.p, n);
    v->value = (struct slice){v->text, n};
}

/* The first message that has the header counts, but for one whose value was not captured whole. */
void call_values_note(struct call_table *t, uint32_t leg, const struct packet_payload *p,
                      const struct sip_message *m)
{
    struct call_leg *l = &t->legs.items[leg];
    uint32_t at;
    for (size_t i = 0; i < t->want_count; i++) {
        const struct call_want *w = &t->wants[i];
        if ((l->values && l->values[i].text && !l->values[i].cut) || !is_of(w, m) ||
            !sip_header_next(m, 0, w->header, &at))
            continue;
        struct text text = {0};
        bool cut = false;
        add_values(&text, &t->scratch, m, w->header, &cut);
        if (!l->values)
            l->values = base_alloc(t->want_count * sizeof *l->values);
        if (!l->values[i].text || !cut) {
            keep(t, &l->values[i], text_slice(&text));
            l->values[i].time_ns = p->time_ns;
            l->values[i].cut = cut;
        }
        text_free(&text);
        arena_reset(&t->scratch);
    }
}

void call_values_free(struct call_table *t, struct call_leg *l)
{
    for (size_t i = 0; l->values && i < t->want_count; i++) {
        t->value_bytes -= l->values[i].value.n;
        free(l->values[i].text);
    }
    free(l->values);
    l->values = NULL;
}

/* Of legs that were joined, the first message that has it. */
void call_values_summary(const struct call_table *t, const uint32_t *legs, size_t n,
                         struct arena *a, struct call_summary *out)
{
    const struct call_value **values = ARENA_ARRAY(a, const struct call_value *, t->want_count);
    for (size_t i = 0; i < n; i++) {
        const struct call_leg *l = call_leg_of(t, legs[i]);
        for (size_t k = 0; l->values && k < t->want_count; k++) {
            const struct call_value *v = &l->values[k];
            if (v->text && (!values[k] || v->time_ns < values[k]->time_ns))
                values[k] = v;
        }
    }
    out->values = values;
}

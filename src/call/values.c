/* Values of headers that were asked for, kept of each leg until it is handed out. */
#include "call/internal.h"

#include <stdlib.h>
#include <string.h>

void call_table_want(struct call_table *t, const struct call_want *wants, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *vec_add(&t->wants) = wants[i];
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

/* The value's place; headers may be wanted since the leg began. */
static struct call_value *place_of(struct call_table *t, struct call_leg *l, size_t want)
{
    if (want >= l->value_count) {
        size_t n = t->wants.n;
        l->values = base_realloc(l->values, n * sizeof *l->values);
        memset(l->values + l->value_count, 0, (n - l->value_count) * sizeof *l->values);
        l->value_count = (uint32_t)n;
    }
    return &l->values[want];
}

static bool is_known(const struct call_leg *l, size_t want)
{
    return want < l->value_count && l->values[want].text && !l->values[want].cut;
}

/* The first message that has the header counts, but for one whose value was not captured whole. */
static void note(struct call_table *t, struct call_leg *l, size_t want, int64_t time_ns,
                 const struct sip_message *m)
{
    uint32_t at;
    const struct call_want *w = &t->wants.items[want];
    if (is_known(l, want) || !is_of(w, m) || !sip_header_next(m, 0, w->header, &at))
        return;
    struct text text = {0};
    bool cut = false;
    add_values(&text, &t->scratch, m, w->header, &cut);
    struct call_value *v = place_of(t, l, want);
    if (!v->text || !cut) {
        keep(t, v, text_slice(&text));
        v->time_ns = time_ns;
        v->cut = cut;
    }
    text_free(&text);
    arena_reset(&t->scratch);
}

void call_values_note(struct call_table *t, uint32_t leg, const struct packet_payload *p,
                      const struct sip_message *m)
{
    for (size_t i = 0; i < t->wants.n; i++)
        note(t, &t->legs.items[leg], i, p->time_ns, m);
}

static void free_values(struct call_table *t, struct call_leg *l, size_t from)
{
    for (size_t i = from; i < l->value_count; i++) {
        t->value_bytes -= l->values[i].value.n;
        free(l->values[i].text);
        l->values[i] = (struct call_value){0};
    }
}

void call_values_free(struct call_table *t, struct call_leg *l)
{
    free_values(t, l, 0);
    free(l->values);
    l->values = NULL;
    l->value_count = 0;
}

/* ---- asked for later on ---------------------------------------------------------------------- */

/* By its record a message can be told to be another than the one that is asked for. */
static bool may_be_of(const struct call_want *w, const struct call_sighting *s)
{
    if (w->requests_only && s->status)
        return false;
    if (w->method.n && s->method != SIP_METHOD_OTHER && s->method != sip_method_of(w->method))
        return false;
    return w->status_from == 0 || (s->status >= w->status_from && s->status <= w->status_to);
}

static bool has_answer(const struct call_table *t, const struct call_leg *l,
                       const struct call_sighting *s)
{
    for (size_t i = l->asked; i < t->wants.n; i++)
        if (!is_known(l, i) && may_be_of(&t->wants.items[i], s))
            return true;
    return false;
}

bool call_leg_is_asked(const struct call_table *t, uint32_t leg)
{
    return t->legs.items[leg].asked == t->wants.n;
}

void call_leg_ask(struct call_table *t, uint32_t leg, call_reader *reader, void *context)
{
    struct call_leg *l = &t->legs.items[leg];
    struct sip_scanner *scanner = sip_scanner_new();
    struct arena bytes_arena = {0};
    free_values(t, l, l->asked); /* of messages that came later than those that are read now */
    for (uint32_t id = l->first; id != CALL_NONE; id = t->sightings.items[id].next) {
        const struct call_sighting *s = &t->sightings.items[id];
        struct sip_message m;
        struct slice bytes;
        if (has_answer(t, l, s) && reader(context, s, &bytes_arena, &bytes) &&
            sip_scan_again(scanner, bytes, s->state, s->missing, &m))
            for (size_t i = l->asked; i < t->wants.n; i++)
                note(t, l, i, s->time_ns, &m);
        arena_reset(&bytes_arena);
    }
    l->asked = (uint32_t)t->wants.n;
    arena_free(&bytes_arena);
    sip_scanner_free(scanner);
}

/* Of legs that were joined, the first message that has it. */
void call_values_summary(const struct call_table *t, const uint32_t *legs, size_t n,
                         struct arena *a, struct call_summary *out)
{
    const struct call_value **values = ARENA_ARRAY(a, const struct call_value *, t->wants.n);
    for (size_t i = 0; i < n; i++) {
        const struct call_leg *l = call_leg_of(t, legs[i]);
        for (size_t k = 0; k < l->value_count; k++) {
            const struct call_value *v = &l->values[k];
            if (v->text && (!values[k] || v->time_ns < values[k]->time_ns))
                values[k] = v;
        }
    }
    out->values = values;
}

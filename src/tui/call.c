/* The call that is open, built anew whenever more was read. */
#include "tui/internal.h"

#include <stdlib.h>

static void free_built(struct tui_call *c)
{
    if (c->whole)
        arena_free(&c->whole->arena);
    free(c->whole);
    c->whole = NULL;
    arena_free(&c->arena);
}

void tui_call_close(struct tui *t)
{
    free_built(&t->call);
    t->call = (struct tui_call){.number = UINT32_MAX};
}

static void judge(struct tui *t, struct tui_call *c)
{
    const struct check_options *o = t->options.check;
    struct check_summary summary; /* of this call alone */
    check_summary_init(&summary, o);
    c->checked = check_call(&c->arena, o, &summary, c->hops, &c->check);
    check_summary_free(&summary);
}

/* Everything is followed: the screens show all messages, whatever the trunk speaks of. */
static void build(struct tui *t, uint32_t number, struct hop_span span)
{
    struct tui_call *c = &t->call;
    const struct check_options *o = t->options.check;
    struct tui_call *whole = t->stale || c->number != number ? NULL : c->whole;
    c->whole = whole ? NULL : c->whole;
    free_built(c);
    span.most = TUI_SPAN + 4 * (uint32_t)t->rows;
    *c = (struct tui_call){.number = number, .built = ++t->builds, .span = span, .whole = whole};
    c->hops = trace_call_part(t->trace, number, &c->arena, &c->span);
    c->part = c->hops->message_count > span.most;
    judge(t, c);
    t->view.judged = c->checked && o->trunks && o->trunks->n ? &c->check : NULL;
    c->ladder = view_ladder_build(&c->arena, c->hops, &t->view);
    t->stale = false;
}

bool tui_call_open(struct tui *t, uint32_t number)
{
    if (number >= trace_call_count(t->trace) || !trace_call_is(t->trace, number))
        return false;
    build(t, number, (struct hop_span){.around = CALL_NONE});
    return true;
}

/* A call that was found to be a leg of another one is shown with that. */
struct tui_call *tui_call_now(struct tui *t)
{
    uint32_t number = t->call.number;
    if (number == UINT32_MAX || number >= trace_call_count(t->trace))
        return NULL;
    uint32_t now = trace_call_now(t->trace, number);
    if (now == UINT32_MAX)
        return NULL;
    if (t->stale || now != number)
        build(t, now, t->call.span);
    return &t->call;
}

/* ---- parts ----------------------------------------------------------------------------------- */

bool tui_call_around(struct tui *t, uint32_t sighting)
{
    const struct tui_call *c = tui_call_now(t);
    if (!c->part || c->span.around == sighting)
        return false;
    build(t, c->number, (struct hop_span){.around = sighting});
    return true;
}

bool tui_call_end(struct tui *t, bool last)
{
    const struct tui_call *c = tui_call_now(t);
    if (!c->part || (last ? c->hops->span_to == c->hops->message_count : c->hops->span_from == 0))
        return false;
    build(t, c->number, (struct hop_span){.around = CALL_NONE, .from = last ? UINT32_MAX : 0});
    return true;
}

const struct tui_call *tui_call_whole(struct tui *t)
{
    struct tui_call *c = tui_call_now(t);
    if (!c->part)
        return c;
    if (!c->whole) {
        c->whole = base_alloc(sizeof *c->whole);
        c->whole->hops =
            trace_call_open(t->trace, c->number, &c->whole->arena, check_wants, t->options.check);
        judge(t, c->whole);
    }
    return c->whole;
}

/* ---- places ---------------------------------------------------------------------------------- */

bool tui_call_find(const struct tui_call *c, uint32_t sighting, size_t *journey, size_t *step)
{
    for (size_t i = 0; i < c->hops->journey_count; i++)
        for (size_t k = 0; k < c->hops->journeys[i].step_count; k++)
            if (c->hops->journeys[i].steps[k].sighting->id == sighting) {
                *journey = i;
                *step = k;
                return true;
            }
    return false;
}

bool tui_call_show(struct tui *t, uint32_t sighting)
{
    size_t journey, step;
    return tui_call_find(tui_call_now(t), sighting, &journey, &step) ||
           (tui_call_around(t, sighting) && tui_call_find(&t->call, sighting, &journey, &step));
}

const struct hop_sighting *tui_call_sighting(const struct tui_call *c, uint32_t sighting)
{
    size_t journey, step;
    if (!tui_call_find(c, sighting, &journey, &step))
        return NULL;
    return c->hops->journeys[journey].steps[step].sighting;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

const struct check_request *tui_call_request(const struct tui_call *c, const struct hop_journey *j)
{
    const struct view_options judged = {.judged = c->checked ? &c->check : NULL};
    return judged.judged ? view_judged(&judged, j) : NULL;
}

const struct check_header *tui_request_header(const struct check_request *r, struct slice name)
{
    for (size_t i = 0; r && i < r->header_count; i++)
        if (sip_name_equal(r->headers[i].name, name))
            return &r->headers[i];
    return NULL;
}

bool tui_header_is_bad(const struct check_header *h)
{
    return h->expected && h->verdict != CHECK_OK && h->verdict != CHECK_UNKNOWN;
}

void tui_header_harm(const struct check_header *h, size_t count, size_t *good, size_t *bad)
{
    *good = *bad = count;
    for (size_t i = 0; i < count && *bad == count; i++) {
        if (h->states[i] == CHECK_STATE_PRESENT)
            *good = i;
        else if (h->states[i] != CHECK_STATE_CUT && h->verdict != CHECK_OK)
            *bad = i;
    }
}

size_t tui_call_harmed_at(const struct tui_call *c, const struct hop_journey *j, size_t step)
{
    const struct check_request *r = tui_call_request(c, j);
    size_t n = 0, good, bad;
    for (size_t i = 0; r && i < r->header_count; i++) {
        if (!tui_header_is_bad(&r->headers[i]))
            continue;
        tui_header_harm(&r->headers[i], r->sighting_count, &good, &bad);
        n += bad == step;
    }
    return n;
}

static bool find_worst(const struct tui_call *c, size_t *journey, size_t *step)
{
    for (size_t i = 0; i < c->hops->journey_count; i++)
        for (size_t k = 0; k < c->hops->journeys[i].step_count; k++)
            if (tui_call_harmed_at(c, &c->hops->journeys[i], k)) {
                *journey = i;
                *step = k;
                return true;
            }
    return false;
}

bool tui_call_worst(struct tui *t, size_t *journey, size_t *step)
{
    const struct tui_call *whole = tui_call_whole(t);
    if (!find_worst(whole, journey, step))
        return false;
    if (whole == &t->call)
        return true;
    uint32_t sighting = whole->hops->journeys[*journey].steps[*step].sighting->id;
    return tui_call_show(t, sighting) && tui_call_find(&t->call, sighting, journey, step);
}

struct slice tui_sighting_title(struct tui_call *c, const struct hop_sighting *s)
{
    struct slice at = hop_sighting_at(&c->arena, c->hops->nodes, s);
    struct text t = {0};
    text_add(&t, s->message->method);
    if (s->message->kind == SIP_RESPONSE)
        text_printf(&t, "%s%u", t.n ? " " : "", s->message->status);
    text_add(&t, SLICE(" at "));
    text_add(&t, at);
    return text_keep(&t, &c->arena);
}

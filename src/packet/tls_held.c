/* Records whose key has not come yet: kept in their order, within limits, and tried again when
 * secrets come, when the stream goes on, and at the end of the capture. */
#include "packet/tls.h"

#include <stdlib.h>

struct packet_tls *packet_tls_new(void)
{
    return base_alloc(sizeof(struct packet_tls));
}

/* ---- the list of those that wait ------------------------------------------------------------- */

static void list_remove(struct tls_connection *c)
{
    struct packet_tls *t = c->d->tls;
    if (!c->listed)
        return;
    *(c->before ? &c->before->after : &t->first) = c->after;
    *(c->after ? &c->after->before : &t->last) = c->before;
    c->before = c->after = NULL;
    c->listed = false;
    t->waiting--;
}

static void list_add(struct tls_connection *c)
{
    struct packet_tls *t = c->d->tls;
    if (c->listed)
        return;
    c->before = t->last;
    *(t->last ? &t->last->after : &t->first) = c;
    t->last = c;
    c->listed = true;
    t->waiting++;
}

/* ---- holding --------------------------------------------------------------------------------- */

static size_t held_size(const struct tls_held *h)
{
    return h->bytes.cap + h->parts.cap * sizeof *h->parts.items +
           h->events.cap * sizeof *h->events.items;
}

static void held_free(struct tls_held *h)
{
    vec_free(&h->events);
    vec_free(&h->bytes);
    vec_free(&h->parts);
}

static void add_bytes(struct tls_held *h, struct slice bytes)
{
    while (h->bytes.n + bytes.n > h->bytes.cap) {
        h->bytes.cap = h->bytes.cap ? h->bytes.cap * 2 : 1024;
        h->bytes.items = base_realloc(h->bytes.items, h->bytes.cap);
    }
    if (bytes.n)
        memcpy(h->bytes.items + h->bytes.n, bytes.p, bytes.n);
    h->bytes.n += bytes.n;
}

static void add_record(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    struct tls_held *h = &c->held;
    size_t was = held_size(h);
    *vec_add(&h->events) = (struct tls_event){.way = way,
                                              .type = r->type,
                                              .version = r->version,
                                              .begin = h->bytes.n,
                                              .n = r->body.n,
                                              .part = h->parts.n,
                                              .part_count = r->part_count};
    add_bytes(h, r->body);
    for (size_t i = 0; i < r->part_count; i++)
        *vec_add(&h->parts) = r->parts[i];
    c->d->tls->held += held_size(h) - was;
    c->side[way].waits = true;
    list_add(c);
}

static void add_event(struct tls_connection *c, unsigned way, enum packet_after after,
                      uint64_t missing)
{
    size_t was = held_size(&c->held);
    *vec_add(&c->held.events) = (struct tls_event){.way = way, .after = after, .missing = missing};
    c->d->tls->held += held_size(&c->held) - was;
}

void packet_tls_hold_event(struct tls_connection *c, unsigned way, enum packet_after after,
                           uint64_t missing)
{
    add_event(c, way, after, missing);
}

/* ---- trying again ---------------------------------------------------------------------------- */

static struct tls_record record_of(const struct tls_held *h, const struct tls_event *e)
{
    return (struct tls_record){.type = e->type,
                               .version = e->version,
                               .body = {h->bytes.items + e->begin, e->n},
                               .parts = h->parts.items + e->part,
                               .part_count = e->part_count};
}

/* Takes what is held off the connection. */
static struct tls_held release(struct tls_connection *c)
{
    struct tls_held held = c->held;
    c->d->tls->held -= held_size(&held);
    c->held = (struct tls_held){0};
    c->side[0].waits = c->side[1].waits = false;
    list_remove(c);
    return held;
}

static void take_again(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    enum tls_opened opened = c->side[way].waits ? TLS_WAITS : packet_tls_take(c, way, r);
    if (opened == TLS_WAITS)
        add_record(c, way, r);
    else if (opened == TLS_UNREAD)
        packet_tls_pass(c, way, r);
    else if (r->type == TLS_DATA)
        packet_tls_read_late(c, 1);
}

static void replay(struct tls_connection *c)
{
    struct tls_held held = release(c);
    for (size_t i = 0; i < held.events.n; i++) {
        const struct tls_event *e = &held.events.items[i];
        struct tls_record r = record_of(&held, e);
        if (e->n)
            take_again(c, e->way, &r);
        else if (c->side[e->way].waits)
            add_event(c, e->way, e->after, e->missing);
        else
            packet_tls_event(c, e->way, e->after, e->missing);
    }
    held_free(&held);
}

/* Only where there are secrets, so that what waits in vain costs little. */
static void try_again(struct tls_connection *c)
{
    uint64_t generation = packet_keys_generation(c->d->keys);
    if (c->generation == generation && c->tried)
        return;
    c->generation = generation;
    c->tried = true;
    if (packet_tls_has_keys(c))
        replay(c);
}

void packet_tls_look(struct tls_connection *c)
{
    uint64_t n = ++c->looks;
    if ((n & (n - 1)) == 0)
        packet_keys_refresh(c->d->keys);
    try_again(c);
}

static void give_up(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    c->d->stats.tls_let_go++;
    packet_tls_pass(c, way, r);
    c->side[way].lost = true;
    c->side[way].vain = 0;
}

/* Gives up the first `count` of what is held; later records may still be read. */
static void let_go(struct tls_connection *c, size_t count)
{
    struct tls_held held = release(c);
    for (size_t i = 0; i < held.events.n; i++) {
        const struct tls_event *e = &held.events.items[i];
        struct tls_record r = record_of(&held, e);
        if (e->n && i < count)
            give_up(c, e->way, &r);
        else if (e->n)
            add_record(c, e->way, &r);
        else if (c->side[e->way].waits)
            add_event(c, e->way, e->after, e->missing);
        else
            packet_tls_event(c, e->way, e->after, e->missing);
    }
    held_free(&held);
    if (c->detached && c->held.events.n == 0)
        packet_tls_connection_free(c);
}

void packet_tls_hold(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    struct packet_tls *t = c->d->tls;
    bool first = !c->side[way].waits;
    add_record(c, way, r);
    if (first)
        packet_tls_look(c);
    while (held_size(&c->held) > TLS_HELD_BYTES)
        let_go(c, c->held.events.n / 2 + 1);
    while (t->held > PACKET_TLS_BYTES && t->first)
        let_go(t->first, SIZE_MAX);
}

/* Those at the front were tried longest ago; each goes to the back once. */
static void try_all(struct packet_decoder *d)
{
    struct packet_tls *t = d->tls;
    t->generation = packet_keys_generation(d->keys);
    t->tried = d->stats.frames;
    for (uint64_t n = t->waiting; n > 0 && t->first; n--) {
        struct tls_connection *c = t->first;
        list_remove(c);
        list_add(c);
        try_again(c);
        if (c->detached && c->held.events.n == 0)
            packet_tls_connection_free(c);
    }
}

void packet_tls_poll(struct packet_decoder *d)
{
    struct packet_tls *t = d->tls;
    if (t->waiting && t->generation != packet_keys_generation(d->keys) &&
        d->stats.frames - t->tried >= t->waiting)
        try_all(d);
}

void packet_tls_flush(struct packet_decoder *d)
{
    if (d->tls->waiting == 0)
        return;
    packet_keys_refresh(d->keys);
    try_all(d);
}

void packet_tls_free(struct packet_decoder *d)
{
    while (d->tls->first)
        let_go(d->tls->first, SIZE_MAX);
    vec_free(&d->tls->hidden);
    free(d->tls);
}

/* Puts the fragments of SCTP user messages together. */
#include "packet/sctp.h"

#include <assert.h>
#include <stdlib.h>

static int compare(struct sctp_place a, struct sctp_place b)
{
    if (a.message != b.message)
        return a.message < b.message ? -1 : 1;
    int32_t distance = (int32_t)(a.number - b.number);
    return distance < 0 ? -1 : distance > 0;
}

static size_t index_of(const struct sctp_way *w, struct sctp_place place)
{
    size_t low = 0, high = w->fragments.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(w->fragments.items[middle]->place, place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sctp_fragment *fragment_of(const struct packet_payload *p, struct sctp_place place,
                                         uint8_t flags)
{
    size_t frames = p->frame_count * sizeof *p->frames;
    size_t size = sizeof(struct sctp_fragment) + frames + p->bytes.n;
    struct sctp_fragment *f = base_realloc(NULL, size);
    *f = (struct sctp_fragment){.place = place,
                                .flags = flags,
                                .n = (uint32_t)(p->bytes.n + p->missing),
                                .have = (uint32_t)p->bytes.n,
                                .size = size,
                                .out = *p,
                                .frames = (uint32_t *)(f + 1)};
    f->bytes = (char *)f->frames + frames;
    memcpy(f->frames, p->frames, frames);
    if (p->bytes.n)
        memcpy(f->bytes, p->bytes.p, p->bytes.n);
    return f;
}

static void insert(struct packet_sctp *t, struct sctp_way *w, size_t at, struct sctp_fragment *f)
{
    (void)vec_add(&w->fragments);
    struct sctp_fragment **items = w->fragments.items;
    memmove(items + at + 1, items + at, (w->fragments.n - 1 - at) * sizeof(struct sctp_fragment *));
    items[at] = f;
    w->bytes += f->size;
    t->bytes += f->size;
}

static void drop(struct packet_sctp *t, struct sctp_way *w, size_t at, size_t n)
{
    struct sctp_fragment **items = w->fragments.items;
    for (size_t i = at; i < at + n; i++) {
        w->bytes -= items[i]->size;
        t->bytes -= items[i]->size;
        free(items[i]);
    }
    memmove(items + at, items + at + n, (w->fragments.n - at - n) * sizeof(struct sctp_fragment *));
    w->fragments.n -= n;
    if (w->fragments.n == 0)
        vec_free(&w->fragments);
}

static bool adjoins(const struct sctp_fragment *a, const struct sctp_fragment *b)
{
    return a->place.message == b->place.message && a->place.number + 1 == b->place.number &&
           !(a->flags & SCTP_END) && !(b->flags & SCTP_BEGIN);
}

/* The fragments in a row of which the one at `at` is one: where they begin, and how many. */
static size_t run_of(const struct sctp_way *w, size_t at, size_t *n)
{
    struct sctp_fragment *const *items = w->fragments.items;
    size_t end = at + 1;
    while (at > 0 && adjoins(items[at - 1], items[at]))
        at--;
    while (end < w->fragments.n && adjoins(items[end - 1], items[end]))
        end++;
    *n = end - at;
    return at;
}

static void append(struct packet_sctp *t, const struct sctp_fragment *f)
{
    while (t->message.cap < t->message.n + f->have)
        t->message.items = vec_grow(t->message.items, &t->message.cap, 1);
    memcpy(t->message.items + t->message.n, f->bytes, f->have);
    t->message.n += f->have;
}

/* Hands on the message that n fragments make, up to the first byte that was not captured.  Where a
 * fragment misses none, it is the rest of them that was lost. */
static void hand_on(struct packet_decoder *d, const struct sctp_way *w, size_t at, size_t n)
{
    const struct sctp_fragment *last = w->fragments.items[at], *f = NULL;
    size_t missing = 0;
    bool gap = true;
    vec_clear(&d->sctp->message);
    vec_clear(&d->frames);
    for (size_t i = at; i < at + n; i++) {
        f = w->fragments.items[i];
        if (f->have && missing == 0)
            append(d->sctp, f);
        if (f->n > f->have && missing == 0)
            gap = f->out.gap;
        missing += missing ? f->n : f->n - f->have;
        for (size_t k = 0; k < f->out.frame_count; k++)
            packet_frames_add(d, f->frames[k]);
        if (f->frames[f->out.frame_count - 1] >= last->frames[last->out.frame_count - 1])
            last = f;
    }
    struct packet_payload p = last->out;
    p.bytes = (struct slice){d->sctp->message.items, d->sctp->message.n};
    p.missing = missing + !(f->flags & SCTP_END); /* how many then, nobody knows */
    p.gap = gap;
    p.offset = SOURCE_NO_OFFSET;
    p.frames = d->frames.items;
    p.frame_count = d->frames.n;
    packet_hand_on(d, &p);
}

void sctp_fragment_give_up(struct packet_decoder *d, struct sctp_way *w, size_t at)
{
    size_t n;
    assert(at < w->fragments.n);
    at = run_of(w, at, &n);
    if (w->fragments.items[at]->flags & SCTP_BEGIN) {
        d->stats.sctp_incomplete++;
        hand_on(d, w, at, n);
    } else {
        d->stats.sctp_lost += n;
    }
    drop(d->sctp, w, at, n);
}

void sctp_fragment_add(struct packet_decoder *d, struct sctp_way *w, const struct packet_payload *p,
                       struct sctp_place place, uint8_t flags)
{
    size_t at = index_of(w, place), n;
    if (at < w->fragments.n && compare(w->fragments.items[at]->place, place) == 0)
        return;
    insert(d->sctp, w, at, fragment_of(p, place, flags));
    at = run_of(w, at, &n);
    if (w->fragments.items[at]->flags & SCTP_BEGIN &&
        w->fragments.items[at + n - 1]->flags & SCTP_END) {
        hand_on(d, w, at, n);
        drop(d->sctp, w, at, n);
    }
    while (w->fragments.n > PACKET_PENDING || w->bytes > PACKET_PENDING_BYTES)
        sctp_fragment_give_up(d, w, 0);
}

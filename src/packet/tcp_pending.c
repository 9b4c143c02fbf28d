/* Segments that came before their turn: kept in order, without what is there twice.
 *
 * They stand in one sorted array, so that a segment is placed by bisection; the array is short
 * enough (PACKET_PENDING) that moving its tail costs little, in whatever order segments come. */
#include "packet/tcp.h"

#include <stdlib.h>

static void account(struct packet_decoder *d, struct tcp_pending *p, size_t more, size_t less)
{
    p->bytes += more - less;
    d->stream_bytes += more - less;
}

static struct tcp_segment *segment_of(const struct tcp_data *data)
{
    size_t parts = data->part_count * sizeof *data->parts;
    size_t size = sizeof(struct tcp_segment) + parts + data->bytes.n;
    struct tcp_segment *s = base_realloc(NULL, size);
    *s = (struct tcp_segment){.part_count = (uint32_t)data->part_count, .size = size};
    s->bytes = (char *)s + sizeof *s + parts;
    if (parts)
        memcpy(s->parts, data->parts, parts);
    if (data->bytes.n)
        memcpy(s->bytes, data->bytes.p, data->bytes.n);
    return s;
}

static void make_room(struct packet_decoder *d, struct tcp_pending *p)
{
    if (p->first + p->n < p->cap)
        return;
    if (p->first >= p->cap / 2 && p->first) {
        memmove(p->items, p->items + p->first, p->n * sizeof *p->items);
        p->first = 0;
        return;
    }
    size_t cap = p->cap;
    p->items = vec_grow(p->items, &p->cap, sizeof *p->items);
    account(d, p, (p->cap - cap) * sizeof *p->items, 0);
}

/* The index of the first piece that ends behind `seq`. */
static size_t place_of(const struct tcp_pending *p, uint32_t origin, uint32_t seq)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct tcp_piece *piece = &p->items[p->first + middle];
        if (tcp_distance(origin, piece->seq + piece->n) > tcp_distance(origin, seq))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* How many bytes of the data, from byte `at` on, were captured; at most n. */
static uint32_t captured(const struct tcp_data *data, uint32_t at, uint32_t n)
{
    size_t have = data->bytes.n > at ? data->bytes.n - at : 0;
    return have < n ? (uint32_t)have : n;
}

/* Inserts n bytes of the data, from byte `at` on, as the piece of that index. */
static void insert(struct packet_decoder *d, struct tcp_pending *p, size_t index,
                   const struct tcp_data *data, uint32_t at, uint32_t n, struct tcp_segment **copy)
{
    if (!*copy) {
        *copy = segment_of(data);
        account(d, p, (*copy)->size, 0);
    }
    make_room(d, p);
    struct tcp_piece *piece = &p->items[p->first + index];
    memmove(piece + 1, piece, (p->n - index) * sizeof *piece);
    *piece = (struct tcp_piece){data->seq + at, n, captured(data, at, n), at, *copy};
    (*copy)->pieces++;
    p->n++;
}

/* Whether the data, from byte `at` on, agrees with the piece from its byte `from` on. */
static bool agrees(const struct tcp_data *data, uint32_t at, const struct tcp_piece *piece,
                   uint32_t from, uint32_t n)
{
    uint32_t mine = captured(data, at, n);
    uint32_t other = piece->have > from ? piece->have - from : 0;
    size_t both = mine < other ? mine : other;
    return both == 0 || memcmp(data->bytes.p + at, piece->of->bytes + piece->at + from, both) == 0;
}

bool tcp_pending_add(struct packet_decoder *d, struct tcp_pending **p, uint32_t origin,
                     const struct tcp_data *data, int64_t now)
{
    struct tcp_segment *copy = NULL;
    bool agree = true;
    if (!*p) {
        *p = base_alloc(sizeof **p);
        (*p)->since_ns = now;
        account(d, *p, sizeof **p, 0);
    }
    size_t index = place_of(*p, origin, data->seq);
    for (uint32_t at = 0, n; at < data->n; at += n, index++) {
        const struct tcp_piece *piece = index < (*p)->n ? &(*p)->items[(*p)->first + index] : NULL;
        uint32_t left = data->n - at;
        int32_t ahead = piece ? tcp_distance(data->seq + at, piece->seq) : INT32_MAX;
        if (ahead > 0) {
            n = (uint32_t)ahead < left ? (uint32_t)ahead : left;
            insert(d, *p, index, data, at, n, &copy);
        } else {
            uint32_t from = (uint32_t)-ahead;
            n = piece->n - from < left ? piece->n - from : left;
            agree &= agrees(data, at, piece, from, n);
        }
    }
    return agree;
}

void tcp_pending_drop(struct packet_decoder *d, struct tcp_pending **p)
{
    struct tcp_segment *s = (*p)->items[(*p)->first].of;
    if (--s->pieces == 0) {
        account(d, *p, 0, s->size);
        free(s);
    }
    (*p)->first++;
    if (--(*p)->n)
        return;
    d->stream_bytes -= (*p)->bytes;
    free((*p)->items);
    free(*p);
    *p = NULL;
}

/* Two threads: one reads, decodes and scans, the other files, judges and reports.  What goes from
 * the one to the other are batches of messages, each with a copy of its bytes, in the order in
 * which they were found; so nothing that comes out depends on whether there are two.  Batches go
 * round: a few are filled, read, and filled again. */
#include "trace/relay.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define RELAY_BATCHES 4u
#define RELAY_BYTES   (128u * 1024u) /* of a batch; more where one message needs it */

#define RELAY_HEADERS 64u /* room for so many, and frames, behind a datagram */

/* Followed in its batch by the headers, the frames and the bytes, or the bytes first; or by what is
 * hidden. */
struct entry {
    bool is_hidden;
    struct packet_payload payload;
    struct sip_message message;
    void *origin;
    size_t size; /* of all that */
};

struct batch {
    char *bytes;
    size_t n, cap;
};

struct trace_relay {
    struct batch batches[RELAY_BATCHES];
    struct batch *filling; /* NULL: none at the moment */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t filled, emptied; /* batches so far; under the lock */
    bool ended;               /* no more will be filled; likewise */
};

struct trace_relay *trace_relay_new(void)
{
    struct trace_relay *r = base_alloc(sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    return r;
}

void trace_relay_free(struct trace_relay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < RELAY_BATCHES; i++)
        free(r->batches[i].bytes);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- the thread that reads ------------------------------------------------------------------- */

/* Waits until the batch that is filled next was emptied. */
static struct batch *next_batch(struct trace_relay *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->filled - r->emptied == RELAY_BATCHES)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return &r->batches[r->filled % RELAY_BATCHES];
}

void trace_relay_flush(struct trace_relay *r)
{
    if (!r->filling)
        return;
    r->filling = NULL;
    pthread_mutex_lock(&r->lock);
    r->filled++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static size_t aligned(size_t n)
{
    const size_t align = alignof(struct entry);
    return (n + align - 1) / align * align;
}

/* An entry of at most so many bytes, which is not put yet. */
static struct entry *entry_begin(struct trace_relay *r, size_t size)
{
    if (r->filling && r->filling->n + size > r->filling->cap)
        trace_relay_flush(r);
    if (!r->filling)
        r->filling = next_batch(r);
    struct batch *b = r->filling;
    if (b->n + size > b->cap) {
        b->cap = size > RELAY_BYTES ? size : RELAY_BYTES;
        b->bytes = base_realloc(b->bytes, b->cap);
    }
    return (struct entry *)(void *)(b->bytes + b->n);
}

static void entry_put(struct trace_relay *r, struct entry *e, size_t size)
{
    e->size = size;
    r->filling->n += size;
}

static void copy_frames(uint32_t *to, const struct packet_payload *payload)
{
    for (size_t i = 0; i < payload->frame_count; i++)
        to[i] = payload->frames[i];
}

struct sip_message *trace_relay_room(struct trace_relay *r, struct slice *bytes)
{
    const size_t behind = RELAY_HEADERS * sizeof(struct sip_header);
    struct entry *e = entry_begin(r, sizeof *e + aligned(bytes->n) + behind);
    bytes->p = memcpy(e + 1, bytes->p, bytes->n);
    return &e->message;
}

void trace_relay_put_room(struct trace_relay *r, void *origin, const struct packet_payload *payload)
{
    struct batch *b = r->filling;
    struct entry *e = (struct entry *)(void *)(b->bytes + b->n);
    size_t headers = e->message.header_count * sizeof *e->message.headers;
    size_t before = sizeof *e + aligned(payload->bytes.n);
    size_t size = aligned(before + headers + payload->frame_count * sizeof *payload->frames);
    char *at = (char *)e + before;
    if (b->n + size > b->cap) {
        struct packet_payload there = *payload;
        there.bytes.p = (const char *)(e + 1);
        trace_relay_flush(r); /* what was not put stays where it is until the batch comes round */
        trace_relay_put(r, origin, &there, &e->message);
        return;
    }
    e->is_hidden = false;
    e->origin = origin;
    e->payload = *payload;
    e->payload.bytes.p = (const char *)(e + 1);
    if (headers) /* without any, a scanner may have none to point at */
        memcpy(at, e->message.headers, headers);
    e->message.headers = (struct sip_header *)(void *)at;
    e->payload.frames = (uint32_t *)(void *)(at + headers);
    copy_frames((uint32_t *)(void *)(at + headers), payload);
    entry_put(r, e, size);
}

void trace_relay_put(struct trace_relay *r, void *origin, const struct packet_payload *payload,
                     const struct sip_message *message)
{
    size_t headers = message->header_count * sizeof *message->headers;
    size_t frames = payload->frame_count * sizeof *payload->frames;
    size_t size = aligned(sizeof(struct entry) + headers + frames + payload->bytes.n);
    struct entry *e = entry_begin(r, size);
    char *at = (char *)(e + 1), *bytes = at + headers + frames;
    e->is_hidden = false;
    e->origin = origin;
    e->payload = *payload;
    e->payload.frames = (uint32_t *)(void *)(at + headers);
    copy_frames((uint32_t *)(void *)(at + headers), payload);
    e->payload.bytes.p = memcpy(bytes, payload->bytes.p, payload->bytes.n);
    sip_message_copy(message, payload->bytes.p, bytes, (struct sip_header *)(void *)at,
                     &e->message);
    entry_put(r, e, size);
}

void trace_relay_put_hidden(struct trace_relay *r, void *origin, const struct packet_hidden *hidden)
{
    size_t size = aligned(sizeof(struct entry) + sizeof *hidden);
    struct entry *e = entry_begin(r, size);
    e->is_hidden = true;
    e->origin = origin;
    memcpy(e + 1, hidden, sizeof *hidden);
    entry_put(r, e, size);
}

void trace_relay_end(struct trace_relay *r)
{
    trace_relay_flush(r);
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the thread that files ------------------------------------------------------------------- */

static bool await_batch(struct trace_relay *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->filled == r->emptied && !r->ended)
        pthread_cond_wait(&r->changed, &r->lock);
    bool there = r->filled != r->emptied;
    pthread_mutex_unlock(&r->lock);
    return there;
}

bool trace_relay_take(struct trace_relay *r, trace_relay_sink *sink,
                      trace_relay_hidden_sink *hidden)
{
    if (!await_batch(r))
        return false;
    struct batch *b = &r->batches[r->emptied % RELAY_BATCHES];
    for (size_t at = 0; at < b->n;) {
        const struct entry *e = (const struct entry *)(const void *)(b->bytes + at);
        if (e->is_hidden)
            hidden(e->origin, (const struct packet_hidden *)(const void *)(e + 1));
        else
            sink(e->origin, &e->payload, &e->message);
        at += e->size;
    }
    b->n = 0;
    pthread_mutex_lock(&r->lock);
    r->emptied++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return true;
}

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

/* Followed in its batch by the headers, the frames and the bytes; or by what is hidden. */
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

/* Room for one entry of so many bytes. */
static struct entry *entry_new(struct trace_relay *r, size_t size)
{
    const size_t align = alignof(struct entry);
    size = (size + align - 1) / align * align;
    if (r->filling && r->filling->n + size > r->filling->cap)
        trace_relay_flush(r);
    if (!r->filling)
        r->filling = next_batch(r);
    struct batch *b = r->filling;
    if (b->n + size > b->cap) {
        b->cap = size > RELAY_BYTES ? size : RELAY_BYTES;
        b->bytes = base_realloc(b->bytes, b->cap);
    }
    struct entry *e = (struct entry *)(void *)(b->bytes + b->n);
    e->size = size;
    b->n += size;
    return e;
}

void trace_relay_put(struct trace_relay *r, void *origin, const struct packet_payload *payload,
                     const struct sip_message *message)
{
    size_t headers = message->header_count * sizeof *message->headers;
    size_t frames = payload->frame_count * sizeof *payload->frames;
    size_t size = sizeof(struct entry) + headers + frames + payload->bytes.n;
    struct entry *e = entry_new(r, size);
    char *at = (char *)(e + 1), *bytes = at + headers + frames;
    e->is_hidden = false;
    e->origin = origin;
    e->payload = *payload;
    e->payload.frames = memcpy(at + headers, payload->frames, frames);
    e->payload.bytes.p = memcpy(bytes, payload->bytes.p, payload->bytes.n);
    sip_message_copy(message, payload->bytes.p, bytes, (struct sip_header *)(void *)at,
                     &e->message);
}

void trace_relay_put_hidden(struct trace_relay *r, void *origin, const struct packet_hidden *hidden)
{
    struct entry *e = entry_new(r, sizeof *e + sizeof *hidden);
    e->is_hidden = true;
    e->origin = origin;
    memcpy(e + 1, hidden, sizeof *hidden);
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

/* The ring of frames: their bytes lie in a file, what is to be known of them in memory.  Chains
 * lead to the frames of a call, for there may be as many calls to hand out as there are. */
#include "trace/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES_A_FRAME 128u /* there are never more frames than would fit at this size */
#define CHAINS        65536u

struct entry {
    uint64_t at;               /* in the ring as if it had no end */
    struct source_frame frame; /* without bytes and message */
    uint32_t n;
    uint32_t point;
    bool media, has_message;
    bool given; /* by spool_give */
    struct endpoint src, dst;
    uint32_t next[2]; /* links, in the two chains that it is in */
};

/* Links are numbered: 1 and 2 are those of the entry in the ring's first place; 0 is none.  In a
 * chain the oldest comes first. */
struct chain {
    uint32_t first, last;
};

struct trace_spool {
    int fd;
    uint64_t limit;
    uint64_t end;              /* where the next frame goes */
    VEC(struct entry) entries; /* a ring: place p is at p % most */
    uint64_t from, to, most;
    struct hash_key key;
    struct chain *chains;
    VEC(uint64_t) wanted; /* places */
    struct text buffer;
    struct trace_spool_stats stats;
};

static int open_unnamed(void)
{
    const char *folder = getenv("TMPDIR");
    char path[] = "/tmp/sipxray-XXXXXX";
    int fd = open(folder && folder[0] ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

struct trace_spool *spool_new(uint64_t limit, struct err *err)
{
    int fd = open_unnamed();
    if (fd < 0) {
        err_set(err, "no temporary file to keep packets in: %s", strerror(errno));
        return NULL;
    }
    struct trace_spool *s = base_alloc(sizeof *s);
    s->fd = fd;
    s->limit = limit;
    s->most = limit / BYTES_A_FRAME + 1;
    if (s->most > UINT32_MAX / 2)
        s->most = UINT32_MAX / 2;
    s->key = hash_key_random();
    s->chains = base_alloc(CHAINS * sizeof *s->chains);
    return s;
}

void spool_free(struct trace_spool *s)
{
    if (!s)
        return;
    close(s->fd);
    vec_free(&s->entries);
    vec_free(&s->wanted);
    free(s->chains);
    text_free(&s->buffer);
    free(s);
}

static struct entry *entry_at(const struct trace_spool *s, uint64_t place)
{
    return &s->entries.items[place % s->most];
}

static struct trace_frame frame_of(const struct entry *e)
{
    return (struct trace_frame){e->point, &e->frame, e->media, e->src, e->dst};
}

/* ---- chains ---------------------------------------------------------------------------------- */

static struct entry *entry_of(const struct trace_spool *s, uint32_t link)
{
    return &s->entries.items[(link - 1) / 2];
}

static uint32_t *next_of(const struct trace_spool *s, uint32_t link)
{
    return &entry_of(s, link)->next[(link - 1) % 2];
}

static uint64_t place_of(const struct trace_spool *s, uint32_t link)
{
    return s->from + ((link - 1) / 2 + s->most - s->from % s->most) % s->most;
}

static struct chain *chain_of(const struct trace_spool *s, uint64_t key)
{
    return &s->chains[key % CHAINS];
}

static uint64_t key_of_frame(const struct trace_spool *s, uint32_t point, uint32_t number)
{
    const uint32_t key[2] = {point, number};
    return hash_bytes(&s->key, key, sizeof key);
}

static uint64_t key_of_place(const struct trace_spool *s, const struct endpoint *at)
{
    return hash_mix(hash_bytes(&s->key, at->ip.bytes, sizeof at->ip.bytes), at->port);
}

/* Of both directions. */
static uint64_t key_of_flow(const struct trace_spool *s, uint32_t point, const struct endpoint *a,
                            const struct endpoint *b)
{
    return hash_mix(key_of_place(s, a) + key_of_place(s, b), point);
}

static bool is_by_number(const struct trace_spool *s, uint32_t link)
{
    return !entry_of(s, link)->media && (link - 1) % 2 == 0;
}

/* Messages are found by their frames' numbers and by their flows, media by either end. */
static struct chain *chain_of_link(const struct trace_spool *s, uint32_t link)
{
    const struct entry *e = entry_of(s, link);
    bool second = (link - 1) % 2;
    uint64_t key = e->media ? key_of_place(s, second ? &e->dst : &e->src)
                   : second ? key_of_flow(s, e->point, &e->src, &e->dst)
                            : key_of_frame(s, e->point, e->frame.number);
    return chain_of(s, key);
}

static void chain_add(struct trace_spool *s, uint32_t link)
{
    struct chain *c = chain_of_link(s, link);
    *next_of(s, link) = 0;
    *(c->last ? next_of(s, c->last) : &c->first) = link;
    c->last = link;
}

/* The oldest of all is the first of its chain, unless it left that before. */
static void chain_drop(struct trace_spool *s, uint32_t link)
{
    struct chain *c = chain_of_link(s, link);
    if (c->first != link)
        return;
    c->first = *next_of(s, link);
    if (c->first == 0)
        c->last = 0;
}

/* ---- the ring -------------------------------------------------------------------------------- */

static uint32_t first_link(const struct trace_spool *s, uint64_t place)
{
    return (uint32_t)(place % s->most) * 2 + 1;
}

static void forget(struct trace_spool *s)
{
    chain_drop(s, first_link(s, s->from));
    chain_drop(s, first_link(s, s->from) + 1);
    s->stats.bytes -= entry_at(s, s->from++)->n;
    s->stats.frames--;
    s->stats.evicted++;
}

/* Room for n bytes in one piece. */
static void make_room(struct trace_spool *s, uint64_t n)
{
    uint64_t left = s->limit - s->end % s->limit;
    if (left < n)
        s->end += left;
    while (s->from < s->to &&
           (s->to - s->from >= s->most || entry_at(s, s->from)->at + s->limit < s->end + n))
        forget(s);
}

void spool_add(void *context, const struct trace_frame *f)
{
    struct trace_spool *s = context;
    text_clear(&s->buffer);
    if (f->frame->message)
        text_add(&s->buffer,
                 (struct slice){(const char *)f->frame->message, sizeof *f->frame->message});
    text_add(&s->buffer, f->frame->bytes);
    struct slice bytes = text_slice(&s->buffer);
    if (bytes.n > s->limit) {
        s->stats.lost++;
        return;
    }
    make_room(s, bytes.n);
    if (!file_write_at(s->fd, bytes, s->end % s->limit)) {
        s->stats.lost++;
        return;
    }
    while (s->entries.n < s->most && s->entries.n <= s->to % s->most)
        (void)vec_add(&s->entries);
    *entry_at(s, s->to) = (struct entry){.at = s->end,
                                         .frame = *f->frame,
                                         .n = (uint32_t)bytes.n,
                                         .point = f->point,
                                         .media = f->media,
                                         .has_message = f->frame->message != NULL,
                                         .src = f->src,
                                         .dst = f->dst};
    chain_add(s, first_link(s, s->to));
    chain_add(s, first_link(s, s->to) + 1);
    s->to++;
    s->end += bytes.n;
    s->stats.frames++;
    s->stats.bytes += bytes.n;
}

static bool read_entry(struct trace_spool *s, const struct entry *e)
{
    text_clear(&s->buffer);
    text_add_fill(&s->buffer, '\0', e->n);
    return file_read_at(s->fd, s->buffer.p, e->n, e->at % s->limit, NULL);
}

static void hand_out(struct trace_spool *s, struct entry *e, trace_frame_sink *sink, void *context)
{
    struct trace_frame frame = frame_of(e);
    struct source_message message;
    e->frame.bytes = text_slice(&s->buffer);
    e->frame.message = NULL;
    if (e->has_message) {
        memcpy(&message, s->buffer.p, sizeof message);
        e->frame.bytes = slice_from(e->frame.bytes, sizeof message);
        e->frame.message = &message;
    }
    sink(context, &frame);
}

void spool_each(struct trace_spool *s, spool_takes *takes, void *takes_context,
                trace_frame_sink *sink, void *context)
{
    for (uint64_t place = s->from; place < s->to; place++) {
        struct entry *e = entry_at(s, place);
        struct trace_frame frame = frame_of(e);
        if (takes(takes_context, &frame) && read_entry(s, e))
            hand_out(s, e, sink, context);
    }
}

/* ---- some of them, once ---------------------------------------------------------------------- */

/* What was given leaves the chains that may grow long with it; by its number it is still known. */
static void want(struct trace_spool *s, uint64_t key)
{
    struct chain *c = chain_of(s, key);
    uint32_t *at = &c->first;
    c->last = 0;
    while (*at) {
        uint32_t link = *at;
        struct entry *e = entry_of(s, link);
        if (e->given && !is_by_number(s, link)) {
            *at = *next_of(s, link);
            continue;
        }
        *vec_add(&s->wanted) = place_of(s, link);
        c->last = link;
        at = next_of(s, link);
    }
}

void spool_want_frame(struct trace_spool *s, uint32_t point, uint32_t number)
{
    want(s, key_of_frame(s, point, number));
}

void spool_want_flow(struct trace_spool *s, uint32_t point, const struct endpoint ends[2])
{
    want(s, key_of_flow(s, point, &ends[0], &ends[1]));
}

void spool_want_place(struct trace_spool *s, const struct endpoint *at)
{
    want(s, key_of_place(s, at));
}

static int by_place(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void spool_give(struct trace_spool *s, spool_takes *takes, void *takes_context,
                trace_frame_sink *sink, void *context)
{
    if (s->wanted.n)
        qsort(s->wanted.items, s->wanted.n, sizeof *s->wanted.items, by_place);
    for (size_t i = 0; i < s->wanted.n; i++) {
        struct entry *e = entry_at(s, s->wanted.items[i]);
        struct trace_frame frame = frame_of(e);
        if (takes(takes_context, &frame) && !e->given && read_entry(s, e)) {
            e->given = true;
            hand_out(s, e, sink, context);
        }
    }
    vec_clear(&s->wanted);
}

const struct trace_spool_stats *spool_stats(const struct trace_spool *s)
{
    return &s->stats;
}

/* The ring of frames: their bytes lie in a file, what is to be known of them in memory. */
#include "trace/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES_A_FRAME 128u /* there are never more frames than would fit at this size */

struct entry {
    uint64_t at;               /* in the ring as if it had no end */
    struct source_frame frame; /* without bytes and message */
    uint32_t n;
    uint32_t point;
    bool media, has_message;
    bool given; /* once */
    struct endpoint src, dst;
};

struct trace_spool {
    int fd;
    uint64_t limit;
    uint64_t end;              /* where the next frame goes */
    VEC(struct entry) entries; /* a ring: place p is at p % most */
    uint64_t from, to, most;
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
    return s;
}

void spool_free(struct trace_spool *s)
{
    if (!s)
        return;
    close(s->fd);
    vec_free(&s->entries);
    text_free(&s->buffer);
    free(s);
}

static struct entry *entry_at(const struct trace_spool *s, uint64_t place)
{
    return &s->entries.items[place % s->most];
}

static void forget(struct trace_spool *s)
{
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

static bool write_at(struct trace_spool *s, struct slice bytes)
{
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n =
            pwrite(s->fd, bytes.p + done, bytes.n - done, (off_t)(s->end % s->limit + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
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
    if (!write_at(s, bytes)) {
        s->stats.lost++;
        return;
    }
    while (s->entries.n < s->most && s->entries.n <= s->to % s->most)
        (void)vec_add(&s->entries);
    *entry_at(s, s->to++) = (struct entry){.at = s->end,
                                           .frame = *f->frame,
                                           .n = (uint32_t)bytes.n,
                                           .point = f->point,
                                           .media = f->media,
                                           .has_message = f->frame->message != NULL,
                                           .src = f->src,
                                           .dst = f->dst};
    s->end += bytes.n;
    s->stats.frames++;
    s->stats.bytes += bytes.n;
}

static bool read_entry(struct trace_spool *s, const struct entry *e)
{
    text_clear(&s->buffer);
    text_add_fill(&s->buffer, '\0', e->n);
    for (size_t done = 0; done < e->n;) {
        ssize_t n = pread(s->fd, s->buffer.p + done, e->n - done, (off_t)(e->at % s->limit + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

void spool_each(struct trace_spool *s, bool (*takes)(void *context, const struct trace_frame *f),
                trace_frame_sink *sink, void *takes_context, void *context, bool once)
{
    for (uint64_t place = s->from; place < s->to; place++) {
        struct entry *e = entry_at(s, place);
        struct source_message message;
        struct trace_frame frame = {e->point, &e->frame, e->media, e->src, e->dst};
        if (!takes(takes_context, &frame) || (once && e->given) || !read_entry(s, e))
            continue;
        e->given = once;
        e->frame.bytes = text_slice(&s->buffer);
        e->frame.message = NULL;
        if (e->has_message) {
            memcpy(&message, s->buffer.p, sizeof message);
            e->frame.bytes = slice_from(e->frame.bytes, sizeof message);
            e->frame.message = &message;
        }
        sink(context, &frame);
    }
}

const struct trace_spool_stats *spool_stats(const struct trace_spool *s)
{
    return &s->stats;
}

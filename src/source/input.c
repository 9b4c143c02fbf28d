/* Buffered input: one large buffer, filled by read(2) or by zlib, in which records stand unbroken.
 */
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is there something to read, the end included?  Asked instead of making the descriptor
 * non-blocking, which would do that to everybody who shares it. */
static bool may_read(struct source_input *in)
{
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    in->waiting = in->live && poll(&p, 1, 0) <= 0;
    return !in->waiting;
}

/* What was cut off of a file can't be read again, nor what was written over it. */
static void wait_for_growth(struct source_input *in)
{
    struct stat st;
    if (fstat(in->fd, &st) == 0 && (uint64_t)st.st_size < in->read) {
        in->failed = true;
        snprintf(in->why, sizeof in->why, "the file has become shorter");
        return;
    }
    in->waiting = true;
}

size_t source_input_read_raw(struct source_input *in, void *into, size_t n)
{
    ssize_t got;
    if (!may_read(in))
        return 0;
    do
        got = read(in->fd, into, n);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        in->failed = true;
        snprintf(in->why, sizeof in->why, "%s", strerror(errno));
        return 0;
    }
    in->read += (uint64_t)got;
    if (got == 0 && in->follow)
        wait_for_growth(in);
    return (size_t)got;
}

static void read_more(struct source_input *in)
{
    uint8_t *into = in->buffer + in->end;
    size_t room = in->capacity - in->end;
    size_t got = in->gzip ? source_gzip_read(in->gzip, in, into, room)
                          : source_input_read_raw(in, into, room);
    in->end += got;
    if (got == 0 && !in->waiting)
        in->ended = true;
}

static void move_to_front(struct source_input *in)
{
    if (in->at == 0)
        return;
    memmove(in->buffer, in->buffer + in->at, in->end - in->at);
    in->base += in->at;
    in->end -= in->at;
    in->at = 0;
}

/* Doubles only when the buffer is full, so that a hostile length costs no more than the file holds.
 */
static void make_room(struct source_input *in)
{
    if (in->end < in->capacity)
        return;
    in->capacity *= 2;
    in->buffer = base_realloc(in->buffer, in->capacity);
}

void source_input_fill(struct source_input *in, size_t n)
{
    in->waiting = false;
    if (in->ended)
        return;
    move_to_front(in);
    while (in->end < n && !in->ended && !in->waiting) {
        make_room(in);
        read_more(in);
    }
}

bool source_input_discard(struct source_input *in, uint64_t *n)
{
    while (*n > 0) {
        size_t step = *n < SOURCE_BUFFER / 2 ? (size_t)*n : SOURCE_BUFFER / 2;
        struct slice bytes = source_input_peek(in, step);
        source_input_skip(in, bytes.n);
        *n -= bytes.n;
        if (bytes.n < step)
            return false;
    }
    return true;
}

static void look_at_file(struct source_input *in)
{
    struct stat st;
    off_t start = 0;
    if (fstat(in->fd, &st) != 0)
        return;
    in->live = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(in->fd);
    if (!S_ISREG(st.st_mode) || (start = lseek(in->fd, 0, SEEK_CUR)) < 0)
        return;
    in->seekable = true;
    in->base = (uint64_t)start;
    in->size = (uint64_t)st.st_size;
    (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

static void begin_gzip(struct source_input *in)
{
    in->gzip = source_gzip_new(in->buffer, in->capacity, in->end);
    in->buffer = base_realloc(NULL, in->capacity);
    in->end = 0;
    in->base = 0;
    in->ended = false;
    in->seekable = false;
}

void source_input_open(struct source_input *in, int fd)
{
    *in = (struct source_input){.fd = fd, .capacity = SOURCE_BUFFER};
    in->buffer = base_realloc(NULL, in->capacity);
    look_at_file(in);
}

void source_input_follow(struct source_input *in)
{
    in->follow = in->seekable;
    in->live |= in->follow;
}

bool source_input_begin(struct source_input *in)
{
    struct slice head = source_input_peek(in, 2);
    if (head.n < 2 && in->waiting)
        return false;
    in->begun = true;
    if (slice_starts(head, SLICE("\x1f\x8b")))
        begin_gzip(in);
    return true;
}

void source_input_close(struct source_input *in)
{
    source_gzip_free(in->gzip);
    free(in->buffer);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
}

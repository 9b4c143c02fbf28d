/* Compressed captures: gzip (RFC 1952), members one after the other, through zlib. */
#include "source/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

struct source_gzip {
    z_stream z;
    uint8_t *raw;
    size_t capacity;
    bool between; /* a member just ended; what follows is a member, padding, or nothing */
    bool done;
};

struct source_gzip *source_gzip_new(uint8_t *raw, size_t capacity, size_t have)
{
    struct source_gzip *z = base_alloc(sizeof *z);
    z->raw = raw;
    z->capacity = capacity;
    z->z.next_in = raw;
    z->z.avail_in = (uInt)have;
    if (inflateInit2(&z->z, 16 + MAX_WBITS) != Z_OK)
        base_oom();
    return z;
}

/* At least `wanted` bytes of compressed input, unless it ends or (in->waiting) has no more now. */
static void refill(struct source_gzip *z, struct source_input *in, size_t wanted)
{
    while (z->z.avail_in < wanted) {
        memmove(z->raw, z->z.next_in, z->z.avail_in);
        z->z.next_in = z->raw;
        size_t got = source_input_read_raw(in, z->raw + z->z.avail_in, z->capacity - z->z.avail_in);
        if (got == 0)
            return;
        z->z.avail_in += (uInt)got;
    }
}

/* As gzip(1) does, anything after a member that is no member is taken for padding. */
static bool next_member(struct source_gzip *z, struct source_input *in)
{
    refill(z, in, 2);
    if (z->z.avail_in < 2 && in->waiting)
        return false;
    z->done = z->z.avail_in < 2 || z->z.next_in[0] != 0x1f || z->z.next_in[1] != 0x8b ||
              inflateReset(&z->z) != Z_OK;
    z->between = false;
    return !z->done;
}

static void fail(struct source_gzip *z, struct source_input *in)
{
    z->done = true;
    in->failed = true;
    snprintf(in->why, sizeof in->why, "corrupt gzip data before byte %llu of the file: %s",
             (unsigned long long)(in->read - z->z.avail_in),
             z->z.msg ? z->z.msg : "no reason given");
}

/* One step of inflate; false where the compressed input ends, or has no more now. */
static bool inflate_some(struct source_gzip *z, struct source_input *in)
{
    if (z->between && !next_member(z, in))
        return false;
    refill(z, in, 1);
    if (z->z.avail_in == 0) {
        z->done = !in->waiting;
        in->cut = z->done && !in->failed;
        return false;
    }
    int result = inflate(&z->z, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        z->between = true;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        fail(z, in);
    return !z->done;
}

size_t source_gzip_read(struct source_gzip *z, struct source_input *in, void *into, size_t n)
{
    uInt room = n < UINT32_MAX / 2 ? (uInt)n : UINT32_MAX / 2;
    z->z.next_out = into;
    z->z.avail_out = room;
    while (!z->done && z->z.avail_out == room && inflate_some(z, in))
        continue;
    return room - z->z.avail_out;
}

void source_gzip_free(struct source_gzip *z)
{
    if (!z)
        return;
    inflateEnd(&z->z);
    free(z->raw);
    free(z);
}

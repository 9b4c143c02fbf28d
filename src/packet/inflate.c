/* What carries SIP compressed: HEP's payload (zlib or gzip) and WebSocket messages (RFC 7692), both
 * through zlib.  Little input can stand for much output, so what comes out is limited. */
#include "packet/inflate.h"

#include <zlib.h>

#define INFLATE_STEP 8192u

struct packet_inflater {
    z_stream z;
};

struct packet_inflater *packet_inflater_new(enum packet_deflated format)
{
    struct packet_inflater *f = base_alloc(sizeof *f);
    int bits = format == PACKET_DEFLATED_RAW ? -MAX_WBITS : 32 + MAX_WBITS;
    if (inflateInit2(&f->z, bits) != Z_OK)
        base_oom();
    return f;
}

void packet_inflater_free(struct packet_inflater *f)
{
    if (!f)
        return;
    inflateEnd(&f->z);
    free(f);
}

void packet_inflater_forget(struct packet_inflater *f)
{
    inflateReset(&f->z);
}

static void make_room(struct packet_bytes *out)
{
    while (out->cap - out->n < INFLATE_STEP)
        out->items = vec_grow(out->items, &out->cap, 1);
}

/* A step; false where it comes to no good or to no more. */
static bool inflate_some(struct packet_inflater *f, struct packet_bytes *out,
                         enum packet_inflated *result)
{
    size_t room = PACKET_INFLATED_BYTES - out->n;
    make_room(out);
    room = room < out->cap - out->n ? room : out->cap - out->n;
    f->z.next_out = (Bytef *)out->items + out->n;
    f->z.avail_out = (uInt)room;
    int status = inflate(&f->z, Z_SYNC_FLUSH);
    out->n += room - f->z.avail_out;
    if (status == Z_STREAM_END && f->z.avail_in > 0)
        status = inflateReset(&f->z);
    if (status == Z_STREAM_END)
        *result = PACKET_INFLATED_END;
    if (status == Z_STREAM_END || (status == Z_BUF_ERROR && f->z.avail_in == 0))
        return false;
    if (status != Z_OK)
        *result = PACKET_INFLATED_BAD;
    else if (out->n == PACKET_INFLATED_BYTES)
        *result = PACKET_INFLATED_MORE;
    return *result == PACKET_INFLATED_ALL && (f->z.avail_in > 0 || f->z.avail_out == 0);
}

enum packet_inflated packet_inflate(struct packet_inflater *f, struct slice in,
                                    struct packet_bytes *out)
{
    enum packet_inflated result = PACKET_INFLATED_ALL;
    f->z.next_in = (Bytef *)(uintptr_t)in.p;
    f->z.avail_in = (uInt)in.n;
    while (inflate_some(f, out, &result))
        continue;
    return result;
}

/* WebSocket: the HTTP heads that it begins with (RFC 6455 4), and its frames' heads (5.2). */
#include "packet/websocket.h"

#define MESSAGE_START 16u  /* bytes of a message that are enough to know it */
#define LONG          126u /* bytes: the length has a field of its own */
#define CHAIN_MAX     16u  /* frames looked at */

/* ---- frames ---------------------------------------------------------------------------------- */

bool websocket_frame_read(struct slice bytes, struct websocket_frame *f)
{
    struct cursor c = cursor_of(bytes);
    uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
    *f = (struct websocket_frame){.last = first & 0x80,
                                  .compressed = first & 0x40,
                                  .reserved = first & 0x30,
                                  .opcode = first & 0x0f,
                                  .masked = second & 0x80,
                                  .length = second & 0x7f};
    if (f->length == 126)
        f->length = cursor_be16(&c);
    else if (f->length == 127) {
        f->length = (uint64_t)cursor_be32(&c) << 32;
        f->length |= cursor_be32(&c);
    }
    if (f->masked) {
        struct slice mask = cursor_take(&c, sizeof f->mask);
        if (mask.n)
            memcpy(f->mask, mask.p, mask.n);
    }
    f->head = bytes.n - cursor_left(&c);
    return !c.failed;
}

bool websocket_frame_is_sane(const struct websocket_frame *f)
{
    bool known = f->opcode <= WEBSOCKET_BINARY ||
                 (f->opcode >= WEBSOCKET_CLOSE && f->opcode <= WEBSOCKET_PONG);
    bool control = websocket_frame_is_control(f);
    bool first = f->opcode == WEBSOCKET_TEXT || f->opcode == WEBSOCKET_BINARY;
    return known && !f->reserved && (first || !f->compressed) && f->length < (uint64_t)1 << 63 &&
           (!control || (f->last && f->length <= 125));
}

void websocket_unmask(const struct websocket_frame *f, size_t at, const char *from, char *to,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(from[i] ^ f->mask[(at + i) % 4]);
}

/* Does a SIP message, or its first fragment, begin with these bytes?  -1: there are too few. */
static int begins_message(struct slice bytes)
{
    struct websocket_frame f;
    char start[MESSAGE_START];
    if (!websocket_frame_read(bytes, &f) || !websocket_frame_is_sane(&f) || f.compressed ||
        (f.opcode != WEBSOCKET_TEXT && f.opcode != WEBSOCKET_BINARY))
        return 0;
    struct slice payload = slice_first(slice_from(bytes, f.head), sizeof start);
    payload.n = payload.n < f.length ? payload.n : (size_t)f.length;
    websocket_unmask(&f, 0, payload.p, start, payload.n);
    if (payload.n == 0 || start[0] == '\r' || start[0] == '\n' ||
        !packet_begins_sip((struct slice){start, payload.n}))
        return 0;
    return payload.n == sizeof start || payload.n == f.length ? 1 : -1;
}

/* Of a compressed message nothing is seen: it begins where frames, the first of which is longer
 * than chance makes them, end where the bytes end, as they do where each message is sent at once.
 */
static bool begins_compressed(struct slice bytes)
{
    struct websocket_frame f;
    for (unsigned i = 0; bytes.n && i < CHAIN_MAX; i++) {
        if (!websocket_frame_read(bytes, &f) || !websocket_frame_is_sane(&f) ||
            f.length > bytes.n - f.head || (i == 0 && (!f.compressed || f.length < LONG)))
            return false;
        bytes = slice_from(bytes, f.head + (size_t)f.length);
    }
    return bytes.n == 0;
}

size_t websocket_frame_find(struct slice bytes)
{
    for (size_t at = 0; at < bytes.n; at++) {
        struct slice rest = slice_from(bytes, at);
        unsigned kind = (uint8_t)bytes.p[at] & 0x7c;
        int begins = kind == 0 ? begins_message(rest) : kind == 0x40 && begins_compressed(rest);
        if (begins)
            return begins > 0 ? at : bytes.n;
    }
    return bytes.n;
}

/* ---- heads ----------------------------------------------------------------------------------- */

size_t websocket_head_length(struct slice bytes)
{
    bytes = slice_first(bytes, WEBSOCKET_HEAD_MAX);
    const char *end = bytes.n ? memmem(bytes.p, bytes.n, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - bytes.p) + 4 : 0;
}

static struct slice take_until(struct slice *rest, char c)
{
    struct slice one = slice_first(*rest, slice_find(*rest, c));
    *rest = slice_from(*rest, one.n + 1);
    return one;
}

bool websocket_head_is_upgrade(struct slice head)
{
    struct slice start = take_until(&head, '\n');
    if (websocket_begins_answer(start) && !slice_starts(slice_from(start, 8), SLICE(" 101")))
        return false;
    while (head.n) {
        struct slice value = take_until(&head, '\n'), name = take_until(&value, ':');
        if (!slice_equal_nocase(slice_trim(name), SLICE("Upgrade")))
            continue;
        while (value.n)
            if (slice_equal_nocase(slice_trim(take_until(&value, ',')), SLICE("websocket")))
                return true;
    }
    return false;
}

static bool begins(struct slice bytes, struct slice word)
{
    return slice_starts(bytes.n < word.n ? word : bytes, bytes.n < word.n ? bytes : word);
}

bool websocket_begins_request(struct slice bytes)
{
    return begins(bytes, SLICE("GET "));
}

bool websocket_begins_answer(struct slice bytes)
{
    return begins(bytes, SLICE("HTTP/"));
}

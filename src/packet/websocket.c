/* WebSocket (RFC 6455): messages out of frames, masks and compression (RFC 7692) taken off.  Each
 * message is one SIP message (RFC 7118 5). */
#include "packet/websocket.h"
#include "packet/inflate.h"

#define WEBSOCKET_IDLE 4096u /* bytes of buffer that a direction may keep between messages */

/* One direction. */
struct websocket_way {
    bool framed;   /* HTTP is over */
    bool refused;  /* the server's answer was another than 101 */
    bool lost;     /* where frames begin is not known */
    uint64_t skip; /* bytes of a frame that are still to come and no use any more */
    /* a message of which more is to come */
    bool open, compressed;
    struct packet_bytes message;
    uint64_t missing; /* what is not in `message` */
    bool too_long;    /* because it is more than is held */
    struct packet_parts parts;
    struct packet_inflater *inflater; /* NULL: nothing compressed was seen */
};

struct websocket {
    struct websocket_way way[2];
};

static struct websocket_way *way_of(struct packet_stream *s, unsigned way)
{
    if (!s->state)
        s->state = base_alloc(sizeof(struct websocket));
    return &((struct websocket *)s->state)->way[way];
}

static size_t drop(struct packet_stream *s, size_t n)
{
    s->d->stats.stream_lost += n;
    return n;
}

/* ---- messages -------------------------------------------------------------------------------- */

static size_t held(const struct websocket_way *m)
{
    return m->message.cap + m->parts.cap * sizeof *m->parts.items +
           (m->inflater ? PACKET_INFLATER_BYTES : 0);
}

static void message_clear(struct packet_stream *s, struct websocket_way *m)
{
    size_t before = held(m);
    m->open = m->compressed = m->too_long = false;
    m->missing = 0;
    vec_clear(&m->message);
    vec_clear(&m->parts);
    if (m->message.cap > WEBSOCKET_IDLE)
        vec_free(&m->message);
    if (m->parts.cap > WEBSOCKET_IDLE / sizeof *m->parts.items)
        vec_free(&m->parts);
    s->d->stream_bytes -= before - held(m);
}

/* Room for n bytes behind those of the message. */
static char *message_room(struct packet_stream *s, struct websocket_way *m, size_t n)
{
    size_t before = held(m);
    while (m->message.cap - m->message.n < n)
        m->message.items = vec_grow(m->message.items, &m->message.cap, 1);
    s->d->stream_bytes += held(m) - before;
    return m->message.items + m->message.n;
}

/* Adds n bytes, the payload's first ones, as far as they may be held. */
static void message_add(struct packet_stream *s, struct websocket_way *m,
                        const struct packet_window *w, const struct websocket_frame *f, size_t n)
{
    size_t before, fits = PACKET_STREAM_BYTES - m->message.n;
    m->too_long |= fits < n;
    fits = m->missing || m->parts.n >= PACKET_STREAM_PARTS ? 0 : fits < n ? fits : n;
    m->missing += f->length - fits;
    websocket_unmask(f, 0, w->bytes.p + f->head, message_room(s, m, fits), fits);
    m->message.n += fits;
    before = held(m);
    if (m->parts.n < PACKET_STREAM_PARTS)
        packet_window_parts(w, 0, f->head + n, 1, &m->parts);
    s->d->stream_bytes += held(m) - before;
}

/* What is missing was lost where bytes of the stream were, which `gap` does not rule out. */
static void hand_on(struct packet_stream *s, const struct packet_window *w,
                    struct packet_payload *p, uint64_t missing, bool gap)
{
    p->transport = s->transport == PACKET_TLS ? PACKET_WSS : PACKET_WS;
    p->src = w->src;
    p->dst = w->dst;
    p->missing = missing < UINT32_MAX ? (size_t)missing : UINT32_MAX;
    p->gap = gap && w->after != PACKET_CUT && w->after != PACKET_FULL;
    if (p->bytes.n)
        packet_hand_on(s->d, p);
}

/* RFC 7692 7.2.2.  What follows may build on this message, unless it is not all there. */
static uint64_t message_inflate(struct packet_stream *s, struct websocket_way *m,
                                struct packet_bytes *plain)
{
    enum packet_inflated result;
    if (!m->inflater) {
        m->inflater = packet_inflater_new(PACKET_DEFLATED_RAW);
        s->d->stream_bytes += PACKET_INFLATER_BYTES;
    }
    result = packet_inflate(m->inflater, (struct slice){m->message.items, m->message.n}, plain);
    if (result == PACKET_INFLATED_ALL && !m->missing)
        result = packet_inflate(m->inflater, SLICE("\0\0\xff\xff"), plain);
    m->too_long |= result == PACKET_INFLATED_MORE;
    s->d->stats.not_inflated += result == PACKET_INFLATED_BAD;
    if (result <= PACKET_INFLATED_END && !m->missing)
        return 0;
    packet_inflater_forget(m->inflater);
    return 1;
}

static void message_end(struct packet_stream *s, struct websocket_way *m,
                        const struct packet_window *w)
{
    struct packet_payload p;
    struct packet_bytes plain = {0};
    uint64_t missing = m->missing;
    packet_parts_payload(s->d, &m->parts, &p);
    p.bytes = (struct slice){m->message.items, m->message.n};
    if (m->compressed) {
        missing = message_inflate(s, m, &plain);
        p.bytes = (struct slice){plain.items, plain.n};
    }
    hand_on(s, w, &p, missing, !m->too_long);
    vec_free(&plain);
    message_clear(s, m);
}

/* More of the message was sent, and is not to be had. */
static void message_break(struct packet_stream *s, struct websocket_way *m,
                          const struct packet_window *w)
{
    if (!m->open)
        return;
    m->missing += m->missing == 0;
    message_end(s, m, w);
}

/* A message in one frame, as most are, is not held; where it is not masked, it can be read again.
 */
static void whole_message(struct packet_stream *s, struct websocket_way *m,
                          const struct packet_window *w, const struct websocket_frame *f, size_t n)
{
    struct packet_payload p;
    packet_window_payload(w, 0, f->head + n, &p);
    p.bytes = slice_from(p.bytes, f->head);
    if (p.offset != SOURCE_NO_OFFSET)
        p.offset += f->head;
    if (f->masked) {
        char *plain = message_room(s, m, n);
        websocket_unmask(f, 0, p.bytes.p, plain, n);
        p.bytes = (struct slice){plain, n};
        p.offset = SOURCE_NO_OFFSET;
    }
    hand_on(s, w, &p, f->length - n, true);
    message_clear(s, m);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* A frame with the first n bytes of its payload; those that are not there never will be. */
static void take_data(struct packet_stream *s, struct websocket_way *m,
                      const struct packet_window *w, const struct websocket_frame *f, size_t n)
{
    bool begins = f->opcode != WEBSOCKET_CONTINUATION;
    bool ends = f->last || n < f->length;
    if (begins)
        message_break(s, m, w);
    if (begins && ends && !f->compressed) {
        whole_message(s, m, w, f, n);
        return;
    }
    if (begins) {
        m->open = true;
        m->compressed = f->compressed;
    }
    if (!m->open) {
        drop(s, n);
        return;
    }
    message_add(s, m, w, f, n);
    if (ends)
        message_end(s, m, w);
}

static size_t frames_lost(struct packet_stream *s, struct websocket_way *m,
                          const struct packet_window *w, size_t n)
{
    message_break(s, m, w);
    if (m->inflater)
        packet_inflater_forget(m->inflater);
    m->lost = true;
    m->skip = 0;
    return drop(s, n);
}

/* Looks for the beginning of a message; 0: it is here.  What was looked at is dropped, but for what
 * may be the start of a frame. */
static size_t find_frame(struct packet_stream *s, struct websocket_way *m,
                         const struct packet_window *w)
{
    size_t n = w->bytes.n, at = websocket_frame_find(w->bytes);
    m->lost = at == n;
    if (m->lost && w->after == PACKET_MORE)
        at = n > WEBSOCKET_FRAME_START ? n - WEBSOCKET_FRAME_START : 0;
    return drop(s, at);
}

static size_t take_frame(struct packet_stream *s, struct websocket_way *m,
                         const struct packet_window *w)
{
    struct websocket_frame f;
    bool more = w->after == PACKET_MORE;
    if (!websocket_frame_read(w->bytes, &f))
        return more ? 0 : frames_lost(s, m, w, w->bytes.n);
    if (!websocket_frame_is_sane(&f)) {
        s->d->stats.malformed++;
        return frames_lost(s, m, w, 1);
    }
    size_t n = w->bytes.n - f.head;
    if (n < f.length && more) {
        *w->want = f.head + (size_t)f.length;
        return 0;
    }
    n = n < f.length ? n : (size_t)f.length;
    if (!websocket_frame_is_control(&f))
        take_data(s, m, w, &f, n);
    m->framed = true;
    m->skip = f.length - n;
    return f.head + n;
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

/* The head of a request or an answer.  Frames follow a request, unless it was refused and another
 * one comes; they follow an answer that agrees. */
static size_t take_head(struct packet_stream *s, struct websocket_way *m,
                        const struct packet_window *w)
{
    size_t n = websocket_head_length(w->bytes);
    if (n == 0 && w->after == PACKET_MORE && w->bytes.n < WEBSOCKET_HEAD_MAX)
        return 0;
    if (n == 0)
        return frames_lost(s, m, w, w->bytes.n);
    if (websocket_begins_answer(w->bytes)) {
        m->framed = websocket_head_is_upgrade(slice_first(w->bytes, n));
        m->refused = !m->framed;
    }
    return n;
}

/* What stands in an answer that is not the one awaited. */
static size_t pass_answer(struct packet_stream *s, const struct packet_window *w)
{
    size_t at = 0;
    while (at < w->bytes.n && !websocket_begins_answer(slice_from(w->bytes, at)))
        at++;
    return drop(s, at);
}

/* ---- the protocol ---------------------------------------------------------------------------- */

/* Nothing is there.  A hole within the rest of a frame is counted off from it. */
static size_t take_nothing(struct packet_stream *s, struct websocket_way *m,
                           const struct packet_window *w)
{
    if (w->after == PACKET_END)
        message_break(s, m, w);
    if (w->after != PACKET_GAP && w->after != PACKET_CUT)
        return 0;
    if (w->missing && w->missing <= m->skip)
        m->skip -= w->missing;
    else
        frames_lost(s, m, w, 0);
    return 0;
}

/* One frame and nothing after it: a guess at where frames begin, where it holds no SIP message. */
static bool is_alone(struct slice bytes)
{
    struct websocket_frame f;
    return websocket_frame_read(bytes, &f) && websocket_frame_is_sane(&f) && f.last &&
           f.opcode != WEBSOCKET_CONTINUATION && f.length == bytes.n - f.head;
}

static size_t take_websocket(struct packet_stream *s, unsigned way, const struct packet_window *w)
{
    struct websocket_way *m = way_of(s, way);
    if (w->bytes.n == 0)
        return take_nothing(s, m, w);
    if (m->skip) {
        size_t n = w->bytes.n < m->skip ? w->bytes.n : (size_t)m->skip;
        m->skip -= n;
        return drop(s, n);
    }
    bool head = websocket_begins_request(w->bytes) || websocket_begins_answer(w->bytes);
    if (!m->framed && head)
        return take_head(s, m, w);
    if (m->refused)
        return pass_answer(s, w);
    if (!m->framed && w->joined)
        m->lost = !is_alone(w->bytes);
    if (m->lost) {
        size_t n = find_frame(s, m, w);
        if (n || m->lost)
            return n;
    }
    return take_frame(s, m, w);
}

static void free_websocket(struct packet_stream *s)
{
    struct websocket *state = s->state;
    for (unsigned way = 0; state && way < 2; way++) {
        struct websocket_way *m = &state->way[way];
        s->d->stream_bytes -= held(m);
        packet_inflater_free(m->inflater);
        vec_free(&m->message);
        vec_free(&m->parts);
    }
    free(state);
}

const struct packet_protocol packet_protocol_websocket = {"websocket", take_websocket,
                                                          free_websocket};

/* Without its beginning: a frame with SIP in it, or one of another kind that is all there is. */
static int probe_joined(const struct packet_window *w)
{
    size_t n = w->bytes.n;
    if (websocket_frame_find(w->bytes) < n)
        return 1;
    return n < WEBSOCKET_FRAME_START && ((uint8_t)w->bytes.p[0] & 0xfc) == 0x80
               ? -1
               : is_alone(w->bytes);
}

bool packet_websocket_begins(struct slice bytes)
{
    if (!websocket_begins_request(bytes) && !websocket_begins_answer(bytes))
        return false;
    size_t n = websocket_head_length(bytes);
    return n && websocket_head_is_upgrade(slice_first(bytes, n));
}

int packet_websocket_probe(const struct packet_stream *s, const struct packet_window *w)
{
    (void)s;
    if (!websocket_begins_request(w->bytes) && !websocket_begins_answer(w->bytes))
        return w->joined ? probe_joined(w) : 0;
    size_t n = websocket_head_length(w->bytes);
    if (n == 0)
        return w->bytes.n < WEBSOCKET_HEAD_MAX ? -1 : 0;
    return websocket_head_is_upgrade(slice_first(w->bytes, n));
}

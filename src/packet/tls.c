/* TLS on a stream: takes it apart into records (RFC 8446 5.1), opens them, and makes a stream of
 * what the application said. */
#include "packet/tls.h"

#include <stdlib.h>

/* ---- what was not read ----------------------------------------------------------------------- */

static enum source_direction turned(enum source_direction d)
{
    return d == SOURCE_IN ? SOURCE_OUT : d == SOURCE_OUT ? SOURCE_IN : d;
}

static struct packet_hidden *hidden_of(struct tls_connection *c, unsigned way,
                                       const struct tls_record *r)
{
    struct packet_tls *t = c->d->tls;
    unsigned from = c->client;
    if (c->hidden == TLS_NOT_LISTED) {
        if (t->hidden.n >= PACKET_HIDDEN_MAX)
            return NULL;
        if (!c->hello.client && !c->hello.server) /* servers have the lower ports */
            from = c->ends[0].port < c->ends[1].port;
        c->hidden = (uint32_t)vec_next(&t->hidden);
        t->hidden.items[c->hidden] = (struct packet_hidden){
            .id = c->hidden,
            .src = c->ends[from],
            .dst = c->ends[!from],
            .direction = way == from ? r->parts[0].direction : turned(r->parts[0].direction)};
    }
    struct packet_hidden *h = &t->hidden.items[c->hidden];
    if (h->records == 0) {
        h->frame = r->parts[0].frame;
        h->first_ns = r->parts[0].time_ns;
    }
    return h;
}

static void tell_hidden(struct tls_connection *c, const struct packet_hidden *h)
{
    c->told_ns = h->last_ns;
    if (c->d->hidden)
        c->d->hidden(c->d->sinks.context, h);
}

void packet_tls_unread(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    if (r->type != TLS_DATA)
        return;
    struct packet_hidden *h = hidden_of(c, way, r);
    c->d->stats.tls_undecrypted_records++;
    if (c->unread++ == 0)
        c->d->stats.tls_undecrypted++;
    if (!h)
        return;
    h->last_ns = r->parts[r->part_count - 1].time_ns;
    if (h->records++ == 0 || h->last_ns - c->told_ns >= TLS_TOLD_NS)
        tell_hidden(c, h);
}

void packet_tls_read_late(struct tls_connection *c, uint64_t records)
{
    if (records == 0)
        return;
    c->d->stats.tls_undecrypted_records -= records;
    c->unread -= records;
    if (c->unread == 0)
        c->d->stats.tls_undecrypted--;
    if (c->hidden == TLS_NOT_LISTED)
        return;
    struct packet_hidden *h = &c->d->tls->hidden.items[c->hidden];
    h->records -= records;
    if (h->records == 0)
        tell_hidden(c, h);
}

/* ---- the inner stream ------------------------------------------------------------------------ */

/* Where of n bytes of plaintext a byte of the record ends up; what is around them goes to the first
 * and the last. */
static size_t plain_place(size_t at, size_t lead, size_t n)
{
    return at <= lead ? 0 : at - lead < n ? at - lead : n;
}

/* The frames of a record become those of its plaintext, as a rule of all of it. */
static void inner_parts(const struct tls_record *r, size_t lead, size_t n,
                        struct packet_parts *parts)
{
    bool shared = r->part_count <= TLS_SHARED_FRAMES;
    size_t last = 0;
    for (size_t i = 0; i < r->part_count; i++) {
        struct packet_part part = r->parts[i];
        size_t end = plain_place(part.end, lead, n);
        part.begin = shared ? 0 : plain_place(part.begin, lead, n - 1);
        part.end = shared || end == n ? n : end > part.begin ? end : part.begin + 1;
        part.offset = SOURCE_NO_OFFSET;
        *vec_add(parts) = part;
        last = part.frame >= parts->items[last].frame ? i : last;
    }
    struct packet_part completes = parts->items[last];
    completes.begin = 0;
    completes.end = n;
    if (!shared)
        *vec_add(parts) = completes;
}

static void push_inner(struct tls_connection *c, unsigned way, struct slice bytes,
                       const struct tls_record *r)
{
    struct tls_side *s = &c->side[way];
    struct packet_parts parts = {0};
    if (bytes.n == 0)
        return;
    if (!c->inner) {
        c->inner = base_alloc(sizeof *c->inner);
        packet_stream_init(c->inner, c->d, PACKET_TLS, &c->ends[0], &c->ends[1]);
    }
    if (s->gap && !s->spoke)
        packet_stream_hole(c->inner, way, PACKET_GAP, 0);
    s->gap = false;
    s->spoke = true;
    inner_parts(r, TLS_HEADER + packet_tls_cipher_lead(s->cipher), bytes.n, &parts);
    packet_stream_push(c->inner, way, bytes, parts.items, parts.n);
    vec_free(&parts);
}

void packet_tls_event(struct tls_connection *c, unsigned way, enum packet_after after,
                      uint64_t missing)
{
    struct tls_side *s = &c->side[way];
    vec_free(&s->said);
    s->said_skip = 0;
    (void)missing; /* of ciphertext */
    if (after == PACKET_END) {
        if (c->inner)
            packet_stream_end(c->inner, way);
        return;
    }
    s->lost = true;
    if (!s->gap && s->spoke)
        packet_stream_hole(c->inner, way, after, 0);
    s->gap = true;
}

/* ---- records --------------------------------------------------------------------------------- */

static bool is_hello(struct slice bytes)
{
    return bytes.n && (bytes.p[0] == 1 || bytes.p[0] == 2);
}

/* Before TLS 1.3 all is encrypted that follows a side's ChangeCipherSpec, which may be lost.  Until
 * the server has spoken nobody knows the version; a second ClientHello may come then. */
static bool is_sealed(struct tls_connection *c, struct tls_side *s, const struct tls_record *r)
{
    if (c->hello.version == TLS_1_3 && c->hello.server)
        return r->type == TLS_DATA;
    if (r->type == TLS_DATA && !s->sealed) {
        s->sealed = c->hello.server;
        s->lost |= s->sealed;
        return true;
    }
    return s->sealed && (c->hello.server || !is_hello(r->body));
}

static void change_cipher(const struct tls_connection *c, struct tls_side *s)
{
    if (c->hello.version == TLS_1_3)
        return; /* it is for middle boxes only (RFC 8446 D.4) */
    packet_tls_cipher_free(s->cipher);
    s->cipher = NULL;
    s->sealed = true;
    s->number = 0;
    s->has_nonce = s->lost = false;
}

/* Of a connection that was joined later, what is no hello is encrypted, whatever it looks like. */
static bool is_blind(const struct tls_connection *c, const struct tls_record *r)
{
    return c->joined && !c->hello.client && !c->hello.server && r->type != TLS_DATA &&
           !(r->type == TLS_HANDSHAKE && is_hello(r->body));
}

enum tls_opened packet_tls_take(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    struct tls_side *s = &c->side[way];
    struct tls_plain plain = {r->type, r->body};
    uint8_t room[TLS_RECORD_MAX];
    bool sealed = is_sealed(c, s, r);
    if (is_blind(c, r))
        return TLS_OPENED;
    if (sealed) {
        enum tls_opened opened = packet_tls_open(c, way, r, room, &plain);
        if (opened != TLS_OPENED)
            return opened;
    }
    s->sealed &= sealed;
    if (plain.type == TLS_CHANGE_CIPHER)
        change_cipher(c, s);
    else if (plain.type == TLS_HANDSHAKE)
        packet_tls_said(c, way, plain.bytes, sealed);
    else if (plain.type == TLS_DATA)
        push_inner(c, way, plain.bytes, r);
    else if (plain.type == TLS_ALERT && plain.bytes.n == 2 && plain.bytes.p[1] == 0 && c->inner)
        packet_stream_end(c->inner, way); /* close_notify */
    return TLS_OPENED;
}

void packet_tls_pass(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    struct tls_side *s = &c->side[way];
    s->number++;
    s->vain += s->lost;
    if (s->cipher)
        packet_tls_cipher_pass(s->cipher, r);
    if (r->type == TLS_DATA)
        packet_tls_event(c, way, PACKET_GAP, 0);
}

/* ---- the stream ------------------------------------------------------------------------------ */

static bool is_header(struct slice bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    size_t length = (size_t)p[3] << 8 | p[4];
    return p[0] >= TLS_CHANGE_CIPHER && p[0] <= TLS_DATA && p[1] == 3 && p[2] <= 4 && length > 0 &&
           length <= TLS_RECORD_MAX;
}

static size_t record_length(struct slice bytes)
{
    return TLS_HEADER + ((size_t)(uint8_t)bytes.p[3] << 8 | (uint8_t)bytes.p[4]);
}

/* A header, and where the next one is there it is one as well. */
static bool is_record(struct slice bytes)
{
    if (!is_header(bytes))
        return false;
    struct slice next = slice_from(bytes, record_length(bytes));
    return next.n < TLS_HEADER || is_header(next);
}

/* After a hole: how many bytes lie before what may be the next record. */
static size_t find_record(struct slice bytes)
{
    size_t at = 0;
    while (bytes.n - at >= TLS_HEADER && !is_record(slice_from(bytes, at)))
        at++;
    return at;
}

/* A header, and the bytes end with its record, or the next one's header follows. */
static bool is_sure(struct slice bytes)
{
    if (!is_header(bytes) || bytes.n < record_length(bytes))
        return false;
    struct slice next = slice_from(bytes, record_length(bytes));
    return next.n == 0 || (next.n >= TLS_HEADER && is_header(next));
}

/* What may be a record is not over, and what comes waits for its end; but encrypted bytes may look
 * like a header.  They did where a record is whole behind them, and where nothing more comes. */
static size_t pass_doubtful(const struct packet_window *w)
{
    if (w->after != PACKET_MORE)
        return 1;
    for (size_t at = 1; w->bytes.n - at >= TLS_HEADER; at++)
        if (is_sure(slice_from(w->bytes, at)))
            return at;
    return 0;
}

/* Bytes are missing: where they end within the record that was begun, its rest is passed over. */
static void lose(struct tls_connection *c, unsigned way, const struct packet_window *w)
{
    struct tls_side *s = &c->side[way];
    bool begun = w->bytes.n >= TLS_HEADER && !s->resync && is_header(w->bytes);
    uint64_t all = w->bytes.n + w->missing;
    if (w->after != PACKET_END) {
        if (s->skip && w->bytes.n == 0 && w->missing && w->missing <= s->skip) {
            s->skip -= w->missing;
        } else {
            s->resync = !(begun && w->missing && all <= record_length(w->bytes));
            s->skip = s->resync ? 0 : record_length(w->bytes) - all;
        }
    }
    if (s->waits)
        packet_tls_hold_event(c, way, w->after, w->missing);
    else
        packet_tls_event(c, way, w->after, w->missing);
}

/* False: it was no record, but looked like one. */
static bool take_record(struct tls_connection *c, unsigned way, const struct tls_record *r)
{
    struct tls_side *s = &c->side[way];
    if (s->waits)
        packet_tls_look(c);
    enum tls_opened opened = s->waits ? TLS_WAITS : packet_tls_take(c, way, r);
    if (opened == TLS_UNREAD && s->resync && s->cipher && s->resyncs++ < TLS_RESYNCS) {
        packet_tls_cipher_pass(s->cipher, r);
        return false;
    }
    s->resync = false;
    if (opened == TLS_OPENED)
        return true;
    packet_tls_unread(c, way, r);
    if (opened == TLS_WAITS)
        packet_tls_hold(c, way, r);
    else
        packet_tls_pass(c, way, r);
    return true;
}

static size_t take_whole(struct tls_connection *c, unsigned way, const struct packet_window *w)
{
    size_t n = record_length(w->bytes);
    struct packet_parts parts = {0};
    packet_window_parts(w, 0, n, 0, &parts);
    const struct tls_record r = {
        .type = (uint8_t)w->bytes.p[0],
        .version = (uint16_t)((uint8_t)w->bytes.p[1] << 8 | (uint8_t)w->bytes.p[2]),
        .body = slice_first(slice_from(w->bytes, TLS_HEADER), n - TLS_HEADER),
        .parts = parts.items,
        .part_count = parts.n};
    bool taken = take_record(c, way, &r);
    vec_free(&parts);
    return taken ? n : 1;
}

static struct tls_connection *connection_new(const struct packet_stream *stream, bool joined)
{
    struct tls_connection *c = base_alloc(sizeof *c);
    c->d = stream->d;
    c->ends[0] = stream->ends[0];
    c->ends[1] = stream->ends[1];
    c->joined = joined;
    c->hidden = TLS_NOT_LISTED;
    c->d->stats.tls_streams++;
    return c;
}

static size_t take(struct packet_stream *stream, unsigned way, const struct packet_window *w)
{
    if (!stream->state)
        stream->state = connection_new(stream, w->joined);
    struct tls_connection *c = stream->state;
    struct tls_side *s = &c->side[way];
    size_t passed = slice_first(w->bytes, s->skip).n;
    s->skip -= passed;
    if (passed)
        return passed;
    if (w->bytes.n >= TLS_HEADER && !s->resync && !is_header(w->bytes)) {
        s->resync = true;
        packet_tls_event(c, way, PACKET_GAP, 0);
    }
    if (s->resync && (passed = find_record(w->bytes)) > 0)
        return passed;
    size_t n = w->bytes.n >= TLS_HEADER ? record_length(w->bytes) : TLS_HEADER;
    if (w->bytes.n >= n)
        return take_whole(c, way, w);
    if (s->resync && w->bytes.n >= TLS_HEADER)
        return pass_doubtful(w);
    *w->want = n;
    if (w->after != PACKET_MORE)
        lose(c, way, w);
    return 0;
}

static void stream_free(struct packet_stream *stream)
{
    struct tls_connection *c = stream->state;
    if (!c)
        return;
    c->detached = true;
    if (c->held.events.n == 0)
        packet_tls_connection_free(c);
}

const struct packet_protocol packet_protocol_tls = {"tls", take, stream_free};

/* A hello, or any record where the beginning was not captured.  What TLS carries is no TLS. */
int packet_tls_probe(const struct packet_stream *s, const struct packet_window *w)
{
    const uint8_t *p = (const uint8_t *)w->bytes.p;
    if (s->transport != PACKET_TCP)
        return 0;
    if (p[0] < TLS_CHANGE_CIPHER || p[0] > TLS_DATA || (w->bytes.n > 1 && p[1] != 3))
        return 0;
    if (w->bytes.n <= TLS_HEADER)
        return -1;
    if (!is_header(w->bytes))
        return 0;
    bool hello = p[0] == TLS_HANDSHAKE && is_hello(slice_from(w->bytes, TLS_HEADER));
    return hello || (w->joined && is_record(w->bytes));
}

void packet_tls_connection_free(struct tls_connection *c)
{
    if (c->inner)
        packet_stream_close(c->inner);
    free(c->inner);
    for (unsigned way = 0; way < 2; way++) {
        packet_tls_cipher_free(c->side[way].cipher);
        vec_free(&c->side[way].said);
    }
    packet_tls_hello_clear(&c->hello);
    free(c);
}

size_t packet_undecrypted(const struct packet_decoder *d, const struct packet_hidden **list)
{
    *list = d->tls->hidden.items;
    return d->tls->hidden.n;
}

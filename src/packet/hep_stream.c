/* HEP over TCP and TLS: messages of version 3 one after the other, each with its length. */
#include "packet/stream.h"

enum { HEP_SKIP }; /* memo: bytes of a message that are still to come and no use any more */

static bool begins_hep(struct slice bytes)
{
    size_t n = bytes.n < PACKET_HEP_HEAD ? bytes.n : sizeof PACKET_HEP_MAGIC - 1;
    n = n < sizeof PACKET_HEP_MAGIC - 1 ? n : sizeof PACKET_HEP_MAGIC - 1;
    return memcmp(bytes.p, PACKET_HEP_MAGIC, n) == 0;
}

/* Where the next message may begin; its beginning may be the last bytes there are. */
static size_t next_hep(struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.n && !begins_hep(slice_from(bytes, at))) {
        const char *h = memchr(bytes.p + at + 1, PACKET_HEP_MAGIC[0], bytes.n - at - 1);
        at = h ? (size_t)(h - bytes.p) : bytes.n;
    }
    return at;
}

/* A message's head and that of its first chunk, which fits into it. */
static bool is_head(struct slice bytes)
{
    struct cursor c = cursor_of(slice_from(bytes, sizeof PACKET_HEP_MAGIC - 1));
    size_t n = cursor_be16(&c);
    (void)cursor_be32(&c); /* vendor and type */
    size_t chunk = cursor_be16(&c);
    return !c.failed && chunk >= PACKET_HEP_CHUNK && PACKET_HEP_HEAD + chunk <= n;
}

/* The head of the chunk that is the payload, and SIP behind it. */
static bool is_payload(struct slice bytes)
{
    return packet_begins_sip(slice_from(bytes, PACKET_HEP_CHUNK));
}

static bool has(struct slice bytes, struct slice mark, bool (*is)(struct slice bytes))
{
    const char *at;
    while (bytes.n && (at = memmem(bytes.p, bytes.n, mark.p, mark.n))) {
        bytes = slice_from(bytes, (size_t)(at - bytes.p));
        if (is(bytes))
            return true;
        bytes = slice_from(bytes, 1);
    }
    return false;
}

bool packet_hep_within(struct slice bytes)
{
    return has(bytes, SLICE(PACKET_HEP_MAGIC), is_head) ||
           has(bytes, SLICE("\0\0\0\x0f"), is_payload);
}

int packet_hep_probe(const struct packet_stream *s, const struct packet_window *w)
{
    (void)s;
    size_t at = w->joined ? next_hep(w->bytes) : 0;
    if (w->joined && packet_hep_within(w->bytes))
        return 1;
    if (at == w->bytes.n || !begins_hep(slice_from(w->bytes, at)))
        return 0;
    return w->bytes.n - at < PACKET_HEP_HEAD ? at == 0 ? -1 : 0 : 1;
}

static size_t drop(struct packet_stream *s, size_t n)
{
    s->d->stats.stream_lost += n;
    return n;
}

/* Nothing is there.  A hole within a message that was given up is counted off from what is still to
 * come of it. */
static size_t take_nothing(const struct packet_window *w)
{
    if (w->after != PACKET_GAP && w->after != PACKET_CUT)
        return 0;
    if (w->missing && w->missing <= w->memo[HEP_SKIP])
        w->memo[HEP_SKIP] -= (uint32_t)w->missing;
    else
        w->memo[HEP_SKIP] = 0;
    return 0;
}

static size_t hand_on(struct packet_stream *s, const struct packet_window *w, size_t n,
                      size_t whole)
{
    struct packet_payload p;
    packet_window_payload(w, 0, n, &p);
    p.missing = whole - n;
    p.gap = w->after == PACKET_GAP || w->after == PACKET_END;
    w->memo[HEP_SKIP] = (uint32_t)p.missing;
    packet_hand_on(s->d, &p);
    return n;
}

static size_t take_hep(struct packet_stream *s, unsigned way, const struct packet_window *w)
{
    (void)way;
    const uint8_t *b = (const uint8_t *)w->bytes.p;
    uint32_t *skip = &w->memo[HEP_SKIP];
    if (w->bytes.n == 0)
        return take_nothing(w);
    if (*skip) {
        size_t n = *skip < w->bytes.n ? *skip : w->bytes.n;
        *skip -= (uint32_t)n;
        return drop(s, n);
    }
    if (!begins_hep(w->bytes))
        return drop(s, next_hep(w->bytes));
    bool more = w->after == PACKET_MORE;
    if (w->bytes.n < PACKET_HEP_HEAD) {
        *w->want = PACKET_HEP_HEAD;
        return more ? 0 : drop(s, w->bytes.n);
    }
    size_t n = (size_t)(b[4] << 8 | b[5]);
    if (n < PACKET_HEP_HEAD) {
        s->d->stats.malformed++;
        return drop(s, PACKET_HEP_HEAD);
    }
    *w->want = n;
    if (w->bytes.n < n)
        return more ? 0 : hand_on(s, w, w->bytes.n, n);
    return hand_on(s, w, n, n);
}

const struct packet_protocol packet_protocol_hep = {"hep", take_hep, NULL};

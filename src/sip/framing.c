/* Framing: where the messages of a stream begin and end (RFC 3261 7.5, 18.3).  Each byte is looked
 * at a bounded number of times however the stream is cut into pieces: what was searched is
 * remembered between calls. */
#include "sip/internal.h"

#define FRAMING_IDLE_MAX 64u /* line ends after a body that are as good as a start line */

/* struct sip_framing.flags */
enum {
    FRAMING_INSIDE = 1,   /* the front is a message */
    FRAMING_LOST = 2,     /* where the next message begins is not known */
    FRAMING_HOLE = 4,     /* because bytes are not in the capture: nobody is to blame */
    FRAMING_REMAINS = 8,  /* before the first one, something else was passed over */
    FRAMING_FOREIGN = 16, /* another protocol: passed over to its end */
    FRAMING_BEGUN = 32,   /* the front is not the stream's first byte */
    FRAMING_SIZED = 64,   /* the message has a Content-Length to go by, */
    FRAMING_TYPED = 128,  /* a Content-Type, */
    FRAMING_NESTED = 256, /* which says that its body may have start lines */
};
#define FRAMING_MESSAGE (FRAMING_INSIDE | FRAMING_SIZED | FRAMING_TYPED | FRAMING_NESTED)

/* One call of sip_scan_stream. */
struct framer {
    struct sip_scanner *s;
    struct sip_framing *f;
    const struct sip_front *front;
    struct slice bytes;
    bool ended; /* by a hole or an end: nothing more comes before it */
    struct sip_message *m;
    size_t *take;
};

static inline bool has(const struct framer *r, unsigned flag)
{
    return r->f->flags & flag;
}

static enum sip_framed more(struct framer *r, size_t needed)
{
    *r->take = needed;
    return SIP_FRAMED_MORE;
}

/* Takes n bytes that are no message's. */
static enum sip_framed pass(struct framer *r, size_t n, bool idle)
{
    struct sip_framing *f = r->f;
    f->before = sip_after(r->bytes.p[n - 1]);
    if (!idle && !f->found)
        f->flags |= FRAMING_REMAINS;
    if (!idle && !has(r, FRAMING_HOLE | FRAMING_FOREIGN))
        f->stray = n < UINT32_MAX - f->stray ? f->stray + (uint32_t)n : UINT32_MAX;
    f->flags |= FRAMING_BEGUN;
    f->searched = 0;
    *r->take = n;
    return SIP_FRAMED_SKIP;
}

/* ---- what stands between messages ------------------------------------------------------------ */

/* Line ends at the front: keep-alives (RFC 5626 4.4.1) and what some put after a body. */
static size_t idle_length(struct slice bytes)
{
    size_t n = 0;
    while (n < bytes.n && (bytes.p[n] == '\r' || bytes.p[n] == '\n'))
        n++;
    return n;
}

static size_t zeros_length(struct slice bytes)
{
    size_t n = 0;
    while (n < bytes.n && bytes.p[n] == '\0')
        n++;
    return n;
}

#define FRAMING_PROXY_MAX 2048u /* bytes of addresses and more in a preamble */
#define PROXY_2           "\r\n\r\n\0\r\nQUIT\n"

/* A preamble of the PROXY protocol, which load balancers put before the first message: its length;
 * 0: there is none.  SIZE_MAX: more is needed. */
static size_t preamble_length(struct slice bytes, bool ended)
{
    struct slice two = {PROXY_2, sizeof PROXY_2 - 1}, one = SLICE("PROXY ");
    size_t n = bytes.n < two.n ? bytes.n : two.n;
    if (memcmp(bytes.p, two.p, n) == 0 && n > 4) {
        if (bytes.n < 16)
            return ended ? 0 : SIZE_MAX;
        size_t rest = (size_t)(unsigned char)bytes.p[14] << 8 | (unsigned char)bytes.p[15];
        return rest <= FRAMING_PROXY_MAX ? 16 + rest : 0;
    }
    if (bytes.p[0] != 'P' || !slice_starts(bytes, one))
        return 0;
    const char *lf = memchr(bytes.p, '\n', bytes.n < 108 ? bytes.n : 108);
    return lf ? (size_t)(lf + 1 - bytes.p) : bytes.n < 108 && !ended ? SIZE_MAX : 0;
}

static enum sip_framed take_preamble(struct framer *r, size_t n)
{
    if (n == SIZE_MAX)
        return more(r, 0);
    size_t here = n < r->bytes.n ? n : r->bytes.n;
    r->f->skip = (uint32_t)(n - here);
    (void)pass(r, here, true);
    r->f->before = SIP_AFTER_LINE;
    r->f->flags |= FRAMING_NESTED;
    return SIP_FRAMED_SKIP;
}

/* Hypertext begins with its own start line, and what looks like SIP in it is somebody's text. */
static bool is_http(struct slice bytes)
{
    bytes = slice_first(bytes, SIP_START_MAX);
    if (!sip_can_start(bytes))
        return false;
    const char *lf = memchr(bytes.p, '\n', bytes.n);
    struct slice line = slice_trim(slice_first(bytes, lf ? (size_t)(lf - bytes.p) : bytes.n));
    if (slice_starts(line, SLICE("HTTP/1.")))
        return true;
    return line.n > 9 && !slice_starts(line, SLICE("CONNECT ")) &&
           slice_starts(slice_from(line, line.n - 9), SLICE(" HTTP/1."));
}

static enum sip_framed message(struct framer *r);

static enum sip_framed begin(struct framer *r)
{
    struct sip_framing *f = r->f;
    f->flags &= (uint16_t) ~(FRAMING_LOST | FRAMING_HOLE | FRAMING_MESSAGE);
    f->before = SIP_AFTER_LINE;
    f->flags |= FRAMING_INSIDE | FRAMING_BEGUN;
    f->searched = f->head = f->length = f->candidate = 0;
    return message(r);
}

/* The next start line of a stream of which nothing else is known. */
static enum sip_framed search(struct framer *r)
{
    struct sip_framing *f = r->f;
    size_t n = r->bytes.n;
    struct sip_search s = {.bytes = r->bytes,
                           .before = f->before,
                           .ended = r->ended,
                           .is_sip = f->found,
                           .from = f->searched,
                           .limit = n};
    enum sip_answer answer = sip_search(&s);
    size_t open = answer == SIP_YES || r->ended ? n : sip_unfinished(&s);
    f->searched = 0;
    if (answer != SIP_NO && s.at <= open) {
        if (s.at > 0) {
            (void)pass(r, s.at, false);
            f->before = SIP_AFTER_LINE;
            return SIP_FRAMED_SKIP;
        }
        return answer == SIP_YES ? begin(r) : more(r, 0);
    }
    if (open > 0)
        return pass(r, open, false);
    f->searched = (uint32_t)(answer == SIP_NO ? n : s.at);
    return more(r, 0);
}

/* Where the last message ended, or the stream begins. */
static enum sip_framed boundary(struct framer *r)
{
    struct sip_framing *f = r->f;
    bool first = !f->found;
    switch (sip_start_here(r->bytes, r->ended, first)) {
    case SIP_YES:
        return begin(r);
    case SIP_MAYBE:
        return more(r, 0);
    default:
        break;
    }
    f->flags |= FRAMING_LOST | (r->ended ? FRAMING_HOLE : 0);
    if (first && !r->front->joined && !has(r, FRAMING_REMAINS) && is_http(r->bytes)) {
        f->flags |= FRAMING_FOREIGN;
        return pass(r, r->bytes.n, false);
    }
    return search(r);
}

/* Bytes of a body whose message was handed out before its end; a start line among them says that
 * they are not. */
static enum sip_framed skip_body(struct framer *r)
{
    struct sip_framing *f = r->f;
    size_t n = r->bytes.n < f->skip ? r->bytes.n : f->skip, last = n;
    if (!has(r, FRAMING_NESTED)) {
        struct sip_search s = {.bytes = r->bytes,
                               .before = f->before,
                               .ended = r->ended,
                               .is_sip = true,
                               .known = true,
                               .limit = n};
        enum sip_answer answer = sip_search(&s);
        size_t open = answer == SIP_YES || r->ended ? n : sip_unfinished(&s);
        if (answer != SIP_NO)
            last = s.at;
        last = last < open ? last : open;
        if (answer == SIP_YES && last == 0) {
            f->skip = 0;
            return begin(r);
        }
        if (last == 0)
            return more(r, 0);
    }
    f->skip -= (uint32_t)last;
    return pass(r, last, true);
}

/* ---- a message ------------------------------------------------------------------------------- */

/* Do the headers end in the bytes, of which `from` were searched before? */
static bool headers_end(struct slice bytes, size_t from)
{
    const char *end = bytes.p + bytes.n, *p = bytes.p + (from > 2 ? from - 2 : 0);
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        if (end - p >= 1 && (*p == '\n' || (end - p >= 2 && *p == '\r' && p[1] == '\n')))
            return true;
    }
    return false;
}

/* Bodies that are SIP, or hold parts that can be. */
static bool is_nested(struct slice type)
{
    return slice_starts_nocase(type, SLICE("message/")) ||
           slice_starts_nocase(type, SLICE("multipart/"));
}

/* Keeps what the headers say of the body, so that they are read once more only, when it is there.
 */
static void note_head(struct framer *r)
{
    struct sip_framing *f = r->f;
    const struct sip_header *type = sip_header_first(r->m, SIP_HEADER_CONTENT_TYPE);
    f->head = (uint32_t)(r->m->body.p - r->bytes.p);
    f->searched = f->head;
    if (sip_read_length(r->m, &f->length))
        f->flags |= FRAMING_SIZED;
    if (type)
        f->flags |= FRAMING_TYPED;
    if (type && is_nested(type->value))
        f->flags |= FRAMING_NESTED;
}

static enum sip_state whole_state(const struct framer *r)
{
    return r->front->joined && !r->f->found && has(r, FRAMING_REMAINS) ? SIP_MIDSTREAM : SIP_WHOLE;
}

/* Hands out the message, which ends at `end`. */
static enum sip_framed hand_out(struct framer *r, size_t end, enum sip_state state)
{
    struct sip_message *m = r->m;
    m->body.n = (size_t)(r->bytes.p + end - m->body.p);
    m->bytes.n = m->consumed = end;
    m->state = state;
    r->f->flags = (r->f->flags & (uint16_t)~FRAMING_MESSAGE);
    r->f->found = 1;
    r->f->searched = 0;
    *r->take = end;
    return SIP_FRAMED_MESSAGE;
}

/* What is there of a message that a hole, an end or the limit of held bytes is in. */
static enum sip_framed hand_out_part(struct framer *r)
{
    struct sip_framing *f = r->f;
    size_t n = r->bytes.n;
    enum sip_after after = r->front->after;
    unsigned nested = f->flags & FRAMING_NESTED;
    bool sized = r->m->headers_complete && has(r, FRAMING_SIZED);
    enum sip_framed framed =
        hand_out(r, n, after == SIP_AFTER_CUT || after == SIP_AFTER_FULL ? SIP_CUT : SIP_GAP);
    f->flags |= sized ? nested : FRAMING_LOST | FRAMING_HOLE;
    f->skip = sized ? (uint32_t)(f->head + (uint64_t)f->length - n) : 0;
    f->before = sip_after(r->bytes.p[n - 1]);
    return framed;
}

static enum sip_framed hand_out_whole(struct framer *r, size_t end)
{
    struct slice rest = slice_from(r->bytes, end);
    struct sip_message *m = r->m;
    bool sized = has(r, FRAMING_SIZED);
    if (sized && end < r->f->head + (size_t)r->f->length)
        sip_note(m, SIP_PROBLEM_LENGTH_LONG, m->headers[m->first[SIP_HEADER_CONTENT_LENGTH]].at);
    if (rest.n && *rest.p && !idle_length(rest) && sip_start_here(rest, false, false) == SIP_NO)
        sip_note(m, SIP_PROBLEM_TRAILING, end);
    return hand_out(r, end, whole_state(r));
}

/* ---- where a body ends ----------------------------------------------------------------------- */

/* Where an unfinished line may be the start line of a known method; bytes.n: nowhere.  In what
 * looks like text such a line is not waited for. */
static size_t may_begin_known(struct slice bytes)
{
    struct sip_search s = {.bytes = bytes, .before = SIP_AFTER_LINE, .known = true};
    size_t at = sip_unfinished(&s);
    return at < bytes.n && sip_can_start_known(slice_from(bytes, at)) ? at : bytes.n;
}

/* Is there what may follow a message at `at`: a start line or keep-alives?  Asked where the body
 * holds a start line: the rest of that one, as in "YE sip:b@c SIP/2.0", is none. */
static enum sip_answer good_end(const struct framer *r, size_t at)
{
    struct slice rest = slice_from(r->bytes, at);
    size_t idle = 0;
    while (idle < rest.n && idle < FRAMING_IDLE_MAX &&
           (rest.p[idle] == '\r' || rest.p[idle] == '\n' || rest.p[idle] == '\0'))
        idle++;
    if (idle == FRAMING_IDLE_MAX)
        return SIP_YES;
    rest = slice_from(rest, idle);
    if (rest.n == 0)
        return r->ended ? SIP_YES : SIP_MAYBE;
    if (r->ended && may_begin_known(rest) == 0)
        return SIP_YES;
    return sip_start_sure(rest, r->ended);
}

/* Searches the body for a start line that begins before `limit`; one that may have its own begins
 * with none of the next message. */
static enum sip_answer search_body(struct framer *r, size_t limit, size_t *at)
{
    struct sip_framing *f = r->f;
    size_t base = f->head + has(r, FRAMING_NESTED);
    struct sip_search s = {.bytes = slice_from(r->bytes, base),
                           .before = SIP_AFTER_LINE,
                           .ended = r->ended,
                           .is_sip = true,
                           .from = f->searched > base ? f->searched - base : 0,
                           .limit = limit > base ? limit - base : 0};
    enum sip_answer answer = sip_search(&s);
    *at = base + s.at;
    if (answer == SIP_NO)
        f->searched = (uint32_t)(limit < r->bytes.n ? limit : r->bytes.n);
    else
        f->searched = (uint32_t)*at;
    return answer;
}

/* The claimed end is there.  The body may hold the next message's beginning all the same: then what
 * stands at that end decides. */
static enum sip_answer claimed_end(struct framer *r, size_t claimed, size_t *end)
{
    struct sip_framing *f = r->f;
    enum sip_answer answer = SIP_YES;
    size_t at = f->candidate - 1;
    *end = claimed;
    if (f->length == 0 || has(r, FRAMING_NESTED))
        return SIP_YES;
    if (!f->candidate)
        answer = search_body(r, claimed, &at);
    if (answer == SIP_YES) {
        f->candidate = (uint32_t)at + 1;
        answer = good_end(r, claimed);
        if (answer == SIP_NO)
            *end = at;
        return answer == SIP_MAYBE ? SIP_MAYBE : SIP_YES;
    }
    if (answer == SIP_NO && !r->ended) {
        at = f->head + may_begin_known(slice_from(r->bytes, f->head));
        answer = at < claimed ? SIP_MAYBE : SIP_NO;
    }
    return answer == SIP_MAYBE && !r->ended ? SIP_MAYBE : SIP_YES;
}

/* A length to go by.  SIP_NO: a hole or an end comes before what it claims. */
static enum sip_answer sized_end(struct framer *r, size_t *end)
{
    struct sip_framing *f = r->f;
    size_t claimed = f->head + (size_t)f->length;
    if (claimed <= r->bytes.n)
        return claimed_end(r, claimed, end);
    *end = claimed;
    if (!r->ended)
        return SIP_MAYBE;
    if (has(r, FRAMING_NESTED))
        return SIP_NO;
    return search_body(r, r->bytes.n, end) == SIP_YES ? SIP_YES : SIP_NO;
}

/* No length, or one that is hardly one: up to the next start line. */
static enum sip_answer unsized_end(struct framer *r, size_t *end)
{
    struct sip_framing *f = r->f;
    uint64_t claimed = has(r, FRAMING_SIZED) ? f->head + (uint64_t)f->length : UINT64_MAX;
    size_t limit = claimed < r->bytes.n ? (size_t)claimed : r->bytes.n;
    if (!has(r, FRAMING_SIZED) && !has(r, FRAMING_TYPED)) {
        *end = f->head;
        return SIP_YES;
    }
    enum sip_answer answer = search_body(r, limit, end);
    if (answer == SIP_YES)
        return SIP_YES;
    if (claimed <= r->bytes.n && (answer == SIP_NO || r->ended)) {
        *end = limit;
        return SIP_YES;
    }
    *end = 0;
    if (!r->ended)
        return SIP_MAYBE;
    *end = r->bytes.n;
    return !has(r, FRAMING_SIZED) && r->front->after == SIP_AFTER_END ? SIP_YES : SIP_NO;
}

static enum sip_answer body_end(struct framer *r, size_t *end)
{
    bool doubtful = r->f->length > SIP_LENGTH_DOUBTFUL && !has(r, FRAMING_NESTED);
    return has(r, FRAMING_SIZED) && !doubtful ? sized_end(r, end) : unsized_end(r, end);
}

/* The front is a message, or the beginning of one. */
static enum sip_framed message(struct framer *r)
{
    struct sip_framing *f = r->f;
    bool scanned = false;
    if (!f->head) {
        bool look = f->searched == 0 || r->ended || headers_end(r->bytes, f->searched);
        scanned = look && sip_scan_head(r->s, r->bytes, r->m);
        if (!scanned || (!r->m->headers_complete && !r->ended)) {
            f->searched = (uint32_t)r->bytes.n;
            return more(r, 0);
        }
        if (!r->m->headers_complete)
            return hand_out_part(r);
        note_head(r);
    }
    size_t end;
    enum sip_answer answer = body_end(r, &end);
    if (answer == SIP_MAYBE)
        return more(r, end > r->bytes.n ? end : 0);
    if (!scanned && sip_scan_head(r->s, r->bytes, r->m))
        note_head(r);
    return answer == SIP_YES ? hand_out_whole(r, end) : hand_out_part(r);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Nothing is left before a hole or an end. */
static enum sip_framed pass_hole(struct framer *r)
{
    struct sip_framing *f = r->f;
    const struct sip_front *front = r->front;
    if (front->after == SIP_AFTER_GAP || front->after == SIP_AFTER_CUT) {
        bool within = front->missing > 0 && front->missing < f->skip;
        f->skip = within ? f->skip - (uint32_t)front->missing : 0;
        f->flags |= FRAMING_BEGUN;
        f->before = within ? SIP_AFTER_TEXT : SIP_AFTER_HOLE;
        if (!within)
            f->flags = (f->flags & (uint16_t)~FRAMING_MESSAGE) | FRAMING_LOST | FRAMING_HOLE;
    }
    return more(r, 0);
}

/* Between messages, or before the first. */
static enum sip_framed between_messages(struct framer *r)
{
    if (!has(r, FRAMING_BEGUN)) {
        if (r->front->joined) {
            r->f->flags |= FRAMING_LOST | FRAMING_HOLE;
            r->f->before = SIP_AFTER_HOLE;
        }
        size_t preamble = preamble_length(r->bytes, r->ended);
        if (preamble)
            return take_preamble(r, preamble);
    }
    size_t n = idle_length(r->bytes);
    if (n && (n < r->bytes.n || r->ended || has(r, FRAMING_BEGUN) || n > 4))
        return pass(r, n, !has(r, FRAMING_LOST) || has(r, FRAMING_HOLE));
    if (n)
        return more(r, 0);
    n = zeros_length(r->bytes);
    if (n)
        return pass(r, n, false);
    return has(r, FRAMING_LOST) ? search(r) : boundary(r);
}

enum sip_framed sip_scan_stream(struct sip_scanner *s, struct sip_framing *f,
                                const struct sip_front *front, struct sip_message *m, size_t *take)
{
    struct framer r = {s, f, front, front->bytes, front->after != SIP_AFTER_MORE, m, take};
    if (front->bytes.n == 0)
        return pass_hole(&r);
    if (f->skip)
        return skip_body(&r);
    if (f->flags & FRAMING_FOREIGN)
        return pass(&r, front->bytes.n, false);
    if (f->flags & FRAMING_INSIDE)
        return message(&r);
    return between_messages(&r);
}

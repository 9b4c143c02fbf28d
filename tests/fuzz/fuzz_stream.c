/* One direction of a stream, as a whole and in pieces: every byte is taken once, what is found is
 * in bounds, and the pieces change nothing.  Input: whether the stream was joined, the size of the
 * pieces, where a hole is and how big (a byte each), then the bytes. */
#include "sip/sip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct found {
    size_t at, n;
    enum sip_state state;
    bool complete;
};

struct reader {
    struct sip_scanner *s;
    struct sip_framing framing;
    struct slice held; /* grows over the input */
    size_t want, taken;
    bool joined, lied; /* a length does, or may: what was there to be seen decides */
    VEC(struct found) found;
};

static void keep(struct reader *r, const struct sip_message *m, size_t take)
{
    size_t at = r->taken + take - m->bytes.n;
    *vec_add(&r->found) = (struct found){at, m->bytes.n, m->state, m->headers_complete};
    for (uint32_t i = 0; i < m->problem_count; i++)
        r->lied |= m->problems[i].id == SIP_PROBLEM_LENGTH_LONG;
    assert(m->problems_more == 0 || m->problem_count == SIP_PROBLEMS_MAX);
    r->lied |= m->problems_more > 0 ||
               (m->headers_complete && m->state != SIP_WHOLE && m->state != SIP_MIDSTREAM);
}

/* One question, about a copy that nothing can be read beyond. */
static size_t ask(struct reader *r, enum sip_after after, uint64_t missing)
{
    struct sip_message m;
    size_t n = r->held.n, take = SIZE_MAX;
    char *copy = malloc(n ? n : 1);
    struct sip_front front = {{copy, n}, after, missing, r->joined};
    if (n)
        memcpy(copy, r->held.p, n);
    enum sip_framed framed = sip_scan_stream(r->s, &r->framing, &front, &m, &take);
    if (framed == SIP_FRAMED_MORE) {
        assert(take == 0 || take > n);
        assert(n == 0 || after == SIP_AFTER_MORE);
        r->want = take;
        take = 0;
    } else {
        assert(take > 0 && take <= n);
    }
    if (framed == SIP_FRAMED_MESSAGE) {
        assert(m.bytes.n > 0 && m.bytes.n <= take && m.bytes.p + m.bytes.n == copy + take);
        assert(m.body.p >= m.bytes.p && m.body.p + m.body.n == copy + take);
        assert(m.headers_complete || m.state == SIP_GAP || m.state == SIP_CUT);
        keep(r, &m, take);
    }
    free(copy);
    return take;
}

static void offer(struct reader *r, enum sip_after after, uint64_t missing)
{
    size_t n;
    while ((r->held.n || after != SIP_AFTER_MORE) && (n = ask(r, after, missing)) > 0) {
        r->taken += n;
        r->held.p += n;
        r->held.n -= n;
    }
    assert(after == SIP_AFTER_MORE || r->held.n == 0);
}

/* `bytes` follow what is held. */
static void push(struct reader *r, struct slice bytes, size_t piece)
{
    if (r->held.n == 0)
        r->held = slice_first(bytes, 0);
    while (bytes.n) {
        size_t n = piece < bytes.n ? piece : bytes.n;
        r->held.n += n;
        bytes = slice_from(bytes, n);
        if (r->held.n < r->want)
            continue;
        r->want = 0;
        offer(r, SIP_AFTER_MORE, 0);
    }
}

static struct reader run(struct sip_scanner *s, const uint8_t *head, struct slice bytes,
                         size_t piece)
{
    struct reader r = {.s = s, .joined = head[0] & 1};
    size_t hole = bytes.n * head[2] / 255, missing = head[3] & 0x7f;
    push(&r, slice_first(bytes, hole), piece);
    if (hole < bytes.n) {
        offer(&r, head[3] & 0x80 ? SIP_AFTER_CUT : SIP_AFTER_GAP, missing);
        r.taken += missing < bytes.n - hole ? missing : bytes.n - hole;
        push(&r, slice_from(bytes, hole + missing), piece);
    }
    offer(&r, SIP_AFTER_END, 0);
    assert(r.taken == bytes.n);
    return r;
}

static void assert_same(const struct reader *a, const struct reader *b)
{
    if (a->lied || b->lied)
        return;
    assert(a->found.n == b->found.n);
    for (size_t i = 0; i < a->found.n; i++) {
        const struct found *x = &a->found.items[i], *y = &b->found.items[i];
        assert(x->at == y->at && x->n == y->n && x->state == y->state &&
               x->complete == y->complete);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > 4096)
        return 0;
    struct slice bytes = {(const char *)data + 4, size - 4};
    struct sip_scanner *s = sip_scanner_new();
    struct reader whole = run(s, data, bytes, SIZE_MAX);
    struct reader pieces = run(s, data, bytes, data[1] ? data[1] : 1);
    assert_same(&whole, &pieces);
    vec_free(&whole.found);
    vec_free(&pieces.found);
    sip_scanner_free(s);
    return 0;
}

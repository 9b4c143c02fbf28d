/* A stream for tests of framing: bytes come in pieces, with holes between them, and what is found
 * is written down as text, a line a message: start, Call-ID, state, size of the body, problems. */
#ifndef TESTS_UNIT_STREAMED_H
#define TESTS_UNIT_STREAMED_H

#include "bytes.h"
#include "sip/sip.h"
#include "unit.h"

#define STREAM_HELD (1024u * 1024u) /* as packet/ holds */

struct stream {
    struct sip_scanner *s;
    struct sip_framing framing;
    struct bytes held;
    size_t want;
    bool joined, no_trailing; /* leaves SIP_PROBLEM_TRAILING out, which depends on the pieces */
    struct text said;
    uint64_t taken, skipped, asked;
    size_t most_held;
};

static inline struct stream stream_new(bool joined)
{
    struct stream st = {.s = sip_scanner_new(), .joined = joined};
    text_add(&st.said, SLICE(""));
    return st;
}

static inline void stream_free(struct stream *st)
{
    sip_scanner_free(st->s);
    vec_free(&st->held);
    text_free(&st->said);
}

static inline void stream_say(struct stream *st, const struct sip_message *m)
{
    if (m->kind == SIP_RESPONSE)
        text_printf(&st->said, "%u", m->status);
    else
        text_printf(&st->said, "%.*s", SLICE_ARG(m->method));
    text_printf(&st->said, " %.*s %s%s %zu", SLICE_ARG(m->call_id), sip_state_name(m->state),
                m->headers_complete ? "" : " in headers", m->body.n);
    for (uint32_t i = 0; i < m->problem_count; i++)
        if (!st->no_trailing || m->problems[i].id != SIP_PROBLEM_TRAILING)
            text_printf(&st->said, ", %s", sip_problem_text(m->problems[i].id));
    text_add_char(&st->said, '\n');
}

/* Asks once about bytes that end where they can't be read on; returns what was taken. */
static inline size_t stream_ask(struct stream *st, struct slice bytes, enum sip_after after,
                                uint64_t missing)
{
    struct sip_message m;
    char *copy = malloc(bytes.n ? bytes.n : 1);
    struct sip_front front = {{copy, bytes.n}, after, missing, st->joined};
    size_t take = SIZE_MAX;
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    enum sip_framed framed = sip_scan_stream(st->s, &st->framing, &front, &m, &take);
    st->asked++;
    if (framed == SIP_FRAMED_MESSAGE) {
        assert_true(m.bytes.n > 0 && m.bytes.n <= take && take <= bytes.n);
        assert_ptr_equal(m.bytes.p + m.bytes.n, copy + take);
        assert_ptr_equal(m.body.p + m.body.n, copy + take);
        stream_say(st, &m);
    } else if (framed == SIP_FRAMED_SKIP) {
        assert_true(take > 0 && take <= bytes.n);
        st->skipped += take;
    } else {
        assert_true(take == 0 || take > bytes.n);
        assert_true(after == SIP_AFTER_MORE || bytes.n == 0);
        st->want = take;
        take = 0;
    }
    free(copy);
    return take;
}

static inline void stream_offer(struct stream *st, enum sip_after after, uint64_t missing)
{
    struct slice rest = bytes_slice(&st->held);
    st->want = 0;
    while (rest.n || after != SIP_AFTER_MORE) {
        size_t n = stream_ask(st, rest, after, missing);
        if (n == 0)
            break;
        st->taken += n;
        rest = slice_from(rest, n);
    }
    if (rest.n)
        memmove(st->held.items, rest.p, rest.n);
    st->held.n = rest.n;
    st->most_held = rest.n > st->most_held ? rest.n : st->most_held;
}

static inline void stream_push(struct stream *st, struct slice bytes)
{
    if (bytes.n == 0)
        return;
    put_slice(&st->held, bytes);
    if (st->held.n >= st->want)
        stream_offer(st, SIP_AFTER_MORE, 0);
    if (st->held.n >= STREAM_HELD)
        stream_offer(st, SIP_AFTER_FULL, 0);
}

static inline void stream_hole(struct stream *st, enum sip_after after, uint64_t missing)
{
    stream_offer(st, after, missing);
    assert_int_equal(st->held.n, 0);
}

#endif

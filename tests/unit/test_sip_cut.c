/* sip/scan on what a snap length leaves, on large messages and on random ones. */
#include "scanned.h"
#include "sip/block.h"

static const char long_message[] =
    "\r\nINVITE sip:+1@h;user=phone SIP/2.0\r\n"
    "v : SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/UDP b\r\n"
    "From:\r\n <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nX-Five9-Queue: True\r\n"
    "Subject: a\tb\r\n  \r\n c\r\nCall-ID: id@a\r\nX_Odd: 1\nCSeq: 2\r\n INVITE\r\n"
    "X-A-Rather-Long-Name-Of-A-Header: with a value that is longer than sixty-four bytes, all "
    "told\r\n"
    "Content-Length: 6\r\n\r\nv=0\r\n\r";

/* What was captured of a header must be what stands there, and must say when it may go on. */
static void check_prefix_headers(const struct sip_message *whole, const struct sip_message *part,
                                 size_t n)
{
    for (uint32_t i = 0; i < whole->header_count; i++) {
        const struct sip_header *w = &whole->headers[i], *h = &part->headers[i];
        const char *line = whole->bytes.p + w->at;
        const char *colon = memchr(line, ':', whole->bytes.n - w->at);
        const char *body = whole->body.p - 2;
        const char *end = i + 1 < whole->header_count ? whole->bytes.p + w[1].at : body;
        if ((size_t)(colon - whole->bytes.p) >= n) {
            assert_int_equal(part->header_count, i);
            return;
        }
        assert_true(i < part->header_count);
        assert_int_equal(h->at, w->at);
        assert_int_equal(h->id, w->id);
        assert_true(slice_equal(h->name, w->name));
        assert_int_equal(h->cut, (size_t)(end - whole->bytes.p) >= n);
        assert_true(h->cut ? slice_starts(w->value, h->value) : slice_equal(w->value, h->value));
    }
    assert_int_equal(part->header_count, whole->header_count);
}

static void test_every_prefix(void **state)
{
    const size_t start = sizeof "INVITE sip:+1@h;user=phone SIP/2.0" - 1;
    const struct slice whole_text = {long_message, sizeof long_message - 1};
    struct loaded whole, part;
    (void)state;
    load(&whole, whole_text);
    assert_true(whole.is);
    assert_noted(&whole.m, 0);
    assert_int_equal(whole.m.header_count, 10);
    size_t head = (size_t)(whole.m.body.p - whole.m.bytes.p);
    for (size_t n = 0; n < whole.m.bytes.n; n++) {
        load_cut(&part, (struct slice){long_message, n + 2}, whole.m.bytes.n - n);
        assert_int_equal(part.is, n >= start);
        if (part.is) {
            assert_int_equal(part.m.state, SIP_CUT);
            assert_int_equal(part.m.headers_complete, n >= head);
            assert_noted(&part.m, 0);
            check_prefix_headers(&whole.m, &part.m, n);
            assert_int_equal(part.m.bytes.n, n);
            assert_int_equal(part.m.body.n, n > head ? n - head : 0);
            assert_true(slice_starts(SLICE("id@a"), part.m.call_id));
        }
        unload(&part);
    }
    unload(&whole);
}

/* Without `missing` each prefix is a datagram of its own: no crash, and no header is lost for the
 * end. */
static void test_every_prefix_whole(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof long_message; n++) {
        struct loaded l;
        load(&l, (struct slice){long_message, n});
        if (l.is) {
            assert_int_equal(l.m.state, SIP_WHOLE);
            assert_true(l.m.headers_complete);
            for (uint32_t i = 0; i < l.m.header_count; i++)
                assert_false(l.m.headers[i].cut);
        }
        unload(&l);
    }
}

static void test_cut_lengths(void **state)
{
    struct loaded l;
    (void)state;
    load_cut(&l, SLICE(BYE HEAD "Content-Length: 100\r\n\r\nrest"), 96);
    assert_noted(&l.m, 0);
    assert_slice(l.m.body, "rest");
    assert_int_equal(l.m.state, SIP_CUT);
    unload(&l);
    load_cut(&l, SLICE(BYE HEAD "Content-Length: 101\r\n\r\nrest"), 96);
    assert_noted(&l.m, P(LENGTH_LONG));
    unload(&l);
    load_cut(&l, SLICE(BYE HEAD "Content-Length: 2\r\n\r\nrest"), 96);
    assert_noted(&l.m, P(TRAILING));
    assert_slice(l.m.body, "re");
    unload(&l);
    load_cut(&l, SLICE(BYE HEAD "Content-Length: 1"), 3);
    assert_noted(&l.m, 0);
    assert_int_equal(l.m.headers[5].id, SIP_HEADER_CONTENT_LENGTH);
    assert_true(l.m.headers[5].cut);
    unload(&l);
    load_cut(&l, SLICE(BYE "Call-ID: id@"), 3);
    assert_false(l.m.has_call_id);
    assert_int_equal(l.m.first[SIP_HEADER_CALL_ID], 0);
    unload(&l);
}

static void test_large(void **state)
{
    struct text t = {0};
    struct loaded l;
    (void)state;
    text_add(&t, SLICE(BYE HEAD));
    for (int i = 0; i < 6000; i++)
        text_printf(&t, "X-%d: %d\r\n", i, i);
    text_add(&t, SLICE("\r\n"));
    load(&l, text_slice(&t));
    assert_int_equal(l.m.header_count, 6005);
    for (uint32_t i = 0; i < 6000; i++) {
        uint32_t name = 0, value = 0;
        assert_true(slice_to_u32(slice_from(l.m.headers[i + 5].name, 2), &name));
        assert_true(slice_to_u32(l.m.headers[i + 5].value, &value));
        assert_true(name == i && value == i);
    }
    unload(&l);
    text_clear(&t);
    text_add(&t, SLICE(BYE HEAD "X-Long: "));
    while (t.n < 65000)
        text_add(&t, SLICE("x:\t y "));
    text_add(&t, SLICE("end\r\nX-After: 1\r\n\r\n"));
    load(&l, text_slice(&t));
    assert_int_equal(l.m.header_count, 7);
    assert_slice(slice_from(l.m.headers[5].value, l.m.headers[5].value.n - 3), "end");
    assert_slice(l.m.headers[6].value, "1");
    unload(&l);
    text_free(&t);
}

/* More problems than are kept are counted. */
static void test_many_problems(void **state)
{
    struct text t = {0};
    struct loaded l;
    (void)state;
    text_add(&t, SLICE(BYE HEAD));
    for (int i = 0; i < 100; i++)
        text_add(&t, SLICE("no colon\r\nX-A: \0\r\n"));
    text_add(&t, SLICE("\r\n"));
    load(&l, text_slice(&t));
    assert_int_equal(l.m.problem_count, SIP_PROBLEMS_MAX);
    assert_int_equal(l.m.problem_count + l.m.problems_more, 200);
    assert_int_equal(l.m.header_count, 105);
    unload(&l);
    text_free(&t);
}

/* A small generator, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void random_message(struct text *t, uint32_t *seed, const char *line_end)
{
    static const char *const pieces[] = {
        "Via: a",
        "X-Five9-Queue",
        ":",
        " ",
        "\t",
        "i: x",
        "CSeq: 1 BYE",
        "\xff",
        "l: 3",
        "Subject : ",
        "\1",
        "\x7f",
        "a value of some length, longer than a few words",
        "f:",
        "a\rb",
        "m",
    };
    text_printf(t, "BYE sip:x SIP/2.0%s", line_end);
    for (uint32_t n = next_random(seed) % 40; n--;) {
        text_add(t, slice_of(pieces[next_random(seed) % COUNT(pieces)]));
        if (next_random(seed) % 3 == 0)
            text_add(t, slice_of(line_end));
    }
    text_printf(t, "%s%sbody", line_end, line_end);
}

/* LF-only and CRLF line ends give the same headers. */
static void test_line_ends_agree(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t seeds[] = {i, i};
        struct text texts[2] = {{0}, {0}};
        struct loaded l[2];
        random_message(&texts[0], &seeds[0], "\r\n");
        random_message(&texts[1], &seeds[1], "\n");
        load(&l[0], text_slice(&texts[0]));
        load(&l[1], text_slice(&texts[1]));
        assert_int_equal(l[0].m.header_count, l[1].m.header_count);
        assert_int_equal(l[0].m.problem_count, l[1].m.problem_count);
        for (uint32_t k = 0; k < l[0].m.header_count; k++) {
            const struct sip_header *a = &l[0].m.headers[k], *b = &l[1].m.headers[k];
            struct arena arena = {0};
            assert_true(slice_equal(a->name, b->name));
            assert_int_equal(a->id, b->id);
            assert_int_equal(a->folded, b->folded);
            assert_true(slice_equal(sip_unfold(&arena, a), sip_unfold(&arena, b)));
            arena_free(&arena);
        }
        for (int k = 0; k < 2; k++) {
            unload(&l[k]);
            text_free(&texts[k]);
        }
    }
}

static void test_blocks_agree(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char bytes[SIP_BLOCK];
        uint64_t control = 0, colon = 0;
        for (unsigned k = 0; k < SIP_BLOCK; k++) {
            unsigned char c = (unsigned char)next_random(&seed);
            c = i % 2 ? c & 0x1f : c;
            c = next_random(&seed) % 4 == 0 ? (i % 3 ? ':' : 0x7f) : c;
            bytes[k] = (char)c;
            control |= (uint64_t)(c < 0x20 || c == 0x7f) << k;
            colon |= (uint64_t)(c == ':') << k;
        }
        struct sip_block a = sip_block_of(bytes), b = sip_block_words(bytes);
        assert_true(a.control == control && a.colon == colon);
        assert_true(b.control == control && b.colon == colon);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_prefix),  cmocka_unit_test(test_every_prefix_whole),
        cmocka_unit_test(test_cut_lengths),   cmocka_unit_test(test_large),
        cmocka_unit_test(test_many_problems), cmocka_unit_test(test_line_ends_agree),
        cmocka_unit_test(test_blocks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

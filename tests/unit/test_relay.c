/* What goes from the thread that reads to the one that files comes out as it went in: messages of
 * any length and any number of headers and frames, put as they were scanned or copied. */
#include "trace/relay.h"
#include "unit/unit.h"

#include <pthread.h>

#define MESSAGES 3000u

/* The nth message: its sizes go all ways, so that it ends up anywhere in a batch. */
static void write_message(struct text *t, size_t n)
{
    text_clear(t);
    text_printf(t, "OPTIONS sip:%zu@example.com SIP/2.0\r\n", n);
    for (size_t i = 0; i < n * 7 % 230; i++)
        text_printf(t, "X-%zu: %zu\r\n", i, n);
    text_printf(t, "Call-ID: %zu\r\nContent-Length: %zu\r\n\r\n", n, n * 37 % 9000);
    text_add_fill(t, 'b', n * 37 % 9000);
}

static void put(struct trace_relay *r, struct sip_scanner *s, size_t n, struct slice text)
{
    const uint32_t frames[] = {(uint32_t)n, (uint32_t)n + 1, (uint32_t)n + 2};
    struct packet_payload p = {.bytes = text, .frames = frames, .frame_count = 1 + n % 3};
    struct sip_message own, *m = &own;
    struct slice bytes = text;
    bool room = n % 5 != 0;
    if (room)
        m = trace_relay_room(r, &bytes);
    assert_true(sip_scan_datagram(s, bytes, 0, m));
    if (room && n % 11 != 0)
        trace_relay_put_room(r, r, &p);
    else if (!room)
        trace_relay_put(r, r, &p, m);
}

static void *read_all(void *relay)
{
    struct sip_scanner *s = sip_scanner_new();
    struct text t = {0};
    for (size_t n = 0; n < MESSAGES; n++) {
        write_message(&t, n);
        put(relay, s, n, text_slice(&t));
    }
    trace_relay_end(relay);
    text_free(&t);
    sip_scanner_free(s);
    return NULL;
}

struct taker {
    struct trace_relay *relay;
    struct sip_scanner *scanner;
    struct text text;
    size_t next, taken;
};

static struct taker *taker; /* a sink is told the origin alone */

static void compare(void *origin, const struct packet_payload *p, const struct sip_message *m)
{
    struct taker *t = taker;
    struct sip_message wanted;
    assert_ptr_equal(origin, t->relay);
    while (t->next % 5 != 0 && t->next % 11 == 0)
        t->next++; /* scanned and not put */
    write_message(&t->text, t->next);
    assert_true(sip_scan_datagram(t->scanner, text_slice(&t->text), 0, &wanted));
    assert_true(slice_equal(p->bytes, text_slice(&t->text)));
    assert_true(p->bytes.p != t->text.p);
    assert_int_equal(p->frame_count, 1 + t->next % 3);
    for (size_t i = 0; i < p->frame_count; i++)
        assert_int_equal(p->frames[i], t->next + i);
    assert_int_equal(m->header_count, wanted.header_count);
    for (uint32_t i = 0; i < m->header_count; i++) {
        assert_true(slice_equal(m->headers[i].name, wanted.headers[i].name));
        assert_true(slice_equal(m->headers[i].value, wanted.headers[i].value));
        assert_int_equal(m->headers[i].name.p - p->bytes.p, wanted.headers[i].name.p - t->text.p);
    }
    assert_true(slice_equal(m->call_id, wanted.call_id));
    assert_true(slice_equal(m->body, wanted.body));
    assert_int_equal(m->body.p - p->bytes.p, wanted.body.p - t->text.p);
    t->next++;
    t->taken++;
}

static void no_hidden(void *origin, const struct packet_hidden *hidden)
{
    (void)origin;
    (void)hidden;
    fail();
}

static void test_relay(void **state)
{
    struct taker t = {.relay = trace_relay_new(), .scanner = sip_scanner_new()};
    size_t left_out = 0;
    pthread_t reader;
    (void)state;
    taker = &t;
    for (size_t n = 0; n < MESSAGES; n++)
        left_out += n % 5 != 0 && n % 11 == 0;
    assert_int_equal(pthread_create(&reader, NULL, read_all, t.relay), 0);
    while (trace_relay_take(t.relay, compare, no_hidden))
        ;
    pthread_join(reader, NULL);
    assert_int_equal(t.taken, MESSAGES - left_out);
    text_free(&t.text);
    sip_scanner_free(t.scanner);
    trace_relay_free(t.relay);
}

static unsigned bare; /* messages without headers that came out */

static void count_bare(void *origin, const struct packet_payload *p, const struct sip_message *m)
{
    (void)origin;
    assert_int_equal(p->bytes.n, m->bytes.n);
    assert_int_equal(m->header_count, 0);
    bare++;
}

/* The scanner never had a header, so it has no room for any. */
static void test_no_headers(void **state)
{
    struct trace_relay *r = trace_relay_new();
    struct sip_scanner *s = sip_scanner_new();
    (void)state;
    put(r, s, 1, SLICE("BYE sip:a SIP/2.0\r\n\r\n"));
    put(r, s, 5, SLICE("BYE sip:a SIP/2.0\r\n\r\n"));
    trace_relay_end(r);
    while (trace_relay_take(r, count_bare, no_hidden))
        ;
    assert_int_equal(bare, 2);
    sip_scanner_free(s);
    trace_relay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_relay),
                                       cmocka_unit_test(test_no_headers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

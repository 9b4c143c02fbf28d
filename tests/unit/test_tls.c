/* TLS of every version and kind of cipher suite, by what libssl sends. */
#include "hear.h"
#include "packet/tls.h"

#define SUITES_13_ALL "TLS_AES_128_GCM_SHA256"

static const struct talk_case cases[] = {
    {"1.3 AES-128-GCM", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", 0},
    {"1.3 AES-256-GCM", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", TALK_EC},
    {"1.3 ChaCha20", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", 0},
    {"1.3 CCM", TLS1_3_VERSION, "TLS_AES_128_CCM_SHA256", 0},
    {"1.3 CCM_8", TLS1_3_VERSION, "TLS_AES_128_CCM_8_SHA256", 0},
    {"1.3 retry", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", TALK_RETRY},
    {"1.3 key update", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", TALK_UPDATE},
    {"1.3 resumed", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", TALK_RESUME},
    {"1.3 early data", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", TALK_RESUME | TALK_EARLY},
    {"1.3 all", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", TALK_RESUME | TALK_UPDATE},
    {"1.2 ECDHE GCM 128", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", 0},
    {"1.2 ECDHE GCM 256", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", TALK_EC},
    {"1.2 DHE GCM 256", TLS1_2_VERSION, "DHE-RSA-AES256-GCM-SHA384", 0},
    {"1.2 RSA GCM 128", TLS1_2_VERSION, "AES128-GCM-SHA256", 0},
    {"1.2 ChaCha20", TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", 0},
    {"1.2 CCM", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-CCM", TALK_EC},
    {"1.2 CCM 256", TLS1_2_VERSION, "AES256-CCM", 0},
    {"1.2 CCM_8", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-CCM8", TALK_EC},
    {"1.2 CBC SHA", TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA", 0},
    {"1.2 CBC SHA, MAC first", TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA", TALK_NO_ETM},
    {"1.2 CBC SHA256", TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", 0},
    {"1.2 CBC SHA256, MAC first", TLS1_2_VERSION, "AES256-SHA256", TALK_NO_ETM},
    {"1.2 CBC SHA384", TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA384", 0},
    {"1.2 CBC SHA384, MAC first", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384",
     TALK_EC | TALK_NO_ETM},
    {"1.2 PSK", TLS1_2_VERSION, "PSK-AES128-GCM-SHA256", TALK_PSK},
    {"1.2 ECDHE PSK CBC", TLS1_2_VERSION, "ECDHE-PSK-AES128-CBC-SHA256", TALK_PSK},
    {"1.2 resumed by ticket", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", TALK_RESUME},
    {"1.2 resumed by id", TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA384", TALK_RESUME | TALK_NO_TICKET},
    {"1.2 renegotiated", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", TALK_RENEGOTIATE},
    {"1.1", TLS1_1_VERSION, "AES128-SHA", 0},
    {"1.1 MAC first", TLS1_1_VERSION, "DHE-RSA-AES256-SHA", TALK_NO_ETM},
    {"1.0", TLS1_VERSION, "ECDHE-RSA-AES128-SHA", 0},
    {"1.0 MAC first", TLS1_VERSION, "AES256-SHA", TALK_NO_ETM | TALK_RESUME},
};

static void assert_read(const struct talk_case *how, const struct talk *t, size_t segment)
{
    struct ear *e = ear_new(true);
    packet_keys_add(e->keys, text_slice(&t->log));
    ear_hear(e, t, segment);
    assert_heard(how->name, e, t);
    assert_true(e->heard.ended[0] && e->heard.ended[1]); /* close_notify */
    assert_int_equal(e->heard.holes[0] + e->heard.holes[1], 0);
    assert_false(e->heard.joined[0] || e->heard.joined[1]);
    assert_int_equal(packet_stats(e->decoder)->tls_streams, 1);
    ear_close(e);
    ear_free(e);
}

static void test_reads_every_suite(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct talk *t = talk_over(&cases[i]);
        static const size_t segments[] = {0, 1, 7, 1460};
        if (cases[i].flags & TALK_RESUME)
            talk_again(t);
        for (size_t k = 0; k < COUNT(segments); k++)
            assert_read(&cases[i], t, segments[k]);
        talk_free(t);
    }
}

/* A record's bytes belong to all frames that it came in. */
static void test_tells_the_frames(void **state)
{
    (void)state;
    struct talk *t = talk_over(&cases[0]);
    struct ear *e = ear_new(true);
    packet_keys_add(e->keys, text_slice(&t->log));
    ear_hear(e, t, 8);
    /* the last one says BYE: 5 bytes of header, 3 and a type, 16 of a tag, and an alert after it */
    assert_false(e->heard.out_of_order);
    assert_true(e->heard.frame_count >= 4);
    ear_close(e);
    ear_free(e);
    talk_free(t);
}

/* Takes a hundred bytes at a time of what comes from the server. */
struct taker {
    size_t lead;  /* expected */
    size_t taken; /* of the record at work */
    uint32_t first;
    unsigned whole; /* hundreds in the middle of records */
};

static size_t take_hundred(void *context, const struct packet_window *w)
{
    struct taker *t = context;
    struct packet_payload p;
    size_t n = w->bytes.n < 100 ? w->bytes.n : 100;
    if (w->src.port == 41822 || n == 0)
        return w->bytes.n;
    if (t->taken == 0 && w->bytes.n < TLS_PLAIN_MAX)
        return w->bytes.n; /* a short record */
    packet_window_payload(w, 0, n, &p);
    if (t->taken == 0) {
        t->first = p.frames[0];
        assert_int_equal(p.frame_count, TLS_HEADER + t->lead + n + 1);
    } else if (w->bytes.n > n) {
        assert_int_equal(p.frames[0], t->first + TLS_HEADER + t->lead + t->taken);
        assert_int_equal(p.frame_count, n + 1);
        t->whole++;
    }
    assert_true(p.frames[p.frame_count - 1] >= t->first + TLS_HEADER + t->lead + TLS_PLAIN_MAX);
    t->taken = w->bytes.n > n ? t->taken + n : 0;
    return n;
}

/* Of a record in very many frames a message has its own, and the one that completed the record. */
static void test_shares_frames(void **state)
{
    static const struct {
        struct talk_case how;
        size_t lead;
    } kinds[] = {
        {{"1.3", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", 0}, 0},
        {{"1.2 GCM", TLS1_2_VERSION, "AES128-GCM-SHA256", 0}, 8},
        {{"1.2 CCM", TLS1_2_VERSION, "AES256-CCM", 0}, 8},
        {{"1.2 ChaCha20", TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", 0}, 0},
        {{"1.2 CBC", TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", 0}, 16},
        {{"1.1", TLS1_1_VERSION, "AES128-SHA", 0}, 16},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct hash_key key = hash_key_of(1, 2);
        struct talk *t = talk_over(&kinds[i].how);
        struct ear *e = ear_new(true);
        struct taker taker = {.lead = kinds[i].lead};
        const struct packet_sinks sinks = {hear_datagram, take_hundred, &taker};
        packet_decoder_free(e->decoder);
        e->decoder = packet_decoder_new(&key, &sinks, e->keys);
        ear_connect(e);
        packet_keys_add(e->keys, text_slice(&t->log));
        ear_hear(e, t, 1);
        assert_int_equal(taker.whole, 2 * (TLS_PLAIN_MAX / 100 - 1));
        ear_close(e);
        ear_free(e);
        talk_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_suite),
        cmocka_unit_test(test_tells_the_frames),
        cmocka_unit_test(test_shares_frames),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}

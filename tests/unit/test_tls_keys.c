/* Where TLS secrets come from, when they come, and what is done without them. */
#include "capture.h"
#include "hear.h"

#include <openssl/err.h>

static const struct talk_case tls13 = {"1.3", TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", TALK_EC};
static const struct talk_case tls12 = {"1.2", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256",
                                       TALK_EC};

/* ---- lines ----------------------------------------------------------------------------------- */

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define HEX48 HEX32 "202122232425262728292a2b2c2d2e2f"

static void test_reads_lines(void **state)
{
    static const struct {
        const char *text;
        unsigned secrets, bad;
    } lines[] = {
        {"CLIENT_RANDOM " HEX32 " " HEX48 "\n", 1, 0},
        {"CLIENT_RANDOM " HEX32 " " HEX48, 1, 0},
        {"CLIENT_RANDOM " HEX32 " " HEX48 "\r\n\r\n", 1, 0},
        {"  CLIENT_RANDOM\t" HEX32 "  " HEX48 " \n", 1, 0},
        {"CLIENT_RANDOM " HEX32 " " HEX48 "\nCLIENT_RANDOM " HEX32 " " HEX48 "\n", 1, 0},
        {"# SSL/TLS secrets log file\n\n \n", 0, 0},
        {"CLIENT_TRAFFIC_SECRET_0 " HEX32 " " HEX32 "\nSERVER_TRAFFIC_SECRET_0 " HEX32 " " HEX48
         "\nCLIENT_EARLY_TRAFFIC_SECRET " HEX32 " " HEX32,
         3, 0},
        {"EXPORTER_SECRET " HEX32 " " HEX48 "\nECH_CONFIG 00 11\n", 0, 0},
        {"RSA 0001020304050607 " HEX48 "\n", 1, 0},
        {"RSA Session-ID:" HEX32 " Master-Key:" HEX48 "\n", 1, 0},
        {"RSA Session-ID:" HEX32 "00 Master-Key:" HEX48 "\n", 0, 1},
        {"CLIENT_RANDOM " HEX32 " " HEX32 "\n", 0, 1},   /* too short */
        {"CLIENT_RANDOM " HEX32 " " HEX48 "00\n", 0, 1}, /* too long */
        {"CLIENT_RANDOM " HEX32 " " HEX48 "0\n", 0, 1},  /* half a byte */
        {"CLIENT_RANDOM " HEX32 "\n", 0, 1},
        {"CLIENT_RANDOM 00 " HEX48 "\n", 0, 1},
        {"CLIENT_RANDOM x" HEX32 " " HEX48 "\n", 0, 1},
        {"CLIENT_RANDOM " HEX32 " " HEX48 " more\n", 0, 1},
        {"CLIENT_TRAFFIC_SECRET_0 " HEX32 " " HEX32 "0011\n", 0, 1},
        {"GET / HTTP/1.1\n\x16\x03\x01\n", 0, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct packet_keys *k = packet_keys_new();
        packet_keys_add(k, slice_of(lines[i].text));
        const struct packet_keys_stats *s = packet_keys_stats(k);
        if (s->secrets != lines[i].secrets || s->bad_lines != lines[i].bad)
            fail_msg("%s: secrets %u, bad lines %u", lines[i].text, (unsigned)s->secrets,
                     (unsigned)s->bad_lines);
        packet_keys_free(k);
    }
}

/* The lines of a log that begin with one of two words. */
static struct text only(struct slice log, const char *a, const char *b)
{
    struct text out = {0};
    while (log.n) {
        struct slice line = slice_first(log, slice_find(log, '\n') + 1);
        if (slice_starts(line, slice_of(a)) || slice_starts(line, slice_of(b)))
            text_add(&out, line);
        log = slice_from(log, line.n);
    }
    return out;
}

/* ---- when they come -------------------------------------------------------------------------- */

static void test_keys_after_the_end(void **state)
{
    const struct talk_case *cases[] = {&tls13, &tls12};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct talk *t = talk_over(cases[i]);
        struct ear *e = ear_new(true);
        const struct packet_stats *s = packet_stats(e->decoder);
        ear_hear(e, t, 100);
        ear_close(e);
        assert_nothing_heard(e);
        assert_int_equal(s->tls_undecrypted, 1);
        assert_true(s->tls_undecrypted_records >= 11);
        packet_flush(e->decoder);
        assert_nothing_heard(e);
        packet_keys_add(e->keys, text_slice(&t->log));
        packet_flush(e->decoder);
        assert_heard(cases[i]->name, e, t);
        assert_false(e->heard.out_of_order);
        assert_true(e->heard.ended[0] && e->heard.ended[1]);
        assert_int_equal(e->heard.holes[0] + e->heard.holes[1], 0);
        ear_free(e);
        talk_free(t);
    }
}

/* Secrets come one after the other: what can be read is. */
static void test_keys_step_by_step(void **state)
{
    static const char *const steps[][2] = {{"SERVER_HANDSHAKE", "CLIENT_HANDSHAKE"},
                                           {"SERVER_TRAFFIC", "SERVER_TRAFFIC"},
                                           {"CLIENT_TRAFFIC", "CLIENT_TRAFFIC"}};
    struct talk *t = talk_over(&tls13);
    struct ear *e = ear_new(true);
    (void)state;
    ear_hear(e, t, 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct text log = only(text_slice(&t->log), steps[i][0], steps[i][1]);
        packet_keys_add(e->keys, text_slice(&log));
        packet_flush(e->decoder);
        assert_int_equal(e->heard.text[1].n > 0, i >= 1);
        assert_int_equal(e->heard.text[0].n > 0, i >= 2);
        text_free(&log);
    }
    assert_heard("step by step", e, t);
    ear_close(e);
    ear_free(e);
    talk_free(t);
}

static void test_keys_in_between(void **state)
{
    struct talk *t = talk_over(&tls13);
    struct ear *e = ear_new(true);
    (void)state;
    for (size_t i = 0; i < t->flights.n; i++) {
        const struct flight *f = &t->flights.items[i];
        if (i == t->flights.n / 2)
            packet_keys_add(e->keys, text_slice(&t->log));
        ear_push(e, f->way, slice_first(slice_from(bytes_slice(&t->wire), f->begin), f->n));
    }
    assert_heard("in between", e, t);
    ear_close(e);
    ear_free(e);
    talk_free(t);
}

static void test_traffic_secrets_alone(void **state)
{
    struct talk *t = talk_over(&tls13);
    struct ear *e = ear_new(true);
    struct text log = only(text_slice(&t->log), "CLIENT_TRAFFIC", "SERVER_TRAFFIC");
    (void)state;
    packet_keys_add(e->keys, text_slice(&log));
    ear_hear(e, t, 0);
    assert_heard("traffic secrets alone", e, t);
    assert_false(e->heard.joined[0] || e->heard.joined[1]);
    assert_int_equal(e->heard.holes[0] + e->heard.holes[1], 0);
    ear_close(e);
    ear_free(e);
    text_free(&log);
    talk_free(t);
}

static void add_to(int fd, struct slice text)
{
    assert_int_equal(write(fd, text.p, text.n), text.n);
}

/* The file ends within a line at first. */
static void test_follows_a_file(void **state)
{
    char path[64];
    struct err err;
    struct talk *t = talk_over(&tls13);
    struct slice log = text_slice(&t->log);
    int fd = temporary(slice_first(log, 200), path);
    struct ear *e = ear_new(true);
    (void)state;
    assert_true(packet_keys_file(e->keys, path, &err));
    ear_hear(e, t, 0);
    ear_close(e);
    assert_nothing_heard(e);
    add_to(fd, slice_from(log, 200));
    packet_flush(e->decoder);
    assert_heard("a file that grows", e, t);
    assert_int_equal(packet_keys_stats(e->keys)->bad_lines, 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    ear_forget(e);
    ear_connect(e);
    ear_hear(e, t, 0);
    assert_heard("a file that was emptied", e, t);
    ear_close(e);
    ear_free(e);
    close(fd);
    talk_free(t);
}

/* As after giving up the rights that it was opened with: its name leads nowhere. */
static void test_follows_what_is_open(void **state)
{
    char path[64], link[64];
    struct err err;
    struct talk *t = talk_over(&tls13);
    struct slice log = text_slice(&t->log);
    int fd = temporary(slice_first(log, 200), path);
    struct ear *e = ear_new(true);
    (void)state;
    snprintf(link, sizeof link, "/tmp/sipxray-test.%d", (int)getpid());
    assert_int_equal(symlink(path, link), 0);
    assert_true(packet_keys_file(e->keys, link, &err));
    assert_int_equal(unlink(link), 0);
    ear_hear(e, t, 0);
    ear_close(e);
    assert_nothing_heard(e);
    add_to(fd, slice_from(log, 200));
    packet_flush(e->decoder);
    assert_heard("a file without its name", e, t);
    ear_free(e);
    close(fd);
    talk_free(t);
}

/* It comes when the connection is over. */
static void test_awaits_a_file(void **state)
{
    char path[64], name[64];
    const char *why = NULL;
    struct err err;
    struct talk *t = talk_over(&tls13);
    int fd = temporary(text_slice(&t->log), path);
    struct ear *e = ear_new(true);
    (void)state;
    snprintf(name, sizeof name, "/tmp/sipxray-test-late.%d", (int)getpid());
    assert_true(packet_keys_await(e->keys, name, &err));
    assert_string_equal(packet_keys_absent(e->keys, 0, &why), name);
    assert_string_equal(why, "No such file or directory");
    assert_null(packet_keys_absent(e->keys, 1, &why));
    ear_hear(e, t, 0);
    ear_close(e);
    assert_nothing_heard(e);
    assert_int_equal(symlink(path, name), 0);
    packet_flush(e->decoder);
    assert_heard("a file that comes late", e, t);
    assert_null(packet_keys_absent(e->keys, 0, &why));
    assert_int_equal(unlink(name), 0);
    assert_false(packet_keys_await(e->keys, "tests", &err));
    ear_free(e);
    close(fd);
    talk_free(t);
}

static void test_refuses_files(void **state)
{
    struct err err;
    struct packet_keys *k = packet_keys_new();
    (void)state;
    assert_false(packet_keys_file(k, "no/such.log", &err));
    assert_string_equal(err.text, "no/such.log: No such file or directory");
    assert_false(packet_keys_file(k, "tests", &err));
    assert_string_equal(err.text, "tests: is a directory, not a key log");
    packet_keys_free(k);
}

/* ---- without them ---------------------------------------------------------------------------- */

static void test_tells_what_is_hidden(void **state)
{
    struct talk *t = talk_over(&tls12);
    (void)state;
    for (int keys = 0; keys < 2; keys++) {
        struct ear *e = ear_new(keys);
        const struct packet_hidden *list;
        ear_hear(e, t, 0);
        assert_int_equal(packet_undecrypted(e->decoder, &list), 1);
        /* 28 records' worth: INVITE, three answers, three for each long text, BYE */
        assert_int_equal(list[0].records, 11);
        assert_int_equal(packet_stats(e->decoder)->tls_undecrypted_records, 11);
        assert_string_equal(endpoint_format(&list[0].src).s, "10.0.1.1:41822");
        assert_string_equal(endpoint_format(&list[0].dst).s, "10.0.2.2:5061");
        assert_int_equal(list[0].first_ns, (int64_t)list[0].frame * 1000);
        assert_true(list[0].last_ns > list[0].first_ns);
        ear_close(e);
        ear_free(e); /* while records wait */
    }
    talk_free(t);
}

/* From a point after the handshake. */
static void test_joined_later(void **state)
{
    struct talk *t = talk_over(&tls13);
    struct ear *e = ear_new(true);
    (void)state;
    packet_keys_add(e->keys, text_slice(&t->log));
    packet_stream_joined(&e->stream);
    for (size_t i = t->flights.n / 2; i < t->flights.n; i++) {
        const struct flight *f = &t->flights.items[i];
        ear_push(e, f->way, slice_first(slice_from(bytes_slice(&t->wire), f->begin), f->n));
    }
    assert_nothing_heard(e);
    assert_int_equal(packet_stats(e->decoder)->tls_undecrypted, 1);
    assert_true(packet_stats(e->decoder)->tls_undecrypted_records > 0);
    ear_close(e);
    ear_free(e);
    talk_free(t);
}

static const struct flight *last_flight(const struct talk *t, unsigned way, size_t least)
{
    for (size_t i = t->flights.n; i-- > 0;)
        if (t->flights.items[i].way == way && t->flights.items[i].n >= least)
            return &t->flights.items[i];
    fail_msg("no such flight");
    return NULL;
}

/* More than is held: the oldest is let go, and what follows is read when keys come. */
static void test_lets_go(void **state)
{
    const struct talk_case *cases[] = {&tls12, &tls13};
    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct talk *t = talk_new(cases[c]);
        struct ear *e = ear_new(true);
        talk_connect(t);
        for (int i = 0; i < 20; i++)
            talk_exchange(t);
        size_t all = t->said[0].n;
        talk_hang_up(t);
        ear_hear(e, t, 0);
        const struct packet_stats *s = packet_stats(e->decoder);
        assert_true(s->tls_let_go > 100);
        packet_keys_add(e->keys, text_slice(&t->log));
        packet_flush(e->decoder);
        if (cases[c] == &tls12) { /* each record that was let go was counted */
            if (e->heard.text[0].n < 40000 || e->heard.text[0].n >= all)
                fail_msg("heard %zu of %zu", e->heard.text[0].n, all);
            assert_true(e->heard.joined[0] || e->heard.holes[0]);
            assert_int_equal(s->tls_undecrypted_records, s->tls_let_go - 2); /* Finished */
        }
        ear_close(e);
        ear_free(e);
        talk_free(t);
    }
}

/* ---- holes ----------------------------------------------------------------------------------- */

static const struct talk_case lossy[] = {
    {"1.3 GCM", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", TALK_EC},
    {"1.3 ChaCha", TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", TALK_EC},
    {"1.2 GCM", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", TALK_EC},
    {"1.2 ChaCha", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", TALK_EC},
    {"1.2 CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", TALK_EC},
    {"1.2 CBC MAC first", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", TALK_EC | TALK_NO_ETM},
    {"1.0", TLS1_VERSION, "ECDHE-ECDSA-AES128-SHA", TALK_EC},
};

/* BYE, which comes after what was lost of the long text, is read while the stream goes on. */
static void check_goes_on(struct ear *e, const struct talk *t, const char *what, size_t from,
                          size_t n)
{
    struct slice heard = text_slice(&e->heard.text[0]);
    if (heard.n < 3 || heard.n >= t->said[0].n || memcmp(heard.p + heard.n - 3, "BYE", 3) != 0 ||
        e->heard.holes[0] != 1)
        fail_msg("%s: %s, %zu and %zu: heard %zu, holes %u", t->how->name, what, from, n, heard.n,
                 e->heard.holes[0]);
    ear_close(e);
    ear_free(e);
}

/* The client's long text loses bytes in its middle. */
static void lose_bytes(const struct talk *t, size_t from, size_t n, bool known)
{
    struct ear *e = ear_new(true);
    const struct flight *lossy_one = last_flight(t, 0, 40000);
    packet_keys_add(e->keys, text_slice(&t->log));
    for (size_t i = 0; i < t->flights.n; i++) {
        const struct flight *f = &t->flights.items[i];
        struct slice all = slice_first(slice_from(bytes_slice(&t->wire), f->begin), f->n);
        if (f != lossy_one) {
            ear_push(e, f->way, all);
            continue;
        }
        ear_push(e, f->way, slice_first(all, from));
        packet_stream_hole(&e->stream, f->way, PACKET_GAP, known ? n : 0);
        if (from + n < all.n)
            ear_push(e, f->way, slice_from(all, from + n));
    }
    check_goes_on(e, t, known ? "a hole" : "a hole of unknown size", from, n);
}

static void test_goes_on_after_a_hole(void **state)
{
    static const struct {
        size_t from, n;
    } holes[] = {{100, 1000},    {0, 1460},     {16000, 1460},  {3, 16384},
                 {20000, 20000}, {1460, 37000}, {16406, 16406}, {0, 40000}};
    (void)state;
    for (size_t c = 0; c < COUNT(lossy); c++) {
        struct talk *t = talk_over(&lossy[c]);
        for (size_t i = 0; i < COUNT(holes); i++) {
            lose_bytes(t, holes[i].from, holes[i].n, true);
            lose_bytes(t, holes[i].from, holes[i].n, false);
        }
        talk_free(t);
    }
}

/* ---- look-alikes ----------------------------------------------------------------------------- */

/* What is left after a hole of the record that it began in: 500 bytes. */
struct looks {
    const char *name;
    struct {
        size_t at, length; /* of what looks like a record's header */
    } as[3];
    size_t segment; /* the rest comes in pieces of this size; 0: as it was sent */
    bool late;      /* keys come last */
};

static const struct looks looks[] = {
    {"to the end of all", {{100, 18432}}, 0, false},
    {"in small segments", {{100, 18432}}, 100, false},
    {"segments of a byte", {{100, 18432}}, 1, false},
    {"two of them", {{100, 18432}, {300, 18400}}, 0, false},
    {"one within another", {{100, 18432}, {200, 50}}, 100, false},
    {"a chain of three", {{100, 45}, {150, 95}, {250, 18432}}, 0, false},
    {"up to where a record begins", {{100, 395}}, 0, false},
    {"into the record", {{100, 2000}}, 0, false},
    {"known late", {{100, 18432}}, 0, true},
    {"known late, small", {{100, 18432}, {300, 18400}}, 100, true},
};

static struct bytes torn_record(const struct looks *l)
{
    struct bytes b = {0};
    put_times(&b, 'z', 500);
    for (size_t i = 0; i < COUNT(l->as) && l->as[i].length; i++) {
        const char header[] = {23, 3, 3, (char)(l->as[i].length >> 8), (char)l->as[i].length};
        memcpy(b.items + l->as[i].at, header, sizeof header);
    }
    return b;
}

/* The last record of a flight, by the headers of those before it. */
static struct slice last_record(struct slice all)
{
    for (;;) {
        const uint8_t *p = (const uint8_t *)all.p;
        struct slice next = slice_from(all, 5 + ((size_t)p[3] << 8 | p[4]));
        if (next.n == 0)
            return all;
        all = next;
    }
}

static void push_pieces(struct ear *e, unsigned way, struct slice bytes, size_t segment)
{
    while (bytes.n) {
        struct slice some = slice_first(bytes, segment ? segment : bytes.n);
        ear_push(e, way, some);
        bytes = slice_from(bytes, some.n);
    }
}

static void meet(const struct talk *t, const struct looks *l)
{
    struct ear *e = ear_new(true);
    const struct flight *f = t->flights.items, *lossy_one = last_flight(t, 0, 40000);
    struct slice wire = bytes_slice(&t->wire);
    if (!l->late)
        packet_keys_add(e->keys, text_slice(&t->log));
    for (; f < lossy_one; f++)
        ear_push(e, f->way, slice_first(slice_from(wire, f->begin), f->n));
    ear_push(e, f->way, slice_first(slice_from(wire, f->begin), 100));
    packet_stream_hole(&e->stream, f->way, PACKET_GAP, 0);
    struct bytes torn = torn_record(l);
    put_slice(&torn, last_record(slice_first(slice_from(wire, f->begin), f->n)));
    push_pieces(e, f->way, bytes_slice(&torn), l->segment);
    vec_free(&torn);
    for (f++; f < t->flights.items + t->flights.n; f++)
        push_pieces(e, f->way, slice_first(slice_from(wire, f->begin), f->n), l->segment);
    if (l->late) {
        packet_keys_add(e->keys, text_slice(&t->log));
        packet_flush(e->decoder);
    }
    check_goes_on(e, t, l->name, l->as[0].at, l->as[0].length);
}

static void test_encrypted_bytes_that_look_like_a_record(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(lossy); c++) {
        struct talk *t = talk_over(&lossy[c]);
        for (size_t i = 0; i < COUNT(looks); i++)
            meet(t, &looks[i]);
        talk_free(t);
    }
}

/* ---- RSA keys -------------------------------------------------------------------------------- */

static int pem_file(EVP_PKEY *key, X509 *certificate, const EVP_CIPHER *cipher, char path[64])
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p;
    if (certificate)
        PEM_write_bio_X509(b, certificate);
    else if (cipher)
        PEM_write_bio_PKCS8PrivateKey(b, key, cipher, "word", 4, NULL, NULL);
    else
        PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(b, &p);
    int fd = temporary((struct slice){p, (size_t)n}, path);
    BIO_free(b);
    return fd;
}

static const struct talk_case by_rsa[] = {
    {"RSA GCM", TLS1_2_VERSION, "AES128-GCM-SHA256", 0},
    {"RSA SHA384", TLS1_2_VERSION, "AES256-GCM-SHA384", 0},
    {"RSA, randoms", TLS1_2_VERSION, "AES256-SHA256", TALK_NO_EMS},
    {"RSA 1.1", TLS1_1_VERSION, "AES128-SHA", 0},
    {"RSA 1.0", TLS1_VERSION, "AES128-SHA", TALK_NO_EMS},
    {"RSA, ticket", TLS1_2_VERSION, "AES128-GCM-SHA256", TALK_RESUME},
    {"RSA, id", TLS1_2_VERSION, "AES128-GCM-SHA256", TALK_RESUME | TALK_NO_TICKET},
    {"RSA, randoms, ticket", TLS1_2_VERSION, "AES128-SHA256", TALK_RESUME | TALK_NO_EMS},
};

static void test_rsa_key(void **state)
{
    struct err err;
    char path[64];
    int fd = pem_file(talk_key(false), NULL, NULL, path);
    (void)state;
    for (size_t i = 0; i < COUNT(by_rsa); i++) {
        struct ear *e = ear_new(true);
        assert_true(packet_keys_rsa(e->keys, path, &err));
        struct talk *t = talk_over(&by_rsa[i]);
        ear_hear(e, t, 100);
        assert_heard(by_rsa[i].name, e, t);
        if (by_rsa[i].flags & TALK_RESUME) {
            ear_close(e);
            ear_forget(e);
            ear_connect(e);
            talk_again(t);
            ear_hear(e, t, 0);
            assert_heard(by_rsa[i].name, e, t);
        }
        ear_close(e);
        ear_free(e);
        talk_free(t);
    }
    close(fd);
}

/* Another key, or an exchange that the key does not help with. */
static void test_rsa_key_that_does_not_fit(void **state)
{
    static const struct talk_case other[] = {
        {"ECDHE", TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", 0},
        {"RSA", TLS1_2_VERSION, "AES128-GCM-SHA256", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(other); i++) {
        struct err err;
        char path[64];
        EVP_PKEY *key = i ? EVP_RSA_gen(2048) : talk_key(false);
        int fd = pem_file(key, NULL, NULL, path);
        struct talk *t = talk_over(&other[i]);
        struct ear *e = ear_new(true);
        assert_true(packet_keys_rsa(e->keys, path, &err));
        ear_hear(e, t, 0);
        assert_nothing_heard(e);
        assert_int_equal(packet_stats(e->decoder)->tls_undecrypted, 1);
        ear_close(e);
        ear_free(e);
        talk_free(t);
        close(fd);
        if (i)
            EVP_PKEY_free(key);
    }
}

static void test_refuses_keys(void **state)
{
    struct packet_keys *k = packet_keys_new();
    struct err err;
    char path[64], words[200];
    X509 *certificate = talk_certificate(talk_key(true));
    const struct {
        EVP_PKEY *key;
        X509 *certificate;
        const EVP_CIPHER *cipher;
        const char *why;
    } cases[] = {
        {talk_key(true), NULL, NULL,
         "no RSA key, but EC; TLS connections that use it need a key log (--keylog)"},
        {NULL, certificate, NULL, "no private key, but a CERTIFICATE in PEM format"},
        {talk_key(false), NULL, EVP_aes_128_cbc(), "the key is encrypted; decrypt it first: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = pem_file(cases[i].key, cases[i].certificate, cases[i].cipher, path);
        assert_false(packet_keys_rsa(k, path, &err));
        snprintf(words, sizeof words, "%s: %s", path, cases[i].why);
        assert_memory_equal(err.text, words, strlen(words));
        close(fd);
    }
    int fd = temporary(SLICE("CLIENT_RANDOM 00 11\n"), path);
    assert_false(packet_keys_rsa(k, path, &err));
    assert_string_equal(without_path(&err), "no RSA private key in PEM format");
    close(fd);
    assert_false(packet_keys_rsa(k, "no/such.pem", &err));
    assert_string_equal(err.text, "no/such.pem: No such file or directory");
    assert_int_equal(ERR_peek_error(), 0);
    X509_free(certificate);
    packet_keys_free(k);
}

/* ---- older formats of key logs --------------------------------------------------------------- */

static void add_hex(struct text *t, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_printf(t, "%02x", bytes[i]);
}

static void test_session_lines(void **state)
{
    static const struct talk_case how = {"by id", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256",
                                         TALK_EC | TALK_NO_TICKET};
    struct talk *t = talk_over(&how);
    struct ear *e = ear_new(true);
    struct text line = {0};
    unsigned n;
    unsigned char master[48];
    (void)state;
    const unsigned char *id = SSL_SESSION_get_id(t->session, &n);
    assert_int_equal(SSL_SESSION_get_master_key(t->session, master, sizeof master), 48);
    text_printf(&line, "RSA Session-ID:");
    add_hex(&line, id, n);
    text_printf(&line, " Master-Key:");
    add_hex(&line, master, sizeof master);
    packet_keys_add(e->keys, text_slice(&line));
    assert_int_equal(packet_keys_stats(e->keys)->secrets, 1);
    ear_hear(e, t, 0);
    assert_heard("session lines", e, t);
    ear_close(e);
    ear_free(e);
    text_free(&line);
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_lines),
        cmocka_unit_test(test_keys_after_the_end),
        cmocka_unit_test(test_keys_step_by_step),
        cmocka_unit_test(test_keys_in_between),
        cmocka_unit_test(test_traffic_secrets_alone),
        cmocka_unit_test(test_follows_a_file),
        cmocka_unit_test(test_follows_what_is_open),
        cmocka_unit_test(test_awaits_a_file),
        cmocka_unit_test(test_refuses_files),
        cmocka_unit_test(test_tells_what_is_hidden),
        cmocka_unit_test(test_joined_later),
        cmocka_unit_test(test_lets_go),
        cmocka_unit_test(test_goes_on_after_a_hole),
        cmocka_unit_test(test_encrypted_bytes_that_look_like_a_record),
        cmocka_unit_test(test_rsa_key),
        cmocka_unit_test(test_rsa_key_that_does_not_fit),
        cmocka_unit_test(test_refuses_keys),
        cmocka_unit_test(test_session_lines),
    };
    return cmocka_run_group_tests_name("tls_keys", tests, NULL, NULL);
}

/* HEP that we send, read by hand: chunk by chunk as the specification has them. */
#include "source/source.h"

#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAYLOAD "OPTIONS sip:a SIP/2.0\r\n\r\n"

/* A collector on a port that the system chose. */
struct collector {
    int fd;
    char where[64];
};

static struct collector listen_on(int type, int family)
{
    struct collector c = {.fd = socket(family, type, 0)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool is_six = family == AF_INET6;
    struct sockaddr *a = is_six ? (struct sockaddr *)(void *)&six : (void *)&four;
    socklen_t n = is_six ? sizeof six : sizeof four;
    assert_int_equal(bind(c.fd, a, n), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(c.fd, 4), 0);
    assert_int_equal(getsockname(c.fd, a, &n), 0);
    snprintf(c.where, sizeof c.where, "%s:%s:%u", type == SOCK_STREAM ? "tcp" : "udp",
             is_six ? "[::1]" : "127.0.0.1", ntohs(is_six ? six.sin6_port : four.sin_port));
    return c;
}

static size_t read_some(int fd, uint8_t *into, size_t n)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    ssize_t got = recv(fd, into, n, 0);
    assert_true(got >= 0);
    return (size_t)got;
}

/* The value of a chunk of a message. */
static struct slice chunk(const uint8_t *message, size_t n, unsigned type)
{
    for (size_t at = 6; at + 6 <= n;) {
        size_t size = (size_t)(message[at + 4] << 8 | message[at + 5]);
        assert_true(size >= 6 && at + size <= n);
        if (message[at + 2] << 8 == 0 && message[at + 3] == type)
            return (struct slice){(const char *)message + at + 6, size - 6};
        at += size;
    }
    return SLICE_NONE;
}

static void is_bytes(struct slice s, const char *bytes, size_t n)
{
    assert_int_equal(s.n, n);
    assert_memory_equal(s.p, bytes, n);
}

static const struct source_message over_udp = {
    .ip_protocol = 17,
    .src = {{4, {10, 0, 1, 10}}, 5060},
    .dst = {{4, {10, 0, 1, 1}}, 5070},
};

static struct source_hep_message message_of(const struct source_message *m)
{
    return (struct source_hep_message){m, 1700000000123456789, 2001, SLICE("id@host"),
                                       SLICE(PAYLOAD)};
}

static void datagram(void **state)
{
    struct err err;
    uint8_t b[2000];
    (void)state;
    struct collector c = listen_on(SOCK_DGRAM, AF_INET);
    struct source_hep_out *o = source_hep_out_open(c.where, SLICE("secret"), &err);
    struct source_hep_message m = message_of(&over_udp);
    assert_non_null(o);
    assert_true(source_hep_out_send(o, &m));
    size_t n = read_some(c.fd, b, sizeof b);
    assert_memory_equal(b, "HEP3", 4);
    assert_int_equal(b[4] << 8 | b[5], n);
    is_bytes(chunk(b, n, 1), "\2", 1);
    is_bytes(chunk(b, n, 2), "\21", 1);
    is_bytes(chunk(b, n, 3), "\12\0\1\12", 4);
    is_bytes(chunk(b, n, 4), "\12\0\1\1", 4);
    is_bytes(chunk(b, n, 7), "\x13\xc4", 2);
    is_bytes(chunk(b, n, 8), "\x13\xce", 2);
    is_bytes(chunk(b, n, 9), "\x65\x53\xf1\x00", 4);
    is_bytes(chunk(b, n, 10), "\0\1\xe2\x40", 4);
    is_bytes(chunk(b, n, 11), "\1", 1);
    is_bytes(chunk(b, n, 12), "\0\0\7\xd1", 4);
    is_bytes(chunk(b, n, 14), "secret", 6);
    is_bytes(chunk(b, n, 17), "id@host", 7);
    is_bytes(chunk(b, n, 15), PAYLOAD, sizeof PAYLOAD - 1);
    assert_int_equal(source_hep_out_stats(o)->sent, 1);
    source_hep_out_close(o, 0, NULL);
    close(c.fd);
}

static void protocols(void **state)
{
    static const struct {
        struct source_message m;
        uint8_t protocol, family;
    } cases[] = {
        {{.ip_protocol = 6, .src = {{4, {1}}, 1}, .dst = {{4, {2}}, 2}}, 6, 2},
        {{.ip_protocol = 132, .src = {{6, {1}}, 1}, .dst = {{6, {2}}, 2}}, 132, 10},
        {{.ip_protocol = 6, .tls = true, .src = {{6, {1}}, 1}, .dst = {{0}, 2}}, 22, 10},
        {{.ip_protocol = 6, .websocket = true}, 50, 2},
        {{.ip_protocol = 6, .websocket = true, .tls = true}, 50, 2},
        {{0}, 17, 2},
    };
    struct err err;
    uint8_t b[2000];
    (void)state;
    struct collector c = listen_on(SOCK_DGRAM, AF_INET6);
    struct source_hep_out *o = source_hep_out_open(c.where, SLICE_NONE, &err);
    assert_non_null(o);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source_hep_message m = message_of(&cases[i].m);
        m.correlation = SLICE_NONE;
        assert_true(source_hep_out_send(o, &m));
        size_t n = read_some(c.fd, b, sizeof b);
        is_bytes(chunk(b, n, 1), (const char *)&cases[i].family, 1);
        is_bytes(chunk(b, n, 2), (const char *)&cases[i].protocol, 1);
        bool six = cases[i].family == 10;
        is_bytes(chunk(b, n, six ? 5 : 3), (const char *)cases[i].m.src.ip.bytes, six ? 16 : 4);
        assert_null(chunk(b, n, six ? 3 : 5).p);
        assert_null(chunk(b, n, 14).p);
        assert_null(chunk(b, n, 17).p);
    }
    source_hep_out_close(o, 0, NULL);
    close(c.fd);
}

static void too_large(void **state)
{
    static char much[70000];
    static const struct {
        int type;
        size_t n;
        bool fits;
    } cases[] = {
        {SOCK_DGRAM, 65300, true},  {SOCK_DGRAM, 65500, false},  {SOCK_DGRAM, 70000, false},
        {SOCK_STREAM, 65300, true}, {SOCK_STREAM, 65530, false},
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector c = listen_on(cases[i].type, AF_INET);
        struct source_hep_out *o = source_hep_out_open(c.where, SLICE_NONE, &err);
        struct source_hep_message m = message_of(&over_udp);
        m.payload = (struct slice){much, cases[i].n};
        assert_int_equal(source_hep_out_send(o, &m), cases[i].fits);
        assert_int_equal(source_hep_out_stats(o)->too_large, !cases[i].fits);
        assert_int_equal(source_hep_out_stats(o)->sent, cases[i].fits);
        source_hep_out_close(o, 0, NULL);
        close(c.fd);
    }
}

static void nobody_listens(void **state)
{
    struct err err;
    (void)state;
    struct collector c = listen_on(SOCK_DGRAM, AF_INET);
    struct source_hep_out *o = source_hep_out_open(c.where, SLICE_NONE, &err);
    struct source_hep_message m = message_of(&over_udp);
    close(c.fd);
    assert_true(source_hep_out_send(o, &m));
    assert_true(source_hep_out_send(o, &m)); /* sent again after the error of the first */
    assert_int_equal(source_hep_out_stats(o)->refused, 1);
    assert_non_null(strstr(source_hep_out_error(o), "Connection refused"));
    source_hep_out_close(o, 0, NULL);
}

/* One message behind the other; a connection that is lost is made again, and nothing is sent in
 * part. */
static void stream(void **state)
{
    struct err err;
    static uint8_t b[70000];
    (void)state;
    struct collector c = listen_on(SOCK_STREAM, AF_INET);
    struct source_hep_out *o = source_hep_out_open(c.where, SLICE_NONE, &err);
    struct source_hep_message m = message_of(&over_udp);
    int fd = accept(c.fd, NULL, NULL);
    assert_true(source_hep_out_send(o, &m) && source_hep_out_send(o, &m));
    size_t n = 0;
    for (size_t one = 0; n == 0 || n < 2 * one; one = (size_t)(b[4] << 8 | b[5]))
        n += read_some(fd, b + n, sizeof b - n);
    assert_memory_equal(b, b + n / 2, n / 2);
    assert_null(source_hep_out_error(o));
    close(fd);
    usleep(10000);
    assert_true(source_hep_out_send(o, &m)); /* it is held, for the connection is gone */
    assert_int_equal(source_hep_out_stats(o)->lost, 1);
    assert_non_null(strstr(source_hep_out_error(o), "closed"));
    struct source_hep_out_stats stats;
    source_hep_out_close(o, SOURCE_HEP_PAUSE_MS + 3000, &stats);
    fd = accept(c.fd, NULL, NULL);
    assert_int_equal(read_some(fd, b, sizeof b), n / 2);
    assert_int_equal(stats.sent, 3);
    assert_int_equal(stats.dropped, 0);
    close(fd);
    close(c.fd);
}

/* A collector that reads nothing costs no more than the bound. */
static void slow_collector(void **state)
{
    static char much[60000];
    struct err err;
    struct source_hep_out_stats stats;
    (void)state;
    struct collector c = listen_on(SOCK_STREAM, AF_INET);
    struct source_hep_out *o = source_hep_out_open(c.where, SLICE_NONE, &err);
    struct source_hep_message m = message_of(&over_udp);
    int fd = accept(c.fd, NULL, NULL);
    m.payload = (struct slice){much, sizeof much};
    for (unsigned i = 0; i < 400; i++)
        (void)source_hep_out_send(o, &m);
    assert_true(source_hep_out_stats(o)->dropped > 100);
    assert_int_equal(source_hep_out_stats(o)->dropped + source_hep_out_stats(o)->sent, 400);
    source_hep_out_close(o, 0, &stats);
    assert_int_equal(stats.dropped + stats.sent, 400);
    assert_true(stats.dropped > 200);
    close(fd);
    close(c.fd);
}

static void mistakes(void **state)
{
    static const char *const wrong[] = {
        "",          "udp:",      "127.0.0.1:9060",    "udp:h",   "udp:1.2.3.4:", "udp:1.2.3.4:0",
        "udp:::1:5", "udp::9060", "tcp:1.2.3.4:65536", "sctp:1:2"};
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_null(source_hep_out_open(wrong[i], SLICE_NONE, &err));
        assert_non_null(strstr(err.text, "udp:HOST:PORT or tcp:HOST:PORT"));
    }
    static char key[SOURCE_HEP_KEY_MAX + 1];
    assert_null(source_hep_out_open("udp:127.0.0.1:9", (struct slice){key, sizeof key}, &err));
    assert_non_null(strstr(err.text, "authentication key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram),  cmocka_unit_test(protocols),
        cmocka_unit_test(too_large), cmocka_unit_test(nobody_listens),
        cmocka_unit_test(stream),    cmocka_unit_test(slow_collector),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

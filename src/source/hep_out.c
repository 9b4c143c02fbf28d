/* HEP version 3 to a collector. */
#include "source/hep.h"
#include "source/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct source_hep_out {
    struct source_hep_address to;
    struct slice key;
    int fd;             /* -1: TCP without a connection; */
    int64_t connect_at; /* source_clock_ms of the next attempt then */
    bool connecting;
    struct text held;    /* TCP: what was not taken yet, */
    size_t written;      /* but for so many of its bytes */
    struct text message; /* the one that is sent now */
    char error[512];
    struct source_hep_out_stats stats;
};

/* ---- a message ------------------------------------------------------------------------------- */

static void put_number(struct text *t, uint32_t value, size_t n)
{
    while (n-- > 0)
        text_add_char(t, (char)(value >> (8 * n)));
}

static void put_chunk(struct text *t, enum source_hep_chunk type, struct slice value)
{
    put_number(t, 0, 2); /* vendor: generic */
    put_number(t, type, 2);
    put_number(t, (uint32_t)(SOURCE_HEP_CHUNK_HEAD + value.n), 2);
    text_add(t, value);
}

static void put_number_chunk(struct text *t, enum source_hep_chunk type, uint32_t value, size_t n)
{
    put_number(t, 0, 2);
    put_number(t, type, 2);
    put_number(t, (uint32_t)(SOURCE_HEP_CHUNK_HEAD + n), 2);
    put_number(t, value, n);
}

/* There are no numbers for TLS and WebSockets; servers use 22 for the one, OpenSIPS 50 for the
 * other. */
static uint32_t protocol_of(const struct source_message *m)
{
    return m->websocket ? 50 : m->tls ? 22 : m->ip_protocol ? m->ip_protocol : 17;
}

/* An end whose address is not known stands as 0.0.0.0 or ::. */
static void put_ends(struct text *t, const struct source_message *m)
{
    bool six = m->src.ip.family == 6 || m->dst.ip.family == 6;
    size_t n = six ? 16 : 4;
    put_number_chunk(t, SOURCE_HEP_FAMILY, six ? 10 : 2, 1);
    put_number_chunk(t, SOURCE_HEP_PROTOCOL, protocol_of(m), 1);
    put_chunk(t, six ? SOURCE_HEP_SRC6 : SOURCE_HEP_SRC4,
              (struct slice){(const char *)m->src.ip.bytes, n});
    put_chunk(t, six ? SOURCE_HEP_DST6 : SOURCE_HEP_DST4,
              (struct slice){(const char *)m->dst.ip.bytes, n});
    put_number_chunk(t, SOURCE_HEP_SRC_PORT, m->src.port, 2);
    put_number_chunk(t, SOURCE_HEP_DST_PORT, m->dst.port, 2);
}

/* A chunk's length has 16 bits, and so has the message's. */
static bool put_message(struct source_hep_out *o, const struct source_hep_message *m)
{
    struct text *t = &o->message;
    size_t most = o->to.tcp ? SOURCE_HEP_TCP_MAX : SOURCE_HEP_UDP_MAX;
    text_clear(t);
    if (m->payload.n + m->correlation.n > most)
        return false;
    text_add(t, SLICE(SOURCE_HEP_MAGIC "\0\0"));
    put_ends(t, m->message);
    put_number_chunk(t, SOURCE_HEP_SECONDS, (uint32_t)(m->time_ns / 1000000000), 4);
    put_number_chunk(t, SOURCE_HEP_MICROSECONDS, (uint32_t)(m->time_ns % 1000000000 / 1000), 4);
    put_number_chunk(t, SOURCE_HEP_TYPE, SOURCE_HEP_TYPE_SIP, 1);
    put_number_chunk(t, SOURCE_HEP_AGENT, m->agent, 4);
    if (o->key.n)
        put_chunk(t, SOURCE_HEP_KEY, o->key);
    if (m->correlation.n)
        put_chunk(t, SOURCE_HEP_CORRELATION, m->correlation);
    put_chunk(t, SOURCE_HEP_PAYLOAD, m->payload);
    if (t->n > most)
        return false;
    t->p[4] = (char)(t->n >> 8);
    t->p[5] = (char)t->n;
    return true;
}

/* ---- the connection -------------------------------------------------------------------------- */

static void say_error(struct source_hep_out *o, const char *what, int number)
{
    snprintf(o->error, sizeof o->error, "%s: %s: %s", o->to.label, what, strerror(number));
}

/* Leaves out the messages at the front that were written: wholly, or in part as well. */
static void forget_written(struct source_hep_out *o, bool in_part)
{
    size_t at = 0;
    while (at < o->written) {
        const uint8_t *head = (const uint8_t *)o->held.p + at;
        size_t n = (size_t)(head[4] << 8 | head[5]);
        if (at + n > o->written && !in_part)
            break;
        at += n;
    }
    if (at)
        memmove(o->held.p, o->held.p + at, o->held.n - at);
    o->held.n -= at;
    o->written = at < o->written ? o->written - at : 0;
}

/* What was begun to be sent can't be taken up in another connection; what follows it can. */
static void lose(struct source_hep_out *o, const char *what, int number)
{
    say_error(o, what, number);
    close(o->fd);
    o->fd = -1;
    o->stats.lost += !o->connecting;
    o->connecting = false;
    o->connect_at = source_clock_ms() + SOURCE_HEP_PAUSE_MS;
    forget_written(o, true);
}

static void connect_again(struct source_hep_out *o)
{
    const struct sockaddr *to = (const struct sockaddr *)(const void *)&o->to.address;
    int one = 1;
    if (source_clock_ms() < o->connect_at)
        return;
    o->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    o->connecting = true;
    if (o->fd < 0) {
        say_error(o, "no socket", errno);
        o->connect_at = source_clock_ms() + SOURCE_HEP_PAUSE_MS;
        return;
    }
    setsockopt(o->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(o->fd, to, o->to.size) != 0 && errno != EINPROGRESS)
        lose(o, "connect", errno);
}

/* Is there a connection that was made? */
static bool is_connected(struct source_hep_out *o)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};
    int why = 0;
    socklen_t size = sizeof why;
    if (o->fd < 0 || !o->connecting)
        return o->fd >= 0;
    if (poll(&p, 1, 0) <= 0)
        return false;
    if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0)
        why = errno;
    if (why) {
        lose(o, "connect", why);
        return false;
    }
    o->connecting = false;
    o->error[0] = '\0';
    return true;
}

/* A collector that closed its end says so by an end of what it sends, which is nothing. */
static bool is_open(struct source_hep_out *o)
{
    char byte;
    ssize_t n = recv(o->fd, &byte, 1, MSG_DONTWAIT);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return true;
    lose(o, "closed", n == 0 ? ECONNRESET : errno);
    return false;
}

void source_hep_out_flush(struct source_hep_out *o)
{
    if (!o->to.tcp)
        return;
    if (o->fd < 0)
        connect_again(o);
    if (!is_connected(o) || !is_open(o))
        return;
    while (o->written < o->held.n) {
        ssize_t n = send(o->fd, o->held.p + o->written, o->held.n - o->written,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            lose(o, "send", errno);
        if (n <= 0)
            break;
        o->written += (size_t)n;
    }
    if (o->written == o->held.n || o->written > SOURCE_HEP_HELD / 4)
        forget_written(o, false);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The error of an earlier datagram (nobody listens there) comes with the next one. */
static bool send_datagram(struct source_hep_out *o)
{
    for (int tries = 0; tries < 2; tries++) {
        if (send(o->fd, o->message.p, o->message.n, MSG_DONTWAIT) >= 0) {
            o->error[0] = tries ? o->error[0] : '\0';
            o->stats.sent++;
            return true;
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            o->stats.dropped++;
            return false;
        }
        say_error(o, "send", errno);
        o->stats.refused++;
        if (errno != ECONNREFUSED)
            return false;
    }
    return false;
}

static bool hold(struct source_hep_out *o)
{
    if (o->held.n - o->written + o->message.n > SOURCE_HEP_HELD) {
        o->stats.dropped++;
        return false;
    }
    text_add(&o->held, text_slice(&o->message));
    o->stats.sent++;
    return true;
}

bool source_hep_out_send(struct source_hep_out *o, const struct source_hep_message *m)
{
    if (!put_message(o, m)) {
        o->stats.too_large++;
        return false;
    }
    if (!o->to.tcp)
        return send_datagram(o);
    bool held = hold(o);
    source_hep_out_flush(o);
    return held;
}

/* ---- opened and closed ----------------------------------------------------------------------- */

static bool open_datagram(struct source_hep_out *o, struct err *err)
{
    const struct sockaddr *to = (const struct sockaddr *)(const void *)&o->to.address;
    o->fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return (o->fd >= 0 && connect(o->fd, to, o->to.size) == 0) ||
           err_set(err, "%s: %s", o->to.label, strerror(errno));
}

struct source_hep_out *source_hep_out_open(const char *where, struct slice key, struct err *err)
{
    struct source_hep_out *o = base_alloc(sizeof *o);
    o->fd = -1;
    bool ok = source_hep_address_read(&o->to, where, where, false, err);
    char *copy = base_alloc(key.n + 1);
    if (key.n)
        memcpy(copy, key.p, key.n);
    o->key = (struct slice){copy, key.n};
    if (ok && key.n > SOURCE_HEP_KEY_MAX)
        ok = err_set(err, "%s: the authentication key has more than %u bytes", where,
                     SOURCE_HEP_KEY_MAX);
    if (ok && !o->to.tcp)
        ok = open_datagram(o, err);
    else if (ok)
        connect_again(o);
    if (ok)
        return o;
    source_hep_out_close(o, 0, NULL);
    return NULL;
}

const char *source_hep_out_error(const struct source_hep_out *o)
{
    return o->error[0] ? o->error : NULL;
}

const struct source_hep_out_stats *source_hep_out_stats(const struct source_hep_out *o)
{
    return &o->stats;
}

static void drain(struct source_hep_out *o, unsigned wait_ms)
{
    int64_t until = source_clock_ms() + wait_ms, now;
    source_hep_out_flush(o);
    while (o->held.n && (now = source_clock_ms()) < until) {
        struct pollfd p = {.fd = o->fd, .events = POLLOUT};
        int64_t pause = o->fd < 0 && o->connect_at < until ? o->connect_at - now : until - now;
        (void)poll(&p, 1, (int)(pause > 0 ? pause : 0));
        source_hep_out_flush(o);
    }
}

/* What is still held was counted as sent. */
static void count_held(struct source_hep_out *o)
{
    for (size_t at = 0; at < o->held.n;) {
        const uint8_t *head = (const uint8_t *)o->held.p + at;
        at += (size_t)(head[4] << 8 | head[5]);
        o->stats.dropped += at > o->written;
        o->stats.sent -= at > o->written;
    }
}

void source_hep_out_close(struct source_hep_out *o, unsigned wait_ms,
                          struct source_hep_out_stats *stats)
{
    if (!o)
        return;
    if (o->to.tcp && wait_ms)
        drain(o, wait_ms);
    count_held(o);
    if (stats)
        *stats = o->stats;
    if (o->fd >= 0)
        close(o->fd);
    text_free(&o->held);
    text_free(&o->message);
    free((char *)(uintptr_t)o->key.p);
    free(o);
}

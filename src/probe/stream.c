/* Connections over TCP and TLS: what waits to be sent, what was received so far of a message.  What
 * connects to us shows by its first byte whether it is TLS. */
#include "probe/internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_ONCE   16384u
#define READS_MAX   16 /* in a row from one connection, so that others have their turn */
#define ACCEPTS_MAX 16
#define TLS_RECORD  0x16 /* the first byte of a handshake (RFC 8446 5.1) */

struct waiting {
    struct text bytes;
    size_t done;
    struct label label;
};

struct connection {
    uint32_t id;
    enum probe_end end;
    int fd;
    bool connecting, accepted, sniffing, handshaking, closed;
    bool write_for_read, wants_write; /* what TLS needs first */
    struct path path;
    struct tls_stream *tls;
    struct text in;
    struct sip_framing framing;
    VEC(struct waiting) out;
    size_t out_at;
    int64_t since_ms; /* when the part of a message that is there began to come */
};

/* ---- what is told -------------------------------------------------------------------------------
 */

static void tell(struct net *n, const struct connection *c, enum probe_fate fate,
                 struct slice detail)
{
    struct happened what = {
        .kind = NET_TOLD, .end = c->end, .path = c->path, .fate = fate, .detail = detail};
    n->sink(n->context, &what);
}

/* Closes it; what waits in it has failed. */
static void stream_fail(struct net *n, struct connection *c, enum probe_fate fate, int error,
                        struct slice detail)
{
    if (c->closed)
        return;
    c->closed = true;
    for (; c->out_at < c->out.n; c->out_at++) {
        struct waiting *w = &c->out.items[c->out_at];
        struct happened what = {.kind = NET_FAILED,
                                .end = c->end,
                                .path = c->path,
                                .bytes = text_slice(&w->bytes),
                                .label = w->label,
                                .fate = fate,
                                .error = error,
                                .detail = detail};
        n->sink(n->context, &what);
        text_free(&w->bytes);
    }
    if (detail.n)
        tell(n, c, fate, detail);
}

static void fail_tls(struct net *n, struct connection *c)
{
    stream_fail(n, c, PROBE_TLS_FAILED, 0, tls_why(c->tls));
}

/* ---- opening ------------------------------------------------------------------------------------
 */

static struct connection *stream_new(struct net *n, enum probe_end end, int fd,
                                     const struct path *path)
{
    struct connection *c = base_alloc(sizeof *c);
    c->id = ++n->last_connection;
    c->end = end;
    c->fd = fd;
    c->path = *path;
    c->path.connection = c->id;
    c->path.host = SLICE("");
    c->since_ms = clock_ms();
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *vec_add(&n->connections) = c;
    return c;
}

/* From the port that the end listens at where that is free: the far side finds this connection by
 * the Contact then (what RFC 5923 does by `alias`). */
static int connect_from(const struct endpoint *local, const struct endpoint *remote)
{
    struct sockaddr_storage s;
    int on = 1;
    int fd = socket(remote->ip.family == 6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    socklen_t n = socket_address(local, &s);
    bool ok = bind(fd, (struct sockaddr *)&s, n) == 0;
    if (ok) {
        n = socket_address(remote, &s);
        ok = connect(fd, (struct sockaddr *)&s, n) == 0 || errno == EINPROGRESS;
    }
    if (ok)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

struct connection *stream_open(struct net *n, enum probe_end end, const struct path *path)
{
    struct err ignored;
    struct endpoint local = path->local;
    if (n->connections.n >= PROBE_CONNECTIONS_MAX) {
        n->counts->refused_connections++;
        errno = EMFILE;
        return NULL;
    }
    /* to itself it would connect to itself */
    int fd = endpoint_equal(&local, &path->remote) ? -1 : connect_from(&local, &path->remote);
    if (fd < 0) {
        local.port = 0;
        fd = connect_from(&local, &path->remote);
    }
    if (fd < 0)
        return NULL;
    struct connection *c = stream_new(n, end, fd, path);
    c->connecting = true;
    if (path->transport == PROBE_TLS) {
        if (!n->tls)
            n->tls = tls_new(n->tls_options, &ignored);
        c->tls = n->tls ? tls_stream_new(n->tls, fd, false, path->host) : NULL;
        c->handshaking = true;
        if (!c->tls) {
            c->closed = true;
            errno = EPROTO;
            return NULL;
        }
    }
    return c;
}

static void refuse(struct net *n, enum probe_end end, int fd, const struct path *path)
{
    struct happened what = {.kind = NET_TOLD,
                            .end = end,
                            .path = *path,
                            .detail = SLICE("connection refused: there are too many")};
    n->counts->refused_connections++;
    n->sink(n->context, &what);
    close(fd);
}

void stream_accept(struct net *n, enum probe_end end)
{
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage s;
        socklen_t size = sizeof s;
        int fd = accept4(n->ends[end].listener, (struct sockaddr *)&s, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct path path = {.transport = PROBE_TCP,
                            .remote = socket_endpoint((struct sockaddr *)&s)};
        path.local = net_local(n, end, &path.remote);
        if (n->connections.n >= PROBE_CONNECTIONS_MAX) {
            refuse(n, end, fd, &path);
            continue;
        }
        struct connection *c = stream_new(n, end, fd, &path);
        c->accepted = c->sniffing = true;
    }
}

struct connection *stream_find(struct net *n, enum probe_end end, const struct path *path)
{
    for (size_t i = n->connections.n; i > 0; i--) {
        struct connection *c = n->connections.items[i - 1];
        if (c->end != end || c->closed)
            continue;
        if (path->connection ? c->id == path->connection
                             : !c->sniffing && c->path.transport == path->transport &&
                                   endpoint_equal(&c->path.remote, &path->remote))
            return c;
    }
    return NULL;
}

/* ---- sending ------------------------------------------------------------------------------------
 */

static bool write_some(struct net *n, struct connection *c, struct slice bytes, size_t *done)
{
    *done = 0;
    if (!c->tls) {
        ssize_t sent = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            stream_fail(n, c, PROBE_REFUSED, errno, SLICE("the connection broke"));
        *done = sent < 0 ? 0 : (size_t)sent;
        return sent > 0;
    }
    enum tls_result result = tls_write(c->tls, bytes, done);
    c->write_for_read = result == TLS_WANT_READ;
    if (result == TLS_FAILED || result == TLS_CLOSED)
        fail_tls(n, c);
    return result == TLS_DONE;
}

static void flush(struct net *n, struct connection *c)
{
    while (!c->closed && !c->connecting && !c->handshaking && c->out_at < c->out.n) {
        struct waiting *w = &c->out.items[c->out_at];
        size_t done;
        if (!write_some(n, c, slice_from(text_slice(&w->bytes), w->done), &done))
            return;
        w->done += done;
        if (w->done < w->bytes.n)
            continue;
        struct waiting sent = *w;
        struct happened what = {.kind = NET_SENT,
                                .end = c->end,
                                .path = c->path,
                                .bytes = text_slice(&sent.bytes),
                                .label = sent.label};
        c->out_at++;
        n->sink(n->context, &what);
        text_free(&sent.bytes);
    }
    if (c->out_at == c->out.n)
        c->out_at = c->out.n = 0;
}

void stream_send(struct net *n, struct connection *c, struct slice bytes, const struct label *label)
{
    struct waiting w = {.label = *label};
    text_add(&w.bytes, bytes);
    *vec_add(&c->out) = w;
    flush(n, c);
}

/* ---- receiving ----------------------------------------------------------------------------------
 */

static void tell_message(struct net *n, struct connection *c, const struct sip_message *m)
{
    struct happened what = {
        .kind = NET_RECEIVED, .end = c->end, .path = c->path, .bytes = m->bytes, .sip = m};
    n->sink(n->context, &what);
}

static void count_stray(struct net *n, struct connection *c, struct slice bytes)
{
    if (!c->framing.stray)
        return;
    struct happened what = {.kind = NET_NOISE, .end = c->end, .path = c->path, .bytes = bytes};
    n->counts->noise += c->framing.stray;
    c->framing.stray = 0;
    n->sink(n->context, &what);
}

static void take_messages(struct net *n, struct connection *c, bool ended)
{
    size_t at = 0;
    while (!c->closed) {
        struct sip_message m;
        size_t take = 0;
        struct sip_front front = {.bytes = slice_from(text_slice(&c->in), at),
                                  .after = ended                          ? SIP_AFTER_END
                                           : c->in.n >= PROBE_MESSAGE_MAX ? SIP_AFTER_FULL
                                                                          : SIP_AFTER_MORE};
        enum sip_framed framed = sip_scan_stream(n->scanner, &c->framing, &front, &m, &take);
        if (framed == SIP_FRAMED_MORE)
            break;
        count_stray(n, c, slice_first(front.bytes, take));
        if (framed == SIP_FRAMED_MESSAGE && m.state == SIP_WHOLE)
            tell_message(n, c, &m);
        else if (framed == SIP_FRAMED_MESSAGE && front.after == SIP_AFTER_FULL)
            n->counts->too_long++;
        at += take;
        c->since_ms = clock_ms();
        if (take == 0)
            break;
    }
    struct slice rest = slice_from(text_slice(&c->in), at);
    if (at && rest.n)
        memmove(c->in.p, rest.p, rest.n);
    c->in.n = rest.n;
}

static bool read_some(struct net *n, struct connection *c, char *into, size_t *got, bool *ended)
{
    if (!c->tls) {
        ssize_t r = recv(c->fd, into, READ_ONCE, 0);
        *ended = r == 0 || (r < 0 && errno != EAGAIN && errno != EINTR);
        *got = r > 0 ? (size_t)r : 0;
        return r > 0;
    }
    enum tls_result result = tls_read(c->tls, into, READ_ONCE, got);
    if (result == TLS_FAILED)
        fail_tls(n, c);
    *ended = result == TLS_CLOSED;
    return result == TLS_DONE;
}

static void read_all(struct net *n, struct connection *c)
{
    char buffer[READ_ONCE];
    bool ended = false;
    for (int i = 0; i < READS_MAX && !c->closed; i++) {
        size_t got = 0;
        if (!read_some(n, c, buffer, &got, &ended))
            break;
        if (!c->in.n)
            c->since_ms = clock_ms();
        text_add(&c->in, (struct slice){buffer, got});
        uint64_t too_long = n->counts->too_long;
        take_messages(n, c, false);
        if (n->counts->too_long > too_long || c->in.n >= PROBE_MESSAGE_MAX)
            stream_fail(n, c, PROBE_REFUSED, 0,
                        SLICE("connection closed: a message on it has no end"));
    }
    if (ended) {
        take_messages(n, c, true);
        stream_fail(n, c, PROBE_REFUSED, 0, SLICE("the other side closed the connection"));
    }
}

/* ---- what poll says -----------------------------------------------------------------------------
 */

static void sniff(struct net *n, struct connection *c)
{
    struct err err;
    char first;
    ssize_t got = recv(c->fd, &first, 1, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    c->sniffing = false;
    if (got <= 0 || first != TLS_RECORD)
        return;
    c->path.transport = PROBE_TLS;
    if (!n->tls)
        n->tls = tls_new(n->tls_options, &err);
    c->tls = n->tls ? tls_stream_new(n->tls, c->fd, true, SLICE("")) : NULL;
    c->handshaking = true;
    if (!c->tls)
        stream_fail(n, c, PROBE_TLS_FAILED, 0, SLICE("no certificate for a server"));
}

static void finish_connecting(struct net *n, struct connection *c)
{
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        bool route = error == EHOSTUNREACH || error == ENETUNREACH;
        stream_fail(n, c, route ? PROBE_NO_ROUTE : PROBE_REFUSED, error, SLICE(""));
        return;
    }
    c->connecting = false;
}

static void shake_hands(struct net *n, struct connection *c)
{
    enum tls_result result = tls_handshake(c->tls);
    c->wants_write = result == TLS_WANT_WRITE;
    if (result == TLS_DONE)
        c->handshaking = false;
    else if (result == TLS_FAILED || result == TLS_CLOSED)
        fail_tls(n, c);
}

void stream_ready(struct net *n, struct connection *c, short events)
{
    if (c->closed)
        return;
    if (c->connecting && events & (POLLOUT | POLLERR | POLLHUP))
        finish_connecting(n, c);
    if (c->closed || c->connecting)
        return;
    if (c->sniffing)
        sniff(n, c);
    if (c->closed || c->sniffing)
        return;
    if (c->handshaking)
        shake_hands(n, c);
    if (c->closed || c->handshaking)
        return;
    flush(n, c);
    if (!c->closed)
        read_all(n, c);
}

short stream_wants(const struct connection *c)
{
    if (c->connecting)
        return POLLOUT;
    bool write = c->handshaking ? c->wants_write : stream_waits(c) && !c->write_for_read;
    return (short)(POLLIN | (write ? POLLOUT : 0));
}

int stream_fd(const struct connection *c)
{
    return c->closed ? -1 : c->fd;
}

bool stream_waits(const struct connection *c)
{
    return !c->closed && c->out_at < c->out.n;
}

bool stream_has_unread(const struct connection *c)
{
    return !c->closed && c->tls && !c->handshaking && tls_holds(c->tls);
}

/* ---- the end ------------------------------------------------------------------------------------
 */

static bool may_be_slow(const struct connection *c)
{
    return !c->closed && (c->in.n || c->sniffing || c->handshaking || c->connecting);
}

int64_t stream_due_ms(const struct net *n, const struct connection *c)
{
    if (stream_has_unread(c))
        return 0;
    return may_be_slow(c) ? c->since_ms + n->slow_ms : INT64_MAX;
}

void stream_close_slow(struct net *n, int64_t now)
{
    for (size_t i = 0; i < n->connections.n; i++) {
        struct connection *c = n->connections.items[i];
        if (!may_be_slow(c) || now < c->since_ms + n->slow_ms)
            continue;
        n->counts->slow_connections++;
        stream_fail(n, c, PROBE_REFUSED, ETIMEDOUT,
                    c->in.n ? SLICE("connection closed: a message on it does not go on")
                            : SLICE("connection given up: nothing comes back"));
    }
}

static void stream_free(struct connection *c)
{
    tls_stream_free(c->tls);
    close(c->fd);
    text_free(&c->in);
    for (size_t i = c->out_at; i < c->out.n; i++)
        text_free(&c->out.items[i].bytes);
    vec_free(&c->out);
    free(c);
}

void stream_reap(struct net *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->connections.n; i++) {
        struct connection *c = n->connections.items[i];
        if (c->closed)
            stream_free(c);
        else
            n->connections.items[kept++] = c;
    }
    n->connections.n = kept;
}

void stream_free_all(struct net *n)
{
    for (size_t i = 0; i < n->connections.n; i++)
        stream_free(n->connections.items[i]);
    n->connections.n = 0;
}

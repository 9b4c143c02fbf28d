/* Sockets of both ends: one for UDP and a listener for TCP and TLS each, at the same port.  ICMP
 * errors are heard (IP_RECVERR), datagrams may be fragmented. */
#include "probe/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX   65536u
#define BURST_MAX      64 /* datagrams and connections taken at once, so that timers have their turn */
#define PORT_TRIES     8
#define STREAM_SLOW_MS 10000

/* ---- addresses ---------------------------------------------------------------------------------
 */

socklen_t socket_address(const struct endpoint *e, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (e->ip.family == 6) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(e->port);
        memcpy(&in->sin6_addr, e->ip.bytes, 16);
        return sizeof *in;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(e->port);
    memcpy(&in->sin_addr, e->ip.bytes, 4);
    return sizeof *in;
}

struct endpoint socket_endpoint(const struct sockaddr *s)
{
    if (s->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)s;
        return (struct endpoint){address_of(6, (const uint8_t *)&in->sin6_addr),
                                 ntohs(in->sin6_port)};
    }
    if (s->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)s;
        return (struct endpoint){address_of(4, (const uint8_t *)&in->sin_addr),
                                 ntohs(in->sin_port)};
    }
    return (struct endpoint){0};
}

static bool is_unspecified(const struct address *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, sizeof zero) == 0;
}

static struct endpoint name_of(int fd)
{
    struct sockaddr_storage s;
    socklen_t n = sizeof s;
    memset(&s, 0, sizeof s);
    if (getsockname(fd, (struct sockaddr *)&s, &n) != 0)
        return (struct endpoint){0};
    return socket_endpoint((struct sockaddr *)&s);
}

/* A UDP socket that is connected sends nothing, but it knows its address. */
static bool local_towards(const struct endpoint *remote, struct address *out)
{
    struct sockaddr_storage s;
    socklen_t n = socket_address(remote, &s);
    int fd = socket(s.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&s, n) == 0;
    if (ok)
        *out = name_of(fd).ip;
    if (fd >= 0)
        close(fd);
    return ok;
}

struct endpoint net_local(const struct net *n, enum probe_end end, const struct endpoint *remote)
{
    struct endpoint local = n->ends[end].bound;
    if (is_unspecified(&local.ip) && remote->ip.family == local.ip.family)
        (void)local_towards(remote, &local.ip);
    return local;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static void set_on(int fd, int level, int option)
{
    int on = 1;
    (void)setsockopt(fd, level, option, &on, sizeof on);
}

static int open_socket(const struct endpoint *at, int type)
{
    struct sockaddr_storage s;
    socklen_t n = socket_address(at, &s);
    int fd = socket(s.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (at->ip.family == 6)
        set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (type == SOCK_STREAM) {
        set_on(fd, SOL_SOCKET, SO_REUSEADDR);
        set_on(fd, SOL_SOCKET, SO_REUSEPORT); /* connections go out from the same port */
    } else {
        int off = IP_PMTUDISC_DONT;
        set_on(fd, at->ip.family == 6 ? IPPROTO_IPV6 : IPPROTO_IP,
               at->ip.family == 6 ? IPV6_RECVERR : IP_RECVERR);
        if (at->ip.family == 4)
            (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
    }
    if (bind(fd, (struct sockaddr *)&s, n) != 0 || (type == SOCK_STREAM && listen(fd, 64) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool fail_listen(const struct endpoint *at, const char *what, struct err *err)
{
    return err_set(err, "cannot listen at %s over %s: %s", endpoint_format(at).s, what,
                   strerror(errno));
}

/* Another program may have the port for TCP that UDP was given. */
static bool open_both(struct net_end *e, const struct endpoint *at, struct err *err)
{
    for (int tries = 0;; tries++) {
        e->udp = open_socket(at, SOCK_DGRAM);
        if (e->udp < 0)
            return fail_listen(at, "UDP", err);
        e->bound = name_of(e->udp);
        e->listener = open_socket(&e->bound, SOCK_STREAM);
        if (e->listener >= 0)
            return true;
        int error = errno;
        close(e->udp);
        errno = error;
        if (at->port || error != EADDRINUSE || tries == PORT_TRIES)
            return fail_listen(&e->bound, "TCP", err);
    }
}

bool net_listen(struct net *n, enum probe_end end, const struct endpoint *at, struct err *err)
{
    struct net_end *e = &n->ends[end];
    *e = (struct net_end){.udp = -1, .listener = -1, .bound = *at};
    if (n->dry)
        e->bound.port = at->port ? at->port : (uint16_t)(end == PROBE_CALLER ? 5062 : 5060);
    else if (!open_both(e, at, err))
        return false;
    e->open = true;
    return true;
}

void net_open(struct net *n, const struct probe_options *options, struct probe_counts *counts,
              net_sink *sink, void *context)
{
    *n = (struct net){.tls_options = &options->tls,
                      .counts = counts,
                      .sink = sink,
                      .context = context,
                      .dry = options->dry,
                      .slow_ms = STREAM_SLOW_MS,
                      .scanner = sip_scanner_new(),
                      .buffer = base_alloc(DATAGRAM_MAX)};
}

void net_close(struct net *n)
{
    stream_free_all(n);
    for (size_t i = 0; i < PROBE_ENDS; i++)
        if (n->ends[i].open && !n->dry) {
            close(n->ends[i].udp);
            close(n->ends[i].listener);
        }
    for (size_t i = 0; i < n->wire.n; i++)
        text_free(&n->wire.items[i].bytes);
    vec_free(&n->wire);
    vec_free(&n->connections);
    sip_scanner_free(n->scanner);
    tls_free(n->tls);
    free(n->buffer);
    *n = (struct net){0};
}

/* ---- UDP ----------------------------------------------------------------------------------------
 */

static bool is_keep_alive(struct slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != '\r' && bytes.p[i] != '\n' && bytes.p[i] != '\0')
            return false;
    return true;
}

static void tell_datagram(struct net *n, enum probe_end end, const struct path *path,
                          struct slice bytes)
{
    struct sip_message m;
    struct happened what = {.kind = NET_RECEIVED, .end = end, .path = *path, .bytes = bytes};
    if (is_keep_alive(bytes))
        return;
    if (sip_scan_datagram(n->scanner, bytes, 0, &m)) {
        what.sip = &m;
    } else {
        what.kind = NET_NOISE;
        n->counts->noise++;
    }
    n->sink(n->context, &what);
}

static void read_datagrams(struct net *n, enum probe_end end)
{
    for (int i = 0; i < BURST_MAX; i++) {
        struct sockaddr_storage s;
        socklen_t size = sizeof s;
        memset(&s, 0, sizeof s);
        ssize_t got =
            recvfrom(n->ends[end].udp, n->buffer, DATAGRAM_MAX, 0, (struct sockaddr *)&s, &size);
        if (got < 0)
            return;
        struct path path = {.transport = PROBE_UDP,
                            .remote = socket_endpoint((struct sockaddr *)&s)};
        path.local = net_local(n, end, &path.remote);
        tell_datagram(n, end, &path, (struct slice){n->buffer, (size_t)got});
    }
}

static bool is_transient(const struct sock_extended_err *e)
{
    bool icmp4 = e->ee_origin == SO_EE_ORIGIN_ICMP, icmp6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;
    return (icmp4 && e->ee_type != 3) ||                    /* time exceeded, source quench ... */
           (icmp6 && e->ee_type != 1) ||                    /* RFC 3261 18.4 */
           (icmp4 && e->ee_type == 3 && e->ee_code == 4) || /* fragmentation needed */
           (!icmp4 && !icmp6 && e->ee_origin != SO_EE_ORIGIN_LOCAL);
}

static void tell_icmp(struct net *n, enum probe_end end, struct msghdr *m, struct slice bytes)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6)
            continue;
        struct sock_extended_err *e = (struct sock_extended_err *)CMSG_DATA(c);
        struct happened what = {.kind = NET_ICMP, .end = end, .bytes = bytes};
        if (is_transient(e))
            continue;
        bool local = e->ee_origin == SO_EE_ORIGIN_LOCAL;
        what.fate = local ? PROBE_NO_ROUTE : PROBE_ICMP;
        what.error = (int)e->ee_errno;
        what.path.transport = PROBE_UDP;
        what.path.remote = socket_endpoint(m->msg_name);
        what.path.local = net_local(n, end, &what.path.remote);
        if (!local)
            what.peer = socket_endpoint(SO_EE_OFFENDER(e));
        n->sink(n->context, &what);
    }
}

static void read_errors(struct net *n, enum probe_end end)
{
    for (int i = 0; i < BURST_MAX; i++) {
        struct sockaddr_storage s;
        _Alignas(struct cmsghdr) char control[512];
        char bytes[512];
        struct iovec part = {bytes, sizeof bytes};
        struct msghdr m = {.msg_name = &s,
                           .msg_namelen = sizeof s,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        memset(&s, 0, sizeof s);
        ssize_t got = recvmsg(n->ends[end].udp, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (got < 0)
            return;
        tell_icmp(n, end, &m, (struct slice){bytes, (size_t)got});
    }
}

static void send_datagram(struct net *n, enum probe_end end, struct happened *what)
{
    struct sockaddr_storage s;
    socklen_t size = socket_address(&what->path.remote, &s);
    ssize_t sent = -1;
    /* an earlier ICMP error is told by whatever comes next: what was refused then is not this */
    for (int i = 0; i < 3 && sent < 0; i++) {
        sent = sendto(n->ends[end].udp, what->bytes.p, what->bytes.n, MSG_NOSIGNAL,
                      (struct sockaddr *)&s, size);
        int error = errno;
        if (sent < 0)
            read_errors(n, end);
        errno = error;
    }
    if (sent < 0) {
        what->kind = NET_FAILED;
        what->fate = PROBE_NO_ROUTE;
        what->error = errno;
    }
    n->sink(n->context, what);
}

/* ---- sending
 * ------------------------------------------------------------------------------------- */

static void send_dry(struct net *n, enum probe_end end, struct happened *what)
{
    struct dry_message m = {.from = end, .path = what->path};
    text_add(&m.bytes, what->bytes);
    *vec_add(&n->wire) = m;
    n->sink(n->context, what);
}

void net_send(struct net *n, enum probe_end end, const struct path *path, struct slice bytes,
              const struct label *label)
{
    struct happened what = {
        .kind = NET_SENT, .end = end, .path = *path, .bytes = bytes, .label = *label};
    if (n->dry) {
        send_dry(n, end, &what);
        return;
    }
    if (path->transport == PROBE_UDP) {
        send_datagram(n, end, &what);
        return;
    }
    struct connection *c = stream_find(n, end, path);
    if (!c)
        c = stream_open(n, end, path);
    if (c) {
        stream_send(n, c, bytes, label);
        return;
    }
    what.kind = NET_FAILED;
    what.fate = PROBE_REFUSED;
    what.error = errno;
    n->sink(n->context, &what);
}

bool net_sending(const struct net *n)
{
    for (size_t i = 0; i < n->connections.n; i++)
        if (stream_waits(n->connections.items[i]))
            return true;
    return n->wire.n > 0;
}

/* ---- waiting
 * -------------------------------------------------------------------------------------- */

/* The wire of a dry run: what one end sent arrives at the other. */
static void deliver_dry(struct net *n)
{
    size_t count = n->wire.n;
    for (size_t i = 0; i < count; i++) {
        struct dry_message m = n->wire.items[i];
        enum probe_end to = probe_other_end(m.from);
        struct path path = m.path;
        path.local = n->ends[to].bound;
        path.remote = m.path.local;
        tell_datagram(n, to, &path, text_slice(&m.bytes));
        text_free(&m.bytes);
    }
    for (size_t i = count; i < n->wire.n; i++)
        n->wire.items[i - count] = n->wire.items[i];
    n->wire.n -= count;
}

int64_t net_due_ms(const struct net *n)
{
    int64_t due = n->wire.n ? 0 : INT64_MAX;
    for (size_t i = 0; i < n->connections.n; i++) {
        int64_t at = stream_due_ms(n, n->connections.items[i]);
        if (at < due)
            due = at;
    }
    return due;
}

static size_t collect(const struct net *n, struct pollfd *list)
{
    size_t count = 0;
    for (size_t i = 0; i < PROBE_ENDS; i++)
        if (n->ends[i].open) {
            list[count++] = (struct pollfd){n->ends[i].udp, POLLIN, 0};
            list[count++] = (struct pollfd){n->ends[i].listener, POLLIN, 0};
        }
    for (size_t i = 0; i < n->connections.n; i++)
        list[count++] = (struct pollfd){stream_fd(n->connections.items[i]),
                                        stream_wants(n->connections.items[i]), 0};
    return count;
}

static void serve(struct net *n, const struct pollfd *list, size_t connections)
{
    size_t at = 0;
    for (size_t i = 0; i < PROBE_ENDS; i++) {
        enum probe_end end = (enum probe_end)i;
        if (!n->ends[i].open)
            continue;
        if (list[at].revents & POLLERR)
            read_errors(n, end);
        if (list[at].revents)
            read_datagrams(n, end);
        if (list[at + 1].revents)
            stream_accept(n, end);
        at += 2;
    }
    for (size_t i = 0; i < connections; i++, at++)
        if (list[at].revents || stream_has_unread(n->connections.items[i]))
            stream_ready(n, n->connections.items[i], list[at].revents);
}

void net_wait(struct net *n, int64_t wait_ms, const sigset_t *mask)
{
    if (n->dry) {
        struct timespec wait = {0, 1000000L * (n->wire.n || wait_ms <= 0 ? 0 : 1)};
        deliver_dry(n);
        (void)ppoll(NULL, 0, &wait, mask);
        return;
    }
    struct pollfd *list = base_alloc((PROBE_ENDS * 2 + n->connections.n) * sizeof(struct pollfd));
    size_t connections = n->connections.n, count = collect(n, list);
    struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
    if (ppoll(list, count, &wait, mask) >= 0)
        serve(n, list, connections);
    stream_close_slow(n, clock_ms());
    stream_reap(n);
    free(list);
}

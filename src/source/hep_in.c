/* HEP that capture agents and SIP servers send to us (hep:udp:, hep:tcp:).  Each message becomes a
 * frame as it came; what it carries is read by packet/. */
#include "source/hep.h"
#include "source/internal.h"

#include <endian.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BYTES (8 * 1024 * 1024) /* that the kernel keeps of datagrams, if it lets us */
#define ROUNDS        256u              /* datagrams or reads that gave nothing, at one go */
#define EVENTS        32
#define FIRST_BYTES   8192u /* of a connection's buffer */
#define PATIENCE_MS   300   /* for what was sent before we are told to end */
#define LOOK_MS       1000  /* between two looks for connections that stand still */

struct connection {
    int fd;
    struct endpoint peer;
    char *bytes;
    size_t at, end, cap; /* bytes[at..end) are read and not taken */
    bool ready;          /* there is more to read */
    bool trusted;        /* it sent a message with the key */
    int64_t heard_ms;    /* source_clock_ms of its last bytes */
};

struct hep_in {
    struct source_hep_address address;
    struct endpoint here;
    int fd; /* of datagrams; or listening, and in `poll` as are the connections */
    int poll;
    char key[SOURCE_HEP_KEY_MAX + 1];
    size_t key_n;
    struct source_message message; /* of the frame that was handed out */
    char *datagram;
    VEC(struct connection *) connections;
    size_t turn;              /* whose turn it is */
    struct connection *taken; /* whose bytes were handed out */
    size_t taken_n;
    int64_t look_at;
};

/* ---- a message ------------------------------------------------------------------------------- */

/* As long for a wrong key as for the right one. */
static bool is_key(const struct hep_in *h, struct slice key)
{
    unsigned char differs = key.n != h->key_n;
    for (size_t i = 0; i < h->key_n; i++)
        differs |= (unsigned char)(h->key[i] ^ (i < key.n ? key.p[i] : 0));
    return !differs;
}

/* The authentication key is a chunk of version 3; the versions before it have none. */
static bool has_key(const struct hep_in *h, struct slice message)
{
    if (!h->key_n)
        return true;
    if (!slice_starts(message, SLICE(SOURCE_HEP_MAGIC)))
        return false;
    struct cursor c = cursor_of(slice_from(message, SOURCE_HEP_HEAD));
    while (!c.failed && cursor_left(&c)) {
        unsigned vendor = cursor_be16(&c), type = cursor_be16(&c);
        size_t n = cursor_be16(&c);
        if (n < SOURCE_HEP_CHUNK_HEAD)
            return false;
        struct slice value = cursor_take(&c, n - SOURCE_HEP_CHUNK_HEAD);
        if (vendor == 0 && type == SOURCE_HEP_KEY)
            return is_key(h, value);
    }
    return false;
}

/* What begins like one of a version; the rest of it is for its reader to judge. */
static bool is_hep(struct slice b)
{
    if (slice_starts(b, SLICE(SOURCE_HEP_MAGIC)))
        return b.n >= SOURCE_HEP_HEAD;
    return b.n > 8 && (b.p[0] == 1 || b.p[0] == 2) && (uint8_t)b.p[1] < b.n &&
           (b.p[2] == 2 || b.p[2] == 10 || b.p[2] == 28 || b.p[2] == 30);
}

static bool is_wanted(struct source *s, struct slice message)
{
    const struct hep_in *h = s->state;
    bool hep = is_hep(message), wanted = hep && has_key(h, message);
    s->stats.hep_rubbish += !hep;
    s->stats.hep_refused += hep && !wanted;
    return wanted;
}

static void fill_frame(struct source *s, struct slice bytes, const struct endpoint *peer,
                       struct source_frame *frame)
{
    struct hep_in *h = s->state;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    h->message = (struct source_message){
        .ip_protocol = h->address.tcp ? 6 : 17, .src = *peer, .dst = h->here};
    *frame = (struct source_frame){
        .bytes = bytes,
        .length = (uint32_t)bytes.n,
        .link_type = -1,
        .time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
        .offset = SOURCE_NO_OFFSET,
        .message = &h->message,
    };
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* IPv4 that came to a socket of IPv6 is IPv4. */
static struct endpoint endpoint_of(const struct sockaddr_storage *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct endpoint e = {0};
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)a;
        e.ip = address_of(4, (const uint8_t *)&four->sin_addr);
        e.port = be16toh(four->sin_port);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)a;
        const uint8_t *bytes = (const uint8_t *)&six->sin6_addr;
        bool is_four = memcmp(bytes, mapped, sizeof mapped) == 0;
        e.ip = is_four ? address_of(4, bytes + sizeof mapped) : address_of(6, bytes);
        e.port = be16toh(six->sin6_port);
    }
    return e;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static enum source_result next_datagram(struct source *s, struct source_frame *frame)
{
    struct hep_in *h = s->state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(h->fd, h->datagram, SOURCE_HEP_TCP_MAX, MSG_DONTWAIT,
                             (struct sockaddr *)(void *)&from, &size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SOURCE_WAIT;
        s->in.read += (uint64_t)n;
        struct slice message = {h->datagram, (size_t)n};
        if (!is_wanted(s, message))
            continue;
        struct endpoint peer = endpoint_of(&from);
        fill_frame(s, message, &peer, frame);
        return SOURCE_FRAME;
    }
    return SOURCE_WAIT;
}

/* ---- connections ----------------------------------------------------------------------------- */

/* Never that whose bytes are handed out: this is done while none is. */
static void drop(struct hep_in *h, size_t i)
{
    struct connection *c = h->connections.items[i];
    close(c->fd);
    free(c->bytes);
    free(c);
    h->connections.n--;
    memmove(h->connections.items + i, h->connections.items + i + 1,
            (h->connections.n - i) * sizeof *h->connections.items);
    h->turn -= h->turn > i;
}

/* Whoever has shown no key goes first, then who has been silent for longest. */
static void make_room(struct source *s)
{
    struct hep_in *h = s->state;
    size_t worst = 0;
    for (size_t i = 1; i < h->connections.n; i++) {
        const struct connection *a = h->connections.items[i], *b = h->connections.items[worst];
        if (a->trusted != b->trusted ? !a->trusted : a->heard_ms < b->heard_ms)
            worst = i;
    }
    if (h->connections.n < SOURCE_HEP_CONNECTIONS)
        return;
    drop(h, worst);
    s->stats.hep_dropped++;
}

static void accept_all(struct source *s)
{
    struct hep_in *h = s->state;
    for (unsigned i = 0; i < SOURCE_HEP_CONNECTIONS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        int fd =
            accept4(h->fd, (struct sockaddr *)(void *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        make_room(s);
        struct connection *c = base_alloc(sizeof *c);
        *c = (struct connection){
            .fd = fd, .peer = endpoint_of(&from), .heard_ms = source_clock_ms()};
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
        *vec_add(&h->connections) = c;
        (void)epoll_ctl(h->poll, EPOLL_CTL_ADD, fd, &e); /* else it stands still, and is dropped */
    }
}

/* True: something can be read. */
static bool look_for_events(struct source *s)
{
    struct hep_in *h = s->state;
    struct epoll_event events[EVENTS];
    bool listener = false;
    int n = epoll_wait(h->poll, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (c)
            c->ready = true;
        else
            listener = true;
    }
    if (listener) /* last, for it may drop some of those */
        accept_all(s);
    return n > 0;
}

/* False: it is at its end. */
static bool read_more(struct source *s, struct connection *c)
{
    if (c->at) {
        memmove(c->bytes, c->bytes + c->at, c->end - c->at);
        c->end -= c->at;
        c->at = 0;
    }
    if (c->end == c->cap) {
        c->cap = c->cap ? 2 * c->cap : FIRST_BYTES;
        c->bytes = base_realloc(c->bytes, c->cap);
    }
    ssize_t n = recv(c->fd, c->bytes + c->end, c->cap - c->end, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        c->ready = errno == EINTR;
        return true;
    }
    if (n <= 0)
        return false;
    c->end += (size_t)n;
    c->heard_ms = source_clock_ms();
    s->in.read += (uint64_t)n;
    return true;
}

enum taken { TAKEN, TAKEN_NONE, TAKEN_END };

/* The next message of a connection that is wanted.  One that sends anything else than HEP of
 * version 3, which has a length, can't be read on. */
static enum taken take_message(struct source *s, struct connection *c, struct slice *message)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct slice have = {c->bytes + c->at, c->end - c->at};
        const uint8_t *b = (const uint8_t *)have.p;
        size_t magic = have.n < SOURCE_HEP_HEAD - 2 ? have.n : SOURCE_HEP_HEAD - 2;
        size_t n = have.n < SOURCE_HEP_HEAD ? 0 : (size_t)(b[4] << 8 | b[5]);
        if ((magic && memcmp(b, SOURCE_HEP_MAGIC, magic) != 0) ||
            (have.n >= SOURCE_HEP_HEAD && n < SOURCE_HEP_HEAD)) {
            s->stats.hep_rubbish++;
            return TAKEN_END;
        }
        if (n && have.n >= n) {
            *message = slice_first(have, n);
            if (is_wanted(s, *message)) {
                c->trusted = true;
                return TAKEN;
            }
            c->at += n;
        } else if (!c->ready) {
            return TAKEN_NONE;
        } else if (!read_more(s, c)) {
            s->stats.hep_cut += c->end > c->at;
            return TAKEN_END;
        }
    }
    return TAKEN_NONE;
}

/* One message of each connection in turn. */
static enum source_result next_of_connections(struct source *s, struct source_frame *frame)
{
    struct hep_in *h = s->state;
    for (size_t left = h->connections.n; left > 0; left--) {
        if (h->turn >= h->connections.n)
            h->turn = 0;
        struct connection *c = h->connections.items[h->turn];
        struct slice message;
        enum taken taken = take_message(s, c, &message);
        if (taken == TAKEN_END) {
            drop(h, h->turn);
            continue;
        }
        h->turn++;
        if (taken == TAKEN_NONE)
            continue;
        h->taken = c;
        h->taken_n = message.n;
        fill_frame(s, message, &c->peer, frame);
        return SOURCE_FRAME;
    }
    return SOURCE_WAIT;
}

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    struct hep_in *h = s->state;
    (void)err;
    if (!h->address.tcp)
        return next_datagram(s, frame);
    if (h->taken)
        h->taken->at += h->taken_n;
    h->taken = NULL;
    enum source_result result = next_of_connections(s, frame);
    for (unsigned i = 0; i < ROUNDS && result == SOURCE_WAIT && look_for_events(s); i++)
        result = next_of_connections(s, frame);
    return result;
}

/* ---- beside ---------------------------------------------------------------------------------- */

static void count(struct source *s)
{
    const struct hep_in *h = s->state;
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t size = sizeof memory;
    if (!h->address.tcp && getsockopt(h->fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0 &&
        size > SK_MEMINFO_DROPS * sizeof *memory)
        s->stats.kernel_dropped +=
            (uint32_t)(memory[SK_MEMINFO_DROPS] - (uint32_t)s->stats.kernel_dropped);
}

/* Half a message that does not go on, or nothing at all from one without the key. */
static void drop_stuck(struct source *s)
{
    struct hep_in *h = s->state;
    int64_t now = source_clock_ms();
    if (now < h->look_at)
        return;
    h->look_at = now + LOOK_MS;
    for (size_t i = h->connections.n; i-- > 0;) {
        const struct connection *c = h->connections.items[i];
        bool owes = c->end > c->at || !c->trusted;
        if (!owes || now - c->heard_ms < (int64_t)SOURCE_HEP_STUCK_S * 1000)
            continue;
        drop(h, i);
        s->stats.hep_dropped++;
    }
}

static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    (void)err;
    count(s);
    drop_stuck(s);
    return result == SOURCE_WAIT && s->stopping ? SOURCE_END : result;
}

static int descriptor(const struct source *s)
{
    const struct hep_in *h = s->state;
    return h->address.tcp ? h->poll : h->fd;
}

static void close_hep(struct source *s)
{
    struct hep_in *h = s->state;
    while (h->connections.n)
        drop(h, h->connections.n - 1);
    vec_free(&h->connections);
    if (h->fd >= 0)
        close(h->fd);
    if (h->poll >= 0)
        close(h->poll);
    free(h->datagram);
    free(h);
}

static const struct source_format format = {
    .name = "hep",
    .next = next,
    .close = close_hep,
};

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .count = count,
    .patience_ms = PATIENCE_MS,
};

/* ---- opening --------------------------------------------------------------------------------- */

static void grow_buffer(int fd)
{
    int bytes = RECEIVE_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static bool fail(const struct source *s, int why, struct err *err)
{
    const struct hep_in *h = s->state;
    bool right = why == EACCES || why == EPERM;
    return err_set(err, "%s: cannot listen: %s%s", s->label, strerror(why),
                   right && endpoint_of(&h->address.address).port < IPPORT_RESERVED
                       ? " (for a port below 1024 CAP_NET_BIND_SERVICE is needed: take another, as "
                         "9060, or run as root)"
                       : "");
}

static bool begin(struct source *s, struct err *err)
{
    struct hep_in *h = s->state;
    const struct sockaddr *at = (const struct sockaddr *)(const void *)&h->address.address;
    bool tcp = h->address.tcp;
    int one = 1;
    h->fd =
        socket(at->sa_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = h->fd >= 0 &&
              (!tcp || setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0) &&
              bind(h->fd, at, h->address.size) == 0;
    if (!tcp) {
        grow_buffer(h->fd);
        h->datagram = base_alloc(SOURCE_HEP_TCP_MAX);
    } else if (ok) {
        struct epoll_event e = {.events = EPOLLIN};
        h->poll = epoll_create1(EPOLL_CLOEXEC);
        ok = listen(h->fd, SOMAXCONN) == 0 && h->poll >= 0 &&
             epoll_ctl(h->poll, EPOLL_CTL_ADD, h->fd, &e) == 0;
    }
    return ok || fail(s, errno, err);
}

struct source *source_hep_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err)
{
    struct source *s = source_new(name, path);
    struct hep_in *h = s->state = base_alloc(sizeof *h);
    h->fd = h->poll = -1;
    h->key_n = strlen(options->hep_key);
    memcpy(h->key, options->hep_key, h->key_n);
    s->format = &format;
    s->origin = &origin;
    s->opened = true;
    s->stats.live = true;
    if (!source_hep_address_read(&h->address, path, rest, true, err) || !begin(s, err)) {
        source_close(s);
        return NULL;
    }
    s->stats.counted = !h->address.tcp;
    h->here = endpoint_of(&h->address.address);
    return s;
}

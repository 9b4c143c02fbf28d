/* Serves one page over HTTP/1.1 (RFC 9112), a request on each connection. */
#include "cmd/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 64

struct client {
    int fd; /* -1: free */
    int64_t end_by;
    size_t got;
    struct text answer; /* once the request is there */
    size_t sent;
    char request[METRICS_REQUEST_MAX];
};

struct metrics_server {
    int listener, wake;
    bool started;
    pthread_t thread;
    pthread_mutex_t lock; /* of the page */
    struct text page;
    struct client clients[METRICS_CLIENTS_MAX];
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void answer(struct client *c, const char *status, const char *type, struct slice body,
                   bool head)
{
    text_printf(&c->answer,
                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n",
                status, type, body.n);
    if (!head)
        text_add(&c->answer, body);
}

static void answer_words(struct client *c, const char *status)
{
    answer(c, status, "text/plain; charset=utf-8", slice_of(status), false);
    text_add_char(&c->answer, '\n'); /* beyond the length: nobody reads it */
    c->answer.n--;
}

static void answer_page(struct metrics_server *s, struct client *c, bool head)
{
    pthread_mutex_lock(&s->lock);
    answer(c, "200 OK", "text/plain; version=0.0.4; charset=utf-8", text_slice(&s->page), head);
    pthread_mutex_unlock(&s->lock);
}

static struct slice word(struct slice *line)
{
    struct slice one = slice_first(*line, slice_find(*line, ' '));
    *line = slice_from(*line, one.n + 1);
    return one;
}

static void heed(struct metrics_server *s, struct client *c, struct slice line)
{
    struct slice method = word(&line), target = word(&line);
    bool head = slice_is(method, "HEAD");
    target = slice_first(target, slice_find(target, '?'));
    if (!slice_starts(line, SLICE("HTTP/1.")))
        answer_words(c, "400 Bad Request");
    else if (!head && !slice_is(method, "GET"))
        answer_words(c, "405 Method Not Allowed");
    else if (slice_is(target, "/metrics"))
        answer_page(s, c, head);
    else
        answer_words(c, "404 Not Found");
}

static bool is_whole(struct slice r)
{
    for (; r.n; r = slice_from(r, slice_find(r, '\n') + 1))
        if (slice_starts(slice_from(r, slice_find(r, '\n') + 1), SLICE("\r\n")) ||
            slice_starts(slice_from(r, slice_find(r, '\n') + 1), SLICE("\n")))
            return true;
    return false;
}

/* ---- clients --------------------------------------------------------------------------------- */

static void let_go(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    text_free(&c->answer);
}

static void read_request(struct metrics_server *s, struct client *c)
{
    ssize_t n = recv(c->fd, c->request + c->got, sizeof c->request - c->got, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            let_go(c);
        return;
    }
    c->got += (size_t)n;
    struct slice request = {c->request, c->got};
    if (is_whole(request))
        heed(s, c, slice_trim(slice_first(request, slice_find(request, '\n'))));
    else if (c->got == sizeof c->request)
        answer_words(c, "431 Request Header Fields Too Large");
}

static void send_answer(struct client *c)
{
    ssize_t n =
        send(c->fd, c->answer.p + c->sent, c->answer.n - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        c->sent += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || c->sent == c->answer.n) {
        shutdown(c->fd, SHUT_WR);
        let_go(c);
    }
}

static struct client *place(struct metrics_server *s)
{
    struct client *oldest = &s->clients[0];
    for (size_t i = 0; i < METRICS_CLIENTS_MAX; i++) {
        struct client *c = &s->clients[i];
        if (c->fd < 0)
            return c;
        if (c->end_by < oldest->end_by)
            oldest = c;
    }
    let_go(oldest);
    return oldest;
}

static void welcome(struct metrics_server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct client *c = place(s);
    c->fd = fd;
    c->end_by = now_ms() + METRICS_CLIENT_MS;
    c->got = c->sent = 0;
}

static void attend(struct metrics_server *s, struct client *c, short events)
{
    if (c->fd < 0)
        return;
    if (now_ms() >= c->end_by) {
        let_go(c);
        return;
    }
    if (!events)
        return;
    if (!c->answer.n)
        read_request(s, c);
    if (c->fd >= 0 && c->answer.n)
        send_answer(c);
}

static int list_waits(const struct metrics_server *s, struct pollfd *list)
{
    int wait = -1;
    list[0] = (struct pollfd){.fd = s->wake, .events = POLLIN};
    list[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
    for (size_t i = 0; i < METRICS_CLIENTS_MAX; i++) {
        const struct client *c = &s->clients[i];
        list[2 + i] = (struct pollfd){.fd = c->fd, .events = c->answer.n ? POLLOUT : POLLIN};
        if (c->fd >= 0)
            wait = 200; /* for their time to be over */
    }
    return wait;
}

static void *serve(void *context)
{
    struct metrics_server *s = context;
    struct pollfd list[2 + METRICS_CLIENTS_MAX];
    for (;;) {
        int wait = list_waits(s, list);
        if (poll(list, 2 + METRICS_CLIENTS_MAX, wait) < 0 && errno != EINTR)
            return NULL;
        if (list[0].revents)
            return NULL;
        for (size_t i = 0; i < METRICS_CLIENTS_MAX; i++)
            attend(s, &s->clients[i], list[2 + i].revents);
        if (list[1].revents)
            welcome(s);
    }
}

/* ---- opening --------------------------------------------------------------------------------- */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t set_v4(union any_address *a, const char *ip, uint16_t port)
{
    a->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, ip, &a->v4.sin_addr) == 1 ? sizeof a->v4 : 0;
}

static socklen_t set_v6(union any_address *a, const char *ip, uint16_t port)
{
    a->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    return inet_pton(AF_INET6, ip, &a->v6.sin6_addr) == 1 ? sizeof a->v6 : 0;
}

/* "9107", ":9107", "ADDR:9107", "[ADDR6]:9107"; 0: none of these */
static socklen_t read_address(union any_address *a, struct slice where)
{
    size_t colon = where.n;
    char ip[64] = "127.0.0.1";
    uint32_t port;
    while (colon > 0 && where.p[colon - 1] != ':')
        colon--;
    struct slice host = slice_first(where, colon ? colon - 1 : 0);
    if (!slice_to_u32(slice_from(where, colon), &port) || port < 1 || port > UINT16_MAX ||
        host.n >= sizeof ip)
        return 0;
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed)
        host = (struct slice){host.p + 1, host.n - 2};
    if (host.n && !slice_is(host, "localhost")) {
        memcpy(ip, host.p, host.n);
        ip[host.n] = '\0';
    }
    return bracketed ? set_v6(a, ip, (uint16_t)port) : set_v4(a, ip, (uint16_t)port);
}

static bool listen_at(struct metrics_server *s, const union any_address *a, socklen_t n)
{
    int on = 1;
    s->listener = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    s->wake = eventfd(0, EFD_CLOEXEC);
    return s->listener >= 0 && s->wake >= 0 &&
           setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(s->listener, &a->any, n) == 0 && listen(s->listener, BACKLOG) == 0;
}

bool metrics_server_listen(struct metrics_server **out, const char *where, struct err *err)
{
    union any_address a;
    socklen_t n = read_address(&a, slice_of(where));
    if (!n)
        return err_set(err, "--metrics %s: it is [ADDR:]PORT, as in 9107 or 10.0.0.1:9107", where);
    struct metrics_server *s = *out = base_alloc(sizeof *s);
    s->listener = s->wake = -1;
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < METRICS_CLIENTS_MAX; i++)
        s->clients[i].fd = -1;
    return listen_at(s, &a, n) || err_set(err, "--metrics %s: %s", where, strerror(errno));
}

/* Signals are for the thread that captures. */
bool metrics_server_start(struct metrics_server *s, struct err *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    s->started = pthread_create(&s->thread, NULL, serve, s) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return s->started || err_set(err, "--metrics: no thread to serve them");
}

void metrics_server_publish(struct metrics_server *s, struct text *page)
{
    pthread_mutex_lock(&s->lock);
    struct text old = s->page;
    s->page = *page;
    pthread_mutex_unlock(&s->lock);
    text_free(&old);
    *page = (struct text){0};
}

void metrics_server_end(struct metrics_server *s)
{
    if (!s)
        return;
    if (s->started) {
        const uint64_t one = 1;
        (void)!write(s->wake, &one, sizeof one);
        pthread_join(s->thread, NULL);
    }
    for (size_t i = 0; i < METRICS_CLIENTS_MAX; i++)
        let_go(&s->clients[i]);
    if (s->listener >= 0)
        close(s->listener);
    if (s->wake >= 0)
        close(s->wake);
    pthread_mutex_destroy(&s->lock);
    text_free(&s->page);
    free(s);
}

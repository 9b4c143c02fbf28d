/* The keeper of commands: a process between this program and them.  It starts each in a process
 * group of its own, tells how it ended, and ends all processes of it when it is told to, or when
 * this program is gone, however that ended.  It can do so even after this program gave up the
 * rights that the commands run with. */
#include "source/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/internal.h"
#include "source/keep.h"

bool source_keeper_open(struct source_keeper *k, const struct source_plan *plans, size_t n,
                        struct err *err)
{
    int control[2] = {-1, -1};
    *k = (struct source_keeper){.control = -1};
    bool ok = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) == 0 &&
              (k->pid = fork()) >= 0;
    if (ok && k->pid == 0)
        source_keep(plans, n, control[1]);
    if (!ok)
        err_set(err, "cannot start it: %s", strerror(errno));
    if (control[1] >= 0)
        close(control[1]);
    k->control = control[0];
    if (!ok && control[0] >= 0)
        close(control[0]);
    return ok;
}

/* False: there is no room now, and there is once the keeper's news were read. */
static bool send_one(const struct source_keeper *k, const struct source_request *r)
{
    ssize_t n;
    do
        n = send(k->control, r, sizeof *r, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0 || errno != EAGAIN; /* where the keeper is gone, its end is read instead */
}

static void send_waiting(struct source_keeper *k)
{
    while (k->sent < k->waiting.n && send_one(k, k->waiting.items[k->sent]))
        free(k->waiting.items[k->sent++]);
    if (k->sent == k->waiting.n) {
        k->sent = 0;
        vec_clear(&k->waiting);
    }
}

static void request(struct source_keeper *k, const struct source_request *r)
{
    send_waiting(k);
    if (k->waiting.n == 0 && send_one(k, r))
        return;
    struct source_request *copy = base_alloc(sizeof *copy);
    *copy = *r;
    *vec_add(&k->waiting) = copy;
}

uint32_t source_keeper_start(struct source_keeper *k, unsigned plan, const struct slice *words,
                             size_t n)
{
    struct source_request r = {.job = ++k->jobs, .plan = plan, .start = true, .words = (uint32_t)n};
    for (size_t i = 0; i < n && i < SOURCE_KEEPER_WORDS; i++) {
        struct slice word = slice_first(words[i], SOURCE_KEEPER_WORD + 1);
        memcpy(r.word[i], word.p, word.n);
    }
    request(k, &r);
    return r.job;
}

void source_keeper_stop(struct source_keeper *k, uint32_t job)
{
    request(k, &(struct source_request){.job = job});
}

void source_keeper_stop_all(struct source_keeper *k)
{
    shutdown(k->control, SHUT_WR);
}

static void take_descriptors(struct msghdr *m, struct source_keeper_news *news)
{
    int fds[2];
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof fds)) {
            memcpy(fds, CMSG_DATA(c), sizeof fds);
            news->output = fds[0];
            news->errors = fds[1];
        }
}

bool source_keeper_next(struct source_keeper *k, bool wait, struct source_keeper_news *news)
{
    union source_rights rights;
    struct source_told told;
    struct iovec part = {&told, sizeof told};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = rights.bytes,
                       .msg_controllen = sizeof rights.bytes};
    if (k->gone)
        return false;
    send_waiting(k);
    ssize_t n;
    do
        n = recvmsg(k->control, &m, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    k->gone = n == 0 || (n < 0 && errno != EAGAIN);
    if (n != (ssize_t)sizeof told)
        return false;
    *news = (struct source_keeper_news){told.job, told.event, told.status, -1, -1};
    take_descriptors(&m, news);
    send_waiting(k); /* there is room again, perhaps for the last time that news tell of it */
    return true;
}

/* The keeper ends once it could tell all that it has to. */
static void hear_out(struct source_keeper *k)
{
    struct source_keeper_news news;
    while (!k->gone)
        if (source_keeper_next(k, true, &news) && news.output >= 0) {
            close(news.output);
            close(news.errors);
        }
}

void source_keeper_end(struct source_keeper *k)
{
    if (k->control < 0)
        return;
    bool killed = k->gone;
    source_keeper_stop_all(k);
    hear_out(k);
    k->gone = killed; /* that it goes now is as it should be */
    while (k->sent < k->waiting.n)
        free(k->waiting.items[k->sent++]);
    vec_free(&k->waiting);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(k->control);
    k->control = -1;
}

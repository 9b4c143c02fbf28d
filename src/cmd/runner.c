/* The commands of --exec: a process made before any right is given up starts them, so many at a
 * time, each for so long.  What is known of a call stands in their environment and on their
 * standard input; no shell ever reads it as its own words. */
#include "cmd/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL 3
#define KILL_MS 2000 /* from SIGTERM to SIGKILL */
#define STEP_MS 100  /* between two looks at the time, while some command runs */

extern char **environ;

/* ---- in the process that starts them ----------------------------------------------------------
 */

struct request {
    char *environment; /* NAME=VALUE, each with its NUL */
    size_t n;
    int input;
};

struct job {
    pid_t pid; /* 0: free */
    int64_t end_by;
    bool asked; /* to end, for its time was over */
};

struct starter {
    const char *command;
    int64_t limit_ms;
    VEC(struct request) queue; /* the oldest first */
    struct job jobs[CMD_RUNNER_AT_ONCE];
    size_t running;
    bool over; /* no more is asked for: */
    int64_t end_by;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell(enum cmd_runner_event event, int status)
{
    const struct cmd_runner_news news = {event, status};
    (void)send(CONTROL, &news, sizeof news, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Its standard output is our standard error: what we print is for another reader. */
static void become_command(const struct starter *s, const struct request *r)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    static const int defaults[] = {SIGPIPE, SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        signal(defaults[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(r->input, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    close_range(CONTROL, ~0u, 0);
    for (size_t at = 0; at < r->n; at += strlen(r->environment + at) + 1)
        putenv(r->environment + at);
    execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
    _exit(127);
}

static void request_free(struct request *r)
{
    free(r->environment);
    close(r->input);
}

static void start(struct starter *s, struct job *job)
{
    struct request r = s->queue.items[0];
    memmove(s->queue.items, s->queue.items + 1, --s->queue.n * sizeof r);
    pid_t pid = fork();
    if (pid == 0)
        become_command(s, &r);
    request_free(&r);
    if (pid < 0) {
        tell(CMD_RUNNER_FAILED, 127 << 8);
        return;
    }
    setpgid(pid, pid);
    *job = (struct job){.pid = pid, .end_by = now_ms() + s->limit_ms};
    s->running++;
    tell(CMD_RUNNER_STARTED, 0);
}

static void start_what_fits(struct starter *s)
{
    for (size_t i = 0; i < CMD_RUNNER_AT_ONCE && s->queue.n; i++)
        if (!s->jobs[i].pid)
            start(s, &s->jobs[i]);
}

static void reap(struct starter *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < CMD_RUNNER_AT_ONCE; i++) {
            struct job *job = &s->jobs[i];
            if (job->pid != pid)
                continue;
            tell(job->asked ? CMD_RUNNER_TIMED_OUT
                 : status   ? CMD_RUNNER_FAILED
                            : CMD_RUNNER_DONE,
                 status);
            job->pid = 0;
            s->running--;
        }
}

static void heed_time(struct starter *s)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < CMD_RUNNER_AT_ONCE; i++) {
        struct job *job = &s->jobs[i];
        if (!job->pid || (now < job->end_by && !(s->over && now >= s->end_by)))
            continue;
        kill(-job->pid, job->asked ? SIGKILL : SIGTERM);
        job->end_by = now + KILL_MS;
        job->asked = true;
    }
    if (!s->over || now < s->end_by)
        return;
    s->end_by = now + KILL_MS;
    for (size_t i = 0; i < s->queue.n; i++) {
        tell(CMD_RUNNER_LOST, 0);
        request_free(&s->queue.items[i]);
    }
    s->queue.n = 0;
}

static int descriptor_of(struct msghdr *m)
{
    int fd = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* False: whom we work for has ended, or ended its wishes. */
static bool receive(struct starter *s)
{
    static char bytes[CMD_RUNNER_BYTES];
    char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(CONTROL, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    int input = n ? descriptor_of(&m) : -1;
    if (n == 0 || input < 0)
        return n != 0;
    if (s->queue.n >= CMD_RUNNER_QUEUE) {
        tell(CMD_RUNNER_LOST, 0);
        close(input);
        return true;
    }
    struct request *r = vec_add(&s->queue);
    *r = (struct request){base_alloc((size_t)n), (size_t)n, input};
    memcpy(r->environment, bytes, (size_t)n);
    return true;
}

static void wake(int number)
{
    (void)number;
}

static void serve(struct starter *s)
{
    sigset_t none;
    sigemptyset(&none);
    while (!s->over || s->running || s->queue.n) {
        struct pollfd p = {.fd = s->over ? -1 : CONTROL, .events = POLLIN};
        const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
        bool idle = !s->over && !s->running;
        if (ppoll(&p, 1, idle ? NULL : &step, &none) > 0 && !receive(s)) {
            s->over = true;
            s->end_by = now_ms() + s->limit_ms;
        }
        reap(s);
        heed_time(s);
        start_what_fits(s);
    }
}

static void become_starter(const char *command, uint32_t seconds, int control)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct starter s = {.command = command, .limit_ms = (int64_t)seconds * 1000};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGCHLD, wake);
    setsid();
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    dup2(control, CONTROL);
    close_range(CONTROL + 1, ~0u, 0);
    serve(&s);
    _exit(0);
}

/* ---- in this program ------------------------------------------------------------------------- */

bool cmd_runner_start(struct cmd_runner *r, const char *command, uint32_t seconds, struct err *err)
{
    int control[2];
    *r = (struct cmd_runner){.control = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
        return err_set(err, "--exec: %s", strerror(errno));
    r->pid = fork();
    if (r->pid == 0)
        become_starter(command, seconds, control[1]);
    close(control[1]);
    r->control = control[0];
    if (r->pid > 0)
        return true;
    close(control[0]);
    r->control = -1;
    return err_set(err, "--exec: cannot start it: %s", strerror(errno));
}

static int file_of(struct slice bytes)
{
    int fd = memfd_create("sipxray", MFD_CLOEXEC);
    if (fd >= 0 && !file_write(fd, bytes)) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

void cmd_runner_run(struct cmd_runner *r, struct slice environment, struct slice input)
{
    char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
    struct iovec part = {(char *)(uintptr_t)environment.p, environment.n};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = file_of(input);
    *c = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (fd < 0 || environment.n > CMD_RUNNER_BYTES ||
        sendmsg(r->control, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        r->counts[CMD_RUNNER_LOST]++;
    if (fd >= 0)
        close(fd);
}

void cmd_runner_look(struct cmd_runner *r)
{
    struct cmd_runner_news news;
    while (r->control >= 0 && recv(r->control, &news, sizeof news, MSG_DONTWAIT) == sizeof news) {
        r->counts[news.event]++;
        if (news.event == CMD_RUNNER_FAILED && r->counts[news.event] == 1)
            cmd_complain("--exec: the command ended with %s %d",
                         WIFEXITED(news.status) ? "status" : "signal",
                         WIFEXITED(news.status) ? WEXITSTATUS(news.status) : WTERMSIG(news.status));
        if (news.event == CMD_RUNNER_TIMED_OUT && r->counts[news.event] == 1)
            cmd_complain("--exec: the command was ended, for its time was over");
    }
}

/* What runs may end, as long as it has time. */
void cmd_runner_end(struct cmd_runner *r)
{
    if (r->control < 0)
        return;
    shutdown(r->control, SHUT_WR);
    while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    cmd_runner_look(r);
    close(r->control);
    r->control = -1;
    if (r->counts[CMD_RUNNER_LOST])
        cmd_complain("--exec: not run, for too many failed at a time: %llu",
                     (unsigned long long)r->counts[CMD_RUNNER_LOST]);
}

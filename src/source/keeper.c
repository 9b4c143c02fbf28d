/* The keeper of a command: a process between this program and the command.  It starts the command
 * in a session of its own, tells how it ended, and ends all processes of it when it is told to, or
 * when this program is gone, however that ended.  It can do so even after this program gave up the
 * rights that the command runs with. */
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TERM_MS 1000 /* from SIGTERM to SIGKILL */
#define KILL_MS 1000 /* and from there to giving up, where it has rights that we do not have */
#define STEP_MS 10
#define CONTROL 3

/* ---- in the keeper --------------------------------------------------------------------------- */

static void close_from(int first)
{
    if (close_range((unsigned)first, ~0u, 0) == 0)
        return;
    for (int fd = first; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
        close(fd);
}

static void open_null(int fd, int flags)
{
    int null = open("/dev/null", flags);
    if (null >= 0 && null != fd) {
        dup2(null, fd);
        close(null);
    }
}

/* The command: what it inherits is no more than what a shell would give it. */
static void run_command(const char *command, int output, int errors)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the keeper, which nobody should end */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    open_null(STDIN_FILENO, O_RDONLY);
    close_from(STDERR_FILENO + 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void wake(int number)
{
    (void)number;
}

static int status_of(const siginfo_t *info)
{
    return info->si_code == CLD_EXITED ? info->si_status << 8 : info->si_status;
}

/* Tells the command's status, once.  It stays a zombie, so that its process group's number is
 * nobody else's until the group is ended.  Those that we adopted are reaped before. */
static bool tell_status(pid_t command)
{
    siginfo_t info;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
            return false;
        if (info.si_pid == command)
            break;
        waitpid(info.si_pid, NULL, WNOHANG);
    }
    int status = status_of(&info);
    return send(CONTROL, &status, sizeof status, MSG_NOSIGNAL) > 0;
}

/* Until the other side shuts or closes its end. */
static void watch(pid_t command)
{
    sigset_t waiting;
    struct pollfd p = {.fd = CONTROL, .events = POLLIN};
    bool told = false;
    sigemptyset(&waiting);
    do
        told = told || tell_status(command);
    while (ppoll(&p, 1, NULL, &waiting) <= 0);
}

/* All processes of the command's group are our children in the end, for we adopt those whose
 * parents are gone. */
static void end_group(pid_t group)
{
    struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    kill(-group, SIGTERM);
    for (unsigned ms = 0; ms < TERM_MS + KILL_MS; ms += STEP_MS) {
        pid_t ended;
        while ((ended = waitpid(-group, NULL, WNOHANG)) > 0)
            continue;
        if (ended < 0)
            return;
        if (ms == TERM_MS)
            kill(-group, SIGKILL);
        nanosleep(&step, NULL);
    }
}

static void keep(const char *command, int output, int errors, int control)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGCHLD, wake);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    pid_t child = fork();
    if (child == 0)
        run_command(command, output, errors);
    setpgid(child, child); /* whoever comes first: there is a group when we end it */
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    dup2(control, CONTROL);
    close_from(CONTROL + 1);
    open_null(STDIN_FILENO, O_RDONLY);
    open_null(STDOUT_FILENO, O_WRONLY);
    open_null(STDERR_FILENO, O_WRONLY);
    if (child > 0) {
        watch(child);
        end_group(child);
    }
    _exit(0);
}

/* ---- in this program ------------------------------------------------------------------------- */

bool source_keeper_start(struct source_keeper *k, const char *command, struct err *err)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1}, control[2] = {-1, -1};
    bool ok = pipe2(output, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0 &&
              socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) == 0 &&
              (k->pid = fork()) >= 0;
    if (ok && k->pid == 0)
        keep(command, output[1], errors[1], control[1]);
    if (!ok)
        err_set(err, "cannot start it: %s", strerror(errno));
    close(output[1]);
    close(errors[1]);
    close(control[1]);
    if (ok) {
        *k = (struct source_keeper){k->pid, output[0], errors[0], control[0]};
        return true;
    }
    close(output[0]);
    close(errors[0]);
    close(control[0]);
    return false;
}

void source_keeper_stop(struct source_keeper *k)
{
    shutdown(k->control, SHUT_WR);
}

bool source_keeper_status(struct source_keeper *k, int *status)
{
    return recv(k->control, status, sizeof *status, MSG_DONTWAIT) == (ssize_t)sizeof *status;
}

void source_keeper_end(struct source_keeper *k)
{
    if (k->control < 0)
        return;
    source_keeper_stop(k);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(k->control);
    k->control = -1;
}

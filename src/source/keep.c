/* The process that is the keeper (see keeper.h). */
#include "source/keep.h"
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MS   1500 /* from the closing of its input to SIGTERM */
#define TERM_MS    1000 /* from there to SIGKILL */
#define KILL_MS    1000 /* and from there to giving up, where it has rights that we do not have */
#define STEP_MS    10
#define CONTROL    3
#define FIRST_FREE (CONTROL + 1)

struct job {
    uint32_t id;
    pid_t group; /* its first process, which leads the group */
    int input;   /* -1: none is held */
    bool ended;  /* the first process has, */
    bool empty;  /* and all of the group */
    bool stopping, terminated, killed;
    int64_t next_ms; /* source_clock_ms of the next step in ending it */
};

struct keep {
    const struct source_plan *plans;
    size_t plan_count;
    VEC(struct job) jobs;
    bool over; /* the program has closed its end, or is gone */
};

/* ---- starting -------------------------------------------------------------------------------- */

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

static bool is_word(const char *word)
{
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && n <= SOURCE_KEEPER_WORD && word[n] == '\0' && word[0] != '-';
}

/* An argument with the request's words in their places. */
static char *fill_in(const char *argument, const struct source_plan *plan,
                     const struct source_request *r)
{
    struct text out = {0};
    for (; *argument; argument++)
        if (plan->words && *argument >= 1 && (size_t)*argument <= plan->words)
            text_add(&out, slice_of(r->word[*argument - 1]));
        else
            text_add_char(&out, *argument);
    text_add(&out, SLICE_NONE);
    return out.p ? out.p : base_alloc(1);
}

static bool is_sound(const struct keep *k, struct source_request *r)
{
    bool ok = r->plan < k->plan_count && r->words == k->plans[r->plan].words;
    for (size_t i = 0; ok && i < r->words; i++) {
        r->word[i][SOURCE_KEEPER_WORD + 1] = '\0';
        ok = is_word(r->word[i]);
    }
    return ok && k->jobs.n < SOURCE_KEEPER_JOBS;
}

/* The command: what it inherits is no more than what a shell would give it. */
static _Noreturn void run(const struct source_plan *plan, const struct source_request *r,
                          const int input[2], int output, int errors)
{
    sigset_t none;
    VEC(char *) argv = {0};
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the keeper, which nobody should end */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    if (input[0] >= 0)
        dup2(input[0], STDIN_FILENO);
    else
        open_null(STDIN_FILENO, O_RDONLY);
    close_from(STDERR_FILENO + 1);
    for (size_t i = 0; plan->argv[i]; i++)
        *vec_add(&argv) = fill_in(plan->argv[i], plan, r);
    *vec_add(&argv) = NULL;
    execvp(argv.items[0], argv.items);
    static const char why[] = ": cannot be run: ";
    (void)!write(STDERR_FILENO, argv.items[0], strlen(argv.items[0]));
    (void)!write(STDERR_FILENO, why, sizeof why - 1);
    (void)!write(STDERR_FILENO, strerror(errno), strlen(strerror(errno)));
    _exit(127);
}

static void tell(uint32_t job, enum source_keeper_event event, int status, const int *fds)
{
    struct source_told told = {job, event, status};
    struct iovec part = {&told, sizeof told};
    union source_rights rights = {0};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fds) {
        m.msg_control = rights.bytes;
        m.msg_controllen = sizeof rights.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(2 * sizeof *fds);
        memcpy(CMSG_DATA(c), fds, 2 * sizeof *fds);
    }
    while (sendmsg(CONTROL, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

static void close_pair(const int fds[2])
{
    for (size_t i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void start(struct keep *k, struct source_request *r)
{
    int input[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1};
    pid_t child = -1;
    bool sound = is_sound(k, r);
    if (sound && pipe2(output, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0 &&
        (!k->plans[r->plan].input || pipe2(input, O_CLOEXEC) == 0))
        child = fork();
    if (child == 0)
        run(&k->plans[r->plan], r, input, output[1], errors[1]);
    if (child < 0) {
        tell(r->job, SOURCE_JOB_FAILED, sound ? errno : EINVAL, NULL);
        close_pair(input);
    } else {
        setpgid(child, child); /* whoever comes first: there is a group when we end it */
        *vec_add(&k->jobs) = (struct job){.id = r->job, .group = child, .input = input[1]};
        if (input[0] >= 0)
            close(input[0]);
        tell(r->job, SOURCE_JOB_STARTED, 0, (const int[]){output[0], errors[0]});
    }
    close_pair(output);
    close_pair(errors);
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void stop(struct job *j)
{
    if (j->stopping)
        return;
    j->stopping = true;
    j->next_ms = source_clock_ms() + (j->input >= 0 && !j->ended ? INPUT_MS : 0);
    if (j->input >= 0)
        close(j->input);
    j->input = -1;
}

/* The group's number is nobody else's as long as there is a process in it, and we look before each
 * signal. */
static void step(struct job *j, int64_t now)
{
    if (j->ended && kill(-j->group, 0) != 0 && errno == ESRCH)
        j->empty = true;
    if (j->empty || !j->stopping || now < j->next_ms)
        return;
    if (j->killed) {
        j->empty = true; /* nothing helps */
    } else if (j->terminated) {
        kill(-j->group, SIGKILL);
        j->killed = true;
        j->next_ms = now + KILL_MS;
    } else {
        kill(-j->group, SIGTERM);
        j->terminated = true;
        j->next_ms = now + TERM_MS;
    }
}

static struct job *job_of(struct keep *k, uint32_t id, pid_t pid)
{
    for (size_t i = 0; i < k->jobs.n; i++)
        if (pid ? k->jobs.items[i].group == pid && !k->jobs.items[i].ended
                : k->jobs.items[i].id == id)
            return &k->jobs.items[i];
    return NULL;
}

/* We adopt those whose parents are gone, so that all processes of a group are reaped here. */
static void reap(struct keep *k)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct job *j = job_of(k, 0, pid);
        if (!j)
            continue;
        j->ended = true;
        tell(j->id, SOURCE_JOB_ENDED, status, NULL);
    }
}

/* True: some are being ended. */
static bool step_all(struct keep *k)
{
    int64_t now = source_clock_ms();
    bool busy = false;
    reap(k);
    for (size_t i = 0; i < k->jobs.n;) {
        struct job *j = &k->jobs.items[i];
        if (k->over)
            stop(j);
        step(j, now);
        if (j->empty) {
            if (j->input >= 0)
                close(j->input);
            *j = k->jobs.items[--k->jobs.n];
            continue;
        }
        busy |= j->stopping;
        i++;
    }
    return busy;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void take_request(struct keep *k)
{
    struct source_request r;
    ssize_t n = recv(CONTROL, &r, sizeof r, 0);
    if (n < 0 && errno == EINTR)
        return;
    if (n != (ssize_t)sizeof r) {
        k->over = true;
        return;
    }
    struct job *j = job_of(k, r.job, 0);
    if (r.start)
        start(k, &r);
    else if (j)
        stop(j);
}

static void watch(struct keep *k)
{
    sigset_t waiting;
    sigemptyset(&waiting);
    for (;;) {
        bool busy = step_all(k);
        if (k->over && k->jobs.n == 0)
            return;
        struct pollfd p = {.fd = k->over ? -1 : CONTROL, .events = POLLIN};
        const struct timespec pause = {.tv_nsec = STEP_MS * 1000000};
        if (ppoll(&p, 1, busy ? &pause : NULL, &waiting) > 0)
            take_request(k);
    }
}

static void wake(int number)
{
    (void)number;
}

void source_keep(const struct source_plan *plans, size_t n, int control)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct keep k = {.plans = plans, .plan_count = n};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGCHLD, wake);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    dup2(control, CONTROL);
    close_from(FIRST_FREE);
    open_null(STDIN_FILENO, O_RDONLY);
    open_null(STDOUT_FILENO, O_WRONLY);
    open_null(STDERR_FILENO, O_WRONLY);
    watch(&k);
    _exit(0);
}

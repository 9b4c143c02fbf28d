/* The output of a command as a capture (cmd:).  What it prints on standard error is kept, and shown
 * where it did not end well. */
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 3000 /* the keeper needs two seconds at most */
#define LINGER_MS   1000 /* from the end of its output to the command's own */
#define KEPT        4096 /* bytes of its standard error, the last ones */
#define SHOWN       600

struct command {
    struct source_keeper keeper;
    bool over;         /* its output has ended: */
    int64_t linger_by; /* source_clock_ms when it is ended, too */
    char errors[KEPT];
    size_t error_count;
    struct text remark;
};

static void keep_errors(struct command *c, const char *bytes, size_t n)
{
    size_t drop = c->error_count + n > KEPT ? c->error_count + n - KEPT : 0;
    memmove(c->errors, c->errors + drop, c->error_count - drop);
    c->error_count -= drop;
    memcpy(c->errors + c->error_count, bytes, n);
    c->error_count += n;
}

/* The command may wait for us to read this. */
static void drain_errors(struct command *c)
{
    char bytes[KEPT / 2];
    struct pollfd p = {.fd = c->keeper.errors, .events = POLLIN};
    ssize_t n;
    for (unsigned i = 0; i < 64 && poll(&p, 1, 0) > 0; i++) {
        if ((n = read(c->keeper.errors, bytes, sizeof bytes)) <= 0)
            return;
        keep_errors(c, bytes, (size_t)n);
    }
}

/* The last lines that were printed, in one. */
static void add_errors(const struct command *c, struct text *out)
{
    size_t from = c->error_count > SHOWN ? c->error_count - SHOWN : 0;
    struct slice rest = {c->errors + from, c->error_count - from};
    const char *between = from ? ": ..." : ": ";
    while (rest.n) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.n + 1);
        line = slice_trim(line);
        if (!line.n)
            continue;
        text_add(out, slice_of(between));
        text_add(out, line);
        between = "; ";
    }
}

static void word_status(struct command *c, int status)
{
    text_clear(&c->remark);
    if (WIFSIGNALED(status))
        text_printf(&c->remark, "the command was ended by signal %d (%s)", WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
    else
        text_printf(&c->remark, "the command ended with status %d", WEXITSTATUS(status));
    drain_errors(c);
    add_errors(c, &c->remark);
}

/* Nothing was read that is a capture: the command says why, where it says anything. */
static enum source_result fail(struct source *s, int status, struct err *err)
{
    struct command *c = s->origin_state;
    word_status(c, status);
    if (status || s->in.read == 0)
        err_set(err, "%s: no capture: %s", s->label, c->remark.p);
    return SOURCE_ERROR;
}

/* Its output has ended or is no capture.  How the command ends, which it should do now, tells more.
 */
static enum source_result finish(struct source *s, enum source_result result, struct err *err)
{
    struct command *c = s->origin_state;
    int status = 0;
    int64_t now = source_clock_ms();
    if (!c->over)
        c->linger_by = now + LINGER_MS;
    c->over = true;
    bool ended = source_keeper_status(&c->keeper, &status);
    if (!ended && now < c->linger_by && !s->stopping)
        return SOURCE_WAIT;
    source_keeper_end(&c->keeper);
    if (s->stopping)
        return SOURCE_END;
    if (result == SOURCE_ERROR)
        return fail(s, status, err);
    if (status) {
        word_status(c, status);
        s->stats.remark = c->remark.p;
    }
    return SOURCE_END;
}

static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    struct command *c = s->origin_state;
    drain_errors(c);
    if (result == SOURCE_WAIT)
        return SOURCE_WAIT;
    if (result == SOURCE_ERROR && s->opened)
        return SOURCE_ERROR; /* a capture that is corrupt, whatever the command says */
    return finish(s, result, err);
}

static int descriptor(const struct source *s)
{
    const struct command *c = s->origin_state;
    return c->over ? c->keeper.control : s->in.fd;
}

static void stop(struct source *s)
{
    struct command *c = s->origin_state;
    source_keeper_stop(&c->keeper);
}

static void close_command(struct source *s)
{
    struct command *c = s->origin_state;
    close(c->keeper.errors);
    source_keeper_end(&c->keeper);
    text_free(&c->remark);
    free(c);
}

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .stop = stop,
    .close = close_command,
    .patience_ms = PATIENCE_MS,
};

struct source *source_command_open(const char *name, const char *path, const char *rest,
                                   const struct source_options *options, struct err *err)
{
    struct source_keeper keeper;
    struct err why;
    (void)options;
    if (slice_trim(slice_of(rest)).n == 0) {
        err_set(err, "%s: a command is missing: cmd:COMMAND", path);
        return NULL;
    }
    if (!source_keeper_start(&keeper, rest, &why)) {
        err_set(err, "%s: %s", path, why.text);
        return NULL;
    }
    struct source *s = source_open_fd(name, path, keeper.output, err);
    struct command *c = s->origin_state = base_alloc(sizeof *c);
    c->keeper = keeper;
    s->origin = &origin;
    return s;
}

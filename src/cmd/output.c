/* Where reports go: standard output, or files that appear whole or not at all. */
#include "cmd/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

/* The reader of standard output went away: end as a program does that never heard of EPIPE. */
static void end_by_closed_pipe(void)
{
    cmd_signal_end(SIGPIPE);
    _exit(CMD_ERROR); /* where the signal is blocked */
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool fail_format(const struct cmd_command *c, struct slice name, struct err *err)
{
    const char *list = c->formats;
    char word[32] = "", candidate[32] = "", near[32] = "";
    size_t best = 3;
    if (name.n < sizeof word)
        memcpy(word, name.p, name.n);
    for (struct slice rest = slice_of(list); rest.n;) {
        struct slice one = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, one.n + 1);
        snprintf(candidate, sizeof candidate, "%.*s", SLICE_ARG(one));
        if (nearest_distance(word, candidate) < best) {
            best = nearest_distance(word, candidate);
            memcpy(near, candidate, sizeof near);
        }
    }
    return err_set(err, "%s has no format %.*s%s%s%s; it prints: %s", c->name, SLICE_ARG(name),
                   *near ? "; did you mean " : "", near, *near ? "?" : "", list);
}

/* "F" or "F:FILE" */
static bool read_format(struct cmd_output *o, const struct cmd_command *c, const char *spec,
                        struct err *err)
{
    struct slice name = slice_of(spec);
    name = slice_first(name, slice_find(name, ':'));
    if (!name.n || !cmd_has_word(c->formats, name))
        return fail_format(c, name, err);
    snprintf(o->format, sizeof o->format, "%.*s", SLICE_ARG(name));
    if (spec[name.n] == '\0')
        return true;
    o->path = spec + name.n + 1;
    if (*o->path == '\0')
        return err_set(err, "--format %s: a file name is missing after the colon", spec);
    if (strcmp(o->path, "-") == 0)
        o->path = NULL;
    return true;
}

static bool fail_file(struct cmd_output *o, struct err *err)
{
    return err_set(err, "%s: cannot write: %s", o->path ? o->path : "standard output",
                   strerror(errno));
}

/* A new file has the permissions that creat(2) would give; a replaced one keeps its own. */
static void set_mode(int fd, const struct stat *old)
{
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, old ? old->st_mode & 07777 : 0666 & ~mask);
}

static bool open_temporary(struct cmd_output *o, size_t index, const struct stat *old,
                           struct err *err)
{
    struct text name = {0};
    char *real = old ? realpath(o->path, NULL) : NULL; /* a link stays one */
    o->final = real ? real : strdup(o->path);
    if (!o->final)
        base_oom();
    text_printf(&name, "%s.XXXXXX", o->final);
    o->fd = mkostemp(name.p, O_CLOEXEC);
    if (o->fd < 0) {
        fail_file(o, err);
        text_free(&name);
        return false;
    }
    o->temporary = name.p;
    cmd_signal_temporary(index, o->temporary);
    set_mode(o->fd, old);
    return true;
}

static bool is_file(const char *path, const struct stat *st)
{
    struct stat other;
    return path && stat(path, &other) == 0 && other.st_dev == st->st_dev &&
           other.st_ino == st->st_ino;
}

static bool is_input(const struct cmd_arguments *a, const struct stat *st)
{
    const struct cmd_list *trunks = &a->values[CMD_OPT_TRUNK];
    bool found =
        is_file(cmd_value(a, CMD_OPT_VALUES), st) || is_file(cmd_value(a, CMD_OPT_BASELINE), st);
    for (size_t i = 0; i < trunks->n; i++)
        found |= is_file(trunks->items[i], st);
    for (size_t i = 0; i < a->operands.n; i++) {
        const char *word = a->operands.items[i], *equals = strchr(word, '=');
        found |= is_file(word, st) || (equals && is_file(equals + 1, st));
    }
    return found;
}

/* A device, a FIFO and the like can't be replaced, only written to. */
static bool open_file(struct cmd_output *o, size_t index, const struct cmd_arguments *a,
                      struct err *err)
{
    struct stat st;
    bool exists = stat(o->path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return err_set(err, "%s: cannot write: it is a directory", o->path);
    if (exists && S_ISREG(st.st_mode) && is_input(a, &st))
        return err_set(err, "%s: cannot write: it is read in this run", o->path);
    if (!exists || S_ISREG(st.st_mode))
        return open_temporary(o, index, exists ? &st : NULL, err);
    o->fd = open(o->path, O_WRONLY | O_CLOEXEC);
    return o->fd >= 0 || fail_file(o, err);
}

static bool open_output(struct cmd_outputs *all, const struct cmd_arguments *a, const char *spec,
                        struct err *err)
{
    if (all->n == CMD_OUTPUTS_MAX)
        return err_set(err, "--format is given more than %u times", CMD_OUTPUTS_MAX);
    struct cmd_output *o = &all->items[all->n];
    *o = (struct cmd_output){.fd = STDOUT_FILENO};
    if (!read_format(o, a->command, spec, err))
        return false;
    for (size_t i = 0; i < all->n; i++) {
        const char *other = all->items[i].path;
        if (!o->path && !other)
            return err_set(err,
                           "two formats for standard output; name a file for one: --format %s:FILE",
                           o->format);
        if (o->path && other && strcmp(o->path, other) == 0)
            return err_set(err, "two formats for one file: %s", o->path);
    }
    all->n++;
    return !o->path || open_file(o, all->n - 1, a, err);
}

bool cmd_outputs_open(struct cmd_outputs *all, const struct cmd_arguments *a, struct err *err)
{
    const struct cmd_list *asked = &a->values[CMD_OPT_FORMAT];
    struct slice usual = slice_of(a->command->formats);
    char first[16];
    *all = (struct cmd_outputs){0};
    snprintf(first, sizeof first, "%.*s", SLICE_ARG(slice_first(usual, slice_find(usual, ' '))));
    bool ok = asked->n > 0 || open_output(all, a, first, err);
    for (size_t i = 0; ok && i < asked->n; i++)
        ok = open_output(all, a, asked->items[i], err);
    if (!ok)
        cmd_outputs_close(all, false, NULL);
    return ok;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Does what is written here come to a terminal, if by way of a pipe? */
static bool may_be_seen(int fd)
{
    struct stat st;
    return isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
}

/* ---- slow readers ---------------------------------------------------------------------------- */

int cmd_patient(int fd)
{
    char path[32];
    struct stat st;
    bool slow = isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return slow ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) : -1;
}

static void make_patient(struct cmd_output *o)
{
    int fd = o->temporary ? -1 : cmd_patient(o->fd);
    if (fd < 0)
        return;
    o->fd = fd;
    o->patient = true;
}

void cmd_outputs_patient(struct cmd_outputs *all)
{
    for (size_t i = 0; i < all->n; i++)
        make_patient(&all->items[i]);
}

static void leave_out(struct cmd_output *o)
{
    if (o->text.n <= CMD_BEHIND_MAX)
        return;
    size_t keep = CMD_BEHIND_MAX;
    while (keep > 0 && o->text.p[keep - 1] != '\n')
        keep--;
    if (!o->left_out)
        cmd_complain("%s is too slow: lines are left out", o->path ? o->path : "standard output");
    for (size_t i = keep; i < o->text.n; i++)
        o->left_out += o->text.p[i] == '\n';
    o->text.n = keep;
}

/* As much as is taken now. */
static void flush_patiently(struct cmd_output *o)
{
    size_t done = 0;
    while (!o->error && done < o->text.n) {
        ssize_t n = write(o->fd, o->text.p + done, o->text.n - done);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0 && errno != EINTR)
            o->error = errno;
        done += n > 0 ? (size_t)n : 0;
    }
    if (done)
        memmove(o->text.p, o->text.p + done, o->text.n - done);
    o->text.n -= done;
    leave_out(o);
}

static void end_patiently(struct cmd_output *o)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};
    int waits = 0; /* since something was taken */
    while (o->text.n && !o->error && waits < CMD_BEHIND_MS / 100) {
        size_t before = o->text.n;
        (void)poll(&p, 1, 100);
        flush_patiently(o);
        waits = o->text.n < before ? 0 : waits + 1;
    }
    for (size_t i = 0; i < o->text.n; i++)
        o->left_out += o->text.p[i] == '\n';
    if (o->left_out)
        cmd_complain("lines left out, for %s did not take them: %llu",
                     o->path ? o->path : "standard output", (unsigned long long)o->left_out);
    if (o->error == EPIPE)
        end_by_closed_pipe();
    text_clear(&o->text);
}

static void flush(struct cmd_output *o)
{
    if (o->patient) {
        if (o->text.n && may_be_seen(o->fd))
            cmd_progress_clear();
        flush_patiently(o);
        if (o->error == EPIPE)
            end_by_closed_pipe();
        return;
    }
    if (!o->error && o->text.n) {
        if (!o->path && may_be_seen(o->fd))
            cmd_progress_clear();
        o->error = file_write(o->fd, text_slice(&o->text)) ? 0 : errno;
    }
    if (o->error == EPIPE)
        end_by_closed_pipe();
    text_clear(&o->text);
}

void cmd_output_wrote(struct cmd_output *o)
{
    if (o->text.n < (o->streaming || o->temporary ? CHUNK : CMD_HELD_MAX))
        return;
    o->streaming = true;
    flush(o);
}

/* What goes on does so without it. */
static void tell_failure(struct cmd_output *o)
{
    struct err err;
    if (!o->error || o->told)
        return;
    o->told = true;
    errno = o->error;
    fail_file(o, &err);
    cmd_complain("%s; the run goes on without it", err.text);
}

void cmd_outputs_show(struct cmd_outputs *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct cmd_output *o = &all->items[i];
        o->streaming = true;
        if (!o->temporary)
            flush(o);
        tell_failure(o);
    }
}

bool cmd_outputs_replace(const struct cmd_outputs *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].temporary)
            return true;
    return false;
}

static bool finish_file(struct cmd_output *o)
{
    bool ok = close(o->fd) == 0 && rename(o->temporary, o->final) == 0;
    if (ok)
        o->temporary[0] = '\0';
    return ok;
}

static bool close_output(struct cmd_output *o, size_t index, bool keep, struct err *err)
{
    bool ok = true;
    if (keep) {
        flush(o);
        if (o->patient)
            end_patiently(o);
        errno = o->error;
        ok = !o->error && (!o->temporary || finish_file(o));
        if (!ok)
            fail_file(o, err);
    }
    if (o->temporary && o->temporary[0])
        unlink(o->temporary);
    cmd_signal_temporary(index, NULL);
    free(o->temporary);
    free(o->final);
    text_free(&o->text);
    return ok;
}

/* After a failure no further one appears, but of one that was shown all along its end does. */
bool cmd_outputs_close(struct cmd_outputs *all, bool keep, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; i < all->n; i++) {
        struct cmd_output *o = &all->items[i];
        bool shown = o->streaming && !o->temporary;
        if (!close_output(o, i, keep && (ok || shown), err))
            ok = false;
    }
    all->n = 0;
    return ok;
}

bool cmd_print(struct text *text)
{
    struct err err;
    struct cmd_output o = {.fd = STDOUT_FILENO, .text = *text};
    *text = (struct text){0};
    bool ok = close_output(&o, 0, true, &err);
    if (!ok)
        cmd_complain("%s", err.text);
    return ok;
}

/* ---- the spool ------------------------------------------------------------------------------- */

void cmd_spool_open(struct cmd_spool *s)
{
    const char *folder = getenv("TMPDIR");
    struct text name = {0};
    text_printf(&name, "%s/sipxray.XXXXXX", folder && *folder ? folder : "/tmp");
    s->fd = mkostemp(name.p, O_CLOEXEC);
    if (s->fd < 0)
        s->error = errno;
    else
        unlink(name.p);
    text_free(&name);
}

void cmd_spool_wrote(struct cmd_spool *s)
{
    if (s->text.n < CMD_HELD_MAX || s->error)
        return;
    if (s->fd < 0)
        cmd_spool_open(s);
    if (!s->error)
        s->error = file_write(s->fd, text_slice(&s->text)) ? 0 : errno;
    text_clear(&s->text);
}

bool cmd_spool_copy(struct cmd_spool *s, struct cmd_output *o, struct err *err)
{
    char chunk[16384];
    ssize_t n = 0;
    if (!s->error && s->fd >= 0 && lseek(s->fd, 0, SEEK_SET) < 0)
        s->error = errno;
    while (!s->error && s->fd >= 0 && (n = read(s->fd, chunk, sizeof chunk)) > 0) {
        text_add(&o->text, (struct slice){chunk, (size_t)n});
        cmd_output_wrote(o);
    }
    if (n < 0)
        s->error = errno;
    if (s->error)
        return err_set(err, "cannot keep the report in a temporary file: %s", strerror(s->error));
    text_add(&o->text, text_slice(&s->text));
    cmd_output_wrote(o);
    return true;
}

void cmd_spool_free(struct cmd_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    text_free(&s->text);
}

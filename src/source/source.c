/* Opens a capture, finds its format in a table of probes, and hands out its frames. */
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD             512 /* bytes at the start of a file that probes and guesses see */
#define PIPE_PATIENCE_MS 300 /* when stopped: Ctrl-C makes the writer flush and end, too */

static const struct source_format *const formats[] = {
    &source_format_pcap,
    &source_format_pcapng,
};

/* Sources that are no capture files, by how their specification begins. */
static const struct source_scheme source_schemes[] = {
    {"iface:", source_live_open}, {"cmd:", source_command_open}, {"hep:", source_hep_open},
    {"k8s:", source_k8s_open},    {"log:", source_log_open},     {NULL, NULL},
};

static bool refuse(struct source *s, struct err *err)
{
    struct slice head = source_input_peek(&s->in, HEAD);
    const char *gzip = s->in.gzip ? "gzip of " : "";
    const char *guess = source_guess(head);
    if (s->in.failed)
        return err_set(err, "%s: %s", s->label, s->in.why);
    if (head.n == 0 && s->in.cut)
        return err_set(err, "%s: the gzip data is cut before the first byte of a capture",
                       s->label);
    if (head.n == 0 && s->in.gzip)
        return err_set(err, "%s: gzip of 0 bytes: empty", s->label);
    if (head.n == 0)
        return err_set(err, "%s: 0 bytes: empty file", s->label);
    if (guess)
        return err_set(err, "%s: not a pcap or pcapng capture: it looks like %s%s", s->label, gzip,
                       guess);
    if (head.n < 4)
        return err_set(err, "%s: not a pcap or pcapng capture: only %zu bytes", s->label, head.n);
    return err_set(
        err, "%s: not a pcap or pcapng capture: it starts with bytes %02x %02x %02x %02x", s->label,
        (uint8_t)head.p[0], (uint8_t)head.p[1], (uint8_t)head.p[2], (uint8_t)head.p[3]);
}

static const struct source_format *format_of(struct slice head)
{
    for (size_t i = 0; head.n == 4 && i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->probe(head))
            return formats[i];
    return NULL;
}

/* SOURCE_FRAME: it is found and its header was read.  A live source is asked for its frames before
 * that, so that nobody waits for it. */
static enum source_result find_format(struct source *s, struct err *err)
{
    s->in.waiting = false;
    if (!s->in.begun && !source_input_begin(&s->in))
        return SOURCE_WAIT;
    struct slice head = source_input_peek(&s->in, 4);
    if (head.n < 4 && s->in.waiting)
        return SOURCE_WAIT;
    if (!s->format)
        s->format = format_of(head);
    s->opened = s->format ? s->format->open(s, err) : refuse(s, err);
    if (s->opened)
        return SOURCE_FRAME;
    return s->format && s->in.waiting ? SOURCE_WAIT : SOURCE_ERROR;
}

static char *copy_string(const char *string)
{
    size_t n = strlen(string) + 1;
    return memcpy(base_alloc(n), string, n);
}

struct source *source_new(const char *name, const char *path)
{
    struct source *s = base_alloc(sizeof *s);
    s->name = copy_string(name ? name : "");
    s->path = copy_string(path);
    s->label = strcmp(path, "-") == 0 ? "standard input" : s->path;
    s->in.fd = -1;
    return s;
}

static struct source *open_descriptor(const char *name, const char *path, int fd, bool follow,
                                      struct err *err)
{
    struct source *s = source_new(name, path);
    source_input_open(&s->in, fd);
    if (follow)
        source_input_follow(&s->in);
    s->stats.followed = s->in.follow;
    s->stats.bytes_total = s->in.size;
    s->stats.live = s->in.live;
    if (!s->in.live && find_format(s, err) != SOURCE_FRAME) {
        source_close(s);
        return NULL;
    }
    s->stats.bytes_read = s->in.read;
    return s;
}

struct source *source_open_fd(const char *name, const char *path, int fd, struct err *err)
{
    return open_descriptor(name, path, fd, false, err);
}

static int open_file(const char *path, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        err_set(err, "%s: is a directory, not a capture", path);
        close(fd);
        return -1;
    }
    return fd;
}

struct source *source_open(const char *name, const char *path, struct err *err)
{
    return source_open_with(name, path, &(struct source_options){0}, err);
}

struct source *source_open_with(const char *name, const char *path,
                                const struct source_options *options, struct err *err)
{
    for (const struct source_scheme *scheme = source_schemes; scheme->prefix; scheme++)
        if (slice_starts(slice_of(path), slice_of(scheme->prefix)))
            return scheme->open(name, path, path + strlen(scheme->prefix), options, err);
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open_file(path, err);
    return fd < 0 ? NULL : open_descriptor(name, path, fd, options->follow, err);
}

const char *source_unit(const struct source *s)
{
    return s->in.gzip ? " of the uncompressed data" : "";
}

enum source_result source_end(struct source *s, struct err *err)
{
    if (s->in.waiting)
        return SOURCE_WAIT;
    if (s->in.failed) {
        err_set(err, "%s: after byte %" PRIu64 "%s: %s", s->label, source_input_place(&s->in),
                source_unit(s), s->in.why);
        return SOURCE_ERROR;
    }
    if (s->in.cut && !s->stats.truncated) {
        s->stats.truncated = true;
        snprintf(s->stats.truncated_at, sizeof s->stats.truncated_at,
                 "byte %" PRIu64 " (gzip data)", s->in.read);
    }
    return SOURCE_END;
}

enum source_result source_cut(struct source *s, const char *record, uint64_t number, uint64_t place,
                              struct err *err)
{
    bool ended = !s->in.failed && !s->in.waiting;
    if (ended && !s->stopping) { /* else it was ended by us */
        s->stats.truncated = true;
        snprintf(s->stats.truncated_at, sizeof s->stats.truncated_at,
                 "%s %" PRIu64 " at byte %" PRIu64 "%s", record, number, place, source_unit(s));
    }
    return source_end(s, err);
}

bool source_filter(struct source *s, const char *expression, struct err *err)
{
    struct err why;
    if (s->opened && !s->format->link_type)
        return err_set(err, "%s: messages without packets around them cannot be filtered by --bpf",
                       s->label);
    int link_type = s->opened ? s->format->link_type(s) : -1;
    struct source_filter *f = source_filter_new(expression, link_type, &why);
    if (!f)
        return err_set(err, "capture filter '%s': %s", expression, why.text);
    source_filter_free(s->filter);
    s->filter = f;
    return !s->origin || !s->origin->filter || s->origin->filter(s, source_filter_text(f), err);
}

const char *source_widened(const struct source *s)
{
    return s->filter ? source_filter_widened(s->filter) : NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What else there is of a file that this program recorded. */
static bool is_wanted(const struct source *s, const struct source_frame *frame)
{
    return !s->only || (frame->interface < s->interfaces.n &&
                        strcmp(s->interfaces.items[frame->interface], s->only) == 0);
}

static enum source_result read_frame(struct source *s, struct source_frame *frame, struct err *err)
{
    bool pass = true;
    enum source_result result;
    if (!s->opened && (result = find_format(s, err)) != SOURCE_FRAME)
        return result;
    do {
        frame->message = NULL;
        result = s->format->next(s, frame, err);
        if (result != SOURCE_FRAME)
            return result;
        frame->number = ++s->number;
        struct err why;
        if (s->filter && !s->filtered && !source_filter_pass(s->filter, frame, &pass, &why)) {
            err_set(err, "%s: frame %" PRIu32 ": %s", s->label, frame->number, why.text);
            return SOURCE_ERROR;
        }
        s->stats.filtered += !pass;
    } while (!pass || !is_wanted(s, frame));
    s->stats.frames++;
    return SOURCE_FRAME;
}

/* What goes on beside the reading of a live source, and how it ends when it is told to. */
static enum source_result look_beside(struct source *s, enum source_result result, struct err *err)
{
    bool goes_on = result == SOURCE_FRAME || result == SOURCE_WAIT;
    if (goes_on && s->stopping && source_clock_ms() >= s->stop_by)
        result = SOURCE_END;
    if (s->origin && s->origin->look && result != SOURCE_FRAME)
        result = s->origin->look(s, result, err);
    return result;
}

enum source_result source_next(struct source *s, struct source_frame *frame, struct err *err)
{
    if (s->ended)
        return SOURCE_END;
    enum source_result result = read_frame(s, frame, err);
    s->stats.bytes_read = s->read_earlier + s->in.read;
    if (__builtin_expect(s->stats.live, false)) {
        result = look_beside(s, result, err);
        s->stats.awaited = result == SOURCE_WAIT && !s->opened;
    }
    s->ended = result == SOURCE_END || result == SOURCE_ERROR;
    return result;
}

void source_begin_anew(struct source *s, int fd)
{
    if (s->format)
        s->format->close(s);
    s->format = NULL;
    s->state = NULL;
    s->opened = false;
    s->read_earlier += s->in.read;
    source_input_close(&s->in);
    source_input_open(&s->in, fd);
    s->in.live = true; /* where there is no descriptor yet, it waits */
    s->stats.truncated = false;
}

int64_t source_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void source_stop(struct source *s)
{
    if (!s->stats.live || s->stopping)
        return;
    s->stopping = true;
    s->in.follow = false; /* its end is its end now */
    s->stop_by = source_clock_ms() + (s->origin ? s->origin->patience_ms : PIPE_PATIENCE_MS);
    if (s->origin && s->origin->stop)
        s->origin->stop(s);
}

void source_abandon(struct source *s)
{
    s->ended |= !s->stats.live;
}

int source_fd(const struct source *s)
{
    if (s->ended || !s->stats.live || s->stats.followed)
        return -1; /* a file can always be read, if to its end: it is looked at now and then */
    return s->origin ? s->origin->fd(s) : s->in.fd;
}

bool source_read_at(struct source *s, uint64_t offset, void *into, size_t n, struct err *err)
{
    size_t done;
    if (!s->in.seekable || offset > INT64_MAX)
        return err_set(err, "%s: cannot be read again", s->label);
    if (file_read_at(s->in.fd, into, n, offset, &done))
        return true;
    return err_set(err, "%s: byte %" PRIu64 " cannot be read again: %s", s->label, offset + done,
                   errno ? strerror(errno) : "the file has become shorter");
}

void source_add_host(struct source *s, struct address ip)
{
    if (s->hosts.n >= SOURCE_HOST_ADDRESSES)
        return;
    for (size_t i = 0; i < s->hosts.n; i++)
        if (address_equal(&s->hosts.items[i].ip, &ip))
            return;
    *vec_add(&s->hosts) = (struct source_host_address){ip};
}

void source_tell(struct source *s, const char *format, ...)
{
    struct text words = {0};
    char line[512];
    va_list args;
    s->stats.changes++;
    if (s->news.n - s->news_told >= SOURCE_NEWS)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_add(&words, slice_of(line));
    *vec_add(&s->news) = words.p;
}

bool source_has_members(const struct source *s)
{
    return s->origin && s->origin->member;
}

struct source *source_member(struct source *s)
{
    return source_has_members(s) ? s->origin->member(s) : NULL;
}

static void forget_news(struct source *s)
{
    for (size_t i = 0; i < s->news.n; i++)
        free(s->news.items[i]);
    vec_clear(&s->news);
    s->news_told = 0;
}

const char *source_news(struct source *s)
{
    if (s->news_told < s->news.n)
        return s->news.items[s->news_told++];
    forget_news(s);
    return NULL;
}

void source_add_secrets(struct source *s, struct slice text)
{
    size_t held = text.n;
    for (size_t i = 0; i < s->secrets.n; i++)
        held += s->secrets.items[i].n;
    if (held > SOURCE_SECRETS_BYTES || s->secrets.n >= SOURCE_SECRETS) {
        s->stats.secrets_lost++;
        return;
    }
    char *copy = base_alloc(text.n + 1);
    if (text.n)
        memcpy(copy, text.p, text.n);
    *vec_add(&s->secrets) = (struct slice){copy, text.n};
}

void source_add_interface(struct source *s, struct slice name)
{
    char *copy = base_alloc(name.n + 1);
    if (name.n)
        memcpy(copy, name.p, name.n);
    *vec_add(&s->interfaces) = copy;
}

size_t source_secrets(const struct source *s, const struct slice **list)
{
    *list = s->secrets.items;
    return s->secrets.n;
}

void source_count(struct source *s)
{
    if (s->origin && s->origin->count)
        s->origin->count(s);
}

const struct source_stats *source_stats(const struct source *s)
{
    return &s->stats;
}

const char *source_name(const struct source *s)
{
    return s->name;
}

const char *source_path(const struct source *s)
{
    return s->path;
}

size_t source_host_addresses(const struct source *s, const struct source_host_address **list)
{
    *list = s->hosts.items;
    return s->hosts.n;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    if (s->format)
        s->format->close(s);
    if (s->origin && s->origin->close)
        s->origin->close(s);
    source_filter_free(s->filter);
    source_input_close(&s->in);
    vec_free(&s->hosts);
    for (size_t i = 0; i < s->interfaces.n; i++)
        free(s->interfaces.items[i]);
    vec_free(&s->interfaces);
    free(s->only);
    forget_news(s);
    vec_free(&s->news);
    for (size_t i = 0; i < s->secrets.n; i++)
        free((char *)(uintptr_t)s->secrets.items[i].p);
    vec_free(&s->secrets);
    free(s->path);
    free(s->name);
    free(s);
}

/* ---- recordings ------------------------------------------------------------------------------ */

void source_only(struct source *s, const char *name)
{
    free(s->only);
    s->only = copy_string(name);
}

void source_points_free(struct source_points *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->names[i]);
    free(p->names);
    *p = (struct source_points){NULL, 0};
}

static bool is_listed(const struct source_points *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->names[i], name) == 0)
            return true;
    return false;
}

/* Interfaces are described as the file goes on, so all of it is read. */
bool source_points(const char *path, struct source_points *out)
{
    struct err err;
    struct source_frame frame;
    size_t cap = 0;
    *out = (struct source_points){NULL, 0};
    for (const struct source_scheme *scheme = source_schemes; scheme->prefix; scheme++)
        if (slice_starts(slice_of(path), slice_of(scheme->prefix)))
            return false;
    struct source *s = strcmp(path, "-") == 0 ? NULL : source_open("points", path, &err);
    while (s && !s->stats.live && s->recording && source_next(s, &frame, &err) == SOURCE_FRAME)
        ;
    for (size_t i = 0; s && s->recording && i < s->interfaces.n; i++) {
        if (is_listed(out, s->interfaces.items[i]))
            continue;
        if (!s->interfaces.items[i][0] || out->n == SOURCE_POINTS_MAX) {
            source_points_free(out); /* not as this program writes it */
            break;
        }
        if (out->n == cap)
            out->names = vec_grow(out->names, &cap, sizeof *out->names);
        out->names[out->n++] = copy_string(s->interfaces.items[i]);
    }
    source_close(s);
    return out->n > 0;
}

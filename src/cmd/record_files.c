/* The files that record writes.  One that is written to is called FILE.part, and is a capture up to
 * its last flush at any time; a finished one is on the disk whole before it gets its name. */
#include "cmd/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PART  ".part"
#define NOTED ".noted" /* while comments are put in */

struct note {
    uint64_t packet;
    uint32_t order;
    char *text;
    size_t n;
};

struct indexed {
    uint32_t point, number;
};

struct record_files {
    struct trace *trace;
    struct record_options options;
    struct hash_key key;
    struct trace_writer *writer; /* NULL: the next file could not be begun */
    char *final, *part;          /* NULL: standard output */
    uint64_t number;             /* of files begun */
    int64_t begun_ms, flushed_ms;
    VEC(struct indexed) index; /* of the file's packets, in order */
    struct map places;         /* of those */
    VEC(struct note) notes;
    struct text secrets; /* of the file */
    VEC(char *) finished;
    char *told; /* what was said to be wrong; NULL: all is well */
    struct record_stats stats;
    struct err failure; /* the last one */
};

/* ---- names ----------------------------------------------------------------------------------- */

static char *copy(struct slice s)
{
    char *p = base_alloc(s.n + 1);
    memcpy(p, s.p, s.n);
    return p;
}

static char *join(const char *a, const char *b)
{
    struct text t = {0};
    text_printf(&t, "%s%s", a, b);
    return t.p;
}

/* Where its ending begins: the last dot of the last part of the path. */
static size_t stem_length(struct slice path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '.' && path.p[at - 1] != '/')
        at--;
    return at > 1 && path.p[at - 1] == '.' && path.p[at - 2] != '/' ? at - 1 : path.n;
}

/* "calls.pcapng", and where there may be several "calls-00001-20261122T065000Z.pcapng". */
static char *name_of(const struct record_files *f)
{
    struct slice path = slice_of(f->options.output);
    if (!f->options.rotate)
        return copy(path);
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    struct text t = {0};
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    size_t n = stem_length(path);
    text_add(&t, slice_first(path, n));
    text_printf(&t, "-%05llu-%s", (unsigned long long)f->number, stamp);
    text_add(&t, slice_from(path, n));
    return t.p;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void tell(struct record_files *f, const char *text)
{
    if (!f->told || strcmp(f->told, text) != 0)
        cmd_complain("%s; what comes is not recorded until that is mended", text);
    free(f->told);
    f->told = copy(slice_of(text));
}

static void tell_mended(struct record_files *f)
{
    if (f->told)
        cmd_complain("recording goes on; packets that were not recorded: %llu",
                     (unsigned long long)f->stats.lost);
    free(f->told);
    f->told = NULL;
}

static int open_part(struct record_files *f, struct err *err)
{
    if (access(f->final, F_OK) == 0) {
        err_set(err, "%s is there already; record writes over nothing", f->final);
        return -1;
    }
    int fd = open(f->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        err_set(err,
                "%s is there already, as a recording leaves it that was killed; it can be "
                "read as it is: rename it",
                f->part);
    else if (fd < 0)
        err_set(err, "%s: %s", f->part, strerror(errno));
    return fd;
}

static void forget_names(struct record_files *f)
{
    free(f->final);
    free(f->part);
    f->final = f->part = NULL;
}

static bool begin(struct record_files *f, struct err *err)
{
    bool to_stdout = strcmp(f->options.output, "-") == 0;
    f->number++;
    f->begun_ms = f->flushed_ms = tui_now_ms();
    if (!to_stdout) {
        f->final = name_of(f);
        f->part = join(f->final, PART);
    }
    int fd = to_stdout ? cmd_patient(STDOUT_FILENO) : open_part(f, err);
    if (fd < 0 && to_stdout)
        fd = dup(STDOUT_FILENO);
    if (fd < 0) {
        forget_names(f);
        f->number--;
        return false;
    }
    f->writer =
        trace_writer_new(f->trace, f->options.format, fd, to_stdout ? "standard output" : f->part);
    capture_out_heed(trace_writer_out(f->writer), cmd_signal_stop());
    return true;
}

struct record_files *record_files_open(struct trace *t, const struct record_options *o,
                                       struct err *err)
{
    struct record_files *f = base_alloc(sizeof *f);
    f->trace = t;
    f->options = *o;
    f->key = hash_key_random();
    if (begin(f, err) && capture_out_flush(trace_writer_out(f->writer), err))
        return f;
    record_files_free(f);
    return NULL;
}

/* ---- finishing ------------------------------------------------------------------------------- */

static int by_packet(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    if (x->packet != y->packet)
        return x->packet < y->packet ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool annotate(struct record_files *f, const char *noted, struct err *err)
{
    size_t n = f->notes.n;
    struct capture_note *notes = base_alloc(n * sizeof *notes);
    int from = open(f->part, O_RDONLY | O_CLOEXEC);
    int to = open(noted, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (n)
        qsort(f->notes.items, n, sizeof *f->notes.items, by_packet);
    for (size_t i = 0; i < n; i++)
        notes[i] = (struct capture_note){f->notes.items[i].packet,
                                         {f->notes.items[i].text, f->notes.items[i].n}};
    bool ok = (from >= 0 && to >= 0) || err_set(err, "%s: %s", noted, strerror(errno));
    ok = ok && capture_annotate(from, to, noted, notes, n, text_slice(&f->secrets), err);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    free(notes);
    return ok;
}

/* Comments are put in, in a copy that takes the file's place; without room for one the file stays
 * without them. */
static void add_notes(struct record_files *f)
{
    struct err err;
    if (f->options.format == CAPTURE_PCAP || (!f->notes.n && !f->secrets.n))
        return;
    char *noted = join(f->final, NOTED);
    if (annotate(f, noted, &err) && rename(noted, f->part) == 0) {
        f->stats.comments += f->notes.n;
    } else {
        cmd_complain("note: comments not written: %s", err.text);
        unlink(noted);
    }
    free(noted);
}

/* The name is on the disk, too. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? copy((struct slice){path, (size_t)(slash - path) + 1}) : copy(SLICE("."));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

static void keep_only(struct record_files *f)
{
    while (f->options.keep && f->finished.n >= f->options.keep) {
        if (unlink(f->finished.items[0]) != 0)
            cmd_complain("note: %s: %s", f->finished.items[0], strerror(errno));
        f->stats.deleted++;
        free(f->finished.items[0]);
        memmove(f->finished.items, f->finished.items + 1,
                (f->finished.n - 1) * sizeof *f->finished.items);
        f->finished.n--;
    }
}

/* Its name may have been taken meanwhile. */
static bool put_in_place(struct record_files *f, struct err *err)
{
    if (renameat2(AT_FDCWD, f->part, AT_FDCWD, f->final, RENAME_NOREPLACE) != 0 &&
        (errno == EEXIST || rename(f->part, f->final) != 0))
        return err_set(err, "%s: %s; the recording is %s", f->final, strerror(errno), f->part);
    sync_folder(f->final);
    keep_only(f);
    *vec_add(&f->finished) = f->final;
    f->final = NULL;
    f->stats.files++;
    return true;
}

static void forget_file(struct record_files *f)
{
    for (size_t i = 0; i < f->notes.n; i++)
        free(f->notes.items[i].text);
    vec_clear(&f->notes);
    vec_clear(&f->index);
    map_free(&f->places);
    text_clear(&f->secrets);
    forget_names(f);
}

/* The last of several files, in which nothing is. */
static bool is_empty(const struct record_files *f)
{
    return f->part && f->stats.files && capture_out_packets(trace_writer_out(f->writer)) == 0;
}

static bool finish(struct record_files *f, struct err *err)
{
    uint64_t left = 0;
    bool ok = true;
    if (f->writer && is_empty(f)) {
        trace_writer_close(f->writer, false, NULL, err);
        f->writer = NULL;
        unlink(f->part);
    } else if (f->writer) {
        trace_writer_counts(f->writer);
        ok = trace_writer_close(f->writer, true, &left, err);
        f->writer = NULL;
        f->stats.lost += left;
        f->stats.packets -= left;
        if (f->part) {
            struct err second;
            add_notes(f);
            ok = put_in_place(f, ok ? err : &second) && ok;
        }
    }
    forget_file(f);
    return ok;
}

static void next_file(struct record_files *f)
{
    struct err err;
    if (!finish(f, &err) || !begin(f, &err)) {
        f->failure = err;
        tell(f, err.text);
    }
}

void record_files_next(struct record_files *f)
{
    if (f->options.rotate && f->writer && capture_out_packets(trace_writer_out(f->writer)))
        next_file(f);
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint64_t hash_frame(const struct record_files *f, uint32_t point, uint32_t number)
{
    const uint32_t key[] = {point, number};
    return hash_bytes(&f->key, key, sizeof key);
}

/* Where the packet is, to be found by a comment. */
static void index_frame(struct record_files *f, const struct trace_frame *frame)
{
    if (f->index.n >= RECORD_INDEX_MAX)
        return;
    *vec_add(&f->index) = (struct indexed){frame->point, frame->frame->number};
    if (!frame->media)
        map_add(&f->places, hash_frame(f, frame->point, frame->frame->number),
                (uint32_t)(f->index.n - 1));
}

static uint32_t find_frame(const struct record_files *f, uint32_t point, uint32_t number)
{
    uint64_t hash = hash_frame(f, point, number);
    uint32_t id;
    if (f->places.n == 0)
        return MAP_NONE;
    for (uint32_t at = map_first(&f->places, hash);
         (id = map_next(&f->places, hash, &at)) != MAP_NONE;)
        if (f->index.items[id].point == point && f->index.items[id].number == number)
            return id;
    return MAP_NONE;
}

static bool is_full(const struct record_files *f)
{
    const struct record_options *o = &f->options;
    const struct capture_out *out = trace_writer_out(f->writer);
    uint64_t packets = capture_out_packets(out);
    return packets && ((o->bytes && capture_out_bytes(out) >= o->bytes) ||
                       (o->packets && packets >= o->packets) ||
                       (o->seconds && tui_now_ms() - f->begun_ms >= o->seconds * (int64_t)1000));
}

static void look_for_trouble(struct record_files *f)
{
    const char *why = f->writer ? capture_out_error(trace_writer_out(f->writer)) : NULL;
    if (why) {
        err_set(&f->failure, "%s", why);
        tell(f, why);
    } else if (f->writer) {
        tell_mended(f);
    }
}

void record_files_frame(struct record_files *f, const struct trace_frame *frame,
                        const struct slice *comments, size_t comment_count)
{
    struct err err;
    if (f->writer && is_full(f))
        next_file(f);
    if (!f->writer) {
        f->stats.lost++;
        return;
    }
    if (!trace_writer_frame(f->writer, frame, comments, comment_count, &err)) {
        f->stats.lost++;
        f->failure = err;
        tell(f, err.text);
        return;
    }
    index_frame(f, frame);
    f->stats.packets++;
    f->stats.media += frame->media;
    f->stats.comments += comment_count;
    if (capture_out_error(trace_writer_out(f->writer)) || f->told)
        look_for_trouble(f);
}

void record_files_note(struct record_files *f, uint32_t point, uint32_t number, struct slice text)
{
    uint32_t id = find_frame(f, point, number);
    if (id == MAP_NONE) {
        f->stats.comments_late++;
    } else if (f->notes.n >= RECORD_NOTES_MAX) {
        f->stats.left_out++;
    } else {
        struct note n = {id, (uint32_t)f->notes.n, copy(text), text.n};
        *vec_add(&f->notes) = n;
    }
}

void record_files_secrets(struct record_files *f, struct slice lines)
{
    struct text new = {0};
    while (lines.n) {
        struct slice line = slice_first(lines, slice_find(lines, '\n') + 1);
        lines = slice_from(lines, line.n);
        if (!f->secrets.n || !memmem(f->secrets.p, f->secrets.n, line.p, line.n))
            text_add(&new, line);
    }
    text_add(&f->secrets, text_slice(&new));
    if (f->writer)
        capture_out_secrets(trace_writer_out(f->writer), text_slice(&new));
    text_free(&new);
}

void record_files_tick(struct record_files *f)
{
    struct err err;
    int64_t now = tui_now_ms();
    if (f->writer && is_full(f))
        next_file(f);
    if (now - f->flushed_ms < RECORD_FLUSH_MS)
        return;
    f->flushed_ms = now;
    if (!f->writer && !begin(f, &err))
        return;
    (void)capture_out_flush(trace_writer_out(f->writer), &err);
    look_for_trouble(f);
}

const struct record_stats *record_files_stats(const struct record_files *f)
{
    return &f->stats;
}

bool record_files_close(struct record_files *f, struct err *err)
{
    struct err why;
    bool ok = finish(f, &why);
    if (f->stats.lost)
        return err_set(err, "%s; packets that were not recorded: %llu",
                       ok ? f->failure.text : why.text, (unsigned long long)f->stats.lost);
    return ok || err_set(err, "%s", why.text);
}

void record_files_free(struct record_files *f)
{
    if (!f)
        return;
    if (f->writer)
        trace_writer_close(f->writer, false, NULL, &f->failure);
    forget_file(f);
    vec_free(&f->notes);
    vec_free(&f->index);
    for (size_t i = 0; i < f->finished.n; i++)
        free(f->finished.items[i]);
    vec_free(&f->finished);
    text_free(&f->secrets);
    free(f->told);
    free(f);
}

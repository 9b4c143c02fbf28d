/* SIP traces that servers and tools print, read as a source of messages (log:FILE). */
#include "source/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READS                                                                                      \
    "sipxray reads SIP traces of Asterisk, FreeSWITCH, Kamailio (sipdump), SIPp, sngrep, sipgrep " \
    "and ngrep; sipxray(1) says how to switch them on"

const struct log_format *log_format_find(struct log_clock *c, struct slice line,
                                         struct log_record *r, enum log_step *step)
{
    static const struct log_format *const tables[] = {log_server_formats, log_tool_formats};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct log_format *f = tables[i]; f->name; f++) {
            *r = (struct log_record){.time_ns = 0};
            *step = f->head(c, 0, line, r);
            if (*step != LOG_NO)
                return f;
        }
    return NULL;
}

/* ---- records -------------------------------------------------------------------------------- */

/* "Name: value" */
static bool is_header(struct slice line)
{
    size_t colon = slice_find(line, ':'), space = slice_find(line, ' ');
    return colon > 0 && colon < line.n && space > colon;
}

/* A start line with nothing around it, and a header below. */
static const struct log_format *find_bare(struct log *l, struct slice line, size_t next,
                                          struct log_record *r, enum log_step *step)
{
    size_t after;
    *r = (struct log_record){.time_ns = 0};
    *step = log_bare_format.head(&l->clock, 0, line, r);
    if (*step == LOG_NO || !log_line(l, next, &line, &after) || !is_header(line))
        return NULL;
    return &log_bare_format;
}

/* The rest of a record's head, whose first line is over at *at; then that is where the message
 * begins.  False: it is none after all. */
static bool read_head(struct log *l, const struct log_format *f, enum log_step step, size_t *at,
                      struct log_record *r)
{
    struct slice line;
    size_t next;
    for (unsigned number = 1; step == LOG_MORE; number++) {
        if (!log_line(l, *at, &line, &next))
            return false;
        step = f->head(&l->clock, number, log_chomp(line), r);
        *at = step == LOG_IS ? *at : next;
    }
    return step != LOG_NO;
}

static bool is_sip(struct slice bytes)
{
    return log_is_start(log_chomp(slice_first(bytes, slice_find(bytes, '\n'))));
}

static void fill_frame(struct log *l, struct log_record *r, const struct log_found *found,
                       struct source_frame *frame)
{
    const struct source_input *in = &l->source->in;
    if (!r->transport_known && !log_via_transport(found->bytes, &r->message))
        r->message.ip_protocol = 17;
    if (r->time_ns)
        l->clock.last_ns = r->time_ns;
    l->message = r->message;
    *frame = (struct source_frame){
        .bytes = found->bytes,
        .length = (uint32_t)(found->bytes.n + found->missing),
        .link_type = -1,
        .time_ns = l->clock.last_ns,
        .offset = in->seekable && found->at != SIZE_MAX ? source_input_place(in) + found->at
                                                        : SOURCE_NO_OFFSET,
        .direction = r->direction,
        .message = &l->message,
    };
}

/* Reads the record whose head's first line is before `at`, and moves on.  False: no message. */
static bool read_record(struct log *l, const struct log_format *f, enum log_step step, size_t at,
                        struct log_record *r, struct source_frame *frame)
{
    struct source *s = l->source;
    uint64_t place = source_input_place(&s->in);
    size_t first = at;
    struct err err;
    if (step == LOG_IS)
        at = r->indent;
    else if (!read_head(l, f, step, &at, r)) {
        source_input_skip(&s->in, first);
        return false;
    }
    if (r->count > LOG_MESSAGE_MAX)
        r->count = 0; /* a lie, or its text will be too long */
    struct log_found found = log_read(l, r, at);
    bool sip = !found.large && is_sip(found.bytes);
    if (sip)
        fill_frame(l, r, &found, frame);
    else
        s->stats.unread += found.large || slice_trim(found.bytes).n > 0;
    if (sip && found.ended)
        (void)source_cut(s, "record", s->number + 1, place, &err);
    /* what is no message may have one further down */
    source_input_skip(&s->in, sip || found.large ? found.used : at > first ? at : first);
    return sip;
}

/* A line outside of records: its time is that of what follows; a start line without headers is of
 * a message that cannot be read. */
static void read_line(struct log *l, struct slice line)
{
    int64_t ns;
    (void)log_line_time(&l->clock, line, &ns);
    l->source->stats.unread += log_find_start(line) < line.n;
}

/* ---- the source ----------------------------------------------------------------------------- */

static enum source_result end_of_log(struct source *s, struct err *err)
{
    enum source_result result = source_end(s, err);
    if (result != SOURCE_END || s->number)
        return result;
    err_set(err, "%s: no SIP message found in the log; " READS, s->label);
    return SOURCE_ERROR;
}

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    struct log *l = s->state;
    struct slice line;
    size_t after;
    while (log_line(l, 0, &line, &after)) {
        struct log_record r;
        enum log_step step = LOG_NO;
        const struct log_format *f = NULL;
        bool within = l->within_line;
        struct slice bare = log_chomp(line);
        if (!l->continued) {
            f = log_format_find(&l->clock, bare, &r, &step);
            if (!f)
                f = find_bare(l, bare, after, &r, &step);
        }
        l->continued = within;
        if (f && read_record(l, f, step, after, &r, frame))
            return SOURCE_FRAME;
        if (f)
            continue;
        (void)log_line(l, 0, &line, &after);
        read_line(l, log_chomp(line));
        source_input_skip(&s->in, after);
    }
    return end_of_log(s, err);
}

static void close_log(struct source *s)
{
    struct log *l = s->state;
    if (l)
        text_free(&l->text);
    free(l);
}

const struct source_format source_format_log = {
    "log", NULL, NULL, next, NULL, close_log,
};

static bool is_capture(struct slice head)
{
    return head.n == 4 && (source_format_pcap.probe(head) || source_format_pcapng.probe(head));
}

/* When the log was last written: it stands for what the log does not tell of its times. */
static int64_t written(int fd)
{
    struct stat st;
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    int64_t seconds = file ? st.st_mtime : time(NULL);
    return seconds > 0 && seconds < INT64_MAX / 1000000000 ? seconds * 1000000000 : 0;
}

static bool begin(struct source *s, struct err *err)
{
    struct slice head = source_input_peek(&s->in, 4);
    if (s->in.failed)
        return err_set(err, "%s: %s", s->label, s->in.why);
    if (head.n == 0)
        return err_set(err, "%s: 0 bytes: empty file", s->label);
    if (is_capture(head))
        return err_set(err, "%s: a capture, not a log: leave out log:", s->label);
    struct log *l = s->state = base_alloc(sizeof *l);
    l->source = s;
    l->clock.written_ns = written(s->in.fd);
    s->format = &source_format_log;
    s->opened = true;
    return true;
}

struct source *source_log_open_fd(const char *name, const char *path, int fd, struct err *err)
{
    struct source *s = source_new(name, path);
    if (fd == STDIN_FILENO)
        s->label = "standard input";
    source_input_open(&s->in, fd);
    s->in.live = false; /* what ends a message in a log may be the next one: it is waited for */
    if (!s->in.begun)
        source_input_begin(&s->in);
    s->stats.bytes_total = s->in.size;
    if (!begin(s, err)) {
        source_close(s);
        return NULL;
    }
    s->stats.bytes_read = s->in.read;
    return s;
}

struct source *source_log_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err)
{
    struct stat st;
    int fd = strcmp(rest, "-") == 0 ? STDIN_FILENO : open(rest, O_RDONLY | O_CLOEXEC);
    (void)options;
    if (fd < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        err_set(err, "%s: is a directory, not a log", path);
        close(fd);
        return NULL;
    }
    return source_log_open_fd(name, path, fd, err);
}

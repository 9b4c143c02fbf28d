/* What the files of source/ share: buffered input, the table of formats, the capture filter. */
#ifndef SOURCE_INTERNAL_H
#define SOURCE_INTERNAL_H

#include "source/source.h"

#include <string.h>
#include <sys/types.h>

/* The largest packet that any capture tool writes (libpcap's limit for USB and D-Bus).  A record
 * that claims more is corrupt.  The buffer grows only as far as there are bytes to read. */
#define SOURCE_RECORD_MAX     (128u * 1024u * 1024u)
#define SOURCE_BUFFER         (256u * 1024u)
#define SOURCE_INTERFACES     65536u /* pcapng interfaces of one section */
#define SOURCE_SECRETS        4096u  /* blocks of TLS secrets that are kept */
#define SOURCE_SECRETS_BYTES  (16u * 1024u * 1024u)
#define SOURCE_HOST_ADDRESSES 256u /* addresses remembered; more are ignored */
#define SOURCE_NEWS           16u  /* texts not yet asked for; further ones are counted only */

/* ---- input: bytes of a file or pipe, through zlib where they are compressed ------------------ */

struct source_gzip;

struct source_input {
    int fd;
    uint8_t *buffer;
    size_t capacity;
    size_t at, end;           /* buffer[at..end) was read and is not consumed */
    uint64_t base;            /* where buffer[0] stands in the (uncompressed) stream */
    uint64_t read;            /* bytes of the file as it lies on disk */
    uint64_t size;            /* of the file on disk; 0: not known */
    struct source_gzip *gzip; /* NULL: not compressed */
    bool seekable;            /* what was read can be read again at its place */
    bool live;                /* a pipe or the like: what is not there yet is not waited for */
    bool follow;              /* a file whose end is not its end: it may grow */
    bool begun;               /* it is known whether it is compressed */
    bool waiting;             /* live: the last peek got fewer bytes, for there are no more now */
    bool ended;
    bool cut;    /* the compressed stream ends before its end */
    bool failed; /* a read failed or compressed data is corrupt; why says it */
    char why[160];
};

void source_input_open(struct source_input *in, int fd);
void source_input_follow(struct source_input *in); /* if it is a file; before the first peek */
/* Looks whether it is compressed, before the first peek; false: that can't be seen yet (live). */
bool source_input_begin(struct source_input *in);
void source_input_close(struct source_input *in); /* closes fd, unless it is standard input */
void source_input_fill(struct source_input *in, size_t n);
/* Skips *n bytes; false where it ended or has no more now, and *n is what is left to skip. */
bool source_input_discard(struct source_input *in, uint64_t *n);

/* The next n bytes, fewer only where the input ends or, if it is live, has no more now (`waiting`).
 * Valid until the next peek or discard. */
static inline struct slice source_input_peek(struct source_input *in, size_t n)
{
    if (in->end - in->at < n)
        source_input_fill(in, n);
    size_t have = in->end - in->at;
    return (struct slice){(const char *)in->buffer + in->at, have < n ? have : n};
}

static inline void source_input_skip(struct source_input *in, size_t n)
{
    size_t have = in->end - in->at;
    in->at += n < have ? n : have;
}

static inline uint64_t source_input_place(const struct source_input *in)
{
    return in->base + in->at;
}

/* Reads what there is, at most n bytes; 0 at the end, on failure (in->failed) and where there is
 * nothing now (in->waiting). */
size_t source_input_read_raw(struct source_input *in, void *into, size_t n);

/* gzip.c: takes the bytes that were read already; `raw` is freed by source_gzip_free. */
struct source_gzip *source_gzip_new(uint8_t *raw, size_t capacity, size_t have);
size_t source_gzip_read(struct source_gzip *z, struct source_input *in, void *into, size_t n);
void source_gzip_free(struct source_gzip *z);

/* ---- numbers in file headers ----------------------------------------------------------------- */

/* Moves n bytes from the front of *bytes to `into`; false where there are fewer. */
static inline bool source_take(struct slice *bytes, void *into, size_t n)
{
    if (bytes->n < n)
        return false;
    memcpy(into, bytes->p, n);
    bytes->p += n;
    bytes->n -= n;
    return true;
}

static inline uint16_t source_u16(uint16_t raw, bool swapped)
{
    return swapped ? __builtin_bswap16(raw) : raw;
}

static inline uint32_t source_u32(uint32_t raw, bool swapped)
{
    return swapped ? __builtin_bswap32(raw) : raw;
}

/* ---- formats --------------------------------------------------------------------------------- */

struct source_format {
    const char *name;
    bool (*probe)(struct slice head); /* at least 4 bytes, of the start of the file */
    /* False with s->in.waiting: the header is not there yet; it is called again. */
    bool (*open)(struct source *s, struct err *err);
    /* What ends within a record gets its result from source_cut or source_end, which is SOURCE_WAIT
     * where more may come: nothing may be taken from the input before all of it is there. */
    enum source_result (*next)(struct source *s, struct source_frame *frame, struct err *err);
    int (*link_type)(const struct source *s); /* of all frames; -1 where that can differ or is
                                                 unknown; NULL: they have no link layer */
    void (*close)(struct source *s);
};

extern const struct source_format source_format_pcap;
extern const struct source_format source_format_pcapng;
extern const struct source_format source_format_log;

struct source_filter;

/* A live source that is more than a pipe: what happens beside its reading.  Any but fd may be NULL.
 */
struct source_origin {
    int (*fd)(const struct source *s);
    /* Called with each result but SOURCE_FRAME, which it may replace. */
    enum source_result (*look)(struct source *s, enum source_result result, struct err *err);
    void (*count)(struct source *s); /* brings its counters in stats up to date */
    bool (*filter)(struct source *s, const char *expression, struct err *err);
    struct source *(*member)(struct source *s); /* for source_member */
    void (*stop)(struct source *s);
    void (*close)(struct source *s);
    unsigned patience_ms; /* how long it may take from stop to its end */
};

struct source {
    char *name, *path;
    const char *label; /* for messages: the path or "standard input" */
    struct source_input in;
    const struct source_format *format;
    void *state;                        /* the format's own */
    const struct source_origin *origin; /* NULL: a file or a pipe */
    void *origin_state;                 /* the origin's own */
    struct source_filter *filter;
    bool filtered; /* what comes passed the filter already */
    bool opened;   /* the format is known and its header was read */
    struct source_stats stats;
    uint32_t number;       /* of the last frame, filtered ones included */
    uint64_t read_earlier; /* bytes, before it began anew */
    bool ended;
    bool stopping;   /* source_stop was called; */
    int64_t stop_by; /* source_clock_ms when it ends in any case */
    VEC(struct source_host_address) hosts;
    VEC(struct slice) secrets; /* copies, freed with the source */
    bool recording;            /* this program wrote it: interfaces are points */
    VEC(char *) interfaces;    /* pcapng: their names, over the whole file */
    char *only;                /* frames of the interfaces of this name; NULL: of all */
    VEC(char *) news;          /* copies; the first `news_told` were handed out */
    size_t news_told;
};

struct source_scheme {
    const char *prefix; /* "iface:" */
    /* `path` is the specification, `rest` what follows the prefix */
    struct source *(*open)(const char *name, const char *path, const char *rest,
                           const struct source_options *options, struct err *err);
};

/* A source without input and format, for those who have frames from elsewhere. */
struct source *source_new(const char *name, const char *path);
/* As source_open, from a descriptor that is open already and now belongs to the source. */
struct source *source_open_fd(const char *name, const char *path, int fd, struct err *err);

/* log.c: opens log:FILE; `rest` is what follows the prefix */
struct source *source_log_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err);
struct source *source_log_open_fd(const char *name, const char *path, int fd, struct err *err);

/* The input ended within the record that starts at byte `place`: marks the source as truncated and
 * returns SOURCE_END, SOURCE_ERROR where reading failed, or SOURCE_WAIT where more may come. */
enum source_result source_cut(struct source *s, const char *record, uint64_t number, uint64_t place,
                              struct err *err);
/* The input ended between two records. */
enum source_result source_end(struct source *s, struct err *err);
void source_add_host(struct source *s, struct address ip);
/* For source_news. */
void source_tell(struct source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void source_add_interface(struct source *s, struct slice name); /* the next one */
void source_add_secrets(struct source *s, struct slice text);
const char *
source_unit(const struct source *s); /* what byte numbers count, where not the file's bytes */

/* guess.c: what a file that is no capture looks like, e.g. "text"; NULL where nothing is known. */
const char *source_guess(struct slice head);

/* filter.c */
struct source_filter *source_filter_new(const char *expression, int link_type, struct err *err);
bool source_filter_pass(struct source_filter *f, const struct source_frame *frame, bool *pass,
                        struct err *err);
/* The expression as it is applied; the same where it was widened, else NULL. */
const char *source_filter_text(const struct source_filter *f);
const char *source_filter_widened(const struct source_filter *f);
void source_filter_free(struct source_filter *f);
int source_link_of_dlt(int dlt); /* the LINKTYPE_ value of libpcap's DLT_ value */

int64_t source_clock_ms(void); /* monotonic */

/* live.c, command.c, hep_in.c: what source_schemes has */
struct source *source_live_open(const char *name, const char *path, const char *rest,
                                const struct source_options *options, struct err *err);
struct source *source_hep_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err);
struct source *source_k8s_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err);
struct source *source_command_open(const char *name, const char *path, const char *rest,
                                   const struct source_options *options, struct err *err);

/* A live source begins anew with what comes from this descriptor, which is its own now; -1: nothing
 * comes yet.  What it counted stays. */
void source_begin_anew(struct source *s, int fd);

#endif

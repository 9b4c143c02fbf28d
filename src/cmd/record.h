/* Private to cmd/: the files that record writes. */
#ifndef CMD_RECORD_H
#define CMD_RECORD_H

#include "cmd/internal.h"

/* Of one file: packets of which it is known where they are, so that a comment finds them. */
#define RECORD_INDEX_MAX 4194304u
#define RECORD_NOTES_MAX 65536u /* comments of one file; further ones are counted */
#define RECORD_FLUSH_MS  500    /* what was written is in the file by then, if the disk takes it */

struct record_options {
    const char *output; /* "-": standard output, and none of what follows */
    enum capture_format format;
    uint64_t bytes, packets; /* the next file begins here; 0: nowhere */
    uint32_t seconds;        /* likewise */
    uint32_t keep;           /* files; the oldest goes.  0: all stay */
    bool rotate;             /* a signal may ask for the next file, too */
};

struct record_stats {
    uint64_t packets, media; /* written, media among them */
    uint64_t lost;           /* not, for there was no room */
    uint64_t files, deleted;
    uint64_t comments, comments_late; /* that came when their file was finished already */
    uint64_t left_out;                /* comments beyond RECORD_NOTES_MAX */
};

struct record_files;

/* The first file is there when it returns; the trace is borrowed.  NULL: an error. */
struct record_files *record_files_open(struct trace *t, const struct record_options *o,
                                       struct err *err);
void record_files_frame(struct record_files *f, const struct trace_frame *frame,
                        const struct slice *comments, size_t comment_count);
/* A comment on a packet that was written before; `point` is that of its source. */
void record_files_note(struct record_files *f, uint32_t point, uint32_t number, struct slice text);
/* Secrets for what was or will be written. */
void record_files_secrets(struct record_files *f, struct slice lines);
/* Now and then: flushes, tries a full disk again, begins the next file when its time has come. */
void record_files_tick(struct record_files *f);
void record_files_next(struct record_files *f); /* begins another file, if packets are in this */
const struct record_stats *record_files_stats(const struct record_files *f);
/* Finishes the last file.  False: not all that was recorded is there; err says why. */
bool record_files_close(struct record_files *f, struct err *err);
void record_files_free(struct record_files *f); /* without it; NULL is allowed */

#endif

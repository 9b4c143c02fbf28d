/* What the files that read logs share: a log, its lines, the table of formats. */
#ifndef SOURCE_LOG_H
#define SOURCE_LOG_H

#include "source/internal.h"

#define LOG_MESSAGE_MAX (1024u * 1024u) /* a record or line that is longer is passed over */

/* How the bytes of a message stand in the log. */
enum log_shape {
    LOG_AS_IS,
    LOG_INDENTED, /* behind a margin, line ends lost */
    LOG_DOTTED,   /* a dot for each byte that is not to be printed, CR among them */
};

/* What is known of a message before its text is read. */
struct log_record {
    enum source_direction direction;
    int64_t time_ns;
    struct source_message message;
    bool transport_known;
    size_t count; /* bytes of the message as the log has it; 0: not told */
    enum log_shape shape;
    size_t
        indent; /* where on its line the message begins; LOG_INDENTED: on all its lines, behind */
    size_t margin; /* so many spaces */
    /* A line that ends the message: how many bytes at its front still belong to it.  NULL: the next
     * record does, or what the lengths say. */
    size_t (*end)(struct slice line);
};

/* The clock of a log: what its lines told last. */
struct log_clock {
    int64_t last_ns;    /* 0: nothing was told yet */
    int64_t written_ns; /* when the log was last written */
    uint64_t hour;      /* year, month, day and hour that hour_ns stands for; 0: none */
    int64_t hour_ns;
};

struct log_format;

struct log {
    struct source *source;
    struct log_clock clock;
    struct source_message message; /* of the frame handed out last */
    struct text text;              /* its bytes, where the log has them in another shape */
    bool within_line;              /* the last line read had no end within LOG_MESSAGE_MAX */
    bool continued;                /* so the next one is the rest of it */
};

enum log_step {
    LOG_NO,     /* no record of this format */
    LOG_MORE,   /* the line belongs to its head, which goes on */
    LOG_BEGINS, /* the head is over: the message begins on the next line */
    LOG_IS,     /* the message begins with this line already */
};

#define LOG_GOES_ON SIZE_MAX

struct log_format {
    const char *name;
    /* Line `number` (from 0) of a record's head, without its line end.  Line 0 is what a record is
     * known by. */
    enum log_step (*head)(struct log_clock *c, unsigned number, struct slice line,
                          struct log_record *r);
};

/* log_server.c, log_tool.c: the last of each has no name */
extern const struct log_format log_server_formats[], log_tool_formats[];
/* A message with nothing around it: what no other format claims. */
extern const struct log_format log_bare_format;

/* The format of the record whose head begins with this line; NULL: none, or the bare one. */
const struct log_format *log_format_find(struct log_clock *c, struct slice line,
                                         struct log_record *r, enum log_step *step);
/* Does it look like the start line of a SIP message? */
bool log_is_start(struct slice line);
/* Does it end in one?  Where that begins, else line.n. */
size_t log_find_start(struct slice line);

/* ---- log_words.c: times, addresses, transports ----------------------------------------------- */

/* A number of exactly n digits (n 0: any) at the front. */
bool log_take_number(struct slice *text, unsigned n, uint64_t *out);
bool log_take(struct slice *text, const char *word);
/* Goes on behind the first occurrence of the word. */
bool log_take_until(struct slice *text, const char *word);
/* A date with time of day, in the machine's time zone unless it has its own. */
bool log_take_time(struct log_clock *c, struct slice *text, int64_t *ns);
/* A time of day, of the day that brings it nearest to what the log told last. */
bool log_take_time_of_day(struct log_clock *c, struct slice *text, int64_t *ns);
/* The time at the front of a log's line. */
bool log_line_time(struct log_clock *c, struct slice line, int64_t *ns);
/* "10.0.0.1:5060", "[fd00::1]:5060", "fd00::1:5060" */
bool log_endpoint(struct slice text, struct endpoint *out);
/* "UDP" ... "wss" */
bool log_transport(struct slice name, struct source_message *m);

/* ---- log_text.c: from the lines of a record to the bytes of its message -----------------------
 */

struct log_found {
    struct slice bytes; /* in the input's buffer or in log.text; none: there is no SIP message */
    size_t missing;     /* bytes of the message that the log does not have */
    size_t at;          /* where they stand in the log, after the cursor; SIZE_MAX: in log.text */
    size_t used;        /* of the input, from its cursor */
    bool ended;         /* the log ended before the message did */
    bool large;         /* more than LOG_MESSAGE_MAX */
};

/* The line that begins `at` bytes after the cursor, without its LF; *next is where the next one
 * begins.  False: the log ends there. */
bool log_line(struct log *l, size_t at, struct slice *line, size_t *next);
struct slice log_chomp(struct slice line); /* without its CR */
/* Reads the message that begins `at` bytes after the cursor. */
struct log_found log_read(struct log *l, const struct log_record *r, size_t at);

/* ---- log_fit.c: where a message ends in its text ----------------------------------------------
 */

/* How much of the text is the message: by the log's own count, by Content-Length, else without
 * trailing empty lines.  *restore: its lines have lost their CR, which the count or Content-Length
 * still tells of; `exact`: they cannot have.  *missing: bytes that are not there. */
size_t log_fit(struct slice text, size_t count, bool exact, bool *restore, size_t *missing);
/* The value of a Content-Length line; false: it is none, or more than a message may have. */
bool log_content_length(struct slice line, size_t *out);
/* The transport of the topmost Via. */
bool log_via_transport(struct slice message, struct source_message *m);

#endif

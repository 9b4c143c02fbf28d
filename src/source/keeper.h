/* Private to source/: the keeper, a process between this program and the commands that it reads
 * from (keeper.c), and a job of it (job.c).
 *
 * What a keeper can start is laid down in plans before it is forked, but for names that the
 * requests fill in.  It keeps the rights that this program has then and may give up; whoever takes
 * this program over by bytes that it reads can have it start nothing else. */
#ifndef SOURCE_KEEPER_H
#define SOURCE_KEEPER_H

#include "base/base.h"

#include <sys/types.h>

#define SOURCE_KEEPER_JOBS  4096u /* at a time */
#define SOURCE_KEEPER_PLANS 8u
#define SOURCE_KEEPER_WORDS 4u
#define SOURCE_KEEPER_WORD  253u /* bytes: letters, digits, '.', '_' and '-', which begins none */
/* From being told to end to the last of a job's being killed; what its keeper needs at most. */
#define SOURCE_KEEPER_END_MS 4000

/* A command as execvp has it, in NULL-terminated argv.  Where `words` is not 0, the bytes \1, \2
 * and so on in it stand for the words of the request. */
struct source_plan {
    const char *const *argv;
    size_t words;
    bool
        input; /* its standard input is held open, and closed when it is to end; else it is empty */
};

struct source_request;

struct source_keeper {
    pid_t pid;
    int control; /* readable: there is news */
    uint32_t jobs;
    VEC(struct source_request *) waiting; /* not sent yet: neither side ever waits for the other */
    size_t sent;                          /* of `waiting` */
    bool gone;                            /* the process was killed by somebody */
};

enum source_keeper_event { SOURCE_JOB_STARTED, SOURCE_JOB_FAILED, SOURCE_JOB_ENDED };

struct source_keeper_news {
    uint32_t job;
    enum source_keeper_event event;
    int status;         /* of ENDED as waitpid has it, of FAILED an errno */
    int output, errors; /* of STARTED: to be read and closed by who gets this */
};

/* The plans are used by the process that is forked now, and nowhere else. */
bool source_keeper_open(struct source_keeper *k, const struct source_plan *plans, size_t n,
                        struct err *err);
/* Asks for a job and gives its number; how it went comes as news. */
uint32_t source_keeper_start(struct source_keeper *k, unsigned plan, const struct slice *words,
                             size_t n);
/* All processes of the job: its input is closed, then SIGTERM, then SIGKILL. */
void source_keeper_stop(struct source_keeper *k, uint32_t job);
void source_keeper_stop_all(struct source_keeper *k);
/* False: nothing yet.  `wait`: until there is. */
bool source_keeper_next(struct source_keeper *k, bool wait, struct source_keeper_news *news);
void source_keeper_end(struct source_keeper *k); /* stops all, waits for the end, closes control */

/* ---- a job ----------------------------------------------------------------------------------- */

#define SOURCE_JOB_ERRORS 4096u /* bytes of its standard error that are kept, the last ones */

struct source_job {
    uint32_t id; /* 0: none was started, or the last is over */
    bool started, ended;
    int status;
    int64_t linger_by; /* source_clock_ms until when its end is waited for; 0: it still writes */
    int output;        /* -1: none, or somebody else has it */
    int errors;        /* -1: none */
    char said[SOURCE_JOB_ERRORS];
    size_t said_n;
};

void source_job_start(struct source_job *j, struct source_keeper *k, unsigned plan,
                      const struct slice *words, size_t n);
/* What the keeper says of it; true: it was of this job.  The output of one that started is the
 * caller's. */
bool source_job_heed(struct source_job *j, const struct source_keeper_news *news);
void source_job_drain(struct source_job *j); /* it may wait for its standard error to be read */
/* Its output has ended, or is of no use: true once its own end, which should come now, is known, or
 * did not come for a second. */
bool source_job_is_over(struct source_job *j);
void source_job_close(struct source_job *j, struct source_keeper *k); /* ends it if it runs */
/* "the command ended with status 7: why": what it printed last, in one line. */
void source_job_word(struct source_job *j, const char *what, struct text *out);
/* Its standard error has this text. */
bool source_job_says(const struct source_job *j, const char *text);

/* ---- pauses ---------------------------------------------------------------------------------- */

/* Between two runs of a job: twice as long each time, up to a bound. */
struct source_pause {
    uint32_t first_s, next_s;
    int64_t begun_ms; /* of the last run */
    int64_t until_ms; /* 0: there is none now */
};

void source_pause_run(struct source_pause *p); /* a run begins */
/* One has ended.  Gives the seconds until the next. */
uint32_t source_pause_begin(struct source_pause *p);
bool source_pause_is_over(const struct source_pause *p);

#endif

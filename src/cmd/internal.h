/* What the subcommands share: messages to the user, outputs, and the run over captures. */
#ifndef CMD_INTERNAL_H
#define CMD_INTERNAL_H

#include "cmd/cmd.h"
#include "tui/tui.h"
#include "view/view.h"

#include <signal.h>

/* ---- messages on standard error -------------------------------------------------------------- */

/* "sipxray: ..." with foreign bytes escaped. */
void cmd_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Lines that belong to what was just said, made for a terminal. */
void cmd_complain_list(struct slice lines);
/* The same for a usage error, which ends with where to find help. */
void cmd_complain_usage(const struct cmd_arguments *a, const struct err *err);

/* ---- outputs --------------------------------------------------------------------------------- */

#define CMD_OUTPUTS_MAX 8u
/* Of what goes to standard output so much is held back, so that nothing is printed where the input
 * turns out bad. */
#define CMD_HELD_MAX ((size_t)1 << 20)

/* A live run never waits for who reads its output: so much is kept for a slow terminal or pipe;
 * further lines are left out, and counted. */
#define CMD_BEHIND_MAX ((size_t)16 << 20)
#define CMD_BEHIND_MS  3000 /* at the end, for what is kept */

struct cmd_output {
    char format[16];
    const char *path; /* as given; NULL: standard output */
    char *final;      /* the file to be replaced; NULL: written to directly */
    char *temporary;  /* what is renamed to it */
    int fd;
    bool streaming;    /* CMD_HELD_MAX was passed */
    int error;         /* errno of the first failed write; */
    bool told;         /* while the run went on */
    struct text text;  /* where reports go; cmd_output_wrote after each addition */
    bool patient;      /* its descriptor does not block: */
    uint64_t left_out; /* lines that nobody took in time */
};

struct cmd_outputs {
    struct cmd_output items[CMD_OUTPUTS_MAX];
    size_t n;
};

/* Opens what --format asks for; without it the command's first format on standard output. */
bool cmd_outputs_open(struct cmd_outputs *o, const struct cmd_arguments *a, struct err *err);
void cmd_output_wrote(struct cmd_output *o);
/* Shows what is held back of standard output and of what else is written to directly. */
void cmd_outputs_show(struct cmd_outputs *o);
/* From now on nothing waits for a terminal or a pipe. */
void cmd_outputs_patient(struct cmd_outputs *o);
/* A descriptor of our own for the same terminal or pipe, which does not block: that of the others,
 * who share it, goes on to.  -1: a file never blocks, and would begin anew. */
int cmd_patient(int fd);
bool cmd_outputs_replace(const struct cmd_outputs *o); /* files are to be put in place at the end */
/* Ends the outputs: `keep` writes what is held and puts files in place; else nothing appears. */
bool cmd_outputs_close(struct cmd_outputs *o, bool keep, struct err *err);
bool cmd_print(
    struct text *text); /* to standard output at once; frees it; false after complaining */

/* Text that may grow beyond what memory should hold: further parts lie in an unnamed temporary
 * file. */
struct cmd_spool {
    struct text text;
    int fd; /* -1: none */
    int error;
};

void cmd_spool_wrote(struct cmd_spool *s);
void cmd_spool_open(struct cmd_spool *s); /* before it is needed, while that is allowed for sure */
bool cmd_spool_copy(struct cmd_spool *s, struct cmd_output *o, struct err *err);
void cmd_spool_free(struct cmd_spool *s);

/* ---- signals and rights ---------------------------------------------------------------------- */

/* SIGINT, SIGTERM and SIGHUP: `live`, the first sets the flag, the second ends the program; else
 * the first does. */
void cmd_signals_begin(bool live);
const volatile sig_atomic_t *cmd_signal_stop(void);
/* SIGHUP asks for the next file from now on; has it since this was asked last? */
void cmd_signal_rotate_begin(void);
bool cmd_signal_rotated(void);
void cmd_signal_alarm(uint32_t seconds);             /* sets the flag after so long */
void cmd_signal_temporary(size_t index, char *path); /* removed when a signal ends us; NULL: none */
void cmd_signal_half_line(bool there);               /* the progress line is on the terminal */
#define CMD_CLEAR_LINE "\r\033[K"
void cmd_signal_end(int number); /* ends as the signal does, after tidying up */
/* Gives up all capabilities and, unless keep_user, being root, for good. */
bool cmd_privileges_drop(bool keep_user, struct err *err);
/* Limits the system calls of all threads, for good; `connects`: connections may be made later on.
 * New threads and processes may not: they have to be there before. */
bool cmd_confine(bool connects, struct err *err);

/* ---- the terminal ---------------------------------------------------------------------------- */

bool cmd_style(struct report_style *style, const struct cmd_arguments *a, struct err *err);
/* As it is for one output: a file has no colours unless they are asked for. */
struct report_style cmd_style_for(const struct report_style *style, const struct cmd_output *o,
                                  const struct cmd_arguments *a);
size_t cmd_width(void);
void cmd_progress_begin(struct trace *t); /* where standard error is a terminal */
void cmd_progress_clear(void);

/* ---- what is owed ---------------------------------------------------------------------------- */

/* The options of check and tui that say how calls are judged, as check wants them. */
struct cmd_owed {
    const struct cmd_arguments *arguments;
    struct expect_trunks trunks;
    struct expect_values values;
    struct expect_rules rules;
    struct slice *follow;
    struct check_outside *outside;
    struct expect_sayna sayna;
    struct check_options options; /* what it points to is the above */
};

bool cmd_owed_read(struct cmd_owed *o, const struct cmd_arguments *a, struct err *err);
void cmd_owed_free(struct cmd_owed *o);

/* ---- a run over captures --------------------------------------------------------------------- */

bool cmd_read_memory(const struct cmd_arguments *a, struct trace_options *options, struct err *err);
/* How sources are opened and filtered. */
bool cmd_read_sources(const struct cmd_arguments *a, struct trace_options *options,
                      struct err *err);
bool cmd_add_keys(struct trace *t, const struct cmd_arguments *a, struct err *err);
/* The authentication key of HEP, by --hep-key-file or the environment; empty: there is none. */
bool cmd_hep_key(const struct cmd_arguments *a, char key[SOURCE_HEP_KEY_MAX + 1], struct err *err);
/* A trace with the options that all of check, calls and messages have, its sources added. */
struct trace *cmd_trace_open(const struct cmd_arguments *a, struct trace_options *options,
                             struct err *err);
bool cmd_trace_run(struct trace *t, const struct trace_sinks *sinks, struct cmd_outputs *outputs,
                   struct err *err);
/* What a subcommand does with a live run beside its sinks; any may be NULL. */
struct cmd_hooks {
    void (*lost)(void *context, const struct report_loss *loss); /* else it is complained of */
    void (*tick)(void *context); /* some ten times a second, and before each wait */
    bool (*begin)(void *context, struct err *err); /* once rights are given up */
    bool connects;                                 /* connections are made later on */
    bool keep_user; /* files are written later on: root stays, if without its rights */
    void *context;
};
/* To be called before cmd_trace_run; borrowed. */
uint32_t cmd_seconds(struct slice text); /* "1h30m"; 0: it is no time */
void cmd_trace_hooks(const struct cmd_hooks *hooks);
/* What was cut or left out, on standard error. */
void cmd_trace_remarks(struct trace *t);
/* Ends a command that only prints: closes outputs, frees the trace, complains. */
int cmd_finish(struct trace *t, struct cmd_outputs *o, bool ok, struct err *err);

/* ---- sngrep's command line ------------------------------------------------------------------- */

/* A command line of this program in place of one of sngrep's. */
struct cmd_words {
    VEC(const char *) items; /* ends in NULL */
    struct arena arena;
};

/* No subcommand, and options of one letter that sngrep has. */
bool cmd_sngrep_is(int argc, const char *const *argv);
/* False: what it asks for is asked for otherwise here, which err says. */
bool cmd_sngrep_translate(struct cmd_words *w, int argc, const char *const *argv, struct err *err);
void cmd_words_free(struct cmd_words *w);

/* ---- settings of the screens ----------------------------------------------------------------- */

/* To be freed by tui_settings_free, whatever comes out. */
bool cmd_settings_read(struct tui_settings *s, const struct cmd_arguments *a, struct err *err);

/* ---- --filter -------------------------------------------------------------------------------- */

/* *out is NULL where none is given.  What is wrong with it is shown, and told by *err. */
bool cmd_filter_read(const struct cmd_arguments *a, enum view_filter_scope scope,
                     struct view_filter **out, struct err *err);
/* At the end: that nothing matched, or could not be told.  `what`: "message", "call". */
void cmd_filter_remarks(const struct view_filter *f, const char *what);
/* After a run: that it names a point which there is none of.  Either may be NULL. */
void cmd_filter_points(const struct view_filter *f, const struct trace *t);

/* ---- a live run ------------------------------------------------------------------------------ */

/* What was told of the losses of a point. */
struct cmd_loss {
    uint64_t kernel, link;
};

struct cmd_live {
    const struct trace *trace;
    const struct cmd_hooks *hooks; /* NULL: none */
    VEC(struct cmd_loss) losses;   /* of each point */
    uint64_t squeezed;
    int64_t tell_at;
};

void cmd_live_tick(struct cmd_live *l);
void cmd_live_end(struct cmd_live *l); /* tells what is left, and frees */

/* ---- commands for failed calls --------------------------------------------------------------- */

#define CMD_RUNNER_AT_ONCE 4u
#define CMD_RUNNER_QUEUE   256u          /* that wait; further ones are not run, and counted */
#define CMD_RUNNER_BYTES   (64u * 1024u) /* of an environment */
#define CMD_RUNNER_SECONDS 30u           /* for one command, and at the end for all */

enum cmd_runner_event {
    CMD_RUNNER_STARTED,
    CMD_RUNNER_DONE,
    CMD_RUNNER_FAILED,
    CMD_RUNNER_TIMED_OUT,
    CMD_RUNNER_LOST, /* never started: too many */
    CMD_RUNNER_EVENTS
};

struct cmd_runner_news {
    enum cmd_runner_event event;
    int status; /* as waitpid has it */
};

struct cmd_runner {
    pid_t pid;
    int control; /* -1: there is none */
    uint64_t counts[CMD_RUNNER_EVENTS];
};

/* `command` is for /bin/sh, and runs with the rights that this program has now. */
bool cmd_runner_start(struct cmd_runner *r, const char *command, uint32_t seconds, struct err *err);
/* Runs the command soon: never waits.  `environment` is NAME=VALUE, each with a NUL behind it. */
void cmd_runner_run(struct cmd_runner *r, struct slice environment, struct slice input);
void cmd_runner_look(struct cmd_runner *r); /* counts what came of them */
void cmd_runner_end(struct cmd_runner *r);  /* waits for what runs */

struct cmd_exec {
    struct cmd_runner runner;
    struct report_check report; /* what its command reads */
};

bool cmd_exec_start(struct cmd_exec *e, const struct cmd_arguments *a, struct err *err);
void cmd_exec_call(struct cmd_exec *e, const struct check_call *c);
void cmd_exec_end(struct cmd_exec *e);

/* ---- metrics --------------------------------------------------------------------------------- */

#define CMD_SERIES_MAX 1000u /* kinds of error told apart; further ones are "other" */
#define CMD_LABEL_MAX  256u  /* bytes of a header's or node's name in a label */

struct cmd_metrics;

/* NULL in *out: none are asked for, and the rest does nothing. */
bool cmd_metrics_start(struct cmd_metrics **out, const struct cmd_arguments *a,
                       const struct cmd_runner *runner, struct err *err);
/* Once rights are given up. */
bool cmd_metrics_serve(struct cmd_metrics *m, const struct trace *trace, struct err *err);
void cmd_metrics_call(struct cmd_metrics *m, const struct check_call *c);
void cmd_metrics_tick(struct cmd_metrics *m);
void cmd_metrics_end(struct cmd_metrics *m);

/* ---- columns of calls --------------------------------------------------------------------------
 */

#define CMD_COLUMNS_MAX 64u

struct cmd_columns {
    struct report_column items[CMD_COLUMNS_MAX];
    size_t n;
    struct call_want wants[CMD_COLUMNS_MAX]; /* what the columns ask of messages */
    size_t want_count;
};

/* A list parted by commas; strings stay the caller's. */
bool cmd_columns_read(struct cmd_columns *c, const char *list, struct err *err);
bool cmd_column_read(struct cmd_columns *c, const char *text, struct err *err);

/* ---- subcommands ----------------------------------------------------------------------------- */

int cmd_check(const struct cmd_arguments *a);
int cmd_calls(const struct cmd_arguments *a);
int cmd_messages(const struct cmd_arguments *a);
int cmd_flow(const struct cmd_arguments *a);
int cmd_tui(const struct cmd_arguments *a);
int cmd_record(const struct cmd_arguments *a);
int cmd_probe(const struct cmd_arguments *a);
int cmd_trunk(const struct cmd_arguments *a);
int cmd_explain(const struct cmd_arguments *a);
int cmd_help(const struct cmd_arguments *a);

#endif

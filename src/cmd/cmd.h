/* cmd: one file for each subcommand, one table of them, one table of options.  The tables make the
 * parser,
 * --help and the manual's lists.  Only this folder prints to standard error and decides exit
 * statuses. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/base.h"
#include "report/report.h"

#define CMD_VERSION "0.1.0"

/* As grep and diff have them (DESIGN: exit status). */
enum cmd_status {
    CMD_HOLDS = 0,        /* all that is owed holds; or the command did its work */
    CMD_FAILS = 1,        /* something does not hold */
    CMD_ERROR = 2,        /* usage, input or system */
    CMD_INCONCLUSIVE = 3, /* nothing failed, but a promised header was never judged */
};

/* ---- the tables ------------------------------------------------------------------------------ */

enum cmd_id {
    CMD_CHECK,
    CMD_CALLS,
    CMD_MESSAGES,
    CMD_FLOW,
    CMD_TUI,
    CMD_RECORD,
    CMD_PROBE,
    CMD_TRUNK,
    CMD_EXPLAIN,
    CMD_HELP,
    CMD_COUNT
};

enum cmd_option_id {
    CMD_OPT_TRUNK,
    CMD_OPT_TRUNK_ID,
    CMD_OPT_LIVEKIT,
    CMD_OPT_VALUES,
    CMD_OPT_NODE,
    CMD_OPT_FOLLOW,
    CMD_OPT_RULES,
    CMD_OPT_REQUIRE,
    CMD_OPT_FORBID,
    CMD_OPT_STRICT,
    CMD_OPT_PACK,
    CMD_OPT_OUTSIDE,
    CMD_OPT_SAYNA,
    CMD_OPT_COLUMNS,
    CMD_OPT_GROUP_BY,
    CMD_OPT_CALL,
    CMD_OPT_HEADERS,
    CMD_OPT_FILTER,
    CMD_OPT_BPF,
    CMD_OPT_LIVE,
    CMD_OPT_FOR,
    CMD_OPT_CALLS,
    CMD_OPT_EXEC,
    CMD_OPT_METRICS,
    CMD_OPT_METRICS_FILE,
    CMD_OPT_PROMISCUOUS,
    CMD_OPT_BUFFER,
    CMD_OPT_RETRY,
    CMD_OPT_HEP_KEY_FILE,
    CMD_OPT_K8S_IMAGE,
    CMD_OPT_KEYLOG,
    CMD_OPT_TLS_KEY,
    CMD_OPT_BASELINE,
    CMD_OPT_ALLOW_UNTESTED,
    CMD_OPT_MATCH,
    CMD_OPT_FROM,
    CMD_OPT_SOURCE,
    CMD_OPT_VIA,
    CMD_OPT_TO,
    CMD_OPT_LISTEN,
    CMD_OPT_LOCAL,
    CMD_OPT_AS,
    CMD_OPT_SUITE,
    CMD_OPT_CASE,
    CMD_OPT_TRANSPORT,
    CMD_OPT_ROUTE,
    CMD_OPT_CREDENTIALS,
    CMD_OPT_CA,
    CMD_OPT_CERT,
    CMD_OPT_CERT_KEY,
    CMD_OPT_SERVER_NAME,
    CMD_OPT_NO_VERIFY,
    CMD_OPT_ASK_CLIENT,
    CMD_OPT_STEP_TIME,
    CMD_OPT_PAUSE,
    CMD_OPT_DRY_RUN,
    CMD_OPT_FORMAT,
    CMD_OPT_COLOR,
    CMD_OPT_ASCII,
    CMD_OPT_LOCAL_TIME,
    CMD_OPT_SHOW_SECRETS,
    CMD_OPT_THREADS,
    CMD_OPT_MEMORY,
    CMD_OPT_OUTPUT,
    CMD_OPT_ROTATE_SIZE,
    CMD_OPT_ROTATE_TIME,
    CMD_OPT_ROTATE_COUNT,
    CMD_OPT_KEEP,
    CMD_OPT_RTP,
    CMD_OPT_TRIGGER,
    CMD_OPT_SPOOL,
    CMD_OPT_HEP,
    CMD_OPT_CONFIG,
    CMD_OPT_NO_CONFIG,
    CMD_OPT_VERBOSE,
    CMD_OPT_HELP,
    CMD_OPT_VERSION,
    CMD_OPT_MDOC,
    CMD_OPT_COUNT
};

struct cmd_option {
    const char *name; /* "trunk", without the dashes */
    char letter;      /* 0: none */
    bool repeatable;
    bool hidden;          /* not in help and manual */
    unsigned commands;    /* a bit for each cmd_id */
    const char *argument; /* "FILE"; "=FILE": it can be left out, and is given by --name=FILE
                             only; NULL: a switch */
    const char *help;     /* one sentence without its full stop, for --help */
    const char *more;     /* further sentences for the manual; NULL: none */
};

static inline bool cmd_option_is_optional(const struct cmd_option *o)
{
    return o->argument && *o->argument == '=';
}

struct cmd_arguments;

struct cmd_command {
    const char *name;
    const char *line;     /* what it does, in a line */
    const char *operands; /* "[NAME=]FILE..." */
    const char *formats;  /* "text json", the default first; NULL: none */
    const char *about;    /* a paragraph */
    const char *examples; /* lines in pairs: "# what", "sipxray ..." */
    int (*run)(const struct cmd_arguments *args);
};

const struct cmd_option *cmd_option_of(enum cmd_option_id id);
const struct cmd_command *cmd_command_of(enum cmd_id id);

/* ---- parsing --------------------------------------------------------------------------------- */

struct cmd_list {
    const char **items;
    size_t n, cap;
};

struct cmd_arguments {
    const struct cmd_command *command;     /* NULL: none named */
    struct cmd_list values[CMD_OPT_COUNT]; /* of a switch: an empty string each time it was given */
    struct cmd_list operands;
};

/* Reads a command line (argv[0] is the program).  Options may stand anywhere, before "--".  False:
 * a usage error. The strings are argv's. */
bool cmd_arguments_parse(struct cmd_arguments *a, int argc, const char *const *argv,
                         struct err *err);
void cmd_arguments_free(struct cmd_arguments *a);
bool cmd_given(const struct cmd_arguments *a, enum cmd_option_id id);
const char *cmd_value(const struct cmd_arguments *a,
                      enum cmd_option_id id); /* the last; NULL: not given */

/* Is `word` one of the words of `list`, which are parted by spaces? */
bool cmd_has_word(const char *list, struct slice word);

/* ---- help ------------------------------------------------------------------------------------ */

void cmd_help_overview(struct text *out, size_t width);
void cmd_help_command(struct text *out, enum cmd_id id, size_t width);
/* The manual's parts that come from tables, each between `.\" begin NAME` and `.\" end NAME`. */
void cmd_help_mdoc(struct text *out);

/* ---- running --------------------------------------------------------------------------------- */

int cmd_main(int argc, const char *const *argv);

#endif

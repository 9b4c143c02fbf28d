/* What the files of `sipxray probe` share. */
#ifndef CMD_PROBE_H
#define CMD_PROBE_H

#include "cmd/internal.h"
#include "probe/probe.h"

enum cmd_probe_mode { CMD_PROBE_RUN, CMD_PROBE_CALL, CMD_PROBE_ANSWER };

/* What goes in: the options as probe_run wants them, and the script. */
struct cmd_probe_in {
    const struct cmd_arguments *arguments;
    enum cmd_probe_mode mode;
    struct probe_options options;
    struct arena arena;
    struct expect_trunks trunks;
    struct expect_values values;
    struct probe_script script;
};

bool cmd_probe_read(struct cmd_probe_in *in, const struct cmd_arguments *a, struct err *err);
void cmd_probe_in_free(struct cmd_probe_in *in);

/* What comes out: capture points beside the ends, the judge, and the reports. */
struct cmd_probe_out {
    const struct cmd_probe_in *in;
    struct report_style style;
    struct cmd_outputs outputs;
    struct report_messages messages; /* ndjson */
    struct trace_options trace_options;
    struct trace *trace;
    struct probe_judge *judge;
    volatile sig_atomic_t stop; /* of the sources that are read beside the run */
    bool live;                  /* there are some */
    uint64_t calls;             /* that are over */
    size_t next_call;           /* of the script, for an INVITE that does not say */
    bool incomplete;            /* a source could not be read, or not to its end */
    struct err trace_error;     /* of one of them; empty: none */
};

/* Opens outputs and those sources that are read while the probe runs. */
bool cmd_probe_out_begin(struct cmd_probe_out *out, const struct cmd_probe_in *in, struct err *err);
/* Waits until commands among the sources have begun to capture, for a while. */
void cmd_probe_await(struct cmd_probe_out *out);
/* What the run tells. */
void cmd_probe_watch(struct cmd_probe_out *out, struct probe_watch *watch);
/* Reads the sources to their end, judges and reports; the exit status. */
int cmd_probe_out_end(struct cmd_probe_out *out, const struct probe_run *run, struct err *err);
void cmd_probe_out_free(struct cmd_probe_out *out);

#endif

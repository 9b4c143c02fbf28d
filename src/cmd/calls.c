/* sipxray calls: the calls of the captures, each as it ends. */
#include "cmd/internal.h"

#include <string.h>

struct calls {
    struct trace *trace;
    struct cmd_outputs outputs;
    struct report_calls reports[CMD_OUTPUTS_MAX]; /* one for each output */
};

struct format {
    const char *name;
    void (*call)(struct text *, struct report_calls *, const struct call_summary *);
    void (*end)(struct text *, const struct report_calls *); /* NULL: nothing */
};

static const struct format formats[] = {
    {"csv", report_call_csv, report_calls_csv_end},
    {"ndjson", report_call_ndjson, NULL},
    {"text", report_call_text, report_calls_text_end},
};

/* --format was held against the command's formats before. */
static const struct format *format_of(const struct cmd_output *o)
{
    size_t last = sizeof formats / sizeof *formats - 1, i = 0;
    while (i < last && strcmp(formats[i].name, o->format) != 0)
        i++;
    return &formats[i];
}

static void print_call(void *context, const struct call_summary *c)
{
    struct calls *run = context;
    for (size_t i = 0; i < run->outputs.n; i++) {
        struct cmd_output *o = &run->outputs.items[i];
        trace_points(run->trace, &run->reports[i].points);
        format_of(o)->call(&o->text, &run->reports[i], c);
        cmd_output_wrote(o);
    }
}

static void end_reports(struct calls *run)
{
    for (size_t i = 0; i < run->outputs.n; i++) {
        struct cmd_output *o = &run->outputs.items[i];
        const struct format *f = format_of(o);
        if (f->end)
            f->end(&o->text, &run->reports[i]);
    }
}

int cmd_calls(const struct cmd_arguments *a)
{
    struct err err;
    struct report_style style;
    struct trace_options options = {0};
    struct calls run = {0};
    struct trace_sinks sinks = {.call = print_call, .context = &run};
    bool ok = cmd_style(&style, a, &err) && cmd_outputs_open(&run.outputs, a, &err);
    for (size_t i = 0; i < run.outputs.n; i++)
        run.reports[i].style = cmd_style_for(&style, &run.outputs.items[i], a);
    ok = ok && (run.trace = cmd_trace_open(a, &options, &err)) &&
         cmd_trace_run(run.trace, &sinks, &run.outputs, &err);
    if (ok)
        end_reports(&run);
    return cmd_finish(run.trace, &run.outputs, ok, &err);
}

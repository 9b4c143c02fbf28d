/* sipxray calls: the calls of the captures, each as it ends. */
#include "cmd/internal.h"

#include <string.h>

struct calls {
    struct trace *trace;
    struct cmd_outputs outputs;
    struct report_calls reports[CMD_OUTPUTS_MAX]; /* one for each output */
    struct cmd_columns columns;
    struct view_filter *filter;                    /* NULL: all calls */
    struct report_groups *groups[CMD_OUTPUTS_MAX]; /* likewise, with --group-by */
};

struct format {
    const char *name;
    void (*call)(struct text *, struct report_calls *, const struct call_summary *);
    void (*end)(struct text *, const struct report_calls *); /* NULL: nothing */
    void (*groups)(struct text *, struct report_groups *);
};

static const struct format formats[] = {
    {"csv", report_call_csv, report_calls_csv_end, report_groups_csv},
    {"ndjson", report_call_ndjson, NULL, report_groups_ndjson},
    {"text", report_call_text, report_calls_text_end, report_groups_text},
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

static void count_call(void *context, const struct call_summary *c)
{
    struct calls *run = context;
    const struct trace_point *points;
    trace_points(run->trace, &points);
    for (size_t i = 0; i < run->outputs.n; i++)
        report_groups_count(run->groups[i], points, c);
}

static void end_reports(struct calls *run)
{
    for (size_t i = 0; i < run->outputs.n; i++) {
        struct cmd_output *o = &run->outputs.items[i];
        const struct format *f = format_of(o);
        if (run->groups[i])
            f->groups(&o->text, run->groups[i]);
        else if (f->end)
            f->end(&o->text, &run->reports[i]);
    }
}

static bool read_columns(struct calls *run, const struct cmd_arguments *a, struct err *err)
{
    const char *list = cmd_value(a, CMD_OPT_COLUMNS), *by = cmd_value(a, CMD_OPT_GROUP_BY);
    if (list && by)
        return err_set(err, "--columns and --group-by: the one lists calls, the other counts them");
    if (list && !cmd_columns_read(&run->columns, list, err))
        return false;
    return !by || cmd_column_read(&run->columns, by, err);
}

static bool prepare(struct calls *run, const struct cmd_arguments *a, struct err *err)
{
    struct report_style style;
    bool by = cmd_given(a, CMD_OPT_GROUP_BY);
    if (!cmd_style(&style, a, err) || !read_columns(run, a, err) ||
        !cmd_filter_read(a, VIEW_FILTER_CALLS, &run->filter, err) ||
        !cmd_outputs_open(&run->outputs, a, err))
        return false;
    for (size_t i = 0; i < run->outputs.n; i++) {
        struct report_calls *r = &run->reports[i];
        r->style = cmd_style_for(&style, &run->outputs.items[i], a);
        r->columns = run->columns.items;
        r->column_count = run->columns.n;
        if (by)
            run->groups[i] = report_groups_new(&r->style, run->columns.items);
    }
    struct trace_options options = {.wants = run->columns.wants,
                                    .want_count = run->columns.want_count,
                                    .filter = view_filter_calls(run->filter)};
    run->trace = cmd_trace_open(a, &options, err);
    if (run->trace && run->filter)
        view_filter_begin(run->filter, run->trace);
    return run->trace != NULL;
}

int cmd_calls(const struct cmd_arguments *a)
{
    struct err err;
    struct calls run = {0};
    struct trace_sinks sinks = {.call = cmd_given(a, CMD_OPT_GROUP_BY) ? count_call : print_call,
                                .context = &run};
    bool ok = prepare(&run, a, &err) && cmd_trace_run(run.trace, &sinks, &run.outputs, &err);
    if (ok)
        end_reports(&run);
    if (ok)
        cmd_filter_points(run.filter, run.trace);
    int status = cmd_finish(run.trace, &run.outputs, ok, &err);
    for (size_t i = 0; i < CMD_OUTPUTS_MAX; i++)
        report_groups_free(run.groups[i]);
    if (status == CMD_HOLDS)
        cmd_filter_remarks(run.filter, "call");
    view_filter_free(run.filter);
    return status;
}

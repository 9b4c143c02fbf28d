/* sipxray messages: each SIP message of the captures, in their order. */
#include "cmd/internal.h"

#include <string.h>

struct messages {
    struct trace *trace;
    struct cmd_outputs outputs;
    struct report_messages reports[CMD_OUTPUTS_MAX]; /* one for each output */
    size_t points;                                   /* that the columns have room for */
    struct view_filter *filter;                      /* NULL: all */
};

/* Points by HEP come as they are met. */
static void make_room(struct messages *run, const struct trace_point *points, size_t n)
{
    size_t width = run->reports[0].point_width;
    for (; run->points < n; run->points++) {
        size_t name = text_width(slice_of(points[run->points].name));
        width = name > width ? name : width;
    }
    for (size_t i = 0; i < run->outputs.n; i++)
        run->reports[i].point_width = width > 12 ? 12 : width;
}

static bool is_wanted(const struct messages *run, const struct trace_message *m)
{
    struct trace_seen seen;
    if (!run->filter)
        return true;
    trace_seen_of(run->trace, m, &seen);
    return view_filter_message(run->filter, &seen) == VIEW_FILTER_YES;
}

static void print_message(void *context, const struct trace_message *m)
{
    struct messages *run = context;
    const struct trace_point *points;
    if (!is_wanted(run, m))
        return;
    size_t n = trace_points(run->trace, &points);
    if (n > run->points)
        make_room(run, points, n);
    for (size_t i = 0; i < run->outputs.n; i++) {
        struct cmd_output *o = &run->outputs.items[i];
        bool text = strcmp(o->format, "text") == 0;
        (text ? report_message_text : report_message_ndjson)(&o->text, &run->reports[i],
                                                             points[m->point].name, m);
        cmd_output_wrote(o);
    }
}

static void begin_reports(struct messages *run, const struct report_style *style,
                          const struct cmd_arguments *a)
{
    const struct trace_point *points;
    size_t n = trace_points(run->trace, &points);
    for (size_t i = 0; i < run->outputs.n; i++)
        run->reports[i].style = cmd_style_for(style, &run->outputs.items[i], a);
    make_room(run, points, n);
}

int cmd_messages(const struct cmd_arguments *a)
{
    struct err err;
    struct report_style style;
    struct trace_options options = {0};
    struct messages run = {0};
    struct trace_sinks sinks = {.message = print_message, .context = &run};
    bool ok = cmd_style(&style, a, &err) &&
              cmd_filter_read(a, VIEW_FILTER_MESSAGES, &run.filter, &err) &&
              cmd_outputs_open(&run.outputs, a, &err);
    size_t n = run.outputs.n;
    ok = ok && (run.trace = cmd_trace_open(a, &options, &err));
    if (ok) {
        begin_reports(&run, &style, a);
        ok = cmd_trace_run(run.trace, &sinks, &run.outputs, &err);
    }
    if (ok)
        cmd_filter_points(run.filter, run.trace);
    int status = cmd_finish(run.trace, &run.outputs, ok, &err);
    for (size_t i = 0; i < n; i++)
        report_messages_free(&run.reports[i]);
    if (status == CMD_HOLDS)
        cmd_filter_remarks(run.filter, "message");
    view_filter_free(run.filter);
    return status;
}

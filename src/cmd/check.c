/* sipxray check: judges each call against what is owed, prints the reports, and answers by the exit
 * status. */
#include "cmd/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct check {
    const struct cmd_arguments *arguments;
    struct report_style style;
    struct cmd_owed owed;
    struct view_filter *filter; /* of calls; NULL: all */
    struct check_summary summary;
    struct trace_options trace_options;
    struct trace *trace;
    struct cmd_outputs outputs;
    struct report {
        struct report_check report;
        bool whole;
        struct cmd_spool spool; /* of its calls, where it is whole */
    } reports[CMD_OUTPUTS_MAX];
    size_t report_count;
    struct cmd_exec exec;
    struct cmd_metrics *metrics;
};

/* ---- reports --------------------------------------------------------------------------------- */

/* Where a report's calls go: a format whose beginning tells how the run ended has them kept. */
static void print_call(void *context, const struct check_call *call)
{
    struct check *c = context;
    for (size_t i = 0; i < c->report_count; i++) {
        struct report *r = &c->reports[i];
        struct cmd_output *o = &c->outputs.items[i];
        report_check_call(r->whole ? &r->spool.text : &o->text, &r->report, call);
        if (r->whole)
            cmd_spool_wrote(&r->spool);
        else
            cmd_output_wrote(o);
    }
    cmd_exec_call(&c->exec, call);
    cmd_metrics_call(c->metrics, call);
}

/* Live, text is a line for each call, which is not broken but on a terminal. */
static const struct report_format *format_of(const struct check *c, const struct cmd_output *o,
                                             struct report_style *style)
{
    *style = cmd_style_for(&c->style, o, c->arguments);
    if (!c->trace_options.live || strcmp(o->format, "text") != 0)
        return report_format(o->format);
    if (o->path || !isatty(STDOUT_FILENO))
        style->width = SIZE_MAX;
    return report_format("live");
}

static bool formats_fit(const struct check *c, struct err *err)
{
    for (size_t i = 0; i < c->outputs.n; i++)
        if (cmd_given(c->arguments, CMD_OPT_LIVE) &&
            !cmd_has_word("text ndjson", slice_of(c->outputs.items[i].format)))
            return err_set(err, "--live prints text or ndjson; %s is made at the end of a run",
                           c->outputs.items[i].format);
    return true;
}

static void print_loss(void *context, const struct report_loss *loss)
{
    struct check *c = context;
    for (size_t i = 0; i < c->report_count; i++) {
        report_check_lost(&c->outputs.items[i].text, &c->reports[i].report, loss);
        cmd_output_wrote(&c->outputs.items[i]);
    }
}

static void begin_reports(struct check *c)
{
    for (size_t i = 0; i < c->outputs.n; i++) {
        struct report *r = &c->reports[c->report_count++];
        struct cmd_output *o = &c->outputs.items[i];
        struct report_style style;
        const struct report_format *format = format_of(c, o, &style);
        *r = (struct report){.report.style = style,
                             .report.format = format,
                             .report.changes = c->owed.options.baseline != NULL,
                             .whole = report_format_is_whole(format),
                             .spool.fd = -1};
        c->owed.options.everything |= report_format_wants_everything(format);
        if (r->whole && trace_is_live(c->trace))
            cmd_spool_open(&r->spool);
        if (!r->whole)
            report_check_begin(&o->text, &r->report, NULL);
    }
}

static bool end_report(struct report *r, struct cmd_output *o, const struct report_run *run,
                       struct err *err)
{
    if (r->whole)
        report_check_begin(&o->text, &r->report, run);
    if (r->whole && !cmd_spool_copy(&r->spool, o, err))
        return false;
    report_check_end(&o->text, &r->report, run);
    return true;
}

static bool end_reports(struct check *c, enum check_verdict verdict, struct err *err)
{
    struct report_run run = {.version = CMD_VERSION,
                             .verdict = verdict,
                             .allow_untested = c->owed.options.allow_untested,
                             .baseline = c->owed.options.baseline,
                             .summary = &c->summary,
                             .rules = &c->owed.rules};
    run.point_count = trace_points(c->trace, &run.points);
    run.node_count = trace_nodes(c->trace, &run.nodes);
    for (size_t i = 0; i < c->report_count; i++)
        if (!end_report(&c->reports[i], &c->outputs.items[i], &run, err))
            return false;
    return true;
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool prepare(struct check *c, struct err *err)
{
    const struct cmd_list *nodes = &c->arguments->values[CMD_OPT_NODE];
    if (!cmd_style(&c->style, c->arguments, err) ||
        !cmd_filter_read(c->arguments, VIEW_FILTER_CALLS, &c->filter, err) ||
        !cmd_outputs_open(&c->outputs, c->arguments, err) || !formats_fit(c, err) ||
        !cmd_owed_read(&c->owed, c->arguments, err))
        return false;
    check_summary_init(&c->summary, &c->owed.options);
    c->trace_options = (struct trace_options){
        .check = &c->owed.options,
        .summary = &c->summary,
        .livekit = cmd_value(c->arguments, CMD_OPT_LIVEKIT),
        .nodes = nodes->items,
        .node_count = nodes->n,
        .filter = view_filter_calls(c->filter),
    };
    c->trace = cmd_trace_open(c->arguments, &c->trace_options, err);
    if (c->trace && c->filter)
        view_filter_begin(c->filter, c->trace);
    if (c->trace)
        begin_reports(c);
    return c->trace != NULL;
}

static void tick(void *context)
{
    struct check *c = context;
    cmd_runner_look(&c->exec.runner);
    cmd_metrics_tick(c->metrics);
}

static bool serve(void *context, struct err *err)
{
    struct check *c = context;
    return cmd_metrics_serve(c->metrics, c->trace, err);
}

static bool run(struct check *c, struct err *err)
{
    struct trace_sinks sinks = {.check = print_call, .context = c};
    const struct cmd_hooks hooks = {
        .lost = cmd_given(c->arguments, CMD_OPT_LIVE) ? print_loss : NULL,
        .tick = tick,
        .begin = serve,
        .keep_user = cmd_given(c->arguments, CMD_OPT_METRICS_FILE),
        .context = c,
    };
    cmd_trace_hooks(&hooks);
    bool ok = cmd_exec_start(&c->exec, c->arguments, err) &&
              cmd_metrics_start(&c->metrics, c->arguments, &c->exec.runner, err) &&
              prepare(c, err) && cmd_trace_run(c->trace, &sinks, &c->outputs, err);
    cmd_exec_end(&c->exec);
    cmd_metrics_end(c->metrics);
    return ok;
}

static int judge(struct check *c, struct err *err)
{
    static const int statuses[] = {[CHECK_PASS] = CMD_HOLDS,
                                   [CHECK_FAIL] = CMD_FAILS,
                                   [CHECK_INCONCLUSIVE] = CMD_INCONCLUSIVE};
    bool ok = run(c, err);
    if (ok)
        check_summary_end(&c->summary, &c->owed.options);
    enum check_verdict verdict =
        ok ? check_summary_verdict(&c->summary, &c->owed.options) : CHECK_FAIL;
    ok = ok && end_reports(c, verdict, err);
    ok = cmd_outputs_close(&c->outputs, ok, err) && ok;
    if (!ok) {
        cmd_complain("%s", err->text);
        return CMD_ERROR;
    }
    cmd_trace_remarks(c->trace);
    cmd_filter_points(c->filter, c->trace);
    cmd_filter_remarks(c->filter, "call");
    return statuses[verdict];
}

int cmd_check(const struct cmd_arguments *a)
{
    struct err err;
    struct check c = {.arguments = a};
    int status = judge(&c, &err);
    if (c.trace)
        trace_free(c.trace);
    check_summary_free(&c.summary);
    for (size_t i = 0; i < c.report_count; i++) {
        cmd_spool_free(&c.reports[i].spool);
        report_check_free(&c.reports[i].report);
    }
    cmd_owed_free(&c.owed);
    view_filter_free(c.filter);
    return status;
}

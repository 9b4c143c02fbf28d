/* sipxray check: judges each call against what is owed, prints the reports, and answers by the exit
 * status. */
#include "cmd/internal.h"

#include <stdlib.h>
#include <string.h>

struct check {
    const struct cmd_arguments *arguments;
    struct report_style style;
    struct expect_trunks trunks;
    struct expect_values values;
    struct expect_rules rules;
    struct slice *follow;
    struct check_outside *outside;
    struct expect_sayna sayna;
    struct check_options options;
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
};

/* ---- what is owed ---------------------------------------------------------------------------- */

static bool read_trunks(struct check *c, struct err *err)
{
    const struct cmd_list *files = &c->arguments->values[CMD_OPT_TRUNK];
    const char *id = cmd_value(c->arguments, CMD_OPT_TRUNK_ID);
    for (size_t i = 0; i < files->n; i++)
        if (!expect_trunks_read(&c->trunks, files->items[i], err))
            return false;
    c->options.trunks = &c->trunks;
    if (!id)
        return true;
    if (files->n == 0)
        return err_set(err, "--trunk-id needs --trunk: where is the trunk %s?", id);
    c->options.forced = expect_trunk_by_id(&c->trunks, slice_of(id));
    return c->options.forced ||
           err_set(err, "--trunk-id %s: no trunk of this id in the files given", id);
}

static bool read_values(struct check *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_VALUES);
    if (!path)
        return true;
    if (!cmd_given(c->arguments, CMD_OPT_TRUNK))
        return err_set(err, "--values needs --trunk: attributes have headers by a trunk only");
    c->options.values = &c->values;
    return expect_values_read(&c->values, path, err);
}

static bool read_baseline(struct check *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_BASELINE);
    if (path)
        c->options.baseline = check_baseline_read(path, err);
    return !path || c->options.baseline;
}

static void read_follow(struct check *c)
{
    const struct cmd_list *patterns = &c->arguments->values[CMD_OPT_FOLLOW];
    c->follow = base_alloc((patterns->n + 1) * sizeof *c->follow);
    for (size_t i = 0; i < patterns->n; i++)
        c->follow[i] = slice_of(patterns->items[i]);
    c->options.follow = c->follow;
    c->options.follow_count = patterns->n;
}

static const char *pack_name(size_t i)
{
    const struct check_pack *p = check_pack_at(i);
    return p ? p->name : NULL;
}

static bool fail_no_pack(const char *name, struct err *err)
{
    const char *near = nearest_word(name, pack_name);
    struct text names = {0};
    for (size_t i = 0; pack_name(i); i++)
        text_printf(&names, "%s%s", i ? ", " : "", pack_name(i));
    (void)err_set(err, "--pack %s: no such pack%s%s%s; there are %s", name,
                  near ? "; did you mean " : "", near ? near : "", near ? "?" : "", names.p);
    text_free(&names);
    return false;
}

static bool has_pack(const struct check *c, const char *name)
{
    for (size_t i = 0; pack_name(i); i++)
        if (strcmp(pack_name(i), name) == 0)
            return c->options.packs >> i & 1;
    return false;
}

static bool read_outside(struct check *c, struct err *err)
{
    const struct cmd_list *specs = &c->arguments->values[CMD_OPT_OUTSIDE];
    if (specs->n && !has_pack(c, "leak"))
        return err_set(err, "--outside needs --pack leak: no other rule asks what is outside");
    c->outside = base_alloc((specs->n + 1) * sizeof *c->outside);
    for (size_t i = 0; i < specs->n; i++)
        c->outside[i] = check_outside_of(slice_of(specs->items[i]));
    c->options.outside = c->outside;
    c->options.outside_count = specs->n;
    return true;
}

static bool read_sayna(struct check *c, struct err *err)
{
    const char *path = cmd_value(c->arguments, CMD_OPT_SAYNA);
    if (!has_pack(c, "sayna"))
        return !path || err_set(err, "--sayna needs --pack sayna: no other rule asks for it");
    c->options.sayna = &c->sayna;
    return path ? expect_sayna_read(&c->sayna, path, err)
                : expect_sayna_variables(&c->sayna, getenv, err);
}

/* The packs look at messages that no trunk speaks of as well. */
static bool read_packs(struct check *c, struct err *err)
{
    const struct cmd_list *names = &c->arguments->values[CMD_OPT_PACK];
    for (size_t k = 0; k < names->n; k++) {
        size_t i = 0;
        while (pack_name(i) && strcmp(pack_name(i), names->items[k]) != 0)
            i++;
        if (!pack_name(i))
            return fail_no_pack(names->items[k], err);
        c->options.packs |= 1u << i;
        c->options.everything = true;
    }
    return read_outside(c, err) && read_sayna(c, err);
}

/* All mistakes are told, each with its place; the last is the error. */
static bool fail_mistakes(const struct expect_mistakes *m, struct err *err)
{
    for (size_t i = 0; i + 1 < m->n; i++)
        cmd_complain("%.*s", SLICE_ARG(m->items[i]));
    if (m->more)
        cmd_complain("and %zu more mistakes", m->more);
    return err_set(err, "%.*s", SLICE_ARG(m->items[m->n - 1]));
}

static bool read_lines(struct check *c, enum cmd_option_id option, struct expect_mistakes *m)
{
    const struct cmd_list *lines = &c->arguments->values[option];
    bool ok = true;
    for (size_t i = 0; i < lines->n; i++)
        ok &= expect_rules_line(&c->rules, option == CMD_OPT_FORBID, lines->items[i], m);
    return ok;
}

static bool read_rules(struct check *c, struct err *err)
{
    const struct cmd_list *files = &c->arguments->values[CMD_OPT_RULES];
    struct expect_mistakes m = {0};
    bool ok = true;
    for (size_t i = 0; i < files->n; i++)
        ok &= expect_rules_read(&c->rules, files->items[i], &m);
    ok &= read_lines(c, CMD_OPT_REQUIRE, &m) & read_lines(c, CMD_OPT_FORBID, &m);
    if (!ok)
        (void)fail_mistakes(&m, err);
    expect_mistakes_free(&m);
    c->options.rules = &c->rules;
    c->options.strict = cmd_given(c->arguments, CMD_OPT_STRICT);
    if (ok && c->options.strict && c->rules.n == 0)
        return err_set(err, "--strict needs rules: --rules, --require or --forbid");
    return ok;
}

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
}

static void begin_reports(struct check *c)
{
    for (size_t i = 0; i < c->outputs.n; i++) {
        struct report *r = &c->reports[c->report_count++];
        struct cmd_output *o = &c->outputs.items[i];
        const struct report_format *format = report_format(o->format);
        *r = (struct report){.report.style = cmd_style_for(&c->style, o, c->arguments),
                             .report.format = format,
                             .report.changes = c->options.baseline != NULL,
                             .whole = report_format_is_whole(format),
                             .spool.fd = -1};
        c->options.everything |= report_format_wants_everything(format);
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
                             .allow_untested = c->options.allow_untested,
                             .baseline = c->options.baseline,
                             .summary = &c->summary,
                             .rules = &c->rules};
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
    c->options.allow_untested = cmd_given(c->arguments, CMD_OPT_ALLOW_UNTESTED);
    read_follow(c);
    if (!cmd_style(&c->style, c->arguments, err) ||
        !cmd_outputs_open(&c->outputs, c->arguments, err) || !read_trunks(c, err) ||
        !read_values(c, err) || !read_rules(c, err) || !read_baseline(c, err) ||
        !read_packs(c, err))
        return false;
    check_summary_init(&c->summary, &c->options);
    c->trace_options = (struct trace_options){
        .check = &c->options,
        .summary = &c->summary,
        .livekit = cmd_value(c->arguments, CMD_OPT_LIVEKIT),
        .nodes = nodes->items,
        .node_count = nodes->n,
    };
    c->trace = cmd_trace_open(c->arguments, &c->trace_options, err);
    if (c->trace)
        begin_reports(c);
    return c->trace != NULL;
}

static int judge(struct check *c, struct err *err)
{
    static const int statuses[] = {[CHECK_PASS] = CMD_HOLDS,
                                   [CHECK_FAIL] = CMD_FAILS,
                                   [CHECK_INCONCLUSIVE] = CMD_INCONCLUSIVE};
    struct trace_sinks sinks = {.check = print_call, .context = c};
    bool ok = prepare(c, err) && cmd_trace_run(c->trace, &sinks, &c->outputs, err);
    if (ok)
        check_summary_end(&c->summary, &c->options);
    enum check_verdict verdict = ok ? check_summary_verdict(&c->summary, &c->options) : CHECK_FAIL;
    ok = ok && end_reports(c, verdict, err);
    ok = cmd_outputs_close(&c->outputs, ok, err) && ok;
    if (!ok) {
        cmd_complain("%s", err->text);
        return CMD_ERROR;
    }
    cmd_trace_remarks(c->trace);
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
    check_baseline_free(c.options.baseline);
    expect_values_free(&c.values);
    expect_rules_free(&c.rules);
    expect_trunks_free(&c.trunks);
    free(c.follow);
    free(c.outside);
    expect_sayna_free(&c.sayna);
    return status;
}

/* What a probe tells: its messages as they come, and the judgement at the end. */
#include "cmd/probe.h"

#include <string.h>
#include <unistd.h>

#define STEP_FRAMES 1000u
#define WAIT_US     20000u
#define LATE_US     1200000u  /* until what tcpdump has seen is in its file, or here */
#define START_US    10000000u /* until a command, ssh perhaps, has begun to capture */

/* ---- sources --------------------------------------------------------------------------------- */

enum kind {
    INTERFACE,
    ELSEWHERE, /* live too, and it may take a while from there to here */
    FILES,     /* read after the calls, when whoever captures has written them */
};

static enum kind kind_of(const char *spec)
{
    static const char *const schemes[] = {"iface:", "cmd:", "hep:", "k8s:"};
    struct slice path = slice_of(spec);
    size_t at = slice_find(path, '=');
    struct slice before = slice_first(path, at);
    if (at < path.n && slice_find(before, ':') == at && slice_find(before, '/') == at)
        path = slice_from(path, at + 1);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (slice_starts(path, slice_of(schemes[i])))
            return i == 0 ? INTERFACE : ELSEWHERE;
    return slice_is(path, "-") ? ELSEWHERE : FILES;
}

static bool has(const struct cmd_probe_out *out, enum kind kind)
{
    const struct cmd_list *specs = &out->in->arguments->operands;
    bool found = false;
    for (size_t i = 1; i < specs->n; i++)
        found |= kind_of(specs->items[i]) == kind;
    return found;
}

static bool add_sources(struct cmd_probe_out *out, bool live, struct err *err)
{
    const struct cmd_list *specs = &out->in->arguments->operands;
    for (size_t i = 1; i < specs->n; i++)
        if ((kind_of(specs->items[i]) != FILES) == live) {
            out->live |= live;
            if (!trace_add(out->trace, specs->items[i], err))
                return false;
        }
    return true;
}

/* ---- messages as they come ------------------------------------------------------------------- */

static bool is_ours(const struct cmd_probe_out *out, const char *point)
{
    for (unsigned end = 0; end < PROBE_ENDS; end++)
        if (out->in->options.play[end] &&
            strcmp(point, probe_end_name(&out->in->script, (enum probe_end)end)) == 0)
            return true;
    return false;
}

/* What our ends received, in the schema of `messages`. */
static void print_message(void *context, const struct trace_message *m)
{
    struct cmd_probe_out *out = context;
    const struct trace_point *points;
    trace_points(out->trace, &points);
    if (m->payload->direction != SOURCE_IN || !is_ours(out, points[m->point].name))
        return;
    for (size_t i = 0; i < out->outputs.n; i++) {
        struct cmd_output *o = &out->outputs.items[i];
        if (strcmp(o->format, "ndjson") != 0)
            continue;
        report_message_ndjson(&o->text, &out->messages, points[m->point].name, m);
        cmd_output_wrote(o);
    }
    cmd_outputs_show(&out->outputs);
}

static struct slice without_secret(const struct cmd_probe_out *out, struct slice line)
{
    struct slice name = slice_trim(slice_first(line, slice_find(line, ':')));
    bool secret = sip_is_secret(name) || sip_is_credentials(name);
    return secret && !out->style.show_secrets ? name : line;
}

/* The bytes as they would go out, line by line; of a header that carries a secret the name only. */
static void print_dry(struct cmd_probe_out *out, const struct probe_entry *e)
{
    struct text *t = &out->outputs.items[0].text;
    struct slice rest = e->bytes;
    text_printf(t, "%s: %s %s, %zu bytes\n", probe_end_name(&out->in->script, e->end),
                probe_transport_name(e->transport), endpoint_format(&e->dst).s, e->bytes.n);
    while (rest.n) {
        size_t n = slice_find(rest, '\n');
        struct slice line = slice_first(rest, n);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        text_add(t, SLICE("  "));
        text_add_terminal(t, without_secret(out, line));
        text_add_char(t, '\n');
        rest = slice_from(rest, n + 1);
    }
    text_add_char(t, '\n');
    cmd_output_wrote(&out->outputs.items[0]);
}

/* ---- during the run -------------------------------------------------------------------------- */

/* Files what has come until now.  False: the sources are at their end, or failed. */
static bool read_on(struct cmd_probe_out *out, bool *wait)
{
    enum trace_step step = TRACE_MORE;
    if (out->trace_error.text[0])
        return false;
    while (step == TRACE_MORE)
        step = trace_run_step(out->trace, STEP_FRAMES, &out->trace_error);
    *wait = step == TRACE_WAIT;
    return *wait;
}

static void take_entry(void *context, const struct probe_entry *e)
{
    struct cmd_probe_out *out = context;
    bool wait;
    if (out->in->options.dry) {
        if (e->kind == PROBE_SENT)
            print_dry(out, e);
        return;
    }
    probe_judge_entry(out->judge, e);
    (void)read_on(out, &wait);
}

static void take_call(void *context, const struct probe_call_result *result,
                      const struct probe_log *log)
{
    struct cmd_probe_out *out = context;
    out->calls++;
    if (!out->in->options.dry)
        probe_judge_call(out->judge, result, log);
}

/* A path that does not answer at all is not asked again, but once. */
static bool goes_on(void *context)
{
    const struct cmd_probe_out *out = context;
    return out->in->options.dry || out->calls < 2 || probe_judge_reached(out->judge);
}

static void read_beside(void *context)
{
    struct cmd_probe_out *out = context;
    bool wait;
    (void)read_on(out, &wait);
}

/* Where the path takes the Subject away, the calls of the suite are known by their order. */
static const struct probe_call_plan *choose_call(void *context, const struct sip_message *invite)
{
    struct cmd_probe_out *out = context;
    const struct probe_script *s = &out->in->script;
    const struct probe_call_plan *found = probe_script_find(s, invite);
    if (!found && !s->has_trunk)
        found = &s->plan.calls[out->next_call % s->plan.call_count];
    if (found)
        out->next_call = (size_t)(found - s->plan.calls) + 1;
    return found;
}

void cmd_probe_watch(struct cmd_probe_out *out, struct probe_watch *watch)
{
    *watch = (struct probe_watch){.entry = take_entry,
                                  .ended = take_call,
                                  .choose = choose_call,
                                  .goes_on = goes_on,
                                  .context = out};
    if (out->live)
        watch->idle = read_beside;
}

static void take_journeys(void *context, const struct hop_call *call)
{
    struct cmd_probe_out *out = context;
    probe_judge_journeys(out->judge, call);
}

static bool begin_trace(struct cmd_probe_out *out, struct err *err)
{
    const struct cmd_arguments *a = out->in->arguments;
    const struct cmd_list *nodes = &a->values[CMD_OPT_NODE];
    out->trace_options = (struct trace_options){.livekit = cmd_value(a, CMD_OPT_LIVEKIT),
                                                .nodes = nodes->items,
                                                .node_count = nodes->n,
                                                .threads = 1,
                                                .stop = &out->stop};
    if (!cmd_read_sources(a, &out->trace_options, err))
        return false;
    const struct trace_sinks sinks = {
        .message = print_message, .flow = take_journeys, .context = out};
    out->trace = trace_new(&out->trace_options);
    out->judge = probe_judge_new(&out->in->script, out->in->options.play);
    return probe_judge_attach(out->judge, out->trace, err) && add_sources(out, true, err) &&
           cmd_add_keys(out->trace, a, err) && (!out->live || cmd_privileges_drop(true, err)) &&
           trace_run_begin(out->trace, &sinks, err);
}

/* `probe answer` writes what it receives; its report then goes where it does not stand in between.
 */
static bool open_outputs(struct cmd_probe_out *out, struct err *err)
{
    const struct cmd_arguments *a = out->in->arguments;
    if (!cmd_outputs_open(&out->outputs, a, err))
        return false;
    if (out->in->mode == CMD_PROBE_ANSWER && !cmd_given(a, CMD_OPT_FORMAT))
        strcpy(out->outputs.items[0].format, "ndjson");
    return true;
}

bool cmd_probe_out_begin(struct cmd_probe_out *out, const struct cmd_probe_in *in, struct err *err)
{
    out->in = in;
    if (!cmd_style(&out->style, in->arguments, err) || !open_outputs(out, err))
        return false;
    out->messages.style = out->style;
    out->messages.style.colour = false;
    return in->options.dry || begin_trace(out, err);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static bool is_awaited(const struct cmd_probe_out *out, bool complain)
{
    const struct trace_point *points;
    size_t n = trace_points(out->trace, &points);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (!points[i].source->awaited)
            continue;
        found = true;
        if (complain)
            cmd_complain("%s: nothing came from it within %u s: the calls are made all the same",
                         points[i].name, START_US / 1000000);
    }
    return found;
}

/* What is sent before a command captures would not be seen there. */
void cmd_probe_await(struct cmd_probe_out *out)
{
    const volatile sig_atomic_t *stop = out->in->options.stop;
    bool wait = out->live && has(out, ELSEWHERE);
    for (uint32_t waited = 0; wait && read_on(out, &wait) && is_awaited(out, waited >= START_US);
         waited += WAIT_US) {
        if (waited >= START_US || *stop)
            return;
        usleep(WAIT_US);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool end_trace(struct cmd_probe_out *out, struct err *err)
{
    bool wait;
    struct err why;
    probe_judge_end(out->judge);
    if (has(out, FILES) || has(out, ELSEWHERE))
        usleep(LATE_US);
    /* the calls were made: what they showed is told all the same */
    if (!add_sources(out, false, &why)) {
        cmd_complain("%s", why.text);
        out->incomplete = true;
    }
    if (out->live)
        usleep(10 * WAIT_US); /* what the last packets take to the sources */
    out->stop = 1;
    while (read_on(out, &wait))
        usleep(WAIT_US);
    if (out->trace_error.text[0]) {
        cmd_complain("%s", out->trace_error.text);
        out->incomplete = true;
    }
    return trace_run_end(out->trace, err);
}

static struct slice known(const char *s)
{
    return s ? slice_of(s) : SLICE_NONE;
}

static void fill(struct cmd_probe_out *out, const struct probe_run *run, struct report_probe *p)
{
    const struct probe_options *o = &out->in->options;
    *p = (struct report_probe){.version = CMD_VERSION,
                               .command = out->in->arguments->operands.items[0],
                               .via = known(o->via),
                               .to = o->to,
                               .transport = o->play[PROBE_CALLER]
                                                ? slice_of(probe_transport_name(o->transport))
                                                : SLICE_NONE};
    probe_judge_report(out->judge, &run->log.counts, p);
    p->point_count = trace_points(out->trace, &p->points);
}

static void print_reports(struct cmd_probe_out *out, const struct report_probe *p)
{
    for (size_t i = 0; i < out->outputs.n; i++) {
        struct cmd_output *o = &out->outputs.items[i];
        struct report_style style = cmd_style_for(&out->style, o, out->in->arguments);
        if (strcmp(o->format, "ndjson") != 0)
            report_probe(&o->text, &style, o->format, p);
        cmd_output_wrote(o);
    }
}

/* To standard error, where standard output has the messages. */
static void print_aside(struct cmd_probe_out *out, const struct report_probe *p)
{
    struct text t = {0};
    if (cmd_given(out->in->arguments, CMD_OPT_FORMAT) || out->in->mode != CMD_PROBE_ANSWER)
        return;
    report_probe(&t, &out->style, "text", p);
    (void)!write(STDERR_FILENO, t.p, t.n);
    text_free(&t);
}

static int status_of(const struct cmd_probe_out *out, const struct report_probe *p)
{
    static const int statuses[] = {[CHECK_PASS] = CMD_HOLDS,
                                   [CHECK_FAIL] = CMD_FAILS,
                                   [CHECK_INCONCLUSIVE] = CMD_INCONCLUSIVE};
    if (p->path_failed || out->incomplete)
        return CMD_ERROR;
    if (p->verdict == CHECK_INCONCLUSIVE && cmd_given(out->in->arguments, CMD_OPT_ALLOW_UNTESTED))
        return CMD_HOLDS;
    return statuses[p->verdict];
}

/* No call came about: what the first one met with. */
static void complain_path(const struct report_probe *p)
{
    if (p->step_count)
        cmd_complain("no call came about: %.*s: %.*s", SLICE_ARG(p->steps[0].message),
                     SLICE_ARG(p->steps[0].words));
    else
        cmd_complain("no call came about");
}

int cmd_probe_out_end(struct cmd_probe_out *out, const struct probe_run *run, struct err *err)
{
    struct report_probe p;
    err->text[0] = '\0';
    if (out->in->options.dry)
        return cmd_outputs_close(&out->outputs, true, err) ? CMD_HOLDS : CMD_ERROR;
    if (!end_trace(out, err)) {
        cmd_outputs_close(&out->outputs, false, NULL);
        return CMD_ERROR;
    }
    fill(out, run, &p);
    print_reports(out, &p);
    if (!cmd_outputs_close(&out->outputs, true, err))
        return CMD_ERROR;
    print_aside(out, &p);
    cmd_trace_remarks(out->trace);
    if (p.path_failed)
        complain_path(&p);
    return status_of(out, &p);
}

void cmd_probe_out_free(struct cmd_probe_out *out)
{
    if (out->trace)
        trace_free(out->trace);
    probe_judge_free(out->judge);
    report_messages_free(&out->messages);
}

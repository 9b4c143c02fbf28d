/* The run over captures that check, calls and messages share. */
#include "cmd/internal.h"

struct trace *cmd_trace_open(const struct cmd_arguments *a, struct trace_options *options,
                             struct err *err)
{
    if (a->operands.n == 0) {
        err_set(err, "%s needs a capture to read: sipxray %s [NAME=]FILE...", a->command->name,
                a->command->name);
        return NULL;
    }
    options->bpf = cmd_value(a, CMD_OPT_BPF);
    struct trace *t = trace_new(options);
    for (size_t i = 0; i < a->operands.n; i++)
        if (!trace_add(t, a->operands.items[i], err)) {
            trace_free(t);
            return NULL;
        }
    return t;
}

/* A capture of which no frame can be read is a mistake; a few such frames are a remark. */
static bool links_are_readable(const struct trace *t, struct err *err)
{
    const struct trace_point *points;
    size_t n = trace_points(t, &points);
    for (size_t i = 0; i < n; i++) {
        const struct packet_stats *s = points[i].packet;
        char fallback[24];
        if (s->unknown_link && s->unknown_link == s->frames)
            return err_set(err, "%s: link type %s, which sipxray does not read", points[i].path,
                           source_link_name(s->unknown_link_type, fallback));
    }
    return true;
}

bool cmd_trace_run(struct trace *t, const struct trace_sinks *sinks, struct err *err)
{
    cmd_progress_begin(t);
    bool ok = trace_run(t, sinks, err);
    cmd_progress_clear();
    return ok && links_are_readable(t, err);
}

/* A point that is silent, and SIP that may be in what is not read. */
static void remark_point(const struct trace_point *p)
{
    const struct packet_stats *s = p->packet;
    if (p->source->truncated)
        cmd_complain("%s: truncated in %s; read up to there", p->path, p->source->truncated_at);
    if (p->messages == 0)
        cmd_complain("note: %s: no SIP message; packets read: %llu", p->name,
                     (unsigned long long)s->frames);
    if (s->other_transport)
        cmd_complain("note: %s: IP packets other than UDP, TCP and SCTP passed over: %llu", p->name,
                     (unsigned long long)s->other_transport);
}

void cmd_trace_remarks(struct trace *t)
{
    const struct trace_point *points;
    const struct trace_notice *notices;
    size_t n = trace_points(t, &points);
    for (size_t i = 0; i < n; i++)
        remark_point(&points[i]);
    n = trace_notices(t, &notices);
    for (size_t i = 0; i < n; i++)
        cmd_complain("note: %.*s", SLICE_ARG(notices[i].text));
}

int cmd_finish(struct trace *t, struct cmd_outputs *o, bool ok, struct err *err)
{
    if (ok)
        ok = cmd_outputs_close(o, true, err);
    else
        cmd_outputs_close(o, false, NULL);
    if (ok)
        cmd_trace_remarks(t);
    else
        cmd_complain("%s", err->text);
    if (t)
        trace_free(t);
    return ok ? CMD_HOLDS : CMD_ERROR;
}

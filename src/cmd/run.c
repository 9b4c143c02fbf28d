/* The run over captures that check, calls and messages share. */
#include "cmd/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key log that only the environment names may be missing: it was not asked for here. */
static void add_environment_keys(struct trace *t)
{
    const char *path = getenv("SSLKEYLOGFILE");
    struct err err;
    if (path && path[0] && !trace_add_keylog(t, path, &err))
        cmd_complain("note: SSLKEYLOGFILE: %s", err.text);
}

bool cmd_add_keys(struct trace *t, const struct cmd_arguments *a, struct err *err)
{
    const struct cmd_list *logs = &a->values[CMD_OPT_KEYLOG], *keys = &a->values[CMD_OPT_TLS_KEY];
    for (size_t i = 0; i < logs->n; i++)
        if (!trace_add_keylog(t, logs->items[i], err))
            return false;
    for (size_t i = 0; i < keys->n; i++)
        if (!trace_add_tls_key(t, keys->items[i], err))
            return false;
    return true;
}

static bool add_sources(struct trace *t, const struct cmd_arguments *a, struct err *err)
{
    for (size_t i = 0; i < a->operands.n; i++)
        if (!trace_add(t, a->operands.items[i], err))
            return false;
    return true;
}

static bool read_threads(const struct cmd_arguments *a, struct trace_options *options,
                         struct err *err)
{
    const char *value = cmd_value(a, CMD_OPT_THREADS);
    uint32_t n;
    if (!value)
        return true;
    if (!slice_to_u32(slice_of(value), &n) || n < 1)
        return err_set(err, "--threads %s: a number from 1 on", value);
    options->threads = n;
    return true;
}

#define MEMORY_USUAL 512u /* MB */
#define MB           (1024u * 1024u)

static uint32_t run_seconds; /* --for; 0: not given */

bool cmd_read_memory(const struct cmd_arguments *a, struct trace_options *options, struct err *err)
{
    const char *value = cmd_value(a, CMD_OPT_MEMORY);
    uint32_t mb = MEMORY_USUAL;
    if (value && (!slice_to_u32(slice_of(value), &mb) || mb == 0))
        return err_set(err, "--memory %s: a number of MB from 1 on", value);
    options->memory = (uint64_t)mb * MB;
    return true;
}

uint32_t cmd_seconds(struct slice text)
{
    static const char units[] = "smhd";
    static const uint32_t factors[] = {1, 60, 3600, 86400};
    uint64_t all = 0;
    while (text.n) {
        size_t digits = 0;
        uint32_t n;
        while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
            digits++;
        const char *unit = digits < text.n ? strchr(units, text.p[digits]) : units;
        if (!slice_to_u32(slice_first(text, digits), &n) || !unit || n > UINT32_MAX / 86400)
            return 0;
        all += (uint64_t)n * factors[unit - units];
        text = slice_from(text, digits + 1);
    }
    return all > INT32_MAX ? 0 : (uint32_t)all;
}

static bool read_end(const struct cmd_arguments *a, struct trace_options *options, struct err *err)
{
    const char *time = cmd_value(a, CMD_OPT_FOR), *calls = cmd_value(a, CMD_OPT_CALLS);
    uint32_t n = 0;
    run_seconds = time ? cmd_seconds(slice_of(time)) : 0;
    if (time && !run_seconds)
        return err_set(err, "--for %s: a time such as 90s, 10m or 1h30m", time);
    if (calls && (!slice_to_u32(slice_of(calls), &n) || n == 0))
        return err_set(err, "--calls %s: a number from 1 on", calls);
    if (calls && !options->live)
        return err_set(err, "--calls counts the calls of --live, which is missing");
    options->calls_max = n;
    return true;
}

static bool read_live(const struct cmd_arguments *a, struct trace_options *options, struct err *err)
{
    options->source.follow = cmd_given(a, CMD_OPT_LIVE);
    options->live |= options->source.follow;
    return read_end(a, options, err) && (!options->live || cmd_read_memory(a, options, err));
}

static bool read_interface(const struct cmd_arguments *a, struct trace_options *options,
                           struct err *err)
{
    const char *value = cmd_value(a, CMD_OPT_BUFFER);
    uint32_t *mb = &options->source.ring_mb;
    options->source.promiscuous = cmd_given(a, CMD_OPT_PROMISCUOUS);
    if (value && (!slice_to_u32(slice_of(value), mb) || *mb < 1 || *mb > SOURCE_RING_MB_MAX))
        return err_set(err, "--buffer %s: a number of MB from 1 to %u", value, SOURCE_RING_MB_MAX);
    return true;
}

/* The first line of a file, so that no key stands on a command line, which everybody can see. */
bool cmd_hep_key(const struct cmd_arguments *a, char key[SOURCE_HEP_KEY_MAX + 1], struct err *err)
{
    const char *path = cmd_value(a, CMD_OPT_HEP_KEY_FILE), *text = getenv("SIPXRAY_HEP_KEY");
    if (text && !*text)
        text = NULL;
    char line[SOURCE_HEP_KEY_MAX + 2] = "";
    FILE *f = path ? fopen(path, "re") : NULL;
    if (path && !f)
        return err_set(err, "--hep-key-file %s: %s", path, strerror(errno));
    if (f) {
        size_t n = fread(line, 1, sizeof line - 1, f);
        line[n] = '\0';
        fclose(f);
        text = line;
    }
    size_t n = text ? strcspn(text, "\r\n") : 0;
    const char *what = path ? path : "SIPXRAY_HEP_KEY";
    if (text && n == 0)
        return err_set(err, "%s: it begins with an empty line, where a key should be", what);
    if (n > SOURCE_HEP_KEY_MAX)
        return err_set(err, "%s: a key of more than %u bytes", what, SOURCE_HEP_KEY_MAX);
    memcpy(key, text ? text : "", n);
    key[n] = '\0';
    return true;
}

static bool read_remote(const struct cmd_arguments *a, struct trace_options *options,
                        struct err *err)
{
    const char *value = cmd_value(a, CMD_OPT_RETRY);
    uint32_t *s = &options->source.retry_s;
    if (value)
        *s = SOURCE_RETRY_S;
    if (value && *value && (!slice_to_u32(slice_of(value), s) || *s < 1 || *s > 3600))
        return err_set(err, "--retry=%s: a number of seconds from 1 to 3600", value);
    options->source.k8s_image = cmd_value(a, CMD_OPT_K8S_IMAGE);
    return cmd_hep_key(a, options->source.hep_key, err);
}

bool cmd_read_sources(const struct cmd_arguments *a, struct trace_options *options, struct err *err)
{
    options->bpf = cmd_value(a, CMD_OPT_BPF);
    return read_interface(a, options, err) && read_remote(a, options, err);
}

struct trace *cmd_trace_open(const struct cmd_arguments *a, struct trace_options *options,
                             struct err *err)
{
    if (a->operands.n == 0) {
        err_set(err, "%s needs a capture to read: sipxray %s [NAME=]FILE...", a->command->name,
                a->command->name);
        return NULL;
    }
    if (!read_threads(a, options, err) || !read_live(a, options, err) ||
        !cmd_read_sources(a, options, err))
        return NULL;
    options->stop = cmd_signal_stop();
    struct trace *t = trace_new(options);
    if (!add_sources(t, a, err) || !cmd_add_keys(t, a, err)) {
        trace_free(t);
        return NULL;
    }
    if (cmd_given(a, CMD_OPT_VERBOSE) && trace_widened_filter(t))
        cmd_complain("capture filter widened to IP fragments: %s", trace_widened_filter(t));
    add_environment_keys(t);
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

struct watched {
    const struct trace *trace;
    struct cmd_outputs *outputs;
    struct cmd_live live;
};

static const struct cmd_hooks *run_hooks;

void cmd_trace_hooks(const struct cmd_hooks *hooks)
{
    run_hooks = hooks;
}

static void show_outputs(void *context)
{
    struct watched *w = context;
    cmd_live_tick(&w->live);
    cmd_outputs_show(w->outputs);
}

/* That a live source has ended is told at once, for the others may go on for hours. */
static void tell_ended(void *context, uint32_t point)
{
    const struct watched *w = context;
    const struct trace_point *points;
    trace_points(w->trace, &points);
    if (points[point].source->remark)
        cmd_complain("%s: %s", points[point].path, points[point].source->remark);
}

static void tell_news(void *context, uint32_t point, const char *text)
{
    const struct watched *w = context;
    const struct trace_point *points;
    trace_points(w->trace, &points);
    cmd_complain("%s: %s", points[point].path, text);
}

bool cmd_trace_run(struct trace *t, const struct trace_sinks *sinks, struct cmd_outputs *outputs,
                   struct err *err)
{
    struct watched w = {t, outputs, {.trace = t, .hooks = run_hooks}};
    const struct trace_watch watch = {
        .idle = show_outputs, .ended = tell_ended, .news = tell_news, .context = &w};
    bool live = trace_is_live(t);
    if (run_seconds && !live)
        return err_set(err, "--for: no source is live; files are read to their end");
    cmd_signals_begin(live);
    if (run_seconds)
        cmd_signal_alarm(run_seconds);
    if (live)
        cmd_outputs_patient(outputs);
    bool keep_user = cmd_outputs_replace(outputs) || (run_hooks && run_hooks->keep_user);
    if (live && !cmd_privileges_drop(keep_user, err))
        return false;
    if (run_hooks && run_hooks->begin && !run_hooks->begin(run_hooks->context, err))
        return false;
    if (live && !cmd_confine(run_hooks && run_hooks->connects, err))
        return false;
    if (!live)
        cmd_progress_begin(t);
    trace_set_watch(t, &watch);
    bool ok = trace_run(t, sinks, err);
    cmd_progress_clear();
    cmd_live_end(&w.live);
    return ok && links_are_readable(t, err);
}

/* A point that is silent, and SIP that may be in what is not read. */
static void remark_point(const struct trace_point *p)
{
    const struct packet_stats *s = p->packet;
    if (p->by_hep)
        return; /* of the source, of which it is said */
    if (p->source->truncated)
        cmd_complain("%s: truncated in %s; read up to there", p->path, p->source->truncated_at);
    if (p->source->counted)
        cmd_complain("%s: %llu packets received, %llu dropped by the kernel", p->name,
                     (unsigned long long)p->source->frames,
                     (unsigned long long)p->source->kernel_dropped);
    if (p->messages == 0 && p->agents == 0)
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

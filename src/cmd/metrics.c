/* Counters of a live run for Prometheus (text format 0.0.4): served at /metrics, written to a file.
 */
#include "cmd/metrics.h"
#include "cmd/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RENDER_MS 1000
#define WRITE_MS  10000

/* Errors of one kind: the words are what the labels say. */
struct series {
    struct slice words[4]; /* finding, method, header, node; within text */
    char *text;
    uint64_t count;
};

static const char *const labels[] = {"finding", "method", "header", "node"};

struct cmd_metrics {
    const struct trace *trace;
    const struct cmd_runner *runner;
    const char *path; /* NULL: no file */
    struct metrics_server *server;
    uint64_t calls[3], corrected[3]; /* by verdict */
    struct hash_key key;
    struct map index;
    VEC(struct series) series;
    uint64_t others; /* beyond CMD_SERIES_MAX */
    int64_t started_s, render_at, write_at;
    bool failing; /* the file could not be written */
};

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- counting -------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct cmd_metrics *m, const struct slice words[4])
{
    uint64_t hash = 0;
    for (size_t i = 0; i < 4; i++)
        hash = hash_mix(hash, hash_slice(&m->key, words[i]));
    return hash;
}

static bool same(const struct series *s, const struct slice words[4])
{
    for (size_t i = 0; i < 4; i++)
        if (!slice_equal(s->words[i], words[i]))
            return false;
    return true;
}

static void add_series(struct cmd_metrics *m, const struct slice words[4], uint64_t hash)
{
    struct text all = {0};
    struct series s = {.count = 1};
    size_t at = 0;
    for (size_t i = 0; i < 4; i++)
        text_add(&all, words[i]);
    s.text = all.p;
    for (size_t i = 0; i < 4; at += words[i].n, i++)
        s.words[i] = (struct slice){all.p + at, words[i].n};
    map_add(&m->index, hash, (uint32_t)m->series.n);
    *vec_add(&m->series) = s;
}

static void count_error(struct cmd_metrics *m, const struct check_finding *f)
{
    const struct slice words[4] = {slice_of(f->id), slice_first(f->method, CMD_LABEL_MAX),
                                   slice_first(f->header, CMD_LABEL_MAX),
                                   slice_first(f->node, CMD_LABEL_MAX)};
    uint64_t hash = hash_of(m, words);
    uint32_t id;
    for (uint32_t at = map_first(&m->index, hash);
         (id = map_next(&m->index, hash, &at)) != MAP_NONE;)
        if (same(&m->series.items[id], words)) {
            m->series.items[id].count++;
            return;
        }
    if (m->series.n < CMD_SERIES_MAX)
        add_series(m, words, hash);
    else
        m->others++;
}

void cmd_metrics_call(struct cmd_metrics *m, const struct check_call *c)
{
    if (!m)
        return;
    m->calls[c->verdict]++;
    if (c->corrects)
        m->corrected[c->before]++;
    for (size_t i = 0; i < c->finding_count; i++)
        if (c->findings[i].severity == CHECK_ERROR)
            count_error(m, &c->findings[i]);
}

/* ---- the text -------------------------------------------------------------------------------- */

static void begin(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# HELP sipxray_%s %s\n# TYPE sipxray_%s %s\n", name, help, name, type);
}

static void value(struct text *out, const char *name, uint64_t n)
{
    text_printf(out, "sipxray_%s %llu\n", name, (unsigned long long)n);
}

static void labelled(struct text *out, const char *name, const char *label, struct slice word,
                     const char *more, uint64_t n)
{
    text_printf(out, "sipxray_%s{%s=\"", name, label);
    text_add_prometheus(out, word);
    text_printf(out, "\"%s} %llu\n", more, (unsigned long long)n);
}

static void single(struct text *out, const char *name, const char *type, const char *help,
                   uint64_t n)
{
    begin(out, name, type, help);
    value(out, name, n);
}

static void add_calls(struct text *out, const struct cmd_metrics *m)
{
    begin(out, "calls_total", "counter", "Calls reported, by verdict; a corrected one again.");
    for (size_t v = 0; v < 3; v++)
        labelled(out, "calls_total", "verdict", slice_of(check_verdict_name((enum check_verdict)v)),
                 "", m->calls[v]);
    begin(out, "calls_corrected_total", "counter",
          "Calls reported anew, by the verdict that was no longer so.");
    for (size_t v = 0; v < 3; v++)
        labelled(out, "calls_corrected_total", "verdict",
                 slice_of(check_verdict_name((enum check_verdict)v)), "", m->corrected[v]);
}

static void add_failures(struct text *out, const struct cmd_metrics *m)
{
    begin(out, "failures_total", "counter",
          "Errors in calls, by what was found of which header by which node.");
    for (size_t i = 0; i < m->series.n; i++) {
        text_add(out, SLICE("sipxray_failures_total{"));
        for (size_t k = 0; k < 4; k++) {
            text_printf(out, "%s%s=\"", k ? "," : "", labels[k]);
            text_add_prometheus(out, m->series.items[i].words[k]);
            text_add_char(out, '"');
        }
        text_printf(out, "} %llu\n", (unsigned long long)m->series.items[i].count);
    }
    if (m->others)
        text_printf(out,
                    "sipxray_failures_total{finding=\"other\",method=\"\",header=\"\",node=\"\"} "
                    "%llu\n",
                    (unsigned long long)m->others);
    single(out, "failures_unlabelled_total", "counter",
           "Errors counted as other, for there are too many kinds.", m->others);
}

enum point_counter { PACKETS, MESSAGES, LOST_KERNEL, LOST_LINK, LOST_STREAM, CHANGES };

static uint64_t counter_of(const struct trace_point *p, enum point_counter which)
{
    switch (which) {
    case PACKETS:
        return p->by_hep ? p->packets : p->source->frames;
    case MESSAGES:
        return p->messages;
    case LOST_KERNEL:
        return p->source->kernel_dropped;
    case LOST_LINK:
        return p->source->dropped_by_link;
    case LOST_STREAM:
        return p->packet->stream_holes + p->packet->fragments_expired +
               p->packet->fragments_evicted + p->packet->sctp_incomplete;
    default:
        return p->source->changes;
    }
}

static void add_points(struct text *out, const struct cmd_metrics *m)
{
    static const struct {
        const char *name, *more, *help; /* help: NULL: of the one before */
        enum point_counter counter;
        bool agents; /* each agent by HEP has its own */
    } counters[] = {
        {"packets_total", "", "Packets read at a point.", PACKETS, true},
        {"messages_total", "", "SIP messages read at a point.", MESSAGES, true},
        {"dropped_packets_total", ",by=\"kernel\"", "Packets that nobody saw.", LOST_KERNEL, false},
        {"dropped_packets_total", ",by=\"interface\"", NULL, LOST_LINK, false},
        {"incomplete_total", "", "Holes in streams, and datagrams that never were complete.",
         LOST_STREAM, false},
        {"source_changes_total", "", "Times that a source went down, came back or the like.",
         CHANGES, false},
    };
    const struct trace_point *points;
    size_t n = trace_points(m->trace, &points);
    for (size_t k = 0; k < sizeof counters / sizeof *counters; k++) {
        if (counters[k].help)
            begin(out, counters[k].name, "counter", counters[k].help);
        for (size_t i = 0; i < n; i++)
            if (counters[k].agents || !points[i].by_hep)
                labelled(out, counters[k].name, "point", slice_of(points[i].name), counters[k].more,
                         counter_of(&points[i], counters[k].counter));
    }
}

static uint64_t resident_bytes(void)
{
    char line[128] = "";
    unsigned long long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!read(fd, line, sizeof line - 1);
        close(fd);
    }
    (void)sscanf(line, "%*u %llu", &pages); /* NOLINT(cert-err34-c) */
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_memory(struct text *out, const struct cmd_metrics *m)
{
    struct trace_live_stats s;
    trace_live_stats(m->trace, &s);
    single(out, "open_call_ids", "gauge", "Call-IDs that have not ended.", s.open);
    single(out, "call_bytes", "gauge", "Memory held for calls.", s.bytes);
    if (s.calls) {
        single(out, "given_up_call_ids_total", "counter",
               "Call-IDs given up at the limit of memory.",
               s.calls->legs_squeezed + s.calls->legs_evicted);
        single(out, "silent_call_ids_total", "counter",
               "Call-IDs taken for over, for they were silent too long.", s.calls->legs_idle);
        single(out, "late_messages_total", "counter",
               "Messages that came after their call was reported and forgotten.", s.calls->late);
    }
    single(out, "resident_memory_bytes", "gauge", "Memory of the process.", resident_bytes());
}

static void add_commands(struct text *out, const struct cmd_metrics *m)
{
    static const struct {
        enum cmd_runner_event event;
        const char *result;
    } results[] = {{CMD_RUNNER_DONE, "ok"},
                   {CMD_RUNNER_FAILED, "failed"},
                   {CMD_RUNNER_TIMED_OUT, "timeout"},
                   {CMD_RUNNER_LOST, "not_run"}};
    begin(out, "commands_total", "counter", "Commands of --exec, by how they ended.");
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        labelled(out, "commands_total", "result", slice_of(results[i].result), "",
                 m->runner->counts[results[i].event]);
}

static void render(struct text *out, const struct cmd_metrics *m)
{
    begin(out, "info", "gauge", "The program.");
    labelled(out, "info", "version", SLICE(CMD_VERSION), "", 1);
    single(out, "start_time_seconds", "gauge", "When the run began, since 1970.",
           (uint64_t)m->started_s);
    single(out, "update_time_seconds", "gauge", "When these counters were read, since 1970.",
           (uint64_t)time(NULL));
    add_calls(out, m);
    add_failures(out, m);
    add_points(out, m);
    add_memory(out, m);
    add_commands(out, m);
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool replace_file(const char *path, struct slice bytes)
{
    struct text name = {0};
    text_printf(&name, "%s.tmp", path); /* one that a kill left is taken */
    int fd = open(name.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool ok = file_replace(fd, name.p, path, bytes, false);
    text_free(&name);
    return ok;
}

/* A full disk is told once, and tried again. */
static void write_file(struct cmd_metrics *m, struct slice bytes)
{
    bool ok = replace_file(m->path, bytes);
    if (!ok && !m->failing)
        cmd_complain("%s: cannot write: %s; tried again every %d seconds", m->path, strerror(errno),
                     WRITE_MS / 1000);
    if (ok && m->failing)
        cmd_complain("%s: written again", m->path);
    m->failing = !ok;
}

/* ---- the run --------------------------------------------------------------------------------- */

bool cmd_metrics_start(struct cmd_metrics **out, const struct cmd_arguments *a,
                       const struct cmd_runner *runner, struct err *err)
{
    const char *address = cmd_value(a, CMD_OPT_METRICS), *path = cmd_value(a, CMD_OPT_METRICS_FILE);
    *out = NULL;
    if (!address && !path)
        return true;
    if (!cmd_given(a, CMD_OPT_LIVE))
        return err_set(err, "--metrics%s is about --live, which is missing",
                       address ? "" : "-file");
    struct cmd_metrics *m = *out = base_alloc(sizeof *m);
    *m = (struct cmd_metrics){.path = path, .runner = runner, .key = hash_key_random()};
    m->started_s = time(NULL);
    return !address || metrics_server_listen(&m->server, address, err);
}

bool cmd_metrics_serve(struct cmd_metrics *m, const struct trace *trace, struct err *err)
{
    if (!m)
        return true;
    m->trace = trace;
    cmd_metrics_tick(m);
    return !m->server || metrics_server_start(m->server, err);
}

static void publish(struct cmd_metrics *m, bool write)
{
    struct text out = {0};
    render(&out, m);
    if (m->path && write)
        write_file(m, text_slice(&out));
    if (m->server)
        metrics_server_publish(m->server, &out);
    text_free(&out);
}

void cmd_metrics_tick(struct cmd_metrics *m)
{
    int64_t now = monotonic_ms();
    if (!m || !m->trace || now < m->render_at)
        return;
    bool write = now >= m->write_at;
    m->render_at = now + RENDER_MS;
    if (write)
        m->write_at = now + WRITE_MS;
    publish(m, write);
}

void cmd_metrics_end(struct cmd_metrics *m)
{
    if (!m)
        return;
    if (m->trace)
        publish(m, true);
    metrics_server_end(m->server);
    for (size_t i = 0; i < m->series.n; i++)
        free(m->series.items[i].text);
    vec_free(&m->series);
    map_free(&m->index);
    free(m);
}

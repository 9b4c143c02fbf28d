/* Stands in until the run itself is here; to be removed with it. */
#include "probe/probe.h"

bool probe_run(struct probe_run *run, const struct probe_plan *plan,
               const struct probe_options *options, struct err *err)
{
    (void)run;
    (void)plan;
    (void)options;
    return err_set(err, "probe: not built in yet");
}

void probe_run_free(struct probe_run *run)
{
    (void)run;
}

const char *probe_transport_name(enum probe_transport t)
{
    return t == PROBE_UDP ? "UDP" : t == PROBE_TCP ? "TCP" : "TLS";
}

const char *probe_fate_name(enum probe_fate fate)
{
    return fate == PROBE_DONE ? "done" : "no-answer";
}

void probe_outcome_text(struct text *out, const struct probe_log *log,
                        const struct probe_call_result *result, size_t step)
{
    (void)log;
    text_printf(out, "%u", result->outcomes[step].status);
}

bool probe_credentials_read(struct probe_credentials *c, struct arena *a, const char *path,
                            struct err *err)
{
    (void)c;
    (void)a;
    return !path || err_set(err, "%s: not read yet", path);
}

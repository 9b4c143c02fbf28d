/* sipxray probe: sends test calls through the path and judges what arrives. */
#include "cmd/probe.h"

static int probe(const struct cmd_arguments *a, struct cmd_probe_in *in, struct cmd_probe_out *out,
                 struct err *err)
{
    struct probe_run run = {.stopped = false};
    if (!cmd_probe_read(in, a, err) || !cmd_probe_out_begin(out, in, err)) {
        cmd_complain("%s", err->text);
        return CMD_ERROR;
    }
    cmd_signals_begin(true);
    in->options.stop = cmd_signal_stop();
    cmd_probe_watch(out, &in->options.watch);
    cmd_probe_await(out);
    bool ran = probe_run(&run, &in->script.plan, &in->options, err);
    int status = CMD_ERROR;
    if (ran)
        status = cmd_probe_out_end(out, &run, err);
    else
        cmd_outputs_close(&out->outputs, false, NULL);
    if (status == CMD_ERROR && err->text[0])
        cmd_complain("%s", err->text);
    probe_run_free(&run);
    return status;
}

int cmd_probe(const struct cmd_arguments *a)
{
    struct cmd_probe_in in = {.arguments = a};
    struct cmd_probe_out out = {.in = &in};
    struct err err = {""};
    int status = probe(a, &in, &out, &err);
    cmd_probe_out_free(&out);
    cmd_probe_in_free(&in);
    return status;
}

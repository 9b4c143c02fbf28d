/* Frames again: files are read once more, other sources' frames are kept. */
#include "trace/internal.h"

#include <stdlib.h>
#include <string.h>

bool trace_can_reread(const struct trace_input *in)
{
    return !source_stats(in->source)->live;
}

void trace_kept(const struct trace *t, struct trace_spool_stats *out)
{
    *out = t->spool ? *spool_stats(t->spool) : (struct trace_spool_stats){0};
}

/* ---- files, read again ----------------------------------------------------------------------- */

struct again {
    struct trace_choice *choice;
    VEC(uint32_t) points; /* what a point of the second run is in the first */
    trace_frame_sink *sink;
    void *context;
};

static void choose(void *context, const struct trace_frame *frame)
{
    struct again *g = context;
    struct trace_frame f = *frame;
    f.point = g->points.items[frame->point];
    if (trace_choice_takes(g->choice, &f))
        g->sink(g->context, &f);
}

static bool add_again(struct trace *second, struct again *g, const struct trace_input *in,
                      struct err *err)
{
    if (!trace_add_like(second, in, err))
        return false;
    *vec_add(&g->points) = in->point;
    return true;
}

/* With the keys of the first run: a connection is known by the SIP in it. */
static bool read_files(struct trace *t, struct again *g, struct err *err)
{
    const struct trace_options options = {
        .bpf = t->options.bpf, .media = true, .threads = 1, .stop = t->options.stop};
    const struct trace_sinks sinks = {.frame = choose, .context = g};
    struct trace *second = trace_new(&options);
    bool ok = true;
    packet_keys_free(second->keys);
    second->keys = t->keys;
    second->keys_borrowed = true;
    for (size_t i = 0; ok && i < t->inputs.n; i++)
        if (!t->inputs.items[i]->select)
            ok = add_again(second, g, t->inputs.items[i], err);
    ok = ok && (g->points.n == 0 || trace_run(second, &sinks, err));
    trace_free(second);
    return ok;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool takes(void *context, const struct trace_frame *frame)
{
    return trace_choice_takes(context, frame);
}

bool trace_frames(struct trace *t, struct trace_choice *c, trace_frame_sink *sink, void *context,
                  struct err *err)
{
    struct again g = {.choice = c, .sink = sink, .context = context};
    if (t->spool && trace_choice_once_from(c, t->spool))
        spool_give(t->spool, takes, c, sink, context);
    else if (t->spool)
        spool_each(t->spool, takes, c, sink, context);
    bool ok = read_files(t, &g, err);
    vec_free(&g.points);
    return ok;
}

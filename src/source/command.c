/* The output of a command as a capture (cmd:).  What it prints on standard error is kept, and shown
 * where it did not end well. */
#include "source/internal.h"
#include "source/keeper.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_MS SOURCE_KEEPER_END_MS

struct command {
    struct source_keeper keeper;
    struct source_job job;
    struct source_pause pause; /* first_s 0: it is run once */
    struct text remark;
};

static void run(struct command *c)
{
    source_pause_run(&c->pause);
    source_job_start(&c->job, &c->keeper, 0, NULL, 0);
}

static void heed(struct source *s, bool wait)
{
    struct command *c = s->origin_state;
    struct source_keeper_news news;
    while (source_keeper_next(&c->keeper, wait, &news)) {
        wait = false;
        if (source_job_heed(&c->job, &news) && news.event == SOURCE_JOB_STARTED)
            source_begin_anew(s, news.output);
    }
}

/* ---- its end --------------------------------------------------------------------------------- */

static void word_end(struct command *c)
{
    text_clear(&c->remark);
    if (c->keeper.gone)
        text_add(&c->remark, SLICE("the process that kept the command was killed"));
    else
        source_job_word(&c->job, "the command", &c->remark);
}

/* Nothing was read that is a capture: the command says why, where it says anything. */
static enum source_result fail(struct source *s, struct err *err)
{
    const struct command *c = s->origin_state;
    if (c->job.status || s->in.read == 0)
        err_set(err, "%s: no capture: %s", s->label, c->remark.p);
    return SOURCE_ERROR;
}

/* The words of an error begin with the label, as do those that are told. */
static const char *without_label(const struct source *s, const struct err *err)
{
    size_t n = strlen(s->label);
    bool has = strncmp(err->text, s->label, n) == 0 && err->text[n] == ':';
    return has ? err->text + n + 2 : err->text;
}

static enum source_result retry(struct source *s, bool corrupt, const struct err *err)
{
    struct command *c = s->origin_state;
    const char *why = corrupt ? without_label(s, err) : c->remark.p;
    uint32_t pause = source_pause_begin(&c->pause);
    source_tell(s, "%s; it is run again in %u s", why, pause);
    source_begin_anew(s, -1);
    return SOURCE_WAIT;
}

/* Its output has ended or is no capture.  How the command ends, which it should do now, tells more.
 */
static enum source_result finish(struct source *s, enum source_result result, struct err *err)
{
    struct command *c = s->origin_state;
    bool corrupt = result == SOURCE_ERROR && s->opened, again = c->pause.first_s > 0;
    if (corrupt && !again)
        return SOURCE_ERROR; /* whatever the command says */
    if (!corrupt && !s->stopping && !c->keeper.gone && !source_job_is_over(&c->job))
        return SOURCE_WAIT;
    word_end(c);
    source_job_close(&c->job, &c->keeper);
    if (s->stopping)
        return SOURCE_END;
    if (again && !c->keeper.gone)
        return retry(s, corrupt, err);
    source_keeper_end(&c->keeper);
    if (result == SOURCE_ERROR)
        return fail(s, err);
    if (c->job.status || c->keeper.gone)
        s->stats.remark = c->remark.p;
    return SOURCE_END;
}

static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    struct command *c = s->origin_state;
    heed(s, false);
    source_job_drain(&c->job);
    if (!c->job.id) { /* between two runs */
        if (s->stopping)
            return SOURCE_END;
        if (source_pause_is_over(&c->pause))
            run(c);
        return SOURCE_WAIT;
    }
    bool waits = c->job.started || !c->job.ended;
    if (result == SOURCE_WAIT && waits && !c->keeper.gone)
        return SOURCE_WAIT;
    return finish(s, result == SOURCE_WAIT ? SOURCE_END : result, err);
}

static int descriptor(const struct source *s)
{
    const struct command *c = s->origin_state;
    return c->job.started && !c->job.linger_by && c->job.id ? s->in.fd : c->keeper.control;
}

static void stop(struct source *s)
{
    struct command *c = s->origin_state;
    source_keeper_stop_all(&c->keeper);
}

static void close_command(struct source *s)
{
    struct command *c = s->origin_state;
    source_job_close(&c->job, &c->keeper);
    source_keeper_end(&c->keeper);
    text_free(&c->remark);
    free(c);
}

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .stop = stop,
    .close = close_command,
    .patience_ms = PATIENCE_MS,
};

struct source *source_command_open(const char *name, const char *path, const char *rest,
                                   const struct source_options *options, struct err *err)
{
    struct err why;
    if (slice_trim(slice_of(rest)).n == 0) {
        err_set(err, "%s: a command is missing: cmd:COMMAND", path);
        return NULL;
    }
    struct source *s = source_new(name, path);
    struct command *c = s->origin_state = base_alloc(sizeof *c);
    const char *argv[] = {"/bin/sh", "-c", rest, NULL};
    const struct source_plan plan = {.argv = argv};
    c->pause.first_s = options->retry_s;
    c->job.errors = c->job.output = -1;
    s->origin = &origin;
    s->stats.live = true;
    source_begin_anew(s, -1);
    if (source_keeper_open(&c->keeper, &plan, 1, &why)) {
        run(c);
        heed(s, true);
        return s;
    }
    err_set(err, "%s: %s", path, why.text);
    source_close(s);
    return NULL;
}

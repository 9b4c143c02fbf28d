/* One pod: a source that is what a tcpdump in it writes, from when the pod runs until it is gone,
 * however often that is.  Where its containers have no tcpdump, an ephemeral container has. */
#include "source/k8s.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS SOURCE_KEEPER_END_MS
#define SLOW_MS     10000 /* a tcpdump writes the head of its capture at once */

static void tell(struct k8s_pod *p, const char *text)
{
    if (p->source)
        source_tell(p->source, "%s", text);
}

static void rest(struct k8s_pod *p, enum k8s_state state)
{
    source_job_close(&p->job, &p->k8s->keeper);
    p->state = state;
    if (p->source)
        source_begin_anew(p->source, -1);
}

/* ---- what is run ----------------------------------------------------------------------------- */

static void capture(struct k8s_pod *p)
{
    const struct slice own = p->k8s->spec.container;
    const struct slice words[] = {slice_of(p->name),
                                  p->container[0] ? slice_of(p->container) : own};
    bool in = words[1].n > 0;
    p->state = K8S_CAPTURES;
    p->told = p->slow = false;
    source_pause_run(&p->pause);
    source_job_start(&p->job, &p->k8s->keeper, in ? K8S_EXEC_IN : K8S_EXEC, words, in ? 2 : 1);
}

/* Each has a name of its own, for it stays in the pod's list when it has ended. */
static void create(struct k8s_pod *p)
{
    snprintf(p->container, sizeof p->container, "sipxray-%05x", p->k8s->seed++ & 0xfffff);
    const struct slice words[] = {slice_of(p->name), slice_of(p->container)};
    p->state = K8S_CREATES;
    p->ready = false;
    source_pause_run(&p->pause);
    source_job_start(&p->job, &p->k8s->keeper, K8S_DEBUG, words, 2);
}

static void begin(struct k8s_pod *p)
{
    p->container[0] = '\0';
    if (p->no_tcpdump)
        create(p);
    else
        capture(p);
}

/* ---- how it ends ----------------------------------------------------------------------------- */

/* What it is tried again for is said when that is done: most that ends, ends because its pod does.
 */
static void pause_pod(struct k8s_pod *p, const char *why)
{
    struct text words = {0};
    bool given_up = p->no_tcpdump && ++p->debugs >= K8S_DEBUG_MAX;
    text_add(&words, slice_of(why));
    if (given_up)
        text_printf(&words, "; given up after %u ephemeral containers", p->debugs);
    rest(p, given_up ? K8S_GIVEN_UP : K8S_PAUSES);
    free(p->why);
    p->why = words.p;
    p->pause_s = source_pause_begin(&p->pause);
    if (given_up)
        tell(p, p->why);
}

static void end_pause(struct k8s_pod *p)
{
    struct text words = {0};
    text_printf(&words, "%s; it is tried again, after %u s", p->why, p->pause_s);
    tell(p, words.p);
    text_free(&words);
    begin(p);
}

static void fall_back(struct k8s_pod *p, const char *why)
{
    struct text words = {0};
    text_printf(&words, "%s; an ephemeral container with %s is added to the pod", why,
                p->k8s->image);
    tell(p, words.p);
    text_free(&words);
    p->no_tcpdump = true;
    rest(p, K8S_ABSENT);
    create(p);
}

/* Why the pod's own container can't do it; NULL: it is something else. */
static const char *lacks(const struct source_job *j)
{
    static const struct {
        const char *said, *means;
    } table[] = {
        {K8S_NO_TCPDUMP, "its container has no tcpdump"},
        {"executable file not found", "its container has no shell"},
        {"exec: \"sh\": stat", "its container has no shell"},
        {"permission to capture", "tcpdump has no right to capture in its container"},
        {"Operation not permitted", "tcpdump has no right to capture in its container"},
        {"permission to perform this capture", "tcpdump has no right to capture in its container"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (source_job_says(j, table[i].said))
            return table[i].means;
    return NULL;
}

static void word_job(struct k8s_pod *p, const char *what, struct text *out)
{
    source_job_word(&p->job, what, out);
    text_add(out, slice_of(k8s_hint(&p->job)));
}

/* What ran has ended.  Where the pod is gone, the watch says so. */
static void end_capture(struct k8s_pod *p)
{
    struct text words = {0};
    bool captured = p->source && p->source->opened;
    source_job_drain(&p->job);
    const char *why = captured || p->no_tcpdump ? NULL : lacks(&p->job);
    p->debugs = captured ? 0 : p->debugs;
    if (!p->running) {
        rest(p, K8S_ABSENT);
    } else if (why) {
        fall_back(p, why);
    } else { /* how tcpdump ended is the status of kubectl, which a signal has ended itself */
        bool well = captured && WIFEXITED(p->job.status);
        word_job(p, well ? "tcpdump" : "kubectl exec", &words);
        pause_pod(p, words.p);
    }
    text_free(&words);
}

static void end_creation(struct k8s_pod *p)
{
    struct text words = {0};
    if (p->job.status == 0) {
        source_job_close(&p->job, &p->k8s->keeper);
        p->state = K8S_AWAITS;
        if (p->ready)
            capture(p);
        return;
    }
    word_job(p, "kubectl debug", &words);
    pause_pod(p, words.p);
    text_free(&words);
}

void k8s_pod_heed_job(struct k8s_pod *p, const struct source_keeper_news *news)
{
    if (!source_job_heed(&p->job, news))
        return;
    if (news->event == SOURCE_JOB_STARTED && p->state == K8S_CAPTURES && p->source)
        source_begin_anew(p->source, news->output);
    else if (news->event == SOURCE_JOB_STARTED)
        p->job.output = news->output;
    else if (p->state == K8S_CREATES)
        end_creation(p);
}

/* ---- what the watch says --------------------------------------------------------------------- */

static void learn_addresses(struct k8s_pod *p, const struct k8s_event *e)
{
    struct address ip;
    for (size_t i = 0; p->source && k8s_event_address(e, i, &ip); i++)
        source_add_host(p->source, ip);
}

/* An image that can't be had is told once. */
static void tell_waiting(struct k8s_pod *p, struct slice why)
{
    struct text words = {0};
    text_printf(&words, "the ephemeral container waits: %.*s", SLICE_ARG(why));
    bool same = p->waits_for && strcmp(p->waits_for, words.p) == 0;
    if (!same && why.n && !slice_is(why, "ContainerCreating") &&
        !slice_is(why, "PodInitializing")) {
        tell(p, words.p);
        free(p->waits_for);
        p->waits_for = words.p;
        return;
    }
    text_free(&words);
}

static void heed_debug(struct k8s_pod *p, const struct k8s_event *e)
{
    struct slice why;
    struct text words = {0};
    switch (k8s_event_debug(e, p->container, &why)) {
    case K8S_DEBUG_RUNNING:
        p->ready = true;
        if (p->state == K8S_AWAITS) /* else kubectl is about to end */
            capture(p);
        break;
    case K8S_DEBUG_WAITING:
        tell_waiting(p, why);
        break;
    case K8S_DEBUG_ENDED:
        text_printf(&words, "the ephemeral container has ended: %.*s", SLICE_ARG(why));
        pause_pod(p, words.p);
        break;
    case K8S_DEBUG_UNKNOWN:
        break;
    }
    text_free(&words);
}

void k8s_pod_heed_event(struct k8s_pod *p, const struct k8s_event *e)
{
    learn_addresses(p, e);
    p->running = e->running;
    if (e->gone && p->there) {
        tell(p, "the pod is gone");
        p->no_tcpdump = false;
        p->debugs = 0;
        if (p->state != K8S_CAPTURES) /* else what it wrote is read to its end */
            rest(p, K8S_ABSENT);
    } else if (e->running && p->state == K8S_ABSENT) {
        begin(p);
    } else if (p->state == K8S_AWAITS || p->state == K8S_CREATES) {
        heed_debug(p, e);
    }
    p->there = !e->gone;
}

/* ---- the source ------------------------------------------------------------------------------ */

/* Nothing has come of it; there may be something to do. */
static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    struct k8s_pod *p = s->origin_state;
    (void)err;
    k8s_heed(p->k8s);
    source_job_drain(&p->job);
    bool busy = p->state == K8S_CAPTURES && !p->k8s->keeper.gone;
    if (s->opened && busy && !p->told) {
        p->told = true;
        source_tell(s, "captured%s", p->container[0] ? ", by an ephemeral container" : "");
    }
    if (busy && !s->opened && !p->slow && source_clock_ms() - p->pause.begun_ms >= SLOW_MS) {
        p->slow = true;
        source_tell(s, "nothing came of kubectl exec for %u s; it is waited for", SLOW_MS / 1000);
    }
    if (busy && result == SOURCE_WAIT && (p->job.started || !p->job.ended))
        return SOURCE_WAIT;
    if (busy && !source_job_is_over(&p->job) && !(s->stopping && result != SOURCE_WAIT))
        return SOURCE_WAIT;
    if (s->stopping || p->k8s->keeper.gone)
        return SOURCE_END;
    if (busy)
        end_capture(p);
    else if (p->state == K8S_PAUSES && source_pause_is_over(&p->pause) && p->running)
        end_pause(p);
    else if (p->state == K8S_PAUSES && !p->running)
        rest(p, K8S_ABSENT);
    return SOURCE_WAIT;
}

static int descriptor(const struct source *s)
{
    const struct k8s_pod *p = s->origin_state;
    bool reads = p->state == K8S_CAPTURES && p->job.started && !p->job.linger_by;
    return reads ? s->in.fd : p->k8s->keeper.control;
}

static void stop(struct source *s)
{
    struct k8s_pod *p = s->origin_state;
    source_keeper_stop_all(&p->k8s->keeper);
}

static void close_source(struct source *s)
{
    struct k8s_pod *p = s->origin_state;
    source_job_close(&p->job, &p->k8s->keeper);
    p->state = K8S_GIVEN_UP;
    p->source = NULL;
}

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .stop = stop,
    .close = close_source,
    .patience_ms = PATIENCE_MS,
};

/* A pod that is named is the point itself; of many, each is called after itself, behind the name
 * that they were given together. */
static struct source *make_source(struct k8s_pod *p)
{
    const struct k8s *k = p->k8s;
    struct text name = {0}, path = {0};
    const char *given = source_name(k->source);
    text_printf(&name, "%s%s%s", given, given[0] && !k->one ? ":" : "",
                given[0] && k->one ? "" : p->name);
    text_printf(&path, "k8s:%.*s%s%.*s/%s", SLICE_ARG(k->spec.context),
                k->spec.context.n ? "/" : "", SLICE_ARG(k->spec.namespace), p->name);
    struct source *s = source_new(name.p, path.p);
    s->origin = &origin;
    s->origin_state = p;
    s->stats.live = true;
    source_begin_anew(s, -1);
    text_free(&name);
    text_free(&path);
    return s;
}

struct k8s_pod *k8s_pod_new(struct k8s *k, struct slice name)
{
    struct k8s_pod *p = base_alloc(sizeof *p);
    p->k8s = k;
    p->name = base_alloc(name.n + 1);
    memcpy(p->name, name.p, name.n);
    p->job.errors = p->job.output = -1;
    p->pause.first_s = SOURCE_RETRY_S;
    p->source = make_source(p);
    return p;
}

/* One that was not handed out is nobody else's to close. */
void k8s_pod_free(struct k8s_pod *p)
{
    if (!p->handed_out)
        source_close(p->source);
    free(p->waits_for);
    free(p->why);
    free(p->name);
    free(p);
}

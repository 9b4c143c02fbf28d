/* Pods of Kubernetes (k8s:): a source of sources, one for each pod. */
#include "source/k8s.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define PATIENCE_MS SOURCE_KEEPER_END_MS
#define NONE_MS     5000 /* after which it is said that there is no pod */
#define READS       64u  /* at one go */

/* ---- the watch ------------------------------------------------------------------------------- */

static void watch(struct k8s *k)
{
    source_pause_run(&k->watch_pause);
    source_job_start(&k->watch, &k->keeper, K8S_WATCH, NULL, 0);
}

static struct k8s_pod *pod_of(struct k8s *k, struct slice name)
{
    for (size_t i = 0; i < k->pods.n; i++)
        if (slice_is(name, k->pods.items[i]->name))
            return k->pods.items[i];
    return NULL;
}

static struct k8s_pod *pod_new(struct k8s *k, struct slice name)
{
    if (k->pods.n < SOURCE_PODS_MAX)
        return *vec_add(&k->pods) = k8s_pod_new(k, name);
    if (k->left_out++ == 0)
        source_tell(k->source,
                    "there were more than %u pods: %.*s and those that come later are left out",
                    SOURCE_PODS_MAX, SLICE_ARG(name));
    return NULL;
}

static void heed_event(struct k8s *k, struct slice object)
{
    struct err err;
    struct k8s_event e;
    struct json *root = json_parse("kubectl", object, &err);
    if (!root) {
        source_tell(k->source, "kubectl printed something else than JSON: %s", err.text);
        return;
    }
    if (k8s_event_read(root, &e)) {
        struct k8s_pod *p = pod_of(k, e.pod);
        k->watched = true;
        k->none_by = 0;
        if (!p && e.running)
            p = pod_new(k, e.pod);
        if (p)
            k8s_pod_heed_event(p, &e);
    }
    json_free(root);
}

/* Takes the objects that are whole. */
static void heed_printed(struct k8s *k)
{
    struct slice rest = text_slice(&k->printed), object;
    while (k8s_event_next(&rest, &object))
        heed_event(k, object);
    memmove(k->printed.p, rest.p, rest.n);
    k->printed.n = rest.n;
}

static void read_watch(struct k8s *k)
{
    char bytes[16384];
    struct pollfd fd = {.fd = k->watch_fd, .events = POLLIN};
    ssize_t n;
    for (unsigned i = 0; i < READS && k->watch_fd >= 0 && poll(&fd, 1, 0) > 0; i++) {
        if ((n = read(k->watch_fd, bytes, sizeof bytes)) <= 0) {
            close(k->watch_fd);
            k->watch_fd = -1;
            break;
        }
        text_add(&k->printed, (struct slice){bytes, (size_t)n});
        heed_printed(k);
        if (k->printed.n > K8S_EVENT_MAX) {
            source_tell(k->source, "kubectl printed more than %u bytes of one pod: left out",
                        K8S_EVENT_MAX);
            text_clear(&k->printed);
        }
    }
}

const char *k8s_hint(const struct source_job *j)
{
    if (source_job_says(j, "cannot be run"))
        return " (it is looked for on the PATH, or where the environment variable KUBECTL says)";
    if (source_job_says(j, "Forbidden") || source_job_says(j, "forbidden"))
        return " (needed are get, list and watch of pods, create of pods/exec, and patch of "
               "pods/ephemeralcontainers where there is no tcpdump; see sipxray(1), Kubernetes)";
    return "";
}

/* An error of the watch before there was a pod is one of the specification, or of rights. */
static enum source_result end_watch(struct k8s *k, struct err *err)
{
    struct text words = {0};
    bool failed = k->watch.status != 0;
    source_job_word(&k->watch, "kubectl get", &words);
    text_add(&words, slice_of(k8s_hint(&k->watch)));
    source_job_close(&k->watch, &k->keeper);
    text_clear(&k->printed);
    uint32_t pause = source_pause_begin(&k->watch_pause);
    if (failed && k->watched) /* without, the server ends it now and then */
        source_tell(k->source, "%s; it is run again in %u s", words.p, pause);
    bool fatal = failed && !k->watched;
    if (fatal)
        err_set(err, "%s: %s", k->source->label, words.p);
    text_free(&words);
    return fatal ? SOURCE_ERROR : SOURCE_WAIT;
}

static enum source_result look_at_watch(struct k8s *k, struct err *err)
{
    read_watch(k);
    source_job_drain(&k->watch);
    if (!k->watch.id) {
        if (source_pause_is_over(&k->watch_pause))
            watch(k);
    } else if (k->watch_fd < 0 && (k->watch.started || k->watch.ended) &&
               source_job_is_over(&k->watch)) {
        return end_watch(k, err);
    }
    if (k->none_by && source_clock_ms() >= k->none_by) {
        k->none_by = 0;
        source_tell(k->source, "kubectl tells of no such pod so far; it is waited for");
    }
    return SOURCE_WAIT;
}

/* ---- the keeper ------------------------------------------------------------------------------ */

void k8s_heed(struct k8s *k)
{
    struct source_keeper_news news;
    while (source_keeper_next(&k->keeper, false, &news)) {
        if (source_job_heed(&k->watch, &news)) {
            if (news.event == SOURCE_JOB_STARTED)
                k->watch_fd = news.output;
            continue;
        }
        bool taken = false;
        for (size_t i = 0; i < k->pods.n && !taken; i++) {
            taken = k->pods.items[i]->job.id == news.job;
            if (taken)
                k8s_pod_heed_job(k->pods.items[i], &news);
        }
        if (!taken && news.event == SOURCE_JOB_STARTED) { /* of a pod that is gone */
            close(news.output);
            close(news.errors);
        }
    }
}

/* ---- the source ------------------------------------------------------------------------------ */

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    (void)s;
    (void)frame;
    (void)err;
    return SOURCE_WAIT;
}

static int link_type(const struct source *s)
{
    (void)s;
    return K8S_LINK_TYPE;
}

static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    struct k8s *k = s->origin_state;
    k8s_heed(k);
    if (s->stopping)
        return SOURCE_END;
    if (result == SOURCE_WAIT && k->keeper.gone) {
        s->stats.remark = "the process that kept the commands was killed";
        return SOURCE_END;
    }
    return look_at_watch(k, err);
}

static struct source *member(struct source *s)
{
    const struct k8s *k = s->origin_state;
    for (size_t i = 0; i < k->pods.n; i++)
        if (!k->pods.items[i]->handed_out) {
            k->pods.items[i]->handed_out = true;
            return k->pods.items[i]->source;
        }
    return NULL;
}

static int descriptor(const struct source *s)
{
    const struct k8s *k = s->origin_state;
    return k->watch_fd >= 0 ? k->watch_fd : k->keeper.control;
}

static void stop(struct source *s)
{
    struct k8s *k = s->origin_state;
    source_keeper_stop_all(&k->keeper);
}

static void close_none(struct source *s)
{
    (void)s;
}

static void close_k8s(struct source *s)
{
    struct k8s *k = s->origin_state;
    source_job_close(&k->watch, &k->keeper);
    for (size_t i = 0; i < k->pods.n; i++)
        k8s_pod_free(k->pods.items[i]);
    source_keeper_end(&k->keeper);
    if (k->watch_fd >= 0)
        close(k->watch_fd);
    vec_free(&k->pods);
    text_free(&k->printed);
    arena_free(&k->arena);
    free(k);
}

static const struct source_format format = {
    .name = "k8s", .next = next, .link_type = link_type, .close = close_none};

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .stop = stop,
    .close = close_k8s,
    .member = member,
    .patience_ms = PATIENCE_MS,
};

/* ---- opening --------------------------------------------------------------------------------- */

/* What the tcpdumps get: --bpf with what lets fragments through, or what SIP is found by. */
static const char *filter_of(struct k8s *k, const struct source_options *options, struct err *err)
{
    struct err why;
    const char *usual = options->media ? K8S_FILTER_MEDIA : K8S_FILTER;
    const char *expression = options->bpf ? options->bpf : usual;
    struct source_filter *f = source_filter_new(expression, K8S_LINK_TYPE, &why);
    if (!f) {
        err_set(err, "capture filter '%s': %s", expression, why.text);
        return NULL;
    }
    const char *text = arena_copy(&k->arena, slice_of(source_filter_text(f))).p;
    source_filter_free(f);
    return text;
}

static bool begin(struct k8s *k, const struct source_options *options, struct err *err)
{
    const struct source *s = k->source;
    const char *kubectl = getenv("KUBECTL"), *filter = filter_of(k, options, err);
    struct source_plan plans[K8S_PLANS];
    struct err why;
    if (!filter)
        return false;
    k8s_plans(&k->spec, slice_trim(slice_of(kubectl)).n ? kubectl : "kubectl", k->image, filter,
              &k->arena, plans);
    return source_keeper_open(&k->keeper, plans, K8S_PLANS, &why) ||
           err_set(err, "%s: %s", s->label, why.text);
}

struct source *source_k8s_open(const char *name, const char *path, const char *rest,
                               const struct source_options *options, struct err *err)
{
    struct source *s = source_new(name, path);
    struct k8s *k = s->origin_state = base_alloc(sizeof *k);
    s->format = &format;
    s->opened = true;
    s->stats.live = true;
    s->origin = &origin;
    k->source = s;
    k->keeper.control = k->watch_fd = k->watch.errors = k->watch.output = -1;
    k->watch_pause.first_s = SOURCE_RETRY_S;
    k->image = options->k8s_image ? options->k8s_image : SOURCE_K8S_IMAGE;
    (void)!getrandom(&k->seed, sizeof k->seed, 0);
    if (!k8s_spec_read(&k->spec, path, s->path + (rest - path), err) || !begin(k, options, err)) {
        source_close(s);
        return NULL;
    }
    k->one = k->spec.pod.n > 0;
    k->none_by = source_clock_ms() + NONE_MS;
    if (!options->bpf)
        source_tell(s, "each pod is captured by the filter '%s'; --bpf gives another",
                    options->media ? K8S_FILTER_MEDIA : K8S_FILTER);
    watch(k);
    return s;
}

/* The trace as its user sees it: sources in, sinks fed, tables owned. */
#include "trace/internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

struct trace *trace_new(const struct trace_options *options)
{
    struct trace *t = base_alloc(sizeof *t);
    t->options = *options;
    t->key = hash_key_random();
    t->keys = packet_keys_new();
    t->scanner = sip_scanner_new();
    sip_typed_init();
    return t;
}

bool trace_add_keylog(struct trace *t, const char *path, struct err *err)
{
    return trace_is_live(t) ? packet_keys_await(t->keys, path, err)
                            : packet_keys_file(t->keys, path, err);
}

bool trace_add_tls_key(struct trace *t, const char *path, struct err *err)
{
    return packet_keys_rsa(t->keys, path, err);
}

/* ---- sources -------------------------------------------------------------------------------- */

static char *copy_string(struct slice s)
{
    char *p = base_alloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

/* The file's name without folders and what follows its first dot; an interface's name, a command's
 * first word; standard input is "stdin". */
static struct slice stem_of(struct slice path)
{
    if (slice_starts(path, SLICE("iface:")))
        return slice_from(path, strlen("iface:"));
    if (slice_starts(path, SLICE("cmd:"))) {
        path = slice_trim(slice_from(path, strlen("cmd:")));
        path = slice_first(path, slice_find(path, ' '));
    }
    if (slice_starts(path, SLICE("hep:")))
        return SLICE("hep");
    if (slice_starts(path, SLICE("k8s:")))
        return SLICE_NONE; /* pods have their own */
    if (slice_starts(path, SLICE("log:")))
        path = slice_from(path, strlen("log:"));
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/')
        slash--;
    struct slice name = slice_from(path, slash);
    size_t dot = slice_find(name, '.');
    if (slice_is(path, "-"))
        return SLICE("stdin");
    return dot ? slice_first(name, dot) : name;
}

/* NAME=SOURCE; a slash or colon before the '=' means that it belongs to a path or a command. */
static void split_spec(struct slice spec, struct slice *name, struct slice *path)
{
    size_t at = slice_find(spec, '=');
    *path = spec;
    struct slice before = slice_first(spec, at);
    if (at > 0 && at < spec.n && slice_find(before, '/') == at && slice_find(before, ':') == at) {
        *name = slice_first(spec, at);
        *path = slice_from(spec, at + 1);
    } else {
        *name = stem_of(spec);
    }
}

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "log:-") == 0;
}

static bool name_is_free(const struct trace *t, const char *name, const char *path, struct err *err)
{
    for (size_t i = 0; i < t->inputs.n; i++) {
        const struct trace_input *in = t->inputs.items[i];
        if (strcmp(in->name, name) == 0)
            return err_set(err,
                           "%s: a second point named %s (the first is %s); name it with NAME=%s",
                           path, name, in->path, path);
        if (is_stdin(path) && is_stdin(in->path))
            return err_set(err, "-: standard input can be read once only");
    }
    return true;
}

static void input_free(struct trace_input *in)
{
    vec_free(&in->hidden);
    source_close(in->source);
    packet_decoder_free(in->decoder);
    select_free(in->select);
    free(in->name);
    free(in->path);
    free(in->only);
    free(in);
}

static struct trace_input *input_new(struct trace *t, struct slice name, struct slice path)
{
    struct trace_input *in = base_alloc(sizeof *in);
    in->trace = t;
    in->name = copy_string(name);
    in->path = copy_string(path);
    return in;
}

/* Its frames are asked for, or have to be kept since they cannot be read again. */
static void begin_select(struct trace *t, struct trace_input *in)
{
    trace_frame_sink *sink = t->sinks.frame;
    void *context = t->sinks.context;
    if (t->spool && (t->options.keep_files || !trace_can_reread(in))) {
        sink = spool_add;
        context = t->spool;
    }
    if (!sink)
        return;
    in->select = select_new(&t->key, sink, context);
    packet_tell_segments(in->decoder, trace_segment);
}

static bool begin_frames(struct trace *t, struct err *err)
{
    bool need = t->options.keep_files;
    for (size_t i = 0; i < t->inputs.n; i++)
        need |= !trace_can_reread(t->inputs.items[i]);
    if (t->options.keep_bytes && need && !(t->spool = spool_new(t->options.keep_bytes, err)))
        return false;
    for (size_t i = 0; i < t->inputs.n; i++)
        begin_select(t, t->inputs.items[i]);
    return true;
}

/* A point of its own; one that joins a run under way is known to the nodes, too, and to the calls,
 * which wait for what it may have. */
static void add_input(struct trace *t, struct trace_input *in)
{
    const struct packet_sinks sinks = {trace_payload, trace_stream, in};
    in->decoder = packet_decoder_new(&t->key, &sinks, t->keys);
    packet_tell_hidden(in->decoder, trace_hidden);
    if (t->options.secrets)
        packet_tell_secrets(in->decoder, trace_secret);
    *vec_add(&t->inputs) = in;
    trace_point_of_source(t, in);
    if (!t->nodes)
        return;
    hop_nodes_add_point(t->nodes, in->name);
    begin_select(t, in);
    if (t->calls && !t->browse.on)
        call_table_wait(t->calls, CALL_WAITING_MANY);
}

bool trace_join(struct trace *t, struct source *s, struct slice name, struct err *err)
{
    struct trace_input *in = input_new(t, name, slice_of(source_path(s)));
    in->source = s;
    add_input(t, in);
    return trace_feed_join(t, in, err);
}

/* The name belongs to those that come of the source, if others do; its own is where it is then. */
static struct source *open_source(struct trace *t, struct trace_input *in, struct err *err)
{
    struct source_options options = t->options.source;
    options.bpf = t->options.bpf;
    struct source *s = source_open_with(in->name, in->path, &options, err);
    if (s && slice_starts(slice_of(in->path), SLICE("k8s:"))) {
        free(in->name);
        in->name = copy_string(slice_of(in->path));
    }
    return s;
}

static bool add_one(struct trace *t, struct slice name, struct slice path, const char *only,
                    struct err *err)
{
    struct trace_input *in = input_new(t, name, path);
    in->only = only ? copy_string(slice_of(only)) : NULL;
    bool ok =
        t->inputs.n < UINT16_MAX || err_set(err, "%s: more than %u points", in->path, UINT16_MAX);
    ok = ok && name_is_free(t, in->name, in->path, err);
    ok = ok && (in->source = open_source(t, in, err)) != NULL;
    ok = ok && (in->name[0] || err_set(err, "%s: a point needs a name: NAME=SOURCE", in->path));
    ok = ok && (!t->options.bpf || source_filter(in->source, t->options.bpf, err));
    if (!ok) {
        input_free(in);
        return false;
    }
    if (only)
        source_only(in->source, only);
    add_input(t, in);
    return !t->nodes || trace_feed_join(t, in, err);
}

/* What this program recorded from several points is those points again. */
static bool add_recording(struct trace *t, struct slice name, bool named, struct slice path,
                          const struct source_points *points, struct err *err)
{
    bool ok = true;
    if (points->n == 1)
        return add_one(t, named ? name : slice_of(points->names[0]), path, NULL, err);
    for (size_t i = 0; ok && i < points->n; i++) {
        struct text full = {0};
        if (named)
            text_printf(&full, "%.*s:", SLICE_ARG(name));
        text_printf(&full, "%s", points->names[i]);
        ok = add_one(t, text_slice(&full), path, points->names[i], err);
        text_free(&full);
    }
    return ok;
}

bool trace_add(struct trace *t, const char *spec, struct err *err)
{
    struct slice name, path;
    struct source_points points = {NULL, 0};
    split_spec(slice_of(spec), &name, &path);
    if (path.n == 0)
        return err_set(err, "'%s': a source is missing: [NAME=]FILE or [NAME=]-", spec);
    bool named = path.n < strlen(spec), ok;
    if (!t->options.source.follow && source_points(path.p, &points))
        ok = add_recording(t, name, named, path, &points, err);
    else
        ok = add_one(t, name, path, NULL, err);
    source_points_free(&points);
    return ok;
}

bool trace_add_like(struct trace *t, const struct trace_input *in, struct err *err)
{
    bool is_stdin_file = strcmp(in->path, "-") == 0;
    return add_one(t, slice_of(in->name), is_stdin_file ? SLICE("/dev/stdin") : slice_of(in->path),
                   in->only, err);
}

struct source *trace_add_given(struct trace *t, const char *name, const char *label,
                               struct err *err)
{
    struct trace_input *in = input_new(t, slice_of(name), slice_of(label));
    if (!name_is_free(t, name, label, err)) {
        input_free(in);
        return NULL;
    }
    in->source = source_given_new(name, label);
    add_input(t, in);
    return !t->nodes || trace_feed_join(t, in, err) ? in->source : NULL;
}

/* ---- the run -------------------------------------------------------------------------------- */

bool trace_nodes_begin(struct trace *t, struct err *err)
{
    bool later = false;
    t->nodes = hop_nodes_new(&t->key);
    for (size_t i = 0; i < t->inputs.n; i++)
        later |= source_has_members(t->inputs.items[i]->source);
    for (size_t i = 0; i < t->points.n; i++)
        hop_nodes_add_point(t->nodes, t->points.items[i].name);
    for (size_t i = 0; i < t->options.node_count; i++)
        if (!hop_nodes_name(t->nodes, t->options.nodes[i], err))
            return false;
    return !t->options.livekit || hop_nodes_name_livekit(t->nodes, t->options.livekit, later, err);
}

static void *read_sources(void *context)
{
    struct trace *t = context;
    t->fed = trace_feed(t, &t->feed_error);
    trace_relay_end(t->relay);
    return NULL;
}

/* Reads, decodes and scans on another thread than this, which files what was found.  What comes out
 * is the same. */
static bool feed_beside(struct trace *t, struct err *err)
{
    pthread_t reader;
    t->relay = trace_relay_new();
    bool begun = pthread_create(&reader, NULL, read_sources, t) == 0;
    while (begun && trace_relay_take(t->relay, trace_file, trace_file_hidden))
        trace_show_progress(t);
    if (begun)
        pthread_join(reader, NULL);
    trace_relay_free(t->relay);
    t->relay = NULL;
    if (!begun)
        return trace_feed(t, err);
    *err = t->feed_error;
    return t->fed;
}

/* What is told of frames is told where they are read, and used where messages are filed. */
static bool needs_one_thread(const struct trace *t)
{
    return t->media || t->sinks.frame || t->spool || t->options.secrets || t->options.live ||
           trace_is_live(t);
}

/* Live sources are slow enough for one thread, which shows at once what it finds. */
static bool feed(struct trace *t, struct err *err)
{
    bool beside = t->options.threads ? t->options.threads > 1 : get_nprocs() > 1;
    bool fed = beside && !needs_one_thread(t) ? feed_beside(t, err) : trace_feed(t, err);
    trace_learn_hosts(t);
    return fed;
}

bool trace_begin(struct trace *t, uint32_t waiting_max, struct err *err)
{
    const struct call_events events = {trace_leg_over, trace_leg_retire, trace_live_let_go, t};
    const struct trace_filter *filter = t->options.filter;
    bool asked = t->sinks.message || t->options.want_count || t->options.media ||
                 (filter && filter->message);
    if (!asked && !trace_follows(t))
        sip_scanner_be_brief(t->scanner);
    if (!begin_frames(t, err) || !trace_nodes_begin(t, err))
        return false;
    t->joiner = hop_joiner_new(&t->key);
    t->media = t->options.media ? media_table_new(&t->key) : NULL;
    trace_points_begin(t);
    t->calls = call_table_new(&t->key, trace_follows(t), waiting_max, &events);
    call_table_want(t->calls, t->options.wants, t->options.want_count);
    if (t->options.live)
        trace_live_begin(t);
    return true;
}

static bool begin_run(struct trace *t, const struct trace_sinks *sinks, struct err *err)
{
    t->sinks = *sinks;
    return trace_begin(t, t->inputs.n > 1 ? CALL_WAITING_MANY : CALL_WAITING_ONE, err);
}

static bool end_run(struct trace *t, struct err *err)
{
    t->ending = true;
    trace_points_end(t);
    call_table_end(t->calls);
    if (t->read_error.text[0])
        return err_set(err, "%s", t->read_error.text);
    hop_nodes_settle(t->nodes);
    return true;
}

bool trace_run(struct trace *t, const struct trace_sinks *sinks, struct err *err)
{
    return begin_run(t, sinks, err) && feed(t, err) && end_run(t, err);
}

bool trace_run_begin(struct trace *t, const struct trace_sinks *sinks, struct err *err)
{
    return begin_run(t, sinks, err) && trace_feed_begin(t, err);
}

enum trace_step trace_run_step(struct trace *t, uint32_t frames, struct err *err)
{
    return trace_feed_some(t, frames, err);
}

bool trace_run_end(struct trace *t, struct err *err)
{
    trace_feed_end(t);
    trace_learn_hosts(t);
    return end_run(t, err);
}

bool trace_is_live(const struct trace *t)
{
    for (size_t i = 0; i < t->inputs.n; i++)
        if (source_stats(t->inputs.items[i]->source)->live)
            return true;
    return false;
}

const char *trace_widened_filter(const struct trace *t)
{
    const char *filter = NULL;
    for (size_t i = 0; i < t->inputs.n && !filter; i++)
        filter = source_widened(t->inputs.items[i]->source);
    return filter;
}

size_t trace_points(const struct trace *t, const struct trace_point **points)
{
    *points = t->points.items;
    return t->points.n;
}

void trace_set_progress(struct trace *t, trace_progress *progress, void *context)
{
    t->progress = progress;
    t->progress_context = context;
}

void trace_set_watch(struct trace *t, const struct trace_watch *watch)
{
    t->watch = *watch;
}

size_t trace_nodes(struct trace *t, const struct trace_node **nodes)
{
    const struct hop_node *known = NULL;
    size_t n = t->nodes ? hop_node_list(t->nodes, &t->arena, &known) : 0;
    struct trace_node *list = ARENA_ARRAY(&t->arena, struct trace_node, n);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct trace_node){hop_node_name(t->nodes, known[i].id), known[i].addresses,
                                      known[i].address_count};
    *nodes = list;
    return n;
}

size_t trace_notices(struct trace *t, const struct trace_notice **notices)
{
    vec_clear(&t->notices);
    trace_collect_notices(t);
    *notices = t->notices.items;
    return t->notices.n;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    trace_browse_free(&t->browse);
    media_table_free(t->media);
    spool_free(t->spool);
    trace_secrets_free(&t->secrets);
    call_table_free(t->calls);
    hop_joiner_free(t->joiner);
    hop_nodes_free(t->nodes);
    for (size_t i = t->inputs.n; i-- > 0;) /* those that came of others before these */
        input_free(t->inputs.items[i]);
    vec_free(&t->inputs);
    vec_free(&t->points);
    vec_free(&t->point_inputs);
    map_free(&t->agent_index);
    vec_free(&t->notices);
    vec_free(&t->live.told);
    vec_free(&t->looked);
    if (!t->keys_borrowed)
        packet_keys_free(t->keys);
    sip_scanner_free(t->scanner);
    arena_free(&t->arena);
    arena_free(&t->scratch);
    arena_free(&t->names);
    free(t);
}

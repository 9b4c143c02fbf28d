/* Reads the sources merged by time.  A live source that has nothing now is not waited for: of those
 * frames that are there the earliest goes first.  Two live sources can so come out of order by as
 * much as the one's frames take longer to get here than the other's. */
#include "trace/internal.h"

#include <poll.h>
#include <time.h>

#define TRACE_PROGRESS_FRAMES 65536u
#define TRACE_WAIT_MS         250 /* at most, between two looks at the stop flag */

static void note_link_type(struct trace *t, const struct trace_input *in)
{
    struct trace_point *p = &t->points.items[in->point];
    if (in->frame.message) {
        p->is_log = true;
        return;
    }
    for (uint32_t i = 0; i < p->link_type_count; i++)
        if (p->link_types[i] == in->frame.link_type)
            return;
    if (p->link_type_count < sizeof p->link_types / sizeof *p->link_types)
        p->link_types[p->link_type_count++] = in->frame.link_type;
}

/* A log need not say which address of its own host a message came to or went from: it is that
 * host's all the same. */
static void name_own_end(struct trace_input *in)
{
    struct source_frame *f = &in->frame;
    if (!f->message)
        return;
    in->message = *f->message;
    f->message = &in->message;
    struct endpoint *own = f->direction == SOURCE_IN    ? &in->message.dst
                           : f->direction == SOURCE_OUT ? &in->message.src
                                                        : NULL;
    if (own && address_is_none(&own->ip))
        own->ip = address_unnamed(in->point);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Secrets serve all points; they are there before the frames that follow them. */
static void learn_secrets(struct trace *t, struct trace_input *in)
{
    const struct slice *list;
    size_t n = source_secrets(in->source, &list);
    for (; in->secrets < n; in->secrets++)
        packet_keys_add(t->keys, list[in->secrets]);
}

static void end_input(struct trace *t, struct trace_input *in)
{
    packet_flush(in->decoder);
    if (t->watch.ended)
        t->watch.ended(t->watch.context, in->point);
}

static void tell_news(struct trace *t, const struct trace_input *in)
{
    const char *text;
    while ((text = source_news(in->source)) != NULL)
        if (t->watch.news)
            t->watch.news(t->watch.context, in->point, text);
}

/* It has no frame now. */
static bool rest(struct trace *t, struct trace_input *in, enum source_result r, struct err *err)
{
    if (r == SOURCE_END)
        end_input(t, in);
    else if (r == SOURCE_WAIT)
        in->asked_ns = now_ns();
    tell_news(t, in);
    return r != SOURCE_ERROR && trace_take_members(t, in, err);
}

static inline bool advance(struct trace *t, struct trace_input *in, struct err *err)
{
    enum source_result r = source_next(in->source, &in->frame, err);
    learn_secrets(t, in);
    in->ready = r == SOURCE_FRAME;
    t->waiting += (r == SOURCE_WAIT) - in->waiting;
    in->waiting = r == SOURCE_WAIT;
    return in->ready || rest(t, in, r, err);
}

/* What a capture says of its host comes with its interface blocks, so it is asked for as they are
 * read. */
static void learn_host(struct trace *t, struct trace_input *in)
{
    const struct source_host_address *list;
    size_t n = source_host_addresses(in->source, &list);
    for (; in->host_addresses < n; in->host_addresses++)
        hop_nodes_host_address(t->nodes, in->point, &list[in->host_addresses].ip);
}

static struct trace_input *earliest(const struct trace *t)
{
    struct trace_input *first = NULL;
    for (size_t i = 0; i < t->inputs.n; i++) {
        struct trace_input *in = t->inputs.items[i];
        if (in->ready && (!first || in->frame.time_ns < first->frame.time_ns))
            first = in;
    }
    return first;
}

void trace_show_progress(struct trace *t)
{
    uint64_t done = t->bytes_done;
    if (t->progress && done != t->bytes_shown)
        t->progress(t->progress_context, done, t->bytes_total);
    t->bytes_shown = done;
}

static void note_progress(struct trace *t)
{
    uint64_t done = 0, total = 0;
    if (!t->progress || ++t->frames_since_progress < TRACE_PROGRESS_FRAMES)
        return;
    t->frames_since_progress = 0;
    for (size_t i = 0; i < t->inputs.n; i++) {
        const struct source_stats *s = source_stats(t->inputs.items[i]->source);
        done += s->bytes_read;
        total += s->bytes_total;
    }
    t->bytes_total = total;
    t->bytes_done = done;
    if (!t->relay)
        trace_show_progress(t);
}

/* ---- live sources ---------------------------------------------------------------------------- */

/* Asks those again that had nothing when they were asked before `time_ns`: what they have by now
 * may be earlier. */
static bool ask_again(struct trace *t, int64_t time_ns, struct err *err)
{
    for (size_t i = 0; i < t->inputs.n; i++) {
        struct trace_input *in = t->inputs.items[i];
        if (in->waiting && in->asked_ns < time_ns && !advance(t, in, err))
            return false;
    }
    return true;
}

/* Nothing is there: what was found so far is shown, then one of the live sources is waited for. */
static void wait_for_any(struct trace *t)
{
    nfds_t n = 0;
    if (t->options.live)
        trace_live_wait(t);
    if (t->watch.idle)
        t->watch.idle(t->watch.context);
    struct pollfd *list = arena_alloc(&t->scratch, t->inputs.n * sizeof *list);
    for (size_t i = 0; i < t->inputs.n; i++)
        if (t->inputs.items[i]->waiting)
            list[n++] = (struct pollfd){source_fd(t->inputs.items[i]->source), POLLIN, 0};
    (void)poll(list, n, trace_live_patience(t, TRACE_WAIT_MS)); /* a signal ends it, too */
    arena_reset(&t->scratch);
}

static inline bool is_to_stop(const struct trace *t)
{
    return !t->stopping && ((t->options.stop && *t->options.stop) || trace_live_has_enough(t));
}

static void stop(struct trace *t)
{
    t->stopping = true;
    for (size_t i = 0; i < t->inputs.n; i++)
        source_stop(t->inputs.items[i]->source);
    for (size_t i = 0; t->options.stop_all && i < t->inputs.n; i++)
        source_abandon(t->inputs.items[i]->source);
}

/* ---- the loop -------------------------------------------------------------------------------- */

void trace_learn_hosts(struct trace *t)
{
    for (size_t i = 0; i < t->inputs.n; i++)
        learn_host(t, t->inputs.items[i]);
}

bool trace_feed_begin(struct trace *t, struct err *err)
{
    bool ok = true;
    size_t n = t->inputs.n; /* those that come of these were asked already */
    for (size_t i = 0; ok && i < n; i++)
        ok = advance(t, t->inputs.items[i], err);
    trace_learn_hosts(t);
    return ok;
}

bool trace_feed_join(struct trace *t, struct trace_input *in, struct err *err)
{
    bool ok = advance(t, in, err);
    learn_host(t, in);
    return ok;
}

static inline bool feed_one(struct trace *t, struct trace_input *in, struct err *err)
{
    note_link_type(t, in);
    name_own_end(in);
    if (t->options.live)
        trace_live_frame(t, in);
    if (in->select)
        select_begin(in->select, in->point, &in->frame, packet_stats(in->decoder));
    packet_push(in->decoder, &in->frame);
    if (in->select)
        select_end(in->select);
    note_progress(t);
    return advance(t, in, err);
}

void trace_feed_end(struct trace *t)
{
    for (size_t i = 0; i < t->inputs.n; i++)
        packet_flush(t->inputs.items[i]->decoder); /* another's secrets may have come since */
}

enum trace_step trace_feed_some(struct trace *t, uint32_t frames, struct err *err)
{
    while (frames-- > 0) {
        if (is_to_stop(t))
            stop(t);
        struct trace_input *in = earliest(t);
        if (t->waiting) {
            if (!ask_again(t, in ? in->frame.time_ns : INT64_MAX, err))
                return TRACE_FAILED;
            in = earliest(t);
        }
        if (!in)
            return t->waiting ? TRACE_WAIT : TRACE_OVER;
        if (!feed_one(t, in, err))
            return TRACE_FAILED;
    }
    return TRACE_MORE;
}

bool trace_feed(struct trace *t, struct err *err)
{
    enum trace_step step = trace_feed_begin(t, err) ? TRACE_MORE : TRACE_FAILED;
    while (step == TRACE_MORE || step == TRACE_WAIT) {
        if (step == TRACE_WAIT)
            wait_for_any(t);
        step = trace_feed_some(t, UINT32_MAX, err);
    }
    trace_feed_end(t);
    return step == TRACE_OVER;
}

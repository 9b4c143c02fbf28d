/* Live runs: the clock by which calls settle, and what is reported of a call when more of it comes.
 *
 * The clock is that of the sources, so that a burst or a stall of ours makes no call look silent;
 * it goes on by our own while none of them has anything.  A source whose clock is far from the time
 * of day (another host's, or a capture of long ago) is shifted by as much as its first frame was
 * off.
 */
#include "trace/internal.h"

#include <time.h>

#define SHIFT_FROM   (60 * (int64_t)1000000000)
#define LEAP_FROM    (24 * 60 * SHIFT_FROM)
#define TIME_MAX     (INT64_MAX / 2) /* the year 2116: what is later is no time */
#define LOOK_FRAMES  64u             /* between two looks at our clock */
#define SHOW_MS      100             /* what was found is shown so often at least */
#define COUNT_MS     1000            /* counters and addresses of interfaces are asked for */
#define SETTLE_STEPS 50              /* ms: waits while some call settles */

/* ---- the clock ------------------------------------------------------------------------------- */

static int64_t day_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The time of a frame by the clock of the run.  Files have one clock, or none is the right one.  A
 * source that leaps by more than a day from one frame to the next had its clock set, or lies: it
 * goes on from where it was, for one frame must not end the calls of all. */
static bool frame_time(struct trace *t, struct trace_input *in, int64_t *time_ns)
{
    const struct source_stats *s = source_stats(in->source);
    int64_t now = in->frame.time_ns;
    if (now < 0 || now > TIME_MAX)
        return false;
    if (s->live && !s->followed) {
        int64_t off = in->shifted ? in->seen_ns - now : day_ns() - now;
        int64_t from = in->shifted ? LEAP_FROM : SHIFT_FROM;
        bool leaps = off > from || off < -from;
        t->live.leaps += leaps && in->shifted;
        if (leaps)
            in->shift_ns = in->shifted ? in->shift_ns + off : off;
        in->seen_ns = now;
    }
    in->shifted = true;
    *time_ns = now + in->shift_ns;
    return true;
}

/* In weeks more addresses come than nodes are kept of.  What was learned is forgotten then, but
 * what the user said, and learned anew from the calls that go on. */
static void renew_nodes(struct trace *t)
{
    struct err err;
    if (!hop_nodes_overflow(t->nodes))
        return;
    hop_nodes_free(t->nodes);
    (void)trace_nodes_begin(t, &err); /* the same words were right before */
    for (size_t i = 0; i < t->inputs.n; i++)
        t->inputs.items[i]->host_addresses = 0;
    t->live.renewals++;
}

static void show(struct trace *t)
{
    struct trace_live *l = &t->live;
    int64_t now = monotonic_ms();
    l->frames = 0;
    if (now - l->looked_ms >= COUNT_MS) {
        l->looked_ms = now;
        renew_nodes(t);
        trace_learn_hosts(t);
        for (size_t i = 0; i < t->inputs.n; i++)
            source_count(t->inputs.items[i]->source);
    }
    if (now - l->shown_ms < SHOW_MS)
        return;
    l->shown_ms = now;
    if (t->watch.idle)
        t->watch.idle(t->watch.context);
}

void trace_live_frame(struct trace *t, struct trace_input *in)
{
    struct trace_live *l = &t->live;
    int64_t time_ns;
    if (frame_time(t, in, &time_ns) && time_ns > l->now_ns)
        l->now_ns = time_ns;
    l->idle_from = 0;
    call_table_clock(t->calls, l->now_ns);
    if (++l->frames >= LOOK_FRAMES)
        show(t);
}

void trace_live_wait(struct trace *t)
{
    struct trace_live *l = &t->live;
    int64_t now = monotonic_ms();
    if (!l->idle_from) {
        l->idle_from = now;
        l->idle_ns = l->now_ns;
    }
    int64_t time_ns = l->idle_ns + (now - l->idle_from) * 1000000;
    if (time_ns > l->now_ns)
        l->now_ns = time_ns;
    call_table_clock(t->calls, l->now_ns);
    show(t);
}

int trace_live_patience(const struct trace *t, int usual_ms)
{
    if (!t->options.live)
        return usual_ms;
    return call_table_settles(t->calls) ? SETTLE_STEPS : SHOW_MS;
}

void trace_live_begin(struct trace *t)
{
    call_table_live(t->calls, t->options.memory);
}

/* ---- reports --------------------------------------------------------------------------------- */

static uint64_t digest_of(const struct trace *t, const struct check_call *c)
{
    uint64_t hash = hash_mix(1, c->verdict);
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct check_finding *f = &c->findings[i];
        if (f->severity == CHECK_NOTE)
            continue;
        hash = hash_mix(hash, hash_slice(&t->key, slice_of(f->id)));
        hash = hash_mix(hash, hash_slice(&t->key, f->method));
        hash = hash_mix(hash, hash_slice(&t->key, f->header));
        hash = hash_mix(hash, hash_slice(&t->key, f->node));
    }
    return hash | 1; /* 0 is none */
}

static struct trace_told *told_of(struct trace *t, uint32_t leg)
{
    while (t->live.told.n <= leg)
        *vec_add(&t->live.told) = (struct trace_told){0};
    return &t->live.told.items[leg];
}

/* What was reported of these legs, the first report where there are several. */
static struct trace_told told_before(struct trace *t, const uint32_t *legs, size_t n)
{
    struct trace_told first = {0};
    for (size_t i = 0; i < n; i++) {
        const struct trace_told *one = told_of(t, legs[i]);
        if (one->number && (!first.number || one->number < first.number))
            first = *one;
    }
    return first;
}

static uint64_t *count_of(struct check_summary *s, enum check_verdict v)
{
    return v == CHECK_PASS ? &s->passed : v == CHECK_FAIL ? &s->failed : &s->inconclusive;
}

/* The call was counted when it was judged first: only its verdict is counted anew. */
static bool judge_again(struct trace *t, const struct hop_call *call, struct check_call *result)
{
    struct check_options options = *t->options.check;
    struct check_summary aside = {0};
    options.baseline = NULL;
    check_summary_init(&aside, &options);
    bool reported = check_call(&t->scratch, &options, &aside, call, result);
    check_summary_free(&aside);
    return reported;
}

static void hand_on(struct trace *t, const uint32_t *legs, size_t n, struct check_call *result)
{
    const struct trace_told told = {result->number, digest_of(t, result), result->verdict};
    for (size_t i = 0; i < n; i++)
        *told_of(t, legs[i]) = told;
    t->sinks.check(t->sinks.context, result);
}

static void correct(struct trace *t, const uint32_t *legs, size_t n, const struct hop_call *call,
                    const struct trace_told *before)
{
    struct check_call result = {.number = 0};
    if (!judge_again(t, call, &result) || digest_of(t, &result) == before->digest)
        return;
    --*count_of(t->options.summary, before->verdict);
    ++*count_of(t->options.summary, result.verdict);
    result.number = before->number;
    result.corrects = true;
    result.before = before->verdict;
    t->live.corrected++;
    hand_on(t, legs, n, &result);
}

void trace_live_judge(struct trace *t, const uint32_t *legs, size_t n, const struct hop_call *call)
{
    struct trace_told before = told_before(t, legs, n);
    struct check_call result = {.number = 0};
    if (before.number) {
        correct(t, legs, n, call, &before);
        return;
    }
    if (trace_live_has_enough(t) ||
        !check_call(&t->scratch, t->options.check, t->options.summary, call, &result))
        return;
    result.number = ++t->live.reported;
    hand_on(t, legs, n, &result);
}

bool trace_live_has_enough(const struct trace *t)
{
    return t->options.calls_max && t->live.reported >= t->options.calls_max;
}

void trace_live_let_go(void *trace, uint32_t leg)
{
    struct trace *t = trace;
    hop_joiner_forget(t->joiner, leg);
    trace_choose_forget(t, leg);
    *told_of(t, leg) = (struct trace_told){0};
}

void trace_live_stats(const struct trace *t, struct trace_live_stats *out)
{
    *out = (struct trace_live_stats){.reported = t->live.reported,
                                     .corrected = t->live.corrected,
                                     .open = t->calls ? call_table_open(t->calls) : 0,
                                     .bytes = t->calls ? call_table_bytes(t->calls) : 0,
                                     .calls = t->calls ? call_table_stats(t->calls) : NULL};
}

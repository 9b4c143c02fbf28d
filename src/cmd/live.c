/* What a live run tells while it goes on: what was lost. */
#include "cmd/internal.h"

#include <time.h>

#define TELL_MS 1000 /* between two looks at what was lost */

struct count {
    const char *what;
    uint64_t now;
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(struct cmd_live *l, const struct report_loss *loss)
{
    if (l->hooks && l->hooks->lost)
        l->hooks->lost(l->hooks->context, loss);
    else
        cmd_complain("%s%s%s: %llu, %llu in all", loss->point ? loss->point : "",
                     loss->point ? ": " : "", loss->what, (unsigned long long)loss->count,
                     (unsigned long long)loss->total);
}

static void compare(struct cmd_live *l, uint64_t *told, const char *point, const struct count *c)
{
    if (c->now <= *told)
        return;
    const struct report_loss loss = {.point = point,
                                     .what = c->what,
                                     .count = c->now - *told,
                                     .total = c->now,
                                     .time_ns = clock_ms(CLOCK_REALTIME) * 1000000};
    *told = c->now;
    say(l, &loss);
}

static void tell_losses(struct cmd_live *l)
{
    const struct trace_point *points;
    struct trace_live_stats stats;
    size_t n = trace_points(l->trace, &points);
    for (size_t i = 0; i < n; i++) {
        const struct trace_point *p = &points[i];
        while (l->losses.n <= i)
            *vec_add(&l->losses) = (struct cmd_loss){0};
        if (p->by_hep)
            continue;
        struct cmd_loss *told = &l->losses.items[i];
        compare(l, &told->kernel, p->name,
                &(struct count){"packets dropped by the kernel", p->source->kernel_dropped});
        compare(l, &told->link, p->name,
                &(struct count){"packets dropped by the interface", p->source->dropped_by_link});
    }
    trace_live_stats(l->trace, &stats);
    if (stats.calls)
        compare(l, &l->squeezed, NULL,
                &(struct count){"Call-IDs given up at the limit of memory",
                                stats.calls->legs_squeezed + stats.calls->legs_evicted});
}

void cmd_live_tick(struct cmd_live *l)
{
    int64_t now = clock_ms(CLOCK_MONOTONIC);
    if (l->hooks && l->hooks->tick)
        l->hooks->tick(l->hooks->context);
    if (now < l->tell_at)
        return;
    l->tell_at = now + TELL_MS;
    tell_losses(l);
}

void cmd_live_end(struct cmd_live *l)
{
    if (l->tell_at)
        tell_losses(l);
    vec_free(&l->losses);
}

/* For the tests of the probe: short plans, runs over loopback, and what the log has of them. */
#ifndef TESTS_PROBE_CALL_H
#define TESTS_PROBE_CALL_H

#include "probe/probe.h"

#include <stdio.h>

#include "unit.h"

#define STEPS_MAX 16
#define ANY_PORT  "127.0.0.1:0"

/* "c INVITE", "e 180 INVITE" (c: caller, e: callee), with header lines parted by '|' behind a TAB
 */
struct plan {
    struct probe_step steps[STEPS_MAX];
    struct slice lines[STEPS_MAX][8];
    struct probe_call_plan call;
    struct probe_plan plan;
};

static void plan_step(struct plan *p, size_t i, struct slice text)
{
    struct probe_step *s = &p->steps[i];
    uint32_t status = 0;
    size_t tab = slice_find(text, '\t');
    struct slice head = slice_first(text, tab), lines = slice_from(text, tab + 1);
    s->from = head.p[0] == 'c' ? PROBE_CALLER : PROBE_CALLEE;
    head = slice_from(head, 2);
    struct slice word = slice_first(head, slice_find(head, ' '));
    if (slice_to_u32(word, &status)) {
        s->status = (uint16_t)status;
        head = slice_from(head, word.n + 1);
    }
    s->method = head;
    s->lines = p->lines[i];
    while (lines.n) {
        size_t n = slice_find(lines, '|');
        p->lines[i][s->line_count++] = slice_first(lines, n);
        lines = slice_from(lines, n + 1);
    }
}

/* Steps parted by '$'. */
static inline void plan_make(struct plan *p, const char *text)
{
    struct slice rest = slice_of(text);
    *p = (struct plan){0};
    while (rest.n) {
        size_t n = slice_find(rest, '$');
        plan_step(p, p->call.step_count++, slice_first(rest, n));
        rest = slice_from(rest, n + 1);
    }
    p->call.steps = p->steps;
    p->plan.calls = &p->call;
    p->plan.call_count = 1;
}

/* Both ends over UDP on loopback, the callee at a port of its own. */
static inline struct probe_options plan_options(void)
{
    return (struct probe_options){
        .play = {true, true},
        .to = SLICE("sip:+15105550100@127.0.0.1:45060"),
        .from = SLICE("sip:+14155550100@127.0.0.1"),
        .listen = {ANY_PORT, "127.0.0.1:45060"},
        .agent = SLICE("sipxray/test"),
        .step_ms = 15000, /* other tests may keep the machine busy */
        .seed = 1,
    };
}

/* The n-th message (from 0) of this kind at this end that begins so; NULL: there is none. */
static inline const struct probe_entry *log_find(const struct probe_log *log, enum probe_kind kind,
                                                 enum probe_end end, const char *start, size_t n)
{
    for (size_t i = 0; i < log->entries.n; i++) {
        const struct probe_entry *e = &log->entries.items[i];
        if (e->kind == kind && e->end == end && slice_starts(e->bytes, slice_of(start)) && n-- == 0)
            return e;
    }
    return NULL;
}

static inline bool holds(struct slice text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

static inline void log_print(const struct probe_log *log)
{
    for (size_t i = 0; i < log->entries.n; i++) {
        const struct probe_entry *e = &log->entries.items[i];
        static const char *const kinds[] = {"sent", "received", "noise", "event"};
        fprintf(stderr, "%lld ", (long long)(e->time_ns / 1000000 % 100000));
        fprintf(stderr, "%zu %s %s call %d step %d%s%s %.*s %.*s\n", i, e->end ? "e" : "c",
                kinds[e->kind], (int)e->call, (int)e->step, e->retransmission ? " again" : "",
                e->stray ? " stray" : "", (int)slice_find(slice_first(e->bytes, 80), '\r'),
                e->bytes.p, SLICE_ARG(e->text));
    }
}

static inline void outcomes_print(const struct probe_run *run)
{
    for (size_t i = 0; i < run->results.n; i++)
        for (size_t k = 0; k < run->results.items[i].plan->step_count; k++) {
            struct text t = {0};
            probe_outcome_text(&t, &run->log, &run->results.items[i], k);
            fprintf(stderr, "call %zu step %zu: %s\n", i, k, t.p);
            text_free(&t);
        }
}

#endif

/* What changed since an earlier report (--baseline), in words. */
#include "report/internal.h"

bool report_has_news(const struct check_call *c)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (!c->findings[i].known)
            return true;
    return false;
}

bool report_failed_anew(const struct check_call *c)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (!c->findings[i].known && c->findings[i].severity == CHECK_ERROR)
            return true;
    return false;
}

/* Are the two told in one line, being of different headers only? */
static bool same_line(const struct check_difference *a, const struct check_difference *b)
{
    return a->change == b->change && a->severity == b->severity && slice_equal(a->id, b->id) &&
           slice_equal(a->method, b->method) && slice_equal(a->node, b->node) &&
           slice_equal(a->trunk, b->trunk) && slice_equal(a->rule, b->rule) && a->then == b->then &&
           a->now == b->now && a->header.n && b->header.n;
}

/* "error header-stripped on BYE by kam1, trunk T: X-A, X-B: 0 then, 3 now" of those that stand side
 * by side; the number of them. */
static size_t words_of(struct arena *a, const struct check_difference *list, size_t n,
                       struct slice *words)
{
    const struct check_difference *d = list;
    const struct {
        const char *before;
        struct slice value;
    } parts[] = {
        {" on ", d->method}, {" by ", d->node}, {", trunk ", d->trunk}, {", rule ", d->rule}};
    struct text t = {0};
    size_t used = 1;
    text_printf(&t, "%s ", check_severity_name(d->severity));
    text_add(&t, d->id);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].value.n) {
            text_add(&t, slice_of(parts[i].before));
            text_add(&t, parts[i].value);
        }
    text_add(&t, d->header.n ? SLICE(": ") : SLICE(""));
    text_add(&t, d->header);
    for (; used < n && same_line(d, &list[used]); used++) {
        text_add(&t, SLICE(", "));
        text_add(&t, list[used].header);
    }
    text_printf(&t, ": %llu then, %llu now", (unsigned long long)d->then,
                (unsigned long long)d->now);
    *words = text_keep(&t, a);
    return used;
}

struct slice report_comparison_text(struct arena *a, const struct report_run *run)
{
    const struct check_difference *list;
    size_t n = check_baseline_compare(run->baseline, run->summary->calls, &list);
    unsigned long long counts[] = {[CHECK_NEW] = 0, [CHECK_GONE] = 0, [CHECK_SAME] = 0};
    for (size_t i = 0; i < n; i++)
        counts[list[i].change]++;
    return ARENA_JOIN(
        a, SLICE("compared with "), slice_of(check_baseline_path(run->baseline)),
        arena_printf(
            a,
            " (calls: %llu then, %llu now), kinds of finding: %llu new, %llu gone, %llu the same",
            (unsigned long long)check_baseline_calls(run->baseline),
            (unsigned long long)run->summary->calls, counts[CHECK_NEW], counts[CHECK_GONE],
            counts[CHECK_SAME]));
}

void report_changes(struct report_changes *out, struct arena *a, const struct report_run *run)
{
    static const enum check_change order[] = {CHECK_NEW, CHECK_GONE};
    const struct check_difference *list;
    if (!run->baseline)
        return;
    size_t n = check_baseline_compare(run->baseline, run->summary->calls, &list);
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; i < n;) {
            struct report_change c = {.of = &list[i]};
            i += words_of(a, &list[i], n - i, &c.words);
            if (c.of->change == order[k])
                *vec_add(out) = c;
        }
}

/* ---- the run --------------------------------------------------------------------------------- */

static void add_open(struct report_sentences *out, struct slice words)
{
    if (words.n)
        *vec_add(out) =
            (struct report_sentence){.open = true, .severity = CHECK_WARNING, .words = words};
}

/* The message, and the calls in which it was seen. */
static struct slice run_words(struct arena *a, const struct check_run_finding *f)
{
    struct text t = {0};
    text_add(&t, f->message);
    for (size_t i = 0; i < f->evidence_count; i++) {
        text_add(&t, i ? SLICE(", ") : SLICE("; seen in call "));
        text_add(&t, f->evidence[i].call_id);
        text_add(&t, SLICE(" at "));
        text_add(&t, f->evidence[i].point);
        text_printf(&t, " frame %u", f->evidence[i].frame);
    }
    return text_keep(&t, a);
}

void report_run_sentences(struct report_sentences *out, struct arena *a,
                          const struct report_run *run)
{
    const struct check_summary *s = run->summary;
    for (size_t i = 0; i < s->promise_count;)
        add_open(out, report_untested(a, s, &i));
    for (size_t i = 0; run->verdict == CHECK_INCONCLUSIVE && i < run->point_count; i++)
        add_open(out, report_hidden(a, &run->points[i]));
    for (size_t i = 0; i < s->findings.n; i++)
        *vec_add(out) = (struct report_sentence){.severity = s->findings.items[i].severity,
                                                 .known = s->findings.items[i].known,
                                                 .words = run_words(a, &s->findings.items[i])};
}

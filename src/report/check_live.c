/* check --live as text: a line for each call as it ends, one for what was lost, the counts at the
 * end. */
#include "report/internal.h"

#define INDENT 14u /* of further lines: time and label */

struct mark {
    const char *label;
    enum report_colour colour;
};

static const struct mark marks[] = {
    [CHECK_PASS] = {"ok", REPORT_GREEN},
    [CHECK_FAIL] = {"FAIL", REPORT_RED},
    [CHECK_INCONCLUSIVE] = {"open", REPORT_YELLOW},
};

static void begin_line(struct text *out, struct report_check *r, const struct mark *m,
                       int64_t time_ns)
{
    report_add_day(out, r->style.local_time, &r->day, time_ns);
    report_add_clock(out, r->style.local_time, time_ns, false);
    report_add_spaces(out, 1);
    report_add_coloured(out, &r->style, m->colour, slice_of(m->label));
    report_add_spaces(out, INDENT - 9 - slice_of(m->label).n);
}

static void end_line(struct text *out, struct report_check *r, struct slice words)
{
    report_add_wrapped(out, INDENT, INDENT, r->style.width, words);
    text_add_char(out, '\n');
}

/* When it was seen last. */
static int64_t last_of(const struct check_call *c)
{
    int64_t last = c->start_ns;
    for (size_t i = 0; i < c->request_count; i++)
        for (size_t k = 0; k < c->requests[i].sighting_count; k++)
            if (c->requests[i].sightings[k].time_ns > last)
                last = c->requests[i].sightings[k].time_ns;
    return last;
}

struct slice report_start_of(struct arena *a, const struct check_call *c)
{
    return arena_copy(a, slice_of(report_time_iso(false, c->start_ns).s));
}

/* What is wrong, or why nothing can be said; a call that passed may have warnings. */
struct slice report_live_words(struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    struct text t = {0};
    report_call_sentences(&list, a, c);
    for (size_t i = 0; i < list.n; i++) {
        const struct report_sentence *s = &list.items[i];
        if (s->pass || s->severity == CHECK_NOTE || s->words.n == 0)
            continue;
        text_add(&t, t.n ? SLICE("; ") : SLICE(""));
        text_add(&t, s->words);
    }
    if (!t.n && c->verdict == CHECK_INCONCLUSIVE)
        text_add(&t, report_inconclusive_why(c));
    vec_free(&list);
    return text_keep(&t, a);
}

void report_live_call(struct text *out, struct report_check *r, const struct check_call *c)
{
    struct arena a = {0};
    struct slice before = SLICE_NONE, words = report_live_words(&a, c);
    if (c->corrects)
        before = arena_printf(&a, ", corrected (was %s)", marks[c->before].label);
    begin_line(out, r, &marks[c->verdict], last_of(c));
    end_line(out, r,
             ARENA_JOIN(&a, arena_printf(&a, "#%llu ", (unsigned long long)c->number),
                        report_call_parties(&a, c), before, words.n ? SLICE(": ") : SLICE(""),
                        words, SLICE(" ["),
                        arena_join_list(&a, c->call_ids, c->call_id_count, SLICE(" and ")),
                        SLICE("]")));
    arena_free(&a);
}

void report_live_lost(struct text *out, struct report_check *r, const struct report_loss *loss)
{
    static const struct mark lost = {"LOST", REPORT_RED};
    struct arena a = {0};
    begin_line(out, r, &lost, loss->time_ns);
    end_line(out, r,
             ARENA_JOIN(&a, slice_of(loss->point ? loss->point : ""),
                        loss->point ? SLICE(": ") : SLICE(""), slice_of(loss->what),
                        arena_printf(&a, ": %llu, %llu in all", (unsigned long long)loss->count,
                                     (unsigned long long)loss->total)));
    arena_free(&a);
}

void report_live_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    report_check_text_end(out, &r->style, run);
}

/* check --format github: workflow commands that become annotations of a run of GitHub Actions.  It
 * shows so many of a kind for each step; what is beyond that stands in the step's log, and the last
 * annotation says so. */
#include "report/internal.h"

#define ANNOTATIONS_MAX 10u /* of each kind, in one step: GitHub's limit */

static const char *command_of(enum check_severity s)
{
    static const char *const names[] = {
        [CHECK_ERROR] = "error", [CHECK_WARNING] = "warning", [CHECK_NOTE] = "notice"};
    return names[s];
}

/* One stays free for what says that there is more. */
static void add_annotation(struct text *out, struct report_check *r, enum check_severity severity,
                           struct slice title, struct slice words)
{
    if (++r->annotations[severity] >= ANNOTATIONS_MAX) {
        text_printf(out, "%s: ", check_severity_name(severity));
        text_add_workflow_log(out, title);
        text_add(out, SLICE(": "));
        text_add_workflow_log(out, words);
    } else {
        text_printf(out, "::%s title=", command_of(severity));
        text_add_workflow_property(out, title);
        text_add(out, SLICE("::"));
        text_add_workflow(out, words);
    }
    text_add_char(out, '\n');
}

static struct slice title_of(struct arena *a, const struct check_call *c,
                             const struct report_sentence *s)
{
    struct slice message = s->request   ? report_message_name(a, s->request)
                           : s->finding ? s->finding->method
                                        : SLICE_NONE;
    return ARENA_JOIN(a, SLICE("SIP headers"), message.n ? SLICE(" of ") : SLICE_NONE, message,
                      SLICE(" in "), report_call_title(a, c));
}

/* Where to look, and why it came to that. */
static struct slice words_of(struct arena *a, const struct check_call *c,
                             const struct report_sentence *s)
{
    struct text t = {0};
    text_add(&t, s->words);
    for (size_t i = 0; s->finding && i < s->finding->evidence_count; i++) {
        text_add(&t, i ? SLICE(", ") : SLICE("; seen at "));
        text_add(&t, s->finding->evidence[i].point);
        text_printf(&t, " frame %u", s->finding->evidence[i].frame);
    }
    for (size_t i = 0; s->severity == CHECK_ERROR && i < c->cause_count; i++) {
        text_add(&t, SLICE("; cause "));
        text_add(&t, report_cause_text(a, &c->causes[i]));
    }
    return text_keep(&t, a);
}

void report_github_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct arena a = {0};
    struct report_sentences list = {0};
    report_call_sentences(&list, &a, call);
    for (size_t i = 0; i < list.n; i++)
        if (!list.items[i].pass && !report_sentence_known(&list.items[i]))
            add_annotation(out, r, list.items[i].severity, title_of(&a, call, &list.items[i]),
                           words_of(&a, call, &list.items[i]));
    vec_free(&list);
    arena_free(&a);
}

static void add_more(struct text *out, const struct report_check *r, enum check_severity severity)
{
    unsigned long long n = r->annotations[severity];
    if (n < ANNOTATIONS_MAX)
        return;
    text_printf(out,
                "::%s title=sipxray%%3A %llu more::GitHub shows %u annotations of a kind for each "
                "step; further ones stand in the log of this step\n",
                command_of(severity), n - ANNOTATIONS_MAX + 1, ANNOTATIONS_MAX);
}

/* What is new of kinds that the baseline has, too, and what is gone; the rest was told with its
 * call. */
static void add_changes(struct text *out, struct report_check *r, struct arena *a,
                        const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    for (size_t i = 0; i < changes.n; i++) {
        const struct check_difference *d = changes.items[i].of;
        if (d->then == 0)
            continue;
        add_annotation(out, r, d->change == CHECK_NEW ? d->severity : CHECK_NOTE,
                       d->change == CHECK_NEW ? SLICE("more often than in the baseline")
                                              : SLICE("gone since the baseline"),
                       changes.items[i].words);
    }
    if (run->baseline) {
        text_add(out, SLICE("sipxray: "));
        text_add_workflow_log(out, report_comparison_text(a, run));
        text_add_char(out, '\n');
    }
    vec_free(&changes);
}

void report_github_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct arena a = {0};
    struct report_sentences list = {0};
    report_run_sentences(&list, &a, run);
    for (size_t i = 0; i < list.n; i++) {
        const struct report_sentence *s = &list.items[i];
        if (!report_sentence_known(s))
            add_annotation(out, r, s->open && run->allow_untested ? CHECK_NOTE : s->severity,
                           s->open ? SLICE("SIP headers that were not judged")
                                   : SLICE("SIP headers of all calls"),
                           s->words);
    }
    vec_free(&list);
    add_changes(out, r, &a, run);
    for (enum check_severity s = CHECK_ERROR; s <= CHECK_NOTE; s++)
        add_more(out, r, s);
    text_add(out, SLICE("sipxray: "));
    text_add_workflow_log(out, report_summary_text(&a, run));
    text_add_char(out, '\n');
    arena_free(&a);
}

/* check --format tap: TAP version 14, a subtest for each call.  The plan stands at the end, so that
 * calls are printed as they come. */
#include "report/internal.h"

#define CALL_INDENT 4 /* of a subtest */

/* Perl's prove, before it knew version 14, refuses a stream that names it.  With a comment behind
 * it the line is none to prove, which then reads the tests all the same. */
void report_tap_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    (void)r;
    (void)run;
    text_add(out, SLICE("TAP version 14 # by sipxray\n"));
}

/* ---- directives ------------------------------------------------------------------------------ */

static void add_skip(struct text *out, struct slice why)
{
    text_add(out, SLICE(" # SKIP "));
    text_add_tap(out, why);
}

static void add_known(struct text *out)
{
    text_add(out, SLICE(" # TODO as in the baseline"));
}

/* ---- one test -------------------------------------------------------------------------------- */

static void add_member(struct text *out, size_t indent, const char *key, struct slice value)
{
    report_add_spaces(out, indent + 2);
    text_printf(out, "%s: ", key);
    text_add_yaml(out, value);
    text_add_char(out, '\n');
}

/* What the header was at each place. */
static void add_path(struct text *out, const struct report_check *r, struct arena *a, size_t indent,
                     const struct report_test *t)
{
    report_add_spaces(out, indent + 2);
    text_add(out, SLICE("path:\n"));
    for (size_t i = 0; i < t->request->sighting_count; i++) {
        report_add_spaces(out, indent + 4);
        text_add(out, SLICE("- at: "));
        text_add_yaml(out, t->request->sightings[i].at);
        text_add_char(out, '\n');
        add_member(out, indent + 4, "value", report_cell(a, &r->style, t->header, i));
    }
}

static void add_evidence(struct text *out, size_t indent, const struct check_evidence *list,
                         size_t n)
{
    if (n == 0)
        return;
    report_add_spaces(out, indent + 2);
    text_add(out, SLICE("evidence:\n"));
    for (size_t i = 0; i < n; i++) {
        report_add_spaces(out, indent + 4);
        text_add(out, SLICE("- point: "));
        text_add_yaml(out, list[i].point);
        text_add_char(out, '\n');
        report_add_spaces(out, indent + 6);
        text_printf(out, "frame: %u\n", list[i].frame);
    }
}

static void add_diagnostics(struct text *out, const struct report_check *r, struct arena *a,
                            size_t indent, const struct report_test *t)
{
    const struct check_finding *f = t->finding;
    report_add_spaces(out, indent + 2);
    text_add(out, SLICE("---\n"));
    add_member(out, indent, "message", t->why);
    add_member(out, indent, "severity",
               slice_of(f                              ? check_severity_name(f->severity)
                        : t->outcome == REPORT_SKIPPED ? "warning"
                                                       : "error"));
    if (f)
        add_member(out, indent, "finding", slice_of(f->id));
    if (f && f->node.n)
        add_member(out, indent, "node", f->node);
    if (f)
        add_evidence(out, indent, f->evidence, f->evidence_count);
    if (t->header)
        add_path(out, r, a, indent, t);
    report_add_spaces(out, indent + 2);
    text_add(out, SLICE("...\n"));
}

static void add_test(struct text *out, const struct report_check *r, struct arena *a, size_t indent,
                     size_t number, const struct report_test *t)
{
    bool bad = t->outcome != REPORT_OK && t->outcome != REPORT_SKIPPED;
    report_add_spaces(out, indent);
    text_printf(out, "%sok %zu - ", bad ? "not " : "", number);
    text_add_tap(out, t->of);
    text_add(out, SLICE(": "));
    text_add_tap(out, t->name);
    if (t->outcome == REPORT_SKIPPED) {
        add_skip(out, t->why);
    } else if (t->outcome == REPORT_KNOWN) {
        add_known(out);
    }
    text_add_char(out, '\n');
    if (bad || (t->outcome == REPORT_SKIPPED && t->finding))
        add_diagnostics(out, r, a, indent, t);
}

/* ---- a call ---------------------------------------------------------------------------------- */

/* A comment of one line; "#" after white space would be a directive on a test line only. */
static void add_remark(struct text *out, size_t indent, const char *label, struct slice words)
{
    report_add_spaces(out, indent);
    text_printf(out, "# %s: ", label);
    text_add_terminal(out, words);
    text_add_char(out, '\n');
}

static void add_remarks(struct text *out, struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    report_call_sentences(&list, a, c);
    for (size_t i = 0; i < list.n; i++)
        if (!list.items[i].pass && list.items[i].severity != CHECK_ERROR)
            add_remark(out, CALL_INDENT,
                       report_sentence_known(&list.items[i])
                           ? "as in the baseline"
                           : check_severity_name(list.items[i].severity),
                       list.items[i].words);
    for (size_t i = 0; i < c->cause_count; i++)
        add_remark(out, CALL_INDENT, "cause", report_cause_text(a, &c->causes[i]));
    vec_free(&list);
}

static void add_call_test(struct text *out, struct report_check *r, struct arena *a,
                          const struct check_call *c)
{
    bool failed = c->verdict == CHECK_FAIL;
    text_printf(out, "%sok %llu - ", failed ? "not " : "", (unsigned long long)++r->tests);
    text_add_tap(out, report_call_title(a, c));
    if (c->verdict == CHECK_INCONCLUSIVE) {
        add_skip(out, report_inconclusive_why(c));
    } else if (failed && r->changes && !report_failed_anew(c)) {
        add_known(out);
    }
    struct report_facts facts = report_call_facts(a, &r->style, c);
    text_add(out, SLICE("\n  ---\n"));
    for (size_t i = 0; i < facts.n; i++)
        add_member(out, 0, facts.items[i].name, facts.items[i].value);
    text_add(out, SLICE("  ...\n"));
}

void report_tap_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct arena a = {0};
    struct report_tests tests = {0};
    text_add(out, SLICE("# Subtest: "));
    text_add_tap(out, report_call_title(&a, call));
    text_add_char(out, '\n');
    report_call_tests(&tests, &a, call);
    for (size_t i = 0; i < tests.n; i++)
        add_test(out, r, &a, CALL_INDENT, i + 1, &tests.items[i]);
    add_remarks(out, &a, call);
    report_add_spaces(out, CALL_INDENT);
    text_printf(out, "1..%zu\n", tests.n);
    add_call_test(out, r, &a, call);
    vec_free(&tests);
    arena_free(&a);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void add_changes(struct text *out, struct arena *a, const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    for (size_t i = 0; i < changes.n; i++)
        add_remark(out, 0, check_change_name(changes.items[i].of->change), changes.items[i].words);
    if (run->baseline)
        add_remark(out, 0, "baseline", report_comparison_text(a, run));
    vec_free(&changes);
}

void report_tap_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct arena a = {0};
    struct report_tests tests = {0};
    report_run_tests(&tests, &a, run);
    for (size_t i = 0; i < tests.n; i++)
        add_test(out, r, &a, 0, (size_t)++r->tests, &tests.items[i]);
    for (size_t i = 0; i < run->point_count; i++) {
        struct slice hidden = report_hidden(&a, &run->points[i]);
        if (hidden.n)
            add_remark(out, 0, "warning", hidden);
    }
    text_printf(out, "1..%llu\n", (unsigned long long)r->tests);
    add_changes(out, &a, run);
    add_remark(out, 0, "verdict", report_summary_text(&a, run));
    vec_free(&tests);
    arena_free(&a);
}

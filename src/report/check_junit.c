/* check --format junit: XML as Jenkins, GitLab and GitHub's actions read it.  A test suite is a
 * call, a test case a header of a message; names stay the same from run to run. */
#include "report/internal.h"

#define NS_PER_MS INT64_C(1000000)

/* ---- attributes ------------------------------------------------------------------------------ */

static void add_attribute(struct text *out, const char *name, struct slice value)
{
    text_printf(out, " %s=\"", name);
    text_add_xml(out, value);
    text_add_char(out, '"');
}

static void add_count(struct text *out, const char *name, uint64_t n)
{
    text_printf(out, " %s=\"%llu\"", name, (unsigned long long)n);
}

static void add_seconds(struct text *out, int64_t ns)
{
    int64_t ms = ns > 0 ? ns / NS_PER_MS : 0;
    text_printf(out, " time=\"%lld.%03lld\"", (long long)(ms / 1000), (long long)(ms % 1000));
}

/* Readers take the time without a zone and a fraction. */
static void add_timestamp(struct text *out, bool local, int64_t ns)
{
    struct report_time t = report_time_iso(local, ns);
    add_attribute(out, "timestamp", slice_first(slice_of(t.s), slice_find(slice_of(t.s), '.')));
}

/* From the first message to the last. */
static int64_t duration_of(const struct check_call *c)
{
    int64_t last = c->start_ns;
    for (size_t i = 0; c->hops && i < c->hops->leg_count; i++) {
        const struct call_leg *leg = call_leg_of(c->hops->table, c->hops->legs[i]);
        last = leg->last_ns > last ? leg->last_ns : last;
    }
    return last - c->start_ns;
}

/* ---- a test case ----------------------------------------------------------------------------- */

/* The evidence, and what the header was at each place. */
static void add_details(struct text *out, const struct report_check *r, struct arena *a,
                        const struct report_test *t)
{
    const struct check_finding *f = t->finding;
    text_add_xml(out, t->why);
    text_add_char(out, '\n');
    for (size_t i = 0; f && i < f->evidence_count; i++) {
        text_add(out, SLICE("seen at "));
        text_add_xml(out, f->evidence[i].point);
        text_printf(out, " frame %u\n", f->evidence[i].frame);
    }
    for (size_t i = 0; t->header && i < t->request->sighting_count; i++) {
        text_add_xml(out, t->request->sightings[i].at);
        text_add(out, SLICE(": "));
        text_add_xml(out, report_cell(a, &r->style, t->header, i));
        text_add_char(out, '\n');
    }
}

static void add_outcome(struct text *out, const struct report_check *r, struct arena *a,
                        const struct report_test *t)
{
    static const char *const elements[] = {[REPORT_FAILED] = "failure",
                                           [REPORT_KNOWN] = "skipped",
                                           [REPORT_SKIPPED] = "skipped",
                                           [REPORT_UNTESTED] = "error"};
    const char *element = elements[t->outcome];
    text_printf(out, "      <%s", element);
    add_attribute(out, "message",
                  t->outcome == REPORT_KNOWN ? ARENA_JOIN(a, SLICE("as in the baseline: "), t->why)
                                             : t->why);
    if (t->outcome == REPORT_FAILED || t->outcome == REPORT_UNTESTED)
        add_attribute(out, "type", slice_of(t->finding ? t->finding->id : t->type));
    text_add_char(out, '>');
    add_details(out, r, a, t);
    text_printf(out, "</%s>\n    </testcase>\n", element);
}

static void add_case(struct text *out, const struct report_check *r, struct arena *a,
                     struct slice suite, const struct report_test *t)
{
    text_add(out, SLICE("    <testcase"));
    add_attribute(out, "classname", ARENA_JOIN(a, suite, SLICE(": "), t->of));
    add_attribute(out, "name", t->name);
    text_add(out, SLICE(" time=\"0\""));
    if (t->outcome == REPORT_OK) {
        text_add(out, SLICE("/>\n"));
        return;
    }
    text_add(out, SLICE(">\n"));
    add_outcome(out, r, a, t);
}

/* ---- a suite --------------------------------------------------------------------------------- */

static uint64_t count(const struct report_tests *list, enum report_outcome outcome)
{
    uint64_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += list->items[i].outcome == outcome;
    return n;
}

static void begin_suite(struct text *out, struct report_check *r, struct slice name,
                        const struct report_tests *tests)
{
    uint64_t failed = count(tests, REPORT_FAILED), errors = count(tests, REPORT_UNTESTED),
             skipped = count(tests, REPORT_SKIPPED) + count(tests, REPORT_KNOWN);
    text_add(out, SLICE("  <testsuite"));
    add_attribute(out, "name", name);
    add_count(out, "tests", tests->n);
    add_count(out, "failures", failed);
    add_count(out, "errors", errors);
    add_count(out, "skipped", skipped);
    r->tests += tests->n;
    r->failures += failed;
    r->errors += errors;
    r->skipped += skipped;
}

static void add_properties(struct text *out, const struct report_check *r, struct arena *a,
                           const struct check_call *c)
{
    struct report_facts facts = report_call_facts(a, &r->style, c);
    text_add(out, SLICE("    <properties>\n"));
    for (size_t i = 0; i < facts.n; i++) {
        text_add(out, SLICE("      <property"));
        add_attribute(out, "name", slice_of(facts.items[i].name));
        add_attribute(out, "value", facts.items[i].value);
        text_add(out, SLICE("/>\n"));
    }
    text_add(out, SLICE("    </properties>\n"));
}

/* What is said of the call as text says it, and why it came to that. */
static void add_system_out(struct text *out, struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    report_call_sentences(&list, a, c);
    if (list.n || c->cause_count)
        text_add(out, SLICE("    <system-out>"));
    for (size_t i = 0; i < list.n; i++) {
        text_printf(out, "%s: ", report_sentence_label(&list.items[i]));
        text_add_xml(out, list.items[i].words);
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < c->cause_count; i++) {
        text_add(out, SLICE("cause: "));
        text_add_xml(out, report_cause_text(a, &c->causes[i]));
        text_add_char(out, '\n');
    }
    if (list.n || c->cause_count)
        text_add(out, SLICE("</system-out>\n"));
    vec_free(&list);
}

void report_junit_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct arena a = {0};
    struct report_tests tests = {0};
    struct slice name =
        ARENA_JOIN(&a, arena_printf(&a, "call %llu: ", (unsigned long long)r->calls + 1),
                   report_call_parties(&a, call));
    int64_t duration = duration_of(call);
    report_call_tests(&tests, &a, call);
    begin_suite(out, r, name, &tests);
    add_seconds(out, duration);
    add_timestamp(out, r->style.local_time, call->start_ns);
    text_add(out, SLICE(">\n"));
    add_properties(out, r, &a, call);
    for (size_t i = 0; i < tests.n; i++)
        add_case(out, r, &a, name, &tests.items[i]);
    add_system_out(out, &a, call);
    text_add(out, SLICE("  </testsuite>\n"));
    r->duration_ns += duration;
    vec_free(&tests);
    arena_free(&a);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void add_changes(struct text *out, struct arena *a, const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    if (run->baseline) {
        text_add_xml(out, report_comparison_text(a, run));
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < changes.n; i++) {
        text_printf(out, "%s: ", check_change_name(changes.items[i].of->change));
        text_add_xml(out, changes.items[i].words);
        text_add_char(out, '\n');
    }
    vec_free(&changes);
}

static void add_run_out(struct text *out, struct arena *a, const struct report_run *run)
{
    text_add(out, SLICE("    <system-out>"));
    text_add_xml(out, report_summary_text(a, run));
    text_add_char(out, '\n');
    for (size_t i = 0; i < run->point_count; i++) {
        struct slice hidden = report_hidden(a, &run->points[i]);
        text_add_xml(out, hidden);
        text_add(out, hidden.n ? SLICE("\n") : SLICE(""));
    }
    add_changes(out, a, run);
    text_add(out, SLICE("</system-out>\n"));
}

/* The suite of the run stands first: its counts belong to those of the head. */
void report_junit_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct arena a = {0};
    struct text suite = {0};
    struct report_tests tests = {0};
    report_run_tests(&tests, &a, run);
    begin_suite(&suite, r, SLICE("run"), &tests);
    text_add(&suite, SLICE(" time=\"0\">\n"));
    for (size_t i = 0; i < tests.n; i++)
        add_case(&suite, r, &a, SLICE("run"), &tests.items[i]);
    add_run_out(&suite, &a, run);
    text_add(&suite, SLICE("  </testsuite>\n"));
    text_add(out,
             SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sipxray\""));
    add_count(out, "tests", r->tests);
    add_count(out, "failures", r->failures);
    add_count(out, "errors", r->errors);
    add_seconds(out, r->duration_ns);
    text_add(out, SLICE(">\n"));
    text_add(out, text_slice(&suite));
    text_free(&suite);
    vec_free(&tests);
    arena_free(&a);
}

void report_junit_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    (void)r;
    (void)run;
    text_add(out, SLICE("</testsuites>\n"));
}

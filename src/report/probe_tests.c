/* probe as tests: JUnit and TAP.  A suite is a case (or the trunk), a test a header of a message.
 */
#include "report/probe_internal.h"

static bool is_bad(const struct report_probe_row *row)
{
    return row->fate != REPORT_ARRIVED && row->fate != REPORT_UNTRIED;
}

/* ---- JUnit ----------------------------------------------------------------------------------- */

static void add_attribute(struct text *out, const char *name, struct slice value)
{
    text_printf(out, " %s=\"", name);
    text_add_xml(out, value);
    text_add_char(out, '"');
}

struct counts {
    size_t tests, failures, skipped;
};

/* Of all rows, or of those of a group. */
static struct counts count(const struct report_probe *p, const struct slice *group)
{
    struct counts c = {0};
    for (size_t i = 0; i < p->row_count; i++) {
        if (group && !slice_equal(p->rows[i].group, *group))
            continue;
        c.tests++;
        c.failures += is_bad(&p->rows[i]);
        c.skipped += p->rows[i].fate == REPORT_UNTRIED;
    }
    return c;
}

static void add_values(struct text *out, const struct report_style *style, struct arena *a,
                       const char *what, const struct report_probe_row *row,
                       const struct expect_list *values)
{
    for (size_t i = 0; i < values->n; i++) {
        text_printf(out, "%s: ", what);
        text_add_xml(out, report_masked(a, style, row->header, values->items[i]));
        text_add_char(out, '\n');
    }
}

static void add_case(struct text *out, const struct report_style *style, struct arena *a,
                     const struct report_probe_row *row)
{
    struct slice message = report_probe_message(a, row), words = report_probe_words(a, row);
    text_add(out, SLICE("    <testcase"));
    add_attribute(out, "classname", ARENA_JOIN(a, row->group, SLICE(": "), message));
    add_attribute(out, "name", row->header);
    text_add(out, SLICE(" time=\"0\""));
    if (row->fate == REPORT_ARRIVED) {
        text_add(out, SLICE("/>\n"));
        return;
    }
    text_printf(out, ">\n      <%s", is_bad(row) ? "failure" : "skipped");
    add_attribute(out, "message", words);
    if (is_bad(row))
        add_attribute(out, "type", slice_of(report_fate_name(row->fate)));
    text_add_char(out, '>');
    text_add_xml(out, words);
    text_add_char(out, '\n');
    if (!row->loose)
        add_values(out, style, a, "sent", row, &row->sent);
    add_values(out, style, a, "received", row, &row->received);
    text_printf(out, "</%s>\n    </testcase>\n", is_bad(row) ? "failure" : "skipped");
}

static void add_suite(struct text *out, const struct report_style *style, struct arena *a,
                      const struct report_probe *p, struct slice group)
{
    struct counts c = count(p, &group);
    text_add(out, SLICE("  <testsuite"));
    add_attribute(out, "name", group);
    text_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\">\n",
                c.tests, c.failures, c.skipped);
    for (size_t i = 0; i < p->row_count; i++)
        if (slice_equal(p->rows[i].group, group))
            add_case(out, style, a, &p->rows[i]);
    text_add(out, SLICE("  </testsuite>\n"));
}

/* The run as a test: it fails where no call came about, and is skipped where nothing was judged. */
static void add_run(struct text *out, struct arena *a, const struct report_probe *p)
{
    bool empty = p->row_count == 0 && !p->path_failed;
    text_printf(out,
                "  <testsuite name=\"run\" tests=\"1\" failures=\"0\" errors=\"%d\" "
                "skipped=\"%d\" time=\"0\">\n    <testcase classname=\"run\" name=\"path\" "
                "time=\"0\">\n",
                p->path_failed, empty);
    if (p->path_failed)
        text_add(out, SLICE("      <error message=\"no call came about\" type=\"path\"/>\n"));
    if (empty)
        text_add(out, SLICE("      <skipped message=\"nothing was judged\"/>\n"));
    text_add(out, SLICE("      <system-out>"));
    for (size_t i = 0; i < p->step_count; i++) {
        const struct report_probe_step *s = &p->steps[i];
        text_add_xml(out, ARENA_JOIN(a, s->call, SLICE(": "), s->message, SLICE(" by "), s->from,
                                     SLICE(": "), s->words));
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < p->note_count; i++) {
        text_add_xml(out, p->notes[i]);
        text_add_char(out, '\n');
    }
    text_add_xml(out, report_probe_summary(a, p));
    text_add(out, SLICE("\n</system-out>\n    </testcase>\n  </testsuite>\n"));
}

static size_t groups_of(struct arena *a, const struct report_probe *p, struct slice **out)
{
    struct report_probe by_case = *p;
    by_case.by_header = false;
    return report_probe_lines(a, &by_case, out);
}

void report_probe_junit(struct text *out, const struct report_style *style,
                        const struct report_probe *p)
{
    struct arena a = {0};
    struct slice *groups;
    size_t n = groups_of(&a, p, &groups);
    struct counts all = count(p, NULL);
    int64_t ms = (p->ended_ns - p->began_ns) / 1000000;
    text_printf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sipxray probe\" "
                "tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"%lld.%03lld\">\n",
                all.tests + 1, all.failures, p->path_failed, (long long)(ms / 1000),
                (long long)(ms % 1000));
    add_run(out, &a, p);
    for (size_t i = 0; i < n; i++)
        add_suite(out, style, &a, p, groups[i]);
    text_add(out, SLICE("</testsuites>\n"));
    arena_free(&a);
}

/* ---- TAP ------------------------------------------------------------------------------------- */

static void add_member(struct text *out, const char *key, struct slice value)
{
    text_printf(out, "  %s: ", key);
    text_add_yaml(out, value);
    text_add_char(out, '\n');
}

static void add_list(struct text *out, const struct report_style *style, struct arena *a,
                     const char *key, const struct report_probe_row *row,
                     const struct expect_list *values)
{
    text_printf(out, "  %s: [", key);
    for (size_t i = 0; i < values->n; i++) {
        text_add(out, i ? SLICE(", ") : SLICE_NONE);
        text_add_yaml(out, report_masked(a, style, row->header, values->items[i]));
    }
    text_add(out, SLICE("]\n"));
}

static void add_test(struct text *out, const struct report_style *style, struct arena *a,
                     const struct report_probe_row *row, size_t number)
{
    text_printf(out, "%sok %zu - ", is_bad(row) ? "not " : "", number);
    text_add_tap(out, ARENA_JOIN(a, row->group, SLICE(": "), report_probe_message(a, row),
                                 SLICE(": "), row->header));
    if (row->fate == REPORT_UNTRIED) {
        text_add(out, SLICE(" # SKIP "));
        text_add_tap(out, row->how);
    }
    text_add_char(out, '\n');
    if (!is_bad(row))
        return;
    text_add(out, SLICE("  ---\n"));
    add_member(out, "message", report_probe_words(a, row));
    add_member(out, "outcome", slice_of(report_fate_name(row->fate)));
    if (!row->loose)
        add_list(out, style, a, "sent", row, &row->sent);
    add_list(out, style, a, "received", row, &row->received);
    text_add(out, SLICE("  ...\n"));
}

/* As that of check has it, the version line is none to old readers. */
void report_probe_tap(struct text *out, const struct report_style *style,
                      const struct report_probe *p)
{
    struct arena a = {0};
    text_add(out, SLICE("TAP version 14 # by sipxray\n"));
    for (size_t i = 0; i < p->row_count; i++)
        add_test(out, style, &a, &p->rows[i], i + 1);
    if (p->path_failed) {
        text_printf(out, "not ok %zu - path: no call came about\n", p->row_count + 1);
        for (size_t i = 0; i < p->step_count; i++) {
            text_add(out, SLICE("# "));
            text_add_terminal(out, p->steps[i].words);
            text_add_char(out, '\n');
        }
    }
    text_printf(out, "1..%zu", p->row_count + p->path_failed);
    if (p->row_count + p->path_failed == 0)
        text_add(out, SLICE(" # SKIP nothing was judged"));
    text_add(out, SLICE("\n# "));
    text_add_terminal(out, report_probe_summary(&a, p));
    text_add_char(out, '\n');
    arena_free(&a);
}

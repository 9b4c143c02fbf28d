/* The formats of probe. */
#include "report/probe_internal.h"

/* ---- Markdown -------------------------------------------------------------------------------- */

static void add_cells(struct text *out, struct arena *a, const struct report_probe *p,
                      struct slice line)
{
    text_add(out, SLICE("| "));
    text_add_markdown(out, line);
    for (size_t i = 0; i < p->column_count; i++) {
        enum report_fate fate;
        struct slice cell = report_probe_cell(a, p, line, i, &fate);
        text_add(out, fate == REPORT_ARRIVED ? SLICE(" | ") : SLICE(" | **"));
        text_add_markdown(out, cell);
        text_add(out, fate == REPORT_ARRIVED ? SLICE_NONE : SLICE("**"));
    }
    text_add(out, SLICE(" |\n"));
}

static void add_head(struct text *out, const struct report_probe *p)
{
    text_add(out, SLICE("| |"));
    for (size_t i = 0; i < p->column_count; i++) {
        text_add_markdown(out, p->columns[i].message);
        text_add(out, SLICE(" from "));
        text_add_markdown(out, p->columns[i].from);
        text_add(out, SLICE(" |"));
    }
    text_add_char(out, '\n');
    report_add_markdown_rule(out, p->column_count + 1);
}

static void add_item(struct text *out, struct slice words)
{
    text_add(out, SLICE("- "));
    text_add_markdown(out, words);
    text_add_char(out, '\n');
}

void report_probe_markdown(struct text *out, const struct report_style *style,
                           const struct report_probe *p)
{
    static const char *const titles[] = {
        [CHECK_PASS] = "pass", [CHECK_FAIL] = "fail", [CHECK_INCONCLUSIVE] = "inconclusive"};
    struct arena a = {0};
    struct report_probe_groups groups = {0};
    struct slice *rows;
    size_t n = report_probe_lines(&a, p, &rows);
    text_printf(out, "## sipxray probe: %s\n\n", titles[p->verdict]);
    text_add_markdown(out, report_probe_summary(&a, p));
    text_add(out, SLICE("\n\n"));
    report_probe_groups(&groups, &a, p, style->verbose);
    for (size_t i = 0; i < groups.n; i++)
        add_item(out, groups.items[i].words);
    for (size_t i = 0; i < p->step_count; i++)
        if (!p->steps[i].judged || p->path_failed)
            add_item(out, ARENA_JOIN(&a, p->steps[i].call, SLICE(": "), p->steps[i].message,
                                     SLICE(": "), p->steps[i].words));
    for (size_t i = 0; i < p->note_count; i++)
        add_item(out, p->notes[i]);
    if (n) {
        text_add_char(out, '\n');
        add_head(out, p);
    }
    for (size_t i = 0; i < n; i++)
        add_cells(out, &a, p, rows[i]);
    vec_free(&groups);
    arena_free(&a);
}

/* ---------------------------------------------------------------------------------------------- */

void report_probe(struct text *out, const struct report_style *style, const char *format,
                  const struct report_probe *p)
{
    static const struct {
        const char *name;
        void (*write)(struct text *out, const struct report_style *style,
                      const struct report_probe *p);
    } formats[] = {
        {"text", report_probe_text},         {"json", report_probe_json},
        {"junit", report_probe_junit},       {"tap", report_probe_tap},
        {"markdown", report_probe_markdown},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (slice_is(slice_of(formats[i].name), format))
            formats[i].write(out, style, p);
}

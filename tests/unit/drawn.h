/* The ladders of a laboratory's calls, written down as text: the model, and each rendering. */
#ifndef TESTS_UNIT_DRAWN_H
#define TESTS_UNIT_DRAWN_H

#include "path.h"
#include "report/report.h"

struct drawn {
    size_t width;
    bool ascii, verbose, headers;
    struct slice follow;
    unsigned hidden; /* bit i: the column is folded away */
    struct text model, text, svg, mermaid, html;
    size_t calls;
};

/* "livekit kam1 (10.0.2.2)": what no point was taken on stands in parentheses. */
static inline void drawn_columns(struct text *t, const struct view_ladder *l)
{
    for (size_t i = 0; i < l->column_count; i++)
        text_printf(t, "%s%s%.*s%s", i ? " " : "", l->columns[i].captured ? "" : "(",
                    SLICE_ARG(l->columns[i].name), l->columns[i].captured ? "" : ")");
    text_printf(t, "%s\n", l->oriented ? "" : " ?");
}

/* "0>1 BYE x2 [-1 X-]", "1.2>3 ..." with what was not captured between 1 and 2 */
static inline void drawn_row(struct text *t, struct arena *a, const struct view_ladder *l,
                             const struct view_row *row)
{
    struct slice marks = view_row_marks(a, row);
    if (row->lead != VIEW_NONE)
        text_printf(t, "%u.", row->lead);
    text_printf(t, "%u>%u %.*s", row->from, row->to, SLICE_ARG(row->label));
    if (row->transmissions > 1)
        text_printf(t, " x%u", row->transmissions);
    if (l->call->leg_count > 1)
        text_printf(t, " leg %u", row->leg);
    if (row->folded)
        text_printf(t, " over %u", row->folded);
    text_printf(t, "%s%s", row->open_begin ? " from within" : "", row->open_end ? " within" : "");
    text_printf(t, "%s%s%s", row->sdp ? " sdp" : "", row->cut ? " cut" : "",
                row->ends_here ? " end" : "");
    if (marks.n)
        text_printf(t, " [%.*s]", SLICE_ARG(marks));
    for (size_t i = 0; i < row->change_count && !row->folded; i++) {
        const struct view_change *c = &row->changes[i];
        if (c->class == VIEW_CUSTOM)
            text_printf(t, " %.*s at %.*s", SLICE_ARG(c->name),
                        SLICE_ARG(view_row_place(a, l, row, c->on_wire)));
    }
    text_add_char(t, '\n');
}

static inline void drawn_call(void *context, const struct hop_call *call)
{
    struct drawn *d = context;
    struct arena a = {0};
    const struct view_options options = {.follow = &d->follow, .follow_count = d->follow.n > 0};
    const struct report_style style = {
        .width = d->width ? d->width : 80, .ascii = d->ascii, .verbose = d->verbose};
    const struct report_svg svg = {.prefix = ""};
    const struct view_ladder *l = view_ladder_build(&a, call, &options);
    if (d->hidden) {
        bool hidden[32];
        for (size_t i = 0; i < COUNT(hidden); i++)
            hidden[i] = d->hidden >> i & 1;
        l = view_ladder_fold(&a, l, hidden);
    }
    drawn_columns(&d->model, l);
    for (size_t i = 0; i < l->row_count; i++)
        drawn_row(&d->model, &a, l, &l->rows[i]);
    for (size_t i = 1; i < l->clock_count; i++)
        if (l->clocks[i].ahead_ns)
            text_printf(&d->model, "%.*s %+lld s\n", SLICE_ARG(l->clocks[i].point),
                        (long long)l->clocks[i].ahead_ns / 1000000000);
    if (l->rows_hidden)
        text_printf(&d->model, "%llu hidden\n", (unsigned long long)l->rows_hidden);
    report_flow_text(&d->text, &style, l, d->headers);
    report_ladder_svg(&d->svg, l, &svg);
    report_flow_mermaid(&d->mermaid, l);
    report_flow_html(&d->html, &style, l, ++d->calls);
    arena_free(&a);
}

static inline void drawn_run(struct drawn *d, struct lab *lab)
{
    const struct trace_sinks sinks = {.flow = drawn_call, .context = d};
    lab_trace(lab, NULL, NULL, &sinks);
}

static inline void drawn_free(struct drawn *d)
{
    text_free(&d->model);
    text_free(&d->text);
    text_free(&d->svg);
    text_free(&d->mermaid);
    text_free(&d->html);
    *d = (struct drawn){0};
}

#endif

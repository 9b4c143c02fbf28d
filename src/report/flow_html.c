/* A call as a page: the ladder, the matrices, and each message as it was, shown when its arrow is
 * chosen. */
#include "report/internal.h"

struct page {
    struct text *out;
    const struct report_style *style;
    const struct view_ladder *ladder;
};

static void add_head(const struct page *p)
{
    const struct view_ladder *l = p->ladder;
    text_add(p->out, SLICE("<h1>Call "));
    text_add_xml(p->out, l->call_ids[0]);
    text_add(p->out, SLICE("</h1>\n<p>"));
    text_add_xml(p->out, l->caller.n ? l->caller : SLICE("?"));
    text_add(p->out, SLICE(" \xe2\x86\x92 "));
    text_add_xml(p->out, l->callee.n ? l->callee : SLICE("?"));
    text_printf(p->out, ", <time>%s</time></p>\n",
                report_time_iso(p->style->local_time, l->start_ns).s);
    for (uint32_t i = 0; l->call->leg_count > 1 && i < l->call->leg_count; i++) {
        struct arena a = {0};
        text_printf(p->out, "<p class=\"dim\">%s <code>", report_leg_name(&a, i).p);
        arena_free(&a);
        text_add_xml(p->out, l->call_ids[i]);
        text_add(p->out, SLICE("</code></p>\n"));
    }
    if (l->call->leg_count > 1 && l->call->joined.n) {
        text_add(p->out, SLICE("<p class=\"dim\">joined: "));
        text_add_xml(p->out, l->call->joined);
        text_add(p->out, SLICE("</p>\n"));
    }
}

void report_html_ladder(struct text *out, const struct report_style *style,
                        const struct view_ladder *l, const char *prefix)
{
    const struct report_svg options = {
        .prefix = prefix, .local_time = style->local_time, .embedded = true, .links = true};
    struct arena a = {0};
    const struct slice *remarks;
    size_t n = report_flow_remarks(&a, l, &remarks);
    text_add(out, SLICE("<p class=\"dim\">Choose an arrow to see the message.</p>\n"
                        "<div class=\"wide\" tabindex=\"0\">\n"));
    report_ladder_svg(out, l, &options);
    text_add(out, SLICE("</div>\n"));
    for (size_t i = 0; i < n; i++) {
        text_add(out, SLICE("<p class=\"dim\">"));
        text_add_xml(out, remarks[i]);
        text_add(out, SLICE("</p>\n"));
    }
    arena_free(&a);
}

static void add_matrices(const struct page *p)
{
    const struct hop_call *call = p->ladder->call;
    bool any = false;
    for (size_t i = 0; i < call->journey_count; i++) {
        struct arena a = {0};
        struct view_matrix m;
        view_matrix_build(&a, call, &call->journeys[i], p->ladder->options,
                          p->style->verbose ? VIEW_ROWS_ALL : VIEW_ROWS_KEY, &m);
        if (m.request.header_count) {
            text_add(p->out, any ? SLICE("<h3>") : SLICE("<h2>Headers hop by hop</h2>\n<h3>"));
            text_add_xml(p->out, report_request_title(&a, &m.request));
            text_add(p->out, SLICE("</h3>\n"));
            report_html_matrix(p->out, p->style, &a, &m.request);
            any = true;
        }
        arena_free(&a);
    }
}

/* Where the arrow's link leads: out of sight until then. */
static void add_raw(struct text *out, const struct report_style *style, const struct view_ladder *l,
                    const char *prefix, size_t i)
{
    const struct view_row *row = &l->rows[i];
    struct arena a = {0};
    text_printf(out,
                "<section class=\"raw\" id=\"%sraw%zu\"><a class=\"close\" href=\"#%sm%zu\">"
                "close</a><strong>",
                prefix, i + 1, prefix, i + 1);
    text_add_xml(out, l->columns[row->from].name);
    text_add(out, SLICE(" \xe2\x86\x92 "));
    text_add_xml(out, l->columns[row->to].name);
    text_add(out, SLICE("</strong> <span class=\"dim\">"));
    report_add_clock(out, style->local_time, row->time_ns, true);
    for (size_t k = 0; k < row->step_count; k++) {
        const struct hop_sighting *s = row->journey->steps[row->step + k].sighting;
        text_add(out, k ? SLICE(", ") : SLICE(", seen at "));
        text_add_xml(out, hop_sighting_at(&a, l->call->nodes, s));
        text_printf(out, " (frame %u)", s->index->frame);
    }
    text_add(out, SLICE("</span>\n"));
    report_html_raw(out, style, &a, view_row_first(row)->message);
    text_add(out, SLICE("</section>\n"));
    arena_free(&a);
}

void report_html_messages(struct text *out, const struct report_style *style,
                          const struct view_ladder *l, const char *prefix)
{
    for (size_t i = 0; i < l->row_count; i++)
        add_raw(out, style, l, prefix, i);
}

void report_flow_html(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, uint64_t number)
{
    struct text prefix = {0};
    text_printf(&prefix, "c%llu-", (unsigned long long)number);
    const struct page p = {out, style, l};
    if (number == 1)
        report_html_begin(out, SLICE("sipxray: flow"));
    add_head(&p);
    text_add(out, SLICE("<h2>Messages</h2>\n"));
    report_html_ladder(out, style, l, prefix.p);
    add_matrices(&p);
    report_html_messages(out, style, l, prefix.p);
    text_free(&prefix);
}

void report_flow_html_end(struct text *out)
{
    report_html_end(out);
}

/* check --format html: one page with all calls, each with what is said of it, its headers hop by
 * hop, its ladder, and its messages as they were.  It needs no network and runs no script. */
#include "report/internal.h"

/* A page that a browser still takes: beyond the first a call that passed, and beyond the second
 * any, is a row in the list only; beyond the third it is counted. */
#define PASSED_MAX ((uint64_t)8 << 20)
#define CALLS_MAX  ((uint64_t)24 << 20)
#define LIST_MAX   ((size_t)4 << 20)

/* ---- what is said ---------------------------------------------------------------------------- */

static void add_item(struct text *out, const char *class, const char *label, struct slice words)
{
    text_printf(out, "<li><b class=\"%s\">%s</b> ", class, label);
    text_add_xml(out, words);
    text_add(out, SLICE("</li>\n"));
}

static const char *class_of(const struct report_sentence *s)
{
    static const char *const classes[] = {
        [CHECK_ERROR] = "bad", [CHECK_WARNING] = "warn", [CHECK_NOTE] = "dim"};
    return s->pass ? "ok" : report_sentence_known(s) ? "dim" : classes[s->severity];
}

static void add_evidence(struct text *out, const struct check_evidence *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_add(out, i ? SLICE(", ") : SLICE(" <span class=\"dim\">seen at "));
        text_add_xml(out, list[i].point);
        text_printf(out, " frame %u", list[i].frame);
    }
    text_add(out, n ? SLICE("</span>") : SLICE(""));
}

static void add_cause(struct text *out, const struct check_cause *cause)
{
    text_printf(out, "<li><b>why</b> %s: ", check_confidence_name(cause->confidence));
    text_add_xml(out, cause->message);
    text_printf(out, " (<code>%s</code>)", cause->id);
    add_evidence(out, cause->evidence, cause->evidence_count);
    if (cause->remedy.n) {
        text_add(out, SLICE("<br><b>do</b> "));
        text_add_xml(out, cause->remedy);
    }
    text_add(out, SLICE("</li>\n"));
}

static void add_said(struct text *out, struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    report_call_sentences(&list, a, c);
    text_add(out, SLICE("<ul class=\"said\">\n"));
    for (size_t i = 0; i < list.n; i++) {
        const struct report_sentence *s = &list.items[i];
        text_printf(out, "<li><b class=\"%s\">%s</b> ", class_of(s), report_sentence_label(s));
        text_add_xml(out, s->words);
        if (s->finding) {
            text_printf(out, " (<code>%s</code>)", s->finding->id);
            add_evidence(out, s->finding->evidence, s->finding->evidence_count);
        }
        text_add(out, SLICE("</li>\n"));
    }
    if (c->verdict == CHECK_INCONCLUSIVE)
        add_item(out, "warn", "OPEN", report_inconclusive_why(c));
    for (size_t i = 0; i < c->cause_count; i++)
        add_cause(out, &c->causes[i]);
    text_add(out, SLICE("</ul>\n"));
    vec_free(&list);
}

/* ---- a call ---------------------------------------------------------------------------------- */

static void add_facts(struct text *out, const struct report_check *r, struct arena *a,
                      const struct check_call *c)
{
    struct report_facts facts = report_call_facts(a, &r->style, c);
    text_add(out, SLICE("<dl>"));
    for (size_t i = 0; i < facts.n; i++) {
        text_printf(out, "<dt>%s</dt><dd>", facts.items[i].name);
        text_add_xml(out, facts.items[i].value);
        text_add(out, SLICE("</dd>"));
    }
    text_add(out, SLICE("</dl>\n"));
}

static void add_matrices(struct text *out, const struct report_check *r, struct arena *a,
                         const struct check_call *c)
{
    for (size_t i = 0; i < c->request_count; i++) {
        const struct check_request *request = &c->requests[i];
        if (!request->header_count || !(report_is_shown(request) || r->style.verbose))
            continue;
        text_add(out, SLICE("<h3>"));
        text_add_xml(out, report_request_title(a, request));
        text_add(out, SLICE("</h3>\n"));
        report_html_matrix(out, &r->style, a, request);
    }
}

static void add_ladder(struct text *out, const struct report_check *r, struct arena *a,
                       const struct check_call *c, struct text *prefix)
{
    const struct view_options options = {0};
    if (!c->hops || c->hops->journey_count == 0)
        return;
    const struct view_ladder *l = view_ladder_build(a, c->hops, &options);
    text_printf(out, "<details%s><summary>Messages: %zu between %zu elements</summary>\n",
                c->verdict == CHECK_PASS ? "" : " open", l->row_count, l->column_count);
    report_html_ladder(out, &r->style, l, prefix->p);
    text_add(out, SLICE("</details>\n"));
    report_html_messages(out, &r->style, l, prefix->p);
}

static void add_call(struct text *out, const struct report_check *r, struct arena *a,
                     const struct check_call *c)
{
    struct text prefix = {0};
    unsigned long long number = r->calls + 1;
    text_printf(&prefix, "c%llu-", number);
    text_printf(out, "<section class=\"call %s\" id=\"c%llu\">\n<h2>Call %llu: ",
                check_verdict_name(c->verdict), number, number);
    text_add_xml(out, report_call_parties(a, c));
    text_printf(out, ": %s</h2>\n", check_verdict_name(c->verdict));
    add_said(out, a, c);
    add_facts(out, r, a, c);
    add_matrices(out, r, a, c);
    add_ladder(out, r, a, c, &prefix);
    text_add(out, SLICE("</section>\n"));
    text_free(&prefix);
}

/* ---- the list of calls ----------------------------------------------------------------------- */

/* What the list says of it: the first thing that is wrong. */
static struct slice gist_of(struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    struct slice words = SLICE_NONE;
    report_call_sentences(&list, a, c);
    for (enum check_severity s = CHECK_ERROR; s <= CHECK_WARNING && !words.n; s++)
        for (size_t i = 0; i < list.n && !words.n; i++)
            if (!list.items[i].pass && list.items[i].severity == s)
                words = list.items[i].words;
    vec_free(&list);
    return words.n || c->verdict != CHECK_INCONCLUSIVE ? words : report_inconclusive_why(c);
}

static void add_row(struct report_check *r, struct arena *a, const struct check_call *c, bool link,
                    bool known)
{
    static const char *const classes[] = {"ok", "bad", "warn"};
    unsigned long long number = r->calls + 1;
    struct text *out = &r->aside;
    if (out->n > LIST_MAX) {
        r->passed_left_out++;
        return;
    }
    text_add(out, SLICE("<tr><td>"));
    if (link)
        text_printf(out, "<a href=\"#c%llu\">%llu</a>", number, number);
    else
        text_printf(out, "%llu", number);
    text_printf(out, "</td><td class=\"%s\">%s%s</td><td>", known ? "dim" : classes[c->verdict],
                check_verdict_name(c->verdict), known ? ", as before" : "");
    text_add_xml(out, report_call_parties(a, c));
    text_printf(out, "</td><td>%s</td><td>", report_time_iso(r->style.local_time, c->start_ns).s);
    text_add_xml(out, gist_of(a, c));
    text_add(out, SLICE("</td></tr>\n"));
}

void report_page_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct arena a = {0};
    size_t from = out->n;
    bool known = r->changes && !report_has_news(call);
    bool room = r->bytes < (call->verdict == CHECK_PASS ? PASSED_MAX : CALLS_MAX);
    add_row(r, &a, call, room && !known, known);
    if (room && !known)
        add_call(out, r, &a, call);
    else
        r->calls_left_out += !known;
    r->bytes += out->n - from;
    arena_free(&a);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void add_changes(struct text *out, struct arena *a, const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    for (size_t i = 0; i < changes.n; i++) {
        const struct check_difference *d = changes.items[i].of;
        bool bad = d->change == CHECK_NEW && d->severity == CHECK_ERROR;
        add_item(out, bad ? "bad" : "dim", check_change_name(d->change), changes.items[i].words);
    }
    if (run->baseline)
        add_item(out, "dim", "same", report_comparison_text(a, run));
    vec_free(&changes);
}

static void add_left_out(struct text *out, const struct report_check *r)
{
    if (r->calls_left_out)
        text_printf(
            out,
            "<li><b class=\"warn\">note</b> %llu calls stand in the list only, for the page "
            "would be too large; the JSON has all of them</li>\n",
            (unsigned long long)r->calls_left_out);
    if (r->passed_left_out)
        text_printf(out,
                    "<li><b class=\"warn\">note</b> %llu calls do not stand in the list</li>\n",
                    (unsigned long long)r->passed_left_out);
}

static void add_run(struct text *out, const struct report_check *r, struct arena *a,
                    const struct report_run *run)
{
    text_add(out, SLICE("<ul class=\"said\">\n"));
    struct report_sentences list = {0};
    report_run_sentences(&list, a, run);
    for (size_t i = 0; i < list.n; i++)
        add_item(out, class_of(&list.items[i]), report_sentence_label(&list.items[i]),
                 list.items[i].words);
    vec_free(&list);
    add_changes(out, a, run);
    add_left_out(out, r);
    text_add(out, SLICE("</ul>\n"));
}

static void add_points(struct text *out, const struct report_run *run)
{
    text_add(out, SLICE("<details><summary>Points of capture</summary>\n<div class=\"wide\" "
                        "tabindex=\"0\"><table class=\"calls\">\n<thead><tr><th "
                        "scope=\"col\">Point</th><th scope=\"col\">Source</th><th scope=\"col\">"
                        "Messages</th></tr></thead>\n<tbody>\n"));
    for (size_t i = 0; i < run->point_count; i++) {
        const struct trace_point *p = &run->points[i];
        if (trace_point_is_idle(p))
            continue;
        text_add(out, SLICE("<tr><td>"));
        text_add_xml(out, slice_of(p->name));
        text_add(out, SLICE("</td><td>"));
        text_add_xml(out, slice_of(p->path));
        text_printf(out, "</td><td>%llu</td></tr>\n", (unsigned long long)p->messages);
    }
    text_add(out, SLICE("</tbody></table></div></details>\n"));
}

void report_page_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    static const char *const classes[] = {"ok", "bad", "warn"};
    struct arena a = {0};
    report_html_begin(out, ARENA_JOIN(&a, SLICE("sipxray: "), report_summary_text(&a, run)));
    text_printf(out, "<h1>sipxray check: <span class=\"%s\">%s</span></h1>\n<p>",
                classes[run->verdict], check_verdict_name(run->verdict));
    text_add_xml(out, report_summary_text(&a, run));
    text_add(out, SLICE("</p>\n"));
    add_run(out, r, &a, run);
    if (r->aside.n) {
        text_add(out, SLICE("<div class=\"wide\" tabindex=\"0\"><table class=\"calls\">\n"
                            "<thead><tr><th scope=\"col\">Call</th><th scope=\"col\">Verdict</th>"
                            "<th scope=\"col\">From, to</th><th scope=\"col\">Start</th>"
                            "<th scope=\"col\"></th></tr></thead>\n<tbody>\n"));
        text_add(out, text_slice(&r->aside));
        text_add(out, SLICE("</tbody></table></div>\n"));
    }
    add_points(out, run);
    arena_free(&a);
}

void report_page_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    (void)r;
    (void)run;
    report_html_end(out);
}

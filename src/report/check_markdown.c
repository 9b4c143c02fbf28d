/* check --format markdown: for a comment on a pull request or the summary of a job.  Calls that
 * passed are a line each, the others a table for each message.  Everything foreign stands in
 * <code>, where neither mentions nor references are looked for, with each mark of structure as a
 * character reference. */
#include "report/internal.h"

/* GitHub takes 65,536 characters in a comment; a byte is at most one.  What is said of the run, at
 * most ROOM_FOR_RUN with what is cut off, stands beside the calls. */
#define COMMENT_MAX  65536u
#define ROOM_FOR_RUN 8192u
#define PASSED_MAX   8192u /* of the list of calls that passed */
#define CALLS_MAX    (COMMENT_MAX - ROOM_FOR_RUN - PASSED_MAX - 1024u)
#define LINE_MAX     2048u /* of what is said of the run, for each line */

/* ---- pieces ---------------------------------------------------------------------------------- */

static void add_code(struct text *out, struct slice value)
{
    text_add(out, SLICE("<code>"));
    text_add_markdown(out, value);
    text_add(out, SLICE("</code>"));
}

static void add_item(struct text *out, const char *label, struct slice words)
{
    text_printf(out, "- **%s** ", label);
    text_add_markdown(out, words);
    text_add_char(out, '\n');
}

/* ---- a message ------------------------------------------------------------------------------- */

static void add_table_head(struct text *out, const struct check_request *r)
{
    text_add(out, SLICE("\n| header | verdict |"));
    for (size_t i = 0; i < r->sighting_count; i++) {
        text_add_char(out, ' ');
        text_add_markdown(out, r->sightings[i].at);
        text_add(out, SLICE(" |"));
    }
    text_add_char(out, '\n');
    report_add_markdown_rule(out, r->sighting_count + 2);
}

static void add_row(struct text *out, const struct report_check *r, struct arena *a,
                    const struct check_request *request, const struct check_header *h)
{
    text_add(out, SLICE("| "));
    add_code(out, h->name);
    text_add(out, h->expected && h->verdict != CHECK_OK ? SLICE(" | **") : SLICE(" | "));
    text_add_markdown(out, report_verdict_text(a, h));
    text_add(out, h->expected && h->verdict != CHECK_OK ? SLICE("** |") : SLICE(" |"));
    for (size_t i = 0; i < request->sighting_count; i++) {
        text_add_char(out, ' ');
        add_code(out, report_cell(a, &r->style, h, i));
        text_add(out, SLICE(" |"));
    }
    text_add_char(out, '\n');
}

static void add_request(struct text *out, const struct report_check *r, struct arena *a,
                        const struct check_request *request)
{
    text_add(out, SLICE("\n<details><summary>"));
    text_add_xml(out, report_request_title(a, request));
    text_add(out, SLICE("</summary>\n"));
    add_table_head(out, request);
    for (size_t i = 0; i < request->header_count; i++)
        add_row(out, r, a, request, &request->headers[i]);
    text_add(out, SLICE("\n</details>\n"));
}

/* ---- a call ---------------------------------------------------------------------------------- */

static void add_facts(struct text *out, const struct report_check *r, struct arena *a,
                      const struct check_call *c)
{
    struct report_facts facts = report_call_facts(a, &r->style, c);
    for (size_t i = 0; i < facts.n; i++) {
        text_printf(out, "%s%s ", i ? ", " : "", facts.items[i].name);
        add_code(out, facts.items[i].value);
    }
    text_add(out, SLICE("\n\n"));
}

/* Where to look for it. */
static void add_evidence(struct text *out, const struct check_evidence *list, size_t n)
{
    if (n && out->n && out->p[out->n - 1] == '\n')
        out->p[--out->n] = '\0';
    for (size_t i = 0; i < n; i++) {
        text_add(out, i ? SLICE(", ") : SLICE(" (seen at "));
        text_add_markdown(out, list[i].point);
        text_printf(out, " frame %u", list[i].frame);
    }
    text_add(out, n ? SLICE(")\n") : SLICE(""));
}

static void add_sentences(struct text *out, struct arena *a, const struct check_call *c)
{
    struct report_sentences list = {0};
    report_call_sentences(&list, a, c);
    for (size_t i = 0; i < list.n; i++) {
        const struct check_finding *f = list.items[i].finding;
        add_item(out, report_sentence_label(&list.items[i]), list.items[i].words);
        if (f)
            add_evidence(out, f->evidence, f->evidence_count);
    }
    if (c->verdict == CHECK_INCONCLUSIVE)
        add_item(out, "OPEN", report_inconclusive_why(c));
    for (size_t i = 0; i < c->cause_count; i++)
        add_item(out, "cause", report_cause_text(a, &c->causes[i]));
    vec_free(&list);
}

static void add_call(struct text *out, const struct report_check *r, struct arena *a,
                     const struct check_call *c)
{
    text_printf(out, "\n### Call %llu: ", (unsigned long long)r->calls + 1);
    text_add_markdown(out, report_call_parties(a, c));
    text_printf(out, ": %s\n\n", check_verdict_name(c->verdict));
    add_facts(out, r, a, c);
    add_sentences(out, a, c);
    for (size_t i = 0; i < c->request_count; i++)
        if (c->requests[i].header_count && report_is_shown(&c->requests[i]))
            add_request(out, r, a, &c->requests[i]);
}

/* The list of calls that passed is kept for the end. */
static void add_passed(struct report_check *r, struct arena *a, const struct check_call *c)
{
    struct text line = {0};
    text_printf(&line, "- call %llu: ", (unsigned long long)r->calls + 1);
    text_add_markdown(&line, report_call_title(a, c));
    text_add_char(&line, '\n');
    if (r->aside.n + line.n <= PASSED_MAX)
        text_add(&r->aside, text_slice(&line));
    else
        r->passed_left_out++;
    text_free(&line);
}

void report_markdown_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct arena a = {0};
    struct text one = {0};
    if (r->changes && !report_has_news(call)) {
        r->known++;
    } else if (call->verdict == CHECK_PASS) {
        add_passed(r, &a, call);
    } else {
        add_call(&one, r, &a, call);
        if (r->bytes + one.n <= CALLS_MAX) {
            r->bytes += one.n;
            text_add(out, text_slice(&one));
        } else {
            r->calls_left_out++;
        }
    }
    text_free(&one);
    arena_free(&a);
}

/* ---- the run --------------------------------------------------------------------------------- */

/* A line on the run, or that it was too long. */
static void add_run_item(struct text *out, const char *label, struct slice words)
{
    struct text line = {0};
    add_item(&line, label, words);
    if (line.n > LINE_MAX) {
        text_clear(&line);
        add_item(&line, label, SLICE("a line that is too long for a comment; the JSON has it"));
    }
    text_add(out, text_slice(&line));
    text_free(&line);
}

static void add_changes(struct text *out, struct arena *a, const struct report_run *run)
{
    struct report_changes changes = {0};
    report_changes(&changes, a, run);
    if (run->baseline)
        add_run_item(out, "baseline", report_comparison_text(a, run));
    for (size_t i = 0; i < changes.n; i++)
        add_run_item(out, check_change_name(changes.items[i].of->change), changes.items[i].words);
    vec_free(&changes);
}

static void add_run(struct text *out, struct arena *a, const struct report_run *run)
{
    size_t from = out->n;
    struct text more = {0};
    struct report_sentences list = {0};
    report_run_sentences(&list, a, run);
    for (size_t i = 0; i < list.n; i++)
        add_run_item(&more, report_sentence_label(&list.items[i]), list.items[i].words);
    vec_free(&list);
    add_changes(&more, a, run);
    for (struct slice rest = text_slice(&more); rest.n;) {
        size_t n = slice_find(rest, '\n') + 1;
        if (out->n - from + n > ROOM_FOR_RUN - 512) {
            add_item(out, "OPEN", SLICE("and more of the kind; the JSON has all of it"));
            break;
        }
        text_add(out, slice_first(rest, n));
        rest = slice_from(rest, n);
    }
    text_free(&more);
}

void report_markdown_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct arena a = {0};
    text_add(out, SLICE("## sipxray: "));
    text_add_markdown(out, report_summary_text(&a, run));
    text_add(out, SLICE("\n\n"));
    add_run(out, &a, run);
    if (r->known)
        text_printf(out, "- %llu calls are as in the baseline and not listed\n",
                    (unsigned long long)r->known);
    if (r->calls_left_out)
        text_printf(out,
                    "- **%llu more calls** that did not pass are left out: a comment may have "
                    "65,536 characters. The other formats have them.\n",
                    (unsigned long long)r->calls_left_out);
    arena_free(&a);
}

void report_markdown_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    (void)run;
    if (!r->aside.n && !r->passed_left_out)
        return;
    text_add(out, SLICE("\n<details><summary>Calls that passed</summary>\n\n"));
    text_add(out, text_slice(&r->aside));
    if (r->passed_left_out)
        text_printf(out, "- and %llu more\n", (unsigned long long)r->passed_left_out);
    text_add(out, SLICE("\n</details>\n"));
}

/* What a finding or a cause means, how to prove it and what to do, out of findings.def. */
#include "report/json_members.h"

/* ---- the list -------------------------------------------------------------------------------- */

static void add_paragraph(struct text *out, const struct report_style *style, size_t column,
                          size_t indent, const char *words)
{
    report_add_spaces(out, indent - column); /* `column`: where the line stands */
    report_add_wrapped(out, indent, indent, report_width(style), slice_of(words));
    text_add_char(out, '\n');
}

/* Name and severity in columns of their own. */
static void add_entry(struct text *out, const struct report_style *style, const char *id,
                      const char *severity, const char *title)
{
    size_t from = out->n;
    text_printf(out, "  %-27s ", id);
    if (severity)
        text_printf(out, "%-7s ", severity);
    add_paragraph(out, style, out->n - from, out->n - from, title);
}

void report_explain_list_text(struct text *out, const struct report_style *style)
{
    const struct check_kind *kinds;
    const struct check_cause_kind *causes;
    size_t n = check_kinds(&kinds), cause_count = check_cause_kinds(&causes);
    text_add(out, SLICE("Findings:\n"));
    for (size_t i = 0; i < n; i++)
        add_entry(out, style, kinds[i].id, check_severity_name(kinds[i].severity), kinds[i].title);
    text_add(out, SLICE("\nCauses:\n"));
    for (size_t i = 0; i < cause_count; i++)
        add_entry(out, style, causes[i].id, NULL, causes[i].title);
}

/* ---- one of them ----------------------------------------------------------------------------- */

static void add_part(struct text *out, const struct report_style *style, const char *head,
                     const char *words)
{
    report_add_coloured(out, style, REPORT_BOLD, slice_of(head));
    text_add_char(out, '\n');
    add_paragraph(out, style, 0, 2, words);
}

static void add_title(struct text *out, const struct report_style *style, const char *id,
                      const char *kind, const char *title)
{
    struct text t = {0};
    report_add_coloured(out, style, REPORT_BOLD, slice_of(id));
    text_printf(out, " (%s)\n", kind);
    text_printf(&t, "%c%s.", title[0] & ~0x20, title + 1);
    add_paragraph(out, style, 0, 0, t.p);
    text_add_char(out, '\n');
    text_free(&t);
}

static void add_usual_causes(struct text *out, const struct report_style *style, const char *id)
{
    const struct check_cause_kind *causes;
    size_t n = check_cause_kinds(&causes);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (!check_cause_explains(&causes[i], slice_of(id)))
            continue;
        if (!any) {
            report_add_coloured(out, style, REPORT_BOLD, SLICE("Usual causes"));
            text_add_char(out, '\n');
        }
        add_entry(out, style, causes[i].id, NULL, causes[i].title);
        any = true;
    }
}

static void add_kind(struct text *out, const struct report_style *style,
                     const struct check_kind *kind)
{
    add_title(out, style, kind->id, check_severity_name(kind->severity), kind->title);
    add_part(out, style, "What it means", kind->means);
    add_part(out, style, "How to prove it", kind->prove);
    add_part(out, style, "How to mend it", kind->mend);
    add_usual_causes(out, style, kind->id);
}

static void add_cause(struct text *out, const struct report_style *style,
                      const struct check_cause_kind *cause)
{
    add_title(out, style, cause->id, "cause", cause->title);
    add_part(out, style, "What it means", cause->means);
    add_part(out, style, "How to prove it", cause->prove);
    add_part(out, style, "Remedy", cause->remedy);
    if (*cause->findings)
        add_part(out, style, "Explains", cause->findings);
}

void report_explain_text(struct text *out, const struct report_style *style, struct slice id)
{
    const struct check_kind *kind = check_kind_of(id);
    if (kind)
        add_kind(out, style, kind);
    else
        add_cause(out, style, check_cause_kind_of(id));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_kind(struct json_writer *w, const struct check_kind *kind)
{
    const struct check_cause_kind *causes;
    size_t n = check_cause_kinds(&causes);
    json_begin_object(w);
    write_cstring(w, "id", kind->id);
    write_cstring(w, "severity", check_severity_name(kind->severity));
    write_cstring(w, "title", kind->title);
    write_cstring(w, "means", kind->means);
    write_cstring(w, "prove", kind->prove);
    write_cstring(w, "mend", kind->mend);
    json_add_key(w, "causes");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        if (check_cause_explains(&causes[i], slice_of(kind->id)))
            json_add_cstring(w, causes[i].id);
    json_end_array(w);
    json_end_object(w);
}

static void json_cause(struct json_writer *w, const struct check_cause_kind *cause)
{
    json_begin_object(w);
    write_cstring(w, "id", cause->id);
    write_cstring(w, "title", cause->title);
    write_cstring(w, "means", cause->means);
    write_cstring(w, "prove", cause->prove);
    write_cstring(w, "remedy", cause->remedy);
    json_add_key(w, "findings");
    json_begin_array(w);
    for (struct slice rest = slice_of(cause->findings); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, word.n + 1);
        json_add_string(w, word);
    }
    json_end_array(w);
    json_end_object(w);
}

void report_explain_json(struct text *out, struct slice id)
{
    struct json_writer w = {.out = out, .pretty = true};
    const struct check_kind *kinds;
    const struct check_cause_kind *causes;
    size_t n = check_kinds(&kinds), cause_count = check_cause_kinds(&causes);
    json_begin_object(&w);
    write_cstring(&w, "schema", "sipxray-explain/1");
    json_add_key(&w, "findings");
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        if (!id.n || slice_is(id, kinds[i].id))
            json_kind(&w, &kinds[i]);
    json_end_array(&w);
    json_add_key(&w, "causes");
    json_begin_array(&w);
    for (size_t i = 0; i < cause_count; i++)
        if (!id.n || slice_is(id, causes[i].id))
            json_cause(&w, &causes[i]);
    json_end_array(&w);
    json_end_object(&w);
    text_add_char(out, '\n');
}

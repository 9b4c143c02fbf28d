/* check --format json: what is said of the run. */
#include "report/json_members.h"

void report_json_rule_place(struct json_writer *w, const struct expect_rule *rule)
{
    write_string(w, "id", rule->id);
    write_string(w, "file", rule->file);
    json_add_key(w, "line");
    if (rule->place.line)
        json_add_uint(w, rule->place.line);
    else
        json_add_null(w);
}

void report_json_rule(struct json_writer *w, const struct expect_rule *rule)
{
    json_add_key(w, "rule");
    flat(w);
    json_begin_object(w);
    report_json_rule_place(w, rule);
    json_end_object(w);
    lines(w);
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Several link types in one file stand in order of appearance. */
static void write_link_types(struct json_writer *w, const struct trace_point *p)
{
    char fallback[24];
    struct text names = {0};
    if (p->is_log) {
        json_add_key(w, "link_type");
        json_add_null(w);
        return;
    }
    text_add(&names, SLICE(""));
    for (uint32_t i = 0; i < p->link_type_count; i++)
        text_printf(&names, "%s%s", i ? "," : "", source_link_name(p->link_types[i], fallback));
    write_string(w, "link_type", text_slice(&names));
    text_free(&names);
}

static void write_point(struct json_writer *w, const struct trace_point *p)
{
    json_begin_object(w);
    write_cstring(w, "name", p->name);
    write_cstring(w, "source", p->path);
    write_link_types(w, p);
    write_uint(w, "packets", p->by_hep ? p->packets : p->source->frames);
    write_uint(w, "messages", p->messages);
    write_bool(w, "truncated", p->source->truncated);
    write_uint(w, "undecrypted", p->by_hep ? 0 : p->packet->tls_undecrypted_records);
    json_end_object(w);
}

static void write_summary(struct json_writer *w, const struct check_summary *s)
{
    json_add_key(w, "summary");
    flat(w);
    json_begin_object(w);
    write_uint(w, "calls", s->calls);
    write_uint(w, "passed", s->passed);
    write_uint(w, "failed", s->failed);
    write_uint(w, "inconclusive", s->inconclusive);
    json_end_object(w);
    lines(w);
}

static void write_places(struct json_writer *w, const struct report_run *run)
{
    json_add_key(w, "points");
    json_begin_array(w);
    for (size_t i = 0; i < run->point_count; i++)
        if (!trace_point_is_idle(&run->points[i]))
            write_point(w, &run->points[i]);
    json_end_array(w);
    json_add_key(w, "nodes");
    json_begin_array(w);
    for (size_t i = 0; i < run->node_count; i++) {
        json_begin_object(w);
        write_string(w, "name", run->nodes[i].name);
        write_strings(w, "addresses", run->nodes[i].addresses, run->nodes[i].address_count);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_difference(struct json_writer *w, const struct check_difference *d)
{
    json_begin_object(w);
    flat(w);
    write_string(w, "id", d->id);
    write_cstring(w, "severity", check_severity_name(d->severity));
    write_known(w, "method", d->method);
    write_known(w, "header", d->header);
    write_known(w, "node", d->node);
    write_known(w, "trunk", d->trunk);
    write_known(w, "rule", d->rule);
    write_uint(w, "then", d->then);
    write_uint(w, "now", d->now);
    json_end_object(w);
    lines(w);
}

/* What is new, gone and the same, each as an array. */
static void write_baseline(struct json_writer *w, const struct report_run *run)
{
    const struct check_difference *list;
    size_t n = check_baseline_compare(run->baseline, run->summary->calls, &list);
    json_add_key(w, "baseline");
    json_begin_object(w);
    write_cstring(w, "file", check_baseline_path(run->baseline));
    write_uint(w, "calls", check_baseline_calls(run->baseline));
    for (enum check_change c = CHECK_NEW; c <= CHECK_SAME; c++) {
        json_add_key(w, check_change_name(c));
        json_begin_array(w);
        for (size_t i = 0; i < n; i++)
            if (list[i].change == c)
                write_difference(w, &list[i]);
        json_end_array(w);
    }
    json_end_object(w);
}

void report_json_run(struct json_writer *w, const struct report_run *run)
{
    write_cstring(w, "version", run->version);
    write_cstring(w, "verdict", check_verdict_name(run->verdict));
    write_summary(w, run->summary);
    write_places(w, run);
    if (run->baseline)
        write_baseline(w, run);
}

void report_check_json_head(struct text *out, const struct report_run *run)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_begin_object(&w);
    write_cstring(&w, "schema", "sipxray-check/1");
    report_json_run(&w, run);
    json_add_key(&w, "calls");
    json_begin_array(&w);
}

static void write_rule_counts(struct json_writer *w, const struct report_run *run)
{
    json_add_key(w, "rules");
    json_begin_array(w);
    for (size_t i = 0; i < run->rules->n; i++) {
        const struct expect_rule *rule = &run->rules->items[i];
        const struct check_rule_count *count = &run->summary->rules[i];
        json_begin_object(w);
        report_json_rule_place(w, rule);
        write_known(w, "about", rule->about);
        write_cstring(w, "severity", expect_severity_name(rule->severity));
        write_uint(w, "applied", count->applied);
        write_uint(w, "violated", count->violated);
        write_uint(w, "not_judged", count->open);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_run_evidence(struct json_writer *w, const struct check_run_finding *f)
{
    json_add_key(w, "evidence");
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < f->evidence_count; i++) {
        json_begin_object(w);
        write_string(w, "call_id", f->evidence[i].call_id);
        write_string(w, "point", f->evidence[i].point);
        write_uint(w, "frame", f->evidence[i].frame);
        json_end_object(w);
    }
    json_end_array(w);
    lines(w);
}

void report_json_run_finding(struct json_writer *w, const struct check_run_finding *f, bool changes)
{
    write_cstring(w, "id", f->id);
    write_cstring(w, "severity", check_severity_name(f->severity));
    write_known(w, "header", f->header);
    write_string(w, "message", f->message);
    write_run_evidence(w, f);
    if (changes)
        write_cstring(w, "baseline", check_change_name(f->known ? CHECK_SAME : CHECK_NEW));
    if (f->rule)
        report_json_rule(w, f->rule);
}

void report_json_rules(struct json_writer *w, const struct report_run *run)
{
    if (run->rules && run->rules->n)
        write_rule_counts(w, run);
}

static void write_run_findings(struct json_writer *w, const struct report_run *run)
{
    json_add_key(w, "findings");
    json_begin_array(w);
    for (size_t i = 0; i < run->summary->findings.n; i++) {
        json_begin_object(w);
        report_json_run_finding(w, &run->summary->findings.items[i], run->baseline != NULL);
        json_end_object(w);
    }
    json_end_array(w);
}

void report_check_json_tail(struct text *out, const struct report_run *run, bool any_calls)
{
    struct json_writer w = {.out = out, .depth = CALL_DEPTH, .pretty = true, .fresh = !any_calls};
    json_end_array(&w);
    w.fresh = false;
    report_json_rules(&w, run);
    write_run_findings(&w, run);
    json_end_object(&w);
    text_add_char(out, '\n');
}

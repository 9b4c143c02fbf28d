/* check --format json: schema sipxray-check/1, as man/sipxray-check-json.5 has it. */
#include "report/internal.h"

#define CALL_DEPTH 2 /* of a call's object: in the array "calls" of the root */

static void write_string(struct json_writer *w, const char *key, struct slice s)
{
    json_add_key(w, key);
    json_add_string(w, s);
}

/* What the captures do not tell is null. */
static void write_known(struct json_writer *w, const char *key, struct slice s)
{
    json_add_key(w, key);
    if (s.n)
        json_add_string(w, s);
    else
        json_add_null(w);
}

static void write_cstring(struct json_writer *w, const char *key, const char *s)
{
    write_string(w, key, slice_of(s));
}

static void write_uint(struct json_writer *w, const char *key, uint64_t n)
{
    json_add_key(w, key);
    json_add_uint(w, n);
}

static void write_bool(struct json_writer *w, const char *key, bool b)
{
    json_add_key(w, key);
    json_add_bool(w, b);
}

static void write_strings(struct json_writer *w, const char *key, const struct slice *items,
                          size_t n)
{
    json_add_key(w, key);
    bool pretty = w->pretty;
    w->pretty = false; /* reads better on one line */
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_add_string(w, items[i]);
    json_end_array(w);
    w->pretty = pretty;
}

/* What follows stands on one line, until lines(): small arrays and objects read better so. */
static void flat(struct json_writer *w)
{
    w->pretty = false;
}

static void lines(struct json_writer *w)
{
    w->pretty = !w->one_line;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void write_sighting(struct json_writer *w, const struct check_sighting *s)
{
    json_begin_object(w);
    write_string(w, "at", s->at);
    write_string(w, "point", s->point);
    write_known(w, "node", s->node);
    write_known(w, "side", s->side);
    report_json_endpoint(w, "src", &s->src);
    report_json_endpoint(w, "dst", &s->dst);
    write_cstring(w, "transport", s->transport);
    write_string(w, "call_id", s->call_id);
    write_uint(w, "cseq", s->cseq);
    json_add_key(w, "frames");
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < s->frame_count; i++)
        json_add_uint(w, s->frames[i]);
    json_end_array(w);
    lines(w);
    write_uint(w, "transmissions", s->transmissions);
    json_end_object(w);
}

static void write_guilty(struct json_writer *w, const struct check_guilty *g)
{
    json_add_key(w, "guilty");
    if (!g->any) {
        json_add_null(w);
        return;
    }
    flat(w);
    json_begin_object(w);
    if (g->node.n) {
        write_known(w, "node", g->node);
        write_known(w, "in", g->in);
        write_known(w, "out", g->out);
    } else {
        json_add_key(w, "node");
        json_add_null(w);
        write_known(w, "after", g->after);
        write_known(w, "before", g->before);
        write_strings(w, "candidates", g->candidates, g->candidate_count);
    }
    json_end_object(w);
    lines(w);
}

/* States and values, both aligned with the sightings. */
static void write_columns(struct json_writer *w, const struct report_style *style,
                          const struct check_header *h, size_t n)
{
    struct arena a = {0};
    json_add_key(w, "states");
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_add_cstring(w, check_state_name(h->states[i]));
    json_end_array(w);
    lines(w);
    json_add_key(w, "values");
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_array(w);
        for (size_t k = 0; k < h->values[i].n; k++)
            json_add_string(w, report_masked(&a, style, h->name, h->values[i].items[k]));
        json_end_array(w);
    }
    json_end_array(w);
    lines(w);
    arena_free(&a);
}

static void write_header(struct json_writer *w, const struct report_style *style,
                         const struct check_header *h, size_t sightings)
{
    json_begin_object(w);
    write_string(w, "name", h->name);
    write_bool(w, "expected", h->expected);
    if (h->has_value) {
        struct arena a = {0};
        write_string(w, "value", report_masked(&a, style, h->name, h->value));
        arena_free(&a);
    }
    write_cstring(w, "verdict", check_header_verdict_name(h->verdict));
    write_columns(w, style, h, sightings);
    write_guilty(w, &h->guilty);
    json_end_object(w);
}

static void write_request_head(struct json_writer *w, const struct check_request *r)
{
    write_string(w, "method", r->method);
    if (r->status)
        write_uint(w, "status", r->status);
    write_uint(w, "cseq", r->cseq);
    json_add_key(w, "sent_by");
    flat(w);
    json_begin_object(w);
    write_known(w, "node", r->sent_by_node);
    write_known(w, "address", r->sent_by_address);
    json_end_object(w);
    lines(w);
    write_bool(w, "applies", r->applies);
    write_string(w, "why", r->why);
}

static void write_answer(struct json_writer *w, const struct check_request *r)
{
    json_add_key(w, "answer");
    if (!r->answer_status) {
        json_add_null(w);
        return;
    }
    flat(w);
    json_begin_object(w);
    write_uint(w, "status", r->answer_status);
    write_string(w, "reason", r->answer_reason);
    json_end_object(w);
    lines(w);
}

/* The rules that apply to it, where there are any. */
static void write_results(struct json_writer *w, const struct check_request *r)
{
    if (r->rule_count == 0)
        return;
    json_add_key(w, "rules");
    json_begin_array(w);
    for (size_t i = 0; i < r->rule_count; i++) {
        flat(w);
        json_begin_object(w);
        write_string(w, "id", r->rules[i].rule->id);
        write_cstring(w, "verdict", check_verdict_name(r->rules[i].verdict));
        json_end_object(w);
        lines(w);
    }
    json_end_array(w);
}

static void write_request(struct json_writer *w, const struct report_style *style,
                          const struct check_request *r)
{
    json_begin_object(w);
    write_request_head(w, r);
    json_add_key(w, "sightings");
    json_begin_array(w);
    for (size_t i = 0; i < r->sighting_count; i++)
        write_sighting(w, &r->sightings[i]);
    json_end_array(w);
    write_answer(w, r);
    json_add_key(w, "headers");
    json_begin_array(w);
    for (size_t i = 0; i < r->header_count; i++)
        write_header(w, style, &r->headers[i], r->sighting_count);
    json_end_array(w);
    write_results(w, r);
    json_end_object(w);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void write_evidence(struct json_writer *w, const struct check_evidence *list, size_t n)
{
    json_add_key(w, "evidence");
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        write_string(w, "point", list[i].point);
        write_uint(w, "frame", list[i].frame);
        json_end_object(w);
    }
    json_end_array(w);
    lines(w);
}

static void write_rule_place(struct json_writer *w, const struct expect_rule *rule)
{
    write_string(w, "id", rule->id);
    write_string(w, "file", rule->file);
    json_add_key(w, "line");
    if (rule->place.line)
        json_add_uint(w, rule->place.line);
    else
        json_add_null(w);
}

static void write_rule_name(struct json_writer *w, const struct expect_rule *rule)
{
    json_add_key(w, "rule");
    flat(w);
    json_begin_object(w);
    write_rule_place(w, rule);
    json_end_object(w);
    lines(w);
}

void report_json_finding(struct json_writer *w, const struct check_finding *f, bool changes)
{
    write_cstring(w, "id", f->id);
    write_cstring(w, "severity", check_severity_name(f->severity));
    write_known(w, "method", f->method);
    write_known(w, "header", f->header);
    write_known(w, "node", f->node);
    write_string(w, "message", f->message);
    write_evidence(w, f->evidence, f->evidence_count);
    if (changes)
        write_cstring(w, "baseline", check_change_name(f->known ? CHECK_SAME : CHECK_NEW));
    if (f->rule)
        write_rule_name(w, f->rule);
}

void report_json_cause(struct json_writer *w, const struct check_cause *cause)
{
    write_cstring(w, "id", cause->id);
    write_cstring(w, "confidence", check_confidence_name(cause->confidence));
    write_string(w, "message", cause->message);
    write_string(w, "remedy", cause->remedy);
    write_evidence(w, cause->evidence, cause->evidence_count);
}

static void write_trunk(struct json_writer *w, const struct expect_trunk *t)
{
    json_add_key(w, "trunk");
    if (!t) {
        json_add_null(w);
        return;
    }
    flat(w);
    json_begin_object(w);
    write_string(w, "id", t->id);
    write_string(w, "name", t->name);
    json_end_object(w);
    lines(w);
}

static void write_call_head(struct json_writer *w, const struct check_call *c)
{
    write_strings(w, "call_ids", c->call_ids, c->call_id_count);
    if (c->joined.n)
        write_string(w, "joined", c->joined);
    write_cstring(w, "direction", c->direction);
    write_known(w, "caller", c->caller);
    write_known(w, "callee", c->callee);
    write_trunk(w, c->trunk);
    write_cstring(w, "verdict", check_verdict_name(c->verdict));
}

void report_json_call(struct json_writer *w, const struct report_style *style,
                      const struct check_call *call)
{
    write_call_head(w, call);
    json_add_key(w, "requests");
    json_begin_array(w);
    for (size_t i = 0; i < call->request_count; i++)
        write_request(w, style, &call->requests[i]);
    json_end_array(w);
}

void report_check_json_call(struct text *out, const struct report_style *style, bool first,
                            bool changes, const struct check_call *call)
{
    struct json_writer w = {.out = out, .depth = CALL_DEPTH, .pretty = true, .fresh = first};
    json_begin_object(&w);
    report_json_call(&w, style, call);
    json_add_key(&w, "findings");
    json_begin_array(&w);
    for (size_t i = 0; i < call->finding_count; i++) {
        json_begin_object(&w);
        report_json_finding(&w, &call->findings[i], changes);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_add_key(&w, "causes");
    json_begin_array(&w);
    for (size_t i = 0; i < call->cause_count; i++) {
        json_begin_object(&w);
        report_json_cause(&w, &call->causes[i]);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
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
        write_rule_place(w, rule);
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

void report_json_run_findings(struct json_writer *w, const struct report_run *run)
{
    if (run->rules && run->rules->n)
        write_rule_counts(w, run);
    json_add_key(w, "findings");
    json_begin_array(w);
    for (size_t i = 0; i < run->summary->findings.n; i++) {
        const struct check_run_finding *f = &run->summary->findings.items[i];
        json_begin_object(w);
        write_cstring(w, "id", f->id);
        write_cstring(w, "severity", check_severity_name(f->severity));
        write_known(w, "header", f->header);
        write_string(w, "message", f->message);
        write_run_evidence(w, f);
        if (f->rule)
            write_rule_name(w, f->rule);
        json_end_object(w);
    }
    json_end_array(w);
}

void report_check_json_tail(struct text *out, const struct report_run *run, bool any_calls)
{
    struct json_writer w = {.out = out, .depth = CALL_DEPTH, .pretty = true, .fresh = !any_calls};
    json_end_array(&w);
    w.fresh = false;
    report_json_run_findings(&w, run);
    json_end_object(&w);
    text_add_char(out, '\n');
}

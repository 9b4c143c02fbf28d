/* check --format json: schema sipxray-check/1, as man/sipxray-check-json.5 has it. */
#include "report/json_members.h"

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
    flat(w);
    json_begin_array(w);
    for (size_t i = 0; i < r->rule_count; i++) {
        json_begin_object(w);
        write_string(w, "id", r->rules[i].rule->id);
        write_cstring(w, "verdict", check_verdict_name(r->rules[i].verdict));
        json_end_object(w);
    }
    json_end_array(w);
    lines(w);
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
        report_json_rule(w, f->rule);
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

static void write_call_head(struct json_writer *w, const struct report_style *style,
                            const struct check_call *c)
{
    write_strings(w, "call_ids", c->call_ids, c->call_id_count);
    if (c->joined.n)
        write_string(w, "joined", c->joined);
    write_cstring(w, "start", report_time_iso(style->local_time, c->start_ns).s);
    write_cstring(w, "direction", c->direction);
    write_known(w, "caller", c->caller);
    write_known(w, "callee", c->callee);
    write_trunk(w, c->trunk);
    write_cstring(w, "verdict", check_verdict_name(c->verdict));
}

void report_json_call(struct json_writer *w, const struct report_style *style,
                      const struct check_call *call)
{
    write_call_head(w, style, call);
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

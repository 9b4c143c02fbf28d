/* Schema sipxray-probe/1 (man/sipxray-probe-json.5). */
#include "report/json_members.h"
#include "report/probe_internal.h"

static void write_values(struct json_writer *w, const struct report_style *style, const char *key,
                         struct slice name, const struct expect_list *values)
{
    struct arena a = {0};
    struct slice *masked = ARENA_ARRAY(&a, struct slice, values->n);
    for (size_t i = 0; i < values->n; i++)
        masked[i] = report_masked(&a, style, name, values->items[i]);
    write_strings(w, key, masked, values->n);
    arena_free(&a);
}

static void write_guilty(struct json_writer *w, const struct check_guilty *g)
{
    json_add_key(w, "guilty");
    if (!g->any) {
        json_add_null(w);
        return;
    }
    json_begin_object(w);
    write_known(w, "node", g->node);
    if (g->node.n) {
        write_known(w, "in", g->in);
        write_known(w, "out", g->out);
    } else {
        write_known(w, "after", g->after);
        write_known(w, "before", g->before);
        write_strings(w, "candidates", g->candidates, g->candidate_count);
    }
    json_end_object(w);
}

static void write_row(struct json_writer *w, const struct report_style *style,
                      const struct report_probe *p, const struct report_probe_row *row)
{
    json_begin_object(w);
    flat(w);
    write_string(w, p->by_header ? "trunk" : "case", row->group);
    write_string(w, "call", row->call);
    write_string(w, "message", row->message);
    write_string(w, "from", row->from);
    write_string(w, "to", row->to);
    write_string(w, "header", row->header);
    write_cstring(w, "outcome", report_fate_name(row->fate));
    json_add_key(w, "alteration");
    json_add_cstring(w,
                     row->fate == REPORT_ALTERED ? check_header_verdict_name(row->verdict) : NULL);
    write_uint_or_null(w, "status", row->fate == REPORT_REJECTED, row->status);
    write_known(w, "how", row->how);
    if (row->loose) {
        json_add_key(w, "sent");
        json_add_null(w);
    } else {
        write_values(w, style, "sent", row->header, &row->sent);
    }
    write_values(w, style, "received", row->header, &row->received);
    write_guilty(w, &row->guilty);
    write_known(w, "seen_last", row->seen_last);
    json_end_object(w);
    lines(w);
}

static void write_step(struct json_writer *w, const struct report_probe_step *s)
{
    json_begin_object(w);
    flat(w);
    write_string(w, "call", s->call);
    write_string(w, "from", s->from);
    write_string(w, "message", s->message);
    write_cstring(w, "fate", s->fate);
    write_uint_or_null(w, "status", s->status > 0, s->status);
    write_string(w, "words", s->words);
    json_end_object(w);
    lines(w);
}

static void write_summary(struct json_writer *w, const struct report_probe *p)
{
    uint64_t counts[REPORT_UNTRIED + 1] = {0};
    for (size_t i = 0; i < p->row_count; i++)
        counts[p->rows[i].fate]++;
    json_add_key(w, "summary");
    json_begin_object(w);
    flat(w);
    write_uint(w, "calls", p->calls);
    write_uint(w, "messages_sent", p->sent);
    write_uint(w, "messages_received", p->received);
    write_uint(w, "headers", p->row_count);
    for (unsigned i = 0; i <= REPORT_UNTRIED; i++)
        write_uint(w, report_fate_name((enum report_fate)i), counts[i]);
    json_end_object(w);
    lines(w);
}

static void write_time(struct json_writer *w, const struct report_style *style, const char *key,
                       int64_t ns)
{
    json_add_key(w, key);
    json_add_cstring(w, ns ? report_time_iso(style->local_time, ns).s : NULL);
}

void report_probe_json(struct text *out, const struct report_style *style,
                       const struct report_probe *p)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_begin_object(&w);
    write_cstring(&w, "schema", "sipxray-probe/1");
    write_cstring(&w, "version", p->version);
    write_cstring(&w, "command", p->command);
    write_cstring(&w, "verdict", check_verdict_name(p->verdict));
    write_bool(&w, "path_failed", p->path_failed);
    write_cstring(&w, "kind", p->by_header ? "trunk" : "suite");
    write_known(&w, "trunk", p->by_header ? p->title : SLICE_NONE);
    write_known(&w, "via", p->via);
    write_known(&w, "uri", p->to);
    write_known(&w, "transport", p->transport);
    write_time(&w, style, "began", p->began_ns);
    write_time(&w, style, "ended", p->ended_ns);
    write_summary(&w, p);
    json_add_key(&w, "headers");
    json_begin_array(&w);
    for (size_t i = 0; i < p->row_count; i++)
        write_row(&w, style, p, &p->rows[i]);
    json_end_array(&w);
    json_add_key(&w, "steps");
    json_begin_array(&w);
    for (size_t i = 0; i < p->step_count; i++)
        write_step(&w, &p->steps[i]);
    json_end_array(&w);
    write_strings(&w, "notes", p->notes, p->note_count);
    json_end_object(&w);
    text_add_char(out, '\n');
}

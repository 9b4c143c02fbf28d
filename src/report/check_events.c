/* check --format ndjson: an object a line for the start, each call, finding and cause, and the end,
 * as they come; the members are those of sipxray-check/1 (man/sipxray-check-json.5). */
#include "report/internal.h"

static struct json_writer begin(struct text *line, const char *event)
{
    struct json_writer w = {.out = line, .one_line = true};
    json_begin_object(&w);
    json_add_key(&w, "event");
    json_add_cstring(&w, event);
    return w;
}

static void end(struct text *out, struct json_writer *w)
{
    json_end_object(w);
    text_add(out, text_slice(w->out));
    text_add_char(out, '\n');
    text_clear(w->out);
}

void report_events_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct text line = {0};
    struct json_writer w = begin(&line, "start");
    (void)r;
    (void)run;
    json_add_key(&w, "schema");
    json_add_cstring(&w, "sipxray-events/1");
    end(out, &w);
    text_free(&line);
}

/* The call that the event is of: calls are counted from 1 as they end. */
static void add_number(struct json_writer *w, const struct report_check *r,
                       const struct check_call *call)
{
    json_add_key(w, "call");
    json_add_uint(w, call->number ? call->number : r->calls + 1);
}

void report_events_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    struct text line = {0};
    struct json_writer w = begin(&line, "call");
    add_number(&w, r, call);
    if (call->corrects) {
        json_add_key(&w, "corrects");
        json_add_cstring(&w, check_verdict_name(call->before));
    }
    report_json_call(&w, &r->style, call);
    end(out, &w);
    for (size_t i = 0; i < call->finding_count; i++) {
        w = begin(&line, "finding");
        add_number(&w, r, call);
        report_json_finding(&w, &call->findings[i], r->changes);
        end(out, &w);
    }
    for (size_t i = 0; i < call->cause_count; i++) {
        w = begin(&line, "cause");
        add_number(&w, r, call);
        report_json_cause(&w, &call->causes[i]);
        end(out, &w);
    }
    text_free(&line);
}

void report_events_lost(struct text *out, struct report_check *r, const struct report_loss *loss)
{
    struct text line = {0};
    struct json_writer w = begin(&line, "lost");
    (void)r;
    json_add_key(&w, "time");
    json_add_cstring(&w, report_time_iso(false, loss->time_ns).s);
    json_add_key(&w, "point");
    if (loss->point)
        json_add_cstring(&w, loss->point);
    else
        json_add_null(&w);
    json_add_key(&w, "what");
    json_add_cstring(&w, loss->what);
    json_add_key(&w, "count");
    json_add_uint(&w, loss->count);
    json_add_key(&w, "total");
    json_add_uint(&w, loss->total);
    end(out, &w);
    text_free(&line);
}

void report_events_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    struct text line = {0};
    struct json_writer w;
    for (size_t i = 0; i < run->summary->findings.n; i++) {
        w = begin(&line, "finding");
        json_add_key(&w, "call");
        json_add_null(&w);
        report_json_run_finding(&w, &run->summary->findings.items[i], r->changes);
        end(out, &w);
    }
    w = begin(&line, "end");
    report_json_run(&w, run);
    report_json_rules(&w, run);
    end(out, &w);
    text_free(&line);
}

/* The list of calls: a table for a person, CSV and objects for programs. */
#include "report/internal.h"

#define MS_PER_SECOND 1000
#define CALL_ID_LEAST 12
#define NUMBER_LEAST  13 /* a telephone number with its + */
#define NUMBER_MOST   24

uint64_t report_duration_ms(const struct call_summary *c)
{
    int64_t end = c->end_ns ? c->end_ns : c->last_ns;
    return end > c->start_ns ? (uint64_t)(end - c->start_ns) / 1000000 : 0;
}

const char *report_outcome_name(const struct call_summary *c)
{
    return c->outcome == CALL_NOT_A_CALL ? "none" : call_outcome_name(c->outcome);
}

bool report_talk_ms(const struct call_summary *c, uint64_t *ms)
{
    int64_t end = c->end_ns ? c->end_ns : c->last_ns;
    if (!c->answer_ns)
        return false;
    *ms = end > c->answer_ns ? (uint64_t)(end - c->answer_ns) / 1000000 : 0;
    return true;
}

/* ---- text ------------------------------------------------------------------------------------ */

void report_add_duration(struct text *out, uint64_t ms)
{
    uint64_t s = ms / MS_PER_SECOND;
    if (s < 60) {
        text_add_number(out, s, 1);
        text_add_char(out, '.');
        text_add_number(out, ms % MS_PER_SECOND, 3);
        text_add_char(out, 's');
        return;
    }
    text_add_number(out, s / 3600, 1);
    text_add_char(out, ':');
    text_add_number(out, s / 60 % 60, 2);
    text_add_char(out, ':');
    text_add_number(out, s % 60, 2);
}

/* "answered", "failed 486"; of a request that is no call its method */
static void add_outcome(struct text *out, const struct call_summary *c, size_t width)
{
    text_add_fitted(
        out, c->outcome == CALL_NOT_A_CALL ? c->method : slice_of(call_outcome_name(c->outcome)),
        c->status >= 300 ? width - 4 : width);
    if (c->status < 300)
        return;
    text_add_char(out, ' ');
    text_add_number(out, c->status, 1);
}

/* With a space after it. */
static void add_count(struct text *out, uint64_t value, size_t width)
{
    report_add_right(out, value, width);
    text_add_char(out, ' ');
}

struct columns {
    size_t outcome, number, call_id;
};

/* The fixed cells take 29 columns; a wider terminal gives to the numbers and the Call-ID. */
static struct columns columns_of(const struct report_style *style)
{
    struct columns c = {.outcome = 13, .number = NUMBER_LEAST, .call_id = CALL_ID_LEAST};
    size_t used = 29 + c.outcome + 2 * c.number + c.call_id, width = report_width(style);
    size_t more = width > used ? width - used : 0;
    size_t each = more / 4 < NUMBER_MOST - NUMBER_LEAST ? more / 4 : NUMBER_MOST - NUMBER_LEAST;
    c.number += each;
    c.call_id += more - 2 * each;
    return c;
}

static void add_head(struct text *out, const struct columns *w)
{
    size_t from = out->n;
    report_add_cell(out, SLICE("START"), 9);
    report_add_cell(out, SLICE("TIME"), 8);
    report_add_cell(out, SLICE("OUTCOME"), w->outcome + 1);
    report_add_cell(out, SLICE("CALLER"), w->number + 1);
    report_add_cell(out, SLICE("CALLEE"), w->number + 1);
    text_add(out, SLICE("MSGS PTS CALL-ID"));
    report_trim_line(out, from);
    text_add_char(out, '\n');
}

/* The Call-ID, with how many there are before it. */
static void add_call_ids(struct text *out, const struct call_summary *c, size_t width)
{
    size_t from = out->n;
    if (c->call_id_count > 1) {
        text_add_char(out, '(');
        text_add_number(out, c->call_id_count, 1);
        text_add(out, SLICE(") "));
    }
    if (c->call_id_count)
        text_add_fitted(out, c->call_ids[0], width - (out->n - from));
}

void report_call_text(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    if (r->column_count) {
        report_columns_text(out, r, c);
        return;
    }
    struct columns w = columns_of(&r->style);
    if (r->count++ == 0)
        add_head(out, &w);
    report_add_day(out, r->style.local_time, &r->day, c->start_ns);
    size_t from = out->n;
    report_add_clock(out, r->style.local_time, c->start_ns, false);
    text_add_char(out, ' ');
    report_add_duration(out, report_duration_ms(c));
    report_pad(out, from, 16);
    text_add_char(out, ' ');
    add_outcome(out, c, w.outcome);
    report_pad(out, from, 17 + w.outcome);
    text_add_char(out, ' ');
    report_add_cell(out, c->caller, w.number);
    text_add_char(out, ' ');
    report_add_cell(out, c->callee, w.number);
    text_add_char(out, ' ');
    add_count(out, c->messages, 4);
    add_count(out, c->point_count, 3);
    add_call_ids(out, c, w.call_id);
    report_trim_line(out, from);
    text_add_char(out, '\n');
}

void report_calls_text_end(struct text *out, const struct report_calls *r)
{
    if (r->count == 0)
        text_add(out, SLICE("no calls\n"));
}

void report_call_line(struct text *out, const struct report_style *style,
                      const struct call_summary *c)
{
    report_add_clock(out, style->local_time, c->start_ns, false);
    text_add(out, SLICE("  "));
    size_t from = out->n;
    add_outcome(out, c, 13);
    report_pad(out, from, 13);
    text_add(out, SLICE("  "));
    text_add_fitted(out, c->caller, NUMBER_MOST);
    text_add(out, SLICE(" -> "));
    text_add_fitted(out, c->callee, NUMBER_MOST);
    text_add(out, SLICE("  "));
    if (c->call_id_count)
        text_add_terminal(out, c->call_ids[0]);
}

/* ---- CSV (RFC 4180) -------------------------------------------------------------------------- */

static void add_csv_head(struct text *out)
{
    text_add(out,
             SLICE("start,duration_ms,outcome,status,method,caller,callee,src,dst,messages,points,"
                   "call_ids\r\n"));
}

static void add_field(struct text *out, struct slice value)
{
    text_add_char(out, ',');
    text_add_csv(out, value);
}

/* Several values in one field stand apart by a space; names and Call-IDs should hold none. */
struct slice report_joined(struct arena *a, const struct slice *items, size_t n)
{
    return arena_join_list(a, items, n, SLICE(" "));
}

struct slice report_point_names(struct arena *a, const struct report_calls *r,
                                const struct call_summary *c)
{
    struct slice *names = ARENA_ARRAY(a, struct slice, c->point_count);
    for (size_t i = 0; i < c->point_count; i++)
        names[i] = slice_of(r->points[c->points[i]].name);
    return report_joined(a, names, c->point_count);
}

void report_call_csv(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    if (r->column_count) {
        report_columns_csv(out, r, c);
        return;
    }
    struct arena a = {0};
    if (r->count++ == 0)
        add_csv_head(out);
    text_printf(out, "%s,%llu", report_time_iso(r->style.local_time, c->start_ns).s,
                (unsigned long long)report_duration_ms(c));
    add_field(out, slice_of(report_outcome_name(c)));
    add_field(out, c->status ? arena_printf(&a, "%u", c->status) : SLICE_NONE);
    add_field(out, c->method);
    add_field(out, c->caller);
    add_field(out, c->callee);
    add_field(out, slice_of(endpoint_format(&c->src).s));
    add_field(out, slice_of(endpoint_format(&c->dst).s));
    add_field(out, arena_printf(&a, "%u", c->messages));
    add_field(out, report_point_names(&a, r, c));
    add_field(out, report_joined(&a, c->call_ids, c->call_id_count));
    text_add(out, SLICE("\r\n"));
    arena_free(&a);
}

void report_calls_csv_end(struct text *out, const struct report_calls *r)
{
    if (r->count == 0 && r->column_count)
        report_columns_csv_head(out, r);
    else if (r->count == 0)
        add_csv_head(out);
}

/* ---- NDJSON ---------------------------------------------------------------------------------- */

static void write_string(struct json_writer *w, const char *key, struct slice s)
{
    json_add_key(w, key);
    json_add_string(w, s);
}

static void write_time_or_null(struct json_writer *w, bool local, const char *key, int64_t ns)
{
    json_add_key(w, key);
    if (ns)
        json_add_cstring(w, report_time_iso(local, ns).s);
    else
        json_add_null(w);
}

static void write_times(struct json_writer *w, bool local, const struct call_summary *c)
{
    json_add_key(w, "start");
    json_add_cstring(w, report_time_iso(local, c->start_ns).s);
    write_time_or_null(w, local, "answer", c->answer_ns);
    write_time_or_null(w, local, "end", c->end_ns);
    json_add_key(w, "last");
    json_add_cstring(w, report_time_iso(local, c->last_ns).s);
    json_add_key(w, "duration_ms");
    json_add_uint(w, report_duration_ms(c));
}

static void write_outcome(struct json_writer *w, const struct call_summary *c)
{
    write_string(w, "outcome", slice_of(report_outcome_name(c)));
    json_add_key(w, "status");
    if (c->status)
        json_add_uint(w, c->status);
    else
        json_add_null(w);
    write_string(w, "method", c->method);
    write_string(w, "caller", c->caller);
    write_string(w, "callee", c->callee);
    report_json_endpoint(w, "src", &c->src);
    report_json_endpoint(w, "dst", &c->dst);
    json_add_key(w, "messages");
    json_add_uint(w, c->messages);
}

void report_call_ndjson(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    if (r->column_count) {
        report_columns_ndjson(out, r, c);
        return;
    }
    struct json_writer w = {.out = out};
    r->count++;
    json_begin_object(&w);
    json_add_key(&w, "call_ids");
    json_begin_array(&w);
    for (size_t i = 0; i < c->call_id_count; i++)
        json_add_string(&w, c->call_ids[i]);
    json_end_array(&w);
    write_times(&w, r->style.local_time, c);
    write_outcome(&w, c);
    json_add_key(&w, "points");
    json_begin_array(&w);
    for (size_t i = 0; i < c->point_count; i++)
        json_add_cstring(&w, r->points[c->points[i]].name);
    json_end_array(&w);
    json_end_object(&w);
    text_add_char(out, '\n');
}

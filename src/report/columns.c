/* Calls with the columns that were asked for: what a call is, and headers of its messages. */
#include "report/internal.h"

#include <string.h>

#define HEADER_LEAST   8u
#define FLEXIBLE_LEAST 12u
#define FLEXIBLE_MOST  40u

/* What a call is: the name, and how many columns of a terminal it takes; flexible ones take more
 * where there is room, and less where there is none. */
struct builtin {
    const char *name;
    size_t width;
    bool flexible;
};

static const struct builtin builtins[REPORT_COLUMN_HEADER] = {
    [REPORT_COLUMN_START] = {"start", 8, false},
    [REPORT_COLUMN_ANSWER] = {"answer", 8, false},
    [REPORT_COLUMN_END] = {"end", 8, false},
    [REPORT_COLUMN_LAST] = {"last", 8, false},
    [REPORT_COLUMN_DURATION] = {"duration", 8, false},
    [REPORT_COLUMN_TALK] = {"talk", 8, false},
    [REPORT_COLUMN_OUTCOME] = {"outcome", 9, false},
    [REPORT_COLUMN_STATUS] = {"status", 6, false},
    [REPORT_COLUMN_METHOD] = {"method", 9, false},
    [REPORT_COLUMN_CALLER] = {"caller", 13, true},
    [REPORT_COLUMN_CALLEE] = {"callee", 13, true},
    [REPORT_COLUMN_SRC] = {"src", 14, true},
    [REPORT_COLUMN_DST] = {"dst", 14, true},
    [REPORT_COLUMN_MESSAGES] = {"messages", 8, false},
    [REPORT_COLUMN_POINTS] = {"points", 12, true},
    [REPORT_COLUMN_CALL_ID] = {"call_id", 12, true},
    [REPORT_COLUMN_CALL_IDS] = {"call_ids", 12, true},
    [REPORT_COLUMN_NUMBER] = {"number", 6, false},
};

const char *report_column_name(size_t id)
{
    return id < REPORT_COLUMN_HEADER ? builtins[id].name : NULL;
}

/* ---- cells ------------------------------------------------------------------------------------
 */

static struct slice endpoint_text(struct arena *a, const struct endpoint *e)
{
    return arena_copy(a, slice_of(endpoint_format(e).s));
}

static struct slice header_text(struct arena *a, const struct report_calls *r,
                                const struct report_column *c, const struct call_summary *call,
                                bool *absent)
{
    const struct call_value *v = call->values[c->want];
    *absent = v == NULL;
    if (!v)
        return SLICE_NONE;
    struct slice shown = report_masked(a, &r->style, c->header, v->value);
    return v->cut ? ARENA_JOIN(a, shown, SLICE("?")) : shown;
}

static int64_t time_of(enum report_column_id id, const struct call_summary *c)
{
    return id == REPORT_COLUMN_START    ? c->start_ns
           : id == REPORT_COLUMN_ANSWER ? c->answer_ns
           : id == REPORT_COLUMN_END    ? c->end_ns
                                        : c->last_ns;
}

static bool is_time(enum report_column_id id)
{
    return id <= REPORT_COLUMN_LAST;
}

static bool is_span(enum report_column_id id)
{
    return id == REPORT_COLUMN_DURATION || id == REPORT_COLUMN_TALK;
}

/* False: there is none. */
static bool span_of(enum report_column_id id, const struct call_summary *c, uint64_t *ms)
{
    if (id == REPORT_COLUMN_TALK)
        return report_talk_ms(c, ms);
    *ms = report_duration_ms(c);
    return true;
}

/* The text of a column; `absent`: there is none, which is not the same as an empty one. */
static struct slice cell_of(struct arena *a, const struct report_calls *r,
                            const struct report_column *column, const struct call_summary *c,
                            bool *absent)
{
    struct slice joined = SLICE_NONE;
    *absent = false;
    switch (column->id) {
    case REPORT_COLUMN_OUTCOME:
        return slice_of(report_outcome_name(c));
    case REPORT_COLUMN_STATUS:
        *absent = c->status == 0;
        return c->status ? arena_printf(a, "%u", c->status) : SLICE_NONE;
    case REPORT_COLUMN_METHOD:
        return c->method;
    case REPORT_COLUMN_CALLER:
        return c->caller;
    case REPORT_COLUMN_CALLEE:
        return c->callee;
    case REPORT_COLUMN_SRC:
        return endpoint_text(a, &c->src);
    case REPORT_COLUMN_DST:
        return endpoint_text(a, &c->dst);
    case REPORT_COLUMN_MESSAGES:
        return arena_printf(a, "%u", c->messages);
    case REPORT_COLUMN_NUMBER:
        return arena_printf(a, "%u", c->number);
    case REPORT_COLUMN_POINTS:
        return report_point_names(a, r, c);
    case REPORT_COLUMN_CALL_ID:
        return c->call_id_count ? c->call_ids[0] : SLICE_NONE;
    case REPORT_COLUMN_CALL_IDS:
        return report_joined(a, c->call_ids, c->call_id_count);
    case REPORT_COLUMN_HEADER:
        return header_text(a, r, column, c, absent);
    default:
        return joined;
    }
}

/* As a program reads it. */
static struct slice value_of(struct arena *a, const struct report_calls *r,
                             const struct report_column *column, const struct call_summary *c,
                             bool *absent)
{
    uint64_t ms;
    if (is_time(column->id)) {
        int64_t ns = time_of(column->id, c);
        *absent = ns == 0;
        return ns ? arena_printf(a, "%s", report_time_iso(r->style.local_time, ns).s) : SLICE_NONE;
    }
    if (!is_span(column->id))
        return cell_of(a, r, column, c, absent);
    *absent = !span_of(column->id, c, &ms);
    return *absent ? SLICE_NONE : arena_printf(a, "%llu", (unsigned long long)ms);
}

struct slice report_column_value(struct arena *a, const struct report_calls *r,
                                 const struct report_column *column, const struct call_summary *c,
                                 bool *absent)
{
    return value_of(a, r, column, c, absent);
}

/* ---- text -------------------------------------------------------------------------------------
 */

static size_t width_of(const struct report_column *c)
{
    size_t title = text_width(c->title);
    if (c->id != REPORT_COLUMN_HEADER)
        return builtins[c->id].width > title ? builtins[c->id].width : title;
    return title < HEADER_LEAST ? HEADER_LEAST : title > FLEXIBLE_MOST ? FLEXIBLE_MOST : title;
}

static bool is_flexible(const struct report_column *c)
{
    return c->id == REPORT_COLUMN_HEADER || builtins[c->id].flexible;
}

static size_t least_of(const struct report_column *c)
{
    size_t width = width_of(c);
    if (!is_flexible(c) || width <= FLEXIBLE_LEAST)
        return width;
    return FLEXIBLE_LEAST;
}

static size_t sum(const size_t *widths, size_t n)
{
    size_t all = n ? n - 1 : 0;
    for (size_t i = 0; i < n; i++)
        all += widths[i];
    return all;
}

/* The widest flexible column gives way to the terminal, the narrowest gets what is left over. */
static void fit(const struct report_calls *r, size_t *widths)
{
    const struct report_column *c = r->columns;
    size_t n = r->column_count, width = report_width(&r->style);
    for (;;) {
        size_t all = sum(widths, n), at = n;
        for (size_t i = 0; i < n; i++) {
            if (!is_flexible(&c[i]))
                continue;
            if (all > width && widths[i] > least_of(&c[i]) && (at == n || widths[i] > widths[at]))
                at = i;
            if (all < width && widths[i] < FLEXIBLE_MOST && (at == n || widths[i] < widths[at]))
                at = i;
        }
        if (all == width || at == n)
            return;
        widths[at] += all < width ? 1 : (size_t)-1;
    }
}

static void end_cell(struct text *out, const struct report_calls *r, size_t i, size_t from,
                     size_t width)
{
    if (i + 1 == r->column_count)
        return;
    report_pad(out, from, width);
    text_add_char(out, ' ');
}

/* The end of a long title tells more than its beginning: BYE:X-Five9-Queue */
static void add_title(struct text *out, struct slice title, size_t width)
{
    size_t cut = 0;
    if (text_width(title) > width) {
        text_add(out, SLICE("..."));
        while (text_width(slice_from(title, cut)) + 3 > width)
            cut++;
    }
    text_add_terminal(out, slice_from(title, cut));
}

static void add_head(struct text *out, const struct report_calls *r, const size_t *widths)
{
    size_t line = out->n;
    for (size_t i = 0; i < r->column_count; i++) {
        const struct report_column *c = &r->columns[i];
        size_t from = out->n;
        struct text t = {0};
        text_add(&t, c->title);
        for (size_t k = 0; c->id != REPORT_COLUMN_HEADER && k < t.n; k++)
            t.p[k] = (char)(t.p[k] >= 'a' && t.p[k] <= 'z' ? t.p[k] - 32 : t.p[k]);
        add_title(out, text_slice(&t), widths[i]);
        text_free(&t);
        end_cell(out, r, i, from, widths[i]);
    }
    report_trim_line(out, line);
    text_add_char(out, '\n');
}

static void add_cell(struct text *out, struct arena *a, const struct report_calls *r,
                     const struct report_column *column, const struct call_summary *c, size_t width)
{
    bool absent = false;
    uint64_t ms;
    if (is_time(column->id)) {
        absent = time_of(column->id, c) == 0;
        if (!absent)
            report_add_clock(out, r->style.local_time, time_of(column->id, c), false);
    } else if (is_span(column->id)) {
        absent = !span_of(column->id, c, &ms);
        if (!absent)
            report_add_duration(out, ms);
    } else {
        struct slice text = cell_of(a, r, column, c, &absent);
        if (!absent)
            text_add_fitted(out, text, width);
    }
    text_add(out, absent ? SLICE("-") : SLICE(""));
}

void report_columns_text(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    struct arena a = {0};
    size_t *widths = ARENA_ARRAY(&a, size_t, r->column_count);
    for (size_t i = 0; i < r->column_count; i++)
        widths[i] = width_of(&r->columns[i]);
    fit(r, widths);
    if (r->count++ == 0)
        add_head(out, r, widths);
    report_add_day(out, r->style.local_time, &r->day, c->start_ns);
    size_t line = out->n;
    for (size_t i = 0; i < r->column_count; i++) {
        size_t from = out->n;
        add_cell(out, &a, r, &r->columns[i], c, widths[i]);
        end_cell(out, r, i, from, widths[i]);
    }
    report_trim_line(out, line);
    text_add_char(out, '\n');
    arena_free(&a);
}

/* ---- CSV and NDJSON ----------------------------------------------------------------------------
 */

void report_columns_csv_head(struct text *out, const struct report_calls *r)
{
    for (size_t i = 0; i < r->column_count; i++) {
        const struct report_column *c = &r->columns[i];
        text_add(out, i ? SLICE(",") : SLICE(""));
        text_add_csv(out, c->title);
        text_add(out, is_span(c->id) ? SLICE("_ms") : SLICE(""));
    }
    text_add(out, SLICE("\r\n"));
}

void report_columns_csv(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    struct arena a = {0};
    bool absent;
    if (r->count++ == 0)
        report_columns_csv_head(out, r);
    for (size_t i = 0; i < r->column_count; i++) {
        text_add(out, i ? SLICE(",") : SLICE(""));
        text_add_csv(out, value_of(&a, r, &r->columns[i], c, &absent));
    }
    text_add(out, SLICE("\r\n"));
    arena_free(&a);
}

static void write_list(struct json_writer *w, const struct report_calls *r,
                       enum report_column_id id, const struct call_summary *c)
{
    json_begin_array(w);
    for (size_t i = 0; id == REPORT_COLUMN_CALL_IDS && i < c->call_id_count; i++)
        json_add_string(w, c->call_ids[i]);
    for (size_t i = 0; id == REPORT_COLUMN_POINTS && i < c->point_count; i++)
        json_add_cstring(w, r->points[c->points[i]].name);
    json_end_array(w);
}

static void write_value(struct json_writer *w, struct arena *a, const struct report_calls *r,
                        const struct report_column *column, const struct call_summary *c)
{
    bool absent;
    uint64_t ms;
    struct slice value = value_of(a, r, column, c, &absent);
    if (column->id == REPORT_COLUMN_CALL_IDS || column->id == REPORT_COLUMN_POINTS)
        write_list(w, r, column->id, c);
    else if (absent)
        json_add_null(w);
    else if (is_span(column->id) && span_of(column->id, c, &ms))
        json_add_uint(w, ms);
    else if (column->id == REPORT_COLUMN_STATUS)
        json_add_uint(w, c->status);
    else if (column->id == REPORT_COLUMN_NUMBER)
        json_add_uint(w, c->number);
    else if (column->id == REPORT_COLUMN_MESSAGES)
        json_add_uint(w, c->messages);
    else
        json_add_string(w, value);
}

void report_columns_ndjson(struct text *out, struct report_calls *r, const struct call_summary *c)
{
    struct arena a = {0};
    struct json_writer w = {.out = out};
    r->count++;
    json_begin_object(&w);
    for (size_t i = 0; i < r->column_count; i++) {
        struct slice title = r->columns[i].title;
        json_add_key(
            &w,
            arena_printf(&a, "%.*s%s", SLICE_ARG(title), is_span(r->columns[i].id) ? "_ms" : "").p);
        write_value(&w, &a, r, &r->columns[i], c);
    }
    json_end_object(&w);
    text_add_char(out, '\n');
    arena_free(&a);
}

/* Calls counted by what a column says of them. */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>

struct group {
    struct slice value;
    char *text;  /* owns value */
    bool absent; /* the calls that do not have it */
    bool others; /* those beyond REPORT_GROUPS_MAX */
    uint64_t calls, answered, failed, cancelled, pending;
    uint64_t talk_ms, talked; /* and how many calls that is of */
};

struct report_groups {
    struct hash_key key;
    struct report_calls calls; /* as a column is read */
    const struct report_column *column;
    VEC(struct group) groups;
    struct map index;
    uint64_t not_calls; /* requests outside of calls, which are not counted */
};

struct report_groups *report_groups_new(const struct report_style *style,
                                        const struct report_column *column)
{
    struct report_groups *g = base_alloc(sizeof *g);
    g->key = hash_key_random();
    g->calls.style = *style;
    g->column = column;
    return g;
}

void report_groups_free(struct report_groups *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->groups.n; i++)
        free(g->groups.items[i].text);
    vec_free(&g->groups);
    map_free(&g->index);
    free(g);
}

/* ---- counting ---------------------------------------------------------------------------------
 */

static struct group *find(struct report_groups *g, struct slice value, bool absent, uint64_t hash)
{
    uint32_t id;
    for (uint32_t at = map_first(&g->index, hash);
         (id = map_next(&g->index, hash, &at)) != MAP_NONE;) {
        struct group *known = &g->groups.items[id];
        if (known->absent == absent && !known->others && slice_equal(known->value, value))
            return known;
    }
    return NULL;
}

static struct group *group_of(struct report_groups *g, struct slice value, bool absent)
{
    uint64_t hash = hash_mix(hash_slice(&g->key, value), absent);
    struct group *known = find(g, value, absent, hash);
    if (known)
        return known;
    bool others = g->groups.n >= REPORT_GROUPS_MAX;
    if (others && g->groups.n > REPORT_GROUPS_MAX)
        return &g->groups.items[REPORT_GROUPS_MAX];
    struct group *new = vec_add(&g->groups);
    *new = (struct group){.absent = absent, .others = others};
    if (others)
        return new;
    new->text = base_alloc(value.n + 1);
    if (value.n)
        memcpy(new->text, value.p, value.n);
    new->value = (struct slice){new->text, value.n};
    map_add(&g->index, hash, (uint32_t)(g->groups.n - 1));
    return new;
}

void report_groups_count(struct report_groups *g, const struct trace_point *points,
                         const struct call_summary *c)
{
    struct arena a = {0};
    bool absent;
    uint64_t ms;
    if (c->outcome == CALL_NOT_A_CALL) {
        g->not_calls++;
        return;
    }
    g->calls.points = points;
    struct slice value = report_column_value(&a, &g->calls, g->column, c, &absent);
    struct group *to = group_of(g, value, absent);
    to->calls++;
    to->answered += c->outcome == CALL_ANSWERED || c->outcome == CALL_ENDED;
    to->failed += c->outcome == CALL_FAILED;
    to->cancelled += c->outcome == CALL_CANCELLED;
    to->pending += c->outcome == CALL_PENDING;
    if (report_talk_ms(c, &ms)) {
        to->talk_ms += ms;
        to->talked++;
    }
    arena_free(&a);
}

/* The largest first; what has no value, and what was not told apart, last. */
static int by_size(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->others != y->others)
        return x->others ? 1 : -1;
    if (x->absent != y->absent)
        return x->absent ? 1 : -1;
    if (x->calls != y->calls)
        return x->calls > y->calls ? -1 : 1;
    return slice_compare(x->value, y->value);
}

static void sort(struct report_groups *g)
{
    if (g->groups.n)
        qsort(g->groups.items, g->groups.n, sizeof *g->groups.items, by_size);
}

static uint64_t mean(const struct group *x)
{
    return x->talked ? x->talk_ms / x->talked : 0;
}

/* ---- text -------------------------------------------------------------------------------------
 */

static struct slice label_of(struct arena *a, const struct report_groups *g, const struct group *x)
{
    if (x->others)
        return SLICE("(other values)");
    if (x->absent)
        return ARENA_JOIN(a, SLICE("(no "), g->column->title, SLICE(")"));
    return x->value.n ? x->value : SLICE("\"\"");
}

static void add_span(struct text *out, const struct group *x, uint64_t ms, size_t width)
{
    struct text t = {0};
    text_add(&t, x->talked ? SLICE("") : SLICE("-"));
    if (x->talked)
        report_add_duration(&t, ms);
    report_add_spaces(out, t.n < width ? width - t.n : 1);
    text_add(out, text_slice(&t));
    text_free(&t);
}

static void add_group(struct text *out, const struct report_groups *g, const struct group *x,
                      size_t width)
{
    struct arena a = {0};
    report_add_cell(out, label_of(&a, g, x), width);
    report_add_right(out, x->calls, 8);
    report_add_right(out, x->answered, 9);
    report_add_right(out, x->failed, 8);
    add_span(out, x, x->talk_ms, 11);
    add_span(out, x, mean(x), 10);
    text_add_char(out, '\n');
    arena_free(&a);
}

void report_groups_text(struct text *out, struct report_groups *g)
{
    struct arena a = {0};
    size_t most = report_width(&g->calls.style) - 46;
    size_t width = text_width(g->column->title);
    sort(g);
    for (size_t i = 0; i < g->groups.n; i++) {
        size_t wide = text_width(label_of(&a, g, &g->groups.items[i]));
        width = wide > width ? wide : width;
    }
    most = most > 1000 || most < 12 ? 12 : most;
    width = width > most ? most : width;
    report_add_cell(out, g->column->title, width);
    text_add(out, SLICE("   CALLS ANSWERED  FAILED       TALK      MEAN\n"));
    for (size_t i = 0; i < g->groups.n; i++)
        add_group(out, g, &g->groups.items[i], width);
    if (g->groups.n == 0)
        text_add(out, SLICE("no calls\n"));
    if (g->groups.n > REPORT_GROUPS_MAX)
        text_printf(out, "values beyond %u are counted as one\n", REPORT_GROUPS_MAX);
    if (g->not_calls)
        text_printf(out, "not counted: %llu request%s outside of calls\n",
                    (unsigned long long)g->not_calls, g->not_calls == 1 ? "" : "s");
    arena_free(&a);
}

/* ---- CSV and NDJSON ----------------------------------------------------------------------------
 */

void report_groups_csv(struct text *out, struct report_groups *g)
{
    sort(g);
    text_add_csv(out, g->column->title);
    text_add(out,
             SLICE(",present,calls,answered,failed,cancelled,pending,talk_ms,mean_talk_ms\r\n"));
    for (size_t i = 0; i < g->groups.n; i++) {
        const struct group *x = &g->groups.items[i];
        text_add_csv(out, x->others ? SLICE("(other values)") : x->value);
        text_printf(out, ",%s,%llu,%llu,%llu,%llu,%llu,%llu,", x->absent ? "false" : "true",
                    (unsigned long long)x->calls, (unsigned long long)x->answered,
                    (unsigned long long)x->failed, (unsigned long long)x->cancelled,
                    (unsigned long long)x->pending, (unsigned long long)x->talk_ms);
        if (x->talked)
            text_add_number(out, mean(x), 1);
        text_add(out, SLICE("\r\n"));
    }
}

static void write_number(struct json_writer *w, const char *key, uint64_t n)
{
    json_add_key(w, key);
    json_add_uint(w, n);
}

void report_groups_ndjson(struct text *out, struct report_groups *g)
{
    sort(g);
    for (size_t i = 0; i < g->groups.n; i++) {
        const struct group *x = &g->groups.items[i];
        struct json_writer w = {.out = out};
        json_begin_object(&w);
        json_add_key(&w, "group_by");
        json_add_string(&w, g->column->title);
        json_add_key(&w, "value");
        if (x->absent || x->others)
            json_add_null(&w);
        else
            json_add_string(&w, x->value);
        json_add_key(&w, "others");
        json_add_bool(&w, x->others);
        write_number(&w, "calls", x->calls);
        write_number(&w, "answered", x->answered);
        write_number(&w, "failed", x->failed);
        write_number(&w, "cancelled", x->cancelled);
        write_number(&w, "pending", x->pending);
        write_number(&w, "talk_ms", x->talk_ms);
        json_add_key(&w, "mean_talk_ms");
        if (x->talked)
            json_add_uint(&w, mean(x));
        else
            json_add_null(&w);
        json_end_object(&w);
        text_add_char(out, '\n');
    }
}

/* An expression, from its text to its answers. */
#include "view/filter_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- made and freed -------------------------------------------------------------------------- */

static void look_at_message(void *context, const struct trace_seen *m, struct trace_marks *marks);
static bool choose_call(void *context, const struct call_summary *c,
                        const struct trace_marks *marks);

struct view_filter *view_filter_new(struct slice expression, enum view_filter_scope scope,
                                    struct view_filter_fault *fault)
{
    struct view_filter *f = base_alloc(sizeof *f);
    f->scope = scope;
    *fault = (struct view_filter_fault){"", 0, 0};
    bool fits = expression.n <= VIEW_FILTER_LENGTH_MAX;
    if (!fits)
        snprintf(fault->text, sizeof fault->text, "the expression is longer than %u bytes",
                 VIEW_FILTER_LENGTH_MAX);
    if (fits && (f->root = filter_parse(f, arena_copy(&f->arena, expression), fault)) != NULL &&
        filter_plan(f, fault)) {
        f->hooks = (struct trace_filter){view_filter_asks_messages(f) ? look_at_message : NULL,
                                         choose_call, f};
        return f;
    }
    view_filter_free(f);
    return NULL;
}

void view_filter_free(struct view_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->patterns.n; i++)
        pattern_free(f->patterns.items[i]);
    vec_free(&f->patterns);
    vec_free(&f->data);
    arena_free(&f->scratch);
    arena_free(&f->arena);
    free(f);
}

void view_filter_begin(struct view_filter *f, const struct trace *t)
{
    f->trace = t;
}

/* ---- mistakes -------------------------------------------------------------------------------- */

/* The expression stands in one line: what breaks it is a blank. */
static struct text one_line(struct slice expression)
{
    struct text line = {0};
    for (size_t i = 0; i < expression.n; i++) {
        char c = expression.p[i];
        text_add_char(&line, c == '\n' || c == '\t' || c == '\r' ? ' ' : c);
    }
    return line;
}

static size_t width_of(struct slice expression)
{
    struct text line = one_line(expression);
    size_t width = text_width(text_slice(&line));
    text_free(&line);
    return width;
}

size_t view_filter_fault_column(struct slice expression, const struct view_filter_fault *fault)
{
    return width_of(slice_first(expression, fault->at)) + 1;
}

void view_filter_fault_text(struct text *out, struct slice expression,
                            const struct view_filter_fault *fault)
{
    struct text line = one_line(expression);
    size_t n = width_of(slice_first(slice_from(expression, fault->at), fault->n));
    text_add(out, SLICE("  "));
    text_add_terminal(out, text_slice(&line));
    text_add(out, SLICE("\n  "));
    text_add_fill(out, ' ', view_filter_fault_column(expression, fault) - 1);
    text_add_fill(out, '^', n ? n : 1);
    text_add_char(out, '\n');
    text_free(&line);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* A bit for each way in which the groups can turn out: those in which the answer is yes, and those
 * in which it is no.  Where nothing depends on groups all bits are the same. */
struct answer {
    uint64_t yes, no;
};

static const uint64_t ALL = UINT64_MAX;

static struct answer answer_of(enum view_filter_answer a)
{
    return (struct answer){a == VIEW_FILTER_YES ? ALL : 0, a == VIEW_FILTER_NO ? ALL : 0};
}

/* The ways in which a group turns out true: those in whose number its bit is set. */
static struct answer answer_of_group(size_t index)
{
    static const uint64_t columns[VIEW_FILTER_GROUPS_MAX] = {
        0xaaaaaaaaaaaaaaaau, 0xccccccccccccccccu, 0xf0f0f0f0f0f0f0f0u,
        0xff00ff00ff00ff00u, 0xffff0000ffff0000u, 0xffffffff00000000u};
    return (struct answer){columns[index], ~columns[index]};
}

/* What the messages together say; of all() it was noted where one does not. */
static struct answer answer_of_many(const struct filter_node *n, const struct trace_marks *marks)
{
    bool some = marks->some >> n->index & 1, unsure = marks->unsure >> n->index & 1;
    bool yes_if_some = n->kind == FILTER_NODE_ANY;
    if (some)
        return answer_of(yes_if_some ? VIEW_FILTER_YES : VIEW_FILTER_NO);
    if (unsure)
        return answer_of(VIEW_FILTER_UNSURE);
    return answer_of(yes_if_some ? VIEW_FILTER_NO : VIEW_FILTER_YES);
}

static struct answer ask(struct view_filter *f, struct filter_subject *s,
                         const struct filter_node *n)
{
    struct answer a, all = {ALL, 0}, none = {0, ALL};
    switch (n->kind) {
    case FILTER_NODE_TEST:
        return answer_of(filter_ask(f, s, n->test));
    case FILTER_NODE_NOT:
        a = ask(f, s, n->first);
        return (struct answer){a.no, a.yes};
    case FILTER_NODE_GROUP:
        return answer_of_group(n->index);
    case FILTER_NODE_AND:
        for (const struct filter_node *c = n->first; c && all.no != ALL; c = c->next) {
            a = ask(f, s, c);
            all = (struct answer){all.yes & a.yes, all.no | a.no};
        }
        return all;
    case FILTER_NODE_OR:
        for (const struct filter_node *c = n->first; c && none.yes != ALL; c = c->next) {
            a = ask(f, s, c);
            none = (struct answer){none.yes | a.yes, none.no & a.no};
        }
        return none;
    default:
        return answer_of_many(n, s->marks);
    }
}

static void count(struct view_filter *f, enum view_filter_answer a)
{
    f->stats.asked++;
    f->stats.matched += a == VIEW_FILTER_YES;
    f->stats.unsure += a == VIEW_FILTER_UNSURE;
}

static enum view_filter_answer plain(struct answer a)
{
    return a.yes ? VIEW_FILTER_YES : a.no ? VIEW_FILTER_NO : VIEW_FILTER_UNSURE;
}

enum view_filter_answer view_filter_message(struct view_filter *f, const struct trace_seen *m)
{
    struct filter_subject s = {.message = m};
    enum view_filter_answer a = plain(ask(f, &s, f->root));
    arena_reset(&f->scratch);
    count(f, a);
    return a;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void look_at_many(struct view_filter *f, struct filter_subject *s, size_t i,
                         struct trace_marks *marks)
{
    const struct filter_node *n = f->many[i];
    uint32_t bit = (uint32_t)1 << i;
    if (marks->some & bit)
        return;
    struct answer a = ask(f, s, n->first);
    if (n->kind == FILTER_NODE_ALL ? a.no : a.yes)
        marks->some |= bit;
    else if (!a.yes && !a.no)
        marks->unsure |= bit;
}

static void look_at_message(void *context, const struct trace_seen *m, struct trace_marks *marks)
{
    view_filter_look(context, m, marks);
}

void view_filter_look(struct view_filter *f, const struct trace_seen *m, struct trace_marks *marks)
{
    struct filter_subject s = {.message = m};
    for (size_t i = 0; i < f->many_count; i++)
        look_at_many(f, &s, i, marks);
    if (f->root->of_message && marks->yes != ALL) {
        struct answer a = ask(f, &s, f->root);
        marks->yes |= a.yes;
        marks->maybe |= ~a.no;
    }
    arena_reset(&f->scratch);
}

/* Of the ways in which the groups can turn out, those in which they do. */
static uint64_t ways_of(struct view_filter *f, struct filter_subject *s)
{
    uint64_t ways = ALL;
    for (size_t i = 0; i < f->group_count; i++) {
        struct answer group = answer_of_group(i), a = ask(f, s, f->groups[i]);
        if (a.yes)
            ways &= group.yes;
        else if (a.no)
            ways &= group.no;
    }
    return ways;
}

static enum view_filter_answer answer_call(struct view_filter *f, struct filter_subject *s)
{
    if (!f->root->of_message)
        return plain(ask(f, s, f->root));
    uint64_t ways = ways_of(f, s);
    if ((s->marks->yes & ways) == ways)
        return VIEW_FILTER_YES;
    return (s->marks->maybe | s->marks->yes) & ways ? VIEW_FILTER_UNSURE : VIEW_FILTER_NO;
}

enum view_filter_answer view_filter_call(struct view_filter *f, const struct call_summary *c,
                                         const struct trace_marks *marks,
                                         const struct view_filter_verdict *verdict)
{
    static const struct trace_marks none = {0, 0, 0, 0};
    struct filter_subject s = {.call = c, .marks = marks ? marks : &none, .verdict = verdict};
    enum view_filter_answer a = answer_call(f, &s);
    arena_reset(&f->scratch);
    count(f, a);
    return a;
}

static bool choose_call(void *context, const struct call_summary *c,
                        const struct trace_marks *marks)
{
    return view_filter_call(context, c, marks, NULL) == VIEW_FILTER_YES;
}

/* ---- what it asks ---------------------------------------------------------------------------- */

const struct trace_filter *view_filter_calls(struct view_filter *f)
{
    return f ? &f->hooks : NULL;
}

bool view_filter_asks_messages(const struct view_filter *f)
{
    return f->root->of_message || f->many_count;
}

static bool asks_verdict(const struct filter_node *n)
{
    if (n->kind == FILTER_NODE_TEST)
        return filter_field_of(n->test->field)->scope == FILTER_JUDGED;
    for (const struct filter_node *c = n->first; c; c = c->next)
        if (asks_verdict(c))
            return true;
    return false;
}

bool view_filter_asks_verdict(const struct view_filter *f)
{
    return asks_verdict(f->root);
}

static bool has_point(const struct trace *t, struct slice name)
{
    const struct trace_point *points;
    for (size_t i = 0, n = trace_points(t, &points); i < n; i++)
        if (slice_is(name, points[i].name))
            return true;
    return false;
}

static struct slice stranger_of(const struct filter_node *n, const struct trace *t)
{
    struct slice found = SLICE_NONE;
    const struct filter_test *test = n->test;
    bool names = test && test->op == FILTER_EQUALS && test->measure == FILTER_ITSELF &&
                 (test->field == FILTER_FIELD_POINT || test->field == FILTER_FIELD_CALL_POINTS);
    for (size_t i = 0; names && i < test->value_count; i++)
        if (!has_point(t, test->values[i].text))
            return test->values[i].text;
    for (const struct filter_node *c = n->first; c && !found.n; c = c->next)
        found = stranger_of(c, t);
    return found;
}

struct slice view_filter_stranger(const struct view_filter *f, const struct trace *t)
{
    return stranger_of(f->root, t);
}

const struct view_filter_stats *view_filter_stats(const struct view_filter *f)
{
    return &f->stats;
}

void view_filter_quote(struct text *out, struct slice text)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            text_add_char(out, '\\');
        text_add_char(out, text.p[i]);
    }
    text_add_char(out, '"');
}

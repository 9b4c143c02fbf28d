/* What a probe found, in words. */
#include "report/probe_internal.h"

#define LISTED_MAX 8u /* cases or headers in a sentence; more are counted */

const char *report_fate_name(enum report_fate fate)
{
    static const char *const names[] = {
        [REPORT_ARRIVED] = "arrived",    [REPORT_STRIPPED] = "stripped",
        [REPORT_ALTERED] = "altered",    [REPORT_REJECTED] = "rejected",
        [REPORT_LOST] = "not-forwarded", [REPORT_UNTRIED] = "unknown",
    };
    return names[fate];
}

static struct slice list_text(struct arena *a, const struct slice *items, size_t n)
{
    return arena_join_list(a, items, n, SLICE(", "));
}

struct slice report_guilty_text(struct arena *a, const struct check_guilty *g)
{
    struct slice over = list_text(a, g->candidates, g->candidate_count);
    if (!g->any)
        return SLICE_NONE;
    if (g->node.n && g->in.n && g->out.n && !slice_equal(g->in, g->out))
        return ARENA_JOIN(a, SLICE("by "), g->node, SLICE(" ("), g->in, SLICE(" in, "), g->out,
                          SLICE(" out)"));
    if (g->node.n)
        return ARENA_JOIN(a, SLICE("by "), g->node);
    struct slice where = g->after.n && g->before.n ? ARENA_JOIN(a, SLICE("on the way from "),
                                                                g->after, SLICE(" to "), g->before)
                         : g->before.n             ? ARENA_JOIN(a, SLICE("before "), g->before)
                                                   : SLICE("on the way");
    return over.n ? ARENA_JOIN(a, where, SLICE(", over "), over) : where;
}

struct slice report_probe_message(struct arena *a, const struct report_probe_row *row)
{
    return ARENA_JOIN(a, row->message, SLICE(" from "), row->from, SLICE(" to "), row->to);
}

static struct slice harm(struct arena *a, const struct report_probe_row *row, const char *word)
{
    struct slice by = report_guilty_text(a, &row->guilty);
    return by.n ? ARENA_JOIN(a, slice_of(word), SLICE(" "), by) : slice_of(word);
}

static struct slice rejected(struct arena *a, const struct report_probe_row *row)
{
    struct slice last = row->seen_last;
    return arena_printf(a, "answered %u%s%s%.*s%s%.*s", row->status,
                        row->unwatched ? "" : " and not forwarded", last.n ? ", last seen at " : "",
                        SLICE_ARG(last), row->how.n ? "; " : "", SLICE_ARG(row->how));
}

struct slice report_probe_words(struct arena *a, const struct report_probe_row *row)
{
    struct slice last = row->seen_last;
    switch (row->fate) {
    case REPORT_STRIPPED:
    case REPORT_ALTERED:
        return harm(a, row, check_header_verdict_name(row->verdict));
    case REPORT_REJECTED:
        return rejected(a, row);
    case REPORT_LOST:
        return ARENA_JOIN(a, row->unwatched ? SLICE("unanswered: ") : SLICE("not forwarded: "),
                          row->how, last.n ? SLICE("; last seen at ") : SLICE_NONE, last);
    case REPORT_UNTRIED:
        return ARENA_JOIN(a, SLICE("unknown: "), row->how);
    default:
        return row->how.n ? ARENA_JOIN(a, SLICE("arrived, "), row->how) : SLICE("arrived");
    }
}

struct slice report_probe_summary(struct arena *a, const struct report_probe *p)
{
    uint64_t counts[REPORT_UNTRIED + 1] = {0};
    struct text t = {0};
    for (size_t i = 0; i < p->row_count; i++)
        counts[p->rows[i].fate]++;
    text_printf(&t, "%llu call%s, %zu header%s judged", (unsigned long long)p->calls,
                p->calls == 1 ? "" : "s", p->row_count, p->row_count == 1 ? "" : "s");
    const char *mark = ":";
    for (unsigned i = 0; i <= REPORT_UNTRIED; i++)
        if (counts[i]) {
            text_printf(&t, "%s %llu %s", mark, (unsigned long long)counts[i],
                        report_fate_name((enum report_fate)i));
            mark = ",";
        }
    return text_keep(&t, a);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* What is listed of a row in its sentence: the header, or the case with what is particular to it.
 */
static struct slice item_of(struct arena *a, const struct report_probe *p,
                            const struct report_probe_row *row)
{
    struct slice name = p->by_header ? row->header : row->group;
    if (row->how.n == 0 || (row->fate != REPORT_ALTERED && row->fate != REPORT_ARRIVED))
        return name;
    return ARENA_JOIN(a, name, SLICE(" ("), row->how, SLICE(")"));
}

static bool is_listed(const struct slice *list, size_t n, struct slice item)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(list[i], item))
            return true;
    return false;
}

static bool is_told(const struct report_probe_row *row, bool remarks)
{
    return row->fate != REPORT_ARRIVED || (remarks && row->how.n);
}

/* Rows while they are put into groups. */
struct gathering {
    struct arena *arena;
    const struct report_probe *p;
    struct slice *words; /* of each row */
    bool *done;
    struct slice *lines; /* cases, or headers */
    size_t line_count;
    struct slice *items, *names, *messages; /* of the group at hand */
    size_t n, name_count, message_count;
};

static struct slice line_of(const struct report_probe *p, const struct report_probe_row *row)
{
    return p->by_header ? row->header : row->group;
}

static bool belongs(const struct gathering *g, size_t first, size_t i)
{
    const struct report_probe_row *x = &g->p->rows[first], *y = &g->p->rows[i];
    if (g->done[i] || x->fate != y->fate)
        return false;
    return x->fate == REPORT_ARRIVED || slice_equal(g->words[first], g->words[i]);
}

static void add_once(struct slice *list, size_t *n, struct slice item)
{
    if (!is_listed(list, *n, item))
        list[(*n)++] = item;
}

static void gather(struct gathering *g, size_t from)
{
    g->n = g->name_count = g->message_count = 0;
    for (size_t i = from; i < g->p->row_count; i++) {
        const struct report_probe_row *row = &g->p->rows[i];
        if (!belongs(g, from, i))
            continue;
        g->done[i] = true;
        if (g->n <= LISTED_MAX)
            add_once(g->items, &g->n, item_of(g->arena, g->p, row));
        add_once(g->names, &g->name_count, line_of(g->p, row));
        add_once(g->messages, &g->message_count, report_probe_message(g->arena, row));
    }
}

/* "BYE from caller to callee"; of several in one direction the last says which. */
static struct slice messages_text(const struct gathering *g, bool untried)
{
    struct text t = {0};
    if (untried && g->message_count > 2)
        return arena_printf(g->arena, "%zu messages", g->message_count);
    for (size_t i = 0; i < g->message_count; i++) {
        struct slice m = g->messages[i];
        size_t at = 0;
        while (!slice_starts(slice_from(m, at), SLICE(" from ")))
            at++;
        bool same = i + 1 < g->message_count && g->messages[i + 1].n > m.n - at &&
                    slice_equal(slice_from(m, at),
                                slice_from(g->messages[i + 1], g->messages[i + 1].n - (m.n - at)));
        text_add(&t, i ? SLICE(", ") : SLICE_NONE);
        text_add(&t, same ? slice_first(m, at) : m);
    }
    return text_keep(&t, g->arena);
}

/* A few are named, of many the number is. */
static struct slice items_text(const struct gathering *g)
{
    if (g->n <= LISTED_MAX)
        return list_text(g->arena, g->items, g->n);
    const char *what = g->p->by_header ? "headers" : "cases";
    if (g->name_count == g->line_count)
        return arena_printf(g->arena, "all %zu %s", g->line_count, what);
    return arena_printf(g->arena, "%zu of %zu %s", g->name_count, g->line_count, what);
}

static struct slice sentence(const struct gathering *g, size_t first)
{
    bool arrived = g->p->rows[first].fate == REPORT_ARRIVED;
    bool untried = g->p->rows[first].fate == REPORT_UNTRIED;
    return ARENA_JOIN(g->arena, messages_text(g, untried), SLICE(": "), items_text(g), SLICE(": "),
                      arrived ? SLICE("arrived, written otherwise") : g->words[first]);
}

void report_probe_groups(struct report_probe_groups *out, struct arena *a,
                         const struct report_probe *p, bool remarks)
{
    struct gathering g = {.arena = a, .p = p};
    g.line_count = report_probe_lines(a, p, &g.lines);
    g.words = ARENA_ARRAY(a, struct slice, p->row_count);
    g.done = ARENA_ARRAY(a, bool, p->row_count);
    g.names = ARENA_ARRAY(a, struct slice, p->row_count);
    g.messages = ARENA_ARRAY(a, struct slice, p->column_count);
    g.items = ARENA_ARRAY(a, struct slice, LISTED_MAX + 1);
    for (size_t i = 0; i < p->row_count; i++)
        if (is_told(&p->rows[i], remarks))
            g.words[i] = report_probe_words(a, &p->rows[i]);
        else
            g.done[i] = true;
    for (size_t i = 0; i < p->row_count; i++) {
        if (g.done[i])
            continue;
        gather(&g, i);
        *vec_add(out) = (struct report_probe_group){&p->rows[i], sentence(&g, i)};
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

size_t report_probe_lines(struct arena *a, const struct report_probe *p, struct slice **out)
{
    struct slice *lines = ARENA_ARRAY(a, struct slice, p->row_count);
    size_t n = 0;
    for (size_t i = 0; i < p->row_count; i++)
        if (!is_listed(lines, n, line_of(p, &p->rows[i])))
            lines[n++] = line_of(p, &p->rows[i]);
    *out = lines;
    return n;
}

/* At most four columns. */
static struct slice word_of(struct arena *a, const struct report_probe_row *row)
{
    static const char *const altered[] = {
        [CHECK_OK] = "ok",        [CHECK_STRIPPED] = "gone",  [CHECK_MISSING] = "gone",
        [CHECK_ALTERED] = "diff", [CHECK_TRUNCATED] = "cut",  [CHECK_ENCODED] = "enc",
        [CHECK_EMPTIED] = "void", [CHECK_DUPLICATED] = "dup", [CHECK_NEVER_SENT] = "none",
        [CHECK_UNKNOWN] = "?",
    };
    switch (row->fate) {
    case REPORT_ARRIVED:
        return SLICE("ok");
    case REPORT_REJECTED:
        return arena_printf(a, "%u", row->status);
    case REPORT_LOST:
        return SLICE("lost");
    case REPORT_UNTRIED:
        return SLICE("?");
    default:
        return slice_of(altered[row->verdict]);
    }
}

/* What is worse counts; what is not known comes before what is well. */
static unsigned badness(enum report_fate fate)
{
    static const unsigned order[] = {
        [REPORT_ARRIVED] = 0,  [REPORT_UNTRIED] = 1,  [REPORT_ALTERED] = 2,
        [REPORT_STRIPPED] = 3, [REPORT_REJECTED] = 4, [REPORT_LOST] = 5,
    };
    return order[fate];
}

static bool is_in_cell(const struct report_probe *p, size_t row, struct slice line, size_t column)
{
    return p->rows[row].column == column && slice_equal(line_of(p, &p->rows[row]), line);
}

static const struct report_probe_row *worst_of(const struct report_probe *p, struct slice line,
                                               size_t column)
{
    const struct report_probe_row *bad = NULL;
    for (size_t i = 0; i < p->row_count; i++)
        if (is_in_cell(p, i, line, column) &&
            (!bad || badness(p->rows[i].fate) > badness(bad->fate)))
            bad = &p->rows[i];
    return bad;
}

struct slice report_probe_cell(struct arena *a, const struct report_probe *p, struct slice line,
                               size_t column, enum report_fate *worst)
{
    const struct report_probe_row *bad = worst_of(p, line, column);
    size_t n = 0, same = 0, arrived = 0;
    *worst = REPORT_ARRIVED;
    if (!bad)
        return SLICE_NONE;
    *worst = bad->fate;
    for (size_t i = 0; i < p->row_count; i++)
        if (is_in_cell(p, i, line, column)) {
            n++;
            arrived += p->rows[i].fate == REPORT_ARRIVED;
            same += p->rows[i].fate == bad->fate;
        }
    /* some headers of the message only: how many arrived */
    if (same < n && !p->by_header)
        return arena_printf(a, "%zu/%zu", arrived, n);
    return word_of(a, bad);
}

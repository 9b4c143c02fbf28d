/* A call as `sipxray flow` prints it: its head, the ladder, and what changed on the way. */
#include "report/internal.h"

/* ---- text in the characters that the terminal has ----------------------------------------------
 */

/* What was made for a terminal, in ASCII. */
static void add_ascii(struct text *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x80)
            text_add_char(out, text.p[i]);
        else
            text_printf(out, "\\x%02x", (unsigned char)text.p[i]);
}

void report_add_safe(struct text *out, const struct report_style *style, struct slice text)
{
    if (!style->ascii) {
        text_add_terminal(out, text);
        return;
    }
    struct text t = {0};
    text_add_terminal(&t, text);
    add_ascii(out, text_slice(&t));
    text_free(&t);
}

void report_add_fitted(struct text *out, const struct report_style *style, struct slice text,
                       size_t columns)
{
    struct text t = {0};
    report_add_safe(&t, style, text);
    text_add_fitted(out, text_slice(&t), columns);
    text_free(&t);
}

static struct slice safe(struct arena *a, const struct report_style *style, struct slice text)
{
    struct text t = {0};
    report_add_safe(&t, style, text);
    return text_keep(&t, a);
}

/* ---- the head -----------------------------------------------------------------------------------
 */

static void add_call_ids(struct text *out, const struct report_style *style, struct arena *a,
                         const struct view_ladder *l)
{
    size_t n = l->call->leg_count;
    for (uint32_t i = 0; n > 1 && i < n; i++) {
        text_add(out, SLICE("  "));
        text_add(out, report_leg_name(a, i));
        text_add(out, SLICE("  "));
        report_add_safe(out, style, l->call_ids[i]);
        text_add_char(out, '\n');
    }
    if (n > 1 && l->call->joined.n)
        report_add_line(out, style, 2,
                        ARENA_JOIN(a, SLICE("joined: "), safe(a, style, l->call->joined)));
}

static void add_head(struct text *out, const struct report_style *style, struct arena *a,
                     const struct view_ladder *l)
{
    text_add(out, SLICE("Call "));
    report_add_safe(out, style, l->call_ids[0]);
    if (l->caller.n || l->callee.n) {
        text_add(out, SLICE("   "));
        report_add_safe(out, style, l->caller.n ? l->caller : SLICE("?"));
        text_add(out, SLICE(" -> "));
        report_add_safe(out, style, l->callee.n ? l->callee : SLICE("?"));
    }
    text_add_char(out, '\n');
    add_call_ids(out, style, a, l);
    text_printf(out, "  %s (%s)\n\n", report_time_day(style->local_time, l->start_ns).s,
                report_zone_name(style->local_time));
}

/* ---- what changed -------------------------------------------------------------------------------
 */

static bool is_told(const struct view_change *c, bool all)
{
    return all || c->class == VIEW_CUSTOM || c->class == VIEW_OTHER;
}

struct slice report_change_words(struct arena *a, const struct view_row *row, bool on_wire,
                                 bool all)
{
    static const char *const signs[] = {
        [VIEW_NEVER_SENT] = "!", [VIEW_GONE] = "-", [VIEW_ADDED] = "+", [VIEW_ALTERED] = "~"};
    struct text t = {0};
    text_add(&t, SLICE(""));
    for (size_t i = 0; i < row->change_count; i++) {
        const struct view_change *c = &row->changes[i];
        if (c->on_wire != on_wire || !is_told(c, all))
            continue;
        text_add(&t, t.n ? SLICE(" ") : SLICE(""));
        text_add(&t, slice_of(signs[c->kind]));
        text_add(&t, c->name);
    }
    return text_keep(&t, a);
}

static bool add_changes_of(struct text *out, const struct report_style *style, struct arena *a,
                           const struct view_ladder *l, const struct view_row *row, bool first)
{
    bool any = false;
    for (int on_wire = 0; on_wire < 2; on_wire++) {
        struct slice words = report_change_words(a, row, on_wire, style->verbose);
        if (words.n == 0)
            continue;
        if (first && !any) {
            text_add_char(out, '\n');
            report_add_line(out, style, 0,
                            l->options->judged
                                ? SLICE("Headers that change on the way (- gone, + added, ~ "
                                        "altered, ! never sent)")
                                : SLICE("Headers that change on the way (- gone, + added, ~ "
                                        "altered)"));
        }
        any = true;
        struct slice place = view_row_place(a, l, row, on_wire);
        text_add(out, SLICE("  "));
        report_add_clock(out, style->local_time, row->time_ns, true);
        text_add_char(out, ' ');
        report_add_wrapped(out, 15, 17, report_width(style),
                           ARENA_JOIN(a, safe(a, style, row->label), SLICE(", "),
                                      safe(a, style, place), SLICE(": "), safe(a, style, words)));
        text_add_char(out, '\n');
    }
    return any;
}

/* ---- what else is to be known
 * -------------------------------------------------------------------- */

VEC_TYPE(remarks, struct slice);

static void add_clocks(struct remarks *list, struct arena *a, const struct view_ladder *l)
{
    for (size_t i = 1; i < l->clock_count; i++) {
        int64_t ns = l->clocks[i].ahead_ns, ms = (ns < 0 ? -ns : ns) / 1000000;
        if (ms)
            *vec_add(list) = ARENA_JOIN(
                a, SLICE("The clock of "), l->clocks[i].point, SLICE(" is "),
                arena_printf(a, "%lld.%03lld s ", (long long)(ms / 1000), (long long)(ms % 1000)),
                ns < 0 ? SLICE("behind") : SLICE("ahead of"), SLICE(" that of "),
                l->clocks[0].point, SLICE(", by which all times are shown."));
    }
}

static void add_ends(struct remarks *list, struct arena *a, const struct view_ladder *l)
{
    for (size_t i = 0; i < l->row_count; i++)
        if (l->rows[i].ends_here)
            *vec_add(list) = ARENA_JOIN(a, SLICE("x: "), l->columns[l->rows[i].to].name,
                                        SLICE(" was not seen to answer "), l->rows[i].label,
                                        SLICE(" or to send it on."));
}

size_t report_flow_remarks(struct arena *a, const struct view_ladder *l, const struct slice **out)
{
    struct remarks list = {0};
    add_ends(&list, a, l);
    add_clocks(&list, a, l);
    if (!l->oriented && l->row_count)
        *vec_add(&list) = SLICE("No INVITE was captured: the left side need not be the caller's.");
    if (l->column_count == VIEW_COLUMNS_MAX)
        *vec_add(&list) = arena_printf(a, "Elements beyond %u are drawn as one.", VIEW_COLUMNS_MAX);
    if (l->call->sightings_left_out)
        *vec_add(&list) = arena_printf(a, "Messages left out, for the call has too many: %llu",
                                       (unsigned long long)l->call->sightings_left_out);
    if (l->headers_left_out)
        *vec_add(&list) = arena_printf(
            a, "Messages with more than %u headers are not compared; headers beyond that: %llu",
            VIEW_HEADERS_MAX, (unsigned long long)l->headers_left_out);
    struct slice *copy = ARENA_ARRAY(a, struct slice, list.n);
    for (size_t i = 0; i < list.n; i++)
        copy[i] = list.items[i];
    *out = copy;
    size_t n = list.n;
    vec_free(&list);
    return n;
}

static void add_remarks(struct text *out, const struct report_style *style, struct arena *a,
                        const struct view_ladder *l)
{
    const struct slice *remarks;
    size_t n = report_flow_remarks(a, l, &remarks);
    text_add(out, n ? SLICE("\n") : SLICE(""));
    for (size_t i = 0; i < n; i++)
        report_add_line(out, style, 0, safe(a, style, remarks[i]));
}

/* ---- header by header
 * ---------------------------------------------------------------------------- */

static void add_matrix(struct text *out, const struct report_style *style, struct arena *a,
                       const struct view_matrix *m)
{
    struct text t = {0};
    text_add_char(&t, '\n');
    report_add_line(&t, style, 0, report_request_title(a, &m->request));
    report_add_header_table(&t, style, &m->request);
    if (m->left_out)
        report_add_line(&t, style, 2,
                        arena_printf(a, "Headers beyond %u, not shown: %llu", VIEW_MATRIX_MAX,
                                     (unsigned long long)m->left_out));
    if (style->ascii)
        add_ascii(out, text_slice(&t));
    else
        text_add(out, text_slice(&t));
    text_free(&t);
}

static void add_matrices(struct text *out, const struct report_style *style,
                         const struct view_ladder *l)
{
    for (size_t i = 0; i < l->call->journey_count; i++) {
        struct arena a = {0};
        struct view_matrix m;
        view_matrix_build(&a, l->call, &l->call->journeys[i], l->options,
                          style->verbose ? VIEW_ROWS_ALL : VIEW_ROWS_KEY, &m);
        if (m.request.header_count)
            add_matrix(out, style, &a, &m);
        arena_free(&a);
    }
}

void report_flow_text(struct text *out, const struct report_style *style,
                      const struct view_ladder *l, bool headers)
{
    struct arena a = {0};
    bool any = false;
    add_head(out, style, &a, l);
    if (l->column_count)
        report_add_ladder(out, style, l);
    for (size_t i = 0; i < l->row_count; i++)
        any |= add_changes_of(out, style, &a, l, &l->rows[i], !any);
    add_remarks(out, style, &a, l);
    if (headers)
        add_matrices(out, style, l);
    arena_free(&a);
}

/* probe as text: the table, message by direction by case, then what is wrong in words. */
#include "report/probe_internal.h"

#define GAP 1

/* Columns of a table that stand beside each other. */
struct block {
    const struct report_style *style;
    const struct report_probe *p;
    const struct slice *lines;
    size_t line_count, name; /* width of the first column */
    bool brief;              /* short words in the head */
};

static struct slice head_of(const struct block *b, size_t column)
{
    static const struct {
        const char *message, *brief;
    } heads[] = {
        {"INVITE", "INV"},      {"200 to INVITE", "200"},
        {"re-INVITE", "reINV"}, {"200 to re-INVITE", "re200"},
        {"INFO", "INFO"},       {"REFER", "REFER"},
        {"BYE", "BYE"},
    };
    struct slice message = b->p->columns[column].message;
    for (size_t i = 0; b->brief && i < sizeof heads / sizeof *heads; i++)
        if (slice_is(message, heads[i].message))
            return slice_of(heads[i].brief);
    return message;
}

static size_t width_of(const struct block *b, size_t column)
{
    enum { CELL = 4 }; /* of the longest word in a cell */
    size_t head = head_of(b, column).n;
    return head > CELL ? head : CELL;
}

static size_t total(const struct block *b)
{
    size_t width = b->name;
    for (size_t i = 0; i < b->p->column_count; i++)
        width += GAP + width_of(b, i);
    return width;
}

static enum report_colour colour_of(enum report_fate fate)
{
    return fate == REPORT_ARRIVED   ? REPORT_GREEN
           : fate == REPORT_UNTRIED ? REPORT_YELLOW
                                    : REPORT_RED;
}

static void add_heads(struct text *out, const struct block *b, size_t from, size_t to, bool arrows)
{
    size_t begin = out->n;
    report_add_spaces(out, b->name);
    for (size_t i = from; i < to; i++) {
        report_add_spaces(out, GAP);
        report_add_cell(
            out, arrows ? b->p->columns[i].by_caller ? SLICE("->") : SLICE("<-") : head_of(b, i),
            width_of(b, i));
    }
    report_trim_line(out, begin);
    text_add_char(out, '\n');
}

static void add_line(struct text *out, const struct block *b, struct slice line, size_t from,
                     size_t to)
{
    struct arena a = {0};
    struct text cells = {0};
    size_t blank = 0; /* columns without a word before the next cell */
    text_add_fitted(&cells, line, b->name);
    report_pad(&cells, 0, b->name);
    for (size_t i = from; i < to; i++) {
        enum report_fate fate;
        struct slice cell = report_probe_cell(&a, b->p, line, i, &fate);
        blank += GAP;
        if (cell.n) {
            report_add_spaces(&cells, blank);
            report_add_coloured(&cells, b->style, colour_of(fate), cell);
            blank = 0;
        }
        blank += width_of(b, i) - cell.n;
    }
    text_add(out, text_slice(&cells));
    text_add_char(out, '\n');
    text_free(&cells);
    arena_free(&a);
}

/* As many columns as fit, then the rest below. */
static void add_blocks(struct text *out, const struct block *b)
{
    size_t width = report_width(b->style);
    for (size_t from = 0, to; from < b->p->column_count; from = to) {
        size_t used = b->name;
        for (to = from; to < b->p->column_count; to++) {
            used += GAP + width_of(b, to);
            if (used > width && to > from)
                break;
        }
        text_add(out, from ? SLICE("\n") : SLICE_NONE);
        add_heads(out, b, from, to, false);
        add_heads(out, b, from, to, true);
        for (size_t i = 0; i < b->line_count; i++)
            add_line(out, b, b->lines[i], from, to);
    }
}

static void add_table(struct text *out, const struct report_style *style, struct arena *a,
                      const struct report_probe *p)
{
    enum { NAME_MOST = 32 };
    struct slice *lines;
    struct block b = {.style = style, .p = p};
    b.line_count = report_probe_lines(a, p, &lines);
    b.lines = lines;
    for (size_t i = 0; i < b.line_count; i++)
        b.name = text_width(lines[i]) > b.name ? text_width(lines[i]) : b.name;
    b.name = b.name > NAME_MOST ? NAME_MOST : b.name;
    b.brief = total(&b) > report_width(style);
    if (b.line_count == 0)
        return;
    add_blocks(out, &b);
    text_add_char(out, '\n');
}

static void add_title(struct text *out, const struct report_style *style, struct arena *a,
                      const struct report_probe *p)
{
    struct slice what =
        p->by_header ? ARENA_JOIN(a, SLICE("trunk \""), p->title, SLICE("\"")) : SLICE("suite");
    struct slice by = p->transport.n ? ARENA_JOIN(a, SLICE(" over "), p->transport) : SLICE_NONE;
    struct slice via = p->via.n ? ARENA_JOIN(a, SLICE(" via "), p->via) : SLICE_NONE;
    struct slice ends = SLICE_NONE;
    if (p->column_count)
        ends = p->columns[0].by_caller ? ARENA_JOIN(a, SLICE("; -> "), p->columns[0].from,
                                                    SLICE(" to "), p->columns[0].to)
                                       : ARENA_JOIN(a, SLICE("; -> "), p->columns[0].to,
                                                    SLICE(" to "), p->columns[0].from);
    report_add_line(out, style, 0, ARENA_JOIN(a, SLICE("Probe of the "), what, by, via, ends));
    text_add_char(out, '\n');
}

static void add_groups(struct text *out, const struct report_style *style, struct arena *a,
                       const struct report_probe *p)
{
    struct report_probe_groups groups = {0};
    report_probe_groups(&groups, a, p, style->verbose);
    for (size_t i = 0; i < groups.n && !p->path_failed; i++) {
        enum report_fate fate = groups.items[i].first->fate;
        const char *label = fate == REPORT_ARRIVED   ? "note"
                            : fate == REPORT_UNTRIED ? "OPEN"
                                                     : "FAIL";
        report_add_labelled(out, style, fate == REPORT_ARRIVED ? REPORT_PLAIN : colour_of(fate),
                            label, groups.items[i].words);
    }
    vec_free(&groups);
}

/* Steps that carry nothing under test and failed: else nobody would hear of them.  The same of
 * several calls is told once. */
static void add_steps(struct text *out, const struct report_style *style, struct arena *a,
                      const struct report_probe *p)
{
    for (size_t i = 0; i < p->step_count; i++) {
        const struct report_probe_step *s = &p->steps[i];
        size_t more = 0;
        bool told = s->judged && !p->path_failed;
        for (size_t k = 0; k < p->step_count; k++) {
            bool same = slice_equal(p->steps[k].message, s->message) &&
                        slice_equal(p->steps[k].words, s->words);
            told |= same && k < i;
            more += same && k > i;
        }
        if (told)
            continue;
        struct slice calls = more ? arena_printf(a, " and %zu more", more) : SLICE_NONE;
        report_add_labelled(out, style, REPORT_YELLOW, "note",
                            ARENA_JOIN(a, SLICE("call "), s->call, calls, SLICE(": "), s->message,
                                       SLICE(" by "), s->from, SLICE(": "), s->words));
    }
}

void report_probe_text(struct text *out, const struct report_style *style,
                       const struct report_probe *p)
{
    static const char *const labels[] = {
        [CHECK_PASS] = "PASS", [CHECK_FAIL] = "FAIL", [CHECK_INCONCLUSIVE] = "OPEN"};
    static const enum report_colour colours[] = {[CHECK_PASS] = REPORT_GREEN,
                                                 [CHECK_FAIL] = REPORT_RED,
                                                 [CHECK_INCONCLUSIVE] = REPORT_YELLOW};
    struct arena a = {0};
    add_title(out, style, &a, p);
    add_table(out, style, &a, p);
    add_groups(out, style, &a, p);
    add_steps(out, style, &a, p);
    for (size_t i = 0; i < p->note_count; i++)
        report_add_labelled(out, style, REPORT_PLAIN, "note", p->notes[i]);
    report_add_labelled(out, style, colours[p->verdict], labels[p->verdict],
                        report_probe_summary(&a, p));
    arena_free(&a);
}

/* The ladder of a call as a picture: SVG that stands alone or in a page, light or dark as that is,
 * with a name and a place for each message. */
#include "report/internal.h"

#define GUTTER     110u /* for the time of each row */
#define MARGIN     70u  /* right of the last column */
#define GAP_LEAST  170u
#define HEAD       44u
#define ROW        34u
#define FOOT       16u
#define CHARACTER  7u /* of the text on an arrow, at 12 pixels in a monospaced face */
#define NAME_WIDTH 22u

/* The colours are variables, which a page may set; else they follow the reader's scheme. */
static const char style_sheet[] =
    ".ladder{--lad-fg:#1f2328;--lad-bg:#ffffff;--lad-dim:#6e7781;--lad-req:#0550ae;"
    "--lad-ok:#116329;--lad-bad:#cf222e;--lad-warn:#9a6700;"
    "font:12px ui-monospace,Menlo,Consolas,monospace}"
    "@media(prefers-color-scheme:dark){.ladder{--lad-fg:#e6edf3;--lad-bg:#0d1117;"
    "--lad-dim:#8d96a0;--lad-req:#79c0ff;--lad-ok:#7ee787;--lad-bad:#ff7b72;--lad-warn:#e3b341}}"
    ".ladder text{fill:var(--lad-fg)}.ladder .bg{fill:var(--lad-bg)}"
    ".ladder .life{stroke:var(--lad-dim);stroke-width:1}"
    ".ladder .unseen{stroke-dasharray:3 5}"
    ".ladder .time{fill:var(--lad-dim)}.ladder .name{font-weight:bold}"
    ".ladder .wire{fill:none;stroke:var(--c);stroke-width:1.5}"
    ".ladder .head{fill:var(--c)}.ladder .label{fill:var(--c);paint-order:stroke;"
    "stroke:var(--lad-bg);stroke-width:4px}"
    ".ladder .gap{fill:none;stroke:var(--lad-dim);stroke-dasharray:4 4}"
    ".ladder .mark{fill:var(--lad-bad);font-weight:bold}"
    ".ladder g{--c:var(--lad-fg)}.ladder .req{--c:var(--lad-req)}"
    ".ladder .ok{--c:var(--lad-ok)}.ladder .bad{--c:var(--lad-bad)}"
    ".ladder a:hover .wire,.ladder a:focus .wire{stroke-width:3}";

struct picture {
    struct text *out;
    struct arena *arena;
    const struct view_ladder *ladder;
    const struct report_svg *options;
    size_t gap, width, height;
};

static size_t column_x(const struct picture *p, uint32_t column)
{
    return GUTTER + NAME_WIDTH + column * p->gap;
}

/* An element may hold text only as XML can: what a terminal would not get stands as it would there.
 */
static void add_escaped(struct text *out, struct slice s)
{
    text_add_xml(out, s);
}

static struct slice fitted(struct arena *a, struct slice s, size_t characters)
{
    struct text t = {0};
    text_add_fitted(&t, s, characters);
    return text_keep(&t, a);
}

/* ---- head -------------------------------------------------------------------------------------
 */

static void add_title(const struct picture *p)
{
    const struct view_ladder *l = p->ladder;
    const char *prefix = p->options->prefix;
    text_printf(p->out, "<title id=\"%stitle\">Call ", prefix);
    for (uint32_t i = 0; i < l->call->leg_count; i++) {
        text_add(p->out, i ? SLICE(", ") : SLICE(""));
        if (l->call->leg_count > 1)
            text_printf(p->out, "%s ", report_leg_name(p->arena, i).p);
        add_escaped(p->out, l->call_ids[i]);
    }
    if (l->caller.n || l->callee.n) {
        text_add(p->out, SLICE(": "));
        add_escaped(p->out, l->caller);
        text_add(p->out, SLICE(" to "));
        add_escaped(p->out, l->callee);
    }
    text_printf(p->out, ", %zu messages between %zu elements</title>\n", l->row_count,
                l->column_count);
}

static void add_columns(const struct picture *p)
{
    for (uint32_t i = 0; i < p->ladder->column_count; i++) {
        const struct view_column *c = &p->ladder->columns[i];
        size_t x = column_x(p, i);
        text_printf(p->out, "<text class=\"name\" x=\"%zu\" y=\"22\" text-anchor=\"middle\">", x);
        add_escaped(p->out, fitted(p->arena, c->name, p->gap / CHARACTER - 1));
        text_printf(p->out,
                    "<title>%s</title></text>\n<line class=\"life%s\" x1=\"%zu\" y1=\"32\" "
                    "x2=\"%zu\" y2=\"%zu\"/>\n",
                    c->captured ? "captured" : "not captured", c->captured ? "" : " unseen", x, x,
                    p->height - FOOT / 2);
    }
}

/* ---- rows -------------------------------------------------------------------------------------
 */

static const char *class_of(const struct view_row *row)
{
    uint16_t status = row->journey->status;
    return !status ? "req" : status < 200 ? "" : status < 300 ? "ok" : status < 400 ? "" : "bad";
}

static void add_changes(const struct picture *p, const struct view_row *row)
{
    static const char *const words[] = {[VIEW_NEVER_SENT] = "never sent",
                                        [VIEW_GONE] = "gone",
                                        [VIEW_ADDED] = "added",
                                        [VIEW_ALTERED] = "altered"};
    for (size_t i = 0; i < row->change_count; i++) {
        const struct view_change *c = &row->changes[i];
        if (c->class == VIEW_ROUTING || c->class == VIEW_DIALOG)
            continue;
        text_add(p->out, SLICE("\n"));
        add_escaped(p->out, c->name);
        text_printf(p->out, " %s: ", words[c->kind]);
        add_escaped(p->out, view_row_place(p->arena, p->ladder, row, c->on_wire));
    }
}

/* What is read out, and shown where the pointer rests. */
static void add_row_title(const struct picture *p, const struct view_row *row)
{
    const struct view_ladder *l = p->ladder;
    text_add(p->out, SLICE("<title>"));
    add_escaped(p->out, row->label);
    text_add(p->out, SLICE(" from "));
    add_escaped(p->out, l->columns[row->from].name);
    text_add(p->out, SLICE(" to "));
    add_escaped(p->out, l->columns[row->to].name);
    text_printf(p->out, " at %s", report_time_iso(p->options->local_time, row->time_ns).s);
    for (size_t i = 0; i < row->step_count; i++) {
        const struct hop_sighting *s = row->journey->steps[row->step + i].sighting;
        text_add(p->out, i ? SLICE(", ") : SLICE("\nseen at "));
        add_escaped(p->out, hop_sighting_at(p->arena, l->call->nodes, s));
        text_printf(p->out, " (frame %u)", s->index->frame);
    }
    if (row->transmissions > 1)
        text_printf(p->out, "\nsent %u times", row->transmissions);
    add_changes(p, row);
    text_add(p->out, SLICE("</title>"));
}

static void add_wire(const struct picture *p, const struct view_row *row, size_t y)
{
    size_t x1 = column_x(p, row->from), x2 = column_x(p, row->to);
    if (row->lead != VIEW_NONE)
        text_printf(p->out, "<path class=\"gap\" d=\"M%zu %zuH%zu\"/>", column_x(p, row->lead), y,
                    x1);
    if (row->from == row->to)
        text_printf(p->out,
                    "<path class=\"wire\" d=\"M%zu %zuh40v8h-32\"/>"
                    "<path class=\"head\" d=\"M%zu %zul8 -4v8z\"/>",
                    x1, y - 4, x1, y + 4);
    else
        text_printf(p->out,
                    "<path class=\"wire\" d=\"M%zu %zuH%zu\"/>"
                    "<path class=\"head\" d=\"M%zu %zul%s -4v8z\"/>",
                    x1, y, x2, x2, y, x2 > x1 ? "-8" : "8");
    if (row->ends_here)
        text_printf(p->out, "<text class=\"mark\" x=\"%zu\" y=\"%zu\">\xc3\x97</text>",
                    x2 > x1 ? x2 + 6 : x2 - 14, y + 4);
}

/* Over the arrow, in the middle of it: the label, "x3", the marks. */
static void add_label(const struct picture *p, const struct view_row *row, size_t y)
{
    size_t x1 = column_x(p, row->from), x2 = column_x(p, row->to);
    size_t room = (x1 == x2 ? p->gap : x2 > x1 ? x2 - x1 : x1 - x2) / CHARACTER - 3;
    struct report_caption c = report_caption_of(p->arena, row, room);
    text_printf(p->out, "<text class=\"label\" x=\"%zu\" y=\"%zu\" text-anchor=\"%s\">",
                x1 == x2 ? x1 + 46 : (x1 + x2) / 2, x1 == x2 ? y + 4 : y - 6,
                x1 == x2 ? "start" : "middle");
    add_escaped(p->out, c.label);
    text_add(p->out, c.notes);
    if (c.marks.n) {
        text_add(p->out, SLICE(" <tspan class=\"mark\">"));
        add_escaped(p->out, c.marks);
        text_add(p->out, SLICE("</tspan>"));
    }
    text_add(p->out, SLICE("</text>"));
}

static void add_row(const struct picture *p, size_t i)
{
    const struct view_row *row = &p->ladder->rows[i];
    const char *prefix = p->options->prefix;
    size_t y = HEAD + ROW * i + ROW - 8;
    if (p->options->links)
        text_printf(p->out, "<a href=\"#%sraw%zu\">", prefix, i + 1);
    text_printf(p->out, "<g class=\"%s\" id=\"%sm%zu\">", class_of(row), prefix, i + 1);
    add_row_title(p, row);
    text_printf(p->out, "<text class=\"time\" x=\"4\" y=\"%zu\">", y + 4);
    report_add_clock(p->out, p->options->local_time, row->time_ns, true);
    if (p->ladder->call->leg_count > 1 && row->leg != VIEW_NONE) {
        text_add_char(p->out, ' ');
        text_add(p->out, report_leg_name(p->arena, row->leg));
    }
    text_add(p->out, SLICE("</text>"));
    add_wire(p, row, y);
    add_label(p, row, y);
    text_add(p->out, p->options->links ? SLICE("</g></a>\n") : SLICE("</g>\n"));
}

/* ---- the picture -------------------------------------------------------------------------------
 */

void report_ladder_style(struct text *out)
{
    text_add(out, slice_of(style_sheet));
}

void report_ladder_svg(struct text *out, const struct view_ladder *l, const struct report_svg *o)
{
    struct arena a = {0};
    struct picture p = {out, &a, l, o, GAP_LEAST, 0, 0};
    size_t columns = l->column_count ? l->column_count : 1;
    p.width = GUTTER + NAME_WIDTH + (columns - 1) * p.gap + MARGIN;
    p.height = HEAD + ROW * l->row_count + FOOT;
    text_printf(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" viewBox=\"0 0 %zu "
                "%zu\" width=\"%zu\" height=\"%zu\" role=\"%s\" aria-labelledby=\"%stitle\">\n",
                p.width, p.height, p.width, p.height, o->links ? "group" : "img", o->prefix);
    add_title(&p);
    if (!o->embedded) {
        text_add(out, SLICE("<style>"));
        report_ladder_style(out);
        text_printf(out, "</style>\n<rect class=\"bg\" width=\"%zu\" height=\"%zu\"/>\n", p.width,
                    p.height);
    }
    add_columns(&p);
    for (size_t i = 0; i < l->row_count; i++)
        add_row(&p, i);
    text_add(out, SLICE("</svg>\n"));
    arena_free(&a);
}

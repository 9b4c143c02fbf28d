/* What check found in the open call, and the causes that it can name. */
#include "tui/internal.h"

#define BELOW_MOST 6u /* rows for the sentence of the one under the cursor */

struct findings {
    struct tui_screen screen;
    struct tui_scroll scroll;
};

/* A finding, or a cause. */
struct item {
    const char *id;
    unsigned look;
    const char *label;
    struct slice about, header, message, remedy;
    const struct check_evidence *evidence;
    size_t evidence_count;
};

static struct item of_finding(const struct check_finding *f)
{
    static const struct {
        const char *label;
        unsigned look;
    } severities[] = {[CHECK_ERROR] = {"FAIL", GRID_BAD},
                      [CHECK_WARNING] = {"WARN", GRID_WARN},
                      [CHECK_NOTE] = {"note", GRID_PLAIN}};
    return (struct item){f->id,
                         severities[f->severity].look,
                         severities[f->severity].label,
                         f->method,
                         f->header,
                         f->message,
                         SLICE_NONE,
                         f->evidence,
                         f->evidence_count};
}

static struct item of_cause(const struct check_cause *k)
{
    return (struct item){k->id,
                         GRID_CUSTOM,
                         "why",
                         slice_of(check_confidence_name(k->confidence)),
                         SLICE_NONE,
                         k->message,
                         k->remedy,
                         k->evidence,
                         k->evidence_count};
}

/* Causes first, then findings, the worst first. */
static struct item item_of(const struct check_call *c, size_t i)
{
    if (i < c->cause_count)
        return of_cause(&c->causes[i]);
    i -= c->cause_count;
    for (enum check_severity severity = CHECK_ERROR; severity <= CHECK_NOTE; severity++)
        for (size_t k = 0; k < c->finding_count; k++)
            if (c->findings[k].severity == severity && i-- == 0)
                return of_finding(&c->findings[k]);
    return (struct item){.id = ""};
}

static size_t count(const struct tui_call *c)
{
    return c->checked ? c->check.finding_count + c->check.cause_count : 0;
}

static size_t put_words(struct grid *g, struct tui_area area, size_t row, struct slice words,
                        uint8_t look)
{
    struct text wrapped = {0};
    report_add_wrapped(&wrapped, 0, 0, g->columns, words);
    struct slice rest = text_slice(&wrapped);
    while (rest.n && area.top + row < area.bottom) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        grid_put(g, area.top + row++, 0, g->columns, look, line);
        rest = slice_from(rest, line.n + 1);
    }
    text_free(&wrapped);
    return row;
}

static void draw_item(struct grid *g, size_t y, const struct item *it)
{
    grid_put(g, y, 0, 5, it->look, slice_of(it->label));
    size_t x = grid_fit(g, y, 5, g->columns, GRID_NAME, it->about.n ? it->about : SLICE("call"));
    grid_fit(g, y, x + 1 > 14 ? x + 1 : 14, g->columns, it->look, it->message);
}

static void findings_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                          struct tui_area area)
{
    struct findings *s = (struct findings *)screen;
    const struct tui_call *c = tui_call_whole(t);
    size_t room = area.bottom - area.top, below = room > 12 ? BELOW_MOST : room / 2;
    tui_scroll_fit(&s->scroll, count(c), room - below);
    for (size_t i = 0; i < s->scroll.page && s->scroll.top + i < s->scroll.n; i++) {
        struct item it = item_of(&c->check, s->scroll.top + i);
        draw_item(g, area.top + i, &it);
        if (s->scroll.top + i == s->scroll.at)
            grid_select(g, area.top + i, 0, g->columns);
    }
    if (s->scroll.n == 0) {
        grid_put(g, area.top, 0, g->columns, GRID_DIM,
                 c->checked ? SLICE("nothing was found")
                            : SLICE("check has nothing to judge here"));
        return;
    }
    struct item it = item_of(&c->check, s->scroll.at);
    struct tui_area under = {area.bottom - below, area.bottom};
    grid_fill(g, under.top, 0, g->columns, GRID_HEAD);
    grid_put(g, under.top, 0, g->columns, GRID_HEAD, slice_of(it.id));
    size_t row = put_words(g, under, 1, it.message, GRID_PLAIN);
    if (it.remedy.n)
        put_words(g, under, row, it.remedy, GRID_GOOD);
}

static void findings_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    const struct tui_call *c = tui_call_whole(t);
    (void)screen;
    text_printf(out, "Findings %zu, causes %zu", c->checked ? c->check.finding_count : 0,
                c->checked ? c->check.cause_count : 0);
    if (c->checked)
        text_printf(out, "  verdict %s", check_verdict_name(c->check.verdict));
    if (c->checked && c->check.trunk) {
        text_add(out, SLICE("  trunk "));
        text_add(out, c->check.trunk->name.n ? c->check.trunk->name : c->check.trunk->id);
    }
}

static bool shows(const struct tui_call *c, const struct hop_sighting *s,
                  const struct check_evidence *e)
{
    return s->index->frame == e->frame &&
           slice_is(e->point, hop_point_name(c->hops->nodes, s->index->point));
}

/* What the item is of may go with the part of the call that is shown. */
static void show_message(struct tui *t, uint32_t sighting, struct slice header)
{
    struct text name = {0};
    text_add(&name, header);
    if (tui_call_show(t, sighting))
        tui_message_push(t, sighting, text_slice(&name));
    text_free(&name);
}

static void open_evidence(struct tui *t, const struct item *it)
{
    const struct tui_call *c = tui_call_whole(t);
    for (size_t e = 0; e < it->evidence_count; e++)
        for (size_t i = 0; i < c->hops->journey_count; i++)
            for (size_t k = 0; k < c->hops->journeys[i].step_count; k++) {
                const struct hop_sighting *s = c->hops->journeys[i].steps[k].sighting;
                if (shows(c, s, &it->evidence[e])) {
                    show_message(t, s->id, it->header);
                    return;
                }
            }
    tui_say(t, "no message shows this");
}

static void findings_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct findings *s = (struct findings *)screen;
    const struct tui_call *c = tui_call_whole(t);
    if (tui_scroll_do(&s->scroll, a) || s->scroll.at >= count(c))
        return;
    struct item it = item_of(&c->check, s->scroll.at);
    if (a == DO_OPEN)
        open_evidence(t, &it);
    else if (a == DO_EXPLAIN)
        tui_explain(t, slice_of(it.id));
}

static bool findings_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct findings *s = (struct findings *)screen;
    (void)t;
    return tui_scroll_to(&s->scroll, row);
}

static const struct tui_kind findings_kind = {
    .map = MAP_FINDINGS,
    .scrolls = true,
    .in_call = true,
    .draw = findings_draw,
    .act = findings_act,
    .title = findings_title,
    .click = findings_click,
};

void tui_findings_push(struct tui *t)
{
    tui_push(t, &findings_kind, sizeof(struct findings));
}

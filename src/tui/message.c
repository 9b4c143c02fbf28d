/* One message as it was seen at one place. */
#include "tui/internal.h"

#include <string.h>

struct message {
    struct tui_screen screen;
    uint32_t sighting;
    struct text header; /* whose bytes are marked */
    struct text search;
    struct tui_page page;
    struct tui_scroll scroll;
    bool to_mark; /* the marked bytes are to be brought into sight */
};

static const struct hop_sighting *sighting_of(struct tui *t, const struct message *s)
{
    return tui_call_sighting(tui_call_now(t), s->sighting);
}

static void message_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                         struct tui_area area)
{
    struct message *s = (struct message *)screen;
    const struct hop_sighting *sighting = sighting_of(t, s);
    if (!sighting) {
        grid_put(g, area.top, 0, g->columns, GRID_WARN, SLICE("this message is not kept any more"));
        return;
    }
    s->page.message = sighting->message;
    s->page.header = text_slice(&s->header);
    size_t page = area.bottom - area.top;
    for (int i = 0; i < 2; i++) {
        for (size_t y = area.top; y < area.bottom; y++)
            grid_fill(g, y, 0, g->columns, GRID_PLAIN);
        s->page.top = s->scroll.top;
        s->scroll.n = tui_draw_page(t, g, area, &s->page);
        s->scroll.page = page;
        size_t last = s->scroll.n > page ? s->scroll.n - page : 0, top = s->scroll.top;
        size_t found = s->page.found_row;
        if (s->to_mark && found != SIZE_MAX && (found < top || found >= top + page))
            s->scroll.top = found > page / 2 ? found - page / 2 : 0;
        s->scroll.top = s->scroll.top > last ? last : s->scroll.top;
        s->to_mark = false;
        if (s->scroll.top == top)
            break;
    }
}

static void message_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct message *s = (struct message *)screen;
    const struct hop_sighting *sighting = sighting_of(t, s);
    if (!sighting)
        return;
    text_add(out, tui_sighting_title(tui_call_now(t), sighting));
    text_add(out, SLICE("  "));
    tui_add_endpoint(t, out, &sighting->src);
    text_add(out, SLICE(" -> "));
    tui_add_endpoint(t, out, &sighting->dst);
    text_printf(out, "  frame %u", sighting->index->frame);
}

static size_t count_header(const struct sip_message *m, struct slice name)
{
    uint32_t index = 0;
    size_t n = 0;
    while (sip_header_next(m, index, name, &index)) {
        index++;
        n++;
    }
    return n;
}

/* Whether the header stands here, and which hop of how many this is. */
static void message_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    struct message *s = (struct message *)screen;
    const struct tui_call *c = tui_call_now(t);
    size_t journey, step;
    if (!tui_call_find(c, s->sighting, &journey, &step))
        return;
    const struct sip_message *m = c->hops->journeys[journey].steps[step].sighting->message;
    if (s->header.n && count_header(m, text_slice(&s->header)) == 0) {
        text_add(out, m->headers_complete ? SLICE("no ") : SLICE("cut off: "));
        text_add(out, text_slice(&s->header));
        text_add(out, m->headers_complete ? SLICE(" here  ") : SLICE("  "));
    }
    text_printf(out, "hop %zu of %zu  ", step + 1, c->hops->journeys[journey].step_count);
    text_printf(out, "%zu bytes, line %zu of %zu", m->bytes.n, s->scroll.top + 1, s->scroll.n);
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void go_hop(struct tui *t, struct message *s, int by)
{
    const struct tui_call *c = tui_call_now(t);
    size_t journey, step;
    if (!tui_call_find(c, s->sighting, &journey, &step))
        return;
    const struct hop_journey *j = &c->hops->journeys[journey];
    if ((by < 0 && step == 0) || (by > 0 && step + 1 == j->step_count)) {
        tui_say(t, by < 0 ? "this is the first hop" : "this is the last hop");
        return;
    }
    s->sighting = j->steps[by < 0 ? step - 1 : step + 1].sighting->id;
    s->page.found_from = s->page.found_to = 0;
    s->to_mark = s->header.n > 0;
}

static void pan(struct tui *t, struct message *s, enum tui_action a)
{
    if (s->page.wrap || s->page.hex)
        go_hop(t, s, a == DO_LEFT ? -1 : 1);
    else if (a == DO_RIGHT)
        s->page.pan += 8;
    else
        s->page.pan = s->page.pan > 8 ? s->page.pan - 8 : 0;
}

static bool stands_at(struct slice bytes, size_t at, struct slice word)
{
    return at + word.n <= bytes.n && slice_equal_nocase((struct slice){bytes.p + at, word.n}, word);
}

static void search(struct tui *t, struct message *s, bool backwards)
{
    const struct hop_sighting *sighting = sighting_of(t, s);
    struct slice word = text_slice(&s->search);
    if (!sighting || word.n == 0)
        return;
    struct slice bytes = sighting->message->bytes;
    size_t at = s->page.found_to ? s->page.found_from : backwards ? 0 : bytes.n;
    for (size_t i = 0; i <= bytes.n; i++) {
        at = backwards ? (at ? at - 1 : bytes.n) : at >= bytes.n ? 0 : at + 1;
        if (!stands_at(bytes, at, word))
            continue;
        s->page.found_from = at;
        s->page.found_to = at + word.n;
        s->to_mark = true;
        text_clear(&s->header);
        return;
    }
    tui_say(t, "not found");
}

static void copy(struct tui *t, const struct hop_sighting *s)
{
    text_clear(&t->clipboard);
    tui_add_message(t, &t->clipboard, s->message);
    tui_say(t, "copied out, where the terminal takes it (OSC 52)");
}

static void open_screen(struct tui *t, struct message *s, enum tui_action a)
{
    size_t journey, step;
    if (a == DO_FINDINGS)
        tui_findings_push(t);
    else if (a == DO_DIFF)
        tui_diff_hop(t, s->sighting, text_slice(&s->header));
    else if (a == DO_MATRIX && tui_call_find(tui_call_now(t), s->sighting, &journey, &step))
        tui_matrix_push(t, journey, step);
}

static void message_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct message *s = (struct message *)screen;
    const struct hop_sighting *sighting = sighting_of(t, s);
    if (!sighting || tui_scroll_text(&s->scroll, a))
        return;
    switch (a) {
    case DO_LEFT:
    case DO_RIGHT:
        pan(t, s, a);
        break;
    case DO_WRAP:
        s->page.wrap = !s->page.wrap;
        tui_set_to(t, SET_WRAP, s->page.wrap);
        s->page.pan = 0;
        break;
    case DO_HEX:
        s->page.hex = !s->page.hex;
        s->scroll.top = 0;
        s->to_mark = true;
        break;
    case DO_SEARCH:
        s->page.asked_path = false;
        tui_ask(t, "Search:");
        break;
    case DO_NEXT:
    case DO_PREVIOUS:
        search(t, s, a == DO_PREVIOUS);
        break;
    case DO_COPY:
        copy(t, sighting);
        break;
    case DO_SAVE:
        s->page.asked_path = true;
        tui_ask_path(t, "Save the message to:");
        break;
    default:
        open_screen(t, s, a);
    }
}

static void message_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    struct message *s = (struct message *)screen;
    const struct hop_sighting *sighting = sighting_of(t, s);
    if (s->page.asked_path) {
        if (sighting)
            tui_save_message(t, line, sighting);
        return;
    }
    text_clear(&s->search);
    text_add(&s->search, line);
    s->page.found_from = s->page.found_to = 0;
    search(t, s, false);
}

static void message_free(struct tui_screen *screen)
{
    struct message *s = (struct message *)screen;
    text_free(&s->header);
    text_free(&s->search);
}

static const struct tui_kind message_kind = {
    .map = MAP_MESSAGE,
    .scrolls = true,
    .in_call = true,
    .draw = message_draw,
    .act = message_act,
    .title = message_title,
    .typed = message_typed,
    .status = message_status,
    .free = message_free,
};

void tui_message_push(struct tui *t, uint32_t sighting, struct slice header)
{
    struct message *s = tui_push(t, &message_kind, sizeof *s);
    s->sighting = sighting;
    s->page.wrap = tui_set(t, SET_WRAP);
    s->to_mark = header.n > 0;
    text_add(&s->header, header);
}

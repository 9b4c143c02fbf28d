/* The settings: each with its value, changed at once, kept when that is asked for. */
#include "tui/internal.h"

#include <string.h>

#define NAME_WIDTH 14u

struct settings {
    struct tui_screen screen;
    struct tui_scroll scroll;
};

static enum tui_set id_of(const struct settings *s)
{
    return (enum tui_set)s->scroll.at;
}

static bool is_typed(enum tui_set id)
{
    enum tui_set_kind kind = tui_setting_of(id)->kind;
    return kind == SET_NUMBER || kind == SET_TEXT;
}

static bool is_usual(const struct tui *t, enum tui_set id)
{
    struct text value = {0};
    tui_setting_add(&value, t->settings, id);
    bool usual = slice_is(text_slice(&value), tui_setting_of(id)->usual);
    text_free(&value);
    return usual;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void draw_setting(struct tui *t, struct grid *g, size_t row, enum tui_set id)
{
    struct text value = {0};
    tui_setting_add(&value, t->settings, id);
    if (t->settings->changed[id])
        grid_put(g, row, 0, 1, GRID_WARN, SLICE("*"));
    grid_fit(g, row, 1, NAME_WIDTH, GRID_NAME, slice_of(tui_setting_of(id)->name));
    size_t end = g->columns < 60 ? g->columns : NAME_WIDTH + 22;
    bool none = value.n == 0;
    grid_fit(g, row, NAME_WIDTH + 1, end - 1,
             none              ? GRID_DIM
             : is_usual(t, id) ? GRID_PLAIN
                               : GRID_HEAD,
             none ? SLICE("(usual)") : text_slice(&value));
    if (end < g->columns)
        grid_fit(g, row, end, g->columns, GRID_DIM, slice_of(tui_setting_of(id)->what));
    text_free(&value);
}

/* What the setting is, and which values there are. */
static void draw_about(struct tui *t, struct grid *g, struct tui_area area, enum tui_set id)
{
    const struct tui_setting *of = tui_setting_of(id);
    struct text words = {0};
    (void)t;
    text_printf(&words, "%s: %s", of->name, of->what);
    if (of->values[0])
        text_printf(&words, " (%s)", of->values);
    grid_fill(g, area.top, 0, g->columns, GRID_PLAIN);
    tui_put_words(g, area, 0, 0, text_slice(&words), GRID_PLAIN, SLICE_NONE);
    text_free(&words);
}

static void settings_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                          struct tui_area area)
{
    struct settings *s = (struct settings *)screen;
    size_t about = area.bottom - area.top > 6 ? 3 : 0, bottom = area.bottom - about;
    tui_scroll_fit(&s->scroll, SET_COUNT, bottom - area.top);
    for (size_t y = area.top; y < bottom && s->scroll.top + y - area.top < SET_COUNT; y++) {
        size_t i = s->scroll.top + y - area.top;
        draw_setting(t, g, y, (enum tui_set)i);
        if (i == s->scroll.at)
            grid_select(g, y, 0, g->columns);
    }
    if (about)
        draw_about(t, g, (struct tui_area){bottom + 1, area.bottom}, id_of(s));
}

static size_t count_changed(const struct tui *t)
{
    size_t n = 0;
    for (enum tui_set id = 0; id < SET_COUNT; id++)
        n += t->settings->changed[id];
    return n;
}

static void settings_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)screen;
    text_add(out, SLICE("Settings"));
    if (t->settings->path.n) {
        text_add(out, SLICE("  of "));
        text_add(out, text_slice(&t->settings->path));
    }
}

static void settings_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    size_t n = count_changed(t);
    (void)screen;
    if (n)
        text_printf(out, "%zu changed and not saved", n);
    else
        text_add(out, SLICE("a change holds at once, and s saves it"));
    if (t->settings->remark_count)
        text_printf(out, "; remarks on files: %llu", (unsigned long long)t->settings->remark_count);
}

/* ---- what keys do ---------------------------------------------------------------------------- */

static void step(struct tui *t, enum tui_set id, int by)
{
    uint32_t now = tui_set(t, id), most;
    if (tui_setting_of(id)->kind == SET_TEXT)
        return;
    if (tui_setting_of(id)->kind == SET_NUMBER) {
        tui_set_to(t, id, by > 0 ? now + 1 : now ? now - 1 : 0);
        return;
    }
    tui_set_to(t, id, UINT32_MAX); /* the last one */
    most = tui_set(t, id);
    tui_set_to(t, id, by > 0 ? (now < most ? now + 1 : 0) : (now ? now - 1 : most));
}

static void change(struct tui *t, enum tui_set id)
{
    struct text value = {0};
    if (!is_typed(id)) {
        step(t, id, 1);
        return;
    }
    tui_setting_add(&value, t->settings, id);
    tui_ask_with(t, tui_setting_of(id)->name, text_slice(&value));
    text_free(&value);
}

/* What cannot be taken is told now, and stands in the remarks. */
static void heed_list(struct tui *t, enum tui_set id)
{
    uint64_t remarks = t->settings->remark_count;
    if (id == SET_COLUMNS)
        tui_columns_heed(t);
    else
        tui_sort_heed(t);
    if (t->settings->remark_count > remarks)
        tui_say(t, "not all of it can be taken; e shows why");
}

static void put(struct tui *t, enum tui_set id, struct slice value)
{
    struct err err;
    if (!tui_setting_put(t->settings, id, value, &err)) {
        tui_ask_other(t, err.text);
        return;
    }
    t->settings->changed[id] = true;
    if (id == SET_COLUMNS || id == SET_SORT)
        heed_list(t, id);
}

void tui_settings_keep(struct tui *t)
{
    struct err err;
    size_t n = count_changed(t);
    if (n == 0)
        tui_say(t, "nothing was changed");
    else if (tui_settings_save(t->settings, &err))
        tui_say(t, "saved to %s", t->settings->path.p);
    else
        tui_say(t, "%s", err.text);
}

static void remarks(struct tui *t)
{
    struct text words = {0};
    const struct tui_settings *s = t->settings;
    if (s->remark_count == 0) {
        tui_say(t, "there are no remarks");
        return;
    }
    text_add(&words, text_slice(&s->remarks));
    if (s->remark_count > TUI_REMARKS_MAX)
        text_printf(&words, "and %llu more\n",
                    (unsigned long long)(s->remark_count - TUI_REMARKS_MAX));
    tui_text_push(t, "Remarks on configuration files", &words);
}

static void settings_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct settings *s = (struct settings *)screen;
    enum tui_set id = id_of(s);
    if (tui_scroll_do(&s->scroll, a))
        return;
    if (a == DO_OPEN)
        change(t, id);
    else if (a == DO_RIGHT || a == DO_LEFT)
        step(t, id, a == DO_RIGHT ? 1 : -1);
    else if (a == DO_CLEAR)
        put(t, id, slice_of(tui_setting_of(id)->usual));
    else if (a == DO_SAVE)
        tui_settings_keep(t);
    else if (a == DO_EXPLAIN)
        remarks(t);
}

static void settings_typed(struct tui *t, struct tui_screen *screen, struct slice line)
{
    put(t, id_of((struct settings *)screen), slice_trim(line));
}

static bool settings_click(struct tui *t, struct tui_screen *screen, size_t row)
{
    struct settings *s = (struct settings *)screen;
    (void)t;
    return tui_scroll_to(&s->scroll, row);
}

static const struct tui_kind settings_kind = {
    .map = MAP_SETTINGS,
    .scrolls = true,
    .draw = settings_draw,
    .act = settings_act,
    .title = settings_title,
    .typed = settings_typed,
    .status = settings_status,
    .click = settings_click,
};

/* From the settings themselves there is no way deeper into them. */
void tui_settings_push(struct tui *t)
{
    if (t->screens[t->depth - 1]->kind == &settings_kind)
        return;
    tui_push(t, &settings_kind, sizeof(struct settings));
}

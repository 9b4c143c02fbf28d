/* The program: screens above each other, the line that asks, loading, and what keys reach. */
#include "tui/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_FRAMES 256u /* read before the clock is asked again */

/* ---- made and freed -------------------------------------------------------------------------- */

/* What was wrong in the files that were read, as far as a line holds it: the one remark without the
 * folders of its file. */
static void tell_remarks(struct tui *t)
{
    const struct tui_settings *s = t->settings;
    struct slice first = text_slice(&s->remarks);
    first = slice_first(first, slice_find(first, '\n'));
    for (size_t end = slice_find(first, ' '), i = end; i > 0; i--)
        if (first.p[i - 1] == '/' && end < first.n) {
            first = slice_from(first, i);
            break;
        }
    if (s->remark_count == 1 && s->note_count == 0)
        tui_say(t, "%.*s", SLICE_ARG(first));
    else if (s->remark_count > s->note_count)
        tui_say(t, "remarks on configuration files: %llu; F8 and e show them",
                (unsigned long long)s->remark_count);
}

static void filter_first(struct tui *t)
{
    struct view_filter_fault fault;
    struct slice expression = slice_of(t->options.filter);
    if (expression.n && tui_calls_express(t, expression, &fault))
        tui_form_express(&t->form, expression);
}

struct tui *tui_new(struct trace *trace, const struct tui_options *options)
{
    struct tui *t = base_alloc(sizeof *t);
    t->trace = trace;
    t->options = *options;
    t->settings = options->settings;
    if (!t->settings) {
        tui_settings_init(&t->own);
        t->settings = &t->own;
    }
    t->call.number = UINT32_MAX;
    t->view = (struct view_options){.follow = options->check->follow,
                                    .follow_count = options->check->follow_count};
    t->chosen.trace = trace;
    tui_columns_heed(t);
    tui_news_begin(t);
    tui_calls_push(t);
    filter_first(t);
    tell_remarks(t);
    return t;
}

void tui_free(struct tui *t)
{
    if (!t)
        return;
    while (t->depth)
        tui_pop(t);
    tui_call_close(t);
    tui_news_end(t);
    tui_edit_free(&t->prompt.edit);
    tui_history_free(&t->filters);
    tui_form_free(&t->form);
    text_free(&t->said);
    text_free(&t->clipboard);
    arena_free(&t->chosen.arena);
    if (t->settings == &t->own)
        tui_settings_free(&t->own);
    free(t);
}

/* ---- screens --------------------------------------------------------------------------------- */

static struct tui_screen *top_of(const struct tui *t)
{
    return t->screens[t->depth - 1];
}

static void free_screen(struct tui_screen *s)
{
    if (s->kind->free)
        s->kind->free(s);
    free(s);
}

void *tui_push(struct tui *t, const struct tui_kind *kind, size_t size)
{
    if (t->depth == TUI_DEPTH_MAX) {
        free_screen(t->screens[1]);
        memmove(&t->screens[1], &t->screens[2], (TUI_DEPTH_MAX - 2) * sizeof *t->screens);
        t->depth--;
    }
    struct tui_screen *s = base_alloc(size);
    s->kind = kind;
    t->screens[t->depth++] = s;
    t->drawn = false;
    return s;
}

void tui_pop(struct tui *t)
{
    free_screen(t->screens[--t->depth]);
    t->drawn = false;
}

void tui_say(struct tui *t, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    text_clear(&t->said);
    text_add(&t->said, slice_of(words));
}

static bool is_ascii(const struct tui *t)
{
    return t->options.ascii || tui_set(t, SET_ASCII);
}

struct slice tui_utf8(const struct tui *t, const char *utf8, const char *ascii)
{
    return slice_of(is_ascii(t) ? ascii : utf8);
}

bool tui_is_secret(const struct tui *t, const struct sip_header *h)
{
    return !t->options.show_secrets && (sip_is_secret(h->name) || sip_is_credentials(h->name));
}

/* A call that was dropped leaves no screen of it behind. */
static void leave_dropped(struct tui *t)
{
    if (!top_of(t)->kind->in_call || tui_call_now(t))
        return;
    while (t->depth > 1)
        tui_pop(t);
    tui_call_close(t);
    tui_say(t, "the call is not kept any more");
}

static bool is_loading(const struct tui *t)
{
    return t->step == TRACE_MORE || t->step == TRACE_WAIT;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void add_progress(struct text *out, const struct trace_load *l)
{
    if (l->bytes_total) {
        unsigned percent = (unsigned)(100.0 * (double)l->bytes_read / (double)l->bytes_total);
        text_add_char(out, '[');
        text_add_fill(out, '#', percent / 10);
        text_add_fill(out, '.', 10 - percent / 10);
        text_printf(out, "] %u %%  ", percent);
    } else {
        text_add(out, SLICE("live  "));
    }
}

static void add_count(struct text *out, const char *what, uint64_t n, bool always)
{
    if (n || always)
        text_printf(out, "%s %llu  ", what, (unsigned long long)n);
}

/* What was not read or not kept is said whatever else is. */
static void counters(const struct tui *t, struct text *out)
{
    struct trace_load l;
    trace_load(t->trace, &l);
    if (t->step == TRACE_MORE || t->step == TRACE_WAIT)
        add_progress(out, &l);
    if (t->paused && is_loading(t))
        text_add(out, SLICE("PAUSED  "));
    if (l.stopped)
        text_add(out, SLICE("stopped  "));
    add_count(out, "undecrypted", l.undecrypted, false);
    add_count(out, "lost", l.lost, false);
    add_count(out, "unreadable", l.unreadable, false);
    add_count(out, "evicted", l.evicted, false);
    add_count(out, "packets", l.frames, true);
    add_count(out, "messages", l.messages, true);
}

#define SAID_ROWS 3u

/* What is told stands above the bar, over several rows where one does not hold it. */
static void draw_said(struct grid *g, size_t row, unsigned look, struct slice words)
{
    size_t rows = 0;
    for (struct slice rest = words; rest.n && rows < SAID_ROWS && rows < row; rows++)
        (void)tui_take_row(g, &rest, g->columns);
    for (size_t i = rows; i-- > 0;) {
        struct slice line = i ? tui_take_row(g, &words, g->columns) : words;
        grid_fill(g, row - i, 0, g->columns, GRID_PLAIN);
        grid_fit(g, row - i, 0, g->columns, look, line);
    }
}

static void draw_status(struct tui *t, struct grid *g, size_t row)
{
    struct tui_screen *s = top_of(t);
    struct text words = {0};
    if (t->prompt.on) {
        tui_prompt_draw(t, g, row);
    } else if (t->step == TRACE_FAILED) {
        draw_said(g, row, GRID_BAD, slice_of(t->err.text));
    } else if (t->said.n) {
        draw_said(g, row, GRID_HEAD, text_slice(&t->said));
    } else {
        if (s->kind->status)
            s->kind->status(t, s, &words);
        else
            counters(t, &words);
        grid_fit(g, row, 0, g->columns, GRID_HEAD, text_slice(&words));
    }
    text_free(&words);
}

static void draw_title(struct tui *t, struct grid *g)
{
    struct text title = {0};
    top_of(t)->kind->title(t, top_of(t), &title);
    grid_fill(g, 0, 0, g->columns, GRID_TITLE);
    grid_fit(g, 0, 0, g->columns, GRID_TITLE, text_slice(&title));
    text_free(&title);
}

#define ROWS_LEAST    4u
#define COLUMNS_LEAST 16u

void tui_draw(struct tui *t, struct grid *g)
{
    grid_size(g, g->rows, g->columns);
    g->ascii = is_ascii(t);
    t->rows = g->rows;
    t->columns = g->columns;
    t->drawn = true;
    if (g->rows < ROWS_LEAST || g->columns < COLUMNS_LEAST) {
        grid_put(g, 0, 0, g->columns, GRID_PLAIN, SLICE("too small"));
        return;
    }
    leave_dropped(t);
    struct tui_screen *s = top_of(t);
    s->kind->draw(t, s, g, (struct tui_area){1, g->rows - 2});
    draw_title(t, g); /* it counts what was drawn */
    draw_status(t, g, g->rows - 2);
    tui_draw_bar(&t->settings->keys, g, g->rows - 1, s->kind->map);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void leave(struct tui *t)
{
    if (!tui_set(t, SET_CONFIRM)) {
        t->over = true;
        return;
    }
    tui_ask(t, "Leave sipxray? Enter: yes, Esc: no");
    t->prompt.leaves = true;
}

static void back(struct tui *t)
{
    if (t->depth > 1)
        tui_pop(t);
    else if (t->step == TRACE_MORE)
        trace_browse_stop(t->trace);
    else
        leave(t);
    if (t->depth == 1)
        tui_call_close(t);
}

static void help(struct tui *t)
{
    struct text words = {0};
    tui_help_text(&words, &t->settings->keys, top_of(t)->kind->map);
    tui_text_push(t, "Help", &words);
}

/* What a live source has meanwhile waits with it, as long as there is room; what is lost is
 * counted. */
static void pause_reading(struct tui *t)
{
    if (!t->paused && !is_loading(t)) {
        tui_say(t, "everything was read");
        return;
    }
    t->paused = !t->paused;
    tui_say(t, t->paused ? "paused; what comes now waits, or is lost and counted" : "reading on");
}

static void do_action(struct tui *t, enum tui_action a)
{
    struct tui_screen *s = top_of(t);
    switch (a) {
    case DO_BACK:
        back(t);
        break;
    case DO_QUIT:
        t->over = true;
        break;
    case DO_HELP:
        help(t);
        break;
    case DO_SETTINGS:
        tui_settings_push(t);
        break;
    case DO_PAUSE:
        pause_reading(t);
        break;
    case DO_ALIASES:
        tui_set_to(t, SET_ALIASES, !tui_set(t, SET_ALIASES));
        tui_say(t, tui_set(t, SET_ALIASES) ? "addresses by their names" : "addresses as they are");
        break;
    case DO_SYNTAX:
        tui_set_to(t, SET_SYNTAX, !tui_set(t, SET_SYNTAX));
        tui_say(t, tui_set(t, SET_SYNTAX) ? "the parts of messages have colours"
                                          : "messages without colours");
        break;
    case DO_EXTEND:
        tui_say(t, "all legs of the call are here, whatever their Call-IDs; c tells them apart");
        break;
    case DO_NOTHING:
    case DO_REDRAW:
        break;
    default:
        s->kind->act(t, s, a);
    }
}

/* A key that was typed ahead finds the screen as if it had been seen. */
static void draw_unseen(struct tui *t)
{
    struct grid g = {.rows = t->rows, .columns = t->columns};
    if (t->drawn || t->rows == 0)
        return;
    size_t rows = g.rows, columns = g.columns;
    g.rows = 0;
    grid_size(&g, rows, columns);
    tui_draw(t, &g);
    grid_free(&g);
}

void tui_key(struct tui *t, uint32_t key)
{
    draw_unseen(t);
    text_clear(&t->said);
    leave_dropped(t);
    if (t->prompt.on) {
        tui_prompt_key(t, key);
        return;
    }
    const struct tui_kind *kind = top_of(t)->kind;
    if (kind->key && kind->key(t, top_of(t), key))
        return;
    t->key = key;
    do_action(t, tui_action_on(&t->settings->keys, kind, key));
}

bool tui_is_over(const struct tui *t)
{
    return t->over;
}

const struct tui_settings *tui_settings_now(const struct tui *t)
{
    return t->settings;
}

void tui_set_to(struct tui *t, enum tui_set id, uint32_t value)
{
    tui_setting_set(t->settings, id, value);
}

struct slice tui_clipboard(const struct tui *t)
{
    return text_slice(&t->clipboard);
}

void tui_clipboard_done(struct tui *t)
{
    text_clear(&t->clipboard);
}

void tui_warn(struct tui *t, const char *term, const char *as)
{
    struct text before = t->said;
    t->said = (struct text){0};
    if (term)
        tui_say(t, "TERM=%s is not known here: taken for %s", term, as);
    else
        tui_say(t, "TERM is not set: taken for %s", as);
    text_add(&t->said, before.n ? SLICE("; ") : SLICE(""));
    text_add(&t->said, text_slice(&before));
    text_free(&before);
}

void tui_click(struct tui *t, size_t row, size_t column, bool twice)
{
    t->clicked = column;
    leave_dropped(t);
    struct tui_screen *s = top_of(t);
    if (row < 1 || !s->kind->click || t->prompt.on)
        return;
    if (s->kind->click(t, s, row - 1) && twice)
        s->kind->act(t, s, DO_OPEN);
}

/* ---- loading --------------------------------------------------------------------------------- */

int64_t tui_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void load(struct tui *t)
{
    struct trace_load l;
    t->step = trace_browse_step(t->trace, STEP_FRAMES, &t->err);
    trace_load(t->trace, &l);
    t->stale |= l.frames != t->frames || t->step == TRACE_OVER;
    t->frames = l.frames;
}

enum tui_state tui_work(struct tui *t, unsigned milliseconds)
{
    int64_t end = tui_now_ms() + milliseconds;
    do {
        bool reads = is_loading(t) && !t->paused;
        if (reads)
            load(t);
        if (tui_calls_ask(t))
            continue;
        bool filtering = tui_calls_filter(t);
        if (reads && t->step == TRACE_WAIT && !filtering)
            return TUI_LIVE;
        if (!(reads && is_loading(t)) && !filtering && !tui_calls_judge(t))
            return TUI_READY;
    } while (tui_now_ms() < end);
    return TUI_BUSY;
}

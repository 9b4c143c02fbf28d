/* Two messages compared header by header. */
#include "tui/internal.h"

struct diff {
    struct tui_screen screen;
    uint32_t left, right; /* sightings */
    struct tui_scroll scroll;
    bool all; /* what is equal is shown as well */
};

static bool sides(struct tui *t, const struct diff *s, const struct hop_sighting **left,
                  const struct hop_sighting **right)
{
    const struct tui_call *c = tui_call_now(t);
    *left = tui_call_sighting(c, s->left);
    *right = tui_call_sighting(c, s->right);
    return *left && *right;
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct canvas {
    struct tui *t;
    struct grid *g;
    struct tui_area area;
    size_t top, row;
};

static bool is_secret(const struct tui *t, const struct view_diff_line *l)
{
    const struct sip_header h = {.name = l->name};
    return l->part == VIEW_PART_HEADER && tui_is_secret(t, &h);
}

static void put(struct canvas *c, const struct tui_piece *pieces, size_t n)
{
    c->row += tui_put_line(c->g, c->area, c->top, c->row, pieces, n, true, 0);
}

/* "- X-A: value", with the part that differs marked. */
static void put_value(struct canvas *c, const struct view_diff_line *l, const char *sign,
                      unsigned look, struct slice value)
{
    size_t before = l->same_before, after = l->same_after;
    bool secret = is_secret(c->t, l);
    struct slice colon = l->part == VIEW_PART_HEADER ? SLICE(": ")
                         : l->name.n                 ? SLICE("=")
                                                     : SLICE("");
    uint8_t name = look == GRID_DIM ? GRID_DIM : GRID_NAME;
    uint8_t inner = l->kind == VIEW_DIFF_CHANGED ? GRID_MARK : (uint8_t)look;
    struct slice middle = {value.p + before, value.n - before - after};
    if (value.n == 0)
        middle = SLICE_NONE;
    const struct tui_piece pieces[] = {
        {slice_of(sign), (uint8_t)look},
        {l->name, name},
        {colon, name},
        {secret ? SLICE("***") : slice_first(value, before), (uint8_t)look},
        {secret ? SLICE_NONE : middle, inner},
        {secret ? SLICE_NONE : slice_from(value, value.n - after), (uint8_t)look},
    };
    put(c, pieces, sizeof pieces / sizeof *pieces);
}

static void put_difference(struct canvas *c, const struct view_diff_line *l)
{
    switch (l->kind) {
    case VIEW_DIFF_GONE:
        put_value(c, l, "- ", GRID_BAD, l->left);
        break;
    case VIEW_DIFF_NEW:
        put_value(c, l, "+ ", GRID_GOOD, l->right);
        break;
    case VIEW_DIFF_CHANGED:
        put_value(c, l, "~<", GRID_PLAIN, l->left);
        put_value(c, l, "~>", GRID_PLAIN, l->right);
        break;
    case VIEW_DIFF_MOVED:
        put_value(c, l, "^ ", GRID_DIM, l->right);
        break;
    case VIEW_DIFF_FOLDED:
        put_value(c, l, "f ", GRID_DIM, l->right);
        break;
    default:
        put_value(c, l, "  ", GRID_PLAIN, l->right);
    }
}

static void put_equal(struct canvas *c, size_t n)
{
    struct text words = {0};
    text_printf(&words, "  %zu line%s equal", n, n == 1 ? " is" : "s are");
    const struct tui_piece piece = {text_slice(&words), GRID_DIM};
    put(c, &piece, 1);
    text_free(&words);
}

static void put_words(struct canvas *c, uint8_t look, struct slice words)
{
    const struct tui_piece piece = {words, look};
    put(c, &piece, 1);
}

/* ---- the screen ------------------------------------------------------------------------------ */

static void put_lines(struct canvas *c, const struct diff *s, const struct view_diff *d)
{
    size_t equal = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->lines[i].kind == VIEW_DIFF_SAME && !s->all) {
            equal++;
            continue;
        }
        if (equal)
            put_equal(c, equal);
        equal = 0;
        put_difference(c, &d->lines[i]);
    }
    if (equal)
        put_equal(c, equal);
    if (d->left_out)
        put_words(c, GRID_WARN, SLICE("more than is compared was left out"));
}

static void diff_draw(struct tui *t, struct tui_screen *screen, struct grid *g,
                      struct tui_area area)
{
    struct diff *s = (struct diff *)screen;
    const struct hop_sighting *left, *right;
    struct arena a = {0};
    struct view_diff d;
    if (!sides(t, s, &left, &right))
        return;
    view_diff_build(&a, left->message, right->message, &d);
    for (int pass = 0; pass < 2; pass++) {
        struct canvas c = {t, g, area, s->scroll.top, 0};
        put_lines(&c, s, &d);
        s->scroll.n = c.row;
        s->scroll.page = area.bottom - area.top;
        size_t last = c.row > s->scroll.page ? c.row - s->scroll.page : 0;
        if (s->scroll.top <= last)
            break;
        s->scroll.top = last;
        for (size_t y = area.top; y < area.bottom; y++)
            grid_fill(g, y, 0, g->columns, GRID_PLAIN);
    }
    arena_free(&a);
}

static void diff_title(struct tui *t, struct tui_screen *screen, struct text *out)
{
    const struct hop_sighting *left, *right;
    if (!sides(t, (struct diff *)screen, &left, &right))
        return;
    struct tui_call *c = tui_call_now(t);
    text_add(out, tui_sighting_title(c, left));
    text_add(out, SLICE("  and  "));
    text_add(out, tui_sighting_title(c, right));
}

static void diff_status(struct tui *t, struct tui_screen *screen, struct text *out)
{
    (void)t;
    (void)screen;
    text_add(out, SLICE("- gone  + new  ~< was  ~> is  ^ moved  f folded otherwise"));
}

static void diff_act(struct tui *t, struct tui_screen *screen, enum tui_action a)
{
    struct diff *s = (struct diff *)screen;
    (void)t;
    if (!tui_scroll_text(&s->scroll, a) && a == DO_ALL_HEADERS)
        s->all = !s->all;
}

static const struct tui_kind diff_kind = {
    .map = MAP_DIFF,
    .scrolls = true,
    .in_call = true,
    .draw = diff_draw,
    .act = diff_act,
    .title = diff_title,
    .status = diff_status,
};

void tui_diff_push(struct tui *t, uint32_t left, uint32_t right)
{
    struct diff *s = tui_push(t, &diff_kind, sizeof *s);
    s->left = left;
    s->right = right;
}

/* Does the header stand right here for the last time?  *bad: where it does not. */
static bool is_last_good(const struct tui_call *c, const struct hop_journey *j, struct slice header,
                         size_t step, size_t *bad)
{
    const struct check_header *h =
        header.n ? tui_request_header(tui_call_request(c, j), header) : NULL;
    size_t good;
    if (!h || !tui_header_is_bad(h))
        return false;
    tui_header_harm(h, j->step_count, &good, bad);
    return good == step && *bad < j->step_count;
}

void tui_diff_hop(struct tui *t, uint32_t sighting, struct slice header)
{
    const struct tui_call *c = tui_call_now(t);
    size_t journey, step, bad;
    if (!tui_call_find(c, sighting, &journey, &step))
        return;
    const struct hop_journey *j = &c->hops->journeys[journey];
    if (j->step_count < 2)
        tui_say(t, "this message was seen at one hop only");
    else if (is_last_good(c, j, header, step, &bad))
        tui_diff_push(t, sighting, j->steps[bad].sighting->id);
    else if (step > 0)
        tui_diff_push(t, j->steps[step - 1].sighting->id, sighting);
    else
        tui_diff_push(t, sighting, j->steps[1].sighting->id);
}

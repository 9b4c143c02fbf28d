/* A message as text or in hexadecimal, with what is to be seen marked. */
#include "tui/internal.h"

#include <string.h>

/* ---- what each byte is ----------------------------------------------------------------------- */

static size_t header_end(const struct sip_message *m, const struct sip_header *h)
{
    return (size_t)(h->value.p - m->bytes.p) + h->value.n;
}

static bool is_marked(const struct tui_page *p, const struct sip_header *h)
{
    return p->header.n && sip_name_equal(h->name, p->header);
}

static void fill(uint8_t *looks, size_t from, size_t to, size_t n, uint8_t look)
{
    for (size_t i = from; i < to && i < n; i++)
        looks[i] = look;
}

/* A look for each byte; what is secret has GRID_LOOKS. */
static uint8_t *looks_of(const struct tui *t, struct arena *a, const struct tui_page *p)
{
    const struct sip_message *m = p->message;
    size_t n = m->bytes.n;
    uint8_t *looks = arena_alloc(a, n + 1);
    bool syntax = tui_set(t, SET_SYNTAX);
    fill(looks, 0, slice_find(m->bytes, '\n'), n, syntax ? GRID_START : GRID_PLAIN);
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        bool custom = syntax && view_class_of(&t->view, h->name) == VIEW_CUSTOM;
        size_t value = (size_t)(h->value.p - m->bytes.p), end = header_end(m, h);
        fill(looks, h->at, h->at + h->name.n, n,
             custom   ? GRID_CUSTOM
             : syntax ? GRID_NAME
                      : GRID_PLAIN);
        if (is_marked(p, h))
            fill(looks, h->at, end, n, GRID_MARK);
        if (tui_is_secret(t, h))
            fill(looks, value, end, n, GRID_LOOKS);
    }
    for (size_t i = p->found_from; i < p->found_to && i < n; i++)
        if (looks[i] != GRID_LOOKS)
            looks[i] = GRID_MARK;
    return looks;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Without the end of line, but a CR that stands alone. */
static struct slice line_at(struct slice bytes, size_t from, size_t *next)
{
    struct slice rest = slice_from(bytes, from);
    struct slice line = slice_first(rest, slice_find(rest, '\n'));
    *next = from + line.n + 1;
    if (line.n && line.n < rest.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static size_t pieces_of(struct arena *a, struct slice line, const uint8_t *looks,
                        struct tui_piece **out)
{
    struct tui_piece *pieces = ARENA_ARRAY(a, struct tui_piece, line.n + 1);
    size_t n = 0;
    for (size_t i = 0, k; i < line.n; i = k) {
        for (k = i + 1; k < line.n && looks[k] == looks[i];)
            k++;
        pieces[n].look = looks[i] == GRID_LOOKS ? GRID_DIM : looks[i];
        pieces[n++].text =
            looks[i] == GRID_LOOKS ? SLICE("***") : (struct slice){line.p + i, k - i};
    }
    *out = pieces;
    return n;
}

/* "[1200 bytes more were not captured]" */
static size_t draw_state(const struct tui_page *p, struct grid *g, struct tui_area area, size_t row)
{
    static const char *const states[] = {
        [SIP_CUT] = "[cut here: more was not captured]",
        [SIP_GAP] = "[bytes of this message are missing in the capture]",
        [SIP_MIDSTREAM] = "[the beginning of this message was not captured]",
    };
    if (p->message->state == SIP_WHOLE)
        return 0;
    if (row >= p->top && area.top + row - p->top < area.bottom)
        grid_fit(g, area.top + row - p->top, 0, g->columns, GRID_WARN,
                 slice_of(states[p->message->state]));
    return 1;
}

static size_t draw_text(const struct tui *t, struct grid *g, struct tui_area area,
                        struct tui_page *p)
{
    struct arena a = {0};
    struct slice bytes = p->message->bytes;
    const uint8_t *looks = looks_of(t, &a, p);
    size_t row = 0, next;
    p->found_row = SIZE_MAX;
    for (size_t at = 0; at < bytes.n; at = next) {
        struct tui_piece *pieces;
        struct slice line = line_at(bytes, at, &next);
        size_t n = pieces_of(&a, line, looks + at, &pieces);
        for (size_t i = 0; i < n && p->found_row == SIZE_MAX; i++)
            if (pieces[i].look == GRID_MARK)
                p->found_row = row;
        row += tui_put_line(g, area, p->top, row, pieces, n, p->wrap, p->pan);
    }
    row += draw_state(p, g, area, row);
    arena_free(&a);
    return row;
}

/* ---- hexadecimal ----------------------------------------------------------------------------- */

static void draw_bytes(struct grid *g, size_t y, struct slice bytes, const uint8_t *looks,
                       size_t from, size_t each)
{
    struct text t = {0};
    text_printf(&t, "%05zx ", from);
    grid_put(g, y, 0, g->columns, GRID_DIM, text_slice(&t));
    for (size_t i = 0; i < each && from + i < bytes.n; i++) {
        uint8_t look = looks[from + i];
        char c = bytes.p[from + i];
        bool secret = look == GRID_LOOKS;
        look = secret ? GRID_DIM : look;
        text_clear(&t);
        text_printf(&t, "%02x", (unsigned char)c);
        grid_put(g, y, 6 + 3 * i, g->columns, look, secret ? SLICE("**") : text_slice(&t));
        bool shown = c >= 0x20 && c < 0x7f && !secret;
        grid_put(g, y, 7 + 3 * each + i, g->columns, shown ? look : GRID_DIM,
                 shown    ? (struct slice){&c, 1}
                 : secret ? SLICE("*")
                          : SLICE("."));
    }
    text_free(&t);
}

static size_t draw_hex(const struct tui *t, struct grid *g, struct tui_area area,
                       struct tui_page *p)
{
    struct arena a = {0};
    struct slice bytes = p->message->bytes;
    size_t each = g->columns >= 7 + 16 * 4 ? 16 : g->columns >= 7 + 8 * 4 ? 8 : 4;
    size_t rows = (bytes.n + each - 1) / each;
    const uint8_t *looks = looks_of(t, &a, p);
    p->found_row = SIZE_MAX;
    for (size_t i = 0; i < bytes.n && p->found_row == SIZE_MAX; i++)
        if (looks[i] == GRID_MARK)
            p->found_row = i / each;
    for (size_t y = area.top; y < area.bottom && p->top + y - area.top < rows; y++)
        draw_bytes(g, y, bytes, looks, (p->top + y - area.top) * each, each);
    arena_free(&a);
    return rows;
}

size_t tui_draw_page(const struct tui *t, struct grid *g, struct tui_area area, struct tui_page *p)
{
    return p->hex ? draw_hex(t, g, area, p) : draw_text(t, g, area, p);
}

void tui_draw_message(const struct tui *t, struct grid *g, struct tui_area area,
                      const struct sip_message *m)
{
    struct tui_page p = {.message = m};
    tui_draw_page(t, g, area, &p);
}

/* ---- text to take away ----------------------------------------------------------------------- */

void tui_add_message(const struct tui *t, struct text *out, const struct sip_message *m)
{
    size_t at = 0;
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        size_t value = (size_t)(h->value.p - m->bytes.p);
        if (!tui_is_secret(t, h) || value < at)
            continue;
        text_add(out, (struct slice){m->bytes.p + at, value - at});
        text_add(out, SLICE("***"));
        at = header_end(m, h);
    }
    text_add(out, slice_from(m->bytes, at));
}

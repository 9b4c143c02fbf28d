/* Two messages side by side: header by header, wherever each stands. */
#include "view/view.h"

#include <assert.h>
#include <string.h>

/* The start line, a header, or a line of the body. */
struct item {
    enum view_part part;
    struct slice name, value, raw;
    size_t pair; /* index on the other side; SIZE_MAX: none */
    bool moved;
};

struct side {
    struct item *items;
    size_t n;
};

struct diff {
    struct arena *arena;
    struct side left, right;
    struct view_diff *out;
    size_t next; /* of the left side, to be put out */
};

/* ---- the parts of a message ------------------------------------------------------------------ */

static struct slice take_line(struct slice *rest)
{
    struct slice line = slice_first(*rest, slice_find(*rest, '\n'));
    *rest = slice_from(*rest, line.n + 1);
    return slice_trim(line);
}

/* Lines of SDP are called by their letter. */
static struct item body_line(struct slice line)
{
    bool sdp = line.n > 1 && line.p[1] == '=';
    return (struct item){VIEW_PART_BODY,
                         sdp ? slice_first(line, 1) : SLICE_NONE,
                         sdp ? slice_from(line, 2) : line,
                         line,
                         SIZE_MAX,
                         false};
}

static struct side side_of(struct diff *d, const struct sip_message *m)
{
    size_t most = m->header_count + 2u;
    for (size_t i = 0; i < m->body.n; i++)
        most += m->body.p[i] == '\n';
    struct side s = {ARENA_ARRAY(d->arena, struct item, most), 0};
    struct slice rest = m->bytes, body = m->body;
    struct slice start = take_line(&rest);
    s.items[s.n++] = (struct item){VIEW_PART_START, SLICE_NONE, start, start, SIZE_MAX, false};
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        if (s.n > VIEW_HEADERS_MAX) {
            d->out->left_out++;
            continue;
        }
        s.items[s.n++] = (struct item){VIEW_PART_HEADER, h->name,  sip_unfold(d->arena, h),
                                       h->value,         SIZE_MAX, false};
    }
    while (body.n && s.n < 2 * VIEW_HEADERS_MAX)
        s.items[s.n++] = body_line(take_line(&body));
    d->out->left_out += body.n > 0;
    return s;
}

/* ---- which belongs to which ------------------------------------------------------------------ */

static bool same_name(const struct item *a, const struct item *b)
{
    if (a->part != b->part)
        return false;
    return a->part == VIEW_PART_HEADER ? sip_name_equal(a->name, b->name)
                                       : slice_equal(a->name, b->name);
}

static void pair_up(struct diff *d, bool equal)
{
    for (size_t i = 0; i < d->left.n; i++) {
        struct item *x = &d->left.items[i];
        for (size_t k = 0; x->pair == SIZE_MAX && k < d->right.n; k++) {
            struct item *y = &d->right.items[k];
            if (y->pair != SIZE_MAX || !same_name(x, y) ||
                (equal && !slice_equal(x->value, y->value)))
                continue;
            x->pair = k;
            y->pair = i;
        }
    }
}

/* What stands in the longest run of pairs that is in order on both sides stayed; the rest moved. */
static void find_moved(struct diff *d)
{
    size_t n = d->left.n;
    size_t *length = ARENA_ARRAY(d->arena, size_t, n + 1);
    size_t *before = ARENA_ARRAY(d->arena, size_t, n + 1);
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        struct item *x = &d->left.items[i];
        before[i] = SIZE_MAX;
        length[i] = x->pair != SIZE_MAX;
        x->moved = x->pair != SIZE_MAX;
        for (size_t k = 0; x->moved && k < i; k++)
            if (d->left.items[k].pair != SIZE_MAX && d->left.items[k].pair < x->pair &&
                length[k] + 1 > length[i]) {
                length[i] = length[k] + 1;
                before[i] = k;
            }
        if (length[i] && (best == SIZE_MAX || length[i] > length[best]))
            best = i;
    }
    for (; best != SIZE_MAX; best = before[best])
        d->left.items[best].moved = false;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* Is it within a character of UTF-8? */
static bool is_within(struct slice s, size_t at)
{
    return at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80;
}

void view_inner(struct slice left, struct slice right, size_t *before, size_t *after)
{
    size_t n = left.n < right.n ? left.n : right.n, head = 0, tail = 0;
    while (head < n && left.p[head] == right.p[head])
        head++;
    while (head > 0 && (is_within(left, head) || is_within(right, head)))
        head--;
    n -= head;
    while (tail < n && left.p[left.n - 1 - tail] == right.p[right.n - 1 - tail])
        tail++;
    while (tail > 0 && is_within(left, left.n - tail))
        tail--;
    *before = head;
    *after = tail;
}

static void add_line(struct diff *d, const struct item *left, const struct item *right)
{
    const struct item *it = right ? right : left;
    assert(it);
    struct view_diff_line *l = &d->out->lines[d->out->n++];
    *l = (struct view_diff_line){.part = it->part, .name = it->name};
    if (left)
        l->left = left->value;
    if (right)
        l->right = right->value;
    if (!left || !right) {
        l->kind = left ? VIEW_DIFF_GONE : VIEW_DIFF_NEW;
        return;
    }
    if (!slice_equal(left->value, right->value)) {
        l->kind = VIEW_DIFF_CHANGED;
        view_inner(l->left, l->right, &l->same_before, &l->same_after);
    } else {
        l->kind = left->moved                           ? VIEW_DIFF_MOVED
                  : !slice_equal(left->raw, right->raw) ? VIEW_DIFF_FOLDED
                                                        : VIEW_DIFF_SAME;
    }
}

static void add_gone(struct diff *d, size_t to)
{
    for (; d->next < to; d->next++)
        if (d->left.items[d->next].pair == SIZE_MAX)
            add_line(d, &d->left.items[d->next], NULL);
}

void view_diff_build(struct arena *a, const struct sip_message *left,
                     const struct sip_message *right, struct view_diff *out)
{
    struct diff d = {.arena = a, .out = out};
    *out = (struct view_diff){0};
    d.left = side_of(&d, left);
    d.right = side_of(&d, right);
    out->lines = ARENA_ARRAY(a, struct view_diff_line, d.left.n + d.right.n);
    pair_up(&d, true);
    pair_up(&d, false);
    find_moved(&d);
    for (size_t i = 0; i < d.right.n; i++) {
        const struct item *y = &d.right.items[i];
        const struct item *x = y->pair == SIZE_MAX ? NULL : &d.left.items[y->pair];
        if (x && !x->moved)
            add_gone(&d, y->pair);
        add_line(&d, x, y);
    }
    add_gone(&d, d.left.n);
}

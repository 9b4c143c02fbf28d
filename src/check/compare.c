/* Values of one header at two places: the same, or how they differ. */
#include "check/internal.h"

static bool value_cut(const struct sip_message *m, const struct sip_header *h)
{
    return h->cut || (!m->headers_complete && h == &m->headers[m->header_count - 1]);
}

struct expect_list check_values_of(struct arena *a, const struct sip_message *m, struct slice name,
                                   bool *cut)
{
    struct expect_list values = {NULL, 0};
    uint32_t at;
    size_t n = 0;
    *cut = false;
    for (uint32_t from = 0; sip_header_next(m, from, name, &at); from = at + 1)
        n++;
    values.items = ARENA_ARRAY(a, struct slice, n);
    for (uint32_t from = 0;; from = at + 1) {
        const struct sip_header *h = sip_header_next(m, from, name, &at);
        if (!h)
            return values;
        *cut |= value_cut(m, h);
        values.items[values.n++] = sip_unfold(a, h);
    }
}

/* Equal as lists: header lines may be joined by commas on the way (RFC 3261 7.3.1). */
static bool equal_as_lists(const struct expect_list *x, const struct expect_list *y)
{
    size_t i = 0, k = 0;
    struct slice rx = SLICE_NONE, ry = SLICE_NONE, ex, ey;
    for (;;) {
        bool more_x = sip_list_next(&rx, &ex), more_y = sip_list_next(&ry, &ey);
        while (!more_x && i < x->n) {
            rx = x->items[i++];
            more_x = sip_list_next(&rx, &ex);
        }
        while (!more_y && k < y->n) {
            ry = y->items[k++];
            more_y = sip_list_next(&ry, &ey);
        }
        if (!more_x || !more_y)
            return more_x == more_y;
        if (!slice_equal(ex, ey))
            return false;
    }
}

static bool equal_exactly(const struct expect_list *x, const struct expect_list *y)
{
    if (x->n != y->n)
        return false;
    for (size_t i = 0; i < x->n; i++)
        if (!slice_equal(x->items[i], y->items[i]))
            return false;
    return true;
}

static bool all_empty(const struct expect_list *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (slice_trim(x->items[i]).n)
            return false;
    return true;
}

static bool contains(const struct expect_list *list, struct slice value)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_equal(list->items[i], value))
            return true;
    return false;
}

static bool contains_all(const struct expect_list *list, const struct expect_list *values)
{
    for (size_t i = 0; i < values->n; i++)
        if (!contains(list, values->items[i]))
            return false;
    return true;
}

/* Each value of the one is there and no other, and some stand more often. */
static bool is_duplicated(const struct expect_list *was, const struct expect_list *is)
{
    return was->n && is->n > was->n && contains_all(was, is) && contains_all(is, was);
}

/* The value that one line carries stands there several times, joined by commas. */
static bool is_repeated_in_line(const struct expect_list *was, const struct expect_list *is)
{
    struct slice rest, one;
    size_t n = 0;
    if (was->n != 1 || is->n != 1 || was->items[0].n == 0)
        return false;
    for (rest = is->items[0]; sip_list_next(&rest, &one); n++)
        if (!slice_equal(one, was->items[0]))
            return false;
    return n > 1;
}

static int hex_digit(char c)
{
    unsigned char l = ascii_lower((unsigned char)c);
    return l >= '0' && l <= '9' ? l - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Does `text`, read with %XX for bytes (and + for a space), give `plain`? */
static bool decodes_to(struct slice text, struct slice plain)
{
    size_t k = 0;
    for (size_t i = 0; i < text.n; i++, k++) {
        char c = text.p[i];
        if (c == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
            hex_digit(text.p[i + 2]) >= 0) {
            c = (char)(hex_digit(text.p[i + 1]) << 4 | hex_digit(text.p[i + 2]));
            i += 2;
        }
        if (k >= plain.n || (c != plain.p[k] && !(c == '+' && plain.p[k] == ' ')))
            return false;
    }
    return k == plain.n;
}

enum check_header_verdict check_values_compare(const struct expect_list *was,
                                               const struct expect_list *is)
{
    if (is->n == 0)
        return CHECK_STRIPPED;
    if (equal_exactly(was, is) || equal_as_lists(was, is))
        return CHECK_OK;
    if (all_empty(is) && !all_empty(was))
        return CHECK_EMPTIED;
    if (is_duplicated(was, is) || is_repeated_in_line(was, is))
        return CHECK_DUPLICATED;
    if (was->n == 1 && is->n == 1) {
        if (is->items[0].n < was->items[0].n && slice_starts(was->items[0], is->items[0]))
            return CHECK_TRUNCATED;
        if (decodes_to(is->items[0], was->items[0]))
            return CHECK_ENCODED;
    }
    return CHECK_ALTERED;
}

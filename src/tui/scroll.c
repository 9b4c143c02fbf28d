/* Moving in lists and texts. */
#include "tui/internal.h"

void tui_scroll_fit(struct tui_scroll *s, size_t n, size_t page)
{
    s->n = n;
    s->page = page ? page : 1;
    if (s->at >= n)
        s->at = n ? n - 1 : 0;
    if (s->at < s->top)
        s->top = s->at;
    if (s->at >= s->top + s->page)
        s->top = s->at - s->page + 1;
    if (s->top + s->page > n)
        s->top = n > s->page ? n - s->page : 0;
}

bool tui_scroll_to(struct tui_scroll *s, size_t row)
{
    if (row >= s->page || s->top + row >= s->n)
        return false;
    s->at = s->top + row;
    return true;
}

static bool moves(enum tui_action a)
{
    return a >= DO_UP && a <= DO_BOTTOM;
}

static size_t moved(size_t at, size_t last, size_t page, enum tui_action a)
{
    size_t by = a == DO_PAGE_UP || a == DO_PAGE_DOWN ? page : 1;
    switch (a) {
    case DO_UP:
    case DO_PAGE_UP:
        return at > by ? at - by : 0;
    case DO_DOWN:
    case DO_PAGE_DOWN:
        return at + by < last ? at + by : last;
    case DO_TOP:
        return 0;
    default:
        return last;
    }
}

bool tui_scroll_do(struct tui_scroll *s, enum tui_action a)
{
    if (!moves(a))
        return false;
    s->at = moved(s->at, s->n ? s->n - 1 : 0, s->page > 1 ? s->page - 1 : 1, a);
    return true;
}

bool tui_scroll_text(struct tui_scroll *s, enum tui_action a)
{
    if (!moves(a))
        return false;
    s->top = moved(s->top, s->n > s->page ? s->n - s->page : 0, s->page > 1 ? s->page - 1 : 1, a);
    return true;
}

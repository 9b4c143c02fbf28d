/* Which headers differ between two sightings of a message, and which of them matter. */
#include "view/internal.h"

#include <stdlib.h>

/* RFC 3261 16.6 and 20: what a proxy adds, takes off or counts down. */
static bool is_routing(enum sip_header_id id)
{
    return id == SIP_HEADER_VIA || id == SIP_HEADER_ROUTE || id == SIP_HEADER_RECORD_ROUTE ||
           id == SIP_HEADER_MAX_FORWARDS || id == SIP_HEADER_CONTENT_LENGTH;
}

static bool is_of_dialog(enum sip_header_id id)
{
    return id == SIP_HEADER_CALL_ID || id == SIP_HEADER_FROM || id == SIP_HEADER_TO ||
           id == SIP_HEADER_CSEQ || id == SIP_HEADER_CONTACT;
}

const struct check_request *view_judged(const struct view_options *o, const struct hop_journey *j)
{
    for (size_t i = 0; o->judged && i < o->judged->request_count; i++)
        if (o->judged->requests[i].journey == j)
            return &o->judged->requests[i];
    return NULL;
}

enum view_header_class view_class_of(const struct view_options *o, struct slice name)
{
    if (slice_starts_nocase(name, SLICE("X-")))
        return VIEW_CUSTOM;
    for (size_t i = 0; i < o->follow_count; i++)
        if (slice_glob_nocase(name, o->follow[i]))
            return VIEW_CUSTOM;
    enum sip_header_id id = sip_header_of(name);
    return is_routing(id) ? VIEW_ROUTING : is_of_dialog(id) ? VIEW_DIALOG : VIEW_OTHER;
}

/* ---- headers by their names ---------------------------------------------------------------------
 */

/* A header of a message, to be sorted by name. */
struct named {
    struct slice name; /* the long form of a compact one */
    const struct sip_header *header;
};

struct names {
    struct named *items;
    size_t n;
    const struct sip_message *message;
};

static int compare_names(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        int x = ascii_lower((unsigned char)a.p[i]), y = ascii_lower((unsigned char)b.p[i]);
        if (x != y)
            return x - y;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = compare_names(x->name, y->name);
    return order ? order : x->header < y->header ? -1 : 1;
}

static struct names names_of(struct arena *a, const struct sip_message *m)
{
    struct names all = {NULL, m->header_count, m};
    if (all.n > VIEW_HEADERS_MAX)
        all.n = VIEW_HEADERS_MAX;
    all.items = ARENA_ARRAY(a, struct named, all.n);
    for (size_t i = 0; i < all.n; i++) {
        const struct sip_header *h = &m->headers[i];
        const char *name = sip_header_name((enum sip_header_id)h->id);
        all.items[i] = (struct named){name ? slice_of(name) : h->name, h};
    }
    if (all.n)
        qsort(all.items, all.n, sizeof *all.items, by_name);
    return all;
}

/* How many from `at` on have its name. */
static size_t alike(const struct names *all, size_t at)
{
    size_t n = 1;
    while (at + n < all->n && compare_names(all->items[at].name, all->items[at + n].name) == 0)
        n++;
    return n;
}

static struct expect_list values_of(struct arena *a, const struct names *all, size_t at, size_t n,
                                    bool *cut)
{
    const struct sip_message *m = all->message;
    struct expect_list values = {ARENA_ARRAY(a, struct slice, n), n};
    for (size_t i = 0; i < n; i++) {
        const struct sip_header *h = all->items[at + i].header;
        *cut |= h->cut || (!m->headers_complete && h == &m->headers[m->header_count - 1]);
        values.items[i] = sip_unfold(a, h);
    }
    return values;
}

/* ---- what differs -------------------------------------------------------------------------------
 */

struct comparison {
    struct view_changes *list;
    struct arena *scratch;
    const struct view_options *options;
    struct names was, is;
    bool on_wire;
};

static void add(const struct comparison *c, struct slice name, enum view_change_kind kind)
{
    *vec_add(c->list) =
        (struct view_change){kind, view_class_of(c->options, name), name, c->on_wire};
}

/* What was not captured has not changed: a message cut in its headers lacks none for certain. */
static void compare_values(const struct comparison *c, size_t x, size_t nx, size_t y, size_t ny)
{
    bool cut = false;
    struct expect_list before = values_of(c->scratch, &c->was, x, nx, &cut);
    struct expect_list after = values_of(c->scratch, &c->is, y, ny, &cut);
    if (!cut && check_values_compare(&before, &after) != CHECK_OK)
        add(c, c->was.items[x].header->name, VIEW_ALTERED);
}

static void compare_gone(const struct comparison *c, size_t x, size_t nx)
{
    bool cut = false;
    (void)values_of(c->scratch, &c->was, x, nx, &cut);
    if (!cut && c->is.message->headers_complete)
        add(c, c->was.items[x].header->name, VIEW_GONE);
}

static void compare(const struct comparison *c)
{
    size_t x = 0, y = 0;
    while (x < c->was.n || y < c->is.n) {
        size_t nx = x < c->was.n ? alike(&c->was, x) : 0;
        size_t ny = y < c->is.n ? alike(&c->is, y) : 0;
        int order = !nx ? 1 : !ny ? -1 : compare_names(c->was.items[x].name, c->is.items[y].name);
        if (order == 0)
            compare_values(c, x, nx, y, ny);
        else if (order < 0)
            compare_gone(c, x, nx);
        else if (c->was.message->headers_complete)
            add(c, c->is.items[y].header->name, VIEW_ADDED);
        x += order <= 0 ? nx : 0;
        y += order >= 0 ? ny : 0;
    }
}

/* Where headers are beyond the limit in the one message, they may be within it in the other: then
 * nothing is said. */
uint64_t view_changes_add(struct view_changes *list, struct arena *scratch,
                          const struct view_options *o, const struct hop_sighting *was,
                          const struct hop_sighting *is, bool on_wire)
{
    struct comparison c = {
        list, scratch, o, names_of(scratch, was->message), names_of(scratch, is->message), on_wire};
    uint64_t left_out = was->message->header_count - c.was.n + (is->message->header_count - c.is.n);
    if (left_out == 0)
        compare(&c);
    return left_out;
}

void view_changes_owed(struct view_changes *list, const struct view_options *o,
                       const struct hop_journey *j)
{
    const struct check_request *r = view_judged(o, j);
    for (size_t i = 0; r && i < r->header_count; i++)
        if (r->headers[i].must && r->headers[i].verdict == CHECK_NEVER_SENT)
            *vec_add(list) =
                (struct view_change){VIEW_NEVER_SENT, VIEW_CUSTOM, r->headers[i].name, false};
}

/* ---- order ----------------------------------------------------------------------------------- */

static int by_weight(const void *a, const void *b)
{
    const struct view_change *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return slice_compare(x->name, y->name);
}

void view_changes_sort(struct view_change *changes, size_t n)
{
    if (n)
        qsort(changes, n, sizeof *changes, by_weight);
}

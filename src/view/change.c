/* Which headers differ between two sightings of a message, and which of them matter. */
#include "view/internal.h"

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

static void add(struct view_changes *list, const struct view_options *o, struct slice name,
                enum view_change_kind kind, bool on_wire)
{
    *vec_add(list) = (struct view_change){kind, view_class_of(o, name), name, on_wire};
}

/* The first header of its name? */
static bool is_first(const struct sip_message *m, uint32_t i)
{
    uint32_t at;
    const struct sip_header *h = sip_header_next(m, 0, m->headers[i].name, &at);
    return h == &m->headers[i];
}

static uint32_t compared(const struct sip_message *m)
{
    return m->header_count < VIEW_HEADERS_MAX ? m->header_count : VIEW_HEADERS_MAX;
}

/* What was not captured has not changed: a message cut in its headers lacks none for certain. */
uint64_t view_changes_add(struct view_changes *list, struct arena *scratch,
                          const struct view_options *o, const struct hop_sighting *was,
                          const struct hop_sighting *is, bool on_wire)
{
    const struct sip_message *x = was->message, *y = is->message;
    for (uint32_t i = 0; i < compared(x); i++) {
        struct slice name = x->headers[i].name;
        bool cut_x, cut_y;
        if (!is_first(x, i))
            continue;
        struct expect_list before = check_values_of(scratch, x, name, &cut_x);
        struct expect_list after = check_values_of(scratch, y, name, &cut_y);
        if (cut_x || cut_y || (!y->headers_complete && after.n == 0))
            continue;
        if (after.n == 0)
            add(list, o, name, VIEW_GONE, on_wire);
        else if (check_values_compare(&before, &after) != CHECK_OK)
            add(list, o, name, VIEW_ALTERED, on_wire);
    }
    for (uint32_t i = 0; x->headers_complete && i < compared(y); i++) {
        uint32_t at;
        if (is_first(y, i) && !sip_header_next(x, 0, y->headers[i].name, &at))
            add(list, o, y->headers[i].name, VIEW_ADDED, on_wire);
    }
    return x->header_count - compared(x) + (y->header_count - compared(y));
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

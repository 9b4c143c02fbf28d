/* What stands on an arrow of a ladder, in the room that it has. */
#include "report/internal.h"

#define LABEL_LEAST 6u

/* The label gives way last: first "SDP" goes, then the label is cut, then the marks are. */
struct report_caption report_caption_of(struct arena *a, const struct view_row *row, size_t room)
{
    struct report_caption c = {.label = row->label, .marks = view_row_marks(a, row)};
    struct slice times =
        row->transmissions > 1 ? arena_printf(a, " x%u", row->transmissions) : SLICE("");
    struct slice cut = row->cut ? SLICE(" cut") : SLICE("");
    c.notes = ARENA_JOIN(a, times, cut);
    size_t label = text_width(c.label), more = c.notes.n + (c.marks.n ? c.marks.n + 1 : 0);
    if (row->sdp && label + more + 4 <= room) {
        c.notes = ARENA_JOIN(a, SLICE(" SDP"), c.notes);
        return c;
    }
    if (label + more <= room)
        return c;
    size_t least = label < LABEL_LEAST ? label : LABEL_LEAST;
    if (least + more > room && c.notes.n) {
        more -= c.notes.n;
        c.notes = SLICE_NONE;
    }
    if (least + more > room) {
        c.marks = SLICE_NONE;
        more = 0;
    }
    struct text t = {0};
    text_add_fitted(&t, c.label, room > more ? room - more : 1);
    c.label = text_keep(&t, a);
    return c;
}

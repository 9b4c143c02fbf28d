/* Search among messages: for a text, or for what an expression of the filter language says of one.
 */
#include "tui/internal.h"

#include <string.h>

/* Words that are no expression are a text, unless signs of one are among them. */
static bool is_text(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if (strchr("=<>!~\"'()[]{}", line.p[i]))
            return false;
    return true;
}

bool tui_find_set(struct tui_find *f, struct slice line, struct view_filter_fault *fault)
{
    struct text quoted = {0};
    line = slice_trim(line);
    struct view_filter *filter = view_filter_new(line, VIEW_FILTER_MESSAGES, fault);
    if (!filter && line.n && is_text(line)) {
        view_filter_quote(&quoted, line);
        filter = view_filter_new(text_slice(&quoted), VIEW_FILTER_MESSAGES, fault);
        text_free(&quoted);
    }
    if (!filter)
        return false;
    tui_find_free(f);
    f->filter = filter;
    return true;
}

void tui_find_free(struct tui_find *f)
{
    view_filter_free(f->filter);
    f->filter = NULL;
}

static bool is_found(const struct tui *t, struct tui_find *f, const struct hop_sighting *s)
{
    struct trace_seen seen;
    trace_seen_indexed(t->trace, s->index, &seen);
    seen.retransmission = s->index->transmissions > 1;
    seen.sip = s->message;
    return view_filter_message(f->filter, &seen) == VIEW_FILTER_YES;
}

bool tui_find_row(const struct tui *t, struct tui_find *f, const struct view_row *row)
{
    for (size_t i = 0; i < row->step_count; i++)
        if (is_found(t, f, row->journey->steps[row->step + i].sighting))
            return true;
    return false;
}

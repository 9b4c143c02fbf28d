/* Private to view/. */
#ifndef VIEW_INTERNAL_H
#define VIEW_INTERNAL_H

#include "view/view.h"

VEC_TYPE(view_columns, struct view_column);
VEC_TYPE(view_rows, struct view_row);
VEC_TYPE(view_changes, struct view_change);

/* columns.c: the column of an end of a message, made where it is new.  Columns are numbered as they
 * are met; view_columns_order puts them in path order. */
uint32_t view_column_of(struct view_columns *c, const struct hop_nodes *n, struct arena *a,
                        uint32_t node, const struct endpoint *e);
/* `ways`: the columns of each journey from the caller's side on.  Gives for each column its place.
 */
struct view_way {
    const uint32_t *columns;
    size_t n;
    bool holed; /* some of it was not captured */
};
const uint32_t *view_columns_order(struct arena *a, const struct view_columns *c,
                                   const struct view_way *ways, size_t way_count);

/* clock.c */
size_t view_clocks(struct arena *a, const struct hop_call *call, const struct view_clock **out,
                   const uint16_t **points);

/* change.c: what differs between two sightings of a message is added; returns how many headers were
 * left out. */
uint64_t view_changes_add(struct view_changes *list, struct arena *scratch,
                          const struct view_options *o, const struct hop_sighting *was,
                          const struct hop_sighting *is, bool on_wire);
/* Those that matter first. */
void view_changes_sort(struct view_change *changes, size_t n);
/* What was promised and never sent. */
void view_changes_owed(struct view_changes *list, const struct view_options *o,
                       const struct hop_journey *j);

/* calls.c: what cells are of, for sorting */
int64_t view_duration_ms(const struct call_summary *c);
int64_t view_talk_ms(const struct call_summary *c);
int64_t view_time_of(enum view_cell cell, const struct call_summary *c);

#endif

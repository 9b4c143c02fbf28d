/* view: models of what is shown, with no terminal in them.  Each is made of a call as hop/ gives it
 * and lies in an arena; what draws it (report/, tui/) decides on columns and colours. */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "base/base.h"
#include "check/check.h"
#include "hop/hop.h"
#include "view/filter.h"
#include "view/list.h"

#define VIEW_NONE UINT32_MAX

struct view_options {
    const struct slice *follow; /* patterns of headers that count as custom, beside X-* */
    size_t follow_count;
    const struct slice *names; /* headers that a matrix is asked for (VIEW_ROWS_NAMED) */
    size_t name_count;
    /* the call as check/ judged it, of the same journeys; NULL: nothing is promised */
    const struct check_call *judged;
};

/* ---- headers that change on the way ---------------------------------------------------------- */

/* What a header is for, which tells whether its change says anything. */
enum view_header_class {
    VIEW_CUSTOM,  /* X-* and those that are followed */
    VIEW_OTHER,   /* any other header */
    VIEW_DIALOG,  /* what a back-to-back user agent or topology hiding makes anew by design */
    VIEW_ROUTING, /* what each proxy changes by design (RFC 3261 16.6) */
};

enum view_change_kind {
    VIEW_NEVER_SENT, /* promised, and not there as the message left its sender */
    VIEW_GONE,
    VIEW_ADDED,
    VIEW_ALTERED,
};

/* A header that differs between two sightings. */
struct view_change {
    enum view_change_kind kind;
    enum view_header_class class;
    struct slice name; /* as on the wire where it was last there */
    bool on_wire;      /* between the two ends of the arrow; else before its beginning */
};

/* The judged message of a journey, or NULL. */
const struct check_request *view_judged(const struct view_options *o, const struct hop_journey *j);
enum view_header_class view_class_of(const struct view_options *o, struct slice name);

/* ---- the ladder ------------------------------------------------------------------------------ */

#define VIEW_COLUMNS_MAX                                                                           \
    256u /* elements told apart; further ones are drawn as the last of them                        \
          */
#define VIEW_HEADERS_MAX                                                                           \
    512u /* of one message that are compared with those of the next sighting                       \
          */

/* A SIP element on the path, or an address of which no more is known. */
struct view_column {
    struct slice name; /* as the report names it */
    uint32_t node;     /* hop_nodes id; HOP_NODE_NONE: only its address is known */
    struct address address;
    bool captured;   /* a point there saw messages of this call */
    uint32_t folded; /* columns to the right of it that are hidden */
};

/* One message between two neighbouring elements, however many points saw it there. */
struct view_row {
    const struct hop_journey *journey; /* the first that it is part of */
    uint32_t journey_index;            /* in hop_call.journeys */
    size_t step, step_count;           /* its sightings: journey->steps[step] and on */
    uint32_t from, to;                 /* columns; the same: sent by an element to itself */
    uint32_t lead;             /* the column where it was before, with something uncaptured between;
                                  VIEW_NONE: nothing is missing */
    uint32_t leg;              /* index into hop_call.legs; VIEW_NONE: not known */
    int64_t time_ns;           /* by the clock of the first point on the path */
    uint32_t transmissions;    /* the most that one point counted */
    struct slice label;        /* "INVITE", "200 OK" */
    bool sdp;                  /* its body is a session description, or holds one */
    bool cut;                  /* not all of its headers were captured */
    bool ends_here;            /* `to` received it, did not answer and did not send it on */
    uint32_t folded;           /* rows that became part of it, since they are at hidden columns, */
    bool open_begin, open_end; /* where it begins, or ends: before the column, or behind it */
    const struct view_change *changes; /* custom ones first, then by kind; routing ones last */
    size_t change_count;
};

/* How far a point's clock is ahead of that of the first point. */
struct view_clock {
    struct slice point;
    int64_t ahead_ns; /* 0: the captures do not show that it differs */
};

struct view_ladder {
    const struct hop_call *call;
    const struct view_options *options; /* it was built with; borrowed */
    const struct slice *call_ids;       /* of hop_call.legs */
    struct slice caller, callee;        /* of the first leg */
    int64_t start_ns;
    const struct view_column *columns; /* in path order, the caller's side first */
    size_t column_count;
    const struct view_row *rows; /* in order of time, and of the path */
    size_t row_count;
    const struct view_clock *clocks; /* of the points that saw the call */
    size_t clock_count;
    uint64_t headers_left_out; /* beyond VIEW_HEADERS_MAX */
    uint64_t rows_hidden;      /* those between hidden columns alone */
    bool oriented; /* false: no INVITE was captured, so the caller's side may be on the right */
};

struct view_ladder *view_ladder_build(struct arena *a, const struct hop_call *call,
                                      const struct view_options *o);
/* The same without the columns that are hidden: an arrow goes over them to where the message comes
 * out again, with all that was changed on its way. */
struct view_ladder *view_ladder_fold(struct arena *a, const struct view_ladder *l,
                                     const bool *hidden);
const struct hop_sighting *view_row_first(const struct view_row *row);
const struct hop_sighting *view_row_last(const struct view_row *row);
/* "!1 -2 X- +1 ~1": promised headers that were never sent, custom headers (X-) and others that are
 * gone, added, altered; empty: none. */
struct slice view_row_marks(struct arena *a, const struct view_row *row);
/* "kam1", "livekit:out to kam1:in", "10.0.1.1 to 10.0.2.2": where the changes before the
 * arrow's beginning or on it happened; of a row that nothing was folded into. */
struct slice view_row_place(struct arena *a, const struct view_ladder *l,
                            const struct view_row *row, bool on_wire);

/* ---- the matrix ------------------------------------------------------------------------------ */

/* Which headers of a message are shown. */
enum view_matrix_rows {
    VIEW_ROWS_KEY, /* promised and custom ones, and others that change though no proxy has to
                      change them */
    VIEW_ROWS_ALL,
    VIEW_ROWS_NAMED, /* those of view_options.names */
};

#define VIEW_MATRIX_MAX 256u /* headers of one message that are shown; more are counted */

/* One message: its headers down, its sightings in path order across.  Each cell's state and values
 * stand in request.headers[row].states and .values. */
struct view_matrix {
    struct check_request request;
    const enum view_header_class *classes; /* of each header */
    const bool *changed;                   /* likewise: it differs between two sightings */
    uint64_t left_out;                     /* headers beyond VIEW_MATRIX_MAX, of a sighting */
};

void view_matrix_build(struct arena *a, const struct hop_call *call, const struct hop_journey *j,
                       const struct view_options *o, enum view_matrix_rows rows,
                       struct view_matrix *out);

/* ---- two messages ---------------------------------------------------------------------------- */

enum view_part { VIEW_PART_START, VIEW_PART_HEADER, VIEW_PART_BODY };

enum view_diff_kind {
    VIEW_DIFF_SAME,
    VIEW_DIFF_GONE,
    VIEW_DIFF_NEW,
    VIEW_DIFF_CHANGED,
    VIEW_DIFF_MOVED,  /* as it was, but it stands elsewhere */
    VIEW_DIFF_FOLDED, /* likewise, but over other lines */
};

struct view_diff_line {
    enum view_diff_kind kind;
    enum view_part part;
    struct slice name;              /* of a header or of a line of SDP; as on the right */
    struct slice left, right;       /* unfolded values; empty where it is not there */
    size_t same_before, same_after; /* VIEW_DIFF_CHANGED: bytes that are equal at both ends */
};

/* In the order of the right side, with what is gone where it stood. */
struct view_diff {
    struct view_diff_line *lines;
    size_t n;
    uint64_t left_out; /* headers beyond VIEW_HEADERS_MAX, and the same for lines of the body */
};

/* How many bytes are equal at both ends, whole characters of UTF-8. */
void view_inner(struct slice left, struct slice right, size_t *before, size_t *after);
void view_diff_build(struct arena *a, const struct sip_message *left,
                     const struct sip_message *right, struct view_diff *out);

#endif

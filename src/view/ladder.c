/* The ladder of a call: its elements in path order, and each message on each stretch of its way. */
#include "view/internal.h"

#include <stdlib.h>
#include <string.h>

/* A ladder while it is built.  Rows and columns are numbered as they are met, and put in order at
 * the end. */
struct build {
    struct arena *arena;
    struct arena scratch; /* of one comparison */
    const struct hop_call *call;
    const struct view_options *options;
    struct view_columns columns;
    struct view_rows rows;
    struct map index; /* rows by their first sighting */
    struct view_way *ways;
    const struct view_clock *clocks;
    const uint16_t *points;
    size_t clock_count;
    uint64_t headers_left_out;
};

const struct hop_sighting *view_row_first(const struct view_row *row)
{
    return row->journey->steps[row->step].sighting;
}

const struct hop_sighting *view_row_last(const struct view_row *row)
{
    return row->journey->steps[row->step + row->step_count - 1].sighting;
}

/* ---- what a row says of its message -----------------------------------------------------------
 */

static bool has_sdp(const struct sip_message *m)
{
    const struct sip_header *type = sip_header_first(m, SIP_HEADER_CONTENT_TYPE);
    static const struct slice sdp = {"application/sdp", 15};
    static const struct slice multipart = {"multipart/", 10};
    return type &&
           (slice_starts_nocase(type->value, sdp) || slice_starts_nocase(type->value, multipart));
}

static struct slice label_of(struct arena *a, const struct sip_message *m)
{
    if (m->kind == SIP_REQUEST)
        return m->method;
    if (m->reason.n == 0)
        return arena_printf(a, "%u", m->status);
    struct text t = {0};
    text_printf(&t, "%u ", m->status);
    text_add(&t, m->reason);
    return text_keep(&t, a);
}

static uint32_t leg_of(const struct hop_call *call, const struct hop_sighting *s)
{
    for (uint32_t i = 0; i < call->leg_count; i++)
        if (call_leg_of(call->table, call->legs[i]) == s->leg)
            return i;
    return VIEW_NONE;
}

/* By the clock of the first point. */
static int64_t time_of(const struct build *b, const struct hop_sighting *s)
{
    int64_t ns;
    size_t i = 0;
    while (i < b->clock_count && b->points[i] != s->index->point)
        i++;
    if (i == b->clock_count ||
        __builtin_sub_overflow(s->index->time_ns, b->clocks[i].ahead_ns, &ns))
        return s->index->time_ns;
    return ns;
}

static void count_transmissions(struct view_row *row)
{
    for (size_t i = 0; i < row->step_count; i++) {
        const struct hop_sighting *s = row->journey->steps[row->step + i].sighting;
        if (s->index->transmissions > row->transmissions)
            row->transmissions = s->index->transmissions;
        row->cut |= !s->message->headers_complete;
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Against the sighting before the arrow, and from its one end to the other. */
static void find_changes(struct build *b, struct view_row *row)
{
    const struct hop_step *steps = row->journey->steps;
    struct view_changes list = {0};
    size_t last = row->step + row->step_count - 1;
    if (row->step > 0)
        b->headers_left_out +=
            view_changes_add(&list, &b->scratch, b->options, steps[row->step - 1].sighting,
                             steps[row->step].sighting, false);
    else
        view_changes_owed(&list, b->options, row->journey);
    if (last > row->step)
        b->headers_left_out += view_changes_add(
            &list, &b->scratch, b->options, steps[row->step].sighting, steps[last].sighting, true);
    struct view_change *changes = ARENA_ARRAY(b->arena, struct view_change, list.n);
    if (list.n) {
        view_changes_sort(list.items, list.n);
        memcpy(changes, list.items, list.n * sizeof *changes);
    }
    row->changes = changes;
    row->change_count = list.n;
    vec_free(&list);
    arena_reset(&b->scratch);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint32_t column_of(struct build *b, uint32_t node, const struct endpoint *e)
{
    return view_column_of(&b->columns, b->call->nodes, b->arena, node, e);
}

static size_t wire_end(const struct hop_journey *j, size_t step)
{
    size_t end = step + 1;
    while (end < j->step_count && j->steps[end].link == HOP_WIRE)
        end++;
    return end;
}

/* Where the message was before the arrow, if it is another place than where the arrow begins. */
static uint32_t lead_of(struct build *b, const struct view_row *row)
{
    const struct hop_journey *j = row->journey;
    struct endpoint sender = {0};
    uint32_t column = VIEW_NONE;
    if (row->step > 0) {
        const struct hop_sighting *before = j->steps[row->step - 1].sighting;
        column = column_of(b, before->dst_node, &before->dst);
    } else if (!j->from_sender && j->sender != HOP_NODE_NONE) {
        column = column_of(b, j->sender, &sender);
    } else if (!j->from_sender && !j->status && address_parse(j->sender_address, &sender.ip)) {
        column = column_of(b, HOP_NODE_NONE, &sender); /* as its Via tells */
    }
    return column == row->from ? VIEW_NONE : column;
}

static void mark_captured(struct build *b, const struct view_row *row)
{
    for (size_t i = 0; i < row->step_count; i++) {
        enum source_direction side = row->journey->steps[row->step + i].sighting->side;
        if (side == SOURCE_OUT)
            b->columns.items[row->from].captured = true;
        if (side == SOURCE_IN)
            b->columns.items[row->to].captured = true;
    }
}

static uint32_t find_row(const struct build *b, const struct hop_sighting *first)
{
    uint32_t id;
    uint64_t hash = hash_mix(first->id, 0);
    for (uint32_t at = map_first(&b->index, hash);
         (id = map_next(&b->index, hash, &at)) != MAP_NONE;)
        if (view_row_first(&b->rows.items[id])->id == first->id)
            return id;
    return VIEW_NONE;
}

/* The row of the wire that begins at a step; the branches of a fork share those before it. */
static uint32_t row_of(struct build *b, const struct hop_journey *j, uint32_t journey, size_t step)
{
    const struct hop_sighting *first = j->steps[step].sighting;
    uint32_t known = find_row(b, first);
    if (known != VIEW_NONE)
        return known;
    struct view_row row = {.journey = j,
                           .journey_index = journey,
                           .step = step,
                           .step_count = wire_end(j, step) - step,
                           .leg = leg_of(b->call, first),
                           .time_ns = time_of(b, first),
                           .label = label_of(b->arena, first->message),
                           .sdp = has_sdp(first->message)};
    const struct hop_sighting *last = view_row_last(&row);
    row.from = column_of(b, first->src_node, &first->src);
    row.to = column_of(b, last->dst_node, &last->dst);
    row.lead = lead_of(b, &row);
    count_transmissions(&row);
    mark_captured(b, &row);
    find_changes(b, &row);
    map_add(&b->index, hash_mix(first->id, 0), (uint32_t)b->rows.n);
    *vec_add(&b->rows) = row;
    return (uint32_t)(b->rows.n - 1);
}

/* Whether the message goes from left to right.  Without an INVITE the request that was seen first
 * is taken for one of the caller. */
static bool goes_right(const struct hop_call *call, const struct hop_journey *j)
{
    bool down = j->downstream;
    if (!j->orientation_known)
        for (size_t i = 0; i < call->journey_count; i++) {
            const struct hop_journey *first = &call->journeys[i];
            if (first->steps[0].sighting->leg != j->steps[0].sighting->leg)
                continue;
            down =
                first->steps[0].sighting->index->from_tag == j->steps[0].sighting->index->from_tag;
            break;
        }
    return j->status ? !down : down;
}

static void add_place(uint32_t *columns, size_t *n, uint32_t column)
{
    if (column != VIEW_NONE && (*n == 0 || columns[*n - 1] != column))
        columns[(*n)++] = column;
}

static void reverse(uint32_t *columns, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t swap = columns[i];
        columns[i] = columns[n - 1 - i];
        columns[n - 1 - i] = swap;
    }
}

/* Makes the rows of a journey; its columns from the caller's side on are its way.  What goes on is
 * not earlier than what came. */
static struct view_way add_journey(struct build *b, uint32_t journey)
{
    const struct hop_journey *j = &b->call->journeys[journey];
    uint32_t *columns = ARENA_ARRAY(b->arena, uint32_t, 3 * j->step_count);
    size_t n = 0;
    int64_t earliest = INT64_MIN;
    bool holed = false;
    struct view_row *row = NULL;
    for (size_t step = 0; step < j->step_count; step = wire_end(j, step)) {
        uint32_t id = row_of(b, j, journey, step);
        row = &b->rows.items[id];
        if (row->time_ns < earliest)
            row->time_ns = earliest;
        earliest = row->time_ns;
        holed |= row->lead != VIEW_NONE;
        add_place(columns, &n, row->lead);
        add_place(columns, &n, row->from);
        add_place(columns, &n, row->to);
    }
    if (row && j->swallowed)
        row->ends_here = true;
    if (!goes_right(b->call, j))
        reverse(columns, n);
    return (struct view_way){columns, n, holed};
}

/* ---- putting it in order --------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct view_row *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->journey_index != y->journey_index)
        return x->journey_index < y->journey_index ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* The longest ways without a hole tell the order best; those alike stay in order of time. */
static void sort_ways(struct arena *a, struct view_way *ways, size_t n)
{
    size_t longest = 0, out = 0;
    struct view_way *sorted = ARENA_ARRAY(a, struct view_way, n);
    for (size_t i = 0; i < n; i++)
        longest = ways[i].n > longest ? ways[i].n : longest;
    for (int holed = 0; holed < 2; holed++)
        for (size_t length = longest + 1; length-- > 0;)
            for (size_t i = 0; i < n; i++)
                if (ways[i].holed == (holed == 1) && ways[i].n == length)
                    sorted[out++] = ways[i];
    if (n)
        memcpy(ways, sorted, n * sizeof *ways);
}

static void order_columns(struct build *b, struct view_ladder *l)
{
    size_t n = b->columns.n;
    struct view_column *columns = ARENA_ARRAY(b->arena, struct view_column, n);
    sort_ways(b->arena, b->ways, b->call->journey_count);
    const uint32_t *places =
        view_columns_order(b->arena, &b->columns, b->ways, b->call->journey_count);
    for (size_t i = 0; i < n; i++)
        columns[places[i]] = b->columns.items[i];
    for (size_t i = 0; i < b->rows.n; i++) {
        struct view_row *row = &b->rows.items[i];
        row->from = places[row->from];
        row->to = places[row->to];
        row->lead = row->lead == VIEW_NONE ? VIEW_NONE : places[row->lead];
    }
    l->columns = columns;
    l->column_count = n;
}

/* What was not asked for told the columns only. */
static void order_rows(struct build *b, struct view_ladder *l)
{
    struct view_row *rows = ARENA_ARRAY(b->arena, struct view_row, b->rows.n);
    size_t n = 0;
    for (size_t i = 0; i < b->rows.n; i++)
        if (!b->rows.items[i].journey->aside)
            rows[n++] = b->rows.items[i];
    qsort(rows, n, sizeof *rows, by_time);
    l->rows = rows;
    l->row_count = n;
}

/* ---- the call as a whole ----------------------------------------------------------------------
 */

static void describe(struct arena *a, const struct hop_call *call, struct view_ladder *l)
{
    struct slice *ids = ARENA_ARRAY(a, struct slice, call->leg_count);
    *l = (struct view_ladder){.call = call, .call_ids = ids};
    for (size_t i = 0; i < call->leg_count; i++) {
        const struct call_leg *leg = call_leg_of(call->table, call->legs[i]);
        ids[i] = leg->call_id;
        l->oriented |= leg->invited;
        if (i == 0 || leg->start_ns < l->start_ns)
            l->start_ns = leg->start_ns;
        if (i > 0)
            continue;
        l->caller = leg->caller;
        l->callee = leg->callee;
    }
}

struct view_ladder *view_ladder_build(struct arena *a, const struct hop_call *call,
                                      const struct view_options *o)
{
    struct view_ladder *l = ARENA_NEW(a, struct view_ladder);
    struct build b = {.arena = a, .call = call, .options = o};
    describe(a, call, l);
    l->options = o;
    b.clock_count = view_clocks(a, call, &b.clocks, &b.points);
    b.ways = ARENA_ARRAY(a, struct view_way, call->journey_count);
    for (uint32_t i = 0; i < call->journey_count; i++)
        b.ways[i] = add_journey(&b, i);
    order_columns(&b, l);
    order_rows(&b, l);
    l->clocks = b.clocks;
    l->clock_count = b.clock_count;
    l->headers_left_out = b.headers_left_out;
    map_free(&b.index);
    vec_free(&b.rows);
    vec_free(&b.columns);
    arena_free(&b.scratch);
    return l;
}

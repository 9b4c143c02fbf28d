/* Points: one for each source, and one for each capture agent whose messages came by HEP in it. */
#include "trace/internal.h"

#include <string.h>

void trace_point_of_source(struct trace *t, struct trace_input *in)
{
    in->point = (uint16_t)vec_next(&t->points);
    t->points.items[in->point] = (struct trace_point){.name = in->name,
                                                      .path = in->path,
                                                      .source_point = in->point,
                                                      .source = source_stats(in->source),
                                                      .packet = packet_stats(in->decoder),
                                                      .decoder = in->decoder};
    *vec_add(&t->point_inputs) = in;
}

/* Points stay where they are from now on: while messages are filed, a source may be read by another
 * thread, which notes of its point what it sees. */
void trace_points_begin(struct trace *t)
{
    while (t->points.cap < t->points.n + TRACE_HEP_POINTS_MAX + TRACE_MEMBERS_MAX)
        t->points.items = vec_grow(t->points.items, &t->points.cap, sizeof *t->points.items);
}

/* What was seen of a source goes for its agents. */
void trace_points_end(struct trace *t)
{
    for (size_t i = 0; i < t->points.n; i++) {
        struct trace_point *p = &t->points.items[i];
        const struct trace_point *source = &t->points.items[t->point_inputs.items[i]->point];
        if (!p->by_hep)
            continue;
        memcpy(p->link_types, source->link_types, sizeof p->link_types);
        p->link_type_count = source->link_type_count;
        p->is_log = source->is_log;
    }
}

static bool name_is_taken(const struct trace *t, struct slice name)
{
    for (size_t i = 0; i < t->points.n; i++)
        if (slice_is(name, t->points.items[i].name))
            return true;
    return false;
}

/* Of a point that comes of another source: where a point has that name, the source's goes before
 * it.
 */
static struct slice name_within(struct trace *t, const struct trace_input *in, struct slice name)
{
    while (name_is_taken(t, name))
        name = arena_printf(&t->names, "%s:%.*s", in->name, SLICE_ARG(name));
    return name;
}

/* Sources that have come of this one are points as any other.  Those beyond the limit are closed.
 */
bool trace_take_members(struct trace *t, struct trace_input *in, struct err *err)
{
    struct source *s;
    while ((s = source_member(in->source)) != NULL) {
        if (t->members >= TRACE_MEMBERS_MAX) {
            t->members_left_out++;
            source_close(s);
            continue;
        }
        t->members++;
        t->points.items[in->point].agents++;
        if (!trace_join(t, s, name_within(t, in, slice_of(source_name(s))), err))
            return false;
    }
    return true;
}

static uint64_t agent_hash(const struct trace *t, const struct trace_input *in, uint32_t agent)
{
    const uint32_t key[] = {in->point, agent};
    return hash_bytes(&t->key, key, sizeof key);
}

static uint16_t agent_new(struct trace *t, struct trace_input *in, uint32_t agent)
{
    size_t id = t->points.n;
    if (t->agents >= TRACE_HEP_POINTS_MAX || id >= UINT16_MAX) {
        t->agents_left_out++;
        return in->point;
    }
    const char *name = name_within(t, in, arena_printf(&t->names, "%u", agent)).p;
    struct trace_point *source = &t->points.items[in->point];
    source->agents++;
    struct trace_point point = {.name = name,
                                .path = in->path,
                                .by_hep = true,
                                .agent = agent,
                                .source_point = in->point,
                                .source = source->source,
                                .packet = source->packet};
    *vec_add(&t->points) = point;
    *vec_add(&t->point_inputs) = in;
    map_add(&t->agent_index, agent_hash(t, in, agent), (uint32_t)id);
    hop_nodes_add_point(t->nodes, name);
    if (!t->browse.on)
        call_table_wait(t->calls, CALL_WAITING_MANY);
    t->agents++;
    return (uint16_t)id;
}

uint16_t trace_point_of(struct trace *t, struct trace_input *in, const struct packet_payload *p)
{
    if (!p->has_agent)
        return in->point;
    uint64_t hash = agent_hash(t, in, p->agent);
    uint32_t id;
    for (uint32_t at = map_first(&t->agent_index, hash);
         (id = map_next(&t->agent_index, hash, &at)) != MAP_NONE;)
        if (t->point_inputs.items[id] == in && t->points.items[id].agent == p->agent)
            return (uint16_t)id;
    return agent_new(t, in, p->agent);
}

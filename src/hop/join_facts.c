/* What a leg's INVITE tells for joining it to another: values, numbers, places, times. */
#include "hop/join.h"

#include <stdlib.h>

uint64_t join_key_of(const struct hop_joiner *j, char kind, const void *bytes, size_t n)
{
    return hash_mix(hash_bytes(&j->key, bytes, n), (uint64_t)kind);
}

/* `what` is a keyed hash already, so that mixing the second in needs no key. */
uint64_t join_second_key(uint64_t what, int64_t time_ns, int64_t apart)
{
    return hash_mix(what, (uint64_t)(time_ns / 1000000000 + apart)) * 0x9e3779b97f4a7c15u;
}

/* The last nine digits (formats differ in front of them), or the whole name where it is no number.
 */
static uint64_t number_hash(const struct hop_joiner *j, struct slice user)
{
    char digits[9];
    size_t n = 0;
    for (size_t i = user.n; i-- > 0 && n < sizeof digits;)
        if (user.p[i] >= '0' && user.p[i] <= '9')
            digits[n++] = user.p[i];
    if (n >= 7)
        return join_key_of(j, 'n', digits, n);
    return user.n ? join_key_of(j, 'n', user.p, user.n) : 0;
}

static void add_key(struct join_facts *f, uint64_t key)
{
    for (size_t i = 0; i < f->keys.n; i++)
        if (f->keys.items[i] == key)
            return;
    if (key)
        *vec_add(&f->keys) = key;
}

/* Nobody writes it twice by chance: eight characters at least, a digit among them. */
static bool is_unguessable(struct slice value)
{
    bool digit = false;
    for (size_t i = 0; i < value.n; i++)
        digit |= value.p[i] >= '0' && value.p[i] <= '9';
    return value.n >= 8 && digit;
}

static bool is_custom(struct slice name)
{
    return name.n > 2 && (name.p[0] | 0x20) == 'x' && name.p[1] == '-';
}

static void add_values(struct hop_joiner *j, struct join_facts *f, const struct sip_message *m)
{
    add_key(f, join_key_of(j, 'v', m->call_id.p, m->call_id.n));
    for (uint32_t i = 0; i < m->header_count && f->keys.n < JOIN_VALUES_MAX; i++) {
        const struct sip_header *h = &m->headers[i];
        if (h->cut || !(h->id == SIP_HEADER_SESSION_ID || is_custom(h->name)))
            continue;
        struct slice value = slice_first(h->value, slice_find(h->value, ';'));
        uint64_t key = join_key_of(j, 'v', value.p, value.n);
        if (!is_unguessable(value) ||
            join_carriers(j, key, JOIN_MANY) >= JOIN_MANY) /* what many carry is no key */
            continue;
        if (value.n >= JOIN_LONG_VALUE)
            f->long_values |= 1u << f->keys.n;
        add_key(f, key);
    }
    f->value_count = f->keys.n;
}

/* ---- as the messages come ------------------------------------------------------------------- */

static bool tag_is_livekit(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(m, id);
    struct slice tag;
    return h && sip_param(h->value, SLICE("tag"), &tag) && hop_tag_is_livekit(tag);
}

static bool has_one_via(const struct sip_message *m)
{
    size_t n = 0;
    for (uint32_t i = 0; i < m->header_count && n < 2; i++) {
        if (m->headers[i].id != SIP_HEADER_VIA)
            continue;
        struct slice rest = m->headers[i].value, one;
        if (slice_find(rest, ',') == rest.n)
            n++;
        else
            while (n < 2 && sip_list_next(&rest, &one))
                n++;
    }
    return n <= 1;
}

struct join_facts *join_facts_met(const struct hop_joiner *j, const struct join_met *met)
{
    struct join_facts *f = met->leg < j->legs.n ? j->legs.items[met->leg] : NULL;
    return f && f->serial == met->serial ? f : NULL;
}

void join_facts_free(struct join_facts *f)
{
    if (!f)
        return;
    vec_free(&f->keys);
    vec_free(&f->invites);
    free(f);
}

void hop_joiner_forget(struct hop_joiner *j, uint32_t leg)
{
    if (leg >= j->legs.n || !j->legs.items[leg])
        return;
    struct join_facts *f = j->legs.items[leg];
    for (size_t i = 0; i < f->keys.n; i++)
        if (f->indexed >> i & 1)
            map_remove(&j->index, f->keys.items[i], leg);
    join_facts_free(f);
    j->legs.items[leg] = NULL;
}

static struct join_facts *facts_of(struct hop_joiner *j, const struct call_leg *l, uint32_t leg)
{
    while (j->legs.n <= leg) {
        *vec_add(&j->legs) = NULL;
        *vec_add(&j->marks) = 0;
    }
    if (!j->legs.items[leg]) {
        j->legs.items[leg] = base_alloc(sizeof *j->legs.items[leg]);
        j->legs.items[leg]->from_tag = l->from_tag;
        j->legs.items[leg]->serial = ++j->serials;
    }
    return j->legs.items[leg];
}

/* The leg's first INVITE: what stands in it, and who calls whom. */
static void first_invite(struct hop_joiner *j, const struct call_leg *l, struct join_facts *f,
                         const struct call_sighting *s, const struct sip_message *m)
{
    f->known = true;
    f->cseq = s->cseq;
    f->start_ns = s->time_ns;
    f->from_tag = l->from_tag;
    add_values(j, f, m);
    add_key(f, f->from_tag ? join_key_of(j, 'f', &f->from_tag, sizeof f->from_tag) : 0);
    f->lasting = f->keys.n;
    f->caller = number_hash(j, l->caller);
    f->callee = number_hash(j, l->callee);
    f->parties = f->caller && f->callee ? hash_mix(f->caller, f->callee) : 0;
    if (f->parties)
        add_key(f, join_second_key(f->parties, f->start_ns, 0));
}

/* The ring of what comes in at a place; NULL: there is none, and none is wanted or to be had. */
static struct join_ring *ring_of(struct hop_joiner *j, uint64_t place, bool make)
{
    uint32_t id;
    for (uint32_t at = map_first(&j->ring_index, place);
         (id = map_next(&j->ring_index, place, &at)) != MAP_NONE;)
        if (j->rings.items[id].place == place)
            return &j->rings.items[id];
    if (!make || j->rings.n >= JOIN_RINGS_MAX)
        return NULL;
    id = (uint32_t)vec_next(&j->rings);
    j->rings.items[id] = (struct join_ring){.place = place};
    map_add(&j->ring_index, place, id);
    return &j->rings.items[id];
}

/* A place: an address at a point; or the point's own host, whichever its addresses.  0: none. */
static uint64_t place_of(const struct hop_joiner *j, uint16_t point, const struct address *at)
{
    if (address_is_none(at))
        return 0;
    return join_key_of(j, 'p', at->bytes, sizeof at->bytes) + point * 0x9e3779b97f4a7c15u;
}

static uint64_t host_of(const struct hop_joiner *j, uint16_t point)
{
    return join_key_of(j, 'h', &point, sizeof point);
}

static void came_in(struct hop_joiner *j, uint64_t place, const struct join_met *me)
{
    struct join_ring *ring = place ? ring_of(j, place, true) : NULL;
    if (ring)
        ring->met[ring->next++ % JOIN_RING] = *me;
}

static void meet(struct join_facts *f, const struct join_met *other)
{
    for (size_t i = 0; i < f->near_count; i++)
        if (f->near[i].serial == other->serial)
            return;
    if (f->near_count < JOIN_NEAR_MAX)
        f->near[f->near_count++] = *other;
}

/* What begins here may go on with what came in here shortly before. */
static void begins(struct hop_joiner *j, uint64_t place, struct join_facts *f,
                   const struct join_met *me)
{
    const struct join_ring *ring = place ? ring_of(j, place, false) : NULL;
    for (size_t i = 0; ring && i < JOIN_RING; i++) {
        const struct join_met *met = &ring->met[i];
        int64_t apart = me->time_ns - met->time_ns;
        if (!met->serial || met->serial == me->serial || apart < 0 ||
            apart > (int64_t)JOIN_SECONDS * 1000000000)
            continue;
        struct join_facts *other = join_facts_met(j, met);
        if (!other)
            continue;
        meet(f, met);
        meet(other, me);
    }
}

static void invite_at(struct hop_joiner *j, struct join_facts *f, const struct call_sighting *s,
                      const struct call_flow *flow, bool first_hop)
{
    struct join_met me = {s->leg, f->serial, s->time_ns};
    if (f->invites.n == JOIN_INVITES_MAX)
        return;
    *vec_add(&f->invites) =
        (struct join_invite){flow->src, flow->dst, s->time_ns, s->point, s->direction, first_hop};
    if (first_hop) {
        begins(j, place_of(j, s->point, &flow->src.ip), f, &me);
        if (s->direction == SOURCE_OUT)
            begins(j, host_of(j, s->point), f, &me);
    }
    came_in(j, place_of(j, s->point, &flow->dst.ip), &me);
    if (s->direction == SOURCE_IN)
        came_in(j, host_of(j, s->point), &me);
}

/* As many legs under one key as are looked at: a million with the same tag or numbers cost no more
 * each than a few. */
static void index_key(struct hop_joiner *j, struct join_facts *f, size_t i, uint32_t leg)
{
    if (join_carriers(j, f->keys.items[i], HOP_CANDIDATES_MAX) == HOP_CANDIDATES_MAX) {
        j->candidates_left_out++;
        return;
    }
    map_add(&j->index, f->keys.items[i], leg);
    f->indexed |= 1u << i;
}

static void note_answer(struct join_facts *f, const struct call_sighting *s,
                        const struct sip_message *m)
{
    if (f->to_tag || s->status <= 100 || s->status >= 300)
        return;
    f->to_tag = s->to_tag;
    f->begins_at_livekit |= tag_is_livekit(m, SIP_HEADER_FROM);
    f->ends_at_livekit |= tag_is_livekit(m, SIP_HEADER_TO);
}

void hop_joiner_note(struct hop_joiner *j, const struct call_table *t, uint32_t sighting,
                     const struct sip_message *m)
{
    const struct call_sighting *s = call_sighting_of(t, sighting);
    const struct call_leg *l = call_leg_of(t, s->leg);
    if (s->method != SIP_INVITE || (l->invited && s->from_tag && s->from_tag != l->from_tag) ||
        (!s->status && s->to_tag))
        return;
    struct join_facts *f = facts_of(j, l, s->leg);
    size_t keys = f->keys.n;
    if (s->status) {
        note_answer(f, s, m);
    } else if (!f->known || s->cseq == f->cseq) {
        if (!f->known)
            first_invite(j, l, f, s, m);
        f->begins_at_livekit |= tag_is_livekit(m, SIP_HEADER_FROM);
        invite_at(j, f, s, call_flow_of(t, s->flow), has_one_via(m));
    }
    for (; keys < f->keys.n; keys++)
        index_key(j, f, keys, s->leg);
}

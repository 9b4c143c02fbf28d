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

/* The last nine digits (formats differ in front of them), or the whole name where it is no number. */
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
    for (size_t i = 0; i < f->key_count; i++)
        if (f->keys[i] == key)
            return;
    if (key && f->key_count < sizeof f->keys / sizeof *f->keys)
        f->keys[f->key_count++] = key;
}

/* Nobody writes it twice by chance: eight characters at least, a digit among them. */
static bool is_unguessable(struct slice value)
{
    bool digit = false;
    for (size_t i = 0; i < value.n; i++)
        digit |= value.p[i] >= '0' && value.p[i] <= '9';
    return value.n >= 8 && digit;
}

static void add_values(struct hop_joiner *j, struct join_facts *f, const struct sip_message *m)
{
    add_key(f, join_key_of(j, 'v', m->call_id.p, m->call_id.n));
    for (uint32_t i = 0; i < m->header_count && f->key_count < JOIN_VALUES_MAX; i++) {
        const struct sip_header *h = &m->headers[i];
        if (h->cut || !(h->id == SIP_HEADER_SESSION_ID || slice_starts_nocase(h->name, SLICE("X-"))))
            continue;
        struct slice value = slice_first(h->value, slice_find(h->value, ';'));
        if (!is_unguessable(value))
            continue;
        if (value.n >= JOIN_LONG_VALUE)
            f->long_values |= 1u << f->key_count;
        add_key(f, join_key_of(j, 'v', value.p, value.n));
    }
    f->value_count = f->key_count;
}

/* ---- as the messages come ------------------------------------------------------------------------- */

static bool tag_is_livekit(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(m, id);
    struct slice tag;
    return h && sip_param(h->value, "tag", &tag) && hop_tag_is_livekit(tag);
}

static bool has_one_via(const struct sip_message *m)
{
    size_t n = 0;
    for (uint32_t i = 0; i < m->header_count && n < 2; i++) {
        struct slice rest = m->headers[i].value, one;
        while (m->headers[i].id == SIP_HEADER_VIA && n < 2 && sip_list_next(&rest, &one))
            n++;
    }
    return n <= 1;
}

uint64_t join_place(const struct hop_joiner *j, char kind, uint16_t point, const struct address *at)
{
    return hash_mix(join_key_of(j, kind, at->bytes, sizeof at->bytes), point);
}

void hop_joiner_forget(struct hop_joiner *j, uint32_t leg)
{
    if (leg >= j->legs.n || !j->legs.items[leg])
        return;
    struct join_facts *f = j->legs.items[leg];
    for (size_t i = 0; i < f->key_count; i++)
        map_remove(&j->index, f->keys[i], leg);
    free(f);
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
    f->lasting = f->key_count;
    f->caller = number_hash(j, l->caller);
    f->callee = number_hash(j, l->callee);
    f->parties = f->caller && f->callee ? hash_mix(f->caller, f->callee) : 0;
    if (f->parties)
        add_key(f, join_second_key(f->parties, f->start_ns, 0));
}

/* The INVITE comes in somewhere; where it has one Via it begins somewhere. */
static void invite_at(struct hop_joiner *j, struct join_facts *f, const struct call_sighting *s,
                      const struct call_flow *flow, bool first_hop)
{
    if (f->invite_count == JOIN_INVITES_MAX)
        return;
    f->invites[f->invite_count++] =
        (struct join_invite){flow->src, flow->dst, s->time_ns, s->point, first_hop};
    add_key(f, join_second_key(join_place(j, 'e', s->point, &flow->dst.ip), s->time_ns, 0));
    if (first_hop)
        add_key(f, join_second_key(join_place(j, 'b', s->point, &flow->src.ip), s->time_ns, 0));
}

static void note_answer(struct join_facts *f, const struct call_sighting *s, const struct sip_message *m)
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
    if (s->method != SIP_INVITE || (l->invited && s->from_tag != l->from_tag))
        return;
    struct join_facts *f = facts_of(j, l, s->leg);
    size_t keys = f->key_count;
    if (s->status) {
        note_answer(f, s, m);
    } else if (!f->known || s->cseq == f->cseq) {
        if (!f->known)
            first_invite(j, l, f, s, m);
        f->begins_at_livekit |= tag_is_livekit(m, SIP_HEADER_FROM);
        invite_at(j, f, s, call_flow_of(t, s->flow), has_one_via(m));
    }
    for (; keys < f->key_count; keys++)
        map_add(&j->index, f->keys[keys], s->leg);
}

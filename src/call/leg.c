/* Legs: the messages of one Call-ID, and the state that says when they are over. */
#include "call/internal.h"

#include <stdlib.h>
#include <string.h>

/* Call-IDs compare byte by byte (RFC 3261 8.1.1.4, 20.8). */
static uint32_t leg_find(const struct call_table *t, struct slice call_id, uint64_t hash)
{
    uint32_t id;
    for (uint32_t at = map_first(&t->leg_index, hash);
         (id = map_next(&t->leg_index, hash, &at)) != MAP_NONE;)
        if (slice_equal(t->legs.items[id].call_id, call_id))
            return id;
    return CALL_NONE;
}

static uint32_t leg_new(struct call_table *t, struct slice call_id, uint64_t hash, int64_t time_ns)
{
    uint32_t id = t->free_leg, generation = 0;
    if (id != CALL_NONE) {
        t->free_leg = t->legs.items[id].newer;
        generation = t->legs.items[id].generation;
    } else {
        id = (uint32_t)vec_next(&t->legs);
    }
    struct call_leg *l = &t->legs.items[id];
    *l = (struct call_leg){.start_ns = time_ns,
                           .last_ns = time_ns,
                           .first = CALL_NONE,
                           .last = CALL_NONE,
                           .tag = (uint32_t)(hash >> 32),
                           .generation = generation,
                           .number = (uint32_t)t->stats.legs + 1,
                           .asked = (uint32_t)t->wants.n,
                           .list = CALL_FREE};
    l->text = base_alloc(call_id.n + 1);
    memcpy(l->text, call_id.p, call_id.n);
    l->call_id = (struct slice){l->text, call_id.n};
    map_add(&t->leg_index, hash, id);
    t->stats.legs++;
    return id;
}

/* A message that cannot begin a leg, under a Call-ID that was handed out not long ago. */
static bool is_late(const struct call_table *t, const struct sip_message *m, uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);
    return t->retired[tag % CALL_RETIRED_SLOTS] == tag &&
           (m->kind == SIP_RESPONSE || m->method_id == SIP_ACK || m->method_id == SIP_BYE);
}

uint32_t call_leg_file(struct call_table *t, const struct packet_payload *p,
                       const struct sip_message *m)
{
    uint64_t hash = hash_slice(&t->key, m->call_id);
    uint32_t id = leg_find(t, m->call_id, hash);
    if (id == CALL_NONE) {
        if (is_late(t, m, hash))
            t->stats.late++;
        id = leg_new(t, m->call_id, hash, p->time_ns);
    }
    return id;
}

static struct slice user_of(struct call_table *t, const struct sip_message *m,
                            enum sip_header_id id)
{
    const struct sip_header *h = sip_header_first(m, id);
    struct sip_address address;
    if (h && !h->folded && sip_plain_user(h->value, &address.user))
        return address.user;
    if (!h || !sip_address_parse(&t->scratch, sip_unfold(&t->scratch, h), &address))
        return SLICE_NONE;
    return address.user;
}

/* An INVITE within a dialog may come from either side: it does not tell who called. */
static bool begins_dialog(const struct sip_message *m)
{
    const struct sip_header *to = sip_header_first(m, SIP_HEADER_TO);
    struct slice tag;
    return m->kind == SIP_REQUEST && m->method_id == SIP_INVITE &&
           !(to && sip_param(to->value, SLICE("tag"), &tag));
}

/* Caller and callee by the first INVITE, else by the first message. */
static void leg_name(struct call_table *t, struct call_leg *l, const struct sip_message *m)
{
    struct slice caller = user_of(t, m, SIP_HEADER_FROM), callee = user_of(t, m, SIP_HEADER_TO);
    size_t n = l->call_id.n;
    char *text = base_alloc(n + caller.n + callee.n + 1);
    memcpy(text, l->call_id.p, n);
    if (caller.n)
        memcpy(text + n, caller.p, caller.n);
    if (callee.n)
        memcpy(text + n + caller.n, callee.p, callee.n);
    free(l->text);
    l->text = text;
    l->call_id = (struct slice){text, n};
    l->caller = (struct slice){text + n, caller.n};
    l->callee = (struct slice){text + n + caller.n, callee.n};
    arena_reset(&t->scratch);
}

static bool makes_dialog(enum sip_method method)
{
    return method == SIP_INVITE || method == SIP_ACK || method == SIP_BYE || method == SIP_CANCEL ||
           method == SIP_PRACK || method == SIP_INFO || method == SIP_REFER || method == SIP_UPDATE;
}

static void note_request(struct call_table *t, struct call_leg *l, const struct sip_message *m,
                         int64_t time_ns)
{
    if (begins_dialog(m)) {
        if (!l->invited) {
            leg_name(t, l, m);
            l->from_tag = t->sightings.items[l->last].from_tag;
            l->method = SIP_INVITE;
        }
        l->invited = true;
        l->refused = false;
    } else if (m->method_id == SIP_BYE) {
        l->bye = true;
        if (!l->end_ns || time_ns < l->end_ns)
            l->end_ns = time_ns;
    } else if (m->method_id == SIP_CANCEL) {
        l->cancelled = true;
    }
}

static void note_response(struct call_leg *l, const struct sip_message *m, int64_t time_ns)
{
    if (m->status < 200)
        return;
    if (m->method_id != SIP_INVITE) {
        l->other_final = true;
    } else if (m->status < 300) {
        l->accepted = true;
        l->status = m->status;
        if (!l->answer_ns || time_ns < l->answer_ns)
            l->answer_ns = time_ns;
    } else {
        l->refused = true;
        if (!l->accepted)
            l->status = m->status;
        if (!l->accepted && !l->end_ns)
            l->end_ns = time_ns;
    }
}

bool call_leg_ended(const struct call_leg *l)
{
    return l->bye || (l->invited && l->refused && !l->accepted) || (!l->dialog && l->other_final);
}

void call_leg_note(struct call_table *t, const struct call_filing *filing,
                   const struct packet_payload *p, const struct sip_message *m)
{
    uint32_t leg = filing->leg;
    struct call_leg *l = &t->legs.items[leg];
    if (l->messages++ == 0) {
        if (!begins_dialog(m)) /* which names it below */
            leg_name(t, l, m);
        l->method = (uint8_t)m->method_id;
    }
    if (p->time_ns > l->last_ns)
        l->last_ns = p->time_ns;
    if (p->time_ns < l->start_ns)
        l->start_ns = p->time_ns;
    l->dialog |= makes_dialog(m->method_id);
    if (m->kind == SIP_REQUEST)
        note_request(t, l, m, p->time_ns);
    else
        note_response(l, m, p->time_ns);
    if (t->live)
        call_live_note(t, leg, filing, m);
    else
        call_list_move(t, leg, call_leg_ended(l) ? CALL_OVER_SOON : CALL_ACTIVE);
}

void call_leg_free(struct call_table *t, uint32_t leg)
{
    struct call_leg *l = &t->legs.items[leg];
    call_list_move(t, leg, CALL_FREE);
    map_remove(&t->leg_index, call_hash_of_tag(l->tag), leg);
    call_sightings_free(t, l->first);
    for (size_t i = 0; i < l->kept.n; i++)
        free(l->kept.items[i]);
    vec_free(&l->kept);
    call_values_free(t, l);
    t->kept_bytes -= l->kept_bytes;
    t->retired[l->tag % CALL_RETIRED_SLOTS] = l->tag;
    free(l->text);
    l->text = NULL;
    l->generation++;
    l->newer = t->free_leg;
    t->free_leg = leg;
    t->stats.legs_ended++;
}

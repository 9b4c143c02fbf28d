/* Messages that the snap length cut before their Call-ID: kept by the branches of their Vias, which
 * stand above it in nearly all messages (RFC 3261 7.3.1 asks for that). */
#include "call/internal.h"

static uint64_t branch_hash(const struct call_table *t, struct slice branch)
{
    return hash_mix(hash_slice(&t->key, branch), 'o');
}

/* False: as many as may be are found by this branch already. */
static bool index_via(struct call_table *t, struct slice via, uint32_t sighting)
{
    struct slice branch;
    if (!sip_param(via, SLICE("branch"), &branch) || branch.n == 0)
        return true;
    uint64_t hash = branch_hash(t, branch);
    uint32_t n = 0;
    for (uint32_t at = map_first(&t->orphan_index, hash);
         n < CALL_ORPHANS_SHARING && map_next(&t->orphan_index, hash, &at) != MAP_NONE;)
        n++;
    if (n == CALL_ORPHANS_SHARING)
        return false;
    map_add(&t->orphan_index, hash, sighting);
    return true;
}

static void index_vias(struct call_table *t, const struct sip_message *m, uint32_t sighting)
{
    uint32_t n = 0;
    bool all = true;
    for (uint32_t i = 0; i < m->header_count && n < CALL_ORPHAN_VIAS; i++) {
        struct slice rest = m->headers[i].value, via;
        if (m->headers[i].id != SIP_HEADER_VIA || m->headers[i].cut)
            continue;
        for (; n < CALL_ORPHAN_VIAS && sip_list_next(&rest, &via); n++)
            all &= index_via(t, via, sighting);
    }
    t->stats.orphans_lost += !all;
}

void call_orphan_file(struct call_table *t, uint16_t point, const struct packet_payload *p,
                      const struct sip_message *m, struct call_filing *filing)
{
    if (!t->follow || m->headers_complete || !sip_header_first(m, SIP_HEADER_VIA))
        return;
    if (t->orphans >= CALL_ORPHANS_MAX) {
        t->stats.orphans_lost++;
        return;
    }
    call_sighting_file(t, CALL_NONE, point, p, m, filing);
    if (filing->retransmission || filing->duplicate)
        return;
    t->orphans++;
    t->sightings.items[filing->sighting].next = t->first_orphan;
    t->first_orphan = filing->sighting;
    index_vias(t, m, filing->sighting);
}

void call_orphans(const struct call_table *t, struct slice branch,
                  void (*visit)(void *context, uint32_t sighting), void *context)
{
    uint32_t id;
    if (!t->orphans || branch.n == 0)
        return;
    uint64_t hash = branch_hash(t, branch);
    for (uint32_t at = map_first(&t->orphan_index, hash);
         (id = map_next(&t->orphan_index, hash, &at)) != MAP_NONE;)
        if (!t->sightings.items[id].taken)
            visit(context, id);
}

void call_orphan_take(struct call_table *t, uint32_t sighting)
{
    t->sightings.items[sighting].taken = true;
}

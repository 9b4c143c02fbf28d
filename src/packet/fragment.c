/* Puts fragmented datagrams together (RFC 791, RFC 8200), whatever comes in whatever order.
 *
 * A set holds one datagram in blocks of 64 units of 8 bytes, which is what fragments are counted
 * in.  Two bits a unit say whether it was on the wire and whether it was captured, so each fragment
 * costs time in proportion to its bytes, however many came before.  All sets stand in one queue by
 * age.
 *
 * What a datagram carries may be a fragment of another, in a tunnel.  So a set has left the table,
 * or is done with, before its datagram is handed on.  What comes back meanwhile may complete
 * another datagram, which takes its place in the one buffer, but hands on nothing by age or limit:
 * its own bytes stand there until they were added. */
#include "packet/fragment.h"

#include <stdlib.h>

#define SECOND 1000000000u

/* A capture that shows each frame twice shows the second copy within this time. */
#define REPEAT_NS SECOND

struct packet_fragments *packet_fragments_new(const struct hash_key *key)
{
    struct packet_fragments *t = base_alloc(sizeof *t);
    t->key = *key;
    t->free_set = t->oldest = t->newest = NONE;
    return t;
}

/* ---- the queue of sets ----------------------------------------------------------------------- */

static struct fragment_set *set_new(struct packet_fragments *t, const struct fragment_key *key,
                                    uint64_t hash)
{
    uint32_t id = t->free_set;
    if (id == NONE) {
        id = (uint32_t)t->sets.n;
        (void)vec_add(&t->sets);
    } else {
        t->free_set = t->sets.items[id].newer;
    }
    struct fragment_set *set = &t->sets.items[id];
    *set = (struct fragment_set){
        .key = *key, .hash = hash, .older = t->newest, .newer = NONE, .total = NONE};
    if (t->newest != NONE)
        t->sets.items[t->newest].newer = id;
    else
        t->oldest = id;
    t->newest = id;
    map_add(&t->index, hash, id);
    t->held++;
    t->bytes += sizeof *set;
    return set;
}

static void set_remove(struct packet_fragments *t, struct fragment_set *set)
{
    uint32_t id = (uint32_t)(set - t->sets.items);
    packet_set_release(t, set);
    map_remove(&t->index, set->hash, id);
    if (set->older != NONE)
        t->sets.items[set->older].newer = set->newer;
    else
        t->oldest = set->newer;
    if (set->newer != NONE)
        t->sets.items[set->newer].older = set->older;
    else
        t->newest = set->older;
    set->newer = t->free_set;
    t->free_set = id;
    t->held--;
    t->bytes -= sizeof *set;
}

static struct fragment_set *set_find(struct packet_fragments *t, const struct fragment_key *key,
                                     uint64_t hash)
{
    uint32_t at = map_first(&t->index, hash), id;
    while ((id = map_next(&t->index, hash, &at)) != MAP_NONE)
        if (memcmp(&t->sets.items[id].key, key, sizeof *key) == 0)
            return &t->sets.items[id];
    return NULL;
}

/* Clocks may go backwards; that ends nothing. */
static bool is_older(const struct fragment_set *set, int64_t now, uint64_t limit_ns)
{
    return now > set->time_ns && (uint64_t)now - (uint64_t)set->time_ns > limit_ns;
}

/* ---- handing on ------------------------------------------------------------------------------ */

/* What is there of a set, apart from the table. */
struct datagram {
    struct packet_context x;
    struct fragment_frames frames;
    struct packet_view v;
    uint8_t protocol;
};

static struct datagram take_out(struct packet_decoder *d, struct fragment_set *set)
{
    struct packet_fragments *t = d->fragments;
    struct datagram g = {.frames = packet_set_take_frames(t, set), .protocol = set->protocol};
    uint32_t n = packet_set_copy(set, t->datagram);
    uint32_t total = set->total == NONE ? DATAGRAM_BYTES : set->total;
    g.v = (struct packet_view){{t->datagram, n}, total - n};
    g.x = (struct packet_context){.d = d,
                                  .out = set->out,
                                  .origin = t->datagram,
                                  .depth = set->depth,
                                  .network = set->key.network,
                                  .reassembled = true};
    g.x.out.offset = SOURCE_NO_OFFSET;
    g.x.out.gap = !packet_set_is_cut(set, n);
    return g;
}

/* Sends it through the transports. */
static void hand_on(struct datagram *g)
{
    struct packet_fragments *t = g->x.d->fragments;
    g->x.out.frames = g->frames.items;
    g->x.out.frame_count = g->frames.n;
    t->handing++;
    if (g->v.bytes.n)
        packet_read_protocol(&g->x, g->protocol, g->v);
    t->handing--;
    vec_free(&g->frames);
}

/* Ends a set by age or limit. */
static void end_set(struct packet_decoder *d, struct fragment_set *set, uint64_t *counter)
{
    if (set->state != WAITING) {
        set_remove(d->fragments, set);
        return;
    }
    struct datagram g = take_out(d, set);
    ++*counter;
    set_remove(d->fragments, set);
    hand_on(&g);
}

static void end_old(struct packet_decoder *d, int64_t now)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != NONE && !t->handing) {
        struct fragment_set *set = &t->sets.items[t->oldest];
        if (!is_older(set, now, (uint64_t)PACKET_FRAGMENT_SECONDS * SECOND))
            break;
        end_set(d, set, &d->stats.fragments_expired);
    }
}

/* The newest set is the one at work and stays. */
static void make_room(struct packet_decoder *d)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != t->newest && !t->handing &&
           (t->held > PACKET_FRAGMENT_SETS || t->bytes > PACKET_FRAGMENT_BYTES))
        end_set(d, &t->sets.items[t->oldest], &d->stats.fragments_evicted);
}

/* If some fragments came twice, so will the rest; if none did, a second round is a datagram of its
 * own. */
static void complete(struct packet_context *x, struct fragment_set *set)
{
    struct packet_fragments *t = x->d->fragments;
    struct datagram g = take_out(x->d, set);
    x->d->stats.reassembled++;
    if (set->again == 0 || set->again >= set->units) {
        set_remove(t, set);
    } else {
        packet_set_release(t, set);
        set->again = set->units - set->again;
        set->state = COMPLETE;
        set->time_ns = x->out.time_ns;
    }
    hand_on(&g);
}

static void push_again(struct packet_fragments *t, struct fragment_set *set, uint32_t units)
{
    if (units >= set->again)
        set_remove(t, set);
    else
        set->again -= units;
}

/* The set that a fragment belongs to; one that is too old is ended first. */
static struct fragment_set *set_at_work(struct packet_context *x, const struct packet_fragment *f)
{
    struct packet_fragments *t = x->d->fragments;
    struct fragment_key key = {.id = x->out.ip_id,
                               .network = x->network,
                               .protocol = f->key_protocol,
                               .family = x->out.src.ip.family};
    memcpy(key.src, x->out.src.ip.bytes, sizeof key.src);
    memcpy(key.dst, x->out.dst.ip.bytes, sizeof key.dst);
    uint64_t hash = hash_bytes(&t->key, &key, sizeof key);
    end_old(x->d, x->out.time_ns);
    struct fragment_set *set = set_find(t, &key, hash);
    uint64_t limit_ns =
        set && set->state == COMPLETE ? REPEAT_NS : (uint64_t)PACKET_FRAGMENT_SECONDS * SECOND;
    bool may_end = !t->handing || (set && set->state != WAITING);
    if (set && may_end && is_older(set, x->out.time_ns, limit_ns)) {
        end_set(x->d, set, &x->d->stats.fragments_expired);
        set = NULL;
    }
    if (!set) {
        set = set_new(t, &key, hash);
        set->time_ns = x->out.time_ns;
    }
    return set;
}

void packet_fragments_push(struct packet_context *x, const struct packet_fragment *f)
{
    struct packet_fragments *t = x->d->fragments;
    size_t n = f->v.bytes.n + f->v.missing;
    x->d->stats.fragments++;
    if (x->reassembled || n == 0 || (f->more && n % UNIT) || f->at + n > DATAGRAM_BYTES) {
        packet_malformed(x);
        return;
    }
    struct fragment_set *set = set_at_work(x, f);
    if (set->state == COMPLETE)
        push_again(t, set, packet_set_units(n));
    else if (set->state == WAITING)
        packet_set_add(x, set, f);
    if (set->state == WAITING && set->total != NONE && set->units == packet_set_units(set->total))
        complete(x, set);
    make_room(x->d);
}

void packet_fragments_flush(struct packet_decoder *d)
{
    struct packet_fragments *t = d->fragments;
    while (t->oldest != NONE)
        end_set(d, &t->sets.items[t->oldest], &d->stats.fragments_expired);
}

void packet_fragments_free(struct packet_fragments *t)
{
    while (t->oldest != NONE)
        set_remove(t, &t->sets.items[t->oldest]);
    while (t->free_blocks) {
        struct fragment_block *next = t->free_blocks->next;
        free(t->free_blocks);
        t->free_blocks = next;
    }
    map_free(&t->index);
    vec_free(&t->sets);
    free(t);
}

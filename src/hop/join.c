/* Legs of one call under differing Call-IDs.  Topology hiding keeps tags and CSeq; a back-to-back user agent keeps
 * nothing for certain, so its legs are joined by a score: a value that nobody guesses on both INVITEs, the node that
 * received the one and began the other, numbers, time.  Only a best match that is best for both sides counts. */
#include "hop/internal.h"

#include <stdlib.h>
#include <string.h>

#define JOIN_INVITES_MAX 16u /* sightings of a leg's INVITE that are remembered */
#define JOIN_VALUES_MAX  32u /* header values of an INVITE that may be a key */
#define JOIN_SECONDS     4   /* a B2BUA begins its second leg within so much of the first */
#define JOIN_SCORE       50

/* What speaks for a joint, and how much. */
static const struct reason {
    const char *text;
    int points;
} reasons[] = {
    {"same tags and CSeq", 100},  {"same header value on both INVITEs", 60},
    {"one node received and sent", 30}, {"same callee", 15},
    {"same caller", 15},          {"near in time", 10},
    {"no other fits as well", 10}};

enum { BY_TAGS = 1, BY_VALUE = 2, BY_PLACE = 4, BY_CALLEE = 8, BY_CALLER = 16, BY_TIME = 32, BY_BEING_ONLY = 64 };

struct invite {
    struct endpoint src, dst;
    uint32_t src_node, dst_node; /* when it was learned; hop_root makes them today's */
    int64_t time_ns;
    uint16_t point;
    bool first_hop; /* one Via: as its maker sent it */
};

struct facts {
    bool known;
    uint32_t from_tag, to_tag, cseq;
    int64_t start_ns;
    uint64_t caller, callee; /* hashes of the last digits; 0: none */
    struct invite invites[JOIN_INVITES_MAX];
    size_t invite_count;
    uint64_t keys[JOIN_VALUES_MAX + 4 + JOIN_INVITES_MAX];
    size_t key_count;
    size_t value_count; /* the first keys are values */
    bool begins_at_livekit, ends_at_livekit; /* by LiveKit's tag: it lies first, or last */
};

struct hop_joiner {
    struct hash_key key;
    VEC(struct facts *) legs; /* by leg id */
    struct map index;         /* key -> leg */
    struct sip_scanner *scanner;
    uint64_t candidates_left_out;
};

struct hop_joiner *hop_joiner_new(const struct hash_key *key)
{
    struct hop_joiner *j = base_alloc(sizeof *j);
    j->key = *key;
    j->scanner = sip_scanner_new();
    return j;
}

void hop_joiner_free(struct hop_joiner *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->legs.n; i++)
        free(j->legs.items[i]);
    vec_free(&j->legs);
    map_free(&j->index);
    sip_scanner_free(j->scanner);
    free(j);
}

uint64_t hop_joiner_left_out(const struct hop_joiner *j)
{
    return j->candidates_left_out;
}

/* ---- what a leg tells ----------------------------------------------------------------------------- */

static uint64_t key_of(const struct hop_joiner *j, char kind, const void *bytes, size_t n)
{
    return hash_mix(hash_bytes(&j->key, bytes, n), (uint64_t)kind);
}

/* Something (a point, a number) in a second: what is looked for among the legs of that time only. */
static uint64_t second_key(const struct hop_joiner *j, uint64_t what, int64_t time_ns, int64_t apart)
{
    const uint64_t at[2] = {what, (uint64_t)(time_ns / 1000000000 + apart)};
    return key_of(j, 't', at, sizeof at);
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
        return key_of(j, 'n', digits, n);
    return user.n ? key_of(j, 'n', user.p, user.n) : 0;
}

static void add_key(struct facts *f, uint64_t key)
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

static void add_values(struct hop_joiner *j, struct facts *f, const struct sip_message *m)
{
    add_key(f, key_of(j, 'v', m->call_id.p, m->call_id.n));
    for (uint32_t i = 0; i < m->header_count && f->key_count < JOIN_VALUES_MAX; i++) {
        const struct sip_header *h = &m->headers[i];
        if (h->cut || !(h->id == SIP_HEADER_SESSION_ID || slice_starts_nocase(h->name, SLICE("X-"))))
            continue;
        struct slice value = slice_first(h->value, slice_find(h->value, ';'));
        if (is_unguessable(value))
            add_key(f, key_of(j, 'v', value.p, value.n));
    }
    f->value_count = f->key_count;
}

static void add_marks(struct facts *f, const struct hop_sighting *s)
{
    f->begins_at_livekit |= hop_tag_is_livekit(hop_header_tag(s, SIP_HEADER_FROM));
    f->ends_at_livekit |= hop_tag_is_livekit(hop_header_tag(s, SIP_HEADER_TO));
}

static void add_invite(struct facts *f, const struct hop_sighting *s)
{
    if (f->invite_count < JOIN_INVITES_MAX)
        f->invites[f->invite_count++] =
            (struct invite){s->src, s->dst, s->src_node, s->dst_node, s->index->time_ns,
                            s->index->point, s->via_count <= 1};
}

/* What one sighting of the INVITE or of its answer tells. */
static void learn_sighting(struct hop_joiner *j, const struct call_sighting *s, struct facts *f,
                           const struct hop_sighting *loaded)
{
    add_marks(f, loaded);
    if (s->status) {
        f->to_tag = s->to_tag;
        return;
    }
    if (!f->known)
        add_values(j, f, loaded->message);
    f->known = true;
    f->cseq = s->cseq;
    add_invite(f, loaded);
}

/* The first INVITE of the leg at each of its hops, and the tag that answered it. */
static void learn_sightings(struct hop_joiner *j, const struct call_table *t, const struct hop_nodes *n,
                            uint32_t leg, struct facts *f, struct arena *a, hop_reader *reader,
                            void *context)
{
    const struct call_leg *l = call_leg_of(t, leg);
    for (uint32_t id = l->first; id != CALL_NONE; id = call_sighting_of(t, id)->next) {
        const struct call_sighting *s = call_sighting_of(t, id);
        bool answer = s->status > 100 && s->status < 300 && !f->to_tag;
        bool invite = !s->status && (!f->known || s->cseq == f->cseq) && f->invite_count < JOIN_INVITES_MAX;
        if (s->method != SIP_INVITE || s->from_tag != l->from_tag || !(answer || invite))
            continue;
        struct hop_sighting *loaded = hop_load(a, t, n, id, j->scanner, reader, context);
        if (loaded)
            learn_sighting(j, s, f, loaded);
    }
}

void hop_joiner_forget(struct hop_joiner *j, uint32_t leg)
{
    if (leg >= j->legs.n || !j->legs.items[leg])
        return;
    struct facts *f = j->legs.items[leg];
    for (size_t i = 0; i < f->key_count; i++)
        map_remove(&j->index, f->keys[i], leg);
    free(f);
    j->legs.items[leg] = NULL;
}

void hop_joiner_learn(struct hop_joiner *j, const struct call_table *t, const struct hop_nodes *n,
                      uint32_t leg, hop_reader *reader, void *context)
{
    struct arena a = {0};
    const struct call_leg *l = call_leg_of(t, leg);
    hop_joiner_forget(j, leg);
    while (j->legs.n <= leg)
        *vec_add(&j->legs) = NULL;
    if (!l->invited)
        return;
    struct facts *f = base_alloc(sizeof *f);
    j->legs.items[leg] = f;
    f->from_tag = l->from_tag;
    learn_sightings(j, t, n, leg, f, &a, reader, context);
    f->caller = number_hash(j, l->caller);
    f->callee = number_hash(j, l->callee);
    add_key(f, f->from_tag ? key_of(j, 'f', &f->from_tag, sizeof f->from_tag) : 0);
    if (f->callee)
        add_key(f, second_key(j, f->callee, l->start_ns, 0));
    if (f->caller)
        add_key(f, second_key(j, f->caller, l->start_ns, 0));
    for (size_t i = 0; i < f->invite_count; i++)
        add_key(f, second_key(j, f->invites[i].point, f->invites[i].time_ns, 0));
    f->start_ns = l->start_ns;
    for (size_t i = 0; i < f->key_count; i++)
        map_add(&j->index, f->keys[i], leg);
    arena_free(&a);
}

/* ---- scores --------------------------------------------------------------------------------------- */

struct score {
    unsigned reasons; /* BY_... */
    const struct invite *in, *out; /* BY_PLACE: the joint's two sides */
};

static int points_of(const struct score *s)
{
    int points = 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        points += s->reasons >> i & 1 ? reasons[i].points : 0;
    return points;
}

static void score_print(struct text *out, const struct score *s)
{
    const char *between = "";
    text_printf(out, "score %d: ", points_of(s));
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (s->reasons >> i & 1) {
            text_printf(out, "%s%s %d", between, reasons[i].text, reasons[i].points);
            between = ", ";
        }
}

static bool same_tags(const struct facts *x, const struct facts *y)
{
    return x->from_tag && x->from_tag == y->from_tag && x->cseq == y->cseq &&
           (!x->to_tag || !y->to_tag || x->to_tag == y->to_tag);
}

/* How many legs carry a value: more than two, and it tells nothing. */
static size_t carriers(const struct hop_joiner *j, uint64_t key)
{
    size_t n = 0;
    for (uint32_t at = map_first(&j->index, key); n <= 2 && map_next(&j->index, key, &at) != MAP_NONE;)
        n++;
    return n;
}

static bool share_value(const struct hop_joiner *j, const struct facts *x, const struct facts *y)
{
    for (size_t i = 0; i < x->value_count; i++)
        for (size_t k = 0; k < y->value_count; k++)
            if (x->keys[i] == y->keys[k] && carriers(j, x->keys[i]) <= 2)
                return true;
    return false;
}

/* Did x's INVITE end where y's begins, as one point saw it, in this order? */
static bool one_place(const struct hop_nodes *n, const struct invite *in, const struct invite *out)
{
    int64_t apart = out->time_ns - in->time_ns;
    if (!out->first_hop || in->point != out->point || apart < 0 ||
        apart > (int64_t)JOIN_SECONDS * 1000000000)
        return false;
    uint32_t a = hop_root(n, in->dst_node), b = hop_root(n, out->src_node);
    return a == b || !(hop_node_forwards(n, a) || hop_node_forwards(n, b) ||
                       hop_root(n, in->src_node) == b || hop_root(n, out->dst_node) == a);
}

static bool placed(const struct hop_nodes *n, const struct facts *x, const struct facts *y, struct score *s)
{
    for (size_t i = 0; i < x->invite_count; i++)
        for (size_t k = 0; k < y->invite_count; k++)
            if (one_place(n, &x->invites[i], &y->invites[k])) {
                s->in = &x->invites[i];
                s->out = &y->invites[k];
                return true;
            }
    return false;
}

static bool near_in_time(const struct facts *x, const struct facts *y)
{
    int64_t apart = x->invite_count && y->invite_count ? y->invites[0].time_ns - x->invites[0].time_ns
                                                       : INT64_MAX;
    return apart > -(int64_t)JOIN_SECONDS * 1000000000 && apart < (int64_t)JOIN_SECONDS * 1000000000;
}

/* How well does y follow x on the path? */
static struct score score_of(const struct hop_joiner *j, const struct hop_nodes *n, uint32_t x, uint32_t y)
{
    const struct facts *fx = j->legs.items[x], *fy = j->legs.items[y];
    struct score s = {0};
    if (!fx || !fy || !fx->known || !fy->known)
        return s;
    if (fx->from_tag == fy->from_tag) {
        s.reasons = same_tags(fx, fy) && near_in_time(fx, fy) ? BY_TAGS : 0;
        return s;
    }
    s.reasons = (placed(n, fx, fy, &s) ? BY_PLACE | BY_TIME : 0) |
                (share_value(j, fx, fy) ? BY_VALUE : 0) |
                (fx->callee && fx->callee == fy->callee ? BY_CALLEE : 0) |
                (fx->caller && fx->caller == fy->caller ? BY_CALLER : 0) |
                (near_in_time(fx, fy) ? BY_TIME : 0);
    return s;
}

/* ---- partners ------------------------------------------------------------------------------------- */

struct candidates {
    uint32_t legs[HOP_CANDIDATES_MAX];
    size_t n;
};

static void collect(struct hop_joiner *j, uint32_t leg, uint64_t key, struct candidates *c)
{
    uint32_t id;
    for (uint32_t at = map_first(&j->index, key); (id = map_next(&j->index, key, &at)) != MAP_NONE;) {
        bool known = id == leg;
        for (size_t i = 0; i < c->n && !known; i++)
            known = c->legs[i] == id;
        if (known)
            continue;
        if (c->n == HOP_CANDIDATES_MAX) {
            j->candidates_left_out++;
            return;
        }
        c->legs[c->n++] = id;
    }
}

static void collect_all(struct hop_joiner *j, uint32_t leg, struct candidates *c)
{
    const struct facts *f = j->legs.items[leg];
    for (size_t i = 0; i < f->key_count; i++)
        collect(j, leg, f->keys[i], c);
    for (int64_t d = -JOIN_SECONDS; d <= JOIN_SECONDS; d++) {
        collect(j, leg, second_key(j, f->callee, f->start_ns, d), c);
        collect(j, leg, second_key(j, f->caller, f->start_ns, d), c);
        for (size_t i = 0; i < f->invite_count; i++)
            collect(j, leg, second_key(j, f->invites[i].point, f->invites[i].time_ns, d), c);
    }
}

struct partner {
    uint32_t leg; /* CALL_NONE: none */
    struct score score;
};

/* Of the two orders, the one that has more to say for it; LiveKit stands at an end; time is the last resort. */
static struct score ordered_score(const struct hop_joiner *j, const struct hop_nodes *n, uint32_t x, uint32_t y)
{
    const struct facts *fx = j->legs.items[x], *fy = j->legs.items[y];
    struct score s = score_of(j, n, x, y), none = {0};
    if (!s.reasons || s.reasons & BY_TAGS)
        return s;
    if (fx->ends_at_livekit || fy->begins_at_livekit)
        return none;
    struct score back = score_of(j, n, y, x);
    int ahead = points_of(&s) - points_of(&back);
    bool marked = fy->ends_at_livekit || fx->begins_at_livekit;
    return ahead > 0 || (ahead == 0 && (marked || fx->start_ns <= fy->start_ns)) ? s : none;
}

/* The leg that best follows (or precedes) this one; none where the best two are alike. */
static struct partner best_partner(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg, bool after)
{
    struct candidates *c = base_alloc(sizeof *c);
    struct partner best = {CALL_NONE, {0}};
    bool tie = false;
    collect_all(j, leg, c);
    for (size_t i = 0; i < c->n; i++) {
        struct score s = after ? ordered_score(j, n, leg, c->legs[i]) : ordered_score(j, n, c->legs[i], leg);
        int points = points_of(&s), most = points_of(&best.score);
        tie = points > most ? false : tie || (points && points == most);
        if (points > most)
            best = (struct partner){c->legs[i], s};
    }
    free(c);
    if (best.score.reasons && !(best.score.reasons & BY_TAGS) && !tie)
        best.score.reasons |= BY_BEING_ONLY;
    if (tie || points_of(&best.score) < JOIN_SCORE)
        best.leg = CALL_NONE;
    return best;
}

/* Best for both sides. */
static struct partner mutual_partner(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg, bool after)
{
    struct partner p = best_partner(j, n, leg, after);
    if (p.leg != CALL_NONE && best_partner(j, n, p.leg, !after).leg != leg)
        p.leg = CALL_NONE;
    return p;
}

/* ---- chains --------------------------------------------------------------------------------------- */

#define JOIN_LEGS_MAX 8u /* legs of one call */

static bool in_chain(const uint32_t *chain, size_t n, uint32_t leg)
{
    for (size_t i = 0; i < n; i++)
        if (chain[i] == leg)
            return true;
    return false;
}

static uint32_t first_of_chain(struct hop_joiner *j, const struct hop_nodes *n, uint32_t leg)
{
    uint32_t chain[JOIN_LEGS_MAX] = {leg};
    for (size_t k = 1; k < JOIN_LEGS_MAX; k++) {
        struct partner p = mutual_partner(j, n, chain[k - 1], false);
        if (p.leg == CALL_NONE || in_chain(chain, k, p.leg))
            return chain[k - 1];
        chain[k] = p.leg;
    }
    return chain[JOIN_LEGS_MAX - 1];
}

/* Tags tell nothing of the order: the leg whose INVITE was seen with fewer Vias, or earlier, lies first; since
 * first_of_chain goes round in a pair joined by tags, the smaller start decides. */
static uint32_t earlier_leg(const struct call_table *t, uint32_t x, uint32_t y)
{
    return call_leg_of(t, y)->start_ns < call_leg_of(t, x)->start_ns ? y : x;
}

size_t hop_joiner_legs(struct hop_joiner *j, const struct call_table *t, const struct hop_nodes *n,
                       uint32_t leg, struct arena *a, const uint32_t **legs, struct slice *how)
{
    uint32_t *chain = ARENA_ARRAY(a, uint32_t, JOIN_LEGS_MAX);
    struct text text = {0};
    size_t count = 1;
    chain[0] = leg;
    *legs = chain;
    *how = SLICE_NONE;
    if (leg >= j->legs.n || !j->legs.items[leg])
        return 1;
    chain[0] = first_of_chain(j, n, leg);
    if (j->legs.items[chain[0]]->from_tag == j->legs.items[leg]->from_tag)
        chain[0] = earlier_leg(t, leg, chain[0]);
    while (count < JOIN_LEGS_MAX) {
        struct partner p = mutual_partner(j, n, chain[count - 1], true);
        if (p.leg == CALL_NONE || in_chain(chain, count, p.leg))
            break;
        if (count > 1)
            text_printf(&text, "; ");
        score_print(&text, &p.score);
        chain[count++] = p.leg;
    }
    if (count > 1)
        *how = arena_copy(a, text_slice(&text));
    text_free(&text);
    return count;
}

bool hop_joiner_joint(struct hop_joiner *j, const struct hop_nodes *n, uint32_t up, uint32_t down,
                      struct endpoint *in, struct endpoint *out)
{
    struct score s = score_of(j, n, up, down);
    if (!(s.reasons & BY_PLACE))
        return false;
    *in = s.in->dst;
    *out = s.out->src;
    return true;
}

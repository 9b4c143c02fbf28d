/* NH, SipHash-1-3 and the open-addressing index. */
#include "base/hash.h"

#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static inline uint64_t rotl(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline uint64_t word_of(const unsigned char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return w;
}

/* The last `left` bytes (0 to 7) before `end`.  Where eight can be read that end there, no loop is
 * needed. */
static inline uint64_t tail_of(const unsigned char *end, size_t left, size_t n)
{
    uint64_t w = 0;
    if (left == 0)
        return 0;
    if (n >= 8)
        return word_of(end - 8) >> (64 - 8 * left);
    for (size_t i = 0; i < left; i++)
        w |= (uint64_t)(end - left)[i] << 8 * i;
    return w;
}

uint64_t hash_sip(const struct hash_key *key, const void *bytes, size_t n)
{
    uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
                     key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
    const unsigned char *p = bytes;
    size_t left = n;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t w = word_of(p);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    uint64_t last = (uint64_t)n << 56 | tail_of(p + left, left, n);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct hash_key hash_key_of(uint64_t k0, uint64_t k1)
{
    struct hash_key key = {.k0 = k0, .k1 = k1};
    for (uint64_t i = 0; i < sizeof key.words / sizeof *key.words; i++)
        key.words[i] = hash_sip(&key, &i, sizeof i);
    for (size_t i = HASH_SHORT / 8; i < sizeof key.words / sizeof *key.words; i++)
        key.words[i] |= 1; /* multiply-shift wants odd factors */
    return key;
}

struct hash_key hash_key_random(void)
{
    uint64_t k[2];
    if (getrandom(k, sizeof k, 0) != (ssize_t)sizeof k) {
        k[0] = (uint64_t)time(NULL);
        k[1] = (uint64_t)clock();
    }
    return hash_key_of(k[0], k[1]);
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    const uint64_t *k = key->words, *factors = key->words + HASH_SHORT / 8;
    unsigned __int128 sum = 0;
    size_t left = n;
    if (n > HASH_SHORT)
        return hash_sip(key, bytes, n);
    for (; left >= 16; p += 16, k += 2, left -= 16)
        sum += (unsigned __int128)(word_of(p) + k[0]) * (word_of(p + 8) + k[1]);
    if (left >= 8)
        sum += (unsigned __int128)(word_of(p) + k[0]) * (tail_of(p + left, left - 8, n) + k[1]);
    else if (left)
        sum += (unsigned __int128)(tail_of(p + left, left, n) + k[0]) * k[1];
    return (uint64_t)(sum >> 64) * factors[0] + (uint64_t)sum * factors[1] + n * factors[2];
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

uint64_t hash_content(const struct hash_key *key, struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    uint64_t h = key->k0 ^ s.n;
    size_t left = s.n;
    for (; left >= 16; p += 16, left -= 16)
        h = fold(word_of(p) ^ h, word_of(p + 8) ^ key->k1);
    return hash_mix(h, hash_bytes(key, p, left));
}

/* A slot keeps the upper half of the hash only; its home is spread from that, so that the table can
 * grow without asking the caller for the hashes again. */
static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static uint32_t home_of(uint32_t tag)
{
    return tag * 0x9e3779b1u;
}

uint32_t map_first(const struct map *m, uint64_t hash)
{
    return home_of(tag_of(hash)) & m->mask;
}

uint32_t map_next(const struct map *m, uint64_t hash, uint32_t *at)
{
    if (!m->slots)
        return MAP_NONE;
    for (;;) {
        const struct map_slot *slot = &m->slots[*at];
        if (slot->id == MAP_NONE)
            return MAP_NONE;
        *at = (*at + 1) & m->mask;
        if (slot->tag == tag_of(hash))
            return slot->id;
    }
}

static void slot_put(struct map_slot *slots, uint32_t mask, struct map_slot entry)
{
    uint32_t at = home_of(entry.tag) & mask;
    while (slots[at].id != MAP_NONE)
        at = (at + 1) & mask;
    slots[at] = entry;
}

static void map_grow(struct map *m)
{
    size_t count = m->slots ? ((size_t)m->mask + 1) * 2 : 16;
    if (count > (size_t)1 << 31)
        base_oom();
    struct map_slot *slots = base_realloc(NULL, count * sizeof *slots);
    memset(slots, 0xff, count * sizeof *slots);
    uint32_t mask = (uint32_t)(count - 1);
    for (size_t i = 0; m->slots && i <= m->mask; i++)
        if (m->slots[i].id != MAP_NONE)
            slot_put(slots, mask, m->slots[i]);
    free(m->slots);
    m->slots = slots;
    m->mask = mask;
}

void map_add(struct map *m, uint64_t hash, uint32_t id)
{
    assert(id != MAP_NONE);
    if (!m->slots || m->n >= (m->mask + 1u) / 2)
        map_grow(m);
    slot_put(m->slots, m->mask, (struct map_slot){tag_of(hash), id});
    m->n++;
}

/* Closes the gap at `at` by moving later entries of the run back (Knuth 6.4, algorithm R). */
static void slot_close(struct map *m, uint32_t at)
{
    uint32_t gap = at;
    for (;;) {
        at = (at + 1) & m->mask;
        if (m->slots[at].id == MAP_NONE)
            break;
        uint32_t home = home_of(m->slots[at].tag) & m->mask;
        if (((at - home) & m->mask) >= ((at - gap) & m->mask)) {
            m->slots[gap] = m->slots[at];
            gap = at;
        }
    }
    m->slots[gap].id = MAP_NONE;
}

void map_remove(struct map *m, uint64_t hash, uint32_t id)
{
    uint32_t at = map_first(m, hash);
    while (m->slots[at].id != id || m->slots[at].tag != tag_of(hash)) {
        assert(m->slots[at].id != MAP_NONE);
        at = (at + 1) & m->mask;
    }
    slot_close(m, at);
    m->n--;
}

void map_free(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

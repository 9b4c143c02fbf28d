/* Keyed hashing and an index from hash to id.  Keys come from the network, so the hash is one under
 * a random key: nobody can choose keys that collide.  Up to HASH_SHORT bytes it is NH of UMAC (RFC
 * 4418, 5.2.2, with words of 64 bits) and multiply-shift after it (Dietzfelbinger and others,
 * 1997): two texts share the upper half of their hash by a chance of at most 2^-31, whoever chose
 * them. Longer ones go through SipHash-1-3 (Aumasson and Bernstein, 2012). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

#define HASH_SHORT 128u /* bytes */

struct hash_key {
    uint64_t k0, k1;
    uint64_t words[HASH_SHORT / 8 + 3]; /* what NH needs, made from k0 and k1 */
};

struct hash_key hash_key_random(void);
struct hash_key hash_key_of(uint64_t k0, uint64_t k1);
uint64_t hash_sip(const struct hash_key *key, const void *bytes, size_t n); /* SipHash-1-3 */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t n);

static inline uint64_t hash_slice(const struct hash_key *key, struct slice s)
{
    return hash_bytes(key, s.p, s.n);
}

/* Tells long texts apart faster than SipHash.  Not for the keys of a table: it is no more than
 * probable that nobody can make texts collide. */
uint64_t hash_content(const struct hash_key *key, struct slice s);

/* Mixes two hashes (or a hash and a number) into one, order-dependent. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
    a ^= a >> 32;
    a *= 0xd6e8feb86659fd93u;
    return a ^ a >> 32;
}

/* Open addressing with linear probing.  A slot keeps 32 bits of the hash and the caller's id, so
 * most misses never touch the caller's records:
 *
 *     for (uint32_t at = map_first(m, h); (id = map_next(m, h, &at)) != MAP_NONE;)
 *         if (records[id] is the one) ...
 */
#define MAP_NONE UINT32_MAX

struct map_slot {
    uint32_t tag;
    uint32_t id; /* MAP_NONE: free */
};

struct map {
    struct map_slot *slots;
    uint32_t mask; /* number of slots - 1; 0 before the first insert */
    uint32_t n;
};

uint32_t map_first(const struct map *m, uint64_t hash);
uint32_t map_next(const struct map *m, uint64_t hash, uint32_t *at);
void map_add(struct map *m, uint64_t hash, uint32_t id); /* does not look for an equal one */
void map_remove(struct map *m, uint64_t hash,
                uint32_t id); /* exactly this pair; it must be there */
void map_free(struct map *m);

#endif

/* Tags, branches and the like: letters under a key of the run. */
#include "probe/internal.h"

struct chance chance_new(uint64_t seed)
{
    return (struct chance){.key = seed ? hash_key_of(seed, ~seed) : hash_key_random()};
}

uint64_t chance_number(struct chance *c)
{
    uint64_t count = c->count++;
    return hash_sip(&c->key, &count, sizeof count);
}

struct slice chance_letters(struct chance *c, struct arena *a, size_t n)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    char *out = arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = letters[chance_number(c) % (sizeof letters - 1)];
    return (struct slice){out, n};
}

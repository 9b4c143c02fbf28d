/* An arena hands out memory that is given back all at once.  Out of memory ends the program with a
 * message (base_oom): no caller can go on without it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* in the newest block */
    size_t total;               /* bytes of all blocks */
};

/* Zeroed, aligned for any type.  n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);
struct slice arena_copy(struct arena *a, struct slice bytes); /* NUL-terminated for convenience */
struct slice arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The parts one behind the other, NUL bytes among them; those of a list with words between them. */
struct slice arena_join(struct arena *a, const struct slice *parts, size_t n);
struct slice arena_join_list(struct arena *a, const struct slice *items, size_t n,
                             struct slice between);
void arena_reset(struct arena *a); /* forgets all, keeps the newest block for reuse */
void arena_free(struct arena *a);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

#define ARENA_JOIN(arena, ...)                                                                     \
    arena_join((arena), (const struct slice[]){__VA_ARGS__},                                       \
               sizeof(const struct slice[]){__VA_ARGS__} / sizeof(struct slice))

void *base_alloc(size_t n);            /* malloc that never returns NULL; zeroed */
void *base_realloc(void *p, size_t n); /* realloc that never returns NULL */
_Noreturn void base_oom(void);

#endif

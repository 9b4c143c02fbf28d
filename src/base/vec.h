/* Growable arrays:  VEC(struct thing) things = {0};  *vec_add(&things) = thing;  vec_free(&things);
 * Pointers into a vec are valid until the next vec_add. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#include <stdlib.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, cap;                                                                             \
    }

/* The same with a name, where it is handed from function to function: struct <name>. */
#define VEC_TYPE(name, type)                                                                       \
    struct name {                                                                                  \
        type *items;                                                                               \
        size_t n, cap;                                                                             \
    }

/* Makes room for one more and returns the new last element (its bytes are undefined). */
#define vec_add(v)                                                                                 \
    ((v)->n == (v)->cap ? ((v)->items = vec_grow((v)->items, &(v)->cap, sizeof *(v)->items),       \
                           (v)->items + (v)->n++)                                                  \
                        : (v)->items + (v)->n++)

/* The same, but gives its index. */
#define vec_next(v) ((void)vec_add(v), (v)->n - 1)

#define vec_clear(v) ((void)((v)->n = 0))
#define vec_free(v)  (free((v)->items), (v)->items = NULL, (v)->n = (v)->cap = 0)

void *vec_grow(void *items, size_t *cap, size_t size);

#endif

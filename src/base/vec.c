/* The one function behind vec_add. */
#include "base/vec.h"

void *vec_grow(void *items, size_t *cap, size_t size)
{
    size_t wanted = *cap ? *cap * 2 : 4;
    if (wanted > SIZE_MAX / size)
        base_oom();
    *cap = wanted;
    return base_realloc(items, wanted * size);
}

/* Arenas: blocks that double up to ARENA_BLOCK_MAX, freed together. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_MIN 1024u
#define ARENA_BLOCK_MAX (256u * 1024u)

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

_Noreturn void base_oom(void)
{
    fputs("sipxray: out of memory\n", stderr);
    exit(2);
}

void *base_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        base_oom();
    return p;
}

void *base_realloc(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        base_oom();
    return p;
}

static void arena_grow(struct arena *a, size_t n)
{
    size_t size = a->blocks ? a->blocks->size * 2 : ARENA_BLOCK_MIN;
    if (size > ARENA_BLOCK_MAX)
        size = ARENA_BLOCK_MAX;
    if (size < n)
        size = n;
    struct arena_block *block = malloc(sizeof *block + size);
    if (!block)
        base_oom();
    block->next = a->blocks;
    block->size = size;
    a->blocks = block;
    a->used = 0;
    a->total += size;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    if (n > SIZE_MAX / 2)
        base_oom();
    n = n ? (n + align - 1) / align * align : align;
    if (!a->blocks || n > a->blocks->size - a->used)
        arena_grow(a, n);
    void *p = a->blocks->bytes + a->used;
    a->used += n;
    return memset(p, 0, n);
}

struct slice arena_copy(struct arena *a, struct slice bytes)
{
    char *p = arena_alloc(a, bytes.n + 1);
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
    return (struct slice){p, bytes.n};
}

/* An empty slice may be NULL, from which nothing may be copied. */
static char *put(char *at, struct slice s)
{
    if (s.n)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

struct slice arena_join_list(struct arena *a, const struct slice *items, size_t n,
                             struct slice between)
{
    size_t length = n ? (n - 1) * between.n : 0;
    for (size_t i = 0; i < n; i++)
        length += items[i].n;
    char *p = arena_alloc(a, length + 1), *at = p;
    for (size_t i = 0; i < n; i++) {
        at = put(at, i ? between : SLICE_NONE);
        at = put(at, items[i]);
    }
    return (struct slice){p, length};
}

struct slice arena_join(struct arena *a, const struct slice *parts, size_t n)
{
    return arena_join_list(a, parts, n, SLICE_NONE);
}

struct slice arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n;
    char *p = arena_alloc(a, size + 1);
    if (size)
        vsnprintf(p, size + 1, format, again);
    va_end(again);
    return (struct slice){p, size};
}

static void arena_free_after(struct arena *a, struct arena_block *keep)
{
    struct arena_block *block = keep ? keep->next : a->blocks;
    while (block) {
        struct arena_block *next = block->next;
        a->total -= block->size;
        free(block);
        block = next;
    }
    if (keep)
        keep->next = NULL;
}

void arena_reset(struct arena *a)
{
    if (a->blocks)
        arena_free_after(a, a->blocks);
    a->used = 0;
}

void arena_free(struct arena *a)
{
    arena_free_after(a, NULL);
    *a = (struct arena){0};
}

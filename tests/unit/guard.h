/* Puts test input where the byte after its end is unmapped: a read past the end crashes, even in
 * code that no sanitizer watches (libpcap, zlib). */
#ifndef TESTS_UNIT_GUARD_H
#define TESTS_UNIT_GUARD_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *p; /* the copy; nothing can be read at p + n */
    size_t n;
    void *map;
    size_t map_size;
};

static inline struct guard guard_copy(const void *bytes, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (n + page - 1) / page * page;
    char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0) {
        perror("guard_copy");
        abort();
    }
    char *p = map + room - n;
    if (n)
        memcpy(p, bytes, n);
    return (struct guard){p, n, map, room + page};
}

static inline void guard_free(struct guard *g)
{
    munmap(g->map, g->map_size);
    *g = (struct guard){0};
}

#endif

/* Slices and cursors: all that reads wire data goes through these bounds. */
#include "base/slice.h"

#include <string.h>

struct slice slice_of(const char *string)
{
    return (struct slice){string, string ? strlen(string) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[i]))
            return false;
    return true;
}

bool slice_is(struct slice a, const char *string)
{
    return slice_equal(a, slice_of(string));
}

/* Most differ in their first byte, which is cheaper to see here than by a call. */
bool slice_starts(struct slice a, struct slice prefix)
{
    return prefix.n == 0 ||
           (a.n >= prefix.n && *a.p == *prefix.p && memcmp(a.p, prefix.p, prefix.n) == 0);
}

bool slice_starts_nocase(struct slice a, struct slice prefix)
{
    return a.n >= prefix.n && slice_equal_nocase(slice_first(a, prefix.n), prefix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice a)
{
    while (a.n && is_space(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n && is_space(a.p[a.n - 1]))
        a.n--;
    return a;
}

struct slice slice_from(struct slice a, size_t at)
{
    return at >= a.n ? (struct slice){a.p, 0} : (struct slice){a.p + at, a.n - at};
}

struct slice slice_first(struct slice a, size_t n)
{
    return (struct slice){a.p, n < a.n ? n : a.n};
}

size_t slice_find(struct slice a, char c)
{
    const char *hit = a.n ? memchr(a.p, c, a.n) : NULL;
    return hit ? (size_t)(hit - a.p) : a.n;
}

bool slice_to_u32(struct slice a, uint32_t *out)
{
    uint64_t value = 0;
    if (a.n == 0)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(a.p[i] - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return true;
}

bool slice_glob_nocase(struct slice text, struct slice pattern)
{
    size_t t = 0, p = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n &&
                   (pattern.p[p] == '?' || ascii_lower((unsigned char)pattern.p[p]) ==
                                               ascii_lower((unsigned char)text.p[t]))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

struct cursor cursor_of(struct slice bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    return (struct cursor){p, bytes.n ? p + bytes.n : p, false};
}

struct slice cursor_take(struct cursor *c, size_t n)
{
    if (n > cursor_left(c)) {
        c->failed = true;
        c->p = c->end;
        return SLICE_NONE;
    }
    struct slice taken = {(const char *)c->p, n};
    if (n)
        c->p += n;
    return taken;
}

struct slice cursor_rest(const struct cursor *c)
{
    return (struct slice){(const char *)c->p, cursor_left(c)};
}

void cursor_skip(struct cursor *c, size_t n)
{
    (void)cursor_take(c, n);
}

uint8_t cursor_u8(struct cursor *c)
{
    struct slice s = cursor_take(c, 1);
    return s.n ? (uint8_t)s.p[0] : 0;
}

uint16_t cursor_be16(struct cursor *c)
{
    struct slice s = cursor_take(c, 2);
    return s.n ? (uint16_t)((uint8_t)s.p[0] << 8 | (uint8_t)s.p[1]) : 0;
}

uint32_t cursor_be32(struct cursor *c)
{
    struct slice s = cursor_take(c, 4);
    const uint8_t *p = (const uint8_t *)s.p;
    return s.n ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint16_t cursor_le16(struct cursor *c)
{
    return __builtin_bswap16(cursor_be16(c));
}

uint32_t cursor_le32(struct cursor *c)
{
    return __builtin_bswap32(cursor_be32(c));
}

/* A slice is a borrowed run of bytes: never NUL-terminated, never owned, any byte may occur in it.
 * A cursor is a slice that is read from the front; each read is bounds-checked by construction. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})
/* for printf's "%.*s"; only for text that is known to be clean (see text.h for the rest) */
#define SLICE_ARG(s) (int)(s).n, (s).p ? (s).p : ""

struct slice slice_of(const char *string); /* of a NUL-terminated string; NULL gives an empty one */
bool slice_equal(struct slice a, struct slice b);
bool slice_equal_nocase(struct slice a, struct slice b); /* ASCII letters only */
bool slice_is(struct slice a, const char *string);
bool slice_starts(struct slice a, struct slice prefix);
bool slice_starts_nocase(struct slice a, struct slice prefix);
int slice_compare(struct slice a, struct slice b);  /* as memcmp, then the shorter first */
struct slice slice_trim(struct slice a);            /* without outer SP, TAB, CR, LF */
struct slice slice_from(struct slice a, size_t at); /* from `at`, empty past the end */
struct slice slice_first(struct slice a, size_t n); /* at most the first n bytes */
size_t slice_find(struct slice a, char c);          /* its index, or a.n where there is none */
bool slice_to_u32(struct slice a, uint32_t *out);   /* decimal digits only, no overflow */
bool slice_glob_nocase(struct slice text,
                       struct slice pattern); /* `*` and `?`, letters of any case */

/* Lower case of an ASCII letter; other bytes as they are. */
static inline unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

/* Reads big-endian numbers and runs of bytes.  A read past the end gives 0 or an empty slice,
 * leaves the cursor empty and sets `failed`, so that a chain of reads needs one check at its end.
 */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool failed;
};

struct cursor cursor_of(struct slice bytes);
static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}
struct slice cursor_take(struct cursor *c, size_t n);
struct slice cursor_rest(const struct cursor *c);
void cursor_skip(struct cursor *c, size_t n);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_be16(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);

#endif

/* Regular expressions on slices, by PCRE2, which only base/pattern.c includes.  A match is bounded
 * in steps, depth and memory: a value from the wire cannot make it run long. */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include "base/slice.h"

#define PATTERN_LENGTH_MAX  8192u   /* bytes of an expression */
#define PATTERN_STEPS_MAX   200000u /* of one match, about 10 ms */
#define PATTERN_DEPTH_MAX   1000u   /* of backtracking points within each other */
#define PATTERN_MEMORY_KIB  8192u
#define PATTERN_SUBJECT_MAX (1u << 20) /* bytes that are matched against */

struct pattern;

enum pattern_result {
    PATTERN_MISSES,
    PATTERN_MATCHES,
    PATTERN_LIMIT, /* a limit was hit: not known */
};

/* What is wrong with an expression; `at` is an offset in it. */
struct pattern_fault {
    char text[160];
    size_t at;
};

/* UTF-8, where bytes that are none match nothing; unanchored.  NULL: *fault says why. */
struct pattern *pattern_new(struct slice expression, bool ignore_case, struct pattern_fault *fault);
enum pattern_result pattern_match(const struct pattern *p, struct slice subject);
void pattern_free(struct pattern *p); /* NULL: nothing */

#endif

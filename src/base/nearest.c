/* "Did you mean": the nearest of several names by optimal string alignment distance. */
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 32 /* longer words are nobody's slip */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t na = strlen(a), nb = strlen(b);
    if (na > WORD_MAX || nb > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        last[j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[nb];
}

const char *nearest_word(const char *word, const char *(*next)(size_t index))
{
    const char *best = NULL;
    size_t n = strlen(word), nearest = n < 6 ? 2 : n / 3 + 1;
    for (size_t i = 0; next(i); i++) {
        const char *name = next(i);
        size_t d = nearest_distance(word, name);
        /* a beginning of a name is a short form of it, not a slip */
        if (n >= 3 && n < strlen(name) && strncmp(word, name, n) == 0)
            d = 1;
        if (d < nearest + (best == NULL) && d < strlen(name) && d < n) {
            best = name;
            nearest = d;
        }
    }
    return best;
}

/* "Did you mean": the nearest of several words. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* The candidate nearest to `word`, or NULL where none is near enough to be a slip of the hand.
 * `next` gives the candidates one by one, NULL at the end. */
const char *nearest_word(const char *word, const char *(*next)(size_t index));
size_t nearest_distance(const char *a,
                        const char *b); /* edits that make one of the other, transposing included */

#endif

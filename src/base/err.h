/* An error of the environment (a file, an option, a configuration), worded once where it is known.
 * The text names the thing and the place; it is for a person and is escaped when it is printed. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

struct err {
    char text[1024]; /* cut with "..." where a name is longer than any sane one */
};

/* Sets the text and returns false, so that `return err_set(err, ...)` reads well. */
bool err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

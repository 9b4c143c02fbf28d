/* Reading and writing of all bytes that are asked for, over signals and short answers.  False:
 * errno says why. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/slice.h"

bool file_write(int fd, struct slice bytes);
bool file_write_at(int fd, struct slice bytes, uint64_t offset);
/* errno is 0 where the file ends before.  `done`, which may be NULL: how much was read. */
bool file_read_at(int fd, void *into, size_t n, uint64_t offset, size_t *done);

#endif

/* Reading and writing of all bytes that are asked for, over signals and short answers.  False:
 * errno says why. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/slice.h"

bool file_write(int fd, struct slice bytes);
bool file_write_at(int fd, struct slice bytes, uint64_t offset);
/* errno is 0 where the file ends before.  `done`, which may be NULL: how much was read. */
bool file_read_at(int fd, void *into, size_t n, uint64_t offset, size_t *done);
/* Writes fd, the open file `beside`, closes it and renames it to `path`: a reader sees the old file
 * or the new one.  fd < 0 is an error that errno tells.  synced: it is on the disk before it gets
 * its name.  After an error `beside` is gone. */
bool file_replace(int fd, const char *beside, const char *path, struct slice bytes, bool synced);

#endif

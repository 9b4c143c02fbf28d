/* Reading and writing whole. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Nothing written, and no error: there is no room. */
static bool wrote(ssize_t n, struct slice *bytes)
{
    if (n == 0)
        errno = ENOSPC;
    if (n > 0)
        *bytes = slice_from(*bytes, (size_t)n);
    return n > 0 || (n < 0 && errno == EINTR);
}

bool file_write(int fd, struct slice bytes)
{
    while (bytes.n)
        if (!wrote(write(fd, bytes.p, bytes.n), &bytes))
            return false;
    return true;
}

bool file_write_at(int fd, struct slice bytes, uint64_t offset)
{
    uint64_t end = offset + bytes.n;
    while (bytes.n)
        if (!wrote(pwrite(fd, bytes.p, bytes.n, (off_t)(end - bytes.n)), &bytes))
            return false;
    return true;
}

bool file_read_at(int fd, void *into, size_t n, uint64_t offset, size_t *done)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(fd, (char *)into + have, n - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (done)
        *done = have;
    return have == n;
}

bool file_replace(int fd, const char *beside, const char *path, struct slice bytes, bool synced)
{
    if (fd < 0)
        return false;
    bool ok = file_write(fd, bytes) && (!synced || fsync(fd) == 0);
    int why = ok ? 0 : errno;
    ok = close(fd) == 0 && ok && rename(beside, path) == 0;
    why = why ? why : errno;
    if (!ok)
        unlink(beside);
    errno = why;
    return ok;
}

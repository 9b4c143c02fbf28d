/* What a capture that is written holds until the file takes it. */
#include "source/capture_held.h"

#include "source/internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define LOOK_MS     100
#define PATIENCE_MS 3000 /* for a slow reader, from when the end is asked for */

/* Of the record at the front of what is held.  The first of a pcap file is its header. */
static size_t record_length(const struct capture_out *o, struct slice held, bool first)
{
    uint32_t n;
    if (o->format == CAPTURE_PCAP && first)
        return CAPTURE_PCAP_HEAD;
    memcpy(&n, held.p + (o->format == CAPTURE_PCAP ? 8 : 4), sizeof n);
    return o->format == CAPTURE_PCAP ? n + CAPTURE_PCAP_RECORD : n;
}

/* So many of the `n` bytes are whole records. */
static size_t whole_records(const struct capture_out *o, size_t n)
{
    struct slice held = text_slice(&o->held);
    size_t whole = 0, next;
    while (whole < n &&
           whole + (next = record_length(o, slice_from(held, whole), o->at == 0 && whole == 0)) <=
               n)
        whole += next;
    return whole;
}

static void drop_held(struct capture_out *o, size_t n)
{
    o->held.n -= n;
    memmove(o->held.p, o->held.p + n, o->held.n);
    o->at += n;
}

/* The n bytes that did go out end within a record: those of it are taken back. */
static void cut_back(struct capture_out *o, size_t n)
{
    size_t whole = whole_records(o, n);
    drop_held(o, whole);
    if (whole < n && (!o->regular || ftruncate(o->fd, (off_t)o->at) != 0 ||
                      lseek(o->fd, (off_t)o->at, SEEK_SET) < 0))
        o->broken = true;
}

/* A reader that is slow is waited for; once the end is asked for, not for long. */
static bool may_go_on(struct capture_out *o)
{
    struct pollfd p = {o->fd, POLLOUT, 0};
    if (errno != EAGAIN)
        return errno == EINTR;
    while (poll(&p, 1, LOOK_MS) == 0) {
        int64_t now = source_clock_ms();
        if (!o->stop || !*o->stop)
            continue;
        if (!o->stop_by)
            o->stop_by = now + PATIENCE_MS;
        if (now >= o->stop_by) {
            errno = ETIMEDOUT;
            return false;
        }
    }
    return true;
}

static const char *reason(ssize_t written)
{
    if (written == 0)
        return "nothing is written";
    return errno == ETIMEDOUT ? "what was recorded is not read" : strerror(errno);
}

bool capture_held_write(struct capture_out *o)
{
    size_t done = 0;
    while (done < o->held.n) {
        ssize_t n = write(o->fd, o->held.p + done, o->held.n - done);
        if (n < 0 && may_go_on(o))
            continue;
        if (n <= 0) {
            err_set(&o->error, "%s: %s", o->label, reason(n));
            cut_back(o, done);
            return false;
        }
        done += (size_t)n;
    }
    drop_held(o, done);
    o->error.text[0] = '\0';
    return true;
}

/* Of what is held. */
uint64_t capture_held_packets(const struct capture_out *o)
{
    struct slice held = text_slice(&o->held);
    uint64_t n = 0;
    bool first = o->at == 0;
    while (held.n) {
        uint32_t type;
        memcpy(&type, held.p, sizeof type);
        n += o->format == CAPTURE_PCAP ? !first : type == BLOCK_PACKET;
        held = slice_from(held, record_length(o, held, first));
        first = false;
    }
    return n;
}

/* Builds pcap and pcapng files in memory and opens them, for tests of source/. */
#ifndef TESTS_UNIT_CAPTURE_H
#define TESTS_UNIT_CAPTURE_H

#include "bytes.h"
#include "source/source.h"
#include "unit.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PING SLICE("ping\0ping!")
#define PONG SLICE("pong")

/* ---- pcap ------------------------------------------------------------------------------------ */

static inline void pcap_header(struct bytes *b, uint32_t magic, uint32_t network)
{
    put32(b, magic);
    put16(b, 2);
    put16(b, 4);
    put64(b, 0);
    put32(b, 96); /* smaller than most records: no reader may mind */
    put32(b, network);
}

static inline void pcap_record(struct bytes *b, uint32_t seconds, uint32_t fraction,
                               struct slice packet, uint32_t length)
{
    put32(b, seconds);
    put32(b, fraction);
    put32(b, (uint32_t)packet.n);
    put32(b, length);
    put_slice(b, packet);
}

/* Two records, of 10 and 4 bytes: 24 + 26 + 20 bytes in all. */
static inline struct bytes small_pcap(bool little)
{
    struct bytes b = {.little = little};
    pcap_header(&b, 0xa1b2c3d4, 1);
    pcap_record(&b, 1, 2, PING, 10);
    pcap_record(&b, 3, 4, PONG, 1400);
    return b;
}

/* ---- pcapng ---------------------------------------------------------------------------------- */

static inline void block(struct bytes *b, uint32_t type, const struct bytes *body)
{
    size_t padding = -body->n & 3;
    uint32_t length = (uint32_t)(12 + body->n + padding);
    put32(b, type);
    put32(b, length);
    put(b, body->items, body->n);
    put_times(b, 0, padding);
    put32(b, length);
}

/* The body's buffer is freed. */
static inline void block_end(struct bytes *b, uint32_t type, struct bytes *body)
{
    block(b, type, body);
    vec_free(body);
}

static inline void option(struct bytes *body, uint16_t code, struct slice value)
{
    put16(body, code);
    put16(body, (uint16_t)value.n);
    put_slice(body, value);
    put_times(body, 0, -value.n & 3);
}

static inline void section_block(struct bytes *b)
{
    struct bytes body = {.little = b->little};
    put32(&body, 0x1a2b3c4d);
    put16(&body, 1);
    put16(&body, 0);
    put64(&body, UINT64_MAX);
    block_end(b, 0x0a0d0d0a, &body);
}

/* `options` stand as they are, without an end-of-options. */
static inline void interface_block(struct bytes *b, uint16_t link_type, uint32_t snaplen,
                                   struct slice options)
{
    struct bytes body = {.little = b->little};
    put16(&body, link_type);
    put16(&body, 0);
    put32(&body, snaplen);
    put_slice(&body, options);
    block_end(b, 1, &body);
}

static inline void packet_bytes(struct bytes *body, struct slice packet, struct slice options)
{
    put_slice(body, packet);
    put_times(body, 0, -packet.n & 3);
    put_slice(body, options);
}

static inline void enhanced_block(struct bytes *b, uint32_t interface, uint64_t units,
                                  struct slice packet, struct slice options)
{
    struct bytes body = {.little = b->little};
    put32(&body, interface);
    put32(&body, (uint32_t)(units >> 32));
    put32(&body, (uint32_t)units);
    put32(&body, (uint32_t)packet.n);
    put32(&body, (uint32_t)packet.n + 1);
    packet_bytes(&body, packet, options);
    block_end(b, 6, &body);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* A file without a name; the path stays good until the descriptor is closed. */
static inline int temporary(struct slice content, char path[64])
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < content.n;) {
        ssize_t some = write(fd, content.p + done, content.n - done);
        assert_true(some > 0);
        done += (size_t)some;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static inline struct source *open_bytes(struct slice content, struct err *err)
{
    char path[64];
    int fd = temporary(content, path);
    struct source *s = source_open("point", path, err);
    close(fd);
    return s;
}

static inline enum source_result next_frame(struct source *s, struct source_frame *f)
{
    struct err err = {""};
    enum source_result result = source_next(s, f, &err);
    if (result == SOURCE_ERROR)
        print_message("%s\n", err.text);
    return result;
}

/* The error without the path in front of it. */
static inline const char *without_path(const struct err *err)
{
    const char *colon = strstr(err->text, ": ");
    return colon ? colon + 2 : err->text;
}

#define assert_slice_equal(a, b)                                                                   \
    do {                                                                                           \
        assert_int_equal((a).n, (b).n);                                                            \
        assert_memory_equal((a).p ? (a).p : "", (b).p ? (b).p : "", (b).n);                        \
    } while (0)

#endif

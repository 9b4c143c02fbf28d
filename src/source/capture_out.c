/* Writes pcapng (draft-ietf-opsawg-pcapng) and pcap (draft-ietf-opsawg-pcap), in this machine's
 * byte order. */
#include "source/capture_held.h"
#include "source/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum option {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4, /* of a section */
    OPTION_NAME = 2,        /* of an interface, and so on */
    OPTION_ABOUT = 3,
    OPTION_IPV4 = 4,
    OPTION_IPV6 = 5,
    OPTION_RESOLUTION = 9,
    OPTION_FLAGS = 2,    /* of a packet */
    OPTION_RECEIVED = 4, /* of statistics */
    OPTION_DROPPED = 5,
};

#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_SNAPLEN  0x08000000u
#define LINK_ETHERNET 1
#define NANOSECONDS   9
#define SECRETS_TLS   0x544c534bu

/* ---- the file -------------------------------------------------------------------------------- */

void capture_out_heed(struct capture_out *o, const volatile sig_atomic_t *stop)
{
    o->stop = stop;
}

bool capture_out_flush(struct capture_out *o, struct err *err)
{
    if (o->held.n == 0 || (!o->broken && capture_held_write(o)))
        return true;
    return err_set(err, "%s", o->error.text);
}

/* What does not go out is tried again with the next packet. */
static void wrote(struct capture_out *o)
{
    if (o->held.n >= CAPTURE_OUT_BUFFER && !o->broken)
        (void)capture_held_write(o);
}

/* ---- records --------------------------------------------------------------------------------- */

static void put(struct capture_out *o, const void *bytes, size_t n)
{
    text_add(&o->held, (struct slice){bytes, n});
}

static void put16(struct capture_out *o, uint16_t value)
{
    put(o, &value, sizeof value);
}

static void put32(struct capture_out *o, uint32_t value)
{
    put(o, &value, sizeof value);
}

static void put_padded(struct capture_out *o, struct slice bytes)
{
    text_add(&o->held, bytes);
    text_add_fill(&o->held, '\0', -bytes.n & 3);
}

static void put_option(struct capture_out *o, enum option code, const void *bytes, size_t n)
{
    put16(o, (uint16_t)code);
    put16(o, (uint16_t)n);
    put_padded(o, (struct slice){bytes, n});
}

/* Text of others, made safe. */
static void put_text(struct capture_out *o, enum option code, struct slice foreign)
{
    struct text safe = {0};
    text_add_terminal(&safe, slice_first(foreign, CAPTURE_OUT_COMMENT));
    put_option(o, code, safe.p ? safe.p : "", safe.n < UINT16_MAX ? safe.n : UINT16_MAX);
    text_free(&safe);
}

static size_t block_begin(struct capture_out *o, enum capture_block type)
{
    size_t at = o->held.n;
    put32(o, type);
    put32(o, 0);
    return at;
}

static void block_end(struct capture_out *o, size_t at)
{
    uint32_t length = (uint32_t)(o->held.n + 4 - at);
    put32(o, length);
    memcpy(o->held.p + at + 4, &length, sizeof length);
}

static void put_section(struct capture_out *o)
{
    const int64_t length = -1; /* not known */
    size_t at = block_begin(o, BLOCK_SECTION);
    put32(o, 0x1a2b3c4d);
    put16(o, 1);
    put16(o, 0);
    put(o, &length, sizeof length);
    put_text(o, OPTION_APPLICATION, SLICE(CAPTURE_OUT_APPLICATION));
    put32(o, OPTION_END);
    block_end(o, at);
}

static void put_address(struct capture_out *o, const struct address *a)
{
    uint8_t bytes[17];
    size_t n = a->family == 4 ? 4 : 16;
    memcpy(bytes, a->bytes, n);
    if (n == 4)
        memset(bytes + 4, 0xff, 4); /* the mask */
    else
        bytes[16] = 128; /* the prefix */
    put_option(o, n == 4 ? OPTION_IPV4 : OPTION_IPV6, bytes, n == 4 ? 8 : 17);
}

static void put_interface(struct capture_out *o, const struct capture_out_interface *i)
{
    const uint8_t resolution = NANOSECONDS;
    size_t at = block_begin(o, BLOCK_INTERFACE);
    put16(o, (uint16_t)i->link_type);
    put16(o, 0);
    put32(o, 0); /* no snap length */
    put_text(o, OPTION_NAME, i->name);
    if (i->about.n)
        put_text(o, OPTION_ABOUT, i->about);
    for (size_t k = 0; k < i->address_count; k++)
        if (i->addresses[k].family)
            put_address(o, &i->addresses[k]);
    put_option(o, OPTION_RESOLUTION, &resolution, 1);
    put32(o, OPTION_END);
    block_end(o, at);
}

static void put_pcap_head(struct capture_out *o, int link_type)
{
    put32(o, PCAP_MAGIC_NS);
    put16(o, 2);
    put16(o, 4);
    put32(o, 0);
    put32(o, 0);
    put32(o, PCAP_SNAPLEN);
    put32(o, (uint32_t)link_type);
    o->link_type = link_type;
}

static void put_enhanced(struct capture_out *o, const struct capture_out_packet *p)
{
    const uint64_t time = p->time_ns > 0 ? (uint64_t)p->time_ns : 0;
    const uint32_t flags = p->direction == SOURCE_IN ? 1 : p->direction == SOURCE_OUT ? 2 : 0;
    size_t at = block_begin(o, BLOCK_PACKET);
    put32(o, p->interface);
    put32(o, (uint32_t)(time >> 32));
    put32(o, (uint32_t)time);
    put32(o, (uint32_t)p->bytes.n);
    put32(o, p->length);
    put_padded(o, p->bytes);
    for (size_t i = 0; i < p->comment_count; i++)
        put_text(o, OPTION_COMMENT, p->comments[i]);
    if (flags)
        put_option(o, OPTION_FLAGS, &flags, sizeof flags);
    if (flags || p->comment_count)
        put32(o, OPTION_END);
    block_end(o, at);
}

static void put_record(struct capture_out *o, const struct capture_out_packet *p)
{
    int64_t time = p->time_ns > 0 ? p->time_ns : 0;
    put32(o, (uint32_t)(time / 1000000000));
    put32(o, (uint32_t)(time % 1000000000));
    put32(o, (uint32_t)p->bytes.n);
    put32(o, p->length);
    text_add(&o->held, p->bytes);
}

/* ---- for the user ---------------------------------------------------------------------------- */

struct capture_out *capture_out_new(enum capture_format format, int fd, const char *label)
{
    struct capture_out *o = base_alloc(sizeof *o);
    struct stat st;
    size_t n = strlen(label) + 1;
    o->format = format;
    o->fd = fd;
    o->label = memcpy(base_alloc(n), label, n);
    o->link_type = -1;
    o->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (format == CAPTURE_PCAPNG)
        put_section(o);
    return o;
}

bool capture_out_interface(struct capture_out *o, const struct capture_out_interface *i,
                           uint32_t *id, struct err *err)
{
    char one[24], other[24];
    if (o->format == CAPTURE_PCAP && o->link_type >= 0 && o->link_type != i->link_type)
        return err_set(err,
                       "%s: pcap holds packets of one link type, here are %s and %s: pcapng "
                       "holds both",
                       o->label, source_link_name(o->link_type, one),
                       source_link_name(i->link_type, other));
    if (o->format == CAPTURE_PCAPNG)
        put_interface(o, i);
    else if (o->link_type < 0)
        put_pcap_head(o, i->link_type);
    *id = o->interfaces++;
    wrote(o);
    return true;
}

bool capture_out_packet(struct capture_out *o, const struct capture_out_packet *p, struct err *err)
{
    if (o->broken || (o->held.n >= CAPTURE_OUT_HELD && !capture_held_write(o)))
        return err_set(err, "%s", o->error.text);
    if (o->format == CAPTURE_PCAPNG)
        put_enhanced(o, p);
    else
        put_record(o, p);
    o->packets++;
    wrote(o);
    return true;
}

void capture_out_secrets(struct capture_out *o, struct slice lines)
{
    if (o->format == CAPTURE_PCAP || lines.n == 0)
        return;
    size_t at = block_begin(o, BLOCK_SECRETS);
    put32(o, SECRETS_TLS);
    put32(o, (uint32_t)lines.n);
    put_padded(o, lines);
    block_end(o, at);
    wrote(o);
}

void capture_out_counts(struct capture_out *o, uint32_t interface, uint64_t received,
                        uint64_t dropped, int64_t time_ns)
{
    uint64_t time = time_ns > 0 ? (uint64_t)time_ns : 0;
    if (o->format == CAPTURE_PCAP)
        return;
    size_t at = block_begin(o, BLOCK_STATISTICS);
    put32(o, interface);
    put32(o, (uint32_t)(time >> 32));
    put32(o, (uint32_t)time);
    put_option(o, OPTION_RECEIVED, &received, sizeof received);
    put_option(o, OPTION_DROPPED, &dropped, sizeof dropped);
    put32(o, OPTION_END);
    block_end(o, at);
    wrote(o);
}

const char *capture_out_error(const struct capture_out *o)
{
    return o->error.text[0] ? o->error.text : NULL;
}

uint64_t capture_out_bytes(const struct capture_out *o)
{
    return o->at + o->held.n;
}

uint64_t capture_out_packets(const struct capture_out *o)
{
    return o->packets;
}

bool capture_out_close(struct capture_out *o, bool sync, uint64_t *left, struct err *err)
{
    if (o->format == CAPTURE_PCAP && o->link_type < 0)
        put_pcap_head(o, LINK_ETHERNET); /* without packets it is a capture all the same */
    bool ok = capture_out_flush(o, err);
    if (left)
        *left = capture_held_packets(o);
    if (sync && o->regular && fsync(o->fd) != 0 && ok)
        ok = err_set(err, "%s: %s", o->label, strerror(errno));
    ok = (close(o->fd) == 0 || !ok || err_set(err, "%s: %s", o->label, strerror(errno))) && ok;
    text_free(&o->held);
    free(o->label);
    free(o);
    return ok;
}

/* ---- comments afterwards ----------------------------------------------------------------------
 */

struct annotation {
    struct capture_out *out;
    const struct capture_note *notes; /* those not yet written */
    size_t note_count;
    uint64_t packet; /* the next one */
    struct slice secrets;
};

/* The packet's fixed part and bytes, then the comments, then the options that it has. */
static void put_noted(struct annotation *a, struct slice block)
{
    struct capture_out *o = a->out;
    uint32_t captured;
    size_t at = o->held.n;
    memcpy(&captured, block.p + 20, sizeof captured);
    size_t fixed = 28 + captured + (-(size_t)captured & 3);
    struct slice options = {block.p + fixed, block.n - fixed - 4};
    text_add(&o->held, slice_first(block, fixed));
    for (; a->note_count && a->notes->packet == a->packet; a->notes++, a->note_count--)
        put_text(o, OPTION_COMMENT, a->notes->text);
    if (options.n)
        text_add(&o->held, options);
    else
        put32(o, OPTION_END);
    block_end(o, at);
}

static void copy_block(struct annotation *a, struct slice block)
{
    uint32_t type;
    memcpy(&type, block.p, sizeof type);
    bool noted = type == BLOCK_PACKET && a->note_count && a->notes->packet == a->packet;
    if (noted)
        put_noted(a, block);
    else if (type != BLOCK_SECRETS)
        text_add(&a->out->held, block);
    a->packet += type == BLOCK_PACKET;
    if (type == BLOCK_SECTION)
        capture_out_secrets(a->out, a->secrets);
}

/* Whole blocks at the front of what was read. */
static size_t copy_blocks(struct annotation *a, struct slice read)
{
    size_t done = 0;
    uint32_t n;
    while (read.n - done >= 12) {
        memcpy(&n, read.p + done + 4, sizeof n);
        if (n > read.n - done)
            break;
        copy_block(a, slice_first(slice_from(read, done), n));
        done += n;
    }
    return done;
}

static bool copy_all(struct annotation *a, int from, struct text *read_bytes, struct err *err)
{
    for (;;) {
        size_t have = read_bytes->n;
        text_add_fill(read_bytes, '\0', CAPTURE_OUT_BUFFER);
        ssize_t n = read(from, read_bytes->p + have, CAPTURE_OUT_BUFFER);
        read_bytes->n = have + (n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != EINTR)
            return err_set(err, "%s: %s", a->out->label, strerror(errno));
        if (n == 0)
            return true;
        size_t done = copy_blocks(a, text_slice(read_bytes));
        read_bytes->n -= done;
        memmove(read_bytes->p, read_bytes->p + done, read_bytes->n);
        if (!capture_out_flush(a->out, err))
            return false;
    }
}

bool capture_annotate(int from, int to, const char *label, const struct capture_note *notes,
                      size_t note_count, struct slice secrets, struct err *err)
{
    struct annotation a = {NULL, notes, note_count, 0, secrets};
    struct text read_bytes = {0};
    int fd = dup(to);
    if (fd < 0)
        return err_set(err, "%s: %s", label, strerror(errno));
    a.out = capture_out_new(CAPTURE_PCAPNG, fd, label);
    text_clear(&a.out->held); /* the section's header is copied */
    bool ok = copy_all(&a, from, &read_bytes, err);
    text_free(&read_bytes);
    return capture_out_close(a.out, true, NULL, ok ? err : &(struct err){""}) && ok;
}

/* The pcapng file format (draft-ietf-opsawg-pcapng): sections of blocks; interfaces belong to a
 * section. */
#include "source/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#define BLOCK_SECTION    0x0a0d0d0au /* the same in both byte orders */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define SECRETS_TLS      0x544c534bu /* "TLSK" */
#define BLOCK_HEAD       8u          /* type and length */
#define BLOCK_MIN        12u         /* those and the length again */

enum option {
    OPTION_END = 0,
    OPTION_NAME = 2,        /* if_name */
    OPTION_APPLICATION = 4, /* shb_userappl */
    OPTION_FLAGS = 2,       /* epb_flags, pack_flags */
    OPTION_IPV4 = 4,        /* if_IPv4addr: address and mask */
    OPTION_IPV6 = 5,        /* if_IPv6addr: address and prefix length */
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
};

struct interface {
    int link_type;
    uint32_t snaplen;
    uint64_t multiply; /* ns = (units * multiply) >> shift / divide + offset; 0: below 1 ns */
    uint64_t divide;
    unsigned shift;
    int64_t offset_s;
};

struct pcapng_state {
    bool swapped;    /* this section's byte order is not ours */
    uint32_t first;  /* index over the whole file of this section's first interface */
    uint64_t block;  /* number of the block that is being read, from 1 */
    uint64_t place;  /* and where it starts */
    uint64_t rest;   /* of a block that is passed over: what is still to come; 0: none is */
    uint32_t length; /* and its length as it says */
    VEC(struct interface) interfaces; /* of this section */
};

/* A block without its type and lengths.  NULL: fine; otherwise what is wrong with it. */
typedef const char *read_block(struct source *s, struct slice body, struct source_frame *frame);

static uint16_t take_u16(const struct pcapng_state *p, struct cursor *c)
{
    return source_u16(__builtin_bswap16(cursor_be16(c)), p->swapped);
}

static uint32_t take_u32(const struct pcapng_state *p, struct cursor *c)
{
    return source_u32(__builtin_bswap32(cursor_be32(c)), p->swapped);
}

/* The next option's value; false at the end of the list or where it breaks off. */
static bool take_option(const struct pcapng_state *p, struct cursor *c, uint16_t *code,
                        struct slice *value)
{
    *code = take_u16(p, c);
    uint16_t n = take_u16(p, c);
    *value = cursor_take(c, n);
    bool whole = !c->failed && *code != OPTION_END;
    cursor_skip(c, -(size_t)n & 3);
    return whole;
}

/* ---- time ------------------------------------------------------------------------------------ */

static uint64_t power_of_ten(unsigned n)
{
    uint64_t value = 1;
    while (n--)
        value *= 10;
    return value;
}

/* if_tsresol: units of 10^-n seconds, or of 2^-n where the upper bit is set. */
static void set_resolution(struct interface *i, uint8_t tsresol)
{
    unsigned n = tsresol & 0x7f;
    i->multiply = i->divide = 1;
    i->shift = 0;
    if (tsresol & 0x80) {
        i->multiply = 1000000000;
        i->shift = n;
    } else if (n <= 9) {
        i->multiply = power_of_ten(9 - n);
    } else {
        i->divide = n - 9 <= 19 ? power_of_ten(n - 9) : 0;
    }
}

/* Times that no clock shows become 0 (before 1970) or the largest (after 2262). */
static int64_t time_of(const struct interface *i, uint64_t units)
{
    unsigned __int128 wide = (unsigned __int128)units * i->multiply;
    wide >>= i->shift;
    if (i->divide != 1)
        wide = i->divide ? (uint64_t)(wide / i->divide) : 0;
    __int128 ns = (__int128)wide + (__int128)i->offset_s * 1000000000;
    return ns < 0 ? 0 : ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static const char *read_section(struct source *s, struct slice body, struct source_frame *frame)
{
    struct pcapng_state *p = s->state;
    struct cursor c = cursor_of(body);
    cursor_skip(&c, 4);
    uint16_t major = take_u16(p, &c), minor = take_u16(p, &c);
    (void)frame;
    uint16_t code;
    struct slice value;
    if (c.failed)
        return "a section header that is too short";
    cursor_skip(&c, 8);
    while (take_option(p, &c, &code, &value))
        s->recording |= code == OPTION_APPLICATION && slice_is(value, CAPTURE_OUT_APPLICATION);
    if (major != 1 || (minor != 0 && minor != 2))
        return "a pcapng version that is not supported";
    p->first += (uint32_t)p->interfaces.n;
    vec_clear(&p->interfaces);
    return NULL;
}

static void read_interface_option(struct source *s, struct interface *i, uint16_t code,
                                  struct slice value)
{
    const struct pcapng_state *p = s->state;
    const uint8_t *bytes = (const uint8_t *)value.p;
    struct cursor c = cursor_of(value);
    if (code == OPTION_TSRESOL && value.n >= 1) {
        set_resolution(i, bytes[0]);
    } else if (code == OPTION_TSOFFSET && value.n >= 8) {
        uint64_t a = take_u32(p, &c), b = take_u32(p, &c);
        bool little = p->swapped == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
        i->offset_s = (int64_t)(little ? b << 32 | a : a << 32 | b);
    } else if (code == OPTION_IPV4 && value.n >= 4) {
        source_add_host(s, address_of(4, bytes));
    } else if (code == OPTION_IPV6 && value.n >= 16) {
        source_add_host(s, address_of(6, bytes));
    }
}

static const char *read_interface(struct source *s, struct slice body, struct source_frame *frame)
{
    struct pcapng_state *p = s->state;
    struct cursor c = cursor_of(body);
    struct interface i = {.multiply = 1000, .divide = 1};
    uint16_t code;
    struct slice value, name = SLICE_NONE;
    i.link_type = take_u16(p, &c);
    cursor_skip(&c, 2);
    i.snaplen = take_u32(p, &c);
    (void)frame;
    if (c.failed)
        return "an interface description that is too short";
    if (p->interfaces.n >= SOURCE_INTERFACES)
        return "too many interfaces";
    while (take_option(p, &c, &code, &value)) {
        read_interface_option(s, &i, code, value);
        if (code == OPTION_NAME)
            name = value;
    }
    if (s->recording)
        source_add_interface(s, name);
    *vec_add(&p->interfaces) = i;
    return NULL;
}

static enum source_direction read_direction(const struct pcapng_state *p, struct slice options)
{
    struct cursor c = cursor_of(options);
    uint16_t code;
    struct slice value;
    while (take_option(p, &c, &code, &value)) {
        if (code == OPTION_FLAGS && value.n == 4) {
            struct cursor flags = cursor_of(value);
            uint32_t way = take_u32(p, &flags) & 3;
            return way == 1 ? SOURCE_IN : way == 2 ? SOURCE_OUT : SOURCE_UNKNOWN;
        }
    }
    return SOURCE_UNKNOWN;
}

/* What the three kinds of packet block have in common; `rest` holds the bytes, then options. */
static const char *fill_frame(struct source *s, uint32_t index, uint32_t captured,
                              struct slice rest, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    if (index >= p->interfaces.n)
        return "a packet of an interface that was not described";
    if (captured > rest.n)
        return "a packet that is longer than its block";
    size_t padded = captured + (-(size_t)captured & 3);
    frame->bytes = slice_first(rest, captured);
    frame->interface = p->first + index;
    frame->link_type = p->interfaces.items[index].link_type;
    frame->direction =
        rest.n > padded ? read_direction(p, slice_from(rest, padded)) : SOURCE_UNKNOWN;
    frame->time_ns = 0;
    return NULL;
}

/* What both blocks that carry a time have behind the interface's number. */
struct packet_fields {
    uint32_t high, low, captured, length;
};

static const char *fill_packet(struct source *s, uint32_t index, const struct packet_fields *h,
                               struct slice body, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    const char *fault = fill_frame(s, index, source_u32(h->captured, p->swapped), body, frame);
    if (fault)
        return fault;
    uint64_t high = source_u32(h->high, p->swapped);
    frame->time_ns =
        time_of(&p->interfaces.items[index], high << 32 | source_u32(h->low, p->swapped));
    frame->length = source_u32(h->length, p->swapped);
    return NULL;
}

static const char *read_enhanced(struct source *s, struct slice body, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    struct {
        uint32_t interface;
        struct packet_fields fields;
    } h;
    if (!source_take(&body, &h, sizeof h))
        return "a packet block that is too short";
    return fill_packet(s, source_u32(h.interface, p->swapped), &h.fields, body, frame);
}

/* The block that the enhanced one replaced: it differs in its first four bytes. */
static const char *read_packet(struct source *s, struct slice body, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    struct {
        uint16_t interface, drops;
        struct packet_fields fields;
    } h;
    if (!source_take(&body, &h, sizeof h))
        return "a packet block that is too short";
    return fill_packet(s, source_u16(h.interface, p->swapped), &h.fields, body, frame);
}

/* No time, no captured length: as much as the first interface's snap length lets through. */
static const char *read_simple(struct source *s, struct slice body, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    uint32_t length;
    if (!source_take(&body, &length, sizeof length))
        return "a packet block that is too short";
    if (p->interfaces.n == 0)
        return "a packet of an interface that was not described";
    length = source_u32(length, p->swapped);
    uint32_t snaplen = p->interfaces.items[0].snaplen;
    body = slice_first(body, snaplen && snaplen < length ? snaplen : length);
    frame->length = length;
    return fill_frame(s, 0, (uint32_t)body.n, body, frame);
}

/* Decryption secrets: a text of the TLS key log, or secrets of another protocol. */
static const char *read_secrets(struct source *s, struct slice body, struct source_frame *frame)
{
    const struct pcapng_state *p = s->state;
    struct cursor c = cursor_of(body);
    uint32_t type = take_u32(p, &c), n = take_u32(p, &c);
    struct slice text = cursor_take(&c, n);
    (void)frame;
    if (type == SECRETS_TLS && !c.failed)
        source_add_secrets(s, text);
    else
        s->stats.secrets_lost += type == SECRETS_TLS;
    return NULL;
}

static const struct block_kind {
    uint32_t type;
    bool packet;
    read_block *read; /* NULL: known, of no use to us */
} kinds[] = {
    {0x00000006, true, read_enhanced},   {BLOCK_SECTION, false, read_section},
    {0x00000001, false, read_interface}, {0x00000003, true, read_simple},
    {0x00000002, true, read_packet},     {0x00000004, false, NULL}, /* name resolution */
    {0x00000005, false, NULL},                                      /* interface statistics */
    {0x0000000a, false, read_secrets},
};

static const struct block_kind *find_kind(uint32_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum source_result cut(struct source *s, struct err *err)
{
    const struct pcapng_state *p = s->state;
    return source_cut(s, "block", p->block, p->place, err);
}

static enum source_result corrupt(struct source *s, const char *fault, struct err *err)
{
    const struct pcapng_state *p = s->state;
    err_set(err,
            "%s: block %" PRIu64 " at byte %" PRIu64 "%s (after frame %" PRIu32 ") is corrupt: %s",
            s->label, p->block, p->place, source_unit(s), s->number, fault);
    return SOURCE_ERROR;
}

/* A section header says in which byte order it and the blocks after it are. */
static bool set_byte_order(struct pcapng_state *p, struct slice head)
{
    uint32_t magic = 0;
    head = slice_from(head, BLOCK_HEAD);
    source_take(&head, &magic, sizeof magic);
    p->swapped = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
    return p->swapped || magic == BYTE_ORDER_MAGIC;
}

/* Both lengths of a block must agree.  They may or may not count the padding at its end. */
static const char *check_end(const struct pcapng_state *p, struct slice end, uint32_t length)
{
    uint32_t again = 0;
    source_take(&end, &again, sizeof again);
    return source_u32(again, p->swapped) == length ? NULL : "its two lengths differ";
}

/* A block of no use may be longer than what is held, so that it goes piece by piece. */
static enum source_result pass_block(struct source *s, struct err *err)
{
    struct pcapng_state *p = s->state;
    uint64_t before_end = p->rest - 4;
    bool there = source_input_discard(&s->in, &before_end);
    p->rest = before_end + 4;
    if (!there)
        return cut(s, err);
    struct slice end = source_input_peek(&s->in, 4);
    if (end.n < 4)
        return cut(s, err);
    const char *fault = check_end(p, end, p->length);
    source_input_skip(&s->in, 4);
    if (fault)
        return corrupt(s, fault, err);
    p->rest = 0;
    p->block++;
    return SOURCE_FRAME;
}

static enum source_result take_block(struct source *s, const struct block_kind *kind,
                                     uint32_t length, size_t padded, struct source_frame *frame,
                                     struct err *err)
{
    struct pcapng_state *p = s->state;
    if (length > SOURCE_RECORD_MAX)
        return corrupt(s, "its length is absurd", err);
    struct slice block = source_input_peek(&s->in, padded);
    if (block.n < padded)
        return cut(s, err);
    source_input_skip(&s->in, padded);
    const char *fault = check_end(p, slice_from(block, padded - 4), length);
    struct slice body = slice_from(slice_first(block, padded - 4), BLOCK_HEAD);
    if (!fault)
        fault = kind->read(s, body, frame);
    if (fault)
        return corrupt(s, fault, err);
    if (kind->packet)
        frame->offset =
            s->in.seekable ? p->place + (uint64_t)(frame->bytes.p - block.p) : SOURCE_NO_OFFSET;
    p->block++;
    return SOURCE_FRAME;
}

/* SOURCE_FRAME here says that the block was read; *packet whether it held a frame. */
static enum source_result next_block(struct source *s, struct source_frame *frame, bool *packet,
                                     struct err *err)
{
    struct pcapng_state *p = s->state;
    struct {
        uint32_t type, length;
    } h;
    *packet = false;
    if (p->rest)
        return pass_block(s, err);
    p->place = source_input_place(&s->in);
    struct slice head = source_input_peek(&s->in, BLOCK_MIN), fields = head;
    if (head.n == 0)
        return source_end(s, err);
    if (head.n < BLOCK_MIN)
        return cut(s, err);
    source_take(&fields, &h, sizeof h);
    if (h.type == BLOCK_SECTION && !set_byte_order(p, head))
        return corrupt(s, "a section header without byte-order magic", err);
    uint32_t length = source_u32(h.length, p->swapped);
    size_t padded = (size_t)length + (-(size_t)length & 3);
    if (length < BLOCK_MIN)
        return corrupt(s, "its length is less than 12", err);
    const struct block_kind *kind = find_kind(source_u32(h.type, p->swapped));
    *packet = kind && kind->packet;
    if (kind && kind->read)
        return take_block(s, kind, length, padded, frame, err);
    s->stats.skipped_blocks += !kind;
    p->rest = padded;
    p->length = length;
    return pass_block(s, err);
}

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    bool packet = false;
    enum source_result result;
    do
        result = next_block(s, frame, &packet, err);
    while (result == SOURCE_FRAME && !packet);
    return result;
}

static bool probe(struct slice head)
{
    return slice_starts(head, SLICE("\x0a\x0d\x0d\x0a"));
}

static bool open_pcapng(struct source *s, struct err *err)
{
    struct slice head = source_input_peek(&s->in, BLOCK_MIN);
    if (head.n < BLOCK_MIN)
        return err_set(err, "%s: the pcapng section header is cut: %zu bytes", s->label, head.n);
    struct pcapng_state *p = s->state ? s->state : base_alloc(sizeof *p);
    s->state = p;
    p->block = 1;
    if (!set_byte_order(p, head))
        return err_set(err, "%s: not a pcapng capture: no byte-order magic", s->label);
    struct source_frame frame;
    bool packet;
    enum source_result result = next_block(s, &frame, &packet, err);
    if (result == SOURCE_END)
        err_set(err, "%s: the pcapng section header is cut", s->label);
    return result == SOURCE_FRAME;
}

/* Interfaces are described as the file goes on. */
static int link_type(const struct source *s)
{
    (void)s;
    return -1;
}

static void close_pcapng(struct source *s)
{
    struct pcapng_state *p = s->state;
    if (p)
        vec_free(&p->interfaces);
    free(p);
}

const struct source_format source_format_pcapng = {
    "pcapng", probe, open_pcapng, next, link_type, close_pcapng,
};

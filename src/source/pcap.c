/* The pcap file format (draft-ietf-opsawg-pcap): a file header, then records, each a header and
 * bytes. */
#include "source/internal.h"

#include <inttypes.h>
#include <stdlib.h>

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snaplen, network;
};

struct record_header {
    uint32_t seconds, fraction, captured, length;
};

/* "Modified" pcap of Linux 2.2's days puts eight more bytes behind each record header. */
struct record_extra {
    uint32_t interface;
    uint16_t protocol;
    uint8_t packet_type, padding;
};

struct pcap_state {
    int link_type;
    uint32_t unit_ns; /* one unit of `fraction` */
    bool swapped;
    bool extra;
    bool old; /* before 2.4: writers disagreed on the order of the two lengths */
};

static const struct variant {
    uint32_t magic;
    uint32_t unit_ns;
    bool extra;
} variants[] = {
    {0xa1b2c3d4, 1000, false},
    {0xa1b23c4d, 1, false},
    {0xa1b2cd34, 1000, true},
};

static const struct variant *find_variant(uint32_t magic, bool *swapped)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        *swapped = magic == __builtin_bswap32(variants[i].magic);
        if (*swapped || magic == variants[i].magic)
            return &variants[i];
    }
    return NULL;
}

static bool probe(struct slice head)
{
    uint32_t magic;
    bool swapped;
    return source_take(&head, &magic, sizeof magic) && find_variant(magic, &swapped);
}

static bool open_pcap(struct source *s, struct err *err)
{
    struct file_header h;
    struct slice head = source_input_peek(&s->in, sizeof h);
    if (head.n < sizeof h)
        return err_set(err, "%s: the pcap file header is cut: %zu of %zu bytes", s->label, head.n,
                       sizeof h);
    source_take(&head, &h, sizeof h);
    source_input_skip(&s->in, sizeof h);
    struct pcap_state *p = s->state = base_alloc(sizeof *p);
    const struct variant *v = find_variant(h.magic, &p->swapped);
    p->unit_ns = v->unit_ns;
    p->extra = v->extra;
    /* the upper half says how long the frame check sequence is: IP's lengths trim that */
    p->link_type = (int)(source_u32(h.network, p->swapped) & 0xffff);
    uint16_t major = source_u16(h.major, p->swapped), minor = source_u16(h.minor, p->swapped);
    p->old = minor < 4;
    if (major != 2 || minor > 4)
        return err_set(err, "%s: pcap version %u.%u is not supported", s->label, major, minor);
    return true;
}

static enum source_result corrupt(struct source *s, uint64_t place, uint32_t captured,
                                  struct err *err)
{
    err_set(err,
            "%s: record %" PRIu32 " at byte %" PRIu64 "%s is corrupt: %" PRIu32
            " bytes captured in one frame",
            s->label, s->number + 1, place, source_unit(s), captured);
    return SOURCE_ERROR;
}

static enum source_direction direction_of(uint8_t packet_type)
{
    return packet_type == 4 ? SOURCE_OUT : packet_type == 0 ? SOURCE_IN : SOURCE_UNKNOWN;
}

static void read_header(const struct pcap_state *p, struct slice *record, struct record_header *h)
{
    source_take(record, h, sizeof *h);
    h->seconds = source_u32(h->seconds, p->swapped);
    h->fraction = source_u32(h->fraction, p->swapped);
    h->captured = source_u32(h->captured, p->swapped);
    h->length = source_u32(h->length, p->swapped);
    if (__builtin_expect(p->old, false) && h->captured > h->length) {
        uint32_t length = h->captured;
        h->captured = h->length;
        h->length = length;
    }
}

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    const struct pcap_state *p = s->state;
    struct record_header h;
    struct record_extra extra = {.packet_type = UINT8_MAX};
    size_t head = sizeof h + (p->extra ? sizeof extra : 0);
    uint64_t place = source_input_place(&s->in);
    struct slice record = source_input_peek(&s->in, head);
    if (record.n == 0)
        return source_end(s, err);
    if (record.n < head)
        return source_cut(s, "record", s->number + 1, place, err);
    read_header(p, &record, &h);
    if (h.captured > SOURCE_RECORD_MAX)
        return corrupt(s, place, h.captured, err);
    record = source_input_peek(&s->in, head + h.captured);
    if (record.n < head + h.captured)
        return source_cut(s, "record", s->number + 1, place, err);
    source_input_skip(&s->in, record.n);
    if (p->extra) {
        record = slice_from(record, sizeof h);
        source_take(&record, &extra, sizeof extra);
        frame->bytes = record;
    } else {
        frame->bytes = slice_from(record, sizeof h);
    }
    frame->length = h.length;
    frame->interface = 0;
    frame->link_type = p->link_type;
    frame->time_ns = (int64_t)h.seconds * 1000000000 + (int64_t)h.fraction * p->unit_ns;
    frame->offset = s->in.seekable ? place + head : SOURCE_NO_OFFSET;
    frame->direction = direction_of(extra.packet_type);
    return SOURCE_FRAME;
}

static int link_type(const struct source *s)
{
    return ((const struct pcap_state *)s->state)->link_type;
}

static void close_pcap(struct source *s)
{
    free(s->state);
}

const struct source_format source_format_pcap = {
    "pcap", probe, open_pcap, next, link_type, close_pcap,
};

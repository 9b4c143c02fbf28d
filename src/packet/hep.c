/* HEP, by which capture agents and SIP servers send what they see to a collector: version 3, a list
 * of chunks (HEP3 Network Protocol Specification), and versions 1 and 2, a fixed header.  What it
 * carries takes the place of the packet that it came in. */
#include "packet/inflate.h"
#include "packet/stream.h"

#include <endian.h>

enum hep_chunk {
    HEP_FAMILY = 1,
    HEP_PROTOCOL,
    HEP_SRC4,
    HEP_DST4,
    HEP_SRC6,
    HEP_DST6,
    HEP_SRC_PORT,
    HEP_DST_PORT,
    HEP_SECONDS,
    HEP_MICROSECONDS,
    HEP_TYPE,
    HEP_AGENT,
    HEP_PAYLOAD = 15,
    HEP_COMPRESSED
};

/* How long the values are that are numbers and addresses; 0: any length. */
static const uint8_t sizes[] = {
    [HEP_FAMILY] = 1,     [HEP_PROTOCOL] = 1, [HEP_SRC4] = 4,         [HEP_DST4] = 4,
    [HEP_SRC6] = 16,      [HEP_DST6] = 16,    [HEP_SRC_PORT] = 2,     [HEP_DST_PORT] = 2,
    [HEP_SECONDS] = 4,    [HEP_TYPE] = 1,     [HEP_MICROSECONDS] = 4, [HEP_AGENT] = 4,
    [HEP_COMPRESSED] = 0,
};

/* What a HEP message says. */
struct hep {
    uint32_t numbers[sizeof sizes];
    struct address ends4[2], ends6[2]; /* from, to */
    bool has_agent, compressed, malformed;
    struct packet_view payload; /* payload.bytes.p NULL: none */
};

/* ---- version 3 ------------------------------------------------------------------------------- */

static uint32_t number_of(struct slice bytes)
{
    uint32_t n = 0;
    for (size_t i = 0; i < bytes.n; i++)
        n = n << 8 | (uint8_t)bytes.p[i];
    return n;
}

/* A value that is a number or an address. */
static void read_value(struct hep *h, unsigned type, struct slice value)
{
    const uint8_t *bytes = (const uint8_t *)value.p;
    if (value.n != sizes[type]) {
        h->malformed = true;
        return;
    }
    if (type == HEP_SRC4 || type == HEP_DST4)
        h->ends4[type - HEP_SRC4] = address_of(4, bytes);
    else if (type == HEP_SRC6 || type == HEP_DST6)
        h->ends6[type - HEP_SRC6] = address_of(6, bytes);
    else
        h->numbers[type] = number_of(value);
    h->has_agent |= type == HEP_AGENT;
}

/* Moves the next chunk's value from the front of *v to *value; false at the end, also where what is
 * there is no chunk. */
static bool next_chunk(struct hep *h, struct packet_view *v, uint16_t head[3],
                       struct packet_view *value)
{
    if (!packet_take(v, head, PACKET_HEP_CHUNK)) {
        h->malformed |= v->bytes.n > 0 && v->missing == 0;
        return false;
    }
    size_t n = be16toh(head[2]);
    if (n < PACKET_HEP_CHUNK) {
        h->malformed = true;
        return false;
    }
    n -= PACKET_HEP_CHUNK;
    h->malformed |= n > v->bytes.n + v->missing;
    *value = (struct packet_view){slice_first(v->bytes, n), 0};
    value->missing = n - value->bytes.n;
    v->bytes = slice_from(v->bytes, value->bytes.n);
    v->missing -= value->missing < v->missing ? value->missing : v->missing;
    return true;
}

/* Chunks of other vendors and of no interest (keys, correlation, names) are passed over. */
static void read_chunks(struct hep *h, struct packet_view v)
{
    uint16_t head[3];
    struct packet_view value;
    while (next_chunk(h, &v, head, &value)) {
        unsigned type = be16toh(head[1]);
        if (head[0] != 0 || type >= sizeof sizes + 1)
            continue;
        if (type == HEP_PAYLOAD || type == HEP_COMPRESSED) {
            h->payload = value;
            h->compressed = type == HEP_COMPRESSED;
        } else if (type < sizeof sizes && sizes[type] && value.missing == 0) {
            read_value(h, type, value.bytes);
        }
    }
}

static void read_version3(struct hep *h, struct packet_view v)
{
    uint8_t head[PACKET_HEP_HEAD] = {0}; /* the caller saw that they are there */
    packet_take(&v, head, sizeof head);
    size_t n = (size_t)(head[4] << 8 | head[5]);
    if (n < sizeof head || n - sizeof head > v.bytes.n + v.missing)
        h->malformed = true;
    n = n < sizeof head ? 0 : n - sizeof head;
    if (n < v.bytes.n)
        v = (struct packet_view){slice_first(v.bytes, n), 0};
    else
        v.missing = n - v.bytes.n;
    read_chunks(h, v);
}

/* ---- versions 1 and 2 ------------------------------------------------------------------------ */

struct hep_header {
    uint8_t version, length, family, protocol;
    uint16_t src_port, dst_port;
};

/* Length of an address of the family, by the numbers that systems give to IPv6. */
static size_t address_size(uint8_t family)
{
    return family == 2 ? 4 : family == 10 || family == 28 || family == 30 ? 16 : 0;
}

static bool is_carried(uint8_t protocol)
{
    return protocol == 17 || protocol == 6 || protocol == 132 || protocol == 22 || protocol == 50;
}

/* The time that version 2 has, with the capture id as 16 bits and, as compilers lay it out, two
 * bytes of padding; some senders leave the padding out, and some count it all as header. */
#define HEP_TIME        12u
#define HEP_TIME_PACKED 10u

/* A method or "SIP", not its end after two bytes that happen to be there. */
static bool begins_in_capitals(struct slice bytes)
{
    return bytes.n > 2 && bytes.p[0] >= 'A' && bytes.p[0] <= 'Z' && bytes.p[1] >= 'A' &&
           bytes.p[1] <= 'Z' && packet_begins_sip(bytes);
}

/* How much stands before the payload; 0: it is no HEP of these versions, which nothing but their
 * form tells. */
static size_t head_of_version12(struct slice bytes)
{
    struct hep_header h;
    if (bytes.n < sizeof h)
        return 0;
    memcpy(&h, bytes.p, sizeof h);
    size_t address = address_size(h.family), n = sizeof h + 2 * address;
    if ((h.version != 1 && h.version != 2) || !address || !is_carried(h.protocol) ||
        (h.length != n && (h.version == 1 || h.length != n + HEP_TIME)))
        return 0;
    if (h.version == 1)
        return packet_begins_sip(slice_from(bytes, n)) ? n : 0;
    if (begins_in_capitals(slice_from(bytes, n + HEP_TIME_PACKED)))
        return n + HEP_TIME_PACKED;
    return packet_begins_sip(slice_from(bytes, n + HEP_TIME)) ? n + HEP_TIME : 0;
}

/* Servers write the time and the id in their own byte order, which mostly is little-endian.  That
 * order is taken that gives the time nearer to the frame's. */
static void read_time(struct hep *h, struct slice bytes, int64_t frame_ns)
{
    uint32_t words[2];
    uint16_t id[2] = {0, 0};
    memcpy(words, bytes.p, sizeof words);
    memcpy(id, bytes.p + sizeof words,
           bytes.n - sizeof words < sizeof id ? bytes.n - sizeof words : sizeof id);
    int64_t frame = frame_ns / 1000000000;
    int64_t little = (int64_t)le32toh(words[0]) - frame, big = (int64_t)be32toh(words[0]) - frame;
    bool swap = (big < 0 ? -big : big) < (little < 0 ? -little : little);
    h->numbers[HEP_SECONDS] = swap ? be32toh(words[0]) : le32toh(words[0]);
    h->numbers[HEP_MICROSECONDS] = swap ? be32toh(words[1]) : le32toh(words[1]);
    /* as 32 bits in network order, the id stands in the latter half */
    h->numbers[HEP_AGENT] = swap ? be16toh(id[0] ? id[0] : id[1]) : le16toh(id[0]);
    h->has_agent = true;
}

static void read_version12(struct hep *h, struct packet_view v, size_t head, int64_t frame_ns)
{
    struct hep_header fixed;
    memcpy(&fixed, v.bytes.p, sizeof fixed);
    size_t address = address_size(fixed.family);
    struct address *ends = address == 4 ? h->ends4 : h->ends6;
    const uint8_t *at = (const uint8_t *)v.bytes.p + sizeof fixed;
    h->numbers[HEP_FAMILY] = fixed.family;
    h->numbers[HEP_PROTOCOL] = fixed.protocol;
    h->numbers[HEP_SRC_PORT] = be16toh(fixed.src_port);
    h->numbers[HEP_DST_PORT] = be16toh(fixed.dst_port);
    ends[0] = address_of(address == 4 ? 4 : 6, at);
    ends[1] = address_of(address == 4 ? 4 : 6, at + address);
    size_t before_time = sizeof fixed + 2 * address;
    if (head > before_time)
        read_time(h, slice_from(slice_first(v.bytes, head), before_time), frame_ns);
    h->payload = (struct packet_view){slice_from(v.bytes, head), v.missing};
}

/* ---- what it carries ------------------------------------------------------------------------- */

/* Numbers that IP gives to others stand for what has none: 22 for TLS (kamailio, OpenSIPS,
 * FreeSWITCH; kamailio's WebSockets too), 50 for WebSockets (OpenSIPS). */
static enum packet_transport transport_of(uint32_t protocol)
{
    return protocol == 6     ? PACKET_TCP
           : protocol == 132 ? PACKET_SCTP
           : protocol == 22  ? PACKET_TLS
           : protocol == 50  ? PACKET_WS
                             : PACKET_UDP;
}

/* Both ends are of one family: that which the message names, else the one that it has. */
static void set_ends(const struct hep *h, struct packet_payload *out)
{
    size_t named = address_size((uint8_t)h->numbers[HEP_FAMILY]);
    bool has4 = h->ends4[0].family || h->ends4[1].family;
    bool has6 = h->ends6[0].family || h->ends6[1].family;
    bool six = has6 && (named == 16 || !has4);
    const struct address *ends = six ? h->ends6 : h->ends4;
    static const uint8_t none[16];
    out->src.ip = ends[0].family ? ends[0] : address_of(six ? 6 : 4, none);
    out->dst.ip = ends[1].family ? ends[1] : address_of(six ? 6 : 4, none);
    out->src.port = (uint16_t)h->numbers[HEP_SRC_PORT];
    out->dst.port = (uint16_t)h->numbers[HEP_DST_PORT];
}

static void hand_on_inflated(struct packet_decoder *d, struct packet_payload *out)
{
    struct packet_inflater *f = packet_inflater_new(PACKET_DEFLATED_HEADED);
    struct packet_bytes bytes = {0};
    enum packet_inflated result = packet_inflate(f, out->bytes, &bytes);
    bool whole = result == PACKET_INFLATED_END && out->missing == 0;
    d->stats.not_inflated += !whole && result != PACKET_INFLATED_MORE && out->missing == 0;
    if (bytes.n) {
        out->bytes = (struct slice){bytes.items, bytes.n};
        out->offset = SOURCE_NO_OFFSET;
        out->gap |= result == PACKET_INFLATED_BAD;
        out->missing = !whole;
        packet_hand_on(d, out);
    }
    packet_inflater_free(f);
    vec_free(&bytes);
}

/* The frames, and where their bytes stand, are those of the packet around it. */
static void hand_on(struct packet_decoder *d, const struct packet_payload *p, const struct hep *h)
{
    struct packet_payload out = *p;
    out.transport = transport_of(h->numbers[HEP_PROTOCOL]);
    set_ends(h, &out);
    out.bytes = h->payload.bytes;
    out.missing = h->payload.missing;
    if (h->numbers[HEP_SECONDS])
        out.time_ns = (int64_t)h->numbers[HEP_SECONDS] * 1000000000 +
                      (int64_t)h->numbers[HEP_MICROSECONDS] * 1000;
    if (out.offset != SOURCE_NO_OFFSET)
        out.offset += (uint64_t)(h->payload.bytes.p - p->bytes.p);
    out.direction = SOURCE_UNKNOWN;
    out.has_agent = h->has_agent;
    out.agent = h->numbers[HEP_AGENT];
    d->hep_depth++;
    if (h->compressed)
        hand_on_inflated(d, &out);
    else
        packet_hand_on(d, &out);
    d->hep_depth--;
}

bool packet_hep_read(struct packet_decoder *d, const struct packet_payload *p)
{
    struct hep h = {.numbers[HEP_TYPE] = 1};
    struct packet_view v = {p->bytes, p->missing};
    size_t head;
    if (slice_starts(p->bytes, SLICE(PACKET_HEP_MAGIC)) && p->bytes.n >= PACKET_HEP_HEAD)
        read_version3(&h, v);
    else if ((head = head_of_version12(p->bytes)) != 0)
        read_version12(&h, v, head, p->time_ns);
    else
        return false;
    bool deep = d->hep_depth >= PACKET_DEPTH;
    d->stats.malformed += h.malformed || deep;
    if (deep)
        return true;
    if (h.payload.bytes.p && h.payload.bytes.n && h.numbers[HEP_TYPE] <= 1)
        hand_on(d, p, &h);
    else if (!h.malformed && p->missing && !h.payload.bytes.n)
        d->stats.cut++;
    else if (!h.malformed)
        d->stats.hep_other++;
    return true;
}

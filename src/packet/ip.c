/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers.  Checksums are never looked at: captures on the
 * sending host see them before the network card fills them in. */
#include "packet/internal.h"

#include <endian.h>

struct ipv4_header {
    uint8_t version_length, service;
    uint16_t total, id, fragment;
    uint8_t ttl, protocol;
    uint16_t checksum;
    uint8_t src[4], dst[4];
};

struct ipv6_header {
    uint8_t version_class, flow[3];
    uint16_t payload;
    uint8_t next, hops;
    uint8_t src[16], dst[16];
};

/* An IP header within another is of a packet that was under way between others. */
static void enter(struct packet_context *x)
{
    if (x->out.src.ip.family)
        x->out.direction = packet_direction_within(x->out.direction);
    x->reassembled = false;
}

static void read_ipv4_fragment(struct packet_context *x, const struct ipv4_header *h,
                               struct packet_view v)
{
    uint16_t field = be16toh(h->fragment);
    if (!packet_protocol_readable(h->protocol)) {
        x->d->stats.fragments++;
        x->d->stats.other_transport++;
        return;
    }
    packet_fragments_push(x, &(struct packet_fragment){.at = (field & 0x1fffu) * 8,
                                                       .more = field & 0x2000,
                                                       .protocol = h->protocol,
                                                       .key_protocol = h->protocol,
                                                       .v = v});
}

void packet_read_ipv4(struct packet_context *x, struct packet_view v)
{
    struct ipv4_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    size_t head = (h.version_length & 15u) * 4;
    size_t total = be16toh(h.total);
    if (h.version_length >> 4 != 4 || head < sizeof h || (total && total < head)) {
        packet_malformed(x);
        return;
    }
    if (!packet_skip(&v, head - sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    if (total) /* 0: segmentation is left to the network card, the frame is as long as it is */
        packet_limit(x, &v, total - head);
    enter(x);
    x->out.src.ip = address_of(4, h.src);
    x->out.dst.ip = address_of(4, h.dst);
    x->out.ip_id = be16toh(h.id);
    if (h.fragment & htobe16(0x3fff))
        read_ipv4_fragment(x, &h, v);
    else
        packet_read_protocol(x, h.protocol, v);
}

void packet_read_ipv6(struct packet_context *x, struct packet_view v)
{
    struct ipv6_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    if (h.version_class >> 4 != 6) {
        packet_malformed(x);
        return;
    }
    if (h.payload) /* 0: as in IPv4, or a jumbogram */
        packet_limit(x, &v, be16toh(h.payload));
    enter(x);
    x->out.src.ip = address_of(6, h.src);
    x->out.dst.ip = address_of(6, h.dst);
    x->out.ip_id = 0;
    packet_read_protocol(x, h.next, v);
}

void packet_read_ip(struct packet_context *x, struct packet_view v)
{
    if (!v.bytes.n)
        packet_lost(x, &v);
    else if ((uint8_t)v.bytes.p[0] >> 4 == 4)
        packet_read_ipv4(x, v);
    else if ((uint8_t)v.bytes.p[0] >> 4 == 6)
        packet_read_ipv6(x, v);
    else
        x->d->stats.not_ip++;
}

/* As far as it was captured: the version, and lengths that fit into what is there. */
bool packet_starts_ip(const struct packet_view *v)
{
    const uint8_t *p = (const uint8_t *)v->bytes.p;
    size_t n = v->bytes.n, most = n + v->missing;
    if (n == 0)
        return v->missing;
    size_t a = n >= 4 ? p[2] * 256u + p[3] : 0, b = n >= 6 ? p[4] * 256u + p[5] : 0;
    if (p[0] >> 4 == 4)
        return (p[0] & 15) >= 5 && most >= sizeof(struct ipv4_header) && a <= most;
    return p[0] >> 4 == 6 && most >= sizeof(struct ipv6_header) &&
           b + sizeof(struct ipv6_header) <= most;
}

/* Link layers: Ethernet, Linux "cooked" captures, loopback, raw IP; and VLAN tags on any of them.
 */
#include "packet/internal.h"

#include <endian.h>

struct ethernet_header {
    uint8_t dst[6], src[6];
    uint16_t type;
};

struct sll_header {
    uint16_t packet_type, device_type, address_length;
    uint8_t address[8];
    uint16_t protocol;
};

struct sll2_header {
    uint16_t protocol, reserved;
    uint32_t interface;
    uint16_t device_type;
    uint8_t packet_type, address_length;
    uint8_t address[8];
};

struct vlan_tag {
    uint16_t control, type;
};

static void read_ethernet(struct packet_context *x, struct packet_view v)
{
    struct ethernet_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    packet_read_ethertype(x, be16toh(h.type), v);
}

/* PACKET_OUTGOING and PACKET_HOST; the rest (broadcast, for another host) says nothing of who sent
 * it. */
static void set_direction(struct packet_context *x, uint16_t packet_type)
{
    if (packet_type == 4)
        x->out.direction = SOURCE_OUT;
    else if (packet_type == 0)
        x->out.direction = SOURCE_IN;
}

static void read_sll(struct packet_context *x, struct packet_view v)
{
    struct sll_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    set_direction(x, be16toh(h.packet_type));
    packet_read_ethertype(x, be16toh(h.protocol), v);
}

static void read_sll2(struct packet_context *x, struct packet_view v)
{
    struct sll2_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    set_direction(x, h.packet_type);
    packet_read_ethertype(x, be16toh(h.protocol), v);
}

/* An address family in the byte order of the host that captured (NULL) or of the network (LOOP). */
static void read_null(struct packet_context *x, struct packet_view v)
{
    uint32_t family;
    if (!packet_take(&v, &family, sizeof family)) {
        packet_lost(x, &v);
        return;
    }
    if (family > UINT16_MAX)
        family = __builtin_bswap32(family);
    switch (family) {
    case 2:
        packet_read_ipv4(x, v);
        break;
    case 10: /* AF_INET6 of Linux, of NetBSD and OpenBSD, of FreeBSD, of macOS */
    case 24:
    case 28:
    case 30:
        packet_read_ipv6(x, v);
        break;
    default:
        x->d->stats.not_ip++;
    }
}

static void read_raw(struct packet_context *x, struct packet_view v)
{
    uint8_t first;
    struct packet_view peek = v;
    if (!packet_take(&peek, &first, sizeof first))
        packet_lost(x, &v);
    else if (first >> 4 == 4)
        packet_read_ipv4(x, v);
    else if (first >> 4 == 6)
        packet_read_ipv6(x, v);
    else
        x->d->stats.not_ip++;
}

packet_reader *packet_link_find(int link_type)
{
    static const struct {
        int link_type;
        packet_reader *read;
    } links[] = {
        {1, read_ethernet},      /* LINKTYPE_ETHERNET */
        {276, read_sll2},        /* LINKTYPE_LINUX_SLL2 */
        {113, read_sll},         /* LINKTYPE_LINUX_SLL */
        {101, read_raw},         /* LINKTYPE_RAW */
        {228, packet_read_ipv4}, /* LINKTYPE_IPV4 */
        {229, packet_read_ipv6}, /* LINKTYPE_IPV6 */
        {0, read_null},          /* LINKTYPE_NULL */
        {108, read_null},        /* LINKTYPE_LOOP */
        {12, read_raw},          /* DLT_RAW of most systems, found in files nevertheless */
        {14, read_raw},          /* and OpenBSD's */
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].link_type == link_type)
            return links[i].read;
    return NULL;
}

static void read_vlan(struct packet_context *x, struct packet_view v)
{
    struct vlan_tag tag;
    if (!packet_take(&v, &tag, sizeof tag)) {
        packet_lost(x, &v);
        return;
    }
    packet_read_ethertype(x, be16toh(tag.type), v);
}

void packet_read_ethertype(struct packet_context *x, uint16_t type, struct packet_view v)
{
    static const struct {
        uint16_t type;
        packet_reader *read;
    } types[] = {
        {0x0800, packet_read_ipv4}, {0x86dd, packet_read_ipv6}, {0x8100, read_vlan}, /* 802.1Q */
        {0x88a8, read_vlan},                                                         /* 802.1ad */
        {0x9100, read_vlan},        {0x9200, read_vlan}, /* its forerunners */
    };
    if (x->depth++ >= PACKET_DEPTH) {
        packet_malformed(x);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].type == type) {
            types[i].read(x, v);
            return;
        }
    }
    x->d->stats.not_ip++;
}

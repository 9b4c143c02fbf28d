/* Link layers: Ethernet, Linux "cooked" captures, loopback, raw IP; VLAN tags and 802.2 on any of
 * them.  The tables of LINKTYPE_ values and of Ethernet types. */
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

struct llc_header {
    uint8_t dst, src, control;
};

struct snap_header {
    uint8_t organisation[3];
    uint8_t type[2];
};

/* What a SNAP header names (IEEE 802, RFC 1042, RFC 2427). */
void packet_read_snap(struct packet_context *x, struct packet_view v)
{
    struct snap_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    uint16_t type = (uint16_t)(h.type[0] << 8 | h.type[1]);
    if (memcmp(h.organisation, "\0\0\0", 3) == 0 || memcmp(h.organisation, "\0\0\xf8", 3) == 0)
        packet_read_ethertype(x, type, v);
    else if (memcmp(h.organisation, "\0\x80\xc2", 3) == 0 && (type == 1 || type == 7))
        packet_read_bridged(x, v); /* with frame check sequence, and without */
    else
        x->d->stats.not_ip++;
}

/* 802.2 with unnumbered information: SNAP, or IP with a number of its own. */
static void read_llc(struct packet_context *x, struct packet_view v)
{
    struct llc_header h;
    if (!packet_take(&v, &h, sizeof h))
        packet_lost(x, &v);
    else if (h.dst == 0xaa && h.src == 0xaa && h.control == 3)
        packet_read_snap(x, v);
    else if (h.dst == 6 && h.src == 6 && h.control == 3)
        packet_read_ipv4(x, v);
    else
        x->d->stats.not_ip++;
}

/* What follows the addresses: a type; or a length, and then 802.2. */
static void read_type(struct packet_context *x, uint16_t type, struct packet_view v)
{
    if (type >= 0x600) {
        packet_read_ethertype(x, type, v);
        return;
    }
    if (type < v.bytes.n + v.missing)
        packet_limit(x, &v, type);
    read_llc(x, v);
}

void packet_read_ethernet(struct packet_context *x, struct packet_view v)
{
    struct ethernet_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    read_type(x, be16toh(h.type), v);
}

void packet_read_bridged(struct packet_context *x, struct packet_view v)
{
    x->out.direction = packet_direction_within(x->out.direction);
    packet_read_ethernet(x, v);
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

/* An Ethernet type, or one of Linux's own numbers: ETH_P_802_2. */
static void read_cooked(struct packet_context *x, uint16_t protocol, struct packet_view v)
{
    if (protocol == 4)
        read_llc(x, v);
    else
        packet_read_ethertype(x, protocol, v);
}

static void read_sll(struct packet_context *x, struct packet_view v)
{
    struct sll_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    set_direction(x, be16toh(h.packet_type));
    read_cooked(x, be16toh(h.protocol), v);
}

static void read_sll2(struct packet_context *x, struct packet_view v)
{
    struct sll2_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    set_direction(x, h.packet_type);
    read_cooked(x, be16toh(h.protocol), v);
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

packet_reader *packet_link_find(int link_type)
{
    static const struct {
        int link_type;
        packet_reader *read;
    } links[] = {
        {1, packet_read_ethernet},             /* LINKTYPE_ETHERNET */
        {276, read_sll2},                      /* LINKTYPE_LINUX_SLL2 */
        {113, read_sll},                       /* LINKTYPE_LINUX_SLL */
        {101, packet_read_ip},                 /* LINKTYPE_RAW */
        {228, packet_read_ipv4},               /* LINKTYPE_IPV4 */
        {229, packet_read_ipv6},               /* LINKTYPE_IPV6 */
        {0, read_null},                        /* LINKTYPE_NULL */
        {108, read_null},                      /* LINKTYPE_LOOP */
        {12, packet_read_ip},                  /* DLT_RAW of most systems, found in files too */
        {14, packet_read_ip},                  /* and OpenBSD's */
        {9, packet_read_ppp},                  /* LINKTYPE_PPP */
        {50, packet_read_ppp_hdlc},            /* LINKTYPE_PPP_HDLC */
        {51, packet_read_pppoe},               /* LINKTYPE_PPP_ETHER */
        {104, packet_read_cisco_hdlc},         /* LINKTYPE_C_HDLC */
        {107, packet_read_frame_relay},        /* LINKTYPE_FRELAY */
        {166, packet_read_pppd},               /* LINKTYPE_PPP_PPPD */
        {204, packet_read_ppp_with_direction}, /* LINKTYPE_PPP_WITH_DIR */
        {239, packet_read_nflog},              /* LINKTYPE_NFLOG */
        {252, packet_read_exported},           /* LINKTYPE_WIRESHARK_UPPER_PDU */
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
    packet_enter(x, be16toh(tag.control) & 0xfff);
    read_type(x, be16toh(tag.type), v);
}

static packet_reader *ethertype_find(uint16_t type)
{
    static const struct {
        uint16_t type;
        packet_reader *read;
    } types[] = {
        {0x0800, packet_read_ipv4},  {0x86dd, packet_read_ipv6}, {0x8100, read_vlan}, /* 802.1Q */
        {0x88a8, read_vlan},                                                          /* 802.1ad */
        {0x9100, read_vlan}, /* its forerunners */
        {0x9200, read_vlan},         {0x8847, packet_read_mpls}, {0x8848, packet_read_mpls},
        {0x8864, packet_read_pppoe}, {0x880b, packet_read_ppp},  {0x6558, packet_read_bridged},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].read;
    return NULL;
}

void packet_read_ethertype(struct packet_context *x, uint16_t type, struct packet_view v)
{
    packet_reader *read = ethertype_find(type);
    if (!packet_deeper(x))
        return;
    if (read)
        read(x, v);
    else
        x->d->stats.not_ip++;
}

bool packet_starts_ethertype(uint16_t type, const struct packet_view *v)
{
    if (type == 0x0800 || type == 0x86dd)
        return v->bytes.n ? (uint8_t)v->bytes.p[0] >> 4 == (type == 0x0800 ? 4 : 6) : v->missing;
    return ethertype_find(type);
}

bool packet_starts_ethernet(const struct packet_view *v)
{
    struct ethernet_header h;
    struct packet_view rest = *v;
    return packet_take(&rest, &h, sizeof h) ? packet_starts_ethertype(be16toh(h.type), &rest)
                                            : v->missing;
}

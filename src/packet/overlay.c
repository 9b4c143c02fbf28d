/* Tunnels over UDP: VXLAN (RFC 7348, with generic protocols: draft-ietf-nvo3-vxlan-gpe), GENEVE
 * (RFC 8926), GTP-U (3GPP TS 29.281), L2TP (RFC 2661), TZSP.  A port alone proves nothing: RTP or
 * SIP may use it.  So each header is held against all that its standard fixes, reserved bits
 * included, before it is believed. */
#include "packet/internal.h"

#include <endian.h>

struct vxlan_header {
    uint8_t flags, policy_flags;
    uint8_t policy[2]; /* the second one, in VXLAN-GPE: what follows */
    uint8_t id[3], reserved;
};

struct geneve_header {
    uint8_t version_options, flags;
    uint16_t type;
    uint8_t id[3], reserved;
};

struct gtp_header {
    uint8_t flags, type;
    uint16_t length; /* after this header */
    uint32_t tunnel;
};

struct gtp_options {
    uint16_t sequence;
    uint8_t number, extension;
};

struct tzsp_header {
    uint8_t version, type;
    uint16_t protocol;
};

/* A header ended where the capture did: then this is it, as far as can be known. */
static bool is_cut(struct packet_context *x, const struct packet_view *v)
{
    if (!v->missing)
        return false;
    packet_lost(x, v);
    return true;
}

static void enter(struct packet_context *x, const uint8_t id[3])
{
    packet_enter(x, (uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2]);
}

/* ---- VXLAN ----------------------------------------------------------------------------------- */

enum { VXLAN_POLICY = 0x80, VXLAN_ID = 0x08, VXLAN_PROTOCOL = 0x04 };

/* With a group policy, which switches and Linux put into reserved bits, or without. */
static bool read_vxlan(struct packet_context *x, struct packet_view v)
{
    struct vxlan_header h;
    if (!packet_take(&v, &h, sizeof h))
        return is_cut(x, &v);
    bool policy = h.flags & VXLAN_POLICY;
    if ((h.flags & ~VXLAN_POLICY) != VXLAN_ID || h.reserved ||
        (!policy && (h.policy_flags || h.policy[0] || h.policy[1])))
        return false;
    enter(x, h.id);
    packet_read_bridged(x, v);
    return true;
}

static packet_reader *gpe_find(uint8_t protocol)
{
    static packet_reader *const readers[] = {
        [1] = packet_read_ipv4,
        [2] = packet_read_ipv6,
        [3] = packet_read_bridged,
        [5] = packet_read_mpls,
    };
    return protocol < sizeof readers / sizeof *readers ? readers[protocol] : NULL;
}

static bool read_vxlan_gpe(struct packet_context *x, struct packet_view v)
{
    struct vxlan_header h;
    struct packet_view start = v;
    if (!packet_take(&v, &h, sizeof h))
        return is_cut(x, &v);
    if (!(h.flags & VXLAN_PROTOCOL))
        return read_vxlan(x, start);
    packet_reader *read = gpe_find(h.policy[1]);
    if ((h.flags & ~VXLAN_ID) != VXLAN_PROTOCOL || h.policy_flags || h.policy[0] || h.reserved ||
        !read)
        return false;
    enter(x, h.id);
    read(x, v);
    return true;
}

/* ---- GENEVE ---------------------------------------------------------------------------------- */

static bool read_geneve(struct packet_context *x, struct packet_view v)
{
    struct geneve_header h;
    if (!packet_take(&v, &h, sizeof h))
        return is_cut(x, &v);
    if (h.version_options >> 6 || h.flags & 0x3f || h.reserved)
        return false;
    if (!packet_skip(&v, h.version_options * 4u))
        return is_cut(x, &v);
    if (!packet_starts_ethertype(be16toh(h.type), &v))
        return false;
    enter(x, h.id);
    packet_read_ethertype(x, be16toh(h.type), v);
    return true;
}

/* ---- GTP-U ----------------------------------------------------------------------------------- */

/* Skips the extension headers, each with its length in units of 4 bytes and, last, the type of the
 * next. */
static bool skip_extensions(struct packet_view *v, uint8_t type)
{
    while (type) {
        uint8_t length;
        if (!packet_take(v, &length, 1) || length == 0 || !packet_skip(v, length * 4u - 2) ||
            !packet_take(v, &type, 1))
            return false;
    }
    return true;
}

/* A user's packet: IP, or Ethernet. */
static bool read_gtp(struct packet_context *x, struct packet_view v)
{
    enum { VERSION_1 = 0x30, FIXED = 0xf8, EXTENSION = 4, OPTIONS = 7, USER_DATA = 255 };
    struct gtp_header h;
    struct gtp_options options = {0};
    if (!packet_take(&v, &h, sizeof h))
        return is_cut(x, &v);
    if ((h.flags & FIXED) != VERSION_1 || h.type != USER_DATA ||
        be16toh(h.length) > v.bytes.n + v.missing)
        return false;
    packet_limit(x, &v, be16toh(h.length));
    if (h.flags & OPTIONS && !packet_take(&v, &options, sizeof options))
        return is_cut(x, &v);
    if (h.flags & EXTENSION && !skip_extensions(&v, options.extension))
        return is_cut(x, &v);
    if (packet_starts_ip(&v))
        packet_read_ip(x, v);
    else if (packet_starts_ethernet(&v))
        packet_read_bridged(x, v);
    else
        return false;
    return true;
}

/* ---- L2TP ------------------------------------------------------------------------------------ */

/* Data messages, which carry PPP. */
static bool read_l2tp(struct packet_context *x, struct packet_view v)
{
    enum { LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200, PRIORITY = 0x0100, VERSION_2 = 2 };
    uint16_t flags, length, ids[2], sequence[2], offset;
    struct packet_view start = v;
    if (!packet_take(&v, &flags, sizeof flags))
        return is_cut(x, &v);
    flags = be16toh(flags);
    if ((flags & ~(LENGTH | SEQUENCE | OFFSET | PRIORITY)) != VERSION_2)
        return false;
    if (flags & LENGTH) {
        if (!packet_take(&v, &length, sizeof length))
            return is_cut(x, &v);
        if (be16toh(length) > start.bytes.n + start.missing || be16toh(length) < 8)
            return false;
        packet_limit(x, &v, be16toh(length) - 4u);
    }
    if (!packet_take(&v, ids, sizeof ids) ||
        (flags & SEQUENCE && !packet_take(&v, sequence, sizeof sequence)) ||
        (flags & OFFSET &&
         (!packet_take(&v, &offset, sizeof offset) || !packet_skip(&v, be16toh(offset)))))
        return is_cut(x, &v);
    if (!packet_starts_ppp(&v))
        return false;
    packet_read_ppp(x, v);
    return true;
}

/* ---- TZSP ------------------------------------------------------------------------------------ */

/* Fields of a type, a length and a value, up to one that says that it is the last. */
static bool skip_tags(struct packet_view *v)
{
    enum { PADDING = 0, END = 1 };
    uint8_t tag, length;
    do {
        if (!packet_take(v, &tag, 1))
            return false;
        if (tag > END && (!packet_take(v, &length, 1) || !packet_skip(v, length)))
            return false;
    } while (tag != END);
    return true;
}

static packet_reader *tzsp_find(uint16_t protocol)
{
    switch (protocol) {
    case 1:
        return packet_read_bridged;
    case 4:
        return packet_read_ppp;
    case 7:
        return packet_read_ip;
    default:
        return NULL;
    }
}

/* A packet that was received, or is to be sent. */
static bool read_tzsp(struct packet_context *x, struct packet_view v)
{
    struct tzsp_header h;
    if (!packet_take(&v, &h, sizeof h))
        return is_cut(x, &v);
    packet_reader *read = tzsp_find(be16toh(h.protocol));
    if (h.version != 1 || h.type > 1 || !read)
        return false;
    if (!skip_tags(&v))
        return is_cut(x, &v);
    read(x, v);
    return true;
}

packet_tunnel *packet_tunnel_find(uint16_t port)
{
    switch (port) {
    case 1701:
        return read_l2tp;
    case 2152:
        return read_gtp;
    case 4789:
    case 8472: /* before there was a number; Linux, and Flannel with it, still has it */
        return read_vxlan;
    case 4790:
        return read_vxlan_gpe;
    case 6081:
        return read_geneve;
    case 37008:
        return read_tzsp;
    default:
        return NULL;
    }
}

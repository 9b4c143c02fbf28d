/* What stands between IP, or a link, and the packet that it carries: GRE (RFC 2784, RFC 2890; with
 * PPP: RFC 2637), ERSPAN in it, MPLS (RFC 3032) with the pseudowires on it (RFC 4448), and EtherIP
 * (RFC 3378). */
#include "packet/internal.h"

#include <endian.h>

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_STRICT = 0x0800,
    GRE_ACKNOWLEDGED = 0x0080, /* version 1 */
    GRE_VERSION = 0x0007,
};

struct gre_header {
    uint16_t flags, type;
};

struct gre_route {
    uint16_t family;
    uint8_t offset, length;
};

struct erspan_header {
    uint16_t version_vlan, session;
    uint32_t index; /* version 2: the time */
};

struct erspan_tail { /* version 2 */
    uint16_t group, kind;
};

/* ---- ERSPAN ---------------------------------------------------------------------------------- */

static void read_erspan2(struct packet_context *x, struct packet_view v)
{
    struct erspan_header h;
    if (!packet_take(&v, &h, sizeof h))
        packet_lost(x, &v);
    else if (be16toh(h.version_vlan) >> 12 != 1)
        packet_malformed(x);
    else
        packet_read_bridged(x, v);
}

/* Of type III: an Ethernet frame or an IP packet, after what one platform adds. */
static void read_erspan3(struct packet_context *x, struct packet_view v)
{
    struct erspan_header h;
    struct erspan_tail tail;
    if (!packet_take(&v, &h, sizeof h) || !packet_take(&v, &tail, sizeof tail)) {
        packet_lost(x, &v);
        return;
    }
    if (be16toh(h.version_vlan) >> 12 != 2) {
        packet_malformed(x);
        return;
    }
    uint16_t kind = be16toh(tail.kind);
    if (kind & 1 && !packet_skip(&v, 8))
        packet_lost(x, &v);
    else if ((kind >> 10 & 31) == 0)
        packet_read_bridged(x, v);
    else if ((kind >> 10 & 31) == 2)
        packet_read_ip(x, v);
    else
        x->d->stats.not_ip++;
}

/* ---- GRE ------------------------------------------------------------------------------------- */

/* Source routes (RFC 1701), of which the last is empty. */
static bool skip_routes(struct packet_view *v)
{
    struct gre_route route;
    do {
        if (!packet_take(v, &route, sizeof route) || !packet_skip(v, route.length))
            return false;
    } while (route.family || route.length);
    return true;
}

/* Version 1: PPP, or an acknowledgement alone. */
static void read_pptp(struct packet_context *x, uint16_t flags, struct packet_view v)
{
    uint16_t key[2];
    size_t rest = (flags & GRE_SEQUENCE ? 4u : 0) + (flags & GRE_ACKNOWLEDGED ? 4u : 0);
    if (!packet_take(&v, key, sizeof key) || !packet_skip(&v, rest)) {
        packet_lost(x, &v);
        return;
    }
    size_t length = be16toh(key[0]);
    if (!length || !(flags & GRE_SEQUENCE)) {
        x->d->stats.not_ip++;
        return;
    }
    packet_limit(x, &v, length);
    packet_read_ppp(x, v);
}

static void read_gre_payload(struct packet_context *x, uint16_t flags, uint16_t type,
                             struct packet_view v)
{
    if (type == 0x88be && flags & GRE_SEQUENCE)
        read_erspan2(x, v);
    else if (type == 0x88be) /* type I has no header */
        packet_read_bridged(x, v);
    else if (type == 0x22eb)
        read_erspan3(x, v);
    else
        packet_read_ethertype(x, type, v);
}

void packet_read_gre(struct packet_context *x, struct packet_view v)
{
    struct gre_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    uint16_t flags = be16toh(h.flags), type = be16toh(h.type);
    if ((flags & GRE_VERSION) == 1 && type == 0x880b &&
        (flags & (GRE_CHECKSUM | GRE_ROUTING | GRE_KEY | GRE_STRICT)) == GRE_KEY) {
        read_pptp(x, flags, v);
        return;
    }
    if (flags & GRE_VERSION) {
        packet_malformed(x);
        return;
    }
    size_t rest = (flags & (GRE_CHECKSUM | GRE_ROUTING) ? 4u : 0) + (flags & GRE_KEY ? 4u : 0) +
                  (flags & GRE_SEQUENCE ? 4u : 0);
    if (packet_skip(&v, rest) && (!(flags & GRE_ROUTING) || skip_routes(&v)))
        read_gre_payload(x, flags, type, v);
    else
        packet_lost(x, &v);
}

/* ---- MPLS ------------------------------------------------------------------------------------ */

/* Nothing in a label says what it carries: IP by its version and lengths; else an Ethernet frame,
 * in front of which there may be a control word, whose first four bits are 0. */
static void read_labelled(struct packet_context *x, struct packet_view v)
{
    struct packet_view behind = v;
    if (packet_starts_ip(&v))
        packet_read_ip(x, v);
    else if (packet_starts_ethernet(&v))
        packet_read_bridged(x, v);
    else if ((uint8_t)v.bytes.p[0] >> 4 == 0 && packet_skip(&behind, 4) &&
             packet_starts_ethernet(&behind))
        packet_read_bridged(x, behind);
    else
        x->d->stats.not_ip++;
}

void packet_read_mpls(struct packet_context *x, struct packet_view v)
{
    uint32_t entry;
    do {
        if (!packet_take(&v, &entry, sizeof entry)) {
            packet_lost(x, &v);
            return;
        }
    } while (!(entry & htobe32(0x100))); /* the bottom of the stack */
    if (v.bytes.n)
        read_labelled(x, v);
    else
        packet_lost(x, &v);
}

/* ---- EtherIP --------------------------------------------------------------------------------- */

/* Version 3, which some put into the other half of its byte, and nothing else. */
void packet_read_etherip(struct packet_context *x, struct packet_view v)
{
    uint8_t h[2];
    if (!packet_take(&v, h, sizeof h))
        packet_lost(x, &v);
    else if ((h[0] != 0x30 && h[0] != 0x03) || h[1])
        packet_malformed(x);
    else
        packet_read_bridged(x, v);
}

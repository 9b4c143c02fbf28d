/* PPP (RFC 1661) in its framings: on its own, like HDLC (RFC 1662), over Ethernet (RFC 2516); and
 * what else serial lines carry IP in: Cisco's HDLC, Frame Relay (RFC 2427). */
#include "packet/internal.h"

#include <endian.h>

struct pppoe_header {
    uint8_t version_type, code;
    uint16_t session, length;
};

struct hdlc_header {
    uint8_t address, control;
    uint16_t type;
};

static packet_reader *protocol_find(uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return packet_read_ipv4;
    case 0x0057:
        return packet_read_ipv6;
    case 0x0281:
    case 0x0283:
        return packet_read_mpls;
    default:
        return NULL;
    }
}

/* The protocol field, with address and control before it or not.  Its first byte is even, and may
 * be left out where it is 0. */
static bool take_protocol(struct packet_view *v, uint16_t *protocol)
{
    uint8_t first, second;
    if (!packet_take(v, &first, 1))
        return false;
    if (first == 0xff && (!packet_take(v, &second, 1) || !packet_take(v, &first, 1)))
        return false;
    *protocol = first;
    if (first & 1)
        return true;
    if (!packet_take(v, &second, 1))
        return false;
    *protocol = (uint16_t)(first << 8 | second);
    return true;
}

void packet_read_ppp(struct packet_context *x, struct packet_view v)
{
    uint16_t protocol;
    if (!take_protocol(&v, &protocol)) {
        packet_lost(x, &v);
        return;
    }
    packet_reader *read = protocol_find(protocol);
    if (read)
        read(x, v);
    else
        x->d->stats.not_ip++;
}

bool packet_starts_ppp(const struct packet_view *v)
{
    uint16_t protocol;
    struct packet_view rest = *v;
    return take_protocol(&rest, &protocol) ? protocol_find(protocol) != NULL : v->missing;
}

/* PPP, or Cisco's HDLC, whose first byte says that it is for one or for all. */
void packet_read_ppp_hdlc(struct packet_context *x, struct packet_view v)
{
    if (v.bytes.n && ((uint8_t)v.bytes.p[0] == 0x0f || (uint8_t)v.bytes.p[0] == 0x8f))
        packet_read_cisco_hdlc(x, v);
    else
        packet_read_ppp(x, v);
}

/* A byte that says whether the frame was sent, in front of it. */
void packet_read_ppp_with_direction(struct packet_context *x, struct packet_view v)
{
    uint8_t sent;
    if (!packet_take(&v, &sent, sizeof sent)) {
        packet_lost(x, &v);
        return;
    }
    x->out.direction = sent ? SOURCE_OUT : SOURCE_IN;
    packet_read_ppp(x, v);
}

/* The same, in the place of the address, where that is not left as it was. */
void packet_read_pppd(struct packet_context *x, struct packet_view v)
{
    uint8_t head[2];
    struct packet_view start = v;
    if (!packet_take(&v, head, sizeof head)) {
        packet_lost(x, &v);
        return;
    }
    if (head[0] > 1) {
        packet_read_ppp(x, start);
        return;
    }
    x->out.direction = head[0] ? SOURCE_OUT : SOURCE_IN;
    packet_read_ppp(x, v);
}

void packet_read_pppoe(struct packet_context *x, struct packet_view v)
{
    struct pppoe_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
    } else if (h.version_type != 0x11) {
        packet_malformed(x);
    } else if (h.code) { /* discovery */
        x->d->stats.not_ip++;
    } else {
        packet_limit(x, &v, be16toh(h.length));
        packet_read_ppp(x, v);
    }
}

void packet_read_cisco_hdlc(struct packet_context *x, struct packet_view v)
{
    struct hdlc_header h;
    if (packet_take(&v, &h, sizeof h))
        packet_read_ethertype(x, be16toh(h.type), v);
    else
        packet_lost(x, &v);
}

/* What a network layer protocol id (ISO/IEC TR 9577) names. */
static void read_nlpid(struct packet_context *x, struct packet_view v)
{
    uint8_t id = 0;
    if (!packet_take(&v, &id, 1) || (id == 0 && !packet_take(&v, &id, 1))) /* 0: padding */
        packet_lost(x, &v);
    else if (id == 0xcc)
        packet_read_ipv4(x, v);
    else if (id == 0x8e)
        packet_read_ipv6(x, v);
    else if (id == 0x80)
        packet_read_snap(x, v);
    else
        x->d->stats.not_ip++;
}

/* An address of two to four bytes, the last of which is odd; then unnumbered information, or an
 * Ethernet type as Cisco has it. */
void packet_read_frame_relay(struct packet_context *x, struct packet_view v)
{
    uint8_t address = 0, type[2];
    for (unsigned i = 0; i < 2 || (i < 4 && !(address & 1)); i++) {
        if (!packet_take(&v, &address, 1)) {
            packet_lost(x, &v);
            return;
        }
    }
    bool ok = packet_take(&v, type, 1);
    if (ok && type[0] == 3)
        read_nlpid(x, v);
    else if (ok && packet_take(&v, type + 1, 1))
        packet_read_ethertype(x, (uint16_t)(type[0] << 8 | type[1]), v);
    else
        packet_lost(x, &v);
}

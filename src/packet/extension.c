/* Headers between IP and transport: IPv6 extension headers (RFC 8200) and AH (RFC 4302). */
#include "packet/internal.h"

#include <endian.h>

struct option_header {
    uint8_t next, length; /* in units of 8 bytes, the first not counted */
};

struct fragment_header {
    uint8_t next, reserved;
    uint16_t place;
    uint32_t id;
};

struct authentication_header {
    uint8_t next, length; /* in units of 4 bytes, minus 2 */
    uint16_t reserved;
};

static bool is_ipv6(const struct packet_context *x)
{
    return x->out.src.ip.family == 6;
}

void packet_read_options(struct packet_context *x, struct packet_view v)
{
    struct option_header h;
    if (!is_ipv6(x))
        x->d->stats.other_transport++;
    else if (packet_take(&v, &h, sizeof h) && packet_skip(&v, h.length * 8u + 8 - sizeof h))
        packet_read_protocol(x, h.next, v);
    else
        packet_lost(x, &v);
}

void packet_read_authentication(struct packet_context *x, struct packet_view v)
{
    struct authentication_header h;
    if (packet_take(&v, &h, sizeof h) && packet_skip(&v, h.length * 4u + 8 - sizeof h))
        packet_read_protocol(x, h.next, v);
    else
        packet_lost(x, &v);
}

void packet_read_fragment_header(struct packet_context *x, struct packet_view v)
{
    struct fragment_header h;
    if (!is_ipv6(x)) {
        x->d->stats.other_transport++;
        return;
    }
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    uint16_t place = be16toh(h.place);
    x->out.ip_id = be32toh(h.id);
    if ((place & 0xfff9) == 0) /* the only one: never mixed with others (RFC 6946) */
        packet_read_protocol(x, h.next, v);
    else
        packet_fragments_push(
            x, &(struct packet_fragment){
                   .at = place & 0xfff8u, .more = place & 1, .protocol = h.next, .v = v});
}

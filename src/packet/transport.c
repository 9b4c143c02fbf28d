/* What IP carries: a table from protocol number to reader, and UDP (RFC 768). */
#include "packet/internal.h"

#include <endian.h>

struct udp_header {
    uint16_t src, dst, length, checksum;
};

static packet_reader *const readers[256] = {
    [0] = packet_read_options, /* hop-by-hop options */
    [4] = packet_read_ipv4,
    [6] = packet_read_tcp,
    [17] = packet_read_udp,
    [41] = packet_read_ipv6,
    [43] = packet_read_options, /* routing */
    [44] = packet_read_fragment_header,
    [47] = packet_read_gre,
    [51] = packet_read_authentication,
    [60] = packet_read_options, /* destination options */
    [97] = packet_read_etherip,
    [132] = packet_read_sctp,
    [135] = packet_read_options, /* mobility */
    [137] = packet_read_mpls,    /* RFC 4023 */
    [139] = packet_read_options, /* host identity */
    [140] = packet_read_options, /* shim6 */
};

bool packet_protocol_readable(uint8_t protocol)
{
    return readers[protocol] != NULL;
}

void packet_read_protocol(struct packet_context *x, uint8_t protocol, struct packet_view v)
{
    if (!packet_deeper(x))
        return;
    if (readers[protocol])
        readers[protocol](x, v);
    else
        x->d->stats.other_transport++;
}

/* The length field against what is there.  One that promises more than IP does is not believed. */
static void limit_udp(struct packet_context *x, struct packet_view *v, size_t n)
{
    if (n <= v->bytes.n + v->missing)
        packet_limit(x, v, n);
    else
        packet_malformed(x);
}

void packet_read_udp(struct packet_context *x, struct packet_view v)
{
    struct udp_header h;
    if (!packet_take(&v, &h, sizeof h)) {
        packet_lost(x, &v);
        return;
    }
    size_t length = be16toh(h.length);
    if (length && length < sizeof h) {
        packet_malformed(x);
        return;
    }
    if (length) /* 0: left to the network card, or a jumbogram (RFC 2675) */
        limit_udp(x, &v, length - sizeof h);
    x->out.src.port = be16toh(h.src);
    x->out.dst.port = be16toh(h.dst);
    packet_tunnel *tunnel = packet_tunnel_find(x->out.dst.port);
    if (!tunnel && (x->out.dst.port == PACKET_SCTP_PORT || x->out.src.port == PACKET_SCTP_PORT))
        tunnel = packet_read_sctp_in_udp;
    if (!tunnel || !tunnel(x, v))
        packet_emit(x, PACKET_UDP, v);
}

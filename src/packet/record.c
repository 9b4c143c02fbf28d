/* Link types that are lists of fields, one of which is the packet: what Linux's netfilter logs, and
 * what Wireshark exports of an upper layer. */
#include "packet/internal.h"

#include <endian.h>

/* ---- NFLOG ----------------------------------------------------------------------------------- */

struct nflog_header {
    uint8_t family, version;
    uint16_t resource;
};

struct nflog_field {
    uint8_t length[2]; /* with these four bytes; in the byte order of the host that captured */
    uint8_t type[2];
};

/* All types are below 256, which tells the byte order. */
static void nflog_numbers(const struct nflog_field *f, unsigned *type, size_t *length)
{
    bool little = f->type[1] == 0;
    *type = f->type[!little] | (unsigned)f->type[little] << 8;
    *length = f->length[!little] | (size_t)f->length[little] << 8;
}

/* The hook of netfilter where the packet was seen: of these two, one is passed only by what comes
 * to this host and the other only by what leaves it. */
static void nflog_direction(struct packet_context *x, const struct packet_view *v)
{
    enum { HOOK_AT = 2, LOCAL_IN = 1, LOCAL_OUT = 3 };
    if (v->bytes.n > HOOK_AT && v->bytes.p[HOOK_AT] == LOCAL_IN)
        x->out.direction = SOURCE_IN;
    else if (v->bytes.n > HOOK_AT && v->bytes.p[HOOK_AT] == LOCAL_OUT)
        x->out.direction = SOURCE_OUT;
}

void packet_read_nflog(struct packet_context *x, struct packet_view v)
{
    enum { PACKET_HEADER = 1, PAYLOAD = 9 };
    struct nflog_header h;
    struct nflog_field f;
    bool ok = packet_take(&v, &h, sizeof h);
    if (ok && h.version) {
        packet_malformed(x);
        return;
    }
    while (ok && packet_take(&v, &f, sizeof f)) {
        unsigned type;
        size_t length;
        nflog_numbers(&f, &type, &length);
        if (length < sizeof f)
            break;
        if (type == PACKET_HEADER)
            nflog_direction(x, &v);
        if (type == PAYLOAD) {
            packet_limit(x, &v, length - sizeof f);
            packet_read_ip(x, v);
            return;
        }
        ok = packet_skip(&v, (length - sizeof f + 3) & ~(size_t)3);
    }
    packet_lost(x, &v);
}

/* ---- Wireshark's exported PDUs --------------------------------------------------------------- */

/* The numbers of its epan/exported_pdu.h and of its port types. */
enum {
    TAG_END = 0,
    TAG_DISSECTOR = 12,
    TAG_IPV4_SRC = 20,
    TAG_IPV4_DST = 21,
    TAG_IPV6_SRC = 22,
    TAG_IPV6_DST = 23,
    TAG_PORT_TYPE = 24,
    TAG_SRC_PORT = 25,
    TAG_DST_PORT = 26,
    PORT_SCTP = 1,
    PORT_TCP = 2,
};

struct exported_field {
    uint16_t tag, length;
};

struct exported {
    bool sip;
    enum packet_transport transport;
    struct endpoint src, dst;
};

static void set_address(struct address *a, uint8_t family, struct slice value)
{
    if (value.n == (family == 4 ? 4 : 16))
        *a = address_of(family, (const uint8_t *)value.p);
}

static uint32_t number(struct slice value)
{
    struct cursor c = cursor_of(value);
    return cursor_be32(&c);
}

/* The dissector's name, filled up with zeros: "sip", or one of its kind ("sip.tcp"). */
static bool is_sip(struct slice name)
{
    name = slice_first(name, slice_find(name, '\0'));
    return slice_is(name, "sip") || slice_starts(name, SLICE("sip."));
}

static void take_field(struct exported *e, unsigned tag, struct slice value)
{
    switch (tag) {
    case TAG_DISSECTOR:
        e->sip = is_sip(value);
        break;
    case TAG_IPV4_SRC:
    case TAG_IPV6_SRC:
        set_address(&e->src.ip, tag == TAG_IPV4_SRC ? 4 : 6, value);
        break;
    case TAG_IPV4_DST:
    case TAG_IPV6_DST:
        set_address(&e->dst.ip, tag == TAG_IPV4_DST ? 4 : 6, value);
        break;
    case TAG_PORT_TYPE:
        e->transport = number(value) == PORT_TCP    ? PACKET_TCP
                       : number(value) == PORT_SCTP ? PACKET_SCTP
                                                    : PACKET_UDP;
        break;
    case TAG_SRC_PORT:
        e->src.port = (uint16_t)number(value);
        break;
    case TAG_DST_PORT:
        e->dst.port = (uint16_t)number(value);
        break;
    default:
        break;
    }
}

/* One message each, whatever it came in.  Decrypted TLS is exported as TCP. */
void packet_read_exported(struct packet_context *x, struct packet_view v)
{
    struct exported e = {.transport = PACKET_UDP};
    struct exported_field f;
    do {
        if (!packet_take(&v, &f, sizeof f) || v.bytes.n < be16toh(f.length)) {
            packet_lost(x, &v);
            return;
        }
        take_field(&e, be16toh(f.tag), slice_first(v.bytes, be16toh(f.length)));
        packet_skip(&v, be16toh(f.length));
    } while (be16toh(f.tag) != TAG_END);
    if (!e.sip) {
        x->d->stats.not_ip++;
        return;
    }
    if (e.src.ip.family == e.dst.ip.family) {
        x->out.src = e.src;
        x->out.dst = e.dst;
    }
    packet_emit(x, e.transport, v);
}

/* packet/: what carries packets in packets, whole, cut at every byte, within each other, and what
 * only looks like it. */
#include "datagram.h"

#define HELLO SLICE("BYE sip:a@b SIP/2.0\r\n\r\n")
#define MACS  "\2\1\1\1\1\1\2\2\2\2\2\2"

/* ---- layers: each puts itself in front of what it carries -------------------------------------
 */

typedef void layer(struct bytes *b, struct slice in);

static void put_outer(struct bytes *b, uint8_t protocol, struct slice head, struct slice in)
{
    put16(b, 0x4500);
    put16(b, (uint16_t)(20 + head.n + in.n));
    put32(b, 0x00630000);
    put8(b, 64);
    put8(b, protocol);
    put16(b, 0);
    put_slice(b, SLICE("\xc0\xa8\0\1\xc0\xa8\0\2"));
    put_slice(b, head);
    put_slice(b, in);
}

static void put_over(struct bytes *b, uint16_t port, struct slice head, struct slice in)
{
    struct bytes u = {0};
    put16(&u, 40000);
    put16(&u, port);
    put16(&u, (uint16_t)(8 + head.n + in.n));
    put16(&u, 0);
    put_slice(&u, head);
    put_outer(b, 17, bytes_slice(&u), in);
    vec_free(&u);
}

#define LAYER(name, head)                                                                          \
    static void name(struct bytes *b, struct slice in)                                             \
    {                                                                                              \
        put_slice(b, SLICE(head));                                                                 \
        put_slice(b, in);                                                                          \
    }
#define INNER(name, protocol, head)                                                                \
    static void name(struct bytes *b, struct slice in)                                             \
    {                                                                                              \
        put_outer(b, protocol, SLICE(head), in);                                                   \
    }
#define OVER(name, port, head)                                                                     \
    static void name(struct bytes *b, struct slice in)                                             \
    {                                                                                              \
        put_over(b, port, SLICE(head), in);                                                        \
    }

LAYER(eth, MACS "\x08\0")
LAYER(eth6, MACS "\x86\xdd")
LAYER(eth_vlan, MACS "\x81\0\0\5\x08\0")
LAYER(eth_mpls, MACS "\x88\x47\0\1\0\x40\0\2\1\x40")
LAYER(eth_mpls_multicast, MACS "\x88\x48\0\2\1\x40")
LAYER(control_word, "\0\0\0\7")
LAYER(sll_out, "\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")
LAYER(sll_llc, "\0\4\0\1\0\6\2\2\2\2\2\2\0\0\0\4\xaa\xaa\3\0\0\0\x08\0")
LAYER(ppp, "\xff\3\0\x21")
LAYER(ppp_bare, "\0\x21")
LAYER(ppp_short, "\x21")
LAYER(ppp_bare6, "\0\x57")
LAYER(ppp_mpls, "\xff\3\2\x81\0\2\1\x40")
LAYER(ppp_in, "\0\xff\3\0\x21")
LAYER(ppp_out, "\1\xff\3\0\x21")
LAYER(pppd_in, "\0\3\0\x21")
LAYER(pppd_out, "\1\3\0\x21")
LAYER(cisco, "\x0f\0\x08\0")
LAYER(cisco_all, "\x8f\0\x86\xdd")
LAYER(relay, "\x18\x41\3\xcc")
LAYER(relay6, "\x18\x41\3\x8e")
LAYER(relay_long, "\x18\x40\x40\x41\3\xcc")
LAYER(relay_snap, "\x18\x41\3\0\x80\0\0\0\x08\0")
LAYER(relay_bridge, "\x18\x41\3\0\x80\0\x80\xc2\0\7")
LAYER(relay_cisco, "\x18\x41\x08\0")
INNER(ip4, 4, "")
INNER(ip41, 41, "")
INNER(ip_mpls, 137, "\0\2\1\x40")
INNER(gre, 47, "\0\0\x08\0")
INNER(gre6, 47, "\0\0\x86\xdd")
INNER(gre_full, 47, "\xb0\0\x08\0\0\0\0\0\0\0\0\7\0\0\0\1")
INNER(gre_routes, 47, "\x40\0\x08\0\0\0\0\0\x08\0\0\4\x0a\0\0\1\0\0\0\0")
INNER(gre_bridge, 47, "\x20\0\x65\x58\0\0\0\7")
INNER(gre_mpls, 47, "\0\0\x88\x47\0\2\1\x40")
INNER(gre_ppp, 47, "\0\0\x88\x0b")
INNER(erspan1, 47, "\0\0\x88\xbe")
INNER(erspan2, 47, "\x10\0\x88\xbe\0\0\0\1\x10\x0a\0\1\0\0\0\5")
INNER(erspan3, 47, "\x10\0\x22\xeb\0\0\0\1\x20\x0a\0\1\0\0\0\5\0\0\0\0")
INNER(erspan3_sub, 47, "\x10\0\x22\xeb\0\0\0\1\x20\x0a\0\1\0\0\0\5\0\0\0\1\1\2\3\4\5\6\7\x08")
INNER(erspan3_ip, 47, "\x10\0\x22\xeb\0\0\0\1\x20\x0a\0\1\0\0\0\5\0\0\x08\0")
OVER(vxlan, 4789, "\x08\0\0\0\0\0\x2a\0")
OVER(vxlan_linux, 8472, "\x08\0\0\0\0\0\x2a\0")
OVER(vxlan_policy, 4789, "\x88\x08\0\5\0\0\x2a\0")
OVER(gpe_plain, 4790, "\x08\0\0\0\0\0\x2a\0")
OVER(gpe_ip, 4790, "\x0c\0\0\1\0\0\x2a\0")
OVER(gpe_ip6, 4790, "\x04\0\0\2\0\0\0\0")
OVER(gpe_bridge, 4790, "\x0c\0\0\3\0\0\x2a\0")
OVER(gpe_mpls, 4790, "\x0c\0\0\5\0\0\x2a\0\0\2\1\x40")
OVER(geneve, 6081, "\0\0\x65\x58\0\0\x2a\0")
OVER(geneve_options, 6081, "\2\xc0\x65\x58\0\0\x2a\0\1\2\3\1\5\6\7\x08")
OVER(geneve_ip, 6081, "\0\0\x08\0\0\0\x2a\0")
OVER(tzsp, 37008, "\1\0\0\1\1")
OVER(tzsp_tags, 37008, "\1\1\0\1\0\x0a\1\x2a\x29\2\5\xdc\0\1")
OVER(tzsp_ip, 37008, "\1\0\0\7\1")
OVER(tzsp_ppp, 37008, "\1\0\0\4\1")
OVER(l2tp, 1701, "\0\2\0\1\0\2")
OVER(l2tp_full, 1701, "\x0b\2\0\1\0\2\0\0\0\1\0\2\0\0")

static void snap(struct bytes *b, struct slice in)
{
    put_slice(b, SLICE(MACS));
    put16(b, (uint16_t)(8 + in.n));
    put_slice(b, SLICE("\xaa\xaa\3\0\0\0\x08\0"));
    put_slice(b, in);
}

static void llc_ip(struct bytes *b, struct slice in)
{
    put_slice(b, SLICE(MACS "\x81\0\0\1"));
    put16(b, (uint16_t)(3 + in.n));
    put_slice(b, SLICE("\6\6\3"));
    put_slice(b, in);
}

static void session(struct bytes *b, struct slice in) /* PPPoE from its own header on */
{
    put_slice(b, SLICE("\x11\0\0\1"));
    put16(b, (uint16_t)in.n);
    put_slice(b, in);
}

static void eth_session(struct bytes *b, struct slice in)
{
    put_slice(b, SLICE(MACS "\x88\x64"));
    session(b, in);
}

static void pptp_of(struct bytes *b, uint8_t flags, struct slice numbers, struct slice in)
{
    struct bytes u = {0};
    put8(&u, 0x30);
    put8(&u, flags);
    put16(&u, 0x880b);
    put16(&u, (uint16_t)in.n);
    put16(&u, 5);
    put_slice(&u, numbers);
    put_outer(b, 47, bytes_slice(&u), in);
    vec_free(&u);
}

static void pptp(struct bytes *b, struct slice in)
{
    pptp_of(b, 1, SLICE("\0\0\0\1"), in);
}

static void pptp_ack(struct bytes *b, struct slice in)
{
    pptp_of(b, 0x81, SLICE("\0\0\0\1\0\0\0\2"), in);
}

static void ip6_next4(struct bytes *b, struct slice in)
{
    put_ipv6(b, (uint16_t)in.n, 4);
    put_slice(b, in);
}

static void ip6_gre(struct bytes *b, struct slice in)
{
    put_ipv6(b, (uint16_t)(4 + in.n), 47);
    put32(b, 0x800);
    put_slice(b, in);
}

static void gtp_of(struct bytes *b, uint8_t flags, struct slice options, struct slice in)
{
    struct bytes u = {0};
    put8(&u, flags);
    put8(&u, 255);
    put16(&u, (uint16_t)(options.n + in.n));
    put32(&u, 9);
    put_slice(&u, options);
    put_over(b, 2152, bytes_slice(&u), in);
    vec_free(&u);
}

static void gtp(struct bytes *b, struct slice in)
{
    gtp_of(b, 0x30, SLICE(""), in);
}

static void gtp_sequence(struct bytes *b, struct slice in)
{
    gtp_of(b, 0x32, SLICE("\0\1\0\x85"), in); /* without E, the type means nothing */
}

static void gtp_extensions(struct bytes *b, struct slice in)
{
    gtp_of(b, 0x34, SLICE("\0\0\0\x85\1\x10\x09\xc0\2\1\2\3\4\5\6\0"), in);
}

static void l2tp_length(struct bytes *b, struct slice in)
{
    struct bytes u = {0};
    put16(&u, 0x4002);
    put16(&u, (uint16_t)(8 + in.n));
    put32(&u, 0x00010002);
    put_over(b, 1701, bytes_slice(&u), in);
    vec_free(&u);
}

static void nflog_of(struct bytes *b, bool little, uint8_t hook, struct slice in)
{
    b->little = false;
    put32(b, 0x02000001);
    b->little = little;
    put16(b, 8);
    put16(b, 1);
    put16(b, 8);
    put8(b, hook);
    put8(b, 0);
    put16(b, 7);
    put16(b, 10);
    put_slice(b, SLICE("sip\0"));
    put16(b, (uint16_t)(4 + in.n));
    put16(b, 9);
    put_slice(b, in);
}

static void nflog_in(struct bytes *b, struct slice in)
{
    nflog_of(b, true, 1, in);
}

static void nflog_out(struct bytes *b, struct slice in)
{
    nflog_of(b, false, 3, in);
}

static void nflog_forward(struct bytes *b, struct slice in)
{
    nflog_of(b, true, 2, in);
}

/* ---- every kind ------------------------------------------------------------------------------ */

#define LAYERS 8

struct tunnel_case {
    int link_type;
    enum source_direction direction;
    bool ipv6;             /* what is innermost */
    layer *layers[LAYERS]; /* from the outermost */
};

#define UNKNOWN SOURCE_UNKNOWN

static const struct tunnel_case tunnels[] = {
    {1, UNKNOWN, false, {snap}},
    {1, UNKNOWN, false, {llc_ip}},
    {113, SOURCE_OUT, false, {sll_llc}},
    {1, UNKNOWN, false, {eth_mpls}},
    {1, UNKNOWN, true, {eth_mpls_multicast}},
    {1, UNKNOWN, false, {eth_mpls, eth}},
    {1, UNKNOWN, false, {eth_mpls, control_word, eth_vlan}},
    {1, UNKNOWN, false, {eth_session, ppp_bare}},
    {1, UNKNOWN, true, {eth_session, ppp_bare6}},
    {1, UNKNOWN, false, {eth_session, ppp_short}},
    {51, UNKNOWN, false, {session, ppp}},
    {9, UNKNOWN, false, {ppp}},
    {9, UNKNOWN, false, {ppp_bare}},
    {9, UNKNOWN, false, {ppp_mpls}},
    {50, UNKNOWN, false, {ppp}},
    {50, UNKNOWN, false, {cisco}},
    {104, UNKNOWN, true, {cisco_all}},
    {204, SOURCE_IN, false, {ppp_in}},
    {204, SOURCE_OUT, false, {ppp_out}},
    {166, SOURCE_IN, false, {pppd_in}},
    {166, SOURCE_OUT, false, {pppd_out}},
    {166, UNKNOWN, false, {ppp}},
    {107, UNKNOWN, false, {relay}},
    {107, UNKNOWN, true, {relay6}},
    {107, UNKNOWN, false, {relay_long}},
    {107, UNKNOWN, false, {relay_snap}},
    {107, UNKNOWN, false, {relay_bridge, eth}},
    {107, UNKNOWN, false, {relay_cisco}},
    {239, SOURCE_IN, false, {nflog_in}},
    {239, SOURCE_OUT, true, {nflog_out}},
    {239, UNKNOWN, false, {nflog_forward}},
    {101, UNKNOWN, false, {ip4}},
    {113,
     SOURCE_OUT_WITHIN,
     false,
     {sll_out, ip4}}, /* sent by this host, but by whom what is in it? */
    {101, UNKNOWN, true, {ip41}},
    {101, UNKNOWN, false, {ip6_next4}},
    {101, UNKNOWN, false, {ip_mpls}},
    {101, UNKNOWN, false, {ip6_gre}},
    {101, UNKNOWN, false, {gre}},
    {101, UNKNOWN, true, {gre6}},
    {101, UNKNOWN, false, {gre_full}},
    {101, UNKNOWN, false, {gre_routes}},
    {101, UNKNOWN, true, {gre_bridge, eth6}},
    {101, UNKNOWN, false, {gre_mpls, control_word, eth}},
    {101, UNKNOWN, false, {gre_ppp, ppp_short}},
    {101, UNKNOWN, false, {pptp, ppp}},
    {101, UNKNOWN, false, {pptp_ack, ppp_bare}},
    {113, SOURCE_OUT_WITHIN, false, {sll_out, erspan1, eth}},
    {101, UNKNOWN, false, {erspan2, eth_vlan}},
    {101, UNKNOWN, false, {erspan3, eth}},
    {101, UNKNOWN, true, {erspan3_sub, eth6}},
    {101, UNKNOWN, true, {erspan3_ip}},
    {113, SOURCE_OUT_WITHIN, false, {sll_out, vxlan, eth}},
    {101, UNKNOWN, false, {vxlan, snap}},
    {101, UNKNOWN, false, {vxlan_linux, eth_vlan}},
    {101, UNKNOWN, false, {vxlan_policy, eth}},
    {101, UNKNOWN, false, {gpe_plain, eth}},
    {101, UNKNOWN, false, {gpe_ip}},
    {101, UNKNOWN, true, {gpe_ip6}},
    {101, UNKNOWN, false, {gpe_bridge, eth}},
    {101, UNKNOWN, false, {gpe_mpls}},
    {113, SOURCE_OUT_WITHIN, false, {sll_out, geneve, eth}},
    {101, UNKNOWN, true, {geneve_options, eth6}},
    {101, UNKNOWN, false, {geneve_ip}},
    {113, SOURCE_OUT_WITHIN, false, {sll_out, gtp}},
    {101, UNKNOWN, true, {gtp}},
    {101, UNKNOWN, false, {gtp_sequence}},
    {101, UNKNOWN, false, {gtp_extensions, eth}},
    {101, UNKNOWN, false, {tzsp, eth}},
    {101, UNKNOWN, false, {tzsp_tags, eth_vlan}},
    {101, UNKNOWN, true, {tzsp_ip}},
    {101, UNKNOWN, false, {tzsp_ppp, ppp}},
    {101, UNKNOWN, false, {l2tp, ppp}},
    {101, UNKNOWN, false, {l2tp_full, ppp_short}},
    {101, UNKNOWN, false, {l2tp_length, ppp_bare}},
    /* within each other */
    {1, UNKNOWN, false, {eth_vlan, vxlan, eth, gre, gtp}},
    {1, UNKNOWN, true, {eth_mpls, control_word, eth_session, ppp_bare, ip41}},
    {1, UNKNOWN, false, {eth, erspan2, eth_vlan, geneve, eth, l2tp, ppp}},
    {113, SOURCE_OUT_WITHIN, false, {sll_out, vxlan, eth, vxlan, eth, vxlan, eth}},
};

/* The innermost packet, from IP on. */
static void put_hello(struct bytes *b, bool ipv6)
{
    if (ipv6)
        put_ipv6(b, (uint16_t)(8 + HELLO.n), 17);
    else
        put_ipv4(b, (uint16_t)(28 + HELLO.n), 0x1234, 0, 17);
    put_udp(b, HELLO, (uint16_t)(8 + HELLO.n));
}

static struct bytes wrap(layer *const *layers, struct bytes in)
{
    for (size_t i = LAYERS; i-- > 0;) {
        struct bytes b = {0};
        if (!layers[i])
            continue;
        layers[i](&b, bytes_slice(&in));
        vec_free(&in);
        in = b;
    }
    return in;
}

static void check_hello(const struct bench *bench, const struct tunnel_case *c, size_t start,
                        size_t n)
{
    const struct packet_payload *p = &bench->caught->last;
    if (bench->caught->count != 1)
        fail_msg("case %d: %u payloads", (int)(c - tunnels), bench->caught->count);
    assert_int_equal(p->transport, PACKET_UDP);
    assert_string_equal(endpoint_format(&p->src).s, c->ipv6 ? "[fd00::1]:5060" : "10.0.0.1:5060");
    assert_string_equal(endpoint_format(&p->dst).s, c->ipv6 ? "[fd00::2]:5080" : "10.0.0.2:5080");
    assert_int_equal(p->bytes.n, n);
    assert_memory_equal(bench->caught->bytes, HELLO.p, n);
    assert_int_equal(p->missing, HELLO.n - n);
    assert_int_equal(p->offset, 1000 + start);
    assert_int_equal(p->ip_id, c->ipv6 ? 0 : 0x1234);
    assert_int_equal(p->direction, c->direction);
    assert_int_equal(p->frame_count, 1);
    assert_int_equal(packet_stats(bench->decoder)->malformed, 0);
}

/* With its last bytes not captured, with its last bytes never there, and with padding. */
static void check_prefixes(const struct tunnel_case *c, struct slice packet)
{
    size_t start = packet.n - HELLO.n;
    for (size_t n = 0; n <= packet.n; n++) {
        struct bench bench = bench_new();
        bench_push(&bench, c->link_type, packet, n, packet.n);
        if (n >= start)
            check_hello(&bench, c, start, n - start);
        else
            assert_int_equal(packet_stats(bench.decoder)->cut, 1);
        assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
        bench_free(&bench);
        bench = bench_new();
        bench_push(&bench, c->link_type, packet, n, n);
        assert_true(outcomes(packet_stats(bench.decoder)) >= 1);
        bench_free(&bench);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tunnels); i++) {
        struct bytes b = {0};
        put_hello(&b, tunnels[i].ipv6);
        b = wrap(tunnels[i].layers, b);
        check_prefixes(&tunnels[i], bytes_slice(&b));
        size_t start = b.n - HELLO.n;
        struct bench bench = bench_new();
        put_times(&b, 0, 4);
        bench_push(&bench, tunnels[i].link_type, bytes_slice(&b), b.n, b.n);
        check_hello(&bench, &tunnels[i], start, HELLO.n);
        bench_free(&bench);
        vec_free(&b);
    }
}

/* ---- what only looks like a tunnel ------------------------------------------------------------
 */

/* The port of a tunnel, and a payload that is not that: it is handed on as it is. */
static void test_ports(void **state)
{
#define INSIDE MACS "\x08\0\x45\0\0\x14"
    static const struct {
        uint16_t port;
        struct slice payload;
    } cases[] = {
        {4789, SLICE("BYE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {8472, SLICE("INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {4790, SLICE("LINK sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {6081, SLICE("SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n")},
        {2152, SLICE("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {37008, SLICE("ACK sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {1701, SLICE("BYE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n")},
        {2152, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")}, /* RTP */
        {6081, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")},
        {4789, SLICE("\x80\0\0\1\0\0\0\xa0\1\2\3\4xxxxxxxxxxxxxxxxxxxx")},
        {4789, SLICE("")},
        {4789, SLICE("\x08\0\0\0\0\0\x2a")},
        {4789, SLICE("\x0c\0\0\0\0\0\x2a\0" INSIDE)}, /* bits that are reserved */
        {4789, SLICE("\0\0\0\0\0\0\x2a\0" INSIDE)},   /* no id */
        {4789, SLICE("\x08\1\0\0\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\1\0\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\0\1\0\0\x2a\0" INSIDE)},
        {4789, SLICE("\x08\0\0\0\0\0\x2a\1" INSIDE)},
        {8472, SLICE("\x48\0\0\0\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x1c\0\0\3\0\0\x2a\0" INSIDE)}, /* version 1 */
        {4790, SLICE("\x0c\1\0\3\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\1\3\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\0\3\0\0\x2a\1" INSIDE)},
        {4790, SLICE("\x0c\0\0\0\0\0\x2a\0" INSIDE)}, /* protocols that do not exist */
        {4790, SLICE("\x0c\0\0\4\0\0\x2a\0" INSIDE)},
        {4790, SLICE("\x0c\0\0\x80\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\x40\0\x65\x58\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\1\x65\x58\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\0\x65\x58\0\0\x2a\1" INSIDE)},
        {6081, SLICE("\0\0\x65\x59\0\0\x2a\0" INSIDE)},
        {6081, SLICE("\0\0\x08\0\0\0\x2a\0\x60")}, /* IPv6 as IPv4 */
        {6081, SLICE("\0\0\x86\xdd\0\0\x2a\0\x45")},
        {6081, SLICE("\0\0\x08\0\0\0\x2a\0")},
        {6081, SLICE("\x3f\0\x65\x58\0\0\x2a\0" INSIDE)}, /* options beyond the end */
        {2152, SLICE("\x30\xff\0\x15\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")}, /* length */
        {2152, SLICE("\x10\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x20\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x38\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x50\xff\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\1\0\x14\0\0\0\1\x45\0\0\x14xxxxxxxxxxxxxxxx")}, /* echo request */
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x44\0\0\x14xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x45\0\0\x15xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x30\xff\0\x14\0\0\0\1\x60\0\0\0xxxxxxxxxxxxxxxx")},
        {2152, SLICE("\x32\xff\0\3\0\0\0\1\0\0\0")},
        {2152, SLICE("\x34\xff\0\4\0\0\0\1\0\0\0\x85")},
        {2152, SLICE("\x34\xff\0\x08\0\0\0\1\0\0\0\x85\0\0\0\0")}, /* an extension of no length */
        {37008, SLICE("\2\0\0\1\1" INSIDE)},
        {37008, SLICE("\1\4\0\1\1" INSIDE)}, /* keep-alive */
        {37008, SLICE("\1\0\0\x12\1" INSIDE)},
        {37008, SLICE("\1\0\0\1\x0a\xff" INSIDE)},
        {37008, SLICE("\1\0\0\1\0\0\0")},
        {1701, SLICE("\0\3\0\1\0\2\xff\3\0\x21\x45")},
        {1701, SLICE("\x80\2\0\1\0\2\xff\3\0\x21\x45")}, /* control */
        {1701, SLICE("\x20\2\0\1\0\2\xff\3\0\x21\x45")},
        {1701, SLICE("\0\2\0\1\0\2\xff\3\xc0\x21\1")}, /* LCP */
        {1701, SLICE("\x40\2\0\7\0\1\0\2\0\x21\x45")},
        {1701, SLICE("\x40\2\0\xff\0\1\0\2\0\x21\x45")},
        {1701, SLICE("\2\2\0\1\0\2\0\x10\0\x21\x45")}, /* an offset beyond the end */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        const struct packet_payload *p = &bench.caught->last;
        put_over(&b, cases[i].port, cases[i].payload, SLICE(""));
        bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
        if (bench.caught->count != 1 || outcomes(packet_stats(bench.decoder)) != 1)
            fail_msg("case %zu: %u payloads", i, bench.caught->count);
        assert_string_equal(endpoint_format(&p->src).s, "192.168.0.1:40000");
        assert_int_equal(p->dst.port, cases[i].port);
        assert_int_equal(p->bytes.n, cases[i].payload.n);
        assert_memory_equal(bench.caught->bytes, cases[i].payload.p, p->bytes.n);
        assert_int_equal(p->offset, 1028);
        vec_free(&b);
        bench_free(&bench);
    }
}

/* ---- what is no datagram ----------------------------------------------------------------------
 */

static void test_counters(void **state)
{
#define OUTER(protocol)                                                                            \
    "\x45\0\0\0\0\1\0\0\x40" protocol "\0\0\x0a\0\0\1\x0a\0\0\2" /* no length: as it is */
    static const struct {
        const char *counter;
        int link_type;
        struct slice packet;
    } cases[] = {
        {"not_ip", 1, SLICE(MACS "\x88\x63\x11\x09\0\0\0\4\1\1\0\0")},       /* discovery */
        {"not_ip", 1, SLICE(MACS "\x88\x64\x11\xa7\0\1\0\0")},               /* the end of it */
        {"not_ip", 1, SLICE(MACS "\x88\x64\x11\0\0\1\0\4\xc0\x21\x09\1")},   /* LCP */
        {"malformed", 1, SLICE(MACS "\x88\x64\x12\0\0\1\0\3\0\x21\x45")},    /* version 2 */
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40\x10\0\0\7xxxxxxxxxx")}, /* channel */
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40\x45\0\0\x99xxxxxxxxxxxxxxxxxxxxx")},
        {"not_ip", 1, SLICE(MACS "\x88\x47\0\0\1\x40" MACS "\x08\6\0\1")},
        {"malformed", 1, SLICE(MACS "\x88\x47\0\0\1\x40")},
        {"malformed", 1, SLICE(MACS "\x88\x47\0\0\0\x40\0\0\0\x40\0\0")}, /* no bottom */
        {"not_ip", 1, SLICE(MACS "\0\4\x42\x42\3\0")},
        {"not_ip", 1, SLICE(MACS "\0\x09\xaa\xaa\3\0\0\x0c\x20\0\1")}, /* Cisco's discovery */
        {"not_ip", 1, SLICE(MACS "\0\x08\xaa\xaa\3\0\0\0\x08\6")},
        {"malformed", 1, SLICE(MACS "\0\7\xaa\xaa\3\0\0\0\x08\0")}, /* cut by its length */
        {"not_ip", 9, SLICE("\xff\3\xc0\x21\1\1\0\4")},
        {"not_ip", 9, SLICE("\xc1")},
        {"malformed", 9, SLICE("\xff\3")},
        {"not_ip", 50, SLICE("\x8f\0\x80\x35\0\0\0\2")},
        {"not_ip", 107, SLICE("\xfc\xf1\3\x09\0\x75")}, /* Q.933 */
        {"not_ip", 107, SLICE("\x18\x41\x88\x63\0")},
        {"malformed", 107, SLICE("\x18\x40\x40\x40")},
        {"malformed", 239, SLICE("\2\1\0\1")},
        {"malformed", 239, SLICE("\2\0\0\1\3\0\1\0")},
        {"malformed", 239, SLICE("\2\0\0\1\x08\0\1\0\x08\0\3\0")}, /* no payload */
        {"not_ip", 239, SLICE("\3\0\0\1\x06\0\x09\0\0\1")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\0\0\0\0")}, /* keep-alive */
        {"not_ip", 101, SLICE(OUTER("\x2f") "\0\0\x88\x8e\0\0")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\0\2\x08\0\x45")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\0\1\x88\x0b\0\0\0\0")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\x20\x81\x88\x0b\0\0\0\1\0\0\0\1")}, /* ack */
        {"malformed", 101, SLICE(OUTER("\x2f") "\x40\0\x08\0\0\0\0\0\x08\0\0\4\x0a\0\0\1")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\x10\0\x88\xbe\0\0\0\1\x20\0\0\0\0\0\0\0")},
        {"malformed", 101, SLICE(OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x10\0\0\0\0\0\0\0\0\0\0\0")},
        {"not_ip", 101, SLICE(OUTER("\x2f") "\x10\0\x22\xeb\0\0\0\1\x20\0\0\0\0\0\0\0\0\0\4\0")},
        /* what an ICMP error quotes was not sent again */
        {"other", 101,
         SLICE(OUTER("\1") "\3\3\0\0\0\0\0\0" OUTER("\x11") "\x13\xc4\x13\xc4\0\0\0\0BYE sip")},
        {"other", 101,
         SLICE(OUTER("\4") OUTER("\1") "\x0b\0\0\0\0\0\0\0" OUTER("\x11") "\x13\xc4\x13\xc4\0\0")},
        {"other", 101,
         SLICE("\x60\0\0\0\0\0\x3a\x40"
               "0123456789012345"
               "0123456789012345"
               "\1\4\0\0\0\0\0\0")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        const struct packet_stats *s = packet_stats(bench.decoder);
        bench_push(&bench, cases[i].link_type, cases[i].packet, cases[i].packet.n,
                   cases[i].packet.n);
        const char *counter = s->not_ip            ? "not_ip"
                              : s->other_transport ? "other"
                              : s->malformed       ? "malformed"
                                                   : "none";
        if (strcmp(counter, cases[i].counter) != 0 || outcomes(s) != 1)
            fail_msg("case %zu: %s, not %s", i, counter, cases[i].counter);
        bench_free(&bench);
    }
}

/* Headers in headers end at a limit, whatever they are. */
static void test_depth(void **state)
{
    static const struct {
        layer *layer;
        size_t most; /* of these that fit */
    } cases[] = {{ip4, PACKET_DEPTH - 1}, {gre, PACKET_DEPTH / 2 - 1}, {gpe_ip, PACKET_DEPTH - 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        put_hello(&b, false);
        for (size_t n = 0; n < 40; n++) {
            struct bench bench = bench_new();
            bool fits = n <= cases[i].most;
            bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
            assert_int_equal(bench.caught->count, fits);
            assert_int_equal(packet_stats(bench.decoder)->too_deep, !fits);
            assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
            bench_free(&bench);
            b = wrap((layer *[LAYERS]){cases[i].layer}, b);
        }
        vec_free(&b);
    }
}

/* ---- fragments --------------------------------------------------------------------------------
 */

/* A fragment of `datagram` with its IP header. */
static struct bytes fragment(struct slice datagram, uint16_t id, size_t at, size_t n)
{
    struct bytes b = {0};
    struct slice part = slice_first(slice_from(datagram, at), n);
    bool more = at + part.n < datagram.n;
    put_ipv4(&b, (uint16_t)(20 + part.n), id, (uint16_t)(at / 8 | (more ? 0x2000 : 0)), 17);
    put_slice(&b, part);
    return b;
}

static void push_wrapped(struct bench *bench, struct bytes b, layer *around)
{
    b = wrap((layer *[LAYERS]){around, eth}, b);
    bench_push(bench, 101, bytes_slice(&b), b.n, b.n);
    vec_free(&b);
}

OVER(vxlan_other, 4789, "\x08\0\0\0\0\0\x2b\0")

/* Two networks have the same addresses and ids; the VNI tells them apart. */
static void test_fragments_within(void **state)
{
    struct bytes a = datagram_of(200), c = datagram_of(300);
    struct bench bench = bench_new();
    (void)state;
    push_wrapped(&bench, fragment(bytes_slice(&a), 5, 96, 104), vxlan);
    push_wrapped(&bench, fragment(bytes_slice(&c), 5, 0, 96), vxlan_other);
    assert_int_equal(bench.caught->count, 0);
    push_wrapped(&bench, fragment(bytes_slice(&a), 5, 0, 96), vxlan);
    assert_int_equal(bench.caught->count, 1);
    assert_int_equal(bench.caught->last.bytes.n, 192);
    assert_memory_equal(bench.caught->bytes, a.items + 8, 192);
    assert_int_equal(bench.caught->frames[0], 1);
    assert_int_equal(bench.caught->frames[1], 3);
    push_wrapped(&bench, fragment(bytes_slice(&c), 5, 96, 204), vxlan_other);
    assert_int_equal(bench.caught->count, 2);
    assert_memory_equal(bench.caught->bytes, c.items + 8, 292);
    assert_int_equal(packet_stats(bench.decoder)->malformed, 0);
    bench_free(&bench);
    vec_free(&a);
    vec_free(&c);
}

/* Fragments in a tunnel whose own packets are fragmented: order says how the outer ones come. */
static void push_double(struct bench *bench, struct slice datagram, const unsigned order[4])
{
    struct bytes outer[2], pieces[4];
    for (unsigned i = 0; i < 2; i++) {
        struct bytes b =
            wrap((layer *[LAYERS]){vxlan, eth}, fragment(datagram, 6, i ? 400 : 0, i ? 1000 : 400));
        outer[i] = (struct bytes){0};
        put(&outer[i], b.items + 20, b.n - 20); /* from UDP on */
        vec_free(&b);
        for (unsigned j = 0; j < 2; j++)
            pieces[i * 2 + j] =
                fragment(bytes_slice(&outer[i]), (uint16_t)(50 + i), j ? 240 : 0, j ? 1000 : 240);
        vec_free(&outer[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        bench_push(bench, 101, bytes_slice(&pieces[order[i]]), pieces[order[i]].n,
                   pieces[order[i]].n);
    for (unsigned i = 0; i < 4; i++)
        vec_free(&pieces[i]);
}

static void test_fragments_twice(void **state)
{
    static const unsigned orders[][4] = {
        {0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {2, 0, 3, 1}, {1, 3, 2, 0}, {0, 3, 1, 2},
    };
    struct bytes d = datagram_of(900);
    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct bench bench = bench_new();
        push_double(&bench, bytes_slice(&d), orders[i]);
        assert_int_equal(bench.caught->count, 1);
        assert_int_equal(bench.caught->last.bytes.n, 892);
        assert_memory_equal(bench.caught->bytes, d.items + 8, 892);
        assert_int_equal(bench.caught->last.frame_count, 4);
        for (uint32_t f = 0; f < 4; f++)
            assert_int_equal(bench.caught->frames[f], f + 1);
        assert_int_equal(packet_stats(bench.decoder)->reassembled, 3);
        assert_int_equal(packet_stats(bench.decoder)->fragments, 6);
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 0);
        bench_free(&bench);
    }
    vec_free(&d);
}

/* What is there of outer and inner datagrams that were never whole still comes out, once. */
static void test_fragments_lost(void **state)
{
    struct bytes d = datagram_of(900);
    struct bytes inner = wrap((layer *[LAYERS]){vxlan, eth}, fragment(bytes_slice(&d), 6, 0, 400));
    struct slice outer = {(const char *)inner.items + 20, inner.n - 20};
    struct bytes piece = fragment(outer, 50, 0, 240);
    (void)state;
    for (unsigned old = 0; old < 2; old++) {
        struct bench bench = bench_new();
        bench_push(&bench, 101, bytes_slice(&piece), piece.n, piece.n);
        if (old) { /* by age, as another set begins */
            bench.time_ns += (int64_t)(PACKET_FRAGMENT_SECONDS + 1) * 1000000000;
            push_piece(&bench, true, 1, bytes_slice(&d), (struct piece){8, 8, true, 0});
            assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 2);
        }
        packet_flush(bench.decoder);
        assert_int_equal(packet_stats(bench.decoder)->fragments_expired, 2 + old);
        assert_int_equal(bench.caught->count, 1);
        size_t there = 240 - 8 - 8 - 14 - 20 - 8;
        assert_int_equal(bench.caught->last.bytes.n, there);
        assert_memory_equal(bench.caught->bytes, d.items + 8, there);
        assert_int_equal(bench.caught->last.missing, 892 - there);
        bench_free(&bench);
    }
    vec_free(&piece);
    vec_free(&inner);
    vec_free(&d);
}

/* A datagram whose fragments carry fragments, and so on: that ends, too. */
static void test_fragments_deep(void **state)
{
    struct bench bench = bench_new();
    struct bytes b = {0};
    (void)state;
    put_hello(&b, false);
    for (unsigned i = 0; i < 100;
         i++) { /* the first of two fragments each, the second never comes */
        struct bytes outer = {0};
        size_t n = b.n / 8 * 8;
        put_ipv4(&outer, (uint16_t)(20 + n), (uint16_t)i, 0x2000, 4);
        put(&outer, b.items, n);
        vec_free(&b);
        b = outer;
    }
    bench_push(&bench, 101, bytes_slice(&b), b.n, b.n);
    packet_flush(bench.decoder);
    assert_int_equal(bench.caught->count, 0);
    assert_int_equal(packet_stats(bench.decoder)->too_deep, 1);
    assert_int_equal(packet_stats(bench.decoder)->fragments, PACKET_DEPTH + 1);
    vec_free(&b);
    bench_free(&bench);
}

/* ---- exported PDUs ----------------------------------------------------------------------------
 */

static void field(struct bytes *b, uint16_t tag, struct slice value)
{
    put16(b, tag);
    put16(b, (uint16_t)value.n);
    put_slice(b, value);
}

static void ends(struct bytes *b, uint8_t port_type)
{
    field(b, 20, IPV4_SRC);
    field(b, 21, IPV4_DST);
    put32(b, 24u << 16 | 4);
    put32(b, port_type);
    field(b, 25, SLICE("\0\0\x13\xc4"));
    field(b, 26, SLICE("\0\0\x9c\x40"));
}

static void test_exported(void **state)
{
    static const struct {
        struct slice dissector;
        uint8_t port_type;
        enum packet_transport transport;
        unsigned count;
    } cases[] = {
        {SLICE("sip\0"), 3, PACKET_UDP, 1},    {SLICE("sip\0"), 2, PACKET_TCP, 1},
        {SLICE("sip"), 1, PACKET_SCTP, 1},     {SLICE("sip.tcp\0"), 2, PACKET_TCP, 1},
        {SLICE("rtp\0"), 3, PACKET_UDP, 0},    {SLICE("sipfrag\0"), 3, PACKET_UDP, 0},
        {SLICE("\0\0\0\0"), 3, PACKET_UDP, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes b = {0};
        field(&b, 12, cases[i].dissector);
        ends(&b, cases[i].port_type);
        put32(&b, 0);
        size_t start = b.n;
        put_slice(&b, HELLO);
        for (size_t n = 0; n <= b.n; n++) {
            struct bench bench = bench_new();
            const struct packet_payload *p = &bench.caught->last;
            bench_push(&bench, 252, bytes_slice(&b), n, b.n);
            assert_int_equal(outcomes(packet_stats(bench.decoder)), 1);
            assert_int_equal(packet_stats(bench.decoder)->cut, n < start);
            assert_int_equal(bench.caught->count, n < start ? 0 : cases[i].count);
            if (bench.caught->count) {
                assert_int_equal(p->transport, cases[i].transport);
                assert_string_equal(endpoint_format(&p->src).s, "10.0.0.1:5060");
                assert_string_equal(endpoint_format(&p->dst).s, "10.0.0.2:40000");
                assert_int_equal(p->offset, 1000 + start);
                assert_int_equal(p->bytes.n, n - start);
                assert_int_equal(p->missing, b.n - n);
            }
            bench_free(&bench);
        }
        vec_free(&b);
    }
}

/* Addresses of two families, of a wrong length, or none: there are none then. */
static void test_exported_addresses(void **state)
{
    static const struct {
        uint16_t src_tag, dst_tag;
        struct slice src, dst;
        const char *expect;
    } cases[] = {
        {22, 23, SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
         SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"), "fd00::1"},
        {20, 23, SLICE("\x0a\0\0\1"), SLICE("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"), ""},
        {20, 21, SLICE("\x0a\0\0"), SLICE("\x0a\0\0\2"), ""},
        {30, 30, SLICE("\0\0\0\1"), SLICE("\0\0\0\1"), ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench = bench_new();
        struct bytes b = {0};
        field(&b, 12, SLICE("sip\0"));
        field(&b, cases[i].src_tag, cases[i].src);
        field(&b, cases[i].dst_tag, cases[i].dst);
        put32(&b, 0);
        bench_push(&bench, 252, bytes_slice(&b), b.n, b.n);
        assert_int_equal(bench.caught->count, 1);
        assert_string_equal(address_format(&bench.caught->last.src.ip).s, cases[i].expect);
        vec_free(&b);
        bench_free(&bench);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_fragments_within),
        cmocka_unit_test(test_fragments_twice),
        cmocka_unit_test(test_fragments_lost),
        cmocka_unit_test(test_fragments_deep),
        cmocka_unit_test(test_exported),
        cmocka_unit_test(test_exported_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* packet/: each kind of packet in a packet, whole, cut at every byte, and in one another. */
#include "tunnels.h"

LAYER(eth6, MACS "\x86\xdd")
LAYER(eth_vlan, MACS "\x81\0\0\5\x08\0")
LAYER(eth_mpls, MACS "\x88\x47\0\1\0\x40\0\2\1\x40")
LAYER(eth_mpls_multicast, MACS "\x88\x48\0\2\1\x40")
LAYER(control_word, "\0\0\0\7")
LAYER(sll_out, "\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x08\0")
LAYER(sll_mpls, "\0\4\0\1\0\6\2\2\2\2\2\2\0\0\x88\x47\0\2\1\x40")
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
INNER(ip41, 41, "")
INNER(etherip, 97, "\x30\0")
INNER(etherip_turned, 97, "\3\0")
INNER(ip_mpls, 137, "\0\2\1\x40")
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
OVER(vxlan_linux, 8472, "\x08\0\0\0\0\0\x2a\0")
OVER(vxlan_policy, 4789, "\x88\x08\0\5\0\0\x2a\0")
OVER(gpe_plain, 4790, "\x08\0\0\0\0\0\x2a\0")
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
    {113, SOURCE_OUT, false, {sll_mpls}},
    {113, SOURCE_OUT_WITHIN, false, {sll_mpls, control_word, eth}},
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
    {101, UNKNOWN, false, {etherip, eth}},
    {101, UNKNOWN, false, {etherip_turned, eth_vlan}},
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

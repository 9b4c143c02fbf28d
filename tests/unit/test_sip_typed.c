/* sip/typed: Via, addresses and URIs by libosip2, with what it gets wrong kept from it. */
#include "scanned.h"

#include <stdio.h>
#include <unistd.h>

static int set_up(void **state)
{
    (void)state;
    sip_typed_init();
    return 0;
}

struct via {
    const char *protocol, *host;
    uint16_t port;
    const char *branch, *received;
    bool alias;
};

static void assert_via(const struct sip_via *v, const struct via *wanted)
{
    assert_slice(v->protocol, wanted->protocol);
    assert_slice(v->host, wanted->host);
    assert_int_equal(v->port, wanted->port);
    assert_slice(v->branch, wanted->branch);
    assert_slice(v->received, wanted->received);
    assert_int_equal(v->alias, wanted->alias);
}

static void test_vias(void **state)
{
    static const struct {
        struct slice lines;
        struct via vias[4];
        size_t bad;
    } cases[] = {
        {SLICE("Via: SIP/2.0/UDP host;branch=x;alias;rport\r\n"),
         {{"UDP", "host", 0, "x", "", true}},
         0},
        {SLICE("Via: SIP/2.0/TCP 10.0.0.1:5070;received=10.0.0.2;branch=z9hG4bK-1;rport=9\r\n"),
         {{"TCP", "10.0.0.1", 5070, "z9hG4bK-1", "10.0.0.2", false}},
         0},
        /* RFC 4475 3.1.1.1 and RFC 3261 7.3.1 */
        {SLICE("v: SIP / 2.0 / UDP\r\n  first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 "
               ";branch=a.1\r\n"),
         {{"UDP", "first.example.com", 4000, "a.1", "", false}},
         0},
        {SLICE("v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   a  ,\r\n SIP  / "
               "   "
               "2.0   / UDP  192.168.255.111   ; branch=\r\n b\r\n"),
         {{"TCP", "spindle.example.com", 0, "a", "", false},
          {"UDP", "192.168.255.111", 0, "b", "", false}},
         0},
        {SLICE("Via: SIP/2.0/UDP a;branch=1, SIP/2.0/TLS b:5061;branch=2\r\nX: y\r\nv:SIP/2.0/WSS "
               "c\r\n"),
         {{"UDP", "a", 0, "1", "", false},
          {"TLS", "b", 5061, "2", "", false},
          {"WSS", "c", 0, "", "", false}},
         0},
        {SLICE("Via: SIP/2.0/UDP [fd00::1]:5060;branch=1;received=fd00::2\r\n"),
         {{"UDP", "fd00::1", 5060, "1", "fd00::2", false}},
         0},
        {SLICE("Via: SIP/2.0/UDP [fd00::1];received=[fd00::2];branch=1\r\n"),
         {{"UDP", "fd00::1", 0, "1", "fd00::2", false}},
         0},
        {SLICE("Via:\r\n\tSIP/2.0/UDP\ta\t;branch=1\r\n"), {{"UDP", "a", 0, "1", "", false}}, 0},
        {SLICE("Via: sip/2.0/udp a;BRANCH=1;ALIAS\r\n"), {{"udp", "a", 0, "1", "", true}}, 0},
        {SLICE("Via: SIP/2.0/UDP a (a proxy, here);branch=1\r\n"),
         {{"UDP", "a", 0, "1", "", false}},
         0},
        {SLICE("Via: SIP/2.0/UDP a;;branch=1; ;\r\n"), {{"UDP", "a", 0, "1", "", false}}, 0},
        {SLICE("Via: SIP/2.0/UDP a;branch=\"x, y\";z=\";branch=no\"\r\n"),
         {{"UDP", "a", 0, "\"x, y\"", "", false}},
         0},
        {SLICE("Via: SIP/2.0/UDP a;branch=1;branch=2\r\n"), {{"UDP", "a", 0, "1", "", false}}, 0},
        {SLICE("Via: SIP/2.0/UDP\r\nVia: SIP/2.0/UDP a\r\n"), {{"UDP", "a", 0, "", "", false}}, 1},
        {SLICE("Via: SIP/2.0/UDP a:99999\r\nVia: SIP/2.0/UDP a:x, , x\r\n"), {{0}}, 3},
        {SLICE("Via: SIP/2.0/UDP a\0b\r\nVia:\r\n"), {{0}}, 1},
        {SLICE("X: y\r\n"), {{0}}, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text t = {0};
        struct arena a = {0};
        struct loaded l;
        const struct sip_via *vias;
        size_t bad = 99, n = 0;
        text_add(&t, SLICE(BYE));
        text_add(&t, cases[i].lines);
        text_add(&t, SLICE("\r\n"));
        load(&l, text_slice(&t));
        while (n < 4 && cases[i].vias[n].host)
            n++;
        size_t got = sip_vias(&a, &l.m, &vias, &bad);
        if (got != n || bad != cases[i].bad)
            fail_msg("case %zu: %zu vias, %zu bad", i, got, bad);
        unload(&l); /* the result must not need the message */
        for (size_t k = 0; k < n; k++)
            assert_via(&vias[k], &cases[i].vias[k]);
        arena_free(&a);
        text_free(&t);
    }
}

struct address_case {
    struct slice in;
    bool good;
    const char *display, *scheme, *user, *host;
    uint16_t port;
    const char *tag;
};

static void check_address(const struct address_case *c, bool good, const struct sip_address *out)
{
    if (good != c->good)
        fail_msg("%.*s: %d", SLICE_ARG(c->in), good);
    if (!good)
        return;
    assert_slice(out->display, c->display);
    assert_slice(out->scheme, c->scheme);
    assert_slice(out->user, c->user);
    assert_slice(out->host, c->host);
    assert_int_equal(out->port, c->port);
    assert_slice(out->tag, c->tag);
}

static void test_addresses(void **state)
{
    static const struct address_case cases[] = {
        {SLICE("<sip:a@b>;tag=x"), true, "", "sip", "a", "b", 0, "x"},
        {SLICE("sip:a@b;tag=x"), true, "", "sip", "a", "b", 0, "x"},
        {SLICE("\"Bob\" <sip:bob@h.example:5070;transport=tcp>;tag=1"), true, "Bob", "sip", "bob",
         "h.example", 5070, "1"},
        {SLICE("Bob B <sips:+1415@h>"), true, "Bob B", "sips", "+1415", "h", 0, ""},
        {SLICE("caller<sip:c@h>;tag=323"), true, "caller", "sip", "c", "h", 0, "323"},
        {SLICE("\"a\\\"b\" <sip:c@h>"), true, "a\\\"b", "sip", "c", "h", 0, ""},
        {SLICE("<sip:h>"), true, "", "sip", "", "h", 0, ""},
        {SLICE("<sip:%2B1@h>"), true, "", "sip", "+1", "h", 0, ""},
        {SLICE("<sip:a%00b%00%2B@h>"), true, "", "sip", "a%00b%00+", "h", 0, ""},
        {SLICE("\"%00\" <sip:%00@h>"), true, "%00", "sip", "%00", "h", 0, ""},
        {SLICE("<sip:a:secret@h>"), true, "", "sip", "a", "h", 0, ""},
        {SLICE("<sip:user;par=u%40example.net@example.com>"), true, "", "sip",
         "user;par=u@example.net", "example.com", 0, ""},
        {SLICE("<sip:a@[fd00::1]:5060>;tag=6"), true, "", "sip", "a", "fd00::1", 5060, "6"},
        {SLICE("<sip:[fd00::1]>"), true, "", "sip", "", "fd00::1", 0, ""},
        {SLICE("<tel:+14155550100;phone-context=x>;tag=2"), true, "", "tel", "+14155550100", "", 0,
         "2"},
        {SLICE("tel:+1-415-555-0100;tag=2"), true, "", "tel", "+1-415-555-0100", "", 0, "2"},
        {SLICE("<urn:service:sos>"), true, "", "urn", "service:sos", "", 0, ""},
        {SLICE("<SIP:A@B>"), true, "", "SIP", "A", "B", 0, ""},
        /* libosip2 refuses these for what stands around the URI */
        {SLICE("Bell, Alexander <sip:a@b>;tag=43"), true, "Bell, Alexander", "sip", "a", "b", 0,
         "43"},
        {SLICE("\"Watson\" < sip:t@b >"), true, "Watson", "sip", "t", "b", 0, ""},
        {SLICE("\"open <sip:a@b>;tag=1"), true, "\"open", "sip", "a", "b", 0, "1"},
        {SLICE("*"), false, 0, 0, 0, 0, 0, 0},
        {SLICE(""), false, 0, 0, 0, 0, 0, 0},
        {SLICE("   "), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<>"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<sip:>"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<sip:@>"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<:>"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("bear@iptel.org"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<sip:a@b:99999>"), false, 0, 0, 0, 0, 0, 0},
        {SLICE("<sip:a\0@b>"), false, 0, 0, 0, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct sip_address out;
        struct guard g = guard_copy(cases[i].in.p, cases[i].in.n);
        bool good = sip_address_parse(&a, (struct slice){g.p, g.n}, &out);
        guard_free(&g);
        check_address(&cases[i], good, &out);
        arena_free(&a);
    }
}

static void test_uris(void **state)
{
    static const struct address_case cases[] = {
        {SLICE("sip:+15105550100@10.0.1.10:5060;user=phone"), true, "", "sip", "+15105550100",
         "10.0.1.10", 5060, ""},
        {SLICE("tel:911"), true, "", "tel", "911", "", 0, ""},
        {SLICE("sip:h;transport=tcp?x=y"), true, "", "sip", "", "h", 0, ""},
        {SLICE("nonsense"), false, 0, 0, 0, 0, 0, 0},
        {SLICE(""), false, 0, 0, 0, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a = {0};
        struct sip_address out;
        check_address(&cases[i], sip_uri_parse(&a, cases[i].in, &out), &out);
        arena_free(&a);
    }
}

static void test_address_lists(void **state)
{
    struct arena a = {0};
    struct loaded l;
    const struct sip_address *list;
    (void)state;
    load(&l, SLICE(BYE "Record-Route: <sip:10.0.2.1;lr>, <sip:10.0.1.1:5070;lr>\r\n"
                       "Contact: *\r\nRecord-Route: bad,\r\n <sip:[fd00::1]>\r\n\r\n"));
    assert_int_equal(sip_addresses(&a, &l.m, SIP_HEADER_RECORD_ROUTE, &list), 3);
    assert_slice(list[0].host, "10.0.2.1");
    assert_slice(list[1].host, "10.0.1.1");
    assert_int_equal(list[1].port, 5070);
    assert_slice(list[2].host, "fd00::1");
    assert_int_equal(sip_addresses(&a, &l.m, SIP_HEADER_CONTACT, &list), 0);
    assert_int_equal(sip_addresses(&a, &l.m, SIP_HEADER_ROUTE, &list), 0);
    unload(&l);
    arena_free(&a);
}

static void test_limits(void **state)
{
    struct arena a = {0};
    struct text t = {0};
    struct sip_address out;
    struct loaded l;
    const struct sip_via *vias;
    (void)state;
    text_add(&t, SLICE("sip:"));
    while (t.n < 9000)
        text_add_char(&t, 'a');
    assert_false(sip_uri_parse(&a, text_slice(&t), &out));
    assert_true(sip_uri_parse(&a, slice_first(text_slice(&t), 8000), &out));
    text_clear(&t);
    text_add(&t, SLICE(BYE "Via: SIP/2.0/UDP a"));
    for (int i = 0; i < 5000; i++)
        text_add(&t, SLICE(",SIP/2.0/UDP a"));
    text_add(&t, SLICE("\r\n\r\n"));
    load(&l, text_slice(&t));
    size_t n = sip_vias(&a, &l.m, &vias, NULL);
    assert_true(n >= 100 && n < 5000);
    unload(&l);
    text_free(&t);
    arena_free(&a);
}

/* libosip2 logs what it refuses to standard output unless it is told otherwise. */
static void test_silence(void **state)
{
    struct arena a = {0};
    struct sip_address out;
    (void)state;
    FILE *caught = tmpfile();
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fileno(caught), STDOUT_FILENO);
    sip_address_parse(&a, SLICE("\"x <sip:"), &out);
    sip_uri_parse(&a, SLICE("sip:a@"), &out);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(fseek(caught, 0, SEEK_END), 0);
    assert_int_equal(ftell(caught), 0);
    fclose(caught);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vias),   cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_uris),   cmocka_unit_test(test_address_lists),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_silence),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

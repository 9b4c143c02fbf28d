/* Fuzzes the way of a datagram: scan, folds, parameters, lists, and libosip2 on every value found.
 */
#include "sip/sip.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_inside(struct slice part, struct slice whole)
{
    assert(part.p >= whole.p && part.n <= whole.n);
    assert((size_t)(part.p - whole.p) <= whole.n - part.n);
}

static void check_headers(const struct sip_message *m)
{
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        assert_inside(h->name, m->bytes);
        assert_inside(h->value, m->bytes);
        assert(h->name.p == m->bytes.p + h->at);
        assert(h->value.p > h->name.p + h->name.n);
        assert(i == 0 || h->at > h[-1].at);
        assert(h->value.p + h->value.n <= m->body.p);
        assert(h->id == sip_header_of(h->name));
        assert(!h->cut || (i + 1 == m->header_count && m->state == SIP_CUT));
        assert(h->folded == (slice_find(h->value, '\n') < h->value.n));
        assert(slice_equal(h->value, slice_trim(h->value)));
    }
    for (unsigned id = 0; id < SIP_HEADER_COUNT; id++)
        assert(m->first[id] < (int32_t)m->header_count &&
               (m->first[id] < 0 || m->headers[m->first[id]].id == id));
}

static void check_message(const struct sip_message *m, struct slice input, size_t missing)
{
    assert_inside(m->bytes, input);
    assert_inside(m->method, m->bytes);
    assert_inside(m->uri, m->bytes);
    assert_inside(m->version, m->bytes);
    assert_inside(m->reason, m->bytes);
    assert_inside(m->call_id, m->bytes);
    assert_inside(m->body, m->bytes);
    assert(m->body.p + m->body.n == m->bytes.p + m->bytes.n);
    assert(m->consumed == (size_t)(m->bytes.p - input.p) + m->bytes.n && m->consumed <= input.n);
    assert(m->state == (missing ? SIP_CUT : SIP_WHOLE));
    assert(m->has_call_id == (m->call_id.n > 0));
    assert(m->status < 1000 && (m->kind == SIP_RESPONSE || m->method.n > 0));
    assert(m->problem_count <= SIP_PROBLEMS_MAX);
    for (uint32_t i = 0; i < m->problem_count; i++)
        assert(m->problems[i].at <= m->bytes.n);
    check_headers(m);
}

static void check_value(struct arena *a, const struct sip_header *h)
{
    struct slice value = sip_unfold(a, h), rest = value, element, param;
    struct sip_address address;
    assert(value.n <= h->value.n);
    if (sip_param(value, SLICE("tag"), &param))
        assert_inside(param, value);
    while (sip_list_next(&rest, &element)) {
        assert(element.n > 0);
        assert_inside(element, value);
        sip_address_parse(a, element, &address);
    }
    sip_uri_parse(a, value, &address);
}

static void check_typed(struct arena *a, const struct sip_message *m)
{
    const struct sip_via *vias;
    const struct sip_address *addresses;
    struct sip_address uri;
    size_t bad, n = sip_vias(a, m, &vias, &bad);
    for (size_t i = 0; i < n; i++)
        assert(vias[i].host.n > 0);
    sip_addresses(a, m, SIP_HEADER_CONTACT, &addresses);
    sip_uri_parse(a, m->uri, &uri);
    for (uint32_t i = 0; i < m->header_count && i < 200; i++)
        check_value(a, &m->headers[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = {(const char *)data, size};
    struct sip_scanner *s = sip_scanner_new();
    struct sip_message m;
    struct arena a = {0};
    sip_typed_init();
    for (size_t missing = 0; missing < 2; missing++) {
        bool is = sip_scan_datagram(s, input, missing, &m);
        assert(is == sip_looks_like(input));
        if (is) {
            check_message(&m, input, missing);
            check_typed(&a, &m);
        }
    }
    arena_free(&a);
    sip_scanner_free(s);
    return 0;
}

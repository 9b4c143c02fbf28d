/* A scanned datagram for tests of sip/: its bytes end before an unmapped page. */
#ifndef TESTS_UNIT_SCANNED_H
#define TESTS_UNIT_SCANNED_H

#include "sip/sip.h"

#include "guard.h"
#include "unit.h"

#define HEAD                                                                                       \
    "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"             \
    "Call-ID: id@a\r\nCSeq: 2 BYE\r\n"
#define BYE   "BYE sip:b@c SIP/2.0\r\n"
#define P(id) (1u << SIP_PROBLEM_##id)

/* Scans a copy that ends before an unmapped page; free with unload(). */
struct loaded {
    struct sip_scanner *s;
    struct guard g;
    struct sip_message m;
    bool is;
};

static inline void load_cut(struct loaded *l, struct slice bytes, size_t missing)
{
    l->s = sip_scanner_new();
    l->g = guard_copy(bytes.p, bytes.n);
    struct slice copy = {l->g.p, l->g.n};
    l->is = sip_scan_datagram(l->s, copy, missing, &l->m);
    assert_int_equal(l->is, sip_looks_like(copy));
}

static inline void load(struct loaded *l, struct slice bytes)
{
    load_cut(l, bytes, 0);
}

static inline void unload(struct loaded *l)
{
    sip_scanner_free(l->s);
    guard_free(&l->g);
}

static inline void assert_slice(struct slice s, const char *text)
{
    if (!slice_is(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(s), text);
}

static inline void assert_bytes(struct slice s, struct slice wanted)
{
    assert_int_equal(s.n, wanted.n);
    assert_memory_equal(s.p, wanted.p, s.n);
}

/* Exactly the problems of the mask. */
static inline void assert_noted(const struct sip_message *m, uint32_t wanted)
{
    uint32_t noted = 0;
    for (uint32_t i = 0; i < m->problem_count; i++)
        noted |= 1u << m->problems[i].id;
    for (unsigned id = 0; id < SIP_PROBLEM_COUNT; id++)
        if ((noted ^ wanted) & 1u << id)
            fail_msg("%s: %s", noted & 1u << id ? "noted" : "not noted", sip_problem_text(id));
}

#endif

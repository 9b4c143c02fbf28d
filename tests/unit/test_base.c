/* base: slices, cursors, arenas, vectors, the hash and its index, addresses, errors. */
#include "base/base.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- slices --------------------------------------------------------------------------------- */

static void test_slice_compare(void **state)
{
    static const struct {
        struct slice a, b;
        int order;
        bool equal, nocase, starts;
    } cases[] = {
        {SLICE(""), SLICE(""), 0, true, true, true},
        {SLICE("a"), SLICE(""), 1, false, false, true},
        {SLICE(""), SLICE("a"), -1, false, false, false},
        {SLICE("abc"), SLICE("abc"), 0, true, true, true},
        {SLICE("abc"), SLICE("ab"), 1, false, false, true},
        {SLICE("ab"), SLICE("b"), -1, false, false, false},
        {SLICE("Via"), SLICE("VIA"), 1, false, true, false},
        {SLICE("@"), SLICE("`"), -1, false, false, false}, /* 0x20 apart, no letters */
        {SLICE("a\0b"), SLICE("a\0c"), -1, false, false, false},
        {SLICE("\xc4"), SLICE("\xe4"), -1, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int order = slice_compare(cases[i].a, cases[i].b);
        assert_int_equal((order > 0) - (order < 0), cases[i].order);
        assert_int_equal(slice_equal(cases[i].a, cases[i].b), cases[i].equal);
        assert_int_equal(slice_equal_nocase(cases[i].a, cases[i].b), cases[i].nocase);
        assert_int_equal(slice_starts(cases[i].a, cases[i].b), cases[i].starts);
    }
    assert_true(slice_starts_nocase(SLICE("x-foo"), SLICE("X-")));
    assert_false(slice_starts_nocase(SLICE("x"), SLICE("X-")));
    assert_true(slice_equal(slice_of(NULL), SLICE("")));
    assert_true(slice_is(SLICE("a"), "a"));
}

static void test_slice_cut(void **state)
{
    (void)state;
    assert_true(slice_is(slice_trim(SLICE(" \t\r\na b\n ")), "a b"));
    assert_int_equal(slice_trim(SLICE(" \t ")).n, 0);
    assert_true(slice_is(slice_from(SLICE("abc"), 1), "bc"));
    assert_int_equal(slice_from(SLICE("abc"), 3).n, 0);
    assert_int_equal(slice_from(SLICE("abc"), SIZE_MAX).n, 0);
    assert_true(slice_is(slice_first(SLICE("abc"), 2), "ab"));
    assert_true(slice_is(slice_first(SLICE("abc"), 9), "abc"));
    assert_int_equal(slice_find(SLICE("abc"), 'c'), 2);
    assert_int_equal(slice_find(SLICE("abc"), 'd'), 3);
    assert_int_equal(slice_find(SLICE_NONE, 'd'), 0);
}

static void test_slice_number(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        uint32_t out;
    } cases[] = {
        {"0", true, 0},   {"007", true, 7},         {"4294967295", true, UINT32_MAX},
        {"", false, 0},   {"4294967296", false, 0}, {"99999999999999999999", false, 0},
        {"-1", false, 0}, {"+1", false, 0},         {"1 ", false, 0},
        {"1a", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t n = 77;
        assert_int_equal(slice_to_u32(slice_of(cases[i].in), &n), cases[i].ok);
        if (cases[i].ok)
            assert_int_equal(n, cases[i].out);
    }
}

static void test_glob(void **state)
{
    static const struct {
        const char *text, *pattern;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "*", true},
        {"", "?", false},
        {"X-Foo", "x-*", true},
        {"X-", "X-*", true},
        {"X", "X-*", false},
        {"X-Foo", "*foo", true},
        {"X-Foo-Bar", "x*o*r", true},
        {"X-Foo-Bar", "x*o*a", false},
        {"abc", "a?c", true},
        {"abc", "a?d", false},
        {"abc", "a??c", false},
        {"abc", "abc*", true},
        {"abc", "**c", true},
        {"abab", "*ab", true},
        {"aab", "*ab", true},
        {"X-Foo", "X-Bar", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(slice_glob_nocase(slice_of(cases[i].text), slice_of(cases[i].pattern)),
                         cases[i].match);
}

/* A pattern of many stars takes no time that grows out of hand. */
static void test_glob_hostile(void **state)
{
    char text[4096], pattern[64];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    assert_false(slice_glob_nocase((struct slice){text, sizeof text},
                                   (struct slice){pattern, sizeof pattern}));
}

static void test_cursor(void **state)
{
    struct cursor c = cursor_of(SLICE("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"));
    (void)state;
    assert_int_equal(cursor_u8(&c), 0x01);
    assert_int_equal(cursor_be16(&c), 0x0203);
    assert_int_equal(cursor_be32(&c), 0x04050607);
    assert_int_equal(cursor_le16(&c), 0x0908);
    assert_int_equal(cursor_le32(&c), 0x0d0c0b0a);
    assert_int_equal(cursor_left(&c), 1);
    assert_int_equal(cursor_rest(&c).n, 1);
    assert_false(c.failed);
    assert_int_equal(cursor_be16(&c), 0); /* one byte is left: the read fails and empties */
    assert_true(c.failed);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(cursor_u8(&c), 0);
    c = cursor_of(SLICE("abcd"));
    cursor_skip(&c, 1);
    assert_true(slice_is(cursor_take(&c, 2), "bc"));
    assert_int_equal(cursor_take(&c, SIZE_MAX).n, 0);
    assert_true(c.failed);
    c = cursor_of(SLICE_NONE);
    assert_int_equal(cursor_be32(&c), 0);
    assert_true(c.failed);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void test_arena(void **state)
{
    struct arena a = {0};
    (void)state;
    assert_non_null(arena_alloc(&a, 0));
    for (size_t n = 1; n < 3000; n += 7) {
        unsigned char *p = arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n); /* so that the next one is seen to be cleared */
    }
    assert_non_null(arena_alloc(&a, 1 << 20)); /* more than any block */
    size_t before = a.total;
    arena_reset(&a);
    assert_true(a.total <= before && a.total > 0);
    unsigned char *again = arena_alloc(&a, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(again[i], 0);
    struct slice copy = arena_copy(&a, SLICE("a\0b"));
    assert_true(slice_equal(copy, SLICE("a\0b")));
    assert_int_equal(copy.p[3], '\0');
    assert_int_equal(arena_copy(&a, SLICE_NONE).n, 0);
    assert_true(slice_is(arena_printf(&a, "%s-%05d", "x", 42), "x-00042"));
    assert_int_equal(arena_printf(&a, "%s", "").n, 0);
    arena_free(&a);
    assert_int_equal(a.total, 0);
    arena_reset(&a);
}

static void test_vec(void **state)
{
    VEC(uint32_t) v = {0};
    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        *vec_add(&v) = i * i;
    assert_int_equal(v.n, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i * i);
    vec_clear(&v);
    assert_int_equal(v.n, 0);
    assert_true(v.cap >= 1000);
    vec_free(&v);
    assert_null(v.items);
}

static void test_err(void **state)
{
    struct err err = {""};
    char longer[2000];
    (void)state;
    assert_false(err_set(&err, "%s:%d", "f", 7));
    assert_string_equal(err.text, "f:7");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(err_set(&err, "%s", longer));
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_string_equal(err.text + sizeof err.text - 5, "x...");
}

/* ---- hash ----------------------------------------------------------------------------------- */

/* From a second implementation, whose SipHash gives the vector of its paper for the 2-4 variant. */
static void test_hash_vectors(void **state)
{
    static const struct {
        size_t n;
        uint64_t sip, hash;
    } vectors[] = {
        {0, 0xabac0158050fc4dc, 0},
        {1, 0xc9f49bf37d57ca93, 0xfe348c2e2edb31a0},
        {7, 0xd3927d989bb11140, 0x178af09423419a31},
        {8, 0x369095118d299a8e, 0x7e1ff49fa28837b5},
        {9, 0x25a48eb36c063de4, 0xaf8a0b6c36c5b771},
        {15, 0xd320d86d2a519956, 0x5a893ffef4086116},
        {16, 0xcc4fdd1a7d908b66, 0xe9ddfbb600cb91b4},
        {63, 0x9d199062b7bbb3a8, 0x031b5c3b7972fe73},
    };
    const struct hash_key key = hash_key_of(0x0706050403020100, 0x0f0e0d0c0b0a0908);
    unsigned char bytes[HASH_SHORT + 1];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_true(hash_sip(&key, bytes, vectors[i].n) == vectors[i].sip);
        assert_true(hash_bytes(&key, bytes, vectors[i].n) == vectors[i].hash);
    }
    assert_true(hash_bytes(&key, bytes, HASH_SHORT) == 0x1b468186f6a0543a);
    assert_true(hash_bytes(&key, bytes, HASH_SHORT + 1) == hash_sip(&key, bytes, HASH_SHORT + 1));
    assert_true(hash_slice(&key, SLICE_NONE) == 0);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Texts that differ little: in one byte, anywhere, or in how many zeros they are.  Their upper
 * halves, which tables go by, all differ, under any key. */
static void test_hash_spreads(void **state)
{
    static uint32_t upper[(HASH_SHORT + 1) + HASH_SHORT * 255];
    const struct hash_key key = hash_key_random();
    size_t n = 0, same = 0;
    (void)state;
    char bytes[HASH_SHORT] = {0};
    for (size_t i = 0; i <= sizeof bytes; i++)
        upper[n++] = (uint32_t)(hash_bytes(&key, bytes, i) >> 32);
    for (size_t i = 0; i < sizeof bytes; i++) {
        for (int c = 1; c < 256; c++) {
            bytes[i] = (char)c;
            upper[n++] = (uint32_t)(hash_bytes(&key, bytes, sizeof bytes) >> 32);
        }
        bytes[i] = 0;
    }
    qsort(upper, n, sizeof *upper, by_value);
    for (size_t i = 1; i < n; i++)
        same += upper[i] == upper[i - 1];
    assert_true(same <= 8); /* by chance: 0.12 to be expected */
}

static void test_hash_mix(void **state)
{
    struct hash_key a = hash_key_random(), b = hash_key_random();
    (void)state;
    assert_true(a.k0 != b.k0 || a.k1 != b.k1);
    assert_true(hash_mix(1, 2) != hash_mix(2, 1));
    assert_true(hash_mix(0, 0) != 0);
}

/* The index against a plain array: few distinct hashes, so that runs are long and collide. */
#define MODEL_MAX 2000u

struct model {
    uint64_t hash[MODEL_MAX];
    bool in[MODEL_MAX];
};

static size_t count_in_model(const struct model *m, uint64_t hash)
{
    size_t n = 0;
    for (uint32_t id = 0; id < MODEL_MAX; id++)
        n += m->in[id] && m->hash[id] == hash;
    return n;
}

static void compare_with_model(const struct map *map, const struct model *m, uint64_t hash)
{
    uint32_t id, at = map_first(map, hash);
    size_t n = 0;
    while ((id = map_next(map, hash, &at)) != MAP_NONE) {
        assert_true(id < MODEL_MAX && m->in[id]);
        n += m->hash[id] == hash; /* others share the tag only */
    }
    assert_int_equal(n, count_in_model(m, hash));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return hash_mix(*seed, 1);
}

static void run_model(uint64_t distinct, uint64_t seed)
{
    static struct model m;
    struct map map = {0};
    uint32_t held = 0;
    m = (struct model){0};
    for (int step = 0; step < 20000; step++) {
        uint32_t id = (uint32_t)(next_random(&seed) % MODEL_MAX);
        if (m.in[id]) {
            map_remove(&map, m.hash[id], id);
            held--;
        } else {
            m.hash[id] = (next_random(&seed) % distinct) * 0x9e3779b97f4a7c15u;
            map_add(&map, m.hash[id], id);
            held++;
        }
        m.in[id] = !m.in[id];
        assert_int_equal(map.n, held);
        if (step % 64 == 0)
            compare_with_model(&map, &m, m.hash[id]);
    }
    for (uint32_t id = 0; id < MODEL_MAX; id++)
        compare_with_model(&map, &m, m.hash[id]);
    map_free(&map);
    assert_null(map.slots);
}

static void test_map(void **state)
{
    struct map empty = {0};
    uint32_t at = map_first(&empty, 7);
    (void)state;
    assert_int_equal(map_next(&empty, 7, &at), MAP_NONE);
    run_model(1, 11); /* every hash the same */
    run_model(40, 12);
    run_model(UINT64_MAX, 13);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void test_address_parse(void **state)
{
    static const struct {
        struct slice in;
        const char *out; /* NULL: refused */
    } cases[] = {
        {SLICE("10.0.1.1"), "10.0.1.1"},
        {SLICE("255.255.255.255"), "255.255.255.255"},
        {SLICE("fd00::1"), "fd00::1"},
        {SLICE("[fd00::1]"), "fd00::1"},
        {SLICE("FD00:0:0:0:0:0:0:1"), "fd00::1"},
        {SLICE("::"), "::"},
        {SLICE("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1"}, /* RFC 5952 4.2.3 */
        {SLICE("::ffff:10.0.0.1"), "::ffff:10.0.0.1"},
        {SLICE(""), NULL},
        {SLICE("10.0.1"), NULL},
        {SLICE("10.0.1.256"), NULL},
        {SLICE("10.0.1.1 "), NULL},
        {SLICE("10.0.1.1\0"), NULL},
        {SLICE("fe80::1%eth0"), NULL},
        {SLICE("[fd00::1"), NULL},
        {SLICE("sip.example.com"), NULL},
        {SLICE("1:2:3:4:5:6:7:8:9"), NULL},
        {SLICE("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255x"), NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a = {.family = 99};
        assert_int_equal(address_parse(cases[i].in, &a), cases[i].out != NULL);
        if (cases[i].out)
            assert_string_equal(address_format(&a).s, cases[i].out);
        else
            assert_int_equal(a.family, 99);
    }
}

static void test_cidr(void **state)
{
    static const struct {
        const char *net, *address;
        int in; /* -1: the net is refused */
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.1", 1}, {"10.0.0.0/8", "11.0.0.0", 0},
        {"10.0.0.0/9", "10.127.0.1", 1}, {"10.0.0.0/9", "10.128.0.1", 0},
        {"10.0.0.1", "10.0.0.1", 1},     {"10.0.0.1", "10.0.0.2", 0},
        {"0.0.0.0/0", "192.0.2.1", 1},   {"0.0.0.0/0", "::1", 0},
        {"10.0.0.1/32", "10.0.0.1", 1},  {"fd00::/7", "fc00::1", 1},
        {"fd00::/8", "fc00::1", 0},      {"fd00::1/128", "fd00::1", 1},
        {"10.0.0.0/33", "10.0.0.0", -1}, {"fd00::/129", "fd00::", -1},
        {"10.0.0.0/", "10.0.0.0", -1},   {"10.0.0.0/x", "10.0.0.0", -1},
        {"/8", "10.0.0.0", -1},          {"10.0.0.0/8/8", "10.0.0.0", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address net, a;
        unsigned bits = 0;
        assert_true(address_parse(slice_of(cases[i].address), &a));
        bool ok = address_parse_cidr(slice_of(cases[i].net), &net, &bits);
        assert_int_equal(ok, cases[i].in >= 0);
        if (ok)
            assert_int_equal(address_in_cidr(&a, &net, bits), cases[i].in);
    }
}

static void test_address_private(void **state)
{
    static const struct {
        const char *address;
        bool is;
    } cases[] = {{"10.255.0.1", true},     {"11.0.0.1", false},   {"172.16.0.1", true},
                 {"172.31.255.255", true}, {"172.32.0.0", false}, {"192.168.9.9", true},
                 {"192.169.0.1", false},   {"100.64.0.0", true},  {"100.127.255.255", true},
                 {"100.128.0.0", false},   {"169.254.1.1", true}, {"127.0.0.1", true},
                 {"203.0.113.1", false},   {"fd00::1", true},     {"fc00::", true},
                 {"fe00::1", false},       {"fe80::1", true},     {"febf::1", true},
                 {"fec0::1", false},       {"::1", true},         {"2001:db8::1", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a;
        assert_true(address_parse(slice_of(cases[i].address), &a));
        if (address_is_private(&a) != cases[i].is)
            fail_msg("%s", cases[i].address);
    }
}

static void test_address_next(void **state)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"", ""},
        {"10.0.0.1", "10.0.0.1 "},
        {"<sip:a@10.0.0.1:5060>;x=[fd00::1]:5061", "10.0.0.1 fd00::1 "},
        {"sip:10.0.0.1", "10.0.0.1 "},
        {"c=IN IP6 fe80::2\r\n", "fe80::2 "},
        {"at 10.0.0.1, or 10.0.0.2.", "10.0.0.1 10.0.0.2 "},
        {"v1.10.0.0.1 x10.0.0.1 10.0.0.1.example 10.0.0.1x 1.10.0.0.1", ""},
        {"10.0.0 10.0.0.256 12:30:45 a:b", ""},
        {"10.0.0.1-7", "10.0.0.1 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice rest = slice_of(cases[i].text);
        struct address a;
        struct text found = {0};
        text_add(&found, SLICE(""));
        while (address_next(&rest, &a))
            text_printf(&found, "%s ", address_format(&a).s);
        assert_string_equal(found.p, cases[i].found);
        text_free(&found);
    }
}

static void test_address_order(void **state)
{
    struct address a = {0}, b = {0}, six = {0}, none = {0};
    (void)state;
    assert_true(address_parse(SLICE("10.0.0.1"), &a) && address_parse(SLICE("10.0.0.2"), &b) &&
                address_parse(SLICE("::1"), &six));
    assert_true(address_compare(&a, &b) < 0 && address_compare(&b, &a) > 0);
    assert_true(address_compare(&b, &six) < 0);
    assert_true(address_equal(&a, &a) && !address_equal(&a, &b));
    assert_true(address_is_loopback(&six) && !address_is_loopback(&a));
    struct address local = address_of(4, (const uint8_t[]){127, 1, 2, 3});
    assert_true(address_is_loopback(&local));
    assert_string_equal(address_format(&none).s, "");
    struct endpoint e4 = {a, 5060}, e6 = {six, 65535};
    assert_string_equal(endpoint_format(&e4).s, "10.0.0.1:5060");
    assert_string_equal(endpoint_format(&e6).s, "[::1]:65535");
    assert_true(endpoint_equal(&e4, &e4) && !endpoint_equal(&e4, &e6));
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Replaced as a whole or not at all, and nothing is left beside it. */
static void test_file_replace(void **state)
{
    char folder[] = "/tmp/sipxray-base-XXXXXX", path[64], beside[64], bytes[16] = "";
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(beside, sizeof beside, "%s/b", folder);
    int fd = open(beside, O_RDWR | O_CREAT, 0600);
    assert_true(file_replace(fd, beside, path, SLICE("new"), true));
    assert_int_equal(access(beside, F_OK), -1);
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "new");
    close(fd);
    fd = open(beside, O_RDONLY | O_CREAT, 0600); /* which nothing can be written to */
    assert_false(file_replace(fd, beside, path, SLICE("newer"), false));
    assert_int_equal(errno, EBADF);
    assert_int_equal(access(beside, F_OK), -1);
    fd = open(beside, O_RDWR | O_CREAT, 0600);
    assert_false(file_replace(fd, beside, "/nowhere/a", SLICE("newer"), false));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(access(beside, F_OK), -1);
    assert_false(file_replace(-1, beside, path, SLICE("newer"), false));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice_compare), cmocka_unit_test(test_slice_cut),
        cmocka_unit_test(test_slice_number),  cmocka_unit_test(test_glob),
        cmocka_unit_test(test_glob_hostile),  cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_arena),         cmocka_unit_test(test_vec),
        cmocka_unit_test(test_err),           cmocka_unit_test(test_hash_vectors),
        cmocka_unit_test(test_hash_spreads),  cmocka_unit_test(test_hash_mix),
        cmocka_unit_test(test_map),           cmocka_unit_test(test_address_parse),
        cmocka_unit_test(test_cidr),          cmocka_unit_test(test_address_private),
        cmocka_unit_test(test_address_next),  cmocka_unit_test(test_address_order),
        cmocka_unit_test(test_file_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

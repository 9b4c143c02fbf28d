/* IP addresses: parse, compare, print. */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct address address_unnamed(uint16_t host)
{
    return (struct address){0, {1, (uint8_t)(host >> 8), (uint8_t)host}};
}

bool address_is_none(const struct address *a)
{
    return a->family == 0 && a->bytes[0] == 0;
}

struct address address_of(uint8_t family, const uint8_t *bytes)
{
    struct address a = {family, {0}};
    memcpy(a.bytes, bytes, family == 4 ? 4 : 16);
    return a;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_compare(a, b) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return a->family == 4 ? a->bytes[0] == 127
                          : a->family == 6 && memcmp(a->bytes, loopback6, 16) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->ip, &b->ip);
}

bool address_parse(struct slice text, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (struct slice){text.p + 1, text.n - 2};
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        *out = address_of(4, bytes);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        *out = address_of(6, bytes);
    else
        return false;
    return true;
}

bool address_parse_cidr(struct slice text, struct address *out, unsigned *bits)
{
    size_t slash = slice_find(text, '/');
    struct address parsed;
    if (!address_parse(slice_first(text, slash), &parsed))
        return false;
    uint32_t width = parsed.family == 4 ? 32 : 128;
    uint32_t wanted = width;
    if (slash < text.n && (!slice_to_u32(slice_from(text, slash + 1), &wanted) || wanted > width))
        return false;
    *out = parsed;
    *bits = wanted;
    return true;
}

bool address_in_cidr(const struct address *a, const struct address *net, unsigned bits)
{
    if (a->family != net->family || memcmp(a->bytes, net->bytes, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (a->bytes[bits / 8] ^ net->bytes[bits / 8]) >> (8 - rest) == 0;
}

bool address_is_private(const struct address *a)
{
    static const struct {
        const char *net;
        unsigned bits;
    } nets[] = {{"10.0.0.0", 8},     {"172.16.0.0", 12}, {"192.168.0.0", 16}, {"100.64.0.0", 10},
                {"169.254.0.0", 16}, {"127.0.0.0", 8},   {"0.0.0.0", 8},      {"fc00::", 7},
                {"fe80::", 10},      {"::1", 128},       {"::", 128}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        struct address net;
        if (address_parse(slice_of(nets[i].net), &net) && address_in_cidr(a, &net, nets[i].bits))
            return true;
    }
    return false;
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* The run of digits, letters of hexadecimal numbers, dots and colons at the front. */
static struct slice address_word(struct slice s, bool colons)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == '.' || (colons ? is_hex_digit(s.p[n]) || s.p[n] == ':'
                                                : s.p[n] >= '0' && s.p[n] <= '9')))
        n++;
    return slice_first(s, n);
}

/* At a word's beginning: an address that ends where a name could not go on. */
static size_t address_at(struct slice s, bool after_colon, struct address *out)
{
    for (int colons = 0; colons < 2 - after_colon; colons++) {
        struct slice word = address_word(s, colons);
        bool more = word.n < s.n && is_name_byte(s.p[word.n]);
        if (!more && word.n && word.p[word.n - 1] == '.')
            word.n--; /* a full stop */
        if (!more && word.n >= 3 && address_parse(word, out))
            return word.n;
    }
    return 0;
}

bool address_next(struct slice *rest, struct address *out)
{
    for (size_t i = 0; i < rest->n; i++) {
        char before = i ? rest->p[i - 1] : ' ';
        if (is_name_byte(before) || before == '.')
            continue;
        size_t n = address_at(slice_from(*rest, i), before == ':', out);
        if (n) {
            *rest = slice_from(*rest, i + n);
            return true;
        }
    }
    *rest = SLICE_NONE;
    return false;
}

struct address_text address_format(const struct address *a)
{
    struct address_text text = {""};
    if (a->family)
        inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, text.s, sizeof text.s);
    return text;
}

struct address_text endpoint_format(const struct endpoint *e)
{
    struct address_text ip = address_format(&e->ip), text = {""};
    if (e->ip.family)
        snprintf(text.s, sizeof text.s, e->ip.family == 6 ? "[%.46s]:%u" : "%.46s:%u", ip.s,
                 e->port);
    return text;
}

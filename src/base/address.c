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

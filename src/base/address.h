/* IP addresses and endpoints, kept by value.  IPv4 is told from IPv6 by `family`, never mapped. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/slice.h"

struct address {
    uint8_t family;    /* 4, 6, or 0: none */
    uint8_t bytes[16]; /* network order; for IPv4 the first four, the rest zero */
};

struct endpoint {
    struct address ip;
    uint16_t port;
};

/* The address of a host that is known to be there, whichever it is: family 0, and told from those
 * of other hosts by `host` only. */
struct address address_unnamed(uint16_t host);
/* Nothing is known of it, not even whose it is. */
bool address_is_none(const struct address *a);
struct address address_of(uint8_t family, const uint8_t *bytes); /* 4 or 16 bytes */
bool address_equal(const struct address *a, const struct address *b);
bool address_is_loopback(const struct address *a);
int address_compare(const struct address *a, const struct address *b);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* "10.0.1.1", "fd00::1" or "[fd00::1]" (a zone is refused).  False leaves *out untouched. */
bool address_parse(struct slice text, struct address *out);
/* "10.0.0.0/8" or a plain address; *bits is 32 or 128 then. */
bool address_parse_cidr(struct slice text, struct address *out, unsigned *bits);
bool address_in_cidr(const struct address *a, const struct address *net, unsigned bits);

/* Of no use beyond its own network: RFC 1918, shared (RFC 6598), link-local, loopback, unique local
 * (RFC 4193), unspecified. */
bool address_is_private(const struct address *a);
/* Takes the next IP address off free text: "x@10.0.0.1:5060" has one, "v1.10.0.0.1" and
 * "10.0.0.1.example.com" have none.  False: there is no further one. */
bool address_next(struct slice *rest, struct address *out);

struct address_text {
    char s[64];
};
/* "10.0.1.1", "fd00::1" (RFC 5952); "" where there is none */
struct address_text address_format(const struct address *a);
/* "10.0.1.1:5060", "[fd00::1]:5060"; "" where there is no address */
struct address_text endpoint_format(const struct endpoint *e);

#endif

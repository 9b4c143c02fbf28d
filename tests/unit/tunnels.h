/* Builds packets in packets: layers, each of which puts itself in front of what it carries. */
#ifndef TESTS_UNIT_TUNNELS_H
#define TESTS_UNIT_TUNNELS_H

#include "datagram.h"

#define HELLO SLICE("BYE sip:a@b SIP/2.0\r\n\r\n")
#define MACS  "\2\1\1\1\1\1\2\2\2\2\2\2"

#define LAYERS 8 /* at most, around one packet */

typedef void layer(struct bytes *b, struct slice in);

static inline void put_outer(struct bytes *b, uint8_t protocol, struct slice head, struct slice in)
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

static inline void put_over(struct bytes *b, uint16_t port, struct slice head, struct slice in)
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
    static inline void name(struct bytes *b, struct slice in)                                      \
    {                                                                                              \
        put_slice(b, SLICE(head));                                                                 \
        put_slice(b, in);                                                                          \
    }
#define INNER(name, protocol, head)                                                                \
    static inline void name(struct bytes *b, struct slice in)                                      \
    {                                                                                              \
        put_outer(b, protocol, SLICE(head), in);                                                   \
    }
#define OVER(name, port, head)                                                                     \
    static inline void name(struct bytes *b, struct slice in)                                      \
    {                                                                                              \
        put_over(b, port, SLICE(head), in);                                                        \
    }

LAYER(eth, MACS "\x08\0")
INNER(ip4, 4, "")
INNER(gre, 47, "\0\0\x08\0")
OVER(vxlan, 4789, "\x08\0\0\0\0\0\x2a\0")
OVER(gpe_ip, 4790, "\x0c\0\0\1\0\0\x2a\0")

/* The innermost packet, from IP on. */
static inline void put_hello(struct bytes *b, bool ipv6)
{
    if (ipv6)
        put_ipv6(b, (uint16_t)(8 + HELLO.n), 17);
    else
        put_ipv4(b, (uint16_t)(28 + HELLO.n), 0x1234, 0, 17);
    put_udp(b, HELLO, (uint16_t)(8 + HELLO.n));
}

static inline struct bytes wrap(layer *const *layers, struct bytes in)
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

#endif

/* Writes captures of Ethernet frames with IPv4, UDP and TCP. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETHERNET = 14, IP = 20, UDP = 8, TCP = 20 };

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* What goes from one place to another; ports 0 are SIP's. */
struct packet {
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint64_t time_us;
    const void *payload;
    size_t n;
};

/* Ethernet and IPv4, for `rest` bytes of the protocol. */
static inline void link_headers(uint8_t h[ETHERNET + IP], const struct packet *p, uint8_t protocol,
                                size_t rest)
{
    static const uint8_t start[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0};
    memset(h, 0, ETHERNET + IP);
    memcpy(h, start, sizeof start);
    uint8_t *ip = h + ETHERNET;
    put16(ip + 2, (unsigned)rest + IP);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, p->from);
    put32(ip + 16, p->to);
    uint32_t sum = 0;
    for (int i = 0; i < IP; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static inline void write_record(FILE *f, const struct packet *p, const uint8_t *headers, size_t n)
{
    uint32_t length = (uint32_t)(n + p->n);
    uint32_t record[4] = {(uint32_t)(p->time_us / 1000000), (uint32_t)(p->time_us % 1000000),
                          length, length};
    fwrite(record, sizeof record, 1, f);
    fwrite(headers, n, 1, f);
    fwrite(p->payload, p->n, 1, f);
}

/* UDP without its checksum, which IPv4 allows. */
static inline void write_udp(FILE *f, const struct packet *p)
{
    uint8_t h[ETHERNET + IP + UDP] = {0}, *udp = h + ETHERNET + IP;
    link_headers(h, p, 17, UDP + p->n);
    put16(udp, p->from_port ? p->from_port : 5060);
    put16(udp + 2, p->to_port ? p->to_port : 5060);
    put16(udp + 4, (unsigned)p->n + UDP);
    write_record(f, p, h, sizeof h);
}

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

static inline void write_tcp(FILE *f, const struct packet *p, unsigned flags, uint32_t sequence,
                             uint32_t acknowledged)
{
    uint8_t h[ETHERNET + IP + TCP] = {0}, *tcp = h + ETHERNET + IP;
    link_headers(h, p, 6, TCP + p->n);
    put16(tcp, p->from_port ? p->from_port : 5060);
    put16(tcp + 2, p->to_port ? p->to_port : 5060);
    put32(tcp + 4, sequence);
    put32(tcp + 8, acknowledged);
    tcp[12] = TCP / 4 << 4;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 65535);
    write_record(f, p, h, sizeof h);
}

/* NULL, with a message on stderr, where the file can't be written. */
static inline FILE *capture_open(const char *path)
{
    static const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snap_length, link_type;
    } head = {0xa1b2c3d4, 2, 4, 0, 0, 262144, 1};
    FILE *f = fopen(path, "wb");
    if (f)
        fwrite(&head, sizeof head, 1, f);
    else
        perror(path);
    return f;
}

static inline bool capture_close(FILE *f, const char *path)
{
    bool done = fclose(f) == 0;
    if (!done)
        perror(path);
    return done;
}

#endif

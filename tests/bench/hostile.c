/* hostile KIND N FILE: captures that somebody made who wants a reader to run out of time or memory;
 * each costs its maker the same for every further packet, and must cost a reader no more.
 *
 *   half-open  N connections that never get beyond their SYN
 *   joined     N connections of which one segment is seen, with half a message
 *   headers    one message over TCP with N headers
 *   one-call   N messages of one Call-ID
 *   calls      N messages, each of a Call-ID of its own
 *   fragments  N first fragments, of datagrams that never come to their end
 *   reverse    one message in N segments, the last one first */
#include "frames.h"

static const char *const kinds[] = {"half-open", "joined",    "headers", "one-call",
                                    "calls",     "fragments", "reverse"};

enum { CLIENT = 0x0a000001, SERVER = 0x0a000002 };

static uint32_t client(uint32_t i)
{
    return CLIENT + 2 + i / 50000;
}

static uint16_t port(uint32_t i)
{
    return (uint16_t)(10000 + i % 50000);
}

static struct packet packet_of(uint32_t i, const char *payload, size_t n)
{
    return (struct packet){client(i), SERVER, port(i), 5060, 1795000000000000 + (uint64_t)i * 10,
                           payload,   n};
}

static size_t options(char *text, size_t room, uint32_t call, uint32_t number)
{
    return (size_t)snprintf(text, room,
                            "OPTIONS sip:a@10.0.0.2 SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%u.%u\r\n"
                            "From: <sip:a@10.0.0.1>;tag=%u\r\nTo: <sip:b@10.0.0.2>\r\n"
                            "Call-ID: %u@10.0.0.1\r\nCSeq: %u OPTIONS\r\n"
                            "Content-Length: 0\r\n\r\n",
                            call, number, call, call, number + 1);
}

static void write_fragment(FILE *f, uint32_t i)
{
    static const char part[64] = "OPTIONS sip:a@10.0.0.2 SIP/2.0\r\n";
    uint8_t h[ETHERNET + IP];
    struct packet p = packet_of(i, part, sizeof part);
    link_headers(h, &p, 17, p.n);
    put16(h + ETHERNET + 4, i & 0xffff);
    put16(h + ETHERNET + 6, 0x2000); /* more fragments follow */
    write_record(f, &p, h, sizeof h);
}

/* One stream of bytes, in segments of at most 1,400, forwards or backwards. */
static void write_stream(FILE *f, const char *bytes, size_t n, size_t step, bool backwards)
{
    struct packet p = packet_of(0, "", 0);
    size_t count = (n + step - 1) / step;
    write_tcp(f, &p, SYN, 0, 0);
    for (size_t i = 0; i < count; i++) {
        size_t at = (backwards ? count - 1 - i : i) * step;
        p.payload = bytes + at;
        p.n = n - at < step ? n - at : step;
        p.time_us += 10;
        write_tcp(f, &p, PSH | ACK, (uint32_t)(1 + at), 1);
    }
}

static void write_headers(FILE *f, uint32_t n)
{
    char *text = malloc(1000 + (size_t)n * 16);
    if (!text)
        abort();
    size_t used = options(text, 1000, 1, 1) - 2;
    for (uint32_t i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "X-H: %u\r\n", i);
    used += (size_t)sprintf(text + used, "\r\n");
    write_stream(f, text, used, 1400, false);
    free(text);
}

static void write_reverse(FILE *f, uint32_t n)
{
    char *text = malloc(1000 + (size_t)n * 8);
    if (!text)
        abort();
    size_t used = options(text, 1000, 1, 1) - 2;
    while (used < (size_t)n * 4)
        used += (size_t)sprintf(text + used, "X: y\r\n");
    used += (size_t)sprintf(text + used, "\r\n");
    write_stream(f, text, used, 4, true);
    free(text);
}

static void write_one(FILE *f, int kind, uint32_t i)
{
    char text[1000];
    struct packet p = packet_of(i, text, 0);
    switch (kind) {
    case 0:
        write_tcp(f, &p, SYN, i, 0);
        break;
    case 1:
        p.n = options(text, sizeof text, i, i) / 2;
        write_tcp(f, &p, PSH | ACK, i, 1);
        break;
    case 3:
        p.n = options(text, sizeof text, 1, i);
        write_udp(f, &p);
        break;
    case 4:
        p.n = options(text, sizeof text, i, 1);
        write_udp(f, &p);
        break;
    default:
        write_fragment(f, i);
    }
}

int main(int argc, char **argv)
{
    int kind = 0, count = sizeof kinds / sizeof *kinds;
    while (argc > 1 && kind < count && strcmp(kinds[kind], argv[1]) != 0)
        kind++;
    if (argc != 4 || kind == count) {
        fprintf(stderr, "usage: hostile KIND N FILE\n");
        return 2;
    }
    uint32_t n = (uint32_t)strtoul(argv[2], NULL, 10);
    FILE *f = capture_open(argv[3]);
    if (!f)
        return 2;
    if (kind == 2)
        write_headers(f, n);
    else if (kind == 6)
        write_reverse(f, n);
    else
        for (uint32_t i = 0; i < n; i++)
            write_one(f, kind, i);
    return capture_close(f, argv[3]) ? 0 : 2;
}

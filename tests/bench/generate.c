/* generate MESSAGES FILE [CONCURRENT]: writes a capture as tcpdump would take it on a proxy that
 * sees both sides of its calls; the same file each time.  A call is 14 messages of 650 bytes on
 * average. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 14, MAX_CONCURRENT = 10000, HEADERS = 14 + 20 + 8 };

enum {
    CARRIER = 0x0a000001,
    PROXY_OUTER = 0x0a00000a,
    PROXY_INNER = 0x0a00010a,
    LIVEKIT = 0x0a000114
};

struct call {
    uint64_t number;
    uint64_t due; /* microseconds since 1970 */
    unsigned step;
    uint32_t id[4]; /* what its Call-ID, tags and branches are made of */
};

struct text {
    char bytes[4000];
    size_t n;
};

/* What happens at each step: which side of the proxy, and in which direction, seen from the caller.
 */
// clang-format off
static const struct step {
    const char *method; /* of the request, or of the request answered */
    int status;
    uint32_t from, to;
    uint32_t delay_us; /* after the step before; about */
} steps[STEPS] = {
    {"INVITE", 0, CARRIER, PROXY_OUTER, 0},
    {"INVITE", 100, PROXY_OUTER, CARRIER, 300},
    {"INVITE", 0, PROXY_INNER, LIVEKIT, 400},
    {"INVITE", 100, LIVEKIT, PROXY_INNER, 1000},
    {"INVITE", 180, LIVEKIT, PROXY_INNER, 20000},
    {"INVITE", 180, PROXY_OUTER, CARRIER, 300},
    {"INVITE", 200, LIVEKIT, PROXY_INNER, 900000},
    {"INVITE", 200, PROXY_OUTER, CARRIER, 300},
    {"ACK", 0, CARRIER, PROXY_OUTER, 20000},
    {"ACK", 0, PROXY_INNER, LIVEKIT, 300},
    {"BYE", 0, LIVEKIT, PROXY_INNER, 30000000},
    {"BYE", 0, PROXY_OUTER, CARRIER, 300},
    {"BYE", 200, CARRIER, PROXY_OUTER, 20000},
    {"BYE", 200, PROXY_INNER, LIVEKIT, 300},
};
// clang-format on

/* xorshift64: the same everywhere, unlike rand(). */
static uint32_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 32);
}

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->n, sizeof t->bytes - t->n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof t->bytes - t->n)
        abort();
    t->n += (size_t)n;
}

static const char *host(uint32_t address)
{
    switch (address) {
    case CARRIER:
        return "10.0.0.1";
    case PROXY_OUTER:
        return "10.0.0.10";
    case PROXY_INNER:
        return "10.0.1.10";
    default:
        return "10.0.1.20";
    }
}

static void add_via(struct text *t, const struct call *c, const char *method, uint32_t sender)
{
    add(t, "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%08x%c%x\r\n", host(sender), c->id[3], method[0],
        sender & 0xfff);
}

/* The Vias that a message bears on its link: the sender's, and the proxy's above it beyond the
 * proxy. */
static void add_vias(struct text *t, const struct call *c, const struct step *s)
{
    bool bye = s->method[0] == 'B';
    bool inner = s->from == LIVEKIT || s->to == LIVEKIT;
    if (inner != bye)
        add_via(t, c, s->method, bye ? PROXY_OUTER : PROXY_INNER);
    add_via(t, c, s->method, bye ? LIVEKIT : CARRIER);
}

static void add_parties(struct text *t, const struct call *c, const struct step *s)
{
    bool bye = s->method[0] == 'B';
    bool tagged = s->method[0] != 'I' || s->status > 100;
    char caller[100], callee[100];
    snprintf(caller, sizeof caller, "<sip:+1415555%04u@10.0.0.1>;tag=%08x",
             (unsigned)(c->number % 10000), c->id[1]);
    snprintf(callee, sizeof callee, "<sip:+15105550100@10.0.0.10>%s%08x", ";tag=SCL_", c->id[2]);
    if (!tagged)
        *strchr(callee, ';') = '\0';
    add(t, "From: %s\r\nTo: %s\r\n", bye ? callee : caller, bye ? caller : callee);
    add(t, "Call-ID: %08x%08x-%llu@10.0.0.1\r\n", c->id[0], c->id[1],
        (unsigned long long)c->number);
    add(t, "CSeq: %d %s\r\n", bye ? 2 : 1, s->method);
}

static void add_application_headers(struct text *t, const struct call *c)
{
    add(t, "X-Five9-CallId: %08x%08x\r\n", c->id[2], c->id[0]);
    add(t, "X-Five9-Queue: %s\r\n", c->id[0] & 1 ? "Billing" : "Support");
    add(t, "X-Five9-Language: en-US\r\n");
    add(t, "X-Five9-Transfer-Reason: caller asked for a person, %u\r\n", c->id[3] % 100);
}

static void add_sdp(struct text *t, const struct call *c, const struct step *s)
{
    struct text sdp = {.n = 0};
    add(&sdp, "v=0\r\no=- %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", c->id[0], c->id[0],
        host(s->from), host(s->from));
    add(&sdp, "m=audio %u RTP/AVP 0 8 101\r\n", 10000 + c->id[1] % 20000 * 2);
    add(&sdp,
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n");
    add(&sdp, "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n");
    add(t, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n", sdp.n);
    add(t, "%.*s", (int)sdp.n, sdp.bytes);
}

static const char *reason(int status)
{
    return status == 100 ? "Trying" : status == 180 ? "Ringing" : "OK";
}

static void compose(struct text *t, const struct call *c, const struct step *s)
{
    bool first_hop = s->to == PROXY_OUTER || s->to == PROXY_INNER;
    bool invite = s->method[0] == 'I';
    t->n = 0;
    if (s->status)
        add(t, "SIP/2.0 %d %s\r\n", s->status, reason(s->status));
    else if (s->method[0] == 'B')
        add(t, "BYE sip:+1415555%04u@10.0.0.1:5060 SIP/2.0\r\n", (unsigned)(c->number % 10000));
    else
        add(t, "%s sip:+15105550100@%s:5060 SIP/2.0\r\n", s->method, host(s->to));
    add_vias(t, c, s);
    if (invite && s->status != 100 && !(first_hop && !s->status))
        add(t,
            "Record-Route: <sip:10.0.0.10;lr;r2=on>\r\nRecord-Route: <sip:10.0.1.10;lr;r2=on>\r\n");
    add_parties(t, c, s);
    if (!s->status)
        add(t, "Max-Forwards: %d\r\n", first_hop ? 70 : 69);
    if (!s->status && !invite && first_hop)
        add(t, "Route: <sip:10.0.0.10;lr;r2=on>\r\nRoute: <sip:10.0.1.10;lr;r2=on>\r\n");
    if (invite && s->status != 100)
        add(t, "Contact: <sip:%s@%s:5060;transport=udp>\r\n", s->status ? "livekit" : "carrier",
            s->status ? "10.0.1.20" : "10.0.0.1");
    add(t, "User-Agent: %s\r\n", s->from == LIVEKIT ? "LiveKit" : "Carrier SBC 7.2.1 build 4711");
    add(t, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY, UPDATE, INFO, PRACK, "
           "SUBSCRIBE, MESSAGE\r\n");
    add(t, "Supported: timer, replaces, 100rel\r\n");
    if (!s->status && s->method[0] != 'A')
        add_application_headers(t, c);
    if (invite && (!s->status || s->status == 200))
        add_sdp(t, c, s);
    else
        add(t, "Content-Length: 0\r\n\r\n");
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* Ethernet, IPv4 and UDP without its checksum, which IPv4 allows. */
static void frame_headers(uint8_t h[HEADERS], const struct step *s, size_t payload)
{
    static const uint8_t start[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0};
    memset(h, 0, HEADERS);
    memcpy(h, start, sizeof start);
    uint8_t *ip = h + 14, *udp = h + 34;
    put16(ip + 2, (unsigned)payload + 28);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = 17;
    put32(ip + 12, s->from);
    put32(ip + 16, s->to);
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
    put16(udp, 5060);
    put16(udp + 2, 5060);
    put16(udp + 4, (unsigned)payload + 8);
}

static void write_record(FILE *f, uint64_t time_us, const struct step *s, const struct text *t)
{
    uint8_t headers[HEADERS];
    frame_headers(headers, s, t->n);
    uint32_t length = (uint32_t)(HEADERS + t->n);
    uint32_t record[4] = {(uint32_t)(time_us / 1000000), (uint32_t)(time_us % 1000000), length,
                          length};
    fwrite(record, sizeof record, 1, f);
    fwrite(headers, sizeof headers, 1, f);
    fwrite(t->bytes, t->n, 1, f);
}

/* A place is used by one call after the other. */
static void start_call(struct call *c, uint64_t number, uint64_t due, uint64_t *seed)
{
    *c = (struct call){.number = number, .due = due};
    for (int i = 0; i < 4; i++)
        c->id[i] = draw(seed);
}

static struct call *next_due(struct call *calls, size_t n)
{
    struct call *first = calls;
    for (size_t i = 1; i < n; i++)
        if (calls[i].due < first->due)
            first = &calls[i];
    return first;
}

static void generate(FILE *f, uint64_t messages, size_t concurrent)
{
    static struct call calls[MAX_CONCURRENT];
    static struct text text;
    uint64_t seed = 20261121, started = 0, bytes = 0;
    for (size_t i = 0; i < concurrent; i++, started++)
        start_call(&calls[i], started, 1795000000000000 + i * 32000000 / concurrent, &seed);
    for (uint64_t i = 0; i < messages; i++) {
        struct call *c = next_due(calls, concurrent);
        const struct step *s = &steps[c->step++];
        compose(&text, c, s);
        write_record(f, c->due, s, &text);
        bytes += text.n;
        uint32_t delay = c->step < STEPS ? steps[c->step].delay_us : 1000000;
        c->due += delay / 2 + draw(&seed) % (delay + 1);
        if (c->step == STEPS)
            start_call(c, started++, c->due, &seed);
    }
    fprintf(stderr, "%llu messages, %llu bytes on average\n", (unsigned long long)messages,
            (unsigned long long)(messages ? bytes / messages : 0));
}

int main(int argc, char **argv)
{
    static const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snap_length, link_type;
    } file = {0xa1b2c3d4, 2, 4, 0, 0, 262144, 1};
    size_t concurrent = argc > 3 ? strtoul(argv[3], NULL, 10) : 200;
    if (argc < 3 || concurrent < 1 || concurrent > MAX_CONCURRENT) {
        fprintf(stderr, "usage: generate MESSAGES FILE [CONCURRENT]\n");
        return 2;
    }
    FILE *f = fopen(argv[2], "wb");
    if (!f) {
        perror(argv[2]);
        return 2;
    }
    fwrite(&file, sizeof file, 1, f);
    generate(f, strtoull(argv[1], NULL, 10), concurrent);
    if (fclose(f) != 0) {
        perror(argv[2]);
        return 2;
    }
    return 0;
}

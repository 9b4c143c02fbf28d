/* generate KIND PACKETS FILE [CONCURRENT]: writes a capture as tcpdump would take it on a proxy
 * that sees both sides of its calls; the same file each time.  A call is 14 messages of 650 bytes
 * on average.  KIND is udp: a packet is a message; tcp: a message is a segment of one of two
 * connections, and every second one is acknowledged by a packet that does not count; rtp: of ten
 * packets one is a message and nine are RTP of the calls going on. */
#include "frames.h"

#include <stdarg.h>

enum { STEPS = 14, MAX_CONCURRENT = 10000 };

enum kind { KIND_UDP, KIND_TCP, KIND_RTP };

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

/* How far each end of a connection has written; the proxy opens them. */
struct connection {
    uint32_t proxy, other;
    uint32_t written[2]; /* by the proxy, by the other */
    bool open;
    unsigned unacknowledged;
};

static void write_on(FILE *f, struct connection *c, const struct packet *p, unsigned flags)
{
    bool other = p->from == c->other;
    struct packet q = *p;
    q.from_port = other ? 0 : 40000;
    q.to_port = other ? 40000 : 0;
    write_tcp(f, &q, flags, c->written[other], flags & ACK ? c->written[!other] : 0);
    c->written[other] += (uint32_t)p->n + ((flags & (SYN | FIN)) != 0);
}

static void write_segment(FILE *f, struct connection *c, const struct packet *p)
{
    struct packet there = {.from = c->proxy, .to = c->other, .time_us = p->time_us, .payload = ""};
    struct packet back = {.from = p->to, .to = p->from, .time_us = p->time_us, .payload = ""};
    if (!c->open) {
        struct packet answer = {c->other, c->proxy, 0, 0, p->time_us, "", 0};
        write_on(f, c, &there, SYN);
        write_on(f, c, &answer, SYN | ACK);
        write_on(f, c, &there, ACK);
        c->open = true;
    }
    write_on(f, c, p, PSH | ACK);
    if (++c->unacknowledged % 2 == 0)
        write_on(f, c, &back, ACK);
}

/* G.711, 20 ms, of the call in this place. */
static void write_rtp(FILE *f, uint64_t time_us, uint64_t number, size_t place)
{
    uint8_t rtp[12 + 160] = {0x80, 0};
    put16(rtp + 2, (unsigned)number & 0xffff);
    put32(rtp + 4, (uint32_t)number * 160);
    put32(rtp + 8, (uint32_t)place);
    memset(rtp + 12, (int)number | 1, 160);
    uint16_t port = (uint16_t)(10000 + 2 * (place % 20000));
    struct packet p = {CARRIER, PROXY_OUTER, port, port, time_us, rtp, sizeof rtp};
    write_udp(f, &p);
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

static void write_message(FILE *f, enum kind kind, const struct packet *p)
{
    static struct connection connections[] = {
        {PROXY_OUTER, CARRIER, {0xfffff000, 7}, false, 0},
        {PROXY_INNER, LIVEKIT, {1000, 2000}, false, 0},
    };
    if (kind == KIND_TCP)
        write_segment(f, &connections[p->from == LIVEKIT || p->to == LIVEKIT], p);
    else
        write_udp(f, p);
}

static void generate(FILE *f, enum kind kind, uint64_t packets, size_t concurrent)
{
    static struct call calls[MAX_CONCURRENT];
    static struct text text;
    uint64_t seed = 20261121, started = 0, bytes = 0, messages = 0, now = 0;
    for (size_t i = 0; i < concurrent; i++, started++)
        start_call(&calls[i], started, 1795000000000000 + i * 32000000 / concurrent, &seed);
    for (uint64_t i = 0; i < packets; i++) {
        if (kind == KIND_RTP && i % 10) {
            write_rtp(f, now, i, i % concurrent);
            continue;
        }
        struct call *c = next_due(calls, concurrent);
        now = c->due;
        const struct step *s = &steps[c->step++];
        compose(&text, c, s);
        write_message(f, kind, &(struct packet){s->from, s->to, 0, 0, c->due, text.bytes, text.n});
        bytes += text.n;
        messages++;
        uint32_t delay = c->step < STEPS ? steps[c->step].delay_us : 1000000;
        c->due += delay / 2 + draw(&seed) % (delay + 1);
        if (c->step == STEPS)
            start_call(c, started++, c->due, &seed);
    }
    fprintf(stderr, "%llu messages, %llu bytes on average\n", (unsigned long long)messages,
            (unsigned long long)(messages ? bytes / messages : 0));
}

static bool kind_of(const char *name, enum kind *kind)
{
    static const char *const names[] = {"udp", "tcp", "rtp"};
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0) {
            *kind = (enum kind)i;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    enum kind kind;
    size_t concurrent = argc > 4 ? strtoul(argv[4], NULL, 10) : 200;
    if (argc < 4 || concurrent < 1 || concurrent > MAX_CONCURRENT || !kind_of(argv[1], &kind)) {
        fprintf(stderr, "usage: generate udp|tcp|rtp PACKETS FILE [CONCURRENT]\n");
        return 2;
    }
    FILE *f = capture_open(argv[3]);
    if (!f)
        return 2;
    generate(f, kind, strtoull(argv[2], NULL, 10), concurrent);
    return capture_close(f, argv[3]) ? 0 : 2;
}

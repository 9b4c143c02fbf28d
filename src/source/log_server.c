/* The formats in which SIP servers print messages. */
#include "source/log.h"

/* A name such as "UDP:" before an address. */
static void take_transport(struct slice *text, struct log_record *r)
{
    size_t colon = slice_find(*text, ':');
    if (colon < text->n && log_transport(slice_first(*text, colon), &r->message)) {
        r->transport_known = true;
        *text = slice_from(*text, colon + 1);
    }
}

static enum log_step with_peer(struct log_record *r, bool received, struct slice peer)
{
    r->direction = received ? SOURCE_IN : SOURCE_OUT;
    take_transport(&peer, r);
    return log_endpoint(peer, received ? &r->message.src : &r->message.dst) ? LOG_BEGINS : LOG_NO;
}

/* Up to the mark's end, such as " --->". */
static bool take_before(struct slice *text, const char *end, struct slice *out)
{
    *out = *text;
    if (!log_take_until(text, end))
        return false;
    out->n -= text->n + strlen(end);
    return true;
}

/* ---- Asterisk, res_pjsip: <--- Received SIP request (876 bytes) from UDP:10.0.0.1:5060 ---> */

static enum log_step pjsip_head(struct log_clock *c, unsigned number, struct slice line,
                                struct log_record *r)
{
    struct slice rest = line, peer;
    uint64_t count;
    (void)number;
    if (!log_take_until(&rest, "<--- "))
        return LOG_NO;
    bool received = log_take(&rest, "Received SIP ");
    if (!received && !log_take(&rest, "Transmitting SIP "))
        return LOG_NO;
    if ((!log_take(&rest, "request (") && !log_take(&rest, "response (")) ||
        !log_take_number(&rest, 0, &count) || !log_take(&rest, " bytes) ") ||
        !log_take(&rest, received ? "from " : "to ") || !take_before(&rest, " --->", &peer))
        return LOG_NO;
    r->count = count;
    (void)log_line_time(c, line, &r->time_ns);
    return with_peer(r, received, peer);
}

/* ---- Asterisk, chan_sip: <--- SIP read from UDP:10.0.0.1:5060 ---> and others ------------------
 */

static size_t chan_sip_end(struct slice line)
{
    return slice_is(line, "---") || slice_starts(line, SLICE("<-----------")) ? 0 : LOG_GOES_ON;
}

/* [Reliably ]Transmitting (no NAT) to 10.0.0.1:5060, Retransmitting #1 (NAT) to ... */
static bool take_sent(struct slice *rest)
{
    return log_take_until(rest, "ransmitting ") && log_take_until(rest, ") to ");
}

static enum log_step chan_sip_head(struct log_clock *c, unsigned number, struct slice line,
                                   struct log_record *r)
{
    struct slice rest = line, peer;
    (void)number;
    bool marked = log_take_until(&rest, "<--- ");
    bool received = marked && log_take(&rest, "SIP read from ");
    if (!received && !take_sent(&rest))
        return LOG_NO;
    if (marked ? !take_before(&rest, " --->", &peer) : rest.n < 2 || rest.p[rest.n - 1] != ':')
        return LOG_NO;
    if (!marked)
        peer = slice_first(rest, rest.n - 1);
    (void)log_line_time(c, line, &r->time_ns);
    r->end = chan_sip_end;
    return with_peer(r, received, peer);
}

/* ---- sofia-sip (FreeSWITCH): recv 876 bytes from udp/[10.0.0.1]:5060 at 19:40:01.123456: -------
 */

#define RULE   "----------------------------------------"
#define MARGIN "   "

static size_t sofia_end(struct slice line)
{
    struct slice rest = line;
    return log_take_until(&rest, RULE) ? 0 : LOG_GOES_ON;
}

/* Between two rules, which stand as far right as the message: three spaces from sofia-sip itself,
 * none from FreeSWITCH.  Without rules where drachtio prints it. */
static enum log_step sofia_rule(struct slice line, struct log_record *r)
{
    struct slice rest = line;
    if (log_is_start(line))
        return LOG_IS;
    if (!log_take_until(&rest, RULE))
        return LOG_NO;
    struct slice before = slice_first(line, line.n - rest.n - strlen(RULE));
    bool spaces = before.n >= strlen(MARGIN) &&
                  slice_is(slice_from(before, before.n - strlen(MARGIN)), MARGIN);
    r->margin = spaces ? strlen(MARGIN) : 0;
    r->indent = before.n - r->margin;
    r->shape = LOG_INDENTED;
    r->end = sofia_end;
    return LOG_BEGINS;
}

/* udp/[10.0.0.1]:5060, with what IPv6 flow labels and compression add */
static bool sofia_peer(struct slice text, struct log_record *r)
{
    size_t slash = slice_find(text, '/');
    struct slice peer = slice_from(text, slash + 1);
    r->transport_known = log_transport(slice_first(text, slash), &r->message);
    peer = slice_first(peer, slice_find(peer, '/'));
    peer = slice_first(peer, slice_find(peer, ';'));
    return log_endpoint(peer, r->direction == SOURCE_IN ? &r->message.src : &r->message.dst);
}

/* "recv 876": what stands before " bytes from " */
static bool sofia_count(struct slice before, struct log_record *r)
{
    size_t at = before.n;
    uint64_t count;
    while (at > 0 && before.p[at - 1] >= '0' && before.p[at - 1] <= '9')
        at--;
    struct slice digits = slice_from(before, at), word = slice_first(before, at);
    if (at < 5 || !log_take_number(&digits, 0, &count))
        return false;
    word = slice_from(word, at - 5);
    r->count = count;
    r->direction = slice_is(word, "recv ") ? SOURCE_IN : SOURCE_OUT;
    return r->direction == SOURCE_IN || slice_is(word, "send ") || slice_is(word, "sent ");
}

static enum log_step sofia_head(struct log_clock *c, unsigned number, struct slice line,
                                struct log_record *r)
{
    struct slice rest = line, before, peer;
    if (number > 0)
        return sofia_rule(line, r);
    if (!take_before(&rest, " bytes ", &before) || !sofia_count(before, r) ||
        !log_take(&rest, r->direction == SOURCE_IN ? "from " : "to ") ||
        !take_before(&rest, " at ", &peer) || !sofia_peer(peer, r))
        return LOG_NO;
    (void)log_line_time(c, line, &r->time_ns);
    if (!log_take_time(c, &rest, &r->time_ns) && !log_take_time_of_day(c, &rest, &r->time_ns))
        return LOG_NO;
    return LOG_MORE;
}

/* ---- Kamailio, sipdump ---------------------------------------------------------------------- */

#define EQUALS "===================="
#define TILDES "~~~~~~~~~~~~~~~~~~~~"
#define BARS   "||||||||||||||||||||"

/* 1795307827.812561 */
static void sipdump_time(struct slice value, struct log_record *r)
{
    uint64_t seconds, micro;
    if (log_take_number(&value, 0, &seconds) && seconds < INT64_MAX / 1000000000 &&
        log_take(&value, ".") && log_take_number(&value, 6, &micro))
        r->time_ns = (int64_t)seconds * 1000000000 + (int64_t)micro * 1000;
}

/* Where it does not know the address, kamailio writes 0.0.0.0 or ::2, and port 0. */
static void sipdump_port(struct endpoint *e, struct slice value)
{
    uint32_t port;
    if (slice_to_u32(value, &port) && port && port <= UINT16_MAX)
        e->port = (uint16_t)port;
    else
        *e = (struct endpoint){.port = 0};
}

static void sipdump_field(struct slice name, struct slice value, struct log_record *r)
{
    struct source_message *m = &r->message;
    if (slice_is(name, "tag"))
        r->direction = slice_is(value, "rcv")   ? SOURCE_IN
                       : slice_is(value, "snd") ? SOURCE_OUT
                                                : SOURCE_UNKNOWN;
    else if (slice_is(name, "time"))
        sipdump_time(value, r);
    else if (slice_is(name, "proto"))
        r->transport_known = log_transport(slice_first(value, slice_find(value, ' ')), m);
    else if (slice_is(name, "srcip"))
        (void)address_parse(value, &m->src.ip);
    else if (slice_is(name, "dstip"))
        (void)address_parse(value, &m->dst.ip);
    else if (slice_is(name, "srcport"))
        sipdump_port(&m->src, value);
    else if (slice_is(name, "dstport"))
        sipdump_port(&m->dst, value);
}

/* The bars follow the message at once, on its last line where that has no end. */
static size_t sipdump_end(struct slice line)
{
    size_t n = strlen(BARS);
    return line.n >= n && slice_is(slice_from(line, line.n - n), BARS) ? line.n - n : LOG_GOES_ON;
}

static enum log_step sipdump_head(struct log_clock *c, unsigned number, struct slice line,
                                  struct log_record *r)
{
    (void)c;
    if (number == 0)
        return slice_is(line, EQUALS) ? LOG_MORE : LOG_NO;
    r->end = sipdump_end;
    if (slice_is(line, TILDES))
        return LOG_BEGINS;
    size_t colon = slice_find(line, ':');
    if (colon == line.n || number > 32)
        return LOG_NO;
    sipdump_field(slice_first(line, colon), slice_trim(slice_from(line, colon + 1)), r);
    return LOG_MORE;
}

const struct log_format log_server_formats[] = {
    {"Asterisk", pjsip_head},
    {"Asterisk chan_sip", chan_sip_head},
    {"sofia-sip", sofia_head},
    {"Kamailio sipdump", sipdump_head},
    {NULL, NULL},
};

/* Reads SDP (RFC 8866) and finds it in bodies of one or several parts (RFC 2046 5.1). */
#include "sip/sdp.h"

#include <string.h>

#define MIME_SDP   "application/sdp"
#define MIME_PARTS "multipart/"

/* ---- where it is ----------------------------------------------------------------------------- */

/* The next line, without its end. */
static bool take_line(struct slice *rest, struct slice *line)
{
    if (rest->n == 0)
        return false;
    size_t n = slice_find(*rest, '\n');
    *line = slice_first(*rest, n);
    *rest = slice_from(*rest, n + 1);
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool is_type(struct slice type, struct slice wanted)
{
    type = slice_trim(type);
    return slice_starts_nocase(type, wanted) &&
           (type.n == wanted.n || type.p[wanted.n] == ';' || type.p[wanted.n] == ' ' ||
            type.p[wanted.n] == '\t');
}

/* The headers of a part, up to its empty line: do they say that it is SDP? */
static bool part_is_sdp(struct slice *rest)
{
    struct slice line;
    bool found = false;
    while (take_line(rest, &line) && line.n) {
        size_t colon = slice_find(line, ':');
        struct slice name = slice_trim(slice_first(line, colon));
        if (slice_equal_nocase(name, SLICE("Content-Type")) || slice_equal_nocase(name, SLICE("c")))
            found = is_type(slice_from(line, colon + 1), SLICE(MIME_SDP));
    }
    return found;
}

static bool is_boundary(struct slice line, struct slice boundary)
{
    return line.n >= boundary.n + 2 && line.p[0] == '-' && line.p[1] == '-' &&
           slice_starts(slice_from(line, 2), boundary);
}

/* The part ends before the line that is the next boundary. */
static struct slice part_until(struct slice rest, struct slice boundary)
{
    const char *begin = rest.p;
    struct slice line;
    size_t n = 0;
    while (take_line(&rest, &line) && !is_boundary(line, boundary))
        n = rest.n ? (size_t)(rest.p - begin) : (size_t)(line.p + line.n - begin);
    return (struct slice){begin, n};
}

static struct slice find_part(struct slice body, struct slice boundary)
{
    struct slice line;
    while (take_line(&body, &line)) {
        if (!is_boundary(line, boundary))
            continue;
        if (part_is_sdp(&body))
            return part_until(body, boundary);
    }
    return SLICE_NONE;
}

static struct slice unquoted(struct slice s)
{
    s = slice_trim(s);
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return (struct slice){s.p + 1, s.n - 2};
    return s;
}

struct slice sip_sdp_of(const struct sip_message *m)
{
    const struct sip_header *type = sip_header_first(m, SIP_HEADER_CONTENT_TYPE);
    struct slice boundary;
    if (!type || m->body.n == 0)
        return SLICE_NONE;
    if (is_type(type->value, SLICE(MIME_SDP)))
        return m->body;
    if (!slice_starts_nocase(type->value, SLICE(MIME_PARTS)) ||
        !sip_param(type->value, SLICE("boundary"), &boundary))
        return SLICE_NONE;
    boundary = unquoted(boundary);
    return boundary.n ? find_part(m->body, boundary) : SLICE_NONE;
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* What RFC 3551 6 gives to payload types without a=rtpmap. */
static const struct known {
    const char *name;
    uint32_t rate;
    uint8_t payload_type;
} known[] = {
    {"PCMU/8000", 8000, 0},    {"GSM/8000", 8000, 3},     {"G723/8000", 8000, 4},
    {"DVI4/8000", 8000, 5},    {"DVI4/16000", 16000, 6},  {"LPC/8000", 8000, 7},
    {"PCMA/8000", 8000, 8},    {"G722/8000", 8000, 9},    {"L16/44100/2", 44100, 10},
    {"L16/44100", 44100, 11},  {"QCELP/8000", 8000, 12},  {"CN/8000", 8000, 13},
    {"MPA/90000", 90000, 14},  {"G728/8000", 8000, 15},   {"DVI4/11025", 11025, 16},
    {"DVI4/22050", 22050, 17}, {"G729/8000", 8000, 18},   {"CelB/90000", 90000, 25},
    {"JPEG/90000", 90000, 26}, {"nv/90000", 90000, 28},   {"H261/90000", 90000, 31},
    {"MPV/90000", 90000, 32},  {"MP2T/90000", 90000, 33}, {"H263/90000", 90000, 34},
};

struct reader {
    struct arena *a;
    struct sip_media *media; /* SIP_SDP_MEDIA_MAX of them */
    size_t n, left_out;
    struct slice host; /* of the session, where a media has none of its own */
    enum sip_media_direction direction;
    bool beyond; /* lines belong to a media that is left out */
};

/* The next word of a line. */
static struct slice word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    struct slice w = slice_first(*rest, slice_find(*rest, ' '));
    *rest = slice_from(*rest, w.n);
    return w;
}

static struct sip_codec codec_of(struct slice format)
{
    uint32_t n;
    struct sip_codec c = {0};
    if (!slice_to_u32(format, &n) || n > 127)
        return (struct sip_codec){.payload_type = UINT8_MAX};
    c.payload_type = (uint8_t)n;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].payload_type == n) {
            c.name = slice_of(known[i].name);
            c.rate = known[i].rate;
        }
    return c;
}

static void read_formats(struct reader *r, struct sip_media *m, struct slice rest)
{
    struct sip_codec *codecs = ARENA_ARRAY(r->a, struct sip_codec, SIP_SDP_CODECS_MAX);
    struct slice format;
    while (m->codec_count < SIP_SDP_CODECS_MAX && (format = word(&rest)).n) {
        codecs[m->codec_count] = codec_of(format);
        m->codec_count += codecs[m->codec_count].payload_type != UINT8_MAX;
    }
    m->codecs = codecs;
}

/* m=audio 49170/2 RTP/AVP 0 8 */
static void read_media(struct reader *r, struct slice rest)
{
    r->beyond = r->n == SIP_SDP_MEDIA_MAX;
    if (r->beyond) {
        r->left_out++;
        return;
    }
    struct sip_media *m = &r->media[r->n++];
    *m = (struct sip_media){.host = r->host, .direction = r->direction};
    m->kind = word(&rest);
    struct slice port = word(&rest);
    uint32_t number;
    if (slice_to_u32(slice_first(port, slice_find(port, '/')), &number) && number <= UINT16_MAX)
        m->rtp.port = (uint16_t)number;
    m->protocol = word(&rest);
    m->is_rtp = slice_starts_nocase(m->protocol, SLICE("RTP/")) ||
                slice_starts_nocase(m->protocol, SLICE("UDP/TLS/RTP/"));
    if (m->is_rtp)
        read_formats(r, m, rest);
}

/* c=IN IP4 10.0.0.1/127 */
static struct slice host_of(struct slice rest)
{
    word(&rest);
    word(&rest);
    struct slice host = word(&rest);
    return slice_first(host, slice_find(host, '/'));
}

/* a=rtpmap:96 opus/48000/2 */
static void read_rtpmap(struct sip_media *m, struct slice rest)
{
    uint32_t type;
    if (!slice_to_u32(word(&rest), &type))
        return;
    struct slice name = slice_trim(rest);
    struct slice rate = slice_from(name, slice_find(name, '/') + 1);
    for (size_t i = 0; i < m->codec_count; i++) {
        struct sip_codec *c = (struct sip_codec *)(uintptr_t)&m->codecs[i];
        if (c->payload_type != type)
            continue;
        c->name = name;
        c->rate = 0;
        slice_to_u32(slice_first(rate, slice_find(rate, '/')), &c->rate);
    }
}

/* a=rtcp:53020 IN IP4 126.16.64.4 (RFC 3605) */
static void read_rtcp(struct sip_media *m, struct slice rest)
{
    uint32_t port;
    if (!slice_to_u32(word(&rest), &port) || port > UINT16_MAX)
        return;
    m->rtcp.port = (uint16_t)port;
    struct slice host = host_of(rest);
    if (host.n)
        address_parse(host, &m->rtcp.ip);
}

const char *sip_media_direction_name(enum sip_media_direction d)
{
    static const char *const names[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
    return names[d];
}

static void read_attribute(struct reader *r, struct slice line)
{
    struct sip_media *m = r->n ? &r->media[r->n - 1] : NULL;
    enum sip_media_direction *direction = m ? &m->direction : &r->direction;
    struct slice value = slice_from(line, slice_find(line, ':') + 1);
    for (enum sip_media_direction d = SIP_SENDRECV; d <= SIP_INACTIVE; d++)
        if (slice_is(slice_trim(line), sip_media_direction_name(d)))
            *direction = d;
    if (m && slice_starts(line, SLICE("rtpmap:")))
        read_rtpmap(m, value);
    else if (m && slice_starts(line, SLICE("rtcp:")))
        read_rtcp(m, value);
    else if (m && slice_is(slice_trim(line), "rtcp-mux"))
        m->rtcp.port = m->rtp.port;
}

static void read_line(struct reader *r, struct slice line)
{
    struct slice value = slice_from(line, 2);
    if (line.n < 2 || line.p[1] != '=' || (r->beyond && line.p[0] != 'm'))
        return;
    if (line.p[0] == 'm')
        read_media(r, value);
    else if (line.p[0] == 'c' && r->n)
        r->media[r->n - 1].host = host_of(value);
    else if (line.p[0] == 'c')
        r->host = host_of(value);
    else if (line.p[0] == 'a')
        read_attribute(r, value);
}

/* What all its lines together say. */
static void settle(struct sip_media *m)
{
    static const uint8_t zero[16];
    address_parse(m->host, &m->rtp.ip);
    if (m->is_rtp && m->rtp.port && m->rtcp.port == 0)
        m->rtcp.port = m->rtp.port < UINT16_MAX ? m->rtp.port + 1 : 0;
    if (m->rtcp.ip.family == 0)
        m->rtcp.ip = m->rtp.ip;
    m->hold = m->direction == SIP_SENDONLY || m->direction == SIP_INACTIVE ||
              (m->rtp.ip.family == 4 && memcmp(m->rtp.ip.bytes, zero, 4) == 0);
}

size_t sip_sdp_media(struct arena *a, struct slice sdp, const struct sip_media **out,
                     size_t *left_out)
{
    struct reader r = {.a = a, .media = ARENA_ARRAY(a, struct sip_media, SIP_SDP_MEDIA_MAX)};
    struct slice line;
    while (take_line(&sdp, &line))
        read_line(&r, line);
    for (size_t i = 0; i < r.n; i++)
        settle(&r.media[i]);
    *out = r.media;
    if (left_out)
        *left_out = r.left_out;
    return r.n;
}

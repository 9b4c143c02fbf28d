/* Where a URI leads: transport, host and port, and the address of a host's name. */
#include "probe/internal.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

/* What follows the user part, its headers left out. */
static struct slice after_user(struct slice uri)
{
    struct slice rest = slice_from(uri, slice_find(uri, ':') + 1);
    size_t at = slice_find(rest, '@');
    if (at < rest.n)
        rest = slice_from(rest, at + 1);
    return slice_first(rest, slice_find(rest, '?'));
}

bool uri_param(struct slice uri, struct slice name, struct slice *out)
{
    return sip_param(after_user(uri), name, out);
}

struct slice uri_of(struct slice value)
{
    bool quoted = false;
    for (size_t i = 0; i < value.n; i++) {
        quoted ^= value.p[i] == '"' && (i == 0 || value.p[i - 1] != '\\');
        if (value.p[i] == '<' && !quoted) {
            struct slice inside = slice_from(value, i + 1);
            return slice_trim(slice_first(inside, slice_find(inside, '>')));
        }
    }
    /* addr-spec: what follows a semicolon is the header's (RFC 3261 20.10) */
    return slice_trim(slice_first(value, slice_find(value, ';')));
}

static bool read_transport(struct slice name, enum probe_transport *out)
{
    static const char *const names[] = {"udp", "tcp", "tls"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_nocase(name, slice_of(names[i]))) {
            *out = (enum probe_transport)i;
            return true;
        }
    return false;
}

bool uri_hop(struct arena *a, struct slice uri, struct hop *out)
{
    struct sip_address address;
    struct slice transport, maddr;
    if (!sip_uri_parse(a, uri, &address) || !address.host.n)
        return false;
    bool sips = slice_equal_nocase(address.scheme, SLICE("sips"));
    if (!sips && !slice_equal_nocase(address.scheme, SLICE("sip")))
        return false;
    *out = (struct hop){PROBE_UDP, address.host, address.port};
    if (uri_param(uri, SLICE("transport"), &transport) &&
        !read_transport(transport, &out->transport))
        return false;
    if (sips)
        out->transport = PROBE_TLS;
    if (uri_param(uri, SLICE("maddr"), &maddr) && maddr.n)
        out->host = maddr;
    if (!out->port)
        out->port = out->transport == PROBE_TLS ? 5061 : 5060;
    return true;
}

bool hop_read(struct slice text, uint16_t port, struct hop *out)
{
    struct slice host = text, rest = SLICE("");
    uint32_t number = port;
    if (text.n && text.p[0] == '[') {
        size_t close = slice_find(text, ']');
        host = slice_from(slice_first(text, close), 1);
        rest = slice_from(text, close + 1);
    } else {
        size_t colon = slice_find(text, ':');
        /* a bare IPv6 address has more than one */
        if (slice_find(slice_from(text, colon + 1), ':') == text.n - colon - 1 || colon == text.n) {
            host = slice_first(text, colon);
            rest = slice_from(text, colon);
        }
    }
    if (rest.n && (rest.p[0] != ':' || !slice_to_u32(slice_from(rest, 1), &number)))
        return false;
    out->host = host;
    out->port = (uint16_t)number;
    return host.n && number <= UINT16_MAX;
}

static bool read_result(const struct addrinfo *list, uint8_t family, struct address *out)
{
    for (; list; list = list->ai_next) {
        if (list->ai_family == AF_INET && family != 6) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)list->ai_addr;
            *out = address_of(4, (const uint8_t *)&in->sin_addr);
            return true;
        }
        if (list->ai_family == AF_INET6 && family != 4) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)list->ai_addr;
            *out = address_of(6, (const uint8_t *)&in->sin6_addr);
            return true;
        }
    }
    return false;
}

/* What the resolver gets, in one piece: where it does not answer in time it goes on using it, and
 * so that is never freed. */
struct question {
    struct gaicb ask;
    struct addrinfo hints;
    char name[256];
};

static bool resolve_name(struct slice host, uint8_t family, struct address *out)
{
    struct question *q = base_alloc(sizeof *q);
    struct gaicb *list[] = {&q->ask};
    struct timespec limit = {RESOLVE_MS / 1000, RESOLVE_MS % 1000 * 1000000L};
    bool found = false;
    if (host.n >= sizeof q->name || memchr(host.p, '\0', host.n)) {
        free(q);
        return false;
    }
    memcpy(q->name, host.p, host.n);
    q->hints = (struct addrinfo){
        .ai_family = family == 4   ? AF_INET
                     : family == 6 ? AF_INET6
                                   : AF_UNSPEC,
        .ai_socktype = SOCK_DGRAM,
    };
    q->ask = (struct gaicb){.ar_name = q->name, .ar_request = &q->hints};
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
        free(q);
        return false;
    }
    (void)gai_suspend((const struct gaicb *const *)list, 1, &limit);
    int error = gai_error(&q->ask);
    if (error == EAI_INPROGRESS && gai_cancel(&q->ask) != EAI_CANCELED)
        return false;
    if (error == 0) {
        found = read_result(q->ask.ar_result, family, out);
        freeaddrinfo(q->ask.ar_result);
    }
    free(q);
    return found;
}

bool hop_resolve(const struct hop *hop, uint8_t family, struct endpoint *out)
{
    struct address ip;
    if (address_parse(hop->host, &ip)) {
        if (family && ip.family != family)
            return false;
    } else if (!resolve_name(hop->host, family, &ip)) {
        return false;
    }
    *out = (struct endpoint){ip, hop->port};
    return true;
}

/* Where HEP goes to and comes in: udp:HOST:PORT, tcp:[::1]:9060. */
#include "source/hep.h"
#include "source/internal.h"

#include <netdb.h>
#include <stdio.h>

struct parts {
    bool tcp;
    char host[256], port[8];
};

static bool fail_form(const char *what, bool listen, struct err *err)
{
    return err_set(err, "%s: it has to be %s, an IPv6 address in brackets", what,
                   listen ? "hep:udp:ADDR:PORT or hep:tcp:ADDR:PORT"
                          : "udp:HOST:PORT or tcp:HOST:PORT");
}

static bool copy_part(struct slice from, char *to, size_t size)
{
    if (from.n >= size)
        return false;
    if (from.n)
        memcpy(to, from.p, from.n);
    to[from.n] = '\0';
    return true;
}

static bool split(const char *where, struct parts *out)
{
    struct slice s = slice_of(where);
    out->tcp = slice_starts(s, SLICE("tcp:"));
    if (!out->tcp && !slice_starts(s, SLICE("udp:")))
        return false;
    s = slice_from(s, 4);
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    struct slice host = slice_first(s, colon - 1), port = slice_from(s, colon);
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    uint32_t number;
    if (bracketed)
        host = slice_first(slice_from(host, 1), host.n - 2);
    else if (slice_find(host, ':') < host.n)
        return false;
    return slice_to_u32(port, &number) && number > 0 && number <= UINT16_MAX &&
           copy_part(host, out->host, sizeof out->host) &&
           copy_part(port, out->port, sizeof out->port);
}

bool source_hep_address_read(struct source_hep_address *a, const char *what, const char *where,
                             bool listen, struct err *err)
{
    struct parts p = {0};
    struct addrinfo *found = NULL;
    if (!split(where, &p) || (!listen && !p.host[0]))
        return fail_form(what, listen, err);
    const struct addrinfo wanted = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = p.tcp ? SOCK_STREAM : SOCK_DGRAM,
        .ai_flags = AI_NUMERICSERV | (listen ? AI_PASSIVE : 0),
    };
    int why = getaddrinfo(p.host[0] ? p.host : NULL, p.port, &wanted, &found);
    if (why)
        return err_set(err, "%s: %s: %s", what, p.host, gai_strerror(why));
    snprintf(a->label, sizeof a->label, "%s", where);
    a->tcp = p.tcp;
    a->size = found->ai_addrlen;
    memcpy(&a->address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

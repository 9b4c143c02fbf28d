/* Typed header values by libosip2's parser: the only file that knows it.  It gets one value at a
 * time, unfolded and NUL-terminated, and what it finds is copied to the arena.  Its refusals are
 * ours, with a second try where it is stricter than what is seen on the wire. */
#include "sip/internal.h"

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <stdarg.h>

/* Longer values are refused: no address or Via is near that, and libosip2 goes over them several
 * times. */
#define VALUE_MAX 8192u

/* Values of one message that are looked at: Vias cost about 100 bytes on the wire, so that a
 * message of one datagram hardly has more. */
#define VALUES_MAX 1024u

static void trace_nothing(const char *file, int line, osip_trace_level_t level, const char *format,
                          va_list args)
{
    (void)file, (void)line, (void)level, (void)format, (void)args;
}

void sip_typed_init(void)
{
    osip_trace_initialize_func(END_TRACE_LEVEL, trace_nothing);
}

/* The value as libosip2 wants it: NUL-terminated, on one line, no TAB where it looks for SP only.
 * NULL for what it must not see. */
static char *osip_input(struct arena *a, struct slice value)
{
    value = slice_trim(value);
    if (!value.n || value.n > VALUE_MAX || memchr(value.p, '\0', value.n))
        return NULL;
    char *copy = (char *)arena_copy(a, value).p;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
            copy[i] = ' ';
    return copy;
}

/* The same of a URI.  %00, which would end the text that libosip2 makes of it, stays as it is
 * written. */
static const char *osip_input_uri(struct arena *a, struct slice value)
{
    const char *text = osip_input(a, value), *nul = text ? strstr(text, "%00") : NULL;
    struct text out = {0};
    if (!nul)
        return text;
    for (; nul; text = nul + 1, nul = strstr(text, "%00"))
        text_printf(&out, "%.*s%%25", (int)(nul - text), text);
    text_add(&out, slice_of(text));
    text = arena_copy(a, text_slice(&out)).p;
    text_free(&out);
    return text;
}

static struct slice kept(struct arena *a, struct slice s)
{
    return s.n ? arena_copy(a, s) : (struct slice){"", 0};
}

static bool read_port(const char *text, uint16_t *port)
{
    uint32_t number = 0;
    if (text && (!slice_to_u32(slice_trim(slice_of(text)), &number) || number > UINT16_MAX))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* Without brackets; up to the white space or comment that libosip2 leaves after a host. */
static struct slice read_host(struct slice host)
{
    host = slice_trim(host);
    size_t n = 0;
    while (n < host.n && host.p[n] != ' ' && host.p[n] != '(')
        n++;
    host.n = n;
    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct slice){host.p + 1, host.n - 2};
    return host;
}

static void read_via_param(struct arena *a, const osip_generic_param_t *param, struct sip_via *out)
{
    struct slice name = slice_of(param->gname), value = slice_of(param->gvalue);
    if (slice_equal_nocase(name, SLICE("branch")) && !out->branch.n)
        out->branch = kept(a, slice_trim(value));
    else if (slice_equal_nocase(name, SLICE("received")) && !out->received.n)
        out->received = kept(a, read_host(value));
    else if (slice_equal_nocase(name, SLICE("alias")))
        out->alias = true;
}

static bool read_via(struct arena *a, const osip_via_t *via, struct sip_via *out)
{
    struct slice host = read_host(slice_of(via->host));
    *out = (struct sip_via){.branch = SLICE(""), .received = SLICE("")};
    if (!host.n || !read_port(via->port, &out->port))
        return false;
    out->host = kept(a, host);
    out->protocol = kept(a, slice_trim(slice_of(via->protocol)));
    osip_list_iterator_t at;
    for (osip_generic_param_t *p = osip_list_get_first(&via->via_params, &at); p;
         p = osip_list_get_next(&at))
        read_via_param(a, p, out);
    return true;
}

/* Blanks comments out, which RFC 2543 had after the sent-by: libosip2 loses the parameters then. */
static void blank_comments(char *text)
{
    unsigned depth = 0;
    bool quoted = false;
    for (char *p = text; *p; p++) {
        char c = *p;
        quoted ^= c == '"' && !depth;
        depth += c == '(' && !quoted;
        if (depth)
            *p = ' ';
        depth -= c == ')' && depth;
    }
}

/* Takes empty parameters out (";;", a ';' at the end): libosip2 refuses the whole Via for one. */
static void drop_empty_params(char *text)
{
    char *out = text;
    for (const char *p = text; *p; p++) {
        const char *next = p + 1 + strspn(p + 1, " ");
        if (*p != ';' || (*next != ';' && *next))
            *out++ = *p;
    }
    *out = '\0';
}

static bool parse_via(struct arena *a, struct slice value, struct sip_via *out)
{
    char *text = osip_input(a, value);
    osip_via_t *via = NULL;
    if (!text || osip_via_init(&via) != 0)
        return false;
    blank_comments(text);
    drop_empty_params(text);
    bool good = osip_via_parse(via, text) == 0 && read_via(a, via, out);
    osip_via_free(via);
    return good;
}

/* The elements of the lists in all headers of an id. */
struct elements {
    struct arena *a;
    const struct sip_message *m;
    enum sip_header_id id;
    uint32_t next; /* header to look at */
    uint32_t left; /* elements to give out yet */
    struct slice rest;
};

static struct elements elements_of(struct arena *a, const struct sip_message *m,
                                   enum sip_header_id id)
{
    uint32_t first = m->first[id] < 0 ? m->header_count : (uint32_t)m->first[id];
    return (struct elements){a, m, id, first, VALUES_MAX, SLICE("")};
}

static bool elements_next(struct elements *e, struct slice *element)
{
    while (e->left) {
        if (sip_list_next(&e->rest, element)) {
            e->left--;
            return true;
        }
        while (e->next < e->m->header_count && e->m->headers[e->next].id != e->id)
            e->next++;
        if (e->next == e->m->header_count)
            return false;
        e->rest = sip_unfold(e->a, &e->m->headers[e->next++]);
    }
    return false;
}

static size_t elements_count(struct arena *a, const struct sip_message *m, enum sip_header_id id)
{
    struct elements e = elements_of(a, m, id);
    struct slice element;
    size_t n = 0;
    while (elements_next(&e, &element))
        n++;
    return n;
}

size_t sip_vias(struct arena *a, const struct sip_message *m, const struct sip_via **out,
                size_t *bad)
{
    struct elements e = elements_of(a, m, SIP_HEADER_VIA);
    struct sip_via *vias = ARENA_ARRAY(a, struct sip_via, elements_count(a, m, SIP_HEADER_VIA));
    struct slice element;
    size_t n = 0, refused = 0;
    while (elements_next(&e, &element)) {
        if (parse_via(a, element, &vias[n]))
            n++;
        else
            refused++;
    }
    if (bad)
        *bad = refused;
    *out = vias;
    return n;
}

/* tel: and other schemes come as a string: what stands before the parameters is the user. */
static void read_opaque(struct arena *a, const char *string, struct sip_address *out)
{
    struct slice s = slice_of(string);
    size_t n = 0;
    while (n < s.n && s.p[n] != ';' && s.p[n] != '?')
        n++;
    out->user = kept(a, slice_trim(slice_first(s, n)));
}

static bool read_uri(struct arena *a, const osip_uri_t *uri, struct sip_address *out)
{
    *out = (struct sip_address){
        SLICE(""), SLICE(""), SLICE(""), SLICE(""), 0, SLICE(""),
    };
    if (!uri || !uri->scheme)
        return false;
    out->scheme = kept(a, slice_trim(slice_of(uri->scheme)));
    if (uri->string) {
        read_opaque(a, uri->string, out);
        return true;
    }
    struct slice host = read_host(slice_of(uri->host));
    out->host = kept(a, host);
    out->user = kept(a, slice_of(uri->username));
    return host.n && read_port(uri->port, &out->port);
}

bool sip_uri_parse(struct arena *a, struct slice uri, struct sip_address *out)
{
    const char *text = osip_input_uri(a, uri);
    osip_uri_t *parsed = NULL;
    if (!text || osip_uri_init(&parsed) != 0)
        return false;
    bool good = osip_uri_parse(parsed, text) == 0 && read_uri(a, parsed, out);
    osip_uri_free(parsed);
    return good;
}

static bool parse_address(struct arena *a, struct slice value, struct sip_address *out)
{
    const char *text = osip_input_uri(a, value);
    osip_from_t *from = NULL;
    if (!text || osip_from_init(&from) != 0)
        return false;
    bool good = osip_from_parse(from, text) == 0 && read_uri(a, from->url, out);
    osip_from_free(from);
    return good;
}

static struct slice display_of(struct slice value)
{
    size_t angle = slice_find(value, '<');
    struct slice text = slice_trim(slice_first(value, angle));
    if (angle == value.n)
        return SLICE("");
    if (text.n > 1 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (struct slice){text.p + 1, text.n - 2};
    return text;
}

/* What stands in the first <>, outside of quotes where those are closed. */
static struct slice angle_part(struct slice value)
{
    size_t open = slice_find(value, '<');
    struct slice inside = slice_from(value, open + 1);
    return slice_first(inside, slice_find(inside, '>'));
}

bool sip_address_parse(struct arena *a, struct slice value, struct sip_address *out)
{
    /* libosip2 refuses a bad display name and white space in <>; the address is good all the same
     */
    if (!parse_address(a, value, out) && !sip_uri_parse(a, angle_part(value), out))
        return false;
    struct slice tag;
    out->display = kept(a, display_of(value));
    if (sip_param(value, SLICE("tag"), &tag))
        out->tag = kept(a, tag);
    return true;
}

size_t sip_addresses(struct arena *a, const struct sip_message *m, enum sip_header_id id,
                     const struct sip_address **out)
{
    struct elements e = elements_of(a, m, id);
    struct sip_address *list = ARENA_ARRAY(a, struct sip_address, elements_count(a, m, id));
    struct slice element;
    size_t n = 0;
    while (elements_next(&e, &element))
        if (sip_address_parse(a, element, &list[n]))
            n++;
    *out = list;
    return n;
}

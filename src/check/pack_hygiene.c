/* The pack `hygiene`: what breaks headers on the way, or shows that something broke before. */
#include "check/pack.h"
#include "packet/packet.h"

#define LONG_VALUE   256u /* characters; many elements keep no more */
#define MANY_HEADERS 10u  /* custom ones */
#define MOST_HEADERS 20u
#define UDP_BYTES    1300u /* RFC 3261 18.1.1; livekit/sip sends no more over UDP */

/* A header as one sighting of its message shows it. */
struct look {
    struct pack_run *p;
    struct pack_place at;
    const struct sip_header *header;
    struct slice value; /* unfolded */
    bool custom;
};

static struct arena *arena_of(const struct look *l)
{
    return l->p->w->arena;
}

static struct slice message_of(const struct look *l)
{
    return pack_name_of(arena_of(l), l->at.journey);
}

/* "X-Foo of INVITE" */
static struct slice subject(const struct look *l)
{
    return ARENA_JOIN(arena_of(l), l->header->name, SLICE(" of "), message_of(l));
}

static void note(const struct look *l, enum check_finding_id id, struct slice words)
{
    pack_note(l->p, l->at, id, l->header->name, words);
}

/* ---- names ---------------------------------------------------------------------------------- */

static void look_at_name(const struct look *l)
{
    struct slice name = l->header->name, near = sip_standard_near(name);
    if (!sip_is_token(name)) {
        note(l, FINDING_HYGIENE_NAME,
             ARENA_JOIN(arena_of(l), SLICE("\""), name, SLICE("\" on "), message_of(l),
                        SLICE(" is no header name: RFC 3261 wants a token, letters, digits and "
                              "-.!%*_+`'~")));
        return;
    }
    if (near.n)
        note(l, FINDING_HYGIENE_NEAR_MISS,
             ARENA_JOIN(arena_of(l), name, SLICE(" on "), message_of(l),
                        SLICE(" is not the standard header "), near,
                        SLICE(", which it was probably meant to be: it is passed by as unknown")));
    else if (slice_starts_nocase(name, SLICE("X_")))
        note(l, FINDING_HYGIENE_NEAR_MISS,
             ARENA_JOIN(arena_of(l), name, SLICE(" on "), message_of(l),
                        SLICE(" begins with X_, not X-: what looks for X-* passes it by")));
}

/* ---- variables that nothing expanded -------------------------------------------------------- */

static bool one_of(char c, struct slice set)
{
    return slice_find(set, c) < set.n;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* The byte after the first `close` behind at, or 0. */
static size_t closed(struct slice s, size_t at, char close)
{
    size_t n = slice_find(slice_from(s, at), close);
    return at + n < s.n ? at + n + 1 : 0;
}

/* Kamailio's and OpenSIPS's pseudo-variables without parentheses, where the value is nothing else.
 */
static bool is_pseudo_variable(struct slice value)
{
    static const char *const names[] = {"$ru", "$rU", "$rd", "$rp", "$fu", "$fU", "$fd", "$fn",
                                        "$tu", "$tU", "$td", "$tn", "$si", "$sp", "$ci", "$cs",
                                        "$ua", "$rm", "$Ri", "$Rp", "$du", "$dd", "$au", "$ai",
                                        "$pU", "$oU", "$ou", "$od", "$ct", "$di", "$re", "$rs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(value, names[i]))
            return true;
    return false;
}

/* The variable at `at`: ${NAME}, $(NAME), $hdr(NAME), %{NAME}, #{NAME}, {{NAME}}; empty: none. */
static struct slice variable_at(struct slice s, size_t at)
{
    struct slice rest = slice_from(s, at);
    size_t end = 0, word = 1;
    if (rest.n < 4)
        return SLICE_NONE;
    while (rest.p[0] == '$' && word < rest.n && is_word(rest.p[word]))
        word++;
    if (word > 1 && rest.p[1] <= '9')
        return SLICE_NONE; /* an amount of money */
    if (rest.p[0] == '{' && rest.p[1] == '{') {
        end = closed(rest, 2, '}');
        end = end && end < rest.n && rest.p[end] == '}' && end > 3 ? end + 1 : 0;
    } else if (one_of(rest.p[0], SLICE("$%#")) && rest.p[1] == '{') {
        end = closed(rest, 2, '}');
    } else if (rest.p[0] == '$' && word + 1 < rest.n && rest.p[word] == '(' &&
               (rest.p[word + 1] > '9' || one_of(rest.p[word + 1], SLICE("($")))) {
        end = closed(rest, word + 1, ')');
    }
    return slice_first(rest, end);
}

static struct slice variable_in(struct slice value)
{
    if (is_pseudo_variable(value))
        return value;
    for (size_t i = 0; i + 3 < value.n; i++)
        if (one_of(value.p[i], SLICE("$%#{"))) {
            struct slice v = variable_at(value, i);
            if (v.n)
                return v;
        }
    return SLICE_NONE;
}

/* Tokens that are random, or that a hash made, may hold anything. */
static bool may_hold_variables(const struct look *l)
{
    enum sip_header_id id = l->header->id;
    return id != SIP_HEADER_VIA && id != SIP_HEADER_CALL_ID &&
           !sip_is_credentials(l->header->name) &&
           !slice_equal_nocase(l->header->name, SLICE("WWW-Authenticate")) &&
           !slice_equal_nocase(l->header->name, SLICE("Proxy-Authenticate"));
}

static void look_for_variable(const struct look *l)
{
    struct slice v = may_hold_variables(l) ? variable_in(l->value) : SLICE_NONE;
    if (v.n)
        note(l, FINDING_HYGIENE_VARIABLE,
             ARENA_JOIN(arena_of(l), subject(l), SLICE(" carries "),
                        pack_quote(arena_of(l), l->header->name, v),
                        SLICE(" as it was written: nothing put the value in its place")));
}

/* ---- percent-encoding ----------------------------------------------------------------------- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Encoded as a whole: each % begins an escape, and none of what encoding takes away is left.  URIs
 * have escapes of their own. */
static bool is_encoded(struct slice value)
{
    size_t escapes = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == ' ' || value.p[i] == '<' || value.p[i] == '"')
            return false;
        if (value.p[i] == ':' && i + 2 < value.n && value.p[i + 1] == '/' && value.p[i + 2] == '/')
            return false;
        if (value.p[i] != '%')
            continue;
        if (i + 2 >= value.n || !is_hex(value.p[i + 1]) || !is_hex(value.p[i + 2]))
            return false;
        escapes++;
        i += 2;
    }
    return escapes > 0 && !slice_starts_nocase(value, SLICE("sip:")) &&
           !slice_starts_nocase(value, SLICE("sips:")) &&
           !slice_starts_nocase(value, SLICE("tel:"));
}

static struct slice decoded(struct arena *a, struct slice value)
{
    char *out = arena_alloc(a, value.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        bool escape = value.p[i] == '%';
        out[n++] = escape ? (char)(hex(value.p[i + 1]) << 4 | hex(value.p[i + 2])) : value.p[i];
        i += escape ? 2 : 0;
    }
    return (struct slice){out, n};
}

static void look_for_encoding(const struct look *l)
{
    if (l->custom && is_encoded(l->value))
        note(l, FINDING_HYGIENE_ENCODED,
             ARENA_JOIN(arena_of(l), subject(l), SLICE(" is percent-encoded: "),
                        pack_quote(arena_of(l), l->header->name, l->value), SLICE(" stands for "),
                        pack_quote(arena_of(l), l->header->name, decoded(arena_of(l), l->value))));
}

/* ---- lengths -------------------------------------------------------------------------------- */

static size_t characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static bool is_limit(size_t n)
{
    return n == 64 || n == 128 || n == 255 || n == 256 || n == 512;
}

/* 64 and 128 are the lengths of hashes, and of much else that has no words. */
static bool is_hash(struct slice value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!is_word(value.p[i]) && !one_of(value.p[i], SLICE("+/=-")))
            return false;
    return value.n <= 128;
}

/* Something was opened and not closed, or the last character is there in part. */
static bool is_broken_off(struct slice value)
{
    size_t quotes = 0, i = value.n;
    int depth = 0;
    for (size_t k = 0; k < value.n; k++) {
        quotes += value.p[k] == '"' && (k == 0 || value.p[k - 1] != '\\');
        depth += one_of(value.p[k], SLICE("{[<("));
        depth -= one_of(value.p[k], SLICE("}]>)"));
    }
    while (i > 0 && value.n - i < 4 && ((unsigned char)value.p[i - 1] & 0xc0) == 0x80)
        i--;
    uint32_t code;
    bool partial = i > 0 && (unsigned char)value.p[i - 1] >= 0xc0 &&
                   !utf8_decode(slice_from(value, i - 1), &code);
    return quotes % 2 || depth > 0 || partial || one_of(value.p[value.n - 1], SLICE("%=;,")) ||
           (value.n > 1 && value.p[value.n - 2] == '%');
}

/* Does a message of the call have the header with a value that goes on where this one ends? */
static bool goes_on_in(const struct look *l, const struct hop_journey *j)
{
    for (size_t i = 0; i < j->step_count; i++) {
        const struct sip_message *m = j->steps[i].sighting->message;
        const struct sip_header *h;
        uint32_t at = 0;
        while ((h = sip_header_next(m, at, l->header->name, &at))) {
            struct slice other = sip_unfold(arena_of(l), h);
            if (other.n > l->value.n && slice_starts(other, l->value))
                return true;
            at++;
        }
    }
    return false;
}

static bool goes_on(const struct look *l)
{
    const struct hop_call *call = l->p->w->call;
    for (size_t i = 0; i < call->journey_count; i++)
        if (goes_on_in(l, &call->journeys[i]))
            return true;
    return false;
}

static void look_for_truncation(const struct look *l)
{
    if (!l->custom || !is_limit(l->value.n) || is_hash(l->value))
        return;
    bool elsewhere = goes_on(l), broken = is_broken_off(l->value);
    struct slice why = elsewhere ? SLICE(": elsewhere in the call its value goes on after that")
                       : broken
                           ? SLICE(", and it ends amid what was begun: it was probably cut there")
                           : SLICE(", a usual limit: it may have been cut there");
    pack_note_as(l->p, l->at, FINDING_HYGIENE_TRUNCATED,
                 elsewhere || broken ? CHECK_WARNING : CHECK_NOTE, l->header->name,
                 ARENA_JOIN(arena_of(l), subject(l),
                            arena_printf(arena_of(l), " has exactly %zu bytes", l->value.n), why));
}

static void look_at_length(const struct look *l)
{
    size_t n = characters(l->value);
    if (l->custom && n > LONG_VALUE)
        note(l, FINDING_HYGIENE_LONG,
             ARENA_JOIN(arena_of(l), subject(l),
                        arena_printf(arena_of(l),
                                     " has %zu characters; more than %u do not pass "
                                     "everywhere",
                                     n, LONG_VALUE)));
}

/* ---- empty values, and bytes that no value has ---------------------------------------------- */

/* A fold is no part of the value; TAB is white space. */
static bool has_control(struct slice value, unsigned *byte)
{
    for (size_t i = 0; i < value.n; i++) {
        *byte = (unsigned char)value.p[i];
        if ((*byte < 0x20 && *byte != '\t') || *byte == 0x7f)
            return true;
    }
    return false;
}

static void look_at_bytes(const struct look *l)
{
    unsigned byte;
    if (l->custom && l->value.n == 0 && !l->header->cut)
        note(l, FINDING_HYGIENE_EMPTY, ARENA_JOIN(arena_of(l), subject(l), SLICE(" has no value")));
    if (has_control(l->value, &byte))
        note(l, FINDING_HYGIENE_CONTROL,
             ARENA_JOIN(arena_of(l), subject(l),
                        arena_printf(arena_of(l), " has the control byte 0x%02x%s in its value",
                                     byte,
                                     byte == '\r'   ? " (CR)"
                                     : byte == '\n' ? " (LF)"
                                                    : "")));
}

/* ---- the message ---------------------------------------------------------------------------- */

/* The header before an offset: its value had a line break, where a line without a colon follows. */
static struct slice header_before(const struct sip_message *m, uint32_t at)
{
    struct slice name = SLICE_NONE;
    for (uint32_t i = 0; i < m->header_count && m->headers[i].at < at; i++)
        name = m->headers[i].name;
    return name;
}

static void look_for_broken_lines(struct pack_run *p, struct pack_place at)
{
    const struct sip_message *m = pack_message(at);
    for (uint32_t i = 0; i < m->problem_count; i++) {
        struct slice before = header_before(m, m->problems[i].at);
        if (m->problems[i].id != SIP_PROBLEM_NO_COLON ||
            pack_noted(p, at.journey, FINDING_HYGIENE_LINE_BREAK, before))
            continue;
        pack_note(p, at, FINDING_HYGIENE_LINE_BREAK, before,
                  ARENA_JOIN(p->w->arena, SLICE("a line without a colon stands after "), before,
                             SLICE(" of "), pack_name_of(p->w->arena, at.journey),
                             SLICE(": its value had a line break, and the next element may drop "
                                   "the message")));
    }
}

static void look_for_duplicates(struct pack_run *p, struct pack_place at)
{
    const struct sip_message *m = pack_message(at);
    for (uint32_t i = 0; i < m->header_count; i++) {
        struct slice name = m->headers[i].name;
        uint32_t first = 0, count = 0;
        if (!sip_is_single(name) || !sip_header_next(m, 0, name, &first) || first != i)
            continue;
        for (uint32_t k = i; sip_header_next(m, k, name, &k); k++)
            count++;
        if (count > 1)
            pack_note(p, at, FINDING_HYGIENE_DUPLICATE, name,
                      ARENA_JOIN(p->w->arena, name,
                                 arena_printf(p->w->arena, " stands %u times on ", count),
                                 pack_name_of(p->w->arena, at.journey),
                                 SLICE(", where RFC 3261 allows one")));
    }
}

static void look_at_count(struct pack_run *p, struct pack_place at)
{
    const struct sip_message *m = pack_message(at);
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->header_count; i++)
        n += pack_is_custom(m->headers[i].name);
    if (n > MANY_HEADERS)
        pack_note(p, at, n > MOST_HEADERS ? FINDING_HYGIENE_TOO_MANY : FINDING_HYGIENE_MANY,
                  SLICE_NONE,
                  ARENA_JOIN(p->w->arena, pack_name_of(p->w->arena, at.journey),
                             arena_printf(p->w->arena, " carries %u custom headers, more than %u",
                                          n, n > MOST_HEADERS ? MOST_HEADERS : MANY_HEADERS)));
}

static void look_at_size(struct pack_run *p, struct pack_place at)
{
    const struct hop_sighting *s = at.journey->steps[at.step].sighting;
    uint64_t n = s->index->length;
    if (s->index->missing != UINT32_MAX)
        n += s->index->missing;
    if (s->transport == PACKET_UDP && n > UDP_BYTES)
        pack_note(p, at, FINDING_HYGIENE_UDP_SIZE, SLICE_NONE,
                  ARENA_JOIN(p->w->arena, pack_name_of(p->w->arena, at.journey),
                             arena_printf(p->w->arena, " has %llu bytes on UDP, more than %u",
                                          (unsigned long long)n, UDP_BYTES)));
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void look_at_headers(struct pack_run *p, struct pack_place at)
{
    const struct sip_message *m = pack_message(at);
    for (uint32_t i = 0; i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        struct look l = {p, at, h, sip_unfold(p->w->arena, h), pack_is_custom(h->name)};
        look_at_name(&l);
        look_at_bytes(&l);
        look_for_variable(&l);
        look_for_encoding(&l);
        look_at_length(&l);
        if (!h->cut)
            look_for_truncation(&l);
    }
}

void pack_hygiene(struct pack_run *p)
{
    p->tells_origin = true;
    for (size_t i = 0; i < p->w->call->journey_count; i++)
        for (size_t k = 0; k < p->w->call->journeys[i].step_count; k++) {
            struct pack_place at = {&p->w->call->journeys[i], k};
            look_at_headers(p, at);
            look_for_broken_lines(p, at);
            look_for_duplicates(p, at);
            look_at_count(p, at);
            look_at_size(p, at);
        }
}

/* Names: methods, headers, problems, states; what is a token, and which header a name means. */
#include "sip/internal.h"

#include <assert.h>

/* RFC 3261 25.1: token, LWS, DIGIT. */
const uint8_t sip_char_class[256] = {
    ['a' ... 'z'] = SIP_CHAR_TOKEN,
    ['A' ... 'Z'] = SIP_CHAR_TOKEN,
    ['0' ... '9'] = SIP_CHAR_TOKEN | SIP_CHAR_DIGIT,
    ['-'] = SIP_CHAR_TOKEN,
    ['.'] = SIP_CHAR_TOKEN,
    ['!'] = SIP_CHAR_TOKEN,
    ['%'] = SIP_CHAR_TOKEN,
    ['*'] = SIP_CHAR_TOKEN,
    ['_'] = SIP_CHAR_TOKEN,
    ['+'] = SIP_CHAR_TOKEN,
    ['`'] = SIP_CHAR_TOKEN,
    ['\''] = SIP_CHAR_TOKEN,
    ['~'] = SIP_CHAR_TOKEN,
    [' '] = SIP_CHAR_WSP,
    ['\t'] = SIP_CHAR_WSP,
};

static const struct {
    struct slice name;
    char compact;
} header_names[SIP_HEADER_COUNT] = {
#define HEADER(id, name, compact) [SIP_HEADER_##id] = {{name, sizeof(name) - 1}, compact},
#include "sip/headers.def"
#undef HEADER
};

static const struct slice method_names[SIP_METHOD_COUNT] = {
#define METHOD(name) [SIP_##name] = {#name, sizeof(#name) - 1}
    METHOD(INVITE),    METHOD(ACK),   METHOD(BYE),     METHOD(CANCEL),  METHOD(REGISTER),
    METHOD(OPTIONS),   METHOD(PRACK), METHOD(NOTIFY),  METHOD(PUBLISH), METHOD(INFO),
    METHOD(SUBSCRIBE), METHOD(REFER), METHOD(MESSAGE), METHOD(UPDATE),
#undef METHOD
};

static void names_add(struct sip_names *names, struct slice name, unsigned id)
{
    char text[SIP_NAME_MAX] = {0};
    assert(name.n <= sizeof text);
    memcpy(text, name.p, name.n);
    struct sip_name k = sip_name_of(text, name.n);
    unsigned at = sip_name_hash(k);
    while (names->id[at])
        at = (at + 1) % SIP_NAME_SLOTS;
    names->name[at] = k;
    names->id[at] = (uint8_t)id;
}

void sip_names_init(struct sip_names *names)
{
    *names = (struct sip_names){0};
    for (unsigned id = SIP_HEADER_OTHER + 1; id < SIP_HEADER_COUNT; id++) {
        names_add(names, header_names[id].name, id);
        if (header_names[id].compact)
            names_add(names, (struct slice){&header_names[id].compact, 1}, id);
    }
}

enum sip_header_id sip_header_of(struct slice name)
{
    for (unsigned id = SIP_HEADER_OTHER + 1; id < SIP_HEADER_COUNT; id++) {
        unsigned char compact = (unsigned char)header_names[id].compact;
        if (name.n == 1 && compact && ascii_lower((unsigned char)name.p[0]) == compact)
            return id;
        if (slice_equal_nocase(header_names[id].name, name))
            return id;
    }
    return SIP_HEADER_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
    return id < SIP_HEADER_COUNT ? header_names[id].name.p : NULL;
}

enum sip_method sip_method_of(struct slice name)
{
    for (unsigned id = SIP_METHOD_OTHER + 1; id < SIP_METHOD_COUNT; id++) {
        const struct slice *known = &method_names[id];
        if (known->n == name.n && known->p[0] == name.p[0] && !memcmp(known->p, name.p, name.n))
            return id;
    }
    return SIP_METHOD_OTHER;
}

const char *sip_method_name(enum sip_method method)
{
    return method < SIP_METHOD_COUNT ? method_names[method].p : NULL;
}

const char *sip_problem_text(enum sip_problem_id id)
{
    static const char *const texts[SIP_PROBLEM_COUNT] = {
#define PROBLEM(id, text) text,
#include "sip/problems.def"
#undef PROBLEM
    };
    return id < SIP_PROBLEM_COUNT ? texts[id] : "malformed";
}

const char *sip_state_name(enum sip_state state)
{
    static const char *const names[] = {"whole", "cut", "gap", "midstream"};
    return names[state];
}

bool sip_name_equal(struct slice a, struct slice b)
{
    if (slice_equal_nocase(a, b))
        return true;
    if (a.n != 1 && b.n != 1)
        return false;
    enum sip_header_id id = sip_header_of(a);
    return id != SIP_HEADER_OTHER && id == sip_header_of(b);
}

bool sip_is_token(struct slice s)
{
    return s.n && sip_skip(s.p, s.p + s.n, SIP_CHAR_TOKEN) == s.p + s.n;
}

const struct sip_header *sip_header_next(const struct sip_message *m, uint32_t from,
                                         struct slice name, uint32_t *index)
{
    for (uint32_t i = from; i < m->header_count; i++) {
        if (sip_name_equal(m->headers[i].name, name)) {
            if (index)
                *index = i;
            return &m->headers[i];
        }
    }
    return NULL;
}

const struct sip_header *sip_header_first(const struct sip_message *m, enum sip_header_id id)
{
    return m->first[id] < 0 ? NULL : &m->headers[m->first[id]];
}

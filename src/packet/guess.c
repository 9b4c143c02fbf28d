/* What bytes look like, where nothing announces them: a guess that costs little and is seldom
 * wrong. Whether they are SIP is for sip/ to say. */
#include "packet/internal.h"

#define METHOD_MAX 32u /* characters of a method or a scheme that are looked at */

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 3261 25.1, token and scheme: near enough. */
static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}

/* Moves *at past a word that ends with `end`; false where something else follows.  Where the bytes
 * end first, nothing speaks against it. */
static bool pass_word(struct slice bytes, size_t *at, char end)
{
    size_t from = *at;
    while (*at < bytes.n && *at - from < METHOD_MAX && is_word(bytes.p[*at]))
        ++*at;
    if (*at == bytes.n)
        return true;
    return *at > from && bytes.p[(*at)++] == end;
}

bool packet_begins_sip(struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.n && (bytes.p[at] == '\r' || bytes.p[at] == '\n'))
        at++;
    if (at == bytes.n)
        return at > 0; /* a keep-alive (RFC 5626 3.5.1) */
    bytes = slice_from(bytes, at);
    if (slice_starts_nocase(bytes, SLICE("SIP/")))
        return true;
    at = 0;
    return bytes.n >= 4 && pass_word(bytes, &at, ' ') &&
           (at == bytes.n || is_letter(bytes.p[at])) && pass_word(bytes, &at, ':');
}

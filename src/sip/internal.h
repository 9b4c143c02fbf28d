/* What the files of sip/ share: the scanner's table of names, classes of bytes, the start line. */
#ifndef SIP_INTERNAL_H
#define SIP_INTERNAL_H

#include "sip/sip.h"

#include <endian.h>
#include <string.h>

#define SIP_NAME_SLOTS 128u /* a power of two, well above the number of headers in headers.def */

/* From the hash of a header name to its id, built from headers.def; 0 (SIP_HEADER_OTHER) is a free
 * slot. */
struct sip_names {
    uint8_t slot[SIP_NAME_SLOTS];
    uint8_t compact[256]; /* by the letter, either case */
};

struct sip_scanner {
    struct sip_header *headers;
    size_t cap;
    struct sip_names names;
};

/* Classes of bytes, RFC 3261 25.1. */
enum { SIP_CHAR_TOKEN = 1, SIP_CHAR_WSP = 2, SIP_CHAR_DIGIT = 4 };
extern const uint8_t sip_char_class[256];

static inline bool sip_char_is(char c, unsigned classes)
{
    return sip_char_class[(unsigned char)c] & classes;
}

/* The first byte at or after p that is not of these classes, or end. */
static inline const char *sip_skip(const char *p, const char *end, unsigned classes)
{
    while (p < end && sip_char_is(*p, classes))
        p++;
    return p;
}

/* Notes a problem; kept are the first SIP_PROBLEMS_MAX. */
void sip_note(struct sip_message *m, enum sip_problem_id id, size_t at);

/* The first control byte (C0 or DEL) at or after p, or end.  Eight bytes a step: a byte b below
 * 0x20 borrows in b - 0x20 where its own top bit is clear, a DEL becomes zero under xor.  A borrow
 * can spoil only bytes after the first hit. */
static inline const char *sip_next_control(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    for (; end - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w = le64toh(w);
        uint64_t del = w ^ ones * 0x7f;
        uint64_t hits = (((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & tops;
        if (hits)
            return p + (__builtin_ctzll(hits) >> 3);
    }
    while (p < end && (unsigned char)*p >= 0x20 && *p != 0x7f)
        p++;
    return p;
}

/* Finds the start line at the front of bytes, leading line ends skipped (RFC 3261 7.5).  True: *m
 * has what the line says, with m->bytes from the line on, and *next is the first byte after it.
 * Problems are noted where `m->problem_count` was set before. */
bool sip_start_line(struct slice bytes, struct sip_message *m, const char **next);

/* Reads Call-ID and CSeq and notes what is missing or wrong (meaning.c). */
void sip_read_meaning(struct sip_message *m);
/* Notes a header that stands again and must not: h is the later one. */
void sip_read_repeated(struct sip_message *m, const struct sip_header *h);
/* Takes the body from what follows the headers, as UDP has it (RFC 3261 18.3). */
void sip_read_body(struct sip_message *m, struct slice rest, size_t missing);

void sip_names_init(struct sip_names *names);
/* The id of a name that lies within readable bytes. */
enum sip_header_id sip_names_find(const struct sip_names *names, struct slice name);

#endif

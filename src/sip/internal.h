/* What the files of sip/ share: the scanner's table of names, classes of bytes, the start line. */
#ifndef SIP_INTERNAL_H
#define SIP_INTERNAL_H

#include "sip/sip.h"

#include <endian.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SIP_NAME_MAX   24 /* no name in headers.def has more bytes */
#define SIP_NAME_SLOTS 256u

/* A name in lower case, zeroes after its end.  As words it is hashed and compared in a few steps.
 */
struct sip_name {
    uint64_t a, b, c;
};

/* The names of headers.def, long and compact, by their hash; an id of 0 (SIP_HEADER_OTHER) is free.
 */
struct sip_names {
    struct sip_name name[SIP_NAME_SLOTS];
    uint8_t id[SIP_NAME_SLOTS];
};

/* The bit of a header in sip_message's `seen`.  That of SIP_HEADER_OTHER is always set, and no
 * header has the last. */
#define SIP_SEEN(id) ((uint64_t)1 << SIP_HEADER_##id)
_Static_assert(SIP_HEADER_COUNT < 64, "one bit each");

struct sip_scanner {
    struct sip_header *headers;
    size_t cap;
    bool brief;
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

/* The first control byte (C0 or DEL) at or after p, or end.  Sixteen bytes a step where the
 * processor can, then eight: a byte b below 0x20 borrows in b - 0x20 where its own top bit is
 * clear, a DEL becomes zero under xor.  A borrow can spoil only bytes after the first hit. */
static inline const char *sip_next_control(const char *p, const char *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_or_si128(below, del));
        if (hits)
            return p + __builtin_ctz(hits);
    }
#endif
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

/* Scans start line and headers at the front of a stream's bytes, of which more may follow: headers
 * are complete only where the empty line is there.  m->body is all that follows them. */
bool sip_scan_head(struct sip_scanner *s, struct slice bytes, struct sip_message *m);

/* ---- start lines within a stream: search.c --------------------------------------------------- */

#define SIP_START_MAX  16384u /* bytes of a start line that are waited for */
#define SIP_METHOD_MAX 64     /* bytes of a method that is searched for */

enum sip_answer { SIP_NO, SIP_YES, SIP_MAYBE };

/* What stands before some bytes: a line end, bytes that are no text, a line's first part, or what
 * the capture does not have. */
enum sip_before { SIP_AFTER_LINE, SIP_AFTER_BREAK, SIP_AFTER_TEXT, SIP_AFTER_HOLE };

/* Where a start line may stand. */
struct sip_search {
    struct slice bytes;     /* nothing before them is looked at */
    enum sip_before before; /* them */
    bool ended;             /* nothing follows them for now */
    bool is_sip;            /* the stream is known to be SIP */
    bool known;             /* other methods than those we know are none */
    size_t from;            /* bytes that were searched before */
    size_t limit;           /* start lines begin before it */
    size_t at;              /* where one was found, or may begin */
};

/* The next start line that is one beyond doubt: with "SIP/2.0" and before a header line; at a
 * line's beginning, or, where the method is known, after bytes that are no text, or anywhere in
 * what is SIP.  SIP_MAYBE: what follows tells.  Unfinished lines without the version are not looked
 * at. */
enum sip_answer sip_search(struct sip_search *s);
/* Where in bytes without a start line one that sip_search would find may begin all the same, for
 * what is there of it; bytes.n: nowhere. */
size_t sip_unfinished(const struct sip_search *s);
/* Is there a start line at the front, where one is expected?  `first`: only if a header line
 * follows. */
enum sip_answer sip_start_here(struct slice bytes, bool ended, bool first);
/* The same where there is another candidate: one of a known method or a response, to the letter of
 * the grammar, and a header line follows. */
enum sip_answer sip_start_sure(struct slice bytes, bool ended);
/* May these bytes, which are no whole line, begin a start line?  HTTP's too, so that it is told. */
bool sip_can_start(struct slice bytes);
/* One of a method that we know, or of a response. */
bool sip_can_start_known(struct slice bytes);

static inline enum sip_before sip_after(char c)
{
    if (c == '\n')
        return SIP_AFTER_LINE;
    return ((unsigned char)c < 0x20 && c != '\t') || (unsigned char)c >= 0x7f ? SIP_AFTER_BREAK
                                                                              : SIP_AFTER_TEXT;
}

/* Reads Call-ID and CSeq and notes what is missing or wrong (meaning.c). */
void sip_read_meaning(struct sip_message *m);
/* Notes a header h that stands again and must not. */
void sip_read_repeated(struct sip_message *m, const struct sip_header *first,
                       const struct sip_header *h);
/* Takes the body from what follows the headers, as UDP has it (RFC 3261 18.3). */
void sip_read_body(struct sip_message *m, struct slice rest, size_t missing);

/* The Content-Length that a stream can go by.  False: there is none, which is noted, or what it
 * says is no length. */
bool sip_read_length(struct sip_message *m, uint32_t *length);

void sip_names_init(struct sip_names *names);

static inline uint64_t sip_word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return le64toh(w);
}

/* p itself where SIP_NAME_MAX bytes can be read there, else a copy in pad with zeroes after the
 * end. */
static inline const char *sip_readable(const char *p, const char *end, char *pad)
{
    if (end - p >= SIP_NAME_MAX)
        return p;
    memset(pad, 0, SIP_NAME_MAX);
    return memcpy(pad, p, (size_t)(end - p));
}

/* Letters have 0x40 and get 0x20 as well.  That changes other bytes too, none into one that a known
 * name has. */
static inline uint64_t sip_word_lower(uint64_t w)
{
    return w | (w & 0x4040404040404040u) >> 1;
}

static inline uint64_t sip_word_first(uint64_t w, size_t n) /* 0 < n <= 8 */
{
    return w & UINT64_MAX >> (64 - n * 8);
}

/* The first n bytes at p, where SIP_NAME_MAX can be read; 0 < n <= SIP_NAME_MAX. */
static inline struct sip_name sip_name_of(const char *p, size_t n)
{
    uint64_t a = sip_word_lower(sip_word(p)), b, c;
    if (n <= 8)
        return (struct sip_name){sip_word_first(a, n), 0, 0};
    b = sip_word_lower(sip_word(p + 8));
    if (n <= 16)
        return (struct sip_name){a, sip_word_first(b, n - 8), 0};
    c = sip_word_lower(sip_word(p + 16));
    return (struct sip_name){a, b, sip_word_first(c, n - 16)};
}

/* Is each byte of this lower-case word a letter, a digit, '-' or zero?  A byte's top bit says so,
 * below 0x80 no sum carries into the next. */
static inline bool sip_word_plain(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t letter = (w + ones * (0x80 - 'a')) & ~(w + ones * (0x7f - 'z'));
    uint64_t digit = (w + ones * (0x80 - '0')) & ~(w + ones * (0x7f - '9'));
    uint64_t dash = tops - (w ^ ones * '-'), zero = tops - w;
    return ((letter | digit | dash | zero) & ~w & tops) == tops;
}

/* Quick and sufficient, not necessary, for a token without NUL. */
static inline bool sip_name_plain(struct sip_name k)
{
    return sip_word_plain(k.a) && sip_word_plain(k.b) && sip_word_plain(k.c);
}

static inline unsigned sip_name_hash(struct sip_name k)
{
    uint64_t h = (k.a ^ k.b << 7 ^ k.c << 13) * 0x9e3779b97f4a7c15u;
    return (unsigned)(h >> 56) % SIP_NAME_SLOTS;
}

/* The id of a name. */
static inline enum sip_header_id sip_names_find(const struct sip_names *names, struct sip_name k)
{
    for (unsigned at = sip_name_hash(k); names->id[at]; at = (at + 1) % SIP_NAME_SLOTS) {
        const struct sip_name *known = &names->name[at];
        if (!((known->a ^ k.a) | (known->b ^ k.b) | (known->c ^ k.c)))
            return names->id[at];
    }
    return SIP_HEADER_OTHER;
}

#endif

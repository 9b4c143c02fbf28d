/* Says what a file looks like that is no pcap or pcapng, so that the user knows what to do with it.
 */
#include "source/internal.h"

#define CONVERT " (convert it: editcap -F pcapng IN OUT)"

static const struct {
    struct slice start;
    const char *what;
} marks[] = {
    {SLICE("GMBU"), "a Network Monitor 2 capture" CONVERT},
    {SLICE("RTSS"), "a Network Monitor 1 capture" CONVERT},
    {SLICE("snoop\0\0\0"), "a snoop capture" CONVERT},
    {SLICE("TRSNIFF data    \x1a"), "a Sniffer capture" CONVERT},
    {SLICE("XCP\0"), "a NetXRay capture" CONVERT},
    {SLICE("\0\0\2\0\x12\5\x10\0"), "a K12 capture" CONVERT},
    {SLICE("PK\3\4"), "a zip archive (unpack it first)"},
    {SLICE("BZh"), "bzip2 data (unpack it first)"},
    {SLICE("\xfd"
           "7zXZ\0"),
     "xz data (unpack it first)"},
    {SLICE("\x28\xb5\x2f\xfd"), "zstd data (unpack it first)"},
    {SLICE("\x04\x22\x4d\x18"), "lz4 data (unpack it first)"},
    {SLICE("7z\xbc\xaf\x27\x1c"), "a 7-Zip archive (unpack it first)"},
    {SLICE("\x1f\x8b"), "gzip within gzip (unpack it first)"},
    {SLICE("\x7f"
           "ELF"),
     "a program"},
    {SLICE("%PDF"), "a PDF document"},
    {SLICE("{"), "JSON"},
    {SLICE("["), "JSON"},
    {SLICE("<"), "XML or HTML"},
    {SLICE("\xef\xbb\xbf"), "text"},
};

static bool is_text(struct slice head)
{
    while (head.n > 0) {
        uint32_t code;
        size_t n = utf8_decode(head, &code);
        if (n == 0 || (code < ' ' && code != '\t' && code != '\n' && code != '\r'))
            break;
        head = slice_from(head, n);
    }
    return head.n < 4; /* a character may be cut at the end */
}

/* ERF has no magic: a time stamp, a record type, flags, the record's length, a counter, the wire's.
 */
static bool is_erf(struct slice head)
{
    struct cursor c = cursor_of(head);
    cursor_skip(&c, 8);
    uint8_t type = cursor_u8(&c) & 0x7f;
    cursor_skip(&c, 1);
    uint16_t record = cursor_be16(&c);
    cursor_skip(&c, 2);
    uint16_t wire = cursor_be16(&c);
    return !c.failed && type >= 1 && type <= 48 && record >= 16 && record % 8 == 0 && wire > 0 &&
           record <= wire + 128u;
}

static bool is_tar(struct slice head)
{
    return slice_starts(slice_from(head, 257), SLICE("ustar"));
}

const char *source_guess(struct slice head)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (slice_starts(head, marks[i].start))
            return marks[i].what;
    if (is_tar(head))
        return "a tar archive (unpack it first)";
    if (head.n >= 4 && is_text(head))
        return "text";
    return is_erf(head) ? "an ERF capture" CONVERT : NULL;
}

/* Private to packet/: decompression. */
#ifndef PACKET_INFLATE_H
#define PACKET_INFLATE_H

#include "packet/internal.h"

#define PACKET_INFLATED_BYTES (256u * 1024u) /* of one message; the rest counts as missing */

VEC_TYPE(packet_bytes, char);

enum packet_deflated {
    PACKET_DEFLATED_RAW,   /* RFC 1951 */
    PACKET_DEFLATED_HEADED /* RFC 1950 or RFC 1952, by what is there */
};

enum packet_inflated {
    PACKET_INFLATED_ALL,  /* that is there; more may follow */
    PACKET_INFLATED_END,  /* all: the data says that it ends here */
    PACKET_INFLATED_MORE, /* to the limit, and there is more */
    PACKET_INFLATED_BAD   /* not compressed so, or it builds on what was not seen */
};

#define PACKET_INFLATER_BYTES (48u * 1024u) /* that a decompressor takes, about */

struct packet_inflater;

struct packet_inflater *packet_inflater_new(enum packet_deflated format);
/* Appends to *out, which is not to grow beyond PACKET_INFLATED_BYTES.  Further input continues the
 * same data. */
enum packet_inflated packet_inflate(struct packet_inflater *f, struct slice in,
                                    struct packet_bytes *out);
/* What comes next does not build on what was before; where it does, it is BAD. */
void packet_inflater_forget(struct packet_inflater *f);
void packet_inflater_free(struct packet_inflater *f);

#endif

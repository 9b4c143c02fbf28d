/* Private to packet/: WebSocket (RFC 6455): how it begins and what its frames look like. */
#ifndef PACKET_WEBSOCKET_H
#define PACKET_WEBSOCKET_H

#include "packet/stream.h"

#define WEBSOCKET_HEAD_MAX 16384u /* of an HTTP head; a longer one is none of ours */

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10
};

struct websocket_frame {
    bool last; /* of its message */
    bool compressed;
    bool masked;
    uint8_t reserved; /* bits that no extension we know gives a meaning to */
    uint8_t opcode;
    uint8_t mask[4];
    size_t head;     /* bytes before the payload */
    uint64_t length; /* of the payload */
};

/* False: the head is longer than the bytes. */
bool websocket_frame_read(struct slice bytes, struct websocket_frame *f);
/* Nothing in the head is against RFC 6455 5.2. */
bool websocket_frame_is_sane(const struct websocket_frame *f);
static inline bool websocket_frame_is_control(const struct websocket_frame *f)
{
    return f->opcode >= WEBSOCKET_CLOSE;
}
/* Takes the mask off n bytes, of which the first is the payload's byte at `at`. */
void websocket_unmask(const struct websocket_frame *f, size_t at, const char *from, char *to,
                      size_t n);
/* Where a frame that begins a SIP message, or a compressed one, begins; bytes.n: nowhere, or the
 * bytes may tell when there are more.  The head and a part of the payload have to be there; of a
 * compressed message all, and nothing behind it but whole frames. */
size_t websocket_frame_find(struct slice bytes);
#define WEBSOCKET_FRAME_START 32u /* bytes that are enough to know such a frame */

/* Length of an HTTP head with the empty line that ends it; 0: it goes on. */
size_t websocket_head_length(struct slice bytes);
bool websocket_head_is_upgrade(struct slice head);
bool websocket_begins_request(struct slice bytes); /* "GET ", as far as the bytes go */
bool websocket_begins_answer(struct slice bytes);  /* "HTTP/", likewise */

#endif

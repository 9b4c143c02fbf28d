/* SDP (RFC 8866): the media that a session description offers or answers with, as far as addresses,
 * codecs and direction go.  Part of the public header sip/sip.h. */
#ifndef SIP_SDP_H
#define SIP_SDP_H

#include "sip/sip.h"

#define SIP_SDP_MEDIA_MAX  32u /* m= lines of one description; further ones are counted */
#define SIP_SDP_CODECS_MAX 32u /* formats of one m= line; further ones are passed over */

enum sip_media_direction { SIP_SENDRECV, SIP_SENDONLY, SIP_RECVONLY, SIP_INACTIVE };

struct sip_codec {
    uint8_t payload_type;
    struct slice name; /* "PCMU/8000"; empty: neither rtpmap nor RFC 3551 tells */
    uint32_t rate;     /* of its clock; 0: not known */
};

struct sip_media {
    struct slice kind;         /* "audio" */
    struct slice protocol;     /* "RTP/AVP" */
    struct slice host;         /* of c=, as written */
    struct endpoint rtp, rtcp; /* where it is received; ip.family 0: c= names no address; port 0 of
                                  rtp: refused, or ended */
    enum sip_media_direction direction;
    bool hold; /* sendonly, inactive, or c= is 0.0.0.0 (RFC 2543) */
    bool is_rtp;
    const struct sip_codec *codecs; /* in order of preference; RTP only */
    size_t codec_count;
};

/* The session description in a message's body, also as a part of a multipart one; empty: none. */
struct slice sip_sdp_of(const struct sip_message *m);
/* Its media, in the arena; slices point into the text.  *left_out (may be NULL): m= lines beyond
 * SIP_SDP_MEDIA_MAX. */
size_t sip_sdp_media(struct arena *a, struct slice sdp, const struct sip_media **out,
                     size_t *left_out);
const char *sip_media_direction_name(enum sip_media_direction d); /* "sendrecv" */

#endif

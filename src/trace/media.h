/* Private to trace/: the addresses that session descriptions name, and the RTP streams seen there.
 * Who sends SDP chooses what comes in here: each table has its bound and gives up the longest
 * unnamed. */
#ifndef TRACE_MEDIA_H
#define TRACE_MEDIA_H

#include "packet/packet.h"
#include "sip/sip.h"

#define MEDIA_RATES      8u /* of codecs, remembered for an address */
#define MEDIA_NONE       UINT32_MAX
#define MEDIA_UNMEASURED INT64_MIN

/* One stream as one point saw it; RFC 3550 A.1, A.3 and A.8 have the names. */
struct media_stream {
    struct endpoint src, dst;
    uint32_t ssrc;
    uint16_t point;
    uint8_t payload_type;
    uint32_t next; /* of the same address, the one seen last first; of free ones: the next free */
    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
    uint32_t base_seq, max_seq; /* extended by the times that they wrapped */
    uint64_t received, lost;    /* since base_seq; before it */
    uint32_t rate;              /* of its clock; 0: not known */
    uint32_t transit;
    bool timed;    /* transit is set */
    double jitter; /* in units of the clock */
};

struct media_rate {
    uint8_t payload_type;
    uint32_t rate;
};

/* Where media are received. */
struct media_place {
    struct endpoint at;
    uint32_t tag;
    uint32_t streams, stream_count;
    uint32_t newer, older; /* by when SDP named it last; free ones: newer is the next free */
    struct media_rate rates[MEDIA_RATES];
    uint8_t rate_count;
};

struct media_stats {
    uint64_t places, places_evicted;
    uint64_t streams, streams_left_out; /* beyond TRACE_MEDIA_STREAMS, _STREAMS_AT */
};

struct media_table;

struct media_table *media_table_new(const struct hash_key *key);
void media_table_free(struct media_table *t);
/* A message may name addresses. */
void media_table_note(struct media_table *t, struct arena *scratch, const struct sip_message *m);
/* A datagram to or from one of them?  RTP is counted. */
bool media_table_saw(struct media_table *t, uint16_t point, const struct packet_payload *p);
/* The streams at an address: calls visit for each. */
void media_table_at(const struct media_table *t, const struct endpoint *at,
                    void (*visit)(void *context, const struct media_stream *s), void *context);
const struct media_stats *media_table_stats(const struct media_table *t);
/* Lost so far (RFC 3550 A.3); never below 0, whatever came twice. */
uint64_t media_stream_lost(const struct media_stream *s);

#endif

/* A table of calls for tests of call/: messages are handed in as text, and what the table tells its
 * owner is written down. */
#ifndef TESTS_UNIT_DESK_H
#define TESTS_UNIT_DESK_H

#include "call/call.h"
#include "unit.h"

#define SECOND 1000

struct desk {
    struct call_table *table;
    struct sip_scanner *scanner;
    struct text log;           /* "over a", "retire a" */
    struct slice refuse, take; /* a Call-ID that is parked; one that goes with the next */
    uint32_t parked;
    uint32_t frame;
    uint64_t messages; /* of the legs that were handed out */
};

static inline void on_over(void *context, uint32_t leg)
{
    struct desk *d = context;
    text_printf(&d->log, "over %.*s\n", SLICE_ARG(call_leg_of(d->table, leg)->call_id));
}

static inline bool on_retire(void *context, uint32_t leg)
{
    struct desk *d = context;
    const struct call_leg *l = call_leg_of(d->table, leg);
    if (d->refuse.n && slice_equal(l->call_id, d->refuse)) {
        text_printf(&d->log, "park %.*s\n", SLICE_ARG(l->call_id));
        d->refuse = SLICE_NONE;
        d->parked = leg;
        return false;
    }
    text_printf(&d->log, "retire %.*s\n", SLICE_ARG(l->call_id));
    d->messages += l->messages;
    if (d->take.n && slice_equal(l->call_id, d->take))
        call_leg_take(d->table, d->parked);
    return true;
}

static inline void on_let_go(void *context, uint32_t leg)
{
    struct desk *d = context;
    text_printf(&d->log, "let go %.*s\n", SLICE_ARG(call_leg_of(d->table, leg)->call_id));
}

static inline void desk_open(struct desk *d, uint32_t waiting_max)
{
    const struct hash_key key = hash_key_of(3, 4);
    const struct call_events events = {
        .over = on_over, .retire = on_retire, .let_go = on_let_go, .context = d};
    *d = (struct desk){.scanner = sip_scanner_new()};
    d->table = call_table_new(&key, true, waiting_max, &events);
    text_add(&d->log, SLICE(""));
}

static inline void desk_close(struct desk *d)
{
    call_table_free(d->table);
    sip_scanner_free(d->scanner);
    text_free(&d->log);
}

struct sent {
    const char *text;
    int64_t ms;
    uint16_t point, port;
    uint32_t ip_id;
};

static inline struct call_filing hand_in(struct desk *d, const struct sent *s)
{
    struct sip_message m;
    struct packet_payload p = {.bytes = slice_of(s->text),
                               .time_ns = (1000000 + s->ms) * 1000000,
                               .offset = SOURCE_NO_OFFSET,
                               .frames = &d->frame,
                               .frame_count = 1,
                               .ip_id = s->ip_id,
                               .src.ip.family = 4,
                               .dst.ip.family = 4};
    p.dst.port = s->port;
    d->frame++;
    assert_true(sip_scan_datagram(d->scanner, p.bytes, 0, &m));
    return call_table_add(d->table, s->point, &p, &m);
}

#define ID(id) "Call-ID: " id "\r\n"
#define REST   "\r\nFrom: <sip:alice@a>;tag=f\r\n"
#define ASK(m, id)                                                                                 \
    m " sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1" REST                                  \
      "To: <sip:bob@b>\r\n" ID(id) "CSeq: 1 " m "\r\n"
#define TELL(s, m, id, tag)                                                                        \
    "SIP/2.0 " s "\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1" REST "To: <sip:bob@b>;tag=" tag          \
    "\r\n" ID(id) "CSeq: 1 " m "\r\n"
#define END "\r\n"

#endif

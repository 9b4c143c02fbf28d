/* A laboratory in memory: SIP messages become packets, packets the captures of several points, and
 * the captures a run of trace/ with everything that is judged written down as text. */
#ifndef TESTS_UNIT_LAB_H
#define TESTS_UNIT_LAB_H

#include "capture.h"
#include "trace/trace.h"

#define LAB_POINTS 10
#define LAB_WAYS   64

/* Over TCP, who sends a request opens a connection of its own from some port, or sends it on the
 * one that is there already, whoever opened that. */
enum lab_transport { LAB_UDP, LAB_TCP_OWN, LAB_TCP_ONE, LAB_TRANSPORTS };

/* One direction of a connection. */
struct lab_way {
    struct endpoint src, dst;
    uint32_t sent;
};

enum lab_link { LAB_ETHERNET = 1, LAB_RAW = 101, LAB_SLL2 = 276 };

struct lab_point {
    const char *name;
    enum lab_link link;
    int64_t skew_ms;    /* its clock is ahead by so much */
    size_t snaplen;     /* 0: frames are whole */
    unsigned copies;    /* of each frame, as a switch makes them; 0: one */
    const char *only;   /* of what this address sends and receives; NULL: of all */
    const char *claims; /* an address: a pcapng file that claims it for its host */
    struct bytes file;
};

struct lab {
    struct lab_point points[LAB_POINTS];
    size_t point_count;
    enum lab_transport transport;
    struct lab_way ways[LAB_WAYS];
    size_t way_count;
    int64_t now_ms;
    uint16_t ip_id;
    const char *nat_from, *nat_to,
        *nat_point; /* a point behind NAT: an address that it sees as another */
    /* what the run is told */
    const char *trunks, *values, *trunk_id, *livekit, *nodes[4], *follow[4];
    const char *packs[4], *outside[4]; /* --pack, --outside */
    const struct expect_sayna *sayna;  /* --sayna */
    const char *rules;                 /* --rules, as YAML */
    bool strict;
    bool allow_untested, backwards; /* the points in reverse order */
    /* what it says */
    struct text report, calls;
    enum check_verdict verdict;
    struct text why, findings, causes, messages, joined, addresses, notices;
    struct text ruled; /* what packs and rules found: "severity id message name @node: words" */
    uint64_t transmissions;
};

/* ---- packets -------------------------------------------------------------------------------- */

struct lab_packet {
    const char *src, *dst; /* "10.0.0.1" or "10.0.0.1:5070"; IPv6 in brackets */
    struct slice payload;
    enum lab_transport transport;
    bool by_src;  /* TCP: the source opened the connection, else the destination */
    uint32_t seq; /* likewise */
};

static inline struct endpoint lab_endpoint(const char *text)
{
    struct endpoint e = {.port = 5060};
    struct slice s = slice_of(text);
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    if (colon && !memchr(text, ']', s.n) && memchr(text, '.', s.n)) {
        e.port = (uint16_t)atoi(text + colon);
        s = slice_first(s, colon - 1);
    }
    assert_true(address_parse(s, &e.ip));
    return e;
}

/* Both ends.  Who opens a connection does so from a port of its own, another one to each peer. */
static inline void lab_ends(const struct lab_packet *packet, struct endpoint *src,
                            struct endpoint *dst)
{
    *src = lab_endpoint(packet->src);
    *dst = lab_endpoint(packet->dst);
    struct endpoint *opener = packet->by_src ? src : dst;
    const struct endpoint *peer = packet->by_src ? dst : src;
    if (packet->transport != LAB_UDP)
        opener->port = (uint16_t)(32768 + opener->port % 100 * 100 + peer->ip.bytes[3] +
                                  peer->ip.bytes[2] * 16 + peer->port % 100);
}

static inline void lab_ip(struct bytes *b, const struct endpoint *src, const struct endpoint *dst,
                          uint8_t protocol, size_t n, uint16_t id)
{
    if (src->ip.family == 4) {
        put16(b, 0x4500);
        put16(b, (uint16_t)(20 + n));
        put16(b, id);
        put16(b, 0);
        put16(b, (uint16_t)(64 << 8 | protocol));
        put16(b, 0);
        put(b, src->ip.bytes, 4);
        put(b, dst->ip.bytes, 4);
        return;
    }
    put32(b, 0x60000000);
    put16(b, (uint16_t)n);
    put16(b, (uint16_t)(protocol << 8 | 64));
    put(b, src->ip.bytes, 16);
    put(b, dst->ip.bytes, 16);
}

static inline void lab_link_header(struct bytes *b, enum lab_link link, bool v4, bool out)
{
    uint16_t protocol = v4 ? 0x0800 : 0x86dd;
    if (link == LAB_ETHERNET) {
        put_times(b, 2, 12);
        put16(b, protocol);
    } else if (link == LAB_SLL2) {
        put16(b, protocol);
        put16(b, 0);
        put32(b, 1);
        put16(b, 1);
        put8(b, out ? 4 : 0);
        put8(b, 6);
        put64(b, 0);
    }
}

static inline void lab_frame(struct bytes *b, const struct lab_point *p,
                             const struct lab_packet *packet, bool out, uint16_t id)
{
    struct endpoint src, dst;
    size_t n = packet->payload.n;
    bool tcp = packet->transport != LAB_UDP;
    lab_ends(packet, &src, &dst);
    lab_link_header(b, p->link, src.ip.family == 4, out);
    lab_ip(b, &src, &dst, tcp ? 6 : 17, n + (tcp ? 20 : 8), id);
    put16(b, src.port);
    put16(b, dst.port);
    if (tcp) {
        put32(b, packet->seq);
        put32(b, 1);
        put16(b, 0x5018);
        put32(b, 0xffff0000);
        put16(b, 0);
    } else {
        put16(b, (uint16_t)(8 + n));
        put16(b, 0);
    }
    put_slice(b, packet->payload);
}

/* How many bytes were sent this way; the packet's are added. */
static inline uint32_t lab_send(struct lab *lab, const struct lab_packet *packet)
{
    struct endpoint src, dst;
    size_t i = 0;
    lab_ends(packet, &src, &dst);
    while (i < lab->way_count &&
           !(endpoint_equal(&lab->ways[i].src, &src) && endpoint_equal(&lab->ways[i].dst, &dst)))
        i++;
    assert_true(i < LAB_WAYS);
    if (i == lab->way_count)
        lab->ways[lab->way_count++] = (struct lab_way){src, dst, 1};
    lab->ways[i].sent += (uint32_t)packet->payload.n;
    return lab->ways[i].sent - (uint32_t)packet->payload.n;
}

/* ---- points --------------------------------------------------------------------------------- */

static inline struct lab_point *lab_point(struct lab *lab, const char *name, enum lab_link link)
{
    assert_true(lab->point_count < LAB_POINTS);
    struct lab_point *p = &lab->points[lab->point_count++];
    *p = (struct lab_point){.name = name, .link = link};
    return p;
}

static inline struct lab_point *lab_point_of(struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->point_count; i++)
        if (strcmp(lab->points[i].name, name) == 0)
            return &lab->points[i];
    return NULL;
}

static inline void lab_file_header(struct lab_point *p)
{
    struct bytes options = {0};
    if (!p->claims) {
        pcap_header(&p->file, 0xa1b23c4d, p->link);
        return;
    }
    struct endpoint own = lab_endpoint(p->claims);
    uint8_t mask[17] = {255, 255, 255, 0};
    section_block(&p->file);
    if (own.ip.family == 4) {
        memmove(mask + 4, mask, 4);
        memcpy(mask, own.ip.bytes, 4);
        option(&options, 4, (struct slice){(char *)mask, 8});
    } else {
        memcpy(mask, own.ip.bytes, 16);
        mask[16] = 64;
        option(&options, 5, (struct slice){(char *)mask, 17});
    }
    interface_block(&p->file, (uint16_t)p->link, 0, bytes_slice(&options));
    vec_free(&options);
}

static inline void lab_record(struct lab_point *p, int64_t ms, struct slice frame)
{
    struct slice captured = p->snaplen ? slice_first(frame, p->snaplen) : frame;
    if (p->claims)
        enhanced_block(&p->file, 0, (uint64_t)ms * 1000, captured, SLICE_NONE);
    else
        pcap_record(&p->file, (uint32_t)(ms / 1000), (uint32_t)(ms % 1000 * 1000000), captured,
                    (uint32_t)frame.n);
}

/* A point sees a packet now; `out`: it leaves the point's host. */
static inline void lab_see(struct lab *lab, struct lab_point *p, const struct lab_packet *packet,
                           bool out)
{
    struct bytes frame = {0};
    struct lab_packet seen = *packet;
    if (p->only && strcmp(seen.src, p->only) != 0 && strcmp(seen.dst, p->only) != 0)
        return;
    if (p->file.n == 0)
        lab_file_header(p);
    if (lab->nat_point && strcmp(lab->nat_point, p->name) == 0) {
        seen.src = strcmp(seen.src, lab->nat_from) ? seen.src : lab->nat_to;
        seen.dst = strcmp(seen.dst, lab->nat_from) ? seen.dst : lab->nat_to;
    }
    lab_frame(&frame, p, &seen, out, lab->ip_id);
    for (unsigned i = 0; i < (p->copies ? p->copies : 1); i++)
        lab_record(p, lab->now_ms + p->skew_ms, bytes_slice(&frame));
    vec_free(&frame);
}

/* A point sees a TLS record of a connection whose handshake nobody saw. */
static inline void lab_see_tls(struct lab *lab, struct lab_point *p, const char *from,
                               const char *to, bool out)
{
    struct endpoint src = lab_endpoint(from), dst = lab_endpoint(to);
    struct bytes frame = {0};
    assert_int_equal(src.ip.family, 4);
    lab_link_header(&frame, p->link, true, out);
    put16(&frame, 0x4500);
    put16(&frame, 20 + 20 + 5 + 32);
    put32(&frame, 0);
    put16(&frame, 64 << 8 | 6);
    put16(&frame, 0);
    put(&frame, src.ip.bytes, 4);
    put(&frame, dst.ip.bytes, 4);
    put16(&frame, src.port);
    put16(&frame, dst.port);
    put64(&frame, 1000ull << 32 | 2000);
    put16(&frame, 0x5018);
    put16(&frame, 1000);
    put32(&frame, 0);
    put_slice(&frame, SLICE("\x17\x03\x03\0\x20"));
    put_times(&frame, 0xa5, 32);
    lab_record(p, lab->now_ms + p->skew_ms, bytes_slice(&frame));
    vec_free(&frame);
}

/* ---- the report as text --------------------------------------------------------------------- */

static inline void lab_add(struct text *t, const char *before, struct slice s)
{
    text_printf(t, "%s%.*s", before, SLICE_ARG(s));
}

static inline void lab_guilty(struct text *t, const struct check_guilty *g)
{
    if (g->node.n) {
        lab_add(t, " ", g->node);
        if (g->in.n)
            text_printf(t, " %.*s>%.*s", SLICE_ARG(g->in), SLICE_ARG(g->out));
        return;
    }
    if (g->after.n)
        lab_add(t, " after ", g->after);
    lab_add(t, " before ", g->before);
    for (size_t i = 0; i < g->candidate_count; i++)
        lab_add(t, i ? "," : " among ", g->candidates[i]);
}

static inline void lab_request(struct lab *lab, const struct check_request *r)
{
    static const char states[] = "PMAC";
    struct text *t = &lab->report;
    lab_add(t, "", r->method);
    if (r->status)
        text_printf(t, " %u", r->status);
    text_printf(t, " #%u %s%.*s:", r->cseq, r->applies ? "" : "not owed, ",
                SLICE_ARG(r->sent_by_node));
    for (size_t i = 0; i < r->sighting_count; i++) {
        lab_add(t, " ", r->sightings[i].at);
        lab->transmissions += r->sightings[i].transmissions;
    }
    if (!r->status)
        text_printf(t, " = %u", r->answer_status);
    text_add_char(t, '\n');
    for (size_t i = 0; i < r->header_count; i++) {
        const struct check_header *h = &r->headers[i];
        text_printf(t, "  %.*s %s%s ", SLICE_ARG(h->name), h->expected ? "" : "unexpected ",
                    check_header_verdict_name(h->verdict));
        for (size_t k = 0; k < r->sighting_count; k++)
            text_add_char(t, states[h->states[k]]);
        if (h->guilty.any)
            lab_guilty(t, &h->guilty);
        text_add_char(t, '\n');
    }
    lab_add(&lab->why, "", r->why);
    text_add_char(&lab->why, '\n');
}

/* By a pack, whose name its findings' begin with? */
static inline bool lab_by_pack(const struct lab *lab, const struct check_finding *f)
{
    for (size_t i = 0; i < COUNT(lab->packs) && lab->packs[i]; i++) {
        size_t n = strlen(lab->packs[i]);
        if (strncmp(f->id, lab->packs[i], n) == 0 && f->id[n] == '-')
            return true;
    }
    return false;
}

static inline void lab_ruled(struct lab *lab, const struct check_finding *f)
{
    if (!lab_by_pack(lab, f) && !f->rule)
        return;
    text_printf(&lab->ruled, "%s %s %.*s %.*s @%.*s: ", check_severity_name(f->severity), f->id,
                SLICE_ARG(f->method), SLICE_ARG(f->header), SLICE_ARG(f->node));
    text_add_terminal(&lab->ruled, f->message);
    text_add_char(&lab->ruled, '\n');
}

static inline void lab_judged(void *context, const struct check_call *call)
{
    struct lab *lab = context;
    for (size_t i = 0; i < call->call_id_count; i++)
        lab_add(&lab->report, i ? "+" : "", call->call_ids[i]);
    text_printf(&lab->report, " %s %s", call->direction, check_verdict_name(call->verdict));
    if (call->trunk)
        lab_add(&lab->report, " ", call->trunk->id);
    text_add_char(&lab->report, '\n');
    for (size_t i = 0; i < call->request_count; i++)
        lab_request(lab, &call->requests[i]);
    for (size_t i = 0; i < call->finding_count; i++) {
        const struct check_finding *f = &call->findings[i];
        text_printf(&lab->findings, "%s %.*s %.*s\n", f->id, SLICE_ARG(f->method),
                    SLICE_ARG(f->header));
        lab_ruled(lab, f);
    }
    for (size_t i = 0; i < call->cause_count; i++) {
        const struct check_cause *c = &call->causes[i];
        text_printf(&lab->causes, "%s %s\n", check_confidence_name(c->confidence), c->id);
        text_printf(&lab->messages, "%s: %.*s. %.*s\n", c->id, SLICE_ARG(c->message),
                    SLICE_ARG(c->remedy));
    }
    lab_add(&lab->joined, "", call->joined);
}

static inline void lab_listed(void *context, const struct call_summary *call)
{
    struct lab *lab = context;
    for (size_t i = 0; i < call->call_id_count; i++)
        lab_add(&lab->calls, i ? "+" : "", call->call_ids[i]);
    text_printf(&lab->calls, " %s %u %u\n", call_outcome_name(call->outcome), call->messages,
                call->sightings);
}

static inline void lab_nodes(struct lab *lab, struct trace *t)
{
    const struct trace_node *nodes;
    size_t n = trace_nodes(t, &nodes);
    for (size_t i = 0; i < n; i++) {
        lab_add(&lab->addresses, "", nodes[i].name);
        for (size_t k = 0; k < nodes[i].address_count; k++)
            if (!slice_equal(nodes[i].addresses[k], nodes[i].name))
                lab_add(&lab->addresses, " ", nodes[i].addresses[k]);
        text_add_char(&lab->addresses, '\n');
    }
}

static inline void lab_notices(struct lab *lab, struct trace *t)
{
    const struct trace_notice *notices;
    size_t n = trace_notices(t, &notices);
    for (size_t i = 0; i < n; i++) {
        lab_add(&lab->notices, "", notices[i].text);
        text_add_char(&lab->notices, '\n');
    }
}

/* ---- the run -------------------------------------------------------------------------------- */

static inline size_t lab_count(const char *const *list, size_t limit)
{
    size_t n = 0;
    while (n < limit && list[n])
        n++;
    return n;
}

static inline void lab_open(struct lab *lab, struct trace *t, int fds[LAB_POINTS])
{
    struct err err;
    for (size_t k = 0; k < lab->point_count; k++) {
        struct lab_point *p = &lab->points[lab->backwards ? lab->point_count - 1 - k : k];
        char path[64], spec[128];
        if (p->file.n == 0)
            lab_file_header(p);
        fds[k] = temporary(bytes_slice(&p->file), path);
        snprintf(spec, sizeof spec, "%s=%s", p->name, path);
        if (!trace_add(t, spec, &err))
            fail_msg("%s", err.text);
    }
}

static inline void lab_trace(struct lab *lab, const struct check_options *o,
                             struct check_summary *s, const struct trace_sinks *sinks)
{
    struct trace_options options = {.check = o,
                                    .summary = s,
                                    .livekit = lab->livekit,
                                    .nodes = lab->nodes,
                                    .node_count = lab_count(lab->nodes, COUNT(lab->nodes))};
    struct trace *t = trace_new(&options);
    struct err err;
    int fds[LAB_POINTS];
    lab_open(lab, t, fds);
    if (!trace_run(t, sinks, &err))
        fail_msg("%s", err.text);
    lab_nodes(lab, t);
    lab_notices(lab, t);
    trace_free(t);
    for (size_t i = 0; i < lab->point_count; i++)
        close(fds[i]);
}

static inline void lab_forget(struct lab *lab)
{
    struct text *all[] = {&lab->report, &lab->calls,     &lab->why,     &lab->findings,
                          &lab->joined, &lab->addresses, &lab->notices, &lab->ruled,
                          &lab->causes, &lab->messages};
    for (size_t i = 0; i < COUNT(all); i++) {
        text_free(all[i]);
        *all[i] = (struct text){0};
        text_add(all[i], SLICE(""));
    }
    lab->transmissions = 0;
}

static inline void lab_run_findings(struct lab *lab, const struct check_summary *summary)
{
    for (size_t i = 0; i < summary->findings.n; i++) {
        const struct check_run_finding *f = &summary->findings.items[i];
        text_printf(&lab->ruled, "%s %s %.*s: ", check_severity_name(f->severity), f->id,
                    SLICE_ARG(f->header));
        text_add_terminal(&lab->ruled, f->message);
        text_add_char(&lab->ruled, '\n');
    }
}

static inline void lab_packs(const struct lab *lab, struct check_options *o)
{
    for (size_t i = 0; i < COUNT(lab->packs) && lab->packs[i]; i++) {
        size_t k = 0;
        while (strcmp(check_pack_at(k)->name, lab->packs[i]) != 0)
            k++;
        o->packs |= 1u << k;
        o->everything = true;
    }
}

/* Reads all points and judges; what the run says before is forgotten. */
static inline void lab_run(struct lab *lab)
{
    struct expect_trunks trunks = {0};
    struct expect_values values = {0};
    struct expect_rules rules = {0};
    struct expect_mistakes mistakes = {0};
    struct check_summary summary;
    struct slice follow[COUNT(lab->follow)];
    struct err err;
    struct check_options o = {
        .trunks = &trunks, .follow = follow, .allow_untested = lab->allow_untested};
    lab_forget(lab);
    if (lab->trunks && !expect_trunks_parse(&trunks, "trunks", slice_of(lab->trunks), &err))
        fail_msg("%s", err.text);
    if (lab->values && !expect_values_parse(&values, "values", slice_of(lab->values), &err))
        fail_msg("%s", err.text);
    o.values = lab->values ? &values : NULL;
    o.forced = lab->trunk_id ? expect_trunk_by_id(&trunks, slice_of(lab->trunk_id)) : NULL;
    o.follow_count = lab_count(lab->follow, COUNT(lab->follow));
    for (size_t i = 0; i < o.follow_count; i++)
        follow[i] = slice_of(lab->follow[i]);
    lab_packs(lab, &o);
    if (lab->rules && !expect_rules_parse(&rules, "rules", slice_of(lab->rules), &mistakes))
        fail_msg("%s", mistakes.items[0].p);
    o.rules = &rules;
    o.strict = lab->strict;
    struct check_outside outside[COUNT(lab->outside)];
    o.outside = outside;
    o.sayna = lab->sayna;
    o.outside_count = lab_count(lab->outside, COUNT(lab->outside));
    for (size_t i = 0; i < o.outside_count; i++)
        outside[i] = check_outside_of(slice_of(lab->outside[i]));
    check_summary_init(&summary, &o);
    struct trace_sinks sinks = {.call = lab_listed, .check = lab_judged, .context = lab};
    lab_trace(lab, &o, &summary, &sinks);
    check_summary_end(&summary, &o);
    lab_run_findings(lab, &summary);
    lab->verdict = check_summary_verdict(&summary, &o);
    check_summary_free(&summary);
    expect_rules_free(&rules);
    expect_mistakes_free(&mistakes);
    expect_values_free(&values);
    expect_trunks_free(&trunks);
}

/* Forgets the captures as well. */
static inline void lab_free(struct lab *lab)
{
    lab_forget(lab);
    for (size_t i = 0; i < lab->point_count; i++)
        vec_free(&lab->points[i].file);
    struct text *all[] = {&lab->report, &lab->calls,     &lab->why,     &lab->findings,
                          &lab->joined, &lab->addresses, &lab->notices, &lab->ruled,
                          &lab->causes, &lab->messages};
    for (size_t i = 0; i < COUNT(all); i++)
        text_free(all[i]);
    *lab = (struct lab){0};
}

#endif

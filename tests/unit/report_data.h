/* A judged call made by hand, for the tests of the reports: a BYE over six sightings. */
#ifndef TESTS_UNIT_REPORT_DATA_H
#define TESTS_UNIT_REPORT_DATA_H

#include "report/report.h"

#include "unit.h"

#include <stdio.h>

#define DATA_HEADERS   8u
#define DATA_SIGHTINGS 12u

/* Where the parts of one call lie; data_call fills it, tests change what they want to see printed.
 */
struct data {
    struct arena arena;
    struct check_call call;
    struct check_request requests[3];
    struct check_sighting sightings[DATA_SIGHTINGS];
    struct check_header headers[DATA_HEADERS];
    enum check_state states[DATA_HEADERS][DATA_SIGHTINGS];
    struct expect_list values[DATA_HEADERS][DATA_SIGHTINGS];
    struct check_finding findings[DATA_HEADERS];
    struct expect_trunk trunk;
    struct slice call_ids[2];
};

static inline void data_sighting(struct data *d, const char *point, const char *side)
{
    struct check_request *r = &d->requests[0];
    struct check_sighting *s = &d->sightings[r->sighting_count++];
    static const uint32_t frames[] = {14, 15};
    *s = (struct check_sighting){.at = arena_printf(&d->arena, "%s:%s", point, side),
                                 .point = slice_of(point),
                                 .node = slice_of(point),
                                 .side = slice_of(side),
                                 .transport = "udp",
                                 .call_id = d->call_ids[0],
                                 .cseq = 2,
                                 .frames = frames,
                                 .frame_count = 2,
                                 .transmissions = 2};
    address_parse(SLICE("10.0.1.10"), &s->src.ip);
    address_parse(SLICE("fd00::1"), &s->dst.ip);
    s->src.port = s->dst.port = 5060;
}

/* A header with the same value everywhere up to `until`, and missing from there on. */
static inline struct check_header *data_header(struct data *d, struct slice name,
                                               struct slice value, size_t until)
{
    struct check_request *r = &d->requests[0];
    size_t i = r->header_count++;
    struct slice *item = ARENA_NEW(&d->arena, struct slice);
    *item = value;
    for (size_t k = 0; k < r->sighting_count; k++) {
        d->states[i][k] = k < until ? CHECK_STATE_PRESENT : CHECK_STATE_MISSING;
        d->values[i][k] = (struct expect_list){item, k < until};
    }
    d->headers[i] = (struct check_header){
        .name = name, .expected = true, .states = d->states[i], .values = d->values[i]};
    return &d->headers[i];
}

static inline void data_call(struct data *d)
{
    *d = (struct data){0};
    d->call_ids[0] = SLICE("a84b4c76e66710@carrier.example");
    d->trunk = (struct expect_trunk){.id = SLICE("ST_a"), .name = SLICE("My Five9 trunk")};
    d->requests[0] = (struct check_request){.method = SLICE("BYE"),
                                            .cseq = 2,
                                            .sent_by_node = SLICE("livekit"),
                                            .sent_by_address = SLICE("10.0.1.10"),
                                            .applies = true,
                                            .why = SLICE("LiveKit sent it"),
                                            .sightings = d->sightings,
                                            .headers = d->headers,
                                            .answer_status = 200,
                                            .answer_reason = SLICE("OK")};
    d->call = (struct check_call){.call_ids = d->call_ids,
                                  .call_id_count = 1,
                                  .direction = "inbound",
                                  .caller = SLICE("+14155550100"),
                                  .callee = SLICE("+15105550100"),
                                  .trunk = &d->trunk,
                                  .verdict = CHECK_FAIL,
                                  .requests = d->requests,
                                  .request_count = 1,
                                  .findings = d->findings};
}

/* livekit:out kam1:in kam1:out kam2:in kam2:out five9:in; kam1 strips the first of three headers */
static inline void data_stripped_call(struct data *d)
{
    data_call(d);
    data_sighting(d, "livekit", "out");
    data_sighting(d, "kam1", "in");
    data_sighting(d, "kam1", "out");
    data_sighting(d, "kam2", "in");
    data_sighting(d, "kam2", "out");
    data_sighting(d, "five9", "in");
    struct check_header *h = data_header(d, SLICE("X-Five9-Queue"), SLICE("Billing"), 2);
    h->verdict = CHECK_STRIPPED;
    h->guilty = (struct check_guilty){
        .any = true, .node = SLICE("kam1"), .in = SLICE("10.0.1.1"), .out = SLICE("10.0.2.1")};
    data_header(d, SLICE("X-Five9-Language"), SLICE("en-US"), 6);
    data_header(d, SLICE("X-Five9-Summary"), SLICE("Caller asked for a refund of the invoice"), 6);
    static const struct check_evidence evidence[] = {{SLICE("kam1"), 25}};
    d->findings[0] = (struct check_finding){.id = "header-stripped",
                                            .severity = CHECK_ERROR,
                                            .method = SLICE("BYE"),
                                            .header = SLICE("X-Five9-Queue"),
                                            .node = SLICE("kam1"),
                                            .message = SLICE("kam1 strips X-Five9-Queue from BYE"),
                                            .evidence = evidence,
                                            .evidence_count = 1};
    d->call.finding_count = 1;
}

static inline void data_free(struct data *d)
{
    arena_free(&d->arena);
}

/* Everything that comes from the wire, hostile. */
static inline void data_hostile(struct data *d, struct slice s)
{
    data_stripped_call(d);
    struct slice *value = ARENA_NEW(&d->arena, struct slice);
    *value = s;
    d->call_ids[0] = s;
    d->call.caller = d->call.callee = d->call.joined = s;
    d->trunk.name = d->trunk.id = s;
    d->requests[0].method = d->requests[0].sent_by_node = d->requests[0].why =
        d->requests[0].answer_reason = s;
    for (size_t i = 0; i < d->requests[0].header_count; i++)
        d->headers[i].name = s;
    d->headers[0].guilty.node = s;
    d->sightings[0].call_id = d->sightings[0].at = d->sightings[0].point = s;
    for (size_t i = 0; i < 6; i++)
        d->values[1][i] = (struct expect_list){value, 1};
    d->findings[0].method = d->findings[0].header = d->findings[0].node = d->findings[0].message =
        s;
}

#endif

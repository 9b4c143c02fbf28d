/* Any file, as a capture of two points: it is run through the whole program with a trunk and
 * without, and what is reported of it is valid. */
#include "report/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char trunk[] =
    "{\"sip_trunk_id\": \"ST_fuzz\", \"numbers\": [\"+15105550100\"], "
    "\"headers_to_attributes\": {\"X-Five9-CallId\": \"five9.callId\"}, "
    "\"attributes_to_headers\": {\"five9.queue\": \"X-Five9-Queue\", \"five9.call\": \"X-Call\"}}";

struct run {
    const struct trace *trace;
    struct report_style style;
    struct text text, json;
    struct report_calls calls;
    struct report_messages messages;
    size_t judged;
};

static void on_message(void *context, const struct trace_message *m)
{
    struct run *r = context;
    report_message_text(&r->text, &r->messages, "p", m);
    report_message_ndjson(&r->text, &r->messages, "p", m);
}

static void on_call(void *context, const struct call_summary *call)
{
    struct run *r = context;
    trace_points(r->trace, &r->calls.points);
    report_call_text(&r->text, &r->calls, call);
    report_call_csv(&r->text, &r->calls, call);
    report_call_ndjson(&r->text, &r->calls, call);
}

static void on_check(void *context, const struct check_call *call)
{
    struct run *r = context;
    report_check_text(&r->text, &r->style, call);
    report_check_json_call(&r->json, &r->style, r->judged++ == 0, call);
}

/* JSON that can be read back (unless for a NUL, which trunk files may not have); text without a
 * control character but the white ones that CSV quotes. */
static void check_outputs(struct run *r, const struct report_run *known)
{
    struct text whole = {0};
    struct err err;
    report_check_json_head(&whole, known);
    text_add(&whole, text_slice(&r->json));
    report_check_json_tail(&whole, known, r->judged > 0);
    struct json *back = json_parse("back", text_slice(&whole), &err);
    assert(back || strstr(err.text, "\\u0000"));
    json_free(back);
    report_check_text_end(&r->text, &r->style, known);
    for (size_t i = 0; i < r->text.n; i++)
        assert((unsigned char)r->text.p[i] >= 0x20 ||
               (r->text.p[i] && strchr("\t\r\n", r->text.p[i])));
    text_free(&whole);
}

static void run(int fd, const struct expect_trunks *trunks)
{
    struct check_options check = {.trunks = trunks};
    struct check_summary summary;
    struct trace_options options = {.check = &check, .summary = &summary};
    struct run r = {.style = {.width = 80, .verbose = true}, .messages.style.verbose = true};
    struct trace_sinks sinks = {
        .message = on_message, .call = on_call, .check = on_check, .context = &r};
    const struct trace_notice *notices;
    struct err err;
    char a[64], b[64];
    snprintf(a, sizeof a, "a=/proc/self/fd/%d", fd);
    snprintf(b, sizeof b, "b=/proc/self/fd/%d", fd);
    check_summary_init(&summary, &check);
    struct trace *t = trace_new(&options);
    if (trace_add(t, a, &err) && trace_add(t, b, &err)) {
        struct report_run known = {.version = "0", .verdict = CHECK_PASS, .summary = &summary};
        r.trace = t;
        bool good = trace_run(t, &sinks, &err);
        known.point_count = trace_points(t, &known.points);
        assert(good || err.text[0]);
        known.node_count = good ? trace_nodes(t, &known.nodes) : 0;
        trace_notices(t, &notices);
        check_outputs(&r, &known);
    }
    trace_free(t);
    check_summary_free(&summary);
    report_messages_free(&r.messages);
    text_free(&r.text);
    text_free(&r.json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct expect_trunks none = {0}, trunks = {0};
    struct err err;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) {
        perror("memfd_create");
        _exit(2);
    }
    if (!expect_trunks_parse(&trunks, "trunk", slice_of(trunk), &err))
        _exit(2);
    run(fd, &none);
    run(fd, &trunks);
    expect_trunks_free(&trunks);
    close(fd);
    return 0;
}

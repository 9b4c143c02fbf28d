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

static const char *const formats[] = {"text",     "json", "tap",    "junit",
                                      "markdown", "html", "github", "ndjson"};
#define FORMATS (sizeof formats / sizeof *formats)

struct run {
    const struct trace *trace;
    struct text text;
    struct report_check checks[FORMATS];
    struct text reports[FORMATS]; /* the calls */
    struct report_calls calls;
    struct report_messages messages;
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
    for (size_t i = 0; i < FORMATS; i++)
        report_check_call(&r->reports[i], &r->checks[i], call);
}

/* JSON that can be read back (unless for a NUL, which trunk files may not have). */
static void check_json(const struct text *t)
{
    struct err err;
    struct json *back = json_parse("back", text_slice(t), &err);
    assert(back || strstr(err.text, "\\u0000"));
    json_free(back);
}

/* Without a control character but the white ones that CSV quotes. */
static void check_text(const struct text *t)
{
    for (size_t i = 0; i < t->n; i++)
        assert((unsigned char)t->p[i] >= 0x20 || (t->p[i] && strchr("\t\r\n", t->p[i])));
}

static void check_outputs(struct run *r, const struct report_run *known)
{
    check_text(&r->text);
    for (size_t i = 0; i < FORMATS; i++) {
        struct text whole = {0};
        report_check_begin(&whole, &r->checks[i], known);
        text_add(&whole, text_slice(&r->reports[i]));
        report_check_end(&whole, &r->checks[i], known);
        check_text(&whole);
        if (strcmp(formats[i], "json") == 0)
            check_json(&whole);
        text_free(&whole);
    }
}

static void run(int fd, const struct expect_trunks *trunks)
{
    const struct check_outside outside = check_outside_of(SLICE("10.0.0.0/9"));
    const struct expect_sayna sayna = {0};
    struct check_options check = {.trunks = trunks,
                                  .everything = true,
                                  .packs = UINT32_MAX,
                                  .outside = &outside,
                                  .outside_count = 1,
                                  .sayna = &sayna};
    struct check_summary summary;
    struct trace_options options = {.check = &check, .summary = &summary};
    struct run r = {.messages.style.verbose = true};
    struct trace_sinks sinks = {
        .message = on_message, .call = on_call, .check = on_check, .context = &r};
    const struct trace_notice *notices;
    struct err err;
    char a[64], b[64];
    snprintf(a, sizeof a, "a=/proc/self/fd/%d", fd);
    snprintf(b, sizeof b, "b=/proc/self/fd/%d", fd);
    for (size_t i = 0; i < FORMATS; i++)
        r.checks[i] = (struct report_check){.format = report_format(formats[i]),
                                            .style = {.width = 80, .verbose = true}};
    check_summary_init(&summary, &check);
    struct trace *t = trace_new(&options);
    if (trace_add(t, a, &err) && trace_add(t, b, &err)) {
        struct report_run known = {.version = "0", .verdict = CHECK_PASS, .summary = &summary};
        r.trace = t;
        bool good = trace_run(t, &sinks, &err);
        check_summary_end(&summary, &check);
        known.point_count = trace_points(t, &known.points);
        assert(good || err.text[0]);
        known.node_count = good ? trace_nodes(t, &known.nodes) : 0;
        trace_notices(t, &notices);
        check_outputs(&r, &known);
    }
    trace_free(t);
    check_summary_free(&summary);
    report_messages_free(&r.messages);
    for (size_t i = 0; i < FORMATS; i++) {
        report_check_free(&r.checks[i]);
        text_free(&r.reports[i]);
    }
    text_free(&r.text);
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

/* Any file, as a capture of two points: the flow of each call in every format, and its calls listed
 * and counted by headers; no output has a byte that moves a terminal. */
#include "report/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct run {
    const struct trace *trace;
    struct view_options options;
    struct report_style style;
    struct report_calls calls;
    struct report_groups *groups;
    struct text list, text, page;
    uint64_t drawn;
};

static void on_flow(void *context, const struct hop_call *call)
{
    struct run *r = context;
    struct arena a = {0};
    const struct report_svg svg = {.prefix = "p-", .links = r->style.ascii};
    const struct view_ladder *l = view_ladder_build(&a, call, &r->options);
    for (size_t i = 0; i < l->row_count; i++) {
        assert(l->rows[i].from < l->column_count && l->rows[i].to < l->column_count);
        assert(i == 0 || l->rows[i].time_ns >= l->rows[i - 1].time_ns);
    }
    report_flow_text(&r->text, &r->style, l, true);
    report_flow_mermaid(&r->page, l);
    report_ladder_svg(&r->page, l, &svg);
    report_flow_html(&r->page, &r->style, l, ++r->drawn);
    arena_free(&a);
}

static void on_call(void *context, const struct call_summary *call)
{
    struct run *r = context;
    trace_points(r->trace, &r->calls.points);
    report_call_text(&r->list, &r->calls, call);
    report_call_csv(&r->list, &r->calls, call);
    report_call_ndjson(&r->list, &r->calls, call);
    report_groups_count(r->groups, r->calls.points, call);
}

static void check_text(const struct text *t, bool ascii)
{
    for (size_t i = 0; i < t->n; i++) {
        unsigned char c = (unsigned char)t->p[i];
        assert(c >= 0x20 || c == '\n' || c == '\r' || c == '\t');
        assert(!ascii || c < 0x80);
    }
}

static void run(int fd, bool ascii)
{
    static const struct report_column columns[] = {
        {REPORT_COLUMN_START, {"start", 5}, {NULL, 0}, 0},
        {REPORT_COLUMN_TALK, {"talk", 4}, {NULL, 0}, 0},
        {REPORT_COLUMN_HEADER, {"INVITE:X-A", 10}, {"X-A", 3}, 0},
        {REPORT_COLUMN_HEADER, {"200:Authorization", 17}, {"Authorization", 13}, 1},
        {REPORT_COLUMN_POINTS, {"points", 6}, {NULL, 0}, 0},
    };
    static const struct call_want wants[] = {
        {.header = {"X-A", 3}, .method = {"INVITE", 6}, .requests_only = true},
        {.header = {"Authorization", 13}, .status_from = 200, .status_to = 299},
    };
    const struct trace_options options = {.wants = wants, .want_count = 2};
    struct run r = {.style = {.width = ascii ? 40 : 132, .ascii = ascii, .verbose = ascii},
                    .calls = {.columns = columns, .column_count = 5}};
    struct trace_sinks sinks = {.flow = on_flow, .call = on_call, .context = &r};
    struct err err;
    char a[64], b[64];
    snprintf(a, sizeof a, "a=/proc/self/fd/%d", fd);
    snprintf(b, sizeof b, "b=/proc/self/fd/%d", fd);
    r.groups = report_groups_new(&r.style, &columns[2]);
    struct trace *t = trace_new(&options);
    if (trace_add(t, a, &err) && trace_add(t, b, &err)) {
        r.trace = t;
        bool good = trace_run(t, &sinks, &err);
        assert(good || err.text[0]);
        struct text groups = {0};
        report_groups_text(&groups, r.groups);
        report_groups_csv(&groups, r.groups);
        report_groups_ndjson(&groups, r.groups);
        check_text(&groups, false);
        check_text(&r.list, false);
        check_text(&r.text, ascii);
        check_text(&r.page, false);
        text_free(&groups);
    }
    trace_free(t);
    report_groups_free(r.groups);
    text_free(&r.list);
    text_free(&r.text);
    text_free(&r.page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) {
        perror("memfd_create");
        _exit(2);
    }
    run(fd, false);
    run(fd, true);
    close(fd);
    return 0;
}

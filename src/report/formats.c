/* The formats of check, each with its functions. */
#include "report/internal.h"

static void text_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    if (!r->changes || report_has_news(call))
        report_check_text(out, &r->style, call);
}

static void text_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    report_check_text_end(out, &r->style, run);
}

static void json_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    (void)r;
    report_check_json_head(out, run);
}

static void json_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    report_check_json_call(out, &r->style, r->calls == 0, r->changes, call);
}

static void json_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    report_check_json_tail(out, run, r->calls > 0);
}

static const struct report_format formats[] = {
    {.name = "text", .call = text_call, .end = text_end},
    {.name = "json", .whole = true, .begin = json_begin, .call = json_call, .end = json_end},
    {.name = "tap", .begin = report_tap_begin, .call = report_tap_call, .end = report_tap_end},
    {.name = "junit",
     .whole = true,
     .begin = report_junit_begin,
     .call = report_junit_call,
     .end = report_junit_end},
    {.name = "markdown",
     .whole = true,
     .begin = report_markdown_begin,
     .call = report_markdown_call,
     .end = report_markdown_end},
    {.name = "html",
     .whole = true,
     .everything = true,
     .begin = report_page_begin,
     .call = report_page_call,
     .end = report_page_end},
    {.name = "github", .call = report_github_call, .end = report_github_end},
    {.name = "ndjson",
     .begin = report_events_begin,
     .call = report_events_call,
     .end = report_events_end,
     .lost = report_events_lost},
    {.name = "live", .call = report_live_call, .end = report_live_end, .lost = report_live_lost},
};

const struct report_format *report_format(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (slice_is(slice_of(formats[i].name), name))
            return &formats[i];
    return NULL;
}

bool report_format_is_whole(const struct report_format *f)
{
    return f->whole;
}

bool report_format_wants_everything(const struct report_format *f)
{
    return f->everything;
}

void report_check_begin(struct text *out, struct report_check *r, const struct report_run *run)
{
    if (r->format->begin)
        r->format->begin(out, r, run);
}

void report_check_call(struct text *out, struct report_check *r, const struct check_call *call)
{
    r->format->call(out, r, call);
    r->calls++;
}

void report_check_end(struct text *out, struct report_check *r, const struct report_run *run)
{
    r->format->end(out, r, run);
}

void report_check_lost(struct text *out, struct report_check *r, const struct report_loss *loss)
{
    if (r->format->lost)
        r->format->lost(out, r, loss);
}

void report_check_free(struct report_check *r)
{
    text_free(&r->aside);
}

/* Messages that the program itself has, as points of a trace: both ends of a call over a proxy that
 * strips, with and without a point on the proxy, handed in at once or while the trace runs. */
#include "capture.h"
#include "trace/trace.h"

#define CALLER "127.0.0.1:5071"
#define PROXY  "127.0.0.1:5060"
#define CALLEE "127.0.0.1:5072"

#define VIA(at, branch) "Via: SIP/2.0/UDP " at ";branch=z9hG4bK" branch "\r\n"
#define REST(from, to, method)                                                                     \
    "From: <sip:a@x>;tag=" from "\r\nTo: <sip:b@x>" to "\r\nCall-ID: c1@x\r\nCSeq: 1 " method      \
    "\r\nContent-Length: 0\r\n"
#define BYE      "BYE sip:b@" CALLEE " SIP/2.0\r\n"
#define OK       "SIP/2.0 200 OK\r\n"
#define X        "X-Probe: a value\r\n"
#define UP(m)    BYE VIA(CALLER, "1") REST("1", ";tag=2", m)
#define DOWN(m)  BYE VIA(PROXY, "2") VIA(CALLER, "1") REST("1", ";tag=2", m)
#define BACK(m)  OK VIA(PROXY, "2") VIA(CALLER, "1") REST("1", ";tag=2", m)
#define BACK2(m) OK VIA(CALLER, "1") REST("1", ";tag=2", m)

enum at { AT_CALLER, AT_PROXY_IN, AT_PROXY_OUT, AT_CALLEE, AT_COUNT };

static const struct said {
    const char *src, *dst, *text;
} said[] = {
    {CALLER, PROXY, UP("BYE") X "\r\n"},
    {PROXY, CALLEE, DOWN("BYE") "\r\n"},
    {CALLEE, PROXY, BACK("BYE") X "\r\n"},
    {PROXY, CALLER, BACK2("BYE") X "\r\n"},
};

static struct endpoint at(const char *text)
{
    struct endpoint e = {.port = (uint16_t)atoi(strchr(text, ':') + 1)};
    assert_true(address_parse(slice_first(slice_of(text), 9), &e.ip));
    return e;
}

static void give(struct source *s, const struct said *m, enum source_direction direction)
{
    static int64_t now = 1000;
    const struct source_given given = {
        .bytes = slice_of(m->text),
        .time_ns = now += 1000,
        .direction = direction,
        .message = {.ip_protocol = 17, .src = at(m->src), .dst = at(m->dst)},
    };
    source_given_add(s, &given);
}

static void give_ends(struct source *caller, struct source *callee)
{
    give(caller, &said[0], SOURCE_OUT);
    give(callee, &said[1], SOURCE_IN);
    give(callee, &said[2], SOURCE_OUT);
    give(caller, &said[3], SOURCE_IN);
}

static void give_proxy(struct source *proxy)
{
    for (size_t i = 0; i < COUNT(said); i++)
        give(proxy, &said[i], i % 2 ? SOURCE_OUT : SOURCE_IN);
}

struct told {
    struct text text;
};

static void tell(void *context, const struct check_call *call)
{
    struct told *told = context;
    for (size_t i = 0; i < call->request_count; i++) {
        const struct check_request *r = &call->requests[i];
        text_printf(&told->text, "%.*s %u:", SLICE_ARG(r->method), r->status);
        for (size_t k = 0; k < r->sighting_count; k++)
            text_printf(&told->text, " %.*s#%u", SLICE_ARG(r->sightings[k].at),
                        r->sightings[k].frames[0]);
        for (size_t k = 0; k < r->header_count; k++) {
            const struct check_guilty *g = &r->headers[k].guilty;
            text_printf(&told->text, " %s", check_header_verdict_name(r->headers[k].verdict));
            if (g->node.n)
                text_printf(&told->text, " by %.*s", SLICE_ARG(g->node));
            for (size_t c = 0; c < g->candidate_count; c++)
                text_printf(&told->text, " %.*s?", SLICE_ARG(g->candidates[c]));
        }
        text_add_char(&told->text, '\n');
    }
}

/* What the run needs, and what it tells. */
struct run {
    struct check_options check;
    struct check_summary summary;
    struct trace_options options;
    struct trace *trace;
    struct told told;
    struct trace_sinks sinks;
};

static void begin(struct run *r)
{
    *r = (struct run){.check = {.everything = true}};
    check_summary_init(&r->summary, &r->check);
    r->options = (struct trace_options){.check = &r->check, .summary = &r->summary};
    r->trace = trace_new(&r->options);
    r->sinks = (struct trace_sinks){.check = tell, .context = &r->told};
}

static void end(struct run *r, const char *expected)
{
    assert_string_equal(r->told.text.p ? r->told.text.p : "", expected);
    trace_free(r->trace);
    check_summary_free(&r->summary);
    text_free(&r->told.text);
}

static struct source *add(struct run *r, const char *name)
{
    struct err err;
    struct source *s = trace_add_given(r->trace, name, "the probe", &err);
    assert_non_null(s);
    return s;
}

static void ends_alone(void **state)
{
    struct run r;
    struct err err;
    (void)state;
    begin(&r);
    struct source *caller = add(&r, "caller"), *callee = add(&r, "callee");
    give_ends(caller, callee);
    source_given_end(caller);
    source_given_end(callee);
    assert_true(trace_run(r.trace, &r.sinks, &err));
    end(&r, "BYE 0: caller:out#1 callee:in#1 stripped 127.0.0.1:5060?\n"
            "BYE 200: callee:out#2 caller:in#2 ok\n");
}

/* The point on the proxy comes when the run is under way already, as a file read afterwards does.
 */
static void proxy_joins(void **state)
{
    struct run r;
    struct err err;
    (void)state;
    begin(&r);
    struct source *caller = add(&r, "caller"), *callee = add(&r, "callee");
    assert_true(trace_run_begin(r.trace, &r.sinks, &err));
    assert_int_equal(trace_run_step(r.trace, 10, &err), TRACE_WAIT);
    give_ends(caller, callee);
    assert_int_equal(trace_run_step(r.trace, 1, &err), TRACE_MORE);
    assert_int_equal(trace_run_step(r.trace, 10, &err), TRACE_WAIT);
    source_given_end(caller);
    source_given_end(callee);
    struct source *proxy = add(&r, "kam1");
    give_proxy(proxy);
    source_given_end(proxy);
    assert_int_equal(trace_run_step(r.trace, 10, &err), TRACE_OVER);
    assert_true(trace_run_end(r.trace, &err));
    end(&r, "BYE 0: caller:out#1 kam1:in#1 kam1:out#2 callee:in#1 stripped by kam1\n"
            "BYE 200: callee:out#2 kam1:in#3 kam1:out#4 caller:in#2 ok\n");
}

static void names_are_one_each(void **state)
{
    struct run r;
    struct err err;
    (void)state;
    begin(&r);
    add(&r, "caller");
    assert_null(trace_add_given(r.trace, "caller", "the probe", &err));
    assert_non_null(strstr(err.text, "a second point named caller"));
    end(&r, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_alone),
        cmocka_unit_test(proxy_joins),
        cmocka_unit_test(names_are_one_each),
    };
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

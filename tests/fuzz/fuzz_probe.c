/* Fuzzes the probe by its path: the two ends of a call talk over a wire on which the input does
 * what it likes, message by message.  Each byte that is an edit is followed by what it needs. */
#include "probe/internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TURNS_MAX 500
#define TURN_MS   100

enum edit { PASS, DROP, TWICE, CUT, SET, INSERT, REMOVE, OTHER, EDITS };

static const struct slice no_lines[1];

#define STEP(end, verb, code)                                                                      \
    {                                                                                              \
        .from = (end), .method = SLICE(verb), .status = (code), .lines = no_lines                  \
    }

static const struct probe_step steps[] = {
    STEP(PROBE_CALLER, "INVITE", 0),   STEP(PROBE_CALLEE, "INVITE", 180),
    STEP(PROBE_CALLEE, "INVITE", 200), STEP(PROBE_CALLER, "ACK", 0),
    STEP(PROBE_CALLER, "INFO", 0),     STEP(PROBE_CALLEE, "INVITE", 0),
    STEP(PROBE_CALLEE, "BYE", 0),      STEP(PROBE_CALLER, "BYE", 200),
};

/* One edit of a message, taken off the input. */
static void edit(struct cursor *c, struct net *n, size_t i)
{
    struct text *t = &n->wire.items[i].bytes;
    enum edit what = cursor_u8(c) % EDITS;
    size_t at = what >= CUT && what < OTHER ? cursor_be16(c) % (t->n + 1) : 0;
    struct slice rest = slice_from(text_slice(t), at);
    struct text out = {0};
    if (what == PASS || what == TWICE)
        text_add(&out, text_slice(t));
    if (what == TWICE) {
        struct dry_message again = {n->wire.items[i].from, n->wire.items[i].path, {0}};
        text_add(&again.bytes, text_slice(t));
        *vec_add(&n->wire) = again;
        t = &n->wire.items[i].bytes;
    }
    if (what >= CUT && what < OTHER)
        text_add(&out, slice_first(text_slice(t), at));
    if (what == SET || what == INSERT || what == OTHER) {
        struct slice bytes = cursor_take(c, cursor_u8(c));
        text_add(&out, bytes);
        text_add(&out, what == SET ? slice_from(rest, bytes.n) : what == INSERT ? rest : SLICE(""));
    }
    if (what == REMOVE)
        text_add(&out, slice_from(rest, cursor_u8(c)));
    text_free(t);
    *t = out;
}

static void check(const struct probe_run *run)
{
    for (size_t i = 0; i < run->results.n; i++) {
        const struct probe_call_result *r = &run->results.items[i];
        for (size_t k = 0; k < r->plan->step_count; k++) {
            struct text t = {0};
            probe_outcome_text(&t, &run->log, r, k);
            assert(t.n);
            assert(r->outcomes[k].sent == PROBE_NONE || r->outcomes[k].sent < run->log.entries.n);
            text_free(&t);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct probe_call_plan calls[] = {
        {.steps = steps, .step_count = sizeof steps / sizeof *steps},
        {.steps = steps, .step_count = sizeof steps / sizeof *steps},
    };
    const struct probe_plan plan = {.calls = calls, .call_count = 2};
    const struct probe_options options = {
        .play = {true, true},
        .to = SLICE("sip:b@127.0.0.1"),
        .listen = {"127.0.0.1:5062", "127.0.0.1:5060"},
        .agent = SLICE("fuzz"),
        .credentials = {SLICE("user"), SLICE("password"), SLICE("")},
        .dry = true,
        .step_ms = 1000,
        .seed = 1,
    };
    struct cursor c = cursor_of((struct slice){(const char *)data, size});
    struct probe_run run;
    struct engine e;
    struct err err;
    sip_typed_init();
    bool ok = engine_open(&e, &run, &plan, &options, &err);
    assert(ok);
    bool more = true;
    for (int i = 0; i < TURNS_MAX && more; i++) {
        more = engine_turn(&e);
        size_t n = e.net.wire.n;
        for (size_t k = 0; k < n && cursor_left(&c); k++)
            edit(&c, &e.net, k);
        net_wait(&e.net, 0, NULL);
        e.now_ms += TURN_MS;
    }
    /* whatever it did, both calls come to their end within their limits */
    assert(!more);
    check(&run);
    engine_close(&e);
    probe_run_free(&run);
    return 0;
}

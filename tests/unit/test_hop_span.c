/* Unit tests of hop/: calls of more messages than are followed at once, over a back-to-back user
 * agent, in parts. */
#include "path.h"
#include "view/view.h"

#define INFOS 1500u
#define MESSAGES                                                                                   \
    (2u * (4 + 2 * INFOS + 2)) /* of both legs, each an INVITE with its answers, ...               \
                                */
#define MOST 600u

static const struct dialog first = {.id = "one", .from_tag = "f1", .to_tag = "t1"};
static const struct dialog second = {.id = "two", .from_tag = "f2", .to_tag = "t2"};

static struct path path_of(struct lab *lab, const char *from, const char *from_at, const char *to,
                           const char *to_at)
{
    return (struct path){.lab = lab,
                         .n = 2,
                         .nodes = {{.name = from, .left = from_at}, {.name = to, .left = to_at}}};
}

/* What the one leg gets goes out on the other. */
static void record(struct lab *lab)
{
    struct path in = path_of(lab, "carrier", "10.0.0.9", "sbc", "10.0.0.1");
    struct path out = path_of(lab, "sbc", "10.0.1.1", "pbx", "10.0.1.9");
    char headers[64];
    lab_point(lab, "sbc", LAB_SLL2);
    lab->now_ms = 1000000000;
    path_call(&in, &first, "Session-ID: 0123456789abcdef0123456789abcdef\r\n");
    path_call(&out, &second, "Session-ID: 0123456789abcdef0123456789abcdef\r\n");
    for (unsigned i = 0; i < INFOS; i++) {
        struct told m = {.method = "INFO", .cseq = 2 + i, .headers = headers};
        snprintf(headers, sizeof headers, "X-Count: %u\r\n", i);
        path_ask(&in, &first, m);
        path_ask(&out, &second, m);
    }
    path_ask(&in, &first, (struct told){.method = "BYE", .cseq = 2 + INFOS});
    path_ask(&out, &second, (struct told){.method = "BYE", .cseq = 2 + INFOS});
}

static struct slice count_of(const struct hop_sighting *s)
{
    uint32_t index = 0;
    const struct sip_header *h = sip_header_next(s->message, 0, SLICE("X-Count"), &index);
    return h ? h->value : SLICE_NONE;
}

/* ---- parts ----------------------------------------------------------------------------------- */

struct browsed {
    struct trace *trace;
    int fds[LAB_POINTS];
    bool seen[MESSAGES];
};

static void begin(struct browsed *b, struct lab *lab, const struct check_options *o)
{
    struct err err;
    b->trace = trace_new(&(struct trace_options){.check = o, .threads = 1});
    lab_open(lab, b->trace, b->fds);
    assert_true(trace_browse(b->trace, &err));
    while (trace_browse_step(b->trace, 1000, &err) == TRACE_MORE)
        continue;
}

/* What came in as the k-th INFO goes on as the k-th, wherever the part begins. */
static void look_at(struct browsed *b, uint32_t from)
{
    struct arena a = {0};
    const struct hop_span span = {.most = MOST, .from = from, .around = CALL_NONE};
    const struct hop_call *call = trace_call_part(b->trace, 0, &a, &span);
    assert_int_equal(call->message_count, MESSAGES);
    assert_int_equal(call->span_to - call->span_from, MOST);
    assert_int_equal(call->sightings_left_out, 0);
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        for (size_t k = 0; k < j->step_count && !j->aside; k++)
            b->seen[j->steps[k].sighting->id] = true;
        if (j->method != SIP_INFO || j->status || j->number < call->span_from + 50 ||
            j->number > call->span_to - 50)
            continue;
        assert_int_equal(j->step_count, 2);
        assert_true(slice_equal(count_of(j->steps[0].sighting), count_of(j->steps[1].sighting)));
        assert_non_null(j->answer_sighting);
    }
    arena_free(&a);
}

static void test_parts(void **state)
{
    static struct lab lab;
    static struct browsed b;
    const struct check_options o = {0};
    (void)state;
    record(&lab);
    begin(&b, &lab, &o);
    assert_int_equal(trace_call_messages(b.trace, 0), MESSAGES);
    for (uint32_t from = 0; from < MESSAGES; from += MOST - 97)
        look_at(&b, from);
    for (size_t i = 0; i < MESSAGES; i++)
        if (!b.seen[i])
            fail_msg("message %zu is in no part", i);
    trace_free(b.trace);
    for (size_t i = 0; i < lab.point_count; i++)
        close(b.fds[i]);
    lab_free(&lab);
}

/* A part's ladder has its own messages only, and the columns of the whole call. */
static void test_ladder(void **state)
{
    static struct lab lab;
    static struct browsed b;
    struct arena a = {0};
    const struct check_options o = {0};
    const struct view_options view = {0};
    const struct hop_span span = {.most = MOST, .around = MESSAGES / 2};
    (void)state;
    record(&lab);
    begin(&b, &lab, &o);
    const struct hop_call *call = trace_call_part(b.trace, 0, &a, &span);
    const struct view_ladder *l = view_ladder_build(&a, call, &view);
    assert_int_equal(l->column_count, 3);
    assert_true(l->row_count >= MOST && l->row_count < MOST + 10);
    assert_true(call->span_from > MOST && call->span_to + MOST < MESSAGES);
    for (size_t i = 0; i < l->row_count; i++)
        assert_true(slice_is(l->rows[i].label, "INFO") ||
                    slice_starts(l->rows[i].label, SLICE("200")));
    arena_free(&a);
    trace_free(b.trace);
    for (size_t i = 0; i < lab.point_count; i++)
        close(b.fds[i]);
    lab_free(&lab);
}

/* A leg that is joined later on is the other call's from then on. */
static void test_joined(void **state)
{
    static struct lab lab;
    static struct browsed b;
    struct err err;
    const struct check_options o = {0};
    bool apart = false;
    (void)state;
    record(&lab);
    b.trace = trace_new(&(struct trace_options){.check = &o, .threads = 1});
    lab_open(&lab, b.trace, b.fds);
    assert_true(trace_browse(b.trace, &err));
    while (trace_browse_step(b.trace, 50, &err) == TRACE_MORE)
        apart |= trace_call_count(b.trace) == 2 && trace_call_now(b.trace, 1) == 1;
    assert_true(apart);
    assert_int_equal(trace_call_now(b.trace, 0), 0);
    assert_int_equal(trace_call_now(b.trace, 1), 0);
    assert_false(trace_call_is(b.trace, 1));
    assert_int_equal(trace_call_messages(b.trace, 0), MESSAGES);
    trace_free(b.trace);
    for (size_t i = 0; i < lab.point_count; i++)
        close(b.fds[i]);
    lab_free(&lab);
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct ends {
    size_t infos, byes, unanswered, unlike;
    uint64_t left_out;
};

static void note(void *context, const struct hop_call *call)
{
    struct ends *e = context;
    e->left_out = call->sightings_left_out;
    for (size_t i = 0; i < call->journey_count; i++) {
        const struct hop_journey *j = &call->journeys[i];
        if (j->status || j->method == SIP_ACK)
            continue;
        e->infos += j->method == SIP_INFO;
        e->byes += j->method == SIP_BYE;
        e->unanswered += j->answer_sighting == NULL;
        if (j->method == SIP_INFO && j->step_count == 2)
            e->unlike +=
                !slice_equal(count_of(j->steps[0].sighting), count_of(j->steps[1].sighting));
    }
}

/* Without a part, both ends of the call are followed, by whole transactions. */
static void test_ends(void **state)
{
    static struct lab lab;
    static struct ends e;
    const struct trace_sinks sinks = {.flow = note, .context = &e};
    (void)state;
    record(&lab);
    lab_trace(&lab, NULL, NULL, &sinks);
    assert_int_equal(e.left_out, MESSAGES - 2048);
    assert_int_equal(e.byes, 1);
    assert_int_equal(e.unlike, 0);
    assert_true(e.infos > 500);
    if (e.unanswered > 2) /* where a transaction does not fit any more */
        fail_msg("%zu requests lack their answers", e.unanswered);
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_joined),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

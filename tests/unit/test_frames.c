/* trace/: which frames carry SIP; the frames of a call had again, from a file and from what is
 * kept; and written to a capture. */
#include "trace/internal.h"
#include "wire.h"

#define OFFER  "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"
#define ANSWER "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 6000 RTP/AVP 0\r\n"

static struct text message(const char *id, size_t padding)
{
    struct text body = {0}, t = {0};
    text_add_fill(&body, 'x', padding);
    wire_sip(&t, "BYE sip:2@b SIP/2.0", id, "2 BYE", body.n ? body.p : NULL);
    text_free(&body);
    return t;
}

/* ---- what carries SIP -------------------------------------------------------------------------
 */

static void note_number(void *context, const struct trace_frame *f)
{
    text_printf(context, "%u%s ", f->frame->number, f->media ? "m" : "");
    assert_int_equal(f->point, 0);
}

/* "1 2 3m " of the frames that are selected; closes the capture. */
static void assert_selected(struct wire *w, bool media, const char *wanted, uint64_t given_up)
{
    struct err err;
    struct text out = {0};
    const struct trace_sinks sinks = {.frame = note_number, .context = &out};
    struct trace *t = trace_new(&(struct trace_options){.media = media});
    wire_close(w);
    text_add(&out, SLICE(""));
    assert_true(trace_add(t, w->path, &err));
    assert_true(trace_run(t, &sinks, &err));
    assert_string_equal(out.p, wanted);
    assert_int_equal(select_stats(t->inputs.items[0]->select)->given_up, given_up);
    trace_free(t);
    text_free(&out);
    close(w->fd);
}

static void test_datagrams(void **state)
{
    struct text big = message("big", 1200);
    (void)state;
    for (unsigned media = 0; media < 2; media++) {
        struct wire w = wire_new();
        wire_say(&w, A, B, "INVITE sip:2@b SIP/2.0", "x", "1 INVITE", OFFER); /* 1 */
        wire_say(&w, B, A, "SIP/2.0 200 OK", "x", "1 INVITE", ANSWER);        /* 2 */
        wire_rtp(&w, AM, BM, 0, 1, 1, 1);                                     /* 3 */
        wire_rtp(&w, "10.0.0.7:1", "10.0.0.7:2", 0, 1, 1, 1);                 /* 4 */
        wire_udp(&w, A, B, SLICE("\r\n\r\n"));                                /* 5 */
        wire_fragments(&w, A, B, text_slice(&big));                           /* 6 7 8 */
        wire_udp(&w, A, B, SLICE("BYE sip:"));                                /* 9 */
        assert_selected(&w, media, media ? "1 2 3m 6 7 8 " : "1 2 6 7 8 ", 0);
    }
    text_free(&big);
}

/* A fragment of something else, and one whose others never come. */
static void test_fragments(void **state)
{
    struct wire w = wire_new();
    struct bytes b = {0};
    struct text big = message("big", 1200);
    (void)state;
    put_times(&b, 0x80, 900);
    wire_fragments(&w, AM, BM, bytes_slice(&b)); /* 1 2 */
    wire_ip(&b, 17, A, B, 0x2000, 16);
    wire_fragments(&w, A, B, slice_first(text_slice(&big), 1000)); /* 3 4: the message is cut */
    assert_selected(&w, false, "3 4 ", 0);
    vec_free(&b);
    text_free(&big);
}

#define C  "10.0.0.3:40000"
#define S  "10.0.0.2:443"
#define SP "10.0.0.2:5061"

/* Three segments of a handshake, one of data, the other side's answer. */
static void connect_to(struct wire *w, const char *server, struct slice data)
{
    wire_tcp(w, C, server, 100, 0, WIRE_SYN, SLICE(""));
    wire_tcp(w, server, C, 500, 101, WIRE_SYN | WIRE_ACK, SLICE(""));
    wire_tcp(w, C, server, 101, 501, WIRE_ACK, SLICE(""));
    wire_tcp(w, C, server, 101, 501, WIRE_ACK, data);
    wire_tcp(w, server, C, 501, 101 + (uint32_t)data.n, WIRE_ACK, SLICE(""));
}

static void test_connections(void **state)
{
    struct text sip = message("tcp", 0);
    struct slice half = slice_first(text_slice(&sip), 50);
    (void)state;
    /* on a port of SIP all is taken, whatever it is */
    struct wire w = wire_new();
    connect_to(&w, SP, SLICE("\x16\x03\x01\x00"));
    assert_selected(&w, false, "1 2 3 4 5 ", 0);
    /* elsewhere from its beginning on, once there is a message */
    w = wire_new();
    connect_to(&w, S, half);
    wire_udp(&w, A, B, text_slice(&sip)); /* 6 */
    wire_tcp(&w, C, S, 101 + (uint32_t)half.n, 501, WIRE_ACK,
             slice_from(text_slice(&sip), half.n)); /* 7 */
    wire_tcp(&w, C, S, 101 + (uint32_t)sip.n, 501, WIRE_FIN | WIRE_ACK, SLICE(""));
    assert_selected(&w, false, "6 1 2 3 4 5 7 8 ", 0);
    /* something else never */
    w = wire_new();
    connect_to(&w, S, SLICE("GET / HTTP/1.1\r\n\r\n"));
    assert_selected(&w, false, "", 0);
    text_free(&sip);
}

/* Much of something else is given up, so that a message behind it comes without its beginning. */
static void test_other_connection(void **state)
{
    struct wire w = wire_new();
    struct text sip = message("late", 0);
    struct bytes b = {0};
    uint32_t seq = 101;
    (void)state;
    connect_to(&w, S, SLICE(""));
    put_times(&b, '.', 1023);
    put8(&b, '\n');
    for (unsigned i = 0; i < 70; i++, seq += 1024)
        wire_tcp(&w, C, S, seq, 501, WIRE_ACK, bytes_slice(&b));
    wire_tcp(&w, C, S, seq, 501, WIRE_ACK, text_slice(&sip)); /* 76 */
    assert_selected(&w, false, "76 ", 0);
    vec_free(&b);
    text_free(&sip);
}

/* Frames of many connections are held no longer than the limit allows. */
static void test_limit(void **state)
{
    struct wire w = wire_new();
    struct text sip = message("x", 0);
    char from[32];
    (void)state;
    wire_tcp(&w, C, S, 100, 0, WIRE_SYN, SLICE("")); /* 1 */
    for (unsigned i = 0; i < TRACE_SELECT_FRAMES; i++) {
        snprintf(from, sizeof from, "10.1.%u.%u:%u", i / 256 % 256, i % 256, 1000 + i / 65536);
        wire_tcp(&w, from, S, 100, 0, WIRE_SYN, SLICE(""));
    }
    wire_tcp(&w, C, S, 101, 501, WIRE_ACK, text_slice(&sip));
    /* its SYN was let go of as its connection was forgotten, and then that of the next one */
    struct text wanted = {0};
    text_printf(&wanted, "%u ", TRACE_SELECT_FRAMES + 2);
    assert_selected(&w, false, wanted.p, 2);
    text_free(&wanted);
    text_free(&sip);
}

/* ---- frames again -----------------------------------------------------------------------------
 */

static void two_calls(struct wire *w)
{
    struct text big = message("x", 1200);
    for (unsigned i = 0; i < 2; i++) {
        const char *id = i ? "y" : "x";
        wire_say(w, A, B, "INVITE sip:2@b SIP/2.0", id, "1 INVITE", OFFER);
        wire_say(w, A, B, "INVITE sip:2@b SIP/2.0", id, "1 INVITE", OFFER);
        wire_say(w, B, A, "SIP/2.0 200 OK", id, "1 INVITE", ANSWER);
        wire_rtp(w, AM, BM, 0, 1, 1, 1);
        wire_udp(w, "10.0.0.2:6001", "10.0.0.9:9", SLICE("\x80\xc8\0\0\0\0\0\0"));
        w->now_ns += 1000 * MS;
        if (i == 0)
            wire_fragments(w, A, B, text_slice(&big));
        wire_say(w, B, A, "SIP/2.0 200 OK", id, "2 BYE", NULL);
        w->now_ns += 100000 * MS;
    }
    text_free(&big);
    wire_close(w);
}

static void test_again(void **state)
{
    static const struct {
        bool media, all;
        const char *frames;
    } cases[] = {
        {false, false, "1 2 3 6 7 8 9 "},
        {true, false, "1 2 3 4m 5m 6 7 8 9 "},
        {false, true, "1 2 3 6 7 8 9 10 11 12 15 "},
        {true, true, "1 2 3 4m 5m 6 7 8 9 10 11 12 13m 14m 15 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct wire w = wire_new();
        struct err err;
        struct arena a = {0};
        struct text out = {0};
        bool kept = i % 2;
        struct trace *t = trace_new(&(struct trace_options){
            .media = true, .keep_bytes = kept ? 1 << 20 : 0, .keep_files = true});
        two_calls(&w);
        assert_true(trace_add(t, w.path, &err) && trace_browse(t, &err));
        while (trace_browse_step(t, 1000, &err) == TRACE_MORE)
            ;
        struct trace_choice *c = trace_choice_new(t);
        trace_choice_call(c, trace_call_open(t, 0, &a, NULL, NULL), cases[i / 2].media);
        if (cases[i / 2].all)
            trace_choice_all(c, cases[i / 2].media);
        assert_true(trace_frames(t, c, note_number, &out, &err));
        assert_string_equal(out.p, cases[i / 2].frames);
        assert_int_equal(trace_choice_missing(c), 0);
        trace_choice_free(c);
        arena_free(&a);
        trace_free(t);
        text_free(&out);
        close(w.fd);
    }
}

/* What is kept is bounded: the oldest frames go, and are told to be missing. */
static void test_spool_limit(void **state)
{
    struct wire w = wire_new();
    struct err err;
    struct arena a = {0};
    struct text out = {0};
    struct trace_spool_stats kept;
    struct trace *t =
        trace_new(&(struct trace_options){.keep_bytes = 1300, .keep_files = true, .threads = 1});
    (void)state;
    two_calls(&w);
    assert_true(trace_add(t, w.path, &err) && trace_browse(t, &err));
    while (trace_browse_step(t, 1000, &err) == TRACE_MORE)
        ;
    struct trace_choice *c = trace_choice_new(t);
    trace_choice_call(c, trace_call_open(t, 1, &a, NULL, NULL), true);
    assert_true(trace_frames(t, c, note_number, &out, &err));
    assert_string_equal(out.p, "10 11 12 15 ");
    trace_choice_call(c, trace_call_open(t, 0, &a, NULL, NULL), true);
    assert_true(trace_frames(t, c, note_number, &out, &err));
    assert_int_equal(trace_choice_missing(c), 7);
    trace_kept(t, &kept);
    assert_int_equal(kept.frames + kept.evicted, 11);
    assert_int_equal(kept.frames, 4);
    assert_in_range(kept.bytes, 900, 1300);
    trace_choice_free(c);
    arena_free(&a);
    trace_free(t);
    text_free(&out);
    close(w.fd);
}

/* ---- the ring, asked in turn ------------------------------------------------------------------
 */

struct asked {
    enum { BY_NUMBER, BY_FLOW, BY_PLACE } by;
    uint32_t point, number;
    struct endpoint ends[2];
    bool found; /* by its number, given before or not */
    struct text out;
};

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Few places, so that each chain has frames of many kinds. */
static struct endpoint some_place(uint64_t *state)
{
    return (struct endpoint){address_of(4, (const uint8_t *)"\x0a\0\0\1"),
                             (uint16_t)(1 + draw(state) % 5)};
}

static bool is_asked(void *context, const struct trace_frame *f)
{
    struct asked *a = context;
    bool there = endpoint_equal(&f->src, &a->ends[0]), back = endpoint_equal(&f->dst, &a->ends[0]);
    if (a->by == BY_NUMBER) {
        bool is = !f->media && f->point == a->point && f->frame->number == a->number;
        a->found |= is;
        return is;
    }
    if (a->by == BY_PLACE)
        return f->media && (there || back);
    return !f->media && f->point == a->point &&
           ((there && endpoint_equal(&f->dst, &a->ends[1])) ||
            (back && endpoint_equal(&f->src, &a->ends[1])));
}

static void note_length(void *context, const struct trace_frame *f)
{
    text_printf(&((struct asked *)context)->out, "%u:%zu ", f->frame->number, f->frame->bytes.n);
}

static struct trace_frame some_frame(uint64_t *state, uint32_t number, struct source_frame *f)
{
    static const char bytes[100] = "";
    *f = (struct source_frame){.number = number, .bytes = {bytes, 1 + draw(state) % sizeof bytes}};
    return (struct trace_frame){(uint32_t)draw(state) % 2, f, draw(state) % 3 == 0,
                                some_place(state), some_place(state)};
}

static void want(struct trace_spool *s, const struct asked *a)
{
    if (a->by == BY_NUMBER)
        spool_want_frame(s, a->point, a->number);
    else if (a->by == BY_FLOW)
        spool_want_flow(s, a->point, a->ends);
    else
        spool_want_place(s, &a->ends[0]);
}

/* What is found by chains is what looking at each frame finds, while the oldest go. */
static void test_spool_asked_in_turn(void **state)
{
    enum { ADDED = 3000 };
    static struct source_frame frames[ADDED];
    static struct trace_frame added[ADDED];
    static bool given[ADDED];
    uint64_t random = 7;
    struct err err;
    struct trace_spool *s = spool_new(4000, &err);
    size_t handed = 0;
    (void)state;
    for (uint32_t i = 0; i < ADDED; i++) {
        added[i] = some_frame(&random, i, &frames[i]);
        spool_add(s, &added[i]);
        struct asked a = {.by = draw(&random) % 3,
                          .point = (uint32_t)draw(&random) % 2,
                          .number = i - (uint32_t)draw(&random) % 20,
                          .ends = {some_place(&random), some_place(&random)}};
        struct asked wanted = a;
        for (size_t k = spool_stats(s)->evicted; i % 3 == 0 && k <= i; k++)
            if (is_asked(&wanted, &added[k]) && !given[k]) {
                note_length(&wanted, &added[k]);
                given[k] = true;
                handed++;
            }
        if (i % 3 == 0) {
            want(s, &a);
            spool_give(s, is_asked, &a, note_length, &a);
        }
        if (!slice_equal(text_slice(&a.out), text_slice(&wanted.out)) || a.found != wanted.found)
            fail_msg("after %u, by %d: %s, not %s", i, (int)a.by, a.out.n ? a.out.p : "",
                     wanted.out.n ? wanted.out.p : "");
        text_free(&a.out);
        text_free(&wanted.out);
    }
    assert_in_range(handed, 500, 2000);
    assert_in_range(spool_stats(s)->evicted, 2500, 2990);
    spool_free(s);
}

/* ---- written ----------------------------------------------------------------------------------
 */

struct writing {
    struct trace_writer *writer;
};

static void write_frame(void *context, const struct trace_frame *f)
{
    struct err err;
    const struct slice comment = SLICE("seen");
    assert_true(trace_writer_frame(((struct writing *)context)->writer, f, &comment,
                                   f->frame->number == 1, &err));
}

/* A capture of two points; what is written of it has the same messages. */
static void test_written(void **state)
{
    struct wire first = wire_new(), second = wire_new();
    struct err err;
    struct writing writing = {0};
    struct source_frame f;
    char path[64];
    int fd = memfd_create("out", MFD_CLOEXEC);
    struct text spec = {0};
    unsigned frames = 0, interfaces = 0;
    (void)state;
    two_calls(&first);
    wire_say(&second, A, B, "OPTIONS sip:2@b SIP/2.0", "o", "1 OPTIONS", NULL);
    wire_close(&second);
    const struct trace_sinks sinks = {.frame = write_frame, .context = &writing};
    struct trace *t = trace_new(&(struct trace_options){.threads = 1});
    text_printf(&spec, "one=%s", first.path);
    assert_true(trace_add(t, spec.p, &err));
    text_clear(&spec);
    text_printf(&spec, "two=%s", second.path);
    assert_true(trace_add(t, spec.p, &err));
    writing.writer = trace_writer_new(t, CAPTURE_PCAPNG, dup(fd), "out");
    assert_true(trace_run(t, &sinks, &err));
    assert_true(trace_writer_close(writing.writer, false, NULL, &err));
    trace_free(t);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct source *s = source_open("p", path, &err);
    for (; source_next(s, &f, &err) == SOURCE_FRAME; frames++)
        if (f.interface + 1 > interfaces)
            interfaces = f.interface + 1;
    assert_int_equal(frames, 12);
    assert_int_equal(interfaces, 2);
    source_close(s);
    text_free(&spec);
    close(fd);
    close(first.fd);
    close(second.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagrams),   cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_connections), cmocka_unit_test(test_other_connection),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_again),
        cmocka_unit_test(test_spool_limit), cmocka_unit_test(test_spool_asked_in_turn),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

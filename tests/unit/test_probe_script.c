/* The scripts of the probe: what each case puts on the wire, and which messages a trunk's are. */
#include "capture.h"
#include "probe/probe.h"

#include <ctype.h>

/* ---- the cases ------------------------------------------------------------------------------- */

#define MARK(id) "sipxray." id ".BYE.caller"

/* The lines of a case on a BYE of the caller, one below the other. */
static const struct {
    const char *id, *lines;
} shapes[] = {
    {"plain", "X-Probe: " MARK("plain")},
    {"fold", "X-Probe: " MARK("fold") "\r\n second line"},
    {"fold-first", "X-Probe:\r\n " MARK("fold-first")},
    {"fold-tab", "X-Probe: " MARK("fold-tab") "\r\n\tsecond line\r\n    third line"},
    {"case-lower", "x-probe-name: " MARK("case-lower")},
    {"case-upper", "X-PROBE-NAME: " MARK("case-upper")},
    {"case-mixed", "x-pRoBE-nAmE: " MARK("case-mixed")},
    {"colon-space", "X-Probe : " MARK("colon-space")},
    {"colon-tab", "X-Probe\t: " MARK("colon-tab")},
    {"colon-tight", "X-Probe:" MARK("colon-tight")},
    {"twice-equal", "X-Probe: " MARK("twice-equal") ".1\nX-Probe: " MARK("twice-equal") ".1"},
    {"twice-unlike", "X-Probe: " MARK("twice-unlike") ".1\nX-Probe: " MARK("twice-unlike") ".2"},
    {"list", "X-Probe: " MARK("list") ".1, " MARK("list") ".2," MARK("list") ".3"},
    {"empty", "X-Probe: " MARK("empty") "\nX-Probe-Empty:"},
    {"blank", "X-Probe: " MARK("blank") "\nX-Probe-Blank: \t "},
    {"percent", "X-Probe: " MARK("percent") " 100% %20 %zz %% %c3%bc %s%n%"},
    {"quotes", "X-Probe: " MARK("quotes") " \"a \\\"quoted\\\" text, and a \\\\\" 'single'"},
    {"quote-open", "X-Probe: " MARK("quote-open") " she said \"hi"},
    {"semicolons", "X-Probe: " MARK("semicolons") ";a=b;;c=\"d;e\";f;"},
    {"name-own",
     "Probe-Queue: " MARK("name-own") ".0\nP-Probe-Info: " MARK("name-own") ".1\nSipxray: " MARK(
         "name-own") ".2\nprobe_agent: " MARK("name-own") ".3"},
};

static const struct probe_case *case_of(const char *id)
{
    const struct probe_case *cases;
    size_t n = probe_cases(&cases);
    for (size_t i = 0; i < n; i++)
        if (strcmp(cases[i].id, id) == 0)
            return &cases[i];
    fail_msg("no case %s", id);
    return NULL;
}

static void cases_are_what_they_say(void **state)
{
    struct arena a = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct probe_lines l = probe_case_lines(&a, case_of(shapes[i].id), PROBE_BYE, true);
        assert_string_equal(arena_join_list(&a, l.items, l.n, SLICE("\n")).p, shapes[i].lines);
    }
    arena_free(&a);
}

/* A message of the lines, as scanned. */
static void scan(struct sip_scanner *scanner, struct arena *a, const struct probe_lines *lines,
                 struct sip_message *m)
{
    struct slice head = SLICE("BYE sip:a@b SIP/2.0\r\n"), end = SLICE("\r\n\r\n");
    struct slice all = arena_join_list(a, lines->items, lines->n, SLICE("\r\n"));
    assert_true(sip_scan_datagram(scanner, ARENA_JOIN(a, head, all, end), 0, m));
}

/* Of each case on each message: names are tokens, values have their marks, sizes are as said. */
static void sizes_and_names(void **state)
{
    struct sip_scanner *scanner = sip_scanner_new();
    const struct probe_case *cases;
    size_t n = probe_cases(&cases);
    (void)state;
    for (size_t i = 0; i < n; i++)
        for (unsigned message = 0; message < PROBE_MESSAGES; message++) {
            struct arena a = {0};
            struct sip_message m;
            struct probe_lines l = probe_case_lines(&a, &cases[i], message, message % 2);
            size_t size = 0, marked = 0;
            scan(scanner, &a, &l, &m);
            assert_int_equal(m.header_count, l.n);
            for (uint32_t k = 0; k < m.header_count; k++) {
                const struct sip_header *h = &m.headers[k];
                assert_true(sip_is_token(h->name));
                assert_true(h->name.n <= 255); /* LiveKit takes no longer ones */
                assert_false(sip_is_standard(h->name));
                struct slice value = sip_unfold(&a, h);
                marked += slice_starts(value, SLICE("sipxray."));
                size += h->name.n + h->value.n + 4;
                if (cases[i].shape == PROBE_SHAPE_LENGTH)
                    assert_int_equal(value.n, cases[i].n);
            }
            assert_true(marked > 0);
            if (cases[i].shape == PROBE_SHAPE_COUNT)
                assert_int_equal(l.n, cases[i].n);
            else if (cases[i].shape == PROBE_SHAPE_NAME_LONG)
                assert_int_equal(m.headers[0].name.n, 255);
            else if (cases[i].shape == PROBE_SHAPE_SIZE)
                assert_in_range(size, cases[i].n - 690, cases[i].n);
            arena_free(&a);
        }
    sip_scanner_free(scanner);
}

/* The two cases have a name with each character that RFC 3261 allows beside letters and digits. */
static void all_token_characters(void **state)
{
    struct arena a = {0};
    struct probe_lines l[] = {probe_case_lines(&a, case_of("name-token"), PROBE_BYE, true),
                              probe_case_lines(&a, case_of("name-marks"), PROBE_BYE, true)};
    (void)state;
    for (unsigned c = 33; c < 127; c++) {
        const char byte = (char)c;
        bool there = false;
        if (!sip_is_token((struct slice){&byte, 1}) || isalnum(byte))
            continue;
        for (size_t i = 0; i < l[0].n + l[1].n; i++) {
            struct slice line = i < l[0].n ? l[0].items[i] : l[1].items[i - l[0].n];
            there |= memchr(line.p, byte, slice_find(line, ':')) != NULL;
        }
        assert_true(there);
    }
    arena_free(&a);
}

/* ---- scripts --------------------------------------------------------------------------------- */

/* "caller INVITE X-A X-B", a line for each step, with the names of what is judged. */
static void add_call(struct text *t, const struct probe_script *s, uint32_t call)
{
    const struct probe_call_plan *c = &s->plan.calls[call];
    text_printf(t, "= %.*s\n", SLICE_ARG(c->name));
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct probe_step *step = &c->steps[i];
        text_printf(t, "%s %.*s", step->from == PROBE_CALLER ? "caller" : "callee",
                    SLICE_ARG(step->method));
        if (step->status)
            text_printf(t, " %u", step->status);
        if (step->lines_first)
            text_printf(t, " first");
        for (size_t k = 0; k < step->line_count; k++)
            text_printf(t, " [%.*s]", SLICE_ARG(step->lines[k]));
        for (size_t k = 0; k < s->items.n; k++) {
            const struct probe_item *item = &s->items.items[k];
            if (item->call != call || item->step != i)
                continue;
            text_printf(t, " %s: %zu", probe_message_name(item->message), item->lines.n);
            for (size_t x = 0; x < item->loose_count; x++)
                text_printf(t, " %.*s?", SLICE_ARG(item->loose[x]));
            for (size_t x = 0; x < item->optional_count; x++)
                text_printf(t, " (%.*s)", SLICE_ARG(item->optional[x]));
        }
        text_add_char(t, '\n');
    }
}

static void assert_calls(struct probe_script *s, const char *expected)
{
    struct text t = {0};
    probe_script_end(s);
    for (uint32_t i = 0; i < s->plan.call_count; i++)
        add_call(&t, s, i);
    assert_string_equal(t.p, expected);
    text_free(&t);
    probe_script_free(s);
}

static void a_case_makes_two_calls(void **state)
{
    struct probe_script s = {.has_trunk = false};
    struct slice pattern = SLICE("pla?n");
    struct err err;
    (void)state;
    assert_true(probe_script_suite(&s, &pattern, 1, &err));
    assert_calls(
        &s, "= plain/caller\n"
            "caller INVITE [X-Probe: sipxray.plain.INVITE.caller] "
            "[Subject: sipxray probe plain/caller] INVITE: 1\n"
            "callee INVITE 200 [X-Probe: sipxray.plain.INVITE-200.callee] 200 to INVITE: 1\n"
            "caller INVITE [X-Probe: sipxray.plain.re-INVITE.caller] re-INVITE: 1\n"
            "callee INVITE 200 [X-Probe: sipxray.plain.re-INVITE-200.callee] 200 to re-INVITE: 1\n"
            "caller INFO [X-Probe: sipxray.plain.INFO.caller] INFO: 1\n"
            "caller REFER [Refer-To: <sip:transfer@example.invalid>] [Refer-Sub: false] "
            "[X-Probe: sipxray.plain.REFER.caller] REFER: 1\n"
            "caller BYE [X-Probe: sipxray.plain.BYE.caller] BYE: 1\n"
            "= plain/callee\n"
            "caller INVITE [Subject: sipxray probe plain/callee]\n"
            "callee INVITE 200\n"
            "callee INVITE [X-Probe: sipxray.plain.re-INVITE.callee] re-INVITE: 1\n"
            "caller INVITE 200 [X-Probe: sipxray.plain.re-INVITE-200.caller] 200 to re-INVITE: 1\n"
            "callee INFO [X-Probe: sipxray.plain.INFO.callee] INFO: 1\n"
            "callee REFER [Refer-To: <sip:transfer@example.invalid>] [Refer-Sub: false] "
            "[X-Probe: sipxray.plain.REFER.callee] REFER: 1\n"
            "callee BYE [X-Probe: sipxray.plain.BYE.callee] BYE: 1\n");
}

/* All cases: each message in both directions, but for the INVITE and its 200. */
static void the_suite_is_complete(void **state)
{
    struct probe_script s = {.has_trunk = false};
    const struct probe_case *cases;
    size_t n = probe_cases(&cases), seen[PROBE_MESSAGES][2] = {{0}};
    struct err err;
    (void)state;
    assert_true(probe_script_suite(&s, NULL, 0, &err));
    probe_script_end(&s);
    assert_int_equal(s.plan.call_count, 2 * n);
    for (size_t i = 0; i < s.items.n; i++) {
        const struct probe_item *item = &s.items.items[i];
        seen[item->message][s.plan.calls[item->call].steps[item->step].from]++;
    }
    for (unsigned m = 0; m < PROBE_MESSAGES; m++) {
        assert_int_equal(seen[m][PROBE_CALLER], m == PROBE_INVITE_200 ? 0 : n);
        assert_int_equal(seen[m][PROBE_CALLEE], m == PROBE_INVITE ? 0 : n);
    }
    probe_script_free(&s);
    assert_false(probe_script_suite(&s, &(struct slice){"nothing", 7}, 1, &err));
    probe_script_free(&s);
}

static void the_subject_tells(void **state)
{
    static const struct {
        const char *subject, *call;
    } subjects[] = {
        {"Subject: sipxray probe fold/callee", "fold/callee"},
        {"s : sipxray probe fold-tab/caller", "fold-tab/caller"},
        {"Subject: sipxray probe fold", NULL},
        {"Subject: fold/callee", NULL},
        {"X: y", NULL},
    };
    struct probe_script s = {.has_trunk = false};
    struct sip_scanner *scanner = sip_scanner_new();
    struct arena a = {0};
    struct err err;
    (void)state;
    assert_true(probe_script_suite(&s, NULL, 0, &err));
    probe_script_end(&s);
    for (size_t i = 0; i < COUNT(subjects); i++) {
        struct slice line = slice_of(subjects[i].subject);
        struct probe_lines lines = {&line, 1};
        struct sip_message m;
        scan(scanner, &a, &lines, &m);
        const struct probe_call_plan *c = probe_script_find(&s, &m);
        assert_int_equal(c == NULL, subjects[i].call == NULL);
        if (c)
            assert_true(slice_is(c->name, subjects[i].call));
    }
    sip_scanner_free(scanner);
    arena_free(&a);
    probe_script_free(&s);
}

/* ---- by a trunk ------------------------------------------------------------------------------ */

#define INBOUND                                                                                    \
    "{\"name\":\"In\",\"numbers\":[\"+1\"],\"headers\":{\"X-Fixed\":\"f\"},"                       \
    "\"headers_to_attributes\":{\"X-From\":\"from\"},"                                             \
    "\"attributes_to_headers\":{\"a\":\"X-A\",\"b\":\"X-B\"}}"
#define OUTBOUND                                                                                   \
    "{\"name\":\"Out\",\"address\":\"sip.x\",\"headers\":{\"X-Fixed\":\"f\"},"                     \
    "\"headers_to_attributes\":{\"X-From\":\"from\"},"                                             \
    "\"attributes_to_headers\":{\"a\":\"X-A\"}}"

static const struct {
    const char *trunk, *values;
    bool caller, callee; /* which are played here */
    const char *calls;
} trunks[] = {
    {INBOUND, "{\"a\":\"one\"}", true, true,
     "= LiveKit hangs up\n"
     "caller INVITE [X-From: sipxray.X-From] INVITE: 1\n"
     "callee INVITE 180\n"
     "callee INVITE 200 [X-A: one] [X-B: sipxray.X-B] [X-Fixed: f] 200 to INVITE: 3\n"
     "callee BYE first [X-A: one] [X-B: sipxray.X-B] BYE: 2\n"
     "= LiveKit transfers\n"
     "caller INVITE [X-From: sipxray.X-From] INVITE: 1\n"
     "callee INVITE 180\n"
     "callee INVITE 200 [X-A: one] [X-B: sipxray.X-B] [X-Fixed: f] 200 to INVITE: 3\n"
     "callee REFER first [X-A: one] [X-B: sipxray.X-B] [Refer-To: <tel:+15105550199>] REFER: 2\n"
     "caller BYE\n"},
    /* LiveKit is the real one: what it was told to send is known for `a` only */
    {INBOUND, "{\"a\":\"one\"}", true, false,
     "= LiveKit hangs up\n"
     "caller INVITE [X-From: sipxray.X-From] INVITE: 1\n"
     "callee INVITE 200 [X-A: one] [X-B: sipxray.X-B] [X-Fixed: f] 200 to INVITE: 3 X-A? X-B? "
     "(X-A) (X-B)\n"
     "callee BYE first [X-A: one] [X-B: sipxray.X-B] BYE: 2 X-B?\n"},
    /* an attribute that is unset owes nothing */
    {OUTBOUND, "{\"a\":null}", true, true,
     "= LiveKit hangs up\n"
     "caller INVITE [X-Fixed: f] INVITE: 1\n"
     "callee INVITE 180\n"
     "callee INVITE 200 [X-From: sipxray.X-From] 200 to INVITE: 1\n"
     "caller BYE [User-Agent: LiveKit]\n"
     "= LiveKit transfers\n"
     "caller INVITE [X-Fixed: f] INVITE: 1\n"
     "callee INVITE 180\n"
     "callee INVITE 200 [X-From: sipxray.X-From] 200 to INVITE: 1\n"
     "caller REFER [Refer-To: <tel:+15105550199>]\n"
     "callee BYE\n"},
};

static void trunks_make_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trunks); i++) {
        struct expect_trunks list = {.n = 0};
        struct expect_values values = {.unset = NULL};
        struct probe_script s = {.has_trunk = false};
        const bool mine[2] = {trunks[i].caller, trunks[i].callee};
        struct err err;
        assert_true(expect_trunks_parse(&list, "trunk", slice_of(trunks[i].trunk), &err));
        assert_true(expect_values_parse(&values, "values", slice_of(trunks[i].values), &err));
        assert_true(probe_script_trunk(&s, &list.items[0], &values, mine, &err));
        assert_calls(&s, trunks[i].calls);
        expect_values_free(&values);
        expect_trunks_free(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_what_they_say), cmocka_unit_test(sizes_and_names),
        cmocka_unit_test(all_token_characters),    cmocka_unit_test(a_case_makes_two_calls),
        cmocka_unit_test(the_suite_is_complete),   cmocka_unit_test(the_subject_tells),
        cmocka_unit_test(trunks_make_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Fuzzes the filter language: an expression up to the first empty line, and a message behind it,
 * which it is asked of whole, cut, and as one of a call. */
#include "view/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct trace_seen seen_of(const struct sip_message *m, size_t missing)
{
    struct trace_seen s = {.point = "kam1",
                           .transport = PACKET_UDP,
                           .length = m->bytes.n,
                           .missing = missing,
                           .method = m->method_id,
                           .status = m->status,
                           .state = m->state,
                           .sip = m};
    static const uint8_t ip[4] = {10, 0, 1, 10};
    s.src.ip = s.dst.ip = address_of(4, ip);
    s.src.port = s.dst.port = 5060;
    return s;
}

static struct sip_message scan(struct sip_scanner *s, struct slice bytes, size_t missing)
{
    static const char usual[] = "BYE sip:a@b SIP/2.0\r\nX-A: 1\r\nX-A: 2\r\nCSeq: 2 BYE\r\n\r\n";
    struct sip_message m;
    if (!sip_scan_datagram(s, bytes, missing, &m))
        assert(sip_scan_datagram(s, slice_of(usual), missing, &m));
    return m;
}

/* Not, asked twice, is the same; what is known of a whole message is never unsure but for limits.
 */
static void ask(struct slice expression, enum view_filter_scope scope, struct slice bytes)
{
    struct view_filter_fault fault;
    struct view_filter *f = view_filter_new(expression, scope, &fault);
    struct text shown = {0};
    if (!f) {
        assert(fault.text[0] && fault.at <= expression.n && fault.n <= expression.n - fault.at);
        view_filter_fault_text(&shown, slice_first(expression, VIEW_FILTER_LENGTH_MAX), &fault);
        text_free(&shown);
        return;
    }
    struct text negated = {0};
    text_printf(&negated, "not (%.*s)", SLICE_ARG(expression));
    struct view_filter *g = view_filter_new(text_slice(&negated), scope, &fault);
    for (int cut = 0; cut < 2; cut++) {
        struct sip_scanner *s = sip_scanner_new();
        struct sip_message m = scan(s, bytes, cut ? 100 : 0);
        struct trace_seen seen = seen_of(&m, cut ? 100 : 0);
        struct trace_marks marks = {0, 0, 0, 0};
        struct slice id = SLICE("a");
        const struct call_summary call = {.call_ids = &id, .call_id_count = 1, .last_ns = 5};
        const struct view_filter_verdict verdict = {true, CHECK_FAIL, 1, {3, 1}};
        if (scope == VIEW_FILTER_MESSAGES) {
            enum view_filter_answer a = view_filter_message(f, &seen);
            enum view_filter_answer b = g ? view_filter_message(g, &seen) : VIEW_FILTER_UNSURE;
            assert(!g || (a == VIEW_FILTER_YES) == (b == VIEW_FILTER_NO));
            assert(!g || (a == VIEW_FILTER_UNSURE) == (b == VIEW_FILTER_UNSURE));
        } else {
            view_filter_look(f, &seen, &marks);
            (void)view_filter_call(f, &call, &marks, &verdict);
        }
        sip_scanner_free(s);
    }
    text_free(&negated);
    view_filter_free(f);
    view_filter_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size}, expression = text, message = SLICE_NONE;
    sip_typed_init();
    for (size_t i = 0; i + 1 < size; i++)
        if (data[i] == '\n' && data[i + 1] == '\n') {
            expression = slice_first(text, i);
            message = slice_from(text, i + 2);
            break;
        }
    for (size_t i = 0; i < expression.n; i++)
        if (expression.p[i] == '\0')
            return 0; /* no command line has one; a field of the form has none either */
    ask(expression, VIEW_FILTER_MESSAGES, message);
    ask(expression, VIEW_FILTER_JUDGED, message);
    return 0;
}

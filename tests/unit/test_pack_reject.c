/* Unit tests of the pack `reject`: several calls out, each accepted or refused, in one run. */
#include "packs.h"

#define CALLS 6

/* An INVITE and its answer. */
struct attempt {
    unsigned status;
    const char *headers;
};

struct run {
    const char *name;
    struct attempt calls[CALLS];
    const char *found;
};

#define X64  "0123456789 abcdef 0123456789 abcdef 0123456789 abcdef 0123456789"
#define HEAD "INVITE was answered 403 by 203.0.113.20 "

static const struct run runs[] = {
    {"all are accepted", {{200, "X-A: 1\r\n"}, {200, "X-B: 1\r\n"}}, ""},
    {"a header by its name",
     {{200, "X-A: 1\r\n"}, {403, "X-A: 1\r\nX-B: 1\r\n"}},
     "warning reject-name X-B: " HEAD "once: X-B is on that message and on none of 1 that was "
     "accepted\n"},
    {"two of them, and one call with neither",
     {{403, "X-B: 1\r\n"}, {403, "x-b: 2\r\nX-C: 1\r\n"}, {200, ""}, {200, "X-A: 1\r\n"}},
     "warning reject-name X-B: " HEAD "2 times: X-B is on each of those messages and on none of 2 "
     "that were accepted\n"},
    {"a header that only one of two refused ones has",
     {{403, "X-B: 1\r\n"}, {403, ""}, {200, ""}},
     "note reject-untold : " HEAD "2 times: no custom header sets it apart from 1 that was "
     "accepted\n"},
    {"a value that others do not have",
     {{200, "X-A: one\r\n"}, {200, "X-A: one\r\n"}, {403, "X-A: two\r\n"}},
     "warning reject-value X-A: " HEAD
     "once: X-A: \"two\" is on that message and on none of 2 that "
     "were accepted, which have other values\n"},
    {"an id that differs on each call proves nothing",
     {{200, "X-Id: 17\r\n"}, {200, "X-Id: 18\r\n"}, {403, "X-Id: 19\r\n"}},
     "note reject-untold : " HEAD "once: no custom header sets it apart from 2 that were "
     "accepted\n"},
    {"a secret's value is not told",
     {{200, "X-API-Key: one\r\n"}, {200, "X-API-Key: one\r\n"}, {403, "X-API-Key: two\r\n"}},
     "warning reject-value X-API-Key: " HEAD "once: X-API-Key: \"***\" is on that message and on "
     "none of 2 that were accepted, which have other values\n"},
    {"a length beyond a limit",
     {{200, "X-A: short one\r\n"}, {200, "X-A: " X64 "\r\n"}, {403, "X-A: " X64 "1\r\n"}},
     "warning reject-length X-A: " HEAD "once: X-A has 65 bytes or more there, and 64 at most on 2 "
     "that were accepted\n"},
    {"a length that says nothing",
     {{200, "X-A: abcdef\r\n"}, {200, "X-A: ghijkl\r\n"}, {403, "X-A: mnopqrs\r\n"}},
     "note reject-untold : " HEAD "once: no custom header sets it apart from 2 that were "
     "accepted\n"},
    {"a header that is absent",
     {{200, "X-A: 1\r\nX-B: 1\r\n"}, {200, "X-A: 1\r\nX-B: 2\r\n"}, {403, "X-A: 1\r\n"}},
     "warning reject-missing X-B: " HEAD "once: X-B is absent there, and on each of 2 that were "
     "accepted\n"},
    {"nothing to compare with",
     {{403, "X-A: 1\r\n"}},
     "note reject-untold : " HEAD
     "once: no INVITE was accepted, so that nothing can be compared\n"},
    {"refused without custom headers", {{200, ""}, {403, ""}}, ""},
    {"challenges are no refusals", {{200, "X-A: 1\r\n"}, {407, "X-A: 1\r\nX-B: 1\r\n"}}, ""},
    {"one busy callee", {{200, "X-A: 1\r\n"}, {486, "X-A: 1\r\nX-B: 1\r\n"}}, ""},
    {"each busy callee",
     {{200, "X-A: 1\r\n"}, {486, "X-B: 1\r\n"}, {486, "X-B: 2\r\n"}},
     "warning reject-name X-B: INVITE was answered 486 by 203.0.113.20 2 times: X-B is on each of "
     "those messages and on none of 1 that was accepted\n"},
};

static void call(const struct path *p, const struct attempt *a, size_t i)
{
    char id[16], tag[32];
    snprintf(id, sizeof id, "c%zu", i);
    snprintf(tag, sizeof tag, "SCL_aaaaaaaaaaa%zu", i);
    struct dialog d = {id, tag, "far", "+15105550100", "+14155550100"};
    struct told m = {.method = "INVITE", .cseq = 1, .headers = a->headers};
    path_send(p, &d, m);
    m.headers = NULL;
    m.status = a->status;
    path_send(p, &d, m);
    path_send(p, &d,
              (struct told){.method = "ACK", .cseq = 1, .again = a->status < 300 ? "a" : NULL});
}

static void test_reject(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct lab lab = {.packs = {"reject"}};
        struct path p = packs_path(&lab);
        p.nodes[0] = (struct path_node){.name = "livekit", .left = "10.0.1.10"};
        p.nodes[1] = (struct path_node){.name = "kam1", .left = "10.0.1.1", .right = "203.0.113.1"};
        p.nodes[2] = (struct path_node){.name = "carrier", .left = "203.0.113.20"};
        for (size_t k = 0; k < CALLS && runs[i].calls[k].status; k++)
            call(&p, &runs[i].calls[k], k);
        lab_run(&lab);
        if (strcmp(lab.ruled.p, runs[i].found) != 0) {
            print_error("%s\n", runs[i].name);
            assert_string_equal(lab.ruled.p, runs[i].found);
        }
        lab_free(&lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reject)};
    sip_typed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of report/flow: a ladder as text at several widths, as Mermaid, SVG and HTML, and what
 * hostile bytes become in each. */
#include "drawn.h"
#include "shown.h"

static const struct dialog call = {"c1", "SCL_aaaaaaaaaaaa", "far", NULL, NULL};
static const struct told bye = {
    .method = "BYE", .cseq = 2, .headers = "X-A: 1\r\nX-B: 2\r\nSubject: s\r\n"};

/* Eight elements in a row, each with a point. */
static void eight(struct lab *lab)
{
    static const char *const names[] = {"livekit", "proxy1", "proxy2", "proxy3",
                                        "proxy4",  "proxy5", "proxy6", "carrier"};
    static const char *const left[] = {"10.0.0.1", "10.0.0.2", "10.0.1.2", "10.0.2.2",
                                       "10.0.3.2", "10.0.4.2", "10.0.5.2", "10.0.6.2"};
    static const char *const right[] = {NULL,       "10.0.1.1", "10.0.2.1", "10.0.3.1",
                                        "10.0.4.1", "10.0.5.1", "10.0.6.1", NULL};
    struct path p = {.lab = lab, .n = 8};
    lab->now_ms = 1000000000;
    for (size_t i = 0; i < 8; i++) {
        p.nodes[i] = (struct path_node){.name = names[i], .left = left[i], .right = right[i]};
        lab_point(lab, names[i], LAB_SLL2);
    }
    p.changes[0] = (struct path_change){"proxy5", "BYE", "X-B: 2\r\n", ""};
    path_ask(&p, &call, bye);
    struct path direct = p;
    direct.nodes[1] = p.nodes[7];
    direct.n = 2;
    path_send(&direct, &call, (struct told){.method = "INFO", .cseq = 3});
}

static void test_folding(void **state)
{
    static const char expected[] =
        "Call c1   alice -> bob\n"
        "  1970-01-12 (UTC)\n"
        "\n"
        "Elements 1 to 5 of 8\n"
        "          livekit        proxy1         proxy2         proxy3         proxy4\n"
        "13:46:40.000 |-----BYE----->|              |              |              |\n"
        "13:46:40.002 |              |-----BYE----->|              |              |\n"
        "13:46:40.004 |              |              |-----BYE----->|              |\n"
        "13:46:40.006 |              |              |              |-----BYE----->|\n"
        "13:46:40.040 |              |              |              |<200 Some ...-|\n"
        "13:46:40.042 |              |              |<200 Some ...-|              |\n"
        "13:46:40.044 |              |<200 Some ...-|              |              |\n"
        "13:46:40.046 |<200 Some ...-|              |              |              |\n"
        "13:46:40.068 |----------------------------INFO-----------------------------\n"
        "\n"
        "Elements 5 to 8 of 8\n"
        "          proxy4         proxy5         proxy6         carrier\n"
        "13:46:40.008 |-----BYE----->|              |              |\n"
        "13:46:40.010 |              |--BYE -1 X--->|              |\n"
        "13:46:40.012 |              |              |-----BYE----->|\n"
        "13:46:40.034 |              |              |<200 Some ...-|\n"
        "13:46:40.036 |              |<200 Some ...-|              |\n"
        "13:46:40.038 |<200 Some ...-|              |              |\n"
        "13:46:40.068 --------------------INFO-------------------->|\n"
        "\n"
        "Headers that change on the way (- gone, + added, ~ altered)\n"
        "  13:46:40.010 BYE, proxy5: -X-B\n"
        "\n"
        "No INVITE was captured: the left side need not be the caller's.\n";
    struct lab lab = {0};
    struct drawn d = {.ascii = true};
    (void)state;
    eight(&lab);
    drawn_run(&d, &lab);
    assert_string_equal(d.text.p, expected);
    drawn_free(&d);
    for (size_t width = 40; width <= 260; width += 11) {
        d = (struct drawn){.width = width, .headers = true};
        drawn_run(&d, &lab);
        assert_true(shown_width(d.text.p) <= width);
        assert_non_null(strstr(d.text.p, "carrier"));
        drawn_free(&d);
    }
    lab_free(&lab);
}

/* ---- hostile bytes ------------------------------------------------------------------------------
 */

static const char evil[] = "X-\x1b[31m: \x1b]0;gone\x07<script>alert(1)</script>\r\n"
                           "X-Ok: \xff\xfe]]>\"'&;#35;%%{init}%%\r\n"
                           "X-Wide: \xe6\xbc\xa2\xe2\x80\xae\r\n"
                           "X-Api-Key: topsecret\r\n"
                           "Proxy-Authorization: Digest username=\"u\", response=\"topsecret\"\r\n";

static void hostile(struct lab *lab)
{
    struct path p = {.lab = lab,
                     .n = 3,
                     .nodes = {{.name = "livekit", .left = "10.0.0.1"},
                               {.name = "p\x1b<b>;#", .left = "10.0.0.2", .right = "10.0.1.1"},
                               {.name = "\xe6\xbc\xa2\xe5\xad\x97", .left = "10.0.1.2"}}};
    lab->now_ms = 1000000000;
    for (size_t i = 0; i < 3; i++)
        lab_point(lab, p.nodes[i].name, LAB_SLL2);
    p.changes[0] = (struct path_change){p.nodes[1].name, "INVITE", "X-Ok", "X-No"};
    p.changes[1] = (struct path_change){p.nodes[1].name, "INVITE 200", "Server: ;#<i>\r\n", ""};
    path_send(&p, &call, (struct told){.method = "INVITE", .cseq = 1, .headers = evil});
    path_send(&p, &call,
              (struct told){.method = "INVITE",
                            .cseq = 1,
                            .status = 200,
                            .reason = "\x1b[2J</title><script>;#%%{x}\xc2\x9b",
                            .headers = "Server: ;#<i>\r\n"});
}

static void no_control(const struct text *t, bool ascii)
{
    for (size_t i = 0; i < t->n; i++) {
        unsigned char c = (unsigned char)t->p[i];
        assert_true((c >= 0x20 || c == '\n') && c != 0x7f);
        assert_true(!ascii || c < 0x80);
        assert_true(c != 0xc2 || (unsigned char)t->p[i + 1] >= 0xa0);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lab lab = {0};
        struct drawn d = {.ascii = i & 1, .verbose = i & 2, .headers = true};
        hostile(&lab);
        drawn_run(&d, &lab);
        no_control(&d.text, d.ascii);
        no_control(&d.svg, false);
        no_control(&d.mermaid, false);
        no_control(&d.html, false);
        assert_null(strstr(d.text.p, "topsecret"));
        assert_null(strstr(d.html.p, "topsecret"));
        assert_non_null(strstr(d.html.p, "Digest ***"));
        assert_null(strstr(d.html.p, "<script"));
        assert_null(strstr(d.svg.p, "<script"));
        assert_null(strstr(d.svg.p, "<b>"));
        drawn_free(&d);
        lab_free(&lab);
    }
}

/* In a line of Mermaid the number sign stands before the code of a character only, and the
 * semicolon behind it (the lexer of its sequence diagrams ends a text at either). */
static void test_mermaid(void **state)
{
    struct lab lab = {0};
    struct drawn d = {0};
    (void)state;
    hostile(&lab);
    drawn_run(&d, &lab);
    for (const char *s = d.mermaid.p; *s; s++) {
        assert_null(strchr("<>\"%{}'&`[]|", *s) && strncmp(s - 1, "->>", 3) != 0 &&
                            strncmp(s - 2, "->>", 3) != 0
                        ? s
                        : NULL);
        if (*s != '#')
            continue;
        s += strspn(s + 1, "0123456789") + 1;
        assert_int_equal(*s, ';');
    }
    assert_non_null(strstr(d.mermaid.p, "Note over c2: "));
    drawn_free(&d);
    lab_free(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_mermaid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

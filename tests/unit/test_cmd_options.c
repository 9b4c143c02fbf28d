/* cmd/options, nearest: command lines good and bad, and what is suggested. */
#include "cmd/cmd.h"

#include "unit.h"

#define WORDS_MAX 12

struct line {
    const char *words[WORDS_MAX]; /* without the program's name */
};

static int count_words(const struct line *l, const char **argv)
{
    int n = 1;
    argv[0] = "sipxray";
    while (n <= WORDS_MAX && l->words[n - 1]) {
        argv[n] = l->words[n - 1];
        n++;
    }
    return n;
}

static bool parse(struct cmd_arguments *a, const struct line *l, struct err *err)
{
    const char *argv[WORDS_MAX + 1];
    int n = count_words(l, argv);
    return cmd_arguments_parse(a, n, argv, err);
}

static void test_good(void **state)
{
    static const struct {
        struct line line;
        const char *command;
        enum cmd_option_id option;
        const char *value; /* the last of the option; NULL: not given */
        size_t times, operands;
    } cases[] = {
        {{{"check", "--trunk", "t.json", "a.pcap"}}, "check", CMD_OPT_TRUNK, "t.json", 1, 1},
        {{{"check", "--trunk=t.json", "a.pcap"}}, "check", CMD_OPT_TRUNK, "t.json", 1, 1},
        {{{"check", "a.pcap", "--trunk", "t.json"}}, "check", CMD_OPT_TRUNK, "t.json", 1, 1},
        {{{"--trunk", "t.json", "check", "a", "b"}}, "check", CMD_OPT_TRUNK, "t.json", 1, 2},
        {{{"check", "--trunk", "t", "--trunk=u"}}, "check", CMD_OPT_TRUNK, "u", 2, 0},
        {{{"check", "--node=a=10.0.0.1,10.0.0.2"}},
         "check",
         CMD_OPT_NODE,
         "a=10.0.0.1,10.0.0.2",
         1,
         0},
        {{{"check", "--bpf", "-x"}}, "check", CMD_OPT_BPF, "-x", 1, 0},
        {{{"calls", "--retry", "x"}}, "calls", CMD_OPT_RETRY, "", 1, 1},
        {{{"record", "--rtp", "--keep", "3", "x"}}, "record", CMD_OPT_KEEP, "3", 1, 1},
        {{{"record", "--trigger=check", "x"}}, "record", CMD_OPT_TRIGGER, "check", 1, 1},
        {{{"calls", "--retry=5", "x"}}, "calls", CMD_OPT_RETRY, "5", 1, 1},
        {{{"check", "--", "--trunk", "-"}}, "check", CMD_OPT_TRUNK, NULL, 0, 2},
        {{{"--", "check", "--verbose"}}, "check", CMD_OPT_VERBOSE, NULL, 0, 1},
        {{{"calls", "-", "kam1=-x"}}, "calls", CMD_OPT_BPF, NULL, 0, 2},
        {{{"messages", "--verbose", "x"}}, "messages", CMD_OPT_VERBOSE, "", 1, 1},
        {{{"messages", "--format", "ndjson:o", "x"}}, "messages", CMD_OPT_FORMAT, "ndjson:o", 1, 1},
        {{{"check", "-h"}}, "check", CMD_OPT_HELP, "", 1, 0},
        {{{"--help", "--help"}}, NULL, CMD_OPT_HELP, "", 2, 0},
        {{{"-V"}}, NULL, CMD_OPT_VERSION, "", 1, 0},
        {{{"help", "check"}}, "help", CMD_OPT_HELP, NULL, 0, 1},
        {{{NULL}}, NULL, CMD_OPT_HELP, NULL, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cmd_arguments a;
        struct err err = {""};
        if (!parse(&a, &cases[i].line, &err))
            fail_msg("case %zu: %s", i, err.text);
        if (cases[i].command)
            assert_string_equal(a.command->name, cases[i].command);
        else
            assert_null(a.command);
        assert_int_equal(a.values[cases[i].option].n, cases[i].times);
        assert_int_equal(cmd_given(&a, cases[i].option), cases[i].times > 0);
        if (cases[i].value)
            assert_string_equal(cmd_value(&a, cases[i].option), cases[i].value);
        else
            assert_null(cmd_value(&a, cases[i].option));
        assert_int_equal(a.operands.n, cases[i].operands);
        cmd_arguments_free(&a);
    }
}

static void test_bad(void **state)
{
    static const struct {
        struct line line;
        const char *error;
    } cases[] = {
        {{{"check", "--fromat", "text"}}, "unknown option --fromat; did you mean --format?"},
        {{{"check", "--fromat=text"}}, "unknown option --fromat; did you mean --format?"},
        {{{"check", "--trunks", "t"}}, "unknown option --trunks; did you mean --trunk?"},
        {{{"check", "--allow"}}, "unknown option --allow; did you mean --allow-untested?"},
        {{{"check", "--colour", "auto"}}, "unknown option --colour; did you mean --color?"},
        {{{"check", "--xyzzy"}}, "unknown option --xyzzy"},
        {{{"check", "-x"}}, "unknown option -x"},
        {{{"check", "-hh"}}, "unknown option -hh"},
        {{{"check", "---"}}, "unknown option ---"},
        {{{"check", "--="}}, "unknown option --"},
        {{{"check", "--trunk"}}, "--trunk needs an argument: --trunk FILE"},
        {{{"check", "--trunk="}}, "--trunk has an empty argument; it needs FILE"},
        {{{"check", "--verbose=1"}}, "--verbose takes no argument"},
        {{{"check", "--bpf", "a", "--bpf", "b"}}, "--bpf is given twice"},
        {{{"calls", "--trunk", "t", "x"}},
         "--trunk is no option of calls; it belongs to: check, flow, tui, record, probe"},
        {{{"help", "--bpf", "x"}},
         "--bpf is no option of help; it belongs to: check, calls, messages, flow, tui, record, "
         "probe"},
        {{{"calls", "-", "kam1=-"}}, "-: standard input can be read once only"},
        {{{"check", "--trunk", "-", "-"}}, "-: standard input can be read once only"},
        {{{"check", "--trunk", "-", "--values=-"}}, "-: standard input can be read once only"},
        {{{"chek", "x"}}, "unknown subcommand chek; did you mean check?"},
        {{{"call"}}, "unknown subcommand call; did you mean calls?"},
        {{{"mesages"}}, "unknown subcommand mesages; did you mean messages?"},
        {{{"frobnicate"}},
         "unknown subcommand frobnicate; there are check, calls, messages, flow, tui, record, "
         "probe, trunk, explain and help"},
        {{{"a.pcap"}},
         "a.pcap: a subcommand is missing: check judges the calls of a capture, calls lists them, "
         "messages lists its messages; without one there are screens, for which standard output "
         "has to be a terminal"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cmd_arguments a;
        struct err err = {""};
        if (parse(&a, &cases[i].line, &err))
            fail_msg("case %zu is taken", i);
        assert_string_equal(err.text, cases[i].error);
        cmd_arguments_free(&a);
    }
}

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "abc", 0},
        {"abc", "abd", 1},
        {"abc", "acb", 1},
        {"abc", "ab", 1},
        {"fromat", "format", 1},
        {"kitten", "sitting", 3},
        {"chekc", "check", 1},
        {"abcdef", "", 6},
        {"ca", "abc", 3},
        {"an option that is longer than any name", "x", SIZE_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(nearest_distance(cases[i].a, cases[i].b) == cases[i].distance);
        assert_true(nearest_distance(cases[i].b, cases[i].a) == cases[i].distance);
    }
}

static void test_words(void **state)
{
    (void)state;
    assert_true(cmd_has_word("text json", SLICE("text")));
    assert_true(cmd_has_word("text json", SLICE("json")));
    assert_false(cmd_has_word("text json", SLICE("tex")));
    assert_false(cmd_has_word("text json", SLICE("text json")));
    assert_false(cmd_has_word("", SLICE("x")));
}

/* What each table promises to those who use it. */
static void test_tables(void **state)
{
    (void)state;
    for (enum cmd_option_id id = 0; id < CMD_OPT_COUNT; id++) {
        const struct cmd_option *o = cmd_option_of(id);
        assert_non_null(o->name);
        assert_non_null(o->help);
        assert_true(o->help[strlen(o->help) - 1] != '.');
        assert_true(o->commands != 0);
        for (enum cmd_option_id other = 0; other < id; other++)
            assert_string_not_equal(o->name, cmd_option_of(other)->name);
    }
    for (enum cmd_id id = 0; id < CMD_COUNT; id++) {
        struct text help = {0};
        assert_non_null(cmd_command_of(id)->run);
        cmd_help_command(&help, id, 80);
        assert_non_null(strstr(help.p, "--help"));
        assert_non_null(strstr(help.p, "Examples:"));
        text_free(&help);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),
        cmocka_unit_test(test_distance), cmocka_unit_test(test_words),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

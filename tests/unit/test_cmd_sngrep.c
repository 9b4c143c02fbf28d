/* Unit tests of sngrep's command line: what it becomes, and what is said where it becomes nothing.
 */
#include "cmd/internal.h"
#include "unit.h"

#include <string.h>

#define WORDS_MAX 12

static int count(const char *const *words)
{
    int n = 0;
    while (words[n])
        n++;
    return n;
}

static void test_is(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        bool is;
    } cases[] = {
        {{"sipxray"}, false},
        {{"sipxray", "-h"}, false},
        {{"sipxray", "-V"}, false},
        {{"sipxray", "a.pcap"}, false},
        {{"sipxray", "--trunk", "t", "a.pcap"}, false},
        {{"sipxray", "-I", "a.pcap"}, true},
        {{"sipxray", "-Ia.pcap"}, true},
        {{"sipxray", "-rc"}, true},
        {{"sipxray", "-d", "check"}, true}, /* a device of that name */
        {{"sipxray", "a.pcap", "-c"}, true},
        {{"sipxray", "check", "-c"}, false},
        {{"sipxray", "calls", "-I", "x"}, false},
        {{"sipxray", "--", "-I"}, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (cmd_sngrep_is(count(cases[i].words), cases[i].words) != cases[i].is)
            fail_msg("case %zu", i);
}

static void test_translated(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *line; /* without the program; | between words */
    } cases[] = {
        {{"sngrep", "-I", "a.pcap"}, "tui|a.pcap"},
        {{"sngrep", "-Ia.pcap", "-I", "b.pcap"}, "tui|a.pcap|b.pcap"},
        {{"sngrep", "-d", "eth0"}, "tui|iface:eth0"},
        {{"sngrep", "-d", "eth0,eth1"}, "tui|iface:eth0|iface:eth1"},
        {{"sngrep", "-r"}, "tui|iface:any"},
        {{"sngrep", "-rREp"}, "tui|iface:any"},
        {{"sngrep", "-L", "udp:0.0.0.0:9060"}, "tui|hep:udp:0.0.0.0:9060"},
        {{"sngrep", "-k", "key.pem", "-B", "8"}, "tui|--tls-key|key.pem|--buffer|8|iface:any"},
        {{"sngrep", "-F", "-c"}, "tui|--no-config|--filter|call.method == INVITE|iface:any"},
        {{"sngrep", "-cI", "a", "port", "5060"},
         "tui|--bpf|port 5060|--filter|call.method == INVITE|a"},
        {{"sngrep", "-I", "a", "udp"}, "tui|--bpf|udp|a"},
        {{"sngrep", "-I", "a", "INVITE"}, "tui|--filter|text =~ \"INVITE\"|a"},
        {{"sngrep", "-iI", "a", "5551\\d+", "host", "10.0.0.1"},
         "tui|--bpf|host 10.0.0.1|--filter|text =~ \"(?i)5551\\\\d+\"|a"},
        {{"sngrep", "-vcI", "a", "say \"hi\""},
         "tui|--filter|call.method == INVITE and none(text =~ \"say \\\"hi\\\"\")|a"},
        {{"sngrep", "-I", "a", "--trunk", "t.json", "--ascii"}, "tui|--trunk|t.json|--ascii|a"},
        {{"sngrep", "-I", "a", "--trunk=t.json", "x=b.pcap"}, "tui|--trunk=t.json|a|x=b.pcap"},
        {{"sngrep", "-I", "a", "--", "-v"}, "tui|--filter|text =~ \"-v\"|a"},
        {{"sngrep", "-NO", "o.pcap", "-d", "eth0"}, "record|--output|o.pcap|iface:eth0"},
        {{"sngrep", "-NrF", "-O", "o.pcap", "-I", "a", "BYE", "port", "5060"},
         "record|--output|o.pcap|--rtp|--bpf|port 5060|--filter|text =~ \"BYE\"|a"},
        {{"sngrep", "-Nq", "-H", "udp:10.0.0.9:9060"}, "record|--hep|udp:10.0.0.9:9060|iface:any"},
        {{"sngrep", "-l", "1000", "-I", "a"}, "tui|a"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cmd_words w = {0};
        struct err err = {""};
        struct text line = {0};
        if (!cmd_sngrep_translate(&w, count(cases[i].words), cases[i].words, &err))
            fail_msg("case %zu: %s", i, err.text);
        for (size_t k = 1; w.items.items[k]; k++)
            text_printf(&line, "%s%s", k > 1 ? "|" : "", w.items.items[k]);
        assert_string_equal(line.p, cases[i].line);
        text_free(&line);
        cmd_words_free(&w);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *error;
    } cases[] = {
        {{"sngrep", "-I"}, "-I needs an argument"},
        {{"sngrep", "-d", ""}, "-d needs an argument"},
        {{"sngrep", "-O", "out.pcap", "-d", "eth0"},
         "-O out.pcap: sipxray record --output out.pcap iface:eth0 writes what is captured, and "
         "so does -N; the screens save what they show (F2)"},
        {{"sngrep", "-H", "udp:10.0.0.9:9060"},
         "-H udp:10.0.0.9:9060: sipxray record --hep udp:10.0.0.9:9060 iface:any sends what is "
         "captured, and so does -N"},
        {{"sngrep", "-Nq"},
         "-N: without screens there are sipxray calls iface:any, messages, check and record"},
        {{"sngrep", "-f", "rc"},
         "-f rc: a file of sngrep's is named by the environment variable SNGREPRC, one of "
         "sipxray's by --config"},
        {{"sngrep", "-W", "x"}, "-W x: sipxray has nothing like it"},
        {{"sngrep", "-cz"},
         "-z: neither sipxray nor sngrep has this option; sipxray --help lists those of sipxray"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cmd_words w = {0};
        struct err err = {""};
        if (cmd_sngrep_translate(&w, count(cases[i].words), cases[i].words, &err))
            fail_msg("case %zu is taken", i);
        assert_string_equal(err.text, cases[i].error);
        cmd_words_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is),
        cmocka_unit_test(test_translated),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

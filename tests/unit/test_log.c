/* log:FILE: what servers and tools print, each format as it is printed and damaged. */
#include "capture.h"
#include "source/log.h"

#include <sys/stat.h>
#include <time.h>

#define VIA "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1"
/* 123 and 97 bytes with CRLF */
#define INVITE(e)                                                                                  \
    "INVITE sip:b@10.0.0.2 SIP/2.0" e VIA e "Call-ID: a" e "Content-Length: 10" e "" e "v=0" e     \
    "s=-" e
#define OK(e) "SIP/2.0 200 OK" e VIA e "Call-ID: a" e "Content-Length: 0" e "" e

static struct source *open_log(struct slice text, struct err *err)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    const struct timespec times[2] = {{1795375000, 0}, {1795375000, 0}}; /* 2026-11-22 19:16:40 */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.n), text.n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(futimens(fd, times), 0);
    return source_log_open_fd("log", "log:test", fd, err);
}

static void add_escaped(struct text *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] == '\r')
            text_add(out, SLICE("\\r"));
        else if (bytes.p[i] == '\n')
            text_add(out, SLICE("\\n"));
        else
            text_add_char(out, bytes.p[i]);
}

static const char *transport_of(const struct source_message *m)
{
    if (m->websocket)
        return m->tls ? "wss" : "ws";
    return m->tls ? "tls" : m->ip_protocol == 6 ? "tcp" : m->ip_protocol == 17 ? "udp" : "sctp";
}

/* "in udp 10.0.0.1:5060 -> ? 1795290001123456000 123+0" */
static void add_frame(struct text *out, const struct source_frame *f)
{
    static const char *const ways[] = {"?", "in", "out"};
    const struct source_message *m = f->message;
    text_printf(out, "%s %s %s -> %s %lld %zu+%zu\n", ways[f->direction], transport_of(m),
                m->src.ip.family ? endpoint_format(&m->src).s : "?",
                m->dst.ip.family ? endpoint_format(&m->dst).s : "?", (long long)f->time_ns,
                f->bytes.n, f->length - f->bytes.n);
}

/* Reads all of a log.  `place`: what was read stands at its offset. */
static char *read_log(struct slice log, struct slice *messages, size_t room,
                      struct source_stats *stats)
{
    struct text heads = {0}, bytes = {0};
    struct source_frame f;
    struct err err;
    size_t n = 0;
    struct source *s = open_log(log, &err);
    assert_non_null(s);
    while (next_frame(s, &f) == SOURCE_FRAME) {
        assert_int_equal(f.number, n + 1);
        assert_true(n < room);
        if (f.offset != SOURCE_NO_OFFSET)
            assert_slice_equal(slice_first(slice_from(log, f.offset), f.bytes.n), f.bytes);
        add_frame(&heads, &f);
        text_clear(&bytes);
        add_escaped(&bytes, f.bytes);
        messages[n].p = strndup(bytes.p, bytes.n);
        messages[n++].n = bytes.n;
    }
    *stats = *source_stats(s);
    source_close(s);
    text_free(&bytes);
    text_add(&heads, SLICE(""));
    return heads.p;
}

struct sample {
    const char *what, *log, *heads;
    const char *messages[4];
    unsigned unread;
};

static void check_sample(const struct sample *c)
{
    struct slice messages[8] = {{NULL, 0}};
    struct source_stats stats;
    char *heads = read_log(slice_of(c->log), messages, COUNT(messages), &stats);
    struct text wanted = {0};
    print_message("%s\n", c->what);
    assert_string_equal(heads, c->heads);
    for (size_t i = 0; i < COUNT(c->messages) && c->messages[i]; i++) {
        text_clear(&wanted);
        add_escaped(&wanted, slice_of(c->messages[i]));
        assert_string_equal(messages[i].p ? messages[i].p : "none", wanted.p);
    }
    assert_int_equal(stats.unread, c->unread);
    assert_false(stats.truncated);
    text_free(&wanted);
    free(heads);
    for (size_t i = 0; i < COUNT(messages); i++)
        free((char *)(uintptr_t)messages[i].p);
}

static void check_samples(const struct sample *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_sample(&list[i]);
}

#define RN "\r\n"
#define N  "\n"

static const struct sample asterisk[] = {
    {"pjsip, CRLF kept, on the console",
     "<--- Received SIP request (123 bytes) from UDP:10.0.0.1:5060 --->\n" INVITE(
         RN) "\n"
             "<--- Transmitting SIP response (97 bytes) to TLS:[fd00::1]:5061 --->\n" OK(RN) "\n",
     "in udp 10.0.0.1:5060 -> ? 0 123+0\nout tls ? -> [fd00::1]:5061 0 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"pjsip in the log file, CRLF lost, other lines around",
     "[2026-11-21 19:40:01.123] VERBOSE[7] pbx.c: Executing\n"
     "[2026-11-21 19:40:01.124] VERBOSE[12] res_pjsip_logger.c: <--- Received SIP request (123 "
     "bytes) from WSS:10.0.0.1:5060 --->\n" INVITE(
         N) "\n"
            "[2026-11-21 19:40:02.000] DEBUG[12] x.c: nothing\n"
            "[2026-11-21 19:40:02.500] VERBOSE[12] res_pjsip_logger.c: <--- Transmitting SIP "
            "response "
            "(97 bytes) to tcp:10.0.0.1:5060 --->\n" OK(N) "\n-- Executing\n",
     "in wss 10.0.0.1:5060 -> ? 1795290001124000000 123+0\n"
     "out tcp ? -> 10.0.0.1:5060 1795290002500000000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"the short date of logger.conf, year of the last writing",
     "[Nov 21 19:40:01] VERBOSE[1] res_pjsip_logger.c: <--- Received SIP response (97 bytes) from "
     "UDP:10.0.0.1:5060 --->\n" OK(RN) "\n"
                                       "[Dec 31 23:59:59] VERBOSE[1] res_pjsip_logger.c: <--- "
                                       "Received SIP response (97 bytes) from "
                                       "UDP:10.0.0.1:5060 --->\n" OK(RN) "\n",
     "in udp 10.0.0.1:5060 -> ? 1795290001000000000 97+0\n"
     "in udp 10.0.0.1:5060 -> ? 1767225599000000000 97+0\n",
     {OK(RN), OK(RN)},
     0},
    {"LF on the wire: the count says so",
     "<--- Received SIP request (92 bytes) from UDP:10.0.0.1:5060 --->\n" OK(
         N) "\nwords\n"
            "<--- Received SIP request (52 bytes) from UDP:10.0.0.1:5060 --->\n"
            "MESSAGE sip:b@c SIP/2.0\nContent-Length: 8\n\na=1\n\nb=2\n\nwords\n",
     "in udp 10.0.0.1:5060 -> ? 0 92+0\nin udp 10.0.0.1:5060 -> ? 0 52+0\n",
     {OK(N), "MESSAGE sip:b@c SIP/2.0\nContent-Length: 8\n\na=1\n\nb=2\n"},
     0},
    {"a message whose body looks like the log",
     "<--- Received SIP request (131 bytes) from UDP:10.0.0.1:5060 --->\n"
     "MESSAGE sip:b@c SIP/2.0\r\nContent-Length: 84\r\n\r\nmarked:\r\n"
     "<--- Received SIP request (876 bytes) from UDP:10.0.0.9:5060 --->\r\n---\r\nx\r\n\n",
     "in udp 10.0.0.1:5060 -> ? 0 131+0\n",
     {NULL},
     0},
    {"chan_sip",
     "\n<--- SIP read from UDP:10.0.0.1:5060 --->\n" INVITE(
         RN) "<------------->\n"
             "--- (5 headers 2 lines) ---\n"
             "[2026-11-21 19:40:01] VERBOSE[3] chan_sip.c: \n<--- Transmitting (no NAT) to "
             "10.0.0.1:5060 "
             "--->\n" OK(RN) "\n\n<------------>\n"
                             "Reliably Transmitting (NAT) to 10.0.0.3:5080:\n" INVITE(
                                 N) "\n---\n"
                                    "[2026-11-21 19:40:02] Retransmitting #1 (NAT) to "
                                    "10.0.0.3:5080:\n" INVITE(RN) "\n---\n",
     "in udp 10.0.0.1:5060 -> ? 0 123+0\n"
     "out udp ? -> 10.0.0.1:5060 1795290001000000000 97+0\n"
     "out udp ? -> 10.0.0.3:5080 1795290001000000000 123+0\n"
     "out udp ? -> 10.0.0.3:5080 1795290002000000000 123+0\n",
     {INVITE(RN), OK(RN), INVITE(RN), INVITE(RN)},
     0},
};

static void test_asterisk(void **state)
{
    (void)state;
    check_samples(asterisk, COUNT(asterisk));
}

#define RULE_DASHES "------------------------------------------------------------------------"
#define RULE        "   " RULE_DASHES "\n"
#define IN_RULES                                                                                   \
    RULE "   INVITE sip:b@10.0.0.2 SIP/2.0\n   " VIA                                               \
         "\n   Call-ID: a\n   Content-Length: 10\n   \n"                                           \
         "   v=0\n   s=-\n" RULE

static const struct sample sofia[] = {
    {"FreeSWITCH, date from the lines around",
     "2026-11-21 19:39:59.000001 [DEBUG] x.c: nothing\n"
     "recv 123 bytes from udp/[10.0.0.1]:5060 at 19:40:01.123456:\n" IN_RULES
     "send 123 bytes to tls/[fd00::1]:5061 at 00:00:01.000000:\n" IN_RULES,
     "in udp 10.0.0.1:5060 -> ? 1795290001123456000 123+0\n"
     "out tls ? -> [fd00::1]:5061 1795305601000000000 123+0\n",
     {INVITE(RN), INVITE(RN)},
     0},
    {"FreeSWITCH without a margin",
     "recv 123 bytes from udp/[10.0.0.1]:5060 at 19:40:01.123456:\n" RULE_DASHES "\n" INVITE(N)
         RULE_DASHES "\n"
                     "2026-11-21 19:40:01.200000 [DEBUG] x.c: nothing\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 send 97 bytes to tcp/[fd00::1]:5061 at "
                     "19:40:01.300000:\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 " RULE_DASHES "\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 SIP/2.0 200 OK\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 " VIA "\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 Call-ID: a\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 Content-Length: 0\n"
                     "3f1a2b4c-0000-1111-2222-333344445555 \n"
                     "3f1a2b4c-0000-1111-2222-333344445555 " RULE_DASHES "\n",
     "in udp 10.0.0.1:5060 -> ? 1795290001123456000 123+0\n"
     "out tcp ? -> [fd00::1]:5061 1795290001300000000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"no date: the day before the last writing ended",
     "recv 123 bytes from ws/[10.0.0.1]:5060 at 23:59:59.000000:\n" IN_RULES
     "recv 123 bytes from wss/[10.0.0.1]:5060 at 00:00:00.500000:\n" IN_RULES,
     "in ws 10.0.0.1:5060 -> ? 1795305599000000000 123+0\n"
     "in wss 10.0.0.1:5060 -> ? 1795305600500000000 123+0\n",
     {INVITE(RN), INVITE(RN)},
     0},
    {"the channel before each line, and a line of another thread within",
     "3f1a2b4c-0000-1111-2222-333344445555 recv 97 bytes from udp/[10.0.0.1]:5060 at "
     "19:40:01.123456:\n"
     "3f1a2b4c-0000-1111-2222-333344445555 " RULE
     "3f1a2b4c-0000-1111-2222-333344445555    SIP/2.0 200 OK\n"
     "2026-11-21 19:40:01.2 [DEBUG] x.c: nothing\n"
     "3f1a2b4c-0000-1111-2222-333344445555    " VIA "\n"
     "3f1a2b4c-0000-1111-2222-333344445555    Call-ID: a\n"
     "3f1a2b4c-0000-1111-2222-333344445555    Content-Length: 0\n"
     "3f1a2b4c-0000-1111-2222-333344445555    \n"
     "3f1a2b4c-0000-1111-2222-333344445555 " RULE,
     "in udp 10.0.0.1:5060 -> ? 1795290001123456000 97+0\n",
     {OK(RN)},
     1},
    {"cut by sofia-sip's own limit",
     "recv 900 bytes from udp/[10.0.0.1]:5060 at 10:00:00.000000:\n" RULE
     "   OPTIONS sip:b@c SIP/2.0\n   Call-ID: a\n" RULE "   *** message truncated at 40 ***\n",
     "in udp 10.0.0.1:5060 -> ? 1795341600000000000 37+863\n",
     {"OPTIONS sip:b@c SIP/2.0\r\nCall-ID: a\r\n"},
     0},
    {"rules within the body, no line end at its end",
     "send 130 bytes to udp/[10.0.0.1]:5060 at 10:00:00.000000:\n" RULE
     "   MESSAGE sip:b@c SIP/2.0\n   Content-Length: 83\n   \n   a\n   " RULE "   \n   b\n" RULE,
     "out udp ? -> 10.0.0.1:5060 1795341600000000000 130+0\n",
     {NULL},
     0},
    {"keep-alives are no messages",
     "recv 4 bytes from tcp/[10.0.0.1]:5060 at 10:00:00.000000:\n" RULE "   \n   \n" RULE
     "recv 97 bytes from tcp/[10.0.0.1]:5060 at 10:00:00.000000:\n" RULE
     "   SIP/2.0 200 OK\n   " VIA "\n   Call-ID: a\n   Content-Length: 0\n   \n" RULE,
     "in tcp 10.0.0.1:5060 -> ? 1795341600000000000 97+0\n",
     {OK(RN)},
     0},
    {"drachtio: without rules",
     "2026-11-21 19:40:01.5 recv 123 bytes from udp/[10.0.0.1]:5060 at 19:40:01.123456:\n" INVITE(
         N) "\n2026-11-21 19:40:01.6 nothing\n",
     "in udp 10.0.0.1:5060 -> ? 1795290001123456000 123+0\n",
     {INVITE(RN)},
     0},
};

static void test_sofia(void **state)
{
    (void)state;
    check_samples(sofia, COUNT(sofia));
}

#define SIPDUMP(tag, proto, src, sport, dst, dport)                                                \
    "====================\ntag: " tag "\npid: 7\nprocess: 1\ntime: 1795290001.123456\n"            \
    "date: Sat Nov 21 19:40:01 2026\nproto: " proto "\nsrcip: " src "\nsrcport: " sport            \
    "\ndstip: " dst "\ndstport: " dport "\n~~~~~~~~~~~~~~~~~~~~\n"
#define BARS "||||||||||||||||||||\n"

static const struct sample kamailio[] = {
    {"sipdump",
     SIPDUMP("rcv", "udp ipv4", "10.0.0.1", "5060", "10.0.0.2", "5060") INVITE(RN)
         BARS SIPDUMP("snd", "tls ipv6", "fd00::1", "5061", "fd00::2", "40000") OK(RN)
             BARS SIPDUMP("mine", "tcp ipv4", "10.0.0.1", "5060", "0.0.0.0",
                          "0") "MESSAGE sip:b@c SIP/2.0\r\nContent-Length: 3\r\n\r\nabc" BARS,
     "in udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 123+0\n"
     "out tls [fd00::1]:5061 -> [fd00::2]:40000 1795290001123456000 97+0\n"
     "? tcp 10.0.0.1:5060 -> ? 1795290001123456000 49+0\n",
     {INVITE(RN), OK(RN), "MESSAGE sip:b@c SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"},
     0},
    {"bars within the body",
     SIPDUMP("rcv", "udp ipv4", "10.0.0.1", "5060", "10.0.0.2",
             "5060") "MESSAGE sip:b@c SIP/2.0\r\nContent-Length: "
                     "26\r\n\r\nab||||||||||||||||||||\nc\r\n" BARS,
     "in udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 73+0\n",
     {"MESSAGE sip:b@c SIP/2.0\r\nContent-Length: 26\r\n\r\nab||||||||||||||||||||\nc\r\n"},
     0},
    {"xlog of $mb",
     "Nov 21 19:40:01 kam1 kamailio[7]: WARNING: <script>: got INVITE sip:b@10.0.0.2 "
     "SIP/2.0\r\n" VIA "\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n\n"
     "Nov 21 19:40:02 kam1 kamailio[7]: WARNING: <script>: got SIP/2.0 200 OK\r\n" VIA
     "\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n\n",
     "? udp ? -> ? 1795290001000000000 112+0\n? udp ? -> ? 1795290002000000000 97+0\n",
     {"INVITE sip:b@10.0.0.2 SIP/2.0\r\n" VIA "\r\nCall-ID: a\r\nContent-Length: 0\r\n\r\n",
      OK(RN)},
     0},
};

static void test_kamailio(void **state)
{
    (void)state;
    check_samples(kamailio, COUNT(kamailio));
}

#define DASHES "----------------------------------------------- "

static const struct sample tools[] = {
    {"SIPp",
     DASHES "2026-11-21 19:40:01.123456\nUDP message sent (123 bytes):\n\n" INVITE(
         RN) "\n" DASHES
             "2026-11-21T19:40:01.223456+0000\nTLS message received [97] bytes :\n\n" OK(
                 RN) "\n" DASHES "2026-11-21 19:40:01.323456\nUnexpected UDP message received:\n\n"
                     "2026-11-21 19:40:01.3 nothing\n",
     "out udp ? -> ? 1795290001123456000 123+0\nin tls ? -> ? 1795290001223456000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"sngrep",
     "2026/11/21 19:40:01.123456 10.0.0.1:5060 -> 10.0.0.2:5060\n" INVITE(
         RN) "\n\n"
             "2026/11/21 19:40:01.223456 fd00::2:5060 -> fd00::1:5060\n" OK(RN) "\n\n",
     "? udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 123+0\n"
     "? udp [fd00::2]:5060 -> [fd00::1]:5060 1795290001223456000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"ngrep -W byline -t, and without -t",
     "input: any\n####\nT 2026/11/21 19:40:01.123456 10.0.0.1:5060 -> 10.0.0.2:5060 [AP] "
     "#5\n" INVITE(".\n") "\n#\nU 10.0.0.2:5060 -> 10.0.0.1:5060 #6\n" OK(".\n") "\n",
     "? tcp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 123+0\n"
     "? udp 10.0.0.2:5060 -> 10.0.0.1:5060 1795290001123456000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"sipgrep with its colours",
     "\nU 2026/11/21 19:40:01.123456 10.0.0.1:5060 -> 10.0.0.2:5060\n\n"
     "SIP/2.0 \033[1m\033[33m200 OK.\033[0m\n"
     "Via: SIP/2.0/UDP 10.0.0.1:5060;\033[1m\033[36mbranch=z9hG4bK1.\033[0m\n"
     "Call-ID:\033[1m\033[35m a.\033[0m\nContent-Length: 0.\n.\n\n",
     "? udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 97+0\n",
     {OK(RN)},
     0},
    {"sipgrep, line ends without CR",
     "\nU 2026/11/21 19:40:01.123456 10.0.0.1:5060 -> 10.0.0.2:5060\n\nMESSAGE sip:b@c SIP/2.0\n"
     "Via: SIP/2.0/UDP a\nCall-ID: a\nContent-Length: 12\n\nv=0\no=a b c\n\n\n"
     "T 2026/11/21 19:40:01.223456 10.0.0.2:5060 -> 10.0.0.1:5060\n\nMESSAGE sip:b@c SIP/2.0\n"
     "Via: SIP/2.0/TCP a\nCall-ID: a\nContent-Length: 12\n\nv=0\no=a b c\n\n",
     "? udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 86+0\n"
     "? tcp 10.0.0.2:5060 -> 10.0.0.1:5060 1795290001223456000 86+0\n",
     {"MESSAGE sip:b@c SIP/2.0\nVia: SIP/2.0/UDP a\nCall-ID: a\nContent-Length: 12\n\nv=0\no=a b "
      "c\n",
      "MESSAGE sip:b@c SIP/2.0\nVia: SIP/2.0/TCP a\nCall-ID: a\nContent-Length: 12\n\nv=0\no=a b "
      "c\n"},
     0},
    {"messages and nothing else",
     INVITE(RN) OK(RN) "\r\n" INVITE(RN),
     "? udp ? -> ? 0 123+0\n? udp ? -> ? 0 97+0\n? udp ? -> ? 0 123+0\n",
     {INVITE(RN), OK(RN), INVITE(RN)},
     0},
    {"without Content-Length, an empty line ends the body",
     "MESSAGE sip:b@c SIP/2.0\nCall-ID: a\n\nhello\n\nother words\nBYE sip:b@c SIP/2.0\nCall-ID: "
     "a\n"
     "SIP/2.0 200 OK\nCall-ID: a\n\n",
     "? udp ? -> ? 0 42+0\n? udp ? -> ? 0 31+0\n? udp ? -> ? 0 27+0\n",
     {"MESSAGE sip:b@c SIP/2.0\nCall-ID: a\n\nhello\n", "BYE sip:b@c SIP/2.0\nCall-ID: a\n",
      "SIP/2.0 200 OK\nCall-ID: a\n\n"},
     0},
};

static void test_tools(void **state)
{
    (void)state;
    check_samples(tools, COUNT(tools));
}

static const struct sample damaged[] = {
    {"several formats in one log, CRLF at every line's end",
     "2026/11/21 19:40:01.123456 10.0.0.1:5060 -> 10.0.0.2:5060\r\n" INVITE(
         RN) "\r\n\r\n"
             "<--- Received SIP response (97 bytes) from UDP:10.0.0.1:5060 --->\r\n" OK(RN) "\r\n",
     "? udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001123456000 123+0\n"
     "in udp 10.0.0.1:5060 -> ? 1795290001123456000 97+0\n",
     {INVITE(RN), OK(RN)},
     0},
    {"records of something else, a start line alone",
     "U 2026/11/21 19:40:01.123456 10.0.0.1:53 -> 10.0.0.2:5353\nwhatever....\n\n"
     "see BYE sip:b@c SIP/2.0\nand words\n" INVITE(RN),
     "? udp ? -> ? 1795290001123456000 123+0\n",
     {INVITE(RN)},
     2},
    {"a head, and at once the next",
     "<--- Received SIP request (123 bytes) from UDP:10.0.0.1:5060 --->\n"
     "<--- Received SIP request (123 bytes) from UDP:10.0.0.2:5060 --->\n" INVITE(RN) "\n",
     "in udp 10.0.0.2:5060 -> ? 0 123+0\n",
     {INVITE(RN)},
     0},
    {"counts that lie: Content-Length serves",
     "<--- Received SIP request (99999999999999999 bytes) from UDP:10.0.0.1:5060 "
     "--->\n" INVITE(RN) "\n<--- Received SIP request (1 bytes) from UDP:10.0.0.1:5060 "
                         "--->\n" INVITE(N) "\n"
                                            "<--- Received SIP request (300 bytes) from "
                                            "UDP:10.0.0.1:5060 --->\n" INVITE(RN) "\nrest\n",
     "in udp 10.0.0.1:5060 -> ? 0 123+0\nin udp 10.0.0.1:5060 -> ? 0 123+0\n"
     "in udp 10.0.0.1:5060 -> ? 0 123+0\n",
     {INVITE(RN), INVITE(RN), INVITE(RN)},
     0},
    {"bad addresses: the message is there all the same",
     "<--- Received SIP request (123 bytes) from UDP:10.0.0.999:5060 --->\n" INVITE(RN) "\n",
     "? udp ? -> ? 0 123+0\n",
     {INVITE(RN)},
     0},
};

static void test_damaged(void **state)
{
    (void)state;
    check_samples(damaged, COUNT(damaged));
}

/* Cut anywhere, a record is a message that is not whole, or none. */
static void test_cut(void **state)
{
    static const char log[] =
        "<--- Received SIP request (123 bytes) from UDP:10.0.0.1:5060 --->\n" INVITE(RN);
    size_t head = strlen(log) - strlen(INVITE(RN));
    (void)state;
    for (size_t n = head + strlen("INVITE sip:b@10.0.0.2 SIP/2.0"); n < strlen(log); n++) {
        struct source_frame f;
        struct err err;
        struct source *s = open_log((struct slice){log, n}, &err);
        assert_int_equal(next_frame(s, &f), SOURCE_FRAME);
        assert_int_equal(f.length, 123);
        assert_int_equal(next_frame(s, &f), SOURCE_END);
        assert_true(source_stats(s)->truncated);
        assert_string_equal(source_stats(s)->truncated_at, "record 1 at byte 0");
        source_close(s);
    }
}

/* The limit: a longer record is counted, and what follows is read. */
static void test_large(void **state)
{
    struct text log = {0};
    struct slice messages[4] = {{NULL, 0}};
    struct source_stats stats;
    (void)state;
    text_add(&log, SLICE("2026/11/21 19:40:01.1 10.0.0.1:5060 -> 10.0.0.2:5060\n"
                         "INVITE sip:b@c SIP/2.0\r\n"));
    while (log.n < LOG_MESSAGE_MAX + 100)
        text_add(&log, SLICE("X: 0123456789012345678901234567890123456789\r\n"));
    text_add(&log, SLICE("\n\n2026/11/21 19:40:01.1 10.0.0.1:5060 -> 10.0.0.2:5060\n" OK(RN)));
    for (size_t i = 0; i < 3 * LOG_MESSAGE_MAX; i++)
        text_add_char(&log, i % 7 ? 'x' : ' ');
    text_add(&log, SLICE("\n" OK(RN)));
    char *heads = read_log(text_slice(&log), messages, COUNT(messages), &stats);
    assert_string_equal(heads, "? udp 10.0.0.1:5060 -> 10.0.0.2:5060 1795290001100000000 97+0\n"
                               "? udp ? -> ? 1795290001100000000 97+0\n");
    assert_int_equal(stats.unread, 1);
    free(heads);
    for (size_t i = 0; i < COUNT(messages); i++)
        free((char *)(uintptr_t)messages[i].p);
    text_free(&log);
}

static void test_errors(void **state)
{
    struct source_frame f;
    struct err err;
    struct bytes capture = small_pcap(true);
    (void)state;
    assert_null(open_log(SLICE(""), &err));
    assert_string_equal(err.text, "log:test: 0 bytes: empty file");
    assert_null(open_log(bytes_slice(&capture), &err));
    assert_string_equal(err.text, "log:test: a capture, not a log: leave out log:");
    assert_null(source_open("x", "log:/nowhere/x.log", &err));
    assert_string_equal(err.text, "log:/nowhere/x.log: No such file or directory");
    assert_null(source_open("x", "log:.", &err));
    assert_string_equal(err.text, "log:.: is a directory, not a log");
    struct source *s = open_log(SLICE("words\nand words\n"), &err);
    assert_false(source_filter(s, "udp", &err));
    assert_string_equal(
        err.text, "log:test: messages without packets around them cannot be filtered by --bpf");
    assert_int_equal(source_next(s, &f, &err), SOURCE_ERROR);
    assert_non_null(strstr(err.text, "log:test: no SIP message found in the log; sipxray reads"));
    source_close(s);
    vec_free(&capture);
}

static int utc(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asterisk), cmocka_unit_test(test_sofia),
        cmocka_unit_test(test_kamailio), cmocka_unit_test(test_tools),
        cmocka_unit_test(test_damaged),  cmocka_unit_test(test_cut),
        cmocka_unit_test(test_large),    cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, utc, NULL);
}

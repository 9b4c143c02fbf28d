/* packet/tcp*: connections as captures show them. */
#include "packet/tcp.h"
#include "segments.h"

#define SECOND 1000000000ll

/* ---- scripts --------------------------------------------------------------------------------- */

/* One segment of a script, as text:  "A 1 PA:2 data"  (sender, sequence number, flags, and behind a
 * colon what it acknowledges; then data, in which | stands for a line feed, ^ for what makes a word
 * before it a request, and / before the data's cut end).  "wait 5" lets seconds pass, "isn A 7"
 * begins to count from elsewhere, "vlan 5" says in which network. */
#define START " x SIP/2.0"

static const char *number_of(const char *p, uint32_t *out)
{
    char *end;
    *out = (uint32_t)strtoll(p, &end, 10);
    return end;
}

static const char *segment_of(struct talk *talk, const char *p)
{
    char flags[8] = "", data[256];
    struct segment s = {.way = *p == 'B', .flags = flags};
    size_t n = 0;
    p = number_of(p + 1, &s.seq);
    for (p += *p == ' '; *p >= 'A' && *p <= 'Z' && n < sizeof flags - 1; p++)
        flags[n++] = *p;
    if (*p == ':')
        p = number_of(p + 1, &s.ack);
    p += *p == ' ';
    for (n = 0; *p && *p != ';'; p++) {
        if (*p == '/' || s.cut)
            s.cut++;
        if (*p == '^')
            n += (size_t)sprintf(data + n, "%s", START);
        else if (*p != '/')
            data[n++] = *p == '|' ? '\n' : *p;
    }
    s.cut -= s.cut > 0;
    s.data = (struct slice){data, n};
    talk_push(talk, s);
    return p;
}

static void play(struct talk *talk, const char *p)
{
    uint32_t n;
    for (; *p; p += *p == ';') {
        while (*p == ' ')
            p++;
        if (!*p)
            break;
        if (strncmp(p, "wait ", 5) == 0) {
            p = number_of(p + 5, &n);
            talk->time_ns += n * SECOND;
        } else if (strncmp(p, "isn ", 4) == 0) {
            unsigned way = p[4] == 'B';
            p = number_of(p + 5, &talk->isn[way]);
        } else if (strncmp(p, "vlan ", 5) == 0) {
            p = number_of(p + 5, &n);
            talk->vlan = (uint16_t)n;
        } else {
            p = segment_of(talk, p);
        }
    }
}

struct script {
    const char *what;
    const char *segments;
    const char *a, *b;         /* logs before the flush */
    const char *a_end, *b_end; /* and after it */
};

static unsigned check_log(const struct script *s, struct talk *talk, unsigned way,
                          const char *expected)
{
    char text[600];
    size_t n = 0;
    const char *log = talk_log(talk, way);
    for (; *log && n < sizeof text - 1; log++) {
        bool start = strncmp(log, START, sizeof START - 1) == 0;
        text[n++] = start ? '^' : *log == '\n' ? '|' : *log;
        log += start ? sizeof START - 2 : 0;
    }
    text[n] = '\0';
    if (!expected || strcmp(text, expected) == 0)
        return 0;
    print_error("%s: %c is \"%s\", not \"%s\"\n", s->what, "AB"[way], text, expected);
    return 1;
}

static unsigned run_script(const struct script *s, uint32_t isn_a, uint32_t isn_b)
{
    unsigned wrong = 0;
    struct talk *talk = talk_new(isn_a, isn_b);
    play(talk, s->segments);
    wrong += check_log(s, talk, A, s->a);
    wrong += check_log(s, talk, B, s->b);
    packet_flush(talk->decoder);
    wrong += check_log(s, talk, A, s->a_end);
    wrong += check_log(s, talk, B, s->b_end);
    talk_free(talk);
    return wrong;
}

#define OPEN "A 0 S; B 0 SA:1; A 1 A:1; "

static const struct script scripts[] = {
    {"in order", OPEN "A 1 PA:1 one|; A 5 PA:1 two|; B 1 PA:9 yes|", "one|two|", "yes|",
     "one|two|<end>", "yes|<end>"},
    {"two lines a segment", OPEN "A 1 P one|two|th; A 11 P ree|", "one|two|three|", "",
     "one|two|three|<end>", "<end>"},
    {"out of order", OPEN "A 5 P two|; A 9 P three|; A 1 P one|", "one|two|three|", "", NULL, NULL},
    {"reversed", OPEN "A 4 P d|; A 3 P c; A 2 P b; A 1 P a", "abcd|", "", NULL, NULL},
    {"retransmitted", OPEN "A 1 P one|; A 1 P one|; A 5 P two|; A 1 P one|two|", "one|two|", "",
     NULL, NULL},
    {"other boundaries", OPEN "A 1 P on; A 2 P ne|t; A 4 P |two|th; A 1 P one|two|three|",
     "one|two|three|", "", NULL, NULL},
    {"overlaps that wait", OPEN "A 4 P def; A 2 P bcd; A 6 P fgh|; A 1 P a", "abcdefgh|", "", NULL,
     NULL},
    {"the first copy of what waits is kept", OPEN "A 3 P cd; A 2 P XYZ; A 4 P DEF|; A 1 P a",
     "aXcdEF|", "", NULL, NULL},
    {"the first copy of what was read is kept", OPEN "A 1 P abc; A 1 P XYZd|", "abcd|", "", NULL,
     NULL},
    {"FIN", OPEN "A 1 P one|; A 5 F; B 1 A:6; B 1 P yes|; B 5 F; A 6 A:6", "one|<end>", "yes|<end>",
     NULL, NULL},
    {"FIN with data", OPEN "A 1 FP one|; B 1 FP yes|", "one|<end>", "yes|<end>", NULL, NULL},
    {"half closed", OPEN "A 1 F; B 1 P one|; B 5 P two|", "", "one|two|", "<end>", "one|two|<end>"},
    {"FIN out of order", OPEN "A 5 F; A 1 P one|; B 1 F", "one|<end>", "<end>", NULL, NULL},
    {"FIN again", OPEN "A 1 FP one|; A 1 FP one|; A 5 F; B 1 F; A 5 F; B 1 F", "one|<end>", "<end>",
     NULL, NULL},
    {"behind FIN", OPEN "A 1 FP one|; A 5 P two|", "one|<end>", "", NULL, "<end>"},
    {"partial, then FIN", OPEN "A 1 FP on", "on<end>", "", NULL, "<end>"},
    {"RST", OPEN "A 1 P one|tw; B 1 R; A 5 P two|", "one|tw<end>~o|", "<end>", NULL, NULL},
    {"RST far away", OPEN "A 1 P one|; B 100000000 R; A 5 P two|", "one|two|", "", NULL, NULL},
    {"RST that was not meant", OPEN "A 1 P one|; B 1 R; A 5 P two|; B 1 P yes|", "one|<end>~two|",
     "<end>yes|", NULL, NULL},
    {"refused",
     "A 0 S; isn B 0; B 0 RA:1; A 0 S; isn B 99; B 0 SA:1; A 1 A:1; A 1 P one|; B 1 P yes|", "one|",
     "yes|", NULL, NULL},
    {"data on SYN", "A 0 S one|; B 0 SA:5; A 5 A:1; A 5 P two|", "one|two|", "", NULL, NULL},
    {"data on SYN, not accepted", "A 0 S one|; B 0 SA:1; A 1 PA:1 one|two|", "one|two|", "", NULL,
     NULL},
    {"data on SYN/ACK", "A 0 S; B 0 SA:1 yes|; A 1 A:5", "", "yes|", NULL, NULL},
    {"SYN again", "A 0 S; A 0 S; B 0 SA:1; B 0 SA:1; A 1 P one|; A 0 S; B 0 SA:1; A 5 P two|",
     "one|two|", "", NULL, NULL},
    {"SYN/ACK with another number",
     "A 0 S; B 0 SA:1; isn B 5000; B 0 SA:1; A 1 PA:1 one|; B 1 P yes|", "one|", "yes|", NULL,
     NULL},
    {"simultaneous open", "A 0 S; B 0 S; A 0 SA:1; B 0 SA:1; A 1 P one|; B 1 P yes|", "one|",
     "yes|", NULL, NULL},
    {"SYN late", "A 1 P ACK^|; B 0 SA:1; A 0 S; A 15 P two|", "~ACK^|two|", "", NULL, NULL},
    {"SYN between", "A 5 P two|; A 0 S; A 1 P one|", "one|two|", "", NULL, NULL},
    {"only SYN/ACK", "B 0 SA:1; A 1 P one|; B 1 P yes|", "one|", "yes|", NULL, NULL},
    {"only SYN", "A 0 S; A 1 A:1; A 1 P one|; B 1 P yes|", "one|", "~yes|", NULL, NULL},
    {"keep-alive", OPEN "A 1 P one|; A 4 A:1; B 1 A:5; A 4 A:1 |; A 4 A:1 X; A 5 P two|; A 8 A:1 X",
     "one|two|", "", NULL, NULL},
    {"keep-alive first", "A 0 A:1 .; A 0 A:1; B 0 A:1; B 1 A:1; A 0 A:1 .; A 1 P ACK^|", "~ACK^|",
     "", NULL, NULL},
    {"window probe", OPEN "A 1 P one|; A 5 P t; A 5 P t; A 5 P two|", "one|two|", "", NULL, NULL},
    {"urgent", OPEN "A 1 UP one|", "one|", "", NULL, NULL},
    {"every segment twice",
     "A 0 S; A 0 S; B 0 SA:1; B 0 SA:1; A 1 A:1; A 1 A:1; A 1 P one|t; A 1 P one|t; B 1 P yes|; "
     "B 1 P yes|; A 6 P wo|; A 6 P wo|; A 9 F; A 9 F; B 5 F; B 5 F; A 10 A:6; A 10 A:6",
     "one|two|<end>", "yes|<end>", NULL, NULL},
    {"one direction", "A 1 P ACK^|; A 15 P two|; A 19 P three|", "~ACK^|two|three|", "", NULL,
     NULL},
};

static const struct script joined[] = {
    {"at a beginning", "A 1 P ACK^|; A 15 P BYE^|", "~ACK^|BYE^|", "", NULL, NULL},
    {"bytewise", "A 1 P A; A 2 P C; A 3 P K; A 4 P ^; A 14 P |; A 15 P two|", "~ACK^|two|", "",
     NULL, NULL},
    {"in the middle", "A 1 P one|BYE^|; A 19 P REFER^|", "", "", "~one|BYE^|REFER^|<end>", NULL},
    {"in the middle, acknowledged", "A 1 P one|; B 1 A:5; A 5 P two|; A 9 P three|; A 15 P four|",
     "~one|two|three|four|", "", NULL, NULL},
    {"in the middle, expected", "B 1 A:1; A 1 P one|; A 5 P two|", "~one|two|", "", NULL, NULL},
    {"reversed", "A 19 P three|; A 17 P o|; A 1 P ACK^|; A 15 P tw", "~ACK^|two|three|", "", NULL,
     NULL},
    {"reversed, in the middle", "A 7 P three|; A 4 P wo|; A 1 P ACK", "~ACKwo|three|", "", NULL,
     NULL},
    {"in a method", "A 2 P CK^|; A 1 P A; A 15 P two|", "~ACK^|two|", "", NULL, NULL},
    {"in a Via", "A 15 P TCP 10.0.0.1|; A 1 P ACK^|", "~ACK^|TCP 10.0.0.1|", "", NULL, NULL},
    {"in a Via, of a name", "A 15 P TCP kam1:5|; A 1 P ACK^|", "~ACK^|TCP kam1:5|", "", NULL, NULL},
    {"an earlier line late", "A 15 P BYE^|; A 1 P ACK^|; A 1 P ACK^|; A 29 P three|",
     "~BYE^|ACK^|three|", "", NULL, NULL},
    {"earlier lines late", "A 29 P REFER^|; A 15 P BYE^|; A 1 P ACK^|; A 15 P BYE^|; A 1 P ACK^|",
     "~REFER^|BYE^|ACK^|", "", NULL, NULL},
    {"the beginning of the first line late", "A 15 P BYE^|; A 1 P ACK; A 1 P ACK^|",
     "~BYE^|ACK<gap>", "", NULL, NULL},
};

static const struct script holes[] = {
    {"at the flush", OPEN "A 1 P one|; A 9 P three|", "one|", "", "one|<gap 4>three|<end>",
     "<end>"},
    {"in a line", OPEN "A 1 P on; A 5 P two|", "", "", "on<gap 2>two|<end>", "<end>"},
    {"at the beginning", OPEN "A 5 P two|; A 9 P three|", "", "", "~two|three|<end>", "<end>"},
    {"acknowledged",
     OPEN "A 1 P on; A 5 P two|; B 1 A:9; A 9 P a|; A 11 P b|; A 13 P c|; A 15 P d|",
     "on<gap 2>two|a|b|c|d|", "", NULL, NULL},
    {"acknowledged, captured late", OPEN "A 1 P on; A 5 P two|; B 1 A:9; A 3 P e|; A 9 P three|",
     "one|two|three|", "", NULL, NULL},
    {"acknowledged before it",
     OPEN "A 1 P on; A 5 P two|; B 1 A:3; B 1 A:3; B 1 A:3; B 1 A:3; "
          "B 1 A:3; B 1 A:3",
     "", "", "on<gap 2>two|<end>", "<end>"},
    {"after a while", OPEN "A 1 P on; A 5 P two|; wait 11; A 9 P three|", "on<gap 2>two|three|", "",
     NULL, NULL},
    {"captured very late",
     OPEN "A 1 P one|; A 19 P three|; wait 11; A 25 P four|; A 5 P BYE^|; "
          "A 5 P BYE^|; A 30 P five|",
     "one|<gap 14>three|four|BYE^|five|", "", NULL, NULL},
    {"before FIN", OPEN "A 1 P on; A 5 F; B 1 F", "", "<end>", "on<gap 2><end>", NULL},
    {"before FIN, acknowledged", OPEN "A 1 P on; A 5 F; B 1 FA:6; B 2 A:6; B 2 A:6; B 2 A:6",
     "on<gap 2><end>", "<end>", NULL, NULL},
    {"before RST", OPEN "A 1 P on; A 5 P two|; A 9 R", "on<gap 2>two|<end>", "<end>", NULL, NULL},
    {"at the end, by the other side", OPEN "A 1 P on; B 1 A:5", "", "", "on<gap 2><end>", "<end>"},
    {"only FIN is acknowledged", OPEN "A 1 P on; B 1 A:4", "", "", "on<end>", "<end>"},
    {"cut", OPEN "A 1 P one|tw/o|; A 9 P three|", "one|tw<cut 2>three|", "", NULL, NULL},
    {"cut, out of order", OPEN "A 9 P three|; A 1 P one|tw/o|", "one|tw<cut 2>three|", "", NULL,
     NULL},
    {"cut, waiting", OPEN "A 5 P tw/o|; A 9 P three|; A 1 P one|", "one|tw<cut 2>three|", "", NULL,
     NULL},
    {"cut to nothing", OPEN "A 1 P /one|; A 5 P two|", "~two|", "", NULL, NULL},
    {"cut, then whole", OPEN "A 1 P on/e|; A 1 P one|two|", "on<cut 2>two|", "", NULL, NULL},
};

static const struct script reuse[] = {
    {"after FIN", OPEN "A 1 FP one|; B 1 F; isn A 700000; isn B 90; " OPEN "A 1 P two|; B 1 P yes|",
     "one|<end>two|", "<end>yes|", NULL, NULL},
    {"after FIN, the same numbers", OPEN "A 1 FP one|; B 1 F; " OPEN "A 1 P two|", "one|<end>two|",
     "<end>", NULL, NULL},
    {"after nothing", OPEN "A 1 P one|tw; isn A 700000; isn B 90; " OPEN "A 1 P two|; B 1 P yes|",
     "one|tw<end>two|", "<end>yes|", NULL, NULL},
    {"in the window", OPEN "A 1 P one|tw; isn A 50; isn B 90; " OPEN "A 1 P two|; B 1 P yes|",
     "one|tw<end>two|", "<end>yes|", NULL, NULL},
    {"without SYN", OPEN "A 1 P one|tw; isn A 700000000; isn B 900000000; A 1 P BYE^|; B 1 P ACK^|",
     "one|tw<end>~BYE^|", "<end>~ACK^|", NULL, NULL},
    {"late copies after the end",
     OPEN "A 1 FP one|; B 1 FP yes|; A 1 P one|; B 1 FP yes|; A 1 P o; "
          "wait 50; A 1 P one|",
     "one|<end>", "yes|<end>", NULL, NULL},
    {"after the end, without SYN", OPEN "A 1 FP one|; B 1 FP yes|; A 9000 P BYE^|",
     "one|<end>~BYE^|", "yes|<end>", NULL, NULL},
};

#define ONE_ISN "isn A 1000; isn B 5000; vlan 1; "
#define TWO_ISN "isn A 700000000; isn B 900000000; vlan 2; "

static const struct script networks[] = {
    {"the same addresses in two",
     ONE_ISN OPEN TWO_ISN OPEN ONE_ISN "A 1 P on; " TWO_ISN "A 1 P tw; B 1 P yes|; " ONE_ISN
                                       "A 3 P e|; B 1 P no|; " TWO_ISN "A 3 P o|; " ONE_ISN
                                       "A 5 F; B 4 F; " TWO_ISN "A 5 P more|",
     "one|two|<end>more|", "yes|no|<end>", NULL, NULL},
    {"in two, without SYN",
     ONE_ISN "A 1 P ACK^|; " TWO_ISN "A 1 P BYE^|; " ONE_ISN "A 15 P one|; " TWO_ISN
             "A 15 P two|; " ONE_ISN "A 19 P x|; " TWO_ISN "A 19 P y|",
     "~ACK^|~BYE^|one|two|x|y|", "", NULL, NULL},
    {"in two, both directions without SYN",
     ONE_ISN "A 1 A:1 ACK^|; " TWO_ISN "A 1 A:1 BYE^|; B 1 A:15 ACK^|; " ONE_ISN
             "B 1 A:15 BYE^|; A 15 A:15 one|; B 15 A:19 two|; " TWO_ISN
             "A 15 A:15 x|; B 15 A:17 y|",
     "~ACK^|~BYE^|one|x|", "~ACK^|~BYE^|two|y|", NULL, NULL},
    {"one for each direction",
     "vlan 1; A 0 S; vlan 2; B 0 SA:1; vlan 1; A 1 A:1; A 1 PA:1 one|; vlan 2; B 1 PA:5 yes|; "
     "vlan 1; A 5 FA:5; vlan 2; B 5 FA:6",
     "one|<end>", "yes|<end>", NULL, NULL},
    {"one for each direction, without SYN",
     "vlan 1; A 1 A:1 ACK^|; vlan 2; B 1 A:15 BYE^|; vlan 1; A 15 P one|; vlan 2; B 15 P two|",
     "~ACK^|one|", "~BYE^|two|", NULL, NULL},
    {"each segment in both",
     "A 0 S; vlan 1; A 0 S; vlan 0; B 0 SA:1; vlan 1; B 0 SA:1; vlan 0; A 1 P one|; vlan 1; "
     "A 1 P one|; vlan 0; B 1 P yes|; vlan 1; B 1 P yes|; vlan 0; A 5 F; vlan 1; A 5 F; vlan 0; "
     "B 5 F; vlan 1; B 5 F",
     "one|<end>", "yes|<end>", NULL, NULL},
    {"another one after the end, in both",
     "vlan 0; " OPEN "A 1 FP one|; B 1 F; isn A 70000000; vlan 1; A 0 S; vlan 0; A 0 S; vlan 1; "
     "A 1 P two|; vlan 0; A 1 P two|",
     "one|<end>two|", "<end>", NULL, NULL},
};

static void run_scripts(const struct script *list, size_t n)
{
    static const uint32_t isns[][2] = {
        {1000, 5000}, {UINT32_MAX, 0}, {UINT32_MAX - 4, UINT32_MAX - 2}, {0x7ffffffd, 0x7fffffff}};
    unsigned wrong = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < COUNT(isns); k++)
            wrong += run_script(&list[i], isns[k][0], isns[k][1]);
    assert_int_equal(wrong, 0);
}

static void test_scripts(void **state)
{
    (void)state;
    run_scripts(scripts, COUNT(scripts));
}

static void test_joined(void **state)
{
    (void)state;
    run_scripts(joined, COUNT(joined));
}

static void test_holes(void **state)
{
    (void)state;
    run_scripts(holes, COUNT(holes));
}

static void test_networks(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(networks); i++)
        wrong += run_script(&networks[i], 20, 40);
    assert_int_equal(wrong, 0);
}

/* More networks than are told apart: it is one of them that each begins anew. */
static void test_many_networks(void **state)
{
    struct talk *talk = talk_new(7, 9);
    (void)state;
    talk->counts = true;
    for (uint16_t i = 1; i <= 4000; i++) {
        talk->vlan = i;
        talk->isn[A] = 1000000000u * i;
        talk_flags(talk, A, 0, 0, "S");
        talk_data(talk, A, 1, "one\n");
    }
    assert_int_equal(talk->decoder->tcp->n, TCP_NETWORKS);
    assert_int_equal(talk_stats(talk)->streams, 4000);
    assert_int_equal(talk->read, 16000);
    talk_free(talk);
}

static void test_reuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reuse); i++)
        assert_int_equal(run_script(&reuse[i], 20, 40), 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* A line is made of the frames that its bytes first came in, whatever the order. */
static void test_frames(void **state)
{
    static const struct {
        const char *segments, *log;
    } cases[] = {
        {"A 1 P one|; A 5 P two|three|", "one|[4]two|[5]three|[5]"},
        {"A 1 P on; A 3 P e|t; A 6 P wo|", "one|[4,5]two|[5,6]"},
        {"A 5 P two|; A 3 P e|; A 1 P on", "one|[5,6]two|[4]"},
        {"A 1 P o; A 1 P on; A 1 P one|; A 1 P one|two|", "one|[4,5,6]two|[7]"},
        {"A 3 P e|; A 1 P one|two|", "one|[4,5]two|[5]"},
        {"A 1 P on; B 1 P x|; A 3 P e|", "one|[4,6]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct script s = {.what = cases[i].segments};
        struct talk *talk = talk_new(7, 9);
        talk->frames = true;
        talk_open(talk);
        play(talk, cases[i].segments);
        assert_int_equal(check_log(&s, talk, A, cases[i].log), 0);
        talk_free(talk);
    }
}

/* A segment in two IP fragments came in both their frames. */
static void test_fragmented(void **state)
{
    struct talk *talk = talk_new(7, 9);
    struct segment s = {A, 1, 1, "PA", SLICE("one and two\n"), 0};
    (void)state;
    talk->frames = true;
    talk_open(talk);
    for (unsigned part = 0; part < 2; part++) {
        struct bytes b = {0};
        talk_ip(talk, &s, &b);
        b.items[6] = part ? 0 : 0x20;
        b.items[7] = part ? 3 : 0;
        b.items[3] = part ? 20 + 8 : 20 + 24;
        if (part)
            memmove(b.items + 20, b.items + 44, b.n - 44);
        b.n = b.items[3];
        talk_packet(talk, &b, b.n);
    }
    assert_log(talk, A, "one and two\n[4,5]");
    talk_free(talk);
}

/* Of a segment in very many IP fragments the last ones are listed. */
static void test_many_fragments(void **state)
{
    struct talk *talk = talk_new(7, 9);
    char text[16 * 40 + 1] = "";
    struct segment s = {A, 1, 1, "PA", {text, 0}, 0};
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        memcpy(text + (size_t)16 * i, "fifteen letters\n", 17);
    s.data.n = strlen(text);
    talk->frames = true;
    talk_open(talk);
    for (unsigned part = 0; part < 33; part++) {
        struct bytes b = {0};
        size_t at = part < 32 ? part * 8u : 256, n = part < 32 ? 8 : 20 + s.data.n - at;
        talk_ip(talk, &s, &b);
        b.items[2] = (uint8_t)((20 + n) >> 8);
        b.items[3] = (uint8_t)(20 + n);
        b.items[6] = part < 32 ? 0x20 : 0;
        b.items[7] = (uint8_t)(at / 8);
        memmove(b.items + 20, b.items + 20 + at, n);
        b.n = 20 + n;
        talk_packet(talk, &b, b.n);
    }
    assert_true(slice_starts(slice_of(talk_log(talk, A)),
                             SLICE("fifteen letters\n[5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,"
                                   "21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36]fifteen")));
    assert_int_equal(talk_stats(talk)->fragments_not_listed, 1);
    talk_free(talk);
}

/* Of another datagram: what is older than it may be ends. */
static void push_later_fragment(struct talk *talk)
{
    struct segment s = {B, 1, 1, "A", SLICE("8 bytes!"), 0};
    struct bytes b = {0};
    talk_ip(talk, &s, &b);
    b.items[5] = 1;
    b.items[7] = 3;
    talk_packet(talk, &b, b.n);
}

/* Of a segment, the FIN in it, the second IP fragment is not in the capture: a hole that the same
 * bytes sent again fill. */
static void test_fragment_lost(void **state)
{
    static const char *const logs[] = {"one <gap 9><end>", "one and two\n<end>"};
    (void)state;
    for (unsigned again = 0; again < 2; again++) {
        struct talk *talk = talk_new(7, 9);
        struct segment s = {A, 1, 1, "PAF", SLICE("one and two\n"), 0};
        struct bytes b = {0};
        talk_open(talk);
        talk_ip(talk, &s, &b);
        b.items[6] = 0x20;
        b.items[3] = 20 + 24;
        b.n = b.items[3];
        talk_packet(talk, &b, b.n);
        talk->time_ns += (PACKET_FRAGMENT_SECONDS + 1) * 1000000000ll;
        push_later_fragment(talk);
        if (again)
            talk_push(talk, s);
        talk_flags(talk, B, 1, 14, "FA");
        packet_flush(talk->decoder);
        assert_log(talk, A, logs[again]);
        assert_int_equal(talk_stats(talk)->stream_cut, 0);
        talk_free(talk);
    }
}

/* ---- headers --------------------------------------------------------------------------------- */

static void test_headers(void **state)
{
    static const struct {
        const char *what;
        uint8_t offset;
        size_t captured; /* of 20 + 20 + 12 + "one|" */
        const char *log;
        uint64_t malformed, cut, segments;
    } cases[] = {
        {"options", 0x80, 56, "one\n", 0, 0, 1},
        {"no options", 0x50, 56, "optionstuffone\n", 0, 0, 1},
        {"offset of 16", 0x40, 56, "", 1, 0, 0},
        {"offset behind the end", 0xf0, 56, "", 1, 0, 0},
        {"header cut", 0x80, 39, "", 0, 1, 0},
        {"options cut", 0x80, 45, "", 0, 1, 1},
        {"data cut", 0x80, 54, "on<cut 2>", 0, 0, 1},
        {"all data cut", 0x80, 52, "", 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct talk *talk = talk_new(7, 9);
        struct bytes b = {0};
        struct segment s = {A, 1, 1, "PA", SLICE("optionstuffxone\n"), 0};
        talk_flags(talk, A, 0, 0, "S");
        s.data.p = cases[i].offset == 0x50 ? "optionstuffone\n" : "optionstuffxone\n";
        s.data.n = strlen(s.data.p);
        talk_ip(talk, &s, &b);
        b.items[32] = cases[i].offset;
        talk_packet(talk, &b, cases[i].captured < b.n ? cases[i].captured : b.n);
        const struct packet_stats *stats = talk_stats(talk);
        if (strcmp(talk_log(talk, A), cases[i].log) != 0 ||
            stats->malformed != cases[i].malformed || stats->cut != cases[i].cut ||
            stats->segments != cases[i].segments + 1)
            fail_msg("%s: \"%s\", malformed %d, cut %d, segments %d", cases[i].what,
                     talk_log(talk, A), (int)stats->malformed, (int)stats->cut,
                     (int)stats->segments);
        talk_free(talk);
    }
}

static void test_counters(void **state)
{
    struct talk *talk = talk_new(7, 9);
    const struct packet_stats *s = talk_stats(talk);
    (void)state;
    play(talk, OPEN "A 1 P one|; A 9 P abc|; A 9 P abd|; A 9 P abc|; wait 11; A 13 P x|; A 5 P y");
    assert_int_equal(s->streams, 1);
    assert_int_equal(s->segments, 9);
    assert_int_equal(s->stream_overlapping, 1);
    assert_int_equal(s->stream_holes, 1);
    assert_int_equal(s->stream_late, 1);
    assert_int_equal(s->stream_cut, 0);
    play(talk, "A 15 P z/z; isn A 1000; " OPEN);
    assert_int_equal(s->stream_cut, 1);
    assert_int_equal(s->streams, 2);
    assert_int_equal(s->streams_evicted, 0);
    talk_free(talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),       cmocka_unit_test(test_joined),
        cmocka_unit_test(test_holes),         cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_frames),        cmocka_unit_test(test_fragmented),
        cmocka_unit_test(test_fragment_lost), cmocka_unit_test(test_many_fragments),
        cmocka_unit_test(test_networks),      cmocka_unit_test(test_many_networks),
        cmocka_unit_test(test_headers),       cmocka_unit_test(test_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

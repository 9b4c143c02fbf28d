/* The capture filter (pcap-filter(7)), compiled once per link type.  Of a fragmented datagram only
 * the first fragment has ports, so an expression that names ports is widened to the others. */
#include "source/internal.h"

#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>

#define FILTER_SNAPLEN  262144
#define LATER_FRAGMENTS "ip[6:2] & 0x1fff != 0 or ip6[6] = 44"

struct program {
    int link_type;
    struct bpf_program code;
};

struct source_filter {
    char *expression;
    struct text wide; /* the expression that lets fragments through; empty: it is not needed */
    bool widened;     /* it suits a link type that was seen, or was likely */
    VEC(struct program) programs;
};

/* Files carry LINKTYPE_ values, libpcap's functions take DLT_ values.  On Linux they differ only
 * for the types that had other numbers on other systems; 14 is OpenBSD's DLT_RAW in a file's
 * header. */
static const struct {
    int link_type, dlt;
} differ[] = {
    {100, DLT_ATM_RFC1483}, {101, DLT_RAW},       {14, DLT_RAW},
    {102, DLT_SLIP_BSDOS},  {103, DLT_PPP_BSDOS}, {106, DLT_ATM_CLIP},
};

static int dlt_of(int link_type)
{
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        if (differ[i].link_type == link_type)
            return differ[i].dlt;
    return link_type;
}

int source_link_of_dlt(int dlt)
{
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        if (differ[i].dlt == dlt)
            return differ[i].link_type;
    return dlt;
}

/* ---- widening -------------------------------------------------------------------------------- */

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* A word that makes libpcap look behind the IP header: "port", "portrange", "udp[...]". */
static bool looks_behind_ip(struct slice word, struct slice rest)
{
    static const char *const protocols[] = {"udp", "tcp", "sctp"};
    if (slice_is(word, "port") || slice_is(word, "portrange"))
        return true;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (slice_is(word, protocols[i]) && slice_starts(slice_trim(rest), SLICE("[")))
            return true;
    return false;
}

static bool names_ports(struct slice expression)
{
    while (expression.n) {
        size_t n = 0;
        while (n < expression.n && in_word(expression.p[n]))
            n++;
        struct slice word = slice_first(expression, n);
        expression = slice_from(expression, n ? n : 1);
        if (looks_behind_ip(word, expression))
            return true;
    }
    return false;
}

/* ---- programs -------------------------------------------------------------------------------- */

static bool compile(const char *expression, int link_type, struct bpf_program *code,
                    struct err *err)
{
    pcap_t *dead = pcap_open_dead(dlt_of(link_type), FILTER_SNAPLEN);
    if (!dead)
        base_oom();
    bool done = pcap_compile(dead, code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!done)
        err_set(err, "%s", pcap_geterr(dead));
    pcap_close(dead);
    return done;
}

bool source_filter_is(const char *expression)
{
    struct bpf_program code;
    struct err err;
    if (!compile(expression, 1 /* Ethernet */, &code, &err))
        return false;
    pcap_freecode(&code);
    return true;
}

/* An expression that is wrong is told as it was given; one that can't be widened stays as it is. */
static bool add_program(struct source_filter *f, int link_type, struct err *err)
{
    struct bpf_program code, wide;
    struct err why;
    if (!compile(f->expression, link_type, &code, err))
        return false;
    if (f->wide.n && compile(f->wide.p, link_type, &wide, &why)) {
        pcap_freecode(&code);
        code = wide;
        f->widened = true;
    }
    *vec_add(&f->programs) = (struct program){link_type, code};
    return true;
}

/* The error also names the link type, which may be what the expression does not suit. */
static bool add_program_for(struct source_filter *f, int link_type, struct err *err)
{
    struct err why;
    char fallback[24];
    return add_program(f, link_type, &why) ||
           err_set(err, "%s (link type %s)", why.text, source_link_name(link_type, fallback));
}

/* Where the link type is not known yet, an expression that suits a common one is accepted. */
static bool check(struct source_filter *f, int link_type, struct err *err)
{
    static const int common[] = {1, 276, 101};
    struct err other;
    if (link_type >= 0)
        return add_program_for(f, link_type, err);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (add_program(f, common[i], i ? &other : err))
            return true;
    return false;
}

struct source_filter *source_filter_new(const char *expression, int link_type, struct err *err)
{
    struct source_filter *f = base_alloc(sizeof *f);
    size_t n = strlen(expression) + 1;
    f->expression = memcpy(base_alloc(n), expression, n);
    if (names_ports(slice_of(expression)))
        text_printf(&f->wide, "(%s) or " LATER_FRAGMENTS, expression);
    if (check(f, link_type, err))
        return f;
    source_filter_free(f);
    return NULL;
}

static const struct bpf_program *program_of(struct source_filter *f, int link_type, struct err *err)
{
    for (size_t i = 0; i < f->programs.n; i++)
        if (f->programs.items[i].link_type == link_type)
            return &f->programs.items[i].code;
    if (!add_program_for(f, link_type, err))
        return NULL;
    return &f->programs.items[f->programs.n - 1].code;
}

bool source_filter_pass(struct source_filter *f, const struct source_frame *frame, bool *pass,
                        struct err *err)
{
    const struct bpf_program *code = program_of(f, frame->link_type, err);
    if (!code)
        return false;
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)frame->bytes.n, .len = frame->length};
    *pass = pcap_offline_filter(code, &header, (const u_char *)frame->bytes.p) != 0;
    return true;
}

const char *source_filter_widened(const struct source_filter *f)
{
    return f->widened ? f->wide.p : NULL;
}

const char *source_filter_text(const struct source_filter *f)
{
    return f->widened ? f->wide.p : f->expression;
}

void source_filter_free(struct source_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->programs.n; i++)
        pcap_freecode(&f->programs.items[i].code);
    vec_free(&f->programs);
    text_free(&f->wide);
    free(f->expression);
    free(f);
}

const char *source_link_name(int link_type, char fallback[24])
{
    const char *name = pcap_datalink_val_to_name(dlt_of(link_type));
    if (name)
        return name;
    snprintf(fallback, 24, "LINKTYPE_%d", link_type);
    return fallback;
}

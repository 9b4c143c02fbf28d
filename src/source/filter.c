/* The capture filter (pcap-filter(7)), compiled once per link type; the only file that knows
 * libpcap. */
#include "source/internal.h"

#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>

#define FILTER_SNAPLEN 262144

struct program {
    int link_type;
    struct bpf_program code;
};

struct source_filter {
    char *expression;
    VEC(struct program) programs;
};

/* Files carry LINKTYPE_ values, libpcap's functions take DLT_ values.  On Linux they differ only
 * for the types that had other numbers on other systems; 14 is OpenBSD's DLT_RAW in a file's
 * header. */
static int dlt_of(int link_type)
{
    static const struct {
        int link_type, dlt;
    } differ[] = {
        {100, DLT_ATM_RFC1483}, {101, DLT_RAW},       {14, DLT_RAW},
        {102, DLT_SLIP_BSDOS},  {103, DLT_PPP_BSDOS}, {106, DLT_ATM_CLIP},
    };
    for (size_t i = 0; i < sizeof differ / sizeof *differ; i++)
        if (differ[i].link_type == link_type)
            return differ[i].dlt;
    return link_type;
}

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

/* As compile; the error also names the link type, which may be what the expression does not suit.
 */
static bool compile_for(const char *expression, int link_type, struct bpf_program *code,
                        struct err *err)
{
    struct err why;
    char fallback[24];
    return compile(expression, link_type, code, &why) ||
           err_set(err, "%s (link type %s)", why.text, source_link_name(link_type, fallback));
}

static void add_program(struct source_filter *f, int link_type, const struct bpf_program *code)
{
    *vec_add(&f->programs) = (struct program){link_type, *code};
}

/* Where the link type is not known yet, an expression that suits a common one is accepted. */
static bool check(struct source_filter *f, int link_type, struct err *err)
{
    static const int common[] = {1, 276, 101};
    struct bpf_program code;
    if (link_type >= 0) {
        if (compile_for(f->expression, link_type, &code, err))
            add_program(f, link_type, &code);
        return f->programs.n > 0;
    }
    struct err other;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        if (compile(f->expression, common[i], &code, i ? &other : err)) {
            add_program(f, common[i], &code);
            return true;
        }
    }
    return false;
}

struct source_filter *source_filter_new(const char *expression, int link_type, struct err *err)
{
    struct source_filter *f = base_alloc(sizeof *f);
    size_t n = strlen(expression) + 1;
    f->expression = memcpy(base_alloc(n), expression, n);
    if (check(f, link_type, err))
        return f;
    source_filter_free(f);
    return NULL;
}

static const struct bpf_program *program_of(struct source_filter *f, int link_type, struct err *err)
{
    struct bpf_program code;
    for (size_t i = 0; i < f->programs.n; i++)
        if (f->programs.items[i].link_type == link_type)
            return &f->programs.items[i].code;
    if (!compile_for(f->expression, link_type, &code, err))
        return NULL;
    add_program(f, link_type, &code);
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

void source_filter_free(struct source_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->programs.n; i++)
        pcap_freecode(&f->programs.items[i].code);
    vec_free(&f->programs);
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

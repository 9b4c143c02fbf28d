/* Interfaces of this host, through libpcap (iface:). */
#include "source/internal.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pcap.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SNAPLEN     262144
#define MB          (1024 * 1024)
#define DELAY_MS    10   /* at most, from the kernel's getting a packet to ours */
#define LOOK_MS     1000 /* between two looks at the interface's state and addresses */
#define PATIENCE_MS 1000 /* for what is in the ring when we are told to end */

enum state { STATE_UP, STATE_NO_CARRIER, STATE_DOWN, STATE_GONE };

struct live {
    pcap_t *pcap;
    const char *interface; /* within the path */
    int link_type;
    bool promiscuous;
    struct sockaddr_ll bound; /* to which interface, and of which kind that is */
    int64_t unit_ns;          /* one unit of tv_usec */
    uint32_t link_drops;      /* as libpcap counts them */
    int64_t quiet_by;         /* stopping: what was captured is here by then; 0: not yet asked */
    enum state state;
    int64_t look_at; /* source_clock_ms of the next look at the interface */
    struct text remark;
};

/* ---- the interface --------------------------------------------------------------------------- */

static bool is_any(const struct live *l)
{
    return strcmp(l->interface, "any") == 0;
}

/* 127.0.0.1 is everybody's, and fe80:: addresses are those of a link. */
static void add_host(struct source *s, const struct sockaddr *a)
{
    struct address ip = {0};
    if (a && a->sa_family == AF_INET)
        ip = address_of(4,
                        (const uint8_t *)&((const struct sockaddr_in *)(const void *)a)->sin_addr);
    if (a && a->sa_family == AF_INET6)
        ip = address_of(
            6, (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    bool link_local = ip.family == 6 && ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
    if (ip.family && !address_is_loopback(&ip) && !link_local)
        source_add_host(s, ip);
}

/* What our socket is bound to; that needs no right. */
static struct sockaddr_ll bound_to(const struct live *l)
{
    struct sockaddr_ll a = {0};
    socklen_t size = sizeof a;
    (void)getsockname(pcap_fileno(l->pcap), (struct sockaddr *)(void *)&a, &size);
    return a;
}

/* The number of the interface that has the name now; 0: there is none. */
static int index_now(const struct live *l)
{
    struct ifreq r = {0};
    memcpy(r.ifr_name, l->interface, strnlen(l->interface, sizeof r.ifr_name - 1));
    return ioctl(pcap_fileno(l->pcap), SIOCGIFINDEX, &r) == 0 ? r.ifr_ifindex : 0;
}

static bool is_gone(const struct live *l)
{
    return !is_any(l) && index_now(l) != l->bound.sll_ifindex;
}

/* Learns its addresses, which may be given to it later than we come; the result is its state. */
static enum state look_at_interface(struct source *s)
{
    const struct live *l = s->state;
    bool gone = is_gone(l);
    enum state state = gone ? STATE_GONE : is_any(l) ? STATE_UP : l->state;
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return l->state;
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        bool ours = !gone && strcmp(i->ifa_name, l->interface) == 0;
        if (ours)
            state = !(i->ifa_flags & IFF_UP)        ? STATE_DOWN
                    : !(i->ifa_flags & IFF_RUNNING) ? STATE_NO_CARRIER
                                                    : STATE_UP;
        if (ours || is_any(l))
            add_host(s, i->ifa_addr);
    }
    freeifaddrs(list);
    return state;
}

/* Another interface has the name of the one that is gone: our socket, which still has its ring and
 * its filter, goes over to it.  False: what comes from that would look otherwise. */
static bool take_over(struct live *l)
{
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = l->bound.sll_protocol,
                            .sll_ifindex = index_now(l)};
    int fd = pcap_fileno(l->pcap);
    if (bind(fd, (const struct sockaddr *)(const void *)&a, sizeof a) != 0)
        return true; /* it has gone again */
    struct sockaddr_ll before = l->bound;
    l->bound = bound_to(l);
    const struct packet_mreq all = {.mr_ifindex = a.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
    if (l->promiscuous)
        (void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
    return l->bound.sll_hatype == before.sll_hatype;
}

/* Its socket stays with the interface while that is down, and goes over to the next of its name
 * when that is removed.  False: that is of another kind. */
static bool watch_interface(struct source *s)
{
    static const char *const words[] = {
        [STATE_UP] = "the interface is up again",
        [STATE_NO_CARRIER] = "the interface has no carrier; it is waited for",
        [STATE_DOWN] = "the interface is down; it is waited for",
        [STATE_GONE] = "the interface is gone; it is waited for",
    };
    struct live *l = s->state;
    int64_t now = source_clock_ms();
    if (now < l->look_at)
        return true;
    l->look_at = now + LOOK_MS;
    enum state state = look_at_interface(s);
    bool another = state == STATE_GONE && index_now(l);
    if (another && !take_over(l))
        return false;
    if (another)
        state = look_at_interface(s);
    if (state != l->state || another)
        source_tell(s, "%s", words[state]);
    l->state = state;
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void count(struct source *s)
{
    struct live *l = s->state;
    struct pcap_stat stat;
    if (pcap_stats(l->pcap, &stat) != 0)
        return;
    s->stats.kernel_dropped += (uint32_t)(stat.ps_drop - (uint32_t)s->stats.kernel_dropped);
    int32_t more = (int32_t)(stat.ps_ifdrop - l->link_drops);
    s->stats.dropped_by_link += more > 0 ? (uint32_t)more : 0; /* a new interface begins at 0 */
    l->link_drops = stat.ps_ifdrop;
}

static enum source_result next(struct source *s, struct source_frame *frame, struct err *err)
{
    struct live *l = s->state;
    struct pcap_pkthdr *h;
    const u_char *bytes;
    int result = pcap_next_ex(l->pcap, &h, &bytes);
    (void)err;
    if (result < 0 && is_gone(l)) {
        if (l->state != STATE_GONE)
            l->look_at = 0; /* it is told at once, and looked for now and then */
        return SOURCE_WAIT;
    }
    if (result == 0)
        return SOURCE_WAIT;
    if (result < 0) {
        text_printf(&l->remark, "%s; captured up to there", pcap_geterr(l->pcap));
        s->stats.remark = l->remark.p;
        return SOURCE_END;
    }
    *frame = (struct source_frame){
        .bytes = {(const char *)bytes, h->caplen},
        .length = h->len,
        .link_type = l->link_type,
        .time_ns = (int64_t)h->ts.tv_sec * 1000000000 + (int64_t)h->ts.tv_usec * l->unit_ns,
        .offset = SOURCE_NO_OFFSET,
    };
    return SOURCE_FRAME;
}

/* What was captured before the end was asked for may take its time to get here. */
static enum source_result look(struct source *s, enum source_result result, struct err *err)
{
    struct live *l = s->state;
    (void)err;
    if (result == SOURCE_WAIT && s->stopping) {
        if (!l->quiet_by)
            l->quiet_by = source_clock_ms() + 3 * DELAY_MS;
        else if (source_clock_ms() >= l->quiet_by)
            result = SOURCE_END;
    }
    count(s);
    if (!watch_interface(s)) {
        s->stats.remark = "there is an interface of its name again, but of another kind";
        return SOURCE_END;
    }
    return result;
}

static int link_type(const struct source *s)
{
    return ((const struct live *)s->state)->link_type;
}

static bool filter(struct source *s, const char *expression, struct err *err)
{
    const struct live *l = s->state;
    struct bpf_program code;
    if (pcap_compile(l->pcap, &code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return err_set(err, "%s: capture filter '%s': %s", s->label, expression,
                       pcap_geterr(l->pcap));
    bool set = pcap_setfilter(l->pcap, &code) == 0;
    pcap_freecode(&code);
    s->filtered = set; /* else each frame is put to it here */
    return true;
}

/* Of loopback, where each packet goes out and comes in, libpcap leaves out what goes out.  The
 * kernel does that before it takes up half of the ring.  Not by pcap_setfilter: libpcap 1.10 puts
 * the first packets to the filter itself, where it knows no direction, and loses them. */
static void leave_out_echo(const struct live *l)
{
    struct bpf_program code;
    if (strcmp(l->interface, "lo") != 0 ||
        pcap_compile(l->pcap, &code, "inbound", 1, PCAP_NETMASK_UNKNOWN) != 0)
        return;
    const struct sock_fprog program = {(unsigned short)code.bf_len, (void *)code.bf_insns};
    (void)setsockopt(pcap_fileno(l->pcap), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    pcap_freecode(&code);
}

static int descriptor(const struct source *s)
{
    return pcap_get_selectable_fd(((const struct live *)s->state)->pcap);
}

static void close_live(struct source *s)
{
    struct live *l = s->state;
    if (l->pcap)
        pcap_close(l->pcap);
    text_free(&l->remark);
    free(l);
}

static const struct source_format format = {
    .name = "iface",
    .next = next,
    .link_type = link_type,
    .close = close_live,
};

static const struct source_origin origin = {
    .fd = descriptor,
    .look = look,
    .count = count,
    .filter = filter,
    .patience_ms = PATIENCE_MS,
};

/* ---- opening --------------------------------------------------------------------------------- */

static bool fail_name(const struct source *s, struct err *err)
{
    struct text names = {0};
    struct if_nameindex *list = if_nameindex();
    for (const struct if_nameindex *i = list; i && i->if_index; i++)
        text_printf(&names, "%s, ", i->if_name);
    err_set(err, "%s: no such interface; there are: %sany", s->label, names.p ? names.p : "");
    if (list)
        if_freenameindex(list);
    text_free(&names);
    return false;
}

/* What stands in the way, and the line that mends it for this very program. */
static bool fail_rights(const struct source *s, bool promiscuous, struct err *err)
{
    const char *right = promiscuous ? "CAP_NET_ADMIN" : "CAP_NET_RAW";
    const char *set = promiscuous ? "cap_net_raw,cap_net_admin" : "cap_net_raw";
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    return err_set(err,
                   "%s: no permission to capture%s, for which %s is needed: run as root, or once: "
                   "setcap %s+ep %s",
                   s->label, promiscuous ? " in promiscuous mode" : "", right, set,
                   n > 0 ? self : "sipxray");
}

static bool fail(const struct source *s, int status, struct err *err)
{
    const struct live *l = s->state;
    if (!is_any(l) && !if_nametoindex(l->interface) &&
        (status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_PERM_DENIED))
        return fail_name(s, err);
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED)
        return fail_rights(s, status == PCAP_ERROR_PROMISC_PERM_DENIED, err);
    if (status == PCAP_ERROR_IFACE_NOT_UP)
        return err_set(err, "%s: the interface is down (ip link set %s up)", s->label,
                       l->interface);
    const char *why = pcap_geterr(l->pcap);
    return err_set(err, "%s: %s%s%s", s->label, pcap_statustostr(status), *why ? ": " : "", why);
}

/* Of "any", the newer of its two link types, which names the interface of each packet. */
static void choose_link_type(struct live *l)
{
    int *list = NULL, n = pcap_list_datalinks(l->pcap, &list);
    for (int i = 0; i < n; i++)
        if (is_any(l) && list[i] == DLT_LINUX_SLL2)
            pcap_set_datalink(l->pcap, DLT_LINUX_SLL2);
    if (n >= 0)
        pcap_free_datalinks(list);
    l->link_type = source_link_of_dlt(pcap_datalink(l->pcap));
}

static bool activate(struct source *s, const struct source_options *o, struct err *err)
{
    struct live *l = s->state;
    char why[PCAP_ERRBUF_SIZE] = "";
    l->pcap = pcap_create(l->interface, why);
    if (!l->pcap)
        return err_set(err, "%s: %s", s->label, why);
    pcap_set_snaplen(l->pcap, SNAPLEN);
    pcap_set_promisc(l->pcap, o->promiscuous);
    pcap_set_timeout(l->pcap, DELAY_MS);
    pcap_set_buffer_size(l->pcap, (int)(o->ring_mb ? o->ring_mb : SOURCE_RING_MB) * MB);
    pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(l->pcap);
    if (status < 0)
        return fail(s, status, err);
    if (pcap_setnonblock(l->pcap, 1, why) != 0)
        return err_set(err, "%s: %s", s->label, why);
    choose_link_type(l);
    l->promiscuous = o->promiscuous;
    l->bound = bound_to(l);
    leave_out_echo(l);
    l->unit_ns = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    return true;
}

struct source *source_live_open(const char *name, const char *path, const char *rest,
                                const struct source_options *options, struct err *err)
{
    struct source *s = source_new(name, path);
    struct live *l = s->state = base_alloc(sizeof *l);
    l->interface = s->path + (rest - path);
    s->format = &format;
    s->origin = &origin;
    s->opened = true;
    s->stats.live = s->stats.counted = true;
    bool named = *rest || err_set(err, "%s: an interface is missing: iface:NAME", path);
    if (!named || !activate(s, options, err)) {
        source_close(s);
        return NULL;
    }
    l->state = look_at_interface(s);
    return s;
}

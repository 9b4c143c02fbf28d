/* A path of SIP elements for tests: a message sent along it goes from wire to wire with its Vias
 * growing, and each point on the path sees what its host receives and sends.  The first node is the
 * caller. */
#ifndef TESTS_UNIT_PATH_H
#define TESTS_UNIT_PATH_H

#include "hep.h"
#include "lab.h"

#define PATH_NODES   8
#define PATH_CHANGES 4

/* How a node treats the Vias (and Call-ID) of what it forwards. */
enum path_vias {
    PATH_KEEPS, /* RFC 3261: puts its own on top */
    PATH_HIDES, /* topos: its own only, towards either side */
    PATH_MASKS, /* topoh: towards its left, Vias and Call-ID are masked */
};

struct path_node {
    const char *name;         /* a point of this name sees what the node sends and receives */
    const char *left, *right; /* its addresses; right may be NULL: the same */
    enum path_vias vias;
    const char *advertises; /* sent-by of its Via, where that is another */
};

/* What a node does to a method (with a status: "INVITE 200") as it sends it on: text replaced by
 * other. */
struct path_change {
    const char *node, *message, *from, *to;
};

/* What the node receives and sends it also sends on by HEP, under this capture id. */
struct path_agent {
    const char *node;
    uint32_t id;
};

struct path {
    struct lab *lab;
    size_t n;
    struct path_node nodes[PATH_NODES];
    struct path_change changes[PATH_CHANGES];
    const char *tap; /* a point on the wires between tapped and the next */
    size_t tapped;
    size_t unread; /* what goes between this node and the next is encrypted; 0: nothing is */
    const char *collector; /* the point that sees the HEP of the agents */
    struct path_agent agents[PATH_CHANGES];
    size_t forked; /* the node from which this is another branch: it is not seen again before */
};

struct dialog {
    const char *id, *from_tag, *to_tag; /* the caller's and the callee's */
    const char *from, *to;              /* users; NULL: alice and bob */
};

/* A message as its sender makes it. */
struct told {
    const char *method;
    unsigned cseq, status;
    bool up;                    /* the request goes from the callee to the caller */
    const char *headers;        /* lines with their ends */
    size_t first, past;         /* the nodes it goes between; 0, 0: all */
    const char *reason, *again; /* again: makes another branch */
    bool no_to_tag;
    bool within; /* an INVITE within the dialog */
    bool tagged; /* a 100 with a To-tag */
};

static inline const char *path_address(const struct path_node *n, bool right)
{
    return right && n->right ? n->right : n->left;
}

static inline bool path_is_livekit(const struct path_node *n)
{
    return strncmp(n->name, "livekit", 7) == 0;
}

/* The node at a step of the request's way. */
static inline const struct path_node *path_at(const struct path *p, const struct told *m,
                                              size_t step)
{
    size_t past = m->past ? m->past : p->n;
    return &p->nodes[m->up ? past - 1 - step : m->first + step];
}

static inline size_t path_wires(const struct path *p, const struct told *m)
{
    return (m->past ? m->past : p->n) - m->first - 1;
}

/* ---- what stands on a wire ------------------------------------------------------------------ */

static inline unsigned path_sum(const struct dialog *d, const struct told *m)
{
    unsigned sum = m->cseq * 31;
    const char *all[] = {d->id, m->method, m->again ? m->again : "", d->from_tag};
    for (size_t i = 0; i < COUNT(all); i++)
        for (const char *c = all[i]; *c; c++)
            sum = sum * 131 + (unsigned char)*c;
    return sum;
}

static inline void path_via(struct text *t, const struct path *p, const struct path_node *n,
                            const char *address, bool masked, const struct dialog *d,
                            const struct told *m, size_t step)
{
    unsigned sum = path_sum(d, m) + (step >= p->forked && p->forked ? 77777 : 0);
    struct endpoint e = lab_endpoint(address);
    struct address_text host = address_format(&e.ip);
    text_printf(t, "Via: SIP/2.0/%s ", p->lab->transport == LAB_UDP ? "UDP" : "TCP");
    if (masked)
        text_printf(t, "10.1.1.10;branch=z9hG4bKsr-");
    else if (n->advertises)
        text_printf(t, "%s;branch=", n->advertises);
    else if (e.ip.family == 6)
        text_printf(t, "[%s]:%u;branch=", host.s, e.port);
    else
        text_printf(t, "%s:%u;branch=", host.s, e.port);
    if (path_is_livekit(n) && step == 0 && !masked)
        text_printf(t, "z9hG4bK.%08xabcdefgh;alias\r\n", sum);
    else if (step == 0)
        text_printf(t, "z9hG4bK-%s-%08x\r\n", n->name, sum);
    else
        text_printf(t, "z9hG4bK%04x.%032x.0\r\n", sum & 0xffffu, sum + (unsigned)step * 7919);
}

/* The Vias of a request on its wire, topmost first. */
static inline void path_stack(struct text *t, const struct path *p, const struct dialog *d,
                              const struct told *m, size_t wire)
{
    bool masked = false;
    for (size_t step = wire + 1; step-- > 0;) {
        const struct path_node *n = path_at(p, m, step);
        path_via(t, p, n, path_address(n, !m->up), masked, d, m, step);
        if (n->vias == PATH_HIDES && step)
            return;
        masked |= n->vias == PATH_MASKS && m->up;
    }
}

/* Is the wire, by its distance from the caller, on the left of a node that masks? */
static inline bool path_masked(const struct path *p, const struct path_node *left_end)
{
    for (const struct path_node *n = left_end + 1; n < p->nodes + p->n; n++)
        if (n->vias == PATH_MASKS)
            return true;
    return false;
}

static inline void path_parties(struct text *t, const struct dialog *d, const struct told *m,
                                bool masked)
{
    const char *from = d->from ? d->from : "alice", *to = d->to ? d->to : "bob";
    bool tagged = m->status || m->within || !(strcmp(m->method, "INVITE") == 0 || m->no_to_tag);
    if (m->status == 100 || strcmp(m->method, "CANCEL") == 0)
        tagged = m->tagged;
    text_printf(t, "Call-ID: %s%s\r\nCSeq: %u %s\r\n", masked ? "!!:" : "", d->id, m->cseq,
                m->method);
    text_printf(t, "From: <sip:%s@example.com>;tag=%s\r\n", m->up ? to : from,
                m->up ? d->to_tag : d->from_tag);
    text_printf(t, "To: <sip:%s@example.com>", m->up ? from : to);
    if (tagged && *(m->up ? d->from_tag : d->to_tag))
        text_printf(t, ";tag=%s", m->up ? d->from_tag : d->to_tag);
    text_printf(t, "\r\n");
}

static inline void path_replace(struct text *t, const char *from, const char *to)
{
    char *at = strstr(t->p, from);
    if (!at)
        return;
    struct text changed = {0};
    text_add(&changed, (struct slice){t->p, (size_t)(at - t->p)});
    text_add(&changed, slice_of(to));
    text_add(&changed, slice_of(at + strlen(from)));
    text_free(t);
    *t = changed;
}

/* What the nodes that it passed did to it: `step` is the one that sends it now. */
static inline void path_changed(struct text *t, const struct path *p, const struct told *m,
                                size_t step)
{
    char name[32];
    size_t wires = path_wires(p, m);
    snprintf(name, sizeof name, m->status ? "%s %u" : "%s", m->method, m->status);
    for (size_t k = m->status ? wires - 1 : 1; m->status ? k > step : k <= step;
         m->status ? k-- : k++)
        for (size_t i = 0; i < PATH_CHANGES && p->changes[i].node; i++)
            if (strcmp(p->changes[i].node, path_at(p, m, k)->name) == 0 &&
                strcmp(p->changes[i].message, name) == 0)
                path_replace(t, p->changes[i].from, p->changes[i].to);
}

/* The message on the wire between two steps of the request's way. */
static inline struct text path_message(const struct path *p, const struct dialog *d,
                                       const struct told *m, size_t wire)
{
    struct text t = {0};
    const struct path_node *left = m->up ? path_at(p, m, wire + 1) : path_at(p, m, wire);
    if (m->status)
        text_printf(&t, "SIP/2.0 %u %s\r\n", m->status, m->reason ? m->reason : "Some Reason");
    else
        text_printf(&t, "%s sip:%s@example.com SIP/2.0\r\n", m->method, "someone");
    path_stack(&t, p, d, m, wire);
    path_parties(&t, d, m, path_masked(p, left));
    text_printf(&t, "%sContent-Length: 0\r\n\r\n", m->headers ? m->headers : "");
    path_changed(&t, p, m, wire);
    return t;
}

/* ---- sending -------------------------------------------------------------------------------- */

static inline void path_tell(const struct path *p, const struct path_node *n,
                             const struct lab_packet *packet)
{
    struct endpoint src = lab_endpoint(packet->src), dst = lab_endpoint(packet->dst);
    for (size_t i = 0; i < PATH_CHANGES && p->agents[i].node; i++) {
        struct hep_said said = {17,
                                (const char *)src.ip.bytes,
                                (const char *)dst.ip.bytes,
                                src.port,
                                dst.port,
                                (uint32_t)(p->lab->now_ms / 1000),
                                (uint32_t)(p->lab->now_ms % 1000 * 1000),
                                p->agents[i].id,
                                1};
        struct bytes b = {0};
        if (strcmp(p->agents[i].node, n->name) != 0)
            continue;
        put_hep3(&b, &said, packet->payload);
        struct lab_packet hep = {
            .src = "10.9.9.9:40000", .dst = "10.9.9.10:9060", .payload = bytes_slice(&b)};
        p->lab->ip_id++;
        lab_see(p->lab, lab_point_of(p->lab, p->collector), &hep, false);
        vec_free(&b);
    }
}

static inline void path_seen(const struct path *p, const struct path_node *n,
                             const struct lab_packet *packet, bool out)
{
    struct lab_point *point = lab_point_of(p->lab, n->name);
    if (point)
        lab_see(p->lab, point, packet, out);
    path_tell(p, n, packet);
    p->lab->now_ms++;
}

static inline void path_wire(const struct path *p, const struct dialog *d, const struct told *m,
                             size_t wire)
{
    const struct path_node *from = path_at(p, m, wire), *to = path_at(p, m, wire + 1);
    const char *src = path_address(from, !m->up), *dst = path_address(to, m->up);
    struct text t = path_message(p, d, m, wire);
    bool downstream = p->lab->transport == LAB_TCP_OWN || !m->up;
    struct lab_packet packet = {.src = m->status ? dst : src,
                                .dst = m->status ? src : dst,
                                .payload = text_slice(&t),
                                .transport = p->lab->transport,
                                .by_src = downstream == (m->status == 0)};
    packet.seq = lab_send(p->lab, &packet);
    p->lab->ip_id++;
    if (p->unread && p->unread == (size_t)((m->up ? to : from) - p->nodes)) {
        text_free(&t);
        return;
    }
    path_seen(p, m->status ? to : from, &packet, true);
    if (p->tap && p->tapped == (size_t)((m->up ? to : from) - p->nodes))
        lab_see(p->lab, lab_point_of(p->lab, p->tap), &packet, false);
    path_seen(p, m->status ? from : to, &packet, false);
    text_free(&t);
}

/* Sends a request, or the response to one, over the whole of its way. */
static inline void path_send(const struct path *p, const struct dialog *d, struct told m)
{
    size_t wires = path_wires(p, &m);
    for (size_t i = p->forked; i < wires; i++)
        path_wire(p, d, &m, m.status ? wires - 1 - i : i);
    p->lab->now_ms += 20;
}

/* A request and its 200. */
static inline void path_ask(const struct path *p, const struct dialog *d, struct told m)
{
    path_send(p, d, m);
    m.status = 200;
    m.headers = NULL;
    path_send(p, d, m);
}

/* INVITE, LiveKit's 100 where LiveKit is called, 180, 200, ACK. */
static inline void path_call(const struct path *p, const struct dialog *d,
                             const char *invite_headers)
{
    struct told m = {.method = "INVITE", .cseq = 1, .headers = invite_headers};
    path_send(p, d, m);
    m.headers = NULL;
    struct told trying = m;
    if (path_is_livekit(&p->nodes[p->n - 1])) {
        trying.status = 100;
        trying.reason = "Processing";
        path_wire(p, d, &trying, p->n - 2);
    }
    m.status = 180;
    path_send(p, d, m);
    m.status = 200;
    path_send(p, d, m);
    path_send(p, d, (struct told){.method = "ACK", .cseq = 1, .again = "ack"});
}

#define assert_report(lab, expected)                                                               \
    do {                                                                                           \
        lab_run(lab);                                                                              \
        assert_string_equal((lab)->report.p, expected);                                            \
    } while (0)

/* LiveKit calls out over two proxies, with points on some of the nodes. */
static inline struct path path_outbound(struct lab *lab, enum lab_link link,
                                        const char *const points[4])
{
    struct path p = {.lab = lab,
                     .n = 4,
                     .nodes = {{.name = "livekit", .left = "10.0.1.10"},
                               {.name = "kam1", .left = "10.0.1.1", .right = "10.0.2.1"},
                               {.name = "kam2", .left = "10.0.2.2", .right = "10.0.3.2"},
                               {.name = "five9", .left = "10.0.3.10"}}};
    lab->now_ms = 1000000000;
    for (size_t i = 0; i < 4 && points[i]; i++)
        lab_point(lab, points[i], link);
    return p;
}

static const char *const path_all[4] __attribute__((unused)) = {"livekit", "kam1", "kam2", "five9"};

#endif

/* Frames become a capture: points its interfaces. */
#include "trace/internal.h"

#include <stdlib.h>
#include <string.h>

#define LINK_RAW      101 /* LINKTYPE_RAW: an IP packet */
#define UDP_MOST      65507u
#define LINK_ETHERNET 1

struct written_interface {
    uint32_t point, id;
    int link_type;
    int64_t last_ns;
};

struct trace_writer {
    struct trace *trace;
    struct capture_out *out;
    VEC(struct written_interface) interfaces;
    struct text packet; /* made for a message without a frame */
};

struct trace_writer *trace_writer_new(struct trace *t, enum capture_format format, int fd,
                                      const char *label)
{
    struct trace_writer *w = base_alloc(sizeof *w);
    w->trace = t;
    w->out = capture_out_new(format, fd, label);
    return w;
}

struct capture_out *trace_writer_out(struct trace_writer *w)
{
    return w->out;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

static struct written_interface *interface_new(struct trace_writer *w, uint32_t point,
                                               int link_type, struct err *err)
{
    const struct trace_input *in = w->trace->point_inputs.items[point];
    const struct source_host_address *hosts;
    size_t n = source_host_addresses(in->source, &hosts);
    struct address *addresses = base_alloc(n * sizeof *addresses);
    struct written_interface new = {.point = point, .link_type = link_type};
    for (size_t i = 0; i < n; i++)
        addresses[i] = hosts[i].ip;
    const struct capture_out_interface i = {.name = slice_of(in->name),
                                            .about = slice_of(in->path),
                                            .link_type = link_type,
                                            .addresses = addresses,
                                            .address_count = n};
    bool ok = capture_out_interface(w->out, &i, &new.id, err);
    free(addresses);
    if (!ok)
        return NULL;
    struct written_interface *added = vec_add(&w->interfaces);
    *added = new;
    return added;
}

static struct written_interface *interface_of(struct trace_writer *w, uint32_t point, int link_type,
                                              struct err *err)
{
    for (size_t i = 0; i < w->interfaces.n; i++)
        if (w->interfaces.items[i].point == point && w->interfaces.items[i].link_type == link_type)
            return &w->interfaces.items[i];
    return interface_new(w, point, link_type, err);
}

/* ---- messages without a frame ---------------------------------------------------------------- */

static void add16(struct text *t, size_t value)
{
    text_add_char(t, (char)(value >> 8));
    text_add_char(t, (char)value);
}

static void add_address(struct text *t, const struct address *a, size_t n)
{
    text_add(t, (struct slice){(const char *)a->bytes, a->family ? n : 0});
    text_add_fill(t, '\0', a->family ? 0 : n);
}

/* IP and UDP headers without checksums, as captures of a sender have them. */
static struct slice wrap(struct text *t, const struct source_message *m, struct slice bytes)
{
    bool v6 = m->src.ip.family == 6 || m->dst.ip.family == 6;
    bytes = slice_first(bytes, UDP_MOST);
    size_t udp = 8 + bytes.n;
    text_clear(t);
    if (v6) {
        text_add(t, SLICE("\x60\0\0\0"));
        add16(t, udp);
        text_add(t, SLICE("\x11\x40"));
    } else {
        text_add(t, SLICE("\x45\0"));
        add16(t, 20 + udp);
        text_add(t, SLICE("\0\0\0\0\x40\x11\0\0"));
    }
    add_address(t, &m->src.ip, v6 ? 16 : 4);
    add_address(t, &m->dst.ip, v6 ? 16 : 4);
    add16(t, m->src.port);
    add16(t, m->dst.port);
    add16(t, udp);
    add16(t, 0);
    text_add(t, bytes);
    return text_slice(t);
}

/* ---- frames ---------------------------------------------------------------------------------- */

bool trace_writer_frame(struct trace_writer *w, const struct trace_frame *f,
                        const struct slice *comments, size_t comment_count, struct err *err)
{
    const struct source_frame *frame = f->frame;
    int link_type = frame->message ? LINK_RAW : frame->link_type;
    struct written_interface *i = interface_of(w, f->point, link_type, err);
    if (!i)
        return false;
    struct capture_out_packet p = {.interface = i->id,
                                   .time_ns = frame->time_ns,
                                   .bytes = frame->bytes,
                                   .length = frame->length,
                                   .direction = frame->direction,
                                   .comments = comments,
                                   .comment_count = comment_count};
    if (frame->message) {
        p.bytes = wrap(&w->packet, frame->message, frame->bytes);
        p.length = (uint32_t)p.bytes.n;
    }
    if (frame->time_ns > i->last_ns)
        i->last_ns = frame->time_ns;
    return capture_out_packet(w->out, &p, err);
}

void trace_writer_counts(struct trace_writer *w)
{
    for (size_t i = 0; i < w->interfaces.n; i++) {
        const struct written_interface *face = &w->interfaces.items[i];
        const struct source_stats *s =
            source_stats(w->trace->point_inputs.items[face->point]->source);
        if (s->counted)
            capture_out_counts(w->out, face->id, s->frames + s->filtered, s->kernel_dropped,
                               face->last_ns);
    }
}

/* Some readers want an interface even where there is no packet. */
bool trace_writer_close(struct trace_writer *w, bool sync, uint64_t *left, struct err *err)
{
    if (w->interfaces.n == 0 && w->trace->points.n)
        (void)interface_new(w, 0, LINK_ETHERNET, err);
    bool ok = capture_out_close(w->out, sync, left, err);
    vec_free(&w->interfaces);
    text_free(&w->packet);
    free(w);
    return ok;
}

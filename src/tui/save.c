/* What is saved: calls as captures, text, JSON, pages and pictures; a message as its packets or its
 * bytes. */
#include "tui/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ----------------------------------------------------------------------------------- */

/* A file that is there is never written over. */
static void write_file(struct tui *t, struct slice path, struct slice bytes)
{
    char *name = base_alloc(path.n + 1);
    memcpy(name, path.p, path.n);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && file_write(fd, bytes);
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        why = errno;
        ok = false;
    }
    if (fd >= 0 && !ok)
        unlink(name);
    if (ok)
        tui_say(t, "%zu bytes written to %s", bytes.n, name);
    else
        tui_ask_other(t, strerror(why));
    free(name);
}

/* ---- captures -------------------------------------------------------------------------------- */

#define WITH_MEDIA " +rtp"

struct saving {
    struct trace_writer *writer;
    uint64_t packets, media;
    bool ok;
    struct err err;
};

static void save_frame(void *context, const struct trace_frame *frame)
{
    struct saving *s = context;
    s->ok = s->ok && trace_writer_frame(s->writer, frame, NULL, 0, &s->err);
    s->packets++;
    s->media += frame->media;
}

/* What was saved, and what the file has beside it. */
static void say_saved(struct tui *t, const struct saving *s, const char *name, uint64_t missing,
                      bool secrets)
{
    struct text also = {0};
    text_add(&also, SLICE(""));
    if (s->media)
        text_printf(&also, ", %llu of them media", (unsigned long long)s->media);
    if (missing)
        text_printf(&also, "; %llu more are not kept any more", (unsigned long long)missing);
    if (secrets)
        text_add(&also, SLICE("; with the secrets of their TLS"));
    tui_say(t, "%llu packet%s written to %s%s", (unsigned long long)s->packets,
            s->packets == 1 ? "" : "s", name, also.p);
    text_free(&also);
}

static bool write_frames(struct tui *t, struct saving *s, struct trace_choice *c, bool *secrets)
{
    struct text lines = {0};
    trace_choice_secrets(c, &lines);
    capture_out_secrets(trace_writer_out(s->writer), text_slice(&lines));
    *secrets = lines.n > 0;
    text_free(&lines);
    return trace_frames(t->trace, c, save_frame, s, &s->err) && s->ok;
}

static void write_capture(struct tui *t, struct slice path, enum capture_format format,
                          struct trace_choice *c)
{
    struct saving s = {.ok = true};
    struct err second;
    bool secrets = false;
    char *name = base_alloc(path.n + 1);
    memcpy(name, path.p, path.n);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        tui_ask_other(t, strerror(errno));
        free(name);
        return;
    }
    s.writer = trace_writer_new(t->trace, format, fd, name);
    bool ok = write_frames(t, &s, c, &secrets);
    ok = trace_writer_close(s.writer, false, NULL, ok ? &s.err : &second) && ok;
    if (ok) {
        say_saved(t, &s, name, trace_choice_missing(c), secrets && format == CAPTURE_PCAPNG);
    } else {
        unlink(name);
        tui_ask_other(t, s.err.text);
    }
    free(name);
}

static bool ends_in(struct slice path, struct slice end)
{
    return path.n > end.n && slice_equal_nocase(slice_from(path, path.n - end.n), end);
}

/* "call.pcapng +rtp": false: it names no capture. */
static bool is_capture(struct slice *path, enum capture_format *format, bool *media)
{
    *media = ends_in(*path, SLICE(WITH_MEDIA));
    struct slice name = *path;
    if (*media)
        name.n -= strlen(WITH_MEDIA);
    *format = ends_in(name, SLICE(".pcap")) ? CAPTURE_PCAP : CAPTURE_PCAPNG;
    if (*format == CAPTURE_PCAPNG && !ends_in(name, SLICE(".pcapng")))
        return false;
    *path = name;
    return true;
}

/* All that there are: what is SIP and of no call goes with them. */
static bool is_all(const struct tui *t, size_t n)
{
    size_t all = 0;
    for (uint32_t i = 0; i < trace_call_count(t->trace); i++)
        all += trace_call_is(t->trace, i);
    return n == all && n > 1;
}

static void save_capture(struct tui *t, struct slice path, enum capture_format format, bool media,
                         const uint32_t *calls, size_t n)
{
    struct trace_choice *c = trace_choice_new(t->trace);
    bool all = is_all(t, n);
    if (all)
        trace_choice_all(c, media);
    for (size_t i = 0; i < n && !all; i++) {
        struct arena a = {0};
        if (trace_call_is(t->trace, calls[i]))
            trace_choice_call(c, trace_call_open(t->trace, calls[i], &a, NULL, NULL), media);
        arena_free(&a);
    }
    write_capture(t, path, format, c);
    trace_choice_free(c);
}

/* ---- formats --------------------------------------------------------------------------------- */

enum format { SAVE_TEXT, SAVE_JSON, SAVE_HTML, SAVE_SVG, SAVE_MERMAID, SAVE_NONE };

static enum format format_of(struct slice path)
{
    static const char *const ends[] = {".txt", ".json", ".html", ".svg", ".mmd"};
    for (enum format f = 0; f < SAVE_NONE; f++) {
        size_t n = strlen(ends[f]);
        if (path.n > n && slice_equal_nocase(slice_from(path, path.n - n), slice_of(ends[f])))
            return f;
    }
    return SAVE_NONE;
}

static void add_ladder(struct tui *t, struct text *out, enum format f, const struct view_ladder *l,
                       uint64_t number)
{
    const struct report_style style = {
        .width = 120, .show_secrets = t->options.show_secrets, .ascii = t->options.ascii};
    const struct report_svg svg = {.prefix = ""};
    if (f == SAVE_HTML)
        report_flow_html(out, &style, l, number);
    else if (f == SAVE_SVG)
        report_ladder_svg(out, l, &svg);
    else if (f == SAVE_MERMAID)
        report_flow_mermaid(out, l);
    else {
        text_add(out, number > 1 ? SLICE("\n") : SLICE(""));
        report_flow_text(out, &style, l, true);
    }
}

static void add_ladders(struct tui *t, struct text *out, enum format f, const uint32_t *calls,
                        size_t n)
{
    const struct check_options *o = t->options.check;
    uint64_t number = 0;
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        struct check_summary summary;
        struct check_call judged;
        struct view_options view = t->view;
        if (!trace_call_is(t->trace, calls[i]))
            continue;
        const struct hop_call *hops = trace_call_open(t->trace, calls[i], &a, NULL, NULL);
        check_summary_init(&summary, o);
        bool promised = o->trunks && o->trunks->n && check_call(&a, o, &summary, hops, &judged);
        view.judged = promised ? &judged : NULL;
        add_ladder(t, out, f, view_ladder_build(&a, hops, &view), ++number);
        check_summary_free(&summary);
        arena_free(&a);
    }
    if (f == SAVE_HTML)
        report_flow_html_end(out);
}

/* The report of check over these calls. */
static void add_json(struct tui *t, struct text *out, const uint32_t *calls, size_t n)
{
    const struct check_options *o = t->options.check;
    struct check_summary summary;
    struct report_check report = {.style.show_secrets = t->options.show_secrets,
                                  .format = report_format("json")};
    struct text body = {0};
    check_summary_init(&summary, o);
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        struct check_call result;
        if (trace_call_is(t->trace, calls[i]) &&
            check_call(&a, o, &summary, trace_call_open(t->trace, calls[i], &a, NULL, NULL),
                       &result))
            report_check_call(&body, &report, &result);
        arena_free(&a);
    }
    check_summary_end(&summary, o);
    struct report_run run = {.version = t->options.version,
                             .verdict = check_summary_verdict(&summary, o),
                             .baseline = o->baseline,
                             .summary = &summary,
                             .rules = o->rules};
    run.point_count = trace_points(t->trace, &run.points);
    run.node_count = trace_nodes(t->trace, &run.nodes);
    report_check_begin(out, &report, &run);
    text_add(out, text_slice(&body));
    report_check_end(out, &report, &run);
    report_check_free(&report);
    text_free(&body);
    check_summary_free(&summary);
}

void tui_save_calls(struct tui *t, struct slice path, const uint32_t *calls, size_t n)
{
    enum format f = format_of(path);
    enum capture_format format;
    bool media;
    struct text out = {0};
    if (path.n == 0)
        return;
    if (is_capture(&path, &format, &media))
        save_capture(t, path, format, media, calls, n);
    else if (f == SAVE_NONE)
        tui_ask_other(t, "the name has to end in one of " TUI_SAVE_AS);
    else if ((f == SAVE_SVG || f == SAVE_MERMAID) && n != 1)
        tui_ask_other(t, "a picture holds one call: mark one, or name a .html file");
    else {
        if (f == SAVE_JSON)
            add_json(t, &out, calls, n);
        else
            add_ladders(t, &out, f, calls, n);
        write_file(t, path, text_slice(&out));
    }
    text_free(&out);
}

void tui_save_call(struct tui *t, struct slice path)
{
    tui_save_calls(t, path, &t->call.number, 1);
}

void tui_save_message(struct tui *t, struct slice path, const struct hop_sighting *s)
{
    struct text out = {0};
    enum capture_format format;
    bool media;
    if (path.n == 0)
        return;
    if (is_capture(&path, &format, &media)) {
        struct trace_choice *c = trace_choice_new(t->trace);
        trace_choice_message(c, s);
        write_capture(t, path, format, c);
        trace_choice_free(c);
        return;
    }
    tui_add_message(t, &out, s->message);
    write_file(t, path, text_slice(&out));
    text_free(&out);
}

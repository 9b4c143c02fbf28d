/* sipxray record: captures without a screen.  Without a choice each packet that carries SIP goes to
 * the file as it comes, and what is found later becomes a comment when the file is finished.  With
 * --trigger or --filter packets are kept until their call is over, and written if it is chosen. */
#include "cmd/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPOOL_USUAL_MB 256u
#define MB             (1024ull * 1024u)
#define HEP_WAIT_MS    2000

struct finding_note {
    uint32_t point, frame;
    struct slice text; /* in the arena */
};

struct record {
    const struct cmd_arguments *arguments;
    struct cmd_owed owed;
    struct view_filter *filter;
    struct check_summary summary;
    struct trace_options trace_options;
    struct trace *trace;
    struct record_options options;
    char *usual_name;
    struct record_files *files; /* NULL: no file is asked for */
    struct source_hep_out *hep; /* NULL: none */
    struct source_hep_out_stats hep_stats;
    bool chosen, by_check, rtp;
    size_t secrets; /* of the trace, handed on so far */
    struct arena arena;
    VEC(struct finding_note) notes; /* of the call that is written */
    uint64_t calls, calls_written, failed, missing;
};

/* ---- findings become comments ---------------------------------------------------------------- */

static bool point_named(const struct record *r, struct slice name, uint32_t *source)
{
    const struct trace_point *points;
    size_t n = trace_points(r->trace, &points);
    for (size_t i = 0; i < n; i++)
        if (slice_is(name, points[i].name)) {
            *source = points[i].source_point;
            return true;
        }
    return false;
}

static void note_finding(struct record *r, const struct check_finding *f)
{
    struct slice id = slice_of(f->id), severity = slice_of(check_severity_name(f->severity));
    struct slice text = ARENA_JOIN(&r->arena, severity, SLICE(" "), id, SLICE(": "), f->message);
    for (size_t i = 0; i < f->evidence_count; i++) {
        uint32_t source;
        if (point_named(r, f->evidence[i].point, &source))
            *vec_add(&r->notes) = (struct finding_note){source, f->evidence[i].frame, text};
    }
}

static void note_findings(struct record *r, const struct check_call *call)
{
    vec_clear(&r->notes);
    arena_reset(&r->arena);
    for (size_t i = 0; i < call->finding_count; i++)
        note_finding(r, &call->findings[i]);
}

static void write_notes(struct record *r)
{
    for (size_t i = 0; r->files && i < r->notes.n; i++)
        record_files_note(r->files, r->notes.items[i].point, r->notes.items[i].frame,
                          r->notes.items[i].text);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void write_secrets(struct record *r)
{
    struct text lines = {0};
    r->secrets = trace_secrets_since(r->trace, r->secrets, &lines);
    if (lines.n && r->files)
        record_files_secrets(r->files, text_slice(&lines));
    text_free(&lines);
}

static void take_frame(void *context, const struct trace_frame *frame)
{
    struct record *r = context;
    write_secrets(r);
    record_files_frame(r->files, frame, NULL, 0);
}

static void take_chosen(void *context, const struct trace_frame *frame)
{
    struct record *r = context;
    VEC(struct slice) comments = {0};
    for (size_t i = 0; i < r->notes.n; i++)
        if (r->notes.items[i].point == frame->point &&
            r->notes.items[i].frame == frame->frame->number)
            *vec_add(&comments) = r->notes.items[i].text;
    record_files_frame(r->files, frame, comments.items, comments.n);
    vec_free(&comments);
}

/* ---- HEP ------------------------------------------------------------------------------------- */

static uint8_t protocol_of(enum packet_transport t)
{
    return t == PACKET_UDP ? 17 : t == PACKET_SCTP ? 132 : 6;
}

static void send_hep(const struct record *r, uint32_t point, uint8_t transport,
                     const struct endpoint *src, const struct endpoint *dst, int64_t time_ns,
                     const struct sip_message *m)
{
    const struct trace_point *points;
    const struct source_message ends = {
        .ip_protocol = protocol_of(transport),
        .tls = transport == PACKET_TLS || transport == PACKET_WSS,
        .websocket = transport == PACKET_WS || transport == PACKET_WSS,
        .src = *src,
        .dst = *dst,
    };
    trace_points(r->trace, &points);
    const struct source_hep_message message = {
        .message = &ends,
        .time_ns = time_ns,
        .agent = points[point].by_hep ? points[point].agent : point + 1,
        .correlation = m->call_id,
        .payload = m->bytes,
    };
    (void)source_hep_out_send(r->hep, &message);
}

static void take_message(void *context, const struct trace_message *m)
{
    const struct record *r = context;
    const struct packet_payload *p = m->payload;
    if (!m->duplicate)
        send_hep(r, m->point, (uint8_t)p->transport, &p->src, &p->dst, p->time_ns, m->sip);
}

static int by_time(const void *a, const void *b)
{
    const struct hop_sighting *const *x = a, *const *y = b;
    int64_t s = (*x)->index->time_ns, t = (*y)->index->time_ns;
    return s < t ? -1 : s > t;
}

static void send_call(struct record *r, const struct hop_call *call)
{
    VEC(const struct hop_sighting *) all = {0};
    for (size_t i = 0; i < call->journey_count; i++)
        for (size_t k = 0; k < call->journeys[i].step_count; k++)
            *vec_add(&all) = call->journeys[i].steps[k].sighting;
    if (all.n)
        qsort(all.items, all.n, sizeof(const struct hop_sighting *), by_time);
    for (size_t i = 0; i < all.n; i++)
        if ((i == 0 || all.items[i] != all.items[i - 1]) && all.items[i]->message)
            send_hep(r, all.items[i]->index->point, all.items[i]->transport, &all.items[i]->src,
                     &all.items[i]->dst, all.items[i]->index->time_ns, all.items[i]->message);
    vec_free(&all);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void write_call(struct record *r, const struct hop_call *call)
{
    struct err err;
    r->calls_written++;
    if (r->hep)
        send_call(r, call);
    if (!r->files)
        return;
    struct trace_choice *c = trace_choice_new(r->trace);
    struct text secrets = {0};
    trace_choice_call(c, call, r->rtp);
    trace_choice_once(c);
    trace_choice_secrets(c, &secrets);
    if (secrets.n)
        record_files_secrets(r->files, text_slice(&secrets));
    (void)trace_frames(r->trace, c, take_chosen, r, &err); /* nothing is read but what is kept */
    r->missing += trace_choice_missing(c);
    text_free(&secrets);
    trace_choice_free(c);
}

static void take_checked(void *context, const struct check_call *call)
{
    struct record *r = context;
    note_findings(r, call);
    r->failed += call->verdict == CHECK_FAIL;
    if (!r->chosen)
        write_notes(r);
    else if (r->by_check && call->verdict == CHECK_FAIL)
        write_call(r, call->hops);
}

/* After it was judged: what was found is in r->notes. */
static void take_call(void *context, const struct hop_call *call)
{
    struct record *r = context;
    write_call(r, call);
    vec_clear(&r->notes);
}

static void count_call(void *context, const struct call_summary *call)
{
    struct record *r = context;
    (void)call;
    r->calls++;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool read_count(const struct cmd_arguments *a, enum cmd_option_id id, uint64_t *out,
                       struct err *err)
{
    const char *value = cmd_value(a, id);
    uint32_t n = 0;
    if (value && (!slice_to_u32(slice_of(value), &n) || n == 0))
        return err_set(err, "--%s %s: a number from 1 on", cmd_option_of(id)->name, value);
    *out = n;
    return true;
}

/* "100M", "1G", "64k"; plain bytes */
static bool read_size(const struct cmd_arguments *a, uint64_t *out, struct err *err)
{
    static const char units[] = "kMG";
    const char *value = cmd_value(a, CMD_OPT_ROTATE_SIZE);
    struct slice text = slice_of(value);
    uint32_t n;
    *out = 0;
    if (!value)
        return true;
    const char *unit = text.n ? strchr(units, text.p[text.n - 1]) : NULL;
    if (unit)
        text.n--;
    if (!slice_to_u32(text, &n) || n == 0)
        return err_set(err, "--rotate-size %s: a size such as 100M, 1G or 64k", value);
    *out = (uint64_t)n << (unit ? 10 * (unsigned)(unit - units + 1) : 0);
    return true;
}

static bool read_rotation(struct record *r, struct err *err)
{
    const struct cmd_arguments *a = r->arguments;
    struct record_options *o = &r->options;
    const char *time_text = cmd_value(a, CMD_OPT_ROTATE_TIME);
    uint64_t keep = 0;
    if (!read_size(a, &o->bytes, err) || !read_count(a, CMD_OPT_ROTATE_COUNT, &o->packets, err) ||
        !read_count(a, CMD_OPT_KEEP, &keep, err))
        return false;
    if (time_text && !(o->seconds = cmd_seconds(slice_of(time_text))))
        return err_set(err, "--rotate-time %s: a time such as 90s, 10m or 1h", time_text);
    o->keep = (uint32_t)keep;
    o->rotate = o->bytes || o->packets || o->seconds;
    if (keep && !o->rotate)
        return err_set(err, "--keep says how many files stay, of those that --rotate-size, "
                            "--rotate-time or --rotate-count make");
    return true;
}

static bool ends_in(struct slice text, struct slice end)
{
    return text.n > end.n && slice_equal_nocase(slice_from(text, text.n - end.n), end);
}

static bool read_output(struct record *r, struct err *err)
{
    const char *output = cmd_value(r->arguments, CMD_OPT_OUTPUT);
    struct record_options *o = &r->options;
    if (!output && cmd_given(r->arguments, CMD_OPT_HEP))
        return true;
    if (!output) {
        time_t now = time(NULL);
        struct tm tm;
        gmtime_r(&now, &tm);
        r->usual_name = base_alloc(64);
        strftime(r->usual_name, 64, o->rotate ? "sipxray.pcapng" : "sipxray-%Y%m%dT%H%M%SZ.pcapng",
                 &tm);
        output = r->usual_name;
    }
    o->output = output;
    o->format = ends_in(slice_of(output), SLICE(".pcap")) ? CAPTURE_PCAP : CAPTURE_PCAPNG;
    if (strcmp(output, "-") == 0 && o->rotate)
        return err_set(err, "standard output is one file: it is not rotated");
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return err_set(err, "a capture is not for a terminal: give --output FILE, or a pipe");
    return true;
}

static bool read_choice(struct record *r, struct err *err)
{
    const struct cmd_arguments *a = r->arguments;
    const char *trigger = cmd_value(a, CMD_OPT_TRIGGER);
    uint64_t mb = 0;
    if (trigger && strcmp(trigger, "check") != 0)
        return err_set(err, "--trigger %s: the only trigger is check", trigger);
    if (!cmd_filter_read(a, VIEW_FILTER_CALLS, &r->filter, err) ||
        !read_count(a, CMD_OPT_SPOOL, &mb, err))
        return false;
    r->by_check = trigger != NULL;
    r->chosen = r->by_check || r->filter;
    r->rtp = cmd_given(a, CMD_OPT_RTP);
    if (r->chosen)
        r->trace_options.keep_bytes = (mb ? mb : SPOOL_USUAL_MB) * MB;
    return true;
}

static bool open_hep(struct record *r, struct err *err)
{
    const char *where = cmd_value(r->arguments, CMD_OPT_HEP);
    char key[SOURCE_HEP_KEY_MAX + 1];
    if (!where)
        return true;
    return cmd_hep_key(r->arguments, key, err) &&
           (r->hep = source_hep_out_open(where, slice_of(key), err)) != NULL;
}

static bool open_trace(struct record *r, struct err *err)
{
    const struct cmd_list *nodes = &r->arguments->values[CMD_OPT_NODE];
    struct trace_options *o = &r->trace_options;
    r->owed.options.everything = true; /* a call is written whole */
    check_summary_init(&r->summary, &r->owed.options);
    o->check = &r->owed.options;
    o->summary = &r->summary;
    o->livekit = cmd_value(r->arguments, CMD_OPT_LIVEKIT);
    o->nodes = nodes->items;
    o->node_count = nodes->n;
    o->filter = view_filter_calls(r->filter);
    o->keep_files = true;
    o->media = o->source.media = r->rtp;
    o->secrets = true;
    o->stop_all = true;
    o->live = true; /* each call as soon as it is over */
    r->trace = cmd_trace_open(r->arguments, o, err);
    if (r->trace && r->filter)
        view_filter_begin(r->filter, r->trace);
    return r->trace != NULL;
}

/* ---- the run --------------------------------------------------------------------------------- */

static void tick(void *context)
{
    struct record *r = context;
    if (r->hep)
        source_hep_out_flush(r->hep);
    if (!r->files)
        return;
    if (cmd_signal_rotated())
        record_files_next(r->files);
    record_files_tick(r->files);
}

/* Files as well end at a wish, as live sources do. */
static bool begin(void *context, struct err *err)
{
    struct record *r = context;
    (void)err;
    cmd_signals_begin(true);
    if (r->files && r->options.rotate)
        cmd_signal_rotate_begin();
    return true;
}

static bool run(struct record *r, struct err *err)
{
    const struct cmd_hooks hooks = {.tick = tick, .begin = begin, .keep_user = true, .context = r};
    const struct trace_sinks sinks = {
        .message = r->hep && !r->chosen ? take_message : NULL,
        .call = count_call,
        .check = take_checked,
        .flow = r->chosen && !r->by_check ? take_call : NULL,
        .frame = r->files && !r->chosen ? take_frame : NULL,
        .context = r,
    };
    struct cmd_outputs none = {.n = 0};
    cmd_trace_hooks(&hooks);
    return cmd_trace_run(r->trace, &sinks, &none, err);
}

static bool record(struct record *r, struct err *err)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!read_rotation(r, err) || !read_output(r, err) || !read_choice(r, err) ||
        !cmd_owed_read(&r->owed, r->arguments, err) || !open_hep(r, err) || !open_trace(r, err))
        return false;
    if (r->options.output && !(r->files = record_files_open(r->trace, &r->options, err)))
        return false;
    struct err second;
    bool ok = run(r, err);
    if (r->files)
        ok = record_files_close(r->files, ok ? err : &second) && ok;
    return ok;
}

/* ---- what is said at the end ----------------------------------------------------------------- */

static void say_files(const struct record *r)
{
    const struct record_stats *s = record_files_stats(r->files);
    cmd_complain("packets recorded: %llu (%llu of media), files: %llu, comments: %llu",
                 (unsigned long long)s->packets, (unsigned long long)s->media,
                 (unsigned long long)s->files, (unsigned long long)s->comments);
    if (s->deleted)
        cmd_complain("files deleted by --keep: %llu", (unsigned long long)s->deleted);
    if (s->comments_late)
        cmd_complain("note: comments on packets of files finished before, or not recorded: %llu",
                     (unsigned long long)s->comments_late);
    if (s->left_out)
        cmd_complain("note: comments beyond the limit of a file: %llu",
                     (unsigned long long)s->left_out);
}

static void say_hep(const struct record *r)
{
    const struct source_hep_out_stats *s = &r->hep_stats;
    cmd_complain("HEP: messages sent: %llu", (unsigned long long)s->sent);
    if (s->too_large || s->dropped || s->refused || s->lost)
        cmd_complain("note: HEP: messages too large: %llu, dropped: %llu, refused: %llu; "
                     "connections lost: %llu",
                     (unsigned long long)s->too_large, (unsigned long long)s->dropped,
                     (unsigned long long)s->refused, (unsigned long long)s->lost);
}

static void say_counts(struct record *r)
{
    struct trace_spool_stats kept;
    const struct trace_point *points;
    uint64_t messages = 0;
    size_t n = trace_points(r->trace, &points);
    for (size_t i = 0; i < n; i++)
        messages += points[i].messages;
    trace_kept(r->trace, &kept);
    cmd_complain("messages: %llu, calls: %llu, failed: %llu", (unsigned long long)messages,
                 (unsigned long long)r->calls, (unsigned long long)r->failed);
    if (r->chosen)
        cmd_complain("calls recorded: %llu", (unsigned long long)r->calls_written);
    if (r->files)
        say_files(r);
    if (r->hep)
        say_hep(r);
    if (r->missing)
        cmd_complain("note: packets of recorded calls that were no longer kept: %llu (of %llu that "
                     "went at the limit; --spool)",
                     (unsigned long long)r->missing, (unsigned long long)kept.evicted);
}

int cmd_record(const struct cmd_arguments *a)
{
    struct err err = {""};
    struct record r = {.arguments = a};
    bool ok = record(&r, &err);
    if (r.hep)
        source_hep_out_close(r.hep, HEP_WAIT_MS, &r.hep_stats);
    if (r.trace && (ok || r.files)) {
        say_counts(&r);
        cmd_trace_remarks(r.trace);
    }
    cmd_filter_remarks(ok ? r.filter : NULL, "call");
    if (!ok)
        cmd_complain("%s", err.text);
    record_files_free(r.files);
    trace_free(r.trace);
    check_summary_free(&r.summary);
    view_filter_free(r.filter);
    cmd_owed_free(&r.owed);
    vec_free(&r.notes);
    arena_free(&r.arena);
    free(r.usual_name);
    return ok ? CMD_HOLDS : CMD_ERROR;
}

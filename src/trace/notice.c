/* What was left out, limited or lost: one line each, so that nothing goes unseen. */
#include "trace/internal.h"

static void notice(struct trace *t, const char *where, uint64_t count, const char *what)
{
    if (!count)
        return;
    struct trace_notice *n = vec_add(&t->notices);
    n->text = arena_printf(&t->arena, "%s%s%s: %llu", where, where[0] ? ": " : "", what,
                           (unsigned long long)count);
}

static void stream_notices(struct trace *t, const struct trace_point *p)
{
    const struct packet_stats *s = p->packet;
    notice(t, p->name, s->stream_holes, "runs of TCP bytes that are not in the capture");
    notice(t, p->name, s->stream_overflows,
           "of them, taken for lost at the limit of bytes held behind them");
    notice(t, p->name, s->stream_cut, "TCP segments of which the snap length cut off bytes");
    notice(t, p->name, s->stream_late, "TCP bytes that came after their place was given up");
    notice(t, p->name, s->stream_overlapping,
           "TCP segments that differ from an earlier copy, which was taken");
    notice(t, p->name, s->stream_full,
           "streams of which more came in one piece than is held, so that it was cut");
    notice(t, p->name, s->streams_evicted,
           "TCP connections taken for over at the limit of connections held");
    notice(t, p->name, s->sctp_incomplete, "SCTP messages that never got all their fragments");
    notice(t, p->name, s->sctp_lost, "SCTP fragments of messages without a beginning");
    notice(t, p->name, s->sctp_evicted,
           "SCTP associations given up at the limit of associations held");
}

static void point_notices(struct trace *t, const struct trace_point *p)
{
    const struct packet_stats *s = p->packet;
    const struct trace_input *in = t->point_inputs.items[p - t->points.items];
    char fallback[24];
    notice(t, p->name, p->source->kernel_dropped,
           "packets dropped by the kernel, for they came faster than they were read");
    notice(t, p->name, p->source->dropped_by_link,
           "packets dropped by the interface, for the host did not take them in time");
    notice(t, p->name, s->fragments_expired,
           source_widened(in->source)
               ? "IP datagrams of which not all fragments passed the capture filter or were there"
               : "IP datagrams that never got all their fragments");
    notice(t, p->name, s->fragments_evicted,
           "incomplete IP datagrams dropped at the limit of fragments held");
    notice(t, p->name, s->fragments_not_listed,
           "frames not listed with their messages, for they are fragments of one TCP segment or "
           "SCTP packet");
    notice(t, p->name, s->fragments_overlapping,
           "IP datagrams dropped, for their fragments overlap and differ");
    notice(t, p->name, s->malformed, "packets with a malformed header");
    notice(t, p->name, s->too_deep,
           "packets with more headers within each other than are followed");
    notice(t, p->name, s->cut, "packets cut by the snap length before their payload");
    notice(t, p->name, p->stray, "bytes of streams between SIP messages that belong to none");
    stream_notices(t, p);
    notice(t, p->name, s->tls_let_go,
           "TLS records dropped at the limit of those that wait for keys");
    notice(t, p->name, p->source->secrets_lost,
           "blocks of TLS secrets that are broken, or beyond the limit");
    notice(t, p->name, p->source->unread, "records of the log that fit no format");
    notice(t, p->name, p->source->hep_refused,
           "messages by HEP without the authentication key, or with a wrong one, not read");
    notice(t, p->name, p->source->hep_rubbish, "datagrams or connections that were no HEP");
    notice(t, p->name, p->source->hep_cut, "connections that ended within a HEP message");
    notice(t, p->name, p->source->hep_dropped,
           "connections given up, for they stood still or there were too many");
    notice(t, p->name, p->source->skipped_blocks, "pcapng blocks of an unknown kind passed over");
    if (in->select)
        notice(t, p->name, select_stats(in->select)->given_up,
               "frames let go of at a limit before it was known whether they carry SIP");
    notice(t, p->name, s->not_inflated, "compressed messages that could not be read");
    if (s->unknown_link) {
        struct trace_notice *n = vec_add(&t->notices);
        n->text = arena_printf(
            &t->arena, "%s: frames of link type %s, which sipxray does not read: %llu", p->name,
            source_link_name(s->unknown_link_type, fallback), (unsigned long long)s->unknown_link);
    }
}

#define SHOWN 3u /* connections that a notice names */

/* "kam1: 2 TLS connections (37 records) could not be decrypted: ... -> ...; give --keylog" */
static void tls_notice(struct trace *t, const struct trace_input *in)
{
    const struct packet_stats *s = packet_stats(in->decoder);
    const struct packet_hidden *hidden;
    size_t n = packet_undecrypted(in->decoder, &hidden), shown = 0;
    struct text words = {0};
    if (!s->tls_undecrypted)
        return;
    text_printf(&words, "%s: %llu TLS connection%s (%llu record%s) could not be decrypted",
                in->name, (unsigned long long)s->tls_undecrypted,
                s->tls_undecrypted == 1 ? "" : "s", (unsigned long long)s->tls_undecrypted_records,
                s->tls_undecrypted_records == 1 ? "" : "s");
    for (size_t i = 0; i < n && shown < SHOWN; i++)
        if (hidden[i].records)
            text_printf(&words, "%s%s -> %s", shown++ ? ", " : ": ",
                        endpoint_format(&hidden[i].src).s, endpoint_format(&hidden[i].dst).s);
    text_printf(&words, "%s; give --keylog", s->tls_undecrypted > shown ? " ..." : "");
    vec_add(&t->notices)->text = text_keep(&words, &t->arena);
}

static void key_notices(struct trace *t)
{
    const struct packet_keys_stats *s = packet_keys_stats(t->keys);
    const char *path, *why;
    for (size_t i = 0; (path = packet_keys_absent(t->keys, i, &why)) != NULL; i++) {
        struct trace_notice *n = vec_add(&t->notices);
        n->text = arena_printf(&t->arena, "%s: this key log was waited for in vain: %s", path, why);
    }
    notice(t, "", s->bad_lines, "lines of key logs that are none, passed over");
    notice(t, "", s->evicted, "TLS secrets forgotten at the limit of those kept");
}

static void kept_notices(struct trace *t)
{
    struct trace_spool_stats s;
    trace_kept(t, &s);
    notice(t, "", s.lost, "packets not kept, for the temporary file takes no more");
    notice(t, "", t->secrets.forgotten, "TLS secrets forgotten, for there are too many");
}

static void media_notices(struct trace *t)
{
    const struct media_stats *s = t->media ? media_table_stats(t->media) : NULL;
    if (!s)
        return;
    notice(t, "", s->places_evicted, "addresses of media forgotten at the limit of those held");
    notice(t, "", s->streams_left_out, "RTP streams beyond the limit of those counted");
}

/* One of a capture id, or of a pod, that did not come. */
static void livekit_notice(struct trace *t)
{
    const char *name = t->nodes ? hop_nodes_awaited(t->nodes) : NULL;
    uint32_t id;
    if (!name)
        return;
    struct trace_notice *n = vec_add(&t->notices);
    n->text = arena_printf(&t->arena, "--livekit %s: no point has this name%s", name,
                           slice_to_u32(slice_of(name), &id)
                               ? ", and no message came by HEP from this capture id"
                               : "");
}

void trace_collect_notices(struct trace *t)
{
    livekit_notice(t);
    for (size_t i = 0; i < t->inputs.n; i++) {
        point_notices(t, &t->points.items[t->inputs.items[i]->point]);
        tls_notice(t, t->inputs.items[i]);
    }
    key_notices(t);
    media_notices(t);
    kept_notices(t);
    notice(t, "", t->members_left_out, "pods left out, for there are too many points");
    notice(t, "", t->agents_left_out,
           "messages by HEP from capture ids beyond the limit, which stand under their source");
    if (!t->calls)
        return;
    const struct call_stats *s = call_table_stats(t->calls);
    notice(t, "", s->no_call_id,
           "messages without a Call-ID, which belong to no call, or by their Vias only");
    notice(t, "", s->orphans_lost,
           "messages cut before their Call-ID beyond the limit of those kept");
    notice(t, "", s->values_cut, "header values longer than 4096 bytes, cut there");
    notice(t, "", s->values_lost, "header values not kept, for there are too many at a time");
    notice(t, "", s->kept_lost, "messages not judged, for their bytes are beyond the limit kept");
    notice(t, "", s->legs_idle, "Call-IDs taken for over after six hours of silence");
    notice(t, "", s->legs_unfinished,
           "calls that had just begun, without an answer, when the run ended");
    notice(t, "", s->legs_squeezed,
           "Call-IDs given up without a report at the limit of memory (--memory)");
    notice(t, "", s->legs_evicted, "Call-IDs taken for over at the limit of calls held");
    notice(t, "", s->late,
           "messages that came after their call was reported, as when the clocks of the points "
           "differ");
    notice(t, "", t->unreadable, "messages that could not be read again");
    if (t->options.summary)
        notice(t, "", t->options.summary->headers_left_out,
               "headers left out, for one message has more than are followed");
    if (t->options.summary)
        notice(t, "", t->options.summary->unique_left_out,
               "values that were not compared with those of other calls, for there are too many");
    notice(t, "", t->left_out,
           "sightings left out, for one call has more messages than are followed");
    notice(
        t, "", t->live.renewals,
        "times that the nodes were forgotten and learned anew, for there were too many addresses");
    notice(t, "", t->live.leaps, "leaps of a source's clock by more than a day, not followed");
    notice(t, "", hop_nodes_overflow(t->nodes), "messages of addresses beyond the limit of nodes");
    notice(t, "", hop_joiner_left_out(t->joiner), "candidates for joined legs not looked at");
}

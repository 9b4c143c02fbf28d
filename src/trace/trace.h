/* trace: owns every table, runs the stages in order, ends and frees what is finished.  Sources are
 * read merged by time; each SIP message is handed to the message sink, filed under its call, and
 * each call that is over goes to the call sink, after which it is freed. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "base/base.h"
#include "call/call.h"
#include "check/check.h"
#include "hop/hop.h"
#include "packet/packet.h"
#include "sip/sip.h"
#include "source/source.h"

#include <signal.h>

struct trace;

/* A message as it was just scanned; all borrowed, valid during the call of the sink. */
struct trace_message {
    uint32_t point; /* index into trace_points */
    const struct packet_payload *payload;
    const struct sip_message *sip;
    bool retransmission; /* seen before at this point, on the same flow */
    bool duplicate;      /* the very same packet seen again (a tap that sees each frame twice) */
};

typedef void trace_message_sink(void *context, const struct trace_message *message);
/* One finished call as `sipxray calls` lists it. */
typedef void trace_call_sink(void *context, const struct call_summary *call);
/* One judged call; borrowed likewise. */
typedef void trace_check_sink(void *context, const struct check_call *call);

/* One finished call with every message of it; borrowed likewise. */
typedef void trace_flow_sink(void *context, const struct hop_call *call);
/* Is the call to go to the flow sink?  Asked of each call before its messages are read again. */
typedef bool trace_flow_choice(void *context, const struct call_summary *call);

/* ---- a choice of calls ---- */

/* A message as a filter looks at it: as it was just scanned, or as the index has it, and then its
 * bytes are read where they are wanted. */
struct trace_seen {
    const char *point;
    enum packet_transport transport;
    struct endpoint src, dst;
    int64_t time_ns;
    const uint32_t *frames;
    size_t frame_count;
    size_t length, missing; /* SIZE_MAX: nobody knows how many bytes are missing */
    enum sip_method method;
    uint16_t status; /* 0: a request */
    enum sip_state state;
    bool retransmission, duplicate;
    const struct sip_message *sip;                   /* NULL: to be read, by */
    const struct sip_message *(*read)(void *reader); /* which gives NULL where that fails */
    void *reader;
};

void trace_seen_of(const struct trace *t, const struct trace_message *m, struct trace_seen *out);
/* As the index has it: without its bytes, and without what it is among others. */
void trace_seen_indexed(const struct trace *t, const struct call_sighting *s,
                        struct trace_seen *out);

/* What a filter remembers of the messages of a call; all zero at first.  That of several legs is
 * put together by or. */
struct trace_marks {
    uint64_t yes, maybe;
    uint32_t some, unsure;
};

/* Which calls are handed out; the others are learned from all the same. */
struct trace_filter {
    /* of each message but retransmissions and duplicates; NULL: nothing is asked of messages */
    void (*message)(void *context, const struct trace_seen *m, struct trace_marks *marks);
    bool (*call)(void *context, const struct call_summary *call, const struct trace_marks *marks);
    void *context;
};

/* A frame that carries SIP, or a part of it, or is of a TCP connection that does; or media at an
 * address that SDP names.  Borrowed. */
struct trace_frame {
    uint32_t point; /* of its source */
    const struct source_frame *frame;
    bool media;
    struct endpoint src, dst; /* of the datagram or segment, as far as known */
};
typedef void trace_frame_sink(void *context, const struct trace_frame *frame);

/* What is held of a source until it is known what it carries.  A TCP connection is given up after
 * so many bytes without SIP; one on a port of SIP (5060 to 5099) is never. */
#define TRACE_SELECT_FRAMES     65536u
#define TRACE_SELECT_BYTES      (32u * 1024u * 1024u)
#define TRACE_SELECT_SECONDS    60
#define TRACE_SELECT_FLOWS      65536u /* TCP connections; the longest idle is forgotten */
#define TRACE_SELECT_FLOW_BYTES (64u * 1024u)

/* What a run is for; a sink that is NULL is work not done. */
struct trace_sinks {
    trace_message_sink *message;
    trace_call_sink *call;
    trace_check_sink *check;
    trace_flow_sink *flow;
    trace_flow_choice *choose; /* NULL: all calls go to the flow sink */
    trace_frame_sink *frame;   /* frames with SIP, and media if trace_options.media; one thread */
    void *context;
};

/* Who wants to know how a run goes; any may be NULL. */
struct trace_watch {
    /* A live source is waited for, or live a tenth of a second has passed: now show what was handed
     * out. */
    void (*idle)(void *context);
    void (*ended)(void *context, uint32_t point); /* its source has, others may go on */
    void (*news)(void *context, uint32_t point, const char *text); /* of a source that goes on */
    void *context;
};

/* One for each source, and one for each capture agent whose messages came by HEP in a source, named
 * by its capture id ("2001"; "kam1:2001" where another point has that name).  What came without HEP
 * is the source's own.  The same id in two sources makes two points: a point has one source. */
struct trace_point {
    const char *name;
    const char *path;
    bool by_hep;
    uint32_t agent;        /* by_hep: its capture id */
    uint64_t packets;      /* by_hep: those of its agent, as far as they carry SIP */
    uint32_t agents;       /* points that came of this source: by HEP in it, or pods */
    uint32_t source_point; /* of its source: itself, unless by_hep */
    int link_types[8];     /* seen, in order of appearance */
    uint32_t link_type_count;
    bool is_log; /* messages without frames around them: there is no link type */
    uint64_t messages;
    uint64_t stray; /* bytes of streams that have SIP, between messages and of none */
    const struct source_stats *source;
    const struct packet_stats *packet;
    const struct packet_decoder *decoder; /* for packet_undecrypted */
};

#define TRACE_HEP_POINTS_MAX 1024u /* what further agents sent is their source's */
#define TRACE_MEMBERS_MAX    1024u /* pods of all sources; further ones are left out */

/* Everything of the source came by HEP, as far as is known, or it is one that others come of: their
 * points stand for it. */
static inline bool trace_point_is_idle(const struct trace_point *p)
{
    return p->agents > 0 && p->messages == 0 && p->packet->tls_undecrypted == 0;
}

/* A node of the path, as the report names it. */
struct trace_node {
    struct slice name; /* a point's, --node's, else its first address */
    const struct slice *addresses;
    size_t address_count;
};

/* A limit that was reached, or anything else that was left out: never silent. */
struct trace_notice {
    struct slice text; /* "point kam1: 3 IP fragments never completed" */
};

struct trace_options {
    const char *bpf;                   /* NULL: none */
    struct source_options source;      /* how live sources are opened */
    const struct check_options *check; /* for the check sink */
    struct check_summary *summary;     /* likewise */
    const char *livekit;               /* --livekit NAME|ADDR; NULL: by wire marks */
    const char *const *nodes;          /* --node NAME=ADDR[,ADDR...], node_count of them */
    size_t node_count;
    const struct call_want *wants; /* headers whose values call_summary is to have; borrowed */
    size_t want_count;
    const struct trace_filter *filter; /* NULL: all calls; borrowed */
    unsigned threads; /* 1: one does it all; 0: two where there are two processors */
    uint64_t memory;  /* trace_browse and live: bytes held of calls; beyond, the longest idle go */
    /* Each call is handed to the sinks as soon as its end has settled (call.h), and to the check
     * sink again where what came late changes it; files are followed as they grow. */
    bool live;
    uint64_t calls_max; /* live: so many reported calls end the run; 0: none do */
    bool media;         /* RTP is watched: see trace_call_media; one thread does it all */
    bool stop_all;      /* at `stop` files are read no further, either */
    bool secrets;       /* TLS secrets that are used are remembered: see trace_choice_secrets */
    /* Frames of SIP, and media if watched, are kept in so many bytes of a temporary file, the
     * oldest going first: of sources that cannot be read again, or of files too if keep_files.  0:
     * none */
    uint64_t keep_bytes;
    bool keep_files;
    /* NULL: none.  Once it is not 0, live sources are told to end, and with them the run. */
    const volatile sig_atomic_t *stop;
};

/* What a live run has to show at any time. */
struct trace_live_stats {
    uint64_t reported, corrected; /* calls by the check sink */
    uint32_t open;                /* Call-IDs that have not ended */
    uint64_t bytes;               /* held for calls, about */
    const struct call_stats *calls;
};

enum trace_step {
    TRACE_MORE,
    TRACE_WAIT, /* live sources have nothing now */
    TRACE_OVER, /* everything was read */
    TRACE_FAILED,
};

struct trace *trace_new(const struct trace_options *options);
/* TLS keys of all points: see packet_keys_file and packet_keys_rsa.  Where a live source was added
 * before, a key log that is not there is waited for; a notice says that it never came. */
bool trace_add_keylog(struct trace *t, const char *path, struct err *err);
bool trace_add_tls_key(struct trace *t, const char *path, struct err *err);
/* [NAME=]SOURCE, NAME defaulting to the file's stem.  Errors: a second point of the same name, an
 * unreadable file, a bad filter, a bad --node. */
bool trace_add(struct trace *t, const char *spec, struct err *err);
/* A point whose messages the program itself has: the source belongs to the trace, its caller adds
 * to it and ends it.  NULL: a second point of that name. */
struct source *trace_add_given(struct trace *t, const char *name, const char *label,
                               struct err *err);
/* Reads all sources to their end and hands out what the sinks ask for, each call as it ends.  False
 * on an error of the environment (err says which source). */
bool trace_run(struct trace *t, const struct trace_sinks *sinks, struct err *err);
/* Valid until the next message: points by HEP come as their agents are met, after the others. */
size_t trace_points(const struct trace *t, const struct trace_point **points);
bool trace_is_live(const struct trace *t); /* one of the sources at least is */
/* During trace_run, from the watch or a sink. */
void trace_live_stats(const struct trace *t, struct trace_live_stats *out);
/* The same in steps, for who has something else to do meanwhile: begin, steps of at most so many
 * frames until they say OVER or FAILED, end.  Further sources may
 * be added between begin and end. */
bool trace_run_begin(struct trace *t, const struct trace_sinks *sinks, struct err *err);
enum trace_step trace_run_step(struct trace *t, uint32_t frames, struct err *err);
bool trace_run_end(struct trace *t, struct err *err);
/* The capture filter where it was widened to later IP fragments; else NULL. */
const char *trace_widened_filter(const struct trace *t);
/* Valid until the next call of a function of t. */
size_t trace_nodes(struct trace *t, const struct trace_node **nodes);
size_t trace_notices(struct trace *t, const struct trace_notice **notices);
/* Called now and then during trace_run with what was read of what there is (total 0: not known). */
typedef void trace_progress(void *context, uint64_t bytes_read, uint64_t bytes_total);
void trace_set_progress(struct trace *t, trace_progress *progress, void *context);
void trace_set_watch(struct trace *t, const struct trace_watch *watch);
void trace_free(struct trace *t);

/* ---- browsing --------------------------------------------------------------------------------
 * The calls are kept and built when they are looked at, their messages read again from the sources.
 * Instead of trace_run: trace_browse, then steps, between which all else may be asked. */

bool trace_browse(struct trace *t, struct err *err);
/* Reads at most so many frames. */
enum trace_step trace_browse_step(struct trace *t, uint32_t frames, struct err *err);
void trace_browse_stop(struct trace *t); /* what was not read until now is left aside */

struct trace_load {
    uint64_t bytes_read, bytes_total; /* 0: not known */
    uint64_t frames, messages, retransmissions;
    uint64_t undecrypted; /* TLS connections */
    uint64_t lost; /* frames that the kernel dropped, streams' holes, datagrams not complete */
    uint64_t unreadable; /* messages that could not be read again when they were looked at */
    uint64_t evicted;    /* calls dropped at trace_options.memory */
    bool stopped;
};
void trace_load(const struct trace *t, struct trace_load *out);

/* Calls are numbered from 0 in the order in which they appeared.  A number stays the call's; what
 * was joined to another call, or dropped, is no call any more. */
uint32_t trace_call_count(const struct trace *t);
bool trace_call_is(const struct trace *t, uint32_t call);
/* Which call it is now: itself, or the one that it was joined to; UINT32_MAX: it was dropped. */
uint32_t trace_call_now(const struct trace *t, uint32_t call);
uint32_t trace_call_messages(const struct trace *t, uint32_t call); /* changes as the call does */
void trace_call_summary(const struct trace *t, uint32_t call, struct arena *a,
                        struct call_summary *out);
/* A further header whose values call_summary is to have, behind those of trace_options.wants; its
 * names are borrowed.  Calls that are there already are asked for it one by one. */
void trace_want(struct trace *t, const struct call_want *want);
/* Reads what the call's messages have of it; false: that was done before. */
bool trace_call_ask(struct trace *t, uint32_t call);
/* What the filter makes of the messages of the call; those that were looked at before are not
 * looked at again.  Looks at about *budget messages, fewer where they are read, and takes them off
 * it; false: there are more to look at.  With another filter all begins anew. */
bool trace_call_look(struct trace *t, uint32_t call, const struct trace_filter *f, uint32_t *budget,
                     struct trace_marks *out);
void trace_look_anew(struct trace *t);
/* The call with all its messages, those after `wanted` if that is given; in the arena, but for
 * names and index records, which are valid until the next step. */
const struct hop_call *trace_call_open(struct trace *t, uint32_t call, struct arena *a,
                                       hop_wanted *wanted, const void *wanted_context);
/* The same with a part of its messages, however many there are. */
const struct hop_call *trace_call_part(struct trace *t, uint32_t call, struct arena *a,
                                       const struct hop_span *span);

/* ---- media -----------------------------------------------------------------------------------
 * What a call's messages say in SDP, and the RTP streams that were seen at those addresses.  They
 * are watched where trace_options.media says so, from the message that names them on. */

#define TRACE_MEDIA_PLACES     65536u  /* addresses of SDP; beyond, the longest unnamed one goes */
#define TRACE_MEDIA_STREAMS    131072u /* streams at them; further ones are counted */
#define TRACE_MEDIA_STREAMS_AT 64u     /* of them at one address */
#define TRACE_CALL_MEDIA_MAX   256u    /* of one call that are listed */
#define TRACE_CALL_STREAMS_MAX 256u

/* A media description; once for each address, and again where it is put on hold or taken back. */
struct trace_media {
    uint32_t sighting; /* the first message that says so */
    int64_t time_ns;
    struct endpoint said_by;   /* who sent that */
    struct endpoint rtp, rtcp; /* where it is received; rtp.port 0: refused, or ended */
    struct slice kind;         /* "audio" */
    struct slice protocol;     /* "RTP/AVP" */
    struct slice codec;        /* the preferred one, "PCMU/8000"; empty: not known */
    enum sip_media_direction direction;
    bool hold;
};

/* An RTP stream as one point saw it. */
struct trace_stream {
    uint32_t point;
    struct endpoint src, dst;
    uint32_t ssrc;
    uint8_t payload_type; /* of its first packet */
    struct slice kind;
    struct slice codec; /* empty: not known */
    uint64_t packets, bytes;
    uint64_t lost;      /* by their numbers (RFC 3550 A.3) */
    bool has_jitter;    /* the codec's clock is known */
    uint32_t jitter_us; /* RFC 3550 6.4.1 */
    int64_t first_ns, last_ns;
};

struct trace_call_media {
    const struct trace_media *media; /* in order of their messages */
    size_t media_count;
    const struct trace_stream *streams; /* in order of time */
    size_t stream_count;
    uint64_t left_out; /* beyond the limits above */
};

/* In the arena, but for text, which is that of the call's messages. */
void trace_call_media(struct trace *t, const struct hop_call *call, struct arena *a,
                      struct trace_call_media *out);

/* ---- frames again ----------------------------------------------------------------------------
 * The frames that messages came in, to be saved: read again from files, and from what is kept of
 * other sources. */

#define TRACE_SECRETS_MAX   65536u                /* lines of TLS secrets remembered, */
#define TRACE_SECRETS_BYTES (16u * 1024u * 1024u) /* of so many bytes; the older half goes */

struct trace_choice;

struct trace_choice *trace_choice_new(struct trace *t);
void trace_choice_free(struct trace_choice *c); /* NULL is allowed */
/* All frames of a call, of its TLS connections from their beginning on, and with its media. */
void trace_choice_call(struct trace_choice *c, const struct hop_call *call, bool media);
void trace_choice_message(struct trace_choice *c, const struct hop_sighting *s);
void trace_choice_all(struct trace_choice *c, bool media); /* whatever carries SIP */
/* Lines of a key log with the secrets of the chosen TLS connections. */
void trace_choice_secrets(const struct trace_choice *c, struct text *out);
/* A frame that is kept is handed out once, whatever is chosen later; not for trace_choice_all. */
void trace_choice_once(struct trace_choice *c);
/* Adds the lines of all secrets that came after the first `from`; returns how many there are. */
size_t trace_secrets_since(const struct trace *t, size_t from, struct text *out);
bool trace_choice_takes(struct trace_choice *c, const struct trace_frame *frame);
/* Hands out the chosen frames; those of one source in its order.  False: a file cannot be read. */
bool trace_frames(struct trace *t, struct trace_choice *c, trace_frame_sink *sink, void *context,
                  struct err *err);
uint64_t trace_choice_missing(const struct trace_choice *c); /* not there any more */

struct trace_spool_stats {
    uint64_t frames, bytes; /* held */
    uint64_t evicted;       /* let go of at the limit */
    uint64_t lost;          /* that could not be written */
};
void trace_kept(const struct trace *t, struct trace_spool_stats *out);

/* Writes frames to a capture: an interface for each point and link type, made as it is needed.
 * Messages without a frame (of logs) go as UDP packets. */
struct trace_writer;

/* fd now belongs to it. */
struct trace_writer *trace_writer_new(struct trace *t, enum capture_format format, int fd,
                                      const char *label);
bool trace_writer_frame(struct trace_writer *w, const struct trace_frame *frame,
                        const struct slice *comments, size_t comment_count, struct err *err);
struct capture_out *trace_writer_out(struct trace_writer *w);
/* At the end, where it is known (pcapng): what came and what the kernel dropped, by interface. */
void trace_writer_counts(struct trace_writer *w);
/* As capture_out_close. */
bool trace_writer_close(struct trace_writer *w, bool sync, uint64_t *left, struct err *err);

#endif

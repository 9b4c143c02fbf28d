/* Private to trace/. */
#ifndef TRACE_INTERNAL_H
#define TRACE_INTERNAL_H

#include "trace/media.h"
#include "trace/relay.h"
#include "trace/select.h"
#include "trace/spool.h"
#include "trace/trace.h"

/* A point while it is read: its source, its decoder, and the frame that comes next. */
struct trace_input {
    struct trace *trace;
    uint16_t point;
    char *name, *path;
    char *only; /* of a recording of several points: this one's name there; NULL: all of it */
    struct source *source;
    struct packet_decoder *decoder;
    struct trace_select *select; /* NULL: nobody asks for frames */
    struct source_frame frame;
    struct source_message message;    /* of the frame, where it has one */
    bool ready;                       /* frame is filled */
    bool waiting;                     /* a live source that had nothing */
    int64_t asked_ns;                 /* when it said so, as time of day */
    bool shifted;                     /* live: shift_ns is known */
    int64_t shift_ns;                 /* from its clock to the clock of the run */
    int64_t seen_ns;                  /* live: time of its last frame, by its own clock */
    size_t host_addresses;            /* of source_host_addresses, handed on so far */
    size_t secrets;                   /* of source_secrets, likewise */
    VEC(struct packet_hidden) hidden; /* as far as the thread that files was told */
};

VEC_TYPE(trace_notices, struct trace_notice);

/* A call while it is browsed: the legs that were joined under the one that appeared first. */
struct trace_entry {
    uint32_t leg;  /* CALL_NONE: dropped */
    uint32_t into; /* another entry: it is part of that */
    const uint32_t *legs;
    uint32_t leg_count;
    struct slice how;
    uint32_t learned; /* messages that it had when it was learned of while it went on */
};

VEC_TYPE(trace_entries, struct trace_entry);

/* What a filter has seen of a leg. */
struct trace_looked {
    struct trace_marks marks;
    bool any;          /* of its messages were looked at, */
    uint32_t sighting; /* this one last (browsing) */
};

VEC_TYPE(trace_looked_list, struct trace_looked);

/* Browsing: nothing of it is used else. */
struct trace_browse {
    bool on, over, stopped;
    struct trace_entries entries;
    VEC(uint32_t) of_leg; /* entry of each leg */
    struct arena arena;   /* of joined legs */
    uint64_t evicted;
};

/* A live run: what was reported of the call that each leg is of. */
struct trace_told {
    uint64_t number; /* 0: nothing */
    uint64_t digest;
    enum check_verdict verdict;
};

struct trace_live {
    int64_t now_ns;    /* by the clocks of the sources */
    int64_t idle_from; /* source_clock_ms when all sources had nothing; 0: some has */
    int64_t idle_ns;   /* now_ns then */
    int64_t shown_ms, looked_ms;
    uint32_t frames;   /* since the clock was looked at */
    uint64_t renewals; /* of the nodes */
    uint64_t leaps;    /* of a source's clock */
    VEC(struct trace_told) told;
    uint64_t reported, corrected;
};

/* TLS secrets that were used: what others need to read the frames. */
struct trace_secrets {
    VEC(struct packet_secret) items; /* their lines are copies */
    struct map index;                /* by line */
    size_t bytes;
    uint64_t forgotten; /* the oldest, at a limit */
};

struct trace {
    struct trace_options options;
    struct trace_sinks sinks;
    struct hash_key key;
    struct packet_keys *keys;
    VEC(struct trace_input *) inputs;
    VEC(struct trace_point) points;
    VEC(struct trace_input *) point_inputs; /* of each point */
    struct map agent_index;                 /* points by HEP */
    uint32_t agents;
    uint32_t members;         /* sources that came of others */
    uint64_t agents_left_out; /* messages of agents beyond TRACE_HEP_POINTS_MAX */
    struct arena names;       /* of points by HEP */
    uint64_t members_left_out;
    struct sip_scanner *scanner;
    struct trace_relay *relay; /* NULL: one thread does it all */
    bool fed;                  /* how the thread that reads ended, and why */
    struct err feed_error;
    _Atomic uint64_t bytes_done, bytes_total; /* read, for progress */
    uint64_t bytes_shown;
    struct call_table *calls;
    struct hop_nodes *nodes;
    struct hop_joiner *joiner;
    struct media_table *media; /* NULL: it is not watched */
    struct trace_spool *spool; /* NULL: frames are not kept */
    struct trace_secrets secrets;
    struct arena arena;   /* of answers to the caller */
    struct arena scratch; /* of one call */
    struct trace_notices notices;
    struct trace_looked_list looked; /* of each leg, where a filter asks its messages */
    struct err read_error;           /* a source that changed while it was read */
    bool ending;                     /* everything was read */
    size_t waiting;                  /* inputs that are */
    struct trace_browse browse;
    struct trace_live live;
    bool stopping; /* the live ones were told to end */
    bool keys_borrowed;
    uint64_t unreadable; /* messages whose bytes could not be read again */
    uint64_t left_out;   /* sightings beyond hop's limits */
    trace_progress *progress;
    void *progress_context;
    struct trace_watch watch;
    uint32_t frames_since_progress;
};

/* Messages are followed over their sightings: their bytes are read again. */
static inline bool trace_follows(const struct trace *t)
{
    return t->sinks.check || t->sinks.flow || t->browse.on;
}

/* read.c */
bool trace_feed(struct trace *t, struct err *err);
/* The same in steps. */
bool trace_feed_begin(struct trace *t, struct err *err);
enum trace_step trace_feed_some(struct trace *t, uint32_t frames, struct err *err);
void trace_feed_end(struct trace *t);
/* A source that was added after the beginning. */
bool trace_feed_join(struct trace *t, struct trace_input *in, struct err *err);
/* What the captures say of their hosts goes to the nodes. */
void trace_learn_hosts(struct trace *t);
/* By the thread that files. */
void trace_show_progress(struct trace *t);

/* feed.c */
void trace_payload(void *context, const struct packet_payload *payload);
void trace_file(void *input, const struct packet_payload *payload, const struct sip_message *m);
void trace_hidden(void *context, const struct packet_hidden *hidden);
void trace_file_hidden(void *input, const struct packet_hidden *hidden);
size_t trace_stream(void *context, const struct packet_window *window);
void trace_segment(void *context, const struct packet_segment *segment);

/* trace.c: the input's source once more, in another trace */
bool trace_add_like(struct trace *t, const struct trace_input *in, struct err *err);

/* frames.c */
bool trace_can_reread(const struct trace_input *in); /* its source can be opened again */

/* media_call.c: when its media can be its own */
void trace_call_time(const struct hop_call *call, int64_t *from_ns, int64_t *to_ns);

/* choice.c */
/* Where they are handed out once: what is chosen is wanted of the spool. */
bool trace_choice_once_from(struct trace_choice *c, struct trace_spool *s);
void trace_secret(void *input, const struct packet_secret *secret);
void trace_secrets_free(struct trace_secrets *s);

/* trace.c: a source that came of another */
bool trace_join(struct trace *t, struct source *s, struct slice name, struct err *err);

/* points.c */
bool trace_take_members(struct trace *t, struct trace_input *in, struct err *err);
void trace_point_of_source(struct trace *t, struct trace_input *in);
uint16_t trace_point_of(struct trace *t, struct trace_input *in, const struct packet_payload *p);
void trace_points_begin(struct trace *t);
void trace_points_end(struct trace *t);

/* judge.c: the call table's events */
void trace_leg_over(void *context, uint32_t leg);
bool trace_leg_retire(void *context, uint32_t leg);
/* A call of legs that belong together. */
void trace_learn_joints(struct trace *t, const uint32_t *legs, size_t n);
struct hop_call *trace_build(struct trace *t, struct arena *a, const uint32_t *legs, size_t n,
                             struct slice how, const struct hop_source *source);
bool trace_read_bytes(void *context, const struct call_sighting *s, struct arena *a,
                      struct slice *bytes);

/* live.c */
void trace_live_begin(struct trace *t);
void trace_live_frame(struct trace *t, struct trace_input *in); /* it is to be decoded */
void trace_live_wait(struct trace *t);                          /* nothing is there */
int trace_live_patience(const struct trace *t, int usual_ms);   /* how long to wait then */
void trace_live_judge(struct trace *t, const uint32_t *legs, size_t n, const struct hop_call *call);
void trace_live_let_go(void *trace, uint32_t leg);
bool trace_live_has_enough(const struct trace *t);

/* choose.c: what trace_options.filter makes of messages and calls */
void trace_choose_saw(struct trace *t, uint32_t leg, const struct trace_message *m);
bool trace_choose_call(struct trace *t, const uint32_t *legs, size_t n);
void trace_choose_forget(struct trace *t, uint32_t leg);

/* browse.c */
void trace_browse_saw(struct trace *t, uint32_t leg);  /* a message of it was filed */
void trace_browse_join(struct trace *t, uint32_t leg); /* it is over */
void trace_browse_free(struct trace_browse *b);

/* trace.c */
bool trace_begin(struct trace *t, uint32_t waiting_max, struct err *err);
bool trace_nodes_begin(struct trace *t, struct err *err); /* with what the options say of them */

/* notice.c */
void trace_collect_notices(struct trace *t);

#endif

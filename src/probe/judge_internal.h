/* Private to judge*.c. */
#ifndef PROBE_JUDGE_INTERNAL_H
#define PROBE_JUDGE_INTERNAL_H

#include "probe/probe.h"

/* A step of a call as the log numbers calls. */
struct probe_judge_key {
    uint32_t call, step;
    uint16_t status;     /* of its message; 0: a request */
    struct slice method; /* likewise: ACK and CANCEL of an INVITE are of its step, too */
};

struct probe_judge_place {
    struct probe_judge_key key;
    struct slice seen_last; /* on the way; empty: nowhere, or it arrived */
};

/* A node through which a point on the way saw a message go. */
struct probe_judge_pass {
    struct slice point, node;
};

struct probe_judge {
    const struct probe_script *script;
    bool mine[PROBE_ENDS];
    struct arena arena, scratch;
    struct sip_scanner *scanner;
    struct source *sources[PROBE_ENDS];
    VEC(struct probe_judge_key) frames[PROBE_ENDS]; /* of each message given to a source */
    VEC(struct report_probe_row) rows;
    VEC(struct probe_judge_key) keys;                       /* of each row */
    struct report_probe_column columns[2 * PROBE_MESSAGES]; /* `message` empty: not used */
    VEC(struct report_probe_step) steps;
    VEC(struct probe_judge_place) places; /* of each of these */
    VEC(struct probe_judge_pass) passes;  /* each pair once */
    VEC(struct slice) notes;
    uint64_t calls, not_made, reached, stopped, sent, received, rows_left_out;
    int64_t began_ns, ended_ns;
};

/* judge_rows.c: the rows of a call */
void probe_judge_rows(struct probe_judge *j, const struct probe_call_result *result,
                      const struct probe_log *log);
/* "BYE", "re-INVITE", "200 to INVITE": a step as people call it. */
struct slice probe_step_name(struct arena *a, const struct probe_call_plan *plan, uint32_t step);

#endif

/* Findings in words: what, where, who. */
#include "check/internal.h"

struct slice check_message_name(struct arena *a, const struct check_request *r)
{
    if (!r->status)
        return r->method;
    return arena_printf(a, "%.*s %u", SLICE_ARG(r->method), r->status);
}

static void add_evidence(struct check_work *w, struct check_finding *f, const struct hop_journey *j,
                         size_t step)
{
    if (!j || step >= j->step_count)
        return;
    const struct hop_sighting *s = j->steps[step].sighting;
    struct check_evidence *list = (struct check_evidence *)(uintptr_t)f->evidence;
    list[f->evidence_count++] = (struct check_evidence){
        slice_of(hop_point_name(w->call->nodes, s->index->point)), s->index->frame};
}

static enum check_severity severity_of(enum check_finding_id id)
{
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    return kinds[id].severity;
}

static void find_as(struct check_work *w, enum check_finding_id id, enum check_severity severity,
                    const struct check_request *r, struct slice header, struct slice node,
                    struct slice message, const struct hop_journey *j, size_t good, size_t bad)
{
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    struct check_finding f = {.id = kinds[id].id,
                              .severity = severity,
                              .header = header,
                              .node = node,
                              .message = message,
                              .evidence = ARENA_ARRAY(w->arena, struct check_evidence, 2)};
    if (r)
        f.method = check_message_name(w->arena, r);
    add_evidence(w, &f, j, good);
    add_evidence(w, &f, j, bad);
    w->failed |= f.severity == CHECK_ERROR;
    *vec_add(&w->findings) = f;
}

void check_find(struct check_work *w, enum check_finding_id id, const struct check_request *r,
                struct slice header, struct slice node, struct slice message,
                const struct hop_journey *j, size_t good, size_t bad)
{
    find_as(w, id, severity_of(id), r, header, node, message, j, good, bad);
}

void check_find_at(struct check_work *w, enum check_finding_id id, struct slice node,
                   struct slice message, const struct check_evidence *evidence)
{
    find_as(w, id, severity_of(id), NULL, SLICE_NONE, node, message, NULL, 0, 0);
    struct check_finding *f = &w->findings.items[w->findings.n - 1];
    *(struct check_evidence *)(uintptr_t)f->evidence = *evidence;
    f->evidence_count = 1;
}

void check_find_rule(struct check_work *w, enum check_finding_id id, const struct expect_rule *rule,
                     const struct check_request *r, struct slice header, struct slice node,
                     struct slice message, const struct hop_journey *j, size_t good, size_t bad)
{
    static const enum check_severity severities[] = {
        [EXPECT_ERROR] = CHECK_ERROR, [EXPECT_WARNING] = CHECK_WARNING, [EXPECT_NOTE] = CHECK_NOTE};
    enum check_severity severity =
        id == FINDING_RULE_NOT_JUDGED ? severity_of(id) : severities[rule->severity];
    find_as(w, id, severity, r, header, node, message, j, good, bad);
    w->findings.items[w->findings.n - 1].rule = rule;
}

struct slice check_journey_name(struct arena *a, const struct hop_journey *j)
{
    if (!j->status)
        return j->method_name;
    return arena_printf(a, "%.*s %u", SLICE_ARG(j->method_name), j->status);
}

void check_find_step(struct check_work *w, enum check_finding_id id, enum check_severity severity,
                     const struct hop_journey *j, size_t step, struct slice header,
                     struct slice node, struct slice message)
{
    find_as(w, id, severity, NULL, header, node, message, j, j->step_count, step);
    w->findings.items[w->findings.n - 1].method = check_journey_name(w->arena, j);
}

/* ---- headers -------------------------------------------------------------------------------- */

static void add_candidates(struct text *t, const struct check_guilty *g)
{
    for (size_t i = 0; i < g->candidate_count; i++) {
        text_add(t, i ? SLICE(", ") : SLICE("; candidates: "));
        text_add(t, g->candidates[i]);
    }
}

/* "by kam1 (10.0.1.1 in, 10.0.2.1 out)", "between livekit:out and five9:in; candidates: ...",
 * "before ..." */
static void add_guilty(struct text *t, const struct check_guilty *g, const char *by)
{
    if (g->node.n) {
        text_printf(t, " %s %.*s", by, SLICE_ARG(g->node));
        if (g->in.n && g->out.n)
            text_printf(t, " (%.*s in, %.*s out)", SLICE_ARG(g->in), SLICE_ARG(g->out));
        return;
    }
    if (g->after.n)
        text_printf(t, " between %.*s and %.*s", SLICE_ARG(g->after), SLICE_ARG(g->before));
    else
        text_printf(t, " before %.*s", SLICE_ARG(g->before));
    add_candidates(t, g);
}

static const struct wording {
    enum check_finding_id id;
    const char *words;
} wordings[] = {
    [CHECK_NEVER_SENT] = {FINDING_HEADER_NEVER_SENT, "was never sent"},
    [CHECK_STRIPPED] = {FINDING_HEADER_STRIPPED, "was stripped"},
    [CHECK_ALTERED] = {FINDING_HEADER_ALTERED, "was altered"},
    [CHECK_TRUNCATED] = {FINDING_HEADER_TRUNCATED, "was truncated"},
    [CHECK_ENCODED] = {FINDING_HEADER_ENCODED, "was percent-encoded"},
    [CHECK_EMPTIED] = {FINDING_HEADER_EMPTIED, "was emptied"},
    [CHECK_DUPLICATED] = {FINDING_HEADER_DUPLICATED, "was duplicated"},
    [CHECK_MISSING] = {FINDING_HEADER_MISSING, "was absent already"},
    [CHECK_UNKNOWN] = {FINDING_HEADER_UNKNOWN, "was not captured far enough to be judged"},
};

static struct slice word_harm(struct check_work *w, const struct check_request *r,
                              const struct check_header *h)
{
    struct text t = {0};
    text_add(&t, h->name);
    text_printf(&t, " on ");
    text_add(&t, check_message_name(w->arena, r));
    text_printf(&t, " %s", wordings[h->verdict].words);
    if (h->guilty.any)
        add_guilty(&t, &h->guilty, "by");
    return text_keep(&t, w->arena);
}

/* Owed and absent at its start, or a loss on the way: as the verdict says.  What nothing promises
 * is a note. */
void check_find_header(struct check_work *w, const struct check_request *r,
                       const struct hop_journey *j, const struct check_header *h)
{
    size_t good, bad;
    check_header_harm(h, j->step_count, &good, &bad);
    if (h->verdict == CHECK_OK) {
        if (h->states[0] == CHECK_STATE_MISSING)
            check_find(w, FINDING_HEADER_ADDED, r, h->name, SLICE_NONE,
                       arena_printf(w->arena, "%.*s on %.*s was added on the way",
                                    SLICE_ARG(h->name), SLICE_ARG(check_message_name(w->arena, r))),
                       j, 0, j->step_count);
        return;
    }
    bool absent = h->verdict == CHECK_NEVER_SENT || h->verdict == CHECK_MISSING;
    if (absent && !h->expected) {
        check_find(w, FINDING_HEADER_NOT_SET, r, h->name, SLICE_NONE,
                   arena_printf(w->arena, "%.*s was not set on %.*s; it may be, and need not",
                                SLICE_ARG(h->name), SLICE_ARG(check_message_name(w->arena, r))),
                   j, good, bad);
        return;
    }
    enum check_finding_id id = wordings[h->verdict].id;
    find_as(w, id, h->expected ? severity_of(id) : CHECK_NOTE, r, h->name, h->guilty.node,
            word_harm(w, r, h), j, good, bad);
}

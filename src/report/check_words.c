/* What is wrong with a message, in words: headers that came to the same harm by the same hand share
 * a sentence. */
#include "report/internal.h"

#define LABEL_COLUMNS 6

/* ---- lines ----------------------------------------------------------------------------------- */

void report_add_line(struct text *out, const struct report_style *style, size_t indent,
                     struct slice words)
{
    report_add_spaces(out, indent);
    report_add_wrapped(out, indent, indent + 2, report_width(style), words);
    text_add_char(out, '\n');
}

void report_add_labelled(struct text *out, const struct report_style *style,
                         enum report_colour colour, const char *label, struct slice words)
{
    report_add_coloured(out, style, colour, slice_of(label));
    report_add_spaces(out, LABEL_COLUMNS - slice_of(label).n);
    report_add_wrapped(out, LABEL_COLUMNS, LABEL_COLUMNS, report_width(style), words);
    text_add_char(out, '\n');
}

bool report_sentence_known(const struct report_sentence *s)
{
    return s->known || (s->finding && s->finding->known);
}

const char *report_sentence_label(const struct report_sentence *s)
{
    static const char *const labels[] = {
        [CHECK_ERROR] = "FAIL", [CHECK_WARNING] = "WARN", [CHECK_NOTE] = "note"};
    return s->pass                    ? "PASS"
           : s->open                  ? "OPEN"
           : report_sentence_known(s) ? "same"
                                      : labels[s->severity];
}

void report_add_sentences(struct text *out, const struct report_style *style,
                          const struct report_sentences *list)
{
    static const enum report_colour colours[] = {
        [CHECK_ERROR] = REPORT_RED, [CHECK_WARNING] = REPORT_YELLOW, [CHECK_NOTE] = REPORT_PLAIN};
    for (size_t i = 0; i < list->n; i++) {
        const struct report_sentence *s = &list->items[i];
        enum report_colour colour = s->pass                    ? REPORT_GREEN
                                    : report_sentence_known(s) ? REPORT_PLAIN
                                                               : colours[s->severity];
        report_add_labelled(out, style, colour, report_sentence_label(s), s->words);
    }
}

struct slice report_request_name(struct arena *a, const struct check_request *r)
{
    return r->status ? ARENA_JOIN(a, arena_printf(a, "%u to ", r->status), r->method) : r->method;
}

/* ---- findings of a header -------------------------------------------------------------------- */

struct slice report_message_name(struct arena *a, const struct check_request *r)
{
    return r->status ? ARENA_JOIN(a, r->method, arena_printf(a, " %u", r->status)) : r->method;
}

bool report_is_about(struct arena *a, const struct check_finding *f, const struct check_request *r)
{
    return slice_equal(f->method, report_message_name(a, r));
}

bool report_is_not_set(const struct check_header *h)
{
    return !h->expected && (h->verdict == CHECK_NEVER_SENT || h->verdict == CHECK_MISSING);
}

/* "header-stripped" of a header that is `stripped` */
static bool tells_verdict(const struct check_finding *f, const struct check_header *h)
{
    struct slice id = slice_of(f->id), prefix = SLICE("header-");
    const char *verdict = report_is_not_set(h) ? "not-set" : check_header_verdict_name(h->verdict);
    return slice_equal(f->header, h->name) && slice_starts(id, prefix) &&
           slice_is(slice_from(id, prefix.n), verdict);
}

const struct check_finding *report_finding_of(struct arena *a, const struct check_call *c,
                                              const struct check_request *r,
                                              const struct check_header *h)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (tells_verdict(&c->findings[i], h) && report_is_about(a, &c->findings[i], r))
            return &c->findings[i];
    return NULL;
}

static enum check_severity severity_of(struct arena *a, const struct check_call *c,
                                       const struct check_request *r, const struct check_header *h)
{
    const struct check_finding *f = report_finding_of(a, c, r, h);
    if (f)
        return f->severity;
    return h->verdict == CHECK_UNKNOWN ? CHECK_WARNING : h->expected ? CHECK_ERROR : CHECK_NOTE;
}

static bool is_known(struct arena *a, const struct check_call *c, const struct check_request *r,
                     const struct check_header *h)
{
    const struct check_finding *f = report_finding_of(a, c, r, h);
    return f && f->known;
}

/* ---- sentences ------------------------------------------------------------------------------- */

/* What a node does to headers, and what becomes of them on a stretch. */
static const struct {
    const char *active, *passive;
} verbs[] = {
    [CHECK_STRIPPED] = {"strips", "lost"},
    [CHECK_ALTERED] = {"alters", "altered"},
    [CHECK_TRUNCATED] = {"truncates", "truncated"},
    [CHECK_ENCODED] = {"percent-encodes", "percent-encoded"},
    [CHECK_EMPTIED] = {"empties", "emptied"},
    [CHECK_DUPLICATED] = {"duplicates", "duplicated"},
    [CHECK_MISSING] = {"does not pass on", "lost"},
    [CHECK_NEVER_SENT] = {"does not send", "not sent"},
};

static void add_node(struct text *t, const struct check_guilty *g)
{
    text_add(t, g->node);
    if (g->in.n && g->out.n && !slice_equal(g->in, g->out)) {
        text_add(t, SLICE(" ("));
        text_add(t, g->in);
        text_add(t, SLICE(" in, "));
        text_add(t, g->out);
        text_add(t, SLICE(" out)"));
    } else if (g->in.n || g->out.n) {
        struct slice address = g->in.n ? g->in : g->out;
        if (slice_equal(address, g->node))
            return;
        text_add(t, SLICE(" ("));
        text_add(t, address);
        text_add(t, SLICE(")"));
    }
}

/* What would tell more: what mends a sighting that has not all of the header, if there is one. */
static void add_advice(struct text *t, const struct check_guilty *g, struct slice mend)
{
    text_add(t, g->candidate_count == 1 ? SLICE("; candidate ") : SLICE("; candidates "));
    for (size_t i = 0; i < g->candidate_count; i++) {
        text_add(t, i ? SLICE(", ") : SLICE(""));
        text_add(t, g->candidates[i]);
    }
    text_add(t, SLICE("; "));
    text_add(t, mend.n                    ? mend
                : g->candidate_count == 1 ? SLICE("a capture on it")
                                          : SLICE("a capture on one of them"));
    text_add(t, SLICE(" would settle it"));
}

static void add_stretch(struct text *t, const struct check_guilty *g, struct slice mend)
{
    bool both = g->after.n && g->before.n;
    text_add(t, both ? SLICE("between ") : g->before.n ? SLICE("before ") : SLICE("after "));
    text_add(t, g->after);
    text_add(t, both ? SLICE(" and ") : SLICE(""));
    text_add(t, g->before);
    if (g->candidate_count)
        add_advice(t, g, mend);
    else if (both)
        text_add(t, SLICE(", where no other node is known"));
}

static bool was_captured(const struct check_request *r, struct slice node)
{
    for (size_t i = 0; i < r->sighting_count; i++)
        if (slice_equal(r->sightings[i].point, node) && slice_equal(r->sightings[i].node, node))
            return true;
    return false;
}

/* Captures that would tell more, where others than those of the candidates would; else empty. */
static struct slice mend_of(const struct check_request *r, const struct check_header *h)
{
    size_t captured = 0;
    for (size_t i = 0; i < r->sighting_count; i++)
        if (h->states[i] == CHECK_STATE_CUT)
            return r->sightings[i].state == SIP_CUT ? SLICE("captures with a longer snap length")
                                                    : SLICE("captures that miss no packet");
    for (size_t i = 0; i < h->guilty.candidate_count; i++)
        captured += was_captured(r, h->guilty.candidates[i]);
    return captured > 1 && captured == h->guilty.candidate_count
               ? SLICE("captures in which what passes between them can be read")
               : SLICE("");
}

static bool same_guilt(const struct check_header *a, const struct check_header *b)
{
    const struct check_guilty *g = &a->guilty, *h = &b->guilty;
    if (a->verdict != b->verdict || g->any != h->any || g->candidate_count != h->candidate_count)
        return false;
    for (size_t i = 0; i < g->candidate_count; i++)
        if (!slice_equal(g->candidates[i], h->candidates[i]))
            return false;
    return slice_equal(g->node, h->node) && slice_equal(g->in, h->in) &&
           slice_equal(g->out, h->out) && slice_equal(g->after, h->after) &&
           slice_equal(g->before, h->before);
}

/* A group: the headers that share verdict, guilt and severity with one of them. */
struct group {
    const struct check_call *call;
    const struct check_request *request;
    const struct check_header *header; /* the first of them */
    enum check_severity severity;
    struct slice names; /* "X-A, X-B" */
    size_t count;
    size_t of; /* headers that are owed on the message, or followed where none is */
};

static bool in_group(struct arena *a, const struct group *g, const struct check_header *h)
{
    return same_guilt(g->header, h) && severity_of(a, g->call, g->request, h) == g->severity &&
           is_known(a, g->call, g->request, h) == is_known(a, g->call, g->request, g->header);
}

static struct group group_of(struct arena *a, const struct check_call *c,
                             const struct check_request *r, size_t first)
{
    struct group g = {.call = c, .request = r, .header = &r->headers[first]};
    struct text names = {0};
    g.severity = severity_of(a, c, r, g.header);
    for (size_t i = 0; i < r->header_count; i++) {
        g.of += !r->headers[i].by_rule && r->headers[i].expected == g.header->expected;
        if (r->headers[i].by_rule || !in_group(a, &g, &r->headers[i]))
            continue;
        text_add(&names, g.count++ ? SLICE(", ") : SLICE(""));
        text_add(&names, r->headers[i].name);
    }
    g.names = text_keep(&names, a);
    return g;
}

static bool is_first_of_group(struct arena *a, const struct check_call *c,
                              const struct check_request *r, size_t i)
{
    struct group g = {.call = c, .request = r, .header = &r->headers[i]};
    g.severity = severity_of(a, c, r, g.header);
    for (size_t k = 0; k < i; k++)
        if (!r->headers[k].by_rule && in_group(a, &g, &r->headers[k]))
            return false;
    return true;
}

/* " sends BYE without 7 of 7 headers", " sends BYE with 1 of 7 headers altered" */
static void add_sender(struct text *t, const struct group *g, struct slice message)
{
    bool without = g->header->verdict == CHECK_NEVER_SENT;
    text_add(t, SLICE(" sends "));
    text_add(t, message);
    text_printf(t, " %s %zu of %zu header%s", without ? "without" : "with", g->count, g->of,
                g->of == 1 ? "" : "s");
    if (!without)
        text_printf(t, " %s", verbs[g->header->verdict].passive);
}

/* "kam1 (10.0.1.1 in, 10.0.2.1 out) strips 1 of 7 headers from BYE: X-Five9-Queue" */
static struct slice sentence(struct arena *a, const struct group *g)
{
    const struct check_guilty *guilty = &g->header->guilty;
    struct text t = {0};
    struct slice message = report_request_name(a, g->request);
    const char *plural = g->of == 1 ? "" : "s";
    if (guilty->node.n && guilty->sender) {
        add_node(&t, guilty);
        add_sender(&t, g, message);
    } else if (guilty->node.n) {
        add_node(&t, guilty);
        text_printf(&t, " %s %zu of %zu header%s ", verbs[g->header->verdict].active, g->count,
                    g->of, plural);
        text_add(&t, g->header->verdict == CHECK_STRIPPED ? SLICE("from ") : SLICE("of "));
        text_add(&t, message);
    } else {
        text_printf(&t, "%zu of %zu header%s of ", g->count, g->of, plural);
        text_add(&t, message);
        text_printf(&t, " %s %s ", g->count == 1 ? "is" : "are", verbs[g->header->verdict].passive);
        add_stretch(&t, guilty, mend_of(g->request, g->header));
    }
    text_add(&t, SLICE(": "));
    text_add(&t, g->names);
    return text_keep(&t, a);
}

/* Without a guilty one (unknown, or nothing to blame) the finding's own words serve. */
static struct slice words_of(struct arena *a, const struct group *g)
{
    const struct check_finding *f = report_finding_of(a, g->call, g->request, g->header);
    struct slice message = report_request_name(a, g->request);
    if (report_is_not_set(g->header))
        return ARENA_JOIN(a, message, SLICE(": not set, and it need not be: "), g->names);
    if (g->header->guilty.any && g->header->verdict != CHECK_UNKNOWN)
        return sentence(a, g);
    if (f && g->count == 1)
        return f->message;
    if (g->header->verdict == CHECK_UNKNOWN)
        return ARENA_JOIN(a, message, SLICE(": the captures cannot tell what became of "),
                          g->names);
    return ARENA_JOIN(a, message, SLICE(": "),
                      slice_of(check_header_verdict_name(g->header->verdict)), SLICE(": "),
                      g->names);
}

static void add_pass(struct report_sentences *out, struct arena *a, const struct check_request *r)
{
    size_t owed = 0, ok = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        owed += r->headers[i].expected && !r->headers[i].by_rule;
        ok += r->headers[i].expected && !r->headers[i].by_rule && r->headers[i].verdict == CHECK_OK;
    }
    if (owed == 0 || ok < owed || r->sighting_count == 0)
        return;
    struct slice last = r->sightings[r->sighting_count - 1].at;
    *vec_add(out) = (struct report_sentence){
        .pass = true,
        .severity = CHECK_NOTE,
        .request = r,
        .words = ARENA_JOIN(
            a, arena_printf(a, "%zu of %zu header%s of ", ok, owed, owed == 1 ? "" : "s"),
            report_request_name(a, r), SLICE(" unharmed at "), last)};
}

/* "rules bye-queue and no-internal hold on BYE" */
static void add_rules_held(struct report_sentences *out, struct arena *a,
                           const struct check_request *r)
{
    struct text t = {0};
    size_t held = 0, n = 0;
    for (size_t i = 0; i < r->rule_count; i++)
        held += r->rules[i].verdict == CHECK_PASS;
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i].verdict != CHECK_PASS)
            continue;
        text_add(&t, n == 0 ? SLICE("") : n + 1 == held ? SLICE(" and ") : SLICE(", "));
        text_add(&t, r->rules[i].rule->id);
        n++;
    }
    if (held)
        *vec_add(out) = (struct report_sentence){
            .pass = true,
            .severity = CHECK_NOTE,
            .request = r,
            .words = ARENA_JOIN(a, held == 1 ? SLICE("rule ") : SLICE("rules "), text_slice(&t),
                                held == 1 ? SLICE(" holds on ") : SLICE(" hold on "),
                                report_request_name(a, r))};
    text_free(&t);
}

void report_request_sentences(struct report_sentences *out, struct arena *a,
                              const struct check_call *c, const struct check_request *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (r->headers[i].verdict == CHECK_OK || r->headers[i].by_rule ||
            !is_first_of_group(a, c, r, i))
            continue;
        struct group g = group_of(a, c, r, i);
        *vec_add(out) = (struct report_sentence){.severity = g.severity,
                                                 .request = r,
                                                 .finding = report_finding_of(a, c, r, g.header),
                                                 .words = words_of(a, &g)};
    }
    add_pass(out, a, r);
    add_rules_held(out, a, r);
}

/* ---- all other findings ---------------------------------------------------------------------- */

bool report_is_told(struct arena *a, const struct check_call *c, const struct check_finding *f)
{
    for (size_t i = 0; i < c->request_count; i++) {
        const struct check_request *r = &c->requests[i];
        if (!r->applies && slice_is(slice_of(f->id), "nothing-owed") && report_is_about(a, f, r))
            return true;
        for (size_t k = 0; k < r->header_count; k++)
            if (r->headers[k].verdict != CHECK_OK && tells_verdict(f, &r->headers[k]) &&
                report_is_about(a, f, r))
                return true;
    }
    return false;
}

static bool same_kind(const struct check_finding *a, const struct check_finding *b)
{
    return a->header.n && b->header.n && !a->rule && !b->rule &&
           slice_equal(slice_of(a->id), slice_of(b->id)) && a->severity == b->severity &&
           a->known == b->known && slice_equal(a->method, b->method) &&
           slice_equal(a->node, b->node);
}

/* "INVITE 200: a header that may be set was absent as the message left its sender: X-A, X-B" */
static struct slice joint_words(struct arena *a, const struct check_call *c, size_t first)
{
    const struct check_finding *f = &c->findings[first];
    const struct check_kind *kinds;
    size_t n = check_kinds(&kinds), count = 0;
    struct text t = {0};
    text_add(&t, f->method);
    for (size_t i = 0; i < n; i++)
        if (slice_equal(slice_of(kinds[i].id), slice_of(f->id)))
            text_printf(&t, ": %s: ", kinds[i].title);
    for (size_t i = first; i < c->finding_count; i++)
        if (i == first || same_kind(f, &c->findings[i])) {
            text_add(&t, count++ ? SLICE(", ") : SLICE(""));
            text_add(&t, c->findings[i].header);
        }
    struct slice words = count > 1 ? arena_copy(a, text_slice(&t)) : f->message;
    text_free(&t);
    return words;
}

void report_other_sentences(struct report_sentences *out, struct arena *a,
                            const struct check_call *c)
{
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct check_finding *f = &c->findings[i];
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = !same_kind(f, &c->findings[k]);
        if (first && !report_is_told(a, c, f))
            *vec_add(out) = (struct report_sentence){
                .severity = f->severity, .finding = f, .words = joint_words(a, c, i)};
    }
}

/* "BYE sent by five9, answered 200: the far end sent it" where a finding says that nothing is owed
 */
static void add_not_owed(struct report_sentences *out, struct arena *a, const struct check_call *c,
                         const struct check_request *r)
{
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct check_finding *f = &c->findings[i];
        if (!r->applies && slice_is(slice_of(f->id), "nothing-owed") && report_is_about(a, f, r))
            *vec_add(out) = (struct report_sentence){
                .severity = f->severity,
                .request = r,
                .finding = f,
                .words = ARENA_JOIN(a, report_request_title(a, r), SLICE(": "), r->why)};
    }
}

void report_call_sentences(struct report_sentences *out, struct arena *a,
                           const struct check_call *c)
{
    for (size_t i = 0; i < c->request_count; i++) {
        add_not_owed(out, a, c, &c->requests[i]);
        if (report_is_shown(&c->requests[i]))
            report_request_sentences(out, a, c, &c->requests[i]);
    }
    report_other_sentences(out, a, c);
}

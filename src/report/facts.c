/* What all formats tell of a call and of the run, as names and values. */
#include "report/internal.h"

static struct slice or_unknown(struct slice s)
{
    return s.n ? s : SLICE("?");
}

struct slice report_call_parties(struct arena *a, const struct check_call *c)
{
    return ARENA_JOIN(a, or_unknown(c->caller), SLICE(" -> "), or_unknown(c->callee));
}

struct slice report_call_title(struct arena *a, const struct check_call *c)
{
    struct slice id = c->call_id_count ? c->call_ids[0] : SLICE("without Call-ID");
    return ARENA_JOIN(a, report_call_parties(a, c), SLICE(", call "), id);
}

struct slice report_trunk_name(struct arena *a, const struct expect_trunk *t)
{
    if (!t)
        return SLICE_NONE;
    return t->name.n && t->id.n ? ARENA_JOIN(a, t->name, SLICE(" ("), t->id, SLICE(")"))
           : t->name.n          ? t->name
           : t->id.n            ? t->id
                                : t->file;
}

static void add(struct report_facts *f, const char *name, struct slice value)
{
    if (value.n)
        f->items[f->n++] = (struct report_fact){name, value};
}

struct report_facts report_call_facts(struct arena *a, const struct report_style *style,
                                      const struct check_call *c)
{
    struct report_facts f = {.n = 0};
    add(&f, "call", arena_join_list(a, c->call_ids, c->call_id_count, SLICE(" and ")));
    add(&f, "start", arena_copy(a, slice_of(report_time_iso(style->local_time, c->start_ns).s)));
    add(&f, "direction", slice_of(c->direction));
    add(&f, "caller", c->caller);
    add(&f, "callee", c->callee);
    add(&f, "trunk", report_trunk_name(a, c->trunk));
    add(&f, "joined", c->joined);
    add(&f, "verdict", slice_of(check_verdict_name(c->verdict)));
    return f;
}

/* A sentence within another has no full stop. */
static struct slice unstopped(struct slice s)
{
    return s.n && s.p[s.n - 1] == '.' ? slice_first(s, s.n - 1) : s;
}

struct slice report_cause_text(struct arena *a, const struct check_cause *cause)
{
    struct text t = {0};
    text_printf(&t, "%s (%s): ", cause->id, check_confidence_name(cause->confidence));
    text_add(&t, unstopped(cause->message));
    if (cause->remedy.n) {
        text_add(&t, SLICE("; remedy: "));
        text_add(&t, unstopped(cause->remedy));
    }
    for (size_t i = 0; i < cause->evidence_count; i++) {
        text_add(&t, i ? SLICE(", ") : SLICE("; seen at "));
        text_add(&t, cause->evidence[i].point);
        text_printf(&t, " frame %u", cause->evidence[i].frame);
    }
    return text_keep(&t, a);
}

struct slice report_summary_text(struct arena *a, const struct report_run *run)
{
    const struct check_summary *s = run->summary;
    struct slice open = SLICE_NONE;
    if (s->inconclusive)
        open = arena_printf(a, ", %llu not judged", (unsigned long long)s->inconclusive);
    return ARENA_JOIN(a,
                      arena_printf(a, "%s: %llu call%s: %llu passed, %llu failed",
                                   check_verdict_name(run->verdict), (unsigned long long)s->calls,
                                   s->calls == 1 ? "" : "s", (unsigned long long)s->passed,
                                   (unsigned long long)s->failed),
                      open);
}

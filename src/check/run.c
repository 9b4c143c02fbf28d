/* What is found of the run as a whole. */
#include "check/pack.h"
#include "check/rule.h"

void check_find_run(struct check_summary *s, enum check_finding_id id, enum check_severity severity,
                    const struct expect_rule *rule, struct slice header, struct slice message,
                    const struct check_run_evidence *evidence, size_t evidence_count)
{
    const struct check_kind *kinds;
    (void)check_kinds(&kinds);
    struct check_run_evidence *copy =
        ARENA_ARRAY(&s->arena, struct check_run_evidence, evidence_count);
    for (size_t i = 0; i < evidence_count; i++)
        copy[i] = (struct check_run_evidence){arena_copy(&s->arena, evidence[i].call_id),
                                              arena_copy(&s->arena, evidence[i].point),
                                              evidence[i].frame};
    *vec_add(&s->findings) = (struct check_run_finding){.id = kinds[id].id,
                                                        .severity = severity,
                                                        .header = arena_copy(&s->arena, header),
                                                        .message = arena_copy(&s->arena, message),
                                                        .rule = rule,
                                                        .evidence = copy,
                                                        .evidence_count = evidence_count};
    s->run_failed |= severity == CHECK_ERROR;
}

/* ---- rules that never applied -----------------------------------------------------------------
 */

static struct slice kinds_text(struct arena *a, const struct expect_rule *rule)
{
    struct slice all = SLICE_NONE;
    for (size_t i = 0; i < rule->kind_count; i++) {
        struct slice one = expect_kind_text(a, &rule->kinds[i]);
        all = all.n ? ARENA_JOIN(a, all, SLICE(" or "), one) : one;
    }
    return all.n ? all : SLICE("message");
}

static struct slice places_text(struct arena *a, const struct expect_rule *rule)
{
    struct slice all = SLICE_NONE;
    for (size_t i = 0; i < rule->place_count; i++) {
        struct slice one = expect_place_text(a, &rule->places[i]);
        all = all.n ? ARENA_JOIN(a, all, SLICE(" or "), one) : one;
    }
    return all;
}

static struct slice why_not(struct arena *a, const struct expect_rule *rule,
                            enum check_rule_stage stage)
{
    struct slice message = kinds_text(a, rule);
    switch (stage) {
    case CHECK_RULE_NO_WAY:
        return ARENA_JOIN(a, SLICE("no call with "), message, SLICE(" was "),
                          rule->way == EXPECT_WAY_INBOUND ? SLICE("inbound") : SLICE("outbound"));
    case CHECK_RULE_NO_SENDER:
        return ARENA_JOIN(a, SLICE("no "), message, SLICE(" was sent by "),
                          arena_join_list(a, rule->senders.items, rule->senders.n, SLICE(" or ")));
    case CHECK_RULE_NO_CONDITION:
        return ARENA_JOIN(a, SLICE("its condition never held for a "), message);
    case CHECK_RULE_NO_PLACE:
        return ARENA_JOIN(a, SLICE("no "), message, SLICE(" was seen at "), places_text(a, rule));
    case CHECK_RULE_NO_HEADER:
        return ARENA_JOIN(a, rule->test.header, SLICE(" was never there"));
    default:
        return ARENA_JOIN(a, SLICE("no "), message, SLICE(" was seen"));
    }
}

static void find_never_applied(struct check_summary *s, const struct check_options *o)
{
    struct arena a = {0};
    for (size_t i = 0; i < o->rules->n; i++) {
        const struct expect_rule *rule = &o->rules->items[i];
        if (s->rules[i].stage == CHECK_RULE_APPLIED)
            continue;
        check_find_run(s, FINDING_RULE_NEVER_APPLIED, o->strict ? CHECK_ERROR : CHECK_WARNING, rule,
                       rule->test.header,
                       ARENA_JOIN(&a, rule_reference(&a, rule), SLICE("never applied: "),
                                  why_not(&a, rule, s->rules[i].stage)),
                       NULL, 0);
        arena_reset(&a);
    }
    arena_free(&a);
}

void check_summary_end(struct check_summary *s, const struct check_options *o)
{
    if (check_has_rules(o))
        find_never_applied(s, o);
    pack_leak_end(s, o);
    pack_reject_end(s);
    pack_sayna_end(s, o->sayna);

    for (size_t i = 0; o->baseline && i < s->findings.n; i++)
        s->findings.items[i].known = check_baseline_note_run(o->baseline, &s->findings.items[i]);
}

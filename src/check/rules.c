/* The user's rules on one message: which apply, whether they hold, and where they do not. */
#include "check/pack.h"
#include "check/rule.h"

/* ---- words ------------------------------------------------------------------------------------
 */

struct slice rule_reference(struct arena *a, const struct expect_rule *rule)
{
    struct slice line = rule->place.line ? arena_printf(a, ":%u", rule->place.line)
                                         : ARENA_JOIN(a, SLICE(" "), rule->about);
    return ARENA_JOIN(a, SLICE("rule "), rule->id, SLICE(" ("), rule->file, line, SLICE("): "));
}

struct slice rule_message_name(struct arena *a, const struct hop_journey *j)
{
    if (!j->status)
        return j->method_name;
    return ARENA_JOIN(a, arena_printf(a, "%u to ", j->status), j->method_name);
}

/* ---- one rule ---------------------------------------------------------------------------------
 */

/* What came of a rule on a message. */
struct outcome {
    enum expect_answer answer;
    bool nothing; /* the header was nowhere, and need not be */
    struct rule_answer first;
    size_t good, bad; /* the last sighting before the first bad one, and that */
};

static bool same_answer(const struct rule_answer *a, const struct rule_answer *b)
{
    return a->answer == b->answer && slice_equal(a->words, b->words) &&
           sip_name_equal(a->header, b->header);
}

static bool holds_at(const struct rule_at *at, const struct rule_answer *answers, size_t from,
                     size_t to)
{
    for (size_t i = from; i < to; i++)
        if (at->steps[i] && answers[i].answer == EXPECT_HOLDS && !answers[i].nothing)
            return true;
    return false;
}

/* What holds before and behind a sighting that was cut, holds there: the header arrives. */
static void bridge(const struct rule_at *at, struct rule_answer *answers)
{
    size_t n = at->journey->step_count;
    for (size_t i = 0; i < n; i++)
        if (at->steps[i] && answers[i].answer == EXPECT_OPEN && holds_at(at, answers, 0, i) &&
            holds_at(at, answers, i + 1, n))
            answers[i].answer = EXPECT_HOLDS;
}

static bool is_first_such(const struct outcome *o, enum expect_answer answer)
{
    return answer == EXPECT_FAILS ? o->answer != EXPECT_FAILS
                                  : answer == EXPECT_OPEN && o->answer == EXPECT_HOLDS;
}

/* The first sighting that fails counts; else the first that is open. */
static struct outcome ask_everywhere(struct rule_at *at, struct rule_answer *answers)
{
    size_t n = at->journey->step_count;
    struct outcome o = {.answer = EXPECT_HOLDS, .nothing = true, .good = n, .bad = n};
    for (size_t i = 0; i < n; i++)
        if (at->steps[i])
            answers[i] = rule_ask(at, i);
    bridge(at, answers);
    for (size_t i = 0; i < n; i++) {
        if (!at->steps[i])
            continue;
        o.nothing &= answers[i].nothing;
        if (!is_first_such(&o, answers[i].answer))
            continue;
        o.answer = answers[i].answer;
        o.first = answers[i];
        o.bad = i;
    }
    for (size_t i = 0; i < n && i < o.bad; i++)
        if (at->steps[i] && answers[i].answer == EXPECT_HOLDS && o.answer != EXPECT_HOLDS)
            o.good = i;
    return o;
}

/* "kam1:out, kam2:in and five9:in" */
static struct slice places(struct rule_at *at, const struct rule_answer *answers,
                           const struct outcome *o)
{
    struct arena *a = at->w->arena;
    size_t n = at->journey->step_count, count = 0, done = 0;
    struct text t = {0};
    for (size_t i = 0; i < n; i++)
        count += at->steps[i] && same_answer(&answers[i], &o->first);
    for (size_t i = 0; i < n; i++) {
        if (!at->steps[i] || !same_answer(&answers[i], &o->first))
            continue;
        text_add(&t, done == 0 ? SLICE("") : done + 1 == count ? SLICE(" and ") : SLICE(", "));
        text_add(&t, hop_sighting_at(a, at->w->call->nodes, at->journey->steps[i].sighting));
        done++;
    }
    return text_keep(&t, a);
}

/* Who took it away, where the header was there or should have been. */
static struct slice blame(struct rule_at *at, const struct outcome *o, struct slice *node)
{
    const struct expect_test *t = &at->rule->test;
    struct arena *a = at->w->arena;
    const struct check_question q = {o->first.header, NULL};
    bool gone = slice_is(o->first.words, "is absent") || at->rule->unchanged;
    if (t->presence == EXPECT_ABSENT || !gone || (t->many && !at->rule->unchanged))
        return SLICE_NONE;
    struct check_header h = check_header_judge(at->w, at->journey, &q);
    if (!h.guilty.any || h.verdict == CHECK_OK || h.verdict == CHECK_UNKNOWN)
        return SLICE_NONE;
    *node = h.guilty.node;
    struct slice verdict = slice_of(check_header_verdict_name(h.verdict));
    if (h.guilty.node.n)
        return h.verdict == CHECK_NEVER_SENT
                   ? ARENA_JOIN(a, SLICE("; "), h.guilty.node, SLICE(" did not send it"))
                   : ARENA_JOIN(a, SLICE("; "), verdict, SLICE(" by "), h.guilty.node);
    return SLICE_NONE;
}

static void find_outcome(struct rule_at *at, const struct check_request *r,
                         const struct rule_answer *answers, const struct outcome *o)
{
    struct arena *a = at->w->arena;
    bool fails = o->answer == EXPECT_FAILS;
    struct slice node = SLICE_NONE, tail = fails ? blame(at, o, &node) : SLICE_NONE;
    struct slice words = ARENA_JOIN(a, rule_reference(a, at->whole), o->first.header, SLICE(" of "),
                                    rule_message_name(a, at->journey), SLICE(" "), o->first.words,
                                    SLICE(" at "), places(at, answers, o), tail);
    check_find_rule(at->w, fails ? FINDING_RULE_VIOLATED : FINDING_RULE_NOT_JUDGED, at->whole, r,
                    o->first.header, node, words, at->journey, o->good, o->bad);
}

static void find_open(struct rule_at *at, const struct check_request *r)
{
    struct arena *a = at->w->arena;
    struct slice words =
        ARENA_JOIN(a, rule_reference(a, at->rule), rule_message_name(a, at->journey),
                   SLICE(" was not judged: "), at->reason);
    check_find_rule(at->w, FINDING_RULE_NOT_JUDGED, at->rule, r, at->rule->test.header, SLICE_NONE,
                    words, at->journey, at->journey->step_count, 0);
}

static void count_outcome(struct rule_at *at, enum expect_answer answer)
{
    struct check_rule_count *count = &at->w->summary->rules[at->index];
    bool error = at->rule->severity == EXPECT_ERROR;
    count->stage = CHECK_RULE_APPLIED;
    count->applied++;
    count->violated += answer == EXPECT_FAILS;
    count->open += answer == EXPECT_OPEN;
    at->w->judged |= answer != EXPECT_OPEN;
    at->w->unknown |= answer == EXPECT_OPEN && error;
}

/* ---- the message ------------------------------------------------------------------------------
 */

VEC_TYPE(rule_results, struct check_rule_result);

static void add_result(struct rule_results *list, const struct rule_at *at,
                       enum expect_answer answer)
{
    static const enum check_verdict verdicts[] = {
        [EXPECT_HOLDS] = CHECK_PASS,
        [EXPECT_FAILS] = CHECK_FAIL,
        [EXPECT_OPEN] = CHECK_INCONCLUSIVE,
    };
    *vec_add(list) = (struct check_rule_result){at->rule, verdicts[answer]};
}

/* The rule, as far as it is about headers of one name, or about any of its names being there. */
static struct outcome ask_rule(struct rule_at *at, const struct expect_rule *rule,
                               const struct check_request *r)
{
    struct rule_answer *answers =
        ARENA_ARRAY(at->w->arena, struct rule_answer, at->journey->step_count);
    at->rule = rule;
    struct outcome o = ask_everywhere(at, answers);
    if (!o.nothing && o.answer != EXPECT_HOLDS)
        find_outcome(at, r, answers, &o);
    return o;
}

VEC_TYPE(rule_names, struct slice);

static bool is_named(const struct rule_names *names, struct slice name)
{
    for (size_t i = 0; i < names->n; i++)
        if (sip_name_equal(names->items[i], name))
            return true;
    return false;
}

static void collect_names(struct rule_at *at, struct rule_names *names)
{
    for (size_t i = 0; i < at->journey->step_count; i++) {
        const struct sip_message *m = at->journey->steps[i].sighting->message;
        for (uint32_t k = 0; k < m->header_count; k++) {
            struct slice name = m->headers[k].name;
            if (!expect_test_names(&at->whole->test, name) || is_named(names, name))
                continue;
            if (names->n < CHECK_FOLLOWED_MAX)
                *vec_add(names) = name;
            else
                at->w->left_out++;
        }
    }
}

static bool answer_is_worse(const struct outcome *a, const struct outcome *b)
{
    return b->nothing || (a->answer == EXPECT_FAILS && b->answer != EXPECT_FAILS) ||
           (a->answer == EXPECT_OPEN && b->answer == EXPECT_HOLDS);
}

/* X-Internal-*: each header of such a name is judged by itself; that there is one at all, or how
 * many, before that. */
static struct outcome ask_each(struct rule_at *at, const struct check_request *r)
{
    struct rule_names names = {0};
    struct expect_rule one = *at->whole;
    one.test = (struct expect_test){.header = one.test.header,
                                    .many = true,
                                    .presence = one.test.presence,
                                    .count = one.test.count};
    one.unchanged = one.unique = false;
    one.same_as.n = one.user_of.n = 0;
    struct outcome worst = {.answer = EXPECT_HOLDS, .nothing = true};
    if (one.test.presence != EXPECT_ABSENT)
        worst = ask_rule(at, &one, r);
    one = *at->whole;
    one.test.many = false;
    one.test.count.given = false;
    if (one.test.presence == EXPECT_PRESENT)
        one.test.presence = EXPECT_OPTIONAL;
    collect_names(at, &names);
    if (names.n == 0 && one.test.presence == EXPECT_ABSENT)
        worst = ask_rule(at, at->whole, r);
    for (size_t i = 0; i < names.n; i++) {
        one.test.header = names.items[i];
        struct outcome o = ask_rule(at, &one, r);
        if (!o.nothing && answer_is_worse(&o, &worst))
            worst = o;
    }
    vec_free(&names);
    at->rule = at->whole;
    return worst;
}

static void apply(struct rule_at *at, enum rule_truth selected, const struct check_request *r,
                  struct rule_results *results)
{
    struct check_rule_count *count = &at->w->summary->rules[at->index];
    if (selected == RULE_OPEN) {
        find_open(at, r);
        count_outcome(at, EXPECT_OPEN);
        add_result(results, at, EXPECT_OPEN);
        return;
    }
    struct outcome o = at->whole->test.many ? ask_each(at, r) : ask_rule(at, at->whole, r);
    if (o.nothing) {
        if (count->stage < CHECK_RULE_NO_HEADER)
            count->stage = CHECK_RULE_NO_HEADER;
        return;
    }
    count_outcome(at, o.answer);
    add_result(results, at, o.answer);
}

static void keep_results(struct check_work *w, struct check_request *r,
                         struct rule_results *results)
{
    struct check_rule_result *copy = ARENA_ARRAY(w->arena, struct check_rule_result, results->n);
    for (size_t i = 0; i < results->n; i++)
        copy[i] = results->items[i];
    r->rules = copy;
    r->rule_count = results->n;
    vec_free(results);
}

static bool is_listed(const struct check_request *r, const struct check_header *more, size_t n,
                      struct slice name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (sip_name_equal(r->headers[i].name, name))
            return true;
    for (size_t i = 0; i < n; i++)
        if (sip_name_equal(more[i].name, name))
            return true;
    return false;
}

VEC_TYPE(ruled_headers, struct check_header);

static void list_header(struct check_work *w, const struct hop_journey *j,
                        const struct check_request *r, const struct expect_rule *rule,
                        struct slice name, struct ruled_headers *list)
{
    const struct check_question q = {name, NULL};
    if (is_listed(r, list->items, list->n, name))
        return;
    if (list->n == CHECK_FOLLOWED_MAX) {
        w->left_out++;
        return;
    }
    struct check_header h = check_header_judge(w, j, &q);
    h.by_rule = true;
    h.expected = rule->test.presence == EXPECT_PRESENT;
    *vec_add(list) = h;
}

/* Headers that a rule on this message names, as far as they are there, or should be. */
static void list_headers(struct check_work *w, const struct hop_journey *j, struct check_request *r)
{
    struct ruled_headers list = {0};
    for (size_t i = 0; i < r->rule_count; i++) {
        const struct expect_rule *rule = r->rules[i].rule;
        for (size_t k = 0; k < j->step_count; k++) {
            const struct sip_message *m = j->steps[k].sighting->message;
            for (uint32_t n = 0; n < m->header_count; n++)
                if (expect_test_names(&rule->test, m->headers[n].name))
                    list_header(w, j, r, rule, m->headers[n].name, &list);
        }
        if (!rule->test.many && rule->test.presence == EXPECT_PRESENT)
            list_header(w, j, r, rule, rule->test.header, &list);
    }
    struct check_header *all = ARENA_ARRAY(w->arena, struct check_header, r->header_count + list.n);
    for (size_t i = 0; i < r->header_count; i++)
        all[i] = r->headers[i];
    for (size_t i = 0; i < list.n; i++)
        all[r->header_count + i] = list.items[i];
    r->headers = all;
    r->header_count += list.n;
    vec_free(&list);
}

bool check_rules_judge(struct check_work *w, const struct hop_journey *j, struct check_request *r,
                       bool listed)
{
    const struct expect_rules *rules = w->options->rules;
    struct rule_results results = {0};
    bool *steps = ARENA_ARRAY(w->arena, bool, j->step_count);
    for (size_t i = 0; rules && i < rules->n; i++) {
        struct rule_at at = {
            .w = w, .journey = j, .rule = &rules->items[i], .whole = &rules->items[i], .index = i};
        at.steps = steps;
        for (size_t k = 0; k < j->step_count; k++)
            steps[k] = false;
        enum rule_truth selected = rule_selects(&at);
        if (selected == RULE_NO)
            continue;
        if (!listed)
            check_request_fill(w, j, r);
        listed = true;
        apply(&at, selected, r, &results);
    }
    keep_results(w, r, &results);
    if (r->rule_count)
        list_headers(w, j, r);
    return r->rule_count > 0;
}

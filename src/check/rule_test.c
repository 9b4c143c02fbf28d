/* What a rule asks of one sighting of a message. */
#include "check/pack.h"
#include "check/rule.h"

bool rule_value_cut(const struct sip_message *m, const struct sip_header *h)
{
    return h->cut || (!m->headers_complete && h == &m->headers[m->header_count - 1]);
}

static struct rule_answer answer_of(enum expect_answer answer, struct slice header,
                                    struct slice words)
{
    return (struct rule_answer){.answer = answer, .header = header, .words = words};
}

/* ---- presence and number --------------------------------------------------------------------- */

static size_t count_values(const struct expect_test *t, const struct sip_message *m,
                           const struct sip_header **first)
{
    size_t n = 0;
    *first = NULL;
    for (uint32_t i = 0; i < m->header_count; i++)
        if (expect_test_names(t, m->headers[i].name)) {
            *first = *first ? *first : &m->headers[i];
            n++;
        }
    return n;
}

static struct rule_answer ask_number(struct arena *a, const struct expect_test *t,
                                     struct slice name, size_t n, bool complete)
{
    const struct expect_range *count = &t->count;
    bool few = count->given && n < count->min, many = count->given && n > count->max;
    if (many || (few && complete))
        return answer_of(EXPECT_FAILS, name,
                         arena_printf(a, "stands there %zu time%s, at %s %u %s", n,
                                      n == 1 ? "" : "s", few ? "least" : "most",
                                      few ? count->min : count->max,
                                      few ? "are asked for" : "are allowed"));
    return answer_of(few ? EXPECT_OPEN : EXPECT_HOLDS, name,
                     SLICE("was not captured far enough to be counted"));
}

/* What is absent from a message that was cut may stand behind the cut. */
static struct rule_answer ask_presence(struct arena *a, const struct expect_test *t,
                                       const struct sip_message *m)
{
    const struct sip_header *first;
    size_t n = count_values(t, m, &first);
    struct slice name = first ? first->name : t->header;
    bool complete = m->headers_complete;
    if (t->presence == EXPECT_ABSENT && n)
        return answer_of(EXPECT_FAILS, name, SLICE("is there"));
    if (n == 0 && !complete)
        return answer_of(EXPECT_OPEN, name, SLICE("may stand where the capture was cut"));
    if (n == 0 && t->presence == EXPECT_PRESENT)
        return answer_of(EXPECT_FAILS, name, SLICE("is absent"));
    struct rule_answer answer = ask_number(a, t, name, n, complete);
    answer.nothing = n == 0 && t->presence == EXPECT_OPTIONAL;
    return answer;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* "is \"x\", " or "has account \"x\", " and what is wrong with it */
static struct slice value_words(struct arena *a, const struct expect_test *t, struct slice header,
                                struct slice value, struct slice why)
{
    struct slice shown = pack_quote(a, header, value);
    if (t->part.n)
        return ARENA_JOIN(a, SLICE("has "), t->part, SLICE(" "), shown, SLICE(", "), why);
    return ARENA_JOIN(a, SLICE("is "), shown, SLICE(", "), why);
}

/* A part has to be there, unless all that is said is what it must not be. */
static bool needs_part(const struct expect_test *t)
{
    bool refuses = t->unequal.n || t->unlike.pattern;
    return t->part.n && (!refuses || t->equals.n || t->matches.pattern || t->length.given);
}

static struct rule_answer ask_value(struct arena *a, const struct expect_test *t,
                                    const struct sip_header *h, const struct expect_list *parts)
{
    bool secret = sip_is_secret(h->name) || sip_is_credentials(h->name);
    struct rule_answer worst = answer_of(EXPECT_HOLDS, h->name, SLICE_NONE);
    if (parts->n == 0 && needs_part(t))
        return answer_of(EXPECT_FAILS, h->name, ARENA_JOIN(a, SLICE("has no part "), t->part));
    for (size_t i = 0; i < parts->n && worst.answer != EXPECT_FAILS; i++) {
        struct slice why = SLICE_NONE;
        enum expect_answer one = expect_test_value(a, t, parts->items[i], secret, &why);
        if (one != EXPECT_HOLDS)
            worst = answer_of(one, h->name, value_words(a, t, h->name, parts->items[i], why));
    }
    return worst;
}

/* ---- beside other headers of the message ------------------------------------------------------
 */

/* The values, or users, that a part is compared with. */
static struct expect_list users_of(struct arena *a, const struct sip_message *m, struct slice name,
                                   bool *cut)
{
    const struct sip_identity *list;
    size_t n = sip_identities(a, m, name, &list);
    struct expect_list users = {ARENA_ARRAY(a, struct slice, 2 * n), 0};
    (void)check_values_of(a, m, name, cut);
    for (size_t i = 0; i < n; i++) {
        if (!list[i].readable || list[i].address.user.n == 0)
            continue;
        users.items[users.n++] = list[i].address.user;
        if (list[i].number.n)
            users.items[users.n++] = list[i].number;
    }
    return users;
}

static bool all_among(const struct expect_test *t, const struct expect_list *parts,
                      const struct expect_list *list)
{
    for (size_t i = 0; i < parts->n; i++) {
        bool found = false;
        for (size_t k = 0; k < list->n && !found; k++)
            found = expect_test_equal(t, parts->items[i], list->items[k]);
        if (!found)
            return false;
    }
    return true;
}

static struct slice unlike_words(struct arena *a, const struct expect_test *t,
                                 const struct sip_header *h, const struct expect_list *parts,
                                 struct slice what, const struct expect_list *with)
{
    struct slice other = with->n ? ARENA_JOIN(a, SLICE("not "), what, SLICE(", "),
                                              pack_quote(a, what, with->items[0]))
                                 : ARENA_JOIN(a, SLICE("and there is no "), what);
    return value_words(a, t, h->name, parts->n ? parts->items[0] : SLICE_NONE, other);
}

static struct rule_answer ask_same_as(struct arena *a, const struct expect_rule *rule,
                                      const struct sip_message *m, const struct sip_header *h,
                                      const struct expect_list *parts)
{
    for (size_t i = 0; i < rule->same_as.n; i++) {
        bool cut = false;
        struct slice name = rule->same_as.items[i];
        struct expect_list values = check_values_of(a, m, name, &cut);
        if (cut || (values.n == 0 && !m->headers_complete))
            return answer_of(EXPECT_OPEN, h->name,
                             SLICE("was not captured with what it is compared with"));
        if (values.n == 0 || !all_among(&rule->test, parts, &values))
            return answer_of(EXPECT_FAILS, h->name,
                             unlike_words(a, &rule->test, h, parts, name, &values));
    }
    return answer_of(EXPECT_HOLDS, h->name, SLICE_NONE);
}

static struct rule_answer ask_user_of(struct arena *a, const struct expect_rule *rule,
                                      const struct sip_message *m, const struct sip_header *h,
                                      const struct expect_list *parts)
{
    struct expect_list users = {NULL, 0};
    bool open = false;
    if (rule->user_of.n == 0)
        return answer_of(EXPECT_HOLDS, h->name, SLICE_NONE);
    for (size_t i = 0; i < rule->user_of.n; i++) {
        bool cut = false;
        struct expect_list some = users_of(a, m, rule->user_of.items[i], &cut);
        if (some.n && all_among(&rule->test, parts, &some))
            return answer_of(EXPECT_HOLDS, h->name, SLICE_NONE);
        open |= cut || (some.n == 0 && !m->headers_complete);
        users = users.n ? users : some;
    }
    if (open)
        return answer_of(EXPECT_OPEN, h->name,
                         SLICE("was not captured with what it is compared with"));
    struct slice what =
        ARENA_JOIN(a, SLICE("the user of "),
                   arena_join_list(a, rule->user_of.items, rule->user_of.n, SLICE(" or ")));
    return answer_of(EXPECT_FAILS, h->name, unlike_words(a, &rule->test, h, parts, what, &users));
}

/* ---- beside the sighting before ---------------------------------------------------------------
 */

/* Against the nearest sighting upstream that shows the header in full; none: nothing to compare. */
static struct rule_answer ask_unchanged(struct rule_at *at, size_t step, struct slice name)
{
    struct arena *a = at->w->arena;
    const struct sip_message *m = at->journey->steps[step].sighting->message;
    bool cut = false;
    struct expect_list is = check_values_of(a, m, name, &cut);
    if (cut || (is.n == 0 && !m->headers_complete))
        return answer_of(EXPECT_OPEN, name, SLICE("was not captured in full"));
    for (size_t i = step; i-- > 0;) {
        const struct sip_message *before = at->journey->steps[i].sighting->message;
        struct expect_list was = check_values_of(a, before, name, &cut);
        if (cut || was.n == 0)
            continue;
        enum check_header_verdict v = check_values_compare(&was, &is);
        if (v == CHECK_OK)
            break;
        struct slice words =
            ARENA_JOIN(a, SLICE("is "), pack_quote(a, name, is.n ? is.items[0] : name),
                       SLICE(" and no longer "), pack_quote(a, name, was.items[0]));
        return answer_of(EXPECT_FAILS, name, is.n ? words : SLICE("is gone"));
    }
    return answer_of(EXPECT_HOLDS, name, SLICE_NONE);
}

/* Each header upstream that the rule names has to have come here; one that is gone is none of the
 * message's own. */
static struct rule_answer ask_all_unchanged(struct rule_at *at, size_t step)
{
    struct rule_answer worst = {.answer = EXPECT_HOLDS, .nothing = true};
    for (size_t i = 0; i <= step && worst.answer != EXPECT_FAILS; i++) {
        const struct sip_message *m = at->journey->steps[i].sighting->message;
        for (uint32_t k = 0; k < m->header_count && worst.answer != EXPECT_FAILS; k++) {
            if (!expect_test_names(&at->rule->test, m->headers[k].name))
                continue;
            struct rule_answer one = ask_unchanged(at, step, m->headers[k].name);
            worst.nothing = false;
            if (one.answer != EXPECT_HOLDS)
                worst = one;
        }
    }
    return worst;
}

/* ---- beside other calls -----------------------------------------------------------------------
 */

static struct rule_answer ask_unique(struct rule_at *at, size_t step, const struct sip_header *h,
                                     const struct expect_list *parts)
{
    struct arena *a = at->w->arena;
    struct check_run_evidence where;
    for (size_t i = 0; i < parts->n; i++)
        if (rule_seen_elsewhere(at, step, parts->items[i], &where))
            return answer_of(EXPECT_FAILS, h->name,
                             value_words(a, &at->rule->test, h->name, parts->items[i],
                                         ARENA_JOIN(a, SLICE("which stood on call "), where.call_id,
                                                    SLICE(" already ("), where.point,
                                                    arena_printf(a, ", frame %u)", where.frame))));
    return answer_of(EXPECT_HOLDS, h->name, SLICE_NONE);
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static bool is_worse(const struct rule_answer *a, const struct rule_answer *b)
{
    return a->answer == EXPECT_FAILS ? b->answer != EXPECT_FAILS
                                     : a->answer == EXPECT_OPEN && b->answer == EXPECT_HOLDS;
}

static struct rule_answer ask_header(struct rule_at *at, size_t step, const struct sip_header *h)
{
    struct arena *a = at->w->arena;
    const struct sip_message *m = at->journey->steps[step].sighting->message;
    const struct expect_test *t = &at->rule->test;
    if (rule_value_cut(m, h))
        return answer_of(EXPECT_OPEN, h->name, SLICE("was not captured in full"));
    struct expect_list parts = expect_test_parts(a, t, sip_unfold(a, h));
    struct rule_answer answers[] = {
        ask_value(a, t, h, &parts),
        ask_same_as(a, at->rule, m, h, &parts),
        ask_user_of(a, at->rule, m, h, &parts),
        at->rule->unique ? ask_unique(at, step, h, &parts)
                         : answer_of(EXPECT_HOLDS, h->name, SLICE_NONE),
    };
    struct rule_answer worst = answers[0];
    for (size_t i = 1; i < sizeof answers / sizeof *answers; i++)
        if (is_worse(&answers[i], &worst))
            worst = answers[i];
    return worst;
}

static bool asks_of_values(const struct expect_rule *r)
{
    return expect_test_has_values(&r->test) || r->same_as.n || r->user_of.n || r->unique;
}

struct rule_answer rule_ask(struct rule_at *at, size_t step)
{
    const struct sip_message *m = at->journey->steps[step].sighting->message;
    const struct expect_test *t = &at->rule->test;
    struct rule_answer worst = ask_presence(at->w->arena, t, m);
    for (uint32_t i = 0; asks_of_values(at->rule) && i < m->header_count; i++) {
        if (!expect_test_names(t, m->headers[i].name))
            continue;
        struct rule_answer one = ask_header(at, step, &m->headers[i]);
        if (is_worse(&one, &worst))
            worst = one;
    }
    if (at->rule->unchanged) {
        struct rule_answer one = ask_all_unchanged(at, step);
        worst.nothing &= one.nothing;
        if (is_worse(&one, &worst))
            worst = one;
    }
    return worst;
}

enum rule_truth rule_test_message(struct arena *a, const struct expect_test *t,
                                  const struct sip_message *m)
{
    struct rule_answer worst = ask_presence(a, t, m);
    for (uint32_t i = 0; expect_test_has_values(t) && i < m->header_count; i++) {
        const struct sip_header *h = &m->headers[i];
        if (!expect_test_names(t, h->name))
            continue;
        struct expect_list parts = expect_test_parts(a, t, sip_unfold(a, h));
        struct rule_answer one = rule_value_cut(m, h) ? answer_of(EXPECT_OPEN, h->name, SLICE_NONE)
                                                      : ask_value(a, t, h, &parts);
        if (is_worse(&one, &worst))
            worst = one;
    }
    return worst.answer == EXPECT_HOLDS   ? RULE_YES
           : worst.answer == EXPECT_FAILS ? RULE_NO
                                          : RULE_OPEN;
}

/* One test: an operand, what is asked of it, and the values that it is held against. */
#include "view/filter_parse.h"

#include <stdio.h>
#include <string.h>

/* ---- what is asked --------------------------------------------------------------------------- */

static const struct op {
    const char *text;
    enum filter_op op;
    bool negated, set, bare; /* a set follows; nothing does */
} ops[] = {
    {"==", FILTER_EQUALS, false, false, false},
    {"eq", FILTER_EQUALS, false, false, false},
    {"!=", FILTER_EQUALS, true, false, false},
    {"ne", FILTER_EQUALS, true, false, false},
    {"<", FILTER_BELOW, false, false, false},
    {"lt", FILTER_BELOW, false, false, false},
    {"<=", FILTER_AT_MOST, false, false, false},
    {"le", FILTER_AT_MOST, false, false, false},
    {">", FILTER_ABOVE, false, false, false},
    {"gt", FILTER_ABOVE, false, false, false},
    {">=", FILTER_AT_LEAST, false, false, false},
    {"ge", FILTER_AT_LEAST, false, false, false},
    {"=~", FILTER_MATCHES, false, false, false},
    {"matches", FILTER_MATCHES, false, false, false},
    {"!~", FILTER_MATCHES, true, false, false},
    {"contains", FILTER_CONTAINS, false, false, false},
    {"startswith", FILTER_STARTS, false, false, false},
    {"endswith", FILTER_ENDS, false, false, false},
    {"in", FILTER_EQUALS, false, true, false},
    {"exists", FILTER_EXISTS, false, false, true},
    {"missing", FILTER_EXISTS, true, false, true},
};
#define OPS (sizeof ops / sizeof *ops)

static const char *op_next(size_t i)
{
    return i < OPS ? ops[i].text : NULL;
}

static const struct op *op_now(const struct filter_parser *p)
{
    for (size_t i = 0; i < OPS; i++)
        if ((p->now.kind == FILTER_SIGN && slice_is(p->now.text, ops[i].text)) ||
            filter_now_is(p, ops[i].text))
            return &ops[i];
    return NULL;
}

/* A copy that ends in NUL, for nearest_word; one that is too long is near nothing. */
static const char *near_of(struct slice word, const char *(*next)(size_t))
{
    char copy[32] = "";
    if (word.n && word.n < sizeof copy)
        for (size_t i = 0; i < word.n; i++)
            copy[i] = (char)ascii_lower((unsigned char)word.p[i]);
    return copy[0] ? nearest_word(copy, next) : NULL;
}

enum filter_type filter_test_type(const struct filter_test *t)
{
    return t->measure == FILTER_ITSELF ? filter_field_of(t->field)->type : FILTER_NUMBER;
}

/* ---- names that are none --------------------------------------------------------------------- */

/* What other tools, and people, call our fields. */
static const char *called_elsewhere(struct slice name)
{
    static const char *const names[][2] = {
        {"sip.method", "method"},
        {"sip.status-code", "status"},
        {"code", "status"},
        {"status_code", "status"},
        {"response_code", "status"},
        {"sip.call-id", "call_id"},
        {"call-id", "call_id"},
        {"callid", "call_id"},
        {"sip.r-uri", "uri"},
        {"ruri", "uri"},
        {"request_uri", "uri"},
        {"sip.from", "from"},
        {"sip.to", "to"},
        {"sip.from.user", "from.user"},
        {"sip.to.user", "to.user"},
        {"sip.from.tag", "from.tag"},
        {"sip.to.tag", "to.tag"},
        {"sip.cseq", "cseq"},
        {"sip.cseq.method", "cseq.method"},
        {"ip", "addr"},
        {"ip.addr", "addr"},
        {"ipv6.addr", "addr"},
        {"host", "addr"},
        {"address", "addr"},
        {"ip.src", "src"},
        {"source", "src"},
        {"src_ip", "src"},
        {"ip.dst", "dst"},
        {"destination", "dst"},
        {"dest", "dst"},
        {"udp.port", "port"},
        {"tcp.port", "port"},
        {"proto", "transport"},
        {"protocol", "transport"},
        {"node", "point"},
        {"payload", "text"},
        {"frame.number", "frame"},
        {"length", "size"},
        {"ua", "user_agent"},
        {"user-agent", "user_agent"},
        {"tag", "from.tag"},
        {"verdict", "call.verdict"},
        {"finding", "call.finding"},
        {"call.findings", "call.finding"},
        {"duration", "call.duration"},
        {"messages", "call.messages"},
        {"caller", "call.caller"},
        {"callee", "call.callee"},
        {"points", "call.points"},
        {"legs", "call.legs"},
        {"outcome", "call.state"},
        {"call.outcome", "call.state"},
        {"call.from", "call.caller"},
        {"call.to", "call.callee"},
        {"call.point", "call.points"},
        {"call.call_id", "call.id"},
        {"sip.hdr", "header"},
        {"hdr", "header"},
        {"headers", "header"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_equal_nocase(name, slice_of(names[i][0])))
            return names[i][1];
    return NULL;
}

static bool looks_like_header(struct slice name)
{
    return name.n > 1 && sip_is_token(name) &&
           (slice_find(name, '-') < name.n || sip_is_standard(name));
}

static bool fail_unknown(struct filter_parser *p, const struct filter_token *name)
{
    const char *near = called_elsewhere(name->text);
    if (!near && looks_like_header(name->text))
        return filter_fail(p, name, "a header is written header[\"%.*s\"]", SLICE_ARG(name->text));
    if (!near)
        near = near_of(name->text, filter_field_next);
    if (near)
        return filter_fail(p, name, "no such field; did you mean %s?", near);
    return filter_fail(p, name, "no such field; a header is written header[\"NAME\"]");
}

static bool is_status(struct slice s)
{
    if (s.n != 3 || s.p[0] < '1' || s.p[0] > '6')
        return false;
    return slice_equal_nocase(slice_from(s, 1), SLICE("xx")) ||
           (s.p[1] >= '0' && s.p[1] <= '9' && s.p[2] >= '0' && s.p[2] <= '9');
}

static bool is_method(struct slice s)
{
    for (enum sip_method m = SIP_METHOD_OTHER + 1; m < SIP_METHOD_COUNT; m++)
        if (slice_equal_nocase(s, slice_of(sip_method_name(m))))
            return true;
    return false;
}

/* One letter, of a long word two, is not as it is in the name of a field. */
static const char *nearly(struct slice s)
{
    const char *near = near_of(s, filter_field_next);
    char copy[32] = "";
    for (size_t i = 0; near && i < s.n; i++)
        copy[i] = (char)ascii_lower((unsigned char)s.p[i]);
    return near && nearest_distance(copy, near) <= (s.n < 6 ? 1 : 2) ? near : NULL;
}

/* A word that stands alone is a text that is searched for, unless it may be meant otherwise. */
static bool check_bare(struct filter_parser *p, const struct filter_token *word)
{
    struct slice s = word->text;
    const char *near = called_elsewhere(s);
    if (!near)
        near = nearly(s);
    if (is_method(s))
        return filter_fail(p, word, "did you mean method == %.*s? As a text it needs quotes",
                           SLICE_ARG(s));
    if (is_status(s))
        return filter_fail(p, word, "did you mean status == %.*s? As a text it needs quotes",
                           SLICE_ARG(s));
    if (near)
        return filter_fail(p, word, "no such field; did you mean %s? As a text it needs quotes",
                           near);
    return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool is_value(const struct filter_token *t)
{
    return t->kind == FILTER_NAME || t->kind == FILTER_STRING;
}

static bool take_value(struct filter_parser *p, struct filter_test *t, struct filter_value *out)
{
    struct filter_token at = p->now;
    struct view_filter_fault fault;
    if (p->failed)
        return false;
    if (at.kind == FILTER_AND || at.kind == FILTER_OR || at.kind == FILTER_NOT)
        return filter_fail(p, &at, "a value was expected here; as a value this word needs quotes");
    if (!is_value(&at))
        return filter_fail(p, &at, "a value was expected here");
    if (at.kind == FILTER_NAME && t->op == FILTER_EQUALS && filter_test_type(t) == FILTER_TEXT &&
        filter_field_named(at.text) < FILTER_FIELD_COUNT)
        return filter_fail(p, &at,
                           "this is a field, and fields are not held against each other; "
                           "as a text it needs quotes");
    *out = (struct filter_value){.text = at.text};
    if (t->op <= FILTER_AT_LEAST &&
        !filter_value_read(t, at.text, at.kind == FILTER_STRING, out, &fault))
        return filter_fail(p, &at, "%s", fault.text);
    return true;
}

static bool take_set(struct filter_parser *p, struct filter_test *t)
{
    struct filter_token open = p->now;
    if (p->now.kind != FILTER_OPEN_SET)
        return filter_fail(p, &p->now, "behind in stand values in braces: in {1, 2}");
    t->values = ARENA_ARRAY(&p->filter->arena, struct filter_value, VIEW_FILTER_SET_MAX);
    filter_advance(p, true);
    while (!p->failed && p->now.kind != FILTER_CLOSE_SET) {
        if (p->now.kind == FILTER_END)
            return filter_fail(p, &open, "this brace is not closed");
        if (t->value_count == VIEW_FILTER_SET_MAX)
            return filter_fail(p, &p->now, "more than %u values in braces", VIEW_FILTER_SET_MAX);
        if (!take_value(p, t, &t->values[t->value_count]))
            return false;
        t->value_count++;
        filter_advance(p, true);
        if (p->now.kind == FILTER_COMMA)
            filter_advance(p, true);
    }
    if (t->value_count == 0)
        return filter_fail(p, &open, "no value in these braces");
    filter_advance(p, false);
    return !p->failed;
}

static bool take_pattern(struct filter_parser *p, struct filter_test *t,
                         const struct filter_token *at)
{
    struct pattern_fault fault;
    bool nocase = filter_test_type(t) == FILTER_WORD;
    struct slice text = t->values[0].text;
    if (at->kind == FILTER_NAME && text.n > 1 && text.p[0] == '/' && text.p[text.n - 1] == '/')
        return filter_fail(p, at, "a regular expression stands in quotes, without slashes");
    t->pattern = pattern_new(text, nocase, &fault);
    if (t->pattern) {
        *vec_add(&p->filter->patterns) = t->pattern;
        return true;
    }
    struct filter_token place = *at;
    bool plain = at->n == at->text.n || at->n == at->text.n + 2; /* without escapes */
    if (plain) {
        place.at += (at->n > at->text.n) + fault.at;
        place.n = 1;
    }
    return filter_fail(p, &place, "no regular expression: %s", fault.text);
}

/* ---- a test ---------------------------------------------------------------------------------- */

static bool op_fits(enum filter_type type, const struct op *op)
{
    switch (type) {
    case FILTER_TEXT:
    case FILTER_WORD:
        return op->op < FILTER_BELOW || op->op > FILTER_AT_LEAST;
    case FILTER_NUMBER:
    case FILTER_SPAN:
        return op->op <= FILTER_AT_LEAST;
    default:
        return op->op <= FILTER_EQUALS;
    }
}

static bool check_op(struct filter_parser *p, const struct filter_test *t, const struct op *op,
                     const struct filter_token *at)
{
    static const char *const types[] = {
        [FILTER_TEXT] = "a text: ==, !=, contains, startswith, endswith, =~, !~ and in go with it",
        [FILTER_WORD] = "a word: ==, !=, contains, startswith, endswith, =~, !~ and in go with it",
        [FILTER_NUMBER] = "a number: ==, !=, <, <=, >, >= and in go with it",
        [FILTER_SPAN] = "a time: ==, !=, <, <=, >, >= and in go with it",
        [FILTER_ADDRESS] = "an address: ==, != and in go with it, as in src == 10.0.0.0/8",
        [FILTER_FLAG] = "true or false: it stands alone, or behind not",
    };
    static const char *const measures[] = {"", "count() of ", "len() of "};
    enum filter_type type = filter_test_type(t);
    if (op_fits(type, op) && !(t->measure != FILTER_ITSELF && op->bare))
        return true;
    return filter_fail(p, at, "%s%s is %s", measures[t->measure], filter_field_of(t->field)->name,
                       types[type]);
}

/* What is asked of the operand; nothing: that it is there. */
static bool take_op(struct filter_parser *p, struct filter_test *t)
{
    struct filter_token at = p->now;
    bool not_in = false;
    if (at.kind == FILTER_NOT && slice_equal_nocase(at.text, SLICE("not"))) {
        filter_advance(p, false);
        not_in = true;
        if (!filter_now_is(p, "in"))
            return filter_fail(p, &at, "not stands before a test, or before in");
    }
    const struct op *op = op_now(p);
    if (!op && p->now.kind == FILTER_NAME && near_of(p->now.text, op_next))
        return filter_fail(p, &p->now, "did you mean %s?", near_of(p->now.text, op_next));
    if (!op && p->now.kind == FILTER_SIGN)
        return filter_fail(p, &p->now, "did you mean %s?",
                           slice_is(p->now.text, "=")   ? "=="
                           : slice_is(p->now.text, "&") ? "&&"
                           : slice_is(p->now.text, "|") ? "||"
                                                        : "=~");
    if (!op && t->measure != FILTER_ITSELF)
        return filter_fail(p, &p->now, "a comparison is missing, as in count(...) > 1");
    if (!op)
        return true;
    if (!check_op(p, t, op, &p->now))
        return false;
    t->op = op->op;
    t->negated = op->negated || not_in;
    filter_advance(p, !op->bare && !op->set);
    if (op->bare || p->failed)
        return !p->failed;
    if (op->set)
        return take_set(p, t);
    at = p->now;
    t->values = ARENA_NEW(&p->filter->arena, struct filter_value);
    t->value_count = 1;
    if (!take_value(p, t, t->values) || (t->op == FILTER_MATCHES && !take_pattern(p, t, &at)))
        return false;
    filter_advance(p, false);
    return !p->failed;
}

static bool take_header(struct filter_parser *p, struct filter_test *t)
{
    if (p->now.kind != FILTER_OPEN_INDEX)
        return filter_fail(p, &p->now, "which header? It is written header[\"NAME\"]");
    filter_advance(p, false);
    struct filter_token name = p->now;
    if (!is_value(&name) || name.text.n == 0)
        return filter_fail(p, &name, "the name of a header was expected here");
    for (size_t i = 0; i < name.text.n; i++) {
        t->many |= name.text.p[i] == '*' || name.text.p[i] == '?';
        if (name.text.p[i] != '?' && !sip_is_token((struct slice){name.text.p + i, 1}))
            return filter_fail(p, &name,
                               name.text.p[i] == ':' ? "a header's name ends before its colon"
                                                     : "a header's name has no such character");
    }
    t->header = name.text;
    filter_advance(p, false);
    if (p->now.kind != FILTER_CLOSE_INDEX)
        return filter_fail(p, &p->now, "the bracket is not closed");
    filter_advance(p, false);
    return !p->failed;
}

static bool check_scope(struct filter_parser *p, enum filter_field_id id,
                        const struct filter_token *at)
{
    const struct filter_field *field = filter_field_of(id);
    enum view_filter_scope scope = p->filter->scope;
    if (scope == VIEW_FILTER_MESSAGES && field->scope >= FILTER_CALL)
        return filter_fail(p, at, "%s is of a call, and here each message is looked at by itself",
                           field->name);
    if (scope != VIEW_FILTER_MESSAGES && field->scope == FILTER_LIST)
        return filter_fail(p, at,
                           "%s is of messages that are listed one by one; of calls there is "
                           "call.retransmissions > 0",
                           field->name);
    if (scope == VIEW_FILTER_CALLS && field->scope == FILTER_JUDGED)
        return filter_fail(p, at, "%s is what check finds, which only the screens know beforehand",
                           field->name);
    if (p->in_many && field->scope >= FILTER_CALL)
        return filter_fail(p, at, "%s is of the call: it stands outside of any(), all() and none()",
                           field->name);
    return true;
}

static bool take_field(struct filter_parser *p, struct filter_test *t)
{
    struct filter_token name = p->now;
    t->field = name.kind == FILTER_NAME ? filter_field_named(name.text) : FILTER_FIELD_COUNT;
    if (name.kind != FILTER_NAME)
        return filter_fail(p, &name, "a field was expected here");
    if (t->field == FILTER_FIELD_COUNT)
        return fail_unknown(p, &name);
    filter_advance(p, false);
    if (p->failed || !check_scope(p, t->field, &name))
        return false;
    if (t->field == FILTER_FIELD_HEADER)
        return take_header(p, t);
    if (p->now.kind == FILTER_OPEN_INDEX)
        return filter_fail(p, &p->now, "only header has a name in brackets");
    return true;
}

/* count(...) or len(...), the name of which was taken. */
static bool take_measure(struct filter_parser *p, struct filter_test *t)
{
    struct filter_token open = p->now;
    filter_advance(p, false);
    if (p->failed || !take_field(p, t))
        return false;
    if (p->now.kind != FILTER_CLOSE)
        return filter_fail(p, &open, "this parenthesis is not closed");
    enum filter_type type = filter_field_of(t->field)->type;
    if (t->measure == FILTER_HOW_LONG && type != FILTER_TEXT && type != FILTER_WORD)
        return filter_fail(p, &open, "%s is no text, and has no length",
                           filter_field_of(t->field)->name);
    filter_advance(p, false);
    return !p->failed;
}

/* A word that is no field, or a text in quotes. */
static bool take_text(struct filter_parser *p, struct filter_test *t)
{
    struct filter_token word = p->now;
    filter_advance(p, false);
    bool single = slice_is(p->now.text, "&") || slice_is(p->now.text, "|");
    bool asked = op_now(p) || p->now.kind == FILTER_SIGN || p->now.kind == FILTER_OPEN_INDEX;
    if (p->failed)
        return false;
    if (single && p->now.kind == FILTER_SIGN)
        return filter_fail(p, &p->now, "did you mean %s?", p->now.text.p[0] == '&' ? "&&" : "||");
    if (asked && word.kind == FILTER_STRING)
        return filter_fail(p, &word, "this is a text, and a field was expected before %.*s",
                           SLICE_ARG(p->now.text));
    if (asked || p->now.kind == FILTER_OPEN)
        return fail_unknown(p, &word);
    if (word.kind == FILTER_NAME && !check_bare(p, &word))
        return false;
    if (word.text.n == 0)
        return filter_fail(p, &word, "the text is empty");
    t->field = FILTER_FIELD_WHOLE;
    t->op = FILTER_CONTAINS;
    t->values = ARENA_NEW(&p->filter->arena, struct filter_value);
    t->values->text = word.text;
    t->value_count = 1;
    return true;
}

static bool opens(const struct filter_parser *p)
{
    struct slice rest = slice_trim(slice_from(p->text, p->at));
    return rest.n && rest.p[0] == '(';
}

static bool take_operand(struct filter_parser *p, struct filter_test *t)
{
    bool count = filter_now_is(p, "count"), len = filter_now_is(p, "len");
    if ((count || len) && opens(p)) {
        t->measure = count ? FILTER_HOW_MANY : FILTER_HOW_LONG;
        filter_advance(p, false);
        return take_measure(p, t) && take_op(p, t);
    }
    if (p->now.kind == FILTER_NAME && filter_field_named(p->now.text) < FILTER_FIELD_COUNT)
        return take_field(p, t) && take_op(p, t);
    if (op_now(p))
        return filter_fail(p, &p->now, "a field is missing before %.*s", SLICE_ARG(p->now.text));
    if (is_value(&p->now))
        return take_text(p, t);
    return filter_fail(p, &p->now,
                       p->now.kind == FILTER_END ? "a test is missing at the end"
                                                 : "a test was expected here");
}

struct filter_node *filter_take_test(struct filter_parser *p)
{
    struct filter_node *n = filter_node(p, FILTER_NODE_TEST);
    struct filter_token at = p->now;
    n->test = ARENA_NEW(&p->filter->arena, struct filter_test);
    if (++p->filter->test_count > VIEW_FILTER_TESTS_MAX)
        filter_fail(p, &at, "more than %u tests", VIEW_FILTER_TESTS_MAX);
    return !p->failed && take_operand(p, n->test) ? n : NULL;
}

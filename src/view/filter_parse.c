/* From an expression to a tree of tests.
 *
 *     expression = and *( "or" and )
 *     and        = term *( "and" term )
 *     term       = "not" term / "(" expression ")" / MANY "(" expression ")" / test
 *     test       = operand [ op value / [ "not" ] "in" "{" value *( [","] value ) "}"
 *                  / "exists" / "missing" ] / TEXT
 *     operand    = FIELD / "header" "[" NAME "]" / ( "count" / "len" ) "(" operand ")"
 */
#include "view/filter_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool filter_fail(struct filter_parser *p, const struct filter_token *at, const char *format, ...)
{
    va_list args;
    if (p->failed)
        return false;
    p->failed = true;
    va_start(args, format);
    vsnprintf(p->fault->text, sizeof p->fault->text, format, args);
    va_end(args);
    p->fault->at = at->at;
    p->fault->n = at->n;
    return false;
}

/* What is expected next is a value: brackets belong to it. */
void filter_advance(struct filter_parser *p, bool value)
{
    struct view_filter_fault fault;
    p->now = filter_next(&p->filter->arena, p->text, &p->at, value, &fault);
    if (p->now.kind != FILTER_BAD)
        return;
    filter_fail(p, &p->now, "%s", fault.text);
    p->now.kind = FILTER_END;
}

bool filter_accept(struct filter_parser *p, enum filter_token_kind kind)
{
    if (p->failed || p->now.kind != kind)
        return false;
    filter_advance(p, false);
    return true;
}

bool filter_now_is(const struct filter_parser *p, const char *word)
{
    return p->now.kind == FILTER_NAME && slice_equal_nocase(p->now.text, slice_of(word));
}

/* ---- the tree -------------------------------------------------------------------------------- */

struct filter_node *filter_node(struct filter_parser *p, enum filter_kind kind)
{
    struct filter_node *n = ARENA_NEW(&p->filter->arena, struct filter_node);
    n->kind = kind;
    return n;
}

static struct filter_node *take_expression(struct filter_parser *p);

/* Something in parentheses, the first of which was taken. */
static struct filter_node *take_inner(struct filter_parser *p, const struct filter_token *open)
{
    if (++p->depth > VIEW_FILTER_DEPTH_MAX)
        filter_fail(p, open, "more than %u parentheses and nots within each other",
                    VIEW_FILTER_DEPTH_MAX);
    struct filter_node *n = p->failed ? NULL : take_expression(p);
    p->depth--;
    if (!p->failed && p->now.kind != FILTER_CLOSE)
        filter_fail(p, p->now.kind == FILTER_END ? open : &p->now,
                    p->now.kind == FILTER_END ? "this parenthesis is not closed"
                                              : "and, or or ) was expected here");
    filter_accept(p, FILTER_CLOSE);
    return n;
}

/* any(...), all(...), none(...): what holds of the messages of the call taken together. */
static struct filter_node *take_many(struct filter_parser *p, const struct filter_token *name,
                                     enum filter_kind kind)
{
    struct view_filter *f = p->filter;
    struct filter_token open = p->now;
    if (f->scope == VIEW_FILTER_MESSAGES)
        filter_fail(p, name,
                    "%.*s() asks all messages of a call, and here each message is looked "
                    "at by itself",
                    SLICE_ARG(name->text));
    else if (p->in_many)
        filter_fail(p, name, "%.*s() within another one", SLICE_ARG(name->text));
    else if (f->many_count == VIEW_FILTER_MANY_MAX)
        filter_fail(p, name, "more than %u times any(), all() and none()", VIEW_FILTER_MANY_MAX);
    if (p->failed)
        return NULL;
    struct filter_node *n = filter_node(p, kind);
    n->index = f->many_count;
    f->many[f->many_count++] = n;
    filter_advance(p, false);
    p->in_many = true;
    n->first = take_inner(p, &open);
    p->in_many = false;
    return n;
}

/* A name with a parenthesis behind it. */
static bool is_many(const struct filter_parser *p, enum filter_kind *kind)
{
    static const char *const names[] = {"any", "all", "none"};
    struct slice rest = slice_trim(slice_from(p->text, p->at));
    if (rest.n == 0 || rest.p[0] != '(')
        return false;
    for (size_t i = 0; i < 3; i++)
        if (filter_now_is(p, names[i])) {
            *kind = FILTER_NODE_ANY + i;
            return true;
        }
    return false;
}

static struct filter_node *take_not(struct filter_parser *p)
{
    struct filter_token at = p->now;
    struct filter_node *n = filter_node(p, FILTER_NODE_NOT);
    filter_advance(p, false);
    if (++p->depth > VIEW_FILTER_DEPTH_MAX)
        filter_fail(p, &at, "more than %u parentheses and nots within each other",
                    VIEW_FILTER_DEPTH_MAX);
    n->first = filter_take_term(p);
    p->depth--;
    return n;
}

struct filter_node *filter_take_term(struct filter_parser *p)
{
    struct filter_token at = p->now;
    enum filter_kind kind;
    if (p->failed)
        return NULL;
    if (at.kind == FILTER_NOT)
        return take_not(p);
    if (filter_accept(p, FILTER_OPEN))
        return take_inner(p, &at);
    if (is_many(p, &kind)) {
        filter_advance(p, false);
        return take_many(p, &at, kind);
    }
    return filter_take_test(p);
}

/* Terms with the same word between them are one node's children. */
static struct filter_node *take_list(struct filter_parser *p, enum filter_token_kind between,
                                     enum filter_kind kind,
                                     struct filter_node *(*take)(struct filter_parser *))
{
    struct filter_node *first = take(p), **last;
    if (p->failed || p->now.kind != between)
        return first;
    struct filter_node *n = filter_node(p, kind);
    n->first = first;
    last = &first->next;
    while (filter_accept(p, between) && (*last = take(p)) != NULL)
        last = &(*last)->next;
    return n;
}

static struct filter_node *take_and(struct filter_parser *p)
{
    return take_list(p, FILTER_AND, FILTER_NODE_AND, filter_take_term);
}

static struct filter_node *take_expression(struct filter_parser *p)
{
    return take_list(p, FILTER_OR, FILTER_NODE_OR, take_and);
}

struct filter_node *filter_parse(struct view_filter *f, struct slice expression,
                                 struct view_filter_fault *fault)
{
    struct filter_parser p = {.filter = f, .fault = fault, .text = expression};
    filter_advance(&p, false);
    if (p.now.kind == FILTER_END)
        filter_fail(&p, &p.now, "the expression is empty");
    struct filter_node *n = take_expression(&p);
    if (!p.failed && p.now.kind == FILTER_CLOSE)
        filter_fail(&p, &p.now, "no parenthesis was opened that this one closes");
    else if (!p.failed && p.now.kind != FILTER_END)
        filter_fail(&p, &p.now,
                    "and or or is missing before this; a text of several words needs "
                    "quotes");
    return p.failed ? NULL : n;
}

/* What of an expression is known when: tests of a message as it passes, tests of the call when that
 * is over.  Where both stand in one expression, the tests of the call that stand side by side are a
 * group, and what each message leaves to be known is a function of the groups: a word with a bit
 * for each way in which they can turn out.  The words of all messages go together by or. */
#include "view/filter_internal.h"

#include <stdio.h>

/* What an answer costs: the index has the first, the message has to be read for the others. */
static unsigned cost_of(const struct filter_test *t)
{
    unsigned cost;
    switch (t->field) {
    case FILTER_FIELD_METHOD:
    case FILTER_FIELD_STATUS:
    case FILTER_FIELD_REQUEST:
    case FILTER_FIELD_RESPONSE:
    case FILTER_FIELD_SRC:
    case FILTER_FIELD_SRC_PORT:
    case FILTER_FIELD_DST:
    case FILTER_FIELD_DST_PORT:
    case FILTER_FIELD_ADDR:
    case FILTER_FIELD_PORT:
    case FILTER_FIELD_TRANSPORT:
    case FILTER_FIELD_POINT:
    case FILTER_FIELD_FRAME:
    case FILTER_FIELD_SIZE:
    case FILTER_FIELD_STATE:
    case FILTER_FIELD_RETRANSMISSION:
    case FILTER_FIELD_DUPLICATE:
        cost = 0;
        break;
    case FILTER_FIELD_BODY:
    case FILTER_FIELD_SDP:
    case FILTER_FIELD_WHOLE:
        cost = 4;
        break;
    default:
        cost = filter_field_is_of_call(t->field) ? 0 : 2;
    }
    return cost + 3 * (t->op == FILTER_MATCHES);
}

/* Cheap ones first; of those that cost the same the order stays. */
static void sort_children(struct filter_node *n)
{
    struct filter_node *rest = n->first;
    n->first = NULL;
    while (rest) {
        struct filter_node *one = rest, **at = &n->first;
        rest = rest->next;
        while (*at && (*at)->cost <= one->cost)
            at = &(*at)->next;
        one->next = *at;
        *at = one;
    }
}

static void look(struct filter_node *n)
{
    if (n->kind == FILTER_NODE_TEST) {
        n->of_call = filter_field_is_of_call(n->test->field);
        n->of_message = !n->of_call;
        n->cost = cost_of(n->test);
        return;
    }
    for (struct filter_node *c = n->first; c; c = c->next) {
        look(c);
        n->of_call |= c->of_call;
        n->of_message |= c->of_message;
        n->cost = c->cost > n->cost ? c->cost : n->cost;
    }
    if (n->kind >= FILTER_NODE_ANY && n->kind <= FILTER_NODE_NONE) {
        n->of_call = true;
        n->of_message = false;
        n->cost = 0;
    }
    sort_children(n);
}

static struct filter_node *group_new(struct view_filter *f, struct filter_node *inner)
{
    struct filter_node *n = ARENA_NEW(&f->arena, struct filter_node);
    n->kind = FILTER_NODE_GROUP;
    n->first = inner;
    n->index = f->group_count++;
    if (n->index < VIEW_FILTER_GROUPS_MAX)
        f->groups[n->index] = inner;
    return n;
}

/* The children that ask the call only become one. */
static void gather(struct view_filter *f, struct filter_node *n)
{
    struct filter_node *inner = ARENA_NEW(&f->arena, struct filter_node);
    struct filter_node **at = &n->first, **last = &inner->first;
    inner->kind = n->kind;
    while (*at) {
        struct filter_node *c = *at;
        if (c->of_message) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        c->next = NULL;
        *last = c;
        last = &c->next;
    }
    if (!inner->first)
        return;
    struct filter_node *group = group_new(f, inner->first->next ? inner : inner->first);
    group->next = n->first;
    n->first = group;
}

static void group(struct view_filter *f, struct filter_node *n)
{
    if (!n->of_call || !n->of_message)
        return;
    for (struct filter_node *c = n->first; c; c = c->next)
        group(f, c);
    gather(f, n);
}

bool filter_plan(struct view_filter *f, struct view_filter_fault *fault)
{
    look(f->root);
    group(f, f->root);
    if (f->group_count <= VIEW_FILTER_GROUPS_MAX)
        return true;
    snprintf(fault->text, sizeof fault->text,
             "more than %u tests of the call between tests of messages; put them side by side",
             VIEW_FILTER_GROUPS_MAX);
    fault->at = fault->n = 0;
    return false;
}

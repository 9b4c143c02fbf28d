/* What filter_parse.c and filter_test.c share. */
#ifndef VIEW_FILTER_PARSE_H
#define VIEW_FILTER_PARSE_H

#include "view/filter_internal.h"

struct filter_parser {
    struct view_filter *filter;
    struct view_filter_fault *fault;
    struct slice text;
    size_t at; /* behind: */
    struct filter_token now;
    unsigned depth;
    bool in_many;
    bool failed; /* the first mistake is told */
};

/* Returns false. */
bool filter_fail(struct filter_parser *p, const struct filter_token *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void filter_advance(struct filter_parser *p, bool value);
bool filter_accept(struct filter_parser *p, enum filter_token_kind kind);
bool filter_now_is(const struct filter_parser *p, const char *word);
struct filter_node *filter_node(struct filter_parser *p, enum filter_kind kind);
struct filter_node *filter_take_term(struct filter_parser *p);
struct filter_node *filter_take_test(struct filter_parser *p);

#endif

/* What the files of the filter share: tokens, tests, the tree of an expression. */
#ifndef VIEW_FILTER_INTERNAL_H
#define VIEW_FILTER_INTERNAL_H

#include "view/filter.h"

enum filter_type {
    FILTER_TEXT,
    FILTER_WORD,
    FILTER_NUMBER,
    FILTER_SPAN,
    FILTER_ADDRESS,
    FILTER_FLAG
};
enum filter_scope { FILTER_MESSAGE, FILTER_LIST, FILTER_CALL, FILTER_JUDGED };

enum filter_field_id {
#define FIELD(id, name, type, scope, words, about) FILTER_FIELD_##id,
#include "view/filter_fields.def"
#undef FIELD
    FILTER_FIELD_COUNT
};

struct filter_field {
    const char *name;
    enum filter_type type;
    enum filter_scope scope;
    const char *words; /* NULL: any */
};

const struct filter_field *filter_field_of(enum filter_field_id id);
/* FILTER_FIELD_COUNT: there is none */
enum filter_field_id filter_field_named(struct slice name);
const char *filter_field_next(size_t index); /* for nearest_word */
static inline bool filter_field_is_of_call(enum filter_field_id id)
{
    return filter_field_of(id)->scope >= FILTER_CALL;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

enum filter_token_kind {
    FILTER_END,
    FILTER_NAME,   /* a bare word */
    FILTER_STRING, /* what was in quotes, without its escapes */
    FILTER_OPEN,
    FILTER_CLOSE,
    FILTER_OPEN_SET,
    FILTER_CLOSE_SET,
    FILTER_OPEN_INDEX,
    FILTER_CLOSE_INDEX,
    FILTER_COMMA,
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_SIGN, /* == and the like */
    FILTER_BAD   /* fault->text says why */
};

struct filter_token {
    enum filter_token_kind kind;
    struct slice text; /* of a word or string its value, else as it is written */
    size_t at, n;      /* where it stands */
};

/* The token at *at, which moves behind it.  `value`: where a value is expected, brackets belong to
 * the word (an IPv6 address). */
struct filter_token filter_next(struct arena *a, struct slice text, size_t *at, bool value,
                                struct view_filter_fault *fault);

/* ---- tests ----------------------------------------------------------------------------------- */

enum filter_op {
    FILTER_EXISTS,
    FILTER_EQUALS, /* one of the values */
    FILTER_BELOW,
    FILTER_AT_MOST,
    FILTER_ABOVE,
    FILTER_AT_LEAST,
    FILTER_CONTAINS,
    FILTER_STARTS,
    FILTER_ENDS,
    FILTER_MATCHES,
};

enum filter_measure { FILTER_ITSELF, FILTER_HOW_MANY, FILTER_HOW_LONG };

struct filter_value {
    struct slice text;
    int64_t from, to; /* NUMBER, SPAN (ns): both included */
    struct address address;
    unsigned bits;
    uint16_t port; /* 0: any */
};

struct filter_test {
    enum filter_field_id field;
    enum filter_measure measure;
    enum filter_op op;
    bool negated; /* != and the like: there is a value, and none of them is so */
    struct slice header;
    bool many; /* the header is a pattern */
    struct filter_value *values;
    size_t value_count;
    struct pattern *pattern;
    uint32_t limited;
};

/* What the test's values are numbers or addresses or texts for. */
enum filter_type filter_test_type(const struct filter_test *t);
/* Reads a value as the test's field has it; false: *fault says what is wrong, without its place. */
bool filter_value_read(const struct filter_test *t, struct slice text, bool quoted,
                       struct filter_value *out, struct view_filter_fault *fault);

/* ---- the tree -------------------------------------------------------------------------------- */

enum filter_kind {
    FILTER_NODE_AND,
    FILTER_NODE_OR,
    FILTER_NODE_NOT,
    FILTER_NODE_TEST,
    FILTER_NODE_ANY, /* of the call's messages */
    FILTER_NODE_ALL,
    FILTER_NODE_NONE,
    FILTER_NODE_GROUP, /* the first child is known when the call is */
};

struct filter_node {
    enum filter_kind kind;
    struct filter_node *first, *next; /* children */
    struct filter_test *test;
    size_t index;             /* of what is of many messages, and of a group */
    unsigned cost;            /* the dearer come later */
    bool of_message, of_call; /* what is asked below it, but for what is of many messages */
};

struct filter_datum {
    struct slice text;
    int64_t number;
    const struct endpoint *endpoint;
    bool cut; /* the text may go on */
};

struct view_filter {
    struct arena arena;
    enum view_filter_scope scope;
    struct filter_node *root;
    struct filter_node *many[VIEW_FILTER_MANY_MAX];
    struct filter_node *groups[VIEW_FILTER_GROUPS_MAX];
    size_t many_count, group_count, test_count;
    VEC(struct pattern *) patterns;
    struct trace_filter hooks;
    const struct trace *trace;
    struct view_filter_stats stats;
    /* while something is asked */
    struct arena scratch;
    VEC(struct filter_datum) data;
};

/* filter_parse.c */
struct filter_node *filter_parse(struct view_filter *f, struct slice expression,
                                 struct view_filter_fault *fault);
/* filter_plan.c: what is asked of the call, and what comes first. */
bool filter_plan(struct view_filter *f, struct view_filter_fault *fault);

/* ---- asking ---------------------------------------------------------------------------------- */

struct filter_subject {
    const struct trace_seen *message; /* NULL: the call is asked */
    const struct sip_message *sip;    /* NULL: not read yet, or */
    bool unreadable;
    const struct call_summary *call;
    const struct trace_marks *marks;
    const struct view_filter_verdict *verdict;
};

/* Puts the values of the test's field into f->data.  True: there may be more that were not
 * captured.
 */
bool filter_fetch(struct view_filter *f, struct filter_subject *s, const struct filter_test *t);
enum view_filter_answer filter_ask(struct view_filter *f, struct filter_subject *s,
                                   struct filter_test *t);

#endif

/* What the files that read rules share. */
#ifndef EXPECT_RULE_INTERNAL_H
#define EXPECT_RULE_INTERNAL_H

#include "expect/internal.h"

/* A reading of rules. */
struct rule_reader {
    const char *name; /* of the file, or the option */
    struct expect_rules *rules;
    struct expect_mistakes *mistakes;
    struct slice id; /* of the rule being read; empty: not known yet */
    size_t found;    /* mistakes, those beyond the limit included */
};

/* "NAME:3:5: rule bye-queue: ...".  A place of 0:0 is left out.  Returns false. */
bool rule_mistake(struct rule_reader *r, struct json_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* rule_words.c: the parts of a rule that are written as words.  `fault` says what is wrong. */
bool rule_kind(struct arena *a, struct slice text, struct expect_kind *out, struct slice *fault);
bool rule_place(struct arena *a, struct slice text, struct expect_place *out, struct slice *fault);
bool rule_header(struct arena *a, struct slice text, struct expect_test *out, struct slice *fault);
bool rule_severity(struct slice text, enum expect_severity *out);
bool rule_way(struct slice text, enum expect_way *out);
bool rule_id_ok(struct slice id);
/* ", did you mean X?" or nothing */
struct slice rule_near(struct arena *a, struct slice word, const char *(*next)(size_t index));

/* Compiled, and freed with the rules. */
bool rule_regex(struct expect_rules *rules, struct slice text, bool ignore_case,
                struct expect_regex *out, struct pattern_fault *fault);

/* rule_values.c: values of keys.  Each says what is wrong, and then returns false. */
bool rule_mistake_type(struct rule_reader *r, const char *key, const char *expected,
                       const struct json *v);
bool rule_mistake_key(struct rule_reader *r, const struct json *member,
                      const char *(*next)(size_t index));
/* A string; a number or true as it is written, since a header's value is text. */
bool rule_text(struct rule_reader *r, const char *key, const struct json *v, struct slice *out);
bool rule_texts(struct rule_reader *r, const char *key, const struct json *v,
                struct expect_list *out);
bool rule_bool(struct rule_reader *r, const char *key, const struct json *v, bool *out);
bool rule_range(struct rule_reader *r, const char *key, const struct json *v,
                struct expect_range *out);
/* The elements of an array, of which there has to be one; or the one value. */
bool rule_some(struct rule_reader *r, const char *key, const struct json *v, size_t *n);
const struct json *rule_first(const struct json *v);
const struct json *rule_next(const struct json *v, const struct json *element);

/* rule_fields.c: one rule from its object. */
bool rule_read(struct rule_reader *r, const struct json *object, struct expect_rule *out);

/* rule_sense.c: assertions that contradict each other, and what is meant where nothing is said.
 * `object`: where the keys stand; NULL: the rule has a line only. */
bool rule_check_sense(struct rule_reader *r, const struct json *object, struct expect_rule *rule);
void rule_compile(struct rule_reader *r, const struct json *object, struct expect_test *t);
bool rule_check_test(struct rule_reader *r, const struct json *object, struct expect_test *t);

#endif

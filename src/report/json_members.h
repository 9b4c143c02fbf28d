/* Members of JSON objects, as the files that write them have in common. */
#ifndef REPORT_JSON_MEMBERS_H
#define REPORT_JSON_MEMBERS_H

#include "report/internal.h"

#define CALL_DEPTH 2 /* of a call's object: in the array "calls" of the root */

static inline void write_string(struct json_writer *w, const char *key, struct slice s)
{
    json_add_key(w, key);
    json_add_string(w, s);
}

/* What the captures do not tell is null. */
static inline void write_string_or_null(struct json_writer *w, const char *key, bool there,
                                        struct slice s)
{
    json_add_key(w, key);
    if (there)
        json_add_string(w, s);
    else
        json_add_null(w);
}

static inline void write_known(struct json_writer *w, const char *key, struct slice s)
{
    write_string_or_null(w, key, s.n > 0, s);
}

static inline void write_cstring(struct json_writer *w, const char *key, const char *s)
{
    write_string(w, key, slice_of(s));
}

static inline void write_uint(struct json_writer *w, const char *key, uint64_t n)
{
    json_add_key(w, key);
    json_add_uint(w, n);
}

static inline void write_uint_or_null(struct json_writer *w, const char *key, bool there,
                                      uint64_t n)
{
    json_add_key(w, key);
    if (there)
        json_add_uint(w, n);
    else
        json_add_null(w);
}

static inline void write_bool(struct json_writer *w, const char *key, bool b)
{
    json_add_key(w, key);
    json_add_bool(w, b);
}

static inline void write_strings(struct json_writer *w, const char *key, const struct slice *items,
                                 size_t n)
{
    json_add_key(w, key);
    bool pretty = w->pretty;
    w->pretty = false; /* reads better on one line */
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_add_string(w, items[i]);
    json_end_array(w);
    w->pretty = pretty;
}

/* What follows stands on one line, until lines(): small arrays and objects read better so. */
static inline void flat(struct json_writer *w)
{
    w->pretty = false;
}

static inline void lines(struct json_writer *w)
{
    w->pretty = !w->one_line;
}

/* Of a rule: id, file and line; and the member "rule" with these. */
void report_json_rule_place(struct json_writer *w, const struct expect_rule *rule);
void report_json_rule(struct json_writer *w, const struct expect_rule *rule);

#endif

/* JSON in: a file or buffer becomes a tree in which each value knows its place; only base/json.c
 * includes cJSON, and base/yaml.h reads YAML to the same tree.  Out: a small writer that streams,
 * so that a report is never held in memory as a tree. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"
#include "base/slice.h"
#include "base/text.h"

/* ---- reading -------------------------------------------------------------------------------- */

struct json; /* one value; lives until json_free of the root */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Where something begins in its file; from 1, columns in characters. */
struct json_place {
    unsigned line, column;
};

/* The whole of `bytes` as one JSON text.  Errors name `name`, line and column.  A UTF-8 byte order
 * mark is skipped; anything but white space after the value is an error, and so is a key that
 * stands twice in one object. */
struct json *json_parse(const char *name, struct slice bytes, struct err *err);
struct json *json_read_file(const char *path, struct err *err); /* "-" is standard input */
void json_free(struct json *root);

enum json_type json_type(const struct json *v);
const char *json_type_name(enum json_type type); /* "a string", "an object", ... */
const struct json *json_get(const struct json *object, const char *key); /* NULL: not there */
const struct json *json_child(const struct json *v); /* first element or member */
const struct json *json_next(const struct json *v);  /* next sibling */
const char *json_key(const struct json *member);     /* its name in its object; else NULL */
struct slice json_string(const struct json *v);      /* empty unless JSON_STRING */
/* A string, or another scalar as it is written: 0012 and +15105550100 are numbers to YAML, and a
 * header's value to its user.  Empty for arrays and objects. */
struct slice json_scalar(const struct json *v);
double json_number(const struct json *v);
bool json_bool(const struct json *v);
struct json_place json_place(const struct json *v);
struct json_place json_key_place(const struct json *member); /* of its name; 0:0: it has none */

/* ---- writing -------------------------------------------------------------------------------- */

/* Commas and nesting are kept by the writer; `pretty` breaks lines and indents by two. */
struct json_writer {
    struct text *out;
    unsigned depth;
    bool pretty;
    bool one_line; /* pretty stays off: for callers that turn it on and off */
    bool fresh;    /* nothing was written yet in the open array or object */
    bool after_key;
};

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_add_key(struct json_writer *w, const char *key);
void json_add_string(struct json_writer *w, struct slice s);
void json_add_cstring(struct json_writer *w, const char *s); /* NULL writes null */
void json_add_uint(struct json_writer *w, uint64_t n);
void json_add_bool(struct json_writer *w, bool b);
void json_add_null(struct json_writer *w);

#endif

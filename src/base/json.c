/* JSON: cJSON reads (it is included here only), a streaming writer writes. */
#include "base/json.h"

#include "base/tree.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading: errors with their place -------------------------------------------------------- */

static bool fail_at(struct err *err, const char *name, struct slice text, size_t at,
                    const char *what)
{
    struct json_place place = {1, 1};
    for (size_t i = 0; i < at && i < text.n; i++)
        tree_advance(&place, text.p[i]);
    return err_set(err, "%s:%u:%u: %s", name, place.line, place.column, what);
}

static bool is_json_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Does the quote before `at` open a string?  What stands before an error is well-formed, so
 * counting will do. */
static bool string_opens_before(struct slice text, size_t at)
{
    bool open = false;
    for (size_t i = 0; i < at; i++) {
        if (open && text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            open = !open;
    }
    return open && at && text.p[at - 1] == '"';
}

/* cJSON says where it stopped.  That is the offending byte, but for two cases: a string without an
 * end gives the byte after its quote, and a member without a quoted name the byte after the
 * offending one. */
static size_t cjson_error_place(struct slice text, size_t at)
{
    if (at == 0 || at > text.n || is_json_space(text.p[at - 1]))
        return at;
    if (string_opens_before(text, at))
        return at < text.n && text.p[at] == '\\' ? at : at - 1; /* a bad escape is its own place */
    size_t before = at - 1;
    while (before && is_json_space(text.p[before - 1]))
        before--;
    char bad = text.p[at - 1], opener = before ? text.p[before - 1] : '\0';
    if (opener == '{' ? bad == '}' : opener != ',')
        return at; /* the byte stands right, it closes an empty object or comes after a value */
    return strchr("{[0123456789", bad) ? at : at - 1; /* a value may begin or be whole with these */
}

static bool fail_syntax(struct err *err, const char *name, struct slice text, size_t cjson_at)
{
    size_t at = cjson_error_place(text, cjson_at);
    char what[64];
    if (slice_trim(text).n == 0)
        return err_set(err, "%s: empty, JSON was expected", name);
    if (at >= text.n)
        return fail_at(err, name, text, text.n, "not valid JSON: it ends too early");
    if (text.p[at] == '"' && at + 1 == cjson_at)
        return fail_at(err, name, text, at, "not valid JSON: a string without an end");
    unsigned char c = (unsigned char)text.p[at];
    snprintf(what, sizeof what,
             c >= 0x20 && c < 0x7f ? "not valid JSON: unexpected '%c'"
                                   : "not valid JSON: unexpected byte 0x%02x",
             c);
    return fail_at(err, name, text, at, what);
}

/* cJSON keeps strings NUL-terminated: a NUL, written as such or as \u0000, would cut one in
 * silence. */
static bool check_no_nul(struct err *err, const char *name, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\0')
            return fail_at(err, name, text, i, "not valid JSON: a NUL byte (is this a text file?)");
        if (text.p[i] != '\\')
            continue;
        if (slice_starts(slice_from(text, i), SLICE("\\u0000")))
            return fail_at(err, name, text, i, "a string with \\u0000 is refused");
        i++; /* the escaped byte: a second backslash starts no escape */
        if (i < text.n && text.p[i] == '\0')
            return fail_at(err, name, text, i, "not valid JSON: a NUL byte (is this a text file?)");
    }
    return true;
}

/* ---- reading: the tree ----------------------------------------------------------------------- */

/* Goes over text that cJSON took, to find where each value stands. */
struct walk {
    struct slice rest;
    struct json_place at;
    struct tree *tree;
};

static char peek(const struct walk *w)
{
    return w->rest.n ? w->rest.p[0] : '\0';
}

static void step(struct walk *w)
{
    if (w->rest.n)
        tree_advance(&w->at, w->rest.p[0]);
    w->rest = slice_from(w->rest, 1);
}

/* What parts values; cJSON takes each byte up to the space for white space. */
static void skip_between(struct walk *w)
{
    while (w->rest.n && ((unsigned char)peek(w) <= ' ' || peek(w) == ',' || peek(w) == ':'))
        step(w);
}

static void skip_string(struct walk *w)
{
    step(w);
    for (; w->rest.n && peek(w) != '"'; step(w))
        if (peek(w) == '\\')
            step(w);
    step(w);
}

/* A number or a literal, which it returns. */
static struct slice skip_word(struct walk *w)
{
    struct slice word = w->rest;
    while (w->rest.n && (unsigned char)peek(w) > ' ' && !strchr(",:]}", peek(w)))
        step(w);
    return slice_first(word, word.n - w->rest.n);
}

static void take_scalar(struct walk *w, const cJSON *from, struct json *to)
{
    if (cJSON_IsString(from)) {
        to->type = JSON_STRING;
        to->text = arena_copy(&w->tree->arena, slice_of(from->valuestring));
        skip_string(w);
        return;
    }
    to->type = cJSON_IsBool(from) ? JSON_BOOL : cJSON_IsNumber(from) ? JSON_NUMBER : JSON_NULL;
    to->number = cJSON_IsNumber(from) ? from->valuedouble : 0;
    to->boolean = cJSON_IsTrue(from);
    to->text = arena_copy(&w->tree->arena, skip_word(w));
}

/* The depth of the recursion is bounded by cJSON's nesting limit. */
static void take_value(struct walk *w, const cJSON *from, struct json *to)
{
    skip_between(w);
    to->place = w->at;
    if (!cJSON_IsObject(from) && !cJSON_IsArray(from)) {
        take_scalar(w, from, to);
        return;
    }
    to->type = cJSON_IsObject(from) ? JSON_OBJECT : JSON_ARRAY;
    step(w);
    for (const cJSON *c = from->child; c; c = c->next) {
        struct json *child = tree_add(w->tree, to);
        if (c->string) {
            skip_between(w);
            child->key_place = w->at;
            child->key = arena_copy(&w->tree->arena, slice_of(c->string)).p;
            skip_string(w);
        }
        take_value(w, c, child);
    }
    skip_between(w);
    step(w);
}

static struct json *parse_terminated(const char *name, struct slice text, struct err *err)
{
    const char *stop = text.p;
    cJSON *root = cJSON_ParseWithLengthOpts(text.p, text.n + 1, &stop, true);
    if (!root) {
        fail_syntax(err, name, text, (size_t)(stop - text.p));
        return NULL;
    }
    struct walk w = {text, {1, 1}, tree_new()};
    take_value(&w, root, &w.tree->root);
    cJSON_Delete(root);
    return tree_finish(w.tree, name, err);
}

struct json *json_parse(const char *name, struct slice bytes, struct err *err)
{
    struct text copy = {
        0}; /* cJSON wants to see a NUL at the end to refuse what follows the value */
    struct json *root = NULL;
    bytes = tree_without_mark(bytes);
    text_add(&copy, bytes);
    if (check_no_nul(err, name, bytes))
        root = parse_terminated(name, text_slice(&copy), err);
    text_free(&copy);
    return root;
}

struct json *json_read_file(const char *path, struct err *err)
{
    struct text bytes = {0};
    const char *name = tree_file_name(path);
    struct json *root =
        tree_read_file(path, &bytes, err) ? json_parse(name, text_slice(&bytes), err) : NULL;
    text_free(&bytes);
    return root;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void new_line(struct json_writer *w)
{
    if (!w->pretty)
        return;
    text_add_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        text_add(w->out, SLICE("  "));
}

/* At depth 0 nothing separates values: a caller that writes one per line ends each line itself. */
static void before_item(struct json_writer *w)
{
    if (w->depth) {
        if (!w->fresh)
            text_add_char(w->out, ',');
        new_line(w);
    }
    w->fresh = false;
}

static void before_value(struct json_writer *w)
{
    if (w->after_key)
        w->after_key = false;
    else
        before_item(w);
}

static void begin(struct json_writer *w, char bracket)
{
    before_value(w);
    text_add_char(w->out, bracket);
    w->depth++;
    w->fresh = true;
}

static void end(struct json_writer *w, char bracket)
{
    bool empty = w->fresh;
    w->depth--;
    if (!empty)
        new_line(w);
    text_add_char(w->out, bracket);
    w->fresh = false;
}

void json_begin_object(struct json_writer *w)
{
    begin(w, '{');
}

void json_end_object(struct json_writer *w)
{
    end(w, '}');
}

void json_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void json_end_array(struct json_writer *w)
{
    end(w, ']');
}

void json_add_key(struct json_writer *w, const char *key)
{
    before_item(w);
    text_add_json(w->out, slice_of(key));
    text_add(w->out, w->pretty ? SLICE(": ") : SLICE(":"));
    w->after_key = true;
}

void json_add_string(struct json_writer *w, struct slice s)
{
    before_value(w);
    text_add_json(w->out, s);
}

void json_add_cstring(struct json_writer *w, const char *s)
{
    if (s)
        json_add_string(w, slice_of(s));
    else
        json_add_null(w);
}

void json_add_uint(struct json_writer *w, uint64_t n)
{
    before_value(w);
    text_printf(w->out, "%llu", (unsigned long long)n);
}

void json_add_bool(struct json_writer *w, bool b)
{
    before_value(w);
    text_add(w->out, b ? SLICE("true") : SLICE("false"));
}

void json_add_null(struct json_writer *w)
{
    before_value(w);
    text_add(w->out, SLICE("null"));
}

/* JSON: cJSON reads (it is included here only), a streaming writer writes. */
#include "base/json.h"

#include "base/arena.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_FILE_MAX                                                                              \
    ((size_t)64 << 20) /* no configuration is larger: a wrong file (a capture) is */

/* ---- reading: errors with their place -------------------------------------------------------- */

static bool fail_at(struct err *err, const char *name, struct slice text, size_t at,
                    const char *what)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at && i < text.n; i++)
        if (text.p[i] == '\n') {
            line++;
            start = i + 1;
        }
    return err_set(err, "%s:%zu:%zu: %s", name, line, at - start + 1, what);
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

static const cJSON *node(const struct json *v)
{
    return (const cJSON *)(const void *)v;
}

static const struct json *json_of(const cJSON *n)
{
    return (const struct json *)(const void *)n;
}

static int compare_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A key that occurs twice in an object, or NULL.  Sorted, since an object may be hostile and long.
 */
static const char *duplicate_key(const cJSON *object)
{
    size_t n = 0, count = 0;
    const char *found = NULL;
    for (const cJSON *m = object->child; m; m = m->next)
        count++;
    const char **keys = base_alloc(count * sizeof *keys);
    for (const cJSON *m = object->child; m; m = m->next)
        keys[n++] = m->string;
    qsort(keys, n, sizeof *keys, compare_key);
    for (size_t i = 1; i < n && !found; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            found = keys[i];
    free(keys);
    return found;
}

/* Parsers differ in which of two equal keys wins (RFC 8259 section 4), so that what LiveKit made of
 * such a file is not known.  The depth of the recursion is bounded by cJSON's nesting limit. */
static bool check_keys(struct err *err, const char *name, const cJSON *v)
{
    const char *twice = cJSON_IsObject(v) ? duplicate_key(v) : NULL;
    if (twice)
        return err_set(err, "%s: the key \"%s\" stands twice in one object", name, twice);
    if (!cJSON_IsObject(v) && !cJSON_IsArray(v))
        return true;
    for (const cJSON *child = v->child; child; child = child->next)
        if (!check_keys(err, name, child))
            return false;
    return true;
}

static struct json *parse_terminated(const char *name, struct slice text, struct err *err)
{
    const char *stop = text.p;
    cJSON *root = cJSON_ParseWithLengthOpts(text.p, text.n + 1, &stop, true);
    if (!root) {
        fail_syntax(err, name, text, (size_t)(stop - text.p));
        return NULL;
    }
    if (!check_keys(err, name, root)) {
        cJSON_Delete(root);
        return NULL;
    }
    return (struct json *)(void *)root;
}

struct json *json_parse(const char *name, struct slice bytes, struct err *err)
{
    struct text copy = {
        0}; /* cJSON wants to see a NUL at the end to refuse what follows the value */
    struct json *root = NULL;
    if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
        bytes = slice_from(bytes, 3);
    text_add(&copy, bytes);
    if (check_no_nul(err, name, bytes))
        root = parse_terminated(name, text_slice(&copy), err);
    text_free(&copy);
    return root;
}

static bool read_all(FILE *f, const char *name, struct text *out, struct err *err)
{
    char chunk[16384];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        text_add(out, (struct slice){chunk, n});
        if (out->n > JSON_FILE_MAX)
            return err_set(err, "%s: larger than 64 MiB: this is no configuration", name);
    }
    if (ferror(f))
        return err_set(err, "%s: cannot read: %s", name, strerror(errno));
    return true;
}

struct json *json_read_file(const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    FILE *f = standard ? stdin : fopen(path, "rb");
    struct json *root = NULL;
    struct text bytes = {0};
    if (!f) {
        err_set(err, "%s: cannot open: %s", name, strerror(errno));
        return NULL;
    }
    if (read_all(f, name, &bytes, err))
        root = json_parse(name, text_slice(&bytes), err);
    text_free(&bytes);
    if (!standard)
        fclose(f);
    return root;
}

void json_free(struct json *root)
{
    cJSON_Delete((cJSON *)(void *)root);
}

enum json_type json_type(const struct json *v)
{
    const cJSON *n = node(v);
    return cJSON_IsBool(n)     ? JSON_BOOL
           : cJSON_IsNumber(n) ? JSON_NUMBER
           : cJSON_IsString(n) ? JSON_STRING
           : cJSON_IsArray(n)  ? JSON_ARRAY
           : cJSON_IsObject(n) ? JSON_OBJECT
                               : JSON_NULL;
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "true or false", [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",     [JSON_OBJECT] = "an object"};
    return names[type];
}

const struct json *json_get(const struct json *object, const char *key)
{
    return json_of(
        cJSON_IsObject(node(object)) ? cJSON_GetObjectItemCaseSensitive(node(object), key) : NULL);
}

const struct json *json_child(const struct json *v)
{
    return json_of(node(v)->child);
}

const struct json *json_next(const struct json *v)
{
    return json_of(node(v)->next);
}

const char *json_key(const struct json *member)
{
    return node(member)->string;
}

struct slice json_string(const struct json *v)
{
    return cJSON_IsString(node(v)) ? slice_of(node(v)->valuestring) : SLICE_NONE;
}

double json_number(const struct json *v)
{
    return cJSON_IsNumber(node(v)) ? node(v)->valuedouble : 0;
}

bool json_bool(const struct json *v)
{
    return cJSON_IsTrue(node(v));
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

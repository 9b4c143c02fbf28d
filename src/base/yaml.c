/* YAML by libyaml's events, as the tree that JSON gives too. */
#include "base/yaml.h"

#include "base/tree.h"
#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* What an alias may stand for: complete, so that nothing can hold itself. */
struct anchor {
    struct slice name;
    const struct json *value;
};

struct reader {
    yaml_parser_t parser;
    const char *name;
    struct err *err;
    struct tree *tree;
    unsigned depth;
    uint32_t values;
    VEC(struct anchor) anchors;
};

/* ---- errors ---------------------------------------------------------------------------------- */

static struct json_place place_of(const yaml_mark_t *mark)
{
    return (struct json_place){(unsigned)mark->line + 1, (unsigned)mark->column + 1};
}

static bool fail_at(struct reader *r, const yaml_mark_t *mark, const char *what)
{
    struct json_place at = place_of(mark);
    return err_set(r->err, "%s:%u:%u: %s", r->name, at.line, at.column, what);
}

static bool fail_limit(struct reader *r, const yaml_event_t *e, const char *what, unsigned limit)
{
    char text[96];
    snprintf(text, sizeof text, what, limit);
    return fail_at(r, &e->start_mark, text);
}

/* Bytes that are no text: libyaml tells their offset only. */
static bool fail_bytes(struct reader *r, struct slice bytes)
{
    struct json_place at = {1, 1};
    for (size_t i = 0; i < r->parser.problem_offset && i < bytes.n; i++)
        tree_advance(&at, bytes.p[i]);
    return err_set(r->err, "%s:%u:%u: not valid YAML: %s", r->name, at.line, at.column,
                   r->parser.problem);
}

static bool fail_syntax(struct reader *r, struct slice bytes)
{
    const yaml_parser_t *p = &r->parser;
    struct json_place at = place_of(&p->problem_mark);
    if (p->error == YAML_READER_ERROR)
        return fail_bytes(r, bytes);
    if (p->error == YAML_MEMORY_ERROR)
        base_oom();
    if (!p->context)
        return err_set(r->err, "%s:%u:%u: not valid YAML: %s", r->name, at.line, at.column,
                       p->problem);
    struct json_place from = place_of(&p->context_mark);
    return err_set(r->err, "%s:%u:%u: not valid YAML: %s, %s that begins at line %u, column %u",
                   r->name, at.line, at.column, p->problem, p->context, from.line, from.column);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool is_any(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(s, *words))
            return true;
    return false;
}

static size_t digits(struct slice s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

/* [-+]? ( [0-9]+ ( . [0-9]* )? | . [0-9]+ ) ( [eE] [-+]? [0-9]+ )?  (YAML 1.2.2, 10.3.2) */
static bool is_decimal(struct slice s)
{
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = slice_from(s, 1);
    size_t whole = digits(s), part = 0;
    s = slice_from(s, whole);
    if (s.n && s.p[0] == '.') {
        part = digits(slice_from(s, 1));
        s = slice_from(s, part + 1);
    }
    if (whole + part == 0)
        return false;
    if (s.n && (s.p[0] == 'e' || s.p[0] == 'E')) {
        s = slice_from(s, 1);
        if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
            s = slice_from(s, 1);
        return s.n && digits(s) == s.n;
    }
    return s.n == 0;
}

/* 0o17 and 0x1f; the base, or 0. */
static int based(struct slice s)
{
    const char *allowed = slice_starts(s, SLICE("0o"))   ? "01234567"
                          : slice_starts(s, SLICE("0x")) ? "0123456789abcdefABCDEF"
                                                         : "";
    for (size_t i = 2; i < s.n; i++)
        if (!strchr(allowed, s.p[i]))
            return 0;
    return s.n < 3 || !*allowed ? 0 : strlen(allowed) == 8 ? 8 : 16;
}

static void type_plain(struct json *v)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    v->type = JSON_STRING;
    if (is_any(v->text, nulls)) {
        v->type = JSON_NULL;
    } else if (is_any(v->text, trues) || is_any(v->text, falses)) {
        v->type = JSON_BOOL;
        v->boolean = is_any(v->text, trues);
    } else if (is_decimal(v->text)) {
        v->type = JSON_NUMBER;
        v->number = strtod(v->text.p, NULL);
    } else if (based(v->text)) {
        v->type = JSON_NUMBER;
        v->number = (double)strtoull(v->text.p + 2, NULL, based(v->text));
    }
}

static bool is_tag(const yaml_char_t *tag, const char *type)
{
    const char *prefix = YAML_STR_TAG;
    size_t n = sizeof YAML_STR_TAG - sizeof "str";
    return strncmp((const char *)tag, prefix, n) == 0 && strcmp((const char *)tag + n, type) == 0;
}

/* Tags that say what is read anyway; any other may mean anything. */
static bool check_tag(struct reader *r, const yaml_event_t *e, const yaml_char_t *tag)
{
    static const char *const types[] = {"str", "int", "float", "bool", "null", "map", "seq"};
    bool known = !tag || strcmp((const char *)tag, "!") == 0; /* "!": as it is quoted */
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        known = known || is_tag(tag, types[i]);
    return known || fail_at(r, &e->start_mark, "a tag of this kind is refused");
}

/* Keys are kept NUL-terminated, and nothing that is configured has a NUL in it. */
static bool scalar_text(struct reader *r, const yaml_event_t *e, struct slice *out)
{
    struct slice text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    if (memchr(text.p, '\0', text.n))
        return fail_at(r, &e->start_mark, "a string with a NUL is refused");
    *out = arena_copy(&r->tree->arena, text);
    return true;
}

static bool take_scalar(struct reader *r, const yaml_event_t *e, struct json *v)
{
    const yaml_char_t *tag = e->data.scalar.tag;
    if (!check_tag(r, e, tag) || !scalar_text(r, e, &v->text))
        return false;
    v->type = JSON_STRING;
    if (tag ? strcmp((const char *)tag, "!") != 0 && !is_tag(tag, "str")
            : e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        type_plain(v);
    return true;
}

/* ---- aliases --------------------------------------------------------------------------------- */

static bool keep_anchor(struct reader *r, const yaml_event_t *e, const yaml_char_t *name,
                        const struct json *v)
{
    if (!name)
        return true;
    if (r->anchors.n == YAML_ANCHORS_MAX)
        return fail_limit(r, e, "more than %u anchors", YAML_ANCHORS_MAX);
    struct slice copy = arena_copy(&r->tree->arena, slice_of((const char *)name));
    *vec_add(&r->anchors) = (struct anchor){copy, v};
    return true;
}

static bool keep_key_anchor(struct reader *r, const yaml_event_t *e, struct slice key)
{
    struct json *v = ARENA_NEW(&r->tree->arena, struct json);
    *v = (struct json){.type = JSON_STRING, .text = key, .place = place_of(&e->start_mark)};
    return keep_anchor(r, e, e->data.scalar.anchor, v);
}

static bool count_value(struct reader *r, const yaml_event_t *e)
{
    return ++r->values <= YAML_VALUES_MAX ||
           fail_limit(r, e, "more than %u values (an alias counts as what it stands for)",
                      YAML_VALUES_MAX);
}

/* A value of another as it is; key and siblings stay the copy's own. */
static bool copy_value(struct reader *r, const yaml_event_t *e, const struct json *from,
                       struct json *to)
{
    to->type = from->type;
    to->boolean = from->boolean;
    to->number = from->number;
    to->text = from->text;
    to->place = from->place;
    for (const struct json *c = from->child; c; c = c->next) {
        struct json *child = tree_add(r->tree, to);
        child->key = c->key;
        child->key_place = c->key_place;
        if (!count_value(r, e) || !copy_value(r, e, c, child))
            return false;
    }
    return true;
}

static unsigned depth_of(const struct json *v)
{
    unsigned deepest = 0;
    for (const struct json *c = v->child; c; c = c->next) {
        unsigned d = depth_of(c);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + (v->type == JSON_ARRAY || v->type == JSON_OBJECT);
}

/* The last anchor of that name counts (YAML 1.2.2, 7.1). */
static bool take_alias(struct reader *r, const yaml_event_t *e, struct json *v)
{
    struct slice name = slice_of((const char *)e->data.alias.anchor);
    size_t i = r->anchors.n;
    while (i && !slice_equal(r->anchors.items[i - 1].name, name))
        i--;
    if (!i)
        return fail_at(r, &e->start_mark, "an alias without an anchor before it");
    if (r->depth + depth_of(r->anchors.items[i - 1].value) > YAML_DEPTH_MAX)
        return fail_limit(r, e, "nested deeper than %u levels", YAML_DEPTH_MAX);
    return copy_value(r, e, r->anchors.items[i - 1].value, v);
}

/* ---- the tree -------------------------------------------------------------------------------- */

static bool take_value(struct reader *r, const yaml_event_t *e, struct json *v, struct slice bytes);

static bool next_event(struct reader *r, yaml_event_t *e, struct slice bytes)
{
    bool ok = yaml_parser_parse(&r->parser, e);
    return ok || fail_syntax(r, bytes);
}

static bool take_key(struct reader *r, const yaml_event_t *e, struct json *member)
{
    struct slice key = SLICE_NONE;
    if (e->type != YAML_SCALAR_EVENT)
        return fail_at(r, &e->start_mark, "a key must be a string");
    if (!check_tag(r, e, e->data.scalar.tag) || !scalar_text(r, e, &key))
        return false;
    if (e->data.scalar.anchor && !keep_key_anchor(r, e, key))
        return false;
    member->key = key.p;
    member->key_place = place_of(&e->start_mark);
    return true;
}

/* The next element or member of `parent`; *more is false at its end. */
static bool take_child(struct reader *r, struct json *parent, bool *more, struct slice bytes)
{
    yaml_event_t e = {0};
    if (!next_event(r, &e, bytes))
        return false;
    *more = e.type != YAML_SEQUENCE_END_EVENT && e.type != YAML_MAPPING_END_EVENT;
    struct json *child = *more ? tree_add(r->tree, parent) : NULL;
    bool ok = true;
    if (child && parent->type == JSON_OBJECT) {
        ok = take_key(r, &e, child);
        yaml_event_delete(&e);
        if (!ok || !next_event(r, &e, bytes))
            return false;
    }
    ok = !child || take_value(r, &e, child, bytes);
    yaml_event_delete(&e);
    return ok;
}

static bool take_children(struct reader *r, const yaml_event_t *e, struct json *v,
                          struct slice bytes)
{
    bool more = true;
    if (r->depth == YAML_DEPTH_MAX)
        return fail_limit(r, e, "nested deeper than %u levels", YAML_DEPTH_MAX);
    r->depth++;
    while (more)
        if (!take_child(r, v, &more, bytes))
            return false;
    r->depth--;
    return true;
}

static bool take_value(struct reader *r, const yaml_event_t *e, struct json *v, struct slice bytes)
{
    const yaml_char_t *anchor = NULL;
    bool ok;
    v->place = place_of(&e->start_mark);
    if (!count_value(r, e))
        return false;
    if (e->type == YAML_ALIAS_EVENT)
        return take_alias(r, e, v);
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        ok = take_scalar(r, e, v);
    } else {
        bool map = e->type == YAML_MAPPING_START_EVENT;
        anchor = map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
        v->type = map ? JSON_OBJECT : JSON_ARRAY;
        ok = check_tag(r, e, map ? e->data.mapping_start.tag : e->data.sequence_start.tag) &&
             take_children(r, e, v, bytes);
    }
    return ok && keep_anchor(r, e, anchor, v);
}

/* Passes over the events before and after the one document. */
static bool take_document(struct reader *r, struct slice bytes)
{
    yaml_event_t e = {0};
    bool found = false, more = true, ok = true;
    while (ok && more) {
        if (!next_event(r, &e, bytes))
            return false;
        more = e.type != YAML_STREAM_END_EVENT;
        if (e.type == YAML_DOCUMENT_START_EVENT && found)
            ok = fail_at(r, &e.start_mark, "a second document: one is read");
        else if (e.type == YAML_SCALAR_EVENT || e.type == YAML_SEQUENCE_START_EVENT ||
                 e.type == YAML_MAPPING_START_EVENT || e.type == YAML_ALIAS_EVENT)
            ok = take_value(r, &e, &r->tree->root, bytes);
        found |= e.type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&e);
    }
    return ok && (found || err_set(r->err, "%s: empty, YAML was expected", r->name));
}

struct json *yaml_parse(const char *name, struct slice bytes, struct err *err)
{
    struct reader r = {.name = name, .err = err, .tree = tree_new()};
    bytes = tree_without_mark(bytes);
    if (!yaml_parser_initialize(&r.parser))
        base_oom();
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes.p, bytes.n);
    bool ok = take_document(&r, bytes);
    yaml_parser_delete(&r.parser);
    vec_free(&r.anchors);
    if (ok)
        return tree_finish(r.tree, name, err);
    tree_free(r.tree);
    return NULL;
}

static bool ends_in(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);
    return n >= k && strcmp(path + n - k, suffix) == 0;
}

static bool is_json(const char *path, struct slice bytes)
{
    struct slice text = slice_trim(tree_without_mark(bytes));
    if (ends_in(path, ".json"))
        return true;
    return !ends_in(path, ".yaml") && !ends_in(path, ".yml") && text.n &&
           (text.p[0] == '{' || text.p[0] == '[');
}

struct json *yaml_read_file(const char *path, struct err *err)
{
    struct text bytes = {0};
    struct json *root = NULL;
    const char *name = tree_file_name(path);
    if (tree_read_file(path, &bytes, err))
        root = is_json(path, text_slice(&bytes)) ? json_parse(name, text_slice(&bytes), err)
                                                 : yaml_parse(name, text_slice(&bytes), err);
    text_free(&bytes);
    return root;
}

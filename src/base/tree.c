/* The tree that JSON and YAML are read to. */
#include "base/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREE_FILE_MAX                                                                              \
    ((size_t)64 << 20) /* a wrong file (a capture) is larger, and a baseline may be */

/* ---- building -------------------------------------------------------------------------------- */

struct tree *tree_new(void)
{
    return base_alloc(sizeof(struct tree));
}

void tree_free(struct tree *t)
{
    arena_free(&t->arena);
    free(t);
}

struct json *tree_add(struct tree *t, struct json *parent)
{
    struct json *child = ARENA_NEW(&t->arena, struct json);
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
    parent->count++;
    return child;
}

static int compare_place(const struct json_place *a, const struct json_place *b)
{
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static int compare_member(const void *a, const void *b)
{
    const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : compare_place(&x->key_place, &y->key_place);
}

/* The first member whose key stood before, and where that was; NULL: none.  Sorted, since an object
 * may be hostile and long. */
static const struct json *repeated_member(const struct json *object, struct json_place *before)
{
    size_t n = 0;
    const struct json *found = NULL;
    const struct json **members = base_alloc(object->count * sizeof *members);
    for (const struct json *m = object->child; m; m = m->next)
        members[n++] = m;
    if (n)
        qsort(members, n, sizeof *members, compare_member);
    for (size_t i = 1; i < n; i++)
        if (strcmp(members[i - 1]->key, members[i]->key) == 0 &&
            (!found || compare_place(&members[i]->key_place, &found->key_place) < 0)) {
            found = members[i];
            *before = members[i - 1]->key_place;
        }
    free(members);
    return found;
}

/* The depth of the recursion is bounded by the parsers' nesting limits. */
static bool check_keys(const char *name, const struct json *v, struct err *err)
{
    struct json_place before;
    const struct json *twice = v->type == JSON_OBJECT ? repeated_member(v, &before) : NULL;
    if (twice)
        return err_set(
            err, "%s:%u:%u: the key \"%s\" stands twice in one object, first at line %u, column %u",
            name, twice->key_place.line, twice->key_place.column, twice->key, before.line,
            before.column);
    for (const struct json *child = v->child; child; child = child->next)
        if (!check_keys(name, child, err))
            return false;
    return true;
}

struct json *tree_finish(struct tree *t, const char *name, struct err *err)
{
    if (check_keys(name, &t->root, err))
        return &t->root;
    tree_free(t);
    return NULL;
}

void json_free(struct json *root)
{
    if (root)
        tree_free((struct tree *)root);
}

/* ---- files ----------------------------------------------------------------------------------- */

struct slice tree_without_mark(struct slice bytes)
{
    return slice_starts(bytes, SLICE("\xef\xbb\xbf")) ? slice_from(bytes, 3) : bytes;
}

const char *tree_file_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static bool read_all(FILE *f, const char *name, struct text *out, struct err *err)
{
    char chunk[16384];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        text_add(out, (struct slice){chunk, n});
        if (out->n > TREE_FILE_MAX)
            return err_set(err, "%s: larger than 64 MiB, the most that is read", name);
    }
    if (ferror(f))
        return err_set(err, "%s: cannot read: %s", name, strerror(errno));
    return true;
}

bool tree_read_file(const char *path, struct text *out, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = tree_file_name(path);
    FILE *f = standard ? stdin : fopen(path, "rb");
    if (!f)
        return err_set(err, "%s: cannot open: %s", name, strerror(errno));
    bool ok = read_all(f, name, out, err);
    if (!standard)
        fclose(f);
    return ok;
}

/* ---- reading it ------------------------------------------------------------------------------ */

enum json_type json_type(const struct json *v)
{
    return v->type;
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
    for (const struct json *m = object->type == JSON_OBJECT ? object->child : NULL; m; m = m->next)
        if (strcmp(m->key, key) == 0)
            return m;
    return NULL;
}

const struct json *json_child(const struct json *v)
{
    return v->child;
}

const struct json *json_next(const struct json *v)
{
    return v->next;
}

const char *json_key(const struct json *member)
{
    return member->key;
}

struct slice json_string(const struct json *v)
{
    return v->type == JSON_STRING ? v->text : SLICE_NONE;
}

struct slice json_scalar(const struct json *v)
{
    return v->text;
}

double json_number(const struct json *v)
{
    return v->number;
}

bool json_bool(const struct json *v)
{
    return v->boolean;
}

struct json_place json_place(const struct json *v)
{
    return v->place;
}

struct json_place json_key_place(const struct json *member)
{
    return member->key_place;
}

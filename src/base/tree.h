/* Private to base/: the tree that JSON and YAML are read to, and the reading of its files. */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include "base/arena.h"
#include "base/json.h"

struct json {
    enum json_type type;
    bool boolean;
    double number;
    struct slice text; /* of a string its value, of another scalar what is written */
    const char *key;   /* of a member of an object */
    struct json_place place, key_place;
    struct json *child, *last, *next;
    size_t count; /* children */
};

/* `root` stands first, so that json_free finds the rest. */
struct tree {
    struct json root;
    struct arena arena; /* owns all of it but the root */
};

struct tree *tree_new(void);
void tree_free(struct tree *t);
struct json *tree_add(struct tree *t, struct json *parent); /* a further child, all zero */
/* The root of a tree without a key that stands twice in one object: parsers differ in which of two
 * equal keys wins (RFC 8259 section 4), so that what another program made of such a file is not
 * known.  Else NULL, the tree freed and the error set. */
struct json *tree_finish(struct tree *t, const char *name, struct err *err);

/* The place after a byte. */
static inline void tree_advance(struct json_place *at, char byte)
{
    if (byte == '\n')
        *at = (struct json_place){at->line + 1, 1};
    else
        at->column += ((unsigned char)byte & 0xc0) != 0x80; /* UTF-8: the first byte of each */
}

struct slice tree_without_mark(struct slice bytes); /* without a UTF-8 byte order mark */
const char *tree_file_name(const char *path);       /* "standard input" for "-" */
bool tree_read_file(const char *path, struct text *out, struct err *err);

#endif

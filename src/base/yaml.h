/* YAML in, by libyaml, which only base/yaml.c includes: the same tree as from JSON (base/json.h).
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/json.h"

#define YAML_DEPTH_MAX   64u        /* mappings and sequences within each other */
#define YAML_VALUES_MAX  (1u << 18) /* those of aliases included */
#define YAML_ANCHORS_MAX 1024u

/* One document.  Plain scalars have a type by the core schema of YAML 1.2 (`yes` is a string);
 * the keys of a mapping are their text.  An alias stands for a copy of what has its anchor,
 * with the places of that.  Errors name `name`, line and column: what is no YAML, a key that
 * stands twice, a second document, a key that is no scalar, a tag beyond those of JSON's types,
 * a limit. */
struct json *yaml_parse(const char *name, struct slice bytes, struct err *err);
/* "-" is standard input.  JSON where the name ends in .json or, in a name that ends neither so nor
 * in .yaml or .yml, where the text begins with a brace or bracket; else YAML. */
struct json *yaml_read_file(const char *path, struct err *err);

#endif

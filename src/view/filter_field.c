/* The table of fields, and what people call them elsewhere. */
#include "view/filter_internal.h"

static const struct filter_field fields[FILTER_FIELD_COUNT] = {
#define FIELD(id, name, type, scope, words, about) {name, FILTER_##type, FILTER_##scope, words},
#include "view/filter_fields.def"
#undef FIELD
};

const struct filter_field *filter_field_of(enum filter_field_id id)
{
    return &fields[id];
}

enum filter_field_id filter_field_named(struct slice name)
{
    enum filter_field_id id = 0;
    while (id < FILTER_FIELD_COUNT && !slice_equal_nocase(name, slice_of(fields[id].name)))
        id++;
    return id;
}

const char *filter_field_next(size_t index)
{
    return index < FILTER_FIELD_COUNT ? fields[index].name : NULL;
}

size_t view_filter_fields(const struct view_filter_field **list)
{
#define type_TEXT     "text"
#define type_WORD     "word"
#define type_NUMBER   "number"
#define type_SPAN     "time"
#define type_ADDRESS  "address"
#define type_FLAG     "flag"
#define scope_MESSAGE "message"
#define scope_LIST    "list"
#define scope_CALL    "call"
#define scope_JUDGED  "judged"
    static const struct view_filter_field texts[] = {
#define FIELD(id, name, type, scope, words, about) {name, type_##type, scope_##scope, words, about},
#include "view/filter_fields.def"
#undef FIELD
    };
    *list = texts;
    return FILTER_FIELD_COUNT;
}

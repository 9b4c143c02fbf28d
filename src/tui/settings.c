/* Settings: their table, and a value each. */
#include "tui/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct tui_setting table[SET_COUNT] = {
#define SETTING(id, kind, name, usual, values, what) {name, usual, values, what, SET_##kind},
#include "tui/settings.def"
#undef SETTING
};

const struct tui_setting *tui_setting_of(enum tui_set id)
{
    return &table[id];
}

void tui_settings_init(struct tui_settings *s)
{
    struct err err;
    *s = (struct tui_settings){0};
    tui_keys_init(&s->keys);
    for (enum tui_set id = 0; id < SET_COUNT; id++)
        tui_setting_put(s, id, slice_of(table[id].usual), &err);
}

void tui_settings_free(struct tui_settings *s)
{
    for (enum tui_set id = 0; id < SET_COUNT; id++)
        text_free(&s->texts[id]);
    tui_keys_free(&s->keys);
    vec_free(&s->aliases);
    text_free(&s->remarks);
    text_free(&s->path);
    arena_free(&s->arena);
}

static void remark(struct tui_settings *s, const char *before, const char *format, va_list args)
{
    char words[1024];
    if (++s->remark_count > TUI_REMARKS_MAX)
        return;
    vsnprintf(words, sizeof words, format, args);
    if (s->file)
        text_printf(&s->remarks, "%s:%u: ", s->file, s->line);
    text_printf(&s->remarks, "%s%s\n", before, words);
}

void tui_settings_remark(struct tui_settings *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    remark(s, "", format, args);
    va_end(args);
}

void tui_settings_note(struct tui_settings *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s->note_count++;
    remark(s, "note: ", format, args);
    va_end(args);
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct slice word_at(const char *list, uint32_t at)
{
    struct slice rest = slice_of(list);
    for (;; at--) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        if (at == 0 || rest.n == 0)
            return word;
        rest = slice_from(rest, word.n + 1);
    }
}

static bool put_choice(struct tui_settings *s, enum tui_set id, struct slice value, struct err *err)
{
    for (uint32_t i = 0; word_at(table[id].values, i).n; i++)
        if (slice_equal_nocase(word_at(table[id].values, i), value)) {
            s->values[id] = i;
            return true;
        }
    return err_set(err, "%s is one of %s, not '%.*s'", table[id].name, table[id].values,
                   SLICE_ARG(value));
}

static bool put_switch(struct tui_settings *s, enum tui_set id, struct slice value, struct err *err)
{
    static const char *const words[] = {"off", "on", "0", "1", "no", "yes", "false", "true"};
    for (uint32_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_equal_nocase(value, slice_of(words[i]))) {
            s->values[id] = i % 2;
            return true;
        }
    return err_set(err, "%s is on or off, not '%.*s'", table[id].name, SLICE_ARG(value));
}

/* "1 - 200" */
static void limits_of(enum tui_set id, uint32_t *least, uint32_t *most)
{
    *least = *most = 0;
    slice_to_u32(word_at(table[id].values, 0), least);
    slice_to_u32(word_at(table[id].values, 2), most);
}

static bool put_number(struct tui_settings *s, enum tui_set id, struct slice value, struct err *err)
{
    uint32_t n, least, most;
    limits_of(id, &least, &most);
    if (!slice_to_u32(value, &n) || n < least || n > most)
        return err_set(err, "%s is a number from %u to %u, not '%.*s'", table[id].name, least, most,
                       SLICE_ARG(value));
    s->values[id] = n;
    return true;
}

/* A column that is not known is told where the columns are made. */
static bool put_text(struct tui_settings *s, enum tui_set id, struct slice value)
{
    text_clear(&s->texts[id]);
    text_add(&s->texts[id], value);
    return true;
}

bool tui_setting_put(struct tui_settings *s, enum tui_set id, struct slice value, struct err *err)
{
    s->changes++;
    switch (table[id].kind) {
    case SET_SWITCH:
        return put_switch(s, id, value, err);
    case SET_CHOICE:
        return put_choice(s, id, value, err);
    case SET_NUMBER:
        return put_number(s, id, value, err);
    default:
        return put_text(s, id, value);
    }
}

void tui_setting_set(struct tui_settings *s, enum tui_set id, uint32_t value)
{
    uint32_t least = 0, most = 1;
    if (table[id].kind == SET_NUMBER)
        limits_of(id, &least, &most);
    else if (table[id].kind == SET_CHOICE)
        for (most = 0; word_at(table[id].values, most + 1).n;)
            most++;
    s->values[id] = value < least ? least : value > most ? most : value;
    s->changed[id] = true;
    s->changes++;
}

void tui_setting_add(struct text *out, const struct tui_settings *s, enum tui_set id)
{
    switch (table[id].kind) {
    case SET_SWITCH:
        text_add(out, s->values[id] ? SLICE("on") : SLICE("off"));
        break;
    case SET_CHOICE:
        text_add(out, word_at(table[id].values, s->values[id]));
        break;
    case SET_NUMBER:
        text_printf(out, "%u", s->values[id]);
        break;
    default:
        text_add(out, text_slice(&s->texts[id]));
    }
}

/* ---- names of addresses ---------------------------------------------------------------------- */

struct slice tui_alias_of(const struct tui_settings *s, const struct address *a)
{
    for (size_t i = s->values[SET_ALIASES] ? s->aliases.n : 0; i > 0; i--)
        if (address_equal(&s->aliases.items[i - 1].address, a))
            return s->aliases.items[i - 1].name;
    return SLICE_NONE;
}

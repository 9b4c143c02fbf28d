/* Reads a command line by the tables; a mistake gets a sentence that says how to mend it. */
#include "cmd/internal.h"

#include <string.h>
#include <unistd.h>

static void list_add(struct cmd_list *l, const char *item)
{
    *vec_add(l) = item;
}

/* ---- candidates for nearest_word --------------------------------------------------------------
 */

static const char *option_name(size_t i)
{
    while (i < CMD_OPT_COUNT && cmd_option_of((enum cmd_option_id)i)->hidden)
        i++;
    return i < CMD_OPT_COUNT ? cmd_option_of((enum cmd_option_id)i)->name : NULL;
}

static const char *command_name(size_t i)
{
    return i < CMD_COUNT ? cmd_command_of((enum cmd_id)i)->name : NULL;
}

/* ---- options --------------------------------------------------------------------------------- */

static enum cmd_option_id option_by_name(struct slice name)
{
    enum cmd_option_id id = 0;
    while (id < CMD_OPT_COUNT && !slice_is(name, cmd_option_of(id)->name))
        id++;
    return id;
}

static enum cmd_option_id option_by_letter(char letter)
{
    enum cmd_option_id id = 0;
    while (id < CMD_OPT_COUNT && cmd_option_of(id)->letter != letter)
        id++;
    return id;
}

static bool fail_unknown_option(const char *word, struct slice name, struct err *err)
{
    char copy[64] = "";
    if (name.n && name.n < sizeof copy)
        memcpy(copy, name.p, name.n);
    const char *near = nearest_word(copy, option_name);
    size_t shown = slice_find(slice_of(word), '=');
    if (near)
        return err_set(err, "unknown option %.*s; did you mean --%s?", (int)shown, word, near);
    return err_set(err, "unknown option %.*s", (int)shown, word);
}

/* Takes the option at argv[*at] and its argument. */
static bool take_option(struct cmd_arguments *a, int argc, const char *const *argv, int *at,
                        struct err *err)
{
    const char *word = argv[*at];
    struct slice name = slice_of(word + 2);
    name = slice_first(name, slice_find(name, '='));
    bool is_long = word[1] == '-', joined = is_long && word[2 + name.n] == '=';
    enum cmd_option_id id = is_long           ? option_by_name(name)
                            : word[2] == '\0' ? option_by_letter(word[1])
                                              : CMD_OPT_COUNT;
    if (id == CMD_OPT_COUNT)
        return fail_unknown_option(word, is_long ? name : slice_of(word + 1), err);
    const struct cmd_option *o = cmd_option_of(id);
    if (a->values[id].n && !o->repeatable)
        return err_set(err, "--%s is given twice", o->name);
    if (joined && !o->argument)
        return err_set(err, "--%s takes no argument", o->name);
    if (!o->argument || (cmd_option_is_optional(o) && !joined))
        list_add(&a->values[id], "");
    else if (joined)
        list_add(&a->values[id], word + 2 + name.n + 1);
    else if (*at + 1 < argc)
        list_add(&a->values[id], argv[++*at]);
    else
        return err_set(err, "--%s needs an argument: --%s %s", o->name, o->name, o->argument);
    if (o->argument && (joined || !cmd_option_is_optional(o)) &&
        a->values[id].items[a->values[id].n - 1][0] == '\0')
        return err_set(err, "--%s has an empty argument; it needs %s", o->name,
                       o->argument + cmd_option_is_optional(o));
    return true;
}

/* ---- the subcommand -------------------------------------------------------------------------- */

static const struct cmd_command *command_by_name(const char *name)
{
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        if (strcmp(cmd_command_of(id)->name, name) == 0)
            return cmd_command_of(id);
    return NULL;
}

static bool fail_unknown_command(const char *word, struct err *err)
{
    struct text names = {0};
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        text_printf(&names, "%s%s",
                    id == 0               ? ""
                    : id + 1 == CMD_COUNT ? " and "
                                          : ", ",
                    cmd_command_of(id)->name);
    err_set(err, "unknown subcommand %s; there are %s", word, names.p);
    text_free(&names);
    return false;
}

static bool is_source(const char *word)
{
    return access(word, F_OK) == 0 || strpbrk(word, "=/.:") || strcmp(word, "-") == 0;
}

/* The first word is no subcommand: a slip, or a file without one? */
static bool fail_no_command(const char *word, struct err *err)
{
    const char *near = nearest_word(word, command_name);
    bool source = is_source(word);
    if (near && !source)
        return err_set(err, "unknown subcommand %s; did you mean %s?", word, near);
    if (!source)
        return fail_unknown_command(word, err);
    return err_set(err,
                   "%s: a subcommand is missing: check judges the calls of a capture, calls lists "
                   "them, messages lists its messages; without one there are screens, for which "
                   "standard output has to be a terminal",
                   word);
}

static bool take_operand(struct cmd_arguments *a, const char *word, struct err *err)
{
    if (a->command) {
        list_add(&a->operands, word);
        return true;
    }
    a->command = command_by_name(word);
    if (!a->command && is_source(word) && isatty(STDOUT_FILENO)) {
        a->command = cmd_command_of(CMD_TUI);
        list_add(&a->operands, word);
    }
    return a->command || fail_no_command(word, err);
}

static void add_commands_of(struct text *t, const struct cmd_option *o)
{
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        if (o->commands >> id & 1)
            text_printf(t, "%s%s", t->n ? ", " : "", cmd_command_of(id)->name);
}

static bool check_options_fit(const struct cmd_arguments *a, struct err *err)
{
    if (!a->command)
        return true;
    unsigned bit = 1u << (unsigned)(a->command - cmd_command_of(0));
    for (enum cmd_option_id id = 0; id < CMD_OPT_COUNT; id++) {
        const struct cmd_option *o = cmd_option_of(id);
        if (!a->values[id].n || (o->commands & bit))
            continue;
        struct text names = {0};
        add_commands_of(&names, o);
        err_set(err, "--%s is no option of %s; it belongs to: %s", o->name, a->command->name,
                names.p);
        text_free(&names);
        return false;
    }
    return true;
}

static size_t count_stdin(const struct cmd_list *l)
{
    size_t count = 0;
    for (size_t i = 0; i < l->n; i++) {
        const char *equals = strchr(l->items[i], '=');
        const char *path = equals ? equals + 1 : l->items[i];
        count += strcmp(path, "-") == 0 || strcmp(path, "log:-") == 0;
    }
    return count;
}

static bool check_stdin_once(const struct cmd_arguments *a, struct err *err)
{
    size_t count = count_stdin(&a->operands) + count_stdin(&a->values[CMD_OPT_TRUNK]) +
                   count_stdin(&a->values[CMD_OPT_VALUES]) +
                   count_stdin(&a->values[CMD_OPT_BASELINE]);
    return count <= 1 || err_set(err, "-: standard input can be read once only");
}

/* ---- all of it ------------------------------------------------------------------------------- */

bool cmd_arguments_parse(struct cmd_arguments *a, int argc, const char *const *argv,
                         struct err *err)
{
    bool options_end = false;
    *a = (struct cmd_arguments){0};
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];
        bool ok = true;
        if (options_end || word[0] != '-' || word[1] == '\0')
            ok = take_operand(a, word, err);
        else if (strcmp(word, "--") == 0)
            options_end = true;
        else
            ok = take_option(a, argc, argv, &at, err);
        if (!ok)
            return false;
    }
    return check_options_fit(a, err) && check_stdin_once(a, err);
}

void cmd_arguments_free(struct cmd_arguments *a)
{
    for (size_t i = 0; i < CMD_OPT_COUNT; i++)
        vec_free(&a->values[i]);
    vec_free(&a->operands);
}

bool cmd_given(const struct cmd_arguments *a, enum cmd_option_id id)
{
    return a->values[id].n > 0;
}

const char *cmd_value(const struct cmd_arguments *a, enum cmd_option_id id)
{
    const struct cmd_list *l = &a->values[id];
    return l->n ? l->items[l->n - 1] : NULL;
}

bool cmd_has_word(const char *list, struct slice word)
{
    struct slice rest = slice_of(list);
    while (rest.n) {
        size_t n = slice_find(rest, ' ');
        if (slice_equal(slice_first(rest, n), word))
            return true;
        rest = slice_from(rest, n + 1);
    }
    return false;
}

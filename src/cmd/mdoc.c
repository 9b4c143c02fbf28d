/* The manual's tables in mdoc(7), from the tables of the program. */
#include "cmd/internal.h"
#include "probe/probe.h"
#include "tui/tui.h"

#include <string.h>

#define LINE_MOST 78 /* bytes of an input line */

/* Part of a text line: a dot or quote at its start would be a macro, a backslash an escape. */
static void add_escaped(struct text *out, struct slice words)
{
    if (words.n && (words.p[0] == '.' || words.p[0] == '\''))
        text_add(out, SLICE("\\&"));
    for (size_t i = 0; i < words.n; i++) {
        if (words.p[i] == '\\')
            text_add(out, SLICE("\\e"));
        else if (words.p[i] == '-' && i + 1 < words.n && words.p[i + 1] == '-')
            text_add(out, SLICE("\\-"));
        else if (words.p[i] == '(' && i + 1 < words.n && words.p[i + 1] == ')')
            text_add(out, SLICE("(\\&")); /* else lint takes it for a function's name */
        else
            text_add_char(out, words.p[i]);
    }
}

/* Text lines, broken between words. */
static void add_words(struct text *out, struct slice words)
{
    size_t from = out->n;
    while (words.n) {
        struct slice word = slice_first(words, slice_find(words, ' '));
        words = slice_from(words, word.n + 1);
        if (out->n > from && out->n - from + 1 + word.n > LINE_MOST) {
            text_add_char(out, '\n');
            from = out->n;
        } else if (out->n > from) {
            text_add_char(out, ' ');
        }
        add_escaped(out, word);
    }
}

/* Each sentence begins a line, as mdoc wants it. */
static void add_sentences(struct text *out, const char *sentences)
{
    struct slice rest = slice_of(sentences);
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && !(rest.p[n] == '.' && (n + 1 == rest.n || rest.p[n + 1] == ' ')))
            n++;
        add_words(out, slice_first(rest, n + 1));
        text_add_char(out, '\n');
        rest = slice_from(rest, n + 2);
    }
}

/* "Fl Fl name Ar ARGUMENT"; what macros take for themselves is kept in quotes. */
static void add_option_head(struct text *out, const struct cmd_option *o)
{
    text_add(out, SLICE(".It "));
    if (o->letter)
        text_printf(out, "Fl %c , ", o->letter);
    text_printf(out, "Fl Fl %s", o->name);
    if (o->argument)
        cmd_option_is_optional(o) ? text_printf(out, " Ns Op = Ns Ar \"%s\"", o->argument + 1)
                                  : text_printf(out, " Ar \"%s\"", o->argument);
    text_add_char(out, '\n');
}

static void add_commands_of(struct text *out, const struct cmd_option *o)
{
    bool first = true;
    text_add_char(out, '(');
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        if (o->commands >> id & 1) {
            text_printf(out, "%s%s", first ? "" : ", ", cmd_command_of(id)->name);
            first = false;
        }
    text_printf(out, "%s)\n", o->repeatable && o->argument ? "; repeatable" : "");
}

static void add_option(struct text *out, const struct cmd_option *o)
{
    add_option_head(out, o);
    if (o->commands + 1 != 1u << CMD_COUNT)
        add_commands_of(out, o);
    struct text help = {0};
    text_printf(&help, "%c%s.", o->help[0] & ~0x20, o->help + 1);
    add_sentences(out, help.p);
    text_free(&help);
    if (o->more)
        add_sentences(out, o->more);
}

static void add_options(struct text *out)
{
    text_add(out, SLICE(".\\\" begin options\n.Bl -tag -width Ds\n"));
    for (enum cmd_option_id id = 0; id < CMD_OPT_COUNT; id++)
        if (!cmd_option_of(id)->hidden)
            add_option(out, cmd_option_of(id));
    text_add(out, SLICE(".El\n.\\\" end options\n"));
}

static void add_command(struct text *out, const struct cmd_command *c)
{
    text_printf(out, ".It Cm %s Oo Ar option ... Oc Ar \"%s\"\n", c->name, c->operands);
    add_sentences(out, c->about);
    if (!c->formats)
        return;
    text_add(out, SLICE("Formats:\n"));
    for (struct slice rest = slice_of(c->formats); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, word.n + 1);
        text_printf(out, ".Cm %.*s%s\n", SLICE_ARG(word), rest.n ? " ," : " .");
    }
}

static void add_commands(struct text *out)
{
    text_add(out, SLICE(".\\\" begin subcommands\n.Bl -tag -width Ds\n"));
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        add_command(out, cmd_command_of(id));
    text_add(out, SLICE(".El\n.\\\" end subcommands\n"));
}

static void add_title(struct text *out, const char *title)
{
    struct text t = {0};
    text_printf(&t, "%c%s.", title[0] & ~0x20, title + 1);
    add_sentences(out, t.p);
    text_free(&t);
}

static void add_findings(struct text *out)
{
    const struct check_kind *kinds;
    size_t n = check_kinds(&kinds);
    text_add(out, SLICE(".\\\" begin findings\n.Bl -tag -width Ds\n"));
    for (size_t i = 0; i < n; i++) {
        text_printf(out, ".It Cm %s Pq %s\n", kinds[i].id, check_severity_name(kinds[i].severity));
        add_title(out, kinds[i].title);
    }
    text_add(out, SLICE(".El\n.\\\" end findings\n"));
}

static void add_causes(struct text *out)
{
    const struct check_cause_kind *causes;
    size_t n = check_cause_kinds(&causes);
    text_add(out, SLICE(".\\\" begin causes\n.Bl -tag -width Ds\n"));
    for (size_t i = 0; i < n; i++) {
        text_printf(out, ".It Cm %s\n", causes[i].id);
        add_title(out, causes[i].title);
    }
    text_add(out, SLICE(".El\n.\\\" end causes\n"));
}

/* ---- sipxray-findings(7) --------------------------------------------------------------------- */

static void add_part(struct text *out, const char *head, const char *words)
{
    text_printf(out, ".It Em \"%s\"\n", head);
    add_sentences(out, words);
}

static void add_finding_pages(struct text *out)
{
    const struct check_kind *kinds;
    size_t n = check_kinds(&kinds);
    text_add(out, SLICE(".\\\" begin finding-texts\n"));
    for (size_t i = 0; i < n; i++) {
        text_printf(out, ".Ss %s\n", kinds[i].id);
        add_title(out, kinds[i].title);
        text_printf(out, "Severity: %s.\n.Bl -tag -width Ds\n",
                    check_severity_name(kinds[i].severity));
        add_part(out, "What it means", kinds[i].means);
        add_part(out, "How to prove it", kinds[i].prove);
        add_part(out, "How to mend it", kinds[i].mend);
        text_add(out, SLICE(".El\n"));
    }
    text_add(out, SLICE(".\\\" end finding-texts\n"));
}

static void add_cause_pages(struct text *out)
{
    const struct check_cause_kind *causes;
    size_t n = check_cause_kinds(&causes);
    text_add(out, SLICE(".\\\" begin cause-texts\n"));
    for (size_t i = 0; i < n; i++) {
        text_printf(out, ".Ss %s\n", causes[i].id);
        add_title(out, causes[i].title);
        text_add(out, SLICE(".Bl -tag -width Ds\n"));
        add_part(out, "What it means", causes[i].means);
        add_part(out, "How to prove it", causes[i].prove);
        add_part(out, "Remedy", causes[i].remedy);
        text_add(out, SLICE(".El\n"));
    }
    text_add(out, SLICE(".\\\" end cause-texts\n"));
}

static void add_packs(struct text *out)
{
    text_add(out, SLICE(".\\\" begin packs\n.Bl -tag -width caller-id\n"));
    for (size_t i = 0; check_pack_at(i); i++) {
        struct text about = {0};
        text_printf(&about, "%c%s.", check_pack_at(i)->about[0] & ~0x20,
                    check_pack_at(i)->about + 1);
        text_printf(out, ".It Cm %s\n", check_pack_at(i)->name);
        add_sentences(out, about.p);
        text_free(&about);
    }
    text_add(out, SLICE(".El\n.\\\" end packs\n"));
}

/* ---- sipxray-probe(1) ------------------------------------------------------------------------ */

static void add_cases(struct text *out)
{
    const struct probe_case *list;
    size_t n = probe_cases(&list);
    text_add(out, SLICE(".\\\" begin probe-cases\n.Bl -tag -width Ds\n"));
    for (size_t i = 0; i < n; i++) {
        struct text words = {0};
        text_printf(&words, "%c%s.", list[i].about[0] & ~0x20, list[i].about + 1);
        text_printf(out, ".It Cm %s\n", list[i].id);
        add_sentences(out, words.p);
        text_free(&words);
    }
    text_add(out, SLICE(".El\n.\\\" end probe-cases\n"));
}

/* ---- sipxray-filter(5) ----------------------------------------------------------------------- */

static void add_field(struct text *out, const struct view_filter_field *f)
{
    struct text words = {0};
    if (strcmp(f->name, "header") == 0)
        text_add(out, SLICE(".It Cm header[\"NAME\"] Pq text\n"));
    else
        text_printf(out, ".It Cm %s Pq %s\n", f->name, f->type);
    text_printf(&words, "%c%s.", f->about[0] & ~0x20, f->about + 1);
    if (f->words)
        text_printf(&words, " One of: %s.", f->words);
    add_sentences(out, words.p);
    text_free(&words);
}

static void add_fields_of(struct text *out, const char *scope)
{
    const struct view_filter_field *list;
    size_t n = view_filter_fields(&list);
    text_printf(out, ".\\\" begin filter-%s\n.Bl -tag -width Ds\n", scope);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].scope, scope) == 0)
            add_field(out, &list[i]);
    text_printf(out, ".El\n.\\\" end filter-%s\n", scope);
}

static void add_filter_fields(struct text *out)
{
    static const char *const scopes[] = {"message", "list", "call", "judged"};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        add_fields_of(out, scopes[i]);
}

/* ---- sipxray-tui(1) -------------------------------------------------------------------------- */

static void add_binding(struct text *out, const struct tui_binding *b)
{
    struct text words = {0};
    text_add(out, SLICE(".It Cm "));
    for (struct slice rest = slice_of(b->keys); rest.n;) {
        struct slice key = slice_first(rest, slice_find(rest, ' '));
        rest = slice_from(rest, key.n + 1);
        text_printf(out, "\"\\&%.*s\"%s", SLICE_ARG(key), rest.n ? " , " : "");
    }
    text_printf(&words, "%c%s.", b->does[0] & ~0x20, b->does + 1);
    text_add_char(out, '\n');
    add_sentences(out, words.p);
    text_free(&words);
}

static void add_keys(struct text *out)
{
    const struct tui_binding *list;
    size_t n = tui_bindings(&list);
    text_add(out, SLICE(".\\\" begin keys\n"));
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(list[i].where, list[i - 1].where) != 0)
            text_printf(out, "%s.Ss Keys: %s\n.Bl -tag -width Ds\n", i ? ".El\n" : "",
                        list[i].where[0] ? list[i].where : "everywhere");
        add_binding(out, &list[i]);
    }
    text_add(out, SLICE(".El\n.\\\" end keys\n"));
}

/* ---- sipxray-config(5) ----------------------------------------------------------------------- */

static void add_setting(struct text *out, const struct tui_setting *o)
{
    struct text words = {0};
    text_printf(out, ".It Cm %s", o->name);
    if (o->kind == SET_SWITCH)
        text_add(out, SLICE(" Cm on | off"));
    else if (o->kind == SET_NUMBER)
        text_printf(out, " Ar number Pq %s", o->values);
    else if (o->kind == SET_TEXT)
        text_add(out, SLICE(" Ar text"));
    for (struct slice rest = slice_of(o->kind == SET_CHOICE ? o->values : ""); rest.n;) {
        struct slice word = slice_first(rest, slice_find(rest, ' '));
        text_printf(out, "%s%.*s", rest.p == o->values ? " Cm " : " | ", SLICE_ARG(word));
        rest = slice_from(rest, word.n + 1);
    }
    text_printf(&words, "%c%s.", o->what[0] & ~0x20, o->what + 1);
    if (o->usual[0])
        text_printf(&words, " Usually %s.", o->usual);
    text_add_char(out, '\n');
    add_sentences(out, words.p);
    text_free(&words);
}

static void add_settings(struct text *out)
{
    text_add(out, SLICE(".\\\" begin settings\n.Bl -tag -width Ds\n"));
    for (enum tui_set id = 0; id < SET_COUNT; id++)
        add_setting(out, tui_setting_of(id));
    text_add(out, SLICE(".El\n.\\\" end settings\n.\\\" begin looks\n"));
    for (size_t i = 0; tui_look_name(i); i++)
        text_printf(out, ".Cm %s%s\n", tui_look_name(i), tui_look_name(i + 1) ? " ," : " .");
    text_add(out, SLICE(".\\\" end looks\n"));
}

static void add_columns(struct text *out)
{
    const char *name, *what;
    text_add(out, SLICE(".\\\" begin columns\n.Bl -tag -width messages\n"));
    for (size_t i = 0; (name = tui_column_builtin(i, &what)); i++) {
        struct text words = {0};
        text_printf(&words, "%c%s.", what[0] & ~0x20, what + 1);
        text_printf(out, ".It Cm %s\n", name);
        add_sentences(out, words.p);
        text_free(&words);
    }
    text_add(out, SLICE(".El\n.\\\" end columns\n"));
}

/* Parted by spaces; mdoc takes some characters for more than themselves. */
static void add_key_names(struct text *out, struct slice names)
{
    while (names.n) {
        struct slice name = slice_first(names, slice_find(names, ' '));
        names = slice_from(names, name.n + 1);
        text_add(out, SLICE(" \\&"));
        text_add(out, name);
    }
    text_add_char(out, '\n');
}

/* "calls.sort-next" */
static void add_actions(struct text *out)
{
    const struct tui_binding *list;
    size_t n = tui_bindings(&list);
    text_add(out, SLICE(".\\\" begin actions\n.Bl -column \"headers.all-headers\"\n"));
    for (size_t i = 0; i < n; i++) {
        text_printf(out, ".It %s.", list[i].screen);
        for (const char *c = list[i].action; *c; c++)
            text_add_char(out, (char)(*c == '_' ? '-' : ascii_lower((unsigned char)*c)));
        text_add(out, SLICE(" Ta"));
        add_key_names(out, slice_of(list[i].keys));
    }
    text_add(out, SLICE(".El\n.\\\" end actions\n"));
}

/* A macro takes quotes away. */
static void add_example(struct text *out, struct slice line)
{
    while (line.n) {
        struct slice part = slice_first(line, slice_find(line, '"'));
        add_escaped(out, part);
        if (part.n < line.n)
            text_add(out, SLICE("\\(dq"));
        line = slice_from(line, part.n + 1);
    }
}

static void add_examples(struct text *out)
{
    text_add(out, SLICE(".\\\" begin examples\n"));
    bool first = true;
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        for (struct slice rest = slice_of(cmd_command_of(id)->examples); rest.n;) {
            struct slice line = slice_first(rest, slice_find(rest, '\n'));
            rest = slice_from(rest, line.n + 1);
            bool comment = line.p[0] == '#';
            if (comment && !first)
                text_add(out, SLICE(".Pp\n"));
            else if (!comment)
                text_add(out, SLICE(".Dl "));
            first = false;
            add_example(out, slice_from(line, comment ? 2 : 0));
            text_add_char(out, '\n');
        }
    text_add(out, SLICE(".\\\" end examples\n"));
}

void cmd_help_mdoc(struct text *out)
{
    add_commands(out);
    add_options(out);
    add_findings(out);
    add_causes(out);
    add_packs(out);
    add_cases(out);
    add_examples(out);
    add_finding_pages(out);
    add_cause_pages(out);
    add_filter_fields(out);
    add_keys(out);
    add_settings(out);
    add_columns(out);
    add_actions(out);
}

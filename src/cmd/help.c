/* sipxray help, --help and the tables of the manual: all of it comes from the tables. */
#include "cmd/internal.h"

#include <stdio.h>
#include <string.h>

#define NAME_COLUMNS 26 /* of an option or a source; longer options get a line of their own */

static void add_paragraph(struct text *out, size_t indent, size_t width, const char *words)
{
    report_add_wrapped(out, indent, indent, width, slice_of(words));
    text_add_char(out, '\n');
}

/* ---- options --------------------------------------------------------------------------------- */

static void add_option(struct text *out, const struct cmd_option *o, size_t width)
{
    size_t from = out->n;
    if (o->letter)
        text_printf(out, "  -%c, --%s", o->letter, o->name);
    else
        text_printf(out, "  --%s", o->name);
    if (o->argument)
        text_printf(out, cmd_option_is_optional(o) ? "[%s]" : " %s", o->argument);
    size_t column = out->n - from;
    if (column + 2 > NAME_COLUMNS) {
        text_add_char(out, '\n');
        column = 0;
    }
    text_printf(out, "%*s", (int)(NAME_COLUMNS - column), "");
    struct text words = {0};
    text_printf(&words, "%s%s", o->help, o->repeatable && o->argument ? " (repeatable)" : "");
    add_paragraph(out, NAME_COLUMNS, width, words.p);
    text_free(&words);
}

static void add_options(struct text *out, enum cmd_id id, size_t width)
{
    text_add(out, SLICE("\nOptions:\n"));
    for (enum cmd_option_id i = 0; i < CMD_OPT_COUNT; i++) {
        const struct cmd_option *o = cmd_option_of(i);
        if ((o->commands >> id & 1) && !o->hidden)
            add_option(out, o, width);
    }
}

/* ---- sources --------------------------------------------------------------------------------- */

/* The kinds of source, in the order of the manual. */
static const struct {
    const char *where, *help;
} sources[] = {
    {"FILE", "a capture in pcap or pcapng format, plain or gzip"},
    {"-", "the same from standard input"},
    {"iface:NAME, iface:any", "an interface of this host, or all of them, live"},
    {"cmd:COMMAND", "the capture that a shell command prints, such as ssh with tcpdump -w -"},
    {"hep:udp:ADDR:PORT", "HEP that SIP servers and capture agents send here; hep:tcp: as well"},
    {"k8s:NAMESPACE/POD", "a pod of Kubernetes, by kubectl; NAMESPACE/LABEL=VALUE: all such pods"},
    {"log:FILE", "the SIP messages that a server printed"},
};

static void add_sources(struct text *out, size_t width)
{
    text_add(out, SLICE("\nSOURCE is [NAME=]WHERE, and WHERE is one of\n"));
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        text_printf(out, "  %-*s", NAME_COLUMNS - 2, sources[i].where);
        add_paragraph(out, NAME_COLUMNS, width, sources[i].help);
    }
    add_paragraph(out, 0, width,
                  "NAME is what the point of capture is called; without it a file's name, the "
                  "interface's or the first word of a command is.");
}

/* ---- subcommands ----------------------------------------------------------------------------- */

/* Takes a line off the text. */
static struct slice next_line(struct slice *text)
{
    size_t n = slice_find(*text, '\n');
    struct slice line = slice_first(*text, n);
    *text = slice_from(*text, n + 1);
    return line;
}

static void add_examples(struct text *out, const char *examples)
{
    text_add(out, SLICE("\nExamples:\n"));
    for (struct slice rest = slice_of(examples); rest.n;) {
        struct slice line = next_line(&rest);
        text_add(out, line.p[0] == '#' ? SLICE("  ") : SLICE("    "));
        text_add(out, line);
        text_add_char(out, '\n');
    }
}

void cmd_help_overview(struct text *out, size_t width)
{
    text_add(out, SLICE("usage: sipxray SUBCOMMAND [OPTION...] [SOURCE...]\n\n"));
    add_paragraph(out, 0, width,
                  "Reads SIP captures of several hosts and says which hop took away a header that "
                  "a LiveKit trunk promises.");
    text_add(out, SLICE("\nSubcommands:\n"));
    for (enum cmd_id id = 0; id < CMD_COUNT; id++) {
        text_printf(out, "  %-10s", cmd_command_of(id)->name);
        add_paragraph(out, 12, width, cmd_command_of(id)->line);
    }
    add_sources(out, width);
    text_add(
        out,
        SLICE("\nExample:\n  sipxray check --trunk trunk.json livekit=livekit.pcap kam1=kam1.pcap\n"
              "\n\"sipxray help SUBCOMMAND\" explains each; sipxray(1) is the manual.\n"));
}

void cmd_help_command(struct text *out, enum cmd_id id, size_t width)
{
    const struct cmd_command *c = cmd_command_of(id);
    text_printf(out, "usage: sipxray %s [OPTION...] %s\n\n", c->name, c->operands);
    add_paragraph(out, 0, width, c->about);
    if (c->formats) {
        text_add_char(out, '\n');
        text_printf(out, "Formats: %s\n", c->formats);
    }
    add_options(out, id, width);
    if (strstr(c->operands, "SOURCE"))
        add_sources(out, width);
    add_examples(out, c->examples);
}

/* ---- the subcommand -------------------------------------------------------------------------- */

static bool add_topic(struct text *out, const char *topic, size_t width)
{
    if (strcmp(topic, "findings") == 0) {
        report_explain_list_text(out, &(struct report_style){.width = width});
        return true;
    }
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        if (strcmp(topic, cmd_command_of(id)->name) == 0) {
            cmd_help_command(out, id, width);
            return true;
        }
    return false;
}

static const char *topic_name(size_t i)
{
    return i < CMD_COUNT    ? cmd_command_of((enum cmd_id)i)->name
           : i == CMD_COUNT ? "findings"
                            : NULL;
}

int cmd_help(const struct cmd_arguments *a)
{
    struct text out = {0};
    size_t width = cmd_width();
    const char *topic = a->operands.n ? a->operands.items[0] : NULL;
    if (a->operands.n > 1) {
        cmd_complain("help explains one subcommand at a time");
        return CMD_ERROR;
    }
    if (cmd_given(a, CMD_OPT_MDOC))
        cmd_help_mdoc(&out);
    else if (!topic)
        cmd_help_overview(&out, width);
    else if (!add_topic(&out, topic, width)) {
        const char *near = nearest_word(topic, topic_name);
        cmd_complain("no help on %s%s%s%s; \"sipxray help\" lists the subcommands", topic,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        return CMD_ERROR;
    }
    return cmd_print(&out) ? CMD_HOLDS : CMD_ERROR;
}

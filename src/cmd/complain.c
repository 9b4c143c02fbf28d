/* Messages to the user on standard error: worded elsewhere, escaped and printed here. */
#include "cmd/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void write_error(const struct text *t)
{
    ssize_t n = write(STDERR_FILENO, t->p, t->n);
    (void)n;
}

void cmd_complain_list(struct slice lines)
{
    struct text t = {0};
    text_add(&t, lines);
    write_error(&t);
    text_free(&t);
}

/* One write, so that lines of several processes do not mix; there is nobody to tell if it fails. */
static void print_error(struct slice words)
{
    struct text line = {0};
    text_add(&line, SLICE("sipxray: "));
    text_add_terminal(&line, words);
    text_add_char(&line, '\n');
    cmd_progress_clear();
    write_error(&line);
    text_free(&line);
}

void cmd_complain(const char *format, ...)
{
    char words[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    print_error(slice_of(words));
}

void cmd_complain_usage(const struct cmd_arguments *a, const struct err *err)
{
    cmd_complain("%s", err->text);
    if (a->command)
        cmd_complain("\"sipxray help %s\" explains its options", a->command->name);
    else
        cmd_complain("\"sipxray help\" lists the subcommands");
}

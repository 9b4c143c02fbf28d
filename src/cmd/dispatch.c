/* From the command line to the subcommand. */
#include "cmd/internal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* A standard descriptor that is closed would be given to the next file that is opened, and reports
 * or messages would go there.  Each gets something on which its use fails. */
static void guard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int print_version(void)
{
    struct text out = {0};
    text_add(&out, SLICE("sipxray " CMD_VERSION "\n"));
    return cmd_print(&out) ? CMD_HOLDS : CMD_ERROR;
}

static int print_help(const struct cmd_arguments *a)
{
    struct text out = {0};
    if (a->command)
        cmd_help_command(&out, (enum cmd_id)(a->command - cmd_command_of(0)), cmd_width());
    else
        cmd_help_overview(&out, cmd_width());
    return cmd_print(&out) ? CMD_HOLDS : CMD_ERROR;
}

static int refuse_no_command(void)
{
    struct text out = {0};
    cmd_help_overview(&out, cmd_width());
    (void)!write(STDERR_FILENO, out.p, out.n);
    text_free(&out);
    return CMD_ERROR;
}

static int dispatch(const struct cmd_arguments *a)
{
    if (cmd_given(a, CMD_OPT_VERSION))
        return print_version();
    if (cmd_given(a, CMD_OPT_HELP))
        return print_help(a);
    return a->command ? a->command->run(a) : refuse_no_command();
}

int cmd_main(int argc, const char *const *argv)
{
    struct cmd_arguments a;
    struct err err;
    int status = CMD_ERROR;
    guard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* seen as EPIPE, so that temporary files are removed first */
    sip_typed_init();
    struct cmd_words words = {0};
    bool theirs = cmd_sngrep_is(argc, argv), ok = true;
    a = (struct cmd_arguments){0};
    if (theirs)
        ok = cmd_sngrep_translate(&words, argc, argv, &err);
    if (ok && cmd_arguments_parse(&a, theirs ? (int)words.items.n - 1 : argc,
                                  theirs ? words.items.items : argv, &err))
        status = dispatch(&a);
    else
        cmd_complain_usage(&a, &err);
    cmd_arguments_free(&a);
    cmd_words_free(&words);
    return status;
}

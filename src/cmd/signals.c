/* Signals that end the program.  A run over files is ended by them at once; with a live source the
 * first one is a wish that the run heeds: it reads what was captured until then, reports and ends
 * as ever.  Either way no temporary file and no half progress line is left behind. */
#include "cmd/internal.h"

#include <unistd.h>

static char *volatile temporaries[CMD_OUTPUTS_MAX];
static volatile sig_atomic_t live, stop, half_line, rotate;

void cmd_signal_end(int number)
{
    for (size_t i = 0; i < CMD_OUTPUTS_MAX; i++)
        if (temporaries[i])
            unlink(temporaries[i]);
    if (half_line)
        (void)!write(STDERR_FILENO, CMD_CLEAR_LINE, sizeof CMD_CLEAR_LINE - 1);
    signal(number, SIG_DFL);
    raise(number);
}

static void heed(int number)
{
    if (!live || stop)
        cmd_signal_end(number);
    stop = 1;
}

static void time_is_up(int number)
{
    (void)number;
    stop = 1;
}

void cmd_signal_alarm(uint32_t seconds)
{
    signal(SIGALRM, time_is_up);
    alarm(seconds);
}

/* What is ignored stays so, as nohup(1) wants it; but SIGINT is the way to end a live run, which a
 * shell ignores for what it runs in the background. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (signal(numbers[k], heed) == SIG_IGN && !(live && numbers[k] == SIGINT))
            signal(numbers[k], SIG_IGN);
}

void cmd_signal_temporary(size_t index, char *path)
{
    temporaries[index] = path;
    if (path)
        catch_signals();
}

void cmd_signal_half_line(bool there)
{
    half_line = there;
}

void cmd_signals_begin(bool for_live)
{
    live = for_live;
    catch_signals();
}

static void heed_rotate(int number)
{
    (void)number;
    rotate = 1;
}

void cmd_signal_rotate_begin(void)
{
    if (signal(SIGHUP, heed_rotate) == SIG_IGN)
        signal(SIGHUP, SIG_IGN);
}

bool cmd_signal_rotated(void)
{
    bool asked = rotate;
    rotate = 0;
    return asked;
}

const volatile sig_atomic_t *cmd_signal_stop(void)
{
    return &stop;
}

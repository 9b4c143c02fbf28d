/* The terminal: its width, whether colours are wanted, and the progress line. */
#include "cmd/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WIDTH_USUAL    80
#define WIDTH_MAX      1000
#define PROGRESS_AFTER 0.5 /* seconds: a short run shows none */
#define PROGRESS_EVERY 0.1

/* ---- width and colours ----------------------------------------------------------------------- */

/* COLUMNS, as POSIX has it, takes precedence over what the terminal says. */
size_t cmd_width(void)
{
    struct winsize size;
    uint32_t columns;
    const char *asked = getenv("COLUMNS");
    if (asked && slice_to_u32(slice_of(asked), &columns) && columns > 0 && columns <= WIDTH_MAX)
        return columns;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return WIDTH_USUAL;
}

/* NO_COLOR: https://no-color.org */
static bool colours_by_default(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

bool cmd_style(struct report_style *style, const struct cmd_arguments *a, struct err *err)
{
    const char *when = cmd_value(a, CMD_OPT_COLOR);
    if (when && !cmd_has_word("auto always never", slice_of(when)))
        return err_set(err, "--color %s: it is auto, always or never", when);
    *style = (struct report_style){
        .width = cmd_width(),
        .colour =
            !when || strcmp(when, "auto") == 0 ? colours_by_default() : strcmp(when, "always") == 0,
        .verbose = cmd_given(a, CMD_OPT_VERBOSE),
        .show_secrets = cmd_given(a, CMD_OPT_SHOW_SECRETS),
        .local_time = cmd_given(a, CMD_OPT_LOCAL_TIME),
    };
    return true;
}

struct report_style cmd_style_for(const struct report_style *style, const struct cmd_output *o,
                                  const struct cmd_arguments *a)
{
    struct report_style s = *style;
    const char *when = cmd_value(a, CMD_OPT_COLOR);
    if (o->path && !(when && strcmp(when, "always") == 0))
        s.colour = false;
    return s;
}

/* ---- progress -------------------------------------------------------------------------------- */

static struct {
    double began, shown;
    bool visible;
} progress;

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show_progress(void *context, uint64_t read, uint64_t total)
{
    (void)context;
    double now = seconds_now();
    if (now - progress.began < PROGRESS_AFTER || now - progress.shown < PROGRESS_EVERY)
        return;
    progress.shown = now;
    progress.visible = true;
    cmd_signal_half_line(true);
    if (total)
        fprintf(stderr, CMD_CLEAR_LINE "sipxray: %3u %% of %.1f MB",
                (unsigned)(100.0 * (double)read / (double)total), (double)total / 1e6);
    else
        fprintf(stderr, CMD_CLEAR_LINE "sipxray: %.1f MB", (double)read / 1e6);
    fflush(stderr);
}

void cmd_progress_begin(struct trace *t)
{
    if (!isatty(STDERR_FILENO))
        return;
    progress.began = seconds_now();
    trace_set_progress(t, show_progress, NULL);
}

void cmd_progress_clear(void)
{
    if (!progress.visible)
        return;
    fputs(CMD_CLEAR_LINE, stderr);
    fflush(stderr);
    progress.visible = false;
    cmd_signal_half_line(false);
}

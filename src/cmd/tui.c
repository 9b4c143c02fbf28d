/* sipxray tui: the screens. */
#include "tui/tui.h"
#include "cmd/internal.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#define MB      (1024u * 1024u)
#define KEEP_MB 256u /* of packets that cannot be read again, to be saved */

struct screens {
    const struct cmd_arguments *arguments;
    struct cmd_owed owed;
    struct report_style style;
    struct tui_settings settings;
    struct trace *trace;
};

static bool read_memory(const struct screens *s, struct trace_options *o, struct err *err)
{
    const char *value = cmd_value(s->arguments, CMD_OPT_MEMORY);
    uint32_t mb = s->settings.values[SET_MEMORY];
    if (value && (!slice_to_u32(slice_of(value), &mb) || mb == 0))
        return err_set(err, "--memory %s: a number of MB from 1 on", value);
    o->memory = (uint64_t)mb * MB;
    return true;
}

/* What the command line says holds for this run, and is not saved. */
static bool read_settings(struct screens *s, struct err *err)
{
    if (!cmd_settings_read(&s->settings, s->arguments, err))
        return false;
    if (cmd_given(s->arguments, CMD_OPT_LOCAL_TIME))
        s->settings.values[SET_ZONE] = 1;
    if (cmd_given(s->arguments, CMD_OPT_COLOR) && s->settings.values[SET_THEME] == THEME_PLAIN)
        s->settings.values[SET_THEME] = THEME_AUTO;
    return true;
}

/* Behind number and verdict. */
static bool read_columns(struct screens *s, struct err *err)
{
    const char *list = cmd_value(s->arguments, CMD_OPT_COLUMNS);
    struct text *text = &s->settings.texts[SET_COLUMNS];
    if (!list)
        return true;
    text_clear(text);
    text_printf(text, "number,verdict,%s", list);
    return tui_columns_check(slice_of(list), err);
}

/* The screens make their own of it, which is changed there. */
static bool check_filter(const struct screens *s, struct err *err)
{
    struct view_filter *f;
    bool ok = cmd_filter_read(s->arguments, VIEW_FILTER_JUDGED, &f, err);
    view_filter_free(f);
    return ok;
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool open_trace(struct screens *s, struct err *err)
{
    const struct cmd_list *nodes = &s->arguments->values[CMD_OPT_NODE];
    struct trace_options options = {
        .check = &s->owed.options,
        .media = true,
        .secrets = true,
        .keep_bytes = KEEP_MB * (uint64_t)MB,
        .livekit = cmd_value(s->arguments, CMD_OPT_LIVEKIT),
        .nodes = nodes->items,
        .node_count = nodes->n,
    };
    if (!cmd_style(&s->style, s->arguments, err) || !cmd_owed_read(&s->owed, s->arguments, err) ||
        !check_filter(s, err) || !read_settings(s, err) || !read_columns(s, err) ||
        !read_memory(s, &options, err))
        return false;
    if (!isatty(STDOUT_FILENO))
        return err_set(err, "tui needs a terminal; check, calls, messages and flow print");
    return (s->trace = cmd_trace_open(s->arguments, &options, err)) != NULL;
}

static bool run(struct screens *s, struct err *err)
{
    if (!open_trace(s, err))
        return false;
    bool utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    const struct tui_options options = {
        .check = &s->owed.options,
        .settings = &s->settings,
        .filter = cmd_value(s->arguments, CMD_OPT_FILTER),
        .ascii = cmd_given(s->arguments, CMD_OPT_ASCII) || !utf8,
        .show_secrets = s->style.show_secrets,
        .colour = s->style.colour,
        .version = CMD_VERSION,
    };
    if (trace_is_live(s->trace) && !cmd_privileges_drop(true, err))
        return false;
    cmd_signals_begin(true); /* they end the screens, so that the terminal is left as it was */
    if (!trace_browse(s->trace, err))
        return false;
    struct tui *t = tui_new(s->trace, &options);
    bool ok = tui_run(t, &options, cmd_signal_stop(), err);
    tui_free(t);
    return ok;
}

int cmd_tui(const struct cmd_arguments *a)
{
    struct err err;
    struct screens s = {.arguments = a};
    bool ok = run(&s, &err);
    if (!ok)
        cmd_complain("%s", err.text);
    if (s.trace)
        trace_free(s.trace);
    cmd_owed_free(&s.owed);
    tui_settings_free(&s.settings);
    return ok ? CMD_HOLDS : CMD_ERROR;
}

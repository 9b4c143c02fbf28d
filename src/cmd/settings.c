/* Where settings are kept: sngrep's files, then the program's own. */
#include "cmd/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FOLDER/NAME of an environment variable; empty: it is not set. */
static void add_path(struct text *out, const char *variable, const char *name)
{
    const char *folder = getenv(variable);
    if (folder && folder[0] == '/')
        text_printf(out, "%s/%s", folder, name);
}

/* As XDG has it. */
static void own_path(struct text *out)
{
    add_path(out, "XDG_CONFIG_HOME", "sipxray/config");
    if (out->n == 0)
        add_path(out, "HOME", ".config/sipxray/config");
}

static void read_sngrep(struct tui_settings *s, const char *path)
{
    struct err err;
    if (!tui_settings_read_sngrep(s, path, &err))
        tui_settings_remark(s, "%s", err.text);
}

/* Where sngrep looks, in its order. */
static void read_all_sngrep(struct tui_settings *s)
{
    const char *named = getenv("SNGREPRC");
    struct text home = {0};
    read_sngrep(s, "/etc/sngreprc");
    read_sngrep(s, "/usr/local/etc/sngreprc");
    add_path(&home, "HOME", ".sngreprc");
    if (named && named[0])
        read_sngrep(s, named);
    else if (home.n)
        read_sngrep(s, home.p);
    text_free(&home);
}

/* A file that was asked for has to be there; that of the user is read where there is one. */
bool cmd_settings_read(struct tui_settings *s, const struct cmd_arguments *a, struct err *err)
{
    const char *named = cmd_value(a, CMD_OPT_CONFIG);
    struct err why;
    tui_settings_init(s);
    if (cmd_given(a, CMD_OPT_NO_CONFIG))
        return !named || err_set(err, "--config and --no-config exclude each other");
    read_all_sngrep(s);
    if (named)
        text_add(&s->path, slice_of(named));
    else
        own_path(&s->path);
    if (named && access(named, R_OK) != 0)
        return err_set(err, "--config %s: there is no such file that can be read", named);
    if (s->path.n && !tui_settings_read(s, s->path.p, &why)) {
        if (named)
            return err_set(err, "--config %s", why.text);
        tui_settings_remark(s, "%s", why.text);
    }
    return true;
}

/* The configuration file: lines of words, read one by one, written back with what was changed. */
#include "tui/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)1 << 20)

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice tui_next_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    struct slice word = slice_first(*rest, n);
    *rest = slice_trim(slice_from(*rest, n));
    return word;
}

static const char *setting_name(size_t i)
{
    return i < SET_COUNT ? tui_setting_of((enum tui_set)i)->name : NULL;
}

static enum tui_set setting_by_name(struct slice name)
{
    enum tui_set id = 0;
    while (id < SET_COUNT && !slice_equal_nocase(name, slice_of(tui_setting_of(id)->name)))
        id++;
    return id;
}

static bool take_set(struct tui_settings *s, struct slice rest, struct err *err)
{
    struct slice name = tui_next_word(&rest);
    enum tui_set id = setting_by_name(name);
    if (id < SET_COUNT)
        return tui_setting_put(s, id, rest, err);
    char copy[64] = "";
    if (name.n && name.n < sizeof copy)
        memcpy(copy, name.p, name.n);
    const char *near = nearest_word(copy, setting_name);
    if (near)
        return err_set(err, "there is no setting '%.*s'; did you mean %s?", SLICE_ARG(name), near);
    return err_set(err, "there is no setting '%.*s'", SLICE_ARG(name));
}

bool tui_take_alias(struct tui_settings *s, struct slice rest, struct err *err)
{
    struct address address;
    struct slice word = tui_next_word(&rest);
    if (!address_parse(word, &address))
        return err_set(err, "alias ADDRESS NAME: '%.*s' is no address", SLICE_ARG(word));
    if (rest.n == 0)
        return err_set(err, "alias ADDRESS NAME: the name is missing");
    if (s->aliases.n == TUI_ALIASES_MAX)
        return err_set(err, "more than %u names of addresses", TUI_ALIASES_MAX);
    *vec_add(&s->aliases) = (struct tui_alias){address, arena_copy(&s->arena, rest)};
    return true;
}

typedef bool key_change(struct tui_settings *s, struct slice action, struct slice key,
                        struct err *err);

static bool take_keys(struct tui_settings *s, struct slice rest, key_change *change,
                      struct err *err)
{
    struct slice action = tui_next_word(&rest);
    if (rest.n == 0)
        return err_set(err, "bind ACTION KEY: the key is missing");
    while (rest.n)
        if (!change(s, action, tui_next_word(&rest), err))
            return false;
    return true;
}

static bool take_line(void *context, struct slice line, struct err *err)
{
    struct tui_settings *s = context;
    struct slice word = tui_next_word(&line);
    if (slice_equal_nocase(word, SLICE("set")))
        return take_set(s, line, err);
    if (slice_equal_nocase(word, SLICE("alias")))
        return tui_take_alias(s, line, err);
    if (slice_equal_nocase(word, SLICE("bind")))
        return take_keys(s, line, tui_keys_bind, err);
    if (slice_equal_nocase(word, SLICE("unbind")))
        return take_keys(s, line, tui_keys_unbind, err);
    if (slice_equal_nocase(word, SLICE("color"))) {
        struct slice look = tui_next_word(&line);
        return tui_paint_put(s, look, line, err);
    }
    return err_set(err, "a line begins with set, alias, bind, unbind, color or #, not '%.*s'",
                   SLICE_ARG(word));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A fifo or device would keep us waiting: files only.  Nothing there: an empty text. */
static bool read_whole(const char *path, struct text *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || err_set(err, "%s: %s", path, strerror(errno));
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!ok)
        err_set(err, "%s: not a file", path);
    char buffer[4096];
    ssize_t n = 0;
    while (ok && out->n <= FILE_MOST && (n = read(fd, buffer, sizeof buffer)) > 0)
        text_add(out, (struct slice){buffer, (size_t)n});
    if (ok && n < 0)
        ok = err_set(err, "%s: %s", path, strerror(errno));
    else if (ok && out->n > FILE_MOST)
        ok = err_set(err, "%s: longer than %zu bytes", path, FILE_MOST);
    close(fd);
    return ok;
}

/* /dev/null is a file without lines, as everywhere; nothing is saved to it. */
bool tui_each_line(struct tui_settings *s, const char *path, tui_line_taker *take, void *context,
                   struct err *err)
{
    struct text all = {0};
    struct err why;
    bool ok = strcmp(path, "/dev/null") == 0 || read_whole(path, &all, err);
    s->file = path;
    s->line = 0;
    for (struct slice rest = text_slice(&all); ok && rest.n;) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.n + 1);
        line = slice_trim(line);
        s->line++;
        if (line.n && line.p[0] != '#' && !take(context, line, &why))
            tui_settings_remark(s, "%s", why.text);
    }
    s->file = NULL;
    text_free(&all);
    return ok;
}

bool tui_settings_read(struct tui_settings *s, const char *path, struct err *err)
{
    return tui_each_line(s, path, take_line, s, err);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void add_setting(struct text *out, const struct tui_settings *s, enum tui_set id)
{
    struct text value = {0};
    tui_setting_add(&value, s, id);
    text_printf(out, "set %s%s", tui_setting_of(id)->name, value.n ? " " : "");
    text_add(out, text_slice(&value));
    text_add_char(out, '\n');
    text_free(&value);
}

/* The setting that a line sets; SET_COUNT: none. */
static enum tui_set set_by(struct slice line)
{
    struct slice word = tui_next_word(&line);
    return slice_equal_nocase(word, SLICE("set")) ? setting_by_name(tui_next_word(&line))
                                                  : SET_COUNT;
}

/* The lines as they are, but for those that set what was changed; what is not among them follows.
 */
static void merge(struct text *out, const struct tui_settings *s, struct slice old)
{
    bool there[SET_COUNT] = {false};
    if (old.n == 0)
        text_add(out, SLICE("# sipxray-config(5) describes this file.\n"));
    while (old.n) {
        struct slice line = slice_first(old, slice_find(old, '\n'));
        enum tui_set id = set_by(line);
        old = slice_from(old, line.n + 1);
        if (id < SET_COUNT && s->changed[id]) {
            if (!there[id])
                add_setting(out, s, id);
            there[id] = true;
            continue;
        }
        text_add(out, line);
        text_add_char(out, '\n');
    }
    for (enum tui_set id = 0; id < SET_COUNT; id++)
        if (s->changed[id] && !there[id])
            add_setting(out, s, id);
}

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool ok = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!ok)
            return false;
    }
    return true;
}

/* Beside the file, and renamed to it: a reader sees the old one or the new one. */
static bool replace(const char *path, struct slice bytes, mode_t mode)
{
    struct text beside = {0};
    text_printf(&beside, "%s.XXXXXX", path);
    int fd = mkstemp(beside.p);
    if (fd >= 0)
        (void)fchmod(fd, mode); /* else it is the user's alone */
    bool ok = file_replace(fd, beside.p, path, bytes, true);
    text_free(&beside);
    return ok;
}

bool tui_settings_save(struct tui_settings *s, struct err *err)
{
    struct text old = {0}, fresh = {0};
    struct stat st;
    if (s->path.n == 0)
        return err_set(err, "there is no file to save to: neither HOME nor XDG_CONFIG_HOME is set, "
                            "or --no-config is given");
    if (!make_folders(s->path.p))
        return err_set(err, "%s: %s", s->path.p, strerror(errno));
    char *real = realpath(s->path.p, NULL); /* a link to it stays one */
    const char *path = real ? real : s->path.p;
    bool ok = read_whole(path, &old, err);
    if (ok) {
        merge(&fresh, s, text_slice(&old));
        mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;
        ok = replace(path, text_slice(&fresh), mode) ||
             err_set(err, "%s: %s", path, strerror(errno));
    }
    if (ok)
        memset(s->changed, 0, sizeof s->changed);
    free(real);
    text_free(&old);
    text_free(&fresh);
    return ok;
}

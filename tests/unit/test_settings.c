/* Unit tests of settings: what lines say, what is wrong with others, what is written back, keys and
 * colours. */
#include "tui/internal.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sipxray-settings-XXXXXX";
static char path[128];

static void write_file(const char *name, struct slice bytes)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p ? bytes.p : "", 1, bytes.n, f), bytes.n);
    assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *name, const char *expected)
{
    char bytes[8192] = "";
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    bytes[fread(bytes, 1, sizeof bytes - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(bytes, expected);
}

typedef bool lines_reader(struct tui_settings *s, const char *path, struct err *err);

/* The remarks, without the place of the file. */
static struct text read_by(lines_reader *reader, struct tui_settings *s, struct slice lines)
{
    struct err err;
    struct text out = {0};
    tui_settings_init(s);
    write_file(path, lines);
    assert_true(reader(s, path, &err));
    for (struct slice rest = text_slice(&s->remarks); rest.n;) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.n + 1);
        assert_true(slice_starts(line, slice_of(path)));
        text_add(&out, slice_from(line, strlen(path) + 1));
        text_add_char(&out, '\n');
    }
    return out;
}

static struct text read_lines(struct tui_settings *s, struct slice lines)
{
    return read_by(tui_settings_read, s, lines);
}

static struct text read_sngrep(struct tui_settings *s, struct slice lines)
{
    return read_by(tui_settings_read_sngrep, s, lines);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/config", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void test_usual(void **state)
{
    (void)state;
    struct tui_settings s;
    tui_settings_init(&s);
    assert_int_equal(s.remark_count, 0);
    for (enum tui_set id = 0; id < SET_COUNT; id++) {
        struct text value = {0};
        tui_setting_add(&value, &s, id);
        assert_true(slice_is(text_slice(&value), tui_setting_of(id)->usual));
        assert_false(s.changed[id]);
        text_free(&value);
    }
    tui_settings_free(&s);
}

static void test_values(void **state)
{
    static const struct {
        const char *line;
        enum tui_set id;
        const char *value;
    } cases[] = {
        {"set theme light", SET_THEME, "light"},
        {"  SET\tTheme   PLAIN  \r", SET_THEME, "plain"},
        {"set ascii on", SET_ASCII, "on"},
        {"set ascii yes", SET_ASCII, "on"},
        {"set wrap 0", SET_WRAP, "off"},
        {"set memory 1", SET_MEMORY, "1"},
        {"set memory 1048576", SET_MEMORY, "1048576"},
        {"set columns caller=20, BYE:X-Queue", SET_COLUMNS, "caller=20, BYE:X-Queue"},
        {"set sort", SET_SORT, ""},
        {"set preview off\nset preview on", SET_PREVIEW, "on"},
        {"# set preview off", SET_PREVIEW, "on"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text value = {0}, remarks = read_lines(&s, slice_of(cases[i].line));
        assert_int_equal(remarks.n, 0);
        tui_setting_add(&value, &s, cases[i].id);
        assert_true(slice_is(text_slice(&value), cases[i].value));
        text_free(&value);
        tui_settings_free(&s);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *lines, *remarks;
    } cases[] = {
        {"set theme purple", "1: theme is one of auto dark light plain, not 'purple'\n"},
        {"\n\nset them dark", "3: there is no setting 'them'; did you mean theme?\n"},
        {"set", "1: there is no setting ''\n"},
        {"set xyzzy 1", "1: there is no setting 'xyzzy'\n"},
        {"set ascii maybe", "1: ascii is on or off, not 'maybe'\n"},
        {"set ascii", "1: ascii is on or off, not ''\n"},
        {"set memory 0", "1: memory is a number from 1 to 1048576, not '0'\n"},
        {"set memory -1", "1: memory is a number from 1 to 1048576, not '-1'\n"},
        {"set memory 99999999999", "1: memory is a number from 1 to 1048576, not '99999999999'\n"},
        {"alias kam1 10.0.0.1", "1: alias ADDRESS NAME: 'kam1' is no address\n"},
        {"alias 10.0.0.1", "1: alias ADDRESS NAME: the name is missing\n"},
        {"bind calls.open", "1: bind ACTION KEY: the key is missing\n"},
        {"bind calls.opne x", "1: there is no action 'calls.opne'; sipxray-config(5) lists them\n"},
        {"bind nowhere.open x",
         "1: there is no action 'nowhere.open'; sipxray-config(5) lists them\n"},
        {"bind open F13", "1: there is no key 'F13'\n"},
        {"unbind any.back Esc q", "1: q is the last key that leads back: bind another one first\n"},
        {"color bud red", "1: color LOOK COLOR: there is no look 'bud'\n"},
        {"color bad", "1: color bad COLOR: the colour is missing\n"},
        {"theme dark", "1: a line begins with set, alias, bind, unbind, color or #, not 'theme'\n"},
        {"set theme dark\nx\nset wrap off\ny",
         "2: a line begins with set, alias, bind, unbind, color or #, not 'x'\n"
         "4: a line begins with set, alias, bind, unbind, color or #, not 'y'\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text remarks = read_lines(&s, slice_of(cases[i].lines));
        assert_string_equal(remarks.p, cases[i].remarks);
        text_free(&remarks);
        tui_settings_free(&s);
    }
}

/* A bad line leaves the others, and the value before it. */
static void test_rest_holds(void **state)
{
    struct tui_settings s;
    (void)state;
    struct text remarks =
        read_lines(&s, SLICE("set theme light\nset theme no\nset \0\xff x\nset wrap off"));
    assert_int_equal(s.remark_count, 2);
    assert_int_equal(s.values[SET_THEME], THEME_LIGHT);
    assert_int_equal(s.values[SET_WRAP], 0);
    text_free(&remarks);
    tui_settings_free(&s);
}

static void test_remarks_are_bounded(void **state)
{
    struct tui_settings s;
    struct text lines = {0};
    (void)state;
    for (int i = 0; i < 1000; i++)
        text_add(&lines, SLICE("nonsense\n"));
    struct text remarks = read_lines(&s, text_slice(&lines));
    size_t n = 0;
    for (size_t i = 0; i < remarks.n; i++)
        n += remarks.p[i] == '\n';
    assert_int_equal(n, TUI_REMARKS_MAX);
    assert_int_equal(s.remark_count, 1000);
    text_free(&remarks);
    text_free(&lines);
    tui_settings_free(&s);
}

static void test_files(void **state)
{
    struct tui_settings s;
    struct err err;
    char none[160];
    (void)state;
    snprintf(none, sizeof none, "%s/none", folder);
    tui_settings_init(&s);
    assert_true(tui_settings_read(&s, none, &err));
    assert_false(tui_settings_read(&s, folder, &err));
    assert_non_null(strstr(err.text, "not a file"));
    assert_int_equal(mkfifo(none, 0600), 0);
    assert_false(tui_settings_read(&s, none, &err)); /* and does not wait for a writer */
    unlink(none);
    assert_true(tui_settings_read(&s, "/dev/null", &err));
    assert_true(tui_settings_read_sngrep(&s, "/dev/null", &err));
    assert_int_equal(s.remark_count, 0);
    text_add(&s.path, SLICE("/dev/null"));
    tui_setting_set(&s, SET_WRAP, 0);
    assert_false(tui_settings_save(&s, &err)); /* it stays a device */
    assert_non_null(strstr(err.text, "not a file"));
    tui_settings_free(&s);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void test_aliases(void **state)
{
    struct tui_settings s;
    struct address a;
    (void)state;
    struct text remarks = read_lines(
        &s, SLICE("alias 10.0.0.1 one\nalias fd00::1 six and more\nalias 10.0.0.1 two\n"));
    assert_int_equal(remarks.n, 0);
    assert_true(address_parse(SLICE("10.0.0.1"), &a));
    assert_true(slice_is(tui_alias_of(&s, &a), "two"));
    assert_true(address_parse(SLICE("fd00::1"), &a));
    assert_true(slice_is(tui_alias_of(&s, &a), "six and more"));
    assert_true(address_parse(SLICE("10.0.0.2"), &a));
    assert_int_equal(tui_alias_of(&s, &a).n, 0);
    assert_true(address_parse(SLICE("10.0.0.1"), &a));
    tui_setting_set(&s, SET_ALIASES, 0);
    assert_int_equal(tui_alias_of(&s, &a).n, 0);
    tui_settings_free(&s);
}

/* ---- sngrep's files -------------------------------------------------------------------------- */

static void test_sngrep_values(void **state)
{
    static const struct {
        const char *lines;
        enum tui_set id;
        const char *value, *remarks;
    } cases[] = {
        {"set color off", SET_THEME, "plain", ""},
        {"set color on", SET_THEME, "auto", ""},
        {"set background light", SET_THEME, "light", ""},
        {"set background default", SET_THEME, "auto", ""},
        {"set colormode callid", SET_TINT, "call-id", ""},
        {"set colormode cseq", SET_TINT, "cseq", ""},
        {"set syntax off", SET_SYNTAX, "off", ""},
        {"set exitprompt on", SET_CONFIRM, "on", ""},
        {"set cl.noexitprompt 1", SET_CONFIRM, "off", ""},
        {"set cl.autoscroll on", SET_AUTOSCROLL, "on", ""},
        {"set sngrep.savepath /tmp/captures", SET_SAVE_FOLDER, "/tmp/captures", ""},
        {"set displayalias off", SET_ALIASES, "off", ""},
        {"set cl.column1 date\nset cl.column1.width 12", SET_COLUMNS,
         "number,verdict,day=12,caller,callee,messages,src,dst,outcome", ""},
        {"set cl.column0 sipfrom\nset cl.column8 xcallid", SET_COLUMNS,
         "verdict,caller,method,caller,callee,messages,src,dst,outcome,:X-Call-ID", ""},
        {"set cl.sortfield date\nset cl.sortorder desc", SET_SORT, "-day", ""},
        {"set cl.column1 transport", SET_COLUMNS, "",
         " without a meaning here, and passed over (1): column transport\n"},
        {"set capture.limit 20000\nset capture.device any\nbind onlymedia M\nignore a b", SET_THEME,
         "auto",
         " without a meaning here, and passed over (4): set capture.limit, set capture.device, "
         "bind onlymedia,  ignore\n"},
        {"set syntax maybe", SET_SYNTAX, "on", "1: syntax is on or off, not 'maybe'\n"},
        {"set cl.column99 src", SET_COLUMNS, "", "1: there is no column cl.column99\n"},
        {"set cl.column1.width 0", SET_COLUMNS, "",
         "1: cl.column1.width: a width is a number from 1 to 200\n"},
        {"# set syntax off\n\n", SET_SYNTAX, "on", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text value = {0}, remarks = read_sngrep(&s, slice_of(cases[i].lines));
        tui_setting_add(&value, &s, cases[i].id);
        assert_string_equal(value.p ? value.p : "", cases[i].value);
        assert_string_equal(remarks.p ? remarks.p : "", cases[i].remarks);
        text_free(&value);
        text_free(&remarks);
        tui_settings_free(&s);
    }
}

static void test_sngrep_keys(void **state)
{
    static const struct {
        const char *line;
        enum tui_map map;
        const char *key;
        enum tui_action action;
    } cases[] = {
        {"bind pause F12", MAP_ALL, "F12", DO_PAUSE},
        {"bind prevscreen ^X", MAP_ALL, "C-x", DO_BACK},
        {"unbind flow Enter", MAP_CALLS, "Enter", DO_NOTHING},
        {"bind raw v", MAP_CALLS, "v", DO_RAW},
        {"bind raw v", MAP_LADDER, "v", DO_OPEN},
        {"bind select v", MAP_CALLS, "v", DO_MARK},
        {"bind select v", MAP_LADDER, "v", DO_MARK},
        {"bind columnup u", MAP_COLUMNS, "u", DO_MOVE_UP},
        {"bind hnpage v", MAP_SCROLL, "v", DO_PAGE_DOWN},
        {"bind sdpinfo d", MAP_LADDER, "d", DO_MEDIA},
        {"bind togglemedia m", MAP_LADDER, "m", DO_MEDIA},
        {"bind compress s", MAP_LADDER, "s", DO_FOLD},
        {"bind togglesyntax F8", MAP_ALL, "F8", DO_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text remarks = read_sngrep(&s, slice_of(cases[i].line));
        assert_int_equal(tui_action_of(&s.keys, cases[i].map, tui_key_of(slice_of(cases[i].key))),
                         cases[i].action);
        assert_int_equal(s.remark_count, s.note_count);
        text_free(&remarks);
        tui_settings_free(&s);
    }
}

/* A header of any message has no other sign in the title than its name. */
static void test_titles(void **state)
{
    static const struct {
        const char *column, *title;
    } cases[] = {
        {":X-Call-ID", "X-Call-ID"},    {"X-Queue", "X-Queue"}, {"BYE:X-Queue", "BYE:X-Queue"},
        {"200:Contact", "200:Contact"}, {"caller=20", "From"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_columns c = {0};
        struct tui_column column;
        struct err err;
        assert_true(tui_column_read(&c, slice_of(cases[i].column), &column, &err));
        assert_true(slice_is(tui_column_title(&column), cases[i].title));
        arena_free(&c.arena);
    }
}

static void test_sngrep_aliases(void **state)
{
    struct tui_settings s;
    struct address a;
    (void)state;
    struct text remarks = read_sngrep(
        &s, SLICE("alias 10.0.0.1 PBX\nalias 10.0.0.2:5060 gw\nalias fd00::7 six\nalias x y\n"));
    assert_string_equal(remarks.p, "4: alias ADDRESS NAME: 'x' is no address\n");
    assert_true(address_parse(SLICE("10.0.0.1"), &a));
    assert_true(slice_is(tui_alias_of(&s, &a), "PBX"));
    assert_true(address_parse(SLICE("10.0.0.2"), &a));
    assert_true(slice_is(tui_alias_of(&s, &a), "gw"));
    assert_true(address_parse(SLICE("fd00::7"), &a));
    assert_true(slice_is(tui_alias_of(&s, &a), "six"));
    text_free(&remarks);
    tui_settings_free(&s);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void test_keys(void **state)
{
    static const struct {
        const char *lines;
        enum tui_map map;
        const char *key;
        enum tui_action action;
        const char *remarks;
    } cases[] = {
        {"", MAP_CALLS, "x", DO_OPEN, ""},
        {"bind calls.open l", MAP_CALLS, "l", DO_OPEN, ""},
        {"bind calls.open l", MAP_CALLS, "x", DO_OPEN, ""},
        {"BIND Calls.Sort-Next ^N", MAP_CALLS, "C-n", DO_SORT_NEXT, ""},
        {"bind calls.mark x", MAP_CALLS, "x", DO_MARK,
         "1: note: x on the screen calls was: open the call: its ladder over all hops\n"},
        {"bind calls.open u b", MAP_CALLS, "b", DO_OPEN, ""},
        {"unbind calls.open x", MAP_CALLS, "x", DO_NOTHING, ""},
        {"unbind calls.open x", MAP_CALLS, "Enter", DO_OPEN, ""},
        {"bind save w", MAP_MESSAGE, "w", DO_SAVE, NULL},
        {"bind save w", MAP_SETTINGS, "w", DO_SAVE, NULL},
        {"bind any.quit m", MAP_ALL, "m", DO_QUIT, NULL},
        {"bind any.quit m", MAP_CALLS, "m", DO_MATRIX, NULL},
        {"bind lists.up F12", MAP_SCROLL, "F12", DO_UP, ""},
        {"bind any.back BACKSPACE\nunbind any.back Esc q", MAP_ALL, "Backspace", DO_BACK, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text remarks = read_lines(&s, slice_of(cases[i].lines));
        assert_int_equal(tui_action_of(&s.keys, cases[i].map, tui_key_of(slice_of(cases[i].key))),
                         cases[i].action);
        if (cases[i].remarks)
            assert_string_equal(remarks.p ? remarks.p : "", cases[i].remarks);
        else
            assert_true(remarks.n > 0);
        text_free(&remarks);
        tui_settings_free(&s);
    }
}

/* The bar and the help name the keys that hold. */
static void test_keys_are_shown(void **state)
{
    struct tui_settings s;
    struct text help = {0};
    (void)state;
    struct text remarks =
        read_lines(&s, SLICE("bind calls.matrix Tab\nunbind calls.open Enter x X\n"));
    tui_help_text(&help, &s.keys, MAP_CALLS);
    assert_non_null(strstr(help.p, "  Tab m         the headers"));
    assert_non_null(strstr(help.p, "  F4            open the call"));
    text_free(&help);
    text_free(&remarks);
    tui_settings_free(&s);
}

/* No two rows of a screen have the same key. */
static void test_keys_are_one(void **state)
{
    const struct tui_binding *list;
    size_t n = tui_bindings(&list);
    (void)state;
    for (size_t i = 0; i < n; i++)
        for (struct slice rest = slice_of(list[i].keys); rest.n;) {
            struct slice key = tui_next_word(&rest);
            assert_int_not_equal(tui_key_of(key), TUI_KEY_NONE);
            for (size_t k = 0; k < n; k++)
                for (struct slice other = slice_of(list[k].keys); other.n && k != i;)
                    if (tui_key_of(tui_next_word(&other)) == tui_key_of(key) &&
                        strcmp(list[i].screen, list[k].screen) == 0)
                        fail_msg("%s: %.*s is %s and %s", list[i].screen, SLICE_ARG(key),
                                 list[i].action, list[k].action);
        }
}

/* ---- colours --------------------------------------------------------------------------------- */

static void test_paints(void **state)
{
    static const struct {
        const char *lines;
        unsigned look, colours;
        bool light;
        int ink, marks;
    } cases[] = {
        {"", GRID_BAD, 8, false, 1, TUI_BOLD},
        {"", GRID_BAD, 16, false, 9, TUI_BOLD},
        {"", GRID_BAD, 256, false, 203, TUI_BOLD},
        {"", GRID_BAD, 256, true, 160, TUI_BOLD},
        {"", GRID_BAD, 0, true, -1, TUI_BOLD},
        {"set theme light", GRID_BAD, 256, false, 160, TUI_BOLD},
        {"set theme dark", GRID_BAD, 256, true, 203, TUI_BOLD},
        {"set theme plain", GRID_BAD, 256, true, -1, TUI_BOLD},
        {"set colors 8", GRID_BAD, 256, false, 1, TUI_BOLD},
        {"set colors 256", GRID_BAD, 8, false, 1, TUI_BOLD},
        {"color bad 200 underline", GRID_BAD, 256, false, 200, TUI_UNDERLINE},
        {"color bad 200 underline", GRID_BAD, 8, false, 1, TUI_BOLD},
        {"color BAD Bright-Blue", GRID_BAD, 16, false, 12, 0},
        {"color bad default reverse bold", GRID_BAD, 8, false, -1, TUI_REVERSE | TUI_BOLD},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tui_settings s;
        struct text remarks = read_lines(&s, slice_of(cases[i].lines));
        struct tui_paint p = tui_paint_of(&s, cases[i].look, cases[i].colours, cases[i].light);
        assert_int_equal(remarks.n, 0);
        assert_int_equal(p.ink, cases[i].ink);
        assert_int_equal(p.marks, cases[i].marks);
        tui_settings_free(&s);
    }
}

/* Without colours no two of the looks that say something different look as plain text does. */
static void test_marks(void **state)
{
    static const unsigned looks[] = {GRID_DIM, GRID_TITLE, GRID_HEAD,
                                     GRID_KEY, GRID_BAD,   GRID_MARK};
    struct tui_settings s;
    (void)state;
    tui_settings_init(&s);
    for (size_t i = 0; i < COUNT(looks); i++)
        assert_int_not_equal(tui_paint_of(&s, looks[i], 0, false).marks, 0);
    tui_settings_free(&s);
}

/* ---- written back ---------------------------------------------------------------------------- */

static void test_saved(void **state)
{
    struct tui_settings s;
    struct err err;
    (void)state;
    struct text remarks = read_lines(
        &s,
        SLICE("# mine\nset theme dark # not a comment\n\n  set wrap off\nset wrap on\nbind x\n"));
    text_add(&s.path, slice_of(path));
    tui_setting_set(&s, SET_WRAP, 0);
    tui_setting_set(&s, SET_MEMORY, 64);
    assert_true(tui_settings_save(&s, &err));
    assert_file(path, "# mine\nset theme dark # not a comment\n\nset wrap off\nbind x\n"
                      "set memory 64\n");
    assert_false(s.changed[SET_WRAP]);
    /* what another program wrote meanwhile stays */
    write_file(path, SLICE("set theme light\n"));
    tui_setting_set(&s, SET_WRAP, 1);
    assert_true(tui_settings_save(&s, &err));
    assert_file(path, "set theme light\nset wrap on\n");
    text_free(&remarks);
    tui_settings_free(&s);
}

static void test_saved_anew(void **state)
{
    struct tui_settings s;
    struct err err;
    char deep[256], middle[160], link[160];
    (void)state;
    snprintf(middle, sizeof middle, "%s/a", folder);
    snprintf(deep, sizeof deep, "%s/config", middle);
    snprintf(link, sizeof link, "%s/link", folder);
    tui_settings_init(&s);
    assert_false(tui_settings_save(&s, &err));
    text_add(&s.path, slice_of(deep));
    tui_setting_set(&s, SET_THEME, THEME_LIGHT);
    assert_true(tui_settings_save(&s, &err));
    assert_file(deep, "# sipxray-config(5) describes this file.\nset theme light\n");
    /* a link stays one, and the rights stay */
    struct stat st;
    assert_int_equal(symlink(deep, link), 0);
    assert_int_equal(chmod(deep, 0600), 0);
    text_clear(&s.path);
    text_add(&s.path, slice_of(link));
    tui_setting_set(&s, SET_THEME, THEME_DARK);
    assert_true(tui_settings_save(&s, &err));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_file(deep, "# sipxray-config(5) describes this file.\nset theme dark\n");
    tui_settings_free(&s);
    unlink(link);
    unlink(deep);
    rmdir(middle);
}

/* What cannot be written leaves the file, and what was changed is changed still. */
static void test_not_saved(void **state)
{
    struct tui_settings s;
    struct err err;
    char below[160];
    (void)state;
    write_file(path, SLICE("set wrap on\n"));
    snprintf(below, sizeof below, "%s/config", path);
    tui_settings_init(&s);
    text_add(&s.path, slice_of(below));
    tui_setting_set(&s, SET_WRAP, 0);
    assert_false(tui_settings_save(&s, &err));
    assert_non_null(strstr(err.text, path));
    assert_true(s.changed[SET_WRAP]);
    text_clear(&s.path);
    text_add(&s.path, slice_of(folder));
    assert_false(tui_settings_save(&s, &err));
    assert_file(path, "set wrap on\n");
    tui_settings_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_rest_holds),
        cmocka_unit_test(test_remarks_are_bounded),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_sngrep_values),
        cmocka_unit_test(test_sngrep_keys),
        cmocka_unit_test(test_sngrep_aliases),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_are_shown),
        cmocka_unit_test(test_keys_are_one),
        cmocka_unit_test(test_paints),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_saved_anew),
        cmocka_unit_test(test_not_saved),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

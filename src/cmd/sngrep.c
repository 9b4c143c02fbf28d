/* sngrep's command line, for those who have it in their fingers: it becomes one of this program, or
 * a sentence that says what to type instead. */
#include "cmd/internal.h"

#include <string.h>
#include <unistd.h>

/* Letters of sngrep; those that take an argument. */
#define LETTERS  "IOdkHLlBfWrcivNqREFtpDT"
#define TAKES    "IOdkHLlBfW"
#define IS(c, s) ((c) != '\0' && strchr((s), (c)) != NULL)

/* What was read of it. */
struct theirs {
    struct cmd_words *w;
    VEC(const char *) sources, words; /* words: the match expression and the filter */
    bool calls_only, nocase, invert, silent, media, no_config;
    const char *out, *send; /* -O, -H */
};

static void add(struct cmd_words *w, const char *word)
{
    *vec_add(&w->items) = word;
}

static const char *print(struct theirs *t, const char *format, const char *word)
{
    struct text text = {0};
    text_add(&text, slice_first(slice_of(format), slice_find(slice_of(format), '%')));
    text_add(&text, slice_of(word));
    return text_keep(&text, &t->w->arena).p;
}

/* ---- is it one? ------------------------------------------------------------------------------ */

static bool is_command(const char *word)
{
    for (enum cmd_id id = 0; id < CMD_COUNT; id++)
        if (strcmp(word, cmd_command_of(id)->name) == 0)
            return true;
    return false;
}

bool cmd_sngrep_is(int argc, const char *const *argv)
{
    bool letters = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_command(argv[i]))
            return false;
        if (argv[i][0] != '-' || argv[i][1] == '\0' || argv[i][1] == '-')
            continue;
        letters |= IS(argv[i][1], LETTERS);
        if (IS(argv[i][strlen(argv[i]) - 1], TAKES))
            i++; /* what it takes may be called as a subcommand is */
    }
    return letters;
}

/* ---- options --------------------------------------------------------------------------------- */

/* "eth0,eth1" */
static void add_devices(struct theirs *t, struct slice list)
{
    while (list.n) {
        struct slice device = slice_first(list, slice_find(list, ','));
        list = slice_from(list, device.n + 1);
        *vec_add(&t->sources) = print(t, "iface:%", arena_copy(&t->w->arena, device).p);
    }
}

static bool take_argument(struct theirs *t, char letter, const char *value, struct err *err)
{
    switch (letter) {
    case 'I':
        *vec_add(&t->sources) = value;
        break;
    case 'd':
        add_devices(t, slice_of(value));
        break;
    case 'L':
        *vec_add(&t->sources) = print(t, "hep:%", value);
        break;
    case 'k':
        add(t->w, "--tls-key");
        add(t->w, value);
        break;
    case 'B':
        add(t->w, "--buffer");
        add(t->w, value);
        break;
    case 'O':
        t->out = value;
        break;
    case 'H':
        t->send = value;
        break;
    case 'l':
        cmd_complain("note: -l %s: calls are kept by memory here (--memory MB), and the longest "
                     "silent ones go first",
                     value);
        break;
    case 'f':
        return err_set(err,
                       "-f %s: a file of sngrep's is named by the environment variable SNGREPRC, "
                       "one of sipxray's by --config",
                       value);
    default:
        return err_set(err, "-%c %s: sipxray has nothing like it", letter, value);
    }
    return true;
}

static bool take_switch(struct theirs *t, char letter, struct err *err)
{
    switch (letter) {
    case 'c':
        t->calls_only = true;
        break;
    case 'i':
        t->nocase = true;
        break;
    case 'v':
        t->invert = true;
        break;
    case 'N':
    case 'q':
        t->silent = true;
        break;
    case 'F':
        t->no_config = true;
        break;
    case 'r':
        t->media = true; /* which the screens count without being asked to */
        break;
    case 'h':
        add(t->w, "--help");
        break;
    case 'V':
        add(t->w, "--version");
        break;
    case 'E': /* HEP is read, and old calls go, without being asked to */
    case 'R':
    case 'p':
        break;
    default:
        return err_set(
            err,
            "-%c: neither sipxray nor sngrep has this option; sipxray --help lists those of "
            "sipxray",
            letter);
    }
    return true;
}

/* "-rcI FILE" */
static bool take_letters(struct theirs *t, int argc, const char *const *argv, int *at,
                         struct err *err)
{
    for (const char *c = argv[*at] + 1; *c; c++) {
        if (!IS(*c, TAKES)) {
            if (!take_switch(t, *c, err))
                return false;
            continue;
        }
        const char *value = c[1] ? c + 1 : *at + 1 < argc ? argv[++*at] : "";
        return *value ? take_argument(t, *c, value, err)
                      : err_set(err, "-%c needs an argument", *c);
    }
    return true;
}

/* An option of ours, with what it takes. */
static void take_long(struct theirs *t, int argc, const char *const *argv, int *at)
{
    struct slice name = slice_of(argv[*at] + 2);
    bool joined = slice_find(name, '=') < name.n;
    add(t->w, argv[*at]);
    for (enum cmd_option_id id = 0; id < CMD_OPT_COUNT && !joined; id++)
        if (slice_is(name, cmd_option_of(id)->name) && cmd_option_of(id)->argument &&
            *at + 1 < argc)
            add(t->w, argv[++*at]);
}

/* ---- expressions ----------------------------------------------------------------------------- */

static const char *join(struct theirs *t, size_t from)
{
    struct text text = {0};
    for (size_t i = from; i < t->words.n; i++) {
        text_add(&text, i > from ? SLICE(" ") : SLICE(""));
        text_add(&text, slice_of(t->words.items[i]));
    }
    return text_keep(&text, &t->w->arena).p;
}

/* A regular expression over the message, as a text of the filter language. */
static void add_match(struct theirs *t, struct text *out, const char *match)
{
    text_add(out, t->invert ? SLICE("none(text =~ \"") : SLICE("text =~ \""));
    text_add(out, t->nocase ? SLICE("(?i)") : SLICE(""));
    for (; *match; match++) {
        if (*match == '"' || *match == '\\')
            text_add_char(out, '\\');
        text_add_char(out, *match);
    }
    text_add(out, t->invert ? SLICE("\")") : SLICE("\""));
}

/* All words are a filter of packets, or the first one is what to look for in messages. */
static void add_expressions(struct theirs *t)
{
    struct text filter = {0};
    size_t n = t->words.n, from = 0;
    if (t->calls_only)
        text_add(&filter, SLICE("call.method == INVITE"));
    if (n && !source_filter_is(join(t, 0))) {
        text_add(&filter, filter.n ? SLICE(" and ") : SLICE(""));
        add_match(t, &filter, t->words.items[0]);
        from = 1;
    }
    if (from < n) {
        add(t->w, "--bpf");
        add(t->w, join(t, from));
    }
    if (filter.n) {
        add(t->w, "--filter");
        add(t->w, text_keep(&filter, &t->w->arena).p);
    } else {
        text_free(&filter);
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* What screens do not do. */
static bool refuse(const struct theirs *t, struct err *err)
{
    const char *source = t->sources.n ? t->sources.items[0] : "iface:any";
    if (t->silent)
        return err_set(err,
                       "-N: without screens there are sipxray calls %s, messages, check and record",
                       source);
    if (t->out)
        return err_set(err,
                       "-O %s: sipxray record --output %s %s writes what is captured, and so "
                       "does -N; the screens save what they show (F2)",
                       t->out, t->out, source);
    return err_set(err, "-H %s: sipxray record --hep %s %s sends what is captured, and so does -N",
                   t->send, t->send, source);
}

/* With -N it is a recording, else the screens. */
static bool add_mode(struct theirs *t, struct err *err)
{
    bool records = t->silent && (t->out || t->send);
    if (!records && (t->silent || t->out || t->send))
        return refuse(t, err);
    t->w->items.items[1] = records ? "record" : "tui";
    if (records && t->out) {
        add(t->w, "--output");
        add(t->w, t->out);
    }
    if (records && t->send) {
        add(t->w, "--hep");
        add(t->w, t->send);
    }
    if (records && t->media)
        add(t->w, "--rtp");
    if (!records && t->no_config)
        add(t->w, "--no-config");
    return true;
}

/* A file that is there, or "NAME=SOURCE": given beside the options of sngrep. */
static bool is_source(const char *word)
{
    return access(word, F_OK) == 0 || (strchr(word, '=') && !strpbrk(word, " []()"));
}

bool cmd_sngrep_translate(struct cmd_words *w, int argc, const char *const *argv, struct err *err)
{
    struct theirs t = {.w = w};
    bool ok = true, words_only = false;
    add(w, argv[0]);
    add(w, "tui");
    for (int i = 1; i < argc && ok; i++) {
        const char *word = argv[i];
        if (!words_only && strcmp(word, "--") == 0)
            words_only = true;
        else if (!words_only && word[0] == '-' && word[1] == '-')
            take_long(&t, argc, argv, &i);
        else if (!words_only && word[0] == '-' && word[1])
            ok = take_letters(&t, argc, argv, &i, err);
        else if (t.words.n == 0 && is_source(word))
            *vec_add(&t.sources) = word;
        else
            *vec_add(&t.words) = word;
    }
    ok = ok && add_mode(&t, err);
    if (ok)
        add_expressions(&t);
    for (size_t i = 0; i < t.sources.n; i++)
        add(w, t.sources.items[i]);
    if (t.sources.n == 0)
        add(w, "iface:any");
    add(w, NULL);
    vec_free(&t.sources);
    vec_free(&t.words);
    return ok;
}

void cmd_words_free(struct cmd_words *w)
{
    vec_free(&w->items);
    arena_free(&w->arena);
}

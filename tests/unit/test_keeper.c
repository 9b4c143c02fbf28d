/* The keeper of commands: what it starts and what it refuses to, how jobs end, and that nothing is
 * left of them. */
#include "source/internal.h"
#include "source/keeper.h"

#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const shell_argv[] = {"sh", "-c", "\1", NULL};
static const char *const words_argv[] = {"printf", "<%s>", "a", "\1", "x\2y\1", "", NULL};
static const char *const absent_argv[] = {"/nowhere/to/be found", NULL};
static const char *const cat_argv[] = {"sh", "-c", "echo $$ >&2; trap '' TERM; cat; echo last",
                                       NULL};

static struct source_keeper open_shell(const char *command)
{
    const char *argv[] = {"sh", "-c", command, NULL};
    const struct source_plan plan = {argv, 0, false};
    struct source_keeper k;
    struct err err;
    assert_true(source_keeper_open(&k, &plan, 1, &err));
    return k;
}

static struct source_keeper_news await(struct source_keeper *k, enum source_keeper_event event)
{
    struct source_keeper_news news;
    assert_true(source_keeper_next(k, true, &news));
    assert_int_equal(news.event, event);
    return news;
}

static struct slice read_all(int fd, char *into, size_t n)
{
    size_t have = 0;
    ssize_t got;
    while (have < n && (got = read(fd, into + have, n - have)) > 0)
        have += (size_t)got;
    close(fd);
    return (struct slice){into, have};
}

static bool is_there(pid_t pid)
{
    return kill(pid, 0) == 0;
}

/* Of a number on a line. */
static pid_t read_pid(int fd)
{
    char line[32] = "";
    assert_true(read(fd, line, sizeof line - 1) > 1);
    return atoi(line);
}

/* Whatever the command does about it, nothing of it is left. */
static void nothing_is_left(void **state)
{
    static const char *const commands[] = {
        "echo $$ >&2; exec sleep 1000",
        "trap '' TERM; echo $$ >&2; sleep 1000; sleep 1000",
        "(trap '' TERM; sh -c 'echo $PPID' >&2; while :; do sleep 1; done)",
        "sleep 1000 & echo $! >&2; exec >&-",
        "(sleep 1000 & echo $! >&2); exit 3",
    };
    (void)state;
    for (size_t way = 0; way < 2; way++)
        for (size_t i = 0; i < COUNT(commands); i++) {
            struct source_keeper k = open_shell(commands[i]);
            uint32_t job = source_keeper_start(&k, 0, NULL, 0);
            struct source_keeper_news news = await(&k, SOURCE_JOB_STARTED);
            assert_int_equal(news.job, job);
            pid_t pid = read_pid(news.errors);
            if (!is_there(pid))
                fail_msg("way %zu, command %zu: not there", way, i);
            if (way == 1) {
                source_keeper_stop(&k, job);
                for (unsigned ms = 0; ms < 4000 && is_there(pid); ms += 10)
                    usleep(10000);
                if (is_there(pid))
                    fail_msg("command %zu: %d", i, (int)pid);
            }
            source_keeper_end(&k);
            assert_false(is_there(pid));
            close(news.output);
            close(news.errors);
        }
}

static void statuses(void **state)
{
    static const struct {
        const char *command;
        int status;
    } cases[] = {
        {"exit 0", 0}, {"exit 7", 7 << 8}, {"kill -9 $$", 9}, {"exec sleep 0 & exit 2", 2 << 8}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source_keeper k = open_shell(cases[i].command);
        for (unsigned times = 1; times <= 2; times++) { /* each job is its own */
            assert_int_equal(source_keeper_start(&k, 0, NULL, 0), times);
            struct source_keeper_news news = await(&k, SOURCE_JOB_STARTED);
            close(news.output);
            close(news.errors);
            news = await(&k, SOURCE_JOB_ENDED);
            assert_int_equal(news.job, times);
            assert_int_equal(news.status, cases[i].status);
        }
        source_keeper_end(&k);
    }
}

static void words(void **state)
{
    const struct source_plan plans[] = {{words_argv, 2, false}, {shell_argv, 1, false}};
    const struct slice good[] = {SLICE("kam-0"), SLICE("a.b_C9")};
    static const struct slice bad[] = {{"", 0},     {"-rf", 3},  {"a b", 3},  {"a;b", 3},
                                       {"a\0b", 3}, {"$(x)", 4}, {"/etc", 4}, {"\1", 1}};
    struct source_keeper k;
    struct err err;
    char out[256];
    (void)state;
    assert_true(source_keeper_open(&k, plans, 2, &err));
    source_keeper_start(&k, 0, good, 2);
    struct source_keeper_news news = await(&k, SOURCE_JOB_STARTED);
    struct slice got = read_all(news.output, out, sizeof out);
    close(news.errors);
    assert_true(slice_is(got, "<a><kam-0><xa.b_C9ykam-0><>"));
    await(&k, SOURCE_JOB_ENDED);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (i == 4)
            continue; /* ends at its NUL */
        source_keeper_start(&k, 1, &bad[i], 1);
        assert_int_equal(await(&k, SOURCE_JOB_FAILED).status, EINVAL);
    }
    static char long_word[300];
    memset(long_word, 'a', sizeof long_word);
    source_keeper_start(&k, 1, &(struct slice){long_word, sizeof long_word}, 1);
    assert_int_equal(await(&k, SOURCE_JOB_FAILED).status, EINVAL);
    source_keeper_start(&k, 0, good, 1); /* too few words, and a plan that is none */
    assert_int_equal(await(&k, SOURCE_JOB_FAILED).status, EINVAL);
    source_keeper_start(&k, 2, good, 1);
    assert_int_equal(await(&k, SOURCE_JOB_FAILED).status, EINVAL);
    source_keeper_end(&k);
}

static void not_found(void **state)
{
    const struct source_plan plan = {absent_argv, 0, false};
    struct source_keeper k;
    struct err err;
    char out[256];
    (void)state;
    assert_true(source_keeper_open(&k, &plan, 1, &err));
    source_keeper_start(&k, 0, NULL, 0);
    struct source_keeper_news news = await(&k, SOURCE_JOB_STARTED);
    struct slice got = read_all(news.errors, out, sizeof out);
    close(news.output);
    assert_true(slice_is(got, "/nowhere/to/be found: cannot be run: No such file or directory"));
    assert_int_equal(await(&k, SOURCE_JOB_ENDED).status, 127 << 8);
    source_keeper_end(&k);
}

/* What it reads is held open until it is to end, and then it has time to end by itself. */
static void input(void **state)
{
    const struct source_plan plan = {cat_argv, 0, true};
    struct source_keeper k;
    struct err err;
    char out[64];
    (void)state;
    assert_true(source_keeper_open(&k, &plan, 1, &err));
    uint32_t job = source_keeper_start(&k, 0, NULL, 0);
    struct source_keeper_news news = await(&k, SOURCE_JOB_STARTED);
    read_pid(news.errors);
    struct pollfd p = {.fd = news.output, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 100), 0);
    source_keeper_stop(&k, job);
    assert_true(slice_is(read_all(news.output, out, sizeof out), "last\n"));
    assert_int_equal(await(&k, SOURCE_JOB_ENDED).status, 0);
    close(news.errors);
    source_keeper_end(&k);
}

static void is_killed(void **state)
{
    struct source_keeper k = open_shell("echo $$ >&2; exec sleep 1000");
    struct source_keeper_news news;
    (void)state;
    source_keeper_start(&k, 0, NULL, 0);
    news = await(&k, SOURCE_JOB_STARTED);
    pid_t pid = read_pid(news.errors);
    kill(k.pid, SIGKILL);
    assert_false(source_keeper_next(&k, true, &news));
    assert_true(k.gone);
    for (unsigned ms = 0; ms < 4000 && is_there(pid); ms += 10)
        usleep(10000);
    assert_false(is_there(pid));
    source_keeper_start(&k, 0, NULL, 0); /* to nobody */
    source_keeper_end(&k);
}

static void pauses(void **state)
{
    static const struct {
        uint32_t first, pauses[8];
    } cases[] = {{1, {1, 2, 4, 8, 16, 32, 60, 60}},
                 {7, {7, 14, 28, 56, 60, 60, 60, 60}},
                 {60, {60, 60, 60}},
                 {90, {90, 90, 90}}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct source_pause p = {.first_s = cases[i].first};
        for (size_t k = 0; k < 8 && cases[i].pauses[k]; k++) {
            source_pause_run(&p);
            assert_int_equal(source_pause_begin(&p), cases[i].pauses[k]);
            assert_false(source_pause_is_over(&p));
        }
        p.begun_ms -= SOURCE_RETRY_WELL_S * 1000; /* a run that went well */
        assert_int_equal(source_pause_begin(&p), cases[i].first);
    }
}

/* What is shown of what a command printed: whole lines, the last ones. */
static void said(void **state)
{
    (void)state;
    char lines[2000] = "", expected[2000] = ": ...", one[1000];
    for (int i = 0; i < 30; i++) {
        snprintf(one, sizeof one, "E1122 10:00:%02d memcache.go:265] nobody answers\n", i);
        strcat(lines, one);
    }
    strcat(lines, "The connection was refused\n");
    for (int i = 18; i < 30; i++) {
        snprintf(one, sizeof one, "; E1122 10:00:%02d memcache.go:265] nobody answers", i);
        strcat(expected, one);
    }
    strcat(expected, "; The connection was refused");
    memset(one, 'x', 700);
    strcpy(one + 700, "\n");
    char long_line[1000] = "first\n", long_shown[1000];
    strcat(long_line, one);
    snprintf(long_shown, sizeof long_shown, ": ...; %.600s...", one);
    char alone[1000] = ": ";
    strcat(alone, long_shown + strlen(": ...; "));
    const struct {
        const char *printed, *shown;
    } table[] = {
        {"", ""},
        {"\n \n", ""},
        {"why\n", ": why"},
        {"tcpdump: listening on any\n one\r\n\ntwo", ": one; two"},
        {lines, expected},
        {long_line, long_shown},
        {long_line + strlen("first\n"), alone},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct source_job j = {.errors = -1, .status = 7 << 8, .said_n = strlen(table[i].printed)};
        struct text out = {0};
        memcpy(j.said, table[i].printed, j.said_n);
        source_job_word(&j, "it", &out);
        assert_int_equal(strncmp(out.p, "it ended with status 7", 22), 0);
        assert_string_equal(out.p + 22, table[i].shown);
        text_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left), cmocka_unit_test(statuses),
        cmocka_unit_test(words),           cmocka_unit_test(said),
        cmocka_unit_test(not_found),       cmocka_unit_test(input),
        cmocka_unit_test(is_killed),       cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

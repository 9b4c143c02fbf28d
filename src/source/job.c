/* A command that a keeper runs, as this program sees it: whether it runs, how it ended, and what it
 * prints on standard error, which is kept and shown where it did not end well. */
#include "source/internal.h"
#include "source/keeper.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOWN     600u /* bytes of what it printed */
#define LINGER_MS 1000 /* from the end of its output to its own */

void source_job_start(struct source_job *j, struct source_keeper *k, unsigned plan,
                      const struct slice *words, size_t n)
{
    *j = (struct source_job){.output = -1, .errors = -1};
    j->id = source_keeper_start(k, plan, words, n);
}

bool source_job_heed(struct source_job *j, const struct source_keeper_news *news)
{
    if (!j->id || news->job != j->id)
        return false;
    if (news->event == SOURCE_JOB_STARTED) {
        j->started = true;
        j->errors = news->errors;
    } else {
        j->ended = true;
        j->status = news->status;
    }
    if (news->event == SOURCE_JOB_FAILED)
        j->status = 127 << 8;
    return true;
}

static void keep(struct source_job *j, const char *bytes, size_t n)
{
    size_t drop = j->said_n + n > sizeof j->said ? j->said_n + n - sizeof j->said : 0;
    memmove(j->said, j->said + drop, j->said_n - drop);
    j->said_n -= drop;
    memcpy(j->said + j->said_n, bytes, n);
    j->said_n += n;
}

void source_job_drain(struct source_job *j)
{
    char bytes[SOURCE_JOB_ERRORS / 2];
    struct pollfd p = {.fd = j->errors, .events = POLLIN};
    ssize_t n;
    for (unsigned i = 0; j->errors >= 0 && i < 64 && poll(&p, 1, 0) > 0; i++) {
        if ((n = read(j->errors, bytes, sizeof bytes)) <= 0)
            return;
        keep(j, bytes, (size_t)n);
    }
}

bool source_job_is_over(struct source_job *j)
{
    int64_t now = source_clock_ms();
    if (!j->linger_by)
        j->linger_by = now + LINGER_MS;
    return j->ended || now >= j->linger_by;
}

void source_job_close(struct source_job *j, struct source_keeper *k)
{
    if (j->errors >= 0)
        close(j->errors);
    if (j->output >= 0)
        close(j->output);
    if (j->id)
        source_keeper_stop(k, j->id);
    j->errors = j->output = -1;
    j->id = 0;
}

/* What tcpdump and kubectl say when all is well. */
static bool is_greeting(struct slice line)
{
    static const char *const starts[] = {"tcpdump: listening on ", "tcpdump: data link type ",
                                         "tcpdump: verbose output ", "Defaulted container "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (slice_starts(line, slice_of(starts[i])))
            return true;
    return false;
}

/* Of what was printed as many whole lines as are shown, the last ones; of one that is longer its
 * beginning. */
static struct slice last_lines(const struct source_job *j, bool *more)
{
    struct slice said = slice_trim((struct slice){j->said, j->said_n});
    *more = j->said_n == sizeof j->said;
    if (said.n <= SHOWN)
        return said;
    struct slice tail = slice_from(said, said.n - SHOWN - 1);
    const char *before = memchr(tail.p, '\n', tail.n);
    if (!before)
        before = memrchr(said.p, '\n', said.n);
    *more |= before != NULL;
    return before ? slice_from(said, (size_t)(before + 1 - said.p)) : said;
}

/* In one line. */
static void add_said(const struct source_job *j, struct text *out)
{
    bool more;
    struct slice rest = last_lines(j, &more);
    const char *between = more ? ": ...; " : ": ";
    while (rest.n) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        rest = slice_from(rest, line.n + 1);
        line = slice_trim(line);
        if (!line.n || is_greeting(line))
            continue;
        text_add(out, slice_of(between));
        text_add(out, slice_first(line, SHOWN));
        if (line.n > SHOWN)
            text_add(out, SLICE("..."));
        between = "; ";
    }
}

void source_job_word(struct source_job *j, const char *what, struct text *out)
{
    if (WIFSIGNALED(j->status))
        text_printf(out, "%s was ended by signal %d (%s)", what, WTERMSIG(j->status),
                    strsignal(WTERMSIG(j->status)));
    else
        text_printf(out, "%s ended with status %d", what, WEXITSTATUS(j->status));
    source_job_drain(j);
    add_said(j, out);
}

bool source_job_says(const struct source_job *j, const char *text)
{
    return memmem(j->said, j->said_n, text, strlen(text)) != NULL;
}

/* ---- pauses ---------------------------------------------------------------------------------- */

void source_pause_run(struct source_pause *p)
{
    p->begun_ms = source_clock_ms();
    p->until_ms = 0;
}

uint32_t source_pause_begin(struct source_pause *p)
{
    int64_t now = source_clock_ms();
    bool well = now - p->begun_ms >= (int64_t)SOURCE_RETRY_WELL_S * 1000;
    uint32_t pause = p->next_s && !well ? p->next_s : p->first_s;
    p->next_s = 2 * pause < SOURCE_RETRY_S_MAX ? 2 * pause : SOURCE_RETRY_S_MAX;
    if (p->next_s < pause)
        p->next_s = pause;
    p->until_ms = now + (int64_t)pause * 1000;
    return pause;
}

bool source_pause_is_over(const struct source_pause *p)
{
    return source_clock_ms() >= p->until_ms;
}

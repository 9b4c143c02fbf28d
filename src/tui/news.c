/* What live sources say of themselves while the screens are there: a pod is gone, an interface is
 * down, a command is run again.  The newest stands in the status line until the next key, the last
 * of them with the statistics. */
#include "tui/internal.h"

#include <stdlib.h>
#include <string.h>

static void add(struct tui *t, uint32_t point, const char *words)
{
    struct tui_news *n = &t->news;
    const struct trace_point *points;
    struct text line = {0};
    trace_points(t->trace, &points);
    text_printf(&line, "%s: %s", points[point].path, words);
    if (n->count >= TUI_NEWS_MAX)
        free(n->lines[n->count % TUI_NEWS_MAX]);
    n->lines[n->count++ % TUI_NEWS_MAX] = line.p;
    tui_say(t, "%s", line.p);
}

static void heed_news(void *context, uint32_t point, const char *text)
{
    add(context, point, text);
}

static void heed_end(void *context, uint32_t point)
{
    struct tui *t = context;
    const struct trace_point *points;
    trace_points(t->trace, &points);
    if (points[point].source->remark)
        add(t, point, points[point].source->remark);
}

void tui_news_begin(struct tui *t)
{
    const struct trace_watch watch = {.ended = heed_end, .news = heed_news, .context = t};
    trace_set_watch(t->trace, &watch);
}

void tui_news_end(struct tui *t)
{
    trace_set_watch(t->trace, &(struct trace_watch){0});
    for (size_t i = 0; i < TUI_NEWS_MAX; i++)
        free(t->news.lines[i]);
}

void tui_news_add(const struct tui *t, struct text *out)
{
    uint64_t n = t->news.count, from = n > TUI_NEWS_MAX ? n - TUI_NEWS_MAX : 0;
    if (n)
        text_add(out, SLICE("\nSaid by sources\n"));
    if (from)
        text_printf(out, "  %llu before these\n", (unsigned long long)from);
    for (uint64_t i = from; i < n; i++)
        text_printf(out, "  %s\n", t->news.lines[i % TUI_NEWS_MAX]);
}

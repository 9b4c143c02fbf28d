/* Times of day. */
#include "view/view.h"

#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* Captures can hold times before 1970. */
static struct tm split(bool local, int64_t ns, int *ms)
{
    struct tm tm = {0};
    int64_t fraction = ns % NS_PER_SECOND;
    time_t seconds = (time_t)(ns / NS_PER_SECOND - (fraction < 0));
    *ms = (int)((fraction < 0 ? fraction + NS_PER_SECOND : fraction) / 1000000);
    if (local)
        localtime_r(&seconds, &tm);
    else
        gmtime_r(&seconds, &tm);
    return tm;
}

void view_add_clock(struct text *out, bool local, int64_t ns)
{
    int ms;
    struct tm tm = split(local, ns, &ms);
    text_printf(out, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

void view_add_day(struct text *out, bool local, int64_t ns)
{
    int ms;
    struct tm tm = split(local, ns, &ms);
    text_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

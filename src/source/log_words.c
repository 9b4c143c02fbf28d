/* What the heads of records are made of: times, addresses, names of transports. */
#include "source/log.h"

#include <time.h>

#define SECOND 1000000000
#define DAY    (86400 * (int64_t)SECOND)

bool log_take(struct slice *text, const char *word)
{
    struct slice w = slice_of(word);
    if (!slice_starts(*text, w))
        return false;
    *text = slice_from(*text, w.n);
    return true;
}

bool log_take_until(struct slice *text, const char *word)
{
    const char *at = text->n ? memmem(text->p, text->n, word, strlen(word)) : NULL;
    if (!at)
        return false;
    *text = slice_from(*text, (size_t)(at - text->p) + strlen(word));
    return true;
}

bool log_take_number(struct slice *text, unsigned n, uint64_t *out)
{
    size_t digits = 0;
    uint64_t value = 0;
    while (digits < text->n && digits < (n ? n : 18) && text->p[digits] >= '0' &&
           text->p[digits] <= '9')
        value = value * 10 + (uint64_t)(text->p[digits++] - '0');
    if (digits == 0 || (n && digits != n))
        return false;
    *text = slice_from(*text, digits);
    *out = value;
    return true;
}

/* ---- times ---------------------------------------------------------------------------------- */

/* Seconds of the machine's time zone are looked up once an hour. */
static bool local_ns(struct log_clock *c, const struct tm *when, int64_t *ns)
{
    uint64_t hour = (uint64_t)(when->tm_year + 1) * 1000000 + (uint64_t)when->tm_mon * 10000 +
                    (uint64_t)when->tm_mday * 100 + (uint64_t)when->tm_hour + 1;
    if (hour != c->hour) {
        struct tm start = *when;
        start.tm_min = start.tm_sec = 0;
        start.tm_isdst = -1;
        time_t seconds = mktime(&start);
        if (seconds < 0)
            return false;
        c->hour = hour;
        c->hour_ns = (int64_t)seconds * SECOND;
    }
    *ns = c->hour_ns + (when->tm_min * 60 + (int64_t)when->tm_sec) * SECOND;
    return true;
}

/* ".123456" or ",123"; none is none */
static int64_t take_fraction(struct slice *text)
{
    int64_t ns = 0, unit = SECOND / 10;
    if (text->n < 2 || !strchr(".,", text->p[0]) || text->p[1] < '0' || text->p[1] > '9')
        return 0;
    *text = slice_from(*text, 1);
    for (; text->n && text->p[0] >= '0' && text->p[0] <= '9'; unit /= 10) {
        ns += (text->p[0] - '0') * unit;
        *text = slice_from(*text, 1);
    }
    return ns;
}

static bool take_clock(struct slice *text, struct tm *when, int64_t *fraction)
{
    uint64_t hour, minute, second;
    if (!log_take_number(text, 2, &hour) || !log_take(text, ":") ||
        !log_take_number(text, 2, &minute) || !log_take(text, ":") ||
        !log_take_number(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    when->tm_hour = (int)hour;
    when->tm_min = (int)minute;
    when->tm_sec = (int)second;
    *fraction = take_fraction(text);
    return true;
}

/* "Z", "+02:00", "-0500": seconds east of Greenwich */
static bool take_zone(struct slice *text, int64_t *east)
{
    uint64_t hours, minutes;
    struct slice s = *text;
    *east = 0;
    if (log_take(text, "Z"))
        return true;
    bool west = s.n && s.p[0] == '-';
    if (!log_take(&s, west ? "-" : "+") || !log_take_number(&s, 2, &hours))
        return false;
    (void)log_take(&s, ":");
    if (!log_take_number(&s, 2, &minutes))
        return false;
    *east = ((int64_t)hours * 3600 + (int64_t)minutes * 60) * (west ? -1 : 1);
    *text = s;
    return true;
}

/* "2026-11-21 " or "2026/11/21T" */
static bool take_date(struct slice *text, struct tm *when)
{
    uint64_t year, month, day;
    struct slice s = *text;
    if (!log_take_number(&s, 4, &year) || s.n == 0)
        return false;
    const char *dash = s.p[0] == '/' ? "/" : "-";
    if (!log_take(&s, dash) || !log_take_number(&s, 2, &month) || !log_take(&s, dash) ||
        !log_take_number(&s, 2, &day) || s.n == 0 || !strchr(" T\t", s.p[0]))
        return false;
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    when->tm_year = (int)year - 1900;
    when->tm_mon = (int)month - 1;
    when->tm_mday = (int)day;
    *text = slice_from(s, 1);
    return true;
}

/* "Nov 21 " or "Nov  1 ": the year is that of the last writing, or the one before. */
static bool take_short_date(struct slice *text, struct tm *when)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct slice s = *text;
    uint64_t day;
    if (s.n < 4 || s.p[3] != ' ')
        return false;
    const char *at = memmem(months, sizeof months - 1, s.p, 3);
    if (!at || (at - months) % 3)
        return false;
    s = slice_from(s, 4);
    (void)log_take(&s, " ");
    if (!log_take_number(&s, 0, &day) || day < 1 || day > 31 || !log_take(&s, " "))
        return false;
    when->tm_mon = (int)(at - months) / 3;
    when->tm_mday = (int)day;
    *text = s;
    return true;
}

static bool short_time(struct log_clock *c, struct tm *when, int64_t *ns)
{
    time_t written = (time_t)(c->written_ns / SECOND);
    struct tm then;
    if (!localtime_r(&written, &then))
        return false;
    when->tm_year = then.tm_year;
    if (local_ns(c, when, ns) && *ns <= c->written_ns + DAY)
        return true;
    when->tm_year--;
    return local_ns(c, when, ns);
}

bool log_take_time(struct log_clock *c, struct slice *text, int64_t *ns)
{
    struct slice s = *text;
    struct tm when = {0};
    int64_t fraction, east, at;
    bool dated = take_date(&s, &when);
    if ((!dated && !take_short_date(&s, &when)) || !take_clock(&s, &when, &fraction))
        return false;
    if (dated && take_zone(&s, &east))
        at = ((int64_t)timegm(&when) - east) * SECOND;
    else if (dated ? !local_ns(c, &when, &at) : !short_time(c, &when, &at))
        return false;
    if (at < 0)
        return false;
    c->last_ns = *ns = at + fraction;
    *text = s;
    return true;
}

bool log_take_time_of_day(struct log_clock *c, struct slice *text, int64_t *ns)
{
    int64_t near = c->last_ns ? c->last_ns : c->written_ns, fraction, at;
    time_t seconds = (time_t)(near / SECOND);
    struct slice s = *text;
    struct tm when;
    if (!localtime_r(&seconds, &when) || !take_clock(&s, &when, &fraction) ||
        !local_ns(c, &when, &at))
        return false;
    at += fraction;
    /* before anything else was told: at most a day before the last writing */
    if (at > near + (c->last_ns ? DAY / 2 : 0))
        at -= DAY;
    else if (c->last_ns && at < near - DAY / 2)
        at += DAY;
    if (at < 0)
        return false;
    c->last_ns = *ns = at;
    *text = s;
    return true;
}

#define UUID 36 /* FreeSWITCH can put a channel's before each line */

bool log_line_time(struct log_clock *c, struct slice line, int64_t *ns)
{
    if (line.n > UUID && line.p[8] == '-' && line.p[23] == '-' && line.p[UUID] == ' ')
        line = slice_from(line, UUID + 1);
    (void)log_take(&line, "[");
    return log_take_time(c, &line, ns);
}

/* ---- addresses and transports --------------------------------------------------------------- */

bool log_endpoint(struct slice text, struct endpoint *out)
{
    size_t colon = text.n;
    uint32_t port;
    struct endpoint e;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !slice_to_u32(slice_from(text, colon), &port) || port > UINT16_MAX ||
        !address_parse(slice_first(text, colon - 1), &e.ip))
        return false;
    e.port = (uint16_t)port;
    *out = e;
    return true;
}

bool log_transport(struct slice name, struct source_message *m)
{
    static const struct {
        const char *name;
        uint8_t protocol;
        bool tls, websocket;
    } known[] = {
        {"UDP", 17, false, false},  {"TCP", 6, false, false},  {"TLS", 6, true, false},
        {"WS", 6, false, true},     {"WSS", 6, true, true},    {"SCTP", 132, false, false},
        {"UDP6", 17, false, false}, {"TCP6", 6, false, false}, {"TLS6", 6, true, false},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!slice_equal_nocase(name, slice_of(known[i].name)))
            continue;
        m->ip_protocol = known[i].protocol;
        m->tls = known[i].tls;
        m->websocket = known[i].websocket;
        return true;
    }
    return false;
}

/* The formats of tools that print messages, and messages with nothing around them. */
#include "source/log.h"

static bool is_token_char(char c)
{
    unsigned char lower = ascii_lower((unsigned char)c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("-.!%*_+`'~", c));
}

static size_t token_length(struct slice s)
{
    size_t n = 0;
    while (n < s.n && is_token_char(s.p[n]))
        n++;
    return n;
}

/* "SIP/2.0 200 OK", "BYE sip:alice@example.com SIP/2.0" */
bool log_is_start(struct slice line)
{
    struct slice rest = line;
    uint64_t status;
    if (log_take(&rest, "SIP/2.0 "))
        return log_take_number(&rest, 3, &status) && (rest.n == 0 || strchr(" \r.", rest.p[0]));
    size_t method = token_length(line);
    if (method == 0 || method == line.n || line.p[method] != ' ')
        return false;
    rest = slice_trim(slice_from(line, method + 1));
    if (rest.n && rest.p[rest.n - 1] == '.')
        rest.n--;
    size_t version = strlen(" SIP/2.0"), space = slice_find(rest, ' ');
    return rest.n > version && space == rest.n - version &&
           slice_is(slice_from(rest, space), " SIP/2.0");
}

/* ---- SIPp, -trace_msg ------------------------------------------------------------------------ */

/* UDP message sent (434 bytes):   TCP message received [519] bytes : */
static enum log_step sipp_what(struct slice line, struct log_record *r)
{
    struct slice rest = line;
    size_t word = slice_find(line, ' ');
    uint64_t count;
    r->transport_known = log_transport(slice_first(line, word), &r->message);
    if (!r->transport_known || !log_take_until(&rest, "message "))
        return LOG_NO;
    r->direction = log_take(&rest, "sent (") ? SOURCE_OUT : SOURCE_IN;
    if (r->direction == SOURCE_IN && !log_take(&rest, "received ["))
        return LOG_NO;
    if (!log_take_number(&rest, 0, &count))
        return LOG_NO;
    r->count = count;
    return LOG_MORE;
}

static enum log_step sipp_head(struct log_clock *c, unsigned number, struct slice line,
                               struct log_record *r)
{
    size_t dashes = 0;
    if (number == 1)
        return sipp_what(line, r);
    if (number > 1)
        return line.n ? LOG_NO : LOG_BEGINS;
    while (dashes < line.n && line.p[dashes] == '-')
        dashes++;
    line = slice_from(line, dashes);
    return dashes >= 40 && log_take(&line, " ") && log_take_time(c, &line, &r->time_ns) ? LOG_MORE
                                                                                        : LOG_NO;
}

/* ---- sngrep's text, sipgrep and ngrep: 10.0.0.1:5060 -> 10.0.0.2:5060 --------------------------
 */

static bool take_word(struct slice *text, struct slice *word)
{
    *word = slice_first(*text, slice_find(*text, ' '));
    *text = slice_from(*text, word->n + 1);
    return word->n > 0;
}

static enum log_step take_way(struct slice rest, struct log_record *r)
{
    struct slice from, arrow, to;
    bool way = take_word(&rest, &from) && take_word(&rest, &arrow) && take_word(&rest, &to) &&
               slice_is(arrow, "->") && log_endpoint(from, &r->message.src) &&
               log_endpoint(to, &r->message.dst);
    return way ? LOG_BEGINS : LOG_NO;
}

static enum log_step sngrep_head(struct log_clock *c, unsigned number, struct slice line,
                                 struct log_record *r)
{
    (void)number;
    if (line.n < 10 || line.p[4] != '/' || !log_take_time(c, &line, &r->time_ns) ||
        !log_take(&line, " "))
        return LOG_NO;
    return take_way(line, r);
}

/* U for UDP, T for TCP, S for SCTP; the time is there with -t (sipgrep: always) */
static enum log_step ngrep_head(struct log_clock *c, unsigned number, struct slice line,
                                struct log_record *r)
{
    static const struct {
        const char *mark, *transport;
    } marks[] = {{"U ", "UDP"}, {"T ", "TCP"}, {"S ", "SCTP"}};
    (void)number;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!log_take(&line, marks[i].mark))
            continue;
        r->transport_known = log_transport(slice_of(marks[i].transport), &r->message);
        r->shape = LOG_DOTTED;
        if (log_take_time(c, &line, &r->time_ns))
            (void)log_take(&line, " ");
        return take_way(line, r);
    }
    return LOG_NO;
}

/* ---- messages with nothing around them, or with words before them (kamailio's xlog of $mb) ------
 */

size_t log_find_start(struct slice line)
{
    struct slice version = SLICE(" SIP/2.0");
    const char *at = line.n ? memmem(line.p, line.n, version.p, version.n) : NULL;
    size_t n = at ? (size_t)(at - line.p) : line.n;
    if (log_is_start(line))
        return 0;
    if (!at)
        return line.n;
    if (n + version.n < line.n)
        return log_is_start(slice_from(line, n + 1)) ? n + 1 : line.n;
    for (unsigned words = 0; n > 0 && words<2; words += n> 0 && line.p[n - 1] == ' ')
        n--;
    return log_is_start(slice_from(line, n)) ? n : line.n;
}

static enum log_step bare_head(struct log_clock *c, unsigned number, struct slice line,
                               struct log_record *r)
{
    (void)number;
    r->indent = log_find_start(line);
    (void)log_line_time(c, line, &r->time_ns);
    return r->indent < line.n ? LOG_IS : LOG_NO;
}

const struct log_format log_tool_formats[] = {
    {"SIPp", sipp_head},
    {"sngrep", sngrep_head},
    {"ngrep", ngrep_head},
    {NULL, NULL},
};

const struct log_format log_bare_format = {"bare", bare_head};
